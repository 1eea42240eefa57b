package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter"
)

// An Inbox is everything that waits for whoever asks, with its items and what they are about.
type (
	Inbox     = starter.Inbox
	InboxItem = starter.InboxItem
	InboxKind = starter.InboxKind
)

// The kinds of items.
const (
	InboxIncident = starter.InboxIncident
	InboxReview   = starter.InboxReview
	InboxRequest  = starter.InboxRequest
	InboxHandover = starter.InboxHandover
	InboxPlanRun  = starter.InboxPlanRun
	InboxProblem  = starter.InboxProblem
	InboxAction   = starter.InboxAction
	InboxRisk     = starter.InboxRisk
	InboxChange   = starter.InboxChange
)

// InboxKinds lists the kinds of items.
func InboxKinds() []InboxKind {
	return []InboxKind{InboxIncident, InboxReview, InboxRequest, InboxHandover, InboxPlanRun, InboxProblem, InboxAction, InboxRisk, InboxChange}
}

// What is wanted of somebody, besides what runs of plans want. These strings are on the wire: add, never rename.
const (
	WantAcknowledge = "acknowledge" // a page, or help
	WantPromise     = "promise"     // to be kept, of an incident in which they have a role
	WantFileCase    = "file-case"   // with a vendor
	WantLateCase    = "late-case"   // to be escalated: the vendor has not answered in time
	WantReview      = "review"
	WantApproval    = "approve"          // or decline it
	WantText        = "approve-text"     // to those outside or of a review, or reject it
	WantConfirm     = "confirm"          // that a schedule is theirs now
	WantSolve       = "solve"            // a problem, or to say why it waits
	WantAct         = "act"              // do an action item
	WantVerify      = "verify"           // that an action item is done
	WantEffect      = "effect"           // say whether an action item has helped
	WantTake        = "take"             // see to a risk that somebody has escalated, or to a request that is nobody's
	WantAnswer      = "answer"           // say what is done about it
	WantJudge       = "judge"            // say whether that is enough
	WantAssess      = "assess"           // say how risky a change is
	WantStart       = "start"            // a change that may run
	WantRespond     = "approve-response" // let Muster act by itself
	WantEnd         = "end"              // say that a change is done, or has failed
	WantFixed       = "fixed"            // say whether what was resolved is fixed
)

// InboxWants lists what may be wanted.
func InboxWants() []string {
	return append(words(planrun.Wants()), WantAcknowledge, WantPromise, WantFileCase, WantLateCase, WantReview, WantApproval, WantText, WantConfirm, WantSolve, WantAct, WantVerify, WantEffect, WantTake, WantAnswer, WantJudge, WantFixed, WantAssess, WantStart, WantEnd, WantRespond)
}

// mostOpen is how many open ones of each kind are looked at, the newest.
const mostOpen = MaxRows

// inbox answers with what waits for the visitor, who is a person: nothing waits for a machine.
func (s *server) inbox(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if err := queryFaults(q, s.langFault(q), "lang"); err != nil {
		return err
	}
	by := visiting(r.Context())
	if len(by.Scopes) > 0 && !slices.Contains(by.Scopes, authority.Read) { // nothing would be a wrong answer
		return s.denied(r, authority.Read, authority.May(by.Subject, authority.Read, authority.Object{Kind: authority.PlanRun}))
	}
	box, err := s.inboxOf(r.Context(), by, cmp.Or(q.Get("lang"), s.ownLanguage(by.Subject), s.Language))
	if err != nil {
		return err
	}
	return answer(w, box)
}

// InboxOf returns what finds what waits for a person, for the pages: at most four searches at once, for each asks many runs.
func InboxOf(cfg Config) func(ctx context.Context, by authority.Subject, language string) (Inbox, error) {
	s, places := &server{Config: cfg}, make(chan struct{}, 4)
	return func(ctx context.Context, by authority.Subject, language string) (Inbox, error) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-ctx.Done():
			return Inbox{}, ctx.Err()
		}
		return s.inboxOf(ctx, visitor{Subject: by}, language)
	}
}

func (s *server) inboxOf(ctx context.Context, by visitor, language string) (Inbox, error) {
	box := Inbox{Items: []InboxItem{}, Language: s.Language, Zone: s.Zone}
	if by.Actor.Kind != timeline.Person {
		return box, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	look := search{server: s, by: by, language: language}
	found := make([]finding, len(InboxKinds()))
	var all sync.WaitGroup
	for n, find := range []func(context.Context) finding{look.incidents, look.reviews, look.requests, look.handovers, look.planRuns, look.problems, look.actions, look.escalations, look.changes} {
		all.Go(func() { found[n] = find(ctx) })
	}
	all.Wait()
	for n, f := range found {
		if f.err != nil {
			return box, f.err
		}
		if box.Items = append(box.Items, f.items...); f.cut {
			box.Cut = append(box.Cut, InboxKinds()[n])
		}
	}
	slices.SortStableFunc(box.Items, func(a, b InboxItem) int {
		if a.Due.IsZero() != b.Due.IsZero() {
			return map[bool]int{true: 1, false: -1}[a.Due.IsZero()]
		}
		return cmp.Or(a.Due.Compare(b.Due), a.Since.Compare(b.Since), strings.Compare(a.ID, b.ID), strings.Compare(a.Task, b.Task))
	})
	return box, nil
}

// A search looks for what waits for somebody.
type search struct {
	*server

	by       visitor
	language string
}

// A finding is what a search has found among the things of one kind. It is cut where not all were looked at; an error is that nobody
// can say which there are.
type finding struct {
	items []InboxItem
	cut   bool
	err   error
}

// among looks at some things at once. One that is gone is none; one that does not answer is not waited for.
func among[T any](things []T, more bool, err error, look func(T) ([]InboxItem, error)) finding {
	f := finding{cut: more, err: err}
	found, unseen := make([][]InboxItem, len(things)), make([]bool, len(things))
	each(len(things), func(n int) {
		items, err := look(things[n])
		_, gone := errors.AsType[*starter.NotFoundError](err)
		found[n], unseen[n] = items, err != nil && !gone
	})
	for n := range things {
		f.items, f.cut = append(f.items, found[n]...), f.cut || unseen[n]
	}
	return f
}

// means tells whether targets mean the visitor now.
func (l search) means(targets []escalation.Target) bool {
	return slices.ContainsFunc(targets, func(t escalation.Target) bool {
		to, err := l.Directory().Recipients(t, l.Now())
		return err == nil && slices.ContainsFunc(to, func(r delivery.Recipient) bool { return r.ID == l.by.Actor.ID && !r.Shared })
	})
}

// incidents are those whose page the visitor has not answered, those in which they have a role and something is due, and those of
// which a text waits for them.
func (l search) incidents(ctx context.Context) finding {
	f, any := l.sight(l.by)
	if !any {
		return finding{}
	}
	f.Open, f.Limit = true, mostOpen
	rows, after, err := l.Backend.List(ctx, f)
	return among(rows, after != "", err, func(row Summary) ([]InboxItem, error) {
		i, err := l.Backend.State(ctx, row.ID)
		if err != nil || !l.reads(l.by.Subject, i) {
			return nil, err
		}
		if i.Status == incident.Merged {
			return l.passedOn(ctx, i)
		}
		return l.incident(i), nil
	})
}

func (l search) incident(i *incident.Incident) (items []InboxItem) {
	item := InboxItem{Kind: InboxIncident, ID: string(i.ID), Title: l.title(i)}
	since, due, awaited := i.Awaited(l.by.Actor.ID)
	switch {
	case i.Status.Open() && awaited:
		item.Want, item.Since, item.Due = WantAcknowledge, since, due
	case !i.Escalation.AckedBy(l.by.Actor.ID) && l.means(i.Unanswered()):
		item.Want, item.Since, item.Due = WantAcknowledge, i.Times.Alerted, i.Escalation.NextAt
	}
	if item.Want != "" {
		item.Command = "muster incident ack " + item.ID
		items = append(items, item)
	}
	clocks := i.Facts().Clocks // the first due first
	n := slices.IndexFunc(i.Holders, func(h incident.Holder) bool { return h.Person == l.by.Actor.ID })
	if n >= 0 && len(clocks) > 0 {
		item.Want, item.Since, item.Due, item.Customer = WantPromise, i.Holders[n].Since, clocks[0].Due, clocks[0].Customer
		item.Title += ": " + l.Texts.Target(clocks[0].Target, l.language)
		item.Command = l.keeping(i, clocks[0].Target)
		items = append(items, item)
	}
	if n := slices.IndexFunc(i.Confirmations, func(k incident.Confirmation) bool {
		return i.Status == incident.Resolved && k.Clock.Customer == l.by.Party && k.Answer == "" && !k.Asked.IsZero()
	}); n >= 0 && l.by.Kind == authority.Customer {
		item.Title, item.Want, item.Since, item.Due, item.Customer = l.title(i), WantFixed, i.Confirmations[n].Asked, i.Confirmations[n].Clock.Due, ""
		item.Command = fmt.Sprintf("muster incident answer %s fixed|not-fixed %s", item.ID, l.blank("NOTE", "메모"))
		items = append(items, item)
	}
	items = append(items, l.cases(i)...)
	if p := i.Proposed; p != nil && p.By.ID != l.by.Actor.ID && l.means(i.Approvers()) {
		item.Title, item.Want, item.Since, item.Due, item.Customer = l.title(i), WantText, p.At, p.Due, p.Update.Customer
		item.Read = "muster incident show " + item.ID
		item.Command = fmt.Sprintf("muster incident approve-update %s %s", item.ID, p.SHA256)
		items = append(items, item)
	}
	if l.means(i.ResponseApprovers()) {
		item.Title, item.Want, item.Since, item.Due, item.Customer = l.title(i), WantRespond, i.Response.Asked, i.Response.Due, ""
		item.Read = "muster incident show " + item.ID
		item.Command = fmt.Sprintf("muster incident approve-response %s %s", item.ID, i.Response.SHA256)
		items = append(items, item)
	}
	return items
}

// keeping is the command that keeps a promise of an incident.
func (l search) keeping(i *incident.Incident, t supportplan.Target) string {
	text := l.blank("TEXT", "내용")
	switch t {
	case supportplan.Respond:
		return fmt.Sprintf("muster incident ack %s", i.ID)
	case supportplan.Update:
		return fmt.Sprintf("muster incident update %s %s", i.ID, text)
	case supportplan.Mitigate:
		return fmt.Sprintf("muster incident mitigate %s %s", i.ID, text)
	case supportplan.Resolve:
		return fmt.Sprintf("muster incident resolve %s %s", i.ID, text)
	case supportplan.ResultReport:
		return fmt.Sprintf("muster incident send-report %s %s", i.ID, text)
	case supportplan.Confirm: // for the customer to say
	}
	return fmt.Sprintf("muster incident show %s", i.ID)
}

// cases are the vendor cases that the visitor is to file or to escalate.
func (l search) cases(i *incident.Incident) (items []InboxItem) {
	for _, k := range i.OpenCases() {
		if !l.means(k.Who) {
			continue
		}
		item := InboxItem{
			Kind: InboxIncident, ID: string(i.ID), Task: k.Support.ID, Want: WantFileCase, Title: l.title(i) + ": " + k.Support.Name, Since: k.Since, Due: k.Due,
			Command: fmt.Sprintf("muster incident case %s %s --reference NUMBER", i.ID, k.Support.ID),
		}
		if k.Late {
			item.Want, item.Command = WantLateCase, fmt.Sprintf("muster incident case %s %s ANSWER", i.ID, k.Support.ID)
		}
		items = append(items, item)
	}
	return items
}

// passedOn is the first promise to a customer that another incident has taken over with an incident, for whoever had a role in that one
// and has none in the other.
func (l search) passedOn(ctx context.Context, from *incident.Incident) ([]InboxItem, error) {
	holds := func(i *incident.Incident) int {
		return slices.IndexFunc(i.Holders, func(h incident.Holder) bool { return h.Person == l.by.Actor.ID })
	}
	n := holds(from)
	if n < 0 {
		return nil, nil
	}
	into, err := l.Backend.State(ctx, from.MergedInto.ID)
	if err != nil || !l.reads(l.by.Subject, into) || holds(into) >= 0 {
		return nil, err
	}
	for _, c := range into.Facts().Clocks { // the first due first
		if slices.ContainsFunc(from.Definition.Customers, func(x incident.Customer) bool { return x.Name == c.Customer }) {
			return []InboxItem{{
				Kind: InboxIncident, ID: string(into.ID), Want: WantPromise, Title: l.title(into), Customer: c.Customer, Since: from.Holders[n].Since, Due: c.Due,
				Command: l.keeping(into, c.Target),
			}}, nil
		}
	}
	return nil, nil
}

// title is what an incident is called before the visitor.
func (l search) title(i *incident.Incident) string {
	if authority.May(l.by.Subject, authority.ReadInternal, l.about(authority.Incident, i)) == nil {
		return i.Definition.Title
	}
	return i.Definition.PublicTitle()
}

// reviews are those that the visitor owns, and those of which the visitor may approve a text.
func (l search) reviews(ctx context.Context) finding {
	if l.by.Kind != authority.Provider && l.by.Kind != authority.Customer {
		return finding{}
	}
	ids, more, err := l.Backend.Reviews(ctx, true, mostOpen)
	return among(ids, more, err, func(id incident.ID) (items []InboxItem, err error) {
		i, err := l.Backend.State(ctx, id)
		if err != nil || authority.May(l.by.Subject, authority.Read, l.about(authority.Review, i)) != nil {
			return nil, err
		}
		owns, votes := l.means(i.ReviewOwner()), authority.May(l.by.Subject, authority.Approve, l.about(authority.Review, i)) == nil
		if !owns && !votes {
			return nil, nil
		}
		r, err := l.Backend.Review(ctx, id)
		if err != nil || r.Status != review.Open {
			return nil, err
		}
		item := InboxItem{Kind: InboxReview, ID: string(id), Want: WantReview, Title: l.title(i), Since: r.Opened, Due: r.Due, Read: "muster review show " + string(id)}
		item.Command = l.reviewing(&r)
		if next := summaryOf(&r).NextDue; !next.IsZero() {
			item.Due = next
		}
		if owns {
			items = append(items, item)
		}
		for n := range r.Texts {
			t := &r.Texts[n]
			if !votes || !t.Wants(l.by.Actor.ID, sides(l.by.Subject)) {
				continue
			}
			item.Want, item.Task, item.Customer, item.Since = WantText, t.Audience, t.Name, t.Written
			item.Command = fmt.Sprintf("muster review approve %s %s --sha256 %s", id, t.Audience, t.SHA256)
			if item.Read = "muster review report " + string(id); t.Audience != review.Internal {
				item.Read += " --customer " + t.Audience
			}
			items = append(items, item)
		}
		return items, nil
	})
}

// reviewing is the command that brings a review on. What somebody else has to approve, its owner waits for.
func (l search) reviewing(r *review.Review) string {
	text := l.bare("TEXT", "내용")
	waits := false
	for _, n := range r.Next() {
		switch {
		case n.Step == review.ToApprove:
			waits = true
		case !waits || n.Step == review.ToMeet || n.Step == review.ToText:
			return n.Command(string(r.Facts.Incident), text)
		}
	}
	return "muster review show " + string(r.Facts.Incident)
}

// requests are those on which the visitor may decide, those that the visitor works on or could take, and of a customer's people those
// whose answer it has to judge.
func (l search) requests(ctx context.Context) finding {
	f, about := RequestFilter{Open: true, Limit: mostOpen}, authority.Object{Kind: authority.Request}
	if l.by.Kind == authority.Customer {
		f.Customer, about.Customers = l.by.Party, []string{l.by.Party}
	}
	may := func(v authority.Verb) bool { return authority.May(l.by.Subject, v, about) == nil }
	judges := l.by.Kind == authority.Customer && may(authority.Confirm)
	if !judges && !may(authority.Work) {
		return finding{}
	}
	rows, after, err := l.Backend.Requests(ctx, f)
	return among(rows, after != "", err, func(row RequestSummary) ([]InboxItem, error) {
		q, err := l.Backend.Request(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		item := InboxItem{
			Kind: InboxRequest, ID: string(q.ID), Title: l.Texts.RequestSubject(&q.Terms, l.language), Customer: q.CustomerName, Since: q.Opened, Due: q.NextDue(),
		}
		show := fmt.Sprintf("muster request show %s", q.ID)
		switch {
		case q.Status == request.Answered && judges:
			item.Read = show
			item.Want, item.Since, item.Due = WantJudge, q.AnsweredAt, q.Closes
			item.Command = fmt.Sprintf("muster request complete|incomplete %s %s", q.ID, l.blank("NOTE", "메모"))
		case q.Status == request.Waiting && q.Recorder.ID != l.by.Actor.ID && may(authority.Approve):
			item.Read, item.Want, item.Command = show, WantApproval, fmt.Sprintf("muster request approve|decline %s %s", q.ID, l.blank("REASON", "사유"))
		case q.Status == request.Accepted && q.Owner.ID == "" && may(authority.Work):
			item.Read, item.Want, item.Command = show, WantTake, fmt.Sprintf("muster request take %s", q.ID)
		case q.Status == request.Accepted && q.Owner.ID == l.by.Actor.ID && may(authority.Answer):
			item.Want, item.Command = WantAnswer, fmt.Sprintf("muster request answer %s %s", q.ID, l.blank("TEXT", "내용"))
		case q.Status == request.Accepted && q.Owner.ID == l.by.Actor.ID:
			item.Want, item.Command = WantAnswer, fmt.Sprintf("muster request hand-over %s %s %s", q.ID, l.bare("PERSON", "사람ID"), l.blank("NOTE", "메모"))
		default:
			return nil, nil
		}
		return []InboxItem{item}, nil
	})
}

// blank stands in a command for a text that only somebody can say, and bare for a word.
func (l search) blank(english, korean string) string { return `"` + l.bare(english, korean) + `"` }

func (l search) bare(english, korean string) string {
	if l.language == "ko" {
		return korean
	}
	return english
}

// handovers are the schedules that the visitor is to take over.
func (l search) handovers(ctx context.Context) finding {
	if authority.May(l.by.Subject, authority.Confirm, authority.Object{Kind: authority.Handover}) != nil {
		return finding{}
	}
	schedules, more, err := l.Backend.Handovers(ctx, mostOpen)
	return among(schedules, more, err, func(schedule string) ([]InboxItem, error) {
		h, err := l.Backend.Handover(ctx, schedule)
		if err != nil || h.Status != handover.Open || h.Incoming.ID != l.by.Actor.ID {
			return nil, err
		}
		return []InboxItem{{
			Kind: InboxHandover, ID: schedule, Want: WantConfirm, Title: h.Outgoing.Shown(), Since: h.Opened, Due: h.Due,
			Command: "muster oncall confirm " + schedule,
		}}, nil
	})
}

// planRuns are what runs of plans want of the visitor.
func (l search) planRuns(ctx context.Context) finding {
	f := PlanRunFilter{Open: true, Limit: mostOpen}
	if l.by.Kind == authority.Customer {
		f.Customers = []string{l.by.Party}
	}
	rows, after, err := l.Backend.PlanRuns(ctx, f)
	return among(rows, after != "", err, func(row PlanRunSummary) ([]InboxItem, error) {
		run, err := l.Backend.PlanRun(ctx, row.ID)
		if err != nil || authority.May(l.by.Subject, authority.Read, l.aboutRun(run)) != nil {
			return nil, err
		}
		return l.planRun(run), nil
	})
}

func (l search) planRun(run *planrun.Run) (items []InboxItem) {
	in := l.capacity(l.by, run)
	for _, w := range run.Waits(l.Now()) {
		if !w.For(l.by.Actor.ID, in.Roles) {
			continue
		}
		title := run.Plan.Name.In(l.language)
		if _, def, ok := run.Task(w.Task); ok {
			title += ": " + def.Name.In(l.language)
		}
		if w.Want == planrun.WantStep {
			title += fmt.Sprintf(": %d. %s", w.Step, w.Text)
		}
		items = append(items, InboxItem{
			Kind: InboxPlanRun, ID: string(run.ID), Task: w.Task, Want: string(w.Want), Title: title, Customer: run.CustomerName, Since: w.Since, Due: w.Due,
			Command: starter.PlanCommand(run, w, l.language),
		})
	}
	return items
}

package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/starter"
)

// An ActionSummary is one row of a list of action items.
type ActionSummary = starter.ActionSummary

// An ActionFilter narrows a list of action items. Zero values do not.
type ActionFilter struct {
	starter.ActionFilter

	Owner  string // ID
	Origin string // ID
}

// An ActionPage is a part of a list, the newest action item first.
type ActionPage struct {
	Actions  []ActionSummary `json:"actions"`
	Next     string          `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string          `json:"language"`       // in which the organisation reads …
	Zone     string          `json:"zone"`           // … and its IANA zone
}

// A NewAction is what an action item is opened with.
type NewAction struct {
	Title       string            `json:"title"`
	Text        string            `json:"text,omitempty"`
	Kind        action.Kind       `json:"kind"`
	Priority    int               `json:"priority,omitempty"` // 1 to 5; empty: 3
	Owner       string            `json:"owner"`              // ID of a person
	Group       string            `json:"group"`              // ID of the group behind the owner
	Due         time.Time         `json:"due"`
	Ticket      string            `json:"ticket,omitempty"`
	OriginKind  action.OriginKind `json:"origin_kind,omitempty"`
	Origin      string            `json:"origin,omitempty"`   // ID of the incident, the review's incident, the problem or the run
	Customer    string            `json:"customer,omitempty"` // ID
	Service     string            `json:"service,omitempty"`  // ID; empty: that of the incident
	Public      bool              `json:"public,omitempty"`   // that customer may see it
	Effect      int               `json:"effect,omitempty"`   // days after which it is asked whether it has helped; empty: 30
	ProposalFor action.Shelf      `json:"proposal_for,omitempty"`
	ProposalID  string            `json:"proposal_id,omitempty"` // of the checklist's item or the runbook
	Proposal    string            `json:"proposal,omitempty"`    // text that should be added there
}

// A NewActionOwner is to whom an action item is given.
type NewActionOwner struct {
	Owner  string `json:"owner"`           // ID of a person
	Group  string `json:"group,omitempty"` // ID of a group; empty: the same
	Reason string `json:"reason"`
}

// An ActionReceipt says where an action item stands after it was asked something.
type ActionReceipt struct {
	ID     action.ID     `json:"id"`
	Status action.Status `json:"status"`
	Due    time.Time     `json:"due"`
}

// mostSought is how many action items are looked at for one page.
const mostSought = 1_000

func (s *server) actionRoutes() []route {
	const all, one = "actions", "actions/{id}"
	return []route{
		{http.MethodGet, all, "", "", inTurn(4)(s.listActions)}, // each asks many runs
		{http.MethodPost, all, "", "", s.openAction},
		{http.MethodGet, one, authority.Read, authority.Action, s.showAction},
		{http.MethodPost, one + "/done", authority.Work, authority.Action, onAction[action.Complete](s)},
		{http.MethodPost, one + "/verify", authority.Decide, authority.Action, onAction[action.Verify](s)},
		{http.MethodPost, one + "/effect", authority.Decide, authority.Action, s.checkAction},
		{http.MethodPost, one + "/extend", authority.Work, authority.Action, onAction[action.Extend](s)},
		{http.MethodPost, one + "/assign", authority.Assign, authority.Action, s.assignAction},
		{http.MethodPost, one + "/cancel", "", "", s.cancelAction},
		{http.MethodPost, one + "/note", authority.Note, authority.Action, onAction[action.Note](s)},
	}
}

func actionOf(r *http.Request) action.ID { return action.ID(r.PathValue("id")) }

// listActions answers with the action items that the visitor may read. Who owns one and what it came of only the action items
// themselves know, so as many are looked at as a page needs.
func (s *server) listActions(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := ActionFilter{ActionFilter: starter.ActionFilter{
		Open: q.truth("open"), Overdue: q.truth("overdue"), Customer: q.Get("customer"), Service: q.Get("service"), Limit: q.limit(), After: q.after(),
	}, Owner: q.Get("owner"), Origin: q.Get("origin")}
	if v := q.Get("status"); v != "" {
		if f.Status = action.Status(v); !slices.Contains(action.Statuses(), f.Status) {
			q.fault("status", oneOf(words(action.Statuses())))
		}
	}
	if err := queryFaults(q.Values, q.faults, "status", "open", "overdue", "owner", "origin", "service", "customer", "limit", "after"); err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind != authority.Provider {
		f.Customer, f.Owner = by.Party, ""
	}
	own := authority.Object{Kind: authority.Action, Customers: []string{f.Customer}}
	if err := s.denied(r, authority.Read, authority.May(by.Subject, authority.Read, own)); err != nil {
		return err
	}
	rows, after, err := s.actions(r.Context(), by, f)
	if err != nil {
		return err
	}
	return answer(w, ActionPage{Actions: append([]ActionSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// actions finds as many as a page takes.
func (s *server) actions(ctx context.Context, by visitor, f ActionFilter) (rows []ActionSummary, after string, err error) {
	limit, after := f.Limit, f.After
	for looked := 0; len(rows) < limit && looked < mostSought; {
		f.Limit, f.After = limit-len(rows), after
		var page []ActionSummary
		if page, after, err = s.Backend.Actions(ctx, f.ActionFilter); err != nil {
			return nil, "", err
		}
		looked += max(len(page), 1)
		found := make([]bool, len(page))
		each(len(page), func(n int) {
			a, err := s.Backend.Action(ctx, page[n].ID)
			found[n] = err == nil && wanted(by, f, a)
			if found[n] {
				page[n] = rowOf(page[n], a, by.Kind == authority.Provider)
			}
			if _, gone := errors.AsType[*starter.NotFoundError](err); err != nil && !gone && by.Kind == authority.Provider && f.Owner == "" && f.Origin == "" {
				found[n] = true // it does not answer: what the list knows is better than nothing
			}
		})
		for n := range page {
			if found[n] {
				rows = append(rows, page[n])
			}
		}
		if after == "" {
			break
		}
	}
	return rows, after, nil
}

// wanted tells whether an action item is one that was asked for, and that the visitor may read.
func wanted(by visitor, f ActionFilter, a *action.Action) bool {
	return authority.May(by.Subject, authority.Read, authority.Object{Kind: authority.Action, Customers: a.VisibleTo()}) == nil &&
		(f.Owner == "" || f.Owner == a.Owner) && (f.Origin == "" || strings.EqualFold(f.Origin, a.Origin.ID))
}

// rowOf fills a row with what only the action item knows. Who owns it is the provider's own business, and so is what it came of.
func rowOf(row ActionSummary, a *action.Action, provider bool) ActionSummary {
	row.Title, row.Status, row.Kind, row.Priority, row.Due = a.Title, a.Listed(), a.Kind, a.Priority, a.Due
	if !provider {
		row.Service, row.NextDue = "", time.Time{}
		return row
	}
	row.Owner, row.OwnerName, row.Origin = a.Owner, a.OwnerName, a.Origin.ID
	return row
}

// openAction opens an action item in the name of the visitor.
func (s *server) openAction(w http.ResponseWriter, r *http.Request) error {
	var given NewAction
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	a := given.asked()
	i, err := s.originOf(r.Context(), a.Origin)
	var run *planrun.Run
	if err == nil && a.Origin.Kind == action.OfRun {
		run, err = s.runOf(r.Context(), "origin", a.Origin.ID)
	}
	if may := s.mayOpen(r, i, run); may != nil {
		return may
	}
	if err != nil {
		return err
	}
	switch {
	case i != nil:
		a.Origin.ID, a.Origin.Service = string(i.ID), cmp.Or(a.Origin.Service, i.Definition.Service.ID)
	case run != nil && a.Origin.Customer != "" && a.Origin.Customer != run.Customer:
		return fault("customer", fmt.Sprintf("%q; want %s, whose run %s is, or none", clip(a.Origin.Customer), run.Customer, run.ID))
	case run != nil:
		a.Origin.ID, a.Origin.Customer = string(run.ID), run.Customer
	}
	pinned, err := s.pinnedAction(a)
	if err != nil {
		return err
	}
	item, err := s.Backend.StartAction(r.Context(), req, action.Terms{Asked: a, Pinned: pinned})
	s.Log.Info("command", "action", a.Title, "command", "open", "actor", req.By.ID, "request", req.ID, "error", err)
	if err == nil && a.Origin.Kind == action.OfReview {
		err = s.addToReview(r.Context(), incident.ID(a.Origin.ID), req, item)
	}
	if err == nil && run != nil {
		err = s.addToRun(r.Context(), run.ID, req, item)
	}
	if err != nil {
		return err
	}
	return answer(w, item)
}

// addToReview has an action item stand in the review that it came of. One that is closed, or from before there were stages, takes
// none: the action item names it all the same. Whoever repeats the request adds it again, which changes nothing.
func (s *server) addToReview(ctx context.Context, of incident.ID, req starter.Request, item *action.Action) error {
	x, err := s.Backend.Review(ctx, of)
	if err != nil {
		return err
	}
	if x.Status != review.Open || x.Rules == nil || slices.ContainsFunc(x.Actions, func(a review.Action) bool { return a.ID == string(item.ID) }) {
		return nil
	}
	req.ID += "/review"
	err = s.Backend.AskReview(ctx, of, req, review.AddAction{ID: string(item.ID), Title: item.Title})
	_, gone := errors.AsType[*starter.NotFoundError](err)
	_, full := errors.AsType[*starter.RefusedError](err)
	if gone || full { // it has been closed meanwhile, or takes no more: the action item is there, and names it
		s.Log.Warn("action item does not stand in its review", "action", item.ID, "review", of, "error", err)
		return nil
	}
	return err
}

// addToRun has an action item stand in the run of a plan that it came of. One that is over takes none: the action item names it all the same.
func (s *server) addToRun(ctx context.Context, of planrun.ID, req starter.Request, item *action.Action) error {
	run, err := s.Backend.PlanRun(ctx, of)
	if err != nil || run.Over() || slices.ContainsFunc(run.Actions, func(i planrun.ActionItem) bool { return i.ID == string(item.ID) }) {
		return err
	}
	req.ID += "/run"
	err = s.Backend.AskPlanRun(ctx, of, req, planrun.AddAction{Capacity: s.capacity(visiting(ctx), run), ID: string(item.ID), Title: item.Title})
	_, gone := errors.AsType[*starter.NotFoundError](err)
	_, full := errors.AsType[*starter.RefusedError](err)
	if gone || full { // it has ended meanwhile, or takes no more: the action item is there, and names it
		s.Log.Warn("action item does not stand in its run", "action", item.ID, "run", of, "error", err)
		return nil
	}
	return err
}

// runOf is a run of a plan that somebody names in a field, which the visitor has to be able to read.
func (s *server) runOf(ctx context.Context, field, id string) (*planrun.Run, error) {
	run, err := s.Backend.PlanRun(ctx, planrun.ID(strings.ToUpper(id)))
	_, gone := errors.AsType[*starter.NotFoundError](err)
	if gone || err == nil && authority.May(visiting(ctx).Subject, authority.Read, s.aboutRun(run)) != nil {
		return nil, fault(field, fmt.Sprintf("%q; want the id of a run of a plan, such as RUN-7K3M9QX2PA", clip(id)))
	}
	return run, err
}

// itemsOf is a run with the action items that came of it and where each stands: those of its own, and of one that is over those that were
// opened after its end.
func (s *server) itemsOf(ctx context.Context, by visitor, run *planrun.Run) *planrun.Run {
	if by.Kind != authority.Provider {
		return run
	}
	seen := *run
	if run.Over() {
		f := ActionFilter{Origin: string(run.ID)}
		f.Customer, f.Limit = run.Customer, MaxRows
		rows, _, err := s.actions(ctx, by, f)
		if err != nil {
			s.Log.Warn("action items of a run that is over not found", "run", run.ID, "error", err)
		}
		seen.Actions = slices.Clone(run.Actions)
		for _, row := range slices.Backward(rows) {
			if slices.ContainsFunc(seen.Actions, func(i planrun.ActionItem) bool { return i.ID == string(row.ID) }) {
				continue
			}
			if a, err := s.Backend.Action(ctx, row.ID); err == nil {
				seen.Actions = append(seen.Actions, planrun.ActionItem{ID: string(a.ID), Title: a.Title, By: a.Opener, At: a.Opened})
			}
		}
	}
	return starter.WithActions(ctx, &seen, s.Backend.Action)
}

func (n *NewAction) asked() action.Asked {
	a := action.Asked{
		Title: n.Title, Text: n.Text, Kind: n.Kind, Priority: priority.Priority(cmp.Or(n.Priority, int(priority.P3))), Owner: n.Owner, Group: n.Group,
		Due: n.Due.UTC(), Ticket: n.Ticket, Public: n.Public, Effect: n.Effect,
		Origin: action.Origin{Kind: n.OriginKind, ID: n.Origin, Customer: n.Customer, Service: n.Service},
	}
	if n.ProposalFor != "" || n.ProposalID != "" || n.Proposal != "" {
		a.Proposal = &action.Proposal{Shelf: n.ProposalFor, ID: n.ProposalID, Text: n.Proposal}
	}
	return a
}

// originOf is the incident that an action item came of, nil where it came of none. Action items are for all of the provider to read,
// so none names an incident that is not.
func (s *server) originOf(ctx context.Context, o action.Origin) (*incident.Incident, error) {
	if o.Kind != action.OfIncident && o.Kind != action.OfReview {
		return nil, nil //nolint:nilnil // there is none
	}
	i, err := s.Backend.State(ctx, incident.ID(strings.ToUpper(o.ID)))
	if _, gone := errors.AsType[*starter.NotFoundError](err); gone || err == nil && !s.reads(visiting(ctx).Subject, i) {
		return nil, fault("origin", fmt.Sprintf("%q; want the id of an incident", clip(o.ID)))
	}
	if err == nil && o.Kind == action.OfReview {
		_, err = s.Backend.Review(ctx, i.ID)
		if _, none := errors.AsType[*starter.NotFoundError](err); none {
			return i, fault("origin", fmt.Sprintf("%s has no review: muster review open %s opens one", i.ID, i.ID))
		}
	}
	if err == nil && s.about(authority.Incident, i).Restricted {
		return i, fault("origin", fmt.Sprintf("%s is restricted, and action items are not: leave it out", i.ID))
	}
	return i, err
}

// mayOpen lets those open action items who may, whoever owns the review of the incident, and whoever has a part in the run.
func (s *server) mayOpen(r *http.Request, i *incident.Incident, run *planrun.Run) error {
	by := visiting(r.Context())
	err := authority.May(by.Subject, authority.Open, authority.Object{Kind: authority.Action})
	if err != nil && s.works(by) && (i != nil && (search{server: s, by: by}).means(i.ReviewOwner()) || run != nil && len(s.capacity(by, run).Roles) > 0) {
		return nil
	}
	return s.denied(r, authority.Open, err)
}

// works tells whether the visitor is a person who may do action items, by a token that is not narrowed.
func (s *server) works(by visitor) bool {
	return by.Actor.Kind == timeline.Person && len(by.Scopes) == 0 &&
		authority.May(by.Subject, authority.Work, authority.Object{Kind: authority.Action}) == nil
}

// pinnedAction is what the folder has to say of an action item, whose faults come all at once.
func (s *server) pinnedAction(a action.Asked) (action.Pinned, error) {
	var faults []refusal.Fault
	for _, f := range a.Faults(s.Now()) {
		faults = append(faults, refusal.Fault{Field: f.Field, Detail: f.Detail})
	}
	if len(faults) > 0 {
		return action.Pinned{}, refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	return s.owned(a)
}

// owned asks the folder, and that the owner may do it.
func (s *server) owned(a action.Asked) (action.Pinned, error) {
	pinned, err := s.Directory().Action(a)
	if bad, ok := errors.AsType[*action.Fault](err); ok {
		return pinned, fault(bad.Field, bad.Detail)
	}
	who, known := s.Directory().Subject(a.Owner)
	if err == nil && (!known || authority.May(who, authority.Work, authority.Object{Kind: authority.Action}) != nil) {
		err = fault("owner", fmt.Sprintf("%q; want the id of a person who may do it", clip(a.Owner)))
	}
	return pinned, err
}

func (s *server) showAction(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	a, err := s.Backend.Action(r.Context(), actionOf(r))
	if err != nil {
		return err
	}
	if by := visiting(r.Context()); by.Kind != authority.Provider {
		a = a.Shown(s.viewer(by, a.Organisation))
	}
	return answer(w, a)
}

// onAction asks something of an action item in the name of the visitor.
func onAction[C action.Command](s *server) handler { return onCommand[C](s, s.askAction) }

func (s *server) askAction(w http.ResponseWriter, r *http.Request, req starter.Request, c action.Command) error {
	id := actionOf(r)
	err := s.Backend.AskAction(r.Context(), id, req, c)
	s.Log.Info("command", "action", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
	a, err := afterwards(err, func() (*action.Action, error) { return s.Backend.Action(r.Context(), id) },
		func(a *action.Action) error { return c.Check(a, req.By) })
	if err != nil {
		return err
	}
	return answer(w, ActionReceipt{ID: id, Status: a.Status, Due: a.Due})
}

// checkAction says whether an action item has helped. Before it is asked, whoever knows it sooner says how.
func (s *server) checkAction(w http.ResponseWriter, r *http.Request) error {
	var c action.CheckEffect
	req, err := s.request(w, r, &c)
	if err != nil {
		return err
	}
	a, err := s.Backend.Action(r.Context(), actionOf(r))
	if err != nil {
		return err
	}
	if c.Result == action.Yes && strings.TrimSpace(c.Note) == "" && a.Status == action.Verified && s.Now().Before(a.CheckAt) {
		return fault("note", fmt.Sprintf("missing; it is asked at %s: want how you know it sooner", a.CheckAt.UTC().Format(time.RFC3339)))
	}
	return s.askAction(w, r, req, c)
}

// assignAction gives an action item to somebody else.
func (s *server) assignAction(w http.ResponseWriter, r *http.Request) error {
	var given NewActionOwner
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	a, err := s.Backend.Action(r.Context(), actionOf(r))
	if err != nil {
		return err
	}
	pinned, err := s.owned(action.Asked{Owner: given.Owner, Group: cmp.Or(given.Group, a.Group)})
	if err != nil {
		return err
	}
	return s.askAction(w, r, req, action.Assign{Owner: given.Owner, Name: pinned.OwnerName, Group: given.Group, Behind: groupName(given.Group, pinned.GroupName), Reason: given.Reason})
}

// groupName is that of a group that was named.
func groupName(group, name string) string {
	if group == "" {
		return ""
	}
	return name
}

// cancelAction ends an action item for those who may open one, and for whoever leads its owner: the group behind.
func (s *server) cancelAction(w http.ResponseWriter, r *http.Request) error {
	by := visiting(r.Context())
	a, err := s.Backend.Action(r.Context(), actionOf(r))
	leads := err == nil && s.works(by) && (search{server: s, by: by}).means(behind(a))
	if !leads {
		if err := s.may(r, authority.Withdraw, authority.Action); err != nil {
			return err
		}
	}
	return onAction[action.Cancel](s)(w, r)
}

// behind are those who stand behind the owner of an action item.
func behind(a *action.Action) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Group, ID: a.Group}}
}

// actions are those that the visitor owns, and those that wait for them to look, who stand behind or have opened them.
func (l search) actions(ctx context.Context) finding {
	if authority.May(l.by.Subject, authority.Work, authority.Object{Kind: authority.Action}) != nil {
		return finding{}
	}
	rows, after, err := l.Backend.Actions(ctx, starter.ActionFilter{Open: true, Limit: mostOpen})
	return among(rows, after != "", err, func(row ActionSummary) ([]InboxItem, error) {
		a, err := l.Backend.Action(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		return l.action(a), nil
	})
}

func (l search) action(a *action.Action) []InboxItem {
	item := InboxItem{Kind: InboxAction, ID: string(a.ID), Title: a.Title, Customer: a.CustomerName, Since: a.Since, Due: a.Due}
	mine := a.Owner == l.by.Actor.ID
	looks := !mine && a.DoneBy.ID != l.by.Actor.ID && (a.Opener.ID == l.by.Actor.ID || l.means(behind(a)))
	switch {
	case a.Status == action.Open && mine:
		item.Want, item.Command = WantAct, fmt.Sprintf("muster action done %s %s", item.ID, l.bare("EVIDENCE", "증적"))
	case a.Status == action.Done && looks:
		item.Want, item.Due, item.Command = WantVerify, time.Time{}, fmt.Sprintf("muster action verify %s yes|no %s", item.ID, l.blank("NOTE", "메모"))
	case a.Status == action.Verified && a.Asking && looks:
		item.Want, item.Due, item.Command = WantEffect, time.Time{}, fmt.Sprintf("muster action effect %s yes|no %s", item.ID, l.blank("NOTE", "메모"))
	default:
		return nil
	}
	return []InboxItem{item}
}

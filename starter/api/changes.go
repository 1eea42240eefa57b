package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// A ChangeSummary is one row of a list of changes; filters narrow the list.
type (
	ChangeSummary = starter.ChangeSummary
	ChangeFilter  = starter.ChangeFilter
)

// A ChangePage is a part of a list, the newest change first.
type ChangePage struct {
	Changes  []ChangeSummary `json:"changes"`
	Next     string          `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string          `json:"language"`       // in which the organisation reads …
	Zone     string          `json:"zone"`           // … and its IANA zone
}

// StandardChanges are those that are approved before anybody asks for them.
type StandardChanges struct {
	Standard []change.PreApproved `json:"standard"`
	Language string               `json:"language"`
	Zone     string               `json:"zone"`
}

// A NewChange is what somebody asks for. What cannot be undone says no way to.
type NewChange struct {
	Way          change.Way        `json:"way,omitempty"`  // empty: normal
	Kind         change.Kind       `json:"kind,omitempty"` // empty: change
	Title        string            `json:"title,omitempty"`
	Text         string            `json:"text,omitempty"`
	Benefit      string            `json:"benefit,omitempty"`
	Class        string            `json:"class,omitempty"`
	Undo         string            `json:"undo,omitempty"`         // how it is undone …
	UndoMinutes  int               `json:"undo_minutes,omitempty"` // … within so long
	Services     []string          `json:"services,omitempty"`
	Customers    []string          `json:"customers,omitempty"`
	From         time.Time         `json:"from,omitzero"`
	Until        time.Time         `json:"until,omitzero"`
	Auto         bool              `json:"auto,omitempty"`
	Plan         string            `json:"plan,omitempty"`
	Customer     string            `json:"customer,omitempty"` // of the plan
	Environments map[string]string `json:"environments,omitempty"`
	Parameters   map[string]string `json:"parameters,omitempty"`
	Standard     string            `json:"standard,omitempty"`
	Incident     string            `json:"incident,omitempty"`
	Effect       map[string]string `json:"effect,omitempty"` // what customers notice, by language: en, ko or both
	Action       map[string]string `json:"action,omitempty"` // what they have to do, the same
	Assets       []string          `json:"assets,omitempty"` // of its services: in whose history it stands
}

// The bodies of what people ask of a change. As what they act is never in one.
type (
	// ChangeAssessment says how risky it is.
	ChangeAssessment struct {
		Class string `json:"class"`
		Note  string `json:"note"`
	}
	// ChangeCheck says whether something holds that has to before it runs.
	ChangeCheck struct {
		Check    string `json:"check"`
		Holds    bool   `json:"holds"`
		Evidence string `json:"evidence"`
		SHA256   string `json:"sha256,omitempty"`
		Note     string `json:"note,omitempty"`
	}
	// ChangeVote votes on what was shown.
	ChangeVote struct {
		Choice approval.Choice `json:"choice"`
		Reason string          `json:"reason,omitempty"`
		Shown  string          `json:"shown"`
	}
	// ChangeStart starts it.
	ChangeStart struct{}
	// ChangeDone says that it is done.
	ChangeDone struct {
		Note string `json:"note"`
	}
	// ChangeFailure says that it has failed, and for how long something was down for that.
	ChangeFailure struct {
		Note          string `json:"note"`
		OutageMinutes int    `json:"outage_minutes,omitempty"`
	}
	// ChangeMove gives it another time.
	ChangeMove struct {
		From   time.Time `json:"from,omitzero"`
		Until  time.Time `json:"until"`
		Reason string    `json:"reason"`
	}
	// ChangeWithdrawal takes it back.
	ChangeWithdrawal struct {
		Reason string `json:"reason"`
	}
)

// A ChangeReceipt says where a change stands after it was asked something.
type ChangeReceipt struct {
	ID     change.ID     `json:"id"`
	Status change.Status `json:"status"`
}

// changeRoutes are those of changes.
func (s *server) changeRoutes() []route {
	const one = "changes/{id}"
	post := func(name string, v authority.Verb, h handler) route {
		return route{http.MethodPost, one + "/" + name, v, authority.Change, h}
	}
	return []route{
		{http.MethodGet, "changes", "", "", s.listChanges},
		{http.MethodPost, "changes", "", "", s.askForChange},                         // asks itself: what it will be about stands in the body
		{http.MethodGet, "change-calendar", "", "", inTurn(2)(s.readChangeCalendar)}, // asks all that is open
		{http.MethodGet, "standard-changes", authority.Read, authority.Change, s.listStandardChanges},
		{http.MethodGet, one, authority.Read, authority.Change, s.showChange},
		post("assess", authority.Work, onChange(s, func(x ChangeAssessment, in change.Capacity, _ string) change.Command {
			return change.Assess{Capacity: in, Class: x.Class, Note: x.Note}
		})),
		post("check", authority.Work, onChange(s, func(x ChangeCheck, in change.Capacity, _ string) change.Command {
			return change.AnswerCheck{Capacity: in, Name: x.Check, Holds: x.Holds, Evidence: x.Evidence, SHA256: x.SHA256, Note: x.Note}
		})),
		post("vote", authority.Decide, onChange(s, func(x ChangeVote, _ change.Capacity, request string) change.Command {
			return change.Vote{ID: request, Choice: x.Choice, Reason: x.Reason, Shown: x.Shown}
		})),
		post("start", authority.Work, onChange(s, func(_ ChangeStart, in change.Capacity, _ string) change.Command {
			return change.Begin{Capacity: in}
		})),
		post("done", authority.Work, onChange(s, func(x ChangeDone, in change.Capacity, _ string) change.Command {
			return change.Complete{Capacity: in, Note: x.Note}
		})),
		post("fail", authority.Work, onChange(s, func(x ChangeFailure, in change.Capacity, _ string) change.Command {
			return change.Fail{Capacity: in, Note: x.Note, Outage: time.Duration(x.OutageMinutes) * time.Minute}
		})),
		post("move", authority.Work, onChange(s, func(x ChangeMove, in change.Capacity, _ string) change.Command {
			return change.Move{Capacity: in, From: x.From.UTC(), Until: x.Until.UTC(), Reason: x.Reason}
		})),
		post("withdraw", authority.Withdraw, onChange(s, func(x ChangeWithdrawal, in change.Capacity, _ string) change.Command {
			return change.Withdraw{Capacity: in, Reason: x.Reason}
		})),
		post("note", authority.Note, onChange(s, func(x change.Note, _ change.Capacity, _ string) change.Command { return x })),
	}
}

func changeOf(r *http.Request) change.ID { return change.ID(strings.ToUpper(r.PathValue("id"))) }

// aboutChange is a change as authority sees it: it concerns its customers, and the partners and vendors of its services.
func aboutChange(p *change.Pinned) authority.Object {
	o := authority.Object{Kind: authority.Change, Partners: p.Partners}
	for _, c := range p.CustomerNames {
		o.Customers = append(o.Customers, c.ID)
	}
	return o
}

// listChanges answers with the changes that the visitor may read. Which ones concern a partner or vendor only they themselves know, so a
// page of theirs may be short.
func (s *server) listChanges(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := ChangeFilter{Open: q.truth("open"), Exceptions: q.truth("exceptions"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = change.Status(v); !slices.Contains(change.Statuses(), f.Status) {
			q.fault("status", oneOf(words(change.Statuses())))
		}
	}
	if v := q.Get("way"); v != "" {
		if f.Way = change.Way(v); !slices.Contains(change.Ways(), f.Way) {
			q.fault("way", oneOf(words(change.Ways())))
		}
	}
	if v := q.Get("customer"); v != "" {
		f.Customers = []string{v}
	}
	if err := queryFaults(q.Values, q.faults, "status", "way", "exceptions", "open", "customer", "limit", "after"); err != nil {
		return err
	}
	by := visiting(r.Context()).Subject
	if by.Kind == authority.Customer {
		f.Customers = []string{by.Party}
	}
	own := authority.Object{Kind: authority.Change, Customers: []string{by.Party}, Partners: []string{by.Party}}
	if err := s.denied(r, authority.Read, authority.May(by, authority.Read, own)); err != nil {
		return err
	}
	rows, after, err := s.Backend.Changes(r.Context(), f)
	if err == nil && by.Kind != authority.Provider {
		rows, err = concerning(by, rows, func(row ChangeSummary) (authority.Object, error) {
			c, err := s.Backend.Change(r.Context(), row.ID)
			if err != nil {
				return authority.Object{}, err
			}
			return aboutChange(&c.Pinned), nil
		})
	}
	if err != nil {
		return err
	}
	return answer(w, ChangePage{Changes: append([]ChangeSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// listStandardChanges answers with those of the organisation folder as it is now. They are the provider's own.
func (s *server) listStandardChanges(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	return answer(w, StandardChanges{Standard: append([]change.PreApproved{}, s.Directory().StandardChanges()...), Language: s.Language, Zone: s.Zone})
}

// askForChange takes what somebody asks for. Whose it is to assess and to approve comes from the organisation folder as it is now.
func (s *server) askForChange(w http.ResponseWriter, r *http.Request) error {
	var given NewChange
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	terms := change.Terms{Asked: given.asked()}
	for field, m := range map[string]map[string]string{"effect": given.Effect, "action": given.Action} {
		for language := range m {
			if language != "en" && language != "ko" {
				return fault(field, fmt.Sprintf("%q; want texts in en, ko or both", clip(language)))
			}
		}
	}
	by := visiting(r.Context()).Subject
	if by.Kind != authority.Provider {
		if err := s.ownChange(r, &terms.Asked); err != nil {
			return err
		}
	}
	if terms.Way == change.Emergency {
		if err := s.managing(r, &terms); err != nil {
			return err
		}
	}
	if terms.Asked, terms.Pinned, err = s.Directory().Change(terms.Asked, s.Now()); err != nil {
		return changeFault(err)
	}
	if err := terms.Check(s.Now()); err != nil {
		return changeFault(err)
	}
	if err := s.denied(r, authority.Open, authority.May(by, authority.Open, aboutChange(&terms.Pinned))); err != nil {
		return err
	}
	if p := terms.PreApproved; p != nil && p.Most > 0 {
		if terms.Used, err = s.Backend.ChangeUses(r.Context(), p.ID, s.Now().Add(-p.Per)); err != nil {
			return err
		}
	}
	c, err := s.Backend.StartChange(r.Context(), req, terms)
	s.Log.Info("command", "way", terms.Way, "command", "ask for change", "actor", req.By.ID, "request", req.ID, "error", err)
	switch {
	case err != nil:
		return err
	case c.Way == change.Standard && c.Status == change.Rejected:
		return &starter.RefusedError{Reason: fmt.Sprintf("use standard change %s: %s: recorded as %s; want a normal change: muster change request", c.Standard, c.Reason, c.ID)}
	}
	return answer(w, s.changeSeen(c, by))
}

// asked is what the body asks for.
func (g *NewChange) asked() change.Asked {
	a := change.Asked{
		Way: g.Way, Kind: g.Kind, Title: g.Title, Text: g.Text, Benefit: g.Benefit, Class: g.Class, Reversible: g.Undo != "", Undo: g.Undo,
		UndoWithin: time.Duration(g.UndoMinutes) * time.Minute, Services: g.Services, Customers: g.Customers, From: g.From.UTC(), Until: g.Until.UTC(), Auto: g.Auto,
		Standard: g.Standard, Incident: strings.ToUpper(g.Incident), Effect: plan.Text{En: g.Effect["en"], Ko: g.Effect["ko"]}, Action: plan.Text{En: g.Action["en"], Ko: g.Action["ko"]},
		Assets: g.Assets,
	}
	if a.Way == "" {
		a.Way = change.Normal
	}
	if a.Kind == "" {
		a.Kind = change.Changed
	}
	if g.Plan != "" || g.Customer != "" || len(g.Environments)+len(g.Parameters) > 0 {
		a.Plan = &change.Plan{ID: g.Plan, Customer: g.Customer, Environments: values(g.Environments), Parameters: values(g.Parameters)}
	}
	return a
}

func values(m map[string]string) (all []change.Given) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, change.Given{ID: k, Value: m[k]})
	}
	return all
}

// ownChange narrows what somebody of another party asks for to what is its own: the services that it has or works on, for nobody else.
// Which others there are, nobody learns.
func (s *server) ownChange(r *http.Request, a *change.Asked) error {
	by := visiting(r.Context()).Subject
	switch {
	case a.Way != change.Normal:
		return fault("way", "want normal: the others are for the provider's own people")
	case a.Plan != nil:
		return fault("plan", "want none: the provider's own people say what it becomes")
	}
	for _, id := range a.Services {
		one := *a
		one.Services, one.Customers = []string{id}, nil
		_, p, err := s.Directory().Change(one, s.Now())
		o := aboutChange(&p)
		if err != nil {
			o = authority.Object{Kind: authority.Change}
		}
		if err := s.denied(r, authority.Open, authority.May(by, authority.Open, o)); err != nil {
			return err
		}
	}
	for _, id := range a.Assets {
		x, known := s.Directory().Asset(id)
		if !known || authority.May(by, authority.Read, s.aboutAsset(&x)) != nil {
			return fault("assets", fmt.Sprintf("%q; want the id of an asset that you may read", clip(id)))
		}
	}
	if a.Customers = nil; by.Kind == authority.Customer {
		a.Customers = []string{by.Party}
	}
	return nil
}

// changeFault says in a problem what is wrong with what was asked.
func changeFault(err error) error {
	if wrong, ok := errors.AsType[*change.Fault](err); ok {
		return fault(wrong.Field, wrong.Detail)
	}
	if _, ok := errors.AsType[*org.PlanRefusal](err); ok {
		return planFault(err)
	}
	return err
}

// managing takes in the visitor as the manager of an open incident, by whose word an emergency begins. Where nobody has said what it
// changes, that is the incident's service.
func (s *server) managing(r *http.Request, terms *change.Terms) error {
	by := visiting(r.Context())
	i, err := s.Backend.State(r.Context(), incident.ID(terms.Incident))
	if _, none := errors.AsType[*starter.NotFoundError](err); none || err == nil && !s.reads(by.Subject, i) {
		return fault("incident", fmt.Sprintf("%q; want the ID of an incident", clip(terms.Incident)))
	}
	if err != nil {
		return err
	}
	n := slices.IndexFunc(i.Holders, func(h incident.Holder) bool { return h.Role == incident.IncidentManager })
	why := ""
	switch {
	case !i.Status.Open():
		why = fmt.Sprintf("it is %s: want an open incident", i.Status)
	case n < 0:
		why = "nobody is its incident manager: want somebody to take the role first"
	case i.Holders[n].Person != by.Actor.ID || by.Actor.Kind != timeline.Person:
		why = fmt.Sprintf("%s is its incident manager: want their word", i.Holders[n].Shown())
	default:
		h := i.Holders[n]
		terms.Manager = &change.Manager{Person: h.Person, Name: h.Name, Since: h.Since, Status: i.Status}
		if len(terms.Services) == 0 {
			terms.Services = []string{i.Definition.Service.ID}
		}
		return nil
	}
	why = fmt.Sprintf("begin emergency for %s: %s", i.ID, why)
	s.note(r, store.AttemptDenied, by.Actor.ID, string(authority.Open), why)
	return &starter.RefusedError{Reason: why}
}

func (s *server) showChange(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	c, err := s.Backend.Change(r.Context(), changeOf(r))
	if err != nil {
		return err
	}
	return answer(w, s.changeSeen(c, visiting(r.Context()).Subject))
}

// changeSeen is a change as somebody may see it.
func (s *server) changeSeen(c *change.Change, by authority.Subject) *change.Change {
	if by.Kind == authority.Provider {
		return c
	}
	return c.Shown(s.viewer(visitor{Subject: by}, c.Organisation))
}

// onChange asks something of a change in the name of the visitor, as what they are by the organisation folder as it is now.
func onChange[B any](s *server, command func(given B, in change.Capacity, request string) change.Command) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var given B
		req, err := s.request(w, r, &given)
		if err != nil {
			return err
		}
		id := changeOf(r)
		c, err := s.Backend.Change(r.Context(), id)
		if err != nil {
			return err
		}
		in, err := s.changeCapacity(r.Context(), c)
		if err != nil {
			return err
		}
		x := command(given, in, req.ID)
		if a, answers := x.(change.AnswerCheck); answers {
			x, err = s.proven(r.Context(), c, a)
		}
		if err == nil {
			err = s.Backend.AskChange(r.Context(), id, req, x)
		}
		s.Log.Info("command", "change", id, "command", fmt.Sprintf("%T", x), "actor", req.By.ID, "request", req.ID, "error", err)
		visitor := visiting(r.Context())
		c, err = afterwards(err, func() (*change.Change, error) { return s.Backend.Change(r.Context(), id) },
			func(c *change.Change) error { return x.Check(c, req.By) })
		if _, refused := errors.AsType[*starter.RefusedError](err); refused && visitor.Kind != authority.Provider { // its words name people
			err = &starter.RefusedError{Reason: fmt.Sprintf("change %s is %s: want one that has not begun, and that you have asked for", id, c.Status)}
		}
		if err != nil {
			return err
		}
		return answer(w, ChangeReceipt{ID: id, Status: c.Status})
	}
}

// proven is an answer with the run that shows that the check holds, where a plan is wanted for it: a completed one, of a customer whom the
// change concerns, and for no other change.
func (s *server) proven(ctx context.Context, c *change.Change, x change.AnswerCheck) (change.Command, error) {
	wanted := c.PlanOf(x.Name)
	if wanted == "" || !x.Holds {
		return x, nil
	}
	var customers []string
	for _, n := range c.CustomerNames {
		customers = append(customers, n.ID)
	}
	run, err := starter.CompletedRun(ctx, x.Evidence, wanted, customers, s.Backend.PlanRun)
	if err != nil {
		return x, err
	}
	for _, v := range run.Parameters {
		if v.ID == "change" && v.Value != "" && !strings.EqualFold(v.Value, string(c.ID)) {
			return x, &starter.RefusedError{Reason: fmt.Sprintf("evidence %s: it is for %s; want a run for %s", run.ID, v.Value, c.ID)}
		}
	}
	x.Run, x.Evidence = run.ID, string(run.ID)
	return x, nil
}

// changeCapacity is as what the visitor acts on a change.
func (s *server) changeCapacity(ctx context.Context, c *change.Change) (change.Capacity, error) {
	look := search{server: s, by: visiting(ctx)}
	in := change.Capacity{Owner: look.means(c.Owners), Revision: s.Directory().Folder().Revision}
	for _, k := range c.Checks() {
		if look.means(c.CheckersOf(k)) {
			in.Checks = append(in.Checks, k.ID)
		}
	}
	if c.Status == change.Running && c.Run != "" {
		run, err := s.Backend.PlanRun(ctx, c.Run)
		_, gone := errors.AsType[*starter.NotFoundError](err)
		if err != nil && !gone {
			return in, err
		}
		in.RunOver = gone || run.Over()
	}
	return in, nil
}

// changes are those that wait for the visitor: to be assessed, voted on, checked, started or ended.
func (l search) changes(ctx context.Context) finding {
	if authority.May(l.by.Subject, authority.Decide, authority.Object{Kind: authority.Change}) != nil {
		return finding{}
	}
	rows, after, err := l.Backend.Changes(ctx, ChangeFilter{Open: true, Limit: mostOpen})
	return among(rows, after != "", err, func(row ChangeSummary) ([]InboxItem, error) {
		c, err := l.Backend.Change(ctx, row.ID)
		if err != nil || c.Over() {
			return nil, err
		}
		return l.change(c), nil
	})
}

func (l search) change(c *change.Change) (items []InboxItem) {
	owns := l.means(c.Owners)
	add := func(want, task, command string, due time.Time) {
		items = append(items, InboxItem{
			Kind: InboxChange, ID: string(c.ID), Task: task, Want: want, Title: c.Title, Since: c.Moved, Due: due, Read: "muster change show " + string(c.ID),
			Command: fmt.Sprintf("muster change %s", command),
		})
	}
	why := l.blank("WHY", "사유")
	if c.Status == change.Requested && owns {
		add(WantAssess, "", fmt.Sprintf("assess %s %s %s", c.ID, l.bare("CLASS", "등급"), why), c.RemindAt)
	}
	if c.Ballot != nil && !c.Ballot.Outcome.Verdict.Final() &&
		slices.ContainsFunc(c.Ballot.Standing(l.Now()).Waiting, func(x approval.Waiting) bool { return x.Person == l.by.Actor.ID }) {
		add(string(planrun.WantVote), "", fmt.Sprintf("approve %s, or reject %s %s", c.ID, c.ID, why), c.Ballot.Due)
	}
	if c.Status == change.Assessed || c.Status == change.Approved {
		for _, k := range c.Unmet() {
			if c.Requester.ID != l.by.Actor.ID && l.means(c.CheckersOf(k)) {
				evidence := "URL"
				if k.Plan != "" {
					evidence = "RUN-ID"
				}
				add(string(planrun.WantCheck), k.ID, fmt.Sprintf("check %s %s holds|fails --evidence %s", c.ID, k.ID, evidence), c.Until)
			}
		}
	}
	if !owns && c.Requester.ID != l.by.Actor.ID {
		return items
	}
	switch {
	case c.Status == change.Approved && len(c.Unmet()) == 0 && (!c.Auto || c.Tried):
		add(WantStart, "", fmt.Sprintf("start %s", c.ID), c.Until)
	case c.Status == change.Running && c.Run == "" && !c.Starting:
		add(WantEnd, "", fmt.Sprintf("done|fail %s %s", c.ID, l.blank("NOTE", "메모")), c.Until)
	}
	return items
}

// Changes returns a page of changes. The filter's After is what the page before said is next.
func (c *Client) Changes(ctx context.Context, f ChangeFilter) (ChangePage, error) {
	customer := ""
	if len(f.Customers) > 0 {
		customer = f.Customers[0]
	}
	q := queryOf("status", string(f.Status), "way", string(f.Way), "exceptions", yes(f.Exceptions), "open", yes(f.Open), "customer", customer)
	setPage(q, f.Limit, f.After)
	var p ChangePage
	err := c.read(ctx, Path+"changes", q, &p)
	return p, err
}

// StandardChanges returns the changes that are approved before anybody asks for them.
func (c *Client) StandardChanges(ctx context.Context) (StandardChanges, error) {
	var all StandardChanges
	err := c.read(ctx, Path+"standard-changes", nil, &all)
	return all, err
}

// Change returns a change.
func (c *Client) Change(ctx context.Context, id change.ID) (change.Change, error) {
	var x change.Change
	err := c.read(ctx, ofChange(id), nil, &x)
	return x, err
}

// AskForChange asks for a change, under a key; an empty key means a new one.
func (c *Client) AskForChange(ctx context.Context, given NewChange, key string) (change.Change, error) {
	var x change.Change
	err := c.post(ctx, Path+"changes", given, key, &x)
	return x, err
}

// AskChange asks something of a change, by the name and the body of the route, under a key; an empty key means a new one.
func (c *Client) AskChange(ctx context.Context, id change.ID, name string, body any, key string) (ChangeReceipt, error) {
	var r ChangeReceipt
	err := c.post(ctx, ofChange(id)+"/"+name, body, key, &r)
	return r, err
}

func ofChange(id change.ID) string { return Path + "changes/" + url.PathEscape(string(id)) }

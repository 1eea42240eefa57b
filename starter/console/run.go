package console

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/starter"
)

// entriesShown is how much of a timeline a page shows.
const entriesShown = 100

// A runPage is the data of the page of one run.
type runPage struct {
	Run              runFacts
	Opened, Starter  string
	Since, By        string // of its status, where it does not run
	Reason           string
	Over             bool
	Revised          int
	Production       bool
	Values           []naming
	Windows          []window
	Overrides        []overridden
	Mine             []mine // what waits for whoever reads it
	Waits            []waiting
	Phases           []phase
	Votes            []voted
	Undo             *undoing
	Reports          []document
	Actions          []item
	Entries          []string // of the timeline, the newest first
	Older            bool     // there are more
	Halts            bool     // whoever reads it may halt it
	Key              string
	Notice           string // names the words for what was done, or why not
	Good             bool   // it was done
	Refusal          string // in the words of the run
	Typed            deed   // what was not taken
	MaxText, MaxNote int
	Command          string // that shows the run
}

// A window is whether an environment may be changed.
type window struct {
	Environment    string
	Open           bool
	Why            string
	Until, Next    string
	Unknown        bool // it is being found out
	Task, DecideBy string
	Quiet          bool   // its alerts are held back …
	Alerts         string // … these so far
}

// overridden is that an environment may be changed although it may not, or that somebody has asked for it.
type overridden struct {
	Environment, Asked, Approver, Reason, Until, Path string
	Waits                                             bool
}

// mine is something that waits for whoever reads the page.
type mine struct {
	waiting
	Task, Detail                        string
	Begins, Completes, Fails, Continues bool
	Evidence                            []wanted
	Targets                             []choice
	Path                                string // of the page on which it is decided
	Command                             string // that does it, where no page does
	Typed                               deed   // what was written for it and not taken
}

// wanted is a piece of evidence that is wanted.
type wanted struct {
	ID, What, Ref, Sum string
	Given              bool // there is one already
}

// A phase is a part of the plan with its tasks.
type phase struct {
	Name  string
	Tasks []task
}

// A task is one as the page of its run shows it.
type task struct {
	ID, Name, Status, StatusCode, Since, Who, Due, Reason, DecideBy, Until string
	Late                                                                   bool
	Targets                                                                string // how far it is with them
	Waiver                                                                 string // until when it is skipped, or that somebody asks for it
	WaiverPath                                                             string
	Evidence                                                               []shownEvidence
}

// voted is how a vote stands.
type voted struct {
	Name, Path, Verdict, Due, Short string
	Counted, Final                  bool
	Yes, No, Abstained              int
}

// undoing is a rollback, by component.
type undoing struct {
	Environment, By, Reason, Since string
	Items                          []undo
}

type undo struct {
	Component, Task, State, Due string
	Code                        string
	Late                        bool
}

// An item is an action item that came of the run.
type item struct{ ID, Title, Status string }

// A document is a report of the run that can be had.
type document struct{ Name, Path, SHA256, At string }

// showRun shows a run as whoever is signed in may see it.
func (c *Console) showRun(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
	h, err := c.heardIn(r, s, by)
	if err != nil {
		return err
	}
	d := runPage{}
	if name := r.URL.Query().Get("done"); slices.Contains(deeds(), name) {
		d.Notice, d.Good = "deed.done."+name, true
	}
	c.runPage(w, r, http.StatusOK, h, d)
	return nil
}

func (c *Console) runPage(w http.ResponseWriter, r *http.Request, status int, h *hearing, d runPage) {
	p := c.page(r, "run", "run", h.by.Actor.ID)
	p.Me = h.by.Actor.Shown()
	t := c.teller(h, p.Language)
	run := h.run
	d.Run, d.Key, d.MaxText, d.MaxNote = t.run(), key(""), maxTyped, maxRef
	d.Command = "muster " + string(run.Plan.Kind) + " show " + string(run.ID)
	d.Opened, d.Starter, d.Reason, d.Revised, d.Over = t.at(run.Opened), t.named(run.Starter), c.cfg.Texts.PlanReason(run.Reason, t.language), run.Revised, run.Over()
	if run.Status == planrun.Running {
		d.Reason = "" // it is that of an earlier halt
	}
	d.Refusal = c.cfg.Texts.PlanReason(d.Refusal, t.language)
	d.Production = run.Target().Production
	if run.Status != planrun.Running {
		d.Since, d.By = t.at(run.Since), t.named(run.By)
	}
	for _, v := range run.Parameters {
		d.Values = append(d.Values, naming{v.ID, cmp.Or(v.Value, strings.Join(v.List, ", "))})
	}
	if !run.Over() {
		d.Windows, d.Overrides, d.Waits, d.Mine = t.windows(), t.overrides(), t.waits(), t.mine(d.Typed)
		d.Halts = run.Status == planrun.Running && len(h.in.Roles) > 0
	}
	d.Phases, d.Votes, d.Undo, d.Reports = t.phases(), t.votes(), t.undoing(), t.reports()
	for _, a := range starter.WithActions(r.Context(), run, c.cfg.PlanRuns.Action).Actions {
		x := item{ID: a.ID, Title: a.Title}
		if a.Status != "" {
			x.Status = c.cfg.Texts.ActionStatus(a.Status, t.language)
		}
		d.Actions = append(d.Actions, x)
	}
	entries := run.Timeline.Entries
	d.Older = len(entries) > entriesShown || run.Timeline.Dropped > 0
	for n, e := range slices.Backward(entries) {
		if len(entries)-n > entriesShown {
			break
		}
		d.Entries = append(d.Entries, c.cfg.Texts.Entry(e, t.language, t.zone))
	}
	p.Data = d
	c.show(w, r, status, p)
}

func (t teller) say(name string) string {
	said, err := t.pages[t.language].say(name)
	if err != nil {
		return name
	}
	return said
}

func (t teller) late(due time.Time) bool { return !due.IsZero() && due.Before(t.h.now) }

func (t teller) environment(id string) string {
	for _, e := range t.h.run.Environments {
		if e.ID == id {
			return e.Name
		}
	}
	return id
}

func (t teller) windows() (all []window) {
	for _, l := range t.h.run.Windows {
		x := window{
			Environment: t.environment(l.Environment), Open: l.Open, Until: t.at(l.Until), Next: t.at(l.Next), Unknown: l.At.IsZero(),
		}
		for _, why := range l.Why {
			if why.Holds() {
				x.Why = listed(x.Why, why.Name)
			}
		}
		for _, k := range t.h.run.Locks {
			if k.Environment == l.Environment && k.Holder != "" && x.Open {
				x.Open, x.Why = false, t.cfg.Texts.PlanReason(k.Holder+" is changing it", t.language)
			}
		}
		for _, q := range t.h.run.Silences {
			if q.Environment == l.Environment && !q.Begun.IsZero() {
				x.Quiet, x.Alerts = true, strings.Join(q.Names, ", ")
			}
		}
		all = append(all, x)
	}
	return all
}

func (t teller) overrides() (all []overridden) {
	for _, o := range t.h.run.Override {
		if o.Refused || o.Over {
			continue
		}
		x := overridden{
			Environment: t.environment(o.Environment), Asked: t.named(o.Asked.By), Approver: t.named(o.Asked.Approver), Reason: o.Asked.Reason,
			Until: t.at(o.Asked.Until), Waits: waits(&o),
		}
		if x.Waits {
			x.Path = runPath(t.h.run.ID, string(overrides), o.Environment)
		}
		all = append(all, x)
	}
	return all
}

// mine is what waits for whoever reads the page, with what they can do about it here.
func (t teller) mine(typed deed) (all []mine) {
	h := t.h
	for _, w := range h.whole.Waits(h.now) {
		if !w.For(h.by.Actor.ID, h.in.Roles) {
			continue
		}
		x := mine{
			waiting: waiting{Want: t.say("want." + string(w.Want)), About: t.about(w), Since: t.at(w.Since), Due: t.at(w.Due), Late: t.late(w.Due)},
			Task:    w.Task, Command: starter.PlanCommand(h.whole, w, t.language),
		}
		s, def, ok := h.run.Task(w.Task)
		if ok {
			x.Detail = def.Detail.In(t.language)
		}
		if typed.task == w.Task {
			x.Typed = typed
		}
		switch w.Want {
		case planrun.WantVote:
			x.Path = matterPath(h.whole.ID, votes, w.Task)
		case planrun.WantWaiver:
			x.Path = matterPath(h.whole.ID, waivers, w.Task)
		case planrun.WantOverride:
			x.Path = matterPath(h.whole.ID, overrides, w.Environment)
		case planrun.WantGoOn:
			x.Continues = true
		case planrun.WantBegin:
			x.Begins, x.Fails = true, def.Kind == plan.Manual
			x.Completes = def.Kind == plan.Manual && !def.Changes && def.Waves == nil
		case planrun.WantComplete:
			x.Completes, x.Fails = true, true
		default:
		}
		if x.Completes && ok {
			x.Evidence, x.Targets = t.wanted(s, def, typed), targets(s)
		}
		all = append(all, x)
	}
	return all
}

// matterPath is the page on which whoever is signed in decides.
func matterPath(id planrun.ID, m matter, part string) string {
	if part == "" {
		return runPath(id, "change")
	}
	return runPath(id, string(m), part)
}

// targets are those on which a task is to be done now.
func targets(s *planrun.Task) (all []choice) {
	for _, x := range s.Targets {
		if x.Wave == s.Wave && !x.Status.Ended() && x.Status != planrun.Failed {
			all = append(all, choice{ID: x.Name, Name: x.Name})
		}
	}
	return all
}

func (t teller) wanted(s *planrun.Task, def plan.Task, typed deed) (all []wanted) {
	if def.Waves != nil {
		return nil
	}
	for _, e := range def.Evidence {
		x := wanted{ID: e.ID, What: e.What.In(t.language)}
		x.Given = slices.ContainsFunc(s.Evidence, func(g planrun.Given) bool { return g.Item == e.ID && g.Returned.IsZero() })
		if n := slices.IndexFunc(typed.evidence, func(g planrun.Given) bool { return g.Item == e.ID }); n >= 0 && typed.task == s.ID {
			x.Ref, x.Sum = typed.evidence[n].Ref, typed.evidence[n].SHA256
		}
		all = append(all, x)
	}
	return all
}

func (t teller) phases() (all []phase) {
	r := t.h.run
	for _, p := range r.Plan.Phases {
		x := phase{Name: p.Name.In(t.language)}
		for _, def := range p.Tasks {
			if s, _, ok := r.Task(def.ID); ok {
				x.Tasks = append(x.Tasks, t.task(s, def))
			}
		}
		if len(x.Tasks) > 0 {
			all = append(all, x)
		}
	}
	return all
}

func (t teller) task(s *planrun.Task, def plan.Task) task {
	x := task{
		ID: s.ID, Name: def.Name.In(t.language), Status: t.word("task", string(s.Status)), StatusCode: string(s.Status), Since: t.at(s.Since),
		Reason: t.cfg.Texts.PlanReason(s.Reason, t.language), Evidence: t.evidence(def, s.Evidence),
	}
	if def.Kind == plan.Report { // they are named by themselves
		x.Evidence = nil
	}
	if x.Who = t.named(s.Person); x.Who == "" {
		roles := def.Doers()
		if def.Vote != nil {
			roles = nil
			for _, v := range def.Vote.Voters {
				roles = append(roles, v.Role)
			}
		}
		x.Who = t.doers(roles)
	}
	if !s.Status.Ended() {
		x.Due, x.Late, x.DecideBy, x.Until = t.at(s.Due), t.late(s.Due), t.at(s.DecideBy), t.at(s.Until)
	}
	if n := len(s.Targets); n > 0 {
		done := 0
		for _, target := range s.Targets {
			if target.Status.Ended() {
				done++
			}
		}
		x.Targets = t.with("task.targets", map[string]int{"Done": done, "Of": n})
	}
	switch w := s.Waiver; {
	case w == nil || !w.Refused.IsZero():
	case w.Open():
		x.Waiver, x.WaiverPath = t.say("task.waiver-asked"), matterPath(t.h.run.ID, waivers, s.ID)
	case !w.Granted.IsZero() && !w.Expired:
		x.Waiver = t.with("task.waived", map[string]string{"Until": t.at(w.Until), "By": t.named(w.Approver)})
	}
	return x
}

// with are words with what they are about.
func (t teller) with(name string, about any) string {
	said, err := t.pages[t.language].say(name, about)
	if err != nil {
		return name
	}
	return said
}

func (t teller) votes() (all []voted) {
	r := t.h.run
	add := func(name, part string, b *approval.Ballot) {
		if b == nil {
			return
		}
		x := voted{
			Name: name, Path: matterPath(r.ID, votes, part), Verdict: t.word("verdict", string(b.Outcome.Verdict)), Counted: !r.Partial,
			Short: b.Shown.SHA256[:min(12, len(b.Shown.SHA256))], Final: b.Outcome.Verdict.Final(),
		}
		if x.Final {
			x.Due = t.at(b.Outcome.At)
		} else {
			x.Due = t.at(b.Due)
		}
		if x.Counted {
			s := b.Standing(t.h.now)
			x.Yes, x.No, x.Abstained = s.Yes, s.No, s.Abstained
		}
		all = append(all, x)
	}
	for n := range r.Tasks {
		_, def, _ := r.Task(r.Tasks[n].ID)
		add(def.Name.In(t.language), def.ID, r.Tasks[n].Ballot)
	}
	if r.Change != nil {
		add(t.say("run.change"), "", r.Change.Ballot)
	}
	return all
}

func (t teller) undoing() *undoing {
	u := t.h.run.Undoing
	if u == nil {
		return nil
	}
	x := &undoing{Environment: t.environment(u.Environment), By: t.named(u.By), Reason: u.Reason, Since: t.at(u.Since)}
	for _, i := range u.Items {
		_, def, _ := t.h.run.Task(i.Task)
		open := i.State != planrun.Undone && i.State != planrun.Forward
		item := undo{Component: i.Component, Task: def.Name.In(t.language), State: t.word("undo", string(i.State)), Code: string(i.State), Late: open && t.late(i.Due)}
		if open {
			item.Due = t.at(i.Due)
		}
		x.Items = append(x.Items, item)
	}
	return x
}

// reports are the documents of the run, the newest of each kind last.
func (t teller) reports() (all []document) {
	for _, g := range reportsOf(t.h.run) {
		name := path.Base(g.Ref)
		all = append(all, document{name, runPath(t.h.run.ID, "reports", name), g.SHA256, t.at(g.At)})
	}
	return all
}

func reportsOf(r *planrun.Run) (all []planrun.Given) {
	for n := range r.Tasks {
		if _, def, _ := r.Task(r.Tasks[n].ID); def.Kind == plan.Report {
			all = append(all, r.Tasks[n].Evidence...)
		}
	}
	return all
}

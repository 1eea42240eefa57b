package planrun

import (
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A Want is what a run wants of people.
type Want string

// What a run may want. These strings are on the wire: add, never rename.
const (
	WantBegin    Want = "begin"
	WantComplete Want = "complete"
	WantStep     Want = "step"   // of a runbook
	WantCheck    Want = "check"  // of evidence
	WantSettle   Want = "settle" // what nobody knows
	WantRetry    Want = "retry"  // what has failed, or another way on
	WantVote     Want = "vote"
	WantWaiver   Want = "waive"            // or refuse it
	WantOverride Want = "confirm-override" // or refuse it
	WantUndo     Want = "rollback"         // by hand
	WantRescue   Want = "settle-rollback"  // that has failed
	WantGoOn     Want = "continue"         // after a halt
)

// Wants lists what a run may want.
func Wants() []Want {
	return []Want{
		WantBegin, WantComplete, WantStep, WantCheck, WantSettle, WantRetry, WantVote, WantWaiver, WantOverride, WantUndo, WantRescue, WantGoOn,
	}
}

// A Wait is one thing for which a run waits: for whoever fills one of the roles, but where there are people for them alone.
type Wait struct {
	Want        Want
	Task        string // empty: it is about the run, or a change of its plan
	Environment string // in the plan
	Step        int    // of a runbook: the one that a person is to do …
	Text        string // … and what is to be done
	Roles       []string
	People      []timeline.Actor
	Not         []string // IDs of those who may not, whatever they fill
	Since       time.Time
	Due         time.Time
}

// For tells whether it waits for a person who fills some roles. Who may vote is known by name.
func (w Wait) For(person string, roles []string) bool {
	switch {
	case slices.Contains(w.Not, person):
		return false
	case w.Want == WantVote || len(w.People) > 0:
		return slices.ContainsFunc(w.People, func(a timeline.Actor) bool { return a.ID == person })
	}
	return Capacity{Roles: roles}.has(w.Roles...)
}

// Waits returns everything for which the run waits now, the first due first.
func (r *Run) Waits(now time.Time) []Wait {
	if r.Over() {
		return nil
	}
	var all []Wait
	for n := range r.Tasks {
		t := &r.Tasks[n]
		def, _ := r.Plan.Task(t.ID)
		if w := t.Waiver; w.Open() && def.Skip != nil {
			all = append(all, Wait{Want: WantWaiver, Task: t.ID, Roles: []string{def.Skip.Approver}, Not: []string{w.By.ID}, Since: w.Asked})
		}
		if w, ok := r.wait(t, def, now); ok {
			w.Task, w.Environment, w.Since = t.ID, def.Environment, t.Since
			if w.Due.IsZero() {
				w.Due = t.Due
			}
			all = append(all, w)
		}
	}
	for _, o := range r.Override {
		if o.open() {
			all = append(all, Wait{
				Want: WantOverride, Environment: o.Environment, Roles: r.overseers(), Not: []string{o.Asked.By.ID}, Since: o.Asked.From, Due: o.Asked.Until,
			})
		}
	}
	if c := r.Change; c != nil && c.Ballot != nil && !c.Ballot.Outcome.Verdict.Final() {
		all = append(all, Wait{Want: WantVote, Roles: voters(r.Plan.RePlan), People: waiting(c.Ballot.Standing(now).Waiting), Since: c.Asked, Due: c.Ballot.Due})
	}
	if r.Status == Halted {
		all = append(all, Wait{Want: WantGoOn, Roles: r.with(), Since: r.Since})
	}
	if w, ok := r.waitUndo(); ok {
		all = append(all, w)
	}
	slices.SortStableFunc(all, func(a, b Wait) int {
		switch {
		case a.Due.Equal(b.Due):
			return a.Since.Compare(b.Since)
		case a.Due.IsZero():
			return 1
		case b.Due.IsZero():
			return -1
		}
		return a.Due.Compare(b.Due)
	})
	return all
}

// wait is what a task waits for.
func (r *Run) wait(t *Task, def plan.Task, now time.Time) (w Wait, ok bool) {
	w.Roles, w.Not = def.Doers(), r.voted(def)
	if t.Person.ID != "" {
		w.People = []timeline.Actor{t.Person}
	}
	switch t.Status {
	case Ready:
		w.Want, ok = WantBegin, r.Status == Running
	case Begun:
		ok = r.waitBegun(&w, t, def, now)
	case InCheck:
		w.Want, w.Roles, w.People, w.Not, ok = WantCheck, r.unchecked(t, def), nil, t.Hands, true
	case Unclear:
		w.Want, w.Roles, w.People, ok = WantSettle, r.with(append(slices.Clone(def.Doers()), def.Accountable)...), nil, true
	case Failed:
		w.Want, w.Roles, w.People, w.Not, ok = WantRetry, r.with(def.Accountable), nil, nil, r.Status == Running
	case Waiting, Held, Done, Skipped, RolledBack:
	}
	return w, ok
}

// waitBegun is what a task waits for that has begun: nothing, as long as it goes on by itself.
func (r *Run) waitBegun(w *Wait, t *Task, def plan.Task, now time.Time) bool {
	if r.Status == RollingBack && r.Undoing.of(t.ID) {
		return false
	}
	switch def.Kind {
	case plan.Approval, plan.Decision:
		b := t.Ballot
		if b == nil || b.Outcome.Verdict.Final() {
			return false
		}
		w.Want, w.Roles, w.Not, w.Due = WantVote, nil, nil, b.Due
		if def.Vote != nil {
			w.Roles = voters(*def.Vote)
		}
		w.People = waiting(b.Standing(now).Waiting)
		return true
	case plan.Manual:
		w.Want = WantComplete
		return def.Waves == nil || t.next() >= 0 && t.Until.IsZero()
	case plan.Runbook:
		return w.byHand(t.Steps)
	default:
		return false
	}
}

// unchecked are the roles that still have to check evidence of a task.
func (r *Run) unchecked(t *Task, def plan.Task) (roles []string) {
	for _, e := range def.Evidence {
		left := slices.ContainsFunc(t.Evidence, func(g Given) bool { return g.Item == e.ID && g.open() })
		if left && e.CheckedBy != "" && !slices.Contains(roles, e.CheckedBy) {
			roles = append(roles, e.CheckedBy)
		}
	}
	if roles == nil {
		return checkers(def)
	}
	return roles
}

// waitUndo is what a rollback waits for.
func (r *Run) waitUndo() (w Wait, ok bool) {
	if r.Status != RollingBack {
		return w, false
	}
	i := r.Undoing.item()
	if i == nil {
		return w, false
	}
	_, def, _ := r.Task(i.Task)
	w = Wait{Want: WantUndo, Task: i.Task, Environment: r.Undoing.Environment, Roles: def.Doers(), Since: i.Since, Due: i.Due}
	switch {
	case i.State == UndoFail:
		w.Want, w.Roles = WantRescue, r.with(append(slices.Clone(def.Doers()), def.Accountable)...)
	case i.State != UndoRunning:
		return w, false
	case i.Steps != nil:
		ok = w.byHand(i.Steps)
		return w, ok
	}
	return w, true
}

// of tells whether a task is among what is still to be undone.
func (u *Undoing) of(task string) bool {
	return slices.ContainsFunc(u.Items, func(i Undo) bool { return i.Task == task && i.State != Undone && i.State != Forward })
}

// byHand tells whether the step of a runbook that comes next waits for a person, and makes it what is wanted.
func (w *Wait) byHand(e *runbook.Execution) bool {
	w.Want = WantStep
	if e == nil {
		return false
	}
	s := e.Current()
	if s == nil || s.Status != runbook.Waiting {
		return false
	}
	w.Step, w.Text = s.Number, e.Text(s.Number)
	return true
}

// waiting are the people who have not voted, and those who may do it for them.
func waiting(all []approval.Waiting) (people []timeline.Actor) {
	add := func(id, name string) {
		if !slices.ContainsFunc(people, func(a timeline.Actor) bool { return a.ID == id }) {
			people = append(people, timeline.Actor{Kind: timeline.Person, ID: id, Name: name})
		}
	}
	for _, w := range all {
		add(w.Person, w.Name)
		for _, s := range w.Substitutes {
			add(s.Person, s.Name)
		}
	}
	return people
}

package planrun

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/runbook"
	"muster/internal/timeline"
)

// An UndoState is where the rollback of one component stands.
type UndoState string

// The states of a rollback. What was never needed has none.
const (
	Needed      UndoState = "needed"
	UndoRunning UndoState = "running"
	Undone      UndoState = "done"
	UndoFail    UndoState = "failed"
	Forward     UndoState = "fixed-forward" // it was mended instead
)

// An Undo is the rollback of one component.
type Undo struct {
	Task      string             `json:"task"`
	Component string             `json:"component"`
	State     UndoState          `json:"state"`
	Since     time.Time          `json:"since"`
	By        timeline.Actor     `json:"by,omitzero"`
	Note      string             `json:"note,omitempty"`
	Due       time.Time          `json:"due,omitzero"` // it must be done
	Late      bool               `json:"late,omitempty"`
	Steps     *runbook.Execution `json:"steps,omitempty"`
	Asked     int                `json:"asked,omitempty"` // the newest step of which a person was told that it waits for them
	Work      int                `json:"work,omitempty"`
}

// An Undoing is one rollback: what was changed in an environment, the newest first.
type Undoing struct {
	Environment string         `json:"environment"`
	By          timeline.Actor `json:"by"`
	Reason      string         `json:"reason"`
	Since       time.Time      `json:"since"`
	Ended       time.Time      `json:"ended,omitzero"`
	Items       []Undo         `json:"items"`
}

// A DueUndo is a rollback that waits until the one of another environment is over.
type DueUndo struct {
	Environment string         `json:"environment"`
	By          timeline.Actor `json:"by"`
	Reason      string         `json:"reason"`
}

// rollBack begins to undo what was changed in an environment.
func (r *Run) rollBack(environment string, by timeline.Actor, reason string, now time.Time) {
	if r.Status == RollingBack { // one after the other
		if again := func(d DueUndo) bool { return d.Environment == environment }; r.Undoing.Environment != environment && !slices.ContainsFunc(r.Undos, again) {
			r.Undos = append(r.Undos, DueUndo{environment, by, reason})
		}
		return
	}
	u := &Undoing{Environment: environment, By: by, Reason: reason, Since: now}
	for _, t := range r.changed(environment) {
		def, _ := r.Plan.Task(t.ID)
		u.Items = append(u.Items, Undo{Task: t.ID, Component: def.Rollback.Component, State: Needed, Since: now})
	}
	r.Undoing = u
	for n := range r.Tasks { // what measures it or waits for it has nothing more to say
		t := &r.Tasks[n]
		if def, _ := r.Plan.Task(t.ID); def.Environment == environment && !def.Changes && (t.Status == Begun || t.Status == Unclear) {
			r.fail(t, def, timeline.Muster(), reason, now)
		}
	}
	r.move(RollingBack, by, reason, now)
	r.record(now, timeline.RollbackBegun, by, timeline.F("environment", environment), timeline.F("reason", reason),
		timeline.F("components", fmt.Sprint(len(u.Items))))
	r.write(UndoBegun, "", r.everybody(), "", func(x *Telling) { x.in(r.Bound(environment)) })
}

// changed are the tasks that have changed an environment, or may have, and can be rolled back, the newest first.
func (r *Run) changed(environment string) []*Task {
	var all []*Task
	for n := range r.Tasks {
		t := &r.Tasks[n]
		def, _ := r.Plan.Task(t.ID)
		if def.Changes && def.Environment == environment && def.Rollback != nil && !t.Touched.IsZero() {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b *Task) int { return b.Touched.Compare(a.Touched) })
	return all
}

// item is the component that is being undone, nil when none is left.
func (u *Undoing) item() *Undo {
	for n := range u.Items {
		if s := u.Items[n].State; s == Needed || s == UndoRunning || s == UndoFail {
			return &u.Items[n]
		}
	}
	return nil
}

// undo goes on with the rollback: one component after the other, the newest first.
func (r *Run) undo(now time.Time) {
	if r.Status != RollingBack {
		return
	}
	for {
		i := r.Undoing.item()
		if i == nil {
			r.undone(now)
			return
		}
		t, def, _ := r.Task(i.Task)
		if i.State == Needed {
			if t.Work != 0 { // a step of what is to be undone is under way
				return
			}
			i.Due = now.Add(def.Rollback.Within)
			r.undoes(i, UndoRunning, timeline.Muster(), "", now)
			if b := r.book(def.Rollback.Runs); b != nil {
				i.Steps = r.execute(b, "")
			} else {
				r.write(UndoWanted, t.ID, def.Doers(), "", func(x *Telling) { x.Detail, x.Until = def.Rollback.Detail, i.Due })
			}
		}
		if i.State == UndoRunning && i.Steps != nil {
			r.turnUndo(i, t, def, now)
		}
		if i.State != UndoFail && i.State != Undone && !i.Late && !now.Before(i.Due) {
			i.Late = true
			r.record(now, timeline.RollbackLate, timeline.Muster(), timeline.F("task", i.Task), timeline.F("component", i.Component),
				timeline.F("due", at(i.Due)))
			r.write(UndoLate, i.Task, r.with(append(def.Doers(), def.Accountable)...), "", func(x *Telling) { x.Until = i.Due })
		}
		if i.State != Undone {
			return
		}
	}
}

// undoes brings the rollback of a component to a state.
func (r *Run) undoes(i *Undo, s UndoState, by timeline.Actor, note string, now time.Time) {
	r.record(now, timeline.RollbackMoved, by, timeline.F("task", i.Task), timeline.F("component", i.Component), timeline.F("from", string(i.State)),
		timeline.F("to", string(s)), timeline.F("note", note))
	i.State, i.Since, i.By, i.Note = s, now, by, note
	t, def, _ := r.Task(i.Task)
	switch s {
	case Undone:
		t.Touched = time.Time{}
		r.put(t, RolledBack, by, r.Undoing.Reason, now)
	case Forward:
		r.finish(t, def, by, note, now)
	case UndoFail:
		r.write(UndoFailed, i.Task, r.with(append(def.Doers(), def.Accountable)...), "", func(x *Telling) { x.Reason = note })
	case Needed, UndoRunning:
	}
}

// undone ends the rollback. The run stands until whoever leads says how it goes on.
func (r *Run) undone(now time.Time) {
	r.Undoing.Ended = now
	r.record(now, timeline.RollbackEnded, timeline.Muster(), timeline.F("environment", r.Undoing.Environment),
		timeline.F("since", at(r.Undoing.Since)))
	r.move(Halted, timeline.Muster(), r.Undoing.Reason, now)
	r.write(UndoDone, "", r.everybody(), "", func(x *Telling) { x.in(r.Bound(r.Undoing.Environment)) })
	if len(r.Undos) > 0 {
		next := r.Undos[0]
		r.Undos = slices.Delete(r.Undos, 0, 1)
		r.rollBack(next.Environment, next.By, next.Reason, now)
	}
}

func (r *Run) undoDue(due func(time.Time)) {
	if r.Status != RollingBack {
		return
	}
	i := r.Undoing.item()
	if i == nil || i.State != UndoRunning {
		return
	}
	if !i.Late {
		due(i.Due)
	}
}

// rolledBack are the tasks whose changes were undone.
func (r *Run) rolledBack() (tasks []string) {
	for _, t := range r.Tasks {
		if t.Status == RolledBack {
			tasks = append(tasks, t.ID)
		}
	}
	return tasks
}

// again lets tasks be done anew, with everything that comes after them and with the votes that let them begin: a second try is a new
// decision.
func (r *Run) again(tasks []string, reason string, now time.Time) {
	for _, id := range r.anew(tasks) {
		if t := r.task(id); t.Status != Waiting && t.Status != Skipped {
			r.reset(t, reason, now)
		}
	}
}

// anew are tasks with those that have to be done again when they are: what comes after them, the votes that let them begin, and what
// stands between. What else such a vote has let begin is as it was, but for what was to be done in the same environment.
func (r *Run) anew(tasks []string) []string {
	all := slices.Clone(tasks)
	for _, id := range tasks {
		def, _ := r.Plan.Task(id)
		all = append(all, r.Plan.Following(id)...)
		for _, g := range r.Plan.Gates(id) {
			all = append(all, g)
			for _, after := range r.Plan.Following(g) {
				there, _ := r.Plan.Task(after)
				if there.Environment != "" && there.Environment == def.Environment || slices.Contains(r.Plan.Following(after), id) {
					all = append(all, after)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(id string) bool { return r.task(id) == nil })
}

// Check refuses it where nothing was changed, and from whoever neither leads nor answers for what was.
func (c RollBack) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("roll back", Running, Halted); err != nil {
		return err
	}
	if err := r.wantText("roll back", "reason", c.Reason, true); err != nil {
		return err
	}
	if r.Bound(c.Environment) == nil {
		return r.refuse("roll back", "no such environment %q", c.Environment)
	}
	all := r.changed(c.Environment)
	if len(all) == 0 {
		return r.refuse("roll back", "nothing was changed in %s", c.Environment)
	}
	roles := []string{r.Plan.Lead}
	for _, t := range all {
		def, _ := r.Plan.Task(t.ID)
		roles = append(roles, def.Accountable)
	}
	return r.wantRole("roll back", "", by, c.Capacity, slices.Compact(roles)...)
}

// Apply begins to undo it.
func (c RollBack) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.rollBack(c.Environment, by, c.Reason, now)
	return nil
}

// Check refuses it when nothing is rolled back, and a repair where the plan wants a rollback.
func (c SettleUndo) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("settle rollback of", RollingBack); err != nil {
		return err
	}
	i := r.Undoing.item()
	if i == nil || i.Task != c.Task || i.State == Needed {
		return r.refuseTask("settle rollback of", c.Task, "it is not being rolled back now")
	}
	if err := r.wantText("settle rollback of", "note", c.Note, true); err != nil {
		return err
	}
	_, def, _ := r.Task(c.Task)
	switch c.State {
	case Undone, UndoFail:
	case UndoRunning:
		switch {
		case i.State != UndoFail:
			return r.refuseTask("settle rollback of", c.Task, "it is %s already", i.State)
		case i.Work != 0:
			return r.refuseTask("settle rollback of", c.Task, "a step of it is still under way")
		}
	case Forward:
		if !def.Rollback.FixForward {
			return r.refuseTask("settle rollback of", c.Task, "the plan does not let it be fixed forward")
		}
	default:
		return r.refuseTask("settle rollback of", c.Task, "%q: want done, failed, running, or fixed-forward", c.State)
	}
	return r.wantRole("settle rollback of", c.Task, by, c.Capacity, r.with(append(def.Doers(), def.Accountable)...)...)
}

// Apply goes on from there.
func (c SettleUndo) Apply(r *Run, by timeline.Actor, now time.Time) error {
	i := r.Undoing.item()
	if c.State == UndoRunning { // from its beginning
		i.State = Needed
		i.Steps, i.Late = nil, false
		r.record(now, timeline.RollbackMoved, by, timeline.F("task", i.Task), timeline.F("component", i.Component), timeline.F("from", string(UndoFail)),
			timeline.F("to", string(Needed)), timeline.F("note", c.Note))
		return nil
	}
	r.undoes(i, c.State, by, c.Note, now)
	return nil
}

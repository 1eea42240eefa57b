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

// rollBack begins to undo what was changed in an environment.
func (r *Run) rollBack(environment string, by timeline.Actor, reason string, now time.Time) {
	if r.Status == RollingBack {
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

// again lets what was rolled back, or what has failed, be done anew, with everything that came after it and with the votes that let
// it begin: a second try is a new decision.
func (r *Run) again(tasks []string, reason string, now time.Time) {
	anew := slices.Clone(tasks)
	for _, id := range tasks {
		anew = append(anew, r.Plan.Following(id)...)
		for _, g := range r.Plan.Gates(id) {
			anew = append(append(anew, g), r.Plan.Following(g)...)
		}
	}
	for n := range r.Tasks {
		if t := &r.Tasks[n]; slices.Contains(anew, t.ID) && t.Status != Waiting && t.Status != Skipped {
			r.reset(t, reason, now)
		}
	}
}

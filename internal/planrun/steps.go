package planrun

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/plan"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// execute begins a runbook with the parameters that it wants: those of the run, and the target where a task is done on several.
func (r *Run) execute(b *Book, target string) *runbook.Execution {
	var values []runbook.Value
	for _, p := range b.Runbook.Parameters {
		v := runbook.Value{ID: p.ID}
		switch given := r.value(p.ID); {
		case p.ID == "target" && target != "":
			v.Value = target
		case len(given.List) > 0:
			v.Value = strings.Join(given.List, ",")
		default:
			v.Value = given.Value
		}
		values = append(values, v)
	}
	return runbook.Start(b.Runbook, values)
}

// openBook begins the runbook of a task, on the first target of those there are.
func (r *Run) openBook(t *Task, def plan.Task, now time.Time) {
	target := ""
	if def.Waves != nil {
		n := t.next()
		if n < 0 {
			return
		}
		t.Targets[n].Status, t.Targets[n].At = Begun, now
		target = t.Targets[n].Name
	}
	t.Steps, t.Asked = r.execute(r.book(def.Runs), target), 0
}

// turnPage goes on with the runbook of a task, and tells whether it may go on at once.
func (r *Run) turnPage(t *Task, def plan.Task, now time.Time) bool {
	if t.Steps == nil {
		return false
	}
	over, well := t.Steps.Over()
	if over {
		r.bookEnds(t, def, well, now)
		return t.Status == Begun
	}
	if s := t.Steps.Current(); s != nil && (s.Status == runbook.StepFailed || s.Status == runbook.StepUnknown) {
		r.put(t, Unclear, timeline.Muster(), fmt.Sprintf("step %d: %s", s.Number, s.Status), now)
		r.tell(TaskUnclear, t.ID, r.with(append(def.Doers(), def.Accountable)...))
		return false
	}
	if !r.goes() || r.holds(def) || t.Work != 0 {
		return false
	}
	if a, number, ok := t.Steps.Next(now); ok {
		r.record(now, timeline.StepBegun, timeline.Muster(), timeline.F("task", t.ID), timeline.F("step", fmt.Sprint(number)))
		t.Work = r.begin(Work{Do: RunStep, Task: t.ID, Step: *a, Book: t.Steps.Runbook.ID, Page: number})
	}
	r.askStep(t, def, t.Steps, &t.Asked, !r.byPerson(def) || def.Waves != nil)
	return false
}

// askStep tells whoever does a task that a step of its runbook waits for them, once. Whoever has just done the step before, or has
// begun the task, is there already; first says that nobody is when the runbook begins.
func (r *Run) askStep(t *Task, def plan.Task, e *runbook.Execution, asked *int, first bool) {
	s := e.Current()
	if s == nil || s.Status != runbook.Waiting || s.Number == *asked {
		return
	}
	*asked = s.Number
	n := slices.IndexFunc(e.Runbook.Steps, func(x runbook.Step) bool { return x.Number == s.Number })
	if n == 0 && first || n > 0 && e.Runbook.Steps[n-1].Automatic != nil {
		what := e.Text(s.Number)
		person, roles := t.Person.ID, def.Doers()
		if person != "" {
			roles = nil
		}
		r.write(StepWanted, t.ID, roles, person, func(x *Telling) { x.Step, x.Detail = s.Number, plan.Text{En: what, Ko: what} })
	}
}

// bookEnds ends the task, or the target that the runbook was for.
func (r *Run) bookEnds(t *Task, def plan.Task, well bool, now time.Time) {
	t.Steps = nil
	if def.Waves == nil {
		if well {
			r.checkOrFinish(t, def, timeline.Muster(), "", now)
		} else {
			r.fail(t, def, timeline.Muster(), "its runbook has failed", now)
		}
		return
	}
	n := slices.IndexFunc(t.Targets, func(x Target) bool { return x.Status == Begun })
	s := Done
	if !well {
		s = Failed
	}
	r.targetEnds(t, def, t.Targets[n].Name, s, timeline.Muster(), "", now)
	if t.Status == Begun && t.Until.IsZero() {
		r.openBook(t, def, now)
	}
}

// turnUndo goes on with the runbook of a rollback.
func (r *Run) turnUndo(i *Undo, t *Task, def plan.Task, now time.Time) {
	over, well := i.Steps.Over()
	switch {
	case over && well:
		r.undoes(i, Undone, timeline.Muster(), "", now)
		return
	case over:
		r.undoes(i, UndoFail, timeline.Muster(), "its runbook has failed", now)
		return
	}
	if s := i.Steps.Current(); s != nil && (s.Status == runbook.StepFailed || s.Status == runbook.StepUnknown) {
		r.undoes(i, UndoFail, timeline.Muster(), fmt.Sprintf("step %d: %s", s.Number, s.Status), now)
		return
	}
	if i.Work != 0 {
		return
	}
	if a, number, ok := i.Steps.Next(now); ok {
		r.record(now, timeline.StepBegun, timeline.Muster(), timeline.F("task", t.ID), timeline.F("step", fmt.Sprint(number)), timeline.F("rollback", "yes"))
		i.Work = r.begin(Work{Do: RunStep, Task: t.ID, Step: *a, Book: i.Steps.Runbook.ID, Page: number})
	}
	r.askStep(t, def, i.Steps, &i.Asked, true)
}

// Ran takes in what came of a step of a runbook.
func (r *Run) Ran(number int, task string, result runbook.Result, now time.Time) {
	if e := r.stepEnds(number, task, string(result.State), result, now); e != nil {
		e.Ran(e.Current().Number, result, now)
	}
}

// Withdrawn takes in that a step was taken back before a worker has begun it. It is still to be done, once it may begin.
func (r *Run) Withdrawn(number int, task string, now time.Time) {
	if e := r.stepEnds(number, task, "withdrawn", runbook.Result{}, now); e != nil {
		s := e.Current().Number
		e.Ran(s, runbook.Result{State: runbook.Failed}, now)
		_ = e.Settle(s, runbook.SettleAgain, timeline.Muster(), "", now) // a step that has failed can be
	}
}

// stepEnds records how a step has ended, and returns its runbook, nil when nobody waits for it.
func (r *Run) stepEnds(number int, task, state string, result runbook.Result, now time.Time) (e *runbook.Execution) {
	rollback := ""
	if u := r.Undoing; u != nil {
		for n := range u.Items {
			if i := &u.Items[n]; i.Work == number && i.Steps != nil {
				e, i.Work, rollback = i.Steps, 0, "yes"
			}
		}
	}
	if t := r.task(task); e == nil && t != nil && t.Work == number && t.Steps != nil {
		e, t.Work = t.Steps, 0
	}
	if e != nil {
		r.record(now, timeline.StepEnded, timeline.Muster(), timeline.F("task", task), timeline.F("step", fmt.Sprint(e.Current().Number)),
			timeline.F("state", state), timeline.F("detail", result.Detail), timeline.F("sha256", result.SHA256), timeline.F("rollback", rollback))
	}
	return e
}

// MayBegin tells whether a step that waits for a worker may still be begun: not once the run is halted or over, its rollback has begun
// or been settled, or its environment may not be changed and the plan holds it.
func (r *Run) MayBegin(number int) bool {
	if r.Status == RollingBack {
		i := r.Undoing.item()
		return i != nil && i.Work == number && i.State == UndoRunning
	}
	n := slices.IndexFunc(r.Tasks, func(t Task) bool { return t.Work == number })
	if n < 0 || !r.goes() {
		return false
	}
	def, _ := r.Plan.Task(r.Tasks[n].ID)
	return !r.holds(def) || r.look(def.Environment).Work != 0 // it is being looked up
}

// settleStep takes in what a person says of a step that failed or of which nobody knows.
func (r *Run) settleStep(t *Task, def plan.Task, s TaskStatus, by timeline.Actor, reason string, now time.Time) {
	step := t.Steps.Current()
	as := runbook.SettleDone
	switch s {
	case Begun:
		as = runbook.SettleAgain
	case Failed:
		t.Steps = nil
		if def.Waves != nil {
			n := slices.IndexFunc(t.Targets, func(x Target) bool { return x.Status == Begun })
			r.targetEnds(t, def, t.Targets[n].Name, Failed, by, reason, now)
			if t.Status == Begun && t.Until.IsZero() {
				r.openBook(t, def, now)
			}
			return
		}
		r.fail(t, def, by, reason, now)
		return
	default:
	}
	if err := t.Steps.Settle(step.Number, as, by, reason, now); err != nil { // it stands as it was
		r.put(t, Unclear, timeline.Muster(), err.Error(), now)
	}
}

// DoStep says that a person has done a step of a runbook.
type DoStep struct {
	Capacity
	Task string `json:"task"`
	Step int    `json:"step"`
	Note string `json:"note,omitempty"`
}

// steps is the runbook that is gone through for a task: that of its rollback while it is rolled back.
func (r *Run) steps(t *Task) *runbook.Execution {
	if r.Status == RollingBack {
		if i := r.Undoing.item(); i != nil && i.Task == t.ID {
			return i.Steps
		}
	}
	if t.Status == Begun {
		return t.Steps
	}
	return nil
}

// Check refuses a step that does not wait for a person.
func (c DoStep) Check(r *Run, by timeline.Actor) error {
	t, def, ok := r.Task(c.Task)
	if !ok || r.Over() {
		return r.refuseTask("do step of", c.Task, "there is none to be done")
	}
	e := r.steps(t)
	if e == nil {
		return r.refuseTask("do step of", c.Task, "no runbook is under way")
	}
	if s := e.Current(); s == nil || s.Number != c.Step || s.Status != runbook.Waiting {
		return r.refuseTask("do step of", c.Task, "step %d does not wait for a person", c.Step)
	}
	if err := r.wantText("do step of", "note", c.Note, false); err != nil {
		return err
	}
	return r.wantDoer("do step of", t, def, by, c.Capacity)
}

// Apply goes on with the next one.
func (c DoStep) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if err := r.wantSeparate("do step of", t, def, by); err != nil && r.Status != RollingBack {
		return r.deny("do step", c.Task, by, err, now)
	}
	t.hand(by)
	if err := r.steps(t).Do(c.Step, by, c.Note, now); err != nil {
		return r.refuseTask("do step of", c.Task, "%s", err)
	}
	r.record(now, timeline.StepEnded, by, timeline.F("task", c.Task), timeline.F("step", fmt.Sprint(c.Step)), timeline.F("state", "done"),
		timeline.F("detail", c.Note))
	return nil
}

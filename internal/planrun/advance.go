package planrun

import (
	"slices"
	"strings"
	"time"

	"muster/internal/plan"
	"muster/internal/timeline"
)

// Advance brings the run to now, and returns what has to be done since it was last asked.
func (r *Run) Advance(now time.Time) []Work {
	if !r.Over() {
		r.expire(now)
		r.lookAround(now)
		r.reshow(now)
		r.undo(now)
		r.decideChange(now)
		for r.step(now) { // what ends lets others begin
		}
		r.askDues(now)
		r.remind(now)
		r.complete(now)
	}
	r.lockUp(now)
	r.quieten(now)
	fresh := r.fresh
	r.fresh = nil
	return fresh
}

// goes tells whether something new may begin.
func (r *Run) goes() bool { return r.Status == Running }

// step moves every task as far as it goes by itself, and tells whether any has moved.
func (r *Run) step(now time.Time) (moved bool) {
	for n := range r.Tasks {
		t := &r.Tasks[n]
		before, def := t.Status, r.def(n)
		switch t.Status {
		case Waiting, Held, Ready:
			if r.goes() {
				r.approach(t, def, now)
			}
		case Begun:
			r.drive(t, def, now)
		case InCheck, Unclear, Done, Failed, Skipped, RolledBack: // people decide
		}
		moved = moved || t.Status != before
	}
	return moved
}

// approach lets a task come to its beginning.
func (r *Run) approach(t *Task, def plan.Task, now time.Time) {
	if id := r.needs(def); id != "" {
		if t.Status != Waiting { // what had ended has not any more
			r.put(t, Waiting, timeline.Muster(), "it needs "+id, now)
		}
		return
	}
	if t.Waiver.Open() {
		return
	}
	open, known := r.mayChange(def, now)
	if !known {
		return
	}
	if t.Status == Waiting && len(def.Consulted) > 0 {
		r.tell(AdviceWanted, t.ID, def.Consulted)
	}
	switch {
	case !open:
		if t.Status != Held {
			r.put(t, Held, timeline.Muster(), r.obstacle(def.Environment), now)
			about, look := TaskHeld, r.look(def.Environment)
			if look.Open {
				about = TaskLocked
			}
			r.write(about, t.ID, r.with(def.Doers()...), "", func(x *Telling) { x.Until = look.Next })
		}
		return
	case t.Status != Ready:
		r.put(t, Ready, timeline.Muster(), "", now)
		if r.byPerson(def) {
			r.tellDoers(TaskReady, t, def)
		}
	}
	if !r.byPerson(def) {
		r.put(t, Begun, timeline.Muster(), "", now)
		r.set(t, def, now)
	}
}

// byPerson tells whether a person begins a task.
func (r *Run) byPerson(def plan.Task) bool { return def.Kind == plan.Manual || def.ByHand }

// tellDoers tells whoever does a task.
func (r *Run) tellDoers(a About, t *Task, def plan.Task) {
	if t.Person.ID != "" {
		r.write(a, t.ID, nil, t.Person.ID, nil)
		return
	}
	r.tell(a, t.ID, def.Doers())
}

// set lets a task that has begun do what its kind does.
func (r *Run) set(t *Task, def plan.Task, now time.Time) {
	switch def.Kind {
	case plan.Approval, plan.Decision:
		r.poll(t, def)
	case plan.Wait:
		t.Until = now.Add(def.For)
		if def.Until != "" {
			t.Until = r.value(def.Until).At
		}
		if def.Window {
			t.Until = time.Time{}
		}
		if def.Check != nil {
			t.NextAt = now.Add(def.Check.Every)
		}
	case plan.Checking:
		t.NextAt = now
	case plan.Notify:
		r.write(Said, t.ID, def.Tell, "", func(x *Telling) { x.Detail = def.Message })
		r.finish(t, def, timeline.Muster(), "", now)
	case plan.Report:
		t.Work = r.begin(Work{Do: WriteReport, Task: t.ID, Writes: def.Writes})
	case plan.Runbook, plan.Manual:
		if def.Waves != nil {
			r.parcel(t, def, now)
		}
		if def.Kind == plan.Runbook {
			r.openBook(t, def, now)
		}
	}
	r.decideBy(t, def)
}

// drive lets a task that has begun go on.
func (r *Run) drive(t *Task, def plan.Task, now time.Time) {
	switch def.Kind {
	case plan.Approval, plan.Decision:
		r.count(t, def, now)
		return
	case plan.Wait:
		if r.waited(t, def, now) {
			r.finish(t, def, timeline.Muster(), "", now)
			return
		}
	case plan.Runbook:
		r.nextWave(t, def, now)
		for r.turnPage(t, def, now) {
			r.nextWave(t, def, now)
		}
	case plan.Manual:
		r.nextWave(t, def, now)
	case plan.Checking, plan.Notify, plan.Report:
	}
	if def.Check != nil && t.Status == Begun && t.Work == 0 && !t.NextAt.IsZero() && !now.Before(t.NextAt) {
		t.NextAt = time.Time{}
		t.Work = r.begin(Work{Do: MeasureOnce, Task: t.ID, Check: *def.Check})
	}
	if t.Status == Begun {
		r.overrun(t, def, now)
	}
}

// waited tells whether a wait is over: a measurement that is due or under way may still say that it failed.
func (r *Run) waited(t *Task, def plan.Task, now time.Time) bool {
	if def.Window {
		open, known := r.inWindow(plan.Task{Changes: true, Environment: def.Environment}, now)
		return open && known
	}
	return !now.Before(t.Until) && t.Work == 0 && (t.NextAt.IsZero() || now.Before(t.NextAt))
}

// complete ends the run when nothing is left to do.
func (r *Run) complete(now time.Time) {
	if r.Status != Running || slices.ContainsFunc(r.Tasks, func(t Task) bool { return !t.Status.Ended() }) {
		return
	}
	r.end(Completed, timeline.Muster(), "", now)
	r.tell(RunCompleted, "", r.everybody())
}

func (r *Run) end(s Status, by timeline.Actor, reason string, now time.Time) {
	r.move(s, by, reason, now)
	r.Ended = now
}

// askDues asks when those tasks are due of which it can be known.
func (r *Run) askDues(now time.Time) {
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if def.Due == nil || t.DueAsked || t.Status.Ended() || now.Before(t.DueAt) {
			continue
		}
		from := r.Opened
		switch {
		case def.Due.Date != "":
			from = r.value(def.Due.Date).At
		case def.Due.After == t.ID: // since it could be begun
			if from = t.Begun; t.Status == Ready {
				from = t.Since
			}
		case def.Due.After != "":
			from = time.Time{}
			if after := r.task(def.Due.After); after != nil && after.Status.Ended() {
				from = after.Ended
			} else if after == nil { // it does not belong to the run
				from = r.Opened
			}
		}
		if from.IsZero() {
			continue
		}
		t.DueAsked = true
		r.begin(Work{Do: ComputeDue, Task: t.ID, Due: DueOf{From: from, Within: def.Due.Within, Days: def.Due.Days, Before: def.Due.Before}})
	}
}

// DueComputed takes in when a task is due. With a detail it is not known, and is asked for again.
func (r *Run) DueComputed(task string, due time.Time, detail string, now time.Time) {
	t := r.task(task)
	if t == nil {
		return
	}
	if detail != "" {
		t.DueTries++
		t.DueAsked, t.DueAt = false, now.Add(later(t.DueTries))
		r.Timeline.Repeat(now, timeline.TaskDueUnknown, timeline.Muster(), timeline.F("task", task), timeline.F("detail", detail))
		return
	}
	t.Due, t.DueTries, t.DueAt = due, 0, time.Time{}
	r.record(now, timeline.TaskDue, timeline.Muster(), timeline.F("task", task), timeline.F("due", at(due)))
	if t.Ballot != nil {
		t.Ballot.Due = due
	}
}

// remind says what is due soon, and what is overdue.
func (r *Run) remind(now time.Time) {
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if t.Due.IsZero() || t.Status.Ended() || t.Status == RolledBack {
			continue
		}
		open := t.Status != Waiting // nobody can do anything for it yet, but whoever leads should know
		for t.Reminded < len(def.Remind) && !now.Before(t.Due.Add(-def.Remind[t.Reminded])) {
			t.Reminded++
			switch {
			case !open || !now.Before(t.Due):
			case t.Ballot != nil:
				r.remindVoters(TaskDue, t, now)
			default:
				r.tellDoers(TaskDue, t, def)
			}
		}
		if !t.Overdue && !now.Before(t.Due) {
			t.Overdue = true
			r.record(now, timeline.TaskOverdue, timeline.Muster(), timeline.F("task", t.ID), timeline.F("due", at(t.Due)))
			if open {
				r.tellDoers(TaskOverdue, t, def)
			}
			r.tell(TaskOverdue, t.ID, without(r.with(def.Accountable), def.Doers(), open && t.Person.ID == ""))
		}
		if e := def.Escalate; e != nil && !t.Escalated && !now.Before(t.Due.Add(e.After)) {
			t.Escalated = true
			r.record(now, timeline.TaskEscalated, timeline.Muster(), timeline.F("task", t.ID), timeline.F("to", strings.Join(e.To, ", ")))
			r.tell(TaskEscalated, t.ID, e.To)
		}
	}
}

// without leaves some roles out, if they were told already.
func without(roles, told []string, all bool) []string {
	if !all {
		return roles
	}
	return slices.DeleteFunc(roles, func(role string) bool { return slices.Contains(told, role) })
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (r *Run) NextDue() time.Time {
	var next time.Time
	if r.Over() {
		return next
	}
	due := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for n := range r.Tasks {
		r.taskDue(&r.Tasks[n], r.def(n), due)
	}
	for n := range r.Windows {
		if l := &r.Windows[n]; l.Work == 0 && r.watched(l.Environment) {
			due(l.Until)
		}
	}
	for n := range r.Locks {
		if l := &r.Locks[n]; !l.Held && l.Work == 0 && r.wantsLock(l.Environment) {
			due(l.Next)
		}
	}
	for n := range r.Override {
		due(r.Override[n].due())
	}
	r.undoDue(due)
	r.changeDue(due)
	return next
}

func (r *Run) taskDue(t *Task, def plan.Task, due func(time.Time)) {
	if w := t.Waiver; w != nil && t.Status == Skipped && !w.Until.IsZero() {
		due(w.Until)
	}
	if !t.DueAsked && !t.Status.Ended() {
		due(t.DueAt)
	}
	if !t.Due.IsZero() && !t.Status.Ended() && t.Status != RolledBack {
		if t.Reminded < len(def.Remind) {
			due(t.Due.Add(-def.Remind[t.Reminded]))
		}
		if !t.Overdue {
			due(t.Due)
		}
		if def.Escalate != nil && !t.Escalated {
			due(t.Due.Add(def.Escalate.After))
		}
	}
	if t.Status != Begun {
		return
	}
	if t.Work == 0 {
		if def.Waves == nil || r.goes() && !r.holds(def) {
			due(t.Until)
		}
		due(t.NextAt)
	}
	if !t.Polling {
		due(t.PollAt)
	}
	if !t.Warned {
		due(t.DecideBy)
	}
}

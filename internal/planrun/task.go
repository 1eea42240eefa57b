package planrun

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A TaskStatus is where a task stands.
type TaskStatus string

// The statuses of a task. These strings are in histories: add, never rename.
const (
	Waiting    TaskStatus = "waiting"  // for what it needs
	Held       TaskStatus = "held"     // its environment may not be changed now
	Ready      TaskStatus = "ready"    // somebody may begin it
	Begun      TaskStatus = "begun"    // it is being done, voted on, measured, or time passes
	InCheck    TaskStatus = "in-check" // its evidence is being checked
	Unclear    TaskStatus = "unclear"  // a person has to say how it goes on
	Done       TaskStatus = "done"
	Failed     TaskStatus = "failed"
	Skipped    TaskStatus = "skipped"     // by a waiver
	RolledBack TaskStatus = "rolled-back" // what it changed was undone
)

// TaskStatuses lists the statuses.
func TaskStatuses() []TaskStatus {
	return []TaskStatus{Waiting, Held, Ready, Begun, InCheck, Unclear, Done, Failed, Skipped, RolledBack}
}

// Ended tells whether what waits for the task may begin.
func (s TaskStatus) Ended() bool { return s == Done || s == Skipped }

// A Task is the state of one task.
type Task struct {
	ID      string         `json:"id"`
	Status  TaskStatus     `json:"status"`
	Since   time.Time      `json:"since"` // of its status
	Attempt int            `json:"attempt"`
	Person  timeline.Actor `json:"person,omitzero"` // who was asked to do it; zero: whoever fills its roles
	Begun   time.Time      `json:"begun,omitzero"`
	Touched time.Time      `json:"touched,omitzero"` // when it has begun to change its environment, by an attempt that was not undone
	Ended   time.Time      `json:"ended,omitzero"`
	By      timeline.Actor `json:"by,omitzero"` // who has brought it to its status
	Reason  string         `json:"reason,omitempty"`
	Hands   []string       `json:"hands,omitempty"` // IDs of whoever has done something of it

	DueAsked  bool      `json:"due_asked,omitempty"`
	DueTries  int       `json:"due_tries,omitempty"` // in a row that have not found out when it is due
	DueAt     time.Time `json:"due_at,omitzero"`     // when that is asked again
	Due       time.Time `json:"due,omitzero"`
	Reminded  int       `json:"reminded,omitempty"` // reminders sent
	Overdue   bool      `json:"overdue,omitempty"`
	Escalated bool      `json:"escalated,omitempty"`

	Evidence []Given          `json:"evidence,omitempty"`
	Waiver   *Waiver          `json:"waiver,omitempty"` // the newest one
	Ballot   *approval.Ballot `json:"ballot,omitempty"`
	Polling  bool             `json:"polling,omitempty"` // who may vote is being found out
	PollAt   time.Time        `json:"poll_at,omitzero"`  // when that is asked again
	Tries    int              `json:"tries,omitempty"`   // in a row that have not found it out

	Steps    *runbook.Execution `json:"steps,omitempty"`
	Asked    int                `json:"asked,omitempty"`  // the newest step of which a person was told that it waits for them
	Until    time.Time          `json:"until,omitzero"`   // of a wait, or of the bake between two waves
	NextAt   time.Time          `json:"next_at,omitzero"` // of the next measurement
	Measures Measures           `json:"measures,omitzero"`
	Targets  []Target           `json:"targets,omitempty"`  // of waves
	Wave     int                `json:"wave,omitempty"`     // that is on its way, from 1
	DecideBy time.Time          `json:"decide_by,omitzero"` // the latest instant at which a rollback still fits into the window
	Warned   bool               `json:"warned,omitempty"`   // of it
	Overran  bool               `json:"overran,omitempty"`  // its window has ended while it was under way
	Work     int                `json:"work,omitempty"`     // number of the work outside that it waits for; 0: none
}

// A Given is one piece of evidence: where it is and what its bytes are, never the bytes.
type Given struct {
	Item    string         `json:"item"`
	Ref     string         `json:"ref"`
	SHA256  string         `json:"sha256,omitempty"`
	Note    string         `json:"note,omitempty"`
	By      timeline.Actor `json:"by"`
	At      time.Time      `json:"at"`
	Checker timeline.Actor `json:"checker,omitzero"`
	Checked time.Time      `json:"checked,omitzero"`

	Returned time.Time `json:"returned,omitzero"` // it does not show that the task was done

	For authority.PartyKind `json:"for,omitempty"` // whose edition of a report it is; empty: the provider's own
}

// open tells whether nobody has checked it yet.
func (g *Given) open() bool { return g.Checked.IsZero() && g.Returned.IsZero() }

// A Waiver lets a task be skipped for a time.
type Waiver struct {
	Reason   string         `json:"reason"`
	Control  string         `json:"control"` // what is done instead
	Until    time.Time      `json:"until,omitzero"`
	By       timeline.Actor `json:"by"`
	Asked    time.Time      `json:"asked"`
	Before   TaskStatus     `json:"before"` // where the task stood
	Approver timeline.Actor `json:"approver,omitzero"`
	Granted  time.Time      `json:"granted,omitzero"`
	Refused  time.Time      `json:"refused,omitzero"`
	Expired  bool           `json:"expired,omitempty"`
}

// Open tells whether somebody has to decide on it.
func (w *Waiver) Open() bool { return w != nil && w.Granted.IsZero() && w.Refused.IsZero() }

// Measures are what a check has shown.
type Measures struct {
	Passed   int       `json:"passed,omitempty"`
	Failed   int       `json:"failed,omitempty"`
	Unclear  int       `json:"unclear,omitempty"`
	InARow   int       `json:"in_a_row,omitempty"` // failures, up to the newest
	Blind    int       `json:"blind,omitempty"`    // measurements in a row that said nothing
	Last     Verdict   `json:"last,omitempty"`
	LastAt   time.Time `json:"last_at,omitzero"`
	LastSeen string    `json:"last_seen,omitempty"`
}

// A Verdict is what one measurement shows.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Miss         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
)

// A Target is one of those on which a task is done one after the other.
type Target struct {
	Name   string     `json:"name"`
	Wave   int        `json:"wave"` // from 1
	Status TaskStatus `json:"status"`
	By     string     `json:"by,omitempty"`
	At     time.Time  `json:"at,omitzero"`
	Reason string     `json:"reason,omitempty"`
}

func (t *Task) hand(by timeline.Actor) {
	if by.Kind == timeline.Person && !slices.Contains(t.Hands, by.ID) {
		t.Hands = append(t.Hands, by.ID)
	}
}

// put brings a task to a status.
func (r *Run) put(t *Task, s TaskStatus, by timeline.Actor, reason string, now time.Time) {
	r.record(now, timeline.TaskMoved, by, timeline.F("task", t.ID), timeline.F("from", string(t.Status)), timeline.F("to", string(s)),
		timeline.F("reason", reason), timeline.F("attempt", again(t.Attempt)))
	t.Status, t.Since, t.By, t.Reason = s, now, by, reason
	if s.Ended() && t.Waiver.Open() { // it was done meanwhile: nobody has to decide on it
		t.Waiver = nil
	}
	switch s {
	case Begun:
		if t.Begun.IsZero() {
			t.Begun = now
			if def, _ := r.Plan.Task(t.ID); def.Changes {
				t.Touched = now
			}
		}
	case Done, Failed, Skipped, RolledBack:
		t.Ended, t.Work, t.NextAt, t.Until, t.PollAt, t.DecideBy = now, 0, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	case Waiting, Held, Ready, InCheck, Unclear:
	}
}

func again(attempt int) string {
	if attempt < 2 {
		return ""
	}
	return fmt.Sprint(attempt)
}

// reset lets a task be done anew. What was shown and decided of it counts no more.
func (r *Run) reset(t *Task, reason string, now time.Time) {
	r.put(t, Waiting, timeline.Muster(), reason, now)
	*t = Task{ID: t.ID, Status: Waiting, Since: now, Attempt: t.Attempt + 1, Person: t.Person, Touched: t.Touched, By: t.By, Reason: reason}
}

// finish ends a task well.
func (r *Run) finish(t *Task, def plan.Task, by timeline.Actor, reason string, now time.Time) {
	r.put(t, Done, by, reason, now)
	if len(def.Informed) > 0 {
		r.tell(TaskDone, t.ID, def.Informed)
	}
}

// fail ends a task badly: whoever answers for it and whoever leads have to say how it goes on.
func (r *Run) fail(t *Task, def plan.Task, by timeline.Actor, reason string, now time.Time) {
	r.put(t, Failed, by, reason, now)
	r.tell(TaskFailed, t.ID, r.with(def.Accountable))
}

// with are some roles and whoever leads, each once.
func (r *Run) with(roles ...string) []string {
	all := []string{}
	for _, role := range append(roles, r.Plan.Lead) {
		if role != "" && !slices.Contains(all, role) {
			all = append(all, role)
		}
	}
	return all
}

// needs returns the first of what a task needs that has not ended, empty where everything has.
func (r *Run) needs(def plan.Task) string {
	for _, id := range def.Needs {
		if n := r.task(id); n != nil && !n.Status.Ended() { // nil: it does not belong to the run
			return id
		}
	}
	return ""
}

// A Touch is when a task began to change an environment, undone later or not.
type Touch struct {
	Task        string
	Environment string // name
	At          time.Time
}

// Touched returns when the run began to change environments in which a service runs, in the order of time.
func (r *Run) Touched(service string) (all []Touch) {
	for _, e := range r.Timeline.Entries {
		if e.Kind != timeline.TaskMoved || e.Fact("to") != string(Begun) {
			continue
		}
		def, _ := r.Plan.Task(e.Fact("task"))
		if where := r.Bound(def.Environment); def.Changes && where != nil && slices.Contains(where.Services, service) {
			all = append(all, Touch{def.ID, where.Name, e.At})
		}
	}
	return all
}

// Changing says when the run last began to change environments in which a service runs, and until when it did: zero while it goes on. It
// tells whether it ever has.
func (r *Run) Changing(service string) (since, until time.Time, some bool) {
	touched := r.Touched(service)
	if len(touched) == 0 {
		return since, until, false
	}
	since = touched[len(touched)-1].At
	until = since
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if where := r.Bound(def.Environment); !def.Changes || where == nil || !slices.Contains(where.Services, service) {
			continue
		}
		if undoing := r.Status == RollingBack && r.Undoing.Environment == def.Environment; !r.Over() && (undoing || t.Status == Begun || t.Status == InCheck || t.Status == Unclear) {
			return since, time.Time{}, true
		}
		if t.Ended.After(until) {
			until = t.Ended
		}
	}
	return since, until, true
}

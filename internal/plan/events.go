package plan

import "time"

// A Size says how large those parts of a plan are that are known only when a run of it begins.
type Size struct {
	People  func(role string) int      // who fill a role
	Steps   func(runbook string) int   // of a runbook
	Targets func(parameter string) int // of waves
}

// Events is about how many events of a history a run needs, where every role is filled by one person.
func (d *Definition) Events() int {
	const steps, targets = 5, 10
	return d.EventsOf(Size{
		People:  func(string) int { return 1 },
		Steps:   func(string) int { return steps },
		Targets: func(string) int { return targets },
	})
}

// What costs how many events: what is begun and what has come of it, with a task of the workflow for that. The tests of the workflow
// measure it.
const (
	update   = 5     // a person's command
	activity = 6     // one attempt at something outside
	local    = 1     // something that is found out at once
	timer    = 6     // a deadline that comes, and the next one
	keep     = 13    // a child workflow that begins and is ended
	message  = 6 + 1 // a delivery, and a part of finding out who is told
)

// EventsOf is about how many events of a history a run needs: its reminders are sent, half of what has a due time is late, and what can
// be rolled back is rolled back once and done anew.
func (d *Definition) EventsOf(z Size) int {
	e := &events{d: d, z: z}
	total := 20 + 2*e.tell(d.Lead) // which is told of whatever goes wrong
	for _, r := range d.Roles {
		total += 2 * e.tell(r.ID) // at the start and at the end
	}
	undone := false
	total += 2 * keep * len(d.Environments) // their locks
	for _, t := range d.All() {
		n := e.task(t) + e.deadlines(t)
		if t.Changes {
			n += 2*(timer+local) + keep + e.tell(d.Lead) // its window, and its alerts
		}
		if r := t.Rollback; r != nil {
			n = 2*n + update
			if r.Runs != "" {
				n += activity * z.Steps(r.Runs)
			}
			undone = true
		}
		total += n
	}
	if undone {
		for _, r := range d.Roles {
			total += 3 * e.tell(r.ID)
		}
	}
	return total
}

type events struct {
	d *Definition
	z Size
}

// tell is one message to everybody in some roles.
func (e *events) tell(roles ...string) int {
	n := 0
	for _, r := range roles {
		n += message * e.z.People(r)
	}
	return n
}

// task is what a task takes when all goes well.
func (e *events) task(t Task) int {
	n := e.tell(t.Consulted...) + e.tell(t.Informed...)
	if t.Kind == Manual || t.ByHand {
		n += e.tell(t.Doers()...) + update
	}
	if t.Kind == Manual && (t.Changes || t.Waves != nil) { // it is begun and completed
		n += update
	}
	for _, x := range t.Evidence {
		if x.CheckedBy != "" {
			n += e.tell(x.CheckedBy) + update
		}
	}
	run := 0
	switch t.Kind {
	case Manual:
		run = update
	case Approval, Decision:
		n += e.vote(t)
	case Runbook:
		run = activity*e.z.Steps(t.Runs) + e.tell(t.Doers()...) // one of them by a person
	case Checking, Report:
		n += activity
	case Wait:
		n += timer
		if t.Check != nil {
			const measurement = timer + activity + 1
			n += measurement * (1 + int(t.For/max(1, t.Check.Every)))
		}
	case Notify:
		n += e.tell(t.Tell...)
	}
	if t.Waves == nil {
		if t.Kind == Runbook {
			n += run
		}
		return n
	}
	targets := e.z.Targets(t.Waves.Over)
	size := max(1, t.Waves.Size, (targets*t.Waves.Percent+99)/100)
	waves := (targets + size - 1) / size
	return n + run*targets + (timer+1+e.tell(t.Doers()...))*waves
}

// vote is what it takes to vote, and to find out twice a day who may.
func (e *events) vote(t Task) int {
	const poll, polls = timer + local, 2 // in a day
	days := 2
	if t.Due != nil {
		days = max(t.Due.Days, int((t.Due.Within+24*time.Hour-1)/(24*time.Hour)))
	}
	n := e.tell(t.Accountable, e.d.Lead) + local + poll*polls*days
	for _, v := range t.Vote.Voters {
		n += e.tell(v.Role) + update*e.z.People(v.Role)
	}
	return n
}

// deadlines is what its due time takes.
func (e *events) deadlines(t Task) int {
	if t.Due == nil {
		return 0
	}
	doers := e.tell(t.Doers()...)
	n := local + timer/2 + (timer+doers)*len(t.Remind)
	late := timer + doers + e.tell(t.Accountable, e.d.Lead)
	if t.Escalate != nil {
		late += timer + e.tell(t.Escalate.To...)
	}
	return n + late/2
}

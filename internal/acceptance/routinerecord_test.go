package acceptance_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/activities"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/routine"
	"muster/worker"
	"muster/workflows"
)

// A roster stands in for a folder with a routine of seconds, and for the runs of its plan.
type roster struct {
	folder func() incident.Folder

	mu    sync.Mutex
	first time.Time
	taken map[time.Time]int // attempts to start the run of an occurrence
	gone  bool
}

// times are when an occurrence begins and is due, and what becomes of it, so long after the first look.
type times struct {
	begins, due time.Duration
	refused     int // how often its run cannot be started
	status      string
}

func (*roster) all() []times {
	return []times{
		{time.Second, 2 * time.Second, 1_000, ""},
		{3 * time.Second, 20 * time.Second, 1, "completed"},
		{4 * time.Second, 20 * time.Second, 0, "cancelled"},
		{time.Hour, 2 * time.Hour, 0, "completed"},
		{3 * time.Hour, 4 * time.Hour, 0, ""},
	}
}

// keep puts the roster before the folder of a worker.
func (r *roster) keep(a *worker.Activities) {
	directory := a.Routines.Directory
	r.folder = func() incident.Folder { return directory().Folder() }
	a.Routines.Folder, a.Routines.Runs = func() activities.RoutineFolder { return r }, r
}

func (r *roster) Routine(id string, after, now time.Time) routine.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := routine.Seen{Folder: r.folder(), Gone: r.gone, Definition: routine.Definition{
		ID: id, Name: "Daily check", Customer: "acme", CustomerName: "Acme", Plan: "daily-check", Tell: []escalation.Target{{Kind: escalation.Person, ID: "gus"}}, Zone: "UTC",
	}}
	if r.first.IsZero() {
		r.first, s.More = now.Truncate(time.Second), 3
	}
	for _, t := range r.all() {
		if begins := r.first.Add(t.begins); begins.After(after) {
			s.Slots = append(s.Slots, routine.Slot{Begins: begins, Due: r.first.Add(t.due)})
		}
	}
	return s
}

func (r *roster) StartRoutine(_ context.Context, _ string, planned time.Time) (routine.Begun, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[planned.UTC()]++
	for n, t := range r.all() {
		if planned.Equal(r.first.Add(t.begins)) && r.taken[planned.UTC()] > t.refused {
			return routine.Begun{Run: fmt.Sprint("RUN-", n)}, nil
		}
	}
	return routine.Begun{Refused: "the environment is another run's"}, nil
}

func (r *roster) RoutineRun(_ context.Context, run string) (routine.Outcome, error) {
	var n int
	if _, err := fmt.Sscanf(run, "RUN-%d", &n); err != nil {
		return routine.Outcome{}, err
	}
	status := r.all()[n].status
	return routine.Outcome{Over: status != "", Done: status == "completed", Ended: time.Now().UTC().Truncate(time.Second), Status: status}, nil
}

// routine is refused until it is over, begins after a while, is cancelled, moved and left out, and is taken out of the folder.
func (e *ends) routine(r *roster) []*historypb.History {
	const id = "check"
	workflow := workflows.RoutineWorkflowID(id)
	all := e.incidents.Routines()
	must(e.T, all.Keep(e.Context(), id))
	is := func(what string, ok func(*routine.Routine) bool) *routine.Routine {
		e.Helper()
		return becomes(e, workflow, what, ok)
	}
	x := is("three are over", func(x *routine.Routine) bool { return len(x.Past) == 3 && len(x.Ahead) == 2 })
	later := x.Ahead[1].Planned
	must(e.T, all.Ask(e.Context(), id, e.request("bob"), routine.Skip{Planned: later, Reason: "The system is off."}))
	r.mu.Lock()
	r.gone = true
	r.mu.Unlock()
	must(e.T, all.Ask(e.Context(), id, e.request("bob"), routine.Move{Planned: x.Ahead[0].Planned, To: time.Now().UTC().Truncate(time.Second), Reason: "They are here."}))
	is("it is taken out", func(x *routine.Routine) bool { return x.Status == routine.Retired && len(x.Running) == 1 })
	e.comes(workflow, func() {
		_ = all.Ask(e.Context(), id, e.request("bob"), routine.Skip{Planned: later, Reason: "It is left out already."}) // it only wakes the run
	}, time.Now().Add(20*time.Minute))
	return e.run(e.T, workflow)
}

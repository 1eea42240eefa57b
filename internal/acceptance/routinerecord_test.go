package acceptance_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/temporal"

	"muster/activities"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/routine"
	"muster/internal/usage"
	"muster/worker"
	"muster/workflows"
)

// A roster stands in for a folder with routines of seconds, of which one is a visit, for the runs of their plan, and for the ledger that counts it.
type roster struct {
	folder func() incident.Folder

	mu    sync.Mutex
	first map[string]time.Time // when each routine was asked for first
	taken map[string]int       // attempts to start the run of an occurrence
	gone  map[string]bool
	asked map[string]int // how often each visit was to be counted
}

func newRoster() *roster {
	return &roster{first: map[string]time.Time{}, taken: map[string]int{}, gone: map[string]bool{}, asked: map[string]int{}}
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
		{time.Hour, time.Hour + 4*time.Second, 0, "completed"},
		{3 * time.Hour, 4 * time.Hour, 0, ""},
	}
}

// keep puts the roster before the folder of a worker.
func (r *roster) keep(a *worker.Activities) {
	directory := a.Routines.Directory
	r.folder = func() incident.Folder { return directory().Folder() }
	a.Routines.Folder, a.Routines.Runs, a.Routines.Counter = func() activities.RoutineFolder { return r }, r, r
}

func (r *roster) Routine(id string, after, now time.Time) routine.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := routine.Seen{Folder: r.folder(), Gone: r.gone[id], Definition: routine.Definition{
		ID: id, Name: "Daily check", Customer: "acme", CustomerName: "Acme", Plan: "daily-check", Tell: []escalation.Target{{Kind: escalation.Person, ID: "gus"}}, Zone: "UTC",
		Visit: id == "visited",
	}}
	if r.first[id].IsZero() {
		r.first[id], s.More = now.Truncate(time.Second), 3
	}
	for _, t := range r.all() {
		if begins := r.first[id].Add(t.begins); begins.After(after) {
			s.Slots = append(s.Slots, routine.Slot{Begins: begins, Due: r.first[id].Add(t.due)})
		}
	}
	return s
}

func (r *roster) StartRoutine(_ context.Context, id string, planned time.Time) (routine.Begun, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := id + planned.UTC().String()
	r.taken[key]++
	for n, t := range r.all() {
		if planned.Equal(r.first[id].Add(t.begins)) && r.taken[key] > t.refused {
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

// VisitsBought is one, so that the second is one too many.
func (*roster) VisitsBought(_ string, at time.Time) usage.Window {
	from := time.Date(at.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	return usage.Window{Count: 1, From: from, To: from.AddDate(1, 0, 0)}
}

// Claim does not answer when a visit is to be counted for the first time.
func (r *roster) Claim(_ context.Context, c usage.Claim) (usage.Counts, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	routine, _, _ := usage.Use{Request: c.Request}.Routine()
	if r.asked[c.Request]++; r.asked[c.Request] == 1 {
		r.asked[routine]++
		return usage.Counts{}, temporal.NewNonRetryableApplicationError("no connection", "Unavailable", nil)
	}
	return usage.Counts{Visited: r.asked[routine] - 1, Taken: true}, nil
}

func (*roster) Return(context.Context, string, string) error {
	return errors.New("no visit is given back")
}

// drop takes a routine out of the folder.
func (r *roster) drop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[id] = true
}

// routine is refused until it is over, begins after a while, is cancelled, moved and left out, and is taken out of the folder.
func (e *ends) routine(r *roster, id string) []*historypb.History {
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
	r.drop(id)
	must(e.T, all.Ask(e.Context(), id, e.request("bob"), routine.Move{Planned: x.Ahead[0].Planned, To: time.Now().UTC().Truncate(time.Second), Reason: "They are here."}))
	e.run(e.T, workflow)
	return e.chain(workflow)
}

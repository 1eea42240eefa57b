package activities

import (
	"context"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/routine"
	"muster/internal/usage"
)

// A RoutineFolder knows the routines of the organisation folder.
type RoutineFolder interface {
	// Routine returns what the folder says of a routine: its occurrences after one that was seen to.
	Routine(id string, after, now time.Time) routine.Seen
	// VisitsBought returns the year in which a visit at an instant counts, with how many the customer has bought for it; 0: no number stands
	// anywhere.
	VisitsBought(customer string, at time.Time) usage.Window
}

// A RoutineWriter writes messages on routines. With an error it still returns the bare facts.
type RoutineWriter interface {
	Routine(t routine.Telling, to delivery.Recipient) (delivery.Message, error)
}

// A RoutineStarter starts runs of the plans of routines, in Muster's name.
type RoutineStarter interface {
	// StartRoutine starts the run of an occurrence and returns its identity, or why it cannot be started as things are. The same occurrence
	// twice is one run.
	StartRoutine(ctx context.Context, id string, planned time.Time) (routine.Begun, error)
	// RoutineRun returns what has become of a run.
	RoutineRun(ctx context.Context, run string) (routine.Outcome, error)
}

// Routines has the effects of work that comes back.
type Routines struct {
	Directory func() Directory
	Folder    func() RoutineFolder
	Writer    RoutineWriter
	Runs      RoutineStarter
	Counter   Counter
	Now       func() time.Time
}

// LookAtRoutineInput asks when a routine comes back.
type LookAtRoutineInput struct {
	ID     string          `json:"id"`
	After  time.Time       `json:"after"` // all planned until then was seen to
	Now    time.Time       `json:"now"`
	Seen   incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway bool            `json:"anyway,omitempty"` // takes an older folder too
}

// LookAtRoutine returns what the folder says of it.
func (r *Routines) LookAtRoutine(_ context.Context, in LookAtRoutineInput) (routine.Seen, error) {
	dir := r.Directory()
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return routine.Seen{}, err
	}
	return r.Folder().Routine(in.ID, in.After, in.Now), nil
}

// StartRoutineInput asks for the run of an occurrence.
type StartRoutineInput struct {
	ID      string    `json:"id"`
	Planned time.Time `json:"planned"`
}

// StartRoutine starts it.
func (r *Routines) StartRoutine(ctx context.Context, in StartRoutineInput) (routine.Begun, error) {
	run, err := r.Runs.StartRoutine(ctx, in.ID, in.Planned)
	if err != nil {
		return routine.Begun{}, fmt.Errorf("start routine %s: %w", in.ID, err)
	}
	return run, nil
}

// CheckRoutine returns what has become of a run.
func (r *Routines) CheckRoutine(ctx context.Context, run string) (routine.Outcome, error) {
	return r.Runs.RoutineRun(ctx, run)
}

// CountVisitInput asks for the count of a visit.
type CountVisitInput struct {
	ID       string    `json:"id"`
	Planned  time.Time `json:"planned"`
	Customer string    `json:"customer"`
	At       time.Time `json:"at"`
}

// CountVisit counts an occurrence among the visits of a customer, whatever is left of them: it took place. The same one twice is one.
func (r *Routines) CountVisit(ctx context.Context, in CountVisitInput) (routine.Visit, error) {
	year := r.Folder().VisitsBought(in.Customer, in.At)
	counts, err := r.Counter.Claim(ctx, usage.Claim{
		Customer: in.Customer, Request: usage.OfRoutine(in.ID, in.Planned), At: in.At, Visits: &year, Take: usage.Anyway,
	})
	if err != nil {
		return routine.Visit{}, err // it names the customer
	}
	return routine.Visit{Number: counts.Visited + 1, Bought: year.Count, Year: year.From.Year()}, nil
}

// ComposeRoutineInput asks for the messages of one telling.
type ComposeRoutineInput struct {
	Telling routine.Telling `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeRoutine finds out who is told as of now and writes one message for each. What cannot be resolved becomes a detail.
func (r *Routines) ComposeRoutine(_ context.Context, in ComposeRoutineInput) (incident.Composition, error) {
	dir := r.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	to, faults := everybody(dir, in.Telling.Definition.Tell, r.Now())
	address(&out, to, faults, func(to incident.Addressed) (delivery.Message, error) { return r.Writer.Routine(in.Telling, to.To) })
	return out, nil
}

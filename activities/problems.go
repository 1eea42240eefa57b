package activities

import (
	"context"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/problem"
)

// A ProblemWriter writes messages on problems. With an error it still returns the bare facts.
type ProblemWriter interface {
	Problem(t problem.Telling, to delivery.Recipient) (delivery.Message, error)
}

// Recurrences know the problems behind incidents.
type Recurrences interface {
	// Occurred brings an incident to the open problems of what it has in common with others, and returns the first of them, nil when
	// there is none.
	Occurred(ctx context.Context, service string, o problem.Occurrence) (*problem.Found, error)
	// Before returns the incidents of a service that were closed since an instant, the newest ones.
	Before(ctx context.Context, service string, since time.Time) ([]problem.Occurrence, error)
	// Begin opens a problem in Muster's name, or finds the open one of the same key.
	Begin(ctx context.Context, terms problem.Terms, o problem.Occurrence) (*problem.Found, error)
}

// A ProblemHouse knows what the organisation folder says of the problems of a service now.
type ProblemHouse interface {
	Problem(service string) (problem.Pinned, error)
}

// Problems has the effects of problems, and of incidents on them.
type Problems struct {
	Directory   func() Directory
	House       func() ProblemHouse
	Writer      ProblemWriter
	Recurrences Recurrences
	Now         func() time.Time
}

// FindProblemInput asks for the problem behind an incident.
type FindProblemInput struct {
	Service    string              `json:"service"` // ID
	Occurrence problem.Occurrence  `json:"occurrence"`
	Rule       incident.Recurrence `json:"rule"`
}

// FindProblem returns the problem behind an incident, nil when there is none. When an incident is over, the rule may say that there is
// one now: then it is opened.
func (p *Problems) FindProblem(ctx context.Context, in FindProblemInput) (*problem.Found, error) {
	o := in.Occurrence
	fail := func(err error) error { return fmt.Errorf("find problem behind %s: %w", o.Incident, err) }
	found, err := p.Recurrences.Occurred(ctx, in.Service, o)
	if err != nil {
		return nil, fail(err)
	}
	within := in.Rule.Within
	if in.Rule.Noise != nil {
		within = max(within, in.Rule.Noise.Within)
	}
	if found != nil || o.Closed.IsZero() || within == 0 {
		return found, nil
	}
	now := p.Now()
	before, err := p.Recurrences.Before(ctx, in.Service, now.Add(-within))
	if err != nil {
		return nil, fail(err)
	}
	k, all, recurs := problem.Recurs(in.Rule, o, before, now)
	if !recurs {
		return nil, nil
	}
	pinned, err := p.House().Problem(in.Service)
	if err != nil {
		return nil, fail(err)
	}
	found, err = p.Recurrences.Begin(ctx, problem.Terms{Title: o.Title, Key: k, Incidents: all, Rule: &in.Rule, Pinned: pinned}, o)
	if err != nil {
		return nil, fail(err)
	}
	return found, nil
}

// ComposeProblemInput asks for the messages of one telling.
type ComposeProblemInput struct {
	Telling problem.Telling `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeProblem resolves the targets as of now and writes one message for each recipient, each once. What cannot be resolved
// becomes a detail.
func (p *Problems) ComposeProblem(_ context.Context, in ComposeProblemInput) (incident.Composition, error) {
	dir := p.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	to, faults := everybody(dir, in.Telling.Targets, p.Now())
	address(&out, to, faults, func(a incident.Addressed) (delivery.Message, error) { return p.Writer.Problem(in.Telling, a.To) })
	return out, nil
}

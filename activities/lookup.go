package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"

	"muster/internal/incident"
)

// An Archive knows incidents: those that run and those that are over.
type Archive interface {
	// Complete puts what the earlier runs of an incident have recorded before the timeline of its newest one. With an error
	// it has done so as far as it could.
	Complete(ctx context.Context, workflowID string, i *incident.Incident) error
	// Last returns the newest closed incident under a workflow id, nil when there is none.
	Last(ctx context.Context, workflowID string, except incident.ID) (*incident.Earlier, error)
	// LastOf returns the newest closed incident of a service, nil when there is none.
	LastOf(ctx context.Context, service string, except incident.ID) (*incident.Earlier, error)
	// Nearby returns what goes on at an instant beside an incident of a service, or has ended a short while before: open incidents,
	// and what changes.
	Nearby(ctx context.Context, service incident.Service, around incident.Around, except incident.ID, at time.Time) ([]incident.Nearby, error)
}

// Lookup finds what came before.
type Lookup struct {
	Archive Archive
	Around  func(service string) incident.Around // in the organisation folder as it is now
}

// FindPrevious returns the last incident of the same alert group, nil when this is the first.
func (l *Lookup) FindPrevious(ctx context.Context, self incident.ID) (*incident.Earlier, error) {
	id := activity.GetInfo(ctx).WorkflowExecution.ID
	e, err := l.Archive.Last(ctx, id, self)
	if err != nil {
		return nil, fmt.Errorf("find previous incident of %s: %w", id, err)
	}
	return e, nil
}

// PreviousOfInput asks for the last incident of a service.
type PreviousOfInput struct {
	Self    incident.ID `json:"self"`
	Service string      `json:"service"` // ID
}

// FindPreviousOf returns the last incident of a service, nil when there was none.
func (l *Lookup) FindPreviousOf(ctx context.Context, in PreviousOfInput) (*incident.Earlier, error) {
	e, err := l.Archive.LastOf(ctx, in.Service, in.Self)
	if err != nil {
		return nil, fmt.Errorf("find previous incident of service %s: %w", in.Service, err)
	}
	return e, nil
}

// LookInput asks what an incident that opens comes after, and what else goes on.
type LookInput struct {
	Self     incident.ID      `json:"self"`
	Service  incident.Service `json:"service"`
	Reported bool             `json:"reported,omitempty"` // no alert group has brought it: the incident before is that of the service
	At       time.Time        `json:"at"`
}

// Looked is what was found. Either half may be missing without the other.
type Looked struct {
	Previous *incident.Earlier `json:"previous,omitempty"`
	Nearby   []incident.Nearby `json:"nearby,omitempty"`
	Detail   string            `json:"detail,omitempty"` // why nobody can say what goes on
}

// LookAround finds the incident before and what goes on beside this one. What goes on is worth one try: nobody waits for it.
func (l *Lookup) LookAround(ctx context.Context, in LookInput) (out Looked, err error) {
	if in.Reported {
		out.Previous, err = l.FindPreviousOf(ctx, PreviousOfInput{Self: in.Self, Service: in.Service.ID})
	} else {
		out.Previous, err = l.FindPrevious(ctx, in.Self)
	}
	if err != nil {
		return out, err
	}
	if out.Nearby, err = l.Archive.Nearby(ctx, in.Service, l.Around(in.Service.ID), in.Self, in.At); err != nil {
		out.Detail = fmt.Sprintf("find what goes on beside %s: %v", in.Self, err)
	}
	return out, nil
}

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

// NearbyInput asks what else goes on when an incident opens.
type NearbyInput struct {
	Self    incident.ID      `json:"self"`
	Service incident.Service `json:"service"`
	At      time.Time        `json:"at"`
}

// FindNearby returns what goes on beside an incident.
func (l *Lookup) FindNearby(ctx context.Context, in NearbyInput) ([]incident.Nearby, error) {
	all, err := l.Archive.Nearby(ctx, in.Service, l.Around(in.Service.ID), in.Self, in.At)
	if err != nil {
		return nil, fmt.Errorf("find what goes on beside %s: %w", in.Self, err)
	}
	return all, nil
}

package activities

import (
	"context"
	"fmt"

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
}

// Lookup finds what came before.
type Lookup struct{ Archive Archive }

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

package activities

import (
	"context"
	"fmt"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/planrun"
)

// Incidents take alerts.
type Incidents interface {
	// DeliverAlways brings a batch to the open incident of a workflow id, and opens it when the batch has a firing alert, whatever is
	// being changed, and returns which it is: none where a batch without one finds no open incident. When it returns no error, the
	// batch is durable.
	DeliverAlways(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) (incident.ID, error)
}

// Locks know who may change an environment.
type Locks interface {
	// Holder returns the run that has the lock with a workflow id, empty where it is free again.
	Holder(ctx context.Context, workflowID string) (planrun.ID, error)
}

// Environments has the effects of what runs of plans keep of an environment.
type Environments struct {
	Incidents Incidents
	Locks     Locks
}

// LetAlertsInput is what fires after it was held back.
type LetAlertsInput struct {
	Incident   string              `json:"incident"` // its workflow id
	Definition incident.Definition `json:"definition"`
	Batch      alert.Batch         `json:"batch"`
}

// LetAlerts brings alerts that were held back to their incident, and returns which it is.
func (e *Environments) LetAlerts(ctx context.Context, in LetAlertsInput) (incident.ID, error) {
	id, err := e.Incidents.DeliverAlways(ctx, in.Incident, in.Definition, in.Batch)
	if err != nil {
		return "", fmt.Errorf("let alerts go: %w", err)
	}
	return id, nil
}

// FindHolder returns the run that has a lock, empty where it is free again.
func (e *Environments) FindHolder(ctx context.Context, workflowID string) (planrun.ID, error) {
	holder, err := e.Locks.Holder(ctx, workflowID)
	if err != nil {
		return "", fmt.Errorf("find holder of %s: %w", workflowID, err)
	}
	return holder, nil
}

package starter

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"muster/internal/incident"
	"muster/internal/review"
	"muster/workflows"
)

// Reviews reads post-incident reviews.
type Reviews struct{ Temporal client.Client }

// State returns the whole state of the review of an incident.
func (s *Reviews) State(ctx context.Context, id incident.ID) (review.Review, error) {
	var r review.Review
	workflowID := workflows.ReviewWorkflowID(id)
	v, err := s.Temporal.QueryWorkflow(ctx, workflowID, "", workflows.StateQuery)
	if err != nil {
		return r, unanswered(ctx, s.Temporal, "review of "+string(id), workflowID, "", err)
	}
	if err := v.Get(&r); err != nil {
		return r, fmt.Errorf("read review of %s: %w", id, err)
	}
	return r, nil
}

package starter

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"muster/internal/incident"
	"muster/internal/review"
	"muster/workflows"
)

// Reviews reads post-incident reviews and talks to them.
type Reviews struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys
}

// Open returns the incidents whose reviews are open, the newest first, and whether there are more than a limit.
func (s *Reviews) Open(ctx context.Context, limit int) (of []incident.ID, more bool, err error) {
	ids, more, err := running(ctx, s.Temporal, s.Namespace, workflows.ReviewWorkflow, workflows.ReviewWorkflowID(""), limit)
	for _, id := range ids {
		of = append(of, incident.ID(id))
	}
	return of, more, err
}

// State returns the whole state of the review of an incident.
func (s *Reviews) State(ctx context.Context, id incident.ID) (review.Review, error) {
	var r review.Review
	workflowID := workflows.ReviewWorkflowID(id)
	v, err := s.Temporal.QueryWorkflow(ctx, workflowID, "", workflows.StateQuery)
	if err != nil {
		return r, unanswered(ctx, s.Temporal, reviewOf(id), workflowID, "", err)
	}
	if err := v.Get(&r); err != nil {
		return r, fmt.Errorf("read review of %s: %w", id, err)
	}
	return r, nil
}

// Note writes into the timeline of the review of an incident. The same request id twice is one note.
func (s *Reviews) Note(ctx context.Context, id incident.ID, req Request, text string) error {
	return s.ask(ctx, id, workflows.NoteUpdate, req, text)
}

// Close ends the review of an incident. The same request id twice is one decision.
func (s *Reviews) Close(ctx context.Context, id incident.ID, req Request, text string) error {
	return s.ask(ctx, id, workflows.CloseUpdate, req, text)
}

func (s *Reviews) ask(ctx context.Context, id incident.ID, update string, req Request, text string) error {
	workflowID := workflows.ReviewWorkflowID(id)
	run, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err == nil {
		first := run.GetWorkflowExecutionInfo().GetFirstRunId()
		err = ask(ctx, s.Temporal, s.Keys, workflowID, first, update, req, workflows.ReviewWords{Text: text}, nil)
	}
	return unanswered(ctx, s.Temporal, reviewOf(id), workflowID, "", err)
}

func reviewOf(id incident.ID) string { return "review of " + string(id) }

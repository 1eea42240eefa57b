package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/workflows"
)

// Reviews reads post-incident reviews and talks to them.
type Reviews struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys
}

// List returns the incidents that have a review, or an open one, the newest first, and whether there are more than a limit.
func (s *Reviews) List(ctx context.Context, open bool, limit int) (of []incident.ID, more bool, err error) {
	query := fmt.Sprintf("WorkflowType = '%s' AND (ExecutionStatus = 'Running' OR ExecutionStatus = 'Completed')", workflows.ReviewWorkflow)
	if open {
		query = fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", workflows.ReviewWorkflow)
	}
	ids, more, err := listed(ctx, s.Temporal, s.Namespace, query, workflows.ReviewWorkflowID(""), limit)
	for _, id := range ids {
		of = append(of, incident.ID(id))
	}
	return of, more, err
}

// Start opens the review of an incident in the name of a person. There is one review of an incident: where it is there already,
// the error says so.
func (s *Reviews) Start(ctx context.Context, req Request, i *incident.Incident, now time.Time) error {
	rules := review.RulesOf(i)
	if rules == nil {
		return &RefusedError{Reason: reviewOf(i.ID) + ": its incident has pinned promises from before there were stages; muster incident repin takes over newer ones"}
	}
	in := workflows.ReviewInput{Facts: review.FactsOf(i), Due: now.Add(rules.Within), Rules: rules}
	id := workflows.ReviewWorkflowID(i.ID)
	m, err := seal(s.Keys, signature.Statement{Workflow: id, Message: workflows.ReviewWorkflow, By: req.By}, req.Via, in)
	if err != nil {
		return fmt.Errorf("open %s: %w", reviewOf(i.ID), err)
	}
	_, err = s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: workflows.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:                 temporal.Priority{PriorityKey: int(i.Priority)},
		TypedSearchAttributes:    workflows.ReviewAttributes(i, id, in.Due),
	}, workflows.ReviewWorkflow, m)
	if _, before := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); before {
		return &RefusedError{Reason: reviewOf(i.ID) + ": it is there already"}
	}
	if err != nil {
		return told(reviewOf(i.ID), err)
	}
	return nil
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

// Ask asks something of the review of an incident. The same request id twice is one decision.
func (s *Reviews) Ask(ctx context.Context, id incident.ID, req Request, c review.Command) error {
	name := ""
	switch c.(type) {
	case review.Write:
		name = workflows.WriteUpdate
	case review.AddFactor:
		name = workflows.AddFactorUpdate
	case review.RemoveFactor:
		name = workflows.RemoveFactorUpdate
	case review.SetPattern:
		name = workflows.SetPatternUpdate
	case review.Invite:
		name = workflows.InviteUpdate
	case review.Submit:
		name = workflows.SubmitUpdate
	case review.HoldMeeting:
		name = workflows.HoldMeetingUpdate
	case review.WriteText:
		name = workflows.WriteTextUpdate
	case review.Approve:
		name = workflows.ApproveUpdate
	case review.Reject:
		name = workflows.RejectUpdate
	case review.PublishText:
		name = workflows.PublishUpdate
	case review.AddAction:
		name = workflows.AddActionUpdate
	case review.Note:
		name = workflows.NoteUpdate
	case review.Close:
		name = workflows.CloseUpdate
	}
	return askNewest(ctx, s.Temporal, s.Keys, reviewOf(id), workflows.ReviewWorkflowID(id), name, req, c)
}

func reviewOf(id incident.ID) string { return "review of " + string(id) }

package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"muster/internal/handover"
	"muster/internal/signature"
	"muster/workflows"
)

// Handovers starts hand-overs of schedules and talks to them.
type Handovers struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys
}

// UnderWay returns the schedules that are being handed over, the newest first, and whether there are more than a limit. What only looks
// like a hand-over has no state.
func (s *Handovers) UnderWay(ctx context.Context, limit int) (schedules []string, more bool, err error) {
	return running(ctx, s.Temporal, s.Namespace, workflows.HandoverWorkflow, workflows.HandoverWorkflowID(""), limit)
}

// Start begins a hand-over in the name of its outgoing person. One at a time is under way for a schedule: the same request
// finds the one that it has started, and any other is refused with who hands over to whom since when.
func (s *Handovers) Start(ctx context.Context, req Request, terms handover.Terms) (*handover.Handover, error) {
	workflowID := workflows.HandoverWorkflowID(terms.Schedule)
	terms.Request = req.ID
	in, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: workflows.HandoverWorkflow, By: req.By}, req.Via, terms)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", handoverOf(terms.Schedule), err)
	}
	_, err = s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: workflows.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		TypedSearchAttributes:    workflows.HandoverAttributes(terms, time.Now()),
	}, workflows.HandoverWorkflow, in)
	_, underWay := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	if err != nil && !underWay {
		return nil, told(handoverOf(terms.Schedule), err)
	}
	h, err := s.State(ctx, terms.Schedule)
	if err != nil {
		return nil, err
	}
	if h.Request == req.ID {
		return h, nil
	}
	why := fmt.Sprintf("%s: under way since %s, from %s to %s", handoverOf(terms.Schedule), h.Opened.UTC().Format(time.RFC3339),
		h.Outgoing.Shown(), h.Incoming.Shown())
	if h.Over() {
		why += fmt.Sprintf("; it is %s, and its last messages are still on their way", h.Status)
	}
	return nil, &RefusedError{Reason: why}
}

// State returns the newest hand-over of a schedule, open or ended.
func (s *Handovers) State(ctx context.Context, schedule string) (*handover.Handover, error) {
	workflowID := workflows.HandoverWorkflowID(schedule)
	v, err := s.Temporal.QueryWorkflow(ctx, workflowID, "", workflows.StateQuery)
	if err != nil {
		return nil, unanswered(ctx, s.Temporal, handoverOf(schedule), workflowID, "", err)
	}
	var h *handover.Handover
	if err := v.Get(&h); err != nil {
		return nil, fmt.Errorf("read %s: %w", handoverOf(schedule), err)
	}
	if h == nil { // nobody of this installation has started it
		return nil, &NotFoundError{What: handoverOf(schedule)}
	}
	return h, nil
}

// Ask asks something of the hand-over of a schedule. The same request id twice is one decision.
func (s *Handovers) Ask(ctx context.Context, schedule string, req Request, c handover.Command) error {
	workflowID, name := workflows.HandoverWorkflowID(schedule), ""
	switch c.(type) {
	case handover.Confirm:
		name = workflows.ConfirmUpdate
	case handover.Decline:
		name = workflows.DeclineUpdate
	case handover.Note:
		name = workflows.NoteUpdate
	case handover.Pass:
		name = workflows.PassUpdate
	}
	return askNewest(ctx, s.Temporal, s.Keys, handoverOf(schedule), workflowID, name, req, c)
}

func handoverOf(schedule string) string { return "hand-over of " + schedule }

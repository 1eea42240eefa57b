package starter

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"

	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/workflows"
)

// TicketChanged tells the incident that a ticket names what was done to the ticket in its own system, which is by. One that there is not, or
// that has ended, is a NotFoundError: nobody else hears what was meant for it.
func (s *Incidents) TicketChanged(ctx context.Context, t ticket.Told, by timeline.Actor) error {
	id := incident.ID(t.Key)
	ref, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	p, err := s.prove(ctx, ref)
	if err != nil {
		return told("incident "+t.Key, err)
	}
	run, err := s.Temporal.DescribeWorkflowExecution(ctx, ref.WorkflowID, "")
	if err != nil {
		return told("incident "+t.Key, err)
	}
	if i := run.GetWorkflowExecutionInfo(); i.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || i.GetFirstRunId() != p.first {
		return &NotFoundError{What: "incident " + t.Key + " that goes on"}
	}
	m, err := seal(s.Keys, signature.Statement{Workflow: ref.WorkflowID, Message: workflows.TicketChangedSignal, By: by}, "tickets", t)
	if err != nil {
		return fmt.Errorf("tell %s of its ticket: %w", id, err)
	}
	return told("incident "+t.Key, s.Temporal.SignalWorkflow(ctx, ref.WorkflowID, "", workflows.TicketChangedSignal, m))
}

package starter

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Deliver brings a batch of alerts to the open incident of a workflow id, and opens it when the batch has a firing alert. While a task
// changes the environment from which the alerts come, or a silence takes them, those without an open incident are held back instead.
// When it returns nil the batch is durable. Alerts that only end what never began here are none of our business.
func (s *Incidents) Deliver(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) error {
	if s.hold(ctx, workflowID, def, b) {
		return nil
	}
	def, b, err := s.silence(ctx, workflowID, def, b)
	switch {
	case err != nil || len(b.Alerts) == 0:
		return err
	case fires(b):
		_, err = s.DeliverAlways(ctx, workflowID, def, b)
		return err
	}
	open, err := s.deliverEnd(ctx, workflowID, b)
	if err != nil || open {
		return err
	}
	return s.askOthers(ctx, workflowID, def, b)
}

// hold tells whether a silence has taken a batch. Whatever keeps it from being taken lets people be paged.
func (s *Incidents) hold(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) bool {
	for _, e := range def.Environments {
		id := workflows.SilenceWorkflowID(e.Customer, e.ID)
		run, running, err := s.running(ctx, id)
		if err != nil || !running || !s.silent(ctx, Ref{id, run}) {
			continue
		}
		if _, open, err := s.running(ctx, workflowID); err != nil || open {
			return false
		}
		by := timeline.Actor{Kind: timeline.Source, ID: b.Source}
		m, err := seal(s.Keys, signature.Statement{Workflow: id, Message: workflows.HeldAlertsSignal, By: by}, "intake",
			workflows.HeldBatch{Key: workflowID, Definition: def, Batch: b})
		if err == nil && s.Temporal.SignalWorkflow(ctx, id, run, workflows.HeldAlertsSignal, m) == nil {
			return true
		}
	}
	return false
}

// running returns the newest run under a workflow id, and whether it still runs.
func (s *Incidents) running(ctx context.Context, workflowID string) (run string, yes bool, err error) {
	d, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return "", false, nil
	}
	info := d.GetWorkflowExecutionInfo()
	return info.GetExecution().GetRunId(), info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, err
}

// silent tells whether a run of this installation has started a silence.
func (s *Incidents) silent(ctx context.Context, ref Ref) bool {
	p, err := s.proofs.prove(ctx, s.Temporal, s.Namespace, ref, func(workflowID string, e *historypb.HistoryEvent) proof {
		return sealedStart(s.Keys, workflowID, e, workflows.SilenceWorkflow)
	})
	return err == nil && p.ours
}

// Holder returns the run that has a lock of an environment, empty where it is free again.
func (s *Incidents) Holder(ctx context.Context, workflowID string) (planrun.ID, error) {
	d, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return "", nil
	}
	if err != nil {
		return "", told("lock "+workflowID, err)
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return "", nil
	}
	var id planrun.ID
	_ = converter.GetDefaultDataConverter().FromPayload(info.GetMemo().GetFields()[workflows.HolderMemo], &id) // else nobody knows which
	if !id.Valid() {
		return "", nil
	}
	return id, nil
}

package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	b, err := s.hold(ctx, workflowID, def, b)
	if err != nil || len(b.Alerts) == 0 {
		return err
	}
	def, b, err = s.silence(ctx, workflowID, def, b)
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

// hold gives to the silences of environments what they take of a batch, and returns what goes on: all of it, unless one of them holds back
// what fires, and then the ends, for which silences of people and an incident may wait, too. Whatever keeps what fires from being taken
// lets people be paged; an end that cannot be told is an error, so that its source says it once more.
func (s *Incidents) hold(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) (alert.Batch, error) {
	ends := having(b, func(r *alert.Received) bool { return r.State == alert.Resolved })
	held := false
	var own []Ref
	for _, e := range def.Environments {
		ref := Ref{WorkflowID: workflows.SilenceWorkflowID(e.Customer, e.ID)}
		run, running, err := s.running(ctx, ref.WorkflowID)
		if ref.RunID = run; err != nil && len(ends.Alerts) > 0 {
			return b, told("silence "+ref.WorkflowID, err)
		}
		if err != nil || !running {
			continue
		}
		if !held && len(ends.Alerts) < len(b.Alerts) {
			_, open, err := s.running(ctx, workflowID)
			taken := false
			if err == nil && !open {
				taken, err = s.keep(ctx, &ref, workflows.HeldBatch{Key: workflowID, Definition: def, Batch: b})
			}
			if held = taken && err == nil; held {
				own = append(own, ref)
				continue
			}
		}
		if own = append(own, ref); len(ends.Alerts) > 0 {
			if _, err := s.keep(ctx, &ref, workflows.HeldBatch{Key: workflowID, Definition: def, Batch: ends, Ends: true}); err != nil {
				return b, err
			}
		}
	}
	if held {
		b = ends
	}
	known := slices.DeleteFunc(slices.Clone(s.silenced.changing()), func(ref Ref) bool {
		return slices.ContainsFunc(own, func(o Ref) bool { return o.WorkflowID == ref.WorkflowID })
	})
	return b, s.endsIn(ctx, known, workflowID, def, b)
}

// endsIn tells silences of environments of the ends that tell nothing else, for nobody knows from which environment they are.
func (s *Incidents) endsIn(ctx context.Context, silences []Ref, workflowID string, def incident.Definition, b alert.Batch) error {
	bare := having(b, func(r *alert.Received) bool { return r.State == alert.Resolved && r.Bare })
	if len(bare.Alerts) == 0 {
		return nil
	}
	for _, ref := range silences {
		if _, err := s.keep(ctx, &ref, workflows.HeldBatch{Key: workflowID, Definition: def, Batch: bare, Ends: true}); err != nil {
			return err
		}
	}
	return nil
}

// having is a batch with some of its alerts.
func having(b alert.Batch, wanted func(*alert.Received) bool) alert.Batch {
	all := b.Alerts
	b.Alerts = nil
	for n := range all {
		if wanted(&all[n]) {
			b.Alerts = append(b.Alerts, all[n])
		}
	}
	return b
}

// keep brings a batch to a silence of an environment, and tells whether it has taken it: one that has ended, that somebody else has
// started, or whose history is full takes nothing. Where it has gone on in a new run meanwhile, that one takes it.
func (s *Incidents) keep(ctx context.Context, ref *Ref, h workflows.HeldBatch) (taken bool, err error) {
	for {
		err := s.bring(ctx, *ref, h)
		if _, gone := errors.AsType[*NotFoundError](err); gone {
			run, running, err := s.running(ctx, ref.WorkflowID)
			if err == nil && (!running || run == ref.RunID) {
				return false, nil
			}
			if err != nil {
				return false, told("silence "+ref.WorkflowID, err)
			}
			ref.RunID = run
			continue
		}
		if _, refused := errors.AsType[*RefusedError](err); refused {
			return false, nil
		}
		return err == nil, err
	}
}

// bring brings a batch to one run of a silence.
func (s *Incidents) bring(ctx context.Context, ref Ref, h workflows.HeldBatch) error {
	ours, err := s.silent(ctx, ref)
	if err != nil {
		return told("silence "+ref.WorkflowID, err)
	}
	if !ours {
		return &RefusedError{Reason: "it was started by somebody else"}
	}
	by := timeline.Actor{Kind: timeline.Source, ID: h.Batch.Source}
	m, err := seal(s.Keys, signature.Statement{Workflow: ref.WorkflowID, Message: workflows.HeldAlertsSignal, By: by}, "intake", h)
	if err != nil {
		return fmt.Errorf("hold alerts back: %w", err)
	}
	return told("silence "+ref.WorkflowID, s.Temporal.SignalWorkflow(ctx, ref.WorkflowID, ref.RunID, workflows.HeldAlertsSignal, m))
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
func (s *Incidents) silent(ctx context.Context, ref Ref) (bool, error) {
	p, err := s.proofs.prove(ctx, s.Temporal, s.Namespace, ref, func(workflowID string, e *historypb.HistoryEvent) proof {
		return sealedStart(s.Keys, workflowID, e, workflows.SilenceWorkflow)
	})
	return p.ours, err
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

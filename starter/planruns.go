package starter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// PlanRuns starts runs of plans and talks to them.
type PlanRuns struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys

	proofs *proofs
}

// PlanRuns are those of the same installation.
func (s *Incidents) PlanRuns() *PlanRuns {
	return &PlanRuns{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys, proofs: &s.proofs}
}

// A PlanRunSummary is one row of a list of runs.
type PlanRunSummary struct {
	ID       planrun.ID     `json:"id"`
	Kind     plan.Kind      `json:"kind"`
	Title    string         `json:"title"`
	Status   planrun.Status `json:"status"`
	Customer string         `json:"customer"` // ID
	OpenedAt time.Time      `json:"opened_at"`
	NextDue  time.Time      `json:"next_due,omitzero"`
	EndedAt  time.Time      `json:"ended_at,omitzero"`
}

// A PlanRunFilter narrows a list of runs. Zero values do not.
type PlanRunFilter struct {
	Kind      plan.Kind
	Status    planrun.Status
	Open      bool     // not over
	Customers []string // IDs
	After     string
	Limit     int
}

// begin starts a run in Muster's name for something that it keeps, under the id of that. A *RefusedError says that none can be started as
// things are.
func (s *PlanRuns) begin(ctx context.Context, id string, terms planrun.Terms) (*planrun.Run, error) {
	run, err := s.Start(ctx, Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, terms)
	if _, none := errors.AsType[*NotFoundError](err); none { // a worker has refused its start
		return nil, &RefusedError{Reason: runOf(startedBy(id)) + " could not be started"}
	}
	return run, err
}

// Start starts a run in the name of whoever asks. One at a time has an environment: the same request finds the one that it has
// started, and any other is refused with which one has it since when.
func (s *PlanRuns) Start(ctx context.Context, req Request, terms planrun.Terms) (*planrun.Run, error) {
	terms.ID, terms.Request, terms.Starter = startedBy(req.ID), req.ID, req.By
	if ref, known, err := s.look(ctx, terms.ID); err != nil || known { // it may be over, and another one have the environment
		if err != nil {
			return nil, err
		}
		return s.state(ctx, runOf(terms.ID), ref)
	}
	name := workflows.PlanRunWorkflow(terms.Plan.Kind)
	workflowID := workflows.PlanRunWorkflowIDOf(&terms)
	in, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: name, By: req.By}, req.Via, terms)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", runOf(terms.ID), err)
	}
	_, err = s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: workflows.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		Priority:                 temporal.Priority{PriorityKey: int(planrun.Priority)},
		Memo:                     map[string]any{titleMemo: bounded(terms.Plan.Name.En + ", " + terms.Target().Name)},
		TypedSearchAttributes:    workflows.PlanRunAttributes(terms),
	}, name, in)
	_, underWay := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	if err != nil && !underWay {
		return nil, told(runOf(terms.ID), err)
	}
	r, err := s.state(ctx, runOf(terms.ID), Ref{WorkflowID: workflowID})
	if err != nil || r.Request == req.ID {
		return r, err
	}
	if r.Over() {
		return nil, &RefusedError{Reason: fmt.Sprintf("start %s on %s of %s: %s is %s, and its last messages are still on their way: try again in a moment",
			terms.Plan.ID, terms.Target().Name, terms.CustomerName, r.ID, r.Status)}
	}
	return nil, &RefusedError{Reason: fmt.Sprintf("start %s on %s of %s: %s has it since %s, started by %s, and is %s", terms.Plan.ID,
		terms.Target().Name, terms.CustomerName, r.ID, r.Opened.UTC().Format(time.RFC3339), r.Starter.Shown(), r.Status)}
}

// startedBy is the ID of the run that a request starts.
func startedBy(request string) planrun.ID {
	digest := sha256.Sum256([]byte(request))
	return planrun.NewID(binary.BigEndian.Uint64(digest[:]))
}

// State returns a run, open or over.
func (s *PlanRuns) State(ctx context.Context, id planrun.ID) (*planrun.Run, error) {
	ref, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.state(ctx, runOf(id), ref)
}

// History returns the complete event history of a run, which is one.
func (s *PlanRuns) History(ctx context.Context, id planrun.ID) ([]*historypb.History, error) {
	ref, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	h, err := historyOf(ctx, s.Temporal, runOf(id), ref)
	return []*historypb.History{h}, err
}

func (s *PlanRuns) state(ctx context.Context, what string, ref Ref) (*planrun.Run, error) {
	return stateOf[planrun.Run](ctx, s.Temporal, what, ref)
}

// Ask asks something of a run, and of no other that may have its environment later. The same request id twice is one decision.
func (s *PlanRuns) Ask(ctx context.Context, id planrun.ID, req Request, c planrun.Command) error {
	ref, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	return unanswered(ctx, s.Temporal, runOf(id), ref.WorkflowID, ref.RunID,
		ask(ctx, s.Temporal, s.Keys, ref.WorkflowID, ref.RunID, planRunUpdate(c), req, c, nil))
}

// planRunUpdate is the name by which a run takes a command.
func planRunUpdate(c planrun.Command) string {
	switch c.(type) {
	case planrun.Assign:
		return workflows.AssignUpdate
	case planrun.Begin:
		return workflows.BeginUpdate
	case planrun.Complete:
		return workflows.CompleteUpdate
	case planrun.Fail:
		return workflows.FailUpdate
	case planrun.CheckEvidence:
		return workflows.CheckEvidenceUpdate
	case planrun.AddEvidence:
		return workflows.AddEvidenceUpdate
	case planrun.Skip:
		return workflows.SkipUpdate
	case planrun.Waive:
		return workflows.WaiveUpdate
	case planrun.Retry:
		return workflows.RetryUpdate
	case planrun.Settle:
		return workflows.SettleUpdate
	case planrun.DoStep:
		return workflows.DoStepUpdate
	case planrun.Vote:
		return workflows.VoteUpdate
	case planrun.Delegate:
		return workflows.DelegateUpdate
	case planrun.Halt:
		return workflows.HaltUpdate
	case planrun.Continue:
		return workflows.ContinueUpdate
	case planrun.RollBack:
		return workflows.RollBackUpdate
	case planrun.SettleUndo:
		return workflows.SettleUndoUpdate
	case planrun.AskOverride:
		return workflows.AskOverrideUpdate
	case planrun.ConfirmOverride:
		return workflows.ConfirmOverrideUpdate
	case planrun.RePlan:
		return workflows.RePlanUpdate
	case planrun.Cancel:
		return workflows.CancelUpdate
	case planrun.Note:
		return workflows.NoteUpdate
	case planrun.AddAction:
		return workflows.AddActionUpdate
	}
	return "" // no workflow takes it: Temporal refuses
}

// List returns runs, the newest first, and a cursor for more, empty at the end.
func (s *PlanRuns) List(ctx context.Context, f PlanRunFilter) ([]PlanRunSummary, string, error) {
	types := planTypes()
	if f.Kind != "" {
		types = []string{workflows.PlanRunWorkflow(f.Kind)}
	}
	query := "WorkflowType IN " + quoted(types)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if len(f.Customers) > 0 {
		query += fmt.Sprintf(" AND %s IN %s", workflows.CustomersAttribute.GetName(), quoted(f.Customers))
	}
	rows, next, err := s.list(ctx, query, f.Limit, f.After)
	if err != nil {
		return nil, "", err
	}
	all := make([]PlanRunSummary, 0, len(rows))
	for _, row := range rows {
		n := slices.IndexFunc(plan.Kinds(), func(k plan.Kind) bool { return workflows.PlanRunWorkflow(k) == row.typ })
		r := PlanRunSummary{
			ID: planrun.ID(row.ID), Kind: plan.Kinds()[n], Title: row.Title, Status: planrun.Status(row.Status), OpenedAt: row.OpenedAt,
			NextDue: row.NextDue, EndedAt: row.ClosedAt,
		}
		if len(row.Customers) > 0 {
			r.Customer = row.Customers[0]
		}
		all = append(all, r)
	}
	return all, next, nil
}

// mostRuns is how many runs are looked at for changes, the newest.
const mostRuns = 200

// Changed returns what runs have changed in environments in which a service runs, after from and not after until.
func (s *Incidents) Changed(ctx context.Context, service string, from, until time.Time) (all []review.Change, err error) {
	query := fmt.Sprintf("WorkflowType IN %s AND StartTime < '%s' AND (ExecutionStatus = 'Running' OR CloseTime > '%s')", quoted(planTypes()),
		until.UTC().Format(time.RFC3339), from.UTC().Format(time.RFC3339))
	runs := s.PlanRuns()
	rows, _, err := runs.list(ctx, query, mostRuns, "")
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		run, err := runs.state(ctx, runOf(planrun.ID(row.ID)), row.ref)
		if _, gone := errors.AsType[*NotFoundError](err); gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, t := range run.Touched(service) {
			if t.At.After(from) && !t.At.After(until) {
				all = append(all, review.Change{Run: string(run.ID), Title: row.Title, Environment: t.Environment, Task: t.Task, At: t.At})
			}
		}
	}
	return all, nil
}

// planTypes are the types of the workflows that run plans.
func planTypes() []string {
	var types []string
	for _, k := range plan.Kinds() {
		types = append(types, workflows.PlanRunWorkflow(k))
	}
	return types
}

func (s *PlanRuns) list(ctx context.Context, query string, limit int, after string) ([]Summary, string, error) {
	return s.proofs.list(ctx, s.Temporal, s.Namespace, "runs of plans", query, limit, after, s.judge)
}

// find returns where the run with an id lives.
func (s *PlanRuns) find(ctx context.Context, id planrun.ID) (Ref, error) {
	if !id.Valid() {
		return Ref{}, &NotFoundError{What: fmt.Sprintf("run %q", string(id))}
	}
	return seek(ctx, runOf(id), func() (Ref, bool, error) { return s.look(ctx, id) })
}

// look finds where the run with an id lives, as far as lists know it already.
func (s *PlanRuns) look(ctx context.Context, id planrun.ID) (Ref, bool, error) {
	query := fmt.Sprintf("WorkflowType IN %s AND %s = '%s'", quoted(planTypes()), workflows.IDAttribute.GetName(), id)
	rows, _, err := s.list(ctx, query, 10, "")
	for _, row := range rows {
		if planrun.ID(row.ID) == id {
			return row.ref, true, nil
		}
	}
	return Ref{}, false, err
}

// judge says what a start proves.
func (s *PlanRuns) judge(workflowID string, e *historypb.HistoryEvent) proof {
	return sealedStart(s.Keys, workflowID, e, planTypes()...)
}

func runOf(id planrun.ID) string { return "run " + string(id) }

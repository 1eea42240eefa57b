package starter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/problem"
	"muster/internal/timeline"
	"muster/workflows"
)

// Problems opens problems and talks to them.
type Problems struct{ of *Incidents }

// Problems are those of the same installation, which may be connected later.
func (s *Incidents) Problems() *Problems { return &Problems{s} }

// A ProblemSummary is one row of a list of problems.
type ProblemSummary struct {
	ID       problem.ID     `json:"id"`
	Title    string         `json:"title"`
	Status   problem.Status `json:"status"`
	Service  string         `json:"service"` // ID
	OpenedAt time.Time      `json:"opened_at"`
	NextDue  time.Time      `json:"next_due,omitzero"`
	ClosedAt time.Time      `json:"closed_at,omitzero"`
}

// A ProblemFilter narrows a list of problems. Zero values do not.
type ProblemFilter struct {
	Status  problem.Status
	Open    bool   // not closed
	Service string // ID
	After   string
	Limit   int
}

// Open opens a problem in the name of whoever asks. One at a time is open for what its incidents have in common: the same request
// finds the one that it has opened, and any other is refused with which one there is.
func (s *Problems) Open(ctx context.Context, req Request, terms problem.Terms) (*problem.Problem, error) {
	terms.ID, terms.Request, terms.Opener = problemID(req.ID), req.ID, req.By
	if ref, known, err := s.look(ctx, terms.ID); err != nil || known { // it may be closed, and another one open
		if err != nil {
			return nil, err
		}
		return s.state(ctx, problemOf(terms.ID), ref)
	}
	p, err := s.start(ctx, terms, req.Via)
	if err != nil || p.Request == req.ID {
		return p, err
	}
	return nil, &RefusedError{Reason: fmt.Sprintf("open problem of %s: %s was opened for the same at %s, and is %s: link incidents to it", terms.Service.Name, p.ID,
		p.Opened.UTC().Format(time.RFC3339), p.Status)}
}

// problemID makes an identity of what has asked for the problem.
func problemID(request string) problem.ID {
	digest := sha256.Sum256([]byte(request))
	return problem.NewID(binary.BigEndian.Uint64(digest[:]))
}

// start starts the workflow of a problem, or finds the one that runs, and returns its state.
func (s *Problems) start(ctx context.Context, terms problem.Terms, via string) (*problem.Problem, error) {
	workflowID, req := workflows.ProblemWorkflowID(terms.Service.ID, terms.Key), Request{ID: terms.Request, By: terms.Opener, Via: via}
	if err := startOnce(ctx, s.of.Temporal, s.of.Keys, req, problemOf(terms.ID), workflows.ProblemWorkflow, terms, client.StartWorkflowOptions{
		ID: workflowID, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		Priority:              temporal.Priority{PriorityKey: int(problem.Priority)},
		Memo:                  map[string]any{titleMemo: bounded(terms.Title)},
		TypedSearchAttributes: workflows.ProblemAttributes(terms),
	}); err != nil {
		return nil, err
	}
	return s.state(ctx, problemOf(terms.ID), Ref{WorkflowID: workflowID})
}

// State returns a problem, open or closed.
func (s *Problems) State(ctx context.Context, id problem.ID) (*problem.Problem, error) {
	ref, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.state(ctx, problemOf(id), ref)
}

func (s *Problems) state(ctx context.Context, what string, ref Ref) (*problem.Problem, error) {
	return stateOf[problem.Problem](ctx, s.of.Temporal, what, ref)
}

// Ask asks something of a problem, and of no other that may be open for the same later. The same request id twice is one decision.
func (s *Problems) Ask(ctx context.Context, id problem.ID, req Request, c problem.Command) error {
	ref, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	return unanswered(ctx, s.of.Temporal, problemOf(id), ref.WorkflowID, ref.RunID,
		ask(ctx, s.of.Temporal, s.of.Keys, ref.WorkflowID, ref.RunID, problemUpdate(c), req, c, nil))
}

// problemUpdate is the name by which a problem takes a command.
func problemUpdate(c problem.Command) string {
	switch c.(type) {
	case problem.LinkIncident:
		return workflows.LinkIncidentUpdate
	case problem.UnlinkIncident:
		return workflows.UnlinkIncidentUpdate
	case problem.SetKnownError:
		return workflows.SetKnownErrorUpdate
	case problem.SetCause:
		return workflows.SetCauseUpdate
	case problem.SetFix:
		return workflows.SetFixUpdate
	case problem.Assign:
		return workflows.AssignUpdate
	case problem.Close:
		return workflows.CloseUpdate
	case problem.Note:
		return workflows.NoteUpdate
	}
	return "" // no workflow takes it: Temporal refuses
}

// List returns problems, the newest first, and a cursor for more, empty at the end.
func (s *Problems) List(ctx context.Context, f ProblemFilter) ([]ProblemSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s'", workflows.ProblemWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if f.Service != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.ServiceAttribute.GetName(), quoted([]string{f.Service}))
	}
	listed, next, err := s.list(ctx, query, f.Limit, f.After)
	rows := make([]ProblemSummary, 0, len(listed))
	for _, row := range listed {
		rows = append(rows, ProblemSummary{
			ID: problem.ID(row.ID), Title: row.Title, Status: problem.Status(row.Status), Service: row.Service, OpenedAt: row.OpenedAt,
			NextDue: row.NextDue, ClosedAt: row.ClosedAt,
		})
	}
	return rows, next, err
}

func (s *Problems) list(ctx context.Context, query string, limit int, after string) ([]Summary, string, error) {
	return s.of.proofs.list(ctx, s.of.Temporal, s.of.Namespace, "problems", query, limit, after, s.judge)
}

// find returns where the problem with an id lives.
func (s *Problems) find(ctx context.Context, id problem.ID) (Ref, error) {
	if !id.Valid() {
		return Ref{}, &NotFoundError{What: fmt.Sprintf("problem %q", string(id))}
	}
	return seek(ctx, problemOf(id), func() (Ref, bool, error) { return s.look(ctx, id) })
}

// look finds where the problem with an id lives, as far as lists know it already.
func (s *Problems) look(ctx context.Context, id problem.ID) (Ref, bool, error) {
	query := fmt.Sprintf("WorkflowType = '%s' AND %s = '%s'", workflows.ProblemWorkflow, workflows.IDAttribute.GetName(), id)
	rows, _, err := s.list(ctx, query, 10, "")
	for _, row := range rows {
		if problem.ID(row.ID) == id {
			return row.ref, true, nil
		}
	}
	return Ref{}, false, err
}

// judge says what a start proves.
func (s *Problems) judge(workflowID string, e *historypb.HistoryEvent) proof {
	return sealedStart(s.of.Keys, workflowID, e, workflows.ProblemWorkflow)
}

// Occurred brings an incident to the open problems of what it has in common with others, and returns the first of them, nil when
// there is none.
func (s *Problems) Occurred(ctx context.Context, service string, o problem.Occurrence) (found *problem.Found, err error) {
	for _, k := range o.Keys {
		f, err := s.occurred(ctx, workflows.ProblemWorkflowID(service, k), o)
		if err != nil {
			return nil, err
		}
		if found == nil {
			found = f
		}
	}
	return found, nil
}

// occurred brings an incident to the problem under a workflow id, and returns it, nil when none is open.
func (s *Problems) occurred(ctx context.Context, workflowID string, o problem.Occurrence) (*problem.Found, error) {
	run, err := s.of.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err == nil {
		if info := run.GetWorkflowExecutionInfo(); info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
			id := string(o.Incident) + "/begun"
			if !o.Closed.IsZero() {
				id = string(o.Incident) + "/over"
			}
			if o.Reopened > 0 {
				id += fmt.Sprintf("/reopened-%d", o.Reopened)
			}
			var f problem.Found
			err = ask(ctx, s.of.Temporal, s.of.Keys, workflowID, info.GetFirstRunId(), workflows.OccurUpdate,
				Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, o, &f)
			if err == nil && f.Status == string(problem.Closed) { // it runs until its last message has an outcome
				return nil, nil
			}
			if err == nil {
				return &f, nil
			}
		}
	}
	err = told("problem "+workflowID, err)
	if _, none := errors.AsType[*NotFoundError](err); none { // or it was closed meanwhile
		return nil, nil
	}
	return nil, err
}

// mostBefore is how many closed incidents of a service are looked at, the newest.
const mostBefore = 50

// Before returns the incidents of a service that were closed since an instant, the newest ones. One that does not answer any more is
// not counted.
func (s *Problems) Before(ctx context.Context, service string, since time.Time) ([]problem.Occurrence, error) {
	rows, _, err := s.of.list(ctx, fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Completed' AND %s IN %s AND CloseTime > '%s'",
		workflows.IncidentWorkflow, workflows.ServiceAttribute.GetName(), quoted([]string{service}), since.UTC().Format(time.RFC3339)), mostBefore, "")
	if err != nil {
		return nil, err
	}
	var all []problem.Occurrence
	for _, row := range rows {
		i, err := s.of.state(ctx, row.ID, row.ref.WorkflowID, row.ref.RunID)
		if err != nil {
			continue
		}
		if o, ok := problem.OccurrenceBefore(i); ok {
			all = append(all, o)
		}
	}
	return all, nil
}

// Begin opens a problem in Muster's name, or finds the open one of the same key.
func (s *Problems) Begin(ctx context.Context, terms problem.Terms, o problem.Occurrence) (*problem.Found, error) {
	terms.Request, terms.Opener = "recurrence/"+string(o.Incident), timeline.Muster()
	terms.ID = problemID(terms.Request)
	p, err := s.start(ctx, terms, byWorkflow)
	if err != nil {
		return nil, err
	}
	if p.ID != terms.ID { // another incident was faster
		f, err := s.occurred(ctx, workflows.ProblemWorkflowID(terms.Service.ID, terms.Key), o)
		if err == nil && f == nil {
			err = fmt.Errorf("open problem behind %s: %s is closed, and its last message under way", o.Incident, p.ID)
		}
		return f, err
	}
	f := p.Found()
	return &f, nil
}

func problemOf(id problem.ID) string { return "problem " + string(id) }

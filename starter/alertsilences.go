package starter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/workflows"
)

// Silences make silences, and talk to them.
type Silences struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys

	running *runningSilences
}

// Silences are those of the same installation.
func (s *Incidents) Silences() *Silences {
	return &Silences{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys, running: &s.silenced}
}

// A SilenceSummary is one row of a list of silences.
type SilenceSummary struct {
	ID       silence.ID     `json:"id"`
	Title    string         `json:"title"`
	Window   string         `json:"window,omitempty"` // ID in the organisation folder; empty where a person has made it
	By       timeline.Actor `json:"by,omitzero"`      // who has made it
	Match    silence.Match  `json:"match"`
	When     string         `json:"when,omitempty"` // its condition
	From     time.Time      `json:"from"`
	Until    time.Time      `json:"until"`
	Status   silence.Status `json:"status"`
	ClosedAt time.Time      `json:"closed_at,omitzero"`
	Count    *int           `json:"count,omitempty"`  // how many alerts it has held back; known once it has ended
	Firing   *int           `json:"firing,omitempty"` // how many of them have gone to incidents
}

// SilenceRow is a silence as a list has it.
func SilenceRow(t *silence.Terms, s silence.Status) SilenceSummary {
	return SilenceSummary{
		ID: t.ID, Title: t.Title(), Window: t.Window, By: t.By, Match: t.Match, When: t.When, From: t.From, Until: t.Until, Status: s,
	}
}

// A SilenceFilter narrows a list of silences. Zero values do not.
type SilenceFilter struct {
	Status silence.Status
	Open   bool // not ended
	After  string
	Limit  int
}

// Make makes a silence in the name of whoever asks. The identity follows from that of what was asked, so the same one twice is one
// silence.
func (s *Silences) Make(ctx context.Context, req Request, terms silence.Terms) (*silence.Silence, error) {
	digest := sha256.Sum256([]byte("silence " + req.ID))
	terms.ID, terms.Request, terms.By = silence.NewID(binary.BigEndian.Uint64(digest[:])), req.ID, req.By
	options := silenceOptions(terms)
	options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	if err := startOnce(ctx, s.Temporal, s.Keys, req, silenceOf(terms.ID), workflows.AlertSilenceWorkflow, workflows.AlertSilenceInput{Terms: terms}, options); err != nil {
		return nil, err
	}
	made, err := s.State(ctx, terms.ID)
	if err != nil {
		return nil, err
	}
	if made.Request != req.ID {
		return nil, &RefusedError{Reason: silenceOf(terms.ID) + ": it is another one: ask again under another key"}
	}
	_ = s.refresh(ctx) // whoever made it expects it to hold at once; else the next look finds it
	return made, nil
}

// silenceOptions are those of the start of a silence.
func silenceOptions(t silence.Terms) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: workflows.AlertSilenceWorkflowID(t.ID), TaskQueue: workflows.TaskQueue, Priority: temporal.Priority{PriorityKey: int(planrun.Priority)},
		Memo: map[string]any{titleMemo: t.Title()}, TypedSearchAttributes: workflows.AlertSilenceAttributes(t, time.Now()),
	}
}

// State returns a silence, also one that has ended.
func (s *Silences) State(ctx context.Context, id silence.ID) (*silence.Silence, error) {
	if !id.Valid() {
		return nil, &NotFoundError{What: fmt.Sprintf("silence %q", string(id))}
	}
	return stateOf[silence.Silence](ctx, s.Temporal, silenceOf(id), Ref{WorkflowID: workflows.AlertSilenceWorkflowID(id)})
}

// End ends a silence before its time. The same request id twice is one decision.
func (s *Silences) End(ctx context.Context, id silence.ID, req Request, c silence.End) error {
	if !id.Valid() {
		return &NotFoundError{What: fmt.Sprintf("silence %q", string(id))}
	}
	err := askNewest(ctx, s.Temporal, s.Keys, silenceOf(id), workflows.AlertSilenceWorkflowID(id), workflows.EndUpdate, req, c)
	if err == nil {
		s.running.ended(id)
	}
	return err
}

// List returns silences, the newest first, and a cursor for more, empty at the end.
func (s *Silences) List(ctx context.Context, f SilenceFilter) ([]SilenceSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus != 'ContinuedAsNew'", workflows.AlertSilenceWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += fmt.Sprintf(" AND %s != '%s'", workflows.StatusAttribute.GetName(), silence.Ended)
	}
	all, next, err := s.list(ctx, query, f.Limit, f.After)
	var rows []SilenceSummary
	for _, x := range all {
		rows = append(rows, x.row)
	}
	return rows, next, err
}

// A listedSilence is one as a list has it.
type listedSilence struct {
	ref   Ref
	terms silence.Terms
	row   SilenceSummary
}

// list returns those silences of a query that this installation has started.
func (s *Silences) list(ctx context.Context, query string, limit int, after string) ([]listedSilence, string, error) {
	resp, err := s.executions(ctx, query, limit, after)
	if err != nil {
		return nil, "", err
	}
	var all []listedSilence
	for _, e := range resp.GetExecutions() {
		x, ours, err := s.listed(ctx, e)
		if err != nil {
			return nil, "", err
		}
		if ours {
			all = append(all, x)
		}
	}
	return all, string(resp.GetNextPageToken()), nil
}

func (s *Silences) executions(ctx context.Context, query string, limit int, after string) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	resp, err := s.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: s.Namespace, Query: query, PageSize: int32(limit), NextPageToken: []byte(after),
	})
	return resp, told("list silences", err)
}

// listed is a silence as a list has it, and whether this installation has started it.
func (s *Silences) listed(ctx context.Context, e *workflowpb.WorkflowExecutionInfo) (x listedSilence, ours bool, err error) {
	x.ref = refOf(e)
	x.terms, ours, err = s.terms(ctx, x.ref)
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone { // past its retention since the list was made
		return x, false, nil
	}
	if err != nil || !ours {
		return x, false, told("list silences", err)
	}
	x.row = listedRow(&x.terms, e)
	return x, true, nil
}

func refOf(e *workflowpb.WorkflowExecutionInfo) Ref {
	return Ref{WorkflowID: e.GetExecution().GetWorkflowId(), RunID: e.GetExecution().GetRunId()}
}

// listedRow is what a list says of a run.
func listedRow(t *silence.Terms, e *workflowpb.WorkflowExecutionInfo) SilenceSummary {
	is := summary(e)
	row := SilenceRow(t, silence.Status(is.Status))
	row.ClosedAt = is.ClosedAt
	memo := e.GetMemo().GetFields()
	for name, into := range map[string]**int{workflows.HeldMemo: &row.Count, workflows.FiringMemo: &row.Firing} {
		if p := memo[name]; p != nil {
			_ = converter.GetDefaultDataConverter().FromPayload(p, into) // a value of another type is as good as none
		}
	}
	return row
}

// terms are those of a silence, as its start proves them, and whether this installation has started it.
func (s *Silences) terms(ctx context.Context, ref Ref) (silence.Terms, bool, error) {
	if t, known := s.running.proven(ref.RunID); known {
		return t, true, nil
	}
	e, err := beginning(ctx, s.Temporal, s.Namespace, ref)
	if err != nil {
		return silence.Terms{}, false, err
	}
	start := e.GetWorkflowExecutionStartedEventAttributes()
	var in signature.Signed[workflows.AlertSilenceInput]
	if start.GetWorkflowType().GetName() != workflows.AlertSilenceWorkflow || start.GetTaskQueue().GetName() != workflows.TaskQueue ||
		converter.GetDefaultDataConverter().FromPayloads(start.GetInput(), &in) != nil {
		return silence.Terms{}, false, nil
	}
	terms := in.Body.Terms
	by, digest, seal := in.Proof()
	statement := signature.Statement{Workflow: ref.WorkflowID, Message: workflows.AlertSilenceWorkflow, Digest: digest, By: by}
	may := by == terms.By
	switch {
	case in.Body.State != nil:
		statement.FirstRun, may = start.GetFirstExecutionRunId(), by == timeline.Muster()
	case terms.Window != "":
		may = by.Kind == timeline.Source
	}
	ours := seal != nil && may && ref.WorkflowID == workflows.AlertSilenceWorkflowID(terms.ID) &&
		s.Keys.Prove(statement, *seal) == nil
	if ours {
		s.running.prove(ref.RunID, terms)
	}
	return terms, ours, nil
}

func silenceOf(id silence.ID) string { return "silence " + string(id) }

package starter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/priority"
	"muster/internal/risk"
	"muster/workflows"
)

// Escalations start risks that people escalate, and talk to them.
type Escalations struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys

	proofs *proofs
}

// Escalations are those of the same installation.
func (s *Incidents) Escalations() *Escalations {
	return &Escalations{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys, proofs: &s.proofs}
}

// An EscalationSummary is one row of a list of escalations.
type EscalationSummary struct {
	ID       risk.ID           `json:"id"`
	Title    string            `json:"title"` // the first line of the situation
	Status   risk.Status       `json:"status"`
	Priority priority.Priority `json:"priority"`
	Service  string            `json:"service,omitempty"` // ID
	OpenedAt time.Time         `json:"opened_at"`
	NextDue  time.Time         `json:"next_due,omitzero"` // when it climbs, or somebody is told again
	ClosedAt time.Time         `json:"closed_at,omitzero"`
}

// An EscalationFilter narrows a list of escalations. Zero values do not.
type EscalationFilter struct {
	Status  risk.Status
	Open    bool   // not in hand
	Service string // ID
	After   string
	Limit   int
}

// Start escalates a risk in the name of whoever asks. The identity follows from that of what was asked, so the same one twice
// is one escalation.
func (s *Escalations) Start(ctx context.Context, req Request, terms risk.Terms) (*risk.Escalation, error) {
	digest := sha256.Sum256([]byte("escalation " + req.ID))
	terms.ID, terms.Request, terms.Originator = risk.NewID(binary.BigEndian.Uint64(digest[:])), req.ID, req.By
	if err := startOnce(ctx, s.Temporal, s.Keys, req, escalationOf(terms.ID), workflows.EscalationWorkflow, terms, client.StartWorkflowOptions{
		ID: workflows.EscalationWorkflowID(terms.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:              temporal.Priority{PriorityKey: int(terms.Priority)},
		Memo:                  map[string]any{titleMemo: terms.Title()},
		TypedSearchAttributes: workflows.EscalationAttributes(terms),
	}); err != nil {
		return nil, err
	}
	e, err := s.State(ctx, terms.ID)
	if err == nil && e.Request != req.ID {
		err = &RefusedError{Reason: escalationOf(terms.ID) + ": it is another one: ask again under another key"}
	}
	return e, err
}

// State returns an escalation, open or over.
func (s *Escalations) State(ctx context.Context, id risk.ID) (*risk.Escalation, error) {
	if !id.Valid() {
		return nil, &NotFoundError{What: fmt.Sprintf("escalation %q", string(id))}
	}
	return stateOf[risk.Escalation](ctx, s.Temporal, escalationOf(id), Ref{WorkflowID: workflows.EscalationWorkflowID(id)})
}

// Ask asks something of an escalation. The same request id twice is one decision.
func (s *Escalations) Ask(ctx context.Context, id risk.ID, req Request, c risk.Command) error {
	if !id.Valid() {
		return &NotFoundError{What: fmt.Sprintf("escalation %q", string(id))}
	}
	workflowID, name := workflows.EscalationWorkflowID(id), ""
	switch c.(type) {
	case risk.Take:
		name = workflows.TakeUpdate
	case risk.Answer:
		name = workflows.AnswerUpdate
	case risk.Confirm:
		name = workflows.ConfirmUpdate
	case risk.Raise:
		name = workflows.RaiseUpdate
	case risk.Succeed:
		name = workflows.SucceedUpdate
	case risk.Note:
		name = workflows.NoteUpdate
	}
	return askNewest(ctx, s.Temporal, s.Keys, escalationOf(id), workflowID, name, req, c)
}

// List returns escalations, the newest first, and a cursor for more, empty at the end.
func (s *Escalations) List(ctx context.Context, f EscalationFilter) ([]EscalationSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s'", workflows.EscalationWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if f.Service != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.ServiceAttribute.GetName(), quoted([]string{f.Service}))
	}
	listed, next, err := s.proofs.list(ctx, s.Temporal, s.Namespace, "escalations", query, f.Limit, f.After, s.judge)
	var rows []EscalationSummary
	for _, row := range listed {
		rows = append(rows, EscalationSummary{
			ID: risk.ID(row.ID), Title: row.Title, Status: risk.Status(row.Status), Priority: row.Priority, Service: row.Service,
			OpenedAt: row.OpenedAt, NextDue: row.NextDue, ClosedAt: row.ClosedAt,
		})
	}
	return rows, next, err
}

// judge says what a start proves.
func (s *Escalations) judge(workflowID string, e *historypb.HistoryEvent) proof {
	p := sealedStart(s.Keys, workflowID, e, workflows.EscalationWorkflow)
	p.ours = p.ours && workflowID == workflows.EscalationWorkflowID(risk.ID(p.id))
	return p
}

func escalationOf(id risk.ID) string { return "escalation " + string(id) }

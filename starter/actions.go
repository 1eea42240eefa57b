package starter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/action"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/workflows"
)

// Actions opens action items and talks to them.
type Actions struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys

	proofs *proofs
}

// Actions are those of the same installation.
func (s *Incidents) Actions() *Actions {
	return &Actions{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys, proofs: &s.proofs}
}

// An ActionSummary is one row of a list of action items. Who owns it and when it is due stands in the action item alone.
type ActionSummary struct {
	ID        action.ID         `json:"id"`
	Title     string            `json:"title"`
	Status    string            `json:"status"` // where it stands, or "overdue"
	Kind      action.Kind       `json:"kind,omitempty"`
	Priority  priority.Priority `json:"priority"`
	Owner     string            `json:"owner,omitempty"` // ID
	OwnerName string            `json:"owner_name,omitempty"`
	Due       time.Time         `json:"due,omitzero"`
	Origin    string            `json:"origin,omitempty"`   // ID
	Service   string            `json:"service,omitempty"`  // ID
	Customer  string            `json:"customer,omitempty"` // ID
	OpenedAt  time.Time         `json:"opened_at"`
	NextDue   time.Time         `json:"next_due,omitzero"` // when somebody is reminded next
	ClosedAt  time.Time         `json:"closed_at,omitzero"`
}

// An ActionFilter narrows a list of action items. Zero values do not.
type ActionFilter struct {
	Status   action.Status
	Open     bool   // not over
	Overdue  bool   // open and past its due instant
	Customer string // ID
	Service  string // ID
	After    string
	Limit    int
}

// Start opens an action item in the name of whoever asks. The identity follows from that of what was asked, so the same one twice
// is one action item.
func (s *Actions) Start(ctx context.Context, req Request, terms action.Terms) (*action.Action, error) {
	digest := sha256.Sum256([]byte("action " + req.ID))
	terms.ID, terms.Request, terms.Opener = action.NewID(binary.BigEndian.Uint64(digest[:])), req.ID, req.By
	if err := startOnce(ctx, s.Temporal, s.Keys, req, actionOf(terms.ID), workflows.ActionItemWorkflow, terms, client.StartWorkflowOptions{
		ID: workflows.ActionWorkflowID(terms.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:              temporal.Priority{PriorityKey: int(terms.Priority)},
		Memo:                  map[string]any{titleMemo: terms.Title},
		TypedSearchAttributes: workflows.ActionAttributes(terms),
	}); err != nil {
		return nil, err
	}
	a, err := s.State(ctx, terms.ID)
	if err == nil && a.Request != req.ID {
		err = &RefusedError{Reason: actionOf(terms.ID) + ": it is another one: ask again under another key"}
	}
	return a, err
}

// State returns an action item, open or over.
func (s *Actions) State(ctx context.Context, id action.ID) (*action.Action, error) {
	if !id.Valid() {
		return nil, &NotFoundError{What: fmt.Sprintf("action item %q", string(id))}
	}
	return stateOf[action.Action](ctx, s.Temporal, actionOf(id), Ref{WorkflowID: workflows.ActionWorkflowID(id)})
}

// Ask asks something of an action item. The same request id twice is one decision.
func (s *Actions) Ask(ctx context.Context, id action.ID, req Request, c action.Command) error {
	if !id.Valid() {
		return &NotFoundError{What: fmt.Sprintf("action item %q", string(id))}
	}
	workflowID, name := workflows.ActionWorkflowID(id), ""
	switch c.(type) {
	case action.Complete:
		name = workflows.CompleteUpdate
	case action.Verify:
		name = workflows.VerifyUpdate
	case action.CheckEffect:
		name = workflows.CheckEffectUpdate
	case action.Extend:
		name = workflows.ExtendUpdate
	case action.Assign:
		name = workflows.AssignUpdate
	case action.Cancel:
		name = workflows.CancelUpdate
	case action.Note:
		name = workflows.NoteUpdate
	}
	return askNewest(ctx, s.Temporal, s.Keys, actionOf(id), workflowID, name, req, c)
}

// List returns action items, the newest first, and a cursor for more, empty at the end.
func (s *Actions) List(ctx context.Context, f ActionFilter) ([]ActionSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s'", workflows.ActionItemWorkflow)
	status := workflows.StatusAttribute.GetName()
	switch {
	case f.Overdue:
		query += fmt.Sprintf(" AND %s = '%s'", status, action.Overdue)
	case f.Status == action.Open:
		query += fmt.Sprintf(" AND %s IN %s", status, quoted([]string{string(action.Open), action.Overdue}))
	case f.Status != "":
		query += fmt.Sprintf(" AND %s = '%s'", status, f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if f.Customer != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.CustomersAttribute.GetName(), quoted([]string{f.Customer}))
	}
	if f.Service != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.ServiceAttribute.GetName(), quoted([]string{f.Service}))
	}
	listed, next, err := s.proofs.list(ctx, s.Temporal, s.Namespace, "action items", query, f.Limit, f.After, s.judge)
	var rows []ActionSummary
	for _, row := range listed {
		r := ActionSummary{
			ID: action.ID(row.ID), Title: row.Title, Status: string(row.Status), Kind: action.Kind(row.Kind), Priority: row.Priority, Service: row.Service,
			OpenedAt: row.OpenedAt, NextDue: row.NextDue, ClosedAt: row.ClosedAt,
		}
		if len(row.Customers) == 1 {
			r.Customer = row.Customers[0]
		}
		rows = append(rows, r)
	}
	return rows, next, err
}

// judge says what a start proves.
func (s *Actions) judge(workflowID string, e *historypb.HistoryEvent) proof {
	p := sealedStart(s.Keys, workflowID, e, workflows.ActionItemWorkflow)
	p.ours = p.ours && workflowID == workflows.ActionWorkflowID(action.ID(p.id))
	return p
}

// WithActions is a run with where each of the action items stands that came of it. Of one that does not answer it stays open.
func WithActions(ctx context.Context, r *planrun.Run, ask func(context.Context, action.ID) (*action.Action, error)) *planrun.Run {
	if len(r.Actions) == 0 {
		return r
	}
	seen := *r
	seen.Actions = slices.Clone(r.Actions)
	for n := range seen.Actions {
		if a, err := ask(ctx, action.ID(seen.Actions[n].ID)); err == nil {
			seen.Actions[n].Status = a.Listed()
		}
	}
	return &seen
}

func actionOf(id action.ID) string { return "action item " + string(id) }

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

	"muster/internal/request"
	"muster/workflows"
)

// Requests starts customers' requests and talks to them.
type Requests struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys

	proofs *proofs
}

// Requests are those of the same installation.
func (s *Incidents) Requests() *Requests {
	return &Requests{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys, proofs: &s.proofs}
}

// A RequestSummary is one row of a list of requests.
type RequestSummary struct {
	ID       request.ID     `json:"id"`
	Subject  string         `json:"subject"` // feature, or a kind that is none
	Status   request.Status `json:"status"`
	Customer string         `json:"customer"` // ID
	OpenedAt time.Time      `json:"opened_at"`
	NextDue  time.Time      `json:"next_due,omitzero"`
	ClosedAt time.Time      `json:"closed_at,omitzero"`
}

// A RequestFilter narrows a list of requests. Zero values do not.
type RequestFilter struct {
	Status   request.Status
	Open     bool   // not over
	Customer string // ID
	After    string
	Limit    int
}

// Start receives a request in the name of whoever has recorded it. The identity follows from that of what was asked, so the
// same one twice is one request.
func (s *Requests) Start(ctx context.Context, req Request, terms request.Terms) (*request.Request, error) {
	digest := sha256.Sum256([]byte(req.ID))
	terms.ID, terms.Request, terms.Recorder = request.NewID(binary.BigEndian.Uint64(digest[:])), req.ID, req.By
	if err := startOnce(ctx, s.Temporal, s.Keys, req, requestOf(terms.ID), workflows.RequestWorkflow, terms, client.StartWorkflowOptions{
		ID: workflows.RequestWorkflowID(terms.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:              temporal.Priority{PriorityKey: int(request.Priority)},
		Memo:                  map[string]any{titleMemo: terms.Subject()},
		TypedSearchAttributes: workflows.RequestAttributes(terms),
	}); err != nil {
		return nil, err
	}
	r, err := s.State(ctx, terms.ID)
	if err == nil && r.Request != req.ID {
		err = &RefusedError{Reason: requestOf(terms.ID) + ": it is another one: ask again under another key"}
	}
	return r, err
}

// State returns a request, open or over.
func (s *Requests) State(ctx context.Context, id request.ID) (*request.Request, error) {
	if !id.Valid() {
		return nil, &NotFoundError{What: fmt.Sprintf("request %q", string(id))}
	}
	return stateOf[request.Request](ctx, s.Temporal, requestOf(id), Ref{WorkflowID: workflows.RequestWorkflowID(id)})
}

// Ask asks something of a request. The same request id twice is one decision.
func (s *Requests) Ask(ctx context.Context, id request.ID, req Request, c request.Command) error {
	if !id.Valid() {
		return &NotFoundError{What: fmt.Sprintf("request %q", string(id))}
	}
	workflowID, name := workflows.RequestWorkflowID(id), ""
	switch c.(type) {
	case request.Approve:
		name = workflows.ApproveUpdate
	case request.Decline:
		name = workflows.DeclineUpdate
	case request.Answer:
		name = workflows.AnswerUpdate
	case request.Withdraw:
		name = workflows.WithdrawUpdate
	case request.Note:
		name = workflows.NoteUpdate
	case request.Take:
		name = workflows.TakeUpdate
	case request.HandOver:
		name = workflows.HandOverUpdate
	case request.Collect:
		name = workflows.CollectUpdate
	case request.Meet:
		name = workflows.MeetUpdate
	case request.RecordCase:
		name = workflows.RecordCaseUpdate
	case request.Judge:
		name = workflows.JudgeUpdate
	case request.Promote:
		name = workflows.PromoteUpdate
	}
	return askNewest(ctx, s.Temporal, s.Keys, requestOf(id), workflowID, name, req, c)
}

// List returns requests, the newest first, and a cursor for more, empty at the end.
func (s *Requests) List(ctx context.Context, f RequestFilter) ([]RequestSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s'", workflows.RequestWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if f.Customer != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.CustomersAttribute.GetName(), quoted([]string{f.Customer}))
	}
	listed, next, err := s.proofs.list(ctx, s.Temporal, s.Namespace, "requests", query, f.Limit, f.After, s.judge)
	var rows []RequestSummary
	for _, row := range listed {
		if len(row.Customers) == 1 {
			rows = append(rows, RequestSummary{
				ID: request.ID(row.ID), Subject: row.Title, Status: request.Status(row.Status), Customer: row.Customers[0],
				OpenedAt: row.OpenedAt, NextDue: row.NextDue, ClosedAt: row.ClosedAt,
			})
		}
	}
	return rows, next, err
}

// judge says what a start proves.
func (s *Requests) judge(workflowID string, e *historypb.HistoryEvent) proof {
	p := sealedStart(s.Keys, workflowID, e, workflows.RequestWorkflow)
	p.ours = p.ours && workflowID == workflows.RequestWorkflowID(request.ID(p.id))
	return p
}

func requestOf(id request.ID) string { return "request " + string(id) }

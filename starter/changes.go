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

	"muster/internal/change"
	"muster/internal/planrun"
	"muster/workflows"
)

// Changes ask for changes and talk to them.
type Changes struct{ of *Incidents }

// Changes are those of the same installation, which may be connected later.
func (s *Incidents) Changes() *Changes { return &Changes{s} }

// A ChangeSummary is one row of a list of changes.
type ChangeSummary struct {
	ID       change.ID     `json:"id"`
	Title    string        `json:"title"`
	Way      string        `json:"way"` // or that an emergency was not approved
	Status   change.Status `json:"status"`
	Service  string        `json:"service"` // ID of the first one
	OpenedAt time.Time     `json:"opened_at"`
	NextDue  time.Time     `json:"next_due,omitzero"`
	ClosedAt time.Time     `json:"closed_at,omitzero"`
}

// A ChangeFilter narrows a list of changes. Zero values do not.
type ChangeFilter struct {
	Status     change.Status
	Way        change.Way
	Exceptions bool     // emergencies that were not approved afterwards
	Open       bool     // not over
	Customers  []string // IDs
	Since      time.Time
	After      string
	Limit      int
}

// Start asks for a change in the name of whoever asks. Its identity follows from that of what was asked, so the same one twice is one
// change.
func (s *Changes) Start(ctx context.Context, req Request, terms change.Terms) (*change.Change, error) {
	digest := sha256.Sum256([]byte(req.ID))
	terms.ID, terms.Request, terms.Requester = change.NewID(binary.BigEndian.Uint64(digest[:])), req.ID, req.By
	if err := startOnce(ctx, s.of.Temporal, s.of.Keys, req, changeOf(terms.ID), workflows.ChangeWorkflow, terms, client.StartWorkflowOptions{
		ID: workflows.ChangeWorkflowID(terms.ID), WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:              temporal.Priority{PriorityKey: int(change.Priority)},
		Memo:                  map[string]any{titleMemo: bounded(terms.Title)},
		TypedSearchAttributes: workflows.ChangeAttributes(terms),
	}); err != nil {
		return nil, err
	}
	c, err := s.State(ctx, terms.ID)
	if err == nil && c.Request != req.ID {
		err = &RefusedError{Reason: changeOf(terms.ID) + ": it is another one: ask again under another key"}
	}
	return c, err
}

// State returns a change, open or over.
func (s *Changes) State(ctx context.Context, id change.ID) (*change.Change, error) {
	if !id.Valid() {
		return nil, &NotFoundError{What: fmt.Sprintf("change %q", string(id))}
	}
	return stateOf[change.Change](ctx, s.of.Temporal, changeOf(id), Ref{WorkflowID: workflows.ChangeWorkflowID(id)})
}

// Ask asks something of a change. The same request id twice is one decision.
func (s *Changes) Ask(ctx context.Context, id change.ID, req Request, c change.Command) error {
	if !id.Valid() {
		return &NotFoundError{What: fmt.Sprintf("change %q", string(id))}
	}
	return askNewest(ctx, s.of.Temporal, s.of.Keys, changeOf(id), workflows.ChangeWorkflowID(id), changeUpdate(c), req, c)
}

// changeUpdate is the name by which a change takes a command.
func changeUpdate(c change.Command) string {
	switch c.(type) {
	case change.Assess:
		return workflows.AssessUpdate
	case change.AnswerCheck:
		return workflows.AnswerCheckUpdate
	case change.Vote:
		return workflows.VoteUpdate
	case change.Begin:
		return workflows.BeginUpdate
	case change.Complete:
		return workflows.CompleteUpdate
	case change.Fail:
		return workflows.FailUpdate
	case change.Move:
		return workflows.MoveUpdate
	case change.Withdraw:
		return workflows.WithdrawUpdate
	case change.Note:
		return workflows.NoteUpdate
	}
	return "" // no workflow takes it: Temporal refuses
}

// List returns changes, the newest first, and a cursor for more, empty at the end.
func (s *Changes) List(ctx context.Context, f ChangeFilter) ([]ChangeSummary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s'", workflows.ChangeWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	ways := []string{string(f.Way)}
	if f.Way == change.Emergency {
		ways = append(ways, change.Unapproved)
	}
	if f.Exceptions {
		ways = []string{change.Unapproved}
	}
	if ways[0] != "" {
		query += fmt.Sprintf(" AND %s IN %s", workflows.KindAttribute.GetName(), quoted(ways))
	}
	if len(f.Customers) > 0 {
		query += fmt.Sprintf(" AND %s IN %s", workflows.CustomersAttribute.GetName(), quoted(f.Customers))
	}
	if !f.Since.IsZero() {
		query += fmt.Sprintf(" AND StartTime > '%s'", f.Since.UTC().Format(time.RFC3339))
	}
	listed, next, err := s.of.proofs.list(ctx, s.of.Temporal, s.of.Namespace, "changes", query, f.Limit, f.After, s.judge)
	rows := make([]ChangeSummary, 0, len(listed))
	for _, row := range listed {
		rows = append(rows, ChangeSummary{
			ID: change.ID(row.ID), Title: row.Title, Way: string(row.Kind), Status: change.Status(row.Status), Service: row.Service, OpenedAt: row.OpenedAt,
			NextDue: row.NextDue, ClosedAt: row.ClosedAt,
		})
	}
	return rows, next, err
}

// judge says what a start proves.
func (s *Changes) judge(workflowID string, e *historypb.HistoryEvent) proof {
	p := sealedStart(s.of.Keys, workflowID, e, workflows.ChangeWorkflow)
	p.ours = p.ours && workflowID == workflows.ChangeWorkflowID(change.ID(p.id))
	return p
}

// mostUses is how many standard changes are looked at, the newest.
const mostUses = 500

// Used counts how often a standard change was used since an instant. What was refused, or never begun, was no use.
func (s *Changes) Used(ctx context.Context, standard string, since time.Time) (n int, err error) {
	after := ""
	for looked := 0; looked < mostUses; {
		rows, next, err := s.List(ctx, ChangeFilter{Way: change.Standard, Since: since, Limit: 100, After: after})
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			c, err := s.State(ctx, row.ID)
			if _, gone := errors.AsType[*NotFoundError](err); gone {
				continue
			}
			if err != nil {
				return 0, err
			}
			if never := c.Status.Final() && c.Began.IsZero(); c.Standard == standard && !never {
				n++
			}
		}
		if looked, after = looked+len(rows), next; next == "" {
			return n, nil
		}
	}
	return n, nil
}

// BeginForChange starts the run of a plan that a change becomes, in Muster's name. The same change twice is one run.
func (s *Changes) BeginForChange(ctx context.Context, id change.ID, terms planrun.Terms) (run planrun.ID, refused string, err error) {
	r, err := s.of.PlanRuns().begin(ctx, workflows.ChangeWorkflowID(id), terms)
	if no, ok := errors.AsType[*RefusedError](err); ok {
		return "", no.Reason, nil
	}
	if err != nil {
		return "", "", err
	}
	return r.ID, "", nil
}

func changeOf(id change.ID) string { return "change " + string(id) }

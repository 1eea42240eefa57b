package starter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/singleflight"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// titleMemo is the name of an incident's title in the memo of its runs. It is on the wire: never renamed.
const titleMemo = "title"

// Incidents starts incidents and talks to them.
type Incidents struct {
	Temporal  client.Client
	Namespace string
	Keys      Keys
	Folder    func() Folder // the organisation folder as it is now; nil: it holds nothing back

	proofs   proofs
	silenced runningSilences
	changing recentChanges
	looks    singleflight.Group // for open incidents
}

// DeliverAlways is Deliver whatever is held back, and returns which incident it is: none where a batch that only ends something finds
// no open one.
func (s *Incidents) DeliverAlways(ctx context.Context, workflowID string, def incident.Definition, b alert.Batch) (incident.ID, error) {
	if !fires(b) {
		_, err := s.deliverEnd(ctx, workflowID, b)
		return "", err
	}
	by := timeline.Actor{Kind: timeline.Source, ID: b.Source}
	batch, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: workflows.AlertsSignal, By: by}, "intake", b)
	if err != nil {
		return "", fmt.Errorf("deliver alerts to %s: %w", workflowID, err)
	}
	p, err := priority.Of(def.Impact, def.Urgency)
	if err != nil {
		return "", fmt.Errorf("deliver alerts to %s: %w", workflowID, err)
	}
	id := incident.NewID(rand.Uint64())
	in, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: workflows.IncidentWorkflow, By: by}, "intake",
		workflows.IncidentInput{ID: id, Definition: &def})
	if err != nil {
		return "", fmt.Errorf("open incident %s: %w", workflowID, err)
	}
	run, err := s.Temporal.SignalWithStartWorkflow(ctx, workflowID, workflows.AlertsSignal, batch, client.StartWorkflowOptions{
		ID:        workflowID,
		TaskQueue: workflows.TaskQueue,
		Priority:  temporal.Priority{PriorityKey: int(p)},
		Memo:      map[string]any{titleMemo: bounded(def.PublicTitle())},

		TypedSearchAttributes: workflows.OpeningAttributes(id, def, p, time.Now()),
	}, workflows.IncidentWorkflow, in)
	if err != nil {
		return "", told("incident "+workflowID, err)
	}
	return s.wantOurs(ctx, Ref{WorkflowID: workflowID, RunID: run.GetRunID()})
}

func fires(b alert.Batch) bool {
	return slices.ContainsFunc(b.Alerts, func(r alert.Received) bool { return r.State == alert.Firing })
}

// deliverEnd brings a batch without a firing alert to the open incident of a workflow id, and tells whether there is one.
func (s *Incidents) deliverEnd(ctx context.Context, workflowID string, b alert.Batch) (open bool, err error) {
	by := timeline.Actor{Kind: timeline.Source, ID: b.Source}
	batch, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: workflows.AlertsSignal, By: by}, "intake", b)
	if err != nil {
		return false, fmt.Errorf("deliver alerts to %s: %w", workflowID, err)
	}
	err = s.Temporal.SignalWorkflow(ctx, workflowID, "", workflows.AlertsSignal, batch)
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return false, nil
	}
	return true, told("incident "+workflowID, err)
}

// AcknowledgeOpen acknowledges the open incident of a workflow id in the name of an alert source. It returns why the incident refuses;
// where none is open, that.
func (s *Incidents) AcknowledgeOpen(ctx context.Context, workflowID, source string) (refused string, err error) {
	const nobody = "no incident is open"
	run, open, err := s.running(ctx, workflowID)
	if err != nil {
		return "", told("incident "+workflowID, err)
	}
	if !open {
		return nobody, nil
	}
	p, err := s.prove(ctx, Ref{WorkflowID: workflowID, RunID: run})
	if err == nil && !p.ours {
		return nobody, nil
	}
	req := Request{ID: fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()), By: timeline.Actor{Kind: timeline.Source, ID: source}, Via: "intake"}
	var receipt workflows.Receipt
	if err == nil {
		err = ask(ctx, s.Temporal, s.Keys, workflowID, p.first, workflows.AcknowledgeUpdate, req, incident.Acknowledge{}, &receipt)
	}
	err = unanswered(ctx, s.Temporal, "incident "+workflowID, workflowID, run, err)
	if no, is := errors.AsType[*RefusedError](err); is {
		return no.Reason, nil
	}
	if _, gone := errors.AsType[*NotFoundError](err); gone { // it has ended at this moment
		return nobody, nil
	}
	return "", err
}

// Open starts the incident that people have reported, in the name of whoever asks. What was reported under one number, or asked for
// by one request, is one incident: it is returned, and fresh is false. Another request with a number that is known is refused.
func (s *Incidents) Open(ctx context.Context, req Request, def incident.Definition, n incident.Notice) (id incident.ID, fresh bool, err error) {
	workflowID := workflows.NoticedIncidentWorkflowID(n, req.ID)
	p, err := priority.Of(def.Impact, def.Urgency)
	if err != nil {
		return "", false, fmt.Errorf("open incident: %w", err)
	}
	id = incident.NewID(rand.Uint64())
	in, err := seal(s.Keys, signature.Statement{Workflow: workflowID, Message: workflows.IncidentWorkflow, By: req.By}, req.Via,
		workflows.IncidentInput{ID: id, Definition: &def, Notice: &n, Request: req.ID})
	if err != nil {
		return "", false, fmt.Errorf("open incident %s: %w", workflowID, err)
	}
	_, err = s.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflowID, TaskQueue: workflows.TaskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		Priority:                 temporal.Priority{PriorityKey: int(p)},
		Memo:                     map[string]any{titleMemo: bounded(def.PublicTitle())},
		TypedSearchAttributes:    workflows.OpeningAttributes(id, def, p, time.Now()),
	}, workflows.IncidentWorkflow, in)
	if _, known := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); known {
		id, err = s.opened(ctx, workflowID, req, n.Receipt)
		return id, false, err
	}
	return id, true, told("incident "+workflowID, err)
}

// opened is the incident that was opened under a workflow id before, if it was asked for by the same request.
func (s *Incidents) opened(ctx context.Context, workflowID string, req Request, receipt string) (incident.ID, error) {
	run, err := s.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return "", told("incident "+workflowID, err)
	}
	p, err := s.prove(ctx, Ref{WorkflowID: workflowID, RunID: run.GetWorkflowExecutionInfo().GetFirstRunId()})
	switch {
	case err != nil:
		return "", told("incident "+workflowID, err)
	case !p.ours:
		return "", &UnavailableError{Cause: fmt.Errorf("%s was started by somebody else", workflowID)}
	case p.request != req.ID:
		return "", &RefusedError{Reason: fmt.Sprintf("open incident: receipt %q is that of %s already", receipt, p.id), Field: "receipt"}
	}
	return p.id, nil
}

// bounded keeps a title short enough for every list that will show it.
func bounded(title string) string {
	const most = 200
	if runes := []rune(title); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return title
}

// A Ref is where an incident lives.
type Ref struct {
	WorkflowID string
	RunID      string // newest run
}

// A Summary is one row of a list.
type Summary struct {
	ID        incident.ID       `json:"id"`
	Kind      incident.Kind     `json:"kind,omitempty"`
	Title     string            `json:"title"`
	Status    incident.Status   `json:"status"`
	Priority  priority.Priority `json:"priority"`
	Service   string            `json:"service"`
	Customers []string          `json:"customers"`
	OpenedAt  time.Time         `json:"opened_at"`
	NextDue   time.Time         `json:"next_due,omitzero"`
	ClosedAt  time.Time         `json:"closed_at,omitzero"`

	ref Ref
	typ string // of the workflow
}

// A Filter narrows a list. Zero values do not.
type Filter struct {
	Status    incident.Status
	Open      bool     // still running: not closed
	Customers []string // one of these is affected
	Services  []string // about one of these
	Ordinary  bool     // not restricted
	After     string
	Limit     int
}

// List returns incidents, the newest first, and a cursor for more, empty at the end.
func (s *Incidents) List(ctx context.Context, f Filter) ([]Summary, string, error) {
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus != 'ContinuedAsNew'", workflows.IncidentWorkflow)
	if f.Status != "" {
		query += fmt.Sprintf(" AND %s = '%s'", workflows.StatusAttribute.GetName(), f.Status)
	}
	if f.Open {
		query += " AND ExecutionStatus = 'Running'"
	}
	if len(f.Customers) > 0 {
		query += fmt.Sprintf(" AND %s IN %s", workflows.CustomersAttribute.GetName(), quoted(f.Customers))
	}
	if len(f.Services) > 0 {
		query += fmt.Sprintf(" AND %s IN %s", workflows.ServiceAttribute.GetName(), quoted(f.Services))
	}
	if f.Ordinary {
		query += fmt.Sprintf(" AND (%[1]s IS NULL OR %[1]s != '%[2]s')", workflows.KindAttribute.GetName(), incident.SecurityIncident)
	}
	return s.list(ctx, query, f.Limit, f.After)
}

// quoted is a list of texts for a query.
func quoted(all []string) string {
	texts := make([]string, len(all))
	for n, s := range all {
		texts[n] = "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

func (s *Incidents) list(ctx context.Context, query string, limit int, after string) ([]Summary, string, error) {
	rows, next, err := s.proofs.list(ctx, s.Temporal, s.Namespace, "incidents", query, limit, after, s.judge)
	slices.SortStableFunc(rows, func(a, b Summary) int { return b.OpenedAt.Compare(a.OpenedAt) })
	return rows, next, err
}

func summary(e *workflowpb.WorkflowExecutionInfo) Summary {
	row := Summary{
		OpenedAt: e.GetStartTime().AsTime(),
		ref:      Ref{WorkflowID: e.GetExecution().GetWorkflowId(), RunID: e.GetExecution().GetRunId()},
		typ:      e.GetType().GetName(),
	}
	if t := e.GetCloseTime(); t != nil {
		row.ClosedAt = t.AsTime()
	}
	dc := converter.GetDefaultDataConverter()
	attributes := e.GetSearchAttributes().GetIndexedFields()
	for _, field := range []struct {
		from *commonpb.Payload
		into any
	}{
		{attributes[workflows.IDAttribute.GetName()], &row.ID},
		{attributes[workflows.KindAttribute.GetName()], &row.Kind},
		{attributes[workflows.StatusAttribute.GetName()], &row.Status},
		{attributes[workflows.PriorityAttribute.GetName()], &row.Priority},
		{attributes[workflows.ServiceAttribute.GetName()], &row.Service},
		{attributes[workflows.CustomersAttribute.GetName()], &row.Customers},
		{attributes[workflows.NextDueAttribute.GetName()], &row.NextDue},
		{e.GetMemo().GetFields()[titleMemo], &row.Title},
	} {
		if field.from != nil {
			_ = dc.FromPayload(field.from, field.into) // a value of another type is as good as none
		}
	}
	return row
}

// Find returns where the incident with an id lives.
func (s *Incidents) Find(ctx context.Context, id incident.ID) (Ref, error) {
	if !validID(id) {
		return Ref{}, &NotFoundError{What: fmt.Sprintf("incident %q", string(id))}
	}
	query := fmt.Sprintf("WorkflowType = '%s' AND %s = '%s'", workflows.IncidentWorkflow, workflows.IDAttribute.GetName(), id)
	return seek(ctx, "incident "+string(id), func() (Ref, bool, error) {
		rows, _, err := s.list(ctx, query, 10, "")
		for _, row := range rows {
			if row.ID == id {
				return row.ref, true, nil
			}
		}
		return Ref{}, false, err
	})
}

// seek looks until it finds something. Lists lag a little behind: an id that somebody has just been told is worth a second look.
func seek(ctx context.Context, what string, look func() (Ref, bool, error)) (Ref, error) {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		ref, found, err := look()
		if found || err != nil {
			return ref, err
		}
		if wait > time.Second {
			return Ref{}, &NotFoundError{What: what}
		}
		select {
		case <-ctx.Done():
			return Ref{}, &UnavailableError{Cause: ctx.Err()}
		case <-time.After(wait):
		}
	}
}

func validID(id incident.ID) bool {
	rest, ok := strings.CutPrefix(string(id), "INC-")
	return ok && rest != "" && len(rest) <= 20 && strings.Trim(rest, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

// State returns the whole state of an incident, open or closed.
func (s *Incidents) State(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	ref, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.state(ctx, id, ref.WorkflowID, ref.RunID)
}

func (s *Incidents) state(ctx context.Context, id incident.ID, workflowID, runID string) (*incident.Incident, error) {
	v, err := s.Temporal.QueryWorkflow(ctx, workflowID, runID, workflows.StateQuery)
	if err != nil {
		return nil, unanswered(ctx, s.Temporal, "incident "+string(id), workflowID, runID, err)
	}
	var i incident.Incident
	if err := v.Get(&i); err != nil {
		return nil, fmt.Errorf("read state of %s: %w", id, err)
	}
	return &i, nil
}

// Timeline returns an incident with its whole timeline.
func (s *Incidents) Timeline(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	ref, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	i, err := s.state(ctx, id, ref.WorkflowID, ref.RunID)
	if err != nil {
		return nil, err
	}
	return i, s.Complete(ctx, ref.WorkflowID, i)
}

// Complete puts what the earlier runs of an incident have recorded before the timeline of its newest one. Runs that are
// past their retention stay out: what they held stands in the archive.
func (s *Incidents) Complete(ctx context.Context, workflowID string, i *incident.Incident) error {
	for n := len(i.Runs) - 1; n >= 0 && i.Timeline.Dropped > 0; n-- {
		before, err := s.state(ctx, i.ID, workflowID, i.Runs[n])
		if _, gone := errors.AsType[*NotFoundError](err); gone {
			return nil
		}
		if err != nil {
			return err
		}
		i.Timeline = timeline.Join(before.Timeline, i.Timeline)
	}
	return nil
}

// Command asks something of an incident. The same request id twice is one decision.
func (s *Incidents) Command(ctx context.Context, id incident.ID, req Request, c incident.Command) (workflows.Receipt, error) {
	var receipt workflows.Receipt
	ref, err := s.Find(ctx, id)
	if err != nil {
		return receipt, err
	}
	p, err := s.prove(ctx, ref)
	if err == nil {
		err = ask(ctx, s.Temporal, s.Keys, ref.WorkflowID, p.first, update(c), req, c, &receipt)
	}
	return receipt, unanswered(ctx, s.Temporal, "incident "+string(id), ref.WorkflowID, "", err)
}

// update is the name by which a workflow takes a command.
func update(c incident.Command) string {
	switch c.(type) {
	case incident.Acknowledge:
		return workflows.AcknowledgeUpdate
	case incident.Assign:
		return workflows.AssignUpdate
	case incident.ApproveResponse:
		return workflows.ApproveResponseUpdate
	case incident.StopResponse:
		return workflows.StopResponseUpdate
	case incident.Note:
		return workflows.NoteUpdate
	case incident.Escalate:
		return workflows.EscalateUpdate
	case incident.SetPriority:
		return workflows.SetPriorityUpdate
	case incident.PauseClock:
		return workflows.PauseClockUpdate
	case incident.ResumeClock:
		return workflows.ResumeClockUpdate
	case incident.Mitigate:
		return workflows.MitigateUpdate
	case incident.Resolve:
		return workflows.ResolveUpdate
	case incident.Reopen:
		return workflows.ReopenUpdate
	case incident.Close:
		return workflows.CloseUpdate
	case incident.ApproveUpdate:
		return workflows.ApproveUpdateUpdate
	case incident.RejectUpdate:
		return workflows.RejectUpdateUpdate
	case incident.SendUpdate:
		return workflows.SendUpdateUpdate
	case incident.Repin:
		return workflows.RepinUpdate
	case incident.AddResponder:
		return workflows.AddResponderUpdate
	case incident.SetCause:
		return workflows.SetCauseUpdate
	case incident.RecordCase:
		return workflows.RecordCaseUpdate
	case incident.SetTime:
		return workflows.SetTimeUpdate
	case incident.SendReport:
		return workflows.SendReportUpdate
	case incident.Answer:
		return workflows.AnswerUpdate
	case incident.StartRunbook:
		return workflows.StartRunbookUpdate
	case incident.EndRunbook:
		return workflows.EndRunbookUpdate
	case incident.Merge:
		return workflows.MergeUpdate
	case incident.Split:
		return workflows.SplitUpdate
	case incident.Relate:
		return workflows.RelateUpdate
	}
	return "" // no workflow takes it: Temporal refuses
}

// History returns the complete event history of every run of an incident, the oldest run first.
func (s *Incidents) History(ctx context.Context, id incident.ID) ([]*historypb.History, error) {
	ref, err := s.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	i, err := s.state(ctx, id, ref.WorkflowID, ref.RunID)
	if err != nil {
		return nil, err
	}
	var all []*historypb.History
	for _, run := range append(slices.Clone(i.Runs), ref.RunID) {
		h, err := historyOf(ctx, s.Temporal, "incident "+string(id), Ref{WorkflowID: ref.WorkflowID, RunID: run})
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// historyOf reads the events of one run. What it is to people is named in the error.
func historyOf(ctx context.Context, c client.Client, what string, ref Ref) (*historypb.History, error) {
	h := &historypb.History{}
	events := c.GetWorkflowHistory(ctx, ref.WorkflowID, ref.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, told(fmt.Sprintf("history of %s, run %s", what, ref.RunID), err)
		}
		h.Events = append(h.Events, e)
	}
	return h, nil
}

// Last returns the newest closed incident under a workflow id, other than the one that asks; nil when there is none.
func (s *Incidents) Last(ctx context.Context, workflowID string, except incident.ID) (*incident.Earlier, error) {
	return s.last(ctx, fmt.Sprintf("WorkflowId IN %s AND ExecutionStatus = 'Completed'", quoted([]string{workflowID})), except)
}

// LastOf returns the newest closed incident of a service, other than the one that asks; nil when there is none.
func (s *Incidents) LastOf(ctx context.Context, service string, except incident.ID) (*incident.Earlier, error) {
	return s.last(ctx, fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Completed' AND %s IN %s", workflows.IncidentWorkflow,
		workflows.ServiceAttribute.GetName(), quoted([]string{service})), except)
}

// last is the newest of some closed incidents, with what it leaves to the next one as far as its run still answers.
func (s *Incidents) last(ctx context.Context, query string, except incident.ID) (*incident.Earlier, error) {
	rows, _, err := s.list(ctx, query, 100, "")
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(row Summary) bool { return row.ID == "" || row.ID == except })
	if len(rows) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(rows, func(a, b Summary) int { return b.ClosedAt.Compare(a.ClosedAt) })
	e := &incident.Earlier{ID: rows[0].ID, RunID: rows[0].ref.RunID, ClosedAt: rows[0].ClosedAt, Title: rows[0].Title}
	for n, row := range rows[:min(len(rows), mostEarlier)] {
		before, err := s.state(ctx, row.ID, row.ref.WorkflowID, row.ref.RunID)
		if err != nil {
			continue
		}
		if n == 0 {
			e.Pattern(before)
		}
		if s.learned(ctx, e, before) {
			break
		}
	}
	return e, nil
}

// mostEarlier is in how many earlier incidents a pattern is looked for, the newest.
const mostEarlier = 5

// learned adds the pattern that the review of an incident has found, or that of the one which it became a part of. Of a restricted
// one there is none: others may read the next. It tells whether there is one that was published, or whose review is closed.
func (s *Incidents) learned(ctx context.Context, e *incident.Earlier, before *incident.Incident) bool {
	if before.Definition.Restricted() {
		return false
	}
	of := before.ID
	if before.MergedInto != nil {
		of = before.MergedInto.ID
	}
	reviews := Reviews{Temporal: s.Temporal, Namespace: s.Namespace, Keys: s.Keys}
	r, err := reviews.State(ctx, of)
	if err != nil || r.Pattern == nil || r.Status != review.Closed && r.Text(review.Internal).Published.IsZero() { // nobody has agreed to it
		return false
	}
	e.Learned(of, r.Pattern.Symptom, r.Pattern.Cause, r.Pattern.Remedy)
	return true
}

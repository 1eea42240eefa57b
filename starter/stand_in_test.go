package starter_test

import (
	"cmp"
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

const (
	open       = incident.ID("INC-7K3M9QX2PA")
	workflowID = "incident/prometheus/a"
	namespace  = "default"
)

func minute(n int) time.Time { return time.Date(2026, 11, 22, 5, n, 0, 0, time.UTC) }

// A temporal keeps the runs of one incident without an engine. What it does not stand in for panics.
type temporal struct {
	client.Client
	listed []*workflowpb.WorkflowExecutionInfo
	late   int // lists that do not show them yet
	next   string
	runs   map[string]run                  // by run id; others are past their retention
	fail   error                           // of what a run is asked or told
	broken error                           // of reading on in a history
	tries  int32                           // of the pending workflow task
	status enumspb.WorkflowExecutionStatus // of the newest run …
	first  string                          // … and the first of its chain; empty: run-1
	keys   *keyring.Ring
	starts map[string]*historypb.HistoryEvent // by run id; others are as they should be
	read   atomic.Int32                       // starts; lists may be read at once

	lists     []*workflowservice.ListWorkflowExecutionsRequest
	started   []client.StartWorkflowOptions
	inputs    []any
	signals   []any
	updates   []client.UpdateWorkflowOptions
	described int
}

type run struct {
	state  *incident.Incident
	events history
}

type history []*historypb.HistoryEvent

// one has the open incident in its second run.
func one(t testing.TB) (*temporal, *starter.Incidents) {
	i, err := incident.Open(open, definition(), minute(0))
	if err != nil {
		t.Fatal(err)
	}
	i.Runs = []string{"run-1"}
	c := &temporal{
		listed: []*workflowpb.WorkflowExecutionInfo{execution("run-2", 0, map[string]any{workflows.IDAttribute.GetName(): open}, nil)},
		runs:   map[string]run{"run-1": {}, "run-2": {state: i}},
	}
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c.keys = keys
	return c, &starter.Incidents{Temporal: c, Namespace: namespace, Keys: keys}
}

func definition() incident.Definition {
	return incident.Definition{
		Zone: "Asia/Seoul", Source: "prometheus", Title: "결제가 되지 않음", Languages: []string{"ko"},
		Service: incident.Service{ID: "checkout", Name: "Checkout"}, Impact: priority.High, Urgency: priority.Medium,
		Customers: []incident.Customer{{ID: "acme", Name: "Acme"}},
		Policy: escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Wait: time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: time.Minute, AckExpires: time.Hour,
			NextMethodAfter: time.Minute,
		},
		ReopenWithin: time.Hour,
	}
}

// execution is what a list shows of a run that began in a minute.
func execution(runID string, began int, attributes, memo map[string]any) *workflowpb.WorkflowExecutionInfo {
	return &workflowpb.WorkflowExecutionInfo{
		Execution:        &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: runID},
		StartTime:        timestamppb.New(minute(began)),
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: payloads(attributes)},
		Memo:             &commonpb.Memo{Fields: payloads(memo)},
	}
}

func payloads(values map[string]any) map[string]*commonpb.Payload {
	all := map[string]*commonpb.Payload{}
	for name, v := range values {
		p, err := converter.GetDefaultDataConverter().ToPayload(v)
		if err != nil {
			panic(err)
		}
		all[name] = p
	}
	return all
}

func (c *temporal) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	c.lists = append(c.lists, r)
	if len(c.lists) <= c.late {
		return &workflowservice.ListWorkflowExecutionsResponse{}, nil
	}
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: c.listed, NextPageToken: []byte(c.next)}, nil
}

func (c *temporal) SignalWorkflow(_ context.Context, _, _, name string, arg any) error {
	c.signals = append(c.signals, name, arg)
	return c.fail
}

func (c *temporal) SignalWithStartWorkflow(_ context.Context, _, name string, arg any, o client.StartWorkflowOptions, workflow any, in ...any) (client.WorkflowRun, error) {
	c.signals, c.started, c.inputs = append(c.signals, name, arg), append(c.started, o), append(c.inputs, workflow, in[0])
	return begun{}, c.fail
}

// begun is a run that a start has begun, or found.
type begun struct{ client.WorkflowRun }

func (begun) GetRunID() string { return "run-2" }

func (c *temporal) WorkflowService() workflowservice.WorkflowServiceClient { return service{c: c} }

// service answers what the client has no method for.
type service struct {
	workflowservice.WorkflowServiceClient

	c *temporal
}

// GetWorkflowExecutionHistory answers with the start of a run: that of the incident under whose id lists have it, signed by
// the intake.
func (s service) GetWorkflowExecutionHistory(_ context.Context, r *workflowservice.GetWorkflowExecutionHistoryRequest, _ ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	s.c.read.Add(1)
	run := r.GetExecution().GetRunId()
	e := s.c.starts[run]
	if e == nil {
		e = s.c.opened(run)
	}
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{e}}}, nil
}

// opened is the start of a run, as the intake makes it.
func (c *temporal) opened(run string) *historypb.HistoryEvent {
	in := workflows.IncidentInput{ID: open}
	for _, e := range c.listed {
		if e.GetExecution().GetRunId() == run {
			if p := e.GetSearchAttributes().GetIndexedFields()[workflows.IDAttribute.GetName()]; p != nil {
				_ = converter.GetDefaultDataConverter().FromPayload(p, &in.ID)
			}
		}
	}
	return c.sealed(signature.Statement{Message: workflows.IncidentWorkflow, By: timeline.Actor{Kind: timeline.Source, ID: "prometheus"}}, in)
}

// sealed is a start with a seal for the workflow of the incident.
func (c *temporal) sealed(s signature.Statement, in workflows.IncidentInput) *historypb.HistoryEvent {
	m, err := signature.New(s.By, in)
	if err != nil {
		panic(err)
	}
	s.Workflow, s.Digest = cmp.Or(s.Workflow, workflowID), m.Digest()
	seal, err := c.keys.Sign(s, "intake")
	if err != nil {
		panic(err)
	}
	m.Seal = &seal
	return started(m)
}

func (c *temporal) QueryWorkflow(_ context.Context, _, runID, _ string, _ ...any) (converter.EncodedValue, error) {
	r, known := c.runs[runID]
	if !known {
		return nil, serviceerror.NewNotFound("no such run")
	}
	if c.fail != nil {
		return nil, c.fail
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(r.state)
	return client.NewValue(p), err
}

func (c *temporal) DescribeWorkflowExecution(ctx context.Context, _, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	c.described++
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			FirstRunId: cmp.Or(c.first, "run-1"), Status: c.status, Execution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: "run-2"},
		},
		PendingWorkflowTask: &workflowpb.PendingWorkflowTaskInfo{Attempt: c.tries},
	}, ctx.Err()
}

// UpdateWorkflow does what the workflow would: the command is read as it comes over the wire, and decided once by its id.
func (c *temporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	c.updates = append(c.updates, o)
	if c.fail != nil {
		return nil, c.fail
	}
	if o.UpdateName == workflows.AcknowledgeUpdate { // its command says nothing
		return answer{}, nil
	}
	dc := converter.GetDefaultDataConverter()
	var req signature.Signed[incident.Note]
	p, err := dc.ToPayloads(o.Args...)
	if err == nil {
		err = dc.FromPayloads(p, &req)
	}
	if err != nil {
		return nil, err
	}
	i := c.runs["run-2"].state
	err = i.Do(o.UpdateID, req.Body, req.By, minute(9))
	return answer{workflows.Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: len(i.Timeline.Entries)}}, err
}

type answer struct{ receipt workflows.Receipt }

func (a answer) Get(_ context.Context, into any) error {
	*into.(*workflows.Receipt) = a.receipt
	return nil
}
func (answer) WorkflowID() string { return workflowID }
func (answer) RunID() string      { return "run-2" }
func (answer) UpdateID() string   { return "" }

func (c *temporal) GetWorkflowHistory(_ context.Context, _, runID string, _ bool, _ enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	r, known := c.runs[runID]
	if !known {
		return &events{err: serviceerror.NewNotFound("no such run")}
	}
	return &events{left: r.events, err: c.broken}
}

// events are read one by one.
type events struct {
	left history
	err  error
}

func (e *events) HasNext() bool { return e.err != nil || len(e.left) > 0 }

func (e *events) Next() (*historypb.HistoryEvent, error) {
	if e.err != nil {
		return nil, e.err
	}
	first := e.left[0]
	e.left = e.left[1:]
	return first, nil
}

// signalled is the event by which a history tells what a run was told.
func signalled(name string, arg any) *historypb.HistoryEvent {
	p, err := converter.GetDefaultDataConverter().ToPayloads(arg)
	if err != nil {
		panic(err)
	}
	return &historypb.HistoryEvent{
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
			WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{SignalName: name, Input: p},
		},
	}
}

// started is the event by which a history begins.
func started(in any) *historypb.HistoryEvent {
	p, err := converter.GetDefaultDataConverter().ToPayloads(in)
	if err != nil {
		panic(err)
	}
	return &historypb.HistoryEvent{
		EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
		EventTime: timestamppb.New(minute(0).AddDate(0, 0, 7)),
		Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
				Input: p, WorkflowType: &commonpb.WorkflowType{Name: workflows.IncidentWorkflow},
				TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.TaskQueue}, FirstExecutionRunId: "run-1",
			},
		},
	}
}

// told is the event of a batch that came in a minute.
func told(at int, alerts ...alert.Received) *historypb.HistoryEvent {
	return signalled(workflows.AlertsSignal, alert.Batch{Source: "prometheus", Posts: 1, ReceivedAt: minute(at), Alerts: alerts})
}

// of is one alert that began in a minute, with what its source says of it.
func of(fingerprint string, state alert.State, began int, says string) alert.Received {
	return alert.Received{Times: 1, Alert: alert.Alert{
		Fingerprint: fingerprint, Name: "N" + fingerprint, State: state, StartsAt: minute(began),
		Annotations: alert.Labels{{Name: "summary", Value: says}},
	}}
}

func park() timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
}

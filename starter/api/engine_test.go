package api_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"muster/internal/audit"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
	"muster/workflows"
)

// A temporal has one incident, and remembers what it was asked.
type temporal struct {
	client.Client
	keys  *keyring.Ring
	asked client.UpdateWorkflowOptions
}

func (*temporal) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	id, err := converter.GetDefaultDataConverter().ToPayload(string(open))
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: []*workflowpb.WorkflowExecutionInfo{{
		Execution:        &commonpb.WorkflowExecution{WorkflowId: "incident/a", RunId: "run-2"},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{workflows.IDAttribute.GetName(): id}},
	}}}, err
}

func (t *temporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	t.asked = o
	return receipt{}, nil
}

func (t *temporal) WorkflowService() workflowservice.WorkflowServiceClient { return service{t: t} }

// service has the start of the incident, signed by the intake.
type service struct {
	workflowservice.WorkflowServiceClient

	t *temporal
}

func (s service) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest, ...grpc.CallOption) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	m, err := signature.New(timeline.Actor{Kind: timeline.Source, ID: "prometheus"}, workflows.IncidentInput{ID: open})
	if err != nil {
		return nil, err
	}
	seal, err := s.t.keys.Sign(signature.Statement{Workflow: "incident/a", Message: workflows.IncidentWorkflow, Digest: m.Digest(), By: m.By}, "intake")
	if err != nil {
		return nil, err
	}
	m.Seal = &seal
	in, err := converter.GetDefaultDataConverter().ToPayloads(m)
	start := &historypb.WorkflowExecutionStartedEventAttributes{
		Input: in, WorkflowType: &commonpb.WorkflowType{Name: workflows.IncidentWorkflow},
		TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.TaskQueue}, FirstExecutionRunId: "run-1",
	}
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{{
		Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: start},
	}}}}, err
}

func (*temporal) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	p, err := converter.GetDefaultDataConverter().ToPayloads(incident.Incident{ID: open})
	return client.NewValue(p), err
}

func (*temporal) GetWorkflowHistory(context.Context, string, string, bool, enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return &events{}
}

type receipt struct{ client.WorkflowUpdateHandle }

func (receipt) Get(_ context.Context, into any) error {
	*into.(*workflows.Receipt) = workflows.Receipt{ID: open, Status: incident.Acknowledged, Priority: 2, Seq: 7}
	return nil
}

// events are a history of one event.
type events struct{ read bool }

func (e *events) HasNext() bool { return !e.read }

func (e *events) Next() (*historypb.HistoryEvent, error) {
	e.read = true
	return &historypb.HistoryEvent{EventId: 1, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED}, nil
}

func TestOverSpeaksToWorkflows(t *testing.T) {
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	engine := &temporal{keys: keys}
	b := api.Over(&starter.Incidents{Temporal: engine, Namespace: "default", Keys: keys})
	by := timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	r, err := b.Command(t.Context(), open, starter.Request{ID: "k1", By: by, Via: "token:tok_1"}, incident.Note{Text: "a"})
	if err != nil || r != (api.Receipt{ID: open, Status: incident.Acknowledged, Priority: 2, Seq: 7}) {
		t.Errorf("got %+v, %v", r, err)
	}
	if o := engine.asked; o.UpdateID != "k1" || o.UpdateName != "Note" || o.FirstExecutionRunID != "run-1" || o.WorkflowID != "incident/a" {
		t.Errorf("got %+v", o)
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(engine.asked.Args...)
	if err != nil {
		t.Fatal(err)
	}
	var got signature.Signed[incident.Note]
	if err := converter.GetDefaultDataConverter().FromPayloads(p, &got); err != nil || got.By != by || got.Body.Text != "a" {
		t.Fatalf("a workflow reads %+v, %v", got, err)
	}
	if err := keys.Verify(signature.Statement{
		Workflow: "incident/a", FirstRun: "run-1", Message: "Note", ID: "k1", Digest: got.Digest(), By: by,
	}, *got.Seal); err != nil || got.Seal.Via != "token:tok_1" {
		t.Errorf("the seal is %+v, %v", got.Seal, err)
	}
	var text bytes.Buffer
	if err := b.History(t.Context(), open, &text); err != nil {
		t.Fatal(err)
	}
	runs, err := audit.Decode(strings.NewReader(text.String()))
	if err != nil || len(runs) != 1 || len(runs[0].GetEvents()) != 1 {
		t.Errorf("an auditor reads %v, %v from %s", runs, err, &text)
	}
}

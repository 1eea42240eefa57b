package selfwatch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"muster/internal/selfwatch"
)

// Every client is good enough.
var _ selfwatch.Client = client.Client(nil)

// A service answers as Temporal does.
type service struct {
	workflowservice.WorkflowServiceClient

	fault    error
	count    int64
	listed   []*workflowpb.WorkflowExecutionInfo
	lists    int
	asked    []string // namespaces and queries
	describe map[enumspb.TaskQueueType]*workflowservice.DescribeTaskQueueResponse
}

func (s *service) WorkflowService() workflowservice.WorkflowServiceClient { return s }

func (s *service) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	return nil, s.fault
}

func (s *service) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (
	*workflowservice.CountWorkflowExecutionsResponse, error,
) {
	s.asked = append(s.asked, r.GetNamespace()+": "+r.GetQuery())
	return &workflowservice.CountWorkflowExecutionsResponse{Count: s.count}, s.fault
}

func (s *service) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (
	*workflowservice.ListWorkflowExecutionsResponse, error,
) {
	s.lists++
	s.asked = append(s.asked, r.GetNamespace()+": "+r.GetQuery())
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: s.listed}, nil
}

func (s *service) DescribeTaskQueue(_ context.Context, r *workflowservice.DescribeTaskQueueRequest, _ ...grpc.CallOption) (
	*workflowservice.DescribeTaskQueueResponse, error,
) {
	if !r.GetReportStats() {
		return nil, errors.New("no stats asked for")
	}
	return s.describe[r.GetTaskQueueType()], s.fault
}

// TestTemporalRuns counts, and lists only what there is.
func TestTemporalRuns(t *testing.T) {
	run := func(id string, due any) *workflowpb.WorkflowExecutionInfo {
		payload, err := converter.GetDefaultDataConverter().ToPayload(due)
		if err != nil {
			t.Fatal(err)
		}
		return &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id},
			SearchAttributes: &commonpb.SearchAttributes{
				IndexedFields: map[string]*commonpb.Payload{selfwatch.NextDue: payload},
			},
		}
	}
	s := &service{}
	e := &selfwatch.Temporal{Client: s, Namespace: "acme"}
	if got, err := e.Runs(t.Context(), "q"); err != nil || got.Count != 0 || s.lists != 0 {
		t.Errorf("got %v, %v after %d lists; want nothing, no error, no list", got, err, s.lists)
	}

	s.count = 5
	s.listed = []*workflowpb.WorkflowExecutionInfo{
		run("a", begin), run("b", begin.Add(-time.Hour)), run("c", "not a time"), run("d", begin),
	}
	got, err := e.Runs(t.Context(), "q")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c"}; got.Count != 5 || !slices.Equal(got.Examples, want) || !got.Oldest.Equal(begin.Add(-time.Hour)) {
		t.Errorf("got %v, want 5 runs, examples %v, the oldest due an hour before %s", got, want, begin)
	}
	for _, asked := range s.asked {
		if asked != "acme: q" {
			t.Errorf("asked %q, want %q", asked, "acme: q")
		}
	}

	s.fault = errors.New("away")
	if _, err := e.Runs(t.Context(), "q"); !errors.Is(err, s.fault) {
		t.Errorf("got error %v, want %v", err, s.fault)
	}
	if err := e.Health(t.Context()); !errors.Is(err, s.fault) {
		t.Errorf("got error %v, want %v", err, s.fault)
	}
}

// TestTemporalBacklog reads both types of tasks, and takes an age that is not known for none.
func TestTemporalBacklog(t *testing.T) {
	s := &service{describe: map[enumspb.TaskQueueType]*workflowservice.DescribeTaskQueueResponse{
		enumspb.TASK_QUEUE_TYPE_WORKFLOW: {
			Pollers: []*taskqueuepb.PollerInfo{{}, {}},
			Stats: &taskqueuepb.TaskQueueStats{
				ApproximateBacklogCount: 7, ApproximateBacklogAge: durationpb.New(90 * time.Second),
			},
		},
		enumspb.TASK_QUEUE_TYPE_ACTIVITY: {
			Stats: &taskqueuepb.TaskQueueStats{ApproximateBacklogAge: durationpb.New(-1)},
		},
	}}
	e := &selfwatch.Temporal{Client: s, Namespace: "acme"}
	got, err := e.Backlog(t.Context(), "muster")
	if err != nil {
		t.Fatal(err)
	}
	want := []selfwatch.Backlog{
		{TaskType: "workflow", Tasks: 7, Oldest: 90 * time.Second, Pollers: 2}, {TaskType: "activity"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	s.fault = errors.New("away")
	if _, err := e.Backlog(t.Context(), "muster"); !errors.Is(err, s.fault) {
		t.Errorf("got error %v, want %v", err, s.fault)
	}
}

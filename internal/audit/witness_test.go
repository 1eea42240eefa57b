package audit

import (
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// What is begun under a context that has ended is taken back within the same workflow task: a page that a newer one replaces
// before it went out. The witness sees it begun all the same.
func TestWhatIsTakenBackAtOnceIsSeen(t *testing.T) {
	const name = "TakesBackAtOnce"
	in, err := converter.GetDefaultDataConverter().ToPayloads("page")
	if err != nil {
		t.Fatal(err)
	}
	h := &historypb.History{Events: []*historypb.HistoryEvent{
		{EventId: 1, EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
				WorkflowType: &commonpb.WorkflowType{Name: name}, TaskQueue: &taskqueuepb.TaskQueue{Name: "muster"},
			},
		}},
		{EventId: 2, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED},
		{EventId: 3, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED},
		{EventId: 4, EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, Attributes: &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{
			WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{ScheduledEventId: 2, StartedEventId: 3},
		}},
		{EventId: 5, EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
			ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
				ActivityId: "5", ActivityType: &commonpb.ActivityType{Name: "Deliver"}, Input: in,
			},
		}},
		{EventId: 6, EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, Attributes: &historypb.HistoryEvent_ActivityTaskCancelRequestedEventAttributes{
			ActivityTaskCancelRequestedEventAttributes: &historypb.ActivityTaskCancelRequestedEventAttributes{ScheduledEventId: 5},
		}},
	}}
	for arg, want := range map[string]int{"page": 0, "another": 1} { // compared all the same
		var found Differences
		w := &witness{found: &found, record: newRecord(h)}
		r, err := newReplayer(w)
		if err != nil {
			t.Fatal(err)
		}
		r.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
			o := workflow.ActivityOptions{StartToCloseTimeout: time.Minute, WaitForCancellation: true}
			ctx, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, o))
			cancel()
			return workflow.ExecuteActivity(ctx, "Deliver", arg).Get(ctx, nil)
		}, workflow.RegisterOptions{Name: name})
		if err := r.ReplayWorkflowHistory(&w.listener, h); err != nil {
			t.Fatal(err)
		}
		if w.unseen(); len(found.Listed) != want {
			t.Errorf("with %q: %d differences, want %d: %v", arg, len(found.Listed), want, found.Err())
		}
	}
}

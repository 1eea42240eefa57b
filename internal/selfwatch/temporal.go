package selfwatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// NextDue is the search attribute (a Datetime) in which an open run shows when it will next do something. A run that
// waits for people alone has none.
const NextDue = "MusterNextDue"

// ProblemsQuery finds open runs that Temporal itself reports: their workflow tasks fail or time out several times in a
// row (system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute, 5 by default). The first task that completes
// takes the report away.
const ProblemsQuery = "ExecutionStatus = 'Running' AND TemporalReportedProblems IN " +
	"('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')"

// OverdueQuery finds open runs that should have done something before an instant.
func OverdueQuery(before time.Time) string {
	return fmt.Sprintf("ExecutionStatus = 'Running' AND %s < '%s'", NextDue, before.UTC().Format(time.RFC3339Nano))
}

// Client is the part of a Temporal client that the watch needs. Every client.Client is one.
type Client interface {
	CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error)
	CountWorkflow(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (
		*workflowservice.CountWorkflowExecutionsResponse, error)
	ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (
		*workflowservice.ListWorkflowExecutionsResponse, error)
	WorkflowService() workflowservice.WorkflowServiceClient
}

// A Temporal asks a Temporal service. It is an Engine.
type Temporal struct {
	Client    Client
	Namespace string
}

// Health tells whether the service answers at all.
func (t *Temporal) Health(ctx context.Context) error {
	if _, err := t.Client.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("check health: %w", err)
	}
	return nil
}

// Runs counts what a visibility query finds, and lists a few only if there are any. The order is the service's: SQL
// visibility does not sort.
func (t *Temporal) Runs(ctx context.Context, query string) (Runs, error) {
	count, err := t.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: t.Namespace, Query: query,
	})
	if err != nil {
		return Runs{}, fmt.Errorf("count runs: %w", err)
	}
	found := Runs{Count: count.GetCount()}
	if found.Count == 0 {
		return found, nil
	}
	list, err := t.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: t.Namespace, Query: query, PageSize: 20,
	})
	if err != nil {
		return Runs{}, fmt.Errorf("list runs: %w", err)
	}
	for _, e := range list.GetExecutions() {
		if len(found.Examples) < 3 {
			found.Examples = append(found.Examples, e.GetExecution().GetWorkflowId())
		}
		if due, ok := nextDue(e.GetSearchAttributes()); ok && (found.Oldest.IsZero() || due.Before(found.Oldest)) {
			found.Oldest = due
		}
	}
	return found, nil
}

// nextDue reads the next due time of a run.
func nextDue(attributes *commonpb.SearchAttributes) (time.Time, bool) {
	payload, ok := attributes.GetIndexedFields()[NextDue]
	if !ok {
		return time.Time{}, false
	}
	var due time.Time
	if err := converter.GetDefaultDataConverter().FromPayload(payload, &due); err != nil {
		return time.Time{}, false // shown to people only; the count does not depend on it
	}
	return due, !due.IsZero()
}

// Backlog tells what waits in a task queue. Tasks for sticky queues are not among it; they go to the normal queue when
// no worker takes them within a few seconds.
func (t *Temporal) Backlog(ctx context.Context, queue string) ([]Backlog, error) {
	var all []Backlog
	for _, kind := range []enumspb.TaskQueueType{
		enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY,
	} {
		answer, err := t.Client.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
			Namespace:     t.Namespace,
			TaskQueue:     &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
			TaskQueueType: kind,
			ReportStats:   true,
		})
		if err != nil {
			return nil, fmt.Errorf("describe task queue %s: %w", queue, err)
		}
		all = append(all, Backlog{
			TaskType: strings.ToLower(kind.String()),
			Tasks:    answer.GetStats().GetApproximateBacklogCount(),
			Oldest:   max(0, answer.GetStats().GetApproximateBacklogAge().AsDuration()),
			Pollers:  len(answer.GetPollers()),
		})
	}
	return all, nil
}

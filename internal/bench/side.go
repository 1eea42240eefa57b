package bench

import (
	"context"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/starter"
	"muster/workflows"
)

// A side is raw or ours, as the load sees it. Subjects are the names that the load gives.
type side struct {
	name        string
	deliver     func(ctx context.Context, subject string, p pace, level priority.Priority, b alert.Batch) error
	acknowledge func(ctx context.Context, subject string) error
	mitigate    func(ctx context.Context, subject string) error
	runs        func(subject string) (incident, review string) // workflow ids
}

// sides returns raw and ours, in turn the one or the other first: a database that grows makes whoever comes second pay.
func (e *engine) sides(round int) []side {
	both := []side{e.raw(), e.ours()}
	if round%2 != 0 {
		slices.Reverse(both)
	}
	return both
}

// ours goes through the starter, as the intake and the API do.
func (e *engine) ours() side {
	return side{
		name: "ours",
		deliver: func(ctx context.Context, subject string, p pace, level priority.Priority, b alert.Batch) error {
			return e.incidents.Deliver(ctx, workflowID(subject), p.definition(subject, level), b)
		},
		acknowledge: func(ctx context.Context, subject string) error {
			_, err := e.incidents.Command(ctx, e.world.incident(subject), starter.Request{ID: "ack/" + subject, By: park()},
				incident.Acknowledge{})
			return err
		},
		mitigate: func(ctx context.Context, subject string) error {
			_, err := e.incidents.Command(ctx, e.world.incident(subject), starter.Request{ID: "mitigate/" + subject, By: park()},
				incident.Mitigate{Note: "rolled back to 4.1.7"})
			return err
		},
		runs: func(subject string) (string, string) {
			return workflowID(subject), workflows.ReviewWorkflowID(e.world.incident(subject))
		},
	}
}

// workflowID is where the intake finds the incident of a subject.
func workflowID(subject string) string {
	return workflows.IncidentWorkflowID(source, receiver, alert.Labels{{Name: "alertname", Value: "HighErrorRate"}, {Name: "service", Value: subject}})
}

// raw calls the client.
func (e *engine) raw() side {
	update := func(ctx context.Context, subject, name string) error {
		h, err := e.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: name, WorkflowID: "raw/" + subject, UpdateName: name, Args: []any{"park"},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err != nil {
			return err
		}
		return h.Get(ctx, nil)
	}
	return side{
		name:    "raw",
		deliver: e.deliverRaw,
		acknowledge: func(ctx context.Context, subject string) error {
			return update(ctx, subject, workflows.AcknowledgeUpdate)
		},
		mitigate: func(ctx context.Context, subject string) error { return update(ctx, subject, workflows.MitigateUpdate) },
		runs:     func(subject string) (string, string) { return "raw/" + subject, "review/" + subject },
	}
}

func (e *engine) deliverRaw(ctx context.Context, subject string, p pace, level priority.Priority, b alert.Batch) error {
	if b.GroupResolved {
		return e.temporal.SignalWorkflow(ctx, "raw/"+subject, "", workflows.AlertsSignal, b)
	}
	_, err := e.temporal.SignalWithStartWorkflow(ctx, "raw/"+subject, workflows.AlertsSignal, b, client.StartWorkflowOptions{
		ID: "raw/" + subject, TaskQueue: workflows.TaskQueue, Priority: temporal.Priority{PriorityKey: int(level)},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.IDAttribute.ValueSet(subject), workflows.StatusAttribute.ValueSet("triggered"),
			workflows.PriorityAttribute.ValueSet(int64(level)), workflows.ServiceAttribute.ValueSet(subject),
			workflows.CustomersAttribute.ValueSet([]string{customer}),
		),
	}, rawIncidentWorkflow, rawInput{
		Subject: subject, Priority: level, First: p.first, Wait: p.wait, Update: p.update, Quiet: p.quiet, Reopen: p.reopen,
	})
	return err
}

// recorded counts the events of an incident over its runs, the newest of which has continued the others.
func (e *engine) recorded(ctx context.Context, workflowID string) (events, runs int, err error) {
	for run, more := "", true; more; {
		h, err := e.history(ctx, workflowID, run)
		if err != nil {
			return 0, 0, err
		}
		events, runs = events+len(h.GetEvents()), runs+1
		run = h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
		more = run != ""
	}
	return events, runs, nil
}

// history reads all events of a run, the newest one if none is named.
func (e *engine) history(ctx context.Context, workflowID, run string) (*historypb.History, error) {
	h := &historypb.History{}
	events := e.temporal.GetWorkflowHistory(ctx, workflowID, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return nil, fmt.Errorf("read history of %s: %w", workflowID, err)
		}
		h.Events = append(h.Events, event)
	}
	return h, nil
}

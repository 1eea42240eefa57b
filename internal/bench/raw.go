package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/priority"
	"muster/workflows"
)

// Raw is what an able person would write in an afternoon for the scripted life, and no more.
//
// It does, as ours does: one signal per batch of alerts with the same payload; two updates, each with a validator; one
// query; a page through two escalation steps on the paging queue until somebody acknowledges; a customer update when it is
// due, and the next round; a quiet time after the last alert was resolved, the all-clear, a window for reopening, the end;
// a ticket that is opened and written again at each of the four changes of status; the report at the resolution and at the
// end; a search for the incident before; a review as an abandoned child that tells its owner and waits for its due
// instant. Who is paged and when promises are due is found in local activities, six in the whole life. Whatever is sent
// waits for nothing else. Every activity carries the priority and the same time-outs and retries as ours.
//
// Its commands in the scripted life: 12 activities, 6 local activities, 6 timers of which 2 are cancelled, 4 upserts of
// search attributes (the status, when it changes: all others are set for nothing at the start), 1 child. The review: one
// local activity, one activity, one timer.
//
// It does not: keep a state that can be read, a timeline, or an outbox; know rules (priorities, clocks that are at risk,
// paused or missed, expiring acknowledgements, a last resort, reopening, a second contact method, roles); write texts or a
// real report (its messages are empty); de-duplicate commands; refuse but by one condition; withdraw what no longer
// matters; continue as new; survive a cancel; tell lists what is due next; show people an id of its own, so that who
// commands it has to know the workflow id.
const (
	rawIncidentWorkflow = "RawIncident"
	rawReviewWorkflow   = "RawReview"
)

// rawInput starts the raw incident.
type rawInput struct {
	Subject  string            `json:"subject"`
	Priority priority.Priority `json:"priority"`
	First    time.Duration     `json:"first"`
	Wait     time.Duration     `json:"wait"`
	Update   time.Duration     `json:"update"`
	Quiet    time.Duration     `json:"quiet"`
	Reopen   time.Duration     `json:"reopen"`
}

// rawIncident runs one incident from its first alert until it is closed.
func rawIncident(ctx workflow.Context, in rawInput) error {
	r := &rawRun{in: in, alerts: workflow.GetSignalChannel(ctx, workflows.AlertsSignal), firing: map[string]bool{}}
	if err := r.listen(ctx); err != nil {
		return err
	}
	workflow.Go(ctx, r.receive)
	r.do(ctx, r.activities.RawPrevious, r.in.Subject)
	r.move(ctx, "triggered")
	workflow.Go(ctx, r.updateCustomer)
	for step := 0; step < 2 && !r.acknowledged && !r.over(); step++ {
		r.page(ctx, []string{"primary", "secondary"}[step])
		r.sleep(ctx, []time.Duration{in.First, in.Wait}[step], func() bool { return r.acknowledged || r.over() })
	}
	for !r.resolved {
		if err := workflow.Await(ctx, r.over); err != nil {
			return err
		}
		r.resolved = r.sleep(ctx, in.Quiet, func() bool { return !r.over() })
	}
	r.move(ctx, "resolved")
	r.tell(ctx, delivery.AllClear, customer)
	r.do(ctx, r.activities.RawReport, in.Subject)
	r.review(ctx)
	r.sleep(ctx, in.Reopen, func() bool { return false })
	r.move(ctx, "closed")
	r.do(ctx, r.activities.RawReport, in.Subject)
	return workflow.Await(ctx, func() bool { return r.pending == 0 && workflow.AllHandlersFinished(ctx) })
}

// rawRun is what the raw incident remembers.
type rawRun struct {
	in           rawInput
	alerts       workflow.ReceiveChannel
	firing       map[string]bool // by fingerprint; never ranged over
	fires        int
	activities   *rawActivities // nil: only named
	acknowledged bool
	resolved     bool
	pending      int
}

func (r *rawRun) listen(ctx workflow.Context) error {
	on := func(name, status string, allowed func() bool, do func()) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, by string) (string, error) {
			do()
			r.move(ctx, status)
			return status, nil
		}, workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, by string) error {
			if !allowed() || by == "" {
				return fmt.Errorf("%s: not now", name)
			}
			return nil
		}})
	}
	if err := on(workflows.AcknowledgeUpdate, "acknowledged", func() bool { return !r.acknowledged && !r.resolved },
		func() { r.acknowledged = true }); err != nil {
		return err
	}
	if err := on(workflows.MitigateUpdate, "mitigated", func() bool { return !r.resolved }, func() {}); err != nil {
		return err
	}
	return workflow.SetQueryHandler(ctx, workflows.StateQuery, func() (bool, error) { return r.resolved, nil })
}

// receive takes alerts in.
func (r *rawRun) receive(ctx workflow.Context) {
	for {
		var b alert.Batch
		r.alerts.Receive(ctx, &b)
		for _, a := range b.Alerts {
			was, is := r.firing[a.Fingerprint], a.State == alert.Firing
			r.firing[a.Fingerprint] = is
			if is && !was {
				r.fires++
			} else if was && !is {
				r.fires--
			}
		}
	}
}

// over tells whether no alert fires any more.
func (r *rawRun) over() bool { return len(r.firing) > 0 && r.fires == 0 }

// updateCustomer tells the customer whenever it is due.
func (r *rawRun) updateCustomer(ctx workflow.Context) {
	for {
		var due time.Duration
		if r.local(ctx, r.activities.RawDue, r.in.Update, &due) != nil || !r.sleep(ctx, due, func() bool { return r.resolved }) {
			return
		}
		told := false
		r.send(ctx, delivery.CustomerUpdate, customer, func() { told = true })
		if workflow.Await(ctx, func() bool { return told }) != nil {
			return
		}
	}
}

// page pages a step without waiting for it.
func (r *rawRun) page(ctx workflow.Context, step string) { r.send(ctx, delivery.Page, step, func() {}) }

func (r *rawRun) tell(ctx workflow.Context, k delivery.Kind, to string) {
	r.send(ctx, k, to, func() {})
}

// send finds out who is meant and sends, in a coroutine of its own.
func (r *rawRun) send(ctx workflow.Context, k delivery.Kind, to string, then func()) {
	r.pending++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { r.pending--; then() }()
		rawSend(ctx, r.options(k == delivery.Page), r.in.Subject, k, to)
	})
}

// do runs an activity in a coroutine of its own.
func (r *rawRun) do(ctx workflow.Context, activity, input any) {
	r.pending++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { r.pending-- }()
		_ = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.options(false)), activity, input).Get(ctx, nil)
	})
}

// move changes the status, in lists (which know the first one from the start) and in the ticket.
func (r *rawRun) move(ctx workflow.Context, status string) {
	if status != "triggered" {
		_ = workflow.UpsertTypedSearchAttributes(ctx, workflows.StatusAttribute.ValueSet(status))
	}
	r.do(ctx, r.activities.RawTicket, rawTicket{Subject: r.in.Subject, Status: status})
}

// sleep waits, and tells whether all the time went by.
func (r *rawRun) sleep(ctx workflow.Context, d time.Duration, stop func() bool) bool {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimer(ctx, d)
	_ = workflow.Await(ctx, func() bool { return stop() || timer.IsReady() })
	return timer.IsReady()
}

// review opens the review.
func (r *rawRun) review(ctx workflow.Context) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: "review/" + r.in.Subject, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		Priority: temporal.Priority{PriorityKey: int(r.in.Priority)},
	})
	child := workflow.ExecuteChildWorkflow(ctx, rawReviewWorkflow, r.in)
	r.pending++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { r.pending-- }()
		_ = child.GetChildWorkflowExecution().Get(ctx, nil)
	})
}

func (r *rawRun) options(paging bool) workflow.ActivityOptions {
	return rawOptions(paging, r.in.Priority)
}

func rawOptions(paging bool, p priority.Priority) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		TaskQueue: workflows.TaskQueue, StartToCloseTimeout: 15 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second},
		Priority:    temporal.Priority{PriorityKey: int(p)},
	}
	if paging {
		o.TaskQueue = workflows.PagingTaskQueue
	} else {
		o.ScheduleToCloseTimeout = 24 * time.Hour
	}
	return o
}

func (r *rawRun) local(ctx workflow.Context, activity, input, result any) error {
	return rawLocal(ctx, activity, input, result)
}

func rawLocal(ctx workflow.Context, activity, input, result any) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 2 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumAttempts: 3},
	})
	return workflow.ExecuteLocalActivity(ctx, activity, input).Get(ctx, result)
}

// rawSend asks who is meant, and sends to each.
func rawSend(ctx workflow.Context, o workflow.ActivityOptions, subject string, k delivery.Kind, to string) {
	var raw *rawActivities // nil: only named
	var who []string
	if rawLocal(ctx, raw.RawWho, to, &who) != nil {
		return
	}
	for _, person := range who {
		_ = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), raw.RawSend, rawMessage{
			ID: workflow.GetInfo(ctx).WorkflowExecution.RunID + string(k) + person, Subject: subject, Kind: k, To: person,
		}).Get(ctx, nil)
	}
}

// rawReview tells the owner and waits until the review is due or closed.
func rawReview(ctx workflow.Context, in rawInput) error {
	closed := false
	if err := workflow.SetUpdateHandler(ctx, workflows.CloseUpdate, func(workflow.Context, string) error {
		closed = true
		return nil
	}); err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		rawSend(ctx, rawOptions(false, in.Priority), in.Subject, delivery.ReviewOpened, "park")
	})
	timer := workflow.NewTimer(ctx, 72*time.Hour)
	return workflow.Await(ctx, func() bool { return closed || timer.IsReady() })
}

// rawActivities reach the same world as ours.
type rawActivities struct {
	world  *world
	client client.Client
}

// rawMessage is one message.
type rawMessage struct {
	ID      string        `json:"id"`
	Subject string        `json:"subject"`
	Kind    delivery.Kind `json:"kind"`
	To      string        `json:"to"`
}

// rawTicket is what a ticket says.
type rawTicket struct {
	Subject string `json:"subject"`
	Status  string `json:"status"`
}

// RawDue says after what time something falls due. It is local.
func (*rawActivities) RawDue(_ context.Context, within time.Duration) (time.Duration, error) {
	return pace{update: within}.sendsAt(), nil
}

// RawWho says who is meant now. It is local.
func (a *rawActivities) RawWho(_ context.Context, target string) ([]string, error) {
	switch target {
	case "primary":
		return []string{"kim"}, nil
	case "secondary":
		return []string{"park"}, nil
	case customer:
		return []string{customer + "/desk"}, nil
	}
	return []string{target}, nil
}

// RawSend sends one message.
func (a *rawActivities) RawSend(_ context.Context, m rawMessage) error {
	a.world.delivered(delivery.ID(m.ID), m.Subject, m.Subject, m.Kind, m.To, time.Now())
	return nil
}

// RawStep does a step of a runbook, or measures something.
func (*rawActivities) RawStep(context.Context, string) (string, error) { return "well", nil }

// RawTicket writes the ticket.
func (a *rawActivities) RawTicket(_ context.Context, t rawTicket) error {
	a.world.arrive(t.Subject, "ticket "+t.Status, time.Now())
	return nil
}

// RawReport writes the report in two languages and three formats.
func (a *rawActivities) RawReport(_ context.Context, subject string) error {
	for _, language := range []string{"ko", "en"} {
		for _, format := range []string{"md", "html", "pdf"} {
			a.world.arrive(subject, "incident-report."+language+"."+format, time.Now())
		}
	}
	return nil
}

// RawPrevious looks for the incident before.
func (a *rawActivities) RawPrevious(ctx context.Context, _ string) (string, error) {
	id := activity.GetInfo(ctx).WorkflowExecution.ID
	found, err := a.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1, Query: fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus = 'Completed'", strings.ReplaceAll(id, "'", "''")),
	})
	if err != nil || len(found.GetExecutions()) == 0 {
		return "", err
	}
	return found.GetExecutions()[0].GetExecution().GetRunId(), nil
}

package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/signature"
)

// Handover keeps the hand-over of a schedule open until somebody confirms or declines it, or it lapses. Its history has an end,
// so it is never continued in a new run.
func Handover(ctx workflow.Context, in signature.Signed[handover.Terms]) error {
	r, err := newHandoverRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.handover, r.tell, func() bool { return r.handover.Status != handover.Open }, r.publish)
}

// handoverRun is the run of a hand-over.
type handoverRun struct {
	errand

	handover *handover.Handover
}

// newHandoverRun takes a start that was signed just now by whoever hands over.
func newHandoverRun(ctx workflow.Context, in signature.Signed[handover.Terms]) (*handoverRun, error) {
	r := &handoverRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*handoverRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("open hand-over: "+why, RefusedError, nil)
	}
	if why := begins(ctx, HandoverWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Outgoing {
		return refuse(fmt.Sprintf("%s hands over, and %s asks for it", in.Body.Outgoing.Shown(), in.By.Shown()))
	}
	h, err := handover.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.handover = h
	r.keep(ctx, &h.Timeline)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *handoverRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *handoverRun) error{
		onHandover[handover.Confirm](ConfirmUpdate, "take it over"),
		onHandover[handover.Decline](DeclineUpdate, "let it stay with the outgoing person"),
		onHandover[handover.Note](NoteUpdate, "write into the timeline"),
		onHandover[handover.Pass](PassUpdate, "say which roles have gone over"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*handover.Handover, error) {
		return r.handover, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the hand-over with its timeline"})
}

// onHandover makes the handler of one command.
func onHandover[C handover.Command](name, description string) func(workflow.Context, *handoverRun) error {
	return func(ctx workflow.Context, r *handoverRun) error {
		return takes(ctx, name, description, func(req signature.Signed[C]) error {
			if r.handover == nil { // it is not proven yet who has started it
				return temporal.NewApplicationError(name+" hand-over: it has not begun", RefusedError)
			}
			return refused(req.Body.Check(r.handover, req.By))
		}, func(ctx workflow.Context, req signature.Signed[C]) error {
			req.Body.Apply(r.handover, req.By, workflow.Now(ctx))
			r.news = true
			return nil
		})
	}
}

// publish tells lists and the self-watch where it stands.
func (r *handoverRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.handover.Status), priority: int64(r.priority()), nextDue: r.handover.NextDue(),
	})
}

func (r *handoverRun) priority() priority.Priority { return pressing(r.handover.Terms) }

// pressing is the priority of the most pressing incident that goes over.
func pressing(t handover.Terms) priority.Priority {
	if len(t.Items) > 0 {
		return t.Items[0].Priority
	}
	return priority.P3
}

// HandoverAttributes are the search attributes of a hand-over that is being started. The first thing due is its reminder.
func HandoverAttributes(t handover.Terms, now time.Time) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(StatusAttribute.ValueSet(string(handover.Open)),
		PriorityAttribute.ValueSet(int64(pressing(t))), NextDueAttribute.ValueSet(now.Add(t.Within/2)))
}

// tell writes and sends one message without being waited for. What is later than the next round of the escalation is not tried
// any more: that one says the same.
func (r *handoverRun) tell(t handover.Telling) {
	in := activities.ComposeHandoverInput{Telling: t}
	o := sending(messaging, r.priority())
	if t.About == handover.Escalated {
		o = sending(paging, r.priority())
	}
	o.ScheduleToCloseTimeout = handover.Every
	l := letter{
		kind:    delivery.Handover,
		id:      fmt.Sprintf("%s/%s/%d", HandoverWorkflowID(t.Terms.Schedule), t.Opened.UTC().Format(time.RFC3339Nano), t.Number),
		options: o, status: func() string { return string(r.handover.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, handovers.ComposeHandover, in)
		},
	}
	ctx := r.ctx
	if t.About.Open() {
		ctx = r.open
	}
	r.post(ctx, l)
}

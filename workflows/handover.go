package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// Handover keeps the hand-over of a schedule open until somebody confirms or declines it, or it lapses. Its history has an end,
// so it is never continued in a new run.
func Handover(ctx workflow.Context, in signature.Signed[handover.Terms]) error {
	r, err := newHandoverRun(ctx, in)
	if err != nil {
		return err
	}
	for {
		for _, t := range r.handover.Advance(workflow.Now(r.ctx)) {
			r.tell(t)
		}
		if r.handover.Status != handover.Open {
			r.withdraw()
		}
		if err := r.publish(); err != nil {
			return err
		}
		if r.handover.Over() && r.telling == 0 && workflow.AllHandlersFinished(r.ctx) {
			return nil
		}
		if err := r.awaitNews(); err != nil {
			return err
		}
	}
}

// handoverRun is the run of a hand-over. Its context is cut off from Temporal's cancel.
type handoverRun struct {
	ctx       workflow.Context
	open      workflow.Context // of messages that matter only until it is confirmed
	withdraw  workflow.CancelFunc
	handover  *handover.Handover
	folder    incident.Folder // newest one that has named somebody
	telling   int             // messages without an outcome yet
	news      bool            // something has happened since Advance
	published published
}

// newHandoverRun takes a start that was signed just now by whoever hands over: the id of a hand-over is used again, and an old
// start must open none.
func newHandoverRun(ctx workflow.Context, in signature.Signed[handover.Terms]) (*handoverRun, error) {
	r := &handoverRun{published: known(ctx)}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*handoverRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("open hand-over: "+why, RefusedError, nil)
	}
	fresh := signature.Freshness{Around: workflow.GetInfo(ctx).WorkflowStartTime, Within: Tolerance}
	if why := admitOne(ctx, claim(ctx, HandoverWorkflow, in, fresh)); why != "" {
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
	r.ctx = unstopped(ctx, func(at time.Time) {
		h.Timeline.Add(at, timeline.CancelRefused, timeline.Muster())
		r.news = true
	})
	r.open, r.withdraw = workflow.WithCancel(r.ctx)
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

// onHandover makes the handler of one command. The handler asks the same question as the validator: something may have come
// between.
func onHandover[C handover.Command](name, description string) func(workflow.Context, *handoverRun) error {
	return func(ctx workflow.Context, r *handoverRun) error {
		check := func(req signature.Signed[C]) error {
			if r.handover == nil { // it is not proven yet who has started it
				return temporal.NewApplicationError(name+" hand-over: it has not begun", RefusedError)
			}
			return refused(req.Body.Check(r.handover, req.By))
		}
		return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, req signature.Signed[C]) error {
			if err := check(req); err != nil {
				return err
			}
			req.Body.Apply(r.handover, req.By, workflow.Now(ctx))
			r.news = true
			return nil
		}, workflow.UpdateHandlerOptions{
			Description: description,
			Validator: func(ctx workflow.Context, req signature.Signed[C]) error {
				if err := wantAdmitted(ctx, name); err != nil {
					return err
				}
				return check(req)
			},
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

// awaitNews waits for a message, an outcome or the next deadline.
func (r *handoverRun) awaitNews() error {
	ctx, cancel := workflow.WithCancel(r.ctx)
	defer cancel()
	var due workflow.Future
	if next := r.handover.NextDue(); !next.IsZero() {
		due = workflow.NewTimer(ctx, next.Sub(workflow.Now(ctx)))
	}
	r.news = false
	return workflow.Await(ctx, func() bool { return r.news || due != nil && due.IsReady() })
}

// tell writes and sends one message without being waited for.
func (r *handoverRun) tell(t handover.Telling) {
	ctx := r.ctx
	if t.About.Open() {
		ctx = r.open
	}
	r.begin(ctx, func(ctx workflow.Context) {
		var to incident.Composition
		in := activities.ComposeHandoverInput{Telling: t, Seen: r.folder}
		err := patiently(ctx, workflow.Sleep, func(last bool) error {
			in.Anyway = last
			return locally(ctx, &to, handovers.ComposeHandover, in)
		})
		switch {
		case ctx.Err() != nil: // it does not matter any more
			return
		case err != nil:
			to = incident.Composition{Detail: cause(err)}
		default:
			r.folder = to.Folder
		}
		if len(to.To) == 0 || to.Detail != "" {
			r.record(timeline.Undetermined, timeline.F("what", string(delivery.Handover)), timeline.F("detail", to.Detail))
		}
		for _, a := range to.To {
			r.begin(ctx, func(ctx workflow.Context) { r.deliver(ctx, t, a) })
		}
	})
}

func (r *handoverRun) begin(ctx workflow.Context, do func(workflow.Context)) {
	r.telling++
	workflow.Go(ctx, func(ctx workflow.Context) {
		do(ctx)
		r.telling--
		r.news = true
	})
}

// patience is how long a contact method has before the next one is tried.
const patience = 2 * time.Minute

// deliver tries the recipient's contact methods in their order until one has taken the message. What is later than the next
// round of the escalation is not tried any more: that one says the same.
func (r *handoverRun) deliver(ctx workflow.Context, t handover.Telling, a incident.Addressed) {
	o := sending(messaging, r.priority())
	if t.About == handover.Escalated {
		o = sending(paging, r.priority())
	}
	for n, method := range a.To.Methods {
		o.ScheduleToCloseTimeout = handover.Every
		if n+1 < len(a.To.Methods) {
			o.ScheduleToCloseTimeout = patience
		}
		in := activities.DeliverInput{
			ID: delivery.ID(fmt.Sprintf("%s/%s/%d/%s/%s", HandoverWorkflowID(t.Terms.Schedule),
				t.Opened.UTC().Format(time.RFC3339Nano), t.Number, a.To.ID, method)),
			To: a.To, Method: method, Message: a.Message, Begun: workflow.Now(ctx),
		}
		var out delivery.Outcome
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), deliveries.Deliver, in).Get(ctx, &out)
		facts := []timeline.Fact{
			timeline.F("what", string(delivery.Handover)), timeline.F("delivery", string(in.ID)), timeline.F("to", a.To.Name), timeline.F("method", method),
		}
		switch {
		case temporal.IsCanceledError(err) || err != nil && ctx.Err() != nil:
			r.record(timeline.Withdrawn, append(facts, timeline.F("cause", string(r.handover.Status)))...)
			return
		case err == nil && out.Result == delivery.Delivered:
			r.record(timeline.Delivered, append(facts, timeline.F("attempts", fmt.Sprint(out.Attempts)))...)
			return
		case err != nil:
			out.Detail = cause(err)
		}
		r.record(timeline.Refused, append(slices.Clone(facts), timeline.F("detail", out.Detail))...)
	}
}

func (r *handoverRun) record(k timeline.Kind, facts ...timeline.Fact) {
	r.handover.Timeline.Add(workflow.Now(r.ctx), k, timeline.Muster(), facts...)
}

package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// ReviewWords are what a person says to a review.
type ReviewWords struct {
	Text string `json:"text"`
}

// plainReview keeps a review from before there were stages open until a person closes it. Its owner is told when it opens and when
// it is due.
func plainReview(ctx workflow.Context, in signature.Signed[ReviewInput]) (review.Review, error) {
	r := &plainReviewRun{
		review: review.Review{Opened: workflow.Now(ctx), Status: review.Open},
		again:  workflow.GetSignalChannel(ctx, IncidentResolvedSignal), published: known(ctx),
	}
	if r.signed = in.Seal != nil || wantsSignatures(ctx); r.signed { // those from before there were signatures ended by Temporal's cancel
		ctx = unstopped(ctx, func(at time.Time) { r.review.Timeline.Add(at, timeline.CancelRefused, timeline.Muster()) })
	}
	if err := r.listen(ctx); err != nil {
		return r.review, err
	}
	if err := r.admitStart(ctx, in); err != nil {
		return r.review, err
	}
	r.take(ctx, in.Body)
	r.tell(ctx, delivery.ReviewOpened)
	for r.review.Status == review.Open {
		if r.overdue(ctx) {
			r.review.Overdue = true
			r.record(ctx, timeline.ReviewOverdue, timeline.Muster())
			r.tell(ctx, delivery.ReviewDue)
		}
		if err := r.publish(ctx); err != nil {
			return r.review, err
		}
		if err := r.awaitNews(ctx); err != nil {
			return r.review, err
		}
		r.receive(ctx)
	}
	if err := r.publish(ctx); err != nil {
		return r.review, err
	}
	err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) && r.telling == 0 })
	return r.review, err
}

type plainReviewRun struct {
	review    review.Review
	input     ReviewInput
	again     workflow.ReceiveChannel
	signed    bool // takes only what is signed
	news      bool // something was taken in since the last look
	telling   int  // messages without an outcome yet, to the review and from it
	published published
}

// admitStart takes a start that is signed: a client, or a workflow on a queue of its own, can feign an incident. A review has
// its own id, which its seal names, so it can be of any age.
func (r *plainReviewRun) admitStart(ctx workflow.Context, in signature.Signed[ReviewInput]) error {
	if !r.signed {
		return nil
	}
	if why := admitOne(ctx, claim(ctx, ReviewWorkflow, in, signature.Freshness{})); why != "" {
		return temporal.NewNonRetryableApplicationError("open review: "+why, RefusedError, nil)
	}
	return nil
}

// receive takes in that the incident was resolved once more, as soon as it is proven.
func (r *plainReviewRun) receive(ctx workflow.Context) {
	var again signature.Signed[ReviewInput]
	for r.again.ReceiveAsync(&again) {
		told := again
		again = signature.Signed[ReviewInput]{}
		if !r.signed {
			r.take(ctx, told.Body)
			continue
		}
		fresh := signature.Freshness{Not: workflow.GetInfo(ctx).WorkflowStartTime, Within: Tolerance}
		r.telling++
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer func() { r.telling-- }()
			if why := admitOne(ctx, claim(ctx, IncidentResolvedSignal, told, fresh)); why != "" {
				r.record(ctx, timeline.MessageRefused, timeline.Muster(), timeline.F("message", IncidentResolvedSignal), timeline.F("detail", why))
				return
			}
			r.take(ctx, told.Body)
			r.news = true
		})
	}
}

func (r *plainReviewRun) listen(ctx workflow.Context) error {
	if err := r.on(ctx, NoteUpdate, "write into the timeline", func(ctx workflow.Context, req signature.Signed[ReviewWords]) {
		r.record(ctx, timeline.Noted, req.By, timeline.F("text", req.Body.Text))
	}); err != nil {
		return err
	}
	if err := r.on(ctx, CloseUpdate, "end the review", func(ctx workflow.Context, req signature.Signed[ReviewWords]) {
		r.record(ctx, timeline.ReviewClosed, req.By, timeline.F("note", req.Body.Text))
		r.review.Status = review.Closed
	}); err != nil {
		return err
	}
	return workflow.SetQueryHandler(ctx, StateQuery, func() (review.Review, error) { return r.review, nil })
}

func (r *plainReviewRun) on(ctx workflow.Context, name, description string, do func(workflow.Context, signature.Signed[ReviewWords])) error {
	check := func(req signature.Signed[ReviewWords]) error {
		switch {
		case strings.TrimSpace(req.Body.Text) == "" || len(req.Body.Text) > incident.MaxText:
			return temporal.NewApplicationError(name+" review: text: missing or too long", RefusedError)
		case r.review.Status != review.Open:
			return temporal.NewApplicationError(name+" review: it is closed", RefusedError)
		case name == NoteUpdate && r.review.Timeline.Bytes > heldBytes:
			return temporal.NewApplicationError(name+" review: its timeline is full", RefusedError)
		}
		return nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, req signature.Signed[ReviewWords]) error {
		if err := check(req); err != nil {
			return err
		}
		do(ctx, req)
		return nil
	}, workflow.UpdateHandlerOptions{
		Description: description,
		Validator: func(ctx workflow.Context, req signature.Signed[ReviewWords]) error {
			if err := wantAdmitted(ctx, name); err != nil {
				return err
			}
			return check(req)
		},
	})
}

// take begins from the incident's facts. Facts of a later resolution replace them and move the due instant.
func (r *plainReviewRun) take(ctx workflow.Context, in ReviewInput) {
	r.input = in
	r.review.Facts, r.review.Due, r.review.Overdue = in.Facts, in.Due, false
	r.record(ctx, timeline.ReviewOpened, timeline.Muster(), timeline.F("review", ReviewWorkflowID(in.Facts.Incident)),
		timeline.F("due", in.Due.UTC().Format(time.RFC3339)))
}

// publish tells lists and the self-watch where the review stands. Once it is overdue, and its owner told, nothing falls due.
func (r *plainReviewRun) publish(ctx workflow.Context) error {
	is := published{status: string(r.review.Status), priority: int64(r.review.Facts.Priority)}
	if r.review.Status == review.Open && !r.review.Overdue {
		is.nextDue = r.review.Due
	}
	return r.published.change(ctx, is)
}

func (r *plainReviewRun) overdue(ctx workflow.Context) bool {
	return !r.review.Overdue && !workflow.Now(ctx).Before(r.review.Due)
}

func (r *plainReviewRun) awaitNews(ctx workflow.Context) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var due workflow.Future
	if !r.review.Overdue {
		due = workflow.NewTimer(ctx, r.review.Due.Sub(workflow.Now(ctx)))
	}
	r.news = false
	return workflow.Await(ctx, func() bool {
		return r.news || r.review.Status == review.Closed || r.again.Len() > 0 || due != nil && due.IsReady()
	})
}

func (r *plainReviewRun) record(ctx workflow.Context, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	r.review.Timeline.Add(workflow.Now(ctx), k, by, facts...)
}

// tell writes to the owner without being waited for.
func (r *plainReviewRun) tell(ctx workflow.Context, k delivery.Kind) {
	r.telling++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { r.telling-- }()
		t := incident.Telling{Kind: k, Facts: r.input.Brief, Due: r.review.Due}
		var to incident.Composition
		in := activities.ComposeInput{Telling: t, Targets: r.input.Owner}
		err := patiently(ctx, workflow.Sleep, func(last bool) error {
			in.Anyway = last
			return locally(ctx, &to, composition.Compose, in)
		})
		if err != nil {
			to = incident.Composition{Detail: cause(err)}
		}
		if len(to.To) == 0 {
			r.record(ctx, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(k)), timeline.F("detail", to.Detail))
		}
		for _, a := range to.To {
			r.telling++
			workflow.Go(ctx, func(ctx workflow.Context) {
				defer func() { r.telling-- }()
				r.deliver(ctx, a)
			})
		}
	})
}

// deliver tries the recipient's contact methods in their order until one is not refused.
func (r *plainReviewRun) deliver(ctx workflow.Context, a incident.Addressed) {
	for _, method := range a.To.Methods {
		in := activities.DeliverInput{
			ID: delivery.ID(workflow.GetInfo(ctx).WorkflowExecution.ID + "/" + string(a.Message.Kind) + "/" + r.review.Due.UTC().Format(time.RFC3339) + "/" + a.To.ID + "/" + method),
			To: a.To, Method: method, Message: a.Message,
		}
		var out delivery.Outcome
		o := sending(messaging, r.review.Facts.Priority)
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), deliveries.Deliver, in).Get(ctx, &out); err != nil {
			out = delivery.Outcome{Result: delivery.Refused, Detail: cause(err)}
		}
		facts := []timeline.Fact{
			timeline.F("what", string(a.Message.Kind)), timeline.F("delivery", string(in.ID)), timeline.F("to", a.To.Name),
			timeline.F("method", method),
		}
		if out.Result == delivery.Delivered {
			r.record(ctx, timeline.Delivered, timeline.Muster(), facts...)
			return
		}
		r.record(ctx, timeline.Refused, timeline.Muster(), append(facts, timeline.F("detail", out.Detail))...)
	}
}

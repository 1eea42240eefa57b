package workflows

import (
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var reviews *activities.Reviews

// ReviewInput opens a review, and tells it anew when its incident was resolved once more.
type ReviewInput struct {
	Facts review.Facts        `json:"facts"`
	Brief incident.Facts      `json:"brief"` // what messages about it may say, of a review without rules
	Due   time.Time           `json:"due"`
	Owner []escalation.Target `json:"owner"` // who is told, of a review without rules
	Rules *review.Rules       `json:"rules,omitempty"`
}

// Review keeps a post-incident review open until a person closes it. Its timeline is bounded, so it is never continued in a new run.
func Review(ctx workflow.Context, in signature.Signed[ReviewInput]) (review.Review, error) {
	if in.Body.Rules == nil { // its incident is from before there were any
		return plainReview(ctx, in)
	}
	r, err := newReviewRun(ctx, in)
	if err != nil {
		return review.Review{}, err
	}
	for {
		for _, w := range r.review.Advance(workflow.Now(r.ctx)) {
			r.do(w)
		}
		closed := r.review.Status == review.Closed
		if closed {
			r.withdraw()
		}
		if err := r.publish(); err != nil {
			return *r.review, err
		}
		if closed && r.telling == 0 && workflow.AllHandlersFinished(r.ctx) {
			return *r.review, nil
		}
		if err := r.awaitNews(r.review.NextDue()); err != nil {
			return *r.review, err
		}
	}
}

// reviewRun is the run of a review.
type reviewRun struct {
	errand

	review *review.Review
	again  workflow.ReceiveChannel
}

// newReviewRun takes a start that an incident or a person has signed: a client, or a workflow on a queue of its own, can feign an
// incident. A review has its own id, which its seal names, so it can be of any age.
func newReviewRun(ctx workflow.Context, in signature.Signed[ReviewInput]) (*reviewRun, error) {
	r := &reviewRun{errand: errand{published: known(ctx)}, again: workflow.GetSignalChannel(ctx, IncidentResolvedSignal)}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	if why := admitOne(ctx, claim(ctx, ReviewWorkflow, in, signature.Freshness{})); why != "" {
		return nil, temporal.NewNonRetryableApplicationError("open review: "+why, RefusedError, nil)
	}
	r.review = review.Start(in.Body.Facts, in.Body.Rules, in.Body.Due, in.By, workflow.Now(ctx))
	r.keep(ctx, &r.review.Timeline)
	workflow.Go(r.ctx, r.hear)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *reviewRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *reviewRun) error{
		onReview[review.Write](WriteUpdate, "write a section, or take it out"),
		onReview[review.AddFactor](AddFactorUpdate, "add a contributing factor"),
		onReview[review.RemoveFactor](RemoveFactorUpdate, "take a contributing factor out"),
		onReview[review.SetPattern](SetPatternUpdate, "say by what the same is recognised again"),
		onReview[review.Invite](InviteUpdate, "invite the engineer of a vendor"),
		onReview[review.Submit](SubmitUpdate, "submit the draft"),
		onReview[review.HoldMeeting](HoldMeetingUpdate, "record the review meeting"),
		onReview[review.WriteText](WriteTextUpdate, "write the text for a customer"),
		onReview[review.Approve](ApproveUpdate, "approve a text by its SHA-256"),
		onReview[review.Reject](RejectUpdate, "reject a text"),
		onReview[review.PublishText](PublishUpdate, "publish a text that was approved"),
		onReview[review.AddAction](AddActionUpdate, "record an action item that was opened"),
		onReview[review.Note](NoteUpdate, "write into the timeline"),
		onReview[review.Close](CloseUpdate, "end the review"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*review.Review, error) {
		return r.review, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the review with its timeline"})
}

// onReview makes the handler of one command.
func onReview[C review.Command](name, description string) func(workflow.Context, *reviewRun) error {
	return func(ctx workflow.Context, r *reviewRun) error {
		return asked[C](ctx, &r.errand, "review", name, description, func() *review.Review { return r.review })
	}
}

// hear takes in that the incident was resolved once more, as soon as it is proven.
func (r *reviewRun) hear(ctx workflow.Context) {
	for {
		var told signature.Signed[ReviewInput]
		if !r.again.Receive(ctx, &told) {
			return
		}
		fresh := signature.Freshness{Not: workflow.GetInfo(ctx).WorkflowStartTime, Within: Tolerance}
		why := admitOne(ctx, claim(ctx, IncidentResolvedSignal, told, fresh))
		if why == "" && told.Body.Rules == nil {
			why = "it has no rules"
		}
		if why != "" {
			r.record(timeline.MessageRefused, timeline.F("message", IncidentResolvedSignal), timeline.F("detail", why))
		} else {
			r.review.Extend(told.Body.Facts, told.Body.Rules, told.Body.Due, workflow.Now(ctx))
		}
		r.news = true
	}
}

// publish tells lists and the self-watch where it stands.
func (r *reviewRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.review.Status), priority: int64(r.review.Facts.Priority), nextDue: r.review.NextDue(),
	})
}

// do does one thing outside, without being waited for.
func (r *reviewRun) do(w review.Work) {
	switch w.Do {
	case review.Tell:
		r.tell(w.Telling)
	case review.ComputeDeadlines:
		r.begin(r.ctx, func(ctx workflow.Context) { r.computeDeadlines(ctx, w.Round) })
	case review.FindChanges:
		r.begin(r.ctx, func(ctx workflow.Context) { r.findChanges(ctx, w.Round) })
	case review.WriteDrafts:
		r.begin(r.ctx, func(ctx workflow.Context) { r.draft(ctx, w.Round) })
	}
}

func (r *reviewRun) computeDeadlines(ctx workflow.Context, round int) {
	in := activities.ComputeClocksInput{Calendars: r.review.Rules.Pinned}
	for _, c := range r.review.Clocks() {
		in.Clocks = append(in.Clocks, activities.ClockInput{Clock: c, AtRisk: r.review.AtRisk()})
	}
	var at []incident.Instants
	err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &at, composition.ComputeClocks, in) })
	r.review.Computed(round, at, detailOf(err), workflow.Now(ctx))
}

// findChanges asks the runs of plans what they have changed.
func (r *reviewRun) findChanges(ctx workflow.Context, round int) {
	facts := r.review.Facts
	if facts.Record == nil {
		return
	}
	in := activities.FindChangesInput{Service: facts.Record.ServiceID, From: facts.Times.Started.Add(-review.Before), Until: facts.Times.Started}
	var all []review.Change
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(reporting, facts.Priority)), reviews.FindChanges, in).Get(ctx, &all)
	r.review.Changed(round, all, detailOf(err), workflow.Now(ctx))
}

func (r *reviewRun) draft(ctx workflow.Context, round int) {
	in := activities.DraftReviewInput{Facts: r.review.Facts}
	for _, t := range r.review.Texts {
		if t.Audience != review.Internal {
			in.Customers = append(in.Customers, t.Audience)
		}
	}
	if len(in.Customers) == 0 {
		return
	}
	var all []review.Drafted
	err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &all, reviews.DraftReview, in) })
	r.review.Drafted(round, all, detailOf(err), workflow.Now(ctx))
}

// detailOf is what went wrong, empty when nothing did.
func detailOf(err error) string {
	if err == nil {
		return ""
	}
	return cause(err)
}

// tell writes and sends one message. What leaves the house is never taken back, nor what says that the review is published.
func (r *reviewRun) tell(t review.Telling) {
	in := activities.ComposeReviewInput{Telling: t}
	l := letter{
		kind: delivery.Review, id: fmt.Sprintf("%s/%d", ReviewWorkflowID(r.review.Facts.Incident), t.Number),
		options: sending(messaging, r.review.Facts.Priority), status: func() string { return "review-" + string(r.review.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, reviews.ComposeReview, in)
		},
	}
	ctx := r.open
	if t.About.Outside() || t.About == review.Shared {
		ctx = r.ctx
	}
	r.post(ctx, l)
}

// admitOne asks why a message is not to be taken.
func admitOne(ctx workflow.Context, c Claim) (why string) {
	admit(ctx, []Claim{c}, func(_ int, verdict string) { why = verdict })
	return why
}

// reviewOptions start a review that lists know from the beginning, under its own id. One that was refused, because somebody
// else had started it, does not stand in its way.
func reviewOptions(i *incident.Incident, id string) workflow.ChildWorkflowOptions {
	return workflow.ChildWorkflowOptions{
		TypedSearchAttributes: ReviewAttributes(i, id, i.ReviewDue()),
		WorkflowID:            id,
		TaskQueue:             TaskQueue,
		ParentClosePolicy:     enumspb.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		Priority:              temporal.Priority{PriorityKey: int(i.Priority)},
	}
}

// ReviewAttributes are the search attributes of a review that is being opened.
func ReviewAttributes(i *incident.Incident, id string, due time.Time) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		IDAttribute.ValueSet(id), ServiceAttribute.ValueSet(i.Definition.Service.ID), StatusAttribute.ValueSet(string(review.Open)),
		PriorityAttribute.ValueSet(int64(i.Priority)), NextDueAttribute.ValueSet(due),
	)
}

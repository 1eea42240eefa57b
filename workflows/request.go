package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/signature"
	"muster/internal/supportplan"
	"muster/internal/usage"
)

var requests *activities.Requests

// Request keeps a customer's request open until it is answered, declined or withdrawn. Its timeline is bounded, so it is never
// continued in a new run.
func Request(ctx workflow.Context, in signature.Signed[request.Terms]) error {
	r, err := newRequestRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.request, r.do, r.request.Over, r.publish)
}

// requestRun is the run of a request.
type requestRun struct {
	errand

	request *request.Request
}

// newRequestRun takes a start that was signed just now by whoever has recorded the request.
func newRequestRun(ctx workflow.Context, in signature.Signed[request.Terms]) (*requestRun, error) {
	r := &requestRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*requestRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("receive request: "+why, RefusedError, nil)
	}
	if why := begins(ctx, RequestWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Recorder {
		return refuse(fmt.Sprintf("%s has recorded it, and %s asks for it", in.Body.Recorder.Shown(), in.By.Shown()))
	}
	q, err := request.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.request = q
	r.keep(ctx, &q.Timeline)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *requestRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *requestRun) error{
		onRequest[request.Approve](ApproveUpdate, "do it although the support plan does not cover it"),
		onRequest[request.Decline](DeclineUpdate, "do not do it"),
		onRequest[request.Answer](AnswerUpdate, "answer the customer"),
		onRequest[request.Withdraw](WithdrawUpdate, "say that the customer wants it no more"),
		onRequest[request.Note](NoteUpdate, "write into the timeline"),
		onRequest[request.Take](TakeUpdate, "work on it"),
		onRequest[request.HandOver](HandOverUpdate, "give it to another person"),
		onRequest[request.Collect](CollectUpdate, "say something that engineering needs"),
		onRequest[request.Meet](MeetUpdate, "record a meeting with its minutes"),
		onRequest[request.RecordCase](RecordCaseUpdate, "say what a vendor was asked, and when to ask again"),
		onRequest[request.Judge](JudgeUpdate, "say whether the answer is enough"),
		onRequest[request.Promote](PromoteUpdate, "say that it has become an incident"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*request.Request, error) {
		return r.request, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the request with its timeline"})
}

// onRequest makes the handler of one command.
func onRequest[C request.Command](name, description string) func(workflow.Context, *requestRun) error {
	return func(ctx workflow.Context, r *requestRun) error {
		return asked[C](ctx, &r.errand, "request", name, description, func() *request.Request { return r.request })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *requestRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.request.Status), priority: int64(request.Priority), nextDue: r.request.NextDue(),
	})
}

// RequestAttributes are the search attributes of a request that is being received.
func RequestAttributes(t request.Terms) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(request.Received)),
		PriorityAttribute.ValueSet(int64(request.Priority)), CustomersAttribute.ValueSet([]string{t.Customer}))
}

// do does one thing outside, without being waited for.
func (r *requestRun) do(w request.Work) {
	switch w.Do {
	case request.Tell:
		r.tell(w.Telling)
	case request.ComputeClocks:
		r.begin(r.ctx, r.computeClocks)
	case request.Confirm:
		r.begin(r.ctx, r.confirm)
	case request.Claim:
		r.begin(r.ctx, func(ctx workflow.Context) { r.claim(ctx, w.Claim) })
	case request.Return:
		r.begin(r.ctx, r.giveBack)
	}
}

// instants computes when clocks are due.
func (r *requestRun) instants(ctx workflow.Context, clocks ...supportplan.Clock) (at []incident.Instants, detail string) {
	in := activities.ComputeClocksInput{Calendars: r.request.Calendars}
	for _, c := range clocks {
		in.Clocks = append(in.Clocks, activities.ClockInput{Clock: c, AtRisk: r.request.AtRisk})
	}
	err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &at, composition.ComputeClocks, in) })
	if err != nil {
		return nil, cause(err)
	}
	return at, ""
}

func (r *requestRun) computeClocks(ctx workflow.Context) {
	at, detail := r.instants(ctx, r.request.Clocks...)
	r.request.Computed(at, detail, workflow.Now(ctx))
}

// confirm computes until when the customer may object to the newest answer.
func (r *requestRun) confirm(ctx workflow.Context) {
	at, _ := r.instants(ctx, r.request.Objection())
	var closes time.Time
	if len(at) == 1 {
		closes = at[0].Due
	}
	r.request.Closing(closes, workflow.Now(ctx))
}

// claim asks the ledger of the customer. While nobody knows what is left a person can decide, so at the receipt it is not asked
// for long.
func (r *requestRun) claim(ctx workflow.Context, c usage.Claim) {
	k := looking
	if c.Take == usage.Anyway {
		k = ticketing
	}
	var counts usage.Counts
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(k, request.Priority)), requests.ClaimUse, c).Get(ctx, &counts)
	detail := ""
	if err != nil {
		detail = cause(err)
	}
	r.request.Counted(counts, detail, workflow.Now(ctx))
}

func (r *requestRun) giveBack(ctx workflow.Context) {
	in := activities.ReturnUseInput{Customer: r.request.Customer, Request: string(r.request.ID)}
	detail := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(ticketing, request.Priority)), requests.ReturnUse, in).Get(ctx, nil); err != nil {
		detail = cause(err)
	}
	r.request.Returned(detail, workflow.Now(ctx))
}

// tell writes and sends one message. What the customer is told is never taken back.
func (r *requestRun) tell(t request.Telling) {
	in := activities.ComposeRequestInput{Telling: t}
	l := letter{
		kind: delivery.Request, id: fmt.Sprintf("%s/%d", RequestWorkflowID(t.Terms.ID), t.Number), options: sending(messaging, request.Priority),
		status: func() string { return "request-" + string(r.request.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, requests.ComposeRequest, in)
		},
	}
	ctx := r.open
	if t.About.Outside() {
		ctx = r.ctx
	}
	r.post(ctx, l)
}

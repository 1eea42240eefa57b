package workflows

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/review"
	"muster/internal/signature"
	"muster/internal/ticket"
)

// The activities that workflows call, by their methods' names.
var (
	composition *activities.Composition
	deliveries  *activities.Deliveries
	tickets     *activities.Tickets
	pages       *activities.Pages
	reports     *activities.Reports
	lookup      *activities.Lookup
	handovers   *activities.Handovers
	followUps   *activities.FollowUps
	rooms       *activities.Rooms
	problems    *activities.Problems
	responses   *activities.Responses
)

// send begins one piece of work in its own coroutine and takes its outcome in when it is known.
func (r *incidentRun) send(s incident.Send) {
	ctx, cancel := workflow.WithCancel(r.ctx)
	r.sends = append(r.sends, inFlight{number: s.Number, cancel: cancel})
	if s.Work.Local() {
		r.local++
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		switch s.Work {
		case incident.ComputeClocks:
			r.computeClocks(ctx, s)
		case incident.LookHours:
			r.lookHours(ctx, s)
		case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt,
			incident.CloseCustomer, incident.SendResult, incident.CallVendor, incident.Summon, incident.Appoint:
			r.compose(ctx, s)
		case incident.PagePerson, incident.Tell:
			r.deliver(ctx, s)
		case incident.SyncTicket:
			r.syncTicket(ctx, s)
		case incident.PostStatus:
			r.postStatus(ctx, s)
		case incident.WriteReport:
			r.writeReport(ctx, s)
		case incident.OpenReview:
			r.openReview(ctx, s)
		case incident.FindPrevious:
			r.findPrevious(ctx, s)
		case incident.FindNearby:
			r.findNearby(ctx, s)
		case incident.FindProblem:
			r.findProblem(ctx, s, looking)
		case incident.CountProblem:
			r.findProblem(ctx, s, reporting)
		case incident.WriteResult:
			r.writeResult(ctx, s)
		case incident.TellMerge, incident.TellMerged, incident.ForwardAlerts:
			r.tellMerge(ctx, s)
		case incident.FollowPage:
			r.followPage(ctx, s)
		case incident.KeepRoom:
			r.keepRoom(ctx, s)
		case incident.ClaimResponse:
			r.claimResponse(ctx, s)
		case incident.LookStep, incident.ActStep:
			r.stepResponse(ctx, s)
		case incident.EndResponse:
			r.endResponse(ctx, s)
		}
		r.landed(s.Number)
	})
}

func (r *incidentRun) landed(number int) {
	for n := range r.sends {
		if r.sends[n].number == number {
			r.sends = append(r.sends[:n], r.sends[n+1:]...)
			break
		}
	}
	r.news = true
}

// withdraw takes back what no longer matters: at once what is queued or waits for its next attempt, and what is being
// tried is not tried again.
func (r *incidentRun) withdraw() {
	for n := range r.sends {
		f := &r.sends[n]
		if s := r.incident.Find(f.number); !f.cancelled && s != nil && s.Withdrawn != "" {
			f.cancelled = true
			f.cancel()
		}
	}
}

func (r *incidentRun) withdrawn(number int) bool {
	s := r.incident.Find(number)
	return s != nil && s.Withdrawn != ""
}

// locally runs a local activity: short, without network, within the workflow task.
func locally(ctx workflow.Context, result, activity, input any) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 2 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumAttempts: 3},
	})
	return workflow.ExecuteLocalActivity(ctx, activity, input).Get(ctx, result)
}

func (r *incidentRun) computeClocks(ctx workflow.Context, s incident.Send) {
	in := activities.Computing(r.incident)
	var at []incident.Instants
	err := r.locally(ctx, func(bool) error { return locally(ctx, &at, composition.ComputeClocks, in) })
	if err != nil {
		r.incident.NotComputed(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	r.incident.Computed(s.Number, at, workflow.Now(ctx))
}

func (r *incidentRun) lookHours(ctx workflow.Context, s incident.Send) {
	var h incident.Hours
	err := locally(ctx, &h, composition.LookHours, activities.Looking(r.incident, workflow.Now(ctx)))
	r.local--
	detail := ""
	if err != nil { // paging does not wait: the policy's own steps hold, and it is looked again soon
		h, detail = incident.Hours{Until: workflow.Now(ctx).Add(time.Minute)}, cause(err)
	}
	r.incident.Looked(s.Number, h, detail, workflow.Now(ctx))
}

func (r *incidentRun) compose(ctx workflow.Context, s incident.Send) {
	in := activities.Composing(r.incident, s)
	var out incident.Composition
	var err error
	if r.incident.Definition.Changed.IsZero() {
		err = r.locally(ctx, func(last bool) error {
			in.Anyway = last
			return locally(ctx, &out, composition.Compose, in)
		})
	} else {
		err = r.composeAnywhere(ctx, &out, in)
	}
	if err != nil {
		out = incident.Composition{Detail: cause(err)}
	}
	r.incident.Composed(s.Number, out, workflow.Now(ctx))
}

// composeAnywhere composes within the workflow task, or, where this worker lags behind the folder or is flooded, at whichever worker
// comes first.
func (r *incidentRun) composeAnywhere(ctx workflow.Context, out *incident.Composition, in activities.ComposeInput) error {
	err := locally(ctx, out, composition.Compose, in)
	if err == nil {
		r.local--
		return nil
	}
	if !composesAnywhere(ctx) {
		failed := err
		return r.locally(ctx, func(last bool) error {
			if first := failed; first != nil {
				failed = nil
				return first
			}
			in.Anyway = last
			return locally(ctx, out, composition.Compose, in)
		})
	}
	r.local--
	r.news = true
	o := sending(looking, r.incident.Priority)
	o.ScheduleToCloseTimeout = 0 // as long as it takes until there is a worker
	o.StartToCloseTimeout = 5 * time.Second
	o.RetryPolicy.BackoffCoefficient = 1
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), composition.Compose, in).Get(ctx, out)
}

// locally is patient with a local activity. The run goes on between its attempts.
func (r *incidentRun) locally(ctx workflow.Context, attempt func(last bool) error) error {
	err := patiently(ctx, func(ctx workflow.Context, d time.Duration) error {
		r.local--
		r.news = true
		err := workflow.Sleep(ctx, d)
		r.local++
		return err
	}, attempt)
	r.local--
	return err
}

// patiently makes an attempt with a local activity, and when that fails some more with time between them. A worker that lags
// behind the folder, or is flooded, recovers meanwhile.
func patiently(ctx workflow.Context, sleep func(workflow.Context, time.Duration) error, attempt func(last bool) error) error {
	const patience = 5
	err := attempt(false)
	for tries := 1; err != nil && tries <= patience; tries++ {
		if sleep(ctx, 5*time.Second) != nil {
			break
		}
		err = attempt(tries == patience)
	}
	return err
}

func (r *incidentRun) deliver(ctx workflow.Context, s incident.Send) {
	options := r.sending(messaging)
	if s.Work == incident.PagePerson {
		options = r.sending(paging)
	}
	var out delivery.Outcome
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), deliveries.Deliver, activities.DeliverInput{
		ID: s.ID, To: *s.To, Method: s.To.Methods[s.Method], Message: *s.Message, Repeated: s.Repeated, Begun: s.Begun,
		Seen: r.seen(),
	}).Get(ctx, &out)
	switch {
	case temporal.IsCanceledError(err):
		out = delivery.Outcome{Result: delivery.Withdrawn}
	case err != nil && r.withdrawn(s.Number):
		// The attempt that was under way was lost and is not repeated: nobody has refused it, and it may have arrived.
		out = delivery.Outcome{Result: delivery.Withdrawn, Detail: cause(err)}
	case err != nil:
		out = delivery.Outcome{Result: delivery.Refused, Detail: cause(err)}
	}
	r.incident.Told(s.Number, out, workflow.Now(ctx))
}

// seen is the newest folder that the run has had an answer from, which those who deliver must have too.
func (r *incidentRun) seen() incident.Folder {
	if r.incident.Definition.Changed.IsZero() {
		return incident.Folder{}
	}
	return r.incident.Folder
}

func (r *incidentRun) syncTicket(ctx workflow.Context, s incident.Send) {
	var ref ticket.Ref
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(ticketing)), tickets.SyncTicket,
		activities.SyncTicketInput{
			Ref: r.incident.Ticket.Ref, Revision: s.Revision, At: workflow.Now(ctx), Facts: r.incident.Facts(),
			Language: r.incident.Definition.Languages[0],
		}).Get(ctx, &ref)
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == RefusedError {
		r.incident.TicketRefused(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	if err != nil {
		r.incident.TicketMissed(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	r.incident.Ticketed(s.Number, ref, workflow.Now(ctx))
}

func (r *incidentRun) postStatus(ctx workflow.Context, s incident.Send) {
	var ref string
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(messaging)), pages.PostStatus, activities.Posting(r.incident, s)).Get(ctx, &ref)
	if err != nil {
		r.incident.PageFailed(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	r.incident.PagePosted(s.Number, ref, workflow.Now(ctx))
}

func (r *incidentRun) writeReport(ctx workflow.Context, s incident.Send) {
	var out activities.WrittenReport
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(reporting)), reports.WriteReport,
		activities.WriteReportInput{Incident: r.incident.ForReport(), Revision: s.Revision, At: workflow.Now(ctx)}).Get(ctx, &out)
	if err != nil {
		r.incident.ReportFailed(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	r.incident.Reported(s.Number, out.Files, workflow.Now(ctx))
}

func (r *incidentRun) writeResult(ctx workflow.Context, s incident.Send) {
	var out activities.WrittenResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(reporting)), reports.WriteResult,
		activities.WriteResultInput{
			Incident: r.incident.ForResult(s.Customer), Customer: s.Customer, Revision: s.Revision, Text: s.Text, At: workflow.Now(ctx),
		}).Get(ctx, &out)
	switch {
	case temporal.IsCanceledError(err):
		r.incident.Dropped(s.Number)
	case err != nil:
		r.incident.ResultFailed(s.Number, cause(err), workflow.Now(ctx))
	default:
		r.incident.ResultWritten(s.Number, out.Files, workflow.Now(ctx))
	}
}

func (r *incidentRun) followPage(ctx workflow.Context, s incident.Send) {
	p := r.incident.Followed(s)
	if p == nil {
		r.incident.Dropped(s.Number)
		return
	}
	in := activities.FollowPageInput{Page: *p, Facts: r.incident.Facts().Discreet()}
	fault := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(following)), followUps.FollowPage, in).Get(ctx, nil); err != nil {
		fault = cause(err)
	}
	r.incident.PageTold(s.Number, fault, workflow.Now(ctx))
}

func (r *incidentRun) keepRoom(ctx workflow.Context, s incident.Send) {
	i := r.incident
	in := activities.KeepRoomInput{
		Ref: i.Room.Ref, Content: fmt.Sprintf("%d/%s", i.Room.Told, s.Content), Facts: i.Facts(), Language: i.Definition.Languages[0], Archive: s.Archives(),
	}
	for _, a := range i.Responders {
		in.Responders = append(in.Responders, a.ID)
	}
	var ref ticket.Ref
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(following)), rooms.KeepRoom, in).Get(ctx, &ref)
	if err != nil {
		app, ok := errors.AsType[*temporal.ApplicationError](err)
		i.RoomMissed(s.Number, cause(err), ok && app.Type() == RefusedError, workflow.Now(ctx))
		return
	}
	i.RoomKept(s.Number, ref, workflow.Now(ctx))
}

// tellMerge tells another incident something. What it is told names the incident that is meant: whoever has its workflow id then
// may be another one.
func (r *incidentRun) tellMerge(ctx workflow.Context, s incident.Send) {
	m, other := r.incident.MergeMessage(s)
	if other == "" {
		r.incident.Dropped(s.Number)
		return
	}
	m.From.WorkflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	signed, err := sealed(ctx, signature.Statement{Workflow: other, Message: MergeSignal}, m)
	if err == nil {
		err = workflow.SignalExternalWorkflow(ctx, other, "", MergeSignal, signed).Get(ctx, nil)
	}
	failure := ""
	if err != nil {
		failure = cause(err)
	}
	r.incident.MergeTold(s.Number, failure, workflow.Now(ctx))
}

// openReview starts the review as its own workflow, which outlives the incident. A review that is open already hears that
// its incident was resolved once more.
func (r *incidentRun) openReview(ctx workflow.Context, s incident.Send) {
	i := r.incident
	id, due := ReviewWorkflowID(i.ID), i.ReviewDue()
	in := ReviewInput{Facts: review.FactsOf(i), Brief: i.Facts().Discreet(), Due: due, Owner: i.ReviewOwner(), Rules: review.RulesOf(i)}
	var err error
	if i.Review.Opened {
		err = r.tellReview(ctx, id, in)
	} else {
		err = r.startReview(ctx, id, in)
		if in.Rules != nil && temporal.IsWorkflowExecutionAlreadyStartedError(err) { // a person has opened it
			err = r.tellReview(ctx, id, in)
		}
	}
	failure := ""
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) { // else an earlier run has started it
		failure = cause(err)
	}
	i.Reviewed(s.Number, id, due, failure, workflow.Now(ctx))
}

func (r *incidentRun) startReview(ctx workflow.Context, id string, in ReviewInput) error {
	m, err := r.seal(ctx, id, ReviewWorkflow, in)
	if err != nil {
		return err
	}
	child := workflow.WithChildOptions(ctx, reviewOptions(r.incident, id))
	return workflow.ExecuteChildWorkflow(child, ReviewWorkflow, m).GetChildWorkflowExecution().Get(ctx, nil)
}

// tellReview tells a review that its incident was resolved once more.
func (r *incidentRun) tellReview(ctx workflow.Context, id string, in ReviewInput) error {
	m, err := r.seal(ctx, id, IncidentResolvedSignal, in)
	if err != nil {
		return err
	}
	return workflow.SignalExternalWorkflow(ctx, id, "", IncidentResolvedSignal, m).Get(ctx, nil)
}

// seal signs what a review is told. Runs from before there were signatures tell it as they always did.
func (r *incidentRun) seal(ctx workflow.Context, review, name string, in ReviewInput) (signature.Signed[ReviewInput], error) {
	if !r.signed {
		return signature.Unsigned(in), nil
	}
	return sealed(ctx, signature.Statement{Workflow: review, Message: name}, in)
}

func (r *incidentRun) findPrevious(ctx workflow.Context, s incident.Send) {
	var before *incident.Earlier
	ctx = workflow.WithActivityOptions(ctx, r.sending(looking))
	var found workflow.Future
	if i := r.incident; i.Definition.Source == incident.People { // no alert group brought it
		found = workflow.ExecuteActivity(ctx, lookup.FindPreviousOf, activities.PreviousOfInput{Self: i.ID, Service: i.Definition.Service.ID})
	} else {
		found = workflow.ExecuteActivity(ctx, lookup.FindPrevious, i.ID)
	}
	if err := found.Get(ctx, &before); err != nil {
		r.incident.PreviousUnknown(s.Number, cause(err), workflow.Now(ctx))
		return
	}
	r.incident.FoundPrevious(s.Number, before, workflow.Now(ctx))
}

// findNearby finds what else goes on.
func (r *incidentRun) findNearby(ctx workflow.Context, s incident.Send) {
	i := r.incident
	in := activities.NearbyInput{Self: i.ID, Service: i.Definition.Service, At: workflow.Now(ctx)}
	var all []incident.Nearby
	detail := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(looking)), lookup.FindNearby, in).Get(ctx, &all); err != nil {
		detail = cause(err)
	}
	i.FoundNearby(s.Number, all, detail, workflow.Now(ctx))
}

// findProblem asks for the problem behind the incident. Of one that is over there may be one only now.
func (r *incidentRun) findProblem(ctx workflow.Context, s incident.Send, k kind) {
	var found *problem.Found
	detail := ""
	if o, ok := problem.OccurrenceOf(r.incident); ok && len(o.Keys) > 0 {
		in := activities.FindProblemInput{Service: r.incident.Definition.Service.ID, Occurrence: o, Rule: *r.incident.Definition.Recurrence}
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(k)), problems.FindProblem, in).Get(ctx, &found); err != nil {
			detail = cause(err)
		}
	}
	r.incident.FoundProblem(s.Number, found, detail, workflow.Now(ctx))
}

// kind is a kind of outside work with its own patience.
type kind int

const (
	paging    kind = iota // for as long as it matters: only an outcome or being taken back ends it
	messaging             // to customers and role holders
	ticketing
	reporting
	looking
	following
)

// sending returns the options for a kind of work, with the incident's current priority.
func (r *incidentRun) sending(k kind) workflow.ActivityOptions {
	return sending(k, r.incident.Priority)
}

func sending(k kind, p priority.Priority) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 15 * time.Second,
		// The outcome of what is being tried in the moment of its withdrawal is still recorded.
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
			MaximumAttempts: math.MaxInt32, // no limit; the test environment would read 0 as ten
		},
		Priority: temporal.Priority{PriorityKey: int(p)},
	}
	switch k {
	case paging:
		o.TaskQueue = PagingTaskQueue
	case messaging, ticketing:
		o.ScheduleToCloseTimeout = 24 * time.Hour
	case reporting, following:
		o.ScheduleToCloseTimeout = time.Hour
	case looking:
		o.ScheduleToCloseTimeout = time.Minute
	}
	return o
}

// cause is what an auditor wants to read of an activity's error.
func cause(err error) string {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Message()
	}
	if late, ok := errors.AsType[*temporal.TimeoutError](err); ok {
		return "no answer in time: " + late.Message()
	}
	return err.Error()
}

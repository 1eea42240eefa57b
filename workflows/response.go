package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/signature"
)

// AutomaticResponseInput opens the ledger of an automatic response, or hands it to the run that continues it.
type AutomaticResponseInput struct {
	ID    string           `json:"id"` // in the organisation folder
	State *response.Ledger `json:"state,omitempty"`
}

// AutomaticResponse keeps how an automatic response may run, for all incidents. It never ends.
func AutomaticResponse(ctx workflow.Context, in signature.Signed[AutomaticResponseInput]) error {
	r := &responseRun{}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if why := admitLedger(ctx, AutomaticResponseWorkflow, in, in.Body.State != nil); why != "" {
		return notOpened("automatic response", why)
	}
	if AutomaticResponseWorkflowID(in.Body.ID) != workflow.GetInfo(ctx).WorkflowExecution.ID {
		return notOpened("automatic response", "want the one of "+workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
	ledger := in.Body.State
	if ledger == nil {
		ledger = &response.Ledger{ID: in.Body.ID}
	}
	r.keep(ctx, &ledger.Timeline)
	r.ledger = ledger
	for {
		if err := workflow.Await(r.ctx, r.continues); err != nil {
			return err
		}
		r.news = false
		if err := handOn(r.ctx, AutomaticResponseWorkflow, AutomaticResponseInput{ID: ledger.ID, State: ledger},
			func() bool { return !r.news && r.continues() }); err != nil {
			return err
		}
	}
}

type responseRun struct {
	errand

	ledger *response.Ledger
	asked  int // claims and ends so far
}

// listen registers every handler before the run blocks for the first time.
func (r *responseRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *responseRun) error{
		onLedger(ClaimUpdate, "allow an incident to run the response, or say why not", func(c response.Claim, now time.Time) (response.Answer, error) {
			if err := r.ledger.Check(c); err != nil {
				return response.Answer{}, refused(err)
			}
			return r.ledger.Claim(c, now), nil
		}),
		onLedger(EndUpdate, "take in what has come of a run", func(e response.End, now time.Time) (response.Ended, error) {
			return r.ledger.End(e, now), nil
		}),
		onResponse[response.SwitchOff](SwitchOffUpdate, "let it do nothing until somebody switches it on"),
		onResponse[response.SwitchOn](SwitchOnUpdate, "let it run again"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*response.Ledger, error) {
		return r.ledger, nil
	}, workflow.QueryHandlerOptions{Description: "how the response may run, with its timeline"})
}

// onLedger makes the handler of what incidents ask, in Muster's name.
func onLedger[C, A any](name, description string, answer func(c C, now time.Time) (A, error)) func(workflow.Context, *responseRun) error {
	return func(ctx workflow.Context, r *responseRun) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, req signature.Signed[C]) (A, error) {
			var none A
			// What comes with the first task of a run waits until it is proven who has started it.
			if err := workflow.Await(ctx, func() bool { return r.ledger != nil }); err != nil {
				return none, err
			}
			r.asked++
			r.news = true
			return answer(req.Body, workflow.Now(ctx))
		}, workflow.UpdateHandlerOptions{
			Description: description,
			Validator: func(ctx workflow.Context, req signature.Signed[C]) error {
				if err := wantAdmitted(ctx, name); err != nil {
					return err
				}
				return onlyMuster(name+" automatic response", req.By)
			},
		})
	}
}

// onResponse makes the handler of what people ask.
func onResponse[C response.Command](name, description string) func(workflow.Context, *responseRun) error {
	return func(ctx workflow.Context, r *responseRun) error {
		return asked[C](ctx, &r.errand, "automatic response", name, description, func() *response.Ledger { return r.ledger })
	}
}

// continues tells whether the history has grown so long that a new run should go on with the ledger.
func (r *responseRun) continues() bool {
	grown := r.asked >= mostAsked || workflow.GetInfo(r.ctx).GetContinueAsNewSuggested()
	return grown && workflow.AllHandlersFinished(r.ctx)
}

// claimResponse asks whether the automatic response of an incident may run.
func (r *incidentRun) claimResponse(ctx workflow.Context, s incident.Send) {
	var is response.Answer
	fault := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(looking)), responses.ClaimResponse, r.incident.ResponseClaim()).Get(ctx, &is); err != nil {
		fault = cause(err)
	}
	r.incident.ResponseClaimed(s.Number, is, fault, workflow.Now(ctx))
}

// endResponse tells what has come of it.
func (r *incidentRun) endResponse(ctx workflow.Context, s incident.Send) {
	var is response.Ended
	fault := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, r.sending(reporting)), responses.EndResponse, r.incident.ResponseEnd()).Get(ctx, &is); err != nil {
		fault = cause(err)
	}
	r.incident.ResponseTold(s.Number, is, fault, workflow.Now(ctx))
}

// beginsWithin is how long a step of an automatic response waits for a worker. What begins later than that is not what anybody expects.
const beginsWithin = 90 * time.Second

// stepResponse attempts a step once. Whatever keeps its outcome from being known leaves it unknown; what no worker has begun has not
// happened.
func (r *incidentRun) stepResponse(ctx workflow.Context, s incident.Send) {
	book, step := r.incident.ResponseStep(s)
	options := once(activities.StepTimeout(step))
	options.WaitForCancellation, options.HeartbeatTimeout, options.ScheduleToStartTimeout = true, activities.StepHeartbeat, beginsWithin
	var out runbook.Result
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), runbooks.RunStep,
		activities.RunStepInput{Runbook: book, Number: s.Revision, Automatic: step}).Get(ctx, &out)
	switch {
	case temporal.IsCanceledError(err):
		r.incident.ResponseStepWithdrawn(s.Number, workflow.Now(ctx))
		return
	case neverBegun(err):
		out = runbook.Result{State: runbook.Failed, Detail: "no worker that runs the steps of runbooks has taken it in " + beginsWithin.String()}
	case err != nil:
		out = runbook.Result{State: runbook.Unknown, Detail: cause(err)}
	}
	r.incident.ResponseStepped(s.Number, out, workflow.Now(ctx))
}

// neverBegun tells whether no worker has taken an activity in time.
func neverBegun(err error) bool {
	late, ok := errors.AsType[*temporal.TimeoutError](err)
	return ok && late.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START
}

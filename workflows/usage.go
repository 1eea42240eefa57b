package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/internal/usage"
)

// UsageInput opens the ledger of a customer, or hands it to the run that continues it.
type UsageInput struct {
	Customer string        `json:"customer,omitempty"`
	State    *usage.Ledger `json:"state,omitempty"`
}

// A UsageReturn gives back what was counted for a request.
type UsageReturn struct {
	Request string `json:"request"`
}

// Usage keeps the ledger of what a customer has used of its quotas. It never ends: closed requests are forgotten after their
// retention, and what they have used is not.
func Usage(ctx workflow.Context, in signature.Signed[UsageInput]) error {
	r := &usageRun{}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if err := r.admitStart(ctx, in); err != nil {
		return err
	}
	ctx = unstopped(ctx, func(at time.Time) {}) // a ledger has no timeline to say so in
	for {
		if err := workflow.Await(ctx, func() bool { return r.continues(ctx) }); err != nil {
			return err
		}
		if err := r.continueAsNew(ctx); err != nil {
			return err
		}
	}
}

type usageRun struct {
	ledger *usage.Ledger
	asked  int // claims and returns so far
}

// mostAsked is how often a run is asked before the next one goes on: each costs four events.
const mostAsked = 800

// admitStart takes a start that was signed just now in Muster's name, or the ledger of the run before.
func (r *usageRun) admitStart(ctx workflow.Context, in signature.Signed[UsageInput]) error {
	state := in.Body.State
	switch why := admitLedger(ctx, UsageWorkflow, in, state != nil); {
	case why != "":
		return notOpened("usage", why)
	case state == nil && in.Body.Customer == "":
		return notOpened("usage", "customer: missing")
	case state == nil:
		state = &usage.Ledger{Customer: in.Body.Customer, Uses: []usage.Use{}}
	}
	r.ledger = state
	return nil
}

// admitLedger takes the start of a ledger that was signed just now in Muster's name, or what the run before hands on. It returns why not.
func admitLedger[T any](ctx workflow.Context, name string, in signature.Signed[T], handed bool) (why string) {
	info := workflow.GetInfo(ctx)
	c := claim(ctx, name, in, signature.Freshness{Around: info.WorkflowStartTime, Within: Tolerance})
	if handed {
		if info.ContinuedExecutionRunID == "" {
			return "a ledger comes from the run before, and from nobody else"
		}
		c.FirstRun = info.FirstRunID
	}
	if why := admitOne(ctx, c); why != "" {
		return why
	}
	if in.By != timeline.Muster() {
		return in.By.Shown() + " asks for it; want Muster itself"
	}
	return ""
}

func notOpened(what, why string) error {
	return temporal.NewNonRetryableApplicationError("open "+what+": "+why, RefusedError, nil)
}

// onlyMuster refuses what anybody but Muster itself asks of a ledger.
func onlyMuster(what string, by timeline.Actor) error {
	if by != timeline.Muster() {
		return temporal.NewApplicationError(what+": "+by.Shown()+" asks; want Muster itself", RefusedError)
	}
	return nil
}

// listen registers every handler before the run blocks for the first time. A ledger is asked by workers, in Muster's name.
func (r *usageRun) listen(ctx workflow.Context) error {
	own := func(name string, by timeline.Actor) error { return onlyMuster(name+" use", by) }
	// What comes with the first task of a run waits until it is proven who has started it.
	begun := func(ctx workflow.Context) error { return workflow.Await(ctx, func() bool { return r.ledger != nil }) }
	if err := workflow.SetUpdateHandlerWithOptions(ctx, ClaimUpdate, func(ctx workflow.Context, req signature.Signed[usage.Claim]) (usage.Counts, error) {
		if err := begun(ctx); err != nil {
			return usage.Counts{}, err
		}
		r.asked++
		if err := r.ledger.Check(req.Body); err != nil {
			return usage.Counts{}, refused(err)
		}
		return r.ledger.Claim(req.Body), nil
	}, workflow.UpdateHandlerOptions{
		Description: "count the use of a request, or say what has been used",
		Validator: func(ctx workflow.Context, req signature.Signed[usage.Claim]) error {
			if err := wantAdmitted(ctx, ClaimUpdate); err != nil {
				return err
			}
			return own(ClaimUpdate, req.By)
		},
	}); err != nil {
		return err
	}
	if err := takes(ctx, ReturnUpdate, "give back the use of a request",
		func(req signature.Signed[UsageReturn]) error { return own(ReturnUpdate, req.By) },
		func(ctx workflow.Context, req signature.Signed[UsageReturn]) error {
			if err := begun(ctx); err != nil {
				return err
			}
			r.asked++
			r.ledger.Return(req.Body.Request)
			return nil
		}); err != nil {
		return err
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*usage.Ledger, error) {
		return r.ledger, nil
	}, workflow.QueryHandlerOptions{Description: "what the customer has used"})
}

// continues tells whether the history has grown so long that a new run should go on with the ledger.
func (r *usageRun) continues(ctx workflow.Context) bool {
	grown := r.asked >= mostAsked || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	return grown && workflow.AllHandlersFinished(ctx)
}

// continueAsNew hands the ledger over, unless something is asked while it is sealed: then it returns nil, and the run goes on.
func (r *usageRun) continueAsNew(ctx workflow.Context) error {
	asked := r.asked
	return handOn(ctx, UsageWorkflow, UsageInput{State: r.ledger}, func() bool { return r.asked == asked && r.continues(ctx) })
}

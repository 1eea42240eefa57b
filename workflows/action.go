package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/signature"
)

var actions *activities.Actions

// ActionItem keeps an action item until it has helped or is cancelled, for months if need be: it waits for one timer. Its decisions
// and its timeline are bounded, so it is never continued in a new run.
func ActionItem(ctx workflow.Context, in signature.Signed[action.Terms]) error {
	r, err := newActionRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.action, r.tell, r.action.Over, r.publish)
}

// actionRun is the run of an action item.
type actionRun struct {
	errand

	action *action.Action
}

// newActionRun takes a start that was signed just now by whoever opens it: a person, or Muster for one of its workflows.
func newActionRun(ctx workflow.Context, in signature.Signed[action.Terms]) (*actionRun, error) {
	r := &actionRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*actionRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("open action item: "+why, RefusedError, nil)
	}
	if why := begins(ctx, ActionItemWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Opener {
		return refuse(fmt.Sprintf("%s opens it, and %s asks for it", in.Body.Opener.Shown(), in.By.Shown()))
	}
	a, err := action.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.action = a
	r.keep(ctx, &a.Timeline)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *actionRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *actionRun) error{
		onAction[action.Complete](CompleteUpdate, "say that it is done, with evidence"),
		onAction[action.Verify](VerifyUpdate, "say whether it is done"),
		onAction[action.CheckEffect](CheckEffectUpdate, "say whether it has helped"),
		onAction[action.Extend](ExtendUpdate, "move its due instant"),
		onAction[action.Assign](AssignUpdate, "give it to another owner"),
		onAction[action.Cancel](CancelUpdate, "say that it is not done"),
		onAction[action.Note](NoteUpdate, "write into the timeline"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*action.Action, error) {
		return r.action, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the action item with its timeline"})
}

// onAction makes the handler of one command.
func onAction[C action.Command](name, description string) func(workflow.Context, *actionRun) error {
	return func(ctx workflow.Context, r *actionRun) error {
		return asked[C](ctx, &r.errand, "action item", name, description, func() *action.Action { return r.action })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *actionRun) publish() error {
	return r.published.change(r.ctx, published{
		status: r.action.Listed(), priority: int64(r.action.Priority), nextDue: r.action.NextDue(),
	})
}

// ActionAttributes are the search attributes of an action item that is being opened. Its owner is none of them: a person's name
// stands in no list that is not encrypted.
func ActionAttributes(t action.Terms) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(action.Open)), PriorityAttribute.ValueSet(int64(t.Priority)),
		KindAttribute.ValueSet(string(t.Kind)),
	}
	if t.Origin.Service != "" {
		updates = append(updates, ServiceAttribute.ValueSet(t.Origin.Service))
	}
	if t.Origin.Customer != "" {
		updates = append(updates, CustomersAttribute.ValueSet([]string{t.Origin.Customer}))
	}
	return temporal.NewSearchAttributes(updates...)
}

// tell writes and sends one message, and takes in whether its owner was found.
func (r *actionRun) tell(t action.Telling) {
	in := activities.ComposeActionInput{Telling: t}
	var out activities.ActionComposition
	l := letter{
		kind: delivery.Action, id: fmt.Sprintf("%s/%d", ActionWorkflowID(t.Terms.ID), t.Number), options: sending(messaging, t.Terms.Priority),
		status: func() string { return "action-" + string(r.action.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			err := locally(ctx, &out, actions.ComposeAction, in)
			if err == nil && t.Owner && t.Terms.Owner == r.action.Owner {
				r.action.Found(!out.Ownerless, workflow.Now(ctx))
			}
			*to = out.Composition
			return err
		},
	}
	ctx := r.open
	if t.About == action.Ended {
		ctx = r.ctx
	}
	r.post(ctx, l)
}

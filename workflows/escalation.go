package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/risk"
	"muster/internal/signature"
)

var risks *activities.Risks

// Escalation keeps a risk that somebody has escalated before the organisation's levels until its originator says that it is in hand. Its
// decisions, its reminders and its timeline are bounded, so it is never continued in a new run.
func Escalation(ctx workflow.Context, in signature.Signed[risk.Terms]) error {
	r, err := newEscalationRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.escalation, r.tell, r.escalation.Over, r.publish)
}

// escalationRun is the run of an escalation.
type escalationRun struct {
	errand

	escalation *risk.Escalation
}

// newEscalationRun takes a start that was signed just now by whoever escalates.
func newEscalationRun(ctx workflow.Context, in signature.Signed[risk.Terms]) (*escalationRun, error) {
	r := &escalationRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*escalationRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("escalate risk: "+why, RefusedError, nil)
	}
	if why := begins(ctx, EscalationWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Originator {
		return refuse(fmt.Sprintf("%s escalates it, and %s asks for it", in.Body.Originator.Shown(), in.By.Shown()))
	}
	e, err := risk.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.escalation = e
	r.keep(ctx, &e.Timeline)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *escalationRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *escalationRun) error{
		onEscalation[risk.Take](TakeUpdate, "see to it"),
		onEscalation[risk.Answer](AnswerUpdate, "say what is done about it"),
		onEscalation[risk.Confirm](ConfirmUpdate, "say that it is in hand, as its originator"),
		onEscalation[risk.Raise](RaiseUpdate, "tell the next level at once"),
		onEscalation[risk.Succeed](SucceedUpdate, "give it another originator"),
		onEscalation[risk.Note](NoteUpdate, "write into the timeline"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*risk.Escalation, error) {
		return r.escalation, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the escalation with its timeline"})
}

// onEscalation makes the handler of one command.
func onEscalation[C risk.Command](name, description string) func(workflow.Context, *escalationRun) error {
	return func(ctx workflow.Context, r *escalationRun) error {
		return asked[C](ctx, &r.errand, "escalation", name, description, func() *risk.Escalation { return r.escalation })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *escalationRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.escalation.Status), priority: int64(r.escalation.Priority), nextDue: r.escalation.NextDue(),
	})
}

// EscalationAttributes are the search attributes of a risk that is being escalated.
func EscalationAttributes(t risk.Terms) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(risk.Open)), PriorityAttribute.ValueSet(int64(t.Priority)),
	}
	if t.Service != "" {
		updates = append(updates, ServiceAttribute.ValueSet(t.Service))
	}
	return temporal.NewSearchAttributes(updates...)
}

// tell writes and sends one message, and takes in whether somebody was found whom it waits for.
func (r *escalationRun) tell(t risk.Telling) {
	in := activities.ComposeRiskInput{Telling: t}
	var out activities.RiskComposition
	l := letter{
		kind: delivery.Risk, id: fmt.Sprintf("%s/%d", EscalationWorkflowID(t.Terms.ID), t.Number), options: sending(messaging, t.Terms.Priority),
		status: func() string { return "risk-" + string(r.escalation.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			err := locally(ctx, &out, risks.ComposeRisk, in)
			if err == nil {
				r.found(ctx, t, out)
			}
			*to = out.Composition
			return err
		},
	}
	ctx := r.open
	if t.About == risk.Settled {
		ctx = r.ctx
	}
	r.post(ctx, l)
}

func (r *escalationRun) found(ctx workflow.Context, t risk.Telling, out activities.RiskComposition) {
	now := workflow.Now(ctx)
	if t.Own && t.Terms.Originator.ID == r.escalation.Originator.ID {
		r.escalation.Found(!out.Gone, now)
	}
	if t.Needs && out.Nobody {
		r.escalation.Nobody(t.Level-1, now)
	}
}

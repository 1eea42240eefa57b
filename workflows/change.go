package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var changes *activities.ChangeRequests

// Change keeps a change request until it is done, has failed, or never begins; an emergency also until it is approved or an exception.
// Its timeline is bounded, so it is never continued in a new run.
func Change(ctx workflow.Context, in signature.Signed[change.Terms]) error {
	r, err := newChangeRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.change, r.do, r.change.Over, r.publish)
}

// changeRun is the run of a change.
type changeRun struct {
	errand

	change *change.Change
}

// newChangeRun takes a start that was signed just now by whoever asks for it.
func newChangeRun(ctx workflow.Context, in signature.Signed[change.Terms]) (*changeRun, error) {
	r := &changeRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*changeRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("ask for change: "+why, RefusedError, nil)
	}
	if why := begins(ctx, ChangeWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Requester {
		return refuse(fmt.Sprintf("%s asks for it, and %s signs", in.Body.Requester.Shown(), in.By.Shown()))
	}
	c, err := change.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.change = c
	r.keep(ctx, &c.Timeline)
	r.hearRun()
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *changeRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *changeRun) error{
		onChange[change.Assess](AssessUpdate, "say how risky it is"),
		onChange[change.AnswerCheck](AnswerCheckUpdate, "say whether something holds that has to before it runs"),
		onChange[change.Vote](VoteUpdate, "vote on what is shown"),
		onChange[change.Begin](BeginUpdate, "start it"),
		onChange[change.Complete](CompleteUpdate, "say that it is done"),
		onChange[change.Fail](FailUpdate, "say that it has failed"),
		onChange[change.Move](MoveUpdate, "give it another time"),
		onChange[change.Withdraw](WithdrawUpdate, "take it back"),
		onChange[change.Note](NoteUpdate, "write into the timeline"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*change.Change, error) {
		return r.change, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the change with its timeline"})
}

// onChange makes the handler of one command.
func onChange[C change.Command](name, description string) func(workflow.Context, *changeRun) error {
	return func(ctx workflow.Context, r *changeRun) error {
		return asked[C](ctx, &r.errand, "change", name, description, func() *change.Change { return r.change })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *changeRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.change.Status), priority: int64(change.Priority), nextDue: r.change.NextDue(), kind: r.change.Listed(),
	})
}

// ChangeAttributes are the search attributes of a change that somebody asks for.
func ChangeAttributes(t change.Terms) temporal.SearchAttributes {
	updates := []temporal.SearchAttributeUpdate{
		IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(change.Requested)), PriorityAttribute.ValueSet(int64(change.Priority)),
		KindAttribute.ValueSet(string(t.Way)), ServiceAttribute.ValueSet(t.Services[0]),
	}
	var customers []incident.Customer
	for _, c := range t.CustomerNames {
		customers = append(customers, incident.Customer{ID: c.ID})
	}
	if len(customers) > 0 {
		updates = append(updates, CustomersAttribute.ValueSet(listed(customers)))
	}
	return temporal.NewSearchAttributes(updates...)
}

// do does one thing outside, without being waited for.
func (r *changeRun) do(w change.Work) {
	switch w.Do {
	case change.Tell:
		r.tell(w.Telling)
	case change.Reckon, change.ReckonDue:
		r.begin(r.ctx, func(ctx workflow.Context) { r.reckon(ctx, w) })
	case change.FindVoters:
		r.begin(r.ctx, r.findVoters)
	case change.StartRun:
		r.begin(r.ctx, r.startRun)
	}
}

// reckon computes when something is due.
func (r *changeRun) reckon(ctx workflow.Context, w change.Work) {
	in := activities.ComputeClocksInput{Calendars: r.change.Calendars, Clocks: []activities.ClockInput{{Clock: w.Clock, AtRisk: w.AtRisk()}}}
	var at []incident.Instants
	err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &at, composition.ComputeClocks, in) })
	var i incident.Instants
	switch {
	case err != nil:
		i.Fault = cause(err)
	case len(at) == 1:
		i = at[0]
	}
	r.change.Reckoned(w, i, workflow.Now(ctx))
}

// findVoters asks who may vote. An older folder than the run has seen never says so: whoever has left must not decide.
func (r *changeRun) findVoters(ctx workflow.Context) {
	var in activities.FindVotersInput
	for _, a := range r.change.Voting().Approvers {
		in.Roles = append(in.Roles, activities.RoleTargets{Role: a.Role, Party: authority.Provider, Targets: a.Targets})
	}
	var found activities.Voters
	err := patiently(ctx, workflow.Sleep, func(bool) error {
		in.Seen = r.folder
		return locally(ctx, &found, plans.FindVoters, in)
	})
	detail := ""
	if err != nil {
		detail = cause(err)
	} else {
		r.saw(found.Folder)
	}
	r.change.Elected(found.Electors, detail, workflow.Now(ctx))
}

// startRun starts the run of its plan.
func (r *changeRun) startRun(ctx workflow.Context) {
	in := activities.StartChangeInput{
		ID: r.change.ID, Plan: *r.change.Plan, ForChange: planrun.ForChange{ID: string(r.change.ID), Requester: r.change.Requester},
	}
	var out activities.StartedChange
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(ticketing, change.Priority)), changes.StartChange, in).Get(ctx, &out)
	if err != nil {
		out.Refused = cause(err)
	}
	r.change.Started(out.Run, out.Refused, workflow.Now(ctx))
}

// hearRun takes in how the run of its plan has ended, as soon as it is proven that a run says so.
func (r *changeRun) hearRun() {
	start := workflow.Now(r.ctx)
	said := workflow.GetSignalChannel(r.ctx, RunEndedSignal)
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for {
			var m signature.Signed[change.RunEnded]
			said.Receive(ctx, &m)
			c := claim(ctx, RunEndedSignal, m, signature.Freshness{Not: start, Within: Tolerance})
			if m.By != timeline.Muster() { // what nobody else may say
				c.Seal = nil
			}
			if why := admitOne(ctx, c); why != "" {
				r.record(timeline.MessageRefused, timeline.F("message", RunEndedSignal), timeline.F("detail", why))
			} else {
				r.change.RunOver(m.Body, workflow.Now(ctx))
			}
			r.news = true
		}
	})
}

// tellChange tells the change that a run is how the run has ended.
func (r *planRun) tellChange() {
	of := r.run.ForChange
	if of == nil || r.toldChange {
		return
	}
	r.toldChange = true
	r.begin(r.ctx, func(ctx workflow.Context) {
		id := ChangeWorkflowID(change.ID(of.ID))
		m, err := sealed(ctx, signature.Statement{Workflow: id, Message: RunEndedSignal}, change.RunEnded{Run: r.run.ID, How: r.run.Ending()})
		if err == nil {
			err = workflow.SignalExternalWorkflow(ctx, id, "", RunEndedSignal, m).Get(ctx, nil)
		}
		if err != nil { // the change is over: somebody has ended it by hand
			workflow.GetLogger(ctx).Warn("change not told of the end of its run", "error", err)
		}
	})
}

// tell writes and sends one message.
func (r *changeRun) tell(t change.Telling) {
	in := activities.ComposeChangeInput{Telling: t}
	ctx := r.open
	if t.About.Lasting() {
		ctx = r.ctx
	}
	kind := delivery.Change
	if t.About.Notice() {
		kind = delivery.ChangeNotice
	}
	r.post(ctx, letter{
		kind: kind, id: fmt.Sprintf("%s/%d", ChangeWorkflowID(t.ID), t.Number), options: sending(messaging, change.Priority),
		status: func() string { return "change-" + string(r.change.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, changes.ComposeChange, in)
		},
	})
}

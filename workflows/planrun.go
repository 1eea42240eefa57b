package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/signature"
)

var (
	plans    *activities.Plans
	runbooks *activities.Runbooks

	planReports *activities.PlanReports
)

// PlanRun runs a plan from its start to its end, for months if it has to. Its history is one, and bounded: a plan that would need
// more is refused before.
func PlanRun(ctx workflow.Context, in signature.Signed[planrun.Terms]) error {
	r, err := newPlanRun(ctx, in)
	if err != nil {
		return err
	}
	for {
		for _, w := range r.run.Advance(workflow.Now(r.ctx)) {
			r.do(w)
		}
		r.takeBack()
		if r.run.Over() {
			r.withdraw()
			r.tellChange()
		}
		due := r.run.NextDue()
		if err := r.publish(due); err != nil {
			return err
		}
		if r.run.Over() && r.telling == 0 && workflow.AllHandlersFinished(r.ctx) {
			return nil
		}
		if err := r.awaitNews(due); err != nil {
			return err
		}
	}
}

// planRun is the run of a plan.
type planRun struct {
	errand

	run   *planrun.Run
	steps []inFlight // of runbooks
	keeps []*keeping // of environments
	alarm alarm

	toldChange bool // how it has ended
}

// awaitNews waits for a message, an outcome or the next deadline. Unlike that of an errand, its timer stays as long as the deadline does:
// a run of months has thousands of outcomes, and a new timer after each would be a fifth of its history.
func (r *planRun) awaitNews(due time.Time) error {
	if r.alarm.rung() {
		r.alarm = alarm{}
	}
	r.alarm.set(r.ctx, due)
	r.news = false
	return workflow.Await(r.ctx, func() bool { return r.news || r.alarm.rung() })
}

// newPlanRun takes a start that was signed just now by whoever starts the plan.
func newPlanRun(ctx workflow.Context, in signature.Signed[planrun.Terms]) (*planRun, error) {
	r := &planRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*planRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("start plan: "+why, RefusedError, nil)
	}
	info := workflow.GetInfo(ctx)
	if why := begins(ctx, info.WorkflowType.Name, in); why != "" {
		return refuse(why)
	}
	terms := in.Body
	if in.By != terms.Starter {
		return refuse(fmt.Sprintf("%s starts it, and %s asks for it", terms.Starter.Shown(), in.By.Shown()))
	}
	run, err := planrun.Start(terms, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	if want := PlanRunWorkflowIDOf(&terms); info.WorkflowExecution.ID != want ||
		info.WorkflowType.Name != PlanRunWorkflow(terms.Plan.Kind) { // else two could work on one environment
		return refuse(fmt.Sprintf("it belongs under %s", want))
	}
	r.run = run
	r.keep(ctx, &run.Timeline)
	r.hearAlerts()
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *planRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *planRun) error{
		onPlanRun[planrun.Assign](AssignUpdate, "ask a person to do a task"),
		onPlanRun[planrun.Begin](BeginUpdate, "begin a task"),
		onPlanRun[planrun.Complete](CompleteUpdate, "say that a task is done, with evidence"),
		onPlanRun[planrun.Fail](FailUpdate, "say that a task cannot be done"),
		onPlanRun[planrun.CheckEvidence](CheckEvidenceUpdate, "say whether evidence shows that a task was done"),
		onPlanRun[planrun.AddEvidence](AddEvidenceUpdate, "show more of a task, or newer"),
		onPlanRun[planrun.Skip](SkipUpdate, "ask for a waiver of a task"),
		onPlanRun[planrun.Waive](WaiveUpdate, "grant a waiver, or refuse it"),
		onPlanRun[planrun.Retry](RetryUpdate, "let a task that failed be done anew"),
		onPlanRun[planrun.Settle](SettleUpdate, "say what has become of what is unclear"),
		onPlanRun[planrun.DoStep](DoStepUpdate, "say that a step of a runbook is done"),
		onPlanRun[planrun.Vote](VoteUpdate, "vote on what is shown"),
		onPlanRun[planrun.Delegate](DelegateUpdate, "let a substitute vote"),
		onPlanRun[planrun.Halt](HaltUpdate, "let nothing new begin"),
		onPlanRun[planrun.Continue](ContinueUpdate, "go on"),
		onPlanRun[planrun.RollBack](RollBackUpdate, "undo what was changed in an environment"),
		onPlanRun[planrun.SettleUndo](SettleUndoUpdate, "say what has become of a rollback"),
		onPlanRun[planrun.AskOverride](AskOverrideUpdate, "ask to change an environment although it may not be"),
		onPlanRun[planrun.ConfirmOverride](ConfirmOverrideUpdate, "agree to that, or not"),
		onPlanRun[planrun.RePlan](RePlanUpdate, "ask to go on under another revision of the plan"),
		onPlanRun[planrun.Cancel](CancelUpdate, "end the run"),
		onPlanRun[planrun.Note](NoteUpdate, "write into the timeline"),
		onPlanRun[planrun.AddAction](AddActionUpdate, "record an action item that was opened"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*planrun.Run, error) {
		return r.run, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the run with its timeline"})
}

// onPlanRun makes the handler of one command.
func onPlanRun[C planrun.Command](name, description string) func(workflow.Context, *planRun) error {
	return func(ctx workflow.Context, r *planRun) error {
		return asked[C](ctx, &r.errand, "plan", name, description, func() *planrun.Run { return r.run })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *planRun) publish(due time.Time) error {
	return r.published.change(r.ctx, published{
		status: string(r.run.Status), priority: int64(planrun.Priority), nextDue: due,
	})
}

// PlanRunAttributes are the search attributes of a run that is being started.
func PlanRunAttributes(t planrun.Terms) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(planrun.Running)),
		PriorityAttribute.ValueSet(int64(planrun.Priority)), CustomersAttribute.ValueSet([]string{t.Customer}))
}

// do does one thing outside, without being waited for.
func (r *planRun) do(w planrun.Work) {
	switch w.Do {
	case planrun.Tell:
		r.tell(w.Telling)
	case planrun.ComputeDue:
		r.begin(r.ctx, func(ctx workflow.Context) { r.computeDue(ctx, w) })
	case planrun.LookWindow:
		r.begin(r.ctx, func(ctx workflow.Context) { r.lookWindow(ctx, w) })
	case planrun.FindVoters:
		r.begin(r.ctx, func(ctx workflow.Context) { r.findVoters(ctx, w) })
	case planrun.MeasureOnce:
		r.begin(r.open, func(ctx workflow.Context) { r.measure(ctx, w) })
	case planrun.RunStep:
		r.begin(r.ctx, func(ctx workflow.Context) { r.runStep(ctx, w) })
	case planrun.WriteReport:
		r.begin(r.ctx, func(ctx workflow.Context) { r.writeReport(ctx, w) })
	case planrun.TakeLock:
		r.begin(r.ctx, func(ctx workflow.Context) { r.takeLock(ctx, w) })
	case planrun.HoldAlerts:
		r.begin(r.ctx, func(ctx workflow.Context) { r.holdAlerts(ctx, w) })
	case planrun.FreeLock:
		r.endEnvironment(w.Environment, planrun.TakeLock)
	case planrun.LetAlerts:
		r.endEnvironment(w.Environment, planrun.HoldAlerts)
	}
}

func (r *planRun) computeDue(ctx workflow.Context, w planrun.Work) {
	in := activities.ComputeDueInput{DueOf: w.Due, Calendar: r.run.Calendar, Calendars: r.run.Calendars}
	var due time.Time
	detail := ""
	if err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &due, plans.ComputeDue, in) }); err != nil {
		detail = cause(err)
	}
	r.run.DueComputed(w.Task, due, detail, workflow.Now(ctx))
}

func (r *planRun) lookWindow(ctx workflow.Context, w planrun.Work) {
	look := planrun.Look{Environment: w.Window.Environment}
	detail := ""
	if err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &look, plans.LookWindow, w.Window) }); err != nil {
		detail = cause(err)
	}
	r.run.Looked(w.Number, look, detail, workflow.Now(ctx))
}

// findVoters asks who may vote. An older folder than the run has seen never says so: whoever has left must not decide.
func (r *planRun) findVoters(ctx workflow.Context, w planrun.Work) {
	var in activities.FindVotersInput
	for _, id := range w.Roles {
		role, _ := r.run.Plan.Role(id)
		in.Roles = append(in.Roles, activities.RoleTargets{Role: id, Party: role.Party, Targets: r.run.Filled(id)})
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
	if w.Task == "" {
		r.run.ElectedChange(found.Electors, detail, workflow.Now(ctx))
		return
	}
	r.run.Elected(w.Task, found.Electors, detail, workflow.Now(ctx))
}

// measure asks once. What cannot be asked says nothing.
func (r *planRun) measure(ctx workflow.Context, w planrun.Work) {
	if w.Check.Documents != "" {
		r.checkDocuments(ctx, w)
		return
	}
	var out runbook.Reading
	options := once(activities.StepTimeout(&runbook.Automatic{Timeout: w.Check.Timeout}))
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), runbooks.Measure, w.Check.Measurement()).Get(ctx, &out)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		out = runbook.Reading{Outcome: runbook.Inconclusive, Seen: cause(err)}
	}
	r.run.Measured(w.Number, w.Task, planrun.Verdict(out.Outcome), out.Seen, workflow.Now(ctx))
}

// checkDocuments looks at the documents of a service. An older folder than the run has seen says nothing of them.
func (r *planRun) checkDocuments(ctx workflow.Context, w planrun.Work) {
	in := activities.CheckDocumentsInput{Service: w.Check.Documents}
	var out activities.Documents
	err := patiently(ctx, workflow.Sleep, func(bool) error {
		in.Seen = r.folder
		return locally(ctx, &out, plans.CheckDocuments, in)
	})
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		out.Reading = runbook.Reading{Outcome: runbook.Inconclusive, Seen: cause(err)}
	default:
		r.saw(out.Folder)
	}
	r.run.Measured(w.Number, w.Task, planrun.Verdict(out.Reading.Outcome), out.Reading.Seen, workflow.Now(ctx))
}

// runStep attempts a step of a runbook once. Whatever keeps its outcome from being known leaves it unknown: it never runs again by
// itself. It is taken back only as long as no worker has begun it.
func (r *planRun) runStep(ctx workflow.Context, w planrun.Work) {
	ctx, cancel := workflow.WithCancel(ctx)
	r.steps = append(r.steps, inFlight{number: w.Number, cancel: cancel})
	options := once(activities.StepTimeout(&w.Step))
	options.WaitForCancellation, options.HeartbeatTimeout = true, activities.StepHeartbeat
	var out runbook.Result
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), runbooks.RunStep,
		activities.RunStepInput{Runbook: w.Book, Number: w.Page, Automatic: &w.Step}).Get(ctx, &out)
	r.steps = slices.DeleteFunc(r.steps, func(f inFlight) bool { return f.number == w.Number })
	switch {
	case temporal.IsCanceledError(err):
		r.run.Withdrawn(w.Number, w.Task, workflow.Now(ctx))
		return
	case err != nil:
		out = runbook.Result{State: runbook.Unknown, Detail: cause(err)}
	}
	r.run.Ran(w.Number, w.Task, out, workflow.Now(ctx))
}

// takeBack takes steps back that may not begin any more.
func (r *planRun) takeBack() {
	for n := range r.steps {
		if f := &r.steps[n]; !f.cancelled && !r.run.MayBegin(f.number) {
			f.cancelled = true
			f.cancel()
		}
	}
}

// once are the options of what is attempted once. However long it waits for a worker, it is not lost.
func once(timeout time.Duration) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		TaskQueue: RunbookTaskQueue, StartToCloseTimeout: timeout,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	}
}

func (r *planRun) writeReport(ctx workflow.Context, w planrun.Work) {
	var out []planrun.Document
	in := activities.WritePlanReportInput{Run: r.run.ForReport(), Writes: w.Writes, Task: w.Task, At: workflow.Now(ctx)}
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(reporting, planrun.Priority)), planReports.WritePlanReport, in).Get(ctx, &out)
	detail := ""
	if err != nil {
		detail = cause(err)
	}
	r.run.Written(w.Number, w.Task, out, detail, workflow.Now(ctx))
}

// tell writes and sends one message.
func (r *planRun) tell(t planrun.Telling) {
	in := activities.ComposePlanInput{Telling: t}
	for _, id := range t.Roles {
		role, _ := r.run.Plan.Role(id)
		in.Roles = append(in.Roles, activities.RoleTargets{Role: id, Party: role.Party, Targets: r.run.Filled(id)})
	}
	k := messaging
	if t.About.Pressing() {
		k = paging
	}
	l := letter{
		kind: delivery.Plan, id: fmt.Sprintf("%s/%d", t.Run, t.Number), options: sending(k, planrun.Priority),
		status: func() string { return "run-" + string(r.run.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, plans.ComposePlan, in)
		},
	}
	ctx := r.open
	if t.About.Lasting() {
		ctx = r.ctx
	}
	r.post(ctx, l)
}

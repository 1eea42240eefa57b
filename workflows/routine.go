package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/routine"
	"muster/internal/signature"
)

var routines *activities.Routines

// RoutineInput begins to keep a routine, or hands it to the run that continues it.
type RoutineInput struct {
	ID    string           `json:"id"` // in the organisation folder
	State *routine.Routine `json:"state,omitempty"`
	Since incident.Folder  `json:"since,omitzero"` // the newest folder that the run before has had an answer from
}

// Routine keeps work that comes back: it starts a run of the plan at each of its times, and says what was missed, until the organisation
// folder has it no more. When its times are is asked of the worker's own folder, before each and now and then.
func Routine(ctx workflow.Context, in signature.Signed[RoutineInput]) error {
	r := &routineRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return err
	}
	refuse := func(why string) error {
		return temporal.NewNonRetryableApplicationError("keep routine: "+why, RefusedError, nil)
	}
	if why := admitLedger(ctx, RoutineWorkflow, in, in.Body.State != nil); why != "" {
		return refuse(why)
	}
	if RoutineWorkflowID(in.Body.ID) != workflow.GetInfo(ctx).WorkflowExecution.ID {
		return refuse("want the one of " + workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
	state := in.Body.State
	if state == nil {
		state = routine.Open(in.Body.ID, workflow.Now(ctx))
	}
	r.folder, r.routine = in.Body.Since, state
	r.keep(ctx, &state.Timeline)
	for {
		for _, w := range r.routine.Advance(workflow.Now(ctx)) {
			r.do(w)
		}
		if err := r.publish(); err != nil {
			return err
		}
		if r.routine.Over() && r.telling == 0 && workflow.AllHandlersFinished(ctx) {
			return nil
		}
		if r.continues() {
			if err := r.continueAsNew(); err != nil {
				return err
			}
		}
		if err := r.awaitNews(r.routine.NextDue()); err != nil {
			return err
		}
	}
}

// routineRun is the run of a routine.
type routineRun struct {
	errand

	routine *routine.Routine
}

// listen registers every handler before the run blocks for the first time.
func (r *routineRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *routineRun) error{
		onRoutine[routine.Move](MoveUpdate, "give one of its times another time"),
		onRoutine[routine.Skip](SkipUpdate, "leave out one of its times"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*routine.Routine, error) {
		return r.routine, nil
	}, workflow.QueryHandlerOptions{Description: "how the routine stands, with its timeline"})
}

// onRoutine makes the handler of one command.
func onRoutine[C routine.Command](name, description string) func(workflow.Context, *routineRun) error {
	return func(ctx workflow.Context, r *routineRun) error {
		return asked[C](ctx, &r.errand, "routine", name, description, func() *routine.Routine { return r.routine })
	}
}

// publish tells lists and the self-watch where it stands.
func (r *routineRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.routine.Status), priority: int64(routine.Priority), nextDue: r.routine.NextDue(),
	})
}

// do does one thing outside, without being waited for.
func (r *routineRun) do(w routine.Work) {
	switch w.Do {
	case routine.Look:
		r.begin(r.ctx, r.look)
	case routine.Start:
		r.begin(r.ctx, func(ctx workflow.Context) { r.start(ctx, w.Occurrence) })
	case routine.Check:
		r.begin(r.ctx, func(ctx workflow.Context) { r.check(ctx, w.Occurrence) })
	case routine.Count:
		r.begin(r.ctx, func(ctx workflow.Context) { r.count(ctx, w.Occurrence) })
	case routine.Tell:
		r.tell(w.Telling)
	}
}

// lookAgain is how soon a changed folder counts that brings a time forward.
const lookAgain = time.Hour

// look asks the folder of now what is planned.
func (r *routineRun) look(ctx workflow.Context) {
	in := activities.LookAtRoutineInput{ID: r.routine.ID, After: r.routine.After, Seen: r.folder}
	var seen routine.Seen
	err := patiently(ctx, workflow.Sleep, func(last bool) error {
		in.Anyway, in.Now = last, workflow.Now(ctx)
		return locally(ctx, &seen, routines.LookAtRoutine, in)
	})
	now := workflow.Now(ctx)
	if err != nil {
		workflow.GetLogger(ctx).Error("nobody can say when a routine comes back", "error", err)
		r.routine.Unseen(now.Add(lookAgain))
		return
	}
	r.saw(seen.Folder)
	r.routine.Seen(seen, now.Add(lookAgain), now)
}

// start starts the run of an occurrence. Whatever comes of it, the same occurrence is one run.
func (r *routineRun) start(ctx workflow.Context, o routine.Occurrence) {
	in := activities.StartRoutineInput{ID: r.routine.ID, Planned: o.Planned}
	options := sending(following, routine.Priority) // what is out for some minutes is no news
	options.ScheduleToCloseTimeout = min(options.ScheduleToCloseTimeout, max(o.Due.Sub(workflow.Now(ctx)), time.Minute))
	var run routine.Begun
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), routines.StartRoutine, in).Get(ctx, &run); err != nil {
		run = routine.Begun{Refused: cause(err)}
	}
	r.routine.Started(o.Planned, run.Run, run.Refused, workflow.Now(ctx))
}

// check asks what has become of the run of an occurrence.
func (r *routineRun) check(ctx workflow.Context, o routine.Occurrence) {
	var out routine.Outcome
	detail := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(looking, routine.Priority)), routines.CheckRoutine, o.Run).Get(ctx, &out); err != nil {
		out, detail = routine.Outcome{}, cause(err)
	}
	r.routine.Checked(o.Planned, out, detail, workflow.Now(ctx))
}

// count counts an occurrence among the visits of its customer. While the ledger does not answer it is asked again.
func (r *routineRun) count(ctx workflow.Context, o routine.Occurrence) {
	in := activities.CountVisitInput{ID: r.routine.ID, Planned: o.Planned, Customer: o.Visits, At: o.Begins}
	var v routine.Visit
	detail := ""
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(following, routine.Priority)), routines.CountVisit, in).Get(ctx, &v); err != nil {
		detail = cause(err)
	}
	r.routine.Counted(o.Planned, v, detail, workflow.Now(ctx))
}

// tell writes and sends one message.
func (r *routineRun) tell(t routine.Telling) {
	in := activities.ComposeRoutineInput{Telling: t}
	r.post(r.ctx, letter{
		kind: delivery.Routine, id: fmt.Sprintf("%s/%s/%d", RoutineWorkflowID(r.routine.ID), r.routine.Opened.UTC().Format("20060102T150405Z"), t.Number),
		options: sending(messaging, routine.Priority),
		status:  func() string { return "routine-" + string(r.routine.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, routines.ComposeRoutine, in)
		},
	})
}

// continues tells whether the history has grown so long that a new run should go on. Nothing that is under way crosses.
func (r *routineRun) continues() bool {
	return workflow.GetInfo(r.ctx).GetContinueAsNewSuggested() && r.telling == 0 && workflow.AllHandlersFinished(r.ctx)
}

// continueAsNew hands the state over, unless something is asked while it is sealed: then it returns nil, and the run goes on.
func (r *routineRun) continueAsNew() error {
	r.news = false
	handed := *r.routine
	handed.Resume()
	return handOn(r.ctx, RoutineWorkflow, RoutineInput{ID: handed.ID, State: &handed, Since: r.folder}, func() bool { return !r.news && r.continues() })
}

// RoutineAttributes are the search attributes of a routine when it is begun.
func RoutineAttributes(id string, now time.Time) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(IDAttribute.ValueSet(id), StatusAttribute.ValueSet(string(routine.Waiting)), NextDueAttribute.ValueSet(now))
}

package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// Problem keeps the cause behind incidents open until its fix has held or a person closes it. Its timeline is bounded, so it is
// never continued in a new run.
func Problem(ctx workflow.Context, in signature.Signed[problem.Terms]) error {
	r, err := newProblemRun(ctx, in)
	if err != nil {
		return err
	}
	return attend(&r.errand, r.problem, r.do, func() bool { return false }, r.publish)
}

// problemRun is the run of a problem.
type problemRun struct {
	errand

	problem *problem.Problem
}

// newProblemRun takes a start that was signed just now by whoever opens the problem.
func newProblemRun(ctx workflow.Context, in signature.Signed[problem.Terms]) (*problemRun, error) {
	r := &problemRun{errand: errand{published: known(ctx)}}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*problemRun, error) {
		return nil, temporal.NewNonRetryableApplicationError("open problem: "+why, RefusedError, nil)
	}
	if why := begins(ctx, ProblemWorkflow, in); why != "" {
		return refuse(why)
	}
	if in.By != in.Body.Opener {
		return refuse(fmt.Sprintf("%s opens it, and %s asks for it", in.Body.Opener.Shown(), in.By.Shown()))
	}
	p, err := problem.Start(in.Body, workflow.Now(ctx))
	if err != nil {
		return refuse(err.Error())
	}
	r.problem = p
	r.keep(ctx, &p.Timeline)
	return r, nil
}

// listen registers every handler before the run blocks for the first time.
func (r *problemRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *problemRun) error{
		onProblem[problem.LinkIncident](LinkIncidentUpdate, "say that it is behind an incident"),
		onProblem[problem.UnlinkIncident](UnlinkIncidentUpdate, "say that it is not"),
		onProblem[problem.SetKnownError](SetKnownErrorUpdate, "say what goes wrong, and what helps until it is fixed"),
		onProblem[problem.SetCause](SetCauseUpdate, "say why it happens"),
		onProblem[problem.SetFix](SetFixUpdate, "say what ends it for good"),
		onProblem[problem.Assign](AssignUpdate, "give it to another owner"),
		onProblem[problem.Close](CloseUpdate, "end it"),
		onProblem[problem.Note](NoteUpdate, "write into the timeline"),
		onOccur,
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*problem.Problem, error) {
		return r.problem, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the problem with its timeline"})
}

// onProblem makes the handler of one command.
func onProblem[C problem.Command](name, description string) func(workflow.Context, *problemRun) error {
	return func(ctx workflow.Context, r *problemRun) error {
		return asked[C](ctx, &r.errand, "problem", name, description, func() *problem.Problem { return r.problem })
	}
}

// onOccur takes in an incident that may be of this problem. It is an Update, for its responders want to know what is known; workers
// ask, in Muster's name.
func onOccur(ctx workflow.Context, r *problemRun) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, OccurUpdate,
		func(ctx workflow.Context, req signature.Signed[problem.Occurrence]) (problem.Found, error) {
			// What comes with the first task of a run waits until it is proven who has started it.
			if err := workflow.Await(ctx, func() bool { return r.problem != nil }); err != nil {
				return problem.Found{}, err
			}
			r.news = true
			return r.problem.Occurred(req.Body, workflow.Now(ctx)), nil
		}, workflow.UpdateHandlerOptions{
			Description: "take in an incident, and tell what is known",
			Validator: func(ctx workflow.Context, req signature.Signed[problem.Occurrence]) error {
				if err := wantAdmitted(ctx, OccurUpdate); err != nil {
					return err
				}
				if req.By != timeline.Muster() {
					return temporal.NewApplicationError(OccurUpdate+" problem: "+req.By.Shown()+" asks; want Muster itself", RefusedError)
				}
				return nil
			},
		})
}

// publish tells lists and the self-watch where it stands.
func (r *problemRun) publish() error {
	return r.published.change(r.ctx, published{
		status: string(r.problem.Status), priority: int64(problem.Priority), nextDue: r.problem.NextDue(),
	})
}

// ProblemAttributes are the search attributes of a problem that is being opened.
func ProblemAttributes(t problem.Terms) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(problem.Open)),
		PriorityAttribute.ValueSet(int64(problem.Priority)), ServiceAttribute.ValueSet(t.Service.ID))
}

// do does one thing outside, without being waited for.
func (r *problemRun) do(w problem.Work) {
	switch w.Do {
	case problem.Tell:
		r.tell(w.Telling)
	case problem.Reckon:
		r.begin(r.ctx, func(ctx workflow.Context) { r.reckon(ctx, w) })
	}
}

// reckon computes when the owner is reminded.
func (r *problemRun) reckon(ctx workflow.Context, w problem.Work) {
	in := activities.ComputeClocksInput{Calendars: r.problem.Calendars, Clocks: []activities.ClockInput{{Clock: w.Clock}}}
	var at []incident.Instants
	err := patiently(ctx, workflow.Sleep, func(bool) error { return locally(ctx, &at, composition.ComputeClocks, in) })
	var due time.Time
	detail := ""
	switch {
	case err != nil:
		detail = cause(err)
	case len(at) == 1:
		due, detail = at[0].Due, at[0].Fault
	}
	r.problem.Reckoned(w, due, detail, workflow.Now(ctx))
}

// tell writes and sends one message. None is taken back: each says what has happened.
func (r *problemRun) tell(t problem.Telling) {
	in := activities.ComposeProblemInput{Telling: t}
	r.post(r.ctx, letter{
		kind: delivery.Problem, id: fmt.Sprintf("problem/%s/%d", t.ID, t.Number), options: sending(messaging, problem.Priority),
		status: func() string { return "problem-" + string(r.problem.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, problems.ComposeProblem, in)
		},
	})
}

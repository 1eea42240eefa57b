package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/workflows"
)

// Routines keeps work that comes back, and talks to those who keep it.
type Routines struct{ of *Incidents }

// Routines are those of the same installation, which may be connected later.
func (s *Incidents) Routines() *Routines { return &Routines{s} }

// mostRoutines is how many are looked for at most.
const mostRoutines = 1_000

// Keep makes sure that a routine is kept.
func (s *Routines) Keep(ctx context.Context, id string) error {
	_, err := openLedger(ctx, s.of, routineOf(id), workflows.RoutineWorkflow, workflows.RoutineInput{ID: id}, client.StartWorkflowOptions{
		ID: workflows.RoutineWorkflowID(id), TypedSearchAttributes: workflows.RoutineAttributes(id, time.Now()),
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, // one that was retired may come back
		Priority:              temporal.Priority{PriorityKey: int(routine.Priority)},
	})
	if err != nil {
		return told(routineOf(id), err)
	}
	return nil
}

// Kept lists the routines that are kept now.
func (s *Routines) Kept(ctx context.Context) (ids []string, err error) {
	ids, _, err = running(ctx, s.of.Temporal, s.of.Namespace, workflows.RoutineWorkflow, workflows.RoutineWorkflowID(""), mostRoutines)
	return ids, err
}

// A KeptRoutine is how a routine stands.
type KeptRoutine = Standing[routine.Routine]

// States asks routines how they stand, some at a time. One that nobody keeps is not found.
func (s *Routines) States(ctx context.Context, ids []string) []KeptRoutine {
	return eachState(ctx, ids, s.State)
}

// State returns how a routine stands, one that is retired too.
func (s *Routines) State(ctx context.Context, id string) (*routine.Routine, error) {
	return stateOf[routine.Routine](ctx, s.of.Temporal, routineOf(id), Ref{WorkflowID: workflows.RoutineWorkflowID(id)})
}

// Ask asks something of a routine. The same request id twice is one decision.
func (s *Routines) Ask(ctx context.Context, id string, req Request, c routine.Command) error {
	name := ""
	switch c.(type) {
	case routine.Move:
		name = workflows.MoveUpdate
	case routine.Skip:
		name = workflows.SkipUpdate
	}
	return askNewest(ctx, s.of.Temporal, s.of.Keys, routineOf(id), workflows.RoutineWorkflowID(id), name, req, c)
}

// Begin starts the run of a routine at one of its times, in Muster's name, on the terms that the organisation folder has for it. The same
// time twice is one run. A *RefusedError says that none can be started as things are.
func (s *Routines) Begin(ctx context.Context, id string, planned time.Time, terms planrun.Terms) (*planrun.Run, error) {
	terms.Routine = &planrun.ComeBack{ID: id, Planned: planned.UTC()}
	return s.of.PlanRuns().begin(ctx, fmt.Sprintf("routine/%s/%s", id, planned.UTC().Format(time.RFC3339)), terms)
}

// Run returns what has become of the run of a routine. One that nobody has any more is over, and was not completed.
func (s *Routines) Run(ctx context.Context, run string) (routine.Outcome, error) {
	r, err := s.of.PlanRuns().State(ctx, planrun.ID(run))
	if _, gone := errors.AsType[*NotFoundError](err); gone {
		return routine.Outcome{Over: true, Ended: time.Now().UTC(), Status: "not found"}, nil
	}
	if err != nil {
		return routine.Outcome{}, err
	}
	return routine.Outcome{Over: r.Over(), Done: r.Status == planrun.Completed, Ended: r.Ended, Status: string(r.Status)}, nil
}

func routineOf(id string) string { return "routine " + id }

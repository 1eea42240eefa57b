package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/internal/org"
	"muster/internal/routine"
	"muster/starter"
)

// comingBack starts the runs of routines as the organisation folder is now.
type comingBack struct {
	*starter.Routines

	live *org.Live
}

// StartRoutine starts the run of a routine at one of its times.
func (c comingBack) StartRoutine(ctx context.Context, id string, planned time.Time) (routine.Begun, error) {
	o := c.live.Current()
	start, ok := o.RoutineStart(id)
	if !ok {
		return routine.Begun{Refused: "the organisation folder has it no more"}, nil
	}
	terms, err := o.StartPlan(start)
	if refused, is := errors.AsType[*org.PlanRefusal](err); is {
		return routine.Begun{Refused: refused.Error()}, nil
	}
	if err != nil {
		return routine.Begun{}, err
	}
	run, err := c.Begin(ctx, id, planned, terms)
	if refused, is := errors.AsType[*starter.RefusedError](err); is {
		return routine.Begun{Refused: refused.Error()}, nil
	}
	if err != nil {
		return routine.Begun{}, err
	}
	return routine.Begun{Run: string(run.ID)}, nil
}

// RoutineRun returns what has become of a run.
func (c comingBack) RoutineRun(ctx context.Context, run string) (routine.Outcome, error) {
	return c.Run(ctx, run)
}

// keepRoutines makes sure that every routine of the organisation folder is kept. One that is taken out ends by itself.
func (n *Node) keepRoutines(ctx context.Context) {
	n.followFolder(ctx, "not every routine is kept", func(ctx context.Context) error {
		return keepAll(ctx, n.incidents.Routines(), n.org.Current().Routines())
	})
}

// keepAll keeps those of some routines that nobody keeps.
func keepAll(ctx context.Context, to *starter.Routines, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	kept, err := to.Kept(ctx)
	for _, id := range ids {
		if !slices.Contains(kept, id) {
			err = errors.Join(err, to.Keep(ctx, id))
		}
	}
	return err
}

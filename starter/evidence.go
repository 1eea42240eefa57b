package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"muster/internal/planrun"
)

// CompletedRun is the run that somebody names as evidence: a completed one of a plan, of one of some customers. Of no customer means of any.
// A plan that somebody has brought along is none of the folder, whatever it calls itself. Whatever else it is, is refused in the same words as one that is not there.
func CompletedRun(
	ctx context.Context, named, plan string, customers []string, ask func(context.Context, planrun.ID) (*planrun.Run, error),
) (*planrun.Run, error) {
	run, err := ask(ctx, planrun.ID(strings.ToUpper(strings.TrimSpace(named))))
	_, gone := errors.AsType[*NotFoundError](err)
	if err != nil && !gone {
		return nil, err
	}
	if gone || run.Plan.ID != plan || run.Brought || len(customers) > 0 && !slices.Contains(customers, run.Customer) {
		of := ""
		if len(customers) > 0 {
			of = " of " + strings.Join(customers, " or ")
		}
		return nil, &RefusedError{Reason: fmt.Sprintf("evidence %q: no such run; want the id of a completed run of plan %s%s", bounded(named), plan, of)}
	}
	if run.Status != planrun.Completed {
		return nil, &RefusedError{Reason: fmt.Sprintf("evidence %s: it is %s; want a run that is completed", run.ID, run.Status)}
	}
	return run, nil
}

// Proven asks of a command with evidence that it is what the plan wants: where that is a run of another plan, one that is completed. The
// workflow of the run cannot ask others.
func Proven(ctx context.Context, r *planrun.Run, c planrun.Command, ask func(context.Context, planrun.ID) (*planrun.Run, error)) error {
	task, given := "", []planrun.Given(nil)
	switch c := c.(type) {
	case planrun.Complete:
		task, given = c.Task, c.Evidence
	case planrun.AddEvidence:
		task, given = c.Task, c.Evidence
	}
	def, _ := r.Plan.Task(task)
	for _, g := range given {
		for _, e := range def.Evidence {
			if e.ID != g.Item || e.Plan == "" {
				continue
			}
			if _, err := CompletedRun(ctx, g.Ref, e.Plan, []string{r.Customer}, ask); err != nil {
				return err
			}
		}
	}
	return nil
}

package cli_test

import (
	"context"
	"errors"
	"io"
	"time"

	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/starter"
	"muster/starter/api"
)

// The house of the scripts runs no plans.

func (h *house) PlanRuns(context.Context, api.PlanRunFilter) ([]api.PlanRunSummary, string, error) {
	return nil, "", nil
}

func (h *house) PlanRun(_ context.Context, id planrun.ID) (*planrun.Run, error) {
	return nil, &starter.NotFoundError{What: "run " + string(id)}
}

func (h *house) PlanRunHistory(_ context.Context, id planrun.ID, _ io.Writer) error {
	return &starter.NotFoundError{What: "run " + string(id)}
}

func (h *house) StartPlanRun(_ context.Context, _ starter.Request, t planrun.Terms) (*planrun.Run, error) {
	return nil, &starter.RefusedError{Reason: "start " + t.Plan.ID + ": this house runs no plans"}
}

func (h *house) AskPlanRun(_ context.Context, id planrun.ID, _ starter.Request, _ planrun.Command) error {
	return &starter.NotFoundError{What: "run " + string(id)}
}

func (h *house) OpenReviews(context.Context, int) ([]incident.ID, bool, error) {
	return nil, false, nil
}

func (h *house) Handovers(context.Context, int) ([]string, bool, error) { return nil, false, nil }

func (people) Folder() incident.Folder { return incident.Folder{Revision: "r1"} }

func (people) PlanRoles(*planrun.Run, string, time.Time) []string { return nil }

func (people) StartPlan(org.PlanStart) (planrun.Terms, error) { return planrun.Terms{}, errNoPlans }

func (people) RePlan(*planrun.Run, org.PlanStart) (planrun.Pinned, error) {
	return planrun.Pinned{}, errNoPlans
}

var errNoPlans = errors.New("this house runs no plans")

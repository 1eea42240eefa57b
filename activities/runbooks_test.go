package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/runbook"
)

// hand is a runner that keeps what it was given.
type hand struct{ done []*runbook.Automatic }

func (h *hand) Run(_ context.Context, a *runbook.Automatic) runbook.Result {
	h.done = append(h.done, a)
	return runbook.Result{State: runbook.Failed, Status: 500, Detail: "status 500; want 200"}
}

func (h *hand) Measure(context.Context, runbook.Measurement) runbook.Reading {
	return runbook.Reading{Outcome: runbook.Inconclusive, Seen: "nobody answers"}
}

func TestWhatCannotBeMeasuredIsAReading(t *testing.T) {
	r := &activities.Runbooks{Runner: &hand{}}
	got, err := perform[runbook.Reading](t, r.Measure, runbook.Measurement{HTTP: "https://shop.example", Timeout: time.Second})
	if want := (runbook.Reading{Outcome: runbook.Inconclusive, Seen: "nobody answers"}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestAStepThatFailsIsAResult(t *testing.T) {
	h := &hand{}
	r := &activities.Runbooks{Runner: h}
	step := &runbook.Automatic{Runner: runbook.ByCommand, Command: []string{"/bin/true"}, Timeout: time.Minute}
	got, err := perform[runbook.Result](t, r.RunStep, activities.RunStepInput{Runbook: "RUN001", Number: 1, Automatic: step})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runbook.Result{State: runbook.Failed, Status: 500, Detail: "status 500; want 200"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*runbook.Automatic{step}, h.done); diff != "" {
		t.Error(diff)
	}
	if activities.StepTimeout(step) <= step.Timeout {
		t.Error("Temporal gives up before the step itself does")
	}
}

// enduring wants to be left alone while it works.
type enduring struct {
	hand
	err error
}

func (e *enduring) Run(ctx context.Context, _ *runbook.Automatic) runbook.Result {
	e.err = ctx.Err()
	return runbook.Result{State: runbook.Passed}
}

func TestAStepThatIsUnderWayIsNotTakenBack(t *testing.T) {
	e := &enduring{}
	cancelled := func(ctx context.Context, in activities.RunStepInput) (runbook.Result, error) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return (&activities.Runbooks{Runner: e}).RunStep(ctx, in)
	}
	got, err := perform[runbook.Result](t, cancelled, activities.RunStepInput{Automatic: &runbook.Automatic{}})
	if err != nil || got.State != runbook.Passed || e.err != nil {
		t.Errorf("got %+v, %v; it was stopped by %v", got, err, e.err)
	}
}

// Whoever starts it with retries all the same, after its worker was lost, learns that nobody knows.
func TestAStepIsNotTriedAgain(t *testing.T) {
	h := &hand{}
	r := &activities.Runbooks{Runner: h}
	lost := func(ctx context.Context, in activities.RunStepInput) (runbook.Result, error) {
		if activity.GetInfo(ctx).Attempt == 1 {
			return runbook.Result{}, errors.New("the worker is lost")
		}
		return r.RunStep(ctx, in)
	}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterActivity(lost)
	env.ExecuteWorkflow(func(ctx workflow.Context) (got runbook.Result, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		err = workflow.ExecuteActivity(ctx, lost, activities.RunStepInput{Runbook: "RUN001", Number: 1, Automatic: &runbook.Automatic{}}).Get(ctx, &got)
		return got, err
	})
	var got runbook.Result
	if err := env.GetWorkflowResult(&got); err != nil || got.State != runbook.Unknown || len(h.done) > 0 {
		t.Errorf("got %+v, %v; ran %d times", got, err, len(h.done))
	}
}

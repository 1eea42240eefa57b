package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"muster/activities"
	"muster/workflows"
)

// keeper makes the passes of a test, and fails so often before each.
type keeper struct {
	passes   []activities.ArchivedPass
	failures int

	asked  []time.Time
	failed int
}

func (k *keeper) Pass(_ context.Context, at time.Time) (activities.ArchivedPass, error) {
	k.asked = append(k.asked, at)
	if k.failed < k.failures {
		k.failed++
		return activities.ArchivedPass{}, errors.New("the disk is full")
	}
	p := k.passes[0]
	if k.passes = k.passes[1:]; len(k.passes) == 0 {
		p.More = false
	}
	return p, nil
}

func TestArchiveGoesOnUntilAllIsKept(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	pass := activities.ArchivedPass{From: at.Add(-time.Hour), Until: at, Kept: 200, Logged: 201, Missing: 1, More: true}
	for name, tt := range map[string]struct {
		keeper
		want workflows.Archived
	}{
		"one pass":  {keeper{passes: []activities.ArchivedPass{pass}}, workflows.Archived{Until: at, Passes: 1, Kept: 200, Logged: 201, Missing: 1}},
		"three":     {keeper{passes: []activities.ArchivedPass{pass, pass, pass}}, workflows.Archived{Until: at, Passes: 3, Kept: 600, Logged: 603, Missing: 1}},
		"an outage": {keeper{passes: []activities.ArchivedPass{pass, pass}, failures: 9}, workflows.Archived{Until: at, Passes: 2, Kept: 400, Logged: 402, Missing: 1}},
		"without an end": {
			keeper{passes: slices.Repeat([]activities.ArchivedPass{pass}, 600)},
			workflows.Archived{Until: at.Add(-time.Hour), Passes: 500, Kept: 100_000, Logged: 100_500, Missing: 1},
		},
	} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestWorkflowEnvironment()
		env.RegisterActivity(&activities.Archives{Archivist: &tt.keeper})
		env.SetStartTime(at)
		env.ExecuteWorkflow(workflows.Archive)
		var got workflows.Archived
		if err := errors.Join(env.GetWorkflowError(), env.GetWorkflowResult(&got)); err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, tt.want)
		}
		for _, asked := range tt.asked { // what has ended meanwhile is for the next run
			if !asked.Equal(at) {
				t.Errorf("%s: a pass is of %s, want %s", name, asked, at)
			}
		}
	}
}

package starter_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// Whoever reaches Temporal can start a run that lists show under the id of an incident. It is none.
func TestARunIsAnIncidentByItsSealAlone(t *testing.T) {
	by := timeline.Actor{Kind: timeline.Source, ID: "prometheus"}
	whole := signature.Statement{Message: workflows.IncidentWorkflow, By: by}
	handed := signature.Statement{Message: workflows.IncidentWorkflow, FirstRun: "run-1", By: timeline.Muster()}
	state := workflows.IncidentInput{State: &incident.Incident{ID: open}}
	start := func(e *historypb.HistoryEvent) *historypb.WorkflowExecutionStartedEventAttributes {
		return e.GetWorkflowExecutionStartedEventAttributes()
	}
	before := func(e *historypb.HistoryEvent) *historypb.HistoryEvent {
		e.EventTime = timestamppb.New(workflows.SignedSince().Add(-time.Second))
		return e
	}
	for name, tc := range map[string]struct {
		start func(c *temporal) *historypb.HistoryEvent
		ours  bool
	}{
		"opened by the intake":         {func(c *temporal) *historypb.HistoryEvent { return c.sealed(whole, workflows.IncidentInput{ID: open}) }, true},
		"handed on by its own run":     {func(c *temporal) *historypb.HistoryEvent { return c.sealed(handed, state) }, true},
		"from before there were seals": {func(*temporal) *historypb.HistoryEvent { return before(started(workflows.IncidentInput{ID: open})) }, true},
		"without a seal":               {func(*temporal) *historypb.HistoryEvent { return started(workflows.IncidentInput{ID: open}) }, false},
		"of another incident": {func(c *temporal) *historypb.HistoryEvent {
			return c.sealed(whole, workflows.IncidentInput{ID: "INC-2"})
		}, false},
		"sealed for another workflow": {func(c *temporal) *historypb.HistoryEvent {
			s := whole
			s.Workflow = "incident/prometheus/b"
			return c.sealed(s, workflows.IncidentInput{ID: open})
		}, false},
		"a state that a person hands on": {func(c *temporal) *historypb.HistoryEvent {
			s := handed
			s.By = park()
			return c.sealed(s, state)
		}, false},
		"a state of another chain": {func(c *temporal) *historypb.HistoryEvent {
			s := handed
			s.FirstRun = "run-9"
			return c.sealed(s, state)
		}, false},
		"on a queue of somebody's own": {func(c *temporal) *historypb.HistoryEvent {
			e := c.sealed(whole, workflows.IncidentInput{ID: open})
			start(e).TaskQueue.Name = "mine"
			return e
		}, false},
		"of another type": {func(c *temporal) *historypb.HistoryEvent {
			e := c.sealed(whole, workflows.IncidentInput{ID: open})
			start(e).WorkflowType.Name = "Mine"
			return e
		}, false},
	} {
		c, s := one(t)
		forged := execution("run-forged", 9, map[string]any{workflows.IDAttribute.GetName(): open}, nil)
		c.listed = append([]*workflowpb.WorkflowExecutionInfo{forged}, c.listed...)
		c.starts = map[string]*historypb.HistoryEvent{"run-forged": tc.start(c)}
		want := "run-2"
		if tc.ours {
			want = "run-forged" // it is the newer one
		}
		if ref, err := s.Find(t.Context(), open); err != nil || ref.RunID != want {
			t.Errorf("%s: found %+v, %v; want %s", name, ref, err, want)
		}
		rows, _, err := s.List(t.Context(), starter.Filter{})
		if err != nil || (len(rows) == 2) != tc.ours {
			t.Errorf("%s: listed %d rows, %v", name, len(rows), err)
		}
	}
}

func TestAStartIsReadOnce(t *testing.T) {
	c, s := one(t)
	for range 3 {
		if _, err := s.Find(t.Context(), open); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.read.Load(); n != 1 {
		t.Errorf("read %d starts, want one", n)
	}
}

// Alerts that reach a run of somebody else are not durable: whoever posts them is told to post them again.
func TestAlertsToARunOfSomebodyElseAreNotDurable(t *testing.T) {
	c, s := one(t)
	other, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ours := c.keys
	c.keys = other
	forged := c.opened("run-2")
	c.keys, c.starts = ours, map[string]*historypb.HistoryEvent{"run-2": forged}
	err = s.Deliver(t.Context(), workflowID, definition(), batch(of("a", alert.Firing, 1, "")))
	if _, away := errors.AsType[*starter.UnavailableError](err); !away {
		t.Errorf("got %v, want to be asked again", err)
	}
	c.starts = nil
	if err := s.Deliver(t.Context(), workflowID, definition(), batch(of("a", alert.Firing, 1, ""))); err != nil {
		t.Errorf("to our own: %v", err)
	}
}

package workflows_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// stranger has the keys of another installation.
func (r *rehearsal) stranger() *keyring.Ring {
	keys, err := keyring.Open(filepath.Join(r.TempDir(), keyring.File), r.env.Now)
	if err != nil {
		r.Fatal(err)
	}
	return keys
}

// as signs with other keys than ours.
func as[B any](r *rehearsal, keys *keyring.Ring, name string, body B) signature.Signed[B] {
	ours := r.keys
	defer func() { r.keys = ours }()
	r.keys = keys
	return sealed(r, name, "", prometheus, body)
}

func TestAnIncidentTakesOnlyWhatIsSigned(t *testing.T) {
	r := rehearse(t)
	batch := alert.Batch{Source: "alertmanager", ReceivedAt: start, Posts: 1, Alerts: []alert.Received{firing("forged", 0)}}
	r.alerts(0, firing("a", 0))
	r.at(time.Minute, func() { r.env.SignalWorkflow(workflows.AlertsSignal, batch) })
	var unsigned answer
	r.at(2*time.Minute, func() {
		unsigned.to(r, "k", workflows.ResolveUpdate, map[string]any{"by": park, "command": incident.Resolve{Note: "forged"}})
	})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if unsigned.rejected == nil || !strings.Contains(unsigned.rejected.Error(), "it is not signed") {
		t.Errorf("an unsigned update: %+v", unsigned)
	}
	if e := r.entries(timeline.MessageRefused); len(e) != 1 || !strings.Contains(e[0].Fact("detail"), "it is not signed") {
		t.Errorf("the timeline says %+v", e)
	}
	if len(r.refused) != 2 || r.refused[0].By != (timeline.Actor{}) || r.refused[1].By != park || r.state.Alerts.Distinct() != 1 {
		t.Errorf("refused %+v, %d alerts", r.refused, r.state.Alerts.Distinct())
	}
}

// A stranger's message is asked for again, should its key be on its way, and keeps nobody waiting meanwhile.
func TestAnUnknownKeyKeepsNobodyWaiting(t *testing.T) {
	r := rehearse(t)
	batch := alert.Batch{Source: "alertmanager", ReceivedAt: start, Posts: 1, Alerts: []alert.Received{firing("late", 0)}}
	theirs := r.stranger()
	r.at(0, func() {
		r.env.SignalWorkflow(workflows.AlertsSignal, as(r, theirs, workflows.AlertsSignal, batch))
		r.batch(alert.Batch{Source: "alertmanager", ReceivedAt: r.env.Now(), Posts: 1, Alerts: []alert.Received{firing("a", 0)}})
	})
	r.look(time.Second, func(i *incident.Incident) {
		if i.Alerts.Distinct() != 1 || len(r.got()) != 1 {
			t.Errorf("%d alerts, delivered %v; want the one that is ours, and its page", i.Alerts.Distinct(), r.got())
		}
	})
	r.look(30*time.Second, func(i *incident.Incident) {
		if e := r.entries(timeline.MessageRefused); len(e) != 1 || i.Alerts.Distinct() != 1 {
			t.Errorf("%d alerts, the timeline says %+v", i.Alerts.Distinct(), e)
		}
	})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
}

func TestAStartIsRefused(t *testing.T) {
	in := workflows.IncidentInput{ID: "INC-TEST", Definition: definition()}
	opened, err := incident.Open("INC-TEST", *definition(), start)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed": {func(*rehearsal) any { return in }, "it is not signed"},
		"with a state": {
			func(r *rehearsal) any {
				return sealed(r, workflows.IncidentWorkflow, "", prometheus, workflows.IncidentInput{State: opened})
			},
			"a state comes from the run before",
		},
		"without a definition": {
			func(r *rehearsal) any {
				return sealed(r, workflows.IncidentWorkflow, "", prometheus, workflows.IncidentInput{ID: "INC-TEST"})
			},
			"id or definition: missing",
		},
		"by a stranger": {
			func(r *rehearsal) any { return as(r, r.stranger(), workflows.IncidentWorkflow, in) }, "none of this installation's",
		},
		"copied from another message": {
			func(r *rehearsal) any { return sealed(r, workflows.AlertsSignal, "", prometheus, in) }, "the signature does not fit",
		},
		"of an hour ago": {func(r *rehearsal) any {
			before := sealed(r, workflows.IncidentWorkflow, "", prometheus, in)
			r.env.SetStartTime(start.Add(time.Hour))
			return before
		}, "an old message was sent again"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.env.ExecuteWorkflow(workflows.IncidentWorkflow, tc.in(r))
			if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if len(r.got()) > 0 {
				t.Errorf("delivered %v", r.got())
			}
		})
	}
}

// A run from before there were signatures goes on with what it is sent, but its Updates are verified as all are.
func TestARunFromBeforeSignaturesGoesOn(t *testing.T) {
	i, err := incident.Open("INC-TEST", *definition(), start.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	r := rehearse(t)
	r.at(time.Second, func() {
		r.env.SignalWorkflow(workflows.AlertsSignal, alert.Batch{Source: "alertmanager", ReceivedAt: start, Posts: 1, Alerts: []alert.Received{firing("a", 0)}})
	})
	var unsigned answer
	r.at(time.Minute, func() {
		unsigned.to(r, "k", workflows.ResolveUpdate, map[string]any{"by": park, "command": incident.Resolve{Note: "forged"}})
	})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.env.OnGetVersion("signed-actors", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	r.env.SetContinuedExecutionRunID("run-before")
	r.env.ExecuteWorkflow(workflows.IncidentWorkflow, workflows.IncidentInput{State: i})
	r.wantDone()
	if r.state.Alerts.Distinct() != 1 || unsigned.rejected == nil {
		t.Errorf("%d alerts, the unsigned update: %+v", r.state.Alerts.Distinct(), unsigned)
	}
}

// A run "before" is easily made: a schedule has one, and a workflow of one's own that continues as ours. What it hands on is
// taken only with the seal that our own run has asked for.
func TestAStateIsTakenFromOurOwnRunAlone(t *testing.T) {
	opened, err := incident.Open("INC-TEST", *definition(), start)
	if err != nil {
		t.Fatal(err)
	}
	in := workflows.IncidentInput{State: opened, Signed: true, Since: start}
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":            {func(*rehearsal) any { return in }, "it is not signed"},
		"signed by a person":    {func(r *rehearsal) any { return sealed(r, workflows.IncidentWorkflow, "", park, in) }, "it is not signed"},
		"by a stranger":         {func(r *rehearsal) any { return as(r, r.stranger(), workflows.IncidentWorkflow, in) }, "it is not signed"},
		"copied from elsewhere": {func(r *rehearsal) any { return sealed(r, workflows.AlertsSignal, "", timeline.Muster(), in) }, "the signature does not fit"},
	} {
		r := rehearse(t)
		r.env.SetContinuedExecutionRunID("run-before")
		r.env.ExecuteWorkflow(workflows.IncidentWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
}

// Temporal takes alerts while no worker is there. Hours later they are taken in as if no time had passed.
func TestAlertsThatWaitedForAWorkerAreTaken(t *testing.T) {
	r := rehearse(t)
	in := sealed(r, workflows.IncidentWorkflow, "", prometheus, workflows.IncidentInput{ID: "INC-TEST", Definition: definition()})
	first := sealed(r, workflows.AlertsSignal, "", prometheus, alert.Batch{Source: "alertmanager", ReceivedAt: start, Posts: 1, Alerts: []alert.Received{firing("a", 0)}})
	r.at(6*time.Hour, func() { r.env.SignalWorkflow(workflows.AlertsSignal, first) }) // as far as its seal knows
	ask(r, 7*time.Hour, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.env.ExecuteWorkflow(workflows.IncidentWorkflow, in)
	r.wantDone()
	if r.state.Alerts.Distinct() != 1 || len(r.entries(timeline.MessageRefused)) > 0 {
		t.Errorf("%d alerts, refused %+v", r.state.Alerts.Distinct(), r.entries(timeline.MessageRefused))
	}
}

func TestAReviewTakesOnlyWhatIsSigned(t *testing.T) {
	r := rehearse(t)
	again := reviewing()
	again.Facts.Title = "forged"
	r.at(time.Hour, func() { r.env.SignalWorkflow(workflows.IncidentResolvedSignal, again) })
	r.says(2*time.Hour, workflows.CloseUpdate, "done")
	state := r.review(reviewing())
	if state.Facts.Title == "forged" || len(r.refused) != 1 || r.refused[0].Message != workflows.IncidentResolvedSignal {
		t.Errorf("title %q, refused %+v", state.Facts.Title, r.refused)
	}

	r = rehearse(t)
	r.env.ExecuteWorkflow(workflows.ReviewWorkflow, reviewing())
	if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "it is not signed") {
		t.Errorf("an unsigned start: %v", err)
	}
}

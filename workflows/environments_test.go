package workflows_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// outside is where alerts go that are let go, and who has a lock.
type outside struct {
	mu     sync.Mutex
	opened []string // "incident: alerts"
	until  time.Time
	let    []delivered
	fails  int       // how often it still does
	stuck  string    // an incident that cannot be reached …
	loose  time.Time // … until then
	now    func() time.Time
}

// delivered is a batch that was let go.
type delivered struct {
	key   string
	batch alert.Batch
}

func (o *outside) DeliverAlways(_ context.Context, workflowID string, def incident.Definition, b alert.Batch) (incident.ID, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails--; o.fails >= 0 {
		return "", errors.New("no connection")
	}
	if o.stuck == workflowID && o.now().Before(o.loose) {
		return "", errors.New("the incident does not answer")
	}
	o.let = append(o.let, delivered{workflowID, b})
	var names []string
	for _, a := range b.Alerts {
		names, o.until = append(names, a.Fingerprint), a.Until
	}
	o.opened = append(o.opened, workflowID+" on "+def.Service.ID+": "+strings.Join(names, " "))
	return incident.ID("INC-" + strings.ToUpper(strings.TrimPrefix(workflowID, "incident/"))), nil
}

func (o *outside) Holder(context.Context, string) (planrun.ID, error) { return "RUN-2B4C6D8E0F", nil }

func (o *outside) has() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opened
}

const ofProduction = "silence/acme/production"

// silenced is a run whose production has alerts that are known.
func silenced(t *testing.T) (*rehearsal, planrun.Terms) {
	r := rehearse(t)
	r.deploys()
	terms := planTerms(upgrade())
	terms.Environments[1].Alerts = true
	return r, terms
}

// alarms lets alerts of a group arrive at the silence.
func (r *rehearsal) alarms(after time.Duration, key string, alerts ...alert.Received) {
	r.at(after, func() {
		h := workflows.HeldBatch{
			Key: key, Definition: incident.Definition{Service: incident.Service{ID: "shop"}},
			Batch: alert.Batch{ID: "b", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: alerts},
		}
		if err := r.env.SignalWorkflowByID(ofProduction, workflows.HeldAlertsSignal, r.signed(ofProduction, workflows.HeldAlertsSignal, h)); err != nil {
			r.Errorf("after %s: %v", after, err)
		}
	})
}

// signed is a message of an intake to another workflow.
func (r *rehearsal) signed(to, name string, h workflows.HeldBatch) signature.Signed[workflows.HeldBatch] {
	own := r.id
	defer func() { r.id = own }()
	r.id = to
	return sealed(r, name, "", timeline.Actor{Kind: timeline.Source, ID: "prometheus"}, h)
}

func TestWhatFiresAfterAChangeBecomesAnIncident(t *testing.T) {
	r, terms := silenced(t)
	r.outside.fails = 2
	minute := time.Minute
	r.alarms(6*minute+10*time.Second, "incident/a", firing("a", 6*minute))
	r.alarms(6*minute+20*time.Second, "incident/b", firing("b", 6*minute))
	r.alarms(6*minute+30*time.Second, "incident/a", firing("a", 6*minute), firing("c", 6*minute))
	r.alarms(6*minute+40*time.Second, "incident/b", ended("b", 6*minute))
	r.wasTold(7*minute, 1, "alert deploy → kim", "alert deploy → park") // all are called alike
	r.at(7*minute, func() {
		if got := r.outside.has(); len(got) > 0 {
			t.Errorf("%v were let go while the change was under way", got)
		}
	})
	run := r.execute(terms)
	if d := cmp.Diff([]string{"incident/a on shop: a", "incident/a on shop: a c"}, r.outside.has()); d != "" { // as they came
		t.Error(d)
	}
	var kept []string
	for _, a := range run.Alerts {
		kept = append(kept, a.Task+" "+a.Name+" "+map[bool]string{true: "resolved", false: "fires"}[a.Resolved])
	}
	if d := cmp.Diff([]string{"deploy Slow fires", "deploy Slow fires", "deploy Slow resolved"}, kept); d != "" {
		t.Error(d)
	}
	if run.Status != planrun.Completed || len(run.Silences) > 0 {
		t.Errorf("it is %s with %+v", run.Status, run.Silences)
	}
}

// An alert that comes again every minute fills no silence, and what has not come again before its end fires no more.
func TestASilenceHoldsWhatComesAgainOnce(t *testing.T) {
	r, terms := silenced(t)
	at := func(fp string, from time.Duration) alert.Received {
		a := firing(fp, 6*time.Minute)
		a.Until = start.Add(from + time.Minute)
		return a
	}
	r.alarms(6*time.Minute+time.Second, "incident/gone", at("gone", 6*time.Minute))
	for n := range 350 { // more than a silence holds
		after := 6*time.Minute + 2*time.Second + time.Duration(n)*300*time.Millisecond
		r.alarms(after, "incident/stays", at("stays", after))
	}
	r.execute(terms)
	if d := cmp.Diff([]string{"incident/stays on shop: stays"}, r.outside.has()); d != "" {
		t.Error(d)
	}
	if last := start.Add(6*time.Minute + 2*time.Second + 349*300*time.Millisecond + time.Minute); !r.outside.until.Equal(last) {
		t.Errorf("what is let go lasts until %s, want %s", r.outside.until, last)
	}
}

func TestAlertsThatNobodyHasSignedAreNotHeld(t *testing.T) {
	r, terms := silenced(t)
	r.at(6*time.Minute+10*time.Second, func() {
		forged := r.signed("silence/acme/staging", workflows.HeldAlertsSignal, workflows.HeldBatch{Key: "incident/a", Batch: alert.Batch{
			ID: "b", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: []alert.Received{firing("a", 0)},
		}})
		if err := r.env.SignalWorkflowByID(ofProduction, workflows.HeldAlertsSignal, forged); err != nil {
			t.Error(err)
		}
		told := sealed(r, workflows.AlertHeldSignal, "", park, workflows.AlertHeld{Environment: "production", Alert: planrun.HeldAlert{Name: "Forged"}})
		r.env.SignalWorkflow(workflows.AlertHeldSignal, told) // a person is no silence
	})
	run := r.execute(terms)
	if len(run.Alerts) > 0 || len(r.outside.has()) > 0 || len(r.refused) != 2 {
		t.Errorf("held %+v, let %v go, refused %+v", run.Alerts, r.outside.has(), r.refused)
	}
}

func TestTooManyAlertsAreLetGoAtOnce(t *testing.T) {
	r, terms := silenced(t)
	var storm []alert.Received
	for n := range 101 {
		storm = append(storm, firing(string(rune('A'+n%26))+strings.Repeat("x", n/26), 6*time.Minute))
	}
	r.alarms(6*time.Minute+10*time.Second, "incident/a", storm...)
	r.at(7*time.Minute, func() {
		if got := r.outside.has(); len(got) != 1 {
			t.Errorf("let go: %v", got)
		}
	})
	run := r.execute(terms)
	if len(run.Alerts) != 100 {
		t.Errorf("the run lists %d alerts, want the first 100", len(run.Alerts))
	}
}

// While a silence ends, the server still takes alerts for it: they are brought to their incidents too, with what has become of those
// that were brought before.
func TestWhatComesWhileASilenceEndsIsNotLost(t *testing.T) {
	r, terms := silenced(t)
	r.outside.fails = 3 // for some seconds
	minute := time.Minute
	r.alarms(7*minute, "incident/a", firing("a", 7*minute))
	r.alarms(8*minute+time.Second, "incident/b", firing("b", 8*minute)) // the change has ended at 8:00
	r.alarms(8*minute+2*time.Second, "incident/a", ended("a", 7*minute))
	run := r.execute(terms)
	r.went("incident/b on shop: b", "incident/a on shop: a", "incident/a on shop: a") // b does not wait until a can be told
	if len(run.Alerts) != 2 {
		t.Errorf("the run lists %+v", run.Alerts)
	}
}

// An incident that cannot be reached keeps no other waiting, nor what comes while it is tried.
func TestWhatWasHeldDuringAChangeGoesEachByItself(t *testing.T) {
	r, terms := silenced(t)
	minute := time.Minute
	r.outside.stuck, r.outside.loose, r.outside.now = "incident/a", start.Add(30*minute), r.env.Now
	r.alarms(7*minute, "incident/a", firing("a", 7*minute))
	r.alarms(7*minute, "incident/b", firing("b", 7*minute))
	r.alarms(8*minute+time.Second, "incident/c", firing("c", 8*minute)) // the change has ended at 8:00
	r.at(20*minute, func() { r.went("incident/b on shop: b", "incident/c on shop: c") })
	r.execute(terms)
	r.went("incident/b on shop: b", "incident/c on shop: c", "incident/a on shop: a")
}

// The end of an alert that may be held concerns no other, counts as nothing that was held back, and changes nothing of what its incident
// would be.
func TestAnEndThatIsToldToEverySilence(t *testing.T) {
	r, terms := silenced(t)
	minute := time.Minute
	ends := func(after time.Duration, key string, a alert.Received) {
		r.at(after, func() {
			a.Bare = true
			h := workflows.HeldBatch{
				Key: key, Definition: incident.Definition{Service: incident.Service{ID: "anything"}}, Ends: true,
				Batch: alert.Batch{ID: "e", Source: "prometheus", ReceivedAt: r.env.Now(), Posts: 1, Alerts: []alert.Received{a}},
			}
			if err := r.env.SignalWorkflowByID(ofProduction, workflows.HeldAlertsSignal, r.signed(ofProduction, workflows.HeldAlertsSignal, h)); err != nil {
				t.Errorf("after %s: %v", after, err)
			}
		})
	}
	r.alarms(6*minute+10*time.Second, "incident/a", firing("a", 6*minute))
	r.alarms(6*minute+20*time.Second, "incident/b", firing("b", 6*minute), firing("c", 6*minute))
	ends(7*minute, "incident/a", ended("a", 7*minute))
	ends(7*minute, "incident/b", ended("c", 7*minute))
	for range 301 { // more than a silence holds
		ends(7*minute+10*time.Second, "incident/other", ended("other", 7*minute))
	}
	run := r.execute(terms)
	r.went("incident/b on shop: b c", "incident/b on shop: c")
	if len(run.Alerts) != 3 {
		t.Errorf("the run lists %+v", run.Alerts)
	}
}

func TestLongAlertsAreAllLetGo(t *testing.T) {
	r, terms := silenced(t)
	var long []alert.Received
	for n := range 60 {
		a := firing(string(rune('A'+n%26))+strings.Repeat("x", n/26), 6*time.Minute)
		a.Annotations = alert.FromMap(map[string]string{"description": strings.Repeat("a ", 2_000)})
		long = append(long, a)
	}
	r.alarms(7*time.Minute, "incident/a", long...)
	r.execute(terms)
	if got := r.outside.has(); len(got) != 1 || strings.Count(got[0], " ") != 62 {
		t.Errorf("let go: %v, want all 60", got)
	}
}

func TestALockThatIsTakenFromOutsideIsAskedForOnceAMinute(t *testing.T) {
	r := rehearse(t)
	r.env.OnWorkflow(workflows.EnvironmentLockWorkflow, anything, anything).Return(errors.New("terminated"))
	r.cancels(5*time.Minute + time.Second)
	lost := 0
	for _, e := range r.execute(planTerms(upgrade())).Timeline.Entries {
		if e.Kind == timeline.LockLost {
			lost++
		}
	}
	if lost != 6 {
		t.Errorf("the timeline says %d times that the lock was lost, want once a minute", lost)
	}
}

func TestALockIsTheRunsOwn(t *testing.T) {
	for name, by := range map[string]timeline.Actor{"of a person": park, "of Muster, for another run": timeline.Muster()} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.under("environment/acme/production")
			in := workflows.EnvironmentInput{Run: planrun.NewID(7), Parent: "another", Environment: "production"}
			r.env.ExecuteWorkflow(workflows.EnvironmentLockWorkflow, sealed(r, workflows.EnvironmentLockWorkflow, "", by, in))
			if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), "want the run of a plan for which it was signed") {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
}

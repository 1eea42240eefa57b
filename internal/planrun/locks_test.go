package planrun_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

func TestAnEnvironmentThatAnotherRunChangesIsWaitedFor(t *testing.T) {
	w := rehearsed(t)
	w.holder, w.told = "RUN-7K3M9QX2PA", nil
	w.approve()
	w.stands("rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
	w.heard("locked deploy → deployer lead")
	w.refused(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora, "RUN-7K3M9QX2PA is changing it")
	w.after(6 * time.Hour)
	if got := w.has(timeline.LockRefused); got != 1 {
		t.Errorf("the timeline says %d times that it waits, want once", got)
	}
	w.holder = ""
	w.after(7 * time.Hour) // about as long as it has waited
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	w.heard("ready deploy → deployer")
}

func TestALockIsKeptFromTheFirstChangeToTheLastTaskThere(t *testing.T) {
	held := func(w *world) (environments []string) {
		for _, l := range w.run.Locks {
			if l.Held {
				environments = append(environments, l.Environment)
			}
		}
		return environments
	}
	for _, tc := range []struct {
		name string
		at   func(*testing.T) *world
		want []string
	}{
		{"somebody may begin", func(t *testing.T) *world { return begun(t, upgrade()) }, []string{"staging"}},
		{"all has ended on staging", rehearsed, nil},
		{"the change may begin", approved, []string{"production"}},
		{"it bakes", deployed, []string{"production"}},
		{"all has ended", func(t *testing.T) *world { w := deployed(t); w.after(time.Hour); return w }, nil},
		{"it was rolled back", func(t *testing.T) *world {
			w := deployed(t)
			w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "no"}, lena)
			w.after(time.Minute)
			return w
		}, nil},
		{"a run that is halted in its change", func(t *testing.T) *world {
			w := deployed(t)
			w.do(planrun.Halt{Capacity: as(lena), Reason: "wait"}, lena)
			return w
		}, []string{"production"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, held(tc.at(t))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWaitingForALockTakesLittleOfAHistory(t *testing.T) {
	w := rehearsed(t)
	w.holder = "RUN-7K3M9QX2PA"
	tries := 0
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.TakeLock {
			tries++
		}
		return false
	}
	w.approve()
	w.after(30 * 24 * time.Hour)
	if tries < 100 || tries > 250 {
		t.Errorf("it has asked %d times in 30 days", tries)
	}
}

func TestARunThatIsOverHasNoLock(t *testing.T) {
	w := changing(t)
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "no"}, lena)
	if len(w.run.Locks) > 0 {
		t.Errorf("it keeps %+v", w.run.Locks)
	}
	w = approved(t)
	var step planrun.Work
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.RunStep {
			step = x
		}
		return x.Do == planrun.RunStep
	}
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "no"}, lena)
	if len(w.run.Locks) != 1 {
		t.Error("a step is under way, and the environment is free")
	}
	w.run.Ran(step.Number, "deploy", runbook.Result{State: runbook.Passed}, w.now)
	w.settle()
	if len(w.run.Locks) > 0 {
		t.Errorf("it keeps %+v", w.run.Locks)
	}
}

func TestALockThatIsLostIsTakenAgain(t *testing.T) {
	w := deployed(t)
	w.run.LockLost("production", w.now)
	w.settle()
	if w.has(timeline.LockLost) != 1 {
		t.Error("the timeline does not say that the lock was lost")
	}
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")

	w = approved(t)
	w.run.LockLost("production", w.now)
	w.settle()
	w.stands("rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
	w.after(time.Minute)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
}

// changing is a run whose deployment is under way.
func changing(t *testing.T) *world {
	t.Helper()
	w := approved(t)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.told = nil
	return w
}

func silent(w *world) bool { _, there := w.silences["production"]; return there }

func TestAlertsAreHeldBackWhileATaskChangesTheirEnvironment(t *testing.T) {
	if silent(approved(t)) {
		t.Error("alerts are held back before the change begins")
	}
	w := changing(t)
	if !silent(w) {
		t.Fatal("no alert is held back")
	}
	down := planrun.HeldAlert{Name: "SiteDown", Service: "shop", Summary: "the shop is down", Times: 3, First: w.now, Last: w.now}
	for range 3 { // each name is told once
		w.run.AlertHeld("production", down, w.now)
		w.settle()
	}
	w.heard("alert deploy → deployer lead")
	if got := w.tellings[len(w.tellings)-1].Reason; got != "SiteDown: the shop is down" {
		t.Errorf("told of %q", got)
	}
	w.silent = func(x planrun.Work) bool { // the silence ends with what it has held
		if x.Do == planrun.LetAlerts {
			w.let(x.Environment, down)
		}
		return x.Do == planrun.LetAlerts
	}
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	if silent(w) {
		t.Error("alerts are still held back while it bakes: they are what the bake is for")
	}
	down.Task = "deploy"
	if diff := cmp.Diff([]planrun.HeldAlert{down}, w.run.Alerts); diff != "" {
		t.Error(diff)
	}
	if w.has(timeline.AlertHeld) != 1 || w.has(timeline.AlertsLet) != 1 {
		t.Error("the timeline does not say that an alert was held back, and let go")
	}
}

func TestWhatEndsASilence(t *testing.T) {
	for name, end := range map[string]func(*world){
		"a halt":   func(w *world) { w.do(planrun.Halt{Capacity: as(lena), Reason: "wait"}, lena) },
		"a cancel": func(w *world) { w.do(planrun.Cancel{Capacity: as(lena), Reason: "no"}, lena) },
		"the end of the window": func(w *world) {
			w.closed["production"] = w.now.Add(24 * time.Hour)
			w.run.Windows = nil
			w.settle()
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := upgrade()
			for p := range d.Phases {
				for n := range d.Phases[p].Tasks {
					if x := &d.Phases[p].Tasks[n]; x.ID == "deploy" {
						x.Overrun = plan.Finish
					}
				}
			}
			w := changing(t)
			w.run.Plan = d
			end(w)
			if silent(w) {
				t.Error("alerts are still held back")
			}
		})
	}
}

func TestARollbackHoldsAlertsBackToo(t *testing.T) {
	w := deployed(t)
	w.silent = func(x planrun.Work) bool { return x.Do == planrun.RunStep } // the step of the rollback goes on
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "no"}, lena)
	if !silent(w) {
		t.Error("no alert is held back")
	}
}

func TestTooManyAlertsEndASilenceForThisChange(t *testing.T) {
	w := changing(t)
	w.run.Silenced(w.silences["production"], planrun.HeldAlerts{Alerts: []planrun.HeldAlert{{Name: "A"}}, More: 200, Full: true}, "", w.now)
	delete(w.silences, "production")
	w.settle()
	if silent(w) {
		t.Error("alerts are held back again, although they are too many")
	}
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	if len(w.run.Silences) != 0 {
		t.Errorf("%+v stays", w.run.Silences)
	}
}

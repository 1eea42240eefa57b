package planrun_test

import (
	"slices"
	"testing"
	"time"

	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// running is a run whose deployment waits for the outcome of its first step, with the work that is to be answered.
func running(t *testing.T, d plan.Definition, closes time.Time) (*world, planrun.Work) {
	t.Helper()
	w := begun(t, d)
	w.closes["production"] = closes
	w.rehearse()
	w.approve()
	var step planrun.Work
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.RunStep {
			step = x
		}
		return x.Do == planrun.RunStep
	}
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	if step.Number == 0 || !w.run.MayBegin(step.Number) {
		t.Fatalf("its step %d does not wait to be begun", step.Number)
	}
	return w, step
}

func TestARollbackWaitsForTheStepThatItUndoes(t *testing.T) {
	w, step := running(t, upgrade(), time.Time{})
	var undone []planrun.Work
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.RunStep {
			undone = append(undone, x)
		}
		return false
	}
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "wrong release"}, lena)
	if len(undone) > 0 || w.run.Undoing.Items[0].State != planrun.Needed {
		t.Fatalf("%d steps undo what is still being done", len(undone))
	}
	if w.run.MayBegin(step.Number) {
		t.Error("a step that no worker has taken may still be begun")
	}
	w.run.Ran(step.Number, step.Task, runbook.Result{State: runbook.Passed}, w.now)
	w.settle()
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake waiting, report waiting")
}

func TestAStepThatIsTakenBackIsDoneOnceItMayBe(t *testing.T) {
	w, step := running(t, upgrade(), time.Time{})
	w.do(planrun.Halt{Capacity: as(carol), Reason: "our shop is busy"}, carol)
	if w.run.MayBegin(step.Number) {
		t.Fatal("it may begin although the run is halted")
	}
	w.run.Withdrawn(step.Number, step.Task, w.now)
	w.settle()
	w.stands("rehearse done, announce done, approve done, deploy begun, bake waiting, report waiting")
	if last := w.run.Timeline.Entries[len(w.run.Timeline.Entries)-1]; last.Kind != timeline.StepEnded || last.Fact("state") != "withdrawn" {
		t.Errorf("the timeline says %+v", last)
	}
	w.silent = nil
	w.do(planrun.Continue{Capacity: as(lena), Reason: "quiet again"}, lena)
	if deploy, _, _ := w.run.Task("deploy"); deploy.Steps.Current().Number != 2 {
		t.Errorf("it stands at step %d, want the second", deploy.Steps.Current().Number)
	}
	w.run.Withdrawn(step.Number, step.Task, w.now) // of what nobody waits any more
	w.run.Ran(step.Number, step.Task, runbook.Result{State: runbook.Failed}, w.now)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")
}

func TestWhoeverSettlesARollbackTakesItsStepBack(t *testing.T) {
	w := deployed(t)
	var step planrun.Work
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.RunStep {
			step = x
		}
		return x.Do == planrun.RunStep
	}
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "r"}, lena)
	if !w.run.MayBegin(step.Number) {
		t.Fatal("the step of the rollback may not begin")
	}
	fail := planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.UndoFail, Note: "n"}
	w.do(fail, dora)
	again := planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.UndoRunning, Note: "n"}
	w.refused(again, dora, "a step of it is still under way")
	if w.run.MayBegin(step.Number) {
		t.Error("it may begin although somebody has said that the rollback has failed")
	}
	w.run.Withdrawn(step.Number, step.Task, w.now)
	w.silent = nil
	w.do(again, dora)
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake failed, report waiting")
}

func TestAHeldTaskGoesNoFurtherUntilItsEnvironmentMayBeChanged(t *testing.T) {
	ends, opens := start.Add(2*time.Hour), start.Add(24*time.Hour)
	for policy, want := range map[plan.Overrun]int{plan.Hold: 1, plan.Finish: 2} {
		d := upgrade()
		d.Phases[1].Tasks[0].Overrun = policy
		x := terms(d)
		x.Books[0].Runbook = book("deploy", true, true)
		r, err := planrun.Start(x, start)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, run: r, now: start, closed: map[string]time.Time{}, closes: map[string]time.Time{"production": ends}}
		var steps []planrun.Work
		w.silent = func(x planrun.Work) bool {
			if x.Do == planrun.RunStep {
				steps = append(steps, x)
			}
			return x.Do == planrun.RunStep
		}
		w.settle()
		w.rehearse()
		w.approve()
		w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
		w.closed["production"] = opens
		w.until(ends)
		if got := w.run.MayBegin(steps[0].Number); got != (policy == plan.Finish) {
			t.Errorf("%s: a step that no worker has taken may begin: %v", policy, got)
		}
		w.heard("window-ended deploy → deployer lead")
		w.run.Ran(steps[0].Number, "deploy", runbook.Result{State: runbook.Passed}, w.now) // a worker had begun it
		w.settle()
		if len(steps) != want {
			t.Errorf("%s: %d steps have begun when the window is over, want %d", policy, len(steps), want)
		}
		delete(w.closes, "production")
		w.until(opens)
		if len(steps) != 2 {
			t.Errorf("%s: %d steps have begun in the next window, want 2", policy, len(steps))
		}
	}
}

func TestAHeldWaveBeginsInTheNextWindow(t *testing.T) {
	d := waves()
	d.Phases[1].Tasks[0].Overrun = plan.Hold
	ends, opens := start.Add(90*time.Minute), start.Add(24*time.Hour)
	w := begun(t, d)
	w.closes["production"] = ends
	w.rehearse()
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.after(time.Hour)
	w.closed["production"] = opens
	w.do(planrun.Complete{Capacity: as(dora), Task: "deploy", Target: "a"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "deploy", Target: "b"}, dora) // the bake ends after the window
	w.until(opens.Add(-time.Minute))
	deploy, _, _ := w.run.Task("deploy")
	if deploy.Wave != 1 {
		t.Fatalf("wave %d has begun outside the window", deploy.Wave)
	}
	delete(w.closes, "production")
	w.until(opens)
	if deploy, _, _ = w.run.Task("deploy"); deploy.Wave != 2 {
		t.Errorf("wave %d is on its way in the next window, want 2", deploy.Wave)
	}
	// The next window ends too, and its people are told again.
	w.told = nil
	w.closes["production"] = opens.Add(time.Hour)
	w.run.Windows[slices.IndexFunc(w.run.Windows, func(l planrun.Look) bool { return l.Environment == "production" })].At = time.Time{}
	w.settle()
	w.closed["production"] = opens.Add(24 * time.Hour)
	w.until(opens.Add(time.Hour))
	w.heard("window-ended deploy → deployer lead")
}

func TestNothingIsRolledBackBecauseNobodyKnowsWhetherTheWindowHasEnded(t *testing.T) {
	ends := start.Add(2 * time.Hour)
	w, _ := running(t, upgrade(), ends)
	w.silent = func(x planrun.Work) bool {
		if x.Do != planrun.LookWindow {
			return x.Do == planrun.RunStep
		}
		w.run.Looked(x.Number, planrun.Look{Environment: x.Window.Environment}, "no zone", w.now)
		return true
	}
	w.until(ends)
	if w.run.Status != planrun.Running || w.has(timeline.WindowOverrun) != 0 {
		t.Errorf("it is %s although nobody knows that the window has ended", w.run.Status)
	}
	w.silent = func(x planrun.Work) bool { return x.Do == planrun.RunStep }
	w.closed["production"] = ends.Add(24 * time.Hour)
	w.after(time.Minute)
	if w.run.Status != planrun.RollingBack {
		t.Errorf("it is %s although the window has ended", w.run.Status)
	}
}

func TestWhatAFailedAttemptHasChangedIsRolledBackToo(t *testing.T) {
	w := approved(t)
	w.result = func(planrun.Work) runbook.State { return runbook.Failed }
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.Settle{Capacity: as(dora), Task: "deploy", Status: planrun.Failed, Reason: "no use"}, dora)
	w.result = nil
	w.do(planrun.Retry{Capacity: as(lena), Task: "deploy", Reason: "another try"}, lena)
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "not today after all"}, lena)
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake waiting, report waiting")
	w.refused(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "again"}, lena, "nothing was changed in production")
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "not this year"}, lena)
	if left := w.has(timeline.ChangeLeft); left != 0 {
		t.Errorf("%d changes are left, want none", left)
	}
}

func TestAnOverrideThatEndsIsLikeAWindowThatEnds(t *testing.T) {
	w := rehearsed(t)
	w.closed["production"] = start.Add(30 * 24 * time.Hour)
	w.approve()
	until := start.Add(time.Hour)
	w.do(planrun.AskOverride{Capacity: as(lena), Environment: "production", Freeze: "year-end", Reason: "urgent", Until: until}, lena)
	w.do(planrun.ConfirmOverride{Capacity: as(mark), Environment: "production", Grant: true}, mark)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.told = nil
	w.until(until)
	w.heard("window-ended deploy → deployer lead", "rollback-done → lead deployer change-manager customer")
	if l := w.run.Windows; l[len(l)-1].Open || l[len(l)-1].Why[0].Kind != freeze.Frozen {
		t.Errorf("it looks like %+v", l)
	}
}

// The vote need not stand right before the change: there may be a wait for its window in between, which is gone through anew too.
func TestASecondTryIsANewDecisionAlsoBehindAWait(t *testing.T) {
	d := upgrade()
	launch := &d.Phases[1]
	wait := plan.Task{ID: "window", Kind: plan.Wait, Name: text("Window"), Assignment: by("lead"), Needs: []string{"announce", "approve"}, For: time.Minute}
	launch.Tasks[0].Needs = []string{"window"}
	launch.Tasks = append([]plan.Task{wait}, launch.Tasks...)
	w := begun(t, d)
	w.rehearse()
	w.approve()
	w.after(time.Minute)
	w.refused(planrun.Begin{Capacity: planrun.Capacity{Roles: []string{"deployer"}}, Task: "deploy"}, mark, "Mark has voted on it: want another person")
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "customers complain"}, lena)
	w.do(planrun.Continue{Capacity: as(lena), Reason: "mended"}, lena)
	w.stands("rehearse done, announce done, approve begun, window waiting, deploy waiting, bake waiting, report waiting")
}

// branches is a plan in which one vote lets a change of production begin, and a runbook on staging.
func branches() plan.Definition {
	d := upgrade()
	aside := plan.Task{
		ID: "aside", Kind: plan.Runbook, Name: text("Aside"), Needs: []string{"approve"}, Runs: "undo", Environment: "staging", SHA256: hash("aside"),
		Assignment: by("lead"),
	}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			if d.Phases[p].Tasks[n].ID == "deploy" {
				d.Phases[p].Tasks = append(d.Phases[p].Tasks, aside)
				return d
			}
		}
	}
	return d
}

func TestASecondTryLeavesAloneWhatHasNothingToDoWithIt(t *testing.T) {
	w := begun(t, branches())
	asides := 0
	w.silent = func(x planrun.Work) bool {
		if x.Do == planrun.RunStep && x.Task == "aside" {
			asides++
		}
		return x.Do == planrun.RunStep && x.Task == "aside" // its outcome never comes
	}
	w.rehearse()
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "no"}, lena)
	w.after(time.Minute)
	w.do(planrun.Continue{Capacity: as(lena), Reason: "mended"}, lena)
	w.approve()
	if aside, _, _ := w.run.Task("aside"); aside.Status != planrun.Begun || aside.Attempt != 1 || asides != 1 {
		t.Errorf("aside is %s in attempt %d, and its step was begun %d times", aside.Status, aside.Attempt, asides)
	}
	if deploy, _, _ := w.run.Task("deploy"); deploy.Status != planrun.Ready || deploy.Attempt != 2 {
		t.Errorf("deploy is %s in attempt %d", deploy.Status, deploy.Attempt)
	}
}

func TestOneRollbackWaitsForAnother(t *testing.T) {
	d := upgrade()
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			if x := &d.Phases[p].Tasks[n]; x.ID == "rehearse" {
				x.Rollback = &plan.Rollback{Component: "rehearsal", Detail: text("go back"), Within: time.Hour}
			}
		}
	}
	w := begun(t, d)
	w.rehearse()
	w.approve()
	ends := w.now.Add(2 * time.Hour)
	w.closes["production"] = ends
	w.run.Windows = nil
	w.settle()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "staging", Reason: "the rehearsal was wrong"}, lena)
	w.until(ends) // the window of production ends meanwhile, and the plan rolls back then
	if w.run.Undoing.Environment != "staging" || len(w.run.Undos) != 1 {
		t.Fatalf("%s is rolled back, and %+v waits", w.run.Undoing.Environment, w.run.Undos)
	}
	w.do(planrun.SettleUndo{Capacity: as(dora), Task: "rehearse", State: planrun.Undone, Note: "put back"}, dora)
	w.settle()
	if deploy, _, _ := w.run.Task("deploy"); deploy.Status != planrun.RolledBack || w.run.Status != planrun.Halted {
		t.Errorf("deploy is %s, and the run %s", deploy.Status, w.run.Status)
	}
}

func TestAChangeThatStandsStaysInThePlan(t *testing.T) {
	w := approved(t)
	w.result = func(planrun.Work) runbook.State { return runbook.Failed }
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.Settle{Capacity: as(dora), Task: "deploy", Status: planrun.Failed, Reason: "half of it"}, dora)
	w.closed["production"] = w.now.Add(time.Hour) // it waits for its second try
	w.run.Windows = nil
	w.settle()
	w.do(planrun.Retry{Capacity: as(lena), Task: "deploy", Reason: "again"}, lena)
	next := terms(upgrade()).Pinned
	next.Plan.Phases = slices.Clone(next.Plan.Phases)
	next.SHA256 = hash("next")
	for p := range next.Plan.Phases {
		next.Plan.Phases[p].Tasks = slices.DeleteFunc(slices.Clone(next.Plan.Phases[p].Tasks), func(x plan.Task) bool { return x.ID == "deploy" || x.ID == "bake" })
		for n := range next.Plan.Phases[p].Tasks {
			next.Plan.Phases[p].Tasks[n].Needs = slices.DeleteFunc(slices.Clone(next.Plan.Phases[p].Tasks[n].Needs), func(id string) bool { return id == "deploy" || id == "bake" })
		}
	}
	w.refused(planrun.RePlan{Capacity: as(lena), Reason: "shorter", Next: next}, lena, "task deploy: it has changed production and stays in the plan")
}

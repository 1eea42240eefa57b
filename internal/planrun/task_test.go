package planrun_test

import (
	"slices"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// manual is a task that lena does, after others.
func manual(id string, needs ...string) plan.Task {
	return plan.Task{ID: id, Kind: plan.Manual, Name: text(id), Assignment: by("lead"), Needs: needs, SHA256: hash(id)}
}

// small is the plan upgrade with tasks of its own.
func small(tasks ...plan.Task) plan.Definition {
	d := upgrade()
	d.Phases = []plan.Phase{{ID: "all", Name: text("All"), Tasks: tasks}}
	return d
}

func TestAReportThatCouldNotBeWrittenIsWrittenAgain(t *testing.T) {
	w := begun(t, small(plan.Task{ID: "report", Kind: plan.Report, Name: text("Report"), Assignment: by("lead"), Writes: plan.WorkPlan}))
	w = &world{t: t, run: w.run, now: start}
	w.stands("report done")

	r, err := planrun.Start(terms(w.run.Plan), start)
	if err != nil {
		t.Fatal(err)
	}
	w.run = r
	for _, x := range r.Advance(start) {
		if x.Do == planrun.WriteReport {
			r.Written(x.Number, x.Task, nil, "disk full", start)
		}
	}
	w.settle()
	w.stands("report unclear")
	w.heard("unclear report → lead")
	w.do(planrun.Settle{Capacity: as(lena), Task: "report", Status: planrun.Begun, Reason: "there is room again"}, lena)
	w.stands("report done")
}

func TestACheckIsJudgedAtOnce(t *testing.T) {
	for verdict, want := range map[planrun.Verdict]string{planrun.Miss: "check failed", planrun.Inconclusive: "check unclear"} {
		check := &plan.Check{HTTP: "https://shop", Timeout: time.Second, Failures: 2, Inconclusive: 3, OnFail: plan.FailTask, OnUnclear: plan.AskPerson}
		r, err := planrun.Start(terms(small(plan.Task{ID: "check", Kind: plan.Checking, Name: text("Check"), Assignment: by("lead"), Check: check})), start)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, run: r, now: start, measured: func() planrun.Verdict { return verdict }}
		w.settle()
		w.stands(want) // nothing would follow in a row
	}
}

func TestABakeThatIsTriedAgainAfterItsTimeIsMeasuredFirst(t *testing.T) {
	w := deployed(t)
	w.measured = func() planrun.Verdict { return planrun.Inconclusive }
	w.after(20 * time.Minute)
	w.stands("rehearse done, announce done, approve done, deploy done, bake unclear, report waiting")
	w.measured = func() planrun.Verdict { return planrun.Miss }
	w.do(planrun.Settle{Capacity: as(dora), Task: "bake", Status: planrun.Begun, Reason: "the probe is mended"}, dora)
	bake, _, _ := w.run.Task("bake")
	if bake.Measures.Failed != 1 {
		t.Errorf("%d measurements have failed, want the one that was asked for", bake.Measures.Failed)
	}
}

func TestWhatIsDoneNeedsNoWaiver(t *testing.T) {
	d := small(manual("a"))
	d.Phases[0].Tasks[0].Skip = &plan.Skip{Approver: "customer"}
	w := begun(t, d)
	w.do(planrun.Skip{Capacity: as(lena), Task: "a", Reason: "r", Control: "c"}, lena)
	w.do(planrun.Complete{Capacity: as(lena), Task: "a"}, lena)
	w.refused(planrun.Waive{Capacity: as(carol), Task: "a", Grant: true}, carol, "it is completed since")
	if w.run.Status != planrun.Completed {
		t.Errorf("it is %s although everything is done", w.run.Status)
	}
}

func TestATaskWaitsOnceMoreForWhatHasToBeDoneAfterAll(t *testing.T) {
	d := small(manual("a"), manual("b", "a"))
	d.Phases[0].Tasks[0].Skip = &plan.Skip{Approver: "customer"}
	d.Phases[0].Tasks[1].Consulted = []string{"customer"}
	w := begun(t, d)
	w.do(planrun.Skip{Capacity: as(lena), Task: "a", Reason: "r", Control: "c", Until: start.Add(time.Hour)}, lena)
	w.do(planrun.Waive{Capacity: as(carol), Task: "a", Grant: true}, carol)
	w.stands("a skipped, b ready")
	w.heard("advice b → customer")
	w.after(time.Hour)
	w.stands("a ready, b waiting")
	w.do(planrun.Complete{Capacity: as(lena), Task: "a"}, lena)
	w.stands("a done, b ready")
}

// Evidence that is checked anew and a beginning, in one moment: whatever comes first, nothing begins before what it needs.
func TestNothingBeginsBeforeWhatItNeedsWhateverComesInTheSameMoment(t *testing.T) {
	d := small(manual("a"), manual("b", "a"))
	d.Phases[0].Tasks[0].Evidence = []plan.Evidence{{ID: "log", What: text("log"), CheckedBy: "customer"}}
	w := begun(t, d)
	w.do(planrun.Complete{Capacity: as(lena), Task: "a", Evidence: evidence("log")}, lena)
	w.do(planrun.CheckEvidence{Capacity: as(carol), Task: "a", OK: true}, carol)
	w.stands("a done, b ready")
	more := planrun.AddEvidence{Capacity: as(lena), Task: "a", Evidence: evidence("log")}
	if err := more.Apply(w.run, lena, w.now); err != nil {
		t.Fatal(err)
	}
	w.refused(planrun.Begin{Capacity: as(lena), Task: "b"}, lena, "it needs a, which is in-check")
	w.stands("a in-check, b waiting")
}

func TestWhoeverIsConsultedIsAskedAlthoughTheTaskIsHeld(t *testing.T) {
	w := rehearsed(t)
	frozen := start.Add(30 * 24 * time.Hour)
	w.closed["production"] = frozen
	w.told = nil
	w.approve()
	w.heard("advice deploy → customer", "held deploy → deployer lead")
	w.until(frozen)
	w.heard("ready deploy → deployer")
}

func TestWhatApplyRefusesStandsInTheTimeline(t *testing.T) {
	w := approved(t)
	n := w.has(timeline.ActionRefused)
	refused := func(c planrun.Command, who timeline.Actor, want string) {
		t.Helper()
		if err := c.Check(w.run, who); err != nil {
			t.Fatalf("%T: Check refuses it: %v", c, err)
		}
		w.refused(c, who, want)
		if n++; w.has(timeline.ActionRefused) != n {
			t.Errorf("%T: no word of it in the timeline", c)
			n = w.has(timeline.ActionRefused)
		}
	}
	past := start.Add(-time.Hour)
	refused(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "r", Control: "c", Until: past}, lena, "that is past")
	refused(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "r", Control: "c", Until: start.Add(8 * 24 * time.Hour)}, lena, "at the latest")
	refused(planrun.AskOverride{Capacity: as(lena), Environment: "production", Freeze: "easter", Reason: "r", Until: start.Add(time.Hour)}, lena, "no such freeze")
	w.run.Windows[0].Open, w.run.Windows[1].Open = false, false // it closes in the same moment
	refused(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora, "its environment may not be changed now")
	w.run.Windows[0].Open, w.run.Windows[1].Open = true, true
	w.settle()
	refused(planrun.Begin{Capacity: planrun.Capacity{Roles: []string{"deployer"}}, Task: "deploy"}, mark, "Mark has voted on it")

	w = deployed(t)
	n = w.has(timeline.ActionRefused)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "r"}, lena)
	w.do(planrun.Continue{Capacity: as(lena), Reason: "r"}, lena)
	refused(planrun.Delegate{Capacity: as(mark), Task: "approve", To: approval.Substitute{Person: "moon", Until: past}}, mark, "that is past")
	refused(planrun.Delegate{Capacity: as(mark), Task: "approve", To: approval.Substitute{Person: "cora", Party: "customer", Until: start.Add(time.Hour)}}, mark, "want somebody of the provider")
}

func TestATaskThatNobodyBeginsIsOverdueToo(t *testing.T) {
	d := small(manual("a"), manual("b", "a"))
	d.Phases[0].Tasks[1].Due = &plan.Due{Within: time.Hour, After: "b"}
	w := begun(t, d)
	w.after(24 * time.Hour)
	w.do(planrun.Complete{Capacity: as(lena), Task: "a"}, lena)
	w.told = nil
	w.after(time.Hour)
	w.heard("overdue b → lead")
}

func TestADueTimeThatCannotBeComputedIsAskedForAgain(t *testing.T) {
	r, err := planrun.Start(terms(upgrade()), start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, run: r, now: start, unknown: "no calendar", closed: map[string]time.Time{}, closes: map[string]time.Time{}}
	w.settle()
	w.after(24 * time.Hour)
	if asked := w.times(timeline.TaskDueUnknown); asked < 5 || asked > 15 {
		t.Errorf("asked %d times in a day, want often at first and then ever less", asked)
	}
	w.unknown = ""
	w.after(24 * time.Hour)
	if rehearse, _, _ := w.run.Task("rehearse"); rehearse.Due.IsZero() {
		t.Error("it is not known yet when it is due")
	}
}

func TestWhatARunHasTouchedStaysWhenItIsUndone(t *testing.T) {
	w := begun(t, upgrade())
	w.do(planrun.Begin{Task: "rehearse", Capacity: as(dora)}, dora)
	began := w.now
	if got := w.run.Touched("shop"); len(got) != 0 {
		t.Errorf("the shop runs in production alone: got %v", got)
	}
	w.run.Environments[0].Services = []string{"shop"}
	want := []planrun.Touch{{Task: "rehearse", Environment: w.run.Environments[0].Name, At: began}}
	if got := w.run.Touched("shop"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if since, until, some := w.run.Changing("shop"); !some || !since.Equal(began) || !until.IsZero() {
		t.Errorf("it goes on: changes it from %s to %s, %v", since, until, some)
	}
	w.after(time.Hour)
	w.do(planrun.Fail{Task: "rehearse", Reason: "no space", Capacity: as(dora)}, dora)
	if got := w.run.Touched("shop"); !slices.Equal(got, want) {
		t.Errorf("failed: got %v, want %v", got, want)
	}
	if got := w.run.Touched("till"); len(got) != 0 {
		t.Errorf("another service: got %v", got)
	}
	if since, until, some := w.run.Changing("shop"); !some || !since.Equal(began) || !until.Equal(began.Add(time.Hour)) {
		t.Errorf("failed: changed it from %s to %s, %v", since, until, some)
	}
	if _, _, some := w.run.Changing("till"); some {
		t.Error("has changed another service")
	}
}

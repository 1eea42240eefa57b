package planrun_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// waits says what the run wants, and of whom: "begin rehearse: dave dora".
func (w *world) waits(want ...string) {
	w.t.Helper()
	var got []string
	for _, x := range w.run.Waits(w.now) {
		var people []string
		for id, roles := range cast() {
			if x.For(id, roles) {
				people = append(people, id)
				w.answers(x, person(id))
			}
		}
		slices.Sort(people)
		got = append(got, strings.TrimSpace(string(x.Want)+" "+x.Task)+": "+strings.Join(people, " "))
	}
	if diff := strings.Join(got, "\n"); diff != strings.Join(want, "\n") {
		w.t.Errorf("at %s the run wants\n%s\nwant\n%s", w.now.Format(time.DateTime), diff, strings.Join(want, "\n"))
	}
}

// answers asks that whoever is waited for may do what is wanted.
func (w *world) answers(x planrun.Wait, who timeline.Actor) {
	w.t.Helper()
	c := as(who)
	t, _, _ := w.run.Task(x.Task)
	var cmd planrun.Command
	switch x.Want {
	case planrun.WantBegin:
		cmd = planrun.Begin{Capacity: c, Task: x.Task}
	case planrun.WantComplete:
		cmd = planrun.Fail{Capacity: c, Task: x.Task, Reason: "r"} // needs no evidence
	case planrun.WantStep:
		cmd = planrun.DoStep{Capacity: c, Task: x.Task, Step: x.Step}
	case planrun.WantCheck:
		cmd = planrun.CheckEvidence{Capacity: c, Task: x.Task, OK: true}
	case planrun.WantSettle:
		cmd = planrun.Settle{Capacity: c, Task: x.Task, Status: planrun.Done, Reason: "r"}
	case planrun.WantRetry:
		cmd = planrun.Retry{Capacity: c, Task: x.Task, Reason: "r"}
	case planrun.WantVote:
		shown := ""
		if x.Task != "" {
			shown = t.Ballot.Shown.SHA256
		} else {
			shown = w.run.Change.Ballot.Shown.SHA256
		}
		cmd = planrun.Vote{Capacity: c, ID: "v", Task: x.Task, Choice: approval.Approve, Shown: shown}
	case planrun.WantWaiver:
		cmd = planrun.Waive{Capacity: c, Task: x.Task, Grant: true}
	case planrun.WantOverride:
		cmd = planrun.ConfirmOverride{Capacity: c, Environment: x.Environment, Grant: true}
	case planrun.WantUndo, planrun.WantRescue:
		cmd = planrun.SettleUndo{Capacity: c, Task: x.Task, State: planrun.Undone, Note: "n"}
	case planrun.WantGoOn:
		cmd = planrun.Continue{Capacity: c, Reason: "r"}
	}
	if err := cmd.Check(w.run, who); err != nil {
		w.t.Errorf("%s is waited for (%s %s), and may not: %v", who.ID, x.Want, x.Task, err)
	}
}

func TestForWhomARunWaits(t *testing.T) {
	w := begun(t, upgrade())
	w.waits("begin rehearse: dave dora")
	w.do(planrun.Assign{Capacity: as(lena), Task: "rehearse", Person: dave}, lena)
	w.waits("begin rehearse: dave")
	w.do(planrun.Assign{Capacity: as(lena), Task: "rehearse", Person: dora}, lena)
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.waits("complete rehearse: dora")
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.waits("check rehearse: mark")
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.waits("vote approve: carol mark")
	w.do(planrun.Delegate{Capacity: as(mark), Task: "approve", To: approval.Substitute{Person: "dave", Name: "Dave", Party: "provider", Until: start.Add(time.Hour)}}, mark)
	w.do(w.votes(carol, approval.Approve, ""), carol)
	w.waits("vote approve: dave mark")
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.waits("begin deploy: dave dora")
	w.do(planrun.Halt{Capacity: as(carol), Reason: "busy"}, carol)
	w.waits("continue: lena")
	w.do(planrun.Continue{Capacity: as(lena), Reason: "quiet"}, lena)
	w.do(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "later", Control: "notes"}, lena)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.waits("step deploy: dave dora", "waive report: carol")
	w.do(planrun.Waive{Capacity: as(carol), Task: "report", Note: "no"}, carol)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.waits() // the bake goes on by itself
	w.after(10 * time.Minute)
	w.waits()
}

func TestWhoeverVotedOrAskedIsNotWaitedFor(t *testing.T) {
	w := begun(t, upgrade())
	all := []string{"lead", "deployer", "change-manager", "customer"}
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	if check := w.run.Waits(w.now)[0]; check.For("dora", all) || !check.For("mark", all) {
		t.Error("dora has worked on it, and is to check it")
	}
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	if vote := w.run.Waits(w.now)[0]; vote.For("dora", all) || vote.For("lena", all) || !vote.For("mark", nil) {
		t.Error("who votes is named on the ballot, whatever they fill")
	}
	w.approve()
	if begin := w.run.Waits(w.now)[0]; begin.For("mark", all) || !begin.For("dora", all) {
		t.Error("mark has voted on the change, and is to make it")
	}
	w.closed["production"] = start.Add(30 * 24 * time.Hour)
	w.run.Windows = nil
	w.settle()
	w.do(planrun.AskOverride{Capacity: as(lena), Environment: "production", Freeze: "year-end", Reason: "urgent", Until: start.Add(time.Hour)}, lena)
	w.waits("confirm-override: carol mark")
}

func TestARollbackWaitsForPeople(t *testing.T) {
	w := deployed(t)
	w.result = func(planrun.Work) runbook.State { return runbook.Failed }
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "broken"}, lena)
	w.waits("settle-rollback deploy: dave dora lena")
	w.do(planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.Undone, Note: "by hand"}, dora)
	w.waits("continue: lena")

	d := upgrade()
	d.Phases[1].Tasks[0].Rollback.Runs, d.Phases[1].Tasks[0].Rollback.Detail = "", text("put the old one back")
	w = begun(t, d)
	w.rehearse()
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "broken"}, lena)
	w.waits("rollback deploy: dave dora")
	if x := w.run.Waits(w.now)[0]; !x.Due.Equal(w.now.Add(30 * time.Minute)) {
		t.Errorf("the rollback is due at %s", x.Due)
	}
}

func TestWhatIsUnclearOrFailedOrChangedWaits(t *testing.T) {
	w := approved(t)
	w.result = func(planrun.Work) runbook.State { return runbook.Unknown }
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.waits("settle deploy: dave dora lena")
	w.do(planrun.Settle{Capacity: as(dora), Task: "deploy", Status: planrun.Failed, Reason: "it is broken"}, dora)
	w.waits("retry deploy: lena")

	w = inWaves(t)
	if all := w.run.Waits(w.now); len(all) != 1 || all[0].Want != planrun.WantComplete || !all[0].For("dora", cast()["dora"]) {
		t.Errorf("the run wants %+v, want the targets of the first wave", all)
	}
	for _, target := range []string{"a", "b"} {
		w.do(planrun.Complete{Capacity: as(dora), Task: "deploy", Target: target}, dora)
	}
	w.waits() // the bake between two waves

	w = rehearsed(t)
	next := terms(upgrade()).Pinned
	next.SHA256 = hash("second plan")
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: "better"}, lena)
	w.waits("vote approve: carol mark", "vote: carol mark")
}

// The first due comes first, and what is never due last.
func TestWaitsAreSorted(t *testing.T) {
	d := upgrade()
	d.Phases[0].Tasks[1] = plan.Task{ID: "announce", Kind: plan.Manual, Name: text("Announce"), Assignment: by("lead"), SHA256: hash("announce")}
	w := begun(t, d)
	w.waits("begin rehearse: dave dora", "begin announce: lena")
	w.do(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "later", Control: "notes"}, lena)
	w.waits("begin rehearse: dave dora", "begin announce: lena", "waive report: carol")
}

func TestAMachineOfTheSameNameDoesNoTask(t *testing.T) {
	w := begun(t, upgrade())
	w.do(planrun.Assign{Capacity: as(lena), Task: "rehearse", Person: dora}, lena)
	bot := timeline.Actor{Kind: timeline.Source, ID: dora.ID}
	w.refused(planrun.Begin{Task: "rehearse"}, bot, "Dora was asked to do it, not dora")
	w.do(planrun.Begin{Task: "rehearse"}, dora)
}

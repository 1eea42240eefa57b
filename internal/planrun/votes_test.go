package planrun_test

import (
	"slices"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

func TestVotersLeaveAndCome(t *testing.T) {
	w := rehearsed(t)
	w.told = nil
	w.voters = []approval.Elector{elector("mark")}
	w.after(12 * time.Hour)
	w.heard("vote-impossible approve → change-manager lead")
	w.after(12 * time.Hour)
	if len(w.told) > 0 {
		t.Errorf("told again: %v", w.told)
	}
	w.voters = []approval.Elector{elector("mark"), elector("cora")}
	w.after(12 * time.Hour)
	w.heard("vote approve → cora")
	w.refused(w.votes(carol, approval.Approve, ""), carol, "carol: not among the voters")
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.do(w.votes(person("cora"), approval.Approve, ""), person("cora"))
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
}

func TestVotersWhomNobodyKnowsAreAskedForEverLess(t *testing.T) {
	w := begun(t, upgrade())
	w.unknown = "person carol: not found"
	w.rehearse()
	w.refused(w.votes(mark, approval.Approve, ""), mark, "nobody votes on it yet")
	w.after(24 * time.Hour)
	if asked := w.times(timeline.VotersUnknown); asked < 5 || asked > 15 {
		t.Errorf("asked %d times in a day", asked)
	}
	w.unknown = ""
	w.after(12 * time.Hour)
	w.do(w.votes(mark, approval.Approve, ""), mark)
}

// What was decided counts for what was shown: newer evidence takes it back, unless something has followed from it already.
func TestADecisionIsOnWhatWasShown(t *testing.T) {
	w := approved(t)
	more := planrun.AddEvidence{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}
	w.told = nil
	w.do(more, dora)
	w.stands("rehearse in-check, announce done, approve waiting, deploy waiting, bake waiting, report waiting")
	w.heard("vote-voided approve → change-manager customer")
	if voided := w.run.Timeline.Entries[slices.IndexFunc(w.run.Timeline.Entries, func(e timeline.Entry) bool { return e.Kind == timeline.VoteVoided })]; voided.Fact("changed") != "evidence rehearse/log 2 added, task rehearse changed" {
		t.Errorf("voided because of %q", voided.Fact("changed"))
	}
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(more, dora)
	if approve, _, _ := w.run.Task("approve"); approve.Status != planrun.Done {
		t.Errorf("it is %s although the change has begun", approve.Status)
	}
}

func TestNobodyVotesOnWhatIsOver(t *testing.T) {
	w := rehearsed(t)
	v := w.votes(mark, approval.Approve, "")
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "not this year"}, lena)
	w.refused(v, mark, "it is cancelled since")

	w = rehearsed(t) // what a rollback has failed is not voted on any more
	v = w.votes(mark, approval.Approve, "")
	approve, _, _ := w.run.Task("approve")
	approve.Status = planrun.Failed
	w.refused(v, mark, "it is failed: nobody votes on it any more")
}

func TestAChangeOnWhichTooFewMayVoteIsRefused(t *testing.T) {
	w := rehearsed(t)
	next := terms(upgrade()).Pinned
	next.SHA256 = hash("second plan")
	w.voters = []approval.Elector{elector("lena")} // whoever asks for it may not vote
	w.told = nil
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: "r"}, lena)
	w.heard("change-decided → change-manager customer lead")
	if w.run.Change != nil || w.run.Revised != 0 {
		t.Errorf("got %+v", w.run.Change)
	}
	w.voters = nil
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: "again"}, lena)
}

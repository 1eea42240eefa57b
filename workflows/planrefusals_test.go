package workflows_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/workflows"
)

// refusals counts how often the timeline says that somebody may not.
func refusals(run *planrun.Run) (n int) {
	for _, e := range run.Timeline.Entries {
		if e.Kind == timeline.ActionRefused {
			n += max(1, e.Times)
		}
	}
	return n
}

// refuses asks what is refused with some words: by the validator, so that no trace is left, or by the handler, so that it stands in the
// timeline.
func refuses[C planrun.Command](r *rehearsal, stands bool, after time.Duration, update string, by timeline.Actor, c C, want string) {
	refused(r, stands, after, update, by, func() C { return c }, want)
}

// refused is refuses for what is known only then.
func refused[C planrun.Command](r *rehearsal, stands bool, after time.Duration, update string, by timeline.Actor, c func() C, want string) {
	var (
		before *planrun.Run
		a      answer
	)
	r.at(after, func() {
		before = r.plan()
		requests(r, &a, update, by, c())
	})
	r.at(after+time.Millisecond, func() {
		got, run := a.rejected, r.plan()
		if stands {
			got = a.failed
		}
		if got == nil || !strings.Contains(got.Error(), want) {
			r.Errorf("%s by %s after %s: rejected %v, failed %v; want %q", update, by.ID, after, a.rejected, a.failed, want)
		}
		if grown := len(run.Timeline.Entries) - len(before.Timeline.Entries); !stands && grown != 0 {
			r.Errorf("%s by %s after %s leaves %d entries", update, by.ID, after, grown)
		}
		if n := refusals(run) - refusals(before); stands && n != 1 {
			r.Errorf("%s by %s after %s stands %d times in the timeline", update, by.ID, after, n)
		}
		if standing(run) != standing(before) || run.Status != before.Status {
			r.Errorf("%s by %s after %s has changed %s to %s", update, by.ID, after, standing(before), standing(run))
		}
	})
}

func TestWhatTheValidatorRefusesLeavesNoTrace(t *testing.T) {
	r := rehearse(t)
	r.approves()
	long := strings.Repeat("x", planrun.MaxText+1)
	at := 10 * time.Minute
	next := func() time.Duration { at += time.Second; return at }
	as := capacity
	refuses(r, false, next(), workflows.AssignUpdate, kim, planrun.Assign{Capacity: as(kim), Task: "deploy", Person: kim}, "may not; want lead (lead)")
	refuses(r, false, next(), workflows.AssignUpdate, park, planrun.Assign{Capacity: as(park), Task: "approve", Person: kim}, "it is done since")
	refuses(r, false, next(), workflows.BeginUpdate, park, planrun.Begin{Capacity: as(park), Task: "deploy"}, "may not; want deployer (deployer)")
	refuses(r, false, next(), workflows.BeginUpdate, kim, planrun.Begin{Capacity: as(kim), Task: "bake"}, "it is waiting since")
	refuses(r, false, next(), workflows.BeginUpdate, kim, planrun.Begin{Capacity: as(kim), Task: "nothing"}, "there is none")
	refuses(r, false, next(), workflows.CompleteUpdate, kim, planrun.Complete{Capacity: as(kim), Task: "deploy"}, "nobody completes it by hand")
	refuses(r, false, next(), workflows.CompleteUpdate, kim, planrun.Complete{Capacity: as(kim), Task: "rehearse"}, "it is done since")
	refuses(r, false, next(), workflows.FailUpdate, kim, planrun.Fail{Capacity: as(kim), Task: "deploy", Reason: "r"}, "nobody ends it by hand")
	refuses(r, false, next(), workflows.CheckEvidenceUpdate, yoon, planrun.CheckEvidence{Capacity: as(yoon), Task: "rehearse", OK: true}, "it is done since")
	refuses(r, false, next(), workflows.AddEvidenceUpdate, kim, planrun.AddEvidence{Capacity: as(kim), Task: "rehearse"}, "none")
	refuses(r, false, next(), workflows.AddEvidenceUpdate, kim, planrun.AddEvidence{
		Capacity: as(kim), Task: "rehearse", Evidence: []planrun.Given{{Item: "film", Ref: "x"}},
	}, `evidence "film": not wanted; want log`)
	refuses(r, false, next(), workflows.SkipUpdate, park, planrun.Skip{Capacity: as(park), Task: "deploy", Reason: "r", Control: "c"}, "the plan does not let it be skipped")
	refuses(r, false, next(), workflows.SkipUpdate, park, planrun.Skip{Capacity: as(park), Task: "report", Reason: "r"}, "control: missing")
	refuses(r, false, next(), workflows.WaiveUpdate, carol, planrun.Waive{Capacity: as(carol), Task: "report", Grant: true}, "nobody has asked for it")
	refuses(r, false, next(), workflows.RetryUpdate, park, planrun.Retry{Capacity: as(park), Task: "deploy", Reason: "r"}, "it is ready since")
	refuses(r, false, next(), workflows.SettleUpdate, kim, planrun.Settle{Capacity: as(kim), Task: "deploy", Status: planrun.Done, Reason: "r"}, "it is ready since")
	refuses(r, false, next(), workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: as(kim), Task: "deploy", Step: 1}, "no runbook is under way")
	refuses(r, false, next(), workflows.VoteUpdate, yoon, planrun.Vote{Capacity: as(yoon), ID: "v", Task: "deploy", Choice: approval.Approve, Shown: hash("x")}, "nobody votes on it")
	refuses(r, false, next(), workflows.VoteUpdate, yoon, planrun.Vote{Capacity: as(yoon), ID: "v", Task: "approve", Choice: "perhaps", Shown: hash("x")}, "perhaps")
	refuses(r, false, next(), workflows.VoteUpdate, yoon, planrun.Vote{Capacity: as(yoon), ID: "v", Choice: approval.Approve, Shown: hash("x")}, "nobody has asked for a change")
	refuses(r, false, next(), workflows.DelegateUpdate, yoon, planrun.Delegate{Capacity: as(yoon), Task: "approve"}, "want another person, and until when")
	refuses(r, false, next(), workflows.HaltUpdate, park, planrun.Halt{Capacity: as(park)}, "reason: missing")
	refuses(r, false, next(), workflows.HaltUpdate, park, planrun.Halt{Capacity: as(park), Reason: long}, "want 4000 at most")
	refuses(r, false, next(), workflows.ContinueUpdate, park, planrun.Continue{Capacity: as(park), Reason: "r"}, "it is running since")
	refuses(r, false, next(), workflows.RollBackUpdate, park, planrun.RollBack{Capacity: as(park), Environment: "production", Reason: "r"}, "nothing was changed in production")
	refuses(r, false, next(), workflows.RollBackUpdate, park, planrun.RollBack{Capacity: as(park), Environment: "moon", Reason: "r"}, `no such environment "moon"`)
	refuses(r, false, next(), workflows.SettleUndoUpdate, kim, planrun.SettleUndo{Capacity: as(kim), Task: "deploy", State: planrun.Undone, Note: "n"}, "it is running since")
	refuses(r, false, next(), workflows.AskOverrideUpdate, carol, planrun.AskOverride{Capacity: as(carol), Environment: "production", Reason: "r"}, "may not")
	refuses(r, false, next(), workflows.ConfirmOverrideUpdate, yoon, planrun.ConfirmOverride{Capacity: as(yoon), Environment: "production", Grant: true}, "nobody has asked for one")
	refuses(r, false, next(), workflows.RePlanUpdate, park, planrun.RePlan{Capacity: as(park), Next: planTerms(upgrade()).Pinned, Reason: "r"}, "nothing differs")
	refuses(r, false, next(), workflows.CancelUpdate, carol, planrun.Cancel{Capacity: as(carol), Reason: "r"}, "may not; want lead (lead)")
	refuses(r, false, next(), workflows.NoteUpdate, park, planrun.Note{Capacity: as(park)}, "text: missing")
	refuses(r, false, next(), workflows.NoteUpdate, timeline.Actor{Kind: timeline.Person, ID: "jung"}, planrun.Note{Text: "t"}, "may not")
	unsigned, copied := &answer{}, &answer{}
	r.at(next(), func() { unsigned.to(r, "u1", workflows.HaltUpdate, planrun.Halt{Capacity: as(park), Reason: "r"}) })
	r.at(next(), func() {
		copied.to(r, "u2", workflows.HaltUpdate, sealed(r, workflows.NoteUpdate, "u2", park, planrun.Halt{Capacity: as(park), Reason: "r"}))
	})
	r.cancels(time.Hour)
	r.execute(planTerms(upgrade()))
	if unsigned.rejected == nil || copied.rejected == nil {
		t.Errorf("unsigned %+v, copied %+v", unsigned, copied)
	}
}

func TestWhatTheHandlerRefusesStandsInTheTimeline(t *testing.T) {
	r := rehearse(t)
	r.runner.lost.Store(1)
	jung := timeline.Actor{Kind: timeline.Person, ID: "jung"}
	both := planrun.Capacity{Roles: []string{"deployer", "manager"}} // a small shop
	terms := planTerms(planned(append(upgrade().Phases[0].Tasks, plan.Task{
		ID: "switch", Kind: plan.Manual, Assignment: done("deployer"), Environment: "staging", Changes: true, Needs: []string{"approve"},
	})...))
	busy := freeze.Freeze{ID: "busy", Name: "busy", When: freeze.When{Zone: "UTC", Yearly: []freeze.Yearly{{From: 1220, To: 105}}}}
	terms.Environments[1].Rules.Freezes = []freeze.Freeze{busy}
	votes := func(after time.Duration, by timeline.Actor, shown, want string) {
		refused(r, true, after, workflows.VoteUpdate, by, func() planrun.Vote {
			v := r.vote("approve", by, approval.Approve)
			if shown != "" {
				v.Shown = shown
			}
			return v
		}, want)
	}
	r.approves()
	at := 2*time.Minute + 30*time.Second
	refuses(r, true, at, workflows.CheckEvidenceUpdate, kim, planrun.CheckEvidence{Capacity: both, Task: "rehearse", OK: true}, "has worked on it: want another person")
	at = 3*time.Minute + 10*time.Second
	votes(at, park, "", "park has asked for it: want another person")
	votes(at+time.Second, kim, "", "kim implements it: want another person")
	votes(at+2*time.Second, jung, "", "jung: not among the voters")
	votes(at+3*time.Second, yoon, hash("another"), "what was shown is not what is shown now")
	until := start.Add(time.Hour)
	refuses(r, true, at+4*time.Second, workflows.DelegateUpdate, yoon, planrun.Delegate{
		Capacity: both, Task: "approve", To: approval.Substitute{Person: "kim", Party: authority.Provider, Until: until},
	}, "kim implements it: want another person")
	refuses(r, true, at+5*time.Second, workflows.DelegateUpdate, yoon, planrun.Delegate{
		Capacity: both, Task: "approve", To: approval.Substitute{Person: "jung", Party: authority.Provider, Until: start},
	}, "that is past")
	at = 5*time.Minute + 10*time.Second
	refuses(r, true, at, workflows.BeginUpdate, yoon, planrun.Begin{Capacity: both, Task: "deploy"}, "has voted on it: want another person")
	ask := planrun.AskOverride{Capacity: capacity(park), Environment: "production", Freeze: "easter", Reason: "r", Until: until}
	refuses(r, true, at+time.Second, workflows.AskOverrideUpdate, park, ask, "no such freeze")
	ask.Freeze = "busy"
	does(r, at+2*time.Second, workflows.AskOverrideUpdate, park, ask)
	confirm := planrun.ConfirmOverride{Capacity: planrun.Capacity{Roles: []string{"lead"}}, Environment: "production", Grant: true}
	refuses(r, true, at+3*time.Second, workflows.ConfirmOverrideUpdate, park, confirm, "has asked for it: want another person")
	skip := planrun.Skip{Capacity: capacity(park), Task: "report", Reason: "r", Control: "c", Until: start}
	refuses(r, true, at+4*time.Second, workflows.SkipUpdate, park, skip, "that is past")
	skip.Until = start.Add(30 * 24 * time.Hour)
	refuses(r, true, at+5*time.Second, workflows.SkipUpdate, park, skip, "at the latest")
	skip.Until = until
	does(r, at+6*time.Second, workflows.SkipUpdate, park, skip)
	waive := planrun.Waive{Capacity: planrun.Capacity{Roles: []string{"customer"}}, Task: "report", Grant: true}
	refuses(r, true, at+7*time.Second, workflows.WaiveUpdate, park, waive, "has asked for it: want another person")
	does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
	does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "switch"})
	refuses(r, true, 7*time.Minute, workflows.CompleteUpdate, yoon, planrun.Complete{Capacity: both, Task: "switch"}, "has voted on it: want another person")
	settle := planrun.Settle{Capacity: both, Task: "deploy", Status: planrun.Done, Reason: "r"}
	refuses(r, true, 7*time.Minute+time.Second, workflows.SettleUpdate, yoon, settle, "has voted on it: want another person")
	does(r, 8*time.Minute, workflows.SettleUpdate, kim, settle)
	refuses(r, true, 9*time.Minute, workflows.DoStepUpdate, yoon, planrun.DoStep{Capacity: both, Task: "deploy", Step: 2}, "has voted on it: want another person")
	r.cancels(time.Hour)
	r.execute(terms)
}

func TestAPlanStartsOnlyAsItWasSigned(t *testing.T) {
	started := func(r *rehearsal) any { return sealed(r, workflows.UpgradeWorkflow, "", park, planTerms(upgrade())) }
	for name, tc := range map[string]struct {
		id, as string // of the workflow
		in     func(r *rehearsal) any
		want   string
	}{
		"not signed":    {in: func(*rehearsal) any { return planTerms(upgrade()) }, want: "it is not signed"},
		"by a stranger": {in: func(r *rehearsal) any { return as(r, r.stranger(), workflows.UpgradeWorkflow, planTerms(upgrade())) }, want: "none of this installation's"},
		"in another's name": {in: func(r *rehearsal) any {
			return sealed(r, workflows.UpgradeWorkflow, "", kim, planTerms(upgrade()))
		}, want: "박서준 starts it, and 김민수 asks for it"},
		"copied from another type": {in: func(r *rehearsal) any {
			return sealed(r, workflows.GoLiveWorkflow, "", park, planTerms(upgrade()))
		}, want: "the signature does not fit"},
		"signed long before": {in: func(r *rehearsal) any { // such as a start that was taken from the history of the run before
			m := started(r)
			r.env.SetStartTime(start.Add(time.Hour))
			return m
		}, want: "an old message was sent again"},
		"under another id": {id: "upgrade/acme/staging", in: started, want: "it belongs under upgrade/acme/production"},
		"as another type": {as: workflows.MaintenanceWorkflow, in: func(r *rehearsal) any {
			return sealed(r, workflows.MaintenanceWorkflow, "", park, planTerms(upgrade()))
		}, want: "it belongs under upgrade/acme/production"},
		"of nothing": {in: func(r *rehearsal) any {
			return sealed(r, workflows.UpgradeWorkflow, "", park, planrun.Terms{Starter: park})
		}, want: "want one such as RUN-"},
		"of a plan that cannot be run": {in: func(r *rehearsal) any {
			x := planTerms(upgrade())
			x.Books = nil
			return sealed(r, workflows.UpgradeWorkflow, "", park, x)
		}, want: `task deploy: no such runbook "deploy"; task deploy: no such runbook "undo"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.under("upgrade/acme/production")
			if tc.id != "" {
				r.under(tc.id)
			}
			if tc.as == "" {
				tc.as = workflows.UpgradeWorkflow
			}
			r.env.ExecuteWorkflow(tc.as, tc.in(r))
			if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
				t.Errorf("got %v and delivered %v, want %q", err, r.got(), tc.want)
			}
		})
	}
}

// A vote and its deadline in the same instant, in 200 interleavings: one of them decides each task, and the other is told.
func TestAVoteAndItsDeadlineInOneInstant(t *testing.T) {
	const tasks = 50
	for seed := range uint64(4) {
		r, dice := rehearse(t), rand.New(rand.NewPCG(seed, 1))
		var all []plan.Task
		for n := range tasks {
			all = append(all, plan.Task{
				ID: fmt.Sprintf("vote-%02d", n), Kind: plan.Approval, Vote: voting(1), Assignment: done("manager"), Due: &plan.Due{Within: time.Hour},
			})
		}
		var v planrun.Vote
		r.at(time.Minute, func() { v = r.vote("vote-00", carol, approval.Approve) }) // the others show the same
		offsets, answers := make([]time.Duration, tasks), make([]*answer, tasks)
		for _, n := range dice.Perm(tasks) {
			offsets[n] = time.Duration(dice.IntN(3) - 1)
			answers[n] = &answer{}
			vote := func(after time.Duration) {
				r.at(after, func() {
					v.Task = all[n].ID
					requests(r, answers[n], workflows.VoteUpdate, carol, v)
				})
			}
			if dice.IntN(2) == 0 { // a timer of the environment from before that of the run, or from after it
				vote(time.Hour + offsets[n])
			} else {
				r.at(30*time.Minute, func() { vote(30*time.Minute + offsets[n]) })
			}
		}
		r.cancels(2 * time.Hour)
		run := r.execute(planTerms(planned(all...)))
		won := 0
		for n, x := range run.Tasks {
			a := answers[n]
			switch err := errors.Join(a.rejected, a.failed); {
			case !a.done:
				t.Errorf("seed %d: %s has no answer", seed, x.ID)
			case (err == nil) != (x.Status == planrun.Done) || (err == nil) != (offsets[n] < 0):
				t.Errorf("seed %d: the vote %dns from the deadline got %v, and %s is %s", seed, offsets[n], err, x.ID, x.Status)
			case err != nil && (!strings.Contains(err.Error(), "expired at 2026-11-23T10:00:00Z") || x.Status != planrun.Failed):
				t.Errorf("seed %d: %s is %s, and the loser hears %v", seed, x.ID, x.Status, err)
			case err == nil:
				won++
			}
		}
		if decided := count(run.Timeline, timeline.VoteDecided); decided != tasks || won == 0 || won == tasks {
			t.Errorf("seed %d: decided %d times, %d by the vote", seed, decided, won)
		}
	}
}

// A beginning and the end of the window in the same instant, in 200 interleavings: nothing begins outside its window.
func TestABeginningAndTheEndOfTheWindowInOneInstant(t *testing.T) {
	const tasks = 50
	for seed := range uint64(4) {
		r, dice := rehearse(t), rand.New(rand.NewPCG(seed, 2))
		var all []plan.Task
		for n := range tasks {
			all = append(all, plan.Task{ID: fmt.Sprintf("task-%02d", n), Kind: plan.Manual, Assignment: done("deployer"), Environment: "staging", Changes: true})
		}
		terms := planTerms(planned(all...))
		terms.Environments[0].Rules = daily(9, 11, calendar.Monday)
		offsets, answers := make([]time.Duration, tasks), make([]*answer, tasks)
		for _, n := range dice.Perm(tasks) {
			offsets[n] = time.Duration(dice.IntN(3) - 1)
			begin := func(after time.Duration) {
				answers[n] = command(r, after, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: all[n].ID})
			}
			if dice.IntN(2) == 0 {
				begin(2*time.Hour + offsets[n])
			} else {
				r.at(time.Hour, func() { begin(time.Hour + offsets[n]) })
			}
		}
		r.cancels(3 * time.Hour)
		run := r.execute(terms)
		for n, x := range run.Tasks {
			a := answers[n]
			err := errors.Join(a.rejected, a.failed)
			if !a.done || (err == nil) != (offsets[n] < 0) || (err == nil) != (x.Status == planrun.Begun) || err != nil && x.Status != planrun.Held {
				t.Errorf("seed %d: beginning %dns from the end got %v, and %s is %s", seed, offsets[n], err, x.ID, x.Status)
			}
		}
	}
}

package workflows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// office hours of everybody: weekdays from 9 to 18 in Seoul.
func officeHours() calendar.Rules {
	days := []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday}
	return calendar.Rules{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: days, Hours: calendar.Hours{From: 9 * 60, To: 18 * 60}}}}
}

const (
	weeks   = 8
	perWeek = 25
)

// large is a plan of eight weeks with 25 tasks each, of all kinds, for three parties. Each week begins with a pause and ends with a
// decision. In the fourth and the seventh week production is changed.
func large() plan.Definition {
	var all []plan.Task
	three := &approval.Rule{
		Voters: []approval.Voter{
			{Party: authority.Provider, Role: "manager"}, {Party: authority.Customer, Role: "customer"}, {Party: authority.Partner, Role: "integrator"},
		},
		Need: approval.Need{Count: 2}, Exclude: approval.Exclusion{Requester: true},
	}
	decision := *three
	decision.Yes = []approval.Choice{approval.Ready}
	check := plan.Check{HTTP: "https://shop", Timeout: time.Second, Failures: 2, Inconclusive: 3, OnFail: plan.RollBackAll, OnUnclear: plan.AskPerson}
	doers := []string{"deployer", "tester", "operator", "integrator"}
	for w := range weeks {
		id := func(k int) string { return fmt.Sprintf("w%d-%02d", w+1, k) }
		var week []plan.Task
		add := func(t plan.Task) {
			if t.ID = id(len(week)); t.Accountable == "" {
				t.Assignment = done("lead")
			}
			if len(week) > 0 && t.Needs == nil {
				t.Needs = []string{id(0)}
			}
			week = append(week, t)
		}
		add(plan.Task{Kind: plan.Wait, For: 5 * 24 * time.Hour})
		for k := range 14 {
			t := plan.Task{Kind: plan.Manual, Assignment: raci.Assignment{Accountable: doers[k%4]}}
			switch {
			case k%4 == 0:
				t.Evidence = []plan.Evidence{{ID: "log", What: text("log"), CheckedBy: "manager"}}
			case k%4 == 1:
				t.Due, t.Remind = &plan.Due{Days: 2, After: id(0)}, []time.Duration{24 * time.Hour}
			case k == 6:
				t.Skip = &plan.Skip{Approver: "customer"}
			case k == 7 && w%2 == 0:
				t.Due, t.Escalate = &plan.Due{Within: 4 * time.Hour, After: id(0)}, &plan.Escalate{After: time.Hour, To: []string{"customer"}}
				t.Assignment = raci.Assignment{Accountable: "integrator", Informed: []string{"manager"}}
			case k > 9:
				t.Assignment = raci.Assignment{Accountable: "lead", Responsible: []string{doers[k%4]}, Consulted: []string{"manager"}, Informed: []string{"customer"}}
				t.Needs = []string{id(k)}
			}
			add(t)
		}
		add(plan.Task{Kind: plan.Notify, Tell: []string{"customer", "operator"}, Message: text("it goes on")})
		one := check
		one.OnFail = plan.FailTask
		add(plan.Task{Kind: plan.Checking, Check: &one})
		add(plan.Task{Kind: plan.Runbook, Runs: "three"})
		add(plan.Task{
			Kind: plan.Manual, Assignment: done("deployer"), Environment: "staging", Changes: true, Overrun: plan.Hold,
			Evidence: []plan.Evidence{{ID: "log", What: text("log")}},
		})
		waves := plan.Task{Kind: plan.Manual, Assignment: done("tester"), Waves: &plan.Waves{Over: "hosts", Size: 2, Bake: 6 * time.Hour}}
		if w%2 == 1 {
			waves.Kind, waves.Runs = plan.Runbook, "three"
		}
		add(waves)
		add(plan.Task{
			Kind: plan.Approval, Assignment: done("manager"), Vote: three, Shows: []string{id(18)}, Needs: []string{id(18)},
			Due: &plan.Due{Days: 3, After: id(20)},
		})
		deploy, bake := plan.Task{Kind: plan.Manual, Assignment: done("operator"), Needs: []string{id(20)}}, plan.Task{Kind: plan.Report, Writes: plan.WorkPlan, Needs: []string{id(21)}}
		if w == 3 || w == 6 {
			every := check
			every.Every = 10 * time.Minute
			deploy = plan.Task{
				Kind: plan.Runbook, Runs: "deploy", Assignment: done("deployer"), Needs: []string{id(20)}, Environment: "production", Changes: true, ByHand: true,
				Overrun: plan.Finish, Rollback: &plan.Rollback{Component: "shop", Runs: "undo", Within: time.Hour, Rehearsed: id(18)},
			}
			bake = plan.Task{Kind: plan.Wait, For: 2 * time.Hour, Check: &every, Environment: "production", Assignment: done("deployer"), Needs: []string{id(21)}}
		}
		add(deploy)
		add(bake)
		add(plan.Task{Kind: plan.Report, Writes: plan.CompletionReport, Needs: []string{id(22)}})
		gate := plan.Task{Kind: plan.Decision, Assignment: done("manager"), Vote: &decision}
		for k := 1; k < len(week); k++ {
			gate.Needs = append(gate.Needs, id(k))
		}
		add(gate)
		if w > 0 {
			week[0].Needs = []string{all[len(all)-1].ID}
		}
		all = append(all, week...)
	}
	d := planned(all...)
	d.Roles = roles(crew)
	return d
}

// Eight weeks with everything: people who do what their messages ask, waivers that expire, deadlines that are missed, changes that wait
// for their window, and a rollback with a second try.
func TestAPlanOf200TasksInEightWeeks(t *testing.T) {
	r := rehearse(t)
	r.env.SetTestTimeout(2 * time.Minute)
	r.env.SetWorkflowRunTimeout(365 * 24 * time.Hour)
	r.tally.watch(r)
	d := large()
	terms := planTerms(d)
	terms.Calendar, terms.Calendars = "office", []calendar.Rules{officeHours()}
	terms.Books = []planrun.Book{book("three", true, true, true), book("deploy", true, true), book("undo", true)}
	terms.Environments[0].Rules, terms.Environments[1].Rules = daily(0, 9), daily(4, 10, calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday)
	measured := 0
	r.runner.shows = func() runbook.Reading {
		if measured++; measured == 5 || measured == 6 { // the first measurements of the bake in the fourth week
			return runbook.Reading{Outcome: runbook.Fail, Seen: "status 500"}
		}
		return runbook.Reading{Outcome: runbook.Pass, Seen: "status 200"}
	}
	employ(r, &d)
	run := r.execute(terms)
	took := run.Ended.Sub(run.Opened)
	if run.Status != planrun.Completed || len(run.Tasks) != weeks*perWeek || took < 7*week || took > 12*week {
		t.Fatalf("it is %s with %d tasks after %s", run.Status, len(run.Tasks), took)
	}
	attempts := 0
	for _, x := range run.Tasks {
		if x.Status != planrun.Done && (x.Status != planrun.Skipped || x.Waiver.Until.Before(run.Ended)) {
			t.Errorf("%s is %s", x.ID, x.Status)
		}
		attempts += x.Attempt - 1
	}
	if run.Undoing == nil || run.Undoing.Items[0].State != planrun.Undone || attempts == 0 {
		t.Errorf("the rollback: %+v, %d second tries", run.Undoing, attempts)
	}
	for k, want := range map[timeline.Kind]int{
		timeline.RollbackBegun: 1, timeline.WaiverExpired: weeks - 1, timeline.TaskEscalated: weeks / 2, timeline.VotersUnknown: 0,
		timeline.TaskDueUnknown: 0, timeline.Undetermined: 0, timeline.Refused: 0,
	} {
		if n := count(run.Timeline, k); n != want {
			t.Errorf("%s stands %d times in the timeline, want %d", k, n, want)
		}
	}
	r.wantFitting(run, &d)
	content, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	has, says := r.tally.events(), sized(terms)
	t.Logf("%s after %s: %d bytes of state, %d timeline entries, %d messages; %s, and the plan says %d (%d before its start)", run.Status, took, len(content),
		len(run.Timeline.Entries), run.Sends, r.tally, says, d.Events())
	if has > says || says > plan.MaxEvents || len(content) > 1_500_000 {
		t.Errorf("%d events, the plan says %d; %d bytes of state", has, says, len(content))
	}
}

// wantFitting wants every message to have gone to whom it is for, and to nobody else, and none to be missing.
func (r *rehearsal) wantFitting(run *planrun.Run, d *plan.Definition) {
	r.Helper()
	of := func(t plan.Task, a planrun.About) []string {
		lead := []string{t.Accountable, d.Lead}
		switch a {
		case planrun.TaskReady, planrun.TaskDue:
			return t.Doers()
		case planrun.TaskOverdue, planrun.TaskHeld, planrun.WindowEnding, planrun.WindowEnded, planrun.TaskUnclear, planrun.TaskFailed, planrun.WaiverExpired:
			return append(lead, t.Doers()...)
		case planrun.AdviceWanted:
			return t.Consulted
		case planrun.TaskDone:
			return t.Informed
		case planrun.TaskEscalated:
			return t.Escalate.To
		case planrun.CheckWanted:
			return []string{"manager"}
		case planrun.WaiverWanted:
			return []string{t.Skip.Approver}
		case planrun.WaiverDecided:
			return t.Doers()
		case planrun.Said:
			return t.Tell
		case planrun.VoteWanted, planrun.VoteDecided, planrun.VoteVoided:
			return append(lead, "manager", "customer", "integrator")
		default: // of the run itself
			return []string{"lead", "deployer", "manager", "customer", "tester", "operator", "integrator"}
		}
	}
	numbers, kinds := map[string]bool{}, map[string]int{}
	for _, e := range r.sender.Delivered() {
		about, id := planrun.About(e.Message.Subject), e.Message.Text
		t, _ := d.Task(id)
		if !slices.ContainsFunc(of(t, about), func(role string) bool {
			return slices.Contains(capacity(timeline.Actor{ID: e.Recipient.ID}).Roles, role)
		}) {
			r.Errorf("%s got %q of %s", e.Recipient.ID, about, id)
		}
		numbers[strings.Split(string(e.ID), "/")[1]] = true
		kinds[string(about)+" "+id]++
	}
	withdrawn := count(run.Timeline, timeline.Withdrawn)
	if len(numbers)+withdrawn < run.Sends || withdrawn > 10 {
		r.Errorf("%d messages of %d were delivered, %d taken back at the end", len(numbers), run.Sends, withdrawn)
	}
	for _, t := range d.All() {
		if t.Kind == plan.Manual && kinds["ready "+t.ID] == 0 || t.Vote != nil && kinds["vote "+t.ID] < 3 || len(t.Informed) > 0 && kinds["done "+t.ID] != 1 {
			r.Errorf("%s: told %v", t.ID, kinds)
			break
		}
	}
}

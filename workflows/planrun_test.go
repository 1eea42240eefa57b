package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"muster/activities"
	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/runbook"
	"muster/internal/timeline"
	"muster/workflows"
)

var carol = timeline.Actor{Kind: timeline.Person, ID: "carol", Name: "Carol"}

// PlanRun writes what can be told apart: what it is about, and of which task.
func (writer) PlanRun(t planrun.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Plan, Language: to.Language, Subject: string(t.About), Text: t.Task}, nil
}

// office is the organisation folder as the worker has it now.
type office struct {
	mu     sync.Mutex
	folder incident.Folder
	people map[string]string // who is there instead of somebody: nobody where it is empty, an error where it is broken
	lacks  []string          // documents of every service
}

// Documents are those of any service.
func (o *office) Documents(string, time.Time) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lacks, nil
}

func (o *office) now() incident.Folder {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.folder.Revision == "" {
		return incident.Folder{Revision: "r1"}
	}
	return o.folder
}

func (o *office) who(id string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now, ok := o.people[id]; ok {
		return now
	}
	return id
}

func (o *office) change(change func(*office)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o)
}

// runner runs steps, measures and writes reports as it is told to. It remembers what it has run.
type runner struct {
	mu     sync.Mutex
	ran    []string
	result func(runbook.Automatic) runbook.State // passed where nil
	shows  func() runbook.Reading                // a pass where nil
	full   atomic.Int32                          // how often the disk is still full
	lost   atomic.Int32                          // how often a worker still gets lost in a step or a measurement
}

func (x *runner) Run(_ context.Context, step *runbook.Automatic) runbook.Result {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ran = append(x.ran, strings.Join(step.Command, " "))
	state := runbook.Passed
	if x.result != nil {
		state = x.result(*step)
	}
	return runbook.Result{State: state}
}

func (x *runner) Measure(context.Context, runbook.Measurement) runbook.Reading {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.shows != nil {
		return x.shows()
	}
	return runbook.Reading{Outcome: runbook.Pass, Seen: "status 200"}
}

// documents writes reports, unless the disk is full.
type documents struct{ r *rehearsal }

func (d *documents) WritePlanReport(_ context.Context, in activities.WritePlanReportInput) ([]planrun.Document, error) {
	if d.r.runner.full.Add(-1) >= 0 {
		return nil, errors.New("disk full")
	}
	return []planrun.Document{{Name: in.Writes + ".md", SHA256: hash(in.Task)}}, nil
}

func (x *runner) has() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.Join(x.ran, ", ")
}

// planning has the real activities, but for their faults.
type planning struct {
	activities.Plans
	r *rehearsal
}

func (p *planning) ComputeDue(ctx context.Context, in activities.ComputeDueInput) (time.Time, error) {
	if p.r.timeless.Add(-1) >= 0 {
		return time.Time{}, errors.New("no time zones")
	}
	return p.Plans.ComputeDue(ctx, in)
}

// stepping has the real activities, but for their faults.
type stepping struct {
	activities.Runbooks
	r *rehearsal
}

func (p *stepping) RunStep(ctx context.Context, in activities.RunStepInput) (runbook.Result, error) {
	out, err := p.Runbooks.RunStep(ctx, in)
	return out, errors.Join(err, p.isLost())
}

func (p *stepping) Measure(ctx context.Context, m runbook.Measurement) (runbook.Reading, error) {
	out, err := p.Runbooks.Measure(ctx, m)
	return out, errors.Join(err, p.isLost())
}

// isLost is what the workflow hears of a worker that was lost with what it did.
func (p *stepping) isLost() error {
	if p.r.runner.lost.Add(-1) >= 0 {
		return temporal.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil)
	}
	return nil
}

func text(s string) plan.Text { return plan.Text{En: s, Ko: s} }

func hash(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

// A part is a role of a plan, and who fills it.
type part struct {
	role  string
	party authority.PartyKind
	who   string
}

// The cast of a small plan, and the crew of a large one.
var (
	cast = []part{
		{"lead", authority.Provider, "park"},
		{"deployer", authority.Provider, "kim"},
		{"manager", authority.Provider, "yoon"},
		{"customer", authority.Customer, "carol"},
	}
	crew = append(slices.Clone(cast), part{"tester", authority.Provider, "lee"}, part{"operator", authority.Customer, "dave"},
		part{"integrator", authority.Partner, "jung"})
)

// capacity is in which roles somebody acts.
func capacity(who timeline.Actor) planrun.Capacity {
	c := planrun.Capacity{Revision: "r1"}
	for _, x := range crew {
		if x.who == who.ID {
			c.Roles = append(c.Roles, x.role)
		}
	}
	return c
}

func done(role string) raci.Assignment { return raci.Assignment{Accountable: role} }

func voting(count int) *approval.Rule {
	return &approval.Rule{
		Voters: []approval.Voter{{Party: authority.Provider, Role: "manager"}, {Party: authority.Customer, Role: "customer"}},
		Need:   approval.Need{Count: count}, Exclude: approval.Exclusion{Requester: true, Implementers: true},
	}
}

func roles(parts []part) (all []plan.Role) {
	for _, x := range parts {
		all = append(all, plan.Role{ID: x.role, Party: x.party, Name: text(x.role)})
	}
	return all
}

// planned is a plan of some tasks, in an environment to rehearse in and another one.
func planned(tasks ...plan.Task) plan.Definition {
	d := plan.Definition{
		ID: "small", Kind: plan.Upgrade, Name: text("Small upgrade"), Lead: "lead", RePlan: *voting(1),
		Environments: []plan.Environment{{ID: "staging", Name: text("Staging")}, {ID: "production", Name: text("Production"), Production: true}},
		Phases:       []plan.Phase{{ID: "all", Name: text("All"), Tasks: tasks}},
		Parameters:   []plan.Parameter{{ID: "day", Type: plan.DateType, Description: text("day")}, {ID: "hosts", Type: plan.ListType, Description: text("hosts")}},
	}
	d.Roles = roles(cast)
	for n := range tasks {
		tasks[n].Name, tasks[n].SHA256 = text(tasks[n].ID), hash(tasks[n].ID)
	}
	return d
}

// upgrade has a rehearsal, a vote, a change to production, a bake and a report.
func upgrade() plan.Definition {
	return planned(
		plan.Task{
			ID: "rehearse", Kind: plan.Manual, Assignment: done("deployer"), Environment: "staging", Changes: true,
			Evidence: []plan.Evidence{{ID: "log", What: text("log of the rehearsal"), CheckedBy: "manager"}},
			Due:      &plan.Due{Within: 48 * time.Hour}, Remind: []time.Duration{24 * time.Hour},
			Escalate: &plan.Escalate{After: 4 * time.Hour, To: []string{"customer"}},
		},
		plan.Task{
			ID: "announce", Kind: plan.Notify, Assignment: done("lead"), Needs: []string{"rehearse"}, Tell: []string{"customer"},
			Message: text("we begin soon"),
		},
		plan.Task{
			ID: "approve", Kind: plan.Approval, Needs: []string{"rehearse"}, Vote: voting(2), Shows: []string{"rehearse"},
			Assignment: raci.Assignment{Accountable: "manager", Responsible: []string{"manager", "customer"}},
			Due:        &plan.Due{Within: 48 * time.Hour, After: "approve"},
		},
		plan.Task{
			ID: "deploy", Kind: plan.Runbook, Needs: []string{"announce", "approve"}, Runs: "deploy",
			Assignment:  raci.Assignment{Accountable: "lead", Responsible: []string{"deployer"}, Consulted: []string{"customer"}},
			Environment: "production", Changes: true, Overrun: plan.RollBack, ByHand: true,
			Rollback: &plan.Rollback{Component: "shop", Runs: "undo", Within: 30 * time.Minute, Rehearsed: "rehearse"},
		},
		plan.Task{
			ID: "bake", Kind: plan.Wait, Needs: []string{"deploy"}, Assignment: done("deployer"), Environment: "production",
			For: 10 * time.Minute, Check: &plan.Check{
				HTTP: "https://shop", Timeout: time.Second, Every: time.Minute, Failures: 2, Inconclusive: 3, OnFail: plan.RollBackAll,
				OnUnclear: plan.AskPerson,
			},
		},
		plan.Task{
			ID: "report", Kind: plan.Report, Needs: []string{"bake"}, Assignment: done("lead"), Writes: plan.CompletionReport,
			Skip: &plan.Skip{Approver: "customer", Longest: 7 * 24 * time.Hour},
		},
	)
}

// task is one of the plan's.
func task(d *plan.Definition, id string) *plan.Task {
	tasks := d.Phases[0].Tasks
	return &tasks[slices.IndexFunc(tasks, func(t plan.Task) bool { return t.ID == id })]
}

// book is a runbook whose steps run by themselves or wait for a person.
func book(id string, automatic ...bool) planrun.Book {
	b := runbook.Runbook{ID: id, Updated: 20_000}
	for n, auto := range automatic {
		s := runbook.Step{Number: n + 1, Text: fmt.Sprintf("step %d", n+1)}
		if auto {
			s.Automatic = &runbook.Automatic{Runner: runbook.ByCommand, Command: []string{id, fmt.Sprint(n + 1)}, Timeout: time.Minute}
		}
		b.Steps = append(b.Steps, s)
	}
	return planrun.Book{ID: id, SHA256: hash(id), Runbook: b}
}

// planTerms are those under which park starts a plan for Acme.
func planTerms(d plan.Definition) planrun.Terms {
	t := planrun.Terms{
		ID: planrun.NewID(7), Request: "1", Starter: park, Customer: "acme", CustomerName: "Acme",
		Pinned: planrun.Pinned{
			Plan: d, SHA256: hash("plan"), ParametersID: hash("parameters"), Revision: "r1", Organisation: "Hanbit", Zone: "Asia/Seoul",
			Parameters: []planrun.Value{{ID: "day", Value: "2026-11-20", At: start.Add(-72 * time.Hour)}, {ID: "hosts", List: []string{"a", "b", "c", "d"}}},
			Books:      []planrun.Book{book("deploy", true, false), book("undo", true)},
		},
	}
	for _, e := range d.Environments {
		t.Environments = append(t.Environments, planrun.Bound{ID: e.ID, Environment: e.ID, Name: e.Name.En, Production: e.Production})
	}
	for _, x := range crew[:len(d.Roles)] {
		t.Roles = append(t.Roles, planrun.Filled{Role: x.role, Targets: []escalation.Target{{Kind: escalation.Person, ID: x.who}}})
	}
	return t
}

// windows lets production be changed on some days from 9 to 11.
func windows(t planrun.Terms, days ...calendar.Weekday) planrun.Terms {
	t.Environments[1].Rules = daily(9, 11, days...)
	return t
}

// daily has windows from one hour to another, in UTC, on some days or all.
func daily(from, to int, days ...calendar.Weekday) freeze.Rules {
	if len(days) == 0 {
		days = calendar.Weekdays()
	}
	hours := freeze.Pattern{Days: days, Hours: calendar.Hours{From: calendar.TimeOfDay(from * 60), To: calendar.TimeOfDay(to * 60)}}
	return freeze.Rules{Windows: []freeze.Window{{ID: "daily", Name: "daily", When: freeze.When{Zone: "UTC", Patterns: []freeze.Pattern{hours}}}}}
}

// away lets no worker take the first step for some time after it was to begin.
func (r *rehearsal) away(d time.Duration) {
	var back atomic.Bool // taken back
	r.env.SetOnActivityCanceledListener(func(info *activity.Info) { back.Store(back.Load() || info.ActivityType.Name == "RunStep") })
	take := func(ctx context.Context, in activities.RunStepInput) (runbook.Result, error) {
		return runbook.Result{State: r.runner.Run(ctx, in.Automatic).State}, nil
	}
	r.env.OnActivity("RunStep", anything, anything).Return(func(ctx context.Context, in activities.RunStepInput) (runbook.Result, error) {
		if back.Load() {
			return runbook.Result{}, nil
		}
		return take(ctx, in)
	}).Once().After(d)
	r.env.OnActivity("RunStep", anything, anything).Return(take)
}

// command asks something of a run when so much time has passed.
func command[C planrun.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { requests(r, a, update, by, c) })
	return a
}

// requests asks it now.
func requests[C planrun.Command](r *rehearsal, a *answer, update string, by timeline.Actor, c C) {
	r.asked++
	tell(r, a, fmt.Sprintf("%s-%d", update, r.asked), update, by, c)
}

// does asks what has to succeed.
func does[C planrun.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) {
	a := command(r, after, update, by, c)
	r.at(after+time.Millisecond, func() {
		if err := errors.Join(a.rejected, a.failed); err != nil || !a.done {
			r.Errorf("after %s: %s by %s: %v", after, update, by.ID, err)
		}
	})
}

// votes votes on what is shown at that time.
func (r *rehearsal) votes(after time.Duration, task string, by timeline.Actor, c approval.Choice) *answer {
	a := &answer{}
	r.at(after, func() { requests(r, a, workflows.VoteUpdate, by, r.vote(task, by, c)) })
	return a
}

// vote is one on what is shown now.
func (r *rehearsal) vote(task string, by timeline.Actor, c approval.Choice) planrun.Vote {
	v := planrun.Vote{Capacity: capacity(by), ID: fmt.Sprint(by.ID, r.asked), Task: task, Choice: c, Reason: "because", Shown: hash("nothing")}
	if t, _, _ := r.plan().Task(task); t.Ballot != nil {
		v.Shown = t.Ballot.Shown.SHA256
	}
	return v
}

// plan reads the state of the run.
func (r *rehearsal) plan() *planrun.Run {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatalf("query: %v", err)
	}
	var run planrun.Run
	if err := v.Get(&run); err != nil {
		r.Fatalf("query: %v", err)
	}
	return &run
}

// stands wants the tasks to stand somewhere when so much time has passed.
func (r *rehearsal) stands(after time.Duration, want string) {
	r.at(after, func() {
		if got := standing(r.plan()); got != want {
			r.Errorf("after %s the tasks stand\n%s\nwant\n%s", after, got, want)
		}
	})
}

func standing(run *planrun.Run) string {
	var got []string
	for _, t := range run.Tasks {
		got = append(got, t.ID+" "+string(t.Status))
	}
	return strings.Join(got, ", ")
}

// execute runs a plan to its end and returns its state.
func (r *rehearsal) execute(terms planrun.Terms) *planrun.Run {
	r.Helper()
	r.under(workflows.PlanRunWorkflowIDOf(&terms))
	name := workflows.PlanRunWorkflow(terms.Plan.Kind)
	r.env.ExecuteWorkflow(name, sealed(r, name, "", terms.Starter, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	run := r.plan()
	for n, e := range run.Timeline.Entries {
		if e.Seq != n+1 {
			r.Errorf("timeline entry %d has number %d", n, e.Seq)
		}
	}
	return run
}

// told lists what was delivered: "ready deploy → kim".
func (r *rehearsal) told() (all []string) {
	for _, e := range r.sender.Delivered() {
		all = append(all, strings.TrimSpace(e.Message.Subject+" "+e.Message.Text)+" → "+e.Recipient.ID)
	}
	return all
}

// wasTold wants something to have been delivered when so much time has passed, and so often.
func (r *rehearsal) wasTold(after time.Duration, times int, lines ...string) {
	r.at(after, func() {
		for _, line := range lines {
			if n := len(slices.DeleteFunc(r.told(), func(s string) bool { return s != line })); n != times {
				r.Errorf("after %s %q was told %d times, want %d; told:\n%s", after, line, n, times, strings.Join(r.told(), "\n"))
			}
		}
	})
}

func shownLog() []planrun.Given {
	return []planrun.Given{{Item: "log", Ref: "https://files/log", SHA256: hash("log")}}
}

// rehearses lets the rehearsal be done in the first three minutes.
func (r *rehearsal) rehearses() {
	does(r, time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "rehearse"})
	does(r, 2*time.Minute, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: capacity(kim), Task: "rehearse", Evidence: shownLog()})
	does(r, 3*time.Minute, workflows.CheckEvidenceUpdate, yoon, planrun.CheckEvidence{Capacity: capacity(yoon), Task: "rehearse", OK: true})
}

// approves lets the change be rehearsed and approved in the first five minutes.
func (r *rehearsal) approves() {
	r.rehearses()
	r.votes(4*time.Minute, "approve", yoon, approval.Approve)
	r.votes(5*time.Minute, "approve", carol, approval.Approve)
}

// deploys lets it be deployed too, with the bake from the eighth minute on.
func (r *rehearsal) deploys() {
	r.approves()
	does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
	does(r, 8*time.Minute, workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: capacity(kim), Task: "deploy", Step: 2})
}

// cancels ends the run.
func (r *rehearsal) cancels(after time.Duration) {
	does(r, after, workflows.CancelUpdate, park, planrun.Cancel{Capacity: capacity(park), Reason: "not this year"})
}

func TestAPlanFromStartToEnd(t *testing.T) {
	r := rehearse(t)
	r.deploys()
	given := planTerms(upgrade())
	run := r.execute(given)
	want := []string{
		"started → park", "started → kim", "started → yoon", "started → carol",
		"ready rehearse → kim", "check rehearse → yoon", "said announce → carol", "vote approve → yoon", "vote approve → carol",
		"vote-decided approve → yoon", "vote-decided approve → park", "advice deploy → carol", "ready deploy → kim",
		"step-wanted deploy → kim",
		"completed → park", "completed → kim", "completed → yoon", "completed → carol",
	}
	got := r.told()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
	if run.Status != planrun.Completed || !run.Ended.Equal(start.Add(18*time.Minute)) || r.runner.has() != "deploy 1" {
		t.Errorf("it is %s at %s, and has run %q", run.Status, run.Ended, r.runner.has())
	}
	if bake, _, _ := run.Task("bake"); bake.Measures.Passed != 10 {
		t.Errorf("%d measurements, want one each minute", bake.Measures.Passed)
	}
	if report, _, _ := run.Task("report"); len(report.Evidence) != 1 || report.Evidence[0].Ref != "completion-report.md" {
		t.Errorf("the report is shown as %+v", report.Evidence)
	}
	// What was signed as JSON is what runs.
	if d := cmp.Diff(given, run.Terms); d != "" {
		t.Errorf("the terms (-given +kept):\n%s", d)
	}
}

func TestEveryDeadlineOfATask(t *testing.T) {
	r := rehearse(t)
	day := 24 * time.Hour
	r.wasTold(day-time.Second, 0, "due rehearse → kim")
	r.wasTold(day+time.Second, 1, "due rehearse → kim")
	r.wasTold(2*day-time.Second, 0, "overdue rehearse → kim")
	r.wasTold(2*day+time.Second, 1, "overdue rehearse → kim", "overdue rehearse → park")
	r.wasTold(2*day+4*time.Hour-time.Second, 0, "escalated rehearse → carol")
	r.wasTold(30*day, 1, "due rehearse → kim", "overdue rehearse → kim", "escalated rehearse → carol")
	r.cancels(30*day + time.Hour)
	run := r.execute(planTerms(upgrade()))
	for _, k := range []timeline.Kind{timeline.TaskOverdue, timeline.TaskEscalated} {
		if n := count(run.Timeline, k); n != 1 {
			t.Errorf("%s stands %d times in the timeline, want once", k, n)
		}
	}
}

// What was due before the run began, or while no worker was there, counts as missed, and is told once.
func TestADeadlineThatIsPastIsMissed(t *testing.T) {
	r := rehearse(t)
	d := upgrade()
	task(&d, "rehearse").Due = &plan.Due{Days: 1, Date: "day"}
	r.wasTold(time.Second, 0, "due rehearse → kim")
	r.wasTold(time.Second, 1, "overdue rehearse → kim", "overdue rehearse → park", "escalated rehearse → carol", "ready rehearse → kim")
	r.cancels(time.Hour)
	r.execute(planTerms(d))
}

func TestAVoteExpiresAndASecondTryIsANewVote(t *testing.T) {
	r := rehearse(t)
	r.rehearses()
	expires := 3*time.Minute + 48*time.Hour
	r.votes(time.Hour, "approve", yoon, approval.Approve)
	r.stands(expires-time.Second, "rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	r.stands(expires+time.Second, "rehearse done, announce done, approve failed, deploy waiting, bake waiting, report waiting")
	late := r.votes(expires+time.Minute, "approve", carol, approval.Approve)
	r.wasTold(expires+time.Second, 1, "vote-decided approve → yoon", "vote-decided approve → park", "overdue approve → yoon", "overdue approve → carol")
	does(r, expires+time.Hour, workflows.RetryUpdate, park, planrun.Retry{Capacity: capacity(park), Task: "approve", Reason: "Carol was ill"})
	r.votes(expires+2*time.Hour, "approve", yoon, approval.Approve)
	r.votes(expires+3*time.Hour, "approve", carol, approval.Approve)
	r.stands(expires+4*time.Hour, "rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	r.cancels(expires + 5*time.Hour)
	run := r.execute(planTerms(upgrade()))
	if late.failed == nil || !strings.Contains(late.failed.Error(), "expired at 2026-11-25T09:03:00Z") {
		t.Errorf("the late vote got %+v", late)
	}
	lates := 0
	for _, e := range run.Timeline.Entries {
		if e.Kind == timeline.VoteCast && e.Fact("late") == "yes" {
			lates++
		}
	}
	if lates != 1 {
		t.Errorf("%d late votes stand in the timeline, want one", lates)
	}
}

func TestAWaiverExpires(t *testing.T) {
	r := rehearse(t)
	d := planned(
		plan.Task{ID: "a", Kind: plan.Manual, Assignment: done("lead"), Skip: &plan.Skip{Approver: "customer"}},
		plan.Task{ID: "b", Kind: plan.Manual, Assignment: done("deployer"), Needs: []string{"a"}},
	)
	day := 24 * time.Hour
	does(r, time.Hour, workflows.SkipUpdate, park, planrun.Skip{Capacity: capacity(park), Task: "a", Reason: "later", Control: "notes", Until: start.Add(7 * day)})
	does(r, 2*time.Hour, workflows.WaiveUpdate, carol, planrun.Waive{Capacity: capacity(carol), Task: "a", Grant: true})
	r.wasTold(day, 1, "waiver a → carol", "waiver-decided a → park", "ready b → kim")
	r.stands(7*day-time.Second, "a skipped, b ready")
	r.stands(7*day+time.Second, "a ready, b waiting")
	r.wasTold(8*day, 1, "waiver-expired a → park")
	does(r, 9*day, workflows.CompleteUpdate, park, planrun.Complete{Capacity: capacity(park), Task: "a"})
	does(r, 10*day, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: capacity(kim), Task: "b"})
	if run := r.execute(planTerms(d)); run.Status != planrun.Completed {
		t.Errorf("it is %s", run.Status)
	}
}

// The window of production is from 9 to 11 on Mondays and Tuesdays.
func TestAWindowThatEndsWhileSomethingIsUnderWay(t *testing.T) {
	ends, next := 2*time.Hour, 24*time.Hour
	for policy, want := range map[plan.Overrun]struct {
		atEnd, after string
		ran          string
	}{
		plan.Finish:   {"deploy begun", "deploy done", "deploy 1, deploy 3"},
		plan.Hold:     {"deploy begun", "deploy done", "deploy 1, deploy 3"},
		plan.RollBack: {"deploy rolled-back", "deploy rolled-back", "deploy 1, undo 1"},
	} {
		t.Run(string(policy), func(t *testing.T) {
			r := rehearse(t)
			d := upgrade()
			task(&d, "deploy").Overrun = policy
			terms := windows(planTerms(d), calendar.Monday, calendar.Tuesday)
			terms.Books[0] = book("deploy", true, false, true)
			r.approves()
			does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
			r.wasTold(ends-30*time.Minute-time.Second, 0, "window-ending deploy → kim")
			r.wasTold(ends-30*time.Minute+time.Second, 1, "window-ending deploy → kim", "window-ending deploy → park")
			r.wasTold(ends-time.Second, 0, "window-ended deploy → kim")
			r.wasTold(ends+time.Second, 1, "window-ended deploy → kim", "window-ended deploy → park")
			r.at(ends+time.Second, func() {
				if got := standing(r.plan()); !strings.Contains(got, want.atEnd) {
					t.Errorf("at the end of the window: %s, want %s", got, want.atEnd)
				}
			})
			if policy != plan.RollBack {
				does(r, 3*time.Hour, workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: capacity(kim), Task: "deploy", Step: 2})
				r.at(4*time.Hour, func() {
					if held := r.runner.has() == "deploy 1"; held != (policy == plan.Hold) {
						t.Errorf("outside the window it has run %q", r.runner.has())
					}
				})
			}
			r.at(next+time.Minute, func() {
				if got := standing(r.plan()); !strings.Contains(got, want.after) {
					t.Errorf("in the next window: %s, want %s", got, want.after)
				}
			})
			r.cancels(next + time.Hour)
			run := r.execute(terms)
			if r.runner.has() != want.ran || count(run.Timeline, timeline.WindowOverrun) != 1 {
				t.Errorf("it has run %q, want %q; the overrun stands %d times", r.runner.has(), want.ran, count(run.Timeline, timeline.WindowOverrun))
			}
		})
	}
}

func TestARollbackIsLate(t *testing.T) {
	r := rehearse(t)
	terms := planTerms(upgrade())
	terms.Books[1] = book("undo", false)
	r.deploys()
	does(r, 10*time.Minute, workflows.RollBackUpdate, park, planrun.RollBack{Capacity: capacity(park), Environment: "production", Reason: "complaints"})
	r.wasTold(11*time.Minute, 1, "rollback → carol", "failed bake → kim")
	r.wasTold(40*time.Minute-time.Second, 0, "rollback-late deploy → kim")
	r.wasTold(40*time.Minute+time.Second, 1, "rollback-late deploy → kim", "rollback-late deploy → park")
	does(r, time.Hour, workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: capacity(kim), Task: "deploy", Step: 1})
	r.wasTold(2*time.Hour, 1, "rollback-done → carol", "rollback-late deploy → kim")
	r.stands(2*time.Hour, "rehearse done, announce done, approve done, deploy rolled-back, bake failed, report waiting")
	// A second try is a new decision.
	does(r, 3*time.Hour, workflows.ContinueUpdate, park, planrun.Continue{Capacity: capacity(park), Reason: "mended"})
	r.votes(4*time.Hour, "approve", yoon, approval.Approve)
	r.votes(5*time.Hour, "approve", carol, approval.Approve)
	does(r, 6*time.Hour, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
	does(r, 7*time.Hour, workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: capacity(kim), Task: "deploy", Step: 2})
	if run := r.execute(terms); run.Status != planrun.Completed || r.runner.has() != "deploy 1, deploy 1" {
		t.Errorf("it is %s and has run %q", run.Status, r.runner.has())
	}
}

func TestAnOverrideEnds(t *testing.T) {
	r := rehearse(t)
	r.approves()
	until := start.Add(3 * time.Hour)
	r.stands(time.Hour-time.Second, "rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
	ask := planrun.AskOverride{Capacity: capacity(park), Environment: "production", Reason: "urgent", Until: until}
	does(r, time.Hour, workflows.AskOverrideUpdate, park, ask)
	does(r, 2*time.Hour, workflows.ConfirmOverrideUpdate, yoon, planrun.ConfirmOverride{Capacity: capacity(yoon), Environment: "production", Grant: true})
	r.wasTold(2*time.Hour, 1, "override → carol", "override → yoon", "held deploy → kim", "advice deploy → carol")
	r.stands(3*time.Hour-time.Second, "rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	r.stands(3*time.Hour+time.Second, "rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
	// The next window is on Tuesday at 9.
	r.stands(24*time.Hour+time.Second, "rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	r.cancels(25 * time.Hour)
	run := r.execute(windows(planTerms(upgrade()), calendar.Tuesday))
	if n := count(run.Timeline, timeline.OverrideEnded); n != 1 {
		t.Errorf("its end stands %d times in the timeline", n)
	}
}

func TestAStepWhoseWorkerIsLostAsksAPersonAndNeverRunsAgainByItself(t *testing.T) {
	r := rehearse(t)
	r.runner.lost.Store(1)
	r.approves()
	does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
	r.wasTold(7*time.Minute, 1, "unclear deploy → kim", "unclear deploy → park")
	r.at(10*24*time.Hour, func() {
		deploy, _, _ := r.plan().Task("deploy")
		if s := deploy.Steps.Steps[0]; deploy.Status != planrun.Unclear || s.Status != runbook.StepUnknown || r.runner.has() != "deploy 1" {
			t.Errorf("after ten days it is %s with its step %s, and has run %q", deploy.Status, s.Status, r.runner.has())
		}
	})
	does(r, 11*24*time.Hour, workflows.SettleUpdate, kim, planrun.Settle{Capacity: capacity(kim), Task: "deploy", Status: planrun.Begun, Reason: "it has not happened"})
	does(r, 12*24*time.Hour, workflows.DoStepUpdate, kim, planrun.DoStep{Capacity: capacity(kim), Task: "deploy", Step: 2})
	if run := r.execute(planTerms(upgrade())); run.Status != planrun.Completed || r.runner.has() != "deploy 1, deploy 1" {
		t.Errorf("it is %s and has run %q, want once more for the person who has said so", run.Status, r.runner.has())
	}
}

func TestAMeasurementThatCannotBeMadeSaysNothing(t *testing.T) {
	r := rehearse(t)
	r.deploys()
	r.at(9*time.Minute+30*time.Second, func() { r.runner.lost.Store(3) }) // after the first one
	r.wasTold(12*time.Minute-time.Second, 0, "unclear bake → kim")
	r.wasTold(12*time.Minute+time.Second, 1, "unclear bake → kim", "unclear bake → park")
	r.at(time.Hour, func() {
		bake, _, _ := r.plan().Task("bake")
		if bake.Status != planrun.Unclear || bake.Measures.Passed != 1 || bake.Measures.Unclear != 3 || bake.Measures.LastSeen == "" {
			t.Errorf("the bake: %+v", bake)
		}
	})
	// Somebody has it measured again: its time is over, so that decides.
	does(r, 2*time.Hour, workflows.SettleUpdate, kim, planrun.Settle{Capacity: capacity(kim), Task: "bake", Status: planrun.Begun, Reason: "the probe is mended"})
	run := r.execute(planTerms(upgrade()))
	if bake, _, _ := run.Task("bake"); run.Status != planrun.Completed || bake.Measures.Passed != 2 {
		t.Errorf("it is %s after %+v", run.Status, bake.Measures)
	}
}

func TestAReportThatCannotBeWrittenAsksAPerson(t *testing.T) {
	r := rehearse(t)
	r.runner.full.Store(1_000_000)
	r.deploys()
	r.wasTold(3*time.Hour, 1, "unclear report → park")
	r.at(4*time.Hour, func() { r.runner.full.Store(0) })
	does(r, 5*time.Hour, workflows.SettleUpdate, park, planrun.Settle{Capacity: capacity(park), Task: "report", Status: planrun.Begun, Reason: "there is room"})
	run := r.execute(planTerms(upgrade()))
	if run.Status != planrun.Completed || count(run.Timeline, timeline.DocumentWritten) != 1 {
		t.Errorf("it is %s", run.Status)
	}
}

// A worker whose folder is older than what the run has seen tells people after a while, and never says who may vote.
func TestAWorkerWithAnOlderFolderSaysOfNobodyThatTheyMayVote(t *testing.T) {
	r := rehearse(t)
	r.office.folder = incident.Folder{Revision: "r2", Changed: start}
	older := incident.Folder{Revision: "r1", Changed: start.Add(-time.Hour)}
	r.at(2*time.Minute+30*time.Second, func() { r.office.change(func(o *office) { o.folder = older }) })
	r.rehearses()
	r.wasTold(3*time.Minute+20*time.Second, 0, "said announce → carol")
	r.wasTold(4*time.Minute, 1, "said announce → carol")
	r.at(2*time.Hour, func() {
		if approve, _, _ := r.plan().Task("approve"); approve.Ballot != nil || count(r.plan().Timeline, timeline.VotersUnknown) == 0 {
			t.Errorf("the vote is open: %+v", approve.Ballot)
		}
		r.office.change(func(o *office) { o.folder = incident.Folder{Revision: "r3", Changed: start.Add(2 * time.Hour)} })
	})
	r.wasTold(5*time.Hour, 1, "vote approve → yoon", "vote approve → carol")
	r.cancels(6 * time.Hour)
	r.execute(planTerms(upgrade()))
}

func TestVotersWhoLeaveAndCome(t *testing.T) {
	r := rehearse(t)
	jung := timeline.Actor{Kind: timeline.Person, ID: "jung"}
	r.rehearses()
	stays := func(who string) func() {
		return func() { r.office.change(func(o *office) { o.people = map[string]string{"carol": who} }) }
	}
	r.at(time.Hour, stays("")) // nobody is there for the customer
	r.wasTold(13*time.Hour, 1, "vote-impossible approve → yoon", "vote-impossible approve → park", "vote approve → carol")
	r.at(14*time.Hour, stays("broken"))
	r.at(26*time.Hour, func() {
		if n := count(r.plan().Timeline, timeline.VotersUnknown); n == 0 {
			t.Error("no word of it that nobody knows who may vote")
		}
	})
	r.at(27*time.Hour, stays("jung"))
	gone := r.votes(40*time.Hour, "approve", carol, approval.Approve)
	r.wasTold(40*time.Hour, 1, "vote approve → jung")
	r.votes(41*time.Hour, "approve", yoon, approval.Approve)
	r.votes(42*time.Hour, "approve", jung, approval.Approve)
	r.stands(43*time.Hour, "rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	r.cancels(44 * time.Hour)
	r.execute(planTerms(upgrade()))
	if gone.failed == nil || !strings.Contains(gone.failed.Error(), "carol: not among the voters") {
		t.Errorf("whoever has left got %+v", gone)
	}
}

func TestWhatMattersNoMoreIsTakenBack(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "kim"}, 0, inmem.Fail(0))
	r.cancels(time.Minute)
	r.at(2*time.Minute, func() { r.sender.Clear() })
	run := r.execute(planTerms(upgrade()))
	var got []string
	for _, line := range r.told() {
		if strings.HasSuffix(line, "kim") {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, []string{"cancelled → kim"}) || count(run.Timeline, timeline.Withdrawn) != 2 {
		t.Errorf("kim got %v, and %d were taken back; want the end alone, without the start and the task", got, count(run.Timeline, timeline.Withdrawn))
	}
	for _, e := range run.Timeline.Entries {
		if e.Kind == timeline.Withdrawn && e.Fact("cause") != "run-cancelled" {
			t.Errorf("taken back because of %q", e.Fact("cause"))
		}
	}
}

// A step that no worker takes is taken back with the run, the halt or the window that ends; timers pass meanwhile.
func TestAStepThatNoWorkerTakes(t *testing.T) {
	for name, tc := range map[string]struct {
		overrun plan.Overrun
		then    func(r *rehearsal)
		state   string
		ran     string
	}{
		"the run ends": {plan.Finish, func(r *rehearsal) { r.cancels(time.Hour) }, "deploy begun", ""},
		"the run is halted, and goes on": {plan.Finish, func(r *rehearsal) {
			does(r, time.Hour, workflows.HaltUpdate, carol, planrun.Halt{Capacity: capacity(carol), Reason: "busy"})
			does(r, 24*time.Hour, workflows.ContinueUpdate, park, planrun.Continue{Capacity: capacity(park), Reason: "quiet"})
			r.stands(23*time.Hour, "rehearse done, announce done, approve done, deploy begun, bake waiting, report waiting")
			r.cancels(48 * time.Hour)
		}, "deploy begun", "deploy 1"},
		"the window ends": {plan.Hold, func(r *rehearsal) {
			r.stands(23*time.Hour, "rehearse done, announce done, approve done, deploy begun, bake waiting, report waiting")
			r.at(23*time.Hour, func() {
				if ran := r.runner.has(); ran != "" {
					t.Errorf("outside the window it has run %q", ran)
				}
			})
			r.cancels(48 * time.Hour)
		}, "deploy begun", "deploy 1"},
		"the window ends, and it is rolled back": {plan.RollBack, func(r *rehearsal) {
			r.stands(2*time.Hour+time.Minute, "rehearse done, announce done, approve done, deploy rolled-back, bake waiting, report waiting")
			r.cancels(48 * time.Hour)
		}, "deploy rolled-back", "undo 1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.approves()
			does(r, 6*time.Minute, workflows.BeginUpdate, kim, planrun.Begin{Capacity: capacity(kim), Task: "deploy"})
			r.away(72 * time.Hour)
			tc.then(r)
			d := upgrade()
			task(&d, "deploy").Overrun = tc.overrun
			run := r.execute(windows(planTerms(d), calendar.Weekdays()...))
			if got := standing(run); !strings.Contains(got, tc.state) || r.runner.has() != tc.ran {
				t.Errorf("%s, and it has run %q; want %s and %q", got, r.runner.has(), tc.state, tc.ran)
			}
			withdrawn := 0
			for _, e := range run.Timeline.Entries {
				if e.Kind == timeline.StepEnded && e.Fact("state") == "withdrawn" {
					withdrawn++
				}
			}
			if withdrawn != 1 {
				t.Errorf("%d steps were taken back, want one", withdrawn)
			}
		})
	}
}

func TestADueTimeThatCannotBeComputedHoldsUpNobody(t *testing.T) {
	r := rehearse(t)
	r.timeless.Store(18) // three attempts each, six times in 25 seconds
	r.wasTold(time.Second, 1, "ready rehearse → kim")
	r.at(5*time.Minute, func() {
		if rehearse, _, _ := r.plan().Task("rehearse"); !rehearse.Due.Equal(start.Add(48 * time.Hour)) {
			t.Errorf("due %s, want 48 hours after the start", rehearse.Due)
		}
	})
	r.cancels(time.Hour)
	if run := r.execute(planTerms(upgrade())); count(run.Timeline, timeline.TaskDueUnknown) != 1 {
		t.Error("no word of it in the timeline")
	}
}

// What asks for something matters no more at the end; what has been decided still does.
func TestTheLastDecisionIsTold(t *testing.T) {
	r := rehearse(t)
	d := planned(plan.Task{ID: "go", Kind: plan.Decision, Vote: deciding(), Assignment: raci.Assignment{Accountable: "manager", Informed: []string{"deployer"}}})
	r.votes(time.Minute, "go", yoon, approval.Ready)
	r.votes(2*time.Minute, "go", carol, approval.ReadyWithRisk)
	run := r.execute(planTerms(d))
	for _, line := range []string{"vote-decided go → kim", "vote-decided go → park", "completed → kim"} {
		if !slices.Contains(r.told(), line) {
			t.Errorf("%q was not told; told %v", line, r.told())
		}
	}
	if n := count(run.Timeline, timeline.Withdrawn); n != 0 {
		t.Errorf("%d messages were taken back", n)
	}
}

func TestACancelFromOutsideDoesNotEndAPlan(t *testing.T) {
	r := rehearse(t)
	r.at(90*time.Second, r.env.CancelWorkflow)
	r.deploys()
	run := r.execute(planTerms(upgrade()))
	if run.Status != planrun.Completed || count(run.Timeline, timeline.CancelRefused) != 1 {
		t.Errorf("it is %s, and the cancel stands %d times in the timeline", run.Status, count(run.Timeline, timeline.CancelRefused))
	}
}

func TestTheStateIsWholeAsJSON(t *testing.T) {
	r := rehearse(t)
	r.deploys()
	run := r.execute(planTerms(upgrade()))
	content, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	var restored planrun.Run
	if err := json.Unmarshal(content, &restored); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(run, &restored, cmp.AllowUnexported(planrun.Run{})); d != "" {
		t.Error(d)
	}
}

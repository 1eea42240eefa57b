package planrun_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

var start = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // a Monday, 09:00 in Seoul

func person(id string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: strings.ToUpper(id[:1]) + id[1:]}
}

// The people of the tests, and the roles that they fill.
var (
	lena  = person("lena")  // leads
	dora  = person("dora")  // deploys
	mark  = person("mark")  // manages changes
	carol = person("carol") // the customer
	dave  = person("dave")  // deploys as well
)

func cast() map[string][]string {
	return map[string][]string{
		"lena": {"lead"}, "dora": {"deployer"}, "dave": {"deployer"}, "mark": {"change-manager"}, "carol": {"customer"},
	}
}

func as(a timeline.Actor) planrun.Capacity {
	return planrun.Capacity{Roles: cast()[a.ID], Revision: "r1"}
}

func text(s string) plan.Text { return plan.Text{En: s, Ko: s} }

func by(role string, more ...string) raci.Assignment {
	return raci.Assignment{Accountable: role, Responsible: append([]string{role}, more...)}
}

func vote(count int) *approval.Rule {
	return &approval.Rule{
		Voters: []approval.Voter{{Party: authority.Provider, Role: "change-manager"}, {Party: authority.Customer, Role: "customer"}},
		Need:   approval.Need{Count: count}, Exclude: approval.Exclusion{Requester: true, Implementers: true},
	}
}

// upgrade is a small plan with everything that matters: a rehearsal, a vote, a change to production, a bake and a report.
func upgrade() plan.Definition {
	d := plan.Definition{
		ID: "small", Kind: plan.Upgrade, Name: text("Small upgrade"), Lead: "lead", RePlan: *vote(1),
		Roles: []plan.Role{
			{ID: "lead", Party: authority.Provider, Name: text("Release manager")},
			{ID: "deployer", Party: authority.Provider, Name: text("Deployer")},
			{ID: "change-manager", Party: authority.Provider, Name: text("Change manager")},
			{ID: "customer", Party: authority.Customer, Name: text("Owner")},
		},
		Environments: []plan.Environment{{ID: "staging", Name: text("Staging")}, {ID: "production", Name: text("Production"), Production: true}},
		Phases: []plan.Phase{
			{ID: "prepare", Name: text("Prepare"), Tasks: []plan.Task{
				{
					ID: "rehearse", Kind: plan.Manual, Name: text("Rehearse"), Assignment: by("deployer"), Environment: "staging", Changes: true,
					Evidence: []plan.Evidence{{ID: "log", What: text("log of the rehearsal"), CheckedBy: "change-manager", Fresh: 30 * 24 * time.Hour}},
					Due:      &plan.Due{Days: 2}, Remind: []time.Duration{24 * time.Hour},
					Escalate: &plan.Escalate{After: 4 * time.Hour, To: []string{"customer"}},
				},
				{
					ID: "announce", Kind: plan.Notify, Name: text("Announce"), Assignment: by("lead"), Needs: []string{"rehearse"},
					Tell: []string{"customer"}, Message: text("we begin soon"),
				},
				{
					ID: "approve", Kind: plan.Approval, Name: text("Approve"), Needs: []string{"rehearse"}, Vote: vote(2), Shows: []string{"rehearse"},
					Assignment: raci.Assignment{Accountable: "change-manager", Responsible: []string{"change-manager", "customer"}},
					Due:        &plan.Due{Within: 48 * time.Hour, After: "approve"},
				},
			}},
			{ID: "launch", Name: text("Launch"), Tasks: []plan.Task{
				{
					ID: "deploy", Kind: plan.Runbook, Name: text("Deploy"), Needs: []string{"announce", "approve"}, Runs: "deploy",
					Assignment:  raci.Assignment{Accountable: "lead", Responsible: []string{"deployer"}, Consulted: []string{"customer"}},
					Environment: "production", Changes: true, Overrun: plan.RollBack, ByHand: true,
					Rollback: &plan.Rollback{Component: "shop", Runs: "undo", Within: 30 * time.Minute, Rehearsed: "rehearse"},
				},
				{
					ID: "bake", Kind: plan.Wait, Name: text("Bake"), Needs: []string{"deploy"}, Assignment: by("deployer"), Environment: "production",
					For: 10 * time.Minute, Check: &plan.Check{
						HTTP: "https://shop", Timeout: time.Second, Every: time.Minute, Failures: 2, Inconclusive: 3, OnFail: plan.RollBackAll,
						OnUnclear: plan.AskPerson,
					},
				},
				{
					ID: "report", Kind: plan.Report, Name: text("Report"), Needs: []string{"bake"}, Assignment: by("lead"), Writes: plan.CompletionReport,
					Skip: &plan.Skip{Approver: "customer", Longest: 7 * 24 * time.Hour},
				},
			}},
		},
	}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			d.Phases[p].Tasks[n].SHA256 = hash(d.Phases[p].Tasks[n].ID)
		}
	}
	return d
}

func hash(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

func terms(d plan.Definition) planrun.Terms {
	t := planrun.Terms{
		ID: planrun.NewID(7), Request: "1", Starter: lena, Customer: "acme", CustomerName: "Acme",
		Pinned: planrun.Pinned{
			Plan: d, SHA256: hash("plan"), ParametersID: hash("parameters"), Revision: "r1", Organisation: "Hanbit", Zone: "Asia/Seoul",
			Parameters: []planrun.Value{{ID: "hosts", List: []string{"a", "b", "c", "d"}}},
			Books: []planrun.Book{
				{ID: "deploy", SHA256: hash("deploy"), Runbook: book("deploy", true, false)},
				{ID: "undo", SHA256: hash("undo"), Runbook: book("undo", true)},
			},
		},
	}
	for _, e := range d.Environments {
		t.Environments = append(t.Environments, planrun.Bound{ID: e.ID, Environment: e.ID, Name: e.Name.En, Production: e.Production, Alerts: true})
	}
	yearEnd := freeze.Freeze{ID: "year-end", Name: "year end", Reason: "busy"}
	yearEnd.Zone = "Asia/Seoul"
	yearEnd.Yearly = []freeze.Yearly{{From: 1115, To: 1231}}
	t.Environments[len(t.Environments)-1].Rules.Freezes = []freeze.Freeze{yearEnd}
	for _, r := range d.Roles {
		t.Roles = append(t.Roles, planrun.Filled{Role: r.ID, Targets: []escalation.Target{{Kind: escalation.Person, ID: r.ID}}})
	}
	return t
}

// book is a runbook whose steps run by themselves or wait for a person.
func book(id string, automatic ...bool) runbook.Runbook {
	b := runbook.Runbook{ID: id, Updated: 20_000}
	for n, auto := range automatic {
		s := runbook.Step{Number: n + 1, Text: fmt.Sprintf("step %d", n+1)}
		if auto {
			s.Automatic = &runbook.Automatic{Runner: "command", Command: []string{"/bin/" + id}, Timeout: time.Minute}
		}
		b.Steps = append(b.Steps, s)
	}
	return b
}

// elector may vote: carol and cora for the customer, everybody else as a change manager.
func elector(id string) approval.Elector {
	if strings.HasPrefix(id, "c") {
		return approval.Elector{Person: id, Name: person(id).Name, Party: authority.Customer, Roles: []string{"customer"}}
	}
	return approval.Elector{Person: id, Name: person(id).Name, Party: authority.Provider, Roles: []string{"change-manager"}}
}

// A world does what a run asks for.
type world struct {
	t   *testing.T
	run *planrun.Run
	now time.Time

	told     []string               // "about task → roles"
	tellings []planrun.Telling      // the same, whole
	closed   map[string]time.Time   // environments that may not be changed until then
	closes   map[string]time.Time   // open ones, until then
	measured func() planrun.Verdict // what checks show
	result   func(planrun.Work) runbook.State
	silent   func(planrun.Work) bool // its outcome never comes
	voters   []approval.Elector      // mark and carol where empty
	unknown  string                  // why nobody can say who may vote, and when something is due
	holder   string                  // who has every lock instead
	silences map[string]int          // work that holds alerts back, by environment
}

func begun(t *testing.T, d plan.Definition) *world {
	t.Helper()
	r, err := planrun.Start(terms(d), start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, run: r, now: start, closed: map[string]time.Time{}, closes: map[string]time.Time{}}
	w.settle()
	return w
}

// settle lets everything that is due now happen.
func (w *world) settle() {
	w.t.Helper()
	for n := 0; ; n++ {
		works := w.run.Advance(w.now)
		if len(works) == 0 {
			break
		}
		if n == 200 {
			w.t.Fatalf("still beginning work at %s: %+v", w.now, works)
		}
		for _, x := range works {
			if w.silent == nil || !w.silent(x) {
				w.answer(x)
			}
		}
	}
	if due := w.run.NextDue(); !due.IsZero() && !due.After(w.now) {
		w.t.Fatalf("due at %s, but it is %s and nothing was begun", due, w.now)
	}
}

func (w *world) answer(x planrun.Work) {
	switch x.Do {
	case planrun.Tell:
		w.tellings = append(w.tellings, x.Telling)
		to := strings.Join(x.Telling.Roles, " ")
		if x.Telling.Person != "" {
			to = x.Telling.Person
		}
		w.told = append(w.told, strings.TrimSpace(string(x.Telling.About)+" "+x.Task)+" → "+to)
	case planrun.ComputeDue: // every day is a working day here
		if w.unknown != "" {
			w.run.DueComputed(x.Task, time.Time{}, w.unknown, w.now)
			return
		}
		length := x.Due.Within + time.Duration(x.Due.Days)*24*time.Hour
		if x.Due.Before {
			length = -length
		}
		w.run.DueComputed(x.Task, x.Due.From.Add(length), "", w.now)
	case planrun.LookWindow:
		w.run.Looked(x.Number, w.look(x.Window), "", w.now)
	case planrun.TakeLock:
		w.run.LockTaken(x.Number, w.holder == "", w.holder, "", w.now)
	case planrun.HoldAlerts:
		if w.silences == nil {
			w.silences = map[string]int{}
		}
		w.silences[x.Environment] = x.Number
	case planrun.LetAlerts:
		w.let(x.Environment)
	case planrun.FindVoters:
		people := w.voters
		if people == nil {
			people = []approval.Elector{elector("mark"), elector("carol")}
		}
		if x.Task == "" {
			w.run.ElectedChange(people, w.unknown, w.now)
			return
		}
		w.run.Elected(x.Task, people, w.unknown, w.now)
	case planrun.MeasureOnce:
		v := planrun.Pass
		if w.measured != nil {
			v = w.measured()
		}
		w.run.Measured(x.Number, x.Task, v, "status 200", w.now)
	case planrun.RunStep:
		s := runbook.Passed
		if w.result != nil {
			s = w.result(x)
		}
		w.run.Ran(x.Number, x.Task, runbook.Result{State: s}, w.now)
	case planrun.WriteReport:
		w.run.Written(x.Number, x.Task, []planrun.Document{{Name: "completion.md", SHA256: hash("report")}}, "", w.now)
	}
}

// let ends a silence, with what it has held back.
func (w *world) let(environment string, held ...planrun.HeldAlert) {
	w.run.Silenced(w.silences[environment], planrun.HeldAlerts{Alerts: held}, "", w.now)
	delete(w.silences, environment)
}

func (w *world) look(in planrun.WindowOf) planrun.Look {
	l := planrun.Look{Environment: in.Environment, At: in.At, Open: true, Until: w.closes[in.Environment]}
	until := w.closed[in.Environment]
	if !until.After(in.At) && (l.Until.IsZero() || in.At.Before(l.Until)) {
		return l
	}
	for _, o := range in.Overrides {
		if !in.At.Before(o.From) && in.At.Before(o.Until) {
			l.Until = o.Until
			return l
		}
	}
	l.Open, l.Until, l.Next = false, until, until
	l.Why = []freeze.Reason{{Kind: freeze.Frozen, Name: "year end"}}
	return l
}

// until lets the time run to an instant, stopping at every deadline on the way.
func (w *world) until(at time.Time) {
	w.t.Helper()
	for n := 0; ; n++ {
		due := w.run.NextDue()
		if due.IsZero() || due.After(at) {
			break
		}
		if n == 10_000 {
			w.t.Fatalf("still due at %s", due)
		}
		w.now = due
		w.settle()
	}
	w.now = at
	w.settle()
}

func (w *world) after(d time.Duration) { w.t.Helper(); w.until(w.now.Add(d)) }

// try asks something of the run, as the workflow does: Apply is asked only what Check allows.
func (w *world) try(c planrun.Command, who timeline.Actor) error {
	w.t.Helper()
	err := c.Check(w.run, who)
	if err == nil {
		err = c.Apply(w.run, who, w.now)
	}
	w.settle()
	return err
}

func (w *world) do(c planrun.Command, who timeline.Actor) {
	w.t.Helper()
	if err := w.try(c, who); err != nil {
		w.t.Fatalf("%T: %v", c, err)
	}
}

func (w *world) refused(c planrun.Command, who timeline.Actor, want string) {
	w.t.Helper()
	if err := w.try(c, who); err == nil || !strings.Contains(err.Error(), want) {
		w.t.Errorf("%T by %s: got %v; want a refusal with %q", c, who.ID, err, want)
	}
}

func (w *world) stands(want string) {
	w.t.Helper()
	var got []string
	for _, t := range w.run.Tasks {
		got = append(got, t.ID+" "+string(t.Status))
	}
	if s := strings.Join(got, ", "); s != want {
		w.t.Errorf("at %s the tasks stand\n%s\nwant\n%s", w.now.Format(time.DateTime), s, want)
	}
}

func (w *world) heard(want ...string) {
	w.t.Helper()
	for _, line := range want {
		if !slices.Contains(w.told, line) {
			w.t.Errorf("nobody was told %q; told:\n%s", line, strings.Join(w.told, "\n"))
		}
	}
	w.told = nil
}

func (w *world) has(k timeline.Kind) (n int) {
	for _, e := range w.run.Timeline.Entries {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// times counts how often something has happened.
func (w *world) times(k timeline.Kind) (n int) {
	for _, e := range w.run.Timeline.Entries {
		if e.Kind == k {
			n += max(1, e.Times)
		}
	}
	return n
}

func (w *world) votes(who timeline.Actor, c approval.Choice, reason string) planrun.Vote {
	t, _, _ := w.run.Task("approve")
	v := planrun.Vote{Capacity: as(who), ID: fmt.Sprint(who.ID, len(w.run.Timeline.Entries)), Task: "approve", Choice: c, Reason: reason}
	if t.Ballot != nil {
		v.Shown = t.Ballot.Shown.SHA256
	}
	return v
}

func evidence(item string) []planrun.Given {
	return []planrun.Given{{Item: item, Ref: "https://files/" + item, SHA256: hash(item)}}
}

// rehearse has the rehearsal done, and its evidence checked.
func (w *world) rehearse() {
	w.t.Helper()
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
}

// approve has both voters approve what they are shown.
func (w *world) approve() {
	w.t.Helper()
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.do(w.votes(carol, approval.Approve, ""), carol)
}

// rehearsed is a run whose rehearsal is done and checked.
func rehearsed(t *testing.T) *world {
	t.Helper()
	w := begun(t, upgrade())
	w.rehearse()
	return w
}

// approved is a run whose deployment may begin.
func approved(t *testing.T) *world {
	t.Helper()
	w := rehearsed(t)
	w.approve()
	return w
}

// deployed is a run whose bake has begun.
func deployed(t *testing.T) *world {
	t.Helper()
	w := approved(t)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	return w
}

func TestARunFromStartToEnd(t *testing.T) {
	w := begun(t, upgrade())
	w.heard("started → lead deployer change-manager customer", "ready rehearse → deployer")
	w.stands("rehearse ready, announce waiting, approve waiting, deploy waiting, bake waiting, report waiting")
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.heard("check rehearse → change-manager")
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.heard("said announce → customer", "vote approve → change-manager customer")
	w.stands("rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	w.approve()
	w.heard("vote-decided approve → change-manager lead", "advice deploy → customer", "ready deploy → deployer")
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")
	w.after(10 * time.Minute)
	w.stands("rehearse done, announce done, approve done, deploy done, bake done, report done")
	w.heard("completed → lead deployer change-manager customer")
	if w.run.Status != planrun.Completed || w.run.Ended.IsZero() {
		t.Errorf("it is %s", w.run.Status)
	}
	bake, _, _ := w.run.Task("bake")
	if bake.Measures.Passed < 9 || bake.Measures.Failed != 0 {
		t.Errorf("measured %+v", bake.Measures)
	}
}

func TestAFailedBakeRollsBackAndASecondTryIsANewDecision(t *testing.T) {
	w := deployed(t)
	w.measured = func() planrun.Verdict { return planrun.Miss }
	w.told = nil
	w.after(time.Minute)
	if w.run.Status != planrun.Running {
		t.Fatalf("one failure is not enough, and it is %s", w.run.Status)
	}
	w.after(time.Minute)
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake failed, report waiting")
	w.heard("failed bake → deployer lead", "rollback → lead deployer change-manager customer", "rollback-done → lead deployer change-manager customer")
	if u := w.run.Undoing; w.run.Status != planrun.Halted || u.Items[0].State != planrun.Undone || u.Ended.IsZero() {
		t.Fatalf("it is %s, and %+v", w.run.Status, u)
	}
	w.after(24 * time.Hour) // nothing happens until somebody says so
	w.refused(planrun.Continue{Capacity: as(dora), Reason: "go"}, dora, "Dora may not; want Release manager (lead)")
	w.do(planrun.Continue{Capacity: as(lena), Reason: "mended"}, lena)
	w.stands("rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	w.measured = nil
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.after(time.Hour)
	if w.run.Status != planrun.Completed {
		t.Errorf("it is %s", w.run.Status)
	}
	if d, _, _ := w.run.Task("deploy"); d.Attempt != 2 {
		t.Errorf("attempt %d, want 2", d.Attempt)
	}
}

func TestWhoMayNot(t *testing.T) {
	w := begun(t, upgrade())
	w.refused(planrun.Begin{Capacity: as(mark), Task: "rehearse"}, mark, "Mark may not; want Deployer (deployer)")
	w.refused(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora, "it is waiting since 2026-11-23T00:00:00Z")
	w.refused(planrun.Complete{Capacity: as(dora), Task: "nothing"}, dora, "there is none")
	w.refused(planrun.Complete{Capacity: as(dora), Task: "rehearse"}, dora, "it has not begun")
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.refused(planrun.Complete{Capacity: as(dora), Task: "rehearse"}, dora, "evidence log: missing; want: log of the rehearsal")
	w.refused(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("film")}, dora, `evidence "film": not wanted; want log`)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	both := planrun.Capacity{Roles: []string{"deployer", "change-manager"}}
	w.refused(planrun.CheckEvidence{Capacity: both, Task: "rehearse", OK: true}, dora, "Dora has worked on it: want another person")
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.refused(w.votes(lena, approval.Approve, ""), lena, "lena has asked for it: want another person")
	w.refused(w.votes(dora, approval.Approve, ""), dora, "dora implements it: want another person")
	w.refused(w.votes(dave, approval.Approve, ""), dave, "dave: not among the voters")
	w.refused(w.votes(mark, approval.Reject, ""), mark, "reason: missing")
	old := w.votes(mark, approval.Approve, "")
	w.do(planrun.AddEvidence{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.refused(old, mark, "task rehearse is in-check again")
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.refused(old, mark, "evidence rehearse/log 2 added, look again")
	w.approve()
	w.refused(w.votes(carol, approval.Reject, "no"), carol, "already approved by Carol")
	w.refused(planrun.Begin{Capacity: planrun.Capacity{Roles: []string{"deployer"}}, Task: "deploy"}, mark, "Mark has voted on it: want another person")
	w.refused(planrun.Skip{Capacity: as(dora), Task: "deploy", Reason: "r", Control: "c"}, dora, "the plan does not let it be skipped")
	if n := w.has(timeline.ActionRefused); n < 6 {
		t.Errorf("%d refusals stand in the timeline, want those of separation of duties", n)
	}
}

func TestAFreezeHoldsAChangeUntilItEnds(t *testing.T) {
	w := rehearsed(t)
	frozen := start.Add(30 * 24 * time.Hour)
	w.closed["production"] = frozen
	w.told = nil
	w.approve()
	w.stands("rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
	w.heard("held deploy → deployer lead")
	w.refused(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora, "it is held since 2026-11-23T00:00:00Z by muster: year end; it may be changed next at 2026-12-23T00:00:00Z")
	w.until(frozen)
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	w.heard("ready deploy → deployer")
}

func TestAnOverrideNeedsAnotherPersonAndEnds(t *testing.T) {
	w := rehearsed(t)
	w.closed["production"] = start.Add(30 * 24 * time.Hour)
	w.approve()
	until := start.Add(time.Hour)
	w.refused(planrun.AskOverride{Capacity: as(dora), Environment: "production", Freeze: "year-end", Reason: "urgent", Until: start.Add(30 * 24 * time.Hour)}, dora, "override")
	w.do(planrun.AskOverride{Capacity: as(lena), Environment: "production", Freeze: "year-end", Reason: "urgent", Until: until}, lena)
	w.refused(planrun.ConfirmOverride{Capacity: as(lena), Environment: "production", Grant: true}, lena, "want another person")
	w.refused(planrun.ConfirmOverride{Capacity: as(dora), Environment: "production", Grant: true}, dora, "may not")
	w.do(planrun.ConfirmOverride{Capacity: as(mark), Environment: "production", Grant: true}, mark)
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	w.until(until)
	w.stands("rehearse done, announce done, approve done, deploy held, bake waiting, report waiting")
}

func TestAWindowThatEndsWhileSomethingIsUnderWayRollsItBack(t *testing.T) {
	w := approved(t)
	ends := start.Add(2 * time.Hour)
	w.closes["production"] = ends
	w.run.Windows = nil // what was known before the window was set
	w.settle()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.told = nil
	w.until(ends.Add(-30 * time.Minute))
	w.heard("window-ending deploy → deployer lead")
	w.until(ends)
	w.heard("window-ended deploy → deployer lead", "rollback → lead deployer change-manager customer")
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake waiting, report waiting")
}

func TestAStepOfWhichNobodyKnowsAsksAPersonAndNeverRunsAgainByItself(t *testing.T) {
	w := approved(t)
	ran := 0
	w.result = func(planrun.Work) runbook.State { ran++; return runbook.Unknown }
	w.told = nil
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.heard("unclear deploy → deployer lead")
	w.after(48 * time.Hour)
	if ran != 1 {
		t.Fatalf("it ran %d times", ran)
	}
	w.result = nil
	w.do(planrun.Settle{Capacity: as(dora), Task: "deploy", Status: planrun.Done, Reason: "I have looked"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2}, dora)
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")
}

func TestARollbackThatFailsAsksAPersonAndIsLate(t *testing.T) {
	w := deployed(t)
	w.result = func(planrun.Work) runbook.State { return runbook.Failed }
	w.told = nil
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "customers complain"}, lena)
	w.heard("rollback-failed deploy → deployer lead")
	w.refused(planrun.Cancel{Capacity: as(lena), Reason: "enough"}, lena, "it is rolling-back since")
	w.refused(planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.Forward, Note: "mended"}, dora, "the plan does not let it be fixed forward")
	w.result, w.silent = nil, func(x planrun.Work) bool { return x.Do == planrun.RunStep }
	w.do(planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.UndoRunning, Note: "again"}, dora)
	w.after(31 * time.Minute)
	w.heard("rollback-late deploy → deployer lead")
	w.do(planrun.SettleUndo{Capacity: as(dora), Task: "deploy", State: planrun.Undone, Note: "by hand"}, dora)
	w.stands("rehearse done, announce done, approve done, deploy rolled-back, bake failed, report waiting")
	if w.run.Status != planrun.Halted {
		t.Errorf("it is %s", w.run.Status)
	}
}

func TestAWaiverExpiresAndTheTaskIsToBeDone(t *testing.T) {
	w := deployed(t)
	w.refused(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "later"}, lena, "control: missing")
	skip := planrun.Skip{Capacity: as(lena), Task: "report", Reason: "later", Control: "notes are kept"}
	far := skip
	far.Until = start.Add(60 * 24 * time.Hour)
	w.refused(far, lena, "want 2026-11-30T00:00:00Z at the latest")
	w.told = nil
	w.do(skip, lena)
	w.heard("waiver report → customer")
	w.refused(planrun.Waive{Capacity: planrun.Capacity{Roles: []string{"customer"}}, Task: "report", Grant: true}, lena, "want another person")
	w.do(planrun.Waive{Capacity: as(carol), Task: "report", Grant: true}, carol)
	w.heard("waiver-decided report → lena")
	w.silent = func(x planrun.Work) bool { return x.Do == planrun.MeasureOnce } // so that the bake does not end
	w.after(7 * 24 * time.Hour)
	w.heard("waiver-expired report → lead")
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")
}

func TestRemindersAndEscalation(t *testing.T) {
	w := begun(t, upgrade())
	w.told = nil
	w.after(24 * time.Hour)
	w.heard("due rehearse → deployer")
	w.after(24 * time.Hour)
	w.heard("overdue rehearse → deployer", "overdue rehearse → lead")
	w.after(4 * time.Hour)
	w.heard("escalated rehearse → customer")
	w.after(30 * 24 * time.Hour)
	if len(w.told) > 0 {
		t.Errorf("told again: %v", w.told)
	}
}

func TestWhoHasNotVotedIsReminded(t *testing.T) {
	d := upgrade()
	task, _ := d.Task("approve")
	task.Remind = []time.Duration{24 * time.Hour}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			if d.Phases[p].Tasks[n].ID == "approve" {
				d.Phases[p].Tasks[n] = task
			}
		}
	}
	w := begun(t, d)
	w.rehearse()
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.told = nil
	w.after(24 * time.Hour)
	w.heard("due approve → carol")
	told := w.tellings[len(w.tellings)-1]
	if now, _, _ := w.run.Task("approve"); told.Person != "carol" || told.Shown != now.Ballot.Shown.SHA256 {
		t.Errorf("%s was told, of a vote on %q", told.Person, told.Shown)
	}
}

func TestAStepThatWaitsForAPersonIsTold(t *testing.T) {
	w := approved(t)
	w.told = nil
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.heard("step-wanted deploy → deployer") // after one that has run by itself
	if told := w.tellings[len(w.tellings)-1]; told.Step != 2 || told.Detail.En != "step 2" {
		t.Errorf("told of step %d: %s", told.Step, told.Detail.En)
	}
	w.told = nil
	w.settle()
	w.after(time.Hour)
	if len(w.told) > 0 {
		t.Errorf("told again: %v", w.told)
	}
}

func TestAVoteThatIsNotDecidedInTimeIsRejected(t *testing.T) {
	w := rehearsed(t)
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.told = nil
	w.after(48 * time.Hour)
	w.stands("rehearse done, announce done, approve failed, deploy waiting, bake waiting, report waiting")
	w.refused(w.votes(carol, approval.Approve, ""), carol, "expired at 2026-11-25T00:00:00Z")
	w.do(planrun.Retry{Capacity: as(lena), Task: "approve", Reason: "Carol was ill"}, lena)
	w.approve()
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
}

func TestAHaltLetsNothingNewBegin(t *testing.T) {
	w := rehearsed(t)
	w.told = nil
	w.do(planrun.Halt{Capacity: as(carol), Reason: "our shop is busy"}, carol)
	w.heard("halted → lead deployer change-manager customer")
	w.approve()
	w.stands("rehearse done, announce done, approve done, deploy waiting, bake waiting, report waiting")
	w.do(planrun.Continue{Capacity: as(lena), Reason: "quiet again"}, lena)
	w.stands("rehearse done, announce done, approve done, deploy ready, bake waiting, report waiting")
	w.do(planrun.Cancel{Capacity: as(lena), Reason: "not this year"}, lena)
	w.refused(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora, "it is cancelled since")
	if due := w.run.NextDue(); !due.IsZero() {
		t.Errorf("a cancelled run is due at %s", due)
	}
}

func TestAnEvidenceThatIsOldIsNotVotedOn(t *testing.T) {
	d := upgrade()
	d.Phases[0].Tasks[2].Due = nil
	w := begun(t, d)
	w.rehearse()
	w.after(31 * 24 * time.Hour)
	w.refused(w.votes(mark, approval.Approve, ""), mark, "evidence log of task rehearse is of 2026-11-23T00:00:00Z; want it no older than 720h0m0s")
	w.do(planrun.AddEvidence{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.do(w.votes(mark, approval.Approve, ""), mark)
}

func TestAVoteIsOnWhatStandsThere(t *testing.T) {
	w := rehearsed(t)
	w.do(w.votes(mark, approval.Approve, ""), mark)
	w.do(planrun.AddEvidence{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", Note: "this is not it"}, mark)
	w.refused(w.votes(carol, approval.Approve, ""), carol, "task rehearse is begun again")
	w.stands("rehearse begun, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.told = nil
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.heard("vote-voided approve → change-manager customer")
	w.do(w.votes(carol, approval.Approve, ""), carol)
	w.stands("rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting") // Mark has to vote anew
}

func TestWhoHasGivenEvidenceMeanwhileDoesNotVote(t *testing.T) {
	w := rehearsed(t)
	both := planrun.Capacity{Revision: "r1", Roles: []string{"deployer", "change-manager"}}
	w.do(planrun.AddEvidence{Capacity: both, Task: "rehearse", Evidence: evidence("log")}, mark)
	w.voters = []approval.Elector{elector("mark"), elector("mary"), elector("carol")}
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, person("mary"))
	w.refused(w.votes(mark, approval.Approve, ""), mark, "mark implements it: want another person")
}

func TestARePlanIsVotedOnAndKeepsWhatWasDone(t *testing.T) {
	w := rehearsed(t)
	next := terms(upgrade()).Pinned
	next.SHA256 = hash("second plan")
	more := plan.Task{ID: "warn", Kind: plan.Manual, Name: text("Warn"), Assignment: by("lead"), Needs: []string{"approve"}, SHA256: hash("warn")}
	next.Plan.Phases[1].Tasks = append([]plan.Task{more}, next.Plan.Phases[1].Tasks...)
	next.Plan.Phases[1].Tasks[1].Needs = []string{"announce", "approve", "warn"}
	bad := next
	bad.Plan = upgrade()
	bad.Plan.Phases[0].Tasks[0].SHA256 = hash("another")
	w.refused(planrun.RePlan{Capacity: as(lena), Next: bad, Reason: "r"}, lena, "task rehearse: it is done and stays as it is")
	w.refused(planrun.RePlan{Capacity: as(dora), Next: next, Reason: "r"}, dora, "may not")
	w.told = nil
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: "the customer warns its users"}, lena)
	w.heard("change → change-manager customer")
	w.stands("rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	v := planrun.Vote{Capacity: as(carol), ID: "v", Choice: approval.Approve, Shown: w.run.Change.Ballot.Shown.SHA256}
	w.refused(planrun.Vote{Capacity: as(lena), ID: "l", Choice: approval.Approve, Shown: v.Shown}, lena, "has asked for it")
	w.do(v, carol)
	w.stands("rehearse done, announce done, approve begun, warn waiting, deploy waiting, bake waiting, report waiting")
	if w.run.SHA256 != hash("second plan") || w.run.Change != nil || w.run.Revised != 1 {
		t.Errorf("it goes on under %s", w.run.SHA256)
	}
	// What is voted on was another plan: the votes begin anew.
	if n := w.has(timeline.VoteVoided); n != 1 {
		t.Errorf("%d votes were voided, want 1", n)
	}
}

func waves() plan.Definition {
	d := upgrade()
	d.Parameters = []plan.Parameter{{ID: "hosts", Type: plan.ListType, Description: text("hosts")}}
	t := &d.Phases[1].Tasks[0]
	t.Waves = &plan.Waves{Over: "hosts", Size: 2, MaxErrors: 1, Bake: time.Hour}
	t.Runs, t.Kind, t.Overrun = "", plan.Manual, plan.Finish
	return d
}

func inWaves(t *testing.T) *world {
	t.Helper()
	w := begun(t, waves())
	w.rehearse()
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	return w
}

func TestWaves(t *testing.T) {
	w := inWaves(t)
	target := func(name string) planrun.Complete {
		return planrun.Complete{Capacity: as(dora), Task: "deploy", Target: name}
	}
	w.refused(target("c"), dora, "target c belongs to wave 2, which has not begun")
	w.refused(target("x"), dora, `no such target "x"`)
	w.do(target("a"), dora)
	w.refused(target("a"), dora, "target a is done already")
	w.do(planrun.Fail{Capacity: as(dora), Task: "deploy", Target: "b", Reason: "disk"}, dora)
	w.refused(target("c"), dora, "has not begun")
	w.after(time.Hour)
	w.do(target("c"), dora)
	w.do(target("d"), dora)
	w.stands("rehearse done, announce done, approve done, deploy done, bake begun, report waiting")

	w = inWaves(t)
	w.do(planrun.Fail{Capacity: as(dora), Task: "deploy", Target: "b", Reason: "disk"}, dora)
	w.do(planrun.Fail{Capacity: as(dora), Task: "deploy", Target: "a", Reason: "disk"}, dora)
	w.stands("rehearse done, announce done, approve done, deploy failed, bake waiting, report waiting")
}

func TestRunbooksInWavesStopWhileHalted(t *testing.T) {
	d := waves()
	d.Phases[1].Tasks[0].Kind, d.Phases[1].Tasks[0].Runs = plan.Runbook, "undo"
	w := begun(t, d)
	var ran []string
	w.result = func(x planrun.Work) runbook.State { ran = append(ran, x.Task); return runbook.Passed }
	w.rehearse()
	w.approve()
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	if len(ran) != 2 {
		t.Fatalf("the first wave ran %d times, want 2", len(ran))
	}
	w.do(planrun.Halt{Capacity: as(dora), Reason: "something is wrong"}, dora)
	w.after(3 * time.Hour)
	if len(ran) != 2 {
		t.Fatalf("%d runs although it is halted", len(ran))
	}
	w.do(planrun.Continue{Capacity: as(lena), Reason: "all is well"}, lena)
	if len(ran) != 4 {
		t.Errorf("%d runs, want 4", len(ran))
	}
}

func TestTermsThatAreWrong(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*planrun.Terms)
		want   string
	}{
		{"id", func(x *planrun.Terms) { x.ID = "RUN-1" }, "id: want one such as"},
		{"customer", func(x *planrun.Terms) { x.Customer = "" }, "customer or starter: missing"},
		{"environments", func(x *planrun.Terms) { x.Environments = nil }, "environments: 0; the plan has 2"},
		{"role", func(x *planrun.Terms) { x.Roles = x.Roles[1:] }, "role lead: nobody fills it"},
		{"plan", func(x *planrun.Terms) { x.Plan.Phases = nil }, "phases: no tasks"},
		{"another environment", func(x *planrun.Terms) { x.Environments[0].ID = "test" }, "environments: test stands where the plan has staging"},
		{"runbook", func(x *planrun.Terms) { x.Books = x.Books[1:] }, `task deploy: no such runbook "deploy"`},
		{"runbook of a rollback", func(x *planrun.Terms) { x.Books = x.Books[:1] }, `task deploy: no such runbook "undo"`},
		{"targets", func(x *planrun.Terms) { x.Plan, x.Parameters = waves(), nil }, "task deploy: parameter hosts: no targets were given"},
		{"too long", func(x *planrun.Terms) {
			x.Plan = waves()
			x.Plan.Phases[1].Tasks[0].Kind, x.Plan.Phases[1].Tasks[0].Runs = plan.Runbook, "deploy"
			x.Parameters[0].List = make([]string, 500)
		}, "events of a history; want 10000 at most"},
		{"date", func(x *planrun.Terms) {
			x.Plan.Parameters = []plan.Parameter{{ID: "day", Type: plan.DateType, Description: text("day")}}
			x.Plan.Phases[1].Tasks[2].Due = &plan.Due{Days: 1, Date: "day", Before: true}
		}, "task report: parameter day: no date was given"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := terms(upgrade())
			tc.change(&x)
			if _, err := planrun.Start(x, start); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v; want %q", err, tc.want)
			}
		})
	}
}

// telling is the newest one of a kind.
func (w *world) telling(a planrun.About) planrun.Telling {
	w.t.Helper()
	for n := len(w.tellings) - 1; n >= 0; n-- {
		if w.tellings[n].About == a {
			return w.tellings[n]
		}
	}
	w.t.Fatalf("nobody was told %s", a)
	return planrun.Telling{}
}

// Whoever writes a message asks the run for nothing more.
func TestATellingSaysWhatItIsAbout(t *testing.T) {
	w := begun(t, upgrade())
	x := w.telling(planrun.TaskReady)
	if x.State != planrun.Ready || !x.Changes || x.Where != "staging" || len(x.For) != 1 || x.For[0].Name.En != "Deployer" || x.For[0].Party != authority.Provider ||
		len(x.Wanted) != 1 || x.Wanted[0].ID != "log" || len(x.Then) != 2 || x.Then[0].En != "Announce" {
		t.Errorf("ready: %+v", x)
	}
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	if x = w.telling(planrun.CheckWanted); len(x.Given) != 1 || x.Given[0].Ref != "https://files/log" || x.By != dora {
		t.Errorf("check: %+v", x)
	}
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	if b, _, _ := w.run.Task("approve"); w.telling(planrun.VoteWanted).Shown != b.Ballot.Shown.SHA256 {
		t.Errorf("whoever is asked to vote is not told on what: %+v", w.telling(planrun.VoteWanted))
	}
	if x = w.telling(planrun.VoteWanted); !slices.Equal(x.Choices, []approval.Choice{approval.Approve, approval.Reject, approval.Abstain}) {
		t.Errorf("vote: %+v", x)
	}
	w.do(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "later", Control: "notes are kept"}, lena)
	if x = w.telling(planrun.WaiverWanted); x.Control != "notes are kept" || !x.Skips {
		t.Errorf("waiver: %+v", x)
	}
	next := terms(upgrade()).Pinned
	next.SHA256, next.Plan.Phases[1].Tasks[1].SHA256 = hash("second plan"), hash("longer")
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: "longer"}, lena)
	w.do(planrun.Delegate{Capacity: as(carol), To: approval.Substitute{Person: "cleo", Party: authority.Customer, Until: start.Add(time.Hour)}}, carol)
	if x = w.telling(planrun.ChangeWanted); x.Person != "cleo" || len(x.Choices) != 3 || len(x.Revision) != 1 || x.Revision[0].Task != "bake" || x.By != lena {
		t.Errorf("change: %+v", x)
	}
	w.do(planrun.AskOverride{Capacity: as(lena), Environment: "production", Freeze: "year-end", Reason: "urgent", Until: start.Add(time.Hour)}, lena)
	if x = w.telling(planrun.OverrideAsked); x.Where != "production" {
		t.Errorf("override: %+v", x)
	}
}

// A rollback of another environment than the target says which.
func TestARollbackSaysWhere(t *testing.T) {
	d := upgrade()
	d.Phases[0].Tasks[0].Rollback = &plan.Rollback{Component: "shop", Within: time.Hour}
	w := begun(t, d)
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "staging", Reason: "wrong"}, lena)
	if x := w.telling(planrun.UndoBegun); x.Where != "staging" || x.Environment != "Staging" {
		t.Errorf("it is told of %s", x.Where)
	}
	w.do(planrun.SettleUndo{Capacity: as(dora), Task: "rehearse", State: planrun.Undone, Note: "restored"}, dora)
	if x := w.telling(planrun.UndoDone); x.Where != "staging" {
		t.Errorf("its end is told of %s", x.Where)
	}
}

// Whoever returns evidence has not worked on the task: the next piece is theirs to check too.
func TestEvidenceThatWasReturnedIsCheckedBySomebodyWhoHasSeenIt(t *testing.T) {
	w := begun(t, upgrade())
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", Note: "it ends too early"}, mark)
	w.heard("check-failed rehearse → deployer")
	w.refused(planrun.Complete{Capacity: as(dora), Task: "rehearse"}, dora, "evidence log: missing")
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log")}, dora)
	w.refused(planrun.CheckEvidence{Capacity: planrun.Capacity{Roles: []string{"change-manager"}}, Task: "rehearse", OK: true}, dora, "has worked on it")
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.stands("rehearse done, announce done, approve begun, deploy waiting, bake waiting, report waiting")
	task, _, _ := w.run.Task("rehearse")
	if old, new := task.Evidence[0], task.Evidence[1]; old.Returned.IsZero() || !old.Checked.IsZero() || !new.Returned.IsZero() || new.Checked.IsZero() {
		t.Errorf("the piece that was returned is %+v, the other one %+v", old, new)
	}
}

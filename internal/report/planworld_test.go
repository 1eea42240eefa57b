package report_test

import (
	"fmt"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// monday is when the run of the tests starts: 09:00 in Seoul.
func monday() time.Time { return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) }

// Who takes part: lena leads, dora deploys, mark manages changes, carol answers for the shop.
var (
	lena  = person("lena", "이서연")
	dora  = person("dora", "박도현")
	mark  = person("mark", "최민준")
	carol = person("carol", "오하은")
)

func capacity(a timeline.Actor) planrun.Capacity {
	roles := map[string][]string{"lena": {"lead"}, "dora": {"deployer"}, "mark": {"change-manager"}, "carol": {"owner"}}
	return planrun.Capacity{Roles: roles[a.ID], Revision: "r1"}
}

func digest(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

// shopUpgrade is a plan with one of everything that a report shows.
func shopUpgrade() plan.Definition {
	by := func(accountable string, doers ...string) raci.Assignment {
		return raci.Assignment{Accountable: accountable, Responsible: doers}
	}
	vote := approval.Rule{
		Voters: []approval.Voter{{Party: authority.Provider, Role: "change-manager"}, {Party: authority.Customer, Role: "owner"}},
		Need:   approval.Need{Count: 2}, Required: []approval.Who{{Voter: approval.Voter{Party: authority.Customer, Role: "owner"}}},
		Exclude: approval.Exclusion{Requester: true, Implementers: true},
	}
	decide := approval.Rule{
		Voters: []approval.Voter{{Party: authority.Customer, Role: "owner"}}, Need: approval.Need{Each: approval.EachRole},
		Yes: []approval.Choice{approval.Ready, approval.ReadyWithRisk},
	}
	d := plan.Definition{
		ID: "shop", Kind: plan.Upgrade, Name: both("Upgrade of the shop to 4.2", "쇼핑몰 4.2 업그레이드"), Lead: "lead", RePlan: vote,
		Description: both("The shop gets the new checkout.\n\nVersion 4.1 loses its support in January.", "쇼핑몰에 새 결제 화면을 적용.\n\n4.1 버전은 1월에 지원이 끝남."),
		Parameters: []plan.Parameter{
			{ID: "launch", Type: plan.DateType, Description: both("day of the launch", "오픈일")}, {ID: "hosts", Type: plan.ListType, Description: both("hosts", "호스트")},
		},
		Roles: []plan.Role{
			{ID: "lead", Party: authority.Provider, Name: both("release manager", "릴리스 총괄")},
			{ID: "deployer", Party: authority.Provider, Name: both("deployer", "배포 담당")},
			{ID: "change-manager", Party: authority.Provider, Name: both("change manager", "변경 관리자")},
			{ID: "owner", Party: authority.Customer, Name: both("service owner", "서비스 책임자")},
		},
		Environments: []plan.Environment{
			{ID: "staging", Name: both("Staging", "검증")}, {ID: "production", Name: both("Production", "운영"), Production: true},
		},
		Phases: []plan.Phase{
			{ID: "prepare", Name: both("Prepare", "준비"), Tasks: []plan.Task{
				{
					ID: "rehearse", Kind: plan.Manual, Name: both("Rehearse on staging", "검증 환경 예행연습"), Assignment: by("lead", "deployer"), Environment: "staging",
					Changes: true, Overrun: plan.Finish, Detail: both("Upgrade, look, and go back to 4.1.", "업그레이드 후 확인하고 4.1로 되돌림."),
					Evidence: []plan.Evidence{{ID: "log", What: both("log of the rehearsal", "예행연습 로그"), CheckedBy: "change-manager", Fresh: 30 * 24 * time.Hour}},
					Due:      &plan.Due{Days: 2}, Remind: []time.Duration{24 * time.Hour}, Escalate: &plan.Escalate{After: 4 * time.Hour, To: []string{"change-manager"}},
					Typical: 3 * time.Hour,
				},
				{
					ID: "scan", Kind: plan.Manual, Name: both("Scan for weaknesses", "취약점 점검"), Assignment: by("deployer", "deployer"),
					Skip: &plan.Skip{Approver: "owner", Longest: 14 * 24 * time.Hour},
				},
				{
					ID: "announce", Kind: plan.Notify, Name: both("Announce it", "작업 안내"), Assignment: by("lead", "lead"), Needs: []string{"rehearse"},
					Tell: []string{"owner"}, Message: both("The shop is upgraded this week.", "이번 주에 쇼핑몰을 업그레이드합니다."),
				},
				{
					ID: "approve", Kind: plan.Approval, Name: both("Approve the upgrade", "업그레이드 승인"), Needs: []string{"rehearse"}, Vote: &vote,
					Shows: []string{"rehearse"}, Assignment: by("change-manager", "change-manager", "owner"), Due: &plan.Due{Within: 48 * time.Hour, After: "approve"},
				},
			}},
			{ID: "launch", Name: both("Launch", "오픈"), Tasks: []plan.Task{
				{
					ID: "deploy", Kind: plan.Manual, Name: both("Deploy 4.2", "4.2 배포"), Needs: []string{"announce", "approve"},
					Assignment:  raci.Assignment{Accountable: "lead", Responsible: []string{"deployer"}, Consulted: []string{"change-manager"}, Informed: []string{"owner"}},
					Environment: "production", Changes: true, Overrun: plan.RollBack, Due: &plan.Due{Days: 1, Date: "launch", Before: true},
					Rollback: &plan.Rollback{Component: "shop", Runs: "undo", Within: 30 * time.Minute, Rehearsed: "rehearse", FixForward: true},
					Waves:    &plan.Waves{Over: "hosts", Size: 2, MaxErrors: 1, Bake: time.Hour},
				},
				{
					ID: "watch", Kind: plan.Wait, Name: both("Watch it", "안정화 관찰"), Needs: []string{"deploy"}, Assignment: by("deployer", "deployer"),
					Environment: "production", For: 10 * time.Minute, Check: &plan.Check{
						HTTP: "https://shop.example", Timeout: time.Second, Every: time.Minute, Failures: 2, Inconclusive: 3, OnFail: plan.RollBackAll, OnUnclear: plan.AskPerson,
					},
				},
				{
					ID: "accept", Kind: plan.Decision, Name: both("Keep it", "유지 여부 결정"), Needs: []string{"watch"}, Assignment: by("owner", "owner"), Vote: &decide, Shows: []string{"deploy"},
					Due: &plan.Due{Date: "launch"},
				},
				{
					ID: "report", Kind: plan.Report, Name: both("Completion report", "작업완료보고서"), Needs: []string{"accept", "scan"}, Assignment: by("lead", "lead"),
					Writes: plan.CompletionReport,
				},
			}},
		},
	}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			d.Phases[p].Tasks[n].SHA256 = digest(d.Phases[p].Tasks[n].ID)
		}
	}
	return d
}

func shopTerms() planrun.Terms {
	d := shopUpgrade()
	undo := runbook.Runbook{ID: "undo", Kind: runbook.Procedure, Title: "Put 4.1 back", Updated: 20_000, Steps: []runbook.Step{{
		Number: 1, Text: "Switch the release back.", Automatic: &runbook.Automatic{Runner: runbook.ByCommand, Command: []string{"/usr/bin/release", "back"}, Timeout: time.Minute},
	}, {Number: 2, Text: "Look at the shop."}}}
	t := planrun.Terms{
		ID: "RUN-7K3M9QX2PA", Request: "1", Starter: lena, Customer: "garam", CustomerName: "가람유통",
		Environments: []planrun.Bound{
			{ID: "staging", Environment: "shop-staging", Name: "Staging"},
			{ID: "production", Environment: "shop", Name: "Production", Production: true},
		},
		Pinned: planrun.Pinned{
			Plan: d, SHA256: digest("plan"), ParametersID: digest("parameters"), Revision: "r1", Organisation: "미르넷", Zone: "Asia/Seoul",
			Parameters: []planrun.Value{
				{ID: "launch", Value: "2026-11-30", At: time.Date(2026, 11, 29, 15, 0, 0, 0, time.UTC)}, {ID: "hosts", List: []string{"shop-1", "shop-2", "shop-3", "shop-4"}},
			},
			Books:  []planrun.Book{{ID: "undo", SHA256: digest("undo"), Runbook: undo}},
			Absent: []planrun.Absent{{ID: "migrate", Name: both("Move the data", "데이터 이전"), When: "parameters.version < 4"}},
			Roles: []planrun.Filled{
				{Role: "lead", Targets: []escalation.Target{{Kind: escalation.Person, ID: "lena"}}},
				{Role: "deployer", Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "release"}}},
				{Role: "change-manager", Targets: []escalation.Target{{Kind: escalation.Person, ID: "mark"}}},
				{Role: "owner", Targets: []escalation.Target{{Kind: escalation.Contact, ID: "garam/owner"}}},
			},
		},
	}
	night := freeze.Window{ID: "night", Name: "Night"}
	night.Zone = "Asia/Seoul"
	night.Patterns = []freeze.Pattern{
		{Days: []calendar.Weekday{calendar.Tuesday, calendar.Thursday}, Hours: calendar.Hours{From: 60, To: 300}},
		{Monthly: []freeze.MonthDay{{N: 2, Weekday: calendar.Sunday}, {N: -1}, {N: 15}}, Hours: calendar.Hours{From: 1320, To: 360}},
	}
	season := freeze.Freeze{ID: "season", Name: "연말 성수기", Reason: "The shop earns most of its money.", Owner: freeze.Owner{Kind: authority.Customer, ID: "garam", Name: "가람유통"}}
	season.Zone = "Asia/Seoul"
	season.Yearly = []freeze.Yearly{{From: 1115, To: 1231}}
	t.Environments[1].Rules = freeze.Rules{Windows: []freeze.Window{night}, Freezes: []freeze.Freeze{season}}
	return t
}

// A launch does what a run asks for.
type launch struct {
	t       testing.TB
	run     *planrun.Run
	now     time.Time
	frozen  time.Time // production may not be changed until then
	healthy func() planrun.Verdict
	told    []planrun.Telling
	closing *planrun.Run // as it was when its last report was written
}

func started(t testing.TB) *launch {
	t.Helper()
	r, err := planrun.Start(shopTerms(), monday())
	if err != nil {
		t.Fatal(err)
	}
	s := &launch{t: t, run: r, now: monday(), healthy: func() planrun.Verdict { return planrun.Pass }}
	s.settle()
	return s
}

func (s *launch) settle() {
	for works := s.run.Advance(s.now); len(works) > 0; works = s.run.Advance(s.now) {
		for _, w := range works {
			s.answer(w)
		}
	}
}

func (s *launch) answer(w planrun.Work) {
	switch w.Do {
	case planrun.Tell:
		s.told = append(s.told, w.Telling)
	case planrun.ComputeDue: // every day is a working day here
		length := w.Due.Within + time.Duration(w.Due.Days)*24*time.Hour
		if w.Due.Before {
			length = -length
		}
		s.run.DueComputed(w.Task, w.Due.From.Add(length), "", s.now)
	case planrun.LookWindow:
		l := planrun.Look{Environment: w.Window.Environment, At: s.now, Open: true}
		if w.Window.Environment == "production" && s.now.Before(s.frozen) {
			if len(w.Window.Overrides) > 0 {
				l.Until = w.Window.Overrides[0].Until
			} else {
				l.Open, l.Until, l.Next, l.Why = false, s.frozen, s.frozen, []freeze.Reason{{Kind: freeze.Frozen, ID: "season", Name: "연말 성수기"}, {Kind: freeze.Outside}}
			}
		}
		s.run.Looked(w.Number, l, "", s.now)
	case planrun.TakeLock:
		s.run.LockTaken(w.Number, true, "", "", s.now)
	case planrun.FindVoters:
		people := []approval.Elector{
			{Person: "mark", Name: "최민준", Party: authority.Provider, Roles: []string{"change-manager"}},
			{Person: "carol", Name: "오하은", Party: authority.Customer, Roles: []string{"owner"}},
		}
		if w.Task == "" {
			s.run.ElectedChange(people, "", s.now)
			return
		}
		s.run.Elected(w.Task, people, "", s.now)
	case planrun.MeasureOnce:
		s.run.Measured(w.Number, w.Task, s.healthy(), "status 200", s.now)
	case planrun.RunStep:
		s.run.Ran(w.Number, w.Task, runbook.Result{State: runbook.Passed, SHA256: digest("output")}, s.now)
	case planrun.WriteReport:
		s.closing = s.run.ForReport()
		s.run.Written(w.Number, w.Task, []planrun.Document{{Name: "RUN-7K3M9QX2PA/completion-report-1.ko.md", SHA256: digest("report")}}, "", s.now)
	}
}

func (s *launch) after(d time.Duration) {
	end := s.now.Add(d)
	for due := s.run.NextDue(); !due.IsZero() && !due.After(end); due = s.run.NextDue() {
		s.now = due
		s.settle()
	}
	s.now = end
	s.settle()
}

func (s *launch) try(c planrun.Command, who timeline.Actor) error {
	err := c.Check(s.run, who)
	if err == nil {
		err = c.Apply(s.run, who, s.now)
	}
	s.settle()
	return err
}

func (s *launch) do(c planrun.Command, who timeline.Actor) {
	s.t.Helper()
	if err := s.try(c, who); err != nil {
		s.t.Fatalf("%T: %v", c, err)
	}
}

func (s *launch) vote(task string, who timeline.Actor, c approval.Choice, reason string) {
	s.t.Helper()
	t, _, _ := s.run.Task(task)
	s.do(planrun.Vote{Capacity: capacity(who), ID: fmt.Sprint(who.ID, len(s.run.Timeline.Entries)), Task: task, Choice: c, Reason: reason, Shown: t.Ballot.Shown.SHA256}, who)
}

// deploy does both waves; one host of the first fails.
func (s *launch) deploy() {
	s.t.Helper()
	as := capacity(dora)
	s.do(planrun.Begin{Capacity: as, Task: "deploy"}, dora)
	s.after(20 * time.Minute)
	s.do(planrun.Complete{Capacity: as, Task: "deploy", Target: "shop-1"}, dora)
	s.do(planrun.Fail{Capacity: as, Task: "deploy", Target: "shop-2", Reason: "its disk is full"}, dora)
	s.after(time.Hour)
	s.do(planrun.Complete{Capacity: as, Task: "deploy", Target: "shop-3"}, dora)
	s.do(planrun.Complete{Capacity: as, Task: "deploy", Target: "shop-4"}, dora)
}

// completed is a run with a late task, a refusal, a waiver, an override, waves, a rollback, a second try and a change of the plan.
func completed(t testing.TB) *launch {
	t.Helper()
	s := started(t)
	s.frozen = monday().Add(38 * 24 * time.Hour)
	s.do(planrun.Assign{Capacity: capacity(lena), Task: "rehearse", Person: dora}, lena)
	s.after(26 * time.Hour)
	s.do(planrun.Begin{Capacity: capacity(dora), Task: "rehearse"}, dora)
	s.do(planrun.Skip{Capacity: capacity(dora), Task: "scan", Reason: "The scanner is broken.", Control: "We read the list of changes.", Until: s.now.Add(10 * 24 * time.Hour)}, dora)
	s.do(planrun.Waive{Capacity: capacity(carol), Task: "scan", Grant: true, Note: "once"}, carol)
	s.after(25 * time.Hour)
	shown := []planrun.Given{{Item: "log", Ref: "https://files.example/rehearsal.log", SHA256: digest("log")}}
	s.do(planrun.Complete{Capacity: capacity(dora), Task: "rehearse", Evidence: shown}, dora)
	if err := s.try(planrun.CheckEvidence{Capacity: planrun.Capacity{Roles: []string{"change-manager"}}, Task: "rehearse", OK: true}, dora); err == nil {
		t.Fatal("who has done it checks it")
	}
	s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", Note: "The log ends too early."}, mark)
	shown[0].Ref, shown[0].Note = "https://files.example/rehearsal-2.log", "whole"
	s.do(planrun.Complete{Capacity: capacity(dora), Task: "rehearse", Evidence: shown}, dora)
	s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", OK: true}, mark)
	next := shopTerms().Pinned
	next.SHA256, next.Plan.Phases[1].Tasks[1].SHA256 = digest("second plan"), digest("watch longer")
	next.Plan.Phases[1].Tasks[1].For = 15 * time.Minute
	s.do(planrun.RePlan{Capacity: capacity(lena), Next: next, Reason: "We watch longer."}, lena)
	for _, who := range []timeline.Actor{mark, carol} {
		s.do(planrun.Vote{Capacity: capacity(who), ID: "change-" + who.ID, Choice: approval.Approve, Shown: s.run.Change.Ballot.Shown.SHA256}, who)
	}
	s.vote("approve", mark, approval.Approve, "")
	s.vote("approve", carol, approval.Approve, "with the new checkout")
	s.do(planrun.AskOverride{Capacity: capacity(lena), Environment: "production", Freeze: "season", Reason: "4.1 loses its support.", Until: s.now.Add(72 * time.Hour)}, lena)
	s.do(planrun.ConfirmOverride{Capacity: capacity(mark), Environment: "production", Grant: true}, mark)
	s.run.Alerts = []planrun.HeldAlert{ // as silences say
		{Task: "deploy", Name: "SiteDown", Service: "shop", Summary: "쇼핑몰 응답 없음", Times: 3, First: s.now, Last: s.now.Add(4 * time.Minute), Resolved: true},
		{Task: "deploy", Name: "DiskFull", Service: "shop", Summary: "DiskFull on db-3", Times: 1, First: s.now, Last: s.now},
	}
	s.deploy()
	s.healthy = func() planrun.Verdict { return planrun.Miss }
	s.after(2 * time.Minute) // it fails, and is rolled back
	s.healthy = func() planrun.Verdict { return planrun.Pass }
	s.after(8 * time.Minute)
	s.do(planrun.DoStep{Capacity: capacity(dora), Task: "deploy", Step: 2, Note: "4.1 answers"}, dora)
	s.do(planrun.Note{Capacity: capacity(lena), Text: "A cache was not emptied."}, lena)
	s.after(time.Hour)
	s.do(planrun.Continue{Capacity: capacity(lena), Reason: "The cache is emptied first."}, lena)
	s.vote("approve", mark, approval.Approve, "")
	s.vote("approve", carol, approval.Approve, "")
	s.deploy()
	s.after(15 * time.Minute)
	s.vote("accept", carol, approval.ReadyWithRisk, "shop-2 follows next week")
	if s.run.Status != planrun.Completed {
		t.Fatalf("it is %s: %+v", s.run.Status, s.run.Tasks)
	}
	return s
}

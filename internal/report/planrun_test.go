package report_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/internal/timeline"
	"muster/templates"
)

func both(en, ko string) plan.Text { return plan.Text{En: en, Ko: ko} }

// planning is a telling as a run makes it, for a role of the provider or of the customer.
func planning(a planrun.About, role planrun.Part) planrun.Telling {
	t := planrun.Telling{
		Number: 1, About: a, Roles: []string{role.Role}, For: []planrun.Part{role}, Run: "RUN-7K3M9QX2PA",
		Plan: both("Upgrade of the shop to 4.2", "쇼핑몰 4.2 업그레이드"), Customer: "가람유통", Environment: "Production", Where: "production",
		Zone: "Asia/Seoul", Status: planrun.Running, By: person("kim", "김민수"),
	}
	task := func(id string, name plan.Text, k plan.TaskKind, s planrun.TaskStatus) {
		t.Task, t.Name, t.Kind, t.State = id, name, k, s
	}
	deploy := func(s planrun.TaskStatus) {
		task("deploy", both("Deploy 4.2", "4.2 배포"), plan.Manual, s)
		t.Detail, t.Due = both("Follow the release notes.\n\nOne host after the other.", "릴리스 노트에 따라 진행.\n\n호스트 한 대씩 차례로 배포."), after(2*time.Hour)
		t.Changes, t.Overrun, t.Then = true, plan.RollBack, []plan.Text{both("Watch it", "안정화 관찰")}
		t.Wanted = []planrun.Item{{ID: "log", What: both("log of the deployment", "배포 로그")}, {ID: "check", What: both("screen of the shop", "쇼핑몰 화면")}}
	}
	vote := func() {
		task("approve", both("Approve the upgrade", "업그레이드 승인"), plan.Approval, planrun.Begun)
		t.Due, t.Then, t.By = after(48*time.Hour), []plan.Text{both("Deploy 4.2", "4.2 배포")}, timeline.Muster()
		t.Choices = []approval.Choice{approval.Approve, approval.Reject, approval.Abstain}
	}
	switch a {
	case planrun.RunHalted, planrun.RunContinued, planrun.RunCancelled:
		t.Reason = "Our shop is busy."
		t.Status = map[planrun.About]planrun.Status{planrun.RunHalted: planrun.Halted, planrun.RunContinued: planrun.Running, planrun.RunCancelled: planrun.Cancelled}[a]
	case planrun.RunCompleted:
		t.Status, t.By = planrun.Completed, timeline.Muster()
	case planrun.TaskReady, planrun.AdviceWanted:
		deploy(planrun.Ready)
	case planrun.TaskHeld:
		deploy(planrun.Held)
		t.Reason, t.Until, t.By = "연말 성수기, outside", after(20*24*time.Hour), timeline.Muster()
	case planrun.TaskDue, planrun.TaskOverdue, planrun.TaskEscalated:
		deploy(planrun.Begun)
	case planrun.TaskDone:
		deploy(planrun.Done)
		t.Reason = "without a fault"
	case planrun.TaskFailed:
		deploy(planrun.Failed)
		t.Skips, t.Reason = true, "The disk of db-3 is full."
	case planrun.TaskUnclear:
		deploy(planrun.Unclear)
		t.Kind, t.By, t.Reason = plan.Runbook, timeline.Muster(), "step 2: unknown"
	case planrun.CheckWanted:
		deploy(planrun.InCheck)
		t.Given = []planrun.Given{{Item: "log", Ref: "https://files.example/deploy.log", SHA256: strings.Repeat("5e", 32)}, {Item: "check", Ref: "SHARE/screens/4.2.png"}}
	case planrun.CheckFailed:
		deploy(planrun.Begun)
		t.Reason = "The log ends too early."
	case planrun.VoteWanted, planrun.VoteVoided, planrun.VoteImpossible:
		vote()
	case planrun.VoteDecided:
		vote()
		t.State, t.Outcome, t.By, t.Reason = planrun.Failed, string(approval.Rejected), person("lee", "이서연"), "Not before the audit."
	case planrun.WaiverWanted, planrun.WaiverDecided, planrun.WaiverExpired:
		task("scan", both("Scan for weaknesses", "취약점 점검"), plan.Manual, planrun.Waiting)
		t.Skips, t.Reason, t.Control, t.Until = true, "The scanner is broken.", "We read the change list.", after(7*24*time.Hour)
		if a == planrun.WaiverDecided {
			t.State, t.Outcome, t.Control, t.Reason = planrun.Skipped, "granted", "", ""
		}
	case planrun.OverrideAsked:
		t.Reason, t.Until, t.Freeze = "The certificate ends tonight.", after(3*time.Hour), "year-end"
	case planrun.TaskLocked:
		deploy(planrun.Held)
		t.By, t.Reason = timeline.Muster(), "RUN-2B4C6D8E0F is changing it"
	case planrun.StepWanted:
		deploy(planrun.Begun)
		t.Kind, t.Step, t.Wanted, t.Detail = plan.Runbook, 2, nil, both("Look whether the shop answers.", "Look whether the shop answers.")
	case planrun.AlertKept:
		deploy(planrun.Begun)
		t.Reason = "SiteDown: the shop does not answer"
	case planrun.WindowEnding, planrun.WindowEnded:
		deploy(planrun.Begun)
		t.Until = after(time.Hour)
	case planrun.UndoBegun, planrun.UndoDone:
		t.Status, t.By, t.Reason = planrun.RollingBack, timeline.Muster(), "the window has ended while deploy was under way"
		if a == planrun.UndoDone {
			t.Status = planrun.Halted
		}
	case planrun.UndoWanted, planrun.UndoLate, planrun.UndoFailed:
		deploy(planrun.Begun)
		t.Status, t.Until, t.Detail, t.Wanted, t.Reason = planrun.RollingBack, after(30*time.Minute), both("Put 4.1 back.", "4.1로 되돌림."), nil, ""
		if a == planrun.UndoFailed {
			t.By, t.Reason = timeline.Muster(), "its runbook has failed"
		}
	case planrun.ChangeWanted:
		t.Choices, t.Reason = []approval.Choice{approval.Approve, approval.Reject, approval.Abstain}, "The customer warns its users first."
		t.Revision = []plan.Change{{Kind: plan.Added, Task: "warn", Name: both("Warn the users", "사용자 공지")}, {Kind: plan.ReTimed, Task: "deploy", Name: both("Deploy 4.2", "4.2 배포"), Was: "48h0m0s after the start", Is: "24h0m0s after the start"}}
	case planrun.ChangeDecided:
		t.Outcome = string(approval.Approved)
	case planrun.Said:
		task("announce", both("Announce it", "작업 안내"), plan.Notify, planrun.Begun)
		t.Detail = both("The shop is upgraded on Thursday at 02:00. It is closed for an hour.", "목요일 02:00에 쇼핑몰을 업그레이드합니다. 한 시간 동안 이용하실 수 없습니다.")
	case planrun.News:
		t.Reason = "EKS: planned lifecycle event\nupcoming\n2027-06-01T00:00:00Z"
	case planrun.RunStarted: // as it is
	}
	return t
}

// The two who are told: of the house, and of the customer.
var (
	deployer = planrun.Part{Role: "deployer", Name: both("deployer", "배포 담당"), Party: authority.Provider}
	owner    = planrun.Part{Role: "owner", Name: both("service owner", "서비스 책임자"), Party: authority.Customer}
)

func TestPlanMessages(t *testing.T) {
	all := texts(t)
	for _, language := range all.Languages() {
		var b strings.Builder
		for _, a := range planrun.Abouts() {
			for _, role := range []planrun.Part{deployer, owner} {
				told := planning(a, role)
				m, err := all.PlanRun(told, delivery.Recipient{ID: "park", Name: "박지훈", Language: language})
				if err != nil {
					t.Fatal(err)
				}
				if m.Language != language || m.Kind != delivery.Plan || m.Incident != string(told.Run) || m.Status != string(told.Status) || strings.ContainsAny(m.Subject, "\n\r") {
					t.Errorf("%s in %s: got %+v", a, language, m)
				}
				if outside := role == owner; outside && strings.Contains(m.Subject+m.Text, "김민수") {
					t.Errorf("%s in %s tells the customer who of the house it was: %s", a, language, m.Text)
				}
				fmt.Fprintf(&b, "======== %s, %s\nSubject: %s\n\n%s\n", a, role.Party, m.Subject, m.Text)
			}
		}
		golden(t, "plan."+language+".txt", b.String())
	}
}

// A whole run with its detours: every message that it asks for can be written for every role, and nothing is missing in it.
func TestEveryMessageOfARunCanBeWritten(t *testing.T) {
	all, gap := texts(t), regexp.MustCompile(`no value|%!|\(\)|: ?,|–|\n\n\n`)
	for _, told := range completed(t).told {
		for _, language := range all.Languages() {
			for _, role := range append(told.Roles, "") {
				x := told
				if role != "" {
					x = told.To(role)
				}
				m, err := all.PlanRun(x, delivery.Recipient{ID: "park", Name: "박지훈", Language: language})
				if found := gap.FindString(m.Subject + m.Text); err != nil || found != "" {
					t.Errorf("%s of %s for %q in %s: %v, %q in\n%s", x.About, x.Task, role, language, err, found, m.Text)
				}
			}
		}
	}
}

// What somebody is to do next depends on where the task stands and what it is.
func TestAPlanMessageSaysWhatCanBeDone(t *testing.T) {
	ready := func(change func(*planrun.Telling)) planrun.Telling {
		told := planning(planrun.TaskReady, deployer)
		change(&told)
		return told
	}
	for name, row := range map[string]struct {
		told  planrun.Telling
		says  []string
		keeps string // what it must not say
	}{
		"a task": {
			ready(func(*planrun.Telling) {}),
			[]string{"upgrade begin RUN-7K3M9QX2PA deploy", "upgrade complete RUN-7K3M9QX2PA deploy --evidence log=URL --evidence check=URL"},
			"upgrade skip",
		},
		"one that may be skipped": {ready(func(x *planrun.Telling) { x.Skips = true }), []string{`upgrade skip RUN-7K3M9QX2PA deploy "REASON" --control`}, "upgrade vote"},
		"the next wave": {
			ready(func(x *planrun.Telling) {
				x.State, x.Waves, x.Targets = planrun.Begun, true, []string{"host-3", "host-4"}
			}),
			[]string{"TARGETS OF THIS WAVE\n- host-3\n- host-4\n", "upgrade complete RUN-7K3M9QX2PA deploy --target NAME\n"},
			"upgrade begin",
		},
		"a runbook under way": {ready(func(x *planrun.Telling) { x.State, x.Kind = planrun.Begun, plan.Runbook }), []string{"upgrade step RUN-7K3M9QX2PA deploy NUMBER"}, "upgrade complete"},
		"a person":            {ready(func(x *planrun.Telling) { x.Roles, x.For, x.Person = nil, nil, "park" }), []string{"You were asked to do this task."}, "stand in for"},
		"several roles": {
			ready(func(x *planrun.Telling) { x.For = append(x.For, owner) }), []string{"You fill one of these roles of the plan: deployer, service owner."}, "Dear",
		},
		"a late vote": {
			func() planrun.Telling {
				x := planning(planrun.VoteWanted, deployer)
				x.About = planrun.TaskOverdue
				return x
			}(),
			[]string{"upgrade vote RUN-7K3M9QX2PA approve approve\n", `upgrade vote RUN-7K3M9QX2PA approve reject --reason "REASON"`, "it is rejected"},
			"upgrade complete",
		},
		"a vote without an end": {
			func() planrun.Telling { x := planning(planrun.VoteWanted, owner); x.Due = time.Time{}; return x }(), []string{"Dear 가람유통,"}, "undecided by",
		},
		"a decision": {
			func() planrun.Telling {
				x := planning(planrun.VoteWanted, deployer)
				x.Choices, x.Silence = []approval.Choice{approval.Ready, approval.ReadyWithRisk, approval.NotReady, approval.Abstain}, approval.ApproveOnExpiry
				return x
			}(),
			[]string{"approve ready\n", `approve ready-with-risk --reason "REASON"`, `approve not-ready --reason "REASON"`, "approve abstain\n", "it is approved"},
			"reject",
		},
		"a change of the plan": {planning(planrun.ChangeWanted, deployer), []string{"upgrade vote RUN-7K3M9QX2PA - approve\n", "- Warn the users: added\n"}, "--change"},
		"one to a customer": {
			planning(planrun.ChangeWanted, owner), []string{"- Vote with one of these: approve, reject, abstain\n", "turn to whoever leads the plan"}, "muster",
		},
		"a task of a customer": {
			func() planrun.Telling {
				x := planning(planrun.TaskReady, owner)
				x.Page = "https://muster.example/plan-runs/RUN-7K3M9QX2PA"
				return x
			}(),
			[]string{"- Say when it is done, with the evidence\n", "sign in at https://muster.example/plan-runs/RUN-7K3M9QX2PA"},
			"muster upgrade",
		},
	} {
		m, err := texts(t).PlanRun(row.told, delivery.Recipient{ID: "park", Language: "en"})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range row.says {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, m.Text)
			}
		}
		if strings.Contains(m.Text, row.keeps) {
			t.Errorf("%s: it says %q:\n%s", name, row.keeps, m.Text)
		}
	}
}

// What Muster gives as a reason, and what has changed, is said in the reader's language; what people write stays as it is.
func TestReasonsInTheReadersLanguage(t *testing.T) {
	for _, row := range []struct {
		kind           timeline.Kind
		fact, said, ko string
	}{
		{timeline.TaskMoved, "reason", "its waiver has expired", "예외 승인 만료"},
		{timeline.TaskMoved, "reason", "the plan has changed", "계획 변경"},
		{timeline.TaskMoved, "reason", "its runbook has failed", "런북 실패"},
		{timeline.TaskMoved, "reason", "step 3: failed", "3단계 실패"},
		{timeline.TaskMoved, "reason", "step 3: unknown", "3단계 결과 불명"},
		{timeline.TaskMoved, "reason", "2 targets have failed; the plan lets 1", "대상 2건 실패(허용 1건)"},
		{timeline.PlanMoved, "reason", "the window has ended while deploy was under way", "작업 deploy 진행 중 작업 가능 시간 종료"},
		{timeline.WindowLooked, "why", "outside", "작업 가능 시간 외"},
		{timeline.TaskMoved, "reason", "연말 성수기, outside", "연말 성수기, 작업 가능 시간 외"},
		{timeline.TaskMoved, "reason", "expired-rejected", "기한 내 미결정으로 반려"},
		{timeline.TaskMoved, "reason", "the disk is full", "the disk is full"},
		{
			timeline.TaskMoved, "reason", "complete task items of RUN-7K3M9QX2PA: no action item has come of it yet; want one (muster action open … --of RUN-7K3M9QX2PA), or a note that says why there is none",
			"아직 등록한 개선 과제 없음. 개선 과제를 등록하거나(muster action open … --of RUN-7K3M9QX2PA) 없는 이유를 메모로 남겨야 함",
		},
		{timeline.TaskMoved, "reason", `evidence "x": no such run; want the id of a completed run of plan retrospective of garam`, `증적 "x": 해당 실행이 없음. 계획 retrospective의 완료된 실행 ID 필요(대상 고객사: garam)`},
		{timeline.TaskMoved, "reason", "evidence RUN-7K3M9QX2PA: it is halted; want a run that is completed", "증적 RUN-7K3M9QX2PA: 완료된 실행이어야 함"},
		{timeline.TaskMoved, "reason", "documents of shop are complete in revision 1f0c2a", "shop 서비스 문서가 조직 폴더 개정 1f0c2a에 모두 있음"},
		{
			timeline.Measured, "seen", "documents of shop are not complete: no owner; no architecture; no contacts; no response to alert ShopDown; " +
				"no response to the alerts that have none of their own; no response to any alert; runbook RUN001: was to be reviewed by 2026-05-02; " +
				"playbook PLAY001: was last updated on 2025-05-02, more than 365 days ago; and 3 more",
			"(shop 서비스 문서 미비: 담당(owner) 없음; 아키텍처 문서 없음; 문의처(contacts) 없음; 경보 ShopDown의 대응 절차 없음; 대응 절차가 따로 없는 경보의 대응 절차 없음; " +
				"어느 경보에도 대응 절차 없음; runbook RUN001: 검토 기한 2026-05-02 지남; playbook PLAY001: 마지막 수정 2025-05-02, 365일이 넘음; 외 3건)",
		},
		{timeline.VoteVoided, "changed", "evidence rehearse/log 2 added, plan changed", "증적 rehearse/log 2 추가, 계획 변경"},
		{timeline.ChangeAsked, "changes", "added warn, re-timed deploy", "추가 warn, 기한 변경 deploy"},
	} {
		got := texts(t).Entry(timeline.Entry{At: start(), Kind: row.kind, Actor: timeline.Muster(), Facts: []timeline.Fact{timeline.F(row.fact, row.said)}}, "ko", "UTC")
		if !strings.Contains(got, row.ko) {
			t.Errorf("%q: got %q, want it to contain %q", row.said, got, row.ko)
		}
	}
}

// A contact of a customer is outside whatever roles are told, and reads of its own only.
func TestAContactReadsAPlanMessageAsOneFromOutside(t *testing.T) {
	told := planning(planrun.RunHalted, deployer)
	told.For = append(told.For, owner)
	m, err := texts(t).PlanRun(told, delivery.Recipient{ID: "garam/desk", Name: "Desk", Language: "en"})
	if err != nil || !strings.Contains(m.Text, "Dear 가람유통,") || !strings.Contains(m.Text, "You are the service owner of this plan") || strings.Contains(m.Text, "김민수") {
		t.Errorf("got %v\n%s", err, m.Text)
	}
	if got := told.To("owner"); len(got.For) != 1 || got.For[0] != owner || got.Roles[0] != "owner" || len(told.For) != 2 {
		t.Errorf("narrowed to the owner it is for %+v", got.For)
	}
}

// What people write gives no orders to a terminal, and cannot pass for a line of ours.
func TestAPlanMessageIsSafe(t *testing.T) {
	told := planning(planrun.CheckWanted, deployer)
	told.Given[0].Ref, told.Customer = "a\x1b[2Jb\nWHAT NEXT", "x\n\nWHY YOU"
	m, err := texts(t).PlanRun(told, delivery.Recipient{Language: "en"})
	if err != nil || strings.Contains(m.Text, "\x1b") || strings.Count(m.Text, "\nWHAT NEXT") != 1 || strings.Count(m.Text, "\nWHY YOU") != 1 {
		t.Errorf("got %v, %q", err, m.Text)
	}
}

// A text that fails keeps nothing back: the bare facts go out.
func TestAPlanMessageThatCannotBeWritten(t *testing.T) {
	b, err := templates.FS.ReadFile("notifications/plan.en.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(b), `{{define "ready"}}`, `{{define "ready"}}{{if eq .Task "deploy"}}{{index .Targets 7}}{{end}}`, 1)
	all, err := report.New(overlay(t, "notifications/plan.en.tmpl", broken))
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range []planrun.Telling{planning(planrun.TaskReady, deployer), {About: "unheard-of", Run: "RUN-7K3M9QX2PA", Plan: both("Upgrade", "")}} {
		m, err := all.PlanRun(told, delivery.Recipient{Language: "en"})
		if want := "RUN-7K3M9QX2PA: "; err == nil || !strings.HasPrefix(m.Text, want) || m.Text != m.Subject {
			t.Errorf("got %v, %q", err, m.Text)
		}
	}
	if _, err := report.New(overlay(t, "notifications/plan.ko.tmpl", `{{define "subject"}}x{{end}}`)); err == nil || !strings.Contains(err.Error(), `"subject" and "started"`) {
		t.Errorf("a file without texts: got %v", err)
	}
}

// Whoever is asked to decide may do it by a link, which is bound to exactly what the message is about; nobody else gets one.
func TestAPlanMessageOffersItsDecision(t *testing.T) {
	const shown = "5e"
	waiver, override := planning(planrun.WaiverWanted, owner), planning(planrun.OverrideAsked, owner)
	want := map[planrun.About]delivery.Offer{
		planrun.VoteWanted:    {Part: "approve", Content: shown},
		planrun.VoteVoided:    {Part: "approve", Content: shown},
		planrun.ChangeWanted:  {Content: shown},
		planrun.WaiverWanted:  *delivery.OfferOfWaiver("", string(waiver.Run), "scan", "kim", waiver.Reason, waiver.Control, waiver.Until),
		planrun.OverrideAsked: *delivery.OfferOfOverride("", string(override.Run), "production", override.Freeze, "kim", override.Reason, override.Until),
	}
	for _, a := range planrun.Abouts() {
		told := planning(a, owner)
		told.Shown = shown
		m, err := texts(t).PlanRun(told, delivery.Recipient{ID: "seo", Language: "ko"})
		if err != nil {
			t.Fatal(err)
		}
		offer, wanted := want[a]
		switch {
		case !wanted && m.Offer != nil:
			t.Errorf("%s offers %+v", a, m.Offer)
		case !wanted:
		case m.Offer == nil || m.Offer.Label == "" || m.Offer.Part != offer.Part || m.Offer.Content != offer.Content || len(m.Offer.Actions) < 2:
			t.Errorf("%s offers %+v, want %+v", a, m.Offer, offer)
		}
	}
	due := planning(planrun.VoteWanted, owner)
	due.About, due.Shown = planrun.TaskDue, shown // a reminder of a vote
	if m, err := texts(t).PlanRun(due, delivery.Recipient{ID: "seo", Language: "ko"}); err != nil || m.Offer == nil || m.Offer.Content != shown || m.Offer.Label == "" {
		t.Errorf("a reminder offers %+v, %v", m.Offer, err)
	}
	before := planning(planrun.VoteWanted, owner) // from before messages said what is shown
	if m, err := texts(t).PlanRun(before, delivery.Recipient{ID: "seo", Language: "ko"}); err != nil || m.Offer != nil {
		t.Errorf("it offers %+v, %v", m.Offer, err)
	}
}

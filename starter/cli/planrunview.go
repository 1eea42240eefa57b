package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

func runLabelsIn(language string) runLabels {
	if language == "ko" {
		return runLabels{
			run: "계획 실행", plan: "계획", environments: "환경", production: "운영", parameters: "매개변수", begun: "시작", ended: "끝난 시각", since: "상태 변경",
			revised: "재계획 횟수", absent: "해당 없음",
			task: "작업", who: "담당", wanted: "필요한 일", wait: "기다리는 일", votes: "투표", voted: "찬성 %d, 반대 %d, 기권 %d", rollback: "롤백", component: "구성 요소",
			override: "변경 동결 예외", held: "변경 보류", silenced: "경보 보류 중", noAlert: "아직 없음", kept: "보류한 경보", resolved: "해소됨", fired: "장애로 접수", waiting: "대기 시작", evidence: "증적", reason: "사유",
			upgrade: "업그레이드", goLive: "오픈", readiness: "준비 상태 검토", maintenance: "유지보수",
			onWhat: "투표 대상", sums: "SHA-256", sure: "투표 내용: %s. 투표하려면 yes를 입력하십시오:", changeOf: "재계획",
			noInbox: "할 일이 없습니다", cut: "모두 살피지는 못했습니다: %s", about: "대상", command: "명령",
		}
	}
	return runLabels{
		run: "Run", plan: "Plan", environments: "Environments", production: "production", parameters: "Parameters", begun: "Started", ended: "Ended", since: "Since",
		revised: "Changed", absent: "Not in it",
		task: "Task", who: "Who", wanted: "Wanted", wait: "Waits for", votes: "Votes", voted: "%d yes, %d no, %d abstained", rollback: "Rollback", component: "Component",
		override: "Override", held: "Held", silenced: "Alerts held back", noAlert: "none yet", kept: "Alert held back", resolved: "resolved meanwhile", fired: "became an incident", waiting: "Since", evidence: "Evidence", reason: "Reason",
		upgrade: "upgrade", goLive: "go-live", readiness: "readiness review", maintenance: "maintenance",
		onWhat: "What is voted on", sums: "SHA-256", sure: "Type yes to vote %s:", changeOf: "change of the plan",
		noInbox: "nothing waits for you", cut: "not all of these were looked at: %s", about: "About", command: "Command",
	}
}

// planRun shows one run on one screen.
func (p page) planRun(r *planrun.Run) {
	fmt.Fprintln(p.w, p.paint(bold, printable(fmt.Sprintf("%s  %s: %s (%s)", r.ID, r.CustomerName, r.Plan.Name.In(p.language), r.Target().Name))))
	stands := p.planStatus(r.Status)
	if r.Reason != "" && r.Status != planrun.Running { // of a run that goes on it is why it did not
		stands += ": " + printable(r.Reason)
	}
	fmt.Fprintf(p.w, "%s: %s\n\n", p.say.status, stands)
	p.rows(p.w, p.planFacts(r), text.WrapSoft)
	fmt.Fprintln(p.w)
	p.planTasks(r, r.Tasks)
	p.waits(r)
	p.planVotes(r)
	p.undoing(r)
	p.cameOf(r)
}

// cameOf shows the action items that came of a run.
func (p page) cameOf(r *planrun.Run) {
	if len(r.Actions) == 0 {
		return
	}
	say := actionLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, say.item, say.opened)}
	for _, a := range r.Actions {
		stands := ""
		if a.Status != "" {
			stands = p.actionStatus(a.Status)
		}
		rows = append(rows, []string{printable(a.ID), stands, printable(a.Title), printable(a.By.Shown())})
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, say.came))
	p.rows(p.w, rows, text.WrapSoft)
}

// planFacts are the lines at the top of a run.
func (p page) planFacts(r *planrun.Run) [][]string {
	say, f := runLabelsIn(p.language), facts{page: p}
	f.add(p.say.kind, say.kind(r.Plan.Kind))
	f.add(say.plan, printable(fmt.Sprintf("%s, SHA-256 %.12s…", r.Plan.ID, r.SHA256)))
	var environments, values []string
	for _, e := range r.Environments {
		line := fmt.Sprintf("%s: %s", e.ID, e.Name)
		if e.Production {
			line += " (" + say.production + ")"
		}
		environments = append(environments, printable(line))
	}
	for _, v := range r.Parameters {
		values = append(values, printable(v.ID+"="+cmp.Or(v.Value, strings.Join(v.List, ","))))
	}
	f.add(say.environments, environments...)
	f.add(say.parameters, values...)
	f.add(say.begun, fmt.Sprintf("%s, %s", p.at(r.Opened), printable(r.StartedBy())))
	if r.Over() {
		f.add(say.ended, fmt.Sprintf("%s, %s", p.at(r.Ended), printable(r.By.Shown())))
	} else if r.Status != planrun.Running {
		f.add(say.since, fmt.Sprintf("%s, %s", p.at(r.Since), printable(r.By.Shown())))
	}
	if r.Revised > 0 {
		f.add(say.revised, fmt.Sprint(r.Revised))
	}
	for _, a := range r.Absent {
		f.add(say.absent, printable(fmt.Sprintf("%s: %s", a.ID, a.When)))
	}
	for _, l := range r.Windows {
		if l.Open || r.Over() {
			continue
		}
		line := l.Environment + ": " + p.word("window", "closed")
		for _, why := range l.Why {
			if why.Holds() && why.Name != "" {
				line += ", " + why.Name
			}
		}
		if !l.Next.IsZero() {
			line += "; " + strings.ToLower(p.say.next) + ": " + p.at(l.Next)
		}
		f.add(say.held, printable(line))
	}
	for _, l := range r.Locks {
		if l.Holder != "" && !r.Over() {
			f.add(say.held, printable(l.Environment+": "+p.view.texts.PlanReason(l.Holder+" is changing it", p.language)))
		}
	}
	for n := range r.Tasks {
		if t := &r.Tasks[n]; t.Reason != "" && !r.Over() && (t.Status == planrun.Failed || t.Status == planrun.Unclear) {
			f.add(p.word("task", string(t.Status)), printable(t.ID+": "+p.view.texts.PlanReason(t.Reason, p.language)))
		}
	}
	for _, s := range r.Silences {
		if !s.Begun.IsZero() {
			f.add(say.silenced, printable(fmt.Sprintf("%s: %s", s.Environment, cmp.Or(strings.Join(s.Names, ", "), say.noAlert))))
		}
	}
	for _, a := range r.Alerts {
		end := say.resolved
		if !a.Resolved {
			end = say.fired
		}
		f.add(say.kept, printable(fmt.Sprintf("%s (%s): %s, %s", a.Name, a.Task, p.at(a.First), end)))
	}
	for _, o := range r.Override {
		if !o.Over && !o.Refused && !r.Over() {
			by := o.Asked.By.Shown()
			if o.Asked.Approver.ID != "" {
				by += ", " + o.Asked.Approver.Shown()
			}
			until := fmt.Sprintf(freezeLabelsIn(p.language).until, p.at(o.Asked.Until))
			f.add(say.override, printable(fmt.Sprintf("%s, %s: %s (%s)", o.Environment, until, o.Asked.Reason, by)))
		}
	}
	return f.rows
}

// planTasks shows one row for each task, under its phase.
func (p page) planTasks(r *planrun.Run, tasks []planrun.Task) {
	say := runLabelsIn(p.language)
	rows := [][]string{p.head(say.task, p.say.title, p.say.status, say.who, p.say.due)}
	for _, phase := range r.Plan.Phases {
		named := false
		for _, def := range phase.Tasks {
			n := slices.IndexFunc(tasks, func(t planrun.Task) bool { return t.ID == def.ID })
			if n < 0 {
				continue
			}
			if !named {
				rows, named = append(rows, []string{p.paint(bold, printable(phase.Name.In(p.language)))}), true
			}
			t := &tasks[n]
			due := ""
			if !t.Status.Ended() {
				due = p.dueSoon(t.Due)
			}
			rows = append(rows, []string{"  " + printable(t.ID), printable(def.Name.In(p.language)), p.taskStatus(t.Status), p.doer(r, t, def), due})
		}
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// doer is who does a task: whoever was asked to, or the roles that do it or vote.
func (p page) doer(r *planrun.Run, t *planrun.Task, def plan.Task) string {
	if t.Person.ID != "" {
		return printable(t.Person.Shown())
	}
	roles := def.Doers()
	if def.Vote != nil {
		roles = nil
		for _, v := range def.Vote.Voters {
			roles = append(roles, v.Role)
		}
	}
	return p.planRoles(r, roles)
}

// planRoles are the names of roles.
func (p page) planRoles(r *planrun.Run, ids []string) string {
	names := make([]string, len(ids))
	for n, id := range ids {
		role, _ := r.Plan.Role(id)
		names[n] = cmp.Or(role.Name.In(p.language), id)
	}
	return printable(strings.Join(names, ", "))
}

// waits shows what a run waits for, and of whom.
func (p page) waits(r *planrun.Run) {
	say, all := runLabelsIn(p.language), r.Waits(p.env.Now())
	if len(all) == 0 {
		return
	}
	rows := [][]string{p.head(say.wanted, say.about, say.who, say.waiting, p.say.due)}
	for _, w := range all {
		who := p.planRoles(r, w.Roles)
		if len(w.People) > 0 {
			who = people(w.People)
		}
		about := cmp.Or(w.Task, w.Environment)
		if w.Want == planrun.WantStep {
			about += fmt.Sprintf(": %d. %s", w.Step, w.Text)
		}
		rows = append(rows, []string{p.want(string(w.Want)), printable(about), who, p.instant(w.Since), p.at(w.Due)})
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, say.wait))
	p.rows(p.w, rows, text.WrapSoft)
}

func people(all []timeline.Actor) string {
	names := make([]string, len(all))
	for n, a := range all {
		names[n] = a.Shown()
	}
	return printable(strings.Join(names, ", "))
}

// planVotes shows how the votes stand.
func (p page) planVotes(r *planrun.Run) {
	say := runLabelsIn(p.language)
	rows := [][]string{p.head(say.task, p.say.status, say.votes, say.sums)}
	add := func(name string, b *approval.Ballot) {
		if b == nil {
			return
		}
		count := ""
		if s := b.Standing(p.env.Now()); !r.Partial { // who of others has voted, and how, is hidden
			count = fmt.Sprintf(say.voted, s.Yes, s.No, s.Abstained)
		}
		rows = append(rows, []string{printable(name), p.word("verdict", string(b.Outcome.Verdict)), count, printable(b.Shown.SHA256)})
	}
	for n := range r.Tasks {
		add(r.Tasks[n].ID, r.Tasks[n].Ballot)
	}
	if r.Change != nil {
		add(say.changeOf, r.Change.Ballot)
	}
	if len(rows) > 1 {
		fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, say.votes))
		p.rows(p.w, rows, text.WrapSoft)
	}
}

// undoing shows where the newest rollback stands.
func (p page) undoing(r *planrun.Run) {
	u, say := r.Undoing, runLabelsIn(p.language)
	if u == nil {
		return
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, printable(fmt.Sprintf("%s: %s, %s: %s", say.rollback, u.Environment, u.By.Shown(), u.Reason))))
	rows := [][]string{p.head(say.task, say.component, p.say.status, p.say.due)}
	for _, i := range u.Items {
		due := ""
		if i.State != planrun.Undone && i.State != planrun.Forward {
			due = p.at(i.Due)
		}
		rows = append(rows, []string{printable(i.Task), printable(i.Component), p.word("undo", string(i.State)), due})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// showBallot tells the user what is voted on, beside the answer.
func (a *app) showBallot(r *planrun.Run, task string, b *approval.Ballot) error {
	texts, err := a.env.Texts()
	if err != nil {
		return err
	}
	a.view.texts = texts
	p, say := a.page(a.env.Stderr, "", r.Zone), runLabelsIn(a.language())
	name := say.changeOf
	if _, def, ok := r.Task(task); ok {
		name = def.Name.In(p.language)
	}
	fmt.Fprintln(p.w, printable(fmt.Sprintf("%s  %s: %s", r.ID, r.Plan.Name.In(p.language), name)))
	rows := [][]string{p.head(say.onWhat, say.sums)}
	for _, l := range b.Shown.Lines {
		rows = append(rows, []string{printable(l.Name), l.SHA256})
	}
	p.rows(p.w, rows, text.WrapSoft)
	_, def, _ := r.Task(task)
	for _, id := range def.Shows {
		if t, _, ok := r.Task(id); ok {
			for n, g := range t.Evidence {
				fmt.Fprintln(p.w, printable(fmt.Sprintf("%s %s/%s %d: %s %s", say.evidence, id, g.Item, n+1, g.Ref, g.Note)))
			}
		}
	}
	if task == "" {
		for _, d := range r.Change.Diff {
			what := ""
			if d.Was != "" || d.Is != "" {
				what = ": " + cmp.Or(d.Was, "–") + " → " + cmp.Or(d.Is, "–")
			}
			fmt.Fprintln(p.w, printable(fmt.Sprintf("%s %s%s", d.Kind, d.Task, what)))
		}
		fmt.Fprintln(p.w, printable(say.reason+": "+r.Change.Reason))
	}
	fmt.Fprintln(p.w, "SHA-256 "+printable(b.Shown.SHA256))
	return nil
}

// want is what is wanted of somebody.
func (p page) want(code string) string {
	say := map[string][2]string{
		"begin": {"begin", "시작"}, "complete": {"complete", "완료 처리"}, "step": {"do the step", "단계 수행"}, "check": {"check evidence", "증적 확인"},
		"settle": {"say what became of it", "결과 확정"}, "retry": {"say how it goes on", "다음 진행 결정"}, "vote": {"vote", "투표"}, "waive": {"decide on the waiver", "예외 승인 결정"},
		"confirm-override": {"decide on the override", "변경 동결 예외 결정"}, "rollback": {"roll back", "롤백 수행"}, "settle-rollback": {"settle the rollback", "롤백 결과 확정"},
		"continue": {"continue or cancel", "재개 또는 취소 결정"}, "acknowledge": {"acknowledge", "확인(ACK)"}, "promise": {"keep the promise", "목표 준수"}, "file-case": {"file the case", "벤더 케이스 접수"}, "late-case": {"escalate the case", "벤더 케이스 에스컬레이션"},
		"review": {"review", "사후 분석"}, "approve": {"decide on the request", "요청 결정"}, "approve-text": {"decide on the text", "안내문 승인 결정"},
		"confirm": {"take over", "인수 확인"},
		"solve":   {"solve the problem", "문제 해결"},
		"act":     {"do it", "과제 수행"}, "verify": {"verify it", "검증"}, "effect": {"say whether it has helped", "효과 확인"},
		"take": {"see to it", "대응 담당"}, "answer": {"say what is done", "조치 답변"}, "judge": {"say whether it is enough", "충분한지 확인"},
		"fixed": {"say whether it is fixed", "해결 여부 답변"}, "assess": {"say how risky it is", "위험 등급 평가"}, "start": {"start it", "시작"}, "end": {"end it", "종료 처리"}, "approve-response": {"let Muster act", "자동 대응 승인 결정"},
	}[code]
	if p.language == "ko" {
		return cmp.Or(say[1], printable(code))
	}
	return cmp.Or(say[0], printable(code))
}

// dueSoon is when something is due, in red once it is past.
func (p page) dueSoon(at time.Time) string {
	if !at.IsZero() && at.Before(p.env.Now()) {
		return p.paint(red, p.at(at))
	}
	return p.at(at)
}

package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"muster/internal/incident"
)

// wholeLabels are the words about what leads an incident to its end.
type wholeLabels struct {
	receipt, received, respondBy, reportedBy, cause, announced, statusPages, behind, proposed, expected, waitsFor, stillFiring, countsFrom, mergedInto, merged, responded, related, vendorCase, caseAnswered, caseLate, awaited, working, fixAsked, fixLapsed, result string

	summoned, caused, caseRecorded, timeSet, resultOnItsWay, answered, runbookStarted, runbookEnded, merging, splitOff, relation string // what a command has done
}

func wholeIn(language string) wholeLabels {
	if language == "ko" {
		return wholeLabels{
			receipt: "접수 번호", received: "접수 시각", respondBy: "대응 기한", reportedBy: "통보", cause: "원인", announced: "최근 안내", statusPages: "상태 페이지", behind: "갱신되지 않음", proposed: "승인 대기 안내문", expected: "복구 예상 시각", waitsFor: "안내문 승인 대기 중, SHA-256 %s", stillFiring: "아직 발생 중인 경보: %d", countsFrom: "접수 시각이 %s이므로, 약속한 기한도 그때부터 계산합니다", mergedInto: "병합된 곳", merged: "병합한 인시던트",
			responded: "자동 대응", related: "관련 인시던트", vendorCase: "벤더 케이스", caseAnswered: "%s에 회신", caseLate: "회신 기한 초과", awaited: "지원 요청", working: "실행 중인 런북",
			fixAsked: "해결 확인", fixLapsed: "기한 내 답변 없음", result: "결과 보고서",
			summoned: "%s 지원 요청 발송 시작", caused: "원인 기록: %s", caseRecorded: "%s 케이스 기록", timeSet: "%s: %s", resultOnItsWay: "장애처리결과보고서 발송 시작: %s",
			answered: "답변 기록: %s", runbookStarted: "런북 실행 중: %s", runbookEnded: "런북 %s: %s", merging: "%s에 병합 요청", splitOff: "병합 취소", relation: "%s 관련 장애로 기록",
		}
	}
	return wholeLabels{
		receipt: "Receipt", received: "Received", respondBy: "Response by", reportedBy: "Reported", cause: "Cause", announced: "Last told", statusPages: "Status pages", behind: "not up to date", proposed: "Waits for approval", expected: "Expected to be back to normal", waitsFor: "the text waits for an approval, SHA-256 %s", stillFiring: "alerts that still fire: %d", countsFrom: "received %s: what was promised counts from then", mergedInto: "Merged into", merged: "Merged",
		responded: "Automatic response", related: "Related", vendorCase: "Vendor case", caseAnswered: "answered at %s", caseLate: "answer overdue", awaited: "Asked to help", working: "Runbooks in use",
		fixAsked: "Fixed?", fixLapsed: "no answer in time", result: "Result report",
		summoned: "%s is being asked to help", caused: "cause recorded: %s", caseRecorded: "case with %s recorded", timeSet: "%s is %s now", resultOnItsWay: "incident result report on its way to %s",
		answered: "answer recorded: %s", runbookStarted: "working by %s", runbookEnded: "runbook %s: %s", merging: "asked %s to take it in", splitOff: "it goes on by itself", relation: "related to %s",
	}
}

// answers are the lines on what customers were asked after the resolution.
func (f *facts) answers(i *incident.Incident) {
	names := map[string]string{}
	for _, c := range i.Definition.Customers {
		names[c.ID] = c.Name
	}
	var lines []string
	for _, k := range i.Confirmations {
		said := ""
		switch {
		case k.Answer != "":
			said = f.word("fix", string(k.Answer))
		case k.Lapsed:
			said = f.paint(yellow, f.say.fixLapsed)
		case !k.Clock.Due.IsZero():
			said = f.at(k.Clock.Due)
		}
		lines = append(lines, printable(cmp.Or(names[k.Clock.Customer], k.Clock.Customer))+": "+said)
	}
	f.add(f.say.fixAsked, lines...)
}

// whole are the lines on who has reported an incident, why it happened, who is to help and what others do, and which incidents it has
// to do with.
func (f *facts) whole(i *incident.Incident) {
	if n := i.Notice; n != nil {
		who := n.NoticedBy
		for _, c := range i.Definition.Customers {
			if c.ID == n.Customer {
				who = strings.TrimSuffix(c.Name+", "+n.NoticedBy, ", ")
			}
		}
		f.add(f.say.reportedBy, printable(strings.Join(filledIn(who, f.word("channel", string(n.Channel)), n.Receipt), ", ")), printable(n.Text))
		f.add(f.say.received, f.at(n.Received))
	}
	if c := i.Cause; c != nil {
		f.add(f.say.cause, printable(strings.Join(filledIn(f.word("domain", string(c.Domain)), c.Vendor, c.Text), ", ")))
	}
	f.response(i)
	f.communication(i)
	var cases, awaited, working, related, merged, results []string
	for _, k := range i.Cases {
		stands := f.paint(yellow, f.say.caseLate)
		switch {
		case !k.Answered.IsZero():
			stands = fmt.Sprintf(f.say.caseAnswered, f.instant(k.Answered))
		case k.Clock == nil || k.Clock.Due.IsZero():
			stands = ""
		case !k.Clock.Late:
			stands = f.at(k.Clock.Due)
		}
		cases = append(cases, strings.Join(filledIn(printable(k.Support.Name), printable(k.Reference), stands), ", "))
	}
	for _, s := range i.Summons {
		if s.Answered.IsZero() && i.Status.Open() {
			who := printable(cmp.Or(s.Name, s.Team))
			if s.Team == "" {
				who = fmt.Sprintf(f.say.person, printable(cmp.Or(s.Name, s.Person)))
			}
			awaited = append(awaited, who+", "+f.at(s.Due))
		}
	}
	for _, u := range i.Runbooks {
		if u.Ended.IsZero() {
			working = append(working, printable(u.Name+", "+u.By.Shown())+", "+f.at(u.Started))
		}
	}
	for _, r := range i.Related {
		related = append(related, printable(fmt.Sprintf("%s (%s) %s", r.ID, f.word("relation", string(r.Kind)), r.Title)))
	}
	for _, m := range i.Merged {
		merged = append(merged, printable(string(m.ID)+" "+m.Title))
	}
	for _, r := range i.Results {
		if !r.Sent.IsZero() {
			results = append(results, printable(r.Customer)+", "+f.at(r.Sent))
		}
	}
	f.add(f.say.vendorCase, cases...)
	f.add(f.say.awaited, awaited...)
	f.add(f.say.working, working...)
	if m := i.MergedInto; m != nil && i.Status == incident.Merged {
		f.add(f.say.mergedInto, printable(string(m.ID)+" "+m.Title))
	}
	f.add(f.say.merged, merged...)
	f.add(f.say.related, related...)
	f.add(f.say.result, results...)
}

// word is one of the words of package report.
func (p page) word(axis, code string) string {
	if code == "" {
		return ""
	}
	return p.view.texts.Word(axis, code, p.language)
}

// filledIn are those of some texts that say something.
func filledIn(texts ...string) (all []string) {
	for _, t := range texts {
		if t != "" {
			all = append(all, t)
		}
	}
	return all
}

// doneWhole says what a deed of wholeDeeds has done.
func (p page) doneWhole(c incident.Command) string {
	switch c := c.(type) {
	case incident.AddResponder:
		return fmt.Sprintf(p.say.summoned, cmp.Or(c.Person, c.Team))
	case incident.SetCause:
		return fmt.Sprintf(p.say.caused, strings.Join(filledIn(p.word("domain", string(c.Domain)), c.Vendor), ", "))
	case incident.RecordCase:
		return fmt.Sprintf(p.say.caseRecorded, c.Vendor)
	case incident.SetTime:
		return fmt.Sprintf(p.say.timeSet, p.word("point", string(c.Point)), c.At.Format(time.RFC3339)) // in the zone in which it was given
	case incident.SendReport:
		return fmt.Sprintf(p.say.resultOnItsWay, cmp.Or(c.Customer, p.say.everyCustomer))
	case incident.Answer:
		return fmt.Sprintf(p.say.answered, p.word("fix", string(c.Answer)))
	case incident.StartRunbook:
		return fmt.Sprintf(p.say.runbookStarted, c.Runbook)
	case incident.EndRunbook:
		return fmt.Sprintf(p.say.runbookEnded, c.Runbook, p.word("runbook", string(c.Outcome)))
	case incident.Merge:
		return fmt.Sprintf(p.say.merging, c.Into)
	case incident.Split:
		return p.say.splitOff
	case incident.Relate:
		return fmt.Sprintf(p.say.relation, c.To)
	}
	return ""
}

// communication is what those outside were told, what waits for an approval, and how far the status pages are.
func (f *facts) communication(i *incident.Incident) {
	if x := i.Announced; x != nil {
		f.add(f.say.announced, strings.Join(filledIn(f.word("public", string(x.Status)), f.at(x.At)), ", "))
	}
	if x := i.Proposed; x != nil {
		lines := append([]string{x.SHA256, printable(x.By.Shown()) + ", " + f.at(x.At)}, paragraphs(x.Update.Text)...)
		if x.Update.Status != "" {
			lines = append(lines, f.word("public", string(x.Update.Status)))
		}
		if !x.Update.Expected.IsZero() {
			lines = append(lines, f.say.expected+": "+f.instant(x.Update.Expected))
		}
		if x.Update.Workaround != "" {
			lines = append(lines, paragraphs(x.Update.Workaround)...)
		}
		if x.Update.Public {
			lines = append(lines, f.say.statusPages)
		}
		f.add(f.say.proposed, lines...)
	}
	if x := i.Posted; x != nil {
		var pages []string
		for _, page := range x.Pages {
			stands := f.say.behind
			if page.Written == x.Revision {
				stands = f.word("public", string(x.Status))
			}
			pages = append(pages, strings.Join(filledIn(printable(page.ID), stands, printable(page.Ref)), ", "))
		}
		f.add(f.say.statusPages, pages...)
	}
}

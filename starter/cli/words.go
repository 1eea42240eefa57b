package cli

// labels are the words of one language that stand beside values. The values' own words come from package report.
type labels struct {
	incident, priority, status, service, customers, customer, opened, next, title string

	started, resolved, closed, responding, nobody, paging, step, lastResort, expires, roles, alerts, firing string

	ticket, report, review, previous, links, entries, promise, due, left, atRisk string

	in, ago, remaining, over, now, person string

	schedule, somebody string // kinds of escalation targets

	alert, last, times, summary, fires, ended, more, runbook, source string

	assigned, noted, escalated, paused, resumed, updated, everyCustomer string // what a command has done
}

// labelsIn returns the labels of a language, the English ones for a language that has none.
func labelsIn(language string) labels {
	if language == "ko" {
		return labels{
			incident: "인시던트", priority: "우선순위", status: "상태", service: "서비스", customers: "고객사", customer: "고객사",
			opened: "발생 시각", next: "다음 기한", title: "제목",
			started: "시작", resolved: "해결", closed: "종료", responding: "대응 담당자", nobody: "없음", paging: "호출",
			step: "에스컬레이션 %d/%d단계(%d회차) %s", lastResort: "최종 대상 %s", expires: "활동이 없으면 %s에 호출 재개",
			roles: "역할", alerts: "경보", firing: "%d건 발생 중 / 모두 %d건",
			ticket: "티켓", report: "보고서", review: "사후 분석", previous: "직전 인시던트", links: "링크", entries: "최근 기록",
			promise: "목표", due: "기한", left: "남은 시간", atRisk: "임박",
			in: "%s 후", ago: "%s 전", remaining: "%s 남음", over: "%s 초과", now: "지금", person: "%s 님", schedule: "당직표 %s", somebody: "개인 %s",
			alert: "경보", last: "최근 수신", times: "횟수", summary: "요약", fires: "발생", ended: "해결",
			more: " 외 %d종 (muster incident alerts %s)", runbook: "런북", source: "경보 출처",
			assigned: "%s: %s", noted: "타임라인 %d번으로 기록", escalated: "다음 단계 호출", paused: "시한 일시 정지: %s (%s)",
			resumed: "시한 재개: %s (%s)", updated: "진행 상황 안내 발송 시작: %s", everyCustomer: "모든 고객사",
		}
	}
	return labels{
		incident: "Incident", priority: "Priority", status: "Status", service: "Service", customers: "Customers", customer: "Customer",
		opened: "Opened", next: "Next due", title: "Title",
		started: "Started", resolved: "Resolved", closed: "Closed", responding: "Responding", nobody: "nobody", paging: "Paging",
		step: "step %d of %d, round %d: %s", lastResort: "last resort: %s", expires: "pages again without a sign of life by %s",
		roles: "Roles", alerts: "Alerts", firing: "%d firing of %d",
		ticket: "Ticket", report: "Report", review: "Review", previous: "Previous", links: "Links", entries: "Last entries",
		promise: "Promise", due: "Due", left: "Left", atRisk: "at risk",
		in: "in %s", ago: "%s ago", remaining: "%s left", over: "%s over", now: "now", person: "%s", schedule: "schedule %s", somebody: "person %s",
		alert: "Alert", last: "Last seen", times: "Times", summary: "Summary", fires: "firing", ended: "resolved",
		more: " and %d more (muster incident alerts %s)", runbook: "Runbook", source: "Alert source",
		assigned: "%[2]s is %[1]s now", noted: "recorded as entry %d", escalated: "the next step is paged", paused: "promise paused: %s (%s)",
		resumed: "promise running again: %s (%s)", updated: "update on its way to %s", everyCustomer: "all customers",
	}
}

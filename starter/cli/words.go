package cli

import (
	"fmt"
	"regexp"
	"strings"
)

// labels are the words of one language that stand beside values. The values' own words come from package report.
type labels struct {
	incident, priority, status, service, customers, customer, opened, next, title string

	started, resolved, closed, responding, nobody, paging, step, lastResort, expires, roles, alerts, firing string

	ticket, room, report, review, changedBefore, links, entries, promise, due, left, beginsAt, atRisk string

	in, ago, remaining, over, now, person string

	schedule, somebody, group, part, engineer, vendor, contact string // kinds of escalation targets

	alert, last, times, summary, fires, ended, more string

	assigned, noted, escalated, paused, resumed, updated, repinned, everyCustomer string // what a command has done

	wholeLabels

	you, kind, human, machine, party, scopes, server, tokenFrom, context, current string // for whom one acts, and where

	token, actor, until, used, never, label, good, expired, revoked, made, madeForever, tokenRevoked, formMade string // tokens, and forms

	key, signsFrom, revokedAt, public, signs, verifies, coming, rotated, keyRevoked, revoking, sure string // keys

	number, when, remote, tried, subject, reason string // what was refused

	roster, onCall, begins, ends, lasts, named string // schedules

	reviewOpen, reviewClosed, overdue, reopened, timeline, detect, engage, diagnose, mitigate, reviewNoted, reviewEnded, reviewVoid, reviewNext, reviewMore, reviewText string // reviews

	handing, handNote, handBegun, handEnded, handWords, handRounds, handOpen, handConfirmed, handDeclined, handLapsed string // hand-overs

	handedOver, handTaken, handKept, handNoted, handUnseen, handFailed string // what a command has done with one
}

// labelsIn returns the labels of a language, the English ones for a language that has none.
func labelsIn(language string) labels {
	if language == "ko" {
		return labels{
			incident: "인시던트", priority: "우선순위", status: "상태", service: "서비스", customers: "고객사", customer: "고객사",
			opened: "등록 시각", next: "다음 예정", title: "제목",
			started: "시작", resolved: "해결", closed: "종료", responding: "대응 담당자", nobody: "없음", paging: "호출",
			step: "에스컬레이션 %d/%d단계(%d회차) %s", lastResort: "최종 대상 %s", expires: "활동이 없으면 %s에 호출 재개",
			roles: "역할", alerts: "경보", firing: "%d건 발생 중 / 총 %d건",
			ticket: "티켓", room: "채팅방", report: "보고서", review: "사후 분석", changedBefore: "발생 전 변경", links: "링크", entries: "최근 기록",
			promise: "목표", due: "기한", left: "남은 시간", beginsAt: ", %s부터 계산", atRisk: "임박",
			in: "%s 후", ago: "%s 전", remaining: "%s 남음", over: "%s 초과", now: "지금", person: "%s 님", schedule: "당직표 %s", somebody: "개인 %s",
			group: "그룹 %s", part: "역할 %s", engineer: "전담 엔지니어", vendor: "벤더 %s", contact: "고객사 담당자 %s",
			alert: "경보", last: "최근 수신", times: "횟수", summary: "요약", fires: "발생", ended: "해결",
			more:     " 외 %d종 (muster incident alerts %s)",
			assigned: "%s: %s", noted: "타임라인 %d번으로 기록", escalated: "다음 단계 호출", paused: "시한 일시 정지: %s (%s)",
			resumed: "시한 재개: %s (%s)", updated: "진행 상황 안내 발송 시작: %s", everyCustomer: "모든 고객사", repinned: "현재 약속으로 변경됨(muster incident timeline %s)",
			wholeLabels: wholeIn(language),
			you:         "사용자", kind: "종류", human: "사람", machine: "기계", party: "소속", scopes: "범위", server: "서버",
			tokenFrom: "토큰 출처", context: "컨텍스트", current: "현재",
			token: "토큰", actor: "행위자", until: "만료", used: "최근 사용", never: "없음", label: "용도",
			good: "유효", expired: "만료됨", revoked: "폐기됨",
			made: "토큰 %s: %s, %s까지 유효", madeForever: "토큰 %s: %s, 만료 없음", tokenRevoked: "토큰 %s (%s): %s에 폐기됨", formMade: "%s의 접수 양식: %s까지 유효. 링크를 가진 사람은 이 이름으로 접수할 수 있습니다",
			key: "키", signsFrom: "서명 시작", revokedAt: "폐기 시각", public: "공개 키", signs: "서명 중", verifies: "검증만", coming: "서명 예정",
			rotated: "키 %s: %s부터 서명, 그때까지는 이전 키로 서명", keyRevoked: "키 %s: %s에 폐기됨",
			revoking: "키 %s의 서명 가운데 아직 처리되지 않은 것은 모두 무효가 됩니다. 메시지 속 링크와 워크플로로 가는 중인 요청이 그렇습니다.\n" +
				"이미 처리된 것은 그대로 유효합니다. 되돌릴 수 없습니다.",
			sure:   "폐기하려면 yes를 입력하십시오:",
			number: "번호", when: "시각", remote: "접속 주소", tried: "시도", subject: "대상", reason: "거부 사유",
			roster: "당직표", onCall: "당직자", begins: "시작 시각", ends: "종료 시각", lasts: "기간", named: "이름",
			reviewOpen: "진행 중", reviewClosed: "종료", overdue: "기한 초과", reopened: "다시 열린 횟수", timeline: "타임라인",
			detect: "감지", engage: "대응 착수", diagnose: "진단", mitigate: "완화", reviewNoted: "%s: 사후 분석에 기록", reviewEnded: "%s: 사후 분석 종료",
			reviewVoid: "%s: 승인과 게시가 무효가 됨. 다시 승인받아 게시해야 함", reviewNext: "다음 할 일", reviewMore: "  외 %d건: muster review show %s", reviewText: "내용",
			handing: "인수인계", handNote: "인계자 메모", handBegun: "시작", handEnded: "끝난 시각", handWords: "답변", handRounds: "에스컬레이션 횟수",
			handOpen: "확인 대기", handConfirmed: "인수 확인", handDeclined: "거절", handLapsed: "만료",
			handedOver: "%s: 인수자 %s, 확인 기한 %s", handTaken: "%s: 인수 확인, 넘어온 역할 %d건", handKept: "%s: 인수인계 거절, 당직은 그대로 인계자",
			handNoted: "%s: 인수인계에 기록", handUnseen: "여기에 없는 진행 중 인시던트 %d건 (muster incident list)", handFailed: "넘어가지 못한 역할: %s %s: %s",
		}
	}
	return labels{
		incident: "Incident", priority: "Priority", status: "Status", service: "Service", customers: "Customers", customer: "Customer",
		opened: "Opened", next: "Next", title: "Title",
		started: "Started", resolved: "Resolved", closed: "Closed", responding: "Responding", nobody: "nobody", paging: "Paging",
		step: "step %d of %d, round %d: %s", lastResort: "last resort: %s", expires: "pages again without a sign of life by %s",
		roles: "Roles", alerts: "Alerts", firing: "%d firing of %d",
		ticket: "Ticket", room: "Room", report: "Report", review: "Review", changedBefore: "Changed before", links: "Links", entries: "Last entries",
		promise: "Promise", due: "Due", left: "Left", beginsAt: ", from %s", atRisk: "at risk",
		in: "in %s", ago: "%s ago", remaining: "%s left", over: "%s over", now: "now", person: "%s", schedule: "schedule %s", somebody: "person %s",
		group: "group %s", part: "role %s", engineer: "the designated engineer", vendor: "vendor %s", contact: "contact %s",
		alert: "Alert", last: "Last seen", times: "Times", summary: "Summary", fires: "firing", ended: "resolved",
		more:     " and %d more (muster incident alerts %s)",
		assigned: "%[2]s is %[1]s now", noted: "recorded as entry %d", escalated: "the next step is paged", paused: "promise paused: %s (%s)",
		resumed: "promise running again: %s (%s)", updated: "update on its way to %s", everyCustomer: "all customers", repinned: "the promises of now are pinned (muster incident timeline %s)",
		wholeLabels: wholeIn(language),
		you:         "You", kind: "Kind", human: "person", machine: "machine", party: "Party", scopes: "Scopes", server: "Server",
		tokenFrom: "Token from", context: "Context", current: "Current",
		token: "Token", actor: "Actor", until: "Expires", used: "Last used", never: "never", label: "Label",
		good: "good", expired: "expired", revoked: "revoked",
		made: "token %s for %s, good until %s", madeForever: "token %s for %s, which never expires", formMade: "form of %s, good until %s: whoever has the link reports in that name",
		tokenRevoked: "token %s of %s: revoked at %s",
		key:          "Key", signsFrom: "Signs from", revokedAt: "Revoked at", public: "Public key", signs: "signs", verifies: "verifies", coming: "to come",
		rotated: "key %s signs from %s; until then the one before it does", keyRevoked: "key %s: revoked at %s",
		revoking: "Whatever key %s has signed and nobody has taken yet becomes worthless: links in messages, and requests on their way\n" +
			"to workflows. What was taken stays true. It cannot be undone.",
		sure:   "Type yes to revoke it:",
		number: "Number", when: "When", remote: "From", tried: "Tried", subject: "Subject", reason: "Why refused",
		roster: "Schedule", onCall: "On call", begins: "From", ends: "Until", lasts: "Lasts", named: "Name",
		reviewOpen: "open", reviewClosed: "closed", overdue: "overdue", reopened: "Reopened", timeline: "Timeline",
		detect: "Detect", engage: "Engage", diagnose: "Diagnose", mitigate: "Mitigate",
		reviewNoted: "%s: recorded in its review", reviewEnded: "%s: its review is closed",
		reviewVoid: "%s: what was approved and published is void: it has to be approved and published again", reviewNext: "Next", reviewMore: "  and %d more: muster review show %s", reviewText: "TEXT",
		handing: "Hand-over", handNote: "Note", handBegun: "Started", handEnded: "Ended", handWords: "Answer", handRounds: "Escalated",
		handOpen: "to be confirmed", handConfirmed: "confirmed", handDeclined: "declined", handLapsed: "lapsed",
		handedOver: "%s: handed over to %s, to be confirmed by %s", handTaken: "%s: it is yours now; roles that came with it: %d",
		handKept: "%s: declined, it stays with whoever has handed it over", handNoted: "%s: recorded in its hand-over",
		handUnseen: "%d more open incident(|s) (is|are) not shown here (muster incident list)", handFailed: "not gone over: %s %s: %s",
	}
}

// numberWords are the verbs of a format and, after that of a number, the words for one and for any other: "%d run(|s)".
var numberWords = regexp.MustCompile(`%[a-z]|\([^()|]*\|[^()|]*\)`)

// numbered is fmt.Sprintf of a format in which words follow the number before them.
func numbered(format string, args ...any) string {
	verbs, last := 0, 0
	return fmt.Sprintf(numberWords.ReplaceAllStringFunc(format, func(s string) string {
		if s[0] == '%' {
			if n, ok := args[verbs].(int); ok {
				last = n
			}
			verbs++
			return s
		}
		one, many, _ := strings.Cut(s[1:len(s)-1], "|")
		if last == 1 {
			return one
		}
		return many
	}), args...)
}

// counted says how many there are of something.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

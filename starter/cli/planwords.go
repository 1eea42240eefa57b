package cli

// planLabels are the words of one language that stand on pages about plans.
type planLabels struct {
	plan, kind, tasks, source, name, shipped, instead, faultless string

	task, phase, duty, section, legend, evidence, every string // of the matrix

	description, comesFrom, lead, rePlan, environments, production string // at the top

	parameters, parameter, typ, standard, wanted, mayBeEmpty, meaning string

	roles, role, party string

	who, due, needs, nothing, remind, escalate, when, changes, byHand, typical, skip, rollback, vote, shows, runs, check, waits, tells, says, writes, waves string

	afterStart, afterTask, afterDate, beforeDate, onDate, workingDay, workingDays string // times

	filledBy, runOf, items, documents, apart string

	remindBefore, escalateAfter, escalateAtOnce, skipBy, skipLongest, changesWhat, byHandIs, checkedBy, fresh string

	back, backRuns, backByHand, rehearsed, fixForward string

	count, percent, eachRole, eachParty, required, notRequester, notImplementers, approvesOnExpiry, riskIsNo string

	status, has, passes, every1, failures, onFail, onUnclear, forTime, until, window, waveSize, wavePercent, waveErrors, waveBake string

	words map[string]string // of values; what has none is shown as it is written
}

func (l planLabels) word(value string) string {
	if w, ok := l.words[value]; ok {
		return w
	}
	return value
}

// planLabelsIn returns the labels of a language, the English ones for a language that has none.
func planLabelsIn(language string) planLabels {
	if language == "ko" {
		return koreanPlanLabels()
	}
	return planLabels{
		plan: "Plan", kind: "Kind", tasks: "Tasks", source: "Source", name: "Name", shipped: "comes with Muster",
		instead: "%s, instead of the one that comes with Muster", faultless: "%s: plan %s: no faults, %d tasks, about %d events of a history",

		task: "Task", phase: "Phase", duty: "Duty", section: "Section",
		legend: "R does it, A answers for it, C is asked before, I is told after", evidence: "Evidence", every: "Due",

		description: "Description", comesFrom: "From", lead: "Lead", rePlan: "Re-planning", environments: "Environments", production: "%s (rules of production)",

		parameters: "Parameters", parameter: "Parameter", typ: "Type", standard: "Default", wanted: "must be given", mayBeEmpty: "may be empty", meaning: "Meaning",

		roles: "Roles", role: "Role", party: "Party",

		who: "Who", due: "Due", needs: "Needs", nothing: "nothing", remind: "Reminders", escalate: "Escalation", when: "Only when", changes: "Changes",
		byHand: "Start", typical: "Takes", skip: "May be skipped", rollback: "Rollback", vote: "Vote", shows: "Shown", runs: "Runbook", check: "Check",
		waits: "Waits", tells: "Tells", says: "Message", writes: "Writes", waves: "Waves",

		afterStart: "%s after the start", afterTask: "%s after %s", afterDate: "%s after %s", beforeDate: "%s before %s", onDate: "on %s",
		workingDay: "1 working day", workingDays: "%d working days",

		filledBy: " (parameter %s)", runOf: " (a completed run of plan %s)", items: "Action items, or a note that says why there are none",
		documents: "documents of %s in the organisation folder", apart: "beside whatever else has them",

		remindBefore: "%s before", escalateAfter: "%s overdue: %s", escalateAtOnce: "as soon as it is overdue: %s", skipBy: "%s lets it be skipped", skipLongest: ", for %s at most",
		changesWhat: "%s, in its windows and outside freezes", byHandIs: "by hand", checkedBy: " (checked by %s)", fresh: " (not older than %s)",

		back: "%s, within %s", backRuns: "runbook %s", backByHand: "by hand: %s", rehearsed: "rehearsed in %s", fixForward: "may be mended instead",

		count: "%d of %s must say yes", percent: "%d%% of %s must say yes", eachRole: "one of each role must say yes: %s",
		eachParty: "one of each party must say yes: %s", required: "always %s", notRequester: "not who asks for it", notImplementers: "not who does it",
		approvesOnExpiry: "silence is a yes", riskIsNo: "ready with risk is not enough",

		status: ", status %d", has: ", with the text %q", passes: ", must be %s %g", every1: ", every %s", failures: ", fails after %d in a row",
		onFail: "; when it fails: %s", onUnclear: "; when it says nothing: %s", forTime: "for %s", until: "until %s",
		window: "until %s may be changed", waveSize: "over %s, %d at once", wavePercent: "over %s, %d%% at once", waveErrors: ", %d may fail", waveBake: ", %s between",

		words: map[string]string{
			"go-live": "go-live", "ask": "a person decides", "fail": "the task has failed", "roll-back": "it is rolled back", "go-on": "it is recorded",
			"finish": "when its window ends: it goes on", "hold": "when its window ends: nothing begins after it", "overrun-roll-back": "when its window ends: it is rolled back",
			"work-plan": "the work plan", "completion-report": "the completion report", "half-yearly": "twice a year", "monthly": "every month",
			"quarterly": "every quarter", "yearly": "every year", "weekly": "every week", "check": "check",
		},
	}
}

func koreanPlanLabels() planLabels {
	return planLabels{
		plan: "계획", kind: "종류", tasks: "작업 수", source: "출처", name: "이름", shipped: "기본 제공",
		instead: "%s (기본 제공 계획 대체)", faultless: "%s: 계획 %s: 문제 없음, 작업 %d개, 예상 이벤트 약 %d건",

		task: "작업", phase: "단계", duty: "책임 업무", section: "구분",
		legend: "R 실행, A 책임, C 협의, I 통보", evidence: "증적", every: "주기",

		description: "설명", comesFrom: "제공", lead: "총괄", rePlan: "재계획", environments: "환경", production: "%s(프로덕션 규칙 적용)",

		parameters: "매개변수", parameter: "매개변수", typ: "형식", standard: "기본값", wanted: "필수 입력", mayBeEmpty: "생략 가능", meaning: "의미",

		roles: "역할", role: "역할", party: "소속",

		who: "담당", due: "기한", needs: "선행 작업", nothing: "없음", remind: "사전 알림", escalate: "에스컬레이션", when: "조건", changes: "변경 대상",
		byHand: "시작", typical: "예상 소요", skip: "예외 승인", rollback: "롤백(롤백)", vote: "의결", shows: "제시 증적", runs: "런북", check: "점검",
		waits: "대기", tells: "공지 대상", says: "메시지", writes: "작성 문서", waves: "배포 차수",

		afterStart: "시작 후 %s", afterTask: "%[2]s 완료 후 %[1]s", afterDate: "%[2]s 후 %[1]s", beforeDate: "%[2]s 전 %[1]s", onDate: "%s 당일",
		workingDay: "1영업일", workingDays: "%d영업일",

		filledBy: " (매개변수 %s)", runOf: " (계획 %s의 완료된 실행)", items: "개선 과제, 또는 없는 이유를 적은 메모",
		documents: "조직 폴더의 %s 서비스 문서", apart: "다른 실행과 독립",

		remindBefore: "기한 %s 전", escalateAfter: "기한 초과 %s 후: %s", escalateAtOnce: "기한 초과 즉시: %s", skipBy: "승인자: %s", skipLongest: ", 최장 %s",
		changesWhat: "%s(작업 가능 시간과 변경 동결 적용)", byHandIs: "담당자가 직접 시작", checkedBy: " (확인: %s)", fresh: " (유효 기간 %s)",

		back: "%s, %s 이내", backRuns: "런북 %s", backByHand: "수작업: %s", rehearsed: "리허설 작업: %s", fixForward: "전진 수정 허용",

		count: "%[2]s 중 %[1]d명 찬성", percent: "%[2]s 중 %[1]d%% 찬성", eachRole: "역할별 1명 이상 찬성: %s",
		eachParty: "소속별 1명 이상 찬성: %s", required: "필수: %s", notRequester: "요청자 제외", notImplementers: "수행자 제외",
		approvesOnExpiry: "무응답은 찬성", riskIsNo: "조건부 준비는 찬성 아님",

		status: ", 상태 %d", has: ", 포함 텍스트 %q", passes: ", 기준 %s %g", every1: ", %s 간격", failures: ", 연속 %d회 실패하면 실패로 판정",
		onFail: "; 실패 시 %s", onUnclear: "; 판단 불가 시 %s", forTime: "%s 동안", until: "%s까지",
		window: "%s 작업 가능 시간까지", waveSize: "%s, 한 번에 %d개", wavePercent: "%s, 한 번에 %d%%", waveErrors: ", 허용 실패 %d개", waveBake: ", 차수 사이 %s",

		words: map[string]string{
			"upgrade": "업그레이드", "go-live": "오픈", "readiness": "운영 준비 상태 검토", "maintenance": "정기 작업",
			"manual": "수작업", "approval": "승인", "decision": "진행 여부 결정", "runbook": "런북", "check": "점검", "wait": "대기", "notify": "공지", "report": "문서 작성",
			"ours": "자체 추가", "text": "텍스트", "integer": "정수", "boolean": "참·거짓", "choice": "선택", "date": "날짜", "instant": "시각", "list": "목록",
			"customer": "고객사", "partner": "파트너", "provider": "서비스 제공사", "vendor": "벤더",
			"ask": "담당자가 결정", "fail": "작업 실패", "roll-back": "롤백(롤백)", "go-on": "기록만 함",
			"finish": "작업 가능 시간 종료 시 계속", "hold": "작업 가능 시간 종료 시 이후 변경 보류", "overrun-roll-back": "작업 가능 시간 종료 시 롤백(롤백)",
			"work-plan": "작업계획서", "completion-report": "작업완료보고서",
			"weekly": "매주", "monthly": "매월", "quarterly": "분기마다", "half-yearly": "반기마다", "yearly": "매년",
		},
	}
}

package report_test

import (
	"fmt"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

func start() time.Time { return time.Date(2026, 11, 22, 5, 5, 9, 0, time.UTC) }

func after(d time.Duration) time.Time { return start().Add(d) }

func person(id, name string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: name}
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

// bare is an incident of which almost nothing is known.
func bare() *incident.Incident {
	return &incident.Incident{
		ID: "INC-0000000001", Status: incident.Triggered, Priority: priority.P5, Impact: priority.Low, Urgency: priority.Low,
		Definition: incident.Definition{Title: "Disk fills up", Service: incident.Service{Name: "Archive"}, Source: "prometheus"},
		Times:      incident.Times{Started: start(), Alerted: start()},
	}
}

// full is an incident with everything in it: it was paged, answered, mitigated, resolved and cleared, one promise missed.
func full() *incident.Incident {
	i := &incident.Incident{
		Nearby: []incident.Nearby{
			{Kind: incident.NearbyIncident, ID: "INC-7K3M9QX2PB", Title: "Slow | disk", Service: "Platform", Standing: incident.Needed, Status: "acknowledged", Since: after(-9 * time.Minute)},
			{Kind: incident.NearbyChange, ID: "CHG-7K3M9QX2PA", Title: "커넥션 풀 확대", Service: "Payments", Standing: incident.Same, Status: "done", Since: after(-2 * time.Hour), Until: after(-time.Hour)},
		},
		ID: "INC-7K3M9QX2PA", Previous: &incident.Earlier{ID: "INC-5D8W1ZR4TC", ClosedAt: after(-26 * 24 * time.Hour)},
		Definition: incident.Definition{
			SHA256:   "9b74c9897bac770ffc029102a200c5de11f1a3d2b4c0e7f8a9d6e5c4b3a29180",
			Revision: "git:4f1c2d7", Organisation: "하늘클라우드 주식회사", Zone: "Asia/Seoul", Source: "prometheus", Route: "payments",
			Title: "결제 승인 지연", Service: incident.Service{ID: "payments", Name: "결제 게이트웨이"}, Impact: priority.High,
			Urgency: priority.Medium, Policy: escalation.Policy{ID: "payments"},
			Customers:  []incident.Customer{{ID: "acme", Name: "Acme Commerce"}, {ID: "daon", Name: "다온몰"}},
			Background: background(),
			Links: []incident.Link{
				{Name: "PaymentLatencyHigh", URL: "https://runbooks.example.com/payments/slow", Kind: incident.Runbook},
				{URL: "https://runbooks.example.com/payments/where-to-look", Kind: incident.Playbook},
				{Name: "PaymentQueueFull", Runbook: "RUN014", Title: "결제 대기열 비우기 | 긴급", Kind: incident.Runbook},
				{Name: "Runbook: payment latency", URL: "https://runbooks.example.com/payments/latency_(p99)"},
				{Name: "Dashboard", URL: "https://grafana.example.com/d/payments?orgId=1&from=now-1h"},
			},
		},
		Status: incident.Closed, Impact: priority.High, Urgency: priority.Medium, Priority: priority.P2, Reopened: 1,
		Times: incident.Times{
			Started: start(), Alerted: after(50 * time.Second), Engaged: after(7*time.Minute + 12*time.Second),
			Mitigation: after(26 * time.Minute), Resolved: after(78 * time.Minute), Closed: after(48 * time.Hour),
		},
		Responders: []timeline.Actor{person("park", "박지훈"), person("kim", "김민수")},
		Holders: []incident.Holder{
			{Role: incident.IncidentManager, Person: "kim", Name: "김민수", Since: after(8 * time.Minute)},
			{Role: incident.CommunicationsManager, Person: "lee", Name: "이서연", Since: after(10 * time.Minute)},
		},
		Ticket: incident.Ticket{Ref: ticket.Ref{ID: "OPS-1182", URL: "https://tickets.example.com/OPS-1182"}},
		Review: incident.Review{ID: "review/INC-7K3M9QX2PA", Due: after(8 * 24 * time.Hour), Opened: true},
		Runs:   []string{"0194f2aa-7d1c-7a10-9c55-5b7f2f0f6a01"},
	}
	i.Alerts = fullAlerts()
	i.Clocks = fullClocks()
	i.Timeline = fullTimeline()
	learn(i)
	return i
}

// learn adds what people have said of an incident, and what stands beside it.
func learn(i *incident.Incident) {
	kim := person("kim", "김민수")
	i.Notice = reported()
	i.Cause = &incident.Cause{
		Domain: incident.CauseVendor, Vendor: "SkyHost", Text: "스토리지 지연으로 DB 연결이 반환되지 않음", By: kim, At: after(40 * time.Minute),
	}
	i.Merged = []incident.Merging{{ID: "INC-2F6H8JN1VB", Title: "다온몰 결제 불가", Taken: after(12 * time.Minute), Customers: []string{"daon"}}}
	i.Related = []incident.Relation{{ID: "INC-3G7K9MP4WC", Kind: incident.CausedBy, Title: "스토리지 지연", Note: "같은 리전"}}
	i.Cases = []incident.VendorCase{{
		Support: incident.VendorSupport{
			ID: "skyhost", Name: "SkyHost", Plan: "Premier", OpenCase: "https://support.skyhost.example, 계약 번호 A-77", Escalate: "+82-2-555-0100",
		},
		Opened: after(40 * time.Minute), Reference: "SR-4711", Answered: after(75 * time.Minute),
		Clock: &supportplan.Clock{Due: after(70 * time.Minute), Late: true},
	}, {Support: incident.VendorSupport{ID: "netlink", Name: "NetLink"}, Opened: after(50 * time.Minute)}}
	i.Runbooks = []incident.RunbookUse{
		{Name: "Runbook: payment latency", By: kim, Started: after(15 * time.Minute), Ended: after(24 * time.Minute), Outcome: incident.RunbookFailed},
		{Name: "https://runbooks.example.com/pool", By: kim, Started: after(30 * time.Minute)},
	}
	daon := timeline.Actor{Kind: timeline.Person, ID: "daon/oh", Name: "오세라"}
	i.Confirmations = []incident.Confirmation{
		{Clock: supportplan.Clock{Customer: "daon", Due: after(48 * time.Hour)}, Answer: incident.Fixed, By: &daon, Answered: after(5 * time.Hour)},
		{Clock: supportplan.Clock{Customer: "acme", Due: after(48 * time.Hour)}, Lapsed: true},
	}
}

// reported is how a customer has noticed an incident.
func reported() *incident.Notice {
	return &incident.Notice{
		Receipt: "CS-20261122-7", Channel: supportplan.ByPhone, Customer: "daon", Received: after(9 * time.Minute), Occurred: start(),
		NoticedBy: "다온몰 운영팀", Text: "결제가 되지 않습니다.\nWHAT NEXT: 주문 3건 실패",
	}
}

// learned has one entry of each kind of what people have said, and of what has come of it.
func learned() []timeline.Entry {
	var l timeline.Log
	kim, oh := person("kim", "김민수"), person("daon/oh", "오세라")
	f, us := timeline.F, timeline.Muster()
	minute := func(n int) time.Time { return after(time.Duration(n) * time.Minute) }
	l.Add(minute(9), timeline.NoticeReceived, person("desk", "정하늘"), f("receipt", "CS-20261122-7"), f("channel", "phone"), f("customer", "다온몰"),
		f("received", stamp(minute(9))), f("noticed_by", "다온몰 운영팀"), f("text", "결제가 되지 않습니다."))
	l.Add(minute(10), timeline.ReceiptSent, us, f("customer", "다온몰"))
	l.Add(minute(11), timeline.MergeAsked, kim, f("into", "INC-7K3M9QX2PA"), f("title", "결제 승인 지연"), f("reason", "같은 장애"))
	l.Add(minute(11), timeline.MergeRefused, us, f("into", "INC-7K3M9QX2PA"), f("detail", "INC-7K3M9QX2PA is resolved"))
	l.Add(minute(12), timeline.MergeTaken, us, f("from", "INC-2F6H8JN1VB"), f("title", "다온몰 결제 불가"), f("customers", "다온몰"), f("by", "김민수"), f("reason", "같은 장애"))
	l.Add(minute(13), timeline.MergeTakenBack, us, f("from", "INC-2F6H8JN1VB"), f("customers", "다온몰"), f("by", "김민수"), f("reason", "원인이 다름"))
	l.Add(minute(13), timeline.Related, kim, f("to", "INC-3G7K9MP4WC"), f("relation", "caused-by"), f("title", "스토리지 지연"), f("note", "같은 리전"))
	l.Add(minute(15), timeline.RunbookStarted, kim, f("runbook", "Runbook: payment latency"))
	l.Add(minute(24), timeline.RunbookEnded, kim, f("runbook", "Runbook: payment latency"), f("outcome", "failed"), f("note", "3단계에서 멈춤"))
	l.Add(minute(25), timeline.Summoned, kim, f("person", "최유나"), f("due", stamp(minute(30))), f("note", "DB 확인 필요"))
	l.Add(minute(30), timeline.SummonsMissed, us, f("person", "최유나"))
	l.Add(minute(31), timeline.RoleAccepted, oh, f("role", "communications-manager"))
	l.Add(minute(31), timeline.RoleUnanswered, us, f("role", "support-manager"), f("person", "최유나"))
	l.Add(minute(31), timeline.RoleVacant, us, f("role", "support-manager"), f("detail", "nobody"))
	l.Add(minute(40), timeline.CauseSet, kim, f("domain", "vendor"), f("vendor", "SkyHost"), f("text", "스토리지 지연"))
	l.Add(minute(40), timeline.CaseOpened, kim, f("vendor", "SkyHost"), f("plan", "Premier"), f("open_case", "https://support.skyhost.example, 계약 번호 A-77"))
	l.Add(minute(45), timeline.CaseFiled, kim, f("vendor", "SkyHost"), f("reference", "SR-4711"))
	l.Add(minute(70), timeline.CaseLate, us, f("vendor", "SkyHost"), f("due", stamp(minute(70))), f("escalate", "+82-2-555-0100, 케이스 번호 전달"))
	l.Add(minute(75), timeline.CaseAnswered, kim, f("vendor", "SkyHost"), f("reference", "SR-4711"), f("text", "스위치를 교체하는 중"))
	l.Add(minute(76), timeline.AllAlertsResolved, us)
	l.Add(minute(77), timeline.AllAlertsResolved, us, f("resolves_at", stamp(minute(87))))
	l.Add(minute(80), timeline.TimeSet, kim, f("point", "resolved"), f("at", stamp(minute(76))), f("before", stamp(minute(78))), f("reason", "고객사 확인 시각 기준"))
	l.Add(minute(90), timeline.ResultFailed, us, f("customer", "다온몰"), f("detail", "no contact"))
	l.Add(minute(95), timeline.ResultWritten, us, f("customer", "다온몰"), f("revision", "2"), f("paths", "INC-7K3M9QX2PA/result-report-2.daon.ko.html"), f("sha256", "9b74"))
	l.Add(minute(96), timeline.ResultSent, kim, f("customer", "다온몰"), f("revision", "2"), f("text", "벤더 스토리지 장애였습니다."))
	l.Add(minute(100), timeline.FixAnswered, oh, f("customer", "다온몰"), f("answer", "not-fixed"), f("note", "간헐적으로 실패합니다"))
	l.Add(minute(200), timeline.FixUnanswered, us, f("customer", "Acme Commerce"))
	l.Add(minute(201), timeline.ClosingTold, us, f("customer", "Acme Commerce"))
	for _, c := range []struct{ from, to, cause string }{
		{"acknowledged", "merged", ""},
		{"merged", "triggered", "split"},
		{"merged", "triggered", "merge-refused"},
		{"merged", "closed", "merged"},
		{"resolved", "triggered", "not-fixed"},
		{"resolved", "closed", "fixed"},
		{"resolved", "closed", "unanswered"},
	} {
		l.Add(minute(210), timeline.StatusChanged, us, f("from", c.from), f("to", c.to), f("cause", c.cause))
	}
	for _, cause := range []string{"merged", "repinned"} {
		l.Add(minute(211), timeline.ClockStopped, us, f("customer", "다온몰"), f("target", "result_report"), f("cause", cause))
	}
	l.Add(minute(212), timeline.Withdrawn, us, f("what", "reminder"), f("to", "이서연"), f("method", "email"), f("cause", "delivered"))
	for _, what := range []incident.Work{
		incident.LookHours, incident.ConfirmReceipt, incident.CloseCustomer, incident.WriteResult, incident.SendResult, incident.Summon,
		incident.Appoint, incident.TellMerge, incident.TellMerged, incident.ForwardAlerts,
	} {
		l.Add(minute(213), timeline.Undetermined, us, f("what", string(what)), f("detail", "nobody"))
	}
	return l.Entries
}

// background is all that can be known of a service. Its access was verified too long ago.
func background() incident.Background {
	noc := incident.Contact{Target: escalation.Target{Kind: escalation.Group, ID: "noc"}, Name: "관제팀"}
	verified, err := calendar.ParseDate("2026-08-01")
	if err != nil {
		panic(err)
	}
	return incident.Background{
		Classes: []priority.Class{priority.Money, priority.VIPGroup}, Owner: &noc, Tier: 1,
		DependsOn: []incident.Service{{ID: "platform", Name: "서울 공용 플랫폼"}, {ID: "bank", Name: "Bank gateway"}},
		Triage: &incident.Triage{
			Architecture: "https://wiki.example.com/payments", Components: []string{"authorise", "settle", "redis|cache"},
			Privacy: incident.SensitiveData, Security: incident.Restricted,
			Contacts:       []incident.Contact{noc, {Target: escalation.Target{Kind: escalation.Person, ID: "choi"}, Name: "최유나"}},
			AccessVerified: verified,
		},
	}
}

func fullAlerts() alert.Set {
	return alert.Set{
		Full: []alert.Held{
			{Alert: alert.Alert{
				Fingerprint: "c1f0a9e27b3d4c55", Name: "PaymentLatencyHigh", State: alert.Resolved, StartsAt: start(), EndsAt: after(77 * time.Minute),
				Annotations: alert.Labels{{Name: "summary", Value: "p99 of POST /authorize is 8.4 s on pay-api-3 | threshold 2 s"}},
			}, Times: 14, First: after(50 * time.Second), Last: after(77 * time.Minute)},
			{Alert: alert.Alert{
				Fingerprint: "0a44d1b2c3e4f506", Name: "DBConnectionsExhausted", State: alert.Resolved, StartsAt: after(time.Minute), EndsAt: after(70 * time.Minute),
			}, Times: 3},
		},
		Brief: []alert.Brief{{Fingerprint: "77aa", Name: "QueueDepthHigh", Resolved: true, StartsAt: after(5 * time.Minute), Times: 2}},
		Rest:  []alert.Tally{{Name: "PaymentLatencyHigh", Times: 212}},
		Posts: 41,
	}
}

func fullClocks() []supportplan.Clock {
	return []supportplan.Clock{
		{Customer: "acme", Target: supportplan.Respond, Within: 15 * time.Minute, Started: after(50 * time.Second), Due: after(15*time.Minute + 50*time.Second), State: supportplan.Met, EndedAt: after(7*time.Minute + 12*time.Second)},
		{Customer: "acme", Target: supportplan.Update, Within: 30 * time.Minute, Started: after(62 * time.Minute), Due: after(92 * time.Minute), State: supportplan.Stopped, EndedAt: after(78 * time.Minute), EarlierMet: 2},
		{Customer: "acme", Target: supportplan.Resolve, Within: 4 * time.Hour, Started: after(50 * time.Second), Due: after(4*time.Hour + 10*time.Minute + 50*time.Second), State: supportplan.Met, EndedAt: after(78 * time.Minute), Pauses: []supportplan.Span{{From: after(30 * time.Minute), To: after(40 * time.Minute)}}},
		{Customer: "daon", Target: supportplan.Resolve, Within: time.Hour, Calendar: "business-hours", Started: after(50 * time.Second), Due: after(60*time.Minute + 50*time.Second), State: supportplan.Missed, Late: true, EndedAt: after(78 * time.Minute)},
	}
}

func fullTimeline() timeline.Log {
	var l timeline.Log
	source, kim, park, lee := timeline.Actor{Kind: timeline.Source, ID: "prometheus"}, person("kim", "김민수"), person("park", "박지훈"), person("lee", "이서연")
	f, us := timeline.F, timeline.Muster()
	l.Add(after(50*time.Second), timeline.IncidentOpened, source, f("title", "결제 승인 지연"), f("service", "결제 게이트웨이"), f("priority", "P2"),
		f("impact", "high"), f("urgency", "medium"), f("customers", "Acme Commerce, 다온몰"), f("definition", "9b74c9897bac770ffc029102a200c5de"))
	l.Add(after(50*time.Second), timeline.AlertFired, source, f("name", "PaymentLatencyHigh"), f("fingerprint", "c1f0a9e27b3d4c55"))
	l.Add(after(50*time.Second), timeline.ClockStarted, us, f("customer", "Acme Commerce"), f("target", "respond"), f("due", stamp(after(15*time.Minute+50*time.Second))), f("within", "15m0s"))
	l.Add(after(50*time.Second), timeline.StepStarted, us, f("step", "1"), f("round", "1"), f("targets", "schedule:primary"))
	page := func(at time.Duration, n int, to, method string) []timeline.Fact {
		facts := []timeline.Fact{f("what", "page"), f("delivery", fmt.Sprintf("INC-7K3M9QX2PA/%d", n)), f("to", to), f("method", method)}
		l.Add(after(at), timeline.Sending, us, append(facts[:4:4], f("revision", "git:4f1c2d7"))...)
		return facts
	}
	first := page(51*time.Second, 1, "이서연", "sms")
	l.Add(after(52*time.Second), timeline.Delivered, us, append(first, f("attempts", "1"))...)
	for n := range 3 {
		l.Repeat(after(time.Duration(2+n)*time.Minute), timeline.AlertRepeated, source)
	}
	l.Add(after(6*time.Minute), timeline.StepStarted, us, f("step", "2"), f("turn", "1/2"), f("round", "1"), f("targets", "schedule:secondary, person:kim"), f("variant", "P1, P2"))
	second := page(6*time.Minute, 2, "박지훈", "email")
	l.Add(after(6*time.Minute), timeline.HeldBack, us, f("what", "page"), f("to", "최은영"), f("cause", incident.HeldByQuietHours))
	third := page(6*time.Minute, 3, "김민수", "webhook")
	l.Add(after(6*time.Minute+2*time.Second), timeline.Delivered, us, append(second, f("attempts", "2"))...)
	l.Add(after(6*time.Minute+9*time.Second), timeline.Refused, us, append(third, f("attempts", "1"), f("detail", "410 Gone"))...)
	l.Add(after(7*time.Minute+5*time.Second), timeline.Acknowledged, lee, f("count", "1"), f("wanted", "2"))
	l.Add(after(7*time.Minute+12*time.Second), timeline.Acknowledged, park, f("count", "2"), f("wanted", "2"), f("expires", stamp(after(67*time.Minute))))
	l.Add(after(7*time.Minute+12*time.Second), timeline.StatusChanged, park, f("from", "triggered"), f("to", "acknowledged"))
	l.Add(after(7*time.Minute+12*time.Second), timeline.ClockMet, park, f("customer", "Acme Commerce"), f("target", "respond"), f("due", stamp(after(15*time.Minute+50*time.Second))))
	l.Add(after(8*time.Minute), timeline.RoleAssigned, park, f("role", "incident-manager"), f("person", "김민수"))
	l.Add(after(20*time.Minute), timeline.Noted, kim, f("text", "DB 연결 풀 고갈 확인.\n배포 4.12 이후 연결이 반환되지 않음 | pay-api-3"))
	l.Add(after(22*time.Minute), timeline.UpdateSent, lee, f("customer", "Acme Commerce"), f("text", "결제 승인이 지연되고 있습니다.\n원인을 확인하여 조치 중이며, 30분 뒤 다시 안내해 드리겠습니다."))
	l.Add(after(26*time.Minute), timeline.StatusChanged, kim, f("from", "acknowledged"), f("to", "mitigated"), f("note", "4.11로 롤백, 연결 풀 재시작"))
	l.Add(after(30*time.Minute), timeline.ClockPaused, kim, f("customer", "Acme Commerce"), f("target", "resolve"), f("reason", "고객사 방화벽 변경 대기"))
	l.Add(after(52*time.Minute), timeline.UpdateSent, us, f("customer", "Acme Commerce"))
	l.Add(after(60*time.Minute+50*time.Second), timeline.ClockMissed, us, f("customer", "다온몰"), f("target", "resolve"), f("due", stamp(after(60*time.Minute+50*time.Second))))
	l.Add(after(70*time.Minute), timeline.Noted, kim, f("text", "원인: 배포 4.12의 연결 누수(트랜잭션 미종료)"))
	l.Add(after(78*time.Minute), timeline.StatusChanged, us, f("from", "mitigated"), f("to", "resolved"), f("cause", "alerts-resolved"))
	l.Add(after(79*time.Minute), timeline.AllClearSent, us, f("customer", "Acme Commerce"))
	l.Add(after(79*time.Minute), timeline.AllClearSent, us, f("customer", "다온몰"))
	l.Add(after(80*time.Minute), timeline.ReviewOpened, us, f("review", "review/INC-7K3M9QX2PA"), f("due", stamp(after(8*24*time.Hour))))
	l.Add(after(48*time.Hour), timeline.StatusChanged, us, f("from", "resolved"), f("to", "closed"), f("cause", "not-reopened"))
	return l
}

// facts are those of an incident in the middle of things, in the words of a house that writes English.
func facts() incident.Facts {
	return incident.Facts{
		ID: "INC-7K3M9QX2PA", Title: "Authorisations are slow on pay-api-3", Service: "Payments", Status: incident.Acknowledged,
		Impact: priority.High, Urgency: priority.Medium, Priority: priority.P2, Customers: []string{"Acme Commerce", "다온몰"},
		Zone: "Asia/Seoul", Times: incident.Times{Started: start(), Alerted: after(time.Minute)}, Previous: "INC-5D8W1ZR4TC",
		Firing: 2, Distinct: 3, Alerts: []string{"PaymentLatencyHigh", "DBConnectionsExhausted"}, Responder: "박지훈",
		Said: "The p99 of POST /authorize is 8.4 s.\nThe threshold is 2 s.",
		Clocks: []incident.FactClock{
			{Customer: "Acme Commerce", Target: supportplan.Respond, Due: after(16 * time.Minute)},
			{Customer: "다온몰", Target: supportplan.Resolve, Due: after(61 * time.Minute)},
			{Customer: "Nuri Trading", Target: supportplan.Mitigate, Begins: after(20 * time.Hour), Due: after(24 * time.Hour)},
		},
		Links: []incident.Link{
			{Name: "PaymentLatencyHigh", URL: "https://runbooks.example.com/payments/slow", Kind: incident.Runbook},
			{Name: "DBConnectionsExhausted", Runbook: "RUN014", Title: "결제 대기열 비우기", Kind: incident.Runbook},
			{Name: "Runbook", URL: "https://runbooks.example.com/payments"},
			{Name: "Odd", URL: "javascript:alert(1)"},
			{Kind: incident.Dashboard, URL: "https://grafana.example.com/d/pay"},
			{Kind: incident.AlertSource, URL: "https://prometheus.example.com/graph?g0.expr=p99"},
		},
	}
}

// tellings is one of each message, with a name for its golden file.
func tellings() map[string]incident.Telling {
	author := person("lee", "이서연")
	base := func(k delivery.Kind, a incident.About) incident.Telling {
		return incident.Telling{
			Kind: k, About: a, Facts: facts(), Role: incident.IncidentManager, Customer: "Acme Commerce", CustomerID: "acme", Target: "resolve",
			Due: after(61 * time.Minute), MayPause: true, PauseFor: supportplan.Customer,
		}
	}
	all := map[string]incident.Telling{}
	for _, k := range []delivery.Kind{
		delivery.CustomerUpdate, delivery.AllClear, delivery.ReviewOpened, delivery.ReviewDue, delivery.Ticket,
		delivery.VendorCall,
	} {
		all[string(k)] = base(k, "")
	}
	for _, a := range []incident.About{
		incident.AboutClockAtRisk, incident.AboutClockMissed, incident.AboutUpdateWanted, incident.AboutNoAnswer,
		incident.AboutPriorityRaised, incident.AboutResolved, incident.AboutReopened,
	} {
		all["reminder."+string(a)] = base(delivery.Reminder, a)
	}
	for _, a := range []incident.About{incident.AboutRole, incident.AboutTakeover} {
		t := base(delivery.Assignment, a)
		t.Text, t.Author = "Logs are in the ticket.", &author
		all["assignment."+string(a)] = t
	}
	for _, k := range []delivery.Kind{delivery.ReviewOpened, delivery.ReviewDue, delivery.AllClear, delivery.Ticket} {
		t := all[string(k)]
		t.Facts.Status, t.Facts.Times.Resolved = incident.Resolved, after(78*time.Minute)
		all[string(k)] = t
	}
	page := base(delivery.Page, "")
	page.Step, page.Round, page.Why = 2, 1, "schedule:secondary, person:kim"
	all["page"] = page
	page.Why = "role:incident-manager, engineer, group:noc"
	page.Wanted, page.Acked = 2, 1
	page.Mitigations = []escalation.Mitigation{
		{ID: "roll-back", Name: "Roll back the last release", Text: "within one hour of it, as the runbook says"},
		{ID: "restart", Name: "체크아웃 재시작", Text: "한 번에 한 대씩"},
	}
	all["page.may"] = page
	page.Facts.Nearby = []incident.Nearby{
		{Kind: incident.NearbyIncident, ID: "INC-7K3M9QX2PB", Title: "Slow disk", Service: "Platform", Standing: incident.Needed, Status: "acknowledged", Since: after(-9 * time.Minute)},
		{Kind: incident.NearbyChange, ID: "CHG-7K3M9QX2PA", Title: "커넥션 풀 확대", Service: "Checkout", Standing: incident.Same, Status: "done", Since: after(-2 * time.Hour), Until: after(-time.Hour)},
		{Kind: incident.NearbyRun, ID: "RUN-7K3M9QX2PA", Title: "Patch", Service: "Till", Standing: incident.NeededBy, Status: "running", Since: after(-time.Hour)},
	}
	all["page.nearby"] = page
	page.Mitigations, page.Wanted, page.Acked, page.Facts.Nearby = nil, 0, 0, nil
	page.Step, page.Round, page.Why = 0, 3, "person:ceo"
	all["page.last-resort"] = page
	page.Step, page.Round, page.Text, page.Author = 2, 1, "I need the database team.", &author
	all["page.asked"] = page
	page.Step, page.Round, page.Why = 0, 0, "person:park"
	all["page.summons"] = page
	page.Round, page.Why = 3, "person:ceo"
	all["page.asked-last-resort"] = page
	clear := all["all-clear"]
	clear.Due = time.Time{}
	all["all-clear"] = clear
	clear.Text, clear.Author = "Payments work again.\n\nThank you for your patience.", &author
	all["all-clear.person"] = clear
	clear.Next, clear.Due = &supportplan.Clock{}, after(48*time.Hour)
	all["all-clear.asks"] = clear
	back := all["customer-update"]
	back.About, back.Facts.Times.Resolved = incident.AboutReopened, after(78*time.Minute)
	all["customer-update.reopened"] = back
	update := all["customer-update"]
	update.Text, update.Author = "Payments are slow.\n\nWe are rolling back.", &author
	all["customer-update.person"] = update
	update.Says, update.Expected, update.Workaround = incident.Identified, after(3*time.Hour), "Please pay by bank transfer."
	all["customer-update.known"] = update
	update.Text, update.Author = "", nil
	all["customer-update.known-by-muster"] = update
	update.Kind = delivery.StatusPage
	all["status-page"] = update
	update.Text, update.Author = "결제가 지연되고 있습니다.", &author
	all["status-page.person"] = update
	update.Text, update.Says, update.Expected, update.Workaround = "", incident.BackToNormal, time.Time{}, ""
	all["status-page.over"] = update
	update.Says, update.About = incident.Investigating, incident.AboutReopened
	all["status-page.reopened"] = update
	failed := base(delivery.Reminder, incident.AboutStatusPage)
	failed.Text = "public: https://api.statuspage.io: 401 Unauthorized"
	all["reminder.status-page"] = failed
	waits := base(delivery.Reminder, incident.AboutApproval)
	waits.Text, waits.Author, waits.Content = "Payments are slow.\n\nWe are rolling back.", &author, "1f2a9c61d2c2f4b2a8a3f1f0a2f9c7f8a4f5d2b1c0e9f8a7b6c5d4e3f2a1b0c9"
	all["reminder.approval"] = waits
	unsent := waits
	unsent.About, unsent.Text = incident.AboutUnsent, "The cause is not known yet."
	all["reminder.unsent"] = unsent
	unsent.Author, unsent.Text = nil, ""
	all["reminder.unsent.overtaken"] = unsent
	learnedTellings(all, base)
	triedTellings(all, base)
	secretTellings(all)
	all["self-watch"] = incident.Telling{Kind: delivery.SelfWatch, Text: "the backlog of task queue muster-pages is 95 s old"}
	return all
}

// triedTellings adds those of an incident about which Muster has done something by itself.
func triedTellings(all map[string]incident.Telling, base func(delivery.Kind, incident.About) incident.Telling) {
	tried := &incident.Tried{
		Name: "Restart checkout", Runbook: "RUN011 Restart one server", State: incident.ResponseState(response.Failed), Why: incident.WhyStep,
		Found: []incident.Finding{
			{Number: 1, Text: "How checkout-2 is", State: runbook.Passed, Output: "status: stuck\nWHAT NEXT: 3 sessions", SHA256: "9b74"},
			{Number: 2, Text: "Its restarts", State: runbook.Failed, Detail: "no answer in time"},
		},
		Steps: []incident.TriedStep{
			{Number: 1, Text: "Take checkout-2 out", Status: runbook.Done},
			{Number: 2, Text: "Restart checkout-2", Status: runbook.StepFailed, Detail: "status 500; want 200..299: no disk"},
			{Number: 3, Text: "Put checkout-2 in again", Status: runbook.Skipped},
		},
	}
	page := all["page"]
	page.Facts.Tried = tried
	all["page.tried"] = page
	off := base(delivery.Reminder, incident.AboutResponseOff)
	off.Facts.Tried, off.Text = tried, "restart-checkout"
	all["reminder.response-off"] = off
	waits := *tried
	waits.State, waits.Why, waits.SHA256 = incident.ResponseWaiting, "", "1f2a9c61d2c2f4b2a8a3f1f0a2f9c7f8a4f5d2b1c0e9f8a7b6c5d4e3f2a1b0c9"
	waits.Steps = []incident.TriedStep{{Number: 1, Text: "Restart checkout-2", Status: runbook.Pending}}
	asks := base(delivery.Reminder, incident.AboutResponse)
	asks.Facts.Tried, asks.Content = &waits, waits.SHA256
	all["reminder.response"] = asks
	for name, is := range map[string]incident.Tried{
		"off":     {Name: "Restart checkout", State: incident.ResponseRefused, Why: string(response.IsOff), Detail: "김민수: it takes both down"},
		"stopped": {Name: "Restart checkout", State: incident.ResponseState(response.Stopped), Stopped: "박지훈", Detail: "the wrong server"},
	} {
		page.Facts.Tried = &is
		all["page.response-"+name] = page
	}
}

// secretTellings adds those of a security incident.
func secretTellings(all map[string]incident.Telling) {
	secret := all["page"]
	secret.Facts.Kind = incident.SecurityIncident
	secret.Facts.Notice, secret.Facts.Cause = reported(), &incident.Cause{Domain: incident.CauseOurs, Text: "A stolen password."}
	all["security.page"] = secret
	known := secret.Facts
	secret.Facts = known.Discreet()
	all["security.page.shared"] = secret
	for _, name := range []string{string(delivery.Ticket), string(delivery.ReviewOpened)} {
		t := all[name]
		t.Facts = known.Discreet()
		all["security."+name] = t
	}
	for _, a := range []incident.About{incident.AboutUpdateWanted, incident.AboutResolved, incident.AboutReopened} {
		t := all["reminder."+string(a)]
		t.Facts.Kind = incident.SecurityIncident
		all["security.reminder."+string(a)] = t
	}
}

// learnedTellings adds the messages on what people have said of an incident.
func learnedTellings(all map[string]incident.Telling, base func(delivery.Kind, incident.About) incident.Telling) {
	author := person("lee", "이서연")
	over := func(t incident.Telling) incident.Telling {
		t.Facts.Status, t.Facts.Times.Resolved = incident.Resolved, after(78*time.Minute)
		return t
	}
	for _, k := range []delivery.Kind{delivery.Receipt, delivery.ResultReport, delivery.ClosingNotice} {
		t := over(base(k, ""))
		t.Customer, t.CustomerID, t.Facts.Notice = "다온몰", "daon", reported()
		if k == delivery.ResultReport {
			t.Files = []incident.ResultFile{{Language: "ko", Name: "INC-7K3M9QX2PA/result-report-1.daon.ko.html", SHA256: "9b74"}}
			t.Text, t.Author = "A vendor's storage was slow.\n\nIt has been replaced.", &author
		}
		all[string(k)] = t
		t.Customer, t.CustomerID, t.Due, t.Text, t.Files = "Acme Commerce", "acme", time.Time{}, "", nil // what daon has reported is not for it
		all[string(k)+".bare"] = t
	}
	vendor := &incident.VendorSupport{
		ID: "skyhost", Name: "SkyHost", Plan: "Premier", OpenCase: "https://support.skyhost.example, contract A-77", Escalate: "call +82-2-555-0100 with the number",
	}
	for _, a := range []incident.About{
		incident.AboutAlertsOver, incident.AboutClosed, incident.AboutResultWanted, incident.AboutCauseCustomer, incident.AboutVendorCase,
		incident.AboutVendorLate, incident.AboutAbsent, incident.AboutRoleVacant, incident.AboutMergeRefused, incident.AboutReceipt,
		incident.AboutTicketResolved, incident.AboutTicketReopened,
	} {
		t := base(delivery.Reminder, a)
		switch a {
		case incident.AboutAlertsOver:
			t.Facts.Notice = reported()
		case incident.AboutReceipt:
			t.Facts.Notice = reported()
		case incident.AboutClosed:
			t.Facts.Status, t.Facts.Times.Resolved = incident.Closed, after(78*time.Minute)
		case incident.AboutResultWanted:
			t, t.Role = over(t), incident.CommunicationsManager
		case incident.AboutCauseCustomer:
			t.Facts.Cause = &incident.Cause{Domain: incident.CauseCustomer, Text: "Their firewall drops us."}
			t.Customer, t.CustomerID, t.MayPause, t.Text, t.Author, t.Role = "", "", false, "Their firewall drops us.", &author, incident.SupportManager
		case incident.AboutVendorCase, incident.AboutVendorLate:
			t.Facts.Cause = &incident.Cause{Domain: incident.CauseVendor, Vendor: "SkyHost", Text: "Storage is slow."}
			t.Vendor, t.Text, t.Author = vendor, "Storage is slow.", &author
		case incident.AboutAbsent:
			t.Text = "최유나"
		case incident.AboutRoleVacant:
			t.Role = incident.CommunicationsManager
		case incident.AboutTicketResolved, incident.AboutTicketReopened:
			t.Ticket = &ticket.Ref{ID: "OPS-7", URL: "https://mirnet.atlassian.net/browse/OPS-7"}
			t.Text, t.Author = "Restarted the database.", &timeline.Actor{Kind: timeline.Source, ID: "jira", Name: "Kim Minsu"}
		case incident.AboutMergeRefused:
			t.Text = "INC-2F6H8JN1VB is resolved"
		}
		all["reminder."+string(a)] = t
		if t.Text != "" {
			t.Text, t.Vendor, t.Author = "", nil, nil // as a stand-in is told
			all["reminder."+string(a)+".bare"] = t
		}
	}
	ticket := base(delivery.Ticket, "")
	ticket.Facts.Status, ticket.Facts.Into = incident.Merged, &incident.Merging{ID: "INC-2F6H8JN1VB"}
	ticket.Facts.Merged = []incident.Merging{{ID: "INC-3G7K9MP4WC"}, {ID: "INC-4H8M1NR5XD"}}
	all["ticket.merged"] = ticket
	ticket.About = incident.AboutChange
	all["ticket.change.merged"] = ticket
	ticket.Facts.Into = nil
	ticket.Facts.Status, ticket.Facts.Times.Resolved = incident.Resolved, after(78*time.Minute)
	all["ticket.change"] = ticket
}

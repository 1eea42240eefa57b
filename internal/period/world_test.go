package period_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/alert"
	changes "muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is where the states of a month are kept, for the tests of other packages too. The name of a file is that of its bundle.
const world = "testdata/world"

var seoul = time.FixedZone("KST", 9*60*60)

// at is a wall-clock time in Seoul, in 2026.
func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", "2026-"+s, seoul)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func person(id, name string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: name}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// A story tells an incident.
type story struct{ i *incident.Incident }

func customers() map[string]string {
	return map[string]string{"garam": "가람 쇼핑몰", "acme": "Acme Commerce"}
}

func services() map[string]string {
	return map[string]string{"shop": "Online shop", "payments": "Payment gateway", "archive": "Archive"}
}

func tell(id, title, service, customer string, p priority.Priority, impact priority.Level, began time.Time) story {
	i := &incident.Incident{
		ID: incident.ID(id), Status: incident.Triggered, Priority: p, Impact: impact, Urgency: priority.Medium,
		Definition: incident.Definition{
			Organisation: "하늘클라우드 주식회사", Zone: "Asia/Seoul", Title: title, Service: incident.Service{ID: service, Name: services()[service]},
			Customers: []incident.Customer{{ID: customer, Name: customers()[customer]}}, Impact: impact,
		},
		Times: incident.Times{Started: began, Alerted: began},
	}
	i.Timeline.Add(began, timeline.IncidentOpened, timeline.Muster(), timeline.F("title", title), timeline.F("priority", p.String()), timeline.F("impact", string(impact)))
	return story{i}
}

// fires adds an alert that came so often.
func (s story) fires(name string, times int) story {
	s.i.Alerts.Full = append(s.i.Alerts.Full, alert.Held{Alert: alert.Alert{Fingerprint: name, Name: name, State: alert.Resolved}, Times: times})
	return s
}

// planned gives it a response plan.
func (s story) planned() story {
	s.i.Definition.Links = append(s.i.Definition.Links, incident.Link{Kind: incident.Playbook, URL: "https://wiki.example/plan"})
	return s
}

func (s story) add(at time.Time, k timeline.Kind, facts ...timeline.Fact) story {
	s.i.Timeline.Add(at, k, timeline.Muster(), facts...)
	return s
}

func (s story) page(at time.Time, who ...string) story {
	for _, w := range who {
		s.add(at, timeline.Delivered, timeline.F("what", string(delivery.Page)), timeline.F("to", w), timeline.F("method", "phone"))
	}
	return s
}

func (s story) move(to incident.Status, at time.Time) story {
	s.add(at, timeline.StatusChanged, timeline.F("from", string(s.i.Status)), timeline.F("to", string(to)))
	s.i.Status = to
	switch to {
	case incident.Acknowledged:
		s.i.Times.Engaged = at
	case incident.Mitigated:
		s.i.Times.Mitigation = at
	case incident.Resolved:
		s.i.Times.Resolved = at
	case incident.Closed:
		s.i.Times.Closed = at
	case incident.Triggered:
		s.i.Reopened++
	default:
	}
	return s
}

// promise adds a clock that was kept or missed, as it ended.
func (s story) promise(t supportplan.Target, within time.Duration, ended time.Time, pauses ...supportplan.Span) story {
	c := s.i.Definition.Customers[0]
	x := supportplan.Start(c.ID, supportplan.Promise{Target: t, Within: within}, s.i.Times.Alerted)
	x.Due, x.EndedAt, x.Pauses, x.State = x.Started.Add(within), ended, pauses, supportplan.Met
	for _, p := range pauses {
		x.Due = x.Due.Add(p.To.Sub(p.From))
	}
	if kind, at := timeline.ClockMet, ended; !ended.IsZero() {
		if x.Late = ended.After(x.Due); x.Late {
			x.State, kind, at = supportplan.Missed, timeline.ClockMissed, x.Due
		}
		s.add(at, kind, timeline.F("customer", c.Name), timeline.F("target", string(t)))
	} else {
		x.State = supportplan.Running
	}
	s.i.Clocks = append(s.i.Clocks, x)
	return s
}

func (s story) told(ats ...time.Time) story {
	name := s.i.Definition.Customers[0].Name
	for _, at := range ats {
		s.add(at, timeline.UpdateSent, timeline.F("customer", name), timeline.F("text", "We are working on it."))
		s.add(at, timeline.ClockMet, timeline.F("customer", name), timeline.F("target", "update"))
	}
	return s
}

func (s story) cleared(at time.Time) story {
	return s.add(at, timeline.AllClearSent, timeline.F("customer", s.i.Definition.Customers[0].Name))
}

func incidents() []*incident.Incident {
	critical := tell("INC-0000000P1A", "Checkout fails", "shop", "garam", priority.P1, priority.High, at("11-03 02:13")).fires("CheckoutErrors", 3).fires("PoolExhausted", 1).planned().
		page(at("11-03 02:13"), "김민수", "박지훈").move(incident.Acknowledged, at("11-03 02:21")).
		promise(supportplan.Respond, 15*time.Minute, at("11-03 02:21")).told(at("11-03 02:40")).
		add(at("11-03 03:10"), timeline.ClockMissed, timeline.F("customer", "가람 쇼핑몰"), timeline.F("target", "update")).
		told(at("11-03 03:15")).move(incident.Mitigated, at("11-03 02:50")).promise(supportplan.Mitigate, time.Hour, at("11-03 02:50")).
		move(incident.Resolved, at("11-03 03:40")).promise(supportplan.Resolve, 4*time.Hour, at("11-03 03:40")).cleared(at("11-03 03:42")).
		promise(supportplan.ResultReport, 30*time.Hour, at("11-03 18:00")).move(incident.Closed, at("11-05 03:40"))
	critical.i.Cause = &incident.Cause{Domain: incident.CauseOurs, Text: "pool ran dry"}
	critical.i.Merged = []incident.Merging{{ID: "INC-0000000P2M", Taken: at("11-03 02:30")}}

	part := tell("INC-0000000P2M", "Search is slow", "archive", "garam", priority.P2, priority.High, at("11-03 02:20")).fires("CheckoutErrors", 1).
		page(at("11-03 02:20"), "박지훈").promise(supportplan.Respond, 30*time.Minute, time.Time{}).move(incident.Merged, at("11-03 02:30")).
		move(incident.Closed, at("11-05 03:41"))
	part.i.MergedInto = &incident.Merging{ID: "INC-0000000P1A", Taken: at("11-03 02:30")}

	again := tell("INC-0000000P2R", "Payments are declined", "payments", "acme", priority.P2, priority.Medium, at("11-09 10:05")).fires("PaymentsDeclined", 7).planned().
		page(at("11-09 10:05"), "이서연").page(at("11-09 10:20"), "이서연", "김민수").
		add(at("11-09 10:30"), timeline.PriorityChanged, timeline.F("impact", "high")).
		move(incident.Acknowledged, at("11-09 10:50")).promise(supportplan.Respond, 30*time.Minute, at("11-09 10:50")).
		told(at("11-09 11:30")).move(incident.Resolved, at("11-09 13:00")).cleared(at("11-09 13:01")).
		move(incident.Triggered, at("11-09 13:30")).told(at("11-09 13:32")).move(incident.Acknowledged, at("11-09 13:35")).
		move(incident.Resolved, at("11-09 16:10")).
		promise(supportplan.Resolve, 4*time.Hour, at("11-09 16:10"), supportplan.Span{From: at("11-09 13:00"), To: at("11-09 13:30")}).
		cleared(at("11-09 16:12")).move(incident.Closed, at("11-11 16:10"))
	again.i.Times.Engaged = at("11-09 10:50")

	vendor := tell("INC-0000000P3V", "Images load slowly", "shop", "garam", priority.P3, priority.Medium, at("11-14 15:00")).
		page(at("11-14 15:00"), "김민수").move(incident.Acknowledged, at("11-14 15:25")).
		promise(supportplan.Respond, time.Hour, at("11-14 15:25")).move(incident.Resolved, at("11-14 19:30")).
		promise(supportplan.Resolve, 8*time.Hour, at("11-14 19:30"), supportplan.Span{From: at("11-14 16:00"), To: at("11-14 18:30")}).
		add(at("11-16 09:00"), timeline.ClearWaived, timeline.F("customer", "가람 쇼핑몰"), timeline.F("reason", "told by phone")).
		add(at("11-16 19:30"), timeline.ResultWaived, timeline.F("customer", "가람 쇼핑몰"), timeline.F("reason", "told by phone")).
		move(incident.Closed, at("11-16 19:30"))

	open := tell("INC-0000000P4O", "Old orders cannot be exported", "archive", "garam", priority.P4, priority.Low, at("11-27 11:00")).
		page(at("11-27 11:00"), "박지훈").move(incident.Acknowledged, at("11-27 13:00")).
		promise(supportplan.Respond, 4*time.Hour, at("11-27 13:00")).promise(supportplan.Resolve, 72*time.Hour, time.Time{})

	carried := tell("INC-0000000P3C", "Backups are late", "archive", "garam", priority.P3, priority.Low, at("10-30 17:00")).fires("BackupLate", 2).
		move(incident.Acknowledged, at("10-30 17:20")).promise(supportplan.Respond, time.Hour, at("10-30 17:20")).
		move(incident.Resolved, at("11-02 09:00")).promise(supportplan.Resolve, 24*time.Hour, at("11-02 09:00")).move(incident.Closed, at("11-04 09:00"))

	secret := tell("INC-0000000P2S", "Somebody reads the orders of others", "shop", "garam", priority.P2, priority.Medium, at("11-20 23:40")).fires("OrdersOfOthers", 1).
		page(at("11-20 23:40"), "김민수").move(incident.Acknowledged, at("11-20 23:52")).move(incident.Resolved, at("11-21 04:00")).
		move(incident.Closed, at("11-23 04:00"))
	secret.i.Definition.Kind = incident.SecurityIncident

	alone := tell("INC-0000000P5A", "Disk of a test host", "archive", "acme", priority.P5, priority.Low, at("11-18 08:00")).fires("DiskFills", 40).
		move(incident.Resolved, at("11-18 08:30")).move(incident.Closed, at("11-20 08:30"))

	after := tell("INC-0000000P3N", "Certificates warn", "payments", "acme", priority.P3, priority.Low, at("12-02 10:00"))

	return []*incident.Incident{critical.i, part.i, again.i, vendor.i, open.i, carried.i, secret.i, alone.i, after.i}
}

// A change tells a run of a plan of one task that changes production.
type changeStory struct{ r *planrun.Run }

func changing(id string, kind plan.Kind, name plan.Text, customer, service string, opened time.Time) changeStory {
	r := &planrun.Run{
		Terms: planrun.Terms{
			ID: planrun.ID(id), Starter: person("lee", "이서연"), Customer: customer, CustomerName: customers()[customer],
			Environments: []planrun.Bound{{ID: "production", Environment: "prod", Name: customers()[customer] + " production", Production: true, Services: []string{service}}},
			Pinned: planrun.Pinned{
				Plan: plan.Definition{
					ID: strings.ToLower(id), Kind: kind, Name: name, Environments: []plan.Environment{{ID: "production"}},
					Phases: []plan.Phase{{ID: "change", Tasks: []plan.Task{{ID: "apply", Kind: plan.Manual, Changes: true, Environment: "production"}, {ID: "look", Kind: plan.Checking}}}},
				}, Organisation: "하늘클라우드 주식회사", Zone: "Asia/Seoul",
			},
		},
		Status: planrun.Running, Opened: opened,
	}
	r.Timeline.Add(opened, timeline.PlanStarted, r.Starter)
	return changeStory{r}
}

func (c changeStory) task(at time.Time, to planrun.TaskStatus) changeStory {
	c.r.Timeline.Add(at, timeline.TaskMoved, timeline.Muster(), timeline.F("task", "apply"), timeline.F("to", string(to)))
	return c
}

func (c changeStory) add(at time.Time, k timeline.Kind, facts ...timeline.Fact) changeStory {
	c.r.Timeline.Add(at, k, timeline.Muster(), facts...)
	return c
}

func (c changeStory) end(at time.Time, s planrun.Status) *planrun.Run {
	c.r.Status, c.r.Ended = s, at
	return c.r
}

func runs() []*planrun.Run {
	production := timeline.F("environment", "production")
	upgrade := changing("RUN-00000000UP", plan.Upgrade, plan.Text{En: "Upgrade of the payment gateway", Ko: "결제 게이트웨이 업그레이드"}, "acme", "payments", at("11-02 09:00")).
		task(at("11-12 01:00"), planrun.Begun).task(at("11-12 02:10"), planrun.Failed).add(at("11-12 02:15"), timeline.RollbackBegun, production).
		add(at("11-12 03:30"), timeline.RollbackEnded, production).task(at("11-12 03:30"), planrun.RolledBack).end(at("11-13 10:00"), planrun.Cancelled)
	patch := changing("RUN-00000000MA", plan.Maintenance, plan.Text{En: "Monthly patches", Ko: "월간 패치"}, "garam", "shop", at("11-10 09:00")).
		task(at("11-15 02:00"), planrun.Begun).task(at("11-15 04:00"), planrun.Done).end(at("11-15 04:30"), planrun.Completed)
	urgent := changing("RUN-00000000EM", plan.Maintenance, plan.Text{En: "Urgent security patch", Ko: "긴급 보안 패치"}, "garam", "shop", at("11-24 14:00")).
		task(at("11-24 15:00"), planrun.Begun).task(at("11-24 15:20"), planrun.Done).end(at("11-24 16:00"), planrun.Completed)
	urgent.Override = []planrun.Override{{Environment: "production", Asked: freeze.Override{
		Freeze: "year-end", By: person("kim", "김민수"), Approver: person("choi", "최유리"), From: at("11-24 14:30"), Until: at("11-24 18:00"),
	}}}
	review := changing("RUN-00000000RE", plan.Readiness, plan.Text{En: "Readiness review", Ko: "운영 준비 상태 검토"}, "garam", "shop", at("11-16 09:00")).
		end(at("11-17 09:00"), planrun.Completed)
	return []*planrun.Run{upgrade, patch, urgent, review}
}

func actions() []*action.Action {
	item := func(id, title string, opened, due time.Time, steps ...timeline.Entry) *action.Action {
		a := &action.Action{Terms: action.Terms{
			ID: action.ID(id), Asked: action.Asked{Title: title, Kind: action.Prevent, Priority: priority.P3, Owner: "kim", Due: due, Origin: action.Origin{Customer: "garam"}},
			Pinned: action.Pinned{Zone: "Asia/Seoul", OwnerName: "김민수"},
		}, Status: action.Open, Opened: opened}
		a.Timeline.Add(opened, timeline.ItemOpened, timeline.Muster(), timeline.F("due", stamp(due)))
		for _, s := range steps {
			a.Timeline.Add(s.At, s.Kind, timeline.Muster(), s.Facts...)
			switch s.Kind {
			case timeline.ItemExtended:
				a.Due, _ = time.Parse(time.RFC3339, s.Fact("due"))
			case timeline.ItemClosed:
				a.Status, a.Ended = action.Closed, s.At
			default:
			}
		}
		return a
	}
	step := func(k timeline.Kind, at time.Time, facts ...timeline.Fact) timeline.Entry {
		return timeline.Entry{Kind: k, At: at, Facts: facts}
	}
	late := item("ACT-00000000LA", "Alert on a pool that runs dry", at("11-06 10:00"), at("11-20 18:00"))
	moved := item("ACT-00000000MO", "Document the failover", at("11-06 10:00"), at("11-20 18:00"),
		step(timeline.ItemExtended, at("11-19 09:00"), timeline.F("due", stamp(at("12-10 18:00"))), timeline.F("before", stamp(at("11-20 18:00")))))
	moved.Public = true
	helped := item("ACT-00000000HE", "Bound the number of connections", at("09-20 10:00"), at("10-05 18:00"),
		step(timeline.ItemDone, at("10-04 10:00")), step(timeline.ItemVerified, at("10-06 10:00")), step(timeline.ItemClosed, at("11-06 10:00")))
	verified := item("ACT-00000000VE", "Rehearse the rollback", at("10-20 10:00"), at("11-18 18:00"),
		step(timeline.ItemDone, at("11-17 10:00")), step(timeline.ItemVerified, at("11-18 10:00")))
	useless := item("ACT-00000000US", "Page earlier", at("09-01 10:00"), at("10-01 18:00"),
		step(timeline.ItemDone, at("09-20 10:00")), step(timeline.ItemVerified, at("09-25 10:00")),
		step(timeline.ItemReopened, at("11-25 10:00"), timeline.F("due", stamp(at("12-09 10:00")))))
	return []*action.Action{late, moved, helped, verified, useless}
}

func problems() []*problem.Problem {
	one := func(id string, opened, ended time.Time) *problem.Problem {
		p := &problem.Problem{Terms: problem.Terms{ID: problem.ID(id), Title: "The pool runs dry"}, Status: problem.Open, Opened: opened, Ended: ended}
		if !ended.IsZero() {
			p.Status = problem.Closed
		}
		return p
	}
	again := one("PRB-00000000AG", at("10-01 09:00"), time.Time{})
	again.Timeline.Add(at("11-09 13:40"), timeline.ProblemReopened, timeline.Muster())
	return []*problem.Problem{one("PRB-00000000NE", at("11-04 09:00"), time.Time{}), one("PRB-00000000OV", at("08-04 09:00"), at("11-04 09:00")), again}
}

// requested are changes that somebody asks for: one of each way in the month, a use that was refused, and an emergency from before it that
// nobody has approved by then.
func requested() []*changes.Change {
	one := func(id string, w changes.Way, k changes.Kind, s changes.Status, opened time.Time) *changes.Change {
		return &changes.Change{
			Terms: changes.Terms{ID: changes.ID(id), Asked: changes.Asked{Way: w, Kind: k, Title: "A larger pool"}}, Status: s, Opened: opened,
		}
	}
	late := one("CHG-00000000LA", changes.Emergency, changes.Changed, changes.Done, at("10-30 09:00"))
	late.Exception = changes.TooLate
	late.Timeline.Add(at("11-02 09:00"), timeline.ChangeExcepted, timeline.Muster(), timeline.F("cause", string(changes.TooLate)))
	return []*changes.Change{
		one("CHG-00000000NM", changes.Normal, changes.Exception, changes.Approved, at("11-03 09:00")),
		one("CHG-00000000ST", changes.Standard, changes.Changed, changes.Done, at("11-04 09:00")),
		one("CHG-00000000RF", changes.Standard, changes.Changed, changes.Rejected, at("11-05 09:00")),
		one("CHG-00000000EM", changes.Emergency, changes.Addition, changes.Done, at("11-06 09:00")),
		late,
	}
}

func reviews() []*review.Review {
	one := func(of incident.ID, opened, due, ended time.Time) *review.Review {
		r := &review.Review{Facts: review.Facts{Incident: of}, Opened: opened, Due: due, Ended: ended, Status: review.Open}
		if !ended.IsZero() {
			r.Status = review.Closed
		}
		return r
	}
	return []*review.Review{
		one("INC-0000000P1A", at("11-03 03:40"), at("11-13 18:00"), at("11-12 15:00")),
		one("INC-0000000P2R", at("11-09 16:10"), at("11-19 18:00"), at("11-23 11:00")),
		one("INC-0000000P2S", at("11-21 04:00"), at("11-28 18:00"), time.Time{}),
	}
}

func requests() []*request.Request {
	one := func(id, kind string, received time.Time, within time.Duration, answered time.Time, score int) *request.Request {
		r := &request.Request{Terms: request.Terms{
			ID: request.ID(id), Asked: request.Asked{Customer: "garam", Kind: kind, Received: received, Text: "Please."},
			Pinned: request.Pinned{CustomerName: customers()["garam"], Zone: "Asia/Seoul"},
		}, Status: request.Accepted, Opened: received}
		if within > 0 {
			x := supportplan.Start("garam", supportplan.Promise{Target: supportplan.Respond, Within: within}, received)
			x.Due = received.Add(within)
			if x.EndedAt = answered; !answered.IsZero() {
				x.Keep(answered)
			}
			r.Clocks = append(r.Clocks, x)
		}
		if !answered.IsZero() {
			r.Status, r.AnsweredAt, r.Ended = request.Closed, answered, answered.Add(24*time.Hour)
		}
		if score > 0 {
			r.Rating = &request.Rating{Score: score, At: r.Ended}
		}
		return r
	}
	told := one("REQ-00000000TO", "enquiry", at("11-11 09:00"), 0, at("11-11 09:00"), 0)
	told.Begun = request.WithVendor
	no := one("REQ-00000000NO", "source-code", at("11-13 09:00"), 0, time.Time{}, 0)
	no.Status, no.Ended = request.Declined, at("11-13 15:00")
	return []*request.Request{
		one("REQ-00000000OK", "enquiry", at("11-05 10:00"), time.Hour, at("11-05 10:35"), 5),
		one("REQ-00000000LA", "enquiry", at("11-17 10:00"), time.Hour, at("11-17 13:00"), 4),
		one("REQ-00000000OP", "visit", at("11-29 10:00"), 0, time.Time{}, 0), told, no,
	}
}

func ledger() *usage.Ledger {
	l := &usage.Ledger{Customer: "garam"}
	for _, day := range []string{"02-10", "04-14", "06-09", "08-11", "10-13", "11-10", "11-26"} {
		l.Uses = append(l.Uses, usage.Use{Request: "REQ-" + day, Feature: "visit", Visit: true, At: at(day + " 10:00")})
	}
	return l
}

// kept is a state as a file of the world holds it.
type kept struct {
	Kind  string          `json:"kind"`
	State json.RawMessage `json:"state"`
}

// stored writes states as records, without a folder.
func stored(t testing.TB, states map[string]any) (all []period.Record) {
	t.Helper()
	files := make([]string, 0, len(states))
	for file := range states {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range files {
		state, err := json.Marshal(states[file])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, recordOf(t, file, kept{kindOf(states[file]), state}))
	}
	return all
}

func recordOf(t testing.TB, file string, k kept) period.Record {
	t.Helper()
	s, err := period.Decode(k.Kind, k.State)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(k.State)
	return period.Record{Bundle: period.Bundle{File: file, SHA256: hex.EncodeToString(sum[:])}, Kind: k.Kind, State: s}
}

func kindOf(state any) string {
	switch s := state.(type) {
	case *incident.Incident:
		return "Incident"
	case *review.Review:
		return "Review"
	case *action.Action:
		return "ActionItem"
	case *problem.Problem:
		return "Problem"
	case *changes.Change:
		return "Change"
	case *request.Request:
		return "Request"
	case *usage.Ledger:
		return "Usage"
	case *planrun.Run:
		return map[plan.Kind]string{plan.Upgrade: "Upgrade", plan.GoLive: "GoLive", plan.Readiness: "Readiness", plan.Maintenance: "Maintenance"}[s.Plan.Kind]
	}
	return "Handover"
}

// states are all of the world, by the files of their bundles.
func states() map[string]any {
	all := map[string]any{"usage-garam.bundle": ledger()}
	for _, i := range incidents() {
		all[string(i.ID)+".bundle"] = i
	}
	for _, r := range runs() {
		all[string(r.ID)+".bundle"] = r
	}
	for _, a := range actions() {
		all[string(a.ID)+".bundle"] = a
	}
	for _, p := range problems() {
		all[string(p.ID)+".bundle"] = p
	}
	for _, x := range requested() {
		all[string(x.ID)+".bundle"] = x
	}
	for _, r := range reviews() {
		all["review-"+string(r.Facts.Incident)+".bundle"] = r
	}
	for _, r := range requests() {
		all[string(r.ID)+".bundle"] = r
	}
	return all
}

// The world that other packages read is the one of these stories.
func TestTheWorldIsWrittenDown(t *testing.T) {
	want := states()
	if *update {
		if err := os.RemoveAll(world); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(world, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, state := range want {
		b, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := json.MarshalIndent(kept{kindOf(state), b}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(world, file+".json")
		if *update {
			if err := os.WriteFile(path, append(whole, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != string(whole)+"\n" {
			t.Errorf("%s: %v, or it differs; if it is meant to: go test ./internal/period -update", path, err)
		}
	}
	files, err := os.ReadDir(world)
	if err != nil || len(files) != len(want) {
		t.Errorf("%s: %d files, want %d; %v", world, len(files), len(want), err)
	}
}

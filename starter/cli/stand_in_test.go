package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/reach"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/response"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// The incidents of the house.
const (
	taken  incident.ID = "INC-7K3M9QX2PA" // acknowledged, with everything in it
	paging incident.ID = "INC-4TY8W0RD5V" // nobody answers
	over   incident.ID = "INC-0P1D6N2C3K" // closed
)

// now is when every command runs.
func now() time.Time { return time.Date(2026, 11, 22, 5, 30, 0, 0, time.UTC) }

// A house keeps real incidents, whose sends all reach whoever they are for at once.
type house struct {
	mu        sync.Mutex
	incidents []*incident.Incident
	reviews   map[incident.ID]*review.Review
	down      int    // so many commands are not answered in time
	stuck     bool   // no command can be answered
	written   string // the request that has written into a review last
	handover  *handover.Handover
	requests  []*request.Request
	problems  []*problem.Problem
	changes   []*change.Change
	actions   []*action.Action
	risks     []*risk.Escalation
	round     *reach.Round // of test pages
	silences  []*silence.Silence
	routine   *routine.Routine
	guard     *response.Ledger   // of the automatic response restart
	asks      *incident.Incident // in which it waits for an approval
	planRuns  []*planrun.Run
}

func newHouse(t testing.TB) *house {
	h := &house{reviews: map[incident.ID]*review.Review{}}
	h.closedIncident(t)
	h.pagingIncident(t)
	h.takenIncident(t)
	return h
}

func definition(service, title string, impact, urgency priority.Level, customers ...incident.Customer) incident.Definition {
	return incident.Definition{
		Zone: "Asia/Seoul", Source: "prometheus", Title: title, Languages: []string{"ko", "en"}, Organisation: "example",
		Service: incident.Service{ID: service, Name: service}, Impact: impact, Urgency: urgency, Customers: customers,
		Policy: escalation.Policy{
			Steps: []escalation.Step{
				{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "primary"}}, Wait: 5 * time.Minute},
				{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "secondary"}, {Kind: escalation.Person, ID: "lee"}}, Wait: 5 * time.Minute},
			},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}, LastResortEvery: 10 * time.Minute,
			AckExpires: time.Hour, NextMethodAfter: time.Minute,
		},
		Quiet: 5 * time.Minute, ReopenWithin: time.Hour,
		Review: incident.ReviewRule{FromPriority: priority.P2, DueWithin: 72 * time.Hour, Owner: incident.IncidentManager, Stages: &incident.ReviewStages{Draft: 3, Meeting: 5, Publish: 8}},
	}
}

func customer(id, name string, within ...time.Duration) incident.Customer {
	c := incident.Customer{ID: id, Name: name, Plan: supportplan.Plan{ID: "gold", AtRisk: 75, UpdateBy: supportplan.ByPerson}}
	for n, t := range []supportplan.Target{supportplan.Respond, supportplan.Update, supportplan.Resolve}[:len(within)] {
		for _, p := range priority.All() {
			c.Plan.Promises = append(c.Plan.Promises, supportplan.Promise{Priority: p, Target: t, Within: within[n]})
		}
	}
	return c
}

func (h *house) open(t testing.TB, id incident.ID, d incident.Definition, at time.Time, alerts ...string) *incident.Incident {
	i, err := incident.Open(id, d, at)
	if err != nil {
		t.Fatal(err)
	}
	b := alert.Batch{Source: d.Source, Posts: 1, ReceivedAt: at}
	for n, name := range alerts {
		b.Alerts = append(b.Alerts, alert.Received{Times: 1, Alert: alert.Alert{
			Fingerprint: fmt.Sprintf("%08d", n+1), Name: name, State: alert.Firing, StartsAt: at.Add(-time.Minute),
			Labels: alert.Labels{{Name: "alertname", Value: name}}, Annotations: annotations()[name], Generator: generators()[name],
		}})
	}
	i.Receive(b, at)
	settle(i, at)
	h.incidents = append(h.incidents, i)
	return i
}

// annotations and generators are what sources say of their alerts.
func annotations() map[string]alert.Labels {
	return map[string]alert.Labels{
		"HighErrorRate": {
			{Name: "description", Value: "결제 API 오류율이 10분째 5 %를 넘음\n\x1b[31m(현재 7.2 %)"},
			{Name: "runbook_url", Value: "https://runbooks.example/high-error-rate"},
			{Name: "summary", Value: "오류율 높음: checkout"},
		},
		"LoginDown": {
			{Name: "runbook_url", Value: "https://runbooks.example/\x1b[31mlogin"},
			{Name: "summary", Value: "Nobody can log in"},
		},
	}
}

func generators() map[string]string {
	return map[string]string{
		"HighErrorRate": "http://prometheus.example:9090/graph?g0.expr=rate%3E5",
		"LoginDown":     "javascript:alert(1)",
	}
}

var (
	park = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	kim  = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim Min-su"}
)

func do(t testing.TB, i *incident.Incident, by timeline.Actor, at time.Time, commands ...incident.Command) {
	for _, c := range commands {
		if err := i.Do(fmt.Sprint(i.Sends, c), c, by, at); err != nil {
			t.Fatal(err)
		}
		settle(i, at)
	}
}

func (h *house) takenIncident(t testing.TB) {
	begun := now().Add(-25 * time.Minute)
	d := definition("Checkout", "HighErrorRate: \x1b[31mcheckout\x1b[0m 5xx > 5 %", priority.High, priority.Medium,
		customer("hanbit", "한빛은행", 10*time.Minute, 30*time.Minute, 4*time.Hour), customer("acme", "Acme Corp", 10*time.Minute, time.Hour))
	noc := incident.Contact{Target: escalation.Target{Kind: escalation.Group, ID: "noc"}, Name: "관제팀 \x1b[31mNOC"}
	d.Background = incident.Background{
		Classes: []priority.Class{priority.Money}, Owner: &noc, Tier: 1, DependsOn: []incident.Service{{ID: "platform", Name: "Platform"}},
		Triage: &incident.Triage{
			Architecture: "https://wiki.example/checkout", Components: []string{"checkout", "redis"}, Privacy: incident.PersonalData,
			Security: incident.Confidential, Contacts: []incident.Contact{noc}, AccessVerified: calendar.DateOf(time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)),
		},
	}
	d.Links = []incident.Link{{URL: "https://runbooks.example/checkout", Kind: incident.Runbook}, {Name: "대시보드", URL: "https://grafana.example/d/checkout"}}
	i := h.open(t, taken, d, begun, "HighErrorRate", "HighLatency")
	i.Previous = &incident.Earlier{ID: over}
	settle(i, begun.Add(5*time.Minute))
	do(t, i, park, begun.Add(7*time.Minute), incident.Acknowledge{})
	do(t, i, park, begun.Add(9*time.Minute),
		incident.Assign{Role: incident.CommunicationsManager, Person: "kim", Name: "Kim Min-su", Note: "the customer calls at four"},
		incident.Note{Text: "원인: 4.3 배포 이후 결제 API 타임아웃 증가, DB 커넥션 풀 고갈을 의심하고 있으며 4.2로 되돌릴 준비를 하고 있음"})
	do(t, i, kim, begun.Add(14*time.Minute), incident.PauseClock{Customer: "acme", Target: supportplan.Update, Reason: "their switchboard is closed"})
	settle(i, begun.Add(24*time.Minute))
	i.Receive(alert.Batch{Source: "prometheus", Posts: 1, ReceivedAt: begun.Add(24 * time.Minute), Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "00000002", Name: "HighLatency", State: alert.Resolved, StartsAt: begun.Add(-time.Minute), EndsAt: begun.Add(23 * time.Minute),
		Labels: alert.Labels{{Name: "alertname", Value: "HighLatency"}},
	}}}}, begun.Add(24*time.Minute))
	settle(i, begun.Add(24*time.Minute))
}

func (h *house) pagingIncident(t testing.TB) {
	begun := now().Add(-6 * time.Minute)
	i := h.open(t, paging, definition("Login", "LoginDown", priority.High, priority.High, customer("acme", "Acme Corp", 5*time.Minute, time.Hour)), begun,
		"LoginDown", "LoginSlow", "TokenErrors", "LoginSlow", "QueueFull", "SessionsLost")
	settle(i, begun.Add(5*time.Minute))
}

func (h *house) closedIncident(t testing.TB) {
	begun := now().Add(-50 * time.Hour)
	i := h.open(t, over, definition("결제 배치", "BatchLate", priority.Low, priority.Medium), begun, "BatchLate")
	do(t, i, park, begun.Add(3*time.Minute), incident.Acknowledge{})
	do(t, i, park, begun.Add(30*time.Minute), incident.Resolve{Note: "다시 실행하여 정상 종료"})
	settle(i, begun.Add(2*time.Hour))
	r := &review.Review{Facts: review.FactsOf(i), Opened: begun.Add(2 * time.Hour), Due: now().Add(-time.Hour), Status: review.Open, Overdue: true}
	r.Facts.Zone = "Asia/Seoul"
	r.Timeline.Add(r.Opened, timeline.ReviewOpened, timeline.Muster(), timeline.F("review", "review/"+string(over)), timeline.F("due", r.Due.Format(time.RFC3339)))
	h.reviews[over] = r
}

// settle begins what is due, and lets each send have its outcome at once.
func settle(i *incident.Incident, at time.Time) {
	for sends := i.Advance(at); len(sends) > 0; sends = i.Advance(at) {
		for _, s := range sends {
			switch s.Work {
			case incident.ComputeClocks:
				var instants []incident.Instants
				for _, c := range i.Running() {
					instants = append(instants, incident.InstantsOf(c, i.AtRisk(c.Customer), i.Calendars(), time.LoadLocation))
				}
				i.Computed(s.Number, instants, at)
			case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt, incident.CloseCustomer,
				incident.SendResult, incident.CallVendor, incident.Summon, incident.Appoint:
				to := delivery.Recipient{ID: "park", Name: "박서준", Language: "ko", Methods: []string{"slack"}}
				i.Composed(s.Number, incident.Composition{To: []incident.Addressed{{To: to, Message: delivery.Message{Kind: i.Telling(s).Kind}}}}, at)
			case incident.PagePerson, incident.Tell:
				i.Told(s.Number, delivery.Outcome{Result: delivery.Delivered, Attempts: 1}, at)
			case incident.SyncTicket:
				i.Ticketed(s.Number, ticket.Ref{ID: "LOCAL-12", URL: "http://tickets.example/12"}, at)
			case incident.WriteReport:
				i.Reported(s.Number, []incident.File{{Path: "reports/" + string(i.ID) + ".md", SHA256: "0123456789abcdef"}}, at)
			case incident.OpenReview:
				i.Reviewed(s.Number, "review/"+string(i.ID), i.ReviewDue(), "", at)
			case incident.WriteResult:
				i.ResultWritten(s.Number, []incident.ResultFile{{Language: "ko", Name: "result.html", SHA256: "00"}}, at)
			case incident.TellMerge, incident.TellMerged, incident.ForwardAlerts:
				i.MergeTold(s.Number, "", at)
			case incident.FindPrevious:
				i.FoundPrevious(s.Number, nil, at)
			default:
				responds(i, s, at)
			}
		}
	}
}

func (h *house) List(_ context.Context, f api.Filter) ([]api.Summary, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rows []api.Summary
	for n := len(h.incidents) - 1; n >= 0; n-- {
		i := h.incidents[n]
		if f.Open && i.Status == incident.Closed || f.Status != "" && f.Status != i.Status {
			continue
		}
		row := api.Summary{
			ID: i.ID, Title: i.Definition.Title, Status: i.Status, Priority: i.Priority, Service: i.Definition.Service.ID, OpenedAt: i.Times.Alerted,
			NextDue: i.NextDue(), ClosedAt: i.Times.Closed,
		}
		for _, c := range i.Definition.Customers {
			row.Customers = append(row.Customers, c.ID)
		}
		rows = append(rows, row)
	}
	if f.Limit > 0 && len(rows) > f.Limit {
		return rows[:f.Limit], "more", nil
	}
	return rows, "", nil
}

// find is called with the lock held.
func (h *house) find(id incident.ID) (*incident.Incident, error) {
	if id == asking {
		return h.asked(), nil
	}
	for _, i := range h.incidents {
		if i.ID == id {
			return i, nil
		}
	}
	return nil, &starter.NotFoundError{What: "incident " + string(id)}
}

// State returns a copy, as a query does.
func (h *house) State(_ context.Context, id incident.ID) (*incident.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(id)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	var seen incident.Incident
	return &seen, json.Unmarshal(text, &seen)
}

func (h *house) Timeline(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	return h.State(ctx, id)
}

// Alerts has those of the state, for there is no storm in the house. The second one of the taken incident has ended.
func (h *house) Alerts(ctx context.Context, id incident.ID, f api.AlertFilter) (*starter.Alerts, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return nil, err
	}
	part := &starter.Alerts{Incident: i, Found: []api.Alert{}}
	for _, a := range i.Alerts.Full {
		if f.Name != "" && a.Name != f.Name || f.Firing && a.State != alert.Firing {
			continue
		}
		if len(part.Found) == f.Limit {
			part.Next = "more"
			break
		}
		labels := map[string]string{}
		for _, l := range a.Labels {
			labels[l.Name] = l.Value
		}
		part.Found = append(part.Found, api.Alert{
			Fingerprint: a.Fingerprint, Name: a.Name, State: a.State, Summary: a.Summary(), StartsAt: a.StartsAt, EndsAt: a.EndsAt,
			Labels: labels, Generator: a.Generator, Times: a.Times, First: a.First, Last: a.Last,
		})
	}
	return part, nil
}

func (h *house) History(ctx context.Context, id incident.ID, w io.Writer) error {
	if _, err := h.State(ctx, id); err != nil {
		return err
	}
	_, err := io.WriteString(w, `[{"events":[]}]`+"\n")
	return err
}

func (h *house) Command(_ context.Context, id incident.ID, r starter.Request, c incident.Command) (api.Receipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(id)
	if err != nil {
		return api.Receipt{}, err
	}
	if h.stuck {
		return api.Receipt{}, &starter.StuckError{What: "incident " + string(id), Cause: context.DeadlineExceeded}
	}
	if h.down > 0 {
		h.down--
		return api.Receipt{}, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	if err := i.Do(r.ID, c, r.By, now()); err != nil {
		return api.Receipt{}, &starter.RefusedError{Reason: err.Error()}
	}
	settle(i, now())
	return api.Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: len(i.Timeline.Entries)}, nil
}

func (h *house) Review(_ context.Context, id incident.ID) (review.Review, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.reviews[id]
	if r == nil {
		return review.Review{}, &starter.NotFoundError{What: "review of " + string(id)}
	}
	return *r, nil
}

func (h *house) StartReview(_ context.Context, r starter.Request, i *incident.Incident, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reviews[i.ID] != nil {
		return &starter.RefusedError{Reason: "review of " + string(i.ID) + ": it is there already"}
	}
	h.reviews[i.ID] = review.Start(review.FactsOf(i), review.RulesOf(i), at.Add(time.Hour), r.By, at)
	return nil
}

// AskReview asks a review that is open, once for each request.
func (h *house) AskReview(_ context.Context, id incident.ID, r starter.Request, c review.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := h.reviews[id]
	if of == nil || of.Status == review.Closed {
		return &starter.NotFoundError{What: "review of " + string(id)}
	}
	if h.down > 0 {
		h.down--
		return &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	if h.written == r.ID {
		return nil
	}
	h.written = r.ID
	err := c.Check(of, r.By)
	if err == nil {
		err = c.Apply(of, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

func (h *house) Handover(_ context.Context, schedule string) (*handover.Handover, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handover == nil || h.handover.Schedule != schedule {
		return nil, &starter.NotFoundError{What: "hand-over of " + schedule}
	}
	seen := *h.handover
	return &seen, nil
}

func (h *house) StartHandover(ctx context.Context, r starter.Request, terms handover.Terms) (*handover.Handover, error) {
	if before, err := h.Handover(ctx, terms.Schedule); err == nil && !before.Over() {
		if before.Request == r.ID {
			return before, nil
		}
		return nil, &starter.RefusedError{Reason: "hand-over of " + terms.Schedule + ": under way"}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.Request = r.ID
	started, err := handover.Start(terms, now())
	h.handover = started
	return started, err
}

func (h *house) AskHandover(ctx context.Context, schedule string, r starter.Request, c handover.Command) error {
	seen, err := h.Handover(ctx, schedule)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if seen.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "hand-over of " + schedule}
	}
	if err := c.Check(h.handover, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	c.Apply(h.handover, r.By, now())
	return nil
}

// people are an organisation folder. Every service has no partners.
type people map[string]authority.Subject

func everybody() people {
	all := people{}
	add := func(party string, kind authority.PartyKind, by timeline.Actor, roles ...authority.Role) {
		by.Kind = timeline.Person
		all[by.ID] = authority.Subject{Actor: by, Party: party, Kind: kind, Roles: roles}
	}
	add("mirnet", authority.Provider, park, authority.Responder)
	add("mirnet", authority.Provider, kim, authority.Responder, authority.Member)
	add("mirnet", authority.Provider, timeline.Actor{ID: "choi", Name: "최은영"}, authority.Administrator)
	add("mirnet", authority.Provider, timeline.Actor{ID: "yoon", Name: "윤아름"}, authority.Auditor)
	add("acme", authority.Customer, timeline.Actor{ID: "acme/lead", Name: "Acme lead"}, authority.Responder)
	return all
}

func (all people) Subject(id string) (authority.Subject, bool) {
	s, ok := all[id]
	return s, ok
}

func (all people) Person(id string) (delivery.Recipient, bool) {
	s, ok := all[id]
	return delivery.Recipient{ID: id, Name: s.Actor.Name}, ok && s.Kind == authority.Provider
}

// Older knows one folder that is newer.
func (people) Older(revision string, _ time.Time) bool { return revision == "newer" }

// Repinned returns a definition with a longer quiet time.
func (people) Repinned(d incident.Definition, _ []alert.Labels) (incident.Definition, error) {
	if d.Service.ID == "gone" {
		return d, errors.New(`service "gone": not in the organisation folder`)
	}
	d.SHA256, d.Revision, d.Quiet = "new", "newer", d.Quiet+time.Minute
	return d, nil
}

func (people) Partners(string) []string        { return nil }
func (people) PartnerServices(string) []string { return nil }

// Recipients of primary: kim is on call. There is no other schedule.
func (all people) Recipients(t escalation.Target, _ time.Time) ([]delivery.Recipient, error) {
	if p, known := all.Person(t.ID); known && t.Kind == escalation.Person {
		return []delivery.Recipient{p}, nil
	}
	if t.ID != "primary" {
		return nil, fmt.Errorf("schedule %q: not in the organisation folder", t.ID)
	}
	p, _ := all.Person("kim")
	return []delivery.Recipient{p}, nil
}

// Team knows the group noc, which has agreed to answer within a quarter of an hour.
func (people) Team(c incident.AddResponder, _ string, at time.Time) (incident.AddResponder, error) {
	if c.Team != "group:noc" {
		return c, fmt.Errorf("group %q: not in the organisation folder", strings.TrimPrefix(c.Team, "group:"))
	}
	c.Name, c.Members, c.Agreement, c.Due = "관제팀", []string{"kim"}, &incident.Agreement{ID: "noc", Name: "NOC"}, at.Add(15*time.Minute)
	return c, nil
}

func (people) Form(report.FormKind, string, string) *report.Form { return nil }

func (people) LastResorts(string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: "choi"}}
}

package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/keyring"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/signature"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/worker"
	"muster/workflows"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
)

// A rehearsal runs one workflow in the time-skipping environment with the real activities over memory.
type rehearsal struct {
	*testing.T
	env     *testsuite.TestWorkflowEnvironment
	office  office
	sender  *inmem.Sender
	chat    *chat // where whoever has the method "chat" is told what has become of a page
	tickets *inmem.Tickets
	page    page // a status page
	shelf   *shelf
	keys    *keyring.Ring
	refused []worker.Refusal
	before  *incident.Earlier
	lost    error                                         // nobody knows what came before
	nearby  []incident.Nearby                             // what else goes on
	unseen  error                                         // nobody knows that
	counter counter                                       // of what customers use
	outside outside                                       // what silences let go, and who has locks
	runner  runner                                        // of runbooks and checks
	causes  causes                                        // behind incidents
	changes changes                                       // before them
	planner *planner                                      // of what changes become
	machine responding                                    // of automatic responses
	id      string                                        // of the workflow
	tally   *tally                                        // of the events of its history
	asked   int                                           // of a run of a plan
	state   *incident.Incident                            // as it was last asked for
	contact func(method string) (delivery.Contact, error) // nil: every method is there
	asleep  string                                        // who is in quiet hours, for what is less pressing than P2
	// How often the worker's folder is still older than what the run has seen, and how often clocks still cannot be computed.
	// In threes: where the environment's clock is behind the real one, it takes no result of a second or third attempt.
	older, timeless atomic.Int32
}

func rehearse(t *testing.T) *rehearsal {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	r := &rehearsal{
		T: t, env: suite.NewTestWorkflowEnvironment(), sender: &inmem.Sender{}, chat: &chat{}, tickets: &inmem.Tickets{}, shelf: &shelf{}, id: workflowID, tally: &tally{},
	}
	r.env.SetStartTime(start)
	r.env.SetTestTimeout(20 * time.Second)
	r.env.SetDetachedChildWait(false) // a review goes on for long after its incident
	var err error
	if r.keys, err = keyring.Open(filepath.Join(t.TempDir(), keyring.File), r.env.Now); err != nil {
		t.Fatal(err)
	}
	admission := &worker.Admission{Keys: r.keys, Refused: func(a worker.Refusal) { r.refused = append(r.refused, a) }, Now: r.env.Now}
	r.env.SetWorkerOptions(sdkworker.Options{
		Interceptors: []interceptor.WorkerInterceptor{admission.Interceptor(), r.tally},
	})
	folder := func() activities.Directory { return directory{r} }
	for _, w := range workflows.All() {
		r.env.RegisterWorkflowWithOptions(w.Function, workflow.RegisterOptions{Name: w.Name})
	}
	for _, a := range []any{
		&composition{activities.Composition{Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }}, r},
		&activities.Deliveries{
			Directory: folder, Senders: senders(r), Reports: r.shelf,
		},
		&activities.FollowUps{
			Directory: folder, Senders: senders(r), Writer: writer{}, Now: r.env.Now,
		},
		&activities.Tickets{System: r.tickets, Writer: writer{}},
		&activities.Pages{Page: func(string) (activities.Page, error) { return &r.page, nil }, Writer: writer{}},
		&activities.Reports{Archive: archive{r}, Writer: writer{}, Shelf: r.shelf, Directory: folder},
		&activities.Lookup{Archive: archive{r}, Around: func(string) incident.Around {
			return incident.Around{Needs: []incident.Service{{ID: "platform", Name: "Platform"}}}
		}},
		&activities.Handovers{Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }},
		&activities.Reviews{Changes: &r.changes, Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }},
		&activities.Requests{Directory: folder, Writer: writer{}, Counter: &r.counter, Now: func() time.Time { return r.env.Now() }},
		&activities.Problems{
			Directory: folder, House: func() activities.ProblemHouse { return &r.causes }, Writer: writer{}, Recurrences: &r.causes,
			Now: func() time.Time { return r.env.Now() },
		},
		&activities.ChangeRequests{
			Directory: folder, House: func() activities.ChangeHouse { return r.planner }, Writer: writer{}, Runs: starts{r}, Now: r.env.Now,
		},
		&activities.Actions{Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }},
		&activities.Risks{Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }},
		&activities.Silences{Directory: folder, Writer: writer{}, Now: func() time.Time { return r.env.Now() }},
		&planning{activities.Plans{
			Directory: folder, Library: func() activities.Library { return &r.office }, Writer: writer{}, Now: func() time.Time { return r.env.Now() },
		}, r},
		&stepping{activities.Runbooks{Runner: &r.runner}, r},
		&activities.Responses{Ledger: &r.machine},
		&documents{r},
		&activities.Environments{Incidents: &r.outside, Locks: &r.outside},
		&activities.Heartbeats{Intake: &r.outside},
	} {
		r.env.RegisterActivity(a)
	}
	return r
}

// composition is the real one, but for its faults.
type composition struct {
	activities.Composition
	r *rehearsal
}

func (c *composition) ComputeClocks(ctx context.Context, in activities.ComputeClocksInput) ([]incident.Instants, error) {
	if c.r.timeless.Add(-1) >= 0 {
		return nil, errors.New("no time zones")
	}
	return c.Composition.ComputeClocks(ctx, in)
}

// archive knows what came before.
type archive struct{ r *rehearsal }

func (archive) Complete(context.Context, string, *incident.Incident) error { return nil }

func (a archive) Last(context.Context, string, incident.ID) (*incident.Earlier, error) {
	return a.r.before, a.r.lost
}

func (a archive) LastOf(_ context.Context, service string, _ incident.ID) (*incident.Earlier, error) {
	return &incident.Earlier{ID: "INC-OF-" + incident.ID(strings.ToUpper(service)), Remedy: "rolled back"}, nil
}

func (a archive) Nearby(_ context.Context, service incident.Service, around incident.Around, _ incident.ID, at time.Time) ([]incident.Nearby, error) {
	if service.ID != "checkout" || len(around.Needs) != 1 || !at.Equal(start) {
		return nil, fmt.Errorf("asked for %v, %v at %s", service, around, at)
	}
	return a.r.nearby, a.r.unseen
}

// at does something when so much time has passed.
func (r *rehearsal) at(after time.Duration, do func()) { r.env.RegisterDelayedCallback(do, after) }

func (r *rehearsal) alerts(after time.Duration, as ...alert.Received) {
	r.at(after, func() {
		r.batch(alert.Batch{Source: "alertmanager", ReceivedAt: r.env.Now(), Posts: 1, Alerts: as})
	})
}

// batch tells of alerts now, as the intake does.
func (r *rehearsal) batch(b alert.Batch) {
	r.env.SignalWorkflow(workflows.AlertsSignal, sealed(r, workflows.AlertsSignal, "", prometheus, b))
}

// workflowID is that of whatever is rehearsed, unless it is given another one.
const workflowID = "default-test-workflow-id"

// under gives the workflow an id of its own.
func (r *rehearsal) under(id string) {
	r.id = id
	r.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id})
}

var prometheus = timeline.Actor{Kind: timeline.Source, ID: "prometheus"}

// sealed is a message as the installation sends it. Messages without an id are starts and Signals.
func sealed[B any](r *rehearsal, name, id string, by timeline.Actor, body B) signature.Signed[B] {
	m, err := signature.New(by, body)
	if err != nil {
		r.Fatal(err)
	}
	seal, err := r.keys.Sign(signature.Statement{Workflow: r.id, Message: name, ID: id, Digest: m.Digest(), By: by}, "token:tok_1")
	if err != nil {
		r.Fatal(err)
	}
	m.Seal = &seal
	return m
}

// answer is what came of an update.
type answer struct {
	rejected, failed error
	receipt          workflows.Receipt
	done             bool
}

func ask[C incident.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, fmt.Sprintf("%s-%s", update, after), update, by, c) })
	return a
}

// tell asks something now, as the API does.
func tell[B any](r *rehearsal, a *answer, id, update string, by timeline.Actor, body B) {
	a.to(r, id, update, sealed(r, update, id, by, body))
}

// to sends an update now.
func (a *answer) to(r *rehearsal, id, update string, request any) {
	r.env.UpdateWorkflow(update, id, &testsuite.TestUpdateCallback{
		OnAccept: func() {},
		OnReject: func(err error) { a.rejected, a.done = err, true },
		OnComplete: func(v any, err error) {
			a.failed, a.done = err, true
			if receipt, ok := v.(workflows.Receipt); ok {
				a.receipt = receipt
			}
		},
	}, request)
}

// look reads the state when so much time has passed.
func (r *rehearsal) look(after time.Duration, check func(*incident.Incident)) {
	r.at(after, func() { check(r.query()) })
}

func (r *rehearsal) query() *incident.Incident {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatalf("query: %v", err)
	}
	var i incident.Incident
	if err := v.Get(&i); err != nil {
		r.Fatalf("query: %v", err)
	}
	r.state = &i
	return &i
}

func (r *rehearsal) run(in workflows.IncidentInput) {
	r.Helper()
	if in.State != nil {
		in.Signed, in.Since = true, start
		r.env.SetContinuedExecutionRunID("run-before")
		r.env.ExecuteWorkflow(workflows.IncidentWorkflow, sealed(r, workflows.IncidentWorkflow, "", timeline.Muster(), in))
	} else {
		in.ID = "INC-TEST"
		by := prometheus
		if in.Notice != nil {
			by = kim
		}
		r.env.ExecuteWorkflow(workflows.IncidentWorkflow, sealed(r, workflows.IncidentWorkflow, "", by, in))
	}
	if !r.env.IsWorkflowCompleted() {
		r.Fatal("the workflow has not completed")
	}
}

func (r *rehearsal) wantDone() {
	r.Helper()
	if err := r.env.GetWorkflowError(); err != nil {
		r.Fatalf("workflow: %v", err)
	}
	i := r.query()
	for n, e := range i.Timeline.Entries {
		if e.Seq != i.Timeline.Dropped+n+1 {
			r.Errorf("timeline entry %d has number %d", n, e.Seq)
		}
	}
	if len(i.Outbox) != 0 {
		r.Errorf("ended with sends without an outcome: %+v", i.Outbox)
	}
}

// entries are those of a kind in the timeline as it was last asked for.
func (r *rehearsal) entries(k timeline.Kind) (found []timeline.Entry) {
	for _, e := range r.state.Timeline.Entries {
		if e.Kind == k {
			found = append(found, e)
		}
	}
	return found
}

// got lists what was delivered: "page kim webhook".
func (r *rehearsal) got() []string {
	var all []string
	for _, e := range r.sender.Delivered() {
		all = append(all, fmt.Sprintf("%s %s", e.Message.Kind, e.Recipient.ID))
	}
	return all
}

func (r *rehearsal) wantGot(want ...string) {
	r.Helper()
	if d := cmp.Diff(want, r.got()); d != "" {
		r.Errorf("delivered (-want +got):\n%s", d)
	}
}

// wantGotAll is wantGot for what goes out at once, in whatever order it arrives.
func (r *rehearsal) wantGotAll(want ...string) {
	r.Helper()
	got := r.got()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		r.Errorf("delivered (-want +got):\n%s", d)
	}
}

// directory is a folder in which the schedules mean kim (primary) and park (secondary).
type directory struct{ r *rehearsal }

func (d directory) Folder() incident.Folder { return d.r.office.now() }

func (directory) Own(string) bool { return true }

func (d directory) Older(revision string, changed time.Time) bool {
	f := d.r.office.now()
	return d.r.older.Add(-1) >= 0 || f.Revision != revision && f.Changed.Before(changed)
}

func (d directory) Recipients(t escalation.Target, _ time.Time) ([]delivery.Recipient, error) {
	who := map[string]string{"primary": "kim", "secondary": "park"}[t.ID]
	if t.Kind == escalation.Person || t.Kind == escalation.Vendor {
		who = t.ID
	}
	who = d.r.office.who(who)
	switch {
	case t.ID == "broken" || who == "broken":
		return nil, fmt.Errorf("%s %q: not found", t.Kind, t.ID)
	case who == "":
		return nil, nil // a gap
	}
	methods := []string{"phone", "mail"}
	if d.r.chat.used {
		methods = []string{"chat"}
	}
	return []delivery.Recipient{{ID: who, Name: who, Language: "en", Methods: methods}}, nil
}

// Reach lets whoever is asleep sleep.
func (d directory) Reach(to delivery.Recipient, t incident.Telling, _ time.Time) (delivery.Recipient, string) {
	if d.r.asleep == to.ID && t.Kind == delivery.Page && t.Step > 0 && t.Facts.Priority > priority.P2 {
		to.Methods = nil
		return to, incident.HeldByQuietHours
	}
	return to, ""
}

// Engineers are choi, and jung in choi's place.
func (directory) Engineers(string, time.Time) ([][]delivery.Recipient, error) {
	return [][]delivery.Recipient{
		{{ID: "choi", Name: "choi", Language: "ko", Methods: []string{"phone"}}},
		{{ID: "jung", Name: "jung", Language: "ko", Methods: []string{"phone"}}},
	}, nil
}

func (directory) CustomerContacts(c string) ([]delivery.Recipient, error) {
	return []delivery.Recipient{{ID: c + "/desk", Name: c, Language: "ko", Methods: []string{"hook"}}}, nil
}

func (d directory) Contact(_, method string) (delivery.Contact, error) {
	if d.r.contact != nil {
		return d.r.contact(method)
	}
	if method == "chat" {
		return delivery.Contact{Method: method, Type: chats}, nil
	}
	return delivery.Contact{Method: method, Type: delivery.Webhook, Address: "https://example.com/" + method}, nil
}

// writer writes the least that can be told apart.
type writer struct{}

func (writer) Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: t.Kind, Language: to.Language, Subject: string(t.Facts.ID), Text: t.Text}
	if n := len(t.Files); n > 0 {
		f := t.Files[n-1]
		m.Attachments = []delivery.Attachment{{Name: "report.pdf", SHA256: f.SHA256, Path: f.Name}}
	}
	return m, nil
}

func (writer) Ticket(f incident.Facts, _ string) (string, string, error) {
	return f.Title, string(f.Status), nil
}

func (writer) Incident(i *incident.Incident, e report.Edition) ([]byte, error) {
	return []byte(string(i.ID) + e.Language + string(e.Format)), nil
}

func (writer) Result(_ *incident.Incident, customer, text string, e report.Edition) ([]byte, error) {
	return []byte(customer + e.Language + text), nil
}

// shelf keeps reports in memory.
type shelf struct {
	mu    sync.Mutex // reports are rendered beside each other
	names []string
	held  map[string][]byte
}

func (s *shelf) Put(_ context.Context, name string, content []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string][]byte{}
	}
	s.names, s.held[name] = append(s.names, name), content
	return "/reports/" + name, nil
}

func (s *shelf) Get(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if content, ok := s.held[name]; ok {
		return content, nil
	}
	return nil, errors.New("not there")
}

func definition() *incident.Definition {
	return &incident.Definition{
		Source: "alertmanager", Title: "Checkout is slow", Zone: "Asia/Seoul", Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "checkout", Name: "Checkout"}, Impact: priority.High, Urgency: priority.High,
		Customers: []incident.Customer{{ID: "acme", Name: "Acme", Plan: supportplan.Plan{
			ID: "premium", AtRisk: 80, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
				{Priority: priority.P1, Target: supportplan.Respond, Within: 15 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Update, Within: 30 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Resolve, Within: 4 * time.Hour},
			},
		}}},
		Policy: escalation.Policy{
			ID: "default", Steps: []escalation.Step{
				{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "primary"}}, Wait: 5 * time.Minute},
				{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "secondary"}}, Wait: 5 * time.Minute},
			},
			LastResort:      []escalation.Target{{Kind: escalation.Person, ID: "lee"}},
			LastResortEvery: 10 * time.Minute, AckExpires: 2 * time.Hour, NextMethodAfter: time.Minute,
		},
		Quiet: 5 * time.Minute, ReopenWithin: time.Hour,
		Review: incident.ReviewRule{FromPriority: priority.P2, DueWithin: 72 * time.Hour, Owner: incident.IncidentManager},
	}
}

// fading is an alert that counts as resolved five minutes after it came.
func fading(fp string, began, comes time.Duration) alert.Received {
	r := firing(fp, began)
	r.Until = start.Add(comes + 5*time.Minute)
	return r
}

// Of an alert that only comes again, nobody is told that it is over: it is when it has not come again. What comes in the quiet
// time that follows pages on.
func TestAnAlertThatDoesNotComeAgainIsOver(t *testing.T) {
	r := rehearse(t)
	for n := range 10 {
		at := time.Duration(n) * time.Minute
		r.alerts(at, fading("a", 0, at))
	}
	r.alerts(16*time.Minute, fading("a", 0, 16*time.Minute))
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	i := r.state
	if want := start.Add(26 * time.Minute); i.Status != incident.Closed || !i.Times.Resolved.Equal(want) {
		t.Errorf("%s, resolved at %s, want %s", i.Status, i.Times.Resolved, want)
	}
	var told []string
	for _, e := range i.Timeline.Entries {
		switch e.Kind {
		case timeline.AlertFired, timeline.AlertsTimedOut, timeline.AllAlertsResolved, timeline.QuietBroken:
			told = append(told, fmt.Sprintf("%s %s %s", e.At.Sub(start), e.Kind, e.Fact("names")))
		default:
		}
	}
	want := []string{
		"0s alert.fired ", "14m0s alerts.timed-out Slow", "14m0s alerts.all-resolved ",
		"16m0s alert.fired ", "16m0s alerts.quiet-broken ", "21m0s alerts.timed-out Slow", "21m0s alerts.all-resolved ",
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
}

func firing(fp string, after time.Duration) alert.Received {
	return alert.Received{Times: 1, Alert: alert.Alert{Fingerprint: fp, Name: "Slow", State: alert.Firing, StartsAt: start.Add(after)}}
}

func ended(fp string, after time.Duration) alert.Received {
	r := firing(fp, after)
	r.State = alert.Resolved
	return r
}

func TestFromTheAlertToTheClosedIncident(t *testing.T) {
	r := rehearse(t)
	r.before = &incident.Earlier{ID: "INC-BEFORE", ClosedAt: start.Add(-time.Hour)}
	r.alerts(0, firing("a", 0))
	r.alerts(time.Minute, firing("a", 0), firing("b", time.Minute)) // one repeat, one more of the same group
	ack := ask(r, 6*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	mitigated := ask(r, 40*time.Minute, workflows.MitigateUpdate, park, incident.Mitigate{Note: "rolled back"})
	r.alerts(50*time.Minute, ended("a", 0), ended("b", time.Minute))
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	got := r.got()
	slices.Sort(got[4:]) // the all-clear and the review do not wait for each other
	wantGot := []string{
		"page kim", "page park", "customer-update acme/desk", "customer-update acme/desk", "all-clear acme/desk", "review-opened park",
	}
	if d := cmp.Diff(wantGot, got); d != "" {
		t.Errorf("delivered (-want +got):\n%s", d)
	}
	i := r.state
	if ack.rejected != nil || ack.failed != nil || ack.receipt.Status != incident.Acknowledged {
		t.Errorf("acknowledge: %+v", ack)
	}
	if mitigated.receipt.Status != incident.Mitigated {
		t.Errorf("mitigate: %+v", mitigated)
	}
	if i.Status != incident.Closed || i.Alerts.Distinct() != 2 || i.Previous == nil || i.Previous.ID != "INC-BEFORE" {
		t.Errorf("status %s, %d alerts, previous %v", i.Status, i.Alerts.Distinct(), i.Previous)
	}
	want := incident.Times{
		Started: start, Alerted: start, Engaged: start.Add(6 * time.Minute), Mitigation: start.Add(40 * time.Minute),
		Resolved: start.Add(55 * time.Minute), Closed: start.Add(115 * time.Minute),
	}
	if d := cmp.Diff(want, i.Times); d != "" {
		t.Errorf("times (-want +got):\n%s", d)
	}
	if tickets := r.tickets.All(); len(tickets) != 1 || tickets[0].Latest().Status != string(incident.Closed) {
		t.Errorf("tickets %+v: want one, closed", tickets)
	}
	slices.Sort(r.shelf.names)
	if n := len(slices.Compact(r.shelf.names)); n != 12 { // two languages, three formats; at the resolution and at the end
		t.Errorf("reports %v: want 12 that replace none", r.shelf.names)
	}
}

// Of a security incident the customer hears only what a person writes, though the plan lets the engine write; the ticket says
// nothing of it, and whoever was paged may read it.
func TestASecurityIncident(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Kind = incident.SecurityIncident
	r.alerts(0, firing("a", 0))
	ask(r, 6*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 10*time.Minute, workflows.SendUpdateUpdate, park, incident.SendUpdate{Text: "please change your passwords"})
	r.look(39*time.Minute, func(*incident.Incident) {
		r.wantGot("page kim", "page park", "customer-update acme/desk", "reminder park") // the next update is wanted within 30 minutes
	})
	r.alerts(51*time.Minute, ended("a", 0))
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
	for _, e := range r.sender.Delivered() {
		if strings.HasPrefix(e.Recipient.ID, "acme/") && e.Message.Text != "please change your passwords" {
			t.Errorf("the customer gets %+v, and no person wrote it", e.Message)
		}
	}
	if want := []string{"kim", "park"}; !slices.Equal(r.state.Involved, want) {
		t.Errorf("involved: %q, want %q", r.state.Involved, want)
	}
}

func TestAMorePressingAlertThatJoinsRaisesThePriority(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Impact, def.Urgency = priority.Medium, priority.Medium
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	r.at(10*time.Minute, func() {
		r.batch(alert.Batch{
			Source: "alertmanager", ReceivedAt: r.env.Now(), Posts: 1, Impact: priority.High, Urgency: priority.High,
			Alerts: []alert.Received{firing("b", 10*time.Minute)},
		})
	})
	r.look(11*time.Minute, func(i *incident.Incident) {
		if i.Priority != priority.P1 || len(i.Clocks) != 2 || i.Clocks[0].Due != start.Add(40*time.Minute) {
			t.Errorf("priority %s, clocks %+v: want P1 and what it promises but the response, which was given", i.Priority, i.Clocks)
		}
		r.wantGot("page kim", "reminder park")
	})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

func TestQuietHoursSkipAPersonAndThePageClimbs(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Impact, def.Urgency = priority.Medium, priority.Medium
	r.asleep = "kim"
	r.alerts(0, firing("a", 0))
	r.look(time.Second, func(*incident.Incident) {
		r.wantGot("page park") // at once: nobody else is in the first step
		if held := r.entries(timeline.HeldBack); len(held) != 1 || held[0].Fact("to") != "kim" || held[0].Fact("cause") != incident.HeldByQuietHours {
			t.Errorf("the timeline says %+v", held)
		}
	})
	ask(r, time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

// targets parses what definitions write.
func targets(t *testing.T, written ...string) (all []escalation.Target) {
	t.Helper()
	for _, s := range written {
		target, err := escalation.ParseTarget(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, target)
	}
	return all
}

func TestAStepInOrderPagesOneAfterTheOther(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Policy.Steps[0] = escalation.Step{Targets: targets(t, "person:kim", "person:park", "person:lee"), Wait: 5 * time.Minute, Every: 2 * time.Minute}
	r.alerts(0, firing("a", 0))
	r.look(time.Minute, func(*incident.Incident) { r.wantGot("page kim") })
	r.look(3*time.Minute, func(*incident.Incident) { r.wantGot("page kim", "page park") })
	ask(r, 3*time.Minute+time.Second, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	r.look(20*time.Minute, func(*incident.Incident) { r.wantGot("page kim", "page park") })
	ask(r, 21*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

func TestAStepThatWantsTwoAcknowledgementsPagesOnUntilItHasThem(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Policy.Steps[0] = escalation.Step{Targets: targets(t, "person:kim", "person:park"), Wait: 5 * time.Minute, Acknowledgements: 2}
	def.Policy.Steps[1].Targets = targets(t, "person:kim", "person:jung")
	r.alerts(0, firing("a", 0))
	first := ask(r, time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	r.look(6*time.Minute, func(i *incident.Incident) {
		r.wantGotAll("page kim", "page park", "page jung")
		if first.receipt.Status != incident.Acknowledged || i.Status != incident.Acknowledged || i.Clocks[0].State != supportplan.Met {
			t.Errorf("status %s, respond %s: want the first acknowledgement to count", i.Status, i.Clocks[0].State)
		}
	})
	ask(r, 7*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	r.look(25*time.Minute, func(*incident.Incident) { r.wantGotAll("page kim", "page park", "page jung") })
	ask(r, 26*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

func TestAPriorityThatIsRaisedMidwayTakesTheStepsForIt(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Customers, def.Impact, def.Urgency = nil, priority.Medium, priority.Medium
	def.Policy.Variants = []escalation.Variant{{Priorities: []priority.Priority{priority.P1}, Steps: []escalation.Step{
		{Targets: targets(t, "schedule:primary", "person:choi"), Wait: time.Minute},
		{Targets: targets(t, "person:jung"), Wait: time.Minute},
	}}}
	r.alerts(0, firing("a", 0))
	r.at(2*time.Minute, func() {
		r.batch(alert.Batch{
			Source: "alertmanager", ReceivedAt: r.env.Now(), Posts: 1, Impact: priority.High, Urgency: priority.High,
			Alerts: []alert.Received{firing("b", 2*time.Minute)},
		})
	})
	r.look(2*time.Minute+time.Second, func(*incident.Incident) { r.wantGotAll("page kim", "page choi", "page jung") })
	ask(r, 2*time.Minute+30*time.Second, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

func TestARoleIsPagedAsWhoeverHasIt(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Customers = nil
	def.Roles = []incident.RoleTarget{{Role: incident.SupportManager, Targets: targets(t, "schedule:secondary")}}
	step := escalation.Step{Targets: targets(t, "role:support-manager"), Wait: 5 * time.Minute}
	def.Policy.Steps = []escalation.Step{step, step}
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AssignUpdate, kim, incident.Assign{Role: incident.SupportManager, Person: "jung"})
	r.look(6*time.Minute, func(*incident.Incident) { r.wantGot("page park", "assignment jung", "page jung") })
	ask(r, 7*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

func TestTheSubstituteIsPagedWhenTheEngineerIsHeldBack(t *testing.T) {
	for asleep, want := range map[string]string{"": "page choi", "choi": "page jung"} {
		r := rehearse(t)
		def := definition()
		def.Impact, def.Urgency = priority.Medium, priority.Medium
		def.Policy.Steps[0].Targets = targets(t, "engineer")
		r.asleep = asleep
		r.alerts(0, firing("a", 0))
		r.look(time.Minute, func(*incident.Incident) { r.wantGot(want) })
		ask(r, 2*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
		r.run(workflows.IncidentInput{Definition: def})
		r.wantDone()
		if held := r.entries(timeline.HeldBack); len(held) != len(asleep)/len("choi") {
			t.Errorf("with %q asleep the timeline says %+v", asleep, held)
		}
	}
}

func TestAPreviousIncidentThatCannotBeLookedUpIsSaid(t *testing.T) {
	r := rehearse(t)
	r.lost = errors.New("no visibility")
	r.alerts(0, firing("a", 0))
	ask(r, 5*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if e := r.entries(timeline.Undetermined); len(e) != 1 || e[0].Fact("what") != "previous" || !strings.Contains(e[0].Fact("detail"), "no visibility") {
		t.Errorf("the timeline says %+v", e)
	}
}

func TestWhatGoesOnBesideAnIncidentIsKept(t *testing.T) {
	for _, tc := range []struct {
		name   string
		unseen error
		want   []incident.Nearby
	}{
		{"found", nil, []incident.Nearby{
			{Kind: incident.NearbyChange, ID: "CHG-1", Title: "Patch", Service: "Platform", Standing: incident.Needed, Status: "running", Since: start.Add(-time.Hour)},
		}},
		{"nobody knows", errors.New("no list"), nil},
	} {
		r := rehearse(t)
		r.before, r.nearby, r.unseen = &incident.Earlier{ID: "INC-BEFORE", ClosedAt: start.Add(-time.Hour)}, tc.want, tc.unseen
		def := definition()
		def.Around = true
		r.alerts(0, firing("a", 0))
		ask(r, 5*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
		r.run(workflows.IncidentInput{Definition: def})
		r.wantDone()
		if d := cmp.Diff(tc.want, r.state.Nearby); d != "" || r.state.Previous == nil {
			t.Errorf("%s: previous %v (-want +got):\n%s", tc.name, r.state.Previous, d)
		}
		found, unknown := r.entries(timeline.NearbyFound), r.entries(timeline.Undetermined)
		if tc.unseen == nil && (len(found) != 1 || found[0].Fact("changes") != "CHG-1" || found[0].Fact("incidents") != "" || len(unknown) != 0) {
			t.Errorf("%s: the timeline says %+v, %+v", tc.name, found, unknown)
		}
		if tc.unseen != nil && (len(found) != 0 || len(unknown) != 1 || unknown[0].Fact("what") != "nearby" || !strings.Contains(unknown[0].Fact("detail"), "no list")) {
			t.Errorf("%s: the timeline says %+v, %+v", tc.name, found, unknown)
		}
	}
}

func TestEveryDeliveryHasItsOwnIDAndASendIsRepeatedUnderTheSame(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "kim"}, 3, inmem.Fail(0))
	r.alerts(0, firing("a", 0))
	ask(r, 6*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	seen := map[delivery.ID]string{}
	for _, e := range r.sender.Attempts() {
		key := string(e.Message.Kind) + e.Recipient.ID + e.Contact.Method
		if was, ok := seen[e.ID]; ok && was != key {
			t.Errorf("delivery %s is both %s and %s", e.ID, was, key)
		}
		seen[e.ID] = key
	}
	first := r.sender.Attempts()[0]
	for n, e := range r.sender.Attempts()[:4] {
		if e.ID != first.ID || e.Attempt != n+1 || e.Repeated != (n > 0) {
			t.Errorf("attempt %d: %s attempt %d repeated %v", n, e.ID, e.Attempt, e.Repeated)
		}
	}
}

func TestAnOutageOfEverySideEffectDoesNotStopTheClimb(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "kim"}, 200, inmem.Fail(0))
	r.sender.On(inmem.Match{Recipient: "park"}, 200, inmem.Fail(0))
	r.alerts(0, firing("a", 0))
	r.look(11*time.Minute, func(*incident.Incident) {
		if got := strings.Join(r.got(), ", "); !slices.Contains(r.got(), "page lee") {
			t.Errorf("after eleven minutes: %s; want the last resort paged", got)
		}
	})
	ask(r, 12*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.look(12*time.Minute+time.Second, func(i *incident.Incident) {
		for _, s := range i.Outbox {
			if s.Work == incident.PagePerson && s.Withdrawn != "resolved" {
				t.Errorf("page to %s still matters: %+v", s.To.ID, s)
			}
		}
	})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
}

func TestWhatAPersonClosesIsReportedAndItsTicketClosed(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	ask(r, 10*time.Minute, workflows.CloseUpdate, park, incident.Close{Note: "agreed with the customer"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if i := r.state; i.Report.Written != 2 || i.Times.Closed != start.Add(10*time.Minute) {
		t.Errorf("report written %d times, closed at %s; want the report of the closed incident", i.Report.Written, i.Times.Closed)
	}
	if tickets := r.tickets.All(); len(tickets) != 1 || tickets[0].Latest().Status != string(incident.Closed) {
		t.Errorf("tickets %+v: want one, closed", tickets)
	}
}

func TestARefusedUpdateLeavesNoTrace(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	reopen := ask(r, time.Minute, workflows.ReopenUpdate, park, incident.Reopen{Reason: "x"})
	nobody := ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, timeline.Actor{}, incident.Acknowledge{})
	ask(r, 3*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "done"})
	late := ask(r, 4*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	for name, a := range map[string]struct {
		*answer
		want string
	}{
		"reopen what is open":      {reopen, "only a resolved incident can be reopened"},
		"nobody acknowledges":      {nobody, "actor: missing"},
		"acknowledge what is over": {late, "is resolved, by 김민수 at 2026-11-23T09:03:00Z"},
	} {
		if a.rejected == nil || !strings.Contains(a.rejected.Error(), a.want) {
			t.Errorf("%s: rejected %v, want %q", name, a.rejected, a.want)
		}
	}
}

func TestACancelIsRecordedAndTheIncidentGoesOn(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	r.at(time.Minute, r.env.CancelWorkflow)
	ask(r, 6*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if got := r.got(); !slices.Contains(got, "page park") || !slices.Contains(got, "all-clear acme/desk") {
		t.Errorf("delivered %v: want the next step and the all-clear", got)
	}
	if refused := r.entries(timeline.CancelRefused); len(refused) != 1 {
		t.Errorf("the cancel stands %d times in the timeline, want once", len(refused))
	}
}

func TestARunThatContinuesLosesNoPage(t *testing.T) {
	first := rehearse(t)
	first.sender.On(inmem.Match{Recipient: "kim"}, 200, inmem.Fail(0))
	first.alerts(0, firing("a", 0))
	first.at(3*time.Minute, func() { first.env.SetContinueAsNewSuggested(true) })
	first.alerts(3*time.Minute+time.Second, firing("b", 0))
	first.run(workflows.IncidentInput{Definition: definition()})
	again := first.env.GetWorkflowError()
	var next *workflow.ContinueAsNewError
	if !asContinue(again, &next) {
		t.Fatalf("ended with %v, want to continue as new", again)
	}
	carried := first.query()
	if len(carried.Outbox) == 0 {
		t.Fatal("nothing in the outbox: the page to kim has no outcome yet")
	}

	second := rehearse(t)
	ask(second, 10*time.Second, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(second, time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "fixed"})
	second.run(workflows.IncidentInput{State: carried})
	second.wantDone()
	lost := first.sender.Attempts()[0].ID
	if !slices.ContainsFunc(second.sender.Delivered(), func(e delivery.Envelope) bool { return e.ID == lost && e.Repeated }) {
		t.Errorf("the new run delivered %v, want %s among it, marked as possibly repeated", second.sender.Delivered(), lost)
	}
	if second.state.ID != carried.ID {
		t.Errorf("the incident is now %s, was %s", second.state.ID, carried.ID)
	}
}

func TestAnAcknowledgedIncidentThatContinuesPagesNobody(t *testing.T) {
	i, err := incident.Open("INC-TEST", *definition(), start.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Do("1", incident.Acknowledge{}, park, start.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	i.Outbox = nil
	r := rehearse(t)
	ask(r, time.Hour, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{State: i})
	r.wantDone()
	for _, got := range r.got() {
		if strings.HasPrefix(got, "page") {
			t.Errorf("paged after the restart: %v", r.got())
		}
	}
}

// The time of an alert goes on with the run that continues.
func TestARunThatContinuesKeepsTheTimeOfItsAlerts(t *testing.T) {
	i, err := incident.Open("INC-TEST", *definition(), start.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(alert.Batch{ID: "b", Source: "alertmanager", ReceivedAt: start, Posts: 1, Alerts: []alert.Received{fading("a", 0, 0)}}, start)
	if err := i.Do("1", incident.Acknowledge{}, park, start); err != nil {
		t.Fatal(err)
	}
	i.Outbox = nil
	r := rehearse(t)
	r.run(workflows.IncidentInput{State: i})
	r.wantDone()
	if want := start.Add(10 * time.Minute); !r.state.Times.Resolved.Equal(want) {
		t.Errorf("resolved at %s, want %s", r.state.Times.Resolved, want)
	}
}

func asContinue(err error, into **workflow.ContinueAsNewError) bool { return errors.As(err, into) }

func TestHoweverMuchPeopleWriteTheStateStaysSmall(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	long := strings.Repeat("<", incident.MaxText)
	for n := range 100 {
		ask(r, time.Minute+time.Duration(n)*time.Second, workflows.NoteUpdate, park, incident.Note{Text: long})
	}
	r.run(workflows.IncidentInput{Definition: definition()})
	var next *workflow.ContinueAsNewError
	if err := r.env.GetWorkflowError(); !asContinue(err, &next) {
		t.Fatalf("ended with %v, want to continue as new", err)
	}
	if got := next.Input.Size(); got > 300<<10 {
		t.Errorf("hands %d bytes to the next run", got)
	}
	if held := r.query(); held.Timeline.Dropped != 0 {
		t.Errorf("the run that ended has dropped %d entries of its own timeline", held.Timeline.Dropped)
	}
}

func TestAWorkerWithAnOlderFolderIsWaitedForAndThenTakenAnyway(t *testing.T) {
	r := rehearse(t)
	r.older.Store(9) // three attempts each, three times
	r.alerts(0, firing("a", 0))
	r.look(12*time.Second, func(i *incident.Incident) {
		if i.NextDue().IsZero() || len(r.got()) != 0 {
			t.Errorf("while the folder is older: next due %s, delivered %v", i.NextDue(), r.got())
		}
	})
	ask(r, time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if got := r.got(); len(got) == 0 || got[0] != "page kim" {
		t.Errorf("delivered %v, want the page once the folder is there", got)
	}
}

// Who is paged is found out, and the page sent, by workers whose folder is not older than that by which the incident was opened; where
// there is none, by whoever is there.
func TestAWorkerWithAnOlderFolderLeavesPagesToOthers(t *testing.T) {
	for name, tt := range map[string]struct {
		older  int32
		before time.Duration // the page has not gone out by then
		after  time.Duration // and has by then
	}{
		"the next worker has it":               {4, 500 * time.Millisecond, 5 * time.Second}, // three attempts within the task, and one of another worker
		"nobody who composes has it":           {9, 5 * time.Second, 8 * time.Second},
		"a worker that delivers has it not":    {10, 6 * time.Second, 10 * time.Second},
		"nobody has it at all, and never will": {math.MaxInt32, 60 * time.Second, 80 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.older.Store(tt.older)
			r.alerts(0, firing("a", 0))
			r.look(tt.before, func(*incident.Incident) {
				if got := r.got(); len(got) > 0 {
					t.Errorf("delivered %v while the folder is older", got)
				}
			})
			r.look(tt.after, func(*incident.Incident) {
				if got := r.got(); len(got) == 0 || got[0] != "page kim" {
					t.Errorf("delivered %v, want the page", got)
				}
			})
			ask(r, 3*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
			def := definition()
			def.Revision, def.Changed = "r1", start.Add(-time.Hour)
			r.office.folder = incident.Folder{Revision: def.Revision, Changed: def.Changed}
			r.run(workflows.IncidentInput{Definition: def})
			r.wantDone()
		})
	}
}

// A plan of weekdays from 9 to 17 in Seoul, and an alert on a Monday at 18:00 there: what is promised begins on Tuesday.
func TestPromisesRunInTheirCalendar(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Calendars = []calendar.Rules{{
		ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
			Days:  []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday},
			Hours: calendar.Hours{From: 9 * 60, To: 17 * 60},
		}},
	}}
	def.Policy.AckExpires = 100 * time.Hour
	plan := &def.Customers[0].Plan
	for n := range plan.Promises {
		plan.Promises[n].Calendar = "office"
	}
	plan.PauseFor = []supportplan.Cause{supportplan.Customer}
	opens := start.Add(15 * time.Hour)
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	denied := ask(r, 2*time.Minute, workflows.PauseClockUpdate, park, incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Vendor, Reason: "x"})
	r.look(10*time.Minute, func(i *incident.Incident) {
		for _, c := range i.Clocks {
			if c.Target == supportplan.Resolve && (!c.Begins.Equal(opens) || !c.Due.Equal(opens.Add(4*time.Hour))) {
				t.Errorf("begins %s, due %s", c.Begins, c.Due)
			}
		}
	})
	r.look(14*time.Hour, func(*incident.Incident) { r.wantGot("page kim") }) // and no update in the night
	r.look(16*time.Hour-time.Minute, func(*incident.Incident) {
		r.wantGot("page kim", "customer-update acme/desk", "customer-update acme/desk")
	})
	ask(r, 16*time.Hour, workflows.PauseClockUpdate, park, incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Customer, Reason: "their logs"})
	ask(r, 40*time.Hour, workflows.ResumeClockUpdate, park, incident.ResumeClock{Target: supportplan.Resolve})
	r.look(40*time.Hour+time.Minute, func(i *incident.Incident) {
		for _, c := range i.Clocks { // one hour was used on Tuesday; the other three begin on Wednesday at 10:00
			if want := opens.Add(28 * time.Hour); c.Target == supportplan.Resolve && !c.Due.Equal(want) {
				t.Errorf("due %s, want %s", c.Due, want)
			}
		}
	})
	ask(r, 41*time.Hour, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
	if denied.rejected == nil {
		t.Error("a cause that the plan does not allow was taken")
	}
}

// Within the hours of a calendar one step holds, outside of them another; which, is looked at when a step is due and recorded.
func TestOutsideTheHoursOtherStepsPage(t *testing.T) {
	r := rehearse(t)
	def := definition()
	def.Calendars = []calendar.Rules{{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
		Days: []calendar.Weekday{calendar.Monday}, Hours: calendar.Hours{From: 9 * 60, To: 18*60 + 7},
	}}}}
	def.Policy.Variants = []escalation.Variant{{Calendar: "office", Closed: true, Steps: []escalation.Step{
		{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Wait: 5 * time.Minute},
		{Targets: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, Wait: 5 * time.Minute},
	}}}
	r.alerts(0, firing("a", 0)) // a Monday at 18:00 in Seoul
	r.look(6*time.Minute, func(*incident.Incident) { r.wantGot("page kim", "page park") })
	r.look(11*time.Minute, func(i *incident.Incident) { // the office closed at 18:07: whom the night would have paged by now is next
		pages := slices.DeleteFunc(r.got(), func(s string) bool { return !strings.HasPrefix(s, "page ") }) // a reminder goes beside them
		slices.Sort(pages[2:])                                                                             // both at once
		if want := []string{"page kim", "page park", "page lee", "page park"}; !slices.Equal(pages, want) {
			t.Errorf("paged %q, want %q", pages, want)
		}
		if i.Hours == nil || len(i.Hours.Open) != 0 || i.Hours.Until.IsZero() {
			t.Errorf("hours %+v", i.Hours)
		}
	})
	ask(r, 12*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: def})
	r.wantDone()
}

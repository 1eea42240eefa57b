package workflows_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/workflows"
)

// byPhone is a definition of an incident that Acme has reported. It is asked whether it is fixed, and gets a result report.
func byPhone() (*incident.Definition, *incident.Notice) {
	d := definition()
	d.Source = "people"
	p := &d.Customers[0].Plan
	p.Confirm = &supportplan.Confirmation{Days: 2}
	p.Promises = append(p.Promises, supportplan.Promise{Priority: priority.P1, Target: supportplan.ResultReport, Within: 3 * time.Hour})
	return d, &incident.Notice{Customer: "acme", Channel: supportplan.ByPhone, Receipt: "CS-1", Received: start.Add(-10 * time.Minute), Text: "nobody can pay"}
}

func TestFromThePhoneToTheCustomersAnswer(t *testing.T) {
	r := rehearse(t)
	def, notice := byPhone()
	ask(r, time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 2*time.Minute, workflows.SetCauseUpdate, kim, incident.SetCause{Domain: incident.CauseOurs, Text: "a leak"})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "rolled back"})
	report := ask(r, 20*time.Minute, workflows.SendReportUpdate, park, incident.SendReport{Text: "a release leaked connections"})
	r.look(30*time.Minute, func(i *incident.Incident) {
		if i.Status != incident.Resolved || i.Results[0].Sent.IsZero() {
			t.Errorf("it is %s, results %+v", i.Status, i.Results)
		}
	})
	desk := timeline.Actor{Kind: timeline.Person, ID: "acme/desk"}
	fixed := ask(r, 5*time.Hour, workflows.AnswerUpdate, desk, incident.Answer{Answer: incident.Fixed})
	r.run(workflows.IncidentInput{Definition: def, Notice: notice})
	r.wantDone()
	if report.failed != nil || report.rejected != nil || fixed.receipt.Status != incident.Resolved && fixed.receipt.Status != incident.Closed {
		t.Errorf("report %+v, answer %+v", report, fixed)
	}
	r.wantGotAll("receipt acme/desk", "page kim", "all-clear acme/desk", "result-report acme/desk", "review-opened kim")
	i := r.state
	if i.Status != incident.Closed || !i.Times.Closed.Equal(start.Add(5*time.Hour)) || !i.Times.Alerted.Equal(notice.Received) {
		t.Errorf("status %s, times %+v", i.Status, i.Times)
	}
	for _, c := range i.Clocks {
		if c.Target == supportplan.Respond && (c.State != supportplan.Met || !c.Due.Equal(start.Add(5*time.Minute))) {
			t.Errorf("the response: %+v", c)
		}
	}
	if i.Previous == nil || i.Previous.ID != "INC-OF-CHECKOUT" || i.Previous.Remedy != "rolled back" {
		t.Errorf("previous %+v: want the last one of the service, with its remedy", i.Previous)
	}
	if e := r.entries(timeline.NoticeReceived); len(e) != 1 || e[0].Actor != kim {
		t.Errorf("got %+v", e)
	}
	for _, e := range r.sender.Delivered() {
		if e.Message.Kind == delivery.ResultReport && (len(e.Attached) != 1 || string(e.Attached[0].Content) != "acmekoa release leaked connections") {
			t.Errorf("the report has %+v", e.Attached)
		}
	}
}

func TestMusterSendsTheResultReportInTimeAndClosesWithoutAnAnswer(t *testing.T) {
	r := rehearse(t)
	def, notice := byPhone()
	ask(r, time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "rolled back"})
	r.look(3*time.Hour+time.Minute, func(i *incident.Incident) {
		if sent := r.entries(timeline.ResultSent); len(sent) != 1 || sent[0].Actor != timeline.Muster() {
			t.Errorf("reports sent: %+v", sent)
		}
	})
	r.run(workflows.IncidentInput{Definition: def, Notice: notice})
	r.wantDone()
	if i := r.state; i.Status != incident.Closed || !i.Times.Closed.Equal(start.Add(48*time.Hour+time.Minute)) {
		t.Errorf("it is %s since %s", i.Status, i.Times.Closed)
	}
	if got := r.got(); !slices.Contains(got, "closing-notice acme/desk") {
		t.Errorf("delivered %v", got)
	}
}

func TestAResultReportWithoutAnOutcomeIsSentAgainByTheNextRun(t *testing.T) {
	first := rehearse(t)
	first.sender.On(inmem.Match{Recipient: "acme/desk"}, 500, inmem.Fail(0))
	def, notice := byPhone()
	ask(first, time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "rolled back"})
	ask(first, 2*time.Minute, workflows.SendReportUpdate, park, incident.SendReport{Text: "a leak"})
	first.at(3*time.Minute, func() { first.env.SetContinueAsNewSuggested(true) })
	ask(first, 3*time.Minute+time.Second, workflows.NoteUpdate, park, incident.Note{Text: "so that it continues"})
	first.run(workflows.IncidentInput{Definition: def, Notice: notice})
	carried := first.query()
	second := rehearse(t)
	first.shelf.mu.Lock() // an activity of the first run may still be at work
	second.shelf.held = maps.Clone(first.shelf.held)
	first.shelf.mu.Unlock()
	ask(second, time.Minute, workflows.AnswerUpdate, kim, incident.Answer{Answer: incident.Fixed})
	second.run(workflows.IncidentInput{State: carried})
	second.wantDone()
	if !slices.ContainsFunc(second.sender.Delivered(), func(e delivery.Envelope) bool { return e.Message.Kind == delivery.ResultReport && e.Repeated }) {
		t.Errorf("delivered %v: want the report too, marked as possibly repeated", second.got())
	}
}

// anything is how the environment writes that it does not matter.
const anything = "mock.Anything"

// hears is what the incident tells another one.
func (r *rehearsal) hears() *[]incident.MergeMessage {
	var all []incident.MergeMessage
	r.env.OnSignalExternalWorkflow(anything, "incident/other", "", workflows.MergeSignal, anything).Return(
		func(_, _, _, _ string, arg any) error {
			m, ok := arg.(signature.Signed[incident.MergeMessage])
			if !ok || m.By != timeline.Muster() || m.Seal == nil {
				r.Errorf("told %T by %+v", arg, m.By)
			}
			all = append(all, m.Body)
			return nil
		})
	return &all
}

// tells is what the other incident tells.
func (r *rehearsal) tells(after time.Duration, by timeline.Actor, m incident.MergeMessage) {
	m.From, m.To = incident.Merging{ID: "INC-OTHER", WorkflowID: "incident/other"}, "INC-TEST"
	r.at(after, func() { r.env.SignalWorkflow(workflows.MergeSignal, sealed(r, workflows.MergeSignal, "", by, m)) })
}

func TestAMergedIncidentPassesItsAlertsOnAndEndsWithTheOther(t *testing.T) {
	r := rehearse(t)
	heard := r.hears()
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.MergeUpdate, kim, incident.Merge{Into: "INC-OTHER", WorkflowID: "incident/other", Reason: "the same"})
	r.tells(2*time.Minute, timeline.Muster(), incident.MergeMessage{Kind: incident.MergeTaken})
	r.alerts(30*time.Minute, firing("b", 0))
	r.look(31*time.Minute, func(i *incident.Incident) {
		if i.Status != incident.Merged || !slices.Equal(r.got(), []string{"page kim"}) {
			t.Errorf("it is %s, delivered %v", i.Status, r.got())
		}
	})
	r.tells(time.Hour, timeline.Muster(), incident.MergeMessage{Kind: incident.MergeOver})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if len(*heard) != 3 || (*heard)[0].Kind != incident.MergeAsked || (*heard)[1].Kind != incident.MergeAlerts || (*heard)[2].Kind != incident.MergeAlerts {
		t.Fatalf("told %+v", *heard)
	}
	if h := (*heard)[0].Handed; h == nil || len(h.Customers) != 1 || len(h.Clocks) != 3 || len(h.Alerts.Alerts) != 1 || (*heard)[0].From.WorkflowID != workflowID {
		t.Errorf("handed %+v from %+v", h, (*heard)[0].From)
	}
	for n, want := range []string{"a", "b"} { // what fires when it is taken in, and what comes later
		if as := (*heard)[n+1].Alerts; as == nil || len(as.Alerts) != 1 || as.Alerts[0].Fingerprint != want {
			t.Errorf("passed on %+v, want %s", as, want)
		}
	}
}

func TestTheOtherIncidentTakesItIn(t *testing.T) {
	r := rehearse(t)
	heard := r.hears()
	r.alerts(0, firing("a", 0))
	nuri := definition().Customers[0]
	nuri.ID, nuri.Name = "nuri", "Nuri"
	asked := incident.MergeMessage{Kind: incident.MergeAsked, Handed: &incident.Handed{
		Started: start.Add(-time.Hour), Impact: priority.High, Urgency: priority.High, Customers: []incident.Customer{nuri},
		Clocks: []supportplan.Clock{supportplan.Start("nuri", supportplan.Promise{Target: supportplan.Respond, Within: 15 * time.Minute}, start.Add(-12*time.Minute))},
		Alerts: alert.Batch{Source: "grafana", Alerts: []alert.Received{firing("x", 0)}},
	}}
	r.tells(time.Minute, timeline.Muster(), asked)
	r.tells(2*time.Minute, kim, asked) // a person cannot say so
	r.look(4*time.Minute, func(i *incident.Incident) {
		if len(i.Definition.Customers) != 2 || i.Alerts.Distinct() != 2 || len(i.Merged) != 1 {
			t.Errorf("customers %+v, %d alerts, merged %+v", i.Definition.Customers, i.Alerts.Distinct(), i.Merged)
		}
		if missed := r.entries(timeline.ClockMissed); len(missed) != 1 || missed[0].Fact("customer") != "Nuri" {
			t.Errorf("missed %+v: Nuri was promised a response by 09:03", missed)
		}
	})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "rolled back"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	var kinds []string
	for _, m := range *heard {
		kinds = append(kinds, string(m.Kind))
	}
	if got := strings.Join(kinds, " "); got != "taken over" {
		t.Errorf("told %q", got)
	}
	if got := r.got(); !slices.Contains(got, "all-clear nuri/desk") || !slices.Contains(got, "all-clear acme/desk") {
		t.Errorf("delivered %v", got)
	}
	if e := r.entries(timeline.MessageRefused); len(e) != 1 || e[0].Fact("message") != workflows.MergeSignal {
		t.Errorf("refused %+v", e)
	}
}

func TestSomebodyWhoIsAskedToHelpIsPagedAlthoughItIsTaken(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 2*time.Minute, workflows.AddResponderUpdate, kim, incident.AddResponder{Person: "lee", Note: "the database"})
	r.look(8*time.Minute, func(*incident.Incident) {
		r.wantGot("page kim", "page lee", "reminder kim") // lee has not come
	})
	lee := timeline.Actor{Kind: timeline.Person, ID: "lee"}
	ask(r, 9*time.Minute, workflows.AcknowledgeUpdate, lee, incident.Acknowledge{})
	ask(r, 10*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
}

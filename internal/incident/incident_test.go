package incident_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
)

func definition() incident.Definition {
	return incident.Definition{
		Source: "alertmanager", Title: "Checkout is slow", Zone: "Asia/Seoul", Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "checkout", Name: "Checkout"}, Impact: priority.High, Urgency: priority.High,
		Customers: []incident.Customer{{ID: "acme", Name: "Acme", Plan: supportplan.Plan{
			ID: "premium", AtRisk: 80, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
				{Priority: priority.P1, Target: supportplan.Respond, Within: 15 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Update, Within: 30 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Resolve, Within: 4 * time.Hour},
				{Priority: priority.P3, Target: supportplan.Resolve, Within: 24 * time.Hour},
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
		Quiet: 5 * time.Minute, ReopenWithin: 24 * time.Hour,
		Review: incident.ReviewRule{FromPriority: priority.P2, DueWithin: 72 * time.Hour, Owner: incident.IncidentManager},
	}
}

func firing(fp string, startsAt time.Time) alert.Received {
	return alert.Received{Times: 1, Alert: alert.Alert{Fingerprint: fp, Name: "Slow" + fp, State: alert.Firing, StartsAt: startsAt}}
}

func resolved(fp string, startsAt time.Time) alert.Received {
	r := firing(fp, startsAt)
	r.State, r.EndsAt = alert.Resolved, startsAt.Add(time.Hour)
	return r
}

func batch(at time.Time, as ...alert.Received) alert.Batch {
	return alert.Batch{Source: "alertmanager", ReceivedAt: at, Posts: 1, Alerts: as}
}

// A world answers what an incident begins: it reaches everybody whom it is not told to refuse, at once.
type world struct {
	t      *testing.T
	i      *incident.Incident
	now    time.Time
	refuse func(s incident.Send) bool // page or message that is refused
	silent func(s incident.Send) bool // one whose outcome never comes
	// composed changes who is paged by a step.
	composed func([]incident.Addressed) []incident.Addressed
	told     []string                // "page schedule:primary webhook", in order
	blind    bool                    // nobody can say which calendars are open
	mail     []incident.MergeMessage // to other incidents, in order
	lost     string                  // why messages to other incidents do not arrive
	machine  machine
}

func opened(t *testing.T) *world {
	t.Helper()
	i, err := incident.Open("INC-TEST", definition(), start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	return w
}

// settle lets everything that is due now happen.
func (w *world) settle() {
	w.t.Helper()
	for n := 0; ; n++ {
		begun := w.i.Advance(w.now)
		if len(begun) == 0 {
			break
		}
		if n == 100 {
			w.t.Fatalf("still beginning work at %s: %+v", w.now, begun)
		}
		for _, s := range begun {
			w.answer(s)
		}
	}
	if due := w.i.NextDue(); !due.IsZero() && !due.After(w.now) {
		w.t.Fatalf("due at %s, but it is %s and nothing was begun", due, w.now)
	}
}

func (w *world) answer(s incident.Send) {
	if w.silent != nil && w.silent(s) {
		return
	}
	switch s.Work {
	case incident.ComputeClocks:
		var at []incident.Instants
		for _, c := range w.i.Running() {
			at = append(at, incident.InstantsOf(c, w.i.AtRisk(c.Customer), w.i.Calendars(), time.LoadLocation))
		}
		w.i.Computed(s.Number, at, w.now)
	case incident.LookHours:
		if w.blind {
			w.i.Looked(s.Number, incident.Hours{Until: w.now.Add(time.Minute)}, "no time zones", w.now)
			return
		}
		w.i.Looked(s.Number, w.hours(), "", w.now)
	case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt,
		incident.CloseCustomer, incident.SendResult, incident.CallVendor, incident.Summon, incident.Appoint:
		who := escalation.Shown(s.Targets)
		switch {
		case s.Customer != "" && s.Work != incident.Remind:
			who = s.Customer
		case s.Work == incident.Summon || s.Work == incident.Appoint:
			who = s.Targets[0].ID
		}
		people := []string{who}
		if s.Work == incident.Summon {
			people = nil
			for _, t := range s.Targets {
				people = append(people, t.ID)
			}
		}
		var to []incident.Addressed
		for _, who := range people {
			to = append(to, incident.Addressed{
				To:      delivery.Recipient{ID: who, Name: who, Methods: []string{"webhook", "email"}},
				Message: delivery.Message{Kind: w.i.Telling(s).Kind},
			})
		}
		if w.composed != nil && (s.Work == incident.PageStep || s.Work == incident.Appoint || s.Work == incident.Summon) {
			to = w.composed(to)
		}
		w.i.Composed(s.Number, incident.Composition{To: to}, w.now)
	case incident.PagePerson, incident.Tell:
		o := delivery.Outcome{Result: delivery.Delivered, Attempts: 1}
		if s.Withdrawn != "" {
			o.Result = delivery.Withdrawn
		} else if w.refuse != nil && w.refuse(s) {
			o.Result = delivery.Refused
		}
		if o.Result == delivery.Delivered {
			w.told = append(w.told, string(s.Message.Kind)+" "+s.To.ID+" "+s.To.Methods[s.Method])
		}
		w.i.Told(s.Number, o, w.now)
	case incident.PostStatus:
		switch {
		case w.refuse != nil && w.refuse(s):
			w.i.PageFailed(s.Number, "401 Unauthorized", w.now)
		default:
			w.told = append(w.told, "status-page "+s.Page+" "+string(s.Says))
			w.i.PagePosted(s.Number, "i1", w.now)
		}
	case incident.SyncTicket:
		w.i.Ticketed(s.Number, ticket.Ref{ID: "T-1"}, w.now)
	case incident.WriteReport:
		w.i.Reported(s.Number, []incident.File{{Path: "report.md", SHA256: "00"}}, w.now)
	case incident.OpenReview:
		w.i.Reviewed(s.Number, "review/INC-TEST", w.i.ReviewDue(), "", w.now)
	case incident.FindPrevious:
		w.i.FoundPrevious(s.Number, nil, w.now)
	case incident.WriteResult:
		w.i.ResultWritten(s.Number, []incident.ResultFile{{Language: "ko", Name: "result." + s.Customer, SHA256: "00"}}, w.now)
	case incident.ClaimResponse, incident.LookStep, incident.ActStep, incident.EndResponse:
		w.machine.answer(w.i, s, w.now)
	case incident.TellMerge, incident.TellMerged, incident.ForwardAlerts:
		m, other := w.i.MergeMessage(s)
		m.From.WorkflowID = "incident/" + string(w.i.ID)
		w.mail = append(w.mail, m)
		if other == "" {
			w.i.Dropped(s.Number)
			return
		}
		w.i.MergeTold(s.Number, w.lost, w.now)
	}
}

// hours are which calendars of the policy are open.
func (w *world) hours() (h incident.Hours) {
	w.t.Helper()
	for _, id := range w.i.Definition.Policy.Calendars() {
		c, err := supportplan.OpenTimeOf(id, w.i.Definition.Calendars, time.LoadLocation)
		if err != nil {
			w.t.Fatal(err)
		}
		open, until := c.(*calendar.Calendar).Holds(w.now)
		if h.Until = until; open {
			h.Open = append(h.Open, id)
		}
	}
	return h
}

// until lets the time run to an instant, stopping at every deadline on the way.
func (w *world) until(at time.Time) {
	w.t.Helper()
	for {
		due := w.i.NextDue()
		if due.IsZero() || due.After(at) {
			break
		}
		w.now = due
		w.settle()
	}
	w.now = at
	w.settle()
}

func (w *world) after(d time.Duration) { w.t.Helper(); w.until(w.now.Add(d)) }

func (w *world) do(id string, c incident.Command, by timeline.Actor) {
	w.t.Helper()
	if err := w.i.Do(id, c, by, w.now); err != nil {
		w.t.Fatalf("%T: %v", c, err)
	}
	w.settle()
}

func (w *world) has(kind timeline.Kind) int {
	n := 0
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	if got := strings.Join(w.told, "\n"); got != strings.Join(want, "\n") {
		w.t.Errorf("told:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	w.told = nil
}

func TestAnUnansweredPageClimbsAndNeverStops(t *testing.T) {
	w := opened(t)
	w.wantTold("page schedule:primary webhook")
	w.after(5 * time.Minute)
	w.wantTold("page schedule:secondary webhook")
	w.until(start.Add(14 * time.Minute))
	w.wantTold("reminder person:lee webhook", "page person:lee webhook", // nobody has answered
		"reminder person:lee webhook") // the respond promise is at risk after 12 min
	w.until(start.Add(41 * time.Minute))
	pages := 0
	for _, m := range w.told {
		if strings.HasPrefix(m, "page person:lee") {
			pages++
		}
	}
	if pages != 3 {
		t.Errorf("the last resort was paged %d times between 14 and 41 minutes, want 3 (at 20, 30, 40)", pages)
	}
}

func TestAcknowledgingStopsPagingAndKeepsThePromise(t *testing.T) {
	w := opened(t)
	w.after(time.Minute)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	w.after(10 * time.Minute)
	w.wantTold()
	if w.i.Status != incident.Acknowledged || w.i.Times.Engaged != start.Add(time.Minute) {
		t.Errorf("status %s, engaged %s", w.i.Status, w.i.Times.Engaged)
	}
	if c := w.i.Clocks[0]; c.Target != supportplan.Respond || c.State != supportplan.Met {
		t.Errorf("respond clock: %+v", c)
	}
}

func TestAnAcknowledgementExpiresWithoutASignOfLife(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.after(90 * time.Minute)
	w.do("2", incident.Note{Text: "still on it"}, park) // a sign of life
	w.told = nil
	w.after(119 * time.Minute)
	if w.i.Status != incident.Acknowledged {
		t.Fatalf("status %s before the acknowledgement expires", w.i.Status)
	}
	w.after(time.Minute)
	if w.i.Status != incident.Triggered || !strings.Contains(strings.Join(w.told, "\n"), "page schedule:primary") {
		t.Errorf("status %s, told %v; want triggered, and the first step paged again", w.i.Status, w.told)
	}
}

func TestARefusedMethodIsFollowedByTheNextAndThenTheNextStep(t *testing.T) {
	i, _ := incident.Open("INC-TEST", definition(), start)
	w := &world{t: t, i: i, now: start, refuse: func(s incident.Send) bool {
		return s.To.ID == "schedule:primary" || s.Method == 0 && s.To.ID == "schedule:secondary"
	}}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.wantTold("page schedule:secondary email") // no waiting for the five minutes of step 1
	if w.has(timeline.StepFailed) != 1 || w.has(timeline.Refused) != 3 || w.has(timeline.NextMethod) != 2 {
		t.Errorf("failed steps %d, refused %d, next methods %d", w.has(timeline.StepFailed), w.has(timeline.Refused), w.has(timeline.NextMethod))
	}
}

func TestNobodyReachableEndsWithTheLastResortAtItsPace(t *testing.T) {
	i, _ := incident.Open("INC-TEST", definition(), start)
	w := &world{t: t, i: i, now: start, refuse: func(s incident.Send) bool { return s.Work == incident.PagePerson }}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.after(31 * time.Minute)
	if got := w.has(timeline.LastResort); got != 4 { // at once, then every ten minutes
		t.Errorf("last resort %d times, want 4", got)
	}
}

func TestAMethodWithoutAnOutcomeIsNotWaitedFor(t *testing.T) {
	i, _ := incident.Open("INC-TEST", definition(), start)
	w := &world{t: t, i: i, now: start, silent: func(s incident.Send) bool { return s.Work == incident.PagePerson && s.Method == 0 }}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.wantTold()
	w.after(time.Minute)
	w.wantTold("page schedule:primary email")
	w.do("1", incident.Acknowledge{}, park)
	taken := 0
	for _, s := range w.i.Outbox {
		if s.Work == incident.PagePerson && s.Withdrawn == "acknowledged" {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("outbox %+v: want the silent page withdrawn", w.i.Outbox)
	}
}

func TestCustomersHearAtThePromisedCadence(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	w.after(27 * time.Minute) // three minutes before the due instant
	w.wantTold("customer-update acme webhook")
	w.after(27 * time.Minute)
	w.wantTold("customer-update acme webhook")
	w.after(time.Minute)
	w.do("2", incident.SendUpdate{Text: "We have found the cause."}, park)
	w.wantTold("customer-update acme webhook")
	w.after(26 * time.Minute) // a person's update puts the next one off
	w.wantTold()
	w.after(time.Minute)
	w.wantTold("customer-update acme webhook")
	c := w.i.Clocks[1]
	if c.EarlierMet != 4 || c.EarlierMissed != 0 {
		t.Errorf("update clock met %d, missed %d", c.EarlierMet, c.EarlierMissed)
	}
	if got := w.has(timeline.UpdateSent); got != 4 {
		t.Errorf("%d updates in the timeline, want 4", got)
	}
}

func TestAMissedUpdateIsSaidAndTheCadenceGoesOn(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.refuse = func(s incident.Send) bool { return s.For == incident.UpdateCustomer }
	w.after(31 * time.Minute)
	if w.has(timeline.ClockMissed) != 1 {
		t.Fatalf("missed clocks: %d, want 1", w.has(timeline.ClockMissed))
	}
	w.refuse = nil
	w.told = nil
	w.after(30 * time.Minute)
	if got := strings.Count(strings.Join(w.told, "\n"), "customer-update acme"); got != 1 {
		t.Errorf("told %v: want the next update", w.told)
	}
	if c := w.i.Clocks[1]; c.EarlierMet != 1 || c.EarlierMissed != 1 {
		t.Errorf("update clock met %d, missed %d; want one each", c.EarlierMet, c.EarlierMissed)
	}
}

func TestEveryMissedDeadlineIsSaid(t *testing.T) {
	w := opened(t)
	w.until(start.Add(5 * time.Hour))
	for _, target := range []supportplan.Target{supportplan.Respond, supportplan.Resolve} {
		missed := 0
		for _, e := range w.i.Timeline.Entries {
			if e.Kind == timeline.ClockMissed && e.Fact("target") == string(target) {
				missed++
			}
		}
		if missed != 1 {
			t.Errorf("%s missed %d times in the timeline, want 1", target, missed)
		}
	}
	w.do("1", incident.Acknowledge{}, park)
	if c := w.i.Clocks[0]; c.State != supportplan.Missed || c.EndedAt.IsZero() {
		t.Errorf("a late response must stay missed: %+v", c)
	}
}

func TestAPauseMovesTheDueInstant(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.PauseClock{Target: supportplan.Resolve, Reason: "waiting for the customer"}, park)
	w.until(start.Add(10 * time.Hour))
	if w.i.Clocks[2].State != supportplan.Paused {
		t.Fatalf("resolve clock %+v, want paused", w.i.Clocks[2])
	}
	w.do("3", incident.ResumeClock{Target: supportplan.Resolve}, park)
	if want := start.Add(14 * time.Hour); !w.i.Clocks[2].Due.Equal(want) {
		t.Errorf("due %s, want %s", w.i.Clocks[2].Due, want)
	}
}

func TestPriorityMovesTheClocks(t *testing.T) {
	w := opened(t)
	w.do("1", incident.SetPriority{Urgency: priority.Low, Reason: "night"}, park)
	if w.i.Priority != priority.P3 {
		t.Fatalf("priority %s, want P3", w.i.Priority)
	}
	if c := w.i.Clocks[2]; !c.Due.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("resolve due %s, want a day after the start", c.Due)
	}
	if c := w.i.Clocks[0]; c.State != supportplan.Stopped {
		t.Errorf("respond is promised at P1 only, but is %s", c.State)
	}
}

// saying is a batch of which the intake says how pressing it is.
func saying(impact, urgency priority.Level, at time.Time, as ...alert.Received) alert.Batch {
	b := batch(at, as...)
	b.Impact, b.Urgency = impact, urgency
	return b
}

func TestAMorePressingAlertRaisesThePriority(t *testing.T) {
	const high, medium, low = priority.High, priority.Medium, priority.Low
	a := firing("a", start.Add(-time.Minute)) // with it the incident has opened
	for _, tc := range []struct {
		name            string
		before          func(*world)
		b               alert.Batch
		impact, urgency priority.Level
	}{
		{"more pressing", nil, saying(high, high, start, firing("b", start)), high, high},
		{"one level of two", nil, saying(medium, high, start, firing("b", start)), medium, high},
		{"each level of its own", nil, saying(low, high, start, firing("b", start)), medium, high},
		{"less pressing", nil, saying(low, low, start, firing("b", start)), medium, medium},
		{"not judged", nil, saying("", "", start, firing("b", start)), medium, medium},
		{"a repeat", nil, saying(high, high, start, a), medium, medium},
		{"an end", nil, saying(high, high, start, resolved("a", start.Add(-time.Minute))), medium, medium},
		{"one that fires again", func(w *world) {
			w.i.Receive(batch(start, resolved("a", start.Add(-time.Minute))), start)
		}, saying(high, high, start, firing("a", start)), high, high},
		{"what a person has lowered stays", func(w *world) {
			w.do("1", incident.SetPriority{Impact: low, Reason: "test system"}, park)
		}, saying(medium, medium, start, firing("b", start)), low, medium},
		{"unless an alert says more than was known", func(w *world) {
			w.do("1", incident.SetPriority{Impact: low, Urgency: low, Reason: "test system"}, park)
		}, saying(high, medium, start, firing("b", start)), high, low},
		{"what a person has raised stays", func(w *world) {
			w.do("1", incident.SetPriority{Impact: high, Reason: "all shops"}, park)
		}, saying(high, medium, start, firing("b", start)), high, medium},
		{"what reopens it", func(w *world) {
			w.do("1", incident.Resolve{Note: "restarted"}, park)
		}, saying(high, high, start, firing("b", start)), high, high},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := openedAt(t, medium, medium)
			if tc.before != nil {
				tc.before(w)
			}
			from, was := w.i.Priority, w.has(timeline.PriorityChanged)
			w.i.Receive(tc.b, w.now)
			w.settle()
			if w.i.Impact != tc.impact || w.i.Urgency != tc.urgency {
				t.Errorf("impact %s, urgency %s; want %s, %s", w.i.Impact, w.i.Urgency, tc.impact, tc.urgency)
			}
			if want, _ := priority.Of(tc.impact, tc.urgency); w.i.Priority != want {
				t.Errorf("priority %s, want %s", w.i.Priority, want)
			}
			if changed := w.has(timeline.PriorityChanged) - was; (changed == 1) != (w.i.Priority != from) {
				t.Errorf("%d changes of priority in the timeline, from %s to %s", changed, from, w.i.Priority)
			}
		})
	}
}

// openedAt is an incident that opens with other levels.
func openedAt(t *testing.T, impact, urgency priority.Level) *world {
	t.Helper()
	def := definition()
	def.Impact, def.Urgency = impact, urgency
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	i.Receive(saying(impact, urgency, start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	return w
}

func TestARaisedPriorityBringsItsPromisesAndWhoeverLeadsIsTold(t *testing.T) {
	w := openedAt(t, priority.Medium, priority.Medium)
	w.wantTold("page schedule:primary webhook")
	w.after(time.Minute)
	w.i.Receive(saying(priority.Medium, priority.High, w.now, firing("b", w.now)), w.now)
	w.settle()
	w.wantTold() // the page that waits for its answer climbs on
	w.do("1", incident.Acknowledge{}, kim)
	w.i.Receive(saying(priority.High, priority.High, w.now, firing("c", w.now)), w.now)
	w.settle()
	w.wantTold("reminder person:kim webhook")
	if c := w.i.Clocks[0]; w.i.Priority != priority.P1 || c.Target != supportplan.Resolve || !c.Due.Equal(w.now.Add(4*time.Hour)) {
		t.Errorf("priority %s, clock %+v; want P1 and its promise to resolve, which P2 had not", w.i.Priority, c)
	}
	var said []string
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.PriorityChanged {
			said = append(said, e.Actor.ID+" "+e.Fact("from")+" "+e.Fact("to")+" "+e.Fact("cause"))
		}
	}
	if got := strings.Join(said, ", "); got != "alertmanager P3 P2 more-pressing-alert, alertmanager P2 P1 more-pressing-alert" {
		t.Errorf("the timeline says %q", got)
	}
	if w.i.Ticket.Written != w.i.Ticket.Wanted || w.i.Ticket.Wanted < 3 {
		t.Errorf("ticket %+v: want it brought up to date with each change", w.i.Ticket)
	}
}

func TestQuietResolvesAndFlappingDoesNotPage(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	for n := range 3 {
		began := start.Add(time.Duration(n) * time.Minute)
		w.i.Receive(batch(w.now, resolved("a", began)), w.now)
		w.after(time.Minute)
		w.i.Receive(batch(w.now, firing("a", began.Add(time.Minute))), w.now)
		w.after(time.Minute)
	}
	w.wantTold()
	w.i.Receive(batch(w.now, resolved("a", start.Add(3*time.Minute))), w.now)
	w.after(5 * time.Minute)
	if w.i.Status != incident.Resolved {
		t.Fatalf("status %s, want resolved", w.i.Status)
	}
	w.wantTold("all-clear acme webhook")
	if !w.i.Review.Opened || len(w.i.Report.Files) == 0 {
		t.Errorf("review %+v, report %+v: want both", w.i.Review, w.i.Report)
	}
	w.after(24 * time.Hour)
	if w.i.Status != incident.Closed || !w.i.Ended() {
		t.Errorf("status %s, ended %v; want closed after the time for reopening", w.i.Status, w.i.Ended())
	}
}

func TestAnAlertReopensAResolvedIncidentAndPagesAgain(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Resolve{Note: "restarted"}, park)
	w.told = nil
	w.after(time.Hour)
	w.i.Receive(batch(w.now, firing("a", start.Add(-time.Minute))), w.now) // a repeat of the known alert is no news
	w.settle()
	w.wantTold()
	w.i.Receive(batch(w.now, firing("a", w.now)), w.now)
	w.settle()
	w.wantTold("page schedule:primary webhook", "customer-update acme webhook")
	if w.i.Status != incident.Triggered || w.i.Reopened != 1 {
		t.Errorf("status %s, reopened %d", w.i.Status, w.i.Reopened)
	}
	// The hour in which the service was back does not count against the promise to resolve.
	if want := start.Add(5 * time.Hour); !w.i.Clocks[2].Due.Equal(want) {
		t.Errorf("resolve due %s, want %s", w.i.Clocks[2].Due, want)
	}
}

func TestCustomersHearAtOnceThatItIsNotOver(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Resolve{Note: "restarted"}, park)
	w.after(time.Hour)
	w.told = nil
	var about []incident.About
	w.silent = func(s incident.Send) bool {
		if s.Work == incident.UpdateCustomer {
			about = append(about, w.i.Telling(s).About)
		}
		return false
	}
	w.do("3", incident.Reopen{Reason: "errors are back"}, park)
	w.wantTold("page schedule:primary webhook", "customer-update acme webhook")
	if len(about) != 1 || about[0] != incident.AboutReopened {
		t.Errorf("the update is about %q, want it to say that it is back", about)
	}
	if c := w.i.Clocks[1]; c.EarlierMet != 1 || !c.Due.Equal(w.now.Add(30*time.Minute)) {
		t.Errorf("update clock %+v: want the promise kept, and the next update due in 30 minutes", c)
	}
	w.do("4", incident.Resolve{Note: "restarted once more"}, park)
	w.wantTold("all-clear acme webhook")
	w.do("5", incident.Reopen{Reason: "not yet"}, park)
	w.wantTold("page schedule:primary webhook", "customer-update acme webhook")
}

func TestACustomerWithSeveralContactsIsToldOnce(t *testing.T) {
	w := opened(t)
	w.silent = func(s incident.Send) bool {
		if s.Work != incident.UpdateCustomer && s.Work != incident.ClearCustomer {
			return false
		}
		var all []incident.Addressed
		for _, id := range []string{"desk", "chief", "night"} {
			all = append(all, incident.Addressed{
				To:      delivery.Recipient{ID: id, Name: id, Methods: []string{"email"}},
				Message: delivery.Message{Kind: w.i.Telling(s).Kind},
			})
		}
		w.i.Composed(s.Number, incident.Composition{To: all}, w.now)
		return true
	}
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.SendUpdate{Text: "We are at it."}, park)
	w.do("3", incident.Resolve{Note: "restarted"}, park)
	if w.has(timeline.UpdateSent) != 1 || w.has(timeline.AllClearSent) != 1 {
		t.Errorf("the timeline has %d updates and %d all-clears, want one each", w.has(timeline.UpdateSent), w.has(timeline.AllClearSent))
	}
}

func TestWhereOnlyPeopleWriteToACustomerAPersonIsAskedTo(t *testing.T) {
	def := definition()
	def.Customers[0].Plan.UpdateBy = supportplan.ByPerson
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Assign{Role: incident.CommunicationsManager, Person: "kim"}, park)
	w.told = nil
	w.do("3", incident.Resolve{Note: "restarted"}, park)
	w.wantTold("reminder person:kim webhook")
	w.do("4", incident.SendUpdate{Text: "It works again."}, kim)
	w.wantTold("all-clear acme webhook")
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.AllClearSent && (e.Actor.ID != "kim" || e.Fact("text") != "It works again.") {
			t.Errorf("the all-clear is %+v, want it to be Kim's", e)
		}
	}
	w.do("5", incident.Reopen{Reason: "errors are back"}, park)
	w.wantTold("page schedule:primary webhook", "reminder person:kim webhook")
	w.do("6", incident.SendUpdate{Text: "It is back."}, kim)
	w.wantTold("customer-update acme webhook")
	if w.has(timeline.AllClearSent) != 1 || w.has(timeline.UpdateSent) != 1 {
		t.Errorf("%d all-clears and %d updates in the timeline, want one each", w.has(timeline.AllClearSent), w.has(timeline.UpdateSent))
	}
}

func TestAReminderOfTheAllClearIsTakenBackWhenItIsNotOver(t *testing.T) {
	def := definition()
	def.Customers[0].Plan.UpdateBy = supportplan.ByPerson
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start, silent: func(s incident.Send) bool { return s.For == incident.Remind && s.Withdrawn == "" }}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.do("1", incident.Resolve{Note: "restarted"}, park)
	w.do("2", incident.Reopen{Reason: "errors are back"}, park)
	withdrawn := map[incident.About]string{}
	for _, s := range i.Outbox {
		if s.For == incident.Remind {
			withdrawn[s.About] = s.Withdrawn
		}
	}
	if withdrawn[incident.AboutResolved] != "reopened" || withdrawn[incident.AboutReopened] != "" {
		t.Errorf("withdrawn %q: want the reminder of the all-clear, and only that", withdrawn)
	}
}

func TestAnAlertInTheMomentOfClosingIsNotLost(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Resolve{Note: "restarted"}, park)
	if err := w.i.Do("2", incident.Close{}, park, w.now); err != nil {
		t.Fatal(err)
	}
	w.i.Receive(batch(w.now, firing("b", w.now)), w.now)
	w.settle()
	if w.i.Status != incident.Triggered || w.i.Ended() {
		t.Errorf("status %s, ended %v: want it open again", w.i.Status, w.i.Ended())
	}
}

func TestTheWaysFromStatusToStatus(t *testing.T) {
	ways := map[incident.Status][]incident.Status{
		incident.Triggered:    {incident.Acknowledged, incident.Mitigated, incident.Resolved, incident.Merged},
		incident.Acknowledged: {incident.Triggered, incident.Mitigated, incident.Resolved, incident.Merged},
		incident.Mitigated:    {incident.Resolved, incident.Merged},
		incident.Merged:       {incident.Triggered, incident.Closed},
		incident.Resolved:     {incident.Triggered, incident.Closed},
		incident.Closed:       {incident.Triggered}, // by an alert in the moment of closing
	}
	for _, from := range incident.Statuses() {
		for _, to := range incident.Statuses() {
			if got, want := incident.CanMove(from, to), slices.Contains(ways[from], to); got != want {
				t.Errorf("from %s to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

func TestRefusalsKnowTheirFacts(t *testing.T) {
	over := func(w *world) { w.do("r", incident.Resolve{Note: "done"}, kim) }
	closed := func(w *world) {
		over(w)
		w.do("c", incident.Close{}, kim)
	}
	for _, tc := range []struct {
		name   string
		before func(*world)
		c      incident.Command
		want   string
	}{
		{"acknowledge what is over", over, incident.Acknowledge{}, "acknowledge INC-TEST: is resolved, by 김민수 at 2026-11-23T09:00:00Z"},
		{"escalate without a reason", nil, incident.Escalate{}, "escalate INC-TEST: reason: missing"},
		{"escalate what is over", over, incident.Escalate{Reason: "x"}, "is resolved"},
		{"assign an unknown role", nil, incident.Assign{Role: "boss", Person: "kim"}, `role "boss": want incident-manager, communications-manager, support-manager`},
		{"assign nobody", nil, incident.Assign{Role: incident.SupportManager}, "person: missing"},
		{"note nothing", nil, incident.Note{Text: "  "}, "text: missing"},
		{"note too much", nil, incident.Note{Text: strings.Repeat("x", incident.MaxText+1)}, "4001 bytes; want 4000 at most"},
		{"unknown level", nil, incident.SetPriority{Impact: "huge", Reason: "x"}, `impact: level "huge": want high, medium or low`},
		{"no change of priority", nil, incident.SetPriority{Impact: priority.High, Reason: "x"}, "impact is already high"},
		{"priority without a reason", nil, incident.SetPriority{Impact: priority.Low}, "reason: missing"},
		{"pause what does not run", nil, incident.PauseClock{Target: "mitigate", Reason: "x"}, `no running clock "mitigate"`},
		{"pause another's clock", nil, incident.PauseClock{Customer: "other", Target: supportplan.Resolve, Reason: "x"}, `no running clock "resolve" of customer "other"`},
		{"pause without a reason", nil, incident.PauseClock{Target: supportplan.Resolve}, "reason: missing"},
		{"resume what runs", nil, incident.ResumeClock{Target: supportplan.Resolve}, `no paused clock "resolve"`},
		{"mitigate what is over", over, incident.Mitigate{Note: "x"}, "cannot go from resolved to mitigated"},
		{"mitigate without a note", nil, incident.Mitigate{}, "note: missing"},
		{"resolve twice", over, incident.Resolve{Note: "x"}, "cannot go from resolved to resolved"},
		{"reopen what is open", nil, incident.Reopen{Reason: "x"}, "is triggered; only a resolved incident can be reopened"},
		{"reopen without a reason", over, incident.Reopen{}, "reason: missing"},
		{"reopen what is closed", closed, incident.Reopen{Reason: "x"}, "is closed; only a resolved incident can be reopened"},
		{"close what is open", nil, incident.Close{}, "cannot go from triggered to closed"},
		{"tell a stranger", nil, incident.SendUpdate{Customer: "other", Text: "x"}, `customer "other" is not affected; affected: acme`},
		{"tell nothing", nil, incident.SendUpdate{}, "text: missing"},
		{"update what is closed", closed, incident.SendUpdate{Text: "x"}, "is closed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := opened(t)
			if tc.before != nil {
				tc.before(w)
			}
			before, _ := json.Marshal(w.i)
			err := w.i.Do("x", tc.c, park, w.now)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if after, _ := json.Marshal(w.i); string(after) != string(before) {
				t.Errorf("the refusal left a trace:\n%s\n%s", before, after)
			}
		})
	}
}

func TestADecisionCountsOnce(t *testing.T) {
	w := opened(t)
	w.do("same", incident.Note{Text: "once"}, park)
	w.do("same", incident.Note{Text: "once"}, park)
	if got := w.has(timeline.Noted); got != 1 {
		t.Errorf("%d notes, want 1", got)
	}
}

func TestAHandedOverRoleTellsBoth(t *testing.T) {
	w := opened(t)
	w.told = nil
	w.do("1", incident.Assign{Role: incident.CommunicationsManager, Person: "kim"}, park)
	w.wantTold("assignment person:kim webhook")
	w.do("2", incident.Assign{Role: incident.CommunicationsManager, Person: "lee", Name: "이서연", Note: "shift ends"}, kim)
	w.wantTold("assignment person:lee webhook", "assignment person:kim webhook")
	if h := w.i.Holders[0]; h.Person != "lee" || h.Name != "이서연" {
		t.Errorf("the role is held by %+v", h)
	}
}

func TestEscalatingPagesTheNextStepAtOnce(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	w.do("2", incident.Escalate{Reason: "I need the database team"}, park)
	w.wantTold("page schedule:secondary webhook")
	if w.i.Status != incident.Acknowledged {
		t.Errorf("status %s: asking for help is not giving it back", w.i.Status)
	}
}

func TestAnAcknowledgementDoesNotExpireWhileHelpThatWasAskedForIsPaged(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Escalate{Reason: "I need the database team"}, park)
	w.told = nil
	w.after(3 * time.Hour) // an hour longer than an acknowledgement holds
	if w.has(timeline.AckExpired) != 0 || w.i.Status != incident.Acknowledged {
		t.Errorf("status %s: paging has never stopped, so there was nothing to start again", w.i.Status)
	}
	if pages := strings.Count(strings.Join(w.told, "\n"), "page person:lee"); pages != 18 {
		t.Errorf("the last resort was paged %d times in three hours, want every ten minutes after the first five", pages)
	}
	w.do("3", incident.Acknowledge{}, kim)
	w.after(2 * time.Hour)
	if w.has(timeline.AckExpired) != 1 || w.i.Status != incident.Triggered {
		t.Errorf("status %s: want the answer to expire like any other", w.i.Status)
	}
}

func TestWhoeverStandsForARoleIsToldWhenItsHolderCannotBe(t *testing.T) {
	def := definition()
	def.Roles = []incident.RoleTarget{{Role: incident.IncidentManager, Targets: []escalation.Target{{Kind: escalation.Person, ID: "lead"}}}}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start, silent: func(s incident.Send) bool {
		if s.Work == incident.Remind && s.Targets[0].ID == "park" {
			i.Composed(s.Number, incident.Composition{Detail: "park: not in the folder"}, start)
			return true
		}
		return false
	}}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.do("1", incident.Acknowledge{}, park) // and so incident manager
	w.told = nil
	w.until(start.Add(3*time.Hour + 12*time.Minute)) // the promise to resolve is at risk
	if !strings.Contains(strings.Join(w.told, "\n"), "reminder person:lead") {
		t.Errorf("told %v: want the one who stands for the incident manager", w.told)
	}
}

func TestAPromiseThatEndedWithAPriorityBeginsAnewWithIt(t *testing.T) {
	w := opened(t)
	w.do("1", incident.SetPriority{Urgency: priority.Low, Reason: "night"}, park) // P3 promises a resolution only
	w.after(time.Hour)
	w.do("2", incident.SetPriority{Urgency: priority.High, Reason: "day"}, park)
	for n, want := range []time.Time{
		start.Add(75 * time.Minute), // respond: 15 minutes from now
		start.Add(90 * time.Minute), // update: 30 minutes from now
		start.Add(4 * time.Hour),    // resolve: counted from the start
	} {
		if c := w.i.Clocks[n]; c.State != supportplan.Running || !c.Due.Equal(want) {
			t.Errorf("%s is %s, due %s; want running, due %s", c.Target, c.State, c.Due, want)
		}
	}
}

func TestAPauseCountsAlsoWhenTheIncidentEndsInIt(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.PauseClock{Target: supportplan.Resolve, Reason: "waiting for the customer"}, park)
	w.after(time.Hour)
	w.do("3", incident.Resolve{Note: "fixed"}, park)
	w.after(30 * time.Minute)
	w.do("4", incident.Reopen{Reason: "not fixed"}, park)
	if c := w.i.Clocks[2]; !c.Due.Equal(start.Add(5*time.Hour + 30*time.Minute)) {
		t.Errorf("resolve due %s, want four hours plus the pause and the time in which it was resolved", c.Due)
	}
}

func TestTheNextUpdateIsDueWhenTheCustomerWasTold(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	var late []incident.Send
	w.silent = func(s incident.Send) bool {
		if s.For == incident.UpdateCustomer {
			late = append(late, s)
			return true
		}
		return false
	}
	w.after(27 * time.Minute)
	w.after(2 * time.Minute)
	w.i.Told(late[0].Number, delivery.Outcome{Result: delivery.Delivered, Attempts: 3}, w.now)
	w.silent = nil
	w.settle()
	if c := w.i.Clocks[1]; !c.Due.Equal(start.Add(57 * time.Minute)) {
		t.Errorf("next update due %s, want 30 minutes after it was written, as it says", c.Due)
	}
}

func TestANewerPageTakesTheOlderOneBack(t *testing.T) {
	i, err := incident.Open("INC-TEST", definition(), start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start, silent: func(s incident.Send) bool { return s.Work == incident.PagePerson && s.Withdrawn == "" }}
	i.Receive(batch(start, firing("a", start)), start)
	w.settle()
	w.until(start.Add(24 * time.Hour))
	wanted := 0
	for _, s := range i.Outbox {
		if s.Work == incident.PagePerson && s.Withdrawn == "" {
			wanted++
		}
	}
	if wanted > 6 { // three people with two methods each
		t.Errorf("%d pages are still wanted after a day in which nobody could be reached", wanted)
	}
}

func TestAskingForHelpPagesAlsoInTheQuietTime(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.i.Receive(batch(w.now, resolved("a", start.Add(-time.Minute))), w.now)
	w.settle()
	w.told = nil
	w.do("2", incident.Escalate{Reason: "is it really over?"}, park)
	w.wantTold("page schedule:secondary webhook")
}

func TestAnUpdateThatFellDueWhileMusterWasDownGoesOutAtOnce(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	w.now = start.Add(40 * time.Minute) // nothing ran when it fell due
	w.settle()
	if got := strings.Count(strings.Join(w.told, "\n"), "customer-update acme"); got != 1 {
		t.Errorf("told %v, want the update at once", w.told)
	}
	if c := w.i.Clocks[1]; c.EarlierMissed != 1 || !c.Due.Equal(start.Add(70*time.Minute)) {
		t.Errorf("update clock missed %d, due %s; want the missed round said and the next 30 minutes from now", c.EarlierMissed, c.Due)
	}
}

// last is the newest entry of a kind.
func (w *world) last(kind timeline.Kind) timeline.Entry {
	w.t.Helper()
	for _, e := range slices.Backward(w.i.Timeline.Entries) {
		if e.Kind == kind {
			return e
		}
	}
	w.t.Fatalf("no entry %s", kind)
	return timeline.Entry{}
}

func (w *world) clockOf(customer string, target supportplan.Target) *supportplan.Clock {
	w.t.Helper()
	for n := range w.i.Clocks {
		if c := &w.i.Clocks[n]; c.Customer == customer && c.Target == target {
			return c
		}
	}
	w.t.Fatalf("%s has no clock %s", customer, target)
	return nil
}

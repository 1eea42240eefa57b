package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// begun is an incident whose first page is about to go out, in a world that the test may still change.
func begun(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	def := definition()
	def.Customers = nil // so that only pages and their reminders are told
	if change != nil {
		change(&def)
	}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, firing("a", start)), start)
	return &world{t: t, i: i, now: start}
}

func minutes(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// delayed asks for the phone three minutes after the app.
func delayed(to []incident.Addressed) []incident.Addressed {
	for n := range to {
		to[n].To.Methods, to[n].To.Delays = []string{"app", "phone", "mail"}, []time.Duration{0, 3 * time.Minute}
	}
	return to
}

// withChannel pages the channel of a group with each of its steps, besides whoever is in it.
func withChannel(held string) func([]incident.Addressed) []incident.Addressed {
	return func(to []incident.Addressed) []incident.Addressed {
		channel := to[0]
		channel.To = delivery.Recipient{ID: "group:noc", Name: "NOC", Methods: []string{"room"}, Shared: true, Along: true}
		if held != "" {
			to[0].Held, to[0].To.Methods = held, nil
		}
		return append([]incident.Addressed{channel}, to...)
	}
}

// A message in a room reaches nobody who is away, so the next step does not wait.
func TestAChannelAlongWithItsPeopleIsNoAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		held   string
		refuse bool
		failed timeline.Kind
	}{
		{"its people are away", incident.HeldByAbsence, false, timeline.StepEmpty},
		{"its people cannot be reached", "", true, timeline.StepFailed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := begun(t, nil)
			w.composed = withChannel(tc.held)
			w.refuse = func(s incident.Send) bool { return tc.refuse && s.Work == incident.PagePerson && !s.To.Along }
			w.settle()
			steps := len(w.i.Definition.Policy.Steps)
			if got := w.has(tc.failed); got < steps || w.i.Escalation.Begun < steps {
				t.Errorf("%d steps failed, %d rungs begun; want all %d steps at once", got, w.i.Escalation.Begun, steps)
			}
			if got := w.has(timeline.Delivered); got < steps {
				t.Errorf("the room has got %d messages, want one of each step", got)
			}
		})
	}
	w := begun(t, nil)
	w.composed = withChannel("")
	w.settle()
	if w.i.Escalation.Begun != 1 || w.has(timeline.StepFailed)+w.has(timeline.StepEmpty) > 0 {
		t.Errorf("%d rungs begun, though somebody was reached", w.i.Escalation.Begun)
	}
}

func TestAMethodWithADelayFollowsAPageThatHasArrived(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	w.wantTold("page schedule:primary app")
	w.until(minutes(2))
	w.wantTold()
	w.until(minutes(3))
	w.wantTold("page schedule:primary phone")
	w.until(minutes(4)) // the mail has no delay, and the phone has arrived
	w.wantTold()
	w.until(minutes(5))
	w.wantTold("page schedule:secondary app")
	w.do("1", incident.Acknowledge{}, park)
	w.until(minutes(60))
	w.wantTold()
	if len(w.i.Later) > 0 {
		t.Errorf("still to come: %+v", w.i.Later)
	}
}

func TestARefusedPageIsNotDelayed(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.refuse = func(s incident.Send) bool { return s.Method == 0 }
	w.settle()
	w.wantTold("page schedule:primary phone")
	w.until(minutes(4))
	w.wantTold()
}

func TestAPageWithoutAnOutcomeIsFollowedAfterTheDelayOfTheNextMethod(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.silent = func(s incident.Send) bool { return s.Work == incident.PagePerson && s.Method < 2 }
	w.settle()
	w.until(minutes(2)) // the policy would say one minute
	w.wantTold()
	w.until(minutes(4)) // three minutes, and then the policy's one for the mail
	w.wantTold("page schedule:primary mail")
}

func TestADelayedMethodWaitsWhileAllAlertsAreResolved(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	w.until(minutes(1))
	w.i.Receive(batch(w.now, resolved("a", start)), w.now)
	w.told = nil
	w.until(minutes(4))
	w.wantTold()
	w.i.Receive(batch(w.now, firing("a", w.now)), w.now)
	w.settle()
	w.wantTold("page schedule:primary phone")
}

func TestWhoeverIsPagedAnewIsPagedByEveryMethodAnew(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps = []escalation.Step{{Targets: d.Policy.Steps[0].Targets, Wait: 2 * time.Minute}}
		d.Policy.Repeats = 1
	})
	w.composed = delayed
	w.settle()
	w.until(minutes(2))
	w.wantTold("page schedule:primary app", "page schedule:primary app")
	w.until(minutes(4))
	w.told = nil // the last resort
	w.until(minutes(5))
	w.wantTold("page schedule:primary phone")
}

func TestADelayedMethodOfAnEarlierClimbDoesNotFollow(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	if err := w.i.Do("1", incident.Resolve{Note: "fixed"}, park, w.now); err != nil {
		t.Fatal(err)
	}
	if err := w.i.Do("2", incident.Reopen{Reason: "it was not"}, park, w.now); err != nil {
		t.Fatal(err)
	}
	w.silent = func(s incident.Send) bool { return s.Work == incident.PageStep }
	w.settle()
	w.told = nil
	w.until(minutes(4))
	w.wantTold()
}

func TestWhoeverIsHeldBackIsSkippedAndSaid(t *testing.T) {
	w := begun(t, nil)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		if to[0].To.ID == "schedule:primary" {
			return []incident.Addressed{{To: delivery.Recipient{ID: "kim", Name: "김민수"}, Held: incident.HeldByQuietHours}}
		}
		return to
	}
	w.settle()
	w.wantTold("page schedule:secondary webhook") // at once: nobody else of the first step can be reached
	var said []string
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.HeldBack || e.Kind == timeline.StepEmpty {
			said = append(said, strings.TrimSpace(string(e.Kind)+" "+e.Fact("to")+" "+e.Fact("cause")))
		}
	}
	if want := []string{"delivery.held-back 김민수 quiet-hours", "escalation.step-empty"}; !slices.Equal(said, want) {
		t.Errorf("the timeline says %v, want %v", said, want)
	}
}

func TestOthersOfAStepArePagedWhenOneIsHeldBack(t *testing.T) {
	w := begun(t, nil)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		return append([]incident.Addressed{{To: delivery.Recipient{ID: "kim", Name: "김민수"}, Held: incident.HeldByAbsence}}, to...)
	}
	w.settle()
	w.until(minutes(4))
	w.wantTold("page schedule:primary webhook")
	if w.has(timeline.StepEmpty) > 0 {
		t.Error("the step counts as empty")
	}
}

func paged(written ...string) (all []escalation.Target) {
	for _, s := range written {
		t, err := escalation.ParseTarget(s)
		if err != nil {
			panic(err)
		}
		all = append(all, t)
	}
	return all
}

// apart gives each target a recipient of its own, whose ID is what the target is written as.
func apart(who func() []escalation.Target) func([]incident.Addressed) []incident.Addressed {
	return func([]incident.Addressed) (to []incident.Addressed) {
		for _, t := range who() {
			id := t.ID
			if t.Kind != escalation.Person {
				id = t.String()
			}
			to = append(to, incident.Addressed{
				To:      delivery.Recipient{ID: id, Name: id, Methods: []string{"app"}},
				Message: delivery.Message{Kind: delivery.Page}, Outside: !t.Answers(),
			})
		}
		return to
	}
}

// asSent composes for the newest step that has begun.
func (w *world) asSent() {
	w.composed = apart(func() []escalation.Target {
		for n := len(w.i.Outbox) - 1; n >= 0; n-- {
			if s := w.i.Outbox[n]; s.Work == incident.PageStep {
				return w.i.Who(s)
			}
		}
		return nil
	})
}

func TestAStepInOrderPagesOneAfterTheOtherUntilSomebodyAcknowledges(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps[0] = escalation.Step{Targets: paged("person:a", "person:b", "person:c"), Wait: 5 * time.Minute, Every: 2 * time.Minute}
	})
	w.asSent()
	w.settle()
	w.wantTold("page a app")
	w.until(minutes(2))
	w.wantTold("page b app")
	w.until(minutes(3))
	w.do("1", incident.Acknowledge{}, park)
	w.until(minutes(60))
	w.wantTold()
	var turns []string
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.StepStarted {
			turns = append(turns, e.Fact("step")+" "+e.Fact("turn"))
		}
	}
	if !slices.Equal(turns, []string{"1 1/3", "1 2/3"}) {
		t.Errorf("the timeline has the turns %v", turns)
	}
}

func TestTheFirstOfTwoAcknowledgementsKeepsThePromiseAndPagingGoesOnToTheOthers(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Customers = definition().Customers
		d.Policy.Steps[0] = escalation.Step{Targets: paged("person:park", "person:kim"), Wait: 5 * time.Minute, Acknowledgements: 2}
		d.Policy.Steps[1].Targets = paged("person:park", "person:lee")
	})
	w.asSent()
	w.settle()
	w.wantTold("page park app", "page kim app")
	w.until(minutes(1))
	w.do("1", incident.Acknowledge{}, park)
	if w.i.Status != incident.Acknowledged || w.i.Clocks[0].State != supportplan.Met || w.i.Times.Engaged != minutes(1) {
		t.Errorf("status %s, respond %+v, engaged %s: want all as with one acknowledgement", w.i.Status, w.i.Clocks[0], w.i.Times.Engaged)
	}
	w.told = nil
	w.until(minutes(5))
	w.wantTold("page lee app") // park has acknowledged, kim not
	w.do("2", incident.Acknowledge{}, park)
	if w.i.Escalation.Answered {
		t.Error("the same person twice is enough")
	}
	w.until(minutes(6))
	w.do("3", incident.Acknowledge{}, kim)
	w.told = nil
	w.until(minutes(20))
	w.wantTold()
	var said []string
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.Acknowledged {
			said = append(said, e.Actor.ID+" "+e.Fact("count")+"/"+e.Fact("wanted")+" "+e.Fact("expires"))
		}
	}
	want := []string{"park 1/2 ", "park 1/2 ", "kim 2/2 " + minutes(6+120).Format(time.RFC3339)}
	if !slices.Equal(said, want) {
		t.Errorf("the timeline says %q, want %q", said, want)
	}
}

func TestAPageToWhoeverHasAcknowledgedIsWithdrawn(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps[0] = escalation.Step{Targets: paged("person:park", "person:kim"), Wait: 5 * time.Minute, Acknowledgements: 2}
	})
	w.asSent()
	w.silent = func(s incident.Send) bool { return s.Work == incident.PagePerson }
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	for _, s := range w.i.Outbox {
		if want := map[string]string{"park": "acknowledged"}[s.To.ID]; s.Withdrawn != want {
			t.Errorf("the page to %s is withdrawn as %q, want %q", s.To.ID, s.Withdrawn, want)
		}
	}
}

func TestTheWaitForMoreAcknowledgementsEndsWithTheIncident(t *testing.T) {
	w := begun(t, func(d *incident.Definition) { d.Policy.Steps[0].Acknowledgements = 3 })
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Mitigate{Note: "restarted"}, kim)
	w.told = nil
	w.until(minutes(5))
	w.wantTold("page schedule:secondary webhook") // whoever mitigates counts as one who has acknowledged
	w.do("3", incident.Resolve{Note: "fixed"}, kim)
	w.told = nil
	w.until(minutes(60))
	w.wantTold()
}

func TestARoleIsWhoeverHasItWhenThePageIsSent(t *testing.T) {
	step := escalation.Step{Targets: paged("role:support-manager"), Wait: 5 * time.Minute}
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps = []escalation.Step{step, step}
		d.Roles = []incident.RoleTarget{{Role: incident.SupportManager, Targets: paged("schedule:desk", "engineer")}}
		d.Customers = []incident.Customer{{ID: "acme", Name: "Acme"}, {ID: "daon", Name: "Daon"}}
	})
	w.asSent()
	w.settle()
	w.wantTold("page schedule:desk app", "page engineer:acme app", "page engineer:daon app")
	w.do("1", incident.Assign{Role: incident.SupportManager, Person: "jung"}, park)
	w.told = nil
	w.until(minutes(5))
	w.wantTold("page jung app")
	if why := w.i.Telling(incident.Send{Work: incident.PageStep, Rung: 2, Targets: step.Targets}).Why; why != "role:support-manager" {
		t.Errorf("the page says that it is for %q", why)
	}
}

func TestVendorsAreToldAndTheStepGoesOnWithoutThem(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps[0].Targets = paged("person:kim", "vendor:skyhost")
	})
	w.asSent()
	w.refuse = func(s incident.Send) bool { return s.To.ID == "kim" }
	w.settle()
	w.wantTold("page vendor:skyhost app", "page schedule:secondary app") // nobody of ours was reached by the first step
	if w.has(timeline.StepFailed) != 1 {
		t.Error("the vendor counts as reached")
	}
}

func TestAVendorWhoHasNotBeenToldYetIsNotToldAfterAnAcknowledgement(t *testing.T) {
	w := begun(t, func(d *incident.Definition) { d.Policy.Steps[0].Targets = paged("person:kim", "vendor:skyhost") })
	w.asSent()
	w.silent = func(s incident.Send) bool { return s.Work == incident.Tell }
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	if s := w.i.Outbox[0]; s.To.ID != "vendor:skyhost" || s.Withdrawn != "acknowledged" {
		t.Errorf("got %+v", s)
	}
}

// pressing has other steps for P1.
func pressing(d *incident.Definition) {
	d.Impact, d.Urgency = priority.Medium, priority.Medium
	d.Policy.Steps = []escalation.Step{{Targets: paged("person:a"), Wait: 15 * time.Minute}, {Targets: paged("person:b"), Wait: 15 * time.Minute}}
	d.Policy.Variants = []escalation.Variant{{Priorities: []priority.Priority{priority.P1}, Steps: []escalation.Step{
		{Targets: paged("person:a", "group:noc"), Wait: 5 * time.Minute},
		{Targets: paged("person:c"), Wait: 5 * time.Minute, Mitigations: []escalation.Mitigation{{ID: "restart", Name: "Restart", Text: "one at a time"}}},
	}}}
}

func TestAPriorityThatIsRaisedWhilePagesClimbTakesItsOwnStepsAtOnce(t *testing.T) {
	w := begun(t, pressing)
	w.asSent()
	w.settle()
	w.wantTold("page a app")
	w.until(minutes(3))
	raised := batch(w.now, firing("b", w.now))
	raised.Impact, raised.Urgency = priority.High, priority.High
	w.i.Receive(raised, w.now)
	w.settle()
	w.wantTold("page group:noc app", "page c app") // who would have been paged by now, and the next step
	w.until(minutes(7))
	w.wantTold()
	w.until(minutes(8))
	w.told = w.told[1:] // whoever leads is told first
	w.wantTold("page lee app")
	var last timeline.Entry
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.StepStarted {
			last = e
		}
	}
	if last.Fact("step") != "2" || last.Fact("variant") != "P1" || last.Fact("targets") != "group:noc, person:c" {
		t.Errorf("the timeline says %+v", last)
	}
	s := incident.Send{Work: incident.PageStep, Rung: 2, Variant: 1}
	if told := w.i.Telling(s); told.Step != 2 || len(told.Mitigations) != 1 {
		t.Errorf("the page says step %d with %v", told.Step, told.Mitigations)
	}
}

func TestAPriorityThatIsLoweredWaitsForTheNextStep(t *testing.T) {
	w := begun(t, func(d *incident.Definition) { pressing(d); d.Impact, d.Urgency = priority.High, priority.High })
	w.asSent()
	w.settle()
	w.wantTold("page a app", "page group:noc app")
	w.do("1", incident.SetPriority{Impact: priority.Low, Reason: "one shop only"}, park)
	w.wantTold()
	w.until(minutes(5))
	w.wantTold("page b app")
}

func TestAStepInWhichEverybodyHasAcknowledgedIsFollowedByTheNextAtOnce(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps[0] = escalation.Step{Targets: paged("person:park"), Wait: 5 * time.Minute, Acknowledgements: 2}
		d.Policy.Steps = append(d.Policy.Steps[:1:1], escalation.Step{Targets: paged("person:park"), Wait: 5 * time.Minute}, d.Policy.Steps[1])
	})
	w.asSent()
	w.settle()
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	w.until(minutes(5))
	w.wantTold("page schedule:secondary app")
	if w.has(timeline.Withdrawn) > 0 || w.has(timeline.StepEmpty) != 1 {
		t.Error("park was paged again, if only to be withdrawn")
	}
}

// What was under way may end in the moment of an acknowledgement, before anything was withdrawn: nothing follows from it.
func TestNothingIsBegunForWhatEndsInTheMomentOfAnAcknowledgement(t *testing.T) {
	page := incident.Addressed{
		To:      delivery.Recipient{ID: "a", Name: "a", Methods: []string{"app", "phone"}},
		Message: delivery.Message{Kind: delivery.Page},
	}
	composed := func(w *world) {
		for _, s := range w.i.Outbox {
			if s.Work == incident.PageStep {
				w.i.Composed(s.Number, incident.Composition{To: []incident.Addressed{page}}, w.now)
			}
		}
	}
	for _, tc := range []struct {
		name string
		then func(w *world) // after the acknowledgement
		open bool           // the page went out before
	}{
		{name: "who is paged is known", then: composed},
		{name: "a page is refused", open: true, then: func(w *world) {
			for _, s := range w.i.Outbox {
				if s.Work == incident.PagePerson {
					w.i.Told(s.Number, delivery.Outcome{Result: delivery.Refused, Attempts: 1}, w.now)
				}
			}
		}},
		{name: "the next contact method is due", open: true, then: func(w *world) { w.now = w.now.Add(time.Hour) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := begun(t, nil)
			w.i.Advance(w.now)
			if tc.open {
				composed(w)
				w.i.Advance(w.now)
			}
			if err := w.i.Do("1", incident.Acknowledge{}, park, w.now); err != nil {
				t.Fatal(err)
			}
			begun := w.has(timeline.Sending)
			tc.then(w)
			for _, s := range w.i.Advance(w.now) {
				if s.Work == incident.PagePerson {
					t.Errorf("paged after the acknowledgement: %+v", s)
				}
			}
			if n := w.has(timeline.Sending) - begun; n != 0 {
				t.Errorf("%d pages begin after the acknowledgement", n)
			}
		})
	}
}

// The page is read at night, and once: it should say what helped the last time. It is held back by nothing that fails.
func TestTheFirstPageKnowsWhatCameBefore(t *testing.T) {
	before := incident.Earlier{ID: "INC-BEFORE", RunID: "r", Remedy: "restart the pool"}
	recalls := func(d *incident.Definition) { d.Recall = time.Second }
	pages := func(all []incident.Send) (page, find *incident.Send) {
		for n := range all {
			switch all[n].Work {
			case incident.PageStep:
				page = &all[n]
			case incident.FindPrevious:
				find = &all[n]
			default:
			}
		}
		return page, find
	}
	for name, tc := range map[string]struct {
		change func(*incident.Definition)
		finds  func(i *incident.Incident, number int)
		at     time.Time // of the page
		knows  bool
	}{
		"found":                    {recalls, func(i *incident.Incident, n int) { i.FoundPrevious(n, &before, start) }, start, true},
		"none":                     {recalls, func(i *incident.Incident, n int) { i.FoundPrevious(n, nil, start) }, start, false},
		"nobody can say":           {recalls, func(i *incident.Incident, n int) { i.PreviousUnknown(n, "no answer", start) }, start, false},
		"no answer in time":        {recalls, nil, start.Add(time.Second), false},
		"a definition from before": {nil, nil, start, false},
	} {
		w := begun(t, tc.change)
		page, find := pages(w.i.Advance(w.now))
		if find == nil || (page != nil) != (tc.change == nil) {
			t.Fatalf("%s: at first %v is paged and %v sought", name, page, find)
		}
		if tc.finds != nil {
			tc.finds(w.i, find.Number)
		}
		for page == nil && !w.now.After(tc.at) {
			if page, _ = pages(w.i.Advance(w.now)); page == nil {
				w.now = w.i.NextDue()
			}
		}
		if page == nil || !w.now.Equal(tc.at) {
			t.Errorf("%s: paged is %v at %s, want it at %s", name, page, w.now, tc.at)
			continue
		}
		if learned := w.i.Telling(*page).Facts.Learned; (learned != nil) != tc.knows {
			t.Errorf("%s: the page knows %+v", name, learned)
		}
	}
}

func TestWhoeverAsksForAPageDoesNotWaitForWhatCameBefore(t *testing.T) {
	w := begun(t, func(d *incident.Definition) { d.Recall = time.Second })
	w.i.Advance(w.now)
	if err := w.i.Do("1", incident.Escalate{Reason: "I need help"}, park, w.now); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.i.Advance(w.now) {
		if s.Work == incident.PageStep {
			return
		}
	}
	t.Error("nobody is paged at once")
}

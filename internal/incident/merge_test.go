package incident_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// two are an incident that alerts have opened, and one that Globex has reported by phone.
func two(t *testing.T) (alerts, phone *world) {
	t.Helper()
	alerts = begun(t, func(d *incident.Definition) { d.Customers = definition().Customers })
	alerts.settle()
	def := definition()
	def.Source, def.Title = "people", "Nobody can pay"
	def.Customers[0].ID, def.Customers[0].Name = "globex", "Globex"
	def.Customers[0].Plan.Promises = []supportplan.Promise{
		{Priority: priority.P1, Target: supportplan.Respond, Within: 10 * time.Minute},
		{Priority: priority.P1, Target: supportplan.Resolve, Within: time.Hour},
	}
	i, err := incident.OpenNoticed("INC-PHONE", def, incident.Notice{Customer: "globex", Received: start.Add(-5 * time.Minute)}, kim, start)
	if err != nil {
		t.Fatal(err)
	}
	phone = &world{t: t, i: i, now: start}
	phone.settle()
	return alerts, phone
}

// post brings what each has told the other, until nothing is left.
func post(ws ...*world) {
	for moved := true; moved; {
		moved = false
		for _, from := range ws {
			mail := from.mail
			from.mail = nil
			for _, m := range mail {
				moved = true
				for _, to := range ws {
					if to.i.ID == m.To {
						to.i.ReceiveMerge(m, to.now)
						to.settle()
					}
				}
			}
		}
	}
}

func merged(t *testing.T) (alerts, phone *world) {
	t.Helper()
	alerts, phone = two(t)
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "incident/test", Reason: "the same"}, kim)
	post(alerts, phone)
	return alerts, phone
}

func TestUntilItIsTakenInAnIncidentGoesOnByItself(t *testing.T) {
	_, phone := two(t)
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "incident/test", Reason: "the same"}, kim)
	phone.told = nil
	phone.after(5 * time.Minute)
	if phone.i.Status != incident.Triggered || !strings.Contains(strings.Join(phone.told, ","), "page schedule:secondary") {
		t.Errorf("it is %s, told %v", phone.i.Status, phone.told)
	}
}

func TestTheOtherIncidentHasItsCustomersAndPromises(t *testing.T) {
	alerts, phone := merged(t)
	if phone.i.Status != incident.Merged {
		t.Fatalf("it is %s", phone.i.Status)
	}
	phone.told = nil
	phone.after(2 * time.Hour)
	phone.wantTold()
	if c := alerts.clockOf("globex", supportplan.Respond); !c.Started.Equal(start.Add(-5*time.Minute)) || !c.Due.Equal(start.Add(5*time.Minute)) {
		t.Errorf("Globex is promised a response: %+v", c)
	}
	if alerts.i.Notice == nil || alerts.i.Notice.Customer != "globex" {
		t.Errorf("notice %+v", alerts.i.Notice)
	}
	if e := alerts.last(timeline.MergeTaken); e.Fact("from") != "INC-PHONE" || e.Fact("customers") != "Globex" || e.Fact("by") != "김민수" {
		t.Errorf("got %+v", e)
	}
	alerts.do("ack", incident.Acknowledge{}, park)
	if c := alerts.clockOf("globex", supportplan.Respond); c.State != supportplan.Met {
		t.Errorf("one response is for both: %+v", c)
	}
	alerts.told = nil
	alerts.do("over", incident.Resolve{Note: "x"}, park)
	if told := strings.Join(alerts.told, ", "); !strings.Contains(told, "all-clear acme") || !strings.Contains(told, "all-clear globex") {
		t.Errorf("told %s", told)
	}
}

func TestAMergedIncidentEndsWithTheOther(t *testing.T) {
	alerts, phone := merged(t)
	alerts.do("over", incident.Resolve{Note: "x"}, park)
	post(alerts, phone)
	if phone.i.Status != incident.Merged {
		t.Fatalf("it is %s while the other can still be reopened", phone.i.Status)
	}
	phone.told = nil
	alerts.do("close", incident.Close{}, park)
	post(alerts, phone)
	if phone.i.Status != incident.Closed || !phone.i.Ended() || !alerts.i.Ended() {
		t.Errorf("they are %s and %s", phone.i.Status, alerts.i.Status)
	}
	phone.wantTold() // its customers have heard from the other one
}

func TestAlertsOfAMergedIncidentReachTheOther(t *testing.T) {
	alerts, phone := two(t)
	alerts.do("merge", incident.Merge{Into: "INC-PHONE", WorkflowID: "incident/phone", Reason: "the same"}, kim)
	post(alerts, phone)
	if phone.i.Alerts.Firing != 1 || phone.i.Alerts.Full[0].Fingerprint != "alertmanager/a" {
		t.Fatalf("alerts %+v", phone.i.Alerts)
	}
	phone.do("over", incident.Resolve{Note: "x"}, park)
	more := batch(alerts.now, firing("b", start.Add(time.Minute)), firing("a", start))
	alerts.i.Receive(more, alerts.now)
	alerts.settle()
	post(alerts, phone)
	if phone.i.Status != incident.Triggered || phone.i.Alerts.Firing != 2 {
		t.Errorf("a new alert reopens the other: it is %s, %d fire", phone.i.Status, phone.i.Alerts.Firing)
	}
	if alerts.i.Status != incident.Merged || alerts.i.Alerts.Distinct() != 2 {
		t.Errorf("it keeps its own record: %s, %d alerts", alerts.i.Status, alerts.i.Alerts.Distinct())
	}
	alerts.i.Receive(more, alerts.now) // nothing new
	alerts.settle()
	if len(alerts.mail) != 0 {
		t.Errorf("it passes on what is known: %+v", alerts.mail)
	}
}

func TestAMorePressingAlertIsPassedOnWithItsLevels(t *testing.T) {
	alerts := begun(t, func(d *incident.Definition) { d.Impact, d.Urgency = priority.Low, priority.Low })
	alerts.settle()
	_, phone := two(t)
	phone.do("less", incident.SetPriority{Impact: priority.Low, Urgency: priority.Low, Reason: "x"}, kim)
	alerts.do("merge", incident.Merge{Into: "INC-PHONE", WorkflowID: "x", Reason: "x"}, kim)
	post(alerts, phone)
	b := saying(priority.High, priority.High, alerts.now, firing("b", start.Add(time.Minute)))
	alerts.i.Receive(b, alerts.now)
	alerts.settle()
	post(alerts, phone)
	if phone.i.Priority != priority.P1 {
		t.Errorf("it is %s", phone.i.Priority)
	}
}

func TestAMergeThatIsRefusedChangesNothing(t *testing.T) {
	for name, other := range map[string]func(alerts *world){
		"is resolved, by":             nil,
		"INC-TEST is resolved":        func(w *world) { w.do("over", incident.Resolve{Note: "x"}, park) },
		"INC-TEST is merged into INC": func(w *world) { w.do("m", incident.Merge{Into: "INC-THIRD", WorkflowID: "x", Reason: "x"}, park) },
	} {
		if other == nil {
			continue
		}
		alerts, phone := two(t)
		other(alerts)
		alerts.mail = nil
		phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "the same"}, kim)
		post(alerts, phone)
		if phone.i.Status != incident.Triggered || phone.i.MergedInto != nil {
			t.Errorf("%s: it is %s, merged into %+v", name, phone.i.Status, phone.i.MergedInto)
		}
		if e := phone.last(timeline.MergeRefused); !strings.Contains(e.Fact("detail"), name) {
			t.Errorf("got %+v, want %q", e, name)
		}
	}
}

func TestAMergeIntoWhatIsNotThereAnyMoreFails(t *testing.T) {
	_, phone := two(t)
	phone.lost = "workflow not found"
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "the same"}, kim)
	if phone.i.Status != incident.Triggered || phone.i.MergedInto != nil || phone.has(timeline.MergeRefused) != 1 {
		t.Errorf("it is %s, %+v", phone.i.Status, phone.i.MergedInto)
	}
}

func TestTwoThatAreMergedIntoEachOtherAreNotLost(t *testing.T) {
	alerts, phone := two(t)
	alerts.do("m", incident.Merge{Into: "INC-PHONE", WorkflowID: "x", Reason: "x"}, kim)
	phone.do("m", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "x"}, kim)
	post(alerts, phone)
	open := 0
	for _, w := range []*world{alerts, phone} {
		if w.i.Status.Open() {
			open++
		}
	}
	if open == 0 {
		t.Error("nobody has either of them")
	}
}

func TestWhatWasMergedByMistakeIsSplitOffAgain(t *testing.T) {
	alerts, phone := merged(t)
	alerts.do("ack", incident.Acknowledge{}, park)
	phone.told = nil
	phone.do("split", incident.Split{Reason: "another cause"}, kim)
	post(alerts, phone)
	if phone.i.Status != incident.Triggered || !strings.Contains(strings.Join(phone.told, ","), "page schedule:primary") {
		t.Errorf("it is %s, told %v", phone.i.Status, phone.told)
	}
	if c := phone.clockOf("globex", supportplan.Resolve); !c.Due.Equal(start.Add(55 * time.Minute)) {
		t.Errorf("its promise runs on from where it began: %+v", c)
	}
	if len(alerts.i.Merged) != 0 || slices.ContainsFunc(alerts.i.Clocks, func(c supportplan.Clock) bool { return c.Customer == "globex" }) {
		t.Errorf("the other still has its customer: %+v", alerts.i.Clocks)
	}
	alerts.do("over", incident.Resolve{Note: "x"}, park)
	alerts.do("close", incident.Close{}, park)
	post(alerts, phone)
	if phone.i.Status != incident.Triggered {
		t.Errorf("it is %s, and has nothing to do with the other", phone.i.Status)
	}
}

func TestAnIncidentThatEndedWhileItWasTakenInIsLetGo(t *testing.T) {
	alerts, phone := two(t)
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "the same"}, kim)
	phone.do("over", incident.Resolve{Note: "false alarm"}, kim)
	post(alerts, phone)
	if len(alerts.i.Merged) != 0 || phone.i.Status != incident.Resolved {
		t.Errorf("merged %+v, and it is %s", alerts.i.Merged, phone.i.Status)
	}
}

func TestACommonCustomerKeepsTheEarlierPromise(t *testing.T) {
	alerts, phone := two(t)
	phone.i.Definition.Customers[0].ID, phone.i.Definition.Customers[0].Name = "acme", "Acme"
	for n := range phone.i.Clocks {
		phone.i.Clocks[n].Customer = "acme"
	}
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "the same"}, kim)
	post(alerts, phone)
	if len(alerts.i.Definition.Customers) != 1 {
		t.Fatalf("customers %+v", alerts.i.Definition.Customers)
	}
	if c := alerts.clockOf("acme", supportplan.Respond); !c.Due.Equal(start.Add(10 * time.Minute)) { // 15 minutes since the phone rang
		t.Errorf("got %+v", c)
	}
}

func TestCalendarsComeAlong(t *testing.T) {
	office := func(from int) calendar.Rules {
		return calendar.Rules{ID: "office", Zone: "UTC", Weekly: []calendar.Weekly{{
			Days: calendar.Weekdays(), Hours: calendar.Hours{From: calendar.TimeOfDay(from * 60), To: calendar.TimeOfDay(18 * 60)},
		}}}
	}
	alerts, phone := two(t)
	alerts.i.Definition.Calendars = []calendar.Rules{office(9)}
	phone.i.Definition.Calendars = []calendar.Rules{office(8)} // of a newer folder
	p := &phone.i.Definition.Customers[0].Plan
	for n := range p.Promises {
		p.Promises[n].Calendar = "office"
	}
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "x", Reason: "the same"}, kim)
	post(alerts, phone)
	if got := alerts.i.Definition.Calendars; len(got) != 2 || got[1].ID != "office/2" || got[1].Weekly[0].From != office(8).Weekly[0].From {
		t.Errorf("calendars %+v", got)
	}
	if c := alerts.clockOf("globex", supportplan.Resolve); c.Calendar != "office/2" {
		t.Errorf("its promise runs in %q", c.Calendar)
	}
}

func TestAlertsForAnIncidentThatIsOverComeBack(t *testing.T) {
	alerts, phone := two(t)
	alerts.do("merge", incident.Merge{Into: "INC-PHONE", WorkflowID: "x", Reason: "the same"}, kim)
	post(alerts, phone)
	b := alert.Batch{Source: "alertmanager", Alerts: []alert.Received{firing("b", start)}}
	alerts.i.Receive(b, alerts.now)
	alerts.settle()
	alerts.i.ReceiveMerge(incident.MergeMessage{ // the next incident of the same workflow id has got them
		Kind: incident.MergeRefused, From: incident.Merging{ID: "INC-PHONE"}, To: "INC-TEST", Reason: "INC-PHONE is over",
	}, alerts.now)
	alerts.settle()
	if alerts.i.Status != incident.Triggered {
		t.Errorf("it is %s: nobody is paged for the alert", alerts.i.Status)
	}
}

func TestMergesAndRelationsThatAreRefused(t *testing.T) {
	_, phone := two(t)
	phone.do("l", incident.Relate{To: "INC-OTHER", Kind: incident.CausedBy}, kim)
	for _, tc := range []struct {
		give incident.Command
		want string
	}{
		{incident.Merge{Into: "INC-PHONE", WorkflowID: "x", Reason: "x"}, "into: want another incident"},
		{incident.Merge{Reason: "x"}, "into: missing"},
		{incident.Merge{Into: "INC-TEST", WorkflowID: "x"}, "reason: missing"},
		{incident.Split{Reason: "x"}, "is triggered; only an incident that is merged"},
		{incident.Relate{To: "INC-PHONE", Kind: incident.RelatedTo}, "to: want the ID of another incident"},
		{incident.Relate{To: "INC-OTHER", Kind: "friend"}, `kind "friend": want related, caused-by, causes`},
		{incident.Relate{To: "INC-OTHER", Kind: incident.CausedBy}, "it is related to INC-OTHER as caused-by already"},
	} {
		if err := phone.i.Do(fmt.Sprint(tc), tc.give, kim, phone.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
}

func TestWhatHappensBeforeItIsTakenInIsPassedOn(t *testing.T) {
	alerts, phone := two(t)
	alerts.do("merge", incident.Merge{Into: "INC-PHONE", WorkflowID: "incident/phone", Reason: "the same"}, kim)
	asked := alerts.mail
	alerts.mail = nil
	alerts.i.Receive(batch(alerts.now, firing("late", alerts.now)), alerts.now) // before the answer is there
	alerts.settle()
	alerts.mail = append(asked, alerts.mail...)
	post(alerts, phone)
	if alerts.i.Status != incident.Merged || phone.i.Alerts.Firing != 2 {
		t.Errorf("it is %s, and %d alerts fire at the other, want 2", alerts.i.Status, phone.i.Alerts.Firing)
	}
}

func TestWhatIsResolvedBeforeItIsTakenInGivesItsOwnAllClear(t *testing.T) {
	alerts, phone := two(t)
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "incident/test", Reason: "the same"}, kim)
	phone.told = nil
	phone.do("over", incident.Resolve{Note: "false alarm"}, kim)
	post(alerts, phone)
	if phone.i.MergedInto != nil || !strings.Contains(strings.Join(phone.told, ","), "all-clear globex") {
		t.Errorf("merged into %+v, told %v", phone.i.MergedInto, phone.told)
	}
}

func TestWhatIsSplitOffTakesEverythingBack(t *testing.T) {
	alerts, phone := two(t)
	alerts.do("merge", incident.Merge{Into: "INC-PHONE", WorkflowID: "incident/phone", Reason: "the same"}, kim)
	post(alerts, phone)
	alerts.do("split", incident.Split{Reason: "another cause"}, kim)
	post(alerts, phone)
	if phone.i.Alerts.Firing != 0 || alerts.i.Alerts.Firing != 1 || phone.i.Notice == nil {
		t.Errorf("%d alerts fire at the other, %d here, notice %+v", phone.i.Alerts.Firing, alerts.i.Alerts.Firing, phone.i.Notice)
	}
	alerts, phone = merged(t)
	phone.do("split", incident.Split{Reason: "another cause"}, kim)
	post(alerts, phone)
	if alerts.i.Notice != nil || phone.i.Notice == nil {
		t.Errorf("the other keeps the notice %+v", alerts.i.Notice)
	}
}

func TestAPauseStandsWhenItIsSplitOff(t *testing.T) {
	alerts, phone := two(t)
	c := phone.clockOf("globex", supportplan.Resolve)
	c.Pause(start, supportplan.Customer, "waiting")
	phone.now = start.Add(20 * time.Minute)
	c.Resume(phone.now)
	alerts.now = phone.now
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "incident/test", Reason: "the same"}, kim)
	post(alerts, phone)
	phone.do("split", incident.Split{Reason: "another cause"}, kim)
	post(alerts, phone)
	if c := phone.clockOf("globex", supportplan.Resolve); !c.Due.Equal(start.Add(75 * time.Minute)) {
		t.Errorf("the 20 minutes of the pause are lost: %+v", c)
	}
}

func TestOnlyOneOfTwoIsASecurityIncident(t *testing.T) {
	alerts, phone := two(t)
	alerts.i.Definition.Kind = incident.SecurityIncident
	phone.do("merge", incident.Merge{Into: "INC-TEST", WorkflowID: "incident/test", Reason: "the same"}, kim)
	post(alerts, phone)
	if phone.i.Status != incident.Triggered || phone.i.MergedInto != nil || len(alerts.i.Merged) != 0 {
		t.Errorf("it is %s, merged into %+v", phone.i.Status, phone.i.MergedInto)
	}
}

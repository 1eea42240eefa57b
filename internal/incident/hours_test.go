package incident_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// inHours is the definition under a plan that runs on weekdays from 9 to 17 in Seoul. The start of the tests is a Monday,
// 18:00 there: the hours are over.
func inHours() incident.Definition {
	d := definition()
	d.Calendars = []calendar.Rules{{
		ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
			Days:  []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday},
			Hours: calendar.Hours{From: 9 * 60, To: 17 * 60},
		}},
	}}
	d.Customers[0].Plan.Promises = []supportplan.Promise{
		{Priority: priority.P1, Target: supportplan.Respond, Within: time.Hour, Calendar: "office"},
		{Priority: priority.P1, Target: supportplan.Update, Within: 2 * time.Hour, Calendar: "office"},
		{Priority: priority.P1, Target: supportplan.Mitigate, Within: 12 * time.Hour},
		{Priority: priority.P1, Target: supportplan.Resolve, Days: 2, Calendar: "office"},
	}
	d.Customers[0].Plan.PauseFor = []supportplan.Cause{supportplan.Customer}
	return d
}

func openedIn(t *testing.T, d incident.Definition) *world {
	t.Helper()
	i, err := incident.Open("INC-TEST", d, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start}
	i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	return w
}

func (w *world) clock(target supportplan.Target) *supportplan.Clock {
	w.t.Helper()
	for n := range w.i.Clocks {
		if c := &w.i.Clocks[n]; c.Target == target {
			return c
		}
	}
	w.t.Fatalf("no clock %s", target)
	return nil
}

func TestOutsideItsHoursAPromiseBeginsWhenTheyOpen(t *testing.T) {
	w := openedIn(t, inHours())
	opens := start.Add(15 * time.Hour) // 09:00 of the next day
	for target, due := range map[supportplan.Target]time.Time{
		supportplan.Respond: opens.Add(time.Hour), supportplan.Update: opens.Add(2 * time.Hour),
		supportplan.Mitigate: start.Add(12 * time.Hour), // runs around the clock
		supportplan.Resolve:  opens.Add(32 * time.Hour), // two working days: as the second one closes
	} {
		c := w.clock(target)
		if !c.Due.Equal(due) {
			t.Errorf("%s is due %s, want %s", target, c.Due, due)
		}
		if within := target != supportplan.Mitigate; within != c.Begins.Equal(opens) {
			t.Errorf("%s begins %s", target, c.Begins)
		}
	}
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.ClockStarted && e.Fact("target") == "resolve" {
			if e.Fact("days") != "2" || e.Fact("calendar") != "office" || e.Fact("within") != "" || e.Fact("begins") == "" {
				t.Errorf("the timeline says %+v", e.Facts)
			}
		}
	}
	if clocks := w.i.Facts().Clocks; clocks[0].Target != supportplan.Mitigate || !clocks[1].Begins.Equal(opens) {
		t.Errorf("messages say %+v", clocks)
	}
	w.until(start.Add(14 * time.Hour)) // the night
	if c := w.clock(supportplan.Respond); c.State != supportplan.Running || c.AtRisk {
		t.Errorf("in the night the response is %s, at risk %v", c.State, c.AtRisk)
	}
	w.until(opens.Add(61 * time.Minute))
	if c := w.clock(supportplan.Respond); c.State != supportplan.Missed {
		t.Errorf("an hour after the hours have begun the response is %s", c.State)
	}
}

func TestACustomerHearsOnlyInItsHours(t *testing.T) {
	w := openedIn(t, inHours())
	opens := start.Add(15 * time.Hour)
	w.do("1", incident.Acknowledge{}, park)
	w.told = nil
	var updates []time.Time
	seen := 0
	for w.now.Before(start.Add(40 * time.Hour)) {
		w.after(time.Minute)
		if n := w.has(timeline.UpdateSent); n > seen {
			seen = n
			updates = append(updates, w.now)
		}
		w.i.Escalation.AckedAt = w.now // somebody works on it
	}
	const lead = 5 * time.Minute
	want := []time.Time{opens.Add(2*time.Hour - lead), opens.Add(4*time.Hour - 2*lead), opens.Add(6*time.Hour - 3*lead), opens.Add(8*time.Hour - 4*lead)}
	if len(updates) < len(want) {
		t.Fatalf("updates at %s, want %s", updates, want)
	}
	for n := range want {
		if d := updates[n].Sub(want[n]).Abs(); d > time.Minute {
			t.Errorf("update %d at %s, want %s", n+1, updates[n], want[n])
		}
	}
	for _, at := range updates {
		if h := at.UTC().Hour(); h >= 8 && at.UTC().Minute() > 0 { // 17:00 in Seoul is 08:00 UTC
			t.Errorf("an update at %s, outside the hours", at)
		}
	}
}

func TestMitigationKeepsItsPromise(t *testing.T) {
	for _, tc := range []struct {
		name    string
		command incident.Command
		after   time.Duration
		want    supportplan.ClockState
	}{
		{"in time", incident.Mitigate{Note: "rolled back"}, time.Hour, supportplan.Met},
		{"resolved, and so mitigated", incident.Resolve{Note: "fixed"}, time.Hour, supportplan.Met},
		{"late", incident.Mitigate{Note: "rolled back"}, 13 * time.Hour, supportplan.Missed},
	} {
		w := openedIn(t, inHours())
		w.do("1", incident.Acknowledge{}, park)
		w.after(tc.after)
		w.do("2", tc.command, park)
		if c := w.clock(supportplan.Mitigate); c.State != tc.want || c.Open() {
			t.Errorf("%s: %s, open %v; want %s", tc.name, c.State, c.Open(), tc.want)
		}
	}
}

func TestClocksStandStillOnlyForWhatThePlanAllows(t *testing.T) {
	for _, tc := range []struct {
		name string
		plan []supportplan.Cause
		c    incident.PauseClock
		want string
	}{
		{"for what it names", []supportplan.Cause{supportplan.Customer}, incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Customer, Reason: "x"}, ""},
		{"for something else", []supportplan.Cause{supportplan.Customer}, incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Vendor, Reason: "x"}, `for "vendor": support plan premium of customer "acme" lets clocks stand still for customer`},
		{"without a cause", []supportplan.Cause{supportplan.Customer, supportplan.Vendor}, incident.PauseClock{Target: supportplan.Resolve, Reason: "x"}, `for: missing; support plan premium of customer "acme" lets clocks stand still for customer, vendor`},
		{"for nobody", []supportplan.Cause{}, incident.PauseClock{Target: supportplan.Resolve, For: supportplan.Customer, Reason: "x"}, "support plan premium lets no clock stand still"},
		{"from before it was asked", nil, incident.PauseClock{Target: supportplan.Resolve, Reason: "x"}, ""},
	} {
		d := inHours()
		d.Customers[0].Plan.PauseFor = tc.plan
		w := openedIn(t, d)
		err := w.i.Do("1", tc.c, park, w.now)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
		if c := w.clock(supportplan.Resolve); tc.want == "" && (c.State != supportplan.Paused || c.Cause != tc.c.For) {
			t.Errorf("%s: %+v", tc.name, c)
		}
	}
}

// A calendar that ends leaves a promise without a due instant. That is said once, and everything else goes on.
func TestAPromiseBeyondItsCalendarIsSaidOnce(t *testing.T) {
	d := inHours()
	d.Calendars[0].Until = calendar.DateOf(start.AddDate(0, 0, 1))
	w := openedIn(t, d)
	w.after(24 * time.Hour)
	said := 0
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.ClockUnknown && e.Fact("target") == "resolve" {
			said++
		}
	}
	if c := w.clock(supportplan.Resolve); said != 1 || !c.Due.IsZero() || c.State != supportplan.Running {
		t.Errorf("said %d times, %+v", said, c)
	}
	if c := w.clock(supportplan.Respond); c.State != supportplan.Missed {
		t.Errorf("the response is %s", c.State)
	}
}

package incident_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// newer is the definition of the tests as a newer folder has it.
func newer(change func(*incident.Definition)) *incident.Definition {
	d := definition()
	d.SHA256, d.Revision = "new", "r2"
	change(&d)
	return &d
}

func longerQuiet(d *incident.Definition) { d.Quiet *= 2 }

// promising is a change to promises.
func promising(promises ...supportplan.Promise) func(*incident.Definition) {
	return func(d *incident.Definition) { d.Customers[0].Plan.Promises = promises }
}

func TestAPromiseThatComesBackGoesOnFromWhereItBegan(t *testing.T) {
	w := opened(t)
	was := definition().Customers[0].Plan.Promises
	w.do("1", incident.Acknowledge{}, park)
	w.after(10 * time.Minute)
	w.do("2", incident.Repin{Reason: "a slip", Definition: newer(promising())}, park)
	for n := range w.i.Clocks {
		if w.i.Clocks[n].Open() {
			t.Errorf("%s runs, and nothing is promised", w.i.Clocks[n].Target)
		}
	}
	w.after(10 * time.Minute)
	w.do("3", incident.Repin{Reason: "put right", Definition: newer(promising(was...))}, park)
	for target, want := range map[supportplan.Target]struct {
		state supportplan.ClockState
		due   time.Time
	}{
		supportplan.Respond: {supportplan.Met, start.Add(15 * time.Minute)}, // has been kept, whatever is promised
		supportplan.Update:  {supportplan.Running, start.Add(50 * time.Minute)},
		supportplan.Resolve: {supportplan.Running, start.Add(4 * time.Hour)},
	} {
		if c := w.clock(target); c.State != want.state || !c.Due.Equal(want.due) {
			t.Errorf("%s is %s and due %s, want %s, %s", target, c.State, c.Due, want.state, want.due)
		}
	}
}

// A customer that comes with a repin has promises; one that goes has its clocks ended under its name.
func TestRepinChangesTheCustomers(t *testing.T) {
	w := opened(t)
	acme := w.i.Definition.Customers[0]
	w.do("1", incident.Acknowledge{}, park)
	w.do("2", incident.Repin{Reason: "moved", Definition: newer(func(d *incident.Definition) {
		d.Customers = []incident.Customer{{ID: "globex", Name: "Globex", Plan: acme.Plan}}
	})}, park)
	var ended, begun []string
	for _, e := range w.i.Timeline.Entries {
		switch {
		case e.Kind == timeline.ClockStopped:
			ended = append(ended, e.Fact("customer")+" "+e.Fact("target"))
		case e.Kind == timeline.ClockStarted && e.Fact("customer") == "Globex":
			begun = append(begun, e.Fact("target"))
		}
	}
	if diff := cmp.Diff([]string{acme.Name + " update", acme.Name + " resolve"}, ended); diff != "" {
		t.Error(diff)
	}
	// Somebody has responded before it was promised to anybody else.
	if diff := cmp.Diff([]string{"update", "resolve"}, begun); diff != "" {
		t.Error(diff)
	}
}

func TestPromisesOfARepinAfterTheResolutionRunWhenItIsReopened(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Resolve{Note: "x"}, park)
	w.do("2", incident.Repin{Reason: "premium", Definition: newer(func(d *incident.Definition) {
		p := &d.Customers[0].Plan
		p.Promises = append(p.Promises, supportplan.Promise{Priority: priority.P1, Target: supportplan.Mitigate, Within: time.Hour})
	})}, park)
	w.after(time.Minute)
	w.do("3", incident.Reopen{Reason: "again"}, park)
	if c := w.clock(supportplan.Mitigate); c.State != supportplan.Running || !c.Due.Equal(w.now.Add(time.Hour)) {
		t.Errorf("mitigate is %s and due %s, want an hour from %s", c.State, c.Due, w.now)
	}
}

func TestRepinTakesOverWhatIsPromisedNow(t *testing.T) {
	w := opened(t)
	w.do("1", incident.Acknowledge{}, park)
	w.after(10 * time.Minute)
	w.do("2", incident.Repin{Reason: "premium since today", Definition: newer(func(d *incident.Definition) {
		d.Customers[0].Plan.Promises = []supportplan.Promise{
			{Priority: priority.P1, Target: supportplan.Respond, Within: 5 * time.Minute},
			{Priority: priority.P1, Target: supportplan.Mitigate, Within: time.Hour},
			{Priority: priority.P1, Target: supportplan.Resolve, Within: 2 * time.Hour},
		}
		d.Quiet = 10 * time.Minute
	})}, park)
	for target, want := range map[supportplan.Target]struct {
		state supportplan.ClockState
		due   time.Time
	}{
		supportplan.Respond:  {supportplan.Met, start.Add(15 * time.Minute)},     // was kept under the old promise
		supportplan.Update:   {supportplan.Stopped, start.Add(30 * time.Minute)}, // is promised no more
		supportplan.Mitigate: {supportplan.Running, start.Add(70 * time.Minute)}, // is promised from now on
		supportplan.Resolve:  {supportplan.Running, start.Add(2 * time.Hour)},    // counts from where it began
	} {
		if c := w.clock(target); c.State != want.state || !c.Due.Equal(want.due) {
			t.Errorf("%s is %s and due %s, want %s, %s", target, c.State, c.Due, want.state, want.due)
		}
	}
	var said []string
	for _, e := range w.i.Timeline.Entries {
		switch e.Kind {
		case timeline.Repinned:
			said = append(said, "repinned "+e.Fact("revision")+" "+e.Fact("definition")+" "+e.Fact("reason")+" by "+e.Actor.ID)
		case timeline.DefinitionChanged:
			said = append(said, e.Fact("what")+": "+e.Fact("before")+" -> "+e.Fact("after"))
		}
	}
	want := []string{
		"repinned r2 new premium since today by park",
		"customers.acme.plan.promises.P1 respond: 15m0s -> 5m0s",
		"customers.acme.plan.promises.P1 update: 30m0s -> ",
		"customers.acme.plan.promises.P1 resolve: 4h0m0s -> 2h0m0s",
		"customers.acme.plan.promises.P3 resolve: 24h0m0s -> ",
		"customers.acme.plan.promises.P1 mitigate:  -> 1h0m0s",
		"quiet: 5m0s -> 10m0s",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

func TestRepinIsRefused(t *testing.T) {
	other := newer(func(d *incident.Definition) { d.Service.ID = "erp" })
	same := newer(func(*incident.Definition) {})
	for _, tc := range []struct {
		name string
		c    incident.Repin
		want string
	}{
		{"nothing to pin", incident.Repin{Reason: "x"}, "definition: missing"},
		{"another service", incident.Repin{Reason: "x", Definition: other}, `the definition is of service "erp"; want that of "checkout"`},
		{"nothing new", incident.Repin{Reason: "x", Definition: same}, "nothing has changed: revision r2"},
		{"no reason", incident.Repin{Definition: newer(longerQuiet)}, "reason: missing"},
	} {
		w := opened(t)
		if err := w.i.Do("x", tc.c, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
	w := opened(t)
	w.do("1", incident.Resolve{Note: "x"}, park)
	w.do("2", incident.Close{}, park)
	if err := w.i.Do("x", incident.Repin{Reason: "x", Definition: newer(longerQuiet)}, park, w.now); err == nil {
		t.Error("a closed incident was repinned")
	}
}

// Editing a calendar changes no running clock; repinning does.
func TestAnEditedCalendarCountsAfterRepin(t *testing.T) {
	w := openedIn(t, inHours())
	before := w.clock(supportplan.Respond).Due
	d := inHours()
	d.SHA256 = "new"
	d.Calendars[0].Holidays = calendar.Dates{calendar.DateOf(start.AddDate(0, 0, 1))}
	w.do("1", incident.Repin{Reason: "a holiday", Definition: &d}, park)
	if c := w.clock(supportplan.Respond); !c.Due.Equal(before.Add(24 * time.Hour)) {
		t.Errorf("due %s, before the holiday was known %s", c.Due, before)
	}
}

func TestDifferences(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*incident.Definition)
		want   []incident.Difference
	}{
		{"none", func(d *incident.Definition) { d.SHA256, d.Revision = "x", "y" }, nil},
		{"a value", func(d *incident.Definition) { d.Title = "Other" }, []incident.Difference{{What: "title", Before: "Checkout is slow", After: "Other"}}},
		{"a longer list", func(d *incident.Definition) { d.Languages = append(d.Languages, "de") }, []incident.Difference{{What: "languages.3", After: "de"}}},
		{"a shorter list", func(d *incident.Definition) { d.Languages = d.Languages[:1] }, []incident.Difference{{What: "languages.2", Before: "en"}}},
		{"a target", func(d *incident.Definition) { d.Policy.LastResort[0].ID = "choi" }, []incident.Difference{{What: "policy.last_resort.1", Before: "person:lee", After: "person:choi"}}},
		{"the end of a long text", func(d *incident.Definition) { d.Title = strings.Repeat("a", 250) }, []incident.Difference{{What: "title", Before: "Checkout is slow", After: strings.Repeat("a", 200) + "…"}}},
		{"what a pointer points to", func(d *incident.Definition) { d.Owner = &incident.Contact{Name: "Kim"} }, []incident.Difference{{What: "owner.name", After: "Kim"}}},
		{"a calendar", func(d *incident.Definition) {
			d.Calendars = []calendar.Rules{{ID: "office", Zone: "Asia/Seoul", Holidays: calendar.Dates{20_000}}}
		}, []incident.Difference{
			{What: "calendars.office.id", After: "office"},
			{What: "calendars.office.zone", After: "Asia/Seoul"},
			{What: "calendars.office.holidays", After: "2024-10-04"},
		}},
	} {
		after := definition()
		tc.change(&after)
		if diff := cmp.Diff(tc.want, incident.Differences(definition(), after)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

package supportplan_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// pinned are the calendars of the Carepack levels (source 002): weekdays around the clock, and weekdays from 9 to 17.
func pinned() []calendar.Rules {
	weekdays := []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday}
	return []calendar.Rules{
		{ID: "weekdays", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: weekdays, Hours: calendar.Hours{From: 0, To: 24 * 60}}}},
		{ID: "9-17", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: weekdays, Hours: calendar.Hours{From: 9 * 60, To: 17 * 60}}}},
		{ID: "9-17-kr", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: weekdays, Hours: calendar.Hours{From: 9 * 60, To: 17 * 60}}}, Holidays: calendar.Dates{christmas}},
		{
			ID: "ends", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: weekdays, Hours: calendar.Hours{From: 9 * 60, To: 17 * 60}}},
			Until: christmas,
		},
	}
}

var christmas = calendar.DateOf(time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC))

type fatal interface {
	Helper()
	Fatal(...any)
}

func hours(t fatal, id string) supportplan.OpenTime {
	t.Helper()
	h, err := supportplan.OpenTimeOf(id, pinned(), time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// kst reads a wall-clock time of Seoul.
func kst(t fatal, s string) time.Time {
	t.Helper()
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, seoul)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The response times of the Carepack levels (source 002): one time per level, counted in the hours of the level.
func TestPromisesRunInTheHoursOfTheirCalendar(t *testing.T) {
	for _, tc := range []struct {
		calendar      string
		within        time.Duration
		received, due string
		begins        string // when the hours open, if they are closed when the promise is made
	}{
		{"9-17", 8 * time.Hour, "2026-11-23 09:00", "2026-11-23 17:00", ""}, // a whole day: due at closing, not next morning
		{"9-17", 8 * time.Hour, "2026-11-23 09:01", "2026-11-24 09:01", ""},
		{"9-17", 8 * time.Hour, "2026-11-28 10:00", "2026-11-30 17:00", "2026-11-30 09:00"}, // a Saturday
		{"9-17", 8 * time.Hour, "2026-11-27 16:00", "2026-11-30 16:00", ""},
		{"9-17", 4 * time.Hour, "2026-11-27 17:00", "2026-11-30 13:00", "2026-11-30 09:00"}, // received as it closes
		{"weekdays", 4 * time.Hour, "2026-11-27 22:00", "2026-11-30 02:00", ""},             // stops at midnight of Friday
		{"9-17", 4 * time.Hour, "2026-12-24 16:00", "2026-12-25 12:00", ""},                 // the contract knows no holidays
		{"9-17-kr", 4 * time.Hour, "2026-12-24 16:00", "2026-12-28 12:00", ""},              // the contract knows them
		{"", 2 * time.Hour, "2026-11-28 23:00", "2026-11-29 01:00", ""},                     // around the clock
	} {
		c := supportplan.Start("acme", supportplan.Promise{Target: supportplan.Respond, Within: tc.within, Calendar: tc.calendar}, kst(t, tc.received))
		got, err := c.Instants(hours(t, tc.calendar), 80)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Due.Equal(kst(t, tc.due)) {
			t.Errorf("%s of %q, received %s: due %s, want %s", tc.within, tc.calendar, tc.received, got.Due, tc.due)
		}
		if tc.begins == "" && !got.Begins.IsZero() || tc.begins != "" && !got.Begins.Equal(kst(t, tc.begins)) {
			t.Errorf("%s of %q, received %s: begins %s, want %q", tc.within, tc.calendar, tc.received, got.Begins, tc.begins)
		}
	}
}

func TestWorkingDaysEndAtTheTimeOfDayAtWhichTheyBegan(t *testing.T) {
	for _, tc := range []struct {
		days          int
		received, due string
	}{
		{1, "2026-11-23 10:00", "2026-11-24 10:00"},
		{5, "2026-11-23 10:00", "2026-11-30 10:00"},
		{2, "2026-11-28 10:00", "2026-12-01 17:00"}, // a Saturday: all of Monday and Tuesday, due as Tuesday closes
		{1, "2026-12-24 10:00", "2026-12-28 10:00"}, // over Christmas and the weekend
	} {
		c := supportplan.Start("acme", supportplan.Promise{Target: supportplan.Resolve, Days: tc.days, Calendar: "9-17-kr"}, kst(t, tc.received))
		got, err := c.Instants(hours(t, "9-17-kr"), 50)
		if err != nil || !got.Due.Equal(kst(t, tc.due)) {
			t.Errorf("%d working days from %s: due %s, %v; want %s", tc.days, tc.received, got.Due, err, tc.due)
		}
	}
}

// While a clock stands still for the customer, neither nights nor working hours count; when it runs on, it has what it had.
func TestAPauseTakesNothingFromTheBudget(t *testing.T) {
	h := hours(t, "9-17")
	c := supportplan.Start("acme", supportplan.Promise{Target: supportplan.Resolve, Within: 4 * time.Hour, Calendar: "9-17"}, kst(t, "2026-11-23 15:00"))
	c.Pause(kst(t, "2026-11-23 16:00"), supportplan.Customer, "waiting for their logs")
	for _, at := range []string{"2026-11-23 16:00", "2026-11-24 12:00", "2026-11-25 20:00"} {
		if left, err := c.Remaining(h, kst(t, at)); left != 3*time.Hour || err != nil {
			t.Errorf("paused, at %s: %s left, %v; want 3h", at, left, err)
		}
	}
	c.Resume(kst(t, "2026-11-25 20:00")) // after hours: it runs on when they open
	got, err := c.Instants(h, 50)
	if err != nil || !got.Due.Equal(kst(t, "2026-11-26 12:00")) || !got.RiskAt.Equal(kst(t, "2026-11-26 10:00")) {
		t.Errorf("at risk %s, due %s, %v", got.RiskAt, got.Due, err)
	}
	if left, err := c.Remaining(h, kst(t, "2026-11-26 14:00")); left != -2*time.Hour || err != nil {
		t.Errorf("overdue: %s left, %v; want -2h", left, err)
	}
}

func TestAPromiseBeyondTheEndOfItsCalendarHasNoDueInstant(t *testing.T) {
	for _, p := range []supportplan.Promise{{Within: 80 * time.Hour, Calendar: "ends"}, {Days: 9, Calendar: "ends"}} {
		for _, at := range []string{"2026-12-23 10:00", "2026-12-26 10:00"} {
			c := supportplan.Start("acme", p, kst(t, at))
			if got, err := c.Instants(hours(t, "ends"), 80); !errors.Is(err, calendar.ErrEnds) {
				t.Errorf("%s from %s: got %+v, %v", p, at, got, err)
			}
		}
	}
}

func TestOnlyPinnedCalendarsAreUsed(t *testing.T) {
	if _, err := supportplan.OpenTimeOf("gone", pinned(), time.LoadLocation); err == nil {
		t.Error("a calendar that was not pinned is open")
	}
	odd := []calendar.Rules{{ID: "odd", Zone: "Nowhere/Land"}}
	if _, err := supportplan.OpenTimeOf("odd", odd, time.LoadLocation); err == nil {
		t.Error("a calendar of no zone is open")
	}
}

// However a clock is paused and resumed, in whatever hours: it has run for exactly its budget when it is due, what is left
// never grows while it runs, and running and remaining time add up to the promise.
func TestAClockInACalendarRunsForExactlyItsBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"", "weekdays", "9-17", "9-17-kr"}).Draw(t, "calendar")
		h := hours(t, id)
		p := supportplan.Promise{Target: supportplan.Resolve, Within: time.Duration(rapid.IntRange(1, 60*60).Draw(t, "minutes")) * time.Minute, Calendar: id}
		if id != "" && rapid.Bool().Draw(t, "in days") {
			p.Within, p.Days = 0, rapid.IntRange(1, 20).Draw(t, "days")
		}
		now := kst(t, "2026-12-18 00:00").Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "start")) * time.Minute)
		c := supportplan.Start("acme", p, now)
		budget, err := c.Remaining(h, now)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 5).Draw(t, "pauses") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "runs")) * time.Minute)
			if at, err := c.Instants(h, 80); err != nil || !now.Before(at.Due) {
				return // due before that: it would not be paused any more
			}
			left, _ := c.Remaining(h, now)
			c.Pause(now, supportplan.Customer, "x")
			now = now.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(t, "stands")) * time.Minute)
			if after, _ := c.Remaining(h, now); after != left {
				t.Fatalf("%s left before the pause, %s after it", left, after)
			}
			c.Resume(now)
		}
		at, err := c.Instants(h, rapid.IntRange(1, 99).Draw(t, "at risk"))
		if err != nil {
			t.Fatal(err)
		}
		if left, err := c.Remaining(h, at.Due); left != 0 || err != nil {
			t.Fatalf("%s left when it is due, %v", left, err)
		}
		if ran := c.Ran(h, at.Due); ran != budget {
			t.Fatalf("ran for %s, want %s", ran, budget)
		}
		if at.RiskAt.After(at.Due) || at.RiskAt.Before(c.Started) {
			t.Fatalf("at risk %s, started %s, due %s", at.RiskAt, c.Started, at.Due)
		}
		if left, _ := c.Remaining(h, at.Due.Add(-time.Nanosecond)); left <= 0 {
			t.Fatalf("%s left before it is due", left)
		}
	})
}

func TestPauseFor(t *testing.T) {
	for _, tc := range []struct {
		name  string
		plan  []supportplan.Cause
		cause supportplan.Cause
		want  bool
	}{
		{"what it names", []supportplan.Cause{supportplan.Customer}, supportplan.Customer, true},
		{"what it does not", []supportplan.Cause{supportplan.Customer}, supportplan.Vendor, false},
		{"nothing said", []supportplan.Cause{supportplan.Customer}, "", false},
		{"nobody", []supportplan.Cause{}, supportplan.Customer, false},
		{"from before it was asked", nil, "", true},
	} {
		if got := (supportplan.Plan{PauseFor: tc.plan}).MayPause(tc.cause); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPromisesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, p := range map[string]supportplan.Promise{
		"4h0m0s": {Priority: priority.P1, Within: 4 * time.Hour}, "1 working day": {Days: 1}, "5 working days in office": {Days: 5, Calendar: "office"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

package calendar_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/calendar"
)

func isEnd(err error) bool { return errors.Is(err, calendar.ErrEnds) }

// places are zones whose clocks are put forward and back by an hour, by half of one, and never; each with days near which
// it happens, and one over which a whole day was left out.
func places() []struct{ zone, day string } {
	return []struct{ zone, day string }{
		{"Europe/London", "2026-03-29"},
		{"Europe/London", "2026-10-25"},
		{"America/Chicago", "2026-03-08"},
		{"America/Chicago", "2026-11-01"},
		{"Australia/Lord_Howe", "2026-04-05"},
		{"Australia/Lord_Howe", "2026-10-04"},
		{"Asia/Seoul", "2026-12-25"},
		{"America/St_Johns", "2010-11-07"},
		{"Pacific/Apia", "2011-12-30"},
	}
}

const (
	watched = 12 // days that the watcher sits before the clock
	minutes = watched * 24 * 60
)

// aCalendar draws a calendar, with its rules, and where the days begin that are watched. Rules that contradict each
// other, or never open, are no case; rapid fails where too few are left.
func aCalendar(t *rapid.T) (*calendar.Calendar, calendar.Rules, time.Time) {
	r, start := someRules(t)
	c, err := calendar.New(r, zone(t, r.Zone))
	if err != nil {
		t.Skip(err)
	}
	return c, r, start
}

// someRules draws rules whose exceptions, holidays and limits lie in the days that are watched, and where these begin.
func someRules(t *rapid.T) (calendar.Rules, time.Time) {
	place := rapid.SampledFrom(places()).Draw(t, "place")
	start := instant(t, place.day+"T00:00:00Z").AddDate(0, 0, -rapid.IntRange(2, 8).Draw(t, "before"))
	day := func(label string) calendar.Date {
		return calendar.DateOf(start) + calendar.Date(rapid.IntRange(-1, watched).Draw(t, label))
	}
	r := calendar.Rules{ID: "drawn", Zone: place.zone}
	for range rapid.IntRange(1, 3).Draw(t, "weekly") {
		r.Weekly = append(r.Weekly, calendar.Weekly{
			Days: rapid.SliceOfNDistinct(rapid.SampledFrom(calendar.Weekdays()), 1, 7, rapid.ID[calendar.Weekday]).Draw(t, "days"), Hours: someHours(t),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "holidays") {
		r.Holidays = append(r.Holidays, day("holiday"))
	}
	for range rapid.IntRange(0, 3).Draw(t, "exceptions") {
		e := calendar.Exception{Date: day("exception")}
		for range rapid.IntRange(0, 2).Draw(t, "number") {
			e.Hours = append(e.Hours, someHours(t))
		}
		r.Exceptions = append(r.Exceptions, e)
	}
	if rapid.Bool().Draw(t, "begins") {
		r.From = day("from")
	}
	if rapid.Bool().Draw(t, "ends") {
		r.Until = day("until")
	}
	return r, start
}

// someHours are whole days, hours near the changes of clocks, and others.
func someHours(t *rapid.T) calendar.Hours {
	near := rapid.OneOf(rapid.IntRange(0, 24*60-1), rapid.IntRange(0, 3*60), rapid.Just(0))
	from := calendar.TimeOfDay(near.Draw(t, "opens"))
	to := calendar.TimeOfDay(rapid.OneOf(near, rapid.Just(24*60)).Draw(t, "closes"))
	return calendar.Hours{From: from, To: to}
}

// A watcher sits before the clock on the wall, looks at it once a minute, and knows from what it has shown so far whether
// the calendar is open.
type watcher struct {
	start time.Time
	open  [minutes]bool
	until [minutes + 1]int // open minutes before each
}

func watch(r calendar.Rules, zone *time.Location, start time.Time) *watcher {
	w := &watcher{start: start}
	type span struct{ from, to time.Time }
	var opens []span // on the wall, as if that were in UTC
	special := map[calendar.Date][]calendar.Hours{}
	for _, h := range r.Holidays {
		special[h] = nil
	}
	for _, e := range r.Exceptions {
		special[e.Date] = e.Hours
	}
	for at := start.AddDate(0, 0, -4); at.Before(start.AddDate(0, 0, watched+4)); at = at.AddDate(0, 0, 1) {
		day := calendar.DateOf(at)
		if day < r.From || r.Until != 0 && day > r.Until {
			continue
		}
		all, isSpecial := special[day]
		for _, w := range r.Weekly {
			for _, d := range w.Days {
				if !isSpecial && string(d) == map[time.Weekday]string{0: "sun", 1: "mon", 2: "tue", 3: "wed", 4: "thu", 5: "fri", 6: "sat"}[at.Weekday()] {
					all = append(all, w.Hours)
				}
			}
		}
		for _, h := range all {
			from, to := at.Add(time.Duration(h.From)*time.Minute), at.Add(time.Duration(h.To)*time.Minute)
			if !to.After(from) {
				to = to.AddDate(0, 0, 1)
			}
			opens = append(opens, span{from, to})
		}
	}
	var reached time.Time // the latest that the clock has shown
	for n := -3 * 24 * 60; n < minutes; n++ {
		at := start.Add(time.Duration(n) * time.Minute).In(zone)
		shown := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
		if shown.After(reached) {
			reached = shown
		}
		if n < 0 {
			continue
		}
		for _, s := range opens {
			w.open[n] = w.open[n] || !reached.Before(s.from) && reached.Before(s.to)
		}
		w.until[n+1] = w.until[n]
		if w.open[n] {
			w.until[n+1]++
		}
	}
	return w
}

func (w *watcher) at(n int) time.Time { return w.start.Add(time.Duration(n) * time.Minute) }

// TestAgreesWithWatchingTheClock compares every operation with somebody who looks at the clock on the wall once a minute.
func TestAgreesWithWatchingTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r, start := aCalendar(t)
		z := zone(t, r.Zone)
		w := watch(r, z, start)
		for n := range minutes {
			if got := c.Open(w.at(n)); n%7 == 0 && got != w.open[n] {
				t.Fatalf("at %s: open is %t", w.at(n).In(z), got)
			}
		}
		for range 20 {
			a := rapid.IntRange(0, minutes-1).Draw(t, "a")
			b := rapid.IntRange(a, minutes-1).Draw(t, "b")
			worked := w.until[b] - w.until[a]
			if got := c.Between(w.at(a), w.at(b)); got != time.Duration(worked)*time.Minute {
				t.Fatalf("from %s to %s: got %s, want %d minutes", w.at(a).In(z), w.at(b).In(z), got, worked)
			}
			// The first minute at which so much has been worked.
			want := b
			for want > a && w.until[want-1]-w.until[a] == worked {
				want--
			}
			if got, err := c.Add(w.at(a), time.Duration(worked)*time.Minute); err != nil || !got.Equal(w.at(want)) {
				t.Fatalf("%d minutes after %s: got %s, %v, want %s", worked, w.at(a).In(z), got, err, w.at(want).In(z))
			}
			next := a
			for next < minutes && !w.open[next] {
				next++
			}
			got, opens := c.NextOpen(w.at(a))
			if next < minutes && (!opens || !got.Equal(w.at(next))) || next == minutes && opens && got.Before(w.at(minutes)) {
				t.Fatalf("after %s: opens %t at %s, want %s", w.at(a).In(z), opens, got, w.at(next).In(z))
			}
		}
	})
}

// TestAlgebra holds the operations against one another, to the nanosecond and far away.
func TestAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _, start := aCalendar(t)
		durations := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(300*time.Hour)).Draw(t, "ns")).Truncate(
				rapid.SampledFrom([]time.Duration{1, time.Second, time.Hour}).Draw(t, "unit"))
		})
		from, a, b := start.Add(durations.Draw(t, "from")), durations.Draw(t, "a"), durations.Draw(t, "b")
		sum, err := c.Add(from, a+b)
		if err != nil { // one minute a week makes 300 h of it longer than any calendar looks ahead
			if !isEnd(err) {
				t.Fatal(err)
			}
			return
		}
		first := add(t, c, from, a)
		if got := c.Between(from, first); got != a {
			t.Errorf("between %s and %s later: %s", from, a, got)
		}
		if got := add(t, c, first, b); !got.Equal(sum) {
			t.Errorf("%s and then %s after %s is %s, together %s", a, b, from, got, sum)
		}
		if first.Before(from) || sum.Before(first) {
			t.Errorf("%s after %s is %s, and %s more %s", a, from, first, b, sum)
		}
		if a > 0 && !c.Open(first.Add(-1)) {
			t.Errorf("%s after %s is %s, before which it is closed", a, from, first)
		}
		if later, err := c.Add(from.Add(b), a); err == nil && later.Before(first) {
			t.Errorf("who starts %s later is sooner done: %s, not %s", b, later, first)
		}
		if got := c.Between(from, from.Add(a)) + c.Between(from.Add(a), from.Add(a+b)); got != c.Between(from, from.Add(a+b)) {
			t.Errorf("in two parts %s, at once %s", got, c.Between(from, from.Add(a+b)))
		}
	})
}

func add(t *rapid.T, c *calendar.Calendar, from time.Time, d time.Duration) time.Time {
	t.Helper()
	at, err := c.Add(from, d)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestDaysAlgebra counts working days one by one and all at once.
func TestDaysAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, r, start := aCalendar(t)
		from := start.Add(time.Duration(rapid.IntRange(0, minutes).Draw(t, "from")) * time.Minute)
		n := rapid.IntRange(0, 20).Draw(t, "n")
		got, err := c.AddDays(from, n)
		if err != nil {
			if r.Until == 0 || !isEnd(err) {
				t.Fatal(err)
			}
			return
		}
		before, err := c.AddDays(from, max(n-1, 0))
		if err != nil || before.After(got) || n > 0 && !before.Before(got) {
			t.Errorf("%d days after %s is %s, one less %s, %v", n, from, got, before, err)
		}
		if !c.Open(got) && !c.Open(got.Add(-1)) {
			t.Errorf("%d days after %s is %s, when it is closed", n, from, got)
		}
	})
}

// FuzzCalendar takes any rules as they may be kept anywhere: they are refused, or every operation comes to an end and to
// what the others say.
func FuzzCalendar(f *testing.F) {
	for _, p := range places() {
		r := seoul(f)
		r.Zone = p.zone
		kept, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kept, instant(f, p.day+"T00:00:00Z").Unix(), int64(80*time.Hour))
	}
	f.Add([]byte(`{"id":"x","zone":"UTC","exceptions":[{"date":"9999-12-31","hours":[{"from":"23:59","to":"24:00"}]}]}`), int64(0), int64(1))
	f.Add([]byte(`{"id":"x","zone":"UTC","weekly":[{"days":["sun"],"from":"00:00","to":"00:01"}],"from":"9000-01-01"}`), int64(-1<<62), int64(1<<62))
	f.Fuzz(func(t *testing.T, kept []byte, unix, d int64) {
		var r calendar.Rules
		if err := json.Unmarshal(kept, &r); err != nil {
			return
		}
		z, err := time.LoadLocation(r.Zone)
		if err != nil {
			return
		}
		c, err := calendar.New(r, z)
		if err != nil {
			return
		}
		from := time.Unix(unix%(1<<38), 0) // 8,700 years either way
		next, opens := c.NextOpen(from)
		if opens && (next.Before(from) || !c.Open(next) || c.Open(from) != next.Equal(from)) {
			t.Errorf("next open after %s: %s", from, next)
		}
		if got := c.Between(from, next); opens && got != 0 {
			t.Errorf("open for %s until it opens", got)
		}
		if at, err := c.Add(from, time.Duration(d)); err == nil && c.Between(from, at) != time.Duration(d) {
			t.Errorf("%s after %s is %s, and between them lies %s", time.Duration(d), from, at, c.Between(from, at))
		}
		if at, err := c.AddDays(from, int(d%100)); err == nil && at.Before(from) {
			t.Errorf("%d days after %s is %s", d%100, from, at)
		}
	})
}

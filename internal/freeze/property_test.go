package freeze_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/freeze"
	"muster/internal/oncall"
)

// places are zones whose clocks are put forward and back by an hour, by half of one, and never; each with days near which it
// happens, or a month or year ends.
func places() []struct{ zone, day string } {
	return []struct{ zone, day string }{
		{"Europe/London", "2026-03-29"},
		{"Europe/London", "2026-10-25"},
		{"America/Chicago", "2026-03-08"},
		{"America/Chicago", "2026-11-01"},
		{"Australia/Lord_Howe", "2026-04-05"},
		{"Australia/Lord_Howe", "2026-10-04"},
		{"Asia/Seoul", "2026-12-31"},
		{"Asia/Seoul", "2028-02-29"},
		{"America/St_Johns", "2010-11-07"}, // put back just after midnight: it shows yesterday again
		{"Pacific/Apia", "2011-12-30"},     // left out
	}
}

const (
	watched = 10 // days that the watcher sits before the clocks
	minutes = watched * 24 * 60
	before  = 3 // days before in which something may have begun
)

// A drawing has rules, overrides of them, and where the days begin that are watched.
type drawing struct {
	freeze.Rules

	overrides []freeze.Override
	start     time.Time
}

func draw(t *rapid.T) drawing {
	place := rapid.SampledFrom(places()).Draw(t, "place")
	d := drawing{start: instant(t, place.day+"T00:00:00Z").AddDate(0, 0, -rapid.IntRange(2, 7).Draw(t, "before"))}
	zone := func() string {
		return rapid.OneOf(rapid.Just(place.zone), rapid.Map(rapid.SampledFrom(places()), func(p struct{ zone, day string }) string { return p.zone })).Draw(t, "zone")
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "windows") {
		d.Windows = append(d.Windows, freeze.Window{ID: fmt.Sprint("w", n), When: someTimes(t, zone(), d.start)})
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "freezes") {
		d.Freezes = append(d.Freezes, freeze.Freeze{ID: fmt.Sprint("f", n), When: someTimes(t, zone(), d.start)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "overrides") {
		from := d.start.Add(time.Duration(rapid.IntRange(-60, minutes).Draw(t, "overridden from")) * time.Minute)
		d.overrides = append(d.overrides, freeze.Override{
			Freeze: rapid.SampledFrom([]string{"", "f0", "f1"}).Draw(t, "overridden"), From: from,
			Until: from.Add(time.Duration(rapid.IntRange(0, 2*24*60).Draw(t, "overridden for")) * time.Minute),
		})
	}
	return d
}

func someTimes(t *rapid.T, zone string, start time.Time) freeze.When {
	day := func(label string) calendar.Date {
		return calendar.DateOf(start) + calendar.Date(rapid.IntRange(-1, watched).Draw(t, label))
	}
	w := freeze.When{Zone: zone}
	for range rapid.IntRange(1, 2).Draw(t, "patterns") {
		p := freeze.Pattern{Hours: someHours(t)}
		switch rapid.IntRange(0, 2).Draw(t, "of") {
		case 0:
			p.Days = rapid.SliceOfNDistinct(rapid.SampledFrom(calendar.Weekdays()), 1, 7, rapid.ID[calendar.Weekday]).Draw(t, "days")
		case 1:
			m := freeze.MonthDay{N: rapid.SampledFrom([]int{-1, 1, 2, 3, 4}).Draw(t, "n"), Weekday: rapid.SampledFrom(calendar.Weekdays()).Draw(t, "weekday")}
			p.Monthly = []freeze.MonthDay{m, {N: rapid.SampledFrom([]int{-1, 1, 8, 29, 31}).Draw(t, "day of month")}}
		case 2:
			p.Dates = calendar.Dates{day("date")}
		}
		w.Patterns = append(w.Patterns, p)
	}
	if rapid.IntRange(0, 2).Draw(t, "yearly") == 0 {
		w.Yearly = []freeze.Yearly{{From: yearDay(t, day("first of the year")), To: yearDay(t, day("last of the year"))}}
	}
	if rapid.IntRange(0, 2).Draw(t, "holidays") == 0 {
		w.Holidays = calendar.Dates{day("holiday")}
	}
	if rapid.IntRange(0, 1).Draw(t, "period") == 0 {
		from := start.Add(time.Duration(rapid.IntRange(-60, minutes).Draw(t, "begins")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 3*24*60).Draw(t, "lasts")) * time.Minute)
		w.Periods = []freeze.Period{{From: wall(t, from), To: wall(t, to), Zone: rapid.SampledFrom([]string{"", "UTC", "America/Chicago"}).Draw(t, "of zone")}}
	}
	if rapid.Bool().Draw(t, "has a first day") {
		w.From = day("from")
	}
	if rapid.Bool().Draw(t, "has a last day") {
		w.Until = max(w.From, day("until"))
	}
	return w
}

// someHours are whole days, hours near the changes of clocks, and others.
func someHours(t *rapid.T) calendar.Hours {
	near := rapid.OneOf(rapid.IntRange(0, 24*60-1), rapid.IntRange(0, 3*60), rapid.Just(0))
	from := near.Draw(t, "opens")
	to := rapid.OneOf(near, rapid.Just(24*60)).Filter(func(to int) bool { return to != from }).Draw(t, "closes")
	return calendar.Hours{From: calendar.TimeOfDay(from), To: calendar.TimeOfDay(to)}
}

func yearDay(t fatal, d calendar.Date) freeze.YearDay {
	day, err := freeze.ParseYearDay(d.String()[len("2026-"):])
	return must(t, day, err)
}

func wall(t fatal, shown time.Time) oncall.WallTime {
	w, err := oncall.ParseWallTime(shown.Format("2006-01-02 15:04"))
	return must(t, w, err)
}

// A watcher sits before the clocks on the wall of several zones, looks at them once a minute, and knows from what they have
// shown so far what holds.
type watcher struct {
	drawing

	reached map[string][]time.Time // the latest that each clock has shown in every minute, as if the wall were in UTC
}

func watch(t fatal, d drawing) *watcher {
	w := &watcher{drawing: d, reached: map[string][]time.Time{}}
	zones := []string{"UTC"}
	for _, p := range places() {
		zones = append(zones, p.zone)
	}
	for _, name := range zones {
		z, err := time.LoadLocation(name)
		must(t, z, err)
		var latest time.Time
		w.reached[name] = make([]time.Time, minutes)
		for n := -before * 24 * 60; n < minutes; n++ {
			at := d.start.Add(time.Duration(n) * time.Minute).In(z)
			shown := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
			if shown.After(latest) {
				latest = shown
			}
			if n >= 0 {
				w.reached[name][n] = latest
			}
		}
	}
	return w
}

// holds tells for every minute whether any of the times holds.
func (w *watcher) holds(when freeze.When) (held [minutes]bool) {
	mark := func(zone string, from, to time.Time) {
		for n, shown := range w.reached[zone] {
			held[n] = held[n] || !shown.Before(from) && shown.Before(to)
		}
	}
	for day := w.start.AddDate(0, 0, -before); day.Before(w.start.AddDate(0, 0, watched+2)); day = day.AddDate(0, 0, 1) {
		if d := calendar.DateOf(day); d < when.From || when.Until != 0 && d > when.Until {
			continue
		}
		for _, p := range when.Patterns {
			from, to := day.Add(time.Duration(p.From)*time.Minute), day.Add(time.Duration(p.To)*time.Minute)
			if !to.After(from) {
				to = to.AddDate(0, 0, 1)
			}
			if names(p, day) {
				mark(when.Zone, from, to)
			}
		}
		for _, h := range when.Holidays {
			if h == calendar.DateOf(day) {
				mark(when.Zone, day, day.AddDate(0, 0, 1))
			}
		}
		for _, y := range when.Yearly {
			if within(y, day) {
				mark(when.Zone, day, day.AddDate(0, 0, 1))
			}
		}
	}
	for _, p := range when.Periods {
		zone := when.Zone
		if p.Zone != "" {
			zone = p.Zone
		}
		mark(zone, p.From.In(time.UTC), p.To.In(time.UTC))
	}
	return held
}

// names looks through the whole month to tell the how many-th such weekday a day is.
func names(p freeze.Pattern, day time.Time) bool {
	short := func(at time.Time) string {
		return map[time.Weekday]string{0: "sun", 1: "mon", 2: "tue", 3: "wed", 4: "thu", 5: "fri", 6: "sat"}[at.Weekday()]
	}
	nth, left := 0, 0
	for at := day; at.Month() == day.Month(); at = at.AddDate(0, 0, -1) {
		if at.Weekday() == day.Weekday() {
			nth++
		}
	}
	for at := day; at.Month() == day.Month(); at = at.AddDate(0, 0, 1) {
		if at.Weekday() == day.Weekday() {
			left++
		}
	}
	for _, d := range p.Days {
		if string(d) == short(day) {
			return true
		}
	}
	for _, d := range p.Dates {
		if d == calendar.DateOf(day) {
			return true
		}
	}
	for _, m := range p.Monthly {
		ofWeekday := string(m.Weekday) == short(day) && (m.N == nth || m.N == -1 && left == 1)
		ofMonth := m.Weekday == "" && (m.N == day.Day() || m.N == -1 && day.AddDate(0, 0, 1).Day() == 1)
		if ofWeekday || ofMonth {
			return true
		}
	}
	return false
}

// within goes through the year from the first day to the last, and looks whether it comes by.
func within(y freeze.Yearly, day time.Time) bool {
	of := func(at time.Time) freeze.YearDay { return freeze.YearDay(int(at.Month())*100 + at.Day()) }
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) // a leap year has all days
	for of(at) != y.From {
		at = at.AddDate(0, 0, 1)
	}
	for ; of(at) != of(day); at = at.AddDate(0, 0, 1) {
		if of(at) == y.To {
			return false
		}
		if at.Month() == 12 && at.Day() == 31 {
			at = time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC)
		}
	}
	return true
}

func (w *watcher) at(n int) time.Time { return w.start.Add(time.Duration(n) * time.Minute) }

// open tells for every minute whether changes may run.
func (w *watcher) open() (open [minutes]bool) {
	overridden := func(freeze string, n int) bool {
		for _, o := range w.overrides {
			if o.Freeze == freeze && !w.at(n).Before(o.From) && w.at(n).Before(o.Until) {
				return true
			}
		}
		return false
	}
	for n := range open {
		open[n] = len(w.Windows) == 0 || overridden("", n)
	}
	for _, x := range w.Windows {
		for n, held := range w.holds(x.When) {
			open[n] = open[n] || held
		}
	}
	for _, x := range w.Freezes {
		for n, held := range w.holds(x.When) {
			open[n] = open[n] && (!held || overridden(x.ID, n))
		}
	}
	return open
}

// TestAgreesWithWatchingTheClocks compares every operation with somebody who looks at the clocks once a minute.
func TestAgreesWithWatchingTheClocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		times, err := freeze.New(d.Rules, d.overrides, time.LoadLocation)
		must(t, times, err)
		w := watch(t, d)
		open := w.open()
		for _, to := range []int{minutes, rapid.IntRange(1, minutes).Draw(t, "to")} {
			var between [minutes]bool
			for _, s := range times.Between(w.at(0), w.at(to)) {
				for n := range between {
					between[n] = between[n] || !w.at(n).Before(s.From) && w.at(n).Before(s.To)
				}
			}
			for n := range to {
				if between[n] != open[n] {
					t.Fatalf("at %s: open is %t in the time until %s", w.at(n), between[n], w.at(to))
				}
			}
		}
		for range 10 {
			a := rapid.IntRange(0, minutes-1).Draw(t, "a")
			if got, why := times.Open(w.at(a)); got != open[a] {
				t.Fatalf("at %s: open is %t: %s", w.at(a), got, said(why))
			}
			close := a
			for close < minutes && open[close] {
				close++
			}
			until, isOpen := times.CloseAt(w.at(a))
			if isOpen != open[a] || close < minutes && isOpen && !until.Equal(w.at(close)) || close == minutes && !until.IsZero() && until.Before(w.at(minutes)) {
				t.Fatalf("at %s: closes %s, %t, want %s", w.at(a), until, isOpen, w.at(close))
			}
			need := rapid.IntRange(0, 8*60).Draw(t, "need")
			want, run := -1, 0
			for n := a; n < minutes && want < 0; n++ {
				run++
				if !open[n] {
					run = 0
				}
				if run > 0 && run >= need {
					want = n - run + 1
				}
			}
			next, opens := times.NextOpen(w.at(a), time.Duration(need)*time.Minute)
			if want >= 0 && (!opens || !next.Equal(w.at(want))) || want < 0 && opens && next.Before(w.at(minutes-need)) {
				t.Fatalf("%d minutes after %s: next open %s, %t, want %s", need, w.at(a), next, opens, w.at(want))
			}
		}
	})
}

// FuzzTimes takes any rules as they may be kept anywhere: they are refused, or every operation comes to an end and to what the
// others say.
func FuzzTimes(f *testing.F) {
	f.Add([]byte(shop), instant(f, "2026-12-29T22:00:00+09:00").Unix(), int64(time.Hour))
	for _, p := range places() {
		f.Add([]byte(`{"windows":[{"id":"w","name":"w","zone":"`+p.zone+`","patterns":[{"monthly":["last sun","day 1"],"from":"01:30","to":"01:10"}]}]}`),
			instant(f, p.day+"T00:00:00Z").Unix(), int64(90*time.Minute))
	}
	f.Add([]byte(`{"freezes":[{"id":"f","zone":"UTC","periods":[{"from":"0001-01-01 00:00","to":"9999-12-31 23:59"}]}]}`), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, kept []byte, unix, need int64) {
		var r freeze.Rules
		if err := json.Unmarshal(kept, &r); err != nil {
			return
		}
		times, err := freeze.New(r, nil, time.LoadLocation)
		if err != nil {
			return
		}
		at := time.Unix(unix%(1<<38), 0) // 8,700 years either way
		open, why := times.Open(at)
		until, closes := times.CloseAt(at)
		next, opens := times.NextOpen(at, 0)
		if open != closes || open != (opens && next.Equal(at)) || closes && !until.IsZero() && !until.After(at) {
			t.Errorf("at %s: open %t (%s), closes %s, %t, next %s", at, open, said(why), until, closes, next)
		}
		if next, opens := times.NextOpen(at, time.Duration(need)); opens {
			if again, _ := times.NextOpen(next, time.Duration(need)); !again.Equal(next) {
				t.Errorf("%s after %s it is %s, after that %s", time.Duration(need), at, next, again)
			}
			if until, ok := times.CloseAt(next); !ok || !until.IsZero() && until.Sub(next) < time.Duration(need) {
				t.Errorf("next open at %s for %s, and closes at %s", next, time.Duration(need), until)
			}
		}
	})
}

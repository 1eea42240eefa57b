package oncall_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// places are zones whose clocks are put forward and back by an hour, by half of one, over midnight, and never; one left out a
// whole day.
func places(t testing.TB) []place {
	return []place{
		{zone(t, "Europe/London"), []string{"2026-03-29", "2026-10-25"}},
		{zone(t, "America/Chicago"), []string{"2026-03-08", "2026-11-01"}},
		{zone(t, "Australia/Lord_Howe"), []string{"2026-04-05", "2026-10-04"}},
		{zone(t, "Asia/Seoul"), []string{"2026-12-31"}},
		{zone(t, "America/St_Johns"), []string{"2010-03-14", "2010-11-07"}},
		{zone(t, "Pacific/Apia"), []string{"2011-12-30"}},
		{zone(t, "Asia/Pyongyang"), []string{"2015-08-15", "2018-05-05"}},
	}
}

type place struct {
	zone *time.Location
	days []string // on which the clock changes
}

const (
	watched = 10 // days
	wallFmt = "2006-01-02 15:04"
)

// aSchedule draws a schedule and the day before whose change of the clock the watch begins.
func aSchedule(t *rapid.T, all []place) (*oncall.Schedule, time.Time) {
	at := rapid.SampledFrom(all).Draw(t, "place")
	changes, err := time.Parse(time.DateOnly, rapid.SampledFrom(at.days).Draw(t, "day"))
	if err != nil {
		t.Fatal(err)
	}
	from := changes.AddDate(0, 0, -rapid.IntRange(1, 6).Draw(t, "before"))
	s := &oncall.Schedule{Zone: at.zone}
	for range rapid.IntRange(1, 3).Draw(t, "layers") {
		s.Layers = append(s.Layers, aLayer(t, all, from))
	}
	for range rapid.IntRange(0, 4).Draw(t, "overrides") {
		s.Overrides = append(s.Overrides, anOverride(t, from))
	}
	return s, from
}

func aLayer(t *rapid.T, all []place, from time.Time) oncall.Layer {
	near := rapid.OneOf(rapid.IntRange(0, 24*60-1), rapid.IntRange(0, 3*60), rapid.Just(0))
	start := from.AddDate(0, 0, rapid.OneOf(rapid.IntRange(-40, 6), rapid.IntRange(-2000, 0)).Draw(t, "start")).
		Add(time.Duration(near.Draw(t, "minute")) * time.Minute)
	unit := rapid.SampledFrom([]oncall.Unit{oncall.Hours, oncall.Days, oncall.Weeks, oncall.Months}).Draw(t, "unit")
	most := map[oncall.Unit]int{oncall.Hours: 50, oncall.Days: 9, oncall.Weeks: 3, oncall.Months: 4}[unit]
	l := oncall.Layer{Rotation: oncall.Rotation{
		Start: wall(t, start.Format(wallFmt)), Shift: oncall.Length{N: rapid.OneOf(rapid.Just(1), rapid.IntRange(1, most)).Draw(t, "n"), Unit: unit},
	}}
	for range rapid.IntRange(1, 4).Draw(t, "slots") {
		l.Rotation.People = append(l.Rotation.People,
			rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 2, rapid.ID[string]).Draw(t, "together"))
	}
	if rapid.Bool().Draw(t, "ends") {
		until := from.AddDate(0, 0, rapid.IntRange(-3, watched).Draw(t, "until")).Add(time.Duration(near.Draw(t, "minute")) * time.Minute)
		l.Until = wall(t, until.Format(wallFmt))
	}
	if rapid.Bool().Draw(t, "restricted") {
		l.During = aCalendar(t, rapid.SampledFrom(all).Draw(t, "zone").zone, from)
	}
	return l
}

func aCalendar(t *rapid.T, zone *time.Location, from time.Time) *calendar.Calendar {
	r := calendar.Rules{ID: "drawn", Zone: zone.String()}
	opens := calendar.TimeOfDay(rapid.IntRange(0, 24*60-1).Draw(t, "opens"))
	closes := calendar.TimeOfDay(rapid.IntRange(0, 24*60).Draw(t, "closes"))
	if opens == closes {
		opens, closes = 0, 24*60
	}
	days := rapid.SliceOfNDistinct(rapid.SampledFrom(calendar.Weekdays()), 1, 7, rapid.ID[calendar.Weekday]).Draw(t, "days")
	r.Weekly = []calendar.Weekly{{Days: days, Hours: calendar.Hours{From: opens, To: closes}}}
	if rapid.Bool().Draw(t, "holiday") {
		r.Holidays = []calendar.Date{calendar.DateOf(from) + calendar.Date(rapid.IntRange(0, watched).Draw(t, "on"))}
	}
	c, err := calendar.New(r, zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func anOverride(t *rapid.T, from time.Time) oncall.Override {
	const span = int64(watched * 24 * time.Hour)
	begin := from.Add(time.Duration(rapid.Int64Range(-span/4, span).Draw(t, "begin")))
	person := rapid.SampledFrom([]string{"a", "b", "c", "x", "y"})
	return oncall.Override{
		From: begin, To: begin.Add(time.Duration(rapid.Int64Range(1, span/2).Draw(t, "length"))),
		Change: rapid.SampledFrom([]oncall.Change{oncall.Replace, oncall.Substitute, oncall.Add, oncall.Remove}).Draw(t, "change"),
		Person: person.Draw(t, "person"), InsteadOf: person.Draw(t, "instead of"),
	}
}

// A watcher sits before the wall clock, looks at it once a minute, and crosses off what it shows for the first time.
type watcher struct {
	*oncall.Schedule

	layers []*watchedLayer
}

type watchedLayer struct {
	oncall.Layer

	zone  *time.Location
	start time.Time // as if the wall were in UTC
	begun int       // shifts
	ended bool
}

func newWatcher(t *rapid.T, s *oncall.Schedule) *watcher {
	w := &watcher{Schedule: s}
	for _, l := range s.Layers {
		start, err := time.Parse(wallFmt, l.Rotation.Start.String())
		if err != nil {
			t.Fatal(err)
		}
		w.layers = append(w.layers, &watchedLayer{Layer: l, zone: s.Zone, start: start})
	}
	return w
}

// see looks at the clock: a minute after it did so last.
func (w *watcher) see(at time.Time) []string {
	var on []string
	for _, l := range w.layers {
		if of := l.see(at); len(of) > 0 {
			on = of
		}
	}
	for _, o := range w.Overrides {
		if !at.Before(o.From) && at.Before(o.To) {
			on = after(o, on)
		}
	}
	return on
}

func (l *watchedLayer) see(at time.Time) []string {
	shown := at.In(l.zone).Format(wallFmt)
	for l.reached(at, shown) {
		l.begun++
	}
	l.ended = l.ended || !l.Until.IsZero() && shown >= l.Until.String()
	if l.begun == 0 || l.ended || l.During != nil && !l.During.Open(at) {
		return nil
	}
	return l.Rotation.People[(l.begun-1)%len(l.Rotation.People)]
}

// reached tells whether the shift after those that have begun begins now, or has begun while nobody looked.
func (l *watchedLayer) reached(at time.Time, shown string) bool {
	n := l.begun * l.Rotation.Shift.N
	next := l.start
	switch l.Rotation.Shift.Unit {
	case oncall.Hours:
		if hours := l.Rotation.Shift.N; 24%hours != 0 && hours%24 != 0 {
			return !at.Before(l.Rotation.Start.In(l.zone).Add(time.Duration(n) * time.Hour))
		}
		next = l.start.Add(time.Duration(n) * time.Hour)
	case oncall.Days:
		next = l.start.AddDate(0, 0, n)
	case oncall.Weeks:
		next = l.start.AddDate(0, 0, 7*n)
	case oncall.Months:
		for day := l.start.Day(); ; day-- { // the last day that there is
			next = time.Date(l.start.Year(), l.start.Month()+time.Month(n), day, l.start.Hour(), l.start.Minute(), 0, 0, time.UTC)
			if next.Day() == day {
				break
			}
		}
	}
	return shown >= next.Format(wallFmt)
}

// after says who is on call after an override.
func after(o oncall.Override, on []string) (changed []string) {
	if o.Change == oncall.Replace {
		return []string{o.Person}
	}
	for _, p := range on {
		switch {
		case o.Change == oncall.Remove && p == o.Person:
			continue
		case o.Change == oncall.Substitute && p == o.InsteadOf:
			p = o.Person
		}
		if !slices.Contains(changed, p) {
			changed = append(changed, p)
		}
	}
	if o.Change == oncall.Add && !slices.Contains(changed, o.Person) {
		changed = append(changed, o.Person)
	}
	return changed
}

// TestAgreesWithWatchingTheClock compares At and Shifts with somebody who sits before the wall clock for days.
func TestAgreesWithWatchingTheClock(t *testing.T) {
	all := places(t)
	rapid.Check(t, func(t *rapid.T) {
		s, from := aSchedule(t, all)
		to := from.AddDate(0, 0, watched)
		shifts := s.Shifts(from, to)
		w := newWatcher(t, s)
		// Where the watch begins within an hour that the clock shows twice, it has missed the first.
		for at := from.AddDate(0, 0, -2); at.Before(from); at = at.Add(time.Minute) {
			w.see(at)
		}
		n := 0
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			for !at.Before(shifts[n].To) {
				n++
			}
			want := w.see(at)
			if got := s.At(at); !slices.Equal(got, want) {
				t.Fatalf("at %s: got %q, want %q", at.In(s.Zone), got, want)
			}
			if got := shifts[n].People; !slices.Equal(got, want) {
				t.Fatalf("shifts: at %s: got %q, want %q", at.In(s.Zone), got, want)
			}
		}
	})
}

// TestShiftsHaveNoHoleAndNoOverlap holds the edges of shifts against At, to the nanosecond.
func TestShiftsHaveNoHoleAndNoOverlap(t *testing.T) {
	all := places(t)
	rapid.Check(t, func(t *rapid.T) {
		s, from := aSchedule(t, all)
		from = from.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "from")))
		to := from.Add(time.Duration(rapid.Int64Range(1, int64(watched*24*time.Hour)).Draw(t, "for")))
		end := from
		var last []string
		for n, f := range s.Shifts(from, to) {
			if !f.From.Equal(end) || !f.From.Before(f.To) {
				t.Fatalf("shift %d begins at %s and ends at %s, the one before ended at %s", n, f.From, f.To, end)
			}
			if n > 0 && slices.Equal(f.People, last) {
				t.Fatalf("shift %d: %q hand over to themselves", n, last)
			}
			for _, at := range []time.Time{f.From, f.From.Add(f.To.Sub(f.From) / 2), f.To.Add(-1)} {
				if got := s.At(at); !slices.Equal(got, f.People) {
					t.Fatalf("at %s: got %q, want %q", at, got, f.People)
				}
			}
			end, last = f.To, f.People
		}
		if !end.Equal(to) {
			t.Fatalf("the shifts end at %s, not at %s", end, to)
		}
	})
}

// TestNextGapsAndCurrentAgreeWithShifts compares with a search through the list of all shifts.
func TestNextGapsAndCurrentAgreeWithShifts(t *testing.T) {
	all := places(t)
	rapid.Check(t, func(t *rapid.T) {
		s, from := aSchedule(t, all)
		at := from.Add(time.Duration(rapid.Int64Range(0, int64(watched*24*time.Hour)).Draw(t, "at")))
		begin, end := at.Add(-oncall.Horizon), at.Add(oncall.Horizon)
		shifts := s.Shifts(begin, end)
		var gaps []oncall.Shift
		var current oncall.Shift
		next, found := oncall.Shift{}, false
		person, nextOf, foundOf := "a", oncall.Shift{}, false
		on := false // the person, so far
		for _, f := range shifts {
			if len(f.People) == 0 {
				gaps = append(gaps, f)
			}
			open := f
			if !f.From.After(begin) {
				open.From = time.Time{}
			}
			if !f.To.Before(end) {
				open.To = time.Time{}
			}
			if !at.Before(f.From) && at.Before(f.To) {
				current = open
			}
			if !found && f.From.After(at) && len(f.People) > 0 {
				next, found = open, true
			}
			was := on
			on = slices.Contains(f.People, person)
			switch {
			case foundOf && on && nextOf.To.Equal(f.From):
				nextOf.To = open.To
			case !foundOf && on && !was && f.From.After(at):
				nextOf, foundOf = oncall.Shift{From: f.From, To: open.To, People: []string{person}}, true
			}
		}
		if diff := cmp.Diff(gaps, s.Gaps(begin, end)); diff != "" {
			t.Fatal("gaps", diff)
		}
		if diff := cmp.Diff(current, s.Current(at)); diff != "" {
			t.Fatal("current", diff)
		}
		if got, ok := s.Next(at); ok != found || !cmp.Equal(got, next) {
			t.Fatalf("next: got %v, want %v", got, next)
		}
		if got, ok := s.NextOf(person, at); ok != foundOf || !cmp.Equal(got, nextOf) {
			t.Fatalf("next of %s: got %v, want %v", person, got, nextOf)
		}
	})
}

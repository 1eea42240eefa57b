package oncall_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"pgregory.net/rapid"

	"muster/internal/oncall"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func wall(t fatal, s string) oncall.WallTime {
	w, err := oncall.ParseWallTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// fatal is what a test and a property have in common.
type fatal interface{ Fatal(args ...any) }

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWallTimeIn(t *testing.T) {
	for _, tt := range []struct{ zone, wall, want, why string }{
		{"Asia/Seoul", "2026-11-02 09:00", "2026-11-02T09:00:00+09:00", "no daylight saving time"},
		{"UTC", "2026-11-02 09:00", "2026-11-02T09:00:00Z", "no zone changes at all"},
		{"Europe/London", "2026-03-29 00:59", "2026-03-29T00:59:00Z", "the minute before the clock is put forward"},
		{"Europe/London", "2026-03-29 01:00", "2026-03-29T02:00:00+01:00", "never shown: the jump"},
		{"Europe/London", "2026-03-29 01:30", "2026-03-29T02:00:00+01:00", "never shown: the jump"},
		{"Europe/London", "2026-03-29 02:00", "2026-03-29T02:00:00+01:00", "shown at the jump"},
		{"Europe/London", "2026-10-25 00:59", "2026-10-25T00:59:00+01:00", "shown once"},
		{"Europe/London", "2026-10-25 01:00", "2026-10-25T01:00:00+01:00", "shown twice: the first"},
		{"Europe/London", "2026-10-25 01:30", "2026-10-25T01:30:00+01:00", "shown twice: the first"},
		{"Europe/London", "2026-10-25 02:00", "2026-10-25T02:00:00Z", "shown only after the clock was put back"},
		{"America/Chicago", "2026-03-08 02:30", "2026-03-08T03:00:00-05:00", "never shown: the jump"},
		{"America/Chicago", "2026-11-01 01:30", "2026-11-01T01:30:00-05:00", "shown twice: the first"},
		{"Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-04T02:30:00+11:00", "half an hour is left out"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05T01:45:00+11:00", "half an hour comes twice"},
		{"Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-05T02:00:00+10:30", "shown only after"},
		{"America/St_Johns", "2010-11-07 00:00", "2010-11-07T00:00:00-02:30", "put back over midnight: the first"},
		{"Europe/London", "2040-12-31 09:00", "2040-12-31T09:00:00Z", "the last day of a leap year, beyond the tables of the standard library"},
		{"Pacific/Apia", "2011-12-30 09:00", "2011-12-31T00:00:00+14:00", "a day that never was: the end of the day before"},
	} {
		t.Run(tt.zone+" "+tt.wall, func(t *testing.T) {
			if got, want := wall(t, tt.wall).In(zone(t, tt.zone)), instant(t, tt.want); !got.Equal(want) {
				t.Errorf("got %s, want %s: %s", got.Format(time.RFC3339), tt.want, tt.why)
			}
		})
	}
}

func TestParseWallTime(t *testing.T) {
	for _, s := range []string{"", "2026-11-02", "2026-02-30 09:00", "2026-11-02 24:00", "2026-11-02T09:00", "2026-11-02 09:00:00"} {
		if w, err := oncall.ParseWallTime(s); err == nil {
			t.Errorf("%q: got %s, want an error", s, w)
		}
	}
	if got := wall(t, "2026-11-02 09:05").String(); got != "2026-11-02 09:05" {
		t.Errorf("got %s", got)
	}
}

func TestAt(t *testing.T) {
	london := oncall.Schedule{Rotation: oncall.Rotation{
		Zone: zone(t, "Europe/London"), Start: wall(t, "2026-03-16 09:00"), Days: 7, People: []string{"ann", "bob", "cho"},
	}}
	daily := oncall.Schedule{Rotation: oncall.Rotation{
		Zone: zone(t, "America/Chicago"), Start: wall(t, "2026-10-30 01:30"), Days: 1, People: []string{"ann", "bob"},
	}}
	covered := london
	covered.Overrides = []oncall.Override{
		{From: instant(t, "2026-03-01T00:00:00Z"), To: instant(t, "2026-03-02T00:00:00Z"), Person: "dan"},
		{From: instant(t, "2026-03-20T00:00:00Z"), To: instant(t, "2026-03-24T00:00:00Z"), Person: "cho"},
		{From: instant(t, "2026-03-21T00:00:00Z"), To: instant(t, "2026-03-22T00:00:00Z"), Person: "bob"},
	}
	apia := oncall.Schedule{Rotation: oncall.Rotation{
		Zone: zone(t, "Pacific/Apia"), Start: wall(t, "2011-12-28 09:00"), Days: 1, People: []string{"ann", "bob", "cho", "dan"},
	}}
	for _, tt := range []struct {
		name     string
		schedule oncall.Schedule
		at, want string
	}{
		{"before the first handover nobody is on call", london, "2026-03-16T08:59:59Z", ""},
		{"years before as well", london, "1999-12-31T00:00:00Z", ""},
		{"the first shift begins", london, "2026-03-16T09:00:00Z", "ann"},
		{"and lasts a week", london, "2026-03-23T08:59:59Z", "ann"},
		{"the second", london, "2026-03-23T09:00:00Z", "bob"},
		{"in summer 09:00 on the wall is 08:00 in UTC: before", london, "2026-03-30T07:59:59Z", "bob"},
		{"in summer 09:00 on the wall is 08:00 in UTC: after", london, "2026-03-30T08:00:00Z", "cho"},
		{"the order begins anew", london, "2026-04-06T08:00:00Z", "ann"},
		{"winter again: before", london, "2026-10-26T08:59:59Z", "bob"},
		{"winter again: after", london, "2026-10-26T09:00:00Z", "cho"},
		{"5,218 weeks on", london, "2126-03-18T09:00:00Z", "bob"},
		{"the first 01:30 of two hands over", daily, "2026-11-01T01:30:00-05:00", "ann"},
		{"the second 01:30 does not again", daily, "2026-11-01T01:30:00-06:00", "ann"},
		{"just before the first 01:30", daily, "2026-11-01T01:29:59-05:00", "bob"},
		{"01:30 is left out: handed over at the jump", daily, "2027-03-14T03:00:00-05:00", "bob"},
		{"an override wins before the start", covered, "2026-03-01T12:00:00Z", "dan"},
		{"its end is open", covered, "2026-03-02T00:00:00Z", ""},
		{"its beginning is not", covered, "2026-03-20T00:00:00Z", "cho"},
		{"a later override wins over an earlier one", covered, "2026-03-21T12:00:00Z", "bob"},
		{"and gives back to it", covered, "2026-03-22T00:00:00Z", "cho"},
		{"an override across a handover", covered, "2026-03-23T10:00:00Z", "cho"},
		{"the rotation goes on beneath it", covered, "2026-03-24T00:00:00Z", "bob"},
		{"the day before the day that never was", apia, "2011-12-29T23:00:00-10:00", "bob"},
		{"the day that never was hands over at once", apia, "2011-12-31T00:00:00+14:00", "cho"},
		{"the day after", apia, "2011-12-31T09:00:00+14:00", "dan"},
		{"far in the past", london, "0001-01-01T00:00:00Z", ""},
		{"far in the future", london, "9998-03-16T09:00:00Z", "ann"},
		{"a schedule of nobody", oncall.Schedule{}, "2026-03-21T12:00:00Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.schedule.At(instant(t, tt.at)); got != tt.want {
				t.Errorf("at %s: got %q, want %q", tt.at, got, tt.want)
			}
		})
	}
}

// TestAtAgreesWithWatchingTheClock compares with somebody who sits before the wall clock for weeks and crosses off one
// handover after the other as soon as the clock shows it.
func TestAtAgreesWithWatchingTheClock(t *testing.T) {
	places := []struct {
		zone  *time.Location
		years []int
	}{
		{zone(t, "Europe/London"), []int{2025, 2026}},
		{zone(t, "America/Chicago"), []int{2025, 2026}},
		{zone(t, "Australia/Lord_Howe"), []int{2025, 2026}},
		{zone(t, "America/St_Johns"), []int{2009, 2010}},
		{zone(t, "Pacific/Apia"), []int{2011}},
		{zone(t, "Asia/Seoul"), []int{2026}},
		{zone(t, "Asia/Pyongyang"), []int{2015, 2018}},
	}
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.SampledFrom(places).Draw(t, "place")
		// Near the days on which clocks change, and now and then elsewhere.
		first := time.Date(rapid.SampledFrom(place.years).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC)
		day := rapid.SampledFrom([]int{60, 80, 90, 115, 220, 270, 290, 300, 355}).Draw(t, "day") + rapid.IntRange(0, 9).Draw(t, "more")
		shown := first.AddDate(0, 0, day).Add(time.Duration(rapid.OneOf(
			rapid.IntRange(0, 24*60-1), rapid.IntRange(0, 3*60)).Draw(t, "minute")) * time.Minute)
		s := oncall.Schedule{Rotation: oncall.Rotation{
			Zone: place.zone, Start: wall(t, shown.Format("2006-01-02 15:04")), Days: rapid.IntRange(1, 9).Draw(t, "days"),
			People: []string{"a", "b", "c", "d", "e"}[:rapid.IntRange(1, 5).Draw(t, "people")],
		}}
		span := 24 * 60 * 24 * time.Minute
		from := shown.Add(-36 * time.Hour)
		for range rapid.IntRange(0, 3).Draw(t, "overrides") {
			begin := from.Add(time.Duration(rapid.Int64Range(0, int64(span)).Draw(t, "begin")))
			s.Overrides = append(s.Overrides, oncall.Override{
				From: begin, To: begin.Add(time.Duration(rapid.Int64Range(1, int64(span/2)).Draw(t, "length"))),
				Person: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "person"),
			})
		}
		watch(t, s, shown, from, from.Add(span))
	})
}

func watch(t *rapid.T, s oncall.Schedule, next, from, to time.Time) {
	person, n := "", 0
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		for at.In(s.Rotation.Zone).Format("2006-01-02 15:04") >= next.Format("2006-01-02 15:04") {
			person, n = s.Rotation.People[n%len(s.Rotation.People)], n+1
			next = next.AddDate(0, 0, s.Rotation.Days)
		}
		want := person
		for _, o := range s.Overrides {
			if !at.Before(o.From) && at.Before(o.To) {
				want = o.Person
			}
		}
		if got := s.At(at); got != want {
			t.Fatalf("at %s: got %q, want %q", at.In(s.Rotation.Zone), got, want)
		}
	}
}

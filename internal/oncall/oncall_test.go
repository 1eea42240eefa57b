package oncall_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

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
	var got oncall.WallTime
	if err := got.UnmarshalText([]byte("2026-11-02 09:05")); err != nil {
		t.Fatal(err)
	}
	if text, err := got.MarshalText(); string(text) != "2026-11-02 09:05" || err != nil || got != wall(t, "2026-11-02 09:05") {
		t.Errorf("got %s, %v", text, err)
	}
}

// people writes who is on call: "ann+bob", and nothing for a gap.
func people(all []string) string { return strings.Join(all, "+") }

// solo are shifts of one person each.
func solo(all ...string) (slots [][]string) {
	for _, p := range all {
		slots = append(slots, []string{p})
	}
	return slots
}

// layer reads a layer: "2026-03-16 09:00", a length and the people of each shift.
func layer(t fatal, start string, n int, unit oncall.Unit, people ...string) oncall.Layer {
	return oncall.Layer{Rotation: oncall.Rotation{
		Start: wall(t, start), Shift: oncall.Length{N: n, Unit: unit}, People: solo(people...),
	}}
}

func TestAt(t *testing.T) {
	london := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-03-16 09:00", 1, oncall.Weeks, "ann", "bob", "cho")},
	}
	daily := oncall.Schedule{
		Zone:   zone(t, "America/Chicago"),
		Layers: []oncall.Layer{layer(t, "2026-10-30 01:30", 1, oncall.Days, "ann", "bob")},
	}
	covered := london
	covered.Overrides = []oncall.Override{
		{From: instant(t, "2026-03-01T00:00:00Z"), To: instant(t, "2026-03-02T00:00:00Z"), Change: oncall.Replace, Person: "dan"},
		{From: instant(t, "2026-03-20T00:00:00Z"), To: instant(t, "2026-03-24T00:00:00Z"), Change: oncall.Replace, Person: "cho"},
		{From: instant(t, "2026-03-21T00:00:00Z"), To: instant(t, "2026-03-22T00:00:00Z"), Change: oncall.Replace, Person: "bob"},
	}
	apia := oncall.Schedule{
		Zone:   zone(t, "Pacific/Apia"),
		Layers: []oncall.Layer{layer(t, "2011-12-28 09:00", 1, oncall.Days, "ann", "bob", "cho", "dan")},
	}
	halves := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-03-16 09:00", 12, oncall.Hours, "day", "night")},
	}
	hourly := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-03-29 00:00", 1, oncall.Hours, "ann", "bob", "cho")},
	}
	tens := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-03-29 00:00", 10, oncall.Hours, "ann", "bob")},
	}
	twoDays := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-03-28 09:00", 48, oncall.Hours, "ann", "bob")},
	}
	monthly := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-01-31 09:00", 1, oncall.Months, "ann", "bob", "cho")},
	}
	quarterly := oncall.Schedule{
		Zone:   zone(t, "Asia/Seoul"),
		Layers: []oncall.Layer{layer(t, "2025-11-30 09:00", 3, oncall.Months, "ann", "bob")},
	}
	stJohns := oncall.Schedule{
		Zone:   zone(t, "America/St_Johns"),
		Layers: []oncall.Layer{layer(t, "2010-11-05 00:00", 1, oncall.Days, "ann", "bob", "cho")},
	}
	halfPast := oncall.Schedule{
		Zone:   zone(t, "Europe/London"),
		Layers: []oncall.Layer{layer(t, "2026-10-24 22:30", 1, oncall.Hours, "ann", "bob", "cho", "dan", "eve", "fay")},
	}
	for _, tt := range []struct {
		name     string
		schedule oncall.Schedule
		at, want string
	}{
		{"before the first hand-off nobody is on call", london, "2026-03-16T08:59:59Z", ""},
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
		{"an override across a hand-off", covered, "2026-03-23T10:00:00Z", "cho"},
		{"the rotation goes on beneath it", covered, "2026-03-24T00:00:00Z", "bob"},
		{"the day before the day that never was", apia, "2011-12-29T23:00:00-10:00", "bob"},
		{"the day that never was hands over at once", apia, "2011-12-31T00:00:00+14:00", "cho"},
		{"the day after", apia, "2011-12-31T09:00:00+14:00", "dan"},
		{"put back over midnight: handed over already", stJohns, "2010-11-06T23:30:00-03:30", "cho"},
		{"put back over midnight: and not again", stJohns, "2010-11-07T00:30:00-03:30", "cho"},
		{"put back: the first 01:30 hands over", halfPast, "2026-10-25T01:30:00+01:00", "dan"},
		{"put back: the clock shows 01:10 once more", halfPast, "2026-10-25T01:10:00Z", "dan"},
		{"put back: that shift lasts two hours", halfPast, "2026-10-25T02:29:59Z", "dan"},
		{"put back: then the next", halfPast, "2026-10-25T02:30:00Z", "eve"},
		{"12 hours hand over at 09:00 and 21:00: winter", halves, "2026-03-28T21:00:00Z", "night"},
		{"12 hours hand over at 09:00 and 21:00: after 11 hours", halves, "2026-03-29T08:00:00Z", "day"},
		{"12 hours hand over at 09:00 and 21:00: summer", halves, "2026-03-29T20:00:00Z", "night"},
		{"every hour on the wall: 00:00", hourly, "2026-03-29T00:30:00Z", "ann"},
		{"every hour on the wall: 01:00 is left out and with it a shift", hourly, "2026-03-29T01:00:00Z", "cho"},
		{"10 hours last 10 hours: before", tens, "2026-03-29T09:59:59Z", "ann"},
		{"10 hours last 10 hours: after", tens, "2026-03-29T10:00:00Z", "bob"},
		{"10 hours last 10 hours, also centuries on", tens, "2526-03-29T00:00:00Z", "ann"},
		{"48 hours are two days on the wall: before", twoDays, "2026-03-30T07:59:59Z", "ann"},
		{"48 hours are two days on the wall: after", twoDays, "2026-03-30T08:00:00Z", "bob"},
		{"a month from the 31st ends with February: before", monthly, "2026-02-28T08:59:59Z", "ann"},
		{"a month from the 31st ends with February: after", monthly, "2026-02-28T09:00:00Z", "bob"},
		{"and March has a 31st again: before", monthly, "2026-03-31T07:59:59Z", "bob"},
		{"and March has a 31st again: after", monthly, "2026-03-31T08:00:00Z", "cho"},
		{"April ends on the 30th", monthly, "2026-04-30T08:00:00Z", "ann"},
		{"a leap year has a 29th", monthly, "2028-02-29T09:00:00Z", "bob"},
		{"a leap year has a 29th: not sooner", monthly, "2028-02-29T08:59:59Z", "ann"},
		{"three months: before", quarterly, "2026-02-28T08:59:59+09:00", "ann"},
		{"three months: after", quarterly, "2026-02-28T09:00:00+09:00", "bob"},
		{"three months: the next is on the 30th", quarterly, "2026-05-30T09:00:00+09:00", "ann"},
		{"far in the past", london, "0001-01-01T00:00:00Z", ""},
		{"far in the future", london, "9998-03-16T09:00:00Z", "ann"},
		{"69,880,809 hours on", tens, "9998-03-16T09:00:00Z", "ann"},
		{"far in the future, by the month", monthly, "9998-03-16T09:00:00Z", "bob"},
		{"a schedule of nobody", oncall.Schedule{}, "2026-03-21T12:00:00Z", ""},
		{"a layer of nobody", oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{{}}}, "2026-03-21T12:00:00Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := people(tt.schedule.At(instant(t, tt.at))); got != tt.want {
				t.Errorf("at %s: got %q, want %q", tt.at, got, tt.want)
			}
		})
	}
}

package org_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/org"
	"muster/internal/routine"
)

// slots writes occurrences in Korean time.
func slots(all []routine.Slot) string {
	seoul := time.FixedZone("KST", 9*60*60)
	var lines []string
	for _, s := range all {
		lines = append(lines, s.Begins.In(seoul).Format("01-02 15:04")+" to "+s.Due.In(seoul).Format("01-02 15:04"))
	}
	return strings.Join(lines, ", ")
}

// The example's routines come back in the hours of its calendar, which knows the holidays of Korea.
func TestWhenRoutinesComeBack(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04 -0700", s+" +0900")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct {
		id, after, now, want string
		more                 int
	}{
		{
			"garam-preventive", "2026-11-27 12:00", "2026-11-27 12:00",
			"12-01 10:00 to 12-08 10:00, 01-05 10:00 to 01-12 10:00, 02-02 10:00 to 02-11 10:00, 03-02 10:00 to 03-09 10:00, 04-06 10:00 to 04-13 10:00, 05-04 10:00 to 05-12 10:00", 0,
		},
		{"nuri-daily", "2026-12-31 08:00", "2026-12-31 08:00", "01-04 09:00 to 01-04 12:00, 01-05 09:00 to 01-05 12:00, 01-06 09:00 to 01-06 12:00, 01-07 09:00 to 01-07 12:00, 01-08 09:00 to 01-08 12:00, 01-11 09:00 to 01-11 12:00", 0},
		{"nuri-daily", "2026-12-28 09:00", "2026-12-30 10:00", "12-29 09:00 to 12-29 12:00, 12-30 09:00 to 12-30 12:00, 01-04 09:00 to 01-04 12:00, 01-05 09:00 to 01-05 12:00, 01-06 09:00 to 01-06 12:00, 01-07 09:00 to 01-07 12:00, 01-08 09:00 to 01-08 12:00, 01-11 09:00 to 01-11 12:00", 0},
	} {
		seen := o.Routine(tc.id, at(tc.after), at(tc.now))
		if got := slots(seen.Slots); got != tc.want || seen.More != tc.more {
			t.Errorf("%s after %s: %s, %d more\nwant %s, %d more", tc.id, tc.after, got, seen.More, tc.want, tc.more)
		}
	}
	if seen := o.Routine("nuri-daily", at("2026-01-01 09:00"), at("2026-11-27 12:00")); len(seen.Slots) != routine.MostAtOnce+routine.MostAhead || seen.More == 0 {
		t.Errorf("after most of a year: %d times and %d more", len(seen.Slots), seen.More)
	}
	if seen := o.Routine("none", at("2026-01-01 09:00"), at("2026-11-27 12:00")); !seen.Gone {
		t.Errorf("one that is not in the folder: %+v", seen)
	}
}

// comingBack is the example with other routines.
func comingBack(t *testing.T, zone, routines string) (*org.Organisation, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(dir, "organisation.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(settings), "zone: Asia/Seoul", "zone: "+zone, 1)
	for name, text := range map[string]string{"organisation.yaml": with, "routines.yaml": "routines:\n  - " + routines + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return org.Load(dir)
}

// What comes back every two weeks does so at the same time on the wall, through a change of the clocks; of what comes back every few
// seconds not every one is looked at.
func TestIntervalsOfRoutines(t *testing.T) {
	const rest = "plan: daily-check, customer: garam, tell: [person:choi], within: 1h, first: 2026-10-17 10:00"
	o, err := comingBack(t, "Europe/Berlin", "{id: a, every: 14d, "+rest+"}")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	want := []string{"10-17 08:00", "10-31 09:00", "11-14 09:00"}
	for n, s := range o.Routine("a", from, from).Slots[:len(want)] {
		if got := s.Begins.UTC().Format("01-02 15:04"); got != want[n] || s.Due.Sub(s.Begins) != time.Hour {
			t.Errorf("time %d begins at %s and is due at %s; want %s and an hour", n, got, s.Due, want[n])
		}
	}
	if o, err = comingBack(t, "Europe/Berlin", "{id: a, every: 10s, "+strings.Replace(rest, "1h", "5s", 1)+"}"); err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	seen := o.Routine("a", begun, begun.AddDate(0, 0, 10))
	past := len(seen.Slots) - routine.MostAhead
	if all := 10 * 24 * 360; past > routine.MostAtOnce+1 || past+seen.More < all-1 || past+seen.More > all+1 {
		t.Errorf("after ten days: %d times that are over and %d more; want %d in all", past, seen.More, all)
	}
	// Before the first one there was none, however long it was waited for.
	first := time.Date(2026, 10, 17, 8, 0, 0, 0, time.UTC)
	if seen := o.Routine("a", first.AddDate(-1, 0, 0), first.Add(-time.Second)); seen.More != 0 || !seen.Slots[0].Begins.Equal(first) {
		t.Errorf("before the first one: %d more, %v", seen.More, seen.Slots[0])
	}
	if seen := o.Routine("a", first.AddDate(-1, 0, 0), first.Add(time.Hour)); seen.More+len(seen.Slots)-routine.MostAhead != 361 {
		t.Errorf("an hour after the first one: %d more and %d times", seen.More, len(seen.Slots))
	}
}

func TestFaultsOfRoutines(t *testing.T) {
	const begin, times = "{id: a, plan: daily-check, customer: garam, tell: [person:choi]", ", hours: [{days: [mon-fri], from: 09:00, to: 12:00}]}"
	for _, tc := range []struct{ give, want string }{
		{"{id: a, plan: daly-check, customer: garam, tell: [person:choi]" + times, `routine a: plan: "daly-check"; want the id of a plan`},
		{"{id: a, plan: daily-check, customer: garm, tell: [person:choi]" + times, `routine a: customer: "garm"; want the id of a customer in the organisation folder; did you mean garam?`},
		{"{id: a, plan: scheduled-review, customer: garam, tell: [person:choi]" + times, "routine a: parameters.subject: missing"},
		{"{id: a, plan: daily-check, customer: garam, tell: [person:nobody]" + times, `no such person`},
		{begin + ", every: 500ms, first: 2026-12-01 10:00, within: 1h}", `every "500ms": want a time of at least 1s`},
		{begin + ", every: 1d, within: 1h}", "routine a: first: missing; want when it begins for the first time"},
		{begin + ", every: 1d, first: 2026-12-01 10:00}", "routine a: within: missing; want the time in which it has to be done"},
		{begin + ", every: 1d, first: 2026-12-01 10:00, within: 5d}", "working days without a calendar"},
		{begin + "}", "routine a"},
		{begin + ", periods: [{from: 2020-01-01 09:00, to: 2020-01-01 10:00}]}", "it has no time in the next two years"},
	} {
		_, err := comingBack(t, "Asia/Seoul", tc.give)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "routines.yaml:2:") {
			t.Errorf("%s: %v\nwant %q", tc.give, err, tc.want)
		}
	}
}

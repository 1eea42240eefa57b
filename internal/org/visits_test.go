package org_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/org"
)

// visiting is the example with one routine that is a visit.
func visiting(t *testing.T, zone, rest string) *org.Organisation {
	t.Helper()
	o, err := comingBack(t, zone, "{id: check, plan: preventive-check, tell: [person:choi], visit: true, "+rest+"}")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// warned are the warnings of visits.
func warned(o *org.Organisation) (all []string) {
	for _, w := range o.Warnings {
		if strings.Contains(w.Text, "visit") {
			all = append(all, w.Text)
		}
	}
	return all
}

// What was promised and what is planned are held against each other before a year has passed.
func TestWarningsOfVisits(t *testing.T) {
	const monthly = "hours: [{monthly: [first tue], from: 10:00, to: 18:00}], calendar: business-hours, within: 5d"
	for _, tc := range []struct {
		rest string
		want string // empty: nothing
	}{
		{"customer: garam, " + monthly, ""},
		{"customer: garam, every: 91d, first: 2026-01-06 10:00, within: 4h", "customer garam: support plan premium promises monthly preventive visits, 12 a year, and its routines plan "},
		{"customer: garam, every: 7d, first: 2026-01-06 10:00, within: 4h", "customer garam: its routines plan 5"},
		{"customer: nuri, " + monthly, "customer nuri: its routines plan visits, and nothing says how many have been bought; want visits_per_year in its contract"},
	} {
		all := warned(visiting(t, "Asia/Seoul", tc.rest))
		about := all[:0]
		for _, w := range all { // garam has none while the visits are nuri's
			if !strings.Contains(tc.rest, "nuri") || !strings.HasPrefix(w, "customer garam: ") {
				about = append(about, w)
			}
		}
		if tc.want == "" && len(about) == 0 || len(about) == 1 && tc.want != "" && strings.HasPrefix(about[0], tc.want) {
			continue
		}
		t.Errorf("%s: %q; want %q", tc.rest, about, tc.want)
	}
	o, err := comingBack(t, "Asia/Seoul", "{id: check, plan: preventive-check, customer: garam, tell: [person:choi], "+monthly+"}")
	if err != nil {
		t.Fatal(err)
	}
	if all := warned(o); len(all) != 1 || !strings.Contains(all[0], "its routines plan 0") {
		t.Errorf("a routine that is no visit: %q", all)
	}
}

// A whole year of visits is known, not the next ones alone: those that fall on the holidays of the moon, which move from year to year, wait
// for the next working day, and none is lost or stands twice.
func TestAYearOfVisitsKnowsHolidays(t *testing.T) {
	o := visiting(t, "Asia/Seoul", "customer: garam, hours: [{monthly: [second tue], from: 10:00, to: 18:00}], calendar: business-hours, within: 5d")
	at := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, o.Zone) }
	for year, want := range map[int]string{
		// 설날 is on Sunday 7 February with Tuesday the 9th for it, 추석 from Tuesday 14 to Thursday 16 September.
		2027: "01-12 10, 02-10 09, 03-09 10, 04-13 10, 05-11 10, 06-08 10, 07-13 10, 08-10 10, 09-17 09, 10-12 10, 11-09 10, 12-14 10",
		// 부처님오신날 is on Tuesday 2 May, which is the first one; 추석 is in October.
		2028: "01-11 10, 02-08 10, 03-14 10, 04-11 10, 05-09 10, 06-13 10, 07-11 10, 08-08 10, 09-12 10, 10-10 10, 11-14 10, 12-12 10",
	} {
		var got []string
		for _, s := range o.VisitsPlanned("check", at(year).Add(-1), at(year+1)) {
			got = append(got, s.Begins.In(o.Zone).Format("01-02 15"))
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("%d: %s\nwant %s", year, got, want)
		}
	}
	if all := o.VisitsPlanned("none", at(2027), at(2028)); all != nil {
		t.Errorf("of one that is not there: %v", all)
	}
}

// A visit stays at its time on the wall when the clocks change, and the year of the organisation's zone begins with its own midnight.
func TestVisitsInAZoneWhoseClocksChange(t *testing.T) {
	o := visiting(t, "Europe/Berlin", "customer: garam, every: 28d, first: 2027-01-05 10:00, within: 4h")
	from := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	all := o.VisitsPlanned("check", from, from.AddDate(1, 0, 0))
	if len(all) != 13 {
		t.Fatalf("%d visits; want 13", len(all))
	}
	offsets := map[string]int{}
	for _, s := range all {
		if got := s.Begins.In(o.Zone).Format("15:04"); got != "10:00" {
			t.Errorf("%s begins at %s", s.Begins, got)
		}
		offsets[s.Begins.UTC().Format("15:04")]++
	}
	if offsets["09:00"] == 0 || offsets["08:00"] == 0 {
		t.Errorf("in UTC they begin at %v; want both of winter and of summer", offsets)
	}
	for at, year := range map[string]int{"2027-12-31T22:59:59Z": 2027, "2027-12-31T23:00:00Z": 2028} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if w := o.VisitsBought("garam", instant); w.From.Year() != year || w.Count != 12 {
			t.Errorf("a visit at %s counts in %d, of %d bought; want %d and 12", at, w.From.Year(), w.Count, year)
		}
	}
	if w := o.VisitsBought("nobody", from); w.Count != 0 || w.From.IsZero() {
		t.Errorf("of a customer who has left: %+v", w)
	}
}

// What everybody has bought for a year, with the routines that are visits.
func TestTermsOfVisits(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	all := o.VisitTerms(2027)
	if len(all) != 2 || all[0].Customer != "garam" || all[0].Name != "가람유통" || all[0].Bought != 12 || all[1].Bought != 0 || len(all[1].Routines) != 0 {
		t.Fatalf("got %+v", all)
	}
	if r := all[0].Routines; len(r) != 1 || r[0].ID != "garam-preventive" {
		t.Errorf("garam is visited by %+v; want the preventive check, and no review", r)
	}
	if from := all[0].From.Format(time.RFC3339); from != "2027-01-01T00:00:00+09:00" {
		t.Errorf("the year begins at %s", from)
	}
}

package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/org"
)

func dates(t testing.TB, s string) (all []calendar.Date) {
	t.Helper()
	for _, one := range strings.Fields(s) {
		d, err := calendar.ParseDate(one)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// holidays returns what a folder knows of a country.
func holidays(t testing.TB, country string) calendar.Rules {
	t.Helper()
	files := good(t)
	change{"calendars.yaml", "country: gb", "country: " + country}.in(t, files)
	change{"calendars.yaml", "      dates: [2026-12-24]\n", ""}.in(t, files)
	return rules(t, load(t, files), "office")
}

func rules(t testing.TB, o *org.Organisation, id string) calendar.Rules {
	t.Helper()
	r, err := o.Calendar(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestNationalHolidays compares with what has been announced.
func TestNationalHolidays(t *testing.T) {
	for _, tt := range []struct {
		country string
		year    int
		want    string
	}{
		{"kr", 2024, "01-01 02-09 02-10 02-11 02-12 03-01 04-10 05-05 05-06 05-15 06-06 08-15 09-16 09-17 09-18 10-01 10-03 10-09 12-25"},
		{"kr", 2025, "01-01 01-27 01-28 01-29 01-30 03-01 03-03 05-05 05-06 06-03 06-06 08-15 10-03 10-05 10-06 10-07 10-08 10-09 12-25"},
		{"kr", 2026, "01-01 02-16 02-17 02-18 03-01 03-02 05-01 05-05 05-24 05-25 06-03 06-06 07-17 08-15 08-17 09-24 09-25 09-26 10-03 10-05 10-09 12-25"},
		{"kr", 2027, "01-01 02-06 02-07 02-08 02-09 03-01 05-01 05-03 05-05 05-13 06-06 07-17 07-19 08-15 08-16 09-14 09-15 09-16 10-03 10-04 10-09 10-11 12-25 12-27"},
		{"us", 2026, "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25"},
		{"us", 2027, "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31"},
		{"gb", 2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-26 12-28"},
		{"gb", 2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-25 12-26 12-27 12-28"},
		{"de", 2026, "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26"},
		{"de", 2027, "01-01 03-26 03-29 05-01 05-06 05-17 10-03 12-25 12-26"},
		{"jp", 2026, "01-01 01-12 02-11 02-23 03-20 04-29 05-03 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23"},
		{"jp", 2027, "01-01 01-11 02-11 02-23 03-21 03-22 04-29 05-03 05-04 05-05 07-19 08-11 09-20 09-23 10-11 11-03 11-23"},
	} {
		var got []string
		for _, d := range holidays(t, tt.country).Holidays {
			if d.Year() == tt.year {
				got = append(got, d.String()[5:])
			}
		}
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" {
			t.Errorf("%s %d:\n%s", tt.country, tt.year, diff)
		}
	}
}

// TestKoreanSubstitutes follow from the law as it is, in years that have not been announced.
func TestKoreanSubstitutes(t *testing.T) {
	r := holidays(t, "kr")
	for _, d := range dates(t, "2028-10-05 2029-05-07 2029-05-21 2029-09-24 2030-02-05 2032-05-17 2033-02-02 2034-02-21 2035-09-18") {
		if !slices.Contains(r.Holidays, d) {
			t.Errorf("%s: want a substitute day", d)
		}
	}
	for _, d := range dates(t, "2026-09-28 2027-06-07 2028-01-03 2034-09-25 2035-02-12") {
		if slices.Contains(r.Holidays, d) {
			t.Errorf("%s: want no substitute day: New Year, Memorial Day, or a Saturday of the two great feasts", d)
		}
	}
	if want := dates(t, "2027-12-31")[0]; r.KnownUntil != want {
		t.Errorf("known until %s, want %s", r.KnownUntil, want)
	}
	files := good(t)
	change{"calendars.yaml", "dates: [2026-12-24]", "dates: [2026-12-24, 2028-04-12]"}.in(t, files)
	if got, want := rules(t, load(t, files), "office").KnownUntil, dates(t, "2028-12-31")[0]; got != want {
		t.Errorf("whoever adds days of the next year knows it: known until %s, want %s", got, want)
	}
}

func TestCalendar(t *testing.T) {
	files := good(t)
	files["company.ics"] = iCalendar("DTSTART;VALUE=DATE:20260817", "DTSTART;VALUE=DATE:20260803\r\nDTEND;VALUE=DATE:20260806",
		"DTSTART;VALUE=DATE:20260901\r\nSTATUS:CANCELLED", "DTSTART:20280102\r\nDTEND:20280102")
	change{"calendars.yaml", "      country: gb\n", "      files: [company.ics]\n"}.in(t, files)
	o := load(t, files)
	got := rules(t, o, "office")
	if diff := cmp.Diff("2026-08-03/08-05 08-17 12-24 2028-01-02", got.Holidays.String()); diff != "" {
		t.Error(diff)
	}
	if want := dates(t, "2028-12-31")[0]; got.KnownUntil != want {
		t.Errorf("known until %s, want %s", got.KnownUntil, want)
	}
	z, err := time.LoadLocation(got.Zone)
	if err != nil {
		t.Fatal(err)
	}
	c, err := calendar.New(got, z)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   string
		want bool
	}{
		{"2026-11-23 09:00", true},  // Monday
		{"2026-11-23 13:00", false}, // its lunch
		{"2026-11-27 10:00", false}, // the closed Friday
		{"2026-11-28 10:00", true},  // Saturday
		{"2026-11-28 14:00", false},
		{"2026-12-24 10:00", false}, // its own holiday
		{"2026-12-28 09:30", false}, // other hours from here
		{"2026-12-31 11:59", true},  // to here
		{"2026-08-04 10:00", false}, // imported
		{"2025-12-31 10:00", false}, // not yet valid
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", tt.at, z)
		if err != nil {
			t.Fatal(err)
		}
		if c.Open(at) != tt.want {
			t.Errorf("at %s: open is %t", tt.at, !tt.want)
		}
	}
	if _, err := o.Calendar("school"); err == nil || !strings.HasPrefix(err.Error(), `calendar "school": not in the organisation folder of revision `) {
		t.Error(err)
	}
}

func TestTheExamplesCalendars(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"always":         "2026-12-24T19:00:00+09:00",
		"business-hours": "2026-12-28T15:00:00+09:00", // one hour more of Christmas Eve, Christmas and a weekend
	} {
		c, err := calendar.New(rules(t, o, id), seoul)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Add(time.Date(2026, 12, 24, 12, 0, 0, 0, seoul), 7*time.Hour)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: got %s, %v, want %s", id, got, err, want)
		}
	}
}

// iCalendar is a file with events, of which each is given by its own lines.
func iCalendar(events ...string) string {
	s := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Acme//EN\r\n"
	for _, e := range events {
		s += "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:창립기념일\r\n" + e + "\r\nEND:VEVENT\r\n"
	}
	return s + "END:VCALENDAR\r\n"
}

func TestICSFaults(t *testing.T) {
	for _, tt := range []struct{ content, want string }{
		{iCalendar("DTSTART;VALUE=DATE:20260817", "DTSTART:20261224T090000Z"), `company.ics:9:1: event 2 "창립기념일": DTSTART "20261224T090000Z": want a whole day, such as DTSTART;VALUE=DATE:20261231`},
		{iCalendar("X-DAY:1"), `company.ics:4:1: event 1 "창립기념일": DTSTART "": want a whole day, such as DTSTART;VALUE=DATE:20261231`},
		{iCalendar("DTSTART;VALUE=DATE:20260817\r\nRRULE:FREQ=YEARLY"), `company.ics:4:1: event 1 "창립기념일": it repeats (RRULE); want an event for every date`},
		{iCalendar("DTSTART;VALUE=DATE:20260817\r\nDURATION:P1D"), `company.ics:4:1: event 1 "창립기념일": DURATION: want DTEND, the day after the last, such as DTEND;VALUE=DATE:20270101`},
		{iCalendar("DTSTART;VALUE=DATE:20260817\r\nDTEND;VALUE=DATE:20260816"), `company.ics:4:1: event 1 "창립기념일": DTEND "20260816": want the day after the last, such as DTEND;VALUE=DATE:20260818, at most 366 days after DTSTART`},
		{iCalendar("DTSTART;VALUE=DATE:20260817\r\nDTEND;VALUE=DATE:20990101"), `company.ics:4:1: event 1 "창립기념일": DTEND "20990101": want the day after the last, such as DTEND;VALUE=DATE:20260818, at most 366 days after DTSTART`},
		{"not a calendar", `company.ics: cannot be read as an iCalendar file: parsing calendar line 0; want BEGIN:VCALENDAR to END:VCALENDAR, whole`},
		{strings.TrimSuffix(iCalendar(), "END:VCALENDAR\r\n") + strings.Repeat("BEGIN:VEVENT\r\nEND:VEVENT\r\n", 2001) + "END:VCALENDAR\r\n", `company.ics: 2001 events; want at most 2000`},
	} {
		files := good(t)
		change{"calendars.yaml", "country: gb", "country: gb\n      files: [company.ics]"}.in(t, files)
		files["company.ics"] = tt.content
		if diff := cmp.Diff([]string{tt.want}, faults(t, files)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestACalendarIsBounded(t *testing.T) {
	files := good(t)
	change{"calendars.yaml", "country: gb", "country: gb\n      files: [company.ics]"}.in(t, files)
	var years []string
	for range 11 {
		years = append(years, "DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20270101")
	}
	files["company.ics"] = iCalendar(years...)
	if got := faults(t, files); got != nil {
		t.Error("the same days over again are no more days:", got)
	}
	for n := range years {
		years[n] = fmt.Sprintf("DTSTART;VALUE=DATE:%d0101\r\nDTEND;VALUE=DATE:%d0101", 2026+n, 2027+n)
	}
	files["company.ics"] = iCalendar(years...)
	want := []string{"calendars.yaml:2:5: calendar office: 4039 holidays and exceptions; want at most 4000 days"}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

// A calendar that several others name has its faults once, and one that nobody names is not read.
func TestICSIsReadOnce(t *testing.T) {
	files := good(t)
	files["company.ics"] = "nonsense"
	o := load(t, files)
	if len(o.Warnings) != 1 || o.Warnings[0].String() != "company.ics: neither a calendar under holidays nor a freeze names it, so nobody reads it" {
		t.Error(o.Warnings)
	}
	change{"calendars.yaml", "country: gb", "country: gb\n      files: [company.ics, company.ics]"}.in(t, files)
	if got := faults(t, files); len(got) != 1 {
		t.Error(got)
	}
	before := o.Revision
	files = good(t)
	files["company.ics"] = "something else"
	if load(t, files).Revision == before {
		t.Error("another file, and the same revision")
	}
}

func TestCalendarWarnings(t *testing.T) {
	files := good(t)
	change{"calendars.yaml", "until: 2199-12-31", "until: 2026-12-31"}.in(t, files)
	for at, want := range map[string][]string{
		"2026-10-01": nil,
		"2026-10-05": {"calendars.yaml:2:9: calendar office: it ends on 2026-12-31, and what still runs then has no due time"},
		"2027-10-05": {
			"calendars.yaml:2:9: calendar office: it ends on 2026-12-31, and what still runs then has no due time",
			"calendars.yaml:2:9: calendar office: its holidays are known until 2027-12-31 only; want those of the next year under holidays",
		},
	} {
		now, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		o, err := org.LoadFiles(files, now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range o.Warnings {
			got = append(got, w.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", at, diff)
		}
	}
}

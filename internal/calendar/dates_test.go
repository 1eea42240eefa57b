package calendar_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/calendar"
)

func TestDatesAreWrittenShort(t *testing.T) {
	for _, tc := range []struct {
		days []string
		want string
	}{
		{nil, ""},
		{[]string{"2026-01-01"}, "2026-01-01"},
		{[]string{"2026-01-01", "2026-02-16", "2026-02-17", "2026-02-18", "2026-03-02"}, "2026-01-01 02-16/02-18 03-02"},
		{[]string{"2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"}, "2026-12-30/12-31 2027-01-01/01-02"},
		{[]string{"2028-02-28", "2028-02-29", "2028-03-01"}, "2028-02-28/03-01"},
	} {
		var days calendar.Dates
		for _, d := range tc.days {
			days = append(days, date(t, d))
		}
		if got := days.String(); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.days, got, tc.want)
		}
	}
}

func TestDatesAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := calendar.Date(rapid.IntRange(20_000, 21_000).Draw(t, "first"))
		var days calendar.Dates
		for range rapid.IntRange(0, 40).Draw(t, "days") {
			d += calendar.Date(rapid.SampledFrom([]int{1, 1, 1, 2, 30, 400}).Draw(t, "step"))
			days = append(days, d)
		}
		got, err := calendar.ParseDates(days.String())
		if err != nil || !slices.Equal(got, days) {
			t.Fatalf("%s: got %v, %v", days, got, err)
		}
	})
}

func TestDatesThatAreNoneAreRefused(t *testing.T) {
	for _, s := range []string{"01-01", "2026-01-01 13-01", "2026-02-29", "2026-01-02 01-01", "2026-01-01 01-01", "2026-01-02/01-01", "2026-01-01/01-01", "2026-", "x"} {
		if got, err := calendar.ParseDates(s); err == nil {
			t.Errorf("%q: got %v, want a refusal", s, got)
		}
	}
}

// FuzzDates reads any text: what is taken is written and read again as the same days.
func FuzzDates(f *testing.F) {
	f.Add("2026-01-01 02-16/02-18 2027-01-01")
	f.Fuzz(func(t *testing.T, s string) {
		if days, err := calendar.ParseDates(s); err == nil {
			if again, err := calendar.ParseDates(days.String()); err != nil || !slices.Equal(again, days) {
				t.Errorf("%q: %v, then %v, %v", s, days, again, err)
			}
		}
	})
}

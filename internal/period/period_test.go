package period_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/period"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct{ written, zone, from, to string }{
		{"2026-11", "Asia/Seoul", "2026-11-01T00:00:00+09:00", "2026-12-01T00:00:00+09:00"},
		{"2026-12", "UTC", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"2026-Q4", "Europe/Berlin", "2026-10-01T00:00:00+02:00", "2027-01-01T00:00:00+01:00"},
		{"2026", "America/New_York", "2026-01-01T00:00:00-05:00", "2027-01-01T00:00:00-05:00"},
		{"2026-W48", "Asia/Seoul", "2026-11-23T00:00:00+09:00", "2026-11-30T00:00:00+09:00"},
		{"2026-W01", "UTC", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"},
		{"2026-W53", "UTC", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"2021-W01", "UTC", "2021-01-04T00:00:00Z", "2021-01-11T00:00:00Z"},
		{"2026-03", "Europe/Berlin", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"2026-W43", "Europe/Berlin", "2026-10-19T00:00:00+02:00", "2026-10-26T00:00:00+01:00"}, // 169 hours
		// Midnight does not come: the clock is put forward then, or shows it twice.
		{"2026-09", "America/Santiago", "2026-09-01T00:00:00-04:00", "2026-10-01T00:00:00-03:00"},
		{"2011-12", "Pacific/Apia", "2011-12-01T00:00:00-10:00", "2012-01-01T00:00:00+14:00"}, // without the 30th
		{"2018-11", "America/Sao_Paulo", "2018-11-01T00:00:00-03:00", "2018-12-01T00:00:00-02:00"},
	} {
		p, err := period.Parse(tc.written)
		if err != nil {
			t.Error(err)
			continue
		}
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, to := p.Bounds(zone)
		if got := from.Format(time.RFC3339); got != tc.from || p.String() != tc.written {
			t.Errorf("%s in %s begins at %s, want %s", p, tc.zone, got, tc.from)
		}
		if got := to.Format(time.RFC3339); got != tc.to {
			t.Errorf("%s in %s ends at %s, want %s", p, tc.zone, got, tc.to)
		}
	}
	for _, tc := range []struct{ written, want string }{
		{"", "want a month such as 2026-11"},
		{"2026-13", "want a month"},
		{"2026-1", "want a month"},
		{"2026-Q5", "want a month"},
		{"2026-W00", "2026 has no such week; want 01 to 53"},
		{"2025-W53", "2025 has no such week; want 01 to 52"},
		{"1970-01", "want a month"},
		{"2026-11-01", "want a month"},
		{"november", "want a month"},
	} {
		if _, err := period.Parse(tc.written); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %q", tc.written, err, tc.want)
		}
	}
}

// Periods of a kind follow one another without a gap, and the months of a longer one are exactly that, whatever the clock on the
// wall does.
func TestPeriodsMeet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{
			"Asia/Seoul", "UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
		}).Draw(rt, "zone"))
		if err != nil {
			rt.Fatal(err)
		}
		day := time.Date(rapid.IntRange(1990, 2040).Draw(rt, "year"), time.Month(rapid.IntRange(1, 12).Draw(rt, "month")), 15, 12, 0, 0, 0, time.UTC)
		for _, format := range []func(time.Time) string{monthOf, quarterOf, weekOf, yearOf} {
			p, err := period.Parse(format(day))
			if err != nil {
				rt.Fatal(err)
			}
			from, to := p.Bounds(zone)
			if in := day.Add(-14 * time.Hour); !from.Before(in.AddDate(0, 0, 1)) || !to.After(in) {
				rt.Fatalf("%s is from %s to %s, and %s should be in it", p, from, to, day)
			}
			_, last := p.Days()
			next, err := time.Parse(time.DateOnly, last.String())
			if err != nil {
				rt.Fatal(err)
			}
			after, err := period.Parse(format(next.AddDate(0, 0, 1)))
			if err != nil {
				rt.Fatal(err)
			}
			if begins, _ := after.Bounds(zone); !begins.Equal(to) {
				rt.Fatalf("%s ends at %s, and %s begins at %s", p, to, after, begins)
			}
			at := from
			for _, part := range p.Parts() {
				a, b := part.Bounds(zone)
				if !a.Equal(at) {
					rt.Fatalf("%s of %s begins at %s, want %s", part, p, a, at)
				}
				at = b
			}
			if !at.Equal(to) {
				rt.Fatalf("the parts of %s end at %s, want %s", p, at, to)
			}
		}
	})
}

func monthOf(t time.Time) string { return t.Format("2006-01") }

func yearOf(t time.Time) string { return t.Format("2006") }

func quarterOf(t time.Time) string {
	return t.Format("2006") + "-Q" + string(rune('0'+(int(t.Month())+2)/3))
}

func weekOf(t time.Time) string {
	year, week := t.ISOWeek()
	return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006") + "-W" + string(rune('0'+week/10)) + string(rune('0'+week%10))
}

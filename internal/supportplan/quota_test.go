package supportplan_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"pgregory.net/rapid"

	"muster/internal/supportplan"
)

func TestThePeriodOfAnInstant(t *testing.T) {
	for _, tc := range []struct {
		per                supportplan.Period
		zone, at, from, to string
	}{
		{supportplan.Month, "Asia/Seoul", "2026-11-30T14:59:59Z", "2026-11-01T00:00:00+09:00", "2026-12-01T00:00:00+09:00"},
		{supportplan.Month, "Asia/Seoul", "2026-11-30T15:00:00Z", "2026-12-01T00:00:00+09:00", "2027-01-01T00:00:00+09:00"},
		{supportplan.Quarter, "Asia/Seoul", "2026-12-31T14:59:59Z", "2026-10-01T00:00:00+09:00", "2027-01-01T00:00:00+09:00"},
		{supportplan.Quarter, "UTC", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-04-01T00:00:00Z"},
		{supportplan.HalfYear, "UTC", "2026-06-30T23:59:59Z", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"},
		{supportplan.HalfYear, "UTC", "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{supportplan.Year, "Europe/London", "2026-07-01T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{supportplan.Quarter, "Europe/London", "2026-04-01T00:00:00+01:00", "2026-04-01T00:00:00+01:00", "2026-07-01T00:00:00+01:00"},
		// In Asunción the clock was put forward at midnight of this first of October: the month began at one o'clock.
		{supportplan.Month, "America/Asuncion", "2017-10-10T00:00:00Z", "2017-10-01T01:00:00-03:00", "2017-11-01T00:00:00-03:00"},
		// In Havana it was put back from one o'clock to midnight: the month began at the first of the two.
		{supportplan.Month, "America/Havana", "2015-11-10T00:00:00Z", "2015-11-01T00:00:00-04:00", "2015-12-01T00:00:00-05:00"},
		{"fortnight", "UTC", "2026-07-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		from, to := tc.per.Bounds(at, zone)
		if f, u := from.Format(time.RFC3339), to.Format(time.RFC3339); f != tc.from || u != tc.to {
			t.Errorf("%s of %s in %s: %s to %s, want %s to %s", tc.per, tc.at, tc.zone, f, u, tc.from, tc.to)
		}
	}
}

// A period holds its instant, its bounds are the first instants of a month, and it touches the next one. The oracle walks
// minute by minute.
func TestPeriodsHaveNoGaps(t *testing.T) {
	zones := []string{"Asia/Seoul", "Europe/London", "Australia/Lord_Howe", "America/Asuncion", "America/Havana", "Pacific/Apia", "Asia/Kathmandu"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		p := rapid.SampledFrom(supportplan.Periods()).Draw(t, "period")
		at := time.Unix(rapid.Int64Range(1_000_000_000, 2_000_000_000).Draw(t, "at"), 0)
		from, to := p.Bounds(at, zone)
		if at.Before(from) || !at.Before(to) {
			t.Fatalf("%s is not from %s until before %s", at, from, to)
		}
		if next, _ := p.Bounds(to, zone); !next.Equal(to) {
			t.Fatalf("after %s the next one begins at %s", to, next)
		}
		if before, _ := p.Bounds(from.Add(-time.Second), zone); !before.Before(from) {
			t.Fatalf("just before %s it has begun already", from)
		}
		for _, first := range []time.Time{from, to} {
			if want := slowFirst(first, zone); !first.Equal(want) {
				t.Fatalf("the month of %s began at %s", first, want)
			}
		}
	})
}

// slowFirst looks for the first minute that the wall clock shows in the month of an instant at its beginning.
func slowFirst(first time.Time, zone *time.Location) time.Time {
	year, month, _ := first.In(zone).Date()
	for at := first.Add(-30 * time.Hour); ; at = at.Add(time.Minute) {
		if y, m, _ := at.In(zone).Date(); y == year && m == month {
			return at
		}
	}
}

func TestAGrantAsItIsWritten(t *testing.T) {
	for _, good := range []string{
		"included", "not-included", "option", "add-on", "by-agreement", "unknown",
		"12 a year", "1 a quarter", "2 a half-year", "1000 a month",
	} {
		g, err := supportplan.ParseGrant(good)
		if err != nil || g.String() != good {
			t.Errorf("%q: %q, %v", good, g, err)
		}
	}
	for _, bad := range []string{
		"", "yes", "limited", "Included", "0 a year", "-1 a year", "1001 a year", "012 a year", "12 a", "12 a week", "12 per year", "12  a year", "a year",
		"12 a year ", "1 a quarter a year",
	} {
		if g, err := supportplan.ParseGrant(bad); err == nil {
			t.Errorf("%q is taken for %q", bad, g)
		}
	}
}

func FuzzParseGrant(f *testing.F) {
	for _, seed := range []string{"included", "12 a year", "1 a quarter", "9999999999999999999 a month", "limited", " a ", "+1 a year"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := supportplan.ParseGrant(s)
		if err == nil && g.String() != s {
			t.Errorf("%q is read as %q", s, g)
		}
	})
}

func TestWhatIsLeftOfAQuota(t *testing.T) {
	q := supportplan.Quota{Count: 3, Per: supportplan.Year}
	for used, want := range map[int]int{0: 3, 2: 1, 3: 0, 4: 0} {
		if got := q.Left(used); got != want {
			t.Errorf("after %d: %d, want %d", used, got, want)
		}
	}
}

func TestATextInALanguage(t *testing.T) {
	x := supportplan.Text{English: "visit", Korean: "방문"}
	for language, want := range map[string]string{"en": "visit", "ko": "방문", "fr": "visit"} {
		if got := x.In(language); got != want {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
	}
}

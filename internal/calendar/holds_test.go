package calendar_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/calendar"
)

// TestHoldsAgreesWithOpen goes from answer to answer and asks of every minute between whether the calendar is open.
func TestHoldsAgreesWithOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _, start := aCalendar(t)
		open, until := false, start
		for at := start; at.Before(start.AddDate(0, 0, watched)); at = at.Add(time.Minute) {
			if !until.IsZero() && !at.Before(until) {
				open, until = c.Holds(at)
				if !until.IsZero() && !until.After(at) {
					t.Fatalf("at %s: holds until %s", at, until)
				}
			}
			if c.Open(at) != open {
				t.Fatalf("at %s: open %t, but until %s it was to be %t", at, !open, until, open)
			}
		}
	})
}

func TestHolds(t *testing.T) {
	c, err := calendar.New(calendar.Rules{
		ID: "c", Zone: "Asia/Seoul", Until: calendar.DateOf(instant(t, "2026-11-06T00:00:00Z")),
		Weekly: []calendar.Weekly{{
			Days:  []calendar.Weekday{calendar.Thursday, calendar.Friday},
			Hours: calendar.Hours{From: 9 * 60, To: 18 * 60},
		}},
	}, zone(t, "Asia/Seoul"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at    string
		open  bool
		until string
	}{
		{"2026-11-05T08:59:59+09:00", false, "2026-11-05T09:00:00+09:00"},
		{"2026-11-05T09:00:00+09:00", true, "2026-11-05T18:00:00+09:00"},
		{"2026-11-05T18:00:00+09:00", false, "2026-11-06T09:00:00+09:00"},
		{"2026-11-06T18:00:00+09:00", false, ""}, // it has ended
	} {
		open, until := c.Holds(instant(t, tt.at))
		want := time.Time{}
		if tt.until != "" {
			want = instant(t, tt.until)
		}
		if open != tt.open || !until.Equal(want) {
			t.Errorf("at %s: got %t until %s, want %t until %s", tt.at, open, until, tt.open, tt.until)
		}
	}
}

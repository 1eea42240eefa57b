package incident_test

import (
	"testing"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
)

func TestAccessIsStaleAfterNinetyDays(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	verified, err := calendar.ParseDate("2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		triage *incident.Triage
		at     time.Time
		want   bool
	}{
		{"the same day", &incident.Triage{AccessVerified: verified}, time.Date(2026, 10, 1, 9, 0, 0, 0, seoul), false},
		{"before it", &incident.Triage{AccessVerified: verified}, time.Date(2026, 9, 1, 9, 0, 0, 0, seoul), false},
		{"the last good day", &incident.Triage{AccessVerified: verified}, time.Date(2026, 12, 30, 23, 59, 59, 0, seoul), false},
		{"the day after", &incident.Triage{AccessVerified: verified}, time.Date(2026, 12, 31, 0, 0, 0, 0, seoul), true},
		{"the day after in Seoul alone", &incident.Triage{AccessVerified: verified}, time.Date(2026, 12, 31, 0, 0, 0, 0, seoul).UTC(), false},
		{"nobody says when", &incident.Triage{}, time.Date(2030, 1, 1, 0, 0, 0, 0, seoul), false},
		{"no record", nil, time.Date(2030, 1, 1, 0, 0, 0, 0, seoul), false},
	} {
		if got := tc.triage.AccessStale(tc.at); got != tc.want {
			t.Errorf("%s: got %t", tc.name, got)
		}
	}
}

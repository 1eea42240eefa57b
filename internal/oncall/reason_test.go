package oncall_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// layered is a schedule of Seoul: weeks, over them office hours on weekdays from March until April, and some overrides.
func layered(t fatal) *oncall.Schedule {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	office, err := calendar.New(calendar.Rules{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
		Days:  []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday},
		Hours: calendar.Hours{From: 9 * 60, To: 18 * 60},
	}}}, seoul)
	if err != nil {
		t.Fatal(err)
	}
	wall := func(s string) oncall.WallTime {
		w, err := oncall.ParseWallTime(s)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	return &oncall.Schedule{
		ID: "primary", Zone: seoul,
		Layers: []oncall.Layer{
			{Name: "weeks", Rotation: oncall.Rotation{Start: wall("2026-01-05 09:00"), Shift: oncall.Length{N: 1, Unit: oncall.Weeks}, People: [][]string{{"kim"}, {"lee"}}}},
			{
				Name: "office", Until: wall("2026-04-01 09:00"), During: office,
				Rotation: oncall.Rotation{Start: wall("2026-03-02 09:00"), Shift: oncall.Length{N: 1, Unit: oncall.Days}, People: [][]string{{"park", "choi"}}},
			},
		},
		Overrides: []oncall.Override{
			{From: wall("2026-03-10 09:00").In(seoul), To: wall("2026-03-12 09:00").In(seoul), Change: oncall.Substitute, Person: "jung", InsteadOf: "park"},
			{From: wall("2026-03-11 00:00").In(seoul), To: wall("2026-03-12 00:00").In(seoul), Change: oncall.Remove, Person: "choi"},
		},
	}
}

func TestReasonsSayWhichLayerAndOverrideCount(t *testing.T) {
	s := layered(t)
	for _, tc := range []struct {
		at   string
		want []string
	}{
		{"2026-02-10 10:00", []string{"office not-begun", "weeks lee"}},
		{"2026-03-03 10:00", []string{"office park choi"}},
		{"2026-03-03 20:00", []string{"office closed", "weeks kim"}},
		{"2026-04-02 10:00", []string{"office over", "weeks kim"}},
		{"2026-03-10 10:00", []string{"office park choi", "substitute jung choi"}},
		{"2026-03-11 10:00", []string{"office park choi", "substitute jung choi", "remove jung"}},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", tc.at, s.Zone)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range s.Reasons(at) {
			line := r.Layer
			if r.Override != nil {
				line = string(r.Override.Change)
			}
			if r.Idle != "" {
				line += " " + string(r.Idle)
			}
			for _, p := range r.People {
				line += " " + p
			}
			got = append(got, line)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.at, got, tc.want)
		}
	}
}

func TestTheLastReasonIsWhoIsOnCall(t *testing.T) {
	s := layered(t)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 150*24*60).Draw(t, "minutes")) * time.Minute)
		all := s.Reasons(at)
		if last := all[len(all)-1].People; !slices.Equal(last, s.At(at)) && len(last)+len(s.At(at)) > 0 {
			t.Fatalf("%s: the last reason says %q, At %q", at, last, s.At(at))
		}
	})
}

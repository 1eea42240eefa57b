package visit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/routine"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/internal/visit"
)

var seoul = time.FixedZone("KST", 9*60*60)

// on is ten in the morning of a day.
func on(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 10, 0, 0, 0, seoul).UTC()
}

func occurrence(planned time.Time, fate routine.Fate) routine.Occurrence {
	return routine.Occurrence{Planned: planned, Begins: planned, Due: planned.AddDate(0, 0, 7), Fate: fate, Visits: "garam"}
}

func moved(o routine.Occurrence, to time.Time) routine.Occurrence {
	o.Begins, o.By = to, timeline.Actor{Kind: timeline.Person, ID: "kim"}
	return o
}

func of(year, bought int, uses []usage.Use, routines ...visit.Routine) visit.Year {
	t := visit.Terms{Customer: "garam", Name: "Garam", Year: year, Bought: bought, Routines: routines}
	t.From, t.To = time.Date(year, 1, 1, 0, 0, 0, 0, seoul), time.Date(year+1, 1, 1, 0, 0, 0, 0, seoul)
	return visit.Of(t, uses)
}

func lines(y visit.Year) (all []string) {
	for _, v := range y.Visits {
		line := v.At.In(seoul).Format("01-02 ") + string(v.State)
		if !v.Planned.IsZero() {
			line += v.Planned.In(seoul).Format(" from 01-02")
		}
		for _, s := range []string{v.Name, v.Run, v.Request} {
			if s != "" {
				line += " " + s
			}
		}
		if v.Late {
			line += " late"
		}
		all = append(all, line)
	}
	return all
}

func counts(y visit.Year) string {
	s := fmt.Sprintf("used %d, done %d, planned %d, moved %d", y.Counts.Used, y.Counts.Done, y.Counts.Planned, y.Counts.Moved)
	if y.Counts.Left != nil {
		s += fmt.Sprintf(", left %d, after %d", *y.Counts.Left, *y.Counts.After)
	}
	return s
}

// A year in October, with everything that can become of a visit in it, and what lies beyond its ends.
func TestTheVisitsOfAYear(t *testing.T) {
	late, running, uncounted := occurrence(on(2026, 7, 1), routine.Done), occurrence(on(2026, 9, 30), routine.Started), occurrence(on(2026, 9, 1), routine.Done)
	late.Late, late.Run, running.Run, uncounted.Run = true, "RUN-7", "RUN-10", "RUN-9"
	stranger := occurrence(on(2026, 2, 1), routine.Missed)
	stranger.Visits = "nuri"
	state := routine.Routine{
		Past:      []routine.Occurrence{stranger, occurrence(on(2026, 5, 1), routine.Missed), occurrence(on(2026, 6, 1), routine.Skipped), late, uncounted},
		Uncounted: []routine.Occurrence{uncounted},
		Running:   []routine.Occurrence{running},
		Ahead: []routine.Occurrence{
			moved(occurrence(on(2026, 11, 1), routine.Planned), on(2026, 11, 5)),
			moved(occurrence(on(2026, 11, 15), routine.Skipped), on(2026, 11, 15)),
			occurrence(on(2026, 12, 1), routine.Planned),
			moved(occurrence(on(2026, 12, 30), routine.Planned), on(2027, 1, 4)),
		},
	}
	uses := []usage.Use{
		{Request: "REQ-1", Feature: "visit", Visit: true, At: on(2026, 3, 1)},
		{Request: "REQ-2", Feature: "phone", At: on(2026, 3, 2)},
		{Request: "REQ-0", Feature: "visit", Visit: true, At: on(2025, 12, 31)},
		{Request: usage.OfRoutine("check", on(2026, 7, 1)), Visit: true, At: on(2026, 7, 1)},
		{Request: usage.OfRoutine("gone", on(2026, 4, 1)), Visit: true, At: on(2026, 4, 3)},
	}
	check := func(year ...time.Time) visit.Routine {
		r := visit.Routine{ID: "check", Name: "Check", State: &state}
		for _, at := range year {
			r.Slots = append(r.Slots, routine.Slot{Begins: at, Due: at.AddDate(0, 0, 7)})
		}
		return r
	}
	this := of(2026, 7, uses, check(on(2026, 11, 1), on(2026, 11, 15), on(2026, 12, 1), on(2026, 12, 30)))
	if d := cmp.Diff([]string{
		"03-01 used REQ-1", "04-03 done from 04-01", "05-01 missed Check", "06-01 skipped Check", "07-01 done Check RUN-7 late", "09-01 done Check RUN-9",
		"09-30 started Check RUN-10", "11-05 moved from 11-01 Check", "11-15 skipped Check", "12-01 planned Check",
	}, lines(this)); d != "" {
		t.Errorf("this year (-want +got):\n%s", d)
	}
	if got, want := counts(this), "used 4, done 3, planned 3, moved 1, left 3, after 0"; got != want {
		t.Errorf("this year: %s; want %s", got, want)
	}
	// What was moved over the end of the year is one of the next.
	next := of(2027, 1, uses, check(on(2027, 1, 30)))
	if d := cmp.Diff([]string{"01-04 moved from 12-30 Check", "01-30 planned Check"}, lines(next)); d != "" {
		t.Errorf("next year (-want +got):\n%s", d)
	}
	if got, want := counts(next), "used 0, done 0, planned 2, moved 1, left 1, after -1"; got != want {
		t.Errorf("next year: %s; want %s", got, want)
	}
}

// Without a number nothing is left and nothing is too much; a routine that nobody keeps yet has what the folder plans.
func TestVisitsWithoutANumber(t *testing.T) {
	y := of(2026, 0, nil, visit.Routine{ID: "check", Name: "Check", Slots: []routine.Slot{{Begins: on(2026, 3, 1)}}})
	if got, want := counts(y), "used 0, done 0, planned 1, moved 0"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if d := cmp.Diff([]string{"03-01 planned Check"}, lines(y)); d != "" {
		t.Error(d)
	}
}

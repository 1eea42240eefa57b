package oncall_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// What users of other systems complain of, as promises. The numbers are those of issues in the systems named.

// shifting are the zones and days on which a clock changes, by an hour and by half of one, forward and back.
func shifting() []struct{ zone, day string } {
	return []struct{ zone, day string }{
		{"Europe/London", "2026-03-29"},
		{"Europe/London", "2026-10-25"},
		{"America/Chicago", "2026-03-08"},
		{"America/Chicago", "2026-11-01"},
		{"Australia/Lord_Howe", "2026-04-05"},
		{"Australia/Lord_Howe", "2026-10-04"},
		{"Asia/Seoul", "2026-10-25"}, // never
	}
}

// After the end of daylight saving time schedules were an hour off, and had to be made anew: grafana/oncall#3261, #2950, #3576.
func TestHandOffsStayAtTheirTimeOfDayOverDST(t *testing.T) {
	for _, tt := range shifting() {
		z := zone(t, tt.zone)
		changes, err := time.ParseInLocation(time.DateOnly, tt.day, z)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []oncall.Layer{
			layer(t, "2026-01-05 09:00", 1, oncall.Days, "ann", "bob"),
			layer(t, "2026-01-05 09:00", 1, oncall.Weeks, "ann", "bob"),
			layer(t, "2026-01-05 09:00", 2, oncall.Months, "ann", "bob"),
			layer(t, "2026-01-05 09:00", 24, oncall.Hours, "ann", "bob"),
			layer(t, "2026-01-05 09:00", 48, oncall.Hours, "ann", "bob"),
		} {
			s := oncall.Schedule{Zone: z, Layers: []oncall.Layer{l}}
			shifts := s.Shifts(changes.AddDate(0, -6, 0), changes.AddDate(0, 6, 0))
			for _, f := range shifts[1:] {
				if got := f.From.In(z).Format("15:04"); got != "09:00" {
					t.Errorf("%s: a shift of %v begins at %s", tt.zone, l.Rotation.Shift, f.From.In(z))
				}
			}
			if len(shifts) < 3 {
				t.Errorf("%s: %d shifts of %v", tt.zone, len(shifts), l.Rotation.Shift)
			}
		}
	}
}

// Shifts of 12 hours that are counted in elapsed time drift from 09:00 to 10:00 in spring: the same complaint,
// grafana/oncall#3261.
func TestHalvesOfADayHandOverAtTheSameTimesAllYear(t *testing.T) {
	for _, tt := range shifting() {
		z := zone(t, tt.zone)
		s := oncall.Schedule{Zone: z, Layers: []oncall.Layer{layer(t, "2026-01-05 09:00", 12, oncall.Hours, "day", "night")}}
		for _, f := range s.Shifts(instant(t, "2026-01-06T12:00:00Z"), instant(t, "2027-01-06T12:00:00Z"))[1:] {
			got := f.From.In(z).Format("15:04 ") + people(f.People)
			if got != "09:00 day" && got != "21:00 night" {
				t.Fatalf("%s: %s on %s", tt.zone, got, f.From.In(z))
			}
		}
	}
}

// At a change of the clock there was a gap, or two were on call: grafana/oncall#5247.
func TestDSTMakesNoGapAndNoOverlap(t *testing.T) {
	for _, tt := range shifting() {
		z := zone(t, tt.zone)
		for _, start := range []string{"2026-01-05 00:00", "2026-01-05 01:30", "2026-01-05 02:00", "2026-01-05 09:00"} {
			for _, n := range []int{1, 5, 6, 24} {
				s := oncall.Schedule{Zone: z, Layers: []oncall.Layer{layer(t, start, n, oncall.Hours, "ann", "bob", "cho")}}
				day := instant(t, tt.day+"T00:00:00Z")
				end := day.AddDate(0, 0, -1)
				for _, f := range s.Shifts(day.AddDate(0, 0, -1), day.AddDate(0, 0, 2)) {
					if !f.From.Equal(end) || len(f.People) != 1 {
						t.Errorf("%s, %d hours from %s: after %s comes %v", tt.zone, n, start, end.In(z), f)
					}
					end = f.To
				}
			}
		}
	}
}

// A shift was shortened when the clock changed: grafana/oncall#5455. A day on call is as long as the day is.
func TestOnlyTheShiftInWhichTheClockChangesIsLongerOrShorter(t *testing.T) {
	for _, tt := range []struct {
		zone, day string
		want      time.Duration
	}{
		{"Europe/London", "2026-03-29", 23 * time.Hour},
		{"Europe/London", "2026-10-25", 25 * time.Hour},
		{"America/Chicago", "2026-11-01", 25 * time.Hour},
		{"Australia/Lord_Howe", "2026-04-05", 24*time.Hour + 30*time.Minute},
		{"Australia/Lord_Howe", "2026-10-04", 23*time.Hour + 30*time.Minute},
		{"Asia/Seoul", "2026-03-29", 24 * time.Hour},
	} {
		z := zone(t, tt.zone)
		s := oncall.Schedule{Zone: z, Layers: []oncall.Layer{layer(t, "2026-01-05 00:00", 1, oncall.Days, "ann", "bob")}}
		midnight, err := time.ParseInLocation(time.DateOnly, tt.day, z)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Shifts(midnight.AddDate(0, 0, -3), midnight.AddDate(0, 0, 4)) {
			want := 24 * time.Hour
			if f.From.Equal(midnight) {
				want = tt.want
			}
			if got := f.To.Sub(f.From); got != want {
				t.Errorf("%s: the shift from %s lasts %s, want %s", tt.zone, f.From.In(z), got, want)
			}
		}
	}
}

// Daily shifts outside of UTC fell on the wrong day: grafana/oncall#4197, grafana/terraform-provider-grafana#1330.
func TestDailyShiftsBeginOnTheirOwnDayInEveryZone(t *testing.T) {
	for _, name := range []string{"Asia/Seoul", "America/Chicago", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"} {
		z := zone(t, name)
		for _, start := range []string{"2026-01-05 00:00", "2026-01-05 08:30", "2026-01-05 23:59"} {
			s := oncall.Schedule{Zone: z, Layers: []oncall.Layer{
				layer(t, start, 1, oncall.Days, "mon", "tue", "wed", "thu", "fri", "sat", "sun"),
			}}
			for day := range 7 {
				begins, err := time.ParseInLocation("2006-01-02 15:04", start, z)
				if err != nil {
					t.Fatal(err)
				}
				begins = begins.AddDate(0, 0, day)
				if got, want := people(s.At(begins)), begins.Format("Mon"); got == "" || got != lower(want) {
					t.Errorf("%s: at %s: got %s, want %s", name, begins, got, want)
				}
				if got := people(s.At(begins.Add(-1))); got == lower(begins.Format("Mon")) {
					t.Errorf("%s: before %s: %s already", name, begins, got)
				}
			}
		}
	}
}

func lower(day string) string { return string(day[0]|0x20) + day[1:] }

// A range of hours was in UTC while people read it in their own zone, or wanted it in that of who is on call:
// grafana/oncall#2781, #2817, #5512. A restriction is a calendar, which has a zone of its own.
func TestHoursOfALayerAreThoseOfItsCalendarsZone(t *testing.T) {
	seoul, chicago := zone(t, "Asia/Seoul"), zone(t, "America/Chicago")
	follow := layer(t, "2026-01-05 00:00", 1, oncall.Weeks, "chuck")
	follow.During = hours(t, chicago, calendar.Monday, calendar.Sunday, "09:00", "17:00")
	s := oncall.Schedule{Zone: seoul, Layers: []oncall.Layer{layer(t, "2026-01-05 00:00", 1, oncall.Weeks, "kim"), follow}}
	for _, tt := range []struct{ at, want string }{
		{"2026-03-06T08:59:59-06:00", "kim"},
		{"2026-03-06T09:00:00-06:00", "chuck"},
		{"2026-03-06T16:59:59-06:00", "chuck"},
		{"2026-03-06T17:00:00-06:00", "kim"},
		{"2026-03-09T08:59:59-05:00", "kim"}, // summer in Chicago, nothing in Seoul
		{"2026-03-09T09:00:00-05:00", "chuck"},
		{"2026-03-09T17:00:00-05:00", "kim"},
	} {
		if got := people(s.At(instant(t, tt.at))); got != tt.want {
			t.Errorf("at %s: got %s, want %s", tt.at, got, tt.want)
		}
	}
}

// Days of the week could not be told apart, and working hours not from the rest; one system was always outside of working
// hours: grafana/oncall#558, #4752, #2700, #3360.
func TestWorkingHoursAndTheRestHavePeopleOfTheirOwn(t *testing.T) {
	london := zone(t, "Europe/London")
	office := layer(t, "2026-10-19 09:00", 1, oncall.Weeks, "desk")
	office.During = hours(t, london, calendar.Monday, calendar.Friday, "09:00", "17:30")
	weekend := layer(t, "2026-10-19 09:00", 1, oncall.Weeks, "weekend")
	weekend.During = hours(t, london, calendar.Saturday, calendar.Sunday, "00:00", "24:00")
	s := oncall.Schedule{Zone: london, Layers: []oncall.Layer{layer(t, "2026-10-19 09:00", 1, oncall.Weeks, "nights"), office, weekend}}
	got := written(s.Shifts(instant(t, "2026-10-23T12:00:00+01:00"), instant(t, "2026-10-26T18:00:00Z")), london)
	want := []string{ // the clock is put back on the Sunday
		"Fri 10-23 12:00 desk", "Fri 10-23 17:30 nights", "Sat 10-24 00:00 weekend", "Mon 10-26 00:00 nights", "Mon 10-26 09:00 desk",
		"Mon 10-26 17:30 nights",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Where a schedule did not cover all hours, the owner of the plan was paged instead: linkedin/iris#330; others wanted to know
// when nobody is on call: grafana/oncall#174, #4846.
func TestOutsideOfAScheduleNobodyIsOnCallAndTheGapIsFound(t *testing.T) {
	seoul := zone(t, "Asia/Seoul")
	office := layer(t, "2026-01-05 09:00", 1, oncall.Weeks, "ann", "bob")
	office.During = hours(t, seoul, calendar.Monday, calendar.Friday, "09:00", "18:00", "2026-01-06")
	s := oncall.Schedule{Zone: seoul, Layers: []oncall.Layer{office}}
	if got := s.At(instant(t, "2026-01-05T18:00:00+09:00")); len(got) > 0 {
		t.Errorf("got %q, want nobody", got)
	}
	var got []string
	for _, g := range s.Gaps(instant(t, "2026-01-05T09:00:00+09:00"), instant(t, "2026-01-08T12:00:00+09:00")) {
		got = append(got, g.From.In(seoul).Format("Mon 15:04")+"-"+g.To.In(seoul).Format("Mon 15:04"))
	}
	if diff := cmp.Diff([]string{"Mon 18:00-Wed 09:00", "Wed 18:00-Thu 09:00"}, got); diff != "" {
		t.Error(diff)
	}
}

// Somebody on holiday stayed on call, and nobody saw it: grafana/oncall#322, grafana/grafana#106464. Whoever takes a person
// off either names who stands in, or sees the gap.
func TestAHolidayIsCoveredOrIsAGap(t *testing.T) {
	const from, to = "2026-01-05T00:00:00Z", "2026-01-19T00:00:00Z"
	s := oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{layer(t, from[:10]+" 00:00", 1, oncall.Weeks, "ann", "bob")}}
	s.Overrides = []oncall.Override{remove(t, "2026-01-08T00:00:00Z", "2026-01-14T00:00:00Z", "ann")}
	want := []string{"Mon 01-05 00:00 ann", "Thu 01-08 00:00 ", "Mon 01-12 00:00 bob"}
	if diff := cmp.Diff(want, written(s.Shifts(instant(t, from), instant(t, to)), time.UTC)); diff != "" {
		t.Error(diff)
	}
	if gaps := s.Gaps(instant(t, from), instant(t, to)); len(gaps) != 1 || !gaps[0].From.Equal(instant(t, "2026-01-08T00:00:00Z")) {
		t.Error(gaps)
	}
	s.Overrides = []oncall.Override{substitute(t, "2026-01-08T00:00:00Z", "2026-01-14T00:00:00Z", "cho", "ann")}
	want[1] = "Thu 01-08 00:00 cho"
	if diff := cmp.Diff(want, written(s.Shifts(instant(t, from), instant(t, to)), time.UTC)); diff != "" {
		t.Error(diff)
	}
}

// To cover someone's shifts made an override that never ended and merged the shifts: target/goalert#4362. It ends when it
// says, and the shifts beside it stay what they were.
func TestAnOverrideEndsAndDoesNotMergeShifts(t *testing.T) {
	s := oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{layer(t, "2026-01-05 09:00", 1, oncall.Days, "ann", "bob", "cho")}}
	from, to := instant(t, "2026-01-05T09:00:00Z"), instant(t, "2026-01-11T09:00:00Z")
	s.Overrides = []oncall.Override{substitute(t, "2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z", "dan", "ann")}
	want := []string{
		"Mon 01-05 09:00 dan", "Tue 01-06 09:00 bob", "Wed 01-07 09:00 cho", "Thu 01-08 09:00 ann", "Fri 01-09 09:00 bob", "Sat 01-10 09:00 cho",
	}
	if diff := cmp.Diff(want, written(s.Shifts(from, to), time.UTC)); diff != "" {
		t.Error(diff)
	}
	s.Overrides = []oncall.Override{replace(t, "2026-01-06T08:00:00Z", "2026-01-07T10:00:00Z", "dan")} // spans two hand-offs
	want = []string{
		"Mon 01-05 09:00 ann", "Tue 01-06 08:00 dan", "Wed 01-07 10:00 cho", "Thu 01-08 09:00 ann", "Fri 01-09 09:00 bob", "Sat 01-10 09:00 cho",
	}
	if diff := cmp.Diff(want, written(s.Shifts(from, to), time.UTC)); diff != "" {
		t.Error(diff)
	}
}

// To replace somebody added one person and removed another, each by itself, so that it put people on call who were to
// replace nobody: target/goalert#4306.
func TestASubstituteIsOnCallOnlyWhereTheOtherWouldBe(t *testing.T) {
	s := oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{layer(t, "2026-01-05 09:00", 1, oncall.Days, "ann", "bob")}}
	s.Overrides = []oncall.Override{substitute(t, "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z", "dan", "ann")}
	for _, f := range s.Shifts(instant(t, "2026-01-04T00:00:00Z"), instant(t, "2026-01-12T00:00:00Z")) {
		if got := people(f.People); got == "ann" || got != "dan" && got != "bob" && f.From.After(instant(t, "2026-01-05T00:00:00Z")) {
			t.Errorf("from %s: %q", f.From, got)
		}
	}
	if got := s.At(instant(t, "2026-01-05T08:00:00Z")); len(got) > 0 { // ann is not on call yet
		t.Errorf("got %q", got)
	}
}

// What was shown did not know of overrides, so people believed they were on call, or not: grafana/oncall#1296, #4755. All
// answers come from one function, so they agree; here for an override over an override.
func TestEveryAnswerObeysOverrides(t *testing.T) {
	s := oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{layer(t, "2026-01-05 09:00", 1, oncall.Weeks, "ann", "bob")}}
	s.Overrides = []oncall.Override{
		replace(t, "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z", "cho"),
		remove(t, "2026-01-07T00:00:00Z", "2026-01-07T06:00:00Z", "cho"),
	}
	at := instant(t, "2026-01-05T12:00:00Z")
	want := oncall.Shift{From: instant(t, "2026-01-06T00:00:00Z"), To: instant(t, "2026-01-07T00:00:00Z"), People: []string{"cho"}}
	if got, _ := s.Next(at); !cmp.Equal(got, want) {
		t.Error("next", got)
	}
	if got, _ := s.NextOf("cho", at); !cmp.Equal(got, want) {
		t.Error("next of cho", got)
	}
	if got := s.Current(want.From); !cmp.Equal(got, want) {
		t.Error("current", got)
	}
	gap := oncall.Shift{From: want.To, To: instant(t, "2026-01-07T06:00:00Z")}
	if diff := cmp.Diff([]oncall.Shift{gap}, s.Gaps(at, at.AddDate(0, 0, 7))); diff != "" {
		t.Error("gaps", diff)
	}
	if got := s.At(gap.From); len(got) > 0 {
		t.Error("at", got)
	}
	if got, _ := s.NextOf("ann", at); !got.From.Equal(instant(t, "2026-01-08T00:00:00Z")) {
		t.Error("next of ann", got)
	}
}

package oncall_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// hours is a calendar of one kind of days: "mon fri 09:00 18:00".
func hours(t fatal, zone *time.Location, first, last calendar.Weekday, from, to string, holidays ...string) *calendar.Calendar {
	r := calendar.Rules{ID: "hours", Zone: zone.String()}
	in := false
	w := calendar.Weekly{Hours: calendar.Hours{From: timeOfDay(t, from), To: timeOfDay(t, to)}}
	for _, d := range calendar.Weekdays() {
		if in = in || d == first; in {
			w.Days = append(w.Days, d)
		}
		in = in && d != last
	}
	r.Weekly = []calendar.Weekly{w}
	for _, day := range holidays {
		d, err := calendar.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		r.Holidays = append(r.Holidays, d)
	}
	c, err := calendar.New(r, zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func timeOfDay(t fatal, s string) calendar.TimeOfDay {
	v, err := calendar.ParseTimeOfDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// written writes shifts as people read them: "Mon 05-01 09:00 ann+bob".
func written(shifts []oncall.Shift, zone *time.Location) (all []string) {
	for _, f := range shifts {
		all = append(all, f.From.In(zone).Format("Mon 01-02 15:04 ")+people(f.People))
	}
	return all
}

func replace(t testing.TB, from, to, person string) oncall.Override {
	return oncall.Override{From: instant(t, from), To: instant(t, to), Change: oncall.Replace, Person: person}
}

func substitute(t testing.TB, from, to, person, insteadOf string) oncall.Override {
	return oncall.Override{From: instant(t, from), To: instant(t, to), Change: oncall.Substitute, Person: person, InsteadOf: insteadOf}
}

func add(t testing.TB, from, to, person string) oncall.Override {
	return oncall.Override{From: instant(t, from), To: instant(t, to), Change: oncall.Add, Person: person}
}

func remove(t testing.TB, from, to, person string) oncall.Override {
	return oncall.Override{From: instant(t, from), To: instant(t, to), Change: oncall.Remove, Person: person}
}

// A layer wins while it has somebody on call. Before its start, after its end and while its calendar is closed, the one
// below it shows through.
func TestALaterLayerWinsWhileItHasSomebody(t *testing.T) {
	seoul := zone(t, "Asia/Seoul")
	nights := layer(t, "2026-01-05 18:00", 1, oncall.Days, "ann", "bob")
	office := layer(t, "2026-01-07 09:00", 1, oncall.Weeks, "cho")
	office.During = hours(t, seoul, calendar.Monday, calendar.Friday, "09:00", "18:00", "2026-01-08")
	office.Until = wall(t, "2026-01-09 12:00")
	s := oncall.Schedule{Zone: seoul, Layers: []oncall.Layer{nights, office}}
	got := written(s.Shifts(instant(t, "2026-01-05T00:00:00+09:00"), instant(t, "2026-01-11T00:00:00+09:00")), seoul)
	want := []string{
		"Mon 01-05 00:00 ", // nobody has begun
		"Mon 01-05 18:00 ann",
		"Tue 01-06 18:00 bob",
		"Wed 01-07 09:00 cho",
		"Wed 01-07 18:00 ann", // Thursday is a holiday
		"Thu 01-08 18:00 bob",
		"Fri 01-09 09:00 cho",
		"Fri 01-09 12:00 bob", // the layer has ended
		"Fri 01-09 18:00 ann",
		"Sat 01-10 18:00 bob",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPeopleOfOneShiftAreOnCallTogether(t *testing.T) {
	s := oncall.Schedule{Zone: time.UTC, Layers: []oncall.Layer{{Rotation: oncall.Rotation{
		Start: wall(t, "2026-01-05 09:00"), Shift: oncall.Length{N: 1, Unit: oncall.Days}, People: [][]string{{"ann", "bob"}, {"bob", "cho"}},
	}}}}
	got := written(s.Shifts(instant(t, "2026-01-05T09:00:00Z"), instant(t, "2026-01-08T00:00:00Z")), time.UTC)
	if diff := cmp.Diff([]string{"Mon 01-05 09:00 ann+bob", "Tue 01-06 09:00 bob+cho", "Wed 01-07 09:00 ann+bob"}, got); diff != "" {
		t.Error(diff)
	}
	// Bob stays on call over the hand-offs of the others.
	if got, ok := s.NextOf("bob", instant(t, "2026-01-05T00:00:00Z")); !ok || !got.From.Equal(instant(t, "2026-01-05T09:00:00Z")) || !got.To.IsZero() {
		t.Error(got)
	}
	if got, ok := s.NextOf("bob", instant(t, "2026-01-05T10:00:00Z")); ok {
		t.Error(got)
	}
}

func TestOverrides(t *testing.T) {
	const day, next = "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"
	team := [][]string{{"ann", "bob"}}
	for _, tt := range []struct {
		name      string
		overrides []oncall.Override
		want      string
	}{
		{"none", nil, "ann+bob"},
		{"replace everybody", []oncall.Override{replace(t, day, next, "cho")}, "cho"},
		{"replace by somebody who is on call", []oncall.Override{replace(t, day, next, "bob")}, "bob"},
		{"instead of one", []oncall.Override{substitute(t, day, next, "cho", "ann")}, "cho+bob"},
		{"instead of one, by the other", []oncall.Override{substitute(t, day, next, "bob", "ann")}, "bob"},
		{"instead of somebody who is not on call", []oncall.Override{substitute(t, day, next, "cho", "dan")}, "ann+bob"},
		{"add", []oncall.Override{add(t, day, next, "cho")}, "ann+bob+cho"},
		{"add somebody who is on call", []oncall.Override{add(t, day, next, "ann")}, "ann+bob"},
		{"remove one", []oncall.Override{remove(t, day, next, "ann")}, "bob"},
		{"remove somebody who is not on call", []oncall.Override{remove(t, day, next, "dan")}, "ann+bob"},
		{"remove everybody: a gap", []oncall.Override{remove(t, day, next, "ann"), remove(t, day, next, "bob")}, ""},
		{"a later one applies after an earlier one", []oncall.Override{replace(t, day, next, "cho"), substitute(t, day, next, "dan", "cho")}, "dan"},
		{"and not before it", []oncall.Override{substitute(t, day, next, "dan", "cho"), replace(t, day, next, "cho")}, "cho"},
		{"add into a gap", []oncall.Override{remove(t, day, next, "ann"), remove(t, day, next, "bob"), add(t, day, next, "cho")}, "cho"},
		{"one that ends before it begins does nothing", []oncall.Override{replace(t, next, day, "cho")}, "ann+bob"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := oncall.Schedule{Zone: time.UTC, Overrides: tt.overrides, Layers: []oncall.Layer{{Rotation: oncall.Rotation{
				Start: wall(t, "2026-01-05 09:00"), Shift: oncall.Length{N: 1, Unit: oncall.Weeks}, People: team,
			}}}}
			if got := people(s.At(instant(t, "2026-01-06T12:00:00Z"))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if diff := cmp.Diff([][]string{{"ann", "bob"}}, team); diff != "" {
				t.Error("the rotation was changed", diff)
			}
		})
	}
}

func TestNextAndCurrent(t *testing.T) {
	seoul := zone(t, "Asia/Seoul")
	office := layer(t, "2020-01-06 09:00", 1, oncall.Weeks, "bob", "ann") // 313 weeks before
	office.During = hours(t, seoul, calendar.Monday, calendar.Friday, "09:00", "18:00")
	s := oncall.Schedule{Zone: seoul, Layers: []oncall.Layer{office}}
	friday := instant(t, "2026-01-09T12:00:00+09:00")
	shift := func(from, to string, people ...string) oncall.Shift {
		f := oncall.Shift{People: people}
		if from != "" {
			f.From = instant(t, from)
		}
		if to != "" {
			f.To = instant(t, to)
		}
		return f
	}
	monday := shift("2026-01-12T09:00:00+09:00", "2026-01-12T18:00:00+09:00", "bob")
	if diff := cmp.Diff(shift("2026-01-09T09:00:00+09:00", "2026-01-09T18:00:00+09:00", "ann"), s.Current(friday)); diff != "" {
		t.Error(diff)
	}
	if got, ok := s.Next(friday); !ok || !cmp.Equal(got, monday) { // over the gap of the weekend
		t.Error(got)
	}
	if got, ok := s.NextOf("ann", friday); !ok || !cmp.Equal(got, shift("2026-01-19T09:00:00+09:00", "2026-01-19T18:00:00+09:00", "ann")) {
		t.Error(got)
	}
	if got, ok := s.NextOf("cho", friday); ok {
		t.Error(got)
	}
	alone := oncall.Schedule{Zone: seoul, Layers: []oncall.Layer{layer(t, "2020-01-06 09:00", 1, oncall.Hours, "ann")}}
	if diff := cmp.Diff(shift("", "", "ann"), alone.Current(friday)); diff != "" {
		t.Error("nobody hands over to nobody", diff)
	}
	if got, ok := alone.Next(friday); ok {
		t.Error(got)
	}
	if diff := cmp.Diff(shift("", ""), (&oncall.Schedule{}).Current(friday)); diff != "" {
		t.Error("a schedule of nobody", diff)
	}
}

package oncall_test

import (
	"testing"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// threeLayers is a schedule as it may be in use for years: nights by the week, a desk in office hours, another one at weekends,
// and what was agreed beside it.
func threeLayers(b *testing.B) *oncall.Schedule {
	seoul := zone(b, "Asia/Seoul")
	office := layer(b, "2020-01-06 09:00", 12, oncall.Hours, "cho", "dan")
	office.During = hours(b, seoul, calendar.Monday, calendar.Friday, "09:00", "18:00")
	weekend := layer(b, "2020-01-04 00:00", 1, oncall.Days, "eve", "fay")
	weekend.During = hours(b, seoul, calendar.Saturday, calendar.Sunday, "00:00", "24:00")
	return &oncall.Schedule{
		Zone:   seoul,
		Layers: []oncall.Layer{layer(b, "2020-01-06 09:00", 1, oncall.Weeks, "ann", "bob"), office, weekend},
		Overrides: []oncall.Override{
			replace(b, "2026-01-20T00:00:00Z", "2026-01-22T00:00:00Z", "gil"),
			substitute(b, "2026-02-01T00:00:00Z", "2026-02-20T00:00:00Z", "gil", "ann"),
		},
	}
}

func BenchmarkAt(b *testing.B) {
	s, at := threeLayers(b), instant(b, "2026-01-07T20:00:00Z") // all three layers are asked
	b.ReportAllocs()
	for b.Loop() {
		s.At(at)
	}
}

func BenchmarkShiftsOf90Days(b *testing.B) {
	s, from := threeLayers(b), instant(b, "2026-01-07T20:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		s.Shifts(from, from.AddDate(0, 0, 90))
	}
}

// Package period counts what happened in a week, a month, a quarter or a year from the states of runs as bundles hold them. It
// reads no files and no clock, and does not know what a bundle looks like.
package period

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"muster/internal/calendar"
	"muster/internal/oncall"
)

// A Kind is how long a period is.
type Kind string

// The kinds of periods. These strings stand in reports: add, never rename.
const (
	Week    Kind = "week"
	Month   Kind = "month"
	Quarter Kind = "quarter"
	Year    Kind = "year"
)

// A Period is a week, a month, a quarter or a year of the calendar, whatever the zone.
type Period struct {
	Kind  Kind
	name  string
	first calendar.Date // its first day …
	next  calendar.Date // … and the first day that is no longer in it
}

var written = regexp.MustCompile(`^([0-9]{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])|W([0-5][0-9])))?$`)

// Parse reads "2026-11", "2026-Q4", "2026-W48" (a week of ISO 8601, which begins on a Monday) or "2026".
func Parse(s string) (Period, error) {
	m := written.FindStringSubmatch(s)
	wrong := fmt.Errorf("period %q: want a month such as 2026-11, a quarter such as 2026-Q4, a week such as 2026-W48, or a year", s)
	if m == nil || m[1] < "1971" {
		return Period{}, wrong
	}
	year, _ := strconv.Atoi(m[1])
	p := Period{Kind: Year, name: s, first: day(year, 1), next: day(year+1, 1)}
	switch {
	case m[2] != "":
		month, _ := strconv.Atoi(m[2])
		p.Kind, p.first, p.next = Month, day(year, month), day(year, month+1)
	case m[3] != "":
		quarter, _ := strconv.Atoi(m[3])
		p.Kind, p.first, p.next = Quarter, day(year, 3*quarter-2), day(year, 3*quarter+1)
	case m[4] != "":
		week, _ := strconv.Atoi(m[4])
		fourth := day(year, 1) + 3 // of January: it is always in the first week
		p.Kind, p.first = Week, fourth-calendar.Date((int(fourth.Weekday())+6)%7)+calendar.Date(7*(week-1))
		p.next = p.first + 7
		if thursday := p.first + 3; week == 0 || thursday.Year() != year {
			return Period{}, fmt.Errorf("period %q: %d has no such week; want 01 to %d", s, year, weeks(year))
		}
	}
	return p, nil
}

// weeks is how many weeks a year has. The 28th of December is always in the last one.
func weeks(year int) int {
	_, week := time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
	return week
}

// day is the first day of a month. The thirteenth is the first of the next year.
func day(year, month int) calendar.Date {
	return calendar.DateOf(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC))
}

// String returns what Parse reads.
func (p Period) String() string { return p.name }

// Bounds returns the first instant at which the clock on the wall has reached the period, and the first at which it has reached the
// next one: an hour that the clock skips or shows twice belongs to the period in which it does so.
func (p Period) Bounds(zone *time.Location) (from, to time.Time) {
	return begins(p.first, zone), begins(p.next, zone)
}

// Days are the first and the last day.
func (p Period) Days() (first, last calendar.Date) { return p.first, p.next - 1 }

func begins(d calendar.Date, zone *time.Location) time.Time {
	w, err := oncall.ParseWallTime(d.String() + " 00:00")
	if err != nil { // no Date is written otherwise
		return time.Time{}
	}
	return w.In(zone)
}

// Parts are the months of a quarter or a year. A month or a week is one part.
func (p Period) Parts() (parts []Period) {
	if p.Kind == Week || p.Kind == Month {
		return []Period{p}
	}
	for d := p.first; d < p.next; {
		name := d.String()[:len("2006-01")]
		next := d + 31
		next -= calendar.Date(dayOfMonth(next) - 1)
		parts = append(parts, Period{Kind: Month, name: name, first: d, next: next})
		d = next
	}
	return parts
}

func dayOfMonth(d calendar.Date) int {
	n, _ := strconv.Atoi(d.String()[len("2006-01-"):])
	return n
}

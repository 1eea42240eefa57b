// Package calendar says when a calendar is open, and computes with the time in which it is. The clock on the wall decides
// what is open, elapsed time decides how much. It reads no clock and no files: the zone is an argument, as the instant is.
package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Rules are a calendar as it is written down: plain data to be kept with what was promised under it.
//
// Hours belong to the day on which they begin, also those that end on the next. They begin at the first instant at which
// the clock on the wall has reached From, and end at the first at which it has reached To: of a time that the clock shows
// twice, when it is put back, the first counts; for one that it leaves out, when it is put forward, the instant at which
// it jumps.
type Rules struct {
	ID         string      `json:"id"`
	Zone       string      `json:"zone"` // IANA name
	Weekly     []Weekly    `json:"weekly,omitempty"`
	Holidays   Dates       `json:"holidays,omitempty"`   // days without the hours of their weekday, in their order
	Exceptions []Exception `json:"exceptions,omitempty"` // win over weekday and holiday
	From       Date        `json:"from,omitzero"`        // before this day it is closed
	Until      Date        `json:"until,omitzero"`       // after this day it is closed
	KnownUntil Date        `json:"known_until,omitzero"` // after this day holidays may be missing
}

// Equal tells whether two calendars are the same, with the same hours on every day.
func (r Rules) Equal(s Rules) bool {
	return r.ID == s.ID && r.Zone == s.Zone && r.From == s.From && r.Until == s.Until && r.KnownUntil == s.KnownUntil &&
		slices.Equal(r.Holidays, s.Holidays) &&
		slices.EqualFunc(r.Weekly, s.Weekly, func(a, b Weekly) bool { return a.Hours == b.Hours && slices.Equal(a.Days, b.Days) }) &&
		slices.EqualFunc(r.Exceptions, s.Exceptions, func(a, b Exception) bool { return a.Date == b.Date && slices.Equal(a.Hours, b.Hours) })
}

// Weekly are hours that come round every week.
type Weekly struct {
	Days []Weekday `json:"days"`
	Hours
}

// An Exception replaces the hours of one day: by none, or by others.
type Exception struct {
	Date  Date    `json:"date"`
	Hours []Hours `json:"hours,omitempty"`
}

// Hours are from one time of day until just before another, on the next day if that is not later: 22:00 to 06:00 is a
// night, 00:00 to 24:00 a whole day.
type Hours struct {
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"`
}

// end counts from the same midnight as From.
func (h Hours) end() TimeOfDay {
	if h.To <= h.From {
		return h.To + wholeDay
	}
	return h.To
}

// Validate says all that is wrong with the rules, but for what only the zone can tell: New finds that.
func (r Rules) Validate() []error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("calendar %s: "+format, append([]any{r.ID}, args...)...))
	}
	for _, w := range r.Weekly {
		for _, d := range w.Days {
			if !slices.Contains(Weekdays(), d) {
				fault("day %q: want %s", d, Weekdays())
			}
		}
		if !w.Valid() {
			fault("hours %s: want from 00:00 to 24:00, and two different times", w.Hours)
		}
	}
	if a, b, ok := overlap(r.week()); ok && len(faults) == 0 {
		fault("%s and %s overlap", a, b)
	}
	seen := map[Date]bool{}
	for _, e := range r.Exceptions {
		if seen[e.Date] {
			fault("exception %s: named twice", e.Date)
		}
		seen[e.Date] = true
		for _, err := range e.Validate() {
			fault("%w", err)
		}
	}
	if r.Until != 0 && r.Until < r.From {
		fault("until %s: want a day that is not before from, %s", r.Until, r.From)
	}
	return faults
}

// Validate says all that is wrong with the hours of an exception.
func (e Exception) Validate() []error {
	var faults []error
	var day []part
	for _, h := range e.Hours {
		if !h.Valid() {
			faults = append(faults, fmt.Errorf("exception %s: hours %s: want from 00:00 to 24:00, and two different times", e.Date, h))
		}
		day = append(day, part{h.From, h.end(), h.String()})
	}
	if a, b, ok := overlap(day); ok {
		faults = append(faults, fmt.Errorf("exception %s: %s and %s overlap", e.Date, a, b))
	}
	return faults
}

// Valid tells whether the hours are some: not from a time to the same time, nor beyond 24:00.
func (h Hours) Valid() bool {
	return 0 <= h.From && h.From < wholeDay && 0 <= h.To && h.To <= wholeDay && h.From != h.To
}

// String returns "09:00-18:00".
func (h Hours) String() string { return h.From.String() + "-" + h.To.String() }

// A part is a part of a week or a day, in minutes from its beginning.
type part struct {
	from, to TimeOfDay
	written  string
}

// week returns the hours of all weekdays. Those of Monday come round once more at the end, for Sunday may run into them.
func (r Rules) week() (parts []part) {
	for _, w := range r.Weekly {
		for _, d := range w.Days {
			n := TimeOfDay(slices.Index(Weekdays(), d))
			p := part{n*wholeDay + w.From, n*wholeDay + w.end(), string(d) + " " + w.Hours.String()}
			parts = append(parts, p)
			if n == 0 {
				parts = append(parts, part{p.from + 7*wholeDay, p.to + 7*wholeDay, p.written})
			}
		}
	}
	return parts
}

// overlap returns two parts that share a minute.
func overlap(parts []part) (a, b string, ok bool) {
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for n := 1; n < len(parts); n++ {
		if parts[n].from < parts[n-1].to {
			return parts[n-1].written, parts[n].written, true
		}
	}
	return "", "", false
}

// ErrEnds is in the error of an operation for which a calendar has not enough open time, up to its end or in 100 years.
var ErrEnds = errors.New("not so much open time")

// A Calendar answers for rules in a zone. It never changes and is safe for concurrent use.
type Calendar struct {
	rules   Rules
	zone    *time.Location
	weekly  [7][]Hours // by time.Weekday
	special []Exception
}

// New returns the calendar of rules, given the zone that they name. Its error joins all that is wrong with them; a calendar
// that never opens is refused.
func New(r Rules, zone *time.Location) (*Calendar, error) {
	faults := r.Validate()
	if zone.String() != r.Zone {
		faults = append(faults, fmt.Errorf("calendar %s: zone %s: got the rules of zone %s", r.ID, r.Zone, zone))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c := &Calendar{rules: r, zone: zone, special: slices.Clone(r.Exceptions)}
	for _, w := range r.Weekly {
		for _, d := range w.Days {
			c.weekly[d.weekday()] = append(c.weekly[d.weekday()], w.Hours)
		}
	}
	for _, hours := range c.weekly {
		sortHours(hours)
	}
	for _, day := range r.Holidays {
		c.special = append(c.special, Exception{Date: day})
	}
	// Stable, so that of one day the exception stays before the holiday and is the one that stays.
	slices.SortStableFunc(c.special, func(a, b Exception) int { return cmp.Compare(a.Date, b.Date) })
	c.special = slices.CompactFunc(c.special, func(a, b Exception) bool { return a.Date == b.Date })
	for n, e := range c.special {
		c.special[n].Hours = slices.Clone(e.Hours)
		sortHours(c.special[n].Hours)
	}
	if _, opens := c.NextOpen(c.beginning()); !opens {
		return nil, fmt.Errorf("calendar %s: it never opens", r.ID)
	}
	return c, nil
}

func sortHours(hours []Hours) {
	slices.SortFunc(hours, func(a, b Hours) int { return cmp.Compare(a.From, b.From) })
}

// beginning is an instant after which the calendar opens soon, if it ever does: a week before anything in it is special.
func (c *Calendar) beginning() time.Time {
	first := c.rules.From
	if first == 0 {
		first = c.rules.Until
		if len(c.special) > 0 && (first == 0 || c.special[0].Date < first) {
			first = c.special[0].Date
		}
		first -= 7
	}
	return time.Unix((first - 1).wall(0), 0)
}

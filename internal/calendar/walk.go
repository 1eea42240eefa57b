package calendar

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// horizon bounds every search: nothing that is promised lies further ahead, in days.
const horizon = 100 * 366

// A stretch is open time without a gap, of the hours of one day.
type stretch struct {
	day      Date
	from, to time.Time
}

// A walk goes through the open time of a calendar in its order.
type walk struct {
	*Calendar

	clock   clock
	day     Date    // the walk has come to
	hours   []Hours // of that day that are still ahead
	last    Date
	special []Exception // after that day
	covered int64       // on the wall, up to where open time has been found
}

// walk begins with the hours that are open at t, or sooner. In the zone t shows today, and only hours of yesterday may
// last so long.
func (c *Calendar) walk(t time.Time) *walk {
	first := max(DateOf(t.In(c.zone))-1, c.rules.From)
	last := first + horizon
	if c.rules.Until != 0 {
		last = min(last, c.rules.Until)
	}
	n, _ := slices.BinarySearchFunc(c.special, first, func(e Exception, d Date) int { return cmp.Compare(e.Date, d) })
	return &walk{
		Calendar: c, clock: newClock(c.zone, first), day: first - 1, last: last, special: c.special[n:], covered: math.MinInt64,
	}
}

// next returns the next stretch, and whether there is one.
func (w *walk) next() (stretch, bool) {
	for {
		for len(w.hours) == 0 {
			if w.day >= w.last {
				return stretch{}, false
			}
			w.day++
			w.hours = w.weekly[w.day.Weekday()]
			if len(w.special) > 0 && w.special[0].Date == w.day {
				w.hours, w.special = w.special[0].Hours, w.special[1:]
			}
		}
		h := w.hours[0]
		w.hours = w.hours[1:]
		from, to := max(w.day.wall(h.From), w.covered), w.day.wall(h.end())
		if from >= to { // within a night of the day before
			continue
		}
		w.covered = to
		s := stretch{w.day, w.clock.reach(from), w.clock.reach(to)}
		if s.from.Before(s.to) { // the clock may leave all of it out
			return s, true
		}
	}
}

// until goes on to the first stretch that ends after t.
func (w *walk) until(t time.Time) (stretch, bool) {
	for {
		if s, ok := w.next(); !ok || s.to.After(t) {
			return s, ok
		}
	}
}

// A clock is a clock on the wall, which now and then is put forward or back. It is asked for one time after the other,
// never for an earlier one.
type clock struct {
	zone     *time.Location
	offset   int64 // what it shows in seconds, as if the wall were in UTC, less the time since 1970
	from, to int64 // between which the offset holds
}

// newClock returns a clock that can be asked for the times of a day and later.
func newClock(zone *time.Location, day Date) clock {
	c := clock{zone: zone}
	c.turn(time.Unix((day - 2).wall(0), 0)) // no clock on earth shows the day two days before it begins in UTC
	return c
}

// turn goes to an instant.
func (c *clock) turn(at time.Time) {
	at = at.In(c.zone)
	_, offset := at.Zone()
	from, to := at.ZoneBounds()
	c.offset, c.from, c.to = int64(offset), math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		c.from = from.Unix()
	}
	switch {
	case to.IsZero(): // for ever
	case to.After(at):
		c.to = to.Unix()
	default: // on the last day of a leap year the standard library names an end that has passed: look again in an hour
		c.to = at.Unix() + 60*60
	}
}

// reach returns the first instant at which the clock shows wall or, put forward, has passed it.
func (c *clock) reach(wall int64) time.Time {
	for wall-c.offset >= c.to {
		c.turn(time.Unix(c.to, 0))
	}
	return time.Unix(max(wall-c.offset, c.from), 0)
}

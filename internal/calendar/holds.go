package calendar

import "time"

// On returns from when to when hours last that begin on a day, in a zone. A clock that leaves all of them out makes one instant of
// the two.
func (h Hours) On(day Date, zone *time.Location) (from, to time.Time) {
	c := newClock(zone, day)
	return c.reach(day.wall(h.From)), c.reach(day.wall(h.end()))
}

// Holds tells whether the calendar is open at t, and the instant after t until which that certainly stays so. Where hours
// follow hours without a gap it stays so for longer. The zero instant means that it never opens again within 100 years.
func (c *Calendar) Holds(t time.Time) (open bool, until time.Time) {
	s, ok := c.walk(t).until(t)
	switch {
	case !ok:
		return false, time.Time{}
	case s.from.After(t):
		return false, s.from
	}
	return true, s.to
}

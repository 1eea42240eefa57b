package calendar

import "time"

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

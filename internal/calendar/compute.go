package calendar

import (
	"fmt"
	"time"
)

// Open tells whether the calendar is open at t.
func (c *Calendar) Open(t time.Time) bool {
	s, ok := c.walk(t).until(t)
	return ok && !s.from.After(t)
}

// NextOpen returns t when the calendar is open then, otherwise the next instant at which it opens, and whether there is one.
func (c *Calendar) NextOpen(t time.Time) (time.Time, bool) {
	s, ok := c.walk(t).until(t)
	if !ok {
		return time.Time{}, false
	}
	return later(t, s.from), true
}

// Add returns the first instant at which the calendar has been open for d since t. So what ends when the calendar closes
// ends then, and not when it opens again.
func (c *Calendar) Add(t time.Time, d time.Duration) (time.Time, error) {
	if d < 0 {
		return time.Time{}, fmt.Errorf("add %s in calendar %s: want no less than 0s", d, c.rules.ID)
	}
	at := t
	for w, left := c.walk(t), d; left > 0; {
		s, ok := w.until(at)
		if !ok {
			return time.Time{}, fmt.Errorf("add %s in calendar %s: %w after %s", d, c.rules.ID, ErrEnds, t.Format(time.RFC3339))
		}
		from := later(at, s.from)
		step := min(left, s.to.Sub(from))
		at, left = from.Add(step), left-step
	}
	return at, nil
}

// AddDays returns the time of day that t shows, n working days later. It counts from the next opening when the calendar is
// closed at t. Where the working day that it comes to is not open at that time, it returns when that day opens next or,
// after its hours, when it has closed. A working day is one whose hours add open time.
func (c *Calendar) AddDays(t time.Time, n int) (time.Time, error) {
	if n < 0 {
		return time.Time{}, fmt.Errorf("add %d working days in calendar %s: want no less than 0", n, c.rules.ID)
	}
	w := c.walk(t)
	s, ok := w.until(t)
	begin, begun := later(t, s.from), s.day
	for left := n; ok && left > 0; {
		day := s.day
		if s, ok = w.next(); s.day > day {
			left--
		}
	}
	if !ok {
		return time.Time{}, fmt.Errorf("add %d working days in calendar %s: %w after %s", n, c.rules.ID, ErrEnds, t.Format(time.RFC3339))
	}
	if n == 0 {
		return begin, nil
	}
	same := c.sameTime(begin, begun, s.day)
	for day := s.day; !same.Before(s.to); {
		closing := s.to
		if s, ok = w.next(); !ok || s.day > day {
			return later(t, closing), nil
		}
	}
	return later(later(t, same), s.from), nil
}

// sameTime moves an instant in the hours of one day to another day.
func (c *Calendar) sameTime(t time.Time, from, to Date) time.Time {
	_, offset := t.In(c.zone).Zone()
	day := newClock(c.zone, to)
	return day.reach(t.Unix() + int64(offset) + to.wall(0) - from.wall(0)).Add(time.Duration(t.Nanosecond()))
}

// Between returns for how long the calendar is open from a until b, less than nothing when b is before a. It looks no
// further than 100 years.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	var open time.Duration
	w := c.walk(a)
	for s, ok := w.until(a); ok && s.from.Before(b); s, ok = w.next() {
		to := s.to
		if b.Before(to) {
			to = b
		}
		open += to.Sub(later(a, s.from))
	}
	return open
}

// later returns the later of two instants, shown as the first is.
func later(a, b time.Time) time.Time { return Later(a, b).In(a.Location()) }

// Later returns the later of two instants.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Earlier returns the earlier of two instants.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

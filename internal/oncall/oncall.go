// Package oncall says who is on call at an instant. It reads no clock, and where nobody is on call it says so: it never
// guesses.
package oncall

import "time"

// A Schedule is a rotation with what was agreed beside it.
type Schedule struct {
	Rotation  Rotation
	Overrides []Override
}

// A Rotation hands over from one person to the next, for ever, always at the same time of day on the wall.
type Rotation struct {
	Zone   *time.Location // where the wall clock hangs
	Start  WallTime       // the first handover; before it nobody is on call
	Days   int            // length of a shift in calendar days: 1 is daily, 7 weekly
	People []string       // in the order of their shifts
}

// An Override puts one person on call from one instant until just before another, whatever the rotation says.
type Override struct {
	From, To time.Time
	Person   string
}

// At returns who is on call at an instant, empty when nobody is. An override wins over the rotation, a later one in the
// list over an earlier one.
func (s Schedule) At(at time.Time) string {
	for n := len(s.Overrides) - 1; n >= 0; n-- {
		if o := s.Overrides[n]; !at.Before(o.From) && at.Before(o.To) {
			return o.Person
		}
	}
	return s.Rotation.at(at)
}

func (r Rotation) at(at time.Time) string {
	if r.Zone == nil || len(r.People) == 0 || r.Days < 1 {
		return ""
	}
	n := r.Start.daysUntil(at.In(r.Zone)) / r.Days
	// The calendar names the shift but for its edges: the handover of today may still be to come, and where the clock was
	// put back over midnight the handover of tomorrow has already been.
	for n >= 0 && r.handover(n).After(at) {
		n--
	}
	for !r.handover(n + 1).After(at) {
		n++
	}
	if n < 0 {
		return ""
	}
	return r.People[n%len(r.People)]
}

// handover returns when shift n begins.
func (r Rotation) handover(n int) time.Time { return r.Start.addDays(n * r.Days).In(r.Zone) }

package alert

import (
	"slices"
	"time"
)

// Expire resolves the alerts that have not come again in time, and tells which they are.
func (s *Set) Expire(now time.Time) (c Change) {
	if s.Look.IsZero() || now.Before(s.Look) {
		return c
	}
	s.Look = time.Time{}
	for n := range s.Full {
		h := &s.Full[n]
		if s.over(h.State, h.Until, now) {
			h.State, h.EndsAt = Resolved, h.Until
			c.Resolved = append(c.Resolved, h.Alert)
		}
	}
	for n := range s.Brief {
		b := &s.Brief[n]
		if s.over(state(b.Resolved), b.Until, now) {
			b.Resolved = true
			c.Resolved = append(c.Resolved, Alert{
				Fingerprint: b.Fingerprint, Name: b.Name, State: Resolved, StartsAt: b.StartsAt, EndsAt: b.Until, Until: b.Until,
			})
		}
	}
	s.Firing -= len(c.Resolved)
	for n := range s.Rest {
		if t := &s.Rest[n]; !t.Over && s.over(Firing, t.Until, now) {
			t.Over = true
			c.Uncertain++
		}
	}
	return c
}

// over tells whether an alert has timed out. One that has not is looked at again.
func (s *Set) over(was State, until, now time.Time) bool {
	if was != Firing || until.IsZero() {
		return false
	}
	if now.Before(until) {
		s.lookBy(until)
		return false
	}
	return true
}

// lookBy brings the next look forward.
func (s *Set) lookBy(until time.Time) {
	if !until.IsZero() && (s.Look.IsZero() || until.Before(s.Look)) {
		s.Look = until
	}
}

// extended is until when an alert counts as firing that has come again and is no news.
func extended(was State, until time.Time, a Alert) time.Time {
	if was == Firing && a.State == Firing && !until.IsZero() && a.Until.After(until) {
		return a.Until
	}
	return until
}

// Extended is a batch that was held back, with the time-outs that its alerts have now.
func (s *Set) Extended(b Batch) Batch {
	s.build()
	b.Alerts = slices.Clone(b.Alerts)
	for n := range b.Alerts {
		a := &b.Alerts[n]
		i, known := s.index[a.Fingerprint]
		switch {
		case !known || a.Until.IsZero():
		case i < len(s.Full):
			a.Until = laterOf(a.Until, s.Full[i].Until)
		default:
			a.Until = laterOf(a.Until, s.Brief[i-len(s.Full)].Until)
		}
	}
	return b
}

// laterOf is the later one of two time-outs, none if one is none.
func laterOf(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && b.After(a) {
		return b
	}
	return a
}

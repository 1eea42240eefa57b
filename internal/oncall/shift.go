package oncall

import (
	"iter"
	"slices"
	"time"
)

// A Shift is a time without a hand-off, from one instant until just before another.
type Shift struct {
	From, To time.Time
	People   []string // who is on call together, each once; empty: a gap
}

// Horizon is how far a schedule looks ahead or back for a hand-off.
const Horizon = 2 * 366 * 24 * time.Hour

// Shifts returns who is on call from one instant until just before another, without a hole: a gap is a shift of nobody. Of
// two shifts in a row the people are never the same. The first and the last are cut off where the time asked for ends.
func (s *Schedule) Shifts(from, to time.Time) []Shift {
	return slices.Collect(s.shifts(from, to, everybody))
}

// Gaps returns the shifts of nobody.
func (s *Schedule) Gaps(from, to time.Time) (gaps []Shift) {
	for f := range s.shifts(from, to, everybody) {
		if len(f.People) == 0 {
			gaps = append(gaps, f)
		}
	}
	return gaps
}

// Current returns the shift or gap that lasts at t as a whole. From is zero when it began more than Horizon before, and To
// is when it ends more than Horizon after.
func (s *Schedule) Current(t time.Time) Shift {
	now, _ := s.first(t, everybody, func(Shift) bool { return true })
	for _, back := range []time.Duration{8 * 24 * time.Hour, 64 * 24 * time.Hour, Horizon} { // mostly it began a few days ago
		begin := t.Add(-back)
		for f := range s.shifts(begin, t.Add(1), everybody) {
			now.From = f.From
		}
		if now.From.After(begin) {
			return now
		}
	}
	now.From = time.Time{}
	return now
}

// Next returns the first shift of anybody that begins after t, if one does before Horizon has passed. Its To is zero when it
// ends later than that.
func (s *Schedule) Next(t time.Time) (Shift, bool) { return s.next(t, everybody) }

// NextOf returns the time in which a person is on call next, whoever else is, as Next does. Of somebody who is on call at t
// it is the time after that.
func (s *Schedule) NextOf(person string, t time.Time) (Shift, bool) {
	return s.next(t, func(people []string) []string {
		if slices.Contains(people, person) {
			return []string{person}
		}
		return nil
	})
}

func (s *Schedule) next(t time.Time, who func(people []string) []string) (Shift, bool) {
	return s.first(t, who, func(f Shift) bool { return f.From.After(t) && len(f.People) > 0 })
}

// first returns the first shift from t to the horizon that is wanted.
func (s *Schedule) first(t time.Time, who func(people []string) []string, wanted func(Shift) bool) (Shift, bool) {
	horizon := t.Add(Horizon)
	for f := range s.shifts(t, horizon, who) {
		if !wanted(f) {
			continue
		}
		if !f.To.Before(horizon) { // nobody has looked beyond it
			f.To = time.Time{}
		}
		return f, true
	}
	return Shift{}, false
}

func everybody(people []string) []string { return people }

// shifts goes from one hand-off to the next. Who says whose hand-offs count.
func (s *Schedule) shifts(from, to time.Time, who func(people []string) []string) iter.Seq[Shift] {
	return func(yield func(Shift) bool) {
		overrides := slices.DeleteFunc(slices.Clone(s.Overrides), func(o Override) bool {
			return !o.From.Before(to) || !from.Before(o.To)
		})
		var last Shift
		for t := from; t.Before(to); t = last.To {
			people, until := s.hold(t, overrides)
			people, until = who(people), sooner(until, to)
			if t.After(from) && slices.Equal(people, last.People) {
				last.To = until
				continue
			}
			if t.After(from) && !yield(last) {
				return
			}
			last = Shift{From: t, To: until, People: people}
		}
		if from.Before(to) {
			yield(last)
		}
	}
}

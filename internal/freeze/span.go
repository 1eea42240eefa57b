package freeze

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// A span is from one instant until just before another.
type span struct{ from, to time.Time }

// spans returns the times of a rule that touch the time from one instant until just before another, in their order and apart
// from one another. The first and the last may go on outside.
func (r rule) spans(from, to time.Time) []span {
	var all []span
	for _, s := range r.periods {
		if s.to.After(from) && s.from.Before(to) {
			all = append(all, s)
		}
	}
	if len(r.Patterns)+len(r.Yearly)+len(r.Holidays) == 0 {
		return join(all)
	}
	first := max(calendar.DateOf(from.In(r.zone))-1, r.From) // hours of yesterday may last until today
	end := calendar.DateOf(to.In(r.zone)) + 1                // and a clock that was put back shows yesterday again
	if r.Until != 0 {
		end = min(end, r.Until)
	}
	for d := first; d <= end; d++ {
		all = r.addDay(all, dayOf(d))
	}
	return join(all)
}

// addDay adds the times that begin on a day.
func (r rule) addDay(all []span, d day) []span {
	add := func(h calendar.Hours) {
		from, to := h.On(d.Date, r.zone)
		all = append(all, span{from, to})
	}
	for _, p := range r.Patterns {
		if p.on(d) {
			add(p.Hours)
		}
	}
	_, holiday := slices.BinarySearch(r.Holidays, d.Date)
	if holiday || slices.ContainsFunc(r.Yearly, func(y Yearly) bool { return y.on(d) }) {
		add(calendar.Hours{From: 0, To: 24 * 60})
	}
	return all
}

// union returns when any of some rules holds.
func union(rules []rule, from, to time.Time) (all []span) {
	for _, r := range rules {
		all = append(all, r.spans(from, to)...)
	}
	return join(all)
}

// join puts spans in their order and makes one of those that overlap or meet. Empty ones are left out.
func join(all []span) []span {
	all = slices.DeleteFunc(all, func(s span) bool { return !s.from.Before(s.to) })
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	var joined []span
	for _, s := range all {
		if n := len(joined) - 1; n >= 0 && !s.from.After(joined[n].to) {
			joined[n].to = calendar.Later(joined[n].to, s.to)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// without cuts some spans out of others; both are joined.
func without(all, cut []span) []span {
	var left []span
	for _, s := range all {
		for _, c := range cut {
			if !c.to.After(s.from) || !c.from.Before(s.to) {
				continue
			}
			if s.from.Before(c.from) {
				left = append(left, span{s.from, c.from})
			}
			s.from = c.to
		}
		if s.from.Before(s.to) {
			left = append(left, s)
		}
	}
	return left
}

package freeze

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// Horizon is how far ahead anything is looked for: about two years.
const Horizon = 731 * 24 * time.Hour

// A Reason is why changes may run at an instant, or may not.
type Reason struct {
	Kind   Kind      `json:"kind"`
	ID     string    `json:"id,omitempty"`     // of the window or freeze
	Name   string    `json:"name,omitempty"`   // of it
	Reason string    `json:"reason,omitempty"` // of a freeze
	Owner  Owner     `json:"owner,omitzero"`   // of a freeze
	From   time.Time `json:"from,omitzero"`    // zero: more than a year before
	Until  time.Time `json:"until,omitzero"`   // zero: beyond Horizon

	Override *Override `json:"override,omitempty"` // for which it does not count
}

// Kind tells reasons apart.
type Kind string

// The kinds of reasons. These strings are in histories: add, never rename.
const (
	InWindow Kind = "window"
	Frozen   Kind = "freeze"
	Outside  Kind = "outside" // of every window
)

// Holds tells whether the reason keeps changes from running.
func (r Reason) Holds() bool { return r.Kind != InWindow && r.Override == nil }

// Open tells whether changes may run at an instant, and all that speaks for it and against it.
func (t *Times) Open(at time.Time) (open bool, why []Reason) {
	why = t.Spans(at, at.Add(1))
	if gap, ok := t.gap(at); ok {
		why = append(why, gap)
	}
	open = true
	for n := range why {
		if why[n].Kind != InWindow {
			why[n].Override = t.override(why[n].ID, at)
		}
		open = open && !why[n].Holds()
	}
	return open, why
}

// gap is the time around an instant in which no window is open, where there are any.
func (t *Times) gap(at time.Time) (Reason, bool) {
	r := Reason{Kind: Outside}
	if len(t.windows) == 0 {
		return r, false
	}
	for _, s := range union(t.windows, at.Add(-Horizon/2), at.Add(Horizon)) {
		switch {
		case !s.to.After(at):
			r.From = s.to.In(at.Location())
		case !s.from.After(at):
			return r, false
		case r.Until.IsZero():
			r.Until = s.from.In(at.Location())
		}
	}
	return r, true
}

func (t *Times) override(freeze string, at time.Time) *Override {
	n := slices.IndexFunc(t.overrides, func(o Override) bool { return o.Freeze == freeze && !at.Before(o.From) && at.Before(o.Until) })
	if n < 0 {
		return nil
	}
	return &t.overrides[n]
}

// NextOpen returns the first instant, not before at, from which changes may run without interruption for as long as they need,
// and whether there is one within Horizon. Nothing that needs longer than Horizon has one.
func (t *Times) NextOpen(at time.Time, need time.Duration) (time.Time, bool) {
	if need > Horizon {
		return time.Time{}, false
	}
	last := at.Add(Horizon)
	for _, s := range t.Between(at, last.Add(max(need, 1))) {
		if s.To.Sub(s.From) >= need && !s.From.After(last) {
			return s.From, true
		}
	}
	return time.Time{}, false
}

// CloseAt returns when changes that run at an instant must have ended, and whether any may run then. The zero instant is beyond
// Horizon.
func (t *Times) CloseAt(at time.Time) (until time.Time, open bool) {
	end := at.Add(Horizon)
	all := t.Between(at, end)
	switch {
	case len(all) == 0 || all[0].From.After(at):
		return time.Time{}, false
	case all[0].To.Before(end):
		return all[0].To, true
	}
	return time.Time{}, true
}

// A Stretch is a time in which changes may run, without interruption.
type Stretch struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Between returns when changes may run from one instant until just before another.
func (t *Times) Between(from, to time.Time) []Stretch {
	if !from.Before(to) {
		return nil
	}
	open := []span{{from, to}}
	if len(t.windows) > 0 {
		open = join(append(union(t.windows, from, to), t.overridden("")...))
	}
	for _, f := range t.freezes {
		open = without(open, without(f.spans(from, to), t.overridden(f.reason.ID)))
	}
	var all []Stretch
	for _, s := range open {
		if s = (span{calendar.Later(s.from, from), calendar.Earlier(s.to, to)}); s.from.Before(s.to) {
			all = append(all, Stretch{s.from.In(from.Location()), s.to.In(from.Location())})
		}
	}
	return all
}

// overridden returns when a freeze does not count, or, without one, when no window is needed.
func (t *Times) overridden(freeze string) (all []span) {
	for _, o := range t.overrides {
		if o.Freeze == freeze && o.From.Before(o.Until) {
			all = append(all, span{o.From, o.Until})
		}
	}
	return join(all)
}

// Spans returns every time of every window and freeze that touches the time from one instant until just before another, with its
// true beginning and end, in the order in which they begin.
func (t *Times) Spans(from, to time.Time) (all []Reason) {
	first, last := from.Add(-Horizon/2), to.Add(Horizon)
	for _, r := range slices.Concat(t.windows, t.freezes) {
		for _, s := range r.spans(first, last) {
			if !s.to.After(from) || !s.from.Before(to) {
				continue
			}
			why := r.reason
			if s.from.After(first) {
				why.From = s.from.In(from.Location())
			}
			if s.to.Before(last) {
				why.Until = s.to.In(from.Location())
			}
			all = append(all, why)
		}
	}
	slices.SortStableFunc(all, func(a, b Reason) int { return a.From.Compare(b.From) })
	return all
}

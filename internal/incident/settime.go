package incident

import (
	"slices"
	"time"

	"muster/internal/timeline"
)

// A Point is one of the five instants that a review needs (source 003, line 4781).
type Point string

// The points. These strings are in histories: add, never rename.
const (
	PointStarted    Point = "started"
	PointAlerted    Point = "alerted"
	PointEngaged    Point = "engaged"
	PointMitigation Point = "mitigation"
	PointResolved   Point = "resolved"
)

// Points lists the points in the order in which they happen.
func Points() []Point {
	return []Point{PointStarted, PointAlerted, PointEngaged, PointMitigation, PointResolved}
}

// SetTime says when one of the five points really was. What was promised is judged by what was recorded as it happened, and stays
// as it is: reviews and reports take the point.
type SetTime struct {
	Point  Point     `json:"point"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Check refuses an instant that cannot be.
func (c SetTime) Check(i *Incident) error {
	const action = "set time of"
	shown := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	if !slices.Contains(Points(), c.Point) {
		return i.refuse(action, "point %q: want %s", c.Point, listed(Points()))
	}
	if c.At.IsZero() {
		return i.refuse(action, "at: missing; want when it was")
	}
	if c.Point == PointResolved && i.Status != Resolved {
		return i.refuse(action, "is %s; only what is resolved has a time of that", i.Status)
	}
	n := slices.Index(Points(), c.Point)
	for m, p := range Points() {
		switch other := *i.point(p); {
		case other.IsZero() || m == n || p == PointResolved && i.Status.Open(): // resolved once, and open again
		case m < n && c.At.Before(other):
			return i.refuse(action, "%s at %s is before %s at %s", c.Point, shown(c.At), p, shown(other))
		case m > n && c.At.After(other):
			return i.refuse(action, "%s at %s is after %s at %s", c.Point, shown(c.At), p, shown(other))
		}
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "reason", c.Reason, true))
}

// CheckAt refuses an instant that is still to come.
func (c SetTime) CheckAt(i *Incident, now time.Time) error {
	if c.At.After(now) {
		return i.refuse("set time of", "%s at %s is in the future; want a time until now", c.Point, c.At.UTC().Format(time.RFC3339))
	}
	return nil
}

// Apply takes the instant over.
func (c SetTime) Apply(i *Incident, by timeline.Actor, now time.Time) {
	p := i.point(c.Point)
	before := *p
	*p = c.At
	facts := []timeline.Fact{timeline.F("point", string(c.Point)), at("at", c.At)}
	if !before.IsZero() {
		facts = append(facts, at("before", before))
	}
	i.record(now, timeline.TimeSet, by, append(facts, timeline.F("reason", c.Reason))...)
}

func (i *Incident) point(p Point) *time.Time {
	switch p {
	case PointStarted:
		return &i.Times.Started
	case PointAlerted:
		return &i.Times.Alerted
	case PointEngaged:
		return &i.Times.Engaged
	case PointMitigation:
		return &i.Times.Mitigation
	case PointResolved:
	}
	return &i.Times.Resolved
}

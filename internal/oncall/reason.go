package oncall

import "time"

// A Reason is one layer or override that has a say in who is on call, in the order in which they count: the layers from the
// last one down to the first that has somebody, and then the overrides.
type Reason struct {
	Layer    string    // its name; empty: an override
	Idle     Idle      // why a layer has nobody; empty when it has
	Override *Override // nil: a layer
	People   []string  // who is on call as far as this goes
	Until    time.Time // until which that certainly stays so; zero: for ever
}

// Idle says why a layer has nobody on call.
type Idle string

// Why a layer is idle. Programs read these strings: add, never rename.
const (
	NotBegun Idle = "not-begun"
	Over     Idle = "over"
	Closed   Idle = "closed" // its calendar is
)

// Reasons returns what decides who is on call at t. What the last reason says, each person once, is what At says.
func (s *Schedule) Reasons(t time.Time) (all []Reason) {
	var people []string
	for n := len(s.Layers) - 1; n >= 0 && len(people) == 0; n-- {
		l := &s.Layers[n]
		r := Reason{Layer: l.Name}
		r.People, r.Until = l.hold(t, s.Zone)
		if len(r.People) == 0 {
			r.Idle = l.idle(t, s.Zone)
		}
		people = append([]string{}, r.People...)
		all = append(all, r)
	}
	for n := range s.Overrides {
		o := &s.Overrides[n]
		if t.Before(o.From) || !t.Before(o.To) {
			continue
		}
		people = distinct(o.apply(people))
		all = append(all, Reason{Override: o, People: append([]string{}, people...), Until: o.To})
	}
	return all
}

// idle says why a layer has nobody at t.
func (l *Layer) idle(t time.Time, zone *time.Location) Idle {
	switch {
	case zone == nil || t.Before(l.Rotation.Start.In(zone)):
		return NotBegun
	case !l.Until.IsZero() && !t.Before(l.Until.In(zone)):
		return Over
	}
	return Closed
}

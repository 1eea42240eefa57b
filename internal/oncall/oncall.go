// Package oncall says who is on call when. It reads no clock, and where nobody is on call it says so: it never guesses.
package oncall

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// A Schedule says who is on call when: layers of rotations, and overrides for what was agreed beside them.
type Schedule struct {
	ID   string
	Name string
	Zone *time.Location // where the wall clock of its layers hangs

	// Layers lie on one another. A later one wins over those before it while it has somebody on call; where it has nobody,
	// they show through.
	Layers []Layer
	// Overrides are applied to what the layers say, one after the other.
	Overrides []Override
}

// A Layer is a rotation with limits. Outside of them nobody of the layer is on call; the rotation goes on all the same.
type Layer struct {
	Name     string
	Rotation Rotation
	Until    WallTime           // the zero one: for ever
	During   *calendar.Calendar // nil: always. Its zone may be another than that of the schedule
}

// A Change is what an override does.
type Change string

// The changes.
const (
	Replace    Change = "replace"    // Person is on call, and nobody else
	Substitute Change = "substitute" // Person is on call wherever InsteadOf would be
	Add        Change = "add"        // Person is on call too
	Remove     Change = "remove"     // Person is not on call, even if nobody is left
)

// An Override changes who is on call from one instant until just before another.
type Override struct {
	From, To  time.Time
	Change    Change
	Person    string
	InsteadOf string // of Substitute
}

// At returns who is on call at t, each once: nobody where there is a gap.
func (s *Schedule) At(t time.Time) []string {
	people, _ := s.hold(t, s.Overrides)
	return people
}

// hold returns who is on call at t, and an instant after t until which that certainly stays so. The zero instant means for
// ever. Overrides that do not touch the time in question may be left out.
func (s *Schedule) hold(t time.Time, overrides []Override) (people []string, until time.Time) {
	for _, l := range slices.Backward(s.Layers) {
		of, turn := l.hold(t, s.Zone)
		until = sooner(until, turn)
		if len(of) > 0 {
			people = slices.Clone(of)
			break
		}
	}
	for _, o := range overrides {
		switch {
		case t.Before(o.From):
			until = sooner(until, o.From)
		case t.Before(o.To):
			people, until = o.apply(people), sooner(until, o.To)
		}
	}
	return distinct(people), until
}

// hold is Schedule.hold for the layer alone.
func (l *Layer) hold(t time.Time, zone *time.Location) (people []string, until time.Time) {
	r := l.Rotation
	if zone == nil || len(r.People) == 0 || r.Shift.N < 1 {
		return nil, time.Time{}
	}
	if start := r.Start.In(zone); t.Before(start) {
		return nil, start
	}
	if !l.Until.IsZero() {
		until = l.Until.In(zone)
		if !t.Before(until) {
			return nil, time.Time{}
		}
	}
	if l.During != nil {
		open, turn := l.During.Holds(t)
		until = sooner(until, turn)
		if !open {
			return nil, until
		}
	}
	if len(r.People) == 1 { // they hand over to themselves
		return r.People[0], until
	}
	n := r.turn(t, zone)
	return r.People[n%len(r.People)], sooner(until, r.handOff(n+1, zone))
}

// apply returns who is on call under an override. It may change people.
func (o Override) apply(people []string) []string {
	switch o.Change {
	case Replace:
		return []string{o.Person}
	case Substitute:
		for n, p := range people {
			if p == o.InsteadOf {
				people[n] = o.Person
			}
		}
	case Add:
		return append(people, o.Person)
	case Remove:
		return slices.DeleteFunc(people, func(p string) bool { return p == o.Person })
	}
	return people
}

// distinct returns people in their order, each once.
func distinct(people []string) []string {
	var once []string
	for _, p := range people {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// sooner returns the earlier of two instants, of which the zero one never comes.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

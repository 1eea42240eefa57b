package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/oncall"
)

// The forms of what stands in schedules.
var (
	aShift    = in("hourly, daily, weekly, monthly, or a number of hours, days, weeks or months, such as 12 hours, at most 366", shift)
	aWallTime = in("a date and a time of day, such as 2026-11-02 09:00", by(oncall.ParseWallTime))
)

// shift reads how long shifts are.
func shift(s string) (oncall.Length, bool) {
	number, unit, ok := strings.Cut(s, " ")
	switch s {
	case "hourly":
		return oncall.Length{N: 1, Unit: oncall.Hours}, true
	case "daily":
		return oncall.Length{N: 1, Unit: oncall.Days}, true
	case "weekly":
		return oncall.Length{N: 1, Unit: oncall.Weeks}, true
	case "monthly":
		return oncall.Length{N: 1, Unit: oncall.Months}, true
	}
	n, whole := between(1, 366)(number)
	units := map[string]oncall.Unit{"hour": oncall.Hours, "day": oncall.Days, "week": oncall.Weeks, "month": oncall.Months}
	one := strings.TrimSuffix(unit, "s")
	return oncall.Length{N: n, Unit: units[one]}, ok && whole && units[one] != 0 && (n == 1) == (unit == one)
}

// readSchedules reads schedules.yaml.
func (b *builder) readSchedules(o *object) {
	o.entries("schedules", "schedule", anyNumber, func(o *object, id string) {
		s := &oncall.Schedule{ID: id}
		s.Name, _ = need(o, "name", aName)
		s.Zone = maybe(o, "zone", aZone, b.org.Zone)
		named := map[string]bool{}
		for i, n := range o.items("layers", some) {
			o.object(n, fmt.Sprintf("%s: layer %d", o.subject, i+1), func(o *object) {
				l := b.readLayer(o, s)
				if named[l.Name] {
					o.fault(o.field("name").place, "%s: named twice", o.subject)
				}
				named[l.Name] = l.Name != ""
				s.Layers = append(s.Layers, l)
			})
		}
		for i, n := range o.items("overrides", optional) {
			o.object(n, fmt.Sprintf("%s: override %d", o.subject, i+1), func(o *object) {
				b.table("override").places[overrideKey(id, i)] = o.place
				s.Overrides = append(s.Overrides, b.readOverride(o, s.Zone))
			})
		}
		b.schedules[id] = s
		b.rosters = append(b.rosters, id)
	})
}

// readLayer reads one layer of a schedule.
func (b *builder) readLayer(o *object, s *oncall.Schedule) oncall.Layer {
	var l oncall.Layer
	if name, ok := need(o, "name", aName); ok {
		l.Name, o.subject = name, "schedule "+s.ID+": layer "+clip(name, 60)
	}
	var begins bool
	l.Rotation.Start, begins = need(o, "start", aWallTime)
	l.Rotation.Shift, _ = need(o, "shift", aShift)
	l.Rotation.People = b.readTurns(o)
	if o.has("until") {
		until, ends := need(o, "until", aWallTime)
		if begins && ends && s.Zone != nil && !l.Rotation.Start.In(s.Zone).Before(until.In(s.Zone)) {
			o.fault(o.field("until").place, "%s %s: want a later time than start, %s", o.about("until"), until, l.Rotation.Start)
		}
		l.Until = until
	}
	if o.has("during") {
		id, _ := o.ref("during", "calendar")
		l.During = b.calendarOf(id)
	}
	return l
}

// readTurns reads the people of a rotation. Those of a list within the list are on call together.
func (b *builder) readTurns(o *object) (turns [][]string) {
	for _, n := range o.items("people", some) {
		together := []node{n}
		if n.is(list) {
			together = n.all()
		}
		if len(together) == 0 {
			o.fault(n.place, "%s: a list of nobody; want at least one", o.about("people"))
		}
		var turn []string
		for _, n := range together {
			id, ok := value(o.reader, n, o.about("people"), anIDOf("person"))
			switch {
			case !ok || !o.knows(n.place, o.about("people"), "person", id):
			case slices.Contains(turn, id):
				o.fault(n.place, "%s %s: named twice", o.about("people"), show(id))
			default:
				turn = append(turn, id)
			}
		}
		turns = append(turns, turn)
	}
	return turns
}

// calendarOf returns a calendar, nil when it has a fault or is none.
func (b *builder) calendarOf(id string) *calendar.Calendar {
	r, ok := b.calendars[id]
	if !ok {
		return nil
	}
	z, _ := zone(r.Zone)
	c, _ := calendar.New(r, z) // it was made once, and thrown away, when it was read
	return c
}

// readOverride reads who is on call, or is not, for a while.
func (b *builder) readOverride(o *object, zone *time.Location) oncall.Override {
	var v oncall.Override
	v.From, v.To, _ = readSpan(o, zone)
	var given []string
	for _, c := range []struct {
		key    string
		change oncall.Change
	}{{"person", oncall.Replace}, {"add", oncall.Add}, {"remove", oncall.Remove}} {
		if o.has(c.key) {
			given = append(given, c.key)
			v.Change = c.change
			v.Person, _ = o.ref(c.key, "person")
		}
	}
	switch len(given) {
	case 0:
		o.fault(o.place, "%s: says nothing; want one of person, add and remove", o.subject)
	case 1:
	default:
		o.fault(o.place, "%s: %s: want one of them", o.subject, strings.Join(given, " and "))
	}
	if !o.has("instead_of") {
		return v
	}
	v.InsteadOf, _ = o.ref("instead_of", "person")
	switch at := o.field("instead_of").place; {
	case len(given) == 1 && v.Change != oncall.Replace:
		o.fault(at, "%s: want it with person only, who is on call instead", o.about("instead_of"))
	case v.InsteadOf != "" && v.InsteadOf == v.Person:
		o.fault(at, "%s %s: want somebody else than person", o.about("instead_of"), show(v.InsteadOf))
	}
	v.Change = oncall.Substitute
	return v
}

const (
	ahead   = 30 * 24 * time.Hour  // in which gaps are looked for
	aYear   = 366 * 24 * time.Hour // of an override in which its person is looked for
	theWall = "2006-01-02 15:04"
)

// doubtfulSchedules warns of gaps to come, and of overrides that take off whoever is not on call anyway.
func (b *builder) doubtfulSchedules(w *reader, now time.Time) {
	for id, s := range b.schedules {
		if gaps := s.Gaps(now, now.Add(ahead)); len(gaps) > 0 {
			w.fault(w.placeOf("schedule", id), "schedule %s: nobody is on call %s", id, gapsFrom(gaps, now, s.Zone))
		}
		for n, o := range s.Overrides {
			whom := map[oncall.Change]string{oncall.Substitute: o.InsteadOf, oncall.Remove: o.Person}[o.Change]
			if whom != "" && o.To.After(now) && idle(s, n, whom) {
				w.fault(w.placeOf("override", overrideKey(id, n)), "schedule %s: override %d: %s is not on call in that time, so it changes nothing",
					id, n+1, whom)
			}
		}
	}
}

// absentees warns of people whom a schedule puts on call in the next 30 days while they are away.
func (b *builder) absentees(w *reader, now time.Time) {
	for id, s := range b.schedules {
		said := map[string]bool{}
		for _, shift := range s.Shifts(now, now.Add(ahead)) {
			for _, person := range shift.People {
				for _, a := range b.people[person].away {
					if said[person] || !a.from.Before(shift.To) || !shift.From.Before(a.to) {
						continue
					}
					said[person] = true
					from, to := calendar.Later(a.from, shift.From), calendar.Earlier(a.to, shift.To)
					w.fault(w.placeOf("schedule", id), "schedule %s: %s is on call from %s to %s (%s), and away; want an override",
						id, person, from.In(s.Zone).Format(theWall), to.In(s.Zone).Format(theWall), s.Zone)
				}
			}
		}
	}
}

// gapsFrom says when the first of gaps is, and how many there are.
func gapsFrom(gaps []oncall.Shift, now time.Time, zone *time.Location) string {
	first := gaps[0]
	from, to := first.From.In(zone).Format(theWall), first.To.In(zone).Format(theWall)
	begun, endless := !first.From.After(now), !first.To.Before(now.Add(ahead))
	said := fmt.Sprintf("from %s to %s (%s)", from, to, zone)
	switch {
	case begun && endless:
		return "in the next 30 days"
	case begun:
		said = fmt.Sprintf("before %s (%s)", to, zone)
	case endless:
		said = fmt.Sprintf("from %s (%s) on", from, zone)
	}
	if len(gaps) > 1 {
		said += fmt.Sprintf(", the first of %d gaps in the next 30 days", len(gaps))
	}
	return said
}

// idle tells whether a person is never on call while override n lasts, as the layers and the overrides before it have it.
func idle(s *oncall.Schedule, n int, person string) bool {
	o := s.Overrides[n]
	before := oncall.Schedule{Zone: s.Zone, Layers: s.Layers, Overrides: s.Overrides[:n]}
	if o.To.Sub(o.From) > aYear {
		return false // nobody looks so far
	}
	return !slices.ContainsFunc(before.Shifts(o.From, o.To), func(f oncall.Shift) bool { return slices.Contains(f.People, person) })
}

// overrideKey is under what the place of an override is kept.
func overrideKey(schedule string, n int) string { return fmt.Sprintf("%s %d", schedule, n) }

// Schedules returns the IDs of the schedules in the order of the folder.
func (o *Organisation) Schedules() []string { return o.rosters }

// Schedule returns who is on call when.
func (o *Organisation) Schedule(id string) (*oncall.Schedule, error) {
	s, ok := o.schedules[id]
	if !ok {
		return nil, o.missing("schedule", id)
	}
	return s, nil
}

// onCall returns everybody who is on call in a schedule: nobody where it has a gap.
func (o *Organisation) onCall(schedule string, at time.Time) ([]delivery.Recipient, error) {
	s, err := o.Schedule(schedule)
	if err != nil {
		return nil, err
	}
	var all []delivery.Recipient
	for _, p := range s.At(at) {
		all = append(all, o.people[p].Recipient)
	}
	return all, nil
}

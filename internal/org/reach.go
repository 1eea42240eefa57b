package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/oncall"
	"muster/internal/priority"
)

// quietHours are hours in which somebody is paged for what is pressing enough, and for nothing else.
type quietHours struct {
	hours *calendar.Calendar
	below priority.Priority // what is less pressing than this is held back
}

// An absence is from one instant until just before another.
type absence struct{ from, to time.Time }

func (a absence) lasts(at time.Time) bool { return !at.Before(a.from) && at.Before(a.to) }

// aBound leaves P5 out: nothing is below it.
var aBound = in("P1, P2, P3 or P4: what is less pressing is held back", func(s string) (priority.Priority, bool) {
	p, err := priority.Parse(s)
	return p, err == nil && p < priority.P5
})

// zoneOf returns the zone in which a person's own times are written, nil after a fault.
func (b *builder) zoneOf(p person) *time.Location {
	if zone, ok := zone(p.Zone); ok {
		return zone
	}
	return b.org.Zone
}

// readQuiet reads the quiet hours of somebody, as the clock on their wall shows them.
func (b *builder) readQuiet(o *object, zone *time.Location) (all []quietHours) {
	for i, n := range o.items("quiet", optional) {
		o.object(n, fmt.Sprintf("%s: quiet %d", o.subject, i+1), func(o *object) {
			before := len(b.faults)
			days := calendar.Weekdays()
			if o.has("days") {
				days = nil
				for _, n := range o.items("days", some) {
					d, _ := value(o.reader, n, o.about("days"), aDays)
					days = append(days, d...)
				}
			}
			slices.Sort(days)
			weekly := calendar.Weekly{Days: slices.Compact(days), Hours: readHours(o)}
			below, _ := need(o, "below", aBound)
			if zone == nil || len(b.faults) > before {
				return
			}
			c, err := calendar.New(calendar.Rules{ID: "quiet", Zone: zone.String(), Weekly: []calendar.Weekly{weekly}}, zone)
			if err != nil {
				o.fault(o.place, "%s: %s", o.subject, err)
				return
			}
			all = append(all, quietHours{c, below})
		})
	}
	return all
}

// readAway reads when somebody is away, as the clock on their wall shows it.
func (b *builder) readAway(o *object, zone *time.Location) (all []absence) {
	for i, n := range o.items("away", optional) {
		o.object(n, fmt.Sprintf("%s: away %d", o.subject, i+1), func(o *object) {
			if from, to, ok := readSpan(o, zone); ok {
				all = append(all, absence{from, to})
			}
		})
	}
	return all
}

// readSpan reads from and to. It says no when there is a fault.
func readSpan(o *object, zone *time.Location) (from, to time.Time, ok bool) {
	begin, beginOK := need(o, "from", aWallTime)
	end, endOK := need(o, "to", aWallTime)
	if !beginOK || !endOK || zone == nil {
		return from, to, false
	}
	if from, to = begin.In(zone), end.In(zone); !from.Before(to) {
		o.fault(o.field("to").place, "%s: to %s: want a later time than from, %s", o.subject, end, begin)
		return from, to, false
	}
	return from, to, true
}

// readPriorities reads a list of priorities that may be left out.
func readPriorities(o *object, key string) []priority.Priority {
	if !o.has(key) {
		return nil
	}
	return needPriorities(o, key)
}

func needPriorities(o *object, key string) (all []priority.Priority) {
	for _, n := range o.items(key, some) {
		if p, ok := value(o.reader, n, o.about(key), aPriority); ok {
			all = append(all, p)
		}
	}
	o.once(key)
	return all
}

// Reach narrows a recipient to the contact methods by which a message may go to them at an instant. Where none is left,
// held says why; it is one of the Held causes of incidents.
//
// Only pages of a step are held back: by an absence, by quiet hours, and by methods that are not for the priority. The last
// resort has nobody behind it, and whoever has a role has asked to be told.
func (o *Organisation) Reach(to delivery.Recipient, t incident.Telling, at time.Time) (narrowed delivery.Recipient, held string) {
	mayHold := t.Kind == delivery.Page && t.Step > 0
	methods, _ := o.methods(to.ID)
	if p := t.Facts.Priority; p.Valid() {
		if mayHold {
			held = o.people[to.ID].heldBack(p, at)
		}
		serving := slices.DeleteFunc(slices.Clone(methods), func(m method) bool { return !m.serves(p) })
		switch {
		case len(serving) > 0:
			methods = serving
		case mayHold && held == "" && len(methods) > 0:
			held = incident.HeldByPriority
		}
	}
	to.Methods, to.Delays = tried(methods)
	if held != "" {
		to.Methods, to.Delays = nil, nil
	}
	return to, held
}

// heldBack says what keeps a page of a priority from somebody at an instant, empty when nothing does.
func (p person) heldBack(pressing priority.Priority, at time.Time) string {
	for _, a := range p.away {
		if a.lasts(at) {
			return incident.HeldByAbsence
		}
	}
	for _, q := range p.quiet {
		if pressing > q.below && q.hours.Open(at) {
			return incident.HeldByQuietHours
		}
	}
	return ""
}

// unreachable warns of people who can be paged and for some priority have no contact method that works now: somebody
// should find out before the page does.
func (b *builder) unreachable(w *reader) {
	for id, by := range b.pageable() {
		p := b.people[id]
		var mute []string
		for _, pressing := range priority.All() {
			if !slices.ContainsFunc(p.methods, func(m method) bool { return m.serves(pressing) && b.broken(m) == "" }) {
				mute = append(mute, pressing.String())
			}
		}
		if len(mute) == 0 {
			continue
		}
		why := ""
		for _, m := range p.methods {
			if cause := b.broken(m); cause != "" {
				why += "; method " + m.name + ": " + cause
			}
		}
		w.fault(p.place, "person %s: %s pages them, and no contact method works for %s%s", id, by, strings.Join(mute, ", "), why)
	}
}

// onlyRung warns of people whom nothing but calls and alerts reaches: those are for pages alone.
func (b *builder) onlyRung(w *reader) {
	waits := func(m method) bool { return !m.kind.PagesAlone() }
	for id, p := range b.people {
		if len(p.methods) > 0 && !slices.ContainsFunc(p.methods, waits) {
			w.fault(p.place, "person %s: the types voice and pagerduty are for pages alone, so nothing else reaches them: reminders, roles, reviews; want a method of another type, too", id)
		}
	}
}

// broken says why a method would not work now, empty when nothing is known against it.
func (b *builder) broken(m method) string {
	if b.phones != nil && (m.kind == delivery.SMS || m.kind == delivery.Voice) {
		if _, err := b.phones.token.resolve(b.dir); err != nil {
			return "token " + err.Error()
		}
	}
	if _, err := m.address.resolve(b.dir); err != nil {
		return "address " + err.Error()
	}
	if _, err := m.secret.optional(b.dir); err != nil {
		return "secret " + err.Error()
	}
	return ""
}

// pageable returns who can be paged, and the first thing that does it in words.
func (b *builder) pageable() map[string]string {
	by := map[string]string{}
	page := func(person, thing string) {
		if first, ok := by[person]; !ok || thing < first {
			by[person] = thing
		}
	}
	for id, s := range b.schedules {
		for _, p := range onCallIn(s) {
			page(p, "schedule "+id)
		}
	}
	for id, g := range b.groups {
		for _, p := range g.members {
			page(p, "group "+id)
		}
	}
	for id, p := range b.policies {
		for _, t := range p.Targets() {
			if t.Kind == escalation.Person {
				page(t.ID, "policy "+id)
			}
		}
	}
	for id, c := range b.customers {
		for _, p := range c.engineers.designated() {
			page(p, "customer "+id)
		}
	}
	return by
}

// onCallIn returns everybody whom a schedule ever puts on call.
func onCallIn(s *oncall.Schedule) (all []string) {
	for _, l := range s.Layers {
		all = append(all, slices.Concat(l.Rotation.People...)...)
	}
	for _, o := range s.Overrides {
		if o.Change != oncall.Remove {
			all = append(all, o.Person)
		}
	}
	return all
}

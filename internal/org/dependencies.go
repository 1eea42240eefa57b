package org

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"muster/internal/incident"
)

// A dependency is one service that another cannot do without, and where that stands. It may be defined later.
type dependency struct {
	on string
	at place
}

// readDependencies reads on what a service depends.
func (b *builder) readDependencies(o *object, id string) {
	for _, n := range o.few("depends_on", maxDependencies) {
		if on, ok := value(o.reader, n, o.about("depends_on"), anIDOf("service")); ok {
			b.depends[id] = append(b.depends[id], dependency{on, n.place})
		}
	}
	o.once("depends_on")
}

// checkDependencies holds what was read against all services, and pins their names.
func (b *builder) checkDependencies() {
	services := b.table("service").ids
	for _, id := range services {
		s := b.services[id]
		for _, on := range b.depends[id] {
			if b.knows(on.at, "service "+id+": depends_on", "service", on.on) {
				s.DependsOn = append(s.DependsOn, incident.Service{ID: on.on, Name: b.services[on.on].Service.Name})
			}
		}
	}
	b.checkSizes()
	c := cycles{builder: b, known: map[string]int{}}
	for _, id := range services {
		c.visit(id)
	}
}

// Around says which services stand around one: those that it needs, and those that need it.
func (o *Organisation) Around(service string) (a incident.Around) {
	for _, id := range slices.Sorted(maps.Keys(o.services)) {
		if id == service {
			a.Needs = o.services[id].DependsOn
		} else if slices.ContainsFunc(o.services[id].DependsOn, func(s incident.Service) bool { return s.ID == service }) {
			a.NeededBy = append(a.NeededBy, o.services[id].Service)
		}
	}
	return a
}

// maxPinned bounds what every incident of a service carries, in bytes of JSON: Temporal ends a run whose state is too large.
const maxPinned = 128 << 10

// checkSizes makes a fault of services whose incidents would carry too much.
func (b *builder) checkSizes() {
	for _, id := range b.table("service").ids {
		text, err := json.Marshal(b.services[id].Definition)
		if err == nil && len(text) > maxPinned {
			b.fault(b.placeOf("service", id), "service %s: what each of its incidents carries takes %d bytes, of customers, support plans, calendars and steps; want at most %d",
				id, len(text), maxPinned)
		}
	}
}

// cycles finds services that depend on themselves, one after the other, each circle once.
type cycles struct {
	*builder

	path  []string
	known map[string]int // position in path from 1; 0: not seen; -1: done
}

func (c *cycles) visit(id string) {
	c.path = append(c.path, id)
	c.known[id] = len(c.path)
	for _, d := range c.depends[id] {
		switch at := c.known[d.on]; {
		case at > 0:
			circle := append(append([]string(nil), c.path[at-1:]...), d.on)
			c.fault(d.at, "service %s: depends_on %s: it would depend on itself: %s", id, show(d.on), strings.Join(circle, " → "))
		case at == 0:
			c.visit(d.on)
		}
	}
	c.path = c.path[:len(c.path)-1]
	c.known[id] = -1
}

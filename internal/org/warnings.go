package org

import (
	"slices"
	"time"
)

// warnings says what is allowed and yet looks like a mistake.
func (b *builder) warnings(now time.Time) []Fault {
	w := reader{tables: b.reader.tables}
	for _, s := range b.sources {
		if s.token == (ref{}) && slices.ContainsFunc(b.sources, func(s source) bool { return s.token != ref{} }) {
			w.fault(w.placeOf("source", s.id), "source %s: has no token while another has one, so nobody can send as it", s.id)
		}
	}
	routed, bought := map[string]bool{}, map[string]bool{}
	for _, r := range b.routes {
		routed[r.service] = true
	}
	for id, s := range b.services {
		if !routed[id] {
			w.fault(w.placeOf("service", id), "service %s: no route leads to it", id)
		}
		for _, c := range s.Customers {
			bought[c.ID] = true
		}
	}
	for id := range b.customers {
		if !bought[id] {
			w.fault(w.placeOf("customer", id), "customer %s: no service is for it, so no incident can touch it", id)
		}
	}
	for id, s := range b.schedules {
		if s.At(now) == "" {
			w.fault(w.placeOf("schedule", id), "schedule %s: nobody is on call before %s (%s)", id, s.Rotation.Start, s.Rotation.Zone)
		}
	}
	b.endingCalendars(&w, now)
	return sorted(w.faults)
}

// placeOf is where a thing is defined.
func (r *reader) placeOf(what, id string) place { return r.tables[what].places[id] }

package org

import (
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
)

// unready warns of services that responders would not be ready for.
func (b *builder) unready(w *reader, now time.Time) {
	for _, id := range w.table("service").ids {
		s, at := b.services[id], w.placeOf("service", id)
		if s.Owner == nil {
			w.fault(at, "service %s: has no owner; want owner: group:ID or person:ID, who answers for it", id)
		}
		if t := s.Triage; t.AccessStale(now.In(b.org.Zone)) {
			w.fault(at, "service %s: triage: access_verified %s is more than %d days ago; want responders to try their access again", id,
				t.AccessVerified, incident.AccessCounts)
		} else if t != nil && t.AccessVerified > calendar.DateOf(now.In(b.org.Zone)) {
			w.fault(at, "service %s: triage: access_verified %s has not come yet", id, t.AccessVerified)
		}
	}
	b.unanswered(w)
}

// unanswered warns of alerts that a route can lead to a service which does not say what to do about them.
func (b *builder) unanswered(w *reader) {
	told := map[string]bool{} // services that need a plan for any alert
	for n := range b.routes {
		r := &b.routes[n]
		s := b.services[r.service]
		names, pinned := r.names()
		if _, ok := s.plan(""); ok {
			continue // covers everything
		}
		if !pinned && !told[r.service] {
			told[r.service] = true
			w.fault(w.placeOf("service", r.service), "service %s: route %s can lead any alert to it, and its response says nothing of those "+
				"that it does not name; want an entry with otherwise: true", r.service, r.id)
		}
		for _, name := range names {
			if _, ok := s.plan(name); !ok {
				w.fault(w.placeOf("route", r.id), "route %s: alert %s has no response plan; want one in the response of service %s", r.id,
					show(name), r.service)
			}
		}
	}
}

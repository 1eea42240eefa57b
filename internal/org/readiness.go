package org

import (
	"fmt"
	"slices"
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

// Documents says what whoever takes over a service would be missing on the day that at shows: who answers for it, how it is built, who knows
// it, what to do about each alert that can lead to it, and runbooks that somebody has looked at in time. Its error names a service that is
// not there.
func (o *Organisation) Documents(service string, at time.Time) (lacks []string, err error) {
	s := o.services[service]
	if s == nil {
		return nil, o.missing("service", service)
	}
	add := func(lack bool, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); lack && !slices.Contains(lacks, text) {
			lacks = append(lacks, text)
		}
	}
	t := s.Triage
	if t == nil {
		t = &incident.Triage{}
	}
	add(s.Owner == nil, "no owner")
	add(t.Architecture == "", "no architecture")
	add(len(t.Contacts) == 0, "no contacts")
	if _, all := s.plan(""); !all {
		for n := range o.routes {
			r := &o.routes[n]
			if r.service != service {
				continue
			}
			names, pinned := r.names()
			add(!pinned, "no response to the alerts that have none of their own")
			for _, name := range names {
				_, planned := s.plan(name)
				add(!planned, "no response to alert %s", name)
			}
		}
		add(len(s.plans) == 0, "no response to any alert")
	}
	today := calendar.DateOf(at.In(o.Zone))
	for _, p := range s.plans {
		for _, l := range p.links() {
			if rb, here := o.runbooks[l.Runbook]; here {
				why := staleRunbook(rb.Runbook, today)
				add(why != "", "%s: %s", rb.Shown(), why)
			}
		}
	}
	return lacks, nil
}

package org

import (
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/escalation"
)

// warnings says what is allowed and yet looks like a mistake.
func (b *builder) warnings(now time.Time) []Fault {
	w := reader{tables: b.reader.tables}
	for _, s := range b.sources {
		shows := func(s source) bool { return s.token != ref{} || s.secret != ref{} }
		known := shows(s) || len(s.Topics) > 0 || s.Mail != nil // by its topic, or the address to which it writes
		if !known && slices.ContainsFunc(b.sources, shows) {
			w.fault(w.placeOf("source", s.ID), "source %s: has no token while another has one, so nobody can send as it", s.ID)
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
	b.doubtfulSchedules(&w, now)
	b.absentees(&w, now)
	b.unreachable(&w)
	b.onlyRung(&w)
	b.idleEngineers(&w)
	b.shortPolicies(&w)
	b.staleVendors(&w, now)
	b.idleParties(&w)
	b.staleRunbooks(&w, now)
	b.idleRoles(&w)
	if b.signIn != nil && len(b.logins) == 0 {
		w.fault(b.signIn.place, "organisation: sign_in: no person has a login, so nobody can sign in")
	}
	b.endingCalendars(&w, now)
	b.doubtfulFreezes(&w, now)
	b.doubtfulSilences(&w, now)
	b.doubtfulChanges(&w, now)
	b.doubtfulAssets(&w, now)
	b.endingApprovals(&w, now)
	b.unready(&w, now)
	b.expiringCertificates(&w, now)
	b.doubtfulVisits(&w, now)
	return sorted(w.faults)
}

// shortPolicies warns of policies that want to be acknowledged by more people than they can page. Whom a role or a channel
// stands for, no folder says.
func (b *builder) shortPolicies(w *reader) {
	for id, p := range b.policies {
		wanted := p.MostAcknowledgements()
		if wanted == 0 {
			continue
		}
		people, all := map[string]bool{}, true
		for _, t := range p.Targets() {
			named, known := b.peopleOf(t)
			all = all && known
			for _, person := range named {
				people[person] = true
			}
		}
		if all && len(people) < wanted {
			w.fault(w.placeOf("policy", id), "policy %s: %d people have to acknowledge, and it can page %d only, so paging never stops", id, wanted, len(people))
		}
	}
}

// peopleOf returns whom a target can ever mean, and whether these are all of them.
func (d *definitions) peopleOf(t escalation.Target) (people []string, all bool) {
	switch t.Kind {
	case escalation.Person:
		return []string{t.ID}, true
	case escalation.Group:
		members := d.groups[t.ID].members
		return members, len(members) > 0
	case escalation.Schedule:
		return onCallIn(d.schedules[t.ID]), true
	case escalation.Vendor:
		return nil, true // told, and does not acknowledge
	default:
		return nil, false
	}
}

// idleParties warns of partners and vendors who have no part in anything.
func (b *builder) idleParties(w *reader) {
	busy := map[string]bool{}
	for _, p := range b.people {
		busy[p.party] = true
	}
	for _, partners := range b.partners {
		for _, id := range partners {
			busy[id] = true
		}
	}
	for _, a := range b.assets {
		if a.Vendor != nil {
			busy[a.Vendor.ID] = true
		}
	}
	for id, p := range b.parties {
		if !busy[id] && (p.Kind == authority.Partner || p.Kind == authority.Vendor) {
			w.fault(w.placeOf(party, id), "party %s: it is the %s of no service and has no people", id, p.Kind)
		}
	}
}

// idleRoles warns of roles that give less than they say.
func (b *builder) idleRoles(w *reader) {
	for id, p := range b.people {
		kind := b.parties[p.party].Kind
		for _, r := range p.roles {
			responds := r == authority.Responder && kind != authority.Vendor
			if kind != authority.Provider && r != authority.Member && !responds {
				w.fault(p.place, "person %s: role %s: of a %s it gives no more than the role member", id, r, kind)
			}
		}
	}
}

// placeOf is where a thing is defined.
func (r *reader) placeOf(what, id string) place { return r.tables[what].places[id] }

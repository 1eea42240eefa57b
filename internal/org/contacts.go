package org

import (
	"slices"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/planrun"
	"muster/internal/report"
)

// PlanContacts is the contact list (비상연락망) of a plan: everybody who may fill its roles, whoever is on call at the time, with what all
// parties may know of how they are reached. That is a phone number that stands in the folder for it, or else a mail address that
// stands there in the open.
func (o *Organisation) PlanContacts(roles []planrun.Filled) []report.PlanContact {
	var all []report.PlanContact
	for _, r := range roles {
		for _, t := range r.Targets {
			for _, c := range o.reachedAs(t) {
				c.Role = r.Role
				if !slices.ContainsFunc(all, func(x report.PlanContact) bool {
					return x.Role == c.Role && x.Name == c.Name && x.Phone == c.Phone && x.Mail == c.Mail
				}) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (o *Organisation) reachedAs(t escalation.Target) (all []report.PlanContact) {
	switch t.Kind {
	case escalation.Person, escalation.Contact:
		p, ok := o.people[t.ID]
		if !ok {
			return nil
		}
		return []report.PlanContact{listed(p.Name, p.phone, p.methods)}
	case escalation.Group:
		g := o.groups[t.ID]
		if c := listed(g.Name, g.phone, g.methods); c.Phone != "" || c.Mail != "" || len(g.members) == 0 {
			all = append(all, c)
		}
		return append(all, o.membersOf(g.Name, g.members)...)
	case escalation.Schedule:
		if s, ok := o.schedules[t.ID]; ok {
			return o.membersOf(s.Name, onCallIn(s))
		}
	case escalation.Engineer:
		e := o.customers[t.ID].engineers
		all = o.membersOf("", e.designated())
		if e.pool != (escalation.Target{}) {
			all = append(all, o.reachedAs(e.pool)...)
		}
	default: // no role of a plan means others
	}
	return all
}

func (o *Organisation) membersOf(whole string, people []string) (all []report.PlanContact) {
	var seen []string
	for _, id := range people {
		if p, ok := o.people[id]; ok && !slices.Contains(seen, id) {
			seen = append(seen, id)
			c := listed(p.Name, p.phone, p.methods)
			c.Of = whole
			all = append(all, c)
		}
	}
	return all
}

// listed is a line of a contact list. A mail address behind a reference is nobody's business.
func listed(name, phone string, methods []method) report.PlanContact {
	c := report.PlanContact{Name: name, Phone: phone}
	if n := slices.IndexFunc(methods, func(m method) bool { return m.kind == delivery.Email && m.address.plain != "" }); phone == "" && n >= 0 {
		c.Mail = string(methods[n].address.plain)
	}
	return c
}

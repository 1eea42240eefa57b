package org

import (
	"encoding/json"
	"slices"
	"strings"

	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
)

// An Environment is where services of a customer run and changes are made: staging, production.
type Environment struct {
	ID         string
	Name       string
	Customer   string // ID
	Production bool
	Services   []string // IDs
	Calendar   string   // ID of the working time in which due dates of plans are counted
	Rules      freeze.Rules
	Roles      []PlanRole // who does what in plans, in the order of the IDs

	alerts []pair[string] // labels by which its alerts are known; none: they are not
	place  place
}

// A PlanRole is a role that plans name, with whom they find in it.
type PlanRole struct {
	ID      string
	Targets []escalation.Target
}

// Whom a role of a plan may mean: where the customer is known also its contacts.
var (
	aPlanTarget    = target(escalation.Schedule, escalation.Group, escalation.Person, escalation.Engineer)
	aPlanTargetOfA = target(escalation.Schedule, escalation.Group, escalation.Person, escalation.Engineer, escalation.Contact)
)

// Environments returns the environments of a customer in the order of the folder.
func (o *Organisation) Environments(customer string) []Environment {
	return o.customers[customer].environments
}

// Environment returns an environment of a customer, with the windows and freezes that hold there as the folder is now.
func (o *Organisation) Environment(customer, id string) (Environment, bool) {
	all := o.customers[customer].environments
	n := slices.IndexFunc(all, func(e Environment) bool { return e.ID == id })
	if n < 0 {
		return Environment{}, false
	}
	return all[n], true
}

// RoleTargets returns whom plans find in a role: as the environment says, else the customer, else the organisation. It is nobody
// where none of them names any.
func (o *Organisation) RoleTargets(customer, environment, role string) ([]escalation.Target, error) {
	e, ok := o.Environment(customer, environment)
	if !ok {
		return nil, o.missing("environment", customer+"/"+environment)
	}
	n := slices.IndexFunc(e.Roles, func(r PlanRole) bool { return r.ID == role })
	if n < 0 {
		return nil, nil
	}
	return e.Roles[n].Targets, nil
}

// Alerts tells whether alerts of the environment are known by their labels, and so held back while a task changes it.
func (e *Environment) Alerts() bool { return len(e.alerts) > 0 }

// changedWith are the environments whose changes hold an incident's alerts back: those of its only customer in which its service runs
// and whose labels all of its alerts have. An alert that concerns several customers is never held back for one of them, and one that
// not everybody may read never.
func (o *Organisation) changedWith(d *incident.Definition, labels alert.Labels) (all []incident.Environment) {
	if len(d.Customers) != 1 || d.Restricted() {
		return nil
	}
	customer := d.Customers[0].ID
	for _, e := range o.customers[customer].environments {
		misses := func(p pair[string]) bool { return labels.Value(p.key) != p.value }
		if e.Alerts() && slices.Contains(e.Services, d.Service.ID) && !slices.ContainsFunc(e.alerts, misses) {
			all = append(all, incident.Environment{Customer: customer, ID: e.ID})
		}
	}
	return all
}

// maxRules bounds what every plan of an environment carries of its windows and freezes, in bytes of JSON.
const maxRules = 64 << 10

// readEnvironments reads where services of a customer run, and who does what there.
func (b *builder) readEnvironments(o *object, customer string) {
	o.field("environments") // known now, and read when all is there that they refer to
	o.field("roles")
	b.afterwards(func() {
		windows := b.table("window")
		windows.unread = windows.unread || b.table("freeze").unread // they stand in one file
		c, before := b.customers[customer], b.trouble()
		usual := b.readPlanRoles(o, customer)
		o.entries("environments", o.about("environment"), optional, func(o *object, id string) {
			c.environments = append(c.environments, b.readEnvironment(o, customer, id, usual))
		})
		b.customers[customer] = c
		b.table("customer").vague[customer] = b.trouble() > before
	})
}

func (b *builder) readEnvironment(o *object, customer, id string, usual []PlanRole) Environment {
	e := Environment{ID: id, Customer: customer, place: o.field("id").place}
	e.Name, _ = need(o, "name", aName)
	e.Production, _ = need(o, "production", aBool)
	o.eachRef("services", "service", some, func(at place, id string) {
		if s := b.services[id]; s != nil && !slices.ContainsFunc(s.Customers, func(c incident.Customer) bool { return c.ID == customer }) {
			o.fault(at, "%s %s: not a service of customer %s", o.about("services"), show(id), customer)
		}
		e.Services = append(e.Services, id)
	})
	o.once("services")
	e.Calendar, _ = o.ref("calendar", "calendar")
	e.alerts = pairs(o, "alerts", aLabelValue, optional)
	windows := o.refs("windows", "window", optional)
	o.once("windows")
	e.Rules = b.rulesOf(e, windows, b.readOwnFreezes(o, customer))
	if text, err := json.Marshal(e.Rules); err == nil && len(text) > maxRules {
		o.fault(o.place, "%s: its windows and freezes take %d bytes in every plan; want at most %d", o.subject, len(text), maxRules)
	}
	e.Roles = among(customer, b.readPlanRoles(o, customer), usual, b.planRoles)
	return e
}

// readOwnFreezes reads which freezes of its customer hold in an environment.
func (b *builder) readOwnFreezes(o *object, customer string) (ids []string) {
	o.eachRef("freezes", "freeze", optional, func(at place, id string) {
		var owner freeze.Owner
		for _, f := range b.freezes {
			if f.ID == id {
				owner = f.Owner
			}
		}
		switch owner.Kind {
		case authority.Customer:
			if owner.ID != customer {
				o.fault(at, "%s %s: a freeze of customer %s; want one of customer %s", o.about("freezes"), show(id), owner.ID, customer)
			}
		case authority.Provider, authority.Partner, authority.Vendor:
			o.fault(at, "%s %s: a freeze of %s %s; want it left out, because it holds wherever it has to without being named", o.about("freezes"), show(id),
				owner.Kind, owner.ID)
		}
		ids = append(ids, id)
	})
	o.once("freezes")
	return ids
}

// readPlanRoles reads whom plans find in which role: of a customer, or of the organisation where there is none.
func (b *builder) readPlanRoles(o *object, customer string) (all []PlanRole) {
	n, form := o.field("roles"), aPlanTargetOfA
	if customer == "" {
		form = aPlanTarget
	}
	if n.kind == anything {
		targets := n.sketch.item(mapping)
		targets.sketch.least = 1
		value(o.reader, targets.all()[0], o.about("roles"), form)
		return nil
	}
	if n.kind == absent {
		return nil
	}
	o.object(n, o.about("roles"), func(o *object) {
		for _, f := range o.fields {
			if _, ok := anID.read(f.key); !ok {
				o.fault(f.place, "%s: %s: want a role in %s", o.subject, show(f.key), anID.want)
			}
			r := PlanRole{ID: f.key}
			for _, n := range o.items(f.key, some) {
				if t, ok := value(o.reader, n, o.about(f.key), form); ok && b.knowsPlanTarget(n.place, o.about(f.key), t, customer) {
					r.Targets = append(r.Targets, t)
				}
			}
			o.once(f.key)
			all = append(all, r)
		}
	})
	return all
}

// knowsPlanTarget tells whether there is somebody for a target of a plan, and makes a fault of it when not. A customer's own
// people may have a part in its plans, those of another one may not.
func (b *builder) knowsPlanTarget(at place, subject string, t escalation.Target, customer string) bool {
	if p, known := b.people[t.ID]; t.Kind == escalation.Person && known && p.party == customer {
		return true
	}
	if t.Kind != escalation.Contact {
		return b.knowsTarget(at, subject, t)
	}
	var own []string
	for _, c := range b.customers[customer].contacts {
		own = append(own, c.ID)
	}
	if slices.Contains(own, t.ID) {
		return true
	}
	b.fault(at, "%s %s: no such contact of customer %s; %s", subject, show(t.ID), customer, b.hint(t.ID, own))
	return false
}

// among returns every role as the first of the lists has it that names it. The engineer is that of the customer.
func among(customer string, lists ...[]PlanRole) (all []PlanRole) {
	for _, r := range slices.Concat(lists...) {
		if slices.ContainsFunc(all, func(known PlanRole) bool { return known.ID == r.ID }) {
			continue
		}
		r.Targets = slices.Clone(r.Targets)
		for n, t := range r.Targets {
			if t.Kind == escalation.Engineer {
				r.Targets[n].ID = customer
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b PlanRole) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// afterwards has something done when all files are read, because it refers to what stands in later ones. A schema is drawn at once.
func (b *builder) afterwards(do func()) {
	if b.asking {
		do()
		return
	}
	b.later = append(b.later, do)
}

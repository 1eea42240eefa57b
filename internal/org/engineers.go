package org

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// engineers are who answers for a customer.
type engineers struct {
	person     string // ID of the designated one, empty for none
	substitute string
	pool       escalation.Target // a group or a schedule; the zero Target for none
}

// designated returns the people who are named for the customer.
func (e engineers) designated() (all []string) {
	for _, id := range []string{e.person, e.substitute} {
		if id != "" {
			all = append(all, id)
		}
	}
	return all
}

// readEngineers reads who answers for a customer. All of them stand in files that are read later.
func (b *builder) readEngineers(o *object) (e engineers) {
	if n := o.field("engineer"); n.kind != absent {
		o.object(n, o.about("engineer"), func(o *object) {
			e.person = b.refLater(o, "person", "person")
			if o.has("substitute") {
				e.substitute = b.refLater(o, "substitute", "person")
			}
			if e.substitute != "" && e.substitute == e.person {
				o.fault(o.field("substitute").place, "%s %s: want somebody else than person", o.about("substitute"), show(e.substitute))
			}
		})
	}
	if o.has("engineers") {
		if t, ok := need(o, "engineers", aPoolTarget); ok {
			at, subject := o.field("engineers").place, o.about("engineers")
			b.later = append(b.later, func() { b.knowsTarget(at, subject, t) })
			e.pool = t
		}
	}
	return e
}

// refLater reads the id of a thing that is defined in a file after this one.
func (b *builder) refLater(o *object, key, what string) string {
	id, ok := need(o, key, anIDOf(what))
	if at, subject := o.field(key).place, o.about(key); ok {
		b.later = append(b.later, func() { b.knows(at, subject, what, id) })
	}
	return id
}

// Engineers returns who answers for a customer at an instant: its designated engineer; for when they cannot be reached, the
// substitute; then the pool. Without any there are no lists. What the folder does not have any more is left out, and said.
func (o *Organisation) Engineers(customer string, at time.Time) ([][]delivery.Recipient, error) {
	c, ok := o.customers[customer]
	if !ok {
		return nil, o.missing("customer", customer)
	}
	targets := make([]escalation.Target, 0, 3)
	for _, id := range c.engineers.designated() {
		targets = append(targets, escalation.Target{Kind: escalation.Person, ID: id})
	}
	if c.engineers.pool != (escalation.Target{}) {
		targets = append(targets, c.engineers.pool)
	}
	var (
		all    [][]delivery.Recipient
		faults error
	)
	for _, t := range targets {
		to, err := o.Recipients(t, at)
		faults = errors.Join(faults, err)
		all = append(all, to)
	}
	return all, faults
}

// Answers tells whether a person is one of those who answer for a customer, whoever of them is on call now.
func (o *Organisation) Answers(person, customer string) bool {
	e := o.customers[customer].engineers
	all := e.designated()
	switch e.pool.Kind {
	case escalation.Group:
		all = append(all, o.groups[e.pool.ID].members...)
	case escalation.Schedule:
		if s, ok := o.schedules[e.pool.ID]; ok {
			all = append(all, onCallIn(s)...)
		}
	default:
		all = append(all, e.pool.ID)
	}
	return slices.Contains(all, person)
}

// idleEngineers warns of policies and roles that page the engineers of customers who have none.
func (b *builder) idleEngineers(w *reader) {
	without := func(customer string) bool {
		e := b.customers[customer].engineers
		return len(e.designated()) == 0 && e.pool == (escalation.Target{})
	}
	for id, c := range b.customers {
		for _, e := range c.environments {
			for _, r := range e.Roles {
				if without(id) && slices.Contains(r.Targets, escalation.Target{Kind: escalation.Engineer, ID: id}) {
					w.fault(e.place, "customer %s: environment %s: role %s means the customer's engineer, and it has neither engineer nor engineers", id, e.ID, r.ID)
				}
			}
		}
	}
	for id, s := range b.services {
		what := pagesEngineers(s.Definition)
		if what == "" {
			continue
		}
		if len(s.Customers) == 0 {
			w.fault(w.placeOf("service", id), "service %s: %s pages the engineers of its customers, and it has no customers", id, what)
		}
		for _, c := range s.Customers {
			if without(c.ID) {
				w.fault(w.placeOf("service", id), "service %s: %s pages the engineer of customer %s, which has neither engineer nor engineers", id, what, c.ID)
			}
		}
	}
}

// pagesEngineers says what of a service pages engineers, empty when nothing does.
func pagesEngineers(s incident.Definition) string {
	is := func(t escalation.Target) bool { return t.Kind == escalation.Engineer }
	if slices.ContainsFunc(s.Policy.Targets(), is) {
		return "policy " + s.Policy.ID
	}
	for _, r := range s.Roles {
		if slices.ContainsFunc(r.Targets, is) {
			return fmt.Sprintf("role %s", r.Role)
		}
	}
	return ""
}

package org

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// An agreement is how fast a team answers others. Source: teams agree on a response time where they depend on each other (operational
// excellence, OPS02-BP06).
type agreement struct {
	incident.Agreement

	to       escalation.Target
	from     []escalation.Target // people and groups; none: whoever asks
	within   time.Duration
	calendar *calendar.Calendar // nil: around the clock
}

var aTeam = target(escalation.Group, escalation.Schedule)

// readAgreements reads agreements.yaml.
func (b *builder) readAgreements(o *object) {
	o.entries("agreements", "agreement", anyNumber, func(o *object, id string) {
		a := agreement{Agreement: incident.Agreement{ID: id}}
		a.Name = maybe(o, "name", aName, id)
		a.to, _ = need(o, "to", aTeam)
		b.knowsTarget(o.field("to").place, o.about("to"), a.to)
		if o.has("from") {
			for _, n := range o.items("from", some) {
				if t, ok := value(o.reader, n, o.about("from"), aContact); ok && b.knowsTarget(n.place, o.about("from"), t) {
					a.from = append(a.from, t)
				}
			}
		}
		a.within, _ = need(o, "within", aWait)
		if o.has("calendar") {
			cal, _ := need(o, "calendar", anIDOf("calendar"))
			if b.knows(o.field("calendar").place, o.about("calendar"), "calendar", cal) {
				a.calendar, _ = b.opening(cal) // it has no fault: it was read
			}
		}
		if o.has("escalate") {
			a.Escalate = b.targets(o, "escalate", aLastTarget)
		}
		if n := slices.IndexFunc(b.agreements, func(other agreement) bool { return other.to == a.to && len(other.from) == 0 }); n >= 0 {
			o.fault(o.place, "%s: never asked, for %s is with whoever asks %s; want it before that one", o.subject, b.agreements[n].ID, a.to)
		}
		b.agreements = append(b.agreements, a)
	})
}

// Team fills in what a person asks of a team at an instant: what that is called, and who of it may answer, those who are on call or the
// members. With an agreement between both, also until when they have to.
func (o *Organisation) Team(c incident.AddResponder, asker string, at time.Time) (incident.AddResponder, error) {
	t, ok := aTeam.read(c.Team)
	if !ok {
		return c, fmt.Errorf("%s; want %s", show(c.Team), aTeam.want)
	}
	people, err := o.Recipients(t, at)
	if err != nil {
		return c, err
	}
	for _, p := range people {
		if !p.Shared && p.ID != asker {
			c.Members = append(c.Members, p.ID)
		}
	}
	if len(c.Members) == 0 {
		return c, fmt.Errorf("%s: nobody else is there who could answer", t)
	}
	if c.Name = o.groups[t.ID].Name; t.Kind == escalation.Schedule {
		c.Name = o.schedules[t.ID].Name
	}
	n := slices.IndexFunc(o.agreements, func(x agreement) bool { return x.to == t && o.among(asker, x.from) })
	if n < 0 {
		return c, nil
	}
	x := &o.agreements[n]
	c.Agreement, c.Due = &x.Agreement, at.Add(x.within).UTC()
	if x.calendar != nil {
		if due, err := x.calendar.Add(at, x.within); err == nil { // else it has ended, which keeps nobody from being paged
			c.Due = due.UTC()
		}
	}
	return c, nil
}

// among tells whether somebody is one of some people and groups; of none it is everybody.
func (o *Organisation) among(person string, of []escalation.Target) bool {
	return len(of) == 0 || slices.ContainsFunc(of, func(t escalation.Target) bool {
		return t.Kind == escalation.Person && t.ID == person || t.Kind == escalation.Group && slices.Contains(o.groups[t.ID].members, person)
	})
}

package org

import (
	"fmt"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
)

// A problemRule is what the folder says of problems, of a service or of all.
type problemRule struct {
	recurrence incident.Recurrence
	owner      *incident.Contact // nil: whoever answers for the service
	escalate   []escalation.Target
	watch      time.Duration
	remind     problem.Idle
}

var (
	aSameness = oneOf(incident.Samenesses()...)
	someTimes = whole("a number of times", 2, 20)
)

// readProblems reads what is said of problems.
func (b *builder) readProblems(o *object) *problemRule {
	n := o.field("problems")
	if n.kind == absent {
		return nil
	}
	r := &problemRule{}
	b.object(n, o.about("problems"), func(o *object) {
		if n := o.field("recurs"); n.kind != absent {
			o.object(n, o.about("recurs"), func(o *object) {
				r.recurrence.Times, _ = need(o, "times", someTimes)
				r.recurrence.Within, _ = need(o, "within", aWait)
				for _, n := range o.items("by", optional) {
					if by, ok := value(o.reader, n, o.about("by"), aSameness); ok {
						r.recurrence.By = append(r.recurrence.By, by)
					}
				}
				o.once("by")
				if len(r.recurrence.By) == 0 {
					r.recurrence.By = incident.Samenesses()
				}
			})
		}
		if n := o.field("noise"); n.kind != absent {
			o.object(n, o.about("noise"), func(o *object) {
				r.recurrence.Noise = &incident.Often{}
				r.recurrence.Noise.Times, _ = need(o, "times", someTimes)
				r.recurrence.Noise.Within, _ = need(o, "within", aWait)
			})
		}
		if o.has("owner") {
			if owner, ok := b.contact(o.reader, o.field("owner"), o.about("owner")); ok {
				r.owner = &owner
			}
		}
		for _, n := range o.few("escalate", maxContacts) {
			if c, ok := b.contact(o.reader, n, o.about("escalate")); ok {
				r.escalate = append(r.escalate, c.Target)
			}
		}
		o.once("escalate")
		r.watch = maybe(o, "watch", aWait, problem.Usual)
		days := maybe(o, "remind_after_days", someDays, problem.UsualDays)
		id, _ := o.ref("in", "calendar")
		r.remind = problem.Idle{Days: days, Calendar: id}
	})
	return r
}

// sameProblems gives what is said of all problems to the services that say nothing themselves.
func (b *builder) sameProblems(all *problemRule) {
	for _, s := range b.services {
		if s.problems == nil {
			s.problems = all
		}
		if s.problems != nil {
			s.Recurrence = &s.problems.recurrence
		}
	}
}

// Problem returns what the folder says of the problems of a service now.
func (o *Organisation) Problem(service string) (problem.Pinned, error) {
	s, ok := o.services[service]
	if !ok {
		return problem.Pinned{}, o.missing("service", service)
	}
	p := problem.Pinned{
		Revision: o.Revision, Organisation: o.Name, Zone: o.Zone.String(), Service: s.Service, Watch: problem.Usual,
		Remind: problem.Idle{Within: problem.UsualDays * 24 * time.Hour}, Escalate: s.Policy.LastResort,
		Owner: problem.Owner{Targets: s.Policy.LastResort, Name: escalation.Shown(s.Policy.LastResort)},
	}
	owner := s.Owner
	if r := s.problems; r != nil {
		p.Watch, p.Remind = r.watch, r.remind
		p.Calendars = []calendar.Rules{o.calendars[r.remind.Calendar]}
		if len(r.escalate) > 0 {
			p.Escalate = r.escalate
		}
		if r.owner != nil {
			owner = r.owner
		}
	}
	if owner != nil {
		p.Owner = problem.Owner{Targets: []escalation.Target{owner.Target}, Name: owner.Name}
	}
	return p, nil
}

// ProblemOwner returns a person or group by name, such as group:noc.
func (o *Organisation) ProblemOwner(name string) (problem.Owner, error) {
	t, ok := aContact.read(name)
	if !ok {
		return problem.Owner{}, fmt.Errorf("%s; want %s", show(name), aContact.want)
	}
	shown := ""
	if t.Kind == escalation.Group {
		shown = o.groups[t.ID].Name
	} else {
		shown = o.people[t.ID].Name
	}
	if shown == "" {
		return problem.Owner{}, fmt.Errorf("%s; want the ID of a group or person in the organisation folder", show(name))
	}
	return problem.Owner{Targets: []escalation.Target{t}, Name: shown}, nil
}

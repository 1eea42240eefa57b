package org

import (
	"maps"
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
)

// A Hole is a time in which incidents of a service at a priority would page nobody who can answer.
type Hole struct {
	Service  string            `json:"service"` // ID
	Priority priority.Priority `json:"priority"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	// LastResort tells that the last resort would answer, and only that: pages climb through all steps in vain.
	LastResort bool `json:"last_resort"`
}

// Holes returns the times from one instant until just before another in which nobody of any step of the escalation policy
// could answer: nobody is on call, or whoever is is away, in quiet hours, or has no contact method for the priority. It holds
// for every instant, not for samples: who can answer is asked wherever it can change, and stays so between. It does not try
// whether addresses and secrets can be read, and roles are those who stand for them.
//
// They are in the order of the services' IDs, priorities and times. An empty ID means all services.
func (o *Organisation) Holes(service string, from, to time.Time) ([]Hole, error) {
	if _, ok := o.services[service]; service != "" && !ok {
		return nil, o.missing("service", service)
	}
	edges := o.edges(from, to)
	var all []Hole
	for _, id := range slices.Sorted(maps.Keys(o.services)) {
		if service != "" && id != service {
			continue
		}
		for _, p := range priority.All() {
			all = append(all, o.holes(id, p, edges, to)...)
		}
	}
	return all, nil
}

// holes returns those of one service at one priority, with what follows each other joined.
func (o *Organisation) holes(service string, p priority.Priority, edges []time.Time, to time.Time) (all []Hole) {
	d := &o.services[service].Definition
	for n, at := range edges {
		until := to
		if n+1 < len(edges) {
			until = edges[n+1]
		}
		if o.answers(d, p, o.steps(d.Policy, p, at), 1, at) {
			continue
		}
		h := Hole{Service: service, Priority: p, From: at, To: until, LastResort: o.answers(d, p, d.Policy.LastResort, 0, at)}
		if last := len(all) - 1; last >= 0 && all[last].To.Equal(at) && all[last].LastResort == h.LastResort {
			all[last].To = until
			continue
		}
		all = append(all, h)
	}
	return all
}

// steps returns all targets of the steps that hold at a priority and an instant.
func (o *Organisation) steps(policy escalation.Policy, p priority.Priority, at time.Time) (all []escalation.Target) {
	now := escalation.At(p)
	for _, id := range policy.Calendars() {
		if c, err := o.opening(id); err == nil && c.Open(at) {
			now.Open = append(now.Open, id)
		}
	}
	for _, s := range policy.StepsFor(now) {
		all = append(all, s.Targets...)
	}
	return all
}

// answers tells whether somebody of some targets would be reached at an instant, and could acknowledge. Step 0 is the last
// resort.
func (o *Organisation) answers(d *incident.Definition, p priority.Priority, targets []escalation.Target, step int, at time.Time) bool {
	i := incident.Incident{Definition: *d}
	page := incident.Telling{Kind: delivery.Page, Step: step, Facts: incident.Facts{Priority: p}}
	return slices.ContainsFunc(i.Who(incident.Send{Targets: targets}), func(t escalation.Target) bool {
		return t.Answers() && slices.ContainsFunc(o.meant(t, at), func(r delivery.Recipient) bool {
			reached, held := o.Reach(r, page, at)
			return !r.Along && held == "" && len(reached.Methods) > 0
		})
	})
}

// meant returns everybody whom a target may mean at an instant: of engineers, those too who stand in.
func (o *Organisation) meant(t escalation.Target, at time.Time) []delivery.Recipient {
	if t.Kind == escalation.Engineer {
		choices, _ := o.Engineers(t.ID, at) // what is missing has nobody to mean
		return slices.Concat(choices...)
	}
	to, _ := o.Recipients(t, at)
	return to
}

// edges returns the instants from one until before another at which who can answer may change, the first one included.
func (o *Organisation) edges(from, to time.Time) []time.Time {
	all := []time.Time{from}
	add := func(at time.Time) {
		if at.After(from) && at.Before(to) {
			all = append(all, at)
		}
	}
	turns := func(c *calendar.Calendar) {
		for at := from; at.Before(to); {
			_, until := c.Holds(at)
			if until.IsZero() {
				return
			}
			add(until)
			at = until
		}
	}
	for _, s := range o.schedules {
		for _, shift := range s.Shifts(from, to) {
			add(shift.From)
		}
	}
	for _, p := range o.people {
		for _, a := range p.away {
			add(a.from)
			add(a.to)
		}
		for _, q := range p.quiet {
			turns(q.hours)
		}
	}
	for _, p := range o.policies {
		for _, id := range p.Calendars() {
			if c, err := o.opening(id); err == nil {
				turns(c)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

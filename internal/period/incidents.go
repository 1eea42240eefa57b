package period

import (
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// An IncidentLine is one incident that was open in the period.
type IncidentLine struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"` // of a security incident the service alone
	Service  string    `json:"service"`
	Priority string    `json:"priority"`
	Security bool      `json:"security,omitempty"`
	Started  time.Time `json:"started"`
	Alerted  time.Time `json:"alerted"`
	Resolved time.Time `json:"resolved,omitzero"` // until the end of the period
	Reopened int       `json:"reopened,omitempty"`
	Into     string    `json:"into,omitempty"` // that it was merged into
	Cause    string    `json:"cause,omitempty"`
	Bundles  []string  `json:"bundles"`
}

// merged tells whether an incident has ended as a part of another one.
func merged(i *incident.Incident) bool { return i.MergedInto != nil && !i.MergedInto.Taken.IsZero() }

// resolved is when an incident was resolved for good, zero where it was not.
func resolved(i *incident.Incident) time.Time {
	if i.Status.Open() || merged(i) {
		return time.Time{}
	}
	return i.Times.Resolved
}

func priorities() (all []string) {
	for _, p := range priority.All() {
		all = append(all, p.String())
	}
	return all
}

// countIncidents counts incidents. One that was merged into another is counted as merged and nowhere else, for one problem is one
// incident; one that was reopened is resolved when it was resolved for good.
func (c *counting) countIncidents() {
	opened, closed, carried := tallies{}, tallies{}, tallies{}
	var reopened, together, answered, unanswered, toAnswer, toRestore, working tally
	for _, h := range c.incidents {
		i := h.state
		end := resolved(i)
		if merged(i) {
			if end = i.MergedInto.Taken; c.span.holds(end) {
				together.add(1, h.files...)
			}
		}
		if c.before(i.Times.Alerted) && (end.IsZero() || !end.Before(c.span.From)) {
			c.line(h)
		}
		reopened.add(len(c.reopenings(h)), h.files...)
		if merged(i) {
			continue
		}
		p := i.Priority.String()
		if c.span.holds(i.Times.Alerted) {
			opened.of(p).add(1, h.files...)
		}
		if c.before(i.Times.Alerted) && !c.before(end) {
			carried.of(p).add(1, h.files...)
		}
		if c.span.holds(i.Times.Engaged) && !i.Times.Engaged.Before(i.Times.Alerted) {
			answered.add(1, h.files...)
			toAnswer.took(i.Times.Engaged.Sub(i.Times.Alerted), h.files...)
		}
		if !c.span.holds(end) {
			continue
		}
		closed.of(p).add(1, h.files...)
		if i.Times.Engaged.IsZero() {
			unanswered.add(1, h.files...)
			continue
		}
		open := []Span{{i.Times.Alerted, end}}
		toRestore.took(lasted(without(open, away(h))), h.files...)
		working.took(lasted(without(open, append(away(h), c.stood(i)...))), h.files...)
	}
	c.counts("incidents.opened", opened, priorities()...)
	c.counts("incidents.resolved", closed, priorities()...)
	c.counts("incidents.carried", carried, priorities()...)
	c.count("incidents.reopened", "", &reopened)
	c.count("incidents.merged", "", &together)
	c.count("incidents.acknowledged", "", &answered)
	c.count("incidents.unacknowledged", "", &unanswered)
	c.mean("mtta", &toAnswer)
	c.mean("mttr", &toRestore)
	c.mean("mttr.without-pauses", &working)
}

func (c *counting) line(h held[*incident.Incident]) {
	i := h.state
	l := IncidentLine{
		ID: string(i.ID), Title: i.Definition.PublicTitle(), Service: i.Definition.Service.Name, Priority: i.Priority.String(),
		Security: i.Definition.Restricted(), Started: i.Times.Started.UTC(), Alerted: i.Times.Alerted.UTC(), Reopened: len(c.reopenings(h)), Bundles: h.files,
	}
	if at := resolved(i); c.before(at) {
		l.Resolved = at.UTC()
	}
	if merged(i) && c.before(i.MergedInto.Taken) {
		l.Into = string(i.MergedInto.ID)
	}
	if i.Cause != nil && c.Customer == "" && !i.Definition.Restricted() {
		l.Cause = string(i.Cause.Domain)
	}
	c.Incidents = append(c.Incidents, l)
	slices.SortStableFunc(c.Incidents, func(a, b IncidentLine) int { return a.Alerted.Compare(b.Alerted) })
}

// reopenings are the entries of the period by which an incident was open again.
func (c *counting) reopenings(h held[*incident.Incident]) []timeline.Entry {
	return slices.DeleteFunc(h.entries(c.span, timeline.StatusChanged), func(e timeline.Entry) bool { return !again(e) })
}

// again tells whether an entry has reopened an incident.
func again(e timeline.Entry) bool {
	from := incident.Status(e.Fact("from"))
	return incident.Status(e.Fact("to")).Open() && (from == incident.Resolved || from == incident.Closed)
}

// away are the times in which an incident was resolved, as it turned out not for good.
func away(h held[*incident.Incident]) (all []Span) {
	var since time.Time
	for _, e := range h.log.Entries {
		switch {
		case e.Kind != timeline.StatusChanged:
		case again(e) && !since.IsZero():
			all = append(all, Span{since, e.At})
			since = time.Time{}
		case e.Fact("to") == string(incident.Resolved):
			since = e.At
		}
	}
	return all
}

// stood are the times in which the clocks for the resolution stood still for every customer of the report: nobody could work.
func (c *counting) stood(i *incident.Incident) (all []Span) {
	first := true
	for n := range i.Clocks {
		x := &i.Clocks[n]
		if x.Target != supportplan.Resolve || !c.mine(x.Customer) {
			continue
		}
		var still []Span
		for _, p := range x.Pauses {
			if p.To.IsZero() {
				p.To = c.span.To
			}
			still = append(still, Span{p.From, p.To})
		}
		if all = common(all, still); first {
			all, first = joined(still), false
		}
	}
	return all
}

// mine tells whether the report is about a customer.
func (c *counting) mine(customer string) bool { return c.Customer == "" || c.Customer == customer }

package period

import (
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// kept is what has become of promises, by target.
type kept struct {
	met, missed, took tallies
}

// decided counts a clock in the period in which it was decided: when what was promised was done in time, or when it was due and was
// not done.
func (k *kept) decided(x *supportplan.Clock, missed time.Time, in Span, files []string) {
	switch {
	case x.Late && in.holds(missed):
		k.missed.of(string(x.Target)).add(1, files...)
	case !x.Late && x.State == supportplan.Met && in.holds(x.EndedAt):
		k.met.of(string(x.Target)).add(1, files...)
	}
}

// ran adds how long a promise took that was kept in the period, late or not: what its clock has run, without its pauses and in the
// hours of its calendar.
func (k *kept) ran(x *supportplan.Clock, in Span, zones Zones, pinned []calendar.Rules, files []string) {
	if !in.holds(x.EndedAt) || x.State == supportplan.Stopped || x.Target == supportplan.Update {
		return
	}
	if h, err := supportplan.OpenTimeOf(x.Calendar, pinned, zones); err == nil {
		k.took.of(string(x.Target)).took(x.Ran(h, x.EndedAt), files...)
	}
}

// put puts the figures of promises under a prefix.
func (k *kept) put(f *Facts, prefix string, targets []string) {
	f.counts(prefix+".met", k.met, targets...)
	f.counts(prefix+".missed", k.missed, targets...)
	for _, t := range targets {
		f.share(prefix+".kept", t, k.met.of(t), k.missed.of(t))
	}
	for _, t := range targets {
		took := k.took.of(t)
		for _, p := range []struct {
			key string
			of  int
		}{{".p50", 50}, {".p90", 90}, {".max", 100}} {
			var v *float64
			if len(took.times) > 0 {
				v = seconds(percentile(took.times, p.of))
			}
			f.put(prefix+p.key, t, Seconds, v, took.files)
		}
	}
}

// countClocks counts what was promised for incidents. A promise that comes round again, with the next update or when an incident was
// reopened, is counted each time, as it was recorded; that of the resolution goes on instead, and counts once. The promises of an
// incident that is a part of another one are that one's, with what was decided before.
func (c *counting) countClocks() {
	k := kept{tallies{}, tallies{}, tallies{}}
	for _, h := range c.incidents {
		i := h.state
		if merged(i) {
			continue
		}
		for n := range i.Clocks {
			if x := &i.Clocks[n]; c.mine(x.Customer) {
				if at, recorded := recorded(h, x); x.Target == supportplan.Resolve || !recorded {
					k.decided(x, at, c.span, h.files)
				}
				k.ran(x, c.span, c.zones, i.Definition.Calendars, h.files)
			}
		}
		for _, e := range h.entries(c.span, timeline.ClockMet, timeline.ClockMissed) {
			target := e.Fact("target")
			switch {
			case target == string(supportplan.Resolve) || !c.named(i, e.Fact("customer")):
			case e.Kind == timeline.ClockMissed:
				k.missed.of(target).add(1, h.files...)
			default:
				k.met.of(target).add(1, h.files...)
			}
		}
	}
	k.put(c.Facts, "clocks", targets())
}

// recorded tells whether the timeline says how a promise was decided, and when it was missed for the first time: when it was due,
// where the timeline does not say.
func recorded(h held[*incident.Incident], x *supportplan.Clock) (missed time.Time, known bool) {
	missed = x.Due
	if missed.IsZero() {
		missed = x.EndedAt
	}
	for _, e := range h.log.Entries {
		if e.Kind != timeline.ClockMet && e.Kind != timeline.ClockMissed || e.Fact("target") != string(x.Target) ||
			e.Fact("customer") != nameOf(h.state, x.Customer) {
			continue
		}
		if known = true; e.Kind == timeline.ClockMissed {
			return e.At, known
		}
	}
	return missed, known
}

// nameOf is how the timeline of an incident calls a customer.
func nameOf(i *incident.Incident, customer string) string {
	for _, x := range i.Definition.Customers {
		if x.ID == customer && x.Name != "" {
			return x.Name
		}
	}
	return customer
}

// named tells whether an entry on a customer belongs to the report. Its name means the customer of the report only where no other
// customer of the incident has the same.
func (c *counting) named(i *incident.Incident, name string) bool {
	if c.Customer == "" {
		return true
	}
	bearers := 0
	for _, x := range i.Definition.Customers {
		if nameOf(i, x.ID) == name {
			bearers++
		}
	}
	return bearers == 1 && name == nameOf(i, c.Customer)
}

// countUpdates counts what customers were told.
func (c *counting) countUpdates() {
	var updates, clear, waived, unreported tally
	for _, h := range c.incidents {
		for _, e := range h.entries(c.span, timeline.UpdateSent, timeline.AllClearSent, timeline.ClearWaived, timeline.ResultWaived) {
			if !c.named(h.state, e.Fact("customer")) {
				continue
			}
			switch e.Kind {
			case timeline.UpdateSent:
				updates.add(1, h.files...)
			case timeline.AllClearSent:
				clear.add(1, h.files...)
			case timeline.ResultWaived:
				unreported.add(1, h.files...)
			default:
				waived.add(1, h.files...)
			}
		}
	}
	c.count("updates.sent", "", &updates)
	c.count("all-clears.sent", "", &clear)
	c.count("all-clears.waived", "", &waived)
	c.count("results.waived", "", &unreported)
}

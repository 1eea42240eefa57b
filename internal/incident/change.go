package incident

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

func (i *Incident) record(now time.Time, kind timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	kept := facts[:0:0]
	for _, f := range facts {
		if f.Value != "" {
			kept = append(kept, f)
		}
	}
	i.Timeline.Add(now, kind, by, kept...)
}

func (i *Incident) recordClock(now time.Time, kind timeline.Kind, c *supportplan.Clock, by timeline.Actor, more ...timeline.Fact) {
	facts := []timeline.Fact{timeline.F("customer", i.customerName(c.Customer)), timeline.F("target", string(c.Target))}
	if !c.Due.IsZero() {
		facts = append(facts, at("due", c.Due))
	}
	if kind == timeline.ClockStarted || kind == timeline.ClockMoved {
		if c.Days > 0 {
			facts = append(facts, timeline.F("days", strconv.Itoa(c.Days)))
		} else {
			facts = append(facts, timeline.F("within", c.Within.String()))
		}
		facts = append(facts, timeline.F("calendar", c.Calendar))
	}
	if !c.Begins.IsZero() {
		facts = append(facts, at("begins", c.Begins))
	}
	i.record(now, kind, by, append(facts, more...)...)
}

// move changes the status and records it.
func (i *Incident) move(to Status, by timeline.Actor, cause, note string, now time.Time) {
	i.record(now, timeline.StatusChanged, by, timeline.F("from", string(i.Status)), timeline.F("to", string(to)),
		timeline.F("cause", cause), timeline.F("note", note))
	i.Status = to
	i.Ticket.Wanted++
}

// judge sets impact, urgency and the priority that follows, and with it the promised times of all that is still to be done.
func (i *Incident) judge(impact, urgency priority.Level, by timeline.Actor, why timeline.Fact, now time.Time) {
	from := i.Priority
	i.Impact, i.Urgency = impact, urgency
	i.Priority, _ = priority.Of(impact, urgency)
	i.record(now, timeline.PriorityChanged, by, timeline.F("from", from.String()), timeline.F("to", i.Priority.String()),
		timeline.F("impact", string(impact)), timeline.F("urgency", string(urgency)), why)
	if from == i.Priority {
		return
	}
	i.Ticket.Wanted++
	if i.Priority < from {
		i.Escalation.Rise(i.Definition.Policy, i.Situation(), now)
	}
	i.reclock(now)
}

func (i *Incident) resolve(by timeline.Actor, cause, note string, now time.Time) {
	if by.Kind == timeline.Person {
		i.engage(by, now)
	}
	if !i.Escalation.Answered {
		i.record(now, timeline.EscalationEnded, timeline.Muster(), timeline.F("cause", string(Resolved)))
	}
	i.move(Resolved, by, cause, note, now)
	i.Times.Resolved, i.Settled = now, now
	i.Cleared, i.ClearAsked = nil, 0
	i.QuietSince = time.Time{}
	for n := range i.Clocks {
		c := &i.Clocks[n]
		if !c.Open() {
			continue
		}
		if c.Target == supportplan.Resolve || c.Target == supportplan.Mitigate { // what is over has been mitigated
			i.keepClock(c, by, now)
			continue
		}
		c.Stop(now)
		if !c.Late {
			i.recordClock(now, timeline.ClockStopped, c, by, timeline.F("cause", string(Resolved)))
		}
	}
	i.startResults(now)
	i.ask(now)
	if i.owesResults() || len(i.Confirmations) > 0 {
		i.computeClocks(now)
	}
	i.Report.Wanted++
	rule := i.Definition.Review
	i.Review.Wanted = rule.Customers && len(i.Definition.Customers) > 0 || i.Priority <= rule.FromPriority
}

func (i *Incident) close(by timeline.Actor, cause, note string, now time.Time) {
	i.move(Closed, by, cause, note, now)
	i.Times.Closed = now
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Target == supportplan.ResultReport && c.Open() { // somebody closes it all the same
			c.Stop(now)
			i.recordClock(now, timeline.ClockStopped, c, by, timeline.F("cause", string(Closed)))
		}
	}
	i.tellUnanswered(now)
	i.tellMerged(now)
	i.seekProblem(CountProblem, now)
	i.Report.Wanted++
	i.Review.Wanted = i.Review.Wanted || i.Review.Opened && i.Definition.Review.Stages != nil // it has the facts of the end too
}

func (i *Incident) keepClock(c *supportplan.Clock, by timeline.Actor, now time.Time) {
	known := c.Late
	c.Keep(now)
	switch {
	case !c.Late:
		i.recordClock(now, timeline.ClockMet, c, by)
	case !known: // due, and done, in the same moment: a deadline already past counts as missed
		i.recordClock(now, timeline.ClockMissed, c, timeline.Muster())
	}
}

// reclock gives all that is still to be done the promised times of the current priority: the response and the resolution
// counted from when each began, the customer updates from now.
func (i *Incident) reclock(now time.Time) {
	for _, cu := range i.Definition.Customers {
		for _, t := range supportplan.Targets() {
			p, promised := cu.Plan.Promise(i.Priority, t)
			c := i.clock(cu.ID, t)
			switch {
			case t == supportplan.ResultReport: // begins with the resolution, at the priority of then
			case c == nil && promised && !i.done(t):
				i.Clocks = append(i.Clocks, supportplan.Start(cu.ID, p, now))
			case c == nil:
			case !c.Open():
				// A promise that ended with the old priority begins anew; one that was kept stays kept.
				if promised && c.State == supportplan.Stopped && !i.done(t) {
					c.Restart(now, p)
				}
			case !promised:
				c.Stop(now)
				i.recordClock(now, timeline.ClockStopped, c, timeline.Muster(), timeline.F("cause", "priority"))
			case t == supportplan.Update && c.State == supportplan.Running:
				c.Restart(now, p) // the new cadence begins with the change
			default:
				c.Change(p)
			}
		}
	}
	i.computeClocks(now)
}

// done tells whether what a promise is about is true already.
func (i *Incident) done(t supportplan.Target) bool {
	switch t {
	case supportplan.Respond:
		return i.Escalation.Taken()
	case supportplan.Mitigate:
		return i.Status == Mitigated
	case supportplan.ResultReport: // not before the resolution
		return true
	default:
		return false
	}
}

func (i *Incident) joins(by timeline.Actor) {
	i.involve(by.ID)
	for n, r := range i.Responders {
		if r.Kind == by.Kind && r.ID == by.ID {
			i.Responders = append(append(i.Responders[:n:n], i.Responders[n+1:]...), by)
			return
		}
	}
	i.Responders = append(i.Responders, by)
}

// involve lets a person read a restricted incident. Whoever was involved longest ago makes room.
func (i *Incident) involve(person string) {
	const most = 200
	if !i.Definition.Restricted() {
		return
	}
	i.Involved = append(slices.DeleteFunc(i.Involved, func(p string) bool { return p == person }), person)
	if len(i.Involved) > most {
		i.Involved = i.Involved[1:]
	}
}

func (i *Incident) clock(customer string, t supportplan.Target) *supportplan.Clock {
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Customer == customer && c.Target == t {
			return c
		}
	}
	return nil
}

func (i *Incident) matching(customer string, t supportplan.Target, s supportplan.ClockState) []int {
	var found []int
	for n, c := range i.Clocks {
		if (customer == "" || c.Customer == customer) && c.Target == t && c.State == s && c.Open() {
			found = append(found, n)
		}
	}
	return found
}

func (i *Incident) plan(customer string) supportplan.Plan { return i.Definition.plan(customer) }

func (d *Definition) plan(customer string) supportplan.Plan {
	for _, c := range d.Customers {
		if c.ID == customer {
			return c.Plan
		}
	}
	return supportplan.Plan{}
}

func (i *Incident) customerName(id string) string {
	for _, c := range i.Definition.Customers {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

func (i *Incident) customerNames() []string {
	names := make([]string, len(i.Definition.Customers))
	for n, c := range i.Definition.Customers {
		names[n] = c.Name
	}
	return names
}

func (i *Incident) customerIDs() string {
	ids := make([]string, len(i.Definition.Customers))
	for n, c := range i.Definition.Customers {
		ids[n] = c.ID
	}
	return strings.Join(ids, ", ")
}

// AtRisk is the percentage of a customer's promised times after which a clock is at risk, 0 for whoever is no customer.
func (i *Incident) AtRisk(customer string) int { return i.plan(customer).AtRisk }

// ReviewDue is when the review of this incident is due.
func (i *Incident) ReviewDue() time.Time { return i.Times.Resolved.Add(i.Definition.Review.DueWithin) }

// ReviewOwner is who is told of the review.
func (i *Incident) ReviewOwner() []escalation.Target {
	return i.resolved(i.standsFor(i.Definition.Review.Owner))
}

// What a written report is told of the timeline. It must fit into one event of the history.
const (
	reportEntries = 4_000
	reportBytes   = 512 << 10
)

// ForReport is the incident without what no report shows.
func (i *Incident) ForReport() *Incident {
	slim := *i
	slim.Outbox, slim.Later, slim.Decided, slim.Arrived, slim.fresh = nil, nil, nil, nil, nil
	slim.Timeline.Trim(reportEntries, reportBytes)
	return &slim
}

// running is the clock that runs for somebody: a promise, the time to answer, or a vendor's own promise.
func (i *Incident) running(customer string, t supportplan.Target) *supportplan.Clock {
	for _, c := range i.Running() {
		if c.Customer == customer && c.Target == t {
			return c
		}
	}
	return nil
}

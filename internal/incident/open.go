package incident

import (
	"strconv"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Open makes the incident that a definition describes. The alerts that opened it follow through Receive.
func Open(id ID, def Definition, now time.Time) (*Incident, error) {
	i, err := opened(id, def)
	if err != nil {
		return nil, err
	}
	i.Times = Times{Started: now, Alerted: now}
	i.recordOpened(source(def.Source), now)
	i.startClocks(now, now)
	i.begin(Send{Work: FindPrevious}, now)
	i.lookAround(now)
	i.seekProblem(FindProblem, now)
	return i, nil
}

// opened is an incident of which nothing is recorded yet.
func opened(id ID, def Definition) (*Incident, error) {
	p, err := priority.Of(def.Impact, def.Urgency)
	if err != nil {
		return nil, err
	}
	i := &Incident{
		ID: id, Definition: def, Status: Triggered, Impact: def.Impact, Urgency: def.Urgency, Priority: p,
		Alerts: alert.Set{Impact: def.Impact, Urgency: def.Urgency}, // the definition has them from the first alerts
		Ticket: Ticket{Wanted: 1},
	}
	if !def.Changed.IsZero() { // nobody is told by a folder from before
		i.Folder = Folder{def.Revision, def.Changed}
	}
	return i, nil
}

func (i *Incident) recordOpened(by timeline.Actor, now time.Time) {
	def := &i.Definition
	i.record(now, timeline.IncidentOpened, by,
		timeline.F("title", def.Title), timeline.F("service", def.Service.Name), timeline.F("priority", i.Priority.String()),
		timeline.F("impact", string(def.Impact)), timeline.F("urgency", string(def.Urgency)),
		timeline.F("customers", strings.Join(i.customerNames(), ", ")), timeline.F("definition", def.SHA256),
		timeline.F("revision", def.Revision))
}

// Receive takes a batch of alerts in.
func (i *Incident) Receive(b alert.Batch, now time.Time) {
	c := i.Alerts.Apply(b)
	by := source(b.Source)
	if b.Held != nil {
		i.record(now, timeline.AlertsWereHeld, timeline.Muster(), timeline.F("silence", b.Held.ID), timeline.F("name", b.Held.Name), at("since", b.Held.Since))
	}
	for _, a := range c.Fired {
		if !a.StartsAt.IsZero() && a.StartsAt.Before(i.Times.Started) {
			i.Times.Started = a.StartsAt
		}
	}
	i.recordAlerts(by, c.Fired, timeline.AlertFired, timeline.AlertsFired, now)
	i.recordAlerts(by, c.Resolved, timeline.AlertResolved, timeline.AlertsResolved, now)
	if len(c.Fired)+len(c.Resolved) == 0 {
		i.Timeline.Repeat(now, timeline.AlertRepeated, by)
	}
	if i.Status == Merged {
		i.forward(b, c, now)
		return
	}
	if r := i.Response; r != nil && len(c.Fired)+c.Uncertain > 0 {
		r.Joined = true
	}
	if len(c.Fired) > 0 || c.Uncertain > 0 && !i.Alerts.AllResolved() {
		i.firesAgain(by, now)
		i.raise(c.Impact, c.Urgency, by, now)
	} else if c.Repeats > 0 && i.stillFires(now) {
		i.firesAgain(by, now)
	}
	i.quieten(c, by, now)
}

// timeOut resolves the alerts that have not come again in time.
func (i *Incident) timeOut(now time.Time) {
	if i.Status == Closed {
		return
	}
	c := i.Alerts.Expire(now)
	if len(c.Resolved)+c.Uncertain == 0 {
		return
	}
	i.record(now, timeline.AlertsTimedOut, timeline.Muster(),
		timeline.F("count", strconv.Itoa(len(c.Resolved))), timeline.F("names", names(c.Resolved)))
	if i.Status == Merged {
		i.forward(alert.Batch{Source: i.Definition.Source, ReceivedAt: now}, c, now)
		return
	}
	i.quieten(c, timeline.Muster(), now)
}

// quieten begins the quiet time when no alert fires any more.
func (i *Incident) quieten(c alert.Change, by timeline.Actor, now time.Time) {
	switch {
	case !i.Alerts.AllResolved() || !i.Status.Open() || !i.QuietSince.IsZero():
	case i.Notice != nil: // people have reported it: a person says when it is over
		if len(c.Resolved) > 0 {
			i.record(now, timeline.AllAlertsResolved, by)
			i.begin(Send{Work: Remind, About: AboutAlertsOver, Role: IncidentManager, Targets: i.standsFor(IncidentManager)}, now)
		}
	default:
		i.QuietSince = now
		i.record(now, timeline.AllAlertsResolved, by, at("resolves_at", now.Add(i.Definition.Quiet)))
	}
}

func (i *Incident) recordAlerts(by timeline.Actor, as []alert.Alert, one, many timeline.Kind, now time.Time) {
	const apart = 3 // up to so many alerts of a batch get their own entry
	if len(as) <= apart {
		for _, a := range as {
			i.record(now, one, by, timeline.F("name", a.Name), timeline.F("fingerprint", a.Fingerprint))
		}
		return
	}
	i.record(now, many, by, timeline.F("count", strconv.Itoa(len(as))), timeline.F("names", names(as)))
}

// firesAgain ends the quiet time, and brings back an incident that was thought to be over.
func (i *Incident) firesAgain(by timeline.Actor, now time.Time) {
	if !i.QuietSince.IsZero() {
		i.QuietSince = time.Time{}
		if i.Status.Open() {
			i.record(now, timeline.QuietBroken, by)
		}
	}
	if !i.Status.Open() {
		i.reopen(by, "alert", "", now)
	}
}

// raise takes over a level that is higher than all that alerts have given before. It never lowers one, and what a person has
// judged lower stays so until an alert says more than that person knew. Whoever leads is told, unless pages still climb.
func (i *Incident) raise(impact, urgency priority.Level, by timeline.Actor, now time.Time) {
	impact, urgency = priority.Higher(i.Impact, impact), priority.Higher(i.Urgency, urgency)
	if impact == i.Impact && urgency == i.Urgency {
		return
	}
	i.judge(impact, urgency, by, timeline.F("cause", "more-pressing-alert"), now)
	if i.Escalation.Answered {
		i.begin(Send{Work: Remind, About: AboutPriorityRaised, Role: IncidentManager, Targets: i.standsFor(IncidentManager)}, now)
	}
}

func (i *Incident) reopen(by timeline.Actor, cause, note string, now time.Time) {
	away := supportplan.Span{From: i.resolvedAt(), To: now}
	i.move(Triggered, by, cause, note, now)
	i.Reopened++
	i.cameBack(now)
	i.Times.Closed = time.Time{}
	i.seekProblem(FindProblem, now) // whose fix may not have held
	i.Escalation.Restart()
	i.Confirmations, i.Vacant, i.Summons = nil, nil, nil
	for n := range i.Clocks {
		c := &i.Clocks[n]
		p, promised := i.plan(c.Customer).Promise(i.Priority, c.Target)
		switch {
		case c.Target == supportplan.ResultReport: // begins anew with the next resolution
			if c.Open() {
				c.Stop(now)
				i.recordClock(now, timeline.ClockStopped, c, timeline.Muster(), timeline.F("cause", "reopened"))
			}
		case !promised:
		case c.Target == supportplan.Resolve:
			c.Reopen(away)
		default:
			c.Restart(now, p)
		}
	}
	if i.Repinned > 0 { // while it was not open: with promises that have never run
		i.startMissing(now)
	}
	i.computeClocks(now)
}

// startClocks begins every promise of every customer.
func (i *Incident) startClocks(from, now time.Time) {
	i.startMissing(from)
	i.computeClocks(now)
}

// startMissing begins every promise that has no clock, counted from an instant.
func (i *Incident) startMissing(from time.Time) {
	for _, c := range i.Definition.Customers {
		for _, t := range supportplan.Targets() {
			if p, ok := c.Plan.Promise(i.Priority, t); ok && t != supportplan.ResultReport && i.clock(c.ID, t) == nil {
				i.Clocks = append(i.Clocks, supportplan.Start(c.ID, p, from))
			}
		}
	}
}

// computeClocks asks for the instants of all clocks. They come back through Computed and are recorded there.
func (i *Incident) computeClocks(now time.Time) {
	if len(i.Clocks)+len(i.Confirmations)+len(i.Cases) == 0 {
		return
	}
	for n := range i.fresh {
		if i.fresh[n].Work == ComputeClocks {
			return // it has not begun yet, and will take these clocks
		}
	}
	for n := range i.Outbox {
		if i.Outbox[n].Work == ComputeClocks {
			i.Outbox = append(i.Outbox[:n], i.Outbox[n+1:]...) // overtaken
			break
		}
	}
	i.begin(Send{Work: ComputeClocks}, now)
}

// Running are all clocks that run: the promises to customers, the time that they have to answer, and the vendors' own promises.
func (i *Incident) Running() (all []*supportplan.Clock) {
	add := func(c *supportplan.Clock) {
		if c.State == supportplan.Running && c.Open() {
			all = append(all, c)
		}
	}
	for n := range i.Clocks {
		add(&i.Clocks[n])
	}
	for n := range i.Confirmations {
		add(&i.Confirmations[n].Clock)
	}
	for n := range i.Cases {
		if c := i.Cases[n].Clock; c != nil {
			add(c)
		}
	}
	return all
}

func source(id string) timeline.Actor { return timeline.Actor{Kind: timeline.Source, ID: id} }

func names(as []alert.Alert) string {
	const most = 5
	var seen []string
	for _, a := range as {
		known := false
		for _, s := range seen {
			known = known || s == a.Name
		}
		if !known {
			seen = append(seen, a.Name)
		}
	}
	if len(seen) > most {
		return strings.Join(seen[:most], ", ") + " …"
	}
	return strings.Join(seen, ", ")
}

func at(name string, t time.Time) timeline.Fact {
	return timeline.F(name, t.UTC().Format(time.RFC3339Nano))
}

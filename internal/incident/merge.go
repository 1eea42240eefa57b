package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Merging is one of two incidents of which one is merged into the other, as the other knows it. The one that is merged stays
// there: it passes its alerts on, and ends with the other.
type Merging struct {
	ID         ID        `json:"id"`
	WorkflowID string    `json:"workflow_id"`
	Title      string    `json:"title,omitempty"`
	Asked      time.Time `json:"asked"`
	Taken      time.Time `json:"taken,omitzero"`      // when it was taken in, zero while that is open
	Customers  []string  `json:"customers,omitempty"` // IDs of those that came with it
	Notice     bool      `json:"notice,omitempty"`    // what people have reported came with it
}

// Has tells whether an ID is the incident's, or that of one that it has taken in.
func (i *Incident) Has(id ID) bool {
	return id == i.ID || slices.ContainsFunc(i.Merged, func(m Merging) bool { return m.ID == id })
}

// A MergeKind is what one of the two incidents tells the other.
type MergeKind string

// The kinds. These strings are on the wire and in histories: add, never rename.
const (
	MergeAsked     MergeKind = "asked"      // take me in, with all that I have
	MergeTaken     MergeKind = "taken"      // you are taken in
	MergeRefused   MergeKind = "refused"    // you are not, for a reason
	MergeAlerts    MergeKind = "alerts"     // these have reached me
	MergeTakenBack MergeKind = "taken-back" // it was a mistake: I go on by myself
	MergeOver      MergeKind = "over"       // I am closed
)

// A MergeMessage goes from one incident to the other, in Muster's name.
type MergeMessage struct {
	Kind   MergeKind    `json:"kind"`
	From   Merging      `json:"from"`           // who tells it
	To     ID           `json:"to"`             // whom: a workflow id may be another incident's by now
	Asked  time.Time    `json:"asked,omitzero"` // of the merging that this is about: the two may be merged, split and merged again
	By     string       `json:"by,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Handed *Handed      `json:"handed,omitempty"` // with MergeAsked
	Alerts *alert.Batch `json:"alerts,omitempty"` // with MergeAlerts; with MergeTakenBack those that are no longer the other's, as resolved
}

// Handed is what an incident brings with it.
type Handed struct {
	Kind      Kind                `json:"kind,omitempty"`
	Started   time.Time           `json:"started"`
	Impact    priority.Level      `json:"impact"`
	Urgency   priority.Level      `json:"urgency"`
	Customers []Customer          `json:"customers,omitempty"`
	Clocks    []supportplan.Clock `json:"clocks,omitempty"`
	Calendars []calendar.Rules    `json:"calendars,omitempty"`
	Notice    *Notice             `json:"notice,omitempty"`
	Involved  []string            `json:"involved,omitempty"` // of a restricted one
	Alerts    alert.Batch         `json:"alerts"`             // those that fire
}

// Merge makes the incident a part of another one. That one has its customers and promises from then on, and whatever its alerts
// say; it ends when the other does.
type Merge struct {
	Into       ID     `json:"into"`
	Reason     string `json:"reason"`
	WorkflowID string `json:"workflow_id,omitempty"` // of the other, filled in by the API
	Title      string `json:"title,omitempty"`       // the same
}

// Check refuses an incident that is over, or merged already.
func (c Merge) Check(i *Incident) error {
	const action = "merge"
	switch {
	case c.Into == i.ID:
		return i.refuse(action, "into: want another incident")
	case c.Into == "" || c.WorkflowID == "":
		return i.refuse(action, "into: missing; want the ID of an open incident")
	case i.MergedInto != nil:
		return i.refuse(action, "is merged into %s already", i.MergedInto.ID)
	case len(i.Merged) > 0:
		return i.refuse(action, "has taken in %s itself; merge %s into it instead, or split that one off first", i.Merged[0].ID, c.Into)
	}
	return firstOf(i.wantOpen(action), i.wantText(action, "reason", c.Reason, true))
}

// Apply asks the other incident to take this one in. Until it has, everything goes on here.
func (c Merge) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.MergedInto = &Merging{ID: c.Into, WorkflowID: c.WorkflowID, Title: c.Title, Asked: now}
	i.record(now, timeline.MergeAsked, by, timeline.F("into", string(c.Into)), timeline.F("title", c.Title), timeline.F("reason", c.Reason))
	i.begin(Send{Work: TellMerge, Merge: MergeAsked, Text: c.Reason, Author: &by}, now)
}

// Split takes back that the incident was merged: it goes on by itself, with its own customers and promises.
type Split struct {
	Reason string `json:"reason"`
}

// Check refuses an incident that is not merged.
func (c Split) Check(i *Incident) error {
	if i.Status != Merged {
		return i.refuse("split", "is %s; only an incident that is merged into another can be split off again", i.Status)
	}
	return i.wantText("split", "reason", c.Reason, true)
}

// Apply opens the incident again, and tells the other one.
func (c Split) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.begin(Send{Work: TellMerge, Merge: MergeTakenBack, Text: c.Reason, Author: &by, Other: i.MergedInto}, now)
	i.unmerge(by, "split", c.Reason, now)
}

// unmerge lets the incident go on by itself: its promises run on as if they had never ended, and updates are due anew.
func (i *Incident) unmerge(by timeline.Actor, cause, note string, now time.Time) {
	taken := i.MergedInto.Taken
	i.MergedInto = nil
	i.move(Triggered, by, cause, note, now)
	i.Times.Closed = time.Time{}
	i.Vacant = nil
	i.Escalation.Restart()
	for n := range i.Clocks {
		c := &i.Clocks[n]
		switch p, promised := i.plan(c.Customer).Promise(i.Priority, c.Target); {
		case !promised || c.State != supportplan.Stopped || !c.EndedAt.Equal(taken):
		case c.Target == supportplan.Update:
			c.Restart(now, p)
		default:
			c.Continue(p)
		}
	}
	i.computeClocks(now)
}

// own is how this incident names itself to another.
func (i *Incident) own() Merging {
	return Merging{ID: i.ID, Title: i.Definition.PublicTitle()}
}

// MergeMessage returns what a send tells the other incident, and the other's workflow id.
func (i *Incident) MergeMessage(s Send) (MergeMessage, string) {
	other := s.Other
	if other == nil {
		other = i.MergedInto
	}
	m := MergeMessage{Kind: s.Merge, From: i.own(), Reason: s.Text, Alerts: s.Alerts}
	if s.Author != nil {
		m.By = s.Author.Shown()
	}
	if other == nil { // it was taken back meanwhile
		return m, ""
	}
	m.To, m.Asked = other.ID, other.Asked
	switch m.Kind {
	case MergeAsked:
		m.Handed = i.handed()
	case MergeTakenBack:
		m.Alerts = i.current()
		for n := range m.Alerts.Alerts {
			m.Alerts.Alerts[n].State = alert.Resolved
		}
	default:
	}
	return m, other.WorkflowID
}

func (i *Incident) handed() *Handed {
	h := &Handed{
		Kind: i.Definition.Kind, Started: i.Times.Started, Impact: i.Impact, Urgency: i.Urgency, Customers: i.Definition.Customers, Clocks: i.Clocks,
		Calendars: i.Definition.Calendars, Notice: i.Notice, Involved: i.Involved, Alerts: *i.current(),
	}
	return h
}

// current are the alerts that fire, as another incident takes them in.
func (i *Incident) current() *alert.Batch {
	const most = 200 // as many as fit into one message; those that come later are passed on
	b := &alert.Batch{Source: i.Definition.Source, Impact: i.Alerts.Impact, Urgency: i.Alerts.Urgency}
	for _, held := range i.Alerts.Full {
		if held.State == alert.Firing && len(b.Alerts) < most {
			b.Alerts = append(b.Alerts, alert.Received{Alert: bare(held.Alert), Times: 1})
		}
	}
	return b
}

// bare is an alert without what only its own incident needs, which also knows when it comes again.
func bare(a alert.Alert) alert.Alert {
	a.Labels, a.Annotations, a.Generator, a.Until = nil, nil, "", time.Time{}
	return a
}

// forward passes on what alerts have changed.
func (i *Incident) forward(b alert.Batch, c alert.Change, now time.Time) {
	out := alert.Batch{ID: b.ID, Source: b.Source, ReceivedAt: b.ReceivedAt, GroupResolved: b.GroupResolved, Impact: c.Impact, Urgency: c.Urgency}
	const most = 200
	for _, a := range slices.Concat(c.Fired, c.Resolved) {
		if len(out.Alerts) < most {
			out.Alerts = append(out.Alerts, alert.Received{Alert: bare(a), Times: 1})
		}
	}
	if len(out.Alerts) > 0 {
		i.begin(Send{Work: ForwardAlerts, Merge: MergeAlerts, Alerts: &out}, now)
	}
}

// MergeTold takes in that a message to the other incident has got there, or why not: there is no such incident any more.
func (i *Incident) MergeTold(number int, failure string, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	told := *s
	i.drop(number)
	switch {
	case failure == "":
	case told.Merge == MergeTaken: // it has ended meanwhile
		i.letGo(MergeMessage{From: *told.Other, Asked: told.Other.Asked, Reason: failure}, now)
	case (told.Merge == MergeAsked || told.Merge == MergeAlerts) && i.MergedInto != nil:
		i.refusedMerge(failure, now)
	}
}

// refusedMerge lets the incident go on by itself, because the other one does not have it.
func (i *Incident) refusedMerge(reason string, now time.Time) {
	i.record(now, timeline.MergeRefused, timeline.Muster(), timeline.F("into", string(i.MergedInto.ID)), timeline.F("detail", reason))
	over := i.Status == Closed && !i.MergedInto.Taken.IsZero()
	if i.Status == Merged || over && i.Alerts.Firing > 0 { // in the moment of closing an alert came, and nobody else has it
		i.unmerge(timeline.Muster(), "merge-refused", "", now)
		return
	}
	i.MergedInto = nil
	i.begin(Send{Work: Remind, About: AboutMergeRefused, Role: IncidentManager, Targets: i.standsFor(IncidentManager), Text: reason}, now)
}

// ReceiveMerge takes in what another incident tells.
func (i *Incident) ReceiveMerge(m MergeMessage, now time.Time) {
	m.From.Asked = m.Asked // and so in whatever answers it
	if m.To != i.ID {
		if m.Kind == MergeAsked || m.Kind == MergeAlerts { // it was for the incident before, which is over
			i.answerMerge(m.From, MergeRefused, fmt.Sprintf("%s is over", m.To), now)
		}
		return
	}
	switch m.Kind {
	case MergeAsked:
		i.takeIn(m, now)
	case MergeTaken:
		switch {
		case i.MergedInto != nil && i.MergedInto.ID == m.From.ID && i.Status.Open():
			i.merged(now)
		case i.Status != Merged: // it was taken back, or is over
			if i.MergedInto != nil && i.MergedInto.ID == m.From.ID {
				i.MergedInto = nil
			}
			i.answerMerge(m.From, MergeTakenBack, fmt.Sprintf("%s is %s", i.ID, i.Status), now)
		}
	case MergeRefused:
		if i.MergedInto != nil && i.MergedInto.ID == m.From.ID {
			i.refusedMerge(m.Reason, now)
		}
	case MergeAlerts:
		i.takeAlerts(m, now)
	case MergeTakenBack:
		i.letGo(m, now)
	case MergeOver:
		if i.MergedInto != nil && i.MergedInto.ID == m.From.ID && i.Status == Merged {
			i.close(timeline.Muster(), "merged", "", now)
		}
	}
}

func (i *Incident) answerMerge(to Merging, kind MergeKind, reason string, now time.Time) {
	i.begin(Send{Work: TellMerged, Merge: kind, Other: &to, Text: reason}, now)
}

// merged ends what this incident does by itself: the other one has it.
func (i *Incident) merged(now time.Time) {
	i.MergedInto.Taken = now
	i.move(Merged, timeline.Muster(), "", "", now)
	i.QuietSince = time.Time{}
	i.catchUp(now)
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Open() && c.State != supportplan.Missed {
			c.Stop(now)
			i.recordClock(now, timeline.ClockStopped, c, timeline.Muster(), timeline.F("cause", "merged"))
		}
	}
}

// catchUp passes on what has happened since the other incident was asked to take this one in. What it has heard before it
// hears once more: alerts may have been on their way to here for longer than the asking took.
func (i *Incident) catchUp(now time.Time) {
	b := i.current()
	b.ReceivedAt, b.Impact, b.Urgency = now, i.Impact, i.Urgency
	for _, held := range i.Alerts.Full {
		if held.State == alert.Resolved && !held.Last.Before(i.MergedInto.Asked.Add(-time.Hour)) {
			b.Alerts = append(b.Alerts, alert.Received{Alert: bare(held.Alert), Times: 1})
		}
	}
	if len(b.Alerts) > 0 {
		i.begin(Send{Work: ForwardAlerts, Merge: MergeAlerts, Alerts: b}, now)
	}
}

// takeIn takes another incident in, with its customers, what they were promised and the alerts that fire.
func (i *Incident) takeIn(m MergeMessage, now time.Time) {
	known := slices.IndexFunc(i.Merged, func(x Merging) bool { return x.ID == m.From.ID })
	switch {
	case known >= 0: // asked again, for the answer was lost; or what it took back before has not come yet
		i.Merged[known].Asked = m.Asked
		i.answerMerge(m.From, MergeTaken, "", now)
		return
	case !i.Status.Open():
		i.answerMerge(m.From, MergeRefused, fmt.Sprintf("%s is %s", i.ID, i.Status), now)
		return
	case i.MergedInto != nil:
		i.answerMerge(m.From, MergeRefused, fmt.Sprintf("%s is merged into %s itself", i.ID, i.MergedInto.ID), now)
		return
	case m.Handed.Kind != i.Definition.Kind: // who may read the one may not read the other
		i.answerMerge(m.From, MergeRefused, fmt.Sprintf("only one of %s and %s is a security incident; relate them instead", i.ID, m.From.ID), now)
		return
	}
	h := m.Handed
	from := m.From
	from.Taken = now
	for _, person := range h.Involved {
		i.involve(person)
	}
	if h.Started.Before(i.Times.Started) {
		i.Times.Started = h.Started
	}
	if i.Notice == nil && h.Notice != nil {
		i.Notice, i.QuietSince, from.Notice = h.Notice, time.Time{}, true
	}
	from.Customers, i.Adopted = i.adopt(h, now), true
	i.Merged = append(i.Merged, from)
	i.record(now, timeline.MergeTaken, timeline.Muster(), timeline.F("from", string(from.ID)), timeline.F("title", from.Title),
		timeline.F("customers", strings.Join(i.named(from.Customers), ", ")), timeline.F("by", m.By), timeline.F("reason", m.Reason))
	i.Ticket.Wanted++
	i.raise(h.Impact, h.Urgency, timeline.Muster(), now)
	b := i.foreign(h.Alerts)
	b.ReceivedAt = now
	i.Alerts.Apply(b)
	if len(b.Alerts) > 0 {
		i.firesAgain(source(b.Source), now)
	}
	i.computeClocks(now)
	i.answerMerge(m.From, MergeTaken, "", now)
}

// adopt takes over the customers that the other incident has and this one has not, with what they were promised. Of a promise that
// both have made, the one that is due earlier goes on. What was promised at another priority follows the one of this incident.
func (i *Incident) adopt(h *Handed, now time.Time) (fresh []string) {
	for _, c := range h.Customers {
		if i.customerName(c.ID) != "" {
			continue
		}
		c.Plan = i.withCalendars(c.Plan, h.Calendars)
		i.Definition.Customers = append(slices.Clip(i.Definition.Customers), c)
		fresh = append(fresh, c.ID)
	}
	for _, c := range h.Clocks {
		if c.Target == supportplan.ResultReport {
			continue
		}
		p, promised := i.plan(c.Customer).Promise(i.Priority, c.Target)
		own := i.clock(c.Customer, c.Target)
		switch {
		case own == nil:
			c.LastSend, c.Sending = 0, false // its sends are the other's
			i.Clocks = append(i.Clocks, c)
			own = &i.Clocks[len(i.Clocks)-1]
		case own.Open() && c.Open() && c.Started.Before(own.Started) && c.Target != supportplan.Update:
			own.Started = c.Started
			own.Pauses = c.Pauses
			own.Repromise(own.Promised())
			continue
		default:
			continue
		}
		switch {
		case !own.Open() || own.State == supportplan.Missed:
		case i.done(own.Target):
			i.keepClock(own, timeline.Muster(), now)
		case promised:
			own.Change(p)
		default:
			own.Stop(now)
		}
	}
	return fresh
}

// withCalendars brings the calendars of a plan along. One of the same ID with other rules, of another revision of the folder, comes
// under a name of its own.
func (i *Incident) withCalendars(p supportplan.Plan, rules []calendar.Rules) supportplan.Plan {
	renamed := map[string]string{}
	for _, id := range p.Calendars() {
		n := slices.IndexFunc(rules, func(r calendar.Rules) bool { return r.ID == id })
		if n < 0 {
			continue
		}
		r := rules[n]
		for k := 2; ; k++ {
			m := slices.IndexFunc(i.Definition.Calendars, func(x calendar.Rules) bool { return x.ID == r.ID })
			if m < 0 {
				i.Definition.Calendars = append(slices.Clip(i.Definition.Calendars), r)
				break
			}
			if i.Definition.Calendars[m].Equal(r) {
				break
			}
			r.ID = fmt.Sprintf("%s/%d", id, k) // no ID of the folder has a slash
		}
		renamed[id] = r.ID
	}
	p.Promises = slices.Clone(p.Promises)
	for n := range p.Promises {
		if id := p.Promises[n].Calendar; id != "" {
			p.Promises[n].Calendar = renamed[id]
		}
	}
	if p.Confirm != nil && p.Confirm.Calendar != "" {
		k := *p.Confirm
		k.Calendar = renamed[k.Calendar]
		p.Confirm = &k
	}
	return p
}

func (i *Incident) named(ids []string) []string {
	names := make([]string, len(ids))
	for n, id := range ids {
		names[n] = i.customerName(id)
	}
	return names
}

// foreign are alerts of another incident. Those of another source have its name before their fingerprints, which are its own.
func (i *Incident) foreign(b alert.Batch) alert.Batch {
	if b.Source == i.Definition.Source {
		return b
	}
	b.Alerts = slices.Clone(b.Alerts)
	for n := range b.Alerts {
		b.Alerts[n].Fingerprint = b.Source + "/" + b.Alerts[n].Fingerprint
	}
	return b
}

// takeAlerts takes in what has reached an incident that was taken in before.
func (i *Incident) takeAlerts(m MergeMessage, now time.Time) {
	known := slices.ContainsFunc(i.Merged, func(x Merging) bool { return x.ID == m.From.ID })
	if !known || m.Alerts == nil {
		i.answerMerge(m.From, MergeRefused, fmt.Sprintf("%s has not taken %s in", i.ID, m.From.ID), now)
		return
	}
	i.Receive(i.foreign(*m.Alerts), now)
}

// letGo gives back an incident that was merged by mistake, with all that came with it: customers, alerts, and what people have
// reported.
func (i *Incident) letGo(m MergeMessage, now time.Time) {
	n := slices.IndexFunc(i.Merged, func(x Merging) bool { return x.ID == m.From.ID && !m.Asked.Before(x.Asked) })
	if n < 0 {
		return
	}
	gone := i.Merged[n]
	i.record(now, timeline.MergeTakenBack, timeline.Muster(), timeline.F("from", string(gone.ID)),
		timeline.F("customers", strings.Join(i.named(gone.Customers), ", ")), timeline.F("by", m.By), timeline.F("reason", m.Reason))
	i.Merged = slices.Delete(i.Merged, n, n+1)
	theirs := func(customer string) bool { return slices.Contains(gone.Customers, customer) }
	i.Definition.Customers = slices.DeleteFunc(slices.Clone(i.Definition.Customers), func(c Customer) bool { return theirs(c.ID) })
	i.Clocks = slices.DeleteFunc(slices.Clone(i.Clocks), func(c supportplan.Clock) bool { return theirs(c.Customer) })
	i.Confirmations = slices.DeleteFunc(slices.Clone(i.Confirmations), func(k Confirmation) bool { return theirs(k.Clock.Customer) })
	i.Results = slices.DeleteFunc(slices.Clone(i.Results), func(r Result) bool { return theirs(r.Customer) })
	if gone.Notice {
		i.Notice = nil
	}
	i.Ticket.Wanted++
	if m.Alerts != nil && len(m.Alerts.Alerts) > 0 {
		i.Receive(i.foreign(*m.Alerts), now)
	}
}

// tellMerged says to those that were taken in that it is over.
func (i *Incident) tellMerged(now time.Time) {
	for _, m := range i.Merged {
		i.answerMerge(m, MergeOver, "", now)
	}
}

// A Relation leads to another incident.
type Relation struct {
	ID    ID           `json:"id"`
	Kind  RelationKind `json:"kind"`
	Title string       `json:"title,omitempty"`
	Note  string       `json:"note,omitempty"`
}

// RelationKind says how two incidents belong together.
type RelationKind string

// The kinds. These strings are in histories: add, never rename.
const (
	RelatedTo RelationKind = "related"
	CausedBy  RelationKind = "caused-by"
	Causes    RelationKind = "causes"
)

// RelationKinds lists the kinds.
func RelationKinds() []RelationKind { return []RelationKind{RelatedTo, CausedBy, Causes} }

// Relate says that another incident belongs to this one. Both go on by themselves.
type Relate struct {
	To    ID           `json:"to"`
	Kind  RelationKind `json:"kind"`
	Note  string       `json:"note,omitempty"`
	Title string       `json:"title,omitempty"` // of the other, filled in by the API
}

// Check refuses what is known already.
func (c Relate) Check(i *Incident) error {
	const action, most = "relate", 50
	switch {
	case c.To == "" || c.To == i.ID:
		return i.refuse(action, "to: want the ID of another incident")
	case !slices.Contains(RelationKinds(), c.Kind):
		return i.refuse(action, "kind %q: want %s", c.Kind, listed(RelationKinds()))
	case slices.ContainsFunc(i.Related, func(r Relation) bool { return r.ID == c.To && r.Kind == c.Kind }):
		return i.refuse(action, "it is related to %s as %s already", c.To, c.Kind)
	case len(i.Related) >= most:
		return i.refuse(action, "%d relations already; want no more", most)
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "note", c.Note, false))
}

// Apply records it.
func (c Relate) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.Related = append(i.Related, Relation{ID: c.To, Kind: c.Kind, Title: c.Title, Note: c.Note})
	i.record(now, timeline.Related, by, timeline.F("to", string(c.To)), timeline.F("relation", string(c.Kind)), timeline.F("title", c.Title),
		timeline.F("note", c.Note))
}

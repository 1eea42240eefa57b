// Package review decides what happens in a post-incident review: facts are taken as they happened, never typed again; people
// write what they have learned, meet, approve texts by their exact content and publish them; nothing is published by a machine. It
// reads no clock and reaches nobody.
package review

import (
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// Facts are what the incident hands to its review.
type Facts struct {
	Incident  incident.ID       `json:"incident"`
	Title     string            `json:"title"`
	Service   string            `json:"service"`
	Priority  priority.Priority `json:"priority"`
	Customers []string          `json:"customers,omitempty"`
	Times     incident.Times    `json:"times"`
	Intervals []Interval        `json:"intervals"`
	Reopened  int               `json:"reopened,omitempty"`
	Zone      string            `json:"zone"`
	Record    *Record           `json:"record,omitempty"` // nil: of an incident that knew no stages of reviews
}

// Phase names the time from one of the five instants to the next.
type Phase string

// The phases of an incident. These strings are in histories: add, never rename.
const (
	Detect   Phase = "detect"   // from the start to the alert
	Engage   Phase = "engage"   // until a person took it
	Diagnose Phase = "diagnose" // until the mitigation began
	Mitigate Phase = "mitigate" // until normal operation was back
)

// Phases lists the phases in the order in which an incident passes them.
func Phases() []Phase { return []Phase{Detect, Engage, Diagnose, Mitigate} }

// Took returns how long a phase took, and whether both its ends are known, in this order.
func Took(p Phase, t incident.Times) (time.Duration, bool) {
	var from, to time.Time
	switch p {
	case Detect:
		from, to = t.Started, t.Alerted
	case Engage:
		from, to = t.Alerted, t.Engaged
	case Diagnose:
		from, to = t.Engaged, t.Mitigation
	case Mitigate:
		from, to = t.Mitigation, t.Resolved
	}
	if from.IsZero() || to.Before(from) {
		return 0, false
	}
	return to.Sub(from), true
}

// An Interval is how long a phase took.
type Interval struct {
	Phase Phase         `json:"phase"`
	Took  time.Duration `json:"took"`
}

// FactsOf gathers the facts of an incident.
func FactsOf(i *incident.Incident) Facts {
	f := i.Facts()
	var record *Record
	if i.Definition.Review.Stages != nil {
		record = recordOf(i)
	}
	return Facts{
		Incident: f.ID, Title: i.Definition.PublicTitle(), Service: f.Service, Priority: f.Priority, Customers: f.Customers, Times: f.Times,
		Intervals: intervals(f.Times), Reopened: i.Reopened, Zone: f.Zone, Record: record,
	}
}

// intervals are those whose two ends are known.
func intervals(t incident.Times) (known []Interval) {
	for _, p := range Phases() {
		if took, ok := Took(p, t); ok {
			known = append(known, Interval{Phase: p, Took: took})
		}
	}
	return known
}

// Status is where a review stands.
type Status string

// The statuses of a review.
const (
	Open   Status = "open"
	Closed Status = "closed"
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Open, Closed} }

// Rules are what was agreed for a review when its incident opened. A review without any is one from before there were stages: it
// takes notes, and a person closes it.
type Rules struct {
	Draft    int                 `json:"draft,omitempty"` // working days; 0: no deadline
	Meeting  int                 `json:"meeting,omitempty"`
	Publish  int                 `json:"publish,omitempty"`
	Calendar string              `json:"calendar,omitempty"`
	Within   time.Duration       `json:"within"` // until it has to be closed
	Pinned   []calendar.Rules    `json:"calendars,omitempty"`
	Owner    []escalation.Target `json:"owner"`
	Lead     []escalation.Target `json:"lead"` // who is told when the owner is late
	Edition  int                 `json:"edition,omitempty"`
}

// Edition is that of the rules by which reviews of incidents go that open now. From the first one on a draft wants the pattern before it
// is submitted, and the timeline says by a word why somebody was refused. A review that has begun goes on as it has.
const Edition = 1

// RulesOf are those of an incident, nil of one from before there were any.
func RulesOf(i *incident.Incident) *Rules {
	rule := i.Definition.Review
	s := rule.Stages
	if s == nil {
		return nil
	}
	r := &Rules{
		Draft: s.Draft, Meeting: s.Meeting, Publish: s.Publish, Calendar: s.Calendar, Within: rule.DueWithin, Owner: i.ReviewOwner(), Lead: s.Lead,
		Edition: s.Edition,
	}
	for _, c := range i.Definition.Calendars {
		if c.ID == s.Calendar {
			r.Pinned = append(r.Pinned, c)
		}
	}
	return r
}

// A Review is the state of one post-incident review.
type Review struct {
	Facts    Facts        `json:"facts"`
	Opened   time.Time    `json:"opened"`
	Due      time.Time    `json:"due"`
	Status   Status       `json:"status"`
	Overdue  bool         `json:"overdue,omitempty"`
	Timeline timeline.Log `json:"timeline"`

	Rules     *Rules         `json:"rules,omitempty"`
	OpenedBy  timeline.Actor `json:"opened_by,omitzero"`
	Since     time.Time      `json:"since,omitzero"`     // when its deadlines began: when it opened, or was extended last
	Extended  int            `json:"extended,omitempty"` // how often, because its incident was resolved once more
	Deadlines []Deadline     `json:"deadlines,omitempty"`

	Changes  []Change       `json:"changes,omitempty"` // before the incident began, the latest one last
	Sought   bool           `json:"sought,omitempty"`  // what was changed is found out
	Sections []Section      `json:"sections,omitempty"`
	Factors  []Factor       `json:"factors,omitempty"`
	Pattern  *Pattern       `json:"pattern,omitempty"`
	Invited  []Invitation   `json:"invited,omitempty"`
	Meeting  *Meeting       `json:"meeting,omitempty"` // the last one
	Texts    []Text         `json:"texts,omitempty"`   // the internal one first, then one for each customer
	Actions  []Action       `json:"actions,omitempty"`
	Without  string         `json:"without,omitempty"` // why it was closed without having published its internal text
	ClosedBy timeline.Actor `json:"closed_by,omitzero"`
	Ended    time.Time      `json:"ended,omitzero"`
	Factored int            `json:"factored,omitempty"` // factors so far: the number of the newest
	Sends    int            `json:"sends,omitempty"`    // messages begun so far
	Refusals int            `json:"refusals,omitempty"` // that stand in the timeline
	Partial  bool           `json:"partial,omitempty"`  // as somebody outside sees it: what is not in it is hidden, and not none

	fresh []Work
}

// Start opens a review. Its due instant is the one by which it has to be closed.
func Start(f Facts, rules *Rules, due time.Time, by timeline.Actor, now time.Time) *Review {
	r := &Review{Facts: f, Rules: rules, Opened: now, OpenedBy: by, Since: now, Due: due, Status: Open}
	r.record(now, timeline.ReviewOpened, by, timeline.F("review", "review/"+string(f.Incident)), timeline.F("due", instant(due)))
	r.texts()
	r.deadlines(now)
	r.gather()
	r.tell(Telling{About: Begun, Due: due, Targets: rules.Owner})
	return r
}

// Extend takes in that the incident was resolved once more. What was written stays; the facts are the new ones, the deadlines begin
// anew, and nothing counts as approved or published any more. The same resolution told twice is one: when the incident is closed, its
// facts are complete, and nothing else changes.
func (r *Review) Extend(f Facts, rules *Rules, due, now time.Time) {
	if r.Status != Open {
		return
	}
	if f.Times.Resolved.Equal(r.Facts.Times.Resolved) {
		if r.Facts.Times.Closed.IsZero() && !f.Times.Closed.IsZero() {
			r.Facts = f
			r.record(now, timeline.ReviewCompleted, timeline.Muster())
		}
		return
	}
	r.Facts, r.Rules, r.Due, r.Overdue, r.Since = f, rules, due, false, now
	r.Extended++
	r.record(now, timeline.ReviewExtended, timeline.Muster(), timeline.F("due", instant(due)))
	r.texts()
	for n := range r.Texts {
		r.void(&r.Texts[n], "resolved-again", now)
	}
	r.changed(now) // what was submitted is about another end
	r.deadlines(now)
	r.gather()
	r.tell(Telling{About: Begun, Due: due, Targets: rules.Owner})
}

// gather has everything found out that the incident itself does not know.
func (r *Review) gather() {
	r.begin(Work{Do: WriteDrafts, Round: r.Extended})
	r.begin(Work{Do: FindChanges, Round: r.Extended})
}

// texts has a text for the inside and one for each customer of the incident.
func (r *Review) texts() {
	want := []Text{{Audience: Internal}}
	if r.Facts.Record != nil {
		for _, c := range r.Facts.Record.Customers {
			want = append(want, Text{Audience: c.ID, Name: c.Name})
		}
	}
	for _, t := range want {
		if len(r.Texts) < maxTexts && r.Text(t.Audience) == nil {
			r.Texts = append(r.Texts, t)
		}
	}
}

func (r *Review) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	r.Timeline.Add(now, k, by, facts...)
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

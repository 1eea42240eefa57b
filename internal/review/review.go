// Package review holds what a post-incident review starts from: facts taken as they happened, never typed again. It reads
// no clock.
package review

import (
	"time"

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
	return Facts{
		Incident: f.ID, Title: i.Definition.PublicTitle(), Service: f.Service, Priority: f.Priority, Customers: f.Customers, Times: f.Times,
		Intervals: intervals(f.Times), Reopened: i.Reopened, Zone: f.Zone,
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

// A Review is the state of one post-incident review.
type Review struct {
	Facts    Facts        `json:"facts"`
	Opened   time.Time    `json:"opened"`
	Due      time.Time    `json:"due"`
	Status   Status       `json:"status"`
	Overdue  bool         `json:"overdue,omitempty"`
	Timeline timeline.Log `json:"timeline"`
}

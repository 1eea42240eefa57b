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

// Phase names an interval between two of the five instants.
type Phase string

// The phases of an incident.
const (
	Detect   Phase = "detect"   // from the start to the alert
	Engage   Phase = "engage"   // from the alert until a person took it
	Diagnose Phase = "diagnose" // until the mitigation began
	Recover  Phase = "recover"  // until normal operation was back
)

// An Interval is how long a phase took.
type Interval struct {
	Phase Phase         `json:"phase"`
	Took  time.Duration `json:"took"`
}

// FactsOf gathers the facts of an incident.
func FactsOf(i *incident.Incident) Facts {
	f := i.Facts()
	return Facts{
		Incident: f.ID, Title: f.Title, Service: f.Service, Priority: f.Priority, Customers: f.Customers, Times: f.Times,
		Intervals: Intervals(f.Times), Reopened: i.Reopened, Zone: f.Zone,
	}
}

// Intervals are the phases whose two ends are known. A phase that has no end of its own is part of the next one.
func Intervals(t incident.Times) []Interval {
	var found []Interval
	from := t.Started
	for _, p := range []struct {
		phase Phase
		to    time.Time
	}{{Detect, t.Alerted}, {Engage, t.Engaged}, {Diagnose, t.Mitigation}, {Recover, t.Resolved}} {
		if p.to.IsZero() || p.to.Before(from) {
			continue
		}
		found = append(found, Interval{Phase: p.phase, Took: p.to.Sub(from)})
		from = p.to
	}
	return found
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

package review

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// The bounds of what is kept of an incident's timeline: a review is read, and what is left out stands in the incident report.
const (
	maxPeople  = 50
	maxUpdates = 30
	maxWords   = 500 // characters of an update
)

// A Record is what the incident knew when it was resolved, besides its instants: taken from its timeline, never typed again.
type Record struct {
	Organisation string               `json:"organisation"`
	ServiceID    string               `json:"service_id"`
	Language     string               `json:"language"` // of the organisation
	Impact       priority.Level       `json:"impact"`
	Paged        []Contacted          `json:"paged,omitempty"`    // whom a page has reached, the first one first
	Answered     []Contacted          `json:"answered,omitempty"` // who has acknowledged
	Updates      []Update             `json:"updates,omitempty"`  // the newest ones
	Clocks       []Clock              `json:"clocks,omitempty"`
	Met          int                  `json:"met"`
	Missed       int                  `json:"missed"`
	Runbooks     []Runbook            `json:"runbooks,omitempty"`
	Cases        []Case               `json:"cases,omitempty"`
	Merged       []incident.ID        `json:"merged,omitempty"`
	Cause        incident.CauseDomain `json:"cause,omitempty"`
	Vendor       string               `json:"vendor,omitempty"` // name, with the domain vendor
	Said         string               `json:"said,omitempty"`   // of the cause, while it lasted
	Customers    []Customer           `json:"customers,omitempty"`
}

// A Contacted person was reached at an instant.
type Contacted struct {
	Name string    `json:"name"`
	ID   string    `json:"id,omitempty"`
	At   time.Time `json:"at"`
}

// An Update is what a customer was told.
type Update struct {
	Customer string    `json:"customer"` // name
	At       time.Time `json:"at"`
	Text     string    `json:"text,omitempty"`
	AllClear bool      `json:"all_clear,omitempty"`
}

// A Clock is a promise and what has become of it.
type Clock struct {
	Customer string                 `json:"customer"` // name
	Target   supportplan.Target     `json:"target"`
	Due      time.Time              `json:"due,omitzero"`
	Ended    time.Time              `json:"ended,omitzero"`
	State    supportplan.ClockState `json:"state"`
}

// A Runbook is one that somebody has used.
type Runbook struct {
	Name    string                  `json:"name"`
	By      string                  `json:"by"`
	Started time.Time               `json:"started"`
	Outcome incident.RunbookOutcome `json:"outcome,omitempty"`
}

// A Case is one with a vendor.
type Case struct {
	Vendor    string    `json:"vendor"` // ID
	Name      string    `json:"name"`
	Reference string    `json:"reference,omitempty"`
	Opened    time.Time `json:"opened"`
	Answered  time.Time `json:"answered,omitzero"`
}

// A Customer is what one customer may know of the incident: its own promises and what it was told, and nothing of anybody else's.
type Customer struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Met     int      `json:"met"`
	Missed  int      `json:"missed"`
	Updates []Update `json:"updates,omitempty"`
}

// Before is how long before an incident began a change may have to do with it.
const Before = 72 * time.Hour

// A Change is one that a run of a plan has made where the service runs, in the time before the incident began.
type Change struct {
	Run         string    `json:"run"`
	Title       string    `json:"title"`       // of the run
	Environment string    `json:"environment"` // name
	Task        string    `json:"task"`        // ID
	At          time.Time `json:"at"`
}

// maxChanges is how many changes are kept, the latest ones.
const maxChanges = 30

// Changed takes in what was changed before the incident, as was found out in a round. With a detail nobody knows.
func (r *Review) Changed(round int, all []Change, detail string, now time.Time) {
	if round != r.Extended {
		return
	}
	if detail != "" {
		r.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FindChanges)), timeline.F("detail", detail))
		return
	}
	slices.SortStableFunc(all, func(a, b Change) int { return a.At.Compare(b.At) })
	r.Sought, r.Changes = true, all[max(0, len(all)-maxChanges):]
	for _, c := range r.Changes {
		r.record(now, timeline.ChangeFound, timeline.Muster(), timeline.F("run", c.Run), timeline.F("title", c.Title),
			timeline.F("environment", c.Environment), timeline.F("task", c.Task), timeline.F("at", instant(c.At)))
	}
}

// recordOf gathers the record of an incident. Of a restricted one, what was said of it stays in it.
func recordOf(i *incident.Incident) *Record {
	r := &Record{Organisation: i.Definition.Organisation, ServiceID: i.Definition.Service.ID, Impact: i.Impact}
	if len(i.Definition.Languages) > 0 {
		r.Language = i.Definition.Languages[0]
	}
	for _, c := range i.Definition.Customers {
		r.Customers = append(r.Customers, customerOf(i, c))
	}
	for _, e := range i.Timeline.Entries {
		switch {
		case e.Kind == timeline.Delivered && e.Fact("what") == string(delivery.Page):
			r.Paged = contacted(r.Paged, Contacted{Name: e.Fact("to"), At: e.At})
		case e.Kind == timeline.Acknowledged:
			r.Answered = contacted(r.Answered, Contacted{Name: e.Actor.Shown(), ID: e.Actor.ID, At: e.At})
		}
	}
	for _, u := range updates(&i.Timeline) {
		if i.Definition.Restricted() {
			u.Text = ""
		}
		r.Updates = append(r.Updates, u)
	}
	r.Clocks, r.Met, r.Missed = clocks(i)
	for _, u := range i.Runbooks {
		r.Runbooks = append(r.Runbooks, Runbook{Name: u.Name, By: u.By.Shown(), Started: u.Started, Outcome: u.Outcome})
	}
	for _, c := range i.Cases {
		r.Cases = append(r.Cases, Case{Vendor: c.Support.ID, Name: c.Support.Name, Reference: c.Reference, Opened: c.Opened, Answered: c.Answered})
	}
	for _, m := range i.Merged {
		r.Merged = append(r.Merged, m.ID)
	}
	if c := i.Cause; c != nil {
		r.Cause, r.Vendor = c.Domain, c.Vendor
		if !i.Definition.Restricted() {
			r.Said = c.Text
		}
	}
	return r
}

// customerOf is what a customer may read, which the incident itself says.
func customerOf(i *incident.Incident, c incident.Customer) Customer {
	own := i.Shown(incident.Viewer{Party: c.ID, Own: func(timeline.Actor) bool { return false }, Instead: timeline.Muster()})
	of := Customer{ID: c.ID, Name: cmp.Or(c.Name, c.ID), Updates: updates(&own.Timeline)}
	_, of.Met, of.Missed = clocks(own)
	return of
}

func contacted(all []Contacted, c Contacted) []Contacted {
	if len(all) == maxPeople || slices.ContainsFunc(all, func(x Contacted) bool { return x.Name == c.Name && x.ID == c.ID }) {
		return all
	}
	return append(all, c)
}

func updates(log *timeline.Log) (all []Update) {
	for _, e := range log.Entries {
		if e.Kind != timeline.UpdateSent && e.Kind != timeline.AllClearSent {
			continue
		}
		text := []rune(e.Fact("text"))
		if len(text) > maxWords {
			text = append(text[:maxWords:maxWords], '…')
		}
		all = append(all, Update{Customer: e.Fact("customer"), At: e.At, Text: string(text), AllClear: e.Kind == timeline.AllClearSent})
	}
	return all[max(0, len(all)-maxUpdates):]
}

func clocks(i *incident.Incident) (all []Clock, met, missed int) {
	names := map[string]string{}
	for _, c := range i.Definition.Customers {
		names[c.ID] = c.Name
	}
	for _, c := range i.Clocks {
		met, missed = met+c.EarlierMet, missed+c.EarlierMissed
		x := Clock{Customer: cmp.Or(names[c.Customer], c.Customer), Target: c.Target, Due: c.Due, Ended: c.EndedAt, State: c.State}
		switch {
		case c.Late:
			x.State = supportplan.Missed
			missed++
		case c.State == supportplan.Met:
			met++
		}
		all = append(all, x)
	}
	return all, met, missed
}

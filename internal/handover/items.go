package handover

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// MaxItems bounds the items of a hand-over.
const MaxItems = 30

// maxRoles is how many roles may go over at most.
const maxRoles = 8 * MaxItems

// An Item is an open incident that goes over, as it stood when the hand-over began.
type Item struct {
	Incident incident.ID       `json:"incident"`
	Kind     incident.Kind     `json:"kind,omitempty"`
	Title    string            `json:"title"`   // empty where only those who are involved may read it
	Service  string            `json:"service"` // name
	Status   incident.Status   `json:"status"`
	Priority priority.Priority `json:"priority"`
	Roles    []incident.Role   `json:"roles,omitempty"`      // that the outgoing person has
	Next     *Promise          `json:"next,omitempty"`       // the first one that is due, besides the customer updates
	Update   *Promise          `json:"update,omitempty"`     // the customer update that is due first
	Paused   []Promise         `json:"paused,omitempty"`     // whose time stands still
	Quiet    time.Time         `json:"quiet_since,omitzero"` // no alert has fired since
}

// A Promise is what a customer was promised.
type Promise struct {
	Customer string             `json:"customer"` // name
	Target   supportplan.Target `json:"target"`
	Due      time.Time          `json:"due,omitzero"` // zero: its time stands still
}

// ItemOf returns what goes over of an incident, and whether it concerns the hand-over of a schedule by a person: one that has
// a role in it or has answered for it, or whose service pages the schedule.
func ItemOf(i *incident.Incident, schedule, person string) (Item, bool) {
	if i.Status == incident.Closed {
		return Item{}, false
	}
	f := i.Facts().Discreet() // more people read a hand-over than those who are involved
	item := Item{
		Incident: i.ID, Kind: f.Kind, Title: f.Title, Service: f.Service, Status: i.Status, Priority: i.Priority, Quiet: i.QuietSince,
	}
	for _, h := range i.Holders {
		if h.Person == person {
			item.Roles = append(item.Roles, h.Role)
		}
	}
	for _, c := range f.Clocks { // the first due first
		p := Promise{c.Customer, c.Target, c.Due}
		switch {
		case c.Target == supportplan.Update && item.Update == nil:
			item.Update = &p
		case c.Target != supportplan.Update && item.Next == nil:
			item.Next = &p
		}
	}
	for _, c := range i.Clocks {
		if c.State == supportplan.Paused {
			item.Paused = append(item.Paused, Promise{Customer: customer(i, c.Customer), Target: c.Target})
		}
	}
	responder := len(i.Responders) > 0 && i.Responders[len(i.Responders)-1].ID == person
	return item, len(item.Roles) > 0 || responder || pages(i.Definition.Policy, schedule)
}

func customer(i *incident.Incident, id string) string {
	for _, c := range i.Definition.Customers {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

// pages tells whether a policy pages a schedule.
func pages(p escalation.Policy, schedule string) bool {
	t := escalation.Target{Kind: escalation.Schedule, ID: schedule}
	return slices.Contains(p.LastResort, t) || slices.ContainsFunc(p.Steps, func(s escalation.Step) bool {
		return slices.Contains(s.Targets, t)
	})
}

// Sorted are the items with the most pressing first, at most MaxItems of them, and how many are left out.
func Sorted(all []Item) (items []Item, left int) {
	items = slices.Clone(all)
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Incident, b.Incident))
	})
	if len(items) > MaxItems {
		return items[:MaxItems], len(items) - MaxItems
	}
	return items, 0
}

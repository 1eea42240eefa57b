// Package asset says what the assets of customers are, which of them a list takes, and how what has happened to one becomes its history. It
// reads no folder, no clock and no workflow.
//
// Sources: a register of assets with the history of each, and tags by which they are found (asset and change history, asset tagging).
package asset

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/change"
	"muster/internal/escalation"
)

// A Named thing of the organisation folder.
type Named = change.Named

// A Tag is a key of the organisation's own with its value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// An Asset is one thing of a customer that is looked after: a database, a firewall, a licence.
type Asset struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Kind        string     `json:"kind"` // a word of the organisation's own
	Customer    Named      `json:"customer"`
	Environment Named      `json:"environment"` // of the customer
	Services    []Named    `json:"services"`
	Tags        []Tag      `json:"tags,omitempty"`
	Vendor      *Named     `json:"vendor,omitempty"`
	Product     string     `json:"product,omitempty"`
	Version     string     `json:"version,omitempty"`
	Owner       *Owner     `json:"owner,omitempty"`  // of the provider
	Alerts      []Tag      `json:"alerts,omitempty"` // labels that all of its alerts have; none: they are not known
	Deadlines   []Deadline `json:"deadlines,omitempty"`
	Partial     bool       `json:"partial,omitempty"` // as a party beside the provider sees it
}

// An Owner is a group or person who answers for an asset.
type Owner struct {
	Target escalation.Target `json:"target"`
	Name   string            `json:"name"`
}

// A Deadline is a day by which something has to be done about an asset.
type Deadline struct {
	What    string        `json:"what"` // a word of the organisation's own, such as support-ends
	Name    string        `json:"name"`
	On      calendar.Date `json:"on"`
	Lead    int           `json:"lead,omitempty"`    // days before it, on which its plan begins
	Plan    string        `json:"plan,omitempty"`    // ID; empty: nothing begins by itself
	Routine string        `json:"routine,omitempty"` // ID of the one that starts the plan
}

// Next is the next deadline from a day on, if there is one.
func (a *Asset) Next(today calendar.Date) (next Deadline, ok bool) {
	for _, d := range a.Deadlines {
		if d.On >= today && (!ok || d.On < next.On) {
			next, ok = d, true
		}
	}
	return next, ok
}

// Shown is an asset as a party beside the provider sees it: without what the provider has arranged for itself.
func (a Asset) Shown() Asset {
	a.Owner, a.Alerts, a.Partial = nil, nil, true
	a.Deadlines = slices.Clone(a.Deadlines)
	for n := range a.Deadlines {
		d := &a.Deadlines[n]
		d.Plan, d.Routine, d.Lead = "", "", 0
	}
	return a
}

// A Filter narrows a list. Zero values do not.
type Filter struct {
	Customer    string // ID
	Service     string // ID
	Environment string // ID
	Kind        string
	Tags        []Tag  // all of them
	Text        string // that stands in it, in small letters or capitals
}

// Takes tells whether an asset passes.
func (f Filter) Takes(a *Asset) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	for _, t := range f.Tags {
		if !slices.Contains(a.Tags, t) {
			return false
		}
	}
	return is(f.Customer, a.Customer.ID) && is(f.Environment, a.Environment.ID) && is(f.Kind, a.Kind) &&
		(f.Service == "" || slices.ContainsFunc(a.Services, func(s Named) bool { return s.ID == f.Service })) &&
		strings.Contains(strings.ToLower(a.words()), strings.ToLower(f.Text))
}

// words are all that an asset can be found by.
func (a *Asset) words() string {
	all := []string{a.ID, a.Name, a.Kind, a.Customer.ID, a.Customer.Name, a.Environment.ID, a.Environment.Name, a.Product, a.Version}
	for _, s := range a.Services {
		all = append(all, s.ID, s.Name)
	}
	for _, t := range a.Tags {
		all = append(all, t.Key+"="+t.Value)
	}
	if a.Vendor != nil {
		all = append(all, a.Vendor.ID, a.Vendor.Name)
	}
	for _, d := range a.Deadlines {
		all = append(all, d.What, d.Name)
	}
	return strings.Join(all, "\n")
}

// EventKind says what an event of a history is.
type EventKind string

// The kinds. These strings are on the wire: add, never rename.
const (
	Change   EventKind = "change"   // one that names the asset
	Incident EventKind = "incident" // one of its services, of which an alert has the labels of the asset
	Plan     EventKind = "plan"     // the run of a plan in its environment
	Vendor   EventKind = "vendor"   // the run of a plan for what its vendor has said
	Visit    EventKind = "visit"    // the run of a routine in its environment, or one of its times that had none
)

// EventKinds lists the kinds.
func EventKinds() []EventKind { return []EventKind{Change, Incident, Plan, Vendor, Visit} }

// An Event is one thing that has happened to an asset, or to the environment in which it stands.
type Event struct {
	Kind    EventKind `json:"kind"`
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Status  string    `json:"status"`            // a word of its kind
	Routine string    `json:"routine,omitempty"` // ID, of a visit
	From    time.Time `json:"from"`              // when it has begun
	Until   time.Time `json:"until,omitzero"`    // when it was over; zero: it is not
	Named   bool      `json:"named,omitempty"`   // it is about this asset, and not about all of its environment
}

// Newest sorts events, the newest first, keeps some of them, and tells whether there were more.
func Newest(all []Event, most int) (kept []Event, more bool) {
	slices.SortStableFunc(all, func(a, b Event) int {
		return cmp.Or(b.From.Compare(a.From), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	if more = len(all) > most; more {
		all = all[:most]
	}
	return all, more
}

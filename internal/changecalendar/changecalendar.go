// Package changecalendar puts what is planned on one calendar: changes, the dates of plans, what providers announce, work that comes back, and
// the freezes in which nothing may be changed. It says what meets what, so that one of them is moved before both begin.
//
// Sources: a change calendar for production, and one searchable source of all that is planned (operational excellence, OPS03-BP04); windows that
// yield to business events (OPS05-BP05).
package changecalendar

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Kind says what an entry is.
type Kind string

// The kinds. These strings are on the wire: add, never rename.
const (
	Change   Kind = "change"   // a change that was asked for and is not over
	Plan     Kind = "plan"     // a date of the run of a plan
	Provider Kind = "provider" // a date of a run that a provider's notice has started
	Routine  Kind = "routine"  // an occurrence of work that comes back
	Freeze   Kind = "freeze"   // nothing may be changed
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Change, Plan, Provider, Routine, Freeze} }

// works tells whether something is changed by it.
func (k Kind) works() bool { return k == Change || k == Plan || k == Provider }

// An Entry is one thing that is planned.
type Entry struct {
	Kind         Kind      `json:"kind"`
	ID           string    `json:"id"`
	Title        string    `json:"title"`
	Date         string    `json:"date,omitempty"`   // of a plan: which of its dates this is
	Status       string    `json:"status,omitempty"` // a word of its kind
	Customers    []string  `json:"customers,omitempty"`
	Services     []string  `json:"services,omitempty"`
	Environments []string  `json:"environments,omitempty"` // CUSTOMER/ENVIRONMENT
	From         time.Time `json:"from,omitzero"`          // zero: from whenever it may
	Until        time.Time `json:"until,omitzero"`         // zero: nobody knows
	Of           string    `json:"of,omitempty"`           // the change that has become this run
	Meets        []Meeting `json:"meets,omitempty"`
}

// A Meeting names another entry that would happen at the same time to the same thing.
type Meeting struct {
	Kind  Kind      `json:"kind"`
	ID    string    `json:"id"`
	Title string    `json:"title"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// A Filter narrows a calendar. Zero values do not.
type Filter struct {
	Kind     Kind
	Customer string // ID
	Service  string // ID
	Text     string // that stands in an entry, in small letters or capitals
}

// Takes tells whether an entry passes.
func (f Filter) Takes(e *Entry) bool {
	text := strings.ToLower(strings.Join(slices.Concat([]string{e.ID, e.Title, e.Date, e.Status}, e.Customers, e.Services, e.Environments), "\n"))
	return (f.Kind == "" || e.Kind == f.Kind) && (f.Customer == "" || slices.Contains(e.Customers, f.Customer)) &&
		(f.Service == "" || slices.Contains(e.Services, f.Service)) && strings.Contains(text, strings.ToLower(f.Text))
}

// touches tells whether an entry has a part between two instants. One that begins and ends at the same instant counts as that instant.
func (e *Entry) touches(from, until time.Time) bool {
	return (e.Until.IsZero() || e.ends().After(from)) && (until.IsZero() || e.From.Before(until))
}

// Between returns those entries that have a part between two instants, in the order in which they begin, each with what it meets.
// The entries are changed.
func Between(all []Entry, from, until time.Time) []Entry {
	all = slices.DeleteFunc(all, func(e Entry) bool { return !e.touches(from, until) })
	slices.SortStableFunc(all, func(a, b Entry) int {
		return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	for n := range all {
		for k := range n {
			if meet(&all[n], &all[k]) {
				all[n].Meets, all[k].Meets = append(all[n].Meets, all[k].meeting()), append(all[k].Meets, all[n].meeting())
			}
		}
	}
	return all
}

func (e *Entry) meeting() Meeting {
	return Meeting{Kind: e.Kind, ID: e.ID, Title: e.Title, From: e.From, Until: e.Until}
}

// meet tells whether two entries get in each other's way: both change something of the same environment, or of the same service where one
// of them names no environment; or one does and the other is a freeze of it.
func meet(a, b *Entry) bool {
	if a.ID == b.ID || a.Of == b.ID || b.Of == a.ID {
		return false
	}
	matters := func(k Kind) bool { return k.works() || k == Freeze }
	if !matters(a.Kind) || !matters(b.Kind) || !a.Kind.works() && !b.Kind.works() || !a.touches(b.From, b.ends()) {
		return false
	}
	if len(a.Environments) > 0 && len(b.Environments) > 0 {
		return common(a.Environments, b.Environments)
	}
	return common(a.Services, b.Services)
}

// ends is when it is over, zero where nobody knows.
func (e *Entry) ends() time.Time {
	if e.Until.Equal(e.From) && !e.Until.IsZero() {
		return e.Until.Add(1)
	}
	return e.Until
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// Package usage counts what customers have used of their quotas. It reads no clock and asks nobody.
package usage

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of a ledger.
const (
	Kept    = 2 // years that a use is kept: longer than any period in which uses are counted
	MaxUses = 2_500
)

// A Ledger has the uses of one customer.
type Ledger struct {
	Customer string `json:"customer"` // ID
	Uses     []Use  `json:"uses"`     // in the order in which they were counted
}

// A Use is one use that was counted.
type Use struct {
	Request string    `json:"request"`           // ID of the request, or what OfRoutine says
	Feature string    `json:"feature,omitempty"` // ID
	Visit   bool      `json:"visit,omitempty"`   // one of the visits as well
	At      time.Time `json:"at"`
}

// OfRoutine is under what the visit is counted that a routine was at the time for which it was planned.
func OfRoutine(id string, planned time.Time) string {
	return routines + id + "/" + planned.UTC().Format(time.RFC3339)
}

const routines = "routine/" // no request has such an ID

// Routine returns of which routine a visit was, and for when it was planned; ok is false for the use of a request.
func (u Use) Routine() (id string, planned time.Time, ok bool) {
	rest, is := strings.CutPrefix(u.Request, routines)
	id, when, _ := strings.Cut(rest, "/")
	planned, err := time.Parse(time.RFC3339, when)
	return id, planned, is && err == nil
}

// A Window is a period with what may be used in it: from its first instant until just before To.
type Window struct {
	Count int       `json:"count"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

func (w *Window) holds(at time.Time) bool { return !at.Before(w.From) && at.Before(w.To) }

// Taking says whether a use is counted.
type Taking string

// The ways to ask. These strings are in histories: add, never rename.
const (
	Look   Taking = "look"   // only asks how many there are
	IfLeft Taking = "left"   // counts it while something is left
	Anyway Taking = "anyway" // counts it whatever is left: a person has approved it
)

// A Claim asks for one use.
type Claim struct {
	Customer string    `json:"customer"`
	Request  string    `json:"request"`
	Feature  string    `json:"feature,omitempty"`
	At       time.Time `json:"at"`
	Quota    *Window   `json:"quota,omitempty"`  // of the feature; nil: it has none
	Visits   *Window   `json:"visits,omitempty"` // nil: it is no visit
	Take     Taking    `json:"take"`
}

// Counts are how often something had been used before a claim.
type Counts struct {
	Used    int  `json:"used"`
	Visited int  `json:"visited"`
	Taken   bool `json:"taken"` // the claim is counted
}

// Check says what is wrong with a claim.
func (l *Ledger) Check(c Claim) error {
	switch {
	case c.Customer != l.Customer:
		return fmt.Errorf("use of %s: it is of customer %s; want %s", c.Request, c.Customer, l.Customer)
	case c.Request == "" || c.At.IsZero():
		return fmt.Errorf("use of customer %s: request or at: missing", l.Customer)
	case c.Take != Look && c.Take != IfLeft && c.Take != Anyway:
		return fmt.Errorf("use of %s: take %q: want %s, %s or %s", c.Request, c.Take, Look, IfLeft, Anyway)
	case c.Take != Look && l.find(c.Request) < 0 && len(l.after(c.At.AddDate(-Kept, 0, 0))) >= MaxUses:
		return fmt.Errorf("use of %s: %d uses in %d years are all that is counted", c.Request, MaxUses, Kept)
	}
	return nil
}

// Claim answers a claim that Check allows. What has been counted for the request stands, and its own use is never among those
// before it: the same claim twice is one.
func (l *Ledger) Claim(c Claim) Counts {
	n := l.find(c.Request)
	before := l.count(c)
	before.Taken = n >= 0
	left := (c.Quota == nil || before.Used < c.Quota.Count) && (c.Visits == nil || before.Visited < c.Visits.Count)
	if n < 0 && (c.Take == Anyway || c.Take == IfLeft && left) {
		l.Uses = append(l.after(c.At.AddDate(-Kept, 0, 0)), Use{Request: c.Request, Feature: c.Feature, Visit: c.Visits != nil, At: c.At})
		before.Taken = true
	}
	return before
}

// Return gives back what was counted for a request, if anything was.
func (l *Ledger) Return(request string) {
	l.Uses = slices.DeleteFunc(l.Uses, func(u Use) bool { return u.Request == request })
}

// count counts the uses of others in the periods of a claim.
func (l *Ledger) count(c Claim) (n Counts) {
	for _, u := range l.Uses {
		if u.Request == c.Request {
			continue
		}
		if c.Quota != nil && u.Feature == c.Feature && c.Quota.holds(u.At) {
			n.Used++
		}
		if c.Visits != nil && u.Visit && c.Visits.holds(u.At) {
			n.Visited++
		}
	}
	return n
}

func (l *Ledger) find(request string) int {
	return slices.IndexFunc(l.Uses, func(u Use) bool { return u.Request == request })
}

// after are the uses that are not older than an instant.
func (l *Ledger) after(oldest time.Time) []Use {
	return slices.DeleteFunc(slices.Clone(l.Uses), func(u Use) bool { return u.At.Before(oldest) })
}

package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// PublicStatus is what those outside are told of how far an incident is.
type PublicStatus string

// The public statuses. These strings are in histories and on status pages: add, never rename.
const (
	Investigating PublicStatus = "investigating" // nobody knows yet why
	Identified    PublicStatus = "identified"    // the cause is known
	Monitoring    PublicStatus = "monitoring"    // measures are taken, and their effect is watched
	BackToNormal  PublicStatus = "resolved"      // the all-clear
)

// PublicStatuses lists the public statuses in their order.
func PublicStatuses() []PublicStatus {
	return []PublicStatus{Investigating, Identified, Monitoring, BackToNormal}
}

// An Announcement is what was last said to those outside.
type Announcement struct {
	Status     PublicStatus `json:"status"`
	At         time.Time    `json:"at"`
	Expected   time.Time    `json:"expected,omitzero"`    // when it was said that normal operation will be back
	Workaround string       `json:"workaround,omitempty"` // what they may do meanwhile
}

// Communication is what is agreed on how those outside are told. Definitions from before there was any have none: what they say
// has the status that a person has named, or no status.
type Communication struct {
	Pages    []StatusPage  `json:"pages,omitempty"`
	Approval *ApprovalRule `json:"approval,omitempty"` // nil: what people write is sent at once

	// Settles: whoever has written a text that waited hears that it is not sent, no status page ends with words that nobody has
	// approved, and nobody closes without a reason what customers are still to get a report or to answer of. False in definitions from
	// before 2026-11-26.
	Settles bool `json:"settles,omitempty"`
}

// A StatusPage is one on which the service may stand. Where the page is, and its key, is looked up whenever something is posted.
type StatusPage struct {
	ID        string `json:"id"`
	Name      string `json:"name"`                // what the page calls the service
	Component string `json:"component,omitempty"` // by which a hosted page knows it
}

// saying refuses what an update may not say.
func (c SendUpdate) saying(i *Incident) error {
	const action = "send update of"
	switch {
	case c.Status != "" && !slices.Contains(PublicStatuses(), c.Status):
		return i.refuse(action, "status %q: want %s", c.Status, listed(PublicStatuses()))
	case c.Status == BackToNormal && i.Status.Open():
		return i.refuse(action, "status %s: it is %s; resolve it first, then an update is the all-clear", c.Status, i.Status)
	case c.Status != "" && c.Status != BackToNormal && !i.Status.Open():
		return i.refuse(action, "status %s: it is %s%s; want %s", c.Status, i.Status, i.sinceWhen(), BackToNormal)
	case !c.Expected.IsZero() && !i.Status.Open():
		return i.refuse(action, "expected: it is %s%s; want none", i.Status, i.sinceWhen())
	}
	return i.wantText(action, "workaround", c.Workaround, false)
}

// CheckAt refuses a recovery that is expected in the past.
func (c SendUpdate) CheckAt(i *Incident, now time.Time) error {
	if !c.Expected.IsZero() && !c.Expected.After(now) {
		return i.refuse("send update of", "expected: %s is over; want a time after now", c.Expected.UTC().Format(time.RFC3339))
	}
	return nil
}

// SaysNow is the public status as far as the incident itself tells: at least what a person has said since it was last thought to
// be over.
func (i *Incident) SaysNow() PublicStatus {
	says := Investigating
	switch {
	case !i.Status.Open():
		return BackToNormal
	case i.Status == Mitigated:
		says = Monitoring
	case i.Cause != nil && i.Reopened == 0:
		says = Identified
	}
	order := func(s PublicStatus) int { return slices.Index(PublicStatuses(), s) }
	if p := i.Announced; p != nil && p.Status != BackToNormal && order(p.Status) > order(says) {
		return p.Status
	}
	return says
}

// say completes a text to a customer by what those outside are told at the same time. What Muster itself writes repeats what is
// still true of what was said before.
func (i *Incident) say(s *Send) {
	if s.Work != UpdateCustomer && s.Work != ClearCustomer {
		return
	}
	if i.Definition.Communication != nil {
		s.Says = cmp.Or(s.Says, i.SaysNow())
	}
	if p := i.Announced; s.Work == UpdateCustomer && s.Author == nil && p != nil && p.Status != BackToNormal {
		s.Workaround = p.Workaround
		if p.Expected.After(s.Begun) {
			s.Expected = p.Expected
		}
	}
}

// said takes in what those outside have been told, and returns what the timeline tells of it. What one customer alone is told is
// nobody else's.
func (i *Incident) said(s *Send, now time.Time) (facts []timeline.Fact) {
	if s.Says == "" && s.Expected.IsZero() && s.Workaround == "" {
		return nil
	}
	is := Announcement{Status: s.Says, At: now, Expected: s.Expected, Workaround: s.Workaround}
	if before := i.Announced; before != nil && is.Status != BackToNormal && before.Status != BackToNormal {
		is.Status, is.Workaround = cmp.Or(is.Status, before.Status), cmp.Or(is.Workaround, before.Workaround)
		if is.Expected.IsZero() {
			is.Expected = before.Expected
		}
	}
	if !s.Alone {
		i.Announced = &is
	}
	facts = []timeline.Fact{timeline.F("status", string(s.Says)), timeline.F("workaround", strings.TrimSpace(s.Workaround))}
	if !s.Expected.IsZero() {
		facts = append(facts, at("expected", s.Expected))
	}
	return facts
}

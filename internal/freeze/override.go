package freeze

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// An Override lets changes run in a freeze for a while, or outside every window.
type Override struct {
	Freeze   string         `json:"freeze,omitempty"` // its ID; empty: outside every window
	By       timeline.Actor `json:"by"`
	Approver timeline.Actor `json:"approver,omitzero"` // another person
	Reason   string         `json:"reason"`
	From     time.Time      `json:"from"`
	Until    time.Time      `json:"until"`
}

// MaxOverride is how long an override may last: whoever needs longer asks again.
const MaxOverride = 7 * 24 * time.Hour

// A Refusal says why an override is none.
type Refusal struct {
	Freeze string // its ID; empty: outside every window
	Lack   Lack
}

// Lack is what an override lacks.
type Lack string

// What an override may lack. These strings are in histories: add, never rename.
const (
	NoSuchFreeze Lack = "no-such-freeze"
	NoReason     Lack = "no-reason"
	NoPerson     Lack = "no-person"
	NoApprover   Lack = "no-approver"
	SamePerson   Lack = "same-person"
	NoEnd        Lack = "no-end"
	TooLong      Lack = "too-long"
	Over         Lack = "over"
)

// Error returns the refusal with what would be right.
func (r *Refusal) Error() string {
	switch {
	case r.Freeze != "":
		return "override freeze " + r.Freeze + ": " + r.Lack.wants()
	case r.Lack == NoSuchFreeze:
		return "override windows: there are none, so none has to be open"
	}
	return "override windows: " + r.Lack.wants()
}

// wants says what would be right.
func (l Lack) wants() string {
	switch l {
	case NoSuchFreeze:
		return "no such freeze; want the ID of one that holds here"
	case NoReason:
		return "no reason; want why it cannot wait"
	case NoPerson:
		return "nobody asks for it; want a person"
	case NoApprover:
		return "nobody approves it; want a second person"
	case SamePerson:
		return "who asks for it approves it too; want another person"
	case NoEnd:
		return "no end; want a time after its beginning"
	case TooLong:
		return fmt.Sprintf("it would last too long; want at most %d days", MaxOverride/(24*time.Hour))
	case Over:
		return "its end has passed; want a later one"
	}
	return string(l)
}

// Check tells whether an override of rules is one at an instant. Its error is a *Refusal. Whether the two persons may do that, it
// does not know.
func (o Override) Check(r Rules, now time.Time) error {
	refused := func(l Lack) error { return &Refusal{o.Freeze, l} }
	known := slices.ContainsFunc(r.Freezes, func(f Freeze) bool { return f.ID == o.Freeze })
	switch {
	case o.Freeze == "" && len(r.Windows) == 0, o.Freeze != "" && !known:
		return refused(NoSuchFreeze)
	case strings.TrimSpace(o.Reason) == "":
		return refused(NoReason)
	case o.By.Kind != timeline.Person || o.By.ID == "":
		return refused(NoPerson)
	case o.Approver.Kind != timeline.Person || o.Approver.ID == "":
		return refused(NoApprover)
	case o.Approver.ID == o.By.ID:
		return refused(SamePerson)
	case !o.From.Before(o.Until):
		return refused(NoEnd)
	case o.Until.Sub(o.From) > MaxOverride:
		return refused(TooLong)
	case !now.Before(o.Until):
		return refused(Over)
	}
	return nil
}

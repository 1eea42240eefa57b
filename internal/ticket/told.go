package ticket

import (
	"regexp"
	"time"
)

// A Deed is what somebody does to a ticket in the system that it stands in.
type Deed string

// The deeds. These strings are in histories: add, never rename.
const (
	Commented Deed = "commented"
	Resolved  Deed = "resolved"
	Reopened  Deed = "reopened"
)

// LongTold is how many characters of a text that a system tells are kept.
const LongTold = 1000

// Told is what a ticket system tells of its own accord: somebody has done something there to the ticket of an incident. It is in
// histories: add fields, never rename them.
type Told struct {
	Delivery string    `json:"delivery"` // the same for what is told again
	Key      string    `json:"key"`      // of the incident
	Ref      string    `json:"ref,omitempty"`
	Deed     Deed      `json:"deed"`
	By       string    `json:"by,omitempty"` // as the system calls whoever did it
	Text     string    `json:"text,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// Over tells whether a status of ours stands for a ticket with which nothing is left to do.
func Over(status string) bool {
	return status == "resolved" || status == "closed" || status == "merged"
}

// own is a comment of Muster's: its mark stands at the end. Whoever quotes one says more after it.
var own = regexp.MustCompile(marks.String() + `\s*(?:-->)?\s*$`)

// Echo tells whether that is what Muster itself has written, by the mark that the ticket has, and by whether it was whoever has made the ticket.
// A ticket that is over by its mark stays so; of one that is open somebody else may have taken back what was done outside.
func (t Told) Echo(m Mark, maker bool) bool {
	switch t.Deed {
	case Commented:
		return own.MatchString(t.Text)
	case Resolved:
		return Over(m.Status)
	case Reopened:
		return maker && m.Key != "" && !Over(m.Status)
	}
	return false
}

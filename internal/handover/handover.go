// Package handover decides what happens when one on-call person hands a schedule over to the next: who is told, until when it
// must be confirmed, and whom an unconfirmed hand-over is escalated to. It reads no clock and reaches nobody.
package handover

import (
	"fmt"
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// The times of a hand-over.
const (
	Usual = 15 * time.Minute // within which it is confirmed, where nobody says otherwise
	Least = time.Minute      // that may be asked for
	Most  = 12 * time.Hour

	Every = 15 * time.Minute // after what time an unconfirmed one is escalated again
	Life  = 24 * time.Hour   // after what time it lapses

	// passWithin is how long it waits, once it is confirmed, to be told that the roles have gone over.
	passWithin = 2 * time.Minute
)

// Status is where a hand-over stands.
type Status string

// The statuses of a hand-over. These strings are in histories: add, never rename.
const (
	Open      Status = "open"
	Confirmed Status = "confirmed" // the incoming person has it
	Declined  Status = "declined"  // it stays with the outgoing person, as one of the two has said
	Lapsed    Status = "lapsed"    // it stays with the outgoing person, for nobody has confirmed it
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Open, Confirmed, Declined, Lapsed} }

// Terms are what a hand-over begins with. They are gathered once and never again.
type Terms struct {
	Schedule   string              `json:"schedule"`
	Request    string              `json:"request"` // that has started it: whoever repeats it finds the same hand-over
	Outgoing   timeline.Actor      `json:"outgoing"`
	Incoming   timeline.Actor      `json:"incoming"`
	Note       string              `json:"note"`
	Items      []Item              `json:"items"`            // the most pressing one first
	Unseen     int                 `json:"unseen,omitempty"` // open incidents that were not looked at, or had no place here
	Within     time.Duration       `json:"within"`           // it wants to be confirmed
	LastResort []escalation.Target `json:"last_resort"`      // whom it is escalated to
	Zone       string              `json:"zone"`             // IANA name, for the instants in messages
}

// A Handover is the state of one hand-over.
type Handover struct {
	Terms

	Status    Status    `json:"status"`
	Opened    time.Time `json:"opened"`
	Due       time.Time `json:"due"`  // until when it wants to be confirmed
	Ends      time.Time `json:"ends"` // when it lapses
	Reminded  bool      `json:"reminded,omitempty"`
	Rounds    int       `json:"rounds,omitempty"`     // of the escalation
	Escalates time.Time `json:"escalates"`            // when the next round is due
	Ended     time.Time `json:"ended,omitzero"`       // confirmed, declined or lapsed
	Passed    bool      `json:"passed,omitempty"`     // the roles have gone over, or it is not known whether they have
	Failures  []Failure `json:"failures,omitempty"`   // roles that have not gone over
	Sends     int       `json:"sends"`                // messages begun so far
	Words     string    `json:"words,omitempty"`      // of whoever has confirmed or declined it
	EndedBy   string    `json:"ended_by,omitempty"`   // name of that person
	InsteadOf string    `json:"instead_of,omitempty"` // name of the incoming person for whom somebody else has stepped in

	Timeline timeline.Log `json:"timeline"`

	asked bool
	fresh []Telling
}

// A Failure is a role that has not gone over, and why.
type Failure struct {
	Incident string `json:"incident"`
	Role     string `json:"role"`
	Detail   string `json:"detail"`
}

// Start opens a hand-over. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Handover, error) {
	switch {
	case terms.Schedule == "" || terms.Outgoing.ID == "" || terms.Incoming.ID == "":
		return nil, fmt.Errorf("hand over %s: schedule, outgoing or incoming: missing", terms.Schedule)
	case terms.Outgoing.ID == terms.Incoming.ID:
		return nil, fmt.Errorf("hand over %s: from %[2]s to %[2]s: want two people", terms.Schedule, terms.Outgoing.Shown())
	case terms.Within < Least || terms.Within > Most:
		return nil, fmt.Errorf("hand over %s: within %s: want %s to %s", terms.Schedule, terms.Within, Least, Most)
	case len(terms.Note) > MaxText:
		return nil, fmt.Errorf("hand over %s: note: %d bytes; want %d at most", terms.Schedule, len(terms.Note), MaxText)
	}
	h := &Handover{
		Terms: terms, Status: Open, Opened: now, Due: now.Add(terms.Within), Escalates: now.Add(terms.Within), Ends: now.Add(Life),
	}
	h.record(now, timeline.HandoverOpened, terms.Outgoing, timeline.F("schedule", terms.Schedule), timeline.F("to", terms.Incoming.Shown()),
		timeline.F("count", fmt.Sprint(len(terms.Items))), timeline.F("due", at(h.Due)), timeline.F("note", terms.Note))
	return h, nil
}

// Advance brings the hand-over to now, and returns what has to be told since it was last asked.
func (h *Handover) Advance(now time.Time) []Telling {
	if !h.asked && h.Status == Open {
		h.tell(Asked, h.Incoming)
	}
	h.asked = true
	for due := h.NextDue(); !due.IsZero() && !now.Before(due); due = h.NextDue() {
		h.step(now)
	}
	fresh := h.fresh
	h.fresh = nil
	return fresh
}

// step does the one thing that is due first.
func (h *Handover) step(now time.Time) {
	switch {
	case h.Status != Open:
		h.Passed = true
		h.record(now, timeline.HandoverUnknown, timeline.Muster(), timeline.F("since", at(h.Ended)))
	case !now.Before(h.Ends):
		h.end(Lapsed, "", timeline.Actor{}, now)
		h.record(now, timeline.HandoverLapsed, timeline.Muster(), timeline.F("from", h.Outgoing.Shown()))
		h.tell(Over, h.Outgoing, h.Incoming)
	case !now.Before(h.Escalates):
		h.escalate(now)
	default:
		h.Reminded = true
		h.tell(Again, h.Incoming)
	}
}

// escalate tells whoever is paged when nothing else helps, and once the outgoing person, whose it still is. After an outage it
// does not make up for what was missed.
func (h *Handover) escalate(now time.Time) {
	h.Reminded = true
	h.Rounds++
	h.Escalates = now.Add(Every)
	h.record(now, timeline.HandoverEscalated, timeline.Muster(), timeline.F("round", fmt.Sprint(h.Rounds)),
		timeline.F("targets", escalation.Shown(h.LastResort)))
	if h.Rounds == 1 {
		h.tell(Unconfirmed, h.Outgoing)
	}
	h.tell(Again, h.Incoming)
	if len(h.LastResort) > 0 {
		h.begin(Escalated, h.LastResort)
	}
}

// NextDue returns the next instant at which Advance has something to do. It is zero only when nothing is left to wait for.
func (h *Handover) NextDue() time.Time {
	switch {
	case h.Status == Confirmed && !h.Passed:
		return h.Ended.Add(passWithin)
	case h.Status != Open:
		return time.Time{}
	}
	next := h.Escalates
	if remind := h.Opened.Add(h.Within / 2); !h.Reminded && remind.Before(next) {
		next = remind
	}
	if h.Ends.Before(next) {
		next = h.Ends
	}
	return next
}

// Over tells whether nothing more can happen.
func (h *Handover) Over() bool { return h.Status != Open && (h.Status != Confirmed || h.Passed) }

// end ends what was open. Roles go over only where it is confirmed and there are some.
func (h *Handover) end(s Status, words string, by timeline.Actor, now time.Time) {
	h.Status, h.Words, h.EndedBy, h.Ended = s, words, by.Shown(), now
	h.Passed = s != Confirmed || !h.passes()
}

// passes tells whether a role goes over.
func (h *Handover) passes() bool {
	for _, i := range h.Items {
		if len(i.Roles) > 0 {
			return true
		}
	}
	return false
}

func (h *Handover) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	h.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

package handover

import (
	"fmt"
	"strings"
	"time"

	"muster/internal/timeline"
)

// MaxText bounds what a person writes in one command, in bytes.
const MaxText = 4_000

// maxTimeline bounds the timeline that still takes notes, in bytes.
const maxTimeline = 256 << 10

// A Command is something that a person asks of a hand-over. Check refuses what cannot be done and changes nothing; Apply does
// what Check allows.
type Command interface {
	Check(h *Handover, by timeline.Actor) error
	Apply(h *Handover, by timeline.Actor, now time.Time)
}

// The commands.
type (
	// Confirm says: it is mine now. Whoever steps in for the incoming person names that person, and takes the place.
	Confirm struct {
		Note      string `json:"note,omitempty"`
		InsteadOf string `json:"instead_of,omitempty"` // ID of a person
	}
	// Decline says that nothing goes over: the incoming person cannot, or the outgoing one has taken it back.
	Decline struct {
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
	// Pass says what has become of the roles that go over. It follows a confirmation, and no person gives it by hand.
	Pass struct {
		Roles    int       `json:"roles"` // that the incoming person has now
		Failures []Failure `json:"failures,omitempty"`
	}
)

// Check refuses whoever is not the incoming person and does not say for whom they step in.
func (c Confirm) Check(h *Handover, by timeline.Actor) error {
	if err := h.wantOpen("confirm"); err != nil {
		return err
	}
	switch {
	case by.ID == h.Outgoing.ID:
		return h.refuse("confirm", "it comes from you: want %s, or somebody else instead", h.Incoming.Shown())
	case c.InsteadOf == "" && by.ID != h.Incoming.ID:
		return h.refuse("confirm", "it goes to %s; whoever takes it instead says so: instead of %s", h.Incoming.Shown(), h.Incoming.ID)
	case c.InsteadOf != "" && c.InsteadOf != h.Incoming.ID:
		return h.refuse("confirm", "instead of %s: it goes to %s (%s)", c.InsteadOf, h.Incoming.Shown(), h.Incoming.ID)
	}
	return h.wantText("confirm", "note", c.Note, false)
}

// Apply makes by the incoming person, who has it now.
func (c Confirm) Apply(h *Handover, by timeline.Actor, now time.Time) {
	told, instead := []timeline.Actor{h.Outgoing}, ""
	if by.ID != h.Incoming.ID {
		instead = h.Incoming.Shown()
		told = append(told, h.Incoming)
		h.InsteadOf, h.Incoming = instead, by
	}
	h.end(Confirmed, c.Note, by, now)
	h.record(now, timeline.HandoverConfirmed, by, timeline.F("from", h.Outgoing.Shown()), timeline.F("instead_of", instead), timeline.F("note", c.Note))
	h.tell(Over, told...)
}

// Check refuses whoever is neither of the two, and a decision without a reason.
func (c Decline) Check(h *Handover, by timeline.Actor) error {
	if err := h.wantOpen("decline"); err != nil {
		return err
	}
	if by.ID != h.Incoming.ID && by.ID != h.Outgoing.ID {
		return h.refuse("decline", "want %s or %s", h.Incoming.Shown(), h.Outgoing.Shown())
	}
	return h.wantText("decline", "reason", c.Reason, true)
}

// Apply ends it, and tells the other of the two.
func (c Decline) Apply(h *Handover, by timeline.Actor, now time.Time) {
	h.end(Declined, c.Reason, by, now)
	h.record(now, timeline.HandoverDeclined, by, timeline.F("from", h.Outgoing.Shown()), timeline.F("reason", c.Reason))
	other := h.Outgoing
	if by.ID == h.Outgoing.ID {
		other = h.Incoming
	}
	h.tell(Over, other)
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(h *Handover, _ timeline.Actor) error {
	switch {
	case h.Over():
		return h.ended("note")
	case h.Timeline.Bytes > maxTimeline:
		return h.refuse("note", "its timeline is full")
	}
	return h.wantText("note", "text", c.Text, true)
}

// Apply writes the note.
func (c Note) Apply(h *Handover, by timeline.Actor, now time.Time) {
	h.record(now, timeline.Noted, by, timeline.F("text", c.Text))
}

// Check refuses it before the confirmation, from anybody but whoever has confirmed, and once it was said.
func (c Pass) Check(h *Handover, by timeline.Actor) error {
	switch {
	case h.Status != Confirmed || by.ID != h.Incoming.ID:
		return h.refuse("pass", "want whoever has confirmed it")
	case h.Passed:
		return h.refuse("pass", "it is known already")
	case len(c.Failures) > maxRoles:
		return h.refuse("pass", "%d failures; want %d at most", len(c.Failures), maxRoles)
	}
	return nil
}

// Apply keeps which roles have gone over and which have not.
func (c Pass) Apply(h *Handover, by timeline.Actor, now time.Time) {
	h.Passed, h.Failures = true, c.Failures
	var failed []string
	for _, f := range c.Failures {
		failed = append(failed, fmt.Sprintf("%s %s: %s", f.Incident, f.Role, f.Detail))
	}
	h.record(now, timeline.HandoverPassed, by, timeline.F("count", fmt.Sprint(c.Roles)), timeline.F("detail", strings.Join(failed, "; ")))
}

func (h *Handover) wantOpen(action string) error {
	if h.Status == Open {
		return nil
	}
	return h.ended(action)
}

// ended tells the loser of a race who won it and when.
func (h *Handover) ended(action string) error {
	by := ""
	if h.EndedBy != "" {
		by = " by " + h.EndedBy
	}
	return h.refuse(action, "it is %s since %s%s", h.Status, at(h.Ended), by)
}

func (h *Handover) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return h.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return h.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (h *Handover) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s hand-over of %s: %s", action, h.Schedule, fmt.Sprintf(format, args...))
}

package risk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// A Command is something that a person asks of an escalation. Check refuses what cannot be done and changes nothing; Apply does what
// Check allows. What Apply refuses stands in the timeline.
type Command interface {
	Check(e *Escalation, by timeline.Actor) error
	Apply(e *Escalation, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// Take says that somebody sees to it, and will say what is done.
	Take struct {
		Note string `json:"note,omitempty"`
	}
	// Answer says what is done about it.
	Answer struct {
		Text string `json:"text"`
	}
	// Confirm says that the risk is in hand. The originator alone does.
	Confirm struct {
		Note string `json:"note,omitempty"`
	}
	// Raise tells the next level at once.
	Raise struct {
		Reason string `json:"reason"`
	}
	// Succeed gives it another originator, for the one who has left.
	Succeed struct {
		Person string `json:"person"` // ID
		Name   string `json:"name"`
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
)

// Check refuses it where somebody has it.
func (c Take) Check(e *Escalation, by timeline.Actor) error {
	if err := e.wantStatus("take", Open); err != nil {
		return err
	}
	return e.mayAnswer("take", by, "note", c.Note, false)
}

// Apply tells the originator who has it.
func (c Take) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	if err := e.separate("take", by, now); err != nil {
		return err
	}
	e.Taker = by
	e.decided(by, c.Note)
	e.stand(Taken, now)
	e.record(now, timeline.RiskTaken, by, timeline.F("until", at(e.Deadline)), timeline.F("note", c.Note))
	e.tell(e.telling(HasTaker, ""))
	return nil
}

// Check refuses it once the risk is in hand.
func (c Answer) Check(e *Escalation, by timeline.Actor) error {
	if err := e.wantStatus("answer", Open, Taken, Answered); err != nil {
		return err
	}
	return e.mayAnswer("answer", by, "text", c.Text, true)
}

// Apply asks the originator whether it is enough.
func (c Answer) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	if err := e.separate("answer", by, now); err != nil {
		return err
	}
	if e.Taker.ID == "" {
		e.Taker = by
	}
	e.Answer, e.AnsweredBy, e.AnsweredAt = c.Text, by, now
	e.decided(by, c.Text)
	e.stand(Answered, now)
	e.record(now, timeline.RiskAnswered, by, timeline.F("text", c.Text))
	e.tell(e.telling(HasAnswer, ""))
	return nil
}

// Check refuses it once the risk is in hand. A false alarm is one: it is in hand too.
func (c Confirm) Check(e *Escalation, by timeline.Actor) error {
	if e.Over() {
		return e.stands("confirm")
	}
	if by.ID != e.Originator.ID && e.Refusals >= maxRefusals {
		return e.others("confirm")
	}
	return e.wantText("confirm", "note", c.Note, false)
}

// Apply closes it, for the originator alone.
func (c Confirm) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	if by.ID != e.Originator.ID || by.Kind != timeline.Person {
		e.deny("confirm", notTheirs, by, now)
		return e.others("confirm")
	}
	e.decided(by, c.Note)
	e.record(now, timeline.RiskSettled, by, timeline.F("note", c.Note))
	e.stand(InHand, now)
	e.tell(e.telling(Settled, ""))
	return nil
}

// Check refuses it where nobody stands above who has not been told, and without a reason.
func (c Raise) Check(e *Escalation, _ timeline.Actor) error {
	if e.Over() {
		return e.stands("raise")
	}
	if e.last() && e.Status == Open {
		return e.refuse("raise", "the last level has it: nobody stands above")
	}
	if err := e.wantRoom("raise"); err != nil {
		return err
	}
	return e.wantText("raise", "reason", c.Reason, true)
}

// Apply tells the next level. The last one is told once more, because what it has said is not enough.
func (c Raise) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	e.decided(by, c.Reason)
	e.reach(min(e.Level+1, len(e.Levels)-1), Raised, by, now)
	return nil
}

// Check refuses somebody who has it, or has answered.
func (c Succeed) Check(e *Escalation, by timeline.Actor) error {
	if e.Over() {
		return e.stands("assign")
	}
	switch {
	case strings.TrimSpace(c.Person) == "" || len(c.Person) > MaxRef || len(c.Name) > MaxRef:
		return e.refuse("assign", "person: want the id of a person")
	case c.Person == e.Originator.ID:
		return e.refuse("assign", "%s is its originator", e.Originator.Shown())
	case c.Person == e.Taker.ID || c.Person == e.AnsweredBy.ID:
		return e.refuse("assign", "%s has taken or answered it: want another person", cmp.Or(c.Name, c.Person))
	case c.Person == by.ID && e.Refusals >= maxRefusals:
		return e.self(by)
	}
	if err := e.wantRoom("assign"); err != nil {
		return err
	}
	return e.wantText("assign", "reason", c.Reason, true)
}

// Apply gives it to the successor, who is told. Nobody names themselves: whoever could close it would be the one who wants it closed.
func (c Succeed) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	if c.Person == by.ID {
		e.deny("assign", selfNamed, by, now)
		return e.self(by)
	}
	before := e.Originator
	e.Originator, e.Gone = timeline.Actor{Kind: timeline.Person, ID: c.Person, Name: c.Name}, false
	e.decided(by, c.Reason)
	e.record(now, timeline.RiskSucceeded, by, timeline.F("originator", e.Originator.Shown()), timeline.F("from", before.Shown()), timeline.F("reason", c.Reason))
	e.tell(e.telling(Successor, ""))
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(e *Escalation, _ timeline.Actor) error {
	if e.Over() {
		return e.stands("note")
	}
	if err := e.wantRoom("note"); err != nil {
		return err
	}
	return e.wantText("note", "text", c.Text, true)
}

// Apply writes the note.
func (c Note) Apply(e *Escalation, by timeline.Actor, now time.Time) error {
	e.Decisions++
	e.record(now, timeline.Noted, by, timeline.F("text", c.Text))
	return nil
}

func (e *Escalation) decided(by timeline.Actor, words string) {
	e.Decisions++
	e.DecidedBy, e.Words = by, words
}

// Why somebody may not do something. These strings are in histories: add, never rename.
const (
	notTheirs = "not-originator" // the originator alone says that it is in hand
	theirOwn  = "originator"     // somebody else has to see to it
	selfNamed = "self"           // nobody makes themselves the originator
)

// Whys lists why somebody may not do something.
func Whys() []string { return []string{notTheirs, theirOwn, selfNamed} }

// mayAnswer refuses what the timeline has no room for, and the text that is wrong.
func (e *Escalation) mayAnswer(action string, by timeline.Actor, name, text string, required bool) error {
	if by.ID == e.Originator.ID && e.Refusals >= maxRefusals {
		return e.own(action)
	}
	if err := e.wantRoom(action); err != nil {
		return err
	}
	return e.wantText(action, name, text, required)
}

// separate refuses that the originator sees to it alone, and says so in the timeline.
func (e *Escalation) separate(action string, by timeline.Actor, now time.Time) error {
	if by.ID != e.Originator.ID {
		return nil
	}
	e.deny(action, theirOwn, by, now)
	return e.own(action)
}

func (e *Escalation) deny(action, why string, by timeline.Actor, now time.Time) {
	e.Refusals++
	e.Timeline.Repeat(now, timeline.RiskRefused, by, timeline.F("action", action), timeline.F("why", why))
}

func (e *Escalation) own(action string) error {
	return e.refuse(action, "%s has escalated it: want another person", e.Originator.Shown())
}

func (e *Escalation) others(action string) error {
	return e.refuse(action, "%s has escalated it, and nobody else says that it is in hand", e.Originator.Shown())
}

func (e *Escalation) self(by timeline.Actor) error {
	return e.refuse("assign", "%s cannot name themselves: want another person", by.Shown())
}

func (e *Escalation) wantStatus(action string, want ...Status) error {
	if slices.Contains(want, e.Status) {
		return nil
	}
	return e.stands(action)
}

// stands tells the loser of a race where it stands and who has brought it there.
func (e *Escalation) stands(action string) error {
	by := ""
	if e.DecidedBy.ID != "" {
		by = " by " + e.DecidedBy.Shown()
	}
	return e.refuse(action, "it is %s since %s%s", e.Status, at(e.Since), by)
}

// wantRoom refuses what its history or its timeline has no room for. What ends it always has.
func (e *Escalation) wantRoom(action string) error {
	if e.Decisions >= maxDecisions || e.Timeline.Bytes > maxTimeline {
		return e.refuse(action, "its record is full: its originator says that it is in hand and escalates it anew")
	}
	return nil
}

func (e *Escalation) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return e.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return e.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (e *Escalation) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s escalation %s: %s", action, e.ID, fmt.Sprintf(format, args...))
}

package problem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// Bounds of what a problem holds, in bytes and numbers.
const (
	MaxText  = 4_000
	MaxTitle = 200

	maxTimeline = 256 << 10 // bytes of a timeline that still takes words
	mostLinks   = 200
	mostActions = 20
)

const actionPrefix = "ACT-"

// A Command is something that a person asks of a problem. Check refuses what cannot be done and changes nothing; Apply does what
// Check allows.
type Command interface {
	Check(p *Problem, by timeline.Actor) error
	Apply(p *Problem, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// LinkIncident says that the problem is behind an incident.
	LinkIncident struct {
		Occurrence Occurrence `json:"occurrence"`
	}
	// UnlinkIncident says that it is not.
	UnlinkIncident struct {
		Incident incident.ID `json:"incident"`
		Reason   string      `json:"reason"`
	}
	// SetKnownError says what goes wrong, and what helps until it is fixed.
	SetKnownError struct {
		Text       string `json:"text"`
		Workaround string `json:"workaround,omitempty"`
	}
	// SetCause says why.
	SetCause struct {
		Text string `json:"text"`
	}
	// SetFix says what ends it for good, and by which action items. Unless it is planned only, it is in place from now on.
	SetFix struct {
		Text    string   `json:"text"`
		Actions []string `json:"actions,omitempty"`
		Planned bool     `json:"planned,omitempty"`
	}
	// Assign gives it to another owner.
	Assign struct {
		Owner Owner `json:"owner"`
	}
	// Close ends it before its fix has held, or without one.
	Close struct {
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
)

// Check refuses an incident that is linked already, and one more than there is room for.
func (c LinkIncident) Check(p *Problem, _ timeline.Actor) error {
	id := string(c.Occurrence.Incident)
	switch {
	case p.Over():
		return p.stands("link")
	case !incident.IsID("INC-", id):
		return p.refuse("link", "incident: want one such as INC-7K3M9QX2PA")
	case p.linked(id) >= 0:
		return p.refuse("link", "%s is linked already", id)
	case len(p.Links) >= mostLinks:
		return p.refuse("link", "it has %d incidents; want %d at most", mostLinks, mostLinks)
	}
	return p.wantRoom("link", "title", c.Occurrence.Title, false)
}

// Apply links it. If it began after the fix, the fix has not held.
func (c LinkIncident) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	id := string(c.Occurrence.Incident)
	p.Unlinked = slices.DeleteFunc(p.Unlinked, func(x string) bool { return x == id })
	p.link(c.Occurrence, by, now)
	p.moved(now)
	return nil
}

// Check refuses an incident that is not linked, and silence about why.
func (c UnlinkIncident) Check(p *Problem, _ timeline.Actor) error {
	switch {
	case p.Over():
		return p.stands("unlink")
	case p.linked(string(c.Incident)) < 0:
		return p.refuse("unlink", "%s is not linked", c.Incident)
	}
	return p.wantRoom("unlink", "reason", c.Reason, true)
}

// Apply takes it out. It does not come back by itself.
func (c UnlinkIncident) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	n := p.linked(string(c.Incident))
	p.Links = slices.Delete(p.Links, n, n+1)
	p.Unlinked = append(p.Unlinked, string(c.Incident))
	p.record(now, timeline.ProblemUnlinked, by, timeline.F("incident", string(c.Incident)), timeline.F("reason", c.Reason))
	p.moved(now)
	return nil
}

// Check refuses it without a text, and once the problem is closed.
func (c SetKnownError) Check(p *Problem, _ timeline.Actor) error {
	if p.Over() {
		return p.stands("set-known-error")
	}
	if err := p.wantRoom("set-known-error", "text", c.Text, true); err != nil {
		return err
	}
	return p.wantRoom("set-known-error", "workaround", c.Workaround, false)
}

// Apply keeps it for the next responder. What was known before stands in the timeline.
func (c SetKnownError) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.KnownError, p.Workaround = c.Text, c.Workaround
	p.Version++
	p.record(now, timeline.ProblemKnown, by, timeline.F("version", fmt.Sprint(p.Version)), timeline.F("text", c.Text),
		timeline.F("workaround", c.Workaround))
	if p.Status == Open {
		p.Status = Known
	}
	p.moved(now)
	return nil
}

// Check refuses it without a text, and once the problem is closed.
func (c SetCause) Check(p *Problem, _ timeline.Actor) error {
	if p.Over() {
		return p.stands("set-cause")
	}
	return p.wantRoom("set-cause", "text", c.Text, true)
}

// Apply keeps it. What was said before stands in the timeline.
func (c SetCause) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.Cause = c.Text
	p.record(now, timeline.ProblemCaused, by, timeline.F("text", c.Text))
	p.moved(now)
	return nil
}

// Check refuses a fix that is in place already, and one of what nobody knows the cause of.
func (c SetFix) Check(p *Problem, _ timeline.Actor) error {
	switch {
	case p.Over():
		return p.stands("fix")
	case p.Status == Fixed:
		return p.refuse("fix", "it is fixed since %s by %s", at(p.FixedAt), p.FixedBy)
	case !c.Planned && p.Cause == "":
		return p.refuse("fix", "nobody has said why it happens: want its cause first")
	case len(c.Actions) > mostActions:
		return p.refuse("fix", "actions: %d; want %d at most", len(c.Actions), mostActions)
	}
	for _, a := range c.Actions {
		if !incident.IsID(actionPrefix, a) {
			return p.refuse("fix", "action %q: want one such as ACT-7K3M9QX2PA", cut(a, 40))
		}
	}
	return p.wantRoom("fix", "text", c.Text, true)
}

// Apply keeps it. One that is in place is watched.
func (c SetFix) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.Fix = c.Text
	if len(c.Actions) > 0 {
		p.Actions = slices.Clone(c.Actions)
	}
	facts := []timeline.Fact{timeline.F("text", c.Text), timeline.F("actions", strings.Join(p.Actions, ", "))}
	if c.Planned {
		p.record(now, timeline.ProblemFixPlanned, by, facts...)
	} else {
		p.Status, p.FixedAt, p.FixedBy, p.WatchUntil = Fixed, now, by.Shown(), now.Add(p.Watch)
		p.record(now, timeline.ProblemFixed, by, append(facts, timeline.F("until", at(p.WatchUntil)))...)
	}
	p.moved(now)
	return nil
}

// Check refuses nobody as the owner, and once the problem is closed.
func (c Assign) Check(p *Problem, _ timeline.Actor) error {
	switch {
	case p.Over():
		return p.stands("assign")
	case len(c.Owner.Targets) != 1 || c.Owner.Name == "":
		return p.refuse("assign", "owner: want one person or group")
	}
	return p.wantRoom("assign", "owner", c.Owner.Name, true)
}

// Apply gives it to them and tells them.
func (c Assign) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.record(now, timeline.ProblemAssigned, by, timeline.F("from", p.Owner.Name), timeline.F("to", c.Owner.Name))
	p.Owner = c.Owner
	p.tell(Begun)
	p.moved(now)
	return nil
}

// Check refuses it without a reason, and once the problem is closed.
func (c Close) Check(p *Problem, _ timeline.Actor) error {
	if p.Over() {
		return p.stands("close")
	}
	return p.wantText("close", "reason", c.Reason, true)
}

// Apply ends it.
func (c Close) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.Reason, p.EndedBy = c.Reason, by.Shown()
	p.record(now, timeline.ProblemClosed, by, timeline.F("reason", c.Reason))
	p.end(now)
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(p *Problem, _ timeline.Actor) error {
	if p.Over() {
		return p.stands("note")
	}
	return p.wantRoom("note", "text", c.Text, true)
}

// Apply writes the note.
func (c Note) Apply(p *Problem, by timeline.Actor, now time.Time) error {
	p.record(now, timeline.Noted, by, timeline.F("text", c.Text))
	p.moved(now)
	return nil
}

// stands tells the loser of a race where it stands and who has brought it there.
func (p *Problem) stands(action string) error {
	by := ""
	if p.EndedBy != "" {
		by = " by " + p.EndedBy
	}
	return p.refuse(action, "it is %s since %s%s", p.Status, at(p.Ended), by)
}

// wantRoom refuses text for which the timeline has no room.
func (p *Problem) wantRoom(action, name, text string, required bool) error {
	if p.Timeline.Bytes > maxTimeline {
		return p.refuse(action, "its timeline is full")
	}
	return p.wantText(action, name, text, required)
}

func (p *Problem) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return p.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return p.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (p *Problem) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s problem %s: %s", action, p.ID, fmt.Sprintf(format, args...))
}

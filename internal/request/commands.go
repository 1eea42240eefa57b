package request

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
	"muster/internal/usage"
)

// MaxText bounds what a person writes at once, in bytes.
const MaxText = 4_000

const (
	maxTimeline = 256 << 10 // bytes of a timeline that still takes notes and answers
	maxRefusals = 20        // that are recorded
)

// A Command is something that a person asks of a request. Check refuses what cannot be done and changes nothing; Apply does
// what Check allows. What Apply refuses stands in the timeline.
type Command interface {
	Check(r *Request, by timeline.Actor) error
	Apply(r *Request, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// Approve says that it is done although the plan does not cover it.
	Approve struct {
		Reason string `json:"reason"`
	}
	// Decline says that it is not done, and what the customer could have instead.
	Decline struct {
		Reason string `json:"reason"`
		Offer  string `json:"offer,omitempty"`
	}
	// Answer is what the customer gets. It keeps what was promised.
	Answer struct {
		Text string `json:"text"`
	}
	// Withdraw says that the customer wants it no more.
	Withdraw struct {
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
)

// Check refuses a request on which nobody has to decide, and a decision without a reason.
func (c Approve) Check(r *Request, by timeline.Actor) error {
	return r.mayDecide("approve", by, c.Reason)
}

// Apply accepts it and counts its use.
func (c Approve) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if err := r.separate("approve", by, now); err != nil {
		return err
	}
	r.Status, r.Reason, r.DecidedBy = Accepted, c.Reason, by
	r.record(now, timeline.RequestApproved, by, timeline.F("reason", c.Reason))
	if r.limited() {
		r.claim(usage.Anyway)
	}
	r.tell(Decided)
	r.tell(Arrived)
	return nil
}

// Check refuses a request on which nobody has to decide, and a decision without a reason.
func (c Decline) Check(r *Request, by timeline.Actor) error {
	if err := r.mayDecide("decline", by, c.Reason); err != nil {
		return err
	}
	return r.wantText("decline", "offer", c.Offer, false)
}

// Apply ends it.
func (c Decline) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if err := r.separate("decline", by, now); err != nil {
		return err
	}
	r.Reason, r.Offer, r.DecidedBy = c.Reason, c.Offer, by
	r.record(now, timeline.RequestDeclined, by, timeline.F("reason", c.Reason), timeline.F("offer", c.Offer))
	r.end(Declined, now)
	r.giveBack()
	r.tell(Decided)
	return nil
}

// Check refuses it before the request is accepted and after it has ended.
func (c Answer) Check(r *Request, _ timeline.Actor) error {
	if err := r.wantStatus("answer", Accepted, Answered); err != nil {
		return err
	}
	return r.wantRoom("answer", c.Text)
}

// Apply keeps what was promised. The customer has some working days to object, where the plan says so.
func (c Answer) Apply(r *Request, by timeline.Actor, now time.Time) error {
	r.Status, r.Answer, r.AnsweredBy, r.AnsweredAt, r.Closes = Answered, c.Text, by, now, time.Time{}
	r.record(now, timeline.RequestAnswered, by, timeline.F("text", c.Text))
	r.keep(now)
	r.tell(AnswerSent)
	if r.Confirm != nil {
		r.begin(Work{Do: Confirm})
		return nil
	}
	r.Closes = now
	return nil
}

// Check refuses it once the request is answered or has ended.
func (c Withdraw) Check(r *Request, _ timeline.Actor) error {
	if err := r.wantStatus("withdraw", Received, Waiting, Accepted); err != nil {
		return err
	}
	return r.wantText("withdraw", "reason", c.Reason, true)
}

// Apply ends it and gives its use back.
func (c Withdraw) Apply(r *Request, by timeline.Actor, now time.Time) error {
	r.Reason, r.DecidedBy = c.Reason, by
	r.record(now, timeline.RequestWithdrawn, by, timeline.F("reason", c.Reason))
	r.end(Withdrawn, now)
	if !r.counting { // else once it is known
		r.giveBack()
	}
	r.tell(Decided)
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(r *Request, _ timeline.Actor) error {
	if r.Over() {
		return r.stands("note")
	}
	return r.wantRoom("note", c.Text)
}

// Apply writes the note.
func (c Note) Apply(r *Request, by timeline.Actor, now time.Time) error {
	r.record(now, timeline.Noted, by, timeline.F("text", c.Text))
	return nil
}

func (r *Request) mayDecide(action string, by timeline.Actor, reason string) error {
	if err := r.wantStatus(action, Waiting); err != nil {
		return err
	}
	if by.ID == r.Recorder.ID && r.Refusals >= maxRefusals {
		return r.own(action)
	}
	return r.wantText(action, "reason", reason, true)
}

// separate refuses a decision of whoever has recorded the request, and says so in the timeline.
func (r *Request) separate(action string, by timeline.Actor, now time.Time) error {
	if by.ID != r.Recorder.ID {
		return nil
	}
	r.Refusals++
	r.Timeline.Repeat(now, timeline.DecisionRefused, by, timeline.F("action", action))
	return r.own(action)
}

func (r *Request) own(action string) error {
	return r.refuse(action, "%s has recorded it: want another person", r.Recorder.Shown())
}

func (r *Request) wantStatus(action string, want ...Status) error {
	if slices.Contains(want, r.Status) {
		return nil
	}
	return r.stands(action)
}

// stands tells the loser of a race where it stands and who has brought it there.
func (r *Request) stands(action string) error {
	by, since := "", ""
	switch {
	case r.Lapsed():
		by = ": nobody has objected to the answer"
	case r.Status == Answered:
		by = " by " + r.AnsweredBy.Shown()
	case r.DecidedBy.ID != "":
		by = " by " + r.DecidedBy.Shown()
	}
	if !r.Ended.IsZero() {
		since = " since " + at(r.Ended)
	}
	return r.refuse(action, "it is %s%s%s", r.Status, since, by)
}

// wantRoom refuses text for which the timeline has no room.
func (r *Request) wantRoom(action, text string) error {
	if r.Timeline.Bytes > maxTimeline {
		return r.refuse(action, "its timeline is full")
	}
	return r.wantText(action, "text", text, true)
}

func (r *Request) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return r.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return r.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (r *Request) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s request %s: %s", action, r.ID, fmt.Sprintf(format, args...))
}

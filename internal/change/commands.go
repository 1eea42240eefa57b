package change

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

const (
	maxTimeline = 256 << 10 // bytes of a timeline that still takes words
	maxRefusals = 30        // that are recorded
	maxOutage   = 366 * 24 * time.Hour
)

// What is refused to people, in the timeline. These strings are in histories: add, never rename.
const (
	use      = "use"
	vote     = "vote"
	assess   = "assess"
	check    = "check"
	begin    = "start"
	finish   = "finish"
	withdraw = "withdraw"
)

// Deeds lists what may be refused to people.
func Deeds() []string { return []string{use, vote, assess, check, begin, finish, withdraw, move} }

// A Command is something that a person asks of a change. Check refuses what cannot be done and changes nothing; Apply does what Check
// allows. What Apply refuses stands in the timeline.
type Command interface {
	Check(c *Change, by timeline.Actor) error
	Apply(c *Change, by timeline.Actor, now time.Time) error
}

// Capacity is as what somebody acts, by the organisation folder as it was then.
type Capacity struct {
	Owner    bool     `json:"owner,omitempty"`  // one of those of its services
	Checks   []string `json:"checks,omitempty"` // IDs of those that are theirs to answer
	RunOver  bool     `json:"run_over,omitempty"`
	Revision string   `json:"revision,omitempty"`
}

// The commands.
type (
	// Assess says how risky it is. Nobody says that it is less so than the rules or whoever has asked do.
	Assess struct {
		Capacity
		Class string `json:"class"`
		Note  string `json:"note"`
	}
	// AnswerCheck says whether something holds that has to before it runs.
	AnswerCheck struct {
		Capacity
		Name     string     `json:"check"`
		Holds    bool       `json:"holds"`
		Evidence string     `json:"evidence"`
		SHA256   string     `json:"sha256,omitempty"`
		Note     string     `json:"note,omitempty"`
		Run      planrun.ID `json:"run,omitempty"` // that was found to be a completed one of the plan of the check
	}
	// Vote says what somebody thinks of what they were shown.
	Vote struct {
		ID     string          `json:"id"` // under which it is cast once
		Choice approval.Choice `json:"choice"`
		Reason string          `json:"reason,omitempty"`
		Shown  string          `json:"shown"` // SHA-256 of what they were shown
	}
	// Begin starts it.
	Begin struct {
		Capacity
	}
	// Complete says that it is done.
	Complete struct {
		Capacity
		Note string `json:"note"`
	}
	// Fail says that it has failed, and for how long something was down for that.
	Fail struct {
		Capacity
		Note   string        `json:"note"`
		Outage time.Duration `json:"outage,omitempty"`
	}
	// Withdraw takes it back before it has begun.
	Withdraw struct {
		Capacity
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
)

// Check refuses a class that is less risky than the rules or whoever has asked for it say.
func (x Assess) Check(c *Change, _ timeline.Actor) error {
	if c.Status != Requested && c.Status != Assessed {
		return c.stands(assess)
	}
	switch rank := c.rank(x.Class); {
	case rank < 0:
		return c.refuse(assess, "class %q: want %s", cut(x.Class), strings.Join(c.classes(), ", "))
	case c.Status == Assessed && x.Class == c.Risk && x.Note == c.Judgement:
		return c.refuse(assess, "that stands there already")
	}
	return c.wantRoom(assess, "note", x.Note, true)
}

func (c *Change) classes() (ids []string) {
	for _, k := range c.Classes {
		ids = append(ids, k.ID)
	}
	return ids
}

// Apply keeps it, and opens the vote. What was voted before is void.
func (x Assess) Apply(c *Change, by timeline.Actor, now time.Time) error {
	if !x.Owner {
		return c.deny(assess, by, "want an owner: "+c.OwnerNames, now)
	}
	if least := c.class(); c.rank(x.Class) < c.rank(c.Risk) {
		return c.deny(assess, by, fmt.Sprintf("class %s is less than %s; want that or more", x.Class, least.ID), now)
	}
	from := c.class().Name
	c.Risk, c.Judgement, c.Assessor, c.Status = x.Class, x.Note, by, Assessed
	if from == c.class().Name {
		from = ""
	}
	c.record(now, timeline.ChangeAssessed, by, timeline.F("class", c.class().Name), timeline.F("from", from), timeline.F("note", x.Note))
	if b := c.Ballot; b != nil {
		b.Rule, b.Electors = c.class().Rule, nil
		c.record(now, timeline.VoteVoided, timeline.Muster(), timeline.F("change", string(c.ID)), timeline.F("changed", differences(b.Reshown(c.shown(), now))))
	}
	c.poll()
	c.moved(now)
	return nil
}

// Check refuses an answer to what need not hold, and one without evidence.
func (x AnswerCheck) Check(c *Change, _ timeline.Actor) error {
	sum, err := hex.DecodeString(x.SHA256)
	switch {
	case c.Status != Assessed && c.Status != Approved:
		return c.stands(check)
	case c.check(x.Name).ID == "":
		var ids []string
		for _, k := range c.Checks() {
			ids = append(ids, k.ID)
		}
		return c.refuse(check, "%q: want %s", cut(x.Name), strings.Join(append(ids, "nothing else"), ", "))
	case x.SHA256 != "" && (err != nil || len(sum) != 32 || strings.ToLower(x.SHA256) != x.SHA256):
		return c.refuse(check, "sha256 %q: want 64 lower-case hexadecimal digits", cut(x.SHA256))
	}
	if err := c.wantRoom(check, "evidence", x.Evidence, true); err != nil {
		return err
	}
	if k := c.check(x.Name); k.Plan != "" && x.Holds && x.Run == "" {
		return c.refuse(check, "evidence %q: want the id of a completed run of plan %s", cut(x.Evidence), k.Plan)
	}
	return c.wantText(check, "note", x.Note, !x.Holds)
}

// Apply keeps it.
func (x AnswerCheck) Apply(c *Change, by timeline.Actor, now time.Time) error {
	switch {
	case by.ID == c.Requester.ID:
		return c.deny(check, by, "they have asked for the change: want another person", now)
	case !slices.Contains(x.Checks, x.Name):
		return c.deny(check, by, "want one of those who say whether "+x.Name+" holds", now)
	}
	c.Answers = slices.DeleteFunc(c.Answers, func(a Answer) bool { return a.Check == x.Name })
	c.Answers = append(c.Answers, Answer{x.Name, x.Holds, x.Evidence, x.SHA256, x.Note, by, now, x.Run})
	holds := "no"
	if x.Holds {
		holds = "yes"
	}
	c.record(now, timeline.ChangeChecked, by, timeline.F("check", x.Name), timeline.F("holds", holds), timeline.F("evidence", x.Evidence),
		timeline.F("sha256", x.SHA256), timeline.F("note", x.Note))
	c.moved(now)
	return nil
}

// Check refuses what cannot be taken at all. What an auditor cares about is refused by Apply.
func (x Vote) Check(c *Change, by timeline.Actor) error {
	switch {
	case c.Over():
		return c.stands(vote)
	case c.Ballot == nil:
		return c.refuse(vote, "it is %s: nobody votes on it yet", c.Status)
	}
	if err := c.Ballot.Rule.CheckVote(x.vote(by)); err != nil {
		return c.refuse(vote, "%s", err)
	}
	return nil
}

func (x Vote) vote(by timeline.Actor) approval.Vote {
	return approval.Vote{ID: x.ID, By: by.ID, Choice: x.Choice, Reason: x.Reason, Shown: x.Shown}
}

// Apply takes the vote.
func (x Vote) Apply(c *Change, by timeline.Actor, now time.Time) error {
	err := c.Ballot.Cast(x.vote(by), now)
	refusal, refused := errors.AsType[*approval.Refusal](err)
	late := ""
	if refused && (refusal.Cause == approval.Decided || refusal.Cause == approval.Expired) {
		late = "yes"
	}
	if err != nil && late == "" {
		return c.deny(vote, by, err.Error(), now)
	}
	c.record(now, timeline.VoteCast, by, timeline.F("change", string(c.ID)), timeline.F("choice", string(x.Choice)), timeline.F("reason", x.Reason),
		timeline.F("sha256", x.Shown), timeline.F("late", late))
	if err != nil {
		return c.refuse(vote, "%s", err)
	}
	c.count(now) // what it decides is decided, whatever comes in the same moment
	return nil
}

// Check refuses what is not approved.
func (x Begin) Check(c *Change, _ timeline.Actor) error {
	if c.Status != Approved {
		return c.stands(begin)
	}
	return nil
}

// Apply starts it.
func (x Begin) Apply(c *Change, by timeline.Actor, now time.Time) error {
	var unmet []string
	for _, k := range c.Unmet() {
		unmet = append(unmet, k.ID)
	}
	switch {
	case !x.mayRun(c, by):
		return c.deny(begin, by, "want whoever has asked for it, or an owner: "+c.OwnerNames, now)
	case now.Before(c.From):
		return c.deny(begin, by, "its time begins at "+at(c.From), now)
	case !now.Before(c.Until):
		return c.deny(begin, by, "its time was over at "+at(c.Until), now)
	case len(unmet) > 0:
		return c.deny(begin, by, "nobody has said that it holds: "+strings.Join(unmet, ", "), now)
	}
	c.begin(by, now)
	return nil
}

// mayRun tells whether somebody may start, end or withdraw a change.
func (x Capacity) mayRun(c *Change, by timeline.Actor) bool {
	return x.Owner || by.ID == c.Requester.ID
}

// Check refuses to end what does not run.
func (x Complete) Check(c *Change, _ timeline.Actor) error { return c.mayFinish(x.Capacity, x.Note) }

// Apply ends it.
func (x Complete) Apply(c *Change, by timeline.Actor, now time.Time) error {
	return c.finishBy(Done, x.Capacity, by, x.Note, 0, now)
}

// Check refuses to end what does not run.
func (x Fail) Check(c *Change, _ timeline.Actor) error {
	if x.Outage < 0 || x.Outage > maxOutage {
		return c.refuse(finish, "outage: %s; want 0 to %s", x.Outage, maxOutage)
	}
	return c.mayFinish(x.Capacity, x.Note)
}

// Apply ends it.
func (x Fail) Apply(c *Change, by timeline.Actor, now time.Time) error {
	return c.finishBy(Failed, x.Capacity, by, x.Note, x.Outage, now)
}

// mayFinish refuses to end what does not run, or what its run of a plan ends.
func (c *Change) mayFinish(x Capacity, note string) error {
	switch {
	case c.Status != Running:
		return c.stands(finish)
	case c.Starting:
		return c.refuse(finish, "its plan is being started: look again")
	case c.Run != "" && !x.RunOver:
		return c.refuse(finish, "%s runs: it ends the change", c.Run)
	}
	return c.wantText(finish, "note", note, true)
}

func (c *Change) finishBy(s Status, x Capacity, by timeline.Actor, note string, outage time.Duration, now time.Time) error {
	if !x.mayRun(c, by) {
		return c.deny(finish, by, "want whoever has asked for it, or an owner: "+c.OwnerNames, now)
	}
	c.finish(s, by, note, outage, now)
	return nil
}

// Check refuses what has begun.
func (x Withdraw) Check(c *Change, _ timeline.Actor) error {
	if !c.lapses() {
		return c.stands(withdraw)
	}
	return c.wantText(withdraw, "reason", x.Reason, true)
}

// Apply ends it.
func (x Withdraw) Apply(c *Change, by timeline.Actor, now time.Time) error {
	if !x.mayRun(c, by) {
		return c.deny(withdraw, by, "want whoever has asked for it, or an owner: "+c.OwnerNames, now)
	}
	c.Reason = x.Reason
	c.record(now, timeline.ChangeWithdrawn, by, timeline.F("reason", x.Reason))
	c.end(Withdrawn, by, now)
	c.tell(Over)
	c.callOff(now)
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (x Note) Check(c *Change, _ timeline.Actor) error {
	if c.Over() {
		return c.stands("note")
	}
	return c.wantRoom("note", "text", x.Text, true)
}

// Apply writes the note.
func (x Note) Apply(c *Change, by timeline.Actor, now time.Time) error {
	c.record(now, timeline.Noted, by, timeline.F("text", x.Text))
	if c.lapses() {
		c.moved(now)
	}
	return nil
}

// deny refuses somebody something, and says so in the timeline.
func (c *Change) deny(action string, by timeline.Actor, why string, now time.Time) error {
	if c.Refusals++; c.Refusals <= maxRefusals {
		c.Timeline.Repeat(now, timeline.ChangeRefused, by, timeline.F("action", action), timeline.F("detail", why))
	}
	return c.refuse(action, "%s", why)
}

// stands tells the loser of a race where it stands and who has brought it there.
func (c *Change) stands(action string) error {
	by, since := "", c.Ended
	if c.EndedBy.ID != "" {
		by = " by " + c.EndedBy.Shown()
	}
	if since.IsZero() {
		return c.refuse(action, "it is %s", c.Status)
	}
	return c.refuse(action, "it is %s since %s%s", c.Status, at(since), by)
}

// wantRoom refuses text for which the timeline has no room.
func (c *Change) wantRoom(action, name, text string, required bool) error {
	if c.Timeline.Bytes > maxTimeline {
		return c.refuse(action, "its timeline is full")
	}
	return c.wantText(action, name, text, required)
}

func (c *Change) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return c.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return c.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (c *Change) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s change %s: %s", action, c.ID, fmt.Sprintf(format, args...))
}

func cut(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "")
	}
	return s
}

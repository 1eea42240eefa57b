package action

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// A Command is something that a person asks of an action item. Check refuses what cannot be done and changes nothing; Apply does
// what Check allows. What Apply refuses stands in the timeline.
type Command interface {
	Check(a *Action, by timeline.Actor) error
	Apply(a *Action, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// Complete says that it is done, and what shows it.
	Complete struct {
		Evidence string `json:"evidence"` // where it can be seen
		SHA256   string `json:"sha256,omitempty"`
		Note     string `json:"note,omitempty"`
	}
	// Verify says whether it is done, as somebody says.
	Verify struct {
		Result Result `json:"result"`
		Note   string `json:"note,omitempty"`
	}
	// CheckEffect says whether it has helped.
	CheckEffect struct {
		Result Result `json:"result"`
		Note   string `json:"note,omitempty"`
	}
	// Extend moves the due instant.
	Extend struct {
		Due    time.Time `json:"due"`
		Reason string    `json:"reason"`
	}
	// Assign gives it to another owner.
	Assign struct {
		Owner  string `json:"owner"` // ID of a person
		Name   string `json:"name"`
		Group  string `json:"group,omitempty"`  // ID of a group; empty: the same
		Behind string `json:"behind,omitempty"` // name of that group
		Reason string `json:"reason"`
	}
	// Cancel says that it is not done.
	Cancel struct {
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Text string `json:"text"`
	}
)

// A Result is what somebody found who has looked.
type Result string

// The results.
const (
	Yes Result = "yes" // it is done, or has helped
	No  Result = "no"  // it is open again
)

// Results lists the results.
func Results() []Result { return []Result{Yes, No} }

// Check refuses it unless it is open, and without evidence.
func (c Complete) Check(a *Action, _ timeline.Actor) error {
	if err := a.wantStatus("complete", Open); err != nil {
		return err
	}
	if err := a.wantRoom("complete"); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(c.Evidence) == "":
		return a.refuse("complete", "evidence: missing; want where it can be seen")
	case len(c.Evidence) > MaxRef:
		return a.refuse("complete", "evidence: %d bytes; want %d at most", len(c.Evidence), MaxRef)
	case c.SHA256 != "" && !isSHA256(c.SHA256):
		return a.refuse("complete", "sha256: want 64 lower-case hex digits")
	}
	return a.wantText("complete", "note", c.Note, false)
}

// Apply asks somebody else whether it is.
func (c Complete) Apply(a *Action, by timeline.Actor, now time.Time) error {
	a.Evidence, a.DoneBy, a.DoneAt = &Evidence{Ref: c.Evidence, SHA256: c.SHA256}, by, now
	a.decided(by, c.Note)
	a.record(now, timeline.ItemDone, by, timeline.F("evidence", c.Evidence), timeline.F("sha256", c.SHA256), timeline.F("note", c.Note))
	a.stand(Done, now)
	a.tell(ToVerify)
	return nil
}

// Check refuses it where nobody has said that it is done.
func (c Verify) Check(a *Action, by timeline.Actor) error {
	return a.mayJudge("verify", Done, by, c.Result, c.Note)
}

// Apply waits for what comes of it, or opens it again.
func (c Verify) Apply(a *Action, by timeline.Actor, now time.Time) error {
	if err := a.separate("verify", by, now); err != nil {
		return err
	}
	a.decided(by, c.Note)
	if c.Result == No {
		a.reopen(timeline.ItemRefuted, by, c.Note, now)
		return nil
	}
	a.Verifier, a.CheckAt = by, now.Add(time.Duration(a.Terms.Effect)*day)
	a.record(now, timeline.ItemVerified, by, timeline.F("note", c.Note), timeline.F("until", at(a.CheckAt)))
	a.stand(Verified, now)
	return nil
}

// Check refuses it before it is verified. Whoever knows sooner need not wait until asked.
func (c CheckEffect) Check(a *Action, by timeline.Actor) error {
	return a.mayJudge("check", Verified, by, c.Result, c.Note)
}

// Apply closes it, or opens it again.
func (c CheckEffect) Apply(a *Action, by timeline.Actor, now time.Time) error {
	if err := a.separate("check", by, now); err != nil {
		return err
	}
	a.decided(by, c.Note)
	if c.Result == No {
		a.reopen(timeline.ItemReopened, by, c.Note, now)
		return nil
	}
	a.record(now, timeline.ItemClosed, by, timeline.F("note", c.Note))
	a.stand(Closed, now)
	a.tell(Ended)
	return nil
}

// reopen gives it back to its owner, with time to do it.
func (a *Action) reopen(k timeline.Kind, by timeline.Actor, reason string, now time.Time) {
	a.Reopened++
	a.Verifier, a.CheckAt = timeline.Actor{}, time.Time{}
	if earliest := now.Add(again); a.Due.Before(earliest) {
		a.Due = earliest
	}
	a.record(now, k, by, timeline.F("reason", reason), timeline.F("due", at(a.Due)))
	a.stand(Open, now)
	a.tell(Again)
}

// Check refuses it unless it is open, and an instant that is not later.
func (c Extend) Check(a *Action, by timeline.Actor) error {
	if err := a.wantStatus("extend", Open); err != nil {
		return err
	}
	if err := a.wantRoom("extend"); err != nil {
		return err
	}
	if a.owned(by) && a.Extended >= ownExtends && a.Refusals >= maxRefusals {
		return a.alone()
	}
	if !c.Due.After(a.Due) {
		return a.refuse("extend", "due %s: want an instant after %s", at(c.Due), at(a.Due))
	}
	return a.wantText("extend", "reason", c.Reason, true)
}

// Apply moves the due instant. The owner does so once; whoever does it again is somebody else.
func (c Extend) Apply(a *Action, by timeline.Actor, now time.Time) error {
	if a.owned(by) && a.Extended >= ownExtends {
		a.deny("extend", owns, by, now)
		return a.alone()
	}
	if why := wrongDue(c.Due, now); why != "" {
		return a.refuse("extend", "due %s", why)
	}
	before := a.Due
	a.Extended++
	a.Due = c.Due
	a.decided(by, c.Reason)
	a.record(now, timeline.ItemExtended, by, timeline.F("due", at(c.Due)), timeline.F("before", at(before)),
		timeline.F("count", fmt.Sprint(a.Extended)), timeline.F("reason", c.Reason))
	a.stand(Open, now)
	a.tell(Extended)
	return nil
}

func (a *Action) alone() error {
	return a.refuse("extend", "it was extended before, and %s owns it: want another person", a.OwnerName)
}

// Check refuses it unless it is open, and to whoever has it.
func (c Assign) Check(a *Action, _ timeline.Actor) error {
	if err := a.wantStatus("assign", Open); err != nil {
		return err
	}
	if err := a.wantRoom("assign"); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(c.Owner) == "" || len(c.Owner) > MaxRef || len(c.Name) > MaxRef || len(c.Group) > MaxRef:
		return a.refuse("assign", "owner: want the id of a person")
	case c.Owner == a.Owner && (c.Group == "" || c.Group == a.Group):
		return a.refuse("assign", "%s has it", a.OwnerName)
	}
	return a.wantText("assign", "reason", c.Reason, true)
}

// Apply gives it to the new owner, who is told.
func (c Assign) Apply(a *Action, by timeline.Actor, now time.Time) error {
	before := a.OwnerName
	if !slices.Contains(a.Owners, a.Owner) {
		a.Owners = append(a.Owners, a.Owner)
	}
	a.Owner, a.OwnerName, a.Ownerless = c.Owner, cmp.Or(c.Name, c.Owner), false
	if c.Group != "" {
		a.Group, a.GroupName = c.Group, c.Behind
	}
	a.decided(by, c.Reason)
	a.record(now, timeline.ItemAssigned, by, timeline.F("owner", a.OwnerName), timeline.F("from", before), timeline.F("group", a.GroupShown()),
		timeline.F("reason", c.Reason))
	a.tell(Assigned)
	return nil
}

// owned tells whether somebody owns it or has: who gives it away does not decide alone on what was theirs to do.
func (a *Action) owned(by timeline.Actor) bool {
	return by.ID == a.Owner || slices.Contains(a.Owners, by.ID)
}

// Check refuses it once it is over.
func (c Cancel) Check(a *Action, by timeline.Actor) error {
	if a.Over() {
		return a.stands("cancel")
	}
	if a.owned(by) && a.Refusals >= maxRefusals {
		return a.own("cancel", owns)
	}
	return a.wantText("cancel", "reason", c.Reason, true)
}

// Apply ends it. The owner does not.
func (c Cancel) Apply(a *Action, by timeline.Actor, now time.Time) error {
	if a.owned(by) {
		a.deny("cancel", owns, by, now)
		return a.own("cancel", owns)
	}
	a.decided(by, c.Reason)
	a.record(now, timeline.ItemCancelled, by, timeline.F("reason", c.Reason))
	a.stand(Cancelled, now)
	a.tell(Ended)
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(a *Action, _ timeline.Actor) error {
	if a.Over() {
		return a.stands("note")
	}
	if err := a.wantRoom("note"); err != nil {
		return err
	}
	return a.wantText("note", "text", c.Text, true)
}

// Apply writes the note.
func (c Note) Apply(a *Action, by timeline.Actor, now time.Time) error {
	a.Decisions++
	a.record(now, timeline.Noted, by, timeline.F("text", c.Text))
	return nil
}

func (a *Action) decided(by timeline.Actor, words string) {
	a.Decisions++
	a.DecidedBy, a.Reason = by, words
}

// mayJudge refuses a result where none is wanted, and "no" without a reason.
func (a *Action) mayJudge(action string, s Status, by timeline.Actor, r Result, note string) error {
	if err := a.wantStatus(action, s); err != nil {
		return err
	}
	if why := a.party(by); why != "" && a.Refusals >= maxRefusals {
		return a.own(action, why)
	}
	if !slices.Contains(Results(), r) {
		return a.refuse(action, "result %q: want yes or no", r)
	}
	return a.wantText(action, "note", note, r == No)
}

// Why somebody has to leave it to another person. These strings are in histories: add, never rename.
const (
	didIt    = "did-it"
	owns     = "owns-it"
	noPerson = "no-person"
)

// Whys lists why somebody has to leave something to another person.
func Whys() []string { return []string{didIt, owns, noPerson} }

// party says why somebody may not judge what was done, if so.
func (a *Action) party(by timeline.Actor) string {
	switch {
	case by.ID == a.DoneBy.ID:
		return didIt
	case by.ID == a.Owner:
		return owns
	case by.Kind != timeline.Person:
		return noPerson
	}
	return ""
}

// separate refuses a judgement of whoever has done it or owns it, and says so in the timeline.
func (a *Action) separate(action string, by timeline.Actor, now time.Time) error {
	why := a.party(by)
	if why == "" {
		return nil
	}
	a.deny(action, why, by, now)
	return a.own(action, why)
}

func (a *Action) deny(action, why string, by timeline.Actor, now time.Time) {
	a.Refusals++
	a.Timeline.Repeat(now, timeline.ItemRefused, by, timeline.F("action", action), timeline.F("reason", why))
}

func (a *Action) own(action, why string) error {
	said := map[string]string{didIt: a.DoneBy.Shown() + " has done it", owns: a.OwnerName + " owns it", noPerson: "a machine asks"}
	return a.refuse(action, "%s: want another person", said[why])
}

func (a *Action) wantStatus(action string, want Status) error {
	if a.Status == want {
		return nil
	}
	return a.stands(action)
}

// stands tells the loser of a race where it stands and who has brought it there.
func (a *Action) stands(action string) error {
	by := ""
	if a.DecidedBy.ID != "" {
		by = " by " + a.DecidedBy.Shown()
	}
	return a.refuse(action, "it is %s since %s%s", a.Status, at(a.Since), by)
}

// wantRoom refuses what its history or its timeline has no room for. What ends it always has.
func (a *Action) wantRoom(action string) error {
	if a.Decisions >= maxDecisions || a.Timeline.Bytes > maxTimeline {
		return a.refuse(action, "its record is full: cancel it and open another one")
	}
	return nil
}

func (a *Action) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return a.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return a.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

func (a *Action) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s action item %s: %s", action, a.ID, fmt.Sprintf(format, args...))
}

// Package action decides what happens to an action item from its opening until somebody says that it has helped: who is reminded and
// when, who may say that it is done, and who else that it really is. It reads no clock and reaches nobody.
package action

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// ID is the identity of an action item that people see, such as ACT-7K3M9QX2PA.
type ID string

const prefix = "ACT-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where an action item stands.
type Status string

// The statuses of an action item. These strings are in histories: add, never rename.
const (
	Open      Status = "open"     // its owner has to do it
	Done      Status = "done"     // somebody says so and has shown evidence
	Verified  Status = "verified" // somebody else says so too; whether it has helped is asked after a while
	Closed    Status = "closed"   // it has helped
	Cancelled Status = "cancelled"
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Open, Done, Verified, Closed, Cancelled} }

// Overdue is what lists call an action item that is open and past its due instant.
const Overdue = "overdue"

// Kind says what an action item is good for.
type Kind string

// The kinds of action items. These strings are in histories: add, never rename.
const (
	Prevent Kind = "prevent" // that it happens again
	Detect  Kind = "detect"  // it sooner
	Respond Kind = "respond" // to it better
	Recover Kind = "recover" // from it faster
)

// Kinds lists the kinds of action items.
func Kinds() []Kind { return []Kind{Prevent, Detect, Respond, Recover} }

// OriginKind says what an action item came of.
type OriginKind string

// What an action item can come of. These strings are in histories: add, never rename.
const (
	OfIncident OriginKind = "incident"
	OfReview   OriginKind = "review"
	OfProblem  OriginKind = "problem"
	OfContact  OriginKind = "contact" // a contact method whose test page has not arrived
	OfRun      OriginKind = "run"     // of a plan
)

// OriginKinds lists what an action item can come of.
func OriginKinds() []OriginKind {
	return []OriginKind{OfIncident, OfReview, OfProblem, OfContact, OfRun}
}

// An Origin is what an action item came of, and whom it is about.
type Origin struct {
	Kind     OriginKind `json:"kind,omitempty"`     // empty: nothing but the wish to be better
	ID       string     `json:"id,omitempty"`       // of the incident, the review's incident, the problem or the run; "kim/mail" of a contact method
	Customer string     `json:"customer,omitempty"` // ID
	Service  string     `json:"service,omitempty"`  // ID
}

// A Shelf is where in the organisation folder something is proposed.
type Shelf string

// Where something can be proposed. These strings are in histories: add, never rename.
const (
	Checklist Shelf = "checklist" // an item of the readiness checklist
	Runbook   Shelf = "runbook"
)

// Shelves lists where something can be proposed.
func Shelves() []Shelf { return []Shelf{Checklist, Runbook} }

// A Proposal is what should be added to the organisation folder.
type Proposal struct {
	Shelf Shelf  `json:"shelf"`
	ID    string `json:"id"` // of the checklist's item or the runbook: one that there is, or should be
	Text  string `json:"text"`
}

// Asked is what somebody wants to be done.
type Asked struct {
	Title    string            `json:"title"`
	Text     string            `json:"text,omitempty"`
	Kind     Kind              `json:"kind"`
	Priority priority.Priority `json:"priority"`
	Owner    string            `json:"owner"` // ID of a person, who is looked up at each send
	Group    string            `json:"group"` // ID of the group behind the owner
	Due      time.Time         `json:"due"`
	Ticket   string            `json:"ticket,omitempty"`
	Origin   Origin            `json:"origin,omitzero"`
	Public   bool              `json:"public,omitempty"` // the customer that it is about may see it
	Effect   int               `json:"effect,omitempty"` // days after which it is asked whether it has helped
	Proposal *Proposal         `json:"proposal,omitempty"`
}

// Pinned is what the organisation folder had to say when the action item was opened.
type Pinned struct {
	Organisation string `json:"organisation"`
	Zone         string `json:"zone"` // IANA name, for the instants in messages
	OwnerName    string `json:"owner_name"`
	GroupName    string `json:"group_name,omitempty"` // empty: it was opened before names of groups were kept
	CustomerName string `json:"customer_name,omitempty"`
	ServiceName  string `json:"service_name,omitempty"`
}

// Terms are what an action item begins with.
type Terms struct {
	ID      ID             `json:"id"`
	Request string         `json:"request"` // that has started it: whoever repeats it finds the same one
	Opener  timeline.Actor `json:"opener"`

	Asked
	Pinned
}

// GroupShown is what the group behind the owner is called.
func (t *Terms) GroupShown() string { return cmp.Or(t.GroupName, t.Group) }

// Bounds and rules.
const (
	MaxText     = 4_000 // bytes that a person writes at once
	MaxTitle    = 200   // bytes
	MaxRef      = 400   // bytes of a reference
	MaxEffect   = 365   // days
	UsualEffect = 30    // days
	Furthest    = 3 * 366 * 24 * time.Hour

	day          = 24 * time.Hour
	again        = 14 * day // in which it is to be done that was not done, or has not helped
	nags         = 8        // weeks in which somebody is reminded of what is late
	ownExtends   = 1        // how often the owner moves the due instant without anybody else
	maxTimeline  = 256 << 10
	maxRefusals  = 20  // that are recorded
	maxDecisions = 200 // so that one history holds them all
)

// Evidence shows that something was done.
type Evidence struct {
	Ref    string `json:"ref"` // where it can be seen: a URL, a commit, a document's name
	SHA256 string `json:"sha256,omitempty"`
}

// An Action is the state of one action item.
type Action struct {
	Terms

	Status    Status         `json:"status"`
	Opened    time.Time      `json:"opened"`
	Since     time.Time      `json:"since"`              // when it came to where it stands, or was given its due instant
	Round     int            `json:"round"`              // how often somebody was reminded since
	Owners    []string       `json:"owners,omitempty"`   // IDs of who has owned it before
	Ownerless bool           `json:"ownerless"`          // the owner could not be found at the last send
	Late      bool           `json:"late,omitempty"`     // it is open and past its due instant
	Asking    bool           `json:"asking,omitempty"`   // it is asked whether it has helped
	Extended  int            `json:"extended,omitempty"` // how often its due instant was moved
	Reopened  int            `json:"reopened,omitempty"`
	Decisions int            `json:"decisions,omitempty"`
	Refusals  int            `json:"refusals,omitempty"`
	Evidence  *Evidence      `json:"evidence,omitempty"` // the newest one
	DoneBy    timeline.Actor `json:"done_by,omitzero"`
	DoneAt    time.Time      `json:"done_at,omitzero"`
	Verifier  timeline.Actor `json:"verifier,omitzero"`
	CheckAt   time.Time      `json:"check_at,omitzero"` // when it is asked whether it has helped
	Reason    string         `json:"reason,omitempty"`  // why it was opened again, or cancelled
	DecidedBy timeline.Actor `json:"decided_by,omitzero"`
	Ended     time.Time      `json:"ended,omitzero"`
	Sends     int            `json:"sends"`
	Partial   bool           `json:"partial,omitempty"` // as the customer sees it: what is not in it is hidden, and not none

	Timeline timeline.Log `json:"timeline"`

	fresh []Telling
}

// Start opens an action item. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Action, error) {
	if terms.Effect == 0 {
		terms.Effect = UsualEffect
	}
	if !terms.ID.Valid() {
		return nil, fmt.Errorf("open action item %q: id: want one such as ACT-7K3M9QX2PA", terms.ID)
	}
	if terms.Opener.ID == "" && terms.Opener.Kind != timeline.Engine {
		return nil, fmt.Errorf("open action item %s: opener: missing", terms.ID)
	}
	if faults := terms.Faults(now); len(faults) > 0 {
		return nil, fmt.Errorf("open action item %s: %w", terms.ID, faults[0])
	}
	a := &Action{Terms: terms, Status: Open, Opened: now}
	a.record(now, timeline.ItemOpened, terms.Opener, timeline.F("item", string(terms.ID)), timeline.F("title", terms.Title),
		timeline.F("kind", string(terms.Kind)), timeline.F("owner", terms.OwnerName), timeline.F("group", terms.GroupShown()), timeline.F("due", at(terms.Due)),
		timeline.F("origin", terms.Origin.ID), timeline.F("ticket", terms.Ticket), timeline.F("text", terms.Text))
	a.stand(Open, now)
	a.tell(Assigned)
	return a, nil
}

// A Fault says what is wrong with a field of what was asked.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

// Faults says what is wrong with what was asked.
func (a *Asked) Faults(now time.Time) (all []*Fault) {
	fault := func(bad bool, field, format string, args ...any) {
		if bad {
			all = append(all, &Fault{field, fmt.Sprintf(format, args...)})
		}
	}
	text := func(field, text string, most int, required bool) {
		fault(required && strings.TrimSpace(text) == "", field, "missing")
		fault(len(text) > most, field, "%d bytes; want %d at most", len(text), most)
	}
	text("title", a.Title, MaxTitle, true)
	text("text", a.Text, MaxText, false)
	text("owner", a.Owner, MaxRef, true)
	text("group", a.Group, MaxRef, true)
	text("ticket", a.Ticket, MaxRef, false)
	text("origin", a.Origin.ID, MaxRef, a.Origin.Kind != "")
	fault(!slices.Contains(Kinds(), a.Kind), "kind", "%q; want prevent, detect, respond or recover", a.Kind)
	fault(!a.Priority.Valid(), "priority", "%d; want 1 to 5", int(a.Priority))
	fault(a.Origin.Kind != "" && !slices.Contains(OriginKinds(), a.Origin.Kind), "origin", "%q; want incident, review, problem, contact or run", a.Origin.Kind)
	fault(a.Origin.Kind == "" && a.Origin.ID != "", "origin", "want what it is with its id")
	fault(a.Public && a.Origin.Customer == "", "public", "want a customer who may see it")
	fault(a.Effect < 0 || a.Effect > MaxEffect, "effect", "%d days; want 1 to %d", a.Effect, MaxEffect)
	if why := wrongDue(a.Due, now); why != "" {
		all = append(all, &Fault{"due", why})
	}
	if p := a.Proposal; p != nil {
		fault(!slices.Contains(Shelves(), p.Shelf), "proposal", "%q; want checklist or runbook", p.Shelf)
		text("proposal", p.ID, MaxTitle, true)
		fault(strings.ContainsAny(p.ID, "\r\n"), "proposal", "%q: want one line", p.ID)
		text("proposal", p.Text, MaxText, true)
	}
	return all
}

// wrongDue says why nothing can be due at an instant, if so.
func wrongDue(due, now time.Time) string {
	switch {
	case due.IsZero():
		return "missing"
	case !due.After(now):
		return at(due) + "; want an instant that is to come"
	case due.Sub(now) > Furthest:
		return at(due) + "; want one within three years"
	}
	return ""
}

// stand brings it to a status, from which on people are reminded of what they have to do.
func (a *Action) stand(s Status, now time.Time) {
	a.Status, a.Since, a.Round, a.Late, a.Asking = s, now, 0, false, false
	for steps := a.steps(); a.Round < len(steps) && !steps[a.Round].at.After(now); { // of what it is too late for
		a.Round++
	}
	if a.Over() {
		a.Ended = now
	}
}

// A step is one time at which somebody is reminded.
type step struct {
	at    time.Time
	about About
}

// steps are the times at which somebody is reminded, as long as it stands where it does. They end: whoever does not react to so
// many does not react to more, and it stays in the lists.
func (a *Action) steps() []step {
	switch a.Status {
	case Open:
		return append([]step{{a.Due.Add(-7 * day), DueSoon}, {a.Due.Add(-day), DueSoon}, {a.Due, DueNow}}, weekly(a.Due, TooLate)...)
	case Done:
		return weekly(a.Since, ToVerify)
	case Verified:
		return append([]step{{a.CheckAt, ToCheck}}, weekly(a.CheckAt, ToCheck)...)
	default:
		return nil
	}
}

// weekly are steps a week apart, the first one a week after an instant.
func weekly(from time.Time, about About) (all []step) {
	for n := range nags {
		all = append(all, step{from.Add(time.Duration(n+1) * 7 * day), about})
	}
	return all
}

// Advance brings the action item to now, and returns what has to be told since it was last asked. Of reminders that have come due
// together, the newest is told.
func (a *Action) Advance(now time.Time) []Telling {
	var about About
	steps := a.steps()
	for ; a.Round < len(steps) && !steps[a.Round].at.After(now); a.Round++ {
		switch about = steps[a.Round].about; {
		case about == ToCheck && !a.Asking:
			a.Asking = true
			a.record(now, timeline.ItemChecked, timeline.Muster(), timeline.F("since", at(a.Since)))
		case about == DueNow:
			a.Late = true
			a.record(now, timeline.ItemOverdue, timeline.Muster(), timeline.F("due", at(a.Due)))
		}
	}
	if about != "" {
		a.tell(about)
	}
	fresh := a.fresh
	a.fresh = nil
	return fresh
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (a *Action) NextDue() time.Time {
	if steps := a.steps(); a.Round < len(steps) {
		return steps[a.Round].at
	}
	return time.Time{}
}

// Over tells whether nothing more is decided.
func (a *Action) Over() bool { return a.Status == Closed || a.Status == Cancelled }

// Listed is what lists call where it stands.
func (a *Action) Listed() string {
	if a.Late {
		return Overdue
	}
	return string(a.Status)
}

// Found takes in whether the owner was found at a send.
func (a *Action) Found(found bool, now time.Time) {
	if !found && !a.Ownerless {
		a.record(now, timeline.ItemOwnerless, timeline.Muster(), timeline.F("owner", a.OwnerName), timeline.F("group", a.GroupShown()))
	}
	a.Ownerless = !found
}

func (a *Action) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	a.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// isSHA256 tells whether a text is a SHA-256 in hex.
func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}

// Package change decides what happens to a change request from its asking to its end: whose it is to judge how risky it is, what the
// votes have come to, whether what has to hold before it runs holds, and what an emergency has to make up for. It reads no clock and
// reaches nobody.
package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/timeline"
)

// Priority is that of the messages on changes.
const Priority = priority.P4

// ID is the identity of a change that people see, such as CHG-7K3M9QX2PA.
type ID string

const prefix = "CHG-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where a change stands.
type Status string

// The statuses of a change. These strings are in histories: add, never rename.
const (
	Requested Status = "requested" // an owner has to say how risky it is
	Assessed  Status = "assessed"  // those who approve changes of its class vote
	Approved  Status = "approved"
	Rejected  Status = "rejected"
	Running   Status = "running"
	Done      Status = "done"
	Failed    Status = "failed"
	Withdrawn Status = "withdrawn"
	Lapsed    Status = "lapsed" // its time has passed and it has not begun
)

// Statuses lists the statuses.
func Statuses() []Status {
	return []Status{Requested, Assessed, Approved, Rejected, Running, Done, Failed, Withdrawn, Lapsed}
}

// Final tells whether it does not run any more and never will.
func (s Status) Final() bool {
	return slices.Contains([]Status{Rejected, Done, Failed, Withdrawn, Lapsed}, s)
}

// Kind is what is asked for.
type Kind string

// The kinds. These strings are in histories: add, never rename.
const (
	Addition  Kind = "addition"  // something that there is not yet
	Changed   Kind = "change"    // something becomes another
	Exception Kind = "exception" // something may be other than agreed
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Addition, Changed, Exception} }

// Way is how a change comes to be approved.
type Way string

// The ways. These strings are in histories and search attributes: add, never rename.
const (
	Normal    Way = "normal"    // by a vote before it
	Standard  Way = "standard"  // before anybody has asked, within a scope
	Emergency Way = "emergency" // by a vote after it
)

// Ways lists the ways.
func Ways() []Way { return []Way{Normal, Standard, Emergency} }

// Unapproved is what an emergency is listed as that was not approved afterwards.
const Unapproved = "emergency-exception"

// Asked is what somebody asks for.
type Asked struct {
	Way        Way           `json:"way"`
	Kind       Kind          `json:"kind"`
	Title      string        `json:"title"`
	Text       string        `json:"text"`
	Benefit    string        `json:"benefit,omitempty"`
	Class      string        `json:"class,omitempty"` // of risk, as whoever asks sees it; empty: the least that the rules ask for
	Reversible bool          `json:"reversible"`
	Undo       string        `json:"undo,omitempty"` // how it is undone
	UndoWithin time.Duration `json:"undo_within,omitempty"`
	Services   []string      `json:"services"`            // IDs
	Customers  []string      `json:"customers,omitempty"` // IDs, beside those of the services
	From       time.Time     `json:"from,omitzero"`       // not before
	Until      time.Time     `json:"until"`               // not after: then what has not begun lapses
	Auto       bool          `json:"auto,omitempty"`      // it starts by itself, as soon as it may
	Plan       *Plan         `json:"plan,omitempty"`      // that it becomes; nil: somebody does it
	Standard   string        `json:"standard,omitempty"`  // ID of the pre-approved change that it is a use of
	Incident   string        `json:"incident,omitempty"`  // ID, of an emergency
	Effect     plan.Text     `json:"effect,omitzero"`     // what customers notice of it; none: they are not told
	Action     plan.Text     `json:"action,omitzero"`     // and what they have to do
	Assets     []string      `json:"assets,omitempty"`    // IDs, of its services: in whose history it stands
}

// A Plan is what a change becomes: the plan with what it is started with.
type Plan struct {
	ID           string  `json:"id"`
	Customer     string  `json:"customer"`
	Environments []Given `json:"environments"`
	Parameters   []Given `json:"parameters,omitempty"`
	// What was shown: the plan, its parameters and its runbooks, each by SHA-256.
	Lines []approval.Line `json:"lines,omitempty"`
}

// A Given is a value by its name.
type Given struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// A Named thing of the organisation folder.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Idle is a number of working days, or a time where nobody has said what a working day is.
type Idle = problem.Idle

// Pinned is what the organisation folder had to say when somebody asked.
type Pinned struct {
	Revision      string              `json:"revision"`
	Organisation  string              `json:"organisation"`
	Zone          string              `json:"zone"` // IANA name, for the instants in messages
	ServiceNames  []Named             `json:"service_names"`
	CustomerNames []Named             `json:"customer_names,omitempty"` // all whom it concerns
	AssetNames    []Named             `json:"asset_names,omitempty"`
	Partners      []string            `json:"partners,omitempty"` // IDs of the partners and vendors of its services
	Owners        []escalation.Target `json:"owners"`             // of its services, one of whom assesses it
	OwnerNames    string              `json:"owner_names"`
	Classes       []Class             `json:"classes"`         // of risk, the least first
	Floor         string              `json:"floor,omitempty"` // the class that the rules ask for at least
	PreApproved   *PreApproved        `json:"pre_approved,omitempty"`
	Afterwards    *Afterwards         `json:"afterwards,omitempty"` // of an emergency
	Remind        Idle                `json:"remind"`
	Patient       bool                `json:"patient,omitempty"`    // what is approved has time until it may begin; those from before 2026-11-27 do not
	Timely        bool                `json:"timely,omitempty"`     // somebody is reminded before its time is over; those from before 2026-11-27 may not be
	Announce      []time.Duration     `json:"announce,omitempty"`   // so long before it begins it is announced, the longest first
	Neighbours    []escalation.Target `json:"neighbours,omitempty"` // owners of services that need one of its own, who are told too
	Calendars     []calendar.Rules    `json:"calendars,omitempty"`
}

// Terms are what a change begins with.
type Terms struct {
	ID        ID             `json:"id"`
	Request   string         `json:"request"` // that has begun it: whoever repeats it finds the same one
	Requester timeline.Actor `json:"requester"`
	Manager   *Manager       `json:"manager,omitempty"` // whose word an emergency begins by
	Used      int            `json:"used,omitempty"`    // uses of the standard change before, within its period

	Asked
	Pinned
}

// A Manager is who holds the role of the incident manager on the incident of an emergency, as that stood then.
type Manager struct {
	Person string          `json:"person"`
	Name   string          `json:"name,omitempty"`
	Since  time.Time       `json:"since"`
	Status incident.Status `json:"status"` // of the incident
}

// An Answer says whether what has to hold before a change runs does.
type Answer struct {
	Check    string         `json:"check"`
	Holds    bool           `json:"holds"`
	Evidence string         `json:"evidence"` // where it is
	SHA256   string         `json:"sha256,omitempty"`
	Note     string         `json:"note,omitempty"`
	By       timeline.Actor `json:"by"`
	At       time.Time      `json:"at"`
	Run      planrun.ID     `json:"run,omitempty"` // of a plan, that is the evidence
}

// A RunEnded tells a change that its run of a plan is over.
type RunEnded struct {
	Run planrun.ID     `json:"run"`
	How planrun.Ending `json:"how"`
}

// A Missed is why an emergency is an exception.
type Missed string

// Why. These strings are in histories: add, never rename.
const (
	TooLate Missed = "too-late" // nobody has approved it in time
	Refused Missed = "rejected" // it was rejected afterwards
)

// A Change is the state of one change.
type Change struct {
	Terms

	Status    Status           `json:"status"`
	Opened    time.Time        `json:"opened"`
	Risk      string           `json:"risk"` // ID of its class as it stands
	Assessor  timeline.Actor   `json:"assessor,omitzero"`
	Judgement string           `json:"judgement,omitempty"` // of whoever has assessed it
	Ballot    *approval.Ballot `json:"ballot,omitempty"`
	Counted   bool             `json:"counted,omitempty"` // the votes: it is decided
	Answers   []Answer         `json:"answers,omitempty"` // the newest one of each check
	Began     time.Time        `json:"began,omitzero"`
	BegunBy   timeline.Actor   `json:"begun_by,omitzero"`
	Starting  bool             `json:"starting,omitempty"` // the run of its plan
	Run       planrun.ID       `json:"run,omitempty"`
	Ended     time.Time        `json:"ended,omitzero"` // when it has come to a final status
	EndedBy   timeline.Actor   `json:"ended_by,omitzero"`
	How       planrun.Ending   `json:"how,omitempty"`    // its run of a plan has ended
	Reason    string           `json:"reason,omitempty"` // of its end
	Outage    time.Duration    `json:"outage,omitempty"` // that it has caused
	Due       time.Time        `json:"due,omitzero"`     // until when an emergency has to be approved
	Exception Missed           `json:"exception,omitempty"`
	RiskAt    time.Time        `json:"risk_at,omitzero"`
	Moved     time.Time        `json:"moved"`
	RemindAt  time.Time        `json:"remind_at,omitzero"`
	Reminders int              `json:"reminders,omitempty"` // since it was moved
	Polling   bool             `json:"polling,omitempty"`   // it is being found out who may vote
	PollAt    time.Time        `json:"poll_at,omitzero"`
	Tries     int              `json:"tries,omitempty"`     // to find that out in vain
	Tried     bool             `json:"tried,omitempty"`     // it has tried to start by itself
	Announced int              `json:"announced,omitempty"` // of the times at which that is due
	Known     bool             `json:"known,omitempty"`     // customers have been told of it
	Sends     int              `json:"sends"`               // messages begun so far
	Refusals  int              `json:"refusals,omitempty"`  // what was refused to people
	Partial   bool             `json:"partial,omitempty"`   // as a party beside the provider sees it

	Timeline timeline.Log `json:"timeline"`

	reckoning int // of the newest instant that is being computed
	fresh     []Work
}

// A Fault says what is wrong with a field of what was asked.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

func fault(field, format string, args ...any) *Fault {
	return &Fault{field, fmt.Sprintf(format, args...)}
}

// Bounds of what a change holds.
const (
	MaxText  = 4_000 // bytes
	MaxTitle = 200
	MaxNamed = 50                   // services, customers, values of a plan
	Horizon  = 366 * 24 * time.Hour // so far ahead at most it may lie
)

// Check says what is wrong with what was asked, whatever the folder has to say of it.
func (a *Asked) Check(now time.Time) error {
	switch {
	case !slices.Contains(Ways(), a.Way):
		return fault("way", "%q; want normal, standard or emergency", a.Way)
	case !slices.Contains(Kinds(), a.Kind):
		return fault("kind", "%q; want addition, change or exception", a.Kind)
	case strings.TrimSpace(a.Title) == "":
		return fault("title", "missing")
	case len(a.Title) > MaxTitle:
		return fault("title", "%d bytes; want %d at most", len(a.Title), MaxTitle)
	case a.Way == Normal && strings.TrimSpace(a.Benefit) == "":
		return fault("benefit", "missing: want what it is good for")
	case a.Way != Standard && a.Reversible && strings.TrimSpace(a.Undo) == "":
		return fault("undo", "missing: want how it is undone, or say that it cannot be")
	case !a.Reversible && (a.Undo != "" || a.UndoWithin != 0):
		return fault("undo", "it cannot be undone; want none")
	case a.UndoWithin < 0 || a.UndoWithin > Horizon:
		return fault("undo_within", "%s; want a time up to %s", a.UndoWithin, Horizon)
	case len(a.Services) == 0:
		return fault("services", "missing: want one at least")
	case !a.Until.After(now) || a.Until.After(now.Add(Horizon)):
		return fault("until", "%s; want an instant to come, within a year", at(a.Until))
	case !a.From.IsZero() && !a.From.Before(a.Until):
		return fault("from", "%s; want an instant before %s", at(a.From), at(a.Until))
	case (a.Way == Emergency) != (a.Incident != ""):
		return fault("incident", "want one for an emergency, and none else")
	case (a.Way == Standard) != (a.Standard != ""):
		return fault("standard", "want one for a standard change, and none else")
	}
	switch {
	case a.Effect.Empty() && !a.Action.Empty():
		return fault("action", "without an effect; want what customers notice of it, too")
	case !a.Effect.Empty() && a.From.IsZero() && a.Way != Emergency:
		return fault("from", "missing: want when it begins, for customers are told")
	}
	for _, x := range []Given{
		{"text", a.Text}, {"benefit", a.Benefit}, {"undo", a.Undo}, {"effect", a.Effect.En}, {"effect", a.Effect.Ko}, {"action", a.Action.En}, {"action", a.Action.Ko},
	} {
		if len(x.Value) > MaxText {
			return fault(x.ID, "%d bytes; want %d at most", len(x.Value), MaxText)
		}
	}
	if a.Way != Standard && strings.TrimSpace(a.Text) == "" {
		return fault("text", "missing")
	}
	if n := max(len(a.Services), len(a.Customers)); n > MaxNamed {
		return fault("services", "%d, or customers; want %d at most", n, MaxNamed)
	}
	if len(a.Assets) > MaxNamed {
		return fault("assets", "%d; want %d at most", len(a.Assets), MaxNamed)
	}
	if p := a.Plan; p != nil && max(len(p.Environments), len(p.Parameters)) > MaxNamed {
		return fault("plan", "too many environments or parameters; want %d at most", MaxNamed)
	}
	return nil
}

// Start begins a change. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Change, error) {
	refuse := func(format string, args ...any) (*Change, error) {
		return nil, fmt.Errorf("ask for change %s: %s", terms.ID, fmt.Sprintf(format, args...))
	}
	if !terms.ID.Valid() {
		return nil, fmt.Errorf("ask for change %q: id: want one such as CHG-7K3M9QX2PA", terms.ID)
	}
	if err := terms.Check(now); err != nil {
		return refuse("%s", err)
	}
	switch {
	case terms.Requester.ID == "" || len(terms.Owners) == 0 || len(terms.Classes) == 0:
		return refuse("requester, owners or classes: missing")
	case terms.Remind.Days <= 0 && terms.Remind.Within <= 0:
		return refuse("remind: want more than nothing")
	case terms.Class != "" && terms.rank(terms.Class) < 0:
		return refuse("class %q: the folder has none", terms.Class)
	case terms.Way == Standard && terms.PreApproved == nil:
		return refuse("standard %q: the folder has none", terms.Standard)
	case terms.Way == Emergency && (terms.Afterwards == nil || terms.Manager == nil):
		return refuse("want the incident manager's word, and who approves emergencies")
	case terms.Way == Emergency && (terms.Manager.Person != terms.Requester.ID || !terms.Manager.Status.Open()):
		return refuse("%s is %s, and its manager %s: want its manager to ask while it is open", terms.Incident, terms.Manager.Status, terms.Manager.Person)
	}
	c := &Change{Terms: terms, Status: Requested, Opened: now, Risk: terms.least()}
	c.open(now)
	return c, nil
}

// open begins it in its way.
func (c *Change) open(now time.Time) {
	plan := ""
	if c.Plan != nil {
		plan = c.Plan.ID
	}
	c.record(now, timeline.ChangeRequested, c.Requester, timeline.F("change", string(c.ID)), timeline.F("way", string(c.Way)),
		timeline.F("kind", string(c.Kind)), timeline.F("title", c.Title), timeline.F("class", c.class().Name), timeline.F("services", names(c.ServiceNames)),
		timeline.F("customers", names(c.CustomerNames)), timeline.F("from", at(c.From)), timeline.F("until", at(c.Until)), timeline.F("plan", plan),
		timeline.F("text", c.Text), timeline.F("benefit", c.Benefit), timeline.F("undo", c.Undo), timeline.F("incident", c.Incident))
	switch c.Way {
	case Standard:
		s := c.PreApproved
		if why := s.Outside(&c.Asked, c.Used, now); why != "" {
			c.Reason = why
			c.record(now, timeline.ChangeRefused, c.Requester, timeline.F("action", use), timeline.F("standard", s.Name), timeline.F("detail", why))
			c.end(Rejected, timeline.Muster(), now)
			return
		}
		c.record(now, timeline.ChangePreApproved, timeline.Muster(), timeline.F("standard", s.Name), timeline.F("by", s.ApprovedBy),
			timeline.F("on", s.ApprovedOn), timeline.F("until", s.Until))
		c.Status = Approved
		c.tell(PreApprovedUse)
		c.askChecks()
	case Emergency:
		c.begin(c.Requester, now)
		c.poll()
		c.reckonDue(now)
		c.tell(EmergencyBegun)
	default:
		c.tell(Arrived)
	}
	c.moved(now)
}

// Over tells whether nothing more is decided: an emergency also waits for its approval.
func (c *Change) Over() bool {
	return c.Status.Final() && (c.Way != Emergency || c.Counted)
}

// end brings it to a final status.
func (c *Change) end(s Status, by timeline.Actor, now time.Time) {
	c.Status, c.Ended, c.EndedBy, c.RemindAt = s, now, by, time.Time{}
}

// Listed is as what lists show it beside its status.
func (c *Change) Listed() string {
	if c.Exception != "" {
		return Unapproved
	}
	return string(c.Way)
}

func (c *Change) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	c.Timeline.Add(now, k, by, facts...)
}

func names(all []Named) string {
	var text []string
	for _, n := range all {
		text = append(text, n.Name)
	}
	return strings.Join(text, ", ")
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

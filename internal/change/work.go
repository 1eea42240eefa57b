package change

import (
	"slices"
	"time"

	"muster/internal/escalation"
	"muster/internal/plan"
	"muster/internal/supportplan"
)

// A Doing is what has to be done outside.
type Doing string

// What has to be done outside.
const (
	Tell       Doing = "tell"
	Reckon     Doing = "reckon"      // when somebody is reminded
	ReckonDue  Doing = "reckon-due"  // until when an emergency has to be approved
	FindVoters Doing = "find-voters" // who may vote now
	StartRun   Doing = "start-run"   // of its plan
)

// A Work is one thing that has to be done outside.
type Work struct {
	Do      Doing
	Number  int               // of what is reckoned
	Clock   supportplan.Clock // that it waits for
	Telling Telling
}

// About says which message on a change it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Arrived        About = "requested"    // the owners: how risky is it?
	VoteWanted     About = "vote"         // who approves: vote on this
	CheckWanted    About = "check"        // who says whether something holds
	Decided        About = "decided"      // the requester and the owners: the vote is over
	PreApprovedUse About = "standard"     // the owners: a pre-approved change is used
	EmergencyBegun About = "emergency"    // the owners: it has begun without approval
	Unstarted      About = "unstarted"    // the requester and the owners: its plan could not be started
	Over           About = "over"         // the requester and the owners: it is done, failed, withdrawn or has lapsed
	Stale          About = "stale"        // whoever has to move it: nothing has moved
	DueSoon        About = "due"          // who approves an emergency: the time is nearly over
	Excepted       About = "exception"    // who is told of an emergency that was not approved
	Impossible     About = "too-few-vote" // the owners: too few may vote
)

// Abouts lists the messages.
func Abouts() []About {
	return []About{Arrived, VoteWanted, CheckWanted, Decided, PreApprovedUse, EmergencyBegun, Unstarted, Over, Stale, DueSoon, Excepted, Impossible}
}

// The notices to customers, and to owners of services that need one of those that it changes. These strings name texts and stand in histories:
// add, never rename.
const (
	Coming      About = "coming"      // it is planned
	Beginning   About = "beginning"   // it begins now
	Ending      About = "ending"      // it is over
	Rescheduled About = "rescheduled" // it has another time
	CalledOff   About = "called-off"  // it does not happen
)

// Notices lists the notices.
func Notices() []About { return []About{Coming, Beginning, Ending, Rescheduled, CalledOff} }

// Notice tells whether it is one.
func (a About) Notice() bool { return slices.Contains(Notices(), a) }

// Lasting tells whether a message matters even when the change is over.
func (a About) Lasting() bool {
	return a == Decided || a == Over || a == Excepted || a == Ending || a == CalledOff
}

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number    int                 `json:"number"` // 1, 2, 3 … within the change
	About     About               `json:"about"`
	Targets   []escalation.Target `json:"targets"`
	ID        ID                  `json:"id"`
	Way       Way                 `json:"way"`
	Kind      Kind                `json:"kind"`
	Title     string              `json:"title"`
	Services  string              `json:"services"` // names
	Customers string              `json:"customers,omitempty"`
	Requester string              `json:"requester"` // name
	Class     string              `json:"class"`     // name
	Zone      string              `json:"zone"`
	Status    Status              `json:"status"`
	From      time.Time           `json:"from,omitzero"`
	Until     time.Time           `json:"until,omitzero"`
	Due       time.Time           `json:"due,omitzero"` // until when an emergency has to be approved
	Reason    string              `json:"reason,omitempty"`
	Check     string              `json:"check,omitempty"` // its ID …
	Text      string              `json:"text,omitempty"`  // … and what has to hold …
	Plan      string              `json:"plan,omitempty"`  // … and the ID of the plan of which a completed run shows it
	Incident  string              `json:"incident,omitempty"`
	Standard  string              `json:"standard,omitempty"` // name
	Exception Missed              `json:"exception,omitempty"`
	Run       string              `json:"run,omitempty"`
	Since     time.Time           `json:"since,omitzero"` // when it was last moved
	Round     int                 `json:"round,omitempty"`
	Shown     string              `json:"shown,omitempty"` // SHA-256 of what is voted on

	Customer string    `json:"customer,omitempty"` // of a notice: whose contacts are told; empty: the targets are
	Effect   plan.Text `json:"effect,omitzero"`
	Action   plan.Text `json:"action,omitzero"`
}

func (c *Change) start(w Work) { c.fresh = append(c.fresh, w) }

// tell begins one message to those whom it concerns.
func (c *Change) tell(a About) { c.write(a, c.concerned(a), nil) }

// write begins one message.
func (c *Change) write(a About, to []escalation.Target, fill func(*Telling)) {
	if len(to) == 0 {
		return
	}
	t := c.telling(a, to)
	if fill != nil {
		fill(&t)
	}
	c.start(Work{Do: Tell, Telling: t})
}

// telling is what a message is written from.
func (c *Change) telling(a About, to []escalation.Target) Telling {
	c.Sends++
	t := Telling{
		Number: c.Sends, About: a, Targets: to, ID: c.ID, Way: c.Way, Kind: c.Kind, Title: c.Title, Services: names(c.ServiceNames),
		Customers: names(c.CustomerNames), Requester: c.Requester.Shown(), Class: c.ClassName(), Zone: c.Zone, Status: c.Status, From: c.From,
		Until: c.Until, Due: c.Due, Reason: c.Reason, Incident: c.Incident, Exception: c.Exception, Run: string(c.Run), Since: c.Moved, Round: c.Reminders,
	}
	if c.PreApproved != nil {
		t.Standard = c.PreApproved.Name
	}
	if c.Ballot != nil {
		t.Shown = c.Ballot.Shown.SHA256
	}
	return t
}

// concerned are those to whom a message goes.
func (c *Change) concerned(a About) []escalation.Target {
	asked := append([]escalation.Target{{Kind: escalation.Person, ID: c.Requester.ID}}, c.Owners...)
	switch a {
	case VoteWanted, DueSoon:
		return c.waiting()
	case Decided, Over, Unstarted:
		return asked
	case Excepted:
		return c.Afterwards.Escalate
	case Stale:
		switch {
		case c.Ballot != nil && c.Status == Assessed && len(c.waiting()) > 0: // else somebody has to see to it that there are voters
			return c.waiting()
		case c.Status != Approved:
			return c.Owners
		}
		return asked
	case Arrived, CheckWanted, PreApprovedUse, EmergencyBegun, Impossible, Coming, Beginning, Ending, Rescheduled, CalledOff: // notify says whom it tells
	}
	return c.Owners
}

// waiting are those who may vote and have not.
func (c *Change) waiting() (all []escalation.Target) {
	for _, w := range c.Ballot.Standing(c.Moved).Waiting {
		all = append(all, escalation.Target{Kind: escalation.Person, ID: w.Person})
	}
	return all
}

// askChecks asks those who have to say whether what has to hold does. Of what holds already nobody is asked.
func (c *Change) askChecks() {
	for _, k := range c.Unmet() {
		c.write(CheckWanted, c.CheckersOf(k), func(t *Telling) { t.Check, t.Text, t.Plan = k.ID, k.Text, k.Plan })
	}
}

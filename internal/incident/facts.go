package incident

import (
	"sort"
	"time"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// Facts are what a message may say about an incident: small, plain, and without anything that must not leave the house in
// a text for customers but the title and the alerts, which only internal texts use.
type Facts struct {
	ID        ID                `json:"id"`
	Kind      Kind              `json:"kind,omitempty"`
	Title     string            `json:"title"`
	Service   string            `json:"service"`
	Status    Status            `json:"status"`
	Impact    priority.Level    `json:"impact"`
	Urgency   priority.Level    `json:"urgency"`
	Priority  priority.Priority `json:"priority"`
	Customers []string          `json:"customers,omitempty"` // names
	Zone      string            `json:"zone"`
	Times     Times             `json:"times"`
	Previous  ID                `json:"previous,omitempty"`
	Learned   *Earlier          `json:"learned,omitempty"` // what Previous leaves to whoever responds, where it does
	Problem   *KnownProblem     `json:"problem,omitempty"`
	Nearby    []Nearby          `json:"nearby,omitempty"`
	Firing    int               `json:"firing"`
	Distinct  int               `json:"distinct"`
	Alerts    []string          `json:"alerts,omitempty"` // names of the first few that fire
	Said      string            `json:"said,omitempty"`   // what the first of those says of itself, beyond the title
	Responder string            `json:"responder,omitempty"`
	Clocks    []FactClock       `json:"clocks,omitempty"` // still running, the first due first
	Links     []Link            `json:"links,omitempty"`
	Notice    *Notice           `json:"notice,omitempty"`
	Reporter  string            `json:"reporter,omitempty"` // name of the customer that has reported it
	Cause     *Cause            `json:"cause,omitempty"`
	Tried     *Tried            `json:"tried,omitempty"`       // what Muster has done about it by itself
	Merged    []Merging         `json:"merged,omitempty"`      // incidents that are a part of this one
	Into      *Merging          `json:"merged_into,omitempty"` // the one that this one is a part of
}

// Discreet are the facts of a restricted incident as those may read them who are not involved: without the title, what alerts and
// people say of it and where that would lead. Of an ordinary one they are as they are.
func (f Facts) Discreet() Facts {
	if f.Kind == SecurityIncident {
		f.Title, f.Alerts, f.Said, f.Links = "", nil, "", nil
		f.Notice, f.Reporter, f.Cause, f.Merged, f.Into, f.Learned, f.Tried, f.Nearby = nil, "", nil, nil, nil, nil, nil, nil
	}
	return f
}

// Beside are the facts as those may read them who work on the incident for another party: without what is of other incidents and changes.
func (f Facts) Beside() Facts {
	f.Nearby, f.Problem, f.Learned = nil, nil, nil
	return f
}

// Discreet is a message as several people may read it, of whom nobody knows who is involved: of a restricted incident without
// what a person wrote either.
func (t Telling) Discreet() Telling {
	if t.Facts.Kind == SecurityIncident {
		t.Facts, t.Text, t.Author = t.Facts.Discreet(), "", nil
	}
	return t
}

// A FactClock is a running promise as a message shows it.
type FactClock struct {
	Customer string             `json:"customer"` // name
	Target   supportplan.Target `json:"target"`
	Due      time.Time          `json:"due"`
	Begins   time.Time          `json:"begins,omitzero"` // when its calendar opens, if it was closed at the start
	// Pending is a clock whose due instant is still to be computed.
	Pending *supportplan.Clock `json:"pending,omitempty"`
}

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Kind       delivery.Kind      `json:"kind"`
	About      About              `json:"about,omitempty"` // which reminder
	Facts      Facts              `json:"facts"`
	Step       int                `json:"step,omitempty"`  // of a page; 0: last resort
	Round      int                `json:"round,omitempty"` // of a page
	Why        string             `json:"why,omitempty"`   // of a page: the targets that led to this person, "schedule:primary"
	Role       Role               `json:"role,omitempty"`
	Customer   string             `json:"customer,omitempty"`    // the customer's name
	CustomerID string             `json:"customer_id,omitempty"` // with which a command names the customer
	Target     string             `json:"target,omitempty"`      // the promise that a reminder is about
	Due        time.Time          `json:"due,omitzero"`          // the instant that the message is about; of an update: the next one
	Next       *supportplan.Clock `json:"next,omitempty"`        // of an update: the promise of the next one, whose due instant becomes Due
	MayPause   bool               `json:"may_pause,omitempty"`   // the promise that a reminder is about may stand still
	PauseFor   supportplan.Cause  `json:"pause_for,omitempty"`   // for instance for this cause; empty: for any
	Text       string             `json:"text,omitempty"`        // what a person wrote
	Author     *timeline.Actor    `json:"author,omitempty"`
	Says       PublicStatus       `json:"says,omitempty"`       // of a text to a customer: the public status
	Expected   time.Time          `json:"expected,omitzero"`    // of an update: when normal operation will be back
	Content    string             `json:"content,omitempty"`    // SHA-256 of a text that waits for an approval
	Workaround string             `json:"workaround,omitempty"` // the same: what the reader may do meanwhile

	Wanted int `json:"wanted,omitempty"` // of a page: how many different people must acknowledge, if more than one
	Acked  int `json:"acked,omitempty"`  // and how many have

	Vendor *VendorSupport `json:"vendor,omitempty"` // whose case a message is about
	Ticket *ticket.Ref    `json:"ticket,omitempty"` // which a message is about
	Files  []ResultFile   `json:"files,omitempty"`  // of a result report: in every language in which it was written

	Mitigations []escalation.Mitigation `json:"mitigations,omitempty"` // of a page: what whoever gets it may do at once
}

// About says which reminder a message is.
type About string

// The reminders.
const (
	AboutClockAtRisk  About = "clock-at-risk" // a promise will be missed soon
	AboutClockMissed  About = "clock-missed"  // a promise was missed
	AboutUpdateWanted About = "update-wanted" // a person has to write a customer update before it is due
	AboutRole         About = "role"          // you have been assigned a role
	AboutTakeover     About = "takeover"      // somebody else has taken over your role
	AboutNoAnswer     About = "no-answer"     // the last resort is being paged

	AboutPriorityRaised About = "priority-raised" // a more pressing alert has joined
	AboutResolved       About = "resolved"        // a person has to give the customer the all-clear
	AboutReopened       About = "reopened"        // the customer has to hear that it is not over; an update says so itself
	AboutAlertsOver     About = "alerts-over"     // all alerts are resolved, and a person has to say whether it is over
	AboutReceipt        About = "receipt"         // the customer has to hear that its notice was received
	AboutClosed         About = "closed"          // the customer has to hear that it is closed, because it has not answered
	AboutResultWanted   About = "result-wanted"   // the incident result report is to be sent
	AboutCauseCustomer  About = "cause-customer"  // the cause lies with the customer
	AboutVendorCase     About = "vendor-case"     // a case is to be filed with a vendor
	AboutVendorLate     About = "vendor-late"     // a vendor has not answered in time
	AboutAbsent         About = "absent"          // somebody who was asked to help has not come
	AboutRoleVacant     About = "role-vacant"     // nobody can be found for a role
	AboutMergeRefused   About = "merge-refused"   // the other incident has not taken this one in
	AboutApproval       About = "approval"        // a text to those outside waits for an approval
	AboutUnsent         About = "unsent"          // a text of yours to those outside is not sent
	AboutStatusPage     About = "status-page"     // a status page does not say what it should
	AboutTicketResolved About = "ticket-resolved" // the ticket was resolved in its own system, and a person has to say whether it is over
	AboutTicketReopened About = "ticket-reopened" // it was reopened there, and a person has to say whether it is not over
	AboutResponse       About = "response"        // an automatic response waits for an approval
	AboutResponseOff    About = "response-off"    // it has failed too often, and is switched off
)

// AboutChange makes the text of a ticket the comment that its status or priority is another one. It is no reminder.
const AboutChange About = "change"

// Abouts lists the reminders.
func Abouts() []About {
	return []About{
		AboutClockAtRisk, AboutClockMissed, AboutUpdateWanted, AboutRole, AboutTakeover, AboutNoAnswer, AboutPriorityRaised, AboutResolved,
		AboutReopened, AboutAlertsOver, AboutClosed, AboutResultWanted, AboutCauseCustomer, AboutVendorCase, AboutVendorLate, AboutAbsent,
		AboutRoleVacant, AboutMergeRefused, AboutReceipt, AboutStatusPage, AboutApproval,
		AboutUnsent, AboutTicketResolved, AboutTicketReopened, AboutResponse, AboutResponseOff,
	}
}

// Facts gathers what messages may say now.
func (i *Incident) Facts() Facts {
	f := Facts{
		ID: i.ID, Kind: i.Definition.Kind, Title: i.Definition.Title, Service: i.Definition.Service.Name, Status: i.Status, Impact: i.Impact,
		Urgency: i.Urgency, Priority: i.Priority, Customers: i.customerNames(), Zone: i.Definition.Zone, Times: i.Times,
		Firing: i.Alerts.Firing, Distinct: i.Alerts.Distinct(), Alerts: i.firing(), Said: i.quote(), Links: i.links(),
		Notice: i.Notice, Cause: i.Cause, Merged: i.Merged, Problem: i.Problem, Nearby: i.Nearby, Tried: i.Tried(),
	}
	if i.Notice != nil {
		f.Reporter = i.customerName(i.Notice.Customer)
	}
	if i.Status == Merged {
		f.Into = i.MergedInto
	}
	if i.Previous != nil {
		f.Previous = i.Previous.ID
		if p := i.Previous; p.Cause != "" || p.Remedy != "" {
			f.Learned = p
		}
	}
	if n := len(i.Responders); n > 0 {
		f.Responder = i.Responders[n-1].Shown()
	}
	for _, c := range i.Clocks {
		if c.State == supportplan.Running && c.Open() && !c.Due.IsZero() {
			f.Clocks = append(f.Clocks, FactClock{Customer: i.customerName(c.Customer), Target: c.Target, Due: c.Due, Begins: c.Begins})
		}
	}
	sort.SliceStable(f.Clocks, func(a, b int) bool { return f.Clocks[a].Due.Before(f.Clocks[b].Due) })
	return f
}

// Unanswered returns whom the incident has paged and still waits for, as long as it needs somebody to take it.
func (i *Incident) Unanswered() []escalation.Target {
	if !i.Status.Open() || i.Escalation.Answered {
		return nil
	}
	return i.resolved(i.Escalation.Paged(i.Definition.Policy))
}

// Pending are the promises that have been started and whose due instants nobody has computed yet.
func (i *Incident) Pending() (all []FactClock) {
	for n := range i.Clocks {
		if c := i.Clocks[n]; c.State == supportplan.Running && c.Open() && c.Due.IsZero() && !c.Announced {
			all = append(all, FactClock{Customer: i.customerName(c.Customer), Target: c.Target, Pending: &c})
		}
	}
	return all
}

// firing names the first few alerts that fire, with what each is about, but by an old definition.
func (i *Incident) firing() []string {
	const most = 5
	var names []string
	for _, h := range i.Alerts.Full {
		if len(names) == most {
			break
		}
		if h.State != alert.Firing {
			continue
		}
		name := h.Name
		if i.Definition.Quotes {
			name = h.Known()
		}
		names = append(names, name)
	}
	return names
}

// Telling is what the message of a send is written from.
func (i *Incident) Telling(s Send) Telling {
	t := Telling{
		About: s.About, Facts: i.Facts(), Why: escalation.Shown(s.Targets), Role: s.Role,
		Customer: i.customerName(s.Customer), CustomerID: s.Customer, Target: string(s.Target), Due: s.Due, Text: s.Text, Author: s.Author,
		Says: s.Says, Expected: s.Expected, Workaround: s.Workaround, Content: s.Content,
	}
	if k := i.caseOf(s.Vendor); k != nil {
		t.Vendor = &k.Support
	}
	switch s.Work {
	case Summon:
		t.Kind = delivery.Page
	case Appoint:
		t.Kind, t.About = delivery.Assignment, AboutRole
	case CallVendor:
		t.Kind = delivery.VendorCall
	case ConfirmReceipt:
		t.Kind = delivery.Receipt
		if p, ok := i.plan(s.Customer).Promise(i.Priority, supportplan.Respond); ok {
			next := supportplan.Start(s.Customer, p, i.Notice.Received)
			t.Next = &next
		}
	case CloseCustomer:
		t.Kind = delivery.ClosingNotice
	case SendResult:
		t.Kind = delivery.ResultReport
		t.Files = i.result(s.Customer).Files
	case PageStep:
		rung := i.rung(&s)
		if i.Escalation.Wanted > 1 {
			t.Wanted, t.Acked = i.Escalation.Wanted, len(i.Escalation.Acked)
		}
		t.Kind, t.Step, t.Round, t.Mitigations = delivery.Page, rung.Step, rung.Round, rung.Mitigations
	case Remind:
		t.Kind = delivery.Reminder
		causes := i.plan(s.Customer).PauseFor
		t.MayPause = s.Customer != "" && (causes == nil || len(causes) > 0)
		if len(causes) > 0 {
			t.PauseFor = causes[0]
		}
		if s.About == AboutRole || s.About == AboutTakeover {
			t.Kind = delivery.Assignment
		}
		if s.About == AboutTicketResolved || s.About == AboutTicketReopened {
			ref := i.Ticket.Ref
			t.Ticket = &ref
		}
	case UpdateCustomer:
		t.Kind = delivery.CustomerUpdate
		if p, ok := i.plan(s.Customer).Promise(i.Priority, supportplan.Update); ok {
			next := supportplan.Start(s.Customer, p, s.Begun)
			t.Next = &next
		}
	case ClearCustomer:
		t.Kind = delivery.AllClear
		if k := i.confirmation(s.Customer); k != nil && k.Answer == "" && i.Status == Resolved {
			next := supportplan.Start(s.Customer, k.Clock.Promised(), s.Begun)
			t.Next = &next
		}
	default: // nothing else is told to anybody
	}
	return t
}

// Package incident decides what happens next in an incident: it takes alerts, what people do, and instants, and says what
// is due. It reads no clock, sends nothing and knows no workflow engine, so every rule in it can be tried in a table.
package incident

import (
	"cmp"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// ID is the identity of an incident that people see, such as INC-7K3M9QX2PA. Whoever starts its first run makes it.
type ID string

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(WriteID("INC-", random)) }

// digits cannot be mistaken for each other.
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// WriteID writes the last 50 of some random bits as an identity that people see, such as INC-7K3M9QX2PA.
func WriteID(prefix string, random uint64) string {
	var id [10]byte
	for n := len(id) - 1; n >= 0; n-- {
		id[n] = digits[random&31]
		random >>= 5
	}
	return prefix + string(id[:])
}

// IsID tells whether a text can be what WriteID writes.
func IsID(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && len(rest) == 10 && strings.Trim(rest, digits) == ""
}

// An Incident is the whole state of one incident: the answer to the State query and the input of a continued run.
type Incident struct {
	ID         ID            `json:"id"`
	Previous   *Earlier      `json:"previous,omitempty"` // the last incident of the same alert group; of what people report, of the same service
	Nearby     []Nearby      `json:"nearby,omitempty"`   // what else went on when it opened
	Notice     *Notice       `json:"notice,omitempty"`   // how people reported it; nil: an alert opened it
	Problem    *KnownProblem `json:"problem,omitempty"`  // behind it, as far as that is known
	Definition Definition    `json:"definition"`

	Status    Status            `json:"status"`
	Impact    priority.Level    `json:"impact"`
	Urgency   priority.Level    `json:"urgency"`
	Priority  priority.Priority `json:"priority"`
	Times     Times             `json:"times"`
	Settled   time.Time         `json:"settled,omitzero"`    // when it came to be resolved here, the last time if reopened
	Cause     *Cause            `json:"cause,omitempty"`     // nil while nobody knows it
	Announced *Announcement     `json:"announced,omitempty"` // what was last said to those outside; nil: nothing yet
	Posted    *Posted           `json:"posted,omitempty"`    // on status pages; nil: nothing yet
	Proposed  *Proposal         `json:"proposed,omitempty"`  // a text to those outside that waits for an approval
	Reopened  int               `json:"reopened,omitempty"`  // how often
	Repinned  int               `json:"repinned,omitempty"`  // how often
	Partial   bool              `json:"partial,omitempty"`   // as a party beside the provider sees it: what is not in it is hidden, and not none

	Alerts     alert.Set           `json:"alerts"`
	QuietSince time.Time           `json:"quiet_since,omitzero"` // all alerts resolved since; zero while one fires
	Escalation escalation.Run      `json:"escalation"`
	Hours      *Hours              `json:"hours,omitempty"`      // nil until somebody has looked, and where no step depends on hours
	Responders []timeline.Actor    `json:"responders,omitempty"` // who has acknowledged, the last one last
	Holders    []Holder            `json:"holders,omitempty"`
	Involved   []string            `json:"involved,omitempty"` // of a restricted one: IDs of those who may read it, the last one last
	Absent     []Absence           `json:"absent,omitempty"`   // who was given a role and has not shown up
	Vacant     []Role              `json:"vacant,omitempty"`   // roles for which somebody was sought
	Clocks     []supportplan.Clock `json:"clocks,omitempty"`

	Confirmations []Confirmation `json:"confirmations,omitempty"` // of the newest resolution
	Cases         []VendorCase   `json:"cases,omitempty"`
	Summons       []Summons      `json:"summons,omitempty"` // who was asked to help
	Runbooks      []RunbookUse   `json:"runbooks,omitempty"`
	Response      *Response      `json:"response,omitempty"` // what Muster has done about it by itself; nil: nothing
	Related       []Relation     `json:"related,omitempty"`
	MergedInto    *Merging       `json:"merged_into,omitempty"` // the incident that has this one's alerts and promises now
	Merged        []Merging      `json:"merged,omitempty"`      // those that this one has taken in, and that end with it
	Adopted       bool           `json:"adopted,omitempty"`     // customers of another incident have come, or gone again

	Ticket  Ticket         `json:"ticket"`
	Room    Room           `json:"room,omitzero"`
	Report  Report         `json:"report"`
	Results []Result       `json:"results,omitempty"`
	Review  Review         `json:"review"`
	Outbox  []Send         `json:"outbox,omitempty"` // what has begun and has no outcome yet
	Later   []Send         `json:"later,omitempty"`  // pages that have arrived, and whose next contact method follows unless somebody acknowledges
	Sends   int            `json:"sends"`            // begun so far: the next one's number
	Decided []string       `json:"decided,omitempty"`
	Arrived []int          `json:"arrived,omitempty"` // texts to customers of which the first delivery has arrived, by their sends
	Pages   []FollowedPage `json:"pages,omitempty"`   // that have arrived where they are told what has become of the incident

	Folder     Folder   `json:"folder"`                // newest organisation folder that has named somebody
	AllClear   int      `json:"all_clear"`             // resolutions for which the all-clear has been begun
	Cleared    []string `json:"cleared,omitempty"`     // IDs of the customers that know that it is over, since it was resolved last
	ClearAsked int      `json:"clear_asked,omitempty"` // how often a person was asked for what keeps it from closing
	NotOver    int      `json:"not_over,omitempty"`    // reopenings of which customers have begun to be told

	Timeline timeline.Log `json:"timeline"`
	Runs     []string     `json:"runs,omitempty"` // earlier runs of this incident, the oldest first

	fresh []Send // begun since Advance was last asked; never part of the record
}

// Earlier is an incident that came before, with what is known of it: whoever responds may have to do the same again.
type Earlier struct {
	ID       ID        `json:"id"`
	RunID    string    `json:"run_id"`
	ClosedAt time.Time `json:"closed_at"`
	Title    string    `json:"title,omitempty"`
	Symptom  string    `json:"symptom,omitempty"` // by what its review says that it is recognised again
	Cause    string    `json:"cause,omitempty"`   // what its review says, or else what was said of it
	Remedy   string    `json:"remedy,omitempty"`  // the same, or else what was said when it was resolved
	Review   ID        `json:"review,omitempty"`  // of this incident, from which symptom, cause and remedy are; none: no review has found them
}

// Learned adds what the review of an incident has found, which goes before what was said while one lasted.
func (e *Earlier) Learned(of ID, symptom, cause, remedy string) {
	const most = 500
	e.Review, e.Symptom, e.Cause, e.Remedy = of, clippedTo(most, symptom), clippedTo(most, cause), clippedTo(most, remedy)
}

// Pattern adds what an incident that is over leaves to the next one: of a restricted one nothing, for others may read the next.
func (e *Earlier) Pattern(before *Incident) {
	e.Title = before.Definition.PublicTitle()
	if before.Definition.Restricted() {
		return
	}
	if before.Cause != nil {
		e.Cause = clipped(before.Cause.Text)
	}
	for n := len(before.Timeline.Entries) - 1; n >= 0; n-- {
		if x := before.Timeline.Entries[n]; x.Kind == timeline.StatusChanged && x.Fact("to") == string(Resolved) {
			e.Remedy = clipped(x.Fact("note"))
			return
		}
	}
}

// Hours are which calendars of the escalation policy were open when it was last looked.
type Hours struct {
	Open  []string  `json:"open,omitempty"` // IDs
	Until time.Time `json:"until,omitzero"` // when one of them opens or closes next; zero: never
}

// A Folder is one content of the organisation folder, and when the folder took it.
type Folder struct {
	Revision string    `json:"revision"`
	Changed  time.Time `json:"changed,omitzero"`
}

// Times are the five instants that a review needs (source 003, line 4781) and the end. They are taken as they happen.
type Times struct {
	Started    time.Time `json:"started"`             // the earliest start that any alert names
	Alerted    time.Time `json:"alerted"`             // the first alert reached Muster
	Engaged    time.Time `json:"engaged,omitzero"`    // a person took it
	Mitigation time.Time `json:"mitigation,omitzero"` // the mitigation began, whether or not it works
	Resolved   time.Time `json:"resolved,omitzero"`   // normal operation was back, the last time if reopened
	Closed     time.Time `json:"closed,omitzero"`
}

// A Holder has a role since an instant.
type Holder struct {
	Role   Role      `json:"role"`
	Person string    `json:"person"` // the person's ID
	Name   string    `json:"name,omitempty"`
	Since  time.Time `json:"since"`
	// Due is until when somebody who was given the role has to give a sign of life, zero when they have, or need not.
	Due time.Time `json:"due,omitzero"`
}

// Shown is the holder's name for people.
func (h Holder) Shown() string { return cmp.Or(h.Name, h.Person) }

// Ticket is the incident's ticket and what was last said in it.
type Ticket struct {
	Ref      ticket.Ref  `json:"ref"`
	Wanted   int         `json:"wanted"` // revision that the ticket should have
	Written  int         `json:"written"`
	Disabled bool        `json:"disabled,omitempty"` // the ticket system refused it for good
	Deed     ticket.Deed `json:"deed,omitempty"`     // resolved or reopened in its own system since it was written last …
	DeedAt   time.Time   `json:"deed_at,omitzero"`   // … when that was heard
	Heard    []string    `json:"heard,omitempty"`    // what its system has told, the last one last
}

// Report is the incident report.
type Report struct {
	Wanted  int    `json:"wanted"`
	Written int    `json:"written"`
	Files   []File `json:"files,omitempty"` // in every language and format
}

// A File is one that was written, and what it held.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Review is the post-incident review that the incident opened.
type Review struct {
	ID     string    `json:"id,omitempty"` // workflow id
	Due    time.Time `json:"due,omitzero"`
	Wanted bool      `json:"wanted,omitempty"`
	Opened bool      `json:"opened,omitempty"`
}

// Work is the kind of a Send.
type Work string

// The kinds of work that an incident begins. These strings are in histories: add, never rename.
const (
	ComputeClocks  Work = "clocks"          // compute and record when clocks are due
	LookHours      Work = "hours"           // look and record which calendars of the policy are open
	PageStep       Work = "page"            // page everybody of one rung of the escalation
	PagePerson     Work = "page-person"     // one page, one person, one contact method
	Remind         Work = "remind"          // tell whoever has a role
	UpdateCustomer Work = "customer-update" // tell a customer how it goes
	ClearCustomer  Work = "all-clear"       // tell a customer that it is over
	ConfirmReceipt Work = "receipt"         // tell a customer that its notice was received
	CloseCustomer  Work = "closed"          // tell a customer that has not answered that it is closed
	WriteResult    Work = "result-report"   // write a customer's incident result report …
	SendResult     Work = "send-result"     // … and send it
	CallVendor     Work = "vendor-call"     // tell a vendor that its support is needed
	Summon         Work = "summon"          // page somebody who was asked to help, whether or not the incident is taken
	Appoint        Work = "appoint"         // give a role to the first who can be reached of those who stand for it
	TellMerge      Work = "merge"           // hand over to the incident that this one is merged into
	TellMerged     Work = "merged-over"     // tell an incident that was merged into this one what has become of it
	ForwardAlerts  Work = "forward"         // pass alerts on to it
	Tell           Work = "tell"            // one message to one recipient: what a reminder, update or all-clear becomes
	SyncTicket     Work = "ticket"
	KeepRoom       Work = "room"
	WriteReport    Work = "report"
	PostStatus     Work = "status-page"
	OpenReview     Work = "review"
	FindPrevious   Work = "previous"
	FindNearby     Work = "nearby"     // what else goes on
	FindProblem    Work = "problem"    // that may be behind it, while it is open …
	CountProblem   Work = "recurrence" // … and whether there is one now that it is over
	FollowPage     Work = "follow-up"  // tell where a page has arrived what has become of it
	ClaimResponse  Work = "response"   // ask whether an automatic response may run
	LookStep       Work = "response-look"
	ActStep        Work = "response-step"
	EndResponse    Work = "response-end" // say what has come of it
)

// Local tells whether work begins with something short and local.
func (w Work) Local() bool {
	switch w {
	case ComputeClocks, LookHours, PageStep, Remind, UpdateCustomer, ClearCustomer, ConfirmReceipt,
		CloseCustomer, SendResult, CallVendor, Summon, Appoint:
		return true
	default:
		return false
	}
}

// A Send is one piece of work towards the outside that has begun: it stands in the outbox until its outcome is known, and
// goes out again under the same ID when a new run takes over.
type Send struct {
	Number   int                 `json:"number"`
	Parent   int                 `json:"parent,omitempty"` // of a single delivery: the send that it came from
	Work     Work                `json:"work"`
	Begun    time.Time           `json:"begun"`
	Rung     int                 `json:"rung,omitempty"` // of a page: which rung of the climb
	Climb    int                 `json:"climb,omitempty"`
	Variant  int                 `json:"variant,omitempty"` // of a page: by the steps of which variant of the policy
	Shift    int                 `json:"shift,omitempty"`   // of a page: what that variant counts less than the climb
	Targets  []escalation.Target `json:"targets,omitempty"`
	Team     string              `json:"team,omitempty"` // of a summons: the team of which the targets are
	Role     Role                `json:"role,omitempty"`
	Customer string              `json:"customer,omitempty"`
	Vendor   string              `json:"vendor,omitempty"` // whose case a reminder is about
	Merge    MergeKind           `json:"merge,omitempty"`  // of a message to another incident: what it says
	Other    *Merging            `json:"other,omitempty"`  // and to which, if it is not the one that this one is merged into
	Alerts   *alert.Batch        `json:"alerts,omitempty"` // with it
	About    About               `json:"about,omitempty"`  // of a reminder: which text
	Text     string              `json:"text,omitempty"`   // what a person wrote
	Author   *timeline.Actor     `json:"author,omitempty"`
	Target   supportplan.Target  `json:"target,omitempty"` // the promise that a reminder is about
	Due      time.Time           `json:"due,omitzero"`     // the instant that the message is about
	For      Work                `json:"for,omitempty"`    // of a Tell: the work that it came from

	Says       PublicStatus `json:"says,omitempty"`       // of a text to a customer: the public status …
	Expected   time.Time    `json:"expected,omitzero"`    // … when normal operation will be back …
	Workaround string       `json:"workaround,omitempty"` // … and what they may do meanwhile
	Alone      bool         `json:"alone,omitempty"`      // of several customers this one alone is told

	Withdrawn string `json:"withdrawn,omitempty"` // why it no longer matters; its outcome is still waited for

	ID       delivery.ID         `json:"id,omitempty"` // of a single delivery
	To       *delivery.Recipient `json:"to,omitempty"`
	Method   int                 `json:"method,omitempty"`  // index in To.Methods
	Summons  bool                `json:"summons,omitempty"` // of a page: to somebody who was asked to help
	Stands   bool                `json:"stands,omitempty"`  // of a reminder: not to the role's holder, who could not be reached
	Hastened bool                `json:"hastened,omitempty"`
	Missed   int                 `json:"missed,omitempty"` // contact methods of theirs that have refused, one after another
	Message  *delivery.Message   `json:"message,omitempty"`
	Repeated bool                `json:"repeated,omitempty"`
	Revision int                 `json:"revision,omitempty"` // of the ticket or report to write, or of what is posted; the number of a step
	Page     string              `json:"page,omitempty"`     // the status page that it is for, or the delivery that is followed
	Content  string              `json:"content,omitempty"`  // of a reminder of a text that waits: its SHA-256; of a follow-up: what is told
}

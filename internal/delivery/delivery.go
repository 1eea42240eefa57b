// Package delivery describes one message on its way to one recipient: who, through which contact method, and how it
// ended. It sends nothing itself.
package delivery

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"muster/internal/link"
)

// ID identifies a delivery and is its idempotency key: whatever is sent again under the same ID is the same message.
type ID string

// Kind says what a message is for.
type Kind string

// The kinds of messages. These strings are on the wire and in history: add, never rename.
const (
	Page           Kind = "page"            // somebody must acknowledge an incident
	Reminder       Kind = "reminder"        // a role holder must do something before an instant
	Assignment     Kind = "assignment"      // somebody was given a role
	CustomerUpdate Kind = "customer-update" // progress for a customer
	AllClear       Kind = "all-clear"       // a customer is told that normal operation is back
	ReviewOpened   Kind = "review-opened"   // a review waits for its owner
	ReviewDue      Kind = "review-due"      // a review is due or overdue
	SelfWatch      Kind = "self-watch"      // Muster has noticed something wrong with itself
	Checkpoint     Kind = "checkpoint"      // how the log of the archive stands, for whoever keeps that elsewhere
	Ticket         Kind = "ticket"          // what stands in a ticket
	VendorCall     Kind = "vendor-call"     // a vendor is told along with a page that its support is needed
	Handover       Kind = "handover"        // a schedule goes over from one person to the next
	Receipt        Kind = "receipt"         // a customer is told that its notice was received
	ResultReport   Kind = "result-report"   // a customer gets its incident result report
	ClosingNotice  Kind = "closing-notice"  // a customer that has not answered is told that the incident is closed
	Certificate    Kind = "certificate"     // a customer has to renew a certificate of its own
	Request        Kind = "request"         // what has become of a customer's request
	Problem        Kind = "problem"         // what has become of the cause behind incidents
	Change         Kind = "change"          // what has become of a change request, and what somebody has to do about it
	ChangeNotice   Kind = "change-notice"   // those whom a change concerns are told when it comes, begins and ends
	Action         Kind = "action"          // what has become of an action item, and what somebody has to do about it
	Review         Kind = "review"          // what has become of a review, and the texts that it publishes
	StatusPage     Kind = "status-page"     // what stands on a status page
	Risk           Kind = "risk"            // what has become of a risk that somebody has escalated
	Routine        Kind = "routine"         // what was missed of work that comes back
	Silence        Kind = "silence"         // what a silence has held back
	Plan           Kind = "plan"            // what has become of a run of a plan, and what somebody has to do in it
	Test           Kind = "test"            // nothing has happened: it is tried whether pages arrive
	FollowUp       Kind = "follow-up"       // where a page has arrived: what has become of its incident
)

// Pages tells whether a message may ring: the others wait until somebody looks.
func (k Kind) Pages() bool { return k == Page || k == SelfWatch || k == Test }

// A Recipient is somebody who can be reached, as the organisation folder names them now. Addresses never stand here:
// they are looked up at each attempt, so that they stay out of every history.
type Recipient struct {
	ID       string   `json:"id"`               // "park", or "acme/desk" for a customer's contact
	Name     string   `json:"name"`             // as it is shown to people
	Language string   `json:"language"`         // "en" or "ko"
	Methods  []string `json:"methods"`          // names of contact methods, the preferred one first
	Shared   bool     `json:"shared,omitempty"` // several people read it: it is the channel "group:noc"
	Along    bool     `json:"along,omitempty"`  // with Shared: its people are told by themselves, and only that reaches them
	Zone     string   `json:"zone,omitempty"`   // IANA zone in which they read times; empty for the organisation's

	// Delays are of the methods, in their order: for how long nobody has acknowledged a page by the method before when this
	// one follows, even if the page has arrived. Where it is 0 or missing, a method follows one that has given no answer.
	Delays []time.Duration `json:"delays,omitempty"`
}

// Delay returns how long after the method before it the nth method follows, n from 0; 0 where that is left to the policy.
func (r Recipient) Delay(n int) time.Duration {
	if n < len(r.Delays) {
		return r.Delays[n]
	}
	return 0
}

// A Message is what a recipient reads, together with the facts that a receiving program needs.
type Message struct {
	Kind     Kind   `json:"kind"`
	Language string `json:"language"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	Incident string `json:"incident,omitempty"` // the identity that people see, such as INC-7K3M9QX2PA
	Priority string `json:"priority,omitempty"` // "P1" … "P5"
	Status   string `json:"status,omitempty"`
	Service  string `json:"service,omitempty"`
	URL      string `json:"url,omitempty"` // where to look or act, when the installation has a public address
	// Offer is a decision that the receiver may take by a link. The link is made at each attempt: it is a secret, and stands
	// in no history.
	Offer *Offer `json:"offer,omitempty"`
	// Attachments are documents that come along. Their bytes are read at each attempt, and stand in no history.
	Attachments []Attachment `json:"attachments,omitempty"`
}

// An Attachment names a document that a message carries, and its exact content.
type Attachment struct {
	Name   string `json:"name"`   // of the file as the receiver sees it
	Type   string `json:"type"`   // media type, such as "text/html; charset=utf-8"
	SHA256 string `json:"sha256"` // hex
	Path   string `json:"path"`   // its name on the shelf of reports
}

// Attached is an attachment with its bytes, as an attempt hands them over.
type Attached struct {
	Attachment
	Content []byte
}

// An Offer says what a link would allow.
type Offer struct {
	Label   string        `json:"label"` // words for the link, in the message's language
	Actions []link.Action `json:"actions"`
	Content string        `json:"content"`         // fingerprint of what is decided
	Part    string        `json:"part,omitempty"`  // of a run of a plan that it is about
	Until   time.Time     `json:"until,omitzero"`  // until when it is to be decided; zero: soon
	Lasts   time.Duration `json:"lasts,omitempty"` // how long beyond that the link answers, if only with what has become of it
}

// OfferOfPage is what somebody who is paged may do without a command: take the incident, or escalate it.
func OfferOfPage(label, incident, title, service string) *Offer {
	return &Offer{
		Label: label, Actions: []link.Action{link.Acknowledge, link.Escalate}, Content: link.OfIncident(incident, title, service),
	}
}

// OfferOfAnswer is what a customer may say of a resolution without a command until an instant: that it is fixed, or that it is
// not.
func OfferOfAnswer(label, incident, service string, resolved, until time.Time) *Offer {
	return &Offer{
		Label: label, Actions: []link.Action{link.Fixed, link.NotFixed}, Content: link.OfResolution(incident, service, resolved),
		Until: until,
	}
}

// lastsOnRuns is how long a link answers that asks for a decision in a run of a plan. Whoever comes late reads who has decided it.
const lastsOnRuns = 30 * 24 * time.Hour

// OfferOfVote is a vote on what was shown of a task, or else of a change of the plan, until an instant if there is one.
func OfferOfVote[C ~string](label, task, shown string, choices []C, until time.Time) *Offer {
	o := &Offer{Label: label, Content: shown, Part: task, Until: until, Lasts: lastsOnRuns}
	for _, c := range choices {
		o.Actions = append(o.Actions, link.Action(c))
	}
	return o
}

// OfferOfWaiver is whether a task may be skipped, as somebody has asked for it.
func OfferOfWaiver(label, run, task, by, reason, control string, until time.Time) *Offer {
	return &Offer{
		Label: label, Actions: []link.Action{link.GrantWaiver, link.RefuseWaiver}, Content: link.OfWaiver(run, task, by, reason, control, until),
		Part: task, Lasts: lastsOnRuns,
	}
}

// OfferOfOverride is whether an environment may be changed although it may not, as somebody has asked for it.
func OfferOfOverride(label, run, environment, freeze, by, reason string, until time.Time) *Offer {
	return &Offer{
		Label: label, Actions: []link.Action{link.GrantOverride, link.RefuseOverride}, Content: link.OfOverride(run, environment, freeze, by, reason, until),
		Part: environment, Until: until, Lasts: lastsOnRuns,
	}
}

// Offered is the message with its link, where people read it and where programs look for it.
func (m Message) Offered(url string) Message {
	m.Text = strings.TrimRight(m.Text, "\n") + "\n\n" + m.Offer.Label + "\n" + url + "\n"
	m.URL, m.Offer = url, nil
	return m
}

// ContactType names the technology of a contact method.
type ContactType string

// The contact types known to this version.
const (
	Console ContactType = "console" // a line on the worker's standard output
	File    ContactType = "file"    // a JSON line in the data folder
	Webhook ContactType = "webhook" // a signed HTTP POST
	Email   ContactType = "email"   // a mail by SMTP

	Slack      ContactType = "slack"       // a message by a bot, or by an incoming webhook
	Teams      ContactType = "teams"       // a card by a workflow of Microsoft Teams
	Mattermost ContactType = "mattermost"  // a post by an incoming webhook; so the next two
	GoogleChat ContactType = "google-chat" //
	Discord    ContactType = "discord"     //
	Ntfy       ContactType = "ntfy"        // a message to a topic
	KakaoWork  ContactType = "kakaowork"   // a message by a bot, or by an incoming webhook

	SMS       ContactType = "sms"       // a text message by a service such as Twilio
	Voice     ContactType = "voice"     // a call by it
	PagerDuty ContactType = "pagerduty" // an alert in an account there
)

// ContactTypes returns all contact types.
func ContactTypes() []ContactType {
	return []ContactType{Console, File, Webhook, Email, Slack, Teams, Mattermost, GoogleChat, Discord, Ntfy, KakaoWork, SMS, Voice, PagerDuty}
}

// Follows tells whether what has arrived by it can be told later what has become of it. An incoming webhook of Slack cannot, its bot can.
func (t ContactType) Follows() bool { return t == Slack || t == PagerDuty }

// PagesAlone tells whether a type takes nothing but pages: it refuses other messages, whether or not it works.
func (t ContactType) PagesAlone() bool { return t == Voice || t == PagerDuty }

// Telephone tells whether s is a phone number as the whole world calls it (E.164).
func Telephone(s string) bool { return telephone.MatchString(s) }

var telephone = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// A Contact is one contact method of one recipient with its address, read at the moment of sending.
type Contact struct {
	Method  string      // its name in the organisation folder
	Type    ContactType // which adapter sends
	Address string      // URL, mail address, file name or what else finds somebody there; may be secret
	Secret  string      // of this method alone, such as what signs a webhook, resolved from its reference; never logged
}

// Format shows which method it is, whatever the verb: an address may be as secret as a secret.
func (c Contact) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s (%s)", c.Method, c.Type) }

// An Envelope is one attempt: what is handed to an adapter.
type Envelope struct {
	ID        ID
	Attempt   int  // 1 for the first
	Repeated  bool // an earlier attempt had an unknown outcome, so the receiver may see this twice
	At        time.Time
	Since     time.Time // when the send began, in whichever run; zero: that is not known
	Recipient Recipient
	Contact   Contact
	Message   Message
	Offer     *Offer     // what the receiver may decide, for where people prove themselves who they are; nil: nothing
	Attached  []Attached // the message's attachments, in their order
}

// Result is the recorded end of a delivery.
type Result string

// How a delivery can end.
const (
	Delivered Result = "delivered" // the receiver took it
	Refused   Result = "refused"   // the receiver will never take it: no use repeating
	Withdrawn Result = "withdrawn" // it no longer mattered and was taken back before it was delivered
)

// An Outcome is the recorded end of a delivery with its cause.
type Outcome struct {
	Result   Result `json:"result"`
	Attempts int    `json:"attempts"`
	Detail   string `json:"detail,omitempty"`
	Final    bool   `json:"final,omitempty"`    // of a refusal: an attempt was refused, not an answer too late; older runs do not say so
	Followed bool   `json:"followed,omitempty"` // where it has arrived, it can be told later what has become of it
}

// Refusal is an adapter's error for an attempt that is final: repeating it cannot help.
type Refusal struct{ Detail string }

// Error says why the receiver refused.
func (r *Refusal) Error() string { return "refused: " + r.Detail }

// Unavailable is an adapter's error for an attempt that should be repeated, not before After has passed when After is
// positive.
type Unavailable struct {
	Detail string
	After  time.Duration
}

// Error says why the receiver could not be reached.
func (u *Unavailable) Error() string {
	if u.After > 0 {
		return fmt.Sprintf("unavailable: %s (retry after %s)", u.Detail, u.After)
	}
	return "unavailable: " + u.Detail
}

// IsRefusal tells whether err is final.
func IsRefusal(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}

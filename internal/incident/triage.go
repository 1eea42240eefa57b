package incident

import (
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/priority"
)

// A Background is what a responder needs to know of an incident and its service before anything else. It is for the
// provider's own people alone: nobody of another party is shown it, not even who works on the incident.
type Background struct {
	Classes   []priority.Class `json:"classes,omitempty"` // that apply; impact and urgency have them in
	Owner     *Contact         `json:"owner,omitempty"`   // of the service
	Tier      int              `json:"tier,omitempty"`    // of the service: 1, the most important, to 4; 0 when nobody says
	DependsOn []Service        `json:"depends_on,omitempty"`
	Triage    *Triage          `json:"triage,omitempty"`
}

// A Triage record is what is worth knowing of a service before one looks for a cause.
type Triage struct {
	Architecture string    `json:"architecture,omitempty"` // link to how it is built
	Components   []string  `json:"components,omitempty"`
	Privacy      Privacy   `json:"privacy,omitempty"`
	Security     Security  `json:"security,omitempty"`
	Contacts     []Contact `json:"contacts,omitempty"` // who knows it
	// AccessVerified is the last day on which responders have tried whether they get in; the zero date when nobody says.
	AccessVerified calendar.Date `json:"access_verified,omitzero"`
}

// AccessCounts is for how many days it counts that responders have got in.
const AccessCounts = 90

// AccessStale tells whether it is so long ago that responders have got in that it has to be tried again, on the day that at
// shows. Where nobody says when, it does not tell.
func (t *Triage) AccessStale(at time.Time) bool {
	return t != nil && t.AccessVerified != 0 && calendar.DateOf(at) > t.AccessVerified+AccessCounts
}

// Privacy says what data of people a service holds.
type Privacy string

// The classes of privacy. These strings are in histories and definitions: add, never rename.
const (
	NoPersonalData Privacy = "none"
	PersonalData   Privacy = "personal"
	SensitiveData  Privacy = "sensitive" // such as health, or what identifies somebody officially
)

// Privacies lists the classes of privacy.
func Privacies() []Privacy { return []Privacy{NoPersonalData, PersonalData, SensitiveData} }

// Security says who may see what a service holds.
type Security string

// The security classes. These strings are in histories and definitions: add, never rename.
const (
	Public       Security = "public"
	Internal     Security = "internal"
	Confidential Security = "confidential"
	Restricted   Security = "restricted" // to named people
)

// Securities lists the security classes, the most open one first.
func Securities() []Security { return []Security{Public, Internal, Confidential, Restricted} }

// A Contact is a group or person who answers for a service or knows it.
type Contact struct {
	Target escalation.Target `json:"target"`
	Name   string            `json:"name"`
}

// A LinkKind says what a link leads to, where that matters.
type LinkKind string

// The kinds of links: a response plan has the first two. These strings are in histories: add, never rename.
const (
	Runbook     LinkKind = "runbook"
	Playbook    LinkKind = "playbook"
	Dashboard   LinkKind = "dashboard"
	Panel       LinkKind = "panel"  // of a dashboard
	AlertSource LinkKind = "source" // where the source of an alert shows it
)

// LinkKinds lists the kinds.
func LinkKinds() []LinkKind { return []LinkKind{Runbook, Playbook, Dashboard, Panel, AlertSource} }

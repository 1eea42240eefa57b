package incident

import (
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// A Definition is everything that was promised and agreed for an incident, resolved and pinned when it opens. Changing
// the organisation folder later does not change a running incident; only who is there now is looked up at each send.
type Definition struct {
	SHA256       string            `json:"sha256"`           // of this definition in canonical JSON, with this field and changed left out
	Revision     string            `json:"revision"`         // of the organisation folder that it was read from
	Changed      time.Time         `json:"changed,omitzero"` // when the folder took that content; zero in old definitions
	Organisation string            `json:"organisation"`
	Zone         string            `json:"zone"`   // IANA zone in which people of the organisation read times
	Source       string            `json:"source"` // alert source
	Route        string            `json:"route"`  // the route that matched
	Kind         Kind              `json:"kind,omitempty"`
	Title        string            `json:"title"`
	Service      Service           `json:"service"`
	Impact       priority.Level    `json:"impact"`
	Urgency      priority.Level    `json:"urgency"`
	Customers    []Customer        `json:"customers,omitempty"`
	Policy       escalation.Policy `json:"policy"`
	Roles        []RoleTarget      `json:"roles,omitempty"` // who is told while nobody holds a role
	Lead         *LeadRule         `json:"lead,omitempty"`  // nil: roles are given by people alone
	Quiet        time.Duration     `json:"quiet"`           // all alerts resolved for so long: the incident is resolved
	ReopenWithin time.Duration     `json:"reopen_within"`   // so long after its resolution an incident can be reopened; then it closes
	Review       ReviewRule        `json:"review"`
	Recurrence   *Recurrence       `json:"recurrence,omitempty"` // nil: nobody looks for the problem behind it
	Room         *RoomRule         `json:"room,omitempty"`       // nil: it gets none
	Follows      bool              `json:"follows,omitempty"`    // somebody is reached where a page is told what becomes of it; false in old definitions
	Quotes       bool              `json:"quotes,omitempty"`     // messages say what alerts say of themselves, and where those lead; false in old definitions
	Recall       time.Duration     `json:"recall,omitempty"`     // so long the first page waits for what is known of the incident before; 0 in old definitions
	Around       bool              `json:"around,omitempty"`     // it is looked what else goes on with the services around; false in old definitions

	Automatic *AutomaticResponse `json:"automatic,omitempty"` // what Muster does about it by itself; nil: nothing

	TicketResolves bool `json:"ticket_resolves,omitempty"` // whoever resolves or reopens its ticket outside does so here

	Communication *Communication   `json:"communication,omitempty"` // nil in definitions from before there was any
	Links         []Link           `json:"links,omitempty"`         // runbook, dashboard: what a page shows, the response plan first
	Environments  []Environment    `json:"environments,omitempty"`  // from one of which its alerts come: they are held back while a task changes it
	Calendars     []calendar.Rules `json:"calendars,omitempty"`     // in which the customers' promises run, in the order of their IDs
	Languages     []string         `json:"languages"`               // of the reports, the first is the organisation's own

	Background
}

// An Environment is where services of a customer run.
type Environment struct {
	Customer string `json:"customer"` // ID
	ID       string `json:"id"`
}

// A Kind says whether an incident is one that not everybody may read.
type Kind string

// SecurityIncident is the kind beside the ordinary one, which is empty. It is in histories and search attributes: never renamed.
const SecurityIncident Kind = "security"

// Kinds lists the kinds that an organisation folder may name.
func Kinds() []Kind { return []Kind{SecurityIncident} }

// Restricted tells whether only administrators, auditors and those who are involved may read the incident.
func (d *Definition) Restricted() bool { return d.Kind == SecurityIncident }

// PublicTitle is what everybody may read who learns of the incident: of a restricted one not what the alerts say.
func (d *Definition) PublicTitle() string {
	if d.Restricted() {
		return d.Service.Name
	}
	return d.Title
}

// A Service is what is wrong.
type Service struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// A Customer is affected, under the plan it bought.
type Customer struct {
	ID   string           `json:"id"`
	Name string           `json:"name"`
	Plan supportplan.Plan `json:"plan"`
}

// A RoleTarget says who stands for a role until somebody is assigned.
type RoleTarget struct {
	Role    Role                `json:"role"`
	Targets []escalation.Target `json:"targets"`
}

// A LeadRule says for which incidents the roles are given to somebody at once, and how soon whoever has one must show up.
type LeadRule struct {
	FromPriority priority.Priority `json:"from_priority"` // this priority and the more pressing ones
	Within       time.Duration     `json:"within"`        // without a sign of life of its holder for so long, a role goes on to the next
}

// A ReviewRule says which incidents are reviewed and until when.
type ReviewRule struct {
	FromPriority priority.Priority `json:"from_priority"` // this priority and the more pressing ones
	Customers    bool              `json:"customers"`     // every incident that touched a customer
	DueWithin    time.Duration     `json:"due_within"`    // after the resolution
	Owner        Role              `json:"owner"`         // the role whose holder is told
	Stages       *ReviewStages     `json:"stages,omitempty"`
}

// ReviewStages say until when the parts of a review are to be done, in working days after it opens. Definitions from before there
// were any have none.
type ReviewStages struct {
	Draft    int                 `json:"draft,omitempty"`   // 0: no deadline of its own
	Meeting  int                 `json:"meeting,omitempty"` // the same …
	Publish  int                 `json:"publish,omitempty"` // … for all three
	Calendar string              `json:"calendar,omitempty"`
	Lead     []escalation.Target `json:"lead"` // who is told when the owner is late
	// Edition says by which rules its reviews go. Definitions from before there were any have none.
	Edition int `json:"edition,omitempty"`
}

// A Link leads to something worth reading.
type Link struct {
	Name string   `json:"name"`           // of a response plan: the alert that it is for, empty when for any other
	URL  string   `json:"url"`            // empty: to a runbook of the organisation folder
	Kind LinkKind `json:"kind,omitempty"` // of a response plan

	Runbook string `json:"runbook,omitempty"` // its ID
	Title   string `json:"title,omitempty"`   // its title, for people
}

// Shown says where the link leads.
func (l Link) Shown() string {
	if l.URL != "" || l.Runbook == "" {
		return l.URL
	}
	return l.Runbook + " " + l.Title
}

// Role is a part that somebody plays in an incident.
type Role string

// The roles (source 003, lines 4447–4449).
const (
	IncidentManager       Role = "incident-manager"
	CommunicationsManager Role = "communications-manager"
	SupportManager        Role = "support-manager"
)

// Roles lists the roles.
func Roles() []Role { return []Role{IncidentManager, CommunicationsManager, SupportManager} }

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool {
	for _, x := range Roles() {
		if r == x {
			return true
		}
	}
	return false
}

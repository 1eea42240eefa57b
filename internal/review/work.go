package review

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/priority"
)

// Do is the kind of a Work.
type Do string

// The kinds of work that a review begins.
const (
	ComputeDeadlines Do = "deadlines" // compute and record when stages are due
	WriteDrafts      Do = "drafts"    // write what the engine knows of the texts for customers
	FindChanges      Do = "changes"   // find out what was changed before the incident
	Tell             Do = "tell"      // one message
)

// A Work is something to be done outside.
type Work struct {
	Do      Do
	Round   int // in which it was begun: the number of times that the review was extended
	Telling Telling
}

// About says what a message is about.
type About string

// What messages are about. These strings are in histories: add, never rename.
const (
	Begun     About = "begun"     // a review waits for its owner
	Reminder  About = "reminder"  // a stage is due soon, is late, or has been late for long
	Invited   About = "invited"   // a vendor's engineer is invited
	Shared    About = "shared"    // the internal text is published: for who has responded
	Published About = "published" // the text of a customer is published: for its contacts
)

// Abouts lists what messages are about.
func Abouts() []About { return []About{Begun, Reminder, Invited, Shared, Published} }

// Outside tells whether a message leaves the house.
func (a About) Outside() bool { return a == Invited || a == Published }

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number   int                 `json:"number"`
	About    About               `json:"about"`
	Facts    Brief               `json:"facts"`
	Stage    Stage               `json:"stage,omitempty"`
	Notice   Notice              `json:"notice,omitempty"`
	Due      time.Time           `json:"due,omitzero"`
	Customer string              `json:"customer,omitempty"` // ID, to whose contacts it goes; else to the targets
	Name     string              `json:"name,omitempty"`     // of that customer, or of whoever is invited
	Text     string              `json:"text,omitempty"`     // what a person wrote
	Targets  []escalation.Target `json:"targets,omitempty"`
}

// A Brief is what a message may say of the incident.
type Brief struct {
	Incident     string            `json:"incident"`
	Title        string            `json:"title,omitempty"` // for the inside alone
	Service      string            `json:"service"`
	Organisation string            `json:"organisation,omitempty"`
	Priority     priority.Priority `json:"priority"`
	Zone         string            `json:"zone"`
	Started      time.Time         `json:"started"`
	Resolved     time.Time         `json:"resolved,omitzero"`
}

func (r *Review) brief() Brief {
	f := &r.Facts
	b := Brief{
		Incident: string(f.Incident), Title: f.Title, Service: f.Service, Priority: f.Priority, Zone: f.Zone, Started: f.Times.Started,
		Resolved: f.Times.Resolved,
	}
	if f.Record != nil {
		b.Organisation = f.Record.Organisation
	}
	return b
}

func (r *Review) begin(w Work) { r.fresh = append(r.fresh, w) }

func (r *Review) tell(t Telling) {
	r.Sends++
	t.Number, t.Facts = r.Sends, r.brief()
	if t.About.Outside() {
		t.Facts.Title = ""
	}
	r.begin(Work{Do: Tell, Telling: t})
}

package problem

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/supportplan"
)

// A Doing is what has to be done outside.
type Doing string

// What has to be done outside.
const (
	Reckon Doing = "reckon" // when so many working days are over
	Tell   Doing = "tell"
)

// A Work is one thing that has to be done outside.
type Work struct {
	Do      Doing
	Number  int               // of the reminder
	Clock   supportplan.Clock // that it waits for
	Telling Telling
}

// About says which message on a problem it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Begun     About = "opened"    // the owner: this is yours
	Recurred  About = "recurred"  // the owner: the fix has not held
	Stale     About = "stale"     // the owner: nothing has moved
	Escalated About = "escalated" // the owner's lead: nothing has moved although the owner was reminded
	Over      About = "closed"    // the owner: the fix has held
)

// Abouts lists the messages.
func Abouts() []About { return []About{Begun, Recurred, Stale, Escalated, Over} }

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number    int                 `json:"number"` // 1, 2, 3 … within the problem
	About     About               `json:"about"`
	Targets   []escalation.Target `json:"targets"`
	ID        ID                  `json:"id"`
	Title     string              `json:"title"`
	Service   string              `json:"service"` // name
	Owner     string              `json:"owner"`   // name
	Zone      string              `json:"zone"`
	Status    Status              `json:"status"`
	Same      Sameness            `json:"same,omitempty"`
	Value     string              `json:"value,omitempty"`
	Incidents int                 `json:"incidents"`       // that are linked
	Last      string              `json:"last,omitempty"`  // the last one
	Error     string              `json:"error,omitempty"` // what is known
	Since     time.Time           `json:"since,omitzero"`  // when it was last moved
	Round     int                 `json:"round,omitempty"` // of the reminders
	Watched   time.Duration       `json:"watched,omitempty"`
}

func (p *Problem) begin(w Work) { p.fresh = append(p.fresh, w) }

// tell begins one message.
func (p *Problem) tell(a About) {
	p.Sends++
	t := Telling{
		Number: p.Sends, About: a, Targets: p.Owner.Targets, ID: p.ID, Title: p.Title, Service: p.Service.Name, Owner: p.Owner.Name, Zone: p.Zone,
		Status: p.Status, Same: p.Key.same(), Value: p.Key.shown(), Incidents: len(p.Links) + p.More, Error: p.KnownError, Since: p.Moved,
		Round: p.Reminders, Watched: p.Watch,
	}
	if a == Escalated {
		t.Targets = p.Escalate
	}
	if n := len(p.Links); n > 0 {
		t.Last = string(p.Links[n-1].Incident)
	}
	p.begin(Work{Do: Tell, Telling: t})
}

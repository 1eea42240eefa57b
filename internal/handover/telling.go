package handover

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// About says which message on a hand-over it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Asked       About = "asked"       // the incoming person: this comes to you
	Again       About = "again"       // the incoming person: you have not confirmed it
	Unconfirmed About = "unconfirmed" // the outgoing person: it is still yours
	Escalated   About = "escalated"   // whoever is paged when nothing else helps: nobody has confirmed it
	Over        About = "over"        // what has become of it
)

// Abouts lists the messages.
func Abouts() []About { return []About{Asked, Again, Unconfirmed, Escalated, Over} }

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number    int                 `json:"number"` // 1, 2, 3 … within the hand-over
	About     About               `json:"about"`
	Targets   []escalation.Target `json:"targets"`
	Terms     Terms               `json:"terms"`
	Opened    time.Time           `json:"opened"`
	Due       time.Time           `json:"due"`
	Ends      time.Time           `json:"ends"`
	Round     int                 `json:"round,omitempty"`
	Status    Status              `json:"status"`
	Words     string              `json:"words,omitempty"`      // of whoever has ended it
	EndedBy   string              `json:"ended_by,omitempty"`   // name of that person
	InsteadOf string              `json:"instead_of,omitempty"` // name of the incoming person that EndedBy has stepped in for
}

// Open tells whether the message matters only as long as the hand-over is open.
func (a About) Open() bool { return a != Over }

// tell begins one message to people.
func (h *Handover) tell(a About, people ...timeline.Actor) {
	var targets []escalation.Target
	for _, p := range people {
		targets = append(targets, escalation.Target{Kind: escalation.Person, ID: p.ID})
	}
	h.begin(a, targets)
}

func (h *Handover) begin(a About, targets []escalation.Target) {
	h.Sends++
	h.fresh = append(h.fresh, Telling{
		Number: h.Sends, About: a, Targets: targets, Terms: h.Terms, Opened: h.Opened, Due: h.Due, Ends: h.Ends, Round: h.Rounds,
		Status: h.Status, Words: h.Words, EndedBy: h.EndedBy, InsteadOf: h.InsteadOf,
	})
}

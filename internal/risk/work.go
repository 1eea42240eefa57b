package risk

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// About says which message on an escalation it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Escalated  About = "escalated" // the level: take it
	StillThere About = "still"     // the last level: it is still there
	HasTaker   About = "taken"     // the originator: somebody has taken it
	Climbed    About = "climbed"   // the originator: the next level has it
	Unheard    About = "unheard"   // the originator: the last level does not answer
	HasAnswer  About = "answered"  // the originator: this is done; is it enough?
	StillAsked About = "waiting"   // the originator: is it?
	Successor  About = "successor" // the new originator: it is yours to say so
	Settled    About = "settled"   // everybody who was told: it is in hand
)

// Abouts lists the messages.
func Abouts() []About {
	return []About{Escalated, StillThere, HasTaker, Climbed, Unheard, HasAnswer, StillAsked, Successor, Settled}
}

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number   int                 `json:"number"` // 1, 2, 3 … within the escalation
	About    About               `json:"about"`
	Terms    Terms               `json:"terms"` // without the levels
	Status   Status              `json:"status"`
	Level    int                 `json:"level"` // 1, 2, 3 …
	Levels   int                 `json:"levels"`
	Why      string              `json:"why,omitempty"` // the level before was left
	By       timeline.Actor      `json:"by,omitzero"`   // who has brought it about
	Words    string              `json:"words,omitempty"`
	Taker    timeline.Actor      `json:"taker,omitzero"`
	Deadline time.Time           `json:"deadline,omitzero"`
	To       []escalation.Target `json:"to,omitempty"`    // told, but never the originator
	Instead  []escalation.Target `json:"instead"`         // told when nobody finds the originator
	Own      bool                `json:"own,omitempty"`   // the originator is told
	Needs    bool                `json:"needs,omitempty"` // somebody of the level: without one it is left at once
}

// telling writes what a message says of the escalation as it is now.
func (e *Escalation) telling(about About, why string) Telling {
	t := Telling{
		About: about, Terms: e.Terms, Status: e.Status, Level: e.Level + 1, Levels: len(e.Levels), Why: why, Taker: e.Taker,
		Deadline: e.Deadline, Instead: e.Levels[len(e.Levels)-1].Targets,
	}
	t.Terms.Levels = nil // they stand in the escalation
	if why == "" || why == Raised {
		t.By, t.Words = e.DecidedBy, e.Words
	}
	switch about {
	case Escalated, StillThere:
		t.To, t.Needs = append(t.To, e.level().Targets...), about == Escalated
	case Settled:
		for _, l := range e.Levels[:e.Level+1] {
			t.To = append(t.To, l.Targets...)
		}
		if e.Taker.ID != "" {
			t.To = append(t.To, escalation.Target{Kind: escalation.Person, ID: e.Taker.ID})
		}
	default:
		t.Own = true
	}
	if about == HasAnswer || about == StillAsked {
		t.By, t.Words = e.AnsweredBy, e.Answer
	}
	return t
}

// tell begins one message.
func (e *Escalation) tell(t Telling) {
	e.Sends++
	t.Number = e.Sends
	e.fresh = append(e.fresh, t)
}

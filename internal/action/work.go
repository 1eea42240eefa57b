package action

import (
	"time"

	"muster/internal/escalation"
	"muster/internal/timeline"
)

// About says which message on an action item it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Assigned About = "assigned" // the owner: it is yours
	DueSoon  About = "before"   // the owner: it is due soon
	DueNow   About = "due"      // the owner: it is due
	TooLate  About = "late"     // the owner and whoever stands behind: it is late
	ToVerify About = "verify"   // whoever stands behind: somebody says that it is done; see whether it is
	ToCheck  About = "effect"   // whoever stands behind: has it helped?
	Again    About = "again"    // the owner: it is open again
	Extended About = "extended" // whoever stands behind: it is due later
	Ended    About = "ended"    // everybody: it has helped, or was cancelled
)

// Abouts lists the messages.
func Abouts() []About {
	return []About{Assigned, DueSoon, DueNow, TooLate, ToVerify, ToCheck, Again, Extended, Ended}
}

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number int                 `json:"number"` // 1, 2, 3 … within the action item
	About  About               `json:"about"`
	Terms  Terms               `json:"terms"`
	Status Status              `json:"status"`
	Round  int                 `json:"round,omitempty"` // of reminders that it is late
	Rounds int                 `json:"rounds,omitempty"`
	By     timeline.Actor      `json:"by,omitzero"` // who has brought it about
	Done   *Evidence           `json:"done,omitempty"`
	Words  string              `json:"words,omitempty"` // of that person
	Owner  bool                `json:"owner,omitempty"` // the owner is told …
	Behind []escalation.Target `json:"behind"`          // … and these too, or in the owner's stead when nobody finds the owner
	All    bool                `json:"all,omitempty"`
	Except []string            `json:"except,omitempty"` // IDs of persons who are not told, for they may not decide
	Since  time.Time           `json:"since,omitzero"`   // when it came to where it stands
}

// tell begins one message.
func (a *Action) tell(about About) {
	a.Sends++
	t := Telling{
		Number: a.Sends, About: about, Terms: a.Terms, Status: a.Status, Words: a.Reason, Done: a.Evidence, By: a.DecidedBy, Since: a.Since,
		Behind: []escalation.Target{{Kind: escalation.Group, ID: a.Group}},
	}
	if a.Opener.Kind == timeline.Person {
		t.Behind = append(t.Behind, escalation.Target{Kind: escalation.Person, ID: a.Opener.ID})
	}
	switch about {
	case TooLate:
		t.Owner, t.All = true, true
		t.Round, t.Rounds = a.Round-3, nags
	case Ended:
		t.Owner, t.All = true, true
	case ToVerify, ToCheck:
		t.All, t.Except = true, []string{a.Owner}
		if a.DoneBy.ID != a.Owner {
			t.Except = append(t.Except, a.DoneBy.ID)
		}
		t.By = a.DoneBy
	case Extended:
		t.All, t.Except = true, []string{a.DecidedBy.ID}
	default:
		t.Owner = true
	}
	t.Terms.Text, t.Terms.Proposal = clip(t.Terms.Text), nil // the rest stands in the action item
	a.fresh = append(a.fresh, t)
}

// clip keeps what a message repeats short: it stands in the history each time.
func clip(s string) string {
	const most = 1_000
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

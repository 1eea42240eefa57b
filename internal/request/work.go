package request

import (
	"time"

	"muster/internal/supportplan"
	"muster/internal/usage"
)

// A Doing is what has to be done outside.
type Doing string

// What has to be done outside.
const (
	ComputeClocks Doing = "compute" // when the clocks are due
	Claim         Doing = "claim"   // its use
	Return        Doing = "return"  // its use
	Confirm       Doing = "confirm" // until when the customer may object to an answer
	Tell          Doing = "tell"
)

// A Work is one thing that has to be done outside.
type Work struct {
	Do      Doing
	Claim   usage.Claim
	Telling Telling
}

// About says which message on a request it is.
type About string

// The messages. These strings name texts and stand in histories: add, never rename.
const (
	Receipt    About = "receipt"  // the customer: it is here, and this is what becomes of it
	Decided    About = "decided"  // the customer: a person has decided, or it is withdrawn
	AnswerSent About = "answer"   // the customer: the answer
	Arrived    About = "arrived"  // the customer's engineers: it has come, and wants this
	AtRisk     About = "at-risk"  // the customer's engineers: a promise is in danger
	Missed     About = "missed"   // the customer's engineers: a promise is broken
	Notice     About = "notice"   // the customer: an issue that it has not reported; does it confirm it?
	Handed     About = "handed"   // the new owner: it is yours
	Objected   About = "objected" // the owner, else the customer's engineers: the answer is not enough
	ChaseDue   About = "chase"    // the same: ask the vendor again
)

// Abouts lists the messages.
func Abouts() []About {
	return []About{Receipt, Decided, AnswerSent, Arrived, AtRisk, Missed, Notice, Handed, Objected, ChaseDue}
}

// Outside tells whether the message goes to the customer.
func (a About) Outside() bool { return a == Receipt || a == Decided || a == AnswerSent || a == Notice }

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number  int                 `json:"number"` // 1, 2, 3 … within the request
	About   About               `json:"about"`
	Terms   Terms               `json:"terms"`
	Status  Status              `json:"status"`
	Verdict supportplan.Verdict `json:"verdict"`
	Target  supportplan.Target  `json:"target,omitempty"` // what is promised first, or in danger
	Due     time.Time           `json:"due,omitzero"`     // and until when
	Words   string              `json:"words,omitempty"`  // of that person: a reason, or the answer
	Offer   string              `json:"offer,omitempty"`
	Person  string              `json:"person,omitempty"` // ID of who is told instead of the engineers
	Case    *VendorCase         `json:"case,omitempty"`
}

func (r *Request) begin(w Work) { r.fresh = append(r.fresh, w) }

// tell begins one message. It says what is promised first.
func (r *Request) tell(a About) { r.remind(a, r.first()) }

// remind begins one message about a promise, if there is one.
func (r *Request) remind(a About, c *supportplan.Clock) {
	r.Sends++
	t := Telling{
		Number: r.Sends, About: a, Terms: r.Terms, Status: r.Status, Verdict: r.Verdict, Words: r.Reason, Offer: r.Offer,
	}
	if a == AnswerSent || a == Notice {
		t.Words = r.Answer
	}
	if c != nil {
		t.Target, t.Due = c.Target, c.Due
	}
	r.begin(Work{Do: Tell, Telling: t})
}

// first is the clock that is due first of those that run.
func (r *Request) first() (first *supportplan.Clock) {
	for n := range r.Clocks {
		if c := &r.Clocks[n]; c.Open() && !c.Due.IsZero() && (first == nil || c.Due.Before(first.Due)) {
			first = c
		}
	}
	return first
}

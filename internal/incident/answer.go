package incident

import (
	"slices"
	"time"

	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Confirmation is the question to one customer whether what was resolved is fixed (source 004, lines 42–48). Each resolution
// asks anew.
type Confirmation struct {
	Clock    supportplan.Clock `json:"clock"`             // for how long the answer is waited for; its customer is the one that is asked
	Asked    time.Time         `json:"asked,omitzero"`    // when the question reached the customer
	Answer   FixAnswer         `json:"answer,omitempty"`  // empty while there is none
	By       *timeline.Actor   `json:"by,omitempty"`      // who has answered
	Answered time.Time         `json:"answered,omitzero"` // when
	Lapsed   bool              `json:"lapsed,omitempty"`  // nobody has answered in time
}

// over tells whether the answer is not waited for any more.
func (c *Confirmation) over() bool { return c.Lapsed || c.Answer != "" }

// FixAnswer is what a customer says of a resolution.
type FixAnswer string

// The answers. These strings are in histories and links: add, never rename.
const (
	Fixed    FixAnswer = "fixed"
	NotFixed FixAnswer = "not-fixed"
)

// FixAnswers lists the answers.
func FixAnswers() []FixAnswer { return []FixAnswer{Fixed, NotFixed} }

// Answer says for a customer whether what was resolved is fixed: the customer itself, or whoever it has told.
type Answer struct {
	Answer   FixAnswer `json:"answer"`
	Customer string    `json:"customer,omitempty"` // may be left out where one customer alone is still to answer
	Note     string    `json:"note,omitempty"`     // what is not fixed
}

// Check refuses an answer that nobody waits for.
func (c Answer) Check(i *Incident) error {
	const action = "answer for"
	if i.Status != Resolved {
		return i.refuse(action, "is %s%s; only what is resolved is asked about", i.Status, i.sinceWhen())
	}
	if !slices.Contains(FixAnswers(), c.Answer) {
		return i.refuse(action, "answer %q: want %s", c.Answer, listed(FixAnswers()))
	}
	open := i.unanswered()
	k := i.confirmation(c.customer(open))
	switch {
	case c.Customer != "" && i.customerName(c.Customer) == "":
		return i.refuse(action, "customer %q is not affected; affected: %s", c.Customer, i.customerIDs())
	case k != nil && k.Answer != "":
		return i.refuse(action, "customer %q has answered %s at %s", k.Clock.Customer, k.Answer, k.Answered.UTC().Format(time.RFC3339))
	case c.Customer == "" && len(open) > 1:
		return i.refuse(action, "customer: missing; still to answer: %s", listed(open))
	case c.Customer == "" && len(open) == 0:
		return i.refuse(action, "no customer is still to answer")
	case k == nil && c.Answer == Fixed:
		return i.refuse(action, "customer %q is not asked: its support plan says nothing of it", c.Customer)
	}
	return i.wantText(action, "note", c.Note, c.Answer == NotFixed)
}

// customer is whom the answer is for.
func (c Answer) customer(open []string) string {
	if c.Customer == "" && len(open) == 1 {
		return open[0]
	}
	return c.Customer
}

// Apply takes the answer. What is not fixed is reopened; when nobody else is still to answer, what is fixed is closed.
func (c Answer) Apply(i *Incident, by timeline.Actor, now time.Time) {
	customer := c.customer(i.unanswered())
	if k := i.confirmation(customer); k != nil {
		k.Answer, k.By, k.Answered, k.Lapsed = c.Answer, &by, now, false
		k.Clock.EndedAt = now
	}
	i.record(now, timeline.FixAnswered, by, timeline.F("customer", i.customerName(customer)), timeline.F("answer", string(c.Answer)),
		timeline.F("note", c.Note))
	if c.Answer == Fixed {
		i.cleared(customer)
	}
	if c.Answer == NotFixed {
		i.QuietSince = time.Time{}
		i.reopen(by, "not-fixed", c.Note, now)
	}
}

// ask asks every customer whose plan says so whether it is fixed. The question goes out with the all-clear.
func (i *Incident) ask(now time.Time) {
	i.Confirmations = nil
	for _, c := range i.Definition.Customers {
		if k := c.Plan.Confirm; k != nil {
			i.Confirmations = append(i.Confirmations, Confirmation{
				Clock: supportplan.Start(c.ID, supportplan.Promise{Target: supportplan.Confirm, Days: k.Days, Calendar: k.Calendar}, now),
			})
		}
	}
}

func (i *Incident) confirmation(customer string) *Confirmation {
	for n := range i.Confirmations {
		if k := &i.Confirmations[n]; k.Clock.Customer == customer {
			return k
		}
	}
	return nil
}

// unanswered lists the customers that are still to answer.
func (i *Incident) unanswered() (ids []string) {
	for n := range i.Confirmations {
		if k := &i.Confirmations[n]; k.Answer == "" {
			ids = append(ids, k.Clock.Customer)
		}
	}
	return ids
}

// asked takes in that the question has reached a customer. One that it has reached late has all of its time from then.
func (i *Incident) asked(customer string, now time.Time) {
	k := i.confirmation(customer)
	if k == nil || !k.Asked.IsZero() {
		return
	}
	k.Asked = now
	const late = time.Hour
	if now.Sub(k.Clock.Started) > late {
		k.Clock.Restart(now, k.Clock.Promised())
		i.computeClocks(now)
	}
}

// settleConfirmations ends the waiting for answers that have not come. A customer that nobody has asked is waited for anew, and
// whoever was to ask is reminded.
func (i *Incident) settleConfirmations(now time.Time) {
	if i.Status != Resolved {
		return
	}
	for n := range i.Confirmations {
		k := &i.Confirmations[n]
		if k.over() || k.Clock.Due.IsZero() || now.Before(k.Clock.Due) {
			continue
		}
		if k.Asked.IsZero() {
			k.Clock.Restart(now, k.Clock.Promised())
			i.computeClocks(now)
			i.remindToAsk(k.Clock.Customer, now)
			continue
		}
		k.Lapsed = true
		k.Clock.EndedAt = now
		i.record(now, timeline.FixUnanswered, timeline.Muster(), timeline.F("customer", i.customerName(k.Clock.Customer)))
	}
}

func (i *Incident) remindToAsk(customer string, now time.Time) {
	i.begin(Send{
		Work: Remind, About: AboutResolved, Customer: customer, Role: CommunicationsManager, Targets: i.standsFor(CommunicationsManager),
	}, now)
}

// closes tells whether a resolved incident has nothing more to wait for, and why it closes then: the result reports that were
// promised are delivered, every customer has heard that it is over, all that are asked have answered or had their time, and for the
// others the time for reopening is over.
func (i *Incident) closes(now time.Time) (cause string, yes bool) {
	if i.owesResults() {
		return "", false
	}
	cause = "not-reopened"
	for n := range i.Confirmations {
		switch k := &i.Confirmations[n]; {
		case !k.over():
			return "", false
		case k.Lapsed:
			cause = "unanswered"
		case cause != "unanswered":
			cause = "fixed"
		}
	}
	return cause, len(i.unclear()) == 0 && (i.asksAll() || !now.Before(i.reopenUntil()))
}

// closesDue is when closes may have something else to say although nothing happens, zero when it depends on people.
func (i *Incident) closesDue() (next time.Time) {
	waits := i.owesResults()
	for n := range i.Confirmations {
		k := &i.Confirmations[n]
		waits = waits || !k.over()
		if !k.over() && !k.Clock.Due.IsZero() && (next.IsZero() || k.Clock.Due.Before(next)) {
			next = k.Clock.Due
		}
	}
	if waits || i.asksAll() || len(i.unclear()) > 0 {
		return next
	}
	return i.reopenUntil()
}

// asksAll tells whether every customer is asked, and there is one.
func (i *Incident) asksAll() bool {
	return len(i.Confirmations) > 0 && len(i.Confirmations) == len(i.Definition.Customers)
}

// reopenUntil is how long a resolved incident can be reopened where nobody is asked.
func (i *Incident) reopenUntil() time.Time { return i.resolvedAt().Add(i.Definition.ReopenWithin) }

// resolvedAt is when the incident came to be resolved here, whatever somebody has said since of when it really was.
func (i *Incident) resolvedAt() time.Time {
	if i.Settled.IsZero() { // in states from before there was a difference
		return i.Times.Resolved
	}
	return i.Settled
}

// tellUnanswered says to the customers that have not answered that it is closed. Where only people write, they are asked to.
func (i *Incident) tellUnanswered(now time.Time) {
	for n := range i.Confirmations {
		k := &i.Confirmations[n]
		if !k.Lapsed {
			continue
		}
		s := Send{Work: CloseCustomer, Customer: k.Clock.Customer}
		if !i.writesItself(k.Clock.Customer) {
			s.Work, s.About, s.Role, s.Targets = Remind, AboutClosed, CommunicationsManager, i.standsFor(CommunicationsManager)
		}
		i.begin(s, now)
	}
}

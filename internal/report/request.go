package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/request"
	"muster/internal/supportplan"
)

// asking is what a text on a customer's request sees. What a customer reads has nothing of the house's own.
type asking struct {
	About        string `text:"code"`
	To           string // name of whoever reads it
	ID           string
	Customer     string
	Organisation string
	Plan         string
	Subject      string // name of the feature, or of the kind of request
	Channel      string `text:"code"`
	Number       string // by which whoever took it knows it
	Recorder     string // for the house
	Zone         string

	Status   string    `text:"code"`
	Outcome  string    `text:"code"`
	Reasons  []string  `text:"line"`
	Offers   []string  `text:"line"`
	Limits   []string  `text:"line"`
	Target   string    `text:"code"` // what is promised first
	Due      time.Time // and until when; zero: nothing is, or nobody can say
	Missed   bool      // it was not kept
	Received time.Time
	Text     string   `text:"prose"` // of the customer
	Words    string   `text:"prose"` // of whoever has decided or answered
	Offer    string   `text:"prose"` // of whoever has declined it
	Begun    string   `text:"code"`  // with whom an issue began of which the customer is told
	Owner    bool     // whoever reads it works on it
	Vendor   string   // that was asked
	Ref      string   // by which it knows that
	Needs    []string `text:"line"` // what engineering has to know
	Days     int      // working days in which the customer may say that an answer is not enough; 0: it counts at once
	Best     int      // score
}

// requestKey names the text for a message on a request.
func requestKey(a request.About) string {
	if a == request.AtRisk || a == request.Missed {
		a = "due"
	}
	if slices.Contains(inWork(), a) {
		a = "work"
	}
	return string(delivery.Request) + "." + string(a)
}

// inWork are the messages to whoever works on a request, which share a text.
func inWork() []request.About {
	return []request.About{request.Handed, request.Objected, request.ChaseDue}
}

// requestKeys lists the messages on requests.
func requestKeys() (keys []string) {
	for _, a := range request.Abouts() {
		if key := requestKey(a); !slices.Contains(keys, key) { // some share one
			keys = append(keys, key)
		}
	}
	return keys
}

// requestWords lists the words that requests need.
func requestWords(add func(axis, value string)) {
	for _, s := range request.Statuses() {
		add("request-status", string(s))
	}
	for _, b := range request.Begins() {
		add("request-begun", string(b))
	}
	for _, a := range inWork() {
		add("request-work", string(a))
	}
	for _, deed := range []string{"approve", "decline"} {
		add("request-deed", deed)
	}
}

// Request writes one message on a customer's request for one recipient. With an error comes a message of the bare facts that
// can be sent all the same.
func (t *Texts) Request(telling request.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Request, Language: l.code, Status: string(telling.Status)}
	w, err := l.messages[requestKey(telling.About)].write(t.seenAsking(l, &telling, to))
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s", l.word("message", string(m.Kind)), telling.Terms.ID))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", requestKey(telling.About), l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

func (t *Texts) seenAsking(l *language, x *request.Telling, to delivery.Recipient) *asking {
	terms := &x.Terms
	d := asking{
		About: string(x.About), Begun: string(terms.Begun), Owner: x.Person != "" && x.Person == to.ID,
		To: to.Name, ID: string(terms.ID), Customer: terms.CustomerName, Organisation: terms.Organisation, Plan: terms.Plan,
		Subject: t.RequestSubject(terms, l.code), Channel: string(terms.Channel), Number: terms.Number, Zone: cmp.Or(to.Zone, terms.Zone),
		Status: string(x.Status), Outcome: string(x.Verdict.Outcome), Target: string(x.Target), Due: x.Due, Missed: x.About == request.Missed,
		Received: terms.Received, Text: terms.Text, Words: x.Words, Offer: x.Offer,
	}
	if !x.About.Outside() {
		d.Recorder = terms.Recorder.Shown()
	} else if x.About == request.Decided && x.Status == request.Accepted {
		d.Words = "" // why it was approved is the house's own
	}
	if c := terms.Confirm; c != nil {
		d.Days, d.Best = c.Days, request.MaxScore
	}
	if x.Case != nil {
		d.Vendor, d.Ref = x.Case.Shown(), x.Case.Ref
	}
	if x.About == request.Arrived {
		for _, n := range terms.Needs {
			d.Needs = append(d.Needs, n.ID+": "+n.Name.In(l.code))
		}
	}
	for _, r := range x.Verdict.Reasons {
		d.Reasons = append(d.Reasons, t.Reason(r, l.code, d.Zone))
	}
	for _, o := range x.Verdict.Offers {
		d.Offers = append(d.Offers, t.Offer(o, terms.Entitlement.Table, l.code, d.Zone))
	}
	for _, limit := range x.Verdict.Limits {
		d.Limits = append(d.Limits, t.Limit(limit, l.code))
	}
	return clean(&d)
}

// RequestSubject returns what a request is about: the name of its feature, or of its kind.
func (t *Texts) RequestSubject(terms *request.Terms, language string) string {
	if f, known := terms.Entitlement.Table.Feature(terms.Feature); known {
		return f.Name.In(t.in(language).code)
	}
	return t.RequestKind(terms.Subject(), language)
}

// RequestStatus returns where a request stands.
func (t *Texts) RequestStatus(s request.Status, language string) string {
	return t.in(language).word("request-status", string(s))
}

// Limit returns where a service ends, and what is left to the customer.
func (t *Texts) Limit(x supportplan.Limit, language string) string {
	l := t.in(language)
	said := x.Item.In(l.code) + ": " + x.Note.In(l.code)
	if x.Customer != "" {
		said += " (" + l.word("burden", string(x.Customer)) + ")"
	}
	return said
}

// RequestBegun returns with whom an issue began of which the customer is told.
func (t *Texts) RequestBegun(b request.Begun, language string) string {
	return t.in(language).word("request-begun", string(b))
}

package report

import (
	"cmp"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
)

// inside is what a text for the house sees of a message to be written.
type inside struct {
	To       string // name of whoever reads it
	ID       string // of the incident
	Previous string // of the incident before with the same alerts
	Title    string `text:"line"`
	Service  string
	Zone     string // IANA zone for instants

	Status   string `text:"code"`
	Priority string `text:"code"`
	Impact   string `text:"code"`
	Urgency  string `text:"code"`

	Started, Alerted, Engaged, Mitigation, Resolved time.Time

	Customers []string // names
	Firing    int
	Distinct  int
	Alerts    []string // names of the first few that fire
	Responder string
	Promises  []due
	Links     []link

	Mitigations []mitigation // of a page: what whoever gets it may do at once

	Step     int    // of a page; 0: last resort
	Round    int    // of a page
	Wanted   int    // of a page: how many people must acknowledge, if more than one
	Acked    int    // and how many have
	Why      string `text:"line"` // of a page: "schedule:primary"
	Role     string `text:"code"`
	Customer string
	Target   string    `text:"code"`
	Due      time.Time // the instant that the message is about

	CustomerID string `text:"code"` // as commands name the customer
	MayPause   bool   // the promise may stand still
	PauseFor   string `text:"code"`  // for instance for this cause
	Text       string `text:"prose"` // what a person wrote
	Author     string
}

// due is a running promise.
type due struct {
	Customer string
	Target   string `text:"code"`
	At       time.Time
	Begins   time.Time // when its calendar opens, if it was closed at the start
}

// mitigation has been approved beforehand.
type mitigation struct {
	Name string `text:"line"`
	Text string `text:"prose"`
}

// link leads to a runbook or a dashboard.
type link struct {
	Name string
	URL  string `text:"link"`
}

// outside is what a text for a customer or a vendor sees: nothing that is the house's own, whatever the text asks for.
type outside struct {
	To       string
	ID       string
	Customer string
	Service  string
	Zone     string

	Status   string `text:"code"`
	Priority string `text:"code"`
	Impact   string `text:"code"`

	Started, Mitigation, Resolved time.Time
	Lasted                        time.Duration // from start to resolution; 0 while it lasts
	Reopened                      bool          // the update says that it is not over

	Next time.Time // when the next update follows
	Text string    `text:"prose"` // what a person wrote; empty when the engine writes
}

// Message writes one message for one recipient. A text that cannot be written must not hold up a page: with the error
// comes a message of the bare facts that can be sent all the same.
func (t *Texts) Message(telling incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	f := &telling.Facts
	m := delivery.Message{
		Kind: telling.Kind, Language: l.code, Incident: string(f.ID), Status: string(f.Status), Service: line(f.Service),
	}
	if f.Priority.Valid() {
		m.Priority = f.Priority.String()
	}
	k := key(telling.Kind, telling.About)
	text, known := l.messages[k]
	var err error
	var w written
	switch {
	case !known:
		err = fmt.Errorf("no text %q", k)
	case forOthers(k):
		w, err = text.write(seenOutside(&telling, to))
	default:
		w, err = text.write(l.seenInside(&telling, to))
	}
	if err != nil {
		m.Subject = line(fmt.Sprintf("[%s] %s: %s (%s)", m.Priority, l.word("message", string(m.Kind)), m.Service, m.Incident))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", k, l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	if telling.Kind == delivery.Page {
		m.Offer = delivery.OfferOfPage(l.word("offer", string(delivery.Page)), string(f.ID), f.Title, f.Service)
	}
	return m, nil
}

// maxSubject bounds a subject, in characters.
const maxSubject = 250

// written is a message's words.
type written struct{ subject, text string }

func (m message) write(data any) (written, error) {
	subject, err := run(m.subject, data, messageLimits())
	if err != nil {
		return written{}, err
	}
	text, err := run(m.text, data, messageLimits())
	return written{abbrev(maxSubject, line(subject)), text}, err
}

func (l *language) seenInside(t *incident.Telling, to delivery.Recipient) *inside {
	f := &t.Facts
	d := inside{
		To: to.Name, ID: string(f.ID), Previous: string(f.Previous), Title: f.Title, Service: f.Service, Zone: cmp.Or(to.Zone, f.Zone),
		Status: string(f.Status), Priority: code(f.Priority), Impact: string(f.Impact), Urgency: string(f.Urgency),
		Started: f.Times.Started, Alerted: f.Times.Alerted, Engaged: f.Times.Engaged, Mitigation: f.Times.Mitigation,
		Resolved: f.Times.Resolved, Customers: few(10, f.Customers), Firing: f.Firing, Distinct: f.Distinct,
		Alerts: few(10, f.Alerts), Responder: f.Responder, Step: t.Step, Round: t.Round, Wanted: t.Wanted, Acked: t.Acked, Why: t.Why,
		Role: string(t.Role), Customer: t.Customer, CustomerID: t.CustomerID, MayPause: t.MayPause, PauseFor: string(t.PauseFor), Target: t.Target, Due: t.Due, Text: t.Text,
	}
	for _, c := range f.Clocks[:min(len(f.Clocks), 10)] {
		d.Promises = append(d.Promises, due{c.Customer, string(c.Target), c.Due, c.Begins})
	}
	for _, x := range f.Links[:min(len(f.Links), 10)] {
		d.Links = append(d.Links, link{l.link(x), x.URL})
	}
	for _, x := range t.Mitigations[:min(len(t.Mitigations), 10)] {
		d.Mitigations = append(d.Mitigations, mitigation{x.Name, x.Text})
	}
	if t.Author != nil {
		d.Author = t.Author.Shown()
	}
	return clean(&d)
}

func seenOutside(t *incident.Telling, to delivery.Recipient) *outside {
	f := &t.Facts
	d := outside{
		To: to.Name, ID: string(f.ID), Customer: t.Customer, Service: f.Service, Zone: cmp.Or(to.Zone, f.Zone), Status: string(f.Status),
		Priority: code(f.Priority), Impact: string(f.Impact), Started: f.Times.Started, Mitigation: f.Times.Mitigation,
		Resolved: f.Times.Resolved, Reopened: t.About == incident.AboutReopened, Next: t.Due, Text: t.Text,
	}
	if !d.Resolved.IsZero() {
		d.Lasted = d.Resolved.Sub(d.Started)
	}
	return clean(&d)
}

// code is a priority as texts look it up, empty when there is none.
func code(p priority.Priority) string {
	if !p.Valid() {
		return ""
	}
	return p.String()
}

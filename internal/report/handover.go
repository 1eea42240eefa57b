package report

import (
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/handover"
)

// passing is what a text on a hand-over sees.
type passing struct {
	To         string // name of whoever reads it
	Schedule   string // ID
	Outgoing   string
	Incoming   string
	IncomingID string `text:"code"`
	Again      bool   // it was asked before
	Round      int    // of the escalation
	Zone       string

	Status    string `text:"code"`
	EndedBy   string
	InsteadOf string
	Words     string `text:"prose"` // of whoever has ended it
	Note      string `text:"prose"` // of the outgoing person
	Due, Ends time.Time

	Items  []passed
	Unseen int // open incidents that are not among the items
}

// passed is an incident that goes over.
type passed struct {
	ID       string
	Title    string `text:"line"`
	Service  string
	Status   string   `text:"code"`
	Priority string   `text:"code"`
	Roles    []string `text:"code"`
	Promises []due    // the next ones
	Paused   []due    // those whose time stands still
	Quiet    time.Time
}

// handoverKey names the text for a message on a hand-over.
func handoverKey(a handover.About) string {
	if a == handover.Again {
		a = handover.Asked
	}
	return string(delivery.Handover) + "." + string(a)
}

// Handover writes one message on a hand-over for one recipient. With an error comes a message of the bare facts that can be
// sent all the same.
func (t *Texts) Handover(telling handover.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	terms := &telling.Terms
	m := delivery.Message{Kind: delivery.Handover, Language: l.code, Status: string(telling.Status)}
	w, err := l.messages[handoverKey(telling.About)].write(seenPassing(&telling, to))
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s: %s → %s", l.word("message", string(m.Kind)), terms.Schedule, terms.Outgoing.Shown(), terms.Incoming.Shown()))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", handoverKey(telling.About), l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

func seenPassing(t *handover.Telling, to delivery.Recipient) *passing {
	terms := &t.Terms
	d := passing{
		To: to.Name, Schedule: terms.Schedule, Outgoing: terms.Outgoing.Shown(), Incoming: terms.Incoming.Shown(), IncomingID: terms.Incoming.ID,
		Again: t.About == handover.Again, Round: t.Round, Zone: terms.Zone, Status: string(t.Status), EndedBy: t.EndedBy,
		InsteadOf: t.InsteadOf, Words: t.Words, Note: terms.Note, Due: t.Due, Ends: t.Ends, Unseen: terms.Unseen,
	}
	for _, i := range terms.Items {
		p := passed{
			ID: string(i.Incident), Title: i.Title, Service: i.Service, Status: string(i.Status), Priority: code(i.Priority), Quiet: i.Quiet,
		}
		for _, r := range i.Roles {
			p.Roles = append(p.Roles, string(r))
		}
		for _, next := range []*handover.Promise{i.Next, i.Update} {
			if next != nil {
				p.Promises = append(p.Promises, due{Customer: next.Customer, Target: string(next.Target), At: next.Due})
			}
		}
		for _, paused := range i.Paused[:min(len(i.Paused), 10)] {
			p.Paused = append(p.Paused, due{Customer: paused.Customer, Target: string(paused.Target)})
		}
		d.Items = append(d.Items, p)
	}
	return clean(&d)
}

package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/silence"
)

// heldBack is what a text on a silence sees.
type heldBack struct {
	ID     string
	Title  string `text:"line"`
	Window string // its ID in the folder; empty where a person has made it
	Own    bool   // whoever reads it has made it
	By     string
	Match  string `text:"line"`
	Reason string `text:"prose"`
	Zone   string

	From, Until, Ended time.Time
	Why                string `text:"code"`
	EndedBy            string
	Words              string `text:"prose"`

	Count, Firing, More int
	Held                []heldAlerts
	Further             int // names that are not listed
}

// heldAlerts are the alerts of one name.
type heldAlerts struct {
	Name, Service string `text:"line"`
	Summary       string `text:"line"`
	Count, Firing int
	First, Last   time.Time
	Incidents     []incident.ID
}

// mostListed is how many names a message lists; muster silence show has all.
const mostListed = 20

// silenceWords lists the words that silences need.
func silenceWords(add func(axis, value string)) {
	for _, s := range silence.Statuses() {
		add("silence-status", string(s))
	}
	for _, w := range silence.Whys() {
		add("silence-end", string(w))
	}
}

// loadSilenceMessage reads the message on what was held back, and tries it.
func (l *language) loadSilenceMessage(fsys fs.FS) error {
	file := "notifications/silence." + l.code + ".tmpl"
	t, err := l.parse(fsys, file)
	if err != nil {
		return err
	}
	m := message{subject: t.Lookup("subject"), text: t.Lookup("text")}
	if m.subject == nil || m.text == nil {
		return fmt.Errorf(`%s: want it to define "subject" and "text"`, file)
	}
	l.messages[string(delivery.Silence)] = m
	for _, data := range []heldBack{{}, filled[heldBack]()} {
		if _, failed := m.try(&data); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// Silence writes for one recipient what a silence has held back. With an error comes a message of the bare facts that can be sent all
// the same.
func (t *Texts) Silence(told silence.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Silence, Language: l.code, Status: string(silence.Ended)}
	w, err := l.messages[string(delivery.Silence)].write(l.seenHeld(&told, to))
	if err != nil {
		count, firing := silence.Counts(told.Held)
		m.Subject = line(fmt.Sprintf("%s: %d alerts held back, %d still firing: %s", told.Terms.ID, count+told.More, firing, told.Terms.Title()))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", delivery.Silence, l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

func (l *language) seenHeld(x *silence.Telling, to delivery.Recipient) *heldBack {
	terms := &x.Terms
	count, firing := silence.Counts(x.Held)
	seen := &heldBack{
		ID: string(terms.ID), Title: terms.Title(), Window: terms.Window, Own: to.ID == terms.By.ID, By: terms.By.Shown(), Match: terms.Match.String(),
		Reason: terms.Reason, Zone: cmp.Or(to.Zone, terms.Zone), From: terms.From, Until: terms.Until, Ended: x.Ended, Why: string(x.Why),
		EndedBy: x.EndedBy.Shown(), Words: x.Words, Count: count + x.More, Firing: firing + x.Rest, More: x.More, Further: max(0, len(x.Held)-mostListed),
	}
	for _, h := range x.Held[:min(len(x.Held), mostListed)] {
		seen.Held = append(seen.Held, heldAlerts{
			Name: h.Name, Service: cmp.Or(h.ServiceName, h.Service), Summary: h.Summary, Count: h.Count, Firing: h.Firing, First: h.First, Last: h.Last,
			Incidents: h.Incidents,
		})
	}
	return clean(seen)
}

// SilenceStatus returns where a silence stands.
func (t *Texts) SilenceStatus(s silence.Status, language string) string {
	return t.in(language).word("silence-status", string(s))
}

// SilenceEnd returns what has ended a silence.
func (t *Texts) SilenceEnd(w silence.Why, language string) string {
	return t.in(language).word("silence-end", string(w))
}

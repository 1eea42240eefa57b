package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/planrun"
)

// changing is what a message on a change sees.
type changing struct {
	About     string `text:"code"`
	ID        string
	Way       string `text:"code"`
	Kind      string `text:"code"`
	Title     string `text:"line"`
	Services  string
	Customers string
	Requester string
	Class     string
	Zone      string
	Status    string `text:"code"`
	From      time.Time
	Until     time.Time
	Due       time.Time
	Reason    string `text:"prose"`
	Check     string
	Text      string `text:"line"`
	Incident  string
	Standard  string
	Exception string `text:"code"`
	Run       string
	Since     time.Time
	Round     int
	Shown     string
}

// changeKey names the text for a message on a change.
func changeKey(a change.About) string { return string(delivery.Change) + "." + string(a) }

// loadChangeMessages reads the messages on changes, which share one file for each language, and tries them.
func (l *language) loadChangeMessages(fsys fs.FS) error {
	t, err := l.parse(fsys, "notifications/change."+l.code+".tmpl")
	if err != nil {
		return err
	}
	var faults []error
	for _, a := range change.Abouts() {
		m := message{subject: t.Lookup("subject"), text: t.Lookup(string(a))}
		if m.subject == nil || m.text == nil {
			faults = append(faults, fmt.Errorf(`%s: want it to define "subject" and %q`, t.Name(), a))
			continue
		}
		l.messages[changeKey(a)] = m
		for _, data := range []changing{{}, filled[changing]()} {
			data.About = string(a)
			if _, err := m.write(&data); err != nil {
				faults = append(faults, err)
				break
			}
		}
	}
	return errors.Join(faults...)
}

// changeWords lists the words that changes need.
func changeWords(add func(axis, value string)) {
	for _, s := range change.Statuses() {
		add("change-status", string(s))
	}
	for _, k := range change.Kinds() {
		add("change-kind", string(k))
	}
	for _, w := range append(change.Ways(), change.Unapproved) {
		add("change-way", string(w))
	}
	for _, a := range change.Abouts() {
		add("change-message", string(a))
	}
	for _, d := range change.Deeds() {
		add("change-deed", d)
	}
	for _, h := range planrun.Endings() {
		add("change-how", string(h))
	}
	add("change-check", "yes")
	add("change-check", "no")
	for _, m := range []change.Missed{change.TooLate, change.Refused} {
		add("change-exception", string(m))
	}
}

// Change writes one message on a change for one recipient. With an error comes a message of the bare facts that can be sent all the same.
func (t *Texts) Change(x change.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Change, Language: l.code, Status: string(x.Status), Service: x.Services}
	text, known := l.messages[changeKey(x.About)]
	err := fmt.Errorf("no text %q", changeKey(x.About))
	var w written
	if known {
		w, err = text.write(clean(&changing{
			About: string(x.About), ID: string(x.ID), Way: string(x.Way), Kind: string(x.Kind), Title: x.Title, Services: x.Services, Customers: x.Customers,
			Requester: x.Requester, Class: x.Class, Zone: cmp.Or(to.Zone, x.Zone), Status: string(x.Status), From: x.From, Until: x.Until, Due: x.Due,
			Reason: x.Reason, Check: x.Check, Text: x.Text, Incident: x.Incident, Standard: x.Standard, Exception: string(x.Exception), Run: x.Run,
			Since: x.Since, Round: x.Round, Shown: x.Shown,
		}))
	}
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s: %s", x.ID, l.word("change-message", string(x.About)), x.Title))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", changeKey(x.About), l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

// ChangeStatus returns where a change stands.
func (t *Texts) ChangeStatus(s change.Status, language string) string {
	return t.in(language).word("change-status", string(s))
}

// ChangeKind returns what is asked for.
func (t *Texts) ChangeKind(k change.Kind, language string) string {
	return t.in(language).word("change-kind", string(k))
}

// ChangeWay returns how a change comes to be approved, or that an emergency was not.
func (t *Texts) ChangeWay(listed, language string) string {
	return t.in(language).word("change-way", listed)
}

// ChangeException returns why an emergency is an exception.
func (t *Texts) ChangeException(m change.Missed, language string) string {
	return t.in(language).word("change-exception", string(m))
}

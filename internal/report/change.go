package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/plan"
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
	Plan      string // of which a completed run shows that the check holds
	Incident  string
	Standard  string
	Exception string `text:"code"`
	Run       string
	Since     time.Time
	Round     int
	Shown     string
}

// loadChangeMessages reads the messages on changes.
func (l *language) loadChangeMessages(fsys fs.FS) error {
	return errors.Join(
		loadAbouts(l, fsys, delivery.Change, change.Abouts(), func(x *changing) *string { return &x.About }),
		loadAbouts(l, fsys, delivery.ChangeNotice, change.Notices(), func(x *noticed) *string { return &x.About }),
	)
}

// noticed is what a notice of a change sees.
type noticed struct {
	About    string `text:"code"`
	ID       string
	Title    string `text:"line"`
	Services string
	Customer string // whose contact reads it; empty: an owner of a service that needs one of these
	Zone     string
	Status   string `text:"code"`
	From     time.Time
	Until    time.Time
	Effect   string `text:"prose"`
	Action   string `text:"prose"`
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
	for _, a := range change.Notices() {
		add("change-notice", string(a))
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
	bare := fmt.Sprintf("%s: %s: %s", x.ID, l.word("change-message", string(x.About)), x.Title)
	return l.fill(m, aboutKey(delivery.Change, x.About), bare, clean(&changing{
		About: string(x.About), ID: string(x.ID), Way: string(x.Way), Kind: string(x.Kind), Title: x.Title, Services: x.Services, Customers: x.Customers,
		Requester: x.Requester, Class: x.Class, Zone: cmp.Or(to.Zone, x.Zone), Status: string(x.Status), From: x.From, Until: x.Until, Due: x.Due,
		Reason: x.Reason, Check: x.Check, Text: x.Text, Plan: x.Plan, Incident: x.Incident, Standard: x.Standard, Exception: string(x.Exception), Run: x.Run,
		Since: x.Since, Round: x.Round, Shown: x.Shown,
	}))
}

// ChangeNotice writes one notice of a change for one recipient, with what customers notice of it in their language, where somebody has
// written it in that. With an error comes a message of the bare facts that can be sent all the same.
func (t *Texts) ChangeNotice(x change.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.ChangeNotice, Language: l.code, Status: string(x.About), Service: x.Services}
	bare := fmt.Sprintf("%s: %s: %s", x.ID, l.word("change-notice", string(x.About)), x.Title)
	in := func(text plan.Text) string { return cmp.Or(text.In(l.code), text.En, text.Ko) }
	n := &noticed{
		About: string(x.About), ID: string(x.ID), Title: x.Title, Services: x.Services, Zone: cmp.Or(to.Zone, x.Zone), Status: string(x.Status),
		From: x.From, Until: x.Until, Effect: in(x.Effect), Action: in(x.Action),
	}
	if x.Customer != "" {
		n.Customer = x.Customers
	}
	return l.fill(m, aboutKey(delivery.ChangeNotice, x.About), bare, clean(n))
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

package report

import (
	"cmp"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
)

// acting is what a text on an action item sees.
type acting struct {
	About     string `text:"code"`
	Mine      bool   // whoever reads it owns it
	Ownerless bool   // whoever owns it could not be found

	ID       string
	Title    string `text:"line"`
	Kind     string `text:"code"`
	Priority string
	Status   string `text:"code"`
	Owner    string
	Group    string
	Due      time.Time
	Zone     string
	Origin   string
	Service  string
	Customer string
	Ticket   string
	Text     string `text:"prose"`

	Round    int // of reminders that it is late
	Rounds   int
	Since    time.Time
	By       string
	Words    string `text:"prose"`
	Evidence string
	SHA256   string `text:"code"`
}

// actionWords lists the words that action items need.
func actionWords(add func(axis, value string)) {
	for _, s := range action.Statuses() {
		add("action-status", string(s))
	}
	add("action-status", action.Overdue)
	for _, k := range action.Kinds() {
		add("action-kind", string(k))
	}
	for _, a := range action.Abouts() {
		add("action-message", string(a))
	}
	for _, k := range action.OriginKinds() {
		add("action-origin", string(k))
	}
	for _, s := range action.Shelves() {
		add("action-proposal", string(s))
	}
	for _, w := range action.Whys() {
		add("item-why", w)
	}
	for _, d := range []string{"verify", "check", "extend", "cancel"} {
		add("item", d)
	}
}

// loadActionMessages reads the messages on action items.
func (l *language) loadActionMessages(fsys fs.FS) error {
	return loadAbouts(l, fsys, delivery.Action, action.Abouts(), func(x *acting) *string { return &x.About })
}

// Action writes one message on an action item for one recipient. With an error comes a message of the bare facts that can be sent
// all the same.
func (t *Texts) Action(telling action.Telling, ownerless bool, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{
		Kind: delivery.Action, Language: l.code, Priority: telling.Terms.Priority.String(), Status: string(telling.Status), Service: telling.Terms.ServiceName,
	}
	bare := fmt.Sprintf("%s: %s: %s", telling.Terms.ID, l.word("action-message", string(telling.About)), telling.Terms.Title)
	return l.fill(m, aboutKey(delivery.Action, telling.About), bare, l.seenActing(&telling, ownerless, to))
}

func (l *language) seenActing(x *action.Telling, ownerless bool, to delivery.Recipient) *acting {
	terms := &x.Terms
	d := acting{
		About: string(x.About), Mine: to.ID == terms.Owner, Ownerless: ownerless, ID: string(terms.ID), Title: terms.Title,
		Kind: string(terms.Kind), Priority: terms.Priority.String(), Status: string(x.Status), Owner: terms.OwnerName, Group: terms.GroupShown(),
		Due: terms.Due, Zone: cmp.Or(to.Zone, terms.Zone), Service: cmp.Or(terms.ServiceName, terms.Origin.Service),
		Customer: cmp.Or(terms.CustomerName, terms.Origin.Customer), Ticket: terms.Ticket, Text: terms.Text,
		Round: x.Round, Rounds: x.Rounds, Since: x.Since, By: x.By.Shown(), Words: x.Words,
	}
	if terms.Origin.Kind != "" {
		d.Origin = l.word("action-origin", string(terms.Origin.Kind)) + " " + terms.Origin.ID
	}
	if x.Done != nil {
		d.Evidence, d.SHA256 = x.Done.Ref, x.Done.SHA256
	}
	return clean(&d)
}

// ActionStatus returns where an action item stands, as lists call it.
func (t *Texts) ActionStatus(listed, language string) string {
	return t.in(language).word("action-status", listed)
}

// ActionKind returns what an action item is good for.
func (t *Texts) ActionKind(k action.Kind, language string) string {
	return t.in(language).word("action-kind", string(k))
}

// ActionOrigin returns what an action item came of; empty where nothing is named.
func (t *Texts) ActionOrigin(o action.Origin, language string) string {
	if o.Kind == "" {
		return ""
	}
	return t.in(language).word("action-origin", string(o.Kind)) + " " + o.ID
}

// ActionProposal returns where in the organisation folder something is proposed.
func (t *Texts) ActionProposal(s action.Shelf, language string) string {
	return t.in(language).word("action-proposal", string(s))
}

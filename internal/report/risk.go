package report

import (
	"cmp"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/delivery"
	"muster/internal/risk"
)

// escalated is what a text on an escalation sees.
type escalated struct {
	About string `text:"code"`
	Mine  bool   // whoever reads it has escalated it
	Gone  bool   // the originator could not be found

	ID         string
	Title      string `text:"line"`
	Status     string `text:"code"`
	Priority   string
	Originator string
	Service    string
	Zone       string
	Level      int
	Levels     int
	Why        string `text:"code"`
	Taker      string
	Deadline   time.Time
	By         string
	Words      string `text:"prose"`

	Situation  string `text:"prose"`
	Importance string `text:"prose"`
	Affected   string `text:"prose"`
	Scale      string `text:"prose"`
	Urgency    string `text:"prose"`
	Remedy     string `text:"prose"`
}

// riskWords lists the words that escalations need.
func riskWords(add func(axis, value string)) {
	for _, s := range risk.Statuses() {
		add("risk-status", string(s))
	}
	for _, a := range risk.Abouts() {
		add("risk-message", string(a))
	}
	for _, w := range risk.Leaving() {
		add("risk-left", w)
	}
	for _, w := range risk.Whys() {
		add("risk-why", w)
	}
	for _, p := range (&risk.Asked{}).Parts() {
		add("risk-part", p.Name)
	}
	for _, d := range []string{"take", "answer", "confirm", "assign"} {
		add("risk-deed", d)
	}
}

// loadRiskMessages reads the messages on escalations.
func (l *language) loadRiskMessages(fsys fs.FS) error {
	return loadAbouts(l, fsys, delivery.Risk, risk.Abouts(), func(x *escalated) *string { return &x.About })
}

// Risk writes one message on an escalation for one recipient. With an error comes a message of the bare facts that can be sent all
// the same.
func (t *Texts) Risk(telling risk.Telling, gone bool, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{
		Kind: delivery.Risk, Language: l.code, Priority: telling.Terms.Priority.String(), Status: string(telling.Status), Service: telling.Terms.ServiceName,
	}
	bare := fmt.Sprintf("%s: %s: %s", telling.Terms.ID, l.word("risk-message", string(telling.About)), telling.Terms.Title())
	return l.fill(m, aboutKey(delivery.Risk, telling.About), bare, l.seenEscalated(&telling, gone, to))
}

func (l *language) seenEscalated(x *risk.Telling, gone bool, to delivery.Recipient) *escalated {
	terms := &x.Terms
	return clean(&escalated{
		About: string(x.About), Mine: to.ID == terms.Originator.ID, Gone: gone, ID: string(terms.ID), Title: terms.Title(), Status: string(x.Status),
		Priority: terms.Priority.String(), Originator: terms.Originator.Shown(), Service: cmp.Or(terms.ServiceName, terms.Service),
		Zone: cmp.Or(to.Zone, terms.Zone), Level: x.Level, Levels: x.Levels, Why: x.Why, Taker: x.Taker.Shown(), Deadline: x.Deadline, By: x.By.Shown(),
		Words: x.Words, Situation: terms.Situation, Importance: terms.Importance, Affected: terms.Affected, Scale: terms.Scale, Urgency: terms.Urgency,
		Remedy: terms.Remedy,
	})
}

// RiskStatus returns where an escalation stands.
func (t *Texts) RiskStatus(s risk.Status, language string) string {
	return t.in(language).word("risk-status", string(s))
}

// RiskPart returns what one of the six parts of an escalation is called.
func (t *Texts) RiskPart(name, language string) string { return t.in(language).word("risk-part", name) }

package report

import (
	"cmp"
	"fmt"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/reach"
)

// contactItem names the text of an action item for a contact method that fails.
const contactItem = "contact-item"

// trying is what a text on a test page sees.
type trying struct {
	To           string // whom the contact method reaches
	Person       string `text:"code"` // their ID; empty: a channel
	Method       string `text:"code"`
	Organisation string

	Result string    `text:"code"` // of the test page
	Detail string    `text:"line"`
	At     time.Time // when it failed
	Zone   string
}

// contactKeys lists the texts on test pages.
func contactKeys() []string { return []string{string(delivery.Test), contactItem} }

// contactWords lists the words that test pages need.
func contactWords(add func(axis, value string)) {
	for _, r := range reach.Results() {
		add("reached", string(r))
	}
	for _, h := range reach.Helds() {
		add("cause", h)
	}
	add("contact", "mended")
}

// ContactTest writes a test page. With an error comes a message of the bare facts that can be sent all the same.
func (t *Texts) ContactTest(organisation, method string, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Test, Language: l.code}
	w, err := l.messages[string(m.Kind)].write(clean(&trying{To: to.Name, Method: method, Organisation: organisation}))
	if err != nil {
		m.Subject = line(fmt.Sprintf("[TEST] %s: %s", l.word("message", string(m.Kind)), method))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", m.Kind, l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

// ContactItem writes the title and the text of an action item for a contact method whose test page has not arrived.
func (t *Texts) ContactItem(p *reach.Page, test reach.Test, language, zone string) (title, text string, err error) {
	l := t.in(language)
	person := p.To.ID
	if p.To.Shared {
		person = ""
	}
	w, err := l.messages[contactItem].write(clean(&trying{
		To: p.To.Name, Person: person, Method: p.Method, Result: string(test.Result), Detail: test.Detail, At: test.At, Zone: cmp.Or(zone, "UTC"),
	}))
	if err != nil {
		return "", "", fmt.Errorf("write action item for contact method %s of %s in %s: %w", p.Method, p.To.ID, l.code, err)
	}
	return abbrev(action.MaxTitle/4, w.subject), abbrev(action.MaxText/4, w.text), nil // a character has at most 4 bytes
}

// ContactMended is what is noted in such an action item once a test page has arrived.
func (t *Texts) ContactMended(language string) string {
	return t.in(language).word("contact", "mended")
}

// Reached returns what has come of an attempt to reach somebody.
func (t *Texts) Reached(r reach.Result, language string) string {
	return t.in(language).word("reached", string(r))
}

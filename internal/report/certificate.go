package report

import (
	"fmt"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/supportplan"
)

// renewal is what a text on a customer's certificate sees.
type renewal struct {
	To      string    // name of whoever reads it
	Name    string    // of the certificate
	Expires time.Time // midnight of that day in UTC: it has no zone
	Left    int       // days; less than 0 when it has expired
}

// Certificate writes one reminder of a certificate, on a day, for the contact of the customer who has to renew it. With an
// error comes a message of the bare facts that can be sent all the same.
func (t *Texts) Certificate(c supportplan.Certificate, today calendar.Date, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Certificate, Language: l.code}
	w, err := l.messages[string(m.Kind)].write(clean(&renewal{
		To: to.Name, Name: c.Name, Expires: time.Unix(0, 0).UTC().AddDate(0, 0, int(c.Expires)), Left: int(c.Expires - today),
	}))
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s, %s", l.word("message", string(m.Kind)), c.Name, c.Expires))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", m.Kind, l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

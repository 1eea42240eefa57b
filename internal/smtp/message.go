package smtp

import (
	"crypto/sha256"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// compose writes e as a mail. Foreign text enters headers only as one encoded line or as a hash.
func (s *Sender) compose(e delivery.Envelope) (*mail.Msg, error) {
	from, err := s.configured()
	if err != nil {
		return nil, err
	}
	to, err := netmail.ParseAddress(e.Contact.Address)
	if err != nil { // the error would show the address
		return nil, errors.New("the contact's address is not a mail address such as park@example.com")
	}
	_, domain, _ := strings.Cut(from.Address, "@")

	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	m.ToMailAddress(&netmail.Address{Name: outbound.Line(e.Recipient.Name, 100), Address: to.Address})
	m.Subject(outbound.Line(e.Message.Subject, 250))
	m.SetDateWithValue(e.At.UTC())
	m.SetMessageIDWithValue(messageID("delivery", string(e.ID), domain))
	if e.Message.Incident != "" { // a root that was never sent: what refers to it forms one thread
		root := "<" + messageID("incident", e.Message.Incident, domain) + ">"
		m.SetGenHeader(mail.HeaderInReplyTo, root)
		m.SetGenHeader(mail.HeaderReferences, root)
	}
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("Muster-Delivery", outbound.Line(string(e.ID), 500))
	if e.Repeated {
		m.SetGenHeader("Muster-Possibly-Repeated", "yes")
	}
	m.SetBodyString(mail.TypeTextPlain, e.Message.Text)
	return m, nil
}

// messageID is the same for the same thing, whatever characters its id is made of.
func messageID(kind, id, domain string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%s.%x@%s", kind, sum[:16], domain) // short enough for one header line
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e })
}

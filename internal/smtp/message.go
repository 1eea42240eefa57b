package smtp

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"net/textproto"
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
	for _, a := range e.Attached {
		if err := attach(m, a); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// attach adds a document under its name, which is encoded as RFC 2231 wants it.
func attach(m *mail.Msg, a delivery.Attached) error {
	// Encoded, 70 characters of any script stay within one header line.
	name := strings.NewReplacer("/", "_", `\`, "_").Replace(outbound.Line(a.Name, 70))
	kind, parameters, err := mime.ParseMediaType(a.Type)
	if err != nil {
		return fmt.Errorf("attachment %s: %q is not a media type such as text/html; charset=utf-8", name, a.Type)
	}
	parameters["name"] = name
	header := textproto.MIMEHeader{
		"Content-Type":              {mime.FormatMediaType(kind, parameters)},
		"Content-Disposition":       {mime.FormatMediaType("attachment", map[string]string{"filename": name})},
		"Content-Transfer-Encoding": {string(mail.EncodingB64)},
	}
	m.AttachReadSeeker(name, bytes.NewReader(a.Content), func(f *mail.File) { f.Header = header })
	return nil
}

// messageID is the same for the same thing, whatever characters its id is made of.
func messageID(kind, id, domain string) string {
	sum := sha256.Sum256([]byte(id))
	return fmt.Sprintf("%s.%x@%s", kind, sum[:16], domain) // short enough for one header line
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e })
}

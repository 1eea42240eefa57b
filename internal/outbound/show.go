package outbound

import (
	"strings"
	"time"
	"unicode"

	"muster/internal/delivery"
)

// Delivery is a delivery as programs see it: the body of a webhook, a line in a file. Fields are added, never renamed.
type Delivery struct {
	Type             string           `json:"type"` // "delivery." and the message's kind, such as "delivery.page"
	ID               delivery.ID      `json:"id"`   // the same for every attempt: a receiver that knows it drops the repeat
	Attempt          int              `json:"attempt"`
	PossiblyRepeated bool             `json:"possibly_repeated"` // an earlier attempt may have arrived
	At               time.Time        `json:"at"`
	Recipient        Recipient        `json:"recipient"`
	Message          delivery.Message `json:"message"`
	Attachments      []Attachment     `json:"attachments,omitempty"`
}

// Attachment is a document that comes with a Delivery.
type Attachment struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	SHA256  string `json:"sha256"`            // hex, of the content
	Content []byte `json:"content,omitzero"`  // base64, where the document is sent along
	Omitted string `json:"omitted,omitempty"` // why it is not: "too large"
	Path    string `json:"path,omitempty"`    // where it lies, for programs on the same machine
}

// Recipient is who a Delivery is for, without the addresses.
type Recipient struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Language string `json:"language"`
}

// NewDelivery shows e without its contact's address and secret. Of its attachments it names what they are; the adapter adds
// their content or their place.
func NewDelivery(e delivery.Envelope) Delivery {
	var attachments []Attachment
	for _, a := range e.Attached {
		attachments = append(attachments, Attachment{Name: a.Name, Type: a.Type, SHA256: a.SHA256})
	}
	e.Message.Attachments = nil // they name places on our own shelf
	return Delivery{
		Type:             "delivery." + string(e.Message.Kind),
		ID:               e.ID,
		Attempt:          e.Attempt,
		PossiblyRepeated: e.Repeated,
		At:               e.At.UTC(),
		Recipient:        Recipient{ID: e.Recipient.ID, Name: e.Recipient.Name, Language: e.Recipient.Language},
		Message:          e.Message,
		Attachments:      attachments,
	}
}

// Line returns foreign text as one printable line of at most limit characters.
func Line(text string, limit int) string {
	runes := []rune(strings.Join(strings.Fields(Printable(text)), " "))
	if len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return string(runes)
}

// Printable returns foreign text with nothing in it that moves a cursor, reverses a reading direction or fakes another
// line: white space of every kind becomes a space, and other unprintable characters the replacement character.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return unicode.ReplacementChar
		}
	}, text)
}

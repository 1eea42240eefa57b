package twilio

import (
	"context"
	"net/url"
	"strings"
	"unicode/utf16"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// SMS sends each delivery as a text message.
type SMS struct {
	Account *Account
	From    string // number, name of a sender, or ID of a messaging service
}

// Send makes one attempt. A further one first looks for what the one before may have sent: the text, in which the incident or the link
// is its own, to the same number, since the send began.
func (s *SMS) Send(ctx context.Context, e delivery.Envelope) error {
	to, err := s.Account.addressed(e)
	if err != nil {
		return err
	}
	ctx, cancel := s.Account.limit(ctx)
	defer cancel()
	body := Text(e.Message)
	if e.Repeated {
		if found, err := s.find(ctx, e, to, body); found || err != nil {
			return err
		}
	}
	form := url.Values{"To": {to}, "Body": {body}, "From": {s.From}}
	if strings.HasPrefix(s.From, "MG") && len(s.From) > 11 {
		form = url.Values{"To": {to}, "Body": {body}, "MessagingServiceSid": {s.From}}
	}
	return s.Account.create(ctx, "Messages", "message", to, form)
}

// find looks for the message, and a moment later once more: what was just sent may not be in a list yet.
func (s *SMS) find(ctx context.Context, e delivery.Envelope, to, body string) (bool, error) {
	for again := false; ; again = true {
		var out struct {
			Messages *[]sent `json:"messages"`
		}
		all, err := s.Account.look(ctx, "/Messages.json", to, func() *[]sent { return out.Messages }, &out)
		if err != nil {
			return false, err
		}
		for _, m := range all { // an account on trial writes something in front of it
			if strings.HasSuffix(strings.TrimSpace(m.Body), body) && m.since(e.Since) && m.verdict("message") == nil {
				return true, nil
			}
		}
		if again || !s.Account.settles(ctx) {
			return false, nil
		}
	}
}

// Parts of a text message, by how many letters its longest ones may have: of three parts in the letters that all phones have, of five
// in any others, such as those of Korean.
const (
	mostCommon = 3 * 153
	mostOther  = 5 * 67
)

// Text is a message as short as a text message has to be: the subject, and where to act; without a link, the beginning of the text.
func Text(m delivery.Message) string {
	subject := outbound.Line(m.Subject, mostCommon)
	if m.URL != "" && length(m.URL) < mostOther-40 && outbound.Link(m.URL) != "" {
		return cut(subject, "\n"+m.URL)
	}
	return cut(subject+"\n"+outbound.Line(m.Text, mostCommon), "")
}

// cut is a text with something behind it, of which the text is cut so that both fit.
func cut(text, behind string) string {
	runes := []rune(strings.TrimSpace(text))
	for n := len(runes); ; n-- {
		shown := strings.TrimSpace(string(runes[:n]))
		if n < len(runes) {
			shown += "..." // a letter that all phones have
		}
		if fits(shown + behind) {
			return shown + behind
		}
	}
}

func fits(text string) bool {
	if common(text) {
		return length(text) <= mostCommon
	}
	return length(text) <= mostOther
}

// The letters of GSM 03.38 that ASCII has too; those outside need two places.
const twice = "[]{}\\^~|"

func common(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' || r == '`' || r < ' ' && r != '\n' })
}

// length is how much room a text needs.
func length(text string) int {
	n := len(utf16.Encode([]rune(text)))
	if common(text) {
		for _, r := range twice {
			n += strings.Count(text, string(r))
		}
	}
	return n
}

package twilio

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/link"
	"muster/internal/outbound"
	"muster/internal/twiml"
)

// Voice calls, and says each page. Whoever is called may acknowledge or escalate by a key, where the service can reach Muster.
type Voice struct {
	Account   *Account
	From      string // number
	PublicURL string // where Muster is reached from outside; empty: no key is asked for
}

// busy is how long a further attempt waits for a call that is being made.
const busy = 20 * time.Second

// Send makes one attempt. A call says nothing of what it is about to whoever looks for it, so a further attempt waits until none is
// being made to the number, and then calls again.
func (v *Voice) Send(ctx context.Context, e delivery.Envelope) error {
	if !e.Message.Kind.Pages() {
		return &delivery.Refusal{Detail: "a call is for pages alone"}
	}
	to, err := v.Account.addressed(e)
	if err != nil {
		return err
	}
	ctx, cancel := v.Account.limit(ctx)
	defer cancel()
	if e.Repeated {
		if err := v.underWay(ctx, e, to); err != nil {
			return err
		}
	}
	said := twiml.Page(e.Message.Language, twiml.Spoken(outbound.Line(e.Message.Subject, 400)), v.keys(e.Message))
	return v.Account.create(ctx, "Calls", "call", to, url.Values{"To": {to}, "From": {v.From}, "Twiml": {said}})
}

// keys is the URL to which a key is sent: with the token of the link that the message has.
func (v *Voice) keys(m delivery.Message) string {
	base := strings.TrimRight(v.PublicURL, "/")
	token, ok := strings.CutPrefix(m.URL, base+link.Path)
	if base == "" || !ok {
		return ""
	}
	return base + link.VoicePath + token
}

// underWay is an error while a call to a number is being made.
func (v *Voice) underWay(ctx context.Context, e delivery.Envelope, to string) error {
	var out struct {
		Calls *[]sent `json:"calls"`
	}
	all, err := v.Account.look(ctx, "/Calls.json", to, func() *[]sent { return out.Calls }, &out)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.since(e.Since) && slices.Contains([]string{"queued", "initiated", "ringing", "in-progress"}, c.Status) {
			return &delivery.Unavailable{Detail: "a call to this number is being made", After: busy}
		}
	}
	return nil
}

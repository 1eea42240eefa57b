// Package webhook posts deliveries and tickets as signed JSON to any program that listens, following Standard Webhooks
// 1.0.0. It receives nothing.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// Sender posts each delivery, as an outbound.Delivery, to its contact's URL.
type Sender struct {
	Client *outbound.Client
}

// maxAttached is how many bytes of documents one body carries: in base64 they are a third more.
const maxAttached = 2_000_000

// Send makes one attempt. Every attempt of a delivery carries the same webhook-id, which is the delivery's ID with full
// stops and what does not fit into a header percent-encoded, and its own webhook-timestamp: the clock at this attempt, not
// the envelope's, so that a receiver can refuse what is minutes old without refusing a page that waited an hour for it.
func (s *Sender) Send(ctx context.Context, e delivery.Envelope) error {
	_, err := post(ctx, s.Client, target{e.Contact.Address, e.Contact.Secret}, string(e.ID), body(e))
	return err
}

// body is e with its documents, as far as there is room for them.
func body(e delivery.Envelope) outbound.Delivery {
	d, room := outbound.NewDelivery(e), maxAttached
	for i, a := range e.Attached {
		if len(a.Content) > room {
			d.Attachments[i].Omitted = "too large"
			continue
		}
		d.Attachments[i].Content = a.Content
		room -= len(a.Content)
	}
	return d
}

// target is where a message goes and what signs it there.
type target struct{ url, secret string }

// post sends message as JSON under id, signed when the target has a secret.
func post(ctx context.Context, client *outbound.Client, to target, id string, message any) (outbound.Reply, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return outbound.Reply{}, &delivery.Refusal{Detail: "the message cannot be written as JSON: " + err.Error()}
	}
	id, at := escape(id), time.Now()
	header := map[string]string{"Webhook-Id": id, "Webhook-Timestamp": strconv.FormatInt(at.Unix(), 10)}
	if to.secret != "" {
		header["Webhook-Signature"], err = Sign(to.secret, id, at, body)
		if err != nil {
			return outbound.Reply{}, &delivery.Refusal{Detail: err.Error()}
		}
	}
	return client.Post(ctx, outbound.Request{URL: to.url, Key: id, Header: header, Body: body})
}

// Sign returns the webhook-signature header for a body that is sent under id at an instant.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := Key(secret)
	if err != nil {
		return "", fmt.Errorf("sign webhook: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Key returns the bytes that sign: what whsec_ stands before, decoded from base64, or a secret of another form as it is.
func Key(secret string) ([]byte, error) {
	encoded, prefixed := strings.CutPrefix(secret, "whsec_")
	if !prefixed {
		if secret == "" {
			return nil, errors.New("read signing secret: it is empty")
		}
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 { // the error would count bytes of the secret; the rule helps more
		return nil, errors.New("read signing secret: after whsec_ there must be padded standard base64")
	}
	return key, nil
}

// escape makes an id fit for a header. Full stops are escaped as well: the signed text is joined by them, so an id that
// brings its own could be read as another id with another time.
func escape(id string) string {
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; c > ' ' && c < 0x7f && c != '.' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

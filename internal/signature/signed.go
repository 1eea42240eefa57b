package signature

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"muster/internal/timeline"
)

// A Signed message is content with the actor behind it and the seal that proves it. On the wire it is an object with by,
// body and seal. Content without a seal is written as it is, and content of the form that versions before signatures
// wrote (plain, or with by and command) is read as content without a seal.
type Signed[T any] struct {
	By   timeline.Actor
	Body T
	Seal *Seal // nil: nobody has signed

	raw []byte // the body as it was signed
}

// Unsigned makes a message without a seal: what a run hands to its own continuation.
func Unsigned[T any](body T) Signed[T] { return Signed[T]{Body: body} }

// New makes a message whose content is final. It is to be sealed.
func New[T any](by timeline.Actor, body T) (Signed[T], error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Signed[T]{}, fmt.Errorf("encode message: %w", err)
	}
	return Signed[T]{By: by, Body: body, raw: raw}, nil
}

// Digest is the SHA-256 of the content as it was sent.
func (m Signed[T]) Digest() [sha256.Size]byte { return sha256.Sum256(m.raw) }

// Proof returns who is behind the message, the digest of its content and its seal, nil when there is none.
func (m Signed[T]) Proof() (timeline.Actor, [sha256.Size]byte, *Seal) {
	return m.By, m.Digest(), m.Seal
}

// envelope is a signed message on the wire. Its names are in histories: never change them.
type envelope struct {
	By      timeline.Actor  `json:"by"`
	Body    json.RawMessage `json:"body,omitempty"`
	Command json.RawMessage `json:"command,omitempty"` // the body, before there were signatures
	Seal    *Seal           `json:"seal,omitempty"`
}

// MarshalJSON writes the content as it was signed.
func (m Signed[T]) MarshalJSON() ([]byte, error) {
	if m.Seal == nil && m.By == (timeline.Actor{}) {
		return json.Marshal(m.Body)
	}
	raw := m.raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(m.Body); err != nil {
			return nil, err
		}
	}
	return json.Marshal(envelope{By: m.By, Body: raw, Seal: m.Seal})
}

// UnmarshalJSON reads every form, and keeps the content as it came.
func (m *Signed[T]) UnmarshalJSON(data []byte) error {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	*m = Signed[T]{By: e.By, Seal: e.Seal}
	switch {
	case e.Body != nil:
		m.raw = bytes.Clone(e.Body)
	case e.Command != nil:
		m.raw, m.Seal = bytes.Clone(e.Command), nil
	default:
		m.raw, m.Seal = bytes.Clone(data), nil
	}
	return json.Unmarshal(m.raw, &m.Body)
}

package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Flow is one sign-in that was begun. The provider is told State and Nonce, and of Verifier only the hash; the caller keeps
// all of it in the browser that began, in a cookie that lives no longer than Lifetime.
type Flow struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Started  time.Time `json:"t"`
}

// Lifetime is how long somebody may take to sign in with the provider.
const Lifetime = 10 * time.Minute

const (
	maxFlow = 1_000 // bytes of a flow's text: more is not ours
	maxPart = 128   // bytes of a state, a nonce, a verifier
)

// Format shows when the flow was started, whatever the verb: the rest is secret.
func (f Flow) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "sign-in started at %s", f.Started.UTC().Format(time.RFC3339))
}

// Expired tells whether a flow's Lifetime is over, or begins so far ahead that no clock of ours has said so.
func (f Flow) Expired(now time.Time) bool {
	age := now.Sub(f.Started)
	return age >= Lifetime || age <= -skew
}

func (f Flow) check() error {
	for _, part := range []string{f.State, f.Nonce, f.Verifier} {
		if part == "" || len(part) > maxPart || strings.ContainsFunc(part, foreign) {
			return errors.New("want a state, a nonce and a verifier")
		}
	}
	return nil
}

// foreign tells the characters that no part of a flow has: those that RFC 7636 allows in no verifier.
func foreign(r rune) bool {
	letter := 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	return !letter && !('0' <= r && r <= '9') && !strings.ContainsRune("-._~", r)
}

// MarshalText returns a flow as the value of a cookie, at most 1,000 bytes. The parts of the flow are refused when they are
// empty or too long.
func (f Flow) MarshalText() ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("write sign-in: %w", err)
	}
	type plain Flow // without the methods
	f.Started = f.Started.UTC()
	text, err := json.Marshal(plain(f))
	if err != nil {
		return nil, fmt.Errorf("write sign-in: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(nil, text), nil
}

// UnmarshalText reads what MarshalText has written. Its errors do not show the text.
func (f *Flow) UnmarshalText(text []byte) error {
	type plain Flow
	var read plain
	if len(text) > maxFlow {
		return fmt.Errorf("read sign-in: want at most %d bytes", maxFlow)
	}
	content, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || json.Unmarshal(content, &read) != nil {
		return errors.New("read sign-in: it is not whole")
	}
	if err := Flow(read).check(); err != nil {
		return fmt.Errorf("read sign-in: %w", err)
	}
	*f = Flow(read)
	return nil
}

package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A Reason says in one word why a sign-in was refused.
type Reason string

// The reasons. Setup is for the operator; the others are for who wants to sign in.
const (
	Expired    Reason = "expired"    // it took too long
	Mismatched Reason = "mismatched" // the answer belongs to another sign-in or comes from another provider
	Denied     Reason = "denied"     // the provider says no
	Untrusted  Reason = "untrusted"  // the ID token does not hold
	Incomplete Reason = "incomplete" // a claim is missing, or is not what it has to be
	Unverified Reason = "unverified" // the e-mail address that would be the login is not verified
	Overage    Reason = "overage"    // more groups than are told or taken
	Setup      Reason = "setup"      // the provider and this configuration do not fit together
)

// A RefusedError says why nobody is signed in. To try again at once does not help, unless Text says so.
type RefusedError struct {
	Reason Reason
	Text   string // one line for people, with the provider's own words cut and cleaned
}

// Error returns the text.
func (e *RefusedError) Error() string { return "sign in: " + e.Text }

func refuse(why Reason, format string, args ...any) *RefusedError {
	return &RefusedError{why, fmt.Sprintf(format, args...)}
}

// denied is a refusal with the provider's error and its description, as OAuth 2.0 has them.
func denied(code, description string) *RefusedError {
	text := line(code)
	if description != "" {
		text += ": " + line(description)
	}
	if code == "invalid_client" || code == "unauthorized_client" {
		return refuse(Setup, "the provider does not take Muster's client id or secret: %s", text)
	}
	return refuse(Denied, "the provider refuses: %s", text)
}

// An UnavailableError says that the provider could not be reached in time: it helps to try again later.
type UnavailableError struct {
	Host string // who was asked
	Err  error
}

// Error returns who was asked and what happened.
func (e *UnavailableError) Error() string { return fmt.Sprintf("sign in: ask %s: %v", e.Host, e.Err) }

// Unwrap returns what happened.
func (e *UnavailableError) Unwrap() error { return e.Err }

// explain returns the error of this package that err wraps, or makes it a refusal with a text that err ends.
func explain(err error, why Reason, text string) error {
	if e, ok := errors.AsType[*UnavailableError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*RefusedError](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &UnavailableError{"the provider", err}
	}
	return refuse(why, "%s: %s", text, line(err.Error()))
}

// line returns foreign text as one printable line of at most 200 characters.
func line(text string) string {
	const most = 200
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	runes := []rune(strings.Join(strings.Fields(printable), " "))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

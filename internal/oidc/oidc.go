// Package oidc signs people in with an OpenID Connect provider: authorisation code with PKCE (S256), state and nonce. It
// says who somebody is, and no more: what they may do, and the session that follows, are for the caller. It keeps no tokens.
package oidc

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	openid "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config says which provider signs people in, and as which of its clients Muster asks.
type Config struct {
	Issuer       string // as the provider's discovery document spells it; https, or http on loopback
	ClientID     string
	ClientSecret string // empty for a public client, which PKCE alone protects

	// LoginClaim names the claim of the ID token that holds the login: one that people cannot choose for themselves. When it
	// is "email", email_verified has to be there and true. When another claim holds the same address as email does, the
	// sign-in is refused only where email_verified is there and not true, for many providers say nothing of it.
	LoginClaim  string
	GroupsClaim string // names the claim that holds the groups; empty: groups are not read

	RedirectURL string           // where the provider sends people back to; https, or http on loopback
	HTTP        *http.Client     // of which the transport is used, and nothing else; nil: the default one
	Now         func() time.Time // nil: time.Now
}

// Format shows the issuer and the client only, whatever the verb: the rest holds a secret.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "client %s of %s", c.ClientID, c.Issuer)
}

// A Provider is one place to sign in. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	client *http.Client

	turn  chan struct{} // held by who reads or sets found
	found *site         // nil until discovery has succeeded
}

// Format shows the issuer and the client only, whatever the verb: the rest holds a secret.
func (p *Provider) Format(f fmt.State, verb rune) { p.cfg.Format(f, verb) }

// An Identity is who the provider says somebody is.
type Identity struct {
	Login   string   // the login claim, exactly: at most 255 bytes, all printable
	Name    string   // for people to read: one line of at most 200 characters, "" when the provider tells none
	Email   string   // for messages, never a login: "" when there is none, or when the provider says it is not verified
	Groups  []string // at most 200 of 200 bytes, all printable; none when the claim is absent or not configured
	Subject string   // the provider's own id of the account; it never changes hands
}

// patience is how long Begin and Finish take at most, and also one request: the keys are fetched for all who wait for them,
// and so outlast each.
const patience = 10 * time.Second

// skew is how far the provider's clock may go before ours.
const skew = 5 * time.Minute

// New checks a configuration and returns its provider, or all that is wrong with it. It does not ask the provider anything:
// that happens at first use, again when it failed, and never after it has succeeded.
func New(cfg Config) (*Provider, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("configure OpenID Connect: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	way := http.DefaultTransport
	if cfg.HTTP != nil && cfg.HTTP.Transport != nil {
		way = cfg.HTTP.Transport
	}
	return &Provider{cfg: cfg, client: &http.Client{Transport: bounded{way}}, turn: make(chan struct{}, 1)}, nil
}

func (c Config) check() error {
	var faults []error
	issuer, err := address(c.Issuer)
	if err == nil && (issuer.RawQuery != "" || issuer.ForceQuery) {
		err = errors.New("want no query in it")
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("issuer: %w", err))
	}
	if c.ClientID == "" {
		faults = append(faults, errors.New("client id: want the one that the provider has given to Muster"))
	}
	if c.LoginClaim == "" {
		faults = append(faults, errors.New("login claim: want the name of a claim, such as preferred_username"))
	}
	if _, err := address(c.RedirectURL); err != nil {
		faults = append(faults, fmt.Errorf("redirect URL: %w", err))
	}
	return errors.Join(faults...)
}

// address reads a URL that people or secrets are sent to. Its errors do not show it: a password may stand in it.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("want a URL that begins with https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("want https: http is for loopback addresses only")
	case u.User != nil:
		return nil, errors.New("want no user and no password in it")
	case u.Fragment != "":
		return nil, errors.New("want no # in it")
	}
	return u, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Begin returns where to send somebody's browser, and what to keep until it comes back: in a cookie of that browser which
// scripts and other sites cannot read. The error is an *UnavailableError or a *RefusedError.
func (p *Provider) Begin(ctx context.Context) (string, Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := p.discover(ctx)
	if err != nil {
		return "", Flow{}, err
	}
	flow := Flow{
		State:    rand.Text(),
		Nonce:    rand.Text(),
		Verifier: oauth2.GenerateVerifier(),
		Started:  p.cfg.Now().UTC().Truncate(time.Second),
	}
	return s.client.AuthCodeURL(flow.State, openid.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)), flow, nil
}

// Finish takes the query with which the browser came back, and returns who has signed in. The error is a *RefusedError, or
// an *UnavailableError when the provider could not be reached: then it helps to begin again later.
func (p *Provider) Finish(ctx context.Context, flow Flow, query url.Values) (Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	code, err := p.code(flow, query)
	if err != nil {
		return Identity{}, err
	}
	s, err := p.discover(ctx)
	if err != nil {
		return Identity{}, err
	}
	if s.tellsIssuer && !query.Has("iss") {
		return Identity{}, refuse(Mismatched, "the answer does not say which provider gives it, as this one always does")
	}
	raw, err := p.exchange(ctx, s, code, flow.Verifier)
	if err != nil {
		return Identity{}, err
	}
	said, err := p.verify(ctx, s, raw, flow.Nonce)
	if err != nil {
		return Identity{}, err
	}
	return p.cfg.identity(said)
}

// code returns what can be exchanged for a token, when the provider's answer belongs to the flow.
func (p *Provider) code(flow Flow, query url.Values) (string, error) {
	for _, name := range []string{"state", "iss", "error", "error_description", "code"} {
		if len(query[name]) > 1 {
			return "", refuse(Mismatched, "the provider's answer has more than one %s", name)
		}
	}
	switch {
	case flow.check() != nil:
		return "", refuse(Mismatched, "no sign-in was begun in this browser: sign in again")
	case flow.Expired(p.cfg.Now()):
		return "", refuse(Expired, "this sign-in was not finished within %d minutes: sign in again", int(Lifetime.Minutes()))
	case !same(query.Get("state"), flow.State):
		return "", refuse(Mismatched, "the answer belongs to another sign-in than this browser has begun: sign in again")
	case query.Has("iss") && query.Get("iss") != p.cfg.Issuer:
		return "", refuse(Mismatched, "the answer comes from another provider: %s", line(query.Get("iss")))
	case query.Has("error"):
		return "", denied(query.Get("error"), query.Get("error_description"))
	case query.Get("code") == "":
		return "", refuse(Mismatched, "the provider's answer has no code")
	}
	return query.Get("code"), nil
}

// same compares in a time that does not tell how much of two texts is equal.
func same(got, want string) bool { return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1 }

// exchange returns the ID token for a code.
func (p *Provider) exchange(ctx context.Context, s *site, code, verifier string) (string, error) {
	token, err := s.client.Exchange(openid.ClientContext(ctx, p.client), code, oauth2.VerifierOption(verifier))
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if e.ErrorCode == "" { // its text would show the answer, and that may hold a token
			return "", refuse(Setup, "the provider's token endpoint answers %d", e.Response.StatusCode)
		}
		return "", denied(e.ErrorCode, e.ErrorDescription)
	}
	if err != nil {
		return "", explain(err, Setup, "the provider's token endpoint gives no token")
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", refuse(Setup, "the provider's token endpoint gives no ID token")
	}
	return raw, nil
}

// verify returns the claims of an ID token that the provider has signed for this client and this flow.
func (p *Provider) verify(ctx context.Context, s *site, raw, nonce string) (claims, error) {
	keys := &watched{keys: s.keys}
	verifier := openid.NewVerifier(p.cfg.Issuer, keys, &openid.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: s.algorithms, Now: p.cfg.Now,
	})
	var said claims
	token, err := verifier.Verify(ctx, raw)
	if err == nil {
		err = token.Claims(&said)
	}
	if err != nil {
		return nil, explain(cmp.Or(keys.err, err), Untrusted, "the provider's ID token is not valid")
	}
	client, err := said.text("azp") // which of several audiences it was made for
	switch {
	case err != nil:
		return nil, err
	case client != "" && client != p.cfg.ClientID:
		return nil, refuse(Untrusted, "the provider's ID token was made for another client: %s", line(client))
	case !same(token.Nonce, nonce):
		return nil, refuse(Untrusted, "the provider's ID token belongs to another sign-in: sign in again")
	case token.IssuedAt.After(p.cfg.Now().Add(skew)):
		return nil, refuse(Untrusted, "the provider's ID token was issued in the future, at %s: compare the clocks",
			token.IssuedAt.UTC().Format(time.RFC3339))
	}
	return said, nil
}

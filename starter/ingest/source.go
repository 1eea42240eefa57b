package ingest

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/internal/refusal"
)

// A Source is one sender of alerts, known by its bearer token.
type Source struct {
	ID         string       // part of the identity of its incidents: lower-case letters, digits and hyphens
	Type       alert.Format // Alertmanager when empty
	Token      string       `json:"-"`
	TokenInURL bool         // it cannot send a header: the token may stand in the URL, as ?token=
	// ResolveTimeout is after how long an alert that only comes again is over when it has not; 0 means ResolveTimeout.
	ResolveTimeout time.Duration
}

// String returns the ID alone: the token is a secret.
func (s Source) String() string { return s.ID }

// Configured is a source of the organisation folder, without its token.
func Configured(s org.Source) Source {
	return Source{ID: s.ID, Type: s.Type, TokenInURL: s.TokenInURL, ResolveTimeout: s.ResolveTimeout}
}

var sourceID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// A guard knows the sources by the hashes of their tokens.
type guard struct {
	guess   func(*http.Request) // is told of whoever shows a token of no source
	sources []Source
	hashes  [][sha256.Size]byte // of the tokens of the sources; that of no source has none
	closed  bool                // there are tokens
}

func newGuard(sources []Source, guess func(*http.Request)) (guard, error) {
	g := guard{guess: guess}
	if guess == nil {
		g.guess = func(*http.Request) {}
	}
	for _, s := range sources {
		s.Type = cmp.Or(s.Type, alert.Alertmanager)
		hash := sha256.Sum256([]byte(s.Token))
		if !sourceID.MatchString(s.ID) {
			return g, fmt.Errorf("source %q: want an id of lower-case letters, digits and hyphens", s.ID)
		}
		if known := g.source(hash); known != nil {
			return g, fmt.Errorf("source %s: has the token of source %s", s.ID, known.ID)
		}
		g.sources, g.hashes, g.closed = append(g.sources, s), append(g.hashes, hash), g.closed || s.Token != ""
	}
	return g, nil
}

// source compares with all hashes, always, so that the time it takes says nothing.
func (g guard) source(hash [sha256.Size]byte) (found *Source) {
	for i := range g.hashes {
		if subtle.ConstantTimeCompare(hash[:], g.hashes[i][:]) == 1 && g.sources[i].Token != "" {
			found = &g.sources[i]
		}
	}
	return found
}

// identify returns the source that a request comes from.
func (g guard) identify(w http.ResponseWriter, r *http.Request, f format) (Source, error) {
	if !g.closed {
		if !local(r) {
			return Source{}, refusal.Body{
				Status: http.StatusForbidden,
				Detail: "without a token only clients on the same machine are served: configure a source with a token, and send it as Authorization: Bearer",
			}
		}
		return g.nameless(f), nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	inURL := scheme == "" && r.URL.Query().Has("token")
	if inURL {
		scheme, token = "Bearer", r.URL.Query().Get("token")
	}
	s := g.source(sha256.Sum256([]byte(strings.TrimSpace(token))))
	if s == nil || !strings.EqualFold(scheme, "Bearer") {
		g.guess(r)
		w.Header().Set("WWW-Authenticate", `Bearer realm="alerts"`)
		return Source{}, refusal.Body{Status: http.StatusUnauthorized, Field: "Authorization", Detail: "want Bearer and the token of a source"}
	}
	if inURL && !s.TokenInURL {
		return Source{}, refusal.Body{
			Status: http.StatusForbidden, Field: "token",
			Detail: fmt.Sprintf("want the token of source %s in the header Authorization, or token_in_url in the organisation folder", s.ID),
		}
	}
	if s.Type != f.name {
		return Source{}, refusal.Body{
			Status: http.StatusForbidden,
			Detail: fmt.Sprintf("source %s is of type %s: want it to post to %s, or another type in the organisation folder", s.ID, s.Type, s.format().address()),
		}
	}
	return *s, nil
}

// nameless is the source of whoever posts when no tokens are configured: the first one that posts so, or one that is called so.
func (g guard) nameless(f format) Source {
	for _, s := range g.sources {
		if s.Type == f.name {
			return s
		}
	}
	return Source{ID: string(f.name), Type: f.name}
}

// local tells whether a request comes from this machine, and neither through a proxy nor from a page in a browser.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "Origin"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

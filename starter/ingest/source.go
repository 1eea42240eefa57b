package ingest

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"muster/internal/refusal"
)

// A Source is one sender of alerts, known by its bearer token.
type Source struct {
	ID    string // part of the identity of its incidents: lower-case letters, digits and hyphens
	Token string `json:"-"`
}

// String returns the ID alone: the token is a secret.
func (s Source) String() string { return s.ID }

// anonymous is the source of whoever posts when no tokens are configured.
const anonymous = "alertmanager"

var sourceID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// A guard knows the sources by the hashes of their tokens.
type guard struct {
	guess  func(*http.Request) // is told of whoever shows a token of no source
	ids    []string
	hashes [][sha256.Size]byte
}

func newGuard(sources []Source, guess func(*http.Request)) (guard, error) {
	g := guard{guess: guess}
	if guess == nil {
		g.guess = func(*http.Request) {}
	}
	for _, s := range sources {
		hash := sha256.Sum256([]byte(s.Token))
		if !sourceID.MatchString(s.ID) {
			return g, fmt.Errorf("source %q: want an id of lower-case letters, digits and hyphens", s.ID)
		}
		if s.Token == "" {
			return g, fmt.Errorf("source %s: want a token", s.ID)
		}
		if id := g.source(hash); id != "" {
			return g, fmt.Errorf("source %s: has the token of source %s", s.ID, id)
		}
		g.ids, g.hashes = append(g.ids, s.ID), append(g.hashes, hash)
	}
	return g, nil
}

// source compares with all hashes, always, so that the time it takes says nothing.
func (g guard) source(hash [sha256.Size]byte) string {
	found := ""
	for i := range g.hashes {
		if subtle.ConstantTimeCompare(hash[:], g.hashes[i][:]) == 1 {
			found = g.ids[i]
		}
	}
	return found
}

// identify returns the source that a request comes from.
func (g guard) identify(w http.ResponseWriter, r *http.Request) (string, error) {
	if len(g.ids) == 0 {
		if !local(r) {
			return "", refusal.Body{
				Status: http.StatusForbidden,
				Detail: "without a token only clients on the same machine are served: configure a source with a token, and send it as Authorization: Bearer",
			}
		}
		return anonymous, nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	id := g.source(sha256.Sum256([]byte(strings.TrimSpace(token))))
	if id == "" || !strings.EqualFold(scheme, "Bearer") {
		g.guess(r)
		w.Header().Set("WWW-Authenticate", `Bearer realm="alerts"`)
		return "", refusal.Body{Status: http.StatusUnauthorized, Field: "Authorization", Detail: "want Bearer and the token of a source"}
	}
	return id, nil
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

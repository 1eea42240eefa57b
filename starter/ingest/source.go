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

// A Source is one sender of alerts, known by its bearer token, by its signature, or by both.
type Source struct {
	ID         string       // part of the identity of its incidents: lower-case letters, digits and hyphens
	Type       alert.Format // Alertmanager when empty
	Token      string       `json:"-"`
	TokenInURL bool         // it cannot send a header: the token may stand in the URL, as ?token=
	// ResolveTimeout is after how long an alert that only comes again is over when it has not; 0 means ResolveTimeout.
	ResolveTimeout time.Duration
	Signature      *Signature   // nil: it does not sign
	Topics         []string     // of SNS: ARNs of those that are its own
	Confirm        bool         // it may subscribe to them
	Mapping        Mapping      // of JSON: how its alerts are read
	GroupBy        []string     // labels by which they belong together; none: their name
	Data           alert.Format // of CloudEvents: what they carry; empty: what the mapping reads
	Mail           *Mail        // of type email: how it is known and read
}

// String returns the ID alone: the token is a secret.
func (s Source) String() string { return s.ID }

// Configured is a source of the organisation folder, without its secrets.
func Configured(s org.Source) Source {
	out := Source{ID: s.ID, Type: s.Type, TokenInURL: s.TokenInURL, ResolveTimeout: s.ResolveTimeout, Topics: s.Topics, Confirm: s.Confirm, Data: s.Data}
	if s.Signature != nil {
		out.Signature = &Signature{Header: s.Signature.Header, Timestamp: s.Signature.Timestamp}
	}
	if s.Mail != nil {
		out.Mail = &Mail{Address: s.Mail.Address, From: s.Mail.From, Subject: s.Mail.Subject, Firing: s.Mail.Firing, Resolved: s.Mail.Resolved}
	}
	if s.Mapping != nil {
		out.Mapping, out.GroupBy = &s.Mapping.Mapping, s.Mapping.GroupBy
	}
	return out
}

var sourceID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// compiled is the source with the patterns of its mails read.
func (s Source) compiled() (Source, error) {
	if s.Mail == nil {
		return s, nil
	}
	own := *s.Mail
	err := own.compile()
	s.Mail = &own
	return s, err
}

// A guard knows the sources by the hashes of their tokens.
type guard struct {
	guess   func(*http.Request) time.Duration // is told of whoever shows a token of no source, and returns for how long they are shut out
	sources []Source
	hashes  [][sha256.Size]byte // of the tokens of the sources; that of no source has none
	closed  bool                // there are tokens or signatures
}

func newGuard(sources []Source, guess func(*http.Request) time.Duration) (guard, error) {
	g := guard{guess: guess}
	if guess == nil {
		g.guess = func(*http.Request) time.Duration { return 0 }
	}
	for _, s := range sources {
		s.Type = cmp.Or(s.Type, alert.Alertmanager)
		hash := sha256.Sum256([]byte(s.Token))
		if !sourceID.MatchString(s.ID) {
			return g, fmt.Errorf("source %q: want an id of lower-case letters, digits and hyphens", s.ID)
		}
		if s.Data != "" && !carried(s.Data) {
			return g, fmt.Errorf("source %s: data: want a format that an event may carry, got %s", s.ID, s.Data)
		}
		if s.Signature != nil && s.Signature.Secret == "" {
			return g, fmt.Errorf("source %s: signature: want a secret", s.ID)
		}
		s, err := s.compiled()
		if err != nil {
			return g, fmt.Errorf("source %s: %w", s.ID, err)
		}
		if known := g.source(hash); known != nil {
			return g, fmt.Errorf("source %s: has the token of source %s", s.ID, known.ID)
		}
		g.sources, g.hashes, g.closed = append(g.sources, s), append(g.hashes, hash), g.closed || s.Token != "" || s.Signature != nil
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

// identify returns the source that a request comes from. One that only signs is named in the path, and is not proven before its
// body has been read.
func (g guard) identify(w http.ResponseWriter, r *http.Request, f format, named string) (Source, error) {
	own := g.named(named)
	if own != nil && own.Type == f.name && own.Token == "" && (own.Signature != nil || f.prove != nil) {
		return *own, nil
	}
	if !g.closed {
		if !local(r) {
			return Source{}, g.closedTo()
		}
		return g.nameless(f, named)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	inURL := scheme == "" && r.URL.Query().Has("token")
	if inURL {
		scheme, token = "Bearer", r.URL.Query().Get("token")
	}
	s := g.source(sha256.Sum256([]byte(strings.TrimSpace(token))))
	if !strings.EqualFold(scheme, "Bearer") {
		s = nil
	}
	if s == nil || named != "" && s.ID != named {
		return Source{}, g.refuse(w, r, "Authorization", "want Bearer and the token of a source")
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

// keyed returns the source whose token a body has.
func (g guard) keyed(r *http.Request, f format, named, token string) (Source, error) {
	if !g.closed {
		if !local(r) {
			return Source{}, g.closedTo()
		}
		return g.nameless(f, named)
	}
	s := g.source(sha256.Sum256([]byte(token)))
	if s == nil || s.Type != f.name || named != "" && s.ID != named {
		g.guess(r)
		return Source{}, refusal.Body{
			Status: http.StatusBadRequest, Field: "routing_key", Detail: fmt.Sprintf("want the token of a source of type %s", f.name),
		}
	}
	return *s, nil
}

// closedTo is the refusal of whoever posts from elsewhere when there are no tokens.
func (guard) closedTo() error {
	return refusal.Body{
		Status: http.StatusForbidden,
		Detail: "without a token only clients on the same machine are served: configure a source with a token, and send it as Authorization: Bearer",
	}
}

// refuse is the refusal of whoever proves to be no source.
func (g guard) refuse(w http.ResponseWriter, r *http.Request, field, detail string) error {
	g.guess(r)
	w.Header().Set("WWW-Authenticate", `Bearer realm="alerts"`)
	return refusal.Body{Status: http.StatusUnauthorized, Field: field, Detail: detail}
}

// named returns the source with an id, nil when there is none.
func (g guard) named(id string) *Source {
	for n := range g.sources {
		if g.sources[n].ID == id {
			return &g.sources[n]
		}
	}
	return nil
}

// nameless is the source of whoever posts when there are no tokens: the one that the path names, the first one that posts so, or
// one that is called so.
func (g guard) nameless(f format, named string) (Source, error) {
	for _, s := range g.sources {
		if s.Type == f.name && (named == "" || named == s.ID) {
			return s, nil
		}
	}
	if named != "" {
		return Source{}, refusal.Body{
			Status: http.StatusNotFound, Detail: fmt.Sprintf("want a source of type %s that the organisation folder has, got %s", f.name, named),
		}
	}
	return Source{ID: string(f.name), Type: f.name}, nil
}

// local tells whether a request comes from this machine, and neither through a proxy nor from a page in a browser.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "Origin"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" { // an image of a page asks without Origin
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/refusal"
	"muster/internal/store"
	"muster/internal/wholefile"
	"muster/starter"
)

// A Token is one entry of the list of tokens. What its holder shows stands nowhere.
type Token struct {
	ID        string     `json:"id"`
	Actor     string     `json:"actor"`
	Name      string     `json:"name,omitempty"`
	Kind      store.Kind `json:"kind"`
	Label     string     `json:"label,omitempty"`
	Roles     []string   `json:"roles,omitempty"`  // of a machine
	Scopes    []string   `json:"scopes,omitempty"` // to what it is narrowed
	Created   time.Time  `json:"created"`
	CreatedBy string     `json:"created_by"`
	Expires   time.Time  `json:"expires,omitzero"`
	LastUsed  time.Time  `json:"last_used,omitzero"` // to the minute
	Revoked   time.Time  `json:"revoked,omitzero"`
	Secret    string     `json:"token,omitempty"` // what its holder shows: only in the answer that has made it
}

func tokenOf(t store.Token, secret string) Token {
	return Token{
		ID: t.ID, Actor: t.Actor, Name: t.Name, Kind: t.Kind, Label: t.Label, Roles: t.Roles, Scopes: t.Scopes,
		Created: t.Created, CreatedBy: t.CreatedBy, Expires: t.Expires, LastUsed: t.LastUsed, Revoked: t.Revoked, Secret: secret,
	}
}

// Tokens are a list of tokens, the newest first.
type Tokens struct {
	Tokens []Token `json:"tokens"`
}

// owned is a token as authority sees it.
func owned(t store.Token) authority.Object {
	o := authority.Object{Kind: authority.Token}
	if t.Kind == store.Person {
		o.Owner = t.Actor
	}
	return o
}

// mayManage tells whether the visitor may make or revoke a token: his own, or whosever.
func (s *server) mayManage(r *http.Request, t store.Token) error {
	by, o := visiting(r.Context()).Subject, owned(t)
	if authority.May(by, authority.ManageTokens, o) == nil {
		return nil
	}
	return authority.May(by, authority.ManageOwnTokens, o)
}

// listTokens answers with the visitor's own tokens, and to an administrator with everybody's.
func (s *server) listTokens(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	own := store.Token{Actor: visiting(r.Context()).Actor.ID, Kind: store.Person}
	if err := s.mayManage(r, own); err != nil {
		return s.denied(r, authority.ManageOwnTokens, err)
	}
	all, err := s.Store.Tokens(r.Context())
	if err != nil {
		return err
	}
	list := Tokens{Tokens: []Token{}}
	for _, t := range all {
		if s.mayManage(r, t) == nil {
			list.Tokens = append(list.Tokens, tokenOf(t, ""))
		}
	}
	return answer(w, list)
}

// A NewToken asks for a token. Lists are words with commas between them.
type NewToken struct {
	Actor   string `json:"actor,omitempty"` // for whom it speaks; empty: for whoever asks
	Kind    string `json:"kind,omitempty"`  // "person" or "machine"; empty: a person
	Name    string `json:"name,omitempty"`  // of a machine, as it is shown
	Label   string `json:"label,omitempty"` // what it is for
	Roles   string `json:"roles,omitempty"` // of a machine
	Scopes  string `json:"scopes,omitempty"`
	Expires string `json:"expires,omitempty"` // an instant; empty: never
}

// createToken makes a token. Nobody gives what he has not: who is narrowed makes tokens that are narrowed as much at least,
// and roles are given to machines alone, by an administrator.
func (s *server) createToken(w http.ResponseWriter, r *http.Request) error {
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	var asked NewToken
	if err := readInto(reflect.ValueOf(&asked).Elem(), body); err != nil {
		return err
	}
	by := visiting(r.Context())
	t, faults := asked.token(by)
	if err := s.mayManage(r, t); err != nil {
		return s.denied(r, authority.ManageTokens, err)
	}
	if len(faults) > 0 {
		return refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	whose, known := s.Directory().Subject(t.Actor)
	switch {
	case t.Kind == store.Machine && (known || t.Actor == by.Actor.ID):
		return refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{
			Field: "actor", Detail: fmt.Sprintf("%q; want an id of the machine's own: a person has this one", clip(t.Actor)),
		})
	case t.Kind == store.Machine:
	case known:
		t.Name = whose.Actor.Name
	case t.Actor == by.Actor.ID: // the administrator of a data folder, who stands in no other
		t.Roles = words(by.Roles)
	default:
		return refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{
			Field: "actor", Detail: fmt.Sprintf("%q; want the id of a person in the organisation folder, such as park, or of a customer's contact, such as acme/desk", clip(t.Actor)),
		})
	}
	secret, made, err := s.Store.CreateToken(r.Context(), t)
	if fault, ok := errors.AsType[*store.FaultError](err); ok {
		return refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: fault.Field, Detail: fault.Detail})
	}
	if err != nil {
		return err
	}
	s.Log.Info("token made", "token", made.ID, "for", made.Actor, "by", by.Actor.ID)
	return answer(w, tokenOf(made, secret))
}

// token is what was asked for, or what is wrong with it.
func (n NewToken) token(by visitor) (t store.Token, faults []refusal.Fault) {
	fault := func(field, format string, args ...any) {
		faults = append(faults, refusal.Fault{Field: field, Detail: fmt.Sprintf(format, args...)})
	}
	t = store.Token{
		Actor: n.Actor, Kind: store.Kind(n.Kind), Name: n.Name, Label: n.Label, CreatedBy: by.Actor.ID,
		Roles: listed(n.Roles), Scopes: listed(n.Scopes),
	}
	if t.Kind == "" {
		t.Kind = store.Person
	}
	if t.Actor == "" {
		t.Actor, t.Name = by.Actor.ID, by.Actor.Name
	}
	machine := t.Kind == store.Machine
	switch {
	case !machine && t.Kind != store.Person:
		fault("kind", "%q; want person or machine", clip(n.Kind))
	case machine && n.Actor == "":
		fault("actor", "missing; want the id of the machine")
	case machine && len(t.Roles) == 0:
		fault("roles", "missing; want what the machine may: some of %s", oneOf(words(authority.Roles())))
	case !machine && len(t.Roles) > 0:
		fault("roles", "given; the roles of a person stand in the organisation folder")
	case !machine && n.Name != "":
		fault("name", "given; the name of a person stands in the organisation folder")
	}
	for _, role := range t.Roles {
		if !slices.Contains(authority.Roles(), authority.Role(role)) {
			fault("roles", "%q; want some of %s", clip(role), oneOf(words(authority.Roles())))
		}
	}
	for _, scope := range t.Scopes {
		if !slices.Contains(authority.Verbs(), authority.Verb(scope)) {
			fault("scopes", "%q; want some of %s", clip(scope), oneOf(words(authority.Verbs())))
		}
	}
	if wider := func(s string) bool { return !slices.Contains(by.Scopes, authority.Verb(s)) }; len(by.Scopes) > 0 &&
		(len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, wider)) {
		fault("scopes", "want some of those of your own token: %s", oneOf(words(by.Scopes)))
	}
	if n.Expires != "" {
		var err error
		if t.Expires, err = time.Parse(time.RFC3339, n.Expires); err != nil {
			fault("expires", "%q; want an instant such as 2027-01-31T00:00:00+09:00", clip(n.Expires))
		}
	}
	return t, faults
}

func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// revokeToken revokes a token, and ends the sessions of its person, of which one may have begun with it. One of somebody else
// is not there.
func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	name := r.PathValue("id")
	missing := &starter.NotFoundError{What: "token " + strconv.Quote(clip(name))}
	all, err := s.Store.Tokens(r.Context())
	if err != nil {
		return err
	}
	n := slices.IndexFunc(all, func(t store.Token) bool { return t.ID == name })
	if n < 0 {
		return missing
	}
	if err := s.mayManage(r, all[n]); err != nil {
		_ = s.denied(r, authority.ManageTokens, err)
		return missing
	}
	t, err := s.Store.RevokeToken(r.Context(), name)
	if err == nil && t.Kind == store.Person {
		_, err = s.Store.EndSessions(r.Context(), t.Actor)
	}
	if err != nil {
		return err
	}
	s.Log.Info("token revoked", "token", t.ID, "of", t.Actor, "by", visiting(r.Context()).Actor.ID)
	return answer(w, tokenOf(t, ""))
}

// EnsureAdmin makes sure that the token in a file lets its reader in as the administrator of a data folder, and writes a new
// one when it does not: whoever reads the file is one, so it is for its owner alone. One that lasts for some time only is
// renewed when half of that is over; 0 is for ever.
func EnsureAdmin(ctx context.Context, s *store.Store, file string, lasts time.Duration) error {
	now := time.Now()
	if old, err := os.ReadFile(file); err == nil {
		t, err := s.Token(ctx, strings.TrimSpace(string(old)))
		if err == nil && (t.Expires.IsZero() || t.Expires.Sub(now) > lasts/2) {
			return nil
		}
	}
	t := store.Token{
		Actor: "admin", Name: "Administrator", Kind: store.Person, Label: filepath.Base(file),
		Roles: []string{string(authority.Administrator)}, CreatedBy: "admin",
	}
	if lasts > 0 {
		t.Expires = now.Add(lasts)
	}
	secret, _, err := s.CreateToken(ctx, t)
	if err == nil {
		err = wholefile.Write(file, []byte(secret+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("make the administrator's token: %w", err)
	}
	return nil
}

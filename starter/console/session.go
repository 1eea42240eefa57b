package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/link"
	"muster/internal/store"
	"muster/internal/timeline"
)

// The cookies. Their prefix makes browsers take them from this host alone, over TLS alone.
const (
	sessionCookie = "__Host-muster"
	flowCookie    = "__Host-muster-sign-in"
)

// lifetime is how long a session lives, however busy.
const lifetime = 12 * time.Hour

// byToken begins what a session says of how its person was authenticated, when it was with a token.
const byToken = "token:"

// Session returns who is signed in, as the organisation folder has them now, and whether somebody is. Other handlers of the
// same host ask it too.
func (c *Console) Session(r *http.Request) (authority.Subject, bool) {
	_, by, ok := c.session(r)
	return by, ok
}

func (c *Console) session(r *http.Request) (store.Session, authority.Subject, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return store.Session{}, authority.Subject{}, false
	}
	s, err := c.cfg.Store.Session(r.Context(), cookie.Value)
	if err != nil {
		if !errors.Is(err, store.ErrUnknown) && !errors.Is(err, store.ErrExpired) {
			c.cfg.Log.Error("session not looked up", "path", link.Shown(r.URL.Path), "error", err)
		}
		return store.Session{}, authority.Subject{}, false
	}
	by, ok := c.subject(s)
	return s, by, ok
}

// subject is the person of a session. Roles that the sign-in gave count for the provider's own people. Whoever is not in the
// folder is nobody, but for the administrator of the data folder, whose token says so.
func (c *Console) subject(s store.Session) (authority.Subject, bool) {
	by, known := c.cfg.Organisation().Subject(s.Person)
	if !known {
		by = authority.Subject{
			Actor: timeline.Actor{Kind: timeline.Person, ID: s.Person, Name: s.Name}, Kind: authority.Provider,
		}
	}
	if by.Kind == authority.Provider {
		given := slices.Clone(by.Roles) // the folder's own list stays as it is
		for _, role := range s.Roles {
			if !slices.Contains(given, authority.Role(role)) {
				given = append(given, authority.Role(role))
			}
		}
		by.Roles = given
	}
	return by, known || strings.HasPrefix(s.Via, byToken) && len(s.Roles) > 0
}

// begin signs somebody in, and ends the session that this browser had.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, s store.Session) error {
	secret, err := c.cfg.Store.CreateSession(r.Context(), s)
	if err != nil {
		return err
	}
	if old, err := r.Cookie(sessionCookie); err == nil {
		if err := c.cfg.Store.EndSession(context.WithoutCancel(r.Context()), old.Value); err != nil {
			c.cfg.Log.Error("old session not ended", "actor", s.Person, "error", err)
		}
	}
	http.SetCookie(w, cookie(sessionCookie, secret, 0))
	return nil
}

// cookie makes one that scripts and other sites cannot read. Without an age it lives as long as the browser's session; with
// a negative one it is removed.
func cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// A personal handler answers somebody who is signed in.
type personal func(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error

// signedIn leads to the sign-in whoever is not signed in.
func (c *Console) signedIn(h personal) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, by, ok := c.session(r)
		if !ok {
			next := r.URL.Path
			if strings.HasPrefix(next, accountPath) { // what is below it is not opened
				next = accountPath
			}
			seeOther(w, r, loginPath+"?"+url.Values{"next": {next}}.Encode())
			return nil
		}
		return h(w, r, s, by)
	}
}

// seeOther sends the browser on, and keeps a language that was asked for.
func seeOther(w http.ResponseWriter, r *http.Request, to string) {
	if language := r.URL.Query().Get("lang"); language != "" {
		u, err := url.Parse(to)
		if err == nil {
			q := u.Query()
			q.Set("lang", language)
			u.RawQuery = q.Encode()
			to = u.String()
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

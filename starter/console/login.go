package console

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/oidc"
	"muster/internal/store"
)

const loginPath = "/login"

// A signIn is the data of the page on which people sign in.
type signIn struct {
	Next     string // where to go then
	Provider bool   // there is one
	Fault    string // names the words for what was wrong with the token
}

// going is the data of the page that leads to the sign-in provider.
type going struct{ To string }

// showLogin shows how to sign in.
func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) error {
	next := local(r.URL.Query().Get("next"))
	if _, ok := c.Session(r); ok {
		seeOther(w, r, cmp.Or(next, "/"))
		return nil
	}
	c.loginPage(w, r, http.StatusOK, next, "")
	return nil
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request, status int, next, fault string) {
	p := c.page(r, "login", "login", "")
	p.Data = signIn{Next: next, Provider: c.cfg.SignIn != nil, Fault: fault}
	c.show(w, r, status, p)
}

// login takes a token of somebody's own.
func (c *Console) login(w http.ResponseWriter, r *http.Request) error {
	secret, next := strings.TrimSpace(r.PostForm.Get("token")), local(r.PostForm.Get("next"))
	t, err := c.cfg.Store.Token(r.Context(), secret)
	status, fault := http.StatusUnauthorized, tokenFault(secret, err)
	if err != nil && fault == "" {
		return err
	}
	var s store.Session
	if err == nil {
		status = http.StatusForbidden
		s, fault = c.sessionOf(t)
	}
	if fault != "" {
		c.note(r, store.AttemptLogin, t.Actor, loginPath, "token", strings.TrimPrefix(fault, "login."))
		c.loginPage(w, r, status, next, fault)
		return nil
	}
	return c.enter(w, r, s, next)
}

// tokenFault names the words for why a token lets nobody in; none for an error of ours.
func tokenFault(secret string, err error) string {
	switch {
	case errors.Is(err, store.ErrExpired):
		return "login.expired"
	case errors.Is(err, store.ErrRevoked):
		return "login.revoked"
	case errors.Is(err, store.ErrUnknown) && !store.Whole(secret):
		return "login.part"
	case errors.Is(err, store.ErrUnknown):
		return "login.unknown"
	}
	return ""
}

// sessionOf is the session that a good token begins, or names the words for why it begins none.
func (c *Console) sessionOf(t store.Token) (s store.Session, fault string) {
	switch {
	case t.Kind != store.Person:
		return s, "login.machine"
	case len(t.Scopes) > 0: // a session is not narrowed
		return s, "login.narrowed"
	}
	s = store.Session{Person: t.Actor, Name: t.Name, Via: byToken + t.ID, Expires: c.cfg.Now().Add(lifetime)}
	if !t.Expires.IsZero() && t.Expires.Before(s.Expires) {
		s.Expires = t.Expires
	}
	if _, known := c.cfg.Organisation().Subject(t.Actor); !known {
		s.Roles = t.Roles
	}
	if _, ok := c.subject(s); !ok {
		return s, "login.gone"
	}
	return s, ""
}

// enter begins a session and goes where somebody wanted to.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, s store.Session, next string) error {
	if err := c.begin(w, r, s); err != nil {
		return err
	}
	c.cfg.Log.Info("signed in", "actor", s.Person, "via", s.Via)
	seeOther(w, r, cmp.Or(next, "/"))
	return nil
}

// startSignIn leads to the sign-in provider. The answer is a page and no redirect: browsers hold a form, with every redirect
// that follows it, against form-action, and which hosts a provider leads through is not known beforehand.
func (c *Console) startSignIn(w http.ResponseWriter, r *http.Request) error {
	if c.cfg.SignIn == nil {
		return &refusal{status: http.StatusNotFound, name: "no-page"}
	}
	to, flow, err := c.cfg.SignIn.Begin(r.Context())
	if err != nil {
		return c.notSignedIn(r, err)
	}
	text, err := flow.MarshalText()
	if err != nil {
		return err
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(local(r.PostForm.Get("next"))))
	http.SetCookie(w, cookie(flowCookie, string(text)+"."+next, int(oidc.Lifetime/time.Second)))
	w.Header().Set("Refresh", "0; url="+to)
	p := c.page(r, "going", "going", "")
	p.Data = going{to}
	c.show(w, r, http.StatusOK, p)
	return nil
}

// finishSignIn takes whoever comes back from the sign-in provider.
func (c *Console) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	if c.cfg.SignIn == nil {
		return &refusal{status: http.StatusNotFound, name: "no-page"}
	}
	flow, next := c.flow(r)
	http.SetCookie(w, cookie(flowCookie, "", -1)) // a sign-in is finished once
	who, err := c.cfg.SignIn.Finish(r.Context(), flow, r.URL.Query())
	if err != nil {
		return c.notSignedIn(r, err)
	}
	o := c.cfg.Organisation()
	person, known := o.PersonByLogin(who.Login)
	by, ok := o.Subject(person)
	if !known || !ok {
		c.note(r, store.AttemptLogin, who.Login, loginPath, "sign-in", "nobody in the organisation folder has this login")
		return &refusal{status: http.StatusForbidden, name: "login.stranger", detail: who.Login}
	}
	s := store.Session{Person: person, Name: by.Actor.Name, Via: "oidc", Expires: c.cfg.Now().Add(lifetime)}
	if by.Kind == authority.Provider {
		for _, role := range c.cfg.RolesOf(who.Groups) {
			if !slices.Contains(s.Roles, string(role)) {
				s.Roles = append(s.Roles, string(role))
			}
		}
	}
	return c.enter(w, r, s, next)
}

// flow is the sign-in that this browser has begun, and where it wanted to go; the zero Flow when it has begun none.
func (c *Console) flow(r *http.Request) (flow oidc.Flow, next string) {
	kept, err := r.Cookie(flowCookie)
	if err != nil {
		return flow, ""
	}
	text, rest, _ := strings.Cut(kept.Value, ".")
	if flow.UnmarshalText([]byte(text)) != nil { // which Finish refuses as it refuses none
		return oidc.Flow{}, ""
	}
	to, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil {
		return flow, ""
	}
	return flow, local(string(to))
}

// notSignedIn says why the sign-in provider has let nobody in.
func (c *Console) notSignedIn(r *http.Request, err error) error {
	no, ok := errors.AsType[*oidc.RefusedError](err)
	if !ok {
		return err
	}
	c.note(r, store.AttemptLogin, "", loginPath, "sign-in", no.Text)
	status, name := http.StatusUnauthorized, "login.refused"
	if no.Reason == oidc.Setup {
		c.cfg.Log.Error("sign-in does not fit its provider", "error", err)
		status, name = http.StatusBadGateway, "login.setup"
	}
	return &refusal{status: status, name: name, detail: no.Text}
}

// logout ends the session of this browser.
func (c *Console) logout(w http.ResponseWriter, r *http.Request) error {
	if s, err := r.Cookie(sessionCookie); err == nil {
		if err := c.cfg.Store.EndSession(r.Context(), s.Value); err != nil {
			return err
		}
	}
	return c.leave(w, r)
}

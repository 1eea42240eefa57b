package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/internal/authority"
	"muster/internal/store"
)

const accountPath = "/account"

// Bounds of a token that somebody makes for themselves.
const (
	maxLabel    = 100 // characters
	maxDays     = 365
	defaultDays = 90
)

// An account is the data of the page about oneself.
type account struct {
	ID, Name, Party, Kind string
	Roles                 []string
	Tokens                []ownToken
	Label, Days           string // as they were written
	Fault                 string // names the words for what is wrong with them
	MaxLabel, MaxDays     int
}

// An ownToken is a token as a page shows it.
type ownToken struct {
	ID, Label, Created, Expires, Used string
	Over                              bool // it has expired
}

// A newToken is the data of the page that shows a token once.
type newToken struct{ Label, Secret, Expires string }

// showAccount shows who somebody is, and their tokens.
func (c *Console) showAccount(w http.ResponseWriter, r *http.Request, _ store.Session, by authority.Subject) error {
	return c.accountPage(w, r, by, http.StatusOK, account{Days: strconv.Itoa(defaultDays)})
}

func (c *Console) accountPage(w http.ResponseWriter, r *http.Request, by authority.Subject, status int, a account) error {
	own, err := c.tokensOf(r, by)
	if err != nil {
		return err
	}
	o := c.cfg.Organisation()
	p := c.page(r, "account", "account", by.Actor.ID)
	p.Me = by.Actor.Shown()
	party, _ := o.Party(by.Party)
	a.ID, a.Name, a.Party, a.Kind = by.Actor.ID, by.Actor.Shown(), party.Name, string(by.Kind)
	a.MaxLabel, a.MaxDays = maxLabel, maxDays
	for _, role := range by.Roles {
		a.Roles = append(a.Roles, string(role))
	}
	now := c.cfg.Now()
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return c.cfg.Texts.Moment(at, p.Language, o.Zone.String())
	}
	for _, t := range own {
		a.Tokens = append(a.Tokens, ownToken{
			ID: t.ID, Label: t.Label, Created: moment(t.Created), Expires: moment(t.Expires), Used: moment(t.LastUsed),
			Over: !t.Expires.IsZero() && !now.Before(t.Expires),
		})
	}
	p.Data = a
	c.show(w, r, status, p)
	return nil
}

// tokensOf lists the tokens that speak for somebody and are not revoked, the newest first.
func (c *Console) tokensOf(r *http.Request, by authority.Subject) ([]store.Token, error) {
	all, err := c.cfg.Store.Tokens(r.Context())
	return slices.DeleteFunc(all, func(t store.Token) bool {
		return t.Kind != store.Person || t.Actor != by.Actor.ID || !t.Revoked.IsZero()
	}), err
}

// mayManage refuses whoever may not manage tokens of their own.
func (c *Console) mayManage(r *http.Request, by authority.Subject) error {
	object := authority.Object{Kind: authority.Token, Owner: by.Actor.ID}
	if err := authority.May(by, authority.ManageOwnTokens, object); err != nil {
		c.note(r, store.AttemptDenied, by.Actor.ID, r.URL.Path, string(authority.ManageOwnTokens), err.Error())
		return &refusal{status: http.StatusForbidden, name: "account.may-not"}
	}
	return nil
}

// createToken makes a token that speaks for whoever is signed in, and shows it once.
func (c *Console) createToken(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
	if err := c.mayManage(r, by); err != nil {
		return err
	}
	a := account{Label: strings.TrimSpace(r.PostForm.Get("label")), Days: strings.TrimSpace(r.PostForm.Get("days"))}
	days, err := strconv.Atoi(a.Days)
	switch {
	case !isLabel(a.Label):
		a.Fault = "account.label-fault"
	case err != nil || days < 1 || days > maxDays:
		a.Fault = "account.days-fault"
	}
	if a.Fault != "" {
		return c.accountPage(w, r, by, http.StatusUnprocessableEntity, a)
	}
	var roles []string // the folder says them, but of whoever is not in it
	if _, known := c.cfg.Organisation().Subject(by.Actor.ID); !known {
		roles = s.Roles
	}
	secret, made, err := c.cfg.Store.CreateToken(r.Context(), store.Token{
		Actor: by.Actor.ID, Name: by.Actor.Name, Kind: store.Person, Label: a.Label, Roles: roles,
		Expires: c.cfg.Now().AddDate(0, 0, days), CreatedBy: by.Actor.ID,
	})
	if err != nil {
		return err
	}
	c.cfg.Log.Info("token made", "token", made.ID, "actor", by.Actor.ID, "expires", made.Expires)
	p := c.page(r, "token", "token", by.Actor.ID)
	p.Me = by.Actor.Shown()
	p.Data = newToken{made.Label, secret, c.cfg.Texts.Moment(made.Expires, p.Language, c.cfg.Organisation().Zone.String())}
	c.show(w, r, http.StatusOK, p)
	return nil
}

// isLabel tells whether a text is one line that the store takes, and says something.
func isLabel(s string) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxLabel && !strings.ContainsFunc(s, hidden)
}

// revokeToken makes a token of one's own worthless, and ends all sessions but this one: whoever has found the token may have
// signed in with it.
func (c *Console) revokeToken(w http.ResponseWriter, r *http.Request, s store.Session, by authority.Subject) error {
	if err := c.mayManage(r, by); err != nil {
		return err
	}
	own, err := c.tokensOf(r, by)
	if err != nil {
		return err
	}
	id := r.PostForm.Get("token")
	if !slices.ContainsFunc(own, func(t store.Token) bool { return t.ID == id }) {
		return &refusal{status: http.StatusNotFound, name: "account.no-token"}
	}
	if _, err := c.cfg.Store.RevokeToken(r.Context(), id); err != nil {
		return err
	}
	c.cfg.Log.Info("token revoked", "token", id, "actor", by.Actor.ID)
	if _, err := c.cfg.Store.EndSessions(r.Context(), by.Actor.ID); err != nil {
		return err
	}
	if s.Via == byToken+id {
		return c.leave(w, r)
	}
	if err := c.begin(w, r, s); err != nil {
		return err
	}
	seeOther(w, r, accountPath)
	return nil
}

// endSessions signs somebody out everywhere.
func (c *Console) endSessions(w http.ResponseWriter, r *http.Request, _ store.Session, by authority.Subject) error {
	n, err := c.cfg.Store.EndSessions(r.Context(), by.Actor.ID)
	if err != nil {
		return err
	}
	c.cfg.Log.Info("sessions ended", "actor", by.Actor.ID, "sessions", n)
	return c.leave(w, r)
}

// leave forgets the session in this browser, and leads to the sign-in.
func (c *Console) leave(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, cookie(sessionCookie, "", -1))
	seeOther(w, r, loginPath)
	return nil
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/oidc"
	"muster/starter"
	"muster/starter/api"
	"muster/starter/console"
	"muster/worker"
)

// newPages makes the pages for people.
func (n *Node) newPages(cfg api.Config) (*console.Console, error) {
	provider, rolesOf, err := n.signIn()
	if err != nil {
		return nil, err
	}
	return console.New(console.Config{
		Links: n.keys, Incidents: deciding{n.incidents}, PlanRuns: api.Over(n.incidents), Inbox: api.InboxOf(cfg), Calendar: api.CalendarOf(cfg), Reports: worker.Reports(n.cfg.Data), Organisation: n.org.Current, Store: n.store,
		SignIn: provider, RolesOf: rolesOf, Texts: n.texts, Now: time.Now, Log: n.cfg.Log,
	})
}

// signIn is how people sign in by the organisation folder, and the roles that their groups give; nil when they do not.
func (n *Node) signIn() (*oidc.Provider, func(groups []string) []authority.Role, error) {
	o := n.org.Current()
	s, wanted, err := o.SignIn()
	if err != nil || !wanted {
		return nil, nil, err
	}
	if o.PublicURL == "" {
		return nil, nil, errors.New("sign_in: want public_url in organisation.yaml too: the provider sends people back to it")
	}
	provider, err := oidc.New(oidc.Config{
		Issuer: s.Issuer, ClientID: s.ClientID, ClientSecret: string(s.ClientSecret), LoginClaim: s.LoginClaim, GroupsClaim: s.GroupsClaim,
		RedirectURL: strings.TrimRight(o.PublicURL, "/") + "/login/callback",
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sign_in: %w", err)
	}
	return provider, func(groups []string) (roles []authority.Role) {
		for _, r := range s.Roles {
			if slices.Contains(groups, r.Group) && !slices.Contains(roles, r.Role) {
				roles = append(roles, r.Role)
			}
		}
		return roles
	}, nil
}

// deciding is the typed client as the pages use it.
type deciding struct{ *starter.Incidents }

// Command asks something of an incident. What it answers beside is shown by the state.
func (d deciding) Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) error {
	_, err := d.Incidents.Command(ctx, id, r, c)
	return err
}

// watched counts who shows links or tokens that are not good. Who is shut out is told so instead of what is wrong with them.
func (g *guard) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&watching{ResponseWriter: w, guard: g, request: r}, r)
	})
}

// watching sees the status of an answer.
type watching struct {
	http.ResponseWriter

	guard   *guard
	request *http.Request
	refused bool // another answer was given
}

// WriteHeader sends the status, unless whoever asked is shut out.
func (w *watching) WriteHeader(status int) {
	if status == http.StatusUnauthorized || status == http.StatusNotFound && strings.HasPrefix(w.request.URL.Path, link.Path) {
		if wait := w.guard.guess(w.request); wait > 0 {
			w.refused = true
			refusePerson(w.ResponseWriter, wait)
			return
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the page.
func (w *watching) Write(page []byte) (int, error) {
	if w.refused {
		return len(page), nil
	}
	return w.ResponseWriter.Write(page)
}

// session is who is signed in to the pages.
func (n *Node) session(r *http.Request) (authority.Subject, bool) {
	pages := n.pages.Load()
	if pages == nil {
		return authority.Subject{}, false
	}
	return pages.Session(r)
}

// onlyReaders lets to Temporal's own UI who may read every history, those of restricted incidents too, by a session of the
// pages.
func (n *Node) onlyReaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages := n.pages.Load()
		if pages == nil {
			w.Header().Set("Retry-After", "3")
			http.Error(w, "muster is starting: ask again", http.StatusServiceUnavailable)
			return
		}
		who, known := pages.Session(r)
		switch err := authority.May(who, authority.ReadHistory, authority.Object{Kind: authority.Incident, Restricted: true}); {
		case !known:
			http.Error(w, "Sign in at "+n.door.url+"/login first, then load this page again.\n"+
				"먼저 "+n.door.url+"/login 에서 로그인한 다음 이 페이지를 다시 여십시오.", http.StatusUnauthorized)
		case err != nil:
			http.Error(w, err.Error(), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Package console serves the first pages of Muster: the signed links of messages, signing in, and what somebody may do with
// an account of their own. Pages are HTML without scripts. Opening one changes nothing, and what a page decides goes the way
// that every decision goes, through package starter.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/changecalendar"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/oidc"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/internal/store"
	"muster/internal/throttle"
	"muster/starter"
)

// Limits of one request. A server's write time-out must be longer than Patience.
const (
	MaxBody  = 16 << 10
	Patience = 20 * time.Second // for an answer of the engine or of the sign-in provider

	retryAway   = 5 * time.Second
	formsAnHour = 20          // incidents that one form opens: each calls people, and whoever has the link can send it
	retryStuck  = time.Minute // until an operator may have looked
)

// Links reads the tokens of signed links. A token that is no link of this installation is a *link.InvalidError.
type Links interface {
	ReadLink(token string) (link.Link, error)
}

// Incidents is where incidents live. Its errors are those of package starter; any other is one of ours.
type Incidents interface {
	starter.Opener
	// Command asks something of an incident. The same request id twice is one decision.
	Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) error
}

// PlanRuns is where runs of plans live. Its errors are those of package starter; any other is one of ours.
type PlanRuns interface {
	PlanRuns(ctx context.Context, f starter.PlanRunFilter) (rows []starter.PlanRunSummary, next string, err error)
	PlanRun(ctx context.Context, id planrun.ID) (*planrun.Run, error)
	// AskPlanRun asks something of a run. The same request id twice is one decision.
	AskPlanRun(ctx context.Context, id planrun.ID, r starter.Request, c planrun.Command) error
	// Action is an action item that came of a run.
	Action(ctx context.Context, id action.ID) (*action.Action, error)
}

// Reports hands out the reports that a worker keeps, by their names.
type Reports interface {
	Get(ctx context.Context, name string) ([]byte, error)
}

// Config is what the pages need.
type Config struct {
	Links     Links
	Incidents Incidents
	PlanRuns  PlanRuns
	// Inbox finds what waits for a person, with its titles in a language.
	Inbox func(ctx context.Context, by authority.Subject, language string) (starter.Inbox, error)
	// Calendar finds what is planned between two instants, in the order in which it begins, as far as somebody may see it; more tells
	// that not all was looked at.
	Calendar     func(ctx context.Context, by authority.Subject, from, until time.Time) (all []changecalendar.Entry, more bool, err error)
	Reports      Reports
	Organisation func() *org.Organisation // the folder as it is now
	Store        *store.Store
	SignIn       *oidc.Provider // nil: people sign in with a token only
	// RolesOf gives the provider's people who sign in with SignIn roles beyond those of the folder; nil: none.
	RolesOf func(groups []string) []authority.Role
	Texts   *report.Texts
	Now     func() time.Time
	Log     *slog.Logger // nil logs nothing
}

// A Console answers for the pages. It is safe for concurrent use.
type Console struct {
	cfg   Config
	pages map[string]*pages // by language
	files map[string]file   // by path
	cross *http.CrossOriginProtection
	forms *throttle.Rate // how often one form is sent
	next  http.Handler
}

// New makes the pages, each tried once in every language. They stand at "/", and below "/l/", "/login" and "/account".
func New(cfg Config) (*Console, error) {
	if cfg.Links == nil || cfg.Incidents == nil || cfg.PlanRuns == nil || cfg.Inbox == nil || cfg.Calendar == nil || cfg.Reports == nil || cfg.Organisation == nil || cfg.Store == nil || cfg.Texts == nil || cfg.Now == nil {
		return nil, errors.New("make console: want Links, Incidents, PlanRuns, Inbox, Calendar, Reports, Organisation, Store, Texts and Now")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.RolesOf == nil {
		cfg.RolesOf = func([]string) []authority.Role { return nil }
	}
	c := &Console{cfg: cfg, cross: http.NewCrossOriginProtection(), forms: throttle.NewRate(formsAnHour/time.Hour.Seconds(), formsAnHour, cfg.Now)}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("make console: %w", err)
	}
	c.next = c.guarded(c.routes())
	return c, nil
}

// ServeHTTP answers a request with a page.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.next.ServeHTTP(w, r) }

// A handler answers a request, or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// methods are the handlers of one path. Who may GET may also HEAD.
type methods map[string]handler

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	for path, m := range map[string]methods{
		"/{$}":                         {http.MethodGet: c.home},
		link.Path + "{token}":          {http.MethodGet: c.openLink, http.MethodPost: c.useLink},
		loginPath:                      {http.MethodGet: c.showLogin, http.MethodPost: c.ours(c.login)},
		loginPath + "/start":           {http.MethodPost: c.ours(c.startSignIn)},
		loginPath + "/callback":        {http.MethodGet: c.finishSignIn},
		"/logout":                      {http.MethodPost: c.ours(c.logout)},
		accountPath:                    {http.MethodGet: c.signedIn(c.showAccount)},
		accountPath + "/tokens":        {http.MethodPost: c.ours(c.signedIn(c.createToken))},
		accountPath + "/tokens/revoke": {http.MethodPost: c.ours(c.signedIn(c.revokeToken))},
		accountPath + "/sessions/end":  {http.MethodPost: c.ours(c.signedIn(c.endSessions))},

		calendarPath:                        {http.MethodGet: c.signedIn(c.showCalendar)},
		runsPath:                            {http.MethodGet: c.signedIn(c.listRuns)},
		runsPath + "/{id}":                  {http.MethodGet: c.signedIn(c.showRun), http.MethodPost: c.ours(c.signedIn(c.doDeed))},
		runsPath + "/{id}/change":           c.deciding(votes),
		runsPath + "/{id}/votes/{part}":     c.deciding(votes),
		runsPath + "/{id}/waivers/{part}":   c.deciding(waivers),
		runsPath + "/{id}/overrides/{part}": c.deciding(overrides),
		runsPath + "/{id}/reports/{name}":   {http.MethodGet: c.signedIn(c.getReport)},
	} {
		mux.Handle(path, c.handle(m))
	}
	for path, f := range c.files {
		mux.Handle(path, c.handle(methods{http.MethodGet: f.serve}))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.answer(w, r, &refusal{status: http.StatusNotFound, name: "no-page"})
	})
	return mux
}

// guarded sets the headers that every answer has, and answers when a handler panics.
func (c *Console) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "+
			"frame-ancestors 'none'; base-uri 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				c.cfg.Log.Error("request panicked", "method", r.Method, "path", link.Shown(r.URL.Path), "panic", cause(v),
					"stack", string(debug.Stack()))
				c.answer(w, r, errPanicked)
			}
		}()
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

// cause is what a log may show of a panic: its value may hold anything.
func cause(v any) string {
	if e, ok := v.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", v)
}

var errPanicked = &refusal{status: http.StatusInternalServerError, name: "error"}

// handle chooses the handler of a method, and answers its errors.
func (c *Console) handle(m methods) http.Handler {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if m[method] != nil || method == http.MethodHead && m[http.MethodGet] != nil {
			allow = append(allow, method)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allow, r.Method) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			c.answer(w, r, &refusal{status: http.StatusMethodNotAllowed, name: "method"})
			return
		}
		span := trace.SpanFromContext(r.Context()) // which knows no more than the part of the path by which the request came here
		span.SetName(r.Method + " " + r.Pattern)
		span.SetAttributes(attribute.String("http.route", r.Pattern))
		h := m[r.Method]
		if r.Method == http.MethodHead {
			h = m[http.MethodGet]
		}
		ctx, cancel := context.WithTimeout(r.Context(), Patience)
		defer cancel()
		r = r.WithContext(ctx)
		if r.Method == http.MethodPost {
			if err := readForm(r); err != nil {
				c.answer(w, r, err)
				return
			}
		}
		if err := h(w, r); err != nil {
			c.answer(w, r, err)
		}
	})
}

// readForm reads the form of a request into r.PostForm.
func readForm(r *http.Request) error {
	err := r.ParseForm()
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &refusal{status: http.StatusRequestEntityTooLarge, name: "large"}
	}
	if err != nil {
		return &refusal{status: http.StatusBadRequest, name: "form"}
	}
	return nil
}

// ours takes no form that another site has sent.
func (c *Console) ours(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := c.cross.Check(r); err != nil {
			return c.foreign(r)
		}
		return h(w, r)
	}
}

func (c *Console) foreign(r *http.Request) error {
	c.note(r, store.AttemptDenied, "", link.Shown(r.URL.Path), r.Method, "the form was sent by another site")
	return &refusal{status: http.StatusForbidden, name: "cross-site"}
}

// A refusal is a page that says why not.
type refusal struct {
	status int
	name   string // of the page's words
	at     time.Time
	detail string // the sign-in provider's own words
	retry  time.Duration
}

// Error names the page.
func (e *refusal) Error() string { return e.name }

// answer says in a page what an error means. What only operators may know goes to the log.
func (c *Console) answer(w http.ResponseWriter, r *http.Request, err error) {
	no := c.refusalOf(r, err)
	if no.retry > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(no.retry.Seconds())))
	}
	p := c.page(r, "message", no.name, c.person(r))
	o := c.cfg.Organisation()
	message := message{Detail: no.detail}
	if !no.at.IsZero() {
		message.At = c.cfg.Texts.Moment(no.at, p.Language, o.Zone.String())
	}
	if strings.HasPrefix(r.URL.Path, link.Path) && no.retry > 0 {
		message.Again = p.here(r)
	}
	p.Data = message
	c.show(w, r, no.status, p)
}

// person is whom a request comes from, as far as that is known without asking the engine: a page that says no has that
// person's language too.
func (c *Console) person(r *http.Request) string {
	if !strings.HasPrefix(r.URL.Path, link.Path) {
		by, _ := c.Session(r)
		return by.Actor.ID
	}
	l, err := c.cfg.Links.ReadLink(strings.TrimPrefix(r.URL.Path, link.Path))
	if err != nil {
		return ""
	}
	return l.Person
}

func (c *Console) refusalOf(r *http.Request, err error) *refusal {
	if no, ok := errors.AsType[*refusal](err); ok {
		return no
	}
	level := slog.LevelError
	if errors.Is(r.Context().Err(), context.Canceled) {
		level = slog.LevelInfo // who had asked has gone
	}
	c.cfg.Log.Log(r.Context(), level, "request not answered", "method", r.Method, "path", link.Shown(r.URL.Path), "error", err)
	if _, ok := errors.AsType[*starter.StuckError](err); ok {
		return &refusal{status: http.StatusServiceUnavailable, name: "away", retry: retryStuck}
	}
	_, engine := errors.AsType[*starter.UnavailableError](err)
	_, provider := errors.AsType[*oidc.UnavailableError](err)
	switch {
	case provider:
		return &refusal{status: http.StatusServiceUnavailable, name: "provider-away", retry: retryAway}
	case engine || errors.Is(err, context.DeadlineExceeded) || r.Context().Err() != nil:
		return &refusal{status: http.StatusServiceUnavailable, name: "away", retry: retryAway}
	}
	return errPanicked
}

// note keeps a refused attempt. A log that cannot be written is no reason to let somebody in, and none not to answer.
func (c *Console) note(r *http.Request, kind store.AttemptKind, actor, subject, what, why string) {
	a := store.Attempt{Kind: kind, Actor: actor, Remote: throttle.Address(r), Subject: subject, Message: what, Detail: why}
	if _, err := c.cfg.Store.Record(context.WithoutCancel(r.Context()), a); err != nil {
		c.cfg.Log.Error("refused attempt not recorded", "kind", kind, "actor", actor, "subject", subject, "error", err)
	}
}

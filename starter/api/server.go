package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"muster/internal/authority"
	"muster/internal/handover"
	"muster/internal/keyring"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/store"
	"muster/internal/throttle"
	"muster/starter"
)

// Limits of one request. A server's write time-out must be longer than Patience.
const (
	MaxBody  = 64 << 10
	MaxRows  = 200              // of one page of a list
	Patience = 20 * time.Second // for an answer of the backend

	defaultRows = 50
	retryAfter  = 2 * time.Second
	retryStuck  = time.Minute // until an operator may have looked
)

// Config is what the API needs.
type Config struct {
	Backend   Backend
	Store     *store.Store
	Keys      Keys
	Links     Links            // of forms; nil: people cannot reach the pages
	Codec     Codec            // nil: payloads are not encrypted
	Directory func() Directory // the organisation folder as it is now
	// Guess notes that somebody has shown a token that is not good, and returns for how long its address is shut out, zero
	// if not. Nil shuts nobody out.
	Guess func(r *http.Request) time.Duration
	// CodecOrigins are those of pages that may ask for payloads in clear, and Session is who is signed in to the pages; nil: nobody.
	CodecOrigins []string
	Session      func(r *http.Request) (by authority.Subject, known bool)

	Texts    *report.Texts
	Language string // of the organisation: for whoever asks for no other
	Zone     string // of the organisation, an IANA name
	Version  Version
	Now      func() time.Time
	Log      *slog.Logger // nil logs nothing
}

// Keys are those with which the installation signs.
type Keys interface {
	Keys() []keyring.Key
	Rotate() (keyring.Key, error)
	Revoke(id string) error
}

// Requests of one token: so many at once, and so many a second in the long run.
const (
	tokenBurst = 200
	tokenRate  = 50
)

type server struct {
	Config
	rate     *throttle.Rate
	document func() (*document, error)
}

// A route is one resource and method. The verb is what the visitor must be allowed; without a kind, the handler asks itself.
type route struct {
	method, path string
	verb         authority.Verb
	kind         authority.Kind
	handle       handler
}

// routes are all that the API answers to those who have a token.
func (s *server) routes() []route {
	heavy := inTurn(2) // each reads whole histories: after a storm, a hundred megabytes
	const one, oneHandover, oneRequest = "incidents/{id}", "schedules/{id}/handover", "requests/{id}"
	all := []route{
		{http.MethodGet, "me", "", "", s.me},
		{http.MethodGet, "inbox", "", "", inTurn(4)(s.inbox)}, // each asks many runs
		{http.MethodGet, "incidents", "", "", s.list},
		{http.MethodPost, "incidents", "", "", s.open}, // asks itself: what it will be about stands in the body
		{http.MethodPost, "forms", authority.MakeForm, authority.Incident, s.makeForm},
		{http.MethodGet, one, authority.Read, authority.Incident, s.show},
		{http.MethodGet, one + "/timeline", authority.Read, authority.Incident, s.timeline},
		{http.MethodGet, one + "/alerts", authority.ReadInternal, authority.Incident, heavy(s.alerts)},
		{http.MethodGet, one + "/report", authority.ReadInternal, authority.Incident, s.report},
		{http.MethodGet, one + "/update-draft", authority.ReadInternal, authority.Incident, s.updateDraft},
		{http.MethodGet, one + "/history", authority.ReadHistory, authority.Incident, heavy(s.history)},
		{http.MethodGet, one + "/review", authority.Read, authority.Review, s.review},
		{http.MethodPost, one + "/review", authority.Open, authority.Review, s.openReview},
		{http.MethodGet, one + "/review/report", authority.Read, authority.Review, s.reviewReport},
		{http.MethodGet, "reviews", "", "", inTurn(4)(s.listReviews)}, // each asks many reviews
		{http.MethodGet, oneHandover, authority.Read, authority.Handover, s.handover},
		{http.MethodPost, oneHandover, authority.HandOver, authority.Handover, s.startHandover},
		{http.MethodPost, oneHandover + "/confirm", authority.Confirm, authority.Handover, s.confirmHandover},
		{http.MethodPost, oneHandover + "/decline", authority.HandOver, authority.Handover, onHandover[handover.Decline](s)},
		{http.MethodPost, oneHandover + "/note", authority.Note, authority.Handover, onHandover[handover.Note](s)},
		{http.MethodGet, "requests", "", "", s.listRequests},
		{http.MethodPost, "requests", "", "", s.openRequest},
		{http.MethodGet, oneRequest, authority.Read, authority.Request, s.showRequest},
		{http.MethodGet, oneRequest + "/report", authority.Read, authority.Request, s.requestReport},
		{http.MethodPost, oneRequest + "/approve", authority.Approve, authority.Request, onRequest[request.Approve](s)},
		{http.MethodPost, oneRequest + "/decline", authority.Approve, authority.Request, onRequest[request.Decline](s)},
		{http.MethodPost, oneRequest + "/answer", authority.Answer, authority.Request, s.answerRequest},
		{http.MethodPost, oneRequest + "/withdraw", authority.Withdraw, authority.Request, onRequest[request.Withdraw](s)},
		{http.MethodPost, oneRequest + "/take", authority.Work, authority.Request, onRequest[request.Take](s)},
		{http.MethodPost, oneRequest + "/hand-over", authority.Work, authority.Request, s.handOverRequest},
		{http.MethodPost, oneRequest + "/collect", authority.Work, authority.Request, onRequest[request.Collect](s)},
		{http.MethodPost, oneRequest + "/meeting", authority.Work, authority.Request, onRequest[request.Meet](s)},
		{http.MethodGet, oneRequest + "/minutes", authority.Read, authority.Request, s.minutes},
		{http.MethodPost, oneRequest + "/case", authority.Work, authority.Request, s.caseRequest},
		{http.MethodPost, oneRequest + "/judge", authority.Confirm, authority.Request, s.judgeRequest},
		{http.MethodPost, oneRequest + "/incident", authority.Work, authority.Request, s.promoteRequest},
		{http.MethodPost, oneRequest + "/note", authority.Note, authority.Request, onRequest[request.Note](s)},
		{http.MethodGet, "heartbeats", authority.Read, authority.Heartbeat, inTurn(2)(s.listHeartbeats)}, // asks all of them
		{http.MethodGet, "tokens", "", "", s.listTokens},
		{http.MethodPost, "tokens", "", "", s.createToken},
		{http.MethodDelete, "tokens/{id}", "", "", s.revokeToken},
		{http.MethodGet, "attempts", authority.ReadAttempts, authority.Attempts, s.listAttempts},
		{http.MethodGet, "keys", authority.ReadHistory, authority.Incident, s.listKeys}, // public halves, for who checks histories
		{http.MethodPost, "keys", authority.ManageKeys, authority.Keys, s.rotateKeys},
		{http.MethodDelete, "keys/{id}", authority.ManageKeys, authority.Keys, s.revokeKey},
		{http.MethodPost, "codec/decode", "", "", inTurn(2)(s.decode)}, // asks itself: it is about every history
	}
	all = append(all, s.planRoutes(heavy)...)
	all = append(all, s.problemRoutes()...)
	all = append(all, s.changeRoutes()...)
	all = append(all, s.contactRoutes()...)
	all = append(all, s.actionRoutes()...)
	all = append(all, s.escalationRoutes()...)
	all = append(all, s.silenceRoutes()...)
	all = append(all, s.routineRoutes()...)
	all = append(all, s.responseRoutes()...)
	all = append(all, s.assetRoutes()...)
	for _, a := range reviewAsks() {
		all = append(all, route{http.MethodPost, one + "/review/" + a.name, a.verb, authority.Review, s.onReview(a)})
	}
	for _, v := range verbs() {
		all = append(all, route{http.MethodPost, one + "/" + v.name, v.verb, authority.Incident, s.command(v)})
	}
	return all
}

// New makes the API. It answers everything below /api/.
func New(cfg Config) (http.Handler, error) {
	if cfg.Backend == nil || cfg.Store == nil || cfg.Keys == nil || cfg.Directory == nil || cfg.Texts == nil || cfg.Now == nil {
		return nil, errors.New("make api: want Backend, Store, Keys, Directory, Texts and Now")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Guess == nil {
		cfg.Guess = func(*http.Request) time.Duration { return 0 }
	}
	cfg.Language, cfg.Zone = cmp.Or(cfg.Language, "en"), cmp.Or(cfg.Zone, "UTC")
	s := &server{Config: cfg, rate: throttle.NewRate(tokenRate, tokenBurst, cfg.Now), document: documents(cfg.Version.Version)}

	closed := http.NewServeMux()
	closed.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refusal.Body{Status: http.StatusNotFound, Detail: "no such resource"}.Write(w)
	})
	methods := map[string]map[string]handler{} // by path
	for _, r := range s.routes() {
		if Path+r.path == decodePath && cfg.Codec == nil {
			continue
		}
		if methods[r.path] == nil {
			methods[r.path] = map[string]handler{}
		}
		methods[r.path][r.method] = s.permitted(r)
	}
	for path, by := range methods {
		closed.Handle(Path+path, s.handle(by))
	}

	open := http.NewServeMux()
	open.Handle(root, s.authenticated(closed))
	if cfg.Codec != nil {
		open.Handle(decodePath, s.shared(s.seated(closed)))
		open.HandleFunc(CodecPath+"encode", s.encode)
	}
	open.Handle(Path+"version", s.handle(map[string]handler{http.MethodGet: s.version}))
	open.Handle(Path+"openapi.json", s.handle(map[string]handler{http.MethodGet: s.describe}))
	open.Handle(root+"docs", s.handle(map[string]handler{http.MethodGet: s.docs}))
	return s.guarded(open), nil
}

// permitted lets through to a route who may do what it does.
func (s *server) permitted(to route) handler {
	if to.kind == "" {
		return to.handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.may(r, to.verb, to.kind); err != nil {
			return err
		}
		return to.handle(w, r)
	}
}

// inTurn lets only so many requests at a time through to the handlers that it wraps. The others wait.
func inTurn(most int) func(handler) handler {
	places := make(chan struct{}, most)
	return func(h handler) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
				return h(w, r)
			case <-r.Context().Done():
				return &starter.UnavailableError{Cause: r.Context().Err()}
			}
		}
	}
}

// guarded sets the headers that every answer has, and answers when a handler panics.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				s.Log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				refusal.Body{Detail: "an error of ours; the server's log has it"}.Write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// A handler answers a request, or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// handle answers each method with its handler, and the errors of handlers with problems.
func (s *server) handle(methods map[string]handler) http.Handler {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if methods[m] == nil {
			continue
		}
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allow, r.Method) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			refusal.Body{Status: http.StatusMethodNotAllowed, Detail: "want " + oneOf(allow)}.Write(w)
			return
		}
		span := trace.SpanFromContext(r.Context()) // which knows no more than the part of the path by which the request came here
		span.SetName(r.Method + " " + r.Pattern)
		span.SetAttributes(attribute.String("http.route", r.Pattern))
		ctx, cancel := context.WithTimeout(r.Context(), Patience)
		defer cancel()
		h := methods[r.Method]
		if r.Method == http.MethodHead {
			h = methods[http.MethodGet]
		}
		if err := h(w, r.WithContext(ctx)); err != nil {
			s.problemOf(r, err).Write(w)
		}
	})
}

// problemOf says in a problem what an error means. What only operators may know goes to the log.
func (s *server) problemOf(r *http.Request, err error) refusal.Body {
	var p refusal.Body
	if errors.As(err, &p) {
		return p
	}
	if e, ok := errors.AsType[*starter.NotFoundError](err); ok {
		return refusal.Body{Status: http.StatusNotFound, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*starter.RefusedError](err); ok {
		return refusal.Body{Title: "Refused", Status: http.StatusConflict, Detail: e.Error()}
	}
	level := slog.LevelError
	if errors.Is(r.Context().Err(), context.Canceled) {
		level = slog.LevelInfo // who had asked has gone
	}
	s.Log.Log(r.Context(), level, "request not answered", "method", r.Method, "path", r.URL.Path, "error", err)
	if e, ok := errors.AsType[*starter.StuckError](err); ok {
		p = refusal.Body{Type: StuckRefusal, Title: "Run cannot go on", Status: http.StatusServiceUnavailable, RetryAfter: retryStuck}
		p.Detail = e.Error() + "; an operator must look, and until then asking again does not help"
		return p
	}
	_, away := errors.AsType[*starter.UnavailableError](err)
	if !away && !errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil {
		if store.Away(err) {
			return refusal.Body{Status: http.StatusServiceUnavailable, RetryAfter: retryAfter, Detail: "the database of tokens and sessions does not answer: ask again"}
		}
		return refusal.Body{Detail: "an error of ours; the server's log has it"}
	}
	p = refusal.Body{Status: http.StatusServiceUnavailable, RetryAfter: retryAfter, Detail: "the engine does not answer in time: ask again"}
	if r.Method == http.MethodPost {
		p.Detail = "the engine does not answer in time: it may have been done, and repeating it under the same " + keyHeader + " does no harm"
	}
	return p
}

func (s *server) version(w http.ResponseWriter, _ *http.Request) error { return answer(w, s.Version) }

// answer sends a value as JSON.
func answer(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return send(w, "application/json", b.Bytes())
}

func send(w http.ResponseWriter, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // a client that has gone needs no answer
	return nil
}

// onCommand reads a command of type C, which is one of those that ask takes, and asks it in the name of the visitor.
func onCommand[C, I any](s *server, ask func(http.ResponseWriter, *http.Request, starter.Request, I) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var c C
		req, err := s.request(w, r, &c)
		if err != nil {
			return err
		}
		command, _ := any(c).(I)
		return ask(w, r, req, command)
	}
}

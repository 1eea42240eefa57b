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

	"muster/internal/delivery"
	"muster/internal/problem"
	"muster/internal/report"
	"muster/internal/timeline"
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
	Backend  Backend
	Tokens   *Tokens
	Person   func(id string) (delivery.Recipient, bool) // in the organisation folder as it is now
	Texts    *report.Texts
	Language string // of the organisation: for whoever asks for no other
	Zone     string // of the organisation, an IANA name
	Version  Version
	Now      func() time.Time
	Log      *slog.Logger // nil logs nothing
}

type server struct {
	Config
}

// New makes the API. It answers everything below /api/.
func New(cfg Config) (http.Handler, error) {
	if cfg.Backend == nil || cfg.Tokens == nil || cfg.Person == nil || cfg.Texts == nil || cfg.Now == nil {
		return nil, errors.New("make api: want Backend, Tokens, Person, Texts and Now")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Language, cfg.Zone = cmp.Or(cfg.Language, "en"), cmp.Or(cfg.Zone, "UTC")
	s := &server{cfg}
	heavy := inTurn(2) // each reads whole histories: after a storm, a hundred megabytes

	closed := http.NewServeMux()
	closed.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problem.Problem{Status: http.StatusNotFound, Detail: "no such resource"}.Write(w)
	})
	for path, h := range map[string]handler{
		"incidents":               s.list,
		"incidents/{id}":          s.show,
		"incidents/{id}/alerts":   heavy(s.alerts),
		"incidents/{id}/timeline": s.timeline,
		"incidents/{id}/report":   s.report,
		"incidents/{id}/history":  heavy(s.history),
	} {
		closed.Handle(Path+path, s.handle(http.MethodGet, h))
	}
	for _, v := range verbs() {
		closed.Handle(Path+"incidents/{id}/"+v.name, s.handle(http.MethodPost, s.command(v)))
	}

	open := http.NewServeMux()
	open.Handle(root, s.authenticated(closed))
	open.Handle(Path+"version", s.handle(http.MethodGet, s.version))
	return s.guarded(open), nil
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
				problem.Problem{Detail: "an error of ours; the server's log has it"}.Write(w)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

type actorKey struct{}

// actor is who acts, as the token says.
func actor(ctx context.Context) timeline.Actor {
	a, _ := ctx.Value(actorKey{}).(timeline.Actor)
	return a
}

// authenticated lets nobody in without a token.
func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		by, err := s.Tokens.Actor(strings.TrimSpace(token))
		if err != nil {
			s.Log.Warn("token refused", "remote", r.RemoteAddr, "method", r.Method, "path", r.URL.Path, "cause", err)
			w.Header().Set("WWW-Authenticate", `Bearer realm="muster"`)
			problem.Problem{Status: http.StatusUnauthorized, Field: "Authorization", Detail: err.Error()}.Write(w)
			return
		}
		if by.Name == "" && by.Kind == timeline.Person {
			p, _ := s.Person(by.ID)
			by.Name = p.Name
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, by)))
	})
}

// A handler answers a request, or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// handle answers one method with h, and the errors of h with problems.
func (s *server) handle(method string, h handler) http.Handler {
	allow := []string{method}
	if method == http.MethodGet {
		allow = append(allow, http.MethodHead)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allow, r.Method) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			problem.Problem{Status: http.StatusMethodNotAllowed, Detail: "want " + oneOf(allow)}.Write(w)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), Patience)
		defer cancel()
		if err := h(w, r.WithContext(ctx)); err != nil {
			s.problemOf(r, err).Write(w)
		}
	})
}

// problemOf says in a problem what an error means. What only operators may know goes to the log.
func (s *server) problemOf(r *http.Request, err error) problem.Problem {
	var p problem.Problem
	if errors.As(err, &p) {
		return p
	}
	if e, ok := errors.AsType[*starter.NotFoundError](err); ok {
		return problem.Problem{Status: http.StatusNotFound, Detail: e.Error()}
	}
	if e, ok := errors.AsType[*starter.RefusedError](err); ok {
		return problem.Problem{Title: "Refused", Status: http.StatusConflict, Detail: e.Error()}
	}
	level := slog.LevelError
	if errors.Is(r.Context().Err(), context.Canceled) {
		level = slog.LevelInfo // who had asked has gone
	}
	s.Log.Log(r.Context(), level, "request not answered", "method", r.Method, "path", r.URL.Path, "error", err)
	if e, ok := errors.AsType[*starter.StuckError](err); ok {
		p = problem.Problem{Type: StuckProblem, Title: "Run cannot go on", Status: http.StatusServiceUnavailable, RetryAfter: retryStuck}
		p.Detail = e.Error() + "; an operator must look, and until then asking again does not help"
		return p
	}
	_, away := errors.AsType[*starter.UnavailableError](err)
	if !away && !errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil {
		return problem.Problem{Detail: "an error of ours; the server's log has it"}
	}
	p = problem.Problem{Status: http.StatusServiceUnavailable, RetryAfter: retryAfter, Detail: "the engine does not answer in time: ask again"}
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

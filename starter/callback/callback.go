// Package callback is where tools outside send back what people did there: a button in a chat, a key on a telephone. Each tool
// proves itself in its own way. Who acts is somebody of the organisation folder, who may do there what they may do anywhere.
package callback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/refusal"
	"muster/internal/store"
	"muster/internal/throttle"
	"muster/internal/ticket"
	"muster/internal/tickethook"
	"muster/internal/timeline"
	"muster/starter"
)

// Prefix begins the path of every tool.
const Prefix = "/v1/callbacks/"

// Limits of one request.
const (
	MaxBody  = 1 << 20
	Patience = 10 * time.Second // for an answer of the engine

	retryAway = 5 * time.Second
)

// Incidents is where incidents live. Its errors are those of package starter; any other is one of ours.
type Incidents interface {
	State(ctx context.Context, id incident.ID) (*incident.Incident, error)
	// Command asks something of an incident. The same request id twice is one decision.
	Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) error
	// TicketChanged tells the incident that a ticket names what was done to it in its own system.
	TicketChanged(ctx context.Context, t ticket.Told, by timeline.Actor) error
}

// Attempts keeps what was refused.
type Attempts interface {
	Record(ctx context.Context, a store.Attempt) (store.Attempt, error)
}

// Links reads signed links. Its error for what is none is a *link.InvalidError; any other is one of ours.
type Links interface {
	ReadLink(token string) (link.Link, error)
}

// A Directory says who somebody is in PagerDuty, and by which keys an incident there is known to whoever has sent it. A
// *delivery.Refusal is final; any other error passes.
type Directory interface {
	Mail(ctx context.Context, user string) (string, error)
	Keys(ctx context.Context, incident string) ([]string, error)
}

// Config is what the tools need.
type Config struct {
	Incidents    Incidents
	Organisation func() *org.Organisation // the folder as it is now
	Attempts     Attempts
	Links        Links                         // of the keys on telephones
	PagerDuty    func(org.PagerDuty) Directory // nil: nobody can say who somebody is there
	Tickets      *tickethook.System            // the ticket system; nil: it may tell nothing
	Guess        func(r *http.Request)         // is told of whoever does not prove to be a tool; nil: nobody is told
	// Tell posts JSON to where a tool wants to hear what came of it; nil: nobody is told. Only the URL's host may be shown.
	Tell func(ctx context.Context, url string, body []byte) error
	Now  func() time.Time
	Log  *slog.Logger // nil logs nothing
}

// Callbacks answers what tools send.
type Callbacks struct{ cfg Config }

// New makes the way back.
func New(cfg Config) (*Callbacks, error) {
	if cfg.Incidents == nil || cfg.Organisation == nil || cfg.Attempts == nil || cfg.Links == nil || cfg.Now == nil {
		return nil, errors.New("make callbacks: want Incidents, Organisation, Attempts, Links and Now")
	}
	if cfg.Guess == nil {
		cfg.Guess = func(*http.Request) {}
	}
	if cfg.Tell == nil {
		cfg.Tell = func(context.Context, string, []byte) error { return nil }
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	return &Callbacks{cfg}, nil
}

// A tool is one that sends back.
type tool struct {
	name string                  // after Prefix; what follows it in a path is the tool's own
	used func(c *Callbacks) bool // whether the organisation uses it; nil: it does
	// take proves that the tool has sent a body, does what it says, and answers. An error is answered for it: a refusal.Body as
	// it is, any other as one that passes.
	take func(c *Callbacks, w http.ResponseWriter, r *http.Request, body []byte) error
}

// tools are all that send back.
func tools() []tool {
	return []tool{
		{name: "slack", take: (*Callbacks).takeSlack},
		{name: "voice", take: (*Callbacks).takeKey},
		{name: "pagerduty", take: (*Callbacks).takePagerDuty},
		{name: "tickets", take: (*Callbacks).takeTickets, used: func(c *Callbacks) bool { return c.cfg.Tickets != nil }},
	}
}

// toolOf returns the tool of a path.
func toolOf(path string) (tool, bool) {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, Prefix), "/")
	for _, t := range tools() {
		if t.name == name {
			return t, true
		}
	}
	return tool{}, false
}

// ServeHTTP answers one request of a tool.
func (c *Callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := c.serve(w, r)
	if err == nil {
		return
	}
	b, refused := errors.AsType[refusal.Body](err)
	if !refused {
		c.cfg.Log.Warn("callback not taken", "path", link.Shown(r.URL.Path), "error", err)
		b = refusal.Body{Status: http.StatusServiceUnavailable, Detail: "the engine does not answer: send it again", RetryAfter: retryAway}
	}
	b.Title = cmp.Or(b.Title, "Callback not accepted")
	b.Write(w)
}

func (c *Callbacks) serve(w http.ResponseWriter, r *http.Request) error {
	t, known := toolOf(r.URL.Path)
	if !known || t.used != nil && !t.used(c) {
		return refusal.Body{Status: http.StatusNotFound, Detail: "want the path of a tool that sends back, such as " + Prefix + "slack"}
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return refusal.Body{Status: http.StatusMethodNotAllowed, Detail: "want POST"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if large, is := errors.AsType[*http.MaxBytesError](err); is {
		return refusal.Body{Status: http.StatusRequestEntityTooLarge, Field: "body", Detail: fmt.Sprintf("want at most %d bytes", large.Limit)}
	}
	if err != nil {
		return refusal.Body{Status: http.StatusBadRequest, Field: "body", Detail: "ended early"}
	}
	return t.take(c, w, r, body)
}

// unproven is the refusal of whoever does not prove to be a tool.
func (c *Callbacks) unproven(r *http.Request, field, detail string) error {
	c.cfg.Guess(r)
	c.note(r, store.AttemptCallback, "", link.Shown(r.URL.Path), field, detail)
	return refusal.Body{Status: http.StatusUnauthorized, Field: field, Detail: detail}
}

// note keeps a refused attempt.
func (c *Callbacks) note(r *http.Request, kind store.AttemptKind, actor, subject, what, why string) {
	a := store.Attempt{Kind: kind, Actor: actor, Remote: throttle.Address(r), Subject: subject, Message: what, Detail: why}
	if _, err := c.cfg.Attempts.Record(context.WithoutCancel(r.Context()), a); err != nil {
		c.cfg.Log.Error("refused attempt not recorded", "kind", kind, "actor", actor, "subject", subject, "error", err)
	}
}

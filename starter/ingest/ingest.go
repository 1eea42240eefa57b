// Package ingest takes alerts in: it checks what a source posts, and answers when the alerts are durable and not before.
// It keeps nothing of its own: what is not durable is answered with 503, and the source posts it again.
package ingest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/refusal"
)

// Limits of one request, and of all of them together.
const (
	MaxBody   = 16 << 20
	MaxSigned = 1 << 20 // of a body whose sender is not known before all of it is read
	MaxAlerts = 20_000
	MaxHeld   = 64 << 20         // bodies that are read or wait
	BodyTime  = 20 * time.Second // for reading a body
	Patience  = 30 * time.Second // for commits after that: a server's write time-out must be longer than both together

	retryAfter = 3 * time.Second
	fetchTime  = 10 * time.Second
)

// Key is the identity of an alert group's incident: its workflow id. It is an alias so that whoever implements Incidents
// need not know this package.
type Key = string

// Incidents makes alerts durable.
type Incidents interface {
	// Deliver brings a batch to the open incident of a key, and opens it when the batch has a firing alert.
	// When it returns nil, the batch is durable.
	Deliver(ctx context.Context, key Key, def incident.Definition, b alert.Batch) error
}

// A Router finds what was promised for an incident.
type Router interface {
	// Definition is asked with the labels that all alerts of the incident have in common, and, when they are several, with
	// those of each that fires: their highest impact and urgency count.
	Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error)
	// Levels returns the impact and urgency of that definition alone, empty where it has none. It is asked for every request.
	Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level)
	// GroupKey returns the route of one alert and the values of the labels by which that route groups, and whether it does:
	// alerts that share both are one incident, whatever groups the source makes. It is asked for every alert.
	GroupKey(source string, labels alert.Labels) (route string, values alert.Labels, ok bool)
}

// Config is what an Intake needs.
type Config struct {
	Sources   []Source // without a token among them whoever posts from this machine is the first one of its format
	Incidents Incidents
	Router    Router
	Key       func(source, receiver string, group alert.Labels) Key // from the groupLabels, sorted
	RouteKey  func(source, route string, values alert.Labels) Key   // from what GroupKey returns
	// Guess is told of whoever shows a token of no source, and returns for how long their address is shut out, zero if it is not; nil: nobody
	// is told.
	Guess func(r *http.Request) time.Duration
	Now   func() time.Time
	// Acknowledge takes the open incident of a key in the name of a source. It returns why the incident refuses; nil: none is taken.
	Acknowledge func(ctx context.Context, key Key, source string) (refused string, err error)
	// Announce starts the plan for what a source announces, or tells the run that it has started of news, and says whether there is a plan
	// for it. A *org.PlanRefusal or *starter.RefusedError says that it cannot be started; nil: there is a plan for nothing.
	Announce   func(ctx context.Context, source string, n alert.Notice) (known bool, err error)
	Heartbeats Heartbeats   // nil: nobody listens for jobs
	Fetch      Fetch        // nil: nothing is fetched, so no topic of SNS can prove itself
	InFlight   int          // durable calls at a time; 0 means 16
	Log        *slog.Logger // nil logs nothing
}

// Fetch gets what a URL has, from outside and nowhere else. The URL may be a secret.
type Fetch func(ctx context.Context, url string) ([]byte, error)

// An Intake answers POST requests with alerts, in the format that their path names.
type Intake struct {
	guard   guard
	key     func(source, receiver string, group alert.Labels) Key
	now     func() time.Time
	commits committer
	buffers sync.Pool
	held    atomic.Int64

	routeKey func(source, route string, values alert.Labels) Key
	take     func(ctx context.Context, key Key, source string) (string, error)
	tell     func(ctx context.Context, source string, n alert.Notice) (bool, error)
	fetch    Fetch
	beats    Heartbeats
	paces    paces
	certs    certificates

	accepted, refused, unavailable, abandoned, alerts atomic.Int64
}

// Stats are counted since the Intake was made; the last three are as they are now.
type Stats struct {
	Accepted, Refused, Unavailable, Abandoned int64 // requests by outcome: 200, 4xx, 503, the client has gone
	Alerts                                    int64 // in accepted requests
	Commits, Failures                         int64 // durable calls that were confirmed; commits that were not
	Waiting, InFlight                         int   // commits that wait for their turn, and that have it
	HeldBytes                                 int64 // bodies
}

// New makes an Intake.
func New(cfg Config) (*Intake, error) {
	if cfg.Incidents == nil || cfg.Router == nil || cfg.Key == nil || cfg.RouteKey == nil || cfg.Now == nil || cfg.InFlight < 0 {
		return nil, errors.New("make intake: want Incidents, Router, Key, RouteKey and Now, and InFlight not negative")
	}
	g, err := newGuard(cfg.Sources, cfg.Guess)
	if err != nil {
		return nil, fmt.Errorf("make intake: %w", err)
	}
	in := &Intake{guard: g, key: cfg.Key, routeKey: cfg.RouteKey, now: cfg.Now, take: cfg.Acknowledge, tell: cfg.Announce, fetch: cfg.Fetch, beats: cfg.Heartbeats}
	in.certs.turn = make(chan struct{}, 1)
	in.buffers.New = func() any { return new(bytes.Buffer) }
	in.commits = committer{
		incidents: cfg.Incidents, router: cfg.Router, log: cfg.Log, groups: map[Key]*group{},
		gate: gate{limit: cmp.Or(cfg.InFlight, 16), room: Queue},
	}
	if cfg.Log == nil {
		in.commits.log = slog.New(slog.DiscardHandler)
	}
	return in, nil
}

// ServeHTTP answers 200 when all alerts of the body are durable, 4xx when posting it again would not help, and 503 with
// Retry-After when it would: never 429, which Alertmanager does not retry.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, HeartbeatPrefix) {
		in.beat(w, r)
		return
	}
	body := held{in: in}
	defer body.release()
	f, named, err := formatOf(r.URL.Path)
	if err != nil {
		in.refuse(w, r, f, err)
		return
	}
	if f.asks && r.Method == http.MethodOptions {
		if err := in.greet(w, r, f, named); err != nil {
			in.refuse(w, r, f, err)
		}
		return
	}
	m, parcels, err := in.accept(w, r, f, named, &body)
	if err != nil {
		in.refuse(w, r, f, err)
		return
	}
	alerts, commits := 0, 0
	for _, p := range parcels {
		alerts, commits = alerts+len(p.alerts), commits+p.commits
	}
	in.accepted.Add(1)
	in.alerts.Add(int64(alerts))
	w.Header().Set("Content-Type", "application/json")
	if f.answer != nil {
		f.answer(w, m, alerts, commits)
		return
	}
	_, _ = fmt.Fprintf(w, `{"status":"accepted","alerts":%d,"commits":%d}`+"\n", alerts, commits)
}

// accept returns what a request says, and the posts that it becomes, when all of it is durable.
func (in *Intake) accept(w http.ResponseWriter, r *http.Request, f format, named string, body *held) (m message, parcels []parcel, err error) {
	var from Source
	if f.token == nil {
		if from, err = in.guard.identify(w, r, f, named); err != nil {
			return m, nil, err
		}
	}
	if err := checkHeader(w, r, f); err != nil {
		return m, nil, err
	}
	m, received, err := in.read(w, r, body, from.limit(f), func(c call, body []byte) (message, error) {
		if f.token != nil {
			if from, err = in.guard.keyed(r, f, named, f.token(body)); err != nil {
				return message{}, err
			}
		}
		c.source = from
		if f.prove != nil {
			if err := in.proven(r, f, c, body); err != nil {
				return message{}, err
			}
		}
		if why := from.proves(r.Header, body, c.at); why != nil {
			return message{}, in.guard.refuse(w, r, why.Field, why.Detail)
		}
		return f.decode(c, body)
	})
	if err != nil {
		return m, nil, err
	}
	source := from.ID
	ctx, cancel := context.WithTimeoutCause(r.Context(), Patience, errWaited)
	defer cancel()
	if err := in.announce(ctx, &m, source); err != nil {
		return m, nil, err
	}
	if err := in.follow(ctx, m, source); err != nil {
		return m, nil, err
	}
	if m.taken {
		return m, nil, in.acknowledge(ctx, in.key(source, m.receiver, m.group), source)
	}
	if len(m.alerts) == 0 {
		return m, nil, nil
	}
	if parcels, err = in.submit(ctx, source, m, received); err == nil {
		err = m.left
	}
	return m, parcels, err
}

// submit returns the posts that a message becomes, when all of it is durable.
func (in *Intake) submit(ctx context.Context, source string, m message, received time.Time) (parcels []parcel, err error) {
	for _, part := range in.divide(source, m) {
		p := &post{message: part.message, source: source, received: received, done: make(chan error, 1)}
		if p.fires() {
			p.impact, p.urgency = in.commits.router.Levels(source, p.common, p.each()...)
		}
		parcels = append(parcels, parcel{part.key, p})
	}
	return parcels, in.submitAll(ctx, parcels)
}

// proven asks that a body comes from its source. Whoever shows another's is told of as one who guesses.
func (in *Intake) proven(r *http.Request, f format, c call, body []byte) error {
	ctx, cancel := context.WithTimeout(r.Context(), fetchTime)
	defer cancel()
	err := f.prove(ctx, in, c, body)
	if p, refused := errors.AsType[refusal.Body](err); refused && p.Status == http.StatusForbidden {
		in.guard.guess(r)
	}
	return err
}

// follow does what a message asks for beside its alerts.
func (in *Intake) follow(ctx context.Context, m message, source string) error {
	for _, n := range m.notices {
		in.commits.log.Info("notice of an alert source", "source", source, "name", n.Name, "state", n.State, "summary", n.Summary(),
			"begins", n.Annotations.Value("begins"), "ends", n.Annotations.Value("ends"), "fingerprint", n.Fingerprint)
	}
	if m.ended != "" {
		in.commits.log.Warn("alert source unsubscribed: it sends no more", "source", source, "topic", m.ended)
	}
	if m.visit == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	if _, err := in.fetch(ctx, m.visit); err != nil {
		return fmt.Errorf("%w: %w", errSNS, err)
	}
	in.commits.log.Info("alert source subscribed", "source", source)
	return nil
}

// acknowledge takes the open incident of a key in the name of a source. An incident that cannot be taken, or is over, is as it was:
// the source has nothing to do about it.
func (in *Intake) acknowledge(ctx context.Context, key Key, source string) error {
	if in.take == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, Admission+Deadline, errWaited) // a worker has to answer
	defer cancel()
	why, err := in.take(ctx, key, source)
	if err != nil {
		in.commits.log.Warn("acknowledgement not taken", "incident", key, "source", source, "error", err)
	} else if why != "" {
		in.commits.log.Info("acknowledgement refused", "incident", key, "source", source, "reason", why)
	}
	return err
}

func checkHeader(w http.ResponseWriter, r *http.Request, f format) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return refusal.Body{Status: http.StatusMethodNotAllowed, Detail: "want POST, got " + clip(r.Method, 32)}
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" && !slices.Contains(f.media, kind) {
		return refusal.Body{Status: http.StatusUnsupportedMediaType, Field: "Content-Type", Detail: "want application/json, got " + quote(kind)}
	}
	if code := r.Header.Get("Content-Encoding"); code != "" && code != "identity" {
		return refusal.Body{Status: http.StatusUnsupportedMediaType, Field: "Content-Encoding", Detail: "want none, got " + quote(code)}
	}
	if r.ContentLength > MaxBody {
		return tooLarge(MaxBody)
	}
	return nil
}

func tooLarge(limit int64) error {
	return refusal.Of(http.StatusRequestEntityTooLarge, refusal.Fault{Field: "body", Detail: fmt.Sprintf("want at most %d bytes", limit)})
}

// read takes the body in and checks it. It returns when all of it was there.
func (in *Intake) read(
	w http.ResponseWriter, r *http.Request, body *held, limit int64, decode func(call, []byte) (message, error),
) (m message, at time.Time, err error) {
	buf := in.buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= 1<<20 { // a rare large one is not worth keeping
			buf.Reset()
			in.buffers.Put(buf)
		}
	}()
	// The server ends this time-out with the body. Writers that cannot have one belong to tests.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(BodyTime))
	body.Reader = http.MaxBytesReader(w, r.Body, limit)
	if _, err := buf.ReadFrom(body); err != nil {
		return m, at, unread(err)
	}
	at = in.now().UTC().Truncate(time.Millisecond)
	m, err = decode(call{at: at, fresh: rand.Text, header: r.Header}, buf.Bytes())
	return m, at, err
}

func unread(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, errFull):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusal.Of(http.StatusRequestTimeout, refusal.Fault{Field: "body", Detail: fmt.Sprintf("want it within %s", BodyTime)})
	}
	return refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "body", Detail: "ended early"})
}

// refuse answers a request that was not accepted. What is not a problem of the request is one of ours, and passes. It
// always answers, even when the client seems to have gone: no answer would be sent as 200.
func (in *Intake) refuse(w http.ResponseWriter, r *http.Request, f format, err error) {
	var p refusal.Body
	switch {
	case errors.As(err, &p):
		in.refused.Add(1)
	case r.Context().Err() != nil:
		in.abandoned.Add(1)
		p = unavailable("the client has gone")
	default:
		in.unavailable.Add(1)
		why := delay("the engine has not confirmed every alert")
		errors.As(err, &why)
		p = unavailable(why)
	}
	p.Title = "Alerts not accepted"
	if f.refuse != nil && p.Status/100 == 4 {
		f.refuse(w, p)
		return
	}
	p.Write(w)
}

func unavailable(why delay) refusal.Body {
	return refusal.Body{
		Status: http.StatusServiceUnavailable, RetryAfter: retryAfter,
		Detail: string(why) + ": post them all again, which does no harm to those that are durable",
	}
}

// A delay is a reason to try again later that clients are told.
type delay string

const (
	errFull    delay = "too many bytes wait"
	errCrowded delay = "too many incidents wait that are at least as pressing"
	errWaited  delay = "no turn came in time"
)

// Error returns the reason.
func (d delay) Error() string { return string(d) }

// held counts what is read of a body against MaxHeld.
type held struct {
	io.Reader
	in    *Intake
	bytes int64
}

// Read reads on unless too much is held.
func (h *held) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.bytes += int64(n)
	if h.in.held.Add(int64(n)) > MaxHeld {
		return n, errFull
	}
	return n, err
}

func (h *held) release() { h.in.held.Add(-h.bytes) }

// Stats tells how it goes.
func (in *Intake) Stats() Stats {
	inFlight, waiting := in.commits.gate.load()
	return Stats{
		Accepted: in.accepted.Load(), Refused: in.refused.Load(), Unavailable: in.unavailable.Load(), Abandoned: in.abandoned.Load(),
		Alerts: in.alerts.Load(), Commits: in.commits.commits.Load(), Failures: in.commits.failures.Load(),
		Waiting: waiting, InFlight: inFlight, HeldBytes: in.held.Load(),
	}
}

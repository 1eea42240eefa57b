package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/internal/refusal"
)

// HeartbeatPrefix begins the path to which jobs say that they are alive; their name follows.
const HeartbeatPrefix = "/v1/heartbeat/"

// How often one job may be heard: more often says nothing new, and stands in a history for ever.
const (
	BeatSpacing = 10 * time.Second
	BeatBurst   = 6
)

// Heartbeats listen for jobs.
type Heartbeats interface {
	// Heartbeat returns the one with an id, as the organisation folder has it now.
	Heartbeat(id string) (heartbeat.Definition, bool)
	// Beat makes durable that a job was heard of.
	Beat(ctx context.Context, d heartbeat.Definition, b heartbeat.Beat) error
}

// paces bound how often each job is heard.
type paces struct {
	mu sync.Mutex
	of map[string]*rate.Limiter // by the id of its heartbeat
}

// allow tells whether a job may be heard now.
func (p *paces) allow(id string, at time.Time) bool {
	const most = 10_000
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil || len(p.of) > most { // the folder has changed often: whoever was fast begins anew
		p.of = map[string]*rate.Limiter{}
	}
	if p.of[id] == nil {
		p.of[id] = rate.NewLimiter(rate.Every(BeatSpacing), BeatBurst)
	}
	return p.of[id].AllowN(at, 1)
}

// beat answers a job: 200 when it is durable that it was heard of.
func (in *Intake) beat(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // whoever asks by GET is to reach us
	err := in.heard(w, r)
	if err == nil {
		in.accepted.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"accepted"}`+"\n")
		return
	}
	p, refused := errors.AsType[refusal.Body](err)
	if refused {
		in.refused.Add(1)
	} else {
		in.unavailable.Add(1)
		in.commits.log.Warn("beat not committed", "path", clip(r.URL.Path, maxName), "error", err)
		p = refusal.Body{
			Status: http.StatusServiceUnavailable, RetryAfter: retryAfter,
			Detail: "the engine has not confirmed it: send it again, which does no harm",
		}
	}
	p.Title = "Beat not accepted"
	p.Write(w)
}

func (in *Intake) heard(w http.ResponseWriter, r *http.Request) error {
	if methods := []string{http.MethodPost, http.MethodGet, http.MethodHead}; !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		return refusal.Body{Status: http.StatusMethodNotAllowed, Detail: "want POST, GET or HEAD, got " + clip(r.Method, 32)}
	}
	id, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, HeartbeatPrefix), "/")
	kind := heartbeat.Kind(what)
	switch kind {
	case "":
		kind = heartbeat.Done
	case heartbeat.Started, heartbeat.Failed:
	default:
		return refusal.Body{Status: http.StatusNotFound, Detail: fmt.Sprintf("want %sNAME, or /start or /fail after that; got %s", HeartbeatPrefix, clip(r.URL.Path, 128))}
	}
	var d heartbeat.Definition
	known := false
	if in.beats != nil {
		d, known = in.beats.Heartbeat(id)
	}
	named := ""
	if !in.guard.closed {
		named = d.Source
	}
	from, err := in.guard.identify(w, r, format{name: alert.Heartbeat}, named)
	if err != nil {
		return err
	}
	if !known || d.Source != from.ID {
		return refusal.Body{Status: http.StatusNotFound, Detail: fmt.Sprintf("want a heartbeat of source %s that the organisation folder has, got %s", from.ID, quote(id))}
	}
	if kind == heartbeat.Started && d.Lasts == 0 {
		return refusal.Body{Status: http.StatusNotFound, Detail: fmt.Sprintf("heartbeat %s: want lasts in the organisation folder, so that a start says until when", id)}
	}
	b := heartbeat.Beat{Kind: kind, At: in.now().UTC().Truncate(time.Millisecond)}
	if text := words(w, r); kind == heartbeat.Failed || strings.HasPrefix(text, heartbeat.Test) {
		b.Text = text
	}
	if !in.paces.allow(id, b.At) {
		return refusal.Body{
			Status: http.StatusTooManyRequests, RetryAfter: BeatSpacing,
			Detail: fmt.Sprintf("heartbeat %s: want at most one in %s, and %d at once", id, BeatSpacing, BeatBurst),
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), Admission+Deadline)
	defer cancel()
	return in.beats.Beat(ctx, d, b)
}

// words is what a job says with a sign: as much as is kept, and nothing where it cannot be read. The sign counts anyway.
func words(w http.ResponseWriter, r *http.Request) string {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(BodyTime))
	text, _ := io.ReadAll(io.LimitReader(r.Body, heartbeat.MaxText))
	return strings.TrimSpace(clip(strings.ToValidUTF8(string(text), "\uFFFD"), heartbeat.MaxText))
}

// Take makes an alert durable that Muster itself has, as if its source had posted it. Alerts of one name belong together, unless their route
// groups them.
func (in *Intake) Take(ctx context.Context, source string, a alert.Alert) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, errWaited)
	defer cancel()
	s := sized{Alert: a}
	s.bound()
	_, err := in.submit(ctx, source, message{alerts: []sized{s}, by: []string{nameLabel}}, in.now().UTC().Truncate(time.Millisecond))
	return err
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/alert"
	"muster/internal/metrics"
	"muster/internal/org"
	"muster/internal/outbound"
	"muster/internal/pagerduty"
	"muster/internal/planrun"
	"muster/internal/postgres"
	"muster/internal/wholefile"
	"muster/starter/api"
	"muster/starter/callback"
	"muster/starter/ingest"
	"muster/worker"
	"muster/workflows"
)

// admit opens the store, and makes the token by which whoever owns the data folder administers the node.
func (n *Node) admit(ctx context.Context) error {
	if err := n.keep(ctx); err != nil {
		return err
	}
	file := filepath.Join(n.cfg.Data, api.AdminTokenFile)
	if n.cfg.Store == "" {
		return api.EnsureAdmin(ctx, n.store, file, 0)
	}
	// Data folders come and go, as those of containers do, and the store stays: what is in such a folder is not good for ever.
	const lasts = 30 * 24 * time.Hour
	err := api.EnsureAdmin(ctx, n.store, file, lasts)
	if err != nil && !postgres.Away(err) {
		return err
	}
	n.beside(n.life, func(ctx context.Context) {
		for warned := (seldom{}); ; {
			again := time.Hour
			if err != nil { // alerts are taken without the store, so nothing waits for it
				again = storeRetry
				if warned.again() {
					n.cfg.Log.Warn("waiting for the store: the administrator cannot sign in", "error", err)
				}
			}
			if !pause(ctx, again) {
				return
			}
			err = api.EnsureAdmin(ctx, n.store, file, lasts)
		}
	})
	return nil
}

// A seldom has what stays as it is said once a minute.
type seldom struct{ said time.Time }

func (s *seldom) again() bool {
	if time.Since(s.said) < time.Minute {
		return false
	}
	s.said = time.Now()
	return true
}

// storeRetry is the time between two attempts to reach the store.
const storeRetry = 5 * time.Second

// pause lets some time pass; false when ctx ends.
func pause(ctx context.Context, between time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(between):
		return true
	}
}

// tell writes where the node answers, for commands on the same machine.
func (n *Node) tell() error {
	if err := wholefile.Write(filepath.Join(n.cfg.Data, api.URLFile), []byte(n.door.reachable()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write address for commands: %w", err)
	}
	return nil
}

// entrance is what alerts come in by.
func (n *Node) entrance() (*ingest.Intake, error) {
	sources, err := n.sources()
	if err != nil {
		return nil, err
	}
	return ingest.New(ingest.Config{
		Sources: sources, Incidents: n.incidents, Router: router{n.org}, Key: workflows.IncidentWorkflowID,
		RouteKey: workflows.RouteIncidentWorkflowID, Guess: n.guard.guessSource, Acknowledge: n.incidents.AcknowledgeOpen,
		Heartbeats: beats{n.incidents.Heartbeats(), n.org}, Announce: n.announce,
		Fetch: func(ctx context.Context, url string) ([]byte, error) {
			return outbound.Guard{Allow: n.org.Current().OwnNetworks()}.Fetch(ctx, url, maxFetched)
		},
		Now: time.Now, Log: n.cfg.Log,
	})
}

// announce starts the plan that the organisation folder has for what a source announces.
func (n *Node) announce(ctx context.Context, source string, notice alert.Notice) (bool, error) {
	o := n.org.Current()
	return n.incidents.PlanRuns().Announce(ctx, source, notice, func() (terms planrun.Terms, planned bool, err error) {
		start, planned := o.PlanFor(source, notice, time.Now())
		if planned {
			terms, err = o.StartPlan(start)
		}
		return terms, planned, err
	})
}

const maxFetched = 64 << 10

// back is what tools outside send back by.
func (n *Node) back() (*callback.Callbacks, error) {
	tickets, err := worker.TicketHook(n.org.Current())
	if err != nil {
		return nil, err
	}
	return callback.New(callback.Config{
		Incidents: deciding{n.incidents}, Organisation: n.org.Current, Attempts: n.store, Tickets: tickets, Now: time.Now, Log: n.cfg.Log,
		Guess: func(r *http.Request) { n.guard.guess(r) },
		Links: n.keys,
		PagerDuty: func(p org.PagerDuty) callback.Directory {
			return &pagerduty.Directory{
				Guard: outbound.Guard{Allow: n.org.Current().OwnNetworks()}, Timeout: askTimeout, URL: p.API, Key: string(p.Key),
			}
		},
		Tell: func(ctx context.Context, url string, body []byte) error {
			client := outbound.Client{Guard: outbound.Guard{Allow: n.org.Current().OwnNetworks()}, Timeout: tellTimeout, Single: true}
			_, err := client.Post(ctx, outbound.Request{URL: url, Body: body})
			return err
		},
	})
}

// askTimeout is for one question to a tool that waits for our answer itself.
const askTimeout = 2 * time.Second

const tellTimeout = 5 * time.Second

// everything mounts all that a node answers over HTTP.
func (n *Node) everything(intake *ingest.Intake) (http.Handler, error) {
	o := n.org.Current()
	cfg := api.Config{
		Backend: api.Over(n.incidents), Store: n.store, Keys: n.keys, Links: linker{n}, Guess: n.guard.guess,
		Directory: func() api.Directory { return n.org.Current() },
		Texts:     n.texts, Language: o.Languages[0], Zone: o.Zone.String(),
		Version: api.ThisBuild(n.cfg.Build.Version, n.cfg.Build.Revision), Now: time.Now, Log: n.cfg.Log,
	}
	if n.payloads != nil {
		cfg.Codec, cfg.CodecOrigins, cfg.Session = n.codec(), n.cfg.CodecOrigins, n.session
	}
	rest, err := api.New(cfg)
	if err != nil {
		return nil, err
	}
	n.metrics.Follow(func() metrics.IntakeStats { return metrics.IntakeStats(intake.Stats()) })
	checks := []api.Check{
		{Name: "store", Func: n.stored, Inform: true},
		{Name: "attempts", Func: func(context.Context) error { return n.untampered() }, Inform: true, Note: n.head},
		{Name: "reminders", Func: func(context.Context) error { return n.scheduled() }, Inform: true},
	}
	if n.local {
		checks = append(checks, n.hasWork())
	}
	mux := n.healthOnly(checks...)
	for _, path := range ingest.Paths() {
		mux.Handle(path, n.seen("intake", intake))
	}
	mux.Handle("/api/", n.seen("api", n.guard.limited(rest, refuseProgram)))
	mux.Handle(api.CodecPath, n.seen("codec", n.guard.slowed(rest)))
	back, err := n.back()
	if err != nil {
		return nil, err
	}
	mux.Handle(callback.Prefix, n.seen("callbacks", n.guard.limited(back, refuseProgram)))
	pages, err := n.newPages(cfg)
	if err != nil {
		return nil, err
	}
	n.pages.Store(pages)
	mux.Handle("/", n.seen("pages", n.guard.limited(n.guard.watched(pages), refusePerson)))
	return mux, nil
}

// seen counts and traces what a part of the node answers. Health and metrics are asked for by machines all the time, and are neither.
func (n *Node) seen(part string, next http.Handler) http.Handler {
	return n.metrics.Requests.Counted(part, n.traces.Handler(next))
}

// untampered says what is wrong with the log of refused attempts.
func (n *Node) untampered() error {
	if err := n.tampered.Load(); err != nil {
		return *err
	}
	return nil
}

// head names the newest entry of the log of refused attempts: kept elsewhere, it shows should the end be cut off.
func (n *Node) head(ctx context.Context) string {
	seq, hash, err := n.store.Head(ctx)
	switch {
	case err != nil:
		return "not read now: " + err.Error()
	case seq == 0:
		return "none noted"
	}
	return fmt.Sprintf("%d noted, the newest has hash %s", seq, hash)
}

// healthOnly answers what needs no authority: health and metrics.
func (n *Node) healthOnly(more ...api.Check) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/metrics", direct(n.metrics.Handler()))
	checks := append(n.checks(), more...)
	var last stood
	n.metrics.FollowChecks(func() map[string]bool { return n.stand(&last, checks) })
	health := api.Health(checks...)
	for _, path := range healthPaths() {
		mux.Handle(path, health)
	}
	return mux
}

// direct answers those who ask this process itself: what comes through a reverse proxy comes from others, and metrics are not theirs.
func direct(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, passed := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"} {
			if r.Header.Get(passed) != "" {
				http.NotFound(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// checks are the lines of /readyz?verbose.
func (n *Node) checks() []api.Check {
	checks := []api.Check{
		{Name: "temporal", Func: func(ctx context.Context) error {
			if _, err := n.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
				return err
			}
			// While its database is away Temporal says that it is well.
			_, err := n.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: n.namespace})
			return err
		}},
		{Name: "organisation", Func: func(context.Context) error { return n.unread() }, Inform: true, Note: func(context.Context) string { return n.revision() }},
		{Name: "keys", Func: func(context.Context) error { return n.keys.Err() }},
		{Name: "payload-keys", Func: func(context.Context) error { return n.payloadKeys() }, Inform: true, Note: n.encrypts},
		{Name: "settings", Func: func(context.Context) error { return n.settled() }, Inform: true},
	}
	for _, name := range n.watch.Checks() {
		checks = append(checks, api.Check{Name: "watch/" + name, Inform: true, Func: func(context.Context) error { return n.watched(name) }})
	}
	return checks
}

// watched is what the self-watch has found wrong.
func (n *Node) watched(check string) error {
	for _, c := range n.watch.Status().Checks {
		if c.Name == check && !c.OK {
			return errors.New(c.Text)
		}
	}
	return nil
}

// payloadKeys says what is wrong with the file of the payload keys, of which what was read before stays in use, and whether payloads came
// lately whose key is not there: work waits then.
func (n *Node) payloadKeys() error {
	const lately = 5 * time.Minute
	if m := n.missed.Load(); m != nil && time.Since(m.at) < lately {
		return fmt.Errorf("work waits: %w", m.err)
	}
	if n.payloads == nil {
		return nil
	}
	return n.payloads.Err()
}

// encrypts says which key encrypts payloads.
func (n *Node) encrypts(context.Context) string {
	if n.payloads == nil {
		return "payloads are in clear"
	}
	k, err := n.payloads.Newest()
	if err != nil {
		return err.Error()
	}
	return "encrypts with " + k.ID
}

// sources are the alert sources with their tokens. The error names all whose secrets cannot be read.
func (n *Node) sources() ([]ingest.Source, error) {
	o := n.org.Current()
	var all []ingest.Source
	var missing []error
	for _, s := range o.Sources() {
		token, err := o.Token(s.ID)
		source := ingest.Configured(s)
		source.Token = token
		if source.Signature != nil {
			secret, unsigned := o.SigningSecret(s.ID)
			source.Signature.Secret, err = secret, errors.Join(err, unsigned)
		}
		if err != nil {
			missing = append(missing, fmt.Errorf("alert %w", err))
		}
		all = append(all, source)
	}
	return all, errors.Join(missing...)
}

// secrets reads what a process cannot do without, before it begins anything: one start names all that is missing.
func (n *Node) secrets(works, serves bool) error {
	o, all := n.org.Current(), []error{}
	if serves {
		_, err := n.sources()
		_, _, unsigned := o.SignIn()
		all = append(all, err, unsigned)
	}
	if works {
		_, err := o.Mail()
		_, ticketless := o.Tickets()
		all = append(all, err, ticketless)
	}
	return errors.Join(all...)
}

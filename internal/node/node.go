// Package node switches the parts of Muster on in one process: the engine, a worker, the HTTP server, each as the command
// asks for it, and off again in the reverse order.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/metrics"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/selfwatch"
	"muster/starter"
	"muster/starter/api"
	"muster/starter/ingest"
	"muster/templates"
	"muster/worker"
	"muster/workflows"
)

// Config is what every kind of node needs.
type Config struct {
	Data   string // data folder
	Org    string // organisation folder
	Listen string // address of the HTTP server
	Tokens string // file of the API's tokens; empty: tokens.yaml in the data folder
	Build  metrics.Build
	Out    io.Writer // for people
	Log    *slog.Logger
}

// A Node is what runs in this process.
type Node struct {
	cfg       Config
	org       *org.Live
	texts     *report.Texts
	metrics   *metrics.Set
	tracker   *tracker
	temporal  client.Client
	namespace string
	incidents *starter.Incidents
	watch     *selfwatch.Watch
	stops     []func() // run in reverse
}

// load reads what must be right before anything starts.
func load(cfg Config) (*Node, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if cfg.Tokens == "" {
		cfg.Tokens = filepath.Join(cfg.Data, "tokens.yaml")
	}
	live, err := org.Open(cfg.Org)
	if err != nil {
		return nil, err
	}
	texts, err := report.New(templates.FS)
	if err != nil {
		return nil, err
	}
	set := metrics.New(cfg.Build)
	return &Node{cfg: cfg, org: live, texts: texts, metrics: set, tracker: &tracker{counts: set.Delivery}}, nil
}

// fromEnvironment is the connection that the standard TEMPORAL_* settings describe.
func fromEnvironment() (client.Options, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return o, fmt.Errorf("read TEMPORAL_ settings: %w", err)
	}
	return o, nil
}

// connect dials Temporal, again and again until it answers or ctx ends.
func (n *Node) connect(ctx context.Context, o client.Options) error {
	o.Logger = log.NewStructuredLogger(n.cfg.Log.With("part", "temporal"))
	o.MetricsHandler = n.metrics.SDK()
	for said := false; ; {
		c, err := client.DialContext(ctx, o)
		if err == nil {
			n.temporal, n.namespace = c, o.Namespace
			if n.namespace == "" {
				n.namespace = client.DefaultNamespace
			}
			n.incidents = &starter.Incidents{Temporal: c, Namespace: n.namespace}
			n.onStop(c.Close)
			return nil
		}
		if !said {
			n.cfg.Log.Warn("temporal does not answer yet", "address", o.HostPort, "error", err)
			said = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("connect to temporal at %s: %w", o.HostPort, err)
		case <-time.After(2 * time.Second):
		}
	}
}

func (n *Node) onStop(f func()) { n.stops = append(n.stops, f) }

// stop switches everything off, the last thing first.
func (n *Node) stop() {
	for k := len(n.stops) - 1; k >= 0; k-- {
		n.stops[k]()
	}
	n.stops = nil
}

// follow keeps the organisation folder current.
func (n *Node) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.org.Follow(ctx, 5*time.Second, n.cfg.Log)
	}()
	n.onStop(func() { cancel(); <-done })
}

// work starts the worker.
func (n *Node) work() error {
	effects, err := worker.NewActivities(worker.Options{
		Organisation: n.org, Texts: n.texts, Archive: n.incidents, Tracker: n.tracker,
		Data: n.cfg.Data, Out: n.cfg.Out,
	})
	if err != nil {
		return err
	}
	w := worker.New(n.temporal, effects)
	if err := w.Start(); err != nil {
		return err
	}
	n.onStop(w.Stop)
	return nil
}

// look starts the self-watch.
func (n *Node) look(ctx context.Context, deliveries *selfwatch.Deliveries) {
	n.watch = &selfwatch.Watch{
		Temporal:   &selfwatch.Temporal{Client: n.temporal, Namespace: n.namespace},
		Queues:     []string{workflows.TaskQueue, workflows.PagingTaskQueue},
		Deliveries: deliveries, Metrics: n.metrics.Watch, Log: n.cfg.Log, Notify: n.fallback,
		Language: n.org.Current().Languages[0],
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := n.watch.Run(ctx); err != nil {
			n.cfg.Log.Error("self-watch has not begun", "error", err)
		}
	}()
	n.onStop(func() { cancel(); <-done })
}

// serve answers the intake, the API and health, and returns the URL.
func (n *Node) serve(ctx context.Context) (string, error) {
	handler, err := n.handler()
	if err != nil {
		return "", err
	}
	return n.listen(ctx, handler)
}

// listen starts the HTTP server and returns its URL.
func (n *Node) listen(ctx context.Context, handler http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", n.cfg.Listen)
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	s := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       ingest.BodyTime + 5*time.Second,
		WriteTimeout:      ingest.BodyTime + ingest.Patience + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(n.cfg.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.cfg.Log.Error("http server ended", "error", err)
		}
	}()
	const patience = 15 * time.Second // a post that waits for its commit gets its answer
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			n.cfg.Log.Warn("http server did not stop in time", "error", err)
		}
	})
	return "http://" + l.Addr().String(), nil
}

// router asks the organisation folder as it is now.
type router struct{ live *org.Live }

func (r router) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	return r.live.Current().Definition(source, labels, title, each...)
}

func (r router) Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	return r.live.Current().Levels(source, labels, each...)
}

func (n *Node) intake() (*ingest.Intake, error) {
	sources, err := n.sources()
	if err != nil {
		return nil, err
	}
	return ingest.New(ingest.Config{
		Sources: sources, Incidents: n.incidents, Router: router{n.org}, Key: workflows.IncidentWorkflowID, Now: time.Now, Log: n.cfg.Log,
	})
}

// files of the data folder by which a command on the same machine finds this node.
func (n *Node) urlFile() string   { return filepath.Join(n.cfg.Data, "url") }
func (n *Node) adminFile() string { return filepath.Join(n.cfg.Data, api.AdminTokenFile) }

// Package node switches the parts of Muster on in one process: the engine, a worker, the HTTP server, each as the command
// asks for it, and off again in the reverse order.
package node

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/metrics"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/selfwatch"
	"muster/starter"
	"muster/starter/api"
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
	Keys   string // file of the keys that sign what goes to workflows; empty: keys.json in the data folder
	Build  metrics.Build
	Out    io.Writer // for people
	Log    *slog.Logger
}

// A Node is what runs in this process.
type Node struct {
	cfg       Config
	org       *org.Live
	texts     *report.Texts
	keys      *keyring.Ring
	metrics   *metrics.Set
	tracker   *tracker
	door      *door
	deaf      chan error // why the door does not answer any more
	temporal  client.Client
	namespace string
	incidents *starter.Incidents
	watch     *selfwatch.Watch
	worker    *worker.Worker
	fixed     []fixed
	stops     []func() // run in reverse
}

// load reads what must be right before anything starts.
func load(cfg Config) (*Node, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if cfg.Tokens == "" {
		cfg.Tokens = filepath.Join(cfg.Data, api.TokensFile)
	}
	live, err := org.Open(cfg.Org)
	if err != nil {
		return nil, err
	}
	keys, err := keyring.Open(cmp.Or(cfg.Keys, filepath.Join(cfg.Data, keyring.File)), time.Now)
	if err != nil {
		return nil, err
	}
	texts, err := report.New(templates.FS)
	if err != nil {
		return nil, err
	}
	set := metrics.New(cfg.Build)
	set.FollowOrganisation(func() metrics.OrganisationState {
		o := live.Current()
		return metrics.OrganisationState{Revision: o.Revision, Changed: o.Changed, OK: live.Fault() == nil}
	})
	return &Node{
		cfg: cfg, org: live, texts: texts, keys: keys, metrics: set, tracker: &tracker{counts: set.Delivery},
		incidents: &starter.Incidents{Keys: keys}, deaf: make(chan error, 1),
	}, nil
}

func (n *Node) onStop(f func()) { n.stops = append(n.stops, f) }

// stop switches everything off, the last thing first.
func (n *Node) stop() {
	for k := len(n.stops) - 1; k >= 0; k-- {
		n.stops[k]()
	}
	n.stops = nil
}

// beside runs something until ctx ends or the node stops.
func (n *Node) beside(ctx context.Context, run func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	n.onStop(func() { cancel(); <-done })
}

// activities are what the worker does, with the adapters that the organisation folder asks for.
func (n *Node) activities() (worker.Activities, error) {
	return worker.NewActivities(worker.Options{
		Organisation: n.org, Texts: n.texts, Archive: n.incidents, Tracker: n.tracker, Keys: n.keys, Refused: n.refused,
		Data: n.cfg.Data, Out: n.cfg.Out,
	})
}

// refused notes a message that nobody of this installation has signed.
func (n *Node) refused(r activities.Refusal) {
	n.cfg.Log.Warn("message refused", "workflow", r.Workflow, "message", r.Message, "claims", r.By.ID, "cause", r.Detail)
}

// work starts the worker.
func (n *Node) work(ctx context.Context, effects worker.Activities) error {
	return n.await(ctx, func(context.Context) error {
		w := worker.New(n.temporal, effects) // one that has not started does not start again
		if err := w.Start(); err != nil {
			return err
		}
		n.worker = w
		n.onStop(w.Stop)
		return nil
	})
}

// look starts the self-watch.
func (n *Node) look(ctx context.Context, role string, deliveries *selfwatch.Deliveries) {
	name := role
	if host, err := os.Hostname(); err == nil {
		name += " on " + host
	}
	n.watch = &selfwatch.Watch{
		Temporal:   &selfwatch.Temporal{Client: n.temporal, Namespace: n.namespace},
		Queues:     []string{workflows.TaskQueue, workflows.PagingTaskQueue},
		Deliveries: deliveries, Metrics: n.metrics.Watch, Log: n.cfg.Log, Notify: n.fallback,
		Name: name, Language: n.org.Current().Languages[0],
	}
	n.beside(ctx, func(ctx context.Context) {
		if err := n.watch.Run(ctx); err != nil {
			n.cfg.Log.Error("self-watch has not begun", "error", err)
		}
	})
}

// router asks the organisation folder as it is now.
type router struct{ live *org.Live }

func (r router) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	return r.live.Current().Definition(source, labels, title, each...)
}

func (r router) Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	return r.live.Current().Levels(source, labels, each...)
}

// files of the data folder by which a command on the same machine finds this node.
func (n *Node) urlFile() string   { return filepath.Join(n.cfg.Data, api.URLFile) }
func (n *Node) adminFile() string { return filepath.Join(n.cfg.Data, api.AdminTokenFile) }

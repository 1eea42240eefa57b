// Package node switches the parts of Muster on in one process: the engine, a worker, the HTTP server, each as the command
// asks for it, and off again in the reverse order.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/audit"
	"muster/internal/codec"
	"muster/internal/datalock"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/link"
	"muster/internal/metrics"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/postgres"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/selfwatch"
	"muster/internal/store"
	"muster/internal/trace"
	"muster/starter"
	"muster/starter/console"
	"muster/starter/ingest"
	"muster/templates"
	"muster/worker"
	"muster/workflows"
)

// Config is what every kind of node needs.
type Config struct {
	Data    string         // data folder
	Store   string         // database of PostgreSQL for what is not work; empty: a file of the data folder
	Org     string         // organisation folder
	Listen  string         // address of the HTTP server
	Proxies []netip.Prefix // that say in X-Forwarded-For for whom they ask
	Keys    string         // file of the keys that sign what goes to workflows; empty: keys.json in the data folder
	Archive ArchiveConfig
	Mail    MailConfig

	Deployment worker.Deployment // of a worker; the zero value takes whatever comes

	PayloadKeys  string   // file of the keys that encrypt payloads; empty: they stay in clear
	CodecOrigins []string // of pages that may ask for payloads in clear, such as https://temporal.example.com

	Build metrics.Build
	Out   io.Writer // for people
	Log   *slog.Logger
}

// A Node is what runs in this process.
type Node struct {
	cfg       Config
	org       *org.Live
	texts     *report.Texts
	keys      *keyring.Ring
	payloads  *keyring.PayloadRing // nil: payloads stay in clear
	missed    atomic.Pointer[missedKey]
	store     *store.Store
	guard     *guard
	pages     atomic.Pointer[console.Console] // nil until they answer
	metrics   *metrics.Set
	traces    *trace.Traces // nil: nobody asks for any
	tracker   *tracker
	door      *door
	deaf      chan error // why this process has to end: the door or the mail do not answer any more, or the store is another's
	temporal  client.Client
	namespace string
	incidents *starter.Incidents
	watch     *selfwatch.Watch
	worker    *worker.Worker
	fixed     []fixed
	stops     []func() // run in reverse
	life      context.Context
	refusals  chan worker.Refusal
	alarms    *alarms
	archive   *audit.Archive         // nil: this process keeps none
	runs      audit.Temporal         // from which it is filled
	spool     *spool                 // what it gets besides
	tampered  atomic.Pointer[error]  // what is wrong with the log of refused attempts as it was found
	foreign   atomic.Pointer[error]  // of what other installation the store is
	unmade    atomic.Pointer[error]  // why there is no schedule of the reminders
	waits     atomic.Pointer[string] // why a worker has no work because others have; empty: it has, nil: not known
	madeKeys  bool                   // the file of the keys that sign was not there
	local     bool                   // pages and worker are one process: without a public address, links lead to it
}

// load reads what must be right before anything starts.
func load(ctx context.Context, cfg Config, makesKeys bool) (*Node, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	live, err := org.Open(cfg.Org)
	if err != nil {
		leaveRefused(ctx, cfg, err)
		return nil, err
	}
	keys, made, err := signingKeys(ctx, &cfg, makesKeys)
	if err != nil {
		return nil, err
	}
	texts, err := report.New(templates.FS)
	if err != nil {
		return nil, err
	}
	set := metrics.New(cfg.Build)
	set.Delivery.Expect(endings(), messages()...)
	set.FollowOrganisation(func() metrics.OrganisationState {
		o := live.Current()
		return metrics.OrganisationState{Revision: o.Revision, Changed: o.Changed, OK: live.Fault() == nil}
	})
	n := &Node{
		cfg: cfg, madeKeys: made, org: live, texts: texts, keys: keys, metrics: set, tracker: &tracker{counts: set.Delivery, reports: newReports()},
		incidents: &starter.Incidents{Keys: keys, Folder: func() starter.Folder { return live.Current() }}, deaf: make(chan error, 3), life: context.WithoutCancel(ctx),
	}
	set.FollowKeys(n.keyAges)
	if cfg.PayloadKeys != "" {
		if n.payloads, err = keyring.OpenPayloads(cfg.PayloadKeys, time.Now); err != nil {
			return nil, err
		}
	}
	n.refusals = make(chan worker.Refusal, mostRefusals)
	n.guard, n.alarms = newGuard(n), newAlarms(n)
	n.tracing(ctx)
	n.onStop(n.alarms.wait)
	return n, nil
}

// A missedKey is that a payload has come whose key is not there.
type missedKey struct {
	err error
	at  time.Time
}

// codec encrypts payloads and decrypts them, where there are keys for it.
func (n *Node) codec() codec.Codec {
	if n.payloads == nil {
		return codec.Codec{}
	}
	return codec.Codec{Keys: n.payloads}
}

// signingKeys opens the keys that sign. Those of the data folder are made by whoever may, and the others wait for them. A file that was named
// has to be there: who makes keys of their own beside others is believed by nobody.
func signingKeys(ctx context.Context, cfg *Config, makes bool) (keys *keyring.Ring, made bool, err error) {
	if cfg.Keys != "" {
		if _, err := os.Stat(cfg.Keys); errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("open keys %s: not there: copy the file that the other processes have, or make the first one: muster keys signing new %[1]s", cfg.Keys)
		}
		keys, err = keyring.Open(cfg.Keys, time.Now)
		return keys, false, err
	}
	cfg.Keys = filepath.Join(cfg.Data, keyring.File)
	if !makes {
		if err := awaitKeys(ctx, *cfg); err != nil {
			return nil, false, err
		}
	}
	_, err = os.Stat(cfg.Keys)
	made = errors.Is(err, fs.ErrNotExist)
	keys, err = keyring.Open(cfg.Keys, time.Now)
	return keys, made, err
}

// awaitKeys waits until somebody has made the keys: a worker with keys of its own would take nothing that serve signs.
func awaitKeys(ctx context.Context, cfg Config) error {
	for said := false; ; said = true {
		_, err := os.Stat(cfg.Keys)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if !said {
			cfg.Log.Warn("waiting for keys: muster serve makes them; give both the same file with --keys", "file", cfg.Keys)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// share takes the data folder beside others that share it: what muster dev runs on is its own, and commands find it by the address there.
func (n *Node) share() error {
	held, err := datalock.Share(n.cfg.Data)
	if err != nil {
		return fmt.Errorf("open data folder %s: %w", n.cfg.Data, err)
	}
	n.onStop(held.Release)
	return nil
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
func (n *Node) activities(ctx context.Context) (worker.Activities, error) {
	archives, err := n.keeps(ctx)
	if err != nil {
		return worker.Activities{}, err
	}
	// What Muster itself has to alert of takes the way of all alerts, but shows no token.
	own, err := ingest.New(ingest.Config{
		Incidents: n.incidents, Router: router{n.org}, Key: workflows.IncidentWorkflowID, RouteKey: workflows.RouteIncidentWorkflowID,
		Now: time.Now, Log: n.cfg.Log,
	})
	if err != nil {
		return worker.Activities{}, err
	}
	return worker.NewActivities(worker.Options{
		Intake:       own,
		Archives:     archives,
		Organisation: n.org, Texts: n.texts, Archive: n.incidents, Tracker: n.tracker, Keys: n.keys, Refused: n.refused, Links: linker{n}, RunPage: n.runPage, IncidentPage: n.incidentPage,
		Counter: n.incidents.Usages(), Items: n.incidents.Contacts(), Responses: n.incidents.Responses(), Routines: comingBack{n.incidents.Routines(), n.org}, Recurrences: n.incidents.Problems(), ChangeRuns: n.incidents.Changes(), Changes: n.incidents, Incidents: n.incidents, Locks: n.incidents, Data: n.cfg.Data, Out: n.cfg.Out, Log: n.cfg.Log,
	})
}

// linker makes links to where people reach this installation: its public address, else this very node.
type linker struct{ *Node }

// Link signs a link.
func (n linker) Link(l link.Link) (string, error) {
	base := n.base()
	if base == "" {
		return "", nil
	}
	token, err := n.keys.Link(l)
	return base + link.Path + token, err
}

// base is where people reach this installation, empty when they do not.
func (n *Node) base() string {
	base := n.org.Current().PublicURL
	if base == "" && n.local {
		base = n.door.url
	}
	return strings.TrimRight(base, "/")
}

// runPage is where people who sign in see a run of a plan, empty when they cannot.
func (n *Node) runPage(id planrun.ID) string {
	base := n.base()
	if base == "" {
		return ""
	}
	return base + console.RunPath(id)
}

// incidentPage is where people find an incident from outside, empty when Muster has no public address. No page is about one incident
// alone: whoever signs in finds it on the first one.
func (n *Node) incidentPage(incident.ID) string {
	base := n.org.Current().PublicURL
	if base == "" {
		return ""
	}
	return strings.TrimRight(base, "/") + "/"
}

// Tickets is the ticket system of an organisation, for whoever tries it.
func Tickets(o *org.Organisation, data string) (activities.TicketSystem, error) {
	return worker.Tickets(o, data)
}

// Send makes one attempt by the channels of an organisation, for whoever tries one.
func Send(ctx context.Context, o *org.Organisation, data string, out io.Writer, e delivery.Envelope) error {
	senders, err := worker.Senders(o, data, out)
	if err != nil {
		return err
	}
	s, ok := senders[e.Contact.Type]
	if !ok {
		return fmt.Errorf("contact type %q: this build has no such channel", e.Contact.Type)
	}
	return s.Send(ctx, e)
}

// mostRefusals is how many refused messages may wait to be written down.
const mostRefusals = 1_000

// keep opens what is not work: tokens, sessions, used links, refused attempts.
func (n *Node) keep(ctx context.Context) error {
	s, err := n.openStore(ctx)
	if err != nil {
		return err
	}
	n.store = s
	n.onStop(func() {
		if err := s.Close(); err != nil {
			n.cfg.Log.Error("store not closed", "error", err)
		}
	})
	err = n.belongs(ctx)
	if err != nil && !postgres.Away(err) {
		return err
	}
	ours := err == nil
	n.beside(n.life, func(ctx context.Context) {
		for pause(ctx, time.Minute) {
			switch err := n.belongs(ctx); {
			case err == nil:
				ours = true
			case !ours && !postgres.Away(err) && ctx.Err() == nil: // it would not have started
				n.deaf <- err
				return
			case ctx.Err() == nil:
				n.cfg.Log.Error("not noted whose store it is", "error", err)
			}
		}
	})
	n.beside(n.life, n.examine)
	n.beside(n.life, n.recording)
	return nil
}

// belongs notes whose store it is, again and again: keys are rotated.
func (n *Node) belongs(ctx context.Context) error {
	var ids []string
	for _, k := range n.keys.Keys() {
		ids = append(ids, k.ID)
	}
	err := n.store.Belongs(ctx, ids)
	if _, other := errors.AsType[*store.ForeignError](err); other {
		n.foreign.Store(&err)
	} else if err == nil {
		n.foreign.Store(nil)
	}
	return err
}

// stored tells what is wrong with the store.
func (n *Node) stored(ctx context.Context) error {
	if err := n.foreign.Load(); err != nil {
		return *err
	}
	return n.store.Err(ctx)
}

func (n *Node) openStore(ctx context.Context) (*store.Store, error) {
	if n.cfg.Store == "" {
		return store.Open(ctx, filepath.Join(n.cfg.Data, store.File), time.Now)
	}
	db, err := postgres.Parse(n.cfg.Store)
	if err != nil {
		return nil, err
	}
	return store.OpenPostgres(ctx, db, time.Now)
}

// isBroken tells whether an error proves that the log was changed.
func isBroken(err error) bool {
	_, broken := errors.AsType[*store.BrokenError](err)
	return broken
}

// examine walks the log of refused attempts as the start has found it. Nothing waits for it, for it may be long.
func (n *Node) examine(ctx context.Context) {
	for {
		_, err := n.store.CheckAttempts(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case isBroken(err):
			n.cfg.Log.Error("the log of refused attempts is not whole", "error", err)
			n.tampered.Store(&err)
			return
		case n.cfg.Store == "": // a file does not read better later
			n.tampered.Store(&err)
			n.cfg.Log.Error("the log of refused attempts cannot be read", "error", err)
			return
		}
		if !pause(ctx, storeRetry) {
			return
		}
	}
}

// refused keeps a message that nobody of this installation has signed in the log of refused attempts. It is called from
// within workflow tasks, so it waits for nothing.
func (n *Node) refused(r worker.Refusal) {
	n.cfg.Log.Warn("message refused", "workflow", r.Workflow, "message", r.Message, "claims", r.By.ID, "cause", r.Detail)
	select {
	case n.refusals <- r:
	default:
		n.cfg.Log.Error("refused attempt not recorded: there are too many at once", "workflow", r.Workflow)
	}
}

// recording writes refused messages down. That an incident was not opened, somebody must know.
func (n *Node) recording(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-n.refusals:
			n.record(store.Attempt{Kind: store.AttemptMessage, Actor: r.By.ID, Subject: r.Workflow, Message: r.Message, Detail: r.Detail})
			if r.Message == workflows.IncidentWorkflow {
				n.alarms.tell(notOpened, r.Workflow)
			}
		}
	}
}

// record keeps a refused attempt.
func (n *Node) record(a store.Attempt) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(n.life, patience)
	defer cancel()
	if _, err := n.store.Record(ctx, a); err != nil {
		n.cfg.Log.Error("refused attempt not recorded", "kind", a.Kind, "actor", a.Actor, "subject", a.Subject, "error", err)
	}
}

// work starts the worker.
func (n *Node) work(ctx context.Context, effects worker.Activities) error {
	n.archiving(ctx)
	n.reporting(ctx)
	return n.await(ctx, func(ctx context.Context) error {
		if n.cfg.Deployment != (worker.Deployment{}) {
			if err := n.deployable(ctx); err != nil {
				return err
			}
		}
		w := worker.New(n.temporal, effects, n.cfg.Deployment) // one that has not started does not start again
		if err := w.Start(); err != nil {
			return err
		}
		n.worker = w
		n.onStop(w.Stop)
		n.beside(ctx, n.deploy)
		return nil
	})
}

// look starts the self-watch.
func (n *Node) look(ctx context.Context, role string, deliveries *selfwatch.Deliveries) {
	name := role
	if h := host(); h != "" {
		name += " on " + h
	}
	n.watch = &selfwatch.Watch{
		Temporal:   &selfwatch.Temporal{Client: n.temporal, Namespace: n.namespace},
		Queues:     n.queues(),
		Deliveries: deliveries, Metrics: n.metrics.Watch, Log: n.cfg.Log, Notify: n.fallback,
		Name: name, Language: n.org.Current().Languages[0],
	}
	if deliveries != nil { // whoever delivers says whom that does not reach
		n.watch.Reach = n.unreachable
	}
	n.beside(ctx, func(ctx context.Context) {
		if err := n.watch.Run(ctx); err != nil {
			n.cfg.Log.Error("self-watch has not begun", "error", err)
		}
	})
}

// host is the name of this machine, empty where it has none.
func host() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// queues are those whose backlog people should hear of.
func (n *Node) queues() []string {
	all := []string{workflows.TaskQueue, workflows.PagingTaskQueue, workflows.RunbookTaskQueue}
	if n.archive != nil {
		all = append(all, workflows.ArchiveTaskQueue)
	}
	return all
}

// router asks the organisation folder as it is now.
type router struct{ live *org.Live }

func (r router) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	return r.live.Current().Definition(source, labels, title, each...)
}

func (r router) Levels(source string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	return r.live.Current().Levels(source, labels, each...)
}

func (r router) GroupKey(source string, labels alert.Labels) (route string, values alert.Labels, ok bool) {
	return r.live.Current().GroupKey(source, labels)
}

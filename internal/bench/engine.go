package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/devserver"
	"muster/internal/keyring"
	"muster/internal/outbound"
	"muster/internal/postgres"
	"muster/internal/report"
	"muster/internal/webhook"
	"muster/starter"
	"muster/templates"
	"muster/worker"
	"muster/workflows"
)

// engineOptions say how an engine differs from what `muster dev` runs.
type engineOptions struct {
	http   bool // pages go out as signed webhooks over HTTP, to a receiver on this machine
	noKeys bool // no priority keys: what runs is Temporal's own order of arrival

	workers  int                // 0 means 1
	database *postgres.Database // nil: SQLite
}

// engine is a Temporal on disk with workers, each with slots, pollers and a connection of its own, which run ours and raw alike, and the world around both.
type engine struct {
	server    *devserver.Server
	temporal  client.Client
	workers   []*worker.Worker
	clients   []client.Client // of the workers
	world     *world
	inbox     *inbox // the receiver of webhooks, if any
	incidents *starter.Incidents
	folder    string
	database  *postgres.Database // nil: SQLite in the folder
}

func startEngine(ctx context.Context, folder string, out io.Writer, o engineOptions) (_ *engine, err error) {
	e := &engine{world: newWorld(), folder: folder, database: o.database}
	defer func() {
		if err != nil {
			e.stop()
		}
	}()
	if o.http {
		if e.inbox, err = openInbox(ctx, e.world); err != nil {
			return nil, err
		}
	}
	quiet := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelError}))
	attributes := map[string]enumspb.IndexedValueType{}
	for _, key := range workflows.SearchAttributes() {
		attributes[key.GetName()] = key.GetValueType()
	}
	e.server, err = devserver.Start(ctx, devserver.Options{
		Folder: folder, Database: o.database, SearchAttributes: attributes, UIPort: devserver.Off, MetricsPort: devserver.Off, Logger: quiet,
	})
	if err != nil {
		return nil, err
	}
	if e.temporal, err = e.dial(ctx, o, quiet); err != nil {
		return nil, err
	}
	keys, err := keyring.Open(filepath.Join(folder, keyring.File), time.Now)
	if err != nil {
		return nil, err
	}
	e.incidents = &starter.Incidents{Temporal: e.temporal, Namespace: e.server.Namespace, Keys: keys}
	for range max(o.workers, 1) {
		c, err := e.dial(ctx, o, quiet)
		if err != nil {
			return nil, err
		}
		e.clients = append(e.clients, c)
		if err := e.work(c, o, keys, quiet); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// dial connects somebody who runs raw, too.
func (e *engine) dial(ctx context.Context, o engineOptions, quiet *slog.Logger) (client.Client, error) {
	options := e.server.ClientOptions()
	options.Logger = log.NewStructuredLogger(quiet)
	raw := &guest{activities: &rawActivities{world: e.world}}
	options.Plugins = []client.Plugin{raw}
	if o.noKeys {
		options.Interceptors = append(options.Interceptors, &keyless{})
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	raw.activities.client = c
	return c, nil
}

// work starts a worker of the product, with our adapters turned to the world.
func (e *engine) work(c client.Client, o engineOptions, keys worker.Keys, quiet *slog.Logger) error {
	texts, err := report.New(templates.FS)
	if err != nil {
		return err
	}
	var send activities.Sender = sender{e.world}
	if o.http {
		send = &webhook.Sender{Client: &outbound.Client{Guard: outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}}
	}
	folder := func() activities.Directory { return directory{e.world} }
	w := worker.New(c, worker.Activities{
		Composition: &activities.Composition{Directory: folder, Writer: texts, Now: time.Now},
		Deliveries: &activities.Deliveries{
			Directory: folder, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: send},
		},
		Tickets:   &activities.Tickets{System: desk{e.world}, Writer: texts},
		Reports:   &activities.Reports{Archive: e.incidents, Writer: texts, Shelf: shelf{e.world}, Directory: folder},
		Lookup:    &activities.Lookup{Archive: e.incidents},
		Handovers: &activities.Handovers{Directory: folder, Writer: texts, Now: time.Now},
		Reviews:   &activities.Reviews{Changes: e.incidents, Directory: folder, Writer: texts, Now: time.Now},
		Requests:  &activities.Requests{Directory: folder, Writer: texts, Counter: e.incidents.Usages(), Now: time.Now},
		Actions:   &activities.Actions{Directory: folder, Writer: texts, Now: time.Now},
		Risks:     &activities.Risks{Directory: folder, Writer: texts, Now: time.Now},
		Silences:  &activities.Silences{Directory: folder, Writer: texts, Now: time.Now},
		Plans:     &activities.Plans{Directory: folder, Writer: texts, Now: time.Now},
		Runbooks:  &activities.Runbooks{Runner: stepper{}},
		Admission: &worker.Admission{Keys: keys, Now: time.Now, Refused: func(r worker.Refusal) {
			quiet.Error("message refused", "message", r.Message, "cause", r.Detail)
		}},
	}, worker.Deployment{})
	if err := w.Start(); err != nil {
		return err
	}
	e.workers = append(e.workers, w)
	return nil
}

func (e *engine) stop() {
	var stopping sync.WaitGroup
	for _, w := range e.workers {
		stopping.Go(w.Stop)
	}
	stopping.Wait()
	sdkworker.PurgeStickyWorkflowCache() // what its workers kept in memory would count as the next one's
	for _, c := range e.clients {
		c.Close()
	}
	if e.temporal != nil {
		e.temporal.Close()
	}
	if e.server != nil {
		e.server.Stop()
	}
	if e.inbox != nil {
		e.inbox.close()
	}
}

// guest brings raw into the worker of the product: the same queues, slots and pollers serve both.
type guest struct {
	client.PluginBase
	workerBase
	activities *rawActivities
	effects    []string // instance keys of the workers that run no workflows
}

// workerBase has a name of its own, so that both bases can be embedded.
type workerBase = sdkworker.PluginBase

// Name names the plugin.
func (*guest) Name() string { return "raw" }

// ConfigureWorker notes which workers run no workflows, and keeps ours from verifying what raw is told: raw has no keys.
func (g *guest) ConfigureWorker(_ context.Context, o sdkworker.PluginConfigureWorkerOptions) error {
	if o.WorkerOptions.DisableWorkflowWorker {
		g.effects = append(g.effects, o.WorkerInstanceKey)
	}
	for n, ours := range o.WorkerOptions.Interceptors {
		o.WorkerOptions.Interceptors[n] = &unlessRaw{WorkerInterceptor: ours}
	}
	return nil
}

// unlessRaw is an interceptor for the workflows that are not raw.
type unlessRaw struct{ interceptor.WorkerInterceptor }

// InterceptWorkflow stands before what is not raw.
func (u *unlessRaw) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	if strings.HasPrefix(workflow.GetInfo(ctx).WorkflowType.Name, "Raw") {
		return next
	}
	return u.WorkerInterceptor.InterceptWorkflow(ctx, next)
}

// StartWorker registers raw before the worker starts.
func (g *guest) StartWorker(ctx context.Context, o sdkworker.PluginStartWorkerOptions, next func(context.Context, sdkworker.PluginStartWorkerOptions) error) error {
	if !slices.Contains(g.effects, o.WorkerInstanceKey) {
		o.WorkerRegistry.RegisterWorkflowWithOptions(rawIncident, workflow.RegisterOptions{Name: rawIncidentWorkflow})
		o.WorkerRegistry.RegisterWorkflowWithOptions(rawReview, workflow.RegisterOptions{Name: rawReviewWorkflow})
		o.WorkerRegistry.RegisterWorkflowWithOptions(rawPlan, workflow.RegisterOptions{Name: rawPlanWorkflow})
	}
	o.WorkerRegistry.RegisterActivityWithOptions(g.activities, activity.RegisterOptions{})
	return next(ctx, o)
}

// keyless takes the priority keys off every start and every activity.
type keyless struct {
	interceptor.InterceptorBase
}

// InterceptClient takes the key off starts.
func (*keyless) InterceptClient(next interceptor.ClientOutboundInterceptor) interceptor.ClientOutboundInterceptor {
	k := &keylessClient{}
	k.Next = next
	return k
}

// InterceptWorkflow takes the key off activities.
func (*keyless) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	k := &keylessInbound{}
	k.Next = next
	return k
}

type keylessClient struct {
	interceptor.ClientOutboundInterceptorBase
}

// SignalWithStartWorkflow starts without a key.
func (k *keylessClient) SignalWithStartWorkflow(ctx context.Context, in *interceptor.ClientSignalWithStartWorkflowInput) (client.WorkflowRun, error) {
	plain := *in.Options
	plain.Priority.PriorityKey = 0
	bare := *in
	bare.Options = &plain
	return k.Next.SignalWithStartWorkflow(ctx, &bare)
}

type keylessInbound struct {
	interceptor.WorkflowInboundInterceptorBase
}

// Init puts the outbound interceptor before the next one.
func (k *keylessInbound) Init(next interceptor.WorkflowOutboundInterceptor) error {
	out := &keylessOutbound{}
	out.Next = next
	return k.Next.Init(out)
}

type keylessOutbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

// ExecuteActivity runs the activity without a key.
func (k *keylessOutbound) ExecuteActivity(ctx workflow.Context, activityType string, args ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	options.Priority.PriorityKey = 0
	return k.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, options), activityType, args...)
}

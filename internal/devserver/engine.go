package devserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	loopback = "127.0.0.1"
	// clusterName is in every database: never change it.
	clusterName     = "active"
	mainStore       = "main"
	visibilityStore = "visibility"
	// startAttempts is how often a start chooses ports anew. Losing a race for one once is rare, six times is not
	// a race.
	startAttempts = 6
)

// engine is one running Temporal server.
type engine struct {
	server     temporal.Server
	hostPort   string
	metricsURL string
}

// ports are where one server listens. The last four serve the other services only.
type ports struct {
	frontend, metrics                   int
	internal, history, matching, worker int
}

// startEngine starts the server. The server wants its ports told and binds them itself, so between choosing and
// binding something else can take one. It then reports a fatal error, which the logger turns into a failed attempt,
// and the next attempt chooses again.
func startEngine(
	ctx context.Context, s store, t Token, frontend, metricsPort int, log *logger, choose func(n int) ([]int, error),
) (*engine, error) {
	var failed []error
	for range startAttempts {
		if err := context.Cause(ctx); err != nil {
			return nil, errors.Join(append(failed, err)...)
		}
		p, err := choosePorts(frontend, metricsPort, choose)
		if err != nil {
			return nil, errors.Join(append(failed, err)...)
		}
		e, err := tryEngine(s, t, p, log)
		if err == nil {
			return e, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// choosePorts fills in what the caller left free and refuses at once what cannot work.
func choosePorts(frontend, metricsPort int, choose func(n int) ([]int, error)) (ports, error) {
	for _, fixed := range []int{frontend, metricsPort} {
		if fixed <= 0 {
			continue
		}
		if err := bindable(fixed); err != nil {
			return ports{}, err
		}
	}
	free, err := choose(6)
	if err != nil {
		return ports{}, err
	}
	p := ports{frontend: frontend, metrics: metricsPort, internal: free[0], history: free[1], matching: free[2], worker: free[3]}
	if p.frontend == 0 {
		p.frontend = free[4]
	}
	if p.metrics == 0 {
		p.metrics = free[5]
	}
	return p, nil
}

// tryEngine makes one attempt. It runs in a goroutine of its own because a fatal report of the server ends the
// goroutine that makes it.
func tryEngine(s store, t Token, p ports, log *logger) (*engine, error) {
	e := &engine{hostPort: address(p.frontend)}
	if p.metrics != Off {
		e.metricsURL = "http://" + address(p.metrics) + "/metrics"
	}
	cfg := serverConfig(s, p)
	result := make(chan error, 1)
	go func() {
		ended := errors.New("the server gave up")
		defer func() {
			if r := recover(); r != nil {
				ended = fmt.Errorf("the server panicked: %v", r)
			}
			result <- ended
		}()
		ended = e.start(cfg, t, p, log)
	}()
	err := <-result
	select {
	case fatal := <-log.fatal: // The server's own words are better than what followed from them.
		err = fatal
	default:
	}
	if err != nil {
		e.stop(stopLimit)
		return nil, err
	}
	return e, nil
}

func (e *engine) start(cfg *config.Config, t Token, p ports, log *logger) error {
	services, err := internode()
	if err != nil {
		return err
	}
	admits := newDoor(t)
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		// All of them: with the internal frontend, the services have one that the token does not guard, but their
		// certificate.
		temporal.ForServices(temporal.Services),
		temporal.WithTLSConfigFactory(services),
		// Without this the server opens membership ports too and looks for other hosts.
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService:         static.SingleLocalHost(address(p.frontend)),
			primitives.InternalFrontendService: static.SingleLocalHost(address(p.internal)),
			primitives.HistoryService:          static.SingleLocalHost(address(p.history)),
			primitives.MatchingService:         static.SingleLocalHost(address(p.matching)),
			primitives.WorkerService:           static.SingleLocalHost(address(p.worker)),
		}),
		temporal.WithDynamicConfigClient(settings()),
		temporal.WithLogger(log),
		// Reaching loopback is not enough: who presents the token may do anything, nobody else anything.
		temporal.WithAuthorizer(admits),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return admits }),
	)
	if err != nil {
		return err
	}
	e.server = server
	return server.Start()
}

// stop stops the server and reports whether it ended within the limit. An engine that never started is stopped.
func (e *engine) stop(limit time.Duration) bool {
	if e.server == nil {
		return true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The server logs what cannot be stopped; there is nothing else to do about it.
		_ = e.server.Stop()
	}()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

func serverConfig(s store, p ports) *config.Config {
	service := func(port int) config.Service {
		// Only gRPC: without an HTTP port no web page in the user's browser can post to the frontend. BindOnIP, not BindOnLocalHost: that one asks DNS and the environment.
		return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	cfg := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     mainStore,
			VisibilityStore:  visibilityStore,
			NumHistoryShards: s.shards(),
			DataStores:       map[string]config.DataStore{mainStore: {SQL: s.main()}, visibilityStore: {SQL: s.visibility()}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(p.frontend)},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services: map[string]config.Service{
			string(primitives.FrontendService):         service(p.frontend),
			string(primitives.InternalFrontendService): service(p.internal),
			string(primitives.HistoryService):          service(p.history),
			string(primitives.MatchingService):         service(p.matching),
			string(primitives.WorkerService):           service(p.worker),
		},
		// Muster keeps histories as signed bundles; Temporal's own archival stays off.
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
	}
	if p.metrics != Off {
		cfg.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			// The other framework, tally, never closes its listener.
			Framework:     metrics.FrameworkOpentelemetry,
			ListenAddress: address(p.metrics),
			HandlerPath:   "/metrics",
		}}
	}
	return cfg
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// Package devserver runs Temporal inside this process: the server on SQLite or PostgreSQL, its web UI and its metrics, all on
// 127.0.0.1. It is the engine behind `muster dev`, `muster demo` and the system tests. It knows nothing about
// Muster's workflows: callers dial HostPort like any other Temporal, with the token of the data folder.
//
// Every user and program of a machine reaches 127.0.0.1, so each listener guards itself. The frontend answers health
// checks, and everything else only to who presents the token. The services behind it, and the frontend of their own,
// answer only each other, by mutual TLS with a certificate that lives in this process. The web UI only looks, and asks
// Options.UIGate who may. The metrics answer anybody: they are numbers, and the names of namespaces and task queues.
//
// A data folder belongs to one process at a time and to one Temporal version. It holds
//
//	muster.lock          held while a Muster runs on the folder; names its process
//	engine.token         what clients present to the frontend; read at the start, made when it is missing
//	engine/engine.json   which server, schema and shard count made the folder
//	engine/temporal.db   SQLite, in WAL mode: histories, timers, tasks, namespaces
//	engine/visibility.db the same for lists
//	engine.database      instead of the engine folder: names the database of PostgreSQL that has the work of this folder
//
// The engine folder appears whole or not at all: it is built beside its place and renamed. The token is not a part of
// it: who copies or moves the databases hands out no key. In memory mode there is no file, and a new token each time.
package devserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/headers"

	"muster/internal/postgres"
)

// Off as a port leaves that listener out.
const Off = -1

const (
	defaultNamespace = "default"
	defaultRetention = 90 * 24 * time.Hour
	// shortestRetention is the server's own limit. It checks it only when a retention changes.
	shortestRetention = time.Hour

	// startLimit bounds a start whose context has no earlier deadline. A start takes about a second; a machine that
	// needs longer than this is in trouble that a person should see.
	startLimit = 90 * time.Second
	// stopLimit is how long Stop waits for the server. Nothing is lost by giving up: what was acknowledged is on disk.
	stopLimit = 10 * time.Second
)

// Options says what to start. It needs a Folder or Memory; the zero value of everything else works.
type Options struct {
	// Folder is the data folder. It is made, with mode 0700, when it does not exist.
	Folder string
	// Memory keeps everything in memory, gone with the process. Folder must then be empty.
	Memory bool
	// Database is the database of PostgreSQL in which everything is kept instead of files in Folder. A second one beside it, of its
	// name with "_visibility" at the end, is for lists. Both are created where they are not there and their user may; their schema is
	// brought to that of this build. One engine runs on it at a time. Nil: files.
	Database *postgres.Database
	// NormalSync lets a commit return before it is on the disk (SQLite's synchronous=normal). A killed process still
	// loses nothing, a power cut may lose the last commits: for tests and the demo. The default waits for the disk.
	NormalSync bool

	// Namespace is made when it does not exist. Empty means "default".
	Namespace string
	// Retention is how long closed histories are kept. It is set at every start. Zero means 90 days.
	Retention time.Duration
	// SearchAttributes are added at every start where they are missing. None is ever removed.
	SearchAttributes map[string]enumspb.IndexedValueType

	// FrontendPort is where clients dial. 0 takes a free port.
	FrontendPort int
	// UIPort is where the web UI listens. 0 takes a free port, Off leaves it out.
	UIPort int
	// UIGate, if set, wraps the whole web UI, for a caller who wants to know who looks. Without one, everybody on this
	// machine may: the UI looks with the token, and shows what the histories hold.
	UIGate func(http.Handler) http.Handler
	// UICodec is the URL at which the UI asks for payloads in clear, with the cookies of the browser. Empty: nowhere.
	UICodec string
	// MetricsPort is where Temporal's own Prometheus metrics are. 0 takes a free port, Off leaves them out.
	MetricsPort int

	// Logger gets the server's warnings and errors. Nil means slog.Default().
	Logger *slog.Logger
	// Progress, if set, is told in one line each what the start is doing.
	Progress func(line string)
}

// Server is a running engine.
type Server struct {
	// HostPort is the frontend's address, as a Temporal client wants it.
	HostPort string
	// UIURL is the web UI's address, empty when it is off.
	UIURL string
	// MetricsURL is where Prometheus scrapes Temporal's own metrics, empty when they are off.
	MetricsURL string
	// Namespace answers when Start returns.
	Namespace string
	// Token is what the frontend asks for.
	Token Token

	log    *logger
	engine *engine
	ui     *ui
	folder *folder
	store  store
	stop   sync.Once
}

// ClientOptions returns how a client on this machine dials the server: with the token, which makes it the way in for
// whoever holds the Server. Nothing is compressed: for what never leaves the machine that would be a twentieth of an
// incident's processor time.
func (s *Server) ClientOptions() client.Options {
	return client.Options{
		HostPort: s.HostPort, Namespace: s.Namespace, HeadersProvider: s.Token,
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}},
	}
}

// Start starts Temporal and returns when its namespace answers, also through visibility, and its search attributes
// are there. The context bounds the start only: the server runs until Stop.
func Start(ctx context.Context, opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start temporal: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()

	began := time.Now()
	s := &Server{Namespace: opts.Namespace, log: newLogger(opts.Logger)}
	if err := s.start(ctx, opts); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start temporal: %w", err)
	}
	opts.Progress(fmt.Sprintf("temporal is ready after %s: frontend %s, web UI %s",
		time.Since(began).Round(time.Millisecond), s.HostPort, cmp.Or(s.UIURL, "off")))
	return s, nil
}

func (o Options) withDefaults() (Options, error) {
	o.Namespace = cmp.Or(o.Namespace, defaultNamespace)
	o.Retention = cmp.Or(o.Retention, defaultRetention)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	switch {
	case o.Folder == "" && !o.Memory:
		return o, errors.New("no data folder given, and not asked to stay in memory")
	case o.Memory && o.Database != nil:
		return o, fmt.Errorf("database %s: given, but asked to stay in memory", o.Database)
	case o.Folder != "" && o.Memory:
		return o, fmt.Errorf("data folder %s: given, but asked to stay in memory", o.Folder)
	case o.FrontendPort < 0 || o.UIPort < Off || o.MetricsPort < Off:
		return o, fmt.Errorf("ports %d, %d and %d: a port is 0 for a free one or more, only web UI and metrics may be off (%d)",
			o.FrontendPort, o.UIPort, o.MetricsPort, Off)
	case o.Retention < shortestRetention:
		return o, fmt.Errorf("retention %s: temporal keeps closed histories for at least %s", o.Retention, shortestRetention)
	}
	return o, nil
}

func (s *Server) start(ctx context.Context, opts Options) error {
	if err := s.open(ctx, opts); err != nil {
		return err
	}
	if err := createNamespace(s.store, opts); err != nil {
		return err
	}

	e, err := startEngine(ctx, s.store, s.Token, opts.FrontendPort, opts.MetricsPort, s.log, freePorts)
	if err != nil {
		return err
	}
	s.engine, s.HostPort, s.MetricsURL = e, e.hostPort, e.metricsURL

	opts.Progress("waiting for namespace " + opts.Namespace)
	if err := prepareNamespace(ctx, s.ClientOptions(), opts); err != nil {
		return err
	}
	if opts.UIPort == Off {
		return nil
	}
	if s.ui, err = startUI(opts, s.HostPort, s.Token, s.log); err != nil {
		return err
	}
	s.UIURL = s.ui.url
	return nil
}

// open takes what the engine keeps its work in.
func (s *Server) open(ctx context.Context, opts Options) error {
	if opts.Memory {
		opts.Progress("starting temporal " + headers.ServerVersion + " in memory")
		s.store, s.Token = memoryStore(), newToken()
		return nil
	}
	f, err := takeFolder(opts.Folder, opts.Logger)
	if err != nil {
		return err
	}
	s.folder = f
	if opts.Database == nil {
		if err := f.open(opts.Progress); err != nil {
			return err
		}
		opts.Progress("starting temporal " + headers.ServerVersion + " on " + f.engine())
		s.store = f.store(opts.NormalSync)
	} else {
		had, err := f.isFor(opts.Database)
		if err != nil {
			return err
		}
		db, err := openPostgres(ctx, opts.Database, had, opts.Logger, opts.Progress)
		if err != nil {
			return err
		}
		s.store = db
		if err := f.belongs(opts.Database); err != nil {
			return err
		}
		opts.Progress("starting temporal " + headers.ServerVersion + " on database " + opts.Database.String())
		go s.log.report(db.lock.Lost())
	}
	s.Token, err = f.token()
	return err
}

// Failed delivers one error if the server reports, after Start, that it cannot go on. The caller should then stop it
// and end: the server means such a report to end the process.
func (s *Server) Failed() <-chan error { return s.log.fatal }

// Stop stops the web UI and the server, brings the database file up to date and gives the data folder back. It
// returns within about ten seconds whatever happens, and may be called more than once. Stop workers and clients
// first: what they call during the stop fails.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.mute() // Half-stopped services complain about each other; it means nothing.
		if s.ui != nil {
			s.ui.stop()
		}
		if s.engine != nil {
			if !s.engine.stop(stopLimit) {
				// It may still write: folder and database stay locked until the process ends.
				s.log.out.Warn("temporal did not stop in time", "limit", stopLimit)
				return
			}
		}
		if s.store != nil {
			s.store.close()
		}
		if s.folder != nil {
			s.folder.unlock()
		}
	})
}

package devserver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/internal/devserver"
)

const (
	keyword  = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	datetime = enumspb.INDEXED_VALUE_TYPE_DATETIME
)

var (
	customer = temporal.NewSearchAttributeKeyKeyword("Customer")
	nextDue  = temporal.NewSearchAttributeKeyTime("NextDue")
)

// lines collects what the engine logs.
type lines struct {
	sync.Mutex
	strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Builder.Write(p)
}

// start starts an engine that may log lines with the expected words, and no others.
func start(t *testing.T, opts devserver.Options, expected ...string) *devserver.Server {
	t.Helper()
	// A machine that has no time to spare is not what is tested here.
	expected = append(expected, "deadline exceeded", "exceeded threshold", "slow")
	var log lines
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	began := time.Now()
	s, err := devserver.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() {
		s.Stop()
		log.Lock()
		defer log.Unlock()
		for line := range strings.Lines(log.String()) {
			if !slices.ContainsFunc(expected, func(words string) bool { return strings.Contains(line, words) }) {
				t.Errorf("a healthy engine does not log: %s", line)
			}
		}
	})
	return s
}

func stop(t *testing.T, s *devserver.Server) {
	t.Helper()
	began := time.Now()
	s.Stop()
	t.Logf("stopped in %s", time.Since(began).Round(time.Millisecond))
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("stop took %s", took)
	}
	select {
	case err := <-s.Failed():
		t.Errorf("the engine failed: %v", err)
	default:
	}
	s.Stop()
}

func dial(t *testing.T, s *devserver.Server) client.Client {
	t.Helper()
	o := s.ClientOptions()
	o.Logger = sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func startRun(t *testing.T, c client.Client, id string, attributes ...temporal.SearchAttributeUpdate) {
	t.Helper()
	if err := tryRun(t, c, id, attributes...); err != nil {
		t.Fatal(err)
	}
}

func tryRun(t *testing.T, c client.Client, id string, attributes ...temporal.SearchAttributeUpdate) error {
	t.Helper()
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: id, TaskQueue: "nobody", TypedSearchAttributes: temporal.NewSearchAttributes(attributes...),
	}, "Wait")
	return err
}

// eventually tries until it works, for at most a minute.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func counts(t *testing.T, c client.Client, query string, want int64) {
	t.Helper()
	eventually(t, "count "+query, func() error {
		got, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		if err == nil && got.GetCount() != want {
			err = fmt.Errorf("got %d, want %d", got.GetCount(), want)
		}
		return err
	})
}

func retention(t *testing.T, c client.Client, namespace string) time.Duration {
	t.Helper()
	got, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
}

func TestFolderSurvivesRestart(t *testing.T) {
	opts := devserver.Options{
		Folder:           filepath.Join(t.TempDir(), "100% #1 data?"), // All of it means something in a URI.
		Namespace:        "muster",
		SearchAttributes: map[string]enumspb.IndexedValueType{"Customer": keyword},
	}
	first := start(t, opts)
	c := dial(t, first)
	if got := retention(t, c, "muster"); got != 90*24*time.Hour {
		t.Errorf("retention: got %s, want 90 days", got)
	}
	startRun(t, c, "one", customer.ValueSet("acme"))
	counts(t, c, "Customer = 'acme'", 1)
	stop(t, first)
	for _, name := range []string{"temporal.db-wal", "visibility.db-wal"} {
		if wal, err := os.Stat(filepath.Join(opts.Folder, "engine", name)); err == nil && wal.Size() > 0 {
			t.Errorf("%d bytes of %s are not in the database file after a clean stop", wal.Size(), name)
		}
	}

	opts.Retention = 48 * time.Hour
	opts.SearchAttributes["NextDue"] = datetime
	second := start(t, opts)
	c = dial(t, second)
	if got := retention(t, c, "muster"); got != 48*time.Hour {
		t.Errorf("retention: got %s, want 48h", got)
	}
	there, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "muster"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range opts.SearchAttributes {
		if got := there.GetCustomAttributes()[name]; got != want {
			t.Errorf("search attribute %s: got %s, want %s", name, got, want)
		}
	}
	startRun(t, c, "two", customer.ValueSet("acme"), nextDue.ValueSet(time.Now())) // Usable at once.
	counts(t, c, "Customer = 'acme'", 2)
	counts(t, c, "NextDue IS NOT NULL", 1)
	if _, err := c.DescribeWorkflowExecution(t.Context(), "one", ""); err != nil {
		t.Errorf("the run from before the restart: %v", err)
	}
	stop(t, second)

	opts.SearchAttributes["Customer"] = datetime
	_, err = devserver.Start(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "search attribute Customer: is Keyword in this database, should be Datetime") {
		t.Errorf("start with another type: got %v", err)
	}
}

// One engine for what only looks at it.
func TestRunningEngine(t *testing.T) {
	opts := devserver.Options{Folder: t.TempDir(), NormalSync: true, UICodec: uiCodec}
	before := sockets(t)
	s := start(t, opts, "broken on purpose")
	defer stop(t, s)

	t.Run("the folder is taken", func(t *testing.T) {
		_, err := devserver.Start(t.Context(), opts)
		want := fmt.Sprintf("start temporal: open data folder %s: in use by another muster (process %d): stop that one, or choose another folder",
			opts.Folder, os.Getpid())
		if err == nil || err.Error() != want {
			t.Errorf("second start:\n got %v\nwant %s", err, want)
		}
	})
	t.Run("web UI", func(t *testing.T) {
		testUI(t, s)
	})
	t.Run("metrics", func(t *testing.T) {
		if got := ask(t, http.MethodGet, s.MetricsURL, "", nil); got.status != http.StatusOK || !strings.Contains(got.body, "service_requests") {
			t.Errorf("got %d, %d bytes", got.status, len(got.body))
		}
	})
	t.Run("only loopback", func(t *testing.T) {
		listening := testSockets(t, before)
		known := s.HostPort + " " + s.UIURL + " " + s.MetricsURL
		testServicesAreClosed(t, slices.DeleteFunc(listening, func(a netip.AddrPort) bool {
			return strings.Contains(known, a.String())
		}))
	})
	t.Run("reported problems", func(t *testing.T) {
		testReportedProblems(t, s)
	})
}

// A run whose code panics is marked soon, not after minutes of back-off.
func testReportedProblems(t *testing.T, s *devserver.Server) {
	c := dial(t, s)
	w := worker.New(c, "broken", worker.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context) error { panic("broken on purpose") }, workflow.RegisterOptions{Name: "Broken"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	began := time.Now()
	if _, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "broken", TaskQueue: "broken", WorkflowTaskTimeout: time.Second, // 10 s in real life.
	}, "Broken"); err != nil {
		t.Fatal(err)
	}
	counts(t, c, "TemporalReportedProblems IS NOT NULL", 1)
	t.Logf("marked after %s", time.Since(began).Round(time.Millisecond))
	if err := c.TerminateWorkflow(t.Context(), "broken", "", "seen"); err != nil {
		t.Error(err)
	}
}

func TestMemory(t *testing.T) {
	s := start(t, devserver.Options{
		Memory: true, UIPort: devserver.Off, MetricsPort: devserver.Off,
		SearchAttributes: map[string]enumspb.IndexedValueType{"Customer": keyword},
	})
	if s.UIURL != "" || s.MetricsURL != "" {
		t.Errorf("off, but at %q and %q", s.UIURL, s.MetricsURL)
	}
	c := dial(t, s)
	startRun(t, c, "one", customer.ValueSet("acme"))
	counts(t, c, "Customer = 'acme'", 1)
	stop(t, s)
}

func TestOptionsRefused(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name string
		ctx  context.Context
		opts devserver.Options
		want string
	}{
		{"nowhere", t.Context(), devserver.Options{}, "start temporal: no data folder given, and not asked to stay in memory"},
		{"both", t.Context(), devserver.Options{Folder: "data", Memory: true}, "start temporal: data folder data: given, but asked to stay in memory"},
		{"no frontend", t.Context(), devserver.Options{Memory: true, FrontendPort: devserver.Off}, "only web UI and metrics may be off"},
		{"no such port", t.Context(), devserver.Options{Memory: true, UIPort: -2}, "ports 0, -2 and 0"},
		{
			"short retention", t.Context(),
			devserver.Options{Memory: true, Retention: time.Minute},
			"start temporal: retention 1m0s: temporal keeps closed histories for at least 1h0m0s",
		},
		{"given up", cancelled, devserver.Options{Memory: true}, "context canceled"},
		{"too many attributes", t.Context(), devserver.Options{Memory: true, SearchAttributes: map[string]enumspb.IndexedValueType{
			"A": datetime, "B": datetime, "C": datetime, "D": datetime,
		}}, "cannot have more than 3 search attributes of type Datetime"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := devserver.Start(row.ctx, row.opts)
			if err == nil {
				s.Stop()
				t.Fatal("started")
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	if _, err := devserver.Start(cancelled, devserver.Options{Folder: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("start after giving up: got %v", err)
	}
}

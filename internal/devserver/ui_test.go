package devserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/internal/devserver"
)

// answer is what an HTTP server said.
type answer struct {
	status  int
	body    string
	cookies []*http.Cookie
}

// ask sends a request, by another host name when one is given.
func ask(t *testing.T, method, address, host string, change func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if change != nil {
		change(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(text), response.Cookies()}
}

// within tells whether JSON contains other JSON, however both are spaced.
func within(body, part string) bool {
	bare := strings.NewReplacer(" ", "", "\n", "").Replace
	return strings.Contains(bare(body), bare(part))
}

const uiCodec = "http://127.0.0.1:8080/api/v1/codec"

func testUI(t *testing.T, s *devserver.Server) {
	_, port, _ := strings.Cut(strings.TrimPrefix(s.UIURL, "http://"), ":")
	for _, row := range []struct {
		path, host string
		status     int
		contains   string
	}{
		{"/", "", 200, "<html"},
		{"/namespaces/default/workflows", "", 200, "<html"},
		{"/", "localhost:" + port, 200, "<html"},
		{"/", "[::1]:" + port, 200, "<html"},
		{"/api/v1/namespaces", "", 200, `"name":"default"`},
		{"/api/v1/namespaces", "evil.example:" + port, 421, "unknown host name: use 127.0.0.1:" + port},
		{"/api/v1/namespaces", "127.0.0.1", 421, "unknown host name"},
		{"/api/v1/namespaces", "127.0.0.1:1", 421, "unknown host name"},
		{"/api/v1/namespaces", "localhost.evil.example:" + port, 421, "unknown host name"},
	} {
		got := ask(t, http.MethodGet, s.UIURL+row.path, row.host, nil)
		if got.status != row.status || !within(got.body, row.contains) {
			t.Errorf("GET %s as %q: got %d %.200s, want %d with %s", row.path, row.host, got.status, got.body, row.status, row.contains)
		}
	}
	var settings struct {
		DefaultNamespace                                          string
		DisableNewsFetch, NotifyOnNewVersion, DisableWriteActions bool
		Codec                                                     struct {
			Endpoint           string
			IncludeCredentials bool
		}
	}
	if err := json.Unmarshal([]byte(ask(t, http.MethodGet, s.UIURL+"/api/v1/settings", "", nil).body), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.DefaultNamespace != "default" || !settings.DisableNewsFetch || settings.NotifyOnNewVersion || !settings.DisableWriteActions {
		t.Errorf("settings: %+v", settings)
	}
	if c := settings.Codec; c.Endpoint != uiCodec || !c.IncludeCredentials {
		t.Errorf("it asks for payloads in clear at %+v", c)
	}
	t.Run("looks", func(t *testing.T) { testUILooks(t, s) })
	t.Run("only looks", func(t *testing.T) { testUIOnlyLooks(t, s) })
}

// testUILooks reads a running workflow in all the ways that the UI has.
func testUILooks(t *testing.T, s *devserver.Server) {
	c := dial(t, s)
	w := worker.New(c, "asked", worker.Options{})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		if err := workflow.SetQueryHandler(ctx, "State", func() (string, error) { return "all is well", nil }); err != nil {
			return err
		}
		return workflow.Await(ctx, func() bool { return false })
	}, workflow.RegisterOptions{Name: "Asked"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	// Ids of Muster's workflows have slashes.
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "asked/acme", TaskQueue: "asked"}, "Asked")
	if err != nil {
		t.Fatal(err)
	}
	counts(t, c, "WorkflowType = 'Asked'", 1)

	workflows := s.UIURL + "/api/v1/namespaces/default/workflows"
	for path, want := range map[string]string{
		"?query=" + url.QueryEscape("WorkflowType = 'Asked'"): `"workflowId":"asked/acme"`,
		"/asked%2Facme":         `"status":"WORKFLOW_EXECUTION_STATUS_RUNNING"`,
		"/asked%2Facme/history": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
		"/asked%2Facme/run/" + run.GetRunID() + "/history.json": `"workflow_type":{"name":"Asked"}`,
	} {
		forged := func(r *http.Request) { r.Header.Set("Authorization", "Bearer of somebody else") }
		for _, change := range []func(*http.Request){nil, forged} {
			if got := ask(t, http.MethodGet, workflows+path, "", change); got.status != http.StatusOK || !within(got.body, want) {
				t.Errorf("GET %s: got %d %.400s, want %s", path, got.status, got.body, want)
			}
		}
	}

	query := workflows + "/asked%2Facme/query/State"
	cookies := ask(t, http.MethodGet, s.UIURL, "", nil).cookies
	asPage := func(r *http.Request) {
		for _, c := range cookies {
			r.AddCookie(c)
			r.Header.Set("X-CSRF-Token", c.Value)
		}
	}
	got := ask(t, http.MethodPost, query, "", asPage)
	if got.status != http.StatusOK || !within(got.body, `"all is well"`) && !within(got.body, "ImFsbCBpcyB3ZWxsIg==") {
		t.Errorf("POST of a query: got %d %s", got.status, got.body)
	}
	if got := ask(t, http.MethodPost, query, "", nil); got.status != http.StatusBadRequest && got.status != http.StatusForbidden {
		t.Errorf("POST of a query without the page's own token: got %d, want it refused", got.status)
	}
}

func testUIOnlyLooks(t *testing.T, s *devserver.Server) {
	c := dial(t, s)
	startRun(t, c, "untouched")
	for _, row := range []struct{ method, path string }{
		{"POST", "/new"}, // starts one
		{"POST", "/untouched/terminate"},
		{"POST", "/untouched/cancel"},
		{"POST", "/untouched/reset"},
		{"POST", "/untouched/signal/Tell"},
		{"POST", "/untouched/update/Tell"},
		{"DELETE", "/untouched"},
		{"PUT", "/untouched"},
		{"PATCH", "/untouched"},
		{"OPTIONS", "/untouched"},
		{"TRACE", "/untouched"},
		// Something else that looks like a query.
		{"POST", "/untouched/signal/query/State"},
		{"POST", "/untouched/signal/x%2Fquery%2FState"},
		{"POST", "/query/terminate"},
		{"POST", "/untouched/query/State/more"},
		{"POST", "/untouched/query"},
		{"PUT", "/untouched/query/State"},
		{"POST", "/untouched/../untouched/query/State"},
		{"POST", "/../schedules/workflows/x/query/y"},
	} {
		got := ask(t, row.method, s.UIURL+"/api/v1/namespaces/default/workflows"+row.path, "", nil)
		if got.status != http.StatusForbidden || got.body != "Muster's commands change workflows; this UI only looks\n" {
			t.Errorf("%s %s: got %d %s, want 403 and why", row.method, row.path, got.status, got.body)
		}
	}
	for _, path := range []string{"/", "/api/v1/namespaces", "/api/v1/settings", "/namespaces/default/workflows/untouched/query/State"} {
		if got := ask(t, http.MethodPost, s.UIURL+path, "", nil); got.status != http.StatusForbidden {
			t.Errorf("POST %s: got %d, want 403", path, got.status)
		}
	}
	d, err := c.DescribeWorkflowExecution(t.Context(), "untouched", "")
	if err != nil {
		t.Fatal(err)
	}
	if i := d.GetWorkflowExecutionInfo(); i.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || i.GetHistoryLength() != 2 {
		t.Errorf("after what was refused: got %s with %d events, want running with 2", i.GetStatus(), i.GetHistoryLength())
	}
}

// Whoever owns the gate decides about every request: pages, data, and what would be refused anyway.
func TestUIGate(t *testing.T) {
	s := start(t, devserver.Options{
		Memory: true, MetricsPort: devserver.Off,
		UIGate: func(ui http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer of a session" {
					http.Error(w, "sign in first", http.StatusUnauthorized)
					return
				}
				ui.ServeHTTP(w, r)
			})
		},
	})
	session := func(r *http.Request) { r.Header.Set("Authorization", "Bearer of a session") }
	_, port, _ := strings.Cut(strings.TrimPrefix(s.UIURL, "http://"), ":")
	for _, row := range []struct {
		method, path, host string
		change             func(*http.Request)
		want               int
	}{
		{"GET", "/", "", nil, 401},
		{"GET", "/api/v1/namespaces", "", nil, 401},
		{"GET", "/healthz", "", nil, 401},
		{"POST", "/api/v1/namespaces/default/workflows/x/query/State", "", nil, 401},
		{"POST", "/api/v1/namespaces/default/workflows/x/terminate", "", nil, 401},
		{"GET", "/", "evil.example:" + port, nil, 421}, // not even asked
		{"GET", "/", "evil.example:" + port, session, 421},
		{"GET", "/", "", session, 200},
		{"GET", "/api/v1/namespaces", "", session, 200},
		{"POST", "/api/v1/namespaces/default/workflows/x/terminate", "", session, 403},
	} {
		if got := ask(t, row.method, s.UIURL+row.path, row.host, row.change); got.status != row.want {
			t.Errorf("%s %s as %q, session %v: got %d %.100s, want %d", row.method, row.path, row.host, row.change != nil,
				got.status, got.body, row.want)
		}
	}
}

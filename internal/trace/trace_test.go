package trace_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"muster/internal/trace"
)

// Only who asks for traces gets any, and what cannot be done is a warning: whoever pages people starts without them.
func TestWhoAsksForTraces(t *testing.T) {
	const endpoint, traces, exporter, protocol = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL"
	for name, tt := range map[string]struct {
		env  map[string]string
		on   bool
		warn string
	}{
		"nothing is set":           {},
		"all is empty":             {env: map[string]string{endpoint: "", exporter: "", protocol: ""}},
		"an endpoint":              {env: map[string]string{endpoint: "http://127.0.0.1:1"}, on: true},
		"one of traces":            {env: map[string]string{traces: "http://127.0.0.1:1/v1/traces"}, on: true},
		"an exporter":              {env: map[string]string{exporter: "otlp"}, on: true},
		"no exporter":              {env: map[string]string{endpoint: "http://127.0.0.1:1", exporter: "none"}},
		"switched off":             {env: map[string]string{endpoint: "http://127.0.0.1:1", exporter: "otlp", "OTEL_SDK_DISABLED": "true"}},
		"another exporter":         {env: map[string]string{exporter: "zipkin"}, warn: "want otlp or none"},
		"the protocol":             {env: map[string]string{endpoint: "http://127.0.0.1:1", protocol: "http/protobuf"}, on: true},
		"another protocol":         {env: map[string]string{endpoint: "http://127.0.0.1:1", protocol: "grpc"}, warn: "want http/protobuf"},
		"another one of traces":    {env: map[string]string{endpoint: "http://127.0.0.1:1", protocol: "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, warn: "want http/protobuf"},
		"a protocol and no traces": {env: map[string]string{protocol: "grpc"}},
	} {
		var said bytes.Buffer
		got := trace.Open(t.Context(), "v1", func(name string) string { return tt.env[name] }, slog.New(slog.NewTextHandler(&said, nil)))
		if (got != nil) != tt.on || (said.Len() > 0) != (tt.warn != "") || !strings.Contains(said.String(), tt.warn) {
			t.Errorf("%s: traces %t, said %q", name, got != nil, said.String())
		}
		if err := got.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where there are none, nothing stands in the way of anything.
func TestNoTraces(t *testing.T) {
	var none *trace.Traces
	mux := http.NewServeMux()
	if got := none.Handler(mux); got != http.Handler(mux) {
		t.Error("a handler stands before another one")
	}
	if got := none.Interceptors(); got != nil {
		t.Errorf("got %v", got)
	}
}

// A heard collector keeps what it was told.
type heard struct {
	mu     sync.Mutex
	spans  []string
	refuse int // so many batches
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse > 0 {
		h.refuse--
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var batch collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &batch); err != nil {
		h.spans = append(h.spans, err.Error())
	}
	for _, from := range batch.GetResourceSpans() {
		for _, scope := range from.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				line := fmt.Sprintf("%s %s", s.GetName(), s.GetStatus().GetCode())
				for _, a := range s.GetAttributes() {
					line += " " + a.GetKey() + "=" + a.GetValue().GetStringValue()
					if n := a.GetValue().GetIntValue(); n != 0 {
						line += strconv.FormatInt(n, 10)
					}
				}
				h.spans = append(h.spans, line)
			}
		}
	}
}

// sent opens traces to a collector, does something with them, and returns what the collector was told, and what the log says.
func sent(t *testing.T, to *heard, do func(*trace.Traces)) (spans []string, said string) {
	t.Helper()
	srv := httptest.NewServer(to)
	defer srv.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
	var log bytes.Buffer
	traces := trace.Open(t.Context(), "v1", os.Getenv, slog.New(slog.NewTextHandler(&log, nil)))
	do(traces)
	if err := traces.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return to.spans, log.String()
}

// Of a request its route and its end are told, and not the path, which may be a secret.
func TestWhatIsToldOfARequest(t *testing.T) {
	spans, _ := sent(t, &heard{}, func(traces *trace.Traces) {
		mux := http.NewServeMux()
		mux.Handle("/l/{token}", traces.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.PathValue("token") {
			case "early":
				w.WriteHeader(http.StatusEarlyHints)
			case "broken":
				w.WriteHeader(http.StatusBadGateway)
			case "gone":
				w.WriteHeader(http.StatusNotFound)
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		})))
		srv := httptest.NewServer(mux)
		defer srv.Close()
		for _, ask := range [][2]string{{"GET", "early"}, {"POST", "broken"}, {"BREW", "gone"}} {
			req, err := http.NewRequestWithContext(t.Context(), ask[0], srv.URL+"/l/"+ask[1]+"?key=secret", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	})
	want := strings.Join([]string{
		"GET /l/{token} STATUS_CODE_UNSET http.request.method=GET http.route=/l/{token} http.response.status_code=200",
		"POST /l/{token} STATUS_CODE_ERROR http.request.method=POST http.route=/l/{token} http.response.status_code=502",
		"_OTHER /l/{token} STATUS_CODE_UNSET http.request.method=_OTHER http.route=/l/{token} http.response.status_code=404",
	}, "\n")
	if got := strings.Join(spans, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A collector that takes nothing is told of once, and once more when it does again.
func TestACollectorThatTakesNothing(t *testing.T) {
	spans, said := sent(t, &heard{refuse: 3}, func(traces *trace.Traces) {
		for range 5 {
			w := httptest.NewRecorder()
			traces.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		}
	})
	if len(spans) != 2 || strings.Count(said, "not taken") != 1 || strings.Count(said, "taken again") != 1 {
		t.Errorf("%d spans, said:\n%s", len(spans), said)
	}
}

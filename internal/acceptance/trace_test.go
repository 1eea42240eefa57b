package acceptance_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"muster/internal/incident"
)

// A listener is an OpenTelemetry collector that remembers.
type listener struct {
	mu      sync.Mutex
	service map[string]string // attributes of the resource
	spans   []*otlp.Span
	faults  []string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var batch collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &batch)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("X-Key") != "k" {
		l.faults = append(l.faults, fmt.Sprintf("%s with key %q: %v", r.URL.Path, r.Header.Get("X-Key"), err))
	}
	for _, from := range batch.GetResourceSpans() {
		l.service = valuesOf(from.GetResource().GetAttributes())
		for _, scope := range from.GetScopeSpans() {
			l.spans = append(l.spans, scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func valuesOf(all []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		out[a.GetKey()] = strings.Trim(fmt.Sprint(a.GetValue().GetStringValue(), a.GetValue().GetIntValue()), " 0")
	}
	return out
}

// of returns the spans of a trace.
func (l *listener) of(trace string) []*otlp.Span {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.spans), func(s *otlp.Span) bool { return hex.EncodeToString(s.GetTraceId()) != trace })
}

// A collector is told the way of an alert, from the post to the pager, as one trace, over the end of a node in the middle of it. What it is
// told says nothing of people and of what they are told.
func TestAPostIsOneTrace(t *testing.T) {
	to := &listener{}
	at := listen(t, "127.0.0.1:0", to)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", at)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k")
	t.Setenv("OTEL_SERVICE_NAME", "muster-trial")
	folder, sink := t.TempDir(), newReceiver(t)
	organise(t, folder, sink.url, nil)
	first := nodeAt(t, folder, sink)

	const ours, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, first.url+"/v1/alerts/alertmanager", bytes.NewReader(body("shop", "traced", "firing", 1, "cinnamon")))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Traceparent", "00-"+ours+"-"+caller+"-01")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the post is answered with %s", resp.Status)
	}
	id := incident.ID(first.awaitPage(t, "/ann/app", 1)[0].Message.Incident)
	first.running.Stop()

	second := nodeAt(t, folder, sink)
	must(t, do(t.Context(), second.api, id, incident.Acknowledge{}, "one"))
	must(t, deliver(t.Context(), second.url, body("shop", "traced", "resolved", 1, "cinnamon")))
	second.state(t, id, "it is closed, and all is sent", func(i *incident.Incident) bool { return i.Status == incident.Closed && settled(i) })
	checkReplay(t, second.api, id)
	second.running.Stop()

	for _, fault := range to.faults {
		t.Error(fault)
	}
	if to.service["service.name"] != "muster-trial" {
		t.Errorf("the service is %v", to.service)
	}
	spans := to.of(ours)
	byID := map[string]*otlp.Span{}
	for _, s := range spans {
		byID[hex.EncodeToString(s.GetSpanId())] = s
	}
	if len(byID) != len(spans) {
		t.Errorf("%d spans have %d ids", len(spans), len(byID))
	}
	above := func(s *otlp.Span) (way []string) {
		for ; s != nil; s = byID[hex.EncodeToString(s.GetParentSpanId())] {
			way = append(way, s.GetName())
			if hex.EncodeToString(s.GetParentSpanId()) == caller {
				return append(way, "caller")
			}
		}
		return append(way, "lost")
	}
	ways := map[string]int{}
	for _, s := range spans {
		way := above(s)
		if way[len(way)-1] != "caller" {
			t.Errorf("its parents are not told: %v", way)
		}
		ways[strings.Join(way, " < ")]++
	}
	const begun = "RunWorkflow:Incident < SignalWithStartWorkflow:Incident < POST /v1/alerts/ < caller"
	if ways[begun] != 1 {
		t.Errorf("the workflow was begun %d times", ways[begun])
	}
	if paged := "POST < RunActivity:Deliver < StartActivity:Deliver < " + begun; ways[paged] < 2 {
		t.Errorf("%d messages went out, want those of both nodes", ways[paged])
	}
	if t.Failed() {
		for way, n := range ways {
			t.Logf("%d: %s", n, way)
		}
	}
	sink.check(t)
	checkTold(t, to, "POST /api/v1/incidents/{id}/acknowledge", sink)
}

// checkTold looks for what no collector should know, and for what other spans should be called.
func checkTold(t *testing.T, l *listener, want string, sink *receiver) {
	t.Helper()
	found := false
	for _, s := range l.spans {
		text := s.String()
		for _, secret := range []string{"cinnamon", "/ann/app", "ann@", "kim", signing, "Bearer", sink.url} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is told in %s", secret, text)
			}
		}
		found = found || s.GetName() == want
		if s.GetName() == "RunWorkflow:Archive" && len(s.GetParentSpanId()) > 0 { // each run that a schedule starts is a trace of its own
			t.Errorf("%s has a parent", s.GetName())
		}
	}
	if !found {
		t.Errorf("no span is called %s", want)
	}
}

// Where nothing asks for traces, a history has none in it, and a call that goes out is the one that it was.
func TestNothingIsTracedUnlessAskedFor(t *testing.T) {
	to := &listener{}
	at := listen(t, "127.0.0.1:0", to)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", at)
	t.Setenv("OTEL_SDK_DISABLED", "true")
	s := newSystem(t, nil)
	id := s.open(t, "shop", "untraced")
	s.awaitPage(t, "/ann/app", 1)
	history, err := s.api.History(t.Context(), id)
	must(t, err)
	if bytes.Contains(history, []byte("_tracer-data")) {
		t.Error("the history has a trace")
	}
	s.running.Stop()
	if len(to.spans)+len(to.faults) > 0 {
		t.Errorf("%d spans are told: %v", len(to.spans), to.faults)
	}
}

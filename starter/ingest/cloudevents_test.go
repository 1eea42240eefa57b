package ingest_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/starter/ingest"
)

// hearing is a mapping that remembers what it was given.
type hearing struct{ body any }

func (h *hearing) Read(body any, _ int) ([]alert.Found, error) {
	h.body = body
	return []alert.Found{{Fingerprint: "f", State: "firing"}}, nil
}

func cloudEvent(t *testing.T, mode, body string, header map[string]string) *http.Request {
	t.Helper()
	r := to(t, "/v1/alerts/cloudevents", body)
	r.Header.Set("Content-Type", mode)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return r
}

const (
	structured = "application/cloudevents+json"
	binary     = "application/json"
)

func attributes() map[string]string {
	return map[string]string{
		"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/plant", "ce-type": "alarm", "ce-subject": "pump%20%EA%B0%80", "ce-time": "2026-11-22T09:59:00Z", "ce-site": "seoul",
	}
}

// A mapping sees an event alike, however it came.
func TestBothModesOfCloudEvents(t *testing.T) {
	want := map[string]any{
		"specversion": "1.0", "id": "1", "source": "/plant", "type": "alarm", "subject": "pump 가", "time": "2026-11-22T09:59:00Z", "site": "seoul",
		"data": map[string]any{"n": int64(1)},
	}
	const whole = `{"specversion":"1.0","id":"1","source":"/plant","type":"alarm","subject":"pump 가","time":"2026-11-22T09:59:00Z","site":"seoul",`
	for _, tc := range []struct {
		name, mode, body string
		header           map[string]string
	}{
		{"structured", structured, whole + `"data":{"n":1}}`, nil},
		{"structured, in base64", structured + "; charset=utf-8", whole + `"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(`{"n":1}`)) + `"}`, nil},
		{"binary", binary, `{"n":1}`, attributes()},
	} {
		e, h := newEngine(), &hearing{}
		in := intake(t, e, func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "plant", Type: alert.CloudEvents, Mapping: h}}
		})
		if w := serve(in, cloudEvent(t, tc.mode, tc.body, tc.header)); w.Code != 200 {
			t.Fatalf("%s: got %d %s", tc.name, w.Code, w.Body)
		}
		if d := cmp.Diff(any(want), h.body); d != "" {
			t.Errorf("%s:\n%s", tc.name, d)
		}
		if a := e.seen()[0].batch.Alerts[0]; !a.StartsAt.Equal(time.Date(2026, 11, 22, 9, 59, 0, 0, time.UTC)) {
			t.Errorf("%s: it began at %s, want the time of the event", tc.name, a.StartsAt)
		}
	}
}

func TestWhatAnEventCarries(t *testing.T) {
	raw, err := os.ReadFile("testdata/azure/metric-fired.json")
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine()
	in := intake(t, e, func(c *ingest.Config) {
		c.Sources = []ingest.Source{{ID: "hub", Type: alert.CloudEvents, Data: alert.Azure}}
	})
	if w := serve(in, cloudEvent(t, binary, string(raw), attributes())); w.Code != 200 || e.seen()[0].batch.Alerts[0].Name != "Till CPU" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	p := refused(t, serve(in, cloudEvent(t, binary, `{}`, attributes())))
	if p.Field != "schemaId" {
		t.Errorf("got %+v", p)
	}
	cfg := ingest.Config{Incidents: e, Router: routes{}, Key: key, RouteKey: routeKey, Now: clock}
	for _, f := range []alert.Format{alert.SNS, alert.PagerDuty, alert.CloudEvents, "nagios"} {
		cfg.Sources = []ingest.Source{{ID: "a", Type: alert.CloudEvents, Data: f}}
		if _, err := ingest.New(cfg); err == nil || !strings.Contains(err.Error(), "want a format that an event may carry") {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

func TestWhatIsNoCloudEvent(t *testing.T) {
	lacking := func(name, value string) map[string]string {
		h := attributes()
		h[name] = value
		return h
	}
	for _, tc := range []struct {
		name, mode, body string
		header           map[string]string
		field, detail    string
	}{
		{"no JSON", structured, `{`, nil, "body", "want JSON"},
		{"an array", structured, `[]`, nil, "body", "want an object, got an array"},
		{"no version", structured, `{"id":"1","source":"s","type":"t"}`, nil, "specversion", `want "1.0", got ""`},
		{"another version", structured, `{"specversion":"0.3","id":"1","source":"s","type":"t"}`, nil, "specversion", `want "1.0", got "0.3"`},
		{"no id", structured, `{"specversion":"1.0","source":"s","type":"t"}`, nil, "id", "want a text, got none"},
		{"no base64", structured, `{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"%"}`, nil, "data_base64", "want JSON in base64"},
		{"no JSON in base64", structured, `{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"eA=="}`, nil, "data_base64", "want JSON in base64"},
		{"no time", structured, `{"specversion":"1.0","id":"1","source":"s","type":"t","time":"now"}`, nil, "time", `got "now"`},
		{"no attributes", binary, `{}`, nil, "ce-specversion", `want "1.0", got ""`},
		{"no type", binary, `{}`, lacking("ce-type", ""), "ce-type", "want a text, got none"},
		{"no JSON, binary", binary, `x`, attributes(), "body", "want JSON"},
		{"a batch", "application/cloudevents-batch+json", `[]`, nil, "Content-Type", "want application/json"},
	} {
		e := newEngine()
		in := intake(t, e, func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "plant", Type: alert.CloudEvents, Mapping: &hearing{}}}
		})
		p := refused(t, serve(in, cloudEvent(t, tc.mode, tc.body, tc.header)))
		if p.Field != tc.field || !strings.Contains(p.Detail, tc.detail) || len(e.seen()) > 0 {
			t.Errorf("%s: got %d %s: %s; want %s: …%s…", tc.name, p.Status, p.Field, p.Detail, tc.field, tc.detail)
		}
	}
}

// Who asks whether it may send is told so, if it is a source.
func TestASenderAsksBeforeItSends(t *testing.T) {
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Sources = []ingest.Source{{ID: "plant", Type: alert.CloudEvents, Token: "t", TokenInURL: true, Mapping: &hearing{}}}
	})
	ask := func(path string) *httptest.ResponseRecorder {
		r := to(t, path, "")
		r.Method = http.MethodOptions
		r.Header.Set("WebHook-Request-Origin", "events.example.com")
		return serve(in, r)
	}
	w := ask("/v1/alerts/cloudevents?token=t")
	if w.Code != 200 || w.Header().Get("WebHook-Allowed-Origin") != "events.example.com" || w.Header().Get("WebHook-Allowed-Rate") != "*" {
		t.Errorf("got %d %s", w.Code, w.Header())
	}
	if w := ask("/v1/alerts/cloudevents"); w.Code != 401 || w.Header().Get("WebHook-Allowed-Origin") != "" {
		t.Errorf("without a token: got %d %s", w.Code, w.Header())
	}
	if w := ask("/v1/alerts/grafana"); w.Code != 401 {
		t.Errorf("of another format: got %d", w.Code)
	}
}

package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/starter/ingest"
)

// An engine remembers what was delivered.
type engine struct {
	takes time.Duration                             // every call
	fail  func(ctx context.Context, call int) error // 1, 2, …; nil never fails
	since time.Time

	mu         sync.Mutex
	calls      []call
	busy, most int
	perKey     map[string]int
	overlap    bool
}

type call struct {
	key   string
	def   incident.Definition
	batch alert.Batch
	at    time.Duration // since the engine was made
}

func newEngine() *engine { return &engine{since: time.Now(), perKey: map[string]int{}} }

func (e *engine) Deliver(ctx context.Context, key ingest.Key, def incident.Definition, b alert.Batch) error {
	e.mu.Lock()
	e.calls = append(e.calls, call{key, def, b, time.Since(e.since)})
	n := len(e.calls)
	e.busy++
	e.most = max(e.most, e.busy)
	e.perKey[key]++
	e.overlap = e.overlap || e.perKey[key] > 1
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.busy--
		e.perKey[key]--
		e.mu.Unlock()
	}()
	if e.takes > 0 {
		select {
		case <-time.After(e.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if e.fail != nil {
		return e.fail(ctx, n)
	}
	return nil
}

// seen is all that was delivered so far.
func (e *engine) seen() []call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *engine) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = nil
}

// starts are the instants at which calls for a key began.
func (e *engine) starts(key string) (at []time.Duration) {
	for _, c := range e.seen() {
		if key == "" || c.key == key {
			at = append(at, c.at)
		}
	}
	return at
}

// times counts the delivered alerts by fingerprint and state.
func (e *engine) times() map[string]int {
	n := map[string]int{}
	for _, c := range e.seen() {
		for _, a := range c.batch.Alerts {
			n[a.Fingerprint+" "+string(a.State)] += a.Times
		}
	}
	return n
}

// routes gives an incident the priority that its labels name.
type routes struct{}

func (r routes) Definition(source string, labels alert.Labels, title string, each ...alert.Labels) (incident.Definition, error) {
	def := incident.Definition{Source: source, Title: title}
	def.Impact, def.Urgency = r.Levels(source, labels, each...)
	if labels.Value("severity") == "none" {
		return def, errors.New("no route")
	}
	return def, nil
}

func (routes) Levels(_ string, labels alert.Labels, each ...alert.Labels) (impact, urgency priority.Level) {
	if len(each) > 0 {
		labels = each[0]
	}
	switch labels.Value("severity") {
	case "critical":
		return priority.High, priority.High
	case "warning":
		return priority.Medium, priority.Medium
	case "urgent":
		return priority.Low, priority.High
	case "odd":
		return "odd", priority.Low
	}
	return priority.Low, priority.Low
}

// GroupKey groups the alerts that have a label tenant by it.
func (routes) GroupKey(_ string, labels alert.Labels) (route string, values alert.Labels, ok bool) {
	tenant := labels.Value("tenant")
	return "tenants", alert.Labels{{Name: "tenant", Value: tenant}}, tenant != ""
}

func routeKey(source, route string, values alert.Labels) string {
	return fmt.Sprint("incident/", source, "/route ", route, values)
}

func key(source, receiver string, group alert.Labels) string {
	return fmt.Sprint("incident/", source, "/", receiver, group)
}

func clock() time.Time {
	return time.Date(2026, 11, 22, 19, 0, 0, 123456789, time.FixedZone("KST", 9*3600))
}

func intake(t testing.TB, e ingest.Incidents, change ...func(*ingest.Config)) *ingest.Intake {
	t.Helper()
	cfg := ingest.Config{Incidents: e, Router: routes{}, Key: key, RouteKey: routeKey, Now: clock}
	for _, c := range change {
		c(&cfg)
	}
	in, err := ingest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func post(t testing.TB, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, ingest.Path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "127.0.0.1:40000"
	return r
}

func serve(in http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	return w
}

func refused(t testing.TB, w *httptest.ResponseRecorder) refusal.Body {
	t.Helper()
	var p refusal.Body
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != refusal.ContentType {
		t.Fatalf("got no refusal but %d %s %q", w.Code, w.Header(), w.Body)
	}
	if p.Status != w.Code || p.Title == "" || p.Detail == "" {
		t.Errorf("got refusal %+v with status %d", p, w.Code)
	}
	return p
}

// object is a JSON object that tests change before they post it.
type object = map[string]any

// message is what Alertmanager posts of a group.
func message(group, severity string, alerts ...object) object {
	return object{
		"version": "4", "receiver": "muster", "status": "firing", "groupKey": "{}:{}", "truncatedAlerts": 0,
		"groupLabels":  object{"alertname": group},
		"commonLabels": object{"alertname": group, "severity": severity}, "commonAnnotations": object{},
		"externalURL": "http://alertmanager", "alerts": alerts,
	}
}

func firing(fingerprint string) object {
	return object{
		"status": "firing", "fingerprint": fingerprint, "labels": object{"alertname": "N-" + fingerprint}, "annotations": object{},
		"startsAt": "2026-11-22T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus",
	}
}

func resolved(fingerprint string) object {
	a := firing(fingerprint)
	a["status"], a["endsAt"] = "resolved", "2026-11-22T10:05:00Z"
	return a
}

func many(n int, make func(string) object) []object {
	list := []object{}
	for i := range n {
		list = append(list, make(fmt.Sprintf("%016x", i)))
	}
	return list
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// storm posts bodies at the same moment and returns the answers in their order.
func storm(t testing.TB, in http.Handler, bodies ...string) []*httptest.ResponseRecorder {
	t.Helper()
	answers := make([]*httptest.ResponseRecorder, len(bodies))
	var all sync.WaitGroup
	for i, b := range bodies {
		r := post(t, b)
		all.Go(func() { answers[i] = serve(in, r) })
	}
	all.Wait()
	return answers
}

func codes(answers []*httptest.ResponseRecorder) []int {
	var got []int
	for _, w := range answers {
		got = append(got, w.Code)
	}
	slices.Sort(got)
	return slices.Compact(got)
}

// bubble runs a test in time that is not real, and sees that nothing is left of what it did.
func bubble(t *testing.T, run func(t *testing.T, e *engine) *ingest.Intake) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		in := run(t, e)
		time.Sleep(ingest.Spacing)
		synctest.Wait()
		if s := in.Stats(); in.Groups() != 0 || s.InFlight != 0 || s.Waiting != 0 || s.HeldBytes != 0 || e.busy != 0 {
			t.Errorf("something is left: %d groups, %d calls, %+v", in.Groups(), e.busy, s)
		}
		if e.overlap {
			t.Error("two calls for one incident at the same time")
		}
		for _, c := range e.seen() {
			if n := len(text(c.batch)); n > 256<<10 || len(c.batch.Alerts) > 500 {
				t.Errorf("got a batch of %d alerts and %d bytes", len(c.batch.Alerts), n)
			}
		}
	})
}

// wantEnded posts the fixture that begins an alert and the one that ends it, and asks that it is over then.
func wantEnded(t *testing.T, in http.Handler, e *engine, path string, fixtures ...string) {
	t.Helper()
	var s alert.Set
	var c alert.Change
	for n, name := range fixtures {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		w := serve(in, to(t, path, string(body)))
		if w.Code != http.StatusOK || len(e.seen()) != n+1 {
			t.Fatalf("%s: got %d %s and %d commits", name, w.Code, w.Body, len(e.seen()))
		}
		c = s.Apply(e.seen()[n].batch)
	}
	if len(c.Resolved) != 1 || !s.AllResolved() || e.seen()[0].key != e.seen()[len(fixtures)-1].key {
		t.Errorf("%v: got %+v, of %s and %s", fixtures, c, e.seen()[0].key, e.seen()[len(fixtures)-1].key)
	}
}

package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/report"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
	"muster/templates"
)

const open incident.ID = "INC-7K3M9QX2PA"

func instant() time.Time { return time.Date(2026, 11, 22, 5, 5, 9, 0, time.UTC) }

// A house keeps real incidents without an engine.
type house struct {
	mu        sync.Mutex
	incidents map[incident.ID]*incident.Incident
	now       time.Time
	fail      []error // of the next calls, one each
	filter    api.Filter
	alerts    api.AlertFilter
	calls     []call
	wholes    int // timelines read from all runs
	panics    bool
	reading   func() // called while a history is read
}

type call struct {
	ID      incident.ID
	Request string
	By      timeline.Actor
	Command incident.Command
}

func newHouse(t testing.TB) *house {
	h := &house{incidents: map[incident.ID]*incident.Incident{}, now: instant()}
	i, err := incident.Open(open, incident.Definition{
		Zone: "Asia/Seoul", Source: "prometheus", Title: "Checkout answers 500", Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "checkout", Name: "Checkout"}, Impact: priority.High, Urgency: priority.Medium,
		Customers: []incident.Customer{{ID: "acme", Name: "Acme", Plan: supportplan.Plan{
			AtRisk: 75, UpdateBy: supportplan.ByPerson,
			Promises: []supportplan.Promise{{Priority: priority.P2, Target: supportplan.Respond, Within: time.Hour}},
		}}},
		Policy: escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Wait: time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: time.Minute, AckExpires: time.Hour,
			NextMethodAfter: time.Minute,
		},
		ReopenWithin: time.Hour,
	}, h.now)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(alert.Batch{Source: "prometheus", Posts: 1, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "f1", Name: "HighErrorRate", State: alert.Firing, StartsAt: h.now,
		Labels: alert.Labels{{Name: "job", Value: "checkout"}},
	}}}}, h.now)
	i.Advance(h.now)
	h.incidents[open] = i
	return h
}

func (h *house) failure() error {
	if h.panics {
		panic("muster_secret in a panic")
	}
	if len(h.fail) == 0 {
		return nil
	}
	err := h.fail[0]
	h.fail = h.fail[1:]
	return err
}

func (h *house) List(_ context.Context, f api.Filter) ([]api.Summary, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.filter = f
	var rows []api.Summary
	for _, i := range h.incidents {
		if f.Status == "" || f.Status == i.Status {
			rows = append(rows, api.Summary{ID: i.ID, Title: i.Definition.Title, Status: i.Status, Priority: i.Priority, Service: "checkout", Customers: []string{"acme"}, OpenedAt: i.Times.Started})
		}
	}
	return rows, "\x00more", h.failure()
}

func (h *house) State(_ context.Context, id incident.ID) (*incident.Incident, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	i := h.incidents[id]
	if i == nil {
		return nil, &starter.NotFoundError{What: "incident " + string(id)}
	}
	return i, nil
}

func (h *house) Timeline(ctx context.Context, id incident.ID) (*incident.Incident, error) {
	h.wholes++
	i, err := h.State(ctx, id)
	if err != nil {
		return nil, err
	}
	whole := *i
	whole.Timeline.Dropped = 0
	return &whole, nil
}

func (h *house) Alerts(ctx context.Context, id incident.ID, f api.AlertFilter) (*starter.Alerts, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return nil, err
	}
	h.alerts = f
	a := i.Alerts.Full[0]
	return &starter.Alerts{Incident: i, Next: "f1", Lost: 1, Found: []api.Alert{{
		Fingerprint: a.Fingerprint, Name: a.Name, State: a.State, StartsAt: a.StartsAt, Labels: map[string]string{"job": "checkout"},
		Times: a.Times, First: h.now, Last: h.now,
	}}}, nil
}

func (h *house) History(ctx context.Context, id incident.ID, w io.Writer) error {
	if _, err := h.State(ctx, id); err != nil {
		return err
	}
	if h.reading != nil {
		h.reading()
	}
	_, err := io.WriteString(w, `[{"events":[]}]`+"\n")
	return err
}

func (h *house) Command(ctx context.Context, id incident.ID, r starter.Request, c incident.Command) (api.Receipt, error) {
	i, err := h.State(ctx, id)
	if err != nil {
		return api.Receipt{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, call{id, r.ID, r.By, c})
	if i.Status == incident.Closed { // its workflow has ended
		return api.Receipt{}, &starter.NotFoundError{What: "incident " + string(id)}
	}
	if err := i.Do(r.ID, c, r.By, h.now); err != nil {
		return api.Receipt{}, &starter.RefusedError{Reason: err.Error()}
	}
	return api.Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: i.Timeline.Dropped + len(i.Timeline.Entries)}, nil
}

var shipped = sync.OnceValues(func() (*report.Texts, error) { return report.New(templates.FS) })

// A place is a server in front of a house, with tokens for a person and a machine.
type place struct {
	*house
	handler         http.Handler
	log             *strings.Builder
	tokens          string // file
	person, machine string
}

func newPlace(t testing.TB) *place {
	p := &place{house: newHouse(t), log: &strings.Builder{}, tokens: filepath.Join(t.TempDir(), "tokens.yaml")}
	p.person = addToken(t, p.tokens, api.Token{Actor: "park", Name: "박서준", Kind: api.Person})
	p.machine = addToken(t, p.tokens, api.Token{Actor: "deploy-bot", Kind: api.Machine})
	texts, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := api.OpenTokens(p.tokens, instant, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.handler, err = api.New(api.Config{
		Backend: p.house, Tokens: tokens, Texts: texts, Language: "ko", Zone: "Asia/Seoul", Now: instant,
		Person: func(id string) (delivery.Recipient, bool) {
			return delivery.Recipient{ID: id, Name: "김민수"}, id == "kim"
		},
		Version: api.Version{Version: "v1.2.3", Go: "go"}, Log: logger(p.log),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// addToken appends an entry to a tokens file and returns its token.
func addToken(t testing.TB, file string, e api.Token) string {
	t.Helper()
	token, e := api.NewToken(e)
	text := fmt.Sprintf("- actor: %s\n  kind: %s\n  sha256: %s\n", e.Actor, e.Kind, e.SHA256)
	if e.Name != "" {
		text += "  name: " + e.Name + "\n"
	}
	if !e.Expires.IsZero() {
		text += "  expires: " + e.Expires.Format(time.RFC3339) + "\n"
	}
	known, _ := os.ReadFile(file)
	if err := os.WriteFile(file, append(known, text...), 0o600); err != nil {
		t.Fatal(err)
	}
	return token
}

// ask makes a request as the person; a header "" is one that is not sent.
func (p *place) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.person)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

// problemOf reads a problem and checks that it is one.
func problemOf(t *testing.T, w *httptest.ResponseRecorder) problem.Problem {
	t.Helper()
	var p problem.Problem
	if kind := w.Header().Get("Content-Type"); kind != problem.ContentType {
		t.Fatalf("got %d with content type %q: %s", w.Code, kind, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != w.Code {
		t.Errorf("got status %d in a body with status %d", p.Status, w.Code)
	}
	return p
}

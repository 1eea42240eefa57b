package pagerduty_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/pagerduty"
)

const (
	routing = "0123456789abcdef0123456789abcdef"
	apiKey  = "y_NbAkKc66ryYTWUXYEu"
	public  = "https://muster.example"
	signed  = public + "/l/key-1.abc"
)

// An account answers as the documentation of PagerDuty's Events API 2 and of its REST API says.
type account struct {
	mu     sync.Mutex
	events []map[string]any
	alerts map[string]string // status by key: triggered, acknowledged or resolved
	rang   []string          // keys of the alerts for which somebody was notified
	fault  func(w http.ResponseWriter, r *http.Request) bool
}

// ServeHTTP answers one request.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fault != nil && a.fault(w, r) {
		return
	}
	switch {
	case r.URL.Path == "/v2/enqueue" && r.Method == http.MethodPost:
		a.enqueue(w, r)
	case r.Header.Get("Authorization") != "Token token="+apiKey || r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2":
		answer(w, 401, map[string]any{"error": map[string]any{"code": 2006, "message": "Unauthorized"}})
	case r.URL.Path == "/users/PLH1HKV":
		answer(w, 200, map[string]any{"user": map[string]any{"id": "PLH1HKV", "type": "user", "name": "Kim", "email": "Kim@mirnet.example"}})
	case r.URL.Path == "/incidents/PGR0VU2/alerts":
		answer(w, 200, map[string]any{"alerts": []any{map[string]any{"id": "PT4KHLK", "alert_key": "INC-1/kim"}, map[string]any{"id": "PT4KHLL", "alert_key": "other"}}})
	default:
		answer(w, 404, map[string]any{"error": map[string]any{"code": 2100, "message": "Not Found"}})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (a *account) enqueue(w http.ResponseWriter, r *http.Request) {
	var e map[string]any
	if json.NewDecoder(r.Body).Decode(&e) != nil {
		answer(w, 400, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{"JSON is invalid"}})
		return
	}
	key, _ := e["dedup_key"].(string)
	to, _ := e["routing_key"].(string)
	var faults []string
	if len(to) != 32 && to != contract.Secret {
		faults = append(faults, "Length of 'routing_key' is incorrect (should be 32 characters)")
	}
	if len([]rune(key)) > 255 {
		faults = append(faults, "Length of 'dedup_key' is incorrect (should be at most 255 characters)")
	}
	if p, ok := e["payload"].(map[string]any); ok && len([]rune(fmt.Sprint(p["summary"]))) > 1024 {
		faults = append(faults, "Length of 'payload.summary' is incorrect")
	} else if ok && (p["summary"] == "" || p["source"] == "" || p["severity"] == "") || !ok && e["event_action"] == "trigger" {
		faults = append(faults, "'payload' is missing required fields")
	}
	if faults != nil {
		answer(w, 400, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": faults})
		return
	}
	a.events = append(a.events, e)
	if a.alerts == nil {
		a.alerts = map[string]string{}
	}
	open := a.alerts[key] == "triggered" || a.alerts[key] == "acknowledged"
	switch action := e["event_action"]; {
	case action == "trigger" && !open:
		a.alerts[key], a.rang = "triggered", append(a.rang, key)
	case action == "acknowledge" && open:
		a.alerts[key] = "acknowledged"
	case action == "resolve" && open:
		a.alerts[key] = "resolved"
	}
	answer(w, 202, map[string]any{"status": "success", "message": "Event processed", "dedup_key": key})
}

func page(number int, status string) delivery.Envelope {
	return delivery.Envelope{
		ID: delivery.ID(fmt.Sprintf("INC-7K3M9QX2PA/%d/kim/pager", number)), Attempt: 1, At: time.Now(), Since: time.Date(2026, 11, 25, 5, 5, 9, 0, time.UTC),
		Recipient: delivery.Recipient{ID: "kim", Name: "김민준", Language: "ko"},
		Contact:   delivery.Contact{Method: "pager", Type: delivery.PagerDuty, Address: routing},
		Message: delivery.Message{
			Kind: delivery.Page, Language: "ko", Subject: "[P1 심각] Shop: 결제 오류 (INC-7K3M9QX2PA)", Incident: "INC-7K3M9QX2PA", Priority: "P1",
			Status: status, Service: "Shop", URL: signed, Text: "Shop: 결제 오류\n\n할 일\n- 확인\n\n확인(ACK)\n" + signed + "\n",
		},
	}
}

// Shown is what people see of the alerts.
func (a *account) Shown() (all []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := map[any]bool{}
	for _, e := range a.events {
		if !seen[e["dedup_key"]] {
			all = append(all, contract.Texts(e["payload"])+contract.Texts(e["links"]))
		}
		seen[e["dedup_key"]] = true
	}
	return all
}

func open(t *testing.T, a *account) *pagerduty.Sender {
	t.Helper()
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	return &pagerduty.Sender{Guard: loopback(), Timeout: 5 * time.Second, URL: srv.URL, PublicURL: public}
}

func loopback() outbound.Guard {
	return outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
}

func TestWhatArrives(t *testing.T) {
	a := &account{}
	s := open(t, a)
	if err := s.Send(t.Context(), page(3, "triggered")); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"routing_key": routing, "event_action": "trigger", "dedup_key": "INC-7K3M9QX2PA/3/kim/pager", "client": "Muster", "client_url": public,
		"links": []any{map[string]any{"href": public, "text": "Muster"}},
		"payload": map[string]any{
			"summary": "[P1 심각] Shop: 결제 오류 (INC-7K3M9QX2PA)", "source": "Shop", "component": "Shop", "severity": "critical", "class": "page",
			"timestamp": "2026-11-25T05:05:09Z",
			"custom_details": map[string]any{
				"incident": "INC-7K3M9QX2PA", "priority": "P1", "status": "triggered", "for": "김민준", "text": "Shop: 결제 오류\n\n할 일\n- 확인",
			},
		},
	}}
	if diff := cmp.Diff(want, a.events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	bare := page(4, "triggered")
	bare.ID, bare.Since, bare.Message = "self-watch/1", time.Time{}, delivery.Message{Kind: delivery.SelfWatch, Subject: "Muster: 3 wait", Text: "x"}
	if err := s.Send(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	if p := a.events[1]["payload"].(map[string]any); a.events[1]["dedup_key"] != "self-watch/1" || p["source"] != "Muster" || p["severity"] != "error" {
		t.Errorf("got %v", a.events[1])
	}
	for priority, want := range map[string]string{"P1": "critical", "P2": "error", "P3": "warning", "P4": "info", "P5": "info"} {
		e := page(9, "triggered")
		e.Message.Priority = priority
		if err := s.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if got := a.events[len(a.events)-1]["payload"].(map[string]any)["severity"]; got != want {
			t.Errorf("%s: got %v, want %s", priority, got, want)
		}
	}
}

// Each page rings, also after somebody has acknowledged the one before, and what is sent again does not ring twice. An alert is over when
// its incident is.
func TestTheLifeOfAnAlert(t *testing.T) {
	a := &account{}
	s := open(t, a)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	third, fifth := string(page(3, "triggered").ID), string(page(5, "triggered").ID)
	repeated := page(3, "triggered")
	repeated.Attempt, repeated.Repeated = 2, true
	do(s.Send(t.Context(), page(3, "triggered")))
	do(s.Send(t.Context(), repeated))
	do(s.Follow(t.Context(), page(3, "acknowledged")))
	do(s.Send(t.Context(), page(5, "triggered"))) // nobody has given a sign of life
	if diff := cmp.Diff([]string{third, fifth}, a.rang); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{third: "acknowledged", fifth: "triggered"}, a.alerts); diff != "" {
		t.Fatal(diff)
	}
	asked := len(a.events)
	do(s.Follow(t.Context(), page(5, "triggered")))
	if len(a.events) != asked {
		t.Errorf("got %v", a.events[asked:])
	}
	for _, status := range []string{"mitigated", "resolved", "merged", "closed"} {
		do(s.Follow(t.Context(), page(3, status)))
		want := "resolved"
		if status == "mitigated" {
			want = "acknowledged"
		}
		if a.alerts[third] != want || a.alerts[fifth] != "triggered" {
			t.Errorf("%s: got %v", status, a.alerts)
		}
		do(s.Send(t.Context(), page(3, "triggered")))
		do(s.Follow(t.Context(), page(3, "acknowledged")))
	}
}

func TestWhatItIsNotFor(t *testing.T) {
	a := &account{}
	s := open(t, a)
	for _, kind := range []delivery.Kind{delivery.Reminder, delivery.CustomerUpdate, delivery.Handover} {
		e := page(3, "triggered")
		e.Message.Kind = kind
		if err := s.Send(t.Context(), e); !delivery.IsRefusal(err) {
			t.Errorf("%s: got %v, want a refusal, so that the next method is tried", kind, err)
		}
	}
	if len(a.events) > 0 {
		t.Errorf("got %v", a.events)
	}
}

func TestContract(t *testing.T) {
	contract.Channel{
		Room: func() contract.Room { return &account{} }, Once: true, Calls: true, Never: []string{"/l/abc_def_123"},
		Open: func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
			return &pagerduty.Sender{Guard: guard, Timeout: timeout, URL: url, PublicURL: public}, delivery.Contact{Method: "pager", Address: contract.Secret}
		},
	}.Run(t)
}

func TestLong(t *testing.T) {
	a := &account{}
	e := page(3, "triggered")
	e.Message.Text, e.Recipient.ID = strings.Repeat("장애 <&>*", 20_000), strings.Repeat("가", 300)
	if err := open(t, a).Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if sent, err := json.Marshal(a.events[0]); err != nil || len(sent) > 512_000 {
		t.Errorf("%d bytes, %v", len(sent), err)
	}
}

// What breaks while something is followed up is tried again, or not, as what breaks while it is sent.
func TestFollowingBreaks(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		final  bool
		after  time.Duration
	}{
		{400, `{"status":"invalid event","errors":["no"]}`, true, 0}, {429, "", false, 17 * time.Second}, {500, "", false, 17 * time.Second}, {202, "{}", false, 0},
	} {
		a := &account{fault: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
			return true
		}}
		err := open(t, a).Follow(t.Context(), page(3, "resolved"))
		if u, later := errors.AsType[*delivery.Unavailable](err); err == nil || delivery.IsRefusal(err) != tt.final || later && u.After != tt.after {
			t.Errorf("%d: got %v", tt.status, err)
		}
	}
}

func TestDirectory(t *testing.T) {
	srv := httptest.NewServer(&account{})
	defer srv.Close()
	d := &pagerduty.Directory{Guard: loopback(), URL: srv.URL, Key: apiKey}
	if mail, err := d.Mail(t.Context(), "PLH1HKV"); err != nil || mail != "Kim@mirnet.example" {
		t.Errorf("got %q, %v", mail, err)
	}
	if keys, err := d.Keys(t.Context(), "PGR0VU2"); err != nil || cmp.Diff([]string{"INC-1/kim", "other"}, keys) != "" {
		t.Errorf("got %q, %v", keys, err)
	}
	if _, err := d.Mail(t.Context(), "../incidents/PGR0VU2/alerts"); !delivery.IsRefusal(err) {
		t.Errorf("a path: got %v", err)
	}
	d.Key = "wrong-key-of-it"
	if _, err := d.Mail(t.Context(), "PLH1HKV"); !delivery.IsRefusal(err) || strings.Contains(err.Error(), d.Key) {
		t.Errorf("got %v", err)
	}
}

package statuspage_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/posting"
	"muster/internal/statuspage"
)

// hosted is a status page that remembers, and misbehaves when it is told to.
type hosted struct {
	mu        sync.Mutex
	incidents []map[string]any // the newest first
	calls     []string         // "POST /v1/pages/p1/incidents"
	fault     func(w http.ResponseWriter, r *http.Request) bool
}

func (h *hosted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "OAuth s3cret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if h.fault != nil && h.fault(w, r) {
		return
	}
	var in struct {
		Incident map[string]any `json:"incident"`
	}
	if r.Method != http.MethodGet && json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	const list = "/v1/pages/p1/incidents"
	switch {
	case r.Method == http.MethodGet && r.URL.Path == list:
		reply(w, h.incidents)
	case r.Method == http.MethodGet && r.URL.Path == list+"/unresolved":
		open := []map[string]any{}
		for _, x := range h.incidents {
			if x["status"] != "resolved" {
				open = append(open, x)
			}
		}
		reply(w, open)
	case r.Method == http.MethodPost && r.URL.Path == list:
		reply(w, h.add(in.Incident))
	default:
		for _, x := range h.incidents {
			if r.URL.Path != list+"/"+x["id"].(string) {
				continue
			}
			if r.Method == http.MethodPatch {
				h.change(x, in.Incident)
			}
			reply(w, x)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}
}

func (h *hosted) add(in map[string]any) map[string]any {
	x := map[string]any{"id": "i" + strconv.Itoa(len(h.incidents)+1), "bodies": []any{}}
	h.change(x, in)
	h.incidents = append([]map[string]any{x}, h.incidents...)
	return x
}

func (h *hosted) change(x, in map[string]any) {
	for k, v := range in {
		x[k] = v
	}
	x["bodies"] = append(x["bodies"].([]any), in["body"])
	if c, ok := in["components"].(map[string]any); ok {
		all := []any{}
		for id := range c {
			all = append(all, map[string]any{"id": id})
		}
		x["on"], x["components"] = c, all
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func serve(t *testing.T) (*hosted, *statuspage.Page) {
	t.Helper()
	h := &hosted{}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return h, &statuspage.Page{
		Guard: outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, URL: srv.URL, ID: "p1", Key: "s3cret",
	}
}

func word(revision int, status, text string) posting.Posting {
	return posting.Posting{
		Incident: "INC-7K3M9QX2PA", Revision: revision, Status: status, Impact: "high", Component: "c1",
		Words: []posting.Words{{Language: "ko", Title: "결제 장애", Text: text}, {Language: "en", Title: "Payments: disturbance", Text: "text"}},
	}
}

func TestAnIncidentFromItsFirstWordToItsLast(t *testing.T) {
	h, p := serve(t)
	ref, err := p.Post(t.Context(), word(1, "investigating", "조사 중입니다."))
	if err != nil || ref != "i1" {
		t.Fatalf("got %q, %v", ref, err)
	}
	x := h.incidents[0]
	if x["name"] != "결제 장애" || x["status"] != "investigating" || x["impact_override"] != "critical" || x["on"].(map[string]any)["c1"] != "major_outage" {
		t.Errorf("first: %v", x)
	}
	x["metadata"].(map[string]any)["crm"] = map[string]any{"case": "7"} // somebody else's
	for _, w := range []posting.Posting{word(2, "identified", "원인 파악"), word(3, "monitoring", "관찰 중"), word(4, "resolved", "정상화")} {
		w.Ref = ref
		if got, err := p.Post(t.Context(), w); err != nil || got != ref {
			t.Fatalf("%s: got %q, %v", w.Status, got, err)
		}
	}
	if len(h.incidents) != 1 || x["status"] != "resolved" || x["on"].(map[string]any)["c1"] != "operational" || len(x["bodies"].([]any)) != 4 {
		t.Errorf("last: %v", h.incidents)
	}
	if m := x["metadata"].(map[string]any); m["crm"] == nil || m["muster"].(map[string]any)["revision"] != 4.0 {
		t.Errorf("metadata %v", m)
	}
}

// A worker that dies between the request and its answer must not post twice, with or without what was recorded.
func TestPostedTwiceIsOnePost(t *testing.T) {
	h, p := serve(t)
	for range 2 {
		if ref, err := p.Post(t.Context(), word(1, "investigating", "조사 중")); err != nil || ref != "i1" {
			t.Fatalf("got %q, %v", ref, err)
		}
	}
	again := word(2, "identified", "원인 파악")
	for _, ref := range []string{"i1", "i1", ""} {
		again.Ref = ref
		if _, err := p.Post(t.Context(), again); err != nil {
			t.Fatal(err)
		}
	}
	late := word(1, "investigating", "조사 중")
	if _, err := p.Post(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if n := len(h.incidents); n != 1 {
		t.Fatalf("%d incidents, want 1", n)
	}
	if x := h.incidents[0]; len(x["bodies"].([]any)) != 2 || x["status"] != "identified" {
		t.Errorf("got %v", x)
	}
}

func TestAnAnswerThatIsLost(t *testing.T) {
	h, p := serve(t)
	h.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		var in struct {
			Incident map[string]any `json:"incident"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		h.add(in.Incident)
		panic(http.ErrAbortHandler)
	}
	_, err := p.Post(t.Context(), word(1, "investigating", "조사 중"))
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok {
		t.Fatalf("got %v, want another attempt", err)
	}
	h.mu.Lock() // of the call that was broken off
	h.fault = nil
	h.mu.Unlock()
	if ref, err := p.Post(t.Context(), word(1, "investigating", "조사 중")); err != nil || ref != "i1" || len(h.incidents) != 1 {
		t.Errorf("got %q, %v and %d incidents", ref, err, len(h.incidents))
	}
}

func TestAComponentThatAnotherIncidentHas(t *testing.T) {
	h, p := serve(t)
	h.add(map[string]any{"status": "identified", "body": "theirs", "components": map[string]any{"c1": "major_outage"}})
	ref, err := p.Post(t.Context(), word(1, "investigating", "조사 중"))
	if err != nil {
		t.Fatal(err)
	}
	over := word(2, "resolved", "정상화")
	over.Ref = ref
	if _, err := p.Post(t.Context(), over); err != nil {
		t.Fatal(err)
	}
	if x := h.incidents[0]; x["status"] != "resolved" || x["on"].(map[string]any)["c1"] != "major_outage" {
		t.Errorf("the component of the other incident: %v", x)
	}
}

func TestWhatRemovedPagesAndBadServersSay(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s went on to another host with %q", r.Method, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			for n := 0; n < len(header); n += 2 {
				w.Header().Set(header[n], header[n+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"error":"key s3cret is not liked"}`)
			return true
		}
	}
	say := func(text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, text); return true }
	}
	for _, tt := range []struct {
		name  string
		ref   string
		fault func(http.ResponseWriter, *http.Request) bool
		final bool
		after time.Duration
		want  string
	}{
		{"too many", "", status(429, "Retry-After", "17"), false, 17 * time.Second, "429"},
		{"too many, as this API says it", "", status(420), false, 0, "420"},
		{"broken", "", status(500), false, 0, "500"},
		{"away", "", status(503, "Retry-After", "5"), false, 5 * time.Second, "503"},
		{"key not good", "", status(401, "Content-Type", "application/json"), true, 0, "401"},
		{"not understood", "", status(422), true, 0, "422"},
		{"somebody has removed it", "gone", nil, true, 0, "404"},
		{"elsewhere", "", status(302, "Location", other.URL), true, 0, "not followed"},
		{"moved", "", status(307, "Location", other.URL), true, 0, "not followed"},
		{"garbage", "", say("<html>hello"), false, 0, "not what the API"},
		{"nothing", "", say(""), false, 0, "not what the API"},
		{"another incident", "i9", say(`{"id":"i8"}`), false, 0, "another incident"},
		{"endless", "", say(`["` + strings.Repeat("x", 5<<20)), true, 0, "endless"},
		{"a name that leads elsewhere", "../../x", nil, true, 0, "cannot be asked for"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, p := serve(t)
			h.fault = tt.fault
			w := word(1, "investigating", "조사 중")
			w.Ref = tt.ref
			_, err := p.Post(t.Context(), w)
			if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q, final: %v", err, tt.want, tt.final)
			}
			if u, ok := errors.AsType[*delivery.Unavailable](err); ok && u.After != tt.after {
				t.Errorf("after %s, want %s", u.After, tt.after)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the key is told: %v", err)
			}
			if len(h.incidents) != 0 {
				t.Errorf("posted all the same: %v", h.incidents)
			}
		})
	}
}

func TestAServerThatHangs(t *testing.T) {
	h, p := serve(t)
	p.Timeout = 50 * time.Millisecond
	h.fault = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	_, err := p.Post(t.Context(), word(1, "investigating", "조사 중"))
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Post(ctx, word(1, "investigating", "조사 중")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestPagesThatAreNotThere(t *testing.T) {
	_, p := serve(t)
	for name, change := range map[string]func(p *statuspage.Page){
		"no key":      func(p *statuspage.Page) { p.Key = "" },
		"no page":     func(p *statuspage.Page) { p.ID = "" },
		"page with /": func(p *statuspage.Page) { p.ID = "a/b" },
		"no URL":      func(p *statuspage.Page) { p.URL = "page" },
		"inside":      func(p *statuspage.Page) { p.Guard = outbound.Guard{} },
	} {
		bad := statuspage.Page{Guard: p.Guard, URL: p.URL, ID: p.ID, Key: p.Key}
		change(&bad)
		if _, err := bad.Post(t.Context(), word(1, "investigating", "x")); !delivery.IsRefusal(err) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

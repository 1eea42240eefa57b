package ingest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/heartbeat"
	"muster/starter/ingest"
)

// jobs are two heartbeats of the source jobs, of which one says when it starts, and one of another.
type jobs struct {
	fault error
	heard []string
	texts []string
}

func (*jobs) Heartbeat(id string) (d heartbeat.Definition, ok bool) {
	switch id {
	case "backup":
		return heartbeat.Definition{ID: id, Source: "jobs", Every: time.Hour, Lasts: time.Minute}, true
	case "sync":
		return heartbeat.Definition{ID: id, Source: "jobs", Every: time.Hour}, true
	case "theirs":
		return heartbeat.Definition{ID: id, Source: "others", Every: time.Hour}, true
	}
	return d, false
}

func (j *jobs) Beat(_ context.Context, d heartbeat.Definition, b heartbeat.Beat) error {
	j.heard, j.texts = append(j.heard, d.ID+" "+string(b.Kind)+" "+b.At.Format("15:04:05.000")), append(j.texts, b.Text)
	return j.fault
}

func beat(t testing.TB, method, target, token, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:40000"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func TestBeats(t *testing.T) {
	const get, head, post = http.MethodGet, http.MethodHead, http.MethodPost
	for _, tc := range []struct {
		name, method, target, token string
		body                        string
		fault                       error
		code                        int
		heard, text, refusal        string
	}{
		{"by POST", post, "/v1/heartbeat/sync", "swordfish", "whatever", nil, 200, "sync beat 10:00:00.123", "", ""},
		{"by GET", get, "/v1/heartbeat/sync", "swordfish", "", nil, 200, "sync beat 10:00:00.123", "", ""},
		{"by HEAD", head, "/v1/heartbeat/sync", "swordfish", "", nil, 200, "sync beat 10:00:00.123", "", ""},
		{"a start", get, "/v1/heartbeat/backup/start", "swordfish", "", nil, 200, "backup start 10:00:00.123", "", ""},
		{"a failure", post, "/v1/heartbeat/backup/fail", "swordfish", " exit 1: disk is full\n", nil, 200, "backup fail 10:00:00.123", "exit 1: disk is full", ""},
		{
			"one that says much", post, "/v1/heartbeat/backup/fail", "swordfish", "\xff" + strings.Repeat("x", 1<<20), nil, 200, "backup fail 10:00:00.123",
			"\uFFFD" + strings.Repeat("x", 4096-6) + "…", "",
		},
		{"a token in the URL", get, "/v1/heartbeat/theirs?token=marlin", "", "", nil, 200, "theirs beat 10:00:00.123", "", ""},
		{"which is not allowed", get, "/v1/heartbeat/sync?token=swordfish", "", "", nil, 403, "", "", "token_in_url in the organisation folder"},
		{"nobody's token", get, "/v1/heartbeat/sync", "wrong", "", nil, 401, "", "", "want Bearer and the token of a source"},
		{"no token, of one that there is not", get, "/v1/heartbeat/none", "", "", nil, 401, "", "", "want Bearer and the token of a source"},
		{"one that there is not", get, "/v1/heartbeat/none", "swordfish", "", nil, 404, "", "", `want a heartbeat of source jobs that the organisation folder has, got "none"`},
		{"another's", get, "/v1/heartbeat/theirs", "swordfish", "", nil, 404, "", "", `want a heartbeat of source jobs`},
		{"a source of another type", get, "/v1/heartbeat/sync", "herring", "", nil, 403, "", "", "source web is of type json"},
		{"a start that has no end", get, "/v1/heartbeat/sync/start", "swordfish", "", nil, 404, "", "", "heartbeat sync: want lasts in the organisation folder"},
		{"what nobody says", get, "/v1/heartbeat/sync/stop", "swordfish", "", nil, 404, "", "", "want /v1/heartbeat/NAME, or /start or /fail after that; got /v1/heartbeat/sync/stop"},
		{"another method", http.MethodPut, "/v1/heartbeat/sync", "swordfish", "", nil, 405, "", "", "want POST, GET or HEAD, got PUT"},
		{"nobody keeps it", post, "/v1/heartbeat/sync", "swordfish", "", errors.New("no connection"), 503, "sync beat 10:00:00.123", "", "send it again"},
	} {
		j := &jobs{fault: tc.fault}
		in := intake(t, newEngine(), func(c *ingest.Config) {
			c.Heartbeats, c.Now = j, func() time.Time { return clock().UTC() }
			c.Sources = []ingest.Source{
				{ID: "jobs", Type: alert.Heartbeat, Token: "swordfish"},
				{ID: "others", Type: alert.Heartbeat, Token: "marlin", TokenInURL: true},
				{ID: "web", Type: alert.JSON, Token: "herring"},
			}
		})
		w := serve(in, beat(t, tc.method, tc.target, tc.token, tc.body))
		heard, text := strings.Join(j.heard, ", "), strings.Join(j.texts, ", ")
		if w.Code != tc.code || heard != tc.heard || text != tc.text {
			t.Errorf("%s: got %d, heard %q, text %.40q; want %d, %q, %.40q", tc.name, w.Code, heard, text, tc.code, tc.heard, tc.text)
		}
		if tc.code != 200 && !strings.Contains(refused(t, w).Detail, tc.refusal) {
			t.Errorf("%s: got %s, want %q", tc.name, w.Body, tc.refusal)
		}
		if tc.code == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: want Retry-After", tc.name)
		}
	}
}

// Without any token, jobs of this machine are heard and others are not.
func TestBeatsWithoutTokens(t *testing.T) {
	j := &jobs{}
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Heartbeats, c.Sources = j, []ingest.Source{{ID: "others", Type: alert.Heartbeat}, {ID: "jobs", Type: alert.Heartbeat}}
	})
	r := beat(t, http.MethodGet, "/v1/heartbeat/sync", "", "")
	if w := serve(in, r); w.Code != 403 {
		t.Errorf("from elsewhere: got %d", w.Code)
	}
	r.RemoteAddr = "127.0.0.1:1"
	if w := serve(in, r); w.Code != 200 || len(j.heard) != 1 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// A job that beats too often is told so, and keeps no other waiting.
func TestBeatsAreBounded(t *testing.T) {
	j, now := &jobs{}, clock()
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Heartbeats, c.Now = j, func() time.Time { return now }
		c.Sources = []ingest.Source{{ID: "jobs", Type: alert.Heartbeat, Token: "swordfish"}}
	})
	get := func(id string) int {
		return serve(in, beat(t, http.MethodGet, "/v1/heartbeat/"+id, "swordfish", "")).Code
	}
	for n := range ingest.BeatBurst {
		if got := get("sync"); got != 200 {
			t.Fatalf("beat %d: got %d", n, got)
		}
	}
	if got := get("sync"); got != 429 || len(j.heard) != ingest.BeatBurst {
		t.Errorf("got %d, heard %d", got, len(j.heard))
	}
	if got := get("backup"); got != 200 {
		t.Errorf("another: got %d", got)
	}
	now = now.Add(ingest.BeatSpacing)
	if got := get("sync"); got != 200 {
		t.Errorf("later: got %d", got)
	}
}

// What Muster itself has to alert of takes the way of all alerts.
func TestTake(t *testing.T) {
	e := newEngine()
	in := intake(t, e)
	d := heartbeat.Definition{ID: "sync", Labels: alert.Labels{{Name: "severity", Value: "critical"}}}
	a := d.Alert(clock(), "not heard of", "")
	for range 2 {
		if err := in.Take(t.Context(), "jobs", a); err != nil {
			t.Fatal(err)
		}
		a.State, a.EndsAt = alert.Resolved, clock().Add(time.Minute)
	}
	var s alert.Set
	for _, c := range e.seen() {
		if c.key != "incident/jobs/[{alertname sync}]" || c.def.Title != "not heard of" || c.batch.Impact != "high" && c.batch.Alerts[0].State == alert.Firing {
			t.Errorf("got %s: %+v, %+v", c.key, c.def, c.batch)
		}
		s.Apply(c.batch)
	}
	if len(e.seen()) != 2 || !s.AllResolved() {
		t.Errorf("got %+v", e.seen())
	}
	e.fail = func(context.Context, int) error { return errors.New("no connection") }
	if err := in.Take(t.Context(), "jobs", a); err == nil {
		t.Error("it is said to be durable")
	}
}

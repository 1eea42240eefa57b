package ingest_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

// to posts a body to another path than an Alertmanager's.
func to(t testing.TB, path, body string) *http.Request {
	t.Helper()
	r := post(t, body)
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
	return r
}

func TestPrometheusPostsAsToAnAlertmanager(t *testing.T) {
	body, err := os.ReadFile("testdata/prometheus/firing.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v2/alerts", "/v1/alerts/prometheus"} {
		e := newEngine()
		if w := serve(intake(t, e), to(t, path, string(body))); w.Code != 200 || !strings.Contains(w.Body.String(), `"alerts":3`) {
			t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
		}
		keys := map[string]int{}
		for _, c := range e.seen() {
			keys[c.key] = len(c.batch.Alerts)
			if c.batch.GroupResolved || c.batch.Source != "prometheus" {
				t.Errorf("got batch %+v", c.batch)
			}
		}
		if len(keys) != 2 || keys["incident/prometheus/[{alertname BasketErrors}]"] != 1 || keys["incident/prometheus/[{alertname NodeDown}]"] != 2 {
			t.Errorf("got incidents %v", keys)
		}
	}
}

// clock is at 10:00:00.123.
func TestWhenAnAlertOfPrometheusIsOver(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse("15:04:05.000", s)
		if err != nil {
			t.Fatal(err)
		}
		return v.AddDate(2026, 10, 21)
	}
	for _, tc := range []struct {
		name, times         string
		patience            time.Duration
		state               alert.State
		starts, ends, lasts string
	}{
		{"neither", ``, 0, alert.Firing, "10:00:00.123", "", "10:05:00.123"},
		{"zero", `"startsAt":"0001-01-01T00:00:00Z","endsAt":"0001-01-01T00:00:00Z",`, 0, alert.Firing, "10:00:00.123", "", "10:05:00.123"},
		{"null", `"startsAt":null,"endsAt":null,`, 0, alert.Firing, "10:00:00.123", "", "10:05:00.123"},
		{"a beginning", `"startsAt":"2026-11-22T09:00:00Z",`, 0, alert.Firing, "09:00:00.000", "", "10:05:00.123"},
		{"its own time-out", `"startsAt":"2026-11-22T09:00:00Z",`, time.Minute, alert.Firing, "09:00:00.000", "", "10:01:00.123"},
		{"an end sooner than the time-out", `"endsAt":"2026-11-22T10:04:00Z",`, 0, alert.Firing, "10:00:00.123", "", "10:05:00.123"},
		{"an end later than it", `"endsAt":"2026-11-22T10:09:00Z",`, 0, alert.Firing, "10:00:00.123", "", "10:09:00.000"},
		{"an end that is past", `"startsAt":"2026-11-22T09:00:00Z","endsAt":"2026-11-22T09:30:00Z",`, 0, alert.Resolved, "09:00:00.000", "09:30:00.000", ""},
		{"an end at this moment", `"endsAt":"2026-11-22T10:00:00.123Z",`, 0, alert.Resolved, "10:00:00.123", "10:00:00.123", ""},
		{"an end and no beginning", `"endsAt":"2026-11-22T09:30:00Z",`, 0, alert.Resolved, "09:30:00.000", "09:30:00.000", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine()
			in := intake(t, e, func(c *ingest.Config) {
				c.Sources = []ingest.Source{{ID: "metrics", Type: alert.Prometheus, ResolveTimeout: tc.patience}}
			})
			if w := serve(in, to(t, "/api/v2/alerts", `[{`+tc.times+`"labels":{"alertname":"X"}}]`)); w.Code != 200 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			a := e.seen()[0].batch.Alerts[0]
			want := alert.Alert{Fingerprint: a.Fingerprint, Name: "X", Labels: a.Labels, State: tc.state, StartsAt: at(tc.starts)}
			if tc.ends != "" {
				want.EndsAt = at(tc.ends)
			}
			if tc.lasts != "" {
				want.Until = at(tc.lasts)
			}
			if text(a.Alert) != text(want) || e.seen()[0].batch.Source != "metrics" {
				t.Errorf("got  %s\nwant %s", text(a.Alert), text(want))
			}
		})
	}
}

func TestWhatPrometheusIsRefused(t *testing.T) {
	for _, tc := range []struct{ name, body, field, detail string }{
		{"an object", `{}`, "body", "want an array of alerts, got an object"},
		{"no JSON", `[`, "body", "want JSON"},
		{"no alert but a text", `["x"]`, "[0]", "want an object, got a string"},
		{"no labels", `[{}]`, "[0].labels", "want at least one label with a value, got none"},
		{"empty labels", `[{"labels":{"a":""}}]`, "[0].labels", "want at least one label with a value, got none"},
		{"a number as label", `[{"labels":{"a":1}}]`, "[0].labels.a", "want a string, got a number"},
		{"no instant", `[{"labels":{"a":"b"},"endsAt":"soon"}]`, "[0].endsAt", `got "soon"`},
		{
			"an end before its beginning", `[{"labels":{"a":"b"},"startsAt":"2026-11-22T10:00:00Z","endsAt":"2026-11-22T09:00:00Z"}]`,
			"[0].endsAt", `want it not before startsAt "2026-11-22T10:00:00Z", got "2026-11-22T09:00:00Z"`,
		},
		{"too many", "[" + strings.Repeat(`{},`, ingest.MaxAlerts) + "{}]", "body", "want at most 20000 alerts in one body"},
	} {
		e := newEngine()
		p := refused(t, serve(intake(t, e), to(t, "/api/v2/alerts", tc.body)))
		if p.Field != tc.field || !strings.Contains(p.Detail, tc.detail) || p.Status/100 != 4 || len(e.seen()) > 0 {
			t.Errorf("%s: got %d %s: %s; want %s: …%s…", tc.name, p.Status, p.Field, p.Detail, tc.field, tc.detail)
		}
	}
	if w := serve(intake(t, newEngine()), to(t, "/api/v2/alerts", `[]`)); w.Code != 200 || w.Body.String() != `{"status":"accepted","alerts":0,"commits":0}`+"\n" {
		t.Errorf("no alerts: got %d %s", w.Code, w.Body)
	}
}

// What is wrong with one alert keeps no other from paging: the rest is durable before the answer says what is wrong.
func TestOneBadAlertKeepsNoOther(t *testing.T) {
	e := newEngine()
	body := `[{"labels":{"alertname":"A"}},{},{"labels":{"alertname":"B"},"endsAt":"soon","startsAt":"x"},{"labels":{"alertname":"C"}}]`
	p := refused(t, serve(intake(t, e), to(t, "/api/v2/alerts", body)))
	if p.Status != 400 || p.Field != "[1].labels" {
		t.Errorf("got %d %s", p.Status, p.Field)
	}
	var names []string
	for _, s := range e.seen() {
		for _, a := range s.batch.Alerts {
			names = append(names, a.Name)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"A", "C"}) {
		t.Errorf("got %v", names)
	}
}

// A repeat within one commit is one alert, that lasts as long as the longest.
func TestRepeatsOfOneCommitLastLongest(t *testing.T) {
	e := newEngine()
	one := `{"labels":{"alertname":"X"},"startsAt":"2026-11-22T09:00:00Z","endsAt":"2026-11-22T10:0%s:00Z"}`
	body := "[" + strings.Replace(one, "%s", "7", 1) + "," + strings.Replace(one, "%s", "9", 1) + "," + strings.Replace(one, "%s", "8", 1) + "]"
	serve(intake(t, e), to(t, "/api/v2/alerts", body))
	if got := e.seen()[0].batch.Alerts; len(got) != 1 || got[0].Times != 3 || got[0].Until.Minute() != 9 {
		t.Errorf("got %s", text(got))
	}
}

func TestASourcePostsInItsOwnFormat(t *testing.T) {
	sources := []ingest.Source{
		{ID: "am", Token: "of-am"},
		{ID: "prom", Type: alert.Prometheus, Token: "of-prom"},
		{ID: "url", Type: alert.Prometheus, Token: "of-url", TokenInURL: true},
		{ID: "none", Type: alert.Prometheus},
	}
	body := `[{"labels":{"alertname":"X"}}]`
	for _, tc := range []struct {
		path, token string
		status      int
		says        string // the source, or a part of the refusal
	}{
		{"/api/v2/alerts", "of-prom", 200, "prom"},
		{"/v1/alerts/prometheus", "of-prom", 200, "prom"},
		{"/api/v2/alerts", "of-am", 403, "source am is of type alertmanager: want it to post to /v1/alerts/alertmanager"},
		{"/v1/alerts/alertmanager", "of-prom", 403, "source prom is of type prometheus: want it to post to /api/v2/alerts"},
		{"/api/v2/alerts", "", 401, "want Bearer and the token of a source"},
		{"/api/v2/alerts?token=of-url", "", 200, "url"},
		{"/api/v2/alerts?token=of-prom", "", 403, "want the token of source prom in the header Authorization, or token_in_url"},
		{"/api/v2/alerts?token=of-nobody", "", 401, "want Bearer"},
		{"/api/v2/alerts?token=of-url", "of-prom", 200, "prom"},
		{"/v1/alerts/nagios", "of-prom", 404, "want /v1/alerts/ and one of alertmanager, prometheus"},
		{"/v1/alerts/", "of-prom", 404, "want /v1/alerts/ and one of"},
		{"/v1/alerts/prometheus/", "of-prom", 404, "want /v1/alerts/ and one of"},
	} {
		e := newEngine()
		r := to(t, tc.path, body)
		r.RemoteAddr = "192.0.2.1:40000"
		if tc.token != "" {
			r.Header.Set("Authorization", "Bearer "+tc.token)
		}
		w := serve(intake(t, e, func(c *ingest.Config) { c.Sources = sources }), r)
		if w.Code != tc.status {
			t.Errorf("%s as %s: got %d %s, want %d", tc.path, tc.token, w.Code, w.Body, tc.status)
		}
		if tc.status != 200 {
			if p := refused(t, w); !strings.Contains(p.Detail, tc.says) || len(e.seen()) > 0 {
				t.Errorf("%s as %s: got %s, want …%s…", tc.path, tc.token, p.Detail, tc.says)
			}
		} else if got := e.seen()[0].batch.Source; got != tc.says {
			t.Errorf("%s as %s: got source %s, want %s", tc.path, tc.token, got, tc.says)
		}
	}
}

package ingest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

func TestAcceptedBodies(t *testing.T) {
	for _, file := range []string{"firing", "resolved", "storm", "v0.34", "minimal"} {
		t.Run(file, func(t *testing.T) {
			body, err := os.ReadFile("testdata/" + file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			e := newEngine()
			w := serve(intake(t, e), post(t, string(body)))
			if w.Code != http.StatusOK || len(e.seen()) != 1 {
				t.Fatalf("got %d %s and %d commits", w.Code, w.Body, len(e.seen()))
			}
			if got := w.Body.String(); got != fmt.Sprintf(`{"status":"accepted","alerts":%d,"commits":1}`+"\n", len(e.seen()[0].batch.Alerts)) {
				t.Errorf("got answer %s", got)
			}
		})
	}
}

func TestAlertsArriveWhole(t *testing.T) {
	body, err := os.ReadFile("testdata/resolved.json")
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine()
	serve(intake(t, e), post(t, string(body)))
	c := e.seen()[0]
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v.UTC() }
	labels := alert.Labels{{Name: "alertname", Value: "HighErrorRate"}, {Name: "cluster", Value: "prod-kr-1"}, {Name: "severity", Value: "critical"}}
	want := alert.Batch{
		ID: c.batch.ID, Source: "alertmanager", ReceivedAt: at("2026-11-22T10:00:00.123Z"), Posts: 1, GroupResolved: true,
		Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
			Fingerprint: "3f1c0a9d5b7e2468", Name: "HighErrorRate", State: alert.Resolved,
			StartsAt: at("2026-11-22T10:00:00.123Z"), EndsAt: at("2026-11-22T10:09:15.5Z"), Labels: labels,
			Annotations: alert.Labels{{Name: "summary", Value: "결제가 <실패>합니다 \"5xx\""}},
			Generator:   "http://prometheus.example.com:9090/graph?g0.expr=up&g0.tab=1",
		}}},
	}
	if got := text(c.batch); got != text(want) || c.batch.ID == "" {
		t.Errorf("got  %s\nwant %s", got, text(want))
	}
	if want := "incident/alertmanager/muster[{alertname HighErrorRate} {cluster prod-kr-1}]"; c.key != want {
		t.Errorf("got key %q, want %q", c.key, want)
	}
	if c.def.Title != "결제가 <실패>합니다 \"5xx\"" || c.def.Source != "alertmanager" || c.def.Urgency != "high" {
		t.Errorf("got definition %+v", c.def)
	}
}

// with returns a message of one alert in which one thing is changed. Paths with a dot are of the alert.
func with(path string, value any) string {
	a := firing("f1")
	m := message("g", "", a)
	if name, of := strings.CutPrefix(path, "."); of {
		a[name] = value
		if value == nil {
			delete(a, name)
		}
	} else if m[path] = value; value == nil {
		delete(m, path)
	}
	return text(m)
}

func TestRefusedBodies(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		status     int
		field      string
		detail     string // a part of it
	}{
		{"empty", ``, 400, "body", "unexpected end of JSON input at byte 0"},
		{"prose", `alerts!`, 400, "body", "invalid character 'a' looking for beginning of value at byte 1"},
		{"cut", with("version", "4")[:99], 400, "body", "unexpected end of JSON input"},
		{"two values", `{}{}`, 400, "body", "after top-level value"},
		{"array", ` []`, 400, "body", "want an object, got an array"},
		{"null", `null`, 400, "body", "want an object, got null"},
		{"deep", strings.Repeat("[", 20_000), 400, "body", "exceeded max depth"},
		{"no version", with("version", nil), 400, "version", `want "4", got ""`},
		{"next version", with("version", "5"), 400, "version", `want "4", got "5"`},
		{"version as number", with("version", 4), 400, "version", "want a string, got a number"},
		{"no status", with("status", nil), 400, "status", `want "firing" or "resolved", got ""`},
		{"odd status", with("status", "pending"), 400, "status", `got "pending"`},
		{"no alerts", with("alerts", nil), 400, "alerts", "want at least one alert"},
		{"null alerts", strings.Replace(with("alerts", 7), "7", "null", 1), 400, "alerts", "want at least one alert"},
		{"empty alerts", with("alerts", []int{}), 400, "alerts", "want at least one alert"},
		{"alerts as object", with("alerts", object{}), 400, "alerts", "want an array, got an object"},
		{"alert as string", with("alerts", []any{firing("f1"), "f2"}), 400, "alerts[1]", "want an object, got a string"},
		{"receiver", with("receiver", []int{1}), 400, "receiver", "want a string, got an array"},
		{"truncated", with("truncatedAlerts", -1), 400, "truncatedAlerts", "want a whole number, got -1"},
		{"half truncated", with("truncatedAlerts", 1.5), 400, "truncatedAlerts", "want a whole number, got 1.5"},
		{"truncated as string", with("truncatedAlerts", "1"), 400, "truncatedAlerts", `want a whole number, got "1"`},
		{"group labels", with("groupLabels", "x"), 400, "groupLabels", "want an object of strings, got a string"},
		{"common label", with("commonLabels", object{"a": true}), 400, "commonLabels.a", "want a string, got a boolean"},
		{"common annotation", with("commonAnnotations", object{"a": []int{}}), 400, "commonAnnotations.a", "want a string, got an array"},
		{"label", with(".labels", object{"port": 8080}), 400, "alerts[0].labels.port", "want a string, got a number"},
		{"labels", with(".labels", 1), 400, "alerts[0].labels", "want an object of strings, got a number"},
		{"annotation", with(".annotations", object{"a": object{}}), 400, "alerts[0].annotations.a", "want a string, got an object"},
		{"alert status", with(".status", "Firing"), 400, "alerts[0].status", `want "firing" or "resolved", got "Firing"`},
		{"no start", with(".startsAt", nil), 400, "alerts[0].startsAt", "want an instant"},
		{"zero start", with(".startsAt", "0001-01-01T00:00:00Z"), 400, "alerts[0].startsAt", `got "0001-01-01T00:00:00Z"`},
		{"start in seconds", with(".startsAt", 1764000000), 400, "alerts[0].startsAt", "want a string, got a number"},
		{"start in prose", with(".startsAt", "yesterday"), 400, "alerts[0].startsAt", `such as "2026-11-22T10:00:00Z"; got "yesterday"`},
		{"start after all years", with(".startsAt", "9999-12-31T23:59:59-01:00"), 400, "alerts[0].startsAt", "want an instant"},
		{"end", text(message("g", "", func() object { a := resolved("f"); a["endsAt"] = "soon"; return a }())), 400, "alerts[0].endsAt", `got "soon"`},
		{"generator", with(".generatorURL", 1), 400, "alerts[0].generatorURL", "want a string"},
		{"fingerprint", with(".fingerprint", strings.Repeat("f", 129)), 400, "alerts[0].fingerprint", "want at most 128 bytes, got 129"},
		{"no identity", text(message("g", "", object{"status": "firing", "startsAt": "2026-11-22T10:00:00Z"})), 400, "alerts[0].fingerprint", "got neither"},
		{"a later one", text(message("g", "", firing("f1"), firing("f2"), object{"labels": 1}, firing("f4"))), 400, "alerts[2].labels", "want an object"},
		{"too many", text(message("g", "", many(ingest.MaxAlerts+1, firing)...)), 413, "alerts", "want at most 20000 alerts"},
		{"too many and more wrong", with("alerts", make([]int, ingest.MaxAlerts+1)), 413, "alerts", "want at most 20000 alerts"},
		{"too large", with("externalURL", strings.Repeat("x", ingest.MaxBody)), 413, "body", "want at most 16777216 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine()
			in := intake(t, e)
			p := refused(t, serve(in, post(t, tc.body)))
			if p.Status != tc.status || p.Field != tc.field || !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("got %d %s: %s; want %d %s: …%s…", p.Status, p.Field, p.Detail, tc.status, tc.field, tc.detail)
			}
			if len(e.seen()) > 0 || in.Groups() > 0 || in.Stats().Refused != 1 || in.Stats().HeldBytes != 0 {
				t.Errorf("a refused post has left something: %d commits, %d groups, %+v", len(e.seen()), in.Groups(), in.Stats())
			}
		})
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	p := refused(t, serve(intake(t, newEngine()), post(t, text(message("g", "", many(50, func(string) object { return object{} })...)))))
	if len(p.Errors) != 20 || p.Errors[19].Field != "alerts[6].startsAt" || p.Field != p.Errors[0].Field {
		t.Errorf("got %+v", p)
	}
}

func TestEdgesAreInside(t *testing.T) {
	pad := ingest.MaxBody - len(with("externalURL", ""))
	for _, tc := range []struct {
		name, body string
		alerts     int
	}{
		{"bytes", with("externalURL", strings.Repeat("x", pad)), 1},
		{"alerts", text(message("g", "", many(ingest.MaxAlerts, firing)...)), ingest.MaxAlerts},
		{"fingerprint", with(".fingerprint", strings.Repeat("f", 128)), 1},
		{"null texts", strings.ReplaceAll(with(".annotations", object{"a": "NULL"}), `"NULL"`, "null"), 1},
		{"null labels", strings.ReplaceAll(with("groupLabels", "NULL"), `"NULL"`, "null"), 1},
		{"white space", " \n\t\r" + strings.ReplaceAll(with("version", "4"), ",", " ,\n") + "\n", 1},
		{"unknown fields", with("more", object{"a": []any{1, -2.5e3, true, nil, "]}\\\"", object{"alerts": nil}}}), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
				in := intake(t, e)
				w := serve(in, post(t, tc.body))
				if w.Code != 200 || !strings.Contains(w.Body.String(), fmt.Sprintf(`"alerts":%d,`, tc.alerts)) {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
				return in
			})
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	good := with("version", "4")
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		status int
		field  string
		header string // "Name: value" of the answer
	}{
		{"method", func(r *http.Request) { r.Method = http.MethodGet }, 405, "", "Allow: POST"},
		{"no type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "Content-Type", ""},
		{"form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, "Content-Type", ""},
		{"compressed", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, "Content-Encoding", ""},
		{"declared too large", func(r *http.Request) { r.ContentLength = ingest.MaxBody + 1 }, 413, "body", ""},
		{"undeclared too large", func(r *http.Request) {
			r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(strings.Repeat(" ", ingest.MaxBody+1)))
		}, 413, "body", ""},
		{"broken off", func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})) }, 400, "body", ""},
		{"outside", func(r *http.Request) { r.RemoteAddr = "192.0.2.1:40000" }, 403, "", ""},
		{"outside, version 6", func(r *http.Request) { r.RemoteAddr = "[2001:db8::1]:40000" }, 403, "", ""},
		{"no address", func(r *http.Request) { r.RemoteAddr = "@" }, 403, "", ""},
		{"proxied", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, 403, "", ""},
		{"a page", func(r *http.Request) { r.Header.Set("Origin", "http://localhost") }, 403, "", ""},
		{"an image of a page", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := post(t, good)
			tc.change(r)
			w := serve(intake(t, newEngine()), r)
			if p := refused(t, w); p.Status != tc.status || p.Field != tc.field {
				t.Errorf("got %d %q: %s; want %d %q", p.Status, p.Field, p.Detail, tc.status, tc.field)
			}
			if name, value, ok := strings.Cut(tc.header, ": "); ok && w.Header().Get(name) != value {
				t.Errorf("got %s %q, want %q", name, w.Header().Get(name), value)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestTypesThatAreJSON(t *testing.T) {
	for _, kind := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		r := post(t, with("version", "4"))
		r.Header.Set("Content-Type", kind)
		if w := serve(intake(t, newEngine()), r); w.Code != 200 {
			t.Errorf("%s: got %d %s", kind, w.Code, w.Body)
		}
	}
}

func TestTokenChoosesTheSource(t *testing.T) {
	e, guesses := newEngine(), 0
	in := intake(t, e, func(c *ingest.Config) {
		c.Sources = []ingest.Source{{ID: "seoul", Token: "token-of-seoul"}, {ID: "busan", Token: "token-of-busan"}}
		c.Guess = func(*http.Request) time.Duration { guesses++; return 0 }
	})
	for _, tc := range []struct{ authorization, source string }{
		{"Bearer token-of-seoul", "seoul"},
		{"bearer token-of-busan", "busan"},
		{"", ""},
		{"Bearer", ""},
		{"Bearer ", ""},
		{"Bearer token-of-seou", ""},
		{"Bearer token-of-seoul2", ""},
		{"Basic token-of-seoul", ""},
		{"token-of-seoul", ""},
	} {
		e.forget()
		r := post(t, with("version", "4")) // from this machine, which is not enough
		r.Header.Set("Authorization", tc.authorization)
		w := serve(in, r)
		if tc.source == "" {
			if p := refused(t, w); p.Status != 401 || p.Field != "Authorization" || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%q: got %d %+v", tc.authorization, w.Code, p)
			}
		} else if w.Code != 200 || e.seen()[0].batch.Source != tc.source || !strings.HasPrefix(e.seen()[0].key, "incident/"+tc.source+"/") {
			t.Errorf("%q: got %d %+v", tc.authorization, w.Code, e.seen())
		}
	}
	if guesses != 7 {
		t.Errorf("%d guesses were told, want 7", guesses)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	whole := ingest.Config{Incidents: newEngine(), Router: routes{}, Key: key, RouteKey: routeKey, Now: clock}
	for _, tc := range []struct {
		want   string
		change func(*ingest.Config)
	}{
		{"make intake: want Incidents", func(c *ingest.Config) { c.Incidents = nil }},
		{"make intake: want Incidents", func(c *ingest.Config) { c.Now = nil }},
		{"make intake: want Incidents", func(c *ingest.Config) { c.RouteKey = nil }},
		{"make intake: want Incidents", func(c *ingest.Config) { c.InFlight = -1 }},
		{`make intake: source "a/b": want an id`, func(c *ingest.Config) { c.Sources = []ingest.Source{{ID: "a/b", Token: "t"}} }},
		{"make intake: source a: signature: want a secret", func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "a", Signature: &ingest.Signature{}}}
		}},
		{"make intake: source b: has the token of source a", func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "a", Token: "t"}, {ID: "b", Token: "t"}}
		}},
	} {
		cfg := whole
		tc.change(&cfg)
		if _, err := ingest.New(cfg); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}

func TestTokensAreNotPrinted(t *testing.T) {
	s := ingest.Source{ID: "seoul", Token: "token-of-seoul", Signature: &ingest.Signature{Secret: "token-of-signature"}}
	if got := fmt.Sprintf("%v %+v %s", s, []ingest.Source{s}, text(s)); strings.Contains(got, "token-of") {
		t.Errorf("got %s", got)
	}
}

func TestLongTextsAreCutAndAlertsAreNot(t *testing.T) {
	bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
		in := intake(t, e)
		long := strings.Repeat("값", 100_000)
		a := firing("f1")
		labels, annotations := object{"alertname": long}, object{"summary": long}
		for i := range 100 {
			labels[fmt.Sprint("l", i)] = strings.Repeat("\x01", 200)
			annotations[fmt.Sprint("a", i)] = long[:30_000]
		}
		a["labels"], a["annotations"], a["generatorURL"] = labels, annotations, long
		m := message("g", "", a, firing("f2"))
		m["commonAnnotations"] = object{"summary": long}
		if w := serve(in, post(t, text(m))); w.Code != 200 || len(e.seen()[0].batch.Alerts) != 2 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		got := e.seen()[0].batch.Alerts[0].Alert
		if n := len(text(got)); n > 64<<10 || n < 60<<10 {
			t.Errorf("got an alert of %d bytes", n)
		}
		if len(got.Name) > 256 || !strings.HasSuffix(got.Name, "값…") || got.Generator != "" || len(e.seen()[0].def.Title) > 256 {
			t.Errorf("got name %q, generator %q, title %q", got.Name, got.Generator, e.seen()[0].def.Title)
		}
		return in
	})
}

func TestUnavailableIsAlways503(t *testing.T) {
	for _, tc := range []struct {
		name, severity string
		fail           error
	}{
		{"engine away", "", errors.New("connection refused")},
		{"deadline", "", context.DeadlineExceeded},
		{"canceled", "", context.Canceled},
		{"no route", "none", nil},
		{"odd priority", "odd", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, e *engine) *ingest.Intake {
				e.fail = func(context.Context, int) error { return tc.fail }
				in := intake(t, e)
				w := serve(in, post(t, text(message("g", tc.severity, firing("f1")))))
				if p := refused(t, w); p.Status != 503 || w.Header().Get("Retry-After") != "3" || strings.Contains(p.Detail, "refused") {
					t.Errorf("got %+v, Retry-After %q", p, w.Header().Get("Retry-After"))
				}
				synctest.Wait()
				if s := in.Stats(); s.Unavailable != 1 || s.Failures != 1 || s.Commits != 0 || s.InFlight != 0 {
					t.Errorf("got %+v", s)
				}
				return in
			})
		})
	}
}

// wire is a listener without a network, for time that is not real.
type wire chan net.Conn

func (l wire) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l wire) Close() error   { return nil }
func (l wire) Addr() net.Addr { return &net.TCPAddr{} }

func TestBodyHasToComeInTimeAndTheAnswerHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		e.fail = func(context.Context, int) error { time.Sleep(ingest.BodyTime + time.Second); return nil }
		in := intake(t, e, func(c *ingest.Config) { c.Sources = []ingest.Source{{ID: "pipe", Token: "t"}} })
		l := make(wire)
		srv := &http.Server{Handler: in}
		go func() { _ = srv.Serve(l) }()
		defer close(l)
		body := with("version", "4")
		for _, tc := range []struct {
			body          string
			status, after int
		}{{body, 200, 21}, {body[:20], 408, 20}} {
			began := time.Now()
			client, server := net.Pipe()
			l <- server
			go func() {
				_, _ = fmt.Fprintf(client, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer t\r\nContent-Length: %d\r\n\r\n%s",
					ingest.Path, len(body), tc.body)
			}()
			res, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tc.status || time.Since(began) != time.Duration(tc.after)*time.Second {
				t.Errorf("got %d after %s, want %d after %d s", res.StatusCode, time.Since(began), tc.status, tc.after)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			client.Close()
		}
		time.Sleep(ingest.Spacing)
	})
}

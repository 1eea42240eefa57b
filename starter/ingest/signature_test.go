package ingest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

func signed(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestWhoSignsIsKnown(t *testing.T) {
	raw, err := os.ReadFile("testdata/grafana/firing.json")
	if err != nil {
		t.Fatal(err)
	}
	body, now := string(raw), strconv.FormatInt(clock().Unix(), 10)
	at := func(d time.Duration) string { return strconv.FormatInt(clock().Add(d).Unix(), 10) }
	sources := []ingest.Source{
		{ID: "plain", Type: alert.Grafana, Signature: &ingest.Signature{Secret: "s1"}},
		{ID: "timed", Type: alert.Grafana, Signature: &ingest.Signature{Secret: "s2", Header: "X-Own", Timestamp: "X-Time"}},
		{ID: "both", Type: alert.Grafana, Token: "t", Signature: &ingest.Signature{Secret: "s3"}},
		{ID: "token", Type: alert.Grafana, Token: "u"},
	}
	const usual, older = "X-Grafana-Alerting-Signature", "X-Grafana-Alert-Signature"
	type header map[string]string
	for _, tc := range []struct {
		name, path string
		header     header
		status     int
		field      string // or the source
	}{
		{"signed", "/plain", header{usual: signed("s1", body)}, 200, "plain"},
		{"signed in capitals", "/plain", header{usual: strings.ToUpper(signed("s1", body))}, 200, "plain"},
		{"signed with a prefix", "/plain", header{usual: "sha256=" + signed("s1", body)}, 200, "plain"},
		{"signed by an older Grafana", "/plain", header{older: signed("s1", body)}, 200, "plain"},
		{"not signed", "/plain", nil, 401, older},
		{"signed with another secret", "/plain", header{usual: signed("s2", body)}, 401, usual},
		{"another body", "/plain", header{usual: signed("s1", body+" ")}, 401, usual},
		{"no hexadecimal number", "/plain", header{usual: "yes"}, 401, usual},
		{"no path", "", header{usual: signed("s1", body)}, 401, "Authorization"},
		{"another path", "/gone", header{usual: signed("s1", body)}, 401, "Authorization"},
		{"with its time", "/timed", header{"X-Own": signed("s2", now+":"+body), "X-Time": now}, 200, "timed"},
		{"at the edge", "/timed", header{"X-Own": signed("s2", at(-299*time.Second)+":"+body), "X-Time": at(-299 * time.Second)}, 200, "timed"},
		{"too old", "/timed", header{"X-Own": signed("s2", at(-6*time.Minute)+":"+body), "X-Time": at(-6 * time.Minute)}, 401, "X-Time"},
		{"from the future", "/timed", header{"X-Own": signed("s2", at(6*time.Minute)+":"+body), "X-Time": at(6 * time.Minute)}, 401, "X-Time"},
		{"without its time", "/timed", header{"X-Own": signed("s2", body)}, 401, "X-Time"},
		{"with a time that is not signed", "/timed", header{"X-Own": signed("s2", body), "X-Time": now}, 401, "X-Own"},
		{"in the usual header", "/timed", header{usual: signed("s2", now+":"+body), "X-Time": now}, 401, "X-Own"},
		{"both", "", header{"Authorization": "Bearer t", usual: signed("s3", body)}, 200, "both"},
		{"both, by its path", "/both", header{"Authorization": "Bearer t", usual: signed("s3", body)}, 200, "both"},
		{"the token alone", "", header{"Authorization": "Bearer t"}, 401, older},
		{"the signature alone", "/both", header{usual: signed("s3", body)}, 401, "Authorization"},
		{"another's token", "/both", header{"Authorization": "Bearer u", usual: signed("s3", body)}, 401, "Authorization"},
	} {
		e, guesses := newEngine(), 0
		in := intake(t, e, func(c *ingest.Config) {
			c.Sources, c.Guess = sources, func(*http.Request) time.Duration { guesses++; return 0 }
		})
		r := to(t, "/v1/alerts/grafana"+tc.path, body)
		for name, value := range tc.header {
			r.Header.Set(name, value)
		}
		w := serve(in, r)
		switch {
		case w.Code != tc.status:
			t.Errorf("%s: got %d %s, want %d", tc.name, w.Code, w.Body, tc.status)
		case tc.status == 200:
			if got := e.seen()[0].batch.Source; got != tc.field || guesses > 0 {
				t.Errorf("%s: got source %s and %d guesses, want %s", tc.name, got, guesses, tc.field)
			}
		default:
			if p := refused(t, w); p.Field != tc.field || guesses != 1 || len(e.seen()) > 0 {
				t.Errorf("%s: got %s, %d guesses, %d commits; want %s", tc.name, p.Field, guesses, len(e.seen()), tc.field)
			}
		}
	}
}

// Whoever is not known before all is read has less room.
func TestABodyThatIsYetToProveIsSmaller(t *testing.T) {
	in := intake(t, newEngine(), func(c *ingest.Config) {
		c.Sources = []ingest.Source{{ID: "plain", Type: alert.Grafana, Signature: &ingest.Signature{Secret: "s1"}}}
	})
	p := refused(t, serve(in, to(t, "/v1/alerts/grafana/plain", strings.Repeat(" ", ingest.MaxSigned+1))))
	if p.Status != 413 || p.Detail != "want at most 1048576 bytes" {
		t.Errorf("got %+v", p)
	}
}

// Without tokens the path may name one of several sources of a type.
func TestThePathNamesASource(t *testing.T) {
	for _, tc := range []struct{ path, source string }{
		{"/v1/alerts/prometheus", "one"}, {"/v1/alerts/prometheus/two", "two"}, {"/v1/alerts/prometheus/three", ""}, {"/v1/alerts/prometheus/am", ""},
	} {
		e := newEngine()
		w := serve(intake(t, e, func(c *ingest.Config) {
			c.Sources = []ingest.Source{{ID: "am"}, {ID: "one", Type: alert.Prometheus}, {ID: "two", Type: alert.Prometheus}}
		}), to(t, tc.path, `[{"labels":{"alertname":"X"}}]`))
		if tc.source == "" {
			if p := refused(t, w); p.Status != 404 || !strings.Contains(p.Detail, "want a source of type prometheus that the organisation folder has") {
				t.Errorf("%s: got %+v", tc.path, p)
			}
		} else if w.Code != 200 || e.seen()[0].batch.Source != tc.source {
			t.Errorf("%s: got %d %+v, want %s", tc.path, w.Code, e.seen(), tc.source)
		}
	}
}

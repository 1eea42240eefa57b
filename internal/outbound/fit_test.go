package outbound_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"muster/internal/outbound"
)

func TestFit(t *testing.T) {
	plain := outbound.Script{}
	markup := outbound.Script{Escape: map[string]string{"@": "(at)", "&": "&amp;"}, Links: func(u string) string { return "<" + u + ">" }}
	for _, tt := range []struct {
		script     outbound.Script
		text, want string
		most       int
	}{
		{plain, "장애", "장애", 10},
		{plain, "장애가 났습니다", "장애가 …", 7},
		{plain, "0123456789", "0123456789", 10},
		{plain, "a\tb\u202ec\nd", "a b\ufffdc\nd", 10},
		{outbound.Script{Bytes: true}, "장애가", "장애가", 9},
		{outbound.Script{Bytes: true}, "장애가 났", "장애…", 9},
		{markup, "@all & x", "(at)all &amp; x", 100},
		{markup, "see https://x.example/a_b?c=1&d=2@all.", "see <https://x.example/a_b?c=1&d=2>(at)all.", 100},
		{markup, "see https://x.example/a", "see …", 20}, // half a link leads elsewhere
		{markup, "ftp://x.example", "ftp://x.example", 100},
	} {
		if got := tt.script.Fit(tt.text, tt.most); got != tt.want {
			t.Errorf("%q in %d: got %q, want %q", tt.text, tt.most, got, tt.want)
		}
	}
}

// Whatever comes, it has no more than it has room for, and nothing that was to be escaped.
func TestFitOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, most, script := rapid.String().Draw(t, "text"), rapid.IntRange(3, 60).Draw(t, "most"), outbound.Script{Escape: map[string]string{"@": "", "a": "<a>"}}
		script.Bytes = rapid.Bool().Draw(t, "bytes")
		got := script.Fit(text, most)
		size := utf8.RuneCountInString(got)
		if script.Bytes {
			size = len(got)
		}
		if size > most || strings.Contains(got, "@") || !utf8.ValidString(got) {
			t.Errorf("%q in %d: got %q", text, most, got)
		}
	})
}

// Who cannot tell a repeat gets none.
func TestSingle(t *testing.T) {
	url, connections := misbehave(t, func(_ int, conn *net.TCPConn) { reset(conn) })
	_, err := post(t, &outbound.Client{Guard: loopback(), Single: true}, url+secretPath)
	if got, _ := outcomeOf(t, err); got != unavailable || connections.Load() != 1 {
		t.Errorf("got %v after %d connections", err, connections.Load())
	}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if key := r.Header.Values("Idempotency-Key"); len(key) != 0 {
			t.Errorf("it has the key %q, with which it would be sent again", key)
		}
	}))
	defer srv.Close()
	if _, err := post(t, &outbound.Client{Guard: loopback(), Single: true}, srv.URL); err != nil {
		t.Error(err)
	}
}

func TestSecretsInHeadersAreNotQuoted(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "not liked: "+r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	_, err := (&outbound.Client{Guard: loopback()}).Post(t.Context(), outbound.Request{
		URL: srv.URL, Key: "1", Header: map[string]string{"Authorization": "Bearer s3cret"}, Secret: "s3cret",
	})
	if err == nil || !strings.Contains(err.Error(), "403") || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "liked") {
		t.Errorf("got %v", err)
	}
}

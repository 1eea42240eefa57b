package outbound_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"muster/internal/outbound"
)

func TestFetch(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/s3cret":
			fmt.Fprint(w, "ten bytes!")
		case r.URL.Path == "/s3cret-moved":
			http.Redirect(w, r, "/s3cret", http.StatusFound)
		case r.URL.Path == "/s3cret-cut":
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "ten")
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	for _, tc := range []struct {
		name, url string
		guard     outbound.Guard
		most      int64
		want      string // or the error
	}{
		{"there", srv.URL + "/s3cret", loopback(), 10, "ten bytes!"},
		{"too large", srv.URL + "/s3cret", loopback(), 9, "want at most 9 bytes"},
		{"moved", srv.URL + "/s3cret-moved", loopback(), 10, "302 Found"},
		{"gone", srv.URL + "/s3cret-gone", loopback(), 10, "404 Not Found"},
		{"cut off", srv.URL + "/s3cret-cut", loopback(), 10, "the connection was closed"},
		{"within", srv.URL + "/s3cret", outbound.Guard{}, 10, "is loopback"},
		{"nowhere", "s3cret", loopback(), 10, "the address is not a URL"},
		{"no URL", "https://exa mple/s3cret", loopback(), 10, "the address is not a URL"},
	} {
		body, err := tc.guard.Fetch(t.Context(), tc.url, tc.most)
		got := string(body)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tc.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

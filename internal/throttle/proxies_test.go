package throttle_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"muster/internal/throttle"
)

func TestBehindProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tc := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"straight", "192.0.2.7:1", nil, "192.0.2.7"},
		{"a stranger who says who he is", "192.0.2.7:1", []string{"198.51.100.1"}, "192.0.2.7"},
		{"through a proxy", "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"through two", "10.0.0.1:1", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"through two, in two headers", "[fd00::1]:1", []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"what the client wrote before is not believed", "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"from the proxy itself", "10.0.0.1:1", nil, "10.0.0.1"},
		{"from another proxy", "10.0.0.1:1", []string{"10.0.0.2"}, "10.0.0.2"},
		{"nonsense", "10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		{"nonsense before an address", "10.0.0.1:1", []string{"unknown, 10.0.0.9"}, "10.0.0.9"},
		{"IPv6", "10.0.0.1:1", []string{"2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		for _, h := range tc.headers {
			r.Header.Add("X-Forwarded-For", h)
		}
		got := ""
		throttle.Behind(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = throttle.Address(r) })).
			ServeHTTP(httptest.NewRecorder(), r)
		if got != tc.want || r.RemoteAddr != tc.peer {
			t.Errorf("%s: got %s, want %s; the request has become one of %s", tc.name, got, tc.want, r.RemoteAddr)
		}
	}
}

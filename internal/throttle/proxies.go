package throttle

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Behind gives the requests that come through trusted proxies the address that the nearest of them has seen. What others
// write into X-Forwarded-For is not believed.
func Behind(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && trusted(peer.Addr().Unmap()) {
			if from, ok := forwarded(r.Header.Values("X-Forwarded-For"), trusted); ok {
				r = r.WithContext(r.Context()) // a copy: who calls keeps his
				r.RemoteAddr = net.JoinHostPort(from.String(), "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// forwarded is the last address of a chain that no trusted proxy has.
func forwarded(headers []string, trusted func(netip.Addr) bool) (from netip.Addr, ok bool) {
	chain := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(chain) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return from, ok // whoever wrote this is not a proxy of ours
		}
		if from, ok = a.Unmap(), true; !trusted(from) {
			return from, ok
		}
	}
	return from, ok
}

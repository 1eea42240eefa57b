// Package throttle keeps any one caller from taking what all need: a rate for each, and a lock for those who guess. It keeps
// a bounded number of callers in mind and forgets the idle ones.
package throttle

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// most is how many callers are kept in mind. Beyond it, new ones share what is left for one; idle ones are looked for once in
// a while, for that takes time.
const (
	most  = 10_000
	pause = time.Second
)

// A Rate limits how often each caller may do something. It is safe for concurrent use.
type Rate struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	callers map[string]*rate.Limiter
	others  *rate.Limiter
	swept   time.Time
}

// NewRate allows each caller so many requests at once, and so many a second in the long run.
func NewRate(perSecond float64, burst int, now func() time.Time) *Rate {
	limit := rate.Limit(perSecond)
	return &Rate{limit: limit, burst: burst, now: now, callers: map[string]*rate.Limiter{}, others: rate.NewLimiter(limit, burst)}
}

// Wait takes one request of a caller in and returns zero, or refuses it and returns after what time to ask again.
func (r *Rate) Wait(caller string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	l := r.limiter(caller, now)
	turn := l.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait
}

func (r *Rate) limiter(caller string, now time.Time) *rate.Limiter {
	l := r.callers[caller]
	if l != nil {
		return l
	}
	if len(r.callers) >= most && now.Sub(r.swept) >= pause {
		r.swept = now
		for name, idle := range r.callers {
			if idle.TokensAt(now) >= float64(r.burst) {
				delete(r.callers, name)
			}
		}
	}
	if len(r.callers) >= most {
		return r.others
	}
	l = rate.NewLimiter(r.limit, r.burst)
	r.callers[caller] = l
	return l
}

// A Lock shuts out who fails too often. It is safe for concurrent use.
type Lock struct {
	failures   int
	within, by time.Duration
	now        func() time.Time

	mu      sync.Mutex
	callers map[string]*record
	swept   time.Time
}

// A record is how often a caller has failed since an instant.
type record struct {
	failed int
	since  time.Time
	until  time.Time // locked; zero: not
}

// over tells whether a record says nothing any more.
func (r *record) over(now time.Time, within time.Duration) bool {
	return !now.Before(r.until) && now.Sub(r.since) >= within
}

// NewLock locks a caller who fails so often within a time, for a time.
func NewLock(failures int, within, by time.Duration, now func() time.Time) *Lock {
	return &Lock{failures: failures, within: within, by: by, now: now, callers: map[string]*record{}}
}

// Fail notes a failure. It returns for how long the caller is locked, zero if not, and whether this failure has locked it.
func (l *Lock) Fail(caller string) (locked time.Duration, just bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.callers[caller]
	if c == nil || c.over(now, l.within) {
		if c == nil && !l.room(now) {
			return 0, false // among ten thousand who fail at once, another one is no news
		}
		c = &record{since: now}
		l.callers[caller] = c
	}
	c.failed++
	if c.until.IsZero() && c.failed >= l.failures {
		c.until, just = now.Add(l.by), true
	}
	return max(c.until.Sub(now), 0), just
}

func (l *Lock) room(now time.Time) bool {
	if len(l.callers) < most || now.Sub(l.swept) < pause {
		return len(l.callers) < most
	}
	l.swept = now
	for name, c := range l.callers {
		if c.over(now, l.within) {
			delete(l.callers, name)
		}
	}
	return len(l.callers) < most
}

// Address is the network address that a request comes from, without its port. Of IPv6 it is the network of 64 bits, which one
// caller usually has whole.
func Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

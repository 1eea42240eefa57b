package node

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"muster/internal/link"
	"muster/internal/problem"
	"muster/internal/store"
	"muster/internal/throttle"
)

// Requests of one address to the API and the pages: so many at once, and so many a second in the long run. Those to the
// intake have a gate of their own, which makes them wait and refuses none of a storm.
const (
	addressBurst = 400
	addressRate  = 100
)

// Who shows so many tokens or links within a time that are not good is shut out for a time: what is not good from
// there is not even answered as such. What is good goes on, for behind one address there may be many.
const (
	guesses     = 20
	guessWithin = 5 * time.Minute
	guessLock   = 15 * time.Minute
)

// A guard stands before what asks who somebody is.
type guard struct {
	node *Node
	rate *throttle.Rate
	lock *throttle.Lock
}

func newGuard(n *Node) *guard {
	return &guard{
		node: n, rate: throttle.NewRate(addressRate, addressBurst, time.Now),
		lock: throttle.NewLock(guesses, guessWithin, guessLock, time.Now),
	}
}

// shownPath is the path of a request without the link that may stand in it, which is a secret.
func shownPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, link.Path) {
		return link.Path
	}
	return r.URL.Path
}

// limited refuses an address that asks too often.
func (g *guard) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := throttle.Address(r)
		if wait := g.rate.Wait(from); wait > 0 {
			g.node.record(store.Attempt{Kind: store.AttemptRate, Remote: from, Subject: shownPath(r), Detail: "too many requests from this address"})
			problem.Problem{
				Status: http.StatusTooManyRequests, RetryAfter: wait, Detail: "too many requests from this address: ask again later",
			}.Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guess notes that somebody has shown what is not good, and returns for how long the address is shut out. When that begins,
// somebody is told.
func (g *guard) guess(r *http.Request) time.Duration {
	from := throttle.Address(r)
	wait, just := g.lock.Fail(from)
	if just {
		g.node.cfg.Log.Warn("somebody guesses", "address", from, "locked", wait)
		g.node.record(store.Attempt{Kind: store.AttemptLock, Remote: from, Detail: fmt.Sprintf("shut out for %s after %d guesses", wait, guesses)})
		g.node.alarms.tell(guessed, from)
	}
	return wait
}

// guessSource is the same for who shows a token of no alert source.
func (g *guard) guessSource(r *http.Request) {
	g.node.record(store.Attempt{
		Kind: store.AttemptToken, Remote: throttle.Address(r), Subject: r.URL.Path, Message: r.Method, Detail: "want Bearer and the token of a source",
	})
	g.guess(r)
}

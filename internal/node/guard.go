package node

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"muster/internal/link"
	"muster/internal/refusal"
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
	slow *throttle.Rate // of those that wait: what they ask for takes nothing from others at their address
	lock *throttle.Lock
}

func newGuard(n *Node) *guard {
	return &guard{
		node: n, rate: throttle.NewRate(addressRate, addressBurst, time.Now),
		slow: throttle.NewRate(addressRate, addressBurst, time.Now),
		lock: throttle.NewLock(guesses, guessWithin, guessLock, time.Now),
	}
}

// limited refuses an address that asks too often.
func (g *guard) limited(next http.Handler, refuse func(w http.ResponseWriter, wait time.Duration)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := throttle.Address(r)
		if wait := g.rate.Wait(from); wait > 0 {
			g.node.record(store.Attempt{Kind: store.AttemptRate, Remote: from, Subject: link.Shown(r.URL.Path), Detail: "too many requests from this address"})
			refuse(w, wait)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// slowed has an address wait that asks too often: refused, Temporal's UI and CLI would show a history half in clear.
func (g *guard) slowed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const patience = 10 * time.Second
		began := time.Now()
		for {
			wait := g.slow.Wait(throttle.Address(r))
			if wait <= 0 {
				next.ServeHTTP(w, r)
				return
			}
			if time.Since(began) > patience {
				refuseProgram(w, wait)
				return
			}
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
				return
			}
		}
	})
}

// refuseProgram answers a program that asks too often.
func refuseProgram(w http.ResponseWriter, wait time.Duration) {
	refusal.Body{
		Status: http.StatusTooManyRequests, RetryAfter: wait, Detail: "too many requests from this address: ask again later",
	}.Write(w)
}

// refusePerson says to a person, in both languages, that he has to wait: there is no page for it, and no time to make one.
func refusePerson(w http.ResponseWriter, wait time.Duration) {
	seconds := int((wait + time.Second - 1) / time.Second)
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(seconds))
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = fmt.Fprintf(w, "이 주소에서 요청이 너무 많습니다. %d초 뒤에 다시 시도해 주십시오.\n"+
		"There were too many requests from this address. Try again in %[1]d seconds.\n", seconds)
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
func (g *guard) guessSource(r *http.Request) time.Duration {
	g.node.record(store.Attempt{
		Kind: store.AttemptToken, Remote: throttle.Address(r), Subject: r.URL.Path, Message: r.Method, Detail: "want Bearer and the token of a source",
	})
	return g.guess(r)
}

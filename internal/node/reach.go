package node

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"muster/internal/reach"
)

// reports are what has come of attempts to reach people, for the ledger that all workers share: what has changed, and else no more than
// once an hour for each contact method.
type reports struct {
	mu      sync.Mutex
	told    map[reach.Way]reach.Try
	waiting []reach.Try
	wake    chan struct{}
}

func newReports() *reports {
	return &reports{told: map[reach.Way]reach.Try{}, wake: make(chan struct{}, 1)}
}

const (
	reportedAgain = time.Hour
	mostWaiting   = 2_000 // attempts; what is older is dropped when the ledger does not answer for long
	mostReported  = 200   // at once
	gathering     = 2 * time.Second
	reportPause   = 15 * time.Second // after a report that has failed
)

// tried notes an attempt. It waits for nothing.
func (r *reports) tried(t reach.Try) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, known := r.told[t.Way]; known && last.Result == t.Result && t.At.Sub(last.At) < reportedAgain {
		return
	}
	r.told[t.Way] = t
	if r.waiting = append(r.waiting, t); len(r.waiting) > mostWaiting {
		r.waiting = r.waiting[len(r.waiting)-mostWaiting:]
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// next are those that are to be told, which stay until they were.
func (r *reports) next() []reach.Try {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]reach.Try(nil), r.waiting[:min(len(r.waiting), mostReported)]...)
}

// arrived drops what was told.
func (r *reports) arrived(tries []reach.Try) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(tries) > 0 && len(r.waiting) > 0 && r.waiting[0] != tries[0] { // the oldest were dropped meanwhile
		tries = tries[1:]
	}
	r.waiting = r.waiting[min(len(tries), len(r.waiting)):]
}

// run tells the ledger, until ctx ends.
func (r *reports) run(ctx context.Context, tell func(context.Context, []reach.Try) error) {
	pause := func(d time.Duration) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(d):
			return true
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for wait := gathering; pause(wait); {
			tries := r.next()
			if len(tries) == 0 {
				break
			}
			if wait = reportPause; tell(ctx, tries) == nil {
				wait = gathering
				r.arrived(tries)
			}
		}
	}
}

// reporting tells the ledger of contacts what this worker sees.
func (n *Node) reporting(ctx context.Context) {
	begun, count := time.Now().UnixNano(), 0
	n.beside(ctx, func(ctx context.Context) {
		n.tracker.reports.run(ctx, func(ctx context.Context, tries []reach.Try) error {
			const patience = 20 * time.Second
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			count++
			err := n.incidents.Contacts().Record(ctx, fmt.Sprintf("%s/%d/%d", host(), begun, count), tries)
			if err != nil {
				n.cfg.Log.Warn("what has come of messages is not in the ledger of contacts yet", "attempts", len(tries), "error", err)
			}
			return err
		})
	})
}

// unreachable names those who are on call, or whom a policy means, and whose every contact method has failed at its newest attempt.
func (n *Node) unreachable(ctx context.Context) (names []string, err error) {
	l, err := n.incidents.Contacts().Failing(ctx)
	if err != nil || len(l.Ways) == 0 {
		return nil, err
	}
	for _, p := range n.org.Current().People(time.Now()) {
		if p.Answers && reach.Unreachable(p, l) {
			names = append(names, fmt.Sprintf("%s (%s)", p.Name, strings.TrimPrefix(p.ID, "group:")))
		}
	}
	return names, nil
}

package ingest

import (
	"context"
	"slices"
	"sync"

	"muster/internal/priority"
)

// A gate lets at most a number of durable calls through at a time. Who waits is let in by priority, then in order of
// arrival: the engine takes starts faster than it can run them, and priority must act before its queue, not behind it.
type gate struct {
	limit int // calls at a time
	room  int // for so many to wait

	mu    sync.Mutex
	busy  int
	queue []*waiter // in the order in which they are let in
}

// A waiter learns once, through its channel, whether it is let in.
type waiter struct {
	priority priority.Priority
	told     chan error
}

// enter waits for its turn, which leave ends. It returns an error, and no turn, when ctx ends first or the gate is crowded.
func (g *gate) enter(ctx context.Context, p priority.Priority) error {
	w := g.join(p)
	if w == nil {
		return nil
	}
	select {
	case err := <-w.told:
		return err
	case <-ctx.Done():
	}
	if g.withdraw(w) {
		return context.Cause(ctx)
	}
	return <-w.told // it was decided at the same moment
}

// join returns nil when there is a turn to be had at once.
func (g *gate) join(p priority.Priority) *waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy < g.limit {
		g.busy++
		return nil
	}
	w := &waiter{priority: p, told: make(chan error, 1)}
	at, _ := slices.BinarySearchFunc(g.queue, p+1, func(w *waiter, p priority.Priority) int { return int(w.priority - p) })
	g.queue = slices.Insert(g.queue, at, w)
	if last := len(g.queue) - 1; last == g.room {
		g.queue[last].told <- errCrowded
		g.queue = slices.Delete(g.queue, last, last+1)
	}
	return w
}

func (g *gate) withdraw(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.Index(g.queue, w)
	if at >= 0 {
		g.queue = slices.Delete(g.queue, at, at+1)
	}
	return at >= 0
}

// leave gives the turn to the next one.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.busy--
		return
	}
	g.queue[0].told <- nil
	g.queue = slices.Delete(g.queue, 0, 1)
}

func (g *gate) load() (busy, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.busy, len(g.queue)
}

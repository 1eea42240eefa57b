package ingest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/priority"
)

// However people come and go, no turn is lost and none is given twice.
func TestGateLosesNoTurn(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			g := gate{limit: 1 + r.IntN(4), room: r.IntN(20)}
			var all sync.WaitGroup
			var mu sync.Mutex
			in, most := 0, 0
			for range 300 {
				p := priority.Priority(1 + r.IntN(5))
				patience, work := time.Duration(1+r.IntN(8)), time.Duration(r.IntN(8)) // short: often at the same instant
				all.Go(func() {
					ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errWaited)
					defer cancel()
					if err := g.enter(ctx, p); err != nil {
						if err != errWaited && err != errCrowded {
							t.Errorf("got %v", err)
						}
						return
					}
					mu.Lock()
					in++
					most = max(most, in)
					mu.Unlock()
					time.Sleep(work)
					mu.Lock()
					in--
					mu.Unlock()
					g.leave()
				})
				time.Sleep(time.Duration(r.IntN(3)))
				if busy, waiting := g.load(); waiting > g.room || waiting > 0 && busy < g.limit {
					t.Fatalf("%d are busy of %d while %d wait, room for %d", busy, g.limit, waiting, g.room)
				}
			}
			all.Wait()
			if busy, waiting := g.load(); busy != 0 || waiting != 0 || most > g.limit {
				t.Errorf("seed %d: %d busy, %d waiting, %d at a time of %d", seed, busy, waiting, most, g.limit)
			}
		})
	}
}

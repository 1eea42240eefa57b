package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"muster/internal/selfwatch"
	"muster/workflows"
)

// workers compares what several workers on one engine get done: incidents opened and paged in a second, what each costs, and for how
// long the oldest task of any queue has waited. On one machine more workers share the same processors; what they cost is seen here, not
// what they bring.
func (b *bench) workers(ctx context.Context) error {
	n := b.pick(400, 20)
	for _, workers := range []int{1, 2, 4} {
		rounds := map[string][]opened{}
		waited := map[string][]float64{}
		err := b.on(ctx, engineOptions{workers: workers}, func(e *engine) error {
			for round := -1; round < b.Rounds; round++ { // the first one warms up
				for _, s := range e.sides(round) {
					oldest := e.watchBacklog(ctx)
					o, err := e.openMany(ctx, s, fmt.Sprintf("workers%d", round), n, func(int) pace { return idlePace() })
					age, watched := oldest()
					if err != nil {
						return err
					}
					if watched != nil {
						return watched
					}
					if err := pause(ctx, time.Second); err != nil {
						return err
					}
					if round < 0 {
						continue
					}
					rounds[s.name], waited[s.name] = append(rounds[s.name], o), append(waited[s.name], age.Seconds())
					b.say("  %d workers, round %d %s: %.1f/s paged, %.1f ms of the machine each, oldest task waited %.2f s",
						workers, round+1, s.name, o.paged, o.machine, age.Seconds())
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		raw, ours := rounds["raw"], rounds["ours"]
		paged := func(o opened) float64 { return o.paged }
		cost := func(o opened) float64 { return o.machine }
		b.table.show("workers", fmt.Sprintf("%d: incidents opened and paged, to raw", workers), "%.3f (%.1f/s to %.1f/s)", paired(raw, ours, paged), medianOf(ours, paged), medianOf(raw, paged))
		b.table.show("workers", fmt.Sprintf("%d: processor time of the machine for one, to raw", workers), "%.3f (%.1f ms to %.1f ms)", paired(raw, ours, cost), medianOf(ours, cost), medianOf(raw, cost))
		b.table.show("workers", fmt.Sprintf("%d: longest wait of a task", workers), "%.2f s to %.2f s raw", median(waited["ours"]), median(waited["raw"]))
	}
	return nil
}

// watchBacklog looks at the task queues until it is asked how long the oldest task that it has seen had waited.
func (e *engine) watchBacklog(ctx context.Context) (oldest func() (time.Duration, error)) {
	ctx, cancel := context.WithCancel(ctx)
	watch := &selfwatch.Temporal{Client: e.temporal, Namespace: e.server.Namespace}
	var longest time.Duration
	var fault error
	var watching sync.WaitGroup
	watching.Go(func() {
		for pause(ctx, 200*time.Millisecond) == nil {
			for _, queue := range []string{workflows.TaskQueue, workflows.PagingTaskQueue} {
				all, err := watch.Backlog(ctx, queue)
				if err != nil && ctx.Err() == nil {
					fault = err
					return
				}
				for _, b := range all {
					longest = max(longest, b.Oldest)
				}
			}
		}
	})
	return func() (time.Duration, error) {
		cancel()
		watching.Wait()
		return longest, fault
	}
}

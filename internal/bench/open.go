package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/alert"
	"muster/internal/priority"
)

// atATime is how many durable calls the intake has in flight.
const atATime = 16

// opened is what opening many incidents has cost.
type opened struct {
	accepted float64 // per second, until the last call came back
	paged    float64 // per second, until the last first page arrived
	cpu      float64 // milliseconds for each
	machine  float64 // the same of the whole machine, the database of another process included
}

// openMany opens n incidents, so many calls at a time, and waits until the first page of each has arrived.
func (e *engine) openMany(ctx context.Context, s side, prefix string, n int, at func(i int) pace) (opened, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	m := start()
	var next atomic.Int64
	faults := make([]error, atATime)
	var all sync.WaitGroup
	for worker := range atATime {
		all.Go(func() {
			for faults[worker] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				subject := subjectOf(prefix, s, i)
				faults[worker] = s.deliver(ctx, subject, at(i), priority.P1, batch(subject, alert.Firing, time.Now(), "a"))
			}
		})
	}
	all.Wait()
	accepted := m.end()
	if err := errors.Join(faults...); err != nil {
		return opened{}, err
	}
	for i := range n {
		if _, err := e.world.await(ctx, subjectOf(prefix, s, i), "page kim"); err != nil {
			return opened{}, err
		}
	}
	paged := m.end()
	return opened{
		accepted: float64(n) / accepted.wall.Seconds(), paged: float64(n) / paged.wall.Seconds(),
		cpu:     float64(paged.cpu.Microseconds()) / 1000 / float64(n),
		machine: float64(paged.all.Microseconds()) / 1000 / float64(n),
	}, nil
}

func subjectOf(prefix string, s side, i int) string {
	return fmt.Sprintf("%s-%s-%05d", prefix, s.name, i)
}

// open compares how many incidents can be opened in a second: their first page has arrived.
func (b *bench) open(ctx context.Context) error {
	n := b.pick(400, 30)
	rounds := map[string][]opened{}
	err := b.on(ctx, engineOptions{}, func(e *engine) error {
		for round := -1; round < b.Rounds; round++ { // the first one warms up
			for _, s := range e.sides(round) {
				stop, err := b.profile(fmt.Sprintf("open-%s-%d", s.name, round))
				if err != nil {
					return err
				}
				o, err := e.openMany(ctx, s, fmt.Sprintf("open%d", round), n, func(int) pace { return idlePace() })
				stop()
				if err != nil {
					return err
				}
				if err := pause(ctx, time.Second); err != nil { // tickets and searches of the last ones
					return err
				}
				if round < 0 {
					continue
				}
				rounds[s.name] = append(rounds[s.name], o)
				b.say("  round %d %s: %.1f/s paged, %.1f/s accepted, %.1f ms CPU each", round+1, s.name, o.paged, o.accepted, o.cpu)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	raw, ours := rounds["raw"], rounds["ours"]
	paged := func(o opened) float64 { return o.paged }
	accepted := func(o opened) float64 { return o.accepted }
	cpu := func(o opened) float64 { return o.cpu }
	times := paired(raw, ours, paged)
	b.table.add(row{
		"open", "incidents opened and paged", "at least 0.90 of raw",
		fmt.Sprintf("%.3f (%.1f/s to %.1f/s raw)", times, medianOf(ours, paged), medianOf(raw, paged)), ratio, times >= 0.9,
	})
	b.table.show("open", "incidents accepted", "%.1f/s to %.1f/s raw", medianOf(ours, accepted), medianOf(raw, accepted))
	b.table.show("open", "CPU to open one", "%.1f ms to %.1f ms raw", medianOf(ours, cpu), medianOf(raw, cpu))
	return nil
}

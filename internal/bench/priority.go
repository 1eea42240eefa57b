package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// priority posts many P4 at once and a few P1 at random instants during and after, with priority keys and without.
func (b *bench) priority(ctx context.Context) error {
	var slowest [2]time.Duration
	for n, keyless := range []bool{false, true} {
		err := b.storms(ctx, engineOptions{http: true, noKeys: keyless}, func(e *engine, in *intake) error {
			took, last, err := b.amidst(ctx, e, in)
			if err != nil {
				return err
			}
			slowest[n] = quantile(took, 1)
			b.say("  priority keys %v: P1 paged after p50 %s, slowest %s; the last P4 was paged after %s", !keyless,
				ms(median(took)), ms(slowest[n]), last.Round(time.Millisecond))
			return nil
		})
		if err != nil {
			return err
		}
	}
	const most = time.Second
	b.table.add(row{
		"priority", "slowest P1 page amidst P4", "at most 1000.0 ms", ms(slowest[0]), absolute, slowest[0] <= most,
	})
	b.table.add(row{
		"priority", "the same without priority keys", "missed", ms(slowest[1]), absolute, b.Quick || slowest[1] > most,
	})
	return nil
}

// amidst returns how long each P1 took from its POST to its page, and when the last P4 was paged.
func (b *bench) amidst(ctx context.Context, e *engine, in *intake) (took []time.Duration, last time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	posts, urgent := b.pick(2_000, 60), b.pick(20, 4)
	random := rand.New(rand.NewPCG(1, 2)) // the same instants in both runs
	took = make([]time.Duration, urgent)
	faults := make([]error, urgent+1)
	var posted atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	ended := make(chan struct{})
	for i := range urgent {
		mark, late := random.Int64N(int64(posts)), time.Duration(random.Int64N(int64(b.span(8*time.Second, time.Second))))
		all.Go(func() {
			faults[i] = until(ctx, i%2 == 0, &posted, mark, ended, late)
			if faults[i] == nil {
				took[i], faults[i] = e.urgent(ctx, in, fmt.Sprintf("p1-%05d", i))
			}
		})
	}
	_, faults[urgent] = storm{
		address: in.address, connections: 64, posts: posts, within: 5 * time.Minute, posted: &posted,
		request: func(buf []byte, n int) []byte { return request(buf, fmt.Sprintf("p4-%05d", n), "warning", 1) },
	}.run(ctx)
	close(ended)
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return nil, 0, err
	}
	for n := range posts {
		at, err := e.world.await(ctx, fmt.Sprintf("p4-%05d", n), "page kim")
		if err != nil {
			return nil, 0, err
		}
		last = max(last, at.Sub(began))
	}
	return took, last, nil
}

// until waits for the random instant of a P1: when so many P4 were posted, or some time after the last of them.
func until(ctx context.Context, during bool, posted *atomic.Int64, mark int64, ended <-chan struct{}, late time.Duration) error {
	if !during {
		select {
		case <-ended:
		case <-ctx.Done():
		}
		return pause(ctx, late)
	}
	for posted.Load() < mark {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// urgent posts one P1 over a connection of its own and waits for its page.
func (e *engine) urgent(ctx context.Context, in *intake, subject string) (time.Duration, error) {
	l, err := dial(ctx, in.address)
	if err != nil {
		return 0, err
	}
	defer l.close()
	sent := time.Now()
	status, err := l.post(request(nil, subject, "critical", 1))
	if err != nil {
		return 0, err
	}
	if status != 200 {
		return 0, fmt.Errorf("post %s: answered %d: %s", subject, status, l.last)
	}
	at, err := e.world.await(ctx, subject, "page kim")
	return at.Sub(sent), err
}

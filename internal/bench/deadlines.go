package bench

import (
	"context"
	"fmt"
	"time"
)

// burst is what came of many deadlines in one second.
type burst struct {
	last     time.Duration // from the last deadline to the last page
	repeated int           // pages that arrived more than once under one delivery id
}

// deadlines lets a thousand unanswered pages climb within one second.
func (b *bench) deadlines(ctx context.Context) error {
	n := b.pick(1_000, 40)
	rounds := map[string][]burst{}
	err := b.on(ctx, engineOptions{}, func(e *engine) error {
		for round := range b.Rounds {
			for _, s := range e.sides(round) {
				out, err := e.burst(ctx, s, fmt.Sprintf("due%d", round), n)
				if err != nil {
					return err
				}
				rounds[s.name] = append(rounds[s.name], out)
				b.say("  round %d %s: last page %s after the last deadline, %d repeated", round+1, s.name,
					out.last.Round(time.Millisecond), out.repeated)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	raw, ours := rounds["raw"], rounds["ours"]
	last := func(x burst) float64 { return x.last.Seconds() }
	times := paired(raw, ours, last)
	repeated := 0
	for _, x := range ours {
		repeated += x.repeated
	}
	b.table.add(row{
		"deadlines", fmt.Sprintf("last of %d pages due in one second", n), "at most 1.30 of raw",
		fmt.Sprintf("%.3f (%.2f s to %.2f s raw)", times, medianOf(ours, last), medianOf(raw, last)), ratio, times <= 1.3,
	})
	b.table.add(row{
		"deadlines", "pages that came twice under one delivery id", "0", fmt.Sprint(repeated), absolute, repeated == 0,
	})
	return nil
}

// burst opens n incidents whose second step falls due spread over the same second, and waits for the pages. How long
// opening takes is tried first; when it takes longer all the same, everything begins anew with more patience.
func (e *engine) burst(ctx context.Context, s side, prefix string, n int) (burst, error) {
	before := e.world.repeated()
	tried, err := e.openMany(ctx, s, prefix+"-try", max(n/10, 10), func(int) pace { return idlePace() })
	if err != nil {
		return burst{}, err
	}
	opening := time.Duration(1.5*float64(n)/tried.paged*float64(time.Second)) + 2*time.Second
	for tries := range 3 {
		name := fmt.Sprintf("%s-%d", prefix, tries)
		at := time.Now().Add(opening) // the first deadline
		due := func(i int) time.Time { return at.Add(time.Second * time.Duration(i) / time.Duration(n)) }
		if _, err := e.openMany(ctx, s, name, n, func(i int) pace {
			p := idlePace()
			p.first = time.Until(due(i))
			return p
		}); err != nil {
			return burst{}, err
		}
		late := time.Now().After(at)
		last, err := e.lastPage(ctx, s, name, n)
		if err != nil {
			return burst{}, err
		}
		if !late {
			return burst{last: last.Sub(due(n - 1)), repeated: e.world.repeated() - before}, pause(ctx, time.Second)
		}
		opening *= 2
	}
	return burst{}, fmt.Errorf("%s: opening %d incidents takes too long: the machine is too busy to say anything", s.name, n)
}

// lastPage waits for the second page of every incident and returns when the last one arrived.
func (e *engine) lastPage(ctx context.Context, s side, prefix string, n int) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	var last time.Time
	for i := range n {
		arrived, err := e.world.await(ctx, subjectOf(prefix, s, i), "page park")
		if err != nil {
			return last, err
		}
		if arrived.After(last) {
			last = arrived
		}
	}
	return last, nil
}

package bench

import (
	"context"
	"fmt"
	"time"
)

// firstPage measures from a POST to the arrival of the page at a receiver, one alert at a time while nothing else is done.
func (b *bench) firstPage(ctx context.Context) error {
	return b.storms(ctx, engineOptions{http: true}, func(e *engine, in *intake) error {
		l, err := dial(ctx, in.address)
		if err != nil {
			return err
		}
		defer l.close()
		n, warm := b.pick(500, 20), b.pick(30, 5)
		var took []time.Duration
		m := start()
		for i := range warm + n {
			if i == warm {
				m = start()
			}
			d, err := e.pageOnce(ctx, l, fmt.Sprintf("first-%05d", i))
			if err != nil {
				return err
			}
			if i >= warm {
				took = append(took, d)
			}
		}
		u := m.end()
		for _, x := range []struct {
			what  string
			share float64
			most  time.Duration
		}{{"POST to page, p50", 0.5, 40 * time.Millisecond}, {"POST to page, p99", 0.99, 100 * time.Millisecond}} {
			d := quantile(took, x.share)
			b.table.add(row{"firstpage", x.what, fmt.Sprintf("at most %s", ms(x.most)), ms(d), absolute, d <= x.most})
		}
		b.table.show("firstpage", "slowest, others", "%s of %d; others used %.2f cores", ms(quantile(took, 1)), n, u.others)
		return nil
	})
}

// pageOnce posts one alert of a new group and waits for its page; then it lets ticket and search end.
func (e *engine) pageOnce(ctx context.Context, l *link, subject string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body := request(nil, subject, "critical", 1)
	sent := time.Now()
	status, err := l.post(body)
	if err != nil {
		return 0, err
	}
	if status != 200 {
		return 0, fmt.Errorf("post %s: answered %d: %s", subject, status, l.last)
	}
	arrived, err := e.world.await(ctx, subject, "page kim")
	if err != nil {
		return 0, err
	}
	if _, err := e.world.await(ctx, subject, "ticket triggered"); err != nil {
		return 0, err
	}
	return arrived.Sub(sent), pause(ctx, 50*time.Millisecond)
}

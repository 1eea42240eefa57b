package bench

import (
	"context"
	"fmt"
	"time"
)

// storms runs a measurement that posts to an intake.
func (b *bench) storms(ctx context.Context, o engineOptions, measure func(*engine, *intake) error) error {
	return b.on(ctx, o, func(e *engine) error {
		in, err := e.openIntake(ctx)
		if err != nil {
			return err
		}
		defer in.close()
		return measure(e, in)
	})
}

// duplicates posts one alert again and again over 512 connections, for so long that the incident has to continue as new
// while the storm goes on.
func (b *bench) duplicates(ctx context.Context) error {
	return b.storms(ctx, engineOptions{}, func(e *engine, in *intake) error {
		const subject = "duplicates"
		same := request(nil, subject, "critical", 1)
		s := storm{
			address: in.address, connections: b.pick(512, 64), posts: 1 << 40, within: b.span(90*time.Second, time.Second),
			request: func([]byte, int) []byte { return same },
		}
		warm := s
		warm.within = b.span(2*time.Second, 300*time.Millisecond)
		if _, err := warm.run(ctx); err != nil {
			return err
		}
		if _, err := e.world.await(ctx, subject, "page kim"); err != nil {
			return err
		}
		before, _, err := e.recorded(ctx, workflowID(subject))
		if err != nil {
			return err
		}
		stats := in.Stats()
		stop, err := b.profile("duplicates")
		if err != nil {
			return err
		}
		m := start()
		out, err := s.run(ctx)
		u := m.end()
		stop()
		if err != nil {
			return err
		}
		after, runs, err := e.recorded(ctx, workflowID(subject))
		if err != nil {
			return err
		}
		seconds := out.took.Seconds()
		rate := float64(out.accepted) / seconds
		commits := float64(in.Stats().Commits-stats.Commits) / seconds
		events := float64(after-before) / seconds
		b.table.add(row{"duplicates", "posts accepted", "at least 5,000/s", fmt.Sprintf("%.0f/s", rate), absolute, rate >= 5000})
		b.table.add(row{"duplicates", "commits", "at most 25/s", fmt.Sprintf("%.1f/s", commits), absolute, commits <= 25})
		b.table.add(row{"duplicates", "events of the incident", "at most 120/s", fmt.Sprintf("%.1f/s", events), absolute, events <= 120})
		b.table.add(row{
			"duplicates", "runs of the incident", "continued as new", fmt.Sprint(runs), absolute, b.Quick || runs > 1,
		})
		b.table.show("duplicates", "answer", "p50 %s, p99 %s", ms(quantile(out.latencies, 0.5)), ms(quantile(out.latencies, 0.99)))
		b.table.show("duplicates", "CPU, others", "%.1f µs a post; others used %.2f cores, %d answered 503",
			float64(u.cpu.Microseconds())/float64(max(out.accepted, 1)), u.others, out.again)
		return nil
	})
}

// distinctAlerts posts ever new alerts of one group.
func (b *bench) distinctAlerts(ctx context.Context) error {
	return b.storms(ctx, engineOptions{}, func(e *engine, in *intake) error {
		const subject = "alerts"
		out, err := storm{
			address: in.address, connections: b.pick(512, 64), posts: b.pick(20_000, 500), within: 10 * time.Second,
			request: func(buf []byte, n int) []byte { return request(buf, subject, "critical", uint64(n+1)) },
		}.run(ctx)
		if err != nil {
			return err
		}
		if _, err := e.world.await(ctx, subject, "page kim"); err != nil {
			return err
		}
		b.table.show("alerts", "distinct alerts of one group", "%.0f/s over %s, %d commits, %d answered 503",
			float64(out.accepted)/out.took.Seconds(), out.took.Round(time.Millisecond), in.Stats().Commits, out.again)
		return nil
	})
}

// distinctGroups posts ever new groups, each an incident.
func (b *bench) distinctGroups(ctx context.Context) error {
	return b.storms(ctx, engineOptions{}, func(e *engine, in *intake) error {
		n := b.pick(1_000, 40)
		m := start()
		out, err := storm{
			address: in.address, connections: 64, posts: n, within: time.Minute,
			request: func(buf []byte, i int) []byte { return request(buf, fmt.Sprintf("group-%05d", i), "warning", 1) },
		}.run(ctx)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
		defer cancel()
		for i := range out.accepted {
			if _, err := e.world.await(ctx, fmt.Sprintf("group-%05d", i), "page kim"); err != nil {
				return err
			}
		}
		u := m.end()
		b.table.show("groups", "distinct groups", "%.1f/s accepted, %.1f/s paged, %.1f ms CPU each, %d answered 503",
			float64(out.accepted)/out.took.Seconds(), float64(out.accepted)/u.wall.Seconds(),
			float64(u.cpu.Microseconds())/1000/float64(max(out.accepted, 1)), out.again)
		return nil
	})
}

// ms shows a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

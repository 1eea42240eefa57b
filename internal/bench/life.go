package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/alert"
	"muster/internal/priority"
)

// livelyPace is that of the scripted life: the times are short, the order of things is that of a real incident.
func livelyPace() pace {
	return pace{
		first: 2 * time.Second, wait: time.Minute, update: 5 * time.Second, quiet: 1500 * time.Millisecond,
		reopen: 1500 * time.Millisecond,
	}
}

// breath is between two things that are told one after the other, so that each meets the workflow at rest. Without it the
// number of events would depend on chance.
const breath = 250 * time.Millisecond

// live leads one incident through its life: an alert, a page that is not answered, the next page, which is acknowledged, a
// repeat of the alert and a second alert, the customer update, the mitigation, the end of both alerts, the quiet time, the
// all-clear, ticket, report and review, and the end.
func live(ctx context.Context, w *world, s side, subject string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began, p := time.Now(), livelyPace()
	tell := func(state alert.State, fingerprints ...string) func() error {
		return func() error {
			return s.deliver(ctx, subject, p, priority.P1, batch(subject, state, began, fingerprints...))
		}
	}
	await := func(effect string) func() error {
		return func() error { _, err := w.await(ctx, subject, effect); return err }
	}
	wait := func() error { return pause(ctx, breath) }
	for _, step := range []func() error{
		tell(alert.Firing, "a"), await("page kim"),
		await("page park"), wait, func() error { return s.acknowledge(ctx, subject) },
		wait, tell(alert.Firing, "a"), wait, tell(alert.Firing, "b"),
		await("customer-update acme/desk"), wait, func() error { return s.mitigate(ctx, subject) },
		wait, tell(alert.Resolved, "a", "b"), await("all-clear acme/desk"), await("review-opened park"), await("ticket closed"),
	} {
		if err := step(); err != nil {
			return fmt.Errorf("%s: life of %s: %w", s.name, subject, err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lives leads n incidents through their lives, some at a time: a machine that is too busy would measure how it catches up.
func (e *engine) lives(ctx context.Context, s side, prefix string, n, together int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	subjects, faults := make([]string, n), make([]error, together)
	for i := range subjects {
		subjects[i] = fmt.Sprintf("%s-%s-%05d", prefix, s.name, i)
	}
	var all sync.WaitGroup
	for k := range together {
		all.Go(func() {
			for i := k; i < n && faults[k] == nil; i += together {
				if err := live(ctx, e.world, s, subjects[i]); err != nil {
					faults[k] = fmt.Errorf("%w; effects so far %v; history ends with %s", err, e.world.effects(subjects[i]), e.tail(ctx, s, subjects[i]))
				}
			}
		})
		if err := pause(ctx, livelyPace().first/time.Duration(together)); err != nil { // not all in step
			break
		}
	}
	all.Wait()
	return subjects, errors.Join(faults...)
}

// tail shows the last events of an incident that does not go on as it should.
func (e *engine) tail(ctx context.Context, s side, subject string) string {
	const shown = 25
	incident, _ := s.runs(subject)
	h, err := e.history(ctx, incident, "")
	if err != nil {
		return err.Error()
	}
	var last strings.Builder
	for _, event := range h.GetEvents()[max(0, len(h.GetEvents())-shown):] {
		_, _ = fmt.Fprintf(&last, "\n    %d %s %s", event.GetEventId(), event.GetEventTime().AsTime().Format("15:04:05.000"), event.GetEventType())
	}
	return last.String()
}

// histories reads what a subject's incident and its review have left, when the incident has come to its end.
func (e *engine) histories(ctx context.Context, s side, subject string) ([]*historypb.History, error) {
	incident, review := s.runs(subject)
	for tries := 0; ; tries++ {
		i, err := e.history(ctx, incident, "")
		if err != nil {
			return nil, err
		}
		if finished(i) {
			r, err := e.history(ctx, review, "")
			return []*historypb.History{i, r}, err
		}
		if tries == 50 {
			return nil, fmt.Errorf("%s: incident of %s has not ended after %d events", s.name, subject, len(i.GetEvents()))
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// lived is what a round of lives has cost.
type lived struct {
	wall                   time.Duration
	cpu                    float64 // milliseconds for each life
	net                    float64 // without what the process uses at rest
	others                 float64
	events, bytes, actions int
	kinds                  tally // of the life in the middle
}

func (b *bench) roundOfLives(ctx context.Context, e *engine, s side, prefix string, n, together int) (lived, error) {
	stop, err := b.profile(prefix + "-" + s.name)
	if err != nil {
		return lived{}, err
	}
	m := start()
	subjects, err := e.lives(ctx, s, prefix, n, together)
	if err == nil {
		err = pause(ctx, breath) // the last reports and workflow tasks
	}
	u := m.end()
	stop()
	if err != nil {
		return lived{}, err
	}
	out := lived{wall: u.wall, cpu: float64(u.cpu.Microseconds()) / 1000 / float64(n), others: u.others}
	var events, bytes, actions []int
	for _, subject := range subjects {
		hs, err := e.histories(ctx, s, subject)
		if err != nil {
			return out, err
		}
		var t tally
		for _, h := range hs {
			t.add(tallyOf(h))
		}
		events, bytes, actions = append(events, t.events), append(bytes, t.bytes), append(actions, t.actions)
		out.kinds = t
	}
	out.events, out.bytes, out.actions = median(events), median(bytes), median(actions)
	return out, nil
}

// life compares what one whole life costs.
func (b *bench) life(ctx context.Context) error {
	n, together := b.pick(48, 4), b.pick(24, 4)
	rounds := map[string][]lived{}
	err := b.on(ctx, engineOptions{}, func(e *engine) error {
		for _, s := range e.sides(0) { // everything once, unmeasured
			if _, err := e.lives(ctx, s, "warm", together, together); err != nil {
				return err
			}
		}
		rest, err := b.atRest(ctx)
		if err != nil {
			return err
		}
		for round := range b.Rounds {
			for _, s := range e.sides(round) {
				l, err := b.roundOfLives(ctx, e, s, fmt.Sprintf("life%d", round), n, together)
				if err != nil {
					return err
				}
				l.net = l.cpu - rest*l.wall.Seconds()/float64(n)
				rounds[s.name] = append(rounds[s.name], l)
				b.say("  round %d %s: %.1f ms CPU, %d events, %d bytes, %d actions a life; others used %.2f cores",
					round+1, s.name, l.cpu, l.events, l.bytes, l.actions, l.others)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.lifeRows(rounds["raw"], rounds["ours"])
	return nil
}

// atRest returns how many milliseconds of CPU the process uses in a second in which nothing is asked of it: it belongs to
// both sides alike and brings their ratio nearer to one.
func (b *bench) atRest(ctx context.Context) (float64, error) {
	m := start()
	if err := pause(ctx, b.span(10*time.Second, time.Second)); err != nil {
		return 0, err
	}
	u := m.end()
	rest := float64(u.cpu.Microseconds()) / 1000 / u.wall.Seconds()
	b.say("  at rest the process uses %.1f ms CPU a second", rest)
	return rest, nil
}

func (b *bench) lifeRows(raw, ours []lived) {
	for _, x := range []struct {
		what   string
		most   float64
		format string
		value  func(lived) float64
	}{
		{"CPU of a life, ms", 1.15, "%.1f", func(l lived) float64 { return l.cpu }},
		{"the same without what is used at rest, ms", 0, "%.1f", func(l lived) float64 { return l.net }},
		{"events of a life", 1.10, "%.0f", func(l lived) float64 { return float64(l.events) }},
		{"history bytes of a life", 0, "%.0f", func(l lived) float64 { return float64(l.bytes) }},
		{"billable actions of a life", 0, "%.0f", func(l lived) float64 { return float64(l.actions) }},
	} {
		times := paired(raw, ours, x.value)
		shown := fmt.Sprintf("%.3f ("+x.format+" to "+x.format+" raw)", times, medianOf(ours, x.value), medianOf(raw, x.value))
		if x.most == 0 {
			b.table.show("life", x.what, "%s", shown)
			continue
		}
		b.table.add(row{"life", x.what, fmt.Sprintf("at most %.2f of raw", x.most), shown, ratio, times <= x.most})
	}
	b.say("  raw:  %s", raw[len(raw)-1].kinds.shown())
	b.say("  ours: %s", ours[len(ours)-1].kinds.shown())
}

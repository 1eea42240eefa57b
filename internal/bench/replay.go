package bench

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"muster/internal/audit"
	"muster/workflows"
)

// replay compares replaying histories of ours, compared with all that they asked for, with Temporal's own replayer, which compares
// structure alone: raw is the same without the comparison.
func (b *bench) replay(ctx context.Context) error {
	recorded, err := b.recorded(ctx)
	if err != nil {
		return err
	}
	events := 0
	for _, h := range recorded {
		events += len(h.GetEvents())
	}
	again := b.pick(10, 1)
	var raw, ours []float64           // milliseconds
	for round := range b.Rounds + 1 { // the first one warms up
		sides := []func([]*historypb.History) error{rawReplays, ourReplays}
		var costs [2]float64
		for n := range sides {
			side := (n + round) % len(sides)
			cost, err := replays(recorded, again, sides[side])
			if err != nil {
				return err
			}
			costs[side] = cost
		}
		if round == 0 {
			continue
		}
		raw, ours = append(raw, costs[0]), append(ours, costs[1])
		b.say("  round %d: %.1f ms CPU, raw %.1f ms, for %d histories of %d events", round, costs[1], costs[0], len(recorded), events)
	}
	times := paired(raw, ours, func(ms float64) float64 { return ms })
	b.table.add(row{
		"replay", "CPU to replay and compare", "at most 1.20 of Temporal's replayer",
		fmt.Sprintf("%.3f (%.1f ms to %.1f ms)", times, median(ours), median(raw)), ratio, times <= 1.2,
	})
	b.table.show("replay", "events replayed and compared", "%.0f for each ms CPU", float64(events)/median(ours))
	return nil
}

// recorded are histories of whole incidents with their reviews, and of plans. The engine that has recorded them is gone.
func (b *bench) recorded(ctx context.Context) (all []*historypb.History, err error) {
	err = b.on(ctx, engineOptions{}, func(e *engine) error {
		s := e.ours()
		subjects, err := e.lives(ctx, s, "replay", b.pick(24, 2), b.pick(12, 2))
		if err != nil {
			return err
		}
		for _, subject := range subjects {
			hs, err := e.histories(ctx, s, subject)
			if err != nil {
				return err
			}
			all = append(all, hs...)
		}
		for _, kind := range planKinds() {
			id, err := e.leadOurs(ctx, "replay-"+string(kind), kind, b.chainLength())
			if err != nil {
				return err
			}
			h, err := e.history(ctx, id, "")
			if err != nil {
				return err
			}
			all = append(all, h)
		}
		return nil
	})
	return all, err
}

// replays replays copies of the histories, for the SDK writes into them, and returns what doing so once has cost without copying, in
// milliseconds.
func replays(recorded []*historypb.History, times int, side func([]*historypb.History) error) (cost float64, err error) {
	for range times {
		copies := make([]*historypb.History, len(recorded))
		for n, h := range recorded {
			copies[n] = proto.CloneOf(h)
		}
		runtime.GC()
		m := start()
		err = side(copies)
		cost += float64(m.end().cpu.Microseconds()) / 1000 / float64(times)
		if err != nil {
			return cost, err
		}
	}
	return cost, nil
}

func ourReplays(all []*historypb.History) error {
	for _, h := range all {
		r, err := audit.Replay([]*historypb.History{h})
		if err == nil {
			err = r.Differences.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func rawReplays(all []*historypb.History) error {
	for _, h := range all {
		r := worker.NewWorkflowReplayer()
		for _, w := range workflows.All() {
			r.RegisterWorkflowWithOptions(w.Function, workflow.RegisterOptions{Name: w.Name})
		}
		began := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		was := worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: began.GetWorkflowId(), RunID: began.GetOriginalExecutionRunId()}}
		if err := r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, was); err != nil {
			return err
		}
	}
	return nil
}

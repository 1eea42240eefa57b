// Package selfwatch looks at Muster from outside its workflows: whether Temporal answers, whether runs miss what they
// should do, whether tasks or deliveries lie about. It says so in metrics, on /readyz, and over a channel that does not
// need Temporal. It repairs nothing.
package selfwatch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"muster/internal/metrics"
)

// A Watch makes one round after the other. Temporal and Notify must be set; the rest has a default. Its fields are not
// changed after the first round.
type Watch struct {
	Temporal   Engine
	Queues     []string    // the task queues whose backlog counts
	Deliveries *Deliveries // nil: this process delivers nothing
	Metrics    *metrics.Watch
	Log        *slog.Logger

	// Reach names the people who should be reached and are not; nil: this process does not know.
	Reach func(ctx context.Context) ([]string, error)

	// Notify tells people, by a way that works without Temporal.
	Notify func(ctx context.Context, text string) error

	Name     string // which process this is, as its messages say it: "worker on host-1"
	Language string // of the messages: "en" or "ko"
	Limits   Limits
	Every    time.Duration    // between two rounds; 15 s
	Timeout  time.Duration    // for all questions to Temporal in a round, and for a message; 10 s
	Remind   time.Duration    // after which a message about the same thing is sent again; 30 min
	Settle   time.Duration    // for which a thing must be right again before the all-clear; 30 s
	Now      func() time.Time // time.Now

	mu     sync.Mutex
	alarms map[string]*alarm
	status Status
}

// Limits say from when on people are told. A zero is replaced by the default.
type Limits struct {
	Temporal time.Duration // for which Temporal may leave questions unanswered; 30 s
	Overdue  time.Duration // by which a run may miss its next due time; 30 s
	Backlog  time.Duration // for which a task may wait for a worker; 30 s
	Delivery time.Duration // for which a delivery may be without an outcome; 5 min
}

// An Engine answers what the watch asks of Temporal.
type Engine interface {
	// Health tells whether the service answers at all.
	Health(ctx context.Context) error
	// Runs counts the runs that a visibility query finds and names a few.
	Runs(ctx context.Context, query string) (Runs, error)
	// Backlog tells what waits in a task queue, one entry for each type of task.
	Backlog(ctx context.Context, queue string) ([]Backlog, error)
}

// Runs is what a visibility query found.
type Runs struct {
	Count    int64
	Examples []string  // workflow ids, a few
	Oldest   time.Time // the earliest next due time among the examples; zero if none has one
}

// Backlog is what waits in one task queue for one type of worker.
type Backlog struct {
	TaskType string // "workflow" or "activity"
	Tasks    int64
	Oldest   time.Duration
	Pollers  int
}

// Run makes rounds until ctx ends. It returns an error only if it cannot begin.
func (w *Watch) Run(ctx context.Context) error {
	if w.Temporal == nil || w.Notify == nil {
		return errors.New("self-watch: Temporal and Notify must be set")
	}
	ticker := time.NewTicker(w.every())
	defer ticker.Stop()
	for {
		w.Round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Round looks once at everything and tells people what they should know. It returns what it saw.
func (w *Watch) Round(ctx context.Context) Status {
	now := w.now()
	found := w.look(ctx, now)
	if ctx.Err() != nil {
		return w.Status() // the process is going down; what was not answered says nothing
	}
	w.measure(found, now)

	w.mu.Lock()
	due := w.judge(found, now)
	w.status = newStatus(found, now)
	w.mu.Unlock()

	w.tell(ctx, due, now)
	return w.Status()
}

// look asks everything once. Questions that Temporal does not answer are left unknown; that it does not answer is a
// finding of its own.
func (w *Watch) look(ctx context.Context, now time.Time) []finding {
	ctx, cancel := context.WithTimeout(ctx, w.timeout())
	defer cancel()

	temporal := finding{check: checkTemporal}
	if err := w.Temporal.Health(ctx); err != nil {
		temporal.refused(err)
	}
	found := []finding{w.overdue(ctx, now, &temporal), w.problems(ctx, &temporal)}
	for _, queue := range w.Queues {
		found = append(found, w.backlog(ctx, queue, &temporal))
	}
	if w.Deliveries != nil {
		open, oldest := w.Deliveries.Open(now)
		found = append(found, finding{
			check: checkDeliveries, count: int64(open), age: oldest,
			bad: oldest > or(w.Limits.Delivery, 5*time.Minute),
		})
	}
	if w.Reach != nil {
		found = append(found, w.reach(ctx, temporal.bad))
	}
	return slices.Insert(found, 0, temporal)
}

// mostNamed is how many people a message names.
const mostNamed = 20

// reach looks for people whom nothing reaches. A worker answers that: when it does not, other checks say why.
func (w *Watch) reach(ctx context.Context, silent bool) finding {
	f := finding{check: checkReach, unknown: silent}
	if silent {
		return f
	}
	names, err := w.Reach(ctx)
	f.unknown, f.count, f.bad = err != nil, int64(len(names)), len(names) > 0
	f.examples = names[:min(len(names), mostNamed)]
	return f
}

// overdue looks for open runs whose next due time has passed by more than the limit.
func (w *Watch) overdue(ctx context.Context, now time.Time, temporal *finding) finding {
	f := finding{check: checkOverdue, unknown: temporal.bad}
	if f.unknown {
		return f
	}
	runs, err := w.Temporal.Runs(ctx, OverdueQuery(now.Add(-or(w.Limits.Overdue, 30*time.Second))))
	if err != nil {
		temporal.refused(err)
		f.unknown = true
		return f
	}
	f.count, f.examples, f.bad = runs.Count, runs.Examples, runs.Count > 0
	if !runs.Oldest.IsZero() {
		f.age = now.Sub(runs.Oldest)
	}
	return f
}

// problems looks for open runs whose workflow tasks fail again and again, as after a change that replays differently.
func (w *Watch) problems(ctx context.Context, temporal *finding) finding {
	f := finding{check: checkProblems, unknown: temporal.bad}
	if f.unknown {
		return f
	}
	runs, err := w.Temporal.Runs(ctx, ProblemsQuery)
	if err != nil {
		temporal.refused(err)
		f.unknown = true
		return f
	}
	f.count, f.examples, f.bad = runs.Count, runs.Examples, runs.Count > 0
	return f
}

// backlog looks at one task queue. The older of its two backlogs counts.
func (w *Watch) backlog(ctx context.Context, queue string, temporal *finding) finding {
	f := finding{check: checkBacklog + queue, queue: queue, unknown: temporal.bad}
	if f.unknown {
		return f
	}
	backlogs, err := w.Temporal.Backlog(ctx, queue)
	if err != nil {
		temporal.refused(err)
		f.unknown = true
		return f
	}
	for _, b := range backlogs {
		w.Metrics.Backlog(queue, b.TaskType, b.Tasks, b.Oldest, b.Pollers)
		if b.Tasks > 0 && b.Oldest >= f.age {
			f.count, f.age, f.taskType, f.unattended = b.Tasks, b.Oldest, b.TaskType, b.Pollers == 0
		}
	}
	f.bad = f.age > or(w.Limits.Backlog, 30*time.Second)
	return f
}

// measure shows the round to Prometheus. What is not known keeps its last value, and its check is not ok.
func (w *Watch) measure(found []finding, now time.Time) {
	var overdue, problems *finding
	for i, f := range found {
		w.Metrics.Checked(f.check, !f.bad && !f.unknown)
		switch f.check {
		case checkOverdue:
			overdue = &found[i]
		case checkProblems:
			problems = &found[i]
		case checkDeliveries:
			w.Metrics.Deliveries(int(f.count), f.age)
		case checkReach:
			if !f.unknown {
				w.Metrics.Unreachable(int(f.count))
			}
		}
	}
	if !overdue.unknown && !problems.unknown {
		w.Metrics.Runs(overdue.count, problems.count)
	}
	w.Metrics.Ended(now)
}

// now, every, timeout, remind and settle read a setting or its default.
func (w *Watch) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *Watch) every() time.Duration   { return or(w.Every, 15*time.Second) }
func (w *Watch) timeout() time.Duration { return or(w.Timeout, 10*time.Second) }
func (w *Watch) remind() time.Duration  { return or(w.Remind, 30*time.Minute) }
func (w *Watch) settle() time.Duration  { return or(w.Settle, 30*time.Second) }

// or returns the set value, or the default of one that is not set.
func or(set, usual time.Duration) time.Duration {
	if set > 0 {
		return set
	}
	return usual
}

package selfwatch

import (
	"context"
	"log/slog"
	"time"
)

// A Status is what the last round saw, in words for operators. It names no run and no person, for /readyz may be
// open to more people than the runs are.
type Status struct {
	At     time.Time // of the round; zero before the first
	Checks []Check
}

// A Check is one line of a status.
type Check struct {
	Name string
	OK   bool
	Text string // what was seen, in English
}

// newStatus puts a round into words.
func newStatus(found []finding, now time.Time) Status {
	s := Status{At: now}
	for _, f := range found {
		s.Checks = append(s.Checks, Check{Name: f.check, OK: !f.bad && !f.unknown, Text: english.facts(f, false)})
	}
	return s
}

// Status returns what the last round saw. A watch that has stopped making rounds says so, instead of repeating what
// was true once.
func (w *Watch) Status() Status {
	w.mu.Lock()
	s := Status{At: w.status.At, Checks: append([]Check(nil), w.status.Checks...)}
	w.mu.Unlock()

	watch := Check{Name: checkWatch, OK: true, Text: "last round " + s.At.UTC().Format(time.RFC3339)}
	switch age := w.now().Sub(s.At); {
	case s.At.IsZero():
		watch.OK, watch.Text = false, "no round yet"
	case age > 4*w.every()+w.timeout():
		watch.OK, watch.Text = false, "no round for "+english.duration(age)
	}
	s.Checks = append(s.Checks, watch)
	return s
}

// Checks returns the names of all checks in the order of a Status, known before the first round.
func (w *Watch) Checks() []string {
	names := []string{checkTemporal, checkOverdue, checkProblems}
	for _, queue := range w.Queues {
		names = append(names, checkBacklog+queue)
	}
	if w.Deliveries != nil {
		names = append(names, checkDeliveries)
	}
	if w.Reach != nil {
		names = append(names, checkReach)
	}
	return append(names, checkWatch)
}

// tell sends one message about all that is due. One that does not go out is tried again in the next round.
func (w *Watch) tell(ctx context.Context, due []news, now time.Time) {
	if len(due) == 0 {
		return
	}
	text := textsFor(w.Language).message(w.Name, now, due)
	ctx, cancel := context.WithTimeout(ctx, w.timeout())
	defer cancel()
	err := w.Notify(ctx, text)
	w.Metrics.Messaged(err)
	if err != nil {
		w.log().Error("self-watch message not sent", "error", err, "text", text)
		return
	}
	w.told(due, now)
}

// log returns where to write what could not be sent.
func (w *Watch) log() *slog.Logger {
	if w.Log != nil {
		return w.Log
	}
	return slog.Default()
}

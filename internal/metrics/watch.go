package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Watch shows what Muster sees when it watches itself. A nil Watch shows nothing.
type Watch struct {
	ok         *prometheus.GaugeVec
	last       prometheus.Gauge
	overdue    prometheus.Gauge
	problems   prometheus.Gauge
	tasks      *prometheus.GaugeVec
	age        *prometheus.GaugeVec
	pollers    *prometheus.GaugeVec
	deliveries prometheus.Gauge
	oldest     prometheus.Gauge
	missing    prometheus.Gauge
	messages   *prometheus.CounterVec
}

// newWatch registers the metrics of the self-watch.
func newWatch(r prometheus.Registerer) *Watch {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	queue := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"task_queue", "task_type"})
	}
	w := &Watch{
		ok: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "muster_watch_ok", Help: "Whether a check of the self-watch is within its limit (1) or not (0).",
		}, []string{"check"}),
		last:       gauge("muster_watch_last_round_timestamp_seconds", "When the self-watch last ended a round."),
		overdue:    gauge("muster_watch_overdue_runs", "Open runs whose next due time has passed."),
		problems:   gauge("muster_watch_problem_runs", "Open runs whose workflow tasks fail again and again."),
		tasks:      queue("muster_task_queue_backlog_tasks", "Tasks that wait for a worker, approximately."),
		age:        queue("muster_task_queue_backlog_age_seconds", "Age of the oldest task that waits for a worker."),
		pollers:    queue("muster_task_queue_pollers", "Pollers that Temporal saw on a task queue lately."),
		deliveries: gauge("muster_watch_open_deliveries", "Deliveries of this process without an outcome."),
		oldest:     gauge("muster_watch_oldest_delivery_age_seconds", "Age of the oldest delivery without an outcome."),
		missing:    gauge("muster_watch_unreachable_people", "People who are on call, or whom a policy means, and whom no contact method has reached lately."),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_watch_messages_total", Help: "Messages of the self-watch over the fallback channel, by result.",
		}, []string{"result"}),
	}
	for _, result := range []string{"sent", "unsent"} { // both show before the first message
		w.messages.WithLabelValues(result)
	}
	r.MustRegister(w.ok, w.last, w.overdue, w.problems, w.tasks, w.age, w.pollers, w.deliveries, w.oldest, w.missing, w.messages)
	return w
}

// Checked shows whether a check is within its limit.
func (w *Watch) Checked(check string, ok bool) {
	if w == nil {
		return
	}
	value := 0.0
	if ok {
		value = 1
	}
	w.ok.WithLabelValues(check).Set(value)
}

// Runs shows how many open runs are overdue and how many report problems.
func (w *Watch) Runs(overdue, problems int64) {
	if w == nil {
		return
	}
	w.overdue.Set(float64(overdue))
	w.problems.Set(float64(problems))
}

// Backlog shows what waits in one task queue for one type of worker, "workflow" or "activity".
func (w *Watch) Backlog(queue, taskType string, tasks int64, oldest time.Duration, pollers int) {
	if w == nil {
		return
	}
	w.tasks.WithLabelValues(queue, taskType).Set(float64(tasks))
	w.age.WithLabelValues(queue, taskType).Set(oldest.Seconds())
	w.pollers.WithLabelValues(queue, taskType).Set(float64(pollers))
}

// Deliveries shows how many deliveries have no outcome yet and how old the oldest is.
func (w *Watch) Deliveries(open int, oldest time.Duration) {
	if w == nil {
		return
	}
	w.deliveries.Set(float64(open))
	w.oldest.Set(oldest.Seconds())
}

// Unreachable shows how many people nothing reaches.
func (w *Watch) Unreachable(people int) {
	if w == nil {
		return
	}
	w.missing.Set(float64(people))
}

// Messaged counts one message over the fallback channel.
func (w *Watch) Messaged(err error) {
	if w == nil {
		return
	}
	w.messages.WithLabelValues(sent(err)).Inc()
}

// Ended shows when a round ended, so that somebody else can see that the watch itself has stopped.
func (w *Watch) Ended(at time.Time) {
	if w == nil {
		return
	}
	w.last.Set(seconds(at))
}

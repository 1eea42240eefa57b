package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Requests counts what a node answers over HTTP.
type Requests struct {
	answered *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// newRequests registers the metrics of requests.
func newRequests(r prometheus.Registerer) *Requests {
	q := &Requests{
		answered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_http_requests_total", Help: "Requests by where they go and the status of their answer.",
		}, []string{"part", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_http_request_duration_seconds", Help: "Time until a request was answered, by where it goes.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"part"}),
	}
	r.MustRegister(q.answered, q.seconds)
	return q
}

// Counted counts what a handler answers. The part is one of a few: "intake", "api", "pages", …
func (q *Requests) Counted(part string, next http.Handler) http.Handler {
	labels := prometheus.Labels{"part": part}
	return promhttp.InstrumentHandlerDuration(q.seconds.MustCurryWith(labels), promhttp.InstrumentHandlerCounter(q.answered.MustCurryWith(labels), next))
}

// Alarms counts what people are told of Muster itself beside the self-watch.
type Alarms struct{ told *prometheus.CounterVec }

// newAlarms registers the metric of alarms. Each alarm shows from the beginning: Prometheus sees no increase in a count whose first value
// is 1.
func newAlarms(r prometheus.Registerer) *Alarms {
	a := &Alarms{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "muster_alarms_total", Help: "Alarms over the fallback channel beside those of the self-watch, by what they are about and whether they went out.",
	}, []string{"alarm", "result"})}
	r.MustRegister(a.told)
	return a
}

// Expect shows alarms that may come.
func (a *Alarms) Expect(alarms ...string) {
	for _, name := range alarms {
		for _, result := range []string{"sent", "unsent"} {
			a.told.WithLabelValues(name, result)
		}
	}
}

// Told counts an alarm, and whether it went out.
func (a *Alarms) Told(alarm string, err error) { a.told.WithLabelValues(alarm, sent(err)).Inc() }

// sent is how a message went.
func sent(err error) string {
	if err != nil {
		return "unsent"
	}
	return "sent"
}

// Archive shows how the archive is filled.
type Archive struct{ passed prometheus.Gauge }

// Archiving shows the archive that this process keeps. It begins as if a pass had just been made, as whoever counts the time since the last
// one does.
func (s *Set) Archiving(began time.Time) *Archive {
	a := &Archive{prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "muster_archive_last_pass_timestamp_seconds", Help: "When this process last made a pass of the archive that succeeded, or began.",
	})}
	s.registry.MustRegister(a.passed)
	a.Passed(began)
	return a
}

// Passed shows that a pass has succeeded. A nil Archive shows nothing.
func (a *Archive) Passed(at time.Time) {
	if a != nil {
		a.passed.Set(seconds(at))
	}
}

// seconds is an instant as Prometheus has it.
func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// FollowChecks shows what checks of /readyz say, by their names. It asks whenever Prometheus asks, as FollowKeys does.
func (s *Set) FollowChecks(states func() map[string]bool) {
	s.registry.MustRegister(&asked[bool]{
		desc: prometheus.NewDesc("muster_check_ok", "Whether a check of /readyz finds nothing wrong (1) or does (0).", []string{"check"}, nil),
		ask:  states, value: func(ok bool) float64 {
			if ok {
				return 1
			}
			return 0
		},
	})
}

// FollowKeys shows since when keys are in use, by what they are for.
func (s *Set) FollowKeys(since func() map[string]time.Time) {
	s.registry.MustRegister(&asked[time.Time]{
		desc: prometheus.NewDesc("muster_key_used_since_timestamp_seconds", "Since when the newest key in use is in use, by what it is for.", []string{"purpose"}, nil),
		ask:  since, value: seconds,
	})
}

// asked collects a gauge for each entry of a map.
type asked[V any] struct {
	desc  *prometheus.Desc
	ask   func() map[string]V
	value func(V) float64
}

// Describe names the metric.
func (a *asked[V]) Describe(ch chan<- *prometheus.Desc) { ch <- a.desc }

// Collect asks once and sends what it got.
func (a *asked[V]) Collect(ch chan<- prometheus.Metric) {
	for label, v := range a.ask() {
		ch <- prometheus.MustNewConstMetric(a.desc, prometheus.GaugeValue, a.value(v), label)
	}
}

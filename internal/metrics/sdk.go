package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// sdk collects what the Temporal SDK counts. The SDK names its metrics when it first uses them, and the same name with
// other tags at another place, so this is an unchecked collector: one metric for each name and set of tags.
type sdk struct {
	metrics sync.Map // key → prometheus.Metric
}

// newSDK makes an empty collector.
func newSDK() *sdk { return &sdk{} }

// Describe tells nothing, which makes the collector an unchecked one.
func (s *sdk) Describe(chan<- *prometheus.Desc) {}

// Collect sends what was counted up to now.
func (s *sdk) Collect(ch chan<- prometheus.Metric) {
	s.metrics.Range(func(_, m any) bool {
		ch <- m.(prometheus.Metric)
		return true
	})
}

// tagNames are the tags of the SDK that become labels. Others are left out: a tag that somebody adds in code, such as
// a workflow id, would make a time series for each.
func tagNames() []string {
	return []string{
		"activity_type", "cause", "client_name", "failure_reason", "namespace", "nexus_operation", "nexus_service",
		"operation", "poller_type", "status_code", "task_queue", "worker_type", "workflow_type",
	}
}

// handler returns what counts under tags.
func (s *sdk) handler(tags map[string]string) *handler {
	kept := prometheus.Labels{}
	for _, name := range tagNames() {
		if value, ok := tags[name]; ok {
			kept[name] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		key.WriteString("\x00" + name + "\x00" + kept[name])
	}
	return &handler{sdk: s, tags: kept, key: key.String()}
}

// A handler counts under one set of tags. It is a client.MetricsHandler.
type handler struct {
	sdk  *sdk
	tags prometheus.Labels
	key  string // the tags, in one string
}

// WithTags returns a handler that has these tags as well; a new value of an old tag wins.
func (h *handler) WithTags(tags map[string]string) client.MetricsHandler {
	all := maps.Clone(map[string]string(h.tags))
	maps.Copy(all, tags)
	return h.sdk.handler(all)
}

// Counter returns the counter of that name, which Prometheus wants to end in _total.
func (h *handler) Counter(name string) client.MetricsCounter {
	m := get(h, ending(name, "_total"), func(n string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: n, Help: help(name), ConstLabels: h.tags})
	})
	return counter{m}
}

// Gauge returns the gauge of that name.
func (h *handler) Gauge(name string) client.MetricsGauge {
	m := get(h, clean(name), func(n string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: n, Help: help(name), ConstLabels: h.tags})
	})
	return gauge{m}
}

// Timer returns the histogram of that name, in seconds.
func (h *handler) Timer(name string) client.MetricsTimer {
	m := get(h, ending(name, "_seconds"), func(n string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: n, Help: help(name), ConstLabels: h.tags, Buckets: buckets(name),
		})
	})
	return timer{m}
}

// get returns the metric of a name and the handler's tags, made once. Two kinds of metric under one name would make
// every scrape fail, so the second kind is counted nowhere.
func get[M prometheus.Metric](h *handler, name string, make func(string) M) M {
	key := name + h.key
	known, ok := h.sdk.metrics.Load(key)
	if !ok {
		known, _ = h.sdk.metrics.LoadOrStore(key, make(name))
	}
	if m, ok := known.(M); ok {
		return m
	}
	return make(name)
}

// counter, gauge and timer bring the SDK's methods to Prometheus's.
type (
	counter struct{ to prometheus.Counter }
	gauge   struct{ to prometheus.Gauge }
	timer   struct{ to prometheus.Histogram }
)

// Inc adds n; a counter never goes down.
func (c counter) Inc(n int64) {
	if n > 0 {
		c.to.Add(float64(n))
	}
}

// Update sets the gauge.
func (g gauge) Update(v float64) { g.to.Set(v) }

// Record takes one duration in.
func (t timer) Record(d time.Duration) { t.to.Observe(d.Seconds()) }

// buckets returns the borders for a timer. A workflow lives for weeks; everything else takes seconds.
func buckets(name string) []float64 {
	if strings.HasSuffix(name, "endtoend_latency") && strings.Contains(name, "workflow") {
		return []float64{1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600}
	}
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
}

// ending gives a name the suffix that its kind should have.
func ending(name, suffix string) string { return strings.TrimSuffix(clean(name), suffix) + suffix }

// clean makes a name that Prometheus takes without quoting.
func clean(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
			return c
		default:
			return '_'
		}
	}, name)
}

// help says what little is known of a metric that the SDK names.
func help(name string) string { return "Counted by the Temporal SDK as " + name + "." }

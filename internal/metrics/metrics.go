// Package metrics holds what one process of Muster counts and shows to Prometheus: its own metrics and those of the
// Temporal SDK. No metric carries a name or an address: a label's value comes from a small, fixed set or from the
// installation's own definitions (a task queue, a workflow type, the id of a recipient).
package metrics

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.temporal.io/sdk/client"
)

// Build says which program is running.
type Build struct {
	Version  string // "v0.2.0" or "dev"
	Revision string // the commit, if known
}

// A Set is everything that one process counts. Each part has its own methods; New makes them all.
type Set struct {
	Delivery *Delivery
	Watch    *Watch
	Requests *Requests
	Alarms   *Alarms

	registry *prometheus.Registry
	sdk      *sdk
}

// New makes a set with its own registry, so that two of them in one process, as in tests, do not meet.
func New(build Build) *Set {
	r := prometheus.NewRegistry()
	s := &Set{
		Delivery: newDelivery(r), Watch: newWatch(r), Requests: newRequests(r), Alarms: newAlarms(r),
		registry: r, sdk: newSDK(),
	}
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_build_info", Help: "The running program; the value is always 1.",
	}, []string{"version", "revision", "go_version"})
	info.WithLabelValues(build.Version, build.Revision, runtime.Version()).Set(1)
	r.MustRegister(
		info, s.sdk,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return s
}

// SDK is what the Temporal SDK counts into: hand it to client.Options.
func (s *Set) SDK() client.MetricsHandler { return s.sdk.handler(nil) }

// Gatherer gives all metrics at this moment.
func (s *Set) Gatherer() prometheus.Gatherer { return s.registry }

// Handler answers Prometheus, in its text format or in OpenMetrics as it asks.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		Registry: s.registry, EnableOpenMetrics: true,
		// One metric that cannot be gathered must not hide all others from whoever looks for a fault.
		ErrorHandling: promhttp.ContinueOnError,
	})
}

package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery counts what goes out.
type Delivery struct {
	ended   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	tried   *prometheus.CounterVec

	mu   sync.Mutex
	ways map[[2]string]bool
}

// newDelivery registers the metrics of deliveries.
func newDelivery(r prometheus.Registerer) *Delivery {
	d := &Delivery{
		ways: map[[2]string]bool{},
		tried: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_contact_deliveries_total", Help: "Attempts to reach somebody by a contact method, by their ids in the organisation folder and result.",
		}, []string{"recipient", "method", "result"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_deliveries_total", Help: "Deliveries with an outcome, by kind of message and result.",
		}, []string{"kind", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_delivery_duration_seconds", Help: "Time from a delivery's beginning to its outcome, by kind.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600},
		}, []string{"kind"}),
	}
	r.MustRegister(d.ended, d.seconds, d.tried)
	return d
}

// Expect shows kinds of messages before the first of them has ended: Prometheus sees no increase in a count whose first value is 1.
func (d *Delivery) Expect(results []string, kinds ...string) {
	for _, kind := range kinds {
		for _, result := range results {
			d.ended.WithLabelValues(kind, result)
		}
	}
}

// Ended counts a delivery that has its outcome: the kind of message ("page", "customer-update", …), the result
// ("delivered", "refused") and how long it took from its beginning.
func (d *Delivery) Ended(kind, result string, took time.Duration) {
	d.ended.WithLabelValues(kind, result).Inc()
	d.seconds.WithLabelValues(kind).Observe(took.Seconds())
}

// mostWays bounds how many contact methods have counts of their own. All further ones share one, whose recipient is "others".
const mostWays = 1_000

// Tried counts what has come of an attempt by a contact method: "delivered", "failed" where it was refused for good, or "unknown" where
// the attempt has ended without an answer.
func (d *Delivery) Tried(recipient, method, result string) {
	d.mu.Lock()
	way := [2]string{recipient, method}
	if !d.ways[way] && len(d.ways) >= mostWays {
		way = [2]string{"others", "others"}
	} else {
		d.ways[way] = true
	}
	d.mu.Unlock()
	d.tried.WithLabelValues(way[0], way[1], result).Inc()
}

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Delivery counts what goes out.
type Delivery struct {
	ended   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// newDelivery registers the metrics of deliveries.
func newDelivery(r prometheus.Registerer) *Delivery {
	d := &Delivery{
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_deliveries_total", Help: "Deliveries with an outcome, by kind of message and result.",
		}, []string{"kind", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_delivery_duration_seconds", Help: "Time from a delivery's beginning to its outcome, by kind.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 900, 3600},
		}, []string{"kind"}),
	}
	r.MustRegister(d.ended, d.seconds)
	return d
}

// Ended counts a delivery that has its outcome: the kind of message ("page", "customer-update", …), the result
// ("delivered", "refused") and how long it took from its beginning.
func (d *Delivery) Ended(kind, result string, took time.Duration) {
	d.ended.WithLabelValues(kind, result).Inc()
	d.seconds.WithLabelValues(kind).Observe(took.Seconds())
}

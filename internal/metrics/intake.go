package metrics

import "github.com/prometheus/client_golang/prometheus"

// IntakeStats is what the alert intake has counted since it was made; Waiting, InFlight and HeldBytes are as they are
// now. Its fields are those of the intake's own statistics, so that one converts into the other.
type IntakeStats struct {
	Accepted, Refused, Unavailable, Abandoned int64 // requests by outcome
	Alerts                                    int64 // in accepted requests
	Commits, Failures                         int64 // durable calls that were confirmed; commits that were not
	Waiting, InFlight                         int   // commits that wait for their turn, and that have it
	HeldBytes                                 int64 // bodies
}

// Follow shows what an intake counts. It asks for the statistics whenever Prometheus asks, so the intake itself knows
// nothing of metrics. A set follows one intake.
func (s *Set) Follow(stats func() IntakeStats) { s.registry.MustRegister(newIntake(stats)) }

// intake collects an intake's statistics, all of one instant.
type intake struct {
	stats func() IntakeStats

	requests, alerts, commits, waiting, inFlight, held *prometheus.Desc
}

// newIntake names the metrics of an intake.
func newIntake(stats func() IntakeStats) *intake {
	return &intake{
		stats: stats,
		requests: prometheus.NewDesc("muster_intake_requests_total", "Requests to the alert intake, by outcome.",
			[]string{"outcome"}, nil),
		alerts: prometheus.NewDesc("muster_intake_alerts_total", "Alerts in accepted requests.", nil, nil),
		commits: prometheus.NewDesc("muster_intake_commits_total", "Durable calls to Temporal, by result.",
			[]string{"result"}, nil),
		waiting:  prometheus.NewDesc("muster_intake_commits_waiting", "Commits that wait for their turn.", nil, nil),
		inFlight: prometheus.NewDesc("muster_intake_commits_in_flight", "Commits that are under way.", nil, nil),
		held:     prometheus.NewDesc("muster_intake_held_bytes", "Bodies of requests that are not answered yet.", nil, nil),
	}
}

// Describe names the metrics.
func (i *intake) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{i.requests, i.alerts, i.commits, i.waiting, i.inFlight, i.held} {
		ch <- d
	}
}

// Collect asks once and sends what it got.
func (i *intake) Collect(ch chan<- prometheus.Metric) {
	now := i.stats()
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	count(i.requests, now.Accepted, "accepted")
	count(i.requests, now.Refused, "refused")
	count(i.requests, now.Unavailable, "unavailable")
	count(i.requests, now.Abandoned, "abandoned")
	count(i.alerts, now.Alerts)
	count(i.commits, now.Commits, "ok")
	count(i.commits, now.Failures, "failed")
	show := func(d *prometheus.Desc, n float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n)
	}
	show(i.waiting, float64(now.Waiting))
	show(i.inFlight, float64(now.InFlight))
	show(i.held, float64(now.HeldBytes))
}

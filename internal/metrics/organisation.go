package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// OrganisationState is which state of the organisation folder is in use.
type OrganisationState struct {
	Revision string
	Changed  time.Time // when the folder took that content
	OK       bool      // the folder as it stands now is the one in use
}

// FollowOrganisation shows which organisation folder is in use. It asks whenever Prometheus asks.
func (s *Set) FollowOrganisation(state func() OrganisationState) {
	s.registry.MustRegister(&organisation{
		state:   state,
		ok:      prometheus.NewDesc("muster_organisation_ok", "Whether the organisation folder as it stands now is in use (1), or an earlier state of it (0).", nil, nil),
		changed: prometheus.NewDesc("muster_organisation_changed_timestamp_seconds", "When the organisation folder that is in use was changed.", nil, nil),
		info:    prometheus.NewDesc("muster_organisation_info", "The organisation folder that is in use; the value is always 1.", []string{"revision"}, nil),
	})
}

// organisation collects the state of the organisation folder.
type organisation struct {
	state             func() OrganisationState
	ok, changed, info *prometheus.Desc
}

// Describe names the metrics.
func (o *organisation) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{o.ok, o.changed, o.info} {
		ch <- d
	}
}

// Collect asks once and sends what it got.
func (o *organisation) Collect(ch chan<- prometheus.Metric) {
	now := o.state()
	ok := 0.0
	if now.OK {
		ok = 1
	}
	ch <- prometheus.MustNewConstMetric(o.ok, prometheus.GaugeValue, ok)
	ch <- prometheus.MustNewConstMetric(o.changed, prometheus.GaugeValue, seconds(now.Changed))
	ch <- prometheus.MustNewConstMetric(o.info, prometheus.GaugeValue, 1, now.Revision)
}

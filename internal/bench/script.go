package bench

import (
	"time"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// pace is how long things take in an incident.
type pace struct {
	first  time.Duration // wait of the first escalation step
	wait   time.Duration // of the others
	update time.Duration // promised between customer updates
	quiet  time.Duration // without an alert until it is resolved
	reopen time.Duration // from there until it is closed
}

// idlePace lets nothing fall due while somebody measures.
func idlePace() pace {
	return pace{first: 2 * time.Hour, wait: 2 * time.Hour, update: 2 * time.Hour, quiet: time.Hour, reopen: time.Hour}
}

// sendsAt is when the engine begins to send a customer update: as long before it is due as the support plan says.
func (p pace) sendsAt() time.Duration {
	c := supportplan.Clock{Within: p.update}
	return p.update - c.Lead()
}

// Names that both sides use.
const (
	source   = "alertmanager"
	receiver = "muster"
	customer = "acme"
)

// changed is when the folder of both sides took its content.
var changed = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// definition is the incident of a subject at a priority: two steps, one customer with three promises.
func (p pace) definition(subject string, level priority.Priority) incident.Definition {
	impact, urgency := priority.High, priority.High
	if level == priority.P4 {
		impact, urgency = priority.Low, priority.Medium
	}
	target := func(id string) []escalation.Target { return []escalation.Target{{Kind: escalation.Schedule, ID: id}} }
	return incident.Definition{
		SHA256: "0000000000000000000000000000000000000000000000000000000000000000", Revision: "bench", Changed: changed, Organisation: "bench",
		Zone: "Asia/Seoul", Source: source, Route: "default", Title: "Checkout answers with errors",
		Service: incident.Service{ID: subject, Name: subject}, Impact: impact, Urgency: urgency,
		Customers: []incident.Customer{{ID: customer, Name: "Acme", Plan: supportplan.Plan{
			ID: "premium", Name: "Premium", AtRisk: 80, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
				{Priority: level, Target: supportplan.Respond, Within: 12 * time.Hour},
				{Priority: level, Target: supportplan.Update, Within: p.update},
				{Priority: level, Target: supportplan.Resolve, Within: 24 * time.Hour},
			},
		}}},
		Policy: escalation.Policy{
			ID: "default", Steps: []escalation.Step{{Targets: target("primary"), Wait: p.first}, {Targets: target("secondary"), Wait: p.wait}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: 2 * time.Hour,
			AckExpires: 24 * time.Hour, NextMethodAfter: time.Minute,
		},
		Quiet: p.quiet, ReopenWithin: p.reopen,
		Review: incident.ReviewRule{FromPriority: priority.P2, DueWithin: 72 * time.Hour, Owner: incident.IncidentManager},
		Links:  []incident.Link{{Name: "runbook", URL: "https://runbooks.example.com/checkout/errors"}}, Languages: []string{"ko", "en"},
	}
}

// batch is what the intake makes of one POST about a subject's alerts, named by their fingerprints.
func batch(subject string, state alert.State, began time.Time, fingerprints ...string) alert.Batch {
	b := alert.Batch{ID: subject, Source: source, ReceivedAt: time.Now().UTC(), Posts: 1, GroupResolved: state == alert.Resolved}
	for _, f := range fingerprints {
		b.Alerts = append(b.Alerts, alert.Received{Times: 1, Alert: alert.Alert{
			Fingerprint: f, Name: "HighErrorRate", State: state, StartsAt: began.UTC(),
			Labels: alert.Labels{
				{Name: "alertname", Value: "HighErrorRate"},
				{Name: "cluster", Value: "prod-kr-1"},
				{Name: "namespace", Value: "shop"},
				{Name: "service", Value: subject},
				{Name: "severity", Value: "critical"},
			},
			Annotations: alert.Labels{
				{Name: "description", Value: "5xx rate of checkout is 12.3% for 5 minutes"}, {Name: "summary", Value: "Checkout answers with errors"},
			},
			Generator: "http://prometheus.example.com:9090/graph?g0.expr=rate&g0.tab=1",
		}})
	}
	return b
}

// park is who acknowledges.
func park() timeline.Actor { return timeline.Actor{Kind: timeline.Person, ID: "park", Name: "park"} }

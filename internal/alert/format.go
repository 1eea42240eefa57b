package alert

// A Format names how a source of alerts says what it has to say.
type Format string

// The formats of sources. These strings stand in organisation folders and in URLs: add, never rename.
const (
	Alertmanager Format = "alertmanager" // the webhook of a Prometheus Alertmanager, version 4
	Prometheus   Format = "prometheus"   // what Prometheus posts to an Alertmanager: its API, version 2
	Grafana      Format = "grafana"      // the webhook of Grafana's own alerting
	PagerDuty    Format = "pagerduty"    // what is posted to PagerDuty: its Events API, version 2
	Azure        Format = "azure"        // the webhook of Azure Monitor, in its common alert schema
	SNS          Format = "sns"          // alarms of Amazon CloudWatch through a topic of SNS
	EventBridge  Format = "eventbridge"  // the same through Amazon EventBridge
	JSON         Format = "json"         // JSON of any form, by a mapping
	CloudEvents  Format = "cloudevents"  // events of CloudEvents 1.0 that carry one of the others, or JSON of any form
	Email        Format = "email"        // mail that monitors send to people
	Heartbeat    Format = "heartbeat"    // jobs that are to be heard of; what is missed is an alert
)

// Formats returns all formats.
func Formats() []Format {
	return []Format{Alertmanager, Prometheus, Grafana, PagerDuty, Azure, SNS, EventBridge, JSON, CloudEvents, Email, Heartbeat}
}

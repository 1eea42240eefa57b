package ingest

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"muster/internal/alert"
)

// An alarm is one of Amazon CloudWatch, however it has come.
type alarm struct {
	name, arn, state, reason, changed, description string
	about                                          alert.Labels // of its metric
	fields                                         alarmFields  // where these are in the body
}

// message is what an alarm says. One that lacks data is neither on nor off: it stays what it was.
func (a *alarm) message(d *decoder) (m message) {
	s := sized{Alert: alert.Alert{Fingerprint: short(a.arn), StartsAt: d.changedAt(a.fields.changed, a.changed)}}
	switch a.state {
	case "ALARM", "INSUFFICIENT_DATA":
		s.State = alert.Firing
	case "OK":
		s.State, s.EndsAt = alert.Resolved, s.StartsAt
	default:
		d.fault(a.fields.state, `want "ALARM", "OK" or "INSUFFICIENT_DATA", got `+quote(a.state))
	}
	parts := strings.SplitN(a.arn, ":", 7) // arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME
	if len(parts) != 7 || parts[2] != "cloudwatch" || parts[5] != "alarm" {
		d.fault(a.fields.arn, "want the ARN of an alarm, such as arn:aws:cloudwatch:eu-west-1:123456789012:alarm:Busy; got "+quote(a.arn))
		return m
	}
	s.Labels = ordered(append(alert.Labels{
		{Name: nameLabel, Value: a.name}, {Name: "account", Value: parts[4]}, {Name: "region", Value: parts[3]},
	}, a.about...))
	s.Annotations = ordered(alert.Labels{{Name: "description", Value: a.description}, {Name: "reason", Value: a.reason}})
	s.Name = alertName(s.Labels, parts[6])
	if parts[1] == "aws" {
		s.Generator = fmt.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#alarmsV2:alarm/%s",
			url.PathEscape(parts[3]), url.QueryEscape(parts[3]), url.PathEscape(parts[6]))
	}
	s.bound()
	m.by = []string{"account", nameLabel, "region"}
	if a.state == "INSUFFICIENT_DATA" {
		m.notices = []alert.Alert{s.Alert}
	} else {
		m.alerts = []sized{s}
	}
	return m
}

type alarmFields struct{ state, changed, arn string }

// changedAt takes an instant as CloudWatch writes it, with an offset without a colon, or as everybody does.
func (d *decoder) changedAt(field, s string) time.Time {
	if t, err := time.Parse("2006-01-02T15:04:05.999999999-0700", s); err == nil {
		s = t.UTC().Format(time.RFC3339Nano)
	}
	return d.instant(field, s)
}

// alarm takes an alarm as CloudWatch sends it to a topic.
func (d *decoder) alarm() (a alarm) {
	a.fields = alarmFields{"Message.NewStateValue", "Message.StateChangeTime", "Message.AlarmArn"}
	for name := range d.members() {
		field := "Message." + name
		switch name {
		case "AlarmName":
			a.name = d.str(field)
		case "AlarmDescription":
			a.description = d.str(field)
		case "AlarmArn":
			a.arn = d.str(field)
		case "NewStateValue":
			a.state = d.str(field)
		case "NewStateReason":
			a.reason = d.str(field)
		case "StateChangeTime":
			a.changed = d.str(field)
		case "Trigger":
			d.each(field, func(name string) { d.trigger(field+".", name, &a) })
		default:
			d.skip()
		}
	}
	return a
}

// trigger takes what the metric of an alarm is.
func (d *decoder) trigger(field, name string, a *alarm) {
	switch name {
	case "MetricName":
		a.about = append(a.about, alert.Label{Name: "metric", Value: d.str(field + name)})
	case "Namespace":
		a.about = append(a.about, alert.Label{Name: "namespace", Value: d.str(field + name)})
	case "Dimensions":
		a.about = append(a.about, d.dimensions(field+name)...)
	default:
		d.skip()
	}
}

const alarmChange = "CloudWatch Alarm State Change"

// decodeEventBridge reads an event of Amazon EventBridge: that an alarm of CloudWatch has changed, or what AWS Health says.
func decodeEventBridge(c call, body []byte) (message, error) {
	d := newDecoder(body)
	if !d.begins(body, '{', "an object") {
		return message{}, d.refused(0)
	}
	m := d.awsEvent("", c.at)
	return m, d.refused(1)
}

// awsEvent takes an event. Its fields are named after where it stands. What it is may stand after what it says.
func (d *decoder) awsEvent(where string, at time.Time) message {
	h, account, sent := awsHealth{}, "", ""
	a := alarm{fields: alarmFields{where + "detail.state.value", where + "detail.state.timestamp", where + "resources"}}
	kind := ""
	var resources []string
	for name := range d.members() {
		switch name {
		case "detail-type":
			kind = d.str(where + name)
		case "resources":
			resources = d.texts(where + name)
		case "account":
			account = d.str(where + name)
		case "time":
			sent = d.str(where + name)
		case "detail":
			d.each(where+name, func(name string) { d.eventDetail(where, name, &a, &h) })
		default:
			d.skip()
		}
	}
	switch kind {
	case alarmChange:
	case healthEvent, abuseEvent:
		if t := instantOf(sent); !t.IsZero() {
			at = t
		}
		return h.message(d, where, kind, account, at)
	default:
		d.fault(where+"detail-type", fmt.Sprintf("want %q or %q, got %s", alarmChange, healthEvent, quote(kind)))
		return message{}
	}
	if len(resources) > 0 {
		a.arn = resources[0]
	}
	return a.message(d)
}

func (d *decoder) eventDetail(where, name string, a *alarm, h *awsHealth) {
	switch name {
	case "alarmName":
		a.name = d.str("detail." + name)
	case "state":
		d.each("detail.state", func(name string) {
			switch name {
			case "value":
				a.state = d.str("detail.state." + name)
			case "reason":
				a.reason = d.str("detail.state." + name)
			case "timestamp":
				a.changed = d.str("detail.state." + name)
			default:
				d.skip()
			}
		})
	case "configuration":
		d.each("detail.configuration", func(name string) {
			switch name {
			case "description":
				a.description = d.str("detail.configuration." + name)
			case "metrics":
				d.list("detail.configuration.metrics", func(field string) {
					d.each(field, func(name string) { d.metricStat(field, name, a) })
				})
			default:
				d.skip()
			}
		})
	default:
		d.healthDetail(where, name, h)
	}
}

// metricStat takes the first metric of an alarm; one that is computed has none.
func (d *decoder) metricStat(field, name string, a *alarm) {
	if name != "metricStat" || len(a.about) > 0 {
		d.skip()
		return
	}
	d.each(field+".metricStat", func(name string) {
		if name != "metric" {
			d.skip()
			return
		}
		d.each(field+".metricStat.metric", func(name string) {
			switch name {
			case "name":
				a.about = append(a.about, alert.Label{Name: "metric", Value: d.one()})
			case "namespace":
				a.about = append(a.about, alert.Label{Name: "namespace", Value: d.one()})
			case "dimensions":
				a.about = append(a.about, d.labels(field+".metricStat.metric.dimensions")...)
			default:
				d.skip()
			}
		})
	})
}

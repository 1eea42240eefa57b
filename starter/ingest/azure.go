package ingest

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"muster/internal/alert"
)

const azureSchema = "azureMonitorCommonAlertSchema"

// azureAlert is one of Azure Monitor as it stands there.
type azureAlert struct {
	id, rule, condition, service, fired, resolved string
	items, targets                                []string
	about, notes                                  alert.Labels
	link                                          string
	health                                        azureHealth
}

// azureHealth is what a notice of Azure's own health says.
type azureHealth struct {
	title, kind, tracking, stage, begins, ends, words string
	status, now                                       string // of a resource
}

// decodeAzure reads an alert of Azure Monitor in its common schema. Its rule says what belongs together; of a notice of Service Health
// the number under which Azure goes on writing about it. Maintenance and mere information open no incident.
func decodeAzure(c call, body []byte) (message, error) {
	d := newDecoder(body)
	a := d.azure(body)
	if len(d.faults) > 0 {
		return message{}, d.refused(1)
	}
	s := sized{Alert: alert.Alert{State: alert.Firing, StartsAt: c.at, Fingerprint: short(strings.ToLower(a.id)), Generator: a.link}}
	if a.fired != "" {
		s.StartsAt = d.instant("data.essentials.firedDateTime", a.fired)
	}
	over := a.condition == "Resolved"
	m := message{by: []string{nameLabel}}
	if a.service == "ServiceHealth" && a.health.tracking != "" {
		s.Fingerprint = short(a.health.tracking)
		m.by = []string{"tracking_id"}
		over = slices.Contains([]string{"Resolved", "Complete", "Canceled", "RCA"}, a.health.stage)
	}
	if a.service == "ResourceHealth" && len(a.targets) > 0 { // what says that it is well again is another alert there
		s.Fingerprint = short("health of " + strings.ToLower(a.targets[0]))
		over = a.health.status == "Resolved" || a.health.now == "Available"
	}
	if over {
		s.State, s.EndsAt = alert.Resolved, c.at
		if a.resolved != "" {
			s.EndsAt = d.instant("data.essentials.resolvedDateTime", a.resolved)
		}
	}
	s.Labels, s.Annotations = a.labels(), a.annotations()
	s.Name = alertName(s.Labels, s.Fingerprint)
	s.bound()
	if a.health.kind == "Maintenance" {
		m.announced = []announced{{noticeOf(s), s}}
	} else if a.health.kind == "Informational" {
		m.notices = []alert.Alert{s.Alert}
	} else {
		m.alerts = []sized{s}
	}
	return m, d.refused(1)
}

func (d *decoder) azure(body []byte) (a azureAlert) {
	if !d.begins(body, '{', "an object") {
		return a
	}
	schema := ""
	for name := range d.members() {
		switch name {
		case "schemaId":
			schema = d.str(name)
		case "data":
			d.each(name, func(name string) {
				switch name {
				case "essentials":
					d.each("data.essentials", func(name string) { d.essential(name, &a) })
				case "alertContext":
					d.each("data.alertContext", func(name string) { d.azureContext(name, &a) })
				case "customProperties":
					a.about = append(a.about, d.details(&a.notes, "custom_properties")...)
				default:
					d.skip()
				}
			})
		default:
			d.skip()
		}
	}
	if schema != azureSchema {
		d.fault("schemaId", fmt.Sprintf("want %q, which is a switch of the action group; got %s", azureSchema, quote(schema)))
		return a
	}
	if a.id == "" {
		d.fault("data.essentials.alertId", "want the ID of an alert, got none")
	}
	if a.condition != "Fired" && a.condition != "Resolved" {
		d.fault("data.essentials.monitorCondition", `want "Fired" or "Resolved", got `+quote(a.condition))
	}
	return a
}

// essential takes one of the fields that every alert has.
func (d *decoder) essential(name string, a *azureAlert) {
	field := "data.essentials." + name
	label := func(as string) { a.about = append(a.about, alert.Label{Name: as, Value: d.str(field)}) }
	switch name {
	case "alertId":
		a.id = d.str(field)
	case "alertRule":
		a.rule = d.str(field)
	case "severity":
		label("severity")
	case "signalType":
		label("signal_type")
	case "monitorCondition":
		a.condition = d.str(field)
	case "monitoringService":
		a.service = d.str(field)
	case "alertTargetIDs":
		a.targets = d.texts(field)
	case "configurationItems":
		a.items = d.texts(field)
	case "targetResourceGroup":
		label("resource_group")
	case "targetResourceType":
		label("resource_type")
	case "firedDateTime":
		a.fired = d.str(field)
	case "resolvedDateTime":
		a.resolved = d.str(field)
	case "description":
		a.notes = append(a.notes, alert.Label{Name: name, Value: d.str(field)})
	case "investigationLink":
		a.link = d.link(field)
	default:
		d.skip()
	}
}

// azureContext takes what differs from one monitoring service to the next, as far as it tells alerts apart or is worth reading.
func (d *decoder) azureContext(name string, a *azureAlert) {
	field := "data.alertContext." + name
	switch name {
	case "condition":
		d.each(field, func(name string) {
			if name == "allOf" {
				d.list(field+".allOf", func(field string) { d.criterion(field, a) })
			} else {
				d.skip()
			}
		})
	case "properties":
		d.each(field, func(name string) { d.healthProperty(name, &a.health, a) })
	case "status":
		a.health.status = d.one()
	case "labels": // of managed Prometheus
		a.about = append(d.labels(field), a.about...)
	case "annotations":
		a.notes = append(d.labels(field), a.notes...)
	default:
		d.skip()
	}
}

// criterion takes one condition of a rule: its dimensions are labels, what was measured is an annotation.
func (d *decoder) criterion(field string, a *azureAlert) {
	var metric, operator, threshold, value string
	d.each(field, func(name string) {
		switch name {
		case "metricName":
			metric = d.str(field + "." + name)
		case "operator":
			operator = d.str(field + "." + name)
		case "threshold":
			threshold = d.one()
		case "metricValue":
			value = d.one()
		case "linkToFilteredSearchResultsUI", "linkToSearchResultsUI":
			a.link = cmp.Or(a.link, d.link(field+"."+name))
		case "dimensions":
			a.about = append(a.about, d.dimensions(field+".dimensions")...)
		default:
			d.skip()
		}
	})
	if metric != "" || value != "" {
		a.notes = append(a.notes, alert.Label{Name: "measured", Value: strings.TrimSpace(fmt.Sprintf("%s %s (%s %s)", metric, value, operator, threshold))})
	}
}

// healthProperty takes one property of a notice of Service Health or Resource Health; others have none of these names.
func (d *decoder) healthProperty(name string, h *azureHealth, a *azureAlert) {
	switch name {
	case "title":
		h.title = d.one()
	case "incidentType":
		h.kind = d.one()
	case "trackingId":
		h.tracking = d.one()
	case "stage":
		h.stage = d.one()
	case "impactStartTime":
		h.begins = d.one()
	case "impactMitigationTime":
		h.ends = d.one()
	case "communication":
		h.words = d.one()
	case "service", "region":
		a.about = append(a.about, alert.Label{Name: name, Value: d.one()})
	case "currentHealthStatus":
		h.now = d.one()
	case "cause":
		a.notes = append(a.notes, alert.Label{Name: name, Value: d.one()})
	default:
		d.skip()
	}
}

func (a *azureAlert) labels() alert.Labels {
	own := alert.Labels{
		{Name: nameLabel, Value: cmp.Or(a.rule, a.service)},
		{Name: "monitoring_service", Value: a.service},
		{Name: "incident_type", Value: a.health.kind},
		{Name: "tracking_id", Value: a.health.tracking},
	}
	if len(a.items) > 0 {
		own = append(own, alert.Label{Name: "resource", Value: a.items[0]})
	}
	if len(a.targets) > 0 {
		target := strings.ToLower(a.targets[0])
		own = append(own, alert.Label{Name: "target", Value: target})
		parts := strings.Split(target, "/")
		for n := 0; n+1 < len(parts); n++ {
			switch parts[n] {
			case "subscriptions":
				own = append(own, alert.Label{Name: "subscription", Value: parts[n+1]})
			case "resourcegroups":
				own = append(own, alert.Label{Name: "resource_group", Value: parts[n+1]})
			}
		}
	}
	return ordered(append(own, a.about...))
}

func (a *azureAlert) annotations() alert.Labels {
	own := alert.Labels{
		{Name: "summary", Value: a.health.title},
		{Name: "stage", Value: a.health.stage},
		{Name: "health", Value: a.health.now},
		{Name: "begins", Value: a.health.begins},
		{Name: "ends", Value: a.health.ends},
		{Name: "communication", Value: untagged(a.health.words)},
	}
	return ordered(append(own, a.notes...))
}

var tags = regexp.MustCompile(`<[^>]*>`)

// untagged is what HTML says, without its tags.
func untagged(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(clip(s, 4*maxValue), " "))), " ")
}

package org

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/priority"
)

// readServices reads services.yaml into the part of a definition that a service decides.
func (b *builder) readServices(o *object) {
	o.entries("services", "service", some, func(o *object, id string) {
		d := incident.Definition{Service: incident.Service{ID: id}}
		d.Service.Name, _ = need(o, "name", aName)
		for _, c := range o.refs("customers", "customer", optional) {
			d.Customers = append(d.Customers, incident.Customer{ID: c, Name: b.customers[c].name, Plan: b.plans[b.customers[c].plan]})
		}
		o.once("customers")
		b.partners[id] = b.readPartners(o)
		policy, _ := o.ref("escalation_policy", "policy")
		d.Policy = b.policies[policy]
		d.Impact, _ = need(o, "impact", aLevel)
		d.Urgency, _ = need(o, "urgency", aLevel)
		o.object(o.field("roles"), o.about("roles"), func(o *object) {
			for _, role := range incident.Roles() {
				d.Roles = append(d.Roles, incident.RoleTarget{Role: role, Targets: b.targets(o, string(role), aRoleTarget)})
			}
		})
		d.Quiet, _ = need(o, "quiet", aDuration)
		d.ReopenWithin, _ = need(o, "reopen_within", aDuration)
		o.object(o.field("review"), o.about("review"), func(o *object) {
			d.Review.FromPriority, _ = need(o, "from_priority", aPriority)
			d.Review.Customers, _ = need(o, "customers", aBool)
			d.Review.DueWithin, _ = need(o, "due_within", aWait)
			d.Review.Owner, _ = need(o, "owner", oneOf(incident.Roles()...))
		})
		for i, n := range o.items("links", optional) {
			o.object(n, fmt.Sprintf("%s: link %d", o.subject, i+1), func(o *object) {
				name, _ := need(o, "name", aName)
				url, _ := need(o, "url", aURL)
				d.Links = append(d.Links, incident.Link{Name: name, URL: url})
			})
		}
		b.services[id] = d
	})
}

// A route leads alerts to a service. It takes an alert whose source and labels have all the values that it names.
type route struct {
	id      string
	source  string // any when empty
	match   []pair[string]
	service string
	impact  level
	urgency level
	title   string // the alert's own when empty
}

// A level is given, or follows from the value of a label. The zero level is the service's own.
type level struct {
	label     string
	values    []pair[priority.Level]
	otherwise priority.Level
}

// of returns the level of an alert.
func (l level) of(labels alert.Labels, service priority.Level) priority.Level {
	for _, v := range l.values {
		if labels.Value(l.label) == v.key {
			return v.value
		}
	}
	return cmp.Or(l.otherwise, service)
}

// takes tells whether the route is that of an alert.
func (r route) takes(source string, labels alert.Labels) bool {
	for _, m := range r.match {
		if labels.Value(m.key) != m.value {
			return false
		}
	}
	return r.source == "" || r.source == source
}

// covers tells whether the route takes every alert that another takes.
func (r route) covers(other route) bool {
	for _, m := range r.match {
		if !slices.Contains(other.match, m) {
			return false
		}
	}
	return r.source == "" || r.source == other.source
}

// readRoutes reads routes.yaml.
func (b *builder) readRoutes(o *object) {
	var last *object
	before := len(b.faults)
	o.entries("routes", "route", some, func(o *object, id string) {
		last, before = o, len(b.faults)
		r := route{id: id}
		if o.has("source") {
			r.source, _ = o.ref("source", "source")
		}
		r.match = pairs(o, "match", aLabelValue, optional)
		r.service, _ = o.ref("service", "service")
		r.impact = b.level(o, "impact")
		r.urgency = b.level(o, "urgency")
		r.title = maybe(o, "title", aName, "")
		if len(b.faults) > before {
			return
		}
		for _, earlier := range b.routes {
			if earlier.covers(r) {
				o.fault(o.place, "%s: never taken, because route %s before it takes all such alerts", o.subject, earlier.id)
				return
			}
		}
		b.routes = append(b.routes, r)
	})
	if last != nil && len(b.faults) == before && !b.routes[len(b.routes)-1].covers(route{}) {
		o.fault(last.place, "%s: the last route must take every alert, so that none is refused; want one without source and match", last.subject)
	}
}

// level reads high, medium or low, or a label whose value decides.
func (b *builder) level(o *object, key string) level {
	n := o.field(key)
	if n.kind != mapping {
		return level{otherwise: maybe(o, key, aLevel, "")}
	}
	var l level
	o.object(n, o.about(key), func(o *object) {
		l.label, _ = need(o, "label", aName)
		l.values = pairs(o, "values", aLevel, some)
		l.otherwise, _ = need(o, "otherwise", aLevel)
	})
	return l
}

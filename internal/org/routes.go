package org

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"muster/internal/alert"
	"muster/internal/condition"
	"muster/internal/incident"
	"muster/internal/priority"
)

// The forms of what only routes have.
var (
	aClass       = oneOf(priority.Classes()...)
	aKind        = oneOf(incident.Kinds()...)
	anExpression = in(`a condition, such as 'labels.severity == "critical"'`, func(s string) (string, bool) { return s, true })
)

// A route leads alerts to a service. It takes an alert whose source and labels have all the values that it names, and of
// which its condition holds.
type route struct {
	id        string
	number    int    // in the folder
	source    string // any when empty
	match     []pair[string]
	when      condition.Condition // holds of every alert when there is none
	service   string
	impact    level
	urgency   level
	classes   []raise
	groupBy   []string // names of labels; empty: the source's own groups stay
	title     string   // the alert's own when empty
	kind      incident.Kind
	automatic string // ID of what Muster does by itself; empty: nothing
}

// A level is given, or follows from the value of a label. The zero level is the service's own.
type level struct {
	label     string
	values    []pair[priority.Level]
	otherwise priority.Level
}

// A raise is a special class of incidents, and of which alerts it is.
type raise struct {
	class priority.Class
	when  condition.Condition
}

// of returns the level of an alert.
func (l level) of(labels alert.Labels, service priority.Level) priority.Level {
	return l.reason(labels, service).Level
}

// takes tells whether the route is that of an alert.
func (r *route) takes(source string, labels alert.Labels) bool {
	if r.source != "" && r.source != source {
		return false
	}
	for _, m := range r.match {
		if labels.Value(m.key) != m.value {
			return false
		}
	}
	return r.when.Holds(source, labels)
}

// covers tells whether the route takes every alert that another takes, as far as that can be told: a condition is narrower
// than none, and takes what the very same one takes.
func (r *route) covers(other *route) bool {
	for _, m := range r.match {
		if !slices.Contains(other.match, m) {
			return false
		}
	}
	return (r.source == "" || r.source == other.source) && (r.when.IsZero() || r.when.String() == other.when.String())
}

// A weight is how much alerts matter that come together: the highest impact and urgency that any of them has, and the
// special classes that apply to any.
type weight struct {
	impact, urgency priority.Level
	classes         []priority.Class // each once
	kind            incident.Kind    // security, where any route says so
}

// add weighs an alert that the route takes, of a service with these levels.
func (w *weight) add(r *route, source string, labels alert.Labels, impact, urgency priority.Level) {
	w.kind = cmp.Or(w.kind, r.kind)
	w.impact = priority.Higher(w.impact, r.impact.of(labels, impact))
	w.urgency = priority.Higher(w.urgency, r.urgency.of(labels, urgency))
	for _, c := range r.classes {
		if !c.when.Holds(source, labels) {
			continue
		}
		i, u := c.class.Raises()
		w.impact, w.urgency = priority.Higher(w.impact, i), priority.Higher(w.urgency, u)
		if !slices.Contains(w.classes, c.class) {
			w.classes = append(w.classes, c.class)
		}
	}
}

// inOrder returns the classes in the order of their list, so that the order of alerts does not matter.
func (w *weight) inOrder() (classes []priority.Class) {
	for _, c := range priority.Classes() {
		if slices.Contains(w.classes, c) {
			classes = append(classes, c)
		}
	}
	return classes
}

// names returns the names that an alert must have one of to be taken, and whether the route demands any. An alert without a
// name has the empty one.
func (r *route) names() (names []string, pinned bool) {
	names, pinned = r.when.Names()
	for _, m := range r.match {
		if m.key != nameLabel {
			continue
		}
		if pinned && !slices.Contains(names, m.value) {
			return nil, true
		}
		return []string{m.value}, true
	}
	return names, pinned
}

// nameLabel is the label that has an alert's name.
const nameLabel = "alertname"

// group returns the labels by which the route groups, with the values that an alert has, the empty one included.
func (r *route) group(labels alert.Labels) alert.Labels {
	values := make(alert.Labels, len(r.groupBy))
	for n, name := range r.groupBy {
		values[n] = alert.Label{Name: name, Value: labels.Value(name)}
	}
	return values
}

const maxGroupBy = 10

// maxCost bounds what the conditions of all routes together cost at worst on one alert, in CEL's units: about 400 short patterns
// held against values of the longest kind; comparisons are cheap.
const maxCost = 500_000

// cost is what the conditions of a route cost at worst on one alert.
func (r *route) cost() uint64 {
	sum := r.when.Cost()
	for _, c := range r.classes {
		sum += c.when.Cost()
	}
	return sum
}

// readRoutes reads routes.yaml.
func (b *builder) readRoutes(o *object) {
	var last *object
	var cost uint64
	before := len(b.faults)
	o.entries("routes", "route", some, func(o *object, id string) {
		last, before = o, len(b.faults)
		r := b.readRoute(o, id)
		if len(b.faults) > before {
			return
		}
		for n := range b.routes {
			if earlier := &b.routes[n]; earlier.covers(&r) {
				o.fault(o.place, "%s: never taken, because route %s before it takes all such alerts", o.subject, earlier.id)
				return
			}
		}
		if sum := cost + r.cost(); cost <= maxCost && sum > maxCost {
			o.fault(o.place, "%s: its conditions and those before it could cost %d on one alert; want at most %d: fewer or shorter ones, or match instead",
				o.subject, sum, maxCost)
		}
		cost += r.cost()
		r.number = len(b.routes)
		b.routes = append(b.routes, r)
		b.grouping = b.grouping || len(r.groupBy) > 0
	})
	if last != nil && len(b.faults) == before && !b.routes[len(b.routes)-1].covers(&route{}) {
		o.fault(last.place, "%s: the last route must take every alert, so that none is refused; want one without source, match and when",
			last.subject)
	}
}

func (b *builder) readRoute(o *object, id string) route {
	r := route{id: id}
	if o.has("source") {
		r.source, _ = o.ref("source", "source")
	}
	r.match = pairs(o, "match", aLabelValue, optional)
	r.when = maybeWhen(o)
	if _, pinned := r.names(); pinned {
		if names, _ := r.names(); len(names) == 0 {
			o.fault(o.field("when").place, "%s: no alert can have the names that match and when ask for", o.subject)
		}
	}
	r.service, _ = o.ref("service", "service")
	r.impact = b.level(o, "impact")
	r.urgency = b.level(o, "urgency")
	for i, n := range o.few("classes", maxPairs) {
		o.object(n, fmt.Sprintf("%s: class %d", o.subject, i+1), func(o *object) {
			class, _ := need(o, "class", aClass)
			r.classes = append(r.classes, raise{class, maybeWhen(o)})
		})
	}
	for _, n := range o.few("group_by", maxGroupBy) {
		name, _ := value(o.reader, n, o.about("group_by"), aName)
		r.groupBy = append(r.groupBy, name)
	}
	o.once("group_by")
	if o.has("group_by") && o.field("group_by").kind == list && len(o.field("group_by").items) == 0 {
		o.fault(o.field("group_by").place, "%s: none; want at least one label, or not this key", o.about("group_by"))
	}
	slices.Sort(r.groupBy)
	r.title = maybe(o, "title", aName, "")
	if o.has("automatic") {
		r.automatic, _ = o.ref("automatic", kindOfResponse)
	}
	r.kind = maybe(o, "kind", aKind, "")
	b.sharesLabels(o, &r)
	if r.kind != "" && len(r.groupBy) == 0 {
		o.fault(o.field("kind").place, "%s: %s without group_by; want group_by, so that its alerts join no incident that everybody may read",
			o.about("kind"), r.kind)
	}
	return r
}

// maybeWhen reads a condition that may be left out.
func maybeWhen(o *object) condition.Condition {
	n := o.field("when")
	if n.kind == absent {
		return condition.Condition{}
	}
	written, ok := value(o.reader, n, o.about("when"), anExpression)
	if !ok {
		return condition.Condition{}
	}
	c, err := condition.Compile(written)
	if fault, ok := errors.AsType[*condition.Fault](err); ok {
		o.fault(n.place, "%s %s: %s", o.about("when"), show(written), fault)
	}
	return c
}

// level reads high, medium or low, or a label whose value decides.
func (b *builder) level(o *object, key string) level {
	n := o.field(key)
	if !n.is(mapping) {
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

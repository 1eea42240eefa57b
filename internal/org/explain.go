package org

import (
	"muster/internal/alert"
	"muster/internal/priority"
)

// A Try is one route that an alert comes to, in their order. The last one takes it; of every other it says the first thing
// that was not as the route wants it.
type Try struct {
	Route  string `json:"route"`
	Taken  bool   `json:"taken"`
	Source string `json:"source,omitempty"` // the only source whose alerts it takes
	Label  string `json:"label,omitempty"`  // that has another value
	Want   string `json:"want,omitempty"`   // of the label
	Got    string `json:"got,omitempty"`    // empty: the alert has no such label
	When   string `json:"when,omitempty"`   // the condition that does not hold
}

// Tries returns the routes that an alert comes to.
func (o *Organisation) Tries(source string, labels alert.Labels) (tries []Try) {
	for n := range o.routes {
		r := &o.routes[n]
		t := Try{Route: r.id, Taken: r.takes(source, labels)}
		if !t.Taken {
			t.Source, t.Label, t.Want, t.Got, t.When = r.misses(source, labels)
		}
		if tries = append(tries, t); t.Taken {
			return tries
		}
	}
	return tries
}

// misses returns the first thing about an alert that is not as the route wants it.
func (r *route) misses(source string, labels alert.Labels) (only, label, want, got, when string) {
	if r.source != "" && r.source != source {
		return r.source, "", "", "", ""
	}
	for _, m := range r.match {
		if v := labels.Value(m.key); v != m.value {
			return "", m.key, m.value, v, ""
		}
	}
	return "", "", "", "", r.when.String()
}

// A LevelReason is where an impact or urgency comes from.
type LevelReason struct {
	Level priority.Level `json:"level"`
	From  Origin         `json:"from"`
	Label string         `json:"label,omitempty"` // whose value decides
	Value string         `json:"value,omitempty"`
	Class priority.Class `json:"class,omitempty"` // that raises it
}

// Origin says what has decided a level.
type Origin string

// The origins of levels. Programs read these strings: add, never rename.
const (
	FromService Origin = "service" // what the service says
	FromRoute   Origin = "route"   // what the route says, whatever the alert
	FromLabel   Origin = "label"   // the value of a label
	FromClass   Origin = "class"   // a special class that raises it
)

// Reasons returns where the impact and urgency of an alert come from.
func (o *Organisation) Reasons(source string, labels alert.Labels) (impact, urgency LevelReason) {
	r := o.route(source, labels)
	if r == nil {
		return impact, urgency
	}
	s := o.services[r.service]
	impact, urgency = r.impact.reason(labels, s.Impact), r.urgency.reason(labels, s.Urgency)
	for _, c := range r.classes {
		if !c.when.Holds(source, labels) {
			continue
		}
		i, u := c.class.Raises()
		impact, urgency = impact.raised(i, c.class), urgency.raised(u, c.class)
	}
	return impact, urgency
}

// reason returns the level of an alert and where it comes from.
func (l level) reason(labels alert.Labels, service priority.Level) LevelReason {
	for _, v := range l.values {
		if labels.Value(l.label) == v.key {
			return LevelReason{Level: v.value, From: FromLabel, Label: l.label, Value: v.key}
		}
	}
	switch {
	case l.otherwise == "":
		return LevelReason{Level: service, From: FromService}
	case l.label == "":
		return LevelReason{Level: l.otherwise, From: FromRoute}
	}
	return LevelReason{Level: l.otherwise, From: FromLabel, Label: l.label, Value: labels.Value(l.label)}
}

func (r LevelReason) raised(to priority.Level, by priority.Class) LevelReason {
	if !to.Exceeds(r.Level) {
		return r
	}
	return LevelReason{Level: to, From: FromClass, Class: by}
}

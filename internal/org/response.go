package org

import (
	"fmt"
	"time"

	"muster/internal/escalation"
	"muster/internal/oncall"
)

// readSchedules reads schedules.yaml.
func (b *builder) readSchedules(o *object) {
	o.entries("schedules", "schedule", anyNumber, func(o *object, id string) {
		s := oncall.Schedule{}
		need(o, "name", aName)
		s.Rotation.Zone = maybe(o, "zone", aZone, b.org.Zone)
		o.object(o.field("rotation"), o.about("rotation"), func(o *object) {
			s.Rotation.Start, _ = need(o, "start", aWallTime)
			s.Rotation.Days, _ = need(o, "shift", aShift)
			s.Rotation.People = o.refs("people", "person", some)
		})
		for i, n := range o.items("overrides", optional) {
			o.object(n, fmt.Sprintf("%s: override %d", o.subject, i+1), func(o *object) {
				s.Overrides = append(s.Overrides, b.readOverride(o, s.Rotation.Zone))
			})
		}
		b.schedules[id] = s
	})
}

func (b *builder) readOverride(o *object, zone *time.Location) oncall.Override {
	var v oncall.Override
	from, fromOK := need(o, "from", aWallTime)
	to, toOK := need(o, "to", aWallTime)
	v.Person, _ = o.ref("person", "person")
	if !fromOK || !toOK || zone == nil {
		return v
	}
	if v.From, v.To = from.In(zone), to.In(zone); !v.From.Before(v.To) {
		o.fault(o.field("to").place, "%s: to %s: want a later time than from, %s", o.subject, to, from)
	}
	return v
}

// readPolicies reads escalation-policies.yaml.
func (b *builder) readPolicies(o *object) {
	o.entries("escalation_policies", "policy", anyNumber, func(o *object, id string) {
		p := escalation.Policy{ID: id}
		for i, n := range o.items("steps", some) {
			o.object(n, fmt.Sprintf("%s: step %d", o.subject, i+1), func(o *object) {
				wait, _ := need(o, "wait", aWait)
				p.Steps = append(p.Steps, escalation.Step{Targets: b.targets(o, "targets"), Wait: wait})
			})
		}
		p.Repeats, _ = need(o, "repeats", aNumber)
		if n := o.field("last_resort"); n.kind == absent {
			o.fault(n.place, "%s: missing; want targets and every, because an unanswered page must end with somebody", o.about("last_resort"))
		} else {
			o.object(n, o.about("last_resort"), func(o *object) {
				p.LastResort = b.targets(o, "targets")
				p.LastResortEvery, _ = need(o, "every", aWait)
			})
		}
		p.AckExpires, _ = need(o, "ack_expires", aWait)
		p.NextMethodAfter, _ = need(o, "next_method_after", aWait)
		o.hold(p.Validate())
		b.policies[id] = p
	})
}

// targets reads a list of schedules and persons to page.
func (b *builder) targets(o *object, key string) []escalation.Target {
	var targets []escalation.Target
	for _, n := range o.items(key, some) {
		t, ok := value(o.reader, n, o.about(key), aTarget)
		if ok && o.knows(n.place, o.about(key), string(t.Kind), t.ID) {
			targets = append(targets, t)
		}
	}
	return targets
}

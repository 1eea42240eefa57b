package org

import (
	"fmt"

	"muster/internal/escalation"
)

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

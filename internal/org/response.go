package org

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/escalation"
	"muster/internal/incident"
)

// Whom what may page. The last resort and who stands for a role must be there in every incident.
var (
	aStepTarget = target(escalation.Schedule, escalation.Group, escalation.Person, escalation.Role, escalation.Engineer, escalation.Vendor)
	aRoleTarget = target(escalation.Schedule, escalation.Group, escalation.Person, escalation.Engineer)
	aLastTarget = target(escalation.Schedule, escalation.Group, escalation.Person)
	aPoolTarget = target(escalation.Schedule, escalation.Group)

	aNotification = oneOf("parallel", "in-order")
	aFewPeople    = in("a number of people from 1 to 10", between(1, escalation.MaxAcknowledgements))
)

// target is the form of a target of some kinds.
func target(kinds ...escalation.TargetKind) form[escalation.Target] {
	written := make([]string, len(kinds))
	for n, k := range kinds {
		switch written[n] = string(k) + ":ID"; k {
		case escalation.Role:
			written[n] = "role:ROLE"
		case escalation.Engineer:
			written[n] = "engineer"
		case escalation.Contact:
			written[n] = "contact:CUSTOMER/CONTACT"
		default:
		}
	}
	last := len(written) - 1
	want := strings.Join(written[:last], ", ") + " or " + written[last]
	return in(want, func(s string) (escalation.Target, bool) {
		t, err := escalation.ParseTarget(s)
		return t, err == nil && slices.Contains(kinds, t.Kind)
	})
}

// readPolicies reads escalation-policies.yaml.
func (b *builder) readPolicies(o *object) {
	o.entries("mitigations", "mitigation", optional, func(o *object, id string) {
		m := escalation.Mitigation{ID: id}
		m.Name, _ = need(o, "name", aName)
		m.Text, _ = need(o, "text", aProse)
		b.mitigations[id] = m
	})
	o.entries("escalation_policies", "policy", anyNumber, func(o *object, id string) {
		p := escalation.Policy{ID: id, Steps: b.readSteps(o)}
		for i, n := range o.items("variants", optional) {
			o.object(n, fmt.Sprintf("%s: variant %d", o.subject, i+1), func(o *object) {
				p.Variants = append(p.Variants, b.readVariant(o))
			})
		}
		p.Repeats, _ = need(o, "repeats", aNumber)
		if n := o.field("last_resort"); n.kind == absent {
			o.fault(n.place, "%s: missing; want targets and every, because an unanswered page must end with somebody", o.about("last_resort"))
		} else {
			o.object(n, o.about("last_resort"), func(o *object) {
				p.LastResort = b.targets(o, "targets", aLastTarget)
				p.LastResortEvery, _ = need(o, "every", aWait)
			})
		}
		p.AckExpires, _ = need(o, "ack_expires", aWait)
		p.NextMethodAfter, _ = need(o, "next_method_after", aWait)
		o.hold(p.Validate())
		b.policies[id] = p
	})
}

// readVariant reads for which priorities, or within or outside which calendar, other steps hold.
func (b *builder) readVariant(o *object) escalation.Variant {
	v := escalation.Variant{Priorities: readPriorities(o, "priorities"), Closed: o.has("out_of") && !o.has("in")}
	for _, key := range []string{"in", "out_of"} {
		if o.has(key) {
			v.Calendar, _ = o.ref(key, "calendar")
		}
	}
	if o.has("in") && o.has("out_of") {
		o.fault(o.field("out_of").place, "%s: in and out_of: want one of them", o.subject)
	}
	if !o.has("priorities") && !o.has("in") && !o.has("out_of") {
		o.fault(o.place, "%s: for every incident; want priorities, or a calendar as in or out_of", o.subject)
	}
	v.Steps = b.readSteps(o)
	return v
}

// readSteps reads the steps of a policy or of a variant.
func (b *builder) readSteps(o *object) (steps []escalation.Step) {
	for i, n := range o.items("steps", some) {
		o.object(n, fmt.Sprintf("%s: step %d", o.subject, i+1), func(o *object) {
			steps = append(steps, b.readStep(o))
		})
	}
	return steps
}

func (b *builder) readStep(o *object) escalation.Step {
	var s escalation.Step
	s.Targets = b.targets(o, "targets", aStepTarget)
	s.Wait, _ = need(o, "wait", aWait)
	if maybe(o, "notify", aNotification, "parallel") == "in-order" {
		s.Every, _ = need(o, "every", aWait)
	} else if n := o.field("every"); n.kind != absent {
		o.fault(n.place, "%s: want none, because all targets are paged at once; want notify: in-order with it", o.about("every"))
	}
	if s.Acknowledgements = maybe(o, "acknowledgements", aFewPeople, 0); s.Acknowledgements == 1 {
		s.Acknowledgements = 0 // as if it were left out
	}
	for _, id := range o.refs("mitigations", "mitigation", optional) {
		s.Mitigations = append(s.Mitigations, b.mitigations[id])
	}
	o.once("mitigations")
	return s
}

// targets reads a list of whom to page.
func (b *builder) targets(o *object, key string, f form[escalation.Target]) []escalation.Target {
	var targets []escalation.Target
	for _, n := range o.items(key, some) {
		if t, ok := value(o.reader, n, o.about(key), f); ok && b.knowsTarget(n.place, o.about(key), t) {
			targets = append(targets, t)
		}
	}
	return targets
}

// knowsTarget tells whether there is somebody to page for a target, and makes a fault of it when not.
func (b *builder) knowsTarget(at place, subject string, t escalation.Target) bool {
	switch t.Kind {
	case escalation.Schedule, escalation.Group, escalation.Person:
		return b.knows(at, subject, string(t.Kind), t.ID)
	case escalation.Role:
		if role := incident.Role(t.ID); !role.Valid() {
			b.fault(at, "%s %s: no such role; %s", subject, show(t.ID), b.hint(t.ID, words(incident.Roles())))
			return false
		}
	case escalation.Vendor:
		return b.knowsVendor(at, subject, t.ID)
	case escalation.Engineer, escalation.Contact:
	}
	return true
}

func words[T ~string](all []T) []string {
	out := make([]string, len(all))
	for n, s := range all {
		out[n] = string(s)
	}
	return out
}

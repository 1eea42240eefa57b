package org

import (
	"slices"
	"strings"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// The forms of what stands in support plans.
var (
	aCoverage = in(around+" or the ID of a calendar", aLine)
	aCause    = oneOf(supportplan.Causes()...)
	aWithin   = in("a time of more than 0s, such as 15m, 4h or 2d, where a day is 24 hours, at most 366d, or working days, such as 5 working days", within)
)

// around is the coverage that needs no calendar.
const around = "24x7"

// within reads a promised time.
func within(s string) (p supportplan.Promise, ok bool) {
	number, inDays := strings.CutSuffix(s, " working days")
	if s == "1 working day" {
		number, inDays = "1", true
	}
	if !inDays {
		p.Within, ok = duration(s)
		return p, ok && p.Within > 0
	}
	days, ok := between(1, 366)(number)
	if !ok || (days == 1) == strings.HasSuffix(s, "s") {
		return p, false
	}
	p.Days = days
	return p, true
}

// readPlans reads support-plans.yaml.
func (b *builder) readPlans(o *object) {
	o.entries("support_plans", "support plan", anyNumber, func(o *object, id string) {
		plan := supportplan.Plan{ID: id}
		plan.Name, _ = need(o, "name", aName)
		coverage := b.coverage(o, "coverage")
		plan.AtRisk, _ = need(o, "at_risk", aPercentage)
		plan.UpdateBy, _ = need(o, "update_by", anAuthor)
		plan.PauseFor = readPauseFor(o)
		plan.Confirm = b.readConfirm(o, coverage)
		o.object(o.field("targets"), o.about("targets"), func(o *object) {
			for _, p := range priority.All() {
				plan.Promises = append(plan.Promises, b.promises(o, p, coverage)...)
			}
			if len(o.fields) == 0 {
				o.fault(o.place, "%s: none; want what is promised, such as P1: {respond: 15m}", o.subject)
			}
		})
		o.hold(plan.Validate())
		b.plans[id] = plan
		b.readTerms(o, id)
	})
}

// coverage reads when a promise runs: the ID of a calendar, or nothing for around the clock.
func (b *builder) coverage(o *object, key string) string {
	id, ok := need(o, key, aCoverage)
	if !ok || id == around {
		return ""
	}
	t := b.table("calendar")
	if _, ok := t.places[id]; !ok && !t.unread {
		o.fault(o.field(key).place, "%s %s: want %s or a calendar; %s", o.about(key), show(id), around, b.hint(id, t.ids))
	}
	return id
}

// readConfirm reads how long a customer has to say whether what was resolved is fixed: working days of the coverage, or of a calendar
// of its own.
func (b *builder) readConfirm(o *object, coverage string) *supportplan.Confirmation {
	n := o.field("confirm")
	if n.kind == absent {
		return nil
	}
	c := &supportplan.Confirmation{Calendar: coverage}
	o.object(n, o.about("confirm"), func(o *object) {
		c.Days, _ = need(o, "within_days", someDays)
		if o.has("in") {
			c.Calendar, _ = o.ref("in", "calendar")
		} else if coverage == "" {
			o.fault(o.place, "%s: in: missing; want a calendar that says what a working day is, for the coverage is %s", o.subject, around)
		}
	})
	return c
}

// readPauseFor reads for whom clocks may stand still: for customers and vendors, where nothing else is said.
func readPauseFor(o *object) []supportplan.Cause {
	if !o.has("pause_for") {
		return supportplan.Causes()
	}
	causes := []supportplan.Cause{}
	for _, n := range o.items("pause_for", anyNumber) {
		if c, ok := value(o.reader, n, o.about("pause_for"), aCause); ok {
			causes = append(causes, c)
		}
	}
	o.once("pause_for")
	return causes
}

// promises reads the targets of one priority. What is left out is not promised.
func (b *builder) promises(o *object, p priority.Priority, coverage string) []supportplan.Promise {
	var promises []supportplan.Promise
	if n := o.field(p.String()); n.kind != absent {
		o.object(n, o.about(p.String()), func(o *object) {
			for _, t := range supportplan.Targets() {
				if o.has(string(t)) {
					x := b.promise(o, string(t), coverage)
					x.Priority, x.Target = p, t
					promises = append(promises, x)
				}
			}
		})
	}
	return promises
}

// promise reads a time, or a time with a calendar of its own.
func (b *builder) promise(o *object, key, coverage string) supportplan.Promise {
	var p supportplan.Promise
	if n := o.field(key); n.is(mapping) {
		o.object(n, o.about(key), func(o *object) {
			p, _ = need(o, "within", aWithin)
			p.Calendar = b.coverage(o, "in")
		})
	} else {
		p, _ = need(o, key, aWithin)
		p.Calendar = coverage
	}
	if p.Days > 0 && p.Calendar == "" {
		o.fault(o.field(key).place, "%s: working days: want a calendar as coverage, which says what a working day is", o.about(key))
	}
	return p
}

// pinned returns the calendars in which plans promise something, those on which the steps of a policy depend, and more, each once,
// in the order of their IDs.
func (b *builder) pinned(plans []supportplan.Plan, policy escalation.Policy, more ...string) (rules []calendar.Rules) {
	ids := slices.Concat(policy.Calendars(), more)
	for _, p := range plans {
		ids = append(ids, p.Calendars()...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id != "" {
			rules = append(rules, b.calendars[id])
		}
	}
	return rules
}

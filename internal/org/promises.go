package org

import (
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// readPlans reads support-plans.yaml.
func (b *builder) readPlans(o *object) {
	o.entries("support_plans", "support plan", anyNumber, func(o *object, id string) {
		plan := supportplan.Plan{ID: id}
		plan.Name, _ = need(o, "name", aName)
		need(o, "coverage", aCoverage)
		plan.AtRisk, _ = need(o, "at_risk", aPercentage)
		plan.UpdateBy, _ = need(o, "update_by", anAuthor)
		o.object(o.field("targets"), o.about("targets"), func(o *object) {
			for _, p := range priority.All() {
				plan.Promises = append(plan.Promises, b.promises(o, p)...)
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

// promises reads the targets of one priority. What is left out is not promised.
func (b *builder) promises(o *object, p priority.Priority) []supportplan.Promise {
	var promises []supportplan.Promise
	if n := o.field(p.String()); n.kind != absent {
		o.object(n, o.about(p.String()), func(o *object) {
			for _, t := range supportplan.Targets() {
				if o.has(string(t)) {
					within, _ := need(o, string(t), aWait)
					promises = append(promises, supportplan.Promise{Priority: p, Target: t, Within: within})
				}
			}
		})
	}
	return promises
}

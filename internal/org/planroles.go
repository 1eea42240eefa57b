package org

import (
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/planrun"
)

// PlanRoles returns the roles of a run of a plan that a person fills at an instant: who they are is found anew each time.
func (o *Organisation) PlanRoles(r *planrun.Run, person string, at time.Time) []string {
	var roles []string
	for _, role := range r.Plan.Roles {
		if slices.ContainsFunc(o.fillers(r.Filled(role.ID), at), func(to delivery.Recipient) bool { return to.ID == person }) {
			roles = append(roles, role.ID)
		}
	}
	return roles
}

// fillers are the people whom targets mean. A target that means nobody now keeps none of the others out.
func (o *Organisation) fillers(targets []escalation.Target, at time.Time) (all []delivery.Recipient) {
	for _, t := range targets {
		if t.Kind == escalation.Engineer {
			lists, _ := o.Engineers(t.ID, at)
			for _, list := range lists {
				all = append(all, list...)
			}
			continue
		}
		to, _ := o.Recipients(t, at)
		all = append(all, to...)
	}
	return slices.DeleteFunc(all, func(to delivery.Recipient) bool { return to.Shared })
}

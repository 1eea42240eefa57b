package org

import (
	"maps"
	"slices"

	"muster/internal/escalation"
)

// LastResorts returns whom the policies that page a schedule page when nothing else helps: each once, in the order of the
// policies' IDs.
func (o *Organisation) LastResorts(schedule string) []escalation.Target {
	var all []escalation.Target
	paged := escalation.Target{Kind: escalation.Schedule, ID: schedule}
	for _, id := range slices.Sorted(maps.Keys(o.policies)) {
		p := o.policies[id]
		if !slices.Contains(p.Targets(), paged) {
			continue
		}
		for _, t := range p.LastResort {
			if t != paged && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

package org

import "muster/internal/risk"

// readRisks reads whose levels a risk climbs that somebody escalates.
func (b *builder) readRisks(o *object) {
	if n := o.field("risks"); n.kind != absent {
		b.object(n, o.about("risks"), func(o *object) { b.risks, _ = o.ref("policy", "policy") })
	}
}

// Risk returns what the folder has to say of a risk that somebody escalates now: the levels of the policy for risks, or where there is
// none, of the service that it is about. What is wrong with it is a *risk.Fault.
func (o *Organisation) Risk(a risk.Asked) (risk.Pinned, error) {
	p := risk.Pinned{Revision: o.Revision, Organisation: o.Name, Zone: o.Zone.String()}
	policy, named := o.policies[o.risks]
	if a.Service != "" {
		s, known := o.services[a.Service]
		if !known {
			return p, &risk.Fault{Field: "service", Detail: show(a.Service) + "; want the id of a service in the organisation folder"}
		}
		if p.ServiceName = s.Service.Name; !named {
			policy, named = s.Policy, true
		}
	}
	if !named {
		return p, &risk.Fault{Field: "service", Detail: "missing; want the id of a service, because the organisation folder names no policy for risks"}
	}
	p.Policy, p.Levels = policy.ID, risk.Levels(policy)
	return p, nil
}

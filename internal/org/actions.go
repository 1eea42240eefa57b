package org

import (
	"muster/internal/action"
	"muster/internal/authority"
)

// Action returns what the folder has to say of an action item now. What is wrong with it is an *action.Fault.
func (o *Organisation) Action(a action.Asked) (action.Pinned, error) {
	p := action.Pinned{Organisation: o.Name, Zone: o.Zone.String()}
	owner, known := o.people[a.Owner]
	if !known || o.parties[owner.party].Kind != authority.Provider {
		return p, &action.Fault{Field: "owner", Detail: show(a.Owner) + "; want the id of one of the provider's people in the organisation folder"}
	}
	p.OwnerName = owner.Name
	if p.GroupName = o.groups[a.Group].Name; p.GroupName == "" {
		return p, &action.Fault{Field: "group", Detail: show(a.Group) + "; want the id of a group in the organisation folder"}
	}
	if id := a.Origin.Customer; id != "" {
		if o.parties[id].Kind != authority.Customer {
			return p, &action.Fault{Field: "customer", Detail: show(id) + "; want the id of a customer in the organisation folder"}
		}
		p.CustomerName = o.parties[id].Name
	}
	if id := a.Origin.Service; id != "" {
		s, known := o.services[id]
		if !known {
			return p, &action.Fault{Field: "service", Detail: show(id) + "; want the id of a service in the organisation folder"}
		}
		p.ServiceName = s.Service.Name
	}
	if x := a.Proposal; x != nil && x.Shelf == action.Runbook {
		ids := make([]string, 0, len(o.Runbooks()))
		for _, rb := range o.Runbooks() {
			ids = append(ids, rb.ID)
		}
		if _, plain := anID.read(x.ID); !plain {
			return p, &action.Fault{Field: "proposal", Detail: show(x.ID) + "; want the id of a runbook, one that there is or should be: " + anID.want + "; " + hint(x.ID, ids)}
		}
	}
	return p, nil
}

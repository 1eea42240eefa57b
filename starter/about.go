package starter

import (
	"muster/internal/authority"
	"muster/internal/incident"
)

// About is an incident or its review as authority sees it, with the partners and vendors of its service as they are now.
func About(k authority.Kind, i *incident.Incident, partners []string) authority.Object {
	o := authority.Object{Kind: k, Partners: partners, Restricted: i.Definition.Restricted(), Involved: i.Involved}
	for _, c := range i.Definition.Customers {
		o.Customers = append(o.Customers, c.ID)
	}
	return o
}

package org

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/plan"
)

// noticePlan is the ID of the plan that is started for what a vendor says of its product. An organisation may have one of its own in its place.
const noticePlan = "vendor-notice"

// assetOwner is the role in it that those fill who answer for the assets.
const assetOwner = "asset-owner"

// A Concerned customer has assets that a notice of a vendor is about.
type Concerned struct {
	Customer asset.Named
	Assets   []string // IDs, in the order of the folder
	Start    PlanStart
}

// Concerned returns whom a notice of a vendor concerns as the folder is now, in the order of its assets, and what is started for each of them.
func (o *Organisation) Concerned(n asset.Notice) (all []Concerned) {
	var assets [][]asset.Asset
	for _, a := range o.Assets() {
		if !n.Concerns(&a) {
			continue
		}
		k := slices.IndexFunc(all, func(c Concerned) bool { return c.Customer.ID == a.Customer.ID })
		if k < 0 {
			k = len(all)
			all, assets = append(all, Concerned{Customer: a.Customer}), append(assets, nil)
		}
		all[k].Assets, assets[k] = append(all[k].Assets, a.ID), append(assets[k], a)
	}
	for k := range all {
		all[k].Start = o.noticed(&n, all[k].Customer.ID, assets[k])
	}
	return all
}

// VendorID is what a vendor is known by: the ID of a party that is one, by its ID or its name, else what was said, in small letters.
func (o *Organisation) VendorID(said string) string {
	said = strings.TrimSpace(said)
	for _, id := range slices.Sorted(maps.Keys(o.parties)) {
		if p := o.parties[id]; p.Kind == authority.Vendor && (strings.EqualFold(said, id) || strings.EqualFold(said, p.Name)) {
			return id
		}
	}
	return strings.ToLower(said)
}

// noticed is what is started for a customer of whom a notice concerns some assets. Those who answer for the assets do the work.
func (o *Organisation) noticed(n *asset.Notice, customer string, assets []asset.Asset) PlanStart {
	s := PlanStart{Plan: noticePlan, Customer: customer, Environments: map[string]string{}, Parameters: map[string]string{}}
	p, err := o.PlanOf(noticePlan)
	if err != nil { // StartPlan says so
		return s
	}
	var ids, names []string
	for _, a := range assets {
		ids, names = append(ids, a.ID), append(names, fmt.Sprintf("%s (%s)", a.Name, strings.Join(strings.Fields(a.Product+" "+a.Version), " ")))
	}
	vendor := n.Vendor
	if v, known := o.parties[o.VendorID(n.Vendor)]; known {
		vendor = v.Name
	}
	for id, v := range map[string]string{
		"vendor": vendor, "reference": n.Reference, "title": n.Title, "detail": clip(n.Detail(), maxAnnounced-1), "link": n.URL, "assets": strings.Join(ids, ","),
		"names": clip(strings.Join(names, ", "), maxAnnounced-1), "act-by": n.By.String(),
	} {
		if slices.ContainsFunc(p.Definition.Parameters, func(x plan.Parameter) bool { return x.ID == id }) && v != "" {
			s.Parameters[id] = v
		}
	}
	for _, e := range p.Definition.Environments {
		if where := o.noticedIn(customer, e.Production, assets); where != "" && len(p.Definition.Environments) == 1 {
			s.Environments[e.ID] = where
		}
	}
	s.roles = map[string][]escalation.Target{assetOwner: o.assetOwners(assets)}
	return s
}

// noticedIn is the environment of a customer in which a notice is seen to: that of an asset where it will do, else any.
func (o *Organisation) noticedIn(customer string, production bool, assets []asset.Asset) (id string) {
	for _, e := range o.Environments(customer) {
		if e.Production != production {
			continue
		}
		if slices.ContainsFunc(assets, func(a asset.Asset) bool { return a.Environment.ID == e.ID }) {
			return e.ID
		}
		if id == "" {
			id = e.ID
		}
	}
	return id
}

// assetOwners are who answers for some assets: their owners, and those of the services of assets that have none.
func (o *Organisation) assetOwners(assets []asset.Asset) (all []escalation.Target) {
	for _, a := range assets {
		var owners []escalation.Target
		if a.Owner != nil {
			owners = []escalation.Target{a.Owner.Target}
		}
		for _, x := range a.Services {
			if s := o.services[x.ID]; s != nil && a.Owner == nil {
				targets, _ := s.owners()
				owners = append(owners, targets...)
			}
		}
		for _, t := range owners {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

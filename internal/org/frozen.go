package org

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"muster/internal/changecalendar"
	"muster/internal/freeze"
)

// FrozenBetween returns the freezes of the folder that have a part between two instants, each with the environments in which it holds, their
// services and whose they are.
func (o *Organisation) FrozenBetween(from, until time.Time) ([]changecalendar.Entry, error) {
	rules, err := o.FreezeRules("")
	if err != nil {
		return nil, err
	}
	times, err := freeze.New(freeze.Rules{Freezes: rules.Freezes}, nil, time.LoadLocation)
	if err != nil {
		return nil, err
	}
	var all []changecalendar.Entry
	for _, r := range times.Spans(from.In(o.Zone), until.In(o.Zone)) {
		e := changecalendar.Entry{Kind: changecalendar.Freeze, ID: r.ID, Title: cmp.Or(r.Name, r.ID), Status: r.Reason, From: r.From, Until: r.Until}
		for _, id := range slices.Sorted(maps.Keys(o.customers)) {
			o.customers[id].frozen(id, r.ID, &e)
		}
		all = append(all, e)
	}
	return all, nil
}

// frozen adds to an entry where a freeze holds in the environments of a customer.
func (c customer) frozen(id, frozen string, e *changecalendar.Entry) {
	for _, x := range c.environments {
		if !slices.ContainsFunc(x.Rules.Freezes, func(f freeze.Freeze) bool { return f.ID == frozen }) {
			continue
		}
		e.Environments = append(e.Environments, id+"/"+x.ID)
		if !slices.Contains(e.Customers, id) {
			e.Customers = append(e.Customers, id)
		}
		for _, s := range x.Services {
			if !slices.Contains(e.Services, s) {
				e.Services = append(e.Services, s)
			}
		}
	}
}

package org

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/calendar"
	"muster/internal/request"
	"muster/internal/supportplan"
)

// Request returns what a customer asks for, with the feature that it means, and what the folder has to say of it now. What is
// wrong with it is a *request.Fault.
func (o *Organisation) Request(a request.Asked) (request.Asked, request.Pinned, error) {
	e, err := o.Entitlement(a.Customer)
	if err != nil {
		return a, request.Pinned{}, &request.Fault{Field: "customer", Detail: show(a.Customer) + "; want the id of a customer in the organisation folder"}
	}
	if a, err = meant(a, e); err != nil {
		return a, request.Pinned{}, err
	}
	open, err := o.Open(e.Terms.HoursOf(a.Channel), a.Received)
	if err != nil {
		return a, request.Pinned{}, err
	}
	plan := o.plans[e.Contract.Plan]
	p := request.Pinned{
		Revision: o.Revision, Organisation: o.Name, Zone: o.Zone.String(), CustomerName: o.parties[a.Customer].Name, Plan: plan.Name,
		Entitlement: e.Of(a.Kind, a.Feature), Promises: e.Terms.Promises(a.Kind), AtRisk: plan.AtRisk,
		Uncounted: e.Check(supportplan.Request{Kind: a.Kind, Feature: a.Feature, At: a.Received, Zone: o.Zone, Hours: open}),
	}
	for n := range p.Promises {
		p.Promises[n].Priority = request.Priority
	}
	if id, named := e.Terms.Coverage.Calendar(); named {
		p.Calendars = []calendar.Rules{o.calendars[id]}
	}
	if p.Confirm = plan.Confirm; p.Confirm == nil && a.Begun == "" { // whoever has asked can say that an answer is not enough, whatever its plan says
		hours, _ := e.Terms.Coverage.Calendar()
		p.Confirm = &supportplan.Confirmation{Days: objection, Calendar: hours}
	}
	if p.Confirm != nil {
		named := func(r calendar.Rules) bool { return r.ID == p.Confirm.Calendar }
		if rules, ok := o.calendars[p.Confirm.Calendar]; ok && !slices.ContainsFunc(p.Calendars, named) {
			p.Calendars = append(p.Calendars, rules)
		}
	}
	if p.Needs = o.needs[a.Kind]; len(p.Needs) == 0 { // the kind may be that of a plan's targets, and the feature that of its table
		p.Needs = o.needs[a.Feature]
	}
	return a, p, nil
}

// objection is in how many working days a customer may object to an answer where its support plan says nothing else.
const objection = 5

// readNeeds reads what engineering has to know before a request of some kind is handed over to it.
func (b *builder) readNeeds(o *object) {
	o.each("requests", "kind of request", func(o *object, kind string) {
		for i, n := range o.items("needs", some) {
			o.object(n, fmt.Sprintf("%s: need %d", o.subject, i+1), func(o *object) {
				id, _ := need(o, "id", anID)
				if slices.ContainsFunc(b.needs[kind], func(n request.Need) bool { return n.ID == id }) {
					o.fault(o.place, "%s: id %s: named already", o.subject, show(id))
				}
				b.needs[kind] = append(b.needs[kind], request.Need{ID: id, Name: o.words("name", aName)})
			})
		}
	})
}

// meant finds the feature that is meant. What a plan with a table or with kinds of requests does not know is refused; where it
// has neither, a person decides.
func meant(a request.Asked, e supportplan.Entitlement) (request.Asked, error) {
	has := func(feature string) bool { _, ok := e.Table.Feature(feature); return ok }
	promised := len(e.Terms.Promises(a.Kind)) > 0
	var kinds []string
	for _, r := range e.Terms.Requests {
		if !slices.Contains(kinds, r.Kind) {
			kinds = append(kinds, r.Kind)
		}
	}
	rows := ""
	if e.Table.ID != "" {
		rows = fmt.Sprintf("the id of a feature of the entitlement table %s, which muster explain plan %s shows", e.Table.ID, e.Contract.Plan)
		kinds = append(kinds, rows)
	}
	_, plain := anID.read(a.Kind)
	switch {
	case !plain:
		return a, &request.Fault{Field: "kind", Detail: show(a.Kind) + "; want " + anID.want}
	case a.Feature != "" && !has(a.Feature):
		if rows == "" {
			rows = "none, because the support plan has no entitlement table"
		}
		return a, &request.Fault{Field: "feature", Detail: show(a.Feature) + "; want " + rows}
	case a.Feature == "" && has(a.Kind):
		a.Feature = a.Kind
	case a.Feature == "" && !promised && len(kinds) > 0:
		return a, &request.Fault{Field: "kind", Detail: show(a.Kind) + "; want " + strings.Join(kinds, ", or ") + meantKind(a.Kind, e)}
	}
	return a, nil
}

// meantKind asks whether a kind or a feature that is spelt alike was meant.
func meantKind(kind string, e supportplan.Entitlement) string {
	var known []string
	for _, r := range e.Terms.Requests {
		known = append(known, r.Kind)
	}
	known = append(known, e.Table.Features()...)
	near := nearest(kind, known)
	for _, id := range known { // enquiry, enquiries
		if near == "" && len(kind) > 5 && strings.HasPrefix(id, kind[:len(kind)-1]) {
			near = id
		}
	}
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

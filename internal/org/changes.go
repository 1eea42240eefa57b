package org

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/plan"
	"muster/internal/planrun"
)

// changeRules are what the folder says of changes.
type changeRules struct {
	classes      []change.Class // the least risky first; none: nobody may ask for changes
	irreversible string         // class that one which cannot be undone has at least
	standard     []change.PreApproved
	emergency    *change.Afterwards
	remind       change.Idle
	announce     []time.Duration // so long before they begin, the longest first
}

var (
	anApprover = target(escalation.Role, escalation.Schedule, escalation.Group, escalation.Person)
	aParagraph = in("text of at most 2000 characters", func(s string) (string, bool) { return s, strings.TrimSpace(s) != "" && len([]rune(s)) <= 2000 })
	aFixed     = in("the value of a parameter, of at most 1000 characters", aLabelValue.read)
	someUses   = whole("a number of uses", 1, 1000)
)

const (
	usualRemind  = 2 // working days
	maxOfChanges = 50
	maxAhead     = 5 // times at which a change is announced
)

// readChanges reads changes.yaml.
func (b *builder) readChanges(o *object) {
	o.subject = "changes"
	r := &b.changes
	o.entries("classes", "class", some, func(o *object, id string) {
		c := change.Class{ID: id}
		c.Name, _ = need(o, "name", aName)
		o.object(o.field("approve"), o.about("approve"), func(p *object) { c.Approval = b.readApproval(p) })
		own := o.about("checks")
		seen := []string{}
		for n, item := range o.few("checks", 20) {
			o.object(item, fmt.Sprintf("%s %d", own, n+1), func(o *object) {
				k := change.Check{}
				k.ID, _ = need(o, "id", anID)
				k.Text, _ = need(o, "text", aName)
				for _, n := range o.few("by", maxContacts) {
					if t, ok := value(o.reader, n, o.about("by"), aLastTarget); ok && b.knowsTarget(n.place, o.about("by"), t) {
						k.By = append(k.By, t)
					}
				}
				if k.Plan = maybe(o, "plan", anID, ""); k.Plan != "" {
					b.afterwards(func() { b.wantPlan(o, k.Plan) })
				}
				if slices.Contains(seen, k.ID) && k.ID != "" {
					o.fault(o.field("id").place, "%s %s: named twice", o.about("id"), show(k.ID))
				}
				seen = append(seen, k.ID)
				c.Checks = append(c.Checks, k)
			})
		}
		r.classes = append(r.classes, c)
	})
	if o.has("irreversible") {
		r.irreversible, _ = o.ref("irreversible", "class")
	}
	days := maybe(o, "remind_after_days", someDays, usualRemind)
	r.remind = change.Idle{Days: days}
	if r.remind.Calendar, _ = o.ref("in", "calendar"); r.remind.Calendar == "" {
		r.remind = change.Idle{Within: time.Duration(days) * 24 * time.Hour}
	}
	for _, n := range o.few("announce", maxAhead) {
		if d, ok := value(o.reader, n, o.about("announce"), aWait); ok {
			r.announce = append(r.announce, d)
		}
	}
	o.once("announce")
	slices.SortFunc(r.announce, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	o.entries("standard", "standard change", optional, b.readStandard)
	if n := o.field("emergency"); n.kind != absent {
		b.object(n, o.about("emergency"), func(o *object) {
			e := &change.Afterwards{}
			o.object(o.field("approve"), o.about("approve"), func(o *object) { e.Approval = b.readApproval(o) })
			e.Within, _ = need(o, "within", aWait)
			if o.has("in") {
				e.Calendar, _ = o.ref("in", "calendar")
			}
			e.Escalate = b.targets(o, "escalate", aLastTarget)
			r.emergency = e
		})
	}
}

// wantPlan makes a fault of a plan that is not there.
func (b *builder) wantPlan(o *object, id string) {
	if _, err := b.org.PlanOf(id); err != nil && !o.asking {
		o.fault(o.field("plan").place, "%s: %s", o.subject, err)
	}
}

// readApproval reads who votes, and how many have to say yes. Whoever has asked never does.
func (b *builder) readApproval(o *object) (a change.Approval) {
	a.Rule.Exclude.Requester = true
	by := o.about("by")
	for _, n := range o.items("by", some) {
		t, ok := value(o.reader, n, by, anApprover)
		if !ok || t.Kind != escalation.Role && !b.knowsTarget(n.place, by, t) {
			continue
		}
		role := string(t.Kind) + ":" + t.ID
		a.Rule.Voters = append(a.Rule.Voters, approval.Voter{Party: authority.Provider, Role: role})
		a.Approvers = append(a.Approvers, change.Approver{Role: role, Targets: []escalation.Target{t}})
		if p := b.people[t.ID].party; t.Kind == escalation.Person && b.parties[p].Kind != authority.Provider {
			o.fault(n.place, "%s %s: of party %s; want one of your own people", by, show(t.ID), p)
		}
	}
	o.once("by")
	each := maybe(o, "each", aBool, false)
	a.Rule.Need = approval.Need{Count: maybe(o, "count", aVoteCount, 0)}
	switch {
	case each && o.field("count").kind != absent && !o.asking:
		o.fault(o.field("count").place, "%s: count and each; want one of them", o.subject)
	case each:
		a.Rule.Need = approval.Need{Each: approval.EachRole}
	case a.Rule.Need.Count == 0:
		a.Rule.Need.Count = 1
	}
	approvers := a.Approvers
	b.afterwards(func() { b.fillApprovers(o, approvers) })
	return a
}

// fillApprovers finds who is meant by roles of the organisation.
func (b *builder) fillApprovers(o *object, all []change.Approver) {
	for n, a := range all {
		t := a.Targets[0]
		if t.Kind != escalation.Role {
			continue
		}
		var ids []string
		for _, r := range b.planRoles {
			if ids = append(ids, r.ID); r.ID == t.ID {
				all[n].Targets = r.Targets
			}
		}
		at := o.field("by").place
		if !slices.Contains(ids, t.ID) {
			o.fault(at, "%s %s: no such role of the organisation; %s", o.about("by"), show(t.ID), b.hint(t.ID, ids))
		} else if slices.ContainsFunc(all[n].Targets, func(t escalation.Target) bool { return t.Kind == escalation.Engineer }) {
			o.fault(at, "%s %s: it means the engineer of a customer; want a role that does not depend on one", o.about("by"), show(t.ID))
		}
	}
}

// readStandard reads a change that is approved before anybody asks for it.
func (b *builder) readStandard(o *object, id string) {
	s := change.PreApproved{ID: id}
	s.Name, _ = need(o, "name", aName)
	s.Scenario, _ = need(o, "scenario", aParagraph)
	s.Class, _ = o.ref("class", "class")
	s.Services = o.refs("services", "service", some)
	s.Customers = o.refs("customers", "customer", optional)
	for _, n := range o.few("environments", maxOfChanges) {
		if id, ok := value(o.reader, n, o.about("environments"), anID); ok {
			s.Environments = append(s.Environments, id)
		}
	}
	s.Plan, s.Runbook = maybe(o, "plan", anID, ""), maybe(o, "runbook", aWord, "")
	for _, p := range pairs(o, "parameters", aFixed, optional) {
		s.Fixed = append(s.Fixed, change.Given{ID: p.key, Value: p.value})
	}
	for _, n := range o.few("free", maxOfChanges) {
		if id, ok := value(o.reader, n, o.about("free"), anID); ok {
			s.Free = append(s.Free, id)
		}
	}
	o.once("free")
	if person, ok := o.ref("approved_by", "person"); ok {
		s.ApprovedBy = b.people[person].Name
	}
	on, _ := need(o, "approved_on", aDate)
	until, _ := need(o, "until", aDate)
	s.ApprovedOn, s.Until = on.String(), until.String()
	if b.org.Zone != nil && until != 0 {
		day, _ := time.ParseInLocation(time.DateOnly, s.Until, b.org.Zone)
		s.Ends = day.AddDate(0, 0, 1)
	}
	if on != 0 && until != 0 && until < on {
		o.fault(o.field("until").place, "%s %s: before it was approved on %s", o.about("until"), s.Until, s.ApprovedOn)
	}
	if n := o.field("most"); n.kind != absent {
		b.object(n, o.about("most"), func(o *object) {
			s.Most, _ = need(o, "uses", someUses)
			s.Per, _ = need(o, "within", aWait)
		})
	}
	n := len(b.changes.standard)
	b.changes.standard = append(b.changes.standard, s)
	b.afterwards(func() { b.bindStandard(o, &b.changes.standard[n]) })
}

// bindStandard finds what a standard change becomes or is done by.
func (b *builder) bindStandard(o *object, s *change.PreApproved) {
	if o.asking {
		return
	}
	var known []string
	for _, c := range b.customers {
		for _, e := range c.environments {
			known = append(known, e.ID)
		}
	}
	for _, e := range s.Environments {
		if !slices.Contains(known, e) {
			o.fault(o.field("environments").place, "%s %s: no such environment of any customer; %s", o.about("environments"), show(e), b.hint(e, known))
		}
	}
	switch {
	case s.Plan != "" && s.Runbook != "":
		o.fault(o.field("runbook").place, "%s: a plan and a runbook; want one of them", o.subject)
	case s.Runbook != "":
		if _, ok := b.runbooks[s.Runbook]; !ok {
			o.fault(o.field("runbook").place, "%s %s: no such runbook", o.about("runbook"), show(s.Runbook))
		}
	case s.Plan == "" && len(s.Fixed)+len(s.Free) > 0:
		o.fault(o.place, "%s: parameters without a plan; want the plan that has them", o.subject)
	case s.Plan != "":
		p, err := b.org.PlanOf(s.Plan)
		if err != nil {
			o.fault(o.field("plan").place, "%s: %s", o.subject, err)
			return
		}
		s.PlanSHA256 = p.SHA256
		has := func(id string) bool {
			return slices.ContainsFunc(p.Definition.Parameters, func(x plan.Parameter) bool { return x.ID == id })
		}
		for _, f := range s.Fixed {
			if !has(f.ID) {
				o.fault(o.field("parameters").place, "%s %s: plan %s has no such parameter", o.about("parameters"), show(f.ID), s.Plan)
			}
		}
		for _, id := range s.Free {
			if !has(id) || slices.ContainsFunc(s.Fixed, func(f change.Given) bool { return f.ID == id }) {
				o.fault(o.field("free").place, "%s %s: want a parameter of plan %s that has no value under parameters", o.about("free"), show(id), s.Plan)
			}
		}
	}
}

// doubtfulChanges warns of pre-approvals that end, or have ended.
func (b *builder) doubtfulChanges(w *reader, now time.Time) {
	const soon = 30 * 24 * time.Hour
	for _, s := range b.changes.standard {
		at := w.placeOf("standard change", s.ID)
		switch {
		case !now.Before(s.Ends):
			w.fault(at, "standard change %s: it was approved until %s, and is not any more; want it approved anew, or taken out", s.ID, s.Until)
		case s.Ends.Sub(now) < soon:
			w.fault(at, "standard change %s: it is approved until %s only; want it approved anew before that", s.ID, s.Until)
		}
	}
}

// StandardChanges are those that are approved before anybody asks for them, in the order of the folder.
func (o *Organisation) StandardChanges() []change.PreApproved { return o.changes.standard }

// Change returns what somebody asks for, filled in, with what the folder has to say of it now. What is wrong with it is a *change.Fault,
// and of the plan that it becomes a *PlanRefusal.
func (o *Organisation) Change(a change.Asked, now time.Time) (change.Asked, change.Pinned, error) {
	wrong := func(field, format string, args ...any) (change.Asked, change.Pinned, error) {
		return a, change.Pinned{}, &change.Fault{Field: field, Detail: fmt.Sprintf(format, args...)}
	}
	r := &o.changes
	p := change.Pinned{Revision: o.Revision, Organisation: o.Name, Zone: o.Zone.String(), Classes: r.classes, Remind: r.remind, Patient: true, Timely: true, Announce: r.announce}
	if len(r.classes) == 0 {
		return wrong("way", "the organisation folder has no %s; want one that says who approves changes", changesFile)
	}
	if a.Standard != "" {
		n := slices.IndexFunc(r.standard, func(s change.PreApproved) bool { return s.ID == a.Standard })
		if n < 0 {
			return wrong("standard", "%s; want the id of a standard change that muster change standard --list shows", show(a.Standard))
		}
		p.PreApproved = &r.standard[n]
		a = use(a, p.PreApproved)
	}
	if a.Way == change.Emergency {
		if r.emergency == nil {
			return wrong("way", "the organisation folder says nothing of emergencies; want emergency in %s", changesFile)
		}
		p.Afterwards = r.emergency
	}
	if a.Until.IsZero() && a.Way != change.Normal {
		a.Until = now.Add(24 * time.Hour)
		if a.From.After(now) {
			a.Until = a.From.Add(24 * time.Hour)
		}
	}
	if a.Class != "" && !slices.ContainsFunc(r.classes, func(c change.Class) bool { return c.ID == a.Class }) {
		var ids []string
		for _, c := range r.classes {
			ids = append(ids, c.ID)
		}
		return wrong("class", "%s; want %s", show(a.Class), strings.Join(ids, ", "))
	}
	if !a.Reversible && a.Way != change.Standard {
		p.Floor = r.irreversible
	}
	if err := o.concerned(&a, &p); err != nil {
		return a, p, err
	}
	var terms planrun.Terms
	if a.Plan != nil {
		var err error
		if terms, err = o.ChangePlan(*a.Plan); err != nil {
			return a, p, err
		}
		filled := *a.Plan
		filled.Lines = (&planrun.Run{Terms: terms}).Lines("")
		a.Plan = &filled
	}
	if err := o.changesAssets(&a, &p, terms); err != nil {
		return a, p, err
	}
	for _, id := range []string{r.remind.Calendar, calendarOf(p.Afterwards)} {
		rules, ok := o.calendars[id]
		if ok && !slices.ContainsFunc(p.Calendars, func(c calendar.Rules) bool { return c.ID == id }) {
			p.Calendars = append(p.Calendars, rules)
		}
	}
	return a, p, nil
}

func calendarOf(e *change.Afterwards) string {
	if e == nil {
		return ""
	}
	return e.Calendar
}

// use fills in what a standard change says for whoever uses it.
func use(a change.Asked, s *change.PreApproved) change.Asked {
	a.Title, a.Kind = cmp.Or(a.Title, s.Name), cmp.Or(a.Kind, change.Changed)
	a.Text = strings.TrimSpace(a.Text + "\n" + s.Scenario)
	if len(a.Services) == 0 {
		a.Services = slices.Clone(s.Services)
	}
	if p := a.Plan; p != nil {
		filled := *p
		filled.ID = cmp.Or(p.ID, s.Plan)
		filled.Parameters = slices.Clone(p.Parameters)
		for _, f := range s.Fixed {
			if !slices.ContainsFunc(p.Parameters, func(g change.Given) bool { return g.ID == f.ID }) {
				filled.Parameters = append(filled.Parameters, f)
			}
		}
		a.Plan = &filled
	}
	return a
}

// concerned finds the services, their owners, and whom it concerns beside them.
func (o *Organisation) concerned(a *change.Asked, p *change.Pinned) error {
	named := func(all *[]change.Named, id, name string) {
		if !slices.ContainsFunc(*all, func(n change.Named) bool { return n.ID == id }) {
			*all = append(*all, change.Named{ID: id, Name: name})
		}
	}
	var owners, served []string
	for _, id := range a.Services {
		s, ok := o.services[id]
		if !ok {
			return &change.Fault{Field: "services", Detail: show(id) + "; want the id of a service in the organisation folder"}
		}
		named(&p.ServiceNames, id, s.Service.Name)
		targets, name := s.owners()
		for _, t := range targets {
			if !slices.Contains(p.Owners, t) {
				p.Owners = append(p.Owners, t)
			}
		}
		if !slices.Contains(owners, name) {
			owners = append(owners, name)
		}
		for _, x := range o.Partners(id) {
			if !slices.Contains(p.Partners, x) {
				p.Partners = append(p.Partners, x)
			}
		}
		for _, c := range s.Customers {
			if served = append(served, c.ID); len(a.Customers) == 0 {
				named(&p.CustomerNames, c.ID, c.Name)
			}
		}
	}
	p.OwnerNames, p.Neighbours = strings.Join(owners, ", "), o.neighbours(a.Services, p.Owners)
	customers := a.Customers
	if a.Plan != nil {
		customers = append(slices.Clone(customers), a.Plan.Customer)
	}
	for _, id := range customers {
		if _, ok := o.customers[id]; !ok {
			return &change.Fault{Field: "customers", Detail: show(id) + "; want the id of a customer in the organisation folder"}
		}
		if len(served) > 0 && !slices.Contains(served, id) {
			slices.Sort(served)
			return &change.Fault{Field: "customers", Detail: show(id) + ": has none of these services; want of " + strings.Join(slices.Compact(served), ", ")}
		}
		named(&p.CustomerNames, id, o.parties[id].Name)
	}
	return nil
}

// changesAssets finds the assets that a change names. Each has one of its services and concerns one of its customers; where a plan says in
// which environments it works, it stands in one of them.
func (o *Organisation) changesAssets(a *change.Asked, p *change.Pinned, terms planrun.Terms) error {
	wrong := func(id, format string, args ...any) error {
		return &change.Fault{Field: "assets", Detail: show(id) + ": " + fmt.Sprintf(format, args...)}
	}
	for _, id := range a.Assets {
		x, ok := o.Asset(id)
		serves := func(s asset.Named) bool { return slices.Contains(a.Services, s.ID) }
		stands := func(e planrun.Bound) bool { return e.Environment == x.Environment.ID }
		switch {
		case !ok:
			return &change.Fault{Field: "assets", Detail: show(id) + "; want the id of an asset in the organisation folder"}
		case slices.ContainsFunc(p.AssetNames, func(n change.Named) bool { return n.ID == id }):
			return wrong(id, "named twice")
		case !slices.ContainsFunc(x.Services, serves):
			return wrong(id, "it has none of the services %s; want an asset of a service that is changed", strings.Join(a.Services, ", "))
		case !slices.ContainsFunc(p.CustomerNames, func(n change.Named) bool { return n.ID == x.Customer.ID }):
			return wrong(id, "it is customer %s's, whom the change does not concern; want an asset of a customer whom it concerns", x.Customer.ID)
		case a.Plan != nil && (a.Plan.Customer != x.Customer.ID || !slices.ContainsFunc(terms.Environments, stands)):
			return wrong(id, "it stands in %s/%s, where the plan does not work; want an asset of an environment of the plan", x.Customer.ID, x.Environment.ID)
		}
		p.AssetNames = append(p.AssetNames, change.Named{ID: id, Name: x.Name})
	}
	return nil
}

// owners are who answers for a service: its owner, else the last resort of its policy.
func (s *service) owners() (targets []escalation.Target, name string) {
	if s.Owner != nil {
		return []escalation.Target{s.Owner.Target}, s.Owner.Name
	}
	return s.Policy.LastResort, escalation.Shown(s.Policy.LastResort)
}

// neighbours are the owners of services that need one of some, but for those who own these.
func (o *Organisation) neighbours(services []string, owners []escalation.Target) (all []escalation.Target) {
	for _, id := range slices.Sorted(maps.Keys(o.depends)) {
		s := o.services[id]
		needs := slices.ContainsFunc(o.depends[id], func(d dependency) bool { return slices.Contains(services, d.on) })
		if !needs || s == nil || s.Owner == nil || slices.Contains(services, id) {
			continue
		}
		if t := s.Owner.Target; !slices.Contains(owners, t) && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// ChangePlan returns the terms of the run that a change becomes. What is wrong with it is a *PlanRefusal.
func (o *Organisation) ChangePlan(p change.Plan) (planrun.Terms, error) {
	values := func(all []change.Given) map[string]string {
		m := map[string]string{}
		for _, g := range all {
			m[g.ID] = g.Value
		}
		return m
	}
	return o.StartPlan(PlanStart{Plan: p.ID, Customer: p.Customer, Environments: values(p.Environments), Parameters: values(p.Parameters)})
}

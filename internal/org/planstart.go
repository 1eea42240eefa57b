package org

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/plan"
	"muster/internal/planrun"
)

// A PlanStart is what somebody starts a plan with.
type PlanStart struct {
	Plan         string            // ID of one of the folder's, or of those that are shipped; or
	File         string            // the name of one that is brought, and
	Content      []byte            // its YAML
	Customer     string            // ID
	Environments map[string]string // of the customer, by those of the plan
	Parameters   map[string]string

	roles map[string][]escalation.Target // whom it finds in a role, beside those that the folder has
}

// A PlanRefusal is why a plan cannot be started so. The file of a fault is the field of the start that is wrong.
type PlanRefusal struct{ Faults []Fault }

// Error says all of it.
func (r *PlanRefusal) Error() string {
	parts := make([]string, len(r.Faults))
	for n, f := range r.Faults {
		parts[n] = f.String()
	}
	return "start plan: " + strings.Join(parts, "; ")
}

// StartPlan returns the terms of a run: the plan with its parameters filled in, and everything that the folder has to say of it now. Its
// error is a *Refusal of a plan that is brought, or a *PlanRefusal with all that is wrong with the rest.
func (o *Organisation) StartPlan(s PlanStart) (planrun.Terms, error) {
	p, err := o.planOf(s)
	if err != nil {
		return planrun.Terms{}, err
	}
	c := &starting{Organisation: o, given: s}
	terms := planrun.Terms{Customer: s.Customer}
	if _, ok := o.customers[s.Customer]; !ok {
		c.fault("customer", "%s; want the id of a customer in the organisation folder; %s", show(s.Customer), hint(s.Customer, slices.Sorted(maps.Keys(o.customers))))
		return terms, c.refusal()
	}
	terms.CustomerName = o.parties[s.Customer].Name
	c.environments(&terms, p.Definition)
	terms.Pinned = c.pin(p, terms.Environments)
	return terms, c.refusal()
}

// TaskLengths reads how long tasks of a plan take, as somebody says who looks at it: a time such as 2h, or working days such as 3d,
// by the ID of the task. Its error is a *PlanRefusal.
func TaskLengths(d *plan.Definition, given map[string]string) (map[string]plan.Length, error) {
	c := &starting{}
	lengths := map[string]plan.Length{}
	var ids []string
	for _, t := range d.All() {
		if t.Worked() {
			ids = append(ids, t.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(given)) {
		t, known := d.Task(id)
		s, ok := aTimeOrDays(given[id])
		switch {
		case !known:
			c.fault("lengths", "%s; want a task of plan %s; %s", show(id), d.ID, hint(id, ids))
		case !t.Worked():
			c.fault("lengths."+id, "nobody works on a task of kind %s; want one that people do or vote on", t.Kind)
		case !ok:
			c.fault("lengths."+id, "%s; want a time such as 4h or 90m, or working days such as 3d", show(given[id]))
		default:
			lengths[id] = plan.Length{Within: s.within, Days: s.days}
		}
	}
	return lengths, c.refusal()
}

// RePlan returns what a run goes on with under another revision of its plan: in the same environments.
func (o *Organisation) RePlan(r *planrun.Run, s PlanStart) (planrun.Pinned, error) {
	p, err := o.planOf(s)
	if err != nil {
		return planrun.Pinned{}, err
	}
	s.Customer = r.Customer
	if s.Parameters == nil { // they stay as they were given
		s.Parameters = map[string]string{}
		for _, v := range r.Parameters {
			s.Parameters[v.ID] = cmp.Or(v.Value, strings.Join(v.List, ","))
		}
	}
	for _, f := range r.Roles { // no folder says who answers for the assets of a notice
		if f.Role == assetOwner && r.Notice != nil {
			s.roles = map[string][]escalation.Target{assetOwner: f.Targets}
		}
	}
	c := &starting{Organisation: o, given: s}
	pinned := c.pin(p, r.Environments)
	return pinned, c.refusal()
}

// planOf finds the plan, or reads the one that is brought.
func (o *Organisation) planOf(s PlanStart) (Plan, error) {
	switch {
	case len(s.Content) > 0 && s.Plan != "":
		return Plan{}, &PlanRefusal{[]Fault{{File: "plan", Text: "an id and a file; want one of them"}}}
	case len(s.Content) > 0:
		return ReadPlan(s.File, s.Content)
	}
	p, err := o.PlanOf(s.Plan)
	if err != nil {
		return Plan{}, &PlanRefusal{[]Fault{{File: "plan", Text: show(s.Plan) + "; want the id of a plan that muster plan list shows, or a file"}}}
	}
	return p, nil
}

// starting binds a plan to where it is run.
type starting struct {
	*Organisation

	given  PlanStart
	faults []Fault
}

func (c *starting) fault(field, format string, args ...any) {
	c.faults = append(c.faults, Fault{File: field, Text: fmt.Sprintf(format, args...)})
}

func (c *starting) refusal() error {
	if len(c.faults) == 0 {
		return nil
	}
	return &PlanRefusal{c.faults}
}

// environments finds the environments of the customer that those of the plan stand for.
func (c *starting) environments(terms *planrun.Terms, d plan.Definition) {
	var known, taken []string
	for _, e := range c.Environments(c.given.Customer) {
		known = append(known, e.ID)
	}
	for _, e := range d.Environments {
		field := "environments." + e.ID
		id := c.given.Environments[e.ID]
		if id == "" && slices.Contains(known, e.ID) { // the plan's own name is one of the customer's
			id = e.ID
		}
		found, ok := c.Environment(c.given.Customer, id)
		switch {
		case id == "":
			c.fault(field, "missing; want an environment of customer %s; %s", c.given.Customer, hint(e.ID, known))
			continue
		case !ok:
			c.fault(field, "%s; want an environment of customer %s; %s", show(id), c.given.Customer, hint(id, known))
			continue
		case found.Production != e.Production:
			c.fault(field, "%s is %s; want one that is %s", show(id), production(found.Production), production(e.Production))
		case slices.Contains(taken, id):
			c.fault(field, "%s stands for another environment of the plan already", show(id))
		}
		taken = append(taken, id)
		terms.Environments = append(terms.Environments, planrun.Bound{
			ID: e.ID, Environment: id, Name: found.Name, Production: found.Production, Services: found.Services, Alerts: found.Alerts(), Rules: found.Rules,
		})
	}
	for _, id := range slices.Sorted(maps.Keys(c.given.Environments)) {
		if !slices.ContainsFunc(d.Environments, func(e plan.Environment) bool { return e.ID == id }) {
			var ids []string
			for _, e := range d.Environments {
				ids = append(ids, e.ID)
			}
			c.fault("environments."+id, "the plan has no such environment; %s", hint(id, ids))
		}
	}
}

func production(is bool) string {
	if is {
		return "production"
	}
	return "not production"
}

// pin fills the plan in and takes everything along that it goes by.
func (c *starting) pin(p Plan, bound []planrun.Bound) planrun.Pinned {
	pinned := planrun.Pinned{SHA256: p.SHA256, Brought: len(c.given.Content) > 0, Revision: c.Revision, Organisation: c.Name, Zone: c.Zone.String()}
	filled, err := c.FillPlan(p, c.given.Parameters)
	if err != nil {
		c.unfilled(err)
		filled.Definition = p.Definition // who fills its roles can be told all the same
	}
	pinned.Plan, pinned.ParametersID = filled.Definition, filled.ValuesSHA256
	for _, v := range filled.Values {
		pinned.Parameters = append(pinned.Parameters, planrun.Value{ID: v.ID, Value: v.Text, List: v.List, At: v.At})
	}
	for _, a := range filled.Absent {
		pinned.Absent = append(pinned.Absent, planrun.Absent{ID: a.Task, Name: a.Name, When: a.When})
	}
	if len(bound) == 0 || len(bound) != len(p.Definition.Environments) {
		return pinned
	}
	target := bound[len(bound)-1]
	e, _ := c.Environment(c.given.Customer, target.Environment)
	if rules, ok := c.calendars[e.Calendar]; ok {
		pinned.Calendar, pinned.Calendars = e.Calendar, []calendar.Rules{rules}
	}
	for _, role := range filled.Definition.Roles {
		if role.FilledBy != "" {
			c.fills(&pinned, role, filled.Values)
			continue
		}
		targets, err := c.given.roles[role.ID], error(nil)
		if len(targets) == 0 {
			targets, err = c.RoleTargets(c.given.Customer, target.Environment, role.ID)
		}
		if err != nil || len(targets) == 0 {
			c.fault("roles."+role.ID, "nobody fills it; want it under roles of environment %s, of customer %s, or of the organisation",
				target.Environment, c.given.Customer)
			continue
		}
		pinned.Roles = append(pinned.Roles, planrun.Filled{Role: role.ID, Targets: targets})
	}
	if err != nil {
		return pinned
	}
	c.documented(filled.Definition)
	for _, id := range books(filled.Definition) {
		rb, sum, ok := c.Runbook(id)
		if !ok {
			c.fault("runbooks."+id, "the organisation folder has no such runbook")
			continue
		}
		for _, par := range rb.Parameters {
			given := slices.ContainsFunc(filled.Values, func(v Value) bool { return v.ID == par.ID && v.Text != "" })
			if !given && par.ID != "target" {
				c.fault("runbooks."+id, "it wants the parameter %s, which the plan does not have", par.ID)
			}
		}
		pinned.Books = append(pinned.Books, planrun.Book{ID: id, SHA256: sum, Runbook: rb})
	}
	return pinned
}

// fills takes in whom a parameter names for a role: people of the party to which it belongs, and not those whom another parameter has named
// for another role, for such roles are two sides.
func (c *starting) fills(pinned *planrun.Pinned, role plan.Role, values []Value) {
	n := slices.IndexFunc(values, func(v Value) bool { return v.ID == role.FilledBy })
	if n < 0 { // what is wrong with it was said
		return
	}
	field, text := "parameters."+role.FilledBy, values[n].Text
	t, _ := aLastTarget.read(text)
	people := c.whom(t)
	stranger := func(id string) bool {
		party := c.parties[c.people[id].party]
		return party.Kind != role.Party || party.Kind == authority.Customer && party.ID != c.given.Customer
	}
	other := "" // somebody who is on another side already
	for _, f := range pinned.Roles {
		if side, _ := pinned.Plan.Role(f.Role); side.FilledBy == "" || len(f.Targets) != 1 {
			continue
		}
		for _, id := range c.whom(f.Targets[0]) {
			if slices.Contains(people, id) {
				other = id
			}
		}
	}
	switch {
	case len(people) == 0:
		c.fault(field, "%s; want people of the organisation folder who are the %s, as %s", show(text), role.ID, aLastTarget.want)
	case slices.ContainsFunc(people, stranger):
		c.fault(field, "%s: not all of them belong to the %s; want people who do", text, role.Party)
	case other != "":
		c.fault(field, "%s: person:%s has the other part already; want others", text, other)
	}
	pinned.Roles = append(pinned.Roles, planrun.Filled{Role: role.ID, Targets: []escalation.Target{t}})
}

// whom are the people whom a target can ever mean, none where it is not in the folder.
func (c *starting) whom(t escalation.Target) (people []string) {
	_, known := c.people[t.ID]
	switch t.Kind {
	case escalation.Group:
		_, known = c.groups[t.ID]
	case escalation.Schedule:
		_, known = c.schedules[t.ID]
	default:
	}
	if known {
		people, _ = c.peopleOf(t)
	}
	return people
}

// unfilled takes in what is wrong with the parameters.
func (c *starting) unfilled(err error) {
	wrong, ok := errors.AsType[*UnfilledError](err)
	if !ok {
		c.fault("plan", "%s", err)
		return
	}
	for _, f := range wrong.Faults {
		field := "parameters"
		if f.Parameter != "" {
			field += "." + f.Parameter
		}
		c.fault(field, "%s", f.Text)
	}
}

// documented asks that the services are there whose documents are looked at.
func (c *starting) documented(d plan.Definition) {
	for _, t := range d.All() {
		if t.Check != nil && t.Check.Documents != "" && c.services[t.Check.Documents] == nil {
			c.fault("tasks."+t.ID, "documents: %s; want the id of a service in the organisation folder; %s", show(t.Check.Documents),
				hint(t.Check.Documents, slices.Sorted(maps.Keys(c.services))))
		}
	}
}

// books are the IDs of the runbooks that a plan goes by, each once.
func books(d plan.Definition) (ids []string) {
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, t := range d.All() {
		add(t.Runs)
		if t.Rollback != nil {
			add(t.Rollback.Runs)
		}
	}
	return ids
}

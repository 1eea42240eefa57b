package org_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/authority"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/raci"
	"muster/templates"
)

// responsibilities are the rows of the two tables that the shipped definitions come from: who is owner (O), contributor (C) and
// advisor (V), in the order customer, partner, provider.
func responsibilities() map[string]string {
	rows := map[string]string{}
	for n, code := range strings.Fields("OCV --O --O --O --O --O CO- COV COV COV COV COV OCV OCV COV O-C COV COV COV OCC --O CCO CCO CCO --O CCO CCO --O " +
		"COV CCO COV CCO OCV CCO --O -CO --O --O OC- OCV OC- OC- CCO --O CCO CCO OCC CCO OVV") {
		rows["responsibility table, row "+strconv.Itoa(n+1)] = code
	}
	for n, code := range strings.Fields("OCC -CO COC --O CO- -OC COC OCC COC CCO") {
		rows["upgrade table, row "+strconv.Itoa(n+1)] = code
	}
	return rows
}

// code is what an assignment says of the parties in the letters of those tables.
func code(a raci.Assignment, roles []plan.Role) string {
	party := func(id string) authority.PartyKind {
		return roles[slices.IndexFunc(roles, func(r plan.Role) bool { return r.ID == id })].Party
	}
	letters := ""
	for _, p := range []authority.PartyKind{authority.Customer, authority.Partner, authority.Provider} {
		is := func(id string) bool { return party(id) == p }
		switch does := slices.ContainsFunc(a.Doers(), is); {
		case is(a.Accountable) && does:
			letters += "O"
		case does:
			letters += "C"
		case slices.ContainsFunc(a.Consulted, is):
			letters += "V"
		default:
			letters += "-"
		}
	}
	return letters
}

var row = regexp.MustCompile(`(?:responsibility|upgrade) table, row \d+$`)

// Every row of the sources stands in a shipped definition, with the parts that the source gives to each party.
func TestEveryRowOfTheSourcesIsShipped(t *testing.T) {
	want, found := responsibilities(), map[string]bool{}
	check := func(where, source string, a raci.Assignment, roles []plan.Role) {
		r := row.FindString(source)
		if r == "" {
			return
		}
		found[r] = true
		if got := code(a, roles); got != want[r] {
			t.Errorf("%s: %s: got %s, want %s", where, r, got, want[r])
		}
	}
	for _, p := range org.ShippedPlans() {
		for _, task := range p.Definition.All() {
			check(p.Definition.ID+" "+task.ID, task.Source, task.Assignment, p.Definition.Roles)
		}
	}
	register, err := org.ShippedRegister()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range register.Sections {
		for _, d := range s.Duties {
			check(d.ID, d.Source, d.Assignment, register.Roles)
		}
	}
	for r := range want {
		if !found[r] {
			t.Errorf("%s: nowhere", r)
		}
	}
}

// Every plan that is embedded is without fault, and says of every task where it comes from.
func TestShippedPlansHaveNoFault(t *testing.T) {
	files, err := fs.Glob(templates.FS, "plans/*")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := templates.FS.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := org.ReadPlan(file, content)
		if err != nil {
			t.Error(err)
			continue
		}
		d := &p.Definition
		if file != "plans/"+d.ID+".yaml" {
			t.Errorf("%s has the plan %s", file, d.ID)
		}
		if err := schema(t, "plan").Validate(tree(t, string(content))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, task := range d.All() {
			if task.Source == "" {
				t.Errorf("%s: task %s does not say where it comes from", file, task.ID)
			}
			if task.Due == nil && slices.Contains([]plan.TaskKind{plan.Manual, plan.Approval, plan.Decision, plan.Runbook}, task.Kind) {
				t.Errorf("%s: task %s: people do it, and it has no due time", file, task.ID)
			}
		}
		if copied, err := org.ShippedPlanText(d.ID); err != nil || string(copied) != string(content) {
			t.Errorf("%s: what is copied is not what is shipped: %v", file, err)
		}
	}
	if got := len(org.ShippedPlans()); got != len(files) {
		t.Errorf("%d of %d plans are shipped", got, len(files))
	}
	if _, err := org.ShippedPlanText("upgrad"); err == nil || err.Error() != `plan "upgrad": no such plan; did you mean upgrade?` {
		t.Errorf("got %v", err)
	}
}

// Texts in Korean have Korean in them, and those in English have none.
func TestShippedPlansSpeakBothLanguages(t *testing.T) {
	hangul := regexp.MustCompile(`\p{Hangul}`)
	say := func(where string, x plan.Text) {
		if x.Empty() {
			return
		}
		if hangul.MatchString(x.En) || !hangul.MatchString(x.Ko) && regexp.MustCompile(`[a-z]{3}`).MatchString(x.Ko) {
			t.Errorf("%s: %q, %q", where, x.En, x.Ko)
		}
	}
	for _, p := range org.ShippedPlans() {
		d := &p.Definition
		say(d.ID, d.Name)
		say(d.ID, d.Description)
		for _, x := range d.Parameters {
			say(x.ID, x.Description)
		}
		for _, r := range d.Roles {
			say(r.ID, r.Name)
		}
		for _, task := range d.All() {
			for _, x := range []plan.Text{task.Name, task.Detail, task.Message} {
				say(d.ID+" "+task.ID, x)
			}
			for _, e := range task.Evidence {
				say(d.ID+" "+task.ID, e.What)
			}
			if task.Rollback != nil {
				say(d.ID+" "+task.ID, task.Rollback.Detail)
			}
		}
	}
}

// A readiness review keeps to what its source says of a first one.
func TestTheReadinessReview(t *testing.T) {
	plans := org.ShippedPlans()
	d := plans[slices.IndexFunc(plans, func(p org.Plan) bool { return p.Definition.ID == "readiness" })].Definition
	items, owners := 0, map[string]int{}
	for _, task := range d.All() {
		if task.Kind == plan.Manual {
			items++
			owners[task.Accountable]++
		}
	}
	if items > 30 {
		t.Errorf("%d items; want 30 at most", items)
	}
	for _, r := range d.Roles {
		if owners[r.ID] == 0 {
			t.Errorf("%s has no item", r.ID)
		}
	}
}

// Shipped plans can be filled, with and without what is left out.
func TestShippedPlansAreFilled(t *testing.T) {
	o := load(t, good(t))
	for _, p := range o.Plans() {
		for _, yes := range []string{"true", "false"} {
			given := map[string]string{}
			for _, x := range p.Definition.Parameters {
				given[x.ID] = map[plan.ParameterType]string{
					plan.TextType: "https://example.com", plan.IntegerType: "5", plan.BooleanType: yes, plan.DateType: "2026-12-01",
					plan.InstantType: "2026-12-01T09:00:00+09:00", plan.ListType: "web-1, web-2",
				}[x.Type]
				if x.Type == plan.ChoiceType {
					given[x.ID] = x.Values[map[string]int{"true": 0, "false": 1}[yes]]
				}
			}
			if _, err := o.FillPlan(p, given); err != nil {
				t.Error(err)
			}
		}
	}
}

// An organisation's own plan takes the place of the shipped one with its ID.
func TestOwnPlansWin(t *testing.T) {
	files := good(t)
	files["plans/patch.yaml"] = strings.Replace(wholePlan(t), "id: move", "id: patch", 1)
	o := load(t, files)
	p, err := o.PlanOf("patch")
	if err != nil || p.Shipped || p.Definition.Kind != plan.Maintenance || p.File != "plans/patch.yaml" {
		t.Errorf("got %s, %v", p.File, err)
	}
	var ids []string
	for _, p := range o.Plans() {
		ids = append(ids, p.Definition.ID)
		if p.Shipped == (p.Definition.ID == "patch") {
			t.Errorf("%s: shipped %t", p.Definition.ID, p.Shipped)
		}
	}
	if len(ids) != len(org.ShippedPlans()) || !slices.IsSorted(ids) {
		t.Errorf("got %v", ids)
	}
}

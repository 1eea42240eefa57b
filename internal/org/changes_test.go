package org_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	changes "muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/org"
)

const someChanges = `classes:
  - id: low
    name: Low
    approve: {by: [role:cab, person:park], count: 1}
  - id: high
    name: High
    approve: {by: [role:cab, person:park], each: true}
    checks:
      - {id: tried, text: The way back was tried, by: [person:kim]}
irreversible: high
remind_after_days: 3
in: office
standard:
  - id: restart
    name: Restart
    scenario: One node after the other
    class: low
    services: [shop]
    approved_by: park
    approved_on: 2026-11-02
    until: 2198-10-31
    most: {uses: 2, within: 30d}
emergency:
  approve: {by: [role:cab]}
  within: 8h
  in: office
  escalate: [person:kim]
`

func changing(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	files["organisation.yaml"] += "roles:\n  cab: [person:kim, person:park]\n  helper: [engineer]\n"
	files["changes.yaml"] = someChanges
	return files
}

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func normal() changes.Asked {
	return changes.Asked{
		Way: changes.Normal, Kind: changes.Addition, Title: "x", Text: "x", Benefit: "x", Reversible: true, Undo: "x", Services: []string{"shop"}, Until: noon.Add(time.Hour),
	}
}

// A change concerns customers of its services, all of them or some, and nobody else.
func TestWhomAChangeConcerns(t *testing.T) {
	o, now := whole(t), noon
	for _, tc := range []struct {
		services, given []string
		want            string
	}{
		{[]string{"seoul-platform"}, nil, "garam nuri"},
		{[]string{"seoul-platform"}, []string{"nuri"}, "nuri"},
		{[]string{"garam-shop"}, nil, "garam"},
		{[]string{"garam-shop"}, []string{"nuri"}, `customers: "nuri": has none of these services; want of garam`},
		{[]string{"seoul-platform"}, []string{"nobody"}, `customers: "nobody"; want the id of a customer`},
	} {
		a := normal()
		a.Services, a.Customers = tc.services, tc.given
		_, p, err := o.Change(a, now)
		got := ""
		for n, c := range p.CustomerNames {
			if n > 0 {
				got += " "
			}
			got += c.ID
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tc.want) {
			t.Errorf("%v for %v: got %s, want %s", tc.services, tc.given, got, tc.want)
		}
	}
}

func TestWhatTheFolderSaysOfAChange(t *testing.T) {
	o := load(t, changing(t))
	a, p, err := o.Change(normal(), noon)
	kim, park := escalation.Target{Kind: escalation.Person, ID: "kim"}, escalation.Target{Kind: escalation.Person, ID: "park"}
	if err != nil || a.Check(noon) != nil || p.Floor != "" || p.Remind != (changes.Idle{Days: 3, Calendar: "office"}) || !p.Patient || !p.Timely || len(p.Calendars) != 1 ||
		len(p.Owners) != 1 || p.Owners[0] != kim || len(p.CustomerNames) != 1 || p.CustomerNames[0].ID != "shopco" || len(p.Partners) != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
	low, high := p.Classes[0], p.Classes[1]
	if low.Rule.Need.Count != 1 || high.Rule.Need.Each != approval.EachRole || !low.Rule.Exclude.Requester || len(low.Rule.Check())+len(high.Rule.Check()) > 0 ||
		len(low.Approvers[0].Targets) != 2 || low.Approvers[1].Targets[0] != park || high.Checks[0].By[0] != kim {
		t.Errorf("got %+v and %+v", low, high)
	}
	a = normal()
	a.Customers = []string{"elsewhere"}
	if _, _, err = o.Change(a, noon); err == nil || !strings.Contains(err.Error(), "want the id of a customer") {
		t.Errorf("got %v", err)
	}
	a = normal()
	a.Reversible = false
	if _, p, err = o.Change(a, noon); err != nil || p.Floor != "high" {
		t.Errorf("what cannot be undone has the class %q at least, %v", p.Floor, err)
	}

	a, p, err = o.Change(changes.Asked{Way: changes.Standard, Standard: "restart"}, noon)
	if err != nil || a.Check(noon) != nil || a.Title != "Restart" || p.PreApproved.ApprovedBy != "Park" || p.PreApproved.Most != 2 || p.PreApproved.Outside(&a, 1, noon) != "" {
		t.Errorf("got %+v, %+v, %v", a, p.PreApproved, err)
	}
	if seoul := o.Zone; !p.PreApproved.Ends.Equal(time.Date(2198, 11, 1, 0, 0, 0, 0, seoul)) {
		t.Errorf("it is approved until %s", p.PreApproved.Ends)
	}

	a = normal()
	a.Way, a.Incident = changes.Emergency, "INC-0000000001"
	if _, p, err = o.Change(a, noon); err != nil || p.Afterwards.Within != 8*time.Hour || p.Afterwards.Escalate[0] != kim {
		t.Errorf("got %+v, %v", p.Afterwards, err)
	}
	for want, wrong := range map[string]func(*changes.Asked){
		`services: "store"; want the id of a service`:   func(a *changes.Asked) { a.Services = []string{"store"} },
		`customers: "else"; want the id of a customer`:  func(a *changes.Asked) { a.Customers = []string{"else"} },
		`class: "huge"; want low, high`:                 func(a *changes.Asked) { a.Class = "huge" },
		`standard: "reboot"; want the id of a standard`: func(a *changes.Asked) { a.Way, a.Standard = changes.Standard, "reboot" },
	} {
		a := normal()
		wrong(&a)
		if _, _, err := o.Change(a, noon); err == nil || err.Error()[:len(want)] != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, _, err := load(t, good(t)).Change(normal(), noon); err == nil || !strings.Contains(err.Error(), "has no changes.yaml") {
		t.Errorf("without the file: %v", err)
	}
}

// Whom a change concerns beside its owners are those who answer for what needs its services.
func TestWhoHearsOfAChange(t *testing.T) {
	files := changing(t)
	spare := strings.NewReplacer("services:\n", "", "id: shop", "id: spare", "tier: 1", "tier: 1\n    depends_on: [shop]", "owner: person:kim", "owner: person:park").Replace(files["services.yaml"])
	files["services.yaml"] += spare
	change{"routes.yaml", "routes:\n", "routes:\n  - {id: spare, match: {service: spare}, service: spare, impact: low, urgency: low}\n"}.in(t, files)
	files["changes.yaml"] += "announce: [1d, 7d]\n"
	o := load(t, files)
	_, p, err := o.Change(normal(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Announce) != 2 || p.Announce[0] != 7*24*time.Hour || p.Announce[1] != 24*time.Hour {
		t.Errorf("it is announced %v before", p.Announce)
	}
	if len(p.Neighbours) != 1 || p.Neighbours[0].ID != "park" {
		t.Errorf("%v answer for what needs it, want park", p.Neighbours)
	}
	own := normal()
	own.Services = []string{"spare"}
	if _, p, err = o.Change(own, noon); err != nil || len(p.Neighbours) > 0 {
		t.Errorf("of what nothing needs, %v hear; %v", p.Neighbours, err)
	}
}

// A change becomes a run of a plan as that stands in the folder: what is voted on says which one it is.
func TestAChangeThatBecomesAPlan(t *testing.T) {
	o, err := org.LoadAsOf(example, noon)
	if err != nil {
		t.Fatal(err)
	}
	p := changes.Plan{
		Customer: "garam", Environments: []changes.Given{{ID: "staging", Value: "staging"}, {ID: "production", Value: "production"}},
		Parameters: []changes.Given{{ID: "patch", Value: "2026-11"}, {ID: "patch-date", Value: "2026-12-13"}},
	}
	use := changes.Asked{Way: changes.Standard, Standard: "platform-patch", Plan: &p}
	a, pinned, err := o.Change(use, noon)
	if err != nil {
		t.Fatal(err)
	}
	if a.Plan.ID != "platform-patch" || len(a.Plan.Lines) < 2 || pinned.PreApproved.Outside(&a, 0, noon) != "" || len(p.Parameters) != 2 {
		t.Errorf("got %+v: %s", a.Plan, pinned.PreApproved.Outside(&a, 0, noon))
	}
	p.Parameters = append(p.Parameters, changes.Given{ID: "security", Value: "true"})
	if a, pinned, err = o.Change(use, noon); err != nil || !strings.Contains(pinned.PreApproved.Outside(&a, 0, noon), "parameter security") {
		t.Errorf("a fixed parameter is chosen: %v, %v", pinned.PreApproved.Outside(&a, 0, noon), err)
	}
	p.Environments[1].Value = "nowhere"
	_, _, err = o.Change(use, noon)
	if _, ok := errors.AsType[*org.PlanRefusal](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestFaultsOfChanges(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"role:cab, person:park], count", "role:cap, person:park], count", `class low: approve: by "cap": no such role of the organisation; did you mean cab?`},
		{"role:cab, person:park], count", "role:helper, person:park], count", `class low: approve: by "helper": it means the engineer of a customer`},
		{"role:cab, person:park], count", "role:cab, person:yoon], count", `class low: approve: by "yoon": of party hanbit; want one of your own people`},
		{"role:cab, person:park], count", "role:cab, role:cab], count", `class low: approve: by "role:cab": named twice`},
		{"count: 1", "count: 1, each: true", "class low: approve: count and each; want one of them"},
		{"    approve: {by: [role:cab, person:park], count: 1}\n", "", "class low: approve: missing; want keys and values"},
		{"irreversible: high", "irreversible: huge", `irreversible "huge": no such class`},
		{"id: high", "id: low", "low"},
		{"by: [person:kim]}", "by: [person:kym]}", `class high: checks 1: by "kym": no such person`},
		{"by: [person:kim]}", "by: [person:kim], plan: nothing}", `class high: checks 1: plan "nothing": no such plan`},
		{"class: low\n", "class: lowest\n", `standard change restart: class "lowest": no such class`},
		{"services: [shop]", "services: []", "standard change restart: services: none; want at least one"},
		{"approved_by: park", "approved_by: pork", `standard change restart: approved_by "pork": no such person`},
		{"until: 2198-10-31", "until: 2026-11-01", "standard change restart: until 2026-11-01: before it was approved on 2026-11-02"},
		{"    approved_by", "    plan: nothing\n    approved_by", `standard change restart: plan "nothing": no such plan`},
		{"    approved_by", "    plan: patch\n    runbook: RUN001\n    approved_by", "standard change restart: a plan and a runbook; want one of them"},
		{"    approved_by", "    runbook: RUN001\n    approved_by", `standard change restart: runbook "RUN001": no such runbook`},
		{"    approved_by", "    free: [x]\n    approved_by", "standard change restart: parameters without a plan"},
		{"    approved_by", "    plan: patch\n    free: [x]\n    approved_by", `standard change restart: free "x": want a parameter of plan patch`},
		{"    approved_by", "    plan: patch\n    parameters: {x: y}\n    approved_by", `standard change restart: parameters "x": plan patch has no such parameter`},
		{"    approved_by", "    environments: [moon]\n    approved_by", `standard change restart: environments "moon": no such environment`},
		{"  escalate: [person:kim]\n", "", "emergency: escalate: missing"},
		{"within: 8h", "within: 0s", "emergency: within"},
		{"in: office\nstandard", "in: office\nannounce: [soon]\nstandard", `announce "soon": want a time of more than 0s`},
		{"in: office\nstandard", "in: office\nannounce: [1d, 1d]\nstandard", `announce "1d": named twice`},
		{"in: office\nstandard", "in: office\nannounce: [6d, 5d, 4d, 3d, 2d, 1d]\nstandard", "announce: a list of 6; want at most 5"},
		{"scenario: One", "scenarios: One", `unknown key "scenarios"`},
	} {
		files := changing(t)
		files["changes.yaml"] = strings.Replace(someChanges, tt.old, tt.new, 1)
		if files["changes.yaml"] == someChanges {
			t.Fatalf("%q does not stand there", tt.old)
		}
		dir := t.TempDir()
		write(t, dir, files)
		if _, err := org.Load(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q → %q: got %v, want %s", tt.old, tt.new, err, tt.want)
		}
	}
	for day, want := range map[string]string{"2026-11-26": "it was approved until 2026-11-26, and is not any more", "2026-12-20": "it is approved until 2026-12-20 only"} {
		files, dir := changing(t), t.TempDir()
		files["changes.yaml"] = strings.Replace(someChanges, "2198-10-31", day, 1)
		write(t, dir, files)
		o, err := org.LoadAsOf(dir, noon)
		if err != nil || len(o.Warnings) != 1 || !strings.Contains(o.Warnings[0].String(), want) {
			t.Errorf("%s: got %v, %v", day, o, err)
		}
	}
}

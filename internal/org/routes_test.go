package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/priority"
)

// routed is the good folder with other routes, and a second service.
func routed(t testing.TB, routes string) map[string]string {
	t.Helper()
	files := good(t)
	files["services.yaml"] += strings.NewReplacer("services:\n", "", "id: shop", "id: spare", "name: Shop", "name: Spare").Replace(files["services.yaml"])
	files["routes.yaml"] = "routes:\n" + routes
	return files
}

const conditional = `
  - {id: disks, when: 'name.startsWith("Disk") && labels.severity == "critical"', service: spare, impact: low, urgency: low}
  - id: shop
    match: {service: shop}
    service: shop
    impact: low
    urgency: low
    group_by: [cluster, alertname]
    classes:
      - {class: vip, when: has(labels.vip)}
      - {class: safety, when: 'labels.hazard == "injury"'}
      - {class: vip-group, when: 'int(labels.vips) > 1'}
  - {id: rest, service: shop, impact: medium, urgency: low}
`

// Each condition may be cheap, and all together too much for one alert.
func TestConditionsAreBoundedTogether(t *testing.T) {
	var routes strings.Builder
	for n := range 1_999 {
		fmt.Fprintf(&routes, "  - {id: r%d, when: 'labels.a.matches(\"^web-%d$\")', service: shop}\n", n, n)
	}
	routes.WriteString("  - {id: rest, service: shop}\n")
	got := faults(t, routed(t, routes.String()))
	if len(got) != 1 || !strings.Contains(got[0], "on one alert; want at most 500000: fewer or shorter ones, or match instead") {
		t.Errorf("got %v", got)
	}
}

func TestRoutesByCondition(t *testing.T) {
	o := load(t, routed(t, conditional))
	const low, medium, high = priority.Low, priority.Medium, priority.High
	for _, tc := range []struct {
		labels          map[string]string
		route           string
		impact, urgency priority.Level
		classes         []priority.Class
	}{
		{map[string]string{"alertname": "DiskFull", "severity": "critical", "service": "shop"}, "disks", low, low, nil},
		{map[string]string{"alertname": "DiskFull", "service": "shop"}, "shop", low, low, nil},
		{map[string]string{"alertname": "DiskFull"}, "rest", medium, low, nil},
		{map[string]string{"service": "shop", "hazard": "injury"}, "shop", high, low, []priority.Class{priority.Safety}},
		{map[string]string{"service": "shop", "vip": "ceo"}, "shop", low, medium, []priority.Class{priority.VIP}},
		{map[string]string{"service": "shop", "vip": "ceo", "vips": "3"}, "shop", low, high, []priority.Class{priority.VIP, priority.VIPGroup}},
		{map[string]string{"service": "shop", "vips": "many"}, "shop", low, low, nil}, // cannot be answered: no
		{map[string]string{"hazard": "injury"}, "rest", medium, low, nil},             // another route's classes
	} {
		d := define(t, o, "prometheus", tc.labels, "t")
		if d.Route != tc.route || d.Impact != tc.impact || d.Urgency != tc.urgency || !cmp.Equal(d.Classes, tc.classes) {
			t.Errorf("%v: got route %s, impact %s, urgency %s, classes %v", tc.labels, d.Route, d.Impact, d.Urgency, d.Classes)
		}
	}
}

// Alerts that have little in common still lead to their service, when each of them does.
func TestTheRouteOfSeveralAlerts(t *testing.T) {
	o := load(t, routed(t, `
  - {id: broken, when: 'labels.severity == "critical"', match: {service: shop}, service: shop}
  - {id: shop, match: {service: shop}, service: shop}
  - {id: a, when: 'labels.host in ["a1", "a2"]', service: spare}
  - {id: b, when: 'labels.host.startsWith("b")', service: spare}
  - {id: rest, service: shop}
`))
	host := func(h string) alert.Labels { return alert.FromMap(map[string]string{"host": h}) }
	shop := func(severity string) alert.Labels {
		return alert.FromMap(map[string]string{"service": "shop", "severity": severity})
	}
	for _, tc := range []struct {
		name   string
		common alert.Labels
		each   []alert.Labels
		want   string
	}{
		{"one route takes them all", nil, []alert.Labels{host("a1"), host("a2")}, "a"},
		{"two of one service", nil, []alert.Labels{host("b1"), host("a2")}, "a"},
		{"two services", nil, []alert.Labels{host("a1"), host("c")}, "rest"},
		{"what they have in common leads to the same service", alert.FromMap(map[string]string{"service": "shop"}), []alert.Labels{shop("critical"), shop("info")}, "shop"},
		{"all critical", shop("critical"), []alert.Labels{shop("critical"), shop("critical")}, "broken"},
	} {
		d, err := o.Definition("prometheus", tc.common, "t", tc.each...)
		if err != nil || d.Route != tc.want {
			t.Errorf("%s: got route %s, %v; want %s", tc.name, d.Route, err, tc.want)
		}
	}
}

// A security alert makes a security incident, whatever comes with it; its title and levels are its own.
func TestKindsOfIncidents(t *testing.T) {
	o := load(t, routed(t, `
  - {id: guard, match: {team: guard}, service: spare, kind: security, group_by: [alertname]}
  - {id: shop, match: {service: shop}, service: shop}
  - {id: rest, service: shop}
`))
	guard, shop := alert.FromMap(map[string]string{"team": "guard"}), alert.FromMap(map[string]string{"service": "shop"})
	for _, tc := range []struct {
		name   string
		common alert.Labels
		each   []alert.Labels
		route  string
		want   incident.Kind
	}{
		{"one alert", guard, nil, "guard", incident.SecurityIncident},
		{"an ordinary one", shop, nil, "shop", ""},
		{"one of several", nil, []alert.Labels{shop, guard}, "rest", incident.SecurityIncident},
		{"none of several", nil, []alert.Labels{shop, shop}, "shop", ""},
	} {
		d, err := o.Definition("prometheus", tc.common, "t", tc.each...)
		if err != nil || d.Route != tc.route || d.Kind != tc.want {
			t.Errorf("%s: got route %s, kind %q, %v; want %s and %q", tc.name, d.Route, d.Kind, err, tc.route, tc.want)
		}
	}
	pinned := define(t, o, "prometheus", map[string]string{"team": "guard"}, "t")
	open := load(t, routed(t, `  - {id: rest, service: shop}`))
	if d, err := open.Repinned(pinned, nil); err != nil || d.Kind != incident.SecurityIncident {
		t.Errorf("repinned: got kind %q, %v; want that it stays", d.Kind, err)
	}
}

func TestKindsThatARouteCannotHave(t *testing.T) {
	for _, tc := range []struct{ route, want string }{
		{"{id: guard, match: {team: guard}, service: shop, kind: security}", `kind: security without group_by; want group_by, so that its alerts join no incident that everybody may read`},
		{"{id: guard, match: {team: guard}, service: shop, kind: secret, group_by: [a]}", `want security`},
	} {
		got := faults(t, routed(t, "  - "+tc.route+"\n  - {id: rest, service: shop}\n"))
		if len(got) != 1 || !strings.Contains(got[0], tc.want) {
			t.Errorf("%s: got %v, want one fault: %s", tc.route, got, tc.want)
		}
	}
}

func TestGroupKey(t *testing.T) {
	o := load(t, routed(t, conditional))
	for _, tc := range []struct {
		labels map[string]string
		route  string
		values map[string]string
	}{
		{map[string]string{"service": "shop", "alertname": "A", "cluster": "c1", "host": "h"}, "shop", map[string]string{"alertname": "A", "cluster": "c1"}},
		{map[string]string{"service": "shop", "alertname": "A"}, "shop", map[string]string{"alertname": "A", "cluster": ""}},
		{map[string]string{"alertname": "A", "cluster": "c1"}, "", nil},
	} {
		route, values, ok := o.GroupKey("prometheus", alert.FromMap(tc.labels))
		if ok != (tc.route != "") || route != tc.route {
			t.Errorf("%v: got %t, route %s", tc.labels, ok, route)
		}
		if diff := cmp.Diff(alert.FromMap(tc.values), values); ok && diff != "" {
			t.Error(diff)
		}
	}
	if _, _, ok := load(t, good(t)).GroupKey("prometheus", nil); ok {
		t.Error("no route groups, and alerts are grouped")
	}
}

// Levels and Definition are two ways to ask the same.
func TestLevelsAgreeWithDefinition(t *testing.T) {
	o := load(t, routed(t, conditional))
	labels := rapid.Custom(func(t *rapid.T) alert.Labels {
		m := map[string]string{}
		for name, values := range map[string][]string{
			"service": {"shop"}, "alertname": {"DiskFull", "Down"}, "severity": {"critical", "info"}, "hazard": {"injury"}, "vip": {"x"}, "vips": {"1", "2", "x"},
		} {
			if rapid.Bool().Draw(t, name) {
				m[name] = rapid.SampledFrom(values).Draw(t, "value")
			}
		}
		return alert.FromMap(m)
	})
	rapid.Check(t, func(t *rapid.T) {
		common, each := labels.Draw(t, "common"), rapid.SliceOfN(labels, 0, 5).Draw(t, "each")
		d, err := o.Definition("prometheus", common, "t", each...)
		if err != nil {
			t.Fatal(err)
		}
		impact, urgency := o.Levels("prometheus", common, each...)
		if impact != d.Impact || urgency != d.Urgency {
			t.Fatalf("levels %s and %s, the definition has %s and %s", impact, urgency, d.Impact, d.Urgency)
		}
		if len(each) == 0 {
			each = []alert.Labels{common}
		}
		// The slow and obvious way: the highest of each alert alone, and all classes of any.
		var wantImpact, wantUrgency priority.Level
		classes := map[priority.Class]bool{}
		for _, own := range each {
			alone, err := o.Definition("prometheus", own, "t")
			if err != nil {
				t.Fatal(err)
			}
			wantImpact, wantUrgency = priority.Higher(wantImpact, alone.Impact), priority.Higher(wantUrgency, alone.Urgency)
			for _, c := range alone.Classes {
				classes[c] = true
			}
		}
		var wantClasses []priority.Class
		for _, c := range priority.Classes() {
			if classes[c] {
				wantClasses = append(wantClasses, c)
			}
		}
		if impact != wantImpact || urgency != wantUrgency || !cmp.Equal(d.Classes, wantClasses) {
			t.Fatalf("got %s, %s, %v; want %s, %s, %v", impact, urgency, d.Classes, wantImpact, wantUrgency, wantClasses)
		}
	})
}

func TestFaultsOfRoutes(t *testing.T) {
	const rest = "  - {id: rest, service: shop}\n"
	for _, tc := range []struct {
		name, routes string
		want         []string
	}{
		{"a slip in a condition", "  - {id: a, when: 'labels.severity = \"x\"', service: shop}\n" + rest, []string{
			`routes.yaml:2:19: route a: when "labels.severity = \"x\"": line 1, column 17: "=" begins nothing that a condition knows; put text in quotes`,
		}},
		{"not yes or no", "  - {id: a, when: labels.severity, service: shop}\n" + rest, []string{
			`routes.yaml:2:19: route a: when "labels.severity": a condition is true or false; this is of type string`,
		}},
		{"no text", "  - {id: a, when: [true], service: shop}\n" + rest, []string{
			`routes.yaml:2:19: route a: when: got a list; want a condition, such as 'labels.severity == "critical"'`,
		}},
		{"a condition is no default", "  - {id: a, when: 'true', service: shop}\n", []string{
			`routes.yaml:2:5: route a: the last route must take every alert, so that none is refused; want one without source, match and when`,
		}},
		{"covered by one without a condition", "  - {id: a, match: {x: y}, service: shop}\n  - {id: b, match: {x: y}, when: name == \"A\", service: shop}\n" + rest, []string{
			`routes.yaml:3:5: route b: never taken, because route a before it takes all such alerts`,
		}},
		{"covered by the same condition", "  - {id: a, when: name == \"A\", service: shop}\n  - {id: b, match: {x: y}, when: name == \"A\", service: shop}\n" + rest, []string{
			`routes.yaml:3:5: route b: never taken, because route a before it takes all such alerts`,
		}},
		{"not covered by a narrower one", "  - {id: a, match: {x: y}, when: name == \"A\", service: shop}\n  - {id: b, match: {x: y}, service: shop}\n" + rest, nil},
		{"names that cannot be", "  - {id: a, match: {alertname: B}, when: name == \"A\", service: shop}\n" + rest, []string{
			`routes.yaml:2:42: route a: no alert can have the names that match and when ask for`,
		}},
		{"a class that is none", "  - {id: a, when: has(labels.x), service: shop, classes: [{class: rumour}]}\n" + rest, []string{
			`routes.yaml:2:67: route a: class 1: class "rumour": want safety, money, reputation, regulation, vip, vip-group, imminent-escalation, exponential-damage or time-sensitive`,
		}},
		{"a class with a slip", "  - {id: a, when: has(labels.x), service: shop, classes: [{class: vip, when: hes(labels.x)}]}\n" + rest, []string{
			`routes.yaml:2:78: route a: class 1: when "hes(labels.x)": line 1, column 4: hes is unknown; did you mean has?`,
		}},
		{"grouped by nothing", "  - {id: a, when: has(labels.x), service: shop, group_by: []}\n" + rest, []string{
			`routes.yaml:2:59: route a: group_by: none; want at least one label, or not this key`,
		}},
		{"grouped twice", "  - {id: a, when: has(labels.x), service: shop, group_by: [x, x]}\n" + rest, []string{
			`routes.yaml:2:63: route a: group_by "x": named twice`,
		}},
		{"grouped by too much", "  - {id: a, when: has(labels.x), service: shop, group_by: [" + strings.Repeat("x, ", 10) + "y]}\n" + rest, []string{
			`routes.yaml:2:59: route a: group_by: a list of 11; want at most 10`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := faults(t, routed(t, tc.routes))
			if tc.name == "grouped by too much" { // and the labels are named twice
				got = got[:1]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultsOfServices(t *testing.T) {
	for _, tc := range []struct {
		old, new string
		want     []string
	}{
		{"owner: person:kim", "owner: schedule:primary", []string{`services.yaml:18:12: service shop: owner "schedule:primary": want group:ID or person:ID`}},
		{"owner: person:kim", "owner: group:noc", []string{`services.yaml:18:12: service shop: owner "noc": no such group; there are none`}},
		{"tier: 1", "tier: 5", []string{`services.yaml:19:11: service shop: tier "5": want 1 (most important), 2, 3 or 4`}},
		{"https://wiki", "wiki", []string{`services.yaml:21:21: service shop: triage: architecture "wiki.example.com/shop": want a URL that begins with https:// or http://`}},
		{"[checkout, payments]", "[checkout, checkout]", []string{`services.yaml:22:30: service shop: triage: components "checkout": named twice`}},
		{"privacy: personal", "privacy: private", []string{`services.yaml:23:16: service shop: triage: privacy "private": want none, personal or sensitive`}},
		{"security: confidential", "security: secret", []string{`services.yaml:24:17: service shop: triage: security "secret": want public, internal, confidential or restricted`}},
		{"contacts: [person:kim]", "contacts: [person:kim, person:lim]", []string{`services.yaml:25:30: service shop: triage: contacts "lim": no such person; did you mean kim?`}},
		{"contacts: [person:kim]", "access_verified: yesterday", []string{`services.yaml:25:24: service shop: triage: access_verified "yesterday": want a date, such as 2026-12-31`}},
		{"contacts:", "contact:", []string{`services.yaml:25:7: service shop: triage: unknown key "contact"; did you mean contacts?`}},
		{"tier: 1", "tier: 1\n    depends_on: [shop]", []string{`services.yaml:20:18: service shop: depends_on "shop": it would depend on itself: shop → shop`}},
		{"tier: 1", "tier: 1\n    depends_on: [store]", []string{`services.yaml:20:18: service shop: depends_on "store": no such service; known: shop`}},
		{"{otherwise: true,", "{otherwise: yes,", []string{`services.yaml:28:21: service shop: response 2: otherwise "yes": want true, or not this key`}},
		{"{otherwise: true,", "{otherwise: true, alert: Up,", []string{`services.yaml:28:9: service shop: response 2: want alert with the name of an alert, or otherwise: true for every other one`}},
		{"{otherwise: true,", "{alert: Down,", []string{`services.yaml:28:9: service shop: response 2: alert "Down": named twice`}},
		{`{otherwise: true, runbook: "https://runbooks.example.com/shop"}`, "{otherwise: true}", []string{
			`services.yaml:28:9: service shop: response 2: otherwise: leads nowhere; want a runbook, a playbook or both`,
		}},
		{`playbook: "https`, `playbook: "ftp`, []string{`services.yaml:27:79: service shop: response 1: playbook "ftp://playbooks.example.com/down": want the ID of a playbook in runbooks, or a URL that begins with https:// or http://`}},
	} {
		t.Run(tc.old+" to "+tc.new, func(t *testing.T) {
			files := good(t)
			change{"services.yaml", tc.old, tc.new}.in(t, files)
			if diff := cmp.Diff(tc.want, faults(t, files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServicesMayNotDependOnThemselves(t *testing.T) {
	services := func(dependsOn map[string]string) map[string]string {
		files := good(t)
		one := strings.TrimPrefix(files["services.yaml"], "services:\n")
		files["services.yaml"] = "services:\n"
		for _, id := range []string{"shop", "b", "c", "d"} {
			files["services.yaml"] += strings.NewReplacer("id: shop", "id: "+id, "tier: 1", "depends_on: ["+dependsOn[id]+"]").Replace(one)
		}
		return files
	}
	if got := faults(t, services(map[string]string{"shop": "b, c", "b": "d", "c": "d"})); got != nil {
		t.Errorf("no circle, and %v", got)
	}
	got := faults(t, services(map[string]string{"shop": "b", "b": "c", "c": "d, shop", "d": "b"}))
	want := []string{
		`services.yaml:73:21: service c: depends_on "shop": it would depend on itself: shop → b → c → shop`,
		`services.yaml:100:18: service d: depends_on "b": it would depend on itself: b → c → d → b`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhichServicesStandAroundOne(t *testing.T) {
	files := good(t)
	one := strings.TrimPrefix(files["services.yaml"], "services:\n")
	files["services.yaml"] = "services:\n"
	for id, on := range map[string]string{"shop": "base", "base": "", "till": "shop", "bill": "base, shop"} {
		files["services.yaml"] += strings.NewReplacer("id: shop", "id: "+id, "name: Shop", "name: The "+id, "tier: 1", "depends_on: ["+on+"]").Replace(one)
	}
	o := load(t, files)
	base, shop := o.Around("base"), o.Around("shop")
	if d := cmp.Diff(incident.Around{NeededBy: []incident.Service{{ID: "bill", Name: "The bill"}, {ID: "shop", Name: "The shop"}}}, base); d != "" {
		t.Error(d)
	}
	want := incident.Around{Needs: []incident.Service{{ID: "base", Name: "The base"}}, NeededBy: []incident.Service{{ID: "bill", Name: "The bill"}, {ID: "till", Name: "The till"}}}
	if d := cmp.Diff(want, shop); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(incident.Around{}, o.Around("nobody's")); d != "" {
		t.Error(d)
	}
}

func TestWarningsOfServices(t *testing.T) {
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC) // noon in Seoul
	for _, tc := range []struct {
		name    string
		changes []change
		want    []string
	}{
		{"none", nil, nil},
		{"no owner", []change{{"services.yaml", "    owner: person:kim\n", ""}}, []string{
			"services.yaml:2:9: service shop: has no owner; want owner: group:ID or person:ID, who answers for it",
		}},
		{"access tried 90 days ago", []change{{"services.yaml", "contacts:", "access_verified: 2026-08-27\n      contacts:"}}, nil},
		{"access tried 91 days ago", []change{{"services.yaml", "contacts:", "access_verified: 2026-08-26\n      contacts:"}}, []string{
			"services.yaml:2:9: service shop: triage: access_verified 2026-08-26 is more than 90 days ago; want responders to try their access again",
		}},
		{"access tried tomorrow", []change{{"services.yaml", "contacts:", "access_verified: 2026-11-26\n      contacts:"}}, []string{
			"services.yaml:2:9: service shop: triage: access_verified 2026-11-26 has not come yet",
		}},
		{"no plan for any alert", []change{{"services.yaml", "otherwise: true", "alert: Up"}}, []string{
			"services.yaml:2:9: service shop: route shop can lead any alert to it, and its response says nothing of those that it does not name; want an entry with otherwise: true",
		}},
		{"no plan for some that are named", []change{
			{"services.yaml", "otherwise: true", "alert: Up"},
			{"routes.yaml", "match: {service: shop}", "match: {alertname: Gone}"},
			{"routes.yaml", "  - id: rest\n", "  - id: some\n    when: name in [\"Up\", \"Slow\"] || name == \"Lost\"\n    service: shop\n  - id: rest\n"},
		}, []string{
			`routes.yaml:2:9: route shop: alert "Gone" has no response plan; want one in the response of service shop`,
			`routes.yaml:12:9: route some: alert "Lost" has no response plan; want one in the response of service shop`,
			`routes.yaml:12:9: route some: alert "Slow" has no response plan; want one in the response of service shop`,
			"services.yaml:2:9: service shop: route rest can lead any alert to it, and its response says nothing of those that it does not name; want an entry with otherwise: true",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := good(t)
			for _, c := range tc.changes {
				c.in(t, files)
			}
			o, err := org.LoadFiles(files, now)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range o.Warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The runbook of the alert that opened it comes first, then what else is worth reading, each link once.
func TestTheResponsePlanComesFirst(t *testing.T) {
	o := load(t, good(t))
	named := func(name string) alert.Labels {
		return alert.FromMap(map[string]string{"service": "shop", "alertname": name})
	}
	const any, down, why = "https://runbooks.example.com/shop", "https://runbooks.example.com/down", "https://playbooks.example.com/down"
	for _, tc := range []struct {
		name string
		each []alert.Labels
		want []incident.Link
	}{
		{"named", []alert.Labels{named("Down")}, []incident.Link{{Name: "Down", URL: down, Kind: incident.Runbook}, {Name: "Down", URL: why, Kind: incident.Playbook}, {Name: "Runbook", URL: any}}},
		{"any other", []alert.Labels{named("Slow")}, []incident.Link{{URL: any, Kind: incident.Runbook}}},
		{"several", []alert.Labels{named("Slow"), named("Slow"), named("Down")}, []incident.Link{{URL: any, Kind: incident.Runbook}, {Name: "Down", URL: down, Kind: incident.Runbook}, {Name: "Down", URL: why, Kind: incident.Playbook}}},
		{"too many", []alert.Labels{named("A"), named("B"), named("C"), named("Down")}, []incident.Link{{URL: any, Kind: incident.Runbook}}},
	} {
		d, err := o.Definition("prometheus", named(""), "t", tc.each...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, d.Links); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// BenchmarkRouter routes an alert that only the last of 20 routes takes, each of the others with a condition.
func BenchmarkRouter(b *testing.B) {
	for _, tc := range []struct{ name, form string }{
		{"match", "  - {id: r%d, match: {service: s%[1]d}, service: shop}\n"},
		{"match and condition", "  - {id: r%d, match: {service: s%[1]d}, when: 'labels.severity == \"x\" || name.startsWith(\"X\")', service: shop}\n"},
		{"condition", "  - {id: r%d, when: 'labels.severity == \"s%[1]d\" || name.startsWith(\"X%[1]d\")', service: shop}\n"},
	} {
		var routes strings.Builder
		for n := range 19 {
			fmt.Fprintf(&routes, tc.form, n)
		}
		o := load(b, routed(b, routes.String()+"  - {id: rest, service: shop}\n"))
		labels := alert.FromMap(map[string]string{
			"service": "shop", "severity": "critical", "alertname": "Down", "host": "web-1", "cluster": "c", "job": "j", "env": "prod",
		})
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Levels("prometheus", labels)
			}
		})
	}
}

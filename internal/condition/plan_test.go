package condition_test

import (
	"errors"
	"strings"
	"testing"

	"muster/internal/condition"
	"muster/internal/plan"
)

func planned(t testing.TB) *condition.Plan {
	t.Helper()
	d := &plan.Definition{Environments: []plan.Environment{{ID: "pre-production"}, {ID: "production", Production: true}}}
	for _, x := range []struct {
		id  string
		typ plan.ParameterType
	}{
		{"release", plan.TextType},
		{"servers", plan.IntegerType},
		{"urgent", plan.BooleanType},
		{"kind", plan.ChoiceType},
		{"launch", plan.DateType},
		{"window-start", plan.InstantType},
		{"hosts", plan.ListType},
	} {
		d.Parameters = append(d.Parameters, plan.Parameter{ID: x.id, Type: x.typ})
	}
	p, err := condition.OfPlan(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestConditionsOfPlans(t *testing.T) {
	p := planned(t)
	values := map[string]any{
		"release": "6.5.21", "servers": int64(4), "urgent": true, "kind": "minor", "launch": "2026-11-26", "window-start": "2026-11-26T22:00:00+09:00", "hosts": []string{"web-1", "web-2"},
	}
	for _, tc := range []struct {
		text string
		want bool
	}{
		{`parameters.release.startsWith("6.5")`, true},
		{`parameters.servers > 3 && parameters.urgent`, true},
		{`parameters.servers == 3`, false},
		{`parameters.kind in ["major", "minor"]`, true},
		{`parameters.launch >= "2026-11-01"`, true},
		{`"web-2" in parameters.hosts && size(parameters.hosts) == 2`, true},
		{`parameters.hosts[1] == "web-2"`, true},
		{`environments.production.production && !environments.pre_production.production`, true},
		{`parameters.window_start != ""`, true},
		// What cannot be answered is no, and so is its opposite.
		{`parameters.hosts[2] == "web-3"`, false},
		{`parameters.hosts[2] != "web-3"`, false},
	} {
		w, err := p.Compile(tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if got := w.Holds(values); got != tc.want {
			t.Errorf("%s: got %t, want %t", tc.text, got, tc.want)
		}
	}
	w, err := p.Compile(`parameters.release == "" && parameters.servers == 0 && !parameters.urgent && size(parameters.hosts) == 0`)
	if err != nil || !w.Holds(nil) {
		t.Errorf("nothing is given, and something is not empty: %v", err)
	}
}

func TestFaultsOfConditionsOfPlans(t *testing.T) {
	p := planned(t)
	const knows = "; a condition of this plan knows parameters.release, parameters.servers, parameters.urgent, parameters.kind, parameters.launch, " +
		"parameters.window_start, parameters.hosts, environments.pre_production.production, environments.production.production, " +
		"size, int and double, and of a text contains, startsWith, endsWith and matches"
	for _, tc := range []struct{ text, want string }{
		{``, `nothing; want a condition, such as parameters.release != ""`},
		{`parameters.relase == ""`, `line 1, column 11: parameters.relase is unknown` + knows},
		{"parameters.urgent &&\n  가 == 1", `line 2, column 3: "가" begins nothing that a condition knows; put text in quotes`},
		{"parameters.urgent &&\n  environments.pre.production", `line 2, column 19: environments.pre.production is unknown` + knows},
		{`parameters`, `line 1, column 1: parameters is unknown` + knows},
		{`labels.severity == ""`, `line 1, column 1: labels is unknown` + knows},
		{`parameters.servers == "3"`, `line 1, column 20: == does not go with (int, string)`},
		{`parameters.servers`, `a condition is true or false; this is of type int`},
		{`parameters.hosts.exists(h, h == "x")`, `line 1, column 24: exists is unknown` + knows},
		{`has(parameters.release)`, `line 1, column 4: has is unknown` + knows},
		{`parameters.release.matches("` + strings.Repeat("(a|b)*", 120) + `")`, `it could cost 73747 on one plan; want at most 20000: fewer or shorter patterns`},
	} {
		_, err := p.Compile(tc.text)
		f, ok := errors.AsType[*condition.Fault](err)
		if !ok || f.Error() != tc.want {
			t.Errorf("%s:\n got %v\nwant %s", tc.text, err, tc.want)
		}
	}
}

// Any text is a condition of a plan that can be asked, or a fault.
func FuzzCompileOfPlan(f *testing.F) {
	for _, text := range []string{`parameters.servers > 3`, `"a" in parameters.hosts`, `environments.production.production`, `parameters.x.y`, `parameters.`, "\n\nparameters.a", `parameters.hosts[-1]`} {
		f.Add(text)
	}
	p := planned(f)
	f.Fuzz(func(t *testing.T, text string) {
		w, err := p.Compile(text)
		if err == nil {
			w.Holds(nil)
			return
		}
		if fault, ok := errors.AsType[*condition.Fault](err); !ok || fault.Text == "" || strings.ContainsAny(fault.Text, "\n\r") {
			t.Errorf("%q: %q", text, err)
		}
	})
}

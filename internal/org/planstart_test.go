package org_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
)

func whole(t *testing.T) *org.Organisation {
	t.Helper()
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func shippedUpgrade() org.PlanStart {
	return org.PlanStart{Plan: "upgrade", Customer: "garam", Parameters: map[string]string{
		"release": "6.5.22", "launch-date": "2027-03-09", "site-address": "https://shop.example/health",
	}}
}

func TestAPlanIsBoundToWhereItIsRun(t *testing.T) {
	o := whole(t)
	terms, err := o.StartPlan(shippedUpgrade())
	if err != nil {
		t.Fatal(err)
	}
	if b := terms.Target(); b.Environment != "production" || !b.Production || len(b.Rules.Windows) != 1 || len(b.Rules.Freezes) < 2 {
		t.Errorf("the target is %+v", b)
	}
	if terms.CustomerName != "가람유통" || terms.Zone != "Asia/Seoul" || terms.Calendar != "business-hours" || len(terms.Calendars) != 1 {
		t.Errorf("got %s, %s, %s with %d calendars", terms.CustomerName, terms.Zone, terms.Calendar, len(terms.Calendars))
	}
	if got := terms.Filled("deployer"); !slices.Equal(got, []escalation.Target{{Kind: escalation.Person, ID: "lee"}, {Kind: escalation.Person, ID: "kim"}}) {
		t.Errorf("deployers are %v: the environment's own win over the organisation's", got)
	}
	if len(terms.Absent) != 2 || terms.Absent[0].ID != "staging-data" || terms.Absent[1].ID != "retrospective" {
		t.Errorf("absent %+v", terms.Absent)
	}
	if terms.Plan.Name.Ko != "6.5.22 업그레이드" || len(terms.SHA256) != 64 || len(terms.ParametersID) != 64 {
		t.Errorf("got %q, %s, %s", terms.Plan.Name.Ko, terms.SHA256, terms.ParametersID)
	}
	terms.ID, terms.Starter.ID = planrun.NewID(1), "park"
	r, err := planrun.Start(terms, time.Now())
	if err != nil {
		t.Fatalf("what is bound cannot be started: %v", err)
	}
	for person, want := range map[string]string{"park": "service-engineer release-manager", "choi": "change-manager", "seo": "customer-owner customer-approver", "jung": ""} {
		if got := strings.Join(o.PlanRoles(r, person, time.Now()), " "); got != want {
			t.Errorf("%s fills %q, want %q", person, got, want)
		}
	}
}

func TestWhatIsWrongWithAStart(t *testing.T) {
	o := whole(t)
	for _, tc := range []struct {
		name   string
		change func(*org.PlanStart)
		want   []string
	}{
		{"no such plan", func(s *org.PlanStart) { s.Plan = "upgrad" }, []string{`plan: "upgrad"; want the id of a plan that muster plan list shows, or a file`}},
		{"a plan and a file", func(s *org.PlanStart) { s.Content = []byte("id: x") }, []string{"plan: an id and a file; want one of them"}},
		{"no such customer", func(s *org.PlanStart) { s.Customer = "garan" }, []string{`customer: "garan"; want the id of a customer in the organisation folder; did you mean garam?`}},
		{"no such environment", func(s *org.PlanStart) { s.Environments = map[string]string{"production": "prod"} }, []string{`environments.production: "prod"; want an environment of customer garam; known: staging, production`}},
		{"not production", func(s *org.PlanStart) {
			s.Environments = map[string]string{"production": "staging", "staging": "production"}
		}, []string{
			`environments.staging: "production" is production; want one that is not production`,
			`environments.production: "staging" is not production; want one that is production`,
		}},
		{"an environment that the plan does not have", func(s *org.PlanStart) { s.Environments = map[string]string{"test": "staging"} }, []string{`environments.test: the plan has no such environment; known: staging, production`}},
		{"parameters", func(s *org.PlanStart) { s.Parameters = map[string]string{"launch-date": "soon", "relase": "6.5"} }, []string{
			"parameters.launch-date", "parameters.relase", "parameters.release", "parameters.site-address",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := shippedUpgrade()
			tc.change(&s)
			_, err := o.StartPlan(s)
			bad, ok := errors.AsType[*org.PlanRefusal](err)
			if !ok || len(bad.Faults) != len(tc.want) {
				t.Fatalf("got %v; want %d faults", err, len(tc.want))
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v; want %q", err, want)
				}
			}
		})
	}
	if _, err := o.StartPlan(org.PlanStart{File: "mine.yaml", Content: []byte("id: Mine\n"), Customer: "garam"}); err == nil || !strings.Contains(err.Error(), "mine.yaml:1:5: ") {
		t.Errorf("a file that is wrong: %v; want its line", err)
	}
}

// A revision keeps what was given at the start, unless it is given anew.
func TestARevisionOfAPlanThatRuns(t *testing.T) {
	o := whole(t)
	terms, err := o.StartPlan(shippedUpgrade())
	if err != nil {
		t.Fatal(err)
	}
	terms.ID, terms.Starter.ID = planrun.NewID(1), "park"
	r, err := planrun.Start(terms, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	same, err := o.RePlan(r, org.PlanStart{Plan: "upgrade"})
	if err != nil || same.ParametersID != terms.ParametersID || same.SHA256 != terms.SHA256 {
		t.Errorf("got %s, %s, %v", same.SHA256, same.ParametersID, err)
	}
	other := shippedUpgrade()
	other.Parameters["launch-date"] = "2027-04-06"
	moved, err := o.RePlan(r, other)
	if err != nil || moved.ParametersID == terms.ParametersID {
		t.Errorf("another day is the same: %v", err)
	}
}

// How long a task takes is written as in a plan.
func TestTaskLengths(t *testing.T) {
	p, err := whole(t).PlanOf("upgrade")
	if err != nil {
		t.Fatal(err)
	}
	got, err := org.TaskLengths(&p.Definition, map[string]string{"code": "3d", "launch": "90m", "go": "1h30m"})
	if want := (map[string]plan.Length{"code": {Days: 3}, "launch": {Within: 90 * time.Minute}, "go": {Within: 90 * time.Minute}}); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for given, want := range map[[2]string]string{
		{"lanch", "2h"}:       `lengths: "lanch"; want a task of plan upgrade; did you mean launch?`,
		{"launch-window", ""}: "lengths.launch-window: nobody works on a task of kind wait",
		{"code", "1d12h"}:     `lengths.code: "1d12h"; want a time such as 4h or 90m, or working days such as 3d`,
		{"code", "0h"}:        `lengths.code: "0h"; want a time`,
		{"code", "-2h"}:       `lengths.code: "-2h"; want a time`,
		{"code", ""}:          `lengths.code: ""; want a time`,
		{"code", "9999h"}:     `lengths.code: "9999h"; want a time`,
	} {
		if _, err := org.TaskLengths(&p.Definition, map[string]string{given[0]: given[1]}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s=%s: got %v, want %q", given[0], given[1], err, want)
		}
	}
}

// Who gives a service and who takes it are named at the start: two sides, of the provider's own people.
func TestRolesThatParametersFill(t *testing.T) {
	o := whole(t)
	start := func(service, from, to string) (planrun.Terms, error) {
		return o.StartPlan(org.PlanStart{Plan: "service-handover", Customer: "garam", Parameters: map[string]string{"service": service, "from-team": from, "to-team": to}})
	}
	terms, err := start("garam-shop", "person:choi", "group:noc")
	if err != nil {
		t.Fatal(err)
	}
	if got := terms.Filled("taker"); !slices.Equal(got, []escalation.Target{{Kind: escalation.Group, ID: "noc"}}) || terms.Filled("giver")[0].ID != "choi" || !terms.Plan.Apart {
		t.Errorf("filled by %v and %v", terms.Filled("giver"), got)
	}
	if check, _ := terms.Plan.Task("documents-complete"); check.Check.Documents != "garam-shop" {
		t.Errorf("it looks at the documents of %q", check.Check.Documents)
	}
	for _, c := range []struct{ service, from, to, want string }{
		{"garam-shop", "noc", "group:noc", `parameters.from-team: "noc"; want people of the organisation folder who are the giver, as schedule:ID, group:ID or person:ID`},
		{"garam-shop", "group:platform", "group:noc", `parameters.from-team: "group:platform"; want people`},
		{"garam-shop", "schedule:nobody", "group:noc", `parameters.from-team: "schedule:nobody"; want people`},
		{"garam-shop", "person:nobody", "group:noc", `parameters.from-team: "person:nobody"; want people`},
		{"garam-shop", "person:seo", "group:noc", `parameters.from-team: person:seo: not all of them belong to the provider; want people who do`},
		{"garam-shop", "group:noc", "group:noc", `parameters.to-team: group:noc: person:park has the other part already; want others`},
		{"garam-shop", "person:kim", "group:noc", `parameters.to-team: group:noc: person:kim has the other part already`},
		{"garam-shop", "schedule:primary", "group:noc", "has the other part already"},
		{"garam-shp", "person:choi", "group:noc", `tasks.documents-complete: documents: "garam-shp"; want the id of a service in the organisation folder; did you mean garam-shop?`},
	} {
		if _, err := start(c.service, c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v", c, err)
		}
	}
}

// What whoever takes a service over would be missing is what the folder lacks of it.
func TestDocumentsOfAService(t *testing.T) {
	service := func(o *org.Organisation, at time.Time) string {
		lacks, err := o.Documents("garam-shop", at)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(lacks, "; ")
	}
	day := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		old, new string
		at       time.Time
		want     string
	}{
		{"", "", day, ""},
		{"", "", day.AddDate(0, 8, 0), "runbook RUN001: was to be reviewed by 2027-05-02; playbook PLAY001: was to be reviewed by 2027-05-02"},
		{"      - {otherwise: true, runbook: \"https://runbooks.mirnet.example/garam-shop\"}  # every other alert\n", "", day, "no response to the alerts that have none of their own; no response to alert ShopServerDown"},
		{"    owner: group:noc            # a group", "    # a group", day, "no owner"},
		{"      architecture: https://wiki.mirnet.example/garam-shop/architecture\n", "", day, "no architecture"},
		{"      contacts: [group:noc, person:choi]\n", "", day, "no contacts"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "services.yaml")
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), c.old) {
			t.Fatalf("%q: %v", c.old, err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := org.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := service(o, c.at); got != c.want {
			t.Errorf("without %q: got %q, want %q", c.old, got, c.want)
		}
	}
	if _, err := whole(t).Documents("nowhere", day); err == nil {
		t.Error("a service that is not there has documents")
	}
}

package org_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

func define(t testing.TB, o *org.Organisation, source string, labels map[string]string, title string) incident.Definition {
	t.Helper()
	d, err := o.Definition(source, alert.FromMap(labels), title)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDefinition(t *testing.T) {
	o := load(t, good(t))
	got := define(t, o, "prometheus", map[string]string{
		"service": "shop", "severity": "critical", "alertname": "Down", "host": "web-1",
	}, "it is down")
	office, err := o.Calendar("office")
	if err != nil {
		t.Fatal(err)
	}
	primary, park := escalation.Target{Kind: escalation.Schedule, ID: "primary"}, escalation.Target{Kind: escalation.Person, ID: "park"}
	want := incident.Definition{
		SHA256: got.SHA256, Revision: o.Revision, Changed: o.Changed, Organisation: "Acme", Zone: "Asia/Seoul", Source: "prometheus", Route: "shop",
		Title: "Down on web-1", Service: incident.Service{ID: "shop", Name: "Shop"}, Impact: priority.Low, Urgency: priority.High,
		Customers: []incident.Customer{{ID: "shopco", Name: "ShopCo", Plan: supportplan.Plan{
			ID: "gold", Name: "Gold", AtRisk: 80, UpdateBy: supportplan.ByEngine, Promises: []supportplan.Promise{
				{Priority: priority.P1, Target: supportplan.Respond, Within: 15 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Update, Within: 30 * time.Minute},
				{Priority: priority.P1, Target: supportplan.Resolve, Within: 4 * time.Hour},
				{Priority: priority.P3, Target: supportplan.Respond, Within: 24 * time.Hour},
				{Priority: priority.P4, Target: supportplan.Resolve, Days: 2, Calendar: "office"},
			},
			PauseFor: []supportplan.Cause{supportplan.Customer, supportplan.Vendor},
		}}},
		Policy: escalation.Policy{
			ID: "std", Steps: []escalation.Step{
				{Targets: []escalation.Target{primary}, Wait: 5 * time.Minute}, {Targets: []escalation.Target{park}, Wait: 10 * time.Minute},
			},
			Repeats: 1, LastResort: []escalation.Target{park}, LastResortEvery: 15 * time.Minute, AckExpires: time.Hour,
			NextMethodAfter: 2 * time.Minute,
			Variants: []escalation.Variant{{
				Priorities: []priority.Priority{priority.P1}, Steps: []escalation.Step{{
					Targets: []escalation.Target{{Kind: escalation.Role, ID: "incident-manager"}, {Kind: escalation.Person, ID: "kim"}}, Wait: 5 * time.Minute,
					Every: 2 * time.Minute, Acknowledgements: 2,
					Mitigations: []escalation.Mitigation{{ID: "restart", Name: "Restart the shop", Text: "One at a time."}},
				}},
			}, {
				Calendar: "office", Closed: true,
				Steps: []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Wait: 3 * time.Minute}},
			}},
		},
		Roles: []incident.RoleTarget{
			{Role: incident.IncidentManager, Targets: []escalation.Target{primary}},
			{Role: incident.CommunicationsManager, Targets: []escalation.Target{park}},
			{Role: incident.SupportManager, Targets: []escalation.Target{park}},
		},
		Quiet: 5 * time.Minute, ReopenWithin: 24 * time.Hour,
		Review: incident.ReviewRule{
			FromPriority: priority.P2, Customers: true, DueWithin: 5 * 24 * time.Hour, Owner: incident.IncidentManager,
			Stages: &incident.ReviewStages{
				Draft: 2, Meeting: 3, Publish: 4, Calendar: "office", Lead: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Edition: 1,
			},
		},
		Links: []incident.Link{
			{Name: "Down", URL: "https://runbooks.example.com/down", Kind: incident.Runbook},
			{Name: "Down", URL: "https://playbooks.example.com/down", Kind: incident.Playbook},
			{Name: "Runbook", URL: "https://runbooks.example.com/shop"},
		},
		Background: incident.Background{
			Owner: &incident.Contact{Target: escalation.Target{Kind: escalation.Person, ID: "kim"}, Name: "김민수"}, Tier: 1,
			Triage: &incident.Triage{
				Architecture: "https://wiki.example.com/shop", Components: []string{"checkout", "payments"}, Privacy: incident.PersonalData,
				Security: incident.Confidential,
				Contacts: []incident.Contact{{Target: escalation.Target{Kind: escalation.Person, ID: "kim"}, Name: "김민수"}},
			},
		},
		Communication: &incident.Communication{Settles: true}, Quotes: true, Around: true, Recall: time.Second,
		Calendars: []calendar.Rules{office},
		Languages: []string{"ko", "en"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A field that is added to incident.Definition has to be filled here, too: of what stands in a list, somewhere in it.
func TestDefinitionIsComplete(t *testing.T) {
	files := withRunbooks(t)
	change{"services.yaml", "playbook: \"https://playbooks.example.com/down\"", "playbook: PLAY-1"}.in(t, files)
	change{"services.yaml", "contacts:", "access_verified: 2026-10-01\n      contacts:"}.in(t, files)
	change{"services.yaml", "tier: 1", "tier: 1\n    depends_on: [spare]"}.in(t, files)
	change{"services.yaml", "    links:\n      - {name: Runbook, url: \"https://runbooks.example.com/shop\"}\n", ""}.in(t, files)
	files["services.yaml"] += strings.NewReplacer("services:\n", "", "id: shop", "id: spare", "depends_on: [spare]", "", "otherwise: true", "alert: Up").Replace(files["services.yaml"])
	files["runbooks/drain.md"], files["runbooks/look.md"], files["automatic-responses.yaml"] = drain, looking, draining
	change{"routes.yaml", "service: shop\n    impact", "service: shop\n    automatic: drain\n    classes: [{class: safety}]\n    kind: security\n    group_by: [alertname, host]\n    impact"}.in(t, files)
	change{"services.yaml", "    quiet: 5m", "    lead: {from_priority: P2, within: 15m}\n    problems: {recurs: {times: 3, within: 30d}, noise: {times: 5, within: 30d}, in: office}\n    status_pages: [{page: public, name: Shop, component: c1}]\n    quiet: 5m"}.in(t, files)
	files["organisation.yaml"] += "channels:\n  slack: {token: file:secrets/tickets, room: {from_priority: P1}}\n"
	files["organisation.yaml"] += "status_pages:\n  - {id: public, name: Acme, system: folder, folder: status}\nupdate_approval: {within: 15m}\n"
	change{"support-plans.yaml", "    update_by: engine", "    confirm: {within_days: 3, in: office}\n    update_by: engine"}.in(t, files)
	change{"organisation.yaml", "secret: file:secrets/tickets\n", "secret: file:secrets/tickets\n  hook_secret: file:secrets/tickets\n  resolves: true\n"}.in(t, files)
	files["people.yaml"] += "  - {id: rung, name: Rung, language: en, methods: [{name: pager, type: pagerduty, address: file:secrets/tickets}]}\n"
	d := define(t, load(t, files), "prometheus", map[string]string{"service": "shop", "alertname": "Down", "host": "web-1"}, "it is down")
	d.Environments = []incident.Environment{{Customer: "shopco", ID: "production"}}                                                  // a restricted one is of none
	d.Automatic.Fault, d.Automatic.Approval = "otherwise", &incident.ResponseVotes{Approvers: d.Automatic.Tell, Within: time.Minute} // in place of what is there
	filled := map[string]bool{}                                                                                                      // fields by type, each somewhere
	var look func(v reflect.Value)
	look = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			look(v.Elem())
		case reflect.Struct:
			if from := v.Type().PkgPath(); from == "time" || strings.HasSuffix(from, "/runbook") { // which has tests of its own
				return
			}
			for n := range v.NumField() {
				name := v.Type().String() + "." + v.Type().Field(n).Name
				filled[name] = filled[name] || !v.Field(n).IsZero()
				look(v.Field(n))
			}
		case reflect.Slice:
			for n := range v.Len() {
				look(v.Index(n))
			}
		}
	}
	look(reflect.ValueOf(d))
	for name, ok := range filled {
		if !ok {
			t.Errorf("%s is empty", name)
		}
	}
}

func TestRoutes(t *testing.T) {
	o := load(t, good(t))
	for _, tt := range []struct {
		name, source    string
		labels          map[string]string
		title           string
		route           string
		impact, urgency priority.Level
		wantTitle       string
	}{
		{
			"all match", "prometheus",
			map[string]string{"service": "shop", "severity": "warning", "alertname": "A", "host": "h"},
			"t",
			"shop", priority.Low, priority.Medium, "A on h",
		},
		{
			"a value without a level", "prometheus",
			map[string]string{"service": "shop", "severity": "odd"},
			"its own title",
			"shop", priority.Low, priority.Low, "its own title",
		},
		{"no label at all", "prometheus", nil, "t", "rest", priority.High, priority.Medium, "t"},
		{"another value", "prometheus", map[string]string{"service": "Shop"}, "t", "rest", priority.High, priority.Medium, "t"},
		{"another source", "lab", map[string]string{"service": "shop"}, "t", "rest", priority.High, priority.Medium, "t"},
		{"a source that the folder has lost", "gone", nil, "", "rest", priority.High, priority.Medium, "Shop"},
		{"the alert's name where it says nothing", "lab", map[string]string{"alertname": "Down"}, " \n", "rest", priority.High, priority.Medium, "Down"},
		{"a title from outside", "lab", nil, "a\x1b[2J\nb\u202e\t c\xff", "rest", priority.High, priority.Medium, "a[2J b c"},
		{"a long one", "lab", nil, strings.Repeat("가", 1<<20), "rest", priority.High, priority.Medium, strings.Repeat("가", 200) + "…"},
		{
			"labels from outside", "prometheus",
			map[string]string{"service": "shop", "alertname": "A\nB", "host": "{alertname}"},
			"t",
			"shop", priority.Low, priority.Low, "A B on {alertname}",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := define(t, o, tt.source, tt.labels, tt.title)
			if d.Route != tt.route || d.Impact != tt.impact || d.Urgency != tt.urgency || d.Title != tt.wantTitle || d.Source != tt.source {
				t.Errorf("got route %s, impact %s, urgency %s, title %q, source %s", d.Route, d.Impact, d.Urgency, d.Title, d.Source)
			}
		})
	}
}

func TestHash(t *testing.T) {
	o, again := load(t, good(t)), load(t, good(t))
	labels := map[string]string{"service": "shop", "alertname": "<&>", "host": "가"}
	d := define(t, o, "prometheus", labels, "t")
	other := define(t, again, "prometheus", labels, "t")
	other.Changed = d.Changed // a time of files
	if !reflect.DeepEqual(d, other) {
		t.Error(cmp.Diff(d, other))
	}
	if other := define(t, o, "prometheus", labels, "other"); other.SHA256 != d.SHA256 {
		t.Error("the route's title did not win")
	}
	labels["host"] = "나"
	if other := define(t, o, "prometheus", labels, "t"); other.SHA256 == d.SHA256 {
		t.Error("another title has the same hash")
	}
	// As somebody else would verify it, from the JSON of a bundle: keys sorted, no white space, nothing escaped in vain.
	stored, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back incident.Definition
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	if hash, err := org.Hash(back); err != nil || hash != d.SHA256 {
		t.Errorf("got %s, want %s: %v", hash, d.SHA256, err)
	}
	small := incident.Definition{SHA256: "whatever", Title: "<&> \"가\"", Quiet: 1<<62 + 1}
	const want = `{"impact":"","languages":null,"organisation":"","policy":{"ack_expires":0,"id":"","last_resort":null,` +
		`"last_resort_every":0,"next_method_after":0,"repeats":0,"steps":null},"quiet":4611686018427387905,"reopen_within":0,` +
		`"review":{"customers":false,"due_within":0,"from_priority":0,"owner":""},"revision":"","route":"",` +
		`"service":{"id":"","name":""},"sha256":"","source":"","title":"<&> \"가\"","urgency":"","zone":""}`
	sum := sha256.Sum256([]byte(want))
	if hash, err := org.Hash(small); err != nil || hash != hex.EncodeToString(sum[:]) {
		t.Errorf("got %s: %v; the canonical form has changed", hash, err)
	}
}

// The example's alerts are of one group and lead to its shop.
func TestTheExampleAlerts(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"firing", "firing-second", "resolved"} {
		content, err := os.ReadFile(filepath.Join("../../examples/alerts", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Version      string
			GroupKey     string
			CommonLabels map[string]string
			Alerts       []struct{ Labels, Annotations map[string]string }
		}
		if err := json.Unmarshal(content, &body); err != nil {
			t.Fatal(err)
		}
		d := define(t, o, "alertmanager", body.CommonLabels, body.Alerts[0].Annotations["summary"])
		if d.Route != "garam-shop" || d.Impact != priority.High || body.Version != "4" || body.GroupKey != `{}:{cluster="prod-seoul", service="garam-shop"}` {
			t.Errorf("%s: route %s, impact %s", name, d.Route, d.Impact)
		}
		if name == "firing" && (d.Urgency != priority.High || d.Title != "온라인몰 결제 오류율 12.4% (임계 5%)") {
			t.Errorf("%s: urgency %s, title %s", name, d.Urgency, d.Title)
		}
	}
}

func BenchmarkDefinition(b *testing.B) {
	o := load(b, good(b))
	labels := alert.FromMap(map[string]string{"service": "shop", "severity": "critical", "alertname": "Down", "host": "web-1"})
	for b.Loop() {
		if _, err := o.Definition("prometheus", labels, "it is down"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheMostPressingAlertDecides(t *testing.T) {
	o := load(t, good(t))
	common := alert.FromMap(map[string]string{"service": "shop"})
	each := func(severities ...string) (all []alert.Labels) {
		for _, s := range severities {
			all = append(all, alert.FromMap(map[string]string{"service": "shop", "severity": s}))
		}
		return all
	}
	for _, tc := range []struct {
		severities []string
		want       priority.Level
	}{
		{[]string{"info", "critical", "info"}, define(t, o, "prometheus", map[string]string{"service": "shop", "severity": "critical"}, "x").Urgency},
		{[]string{"info", "info"}, define(t, o, "prometheus", map[string]string{"service": "shop", "severity": "info"}, "x").Urgency},
	} {
		d, err := o.Definition("prometheus", common, "x", each(tc.severities...)...)
		if err != nil || d.Urgency != tc.want {
			t.Errorf("severities %v give urgency %s, %v; want %s", tc.severities, d.Urgency, err, tc.want)
		}
		if impact, urgency := o.Levels("prometheus", common, each(tc.severities...)...); impact != d.Impact || urgency != d.Urgency {
			t.Errorf("severities %v give levels %s and %s, the definition has %s and %s", tc.severities, impact, urgency, d.Impact, d.Urgency)
		}
	}
}

// A group may mix services, so that what its alerts have in common leads to the last route. Each still has the levels of its
// own route.
func TestAnAlertAmongStrangersKeepsItsLevels(t *testing.T) {
	o := load(t, good(t))
	critical := alert.FromMap(map[string]string{"service": "shop", "severity": "critical"})
	stranger := alert.FromMap(map[string]string{"service": "unheard-of", "severity": "info"})
	_, want := o.Levels("prometheus", critical)
	_, common := o.Levels("prometheus", nil)
	if want == common {
		t.Fatalf("the last route has urgency %s too: the test says nothing", common)
	}
	if _, got := o.Levels("prometheus", nil, stranger, critical); got != want {
		t.Errorf("urgency %s, want %s, as the critical alert has it alone", got, want)
	}
}

// What every incident carries is bounded when the folder is read, and not when an incident opens at night.
func TestAServiceThatIsTooLargeIsRefused(t *testing.T) {
	files := good(t)
	var customers, ids strings.Builder
	for n := range 900 {
		fmt.Fprintf(&customers, "  - {id: c-%d, name: C, language: en, support_plan: gold, contacts: [{id: desk, name: Desk, methods: [{name: log, type: file, address: c.jsonl}]}]}\n", n)
		fmt.Fprintf(&ids, ", c-%d", n)
	}
	files["customers.yaml"] += "\n" + customers.String()
	change{"services.yaml", "customers: [shopco", "customers: [shopco" + ids.String()}.in(t, files)
	got := faults(t, files)
	if len(got) != 1 || !strings.Contains(got[0], "service shop: what each of its incidents carries takes ") {
		t.Errorf("got %.300q", got)
	}
}

// Whose change holds an alert back: that of an environment of its only customer whose labels it has.
func TestAnAlertIsKnownByItsEnvironment(t *testing.T) {
	files := planned(t)
	files["customers.yaml"] = strings.Replace(files["customers.yaml"], "        windows: [sundays]", "        alerts: {env: prod, tier: web}\n        windows: [sundays]", 1)
	o := load(t, files)
	production := []incident.Environment{{Customer: "shopco", ID: "production"}}
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   []incident.Environment
	}{
		{"all labels", map[string]string{"service": "shop", "env": "prod", "tier": "web", "host": "a"}, production},
		{"one label", map[string]string{"service": "shop", "env": "prod"}, nil},
		{"another value", map[string]string{"service": "shop", "env": "test", "tier": "web"}, nil},
	} {
		d := define(t, o, "prometheus", tt.labels, "it is down")
		if diff := cmp.Diff(tt.want, d.Environments); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		again, err := o.Repinned(d, nil)
		if err != nil || !cmp.Equal(again.Environments, d.Environments) {
			t.Errorf("%s: pinned anew it is of %v: %v", tt.name, again.Environments, err)
		}
	}
	if e, _ := o.Environment("shopco", "production"); !e.Alerts() {
		t.Error("its alerts are not known")
	}
	if e, _ := o.Environment("shopco", "staging"); e.Alerts() {
		t.Error("those of staging are known without labels")
	}
}

// Of an alert by which Muster checks a source people are paged, and nobody outside hears of it.
func TestATestIsForNoCustomer(t *testing.T) {
	o := load(t, good(t))
	labels := map[string]string{"service": "shop"}
	if d := define(t, o, "prometheus", labels, "It is down"); len(d.Customers) == 0 || d.Communication == nil {
		t.Fatalf("a real alert is for nobody: %+v", d)
	}
	d := define(t, o, "prometheus", labels, "[TEST] Muster checks this source: please ignore (x)")
	if len(d.Customers) > 0 || d.Communication != nil || d.Review.Customers || d.Review.FromPriority != 0 || len(d.Policy.Steps) == 0 {
		t.Errorf("got %+v", d)
	}
}

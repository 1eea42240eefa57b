package org_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"muster/internal/approval"
	"muster/internal/org"
	"muster/internal/plan"
)

// wholePlan is a plan that has everything that a plan can have.
func wholePlan(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func readPlan(t testing.TB, content string) org.Plan {
	t.Helper()
	p, err := org.ReadPlan("move.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// planFaults are what is wrong with a plan.
func planFaults(t testing.TB, content string) (all []string) {
	t.Helper()
	_, err := org.ReadPlan("move.yaml", []byte(content))
	if err == nil {
		return nil
	}
	refusal, ok := errors.AsType[*org.Refusal](err)
	if !ok {
		t.Fatal(err)
	}
	for _, f := range refusal.Faults {
		all = append(all, f.String())
	}
	return all
}

func task(t testing.TB, d *plan.Definition, id string) plan.Task {
	t.Helper()
	found, ok := d.Task(id)
	if !ok {
		t.Fatalf("no task %s", id)
	}
	return found
}

func TestAPlanIsReadWhole(t *testing.T) {
	p := readPlan(t, wholePlan(t))
	d := &p.Definition
	customer, provider := approval.Voter{Party: "customer", Role: "approver"}, approval.Voter{Party: "provider", Role: "manager"}
	goes := task(t, d, "go")
	if diff := cmp.Diff(&approval.Rule{
		Voters: []approval.Voter{customer, provider}, Need: approval.Need{Count: 2}, Required: []approval.Who{{Voter: customer}},
		Exclude: approval.Exclusion{Requester: true, Implementers: true}, OnExpiry: approval.RejectOnExpiry,
		Yes: []approval.Choice{approval.Ready, approval.ReadyWithRisk},
	}, goes.Vote); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(approval.Rule{Voters: []approval.Voter{customer, provider}, Need: approval.Need{Each: approval.EachParty}}, d.RePlan); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]plan.Due{
		"write-plan": {Days: 3}, "sizing": {Within: 4 * time.Hour, After: "write-plan"}, "tell": {Days: 2, Date: "launch", Before: true},
		"switch": {Date: "launch"},
	} {
		if got := task(t, d, id).Due; got == nil || *got != want {
			t.Errorf("%s: due %v, want %v", id, got, &want)
		}
	}
	for id, want := range map[string]string{
		"write-plan": "", "sizing": "write-plan", "rehearsal": "sizing", "tell": "", "go": "rehearsal tell", "window": "go", "measure": "bake",
	} {
		if got := strings.Join(task(t, d, id).Needs, " "); got != want {
			t.Errorf("%s needs %q, want %q", id, got, want)
		}
	}
	if got := task(t, d, "sizing").Detail.Ko; got != "First line.\n{hosts}" {
		t.Errorf("got %q", got)
	}
	bake := task(t, d, "bake")
	if diff := cmp.Diff(&plan.Check{
		HTTP: "{health}", Status: 200, Has: "{release}", Timeout: 10 * time.Second, Every: 5 * time.Minute, Failures: 3, Inconclusive: 5,
		OnFail: plan.RollBackAll, OnUnclear: plan.AskPerson,
	}, bake.Check); diff != "" || bake.For != 2*time.Hour {
		t.Error(bake.For, diff)
	}
	moves := task(t, d, "switch")
	if diff := cmp.Diff(&plan.Rollback{
		Component: "shop", Detail: plan.Text{En: "Back.", Ko: "롤백."}, Within: time.Hour, Rehearsed: "rehearsal", FixForward: true,
	}, moves.Rollback); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&plan.Waves{Over: "hosts", Size: 1, Bake: 10 * time.Minute}, moves.Waves); diff != "" {
		t.Error(diff)
	}
	if got := d.Parameters[3].Default; got != "web-1, web-2" {
		t.Errorf("the list is %q when nobody gives it", got)
	}
}

// The hash of a task is that of all that is written of it, and of nothing else.
func TestHashesOfTasks(t *testing.T) {
	p, again := readPlan(t, wholePlan(t)), readPlan(t, "# a comment\n"+wholePlan(t))
	later := readPlan(t, strings.Replace(wholePlan(t), "within: 4h", "within: 5h", 1))
	if p.SHA256 == again.SHA256 {
		t.Error("other bytes, and the same hash")
	}
	for n, a := range p.Definition.All() {
		if len(a.SHA256) != 64 || a.SHA256 != again.Definition.All()[n].SHA256 {
			t.Errorf("%s: %s, and with a comment %s", a.ID, a.SHA256, again.Definition.All()[n].SHA256)
		}
		if changed := a.SHA256 != later.Definition.All()[n].SHA256; changed != (a.ID == "sizing") {
			t.Errorf("%s: changed %t", a.ID, changed)
		}
	}
	if got := plan.Diff(&p.Definition, &later.Definition); len(got) != 1 || got[0].Kind != plan.ReTimed {
		t.Errorf("got %v", got)
	}
}

func TestFaultsOfPlans(t *testing.T) {
	whole := wholePlan(t)
	for _, tc := range []struct {
		name, old, by string
		want          []string
	}{
		{"an unknown key", "accountable: manager\n        writes", "acountable: manager\n        writes", []string{
			`move.yaml:29:9: task write-plan: accountable: missing; want the ID of a role`,
			`move.yaml:32:9: task write-plan: unknown key "acountable"; did you mean accountable?`,
		}},
		{"an unknown role", "consulted: [owner]", "consulted: [ownr]", []string{`move.yaml:42:21: task sizing: consulted "ownr": no such role; did you mean owner?`}},
		{"an unknown task", "needs: [go]", "needs: [og]", []string{`move.yaml:85:17: task window: needs "og": no such task; known: write-plan, sizing, rehearsal, tell, go, window, switch, bake, measure`}},
		{"an unknown environment", "environment: pre-production", "environment: staging", []string{
			`move.yaml:56:22: task rehearsal: environment "staging": no such environment; known: pre-production, production`,
		}},
		{"an unknown parameter in a message", "{en: \"We move to {release} on", "{en: \"We move to {relase} on", []string{
			`move.yaml:70:23: task tell: message: {relase}: no such parameter; did you mean release?`,
		}},
		{"an unknown parameter in an address", "http: \"{health}\"", "http: \"{healthy}\"", []string{
			`move.yaml:108:23: task bake: check: http: {healthy}: no such parameter; did you mean health?`,
		}},
		{"no address", "http: \"{health}\"", "http: health", []string{
			`move.yaml:108:23: task bake: check: http "health": want a URL that begins with https:// or http://, in which {ID} may stand for a parameter`,
		}},
		{"an unknown parameter in a condition", "parameters.scope ==", "parameters.scop ==", []string{
			`move.yaml:43:15: task sizing: when "parameters.scop == \"major\" && !environments.pre_production.p…": line 1, column 11: ` +
				`parameters.scop is unknown; a condition of this plan knows parameters.release, parameters.launch, parameters.window_start, ` +
				`parameters.hosts, parameters.size, parameters.urgent, parameters.scope, parameters.health, environments.pre_production.production, ` +
				`environments.production.production, size, int and double, and of a text contains, startsWith, endsWith and matches`,
		}},
		{"a condition of the wrong type", "when: parameters.scope == \"major\"", "when: parameters.size == \"major\"", []string{
			`move.yaml:43:15: task sizing: when "parameters.size == \"major\" && !environments.pre_production.p…": line 1, column 17: == does not go with (int, string)`,
		}},
		{"working days and hours", "due: {within: 3d}", "due: {within: 1d12h}", []string{
			`move.yaml:34:23: task write-plan: due: within "1d12h": want a time such as 4h or 90m, or working days such as 3d`,
		}},
		{"one language", "name: {en: Sizing, ko: 용량 산정}", "name: {en: Sizing}", []string{
			`move.yaml:37:15: task sizing: name: ko: missing; want a name on one line, of at most 200 characters`,
		}},
		{"two ways to count votes", "count: 2,", "count: 2, each: role,", []string{
			`move.yaml:79:15: task go: vote: 2 of count, percent and each; want one of them`,
		}},
		{"who votes acts", "accountable: engineer\n        environment: production\n        changes", "accountable: manager\n        environment: production\n        changes", []string{
			`move.yaml:79:15: task go: vote: manager does switch and may not vote on it`,
		}},
		{"yes in an approval", "kind: decision", "kind: approval", nil},
		{"an approval cannot be ready", "kind: decision\n        name: {en: Go or no-go, ko: 진행 여부 결정}\n        accountable: manager\n        vote: {", "kind: approval\n        name: Go\n        accountable: manager\n        vote: {yes: [ready], ", []string{
			`move.yaml:79:16: task go: vote: unknown key "yes"; known: voters, count, percent, each, required, exclude, on_expiry`,
		}},
		{"no rollback in production", "rollback: {component: shop", "# rollback: {component: shop", []string{
			`move.yaml:89:9: task switch: rollback: missing: it changes production`,
		}},
		{"not rehearsed", "rehearsed: rehearsal, fix_forward", "fix_forward", []string{
			`move.yaml:99:19: task switch: rollback: rehearsed: missing: it must have been tried before production is changed`,
		}},
		{"a circle", "kind: wait\n        name: {en: Window, ko: 작업 가능 시간}\n        needs: [go]", "kind: wait\n        name: Window\n        needs: [measure]", []string{
			`move.yaml:85:16: task window: needs: they wait for each other: window → measure → bake → switch → window`,
		}},
		{"apart, and yet a change", "source: ours\n", "source: ours\napart: true\n", []string{
			`move.yaml:58:18: task rehearsal: changes: the plan stands apart, so nothing of it changes an environment`,
			`move.yaml:96:18: task switch: changes: the plan stands apart, so nothing of it changes an environment`,
		}},
		{"filled by what is no text", "party: provider, name: {en: Engineer", "party: provider, filled_by: hosts, name: {en: Engineer", []string{
			`move.yaml:16:3: plan move: roles: parameter "hosts" is a list; want a text`,
		}},
		{"documents that are waited for", "http: \"{health}\"", "documents: shop", []string{
			`move.yaml:108:16: task bake: check: documents are looked at once, and at once; want a task of kind check, without timeout`,
		}},
		{"action items of what nobody completes", "kind: report\n", "kind: report\n        action_items: true\n", []string{
			`move.yaml:31:23: task write-plan: action_items: want a manual task without waves, which somebody completes`,
		}},
		{"the id of another task", "- id: tell", "- id: sizing", []string{`move.yaml:64:13: task sizing: id "sizing": taken by move.yaml:35`}},
		{"a default that is none", "default: 3", "default: three", []string{`move.yaml:11:59: parameter size: default "three": want a whole number, such as 3`}},
		{"a list where one value is wanted", "default: 3", "default: [3]", []string{`move.yaml:11:59: parameter size: default: got a list; want one value`}},
		{"a choice of nothing", "values: [minor, major], ", "", []string{`move.yaml:13:5: parameter scope: values: missing; want what may be chosen`}},
		{"a default that cannot be chosen", "default: minor", "default: mini", []string{`move.yaml:13:84: parameter scope: default "mini": want minor or major`}},
		{"values of a text", "type: text, description: Address", "type: text, values: [a], description: Address", []string{
			`move.yaml:14:38: parameter health: values: a text has none; want type: choice`,
		}},
		{"due after what may be left out", "due: {date: launch}", "due: {within: 1d, after: sizing}", []string{
			`move.yaml:98:14: task switch: due: sizing may be left out; want a task that is always there, or the same condition on both`,
		}},
		{"several at once", "kind: report\n", "kind: reprt\n        remind: [soon]\n", []string{
			`move.yaml:30:15: task write-plan: kind "reprt": want manual, approval, decision, runbook, check, wait, notify or report`,
			`move.yaml:31:18: task write-plan: remind "soon": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := strings.Replace(whole, tc.old, tc.by, 1)
			if changed == whole {
				t.Fatal("nothing is changed")
			}
			if diff := cmp.Diff(tc.want, planFaults(t, changed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Plans run the runbooks of the folder, whose ids need not be in lower-case letters.
func TestPlansNameRunbooksOfTheFolder(t *testing.T) {
	own := strings.NewReplacer("runs: move-hosts", "runs: RUN010", "runs: move-back", "runs: RUN011").Replace(wholePlan(t))
	if got := planFaults(t, own); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	if got := planFaults(t, strings.Replace(own, "RUN010", "RUN 010", 1)); len(got) != 1 || !strings.Contains(got[0], `runs "RUN 010": want letters, digits and hyphens`) {
		t.Errorf("got %q", got)
	}
}

// Faults of form and faults of rules are told together, each at its place, and none twice.
func TestAllFaultsOfAPlanAtOnce(t *testing.T) {
	got := planFaults(t, strings.NewReplacer(
		"lead: manager", "lead: boss", "writes: work-plan", "writes: novel", "tell: [owner, approver]", "tell: []",
	).Replace(wholePlan(t)))
	if len(got) != 3 || !strings.Contains(got[0], `lead "boss": no such role`) || !strings.Contains(got[1], `writes "novel": want work-plan or completion-report`) ||
		!strings.Contains(got[2], "task tell: tell: missing") {
		t.Errorf("got %q", got)
	}
	got = planFaults(t, strings.NewReplacer(
		"writes: work-plan", "writes: novel", "tell: [owner, approver]", "tell: []", "for: 2h", "for: 2h\n        window: true",
		"rehearsed: rehearsal, ", "",
	).Replace(wholePlan(t)))
	want := []string{
		`move.yaml:33:17: task write-plan: writes "novel": want work-plan or completion-report`,
		`move.yaml:69:15: task tell: tell: missing`,
		`move.yaml:99:19: task switch: rollback: rehearsed: missing: it must have been tried before production is changed`,
		`move.yaml:107:14: task bake: wait: want exactly one of a time, a date and the next window`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever is wrong elsewhere in a plan, a rule says what it has to say of a task, unless that task, or something that the rule goes
// by, could not be read.
func TestARuleIsHeldWhateverElseIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name     string
		old, new string
		silent   bool // the rule has nothing to go by
	}{
		{"the plan has no name", "name: {en: \"Move to {release}\", ko: \"{release} 이전\"}", "name: [a]", false},
		{"nobody leads", "lead: manager", "lead: boss", false},
		{"a vote on revisions of nobody", "re_plan: {voters: [approver, manager], each: party}", "re_plan: {voters: [nobody], each: party}", false},
		{"a role without a name", "party: provider, name: {en: Engineer, ko: 엔지니어}", "party: provider", false},
		{"a role of no party", "{id: engineer, party: provider,", "{id: engineer, party: friend,", true},
		{"a parameter of no type", "type: boolean", "type: bool", false},
		{"another task waits for nobody", "needs: [bake]", "needs: [bakery]", false},
		{"others wait for each other", "needs: [write-plan]", "needs: [sizing]", false},
		{"a task before it is of no kind", "kind: decision", "kind: decisive", true},
		{"what it needs is none of the plan", "needs: [window]", "needs: [windw]", true},
		{"tasks before it wait for each other", "needs: [go]", "needs: [window]", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const rule = "rehearsed: missing: it must have been tried before production is changed"
			without := strings.Replace(wholePlan(t), "rehearsed: rehearsal, ", "", 1)
			if got := planFaults(t, without); len(got) != 1 || !strings.Contains(got[0], rule) {
				t.Fatalf("got %q", got)
			}
			changed := strings.Replace(without, tc.old, tc.new, 1)
			got := planFaults(t, changed)
			held := slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, rule) })
			if others := len(got) > 1 || !held; changed == without || !others || held == tc.silent {
				t.Errorf("held %v, got %q", held, got)
			}
		})
	}
}

func TestPlansThatAreNoPlans(t *testing.T) {
	for _, tc := range []struct{ content, want string }{
		{"", "move.yaml:1:1: plan: missing; want keys and values"},
		{"[]", "move.yaml:1:1: plan: got a list; want keys and values"},
		{"\xff", "move.yaml: not UTF-8 text"},
		{"a: [", "move.yaml:2:1: not YAML: did not find expected node content"},
		{strings.Repeat("#", 1<<20+1), "move.yaml: 1048577 bytes; want 1048576 at most"},
		{"a: 1\n---\nb: 2", "move.yaml:1:1: plan: id: missing; want lower-case letters, digits and hyphens, at most 63, such as web-1"},
	} {
		got := planFaults(t, tc.content)
		if len(got) == 0 || got[0] != tc.want {
			t.Errorf("%.20q: got %q, want %q", tc.content, got, tc.want)
		}
	}
	_, err := org.ReadPlan("some/move.yaml", []byte("[]"))
	if want := "read plan some/move.yaml: 1 fault\nsome/move.yaml:1:1: plan: got a list; want keys and values"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAPlanHasBounds(t *testing.T) {
	var b strings.Builder
	for n := range plan.MaxTasks + 1 {
		fmt.Fprintf(&b, "      - {id: t%d, kind: manual, name: T, accountable: manager}\n", n)
	}
	many := strings.Replace(wholePlan(t), "    tasks:\n", "    tasks:\n"+b.String(), 1)
	got := planFaults(t, many)
	if len(got) != 1 || !strings.Contains(got[0], "phase prepare: tasks: a list of 503; want at most 500") {
		t.Errorf("got %.300q", got)
	}
}

// The schema of plans takes what is read, and refuses unknown keys.
func TestTheSchemaOfPlans(t *testing.T) {
	s, doc := schema(t, "plan"), tree(t, wholePlan(t))
	if err := s.Validate(doc); err != nil {
		t.Fatal(err)
	}
	refused := 0
	mutants("plan", doc, func(what string, stranger bool) {
		err := s.Validate(doc)
		switch {
		case stranger && err == nil:
			t.Errorf("%s: the schema takes it", what)
		case !stranger && err != nil:
			refused++
			changed, merr := yaml.Marshal(doc)
			if merr != nil {
				t.Fatal(merr)
			}
			if _, rerr := org.ReadPlan("move.yaml", changed); rerr == nil {
				t.Errorf("%s: Muster takes it, the schema does not: %v", what, err)
			}
		}
	})
	if refused < 50 {
		t.Errorf("the schema has refused %d plans that lack a key; want many", refused)
	}
}

// Own plans stand in the folder.
func TestPlansOfTheFolder(t *testing.T) {
	files := good(t)
	bare := load(t, files)
	files["plans/move.yaml"] = wholePlan(t)
	o := load(t, files)
	if o.Revision == bare.Revision {
		t.Error("a plan more, and the same revision")
	}
	p, err := o.PlanOf("move")
	if err != nil || p.File != "plans/move.yaml" || p.Shipped || len(p.SHA256) != 64 {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := o.PlanOf("nowhere"); err == nil || !strings.HasPrefix(err.Error(), `plan "nowhere": no such plan; known: daily-check, development-qa, `) {
		t.Errorf("got %v", err)
	}
	for _, tc := range []struct {
		name, file, content string
		want                []string
	}{
		{"a fault", "plans/other.yaml", strings.NewReplacer("id: move", "id: other", "lead: manager", "lead: boss").Replace(wholePlan(t)), []string{
			`plans/other.yaml:23:7: plan other: lead "boss": no such role; known: owner, approver, engineer, manager`,
		}},
		{"the id of another", "plans/other.yaml", wholePlan(t), []string{`plans/other.yaml:1:5: plan: id "move": taken by plans/move.yaml:1`}},
		{"a slip in the name", "plans/other.yml", wholePlan(t), []string{`plans/other.yml: want a name that ends in .yaml`}},
		{"a file of all", "plans.yaml", "plans: []", []string{`plans.yaml: want one plan in each file of the folder plans/`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := good(t)
			all["plans/move.yaml"], all[tc.file] = wholePlan(t), tc.content
			if diff := cmp.Diff(tc.want, faults(t, all)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Any bytes are a plan or have a fault.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(wholePlan(f)))
	f.Add([]byte("id: x\nphases: [{tasks: [{vote: {}, check: {}, due: {}}]}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := org.ReadPlan("x.yaml", content)
		if err != nil {
			if _, ok := errors.AsType[*org.Refusal](err); !ok {
				t.Error(err)
			}
			return
		}
		if faults := p.Definition.Check(); len(faults) > 0 {
			t.Errorf("it was taken, and has faults: %v", faults)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Error(err)
		}
	})
}

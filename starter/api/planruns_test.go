package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/report"
	"muster/internal/runbook"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// upgrading is a run for acme that kim leads and park works on. Every command has a task on which it can be given.
const (
	upgrading planrun.ID = "RUN-7K3M9QX2PA"
	planRoute            = "/api/v1/plan-runs/{id}"
	upgraded             = "/api/v1/plan-runs/" + string(upgrading)
)

func both(s string) plan.Text { return plan.Text{En: s, Ko: s + " 작업"} }

func hash(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

// small is a plan whose tasks need none of the others, but for the change of production.
func small() plan.Definition {
	do := func(role string) raci.Assignment { return raci.Assignment{Accountable: role} }
	skip := &plan.Skip{Approver: "change-manager"}
	d := plan.Definition{
		ID: "small", Kind: plan.Upgrade, Name: both("Small upgrade"), Lead: "lead",
		Roles: []plan.Role{
			{ID: "lead", Party: authority.Provider, Name: both("Release manager")},
			{ID: "deployer", Party: authority.Provider, Name: both("Deployer")},
			{ID: "change-manager", Party: authority.Provider, Name: both("Change manager")},
			{ID: "owner", Party: authority.Customer, Name: both("Owner")},
		},
		RePlan:       approval.Rule{Voters: []approval.Voter{{Party: authority.Provider, Role: "change-manager"}}, Need: approval.Need{Count: 1}},
		Environments: []plan.Environment{{ID: "staging", Name: both("Staging")}, {ID: "production", Name: both("Production"), Production: true}},
		Phases: []plan.Phase{
			{ID: "prepare", Name: both("Prepare"), Tasks: []plan.Task{
				{ID: "brief", Kind: plan.Manual, Name: both("Brief"), Assignment: do("deployer"), Due: &plan.Due{Days: 2}},
				{
					ID: "stage", Kind: plan.Manual, Name: both("Stage"), Assignment: do("deployer"), Environment: "staging", Changes: true, Overrun: plan.Finish,
					Evidence: []plan.Evidence{{ID: "log", What: both("log of the rehearsal")}},
					Rollback: &plan.Rollback{Component: "shop", Detail: both("put the old one back"), Within: time.Hour},
				},
				{
					ID: "proof", Kind: plan.Manual, Name: both("Proof"), Assignment: do("deployer"),
					Evidence: []plan.Evidence{{ID: "scan", What: both("scan"), CheckedBy: "change-manager"}},
				},
				{
					ID: "odd", Kind: plan.Checking, Name: both("Odd"), Assignment: do("deployer"),
					Check: &plan.Check{HTTP: "https://shop.example", Timeout: time.Second, OnFail: plan.FailTask, OnUnclear: plan.AskPerson},
				},
				{ID: "broken", Kind: plan.Manual, Name: both("Broken"), Assignment: do("deployer")},
				{
					ID: "approve", Kind: plan.Approval, Name: both("Approve"), Assignment: do("change-manager"), Due: &plan.Due{Within: 48 * time.Hour, After: "approve"},
					Vote: &approval.Rule{
						Voters: []approval.Voter{{Party: authority.Provider, Role: "change-manager"}, {Party: authority.Customer, Role: "owner"}},
						Need:   approval.Need{Count: 2}, Exclude: approval.Exclusion{Requester: true, Implementers: true},
					},
				},
				{ID: "later", Kind: plan.Manual, Name: both("Later"), Assignment: do("lead"), Skip: skip},
				{ID: "extra", Kind: plan.Manual, Name: both("Extra"), Assignment: do("lead"), Skip: skip},
				{ID: "book", Kind: plan.Runbook, Name: both("Book"), Assignment: do("deployer"), Runs: "deploy"},
			}},
			{ID: "launch", Name: both("Launch"), Tasks: []plan.Task{{
				ID: "switch", Kind: plan.Manual, Name: both("Switch"), Assignment: do("deployer"), Needs: []string{"approve", "stage"}, Environment: "production",
				Changes: true, Overrun: plan.Finish, Rollback: &plan.Rollback{
					Component: "shop", Detail: both("switch back"), Within: time.Hour, Rehearsed: "stage",
				},
			}}},
		},
	}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			d.Phases[p].Tasks[n].SHA256 = hash(d.Phases[p].Tasks[n].ID)
		}
	}
	return d
}

// cast are the roles of the plan that people fill. choi may step in for anybody of the provider.
func cast() map[string][]string {
	return map[string][]string{
		"kim": {"lead"}, "park": {"deployer"}, "min": {"change-manager"}, "choi": {"lead", "deployer", "change-manager"}, "acme/lead": {"owner"},
	}
}

func planTerms() planrun.Terms {
	d := small()
	t := planrun.Terms{
		Customer: "acme", CustomerName: "Acme", Environments: []planrun.Bound{
			{ID: "staging", Environment: "stage", Name: "Stage", Services: []string{"checkout"}},
			{ID: "production", Environment: "prod", Name: "Prod", Production: true, Services: []string{"checkout"}},
		},
		Pinned: planrun.Pinned{
			Plan: d, SHA256: hash("plan"), ParametersID: hash("parameters"), Revision: "newer", Organisation: "Mirnet", Zone: "Asia/Seoul",
			Parameters: []planrun.Value{{ID: "version", Value: "4.2"}},
			Books: []planrun.Book{{ID: "deploy", SHA256: hash("deploy"), Runbook: runbook.Runbook{ID: "deploy", Updated: 20_000, Steps: []runbook.Step{
				{Number: 1, Text: "copy", Automatic: &runbook.Automatic{Runner: "command", Command: []string{"/bin/true"}, Timeout: time.Minute}}, {Number: 2, Text: "look"},
			}}}},
		},
	}
	window := freeze.Window{ID: "nights", Name: "Nights"}
	yearEnd := freeze.Freeze{ID: "year-end", Name: "Year end", Reason: "busy"}
	window.Zone, yearEnd.Zone = "Asia/Seoul", "Asia/Seoul"
	t.Environments[0].Rules.Windows, t.Environments[1].Rules.Freezes = []freeze.Window{window}, []freeze.Freeze{yearEnd}
	for _, r := range d.Roles {
		t.Roles = append(t.Roles, planrun.Filled{Role: r.ID, Targets: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}})
	}
	return t
}

// settleRun does what a run asks for.
func settleRun(r *planrun.Run, now time.Time) {
	for works := r.Advance(now); len(works) > 0; works = r.Advance(now) {
		for _, w := range works {
			switch w.Do {
			case planrun.ComputeDue:
				r.DueComputed(w.Task, w.Due.From.Add(w.Due.Within+time.Duration(w.Due.Days)*24*time.Hour), "", now)
			case planrun.LookWindow:
				r.Looked(w.Number, planrun.Look{Environment: w.Window.Environment, At: now, Open: w.Window.Environment == "staging"}, "", now)
			case planrun.TakeLock:
				r.LockTaken(w.Number, true, "", "", now)
			case planrun.FindVoters:
				people := []approval.Elector{
					{Person: "min", Name: "민서연", Party: authority.Provider, Roles: []string{"change-manager"}},
					{Person: "choi", Name: "최은영", Party: authority.Provider, Roles: []string{"change-manager"}},
					{Person: "acme/lead", Name: "Acme lead", Party: authority.Customer, Roles: []string{"owner"}},
				}
				if w.Task == "" {
					r.ElectedChange(people, "", now)
				} else {
					r.Elected(w.Task, people, "", now)
				}
			case planrun.MeasureOnce:
				r.Measured(w.Number, w.Task, planrun.Inconclusive, "no answer", now)
			case planrun.RunStep:
				r.Ran(w.Number, w.Task, runbook.Result{State: runbook.Passed}, now)
			case planrun.Tell, planrun.WriteReport:
			}
		}
	}
}

// doing gives a run a command, as its workflow does.
func doing(r *planrun.Run, by timeline.Actor, now time.Time, c planrun.Command) error {
	err := c.Check(r, by)
	if err == nil {
		err = c.Apply(r, by, now)
	}
	settleRun(r, now)
	return err
}

// upgrade is the state of the run, made once.
var upgrade = sync.OnceValues(func() ([]byte, error) {
	kim, park := everybody()["kim"].Actor, everybody()["park"].Actor
	terms := planTerms()
	terms.ID, terms.Request, terms.Starter = upgrading, "r", kim
	r, err := planrun.Start(terms, instant())
	if err != nil {
		return nil, err
	}
	settleRun(r, instant())
	in := planrun.Capacity{Roles: cast()["park"]}
	lead := planrun.Capacity{Roles: cast()["kim"]}
	for _, c := range []planrun.Command{
		planrun.Begin{Capacity: in, Task: "stage"},
		planrun.Begin{Capacity: in, Task: "proof"},
		planrun.Complete{Capacity: in, Task: "proof", Evidence: []planrun.Given{{Item: "scan", Ref: "https://files.example/scan", SHA256: hash("scan")}}},
		planrun.Fail{Capacity: in, Task: "broken", Reason: "the disk is full"},
	} {
		err = errors.Join(err, doing(r, park, instant(), c))
	}
	for _, c := range []planrun.Command{
		planrun.Note{Capacity: lead, Text: "internal words"},
		planrun.Skip{Capacity: lead, Task: "later", Reason: "no time", Control: "by hand"},
		planrun.AskOverride{Capacity: lead, Environment: "production", Freeze: "year-end", Reason: "urgent", Until: instant().Add(time.Hour)},
	} {
		err = errors.Join(err, doing(r, kim, instant(), c))
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
})

func upgradeRun(t testing.TB) *planrun.Run {
	t.Helper()
	text, err := upgrade()
	if err != nil {
		t.Fatal(err)
	}
	var r planrun.Run
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// planBodies are bodies of commands that are right, by the last part of their path.
func planBodies() map[string]string {
	return map[string]string{
		"assign":           `{"task":"brief","person":"kim","note":"please"}`,
		"begin":            `{"task":"brief"}`,
		"complete":         `{"task":"stage","evidence":[{"item":"log","ref":"https://files.example/log","sha256":"` + hash("log") + `","note":"it went well"}],"note":"done"}`,
		"fail":             `{"task":"stage","reason":"it does not start"}`,
		"check":            `{"task":"proof","ok":true}`,
		"add-evidence":     `{"task":"stage","evidence":[{"item":"log","ref":"https://files.example/log"}]}`,
		"skip":             `{"task":"extra","reason":"no time","control":"by hand","until":"2026-12-01T00:00:00+09:00"}`,
		"waive":            `{"task":"later","grant":true}`,
		"retry":            `{"task":"broken","reason":"there is space now"}`,
		"settle":           `{"task":"odd","status":"done","reason":"I have looked"}`,
		"step":             `{"task":"book","step":2,"note":"all is well"}`,
		"vote":             `{"task":"approve","choice":"approve","shown":"SHOWN"}`,
		"delegate":         `{"task":"approve","to":"yoon","until":"2026-11-23T00:00:00+09:00"}`,
		"halt":             `{"reason":"something is wrong"}`,
		"continue":         `{"reason":"it was nothing"}`,
		"rollback":         `{"environment":"staging","reason":"it is broken"}`,
		"settle-rollback":  `{"task":"stage","state":"done","note":"by hand"}`,
		"override":         `{"environment":"staging","reason":"it cannot wait","until":"2026-11-22T18:00:00+09:00"}`,
		"confirm-override": `{"environment":"production","grant":true}`,
		"replan":           `{"file":"small.yaml","content":"plan: small","reason":"one more task"}`,
		"cancel":           `{"reason":"not this year"}`,
		"note":             `{"task":"brief","text":"internal words"}`,
	}
}

// planBody is the body of a command, right for the run as it stands, which is brought to where the command can be given.
func (p *place) planBody(t testing.TB, name string) string {
	t.Helper()
	r, kim := p.planRuns[upgrading], p.people["kim"].Actor
	lead := planrun.Capacity{Roles: cast()["kim"]}
	var before planrun.Command
	switch {
	case r.Status != planrun.Running:
	case name == "continue":
		before = planrun.Halt{Capacity: lead, Reason: "r"}
	case name == "settle-rollback":
		before = planrun.RollBack{Capacity: lead, Environment: "staging", Reason: "r"}
	}
	if before != nil {
		if err := doing(r, kim, p.now, before); err != nil {
			t.Fatal(err)
		}
	}
	task, _, _ := r.Task("approve")
	return strings.Replace(planBodies()[name], "SHOWN", task.Ballot.Shown.SHA256, 1)
}

func (h *house) PlanRuns(_ context.Context, f api.PlanRunFilter) ([]api.PlanRunSummary, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.planned = f
	var rows []api.PlanRunSummary
	for _, r := range h.planRuns {
		if !f.Open || !r.Over() {
			rows = append(rows, api.PlanRunSummary{
				ID: r.ID, Kind: r.Plan.Kind, Title: r.Plan.Name.En, Status: r.Status, Customer: r.Customer, OpenedAt: r.Opened, NextDue: r.NextDue(), EndedAt: r.Ended,
			})
		}
	}
	return rows, "", h.failure()
}

// PlanRun returns a copy, as a query does.
func (h *house) PlanRun(_ context.Context, id planrun.ID) (*planrun.Run, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.planRuns[id] == nil {
		return nil, &starter.NotFoundError{What: "run " + string(id)}
	}
	text, err := json.Marshal(h.planRuns[id])
	if err != nil {
		return nil, err
	}
	var seen planrun.Run
	return &seen, json.Unmarshal(text, &seen)
}

func (h *house) PlanRunHistory(ctx context.Context, id planrun.ID, w io.Writer) error {
	if _, err := h.PlanRun(ctx, id); err != nil {
		return err
	}
	_, err := io.WriteString(w, `[{"events":[]}]`+"\n")
	return err
}

func (h *house) StartPlanRun(_ context.Context, r starter.Request, terms planrun.Terms) (*planrun.Run, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	for _, run := range h.planRuns {
		if run.Request == r.ID {
			return run, nil
		}
	}
	terms.ID, terms.Request, terms.Starter = planrun.NewID(uint64(len(h.planRuns))), r.ID, r.By
	run, err := planrun.Start(terms, h.now)
	if err != nil {
		return nil, err
	}
	settleRun(run, h.now)
	h.planRuns[run.ID] = run
	return run, nil
}

func (h *house) AskPlanRun(_ context.Context, id planrun.ID, r starter.Request, c planrun.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	run := h.planRuns[id]
	if run.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "run " + string(id)}
	}
	h.told = append(h.told, c)
	if err := doing(run, r.By, h.now, c); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.asked = append(h.asked, r.ID)
	return nil
}

func (h *house) Reviews(context.Context, bool, int) ([]incident.ID, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reviewing, h.manyReviews, nil
}

func (h *house) Handovers(context.Context, int) ([]string, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handover == nil {
		return nil, false, nil
	}
	return []string{h.handover.Schedule}, false, nil
}

func (people) Folder() incident.Folder { return incident.Folder{Revision: "newer"} }

// PlanContacts has a number for everybody.
func (people) PlanContacts(roles []planrun.Filled) (all []report.PlanContact) {
	for _, r := range roles {
		all = append(all, report.PlanContact{Role: r.Role, Name: r.Targets[0].ID, Phone: "+82 2 555 0100"})
	}
	return all
}

func (people) PlanRoles(_ *planrun.Run, person string, _ time.Time) []string { return cast()[person] }

// StartPlan knows one plan, for acme.
func (people) StartPlan(s org.PlanStart) (planrun.Terms, error) {
	var faults []org.Fault
	if s.Plan != "small" && !strings.HasPrefix(string(s.Content), "plan: small") {
		faults = append(faults, org.Fault{File: s.File, Line: 1, Column: 7, Text: `plan: "big"; want small`})
	}
	if s.Customer != "acme" {
		faults = append(faults, org.Fault{File: "customers.yaml", Text: "no such customer"})
	}
	if s.Environments["production"] != "prod" {
		faults = append(faults, org.Fault{File: s.File, Text: "environment production: want an environment of customer acme: stage or prod"})
	}
	if len(faults) > 0 {
		return planrun.Terms{}, &org.PlanRefusal{Faults: faults}
	}
	terms := planTerms()
	terms.Parameters[0].Value = s.Parameters["version"]
	return terms, nil
}

func (people) RePlan(r *planrun.Run, s org.PlanStart) (planrun.Pinned, error) {
	if !strings.HasPrefix(string(s.Content), "plan: small") {
		return planrun.Pinned{}, &org.PlanRefusal{Faults: []org.Fault{{File: s.File, Line: 1, Column: 7, Text: "want small"}}}
	}
	next := r.Pinned
	next.SHA256 = hash("next")
	return next, nil
}

func newPlanRun() api.NewPlanRun {
	return api.NewPlanRun{
		Plan: "small", Customer: "acme", Environments: map[string]string{"production": "prod", "staging": "stage"}, Parameters: map[string]string{"version": "4.3"},
	}
}

func TestARunIsStartedWithWhatTheFolderHas(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	r, err := c.StartPlanRun(t.Context(), newPlanRun(), "k1")
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != planrun.Running || r.Starter != p.people["park"].Actor || r.Parameters[0].Value != "4.3" || len(r.Tasks) != 10 {
		t.Errorf("got %+v", r)
	}
	again, err := c.StartPlanRun(t.Context(), newPlanRun(), "k1")
	if err != nil || again.ID != r.ID || !strings.HasPrefix(r.Request, "k1/") {
		t.Errorf("the same once more: got %s, %v; want %s", again.ID, err, r.ID)
	}
	file := newPlanRun()
	file.Plan, file.File, file.Content = "", "small.yaml", api.PlanText("plan: small\n"+strings.Repeat("# 계획\n", 100_000)) // larger than other bodies
	if r, err = c.StartPlanRun(t.Context(), file, ""); err != nil || r.Plan.ID != "small" {
		t.Errorf("from a file: got %s, %v", r.ID, err)
	}
	read, err := c.PlanRun(t.Context(), upgrading)
	if err != nil || read.ID != upgrading || read.Partial {
		t.Errorf("got %+v, %v", read, err)
	}
	f := api.PlanRunFilter{Kind: plan.Upgrade, Status: planrun.Running, Open: true, Customers: []string{"acme"}, Limit: 7}
	page, err := c.PlanRuns(t.Context(), f)
	if err != nil || len(page.PlanRuns) != 3 || cmp.Diff(f, p.planned) != "" {
		t.Errorf("got %+v, %v, asked %+v", page, err, p.planned)
	}
	history, err := c.PlanRunHistory(t.Context(), upgrading)
	if err != nil || string(history) != `[{"events":[]}]`+"\n" {
		t.Errorf("got %s, %v", history, err)
	}
}

func TestWhatIsWrongWithAPlan(t *testing.T) {
	long := strings.Repeat("x", api.MaxPlan+1)
	for body, want := range map[string]string{
		`{"customer":"acme","environments":{}}`:                                               "plan: want the id of a plan, or content: one of them",
		`{"plan":"small","content":"plan: small","customer":"acme","environments":{}}`:        "plan: want the id of a plan, or content: one of them",
		`{"plan":"small","environments":{}}`:                                                  "customer: missing",
		`{"plan":"small","customer":"acme"}`:                                                  "environments: missing; want an object of strings",
		`{"plan":"small","customer":"acme","environments":["prod"]}`:                          "environments: want an object of strings",
		`{"plan":"small","customer":"acme","environments":{"production":1}}`:                  "environments: production: want a string",
		`{"plan":"small","customer":"acme","environments":{"production":"x"}}`:                "plan: content: environment production: want an environment of customer acme",
		`{"content":"plan: big","file":"b.yaml","customer":"acme","environments":{}}`:         `plan: b.yaml:1:7: plan: "big"; want small`,
		`{"plan":"small","customer":"acme","environments":{},"starter":"kim"}`:                "starter: unknown",
		`{"plan":"small","customer":"acme","environments":{},"roles":{}}`:                     "roles: unknown",
		`{"content":"` + long + `","customer":"acme","environments":{}}`:                      "content: 1048577 bytes; want 1048576 at most",
		`{"plan":"small","customer":"acme","environments":{"production":"a","production":""}`: "",
	} {
		p := newPlace(t)
		w := p.ask("POST", "/api/v1/plan-runs", body)
		got := problemOf(t, w)
		code := http.StatusUnprocessableEntity
		if want == "" {
			want, code = `body: "production": given twice`, http.StatusBadRequest
		}
		if w.Code != code || !strings.Contains(got.Error(), want) || len(p.planRuns) != 1 {
			t.Errorf("%.100s: got %d %s, want %q", body, w.Code, got.Error(), want)
		}
	}
	p := newPlace(t)
	w := p.ask("POST", "/api/v1/plan-runs", `{"content":"plan: big","file":"b.yaml","customer":"globex","environments":{}}`)
	if got := problemOf(t, w); len(got.Errors) != 3 {
		t.Errorf("not every fault is told: %+v", got)
	}
}

// In which roles somebody acts comes from the organisation folder as it is now, and nobody says it of themselves.
func TestTheCapacityIsThatOfTheFolder(t *testing.T) {
	p := newPlace(t)
	if _, err := newClient(t, p).AskPlanRun(t.Context(), upgrading, api.PlanBegin{Task: "brief"}, "k1"); err != nil { // park
		t.Fatal(err)
	}
	got := p.told[0].(planrun.Begin)
	if want := (planrun.Capacity{Roles: []string{"deployer"}, Revision: "newer"}); cmp.Diff(want, got.Capacity) != "" {
		t.Errorf("asked in %+v, want %+v", got.Capacity, want)
	}
	for _, body := range []string{`{"task":"brief","roles":["lead"]}`, `{"task":"brief","revision":"1"}`, `{"task":"brief","capacity":{"roles":["lead"]}}`} {
		if w := p.ask("POST", upgraded+"/begin", body); w.Code != 422 || !strings.Contains(problemOf(t, w).Detail, "unknown; want task") {
			t.Errorf("%s: got %d %s", body, w.Code, w.Body)
		}
	}
	bot := "Bearer " + p.token(t, store.Token{Actor: "kim", Kind: store.Machine, Roles: []string{"responder"}})
	w := p.ask("POST", upgraded+"/halt", `{"reason":"x"}`, "Authorization", bot)
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "kim may not; want Release manager") {
		t.Errorf("a machine of the name of the lead: got %d %s", w.Code, got.Detail)
	}
}

func TestEveryCommandOfARunIsTaken(t *testing.T) {
	for name := range planBodies() {
		p := newPlace(t)
		body := p.planBody(t, name)
		w := p.ask("POST", upgraded+"/"+name, body, "Authorization", p.as(t, "choi"), "Idempotency-Key", "k1")
		var got api.PlanRunReceipt
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.ID != upgrading || got.Status == "" {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
		if w.Header().Get("Idempotency-Key") != "k1" {
			t.Errorf("%s: the key is not told", name)
		}
	}
}

// Whoever votes says what they were shown, and what that is now is refused when it has changed.
func TestAVoteIsOnWhatWasShown(t *testing.T) {
	p := newPlace(t)
	min := p.as(t, "min")
	w := p.ask("POST", upgraded+"/vote", `{"task":"approve","choice":"approve"}`, "Authorization", min)
	if got := problemOf(t, w); w.Code != 422 || got.Error() != "shown: missing; want the SHA-256 of what you were shown: shown.sha256 of the ballot in GET /api/v1/plan-runs/{id}" {
		t.Errorf("got %d %s", w.Code, got.Error())
	}
	w = p.ask("POST", upgraded+"/vote", `{"task":"approve","choice":"approve","shown":"`+hash("old")+`"}`, "Authorization", min)
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "what was shown is not what is shown now") {
		t.Errorf("got %d %s", w.Code, got.Detail)
	}
	body := p.planBody(t, "vote")
	for range 2 {
		if w := p.ask("POST", upgraded+"/vote", body, "Authorization", min, "Idempotency-Key", "k"); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	task, _, _ := p.planRuns[upgrading].Task("approve")
	if len(task.Ballot.Votes) != 1 || task.Ballot.Votes[0].By != "min" || !strings.HasPrefix(task.Ballot.Votes[0].ID, "k/") {
		t.Errorf("the same vote twice is not one: %+v", task.Ballot.Votes)
	}
	bot := "Bearer " + p.token(t, store.Token{Actor: "min", Kind: store.Machine, Roles: []string{"responder"}})
	if w := p.ask("POST", upgraded+"/vote", body, "Authorization", bot); w.Code != 403 {
		t.Errorf("a machine votes: got %d %s", w.Code, w.Body)
	}
}

func TestWhoIsNamedMustConcernTheRun(t *testing.T) {
	for _, tc := range []struct{ path, body, want string }{
		{"assign", `{"task":"brief","person":"nobody"}`, `person: "nobody"; want the id of a person`},
		{"assign", `{"task":"brief","person":"globex/lead"}`, `person: "globex/lead"; want the id of a person`},
		{"assign", `{"task":"brief","person":"seo"}`, `person: "seo"`},
		{"delegate", `{"task":"approve","to":"globex/lead","until":"2026-11-23T00:00:00Z"}`, `to: "globex/lead"`},
	} {
		p := newPlace(t)
		w := p.ask("POST", upgraded+"/"+tc.path, tc.body, "Authorization", p.as(t, "choi"))
		if got := problemOf(t, w); w.Code != 422 || !strings.HasPrefix(got.Error(), tc.want) || len(p.told) > 0 {
			t.Errorf("%s: got %d %s", tc.body, w.Code, got.Error())
		}
	}
	p := newPlace(t)
	if w := p.ask("POST", upgraded+"/assign", `{"task":"brief","person":"jung"}`, "Authorization", p.as(t, "choi")); w.Code != 200 {
		t.Errorf("a partner of the service: got %d %s", w.Code, w.Body)
	}
	if task, _, _ := p.planRuns[upgrading].Task("brief"); task.Person != p.people["jung"].Actor {
		t.Errorf("asked %+v", task.Person)
	}
	if w := p.ask("POST", upgraded+"/begin", `{"task":"brief"}`, "Authorization", p.as(t, "jung")); w.Code != 200 {
		t.Errorf("whoever was asked does not begin it: got %d %s", w.Code, w.Body)
	}
	w := p.ask("POST", upgraded+"/delegate", `{"task":"approve","to":"acme/lead","until":"2026-11-23T00:00:00Z"}`, "Authorization", p.as(t, "choi"))
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "want somebody of the provider") {
		t.Errorf("a substitute of another party: got %d %s", w.Code, got.Detail)
	}
}

func TestANewPlanIsReadOnlyForWhoeverLeads(t *testing.T) {
	p := newPlace(t)
	w := p.ask("POST", upgraded+"/replan", `{"file":"a.yaml","content":"plan: big","reason":"r"}`, "Authorization", p.as(t, "kim"))
	if got := problemOf(t, w); w.Code != 422 || got.Error() != "plan: a.yaml:1:7: want small" {
		t.Errorf("got %d %s", w.Code, got.Error())
	}
	w = p.ask("POST", upgraded+"/replan", `{"content":"plan: big","reason":"r"}`) // park
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "박서준 may not; want Release manager") {
		t.Errorf("got %d %s", w.Code, got.Detail)
	}
}

// A run that is over refuses with how it has ended.
func TestARunThatIsOverTakesNothing(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", upgraded+"/cancel", planBodies()["cancel"], "Authorization", p.as(t, "kim"))
	w := p.ask("POST", upgraded+"/begin", planBodies()["begin"])
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "it is cancelled since 2026-11-22T05:05:09Z by 김민수") {
		t.Errorf("got %d %s", w.Code, got.Detail)
	}
}

// Whoever may not read a run gets the same answer as for one that is not there.
func TestNobodyGuessesARun(t *testing.T) {
	for _, who := range []string{"globex/lead", "seo"} {
		p := newPlace(t)
		as := p.as(t, who)
		paths := []string{"", "/history", "/report"}
		for name := range planBodies() {
			paths = append(paths, "/"+name)
		}
		for _, path := range paths {
			method, body := "GET", ""
			if b := planBodies()[strings.TrimPrefix(path, "/")]; b != "" {
				method, body = "POST", b
			}
			there := p.ask(method, upgraded+path, body, "Authorization", as)
			gone := p.ask(method, strings.Replace(upgraded, string(upgrading), "RUN-0000000000", 1)+path, body, "Authorization", as)
			if there.Code != 404 || gone.Code != 404 || strings.ReplaceAll(there.Body.String(), string(upgrading), "RUN-0000000000") != gone.Body.String() {
				t.Errorf("%s as %s: got %d %s, and of none %d %s", path, who, there.Code, there.Body, gone.Code, gone.Body)
			}
		}
	}
}

func TestEveryReportOnARun(t *testing.T) {
	p := newPlace(t)
	for _, kind := range report.PlanReports() {
		for _, f := range report.Formats() {
			w := p.ask("GET", upgraded+"/report?kind="+kind+"&lang=ko&format="+string(f), "")
			if name := fmt.Sprintf("%q", string(upgrading)+"-"+kind+"."+string(f)); w.Code != 200 || w.Header().Get("Content-Type") != f.Type() ||
				!strings.HasSuffix(w.Header().Get("Content-Disposition"), name) || w.Body.Len() < 500 {
				t.Errorf("%s as %s: got %d %v with %d bytes", kind, f, w.Code, w.Header(), w.Body.Len())
			}
		}
	}
	if w := p.ask("GET", upgraded+"/report?kind=work-plan", ""); !strings.Contains(w.Body.String(), "+82 2 555 0100") {
		t.Error("the provider's work plan has no phone number")
	}
	if w := p.ask("GET", upgraded+"/report", ""); !strings.Contains(w.Body.String(), "김민수") {
		t.Error("the provider's completion report names nobody")
	}
	w := p.ask("GET", upgraded+"/report?kind=weather&format=doc", "")
	if got := problemOf(t, w); w.Code != 422 || len(got.Errors) != 2 {
		t.Errorf("got %d %s", w.Code, got.Error())
	}
}

// A party beside the provider sees where a run stands, and refusals name nobody else.
func TestAPartySeesItsRun(t *testing.T) {
	p := newPlace(t)
	p.ask("POST", upgraded+"/vote", p.planBody(t, "vote"), "Authorization", p.as(t, "min"))
	for _, who := range []string{"acme/lead", "acme/desk", "jung", "vera"} {
		as := p.as(t, who)
		w := p.ask("GET", upgraded, "", "Authorization", as)
		var r planrun.Run
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 || !r.Partial || len(r.Tasks) != 10 {
			t.Fatalf("%s: got %d %s", who, w.Code, w.Body)
		}
		text := w.Body.String()
		for _, path := range []string{"/begin", "/continue", "/complete", "/settle-rollback", "/skip", "/waive", "/halt"} {
			text += p.ask("POST", upgraded+path, planBodies()[path[1:]], "Authorization", as).Body.String()
		}
		for _, kind := range report.PlanReports() {
			w := p.ask("GET", upgraded+"/report?kind="+kind, "", "Authorization", as)
			if w.Code != 200 {
				t.Errorf("%s: the %s: got %d %s", who, kind, w.Code, w.Body)
			}
			text += w.Body.String()
		}
		p.planRuns[upgrading].Status = planrun.Running // only acme/lead has a part in it, and has halted it
		for _, secret := range []string{"김민수", "박서준", "민서연", "최은영", "internal words", "disk is full", "shop.example", "/bin/true"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is shown %q in %s", who, secret, text)
			}
		}
	}
	lead := p.as(t, "acme/lead")
	p.ask("POST", upgraded+"/vote", p.planBody(t, "vote"), "Authorization", p.as(t, "choi")) // it is decided by her
	w := p.ask("POST", upgraded+"/vote", p.planBody(t, "vote"), "Authorization", lead)
	if got := problemOf(t, w); w.Code != 409 || !strings.Contains(got.Detail, "already approved") || strings.Contains(got.Detail, "최은영") {
		t.Errorf("got %d %s", w.Code, got.Detail)
	}
}

func TestAListOfRunsIsOfWhatOneMayRead(t *testing.T) {
	for _, tc := range []struct {
		who, query string
		asked      []string
		rows       int
	}{
		{"park", "", nil, 1},
		{"park", "?customer=globex", []string{"globex"}, 1},
		{"acme/desk", "?customer=globex", []string{"acme"}, 1},
		{"jung", "", nil, 1},
		{"vera", "", nil, 1},
		{"seo", "", nil, 0}, // no service of the run names its party
	} {
		p := newPlace(t)
		w := p.ask("GET", "/api/v1/plan-runs"+tc.query, "", "Authorization", p.as(t, tc.who))
		var page api.PlanRunPage
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 || len(page.PlanRuns) != tc.rows || !slices.Equal(p.planned.Customers, tc.asked) {
			t.Errorf("%s%s: got %d %s, asked for %v", tc.who, tc.query, w.Code, w.Body, p.planned.Customers)
		}
	}
	p := newPlace(t)
	if w := p.ask("GET", "/api/v1/plan-runs?kind=x&status=y&open=z", ""); w.Code != 422 || len(problemOf(t, w).Errors) != 3 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWhatIsWrongWithACommand(t *testing.T) {
	for _, tc := range []struct{ path, body, want string }{
		{"begin", `{}`, "task: missing"},
		{"check", `{"task":"proof"}`, "ok: missing; want true or false"},
		{"check", `{"task":"proof","ok":"yes"}`, "ok: want true or false"},
		{"check", `{"task":"proof","ok":null}`, "ok: want true or false"},
		{"complete", `{"task":"stage","evidence":{}}`, "evidence: want a list of objects with item and ref"},
		{"complete", `{"task":"stage","evidence":["log"]}`, "evidence: [0]: want an object with item and ref"},
		{"complete", `{"task":"stage","evidence":[{"item":"log"}]}`, "evidence: [0].ref: missing"},
		{"complete", `{"task":"stage","evidence":[{"item":"log","ref":"x","by":"kim"}]}`, "evidence: [0].by: unknown; want item, ref, sha256 or note"},
		{"add-evidence", `{"task":"stage"}`, "evidence: missing; want a list of objects with item and ref"},
		{"settle", `{"task":"odd","status":"gone","reason":"r"}`, `status: "gone"; want done, failed or begun`},
		{"settle-rollback", `{"task":"odd","state":"needed","note":"r"}`, `state: "needed"; want done, failed, running or fixed-forward`},
		{"vote", `{"task":"approve","choice":"yes","shown":"x"}`, `choice: "yes"; want approve, reject, abstain, ready, ready-with-risk or not-ready`},
		{"override", `{"environment":"staging","reason":"r","until":"soon"}`, `until: "soon"; want an instant`},
		{"delegate", `{"to":"kim"}`, "until: missing"},
		{"step", `{"task":"book","step":1.5}`, "step: want a whole number"},
		{"note", `{"text":"` + strings.Repeat("x", 4001) + `"}`, "text: 4001 bytes; want 4000 at most"},
	} {
		p := newPlace(t)
		w := p.ask("POST", upgraded+"/"+tc.path, tc.body)
		if got := problemOf(t, w); w.Code != 422 || !strings.HasPrefix(got.Error(), tc.want) || len(p.told) > 0 {
			t.Errorf("%s %s: got %d %s, want %q", tc.path, tc.body, w.Code, got.Error(), tc.want)
		}
	}
	p := newPlace(t)
	if w := p.ask("POST", upgraded+"/complete", `{"task":"stage","evidence":[{"item":[[[[1]]]],"ref":"x"}]}`); w.Code != 400 {
		t.Errorf("what is nested too deep: got %d %s", w.Code, w.Body)
	}
}

// Evidence that has to be a run of a plan is one: of that plan, of the same customer, and completed.
func TestEvidenceThatIsARunOfAPlan(t *testing.T) {
	p := newPlace(t)
	run := p.planRuns[upgrading]
	for n := range run.Plan.Phases[0].Tasks {
		if x := &run.Plan.Phases[0].Tasks[n]; x.ID == "stage" {
			x.Evidence[0].Plan = "retrospective"
		}
	}
	other := upgradeRun(t)
	other.ID, other.Plan.ID = planrun.NewID(31), "retrospective"
	p.planRuns[other.ID] = other
	show := func(ref string) (int, string) {
		w := p.ask("POST", upgraded+"/complete", `{"task":"stage","evidence":[{"item":"log","ref":"`+ref+`"}]}`)
		return w.Code, w.Body.String()
	}
	for _, row := range []struct{ ref, want string }{
		{"https://wiki.example/retro", "want the id of a completed run of plan retrospective of acme"},
		{string(upgrading), "want the id of a completed run of plan retrospective of acme"},
		{string(other.ID), "it is running; want a run that is completed"},
	} {
		if code, said := show(row.ref); code != 409 || !strings.Contains(said, row.want) {
			t.Errorf("%s: got %d %s, want %s", row.ref, code, said, row.want)
		}
	}
	other.Status, other.Brought = planrun.Completed, true
	if code, said := show(string(other.ID)); code != 409 || !strings.Contains(said, "want the id of a completed run of plan retrospective of acme") {
		t.Errorf("of a plan that only calls itself so: got %d %s", code, said)
	}
	other.Brought = false
	if code, said := show(string(other.ID)); code != 200 {
		t.Errorf("got %d %s", code, said)
	}
	w := p.ask("POST", upgraded+"/add-evidence", `{"task":"stage","evidence":[{"item":"log","ref":"x"}]}`)
	if w.Code != 409 || !strings.Contains(w.Body.String(), "want the id of a completed run of plan retrospective of acme") {
		t.Errorf("added later: got %d %s", w.Code, w.Body)
	}
}

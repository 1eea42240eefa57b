package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// enlarging is a change of the service checkout that min asks for; choi owns it, says whether what has to hold does, and approves it, as
// park does.
const (
	enlarging   change.ID = "CHG-7K3M9QX2PA"
	enlarged              = "/api/v1/changes/" + string(enlarging)
	changeRoute           = "/api/v1/changes/{id}"
)

func person(id string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: id}}
}

// classes of risk: the second one has a check.
func classes() []change.Class {
	both := change.Approval{
		Rule: approval.Rule{
			Voters: []approval.Voter{{Party: authority.Provider, Role: "person:choi"}, {Party: authority.Provider, Role: "person:park"}}, Need: approval.Need{Count: 1},
			Exclude: approval.Exclusion{Requester: true},
		},
		Approvers: []change.Approver{{Role: "person:choi", Targets: person("choi")}, {Role: "person:park", Targets: person("park")}},
	}
	return []change.Class{
		{ID: "low", Name: "Low", Approval: both},
		{ID: "high", Name: "High", Approval: both, Checks: []change.Check{{ID: "tried", Text: "The way back was tried.", By: person("choi")}}},
	}
}

func restarting() change.PreApproved {
	return change.PreApproved{
		ID: "restart", Name: "Restart", Scenario: "One by one.", Class: "low", Services: []string{"checkout"}, ApprovedBy: "최은영", ApprovedOn: "2026-11-02",
		Until: "2027-10-31", Ends: instant().AddDate(0, 11, 0), Most: 2, Per: 24 * time.Hour,
	}
}

func (people) StandardChanges() []change.PreApproved { return []change.PreApproved{restarting()} }

// Change knows the service checkout of Acme, on which hanbit works, and one of Globex.
func (people) Change(a change.Asked, now time.Time) (change.Asked, change.Pinned, error) {
	p := change.Pinned{
		Revision: "newer", Organisation: "Mirnet", Zone: "Asia/Seoul", Owners: person("choi"), OwnerNames: "최은영", Classes: classes(), Remind: change.Idle{Days: 2},
	}
	switch a.Standard {
	case "":
	case "restart":
		s := restarting()
		p.PreApproved, a.Title, a.Text = &s, s.Name, s.Scenario
		if len(a.Services) == 0 {
			a.Services = s.Services
		}
	default:
		return a, p, &change.Fault{Field: "standard", Detail: "want restart"}
	}
	if a.Way != change.Normal && a.Until.IsZero() {
		a.Until = now.Add(24 * time.Hour)
	}
	if a.Way == change.Emergency {
		p.Afterwards = &change.Afterwards{Approval: classes()[0].Approval, Within: 8 * time.Hour, Escalate: person("lee")}
	}
	if a.Plan != nil && a.Plan.ID != "small" {
		return a, p, &org.PlanRefusal{Faults: []org.Fault{{File: "plan", Text: "no such plan"}}}
	}
	for _, id := range a.Services {
		owner, ok := map[string]string{"checkout": "acme", "search": "globex"}[id]
		if !ok {
			return a, p, &change.Fault{Field: "services", Detail: fmt.Sprintf("%q; want the id of a service", id)}
		}
		p.ServiceNames = append(p.ServiceNames, change.Named{ID: id, Name: id})
		p.CustomerNames = append(p.CustomerNames, change.Named{ID: owner, Name: owner})
		p.Partners = append(p.Partners, people{}.Partners(id)...)
	}
	return a, p, nil
}

// larger is the change enlarging, of which nothing is said yet.
func larger(t testing.TB) *change.Change {
	t.Helper()
	terms := change.Terms{ID: enlarging, Request: "r", Requester: timeline.Actor{Kind: timeline.Person, ID: "min", Name: "민"}}
	var err error
	terms.Asked, terms.Pinned, err = people{}.Change(change.Asked{
		Way: change.Normal, Kind: change.Changed, Title: "A larger pool", Text: "SECRET", Benefit: "No queue.", Reversible: true, Undo: "100 again.", Services: []string{"checkout"},
		Until: instant().AddDate(0, 0, 10),
	}, instant())
	if err != nil {
		t.Fatal(err)
	}
	c, err := change.Start(terms, instant())
	if err != nil {
		t.Fatal(err)
	}
	changed(c, instant())
	return c
}

// changed does what a change asks for: whoever it names may vote, and its plan runs as the run upgrading.
func changed(c *change.Change, now time.Time) {
	for again := true; again; {
		again = false
		for _, w := range c.Advance(now) {
			switch w.Do {
			case change.Reckon, change.ReckonDue:
				c.Reckoned(w, incident.Instants{Due: w.Clock.Started.Add(w.Clock.Within).AddDate(0, 0, w.Clock.Days)}, now)
			case change.FindVoters:
				var all []approval.Elector
				for _, a := range c.Voting().Approvers {
					all = append(all, approval.Elector{Person: a.Targets[0].ID, Party: authority.Provider, Roles: []string{a.Role}})
				}
				c.Elected(all, "", now)
				again = true
			case change.StartRun:
				c.Started(upgrading, "", now)
			case change.Tell:
			}
		}
	}
}

// changeBody brings the change to where it can be asked something, and returns the body that asks it.
func (p *place) changeBody(name string) string {
	c, choi := p.changes[enlarging], p.people["choi"].Actor
	do := func(all ...change.Command) {
		for _, x := range all {
			if err := x.Apply(c, choi, p.now); err != nil {
				panic(err)
			}
			changed(c, p.now)
		}
	}
	own := change.Capacity{Owner: true, Checks: []string{"tried"}}
	assess := change.Assess{Capacity: own, Class: "high", Note: "All orders."}
	check := change.AnswerCheck{Capacity: own, Name: "tried", Holds: true, Evidence: "x"}
	vote := func() change.Vote {
		return change.Vote{ID: "v", Choice: approval.Approve, Shown: c.Ballot.Shown.SHA256}
	}
	shown := ""
	if c.Status == change.Requested {
		switch name {
		case "check", "vote":
			do(assess)
		case "start":
			do(assess, check)
			do(vote())
		case "done", "fail":
			do(assess, check)
			do(vote(), change.Begin{Capacity: own})
		}
	}
	if c.Ballot != nil {
		shown = c.Ballot.Shown.SHA256
	}
	return map[string]string{
		"assess":   `{"class":"high","note":"All orders go through it."}`,
		"check":    `{"check":"tried","holds":true,"evidence":"https://wiki.example/undo"}`,
		"vote":     `{"choice":"approve","shown":"` + shown + `"}`,
		"start":    `{}`,
		"done":     `{"note":"200 since noon"}`,
		"fail":     `{"note":"worse","outage_minutes":20}`,
		"move":     `{"from":"` + p.now.AddDate(0, 0, 2).Format(time.RFC3339) + `","until":"` + p.now.AddDate(0, 0, 3).Format(time.RFC3339) + `","reason":"a sale"}`,
		"withdraw": `{"reason":"not needed"}`,
		"note":     `{"text":"internal words"}`,
	}[name]
}

func changeNames() []string {
	return []string{"assess", "check", "vote", "start", "done", "fail", "move", "withdraw", "note"}
}

func newChange(now time.Time) string {
	return `{"title":"A larger pool","text":"200.","benefit":"No queue.","undo":"100.","services":["checkout"],"until":"` + now.AddDate(0, 0, 5).Format(time.RFC3339) + `"}`
}

func (h *house) Changes(_ context.Context, f api.ChangeFilter) (rows []api.ChangeSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.soughtChanges = append(h.soughtChanges, f)
	for _, c := range h.changes {
		rows = append(rows, api.ChangeSummary{ID: c.ID, Title: c.Title, Way: c.Listed(), Status: c.Status, Service: c.Services[0], OpenedAt: c.Opened, NextDue: c.NextDue()})
	}
	return rows, h.more(), h.failure()
}

func (h *house) Change(_ context.Context, id change.ID) (*change.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	c := h.changes[id]
	if c == nil {
		return nil, &starter.NotFoundError{What: "change " + string(id)}
	}
	return c, nil
}

func (h *house) StartChange(_ context.Context, r starter.Request, terms change.Terms) (*change.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	h.asked = append(h.asked, "change")
	terms.ID, terms.Request, terms.Requester = change.NewID(uint64(len(h.changes))), r.ID, r.By
	c, err := change.Start(terms, h.now)
	if err != nil {
		return nil, &starter.RefusedError{Reason: err.Error()}
	}
	changed(c, h.now)
	h.changes[c.ID] = c
	return c, nil
}

func (h *house) AskChange(_ context.Context, id change.ID, r starter.Request, c change.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return err
	}
	x := h.changes[id]
	if x == nil || x.Over() {
		return &starter.NotFoundError{What: "change " + string(id)}
	}
	err := c.Check(x, r.By)
	if err == nil {
		h.asked = append(h.asked, fmt.Sprintf("%T", c))
		err = c.Apply(x, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	changed(x, h.now)
	return nil
}

func (h *house) ChangeUses(_ context.Context, standard string, since time.Time) (n int, err error) {
	for _, c := range h.changes {
		if c.Standard == standard && c.Status != change.Rejected && c.Opened.After(since) {
			n++
		}
	}
	return n, h.failure()
}

// ask asks in somebody's name and reads the answer.
func (p *place) asks(t *testing.T, who, method, path, body string, into any) (code int, said string) {
	t.Helper()
	w := p.ask(method, path, body, "Authorization", p.as(t, who))
	if into != nil && w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	return w.Code, w.Body.String()
}

func TestAChangeFromItsAskingToItsEnd(t *testing.T) {
	p := newPlace(t)
	var c change.Change
	if code, said := p.asks(t, "min", "POST", "/api/v1/changes", newChange(p.now), &c); code != 200 || c.Status != change.Requested || c.Requester.ID != "min" || c.OwnerNames != "최은영" {
		t.Fatalf("got %d %s", code, said)
	}
	of := "/api/v1/changes/" + string(c.ID)
	for _, step := range []struct{ who, path, body, want string }{
		{"park", "/assess", `{"class":"high","note":"x"}`, "want an owner: 최은영"},
		{"choi", "/assess", `{"class":"high","note":"x"}`, `"status":"assessed"`},
		{"min", "/vote", `{"choice":"approve","shown":"SHOWN"}`, "min has asked for it: want another person"},
		{"park", "/vote", `{"choice":"approve","shown":"` + strings.Repeat("0", 64) + `"}`, "what was shown is not what is shown now"},
		{"park", "/vote", `{"choice":"reject","shown":"SHOWN"}`, "reject needs one"},
		{"park", "/vote", `{"choice":"approve","shown":"SHOWN"}`, `"status":"approved"`},
		{"min", "/start", ``, "nobody has said that it holds: tried"},
		{"park", "/check", `{"check":"tried","holds":true,"evidence":"x"}`, "want one of those who say whether tried holds"},
		{"choi", "/check", `{"check":"tried","holds":true,"evidence":"https://wiki.example/undo"}`, `"status":"approved"`},
		{"park", "/start", ``, "want whoever has asked for it, or an owner"},
		{"min", "/start", ``, `"status":"running"`},
		{"choi", "/note", `{"text":"half way"}`, `"status":"running"`},
		{"min", "/withdraw", `{"reason":"x"}`, "it is running"},
		{"min", "/fail", `{"note":"worse","outage_minutes":20}`, `"status":"failed"`},
		{"min", "/note", `{"text":"late"}`, "it is failed since"},
	} {
		p.asks(t, "min", "GET", of, "", &c)
		body := step.body
		if c.Ballot != nil {
			body = strings.Replace(body, "SHOWN", c.Ballot.Shown.SHA256, 1)
		}
		if code, said := p.asks(t, step.who, "POST", of+step.path, body, nil); (code == 200) != strings.HasPrefix(step.want, `"status"`) || !strings.Contains(said, step.want) {
			t.Errorf("%s %s: got %d %s, want %s", step.who, step.path, code, said, step.want)
		}
	}
	p.asks(t, "min", "GET", of, "", &c)
	if c.Outage != 20*time.Minute {
		t.Errorf("got %+v", c)
	}
}

func TestAStandardChangeIsUsed(t *testing.T) {
	p := newPlace(t)
	var c change.Change
	use := func(body string) (int, string) { return p.asks(t, "park", "POST", "/api/v1/changes", body, &c) }
	if code, said := use(`{"way":"standard","standard":"restart"}`); code != 200 || c.Status != change.Approved || c.PreApproved.ApprovedBy != "최은영" {
		t.Fatalf("got %d %s", code, said)
	}
	if code, said := use(`{"way":"standard","standard":"restart","services":["search"]}`); code != 409 || !strings.Contains(said, "service search: it was approved for checkout alone") ||
		!strings.Contains(said, "recorded as CHG-") || !strings.Contains(said, "want a normal change") {
		t.Errorf("out of scope: got %d %s", code, said)
	}
	use(`{"way":"standard","standard":"restart"}`)
	if code, said := use(`{"way":"standard","standard":"restart"}`); code != 409 || !strings.Contains(said, "it was used 2 times") {
		t.Errorf("once too often: got %d %s", code, said)
	}
	var all api.StandardChanges
	if p.asks(t, "park", "GET", "/api/v1/standard-changes", "", &all); len(all.Standard) != 1 || all.Standard[0].ID != "restart" {
		t.Errorf("got %+v", all)
	}
}

func TestAnEmergencyNeedsItsIncidentManager(t *testing.T) {
	p := newPlace(t)
	body := `{"way":"emergency","title":"Roll the pool back","text":"100.","undo":"200.","services":["checkout"],"incident":"` + string(open) + `"}`
	i := p.incidents[open]
	ask := func(who, body string) (int, string) { return p.asks(t, who, "POST", "/api/v1/changes", body, nil) }
	if code, said := ask("park", body); code != 409 || !strings.Contains(said, "nobody is its incident manager") {
		t.Errorf("got %d %s", code, said)
	}
	i.Holders = []incident.Holder{{Role: incident.IncidentManager, Person: "park", Name: "박서준", Since: p.now}}
	if code, said := ask("min", body); code != 409 || !strings.Contains(said, "박서준 is its incident manager: want their word") || p.noted(t, store.AttemptDenied) != 2 {
		t.Errorf("got %d %s", code, said)
	}
	if code, said := ask("park", strings.Replace(body, string(open), "INC-0000000009", 1)); code != 422 || !strings.Contains(said, "want the ID of an incident") {
		t.Errorf("got %d %s", code, said)
	}
	if code, said := ask("park", body); code != 200 || !strings.Contains(said, `"status":"running"`) || !strings.Contains(said, `"manager":{"person":"park"`) {
		t.Errorf("got %d %s", code, said)
	}
	i.Status = incident.Closed
	if code, said := ask("park", body); code != 409 || !strings.Contains(said, "want an open incident") {
		t.Errorf("got %d %s", code, said)
	}
}

// Its run of a plan ends a change, unless that is gone.
func TestWhoEndsAChangeThatIsAPlan(t *testing.T) {
	p := newPlace(t)
	var c change.Change
	body := strings.Replace(newChange(p.now), "}", `,"plan":"small","customer":"acme","environments":{"production":"prod"}}`, 1)
	if code, said := p.asks(t, "min", "POST", "/api/v1/changes", body, &c); code != 200 || c.Plan.ID != "small" || !slices.Equal(c.Plan.Environments, []change.Given{{ID: "production", Value: "prod"}}) {
		t.Fatalf("got %d %s", code, said)
	}
	x := p.changes[c.ID]
	x.Status, x.Run = change.Running, upgrading
	of := "/api/v1/changes/" + string(c.ID)
	if code, said := p.asks(t, "min", "POST", of+"/done", `{"note":"x"}`, nil); code != 409 || !strings.Contains(said, string(upgrading)+" runs: it ends the change") {
		t.Errorf("got %d %s", code, said)
	}
	p.planRuns[upgrading].Status = planrun.Cancelled
	if code, said := p.asks(t, "min", "POST", of+"/done", `{"note":"x"}`, nil); code != 200 {
		t.Errorf("got %d %s", code, said)
	}
}

func TestWhatIsWrongWithAChangeThatIsAskedFor(t *testing.T) {
	p := newPlace(t)
	for want, body := range map[string]string{
		"title: missing":               `{"text":"x"}`,
		`way: "other"; want`:           `{"way":"other"}`,
		`kind: "other"; want`:          `{"kind":"other"}`,
		`services: "store"; want`:      strings.Replace(newChange(p.now), "checkout", "store", 1),
		`standard: want restart`:       `{"way":"standard","standard":"other"}`,
		"plan: plan: no such plan":     strings.Replace(newChange(p.now), "}", `,"plan":"other","customer":"acme"}`, 1),
		"benefit: missing":             strings.Replace(newChange(p.now), "benefit", "customer", 1),
		"until: 2001-01-01T00:00:00Z;": strings.Replace(newChange(p.now), p.now.AddDate(0, 0, 5).Format(time.RFC3339), "2001-01-01T00:00:00Z", 1),
		"unknown; want":                `{"requester":"choi"}`,
	} {
		if want == "benefit: missing" {
			body = strings.Replace(newChange(p.now), `"benefit":"No queue.",`, "", 1)
		}
		code, said := p.asks(t, "min", "POST", "/api/v1/changes", body, nil)
		var bad struct {
			Errors []struct{ Field, Detail string }
			Field  string
			Detail string
		}
		_ = json.Unmarshal([]byte(said), &bad)
		if code != 422 || !strings.Contains(bad.Field+": "+bad.Detail, want) && !strings.Contains(said, want) {
			t.Errorf("got %d %s, want %s", code, said, want)
		}
	}
}

// A party beside the provider asks for what is its own, and sees no more of it than that.
func TestOtherPartiesAndChanges(t *testing.T) {
	p := newPlace(t)
	var c change.Change
	body := strings.Replace(newChange(p.now), `["checkout"]`, `["checkout"],"customers":["globex"]`, 1)
	if code, said := p.asks(t, "acme/desk", "POST", "/api/v1/changes", body, &c); code != 200 || !c.Partial || c.Text != "200." || len(p.changes[c.ID].Customers) != 1 || p.changes[c.ID].Customers[0] != "acme" {
		t.Fatalf("got %d %s", code, said)
	}
	for who, tt := range map[string]struct {
		body, want string
		code       int
	}{
		"acme/desk":   {strings.Replace(newChange(p.now), "checkout", "search", 1), "of a customer that it is about", 403},
		"jung":        {strings.Replace(newChange(p.now), "checkout", "store", 1), "of a customer that it is about", 403},
		"globex/lead": {newChange(p.now), "of a customer that it is about", 403},
		"acme/lead":   {`{"way":"standard","standard":"restart"}`, "the others are for the provider's own people", 422},
		"vera":        {strings.Replace(newChange(p.now), "}", `,"plan":"small"}`, 1), "the provider's own people say what it becomes", 422},
	} {
		if code, said := p.asks(t, who, "POST", "/api/v1/changes", tt.body, nil); code != tt.code || !strings.Contains(said, tt.want) {
			t.Errorf("%s: got %d %s, want %s", who, code, said, tt.want)
		}
	}
	if code, said := p.asks(t, "acme/lead", "POST", enlarged+"/withdraw", `{"reason":"x"}`, nil); code != 409 || strings.Contains(said, "최은영") || !strings.Contains(said, "that you have asked for") {
		t.Errorf("withdrawing another's: got %d %s", code, said)
	}
	if code, said := p.asks(t, "acme/desk", "POST", "/api/v1/changes/"+string(c.ID)+"/withdraw", `{"reason":"x"}`, nil); code != 200 {
		t.Errorf("withdrawing one's own: got %d %s", code, said)
	}
	p.changeBody("start")
	if code, said := p.asks(t, "acme/lead", "GET", enlarged, "", nil); code != 200 || strings.Contains(said, "SECRET") || strings.Contains(said, "민") || !strings.Contains(said, `"partial":true`) {
		t.Errorf("got %d %s", code, said)
	}
	var page api.ChangePage
	for who, want := range map[string]int{"acme/lead": 2, "globex/lead": 0, "jung": 2, "seo": 0, "park": 2} {
		page = api.ChangePage{}
		if code, said := p.asks(t, who, "GET", "/api/v1/changes?open=true&exceptions=true&way=emergency&status=running", "", &page); code != 200 || len(page.Changes) != want {
			t.Errorf("%s: got %d %s, want %d", who, code, said, want)
		}
	}
	if f := p.soughtChanges[0]; !f.Open || !f.Exceptions || f.Way != change.Emergency || f.Status != change.Running {
		t.Errorf("sought %+v", f)
	}
	for path, want := range map[string]int{"?status=odd": 422, "?way=odd": 422, "?exceptions=odd": 422, "?nothing=1": 422} {
		if code, _ := p.asks(t, "park", "GET", "/api/v1/changes"+path, "", nil); code != want {
			t.Errorf("%s: got %d", path, code)
		}
	}
}

// What waits changes with where the change stands.
func TestWhatOfAChangeWaitsForWhom(t *testing.T) {
	for state, want := range map[string]map[string][]string{
		"assess": {"choi": {"assess"}, "park": nil, "min": nil},
		"vote":   {"choi": {"vote", "check tried"}, "park": {"vote"}, "min": nil},
		"start":  {"choi": {"start"}, "park": nil, "min": {"start"}},
		"done":   {"choi": {"end"}, "park": nil, "min": {"end"}},
	} {
		p := newPlace(t)
		p.onePage = true
		p.changeBody(state)
		for who, wants := range want {
			got, box := p.inboxOf(t, who, "?lang=en")
			got = slices.DeleteFunc(got, func(s string) bool { return !strings.Contains(s, " change ") })
			var expected []string
			for _, w := range wants {
				name, task, _ := strings.Cut(w, " ")
				expected = append(expected, strings.TrimSpace(fmt.Sprintf("%s change %s %s", name, enlarging, task)))
			}
			slices.Sort(got)
			slices.Sort(expected)
			if !slices.Equal(got, expected) {
				t.Errorf("%s at %s: got %q, want %q", who, state, got, expected)
			}
			for _, i := range box.Items {
				if i.Kind == api.InboxChange && !strings.HasPrefix(i.Command, "muster change ") {
					t.Errorf("%s at %s: %+v", who, state, i)
				}
			}
		}
	}
}

// A check that wants a run of a plan holds by a completed one, of a customer whom the change concerns and for no other change.
func TestACheckThatWantsARunOfAPlan(t *testing.T) {
	p := newPlace(t)
	c := p.changes[enlarging]
	c.Classes = slices.Clone(c.Classes)
	c.Classes[1].Checks = []change.Check{{ID: "premortem", Text: "It was imagined to fail.", By: person("choi"), Plan: "pre-mortem"}}
	p.asks(t, "choi", "POST", enlarged+"/assess", `{"class":"high","note":"x"}`, nil)
	held := func(number uint64, alter func(*planrun.Run)) planrun.ID {
		r := upgradeRun(t)
		r.ID, r.Plan.ID, r.Status = planrun.NewID(number), "pre-mortem", planrun.Completed
		alter(r)
		p.planRuns[r.ID] = r
		return r.ID
	}
	says := func(evidence, holds string) (int, string) {
		return p.asks(t, "choi", "POST", enlarged+"/check", `{"check":"premortem","holds":`+holds+`,"evidence":"`+evidence+`","note":"x"}`, nil)
	}
	for n, row := range []struct {
		alter func(*planrun.Run)
		want  string
	}{
		{func(r *planrun.Run) { r.Plan.ID = "upgrade" }, `want the id of a completed run of plan pre-mortem of acme`},
		{func(r *planrun.Run) { r.Customer = "globex" }, `want the id of a completed run of plan pre-mortem of acme`},
		{func(r *planrun.Run) { r.Status = planrun.Running }, `it is running; want a run that is completed`},
		{func(r *planrun.Run) { r.Status = planrun.Cancelled }, `it is cancelled; want a run that is completed`},
		{func(r *planrun.Run) { r.Parameters = []planrun.Value{{ID: "change", Value: "CHG-0000000009"}} }, `it is for CHG-0000000009; want a run for CHG-7K3M9QX2PA`},
	} {
		if code, said := says(string(held(uint64(20+n), row.alter)), "true"); code != 409 || !strings.Contains(said, row.want) || len(c.Answers) != 0 {
			t.Errorf("got %d %s with %+v, want %s", code, said, c.Answers, row.want)
		}
	}
	if code, said := says("https://wiki.example/premortem", "true"); code != 409 || !strings.Contains(said, "want the id of a completed run of plan pre-mortem") {
		t.Errorf("a page in a wiki: got %d %s", code, said)
	}
	if code, said := says("https://wiki.example/why-not", "false"); code != 200 { // that it does not hold, anything shows
		t.Errorf("got %d %s", code, said)
	}
	right := held(30, func(r *planrun.Run) {
		r.Parameters = []planrun.Value{{ID: "change", Value: strings.ToLower(string(enlarging))}}
	})
	if code, said := says(strings.ToLower(string(right)), "true"); code != 200 {
		t.Fatalf("got %d %s", code, said)
	}
	if a := c.Answer("premortem"); a == nil || a.Run != right || a.Evidence != string(right) || len(c.Unmet()) != 0 {
		t.Errorf("it keeps %+v", c.Answers)
	}
	if items, _ := p.inboxOf(t, "choi", ""); slices.Contains(items, "check change "+string(enlarging)) {
		t.Errorf("it still waits: %v", items)
	}
}

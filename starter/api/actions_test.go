package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// pools is an action item of min's with the NOC behind, opened by kim after the incident of acme, which may see it.
const (
	pools       action.ID = "ACT-7K3M9QX2PA"
	pooled                = "/api/v1/actions/" + string(pools)
	actionRoute           = "/api/v1/actions/{id}"
)

// acting are bodies that are right, by the last part of their path.
func acting() map[string]string {
	return map[string]string{
		"actions": `{"title":"Alert on full pools","text":"Nobody saw it.","kind":"detect","priority":2,"owner":"park","group":"noc","due":"2026-12-22T18:00:00+09:00",` +
			`"ticket":"OPS-1","origin_kind":"review","origin":"` + string(open) + `","customer":"acme","public":true,"effect":14,"proposal_for":"runbook","proposal_id":"pools","proposal":"Look at the pools."}`,
		"done":   `{"evidence":"https://git/1","sha256":"` + strings.Repeat("ab", 32) + `","note":"merged"}`,
		"verify": `{"result":"yes","note":"seen"}`,
		"effect": `{"result":"no","note":"internal words"}`,
		"extend": `{"due":"2027-01-29T18:00:00+09:00","reason":"parts are late"}`,
		"assign": `{"owner":"park","group":"noc","reason":"min is away"}`,
		"cancel": `{"reason":"the service is gone"}`,
		"note":   `{"text":"internal words"}`,
	}
}

// Action knows everybody, and the group noc.
func (all people) Action(a action.Asked) (action.Pinned, error) {
	who, known := all[a.Owner]
	if !known {
		return action.Pinned{}, &action.Fault{Field: "owner", Detail: `"` + a.Owner + `"; want the id of one of the provider's people in the organisation folder`}
	}
	if a.Group != "noc" {
		return action.Pinned{}, &action.Fault{Field: "group", Detail: `"` + a.Group + `"; want the id of a group in the organisation folder`}
	}
	return action.Pinned{Organisation: "Mirnet", Zone: "Asia/Seoul", OwnerName: who.Actor.Name, CustomerName: "Acme", ServiceName: "Checkout"}, nil
}

func improving(t testing.TB) *action.Action {
	a, err := action.Start(action.Terms{
		ID: pools, Request: "r", Opener: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"},
		Asked: action.Asked{
			Title: "Alert on full pools", Kind: action.Detect, Priority: priority.P2, Owner: "min", Group: "noc", Due: instant().AddDate(0, 1, 0), Public: true,
			Origin: action.Origin{Kind: action.OfReview, ID: string(open), Customer: "acme", Service: "checkout"},
		},
		Pinned: action.Pinned{Organisation: "Mirnet", Zone: "Asia/Seoul", OwnerName: "민서연", CustomerName: "Acme"},
	}, instant())
	if err != nil {
		t.Fatal(err)
	}
	a.Advance(instant())
	return a
}

func (h *house) Actions(_ context.Context, f starter.ActionFilter) (rows []api.ActionSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.soughtActions = append(h.soughtActions, f)
	if f.After != "" {
		return nil, "", nil
	}
	for _, a := range h.actions {
		rows = append(rows, api.ActionSummary{ID: a.ID, Title: "from the list", Status: a.Listed(), Priority: a.Priority, Customer: a.Origin.Customer, Service: a.Origin.Service, OpenedAt: a.Opened})
	}
	return rows, h.more(), h.failure()
}

func (h *house) Action(_ context.Context, id action.ID) (*action.Action, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.actions[id] == nil {
		return nil, &starter.NotFoundError{What: "action item " + string(id)}
	}
	seen := *h.actions[id]
	return &seen, nil
}

func (h *house) StartAction(_ context.Context, r starter.Request, terms action.Terms) (*action.Action, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	terms.ID, terms.Request, terms.Opener = action.NewID(uint64(len(h.actions))), r.ID, r.By
	for _, a := range h.actions {
		if a.Request == r.ID {
			return a, nil
		}
	}
	a, err := action.Start(terms, h.now)
	if err == nil {
		h.actions[terms.ID] = a
	}
	return a, err
}

func (h *house) AskAction(ctx context.Context, id action.ID, r starter.Request, c action.Command) error {
	if _, err := h.Action(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.actions[id]
	if a.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "action item " + string(id)}
	}
	err := c.Check(a, r.By)
	if err == nil {
		h.asked = append(h.asked, r.ID)
		err = c.Apply(a, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	a.Advance(h.now)
	return nil
}

// actionBody readies the action item for what is asked of it, and returns the body.
func (p *place) actionBody(last string) string {
	a, kim := p.actions[pools], timeline.Actor{Kind: timeline.Person, ID: "oh-no", Name: "x"}
	if last == "verify" || last == "effect" {
		_ = action.Complete{Evidence: "x"}.Apply(a, kim, p.now)
	}
	if last == "effect" {
		_ = action.Verify{Result: action.Yes}.Apply(a, timeline.Actor{Kind: timeline.Person, ID: "seen"}, p.now)
	}
	return acting()[last]
}

func TestAnActionItemIsOpenedAndDone(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	asked := api.NewAction{
		Title: "Alert on full pools", Kind: action.Detect, Owner: "kim", Group: "noc", Due: p.now.AddDate(0, 1, 0),
		OriginKind: action.OfIncident, Origin: strings.ToLower(string(open)),
	}
	a, err := c.OpenAction(t.Context(), asked, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if a.Opener != p.people["park"].Actor || a.Priority != priority.P3 || a.Effect != 30 || a.Origin.Service != "checkout" || a.Origin.ID != string(open) || a.OwnerName != "김민수" {
		t.Errorf("got %+v", a)
	}
	again, err := c.OpenAction(t.Context(), asked, "k1")
	if err != nil || again.ID != a.ID || !strings.HasPrefix(a.Request, "k1/") {
		t.Errorf("the same once more: got %s, %v; want %s", again.ID, err, a.ID)
	}
	if r, err := c.AskAction(t.Context(), a.ID, action.Complete{Evidence: "https://git/1"}, "k2"); err != nil || r.Status != action.Done {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := c.AskAction(t.Context(), a.ID, action.Verify{Result: action.Yes}, "k3"); err == nil || !strings.Contains(err.Error(), "has done it: want another person") {
		t.Errorf("who has done it verifies it: %v", err)
	}
	if r, err := c.AskAction(t.Context(), pools, action.Assign{Owner: "kim", Reason: "min is away"}, "k4"); err != nil || p.actions[pools].OwnerName != "김민수" || r.Status != action.Open {
		t.Errorf("got %+v, %v, %+v", r, err, p.actions[pools])
	}
	later := p.now.AddDate(0, 2, 0)
	if r, err := c.AskAction(t.Context(), pools, action.Extend{Due: later, Reason: "late"}, "k5"); err != nil || !r.Due.Equal(later) {
		t.Errorf("got %+v, %v", r, err)
	}
	if read, err := c.Action(t.Context(), pools); err != nil || read.Extended != 1 {
		t.Errorf("got %+v, %v", read, err)
	}
}

func TestAListOfActionItems(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	page, err := c.Actions(t.Context(), api.ActionFilter{ActionFilter: starter.ActionFilter{
		Status: action.Open, Open: true, Overdue: true, Customer: "acme", Service: "checkout", Limit: 7,
	}, Owner: "min", Origin: strings.ToLower(string(open))})
	if err != nil || len(page.Actions) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	if got := page.Actions[0]; got.Title != "Alert on full pools" || got.Owner != "min" || got.OwnerName != "민서연" || got.Due.IsZero() || got.Origin != string(open) {
		t.Errorf("got %+v", got)
	}
	want := starter.ActionFilter{Status: action.Open, Open: true, Overdue: true, Customer: "acme", Service: "checkout", Limit: 7}
	if !slices.Contains(p.soughtActions, want) {
		t.Errorf("sought %+v, want %+v", p.soughtActions, want)
	}
	for _, f := range []api.ActionFilter{{Owner: "park"}, {Origin: "INC-0000000000"}} {
		if page, err := c.Actions(t.Context(), f); err != nil || len(page.Actions) != 0 {
			t.Errorf("%+v: got %+v, %v", f, page, err)
		}
	}
}

// The customer that it is about sees a public one, without anybody's name, and no internal one.
func TestWhatACustomerSeesOfActionItems(t *testing.T) {
	p := newPlace(t)
	_ = action.Note{Text: "internal words"}.Apply(p.actions[pools], p.people["park"].Actor, p.now)
	auth := p.as(t, "acme/desk")
	for _, path := range []string{"/api/v1/actions", pooled} {
		w := p.ask("GET", path, "", "Authorization", auth)
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, "Alert on full pools") || strings.Contains(body, "internal words") ||
			strings.Contains(body, `"min"`) || strings.Contains(body, "민서연") || strings.Contains(body, "김민수") || strings.Contains(body, string(open)) {
			t.Errorf("%s: got %d %s", path, w.Code, body)
		}
	}
	p.actions[pools].Public = false
	if w := p.ask("GET", "/api/v1/actions?owner=min", "", "Authorization", auth); w.Code != 200 || strings.Contains(w.Body.String(), string(pools)) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", pooled, "", "Authorization", auth); w.Code != 404 {
		t.Errorf("an internal one: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", "/api/v1/actions", "", "Authorization", p.as(t, "vera")); w.Code != 403 {
		t.Errorf("a vendor: got %d %s", w.Code, w.Body)
	}
}

func TestWhatIsWrongWithAnActionItem(t *testing.T) {
	right := acting()["actions"]
	p := newPlace(t)
	for change, want := range map[string]string{
		`"title":"Alert on full pools"→"title":""`:       "title: missing",
		`"kind":"detect"→"kind":"repair"`:                `kind: "repair"; want prevent, detect, respond or recover`,
		`"priority":2→"priority":9`:                      "priority: 9; want 1 to 5",
		`"owner":"park"→"owner":"nobody"`:                `owner: "nobody"; want the id of one of the provider's people`,
		`"owner":"park"→"owner":"yoon"`:                  `owner: "yoon"; want the id of a person who may do it`,
		`"group":"noc"→"group":"none"`:                   `group: "none"; want the id of a group`,
		`2026-12-22T18:00:00+09:00→soon`:                 `due: "soon"; want an instant`,
		`2026-12-22T18:00:00+09:00→2026-01-01T00:00:00Z`: "due: 2026-01-01T00:00:00Z; want an instant that is to come",
		string(open) + `→INC-0000000000`:                 `origin: "INC-0000000000"; want the id of an incident`,
		`"effect":14→"effect":999`:                       "effect: 999 days; want 1 to 365",
		`"proposal_for":"runbook"→"proposal_for":"x"`:    `proposal_for: "x"; want checklist or runbook`,
		`"proposal_id":"pools",→`:                        "proposal: missing",
		`"ticket"→"tocket"`:                              "tocket: unknown",
	} {
		from, to, _ := strings.Cut(change, "→")
		body := strings.Replace(right, from, to, 1)
		if w := p.ask("POST", "/api/v1/actions", body); w.Code != 422 || !saysFault(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %q", change, w.Code, w.Body, want)
		}
	}
	p.incidents[open].Definition.Kind = incident.SecurityIncident
	auth := p.as(t, "choi")
	if w := p.ask("POST", "/api/v1/actions", right, "Authorization", auth); w.Code != 422 || !strings.Contains(w.Body.String(), "is restricted, and action items are not: leave it out") {
		t.Errorf("of a restricted incident: got %d %s", w.Code, w.Body)
	}
}

// saysFault finds "field: detail" among faults.
func saysFault(body, want string) bool {
	field, detail, _ := strings.Cut(want, ": ")
	detail = strings.ReplaceAll(detail, `"`, `\"`)
	return strings.Contains(body, `"`+field+`"`) && strings.Contains(body, detail)
}

// Whoever owns the review opens action items, and whoever leads the owner cancels one, though their role alone lets neither.
func TestWhoElseMayOpenAndCancel(t *testing.T) {
	p := newPlace(t)
	p.incidents[open].Definition.Review.Owner = incident.IncidentManager
	auth := p.as(t, "min")
	if w := p.ask("POST", "/api/v1/actions", acting()["actions"], "Authorization", auth); w.Code != 403 {
		t.Errorf("a member opens one: got %d %s", w.Code, w.Body)
	}
	p.incidents[open].Holders = []incident.Holder{{Role: incident.IncidentManager, Person: "min", Name: "민", Since: p.now}}
	if w := p.ask("POST", "/api/v1/actions", acting()["actions"], "Authorization", auth); w.Code != 200 {
		t.Errorf("the owner of the review opens one: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("POST", pooled+"/cancel", acting()["cancel"], "Authorization", auth); w.Code != 403 {
		t.Errorf("a member cancels one: got %d %s", w.Code, w.Body)
	}
	p.actions[pools].Group = "leads"
	auth = p.as(t, "yoon")
	if w := p.ask("POST", pooled+"/cancel", acting()["cancel"], "Authorization", auth); w.Code != 403 {
		t.Errorf("an auditor cancels one: got %d %s", w.Code, w.Body)
	}
	who := p.people["yoon"]
	who.Roles = []authority.Role{authority.Member}
	p.people["yoon"] = who
	if w := p.ask("POST", pooled+"/cancel", acting()["cancel"], "Authorization", auth); w.Code != 200 {
		t.Errorf("who leads the owner cancels it: got %d %s", w.Code, w.Body)
	}
}

func TestActionItemsInAnInbox(t *testing.T) {
	p := newPlace(t)
	a := p.actions[pools]
	has := func(who, want string, found bool) {
		t.Helper()
		if got, _ := p.inboxOf(t, who, ""); slices.Contains(got, want+" action-item "+string(pools)) != found {
			t.Errorf("%s: got %q; finds %s: want %t", who, got, want, found)
		}
	}
	a.Group = "primary" // park
	has("min", "act", true)
	has("kim", "act", false)
	if err := (action.Complete{Evidence: "x"}).Apply(a, p.people["min"].Actor, p.now); err != nil {
		t.Fatal(err)
	}
	has("min", "verify", false)
	has("kim", "verify", true)  // has opened it
	has("park", "verify", true) // leads the owner
	if err := (action.Verify{Result: action.Yes}).Apply(a, p.people["park"].Actor, p.now); err != nil {
		t.Fatal(err)
	}
	has("park", "effect", false) // not yet
	a.Advance(p.now.Add(31 * 24 * time.Hour))
	has("park", "effect", true)
	has("min", "effect", false)
	has("acme/lead", "effect", false)
}

// Whoever has a part in a run opens an action item of it, which stands in the run as long as that goes on, and is found by it afterwards.
func TestActionItemsOfARun(t *testing.T) {
	p := newPlace(t)
	about := func(origin, customer string) string {
		return strings.NewReplacer(`"review"`, `"run"`, string(open), origin, `"acme"`, `"`+customer+`"`).Replace(acting()["actions"])
	}
	min := p.as(t, "min") // a member, and the change manager of the run
	lee := p.people["min"]
	lee.Actor.ID = "lee"
	p.people["lee"] = lee
	for _, c := range []struct{ body, want string }{
		{about("RUN-0000000000", "acme"), `"RUN-0000000000\"; want the id of a run of a plan`},
		{about(string(upgrading), "globex"), `globex\"; want acme, whose run RUN-7K3M9QX2PA is, or none`},
	} {
		if w := p.ask("POST", "/api/v1/actions", c.body); w.Code != 422 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("got %d %s, want %s", w.Code, w.Body, c.want)
		}
	}
	right := about(strings.ToLower(string(upgrading)), "acme")
	for range 2 { // once, however often it is asked
		if w := p.ask("POST", "/api/v1/actions", right, "Authorization", min, "Idempotency-Key", "k1"); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	if w := p.ask("POST", "/api/v1/actions", right, "Authorization", p.as(t, "lee")); w.Code != 403 {
		t.Errorf("a member without a part in it: got %d %s", w.Code, w.Body)
	}
	c := newClient(t, p)
	run, err := c.PlanRun(t.Context(), upgrading)
	if err != nil || len(run.Actions) != 1 || run.Actions[0].Title != "Alert on full pools" || run.Actions[0].Status != "open" || run.Actions[0].By.ID != "min" {
		t.Fatalf("got %+v, %v", run.Actions, err)
	}
	if w := p.ask("GET", upgraded+"/report?lang=en", ""); !strings.Contains(w.Body.String(), run.Actions[0].ID+": Alert on full pools (open)") {
		t.Errorf("the report does not name it: %s", w.Body)
	}
	if w := p.ask("GET", upgraded, "", "Authorization", p.as(t, "acme/lead")); w.Code != 200 || strings.Contains(w.Body.String(), "ACT-") {
		t.Errorf("the customer: got %d %s", w.Code, w.Body)
	}
	if w := p.ask("POST", upgraded+"/cancel", planBodies()["cancel"], "Authorization", p.as(t, "kim")); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if w := p.ask("POST", "/api/v1/actions", strings.Replace(right, "Alert on", "Count", 1), "Authorization", min); w.Code != 200 {
		t.Fatalf("of a run that is over: got %d %s", w.Code, w.Body)
	}
	if run, err = c.PlanRun(t.Context(), upgrading); err != nil || len(run.Actions) != 2 || run.Actions[1].Title != "Count full pools" || run.Actions[1].Status != "open" {
		t.Errorf("got %+v, %v", run.Actions, err)
	}
	if len(p.planRuns[upgrading].Actions) != 1 {
		t.Errorf("a run that is over has taken one: %+v", p.planRuns[upgrading].Actions)
	}
}

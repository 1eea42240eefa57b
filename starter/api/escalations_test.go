package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/risk"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// restore is a risk that a person has escalated who has left since; park has to take it first, and kim after park.
const (
	restore         risk.ID = "ESC-7K3M9QX2PA"
	restored                = "/api/v1/escalations/" + string(restore)
	escalationRoute         = "/api/v1/escalations/{id}"
)

// escalating are bodies that are right, by the last part of their path.
func escalating() map[string]string {
	return map[string]string{
		"escalations": `{"situation":"The restore was never tried.","importance":"It is our last resort.","affected":"Every customer.","scale":"Up to a day of data.",` +
			`"urgency":"At once, should a disk fail.","remedy":"Try it this week.","priority":2,"service":"checkout"}`,
		"take":       `{"note":"I ask the storage team"}`,
		"answer":     `{"text":"We try it on Friday"}`,
		"in-hand":    `{"note":"I have seen the date"}`,
		"raise":      `{"reason":"that is too late"}`,
		"originator": `{"person":"min","reason":"they have left"}`,
		"note":       `{"text":"asked the vendor"}`,
	}
}

// Risk knows the service checkout.
func (all people) Risk(a risk.Asked) (risk.Pinned, error) {
	if a.Service != "checkout" {
		return risk.Pinned{}, &risk.Fault{Field: "service", Detail: `"` + a.Service + `"; want the id of a service in the organisation folder`}
	}
	level := func(id string, wait time.Duration) risk.Level {
		return risk.Level{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: id}}, Wait: wait}
	}
	return risk.Pinned{
		Revision: "r1", Organisation: "Mirnet", Zone: "Asia/Seoul", ServiceName: "Checkout", Policy: "management",
		Levels: []risk.Level{level("primary", 4*time.Hour), level("leads", 8*time.Hour)},
	}, nil
}

func atRisk(t testing.TB) *risk.Escalation {
	asked := risk.Asked{
		Situation: "The restore was never tried.", Importance: "x", Affected: "x", Scale: "x", Urgency: "x", Remedy: "x", Priority: priority.P2, Service: "checkout",
	}
	pinned, _ := people(nil).Risk(asked)
	e, err := risk.Start(risk.Terms{
		ID: restore, Request: "r", Originator: timeline.Actor{Kind: timeline.Person, ID: "left", Name: "한가람"}, Asked: asked, Pinned: pinned,
	}, instant())
	if err != nil {
		t.Fatal(err)
	}
	e.Advance(instant())
	return e
}

func (h *house) Escalations(_ context.Context, f api.EscalationFilter) (rows []api.EscalationSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.soughtRisks = append(h.soughtRisks, f)
	for _, e := range h.risks {
		rows = append(rows, api.EscalationSummary{ID: e.ID, Title: e.Title(), Status: e.Status, Priority: e.Priority, Service: e.Service, OpenedAt: e.Opened, NextDue: e.NextDue()})
	}
	return rows, h.more(), h.failure()
}

func (h *house) Escalation(_ context.Context, id risk.ID) (*risk.Escalation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	if h.risks[id] == nil {
		return nil, &starter.NotFoundError{What: "escalation " + string(id)}
	}
	seen := *h.risks[id]
	return &seen, nil
}

func (h *house) StartEscalation(_ context.Context, r starter.Request, terms risk.Terms) (*risk.Escalation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	terms.ID, terms.Request, terms.Originator = risk.NewID(uint64(len(h.risks))), r.ID, r.By
	for _, e := range h.risks {
		if e.Request == r.ID {
			return e, nil
		}
	}
	e, err := risk.Start(terms, h.now)
	if err == nil {
		h.risks[terms.ID] = e
	}
	return e, err
}

func (h *house) AskEscalation(ctx context.Context, id risk.ID, r starter.Request, c risk.Command) error {
	if _, err := h.Escalation(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.risks[id]
	if e.Over() { // its workflow has ended
		return &starter.NotFoundError{What: "escalation " + string(id)}
	}
	err := c.Check(e, r.By)
	if err == nil {
		h.asked = append(h.asked, r.ID)
		err = c.Apply(e, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	e.Advance(h.now)
	return nil
}

// escalatedBy makes somebody the originator.
func (p *place) escalatedBy(who string) { p.risks[restore].Originator = p.people[who].Actor }

func TestARiskIsEscalatedAndInHand(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	asked := api.NewEscalation{
		Situation: "The restore was never tried.", Importance: "a", Affected: "b", Scale: "c", Urgency: "d", Remedy: "e", Service: "checkout",
	}
	e, err := c.OpenEscalation(t.Context(), asked, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if e.Originator != p.people["park"].Actor || e.Priority != priority.P3 || e.ServiceName != "Checkout" || len(e.Levels) != 2 || e.Remedy != "e" {
		t.Errorf("got %+v", e)
	}
	again, err := c.OpenEscalation(t.Context(), asked, "k1")
	if err != nil || again.ID != e.ID {
		t.Errorf("the same once more: got %s, %v; want %s", again.ID, err, e.ID)
	}
	if r, err := c.AskEscalation(t.Context(), e.ID, risk.Raise{Reason: "nobody is there"}, "k2"); err != nil || r.Level != 2 || r.Levels != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := c.AskEscalation(t.Context(), restore, risk.Confirm{}, "k3"); err == nil || !strings.Contains(err.Error(), "한가람 has escalated it, and nobody else says that it is in hand") {
		t.Errorf("a stranger closes it: %v", err)
	}
	for _, cmd := range []risk.Command{risk.Take{}, risk.Answer{Text: "x"}, risk.Note{Text: "x"}} {
		if r, err := c.AskEscalation(t.Context(), restore, cmd, ""); err != nil || r.ID != restore {
			t.Errorf("%T: %+v, %v", cmd, r, err)
		}
	}
	if r, err := c.AskEscalation(t.Context(), e.ID, risk.Confirm{}, "k4"); err != nil || r.Status != risk.InHand {
		t.Errorf("got %+v, %v", r, err)
	}
	if read, err := c.Escalation(t.Context(), e.ID); err != nil || !read.Over() {
		t.Errorf("got %+v, %v", read, err)
	}
	want := api.EscalationFilter{Status: risk.Open, Open: true, Service: "checkout", Limit: 7}
	if page, err := c.Escalations(t.Context(), want); err != nil || len(page.Escalations) != 2 || !slices.Contains(p.soughtRisks, want) {
		t.Errorf("got %+v, %v, sought %+v", page, err, p.soughtRisks)
	}
}

func TestWhoFollowsAnOriginator(t *testing.T) {
	p := newPlace(t)
	p.escalatedBy("min")
	auth := p.as(t, "choi")
	try := func(body string, code int, want string) {
		t.Helper()
		if w := p.ask("POST", restored+"/originator", body, "Authorization", auth); w.Code != code || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %d %s", body, w.Code, w.Body, code, want)
		}
	}
	try(escalating()["originator"], 409, "민서연 has escalated it and is still there")
	p.risks[restore].Originator = timeline.Actor{Kind: timeline.Person, ID: "left", Name: "한가람"}
	try(`{"person":"nobody","reason":"x"}`, 422, "want the id of one of the provider's people")
	try(`{"person":"acme/desk","reason":"x"}`, 422, "want the id of one of the provider's people")
	try(`{"person":"choi","reason":"x"}`, 409, "cannot name themselves")
	try(escalating()["originator"], 200, `"status"`)
	if got := p.risks[restore].Originator; got != p.people["min"].Actor {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsWrongWithAnEscalation(t *testing.T) {
	p := newPlace(t)
	for change, want := range map[string]string{
		`"The restore was never tried."→""`:        "situation: missing",
		`"remedy":"Try it this week.",→`:           "remedy: missing",
		`"priority":2→"priority":9`:                "priority: 9; want 1 to 5",
		`"service":"checkout"→"service":"nothing"`: `service: "nothing"; want the id of a service`,
		`"scale"→"size"`:                           "size: unknown",
	} {
		from, to, _ := strings.Cut(change, "→")
		body := strings.Replace(escalating()["escalations"], from, to, 1)
		if w := p.ask("POST", "/api/v1/escalations", body); w.Code != 422 || !saysFault(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %q", change, w.Code, w.Body, want)
		}
	}
}

func TestEscalationsInAnInbox(t *testing.T) {
	p := newPlace(t)
	e := p.risks[restore]
	has := func(who, want string, found bool) {
		t.Helper()
		if got, _ := p.inboxOf(t, who, ""); slices.Contains(got, want+" escalation "+string(restore)) != found {
			t.Errorf("%s: got %q; finds %s: want %t", who, got, want, found)
		}
	}
	p.escalatedBy("min")
	has("park", "take", true)
	has("min", "take", false)
	if err := (risk.Take{}).Apply(e, p.people["kim"].Actor, p.now); err != nil {
		t.Fatal(err)
	}
	has("park", "take", false)
	has("kim", "answer", true)
	if err := (risk.Answer{Text: "x"}).Apply(e, p.people["kim"].Actor, p.now); err != nil {
		t.Fatal(err)
	}
	has("kim", "answer", false)
	has("min", "judge", true)
	has("acme/lead", "judge", false)
	if who := p.people["min"]; authority.May(who, authority.Read, authority.Object{Kind: authority.Risk}) != nil {
		t.Error("min may not read it")
	}
}

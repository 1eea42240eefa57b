package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// leaking is a problem of the service checkout, which kim has opened and owns.
const (
	leaking      problem.ID = "PRB-7K3M9QX2PA"
	leak                    = "/api/v1/problems/" + string(leaking)
	problemRoute            = "/api/v1/problems/{id}"
)

// problemBodies are bodies that are right, by the last part of their path.
func problemBodies() map[string]string {
	return map[string]string{
		"problems":    `{"service":"checkout","title":"It leaks","alert":"HighErrorRate"}`,
		"link":        `{"incident":"` + string(open) + `"}`,
		"unlink":      `{"incident":"INC-0000000001","reason":"a test"}`,
		"known-error": `{"text":"The pool runs dry.","workaround":"Restart it."}`,
		"cause":       `{"text":"A seal."}`,
		"fix":         `{"text":"Mended.","actions":["ACT-0000000001"],"planned":true}`,
		"assign":      `{"owner":"person:park"}`,
		"close":       `{"reason":"gone"}`,
		"note":        `{"text":"internal words"}`,
	}
}

func (people) Problem(service string) (problem.Pinned, error) {
	if service != "checkout" {
		return problem.Pinned{}, errors.New("no such service")
	}
	return problem.Pinned{
		Revision: "newer", Organisation: "Mirnet", Zone: "Asia/Seoul", Service: incident.Service{ID: service, Name: "Checkout"},
		Owner:    problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Name: "김민수"},
		Escalate: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}, Watch: problem.Usual, Remind: problem.Idle{Days: 5, Calendar: "office"},
	}, nil
}

func (people) ProblemOwner(name string) (problem.Owner, error) {
	if name != "person:park" {
		return problem.Owner{}, fmt.Errorf("%q; want group:ID or person:ID", name)
	}
	return problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Name: "박서준"}, nil
}

// leaked is the problem leaking, with one incident.
func leaked(t testing.TB, now time.Time) *problem.Problem {
	t.Helper()
	pinned, _ := people{}.Problem("checkout")
	p, err := problem.Start(problem.Terms{
		ID: leaking, Request: "r", Opener: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}, Title: "It leaks", Key: problem.Key{By: incident.SameAlert, Value: "Leak"}, Pinned: pinned,
		Incidents: []problem.Occurrence{{Incident: "INC-0000000001", Title: "Leak", Started: now.Add(-time.Hour)}},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	reckoned(p, now)
	return p
}

// reckoned does what a problem asks for: its working days are all days.
func reckoned(p *problem.Problem, now time.Time) {
	for _, w := range p.Advance(now) {
		if w.Do == problem.Reckon {
			p.Reckoned(w, w.Clock.Started.AddDate(0, 0, w.Clock.Days), "", now)
		}
	}
}

func (h *house) Problems(_ context.Context, f api.ProblemFilter) (rows []api.ProblemSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = f
	for _, p := range h.problems {
		rows = append(rows, api.ProblemSummary{ID: p.ID, Title: p.Title, Status: p.Status, Service: p.Service.ID, OpenedAt: p.Opened, NextDue: p.NextDue()})
	}
	return rows, h.more(), h.failure()
}

func (h *house) Problem(_ context.Context, id problem.ID) (*problem.Problem, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	p := h.problems[id]
	if p == nil {
		return nil, &starter.NotFoundError{What: "problem " + string(id)}
	}
	return p, nil
}

func (h *house) OpenProblem(_ context.Context, r starter.Request, terms problem.Terms) (*problem.Problem, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	h.asked = append(h.asked, "open")
	terms.ID, terms.Request, terms.Opener = "PRB-0000000001", r.ID, r.By
	p, err := problem.Start(terms, h.now)
	if err == nil {
		h.problems[p.ID] = p
	}
	return p, err
}

func (h *house) AskProblem(_ context.Context, id problem.ID, r starter.Request, c problem.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return err
	}
	p := h.problems[id]
	if p == nil || p.Over() {
		return &starter.NotFoundError{What: "problem " + string(id)}
	}
	err := c.Check(p, r.By)
	if err == nil {
		h.asked = append(h.asked, fmt.Sprintf("%T", c))
		err = c.Apply(p, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	reckoned(p, h.now)
	return nil
}

func TestAProblemFromItsOpeningToItsEnd(t *testing.T) {
	p := newPlace(t)
	w := p.ask("POST", "/api/v1/problems", `{"service":"checkout","title":"It leaks","cause":"vendor","vendor":"Azure","incidents":["`+string(open)+`"]}`)
	var is problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &is); err != nil || w.Code != 200 || is.Key != (problem.Key{By: incident.SameCause, Value: "vendor Azure"}) ||
		len(is.Links) != 1 || is.Links[0].Incident != open || is.Owner.Name != "김민수" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	of := "/api/v1/problems/" + string(is.ID)
	for _, step := range []struct{ path, body, want string }{
		{"/known-error", problemBodies()["known-error"], `"status":"known-error"`},
		{"/cause", problemBodies()["cause"], `"status":"known-error"`},
		{"/fix", problemBodies()["fix"], `"status":"known-error"`},
		{"/fix", `{"text":"Mended."}`, `"status":"fixed"`},
		{"/assign", problemBodies()["assign"], `"status":"fixed"`},
		{"/close", problemBodies()["close"], `"status":"closed"`},
	} {
		if w := p.ask("POST", of+step.path, step.body); w.Code != 200 || !strings.Contains(w.Body.String(), step.want) {
			t.Errorf("%s: got %d %s, want %s", step.path, w.Code, w.Body, step.want)
		}
	}
	if w := p.ask("POST", of+"/note", `{"text":"late"}`); w.Code != 409 || !strings.Contains(w.Body.String(), "it is closed since") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := p.ask("GET", of+"/report?format=html&lang=ko", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "근본 원인") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("got %d %s", w.Code, w.Header())
	}
	if w := p.ask("GET", "/api/v1/problems?status=open&open=true&service=checkout&limit=7", ""); w.Code != 200 || p.looked != (api.ProblemFilter{Status: "open", Open: true, Service: "checkout", Limit: 7}) {
		t.Errorf("got %d, and looked for %+v", w.Code, p.looked)
	}
}

func TestWhatIsWrongWithAProblem(t *testing.T) {
	for _, tc := range []struct {
		path, body string
		code       int
		want       string
	}{
		{"/api/v1/problems", `{"title":"x"}`, 422, "service"},
		{"/api/v1/problems", `{"service":"gone","title":"x"}`, 422, "want the ID of a service"},
		{"/api/v1/problems", `{"service":"checkout","title":"` + strings.Repeat("x", 201) + `"}`, 422, "201 bytes; want 200 at most"},
		{"/api/v1/problems", `{"service":"checkout","title":"x","alert":"a","runbook":"b"}`, 422, "want one of alert, runbook and cause"},
		{"/api/v1/problems", `{"service":"checkout","title":"x","vendor":"Azure"}`, 422, "want it with the cause vendor alone"},
		{"/api/v1/problems", `{"service":"checkout","title":"x","cause":"luck"}`, 422, "want ours, vendor or customer"},
		{"/api/v1/problems", `{"service":"checkout","title":"x","incidents":["INC-NOBODY"]}`, 422, "want IDs of incidents"},
		{leak + "/link", `{"incident":"INC-NOBODY"}`, 404, "not found"},
		{leak + "/unlink", `{"incident":"INC-0000000009","reason":"x"}`, 409, "is not linked"},
		{leak + "/fix", `{"text":"x"}`, 409, "want its cause first"},
		{leak + "/fix", `{"text":"x","actions":["mine"]}`, 409, "want"},
		{leak + "/assign", `{"owner":"everybody"}`, 422, "want group:ID or person:ID"},
		{leak + "/known-error", `{"workaround":"x"}`, 422, "missing"},
		{leak + "/report", "", 405, ""},
	} {
		p := newPlace(t)
		if w := p.ask("POST", tc.path, tc.body); w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("%s %s: got %d %s, want %d with %q", tc.path, tc.body, w.Code, w.Body, tc.code, tc.want)
		}
	}
	p := newPlace(t)
	for body, want := range map[string]string{
		`{"service":"checkout","title":"Again","incidents":["` + string(open) + `"]}`: "is linked to PRB-",
	} {
		if w := p.ask("POST", "/api/v1/problems", `{"service":"checkout","title":"It leaks","incidents":["`+string(open)+`"]}`); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		if w := p.ask("POST", "/api/v1/problems", body); w.Code != 409 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %q", body, w.Code, w.Body, want)
		}
	}
	for _, path := range []string{"/api/v1/problems?status=gone", leak + "/report?format=doc", leak + "?x=1"} {
		if w := newPlace(t).ask("GET", path, ""); w.Code != 422 {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
}

// Of a restricted incident nobody learns by way of a problem that it is there.
func TestAProblemLinksNoRestrictedIncident(t *testing.T) {
	p := newPlace(t)
	p.restrict("park")
	if w := p.ask("POST", leak+"/link", problemBodies()["link"]); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "incident "+string(open)+": not found") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestProblemsThatWaitForTheirOwner(t *testing.T) {
	for who, want := range map[string]int{"kim": 1, "park": 0, "yoon": 0, "acme/lead": 0} {
		p := newPlace(t)
		var box api.Inbox
		w := p.ask("GET", "/api/v1/inbox", "", "Authorization", p.as(t, who))
		if err := json.Unmarshal(w.Body.Bytes(), &box); err != nil {
			t.Fatalf("%s: %v in %s", who, err, w.Body)
		}
		got := 0
		for _, i := range box.Items {
			if i.Kind == api.InboxProblem {
				got++
				if i.Want != api.WantSolve || i.ID != string(leaking) || i.Command != "muster problem known-error "+string(leaking)+` "내용"` || !i.Due.Equal(p.now.AddDate(0, 0, 5)) {
					t.Errorf("%s: got %+v", who, i)
				}
			}
		}
		if got != want || slices.Contains(box.Cut, api.InboxKind("")) {
			t.Errorf("%s: got %d problems, want %d: %s", who, got, want, w.Body)
		}
	}
}

// Whoever responds to an incident sees what people have found out since it opened, also of what it has taken in.
func TestAnOpenIncidentShowsTheProblemItWasLinkedTo(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(p *place)
		who    string
		want   bool
	}{
		"linked":            {func(p *place) { p.problems[leaking].Links[0].Incident = open }, "kim", true},
		"one of it linked":  {func(p *place) { p.incidents[open].Merged = []incident.Merging{{ID: "INC-0000000001"}} }, "kim", true},
		"not linked":        {func(*place) {}, "kim", false},
		"before a customer": {func(p *place) { p.problems[leaking].Links[0].Incident = open }, "acme/lead", false},
		"over": {func(p *place) {
			p.problems[leaking].Links[0].Incident = open
			p.incidents[open].Status = incident.Resolved
		}, "kim", false},
		"nobody can find it": {func(p *place) {
			p.problems[leaking].Links[0].Incident = open
			p.fail = []error{nil, nil, errors.New("away")}
		}, "kim", false},
	} {
		p := newPlace(t)
		p.problems[leaking].Workaround = "Restart it."
		tc.change(p)
		w := p.ask("GET", at, "", "Authorization", p.as(t, tc.who))
		var i incident.Incident
		if err := json.Unmarshal(w.Body.Bytes(), &i); err != nil || w.Code != 200 {
			t.Fatalf("%s: got %d %s", name, w.Code, w.Body)
		}
		if got := i.Problem != nil && i.Problem.ID == string(leaking) && i.Problem.Workaround == "Restart it."; got != tc.want {
			t.Errorf("%s: the problem is %+v", name, i.Problem)
		}
	}
}

func TestARoleIsForWhoeverMayDoWhatItIsFor(t *testing.T) {
	p := newPlace(t)
	for person, code := range map[string]int{"kim": 200, "yoon": 422} {
		w := p.ask("POST", at+"/assign", `{"role":"communications-manager","person":"`+person+`"}`)
		if w.Code != code {
			t.Errorf("%s: got %d %s, want %d", person, w.Code, w.Body, code)
		}
	}
}

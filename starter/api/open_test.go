package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"muster/internal/incident"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter/api"
)

const incidents = "/api/v1/incidents"

func TestWhatPeopleReportIsOpened(t *testing.T) {
	p := newPlace(t)
	const body = `{"service":"checkout","title":"nobody can pay","customers":["acme","globex"],"customer":"acme","channel":"phone","receipt":"CS-1",
		"received":"2026-11-22T04:55:09Z","occurred":"2026-11-22T04:40:00Z","noticed_by":"the floor manager","text":"an error on the terminals"}`
	w := p.ask("POST", incidents, body, "Idempotency-Key", "k")
	const want = `{"id":"INC-NEW1","receipt":"CS-1","status":"triggered","priority":2,"received":"2026-11-22T04:55:09Z",` +
		`"respond_by":[{"customer":"Acme","due":"2026-11-22T05:55:09Z"},{"customer":"Globex","due":"2026-11-22T05:55:09Z"}],"language":"ko","zone":"Asia/Seoul"}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != want {
		t.Fatalf("got %d %s\nwant %s", w.Code, got, want)
	}
	i := p.incidents["INC-NEW1"]
	if i.Notice.By.ID != "park" || i.Notice.Text != "an error on the terminals" || !i.Times.Started.Equal(instant().Add(-25*60e9-9e9)) {
		t.Errorf("notice %+v, times %+v", i.Notice, i.Times)
	}
	again := p.ask("POST", incidents, body, "Idempotency-Key", "k")
	if again.Code != 200 || again.Body.String() != w.Body.String() || len(p.opened) != 1 {
		t.Errorf("asked again: %d %s, %d were opened", again.Code, again.Body, len(p.opened))
	}
	if w := p.ask("POST", incidents, strings.Replace(body, "CS-1", "CS-2", 1), "Idempotency-Key", "k"); w.Code != 200 || len(p.opened) != 2 {
		t.Errorf("another report under the same key: %d, %d were opened", w.Code, len(p.opened))
	}
}

func TestACustomerReportsForItselfAlone(t *testing.T) {
	p := newPlace(t)
	p.person = p.token(t, store.Token{Actor: "acme/desk"})
	w := p.ask("POST", incidents, `{"service":"checkout","title":"nobody can pay"}`)
	if w.Code != 200 || strings.Contains(w.Body.String(), "Globex") {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	i := p.incidents["INC-NEW1"]
	if len(i.Definition.Customers) != 1 || i.Definition.Customers[0].ID != "acme" || i.Notice.Customer != "acme" || i.Notice.By.ID != "acme/desk" {
		t.Errorf("customers %+v, notice %+v", i.Definition.Customers, i.Notice)
	}
	for body, want := range map[string]string{
		`{"service":"checkout","title":"x","customers":["acme","globex"]}`: `"customers"`,
		`{"service":"checkout","title":"x","customers":["globex"]}`:        `"customers"`,
		`{"service":"checkout","title":"x","customer":"globex"}`:           `"customer"`,
		`{"service":"checkout","title":"x","impact":"high"}`:               `"impact"`,
		`{"service":"checkout","title":"x","urgency":"high"}`:              `"urgency"`,
		`{"service":"ledger","title":"x"}`:                                 `want the id of a service that you use`,
		`{"service":"nothing","title":"x"}`:                                `want the id of a service that you use`,
	} {
		if w := p.ask("POST", incidents, body); w.Code != 422 || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "lobex,") {
			t.Errorf("%s: got %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
	if len(p.opened) != 1 {
		t.Errorf("%d were opened", len(p.opened))
	}
}

func TestReportsThatAreWrong(t *testing.T) {
	for body, want := range map[string]string{
		``:                       `"service"`,
		`{"service":"checkout"}`: `"title"`,
		`{"service":"checkout","title":"x","customers":"acme"}`:                           `want a list of strings`,
		`{"service":"checkout","title":"x","customers":["acme","acme"]}`:                  `want a list of different strings`,
		`{"service":"checkout","title":"x","customers":["nobody"]}`:                       `want acme or globex`,
		`{"service":"nothing","title":"x"}`:                                               `want checkout or ledger`,
		`{"service":"checkout","title":"x","customer":"nobody"}`:                          `want acme or globex`,
		`{"service":"checkout","title":"x","received":"yesterday"}`:                       `want an instant such as 2026-11-26T09:05:00+09:00`,
		`{"service":"checkout","title":"x","received":"2026-11-22T06:00:00Z"}`:            `is in the future`,
		`{"service":"checkout","title":"x","occurred":"2026-11-22T06:00:00Z"}`:            `is after it was received`,
		`{"service":"checkout","title":"x","impact":"huge"}`:                              `want high, medium or low`,
		`{"service":"checkout","title":"x","channel":"monitoring"}`:                       `want phone, email, desk, on-site`,
		`{"service":"checkout","title":"x","by":"kim"}`:                                   `unknown`,
		`{"service":"checkout","title":"x","receipt":"` + strings.Repeat("1", 101) + `"}`: `want 100 at most`,
	} {
		p := newPlace(t)
		w := p.ask("POST", incidents, body)
		if w.Code != 422 || !strings.Contains(w.Body.String(), want) || len(p.opened) > 0 {
			t.Errorf("%s: got %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
}

func TestOpeningIsDenied(t *testing.T) {
	for who, want := range map[string]int{
		"park": 200, "min": 200, "choi": 200, "jung": 200, "acme/lead": 200, // a member is the front line
		"yoon": 403, "oh": 403, "seo": 403, "vera": 403,
	} {
		p := newPlace(t)
		p.person = p.token(t, store.Token{Actor: who})
		if w := p.ask("POST", incidents, `{"service":"checkout","title":"x"}`); w.Code != want || (want == 403) != (len(p.opened) == 0) {
			t.Errorf("%s: got %d %s, want %d", who, w.Code, w.Body, want)
		}
	}
}

func TestAnotherIncidentThatMayNotBeReadIsNotThere(t *testing.T) {
	p := newPlace(t)
	hidden, err := incident.Open("INC-9N5P1SZ4RC", incident.Definition{
		Service: incident.Service{ID: "ledger"}, Title: "secret", Impact: "low", Urgency: "low", Languages: []string{"ko"},
	}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.incidents[hidden.ID] = hidden
	p.person = p.token(t, store.Token{Actor: "jung"}) // of the partner of checkout
	for _, id := range []incident.ID{hidden.ID, "INC-2222222222"} {
		w := p.ask("POST", at+"/relate", `{"to":"`+string(id)+`","kind":"related"}`)
		if w.Code != 422 || !strings.Contains(w.Body.String(), "want the id of an incident") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: got %d %s", id, w.Code, w.Body)
		}
	}
	if len(p.calls) > 0 {
		t.Errorf("done: %+v", p.calls)
	}
}

func TestACustomerAnswersForItselfAlone(t *testing.T) {
	p := newPlace(t)
	p.person = p.token(t, store.Token{Actor: "acme/desk"})
	i := p.incidents[open]
	if err := i.Do("r", incident.Resolve{Note: "x"}, timeline.Actor{Kind: timeline.Person, ID: "park"}, p.now); err != nil {
		t.Fatal(err)
	}
	if w := p.ask("POST", at+"/answer", `{"answer":"fixed","customer":"globex"}`); w.Code != 422 || !strings.Contains(w.Body.String(), "a customer answers for itself") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := p.ask("POST", at+"/answer", `{"answer":"not-fixed","note":"still slow"}`)
	var r api.Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK || r.Status != incident.Triggered {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if c, ok := p.calls[0].Command.(incident.Answer); !ok || c.Customer != "acme" || p.calls[0].By.ID != "acme/desk" {
		t.Errorf("asked %+v", p.calls)
	}
}

func TestTheFolderSaysWhatAVendorHasPromised(t *testing.T) {
	p := newPlace(t)
	if w := p.ask("POST", at+"/cause", `{"domain":"vendor","vendor":"vane","text":"their disks"}`); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if k := p.incidents[open].Cases; len(k) != 1 || k[0].Support.Name != "Vane" {
		t.Errorf("cases %+v", k)
	}
	for body, want := range map[string]string{
		`{"domain":"vendor","vendor":"nobody","text":"x"}`:                       `want the id of a vendor with a support record in the organisation folder: vane`,
		`{"domain":"vendor","vendor":"vane","text":"x","support":{"id":"vane"}}`: `unknown`,
	} {
		if w := p.ask("POST", at+"/cause", body); w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
}

func TestTwoIncidentsAreMergedWhereBothMayBe(t *testing.T) {
	p := newPlace(t)
	if w := p.ask("POST", at+"/merge", `{"into":"`+string(other)+`","reason":"the same"}`); w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if c, ok := p.calls[0].Command.(incident.Merge); !ok || c.WorkflowID != "incident/"+string(other) || c.Title == "" {
		t.Errorf("asked %+v", p.calls)
	}
	if w := p.ask("POST", "/api/v1/incidents/"+string(other)+"/merge", `{"into":"`+string(open)+`","reason":"x"}`); w.Code != 409 || !strings.Contains(w.Body.String(), "is merged into "+string(other)+" itself") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

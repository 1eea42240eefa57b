package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/link"
	"muster/internal/store"
	"muster/starter/api"
)

func TestMakeAForm(t *testing.T) {
	for body, want := range map[string]struct {
		person string
		days   int
	}{`{"person":"park"}`: {"park", 90}, `{"person":"acme/desk","days":366}`: {"acme/desk", 366}, `{"person":"jung","days":1}`: {"jung", 1}} {
		p := newPlace(t)
		w := p.ask("POST", "/api/v1/forms", body, "Authorization", p.as(t, "choi"))
		var f api.Form
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: got %d %s", body, w.Code, w.Body)
		}
		expires := instant().AddDate(0, 0, want.days)
		if f.Person != want.person || !f.Expires.Equal(expires) {
			t.Errorf("%s: got %+v", body, f)
		}
		token, ok := strings.CutPrefix(f.URL, "https://muster.example"+link.Path)
		l, err := p.keys.ReadLink(token)
		if !ok || err != nil || !l.Form() || l.Person != want.person || !l.Expires.Equal(expires) || !strings.HasPrefix(l.ID, "form/") {
			t.Errorf("%s: the link is %+v, %v", body, l, err)
		}
		if strings.Contains(p.log.String(), token) {
			t.Error("the log holds the link")
		}
	}
}

func TestAFormThatCannotBeMade(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                           "person: missing",
		`{"person":"nobody"}`:          `person: "nobody"; want the id of a person in the organisation folder`,
		`{"person":"yoon"}`:            `person: "yoon" may report no incident: open incident: want administrator or responder or member of the provider`,
		`{"person":"vera"}`:            `person: "vera" may report no incident`,
		`{"person":"park","days":367}`: "days: 367; want 1 to 366",
		`{"person":"park","days":0}`:   "days: 0; want 1 to 366",
		`{"person":"park","days":1.5}`: "days: want a whole number",
		`{"person":"park","days":"7"}`: "days: want a whole number",
		`{"person":"park","by":"x"}`:   "by: unknown; want person or days",
	} {
		p := newPlace(t)
		w := p.ask("POST", "/api/v1/forms", body, "Authorization", p.as(t, "choi"))
		if got := problemOf(t, w).Error(); w.Code != http.StatusUnprocessableEntity || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %d %q, want %q", body, w.Code, got, want)
		}
	}
	p := newPlace(t)
	p.unreached = true
	w := p.ask("POST", "/api/v1/forms", `{"person":"park"}`, "Authorization", p.as(t, "choi"))
	if got := problemOf(t, w).Detail; w.Code != http.StatusConflict || !strings.Contains(got, "want public_url in organisation.yaml") {
		t.Errorf("without an address: got %d %q", w.Code, got)
	}
}

// Who is narrowed needs the verb, and who makes a form is none of its own.
func TestWhoMakesForms(t *testing.T) {
	for name, tt := range map[string]struct {
		who    store.Token
		status int
	}{
		"narrowed to it":            {store.Token{Actor: "choi", Scopes: []string{"make-form"}}, 200},
		"narrowed to something":     {store.Token{Actor: "choi", Scopes: []string{"read"}}, 403},
		"an administrator's script": {store.Token{Actor: "bot", Kind: store.Machine, Roles: []string{"administrator"}, Expires: instant().Add(time.Hour)}, 200},
		"a responder":               {store.Token{Actor: "park"}, 403},
	} {
		p := newPlace(t)
		if w := p.ask("POST", "/api/v1/forms", `{"person":"park"}`, "Authorization", "Bearer "+p.token(t, tt.who)); w.Code != tt.status {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, tt.status)
		}
	}
}

package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/api"
)

// holder is who has a role in the open incident.
func (p *place) holder(role incident.Role) string {
	for _, h := range p.incidents[open].Holders {
		if h.Role == role {
			return h.Person
		}
	}
	return ""
}

func TestAHandoverBeginsWithWhatIsOpen(t *testing.T) {
	p := newPlace(t)
	i, park := p.incidents[open], p.people["park"].Actor
	if err := i.Do("a", incident.Acknowledge{}, park, p.now); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, p)
	h, err := c.StartHandover(t.Context(), "primary", api.NewHandover{To: "kim", Within: "30m", Note: "watch the batch"}, "k1")
	if err != nil {
		t.Fatal(err)
	}
	if h.Outgoing != park || h.Incoming != p.people["kim"].Actor || h.Within != 30*time.Minute || h.Note != "watch the batch" || h.Zone != "Asia/Seoul" {
		t.Errorf("got %+v", h)
	}
	item := handover.Item{
		Incident: open, Title: "Checkout answers 500", Service: "Checkout", Status: incident.Acknowledged, Priority: i.Priority,
		Roles: []incident.Role{incident.IncidentManager},
	}
	if d := cmp.Diff([]handover.Item{item}, h.Items); d != "" {
		t.Errorf("items (-want +got):\n%s", d)
	}
	if d := cmp.Diff(p.people.LastResorts("primary"), h.LastResort); d != "" {
		t.Errorf("last resort (-want +got):\n%s", d)
	}
	if !p.filter.Open || !strings.HasPrefix(h.Request, "k1/") {
		t.Errorf("listed %+v, request %q", p.filter, h.Request)
	}
	read, err := c.Handover(t.Context(), "primary")
	if !reflect.DeepEqual(read, h) || err != nil {
		t.Errorf("read again: got %+v, %v; want %+v", read, err, h)
	}
	_, err = c.StartHandover(t.Context(), "primary", api.NewHandover{To: "kim", Note: "again"}, "")
	if refused := (api.Refusal{}); !errors.As(err, &refused) || refused.Status != http.StatusConflict {
		t.Errorf("a second one: got %v", err)
	}
}

// A security incident goes over between those who may read it, without its title, and nobody else reads that it does.
func TestAHandoverOfASecurityIncident(t *testing.T) {
	for _, tc := range []struct {
		name          string
		involved      []string
		items, unseen int
	}{
		{"both may read it", []string{"park", "kim"}, 1, 0},
		{"the incoming person may not", []string{"park"}, 0, 1},
		{"the outgoing person may not", []string{"kim"}, 0, 0},
	} {
		p := newPlace(t)
		p.incidents[open].Holders = []incident.Holder{{Role: incident.IncidentManager, Person: "park"}}
		p.restrict(tc.involved...)
		h, err := newClient(t, p).StartHandover(t.Context(), "primary", api.NewHandover{To: "kim", Note: "quiet"}, "")
		if err != nil || len(h.Items) != tc.items || h.Unseen != tc.unseen {
			t.Errorf("%s: got items %+v, %d unseen, %v; want %d and %d", tc.name, h.Items, h.Unseen, err, tc.items, tc.unseen)
			continue
		}
		for who, items := range map[string]int{"kim": tc.items, "choi": tc.items, "min": 0} {
			var read handover.Handover
			w := p.ask("GET", passing, "", "Authorization", p.as(t, who))
			if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil || len(read.Items) != items || strings.Contains(w.Body.String(), "answers 500") {
				t.Errorf("%s, as %s: got %d %s", tc.name, who, w.Code, w.Body)
			}
		}
	}
}

// What cannot be looked at is counted, and keeps nobody from handing over.
func TestAHandoverSaysWhatItHasNotSeen(t *testing.T) {
	for name, tc := range map[string]struct {
		fail   []error
		unseen int
	}{
		"a list that fails":                    {[]error{&starter.UnavailableError{Cause: errors.New("away")}}, 1},
		"an incident that does not answer":     {[]error{nil, nil, &starter.StuckError{What: "incident"}}, 1},
		"nothing, where nobody is of interest": {nil, 0},
	} {
		p := newPlace(t)
		p.fail = tc.fail
		w := p.ask("POST", passing, `{"to":"kim","note":"quiet"}`)
		var h handover.Handover
		if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil || w.Code != 200 {
			t.Fatalf("%s: got %d %s", name, w.Code, w.Body)
		}
		if h.Unseen != tc.unseen || len(h.Items) != 0 {
			t.Errorf("%s: %d unseen, items %+v; want %d and none", name, h.Unseen, h.Items, tc.unseen)
		}
	}
}

func TestWhatAHandoverWants(t *testing.T) {
	for _, tc := range []struct {
		who, path, body string
		code            int
		field, detail   string
	}{
		{"kim", passing, `{"note":"n"}`, 200, "", ""}, // to park, who is on call
		{"park", passing, `{"note":"n"}`, 422, "to", "missing; want the id of a person"},
		{"park", "/api/v1/schedules/nights/handover", `{"note":"n"}`, 422, "to", "missing; want the id of a person"},
		{"park", "/api/v1/schedules/none/handover", `{"to":"kim","note":"n"}`, 404, "", "schedule none: not found"},
		{"park", passing, `{"to":"kim"}`, 422, "note", "missing"},
		{"park", passing, `{"to":"park","note":"n"}`, 422, "to", "want somebody else"},
		{"park", passing, `{"to":"nobody","note":"n"}`, 422, "to", `"nobody"; want the id of a person`},
		{"park", passing, `{"to":"yoon","note":"n"}`, 422, "to", "who may confirm it"}, // an auditor
		{"park", passing, `{"to":"jung","note":"n"}`, 422, "to", "who may confirm it"}, // a partner's
		{"park", passing, `{"to":"acme/lead","note":"n"}`, 422, "to", "who may confirm it"},
		{"park", passing, `{"to":"kim","note":"n","within":"soon"}`, 422, "within", "want a time such as 15m"},
		{"park", passing, `{"to":"kim","note":"n","within":"13h"}`, 422, "within", "from 1m0s to 12h0m0s"},
		{"park", passing, `{"to":"kim","note":"n","by":"lee"}`, 422, "by", "unknown"},
		{"park", passing + "/confirm", `{"note":1}`, 422, "note", "want a string"},
		{"park", passing + "/decline", `{}`, 422, "reason", "missing"},
		{"park", passing + "/note", `{"text":" "}`, 422, "text", "missing"},
		{"park", passing + "/note", `{"text":"n"}`, 404, "", "hand-over of primary: not found"},
	} {
		p := newPlace(t)
		w := p.ask("POST", tc.path, tc.body, "Authorization", p.as(t, tc.who))
		if w.Code != tc.code {
			t.Errorf("%s %s: got %d %s, want %d", tc.path, tc.body, w.Code, w.Body, tc.code)
		} else if w.Code != 200 {
			if got := problemOf(t, w); got.Field != tc.field || !strings.Contains(got.Detail, tc.detail) {
				t.Errorf("%s %s: got %q %q, want %q %q", tc.path, tc.body, got.Field, got.Detail, tc.field, tc.detail)
			}
		}
	}
}

func TestAConfirmationGivesTheRoles(t *testing.T) {
	p := newPlace(t)
	p.handingOver(t, "park")
	c := newClient(t, p)
	for n := range 2 { // the second time does nothing more, and says the same
		r, err := c.ConfirmHandover(t.Context(), "primary", handover.Confirm{Note: "good night"}, fmt.Sprint(n))
		if err != nil || r.Status != handover.Confirmed || r.Roles != 2 || len(r.Failures) > 0 {
			t.Fatalf("got %+v, %v", r, err)
		}
	}
	if p.holder(incident.IncidentManager) != "park" || p.holder(incident.SupportManager) != "park" || len(p.calls) != 2 {
		t.Errorf("holders %+v, calls %+v", p.incidents[open].Holders, p.calls)
	}
	if a := p.calls[0].Command.(incident.Assign); a.Note != "watch the batch" || a.Name != "박서준" || p.calls[0].By.ID != "park" {
		t.Errorf("got %+v", p.calls[0])
	}
	if !p.handover.Passed || len(p.asked) != 2 || !strings.HasSuffix(p.asked[1], "/pass") {
		t.Errorf("passed %v, asked %v", p.handover.Passed, p.asked)
	}
}

func TestARoleThatDoesNotGoOverIsSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		before   func(p *place)
		scopes   []string
		roles    int
		failures []string
	}{
		"somebody else has it": {func(p *place) {
			_ = p.incidents[open].Do("x", incident.Assign{Role: incident.SupportManager, Person: "choi", Name: "최은영"}, p.people["choi"].Actor, p.now)
		}, nil, 1, []string{"support-manager: 최은영 has it now"}},
		"park has it": {func(p *place) {
			_ = p.incidents[open].Do("x", incident.Assign{Role: incident.SupportManager, Person: "park"}, p.people["choi"].Actor, p.now)
		}, nil, 2, nil},
		"a token for nothing else": {nil, []string{"confirm"}, 0, []string{
			"incident-manager: assign incident: want a token that is not narrowed, or one whose scopes name it",
			"support-manager: assign incident: want a token that is not narrowed, or one whose scopes name it",
		}},
		"the incident is closed": {func(p *place) {
			_ = p.incidents[open].Do("x", incident.Resolve{Note: "fine"}, p.people["choi"].Actor, p.now)
			_ = p.incidents[open].Do("y", incident.Close{}, p.people["choi"].Actor, p.now)
		}, nil, 0, nil},
		"the incident has gone": {func(p *place) { delete(p.incidents, open) }, nil, 0, []string{
			"incident-manager: incident INC-7K3M9QX2PA: not found", "support-manager: incident INC-7K3M9QX2PA: not found",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.handingOver(t, "park")
			if tc.before != nil {
				tc.before(p)
			}
			w := p.ask("POST", passing+"/confirm", "", "Authorization", "Bearer "+p.token(t, store.Token{Actor: "park", Scopes: tc.scopes}))
			var r api.HandoverReceipt
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != 200 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			var got []string
			for _, f := range r.Failures {
				got = append(got, f.Role+": "+f.Detail)
			}
			if d := cmp.Diff(tc.failures, got); d != "" || r.Roles != tc.roles {
				t.Errorf("%d roles, want %d; failures (-want +got):\n%s", r.Roles, tc.roles, d)
			}
			kept := p.handover.Timeline.Entries[len(p.handover.Timeline.Entries)-1]
			if kept.Kind != timeline.HandoverPassed || strings.Contains(kept.Fact("detail"), "has it now") != strings.Contains(fmt.Sprint(got), "has it now") {
				t.Errorf("the timeline says %+v", kept)
			}
		})
	}
}

func TestSomebodyElseTakesAHandover(t *testing.T) {
	p := newPlace(t)
	p.handingOver(t, "park")
	p.person = p.token(t, store.Token{Actor: "choi"})
	c := newClient(t, p)
	_, err := c.ConfirmHandover(t.Context(), "primary", handover.Confirm{}, "")
	if refused := (api.Refusal{}); !errors.As(err, &refused) || refused.Status != 409 || !strings.Contains(refused.Detail, "instead of park") {
		t.Errorf("without a word: got %v", err)
	}
	r, err := c.ConfirmHandover(t.Context(), "primary", handover.Confirm{InsteadOf: "park"}, "")
	if err != nil || r.Roles != 2 || p.holder(incident.IncidentManager) != "choi" {
		t.Errorf("got %+v, %v, holders %+v", r, err, p.incidents[open].Holders)
	}
}

func TestADeclinedHandoverTakesNothingMore(t *testing.T) {
	p := newPlace(t)
	p.handingOver(t, "park")
	c := newClient(t, p)
	if r, err := c.NoteHandover(t.Context(), "primary", "on the train", ""); err != nil || r.Status != handover.Open {
		t.Errorf("note: %+v, %v", r, err)
	}
	if r, err := c.DeclineHandover(t.Context(), "primary", "ill", ""); err != nil || r.Status != handover.Declined {
		t.Errorf("decline: %+v, %v", r, err)
	}
	for _, err := range []error{
		second(c.NoteHandover(t.Context(), "primary", "late", "")),
		second(c.ConfirmHandover(t.Context(), "primary", handover.Confirm{}, "")),
	} {
		if refused := (api.Refusal{}); !errors.As(err, &refused) || refused.Status != 409 || !strings.Contains(refused.Detail, "it is declined since") {
			t.Errorf("got %v", err)
		}
	}
	if p.holder(incident.IncidentManager) != "kim" || len(p.calls) > 0 {
		t.Errorf("holders %+v", p.incidents[open].Holders)
	}
}

func second[T any](_ T, err error) error { return err }

package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/starter/api"
)

const assetRoute = "/api/v1/assets/{id}"

// Assets are a database of acme on the service of the incident, of which the alerts have a label, and another customer's of a service that
// nobody else works on.
func (people) Assets() []asset.Asset {
	on, _ := calendar.ParseDate("2027-11-09")
	return []asset.Asset{
		{
			ID: "db", Name: "Orders", Kind: "database", Customer: asset.Named{ID: "acme", Name: "Acme"}, Environment: asset.Named{ID: "prod", Name: "Production"},
			Services: []asset.Named{{ID: "checkout", Name: "Checkout"}}, Tags: []asset.Tag{{Key: "tier", Value: "data"}, {Key: "site", Value: "a"}},
			Product: "PostgreSQL", Version: "16.4", Owner: &asset.Owner{Target: escalation.Target{Kind: escalation.Person, ID: "park"}, Name: "FOR-THE-HOUSE"},
			Alerts:    []asset.Tag{{Key: "job", Value: "checkout"}},
			Deadlines: []asset.Deadline{{What: "support-ends", Name: "Support ends", On: on, Lead: 90, Plan: "FOR-THE-HOUSE", Routine: "check"}},
		},
		{
			ID: "wall", Name: "Firewall", Kind: "firewall", Customer: asset.Named{ID: "globex", Name: "Globex"}, Environment: asset.Named{ID: "prod", Name: "Production"},
			Services: []asset.Named{{ID: "billing", Name: "Billing"}}, Tags: []asset.Tag{{Key: "tier", Value: "edge"}}, Product: "PostgreSQL", Version: "15.1",
		},
	}
}

func (all people) Asset(id string) (asset.Asset, bool) {
	for _, a := range all.Assets() {
		if a.ID == id {
			return a, true
		}
	}
	return asset.Asset{}, false
}

// The only routine that is kept is the deadline of the database.
func (people) AssetOf(routine string) string {
	return map[string]string{"check": "db", "another": "wall"}[routine]
}

func (people) RoutinesIn(customer, environment string) []string {
	if customer == "acme" && environment == "prod" {
		return []string{"check", "new", "stuck"}
	}
	return nil
}

func ids(list api.AssetList) string {
	var all []string
	for _, a := range list.Assets {
		all = append(all, a.ID)
	}
	return strings.Join(all, " ")
}

func TestAssetsAreFound(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	for _, tt := range []struct {
		f    asset.Filter
		want string
	}{
		{asset.Filter{}, "db wall"},
		{asset.Filter{Customer: "acme"}, "db"},
		{asset.Filter{Service: "billing"}, "wall"},
		{asset.Filter{Environment: "staging"}, ""},
		{asset.Filter{Kind: "database", Tags: []asset.Tag{{Key: "tier", Value: "data"}, {Key: "site", Value: "a"}}}, "db"},
		{asset.Filter{Tags: []asset.Tag{{Key: "tier", Value: "data"}, {Key: "tier", Value: "edge"}}}, ""},
		{asset.Filter{Text: "POSTGRES"}, "db wall"},
		{asset.Filter{Text: "TIER=Edge"}, "wall"},
		{asset.Filter{Text: "support ends"}, "db"},
	} {
		if list, err := c.Assets(t.Context(), tt.f); err != nil || ids(list) != tt.want {
			t.Errorf("%+v: got %q, %v; want %q", tt.f, ids(list), err, tt.want)
		}
	}
	for query, want := range map[string]string{
		"tag=tier":                    "want a key and its value, such as tier=data",
		"customer=acme&customer=acme": "given twice",
		"owner=x":                     "unknown; want",
	} {
		if w := p.ask("GET", "/api/v1/assets?"+query, "", "Authorization", p.as(t, "park")); w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", query, w.Code, w.Body)
		}
	}
}

// A customer sees its own assets, partners and vendors those of their services, and none of them what the provider has arranged.
func TestWhoSeesAssets(t *testing.T) {
	p := newPlace(t)
	p.onePage = true
	for _, tt := range []struct{ who, want string }{
		{"park", "db wall"}, {"yoon", "db wall"}, {"acme/desk", "db"}, {"globex/lead", "wall"}, {"jung", "db"}, {"vera", "db"}, {"seo", ""},
	} {
		var list api.AssetList
		code, body := p.asks(t, tt.who, "GET", "/api/v1/assets", "", &list)
		if code != 200 || ids(list) != tt.want {
			t.Errorf("%s: got %d %q, want %q", tt.who, code, ids(list), tt.want)
		}
		for _, id := range []string{"db", "wall"} {
			want := 404
			if strings.Contains(tt.want, id) {
				want = 200
			}
			if tt.who == "park" || tt.who == "yoon" {
				continue
			}
			code, said := p.asks(t, tt.who, "GET", "/api/v1/assets/"+id, "", nil)
			if code != want || strings.Contains(body+said, "FOR-THE-HOUSE") || strings.Contains(said, `"routine"`) {
				t.Errorf("%s: %s: got %d %s, want %d and nothing of the house", tt.who, id, code, said, want)
			}
		}
	}
	if code, body := p.asks(t, "park", "GET", "/api/v1/assets/none", "", nil); code != 404 || !strings.Contains(body, "asset none") {
		t.Errorf("one that there is not: %d %s", code, body)
	}
}

// aged is a place in which the database has a past: a change that names it, an incident of which an alert has its label, a run in its
// environment, and a time of its deadline at which nobody was there.
func aged(t *testing.T) *place {
	p := newPlace(t)
	p.onePage = true
	c := p.changes[enlarging]
	c.Assets = []string{"db"}
	run := p.planRuns[upgrading]
	run.Environments[len(run.Environments)-1].Environment = "prod"
	p.routine.Past = []routine.Occurrence{
		{Planned: p.now.AddDate(0, 0, -9), Due: p.now.AddDate(0, 0, -8), Fate: routine.Missed, Ended: p.now},
		{Planned: p.now.AddDate(0, 0, -7), Due: p.now.AddDate(0, 0, -6), Fate: routine.Done, Run: "RUN-X", Ended: p.now}, // is among the runs, if it is anywhere
	}
	return p
}

func past(shown api.AssetShown) (lines []string) {
	for _, e := range shown.History {
		line := string(e.Kind) + " " + e.ID + " " + e.Status
		if e.Named {
			line += " named"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestAnAssetHasAHistory(t *testing.T) {
	p := aged(t)
	c := newClient(t, p)
	shown, err := c.Asset(t.Context(), "db")
	if err != nil {
		t.Fatal(err)
	}
	run, ask := string(upgrading), string(enlarging)
	have := map[string]bool{}
	for _, line := range past(shown) {
		have[line] = true
	}
	want := map[string]bool{
		"change " + ask + " requested named": true, "incident " + string(open) + " triggered named": true, "plan " + run + " running": true, "visit check missed named": true,
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	for n := 1; n < len(shown.History); n++ {
		if shown.History[n].From.After(shown.History[n-1].From) {
			t.Errorf("%+v stands after what is older", shown.History[n])
		}
	}
	if last := shown.History[len(shown.History)-1]; last.ID != "check" || !last.Until.Equal(p.now.AddDate(0, 0, -8)) || shown.More || shown.NoAlerts {
		t.Errorf("the oldest: %+v, more %t", last, shown.More)
	}

	// What was begun for the asset is about it, what was begun for another asset is not in its history.
	p.planRuns[upgrading].Routine = &planrun.ComeBack{ID: "check", Planned: p.now}
	if shown, err = c.Asset(t.Context(), "db"); err != nil || !strings.Contains(strings.Join(past(shown), "\n"), "visit "+run+" running named") {
		t.Errorf("its own visit: %v, %v", past(shown), err)
	}
	p.planRuns[upgrading].Routine = &planrun.ComeBack{ID: "another", Planned: p.now}
	if shown, err = c.Asset(t.Context(), "db"); err != nil || strings.Contains(strings.Join(past(shown), "\n"), run) {
		t.Errorf("another asset's visit: %v, %v", past(shown), err)
	}
	p.planRuns[upgrading].Routine = nil
	p.planRuns[upgrading].Parameters = append(p.planRuns[upgrading].Parameters, planrun.Value{ID: "asset", Value: "db"})
	if shown, err = c.Asset(t.Context(), "db"); err != nil || !strings.Contains(strings.Join(past(shown), "\n"), "plan "+run+" running named") {
		t.Errorf("a run that names it: %v, %v", past(shown), err)
	}
	// There is more than is looked at.
	p.onePage = false
	if shown, err = c.Asset(t.Context(), "db"); err != nil || !shown.More {
		t.Errorf("of too much: more %t, %v", shown.More, err)
	}
}

// Whoever is beside the provider sees of a history what it may read: no routines, and nothing of a restricted incident that is not for it.
func TestAHistoryShowsWhatWhoeverAsksMayRead(t *testing.T) {
	p := aged(t)
	p.incidents[open].Definition.Kind = incident.SecurityIncident
	for _, tt := range []struct {
		who      string
		incident bool
	}{{"choi", true}, {"park", false}, {"min", false}, {"acme/lead", true}, {"jung", false}, {"vera", false}} {
		var shown api.AssetShown
		code, body := p.asks(t, tt.who, "GET", "/api/v1/assets/db", "", &shown)
		if code != 200 || strings.Contains(body, string(open)) != tt.incident || !strings.Contains(body, string(enlarging)) || !strings.Contains(body, string(upgrading)) {
			t.Errorf("%s: got %d %s", tt.who, code, body)
		}
		if provider := tt.who == "choi" || tt.who == "park" || tt.who == "min"; strings.Contains(body, `"check"`) != provider {
			t.Errorf("%s: a visit: %s", tt.who, body)
		}
		if tt.who == "acme/lead" && strings.Contains(body, "Checkout answers 500") {
			t.Errorf("%s: what the alerts of a restricted incident say: %s", tt.who, body)
		}
	}
}

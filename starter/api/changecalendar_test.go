package api_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/starter/api"
)

// FrozenBetween has one freeze of the production of acme, a week from then.
func (people) FrozenBetween(from, _ time.Time) ([]changecalendar.Entry, error) {
	begin := from.AddDate(0, 0, 7)
	return []changecalendar.Entry{{
		Kind: changecalendar.Freeze, ID: "year-end", Title: "Year end", Customers: []string{"acme"}, Services: []string{"checkout"}, Environments: []string{"acme/prod"},
		From: begin, Until: begin.AddDate(0, 0, 3),
	}}, nil
}

// shown is what a calendar has, and what meets it.
func shown(all api.ChangeCalendar) (lines []string) {
	for _, e := range all.Entries {
		line := string(e.Kind) + " " + e.ID
		if e.Date != "" {
			line += " " + e.Date
		}
		for _, m := range e.Meets {
			line += " meets " + m.ID
		}
		lines = append(lines, line)
	}
	return lines
}

// planning is a place in which a run launches on the second day of the freeze, and a change may run at any time before the tenth day.
func planning(t *testing.T) *place {
	p := newPlace(t)
	p.onePage = true
	run := p.planRuns[upgrading]
	run.Plan.Parameters = append(run.Plan.Parameters, plan.Parameter{ID: "launch", Type: plan.DateType})
	run.Parameters = append(run.Parameters, planrun.Value{ID: "launch", At: p.now.AddDate(0, 0, 8)})
	return p
}

func TestChangesRunsRoutinesAndFreezesStandInOneCalendar(t *testing.T) {
	p := planning(t)
	c := newClient(t, p)
	all, err := c.ChangeCalendar(t.Context(), api.CalendarQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range shown(all) {
		if !strings.HasPrefix(line, "routine ") {
			got = append(got, line)
		}
	}
	run, ask := string(upgrading), string(enlarging)
	changes, freezes, plans := "change "+ask+" meets year-end meets "+run, "freeze year-end meets "+ask+" meets "+run, "plan "+run+" launch meets "+ask+" meets year-end"
	want := []string{changes, freezes, plans}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got) == len(all.Entries) {
		t.Error("no routine stands in it")
	}
	for want, q := range map[string]api.CalendarQuery{
		plans:   {Filter: changecalendar.Filter{Kind: changecalendar.Plan}},
		freezes: {Filter: changecalendar.Filter{Text: "year END"}},
		changes: {Filter: changecalendar.Filter{Kind: changecalendar.Change, Service: "checkout"}},
		"":      {Filter: changecalendar.Filter{Kind: changecalendar.Plan}, From: p.now.AddDate(0, 0, 11), Until: p.now.AddDate(0, 0, 12)},
	} {
		if all, err := c.ChangeCalendar(t.Context(), q); err != nil || strings.Join(shown(all), ",") != want {
			t.Errorf("%+v: got %v, %v; want %s", q, shown(all), err, want)
		}
	}
	for query, want := range map[string]string{
		"kind=visit":                 "want change, plan, provider, routine or freeze",
		"from=today":                 "want an instant such as",
		"until=2020-01-01T00:00:00Z": "want an instant after from, and within 366 days of it",
		"days=3":                     "days",
	} {
		if _, err := url.ParseQuery(query); err != nil {
			t.Fatal(err)
		}
		if w := p.ask("GET", "/api/v1/change-calendar?"+query, "", "Authorization", p.as(t, "park")); w.Code != 422 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", query, w.Code, w.Body)
		}
	}
}

// Of whom else an entry concerns no party beside the provider hears.
func TestACalendarNamesNoOtherCustomer(t *testing.T) {
	p := planning(t)
	c := p.changes[enlarging]
	c.CustomerNames = append(c.CustomerNames, change.Named{ID: "globex", Name: "Globex"})
	for who, want := range map[string][]string{"park": {"acme", "globex"}, "acme/lead": {"acme"}, "jung": nil} {
		var all api.ChangeCalendar
		w := p.ask("GET", "/api/v1/change-calendar", "", "Authorization", p.as(t, who))
		if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || w.Code != 200 {
			t.Fatalf("%s: got %d %v", who, w.Code, err)
		}
		n := slices.IndexFunc(all.Entries, func(e changecalendar.Entry) bool { return e.ID == string(enlarging) })
		if n < 0 || !slices.Equal(all.Entries[n].Customers, want) {
			t.Errorf("%s: got %+v, want customers %v", who, all.Entries, want)
		}
		for _, e := range all.Entries {
			for _, environment := range e.Environments {
				if who == "jung" || who == "acme/lead" && !strings.HasPrefix(environment, "acme/") {
					t.Errorf("%s reads of %s", who, environment)
				}
			}
		}
	}
}

// Whoever is beside the provider sees what concerns them, and hears of nothing else that meets it.
func TestACalendarShowsWhatConcernsWhoeverAsks(t *testing.T) {
	p := planning(t)
	for who, want := range map[string]bool{"acme/lead": true, "jung": true, "seo": false} {
		w := p.ask("GET", "/api/v1/change-calendar", "", "Authorization", p.as(t, who))
		if w.Code == 403 && !want {
			continue
		}
		if sees := strings.Contains(w.Body.String(), "year-end"); w.Code != 200 || sees != want || strings.Contains(w.Body.String(), `"routine"`) {
			t.Errorf("%s: got %d %s", who, w.Code, w.Body)
		}
	}
}

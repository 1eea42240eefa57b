package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/routine"
	"muster/internal/supportplan"
	"muster/internal/usage"
	"muster/internal/visit"
	"muster/starter"
)

// VisitTerms has a customer who is visited, one whose ledger does not answer, and one who has no visits.
func (people) VisitTerms(year int) []visit.Terms {
	zone := time.FixedZone("KST", 9*60*60)
	terms := func(id, name string, bought int, routines ...visit.Routine) visit.Terms {
		t := visit.Terms{Customer: id, Name: name, Year: year, Bought: bought, Routines: routines}
		t.From, t.To = supportplan.Year.Bounds(time.Date(year, 7, 1, 0, 0, 0, 0, zone), zone)
		return t
	}
	return []visit.Terms{
		terms("acme", "Acme", 3, visit.Routine{ID: "check", Name: "Daily check"}, visit.Routine{ID: "new", Name: "New"}), terms("globex", "Globex", 12), terms("initech", "Initech", 0),
	}
}

// VisitsPlanned are those of a routine that nobody keeps yet, the last one in the year, and the two of the routine that lie ahead.
func (people) VisitsPlanned(id string, after, until time.Time) (all []routine.Slot) {
	planned := checked(instant()).Ahead
	if id == "new" {
		planned = []routine.Occurrence{{Begins: instant().AddDate(0, 1, 0)}}
	}
	for _, o := range planned {
		if o.Begins.After(after) && o.Begins.Before(until) {
			all = append(all, routine.Slot{Begins: o.Begins, Due: o.Due})
		}
	}
	return all
}

// Usages has a visit of acme. The ledger of globex does not answer, and initech has none.
func (h *house) Usages(_ context.Context, customers []string) (all []starter.KeptUsage) {
	for _, id := range customers {
		x := starter.KeptUsage{Err: &starter.NotFoundError{What: "uses of customer " + id}}
		switch id {
		case "acme":
			x = starter.KeptUsage{State: &usage.Ledger{Customer: id, Uses: []usage.Use{{Request: string(tuning), Feature: "visit", Visit: true, At: h.now.Add(-time.Hour)}}}}
		case "globex":
			x.Err = &starter.StuckError{What: "uses of customer globex"}
		}
		all = append(all, x)
	}
	return all
}

func counted(y visit.Year) string {
	if y.Counts == nil {
		return "nobody knows: " + y.Detail
	}
	s := fmt.Sprintf("used %d, done %d, planned %d, moved %d", y.Counts.Used, y.Counts.Done, y.Counts.Planned, y.Counts.Moved)
	if y.Counts.After != nil {
		s += fmt.Sprintf(", left %d, after %d", *y.Counts.Left, *y.Counts.After)
	}
	return s
}

func TestVisitsAreHeldAgainstWhatWasBought(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	tomorrow := p.now.AddDate(0, 0, 1)
	if _, err := c.MoveRoutine(t.Context(), "check", routine.Move{Planned: tomorrow, To: tomorrow.Add(time.Hour), Reason: "A holiday"}, "k1"); err != nil {
		t.Fatal(err)
	}
	list, err := c.Visits(t.Context(), "", 0)
	if err != nil || len(list.Customers) != 2 {
		t.Fatalf("got %+v, %v; want acme and globex", list, err)
	}
	if got, want := counted(list.Customers[0]), "used 1, done 0, planned 5, moved 1, left 2, after -3"; got != want {
		t.Errorf("acme: %s; want %s", got, want)
	}
	if got := counted(list.Customers[1]); !strings.HasPrefix(got, "nobody knows: ") || !strings.Contains(got, "uses of customer globex") {
		t.Errorf("globex: %s", got)
	}
	want := []visit.Visit{
		{At: p.now.Add(-time.Hour), State: visit.Used, Request: string(tuning)},
		{At: tomorrow.Add(time.Hour), State: visit.Moved, Planned: tomorrow, Routine: "check", Name: "Daily check"},
	}
	if d := cmp.Diff(want, list.Customers[0].Visits[:2]); d != "" {
		t.Error(d)
	}
	next, err := c.Visits(t.Context(), "acme", 2027)
	if err != nil || len(next.Customers) != 1 || counted(next.Customers[0]) != "used 0, done 0, planned 0, moved 0, left 3, after 3" {
		t.Errorf("next year: %+v, %v", next, err)
	}
	if one, err := c.Visits(t.Context(), "initech", 0); err != nil || len(one.Customers) != 1 || counted(one.Customers[0]) != "used 0, done 0, planned 0, moved 0" {
		t.Errorf("one who has none, by name: %+v, %v", one, err)
	}
	if none, err := c.Visits(t.Context(), "nobody", 0); err != nil || len(none.Customers) != 0 {
		t.Errorf("one who is not there: %+v, %v", none, err)
	}
	if _, err := c.Visits(t.Context(), "", 2028); err == nil || !strings.Contains(err.Error(), "want a year from 2025 to 2027") {
		t.Errorf("a year that nobody knows: %v", err)
	}
}

// A customer sees its own, whatever it asks for; a partner none.
func TestWhoSeesVisits(t *testing.T) {
	p := newPlace(t)
	for who, want := range map[string]string{"acme/desk": `"customer":"acme"`, "globex/lead": `"customer":"globex"`, "jung": ""} {
		w := p.ask("GET", "/api/v1/visits?customer=acme", "", "Authorization", p.as(t, who))
		body := w.Body.String()
		if want == "" && w.Code != 403 || want != "" && (w.Code != 200 || !strings.Contains(body, want) || strings.Count(body, `"customer":`) != 1) {
			t.Errorf("%s: %d %s", who, w.Code, body)
		}
	}
}

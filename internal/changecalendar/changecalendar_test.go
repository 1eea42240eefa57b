package changecalendar_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/changecalendar"
)

func at(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, time.UTC) }

func entry(k changecalendar.Kind, id string, from, until time.Time, services ...string) changecalendar.Entry {
	return changecalendar.Entry{Kind: k, ID: id, Title: id, From: from, Until: until, Services: services}
}

func in(e changecalendar.Entry, environments ...string) changecalendar.Entry {
	e.Environments = environments
	return e
}

func TestWhatMeets(t *testing.T) {
	change := entry(changecalendar.Change, "CHG-1", at(1, 10), at(1, 12), "shop")
	for name, tc := range map[string]struct {
		other changecalendar.Entry
		want  bool
	}{
		"another change of the same service": {entry(changecalendar.Change, "CHG-2", at(1, 11), at(1, 13), "shop"), true},
		"of another service":                 {entry(changecalendar.Change, "CHG-2", at(1, 11), at(1, 13), "erp"), false},
		"that begins when it ends":           {entry(changecalendar.Change, "CHG-2", at(1, 12), at(1, 13), "shop"), false},
		"that may begin at any time":         {entry(changecalendar.Change, "CHG-2", time.Time{}, at(1, 11), "shop"), true},
		"of which nobody knows the end":      {entry(changecalendar.Change, "CHG-2", at(1, 9), time.Time{}, "shop"), true},
		"a date of a plan":                   {entry(changecalendar.Plan, "RUN-1", at(1, 11), at(1, 11), "shop"), true},
		"a date at its end":                  {entry(changecalendar.Plan, "RUN-1", at(1, 12), at(1, 12), "shop"), false},
		"a date at its beginning":            {entry(changecalendar.Plan, "RUN-1", at(1, 10), at(1, 10), "shop"), true},
		"what a provider announces":          {entry(changecalendar.Provider, "RUN-1", at(1, 0), at(2, 0), "shop", "erp"), true},
		"a freeze":                           {entry(changecalendar.Freeze, "year-end", at(1, 0), at(3, 0), "shop"), true},
		"a check":                            {entry(changecalendar.Routine, "daily", at(1, 11), at(1, 12), "shop"), false},
		"the same environment":               {in(entry(changecalendar.Plan, "RUN-1", at(1, 11), at(1, 12), "erp"), "acme/prod"), true},
		"another environment of its service": {in(entry(changecalendar.Plan, "RUN-1", at(1, 11), at(1, 12), "shop"), "acme/test"), false},
		"the run that it has become": {func() changecalendar.Entry {
			e := entry(changecalendar.Plan, "RUN-1", at(1, 11), at(1, 12), "shop")
			e.Of = "CHG-1"
			return e
		}(), false},
		"another date of the same thing (id)": {entry(changecalendar.Change, "CHG-1", at(1, 11), at(1, 12), "shop"), false},
	} {
		one := change
		if len(tc.other.Environments) > 0 {
			one = in(one, "acme/prod")
		}
		got := changecalendar.Between([]changecalendar.Entry{one, tc.other}, at(1, 0), at(9, 0))
		for n := range got {
			other := got[1-n]
			if met := len(got[n].Meets) == 1 && got[n].Meets[0].Kind == other.Kind && got[n].Meets[0].ID == other.ID; met != tc.want || len(got[n].Meets) > 1 {
				t.Errorf("%s: %s meets %+v", name, got[n].ID, got[n].Meets)
			}
		}
	}
	two := entry(changecalendar.Freeze, "a", at(1, 0), at(2, 0), "shop")
	if got := changecalendar.Between([]changecalendar.Entry{two, entry(changecalendar.Freeze, "b", at(1, 0), at(2, 0), "shop")}, at(1, 0), at(9, 0)); len(got[0].Meets) > 0 {
		t.Errorf("two freezes meet: %+v", got[0].Meets)
	}
}

func TestFilter(t *testing.T) {
	e := entry(changecalendar.Plan, "RUN-1", at(1, 0), at(1, 0), "shop")
	e.Title, e.Date, e.Customers, e.Environments = "Upgrade of the Shop", "launch", []string{"acme"}, []string{"acme/prod"}
	for name, tc := range map[string]struct {
		f    changecalendar.Filter
		want bool
	}{
		"none":             {changecalendar.Filter{}, true},
		"its kind":         {changecalendar.Filter{Kind: changecalendar.Plan}, true},
		"another kind":     {changecalendar.Filter{Kind: changecalendar.Freeze}, false},
		"its customer":     {changecalendar.Filter{Customer: "acme"}, true},
		"another customer": {changecalendar.Filter{Customer: "ac"}, false},
		"another service":  {changecalendar.Filter{Service: "erp"}, false},
		"a word":           {changecalendar.Filter{Text: "SHOP"}, true},
		"an environment":   {changecalendar.Filter{Text: "acme/PROD"}, true},
		"its date":         {changecalendar.Filter{Text: "launch"}, true},
		"no word of it":    {changecalendar.Filter{Text: "rollback"}, false},
		"all but one":      {changecalendar.Filter{Kind: changecalendar.Plan, Customer: "acme", Service: "erp"}, false},
	} {
		if got := tc.f.Takes(&e); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// Whatever is planned: what is shown lies in the time, in its order; and what meets, meets both ways, at the same time, in the same thing.
func TestACalendarIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []changecalendar.Entry
		for n := range rapid.IntRange(0, 12).Draw(t, "count") {
			from := at(rapid.IntRange(1, 20).Draw(t, "day"), 0)
			until := from.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 9).Draw(t, "open") {
			case 0:
				from = time.Time{}
			case 1:
				until = time.Time{}
			}
			e := entry(rapid.SampledFrom(changecalendar.Kinds()).Draw(t, "kind"), fmt.Sprint("E", n), from, until, rapid.SampledFrom([]string{"shop", "erp"}).Draw(t, "service"))
			if rapid.Bool().Draw(t, "placed") {
				e = in(e, rapid.SampledFrom([]string{"acme/prod", "acme/test"}).Draw(t, "environment"))
			}
			all = append(all, e)
		}
		from, until := at(5, 0), at(15, 0)
		got := changecalendar.Between(slices.Clone(all), from, until)
		shown := map[string]changecalendar.Entry{}
		for n, e := range got {
			shown[e.ID] = e
			if !e.From.Before(until) || !e.Until.IsZero() && e.Until.Before(from) || n > 0 && e.From.Before(got[n-1].From) {
				t.Fatalf("%+v is shown after %+v", e, got[max(n-1, 0)])
			}
		}
		for _, e := range got {
			for _, m := range e.Meets {
				other, ok := shown[m.ID]
				if !ok || !slices.ContainsFunc(other.Meets, func(back changecalendar.Meeting) bool { return back.ID == e.ID }) {
					t.Fatalf("%s meets %s, and not the other way", e.ID, m.ID)
				}
				if e.Kind == changecalendar.Routine || e.Kind == changecalendar.Freeze && other.Kind == changecalendar.Freeze {
					t.Fatalf("%s of kind %s meets one of kind %s", e.ID, e.Kind, other.Kind)
				}
				if !e.Until.IsZero() && e.Until.Before(other.From) || !other.Until.IsZero() && other.Until.Before(e.From) {
					t.Fatalf("%s and %s are not at the same time", e.ID, m.ID)
				}
			}
		}
	})
}

package cli_test

import (
	"context"
	"time"

	"muster/internal/routine"
	"muster/internal/supportplan"
	"muster/internal/usage"
	"muster/internal/visit"
	"muster/starter"
)

// VisitTerms has a customer who is visited, one whose ledger does not answer, and one who has bought no number of visits.
func (people) VisitTerms(year int) []visit.Terms {
	terms := func(id, name string, bought int, routines ...visit.Routine) visit.Terms {
		t := visit.Terms{Customer: id, Name: name, Year: year, Bought: bought, Routines: routines}
		t.From, t.To = supportplan.Year.Bounds(time.Date(year, 7, 1, 0, 0, 0, 0, time.UTC), now().Location())
		return t
	}
	return []visit.Terms{
		terms("acme", "Acme", 12), terms("nuri", "Nuri Trading", 3, visit.Routine{ID: "daily", Name: "일일 점검"}),
		terms("zoo", "Zoo", 0, visit.Routine{ID: "quarterly", Name: "Quarterly review"}),
	}
}

// VisitsPlanned are the two that the routine has ahead, and one of each quarter.
func (people) VisitsPlanned(id string, after, until time.Time) (all []routine.Slot) {
	times := []time.Time{kept().Ahead[0].Begins, kept().Ahead[1].Begins}
	if id == "quarterly" {
		times = []time.Time{now().AddDate(0, 1, 0), now().AddDate(0, 4, 0)}
	}
	for _, at := range times {
		if at.After(after) && at.Before(until) {
			all = append(all, routine.Slot{Begins: at, Due: at.Add(4 * time.Hour)})
		}
	}
	return all
}

// Usages has what a request of nuri and its routine have used. That of acme does not answer.
func (*house) Usages(_ context.Context, customers []string) (all []starter.KeptUsage) {
	for _, id := range customers {
		x := starter.KeptUsage{Err: &starter.NotFoundError{What: "uses of customer " + id}}
		switch id {
		case "nuri":
			done := kept().Past[0].Begins
			x = starter.KeptUsage{State: &usage.Ledger{Customer: id, Uses: []usage.Use{
				{Request: "REQ-7K3M9QX2PA", Feature: "visit", Visit: true, At: now().AddDate(0, -1, 0)}, {Request: usage.OfRoutine("daily", done), Visit: true, At: done},
			}}}
		case "acme":
			x.Err = &starter.StuckError{What: "uses of customer acme"}
		}
		all = append(all, x)
	}
	return all
}

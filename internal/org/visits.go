package org

import (
	"maps"
	"slices"
	"time"

	"muster/internal/routine"
	"muster/internal/supportplan"
	"muster/internal/usage"
	"muster/internal/visit"
)

// mostVisits is how many visits of a routine are looked at in a year: no more can be bought.
const mostVisits = 1_000

// VisitsBought returns the year of the calendar in which a visit at an instant counts, with how many the customer has bought for it; 0: no
// number stands in its support plan or its contract.
func (o *Organisation) VisitsBought(customer string, at time.Time) usage.Window {
	e, _ := o.Entitlement(customer) // of one that has left the folder nobody knows what it has bought
	w := usage.Window{Count: e.VisitsBought()}
	w.From, w.To = supportplan.Year.Bounds(at, o.Zone)
	return w
}

// VisitTerms returns what every customer has bought for a year, and which routines are visits to it, in the order of the customers' IDs.
func (o *Organisation) VisitTerms(year int) (all []visit.Terms) {
	for _, c := range o.Contracts() {
		w := o.VisitsBought(c.Customer, midyear(year, o.Zone))
		t := visit.Terms{Customer: c.Customer, Name: o.parties[c.Customer].Name, Year: year, From: w.From, To: w.To, Bought: w.Count}
		for _, r := range o.routines {
			if r.visit && r.start.Customer == c.Customer {
				t.Routines = append(t.Routines, visit.Routine{ID: r.id, Name: r.name})
			}
		}
		all = append(all, t)
	}
	return all
}

// midyear is an instant in a year, far from both of its ends.
func midyear(year int, zone *time.Location) time.Time {
	return time.Date(year, time.July, 1, 12, 0, 0, 0, zone)
}

// VisitsPlanned returns the occurrences of a routine that begin after one instant and before another: mostVisits at most.
func (o *Organisation) VisitsPlanned(id string, after, until time.Time) []routine.Slot {
	if r := o.routineOf(id); r != nil {
		return r.visits(after, until)
	}
	return nil
}

func (r *comeback) visits(after, until time.Time) (all []routine.Slot) {
	from := after.Add(-longestWait)
	if r.times == nil && r.calendar == nil {
		from = after
	}
	for s := range r.between(from, until) {
		if s.Begins.After(after) && s.Begins.Before(until) {
			all = append(all, s)
		}
		if len(all) == mostVisits {
			break
		}
	}
	return all
}

// doubtfulVisits warns where the visits of a customer and the routines that are visits do not go together, in the year of now and the next one.
func (b *builder) doubtfulVisits(w *reader, now time.Time) {
	year := now.In(b.org.Zone).Year()
	for _, id := range slices.Sorted(maps.Keys(b.contracts)) {
		c := b.contracts[id]
		bought := supportplan.Entitlement{Terms: b.terms[c.Plan], Contract: c.Contract}.VisitsBought()
		most := 0
		for _, year := range []int{year, year + 1} {
			from, to := supportplan.Year.Bounds(midyear(year, b.org.Zone), b.org.Zone)
			n := 0
			for _, r := range b.routines {
				if r.visit && r.start.Customer == id {
					n += len(r.visits(from.Add(-1), to))
				}
			}
			if most = max(most, n); bought > 0 && n > bought {
				w.fault(w.placeOf("customer", id), "customer %s: its routines plan %d visits in %d, and %d have been bought; want fewer, or another "+
					"visits_per_year in its contract", id, n, year, bought)
				break
			}
		}
		switch v := b.terms[c.Plan].Visits; {
		case most > 0 && bought == 0:
			w.fault(w.placeOf("customer", id), "customer %s: its routines plan visits, and nothing says how many have been bought; want visits_per_year in "+
				"its contract", id)
		case v != nil && most < v.Preventive.PerYear():
			w.fault(w.placeOf("customer", id), "customer %s: support plan %s promises %s preventive visits, %d a year, and its routines plan %d; want a "+
				"routine with visit: true that comes as often", id, c.Plan, v.Preventive, v.Preventive.PerYear(), most)
		}
	}
}

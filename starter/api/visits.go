package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"muster/internal/authority"
	"muster/internal/routine"
	"muster/internal/usage"
	"muster/internal/visit"
	"muster/starter"
)

// A VisitList is what has become of the visits that customers have bought for a year, as far as whoever asks may see it.
type VisitList struct {
	Customers []visit.Year `json:"customers"`
	Language  string       `json:"language"` // in which the organisation reads …
	Zone      string       `json:"zone"`     // … and its IANA zone, whose year it is
}

// listVisits answers with the visits of each customer that has some, or of the one that is asked for.
func (s *server) listVisits(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return err
	}
	year := q.year("year", s.Now().In(zone).Year())
	if err := queryFaults(q.Values, q.faults, "customer", "year"); err != nil {
		return err
	}
	customer := q.Get("customer")
	if by := visiting(r.Context()); by.Kind != authority.Provider {
		customer = by.Party
	}
	if err := s.mayAbout(r, authority.Read, customer); err != nil {
		return err
	}
	terms := s.Directory().VisitTerms(year)
	if customer != "" {
		terms = slices.DeleteFunc(terms, func(t visit.Terms) bool { return t.Customer != customer })
	}
	list := VisitList{Customers: []visit.Year{}, Language: s.Language, Zone: s.Zone}
	for _, y := range s.visits(r, terms) {
		if customer != "" || y.Bought > 0 || len(y.Visits) > 0 || y.Detail != "" {
			list.Customers = append(list.Customers, y)
		}
	}
	return answer(w, list)
}

// year is the year before a usual one, that one, or the next: uses are kept for no longer, and the folder plans no further.
func (q *asked) year(name string, usual int) int {
	if q.Get(name) == "" {
		return usual
	}
	year, err := strconv.Atoi(q.Get(name))
	if err != nil || year < usual-1 || year > usual+1 {
		q.fault(name, "a year from "+strconv.Itoa(usual-1)+" to "+strconv.Itoa(usual+1))
	}
	return year
}

// visits asks the ledgers of customers and their routines. One that does not answer hides no other customer.
func (s *server) visits(r *http.Request, terms []visit.Terms) (all []visit.Year) {
	var customers, routines []string
	for _, t := range terms {
		customers = append(customers, t.Customer)
		for _, x := range t.Routines {
			routines = append(routines, x.ID)
		}
	}
	ledgers, states := s.Backend.Usages(r.Context(), customers), s.Backend.Routines(r.Context(), routines)
	for n, t := range terms {
		kept := states[:len(t.Routines)]
		states = states[len(t.Routines):]
		ledger, err := answered(ledgers[n])
		for k := range t.Routines {
			x := &t.Routines[k]
			state, unanswered := answered(kept[k])
			err = errors.Join(err, unanswered)
			x.State = state
			x.Slots = s.Directory().VisitsPlanned(x.ID, s.seenTo(state, t.From), t.To)
		}
		if err != nil && visiting(r.Context()).Kind != authority.Provider { // how we keep it is not for them
			err = errors.New("not known at the moment")
		}
		if err != nil {
			all = append(all, visit.Year{Customer: t.Customer, Name: t.Name, Year: t.Year, From: t.From, To: t.To, Bought: t.Bought, Detail: err.Error()})
			continue
		}
		var uses []usage.Use
		if ledger != nil {
			uses = ledger.Uses
		}
		all = append(all, visit.Of(t, uses))
	}
	return all
}

// answered is the state of what somebody keeps, nil where nobody does yet.
func answered[S any](x starter.Standing[S]) (*S, error) {
	if _, unkept := errors.AsType[*starter.NotFoundError](x.Err); unkept {
		return nil, nil
	}
	return x.State, x.Err
}

// seenTo is until when all occurrences of a routine were seen to that lie in a year. One that nobody keeps begins with those to come.
func (s *server) seenTo(state *routine.Routine, year time.Time) time.Time {
	after := s.Now()
	if state != nil && state.Status != routine.Retired {
		after = state.After
	}
	if begins := year.Add(-1); after.Before(begins) {
		return begins
	}
	return after
}

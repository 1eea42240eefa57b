package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/routine"
	"muster/starter"
)

// A ChangeCalendar is what is planned between two instants, in the order in which it begins, as far as whoever asks may see it.
type ChangeCalendar struct {
	Entries  []changecalendar.Entry `json:"entries"`
	From     time.Time              `json:"from"`
	Until    time.Time              `json:"until"`
	More     bool                   `json:"more,omitempty"` // there are more changes or runs than are looked at
	Language string                 `json:"language"`
	Zone     string                 `json:"zone"`
}

// How far a calendar looks unless it is told, and at most; and at how many pages of changes and of runs.
const (
	calendarDays = 90
	calendarMost = 366 * 24 * time.Hour
	mostPages    = 5
)

// A CalendarQuery is what is asked of the calendar of changes. Zero instants mean now, and 90 days later.
type CalendarQuery struct {
	changecalendar.Filter
	From, Until time.Time
}

// when writes an instant, empty for none.
func when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// readChangeCalendar answers with what is planned. What of it concerns a visitor only the changes and runs themselves know.
func (s *server) readChangeCalendar(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := changecalendar.Filter{Kind: changecalendar.Kind(q.Get("kind")), Customer: q.Get("customer"), Service: q.Get("service"), Text: q.Get("text")}
	if f.Kind != "" && !slices.Contains(changecalendar.Kinds(), f.Kind) {
		q.fault("kind", oneOf(words(changecalendar.Kinds())))
	}
	from := q.instant("from", s.Now())
	until := q.instant("until", from.AddDate(0, 0, calendarDays))
	if len(q.faults) == 0 && (!until.After(from) || until.Sub(from) > calendarMost) {
		q.fault("until", "an instant after from, and within 366 days of it")
	}
	if err := queryFaults(q.Values, q.faults, "kind", "customer", "service", "text", "from", "until"); err != nil {
		return err
	}
	by := visiting(r.Context()).Subject
	if err := s.denied(r, authority.Read, mayReadCalendar(by)); err != nil {
		return err
	}
	all, more, err := s.calendar(r.Context(), by, from, until)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e changecalendar.Entry) bool { return !f.Takes(&e) })
	return answer(w, ChangeCalendar{Entries: append([]changecalendar.Entry{}, all...), From: from, Until: until, More: more, Language: s.Language, Zone: s.Zone})
}

func mayReadCalendar(by authority.Subject) error {
	return authority.May(by, authority.Read, authority.Object{Kind: authority.Change, Customers: []string{by.Party}, Partners: []string{by.Party}})
}

// CalendarOf returns what finds what is planned, for the pages: at most two looks at once, for each asks all that is open.
func CalendarOf(cfg Config) func(ctx context.Context, by authority.Subject, from, until time.Time) (all []changecalendar.Entry, more bool, err error) {
	s, places := &server{Config: cfg}, make(chan struct{}, 2)
	return func(ctx context.Context, by authority.Subject, from, until time.Time) ([]changecalendar.Entry, bool, error) {
		if err := mayReadCalendar(by); err != nil {
			return nil, false, err
		}
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-ctx.Done():
			return nil, false, &starter.UnavailableError{Cause: ctx.Err()}
		}
		return s.calendar(ctx, by, from, until)
	}
}

// calendar is what somebody may see of what is planned, in the order in which it begins, each with what it meets.
func (s *server) calendar(ctx context.Context, by authority.Subject, from, until time.Time) ([]changecalendar.Entry, bool, error) {
	all, more, err := s.planned(ctx, by, from, until)
	return changecalendar.Between(all, from, until), more, err
}

// planned is all that somebody may see of what is planned: of a change, a run or a freeze that does not concern them they hear nothing,
// not even that it meets one of theirs.
func (s *server) planned(ctx context.Context, by authority.Subject, from, until time.Time) (all []changecalendar.Entry, more bool, err error) {
	var own []string // IDs of customers; none: all
	if by.Kind == authority.Customer {
		own = []string{by.Party}
	}
	frozen, err := s.Directory().FrozenBetween(from, until)
	if err != nil {
		return nil, false, err
	}
	changes, moreChanges, err := gathered(func(after string) ([]ChangeSummary, string, error) {
		return s.Backend.Changes(ctx, ChangeFilter{Open: true, Customers: own, Limit: MaxRows, After: after})
	}, func(row ChangeSummary) ([]changecalendar.Entry, error) {
		c, err := s.Backend.Change(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		return []changecalendar.Entry{changeEntry(c)}, nil
	})
	if err != nil {
		return nil, false, err
	}
	runs, moreRuns, err := gathered(func(after string) ([]PlanRunSummary, string, error) {
		return s.Backend.PlanRuns(ctx, PlanRunFilter{Open: true, Customers: own, Limit: MaxRows, After: after})
	}, func(row PlanRunSummary) ([]changecalendar.Entry, error) {
		run, err := s.Backend.PlanRun(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		return runEntries(run, row.Title), nil
	})
	if err != nil {
		return nil, false, err
	}
	all = slices.Concat(frozen, changes, runs)
	if by.Kind == authority.Provider {
		for _, stands := range s.Backend.Routines(ctx, s.Directory().Routines()) {
			if stands.Err == nil { // one that nobody keeps yet has no times, and one that does not answer hides no other
				all = append(all, routineEntries(stands.State)...)
			}
		}
	}
	all = slices.DeleteFunc(all, func(e changecalendar.Entry) bool {
		o := authority.Object{Kind: authority.Change, Customers: e.Customers}
		for _, service := range e.Services {
			o.Partners = append(o.Partners, s.Directory().Partners(service)...)
		}
		return authority.May(by, authority.Read, o) != nil
	})
	if by.Kind != authority.Provider {
		for n := range all {
			mask(&all[n], by)
		}
	}
	return all, moreChanges || moreRuns, nil
}

// mask takes out of an entry whom else it concerns, and where: of that no party beside the provider hears. It is taken out before anything is
// compared.
func mask(e *changecalendar.Entry, by authority.Subject) {
	other := func(customer string) bool { return by.Kind != authority.Customer || customer != by.Party }
	e.Customers = slices.DeleteFunc(slices.Clone(e.Customers), other)
	e.Environments = slices.DeleteFunc(slices.Clone(e.Environments), func(environment string) bool {
		customer, _, _ := strings.Cut(environment, "/")
		return other(customer)
	})
}

// gathered reads lists to their end, up to what is looked at, and what each row has for a calendar or a history. What is gone since the list
// was made has nothing.
func gathered[Row, Entry any](page func(after string) ([]Row, string, error), entries func(Row) ([]Entry, error)) (all []Entry, more bool, err error) {
	var rows []Row
	for n, after := 0, ""; n == 0 || after != ""; n++ {
		if more = n == mostPages; more {
			break
		}
		part, next, err := page(after)
		if err != nil {
			return nil, false, err
		}
		rows, after = append(rows, part...), next
	}
	found, faults := make([][]Entry, len(rows)), make([]error, len(rows))
	each(len(rows), func(n int) {
		var err error
		found[n], err = entries(rows[n])
		if _, gone := errors.AsType[*starter.NotFoundError](err); !gone {
			faults[n] = err
		}
	})
	return slices.Concat(found...), more, cmp.Or(faults...)
}

func changeEntry(c *change.Change) changecalendar.Entry {
	e := changecalendar.Entry{
		Kind: changecalendar.Change, ID: string(c.ID), Title: c.Title, Status: string(c.Status), Services: c.Services, From: c.From, Until: c.Until,
	}
	if !c.Began.IsZero() {
		e.From = c.Began
	}
	for _, x := range c.CustomerNames {
		e.Customers = append(e.Customers, x.ID)
	}
	if p := c.Plan; p != nil {
		for _, x := range p.Environments {
			e.Environments = append(e.Environments, p.Customer+"/"+x.Value)
		}
	}
	return e
}

// runEntries are the dates that a run was given: a date is a day of its zone, an instant a moment.
func runEntries(r *planrun.Run, title string) (all []changecalendar.Entry) {
	e := changecalendar.Entry{
		Kind: changecalendar.Plan, ID: string(r.ID), Title: title, Status: string(r.Status), Customers: []string{r.Customer},
	}
	if r.Notice != nil {
		e.Kind = changecalendar.Provider
	}
	if r.ForChange != nil {
		e.Of = r.ForChange.ID
	}
	for _, x := range r.Environments {
		e.Environments = append(e.Environments, r.Customer+"/"+x.Environment)
		e.Services = append(e.Services, x.Services...)
	}
	slices.Sort(e.Services)
	e.Services = slices.Compact(e.Services)
	for _, p := range r.Plan.Parameters {
		n := slices.IndexFunc(r.Parameters, func(v planrun.Value) bool { return v.ID == p.ID && !v.At.IsZero() })
		if n < 0 {
			continue
		}
		e.Date, e.From, e.Until = p.ID, r.Parameters[n].At, r.Parameters[n].At
		if zone, err := time.LoadLocation(r.Zone); err == nil && p.Type == plan.DateType {
			e.Until = e.From.In(zone).AddDate(0, 0, 1)
		}
		all = append(all, e)
	}
	return all
}

// routineEntries are the times of a routine that are still to come, and the one that goes on.
func routineEntries(r *routine.Routine) (all []changecalendar.Entry) {
	for _, o := range slices.Concat(r.Running, r.Ahead) {
		if o.Fate != routine.Skipped {
			all = append(all, changecalendar.Entry{
				Kind: changecalendar.Routine, ID: r.ID, Title: r.Name, Status: string(o.Fate), Customers: []string{r.Customer}, From: o.Begins, Until: o.Due,
			})
		}
	}
	return all
}

// instant reads an instant, or takes the usual one.
func (q *asked) instant(name string, usual time.Time) time.Time {
	if q.Get(name) == "" {
		return usual
	}
	at, err := time.Parse(time.RFC3339, q.Get(name))
	if err != nil {
		q.fault(name, "an instant such as 2026-12-01T09:00:00+09:00")
	}
	return at
}

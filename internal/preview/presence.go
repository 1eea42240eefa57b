package preview

import (
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/org"
)

// A Wanted is that somebody has something to do, and whether they are there.
type Wanted struct {
	Role     string          `json:"role"`
	Task     string          `json:"task"`
	From     time.Time       `json:"from"`
	Until    time.Time       `json:"until"`
	People   []Person        `json:"people"`
	Nobody   []Span          `json:"nobody,omitempty"`   // there is nobody in the role, or all of them are away
	Holidays []calendar.Date `json:"holidays,omitempty"` // of the run's calendar, on which it has to be done

	changes bool // it is done whatever the hour
}

// A Person is one of those who are wanted.
type Person struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Away  []Span `json:"away,omitempty"`     // on leave
	Quiet []Span `json:"quiet,omitempty"`    // in quiet hours
	Off   []Span `json:"off_call,omitempty"` // somebody else is on call
}

// A Span is a time within that in which somebody is wanted.
type Span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// attend finds out who of those who are wanted is there. What is done in working time wants nobody outside of it. Quiet hours
// are said and keep nobody away: they hold back pages, not work that was agreed.
func (p *planner) attend(o *org.Organisation, w *Wanted) {
	spans := p.wantedIn(w)
	w.People = []Person{}
	var meant []org.Presence // within the spans
	for _, at := range o.Presences(p.run.Filled(w.Role), w.From, w.Until) {
		for _, s := range spans {
			from, until := calendar.Later(at.From, s.From), calendar.Earlier(at.Until, s.Until)
			if from.Before(until) {
				meant = append(meant, org.Presence{From: from, Until: until, People: at.People})
			}
		}
	}
	slices.SortStableFunc(meant, func(a, b org.Presence) int { return a.From.Compare(b.From) })
	for _, m := range meant {
		for _, one := range m.People {
			if !slices.ContainsFunc(w.People, func(x Person) bool { return x.ID == one.ID }) {
				w.People = append(w.People, Person{ID: one.ID, Name: one.Name})
			}
		}
	}
	var before time.Time // until which what comes next follows without a gap, but for hours in which nobody works
	for _, m := range meant {
		add := func(all []Span, is bool) []Span {
			switch last := len(all) - 1; {
			case !is:
			case last >= 0 && all[last].Until.Equal(before):
				all[last].Until = m.Until
			default:
				all = append(all, Span{m.From, m.Until})
			}
			return all
		}
		there := false
		for n := range w.People {
			x := &w.People[n]
			k := slices.IndexFunc(m.People, func(one org.Present) bool { return one.ID == x.ID })
			x.Off = add(x.Off, k < 0)
			x.Away = add(x.Away, k >= 0 && m.People[k].Away)
			x.Quiet = add(x.Quiet, k >= 0 && m.People[k].Quiet)
			there = there || k >= 0 && !m.People[k].Away
		}
		w.Nobody = add(w.Nobody, !there)
		before = m.Until
	}
	w.Holidays = p.holidays(spans)
}

// wantedIn are the times in which somebody who is wanted has to be there.
func (p *planner) wantedIn(w *Wanted) []Span {
	whole := []Span{{w.From, w.Until}}
	c, ok := p.open.(*calendar.Calendar)
	if !ok || w.changes {
		return whole
	}
	var all []Span
	for at := w.From; at.Before(w.Until); {
		open, until := c.Holds(at)
		if until.IsZero() {
			break
		}
		until = calendar.Earlier(until, w.Until)
		if open {
			all = append(all, Span{at, until})
		}
		at = until
	}
	if all == nil { // the calendar has ended: people work on
		return whole
	}
	return all
}

// holidays are the days of some times that the calendar of the run has closed.
func (p *planner) holidays(spans []Span) (days []calendar.Date) {
	rules, zone, ok := p.calendar()
	if !ok {
		return nil
	}
	for _, s := range spans {
		for day := calendar.DateOf(s.From.In(zone)); day <= calendar.DateOf(s.Until.Add(-1).In(zone)); day++ {
			n := slices.IndexFunc(rules.Exceptions, func(e calendar.Exception) bool { return e.Date == day })
			off := slices.Contains(rules.Holidays, day)
			if n >= 0 {
				off = len(rules.Exceptions[n].Hours) == 0
			}
			if off && !slices.Contains(days, day) {
				days = append(days, day)
			}
		}
	}
	return days
}

// calendar is the one in which working time counts.
func (p *planner) calendar() (calendar.Rules, *time.Location, bool) {
	n := slices.IndexFunc(p.run.Calendars, func(r calendar.Rules) bool { return r.ID == p.run.Calendar })
	if n < 0 {
		return calendar.Rules{}, nil, false
	}
	zone, err := time.LoadLocation(p.run.Calendars[n].Zone)
	return p.run.Calendars[n], zone, err == nil
}

// Package freeze says when changes may run: within the windows that were agreed, and never in a freeze. The clock on the wall
// decides what is open, elapsed time how long. It reads no clock and no files: zones are an argument, as the instant is.
package freeze

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/oncall"
)

// Rules are what was agreed, as it is written down: plain data to be kept with a plan that runs under it. Changes may run
// while any window is open, at any time where there is none, and in no case in a freeze.
type Rules struct {
	Windows []Window `json:"windows,omitempty"`
	Freezes []Freeze `json:"freezes,omitempty"`
}

// A Window is a time in which changes may run.
type Window struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	When
}

// A Freeze is a time in which changes must not run.
type Freeze struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Owner  Owner  `json:"owner"`
	When
}

// An Owner is the party whose freeze it is.
type Owner struct {
	Kind authority.PartyKind `json:"kind"`
	ID   string              `json:"id"`
	Name string              `json:"name"`
}

// When are times of one zone: any of those that are named. What overlaps is one time, and so is what meets.
//
// What has hours belongs to the day on which it begins, as in a calendar, and From and Until are the first and the last such
// day. They limit no periods, which have dates of their own.
type When struct {
	Zone     string         `json:"zone"` // IANA name
	Patterns []Pattern      `json:"patterns,omitempty"`
	Yearly   []Yearly       `json:"yearly,omitempty"`   // whole days
	Holidays calendar.Dates `json:"holidays,omitempty"` // whole days
	Periods  []Period       `json:"periods,omitempty"`
	From     calendar.Date  `json:"from,omitzero"`
	Until    calendar.Date  `json:"until,omitzero"`
}

// A Pattern has hours on each day that it names in any way.
type Pattern struct {
	Days    []calendar.Weekday `json:"days,omitempty"`
	Monthly []MonthDay         `json:"monthly,omitempty"`
	Dates   calendar.Dates     `json:"dates,omitempty"`
	calendar.Hours
}

// Yearly are the days from one day of the year to another, which may be one of the next year. Both belong to it.
type Yearly struct {
	From YearDay `json:"from"`
	To   YearDay `json:"to"`
}

// A Period is from what the clock on the wall shows at one time until just before another.
type Period struct {
	From oncall.WallTime `json:"from"`
	To   oncall.WallTime `json:"to"`
	Zone string          `json:"zone,omitempty"` // another one than that of the rest
}

// Validate says all that is wrong with the rules, but for what only their zones can tell: New finds that.
func (r Rules) Validate() []error {
	var faults []error
	seen := map[string]bool{}
	check := func(what, id string, w When) {
		if seen[what+id] {
			faults = append(faults, fmt.Errorf("%s %s: named twice", what, id))
		}
		seen[what+id] = true
		for _, err := range w.Validate() {
			faults = append(faults, fmt.Errorf("%s %s: %w", what, id, err))
		}
	}
	for _, w := range r.Windows {
		check("window", w.ID, w.When)
	}
	for _, f := range r.Freezes {
		check("freeze", f.ID, f.When)
	}
	return faults
}

// Validate says all that is wrong with the times.
func (w When) Validate() []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(w.Patterns)+len(w.Yearly)+len(w.Holidays)+len(w.Periods) == 0 {
		fault("no times: want hours, days of the year, holidays or periods")
	}
	for _, p := range w.Patterns {
		if len(p.Days)+len(p.Monthly)+len(p.Dates) == 0 {
			fault("hours %s: want days", p.Hours)
		}
		for _, d := range p.Days {
			if !slices.Contains(calendar.Weekdays(), d) {
				fault("day %q: want %s", d, calendar.Weekdays())
			}
		}
		for _, m := range p.Monthly {
			if !m.valid() {
				fault("day of the month %s: want such as second sun, last fri, day 15 or last day", m)
			}
		}
		if !p.Hours.Valid() {
			fault("hours %s: want from 00:00 to 24:00, and two different times", p.Hours)
		}
	}
	for _, y := range w.Yearly {
		if !y.From.valid() || !y.To.valid() {
			fault("days of the year %s to %s: want such as 12-20 to 01-05", y.From, y.To)
		}
	}
	if w.Until != 0 && w.Until < w.From {
		fault("until %s: want a day that is not before from, %s", w.Until, w.From)
	}
	return faults
}

// Times tell when changes may run. They never change and are safe for concurrent use.
type Times struct {
	windows   []rule
	freezes   []rule
	overrides []Override
}

// A rule is a window or a freeze in its zone.
type rule struct {
	When

	reason  Reason // without its times
	zone    *time.Location
	periods []span
}

// New returns the times of rules in the zones that they name, with what was allowed all the same. Its error joins all that is
// wrong with the rules.
func New(r Rules, overrides []Override, zones func(name string) (*time.Location, error)) (*Times, error) {
	faults := r.Validate()
	t := &Times{overrides: overrides}
	for _, w := range r.Windows {
		made, err := newRule(Reason{Kind: InWindow, ID: w.ID, Name: w.Name}, w.When, zones)
		t.windows, faults = append(t.windows, made), append(faults, err)
	}
	for _, f := range r.Freezes {
		made, err := newRule(Reason{Kind: Frozen, ID: f.ID, Name: f.Name, Reason: f.Reason, Owner: f.Owner}, f.When, zones)
		t.freezes, faults = append(t.freezes, made), append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return t, nil
}

func newRule(why Reason, w When, zones func(string) (*time.Location, error)) (rule, error) {
	r := rule{When: w, reason: why}
	var err error
	if r.zone, err = zones(w.Zone); err != nil {
		return r, fmt.Errorf("%s %s: %w", why.Kind, why.ID, err)
	}
	for _, p := range w.Periods {
		zone := r.zone
		if p.Zone != "" {
			if zone, err = zones(p.Zone); err != nil {
				return r, fmt.Errorf("%s %s: period from %s: %w", why.Kind, why.ID, p.From, err)
			}
		}
		s := span{p.From.In(zone), p.To.In(zone)}
		if s.to.Before(s.from) {
			return r, fmt.Errorf("%s %s: period from %s: to %s: want a later time", why.Kind, why.ID, p.From, p.To)
		}
		r.periods = append(r.periods, s)
	}
	return r, nil
}

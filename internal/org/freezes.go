package org

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/freeze"
	"muster/internal/oncall"
)

// The forms of what only windows and freezes have.
var (
	aMonthDay = in("a day of every month, such as second sun, last fri, day 15 or last day", by(freeze.ParseMonthDay))
	aYearDay  = in("a month and a day, such as 12-20", by(freeze.ParseYearDay))
)

// The most that one window or freeze may have of each: they stand in the history of every plan that runs under them.
const (
	maxPatterns = 30
	maxPeriods  = 500
)

// A frozen time is a freeze with what decides where it holds. That of a customer holds where an environment names it, that of
// a partner or vendor in environments of its services, that of the provider everywhere.
type frozen struct {
	freeze.Freeze

	production bool // only in environments that are
}

// readFreezes reads freezes.yaml.
func (b *builder) readFreezes(o *object) {
	o.entries("windows", "window", optional, func(o *object, id string) {
		w := freeze.Window{ID: id}
		w.Name, _ = need(o, "name", aName)
		w.When = b.readWhen(o)
		b.windows = append(b.windows, w)
	})
	o.entries("freezes", "freeze", optional, func(o *object, id string) {
		f := frozen{Freeze: freeze.Freeze{ID: id}}
		f.Name, _ = need(o, "name", aName)
		f.Reason, _ = need(o, "reason", aName)
		f.Owner = b.readOwner(o)
		f.production = maybe(o, "production_only", aTrue, false)
		if f.production && f.Owner.Kind == authority.Customer {
			o.fault(o.field("production_only").place, "%s: want none, because a customer's freeze holds in the environments that name it", o.about("production_only"))
		}
		f.When = b.readWhen(o)
		b.freezes = append(b.freezes, f)
	})
	if !o.has("windows") && !o.has("freezes") {
		o.fault(o.place, "%s: nothing; want windows, freezes or both", o.subject)
	}
}

// readOwner reads whose freeze it is: the provider's, unless it says otherwise.
func (b *builder) readOwner(o *object) freeze.Owner {
	id := b.org.ID
	if o.has("of") {
		id, _ = need(o, "of", anIDOf(party))
		b.knowsParty(o.field("of").place, o.about("of"), id)
	}
	p := b.parties[id]
	return freeze.Owner{Kind: p.Kind, ID: p.ID, Name: p.Name}
}

// readWhen reads the times of a window or freeze.
func (b *builder) readWhen(o *object) freeze.When {
	before, unread := len(b.faults), false
	var w freeze.When
	zone := maybe(o, "zone", aZone, b.org.Zone)
	if zone != nil {
		w.Zone = zone.String()
	}
	for i, n := range o.few("hours", maxPatterns) {
		o.object(n, fmt.Sprintf("%s: hours %d", o.subject, i+1), func(o *object) { w.Patterns = append(w.Patterns, readPattern(o)) })
	}
	for i, n := range o.few("yearly", maxPatterns) {
		o.object(n, fmt.Sprintf("%s: yearly %d", o.subject, i+1), func(o *object) {
			from, _ := need(o, "from", aYearDay)
			to, _ := need(o, "to", aYearDay)
			w.Yearly = append(w.Yearly, freeze.Yearly{From: from, To: to})
		})
	}
	o.eachRef("holidays", "calendar", optional, func(at place, id string) {
		r, ok := b.calendars[id]
		unread = unread || !ok // it has a fault, which has been told
		if ok && len(r.Holidays) == 0 {
			o.fault(at, "%s %s: a calendar without holidays; want one that has some", o.about("holidays"), show(id))
		}
		w.Holidays = append(w.Holidays, r.Holidays...)
	})
	slices.Sort(w.Holidays)
	w.Holidays = slices.Compact(w.Holidays)
	w.Periods = b.readPeriods(o, zone)
	w.From, w.Until = maybe(o, "from", aDate, 0), maybe(o, "until", aDate, 0)
	if len(b.faults) == before && !unread {
		for _, err := range w.Validate() {
			o.fault(o.place, "%s: %s", o.subject, err)
		}
	}
	return w
}

// readPattern reads hours of days that come round, or of dates.
func readPattern(o *object) freeze.Pattern {
	p := freeze.Pattern{Hours: readHours(o)}
	given := 0
	each := func(key string, read func(n node)) {
		if !o.has(key) {
			return
		}
		given++
		for _, n := range o.items(key, some) {
			read(n)
		}
	}
	each("days", func(n node) {
		days, _ := value(o.reader, n, o.about("days"), aDays)
		p.Days = append(p.Days, days...)
	})
	each("monthly", func(n node) {
		if m, ok := value(o.reader, n, o.about("monthly"), aMonthDay); ok {
			p.Monthly = append(p.Monthly, m)
		}
	})
	each("dates", func(n node) {
		if d, ok := value(o.reader, n, o.about("dates"), aDate); ok {
			p.Dates = append(p.Dates, d)
		}
	})
	if given != 1 {
		o.fault(o.place, "%s: want one of days, such as [sat, sun], monthly, such as [second sun], and dates", o.subject)
	}
	slices.Sort(p.Dates)
	p.Dates = slices.Compact(p.Dates)
	return p
}

// readPeriods reads times with a date, here or in iCalendar files.
func (b *builder) readPeriods(o *object, zone *time.Location) (all []freeze.Period) {
	for i, n := range o.few("periods", maxPeriods) {
		o.object(n, fmt.Sprintf("%s: period %d", o.subject, i+1), func(o *object) {
			if _, _, ok := readSpan(o, zone); ok {
				from, _ := oncall.ParseWallTime(o.field("from").text)
				to, _ := oncall.ParseWallTime(o.field("to").text)
				all = append(all, freeze.Period{From: from, To: to})
			}
		})
	}
	for _, n := range o.items("files", optional) {
		if name, ok := value(o.reader, n, o.about("files"), anImport); ok {
			all = append(all, b.imported(n.place, o.about("files"), name, true).periods...)
		}
	}
	if len(all) > maxPeriods {
		o.fault(o.place, "%s: %d periods; want at most %d: take out those that are over", o.subject, len(all), maxPeriods)
	}
	return all
}

// rulesOf returns the rules that hold in an environment of a customer: its own windows and freezes, those of the partners of its
// services, and the provider's.
func (d *definitions) rulesOf(e Environment, windows, freezes []string) (r freeze.Rules) {
	for _, w := range d.windows {
		if slices.Contains(windows, w.ID) {
			r.Windows = append(r.Windows, w)
		}
	}
	for _, f := range d.freezes {
		holds := slices.Contains(freezes, f.ID)
		switch f.Owner.Kind {
		case authority.Customer:
		case authority.Provider:
			holds = !f.production || e.Production
		case authority.Partner, authority.Vendor:
			works := func(service string) bool { return slices.Contains(d.partners[service], f.Owner.ID) }
			holds = slices.ContainsFunc(e.Services, works) && (!f.production || e.Production)
		}
		if holds {
			r.Freezes = append(r.Freezes, f.Freeze)
		}
	}
	return r
}

// FreezeRules returns all windows and freezes of the folder, or those that hold in any environment of a customer.
func (o *Organisation) FreezeRules(customer string) (freeze.Rules, error) {
	c, known := o.customers[customer]
	if customer != "" && !known {
		return freeze.Rules{}, o.missing("customer", customer)
	}
	held := map[string]bool{}
	c.held(held)
	var r freeze.Rules
	for _, w := range o.windows {
		if customer == "" || held["window "+w.ID] {
			r.Windows = append(r.Windows, w)
		}
	}
	for _, f := range o.freezes {
		if customer == "" || held["freeze "+f.ID] {
			r.Freezes = append(r.Freezes, f.Freeze)
		}
	}
	return r, nil
}

// held adds what holds in any environment of a customer: "window second-sunday", "freeze year-end".
func (c customer) held(all map[string]bool) {
	for _, e := range c.environments {
		for _, w := range e.Rules.Windows {
			all["window "+w.ID] = true
		}
		for _, f := range e.Rules.Freezes {
			all["freeze "+f.ID] = true
		}
	}
}

// doubtfulFreezes warns of windows that do not open, of freezes that hold nothing back, and of both where nobody names them.
func (b *builder) doubtfulFreezes(w *reader, now time.Time) {
	const soon = 90 // days
	held := map[string]bool{}
	for id, c := range b.customers {
		c.held(held)
		for _, e := range c.environments {
			if !opens(e.Rules, now, now.AddDate(0, 0, soon)) {
				w.fault(e.place, "customer %s: environment %s: no change may run there in the next %d days; want a window that opens outside its freezes",
					id, e.ID, soon)
			}
		}
	}
	for _, x := range b.windows {
		at := w.placeOf("window", x.ID)
		switch {
		case !opens(freeze.Rules{Windows: []freeze.Window{x}}, now, now.AddDate(0, 0, soon)):
			w.fault(at, "window %s: it does not open in the next %d days", x.ID, soon)
		case !held["window "+x.ID]:
			w.fault(at, "window %s: no environment names it", x.ID)
		}
	}
	for _, x := range b.freezes {
		at := w.placeOf("freeze", x.ID)
		switch {
		case !holdsBack(x.Freeze, now):
			w.fault(at, "freeze %s: it lies in the past and holds nothing back in the next two years; want other dates, or take it out", x.ID)
		case !held["freeze "+x.ID]:
			w.fault(at, "freeze %s: it holds in no environment; want one that names it, or with a service of its partner", x.ID)
		}
	}
}

// opens tells whether changes may run at any time of a while.
func opens(r freeze.Rules, from, to time.Time) bool {
	t, err := freeze.New(r, nil, time.LoadLocation)
	return err != nil || len(t.Between(from, to)) > 0
}

// holdsBack tells whether a freeze still has any time to come.
func holdsBack(f freeze.Freeze, now time.Time) bool {
	t, err := freeze.New(freeze.Rules{Freezes: []freeze.Freeze{f}}, nil, time.LoadLocation)
	if err != nil {
		return true // a fault has been told
	}
	until, open := t.CloseAt(now)
	return !open || !until.IsZero()
}

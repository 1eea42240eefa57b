package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
)

// The forms of what stands in calendars.
var (
	aDate    = in("a date, such as 2026-12-31", by(calendar.ParseDate))
	aDays    = in("a day or a range of days, such as sat or mon-fri", weekdays)
	anEnd    = in("a time of day, such as 18:00 or 24:00", by(calendar.ParseTimeOfDay))
	aBegin   = in("a time of day from 00:00 to 23:59, such as 09:00", begin)
	aTrue    = in("true, or not this key", func(s string) (bool, bool) { return true, s == "true" })
	anImport = in("the plain name of a file in this folder that ends in .ics, such as company.ics", icsFile)
)

func begin(s string) (calendar.TimeOfDay, bool) {
	t, err := calendar.ParseTimeOfDay(s)
	return t, err == nil && s != "24:00"
}

func icsFile(s string) (string, bool) {
	_, plain := plainFile(s)
	return s, plain && isICS(s)
}

// weekdays reads "mon", "mon-fri" or "sat-mon".
func weekdays(s string) ([]calendar.Weekday, bool) {
	all := calendar.Weekdays()
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	from, to := slices.Index(all, calendar.Weekday(first)), slices.Index(all, calendar.Weekday(last))
	if from < 0 || to < 0 {
		return nil, false
	}
	if to < from {
		to += len(all)
	}
	return slices.Concat(all, all)[from : to+1], true
}

const maxDays = 4000 // of one calendar: it is kept with every promise made under it

// readCalendars reads calendars.yaml.
func (b *builder) readCalendars(o *object) {
	o.entries("calendars", "calendar", anyNumber, func(o *object, id string) {
		if id == around {
			o.fault(o.field("id").place, "%s %s: it means around the clock, without a calendar; want another name", o.about("id"), show(id))
		}
		r := calendar.Rules{ID: id}
		need(o, "name", aName)
		zone := maybe(o, "zone", aZone, b.org.Zone)
		before := len(b.faults)
		for i, n := range o.items("hours", optional) {
			o.object(n, fmt.Sprintf("%s: hours %d", o.subject, i+1), func(o *object) {
				w := calendar.Weekly{Hours: readHours(o)}
				for _, n := range o.items("days", some) {
					days, _ := value(o.reader, n, o.about("days"), aDays)
					w.Days = append(w.Days, days...)
				}
				r.Weekly = append(r.Weekly, w)
			})
		}
		if n := o.field("holidays"); n.kind != absent {
			o.object(n, o.about("holidays"), func(o *object) { b.readHolidays(o, &r) })
		}
		for i, n := range o.items("exceptions", optional) {
			o.object(n, fmt.Sprintf("%s: exception %d", o.subject, i+1), func(o *object) {
				r.Exceptions = append(r.Exceptions, readException(o)...)
			})
		}
		r.From, r.Until = maybe(o, "from", aDate, 0), maybe(o, "until", aDate, 0)
		if days := len(r.Holidays) + len(r.Exceptions); days > maxDays {
			o.fault(o.place, "%s: %d holidays and exceptions; want at most %d days", o.subject, days, maxDays)
		}
		if len(b.faults) > before {
			return
		}
		broken := r.Validate()
		if zone != nil {
			r.Zone = zone.String()
			if _, err := calendar.New(r, zone); err != nil && len(broken) == 0 {
				broken = []error{err}
			}
		}
		for _, err := range broken {
			o.fault(o.place, "%s", err)
		}
		b.calendars[id] = r
	})
}

// readHours reads from and to.
func readHours(o *object) calendar.Hours {
	from, ok := need(o, "from", aBegin)
	to, alsoOK := need(o, "to", anEnd)
	if ok && alsoOK && from == to {
		o.fault(o.field("to").place, "%s: to %s: want another time than from; a whole day is from 00:00 to 24:00", o.subject, to)
	}
	return calendar.Hours{From: from, To: to}
}

// readHolidays reads on which days the hours of the week do not apply.
func (b *builder) readHolidays(o *object, r *calendar.Rules) {
	for _, n := range o.items("dates", optional) {
		d, _ := value(o.reader, n, o.about("dates"), aDate)
		r.Holidays = append(r.Holidays, d)
	}
	for _, n := range o.items("files", optional) {
		if name, ok := value(o.reader, n, o.about("files"), anImport); ok {
			r.Holidays = append(r.Holidays, b.imported(n.place, o.about("files"), name, false).days...)
		}
	}
	slices.Sort(r.Holidays)
	if n := len(r.Holidays); n > 0 { // whoever lists holidays lists them by the year
		r.KnownUntil = endOf(r.Holidays[n-1].Year())
	}
	if o.has("country") {
		country, _ := need(o, "country", aCountry)
		r.Holidays = append(r.Holidays, nationalHolidays()[country]...)
		r.KnownUntil = max(r.KnownUntil, endOf(knownYear))
	}
	slices.Sort(r.Holidays)
	r.Holidays = slices.Compact(r.Holidays)
}

// readException reads other hours for one day, or for some.
func readException(o *object) []calendar.Exception {
	const most = 366
	before := len(o.faults)
	first, ok := need(o, "date", aDate)
	last := maybe(o, "until", aDate, first)
	if ok && o.has("until") && (last <= first || last >= first+most) {
		o.fault(o.field("until").place, "%s: until %s: want a later day than date, %s, by less than %d days", o.subject, last, first, most)
	}
	e := calendar.Exception{Date: first}
	maybe(o, "closed", aTrue, false)
	for i, n := range o.items("hours", optional) {
		o.object(n, fmt.Sprintf("%s: hours %d", o.subject, i+1), func(o *object) { e.Hours = append(e.Hours, readHours(o)) })
	}
	if o.has("closed") == (len(o.field("hours").items) > 0) {
		o.fault(o.place, "%s: want closed: true, or hours such as [{from: 09:00, to: 13:00}]", o.subject)
	}
	if len(o.faults) > before {
		return nil
	}
	for _, err := range e.Validate() {
		o.fault(o.place, "%s: %s", o.subject, err)
	}
	var all []calendar.Exception
	for ; e.Date <= last; e.Date++ {
		all = append(all, e)
	}
	return all
}

// Calendar returns the rules of a calendar.
func (o *Organisation) Calendar(id string) (calendar.Rules, error) {
	r, ok := o.calendars[id]
	if !ok {
		return calendar.Rules{}, o.missing("calendar", id)
	}
	return r, nil
}

// opening returns a calendar that answers.
func (d *definitions) opening(id string) (*calendar.Calendar, error) {
	r, ok := d.calendars[id]
	if !ok {
		return nil, fmt.Errorf("calendar %s: not in the organisation folder", show(id))
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil, fmt.Errorf("calendar %s: %w", id, err)
	}
	return calendar.New(r, zone)
}

// endingCalendars warns of calendars that end soon, or whose holidays do.
func (b *builder) endingCalendars(w *reader, now time.Time) {
	soon := calendar.DateOf(now.AddDate(0, 0, 90))
	for id, r := range b.calendars {
		at := w.placeOf("calendar", id)
		if r.Until != 0 && r.Until < soon {
			w.fault(at, "calendar %s: it ends on %s, and what still runs then has no due time", id, r.Until)
		}
		if r.KnownUntil != 0 && r.KnownUntil < soon {
			w.fault(at, "calendar %s: its holidays are known until %s only; want those of the next year under holidays", id, r.KnownUntil)
		}
	}
	for name := range b.files {
		if _, read := b.imports[name]; isICS(name) && !read {
			w.fault(place{file: name}, "neither a calendar under holidays nor a freeze names it, so nobody reads it")
		}
	}
}

package org

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/internal/calendar"
	"muster/internal/freeze"
	"muster/internal/oncall"
)

func isICS(name string) bool { return filepath.Ext(name) == ".ics" && !strings.HasPrefix(name, ".") }

// An eventFile is what a file of the iCalendar format says: days where a calendar names it, periods where a freeze does. A file that
// several name is read once for each of the two.
type eventFile struct {
	daysRead, periodsRead bool

	days    []calendar.Date
	periods []freeze.Period
}

// imported returns an iCalendar file, with its days or its periods read.
func (b *builder) imported(at place, subject, name string, periods bool) eventFile {
	content, ok := b.files[name]
	if !ok {
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(b.files)), func(name string) bool { return !isICS(name) })
		b.fault(at, "%s %s: no such file in this folder; %s", subject, show(name), b.hint(name, known))
		return eventFile{}
	}
	f := b.imports[name]
	switch {
	case content == nil: // what cannot be read has been told
	case periods && !f.periodsRead:
		f.periodsRead = true
		b.eachEvent(name, content, func(e *ics.VEvent) string {
			p, wrong := eventPeriod(e)
			if wrong == "" {
				f.periods = append(f.periods, p)
			}
			return wrong
		})
	case !periods && !f.daysRead:
		f.daysRead = true
		b.eachEvent(name, content, func(e *ics.VEvent) string {
			first, last, wrong := eventDays(e)
			for d := first; d <= last && wrong == ""; d++ {
				f.days = append(f.days, d)
			}
			return wrong
		})
	}
	b.imports[name] = f
	return f
}

// eachEvent reads the events of a file but for those that are cancelled. What is wrong with one is a fault, and so is one that
// repeats: what would be left out would be a promise that runs on a holiday, or a change in a freeze.
func (b *builder) eachEvent(file string, content []byte, read func(e *ics.VEvent) (wrong string)) {
	c, err := ics.ParseCalendar(bytes.NewReader(content))
	if err != nil {
		b.fault(place{file: file}, "cannot be read as an iCalendar file: %s; want BEGIN:VCALENDAR to END:VCALENDAR, whole", tidy(err.Error()))
		return
	}
	events, lines := c.Events(), beginnings(content)
	if len(events) > maxItems {
		b.fault(place{file: file}, "%d events; want at most %d", len(events), maxItems)
		return
	}
	for n, e := range events {
		at := place{file: file}
		if n < len(lines) {
			at.line, at.column = lines[n], 1
		}
		if property(e, ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled) {
			continue
		}
		wrong := repeats(e)
		if wrong == "" {
			wrong = read(e)
		}
		if wrong != "" {
			b.fault(at, "event %d %s: %s", n+1, show(property(e, ics.ComponentPropertySummary)), wrong)
		}
	}
}

// repeats says that an event stands for several, which is wrong.
func repeats(e *ics.VEvent) string {
	for _, p := range []ics.ComponentProperty{ics.ComponentPropertyRrule, ics.ComponentPropertyRdate} {
		if e.HasProperty(p) {
			return "it repeats (" + string(p) + "); want an event for every date"
		}
	}
	return ""
}

const maxEvent = 366 // days that an event may last

// eventDays returns the first and the last day of an event, or what is wrong with it.
func eventDays(e *ics.VEvent) (first, last calendar.Date, wrong string) {
	first, ok := icsDate(property(e, ics.ComponentPropertyDtStart))
	if !ok {
		return 0, 0, "DTSTART " + show(property(e, ics.ComponentPropertyDtStart)) + ": want a whole day, such as DTSTART;VALUE=DATE:20261231"
	}
	if e.HasProperty(ics.ComponentPropertyDuration) {
		return 0, 0, "DURATION: want DTEND, the day after the last, such as DTEND;VALUE=DATE:20270101"
	}
	after := first + 1
	if e.HasProperty(ics.ComponentPropertyDtEnd) {
		after, ok = icsDate(property(e, ics.ComponentPropertyDtEnd))
		if !ok || after < first || after > first+maxEvent {
			return 0, 0, fmt.Sprintf("DTEND %s: want the day after the last, such as DTEND;VALUE=DATE:%s, at most %d days after DTSTART",
				show(property(e, ics.ComponentPropertyDtEnd)), time.Unix(int64(first+1)*24*60*60, 0).UTC().Format("20060102"), maxEvent)
		}
	}
	return first, max(first, after-1), "" // some programs write the day itself as its end
}

// eventPeriod returns from when to when an event lasts, or what is wrong with it. Seconds are rounded to whole minutes, outwards.
func eventPeriod(e *ics.VEvent) (p freeze.Period, wrong string) {
	if start := property(e, ics.ComponentPropertyDtStart); len(start) == len("20261231") {
		first, last, wrong := eventDays(e)
		if wrong != "" {
			return p, wrong
		}
		return freeze.Period{From: midnight(first), To: midnight(last + 1)}, ""
	}
	from, zone, wrong := moment(e, ics.ComponentPropertyDtStart, 0)
	if wrong != "" {
		return p, wrong
	}
	to, same, wrong := moment(e, ics.ComponentPropertyDtEnd, time.Minute-time.Second)
	switch {
	case wrong != "":
		return p, wrong
	case zone != same:
		return p, fmt.Sprintf("DTSTART in zone %s, DTEND in zone %s: want one zone", show(zone), show(same))
	case !from.Before(to) || to.Sub(from) > maxEvent*24*time.Hour:
		return p, fmt.Sprintf("DTEND: want a later time than DTSTART, by at most %d days", maxEvent)
	}
	return freeze.Period{From: oncall.WallTimeOf(from), To: oncall.WallTimeOf(to), Zone: zone}, ""
}

func midnight(d calendar.Date) oncall.WallTime {
	return oncall.WallTimeOf(time.Unix(int64(d)*24*60*60, 0).UTC())
}

// moment reads a time of an event to the minute, after round has been added to it, as its clock on the wall shows it. Without a
// zone of its own it is that of whoever names the file.
func moment(e *ics.VEvent, name ics.ComponentProperty, round time.Duration) (shown time.Time, zoneName, wrong string) {
	p := e.GetProperty(name)
	if p == nil {
		return shown, "", string(name) + ": missing; want a time, such as " + string(name) + ":20261231T180000Z"
	}
	text, inUTC := strings.CutSuffix(p.Value, "Z")
	shown, err := time.Parse("20060102T150405", text)
	if err != nil || shown.Year() <= 1970 {
		return shown, "", fmt.Sprintf("%s %s: want a time, such as %s:20261231T180000Z, or whole days", name, show(p.Value), name)
	}
	if inUTC {
		zoneName = "UTC"
	} else if named := p.ICalParameters[string(ics.ParameterTzid)]; len(named) > 0 {
		zoneName = named[0]
		if _, ok := zone(zoneName); !ok {
			return shown, "", fmt.Sprintf("%s: TZID %s: want an IANA time zone, such as Asia/Seoul", name, show(zoneName))
		}
	}
	return shown.Add(round).Truncate(time.Minute), zoneName, ""
}

func property(e *ics.VEvent, name ics.ComponentProperty) string {
	if p := e.GetProperty(name); p != nil {
		return p.Value
	}
	return ""
}

func icsDate(s string) (calendar.Date, bool) {
	t, err := time.Parse("20060102", s)
	if err != nil {
		return 0, false
	}
	d, err := calendar.ParseDate(t.Format(time.DateOnly))
	return d, err == nil
}

// beginnings returns the lines in which events begin, which the library does not tell.
func beginnings(content []byte) (lines []int) {
	n := 0
	for line := range bytes.Lines(content) {
		n++
		if string(bytes.TrimSpace(line)) == "BEGIN:VEVENT" {
			lines = append(lines, n)
		}
	}
	return lines
}

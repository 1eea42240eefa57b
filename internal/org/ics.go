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
)

func isICS(name string) bool { return filepath.Ext(name) == ".ics" && !strings.HasPrefix(name, ".") }

// imported returns the days of an iCalendar file. A file that several calendars name is read once.
func (b *builder) imported(at place, subject, name string) []calendar.Date {
	content, ok := b.files[name]
	if !ok {
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(b.files)), func(name string) bool { return !isICS(name) })
		b.fault(at, "%s %s: no such file in this folder; %s", subject, show(name), b.hint(name, known))
		return nil
	}
	days, read := b.days[name]
	if !read && content != nil { // what cannot be read has been told
		days = b.readICS(name, content)
		b.days[name] = days
	}
	return days
}

// readICS reads the days of all events. An event that is not made of whole days is a fault, and so is one that repeats:
// what would be left out would be a promise that runs on a holiday.
func (b *builder) readICS(file string, content []byte) []calendar.Date {
	c, err := ics.ParseCalendar(bytes.NewReader(content))
	if err != nil {
		b.fault(place{file: file}, "cannot be read as an iCalendar file: %s; want BEGIN:VCALENDAR to END:VCALENDAR, whole", tidy(err.Error()))
		return nil
	}
	events, lines := c.Events(), beginnings(content)
	if len(events) > maxItems {
		b.fault(place{file: file}, "%d events; want at most %d", len(events), maxItems)
		return nil
	}
	var all []calendar.Date
	for n, e := range events {
		at := place{file: file}
		if n < len(lines) {
			at.line, at.column = lines[n], 1
		}
		first, last, wrong := eventDays(e)
		if wrong != "" {
			b.fault(at, "event %d %s: %s", n+1, show(property(e, ics.ComponentPropertySummary)), wrong)
			continue
		}
		for d := first; d <= last; d++ {
			all = append(all, d)
		}
	}
	return all
}

// eventDays returns the first and the last day of an event, or what is wrong with it. One that is cancelled has none.
func eventDays(e *ics.VEvent) (first, last calendar.Date, wrong string) {
	const most = 366
	if property(e, ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled) {
		return 1, 0, ""
	}
	for _, p := range []ics.ComponentProperty{ics.ComponentPropertyRrule, ics.ComponentPropertyRdate} {
		if e.HasProperty(p) {
			return 0, 0, "it repeats (" + string(p) + "); want an event for every date"
		}
	}
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
		if !ok || after < first || after > first+most {
			return 0, 0, fmt.Sprintf("DTEND %s: want the day after the last, such as DTEND;VALUE=DATE:%s, at most %d days after DTSTART",
				show(property(e, ics.ComponentPropertyDtEnd)), time.Unix(int64(first+1)*24*60*60, 0).UTC().Format("20060102"), most)
		}
	}
	return first, max(first, after-1), "" // some programs write the day itself as its end
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

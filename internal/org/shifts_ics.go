package org

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/internal/oncall"
)

// ShiftsICS writes the shifts of a schedule that touch a time as an iCalendar file (RFC 5545), for the calendars of the people
// in it. Each is one event with its true beginning and end, wherever the time asked for begins and ends; a gap is none. The
// same folder gives the same bytes, and a shift that somebody else takes over keeps its UID.
//
// A shift of more than oncall.Horizon begins or ends where the time asked for does.
func (o *Organisation) ShiftsICS(schedule string, from, to time.Time) ([]byte, error) {
	s, err := o.Schedule(schedule)
	if err != nil {
		return nil, err
	}
	c := published("Schedules", s.Name, s.Zone)
	for _, f := range wholeShifts(s, from, to) {
		if len(f.People) == 0 {
			continue
		}
		begin, end, uid := f.From, f.To, f.From.UTC().Format("20060102T150405Z")
		if begin.IsZero() {
			begin, uid = from, "begun" // long ago
		}
		if end.IsZero() {
			end = to
		}
		e := c.AddEvent(s.ID + "-" + uid + "@" + o.ID)
		e.SetDtStampTime(o.Changed)
		e.SetStartAt(begin)
		e.SetEndAt(end)
		e.SetSummary(o.names(f.People) + " (" + s.Name + ")")
		e.SetTimeTransparency(ics.TransparencyTransparent) // who is on call can be invited all the same
	}
	content, err := serialized(c)
	if err != nil {
		return nil, fmt.Errorf("write schedule %s as iCalendar: %w", s.ID, err)
	}
	return content, nil
}

// published is an iCalendar file to which events are added.
func published(product, name string, zone *time.Location) *ics.Calendar {
	c := ics.NewCalendarFor("Muster")
	c.SetProductId("-//Muster//" + product + "//EN")
	c.SetMethod(ics.MethodPublish)
	c.SetXWRCalName(name)
	c.SetXWRTimezone(zone.String())
	return c
}

func serialized(c *ics.Calendar) ([]byte, error) {
	var b bytes.Buffer
	err := c.SerializeTo(&b, ics.WithNewLine("\r\n"))
	return b.Bytes(), err
}

// wholeShifts returns the shifts that touch a time, the first and the last of them not cut off: their ends are zero where they
// are too far away.
func wholeShifts(s *oncall.Schedule, from, to time.Time) []oncall.Shift {
	shifts := s.Shifts(from, to)
	if len(shifts) == 0 {
		return nil
	}
	first, last := &shifts[0], &shifts[len(shifts)-1]
	begun, ended := s.Current(first.From).From, s.Current(last.From).To
	first.From, last.To = begun, ended
	return shifts
}

// names writes the names of people.
func (o *Organisation) names(people []string) string {
	var names []string
	for _, p := range people {
		names = append(names, o.people[p].Name)
	}
	return strings.Join(names, ", ")
}

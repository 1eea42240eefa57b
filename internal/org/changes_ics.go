package org

import (
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/internal/changecalendar"
)

// ChangesICS writes a calendar of changes as an iCalendar file (RFC 5545) of a name and a zone, as it is at an instant. Each entry is one event, and the same
// event in every such file. What has no beginning begins then, and what has no end is a moment.
func ChangesICS(name string, zone *time.Location, at time.Time, all []changecalendar.Entry, title func(*changecalendar.Entry) string) ([]byte, error) {
	c := published("Changes", name, zone)
	for n := range all {
		e := &all[n]
		from, until := e.From, e.Until
		if from.IsZero() {
			from = at
		}
		if until.Before(from) {
			until = from
		}
		uid := fmt.Sprintf("%s-%s@muster", e.Kind, e.ID)
		if e.Date != "" {
			uid = fmt.Sprintf("%s-%s-%s@muster", e.Kind, e.ID, e.Date)
		}
		if e.Kind == changecalendar.Routine || e.Kind == changecalendar.Freeze { // they come again
			uid = fmt.Sprintf("%s-%s-%s@muster", e.Kind, e.ID, e.From.UTC().Format("20060102T150405Z"))
		}
		x := c.AddEvent(uid)
		x.SetDtStampTime(at)
		x.SetStartAt(from)
		x.SetEndAt(until)
		x.SetSummary(title(e))
		if about := strings.Join(append(append([]string{}, e.Environments...), e.Services...), ", "); about != "" {
			x.SetDescription(about)
		}
		x.SetTimeTransparency(ics.TransparencyTransparent) // people can be invited all the same
	}
	content, err := serialized(c)
	if err != nil {
		return nil, fmt.Errorf("write changes as iCalendar: %w", err)
	}
	return content, nil
}

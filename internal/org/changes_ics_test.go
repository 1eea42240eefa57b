package org_test

import (
	"bytes"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"muster/internal/changecalendar"
	"muster/internal/org"
)

// Each entry is one event, the same in every file. What may begin at any time begins when the file is made, and a moment has no length.
func TestChangesAsEvents(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	all := []changecalendar.Entry{
		{Kind: changecalendar.Change, ID: "CHG-1", Title: "A larger pool", Services: []string{"shop"}, Until: at.Add(time.Hour)},
		{Kind: changecalendar.Plan, ID: "RUN-1", Title: "Upgrade", Date: "launch", Environments: []string{"acme/prod"}, From: at.AddDate(0, 0, 1), Until: at.AddDate(0, 0, 1)},
		{Kind: changecalendar.Plan, ID: "RUN-1", Title: "Upgrade", Date: "rehearsal", From: at.AddDate(0, 0, 2), Until: at.AddDate(0, 0, 3)},
		{Kind: changecalendar.Routine, ID: "daily", Title: "Check", From: at.AddDate(0, 0, 1), Until: at.AddDate(0, 0, 2)},
		{Kind: changecalendar.Routine, ID: "daily", Title: "Check", From: at.AddDate(0, 0, 2), Until: at.AddDate(0, 0, 3)},
		{Kind: changecalendar.Freeze, ID: "year-end", Title: "Year end", From: at.AddDate(0, 0, 4)},
	}
	content, err := org.ChangesICS("Changes", time.UTC, at, all, func(e *changecalendar.Entry) string { return string(e.Kind) + ": " + e.Title })
	if err != nil {
		t.Fatal(err)
	}
	c, err := ics.ParseCalendar(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for n, e := range c.Events() {
		from, err := e.GetStartAt()
		if err != nil {
			t.Fatal(err)
		}
		until, err := e.GetEndAt()
		want := all[n].From
		if want.IsZero() {
			want = at
		}
		if err != nil || !from.Equal(want) || until.Before(from) || ids[e.Id()] || e.GetProperty(ics.ComponentPropertySummary).Value != string(all[n].Kind)+": "+all[n].Title {
			t.Errorf("event %d: %s from %s until %s, %v", n, e.Id(), from, until, err)
		}
		ids[e.Id()] = true
	}
	if len(ids) != len(all) {
		t.Errorf("%d events, want %d", len(ids), len(all))
	}
}

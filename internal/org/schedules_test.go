package org_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/oncall"
	"muster/internal/org"
)

const layered = `schedules:
  - id: primary
    name: First
    zone: Europe/London
    layers:
      - name: weeks
        start: 2026-03-16 09:00
        shift: weekly
        people: [kim, [park, yoon]]
      - name: office
        start: 2026-03-16 09:00
        until: 2027-03-16 09:00
        shift: 12 hours
        people: [yoon]
        during: office
    overrides:
      - {from: 2026-03-24 09:00, to: 2026-03-25 09:00, add: kim}
      - {from: 2026-03-25 09:00, to: 2026-03-26 09:00, remove: yoon}
      - {from: 2026-03-26 09:00, to: 2026-03-27 09:00, person: kim, instead_of: park}
  - id: backup
    name: 뒷받침
    layers:
      - {name: months, start: 2026-01-31 09:00, shift: monthly, people: [park, kim]}
`

func TestASchedulePagesEverybodyWhoIsOnCall(t *testing.T) {
	files := good(t)
	files["schedules.yaml"] = layered
	o := load(t, files)
	for _, tt := range []struct{ schedule, at, want string }{
		{"primary", "2026-03-16T08:59:00Z", ""},
		{"primary", "2026-03-16T09:00:00Z", "yoon"},          // the office is open
		{"primary", "2026-03-16T12:30:00Z", "kim"},           // lunch
		{"primary", "2026-03-23T18:00:00Z", "park yoon"},     // two who are on call together
		{"primary", "2026-03-24T18:00:00Z", "park yoon kim"}, // added
		{"primary", "2026-03-25T10:00:00Z", ""},              // removed from the office, and nobody is guessed
		{"primary", "2026-03-25T18:00:00Z", "park"},          // removed from two
		{"primary", "2026-03-26T18:00:00Z", "kim yoon"},      // substituted
		{"primary", "2027-03-16T09:00:00Z", "kim"},           // the office layer has ended
		{"backup", "2026-02-28T08:59:59+09:00", "park"},      // in the organisation's zone
		{"backup", "2026-02-28T09:00:00+09:00", "kim"},       // the last of February
		{"backup", "2026-03-31T09:00:00+09:00", "park"},      // the 31st of March
		{"backup", "2026-01-31T08:59:59+09:00", ""},          // before the first
	} {
		got, err := o.Recipients(escalation.Target{Kind: escalation.Schedule, ID: tt.schedule}, parse(t, tt.at))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range got {
			if ids = append(ids, r.ID); r.Name == "" || len(r.Methods) == 0 {
				t.Errorf("at %s: %+v", tt.at, r)
			}
		}
		if strings.Join(ids, " ") != tt.want {
			t.Errorf("%s at %s: got %q, want %s", tt.schedule, tt.at, ids, tt.want)
		}
	}
}

func parse(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSchedulesAreListedInTheOrderOfTheFolder(t *testing.T) {
	files := good(t)
	files["schedules.yaml"] = layered
	o := load(t, files)
	if diff := cmp.Diff([]string{"primary", "backup"}, o.Schedules()); diff != "" {
		t.Error(diff)
	}
	s, err := o.Schedule("backup")
	if err != nil || s.ID != "backup" || s.Name != "뒷받침" || s.Zone.String() != "Asia/Seoul" {
		t.Error(s, err)
	}
	if s, err := o.Schedule("gone"); err == nil || s != nil {
		t.Error(s, err)
	}
}

func TestShiftLengths(t *testing.T) {
	const old = "shift: weekly"
	for _, tt := range []struct {
		written string
		want    oncall.Length
	}{
		{"hourly", oncall.Length{N: 1, Unit: oncall.Hours}},
		{"daily", oncall.Length{N: 1, Unit: oncall.Days}},
		{"weekly", oncall.Length{N: 1, Unit: oncall.Weeks}},
		{"monthly", oncall.Length{N: 1, Unit: oncall.Months}},
		{"1 hour", oncall.Length{N: 1, Unit: oncall.Hours}},
		{"12 hours", oncall.Length{N: 12, Unit: oncall.Hours}},
		{"366 days", oncall.Length{N: 366, Unit: oncall.Days}},
		{"2 weeks", oncall.Length{N: 2, Unit: oncall.Weeks}},
		{"3 months", oncall.Length{N: 3, Unit: oncall.Months}},
	} {
		files := good(t)
		change{"schedules.yaml", old, "shift: " + tt.written}.in(t, files)
		s, err := load(t, files).Schedule("primary")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Layers[0].Rotation.Shift; got != tt.want {
			t.Errorf("%s: got %v", tt.written, got)
		}
	}
	for _, written := range []string{
		"yearly", "1 days", "2 day", "0 days", "367 days", "-1 days", "1.5 days", "02 days", "days", "2", "2  days", "2 dayss", "3 years", "3 months ago", `""`,
	} {
		files := good(t)
		change{"schedules.yaml", old, "shift: " + written}.in(t, files)
		if got := faults(t, files); len(got) != 1 || !strings.Contains(got[0], "want hourly, daily, weekly, monthly, or") {
			t.Errorf("%s: %s", written, got)
		}
	}
}

func TestFaultsOfSchedules(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"people: [kim, [park, yoon]]", "people: [kim, []]", `schedules.yaml:9:23: schedule primary: layer weeks: people: a list of nobody; want at least one`},
		{"people: [kim, [park, yoon]]", "people: [kim, [park, park]]", `schedules.yaml:9:30: schedule primary: layer weeks: people "park": named twice`},
		{"people: [kim, [park, yoon]]", "people: [kim, [park, parc]]", `schedules.yaml:9:30: schedule primary: layer weeks: people "parc": no such person; did you mean park?`},
		{"people: [kim, [park, yoon]]", "people: [kim, [park, [yoon]]]", `schedules.yaml:9:30: schedule primary: layer weeks: people: got a list; want the ID of a person`},
		{"people: [kim, [park, yoon]]", "people: [kim, {park: yoon}]", `schedules.yaml:9:23: schedule primary: layer weeks: people: got 1 key; want the ID of a person`},
		{"people: [kim, [park, yoon]]", "rotation: {}", `schedules.yaml:6:9: schedule primary: layer weeks: people: missing; want a list
schedules.yaml:9:9: schedule primary: layer weeks: unknown key "rotation"; known: name, start, shift, people, until, during`},
		{"- name: office", "- name: weeks", `schedules.yaml:10:15: schedule primary: layer weeks: named twice`},
		{"- name: office\n        start", "- start", `schedules.yaml:10:9: schedule primary: layer 2: name: missing; want a name on one line, of at most 200 characters`},
		{"until: 2027-03-16 09:00", "until: 2026-03-16 09:00", `schedules.yaml:12:16: schedule primary: layer office: until 2026-03-16 09:00: want a later time than start, 2026-03-16 09:00`},
		{"until: 2027-03-16 09:00", "until: 2027-03-16", `schedules.yaml:12:16: schedule primary: layer office: until "2027-03-16": want a date and a time of day, such as 2026-11-02 09:00`},
		{"during: office", "during: ofice", `schedules.yaml:15:17: schedule primary: layer office: during "ofice": no such calendar; did you mean office?`},
		{"during: office", "during: [office]", `schedules.yaml:15:17: schedule primary: layer office: during: got a list; want the ID of a calendar`},
		{"09:00, add: kim}", "09:00}", `schedules.yaml:17:9: schedule primary: override 1: says nothing; want one of person, add and remove`},
		{"09:00, add: kim}", "09:00, add: kim, remove: park}", `schedules.yaml:17:9: schedule primary: override 1: add and remove: want one of them`},
		{"09:00, add: kim}", "09:00, add: kim, instead_of: park}", `schedules.yaml:17:78: schedule primary: override 1: instead_of: want it with person only, who is on call instead`},
		{"instead_of: park", "instead_of: kim", `schedules.yaml:19:81: schedule primary: override 3: instead_of "kim": want somebody else than person`},
		{"instead_of: park", "instead_of: han", `schedules.yaml:19:81: schedule primary: override 3: instead_of "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{"remove: yoon", "remove: jun", `schedules.yaml:18:64: schedule primary: override 2: remove "jun": no such person; known: kim, park, yoon, han`},
		{"remove: yoon", "removes: yoon", `schedules.yaml:18:9: schedule primary: override 2: says nothing; want one of person, add and remove
schedules.yaml:18:56: schedule primary: override 2: unknown key "removes"; did you mean remove?`},
		{"to: 2026-03-26 09:00, remove", "to: 2026-03-25 09:00, remove", `schedules.yaml:18:38: schedule primary: override 2: to 2026-03-25 09:00: want a later time than from, 2026-03-25 09:00`},
		{"    layers:\n      - {name: months, start: 2026-01-31 09:00, shift: monthly, people: [park, kim]}\n", "    layers: []\n", `schedules.yaml:22:13: schedule backup: layers: none; want at least one`},
	} {
		t.Run(tt.new, func(t *testing.T) {
			files := good(t)
			files["schedules.yaml"] = layered
			change{"schedules.yaml", tt.old, tt.new}.in(t, files)
			if diff := cmp.Diff(tt.want, strings.Join(faults(t, files), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A calendar with a fault of its own is told once, and a schedule that uses it is not told of it too.
func TestAScheduleWithACalendarThatHasAFault(t *testing.T) {
	files := good(t)
	files["schedules.yaml"] = layered
	change{"calendars.yaml", "until: 2199-12-31", "until: 2026-01-01"}.in(t, files)
	if diff := cmp.Diff([]string{"calendars.yaml:2:5: calendar office: it never opens"}, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

func TestWarningsOfSchedules(t *testing.T) {
	const now = "2026-03-20T12:00:00Z" // a Friday, with the office open
	const office = "    layers:\n      - {name: office, start: 2026-03-16 09:00, shift: weekly, people: [kim, park], during: office}\n"
	const weeks = "    layers:\n      - {name: weeks, start: 2026-03-16 09:00, shift: weekly, people: [kim, park]}\n"
	overrides := func(all ...string) string {
		return weeks + "    overrides:\n      - {" + strings.Join(all, "}\n      - {") + "}\n"
	}
	for _, tt := range []struct{ name, schedule, want string }{
		{"somebody is always on call", weeks, ""},
		{"office hours only", office, "schedules.yaml:2:9: schedule primary: nobody is on call from 2026-03-20 13:00 to 2026-03-21 09:00 (Europe/London), " +
			"the first of 39 gaps in the next 30 days"},
		{"nobody yet", strings.Replace(weeks, "2026-03-16", "2026-03-23", 1), "schedules.yaml:2:9: schedule primary: nobody is on call before 2026-03-23 09:00 (Europe/London)"},
		{"nobody for long", strings.Replace(weeks, "2026-03-16", "2026-04-20", 1), "schedules.yaml:2:9: schedule primary: nobody is on call in the next 30 days"},
		{
			"nobody from a day on", strings.Replace(weeks, "shift", "until: 2026-03-30 09:00, shift", 1),
			"schedules.yaml:2:9: schedule primary: nobody is on call from 2026-03-30 09:00 (Europe/London) on",
		},
		{
			"one gap", overrides("from: 2026-03-29 00:30, to: 2026-03-29 03:00, remove: kim", "from: 2026-03-29 00:30, to: 2026-03-29 03:00, remove: park"),
			"schedules.yaml:2:9: schedule primary: nobody is on call from 2026-03-29 00:30 to 2026-03-29 03:00 (Europe/London)\n" +
				"schedules.yaml:8:9: schedule primary: override 1: kim is not on call in that time, so it changes nothing",
		},
		{"a gap after 30 days", overrides("from: 2026-04-20 09:00, to: 2026-04-26 09:00, remove: park"), ""},
		{"an override of somebody else", overrides("from: 2026-03-23 09:00, to: 2026-03-30 09:00, person: yoon"), ""},
		{
			"instead of somebody who is not on call", overrides("from: 2026-03-23 09:00, to: 2026-03-30 09:00, person: yoon, instead_of: kim"),
			"schedules.yaml:8:9: schedule primary: override 1: kim is not on call in that time, so it changes nothing",
		},
		{"instead of somebody who is for a moment", overrides("from: 2026-03-23 09:00, to: 2026-03-30 09:01, person: yoon, instead_of: kim"), ""},
		{"instead of somebody whom an override before it put there", overrides(
			"from: 2026-03-23 09:00, to: 2026-03-30 09:00, add: kim", "from: 2026-03-23 09:00, to: 2026-03-30 09:00, person: yoon, instead_of: kim"), ""},
		{
			"instead of somebody whom an override after it puts there", overrides(
				"from: 2026-03-23 09:00, to: 2026-03-30 09:00, person: yoon, instead_of: kim", "from: 2026-03-23 09:00, to: 2026-03-30 09:00, add: kim"),
			"schedules.yaml:8:9: schedule primary: override 1: kim is not on call in that time, so it changes nothing",
		},
		{"what has passed is no news", overrides("from: 2026-03-17 09:00, to: 2026-03-18 09:00, remove: park"), ""},
		{"too long to look through", overrides("from: 2027-03-23 09:00, to: 2029-03-30 09:00, remove: yoon"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := good(t)
			files["schedules.yaml"] = "schedules:\n  - id: primary\n    name: First\n    zone: Europe/London\n" + tt.schedule
			o, err := org.LoadFiles(files, parse(t, now))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range o.Warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/priority"
)

// covered is a folder with one service that is always answered: kim around the clock, and park as the last resort.
func covered(t testing.TB) map[string]string {
	files := good(t)
	files["schedules.yaml"] = `schedules:
  - id: primary
    name: Primary
    zone: Asia/Seoul
    layers: [{name: all, start: 2026-01-01 00:00, shift: weekly, people: [kim]}]
`
	files["escalation-policies.yaml"] = `escalation_policies:
  - id: std
    steps: [{targets: [schedule:primary], wait: 5m}]
    repeats: 1
    last_resort: {targets: [person:park], every: 15m}
    ack_expires: 1h
    next_method_after: 2m
`
	return files
}

// window is a Monday to the next in Seoul.
func window(t testing.TB) (from, to time.Time) {
	t.Helper()
	from, err := time.Parse(time.RFC3339, "2026-11-30T00:00:00+09:00")
	if err != nil {
		t.Fatal(err)
	}
	return from, from.AddDate(0, 0, 7)
}

func TestHoles(t *testing.T) {
	const layer = "layers: [{name: all, start: 2026-01-01 00:00, shift: weekly, people: [kim]}]"
	for _, tt := range []struct {
		name    string
		changes []change
		want    []string // "P1 12-02 09:00 12-02 18:00", with "only the last resort"
	}{
		{"none", nil, nil},
		{
			"a gap in the schedule",
			[]change{{"schedules.yaml", layer, layer + "\n    overrides: [{from: 2026-12-02 09:00, to: 2026-12-02 18:00, remove: kim}]"}},
			[]string{"P1-P5 12-02 09:00 12-02 18:00 only the last resort"},
		},
		{
			"on leave",
			[]change{{"people.yaml", "    language: ko\n    methods:\n      - name: chat", "    language: ko\n    away: [{from: 2026-12-03 00:00, to: 2026-12-04 00:00}]\n    methods:\n      - name: chat"}},
			[]string{"P1-P5 12-03 00:00 12-04 00:00 only the last resort"},
		},
		{
			"quiet hours",
			[]change{{"people.yaml", "    language: ko\n    methods:\n      - name: chat", "    language: ko\n    quiet: [{days: [tue], from: 22:00, to: 06:00, below: P2}]\n    methods:\n      - name: chat"}},
			[]string{"P3-P5 12-01 22:00 12-02 06:00 only the last resort"},
		},
		{
			"the last resort sleeps as well: it is paged all the same",
			[]change{
				{"schedules.yaml", layer, layer + "\n    overrides: [{from: 2026-12-02 09:00, to: 2026-12-02 18:00, remove: kim}]"},
				{"people.yaml", "    name: Park\n    language: en\n", "    name: Park\n    language: en\n    quiet: [{from: 00:00, to: 24:00, below: P4}]\n"},
			},
			[]string{"P1-P5 12-02 09:00 12-02 18:00 only the last resort"},
		},
		{
			"a last resort that is a schedule with the same gap",
			[]change{
				{"schedules.yaml", layer, layer + "\n    overrides: [{from: 2026-12-02 09:00, to: 2026-12-02 18:00, remove: kim}]"},
				{"escalation-policies.yaml", "last_resort: {targets: [person:park]", "last_resort: {targets: [schedule:primary]"},
			},
			[]string{"P1-P5 12-02 09:00 12-02 18:00"},
		},
		{
			"no method for the priority",
			[]change{{"people.yaml", "        secret: env:KIM_SECRET\n      - name: mail", "        secret: env:KIM_SECRET\n        for: [P1, P2]\n      - name: mail\n        for: [P1]"}},
			[]string{"P3-P5 11-30 00:00 12-07 00:00 only the last resort"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := covered(t)
			for _, c := range tt.changes {
				c.in(t, files)
			}
			o := load(t, files)
			from, to := window(t)
			holes, err := o.Holes("shop", from, to)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(holes)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// told joins the priorities of equal holes.
func told(holes []org.Hole) (all []string) {
	at := map[string][]string{}
	var order []string
	for _, h := range holes {
		seoul := time.FixedZone("KST", 9*60*60)
		line := h.From.In(seoul).Format("01-02 15:04") + " " + h.To.In(seoul).Format("01-02 15:04")
		if h.LastResort {
			line += " only the last resort"
		}
		if at[line] == nil {
			order = append(order, line)
		}
		at[line] = append(at[line], h.Priority.String())
	}
	for _, line := range order {
		ps := at[line]
		who := ps[0]
		if len(ps) > 1 {
			who += "-" + ps[len(ps)-1]
		}
		all = append(all, who+" "+line)
	}
	return all
}

func TestHolesOfNoService(t *testing.T) {
	from, to := window(t)
	if _, err := load(t, covered(t)).Holes("gone", from, to); err == nil || !strings.Contains(err.Error(), `service "gone": not in the organisation folder`) {
		t.Errorf("got %v", err)
	}
}

// At every minute, somebody answers or it is within a hole.
func TestHolesAreProvedForEveryMinute(t *testing.T) {
	from, to := window(t)
	rapid.Check(t, func(r *rapid.T) {
		files := covered(t)
		hour := func(name string) string {
			return fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(r, name), rapid.SampledFrom([]int{0, 7, 30}).Draw(r, name+" min"))
		}
		day := func(name string) string { return fmt.Sprintf("2026-12-%02d", rapid.IntRange(1, 3).Draw(r, name)) }
		begin, end := hour("quiet from"), hour("quiet to")
		if begin == end {
			r.Skip()
		}
		quiet := fmt.Sprintf("    quiet: [{from: %s, to: %s, below: P%d}]\n    away: [{from: %s %s, to: 2026-12-0%d %s}]\n", begin, end, rapid.IntRange(1, 4).Draw(r, "below"),
			day("away"), hour("away at"), rapid.IntRange(4, 6).Draw(r, "back"), hour("back at"))
		change{"people.yaml", "    language: ko\n    methods:\n      - name: chat", "    language: ko\n" + quiet + "    methods:\n      - name: chat"}.in(t, files)
		change{"schedules.yaml", "people: [kim]}]", fmt.Sprintf("people: [kim]}]\n    overrides: [{from: %s %s, to: 2026-12-05 %s, person: park}]", day("override"), hour("override at"), hour("until"))}.in(t, files)
		change{"people.yaml", "    name: Park\n    language: en\n", "    name: Park\n    language: en\n    zone: America/Chicago\n    quiet: [{from: 21:00, to: 06:30, below: P3}]\n"}.in(t, files)
		o := load(t, files)
		holes, err := o.Holes("shop", from, to)
		if err != nil {
			r.Fatal(err)
		}
		p := rapid.SampledFrom(priority.All()).Draw(r, "priority")
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			answered := answers(r, o, p, at)
			within := slices.ContainsFunc(holes, func(h org.Hole) bool { return h.Priority == p && !at.Before(h.From) && at.Before(h.To) })
			if answered == within {
				r.Fatalf("%s at %s: answered %v, within a hole %v", p, at, answered, within)
			}
		}
	})
}

// answers asks for one instant alone: the slow and obvious way.
func answers(t interface{ Fatal(...any) }, o *org.Organisation, p priority.Priority, at time.Time) bool {
	to, err := o.Recipients(escalation.Target{Kind: escalation.Schedule, ID: "primary"}, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range to {
		if _, held := o.Reach(r, incident.Telling{Kind: delivery.Page, Step: 1, Facts: incident.Facts{Priority: p}}, at); held == "" {
			return true
		}
	}
	return false
}

// Whoever is on leave while a schedule puts them on call is named before the page goes out: the folder's own warning.
func TestLeaveOfSomebodyOnCallIsAWarning(t *testing.T) {
	files := covered(t)
	change{"people.yaml", "    language: ko\n    methods:\n      - name: chat", "    language: ko\n    away: [{from: 2026-12-03 00:00, to: 2026-12-04 12:00}]\n    methods:\n      - name: chat"}.in(t, files)
	from, _ := window(t)
	o, err := org.LoadFiles(files, from)
	if err != nil {
		t.Fatal(err)
	}
	const want = "schedules.yaml:2:9: schedule primary: kim is on call from 2026-12-03 00:00 to 2026-12-04 12:00 (Asia/Seoul), and away; want an override"
	if !slices.ContainsFunc(o.Warnings, func(f org.Fault) bool { return f.String() == want }) {
		t.Errorf("got %v", o.Warnings)
	}
	change{"schedules.yaml", "people: [kim]}]", "people: [kim]}]\n    overrides: [{from: 2026-12-03 00:00, to: 2026-12-04 12:00, person: park}]"}.in(t, files)
	if o, err = org.LoadFiles(files, from); err != nil || slices.ContainsFunc(o.Warnings, func(f org.Fault) bool { return strings.Contains(f.Text, "and away") }) {
		t.Errorf("with an override: %v %v", o.Warnings, err)
	}
}

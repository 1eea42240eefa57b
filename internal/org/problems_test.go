package org_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/problem"
)

const problemRules = `
problems:
  recurs: {times: 3, within: 30d}
  escalate: [person:park]
  remind_after_days: 4
  in: office
`

func TestProblemRules(t *testing.T) {
	quiet := load(t, good(t)) // says nothing of problems
	if d := defined(t, quiet); d.Recurrence != nil {
		t.Errorf("without a rule it has %+v", d.Recurrence)
	}
	p, err := quiet.Problem("shop")
	if err != nil || p.Watch != 30*24*time.Hour || p.Remind.Within != 5*24*time.Hour || p.Owner.Name == "" || len(p.Escalate) == 0 {
		t.Errorf("got %+v, %v", p, err)
	}

	files := good(t)
	files["organisation.yaml"] += problemRules
	all := load(t, files)
	if d := defined(t, all); d.Recurrence == nil || d.Recurrence.Times != 3 || d.Recurrence.Within != 30*24*time.Hour || len(d.Recurrence.By) != 3 {
		t.Errorf("got %+v", d.Recurrence)
	}
	files["organisation.yaml"] = strings.Replace(files["organisation.yaml"], "  escalate:", "  noise: {times: 5, within: 60d}\n  escalate:", 1)
	if d := defined(t, load(t, files)); d.Recurrence.Noise == nil || *d.Recurrence.Noise != (incident.Often{Times: 5, Within: 60 * 24 * time.Hour}) {
		t.Errorf("got %+v", d.Recurrence.Noise)
	}
	p, err = all.Problem("shop")
	kim, park := escalation.Target{Kind: escalation.Person, ID: "kim"}, escalation.Target{Kind: escalation.Person, ID: "park"}
	if err != nil || p.Remind != (problem.Idle{Days: 4, Calendar: "office"}) || len(p.Calendars) != 1 || p.Owner.Targets[0] != kim || p.Escalate[0] != park {
		t.Errorf("got %+v, %v", p, err)
	}

	files["services.yaml"] += "    problems: {recurs: {times: 2, within: 7d, by: [cause]}, owner: person:park, watch: 14d, in: office}\n"
	own := load(t, files)
	if d := defined(t, own); d.Recurrence.Times != 2 || len(d.Recurrence.By) != 1 || d.Recurrence.By[0] != incident.SameCause {
		t.Errorf("got %+v", d.Recurrence)
	}
	if p, err = own.Problem("shop"); err != nil || p.Watch != 14*24*time.Hour || p.Owner.Targets[0] != park || p.Remind.Days != 5 {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := own.Problem("nothing"); err == nil {
		t.Error("a service that there is not has problems")
	}
	for name, want := range map[string]string{"person:park": "", "group:nobody": "want the ID of a group or person", "park": "want group:ID or person:ID"} {
		if o, err := own.ProblemOwner(name); (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v", name, o, err)
		}
	}
}

func TestFaultsOfProblemRules(t *testing.T) {
	for rule, want := range map[string]string{
		"{recurs: {times: 1, within: 30d}, in: office}":             `times "1": want a number of times from 2 to 20`,
		"{recurs: {within: 30d}, in: office}":                       "times: missing",
		"{recurs: {times: 3}, in: office}":                          "within: missing",
		"{noise: {times: 0, within: 30d}, in: office}":              `noise: times "0": want a number of times from 2 to 20`,
		"{noise: {times: 5}, in: office}":                           "noise: within: missing",
		"{recurs: {times: 3, within: 1d, by: [noise]}, in: office}": `by "noise": want alert, runbook or cause`,
		"{recurs: {times: 3, within: 1d, by: [luck]}, in: office}":  `by "luck": want alert, runbook or cause`,
		"{owner: group:nobody, in: office}":                         "no such group",
		"{}":                                                        "in: missing",
		"{in: nowhere}":                                             "no such calendar",
		"{recur: {times: 3, within: 1d}, in: office}":               `unknown key "recur"`,
	} {
		files := good(t)
		files["organisation.yaml"] += "\nproblems: " + rule + "\n"
		if got := strings.Join(faults(t, files), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %q", rule, got, want)
		}
	}
}

func defined(t *testing.T, o *org.Organisation) incident.Definition {
	t.Helper()
	d, err := o.Reported(incident.Reported{Service: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

package org_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/runbook"
)

// drain is a runbook without a step for a person.
const drain = `# Drain a server

| Runbook ID | Description | Tools Used | Special Permissions | Runbook Author | Last Updated | Escalation POC |
|---|---|---|---|---|---|---|
| RUN020 | It takes no more | none | none | Park | 2026-09-21 | NOC |

## Parameters

| Parameter | Description |
|---|---|
| host | which one |

## Steps

1. Drain {{param host}}.

   ` + "```http" + ` timeout=1m
   POST https://lb.example.com/drain/{{param host}}
   ` + "```" + `
`

// looking finds out what one is doing.
var looking = strings.NewReplacer("RUN020", "RUN021", "Drain a server", "Look at a server", "Drain {{", "Look at {{", "POST", "GET", "/drain/", "/servers/").Replace(drain)

const draining = `automatic_responses:
  - id: drain
    name: Drain it
    enrich: RUN021
    runbook: RUN020
    parameters: {host: "{host}"}
    pre_approved: {by: kim, until: 2027-05-31}
    hold: 8m
    settle: 3m
    per_hour: 2
    failures: 3
    tell: [person:park]
`

// automated is the good folder in which a route asks for an automatic response.
func automated(t testing.TB) map[string]string {
	t.Helper()
	files := withRunbooks(t)
	files["runbooks/drain.md"], files["runbooks/look.md"], files["automatic-responses.yaml"] = drain, looking, draining
	change{"routes.yaml", "service: shop\n    impact", "service: shop\n    automatic: drain\n    group_by: [host]\n    impact"}.in(t, files)
	return files
}

func TestARouteAsksForAnAutomaticResponse(t *testing.T) {
	o := load(t, automated(t))
	labels := map[string]string{"service": "shop", "alertname": "Down", "host": "web-1"}
	d := define(t, o, "prometheus", labels, "it is down")
	procedure := func(id, title, text, method, url string) *incident.Procedure {
		rb, sum, _ := o.Runbook(id)
		step := runbook.Step{Number: 1, Text: text, Automatic: &runbook.Automatic{
			Runner: runbook.ByHTTP, Timeout: time.Minute, Output: 4096, Expect: runbook.Expect{From: 200, To: 299}, HTTP: runbook.HTTP{Method: method, URL: url},
		}}
		return &incident.Procedure{SHA256: sum, Runbook: runbook.Runbook{ID: id, Kind: runbook.Procedure, Title: title, Parameters: rb.Parameters, Steps: []runbook.Step{step}}}
	}
	want := &incident.AutomaticResponse{
		ID: "drain", Name: "Drain it",
		Look:       procedure("RUN021", "Look at a server", "Look at {{param host}}.", "GET", "https://lb.example.com/servers/{{param host}}"),
		Act:        procedure("RUN020", "Drain a server", "Drain {{param host}}.", "POST", "https://lb.example.com/drain/{{param host}}"),
		Parameters: []runbook.Value{{ID: "host", Value: "web-1"}}, Hold: 8 * time.Minute, Settle: 3 * time.Minute,
		PreApproved: &incident.PreApproval{By: "kim", Name: "김민수", Until: time.Date(2027, 6, 1, 0, 0, 0, 0, o.Zone)}, PerHour: 2, Failures: 3,
		Tell: []escalation.Target{{Kind: escalation.Person, ID: "park"}},
	}
	if diff := cmp.Diff(want, d.Automatic); diff != "" {
		t.Error(diff)
	}
	if got := o.AutomaticResponses(); len(got) != 1 || got[0].ID != "drain" || got[0].Parameters != nil {
		t.Errorf("got %+v", got)
	}
	if d := define(t, o, "other", labels, "x"); d.Automatic != nil {
		t.Errorf("another route: got %+v", d.Automatic)
	}
	if d := define(t, o, "prometheus", labels, alert.TrialMark+alert.TrialWords); d.Automatic != nil {
		t.Errorf("a test: got %+v", d.Automatic)
	}
	again, err := load(t, good(t)).Repinned(d, nil)
	if err != nil || cmp.Diff(want, again.Automatic) != "" {
		t.Errorf("repinned, it is %+v, %v", again.Automatic, err)
	}
}

// What its alerts say is text from outside: what could mean more than itself goes into no step.
func TestParametersOfAutomaticResponsesAreFromAlerts(t *testing.T) {
	o := load(t, automated(t))
	for host, want := range map[string]string{
		"":             "parameter host: its alerts have no label host in common",
		"-rf":          "does not begin with a hyphen",
		"{{secret x}}": "has no {{ in it",
		"a\nb":         "want text on one line",
		"..":           "is not . or ..",
	} {
		labels := map[string]string{"service": "shop"}
		if host != "" {
			labels["host"] = host
		}
		a := define(t, o, "prometheus", labels, "x").Automatic
		if a == nil || !strings.Contains(a.Fault, want) || a.Parameters != nil || strings.Contains(a.Fault, "\n") {
			t.Errorf("%q: got %+v, want %q", host, a, want)
		}
	}
}

func TestFaultsOfAutomaticResponses(t *testing.T) {
	const at = "automatic-responses.yaml"
	for _, tt := range []struct {
		change
		want string
	}{
		{change{at, "    enrich: RUN021\n    runbook: RUN020\n", ""}, at + ":2:5: automatic response drain: does nothing; want enrich, a runbook or both"},
		{change{at, "runbook: RUN020", "runbook: RUN001"}, at + ":5:14: automatic response drain: runbook \"RUN001\": step 2 is done by a person; want all steps automatic"},
		{change{at, "runbook: RUN020", "runbook: RUN999"}, at + ":5:14: automatic response drain: runbook \"RUN999\": no such runbook; known: RUN020, RUN021, RUN001, PLAY-1"},
		{change{at, "hold: 8m", "hold: 2h"}, at + ":8:11: automatic response drain: hold \"2h\": want a time of more than 0s, and of 30m at most, such as 3m"},
		{change{at, "runbook: RUN020", "runbook: PLAY-1"}, at + ":5:14: automatic response drain: runbook \"PLAY-1\": is a playbook; want a runbook"},
		{change{at, "enrich: RUN021", "enrich: RUN020"}, at + ":4:13: automatic response drain: enrich \"RUN020\": step 1: POST; want GET or HEAD, for what finds out changes nothing"},
		{change{at, "    settle: 3m\n", ""}, at + ":2:5: automatic response drain: settle: missing; want a time of more than 0s, such as 3m, or none where"},
		{change{at, "settle: 3m", "settle: 0s"}, at + ":9:13: automatic response drain: settle \"0s\": want a time of more than 0s"},
		{change{"routes.yaml", "    group_by: [host]\n", ""}, "routes.yaml:6:16: route shop: automatic \"drain\": its parameter host is from the label host, which alerts of one incident need not share; want host in group_by or match"},
		{change{at, "settle: 3m", "settle: 8m"}, at + ":9:13: automatic response drain: settle: want less than hold, after which people are paged whatever comes of it"},
		{change{at, "per_hour: 2", "per_hour: 0"}, at + ":10:15: automatic response drain: per_hour \"0\": want a whole number from 1 to 60"},
		{change{at, "failures: 3", "failures: many"}, at + ":11:15: automatic response drain: failures \"many\": want a whole number from 1 to 20"},
		{change{at, "tell: [person:park]", "tell: []"}, at + ":12:11: automatic response drain: tell: none; want at least one"},
		{change{at, "    pre_approved: {by: kim, until: 2027-05-31}\n", ""}, at + ":2:5: automatic response drain: want pre_approved with who answers for it, or approval with who is asked"},
		{change{at, "    hold", "    approval: {approvers: [person:kim], within: 5m}\n    hold"}, at + ":2:5: automatic response drain: want pre_approved with who answers for it, or approval with who is asked"},
		{change{at, "by: kim", "by: nobody"}, at + ":7:24: automatic response drain: pre_approved: by \"nobody\": no such person"},
		{change{at, "until: 2027-05-31", "until: soon"}, at + ":7:36: automatic response drain: pre_approved: until \"soon\": want a date, such as 2026-12-31"},
		{change{at, "    parameters: {host: \"{host}\"}\n", ""}, at + ":2:5: automatic response drain: parameters: host: missing; want which one, for runbook RUN020"},
		{change{at, "{host: \"{host}\"}", "{host: \"{host}\", port: 8080}"}, at + ":6:17: automatic response drain: parameters: \"port\": not a parameter of its runbooks"},
		{change{"routes.yaml", "automatic: drain", "automatic: dran"}, "routes.yaml:6:16: route shop: automatic \"dran\": no such automatic response; did you mean drain?"},
	} {
		files := automated(t)
		tt.in(t, files)
		got := faults(t, files)
		found := false
		for _, f := range got {
			found = found || strings.HasPrefix(f, tt.want)
		}
		if !found {
			t.Errorf("%s\nwant %s\ngot  %s", tt.change, tt.want, strings.Join(got, "\n     "))
		}
	}
}

func TestWarningsOfAutomaticResponses(t *testing.T) {
	files := automated(t)
	files["automatic-responses.yaml"] += strings.NewReplacer("automatic_responses:\n", "", "id: drain", "id: idle").Replace(draining)
	dir := t.TempDir()
	write(t, dir, files)
	for when, want := range map[string]string{
		"2027-05-15": "automatic response drain: its pre-approval by 김민수 ends on 2027-05-31",
		"2027-06-01": "automatic response drain: its pre-approval by 김민수 ended on 2027-05-31, so it does not run",
		"2026-11-27": "automatic response idle: no route asks for it",
	} {
		now, err := time.Parse(time.DateOnly, when)
		if err != nil {
			t.Fatal(err)
		}
		o, err := org.LoadAsOf(dir, now)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, w := range o.Warnings {
			found = found || strings.Contains(w.String(), want)
		}
		if !found {
			t.Errorf("%s: want %q in %v", when, want, o.Warnings)
		}
	}
}

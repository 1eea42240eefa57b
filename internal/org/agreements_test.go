package org_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
)

const agreements = `agreements:
  - {id: desk-dba, name: Desk to DBA, to: "group:dba", from: ["group:desk"], within: 15m, escalate: ["person:kim"]}
  - {id: any-dba, to: "group:dba", within: 2h, calendar: office}
`

func agreeing(t *testing.T) map[string]string {
	files := good(t)
	files["groups.yaml"] = `groups:
  - {id: dba, name: Databases, members: [kim, yoon], methods: [{name: room, type: file, address: dba.jsonl}]}
  - {id: desk, name: Desk, members: [park]}
`
	files["agreements.yaml"] = agreements
	return files
}

func TestHowFastATeamAnswers(t *testing.T) {
	o := load(t, agreeing(t))
	sunday := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		team, asker   string
		name, members string
		agreement     string
		due           time.Duration
	}{
		{"group:dba", "park", "Databases", "kim yoon", "desk-dba", 15 * time.Minute},
		{"group:dba", "kim", "Databases", "yoon", "any-dba", 0}, // nobody asks themselves; of another team, in its hours
		{"group:desk", "kim", "Desk", "park", "", 0},
	} {
		c, err := o.Team(incident.AddResponder{Team: tc.team}, tc.asker, sunday)
		name, members, a, due := c.Name, c.Members, c.Agreement, c.Due
		if err != nil || name != tc.name || strings.Join(members, " ") != tc.members || (a == nil) != (tc.agreement == "") {
			t.Errorf("%s asks %s: got %s, %v, %+v, %v", tc.asker, tc.team, name, members, a, err)
			continue
		}
		if a != nil && a.ID != tc.agreement || tc.due > 0 && !due.Equal(sunday.Add(tc.due)) || a == nil && !due.IsZero() {
			t.Errorf("%s asks %s: by %+v until %s", tc.asker, tc.team, a, due)
		}
		if tc.agreement == "any-dba" && !due.After(sunday.Add(24*time.Hour)) {
			t.Errorf("until %s, and the office is closed on Sunday", due)
		}
	}
	c, _ := o.Team(incident.AddResponder{Team: "group:dba"}, "park", sunday)
	if a := c.Agreement; !slices.Equal(a.Escalate, []escalation.Target{{Kind: escalation.Person, ID: "kim"}}) || a.Name != "Desk to DBA" {
		t.Errorf("got %+v", a)
	}
	at := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	if c, err := o.Team(incident.AddResponder{Team: "schedule:primary"}, "yoon", at); err != nil || c.Name != "First" || len(c.Members) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	for team, want := range map[string]string{
		"person:kim": "want group:ID or schedule:ID", "group:none": "not in the organisation folder", "group:desk": "nobody else is there",
	} {
		if _, err := o.Team(incident.AddResponder{Team: team}, "park", at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", team, err, want)
		}
	}
}

func TestFaultsOfAgreements(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{`to: "group:dba", from`, `to: "person:kim", from`, `to "person:kim": want group:ID or schedule:ID`},
		{`to: "group:dba", from`, `to: "group:nobody", from`, "no such group"},
		{"within: 15m", "within: 0m", "within"},
		{"calendar: office", "calendar: none", "no such calendar"},
		{`"group:desk"`, `"schedule:primary"`, "want group:ID or person:ID"},
		{"2h, calendar: office}", "2h, calendar: office}\n  - {id: late, to: \"group:dba\", within: 1h}", "agreement late: never asked, for any-dba is with whoever asks group:dba"},
		{"within: 2h", "whithin: 2h", `unknown key "whithin"`},
	} {
		files := agreeing(t)
		change{"agreements.yaml", tc.old, tc.new}.in(t, files)
		if got := strings.Join(faults(t, files), "\n"); !strings.Contains(got, tc.want) || !strings.Contains(got, "agreements.yaml:") {
			t.Errorf("%s: got %s, want %q", tc.new, got, tc.want)
		}
	}
}

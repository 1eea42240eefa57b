package org_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/planrun"
	"muster/internal/report"
)

// All parties read a contact list: it has a number that was given for it, or else a mail address that stands in the open, and nothing
// by which Muster alone reaches people.
func TestTheContactListOfAPlan(t *testing.T) {
	files := good(t)
	files["groups.yaml"] = strings.Replace(groups, "    name: 관제\n", "    name: 관제\n    phone: 1588-0000\n", 1)
	files["people.yaml"] = strings.Replace(files["people.yaml"], "address: kim@example.com", "address: env:KIM_MAIL", 1)
	files["people.yaml"] = strings.Replace(files["people.yaml"], "    name: 윤서준\n", "    name: 윤서준\n    phone: +82 2 555 0141 ext 7\n", 1)
	files["customers.yaml"] = strings.Replace(files["customers.yaml"], "    support_plan: gold\n", "    support_plan: gold\n    engineer: {person: park, substitute: kim}\n    engineers: group:network\n", 1)
	o := load(t, files)
	target := func(kind escalation.TargetKind, id string) escalation.Target {
		return escalation.Target{Kind: kind, ID: id}
	}
	got := o.PlanContacts([]planrun.Filled{
		{Role: "desk", Targets: []escalation.Target{target(escalation.Group, "noc"), target(escalation.Group, "network")}},
		{Role: "partner", Targets: []escalation.Target{target(escalation.Person, "yoon")}},
		{Role: "duty", Targets: []escalation.Target{target(escalation.Schedule, "primary")}},
		{Role: "engineer", Targets: []escalation.Target{target(escalation.Engineer, "shopco")}},
		{Role: "owner", Targets: []escalation.Target{target(escalation.Contact, "shopco/desk"), target(escalation.Person, "gone")}},
	})
	if diff := cmp.Diff([]report.PlanContact{
		{Role: "desk", Name: "관제", Phone: "1588-0000"},
		{Role: "desk", Name: "김민수", Of: "관제"}, // the address of the mail is a secret
		{Role: "desk", Name: "Park", Of: "관제"},
		{Role: "partner", Name: "윤서준", Phone: "+82 2 555 0141 ext 7"},
		{Role: "duty", Name: "김민수", Of: "First"}, // whoever is on call then
		{Role: "duty", Name: "Park", Of: "First"},
		{Role: "engineer", Name: "Park"},
		{Role: "engineer", Name: "김민수"},
		{Role: "owner", Name: "Desk", Mail: "desk@shop.example"},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsOfPhones(t *testing.T) {
	for _, phone := range []string{"call me", `"+"`, "env:KIM_PHONE", "12", `"02-555-0100; rm -rf"`} {
		files := good(t)
		files["people.yaml"] = strings.Replace(files["people.yaml"], "    name: 윤서준\n", "    name: 윤서준\n    phone: "+phone+"\n", 1)
		got := faults(t, files)
		if len(got) != 1 || !strings.Contains(got[0], "person yoon: phone ") || !strings.Contains(got[0], "want a phone number, such as +82 2 555 0100 or 1588-0000") {
			t.Errorf("%s: got %q", phone, got)
		}
	}
}

package org_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/org"
	"muster/internal/priority"
)

// supported returns a folder in which the vendor mega has a support record.
func supported(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	files["groups.yaml"] = "groups: [{id: noc, name: NOC, members: [kim, park]}]"
	change{"parties.yaml", "    kind: vendor\n", `    kind: vendor
    support:
      plan: Premium
      open_case: https://support.mega.example/cases
      notify: [group:noc, person:park]
      escalate: Call the account manager, +1 555 0100
      respond: {P1: 1h, P2: 4h}
      calendar: office
      contacts:
        - id: desk
          name: Mega support desk
          language: en
          zone: America/Chicago
          methods: [{name: mail, type: email, address: support@mega.example}]
      verified: 2026-10-01
`}.in(t, files)
	return files
}

func TestAVendorHasASupportRecord(t *testing.T) {
	files := supported(t)
	change{"escalation-policies.yaml", "targets: [schedule:primary]", "targets: [schedule:primary, vendor:mega]"}.in(t, files)
	o := load(t, files)
	verified, err := calendar.ParseDate("2026-10-01")
	if err != nil {
		t.Fatal(err)
	}
	desk := delivery.Recipient{ID: "mega/desk", Name: "Mega support desk", Language: "en", Zone: "America/Chicago", Methods: []string{"mail"}}
	want := org.Vendor{
		Party: org.Party{ID: "mega", Name: "Mega Hardware", Kind: authority.Vendor}, Plan: "Premium",
		OpenCase: "https://support.mega.example/cases", Escalate: "Call the account manager, +1 555 0100",
		Notify:  []escalation.Target{{Kind: escalation.Group, ID: "noc"}, {Kind: escalation.Person, ID: "park"}},
		Respond: []org.Response{{Priority: priority.P1, Within: time.Hour}, {Priority: priority.P2, Within: 4 * time.Hour}}, Calendar: "office",
		Contacts: []delivery.Recipient{desk}, Verified: verified,
	}
	got, ok := o.Vendor("mega")
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(ok, diff)
	}
	for _, id := range []string{"hanbit", "shopco", "gone"} {
		if _, ok := o.Vendor(id); ok {
			t.Errorf("%s is a vendor", id)
		}
	}
	to, err := o.Recipients(escalation.Target{Kind: escalation.Vendor, ID: "mega"}, o.LoadedAt)
	if diff := cmp.Diff([]delivery.Recipient{desk}, to); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := o.Recipients(escalation.Target{Kind: escalation.Vendor, ID: "gone"}, o.LoadedAt); err == nil {
		t.Error("a vendor that is not there has contacts")
	}
	contact, err := o.Contact("mega/desk", "mail")
	if diff := cmp.Diff(delivery.Contact{Method: "mail", Type: delivery.Email, Address: "support@mega.example"}, contact); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if who, ok := o.Subject("mega/desk"); !ok || who.Party != "mega" || who.Kind != authority.Vendor || !cmp.Equal(who.Roles, []authority.Role{authority.Member}) {
		t.Errorf("the contact acts as %+v, %v", who, ok)
	}
}

func TestFaultsOfVendors(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"      plan: Premium\n", "", `parties.yaml:9:7: party mega: support: plan: missing; want a name on one line, of at most 200 characters`},
		{"open_case: https://support.mega.example/cases", "open_case: [a, b]", `parties.yaml:10:18: party mega: support: open_case: got a list; want a name on one line, of at most 200 characters`},
		{"group:noc, person:park", "group:nok, person:park", `parties.yaml:11:16: party mega: support: notify "nok": no such group; did you mean noc?`},
		{"group:noc, person:park", "engineer", `parties.yaml:11:16: party mega: support: notify "engineer": want schedule:ID, group:ID or person:ID`},
		{"group:noc, person:park", "person:han", `parties.yaml:11:16: party mega: support: notify "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{"{P1: 1h, P2: 4h}", "{P1: soon}", `parties.yaml:13:21: party mega: support: respond: P1 "soon": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{"{P1: 1h, P2: 4h}", "{}", `parties.yaml:13:16: party mega: support: respond: none; want what was promised, such as P1: 1h`},
		{"{P1: 1h, P2: 4h}", "{P0: 1h}", `parties.yaml:13:17: party mega: support: respond: unknown key "P0"; known: P1, P2, P3, P4, P5`},
		{"calendar: office", "calendar: always", `parties.yaml:14:17: party mega: support: calendar "always": no such calendar; known: office`},
		{"      calendar: office\n", "", `parties.yaml:9:7: party mega: support: calendar: missing; want the ID of a calendar`},
		{"verified: 2026-10-01", "verified: October", `parties.yaml:21:17: party mega: support: verified "October": want a date, such as 2026-12-31`},
		{"          language: en\n", "          language: en\n          away: []\n", `parties.yaml:19:11: party mega: support: contact desk: unknown key "away"; known: id, name, language, zone, phone, methods, roles`},
		{"kind: vendor", "kind: partner", `parties.yaml:9:7: party mega: support: want none, because only a vendor supports us by a contract of its own`},
	} {
		files := supported(t)
		change{"parties.yaml", tc.old, tc.new}.in(t, files)
		if diff := cmp.Diff([]string{tc.want}, faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.new, diff)
		}
	}
}

func TestContactsOfVendorsGoOutOfDate(t *testing.T) {
	for _, tc := range []struct{ verified, now, want string }{
		{"      verified: 2026-10-01\n", "2026-12-30T14:59:59Z", ""}, // 90 days later, a second before midnight in Seoul
		{"      verified: 2026-10-01\n", "2026-12-30T15:00:00Z", "parties.yaml:5:9: party mega: support: the contacts were last verified on 2026-10-01, more than 90 days ago"},
		{"", "2026-12-01T00:00:00Z", "parties.yaml:5:9: party mega: support: nobody has ever tried the contacts; want the date of it as verified"},
	} {
		files := supported(t)
		change{"parties.yaml", "      verified: 2026-10-01\n", tc.verified}.in(t, files)
		o, err := org.LoadFiles(files, instant(t, tc.now))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, w := range o.Warnings {
			got += w.String()
		}
		if got != tc.want {
			t.Errorf("at %s got %q, want %q", tc.now, got, tc.want)
		}
	}
}

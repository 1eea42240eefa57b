package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/org"
	"muster/internal/reach"
)

// tested is the good folder with Mina, a channel, and rules of test pages.
func tested(t *testing.T, rules string) *org.Organisation {
	t.Helper()
	files := good(t)
	files["people/more.yaml"] = strings.ReplaceAll(mina, "console", "webhook, address: env:MINA_URL, secret: env:MINA_SECRET")
	files["groups.yaml"] = "groups:\n  - {id: noc, name: NOC, members: [kim], methods: [{name: room, type: webhook, address: env:ROOM, secret: env:ROOM_SECRET}]}\n"
	if rules != "" {
		files["organisation.yaml"] += "contact_tests: {" + rules + "}\n"
	}
	return load(t, files)
}

// pages are the ways by which test pages may go at an instant, with what holds them back.
func pages(o *org.Organisation, at time.Time) string {
	all, _ := o.ContactTests(at)
	var said []string
	for _, c := range all {
		s := c.To.ID + "/" + c.Method
		if c.Held != "" {
			s += "(" + c.Held + ")"
		}
		said = append(said, s)
	}
	return strings.Join(said, " ")
}

// Test pages go at working hours on the clock of whoever gets them, never at night or while they are away, and to no customer.
func TestWhenAndByWhichMethodsTestPagesGo(t *testing.T) {
	const usual = "every: 30d, owner: park, group: noc"
	for _, tt := range []struct{ name, rules, at, want string }{
		{
			"Monday noon in London, and night in Seoul", usual, "2026-11-23T12:00:00Z",
			"group:noc/room(hours) kim/chat(hours) kim/mail(hours) mina/app mina/phone mina/siren park/hook(hours)",
		},
		{
			"Monday noon in Seoul, and night in London", usual, "2026-11-23T03:00:00Z",
			"group:noc/room kim/chat kim/mail mina/app(quiet-hours) mina/phone(quiet-hours) mina/siren(quiet-hours) park/hook",
		},
		{
			"Sunday", usual, "2026-11-22T03:00:00Z",
			"group:noc/room(hours) kim/chat(hours) kim/mail(hours) mina/app(quiet-hours) mina/phone(quiet-hours) mina/siren(quiet-hours) park/hook(hours)",
		},
		{
			"while she is away", usual, "2026-12-28T12:00:00Z",
			"group:noc/room(hours) kim/chat(hours) kim/mail(hours) mina/app(away) mina/phone(away) mina/siren(away) park/hook(hours)",
		},
		{
			"in the open time of a calendar", usual + ", calendar: office", "2026-11-23T12:00:00Z",
			"group:noc/room kim/chat kim/mail mina/app mina/phone mina/siren park/hook",
		},
		{
			"which closes for lunch", usual + ", calendar: office, types: [email]", "2026-11-23T13:00:00Z", "kim/mail(hours)",
		},
		{
			"by what is named alone", usual + ", types: [console, email]", "2026-11-23T03:00:00Z", "kim/mail park/desk yoon/desk",
		},
		{"without rules, should somebody ask", "", "2026-11-23T03:00:00Z", "group:noc/room kim/chat kim/mail mina/app(quiet-hours) mina/phone(quiet-hours) mina/siren(quiet-hours) park/hook"},
	} {
		if got := pages(tested(t, tt.rules), instant(t, tt.at)); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestWhoMendsAContactMethod(t *testing.T) {
	o := tested(t, "every: 30d, owner: park, group: noc")
	if _, every := o.ContactTests(instant(t, "2026-11-23T12:00:00Z")); every != 30*24*time.Hour {
		t.Errorf("every %s", every)
	}
	a, wanted := o.ContactItem(reach.Way{To: "kim", Method: "mail"})
	if want := (action.Asked{Owner: "park", Group: "noc", Origin: action.Origin{Kind: action.OfContact, ID: "kim/mail"}}); !wanted || a != want {
		t.Errorf("got %+v, %v", a, wanted)
	}
	for at, want := range map[string]bool{"kim/mail": true, "kim/fax": false, "gone/mail": false, "group:noc/room": true, "shopco/nobody": false} {
		w := reach.Way{}
		w.To, w.Method, _ = strings.Cut(at, "/")
		if _, wanted := o.ContactItem(w); wanted != want || o.HasContact(w) != want {
			t.Errorf("%s: an item is wanted: %v, it is there: %v; want %v", at, wanted, o.HasContact(w), want)
		}
	}
	if _, wanted := tested(t, "").ContactItem(reach.Way{To: "kim", Method: "mail"}); wanted {
		t.Error("an item is wanted where no rules say who owns it")
	}
}

// Those answer who are on call now, or whom a policy means, and the members and the channel of a group that it means.
func TestWhoIsToBeReached(t *testing.T) {
	for _, tt := range []struct{ at, last, want string }{
		{"2026-11-23T12:00:00Z", "person:park", "kim park"},
		{"2026-11-23T12:00:00Z", "group:noc", "group:noc kim park"},
	} {
		files := good(t)
		files["groups.yaml"] = "groups:\n  - {id: noc, name: NOC, members: [kim], methods: [{name: room, type: console}]}\n"
		change{"escalation-policies.yaml", "last_resort: {targets: [person:park]", "last_resort: {targets: [" + tt.last + "]"}.in(t, files)
		var got []string
		for _, p := range load(t, files).People(instant(t, tt.at)) {
			if p.Answers {
				got = append(got, p.ID)
			}
			if p.ID == "han" {
				t.Error("somebody of a customer is among them")
			}
			if p.ID == "park" && fmt.Sprint(p.Methods) != "[{hook webhook true} {desk console false} {log file false}]" {
				t.Errorf("got %v", p.Methods)
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.last, s, tt.want)
		}
	}
}

func TestFaultsOfContactTests(t *testing.T) {
	files := good(t)
	files["groups.yaml"] = "groups:\n  - {id: noc, name: NOC, members: [kim]}\n"
	for rules, want := range map[string]string{
		"every: 30d, owner: park, group: noc":                       "",
		"owner: park, group: noc":                                   "organisation: contact_tests: every: missing",
		"every: 30d":                                                "organisation: contact_tests: owner: missing",
		"every: 12h, owner: park, group: noc":                       `every "12h": want a time of at least 1d`,
		"every: 30d, owner: park, group: noc, types: [fax]":         `types "fax": want console`,
		"every: 30d, owner: park, group: noc, calendar: none":       "calendar",
		"every: 30d, owner: nobody, group: noc":                     "owner",
		"every: 30d, owner: yoon, group: noc":                       "want one of the provider's people",
		"every: 30d, owner: park, group: gone":                      "group",
		"every: 30d, owner: park, group: noc, types: [email], x: 1": `unknown key "x"`,
	} {
		with := map[string]string{}
		for name, text := range files {
			with[name] = text
		}
		with["organisation.yaml"] += "contact_tests: {" + rules + "}\n"
		got := faults(t, with)
		if want == "" && len(got) > 0 || want != "" && !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, want) }) {
			t.Errorf("%s: got %q, want %q", rules, got, want)
		}
	}
}

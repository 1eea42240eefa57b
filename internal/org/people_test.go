package org_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
)

// mina is read in London, wants to sleep there, and has a method for what is pressing.
const mina = `people:
  - id: mina
    name: Mina
    language: en
    zone: Europe/London
    quiet:
      - {from: 22:00, to: 07:00, below: P2}
      - {days: [sat, sun], from: 00:00, to: 24:00, below: P1}
    away:
      - {from: 2026-12-24 18:00, to: 2027-01-02 09:00}
    methods:
      - {name: app, type: console}
      - {name: phone, type: console, after: 3m}
      - {name: siren, type: console, after: 5m, for: [P1, P2]}
`

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhatAPersonWasPromisedHoldsPagesBack(t *testing.T) {
	files := good(t)
	files["people/more.yaml"] = mina
	o := load(t, files)
	all := []string{"app", "phone", "siren"}
	const step, lastResort = 1, 0
	for _, tc := range []struct {
		name    string
		kind    delivery.Kind
		step    int
		p       priority.Priority
		at      string
		methods []string
		held    string
	}{
		{"by day, pressing", delivery.Page, step, priority.P1, "2026-11-25T12:00:00Z", all, ""},
		{"by day, less pressing", delivery.Page, step, priority.P3, "2026-11-25T12:00:00Z", []string{"app", "phone"}, ""},
		{"the minute before night", delivery.Page, step, priority.P3, "2026-11-25T21:59:59Z", []string{"app", "phone"}, ""},
		{"night begins", delivery.Page, step, priority.P3, "2026-11-25T22:00:00Z", nil, incident.HeldByQuietHours},
		{"night, as pressing as agreed", delivery.Page, step, priority.P2, "2026-11-25T22:00:00Z", all, ""},
		{"night ends", delivery.Page, step, priority.P3, "2026-11-26T07:00:00Z", []string{"app", "phone"}, ""},
		{"summer: 22:00 in London is 21:00 UTC", delivery.Page, step, priority.P3, "2026-07-15T21:00:00Z", nil, incident.HeldByQuietHours},
		{"summer: and 07:00 is 06:00 UTC", delivery.Page, step, priority.P3, "2026-07-15T06:00:00Z", []string{"app", "phone"}, ""},
		{"the night in which the clock goes back", delivery.Page, step, priority.P3, "2026-10-25T00:30:00Z", nil, incident.HeldByQuietHours},
		{"a week-end has a bound of its own", delivery.Page, step, priority.P2, "2026-11-28T12:00:00Z", nil, incident.HeldByQuietHours},
		{"and P1 is always pressing enough", delivery.Page, step, priority.P1, "2026-11-28T12:00:00Z", all, ""},
		{"the last resort knows no night", delivery.Page, lastResort, priority.P5, "2026-11-25T23:00:00Z", []string{"app", "phone"}, ""},
		{"a reminder is not held back", delivery.Reminder, 0, priority.P3, "2026-11-25T23:00:00Z", []string{"app", "phone"}, ""},
		{"nor is an assignment", delivery.Assignment, 0, priority.P1, "2026-11-28T12:00:00Z", all, ""},
		{"away", delivery.Page, step, priority.P1, "2026-12-24T18:00:00Z", nil, incident.HeldByAbsence},
		{"not away yet", delivery.Page, step, priority.P1, "2026-12-24T17:59:59Z", all, ""},
		{"back", delivery.Page, step, priority.P1, "2027-01-02T09:00:00Z", all, ""},
		{"the last resort knows no leave", delivery.Page, lastResort, priority.P1, "2026-12-25T12:00:00Z", all, ""},
		{"no priority, no bound", delivery.Page, step, 0, "2026-11-25T23:00:00Z", all, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			to, _ := o.Person("mina")
			telling := incident.Telling{Kind: tc.kind, Step: tc.step, Facts: incident.Facts{Priority: tc.p}}
			got, held := o.Reach(to, telling, instant(t, tc.at))
			if diff := cmp.Diff(tc.methods, got.Methods); diff != "" || held != tc.held {
				t.Errorf("held %q, want %q\n%s", held, tc.held, diff)
			}
		})
	}
}

func TestAMethodThatIsLeftOutTakesItsDelayAlong(t *testing.T) {
	files := good(t)
	files["people/more.yaml"] = strings.Replace(mina, "{name: phone, type: console, after: 3m}", "{name: phone, type: console, after: 3m, for: [P1]}", 1)
	o := load(t, files)
	to, _ := o.Person("mina")
	want := delivery.Recipient{
		ID: "mina", Name: "Mina", Language: "en", Zone: "Europe/London", Methods: []string{"app", "phone", "siren"},
		Delays: []time.Duration{0, 3 * time.Minute, 5 * time.Minute},
	}
	if diff := cmp.Diff(want, to); diff != "" {
		t.Error(diff)
	}
	noon := instant(t, "2026-11-25T12:00:00Z")
	for p, want := range map[priority.Priority]delivery.Recipient{
		priority.P1: want,
		priority.P2: {ID: "mina", Name: "Mina", Language: "en", Zone: "Europe/London", Methods: []string{"app", "siren"}, Delays: []time.Duration{0, 5 * time.Minute}},
		priority.P3: {ID: "mina", Name: "Mina", Language: "en", Zone: "Europe/London", Methods: []string{"app"}},
	} {
		got, held := o.Reach(to, incident.Telling{Kind: delivery.Page, Step: 1, Facts: incident.Facts{Priority: p}}, noon)
		if diff := cmp.Diff(want, got); diff != "" || held != "" {
			t.Errorf("%s: held %q\n%s", p, held, diff)
		}
	}
}

func TestSomebodyWithoutAMethodForThePriorityIsNotPagedByAStep(t *testing.T) {
	files := good(t)
	files["people/more.yaml"] = "people: [{id: mina, name: Mina, language: en, methods: [{name: siren, type: console, for: [P1]}]}]"
	o := load(t, files)
	to, _ := o.Person("mina")
	facts := incident.Facts{Priority: priority.P4}
	got, held := o.Reach(to, incident.Telling{Kind: delivery.Page, Step: 1, Facts: facts}, o.LoadedAt)
	if held != incident.HeldByPriority || len(got.Methods) > 0 {
		t.Errorf("got %v, held %q", got.Methods, held)
	}
	for _, telling := range []incident.Telling{{Kind: delivery.Page, Facts: facts}, {Kind: delivery.Assignment, Facts: facts}} {
		got, held := o.Reach(to, telling, o.LoadedAt)
		if diff := cmp.Diff([]string{"siren"}, got.Methods); diff != "" || held != "" {
			t.Errorf("%s: held %q; want every method rather than silence\n%s", telling.Kind, held, diff)
		}
	}
}

func TestFaultsOfPeople(t *testing.T) {
	const hours = "{from: 22:00, to: 07:00, below: P2}"
	for _, tc := range []struct{ old, new, want string }{
		{"below: P2", "below: P5", `people/more.yaml:7:41: person mina: quiet 1: below "P5": want P1, P2, P3 or P4: what is less pressing is held back`},
		{hours, "{from: 22:00, to: 07:00}", `people/more.yaml:7:9: person mina: quiet 1: below: missing; want P1, P2, P3 or P4: what is less pressing is held back`},
		{hours, "{from: 22:00, to: 22:00, below: P2}", `people/more.yaml:7:27: person mina: quiet 1: to 22:00: want another time than from; a whole day is from 00:00 to 24:00`},
		{hours, "22:00-07:00", `people/more.yaml:7:9: person mina: quiet 1: got "22:00-07:00"; want keys and values`},
		{hours, "{day: mon, from: 22:00, to: 07:00, below: P2}", `people/more.yaml:7:10: person mina: quiet 1: unknown key "day"; did you mean days?`},
		{"days: [sat, sun]", "days: []", `people/more.yaml:8:16: person mina: quiet 2: days: none; want at least one`},
		{"days: [sat, sun]", "days: [weekend]", `people/more.yaml:8:17: person mina: quiet 2: days "weekend": want a day or a range of days, such as sat or mon-fri`},
		{"to: 2027-01-02 09:00", "to: 2026-12-24 18:00", `people/more.yaml:10:38: person mina: away 1: to 2026-12-24 18:00: want a later time than from, 2026-12-24 18:00`},
		{"from: 2026-12-24 18:00", "from: 2026-12-24", `people/more.yaml:10:16: person mina: away 1: from "2026-12-24": want a date and a time of day, such as 2026-11-02 09:00`},
		{"{name: app, type: console}", "{name: app, type: console, after: 1m}", `people/more.yaml:12:43: person mina: method app: after: want none, because no method is before it`},
		{"after: 3m", "after: 0m", `people/more.yaml:13:45: person mina: method phone: after "0m": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d`},
		{"for: [P1, P2]", "for: [P1, P1]", `people/more.yaml:14:59: person mina: method siren: for "P1": named twice`},
		{"for: [P1, P2]", "for: []", `people/more.yaml:14:54: person mina: method siren: for: none; want at least one`},
		{"for: [P1, P2]", "for: [P0]", `people/more.yaml:14:55: person mina: method siren: for "P0": want P1, P2, P3, P4 or P5`},
		{"zone: Europe/London", "zone: London", `people/more.yaml:5:11: person mina: zone "London": want an IANA time zone, such as Asia/Seoul`},
	} {
		if !strings.Contains(mina, tc.old) {
			t.Fatalf("no %q", tc.old)
		}
		files := good(t)
		files["people/more.yaml"] = strings.Replace(mina, tc.old, tc.new, 1)
		if diff := cmp.Diff([]string{tc.want}, faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.new, diff)
		}
	}
}

// A contact of a customer reads times where they are. Nobody waits for them to acknowledge, and nobody wakes them.
func TestContactsHaveAZoneAndNothingThatOnlyPagesHave(t *testing.T) {
	files := good(t)
	change{"customers.yaml", "        name: Boss\n", "        name: Boss\n        zone: Europe/London\n"}.in(t, files)
	to, err := load(t, files).CustomerContacts("shopco")
	if err != nil || to[1].Zone != "Europe/London" || to[0].Zone != "" {
		t.Errorf("got %+v, %v", to, err)
	}
	for _, tc := range []struct{ old, new, want string }{
		{"        name: Boss\n", "        name: Boss\n        quiet: []\n", `customers.yaml:12:9: customer shopco: contact boss: unknown key "quiet"; known: id, name, language, zone, phone, methods, roles`},
		{"address: boss@shop.example}", "address: boss@shop.example, after: 1m}", `customers.yaml:13:73: customer shopco: contact boss: method mail: unknown key "after"; known: name, type, address, secret, for`},
	} {
		files := good(t)
		change{"customers.yaml", tc.old, tc.new}.in(t, files)
		if diff := cmp.Diff([]string{tc.want}, faults(t, files)); diff != "" {
			t.Errorf("%s\n%s", tc.new, diff)
		}
	}
}

func TestWhoeverCanBePagedAndNotReachedIsWarnedOf(t *testing.T) {
	for _, tc := range []struct {
		name, people string
		want         string
	}{
		{
			"a method for some priorities",
			"{id: mina, name: Mina, language: en, methods: [{name: siren, type: console, for: [P1, P3]}]}",
			"people/more.yaml:2:10: person mina: group night pages them, and no contact method works for P2, P4, P5",
		},
		{
			"a reference to nothing",
			"{id: mina, name: Mina, language: en, methods: [{name: chat, type: webhook, address: env:MINA_URL_NOT_SET, secret: env:MINA_SECRET}]}",
			"people/more.yaml:2:10: person mina: group night pages them, and no contact method works for P1, P2, P3, P4, P5; method chat: address env:MINA_URL_NOT_SET: not set in the environment of this process",
		},
		{
			"a secret that is not there",
			"{id: mina, name: Mina, language: en, methods: [{name: chat, type: webhook, address: 'https://chat.example.com', secret: file:secrets/mina}, {name: desk, type: console, for: [P1, P2, P3, P4]}]}",
			"people/more.yaml:2:10: person mina: group night pages them, and no contact method works for P5; method chat: secret file:secrets/mina: no such file or directory",
		},
		{"two that share the work", "{id: mina, name: Mina, language: en, methods: [{name: a, type: console, for: [P1, P2]}, {name: b, type: console, for: [P3, P4, P5]}]}", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := good(t)
			files["people/more.yaml"] = "people:\n  - " + tc.people + "\n"
			files["groups.yaml"] = "groups: [{id: night, name: Night, members: [mina]}]"
			var got string
			for _, w := range load(t, files).Warnings {
				got += w.String()
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			delete(files, "groups.yaml") // nobody pages mina any more
			if w := load(t, files).Warnings; len(w) > 0 {
				t.Errorf("warns of somebody whom nothing pages: %s", w)
			}
		})
	}
}

package org_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/org"
)

const someFreezes = `windows:
  - id: sundays
    name: Second Sunday
    zone: Europe/London
    hours:
      - {monthly: [second sun, last day], from: 02:00, to: 06:00}
      - {days: [tue, thu-fri], from: 23:00, to: 03:00}
      - {dates: [2027-06-05], from: 00:00, to: 24:00}
    from: 2026-01-01
    until: 2199-12-31
freezes:
  - id: year-end
    name: Year end
    of: shopco
    reason: the books are closed
    yearly: [{from: 12-20, to: 01-05}]
  - id: holidays
    name: Holidays
    reason: nobody is there
    holidays: [office]
    production_only: true
  - id: works
    name: New switches
    of: hanbit
    reason: the network is down
    zone: America/Chicago
    periods:
      - {from: 2198-03-13 22:00, to: 2198-03-14 06:00}
    hours: [{days: [sun], from: 01:00, to: 02:00}]
`

const someEnvironments = `    roles:
      customer-owner: [contact:shopco/boss, person:han]
    environments:
      - id: staging
        name: Staging
        production: false
        services: [shop]
        calendar: office
      - id: production
        name: Production
        production: true
        services: [shop]
        calendar: office
        windows: [sundays]
        freezes: [year-end]
        roles:
          deployer: [schedule:primary, person:yoon]
`

// planned returns the files of a good folder with windows, freezes and environments.
func planned(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	files["freezes.yaml"] = someFreezes
	files["customers.yaml"] += someEnvironments
	files["organisation.yaml"] += "roles:\n  change-manager: [person:park]\n  deployer: [person:kim]\n"
	return files
}

func TestAnEnvironmentHasItsRules(t *testing.T) {
	o := load(t, planned(t))
	if len(o.Warnings) > 0 {
		t.Error(o.Warnings)
	}
	for _, tt := range []struct {
		id         string
		production bool
		rules      string
	}{
		{"staging", false, "works of hanbit"}, // the holidays are for production, and it has not named the year's end
		{"production", true, "sundays; year-end of shopco; holidays of acme; works of hanbit"},
	} {
		e, ok := o.Environment("shopco", tt.id)
		var got []string
		for _, w := range e.Rules.Windows {
			got = append(got, w.ID)
		}
		for _, f := range e.Rules.Freezes {
			got = append(got, f.ID+" of "+f.Owner.ID)
		}
		if s := strings.Join(got, "; "); !ok || s != tt.rules || e.Production != tt.production || e.Calendar != "office" || !slices.Equal(e.Services, []string{"shop"}) {
			t.Errorf("%s: got %t %+v, rules %s, want %s", tt.id, ok, e, s, tt.rules)
		}
	}
	for _, no := range [][2]string{{"shopco", "test"}, {"gone", "staging"}} {
		if e, ok := o.Environment(no[0], no[1]); ok {
			t.Errorf("got %+v", e)
		}
	}
	if n := len(o.Environments("shopco")); n != 2 {
		t.Errorf("got %d environments", n)
	}
}

// What is read is what was written, in the form in which a plan keeps it.
func TestFreezesAreRead(t *testing.T) {
	r, err := load(t, planned(t)).FreezeRules("")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Freezes[1].Holidays); n < 50 {
		t.Errorf("%d holidays", n)
	}
	r.Freezes[1].Holidays = r.Freezes[1].Holidays[:1]
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	for text, into := range map[string]*any{string(text): &got, `{
  "windows": [{"id": "sundays", "name": "Second Sunday", "zone": "Europe/London", "from": "2026-01-01", "until": "2199-12-31", "patterns": [
    {"monthly": ["second sun", "last day"], "from": "02:00", "to": "06:00"},
    {"days": ["tue", "thu", "fri"], "from": "23:00", "to": "03:00"},
    {"dates": "2027-06-05", "from": "00:00", "to": "24:00"}
  ]}],
  "freezes": [
    {"id": "year-end", "name": "Year end", "reason": "the books are closed", "owner": {"kind": "customer", "id": "shopco", "name": "ShopCo"},
     "zone": "Asia/Seoul", "yearly": [{"from": "12-20", "to": "01-05"}]},
    {"id": "holidays", "name": "Holidays", "reason": "nobody is there", "owner": {"kind": "provider", "id": "acme", "name": "Acme"},
     "zone": "Asia/Seoul", "holidays": "2024-01-01"},
    {"id": "works", "name": "New switches", "reason": "the network is down", "owner": {"kind": "partner", "id": "hanbit", "name": "한빛클라우드"},
     "zone": "America/Chicago", "patterns": [{"days": ["sun"], "from": "01:00", "to": "02:00"}],
     "periods": [{"from": "2198-03-13 22:00", "to": "2198-03-14 06:00"}]}
  ]
}`: &want} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Windows and freezes may stand in files of their own.
func TestFreezesMayBeSplit(t *testing.T) {
	files := planned(t)
	windows, freezes, _ := strings.Cut(files["freezes.yaml"], "freezes:")
	files["freezes/windows.yaml"], files["freezes/all.yaml"] = windows, "freezes:"+freezes
	delete(files, "freezes.yaml")
	r, err := load(t, files).FreezeRules("shopco")
	if n := len(r.Windows) + len(r.Freezes); err != nil || n != 4 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestFreezeRulesOfACustomer(t *testing.T) {
	files := planned(t)
	files["customers.yaml"] += "  - {id: other, name: Other, language: en, support_plan: gold, contacts: [{id: desk, name: Desk, methods: [{name: mail, type: email, address: desk@other.example}]}]}\n"
	o := load(t, files)
	for customer, want := range map[string]int{"": 4, "shopco": 4, "other": 0} {
		r, err := o.FreezeRules(customer)
		if n := len(r.Windows) + len(r.Freezes); err != nil || n != want {
			t.Errorf("%q: got %d, %v, want %d", customer, n, err, want)
		}
	}
	if _, err := o.FreezeRules("gone"); err == nil || !strings.HasPrefix(err.Error(), `customer "gone": not in the organisation folder`) {
		t.Error(err)
	}
}

func TestRoleTargets(t *testing.T) {
	files := planned(t)
	change{"organisation.yaml", "  deployer: [person:kim]\n", "  deployer: [engineer]\n  approver: [engineer, person:kim]\n"}.in(t, files)
	change{"customers.yaml", "    support_plan: gold\n", "    support_plan: gold\n    engineers: schedule:primary\n"}.in(t, files)
	o := load(t, files)
	for _, tt := range []struct{ environment, role, want string }{
		{"production", "deployer", "schedule:primary, person:yoon"},
		{"staging", "deployer", "engineer:shopco"}, // the organisation's default, of this customer
		{"staging", "approver", "engineer:shopco, person:kim"},
		{"staging", "change-manager", "person:park"},
		{"staging", "customer-owner", "contact:shopco/boss, person:han"}, // the customer's own default
		{"production", "customer-owner", "contact:shopco/boss, person:han"},
		{"production", "nobody", ""},
	} {
		got, err := o.RoleTargets("shopco", tt.environment, tt.role)
		if s := escalation.Shown(got); err != nil || s != tt.want {
			t.Errorf("%s in %s: got %s, %v, want %s", tt.role, tt.environment, s, err, tt.want)
		}
	}
	if _, err := o.RoleTargets("shopco", "gone", "deployer"); err == nil || !strings.HasPrefix(err.Error(), `environment "shopco/gone": not in the organisation folder`) {
		t.Error(err)
	}
	to, err := o.Recipients(escalation.Target{Kind: escalation.Contact, ID: "shopco/boss"}, o.LoadedAt)
	if err != nil || len(to) != 1 || to[0].Name != "Boss" {
		t.Errorf("got %v, %v", to, err)
	}
	for _, id := range []string{"shopco/gone", "gone/boss", "boss"} {
		if to, err := o.Recipients(escalation.Target{Kind: escalation.Contact, ID: id}, o.LoadedAt); err == nil {
			t.Errorf("%s: got %v", id, to)
		}
	}
}

// plannedFaults plants one fault each in a folder with freezes and environments.
func plannedFaults() []faultCase {
	return []faultCase{
		{change{"freezes.yaml", "second sun", "second sunday"}, `freezes.yaml:6:20: window sundays: hours 1: monthly "second sunday": want a day of every month, such as second sun, last fri, day 15 or last day`},
		{change{"freezes.yaml", "last day", "day 32"}, `freezes.yaml:6:32: window sundays: hours 1: monthly "day 32": want a day of every month, such as second sun, last fri, day 15 or last day`},
		{change{"freezes.yaml", "days: [tue, thu-fri], ", ""}, `freezes.yaml:7:9: window sundays: hours 2: want one of days, such as [sat, sun], monthly, such as [second sun], and dates`},
		{change{"freezes.yaml", "days: [tue, thu-fri]", "days: [tue], dates: [2027-01-01]"}, `freezes.yaml:7:9: window sundays: hours 2: want one of days, such as [sat, sun], monthly, such as [second sun], and dates`},
		{change{"freezes.yaml", "[tue, thu-fri]", "[Tue]"}, `freezes.yaml:7:17: window sundays: hours 2: days "Tue": want a day or a range of days, such as sat or mon-fri`},
		{change{"freezes.yaml", "2027-06-05", "2027-06-31"}, `freezes.yaml:8:18: window sundays: hours 3: dates "2027-06-31": want a date, such as 2026-12-31`},
		{change{"freezes.yaml", "from: 02:00, to: 06:00", "from: 02:00, to: 6am"}, `freezes.yaml:6:60: window sundays: hours 1: to "6am": want a time of day, such as 18:00 or 24:00`},
		{change{"freezes.yaml", "from: 02:00, to: 06:00", "from: 02:00, to: 02:00"}, `freezes.yaml:6:60: window sundays: hours 1: to 02:00: want another time than from; a whole day is from 00:00 to 24:00`},
		{change{"freezes.yaml", "zone: Europe/London", "zone: GMT+9"}, `freezes.yaml:4:11: window sundays: zone "GMT+9": want an IANA time zone, such as Asia/Seoul`},
		{change{"freezes.yaml", "until: 2199-12-31", "until: 2025-12-31"}, `freezes.yaml:2:5: window sundays: until 2025-12-31: want a day that is not before from, 2026-01-01`},
		{change{"freezes.yaml", "id: holidays", "id: works"}, `freezes.yaml:22:9: freeze works: id "works": taken by freezes.yaml:17`},
		{change{"freezes.yaml", "of: shopco", "of: shopcorp"}, `freezes.yaml:14:9: freeze year-end: of "shopcorp": no such party; did you mean shopco?`},
		{change{"freezes.yaml", "    reason: the books are closed\n", ""}, `freezes.yaml:12:5: freeze year-end: reason: missing; want a name on one line, of at most 200 characters`},
		{change{"freezes.yaml", "from: 12-20", "from: 20-12"}, `freezes.yaml:16:21: freeze year-end: yearly 1: from "20-12": want a month and a day, such as 12-20`},
		{change{"freezes.yaml", "    yearly: [{from: 12-20, to: 01-05}]\n", ""}, `freezes.yaml:12:5: freeze year-end: no times: want hours, days of the year, holidays or periods`},
		{change{"freezes.yaml", "    yearly: [{from: 12-20, to: 01-05}]\n", "    yearly: [{from: 12-20, to: 01-05}]\n    production_only: true\n"}, `freezes.yaml:17:22: freeze year-end: production_only: want none, because a customer's freeze holds in the environments that name it`},
		{change{"freezes.yaml", "production_only: true", "production_only: false"}, `freezes.yaml:21:22: freeze holidays: production_only "false": want true, or not this key`},
		{change{"freezes.yaml", "holidays: [office]", "holidays: [ofice]"}, `freezes.yaml:20:16: freeze holidays: holidays "ofice": no such calendar; did you mean office?`},
		{change{"freezes.yaml", "to: 2198-03-14 06:00", "to: 2198-03-13 06:00"}, `freezes.yaml:28:38: freeze works: period 1: to 2198-03-13 06:00: want a later time than from, 2198-03-13 22:00`},
		{change{"freezes.yaml", "    periods:\n", "    files: [hanbit.ics]\n    periods:\n"}, `freezes.yaml:27:13: freeze works: files "hanbit.ics": no such file in this folder; there are none`},
		{change{"freezes.yaml", "    yearly:", "    yearley:"}, `freezes.yaml:12:5: freeze year-end: no times: want hours, days of the year, holidays or periods
freezes.yaml:16:5: freeze year-end: unknown key "yearley"; did you mean yearly?`},
		{change{"freezes.yaml", someFreezes, "{}"}, `customers.yaml:28:19: customer shopco: environment production: windows "sundays": no such window; there are none
customers.yaml:29:19: customer shopco: environment production: freezes "year-end": no such freeze; there are none
freezes.yaml:1:1: file: nothing; want windows, freezes or both`},
		{change{"freezes.yaml", someFreezes, "windows: ["}, "freezes.yaml:2:1: not YAML: did not find expected node content"},
		{change{"customers.yaml", "id: staging", "id: production"}, `customers.yaml:23:13: customer shopco: environment production: id "production": taken by customers.yaml:18`},
		{change{"customers.yaml", "production: true", "production: yes"}, `customers.yaml:25:21: customer shopco: environment production: production "yes": want true or false`},
		{change{"customers.yaml", "production: true\n        services: [shop]", "production: true\n        services: []"}, `customers.yaml:26:19: customer shopco: environment production: services: none; want at least one`},
		{change{"services.yaml", "customers: [shopco]", "customers: []"}, `customers.yaml:21:20: customer shopco: environment staging: services "shop": not a service of customer shopco
customers.yaml:26:20: customer shopco: environment production: services "shop": not a service of customer shopco`},
		{change{"customers.yaml", "calendar: office\n        windows", "calendar: ofice\n        windows"}, `customers.yaml:27:19: customer shopco: environment production: calendar "ofice": no such calendar; did you mean office?`},
		{change{"customers.yaml", "windows: [sundays]", "windows: [sundays, sundays]"}, `customers.yaml:28:28: customer shopco: environment production: windows "sundays": named twice`},
		{change{"customers.yaml", "freezes: [year-end]", "freezes: [works]"}, `customers.yaml:29:19: customer shopco: environment production: freezes "works": a freeze of partner hanbit; want it left out, because it holds wherever it has to without being named`},
		{change{"customers.yaml", "contact:shopco/boss", "contact:shopco/bos"}, `customers.yaml:16:24: customer shopco: roles: customer-owner "shopco/bos": no such contact of customer shopco; did you mean shopco/boss?`},
		{change{"customers.yaml", "contact:shopco/boss", "contact:kim"}, `customers.yaml:16:24: customer shopco: roles: customer-owner "kim": no such contact of customer shopco; known: shopco/desk, shopco/boss`},
		{change{"customers.yaml", "contact:shopco/boss", "contact:han"}, `customers.yaml:16:24: customer shopco: roles: customer-owner "han": no such contact of customer shopco; known: shopco/desk, shopco/boss`},
		{change{"customers.yaml", "contact:shopco/boss", "vendor:mega"}, `customers.yaml:16:24: customer shopco: roles: customer-owner "vendor:mega": want schedule:ID, group:ID, person:ID, engineer or contact:CUSTOMER/CONTACT`},
		{change{"customers.yaml", "person:yoon]", "person:yon]"}, `customers.yaml:31:40: customer shopco: environment production: roles: deployer "yon": no such person; did you mean yoon?`},
		{change{"customers.yaml", "deployer:", "Deployer:"}, `customers.yaml:31:11: customer shopco: environment production: roles: "Deployer": want a role in lower-case letters, digits and hyphens, at most 63, such as web-1`},
		{change{"organisation.yaml", "change-manager: [person:park]", "change-manager: [contact:shopco/boss]"}, `organisation.yaml:31:20: organisation: roles: change-manager "contact:shopco/boss": want schedule:ID, group:ID, person:ID or engineer`},
		{change{"organisation.yaml", "change-manager: [person:park]", "change-manager: [person:han]"}, `organisation.yaml:31:20: organisation: roles: change-manager "han": a person of customer shopco, and a customer's people are never paged; want somebody else`},
		{change{"organisation.yaml", "change-manager: [person:park]", "change-manager: []"}, `organisation.yaml:31:19: organisation: roles: change-manager: none; want at least one`},
	}
}

func TestFaultsOfFreezesAndEnvironments(t *testing.T) {
	for _, tt := range plannedFaults() {
		t.Run(tt.file+" "+tt.old+" to "+tt.new, func(t *testing.T) {
			files := planned(t)
			tt.in(t, files)
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), faults(t, files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Nobody of one customer gets a part in the plans of another, nor does its freeze hold there.
func TestCustomersDoNotMeetInAnEnvironment(t *testing.T) {
	files := planned(t)
	files["customers.yaml"] += `  - id: other
    name: Other
    language: en
    support_plan: gold
    contacts: [{id: desk, name: Desk, methods: [{name: mail, type: email, address: desk@other.example}]}]
    environments:
      - {id: production, name: Production, production: true, services: [shop], calendar: office, freezes: [year-end], roles: {owner: [contact:shopco/boss, person:han]}}
`
	want := []string{
		`customers.yaml:38:73: customer other: environment production: services "shop": not a service of customer other`,
		`customers.yaml:38:108: customer other: environment production: freezes "year-end": a freeze of customer shopco; want one of customer other`,
		`customers.yaml:38:135: customer other: environment production: roles: owner "shopco/boss": no such contact of customer other; known: other/desk`,
		`customers.yaml:38:156: customer other: environment production: roles: owner "han": a person of customer shopco, and a customer's people are never paged; want somebody else`,
	}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

func TestFreezesFromICalendarFiles(t *testing.T) {
	files := planned(t)
	change{"freezes.yaml", "    periods:\n", "    files: [hanbit.ics]\n    periods:\n"}.in(t, files)
	files["hanbit.ics"] = iCalendar(
		"DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227", // whole days of the freeze's own zone
		"DTSTART:20270101T090000\r\nDTEND:20270101T180000",         // its own zone
		"DTSTART;TZID=Asia/Seoul:20270115T013000\r\nDTEND;TZID=Asia/Seoul:20270115T020000",
		"DTSTART:20270201T000030Z\r\nDTEND:20270201T235959Z", // outwards to whole minutes
		"DTSTART:20270301T000000Z\r\nDTEND:20270302T000000Z\r\nSTATUS:CANCELLED",
	)
	r, err := load(t, files).FreezeRules("")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Freezes[2].Periods[1:] {
		got = append(got, strings.TrimSpace(p.From.String()+" "+p.To.String()+" "+p.Zone))
	}
	want := []string{
		"2026-12-24 00:00 2026-12-27 00:00", "2027-01-01 09:00 2027-01-01 18:00", "2027-01-15 01:30 2027-01-15 02:00 Asia/Seoul",
		"2027-02-01 00:00 2027-02-02 00:00 UTC",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The same file, as the holidays of a calendar, has no days but the first.
	change{"calendars.yaml", "country: gb", "country: gb\n      files: [hanbit.ics]"}.in(t, files)
	if got := faults(t, files); len(got) != 3 || !strings.Contains(got[0], "hanbit.ics:10:1: event 2") {
		t.Error(got)
	}
}

func TestFaultsOfImportedFreezes(t *testing.T) {
	many := make([]string, 500)
	for n := range many {
		many[n] = "DTSTART;VALUE=DATE:20261224"
	}
	for _, tt := range []struct{ content, want string }{
		{iCalendar("DTSTART:20261224T090000Z\r\nDTEND:20261224T090000Z"), `hanbit.ics:4:1: event 1 "창립기념일": DTEND: want a later time than DTSTART, by at most 366 days`},
		{iCalendar("DTSTART:20261224T090000Z\r\nDTEND:20290101T000000Z"), `hanbit.ics:4:1: event 1 "창립기념일": DTEND: want a later time than DTSTART, by at most 366 days`},
		{iCalendar("DTSTART:20261224T090000Z"), `hanbit.ics:4:1: event 1 "창립기념일": DTEND: missing; want a time, such as DTEND:20261231T180000Z`},
		{iCalendar("DTSTART:20261224T090000Z\r\nDTEND:20261225T090000"), `hanbit.ics:4:1: event 1 "창립기념일": DTSTART in zone "UTC", DTEND in zone "": want one zone`},
		{iCalendar("DTSTART;TZID=Korea Standard Time:20261224T090000\r\nDTEND;TZID=Korea Standard Time:20261225T090000"), `hanbit.ics:4:1: event 1 "창립기념일": DTSTART: TZID "Korea Standard Time": want an IANA time zone, such as Asia/Seoul`},
		{iCalendar("DTSTART:24.12.2026\r\nDTEND:25.12.2026"), `hanbit.ics:4:1: event 1 "창립기념일": DTSTART "24.12.2026": want a time, such as DTSTART:20261231T180000Z, or whole days`},
		{iCalendar("DTSTART;VALUE=DATE:20261224\r\nRRULE:FREQ=YEARLY"), `hanbit.ics:4:1: event 1 "창립기념일": it repeats (RRULE); want an event for every date`},
		{iCalendar(many...), `freezes.yaml:22:5: freeze works: 501 periods; want at most 500: take out those that are over`},
	} {
		files := planned(t)
		change{"freezes.yaml", "    periods:\n", "    files: [hanbit.ics]\n    periods:\n"}.in(t, files)
		files["hanbit.ics"] = tt.content
		if diff := cmp.Diff([]string{tt.want}, faults(t, files)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestWarningsOfFreezes(t *testing.T) {
	files := planned(t)
	files["freezes.yaml"] = `windows:
  - {id: sundays, name: Sundays, hours: [{days: [sun], from: 02:00, to: 06:00}]}
  - {id: spare, name: Spare, hours: [{days: [sun], from: 02:00, to: 06:00}]}
  - {id: once, name: Once, hours: [{dates: [2027-06-05], from: 02:00, to: 06:00}]}
freezes:
  - {id: year-end, name: Year end, of: shopco, reason: sales, hours: [{days: [sun], from: 00:00, to: 24:00}]}
  - {id: spare-too, name: Spare, of: shopco, reason: sales, yearly: [{from: 12-20, to: 01-05}]}
  - {id: over, name: Over, reason: works, periods: [{from: 2026-03-01 00:00, to: 2026-03-02 00:00}]}
  - {id: ended, name: Ended, reason: works, yearly: [{from: 12-20, to: 01-05}], until: 2026-01-05}
`
	change{"customers.yaml", "freezes: [year-end]", "freezes: [year-end]\n        roles: {approver: [engineer]}"}.in(t, files)
	change{"customers.yaml", "        roles:\n          deployer: [schedule:primary, person:yoon]\n", ""}.in(t, files)
	o, err := org.LoadFiles(files, parse(t, "2026-11-26T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range o.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		"customers.yaml:23:13: customer shopco: environment production: role approver means the customer's engineer, and it has neither engineer nor engineers",
		"customers.yaml:23:13: customer shopco: environment production: no change may run there in the next 90 days; want a window that opens outside its freezes",
		"freezes.yaml:3:10: window spare: no environment names it",
		"freezes.yaml:4:10: window once: it does not open in the next 90 days",
		"freezes.yaml:7:10: freeze spare-too: it holds in no environment; want one that names it, or with a service of its partner",
		"freezes.yaml:8:10: freeze over: it lies in the past and holds nothing back in the next two years; want other dates, or take it out",
		"freezes.yaml:9:10: freeze ended: it lies in the past and holds nothing back in the next two years; want other dates, or take it out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A freeze is the same event in every export, whenever it was made.
func TestFreezesICS(t *testing.T) {
	o := published(t, planned(t))
	title := func(r freeze.Reason) string { return string(r.Kind) + " " + r.Name }
	for _, from := range []string{"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"} {
		content, err := o.FreezesICS("shopco", parse(t, from), parse(t, "2027-02-01T00:00:00Z"), title)
		if err != nil {
			t.Fatal(err)
		}
		all := events(t, content)
		want := event{"freeze-year-end-20261219T150000Z@acme", "2026-12-19T15:00:00Z", "2027-01-05T15:00:00Z", "freeze Year end"}
		if !slices.Contains(all, want) {
			t.Errorf("from %s: got %v, want among them %v", from, all, want)
		}
		if night := (event{"window-sundays-20270110T020000Z@acme", "2027-01-10T02:00:00Z", "2027-01-10T06:00:00Z", "window Second Sunday"}); !slices.Contains(all, night) {
			t.Errorf("from %s: got %v, want among them %v", from, all, night)
		}
	}
	if _, err := o.FreezesICS("gone", o.Changed, o.Changed, title); err == nil {
		t.Error("the freezes of a customer that is not there were written")
	}
}

// What never begins or ends does so where the export does.
func TestAFreezeWithoutEndIsCutOff(t *testing.T) {
	files := planned(t)
	change{"freezes.yaml", "hours: [{days: [sun], from: 01:00, to: 02:00}]", "hours: [{days: [mon-sun], from: 00:00, to: 24:00}]"}.in(t, files)
	content, err := published(t, files).FreezesICS("", parse(t, "2027-01-01T00:00:00Z"), parse(t, "2027-02-01T00:00:00Z"),
		func(r freeze.Reason) string { return r.Name })
	if err != nil {
		t.Fatal(err)
	}
	want := event{"freeze-works-begun@acme", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "New switches"}
	if all := events(t, content); !slices.Contains(all, want) {
		t.Errorf("got %v, want among them %v", all, want)
	}
}

// The rules of an environment answer, with the zones and holidays that the folder gives them.
func TestTheRulesOfAnEnvironmentAnswer(t *testing.T) {
	e, _ := load(t, planned(t)).Environment("shopco", "production")
	times, err := freeze.New(e.Rules, nil, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	// The freeze ends on 6 January in Seoul, at 15:00 of the day before in London, where the window opens on a Tuesday at 23:00.
	at := parse(t, "2026-12-24T12:00:00Z")
	if next, ok := times.NextOpen(at, 4*time.Hour); !ok || !next.Equal(parse(t, "2027-01-05T23:00:00Z")) {
		t.Errorf("next open at %s, %t", next, ok)
	}
}

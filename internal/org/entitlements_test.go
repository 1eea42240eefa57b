package org_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/org"
	"muster/internal/supportplan"
)

const entitlements = `entitlement_tables:
  - id: family
    name: {en: Family, ko: 제품군}
    source: "A document: its table"
    columns:
      - {id: small, name: {en: Small, ko: 소형}}
      - {id: large, name: Large}
      - {id: extra, name: Extra, extra: true}
    groups:
      - name: {en: Support, ko: 지원}
        features:
          - {id: enquiry, name: {en: Enquiry, ko: 문의}, in: [included, included, not-included], note: In hours}
          - {id: visit, name: Visit, in: [2 a quarter, unknown, not-included], on_site: true}
      - name: Tools
        features:
          - {id: tool, name: Tool, in: [not-included, option, included]}
    limits:
      - {item: Line, customer: provides, note: {en: Theirs, ko: 고객사}, features: [tool]}
`

const terms = `
    source: A document
    ours: {en: The targets, ko: 목표}
    channels: {phone: office, email: 24x7, on-site: unknown}
    requests:
      enquiry: {respond: 15m}
      change: {respond: 1h, resolve: 2d}
    visits: {per_year: 12, preventive: half-yearly}
    engineer: designated
    entitlements: family
    column: small
    confirm: {within_days: 5, in: office}
    availability:
      - {of: infrastructure, percent: "99.99"}
      - {of: application, percent: "99.9", on_top: true}
    limits:
      - {item: Report, note: Ours}
`

const bought = `
    contract: {visits_per_year: 20, features: [tool]}
    certificates:
      - {name: shop.example, expires: 2199-03-01, contact: desk}
      - {name: "*.shop.example", expires: 2199-03-01, contact: boss, remind: [7d, 90d]}
`

// entitledFiles are a good folder in which a customer is entitled to something.
func entitledFiles(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	files["entitlements.yaml"] = entitlements
	files["support-plans.yaml"] = strings.TrimRight(files["support-plans.yaml"], "\n") + terms
	files["customers.yaml"] = strings.TrimRight(files["customers.yaml"], "\n") + bought
	return files
}

func same(s string) supportplan.Text { return supportplan.Text{English: s, Korean: s} }

func TestWhatACustomerIsEntitledTo(t *testing.T) {
	o := load(t, entitledFiles(t))
	got, err := o.Entitlement("shopco")
	if err != nil {
		t.Fatal(err)
	}
	expires, _ := calendar.ParseDate("2199-03-01")
	included, no := supportplan.Grant{Kind: supportplan.Included}, supportplan.Grant{Kind: supportplan.NotIncluded}
	want := supportplan.Entitlement{
		Terms: supportplan.Terms{
			Source: "A document", Ours: supportplan.Text{English: "The targets", Korean: "목표"}, Coverage: supportplan.AroundTheClock,
			Channels: []supportplan.ChannelHours{
				{Channel: supportplan.ByEmail, Hours: supportplan.AroundTheClock},
				{Channel: supportplan.ByPhone, Hours: "office"},
				{Channel: supportplan.OnSite, Hours: supportplan.UnknownHours},
			},
			Requests: []supportplan.RequestTarget{
				{Kind: "enquiry", Target: supportplan.Respond, Within: 15 * time.Minute},
				{Kind: "change", Target: supportplan.Respond, Within: time.Hour},
				{Kind: "change", Target: supportplan.Resolve, Within: 48 * time.Hour},
			},
			Visits:   &supportplan.Visits{PerYear: 12, Preventive: supportplan.HalfYearly},
			Engineer: supportplan.Designated, Table: "family", Column: "small",
			Availability: []supportplan.Availability{
				{Of: "infrastructure", Percent: "99.99"}, {Of: "application", Percent: "99.9", OnTop: true},
			},
			Limits: []supportplan.Limit{{Item: same("Report"), Note: same("Ours")}},
		},
		Table: supportplan.Table{
			ID: "family", Name: supportplan.Text{English: "Family", Korean: "제품군"}, Source: "A document: its table",
			Columns: []supportplan.Column{
				{ID: "small", Name: supportplan.Text{English: "Small", Korean: "소형"}},
				{ID: "large", Name: same("Large")},
				{ID: "extra", Name: same("Extra"), Extra: true},
			},
			Groups: []supportplan.Group{
				{Name: supportplan.Text{English: "Support", Korean: "지원"}, Features: []supportplan.Feature{
					{
						ID: "enquiry", Name: supportplan.Text{English: "Enquiry", Korean: "문의"}, In: []supportplan.Grant{included, included, no},
						Note: same("In hours"),
					},
					{ID: "visit", Name: same("Visit"), OnSite: true, In: []supportplan.Grant{
						{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: 2, Per: supportplan.Quarter}}, {Kind: supportplan.Unknown}, no,
					}},
				}},
				{Name: same("Tools"), Features: []supportplan.Feature{
					{ID: "tool", Name: same("Tool"), In: []supportplan.Grant{no, {Kind: supportplan.Option}, included}},
				}},
			},
			Limits: []supportplan.Limit{{
				Item: same("Line"), Customer: supportplan.Provides, Note: supportplan.Text{English: "Theirs", Korean: "고객사"},
				Features: []string{"tool"},
			}},
		},
		Contract: supportplan.Contract{
			Customer: "shopco", Plan: "gold", VisitsPerYear: 20, Features: []string{"tool"},
			Certificates: []supportplan.Certificate{
				{Name: "shop.example", Expires: expires, Contact: "desk", Remind: []int{60, 30, 7}},
				{Name: "*.shop.example", Expires: expires, Contact: "boss", Remind: []int{90, 7}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	all := o.Contracts()
	if !slices.IsSortedFunc(all, func(a, b supportplan.Contract) int { return strings.Compare(a.Customer, b.Customer) }) ||
		!slices.ContainsFunc(all, func(c supportplan.Contract) bool { return cmp.Equal(c, want.Contract) }) {
		t.Errorf("all contracts: %+v", all)
	}
	if p, err := o.Plan("gold"); err != nil || p.Name != "Gold" {
		t.Error(p, err)
	}
	if table, err := o.Entitlements("family"); err != nil || table.ID != "family" {
		t.Error(table, err)
	}
}

func TestWhatIsNotThereIsAnError(t *testing.T) {
	o := load(t, entitledFiles(t))
	_, plan := o.Plan("tin")
	_, ofPlan := o.Terms("tin")
	_, table := o.Entitlements("clan")
	_, customer := o.Entitlement("nobody")
	_, hours := o.Open("closed", o.LoadedAt)
	for want, err := range map[string]error{
		`support plan "tin"`: plan, `support plan "tin": not in`: ofPlan, `entitlement table "clan"`: table, `customer "nobody"`: customer,
		`calendar "closed"`: hours,
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s: not in the organisation folder …", err, want)
		}
	}
}

// A folder that says nothing of entitlements is whole, and everything is for a person to decide.
func TestAFolderWithoutEntitlements(t *testing.T) {
	e, err := load(t, good(t)).Entitlement("shopco")
	if err != nil {
		t.Fatal(err)
	}
	v := e.Check(supportplan.Request{Feature: "enquiry", Hours: supportplan.Open{Known: true, Now: true}, Zone: time.UTC})
	if v.Outcome != supportplan.Undecided {
		t.Errorf("got %s, want %s", v.Outcome, supportplan.Undecided)
	}
}

func TestTheHoursOfAPlan(t *testing.T) {
	o := load(t, entitledFiles(t))
	gold, err := o.Terms("gold")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, tc := range []struct {
		channel supportplan.Channel
		at      string
		want    supportplan.Open
	}{
		{supportplan.ByEmail, "2026-11-29T03:00:00Z", supportplan.Open{Known: true, Now: true}},
		{supportplan.Desk, "2026-11-29T03:00:00Z", supportplan.Open{Known: true, Now: true}}, // as the coverage
		{supportplan.OnSite, "2026-11-30T10:00:00Z", supportplan.Open{}},
		{supportplan.ByPhone, "2026-11-30T10:00:00Z", supportplan.Open{Known: true, Now: true}},
		{supportplan.ByPhone, "2026-11-30T12:30:00Z", supportplan.Open{Known: true, Next: at("2026-11-30T13:30:00Z")}},
	} {
		got, err := o.Open(gold.HoursOf(tc.channel), at(tc.at))
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s at %s: %v\n%s", tc.channel, tc.at, err, diff)
		}
	}
}

func entitlementFaults() []faultCase {
	const (
		tables, plans, customers = "entitlements.yaml", "support-plans.yaml", "customers.yaml"

		grants = "included, option, add-on, by-agreement, not-included, unknown, or so many in a period, such as 12 a year"
		number = "a whole number from 1 to 1000"
	)
	return []faultCase{
		{change{tables, "id: family", "id: Family"}, `entitlements.yaml:2:9: entitlement table 1: id "Family": want lower-case letters, digits and hyphens, at most 63, such as web-1
support-plans.yaml:19:19: support plan gold: entitlements "family": no such entitlement table; there are none`},
		{change{tables, "name: {en: Family, ko: 제품군}", "name: {en: Family}"}, `entitlements.yaml:3:11: entitlement table family: name: ko: missing; want a name on one line, of at most 200 characters`},
		{change{tables, "name: {en: Family, ko: 제품군}", "name: [Family]"}, `entitlements.yaml:3:11: entitlement table family: name: got a list; want a name on one line, of at most 200 characters, or {en: …, ko: …}`},
		{change{tables, "    name: {en: Family, ko: 제품군}\n", ""}, `entitlements.yaml:2:5: entitlement table family: name: missing; want a name on one line, of at most 200 characters, or {en: …, ko: …}`},
		{change{tables, "{en: Small, ko: 소형}", "{en: Small, ko: 소형, de: Klein}"}, `entitlements.yaml:6:47: family column small: name: unknown key "de"; known: en, ko`},
		{change{tables, "id: large", "id: small"}, `entitlements.yaml:7:14: family column small: id "small": taken by entitlements.yaml:6`},
		{change{tables, "extra: true", "extra: yes"}, `entitlements.yaml:8:41: family column extra: extra "yes": want true, or not this key`},
		{change{tables, "[included, included, not-included]", "[included, yes, not-included]"}, `entitlements.yaml:12:71: family feature enquiry: in "yes": want ` + grants},
		{change{tables, "2 a quarter", "2 a week"}, `entitlements.yaml:13:43: family feature visit: in "2 a week": want ` + grants},
		{change{tables, "[included, included, not-included]", "[included, included]"}, `entitlements.yaml:12:60: family feature enquiry: in: a list of 2; want 3, one for each column: small, large, extra`},
		{change{tables, "in: [included, included, not-included], ", ""}, `entitlements.yaml:12:13: family feature enquiry: in: missing; want a list`},
		{change{tables, "id: tool", "id: visit"}, `customers.yaml:15:48: customer shopco: contract: features "tool": no such family feature; known: enquiry, visit
entitlements.yaml:16:18: family feature visit: id "visit": taken by entitlements.yaml:13
entitlements.yaml:18:82: entitlement table family: limit 1: features "tool": no such family feature; known: enquiry, visit`},
		{change{tables, "on_site: true", "on_site: false"}, `entitlements.yaml:13:89: family feature visit: on_site "false": want true, or not this key`},
		{change{tables, "note: In hours", `note: ""`}, `entitlements.yaml:12:102: family feature enquiry: note "": want text of at most 1000 characters, or {en: …, ko: …}`},
		{change{tables, "customer: provides", "customer: owns"}, `entitlements.yaml:18:32: entitlement table family: limit 1: customer "owns": want provides, pays or decides`},
		{change{tables, "features: [tool]}", "features: [tool, tool, tol]}"}, `entitlements.yaml:18:88: entitlement table family: limit 1: features "tool": named twice
entitlements.yaml:18:94: entitlement table family: limit 1: features "tol": no such family feature; did you mean tool?`},
		{change{tables, "entitlement_tables:", "tables:"}, `entitlements.yaml:1:1: file: entitlement_tables: missing; want a list
entitlements.yaml:1:1: file: unknown key "tables"; known: entitlement_tables`},

		{change{plans, "phone: office", "phone: offices"}, `support-plans.yaml:13:23: support plan gold: channels: phone "offices": want 24x7, unknown or a calendar; did you mean office?`},
		{change{plans, "phone: office", "fax: office"}, `support-plans.yaml:13:16: support plan gold: channels: unknown key "fax"; known: email, phone, remote, on-site, desk, monitoring`},
		{change{plans, "enquiry: {respond: 15m}", "enquiry: {}"}, `support-plans.yaml:15:16: support plan gold: requests: enquiry: none; want what is promised, such as {respond: 15m}`},
		{change{plans, "enquiry: {respond: 15m}", "enquiry: {respond: 0s, update: 1h}"}, `support-plans.yaml:15:26: support plan gold: requests: enquiry: respond "0s": want a time of more than 0s, such as 90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d
support-plans.yaml:15:30: support plan gold: requests: enquiry: unknown key "update"; known: respond, resolve`},
		{change{plans, "enquiry: {respond: 15m}", "An enquiry: {respond: 15m}"}, `support-plans.yaml:15:7: support plan gold: requests: "An enquiry": want a kind of request in lower-case letters, digits and hyphens, at most 63, such as web-1`},
		{change{plans, "per_year: 12", "per_year: 0"}, `support-plans.yaml:17:24: support plan gold: visits: per_year "0": want ` + number},
		{change{plans, "per_year: 12", "per_year: 12, by_agreement: true"}, `support-plans.yaml:17:13: support plan gold: visits: want per_year: 12, or by_agreement: true where the number stands in each contract`},
		{change{plans, "per_year: 12, ", ""}, `support-plans.yaml:17:13: support plan gold: visits: want per_year: 12, or by_agreement: true where the number stands in each contract`},
		{change{plans, "preventive: half-yearly", "preventive: weekly"}, `support-plans.yaml:17:40: support plan gold: visits: preventive "weekly": want monthly, quarterly, half-yearly, yearly, none or unknown`},
		{change{plans, "engineer: designated", "engineer: kim"}, `support-plans.yaml:18:15: support plan gold: engineer "kim": want designated, pool or unknown`},
		{change{plans, "entitlements: family", "entitlements: familiy"}, `support-plans.yaml:19:19: support plan gold: entitlements "familiy": no such entitlement table; did you mean family?`},
		{change{plans, "    entitlements: family\n", ""}, `customers.yaml:15:47: customer shopco: contract: features: want none, because the support plan names no entitlements
support-plans.yaml:2:5: support plan gold: entitlements: missing; want the ID of an entitlement table`},
		{change{plans, "    column: small\n", ""}, `support-plans.yaml:2:5: support plan gold: column: missing; want the ID of a family column`},
		{change{plans, "column: small", "column: smal"}, `support-plans.yaml:20:13: support plan gold: column "smal": no such family column; did you mean small?`},
		{change{plans, "column: small", "column: extra"}, `support-plans.yaml:20:13: support plan gold: column "extra": it has add-ons; want a level`},
		{change{plans, "within_days: 5", "within_days: 5d"}, `support-plans.yaml:21:28: support plan gold: confirm: within_days "5d": want a number of working days from 1 to 366`},
		{change{plans, "within_days: 5, in: office", "within_days: 5"}, `support-plans.yaml:21:14: support plan gold: confirm: in: missing; want a calendar that says what a working day is, for the coverage is 24x7`},
		{change{plans, "within_days: 5, in: office", "within_days: 5, in: offfice"}, `support-plans.yaml:21:35: support plan gold: confirm: in "offfice": no such calendar; did you mean office?`},
		{change{plans, `percent: "99.99"`, "percent: 99.99%"}, `support-plans.yaml:23:39: support plan gold: availability 1: percent "99.99%": want a percentage with at most four decimals in quotes, such as "99.95"`},
		{change{plans, "on_top: true", "on_top: 1"}, `support-plans.yaml:24:52: support plan gold: availability 2: on_top "1": want true, or not this key`},
		{change{plans, "item: Report, note: Ours", "item: Report, note: Ours, features: [pony]"}, `support-plans.yaml:26:47: support plan gold: limit 1: features "pony": no such family feature; known: enquiry, visit, tool`},
		{change{plans, "ours: {en: The targets, ko: 목표}", "ours: {en: The targets, ko: }"}, `support-plans.yaml:12:29: support plan gold: ours: ko: missing; want text of at most 1000 characters`},

		{change{customers, "visits_per_year: 20", "visits_per_year: many"}, `customers.yaml:15:33: customer shopco: contract: visits_per_year "many": want ` + number},
		{change{customers, "features: [tool]", "features: [tol]"}, `customers.yaml:15:48: customer shopco: contract: features "tol": no such family feature; did you mean tool?`},
		{change{customers, "support_plan: gold", "support_plan: gould"}, `customers.yaml:5:19: customer shopco: support_plan "gould": no such support plan; did you mean gold?`},
		{change{customers, "expires: 2199-03-01, contact: desk", "expires: 1 March, contact: disk"}, `customers.yaml:17:39: customer shopco: certificate 1: expires "1 March": want a date, such as 2026-12-31
customers.yaml:17:57: customer shopco: certificate 1: contact "disk": no such customer shopco: contact; did you mean desk?`},
		{change{customers, "remind: [7d, 90d]", "remind: [7, 7d, 7d]"}, `customers.yaml:18:79: customer shopco: certificate 2: remind "7": want a number of days from 1d to 366d, such as 30d
customers.yaml:18:86: customer shopco: certificate 2: remind "7d": named twice`},
	}
}

func TestFaultsOfEntitlements(t *testing.T) {
	for _, tt := range entitlementFaults() {
		t.Run(tt.file+" "+tt.old+" to "+tt.new, func(t *testing.T) {
			files := entitledFiles(t)
			tt.in(t, files)
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), faults(t, files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// "unknown" says that nobody knows the hours, so that no calendar can be called so where a channel says it.
func TestACalendarCannotBeCalledUnknown(t *testing.T) {
	files := entitledFiles(t)
	files["calendars/more.yaml"] = "calendars:\n  - {id: unknown, name: Unknown, hours: [{days: [mon], from: 09:00, to: 10:00}]}\n"
	want := []string{`calendars/more.yaml:2:10: calendar unknown: id "unknown": it means that nobody knows the hours; want another name`}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

// Warnings of certificates go by the day that it is in the organisation's zone.
func TestCertificatesThatExpireAreWarnedOf(t *testing.T) {
	for _, tc := range []struct{ now, want string }{
		{"2027-01-29T14:59:59Z", ""}, // 31 days before, in Seoul
		{"2027-01-29T15:00:00Z", "it expires on 2027-03-01, in 30 days; the customer has to renew it"},
		{"2027-02-27T15:00:00Z", "it expires on 2027-03-01, in 1 day; the customer has to renew it"},
		{"2027-03-01T14:59:59Z", "it expires on 2027-03-01, in 0 days; the customer has to renew it"},
		{"2027-03-01T15:00:00Z", "it has expired on 2027-03-01; want the date of the one that has replaced it"},
	} {
		files := entitledFiles(t)
		change{"customers.yaml", "expires: 2199-03-01, contact: desk", "expires: 2027-03-01, contact: desk"}.in(t, files)
		now, err := time.Parse(time.RFC3339, tc.now)
		if err != nil {
			t.Fatal(err)
		}
		o, err := org.LoadFiles(files, now)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range o.Warnings {
			if strings.Contains(w.Text, "certificate") {
				got = append(got, w.String())
			}
		}
		var want []string
		if tc.want != "" {
			want = []string{"customers.yaml:17:9: customer shopco: certificate shop.example: " + tc.want}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %s\n%s", tc.now, diff)
		}
	}
}

// FuzzEntitlements puts any text in place of an entitlement table or of what refers to it.
func FuzzEntitlements(f *testing.F) {
	files := entitledFiles(f)
	names := []string{"entitlements.yaml", "support-plans.yaml", "customers.yaml"}
	for n, name := range names {
		f.Add(n, files[name])
		for _, tt := range entitlementFaults() {
			if tt.file == name {
				f.Add(n, strings.Replace(files[name], tt.old, tt.new, 1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, n int, content string) {
		if n < 0 || n >= len(names) {
			return
		}
		changed := maps.Clone(files)
		changed[names[n]] = content
		o, err := org.LoadFiles(changed, time.Unix(0, 0))
		if (o == nil) == (err == nil) {
			t.Fatal(o, err)
		}
		if err != nil {
			return
		}
		for _, id := range []string{"shopco"} {
			e, err := o.Entitlement(id)
			if err != nil {
				return // the fuzzer has renamed the customer
			}
			for _, feature := range slices.Concat(e.Table.Features(), []string{"none"}) {
				v := e.Check(supportplan.Request{Feature: feature, At: o.LoadedAt, Zone: o.Zone, Hours: supportplan.Open{Known: true, Now: true}})
				if len(v.Reasons) == 0 || v.Approval != (v.Outcome != supportplan.Covered) {
					t.Errorf("%s: %+v", feature, v)
				}
			}
		}
	})
}

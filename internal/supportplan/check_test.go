package supportplan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/supportplan"
)

func grant(t testing.TB, s string) supportplan.Grant {
	t.Helper()
	g, err := supportplan.ParseGrant(s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// table has two levels and a column of add-ons, with one row for each way in which they can differ.
func table(t testing.TB) supportplan.Table {
	t.Helper()
	row := func(id string, grants ...string) supportplan.Feature {
		f := supportplan.Feature{ID: id, OnSite: id == "visit" || id == "lost-visit"}
		for _, g := range grants {
			f.In = append(f.In, grant(t, g))
		}
		return f
	}
	return supportplan.Table{
		ID:      "family",
		Columns: []supportplan.Column{{ID: "small"}, {ID: "large"}, {ID: "extra", Extra: true}},
		Groups: []supportplan.Group{
			{Features: []supportplan.Feature{
				row("enquiry", "included", "included", "not-included"),
				row("night", "not-included", "included", "not-included"),
				row("tool", "not-included", "not-included", "included"),
				row("nothing", "not-included", "not-included", "not-included"),
				row("half-lost", "not-included", "unknown", "unknown"),
			}},
			{Features: []supportplan.Feature{
				row("lost", "unknown", "included", "included"),
				row("choice", "option", "included", "not-included"),
				row("paid", "add-on", "add-on", "not-included"),
				row("talk", "by-agreement", "included", "not-included"),
				row("drill", "3 a quarter", "included", "not-included"),
				row("visit", "included", "included", "not-included"),
				row("lost-visit", "unknown", "unknown", "unknown"),
			}},
		},
		Limits: []supportplan.Limit{
			{Item: supportplan.Text{English: "Tool"}, Features: []string{"tool", "drill"}},
			{Item: supportplan.Text{English: "Visit"}, Features: []string{"visit"}},
		},
	}
}

func TestWhatIsCovered(t *testing.T) {
	open, closed := supportplan.Open{Known: true, Now: true}, supportplan.Open{Known: true, Next: after(60)}
	twelve := &supportplan.Visits{PerYear: 12}
	for _, tc := range []struct {
		name, feature string
		hours         supportplan.Open
		visits        *supportplan.Visits
		contract      supportplan.Contract
		used          int // negative: nobody has counted
		outcome       supportplan.Outcome
		reasons       string
		offers        string
	}{
		{"included", "enquiry", open, nil, supportplan.Contract{}, 0, supportplan.Covered, "included in-hours", ""},
		{"included, and at night", "enquiry", closed, nil, supportplan.Contract{}, 0, supportplan.Outside, "included out-of-hours", "wait"},
		{"included, and nobody knows the hours", "enquiry", supportplan.Open{}, nil, supportplan.Contract{}, 0, supportplan.Undecided, "included hours-unknown", ""},
		{"only in a larger level", "night", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "not-included in-hours", "level"},
		{"only in a larger level, and at night", "night", closed, nil, supportplan.Contract{}, 0, supportplan.Outside, "not-included out-of-hours", "level wait"},
		{"only in the column of add-ons", "tool", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "add-on in-hours", "add-on"},
		{"an add-on that was bought", "tool", open, nil, supportplan.Contract{Features: []string{"tool"}}, 0, supportplan.Covered, "contracted in-hours", ""},
		{"nowhere", "nothing", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "not-included in-hours", ""},
		{"what is unknown elsewhere is not offered", "half-lost", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "not-included in-hours", ""},
		{"unknown here, whatever the others have", "lost", open, nil, supportplan.Contract{}, 0, supportplan.Undecided, "unknown in-hours", ""},
		{"unknown, and at night", "lost", closed, nil, supportplan.Contract{}, 0, supportplan.Outside, "unknown out-of-hours", "wait"},
		{"no such row", "pony", open, nil, supportplan.Contract{}, 0, supportplan.Undecided, "no-feature in-hours", ""},
		{"an option", "choice", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "option in-hours", "option level"},
		{"an option that was chosen", "choice", open, nil, supportplan.Contract{Features: []string{"choice"}}, 0, supportplan.Covered, "contracted in-hours", ""},
		{"an add-on of every level", "paid", open, nil, supportplan.Contract{}, 0, supportplan.Outside, "add-on in-hours", "add-on"},
		{"by agreement", "talk", open, nil, supportplan.Contract{}, 0, supportplan.Undecided, "by-agreement in-hours", "agreement"},
		{"by agreement, and agreed", "talk", open, nil, supportplan.Contract{Features: []string{"talk"}}, 0, supportplan.Covered, "contracted in-hours", ""},
		{"the last of a quota", "drill", open, nil, supportplan.Contract{}, 2, supportplan.Covered, "quota-left in-hours", ""},
		{"one more than a quota", "drill", open, nil, supportplan.Contract{}, 3, supportplan.Outside, "quota-used-up in-hours", "level"},
		{"many more", "drill", open, nil, supportplan.Contract{}, 30, supportplan.Outside, "quota-used-up in-hours", "level"},
		{"nobody has counted", "drill", open, nil, supportplan.Contract{}, -1, supportplan.Undecided, "quota-uncounted in-hours", ""},
		{"the last visit", "visit", open, twelve, supportplan.Contract{}, 11, supportplan.Covered, "included visits-left in-hours", ""},
		{"one visit more", "visit", open, twelve, supportplan.Contract{}, 12, supportplan.Outside, "included visits-used-up in-hours", "agreement"},
		{"more visits by contract", "visit", open, twelve, supportplan.Contract{VisitsPerYear: 13}, 12, supportplan.Covered, "included visits-left in-hours", ""},
		{"nobody has counted the visits", "visit", open, twelve, supportplan.Contract{}, -1, supportplan.Undecided, "included visits-uncounted in-hours", ""},
		{"visits by agreement, and no number", "visit", open, &supportplan.Visits{ByAgreement: true}, supportplan.Contract{}, 0, supportplan.Outside, "included visits-by-agreement in-hours", "agreement"},
		{"visits by agreement, with a number", "visit", open, &supportplan.Visits{ByAgreement: true}, supportplan.Contract{VisitsPerYear: 6}, 5, supportplan.Covered, "included visits-left in-hours", ""},
		{"a plan without a word of visits", "visit", open, nil, supportplan.Contract{}, 0, supportplan.Undecided, "included no-visits in-hours", ""},
		{"a lost row, and no visit left", "lost-visit", open, twelve, supportplan.Contract{}, 12, supportplan.Outside, "unknown visits-used-up in-hours", "agreement"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := supportplan.Entitlement{
				Terms: supportplan.Terms{Table: "family", Column: "small", Visits: tc.visits}, Table: table(t), Contract: tc.contract,
			}
			used := supportplan.Count{Known: tc.used >= 0, N: max(tc.used, 0)}
			v := e.Check(supportplan.Request{
				Feature: tc.feature, At: start, Zone: time.UTC, Hours: tc.hours, Used: used, Visited: used,
			})
			if v.Outcome != tc.outcome || v.Approval != (tc.outcome != supportplan.Covered) {
				t.Errorf("got %s, approval %v; want %s", v.Outcome, v.Approval, tc.outcome)
			}
			if got := reasons(v); got != tc.reasons {
				t.Errorf("because of %s; want %s", got, tc.reasons)
			}
			if got := offers(v); got != tc.offers {
				t.Errorf("offers %s; want %s", got, tc.offers)
			}
		})
	}
}

func reasons(v supportplan.Verdict) string {
	var kinds []string
	for _, r := range v.Reasons {
		kinds = append(kinds, string(r.Kind))
	}
	return strings.Join(kinds, " ")
}

func offers(v supportplan.Verdict) string {
	var kinds []string
	for _, o := range v.Offers {
		kinds = append(kinds, string(o.Kind))
	}
	return strings.Join(kinds, " ")
}

func TestAVerdictHasTheFacts(t *testing.T) {
	e := supportplan.Entitlement{Terms: supportplan.Terms{Column: "small"}, Table: table(t)}
	got := e.Check(supportplan.Request{
		Feature: "drill", At: start, Zone: time.UTC, Hours: supportplan.Open{Known: true, Next: after(60)},
		Used: supportplan.Count{Known: true, N: 4}, Visited: supportplan.Count{Known: true, N: 6},
	})
	quarter := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	want := supportplan.Verdict{
		Outcome: supportplan.Outside, Approval: true,
		Reasons: []supportplan.Reason{
			{Kind: supportplan.ReasonQuotaUsedUp, Quota: supportplan.Quota{Count: 3, Per: supportplan.Quarter}, Used: 4, From: quarter, To: quarter.AddDate(0, 3, 0)},
			{Kind: supportplan.ReasonOutOfHours, Opens: after(60)},
		},
		Offers: []supportplan.Offer{{Kind: supportplan.OfferLevel, Columns: []string{"large"}}, {Kind: supportplan.OfferWait, Opens: after(60)}},
		Limits: []supportplan.Limit{{Item: supportplan.Text{English: "Tool"}, Features: []string{"tool", "drill"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A plan without a table promises no feature, and denies none.
func TestWithoutATableAPersonDecides(t *testing.T) {
	v := supportplan.Entitlement{}.Check(supportplan.Request{Feature: "enquiry", At: start, Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: true}})
	if v.Outcome != supportplan.Undecided || reasons(v) != "no-feature in-hours" {
		t.Errorf("got %s because of %s", v.Outcome, reasons(v))
	}
}

// Whatever the table, the plan and the contract say: a request goes ahead alone only when nothing speaks against it and
// nothing is unknown.
func TestNothingIsCoveredByGuessing(t *testing.T) {
	kinds := []string{"included", "not-included", "option", "add-on", "by-agreement", "unknown", "2 a month"}
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) string { return rapid.SampledFrom(kinds).Draw(rt, name) }
		here, there, extra := draw("here"), draw("there"), draw("extra")
		f := supportplan.Feature{ID: "f", OnSite: rapid.Bool().Draw(rt, "on site"), In: []supportplan.Grant{grant(t, here), grant(t, there), grant(t, extra)}}
		x := table(t)
		x.Groups = []supportplan.Group{{Features: []supportplan.Feature{f}}}
		visits := rapid.SampledFrom([]*supportplan.Visits{nil, {PerYear: 2}, {ByAgreement: true}}).Draw(rt, "visits")
		open := supportplan.Open{Known: rapid.Bool().Draw(rt, "known"), Now: rapid.Bool().Draw(rt, "open")}
		count := func(of string) supportplan.Count {
			return supportplan.Count{Known: rapid.Bool().Draw(rt, of+" counted"), N: rapid.IntRange(0, 3).Draw(rt, of)}
		}
		used, visited := count("used"), count("visited")
		e := supportplan.Entitlement{Terms: supportplan.Terms{Column: "small", Visits: visits}, Table: x}
		v := e.Check(supportplan.Request{Feature: "f", At: start, Zone: time.UTC, Hours: open, Used: used, Visited: visited})
		may, mayVisit := used.Known && used.N < 2, visited.Known && visited.N < 2
		want := open.Known && open.Now &&
			(here == "included" || here == "2 a month" && may) &&
			(!f.OnSite || visits != nil && visits.PerYear > 0 && mayVisit)
		if got := v.Outcome == supportplan.Covered; got != want || v.Approval == got {
			rt.Fatalf("%s, approval %v, because of %s; want covered: %v", v.Outcome, v.Approval, reasons(v), want)
		}
		for _, o := range v.Offers {
			if o.Kind == supportplan.OfferLevel && there != "included" || o.Kind == supportplan.OfferAddOn && here != "add-on" && extra != "included" {
				rt.Fatalf("offers %s, and the others have %s, %s", o.Kind, there, extra)
			}
		}
	})
}

func TestOpenAt(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	from, _ := calendar.ParseTimeOfDay("09:00")
	to, _ := calendar.ParseTimeOfDay("17:00")
	c, err := calendar.New(calendar.Rules{
		ID: "office", Zone: zone.String(), Weekly: []calendar.Weekly{{Days: calendar.Weekdays()[:5], Hours: calendar.Hours{From: from, To: to}}},
	}, zone)
	if err != nil {
		t.Fatal(err)
	}
	monday := time.Date(2026, 11, 30, 9, 0, 0, 0, zone)
	for at, want := range map[time.Time]supportplan.Open{
		monday:                      {Known: true, Now: true},
		monday.Add(8 * time.Hour):   {Known: true, Next: monday.AddDate(0, 0, 1)},
		monday.Add(-40 * time.Hour): {Known: true, Next: monday},
	} {
		if diff := cmp.Diff(want, supportplan.OpenAt(c, at)); diff != "" {
			t.Errorf("%s\n%s", at, diff)
		}
	}
}

func TestTheHoursOfAChannel(t *testing.T) {
	terms := supportplan.Terms{Coverage: "office", Channels: []supportplan.ChannelHours{
		{Channel: supportplan.ByPhone, Hours: supportplan.UnknownHours}, {Channel: supportplan.Monitoring, Hours: supportplan.AroundTheClock},
	}}
	for c, want := range map[supportplan.Channel]string{supportplan.ByPhone: "", supportplan.Monitoring: "", supportplan.ByEmail: "office", "": "office"} {
		id, named := terms.HoursOf(c).Calendar()
		if named != (want != "") || named && id != want {
			t.Errorf("%q: calendar %q, %v; want %q", c, id, named, want)
		}
	}
}

func TestEveryReasonHasAnOutcome(t *testing.T) {
	seen := map[supportplan.ReasonKind]bool{}
	for _, k := range supportplan.ReasonKinds() {
		if seen[k] || !slices.Contains(supportplan.Outcomes(), k.Outcome()) {
			t.Errorf("%s: listed twice, or without an outcome", k)
		}
		seen[k] = true
	}
	if got := supportplan.ReasonKind("news").Outcome(); got != supportplan.Undecided {
		t.Errorf("a reason that this version does not know: %s, want that a person decides", got)
	}
}

func TestReminders(t *testing.T) {
	date := func(s string) calendar.Date {
		d, err := calendar.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	shop := supportplan.Certificate{Name: "shop", Expires: date("2027-03-01"), Contact: "desk", Remind: []int{60, 30, 7}}
	mail := supportplan.Certificate{Name: "mail", Expires: date("2027-02-05"), Contact: "desk", Remind: []int{6}}
	for _, tc := range []struct{ from, to, want string }{
		{"2026-12-30", "2026-12-31", ""},
		{"2026-12-31", "2027-01-01", "shop 60"},
		{"2027-01-01", "2027-01-30", ""},
		{"2027-01-30", "2027-01-31", "shop 30, mail 6"}, // of one day, in the order of the certificates
		{"2027-02-22", "2027-02-23", "shop 7"},
		{"2027-02-23", "2027-03-01", ""},
		{"2027-03-01", "2027-03-02", "shop 0"}, // the day itself, whatever it says
		{"2027-03-02", "2027-06-01", ""},
		{"2026-12-30", "2026-12-30", ""}, // no day at all
		{"2026-01-01", "2028-01-01", "shop 60, shop 30, mail 6, mail 0, shop 7, shop 0"},
	} {
		var due []string
		for _, r := range supportplan.Reminders([]supportplan.Certificate{shop, mail}, date(tc.from), date(tc.to)) {
			due = append(due, fmt.Sprint(r.Certificate.Name, " ", r.Days))
			if r.On+calendar.Date(r.Days) != r.Certificate.Expires {
				t.Errorf("%s: %d days before %s is not %s", r.Certificate.Name, r.Days, r.Certificate.Expires, r.On)
			}
		}
		if got := strings.Join(due, ", "); got != tc.want {
			t.Errorf("from %s until before %s: %q, want %q", tc.from, tc.to, got, tc.want)
		}
	}
}

// Days that follow one another remind of everything, and of nothing twice.
func TestRemindersOfDaysThatFollowOneAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []supportplan.Certificate
		for range rapid.IntRange(0, 4).Draw(t, "certificates") {
			all = append(all, supportplan.Certificate{
				Expires: calendar.Date(rapid.IntRange(20_000, 20_100).Draw(t, "expires")),
				Remind:  rapid.SliceOfNDistinct(rapid.IntRange(1, 60), 0, 4, rapid.ID).Draw(t, "remind"),
			})
		}
		from, to := calendar.Date(19_930), calendar.Date(20_110)
		var daily []supportplan.Reminder
		for d := from; d < to; {
			next := min(d+calendar.Date(rapid.IntRange(1, 40).Draw(t, "days")), to)
			daily = append(daily, supportplan.Reminders(all, d, next)...)
			d = next
		}
		if diff := cmp.Diff(supportplan.Reminders(all, from, to), daily); diff != "" {
			t.Fatal(diff)
		}
		want := 0
		for _, c := range all {
			want += len(c.Remind) + 1 // and the day itself
		}
		if len(daily) != want {
			t.Fatalf("%d reminders of %d", len(daily), want)
		}
	})
}

// What a request keeps of an entitlement, counted later, decides as the whole of it would have at once.
func TestCountingLaterIsTheSame(t *testing.T) {
	whole := supportplan.Entitlement{
		Terms: supportplan.Terms{Column: "small", Visits: &supportplan.Visits{PerYear: 3}, Requests: []supportplan.RequestTarget{
			{Kind: "help", Target: supportplan.Respond, Within: time.Hour},
		}},
		Table: table(t),
	}
	features := append(whole.Table.Features(), "", "pony")
	rapid.Check(t, func(rt *rapid.T) {
		e := whole
		if rapid.Bool().Draw(rt, "bought") {
			e.Contract.Features = []string{"choice", "tool"}
		}
		count := func(name string) supportplan.Count {
			return supportplan.Count{Known: rapid.Bool().Draw(rt, name+" known"), N: rapid.IntRange(0, 5).Draw(rt, name)}
		}
		r := supportplan.Request{
			Kind: rapid.SampledFrom([]string{"help", "other"}).Draw(rt, "kind"), Feature: rapid.SampledFrom(features).Draw(rt, "feature"),
			At: after(0), Zone: time.UTC, Hours: supportplan.Open{Known: true, Now: rapid.Bool().Draw(rt, "open")},
		}
		used, visited := count("used"), count("visited")
		later := e.Of(r.Kind, r.Feature).Count(e.Check(r), r.Feature, used, visited)
		r.Used, r.Visited = used, visited
		if d := cmp.Diff(e.Check(r), later); d != "" {
			rt.Fatalf("at once and later (-want +got):\n%s", d)
		}
	})
}

// A kind of request that the plan promises something for is included; nothing is said of another.
func TestARequestWithoutAFeature(t *testing.T) {
	e := supportplan.Entitlement{Terms: supportplan.Terms{Coverage: "office", Requests: []supportplan.RequestTarget{
		{Kind: "help", Target: supportplan.Respond, Within: time.Hour},
	}}}
	for kind, want := range map[string]supportplan.ReasonKind{"help": supportplan.ReasonIncluded, "other": supportplan.ReasonNoFeature} {
		if v := e.Check(supportplan.Request{Kind: kind, Hours: supportplan.Open{Known: true, Now: true}}); v.Reasons[0].Kind != want {
			t.Errorf("%s: got %+v, want %s", kind, v, want)
		}
	}
	if p := e.Terms.Promises("help"); len(p) != 1 || p[0].Calendar != "office" || len(e.Terms.Promises("other")) != 0 {
		t.Errorf("got %+v", p)
	}
}

package org_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// What follows are facts of published documents, written down once more: the shipped families must say the same.

// carepackLevels has, of each level: respond time, hours of e-mail and of the customer centre, visits, preventive check. What is
// in brackets is our reading of a table that has three values for four levels, and the last of them is lost.
const carepackLevels = `
carepack-premium       2h0m0s 24x7          by-agreement (monthly)
carepack-standard-plus 4h0m0s weekdays-24h  by-agreement (quarterly)
carepack-standard-12   4h0m0s weekdays-9-17 12           (quarterly)
carepack-standard-3    8h0m0s weekdays-9-17 3            (unknown)
`

// carepackRows has, of each row: C, which prose gives to every level; O, an option of every level; U, whose marks are lost.
const carepackRows = `
online-support C
customer-centre C
product-updates C
notices C
installation-standard C
installation C
installation-report C
installation-configuration C
designated-engineer U
remote-support U
emergency-remote-support U
visit V
emergency-visit V
remote-preventive-check U
on-site-preventive-check U
support-history U
bug-and-patch-notices U
update-help U
configuration-change U
periodic-report U
replacement U
system-analysis U
performance-and-recovery-drill U
third-party-integration U
incident-support C
vendor-visit U
redundancy O
custom-service U
operator-training U
`

// cloudonRows has, of each row of the table: its number, its ID here, how many marks the document has, and whose they are:
// S Standard, P Premium, A add-on. Those with ? are inferred, which is not known.
const cloudonRows = `
 1 enquiries                 2 SP
 2 incident-case             2 SP
 3 premium-support-case      2 SP
 4 out-of-hours-support      1 P
 5 monthly-check-report      2 SP
 6 performance-report        1 A?
 7 operations-review         1 P?
 8 work-and-incident-report  2 SP
 9 asset-history             1 P?
10 asset-tagging             1 P?
11 vm-state                  3 SPA
12 vm-start-stop             2 SP
13 disk-state                2 SP
14 azure-backup              2 SP
15 vm-image                  2 SP
16 azure-alerts              2 SP
17 os-setup                  2 SP
18 application-installation  2 SP
19 snapshot-backup           1 P?
20 vm-recovery               1 P?
21 disaster-recovery         1 P?
22 storage-account           2 SP
23 file-storage              2 SP
24 table-storage             2 SP
25 queue-storage             2 SP
26 subnet                    2 SP
27 routing                   2 SP
28 nsg                       2 SP
29 peering                   2 SP
30 vpn                       2 SP
31 expressroute              1 P?
32 cdn                       1 P?
33 dns                       2 SP
34 dns-backup                2 SP
35 load-balancer             2 SP
36 app-gateway               2 SP
37 traffic-manager           2 SP
38 public-ip                 2 SP
39 firewall                  3 SPA
40 waf                       3 SPA
41 console-accounts          2 SP
42 azure-ad                  2 SP
43 role-and-policy           2 SP
44 nsg-setup                 2 SP
45 ddos                      2 SP
46 firewall-logs             1 P?
47 waf-logs                  1 P?
48 console-audit-log         1 P?
49 staff-monitoring          1 P
50 vm-tool-monitoring        1 A
51 alert-rules               2 SP
52 dashboard                 2 SP
53 activity-log              2 SP
54 diagnostic-log            2 SP
55 incident-notification     2 SP
56 platform-events           2 SP
57 rdb-installation          2 SP
58 high-availability         1 P
59 db-migration              1 P?
60 paas-db-instance          2 SP
61 paas-db-pool              2 SP
62 redis                     2 SP
63 cosmos-db                 1 A?
64 external-waf              1 A?
65 intrusion-detection       1 A?
66 antivirus                 1 A?
67 ips-ids                   1 A?
68 malware-analysis          1 A?
69 event-watch               1 A?
70 incident-monitoring       1 A?
71 vm-incident-report        1 A?
72 integrated-events         1 A?
73 app-insights              1 A?
74 log-analytics             1 A?
75 monitor-logs              1 A?
76 aks-performance           1 A?
77 aks-incidents             1 A?
78 devops                    1 A?
79 ci-cd                     1 A?
80 iot                       1 A?
81 extra-backup              1 A?
82 db-optimisation           1 A?
83 apm                       1 A?
`

func shipped(t *testing.T) *org.Organisation {
	t.Helper()
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// fields splits a table into its rows and cells.
func fields(table string) (rows [][]string) {
	for line := range strings.Lines(strings.TrimSpace(table)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// responds returns what a plan promises beside the respond time, and that at each priority.
func responds(t *testing.T, o *org.Organisation, plan string) (within []time.Duration) {
	t.Helper()
	p, err := o.Plan(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range p.Promises {
		if x.Target != supportplan.Respond {
			t.Errorf("%s: promises %s, of which the source says nothing", plan, x.Target)
		}
	}
	for _, pr := range priority.All() {
		n := slices.IndexFunc(p.Promises, func(x supportplan.Promise) bool { return x.Priority == pr })
		if n < 0 {
			t.Fatalf("%s: nothing for %s", plan, pr)
		}
		within = append(within, p.Promises[n].Within)
	}
	return within
}

func ofPlan(t *testing.T, o *org.Organisation, plan string) supportplan.Terms {
	t.Helper()
	terms, err := o.Terms(plan)
	if err != nil {
		t.Fatal(err)
	}
	if terms.Source == "" || terms.Ours == (supportplan.Text{}) {
		t.Errorf("%s: want its source, and what is ours", plan)
	}
	return terms
}

func TestTheCarepackLevels(t *testing.T) {
	o := shipped(t)
	var got strings.Builder
	got.WriteByte('\n')
	for _, row := range fields(carepackLevels) {
		plan := row[0]
		within := slices.Compact(responds(t, o, plan))
		if len(within) != 1 {
			t.Errorf("%s: %v; want one time for all priorities", plan, within)
		}
		x := ofPlan(t, o, plan)
		visits := fmt.Sprint(x.Visits.PerYear)
		if x.Visits.ByAgreement {
			visits = "by-agreement"
		}
		fmt.Fprintf(&got, "%-22s %s %-13s %-12s (%s)\n", plan, within[0], x.HoursOf(supportplan.ByEmail), visits, x.Visits.Preventive)
		if a, b := x.HoursOf(supportplan.ByEmail), x.HoursOf(supportplan.Desk); a != b {
			t.Errorf("%s: e-mail %s, customer centre %s; the document has the same", plan, a, b)
		}
		for _, c := range []supportplan.Channel{supportplan.ByPhone, supportplan.Remote, supportplan.OnSite} {
			if h := x.HoursOf(c); h != supportplan.UnknownHours {
				t.Errorf("%s: hours of %s: %s; the cell is lost", plan, c, h)
			}
		}
		if x.Engineer != supportplan.UnknownEngineer || x.Table != "carepack" || x.Column != strings.TrimPrefix(plan, "carepack-") {
			t.Errorf("%s: engineer %s, column %s of %s", plan, x.Engineer, x.Column, x.Table)
		}
	}
	if diff := cmp.Diff(carepackLevels, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTheCarepackTable(t *testing.T) {
	table, err := shipped(t).Entitlements("carepack")
	if err != nil {
		t.Fatal(err)
	}
	letters := map[string]string{"C": "included", "O": "option", "U": "unknown", "V": "unknown"}
	var got, want []string
	for _, row := range fields(carepackRows) {
		want = append(want, row[0]+strings.Repeat(" "+letters[row[1]], 4)+fmt.Sprint(" ", row[1] == "V"))
	}
	for _, id := range table.Features() {
		f, _ := table.Feature(id)
		line := id
		for _, g := range f.In {
			line += " " + g.String()
		}
		got = append(got, fmt.Sprint(line, " ", f.OnSite))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheCloudONTable(t *testing.T) {
	table, err := shipped(t).Entitlements("cloudon")
	if err != nil {
		t.Fatal(err)
	}
	rows := fields(cloudonRows)
	if len(rows) != 83 || len(table.Features()) != 83 || len(table.Columns) != 3 || !table.Columns[2].Extra {
		t.Fatalf("%d rows, %d features, columns %v; want 83, 83 and three, the last of add-ons", len(rows), len(table.Features()), table.Columns)
	}
	for n, row := range rows {
		f, _ := table.Feature(table.Features()[n])
		number, id, marks, letters := row[0], row[1], row[2], row[3]
		if fmt.Sprint(n+1) != number || id != f.ID || marks != fmt.Sprint(len(strings.TrimSuffix(letters, "?"))) {
			t.Errorf("row %d is %s; want %v", n+1, f.ID, row)
		}
		for c, letter := range []string{"S", "P", "A"} {
			want := supportplan.NotIncluded
			switch {
			case strings.HasSuffix(letters, "?"):
				want = supportplan.Unknown
			case strings.Contains(letters, letter):
				want = supportplan.Included
			}
			if got := f.In[c].Kind; got != want {
				t.Errorf("row %s, %s: %s of %s; want %s", number, id, got, table.Columns[c].ID, want)
			}
		}
	}
	if n := len(table.Limits); n != 18 {
		t.Errorf("%d limits; want 18", n)
	}
}

func TestTheCloudONLevels(t *testing.T) {
	o := shipped(t)
	for _, tc := range []struct {
		plan, column string
		within       time.Duration
		hours        supportplan.Hours
		engineer     supportplan.Engineer
	}{
		{"cloudon-standard", "standard", time.Hour, "weekdays-9-17", supportplan.Pool},
		{"cloudon-premium", "premium", 15 * time.Minute, supportplan.AroundTheClock, supportplan.Designated},
	} {
		x := ofPlan(t, o, tc.plan)
		want := []supportplan.RequestTarget{{Kind: "enquiry", Target: supportplan.Respond, Within: tc.within}}
		if diff := cmp.Diff(want, x.Requests); diff != "" {
			t.Errorf("%s\n%s", tc.plan, diff)
		}
		for _, c := range []supportplan.Channel{supportplan.ByEmail, supportplan.ByPhone, supportplan.Monitoring} {
			if h := x.HoursOf(c); h != tc.hours {
				t.Errorf("%s: hours of %s: %s; want %s", tc.plan, c, h, tc.hours)
			}
		}
		if x.Engineer != tc.engineer || x.Table != "cloudon" || x.Column != tc.column {
			t.Errorf("%s: engineer %s, column %s of %s", tc.plan, x.Engineer, x.Column, x.Table)
		}
		if !strings.Contains(x.Ours.English, "The respond times of incidents") {
			t.Errorf("%s: does not say that the targets of incidents are ours", tc.plan)
		}
		responds(t, o, tc.plan)
	}
}

func TestTheAdobePlans(t *testing.T) {
	o := shipped(t)
	for _, tc := range []struct {
		plan         string
		p1           time.Duration
		availability []supportplan.Availability
	}{
		{"adobe-cloud", time.Hour, []supportplan.Availability{{Of: "infrastructure", Percent: "99.99"}}},
		{"adobe-managed", 15 * time.Minute, []supportplan.Availability{
			{Of: "infrastructure", Percent: "99.99"}, {Of: "application", Percent: "99.9", OnTop: true},
		}},
	} {
		x := ofPlan(t, o, tc.plan)
		if p1 := responds(t, o, tc.plan)[0]; p1 != tc.p1 {
			t.Errorf("%s: P1 within %s; want %s", tc.plan, p1, tc.p1)
		}
		if diff := cmp.Diff(tc.availability, x.Availability); diff != "" {
			t.Errorf("%s\n%s", tc.plan, diff)
		}
		if !strings.HasPrefix(x.Ours.English, "Every target but that of P1") {
			t.Errorf("%s: does not say that the other targets are ours", tc.plan)
		}
	}
}

// The hours of the Carepack, by when a first answer is due.
func TestWhenTheCarepackIsDue(t *testing.T) {
	o := shipped(t)
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, o.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, tc := range []struct{ plan, received, due string }{
		{"carepack-standard-3", "2026-11-23 09:00", "2026-11-23 17:00"}, // at closing, not on the next morning
		{"carepack-standard-3", "2026-11-23 09:01", "2026-11-24 09:01"},
		{"carepack-standard-3", "2026-11-28 10:00", "2026-11-30 17:00"},
		{"carepack-standard-3", "2026-11-27 16:00", "2026-11-30 16:00"},
		{"carepack-standard-12", "2026-11-27 17:00", "2026-11-30 13:00"}, // nothing of Friday is used
		{"carepack-standard-plus", "2026-11-27 22:00", "2026-11-30 02:00"},
		{"carepack-standard-12", "2026-12-24 16:00", "2026-12-25 12:00"}, // the document takes no holidays out
	} {
		id, _ := ofPlan(t, o, tc.plan).HoursOf(supportplan.Desk).Calendar()
		rules, err := o.Calendar(id)
		if err != nil {
			t.Fatal(err)
		}
		c, err := calendar.New(rules, o.Zone)
		if err != nil {
			t.Fatal(err)
		}
		due, err := c.Add(at(tc.received), responds(t, o, tc.plan)[0])
		if err != nil || !due.Equal(at(tc.due)) {
			t.Errorf("%s, received %s: due %s, %v; want %s", tc.plan, tc.received, due, err, tc.due)
		}
	}
}

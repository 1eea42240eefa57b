package org_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	changes "muster/internal/change"
	"muster/internal/org"
	"muster/internal/routine"
)

// assets is the example with other assets.
func assets(t *testing.T, text string) (*org.Organisation, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "assets.yaml"), []byte("assets:\n  - "+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return org.LoadAsOf(dir, time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC))
}

// anAsset is one without a fault, on one line.
const anAsset = "{id: db, name: DB, kind: database, customer: garam, environment: production, services: [garam-shop], owner: group:noc"

const review = "plan: scheduled-review, parameters: {subject: x, question: y}"

func TestFaultsOfAssets(t *testing.T) {
	due := func(deadline string) string { return anAsset + ", deadlines: [{" + deadline + "}]}" }
	for _, tt := range []struct{ asset, want string }{
		{strings.Replace(anAsset, "garam,", "garan,", 1) + "}", `assets.yaml:2:50: asset db: customer "garan": no such customer; did you mean garam?`},
		{strings.Replace(anAsset, "production", "prodction", 1) + "}", `assets.yaml:2:70: asset db: environment "prodction": customer garam has no such environment; did you mean production?`},
		{strings.Replace(anAsset, "[garam-shop]", "[garam-shop, nuri-erp]", 1) + "}", `asset db: services "nuri-erp": it does not run in environment production of customer garam`},
		{strings.Replace(anAsset, "group:noc", "group:nok", 1) + "}", `asset db: owner "nok": no such group; did you mean noc?`},
		{strings.Replace(anAsset, "kind: database", "kind: Data Base", 1) + "}", `asset db: kind "Data Base": want a word in lower-case letters`},
		{anAsset + ", vendor: skyhosts}", `asset db: vendor "skyhosts": no such party; did you mean skyhost?`},
		{anAsset + ", vendor: hanbit}", `asset db: vendor "hanbit": a partner; want a vendor of parties.yaml`},
		{anAsset + "}\n  - " + anAsset + "}", `assets.yaml:3:10: asset db: id "db": taken by assets.yaml:2`},
		{due("what: patch, on: 2027-01-01, plan: scheduled-reviw, lead: 7d"), `asset db: deadline patch: plan: "scheduled-reviw"; want the id of a plan that muster plan list shows`},
		{due("what: patch, on: 2027-01-01, lead: 7d, plan: scheduled-review"), `asset db: deadline patch: parameters.subject: missing`},
		{due("what: patch, on: 2027-01-01, lead: 7d"), `asset db: deadline patch: lead: without a plan; want the plan that begins before it`},
		{due("what: patch, on: 2027-01-01, " + review), `asset db: deadline patch: lead: missing; want how many days before it the plan begins, such as 90d`},
		{due("what: patch, on: 2027-01-41"), `asset db: deadline patch: on "2027-01-41": want a date`},
		{due("what: patch, on: 2027-01-01}, {what: patch, on: 2027-01-02"), `asset db: deadline patch: named twice`},
		{
			strings.Replace(due("what: patch, on: 2027-01-01, lead: 7d, "+review), ", owner: group:noc", "", 1),
			`asset db: deadline patch: tell: missing; want who hears of it when it is not done in time, or an owner of the asset`,
		},
		// It would be a routine that there is already.
		{strings.Replace(due("what: daily, on: 2027-01-01, lead: 7d, "+review), "id: db", "id: nuri", 1), `asset nuri: deadline daily: its routine "nuri-daily": taken by routines.yaml:`},
		{strings.Replace(due("what: patch, on: 2027-01-01, lead: 7d, "+review), "id: db", "id: "+strings.Repeat("x", 60), 1), `want shorter ids, of at most 63 characters together`},
		// The only environment of the plan is production, and the asset does not stand there.
		{strings.Replace(due("what: patch, on: 2027-01-01, lead: 7d, "+review), "production", "staging", 1), `asset db: deadline patch: environments.production: "staging" is not production; want one that is production`},
	} {
		if _, err := assets(t, tt.asset); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.asset, err, tt.want)
		}
	}
}

func TestDoubtfulAssets(t *testing.T) {
	text := strings.Replace(anAsset, ", owner: group:noc", "", 1) + ", deadlines: [{what: patch, on: 2026-11-26}]}"
	o, err := assets(t, text)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, w := range o.Warnings {
		got += w.String() + "\n"
	}
	for _, want := range []string{
		"assets.yaml:2:10: asset db: it has no owner; want a group or person who answers for it\n",
		"assets.yaml:2:10: asset db: deadline patch: it was on 2026-11-26; want the next date, or take it out when it is done\n",
		"assets.yaml:2:10: asset db: deadline patch: it has no plan, so nothing begins before it and nobody is told\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want warning %sgot\n%s", want, got)
		}
	}
}

// A deadline with a plan is a routine that has one time.
func TestADeadlineIsARoutine(t *testing.T) {
	o, err := assets(t, anAsset+", deadlines: [{what: patch, name: Patch day, on: 2027-01-15, lead: 30d, "+review+"}]}")
	if err != nil {
		t.Fatal(err)
	}
	const id = "db-patch"
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04 -0700", s+" +0900")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const once = "12-16 09:00 to 01-15 09:00"
	for _, tc := range []struct{ what, after, now, want string }{
		{"long before it", "2026-11-27 12:00", "2026-11-27 12:00", once},
		{"written down when it should have begun", "2026-12-20 12:00", "2026-12-20 12:00", once},
		{"nobody was there until it was over", "2026-11-27 12:00", "2027-02-01 12:00", once},
		{"written down when it was over", "2027-01-15 09:00", "2027-01-15 09:00", ""},
	} {
		seen := o.Routine(id, at(tc.after), at(tc.now))
		if got := slots(seen.Slots); got != tc.want || seen.More != 0 {
			t.Errorf("%s: got %q, want %q", tc.what, got, tc.want)
		}
		if d := seen.Definition; d.Asset != "db" || d.Name != "DB: Patch day" || len(d.Tell) != 1 || d.Tell[0].String() != "group:noc" {
			t.Errorf("%s: %+v", tc.what, d)
		}
	}
	if a, ok := o.Asset("db"); !ok || a.Deadlines[0].Routine != id || a.Environment.Name != "운영" || a.Customer.Name != "가람유통" {
		t.Errorf("the asset: %+v", a)
	}
	start, ok := o.RoutineStart(id)
	if !ok || start.Customer != "garam" || start.Environments["production"] != "production" {
		t.Errorf("what it starts: %+v", start)
	}
	if o.AssetOf(id) != "db" || o.AssetOf("nuri-daily") != "" {
		t.Error("of which assets they are")
	}
	if in := strings.Join(o.RoutinesIn("garam", "production"), " "); in != "garam-preventive runbook-review db-patch" {
		t.Errorf("routines of production: %s", in)
	}
	if in := o.RoutinesIn("garam", "staging"); len(in) != 0 {
		t.Errorf("routines of staging: %v", in)
	}
}

// A deadline that was written down late begins at once, and only once, whatever is said of it later.
func TestALateDeadlineBeginsOnce(t *testing.T) {
	o, err := assets(t, anAsset+", deadlines: [{what: patch, on: 2027-01-15, lead: 30d, "+review+"}]}")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 20, 3, 0, 0, 0, time.UTC)
	r := routine.Open("db-patch", now)
	look := func() (begun int) {
		for works := r.Advance(now); len(works) > 0; works = r.Advance(now) {
			for _, w := range works {
				switch w.Do {
				case routine.Look:
					r.Seen(o.Routine("db-patch", r.After, now), now.Add(time.Hour), now)
				case routine.Start:
					begun++
					r.Started(w.Occurrence.Planned, "RUN-1", "", now)
				case routine.Check:
					r.Checked(w.Occurrence.Planned, routine.Outcome{}, "", now)
				default:
					t.Errorf("what is not to be done: %+v", w)
				}
			}
		}
		return begun
	}
	if n := look(); n != 1 {
		t.Fatalf("begun at the first look: %d, want 1", n)
	}
	for range 4 {
		if now = now.Add(2 * time.Hour); look() != 0 {
			t.Error("begun once more")
		}
	}
	if len(r.Running) != 1 || len(r.Ahead) != 0 || r.Running[0].Run != "RUN-1" {
		t.Errorf("running %+v, ahead %+v", r.Running, r.Ahead)
	}
	r.Checked(r.Running[0].Planned, routine.Outcome{Over: true, Done: true, Ended: now}, "", now)
	now = now.Add(2 * time.Hour)
	if look(); len(r.Running)+len(r.Ahead) != 0 || r.Status != routine.Waiting || len(r.Past) != 1 {
		t.Errorf("when it is done: %+v", r)
	}
}

// A change may name assets of its services, customers and environments.
func TestAChangeNamesAssets(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	asks := func(service string, plan *changes.Plan, ids ...string) (changes.Pinned, error) {
		a := normal()
		a.Services, a.Plan, a.Assets = []string{service}, plan, ids
		_, p, err := o.Change(a, noon)
		return p, err
	}
	p, err := asks("seoul-platform", nil, "garam-shop-waf")
	if want := (changes.Named{ID: "garam-shop-waf", Name: "온라인몰 웹 방화벽"}); err != nil || len(p.AssetNames) != 1 || p.AssetNames[0] != want {
		t.Errorf("got %+v, %v", p.AssetNames, err)
	}
	review := &changes.Plan{
		ID: "scheduled-review", Customer: "nuri", Environments: []changes.Given{{ID: "production", Value: "production"}},
		Parameters: []changes.Given{{ID: "subject", Value: "x"}, {ID: "question", Value: "y"}},
	}
	if _, err := asks("nuri-erp", review, "nuri-erp-db"); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		service string
		plan    *changes.Plan
		ids     []string
		want    string
	}{
		{"garam-shop", nil, []string{"none"}, `assets: "none"; want the id of an asset in the organisation folder`},
		{"garam-shop", nil, []string{"garam-shop-db", "garam-shop-db"}, `assets: "garam-shop-db": named twice`},
		{"garam-shop", nil, []string{"nuri-erp-db"}, `assets: "nuri-erp-db": it has none of the services garam-shop; want an asset of a service that is changed`},
		{"seoul-platform", review, []string{"garam-shop-waf"}, `assets: "garam-shop-waf": it stands in garam/production, where the plan does not work; want an asset of an environment of the plan`},
	} {
		if _, err := asks(tt.service, tt.plan, tt.ids...); err == nil || err.Error() != tt.want {
			t.Errorf("%s %v: got %v, want %s", tt.service, tt.ids, err, tt.want)
		}
	}
	a := normal()
	a.Services, a.Customers, a.Assets = []string{"seoul-platform"}, []string{"nuri"}, []string{"garam-shop-waf"}
	if _, _, err := o.Change(a, noon); err == nil || !strings.Contains(err.Error(), "it is customer garam's, whom the change does not concern") {
		t.Errorf("an asset of another customer: %v", err)
	}
}

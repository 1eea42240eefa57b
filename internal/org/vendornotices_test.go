package org_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/org"
	"muster/internal/planrun"
)

func aNotice(t *testing.T, product string, versions ...asset.Range) asset.Notice {
	t.Helper()
	by, err := calendar.ParseDate("2026-12-31")
	if err != nil {
		t.Fatal(err)
	}
	return asset.Notice{Vendor: "PostgreSQL", Reference: "CVE-2026-1", Kind: asset.Patch, Product: product, Versions: versions, Title: "A hole", Severity: asset.High, By: by}
}

// A notice starts the plan for it once for each customer who has assets that it concerns; those who answer for the assets do the work.
func TestWhomAVendorsNoticeConcerns(t *testing.T) {
	const second = "\n  - {id: cache, name: Cache, kind: database, customer: garam, environment: staging, services: [garam-shop], product: postgresql, version: 16.4.1}" +
		"\n  - {id: ledger, name: Ledger, kind: database, customer: nuri, environment: production, services: [nuri-erp], product: PostgreSQL, version: \"17.1\", owner: person:lee}"
	o, err := assets(t, anAsset+`, product: PostgreSQL, version: "16.4"}`+second)
	if err != nil {
		t.Fatal(err)
	}
	all := o.Concerned(aNotice(t, "PostgreSQL", "<17"))
	if len(all) != 1 || all[0].Customer.ID != "garam" || strings.Join(all[0].Assets, " ") != "db cache" {
		t.Fatalf("got %+v", all)
	}
	terms, err := o.StartPlan(all[0].Start)
	if err != nil {
		t.Fatal(err)
	}
	// The asset on staging has no owner: whoever answers for its service does, who is the same.
	want := map[string]string{"asset-owner": "group:noc", "customer-owner": "person:seo contact:garam/it-desk"}
	for _, f := range terms.Roles {
		var who []string
		for _, x := range f.Targets {
			who = append(who, x.String())
		}
		if w, known := want[f.Role]; known && strings.Join(who, " ") != w {
			t.Errorf("role %s: %v, want %s", f.Role, who, w)
		}
		delete(want, f.Role)
	}
	if len(want) > 0 {
		t.Errorf("roles that nobody fills: %v", want)
	}
	task, _ := terms.Plan.Task("tell-customer")
	for _, word := range []string{"PostgreSQL", "CVE-2026-1", "A hole", "DB (PostgreSQL 16.4), Cache (postgresql 16.4.1)", "2026"} {
		if !strings.Contains(task.Message.En, word) || !strings.Contains(task.Message.Ko, word) {
			t.Errorf("the message has no %q: %+v", word, task.Message)
		}
	}
	if terms.Target().Environment != "production" {
		t.Errorf("it is seen to in %s", terms.Target().Environment)
	}

	if all := o.Concerned(aNotice(t, "PostgreSQL")); len(all) != 2 || all[1].Customer.ID != "nuri" {
		t.Errorf("of every version: %+v", all)
	}
	if all := o.Concerned(aNotice(t, "MariaDB")); len(all) != 0 {
		t.Errorf("of another product: %+v", all)
	}
	if a, b, c := o.VendorID("SkyHost"), o.VendorID("skyhost"), o.VendorID(" PostgreSQL "); a != "skyhost" || b != "skyhost" || c != "postgresql" {
		t.Errorf("vendors are known by %q, %q and %q", a, b, c)
	}

	// Another revision of its plan goes on with the same people.
	run := &planrun.Run{Terms: terms}
	run.Notice = &planrun.Noticed{Source: "vendor/postgresql"}
	pinned, err := o.RePlan(run, org.PlanStart{Plan: "vendor-notice"})
	if err != nil || len(pinned.Roles) != len(terms.Roles) {
		t.Errorf("planned anew: %+v, %v", pinned.Roles, err)
	}
}

// Where the plan for notices could not be started, that is known before there is one.
func TestNoticesThatCouldNotBeSeenTo(t *testing.T) {
	files := planned(t)
	files["assets.yaml"] = "assets:\n  - {id: db, name: DB, kind: database, customer: shopco, environment: production, services: [shop], owner: person:kim, product: PostgreSQL}\n"
	o, err := org.LoadFiles(files, time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range o.Warnings {
		if strings.Contains(w.String(), "asset db: what its vendor says of it could not be seen to: ") && strings.Contains(w.String(), "nobody fills it") {
			return
		}
	}
	t.Errorf("got %v", o.Warnings)
}

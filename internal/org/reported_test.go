package org_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

func TestWhatPeopleReportIsDefinedByItsService(t *testing.T) {
	o := shipped(t)
	d, err := o.Reported(incident.Reported{Service: "seoul-platform", Title: " storage\n is slow "})
	if err != nil {
		t.Fatal(err)
	}
	if d.Title != "storage is slow" || d.Source != "people" || d.Impact != priority.High || len(d.Customers) != 2 || d.SHA256 == "" || d.Revision != o.Revision {
		t.Errorf("got %+v", d)
	}
	one, err := o.Reported(incident.Reported{Service: "seoul-platform", Customers: []string{"nuri"}, Impact: priority.Low})
	if err != nil {
		t.Fatal(err)
	}
	if one.Title != "서울 공용 플랫폼" || one.Impact != priority.Low || one.Urgency != priority.High || len(one.Customers) != 1 || one.Customers[0].ID != "nuri" {
		t.Errorf("got %+v", one)
	}
	if len(d.Customers) != 2 {
		t.Error("a report has changed what another one was defined by")
	}
	again, err := o.Repinned(one, nil)
	if err != nil || len(again.Customers) != 1 {
		t.Errorf("pinned anew it is about %+v: %v", again.Customers, err)
	}
}

func TestReportsThatCannotBeDefined(t *testing.T) {
	o := shipped(t)
	for _, tc := range []struct {
		give        incident.Reported
		field, want string
	}{
		{incident.Reported{Service: "shop"}, "service", `"shop"; want the ID of a service`},
		{incident.Reported{Service: "garam-shop", Customers: []string{"garam", "nuri"}}, "customers", `"nuri"; want customers of service garam-shop: garam`},
		{incident.Reported{Service: "unassigned", Customers: []string{"nuri"}}, "customers", "it has none"},
	} {
		_, err := o.Reported(tc.give)
		fault, ok := err.(*incident.NoticeFault)
		if !ok || fault.Field != tc.field || !strings.Contains(fault.Detail, tc.want) {
			t.Errorf("%+v: got %v, want %s: %s", tc.give, err, tc.field, tc.want)
		}
	}
}

func TestWhatAVendorHasPromised(t *testing.T) {
	o := shipped(t)
	v, ok := o.VendorSupport("skyhost")
	if !ok || v.Name != "SkyHost" || v.OpenCase == "" || !v.Reachable || len(v.Notify) != 1 || v.Calendar == nil || v.Calendar.ID != "always" {
		t.Errorf("got %+v", v)
	}
	if len(v.Respond) != 3 || v.Respond[0] != (incident.VendorResponse{Priority: priority.P1, Within: 15 * time.Minute}) {
		t.Errorf("its clock: %+v", v.Respond)
	}
	if _, ok := o.VendorSupport("hanbit"); ok || len(o.Vendors()) != 1 {
		t.Errorf("vendors %v", o.Vendors())
	}
}

func TestWhatRunsAfterTheResolution(t *testing.T) {
	d, err := shipped(t).Reported(incident.Reported{Service: "seoul-platform"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Customers {
		p, ok := c.Plan.Promise(priority.P1, supportplan.ResultReport)
		want := map[string]supportplan.Promise{
			"garam": {Priority: priority.P1, Target: supportplan.ResultReport, Within: 24 * time.Hour},
			"nuri":  {Priority: priority.P1, Target: supportplan.ResultReport, Days: 3, Calendar: "business-hours"},
		}[c.ID]
		if !ok || p != want {
			t.Errorf("%s is promised %+v, want %+v", c.ID, p, want)
		}
	}
	if k := d.Customers[0].Plan.Confirm; k == nil || k.Days != 3 || k.Calendar != "business-hours" {
		t.Errorf("garam is asked %+v", k)
	}
	if d.Lead == nil || d.Lead.FromPriority != priority.P2 || d.Lead.Within != 15*time.Minute {
		t.Errorf("led by %+v", d.Lead)
	}
}

func TestFaultsOfWhatRunsAfterTheResolution(t *testing.T) {
	for _, tc := range []struct {
		change
		want string
	}{
		{change{"services.yaml", "    quiet: 5m", "    lead: {from_priority: P9}\n    quiet: 5m"}, `lead: from_priority "P9": want P1, P2, P3, P4 or P5`},
		{change{"services.yaml", "    quiet: 5m", "    lead: {from_priority: P1}\n    quiet: 5m"}, `lead: within: missing`},
		{change{"support-plans.yaml", "    update_by: engine", "    confirm: {within_days: 0, in: office}\n    update_by: engine"}, `confirm: within_days "0": want a number of working days`},
		{change{"sources.yaml", "id: prometheus", "id: people"}, `source people: want another id: this one stands for what people report`},
	} {
		files := good(t)
		tc.in(t, files)
		if got := strings.Join(faults(t, files), "\n"); !strings.Contains(got, tc.want) {
			t.Errorf("got\n%s\nwant %s", got, tc.want)
		}
	}
}

func TestServicesAreListedWithTheirCustomers(t *testing.T) {
	var got []string
	for _, s := range shipped(t).Services() {
		one := s.ID + ":"
		for _, c := range s.Customers {
			one += " " + c.ID
		}
		got = append(got, one)
	}
	want := "nuri-erp: nuri, garam-shop: garam, unassigned:, seoul-platform: garam nuri"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package period_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/period"
	"muster/internal/planrun"
	"muster/internal/usage"
)

func compute(t testing.TB, records []period.Record, a period.Asked) *period.Facts {
	t.Helper()
	f, err := period.Compute(records, a, time.LoadLocation)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func november(customer string) period.Asked {
	return period.Asked{
		Period: "2026-11", Zone: "Asia/Seoul", Customer: customer, Services: []period.Service{{Customer: "garam", ID: "shop", Name: "Online shop"}},
		Promised: []period.Target{{Customer: "garam", Of: "infrastructure", Percent: "99.99"}, {Customer: "garam", Of: "application", Percent: "99.9"}},
		Bought:   []period.Visits{{Customer: "garam", PerYear: 12}},
	}
}

func shown(f period.Figure, known bool) string {
	switch {
	case !known:
		return "none"
	case f.Value == nil:
		return "–"
	case f.Unit == period.Seconds:
		return (time.Duration(*f.Value) * time.Second).String()
	}
	return strconv.FormatFloat(*f.Value, 'f', -1, 64)
}

// What the provider reads of the month, counted by hand from the stories.
func TestNovember(t *testing.T) {
	f := compute(t, stored(t, states()), november(""))
	for _, tc := range []struct{ key, of, want string }{
		{"incidents.opened", "P1", "1"},
		{"incidents.opened", "P2", "2"}, // not the one that was merged
		{"incidents.opened", "P3", "1"}, // one was opened before, one is opened after
		{"incidents.opened", "P4", "1"},
		{"incidents.opened", "P5", "1"},
		{"incidents.resolved", "P2", "2"}, // the reopened one once
		{"incidents.resolved", "P3", "2"}, // with the one from October
		{"incidents.resolved", "P4", "0"},
		{"incidents.carried", "P4", "1"},
		{"incidents.carried", "P3", "0"},
		{"incidents.reopened", "", "1"},
		{"incidents.merged", "", "1"},
		{"incidents.acknowledged", "", "5"},
		{"incidents.unacknowledged", "", "1"},
		{"mtta", "", "42m0s"},     // 8, 45, 25, 12 and 120 minutes
		{"mttr", "", "15h58m24s"}, // 1:27, 5:35 without the half hour in which it seemed to be over, 4:30, 64:00 and 4:20
		{"mttr.without-pauses", "", "15h28m24s"},
		{"clocks.met", "respond", "3"},
		{"clocks.missed", "respond", "1"},
		{"clocks.kept", "respond", "75"},
		{"clocks.met", "resolve", "2"},
		{"clocks.missed", "resolve", "1"}, // the reopened one; the one from October was missed in October
		{"clocks.met", "update", "4"},
		{"clocks.missed", "update", "1"},
		{"clocks.kept", "update", "80"},
		{"clocks.met", "result_report", "1"},
		{"clocks.p50", "respond", "25m0s"},
		{"clocks.p90", "respond", "2h0m0s"},
		{"clocks.max", "respond", "2h0m0s"},
		{"clocks.p50", "update", "–"},
		{"updates.sent", "", "4"},
		{"all-clears.sent", "", "3"},
		{"all-clears.waived", "", "1"},
		{"results.waived", "", "1"},
		{"availability", "garam/shop/2026-11", "99.798"}, // 87 of 43,080 minutes,
		{"downtime", "garam/shop/2026-11", "1h27m0s"},
		{"downtime.planned", "garam/shop/2026-11", "2h0m0s"}, // the urgent change was not planned
		{"downtime", "garam/archive/2026-11", "1h20m0s"},     // over when the other was
		{"downtime", "acme/payments/2026-11", "5h10m0s"},     // high from 10:30 on
		{"degraded", "acme/payments/2026-11", "25m0s"},
		{"downtime.planned", "acme/payments/2026-11", "2h25m0s"},
		{"availability.target", "garam/shop/2026-11", "99.9"},
		{"downtime.left", "garam/shop/2026-11", "-43m56s"}, // 43 minutes and 4.8 seconds were left
		{"availability.target", "acme/payments/2026-11", "none"},
		{"changes", "upgrade", "1"},
		{"changes", "maintenance", "2"},
		{"changes", "readiness", "0"}, // it changed nothing
		{"changes.failed", "", "1"},
		{"changes.failure-rate", "", "33.33"},
		{"changes.rollbacks", "", "1"},
		{"changes.emergency", "", "1"},
		{"change-requests.addition", "", "1"},
		{"change-requests.change", "", "1"}, // that of before is not, nor what was refused
		{"change-requests.exception", "", "1"},
		{"change-requests.standard", "", "1"},
		{"change-requests.emergency", "", "1"},
		{"change-requests.exceptions", "", "1"},
		{"overrides.freeze", "", "1"},
		{"overrides.window", "", "0"},
		{"actions.opened", "", "2"},
		{"actions.open", "", "4"},
		{"actions.overdue", "", "1"},
		{"actions.verified", "", "1"},
		{"actions.effective", "", "1"},
		{"actions.ineffective", "", "1"},
		{"problems.opened", "", "1"},
		{"problems.closed", "", "1"},
		{"problems.open", "", "2"},
		{"problems.recurred", "", "1"},
		{"reviews.on-time", "", "1"},
		{"reviews.late", "", "1"},
		{"reviews.kept", "", "50"},
		{"reviews.overdue", "", "1"},
		{"requests.received", "", "4"},
		{"requests.told", "", "1"},
		{"requests.answered", "", "2"},
		{"requests.declined", "", "1"},
		{"requests.open", "", "1"},
		{"requests.met", "respond", "1"},
		{"requests.missed", "respond", "1"},
		{"requests.satisfaction", "", "4.5"},
		{"visits.used", "garam", "2"},
		{"visits.year", "garam", "7"},
		{"visits.left", "garam", "5"},
		{"pages", "working", "4"},
		{"pages", "night", "4"},
		{"pages", "other", "1"},
		{"pages.nights", "", "2"},
		{"pages.person", "김민수", "4"},
		{"pages.person.night", "김민수", "2"},
		{"pages.person.night", "이서연", "0"},
	} {
		if got := shown(f.Figure(tc.key, tc.of)); got != tc.want {
			t.Errorf("%s of %q: got %s, want %s", tc.key, tc.of, got, tc.want)
		}
	}
	if len(f.Incomplete) > 0 || f.Interim() || len(f.Incidents) != 8 {
		t.Errorf("incomplete %q, interim %v, %d incidents", f.Incomplete, f.Interim(), len(f.Incidents))
	}
}

// A customer reads its own, and nothing of how the provider works.
func TestTheReportOfACustomer(t *testing.T) {
	f := compute(t, stored(t, states()), november("garam"))
	for _, tc := range []struct{ key, of, want string }{
		{"incidents.opened", "P2", "0"}, // a security incident, and the one of another customer
		{"clocks.missed", "respond", "0"},
		{"changes", "upgrade", "none of it"},
		{"actions.open", "", "1"}, // the public one
		{"pages", "night", "none"},
		{"deliveries.delivered", "phone", "none"},
		{"problems.open", "", "none"},
		{"change-requests.change", "", "none"},
		{"reviews.late", "", "none"},
		{"downtime", "acme/payments/2026-11", "none"},
	} {
		got := shown(f.Figure(tc.key, tc.of))
		if tc.want == "none of it" {
			tc.want = "0"
		}
		if got != tc.want {
			t.Errorf("%s of %q: got %s, want %s", tc.key, tc.of, got, tc.want)
		}
	}
	if f.LeftOut != 1 {
		t.Errorf("%d security incidents are left out, want 1", f.LeftOut)
	}
	for _, l := range f.Incidents {
		if strings.Contains(l.Title, "orders of others") || l.Cause != "" {
			t.Errorf("it says %+v", l)
		}
	}
	a := november("garam")
	a.Restricted = true
	whole := compute(t, stored(t, states()), a)
	if got := shown(whole.Figure("incidents.opened", "P2")); got != "1" || whole.LeftOut != 0 {
		t.Errorf("with them: %s, %d left out", got, whole.LeftOut)
	}
	for _, l := range whole.Incidents {
		if strings.Contains(l.Title, "orders of others") {
			t.Errorf("it says %q", l.Title)
		}
	}
}

func TestZonesAndCustomersOfRecords(t *testing.T) {
	records := stored(t, states())
	if got := period.ZonesOf(records); !slices.Equal(got, []string{"Asia/Seoul"}) {
		t.Errorf("zones: got %v", got)
	}
	if got := period.CustomersOf(records); !slices.Equal(got, []string{"acme", "garam"}) {
		t.Errorf("customers: got %v", got)
	}
	run := &planrun.Run{}
	run.Zone, run.Customer = "Europe/Berlin", "nuri"
	other := period.Record{State: period.State{Plan: run}}
	if got := period.ZonesOf(append(records, other, period.Record{})); !slices.Equal(got, []string{"Asia/Seoul", "Europe/Berlin"}) {
		t.Errorf("zones with another: got %v", got)
	}
	if got := period.ZonesOf(nil); len(got) != 0 {
		t.Errorf("zones of nothing: got %v", got)
	}
}

// Alerts are counted by name and service over the incidents that began in the period, without those of security incidents. Of an incident that
// nobody acknowledged before it was over they were alone; one that was merged into another was not.
func TestAlertsAreCountedByTheirNames(t *testing.T) {
	f := compute(t, stored(t, states()), november(""))
	var got []string
	for _, l := range f.Alerts {
		got = append(got, fmt.Sprintf("%s of %s: %d %d %d %d %d", l.Name, l.Service, l.Incidents, l.Times, l.Alone, l.Reopened, l.Unplanned))
	}
	want := []string{
		"DiskFills of Archive: 1 40 1 0 1", "PaymentsDeclined of Payment gateway: 1 7 0 1 0", "CheckoutErrors of Online shop: 1 3 0 0 0",
		"CheckoutErrors of Archive: 1 1 0 0 1",
		"PoolExhausted of Online shop: 1 1 0 0 0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f = compute(t, stored(t, states()), november("garam")); len(f.Alerts) > 0 {
		t.Errorf("a customer's report has %v", f.Alerts)
	}
}

// A visit that a routine was counts as one that a request has used: the ledger of the customer has both, and nothing else is counted.
func TestVisitsOfRoutinesAreInTheReport(t *testing.T) {
	l := ledger()
	last := &l.Uses[len(l.Uses)-1]
	last.Request, last.Feature = usage.OfRoutine("garam-preventive", last.At), ""
	f := compute(t, stored(t, map[string]any{"usage-garam.bundle": l}), november("garam"))
	for key, want := range map[string]string{"visits.used": "2", "visits.year": "7", "visits.bought": "12", "visits.left": "5"} {
		if got := shown(f.Figure(key, "garam")); got != want {
			t.Errorf("%s: %s; want %s", key, got, want)
		}
	}
}

package period_test

import (
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/incident"
	"muster/internal/period"
	"muster/internal/timeline"
)

// Messages of every kind of run count by contact method, in the period in which it was known what has come of them.
func TestHowMessagesArrived(t *testing.T) {
	in := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	log := func(at time.Time, of ...string) (l timeline.Log) {
		for n := 0; n < len(of); n += 2 {
			l.Add(at, timeline.Kind(of[n]), timeline.Muster(), timeline.F("what", "page"), timeline.F("to", "Kim"), timeline.F("method", of[n+1]))
		}
		return l
	}
	d, r, again := string(timeline.Delivered), string(timeline.Refused), string(timeline.Resent)
	records := []period.Record{
		{Bundle: period.Bundle{File: "a"}, State: period.State{Incident: &incident.Incident{ID: "INC-A", Timeline: log(in, d, "phone", r, "mail", again, "phone", d, "phone", d, "mail")}}},
		{Bundle: period.Bundle{File: "b"}, State: period.State{Action: &action.Action{Terms: action.Terms{ID: "ACT-B"}, Timeline: log(in, r, "mail", r, "hook")}}},
		{Bundle: period.Bundle{File: "c"}, State: period.State{Incident: &incident.Incident{ID: "INC-C", Timeline: log(in.AddDate(0, -1, 0), r, "phone")}}},
	}
	f := compute(t, records, period.Asked{Period: "2026-11", Zone: "UTC"})
	for _, tt := range []struct{ method, delivered, refused, resent, arrived string }{
		{"phone", "2", "0", "1", "100"}, {"mail", "1", "2", "0", "33.33"}, {"hook", "0", "1", "0", "0"}, {"fax", "none", "none", "none", "none"},
	} {
		for key, want := range map[string]string{"delivered": tt.delivered, "refused": tt.refused, "resent": tt.resent, "arrived": tt.arrived} {
			if got := shown(f.Figure("deliveries."+key, tt.method)); got != want {
				t.Errorf("%s by %s: got %s, want %s", key, tt.method, got, want)
			}
		}
	}
	if mail, _ := f.Figure("deliveries.refused", "mail"); len(mail.Bundles) != 2 {
		t.Errorf("counted from %v, want a and b", mail.Bundles)
	}
}

package preview_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/preview"
	"muster/internal/timeline"
)

// seoul reads a wall-clock time of Seoul.
func seoul(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// play plays an alert of the example's online shop or ERP.
func play(t *testing.T, service, from, until string) *incident.Incident {
	t.Helper()
	o, err := org.Load("../../examples/org")
	if err != nil {
		t.Fatal(err)
	}
	labels := alert.FromMap(map[string]string{"service": service, "severity": "critical", "alertname": "Down"})
	def, err := o.Definition("alertmanager", labels, "it is down")
	if err != nil {
		t.Fatal(err)
	}
	at := seoul(t, from)
	b := alert.Batch{Source: "alertmanager", ReceivedAt: at, Posts: 1, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "1", Name: "Down", State: alert.Firing, StartsAt: at, Labels: labels,
	}}}}
	i, err := preview.Play(t.Context(), o, def, b, at, seoul(t, until))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// pages lists who is paged when, as "+5m lee app".
func pages(i *incident.Incident) (all []string) {
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.Sending && e.Fact("what") == "page" {
			all = append(all, strings.Join([]string{"+" + e.At.Sub(i.Times.Alerted).String(), e.Fact("to"), e.Fact("method")}, " "))
		}
	}
	return all
}

func TestThePagingPlanNamesPeopleAndInstants(t *testing.T) {
	i := play(t, "garam-shop", "2026-11-23 10:00", "2026-11-23 10:31")
	want := []string{"+0s 김민수 app", "+5m0s 이서연 app", "+15m0s 김민수 app", "+20m0s 이서연 app", "+30m0s 최은영 phone", "+30m0s 김민수 app"}
	if diff := cmp.Diff(want, pages(i)); diff != "" {
		t.Error(diff)
	}
	if i.Status != incident.Triggered {
		t.Errorf("the incident is %s, but nobody has acknowledged", i.Status)
	}
}

func TestTheInstantsOfClocksAreThoseOfTheirCalendars(t *testing.T) {
	i := play(t, "nuri-erp", "2026-11-27 18:30", "2026-11-27 18:31") // a Friday evening; the support plan runs on weekdays from 9 to 18
	for _, c := range i.Clocks {
		if c.Calendar == "business-hours" && !c.Begins.Equal(seoul(t, "2026-11-30 09:00")) {
			t.Errorf("%s begins %s, want Monday", c.Target, c.Begins)
		}
	}
	if len(i.Clocks) == 0 {
		t.Error("there are no clocks")
	}
}

// However far somebody looks ahead: what comes again and again is played twice.
func TestAPreviewEndsWithTheSecondLastResort(t *testing.T) {
	i := play(t, "garam-shop", "2026-11-23 10:00", "2036-11-23 10:00")
	if n := i.Escalation.Begun; i.Definition.Policy.Rung(0, n-1).Step != 0 || i.Definition.Policy.Rung(0, n-2).Step == 0 {
		t.Errorf("ended after %d rungs", n)
	}
}

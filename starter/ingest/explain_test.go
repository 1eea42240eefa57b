package ingest_test

import (
	"os"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/starter/ingest"
)

// What would come of a body is said in the format of its source, and as if its alerts went on.
func TestExplainSpeaksTheFormatOfTheSource(t *testing.T) {
	for _, tc := range []struct {
		format    alert.Format
		fixture   string
		incidents int
		opens     bool
	}{
		{alert.Prometheus, "prometheus/firing", 2, true},
		{alert.Prometheus, "prometheus/resolved", 1, false},
		{alert.Grafana, "grafana/firing", 1, true},
		{alert.PagerDuty, "pagerduty/trigger", 1, true},
		{alert.PagerDuty, "pagerduty/acknowledge", 1, false},
		{alert.SNS, "sns/alarm", 1, true},
		{alert.Azure, "azure/maintenance", 0, false},
		{"", "firing", 1, true},
	} {
		body, err := os.ReadFile("testdata/" + tc.fixture + ".json")
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		got, err := ingest.Explain(ingest.Source{ID: "s", Type: tc.format}, body, routes{}, at)
		if err != nil || len(got) != tc.incidents {
			t.Errorf("%s: got %d incidents, %v; want %d", tc.fixture, len(got), err, tc.incidents)
			continue
		}
		for _, c := range got {
			if c.Opens != tc.opens || c.Batch.TimesOut() || c.Batch.Source != "s" {
				t.Errorf("%s: got %+v", tc.fixture, c)
			}
		}
	}
}

// A real alert does not join the incident of a test, nor a test that of a real alert.
func TestATestIsAnIncidentOfItsOwn(t *testing.T) {
	one := func(id, summary string) string {
		return `{"status":"firing","labels":{"alertname":"Down","job":"shop"},"annotations":{"summary":"` + summary + `"},"startsAt":"2026-11-22T09:00:00Z","fingerprint":"` + id + `"}`
	}
	body := `{"version":"4","status":"firing","receiver":"r","groupKey":"g","groupLabels":{"job":"shop"},"commonLabels":{"job":"shop"},"commonAnnotations":{},"alerts":[` +
		one("a", "[TEST] Muster checks this source: please ignore (x)") + "," + one("b", "It is down") + "]}"
	got, err := ingest.Explain(ingest.Source{ID: "s"}, []byte(body), routes{}, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	if err != nil || len(got) != 2 || len(got[0].Batch.Alerts) != 1 || !alert.Trial(got[0].Definition.Title) || alert.Trial(got[1].Definition.Title) {
		t.Errorf("got %+v, %v; want the test apart", got, err)
	}
}

// What a subject says is read by the patterns of its source.
func TestExplainKnowsThePatternsOfMails(t *testing.T) {
	from := ingest.Source{ID: "legacy", Type: alert.Email, Mail: &ingest.Mail{Subject: `^(?P<name>\S+) is (?P<state>red|green)`, Firing: "red", Resolved: "green"}}
	for subject, want := range map[string]alert.State{"web-1 is red": alert.Firing, "web-1 is green": alert.Resolved} {
		body := "Subject: " + subject + "\r\nFrom: a@kr.example.com\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nx"
		got, err := ingest.Explain(from, []byte(body), routes{}, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
		if err != nil || len(got) != 1 || got[0].Batch.Alerts[0].State != want || got[0].Batch.Alerts[0].Labels.Value("name") != "web-1" {
			t.Errorf("%q: got %+v, %v", subject, got, err)
		}
	}
}

// An incident is named after what fires, also where a body speaks of what is over first.
func TestAnIncidentIsNamedAfterWhatFires(t *testing.T) {
	one := func(name, state string) string {
		return `{"status":"` + state + `","labels":{"alertname":"` + name + `","job":"shop"},"annotations":{},"startsAt":"2026-11-22T09:00:00Z","endsAt":"2026-11-22T09:30:00Z","fingerprint":"` + name + `"}`
	}
	body := `{"version":"4","status":"firing","receiver":"r","groupKey":"g","groupLabels":{"job":"shop"},"commonLabels":{"job":"shop"},"commonAnnotations":{},"alerts":[` +
		one("Over", "resolved") + "," + one("Down", "firing") + "]}"
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	got, err := ingest.Explain(ingest.Source{ID: "s"}, []byte(body), routes{}, at)
	if err != nil || len(got) != 1 || got[0].Definition.Title != "Down" {
		t.Errorf("got %+v, %v; want one incident named Down", got, err)
	}
}

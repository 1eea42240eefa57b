package ingest

import (
	"strings"
	"testing"

	"muster/internal/alert"
	"muster/internal/org"
)

// The samples of every type, and of every shipped mapping, fire and are over as those who route and read expect, and prove that they are the
// source's.
func TestSamples(t *testing.T) {
	mail := &Mail{From: []string{"@mon.example.com"}, Address: "own@muster.example.com"}
	sources := []Source{
		{Type: alert.Alertmanager},
		{Type: alert.Prometheus},
		{Type: alert.Grafana},
		{Type: alert.PagerDuty},
		{Type: alert.Azure},
		{Type: alert.EventBridge},
		{Type: alert.CloudEvents, Data: alert.Azure},
		{Type: alert.CloudEvents, Data: alert.Alertmanager},
		{Type: alert.Email},
		{Type: alert.Email, Mail: mail},
	}
	shipped := make([]string, len(sources))
	for _, name := range org.ShippedMappings() {
		m, err := org.ShippedMapping(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, Configured(org.Source{Type: alert.JSON, Mapping: m}))
		shipped = append(shipped, name)
	}
	has := map[alert.Format]bool{alert.SNS: true, alert.Heartbeat: true}
	for n, s := range sources {
		s.ID, s.Token = "shop", "swordfish"
		has[s.Type] = true
		if s.Type == alert.Grafana {
			s.Token, s.Signature = "", &Signature{Secret: "herring", Timestamp: "X-Time"}
		}
		want := Sampling{At: received, ID: "t4m8", Mapping: shipped[n]}
		plain, err := Samples(s, want)
		if err != nil {
			t.Errorf("%s %s: %v", s.Type, shipped[n], err)
			continue
		}
		for _, one := range plain {
			m, err := s.format().decode(call{source: s, at: received, fresh: func() string { return "x" }, header: one.Header}, one.Body)
			if err != nil || len(m.alerts) != 1 || m.alerts[0].State != one.State {
				t.Fatalf("%s: %s: got %+v, %v", s.Type, one.State, m.alerts, err)
			}
			if a := m.alerts[0]; !alert.Trial(a.Summary()) && !a.Bare {
				t.Errorf("%s: %s: %q says not that it is a test", s.Type, one.State, a.Summary())
			}
			if why := s.proves(one.Header, one.Body, received); why != nil {
				t.Errorf("%s: %+v", s.Type, why)
			}
			if shown := s.Type == alert.Email || s.Type == alert.PagerDuty || s.Signature != nil; shown == (one.Header.Get("Authorization") == "Bearer swordfish") {
				t.Errorf("%s: headers %v", s.Type, one.Header)
			}
		}
		want.Labels = map[string]string{"service": `"checkout"`, "severity": "critical"}
		labelled, err := Samples(s, want)
		if err != nil && !strings.Contains(err.Error(), "--label: want none") && s.Type != alert.Email {
			t.Errorf("%s %s: %v", s.Type, shipped[n], err)
		}
		if err == nil && s.Type != alert.Email && s.Type != alert.CloudEvents {
			if c, err := Explain(s, labelled[0].Body, idle(0), received); err != nil || len(c) != 1 || c[0].Batch.Alerts[0].Labels.Value("service") != `"checkout"` ||
				c[0].Batch.Alerts[0].Labels.Value("severity") != "critical" {
				t.Errorf("%s %s: got %+v, %v", s.Type, shipped[n], c, err)
			}
		}
	}
	for _, f := range alert.Formats() {
		if !has[f] {
			t.Errorf("%s has no sample", f)
		}
	}
}

func TestSamplesThatCannotWork(t *testing.T) {
	read := func(name string) []byte { return fixtures(t, Source{Type: alert.Email}.format())[name] }
	own, err := org.ShippedMapping("zabbix")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		source Source
		want   Sampling
		says   string
	}{
		{Source{Type: alert.SNS}, Sampling{}, "only Amazon signs for its topics"},
		{Configured(org.Source{Type: alert.JSON, Mapping: own}), Sampling{}, "its mapping is its own; want --firing FILE and --resolved FILE"},
		{Source{Type: alert.Email, Mail: &Mail{Resolved: "green"}}, Sampling{}, "does not read as resolved here; want --firing FILE"},
		{Source{Type: alert.Email, Mail: &Mail{From: []string{"a@b.example"}}}, Sampling{Firing: read("problem.eml")}, "want one of those of source shop"},
		{Source{Type: alert.Email}, Sampling{Firing: read("problem.eml"), Resolved: read("html.eml")}, "is about another alert"},
		{Source{Type: alert.EventBridge}, Sampling{Labels: map[string]string{"a": "b"}}, "--label: want none"},
	} {
		tc.source.ID, tc.want.ID, tc.want.At = "shop", "t4m8", received
		if tc.source.Type == alert.Email {
			tc.source.Token = "swordfish"
		}
		if _, err := Samples(tc.source, tc.want); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: got %v, want %q", tc.source, err, tc.says)
		}
	}
	both := Source{Type: alert.Email, ID: "shop", Token: "swordfish"}
	if all, err := Samples(both, Sampling{At: received, Firing: read("problem.eml"), Resolved: read("recovery.eml")}); err != nil || all[0].To != "shop+swordfish@muster.test" {
		t.Errorf("got %+v, %v", all, err)
	}
	beats, err := Samples(Source{Type: alert.Heartbeat, ID: "jobs", Token: "swordfish"}, Sampling{Heartbeat: "sync"})
	if err != nil || len(beats) != 2 || beats[0].Path != "/v1/heartbeat/sync/fail" || beats[1].Path != "/v1/heartbeat/sync" || beats[1].Header.Get("Authorization") != "Bearer swordfish" {
		t.Errorf("got %+v, %v", beats, err)
	}
}

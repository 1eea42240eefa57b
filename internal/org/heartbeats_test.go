package org_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/heartbeat"
)

const jobSources = `sources:
  - {id: prometheus, type: alertmanager}
  - {id: jobs, type: heartbeat}
`

func TestHeartbeats(t *testing.T) {
	files := good(t)
	files["sources.yaml"] = jobSources
	files["heartbeats.yaml"] = `heartbeats:
  - {id: backup, name: Nightly backup, source: jobs, every: 1d, grace: 30m, labels: {service: shop, severity: critical}}
`
	files["heartbeats/more.yaml"] = `heartbeats:
  - {id: sync, source: jobs, every: 1m, grace: 10s, first_within: 2h, lasts: 20m}
`
	o := load(t, files)
	want := []heartbeat.Definition{
		{
			ID: "backup", Name: "Nightly backup", Source: "jobs", Every: 24 * time.Hour, Grace: 30 * time.Minute,
			Labels: alert.FromMap(map[string]string{"service": "shop", "severity": "critical"}),
		},
		{ID: "sync", Name: "sync", Source: "jobs", Every: time.Minute, Grace: 10 * time.Second, FirstWithin: 2 * time.Hour, Lasts: 20 * time.Minute, Labels: alert.Labels{}},
	}
	for n := range want {
		want[n].Language = o.Languages[0]
		want[n].Folder.Revision, want[n].Folder.Changed = o.Revision, o.Changed
	}
	if d := cmp.Diff(want, o.Heartbeats()); d != "" {
		t.Error(d)
	}
	if d, ok := o.Heartbeat("sync"); !ok || !d.Same(want[1]) {
		t.Errorf("got %+v, %t", d, ok)
	}
	if d, ok := o.Heartbeat("none"); ok {
		t.Errorf("got %+v", d)
	}
}

func TestFaultsOfHeartbeats(t *testing.T) {
	for _, tc := range []struct{ give, want string }{
		{"{id: a, source: jobs, every: 30s, grace: 1m}", `heartbeats.yaml:2:34: heartbeat a: every "30s": want a time of at least 1m, such as 5m, 1h30m or 1d, where a day is 24 hours`},
		{"{id: a, source: job, every: 1h, grace: 1m}", `heartbeats.yaml:2:21: heartbeat a: source "job": no such source; did you mean jobs?`},
		{"{id: a, source: prometheus, every: 1h, grace: 1m}", "heartbeats.yaml:2:21: heartbeat a: source prometheus: it is of type alertmanager; want one of type heartbeat"},
		{"{id: a, source: jobs, every: 1h, grace: 1m, calendar: moon}", `heartbeats.yaml:2:59: heartbeat a: calendar "moon": no such calendar; `},
		{"{id: a, source: jobs, every: 1h, grace: 1m, labels: {heartbeat: b}}", "heartbeats.yaml:2:57: heartbeat a: labels: heartbeat: want another name, because this label is the id of the heartbeat"},
		{"{id: a, source: jobs, every: 1h}", "heartbeats.yaml:2:5: heartbeat a: grace: missing"},
	} {
		files := good(t)
		files["sources.yaml"], files["heartbeats.yaml"] = jobSources, "heartbeats:\n  - "+tc.give+"\n"
		if got := faults(t, files); len(got) != 1 || !strings.HasPrefix(got[0], tc.want) {
			t.Errorf("%s: got %q, want %q", tc.give, got, tc.want)
		}
	}
}

// What the page tells to put into heartbeats.yaml is right there.
func TestThePageOfHeartbeats(t *testing.T) {
	page, err := os.ReadFile("../../docs/sources/heartbeat.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?ms)^```yaml\n(heartbeats:\n.*?)^```$").FindSubmatch(page)
	if m == nil {
		t.Fatal("the page shows no heartbeats")
	}
	files := good(t)
	files["sources.yaml"], files["heartbeats.yaml"] = jobSources, string(m[1])
	if got := len(load(t, files).Heartbeats()); got != 2 {
		t.Errorf("got %d heartbeats", got)
	}
}

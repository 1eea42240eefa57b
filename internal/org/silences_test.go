package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/internal/silence"
)

const someSilences = `silences:
  - id: nightly
    name: Nightly backup
    reason: the backup makes the shop slow
    services: [shop]
    match: {job: [backup, export], team: ""}
    when: labels.severity != "critical"
    tell: [person:park, group:night]
    zone: Asia/Seoul
    hours:
      - {days: [mon-sun], from: 23:00, to: 01:00}
  - id: move
    name: Move of the data centre
    reason: everything is carried over
    sources: [prometheus]
    match: {site: old}
    tell: [person:kim]
    periods:
      - {from: 2198-03-13 22:00, to: 2198-03-14 06:00}
`

func silent(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	files["groups.yaml"] = "groups:\n  - id: night\n    name: Night shift\n    members: [kim, park]\n"
	files["silences.yaml"] = someSilences
	return files
}

func TestTheFolderHoldsAlertsBack(t *testing.T) {
	o := load(t, silent(t))
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	night := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, seoul) }
	held := func(at time.Time, source, service string, labels map[string]string) string {
		for _, w := range o.Silences(at) {
			if w.Holds(source, service, alert.FromMap(labels)) {
				return w.Window
			}
		}
		return ""
	}
	backup := map[string]string{"job": "backup", "severity": "warning"}
	for _, tt := range []struct {
		at              time.Time
		source, service string
		labels          map[string]string
		want            string
	}{
		{night(22, 23, 0), "prometheus", "shop", backup, "nightly"},
		{night(22, 22, 59), "prometheus", "shop", backup, ""},
		{night(23, 0, 59), "prometheus", "shop", backup, "nightly"},
		{night(23, 1, 0), "prometheus", "shop", backup, ""},
		{night(23, 23, 30), "any", "shop", map[string]string{"job": "export"}, "nightly"},
		{night(23, 23, 30), "any", "shop", map[string]string{"job": "exports"}, ""},
		{night(23, 23, 30), "any", "shop", map[string]string{"job": "export", "team": "guard"}, ""}, // it has the label
		{night(23, 23, 30), "any", "platform", backup, ""},
		{night(23, 23, 30), "any", "shop", map[string]string{"job": "backup", "severity": "critical"}, ""},
		{time.Date(2198, 3, 14, 0, 0, 0, 0, o.Zone), "prometheus", "shop", map[string]string{"site": "old"}, "move"},
		{time.Date(2198, 3, 14, 0, 0, 0, 0, o.Zone), "lab", "shop", map[string]string{"site": "old"}, ""},
	} {
		if got := held(tt.at, tt.source, tt.service, tt.labels); got != tt.want {
			t.Errorf("%s %s %s %v: held back by %q, want %q", tt.at, tt.source, tt.service, tt.labels, got, tt.want)
		}
	}
	var nights []string
	for _, w := range o.SilencesBetween(night(22, 23, 30), night(24, 12, 0)) {
		nights = append(nights, fmt.Sprintf("%s %s %s", w.Window, w.From.In(seoul).Format("02 15:04"), w.Until.In(seoul).Format("02 15:04")))
		if w.ID != silence.WindowID("nightly", w.From) || w.Reason == "" || len(w.Tell) != 2 || w.Zone != o.Zone.String() {
			t.Errorf("%+v", w.Terms)
		}
	}
	if d := cmp.Diff([]string{"nightly 22 23:00 23 01:00", "nightly 23 23:00 24 01:00"}, nights); d != "" {
		t.Error(d)
	}
}

func TestFaultsOfSilences(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"    services: [shop]\n    match: {job: [backup, export], team: \"\"}\n", "", "silences.yaml:2:5: silence nightly: for every alert; want services or match, so that not everything is held back"},
		{"[backup, export]", "[]", "silences.yaml:6:18: silence nightly: match: job: a list of 0; want 1 to 50 values"},
		{"[backup, export]", "{a: b}", "silence nightly: match: job: got 1 key; want the value of a label, of at most 1000 characters"},
		{"services: [shop]", "services: [store]", `silence nightly: services "store": no such service; known: shop`},
		{"sources: [prometheus]", "sources: [promtheus]", `silence move: sources "promtheus": no such source`},
		{"labels.severity != \"critical\"", "labels.severity", "silence nightly: when"},
		{"tell: [person:kim]", "tell: [person:kym]", `silence move: tell`},
		{"    tell: [person:kim]\n", "", "silence move: tell: missing"},
		{"from: 23:00, to: 01:00", "from: 00:00, to: 24:00", "without an end; want at most 30 days at a time"},
		{"to: 2198-03-14 06:00", "to: 2198-03-13 06:00", "silence move"},
		{"reason: everything is carried over", "reasons: x", `unknown key "reasons"`},
		{"id: move", "id: nightly", "nightly"},
	} {
		files := silent(t)
		files["silences.yaml"] = strings.Replace(someSilences, tt.old, tt.new, 1)
		dir := t.TempDir()
		write(t, dir, files)
		if _, err := org.Load(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q → %q: got %v, want %s", tt.old, tt.new, err, tt.want)
		}
	}
	files := silent(t)
	files["silences.yaml"] = strings.ReplaceAll(someSilences, "2198", "2018")
	o := load(t, files)
	if len(o.Warnings) != 1 || !strings.Contains(o.Warnings[0].String(), "silence move: it lies in the past") {
		t.Errorf("warnings: %v", o.Warnings)
	}
}

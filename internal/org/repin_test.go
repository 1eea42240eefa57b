package org_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/incident"
)

// What the alerts have decided stays; what was promised is that of the newer folder.
func TestRepinned(t *testing.T) {
	labels := map[string]string{"service": "shop", "severity": "critical", "alertname": "Down", "host": "web-1"}
	pinned := define(t, load(t, good(t)), "prometheus", labels, "it is down")
	files := good(t)
	change{"support-plans.yaml", "respond: 15m", "respond: 5m"}.in(t, files)
	newer := load(t, files)
	got, err := newer.Repinned(pinned, []alert.Labels{alert.FromMap(labels)})
	if err != nil {
		t.Fatal(err)
	}
	if want := define(t, newer, "prometheus", labels, "it is down"); cmp.Diff(want, got) != "" {
		t.Error(cmp.Diff(want, got))
	}
	want := []incident.Difference{{
		What: "customers.shopco.plan.promises.P1 respond", Before: "15m0s", After: "5m0s",
	}}
	if diff := cmp.Diff(want, incident.Differences(pinned, got)); diff != "" {
		t.Error(diff)
	}
	pinned.Service.ID = "gone"
	if _, err := newer.Repinned(pinned, nil); err == nil || !strings.Contains(err.Error(), `service "gone": not in the organisation folder`) {
		t.Errorf("got %v", err)
	}
}

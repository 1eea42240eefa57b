package org_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/org"
	"muster/internal/priority"
)

func TestTriesSayWhyARouteDoesNotTakeAnAlert(t *testing.T) {
	files := good(t)
	change{"routes.yaml", "routes:\n", `routes:
  - {id: lab, source: lab, service: shop}
  - {id: disks, when: 'name.startsWith("Disk")', service: shop}
`}.in(t, files)
	o := load(t, files)
	lab := org.Try{Route: "lab", Source: "lab"}
	disks := org.Try{Route: "disks", When: `name.startsWith("Disk")`}
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   []org.Try
	}{
		{"the condition holds", map[string]string{"alertname": "DiskFull"}, []org.Try{lab, {Route: "disks", Taken: true}}},
		{"all labels match", map[string]string{"service": "shop"}, []org.Try{lab, disks, {Route: "shop", Taken: true}}},
		{"another value", map[string]string{"service": "erp"}, []org.Try{lab, disks, {Route: "shop", Label: "service", Want: "shop", Got: "erp"}, {Route: "rest", Taken: true}}},
		{"no such label", nil, []org.Try{lab, disks, {Route: "shop", Label: "service", Want: "shop"}, {Route: "rest", Taken: true}}},
	} {
		if diff := cmp.Diff(tt.want, o.Tries("prometheus", alert.FromMap(tt.labels))); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// What has decided a level is said, and it is the level that the definition has.
func TestReasonsSayWhatDecidesALevel(t *testing.T) {
	files := good(t)
	change{"routes.yaml", "    title:", "    classes: [{class: reputation, when: 'labels.press == \"yes\"'}]\n    title:"}.in(t, files)
	o := load(t, files)
	for _, tt := range []struct {
		name            string
		labels          map[string]string
		impact, urgency org.LevelReason
	}{
		{
			"the value of a label",
			map[string]string{"service": "shop", "severity": "critical"},
			org.LevelReason{Level: priority.Low, From: org.FromRoute},
			org.LevelReason{Level: priority.High, From: org.FromLabel, Label: "severity", Value: "critical"},
		},
		{
			"a value that the route does not name",
			map[string]string{"service": "shop", "severity": "odd"},
			org.LevelReason{Level: priority.Low, From: org.FromRoute},
			org.LevelReason{Level: priority.Low, From: org.FromLabel, Label: "severity", Value: "odd"},
		},
		{
			"a special class",
			map[string]string{"service": "shop", "press": "yes"},
			org.LevelReason{Level: priority.High, From: org.FromClass, Class: priority.Reputation},
			org.LevelReason{Level: priority.Low, From: org.FromLabel, Label: "severity"},
		},
		{
			"the service", nil,
			org.LevelReason{Level: priority.High, From: org.FromService},
			org.LevelReason{Level: priority.Medium, From: org.FromService},
		},
	} {
		impact, urgency := o.Reasons("prometheus", alert.FromMap(tt.labels))
		if diff := cmp.Diff([]org.LevelReason{tt.impact, tt.urgency}, []org.LevelReason{impact, urgency}); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
		if i, u := o.Levels("prometheus", alert.FromMap(tt.labels)); i != impact.Level || u != urgency.Level {
			t.Errorf("%s: the definition has %s and %s", tt.name, i, u)
		}
	}
}

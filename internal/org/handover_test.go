package org_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
)

func TestLastResortsOfTheSchedulesThatAPolicyPages(t *testing.T) {
	files := good(t)
	files["escalation-policies.yaml"] = `escalation_policies:
  - id: b
    steps: [{targets: [person:kim], wait: 5m}, {targets: [schedule:primary], wait: 5m}]
    last_resort: {targets: [person:kim, schedule:primary, person:park], every: 15m}
    repeats: 0
    ack_expires: 1h
    next_method_after: 2m
  - id: std
    steps: [{targets: [schedule:primary], wait: 5m}]
    last_resort: {targets: [person:park], every: 15m}
    repeats: 0
    ack_expires: 1h
    next_method_after: 2m
  - id: a
    steps: [{targets: [person:park], wait: 5m}]
    last_resort: {targets: [person:yoon], every: 15m}
    repeats: 0
    ack_expires: 1h
    next_method_after: 2m
`
	o := load(t, files)
	want := []escalation.Target{{Kind: escalation.Person, ID: "kim"}, {Kind: escalation.Person, ID: "park"}}
	if d := cmp.Diff(want, o.LastResorts("primary")); d != "" {
		t.Errorf("primary (-want +got):\n%s", d)
	}
	if got := o.LastResorts("other"); len(got) != 0 {
		t.Errorf("a schedule that nobody pages: got %v", got)
	}
}

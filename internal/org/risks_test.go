package org_test

import (
	"errors"
	"strings"
	"testing"

	"muster/internal/escalation"
	"muster/internal/risk"
)

// A risk climbs the policy for risks, and without one that of the service that it is about.
func TestTheLevelsThatARiskClimbs(t *testing.T) {
	levels := func(p risk.Pinned) (all []string) {
		for _, l := range p.Levels {
			all = append(all, escalation.Shown(l.Targets)+" "+l.Wait.String())
		}
		return all
	}
	files := entitledFiles(t)
	plain := load(t, files)
	p, err := plain.Risk(risk.Asked{Service: "shop"})
	if err != nil || p.Policy != "std" || p.ServiceName == "" || p.Revision != plain.Revision || p.Zone != plain.Zone.String() || len(p.Levels) < 2 {
		t.Errorf("got %+v, %v", p, err)
	}
	if last := p.Levels[len(p.Levels)-1]; escalation.Shown(last.Targets) != "person:park" {
		t.Errorf("the last level is %v", last)
	}
	for a, want := range map[risk.Asked]string{
		{}:                  "service: missing; want the id of a service, because the organisation folder names no policy for risks",
		{Service: "nobody"}: `service: "nobody"; want the id of a service in the organisation folder`,
	} {
		_, err := plain.Risk(a)
		if fault, ok := errors.AsType[*risk.Fault](err); !ok || fault.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	files["organisation.yaml"] += "risks: {policy: management}\n"
	files["escalation-policies.yaml"] = strings.Replace(files["escalation-policies.yaml"], "escalation_policies:\n", `escalation_policies:
  - id: management
    steps:
      - {targets: [person:kim], wait: 4h}
    repeats: 0
    last_resort: {targets: [person:park], every: 6h}
    ack_expires: 1h
    next_method_after: 2m
`, 1)
	for _, a := range []risk.Asked{{}, {Service: "shop"}} {
		p, err := load(t, files).Risk(a)
		if got := strings.Join(levels(p), ", "); err != nil || p.Policy != "management" || got != "person:kim 4h0m0s, person:park 6h0m0s" {
			t.Errorf("got %s %s, %v", p.Policy, got, err)
		}
	}
}

package workflows_test

import (
	"testing"

	"muster/internal/alert"
	"muster/workflows"
)

// Ids are made of what identifies and nothing else, and stay as they are: another one is another incident.
func TestIncidentWorkflowIDs(t *testing.T) {
	values := func(name, value string) alert.Labels { return alert.Labels{{Name: name, Value: value}} }
	if got, want := workflows.RouteIncidentWorkflowID("s", "shop", values("cluster", "c1")), "incident/s/58b9d5afba0b6d0703eb9a62add34737"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	known := map[string]string{}
	for what, id := range map[string]string{
		"route":                         workflows.RouteIncidentWorkflowID("s", "shop", values("cluster", "c1")),
		"another source":                workflows.RouteIncidentWorkflowID("s2", "shop", values("cluster", "c1")),
		"another route":                 workflows.RouteIncidentWorkflowID("s", "shop2", values("cluster", "c1")),
		"another value":                 workflows.RouteIncidentWorkflowID("s", "shop", values("cluster", "c2")),
		"another label":                 workflows.RouteIncidentWorkflowID("s", "shop", values("clusterc", "1")),
		"no value":                      workflows.RouteIncidentWorkflowID("s", "shop", values("cluster", "")),
		"a source's group":              workflows.IncidentWorkflowID("s", "shop", values("cluster", "c1")),
		"a receiver that looks like it": workflows.IncidentWorkflowID("s", "route 4:shop", values("cluster", "c1")),
	} {
		if other, taken := known[id]; taken {
			t.Errorf("%s has the id of %s", what, other)
		}
		known[id] = what
	}
}

func TestTheCustomerInAnID(t *testing.T) {
	for id, want := range map[string]string{
		workflows.EnvironmentLockWorkflowID("garam", "production"): "garam", workflows.SilenceWorkflowID("garam", "production"): "garam",
		workflows.UsageWorkflowID("garam"): "garam", workflows.ReviewWorkflowID("INC-1"): "", workflows.HandoverWorkflowID("noc"): "",
		"incident/alertmanager/abc": "", "usage/garam/more": "", "archive": "", "": "",
	} {
		if got := workflows.CustomerIn(id); got != want {
			t.Errorf("%s names %q, want %q", id, got, want)
		}
	}
}

package handover_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

func open() *incident.Incident {
	clock := func(customer string, target supportplan.Target, minutes int, state supportplan.ClockState) supportplan.Clock {
		return supportplan.Clock{Customer: customer, Target: target, Due: after(minutes), State: state}
	}
	return &incident.Incident{
		ID: "INC-1", Status: incident.Acknowledged, Priority: priority.P2, QuietSince: after(1),
		Definition: incident.Definition{
			Title: "Checkout is slow", Service: incident.Service{ID: "checkout", Name: "Checkout"},
			Customers: []incident.Customer{{ID: "acme", Name: "Acme"}},
			Policy: escalation.Policy{
				Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Schedule, ID: "primary"}}}},
				LastResort: []escalation.Target{{Kind: escalation.Schedule, ID: "managers"}, {Kind: escalation.Person, ID: "ceo"}},
			},
		},
		Responders: []timeline.Actor{lee, kim},
		Holders:    []incident.Holder{{Role: incident.IncidentManager, Person: "kim"}, {Role: incident.SupportManager, Person: "lee"}},
		Clocks: []supportplan.Clock{
			clock("acme", supportplan.Resolve, 90, supportplan.Running), clock("acme", supportplan.Update, 20, supportplan.Running),
			clock("acme", supportplan.Mitigate, 60, supportplan.Running), clock("acme", supportplan.Respond, 10, supportplan.Paused),
		},
	}
}

func TestWhatGoesOverOfAnIncident(t *testing.T) {
	got, ok := handover.ItemOf(open(), "other", "kim")
	want := handover.Item{
		Incident: "INC-1", Title: "Checkout is slow", Service: "Checkout", Status: incident.Acknowledged, Priority: priority.P2,
		Roles:  []incident.Role{incident.IncidentManager},
		Next:   &handover.Promise{Customer: "Acme", Target: supportplan.Mitigate, Due: after(60)},
		Update: &handover.Promise{Customer: "Acme", Target: supportplan.Update, Due: after(20)},
		Paused: []handover.Promise{{Customer: "Acme", Target: supportplan.Respond}}, Quiet: after(1),
	}
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Errorf("concerns it: %v (-want +got):\n%s", ok, d)
	}
}

func TestWhichIncidentsGoOver(t *testing.T) {
	closed := open()
	closed.Status = incident.Closed
	for _, tc := range []struct {
		name             string
		i                *incident.Incident
		schedule, person string
		want             bool
	}{
		{"a role", open(), "other", "lee", true},
		{"the last responder", &incident.Incident{Responders: []timeline.Actor{lee, kim}}, "other", "kim", true},
		{"an earlier responder", &incident.Incident{Responders: []timeline.Actor{lee, kim}}, "other", "lee", false},
		{"a step pages the schedule", open(), "primary", "yoon", true},
		{"the last resort pages the schedule", open(), "managers", "yoon", true},
		{"a person of the same name", open(), "ceo", "yoon", false},
		{"neither", open(), "other", "yoon", false},
		{"closed", closed, "primary", "kim", false},
	} {
		if _, got := handover.ItemOf(tc.i, tc.schedule, tc.person); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestTheMostPressingItemsStay(t *testing.T) {
	var all []handover.Item
	for n := range handover.MaxItems + 3 {
		p := priority.P4
		if n == handover.MaxItems {
			p = priority.P1
		}
		all = append(all, handover.Item{Incident: incident.NewID(uint64(n)), Priority: p, Quiet: start.Add(time.Duration(n))})
	}
	items, left := handover.Sorted(all)
	if len(items) != handover.MaxItems || left != 3 || items[0].Priority != priority.P1 || items[1].Incident != all[0].Incident {
		t.Errorf("%d items, %d left, the first %+v", len(items), left, items[0])
	}
}

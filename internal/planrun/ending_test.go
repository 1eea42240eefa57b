package planrun_test

import (
	"testing"
	"time"

	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

func TestHowARunHasEnded(t *testing.T) {
	d := plan.Definition{Phases: []plan.Phase{{Tasks: []plan.Task{{ID: "look"}, {ID: "deploy", Changes: true}}}}}
	failed := func(task string) timeline.Log {
		var l timeline.Log
		l.Add(time.Time{}, timeline.TaskMoved, timeline.Muster(), timeline.F("task", task), timeline.F("from", "begun"), timeline.F("to", string(planrun.Failed)))
		return l
	}
	for want, all := range map[planrun.Ending][]planrun.Run{
		planrun.EndedDone:      {{Status: planrun.Completed}, {Status: planrun.Completed, Timeline: failed("look")}},
		planrun.EndedMended:    {{Status: planrun.Completed, Timeline: failed("deploy")}},
		planrun.EndedBack:      {{Status: planrun.Completed, Undoing: &planrun.Undoing{}}, {Status: planrun.Cancelled, Undoing: &planrun.Undoing{}}},
		planrun.EndedCancelled: {{Status: planrun.Cancelled}, {Status: planrun.Cancelled, Timeline: failed("deploy")}},
	} {
		for n := range all {
			if all[n].Plan = d; all[n].Ending() != want {
				t.Errorf("%s %d: got %s", want, n, all[n].Ending())
			}
		}
	}
}

// Of a run that a change has become, whoever has asked for the change is named.
func TestWhoHasStartedARun(t *testing.T) {
	terms := planrun.Terms{Starter: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim"}}
	if got := terms.StartedBy(); got != "Kim" {
		t.Errorf("got %q", got)
	}
	terms.ForChange = &planrun.ForChange{ID: "CHG-7K3M9QX2PA", Requester: timeline.Actor{Kind: timeline.Person, ID: "park", Name: "Park"}}
	if got := terms.StartedBy(); got != "CHG-7K3M9QX2PA, Park" {
		t.Errorf("got %q", got)
	}
}

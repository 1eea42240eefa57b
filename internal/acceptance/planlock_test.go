package acceptance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter/api"
)

// changePlan is a plan of a kind with one change to production.
func changePlan(kind string) string {
	return strings.ReplaceAll(`id: KIND-change
kind: KIND
name: Change
roles:
  - {id: lead, party: provider, name: Lead}
  - {id: deployer, party: provider, name: Deployer}
environments:
  - {id: staging, name: Staging}
lead: lead
re_plan: {voters: [lead], count: 1}
phases:
  - id: all
    name: All
    tasks:
      - {id: change, name: Change, kind: manual, accountable: deployer, environment: staging, changes: true, overrun: finish}
`, "KIND", kind)
}

// An upgrade and a maintenance have workflow ids of their own, and one environment: only one of them changes it at a time. Whoever ends
// a run that has it, however that is done, lets the other one go on.
func TestOneRunAtATimeChangesAnEnvironment(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	lead, deployer := s.as(t, "ben"), s.as(t, "ann")
	start := func(kind string) planrun.ID {
		r, err := lead.StartPlanRun(t.Context(), api.NewPlanRun{
			File: kind + ".yaml", Content: api.PlanText(changePlan(kind)), Customer: "globex", Environments: map[string]string{"staging": "staging"},
		}, "start-"+kind)
		must(t, err)
		return r.ID
	}
	stands := func(id planrun.ID, want planrun.TaskStatus) (r *planrun.Run) {
		must(t, until(t.Context(), fmt.Sprintf("the change of %s is %s", id, want), func() (err error) {
			if r, err = lead.PlanRun(t.Context(), id); err == nil && r.Tasks[0].Status != want {
				err = errors.New("it is " + string(r.Tasks[0].Status))
			}
			return err
		}))
		return r
	}
	ask := func(id planrun.ID, who *api.Client, a api.PlanAsk) {
		_, err := who.AskPlanRun(t.Context(), id, a, "")
		must(t, err)
	}
	first := start("upgrade")
	stands(first, planrun.Ready)
	second := start("maintenance")
	held := stands(second, planrun.Held)
	if got := entriesOf(held.Timeline.Entries, timeline.LockRefused, "run", string(first)); len(got) != 1 {
		t.Errorf("the timeline says %d times that %s has the environment", len(got), first)
	}
	if again := start("upgrade"); again != first { // the same request finds what it has started
		t.Errorf("the same request has started %s", again)
	}
	ask(first, lead, api.PlanCancel{Reason: "not today"})
	stands(second, planrun.Ready)
	if again := start("upgrade"); again != first { // also when it is over
		t.Errorf("the same request has started %s", again)
	}
	ask(second, deployer, api.PlanBegin{Task: "change"})
	ask(second, deployer, api.PlanComplete{Task: "change"})
	if r := stands(second, planrun.Done); len(r.Locks) > 0 {
		t.Errorf("it keeps %+v", r.Locks)
	}
}

// An alert that fires while a task changes its environment pages nobody until the task has ended, and then it does.
func TestAnAlertWaitsForTheEndOfAChange(t *testing.T) {
	t.Parallel()
	s := newSystem(t, nil)
	lead, deployer := s.as(t, "ben"), s.as(t, "ann")
	r, err := lead.StartPlanRun(t.Context(), api.NewPlanRun{
		File: "upgrade.yaml", Content: api.PlanText(changePlan("upgrade")), Customer: "globex", Environments: map[string]string{"staging": "staging"},
	}, "start")
	must(t, err)
	sees := func(what string, ok func(*planrun.Run) bool) {
		must(t, until(t.Context(), what, func() error {
			now, err := lead.PlanRun(t.Context(), r.ID)
			if err == nil && !ok(now) {
				err = fmt.Errorf("the change is %s, and silences are %+v", now.Tasks[0].Status, now.Silences)
			}
			return err
		}))
	}
	ask := func(a api.PlanAsk) {
		_, err := deployer.AskPlanRun(t.Context(), r.ID, a, "")
		must(t, err)
	}
	sees("the change may begin", func(now *planrun.Run) bool { return now.Tasks[0].Status == planrun.Ready })
	ask(api.PlanBegin{Task: "change"})
	sees("alerts are held back", func(now *planrun.Run) bool { return len(now.Silences) == 1 && !now.Silences[0].Begun.IsZero() })
	must(t, deliver(t.Context(), s.url, body("plant", "staging", "firing", 2, "")))
	sees("the alert is told", func(now *planrun.Run) bool { return len(now.Silences[0].Names) == 2 })
	all, err := byGroup(t.Context(), s.api)
	must(t, err)
	if len(all["staging"]) != 0 {
		t.Error("an incident was opened while the change is under way")
	}
	ask(api.PlanComplete{Task: "change"})
	_, err = opened(t.Context(), s.api, "staging")
	must(t, err)
	sees("the run lists them", func(now *planrun.Run) bool { return len(now.Alerts) == 2 && !now.Alerts[0].Resolved })
}

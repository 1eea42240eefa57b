package acceptance_test

import (
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	alerts "muster/internal/alert"
	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/workflows"
)

// endedPlan is a plan of a kind with tasks of its own.
func endedPlan(kind, tasks string) string {
	head, _, _ := strings.Cut(tinyPlan, "      - {id: look")
	return strings.Replace(head, "kind: upgrade", "kind: "+kind, 1) + tasks
}

// plays begins a run of a plan on the environments of the customer that are not called as in the plan.
func (e *ends) plays(content string, on map[string]string) *played {
	e.Helper()
	p := &played{bare: e.bare, T: e.T, site: "http://127.0.0.1:1", on: on}
	p.begins(content)
	return p
}

// tells waits until the timeline of the run has an entry of a kind so often.
func (p *played) tells(kind timeline.Kind, times int) {
	p.Helper()
	p.stands(fmt.Sprintf("%s stands in the timeline %d times", kind, times), func(r *planrun.Run) bool {
		return len(entriesOf(r.Timeline.Entries, kind, "", "")) >= times
	})
}

func (p *played) becomes(task string, want planrun.TaskStatus) {
	p.Helper()
	p.stands(task+" is "+string(want), func(r *planrun.Run) bool { return taskIs(r, task, want) })
}

// goLiveCancelled has a task that is late, fails and is done in the end, a waiver that runs out, and a decision that is refused, made
// anew by a substitute, and void.
func (e *ends) goLiveCancelled() []*historypb.History {
	p := e.plays(endedPlan("go-live", `      - id: look
        kind: manual
        name: Look
        accountable: deployer
        skip: {approver: owner, longest: 1h}
        due: {within: 1s, after: look}
        escalate: {after: 1s, to: [owner]}
        evidence: [{id: log, what: The log}]
      - {id: extra, kind: manual, name: More, accountable: deployer, when: environments.staging.production}
      - {id: answers, kind: check, name: It answers, needs: [], accountable: deployer,
         check: {http: "{site}/ok", timeout: 1s, on_fail: fail, on_unclear: ask}}
      - {id: alone, kind: approval, name: Agree, needs: [], accountable: lead, vote: {voters: [lead], count: 1, exclude: [requester]}}
      - {id: go, kind: decision, name: Go, needs: [look], accountable: manager, shows: [look],
         vote: {voters: [owner, manager], each: party, exclude: [requester, implementers]}}
      - {id: after, kind: manual, name: Celebrate, needs: [go, alone], accountable: deployer}
`), nil)
	p.tells(timeline.VoteImpossible, 1)
	p.becomes("answers", planrun.Unclear) // there is nothing that could
	p.ask("ann", planrun.Settle{Capacity: p.in("ann"), Task: "answers", Status: planrun.Done, Reason: "I have seen it."})
	p.tells(timeline.TaskEscalated, 1)
	skip := func(until time.Time) planrun.Skip {
		return planrun.Skip{Capacity: p.in("ann"), Task: "look", Reason: "It is known.", Control: "Look tomorrow.", Until: until}
	}
	p.refused("ann", skip(time.Now().Add(2*time.Hour)))
	p.ask("ann", skip(time.Time{}))
	p.ask("sue", planrun.Waive{Capacity: p.in("sue"), Task: "look", Note: "It is not known."})
	ends := time.Now().Add(30 * time.Minute)
	p.ask("ann", skip(ends))
	e.comes(workflows.PlanRunWorkflowID(plan.GoLive, "globex", "production"), func() {
		p.ask("sue", planrun.Waive{Capacity: p.in("sue"), Task: "look", Grant: true})
	}, ends)
	p.tells(timeline.WaiverExpired, 1)
	p.becomes("look", planrun.Ready)
	p.ask("ben", planrun.Assign{Capacity: p.in("ben"), Task: "look", Person: p.person("ann")})
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "look"})
	p.ask("ann", planrun.Fail{Capacity: p.in("ann"), Task: "look", Reason: "It is dark."})
	p.ask("ben", planrun.Retry{Capacity: p.in("ben"), Task: "look", Reason: "There is a lamp."})
	p.becomes("look", planrun.Ready)
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "look"})
	log := []planrun.Given{{Item: "log", Ref: "https://files.example/log"}}
	p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "look", Evidence: log})
	vote := func(who, instead string, c approval.Choice) {
		r := p.stands("they may vote", func(r *planrun.Run) bool {
			t, _, _ := r.Task("go")
			return t.Ballot != nil && t.Status == planrun.Begun
		})
		t, _, _ := r.Task("go")
		p.ask(who, planrun.Vote{
			Capacity: p.in(who), ID: fmt.Sprintf("vote-%d", p.asks), Task: "go", For: instead, Choice: c, Reason: "Seen.", Shown: t.Ballot.Shown.SHA256,
		})
	}
	vote("sue", "", approval.NotReady)
	p.becomes("go", planrun.Failed)
	p.ask("ben", planrun.Retry{Capacity: p.in("ben"), Task: "go", Reason: "Seen again."})
	vote("sue", "", approval.Ready)
	p.ask("cat", planrun.Delegate{Capacity: p.in("cat"), Task: "go", To: approval.Substitute{
		For: "cat", Person: "bob", Name: "Bob", Party: authority.Provider, Until: time.Now().Add(time.Hour),
	}})
	vote("bob", "cat", approval.Ready)
	p.becomes("go", planrun.Done)
	p.ask("ann", planrun.AddEvidence{Capacity: p.in("ann"), Task: "look", Evidence: log})
	p.tells(timeline.VoteVoided, 1)
	p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "The shop is sold."})
	return p.over(planrun.Cancelled)
}

// refused asks what is refused, which the timeline says.
func (p *played) refused(person string, c planrun.Command) {
	p.Helper()
	before := len(entriesOf(p.state().Timeline.Entries, timeline.ActionRefused, "", ""))
	if err := p.runs.Ask(p.Context(), p.id, p.asked(person), c); err == nil {
		p.Errorf("%T was taken", c)
	}
	p.tells(timeline.ActionRefused, before+1)
}

// maintenanceItems stands beside other runs of its environment. An action item comes of a task, and the documents of a service are looked
// for in vain.
func (e *ends) maintenanceItems() []*historypb.History {
	p := e.plays(endedPlan("maintenance\napart: true", `      - {id: talk, kind: manual, name: Talk, accountable: deployer, action_items: true}
      - {id: documents, kind: check, name: All is there, accountable: deployer, check: {documents: plant, on_fail: fail, on_unclear: ask}}
`), nil)
	p.becomes("documents", planrun.Failed)
	p.ask("ann", planrun.AddAction{Capacity: p.in("ann"), ID: "ACT-0000000001", Title: "Write it down."})
	p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "talk"})
	p.becomes("talk", planrun.Done)
	p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "It is not there."})
	return p.over(planrun.Cancelled)
}

const changing = `      - {id: change, name: Change, kind: manual, accountable: deployer, environment: staging, changes: true, overrun: finish,
         rollback: {component: shop, within: 1h, detail: Take it back.}}
`

// maintenanceCancelled loses the lock of its environment while it changes it, and its silence holds back more than a change explains.
// Another run waits for that environment, and is cancelled too.
func (e *ends) maintenanceCancelled() []*historypb.History {
	p := e.plays(endedPlan("maintenance", changing), nil)
	p.becomes("change", planrun.Ready)
	second := e.plays(endedPlan("readiness", changing), nil)
	second.becomes("change", planrun.Held)
	second.ask("ben", planrun.Cancel{Capacity: second.in("ben"), Reason: "Not today."})
	keep(e.T, "readiness-cancelled", second.over(planrun.Cancelled))
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "change"})
	p.tells(timeline.AlertsHolding, 1)
	e.groups("plant", "staging").brings(alerts.Firing, 101)
	p.tells(timeline.AlertsLet, 1)
	keep(e.T, "silence-full", p.recorded(e.T, workflows.SilenceWorkflowID("globex", "staging"), over))
	lock := workflows.EnvironmentLockWorkflowID("globex", "staging")
	must(e.T, e.temporal.TerminateWorkflow(e.Context(), lock, "", "by mistake"))
	p.tells(timeline.LockLost, 1)
	keep(e.T, "environment-lock-lost", p.recorded(e.T, lock, func(h *historypb.History) error {
		if last := h.GetEvents()[len(h.GetEvents())-1].GetEventType(); last != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED {
			return fmt.Errorf("the last event is %s", last)
		}
		return nil
	}))
	p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "Too much is broken."})
	return p.over(planrun.Cancelled)
}

// silenceGoesOn is a silence whose history grows long while a change lasts: it goes on in a new run, with what it holds, and brings all of it
// to its incident at the end.
func (e *ends) silenceGoesOn() []*historypb.History {
	p := e.plays(endedPlan("maintenance", changing), map[string]string{"staging": "bench", "production": "annex"})
	p.becomes("change", planrun.Ready)
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "change"})
	p.tells(timeline.AlertsHolding, 1)
	silence, fires := growingSilence(), e.groups("plant", "bench")
	for n := range 20 {
		if fires.brings(alerts.Firing, 1+n); len(e.chain(silence)) == 2 {
			break
		}
	}
	must(e.T, until(e.Context(), "it goes on", func() error {
		if n := len(e.chain(silence)); n != 2 {
			return fmt.Errorf("%d runs", n)
		}
		return nil
	}))
	fires.brings(alerts.Firing, 25)
	p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "It lasts too long."})
	p.over(planrun.Cancelled)
	e.bare.recorded(e.T, silence, givenUp)
	e.state(e.T, "plant", "bench", "all that was held is there", func(i *incident.Incident) bool { return i.Alerts.Firing == 25 })
	return e.chain(silence)
}

// growingSilence is the silence whose history grows.
func growingSilence() string { return workflows.SilenceWorkflowID("globex", "bench") }

// upgradeOverridden changes an environment in a freeze, as two people have agreed, takes longer than they have, and is rolled back late.
func (e *ends) upgradeOverridden() []*historypb.History {
	p := e.plays(endedPlan("upgrade", strings.Replace(changing, "overrun: finish", "overrun: roll-back", 1)),
		map[string]string{"staging": "lab", "production": "production"})
	p.becomes("change", planrun.Held)
	until := time.Now().Add(2 * time.Hour).Truncate(time.Minute)
	asked := func() {
		p.ask("ann", planrun.AskOverride{Capacity: p.in("ann"), Environment: "staging", Freeze: "always", Reason: "It is broken.", Until: until})
	}
	asked()
	p.ask("ben", planrun.ConfirmOverride{Capacity: p.in("ben"), Environment: "staging", Note: "Not for two hours."})
	asked()
	p.ask("ben", planrun.ConfirmOverride{Capacity: p.in("ben"), Environment: "staging", Grant: true})
	p.becomes("change", planrun.Ready)
	e.comes(workflows.PlanRunWorkflowID(plan.Upgrade, "globex", "production"), func() {
		p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "change"})
	}, until.Add(-time.Hour), until, until.Add(61*time.Minute)) // it has to be decided, the environment is frozen again, the rollback is late
	p.tells(timeline.RollbackDecideBy, 1)
	p.tells(timeline.WindowOverrun, 1)
	p.tells(timeline.RollbackLate, 1)
	p.ask("ann", planrun.SettleUndo{Capacity: p.in("ann"), Task: "change", State: planrun.Undone, Note: "It is taken back."})
	p.stands("it is rolled back", func(r *planrun.Run) bool { return r.Status == planrun.Halted })
	p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "It has to wait."})
	return p.over(planrun.Cancelled)
}

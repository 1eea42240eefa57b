package acceptance_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"muster/internal/approval"
	"muster/internal/devserver"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter"
	"muster/worker"
	"muster/workflows"
)

// smallPlan is an upgrade of seconds with a task of each kind.
const smallPlan = `id: small
kind: upgrade
name: Small
parameters:
  - {id: site, type: text, description: Where it is}
  - {id: hosts, type: list, default: [one, two], description: Its hosts}
roles:
  - {id: owner, party: customer, name: Owner}
  - {id: integrator, party: partner, name: Integrator}
  - {id: lead, party: provider, name: Lead}
  - {id: deployer, party: provider, name: Deployer}
  - {id: manager, party: provider, name: Manager}
environments:
  - {id: staging, name: Staging}
  - {id: production, name: Production, production: true}
lead: lead
re_plan: {voters: [owner, manager], each: party, exclude: [requester]}
phases:
  - id: prepare
    name: Prepare
    tasks:
      - {id: rehearsal, kind: manual, name: Rehearse, accountable: deployer, environment: staging, changes: true, overrun: finish,
         due: {within: 1h, after: rehearsal}, remind: [10m], evidence: [{id: record, what: The record, checked_by: manager}]}
      - {id: training, kind: manual, name: Train, accountable: integrator, skip: {approver: owner}, needs: []}
      - {id: backup, kind: runbook, name: Back up, accountable: deployer, runs: run-w1-23, needs: []}
      - {id: answers, kind: check, name: It answers, accountable: deployer, needs: [backup],
         check: {http: "{site}/ok", timeout: 2s, on_fail: fail, on_unclear: ask}}
      - {id: go, kind: decision, name: Go, needs: [rehearsal, training, answers], accountable: manager, shows: [rehearsal],
         vote: {voters: [owner, manager], each: party, exclude: [requester, implementers]}, due: {within: 1h, after: go}}
  - id: launch
    name: Launch
    tasks:
      - {id: announce, kind: notify, name: Announce, accountable: lead, tell: [owner, integrator], message: It begins}
      - {id: deploy, kind: manual, name: Deploy, needs: [announce], accountable: deployer, informed: [integrator], environment: production,
         changes: true, overrun: finish, rollback: {component: shop, runs: undo-w1-10, within: 1m, rehearsed: rehearsal}}
      - {id: bake, kind: wait, name: Watch it, needs: [deploy], accountable: deployer, environment: production, for: 2s,
         check: {http: "{site}/ok", timeout: 2s, every: 1s, failures: 1, inconclusive: 5, on_fail: roll-back, on_unclear: ask}}
      - {id: caches, kind: manual, name: Warm up, needs: [bake], accountable: deployer, waves: {over: hosts, size: 1, bake: 1s}}
      - {id: completion, kind: report, name: Completion report, needs: [caches], accountable: lead, writes: completion-report}
`

// tinyPlan is of any kind, with one task.
const tinyPlan = `id: tiny
kind: upgrade
name: Tiny
parameters:
  - {id: site, type: text, description: Where it is}
roles:
  - {id: owner, party: customer, name: Owner}
  - {id: lead, party: provider, name: Lead}
  - {id: deployer, party: provider, name: Deployer}
  - {id: manager, party: provider, name: Manager}
environments:
  - {id: staging, name: Staging}
  - {id: production, name: Production, production: true}
lead: lead
re_plan: {voters: [owner, manager], each: party, exclude: [requester]}
phases:
  - id: once
    name: Once
    tasks:
      - {id: look, kind: manual, name: Look, accountable: deployer}
`

// played is a run of the small plan, whose people ask the engine themselves.
type played struct {
	*bare
	*testing.T
	runs *starter.PlanRuns
	id   planrun.ID
	site string
	asks int
	on   map[string]string // environments of the customer by those of the plan; nil: under the same names
}

// The histories of runs of plans that workflows/replay_test.go replays, played once more on a real engine and replayed at once.
func TestPlanHistoriesAsRecorded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it plays whole upgrades")
	}
	var broken atomic.Bool
	site := listen(t, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/undo"):
			broken.Store(false)
		case broken.Load():
			http.Error(w, "out of order", http.StatusInternalServerError)
		}
	}))
	sink := newReceiver(t)
	organisation := organise(t, t.TempDir(), sink.url, nil)
	equip(t, organisation, site)
	b := newBare(t, sink, organisation, devserver.Options{Memory: true})
	w := worker.New(b.temporal, b.effects, worker.Deployment{})
	must(t, w.Start())
	t.Cleanup(w.Stop)
	begin := func(t *testing.T, content string) *played {
		t.Helper()
		p := &played{bare: b, T: t, site: site}
		p.begins(content)
		return p
	}

	t.Run("happy", func(t *testing.T) {
		p := begin(t, smallPlan)
		p.prepares()
		p.launches(1)
		keep(t, "upgrade-happy", p.over(planrun.Completed))
		keep(t, "environment-lock", p.recorded(t, workflows.EnvironmentLockWorkflowID("globex", "production"), givenUp))
		keep(t, "silence", p.recorded(t, workflows.SilenceWorkflowID("globex", "staging"), givenUp))
	})
	t.Run("rolled back", func(t *testing.T) {
		p := begin(t, smallPlan)
		p.prepares()
		broken.Store(true)
		p.deploys(1)
		p.stands("it is rolled back", func(r *planrun.Run) bool {
			return r.Status == planrun.Halted && taskIs(r, "deploy", planrun.RolledBack)
		})
		p.ask("ben", planrun.Continue{Capacity: p.in("ben"), Reason: "A setting was missing."})
		p.votes("go", approval.Ready)
		p.launches(2)
		keep(t, "upgrade-rolled-back", p.over(planrun.Completed))
	})
	t.Run("cancelled", func(t *testing.T) {
		p := begin(t, smallPlan)
		p.prepares()
		p.stands("it may be deployed", func(r *planrun.Run) bool { return taskIs(r, "deploy", planrun.Ready) })
		p.ask("sue", planrun.Halt{Capacity: p.in("sue"), Reason: "The sale begins a day early."})
		p.ask("ann", planrun.Note{Capacity: p.in("ann"), Task: "deploy", Text: "Waiting."})
		terms := p.terms(strings.Replace(smallPlan, "for: 2s", "for: 3s", 1))
		p.ask("ben", planrun.RePlan{Capacity: p.in("ben"), Next: terms.Pinned, Reason: "It is watched for longer."})
		p.votes("", approval.Approve)
		p.stands("it is planned anew", func(r *planrun.Run) bool { return r.Revised == 1 })
		p.ask("ben", planrun.Continue{Capacity: p.in("ben"), Reason: "The sale is over."})
		p.ask("ben", planrun.Cancel{Capacity: p.in("ben"), Reason: "The release was withdrawn."})
		keep(t, "upgrade-cancelled", p.over(planrun.Cancelled))
	})
	for _, kind := range []plan.Kind{plan.GoLive, plan.Readiness, plan.Maintenance} {
		t.Run(string(kind), func(t *testing.T) {
			p := begin(t, strings.Replace(tinyPlan, "kind: upgrade", "kind: "+string(kind), 1))
			p.stands("it may be looked at", func(r *planrun.Run) bool { return taskIs(r, "look", planrun.Ready) })
			p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "look"})
			p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "look"})
			keep(t, string(kind), p.over(planrun.Completed))
		})
	}
	sink.check(t)
}

// begins starts the run.
func (p *played) begins(content string) {
	p.Helper()
	p.runs = p.incidents.PlanRuns()
	terms := p.terms(content)
	r, err := p.runs.Start(p.Context(), starter.Request{ID: p.Name() + string(terms.Plan.Kind), By: p.person("ben"), Via: "token:test"}, terms)
	must(p.T, err)
	p.id = r.ID
}

// givenUp tells whether a lock or a silence has ended: whoever had it cancels it, or it ends by itself.
func givenUp(h *historypb.History) error {
	if last := h.GetEvents()[len(h.GetEvents())-1].GetEventType(); last != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED {
		return over(h)
	}
	return nil
}

func taskIs(r *planrun.Run, id string, want planrun.TaskStatus) bool {
	t, _, ok := r.Task(id)
	return ok && t.Status == want
}

func (p *played) person(id string) timeline.Actor {
	who, ok := p.live.Current().Subject(id)
	if !ok {
		p.Fatalf("nobody is %s", id)
	}
	return who.Actor
}

func (p *played) terms(content string) planrun.Terms {
	p.Helper()
	on := p.on
	if on == nil {
		on = map[string]string{"staging": "staging", "production": "production"}
	}
	terms, err := p.live.Current().StartPlan(org.PlanStart{
		File: "small.yaml", Content: []byte(content), Customer: "globex", Environments: on,
		Parameters: map[string]string{"site": p.site},
	})
	must(p.T, err)
	return terms
}

func (p *played) state() *planrun.Run {
	p.Helper()
	var r *planrun.Run
	must(p.T, until(p.Context(), "the run shows itself", func() (err error) {
		r, err = p.runs.State(p.Context(), p.id)
		return err
	}))
	return r
}

// stands waits until the run stands as it must.
func (p *played) stands(what string, ok func(*planrun.Run) bool) (r *planrun.Run) {
	p.Helper()
	must(p.T, until(p.Context(), what, func() error {
		if r = p.state(); !ok(r) {
			last := r.Timeline.Entries[len(r.Timeline.Entries)-1]
			return fmt.Errorf("it is %s, and has last recorded %s %v", r.Status, last.Kind, last.Facts)
		}
		return nil
	}))
	return r
}

// in is in which roles somebody acts.
func (p *played) in(person string) planrun.Capacity {
	p.Helper()
	return planrun.Capacity{Roles: p.live.Current().PlanRoles(p.state(), person, time.Now()), Revision: p.live.Current().Folder().Revision}
}

func (p *played) ask(person string, c planrun.Command) {
	p.Helper()
	must(p.T, p.runs.Ask(p.Context(), p.id, p.asked(person), c))
}

// asked is the next request of somebody.
func (p *played) asked(person string) starter.Request {
	p.Helper()
	p.asks++
	return starter.Request{ID: fmt.Sprintf("ask-%d", p.asks), By: p.person(person), Via: "token:test"}
}

// prepares does everything up to the decision.
func (p *played) prepares() {
	p.Helper()
	p.stands("it may be rehearsed", func(r *planrun.Run) bool { return taskIs(r, "rehearsal", planrun.Ready) })
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "rehearsal"})
	p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "rehearsal", Evidence: []planrun.Given{{Item: "record", Ref: "https://files.example/record"}}})
	p.ask("cat", planrun.CheckEvidence{Capacity: p.in("cat"), Task: "rehearsal", OK: true})
	p.ask("kay", planrun.Skip{Capacity: p.in("kay"), Task: "training", Reason: "They know it.", Control: "A page of notes."})
	p.ask("sue", planrun.Waive{Capacity: p.in("sue"), Task: "training", Grant: true})
	p.votes("go", approval.Ready)
}

// votes lets the customer and the manager vote on a task, or on the change of the plan.
func (p *played) votes(task string, c approval.Choice) {
	p.Helper()
	var b *approval.Ballot
	p.stands("they may vote", func(r *planrun.Run) bool {
		switch t, _, ok := r.Task(task); {
		case ok:
			b = t.Ballot
		case r.Change != nil:
			b = r.Change.Ballot
		}
		return b != nil && len(b.Votes) == 0
	})
	for _, who := range []string{"sue", "cat"} {
		p.ask(who, planrun.Vote{Capacity: p.in(who), ID: fmt.Sprintf("vote-%s-%d", who, p.asks), Task: task, Choice: c, Shown: b.Shown.SHA256})
	}
}

func (p *played) deploys(attempt int) {
	p.Helper()
	p.stands("it may be deployed", func(r *planrun.Run) bool {
		t, _, _ := r.Task("deploy")
		return t.Status == planrun.Ready && t.Attempt == attempt
	})
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "deploy"})
	p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "deploy"})
}

// launches does everything after the decision.
func (p *played) launches(attempt int) {
	p.Helper()
	p.deploys(attempt)
	p.stands("the hosts may be warmed up", func(r *planrun.Run) bool { return taskIs(r, "caches", planrun.Ready) })
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "caches"})
	for n, host := range []string{"one", "two"} {
		p.stands("it is the turn of "+host, func(r *planrun.Run) bool {
			t, _, _ := r.Task("caches")
			return t.Wave == n+1 && t.Until.IsZero()
		})
		p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "caches", Target: host})
	}
}

// over waits until the run has ended, and returns its history.
func (p *played) over(as planrun.Status) (runs []*historypb.History) {
	p.Helper()
	p.stands("it is "+string(as), func(r *planrun.Run) bool { return r.Status == as })
	must(p.T, until(p.Context(), "the run is over", func() (err error) {
		if runs, err = p.runs.History(p.Context(), p.id); err != nil {
			return err
		}
		return over(runs[len(runs)-1])
	}))
	return runs
}

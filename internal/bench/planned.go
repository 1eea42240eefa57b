package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/runbook"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// rawPlanWorkflow is raw for plans: a chain of tasks of one kind, and no more. For a manual task it tells whoever does it, and waits for
// one update with a validator. For an approval it tells both voters, waits for an update of each, and tells whoever leads. For a step of a runbook and a check
// it runs one activity, once. Who is meant is found in a local activity before each message. Activities have the options of ours.
//
// It does not: keep a state that can be read, a timeline, or who has done what; know who may; bind a vote to what was shown; count votes
// anew when people come or leave; settle what nobody knows; halt, change its plan, roll back; remind of anything; write texts; tell
// anybody that it begins or ends.
const rawPlanWorkflow = "RawPlan"

// rawPlanInput starts it.
type rawPlanInput struct {
	Subject string        `json:"subject"`
	Kind    plan.TaskKind `json:"kind"`
	Tasks   int           `json:"tasks"`
}

// rawDeed is what somebody asks.
type rawDeed struct {
	Task int    `json:"task"`
	By   string `json:"by"`
}

// rawPlan does the tasks one after the other.
func rawPlan(ctx workflow.Context, in rawPlanInput) error {
	var raw *rawActivities // nil: only named
	at, deeds := -1, 0
	if err := workflow.SetUpdateHandlerWithOptions(ctx, workflows.CompleteUpdate, func(workflow.Context, rawDeed) error {
		deeds++
		return nil
	}, workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, d rawDeed) error {
		if d.Task != at || d.By == "" {
			return errors.New("not now")
		}
		return nil
	}}); err != nil {
		return err
	}
	pending := 0
	tell := func(who string) {
		pending++
		workflow.Go(ctx, func(ctx workflow.Context) {
			rawSend(ctx, rawOptions(false, planrun.Priority), in.Subject, rawTask, who)
			pending--
		})
	}
	people := map[plan.TaskKind]int{plan.Manual: 1, plan.Approval: 2}[in.Kind]
	for n := range in.Tasks {
		at, deeds = n, 0
		for k := range people {
			tell(fmt.Sprintf("%d-%s", n, voter(k)))
		}
		if people > 0 {
			if err := workflow.Await(ctx, func() bool { return deeds == people }); err != nil {
				return err
			}
			if in.Kind == plan.Approval {
				tell(fmt.Sprintf("%d-decided", n))
			}
			continue
		}
		o := workflow.ActivityOptions{
			TaskQueue: workflows.RunbookTaskQueue, StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		}
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), raw.RawStep, in.Subject).Get(ctx, nil); err != nil {
			return err
		}
	}
	return workflow.Await(ctx, func() bool { return pending == 0 && workflow.AllHandlersFinished(ctx) })
}

// rawTask is the kind of raw's messages on plans.
const rawTask = "plan"

// voter is the nth person of a task.
func voter(n int) string { return []string{"kim", "choi"}[n] }

// chain is a plan of tasks of one kind, each after the one before.
func chain(kind plan.TaskKind, tasks int) plan.Definition {
	same := func(s string) plan.Text { return plan.Text{En: s, Ko: s} }
	vote := approval.Rule{
		Voters: []approval.Voter{{Party: authority.Provider, Role: voter(0)}, {Party: authority.Provider, Role: voter(1)}},
		Need:   approval.Need{Each: approval.EachRole}, Exclude: approval.Exclusion{Requester: true},
	}
	d := plan.Definition{
		ID: "chain", Kind: plan.Upgrade, Name: same("Chain"), Lead: "lead", RePlan: vote,
		Environments: []plan.Environment{{ID: "production", Name: same("Production"), Production: true}},
	}
	for _, role := range []string{voter(0), voter(1), "lead"} {
		d.Roles = append(d.Roles, plan.Role{ID: role, Party: authority.Provider, Name: same(role)})
	}
	var all []plan.Task
	for n := range tasks {
		t := plan.Task{
			ID: fmt.Sprint("task-", n), Kind: kind, Name: same(fmt.Sprintf("Task #%d.", n)), SHA256: fmt.Sprintf("%064d", n),
			Assignment: raci.Assignment{Accountable: voter(0)},
		}
		if n > 0 {
			t.Needs = []string{all[n-1].ID}
		}
		switch kind {
		case plan.Approval:
			t.Vote, t.Accountable = &vote, "lead"
		case plan.Runbook:
			t.Runs = "one"
		case plan.Checking:
			t.Check = &plan.Check{HTTP: "https://shop.example.com/ok", Timeout: time.Second, OnFail: plan.FailTask, OnUnclear: plan.AskPerson}
		default:
		}
		all = append(all, t)
	}
	d.Phases = []plan.Phase{{ID: "all", Name: same("All"), Tasks: all}}
	return d
}

// chainTerms are those under which lee starts a chain for a subject.
func chainTerms(subject string, kind plan.TaskKind, tasks int) planrun.Terms {
	sum := fmt.Sprintf("%064d", 1)
	t := planrun.Terms{
		Customer: subject, CustomerName: subject,
		Environments: []planrun.Bound{{ID: "production", Environment: "production", Name: "Production", Production: true}},
		Pinned: planrun.Pinned{
			Plan: chain(kind, tasks), SHA256: sum, ParametersID: sum, Revision: "bench", Organisation: "bench", Zone: "Asia/Seoul",
			Books: []planrun.Book{{ID: "one", SHA256: sum, Runbook: runbook.Runbook{ID: "one", Updated: 20_000, Steps: []runbook.Step{
				{Number: 1, Text: "Do it.", Automatic: &runbook.Automatic{Runner: runbook.ByCommand, Command: []string{"/bin/true"}, Timeout: time.Second}},
			}}}},
		},
	}
	for _, role := range t.Plan.Roles {
		who := role.ID
		if who == "lead" {
			who = "lee"
		}
		t.Roles = append(t.Roles, planrun.Filled{Role: role.ID, Targets: []escalation.Target{{Kind: escalation.Person, ID: who}}})
	}
	return t
}

// stepper does every step and finds everything well.
type stepper struct{}

// Run does nothing.
func (stepper) Run(context.Context, *runbook.Automatic) runbook.Result {
	return runbook.Result{State: runbook.Passed}
}

// Measure sees what it should.
func (stepper) Measure(context.Context, runbook.Measurement) runbook.Reading {
	return runbook.Reading{Outcome: runbook.Pass, Seen: "status 200"}
}

// A planSide is raw or ours for plans. Each leads a chain to its end, and returns the id of its workflow.
type planSide struct {
	name string
	lead func(ctx context.Context, subject string, kind plan.TaskKind, tasks int) (workflowID string, err error)
}

func (e *engine) planSides(round int) []planSide {
	both := []planSide{{"raw", e.leadRaw}, {"ours", e.leadOurs}}
	if round%2 != 0 {
		slices.Reverse(both)
	}
	return both
}

func (e *engine) leadRaw(ctx context.Context, subject string, kind plan.TaskKind, tasks int) (string, error) {
	id := "raw/" + subject
	run, err := e.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: workflows.TaskQueue, Priority: temporal.Priority{PriorityKey: int(planrun.Priority)},
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.IDAttribute.ValueSet(subject), workflows.StatusAttribute.ValueSet("running"),
			workflows.PriorityAttribute.ValueSet(int64(planrun.Priority)), workflows.CustomersAttribute.ValueSet([]string{subject})),
	}, rawPlanWorkflow, rawPlanInput{Subject: subject, Kind: kind, Tasks: tasks})
	if err != nil {
		return id, err
	}
	for n := range tasks {
		for k := range map[plan.TaskKind]int{plan.Manual: 1, plan.Approval: 2}[kind] {
			if _, err := e.world.await(ctx, subject, fmt.Sprintf("%s %d-%s", rawTask, n, voter(k))); err != nil {
				return id, err
			}
			h, err := e.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
				UpdateID: fmt.Sprint(n, k), WorkflowID: id, UpdateName: workflows.CompleteUpdate, Args: []any{rawDeed{Task: n, By: voter(k)}},
				WaitForStage: client.WorkflowUpdateStageCompleted,
			})
			if err == nil {
				err = h.Get(ctx, nil)
			}
			if err != nil {
				return id, fmt.Errorf("raw: task %d of %s: %w", n, subject, err)
			}
		}
	}
	return id, run.Get(ctx, nil)
}

// leadOurs asks as the API does, without reading the state before and after each deed as that does: raw has none to read.
func (e *engine) leadOurs(ctx context.Context, subject string, kind plan.TaskKind, tasks int) (string, error) {
	id := workflows.PlanRunWorkflowID(plan.Upgrade, subject, "production")
	runs := e.incidents.PlanRuns()
	person := func(who string) timeline.Actor { return timeline.Actor{Kind: timeline.Person, ID: who, Name: who} }
	run, err := runs.Start(ctx, starter.Request{ID: "start/" + subject, By: person("lee")}, chainTerms(subject, kind, tasks))
	if err != nil {
		return id, err
	}
	for n := range tasks {
		task := fmt.Sprint("task-", n)
		shown := ""
		for k := range map[plan.TaskKind]int{plan.Manual: 1, plan.Approval: 2}[kind] {
			if _, err := e.world.await(ctx, string(run.ID), fmt.Sprintf("%s %d-%s", rawTask, n, voter(k))); err != nil {
				return id, err
			}
			in := planrun.Capacity{Roles: []string{voter(k)}, Revision: "bench"}
			var c planrun.Command = planrun.Complete{Capacity: in, Task: task}
			if kind == plan.Approval {
				if shown == "" { // nobody votes on what they have not seen
					r, err := runs.State(ctx, run.ID)
					if err != nil {
						return id, err
					}
					t, _, _ := r.Task(task)
					shown = t.Ballot.Shown.SHA256
				}
				c = planrun.Vote{Capacity: in, ID: fmt.Sprint("vote", n, k), Task: task, Choice: approval.Approve, Shown: shown}
			}
			if err := runs.Ask(ctx, run.ID, starter.Request{ID: fmt.Sprint("ask", n, k), By: person(voter(k))}, c); err != nil {
				return id, err
			}
		}
	}
	return id, e.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil)
}

// planKinds are the kinds of tasks that are compared.
func planKinds() []plan.TaskKind {
	return []plan.TaskKind{plan.Manual, plan.Approval, plan.Runbook, plan.Checking}
}

// planned is what a round of chains has cost, for each task. steps are the events without those of workflow tasks: how many things
// one workflow task takes up at once depends on how busy the machine is.
type planned struct {
	cpu, events, steps, bytes float64
}

// chainLength is how many tasks a chain has: as many as let what a run costs as a whole matter little.
func (b *bench) chainLength() int { return b.pick(25, 4) }

// roundOfChains leads some chains at once. What a run costs whatever it has to do, its start, its end and its messages then, is taken
// off: that of a chain with one task.
func (b *bench) roundOfChains(ctx context.Context, e *engine, s planSide, kind plan.TaskKind, round int) (planned, error) {
	long, err := e.chains(ctx, s, fmt.Sprintf("%s-%s-%d-long", s.name, kind, round), kind, b.chainLength(), b.pick(4, 1))
	if err != nil {
		return planned{}, err
	}
	short, err := e.chains(ctx, s, fmt.Sprintf("%s-%s-%d-short", s.name, kind, round), kind, 1, b.pick(4, 1))
	more := float64(b.chainLength() - 1)
	return planned{
		(long.cpu - short.cpu) / more, (long.events - short.events) / more, (long.steps - short.steps) / more, (long.bytes - short.bytes) / more,
	}, err
}

// chains leads n chains at once, and returns what one of them has cost.
func (e *engine) chains(ctx context.Context, s planSide, prefix string, kind plan.TaskKind, tasks, n int) (planned, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	ids, faults := make([]string, n), make(chan error, n)
	m := start()
	for k := range n {
		go func() {
			var err error
			ids[k], err = s.lead(ctx, fmt.Sprintf("%s-%d", prefix, k), kind, tasks)
			faults <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-faults)
	}
	if err == nil {
		err = pause(ctx, breath)
	}
	u := m.end()
	if err != nil {
		return planned{}, fmt.Errorf("chains of %s: %w", kind, err)
	}
	one := planned{cpu: float64(u.cpu.Microseconds()) / 1000 / float64(n)}
	for _, id := range ids {
		h, err := e.history(ctx, id, "")
		if err != nil {
			return one, err
		}
		if last := h.GetEvents()[len(h.GetEvents())-1].GetEventType(); last != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED {
			return one, fmt.Errorf("%s ends with %s", id, last)
		}
		t := tallyOf(h)
		one.events, one.steps = one.events+float64(t.events)/float64(n), one.steps+float64(t.steps())/float64(n)
		one.bytes += float64(t.bytes) / float64(n)
	}
	return one, nil
}

// plans compares what a task of a plan costs, kind by kind.
func (b *bench) plans(ctx context.Context) error {
	return b.on(ctx, engineOptions{}, func(e *engine) error {
		for _, kind := range planKinds() {
			rounds := map[string][]planned{}
			for round := range b.Rounds + b.pick(1, 0) { // the first one is not measured
				for _, s := range e.planSides(round) {
					p, err := b.roundOfChains(ctx, e, s, kind, round)
					if err != nil {
						return err
					}
					if round == 0 && !b.Quick {
						continue
					}
					rounds[s.name] = append(rounds[s.name], p)
					b.say("  %s %s: %.1f ms CPU, %.1f events, %.0f bytes a task", s.name, kind, p.cpu, p.events, p.bytes)
				}
			}
			b.planRows(kind, rounds["raw"], rounds["ours"])
		}
		return nil
	})
}

// Of what a task takes at most, against raw.
const (
	mostTaskEvents = 1.4
	mostTaskCPU    = 2.5
)

func (b *bench) planRows(kind plan.TaskKind, raw, ours []planned) {
	for _, x := range []struct {
		what   string
		most   float64
		format string
		value  func(planned) float64
	}{
		{"events of a task: ", mostTaskEvents, "%.1f", func(p planned) float64 { return p.events }},
		{"CPU of a task, ms: ", mostTaskCPU, "%.1f", func(p planned) float64 { return p.cpu }},
		{"history bytes of a task: ", 0, "%.0f", func(p planned) float64 { return p.bytes }},
	} {
		times := paired(raw, ours, x.value)
		shown := fmt.Sprintf("%.3f ("+x.format+" to "+x.format+" raw)", times, medianOf(ours, x.value), medianOf(raw, x.value))
		if x.most == 0 {
			b.table.show("plans", x.what+string(kind), "%s", shown)
			continue
		}
		b.table.add(row{"plans", x.what + string(kind), fmt.Sprintf("at most %.2f of raw", x.most), shown, ratio, times <= x.most})
	}
}

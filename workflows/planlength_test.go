package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/approval"
	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/timeline"
	"muster/workflows"
)

// A tally counts the events that the server would write, as if no two things ever shared a workflow task and no worker was lost: more than
// a quiet history has.
type tally struct {
	interceptor.WorkerInterceptorBase
	activities, locals, timers, fired, cancelled, upserts, updates atomic.Int64
}

// wakes are the events of a workflow task: scheduled, started, completed.
const wakes = 3

func (c *tally) watch(r *rehearsal) {
	r.env.SetOnActivityStartedListener(func(*activity.Info, context.Context, converter.EncodedValues) { c.activities.Add(1) })
	r.env.SetOnLocalActivityCompletedListener(func(*activity.Info, converter.EncodedValue, error) { c.locals.Add(1) })
	r.env.SetOnTimerScheduledListener(func(string, time.Duration) { c.timers.Add(1) })
	r.env.SetOnTimerFiredListener(func(string) { c.fired.Add(1) })
	r.env.SetOnTimerCanceledListener(func(string) { c.cancelled.Add(1) })
}

// events is their number: begun, and ended, with a task of the workflow for whatever wakes it.
func (c *tally) events() int {
	return int(5 + c.activities.Load()*(3+wakes) + c.locals.Load() + c.timers.Load() + c.fired.Load()*(1+wakes) + c.cancelled.Load() +
		c.upserts.Load() + c.updates.Load()*(2+wakes))
}

func (c *tally) String() string {
	return fmt.Sprintf("%d events: %d activities, %d local, %d timers (%d fired, %d cancelled), %d upserts, %d updates", c.events(),
		c.activities.Load(), c.locals.Load(), c.timers.Load(), c.fired.Load(), c.cancelled.Load(), c.upserts.Load(), c.updates.Load())
}

func (c *tally) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &tallied{interceptor.WorkflowInboundInterceptorBase{Next: next}, c}
}

type tallied struct {
	interceptor.WorkflowInboundInterceptorBase
	c *tally
}

func (x *tallied) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return x.Next.Init(&upserting{interceptor.WorkflowOutboundInterceptorBase{Next: out}, x.c})
}

func (x *tallied) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (any, error) {
	x.c.updates.Add(1)
	return x.Next.ExecuteUpdate(ctx, in)
}

type upserting struct {
	interceptor.WorkflowOutboundInterceptorBase
	c *tally
}

func (x *upserting) UpsertTypedSearchAttributes(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) error {
	x.c.upserts.Add(1)
	return x.Next.UpsertTypedSearchAttributes(ctx, updates...)
}

// staff are the people of a plan. They read their messages, and do what these ask of them some time later. What somebody else has done
// first is refused, and that is all.
type staff struct {
	r    *rehearsal
	d    *plan.Definition
	mu   sync.Mutex
	read map[string]int // messages by what they are about and whose task, "ready deploy"
}

func employ(r *rehearsal, d *plan.Definition) *staff {
	s := &staff{r: r, d: d, read: map[string]int{}}
	r.sender.On(inmem.Match{Kind: delivery.Plan}, 0, func(_ context.Context, e delivery.Envelope) error {
		s.reads(e)
		return nil
	})
	return s
}

// asks asks something after a while.
func asks[C planrun.Command](s *staff, after time.Duration, update, who string, c func(by timeline.Actor) C) {
	by := timeline.Actor{Kind: timeline.Person, ID: who}
	s.r.at(after, func() { requests(s.r, &answer{}, update, by, c(by)) })
}

// reads does what a message asks for.
func (s *staff) reads(e delivery.Envelope) {
	about, id, who := planrun.About(e.Message.Subject), e.Message.Text, e.Recipient.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[string(about)+" "+id]++
	t, _ := s.d.Task(id)
	switch about {
	case planrun.TaskReady:
		s.begins(t, who)
	case planrun.VoteWanted, planrun.VoteVoided:
		choice := approval.Approve
		if t.Kind == plan.Decision {
			choice = approval.Ready
		}
		asks(s, 2*time.Hour, workflows.VoteUpdate, who, func(by timeline.Actor) planrun.Vote { return s.r.vote(id, by, choice) })
	case planrun.CheckWanted:
		asks(s, time.Hour, workflows.CheckEvidenceUpdate, who, func(by timeline.Actor) planrun.CheckEvidence {
			return planrun.CheckEvidence{Capacity: capacity(by), Task: id, OK: true}
		})
	case planrun.WaiverWanted:
		asks(s, time.Hour, workflows.WaiveUpdate, who, func(by timeline.Actor) planrun.Waive {
			return planrun.Waive{Capacity: capacity(by), Task: id, Grant: true}
		})
	case planrun.TaskEscalated: // whoever is told sees to it that it is done
		asks(s, time.Hour, workflows.CompleteUpdate, "jung", func(by timeline.Actor) planrun.Complete {
			return planrun.Complete{Capacity: capacity(by), Task: id}
		})
	case planrun.UndoDone:
		asks(s, time.Hour, workflows.ContinueUpdate, who, func(by timeline.Actor) planrun.Continue {
			return planrun.Continue{Capacity: capacity(by), Reason: "mended"}
		})
	default:
	}
}

// begins begins a task and completes it, or asks for a waiver of it the first time.
func (s *staff) begins(t plan.Task, who string) {
	times := s.read["ready "+t.ID]
	switch {
	case t.Skip != nil && times == 1:
		asks(s, time.Hour, workflows.SkipUpdate, who, func(by timeline.Actor) planrun.Skip {
			return planrun.Skip{Capacity: capacity(by), Task: t.ID, Reason: "later", Control: "by hand", Until: s.r.env.Now().Add(week)}
		})
		return
	case t.Escalate != nil: // nobody does it in time
		return
	case t.Changes || t.ByHand || t.Waves != nil && times == 1:
		asks(s, time.Hour, workflows.BeginUpdate, who, func(by timeline.Actor) planrun.Begin {
			return planrun.Begin{Capacity: capacity(by), Task: t.ID}
		})
	}
	if t.Kind != plan.Manual {
		return
	}
	c, targets := planrun.Complete{Task: t.ID}, []string{""}
	if t.Waves != nil {
		targets = hosts[(times-1)*t.Waves.Size : times*t.Waves.Size]
	}
	for _, e := range t.Evidence {
		c.Evidence = append(c.Evidence, planrun.Given{Item: e.ID, Ref: "https://files/" + e.ID})
	}
	for _, target := range targets {
		asks(s, 2*time.Hour, workflows.CompleteUpdate, who, func(by timeline.Actor) planrun.Complete {
			c.Capacity, c.Target = capacity(by), target
			return c
		})
	}
}

const week = 7 * 24 * time.Hour

// hosts are the targets of waves.
var hosts = []string{"a", "b", "c", "d"}

// sized is how long a plan makes the history of its run.
func sized(t planrun.Terms) int {
	return t.Plan.EventsOf(plan.Size{
		People: func(string) int { return 1 },
		Steps: func(id string) int {
			return len(t.Books[slices.IndexFunc(t.Books, func(b planrun.Book) bool { return b.ID == id })].Runbook.Steps)
		},
		Targets: func(string) int { return len(hosts) },
	})
}

// The history of every kind of task is at most as long as the plan says, and the plan does not say far too much.
func TestTheHistoryIsAsLongAsThePlanSays(t *testing.T) {
	check := plan.Check{HTTP: "https://shop", Timeout: time.Second, OnFail: plan.FailTask, OnUnclear: plan.AskPerson}
	bake := check
	bake.Every = time.Minute
	waves := &plan.Waves{Over: "hosts", Size: 2, Bake: time.Hour}
	all := raci.Assignment{Accountable: "lead", Responsible: []string{"deployer"}, Consulted: []string{"manager"}, Informed: []string{"customer"}}
	for _, tc := range []struct {
		name string
		task plan.Task
	}{
		{"manual", plan.Task{Kind: plan.Manual}},
		{"manual, with all parts", plan.Task{Kind: plan.Manual, Assignment: all}},
		{"manual, changes something", plan.Task{Kind: plan.Manual, Changes: true, Environment: "staging"}},
		{"manual, with evidence", plan.Task{Kind: plan.Manual, Evidence: []plan.Evidence{{ID: "log", What: text("log"), CheckedBy: "manager"}}}},
		{"manual, with a due time", plan.Task{Kind: plan.Manual, Due: &plan.Due{Days: 2, After: "itself"}, Remind: []time.Duration{24 * time.Hour}}},
		{"manual, in waves", plan.Task{Kind: plan.Manual, Waves: waves}},
		{"approval", plan.Task{Kind: plan.Approval, Vote: voting(2), Assignment: done("manager")}},
		{"decision", plan.Task{Kind: plan.Decision, Vote: deciding(), Assignment: done("manager"), Due: &plan.Due{Days: 1, After: "itself"}}},
		{"runbook", plan.Task{Kind: plan.Runbook, Runs: "three"}},
		{"runbook, by hand", plan.Task{Kind: plan.Runbook, Runs: "three", ByHand: true}},
		{"runbook, in waves", plan.Task{Kind: plan.Runbook, Runs: "three", Waves: waves}},
		{"check", plan.Task{Kind: plan.Checking, Check: &check}},
		{"wait", plan.Task{Kind: plan.Wait, For: time.Hour}},
		{"bake", plan.Task{Kind: plan.Wait, For: 10 * time.Minute, Check: &bake}},
		{"notify", plan.Task{Kind: plan.Notify, Tell: []string{"customer"}, Message: text("we begin")}},
		{"report", plan.Task{Kind: plan.Report, Writes: plan.WorkPlan}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const n = 20
			var tasks []plan.Task
			for k := range n {
				x := tc.task
				if x.ID = fmt.Sprintf("task-%d", k); k > 0 {
					x.Needs = []string{tasks[k-1].ID}
				}
				if x.Accountable == "" {
					x.Assignment = done("deployer")
				}
				if x.Due != nil {
					x.Due = &plan.Due{Days: x.Due.Days, After: x.ID}
				}
				tasks = append(tasks, x)
			}
			r := rehearse(t)
			r.tally.watch(r)
			terms := planTerms(planned(tasks...))
			terms.Books = append(terms.Books, book("three", true, true, true))
			terms.Environments[0].Rules = daily(9, 17)
			employ(r, &terms.Plan)
			if run := r.execute(terms); run.Status != planrun.Completed {
				t.Fatalf("it is %s", run.Status)
			}
			says, has := sized(terms), r.tally.events()
			t.Logf("%d events for each, and the plan says %d (%s)", has/n, says/n, r.tally)
			if has > says || says > 3*has {
				t.Errorf("%d events, and the plan says %d", has, says)
			}
		})
	}
}

// deciding is go or no-go.
func deciding() *approval.Rule {
	rule := voting(2)
	rule.Yes = []approval.Choice{approval.Ready, approval.ReadyWithRisk}
	return rule
}

package worker

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Admission verifies the seal of every Update before its workflow sees it. Temporal asks it once, when the Update arrives;
// what it refuses leaves no trace in the history, only in the log of refused attempts.
func Admission(a *activities.Admission, now func() time.Time) interceptor.WorkerInterceptor {
	return &admission{rules: a, now: now}
}

type admission struct {
	interceptor.WorkerInterceptorBase

	rules *activities.Admission
	now   func() time.Time
}

// InterceptWorkflow stands before every workflow.
func (a *admission) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &gate{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, admission: a}
}

type gate struct {
	interceptor.WorkflowInboundInterceptorBase

	*admission
}

// A message can be proven. Every Update has one as its only argument.
type message interface {
	Proof() (by timeline.Actor, digest [32]byte, seal *signature.Seal)
}

// ValidateUpdate refuses what nobody of the installation has signed just now, for this very run.
func (g *gate) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	info := workflow.GetInfo(ctx)
	c := activities.Claim{Statement: signature.Statement{
		Workflow: info.WorkflowExecution.ID, FirstRun: info.FirstRunID, Message: in.Name, ID: workflow.GetCurrentUpdateInfo(ctx).ID,
	}}
	c.Freshness = signature.Freshness{Around: g.now(), Within: activities.Tolerance}
	if len(in.Args) == 1 {
		if m, ok := in.Args[0].(message); ok {
			c.By, c.Digest, c.Seal = m.Proof()
		}
	}
	if err := g.rules.Judge(c); err != nil {
		g.rules.Refused(activities.Refusal{
			By: c.By, Workflow: c.Workflow, Message: c.Message, Detail: err.Error(),
		})
		return temporal.NewApplicationError(fmt.Sprintf("%s: %s", in.Name, err), workflows.RefusedError)
	}
	return g.Next.ValidateUpdate(workflows.Admit(ctx), in)
}

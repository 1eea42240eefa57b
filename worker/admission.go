package worker

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Keys are those of the installation.
type Keys interface {
	// Verify tells whether a seal was made for a statement with one of them. A *signature.UnknownKeyError may be right a
	// little later: keys are on their way from one machine to another.
	Verify(s signature.Statement, seal signature.Seal) error
	// Sign seals a statement. Via says how its actor was authenticated.
	Sign(s signature.Statement, via string) (signature.Seal, error)
}

// A Refusal is a message that was not taken, for the log of refused attempts.
type Refusal struct {
	By                        timeline.Actor // who it claims to come from
	Workflow, Message, Detail string
}

// Admission decides which messages workflows take: those that the installation has signed. It is asked within workflow tasks.
type Admission struct {
	Keys    Keys
	Refused func(Refusal) // keeps the log of refused attempts; it is called by several at once, and waits for nothing
	Now     func() time.Time
	Log     *slog.Logger // nil: slog.Default()
}

// Admit judges messages.
func (a *Admission) Admit(claims []workflows.Claim, last bool) workflows.Admitted {
	out := workflows.Admitted{Refused: make([]string, len(claims))}
	for n, c := range claims {
		err := a.judge(c)
		if err == nil {
			continue
		}
		out.Refused[n] = err.Error()
		if _, unknown := errors.AsType[*signature.UnknownKeyError](err); unknown && !last {
			out.Unknown = append(out.Unknown, n)
			continue
		}
		a.Refused(Refusal{By: c.By, Workflow: c.Workflow, Message: c.Message, Detail: err.Error()})
	}
	return out
}

// judge says why a message is not to be taken; nil when it is.
func (a *Admission) judge(c workflows.Claim) error {
	if c.Seal == nil {
		return errors.New("it is not signed: messages come through the API, the intake or a worker of this installation")
	}
	if c.By.Kind == "" {
		return errors.New("actor: missing")
	}
	if err := a.Keys.Verify(c.Statement, *c.Seal); err != nil {
		return err
	}
	return c.Freshness.Check(*c.Seal)
}

// Seal signs what a workflow tells in Muster's name.
func (a *Admission) Seal(s signature.Statement, body any) (signature.Seal, error) {
	m, err := signature.New(s.By, body)
	var seal signature.Seal
	if err == nil {
		s.Digest = m.Digest()
		seal, err = a.Keys.Sign(s, "workflow")
	}
	if err != nil {
		err = fmt.Errorf("seal %s to %s: %w", s.Message, s.Workflow, err)
		cmp.Or(a.Log, slog.Default()).Error("a workflow waits for a key that signs", "error", err)
	}
	return seal, err
}

// Interceptor verifies the seal of every Update before its workflow sees it, and gives workflows their notary. Temporal asks
// it of an Update once, when it arrives; what it refuses leaves no trace in the history, only in the log of refused attempts.
func (a *Admission) Interceptor() interceptor.WorkerInterceptor { return &admission{rules: a} }

type admission struct {
	interceptor.WorkerInterceptorBase

	rules *Admission
}

// InterceptWorkflow stands before every workflow.
func (a *admission) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &gate{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, rules: a.rules}
}

type gate struct {
	interceptor.WorkflowInboundInterceptorBase

	rules *Admission
}

// ExecuteWorkflow gives the workflow its notary.
func (g *gate) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return g.Next.ExecuteWorkflow(workflows.WithNotary(ctx, g.rules), in)
}

// A message can be proven. Every Update has one as its only argument.
type message interface {
	Proof() (by timeline.Actor, digest [32]byte, seal *signature.Seal)
}

// ValidateUpdate refuses what nobody of the installation has signed just now, for this very run.
func (g *gate) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	info := workflow.GetInfo(ctx)
	c := workflows.Claim{Statement: signature.Statement{
		Workflow: info.WorkflowExecution.ID, FirstRun: info.FirstRunID, Message: in.Name, ID: workflow.GetCurrentUpdateInfo(ctx).ID,
	}}
	c.Freshness = signature.Freshness{Around: g.rules.Now(), Within: workflows.Tolerance}
	if len(in.Args) == 1 {
		if m, ok := in.Args[0].(message); ok {
			c.By, c.Digest, c.Seal = m.Proof()
		}
	}
	if why := g.rules.Admit([]workflows.Claim{c}, true).Refused[0]; why != "" {
		return temporal.NewApplicationError(in.Name+": "+why, workflows.RefusedError)
	}
	return g.Next.ValidateUpdate(workflows.Admit(ctx), in)
}

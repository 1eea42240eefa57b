package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"muster/internal/signature"
	"muster/internal/timeline"
)

// A Notary has the keys of the installation. Workflows ask it within their tasks, and what it says is recorded: keys that
// rotate, or are revoked, do not change the past.
type Notary interface {
	// Admit judges messages.
	Admit(claims []Claim, last bool) Admitted
	// Seal signs what a workflow tells another, or the run that continues it, as Muster: a workflow speaks for nobody else.
	// The statement has everything but the digest of the body, which is signed as it will be encoded.
	Seal(s signature.Statement, body any) (signature.Seal, error)
}

// A Claim is a message that wants to be taken.
type Claim struct {
	signature.Statement
	signature.Freshness

	Seal *signature.Seal
}

// Admitted says of each claim why it is not to be taken: empty where it is. A claim that may be right a little later, because
// its key has not arrived yet, is among the unknown, unless it was asked for the last time.
type Admitted struct {
	Refused []string `json:"refused"`
	Unknown []int    `json:"unknown,omitempty"` // positions of claims
}

// Tolerance is how long a message may be on its way, and how far two clocks may differ.
const Tolerance = 5 * time.Minute

type notaryKey struct{}

// WithNotary gives the notary to a workflow. A worker without one admits nobody.
func WithNotary(ctx workflow.Context, n Notary) workflow.Context {
	return workflow.WithValue(ctx, notaryKey{}, n)
}

// judge asks the notary, once: a replay hears what was recorded.
func judge(ctx workflow.Context, claims []Claim, last bool) (out Admitted) {
	n, there := ctx.Value(notaryKey{}).(Notary)
	err := workflow.SideEffect(ctx, func(workflow.Context) any {
		if !there {
			refused := Admitted{Refused: make([]string, len(claims))}
			for n := range claims {
				refused.Refused[n] = "not verified: this worker admits nobody"
			}
			return refused
		}
		return n.Admit(claims, last)
	}).Get(&out)
	if err != nil { // what was recorded is no verdict
		panic(err)
	}
	return out
}

// sealed is a message in Muster's name. Without a seal nobody would take it, so it is asked for until it is there, or the
// context ends.
func sealed[T any](ctx workflow.Context, s signature.Statement, body T) (signature.Signed[T], error) {
	s.By = timeline.Muster()
	n, there := ctx.Value(notaryKey{}).(Notary)
	for {
		var seal *signature.Seal
		err := workflow.SideEffect(ctx, func(workflow.Context) any {
			if !there {
				return nil
			}
			made, err := n.Seal(s, body)
			if err != nil { // it has said so to whoever looks after the worker
				return nil
			}
			return &made
		}).Get(&seal)
		if err == nil && seal != nil {
			return signature.Signed[T]{By: s.By, Body: body, Seal: seal}, nil
		}
		if err == nil {
			err = workflow.Sleep(ctx, sealAgain)
		}
		if err != nil {
			return signature.Signed[T]{}, err
		}
	}
}

// sealAgain is after what time a seal that could not be made is asked for again.
const sealAgain = 5 * time.Second

// handOn continues a run of a workflow as a new one with a state, which is sealed first: nothing may have happened meanwhile, else the run
// goes on, and this returns nil.
func handOn[T any](ctx workflow.Context, name string, state T, calm func() bool) error {
	info := workflow.GetInfo(ctx)
	m, err := sealed(ctx, signature.Statement{Workflow: info.WorkflowExecution.ID, FirstRun: info.FirstRunID, Message: name}, state)
	if err == nil && calm() {
		err = workflow.NewContinueAsNewError(ctx, name, m)
	}
	return err
}

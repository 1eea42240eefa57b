package starter

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"muster/internal/signature"
	"muster/internal/timeline"
)

// Keys are those of the installation.
type Keys interface {
	// Sign seals a statement. Via says how its actor was authenticated.
	Sign(s signature.Statement, via string) (signature.Seal, error)
	// Prove tells whether a message of the past was sealed with one of them.
	Prove(s signature.Statement, seal signature.Seal) error
}

// A Request is who asks, how that was authenticated, such as token:tok_1, and the id under which it is decided once.
type Request struct {
	ID  string
	By  timeline.Actor
	Via string
}

// askNewest asks something of the newest run under a workflow id. What it is to people is named in the error.
func askNewest(ctx context.Context, c client.Client, keys Keys, what, workflowID, name string, req Request, body any) error {
	run, err := c.DescribeWorkflowExecution(ctx, workflowID, "")
	if err == nil {
		err = ask(ctx, c, keys, workflowID, run.GetWorkflowExecutionInfo().GetFirstRunId(), name, req, body, nil)
	}
	return unanswered(ctx, c, what, workflowID, "", err)
}

// ask sends a signed Update to the chain of a first run and reads its answer, if there is one to read: no later workflow under
// the same id takes it. Its errors are Temporal's.
func ask[T any](ctx context.Context, c client.Client, keys Keys, workflowID, first, name string, req Request, body T, answer any) error {
	signed, err := seal(keys, signature.Statement{
		Workflow: workflowID, FirstRun: first, Message: name, ID: req.ID, By: req.By,
	}, req.Via, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", name, workflowID, err)
	}
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: req.ID, WorkflowID: workflowID, FirstExecutionRunID: first, UpdateName: name,
		Args: []any{signed}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return h.Get(ctx, answer)
}

// seal makes the signed message of a body that a statement describes.
func seal[T any](keys Keys, s signature.Statement, via string, body T) (signature.Signed[T], error) {
	m, err := signature.New(s.By, body)
	if err != nil {
		return m, err
	}
	s.Digest = m.Digest()
	sealed, err := keys.Sign(s, via)
	m.Seal = &sealed
	return m, err
}

// Package starter is the one way to the workflows: it starts them, talks to them and reads them. What stands on top of it
// (intake, API, pages, commands) knows no Temporal.
package starter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"muster/internal/signature"
	"muster/workflows"
)

// A NotFoundError names what there is not.
type NotFoundError struct{ What string }

// Error says what was not found.
func (e *NotFoundError) Error() string { return e.What + ": not found" }

// A RefusedError is a workflow's own refusal, in its own words.
type RefusedError struct {
	Reason string
	Field  string // which part of what was asked is refused, if it is one
}

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// An UnavailableError says that Temporal, or a worker, does not answer in time; what was asked may have been done.
type UnavailableError struct{ Cause error }

// Error returns the cause.
func (e *UnavailableError) Error() string { return "temporal does not answer: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// A StuckError says that a run cannot go on at the moment, because its workflow tasks fail or time out, as after a
// change of code that replays differently. Asking again does not help before an operator has looked.
type StuckError struct {
	What  string
	Cause error
}

// Error says what cannot go on.
func (e *StuckError) Error() string {
	return e.What + ": cannot go on: its workflow tasks fail or time out"
}

// Unwrap returns the cause.
func (e *StuckError) Unwrap() error { return e.Cause }

// told turns a Temporal error into one of this package's, so that callers decide without knowing Temporal.
func told(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return &NotFoundError{What: what}
	}
	if bad, ok := errors.AsType[*serviceerror.InvalidArgument](err); ok {
		return &RefusedError{Reason: what + ": " + bad.Error()}
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == workflows.RefusedError {
		return &RefusedError{Reason: app.Message()}
	}
	return &UnavailableError{Cause: err}
}

// unanswered is told for what only a run can answer: when it has not, it may be that it cannot.
func unanswered(ctx context.Context, c client.Client, what, workflowID, runID string, err error) error {
	err = told(what, err)
	if away, ok := errors.AsType[*UnavailableError](err); ok && stuck(ctx, c, workflowID, runID, away.Cause) {
		return &StuckError{What: what, Cause: away.Cause}
	}
	return err
}

// stuck asks Temporal, which is there although the run has not answered, what has become of its workflow task. Whoever
// asked may have no time left, so this takes its own.
func stuck(ctx context.Context, c client.Client, workflowID, runID string, cause error) bool {
	if _, failed := errors.AsType[*serviceerror.QueryFailed](cause); failed {
		return true // no query of ours fails: the run does not replay
	}
	if _, away := errors.AsType[*serviceerror.Unavailable](cause); away || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	run, err := c.DescribeWorkflowExecution(ctx, workflowID, runID)
	return err == nil && run.GetPendingWorkflowTask().GetAttempt() > 1 // a first one has failed, or its worker has died; the count begins anew now and then
}

// running returns what the workflow ids of a type have after a prefix, of those that run, and whether there are more than a limit.
func running(ctx context.Context, c client.Client, namespace, workflowType, prefix string, limit int) (ids []string, more bool, err error) {
	return listed(ctx, c, namespace, fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", workflowType), prefix, limit)
}

// listed is running for a query.
func listed(ctx context.Context, c client.Client, namespace, query, prefix string, limit int) (ids []string, more bool, err error) {
	resp, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: int32(limit), Query: query})
	if err != nil {
		return nil, false, told("list "+prefix, err)
	}
	for _, e := range resp.GetExecutions() {
		if id, ok := strings.CutPrefix(e.GetExecution().GetWorkflowId(), prefix); ok && id != "" {
			ids = append(ids, id)
		}
	}
	return ids, len(resp.GetNextPageToken()) > 0, nil
}

// stateOf asks a run for its whole state. One that has none was started by nobody of this installation.
func stateOf[S any](ctx context.Context, c client.Client, what string, ref Ref) (state *S, err error) {
	v, err := c.QueryWorkflow(ctx, ref.WorkflowID, ref.RunID, workflows.StateQuery)
	if err != nil {
		return nil, unanswered(ctx, c, what, ref.WorkflowID, ref.RunID, err)
	}
	if err := v.Get(&state); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	if state == nil {
		return nil, &NotFoundError{What: what}
	}
	return state, nil
}

// startOnce starts a workflow on terms that whoever asks has sealed. One that has its id already is left as it is, and no error.
func startOnce[T any](
	ctx context.Context, c client.Client, keys Keys, req Request, what, workflow string, terms T, o client.StartWorkflowOptions,
) error {
	in, err := seal(keys, signature.Statement{Workflow: o.ID, Message: workflow, By: req.By}, req.Via, terms)
	if err != nil {
		return fmt.Errorf("start %s: %w", what, err)
	}
	o.TaskQueue, o.WorkflowExecutionErrorWhenAlreadyStarted = workflows.TaskQueue, true
	o.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL
	_, err = c.ExecuteWorkflow(ctx, o, workflow, in)
	if _, before := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); err != nil && !before {
		return told(what, err)
	}
	return nil
}

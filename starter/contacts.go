package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/action"
	"muster/internal/reach"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Contacts talks to the ledger of how everybody was reached. It is opened when it is first told something.
type Contacts struct{ of *Incidents }

// Contacts are those of the same installation, which may be connected later.
func (s *Incidents) Contacts() *Contacts { return &Contacts{s} }

const contactsLedger = "ledger of contacts"

// Open makes sure that there is a ledger: without one, no test page goes out by itself.
func (s *Contacts) Open(ctx context.Context) error {
	_, err := s.open(ctx)
	return err
}

func (s *Contacts) open(ctx context.Context) (first string, err error) {
	return openLedger(ctx, s.of, contactsLedger, workflows.ContactsWorkflow, workflows.ContactsInput{}, client.StartWorkflowOptions{
		ID: workflows.ContactsWorkflowID, TypedSearchAttributes: workflows.ContactsAttributes(time.Now()),
	})
}

// Record tells what has come of attempts, under an id: the same one twice is told once.
func (s *Contacts) Record(ctx context.Context, id string, tries []reach.Try) error {
	return s.ask(ctx, workflows.RecordTriesUpdate, Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, workflows.Tries{Tries: tries})
}

// Test asks for test pages now. The same request id twice is one round.
func (s *Contacts) Test(ctx context.Context, req Request, a reach.Ask) error {
	return s.ask(ctx, workflows.TestContactsUpdate, req, a)
}

func (s *Contacts) ask(ctx context.Context, name string, req Request, body any) error {
	first, err := s.open(ctx)
	if err == nil {
		err = ask(ctx, s.of.Temporal, s.of.Keys, workflows.ContactsWorkflowID, first, name, req, body, nil)
	}
	return unanswered(ctx, s.of.Temporal, contactsLedger, workflows.ContactsWorkflowID, "", err)
}

// State returns what is known of all contact methods, nothing where nothing was ever told.
func (s *Contacts) State(ctx context.Context) (*reach.Ledger, error) {
	l, err := stateOf[reach.Ledger](ctx, s.of.Temporal, contactsLedger, Ref{WorkflowID: workflows.ContactsWorkflowID})
	if _, none := errors.AsType[*NotFoundError](err); none {
		return &reach.Ledger{}, nil
	}
	return l, err
}

// Failing returns what is known of all contact methods when the newest attempt by one of them has failed, else nothing. It asks no worker
// unless something fails.
func (s *Contacts) Failing(ctx context.Context) (*reach.Ledger, error) {
	n, err := s.of.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: s.of.Namespace,
		Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND %s = '%s'", workflows.ContactsWorkflow,
			workflows.StatusAttribute.GetName(), reach.Failing),
	})
	if err != nil {
		return nil, told(contactsLedger, err)
	}
	if n.GetCount() == 0 {
		return &reach.Ledger{}, nil
	}
	return s.State(ctx)
}

// OpenItem opens an action item in Muster's name. The same id twice is one.
func (s *Contacts) OpenItem(ctx context.Context, id string, terms action.Terms) (string, error) {
	a, err := s.of.Actions().Start(ctx, Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, terms)
	if err != nil {
		return "", err
	}
	return string(a.ID), nil
}

// ItemOpen tells whether an action item is still to be done. One that nobody has any more is not.
func (s *Contacts) ItemOpen(ctx context.Context, item string) (bool, error) {
	a, err := s.of.Actions().State(ctx, action.ID(item))
	if _, gone := errors.AsType[*NotFoundError](err); gone {
		return false, nil
	}
	return err == nil && a.Status == action.Open, err
}

// NoteItem writes into an action item, in Muster's name. One that is over, or that nobody has any more, is left alone.
func (s *Contacts) NoteItem(ctx context.Context, id, item, text string) error {
	a, err := s.of.Actions().State(ctx, action.ID(item))
	if err == nil && !a.Over() {
		err = s.of.Actions().Ask(ctx, action.ID(item), Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, action.Note{Text: text})
	}
	if _, gone := errors.AsType[*NotFoundError](err); gone {
		return nil
	}
	return err
}

// openLedger returns the first run of a ledger, which is opened in Muster's name unless it is open. One that somebody else has opened has
// ended by itself, and is opened anew.
func openLedger[T any](ctx context.Context, s *Incidents, what, workflow string, in T, o client.StartWorkflowOptions) (first string, err error) {
	m, err := seal(s.Keys, signature.Statement{Workflow: o.ID, Message: workflow, By: timeline.Muster()}, byWorkflow, in)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", what, err)
	}
	o.TaskQueue, o.WorkflowIDConflictPolicy = workflows.TaskQueue, enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	if o.WorkflowIDReusePolicy == enumspb.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED {
		o.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	}
	run, err := s.Temporal.ExecuteWorkflow(ctx, o, workflow, m)
	if err != nil {
		return "", err
	}
	d, err := s.Temporal.DescribeWorkflowExecution(ctx, o.ID, run.GetRunID())
	return d.GetWorkflowExecutionInfo().GetFirstRunId(), err
}

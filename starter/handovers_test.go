package starter_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/handover"
	"muster/internal/keyring"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// desk keeps one hand-over without an engine. What it does not stand in for panics.
type desk struct {
	client.Client
	state   *handover.Handover
	gone    bool // there is no run
	started []client.StartWorkflowOptions
	input   signature.Signed[handover.Terms]
	updates []client.UpdateWorkflowOptions
}

func (d *desk) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, in ...any) (client.WorkflowRun, error) {
	d.started = append(d.started, o)
	if d.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	d.input = in[0].(signature.Signed[handover.Terms])
	var err error
	d.state, err = handover.Start(d.input.Body, minute(0))
	return nil, err
}

func (d *desk) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if d.gone {
		return nil, serviceerror.NewNotFound("no such run")
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(d.state)
	return client.NewValue(p), err
}

func (d *desk) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{FirstRunId: "run-1"},
	}, nil
}

func (d *desk) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	d.updates = append(d.updates, o)
	return heard{}, nil
}

// heard is the answer of an Update that has none.
type heard struct{ client.WorkflowUpdateHandle }

func (heard) Get(context.Context, any) error { return nil }

func handovers(t *testing.T) (*desk, *starter.Handovers) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	return d, &starter.Handovers{Temporal: d, Keys: keys}
}

func toKim() handover.Terms {
	return handover.Terms{
		Schedule: "primary", Outgoing: park(), Incoming: timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}, Within: handover.Usual,
	}
}

func TestAHandoverIsStartedSignedAndOnce(t *testing.T) {
	d, s := handovers(t)
	req := starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	for range 2 { // whoever repeats a request finds what it has started
		h, err := s.Start(t.Context(), req, toKim())
		if err != nil || h.Request != "k1" || h.Incoming.ID != "kim" {
			t.Fatalf("got %+v, %v", h, err)
		}
	}
	o := d.started[0]
	if o.ID != "handover/primary" || o.TaskQueue != workflows.TaskQueue || !o.WorkflowExecutionErrorWhenAlreadyStarted ||
		o.WorkflowIDConflictPolicy != enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL {
		t.Errorf("started with %+v", o)
	}
	if due, ok := o.TypedSearchAttributes.GetTime(workflows.NextDueAttribute); !ok || time.Until(due) > handover.Usual/2 {
		t.Errorf("next due %s, %v", due, ok)
	}
	by, digest, seal := d.input.Proof()
	statement := signature.Statement{Workflow: "handover/primary", Message: workflows.HandoverWorkflow, Digest: digest, By: by}
	if seal == nil || s.Keys.Prove(statement, *seal) != nil || seal.Via != "token:tok_1" {
		t.Errorf("the start is not proven: %+v", seal)
	}

	_, err := s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, toKim())
	want := "hand-over of primary: under way since 2026-11-22T05:00:00Z, from 박서준 to 김민수"
	if refused, ok := errors.AsType[*starter.RefusedError](err); !ok || refused.Reason != want {
		t.Errorf("a second one: got %v, want %q", err, want)
	}
	handover.Decline{Reason: "ill"}.Apply(d.state, park(), minute(1))
	_, err = s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, toKim())
	if err == nil || !strings.HasSuffix(err.Error(), "; it is declined, and its last messages are still on their way") {
		t.Errorf("a second one at the end of the first: got %v", err)
	}
}

func TestWhatIsAskedOfAHandover(t *testing.T) {
	d, s := handovers(t)
	for _, c := range []handover.Command{handover.Confirm{}, handover.Decline{}, handover.Note{}, handover.Pass{}} {
		if err := s.Ask(t.Context(), "primary", starter.Request{ID: "k1", By: park()}, c); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []string{workflows.ConfirmUpdate, workflows.DeclineUpdate, workflows.NoteUpdate, workflows.PassUpdate} {
		if u := d.updates[n]; u.UpdateName != want || u.WorkflowID != "handover/primary" || u.FirstExecutionRunID != "run-1" || u.UpdateID != "k1" {
			t.Errorf("got %+v, want %s", u, want)
		}
	}
}

// A run that refused its start has no state, and what nobody has started is not there.
func TestAHandoverThatIsNotThere(t *testing.T) {
	for _, gone := range []bool{true, false} {
		d, s := handovers(t)
		d.gone = gone
		_, err := s.State(t.Context(), "primary")
		if none, ok := errors.AsType[*starter.NotFoundError](err); !ok || none.What != "hand-over of primary" {
			t.Errorf("got %v", err)
		}
	}
}

package starter_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/keyring"
	"muster/internal/problem"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// causes keep one problem without an engine. What they do not stand in for panics.
type causes struct {
	temporal

	state  *problem.Problem
	opened []client.StartWorkflowOptions
	inputs []any
	said   []client.UpdateWorkflowOptions
	asked  []string // workflow ids that were looked at
}

func (c *causes) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, in ...any) (client.WorkflowRun, error) {
	c.opened, c.inputs = append(c.opened, o), append(c.inputs, in[0])
	if c.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	var err error
	c.state, err = problem.Start(in[0].(signature.Signed[problem.Terms]).Body, minute(0))
	return begun{}, err
}

func (c *causes) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	p, err := converter.GetDefaultDataConverter().ToPayloads(c.state)
	return client.NewValue(p), err
}

func (c *causes) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	c.said = append(c.said, o)
	return heard{}, nil
}

func (c *causes) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	c.asked = append(c.asked, id)
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-1"}, FirstRunId: "run-1", Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}
	switch {
	case c.state == nil || id != workflows.ProblemWorkflowID("shop", c.state.Key):
		return nil, serviceerror.NewNotFound("no such workflow")
	case c.state.Over():
		info.Status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

func leaks(t *testing.T) (*causes, *starter.Incidents) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c := &causes{temporal: temporal{keys: keys, starts: map[string]*historypb.HistoryEvent{}}}
	return c, &starter.Incidents{Temporal: c, Namespace: namespace, Keys: keys}
}

func leak() problem.Terms {
	return problem.Terms{
		Title: "It leaks", Key: problem.Key{By: incident.SameAlert, Value: "Leak"}, Pinned: problem.Pinned{
			Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"}, Watch: problem.Usual, Remind: problem.Idle{Days: 5},
			Owner: problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Name: "Kim"},
		},
	}
}

// One problem is open for an alert of a service: the same request finds it, and another one is told which it is.
func TestAProblemIsOpenedSignedAndOnce(t *testing.T) {
	c, i := leaks(t)
	s, req := i.Problems(), starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	forged := leak()
	forged.ID, forged.Request, forged.Opener = "PRB-0000000001", "k0", timeline.Actor{ID: "kim"} // nobody says who opens it but who asks
	for range 2 {
		p, err := s.Open(t.Context(), req, forged)
		if err != nil || p.Request != "k1" || p.Opener != park() || !p.ID.Valid() || p.ID == forged.ID {
			t.Fatalf("got %+v, %v", p, err)
		}
	}
	o := c.opened[0]
	if o.ID != workflows.ProblemWorkflowID("shop", leak().Key) || !strings.HasPrefix(o.ID, "problem/shop/") ||
		o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE {
		t.Errorf("started with %+v", o)
	}
	by, digest, seal := c.inputs[0].(signature.Signed[problem.Terms]).Proof()
	statement := signature.Statement{Workflow: o.ID, Message: workflows.ProblemWorkflow, Digest: digest, By: by}
	if seal == nil || i.Keys.Prove(statement, *seal) != nil || by != park() {
		t.Errorf("its start does not prove who has opened it: %+v", seal)
	}
	_, err := s.Open(t.Context(), starter.Request{ID: "k2", By: park()}, leak())
	if refused, ok := errors.AsType[*starter.RefusedError](err); !ok || !strings.Contains(refused.Reason, string(c.state.ID)+" was opened for the same at ") {
		t.Errorf("another one: %v", err)
	}
}

// An incident is brought to the problems that are open, in Muster's name and once for each end of it.
func TestAnIncidentIsBroughtToTheOpenProblem(t *testing.T) {
	c, i := leaks(t)
	s := i.Problems()
	o := problem.Occurrence{Incident: open, Started: minute(1), Keys: []problem.Key{{By: incident.SameCause, Value: "ours"}, leak().Key}}
	if f, err := s.Occurred(t.Context(), "shop", o); f != nil || err != nil || len(c.asked) != 2 {
		t.Errorf("none is open: got %+v, %v", f, err)
	}
	if f, err := s.Begin(t.Context(), leak(), o); err != nil || f.ID != string(c.state.ID) || c.state.Opener != timeline.Muster() || len(c.said) != 0 {
		t.Fatalf("got %+v, %v", f, err)
	}
	o.Closed = minute(9)
	if f, err := s.Occurred(t.Context(), "shop", o); f == nil || err != nil {
		t.Errorf("got %+v, %v", f, err)
	}
	other := o
	other.Incident = "INC-0000000009"
	if _, err := s.Begin(t.Context(), leak(), other); err != nil { // the first one was faster
		t.Error(err)
	}
	for n, want := range []string{string(open) + "/over", "INC-0000000009/over"} {
		if u := c.said[n]; u.UpdateID != want || u.UpdateName != workflows.OccurUpdate || u.FirstExecutionRunID != "run-1" ||
			u.Args[0].(signature.Signed[problem.Occurrence]).By != timeline.Muster() {
			t.Errorf("got %+v", u)
		}
	}
	said := len(c.said)
	c.state.Status = problem.Closed
	if f, err := s.Occurred(t.Context(), "shop", o); f != nil || err != nil || len(c.said) != said {
		t.Errorf("of a closed one: got %+v, %v", f, err)
	}
}

func TestAProblemThatIsNotThere(t *testing.T) {
	_, i := leaks(t)
	_, err := i.Problems().State(t.Context(), "REQ-0000000001")
	if _, none := errors.AsType[*starter.NotFoundError](err); !none {
		t.Errorf("got %v", err)
	}
}

// What has come before is read of the incidents themselves, and none that is past its retention counts.
func TestWhatCameBefore(t *testing.T) {
	c, i := one(t)
	c.runs["run-2"].state.Alerts.Full = nil
	all, err := i.Problems().Before(t.Context(), "checkout", minute(0))
	if err != nil || len(all) != 1 || all[0].Incident != open {
		t.Errorf("got %+v, %v", all, err)
	}
	if q := c.lists[0].GetQuery(); !strings.Contains(q, "CloseTime > '2026-11-22T05:00:00Z'") || !strings.Contains(q, "ExecutionStatus = 'Completed'") {
		t.Errorf("asked for %s", q)
	}
	delete(c.runs, "run-2")
	if all, err := i.Problems().Before(t.Context(), "checkout", minute(0)); err != nil || len(all) != 0 {
		t.Errorf("without its run: got %+v, %v", all, err)
	}
}

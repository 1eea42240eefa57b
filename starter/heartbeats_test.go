package starter_test

import (
	"errors"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"

	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

const syncID = "heartbeat/sync"

// listensAs is the start of the run that a signal finds, which somebody has signed with the keys of the installation.
func (c *temporal) listensAs(t *testing.T, s signature.Statement, in workflows.HeartbeatInput) {
	t.Helper()
	m, err := signature.New(s.By, in)
	if err != nil {
		t.Fatal(err)
	}
	s.Message, s.Digest = workflows.HeartbeatWorkflow, m.Digest()
	seal, err := c.keys.Sign(s, "folder")
	if err != nil {
		t.Fatal(err)
	}
	m.Seal = &seal
	input, err := converter.GetDefaultDataConverter().ToPayloads(m)
	if err != nil {
		t.Fatal(err)
	}
	c.starts = map[string]*historypb.HistoryEvent{"run-2": {Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowType: &commonpb.WorkflowType{Name: workflows.HeartbeatWorkflow}, TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.TaskQueue},
			Input: input, FirstExecutionRunId: "run-1",
		},
	}}}
}

// A beat counts as durable only in a run of this installation, which may be one that has gone on.
func TestABeatIsSignedAndHeardByOurs(t *testing.T) {
	d := heartbeat.Definition{ID: "sync", Source: "jobs"}
	for name, tc := range map[string]struct {
		start signature.Statement
		in    workflows.HeartbeatInput
		ours  bool
	}{
		"the first run":       {signature.Statement{Workflow: syncID, By: timeline.Muster()}, workflows.HeartbeatInput{Definition: &d}, true},
		"one that goes on":    {signature.Statement{Workflow: syncID, FirstRun: "run-1", By: timeline.Muster()}, workflows.HeartbeatInput{State: &heartbeat.Heartbeat{}}, true},
		"one of another":      {signature.Statement{Workflow: syncID, FirstRun: "run-0", By: timeline.Muster()}, workflows.HeartbeatInput{State: &heartbeat.Heartbeat{}}, false},
		"somebody else's":     {signature.Statement{Workflow: syncID, By: timeline.Actor{Kind: timeline.Person, ID: "eve"}}, workflows.HeartbeatInput{Definition: &d}, false},
		"of another job":      {signature.Statement{Workflow: "heartbeat/backup", By: timeline.Muster()}, workflows.HeartbeatInput{Definition: &d}, false},
		"that is no Muster's": {signature.Statement{Workflow: syncID}, workflows.HeartbeatInput{Definition: &d}, false},
	} {
		c, i := one(t)
		c.listensAs(t, tc.start, tc.in)
		err := i.Heartbeats().Beat(t.Context(), d, heartbeat.Beat{Kind: heartbeat.Done, At: minute(1)})
		if _, away := errors.AsType[*starter.UnavailableError](err); tc.ours != (err == nil) || !tc.ours && !away {
			t.Errorf("%s: got %v", name, err)
		}
		m := c.signals[1].(signature.Signed[heartbeat.Beat])
		by, digest, seal := m.Proof()
		if proven := i.Keys.Prove(signature.Statement{Workflow: syncID, Message: workflows.BeatSignal, Digest: digest, By: by}, *seal); c.signals[0] != workflows.BeatSignal || by.ID != "jobs" || proven != nil {
			t.Errorf("%s: told %v of %v, %v", name, c.signals[0], by, proven)
		}
		if c.started[0].ID != syncID || c.inputs[0] != workflows.HeartbeatWorkflow {
			t.Errorf("%s: started %+v", name, c.started)
		}
	}
}

func TestAHeartbeatThatNobodyListensFor(t *testing.T) {
	c, i := one(t)
	c.fail = serviceerror.NewNotFound("no such run")
	_, gone := errors.AsType[*starter.NotFoundError](i.Heartbeats().Retire(t.Context(), "sync", incident.Folder{Revision: "r1"}))
	if !gone || c.signals[0] != workflows.RetiredSignal {
		t.Errorf("told %v, not found: %t", c.signals[0], gone)
	}
	c.status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	if _, gone := errors.AsType[*starter.NotFoundError](i.Heartbeats().States(t.Context(), []string{"sync"})[0].Err); !gone {
		t.Error("it is listened for")
	}
	c.status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	c.listensAs(t, signature.Statement{Workflow: "heartbeat/another", By: timeline.Muster()}, workflows.HeartbeatInput{})
	if _, gone := errors.AsType[*starter.NotFoundError](i.Heartbeats().States(t.Context(), []string{"sync"})[0].Err); !gone {
		t.Error("somebody else's is ours")
	}
}

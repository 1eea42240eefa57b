package starter

import (
	"context"
	"fmt"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Heartbeats listens for jobs.
type Heartbeats struct{ of *Incidents }

// Heartbeats are those of the same installation, which may be connected later.
func (s *Incidents) Heartbeats() *Heartbeats { return &Heartbeats{s} }

// byFolder is how what the organisation folder says was authenticated.
const byFolder = "folder"

// mostHeartbeats is how many are looked for at most.
const mostHeartbeats = 1_000

// Beat makes durable that a job was heard of. One that nobody listens for yet is listened for from now on.
func (s *Heartbeats) Beat(ctx context.Context, d heartbeat.Definition, b heartbeat.Beat) error {
	by := timeline.Actor{Kind: timeline.Source, ID: d.Source}
	return signalHeartbeat(ctx, s, d, workflows.BeatSignal, by, "intake", b)
}

// Define says what the organisation folder says of a heartbeat now, and since when its beats are heard, if that has not been said before.
func (s *Heartbeats) Define(ctx context.Context, d heartbeat.Definition, hears time.Time) error {
	return signalHeartbeat(ctx, s, d, workflows.DefinedSignal, timeline.Muster(), byFolder, workflows.HeartbeatDefined{Definition: d, Hears: hears})
}

// signalHeartbeat tells a heartbeat something. When it returns nil, that is durable.
func signalHeartbeat[T any](ctx context.Context, s *Heartbeats, d heartbeat.Definition, name string, by timeline.Actor, via string, body T) error {
	id := workflows.HeartbeatWorkflowID(d.ID)
	m, err := seal(s.of.Keys, signature.Statement{Workflow: id, Message: name, By: by}, via, body)
	if err != nil {
		return fmt.Errorf("heartbeat %s: %w", d.ID, err)
	}
	in, err := seal(s.of.Keys, signature.Statement{Workflow: id, Message: workflows.HeartbeatWorkflow, By: timeline.Muster()}, byFolder,
		workflows.HeartbeatInput{Definition: &d})
	if err != nil {
		return fmt.Errorf("heartbeat %s: %w", d.ID, err)
	}
	run, err := s.of.Temporal.SignalWithStartWorkflow(ctx, id, name, m, client.StartWorkflowOptions{
		ID: id, TaskQueue: workflows.TaskQueue, Priority: temporal.Priority{PriorityKey: int(workflows.HeartbeatPriority)},
		TypedSearchAttributes: temporal.NewSearchAttributes(workflows.StatusAttribute.ValueSet(string(heartbeat.New))),
	}, workflows.HeartbeatWorkflow, in)
	if err != nil {
		return told("heartbeat "+d.ID, err)
	}
	ours, err := s.ours(ctx, Ref{WorkflowID: id, RunID: run.GetRunID()})
	if err == nil && !ours {
		err = fmt.Errorf("%s was started by somebody else", id)
	}
	if err != nil {
		return &UnavailableError{Cause: err}
	}
	return nil
}

// ours tells whether this installation has started a run.
func (s *Heartbeats) ours(ctx context.Context, ref Ref) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	p, err := s.of.proofs.prove(ctx, s.of.Temporal, s.of.Namespace, ref, s.judge)
	return p.ours, err
}

// judge says what the start of a run proves.
func (s *Heartbeats) judge(workflowID string, e *historypb.HistoryEvent) proof {
	start := e.GetWorkflowExecutionStartedEventAttributes()
	p := proof{first: start.GetFirstExecutionRunId()}
	var in signature.Signed[struct {
		State *struct{} `json:"state"`
	}]
	if start.GetWorkflowType().GetName() != workflows.HeartbeatWorkflow || start.GetTaskQueue().GetName() != workflows.TaskQueue ||
		converter.GetDefaultDataConverter().FromPayloads(start.GetInput(), &in) != nil {
		return p
	}
	by, digest, seal := in.Proof()
	statement := signature.Statement{Workflow: workflowID, Message: workflows.HeartbeatWorkflow, Digest: digest, By: by}
	if in.Body.State != nil {
		statement.FirstRun = p.first
	}
	p.ours = seal != nil && by == timeline.Muster() && s.of.Keys.Prove(statement, *seal) == nil
	return p
}

// Running returns the ids of the heartbeats that are listened for.
func (s *Heartbeats) Running(ctx context.Context) (ids []string, err error) {
	ids, _, err = running(ctx, s.of.Temporal, s.of.Namespace, workflows.HeartbeatWorkflow, workflows.HeartbeatWorkflowID(""), mostHeartbeats)
	return ids, err
}

// Retire says that a folder has a heartbeat no more. One that nobody listens for is left as it is.
func (s *Heartbeats) Retire(ctx context.Context, id string, f incident.Folder) error {
	workflowID := workflows.HeartbeatWorkflowID(id)
	m, err := seal(s.of.Keys, signature.Statement{Workflow: workflowID, Message: workflows.RetiredSignal, By: timeline.Muster()}, byFolder, f)
	if err != nil {
		return fmt.Errorf("heartbeat %s: %w", id, err)
	}
	return told("heartbeat "+id, s.of.Temporal.SignalWorkflow(ctx, workflowID, "", workflows.RetiredSignal, m))
}

// A Standing is how something stands, or why that is not known.
type Standing[S any] struct {
	State *S
	Err   error
}

// HeardHeartbeat is how a heartbeat stands.
type HeardHeartbeat = Standing[heartbeat.Heartbeat]

// States asks heartbeats how they stand, some at a time. One that nobody listens for is not found.
func (s *Heartbeats) States(ctx context.Context, ids []string) []HeardHeartbeat {
	return eachState(ctx, ids, s.state)
}

// eachState asks some at a time how they stand.
func eachState[S any](ctx context.Context, ids []string, state func(context.Context, string) (*S, error)) []Standing[S] {
	const abreast = 8
	all := make([]Standing[S], len(ids))
	turns := make(chan struct{}, abreast)
	var every sync.WaitGroup
	for n, id := range ids {
		turns <- struct{}{}
		every.Go(func() {
			all[n].State, all[n].Err = state(ctx, id)
			<-turns
		})
	}
	every.Wait()
	return all
}

func (s *Heartbeats) state(ctx context.Context, id string) (*heartbeat.Heartbeat, error) {
	what, workflowID := "heartbeat "+id, workflows.HeartbeatWorkflowID(id)
	run, open, err := s.of.running(ctx, workflowID)
	if err != nil {
		return nil, told(what, err)
	}
	ref := Ref{WorkflowID: workflowID, RunID: run}
	if open {
		if open, err = s.ours(ctx, ref); err != nil {
			return nil, told(what, err)
		}
	}
	if !open {
		return nil, &NotFoundError{What: what}
	}
	return stateOf[heartbeat.Heartbeat](ctx, s.of.Temporal, what, ref)
}

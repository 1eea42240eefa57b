package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// A proof is what the start of a run says of it. Lists say what whoever has started a run has put there: a run is believed
// to be an incident only by the seal of its start.
type proof struct {
	first string      // run of its chain
	id    incident.ID // of the incident
	// request is the id under which people have asked for it; empty in all runs but the first.
	request string
	ours    bool // this installation has started it, or it is from before there were signatures
}

// proofs keeps what was proven: the start of a run never changes.
type proofs struct {
	mu   sync.Mutex
	runs map[string]proof // by run id
}

// mostProofs bounds what is kept. One takes some hundred bytes.
const mostProofs = 20_000

func (p *proofs) known(run string) (proof, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.runs[run]
	return known, ok
}

func (p *proofs) keep(run string, known proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs == nil || len(p.runs) >= mostProofs {
		p.runs = map[string]proof{}
	}
	p.runs[run] = known
}

// prove reads the start of a run.
func (s *Incidents) prove(ctx context.Context, ref Ref) (proof, error) {
	return s.proofs.prove(ctx, s.Temporal, s.Namespace, ref, s.judge)
}

// prove reads the start of a run, and lets it be judged. What is not proven may be a little later, when a key has arrived.
func (p *proofs) prove(
	ctx context.Context, c client.Client, namespace string, ref Ref, judge func(workflowID string, e *historypb.HistoryEvent) proof,
) (proof, error) {
	if known, ok := p.known(ref.RunID); ok {
		return known, nil
	}
	first, err := beginning(ctx, c, namespace, ref)
	if err != nil {
		return proof{}, err
	}
	judged := judge(ref.WorkflowID, first)
	if judged.ours {
		p.keep(ref.RunID, judged)
	}
	return judged, nil
}

// beginning reads the first event of a run.
func beginning(ctx context.Context, c client.Client, namespace string, ref Ref) (*historypb.HistoryEvent, error) {
	resp, err := c.WorkflowService().GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: namespace, MaximumPageSize: 1,
		Execution: &commonpb.WorkflowExecution{WorkflowId: ref.WorkflowID, RunId: ref.RunID},
	})
	if err != nil {
		return nil, err
	}
	if len(resp.GetHistory().GetEvents()) == 0 {
		return nil, errors.New("a history without its beginning")
	}
	return resp.GetHistory().GetEvents()[0], nil
}

// list returns those runs of a query that this installation has started, and a cursor for more, empty at the end.
func (p *proofs) list(
	ctx context.Context, c client.Client, namespace, what, query string, limit int, after string,
	judge func(workflowID string, e *historypb.HistoryEvent) proof,
) ([]Summary, string, error) {
	resp, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: namespace, Query: query, PageSize: int32(limit), NextPageToken: []byte(after),
	})
	if err != nil {
		return nil, "", told("list "+what, err)
	}
	rows := make([]Summary, 0, len(resp.GetExecutions()))
	for _, e := range resp.GetExecutions() {
		row := summary(e)
		proven, err := p.prove(ctx, c, namespace, row.ref, judge)
		if _, gone := errors.AsType[*serviceerror.NotFound](err); gone { // past its retention since the list was made
			continue
		}
		if err != nil {
			return nil, "", told("list "+what, err)
		}
		if proven.ours && proven.id == row.ID {
			rows = append(rows, row)
		}
	}
	return rows, string(resp.GetNextPageToken()), nil
}

// judge says what a start proves.
func (s *Incidents) judge(workflowID string, e *historypb.HistoryEvent) proof {
	start := e.GetWorkflowExecutionStartedEventAttributes()
	p := proof{first: start.GetFirstExecutionRunId()}
	var in signature.Signed[struct {
		ID      incident.ID `json:"id"`
		Request string      `json:"request"`
		State   *struct {
			ID incident.ID `json:"id"`
		} `json:"state"`
	}]
	if start.GetWorkflowType().GetName() != workflows.IncidentWorkflow || start.GetTaskQueue().GetName() != workflows.TaskQueue ||
		converter.GetDefaultDataConverter().FromPayloads(start.GetInput(), &in) != nil {
		return p
	}
	p.id, p.request = in.Body.ID, in.Body.Request
	if in.Body.State != nil {
		p.id = in.Body.State.ID
	}
	by, digest, seal := in.Proof()
	if seal == nil {
		p.ours = e.GetEventTime().AsTime().Before(workflows.SignedSince())
		return p
	}
	statement := signature.Statement{Workflow: workflowID, Message: workflows.IncidentWorkflow, Digest: digest, By: by}
	if in.Body.State != nil {
		statement.FirstRun = p.first
	}
	p.ours = (in.Body.State == nil || by == timeline.Muster()) && s.Keys.Prove(statement, *seal) == nil
	return p
}

// sealedStart says what the start of a run proves whose terms have an id, and which is of one of some types.
func sealedStart(keys Keys, workflowID string, e *historypb.HistoryEvent, types ...string) proof {
	start := e.GetWorkflowExecutionStartedEventAttributes()
	p := proof{first: start.GetFirstExecutionRunId()}
	var in signature.Signed[struct {
		ID incident.ID `json:"id"`
	}]
	is := start.GetWorkflowType().GetName()
	if !slices.Contains(types, is) || start.GetTaskQueue().GetName() != workflows.TaskQueue ||
		converter.GetDefaultDataConverter().FromPayloads(start.GetInput(), &in) != nil {
		return p
	}
	p.id = in.Body.ID
	by, digest, seal := in.Proof()
	statement := signature.Statement{Workflow: workflowID, Message: is, Digest: digest, By: by}
	if start.GetContinuedExecutionRunId() != "" { // sealed by the run before
		statement.FirstRun = p.first
	}
	p.ours = seal != nil && keys.Prove(statement, *seal) == nil
	return p
}

// wantOurs asks that what was told is durable in a run of this installation. A run that somebody else has started under the
// same id takes nothing, and ends. It returns which incident it is.
func (s *Incidents) wantOurs(ctx context.Context, ref Ref) (incident.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	p, err := s.prove(ctx, ref)
	if err == nil && !p.ours {
		err = fmt.Errorf("%s was started by somebody else", ref.WorkflowID)
	}
	if err != nil {
		return "", &UnavailableError{Cause: err}
	}
	return p.id, nil
}

const proofTime = 5 * time.Second

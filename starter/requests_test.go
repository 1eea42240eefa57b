package starter_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/keyring"
	"muster/internal/request"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/starter"
	"muster/workflows"
)

// counter keeps requests and a ledger without an engine. What it does not stand in for panics.
type counter struct {
	temporal

	state  *request.Request
	gone   bool // there is no run
	opened []client.StartWorkflowOptions
	inputs []any
	said   []client.UpdateWorkflowOptions
}

func (c *counter) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, in ...any) (client.WorkflowRun, error) {
	c.opened, c.inputs = append(c.opened, o), append(c.inputs, in[0])
	if workflow == workflows.UsageWorkflow {
		return begun{}, nil
	}
	if c.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	var err error
	c.state, err = request.Start(in[0].(signature.Signed[request.Terms]).Body, minute(0))
	return begun{}, err
}

func (c *counter) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if c.gone {
		return nil, serviceerror.NewNotFound("no such run")
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(c.state)
	return client.NewValue(p), err
}

func (c *counter) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	c.said = append(c.said, o)
	return heard{}, nil
}

func counting(t *testing.T) (*counter, *starter.Incidents) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{temporal: temporal{keys: keys, starts: map[string]*historypb.HistoryEvent{}}}
	return c, &starter.Incidents{Temporal: c, Namespace: namespace, Keys: keys}
}

func enquiry() request.Terms {
	return request.Terms{
		Asked:  request.Asked{Customer: "acme", Kind: "enquiry", Received: minute(0), Text: "How?"},
		Pinned: request.Pinned{Zone: "Asia/Seoul", CustomerName: "Acme"},
	}
}

func TestARequestIsStartedSignedAndOnce(t *testing.T) {
	c, i := counting(t)
	s, req := i.Requests(), starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	forged := enquiry()
	forged.ID, forged.Request, forged.Recorder = "REQ-0000000001", "k0", timeline.Actor{ID: "kim"} // nobody says who has recorded it but who asks
	var ids []request.ID
	for range 2 { // whoever repeats a request finds what it has started
		r, err := s.Start(t.Context(), req, forged)
		if err != nil || r.Request != "k1" || r.Recorder != park() {
			t.Fatalf("got %+v, %v", r, err)
		}
		ids = append(ids, r.ID)
	}
	if ids[0] != ids[1] || !ids[0].Valid() || ids[0] == forged.ID {
		t.Errorf("got %v", ids)
	}
	o := c.opened[0]
	if o.ID != "request/"+string(ids[0]) || o.TaskQueue != workflows.TaskQueue || !o.WorkflowExecutionErrorWhenAlreadyStarted ||
		o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY {
		t.Errorf("started with %+v", o)
	}
	if customers, _ := o.TypedSearchAttributes.GetKeywordList(workflows.CustomersAttribute); len(customers) != 1 || customers[0] != "acme" {
		t.Errorf("customers %v", customers)
	}
	by, digest, seal := c.inputs[0].(signature.Signed[request.Terms]).Proof()
	statement := signature.Statement{Workflow: o.ID, Message: workflows.RequestWorkflow, Digest: digest, By: by}
	if seal == nil || i.Keys.Prove(statement, *seal) != nil || seal.Via != "token:tok_1" {
		t.Errorf("the start is not proven: %+v", seal)
	}
	_, err := s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, enquiry()) // its identity is that of another one
	if refused, ok := errors.AsType[*starter.RefusedError](err); !ok || !strings.HasSuffix(refused.Reason, "it is another one: ask again under another key") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsAskedOfARequest(t *testing.T) {
	c, i := counting(t)
	const id = request.ID("REQ-7K3M9QX2PA")
	for _, cmd := range []request.Command{request.Approve{}, request.Decline{}, request.Answer{}, request.Withdraw{}, request.Note{}} {
		if err := i.Requests().Ask(t.Context(), id, starter.Request{ID: "k1", By: park()}, cmd); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []string{workflows.ApproveUpdate, workflows.DeclineUpdate, workflows.AnswerUpdate, workflows.WithdrawUpdate, workflows.NoteUpdate} {
		if u := c.said[n]; u.UpdateName != want || u.WorkflowID != "request/REQ-7K3M9QX2PA" || u.FirstExecutionRunID != "run-1" || u.UpdateID != "k1" {
			t.Errorf("got %+v, want %s", u, want)
		}
	}
}

func TestARequestThatIsNotThere(t *testing.T) {
	for id, gone := range map[request.ID]bool{"REQ-7K3M9QX2PA": true, "REQ-0000000000": false, "INC-7K3M9QX2PA": false} {
		c, i := counting(t)
		c.gone = gone
		_, err := i.Requests().State(t.Context(), id)
		if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
			t.Errorf("%s: got %v", id, err)
		}
	}
	_, i := counting(t)
	err := i.Requests().Ask(t.Context(), "' OR 1", starter.Request{ID: "k"}, request.Note{Text: "x"})
	if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// shows lets a list show a run of a request, with the start that it has had.
func (c *counter) shows(t *testing.T, run string, id request.ID, workflow, customer string, sealed bool) {
	t.Helper()
	e := execution(run, 1, map[string]any{
		workflows.IDAttribute.GetName(): id, workflows.StatusAttribute.GetName(): "accepted", workflows.CustomersAttribute.GetName(): []string{customer},
	}, map[string]any{"title": "enquiry"})
	e.Execution = &commonpb.WorkflowExecution{WorkflowId: workflow, RunId: run}
	c.listed = append(c.listed, e)
	terms := enquiry()
	terms.ID = id
	m, err := signature.New(park(), terms)
	if err != nil {
		t.Fatal(err)
	}
	if sealed {
		seal, err := c.keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.RequestWorkflow, Digest: m.Digest(), By: park()}, "token:tok_1")
		if err != nil {
			t.Fatal(err)
		}
		m.Seal = &seal
	}
	start := started(m)
	start.GetWorkflowExecutionStartedEventAttributes().WorkflowType = &commonpb.WorkflowType{Name: workflows.RequestWorkflow}
	c.starts[run] = start
}

// A list shows what this installation has started, and nothing that only says so.
func TestAListOfRequests(t *testing.T) {
	c, i := counting(t)
	c.shows(t, "a", "REQ-AAAAAAAAAA", "request/REQ-AAAAAAAAAA", "acme", true)
	c.shows(t, "b", "REQ-BBBBBBBBBB", "request/REQ-BBBBBBBBBB", "acme", false)      // not signed
	c.shows(t, "c", "REQ-CCCCCCCCCC", "request/REQ-AAAAAAAAAA-again", "acme", true) // under another id
	c.next = "more"
	rows, after, err := i.Requests().List(t.Context(), starter.RequestFilter{Status: request.Accepted, Open: true, Customer: "o'brien", After: "x", Limit: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []starter.RequestSummary{{ID: "REQ-AAAAAAAAAA", Subject: "enquiry", Status: request.Accepted, Customer: "acme", OpenedAt: minute(1)}}
	if d := cmp.Diff(want, rows); d != "" || after != "more" {
		t.Errorf("after %q (-want +got):\n%s", after, d)
	}
	query := "WorkflowType = 'Request' AND MusterStatus = 'accepted' AND ExecutionStatus = 'Running' AND MusterCustomers IN ('o''brien')"
	if got := c.temporal.lists[0]; got.GetQuery() != query || got.GetPageSize() != 7 || string(got.GetNextPageToken()) != "x" {
		t.Errorf("asked %+v, want %s", got, query)
	}
}

func (c *counter) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{FirstRunId: "run-1"}}, nil
}

// A ledger is opened when it is first asked, and asked in Muster's name: each claim once, however often it is made.
func TestAClaimGoesToTheLedgerOfItsCustomer(t *testing.T) {
	c, i := counting(t)
	i.Temporal = nil // as long as it is not connected
	s := i.Usages()
	i.Temporal = c
	if _, err := s.Claim(t.Context(), usage.Claim{Customer: "acme", Request: "REQ-7K3M9QX2PA", Take: usage.IfLeft}); err != nil {
		t.Fatal(err)
	}
	if err := s.Return(t.Context(), "acme", "REQ-7K3M9QX2PA"); err != nil {
		t.Fatal(err)
	}
	if o := c.opened[0]; o.ID != "usage/acme" || o.WorkflowIDConflictPolicy != enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING ||
		o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY {
		t.Errorf("opened with %+v", o)
	}
	in := c.inputs[0].(signature.Signed[workflows.UsageInput])
	if by, _, seal := in.Proof(); by != timeline.Muster() || seal == nil || in.Body.Customer != "acme" {
		t.Errorf("opened by %+v with %+v", by, in.Body)
	}
	for n, want := range []struct{ name, id string }{
		{workflows.ClaimUpdate, "REQ-7K3M9QX2PA/left"}, {workflows.ReturnUpdate, "REQ-7K3M9QX2PA/return"},
	} {
		if u := c.said[n]; u.UpdateName != want.name || u.UpdateID != want.id || u.WorkflowID != "usage/acme" || u.FirstExecutionRunID != "run-1" {
			t.Errorf("got %+v, want %+v", u, want)
		}
	}
}

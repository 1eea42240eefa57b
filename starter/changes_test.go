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

	"muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/keyring"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// board keeps a change and a run of a plan without an engine. What it does not stand in for panics.
type board struct {
	temporal

	state  *change.Change
	run    *planrun.Run // that has the environment
	gone   bool         // a worker has refused the start of a run
	opened []client.StartWorkflowOptions
	inputs []any
	said   []client.UpdateWorkflowOptions
}

func (b *board) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, in ...any) (client.WorkflowRun, error) {
	b.opened, b.inputs = append(b.opened, o), append(b.inputs, in[0])
	if terms, ok := in[0].(signature.Signed[planrun.Terms]); ok {
		if b.run != nil {
			return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
		}
		b.run = &planrun.Run{Terms: terms.Body, Status: planrun.Running}
		return begun{}, nil
	}
	if b.state != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	var err error
	b.state, err = change.Start(in[0].(signature.Signed[change.Terms]).Body, minute(0))
	return begun{}, err
}

func (b *board) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	var state any = b.state
	if strings.HasPrefix(id, "readiness/") {
		if b.gone {
			return nil, serviceerror.NewNotFound("no such workflow")
		}
		state = b.run
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(state)
	return client.NewValue(p), err
}

func (b *board) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	b.said = append(b.said, o)
	return heard{}, nil
}

func (b *board) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{FirstRunId: "run-1"}}, nil
}

func changing(t *testing.T) (*board, *starter.Incidents) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), keyring.File), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := &board{temporal: temporal{keys: keys, starts: map[string]*historypb.HistoryEvent{}}}
	return b, &starter.Incidents{Temporal: b, Namespace: namespace, Keys: keys}
}

func pool() change.Terms {
	return change.Terms{
		Asked: change.Asked{
			Way: change.Normal, Kind: change.Changed, Title: "A larger pool", Text: "200.", Benefit: "No queue.", Reversible: true, Undo: "100.", Services: []string{"shop", "erp"},
			Until: minute(60),
		},
		Pinned: change.Pinned{
			Zone: "UTC", CustomerNames: []change.Named{{ID: "acme", Name: "Acme"}}, Owners: []escalation.Target{{Kind: escalation.Person, ID: "kim"}},
			Classes: []change.Class{{ID: "low"}}, Remind: change.Idle{Days: 2},
		},
	}
}

func TestAChangeIsAskedForSignedAndOnce(t *testing.T) {
	b, i := changing(t)
	s, req := i.Changes(), starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	forged := pool()
	forged.ID, forged.Request, forged.Requester = "CHG-0000000001", "k0", timeline.Actor{ID: "kim"} // nobody says who asks but who does
	var ids []change.ID
	for range 2 {
		c, err := s.Start(t.Context(), req, forged)
		if err != nil || c.Request != "k1" || c.Requester != park() {
			t.Fatalf("got %+v, %v", c, err)
		}
		ids = append(ids, c.ID)
	}
	if ids[0] != ids[1] || !ids[0].Valid() || ids[0] == forged.ID {
		t.Errorf("got %v", ids)
	}
	o := b.opened[0]
	if o.ID != "change/"+string(ids[0]) || o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY {
		t.Errorf("started with %+v", o)
	}
	kind, _ := o.TypedSearchAttributes.GetKeyword(workflows.KindAttribute)
	service, _ := o.TypedSearchAttributes.GetKeyword(workflows.ServiceAttribute)
	if customers, _ := o.TypedSearchAttributes.GetKeywordList(workflows.CustomersAttribute); len(customers) != 1 || customers[0] != "acme" || kind != "normal" || service != "shop" {
		t.Errorf("listed as %s of %s for %v", kind, service, customers)
	}
	by, digest, seal := b.inputs[0].(signature.Signed[change.Terms]).Proof()
	if seal == nil || i.Keys.Prove(signature.Statement{Workflow: o.ID, Message: workflows.ChangeWorkflow, Digest: digest, By: by}, *seal) != nil {
		t.Errorf("the start is not proven: %+v", seal)
	}
	_, err := s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, pool())
	if _, ok := errors.AsType[*starter.RefusedError](err); !ok {
		t.Errorf("another one under its identity: %v", err)
	}
}

func TestWhatIsAskedOfAChange(t *testing.T) {
	b, i := changing(t)
	all := map[string]change.Command{
		workflows.AssessUpdate: change.Assess{}, workflows.AnswerCheckUpdate: change.AnswerCheck{}, workflows.VoteUpdate: change.Vote{}, workflows.BeginUpdate: change.Begin{},
		workflows.CompleteUpdate: change.Complete{}, workflows.FailUpdate: change.Fail{}, workflows.WithdrawUpdate: change.Withdraw{}, workflows.NoteUpdate: change.Note{},
	}
	for want, c := range all {
		if err := i.Changes().Ask(t.Context(), "CHG-7K3M9QX2PA", starter.Request{ID: "k1", By: park()}, c); err != nil {
			t.Fatal(err)
		}
		if u := b.said[len(b.said)-1]; u.UpdateName != want || u.WorkflowID != "change/CHG-7K3M9QX2PA" || u.FirstExecutionRunID != "run-1" {
			t.Errorf("got %+v, want %s", u, want)
		}
	}
	err := i.Changes().Ask(t.Context(), "' OR 1", starter.Request{ID: "k"}, change.Note{Text: "x"})
	if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
		t.Errorf("got %v", err)
	}
	if _, err := i.Changes().State(t.Context(), "INC-7K3M9QX2PA"); err == nil {
		t.Error("an incident is a change")
	}
}

// shows lets a list show a run of a change, with the start that it has had.
func (b *board) shows(t *testing.T, run string, id change.ID, workflow string, sealed bool) {
	t.Helper()
	e := execution(run, 1, map[string]any{
		workflows.IDAttribute.GetName(): id, workflows.StatusAttribute.GetName(): "done", workflows.KindAttribute.GetName(): "standard", workflows.ServiceAttribute.GetName(): "shop",
	}, map[string]any{"title": "Restart"})
	e.Execution = &commonpb.WorkflowExecution{WorkflowId: workflow, RunId: run}
	b.listed = append(b.listed, e)
	terms := pool()
	terms.ID = id
	m, err := signature.New(park(), terms)
	if err != nil {
		t.Fatal(err)
	}
	if sealed {
		seal, err := b.keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.ChangeWorkflow, Digest: m.Digest(), By: park()}, "token:tok_1")
		if err != nil {
			t.Fatal(err)
		}
		m.Seal = &seal
	}
	start := started(m)
	start.GetWorkflowExecutionStartedEventAttributes().WorkflowType = &commonpb.WorkflowType{Name: workflows.ChangeWorkflow}
	b.starts[run] = start
}

// A list shows what this installation has started, and nothing that only says so.
func TestAListOfChanges(t *testing.T) {
	b, i := changing(t)
	b.shows(t, "a", "CHG-AAAAAAAAAA", "change/CHG-AAAAAAAAAA", true)
	b.shows(t, "b", "CHG-BBBBBBBBBB", "change/CHG-BBBBBBBBBB", false)      // not signed
	b.shows(t, "c", "CHG-CCCCCCCCCC", "change/CHG-AAAAAAAAAA-again", true) // under another id
	b.next = "more"
	rows, after, err := i.Changes().List(t.Context(), starter.ChangeFilter{Status: change.Done, Open: true, Way: change.Emergency, Customers: []string{"o'brien"}, After: "x", Limit: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []starter.ChangeSummary{{ID: "CHG-AAAAAAAAAA", Title: "Restart", Way: "standard", Status: change.Done, Service: "shop", OpenedAt: minute(1)}}
	if d := cmp.Diff(want, rows); d != "" || after != "more" {
		t.Errorf("after %q (-want +got):\n%s", after, d)
	}
	b.next = ""
	if _, _, err := i.Changes().List(t.Context(), starter.ChangeFilter{Exceptions: true, Way: change.Standard, Since: minute(0)}); err != nil {
		t.Fatal(err)
	}
	for n, query := range []string{
		"WorkflowType = 'Change' AND MusterStatus = 'done' AND ExecutionStatus = 'Running' AND MusterKind IN ('emergency', 'emergency-exception') AND MusterCustomers IN ('o''brien')",
		"WorkflowType = 'Change' AND MusterKind IN ('emergency-exception') AND StartTime > '" + minute(0).UTC().Format(time.RFC3339) + "'",
	} {
		if got := b.temporal.lists[n].GetQuery(); got != query {
			t.Errorf("asked %s, want %s", got, query)
		}
	}
	// What was refused was no use.
	for status, want := range map[change.Status]int{change.Approved: 1, change.Done: 1, change.Rejected: 0, change.Lapsed: 0} {
		b.state = &change.Change{Terms: change.Terms{Asked: change.Asked{Standard: "restart"}}, Status: status}
		if status == change.Done {
			b.state.Began = minute(1)
		}
		if n, err := i.Changes().Used(t.Context(), "restart", minute(0)); err != nil || n != want {
			t.Errorf("%s: used %d times, %v", status, n, err)
		}
		if n, err := i.Changes().Used(t.Context(), "other", minute(0)); err != nil || n != 0 {
			t.Errorf("another one: used %d times, %v", n, err)
		}
	}
}

// The run of a change is started once, in Muster's name, and says which change it is.
func TestTheRunOfAChange(t *testing.T) {
	terms := planrun.Terms{
		Customer: "acme", ForChange: &planrun.ForChange{ID: "CHG-7K3M9QX2PA", Requester: park()}, Environments: []planrun.Bound{{ID: "lab", Environment: "lab", Name: "Lab"}},
		Pinned: planrun.Pinned{Plan: plan.Definition{ID: "look", Kind: plan.Readiness}},
	}
	b, i := changing(t)
	for range 2 {
		if run, refused, err := i.Changes().BeginForChange(t.Context(), "CHG-7K3M9QX2PA", terms); err != nil || refused != "" || run != b.run.ID || !run.Valid() {
			t.Errorf("got %s, %q, %v", run, refused, err)
		}
	}
	if b.run.Starter != timeline.Muster() || b.run.ForChange.ID != "CHG-7K3M9QX2PA" {
		t.Errorf("started %+v", b.run.Terms)
	}
	if run, refused, err := i.Changes().BeginForChange(t.Context(), "CHG-0000000001", terms); err != nil || run != "" || !strings.Contains(refused, string(b.run.ID)+" has it since") {
		t.Errorf("another run has the environment: got %s, %q, %v", run, refused, err)
	}
	b, i = changing(t)
	b.gone = true
	if _, refused, err := i.Changes().BeginForChange(t.Context(), "CHG-7K3M9QX2PA", terms); err != nil || refused == "" {
		t.Errorf("a worker has refused it: got %q, %v", refused, err)
	}
}

package starter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/action"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// improver keeps an action item without an engine. What it does not stand in for panics.
type improver struct {
	*counter

	item *action.Action
}

func (c *improver) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, in ...any) (client.WorkflowRun, error) {
	c.opened, c.inputs = append(c.opened, o), append(c.inputs, in[0])
	if c.item != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	var err error
	c.item, err = action.Start(in[0].(signature.Signed[action.Terms]).Body, minute(0))
	return begun{}, err
}

func (c *improver) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if c.gone {
		return nil, serviceerror.NewNotFound("no such run")
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(c.item)
	return client.NewValue(p), err
}

func improving(t *testing.T) (*improver, *starter.Incidents) {
	t.Helper()
	c, i := counting(t)
	x := &improver{counter: c}
	i.Temporal = x
	return x, i
}

func pools() action.Terms {
	return action.Terms{
		Asked: action.Asked{
			Title: "Alert on full pools", Kind: action.Detect, Priority: priority.P2, Owner: "choi", Group: "noc", Due: minute(60),
			Origin: action.Origin{Customer: "acme", Service: "shop"},
		},
		Pinned: action.Pinned{Zone: "Asia/Seoul", OwnerName: "최유나"},
	}
}

func TestAnActionItemIsStartedSignedAndOnce(t *testing.T) {
	c, i := improving(t)
	s, req := i.Actions(), starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	forged := pools()
	forged.ID, forged.Request, forged.Opener = "ACT-0000000001", "k0", timeline.Actor{ID: "kim"} // nobody says who opens it but who asks
	var ids []action.ID
	for range 2 { // whoever repeats a request finds what it has started
		a, err := s.Start(t.Context(), req, forged)
		if err != nil || a.Request != "k1" || a.Opener != park() {
			t.Fatalf("got %+v, %v", a, err)
		}
		ids = append(ids, a.ID)
	}
	if ids[0] != ids[1] || !ids[0].Valid() || ids[0] == forged.ID {
		t.Errorf("got %v", ids)
	}
	o := c.opened[0]
	if o.ID != "action/"+string(ids[0]) || o.TaskQueue != workflows.TaskQueue || !o.WorkflowExecutionErrorWhenAlreadyStarted ||
		o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY {
		t.Errorf("started with %+v", o)
	}
	service, _ := o.TypedSearchAttributes.GetKeyword(workflows.ServiceAttribute)
	customers, _ := o.TypedSearchAttributes.GetKeywordList(workflows.CustomersAttribute)
	if service != "shop" || len(customers) != 1 || customers[0] != "acme" {
		t.Errorf("service %q, customers %v", service, customers)
	}
	for k, v := range o.TypedSearchAttributes.GetUntypedValues() {
		if text, ok := v.(string); ok && (strings.Contains(text, "choi") || strings.Contains(text, "park")) {
			t.Errorf("%s has a person's name: %q", k.GetName(), text)
		}
	}
	by, digest, seal := c.inputs[0].(signature.Signed[action.Terms]).Proof()
	statement := signature.Statement{Workflow: o.ID, Message: workflows.ActionItemWorkflow, Digest: digest, By: by}
	if seal == nil || i.Keys.Prove(statement, *seal) != nil || seal.Via != "token:tok_1" {
		t.Errorf("the start is not proven: %+v", seal)
	}
	_, err := s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, pools()) // its identity is that of another one
	if refused, ok := errors.AsType[*starter.RefusedError](err); !ok || !strings.HasSuffix(refused.Reason, "it is another one: ask again under another key") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsAskedOfAnActionItem(t *testing.T) {
	c, i := improving(t)
	const id = action.ID("ACT-7K3M9QX2PA")
	for cmd, want := range map[action.Command]string{
		action.Complete{}: workflows.CompleteUpdate, action.Verify{}: workflows.VerifyUpdate, action.CheckEffect{}: workflows.CheckEffectUpdate,
		action.Extend{}: workflows.ExtendUpdate, action.Assign{}: workflows.AssignUpdate, action.Cancel{}: workflows.CancelUpdate, action.Note{}: workflows.NoteUpdate,
	} {
		c.said = nil
		if err := i.Actions().Ask(t.Context(), id, starter.Request{ID: "k1", By: park()}, cmd); err != nil {
			t.Fatal(err)
		}
		if u := c.said[0]; u.UpdateName != want || u.WorkflowID != "action/ACT-7K3M9QX2PA" || u.FirstExecutionRunID != "run-1" || u.UpdateID != "k1" {
			t.Errorf("got %+v, want %s", u, want)
		}
	}
}

func TestAnActionItemThatIsNotThere(t *testing.T) {
	for id, gone := range map[action.ID]bool{"ACT-7K3M9QX2PA": true, "ACT-0000000000": false, "INC-7K3M9QX2PA": false} {
		c, i := improving(t)
		c.gone = gone
		_, err := i.Actions().State(t.Context(), id)
		if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
			t.Errorf("%s: got %v", id, err)
		}
	}
	_, i := improving(t)
	err := i.Actions().Ask(t.Context(), "' OR 1", starter.Request{ID: "k"}, action.Note{Text: "x"})
	if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
		t.Errorf("got %v", err)
	}
}

// A list shows what this installation has started, and nothing that only says so.
func TestAListOfActionItems(t *testing.T) {
	c, i := improving(t)
	shows := func(run string, id action.ID, workflow string, sealed bool) {
		e := execution(run, 1, map[string]any{
			workflows.IDAttribute.GetName(): id, workflows.StatusAttribute.GetName(): "overdue", workflows.CustomersAttribute.GetName(): []string{"acme"},
			workflows.KindAttribute.GetName(): "detect", workflows.ServiceAttribute.GetName(): "shop", workflows.PriorityAttribute.GetName(): 2,
		}, map[string]any{"title": "Alert on full pools"})
		e.Execution = &commonpb.WorkflowExecution{WorkflowId: workflow, RunId: run}
		c.listed = append(c.listed, e)
		terms := pools()
		terms.ID = id
		m, err := signature.New(park(), terms)
		if err != nil {
			t.Fatal(err)
		}
		if sealed {
			seal, err := c.keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.ActionItemWorkflow, Digest: m.Digest(), By: park()}, "token:tok_1")
			if err != nil {
				t.Fatal(err)
			}
			m.Seal = &seal
		}
		start := started(m)
		start.GetWorkflowExecutionStartedEventAttributes().WorkflowType = &commonpb.WorkflowType{Name: workflows.ActionItemWorkflow}
		c.starts[run] = start
	}
	shows("a", "ACT-AAAAAAAAAA", "action/ACT-AAAAAAAAAA", true)
	shows("b", "ACT-BBBBBBBBBB", "action/ACT-BBBBBBBBBB", false)      // not signed
	shows("c", "ACT-CCCCCCCCCC", "action/ACT-AAAAAAAAAA-again", true) // under another id
	c.next = "more"
	rows, after, err := i.Actions().List(t.Context(), starter.ActionFilter{Status: action.Open, Open: true, Customer: "o'brien", Service: "shop", After: "x", Limit: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []starter.ActionSummary{{
		ID: "ACT-AAAAAAAAAA", Title: "Alert on full pools", Status: action.Overdue, Kind: action.Detect, Priority: priority.P2, Service: "shop", Customer: "acme",
		OpenedAt: minute(1),
	}}
	if d := cmp.Diff(want, rows); d != "" || after != "more" {
		t.Errorf("after %q (-want +got):\n%s", after, d)
	}
	query := "WorkflowType = 'ActionItem' AND MusterStatus IN ('open', 'overdue') AND ExecutionStatus = 'Running' AND MusterCustomers IN ('o''brien') AND MusterService IN ('shop')"
	if got := c.temporal.lists[0]; got.GetQuery() != query || got.GetPageSize() != 7 || string(got.GetNextPageToken()) != "x" {
		t.Errorf("asked %+v, want %s", got, query)
	}
	for f, want := range map[starter.ActionFilter]string{
		{Overdue: true, Limit: 1}: "WorkflowType = 'ActionItem' AND MusterStatus = 'overdue'", {Status: action.Done, Limit: 1}: "WorkflowType = 'ActionItem' AND MusterStatus = 'done'",
	} {
		c.temporal.lists = nil
		if _, _, err := i.Actions().List(t.Context(), f); err != nil || c.temporal.lists[0].GetQuery() != want {
			t.Errorf("asked %s, %v; want %s", c.temporal.lists[0].GetQuery(), err, want)
		}
	}
}

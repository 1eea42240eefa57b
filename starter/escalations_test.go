package starter_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/risk"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// escalator keeps an escalation without an engine. What it does not stand in for panics.
type escalator struct {
	*counter

	one *risk.Escalation
}

func (c *escalator) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, in ...any) (client.WorkflowRun, error) {
	c.opened, c.inputs = append(c.opened, o), append(c.inputs, in[0])
	if c.one != nil {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("it runs", "", "run-1")
	}
	var err error
	c.one, err = risk.Start(in[0].(signature.Signed[risk.Terms]).Body, minute(0))
	return begun{}, err
}

func (c *escalator) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	if c.gone {
		return nil, serviceerror.NewNotFound("no such run")
	}
	p, err := converter.GetDefaultDataConverter().ToPayloads(c.one)
	return client.NewValue(p), err
}

func escalating(t *testing.T) (*escalator, *starter.Incidents) {
	t.Helper()
	c, i := counting(t)
	x := &escalator{counter: c}
	i.Temporal = x
	return x, i
}

func restore() risk.Terms {
	return risk.Terms{
		Asked: risk.Asked{
			Situation: "The restore was never tried.\nNobody knows.", Importance: "x", Affected: "x", Scale: "x", Urgency: "x", Remedy: "x", Priority: priority.P2, Service: "shop",
		},
		Pinned: risk.Pinned{Zone: "Asia/Seoul", Levels: []risk.Level{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}, Wait: time.Hour}}},
	}
}

func TestAnEscalationIsStartedSignedAndOnce(t *testing.T) {
	c, i := escalating(t)
	s, req := i.Escalations(), starter.Request{ID: "k1", By: park(), Via: "token:tok_1"}
	forged := restore()
	forged.ID, forged.Request, forged.Originator = "ESC-0000000001", "k0", timeline.Actor{ID: "kim"} // nobody says who escalates but who asks
	var ids []risk.ID
	for range 2 { // whoever repeats a request finds what it has started
		e, err := s.Start(t.Context(), req, forged)
		if err != nil || e.Request != "k1" || e.Originator != park() {
			t.Fatalf("got %+v, %v", e, err)
		}
		ids = append(ids, e.ID)
	}
	if ids[0] != ids[1] || !ids[0].Valid() || ids[0] == forged.ID {
		t.Errorf("got %v", ids)
	}
	o := c.opened[0]
	if o.ID != "escalation/"+string(ids[0]) || o.TaskQueue != workflows.TaskQueue || !o.WorkflowExecutionErrorWhenAlreadyStarted ||
		o.WorkflowIDReusePolicy != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY || o.Memo["title"] != "The restore was never tried." {
		t.Errorf("started with %+v", o)
	}
	for k, v := range o.TypedSearchAttributes.GetUntypedValues() {
		if text, ok := v.(string); ok && strings.Contains(text, "park") {
			t.Errorf("%s has a person's name: %q", k.GetName(), text)
		}
	}
	by, digest, seal := c.inputs[0].(signature.Signed[risk.Terms]).Proof()
	statement := signature.Statement{Workflow: o.ID, Message: workflows.EscalationWorkflow, Digest: digest, By: by}
	if seal == nil || i.Keys.Prove(statement, *seal) != nil || seal.Via != "token:tok_1" {
		t.Errorf("the start is not proven: %+v", seal)
	}
	_, err := s.Start(t.Context(), starter.Request{ID: "k2", By: park()}, restore()) // its identity is that of another one
	if refused, ok := errors.AsType[*starter.RefusedError](err); !ok || !strings.HasSuffix(refused.Reason, "it is another one: ask again under another key") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsAskedOfAnEscalation(t *testing.T) {
	c, i := escalating(t)
	const id = risk.ID("ESC-7K3M9QX2PA")
	for cmd, want := range map[risk.Command]string{
		risk.Take{}: workflows.TakeUpdate, risk.Answer{}: workflows.AnswerUpdate, risk.Confirm{}: workflows.ConfirmUpdate,
		risk.Raise{}: workflows.RaiseUpdate, risk.Succeed{}: workflows.SucceedUpdate, risk.Note{}: workflows.NoteUpdate,
	} {
		c.said = nil
		if err := i.Escalations().Ask(t.Context(), id, starter.Request{ID: "k1", By: park()}, cmd); err != nil {
			t.Fatal(err)
		}
		if u := c.said[0]; u.UpdateName != want || u.WorkflowID != "escalation/ESC-7K3M9QX2PA" || u.UpdateID != "k1" {
			t.Errorf("got %+v, want %s", u, want)
		}
	}
}

func TestAnEscalationThatIsNotThere(t *testing.T) {
	for id, gone := range map[risk.ID]bool{"ESC-7K3M9QX2PA": true, "ESC-0000000000": false, "INC-7K3M9QX2PA": false} {
		c, i := escalating(t)
		c.gone = gone
		_, err := i.Escalations().State(t.Context(), id)
		if _, ok := errors.AsType[*starter.NotFoundError](err); !ok {
			t.Errorf("%s: got %v", id, err)
		}
	}
}

// A list shows what this installation has started, and nothing that only says so.
func TestAListOfEscalations(t *testing.T) {
	c, i := escalating(t)
	shows := func(run string, id risk.ID, sealed bool) {
		workflow := "escalation/" + string(id)
		e := execution(run, 1, map[string]any{
			workflows.IDAttribute.GetName(): id, workflows.StatusAttribute.GetName(): "open", workflows.ServiceAttribute.GetName(): "shop",
			workflows.PriorityAttribute.GetName(): 2,
		}, map[string]any{"title": "The restore was never tried."})
		e.Execution = &commonpb.WorkflowExecution{WorkflowId: workflow, RunId: run}
		c.listed = append(c.listed, e)
		terms := restore()
		terms.ID = id
		m, err := signature.New(park(), terms)
		if err != nil {
			t.Fatal(err)
		}
		if sealed {
			seal, err := c.keys.Sign(signature.Statement{Workflow: workflow, Message: workflows.EscalationWorkflow, Digest: m.Digest(), By: park()}, "token:tok_1")
			if err != nil {
				t.Fatal(err)
			}
			m.Seal = &seal
		}
		start := started(m)
		start.GetWorkflowExecutionStartedEventAttributes().WorkflowType = &commonpb.WorkflowType{Name: workflows.EscalationWorkflow}
		c.starts[run] = start
	}
	shows("a", "ESC-AAAAAAAAAA", true)
	shows("b", "ESC-BBBBBBBBBB", false) // not signed
	c.next = "more"
	rows, after, err := i.Escalations().List(t.Context(), starter.EscalationFilter{Status: risk.Open, Open: true, Service: "o'shop", After: "x", Limit: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []starter.EscalationSummary{{ID: "ESC-AAAAAAAAAA", Title: "The restore was never tried.", Status: risk.Open, Priority: priority.P2, Service: "shop", OpenedAt: minute(1)}}
	if d := cmp.Diff(want, rows); d != "" || after != "more" {
		t.Errorf("after %q (-want +got):\n%s", after, d)
	}
	const query = "WorkflowType = 'Escalation' AND MusterStatus = 'open' AND ExecutionStatus = 'Running' AND MusterService IN ('o''shop')"
	if got := c.temporal.lists[0]; got.GetQuery() != query || got.GetPageSize() != 7 || string(got.GetNextPageToken()) != "x" {
		t.Errorf("asked %+v, want %s", got, query)
	}
}

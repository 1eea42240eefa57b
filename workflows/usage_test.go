package workflows_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/workflows"
)

// used is what came of a claim.
type used struct {
	usage.Counts

	err error
}

// claims sends a claim when so much time has passed.
func (r *rehearsal) claims(after time.Duration, by timeline.Actor, c usage.Claim) *used {
	u := &used{}
	r.at(after, func() {
		id := fmt.Sprint(c.Request, c.Take, after)
		r.env.UpdateWorkflow(workflows.ClaimUpdate, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { u.err = err },
			OnComplete: func(v any, err error) {
				u.err = err
				u.Counts, _ = v.(usage.Counts)
			},
		}, sealed(r, workflows.ClaimUpdate, id, by, c))
	})
	return u
}

func claiming(request string, take usage.Taking) usage.Claim {
	return usage.Claim{
		Customer: "acme", Request: request, Feature: "tuning", At: start, Take: take,
		Quota: &usage.Window{Count: 1, From: start.AddDate(0, -1, 0), To: start.AddDate(0, 1, 0)},
	}
}

// keep runs a ledger until nothing more comes: it never ends by itself.
func (r *rehearsal) keep(in signature.Signed[workflows.UsageInput]) error {
	r.env.ExecuteWorkflow(workflows.UsageWorkflow, in)
	return r.env.GetWorkflowError()
}

func (r *rehearsal) opening() signature.Signed[workflows.UsageInput] {
	return sealed(r, workflows.UsageWorkflow, "", timeline.Muster(), workflows.UsageInput{Customer: "acme"})
}

func (r *rehearsal) ledger() usage.Ledger {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var l usage.Ledger
	if err := v.Get(&l); err != nil {
		r.Fatal(err)
	}
	return l
}

func TestTwoRequestsForTheLastUnit(t *testing.T) {
	r := rehearse(t)
	first := r.claims(0, timeline.Muster(), claiming("a", usage.IfLeft)) // before it is proven who has opened the ledger
	second := r.claims(0, timeline.Muster(), claiming("b", usage.IfLeft))
	again := r.claims(time.Minute, timeline.Muster(), claiming("a", usage.IfLeft))
	person := r.claims(2*time.Minute, park, claiming("c", usage.Anyway))
	wrong := r.claims(3*time.Minute, timeline.Muster(), usage.Claim{Customer: "nuri", Request: "d", At: start, Take: usage.Look})
	r.at(4*time.Minute, func() {
		tell(r, &answer{}, "back", workflows.ReturnUpdate, timeline.Muster(), workflows.UsageReturn{Request: "a"})
	})
	after := r.claims(5*time.Minute, timeline.Muster(), claiming("b", usage.Look))
	r.at(6*time.Minute, r.env.CancelWorkflow) // which ends nothing
	last := r.claims(7*time.Minute, timeline.Muster(), claiming("b", usage.IfLeft))
	_ = r.keep(r.opening())
	if !first.Taken || second.Taken || second.Used != 1 || !again.Taken || after.Used != 0 || after.Taken || !last.Taken {
		t.Errorf("first %+v, second %+v, again %+v, after it was given back %+v and %+v", first, second, again, after, last)
	}
	if person.err == nil || !strings.Contains(person.err.Error(), "want Muster itself") || wrong.err == nil || !strings.Contains(wrong.err.Error(), "want acme") {
		t.Errorf("a person: %v; another customer: %v", person.err, wrong.err)
	}
	if l := r.ledger(); len(l.Uses) != 1 || l.Uses[0].Request != "b" {
		t.Errorf("got %+v", l)
	}
}

func TestALedgerGoesOnInANewRun(t *testing.T) {
	r := rehearse(t)
	for n := range 800 {
		r.claims(time.Duration(n)*time.Second, timeline.Muster(), claiming(fmt.Sprint(n), usage.IfLeft))
	}
	err := r.keep(r.opening())
	next, ok := errors.AsType[*workflow.ContinueAsNewError](err)
	if !ok {
		t.Fatalf("got %v, want that it continues", err)
	}
	var in signature.Signed[workflows.UsageInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil || in.Body.State == nil || len(in.Body.State.Uses) != 1 || in.Seal == nil {
		t.Fatalf("it hands over %+v, %v", in, err)
	}

	r = rehearse(t)
	r.env.SetContinuedExecutionRunID("run-before")
	second := r.claims(time.Minute, timeline.Muster(), claiming("other", usage.IfLeft))
	if _ = r.keep(sealed(r, workflows.UsageWorkflow, "", timeline.Muster(), in.Body)); second.Taken || second.Used != 1 {
		t.Errorf("the next run says %+v", second)
	}
}

func TestALedgerTakesOnlyWhatIsSigned(t *testing.T) {
	state := workflows.UsageInput{State: &usage.Ledger{Customer: "acme"}}
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) signature.Signed[workflows.UsageInput]
		want string
	}{
		"not signed": {func(*rehearsal) signature.Signed[workflows.UsageInput] {
			return signature.Unsigned(workflows.UsageInput{Customer: "acme"})
		}, "it is not signed"},
		"by a person": {func(r *rehearsal) signature.Signed[workflows.UsageInput] {
			return sealed(r, workflows.UsageWorkflow, "", park, workflows.UsageInput{Customer: "acme"})
		}, "want Muster itself"},
		"of nobody": {func(r *rehearsal) signature.Signed[workflows.UsageInput] {
			return sealed(r, workflows.UsageWorkflow, "", timeline.Muster(), workflows.UsageInput{})
		}, "customer: missing"},
		"with a ledger": {func(r *rehearsal) signature.Signed[workflows.UsageInput] {
			return sealed(r, workflows.UsageWorkflow, "", timeline.Muster(), state)
		}, "from the run before"},
	} {
		r := rehearse(t)
		if err := r.keep(tc.in(r)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

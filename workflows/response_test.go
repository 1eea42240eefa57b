package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// responding has the ledger of a response, and is out when it is told to.
type responding struct {
	mu     sync.Mutex
	ledger response.Ledger
	out    int // how often it still cannot be asked
}

func (m *responding) Claim(_ context.Context, c response.Claim) (response.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out--; m.out >= 0 {
		return response.Answer{}, errors.New("no answer")
	}
	return m.ledger.Claim(c, start), nil
}

func (m *responding) End(_ context.Context, e response.End) (response.Ended, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.End(e, start.Add(time.Minute)), nil
}

// automatic is an incident about which Muster does something by itself: it looks once and acts in two steps.
func automatic() *incident.Definition {
	step := func(n int, command string) runbook.Step {
		return runbook.Step{Number: n, Text: command, Automatic: &runbook.Automatic{
			Runner: runbook.ByCommand, Command: []string{command, "{{param host}}"}, Timeout: time.Minute,
		}}
	}
	host := []runbook.Parameter{{ID: "host", Description: "which"}}
	d := definition()
	d.Automatic = &incident.AutomaticResponse{
		ID: "restart", Name: "Restart checkout", Parameters: []runbook.Value{{ID: "host", Value: "checkout-2"}},
		Look:        &incident.Procedure{SHA256: hash("look"), Runbook: runbook.Runbook{ID: "LOOK", Title: "Look", Parameters: host, Steps: []runbook.Step{step(1, "look")}}},
		Act:         &incident.Procedure{SHA256: hash("act"), Runbook: runbook.Runbook{ID: "ACT", Title: "Act", Parameters: host, Steps: []runbook.Step{step(1, "stop"), step(2, "start")}}},
		PreApproved: &incident.PreApproval{By: "choi", Name: "choi", Until: start.AddDate(0, 1, 0)},
		Hold:        4 * time.Minute, PerHour: 3, Failures: 1, Tell: []escalation.Target{{Kind: escalation.Person, ID: "noc"}},
	}
	return d
}

// pages counts those that were delivered.
func (r *rehearsal) pages() (n int) {
	for _, got := range r.got() {
		if strings.HasPrefix(got, "page ") {
			n++
		}
	}
	return n
}

func TestAnAutomaticResponseResolvesAnIncident(t *testing.T) {
	r := rehearse(t)
	r.machine.out = 2 // of several attempts one arrives
	r.alerts(0, firing("a", 0))
	r.alerts(10*time.Minute, ended("a", 0))
	r.run(workflows.IncidentInput{Definition: automatic()})
	r.wantDone()
	if got := r.runner.has(); got != "look checkout-2, stop checkout-2, start checkout-2" {
		t.Errorf("it has run %q", got)
	}
	if n := r.pages(); n != 0 {
		t.Errorf("%d pages", n)
	}
	if l := r.machine.ledger; len(l.Runs) != 1 || l.Runs[0].Outcome != response.Worked {
		t.Errorf("the ledger has %+v", l.Runs)
	}
	for _, k := range []timeline.Kind{timeline.ResponseBegun, timeline.ResponseLooked, timeline.ResponseEnded} {
		if n := len(r.entries(k)); n != 1 {
			t.Errorf("%s stands there %d times", k, n)
		}
	}
}

// Whatever goes wrong, people are paged at once, and the page can say what was tried.
func TestAnAutomaticResponseThatFailsPages(t *testing.T) {
	for name, tt := range map[string]struct {
		set   func(r *rehearsal)
		state incident.ResponseState
		ran   string
		told  string // beside the pages
	}{
		"a step fails": {func(r *rehearsal) {
			r.runner.result = func(a runbook.Automatic) runbook.State {
				if a.Command[0] == "stop" {
					return runbook.Failed
				}
				return runbook.Passed
			}
		}, incident.ResponseState(response.Failed), "look checkout-2, stop checkout-2", "reminder noc"},
		"a worker is lost": {func(r *rehearsal) {
			r.runner.result = func(a runbook.Automatic) runbook.State {
				if a.Command[0] == "look" {
					r.runner.lost.Store(0)
				} else {
					r.runner.lost.Store(1)
				}
				return runbook.Passed
			}
		}, incident.ResponseState(response.Unknown), "look checkout-2, stop checkout-2", "reminder noc"},
		"its ledger is out":  {func(r *rehearsal) { r.machine.out = 1_000_000 }, incident.ResponseRefused, "", ""},
		"it is switched off": {func(r *rehearsal) { r.machine.ledger.Off = &response.Off{At: start, By: kim} }, incident.ResponseRefused, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			tt.set(r)
			r.alerts(0, firing("a", 0))
			r.at(3*time.Minute, func() {
				if i := r.query(); i.Response.State != tt.state || i.Status != incident.Triggered || r.pages() != 1 {
					t.Errorf("it is %s, its response %+v, %v", i.Status, i.Response, r.got())
				}
				if got := strings.Join(r.got(), ", "); tt.told != "" && !strings.Contains(got, tt.told) {
					t.Errorf("got %s, want %s", got, tt.told)
				}
			})
			ask(r, 4*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
			r.run(workflows.IncidentInput{Definition: automatic()})
			r.wantDone()
			if got := r.runner.has(); got != tt.ran {
				t.Errorf("it has run %q, want %q", got, tt.ran)
			}
		})
	}
}

// A step that no worker takes in time has not happened: that is a failure, and nobody has to find out whether it was half done.
func TestAStepThatNoWorkerTakesHasFailed(t *testing.T) {
	r := rehearse(t)
	d := automatic()
	d.Automatic.Look = nil
	r.env.OnActivity("RunStep", anything, anything).Return(runbook.Result{}, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)).Once()
	r.alerts(0, firing("a", 0))
	r.at(time.Minute, func() {
		i := r.query()
		if i.Response.State != incident.ResponseState(response.Failed) || i.Response.Why != incident.WhyStep || r.pages() != 1 {
			t.Errorf("its response is %+v, %v", i.Response, r.got())
		}
		steps := i.Tried().Steps
		if got := steps[0].Detail; got != "no worker that runs the steps of runbooks has taken it in 1m30s" || steps[1].Status != runbook.Skipped {
			t.Errorf("got %+v", steps)
		}
	})
	ask(r, 5*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: d})
	r.wantDone()
}

// A step that was taken back before a worker had begun it is not run when one comes back.
func TestAStepThatIsTakenBackIsNotRunLater(t *testing.T) {
	r := rehearse(t)
	d := automatic()
	d.Automatic.Look = nil
	r.away(3 * time.Minute)
	r.alerts(0, firing("a", 0))
	ask(r, 10*time.Second, workflows.StopResponseUpdate, park, incident.StopResponse{Reason: "the wrong server"})
	r.at(4*time.Minute, func() {
		if i := r.query(); i.Response.State != incident.ResponseState(response.Stopped) || i.Response.Stopped.ID != "park" || r.pages() != 1 {
			t.Errorf("its response is %+v, %v", i.Response, r.got())
		}
	})
	ask(r, 5*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: d})
	r.wantDone()
	if got := r.runner.has(); got != "" {
		t.Errorf("it has run %q", got)
	}
	for _, s := range r.state.Response.Steps {
		if s.Status != runbook.Skipped {
			t.Errorf("step %d is %s", s.Number, s.Status)
		}
	}
}

func TestAnAutomaticResponseThatIsApproved(t *testing.T) {
	r := rehearse(t)
	d := automatic()
	d.Automatic.PreApproved = nil
	d.Automatic.Approval = &incident.ResponseVotes{Approvers: []escalation.Target{{Kind: escalation.Person, ID: "noc"}}, Within: 10 * time.Minute}
	wrong, nobody, right := &answer{}, &answer{}, &answer{}
	r.alerts(0, firing("a", 0))
	r.at(time.Minute, func() {
		sha := r.query().Response.SHA256
		tell(r, nobody, "1", workflows.ApproveResponseUpdate, park, incident.ApproveResponse{SHA256: sha})
		tell(r, wrong, "2", workflows.ApproveResponseUpdate, kim, incident.ApproveResponse{SHA256: "00", Approver: true})
		if got := r.runner.has(); got != "look checkout-2" {
			t.Errorf("before anybody has approved it, it has run %q", got)
		}
		tell(r, right, "3", workflows.ApproveResponseUpdate, kim, incident.ApproveResponse{SHA256: sha, Approver: true})
	})
	r.run(workflows.IncidentInput{Definition: d})
	r.wantDone()
	if nobody.failed == nil || wrong.failed == nil || right.failed != nil || right.rejected != nil || len(r.entries(timeline.ResponseDenied)) != 2 {
		t.Errorf("got %v, %v and %v", nobody.failed, wrong.failed, right.failed)
	}
	if got := r.runner.has(); got != "look checkout-2, stop checkout-2, start checkout-2" || r.state.Response.Approved.ID != "kim" {
		t.Errorf("it has run %q, %+v", got, r.state.Response)
	}
}

// A step is never begun by two runs of an incident.
func TestNoNewRunWhileAStepIsUnderWay(t *testing.T) {
	r := rehearse(t)
	d := automatic()
	d.Automatic.Look = nil
	r.at(30*time.Second, func() { r.env.SetContinueAsNewSuggested(true) })
	r.away(80 * time.Second)
	r.alerts(0, firing("a", 0))
	r.run(workflows.IncidentInput{Definition: d})
	next, ok := errors.AsType[*workflow.ContinueAsNewError](r.env.GetWorkflowError())
	if !ok {
		t.Fatalf("got %v, want that it continues", r.env.GetWorkflowError())
	}
	var in signature.Signed[workflows.IncidentInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil {
		t.Fatal(err)
	}
	if is := in.Body.State.Response; is == nil || is.State != incident.ResponseState(response.Worked) {
		t.Errorf("it hands over %+v", is)
	}
}

// guard asks the ledger of a response something when so much time has passed.
func guard[B any](r *rehearsal, after time.Duration, update, id string, by timeline.Actor, body B) *guarded {
	g := &guarded{}
	r.at(after, func() {
		r.env.UpdateWorkflow(update, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { g.err = err },
			OnComplete: func(v any, err error) { g.said, g.err = v, err },
		}, sealed(r, update, id, by, body))
	})
	return g
}

type guarded struct {
	said any
	err  error
}

func (r *rehearsal) guards(in signature.Signed[workflows.AutomaticResponseInput]) (response.Ledger, error) {
	r.env.ExecuteWorkflow(workflows.AutomaticResponseWorkflow, in)
	var l response.Ledger
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err == nil {
		err = v.Get(&l)
	}
	if err != nil {
		r.Fatal(err)
	}
	return l, r.env.GetWorkflowError()
}

func claims(id string) response.Claim {
	return response.Claim{Response: "restart", Incident: id, Service: "shop", PerHour: 1, Longest: time.Minute}
}

func TestTheLedgerOfAResponse(t *testing.T) {
	r := rehearse(t)
	r.under(workflows.AutomaticResponseWorkflowID("restart"))
	us := timeline.Muster()
	claimed := func(after time.Duration, id string, by timeline.Actor, c response.Claim) *guarded {
		return guard(r, after, workflows.ClaimUpdate, id, by, c)
	}
	first := claimed(0, "1", us, claims("INC-1")) // before it is proven who has opened the ledger
	person := claimed(time.Minute, "2", park, claims("INC-2"))
	wrong := claimed(time.Minute, "3", us, response.Claim{Response: "other", Incident: "INC-2"})
	end := response.End{Response: "restart", Incident: "INC-1", Outcome: response.Failed, Failures: 1}
	ended := guard(r, 2*time.Minute, workflows.EndUpdate, "4", us, end)
	off := claimed(3*time.Hour, "5", us, claims("INC-3"))
	on := guard(r, 4*time.Hour, workflows.SwitchOnUpdate, "6", kim, response.SwitchOn{Reason: "mended"})
	again := guard(r, 5*time.Hour, workflows.SwitchOnUpdate, "7", kim, response.SwitchOn{Reason: "mended"})
	granted := claimed(6*time.Hour, "8", us, claims("INC-3"))
	r.at(7*time.Hour, r.env.CancelWorkflow) // which ends nothing
	last := guard(r, 8*time.Hour, workflows.SwitchOffUpdate, "9", park, response.SwitchOff{Reason: "it takes both down"})
	l, _ := r.guards(sealed(r, workflows.AutomaticResponseWorkflow, "", us, workflows.AutomaticResponseInput{ID: "restart"}))
	for name, got := range map[string]struct {
		is   *guarded
		want string
	}{
		"first": {first, "{true"}, "a person": {person, "want Muster itself"}, "another one": {wrong, "want restart"}, "its end": {ended, "{true 1}"},
		"off": {off, "{false off"}, "on": {on, "<nil>"}, "on again": {again, "it is on"}, "after that": {granted, "{true"}, "off by hand": {last, "<nil>"},
	} {
		said := fmt.Sprint(got.is.said)
		if got.is.err != nil {
			said = got.is.err.Error()
		}
		if !strings.Contains(said, got.want) {
			t.Errorf("%s: got %s, want %s", name, said, got.want)
		}
	}
	if l.Off == nil || l.Off.By.ID != "park" || len(l.Timeline.Entries) != 5 {
		t.Errorf("got %+v", l)
	}
}

func TestTheLedgerOfAResponseGoesOnInANewRun(t *testing.T) {
	r := rehearse(t)
	r.under(workflows.AutomaticResponseWorkflowID("restart"))
	us := timeline.Muster()
	for n := range 800 {
		id := fmt.Sprint(n)
		guard(r, time.Duration(n)*time.Second, workflows.ClaimUpdate, id, us, claims("INC-1"))
	}
	_, err := r.guards(sealed(r, workflows.AutomaticResponseWorkflow, "", us, workflows.AutomaticResponseInput{ID: "restart"}))
	next, ok := errors.AsType[*workflow.ContinueAsNewError](err)
	if !ok {
		t.Fatalf("got %v, want that it continues", err)
	}
	var in signature.Signed[workflows.AutomaticResponseInput]
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &in); err != nil || in.Body.State == nil || len(in.Body.State.Runs) != 1 || in.Seal == nil {
		t.Fatalf("it hands over %+v, %v", in, err)
	}
}

func TestTheLedgerOfAResponseIsOpenedByMusterAlone(t *testing.T) {
	for want, open := range map[string]func(r *rehearsal) signature.Signed[workflows.AutomaticResponseInput]{
		"it is not signed": func(*rehearsal) signature.Signed[workflows.AutomaticResponseInput] {
			return signature.Unsigned(workflows.AutomaticResponseInput{ID: "restart"})
		},
		"want Muster itself": func(r *rehearsal) signature.Signed[workflows.AutomaticResponseInput] {
			return sealed(r, workflows.AutomaticResponseWorkflow, "", park, workflows.AutomaticResponseInput{ID: "restart"})
		},
		"want the one of": func(r *rehearsal) signature.Signed[workflows.AutomaticResponseInput] {
			return sealed(r, workflows.AutomaticResponseWorkflow, "", timeline.Muster(), workflows.AutomaticResponseInput{ID: "other"})
		},
		"from the run before": func(r *rehearsal) signature.Signed[workflows.AutomaticResponseInput] {
			return sealed(r, workflows.AutomaticResponseWorkflow, "", timeline.Muster(), workflows.AutomaticResponseInput{ID: "restart", State: &response.Ledger{ID: "restart"}})
		},
	} {
		r := rehearse(t)
		r.under(workflows.AutomaticResponseWorkflowID("restart"))
		r.env.ExecuteWorkflow(workflows.AutomaticResponseWorkflow, open(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

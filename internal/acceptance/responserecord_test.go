package acceptance_test

import (
	"context"
	"fmt"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/activities"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/internal/timeline"
	"muster/workflows"
)

// A mechanic runs the steps of automatic responses, and leaves all others to whoever it stands for.
type mechanic struct{ activities.StepRunner }

func (m mechanic) Run(ctx context.Context, a *runbook.Automatic) runbook.Result {
	if len(a.Command) == 0 || a.Command[0] != "/usr/local/bin/mechanic" {
		return m.StepRunner.Run(ctx, a)
	}
	if a.Command[1] == "breaks" {
		return runbook.Result{State: runbook.Failed, Exit: 3, Output: "no such server", SHA256: "5ha", Detail: "exit code 3; want 0..0"}
	}
	return runbook.Result{State: runbook.Passed, Output: a.Command[1], SHA256: "5ha"}
}

// repaired is an incident about which Muster does something by itself.
func repaired(id string, acts ...string) func(*incident.Definition) {
	steps := func(book string, words ...string) *incident.Procedure {
		p := &incident.Procedure{SHA256: "5ha", Runbook: runbook.Runbook{ID: book, Title: book}}
		for n, word := range words {
			p.Runbook.Steps = append(p.Runbook.Steps, runbook.Step{Number: n + 1, Text: word, Automatic: &runbook.Automatic{
				Runner: runbook.ByCommand, Command: []string{"/usr/local/bin/mechanic", word}, Timeout: time.Minute,
			}})
		}
		return p
	}
	return func(d *incident.Definition) {
		unreviewed(d)
		d.Automatic = &incident.AutomaticResponse{
			ID: id, Name: "Restart", Look: steps("LOOK", "looks", "breaks"), Act: steps("ACT", acts...), Hold: 5 * time.Minute, PerHour: 9, Failures: 1,
			PreApproved: &incident.PreApproval{By: "cat", Name: "Cat", Until: time.Now().AddDate(0, 1, 0)}, Tell: []escalation.Target{{Kind: escalation.Person, ID: "cat"}},
		}
	}
}

// incidentResponded is resolved by Muster itself, and comes back: that counts as a failure.
func (e *ends) incidentResponded() []*historypb.History {
	o := e.opens("bank", "responded", repaired("restart", "stops", "starts"))
	o.says(timeline.ResponseBegun, timeline.ResponseLooked, timeline.ResponseStepped, timeline.ResponseEnded)
	o.is("it is resolved", func(i *incident.Incident) bool { return i.Status == incident.Resolved })
	o.asks("ann", incident.Reopen{Reason: "It is down again."})
	o.says(timeline.ResponseOff)
	if l, err := e.incidents.Responses().State(e.Context(), "restart"); err != nil || l.Off == nil || l.Runs[0].Outcome != response.Failed {
		e.Errorf("what has come back: the ledger has %+v, %v", l, err)
	}
	o.asks("ann", incident.Resolve{Note: "Restarted by hand."}, incident.Close{Without: "It is known."})
	return o.over()
}

// response asks for an approval, fails, is switched off by that, refuses the next incident, and is switched on and off by people.
func (e *ends) response() []*historypb.History {
	asks := func(d *incident.Definition) {
		repaired("mended", "breaks", "starts")(d)
		d.Automatic.PreApproved = nil
		d.Automatic.Approval = &incident.ResponseVotes{Approvers: d.Automatic.Tell, Within: time.Hour}
	}
	o := e.opens("bank", "response-asks", asks)
	sha := o.says(timeline.ResponseWaits).Response.SHA256
	_, err := o.incidents.Command(o.Context(), o.id, o.request("ann"), incident.ApproveResponse{SHA256: sha})
	wantRefused(e.T, "an approval by somebody who was not asked", err, "want one of")
	o.asks("cat", incident.ApproveResponse{SHA256: sha, Approver: true})
	o.says(timeline.ResponseDenied, timeline.ResponseApproved, timeline.ResponseEnded, timeline.ResponseOff)
	o.asks("ann", incident.Resolve{Note: "Restarted by hand."}, incident.Close{Without: "It is known."})
	keep(e.T, "incident-response-failed", o.over())

	off := e.opens("bank", "response-off", asks)
	off.says(timeline.ResponseRefused)
	off.asks("ann", incident.Resolve{Note: "Restarted by hand."}, incident.Close{Without: "It is known."})
	keep(e.T, "incident-response-refused", off.over())

	all := e.incidents.Responses()
	must(e.T, all.Ask(e.Context(), "mended", e.request("bob"), response.SwitchOn{Reason: "Mended."}))

	// What was approved after it had switched itself off, for another service, does nothing.
	late := e.opens("bank", "response-late", asks)
	sha = late.says(timeline.ResponseWaits).Response.SHA256
	_, err = all.Claim(e.Context(), response.Claim{Response: "mended", Incident: "INC-1", Service: "shop", PerHour: 9, Longest: time.Minute})
	must(e.T, err)
	_, err = all.End(e.Context(), response.End{Response: "mended", Incident: "INC-1", Outcome: response.Failed, Failures: 1})
	must(e.T, err)
	late.asks("cat", incident.ApproveResponse{SHA256: sha, Approver: true})
	if r := late.says(timeline.ResponseRefused).Response; r.Why != string(response.IsOff) || len(r.Steps) > 0 {
		e.Errorf("approved when it was off, it is %+v", r)
	}
	late.asks("ann", incident.Resolve{Note: "Restarted by hand."}, incident.Close{Without: "It is known."})
	keep(e.T, "incident-response-late", late.over())
	must(e.T, all.Ask(e.Context(), "mended", e.request("bob"), response.SwitchOn{Reason: "Mended."}))

	// Whoever switches it off stops it where it waits.
	stopped := e.opens("bank", "response-stopped", asks)
	stopped.says(timeline.ResponseWaits)
	must(e.T, all.Ask(e.Context(), "mended", e.request("bob"), response.SwitchOff{Reason: "It is the wrong server."}))
	if r := stopped.says(timeline.ResponseEnded).Response; r.State != incident.ResponseState(response.Stopped) || r.Stopped.ID != "bob" {
		e.Errorf("got %+v", r)
	}
	stopped.asks("ann", incident.Resolve{Note: "Restarted by hand."}, incident.Close{Without: "It is known."})
	keep(e.T, "incident-response-stopped", stopped.over())
	l, err := all.State(e.Context(), "mended")
	must(e.T, err)
	if l.Off == nil || l.Off.By.ID != "bob" || len(l.Runs) != 4 || l.Runs[3].Outcome != response.Stopped {
		e.Errorf("got %+v", l)
	}
	return e.chain(workflows.AutomaticResponseWorkflowID("mended"))
}

// responseContinued is asked until its ledger goes on in a new run.
func (e *ends) responseContinued() []*historypb.History {
	all, workflow := e.incidents.Responses(), workflows.AutomaticResponseWorkflowID("often")
	claim := func(n int) {
		id := fmt.Sprintf("INC-%d", n)
		_, err := all.Claim(e.Context(), response.Claim{Response: "often", Incident: id, Service: "bank", PerHour: 99, Longest: time.Minute})
		must(e.T, err)
		_, err = all.End(e.Context(), response.End{Response: "often", Incident: id, Outcome: response.Worked})
		must(e.T, err)
	}
	for n := range 100 {
		if claim(n); len(e.chain(workflow)) == 2 {
			break
		}
	}
	claim(100) // of the second run, which has begun then
	return e.chain(workflow)
}

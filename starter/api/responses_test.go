package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/starter"
	"muster/starter/api"
)

const (
	respondingAt  = "/api/v1/automatic-responses/restart"
	responseRoute = "/api/v1/automatic-responses/{id}"
)

// responded is the ledger of a response that has run twice, and goes on for an incident.
func responded(now time.Time) *response.Ledger {
	l := &response.Ledger{ID: "restart"}
	for n, id := range []string{"INC-1", "INC-2", string(open)} {
		at := now.Add(time.Duration(n-2) * time.Hour)
		l.Claim(response.Claim{Response: "restart", Incident: id, Service: "checkout", PerHour: 3, Longest: time.Hour}, at)
		if n < 2 {
			l.End(response.End{Response: "restart", Incident: id, Outcome: response.Failed, Failures: 3}, at.Add(time.Minute))
		}
	}
	return l
}

// stopsResponse ends what runs of it.
func stopsResponse(p *place) {
	p.guard.End(response.End{Response: "restart", Incident: string(open), Outcome: response.Stopped}, p.now)
}

// restart is a response of the folder.
func restart() incident.AutomaticResponse {
	return incident.AutomaticResponse{
		ID: "restart", Name: "Restart checkout", Act: &incident.Procedure{SHA256: "5ha", Runbook: runbook.Runbook{ID: "RUN011", Title: "Restart"}},
		PreApproved: &incident.PreApproval{By: "kim", Name: "김민수", Until: instant().AddDate(0, 1, 0)}, PerHour: 3, Failures: 3,
	}
}

// AutomaticResponses are three, of which the second has never run and the third does not answer.
func (people) AutomaticResponses() []incident.AutomaticResponse {
	finds, stuck := restart(), restart()
	finds.ID, finds.Look, finds.Act, finds.PreApproved = "new", finds.Act, nil, nil
	stuck.ID = "stuck"
	return []incident.AutomaticResponse{restart(), finds, stuck}
}

func (h *house) Responses(ctx context.Context, ids []string) (all []starter.StandingResponse) {
	for _, id := range ids {
		l, err := h.Response(ctx, id)
		all = append(all, starter.StandingResponse{State: l, Err: err})
	}
	return all
}

func (h *house) Response(_ context.Context, id string) (*response.Ledger, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	switch id {
	case "restart":
		seen := *h.guard
		return &seen, nil
	case "gone": // it is in the folder no more
		return &response.Ledger{ID: id}, nil
	case "stuck":
		return nil, &starter.StuckError{What: "automatic response stuck"}
	}
	return nil, &starter.NotFoundError{What: "automatic response " + id}
}

func (h *house) AskResponse(ctx context.Context, id string, r starter.Request, c response.Command) error {
	if _, err := h.Response(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.ID)
	err := c.Check(h.guard, r.By)
	if err == nil {
		err = c.Apply(h.guard, r.By, h.now)
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

func TestResponsesAreListedAndSwitched(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	list, err := c.Responses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := restart()
	row := api.ResponseRow{
		ID: "restart", Name: "Restart checkout", Runbook: "RUN011 Restart", Approved: "김민수", Until: r.PreApproved.Until, PerHour: 3, Failures: 3,
		Failed: 2, Running: []string{string(open)}, Last: &p.guard.Runs[2],
	}
	stuck := row
	stuck.ID, stuck.Failed, stuck.Running, stuck.Last, stuck.Detail = "stuck", 0, nil, nil, (&starter.StuckError{What: "automatic response stuck"}).Error()
	want := []api.ResponseRow{row, {ID: "new", Name: "Restart checkout", Enrich: "RUN011 Restart", PerHour: 3, Failures: 3}, stuck}
	if d := cmp.Diff(want, list.Responses); d != "" {
		t.Error(d)
	}
	off, err := c.SwitchResponseOff(t.Context(), "restart", response.SwitchOff{Reason: "it takes both down"}, "k1")
	if err != nil || off != (api.ResponseReceipt{ID: "restart", Off: true}) {
		t.Errorf("got %+v, %v", off, err)
	}
	if _, err := c.SwitchResponseOff(t.Context(), "restart", response.SwitchOff{Reason: "and stop what runs"}, "k2"); err != nil {
		t.Errorf("while it is running: %v", err)
	}
	stopsResponse(p)
	if _, err := c.SwitchResponseOff(t.Context(), "restart", response.SwitchOff{Reason: "x"}, "k4"); err == nil || !strings.Contains(err.Error(), "it is off since") {
		t.Errorf("a second time: %v", err)
	}
	shown, err := c.Response(t.Context(), "restart")
	if err != nil || shown.Off == nil || shown.Off.By != p.people["park"].Actor || len(shown.Runs) != 3 || len(shown.Timeline.Entries) != 5 {
		t.Errorf("got %+v, %v", shown, err)
	}
	if on, err := c.SwitchResponseOn(t.Context(), "restart", response.SwitchOn{Reason: "mended"}, "k3"); err != nil || on.Off {
		t.Errorf("got %+v, %v", on, err)
	}
	if never, err := c.Response(t.Context(), "new"); err != nil || never.Gone || len(never.Runs) > 0 {
		t.Errorf("one that has never run: %+v, %v", never, err)
	}
	if gone, err := c.Response(t.Context(), "gone"); err != nil || !gone.Gone {
		t.Errorf("one that the folder has no more: %+v, %v", gone, err)
	}
	if _, err := c.SwitchResponseOff(t.Context(), "none", response.SwitchOff{Reason: "x"}, "k4"); err == nil || !strings.Contains(err.Error(), "automatic response none") {
		t.Errorf("one that is not there: %v", err)
	}
}

// responds lets the open incident have an automatic response that waits for an approval.
func (p *place) responds(approvers ...string) {
	i := p.incidents[open]
	votes := &incident.ResponseVotes{}
	for _, id := range approvers {
		votes.Approvers = append(votes.Approvers, escalation.Target{Kind: escalation.Person, ID: id})
	}
	i.Definition.Automatic = &incident.AutomaticResponse{ID: "restart", Name: "Restart", Act: &incident.Procedure{}, Approval: votes}
	i.Response = &incident.Response{State: incident.ResponseWaiting, SHA256: proposedSHA256, Asked: p.now, Due: p.now.Add(time.Hour), Claimed: true}
}

// Whether somebody was asked is found out here, and in no body.
func TestWhoMayApproveAResponse(t *testing.T) {
	p := newPlace(t)
	p.responds("park")
	if w := p.ask("POST", at+"/approve-response", `{"sha256":"5ha","approver":true}`); w.Code != 422 || !strings.Contains(w.Body.String(), `"field":"approver"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	for actor, want := range map[string]bool{"kim": false, "park": true} {
		p.calls = nil
		_ = p.ask("POST", at+"/approve-response", `{"sha256":"5ha"}`, "Authorization", p.as(t, actor))
		if len(p.calls) != 1 || p.calls[0].Command.(incident.ApproveResponse).Approver != want {
			t.Errorf("%s: got %+v, want %v", actor, p.calls, want)
		}
	}
}

// What stands in a ledger of incidents that not everybody may read is shown to those who may.
func TestRestrictedRunsAreShownToWhomTheyConcern(t *testing.T) {
	p := newPlace(t)
	p.guard.Runs[1].Restricted = true
	secret := p.guard.Runs[1].Incident
	for person, reads := range map[string]bool{"park": false, "choi": true} {
		var shown api.ResponseShown
		code, said := p.asks(t, person, "GET", "/api/v1/automatic-responses/restart", "", &shown)
		if code != 200 || strings.Contains(said, secret) != reads || len(shown.Runs) != 3 || shown.Failed != 2 {
			t.Errorf("%s: got %d, %s", person, code, said)
		}
	}
}

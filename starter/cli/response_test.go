package cli_test

import (
	"context"
	"time"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/response"
	"muster/internal/runbook"
	"muster/starter"
)

// asking is an incident whose automatic response waits for an approval. It stands in no list.
const asking incident.ID = "INC-ASK1NG0000"

func steps(id, title string, texts ...string) *incident.Procedure {
	p := &incident.Procedure{SHA256: "5ha", Runbook: runbook.Runbook{ID: id, Title: title, Parameters: []runbook.Parameter{{ID: "host"}}}}
	for n, text := range texts {
		p.Runbook.Steps = append(p.Runbook.Steps, runbook.Step{Number: n + 1, Text: text, Automatic: &runbook.Automatic{Timeout: time.Minute}})
	}
	return p
}

func restart() incident.AutomaticResponse {
	return incident.AutomaticResponse{
		ID: "restart", Name: "결제 서버 재시작", Look: steps("RUN010", "서버 상태", "{{param host}}의 상태"), Act: steps("RUN011", "서버 재시작", "{{param host}} 제외", "{{param host}} 재시작"),
		Parameters: []runbook.Value{{ID: "host", Value: "checkout-2"}}, Hold: 3 * time.Minute, PerHour: 3, Failures: 2,
		Approval: &incident.ResponseVotes{Approvers: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Within: 10 * time.Minute},
	}
}

// AutomaticResponses are three: one that asks, one whose pre-approval has ended, and one that only finds out.
func (people) AutomaticResponses() []incident.AutomaticResponse {
	ended := restart()
	ended.ID, ended.Name, ended.Look, ended.Approval = "rerun", "Run the batch again", nil, nil
	ended.PreApproved = &incident.PreApproval{By: "kim", Name: "Kim Min-su", Until: now().Add(-time.Hour)}
	finds := incident.AutomaticResponse{ID: "look", Name: "Look", Look: restart().Look, PerHour: 9}
	return []incident.AutomaticResponse{restart(), ended, finds}
}

func (h *house) Responses(ctx context.Context, ids []string) (all []starter.StandingResponse) {
	for _, id := range ids {
		l, err := h.Response(ctx, id)
		all = append(all, starter.StandingResponse{State: l, Err: err})
	}
	return all
}

func (h *house) Response(_ context.Context, id string) (*response.Ledger, error) {
	if id != "restart" {
		return nil, &starter.NotFoundError{What: "automatic response " + id}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.guard == nil {
		h.guard = &response.Ledger{ID: "restart"}
		for n, o := range []response.Outcome{response.Worked, response.Failed, response.Unknown} {
			at := now().Add(time.Duration(n-4) * time.Hour)
			c := response.Claim{Response: "restart", Incident: "INC-7K3M9QX2P" + string(rune('A'+n)), Service: "checkout", PerHour: 3, Longest: time.Hour}
			h.guard.Claim(c, at)
			h.guard.End(response.End{Response: "restart", Incident: c.Incident, Outcome: o, Failures: 2}, at.Add(time.Minute))
		}
	}
	seen := *h.guard
	return &seen, nil
}

func (h *house) AskResponse(ctx context.Context, id string, r starter.Request, c response.Command) error {
	if _, err := h.Response(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	err := c.Check(h.guard, r.By)
	if err == nil {
		err = c.Apply(h.guard, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

// asked is called with the lock held.
func (h *house) asked() *incident.Incident {
	if h.asks == nil {
		d := definition("Checkout", "결제 서버 응답 없음", priority.High, priority.Medium)
		a := restart()
		d.Automatic = &a
		begun := now().Add(-time.Minute)
		h.asks, _ = incident.Open(asking, d, begun)
		h.asks.Receive(alert.Batch{Source: "prometheus", Posts: 1, ReceivedAt: begun, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
			Fingerprint: "1", Name: "CheckoutDown", State: alert.Firing, StartsAt: begun,
		}}}}, begun)
		settle(h.asks, begun)
	}
	return h.asks
}

// responds lets an automatic response run: what it looks at is well, and its second step fails.
func responds(i *incident.Incident, s incident.Send, at time.Time) {
	switch s.Work {
	case incident.ClaimResponse:
		i.ResponseClaimed(s.Number, response.Answer{Granted: true}, "", at)
	case incident.EndResponse:
		i.ResponseTold(s.Number, response.Ended{}, "", at)
	case incident.LookStep, incident.ActStep:
		is := runbook.Result{State: runbook.Passed, Output: "up 3 days\x1b[31m", SHA256: "0f"}
		if s.Work == incident.ActStep && s.Revision == 2 {
			is = runbook.Result{State: runbook.Failed, Detail: "exit code 3; want 0..0"}
		}
		i.ResponseStepped(s.Number, is, at)
	}
}

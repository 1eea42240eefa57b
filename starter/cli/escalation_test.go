package cli_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/escalation"
	"muster/internal/risk"
	"muster/starter"
	"muster/starter/api"
)

// Risk knows the service checkout, and the policy for risks.
func (people) Risk(a risk.Asked) (risk.Pinned, error) {
	if a.Service != "" && a.Service != "checkout" {
		return risk.Pinned{}, &risk.Fault{Field: "service", Detail: fmt.Sprintf("%q; want the id of a service in the organisation folder", a.Service)}
	}
	level := func(k escalation.TargetKind, id string, wait time.Duration) risk.Level {
		return risk.Level{Targets: []escalation.Target{{Kind: k, ID: id}}, Wait: wait}
	}
	return risk.Pinned{
		Organisation: "Mirnet", Zone: "Asia/Seoul", ServiceName: map[string]string{"checkout": "Checkout"}[a.Service], Policy: "management",
		Levels: []risk.Level{level(escalation.Person, "kim", 4*time.Hour), level(escalation.Group, "noc", 8*time.Hour), level(escalation.Person, "choi", 4*time.Hour)},
	}, nil
}

func (h *house) Escalations(_ context.Context, f api.EscalationFilter) (rows []api.EscalationSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range slices.Backward(h.risks) {
		if f.Open && e.Over() || f.Status != "" && f.Status != e.Status {
			continue
		}
		rows = append(rows, api.EscalationSummary{ID: e.ID, Title: e.Title(), Status: e.Status, Priority: e.Priority, OpenedAt: e.Opened, NextDue: e.NextDue(), ClosedAt: e.Ended})
	}
	return rows, "", nil
}

func (h *house) risk(id risk.ID) (*risk.Escalation, error) {
	n := slices.IndexFunc(h.risks, func(e *risk.Escalation) bool { return e.ID == id })
	if n < 0 {
		return nil, &starter.NotFoundError{What: "escalation " + string(id)}
	}
	return h.risks[n], nil
}

func (h *house) Escalation(_ context.Context, id risk.ID) (*risk.Escalation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, err := h.risk(id)
	if err != nil {
		return nil, err
	}
	seen := *e
	return &seen, nil
}

func (h *house) StartEscalation(_ context.Context, r starter.Request, terms risk.Terms) (*risk.Escalation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.risks {
		if e.Request == r.ID {
			return e, nil
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Originator = risk.NewID(uint64(len(h.risks)+1)), r.ID, r.By
	e, err := risk.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.risks = append(h.risks, e)
	e.Advance(now())
	return e, nil
}

func (h *house) AskEscalation(_ context.Context, id risk.ID, r starter.Request, c risk.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, err := h.risk(id)
	switch {
	case err != nil:
		return err
	case e.Over(): // its workflow has ended
		return &starter.NotFoundError{What: "escalation " + string(id)}
	}
	if err = c.Check(e, r.By); err == nil {
		err = c.Apply(e, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	e.Advance(now())
	return nil
}

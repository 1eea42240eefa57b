package cli_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/starter"
	"muster/starter/api"
)

// approvers of changes are choi and park.
func approvers() change.Approval {
	a := change.Approval{Rule: approval.Rule{Need: approval.Need{Count: 1}, Exclude: approval.Exclusion{Requester: true}}}
	for _, id := range []string{"choi", "park"} {
		a.Rule.Voters = append(a.Rule.Voters, approval.Voter{Party: authority.Provider, Role: "person:" + id})
		a.Approvers = append(a.Approvers, change.Approver{Role: "person:" + id, Targets: []escalation.Target{{Kind: escalation.Person, ID: id}}})
	}
	return a
}

func standard() change.PreApproved {
	return change.PreApproved{
		ID: "restart", Name: "Restart of a node", Scenario: "One node after the other.", Class: "low", Services: []string{"checkout"}, Runbook: "RUN001", ApprovedBy: "최은영",
		ApprovedOn: "2026-11-02", Until: "2027-10-31", Ends: now().AddDate(0, 11, 0), Most: 2, Per: 24 * time.Hour,
	}
}

func (people) StandardChanges() []change.PreApproved { return []change.PreApproved{standard()} }

// Change knows the service checkout, which park owns.
func (people) Change(a change.Asked, now time.Time) (change.Asked, change.Pinned, error) {
	p := change.Pinned{
		Organisation: "Mirnet", Zone: "Asia/Seoul", Owners: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, OwnerNames: "박서준", Remind: change.Idle{Days: 2},
		Classes: []change.Class{
			{ID: "low", Name: "낮음", Approval: approvers()},
			{ID: "high", Name: "높음", Approval: approvers(), Checks: []change.Check{{ID: "tried", Text: "되돌리는 절차를 실행해 보았음"}}},
			{ID: "grave", Name: "매우 높음", Approval: approvers(), Checks: []change.Check{{ID: "premortem", Text: "실패를 가정해 보았음", Plan: "pre-mortem"}}},
		},
	}
	if a.Standard != "" {
		s := standard()
		p.PreApproved, a.Text = &s, s.Scenario
		if a.Title == "" {
			a.Title = s.Name
		}
		if len(a.Services) == 0 {
			a.Services = s.Services
		}
	}
	if a.Way != change.Normal && a.Until.IsZero() {
		a.Until = now.Add(24 * time.Hour)
	}
	if a.Way == change.Emergency {
		p.Afterwards = &change.Afterwards{Approval: approvers(), Within: 8 * time.Hour, Escalate: p.Owners}
	}
	for _, id := range a.Services {
		if id != "checkout" && id != "search" {
			return a, p, &change.Fault{Field: "services", Detail: fmt.Sprintf("%q; want the id of a service in the organisation folder", id)}
		}
		p.ServiceNames = append(p.ServiceNames, change.Named{ID: id, Name: id})
	}
	for _, id := range a.Assets {
		p.AssetNames = append(p.AssetNames, change.Named{ID: id, Name: id})
	}
	p.CustomerNames = []change.Named{{ID: "acme", Name: "Acme"}}
	return a, p, nil
}

// changed does what a change asks for: whoever it names may vote.
func changed(c *change.Change) {
	for again := true; again; {
		again = false
		for _, w := range c.Advance(now()) {
			switch w.Do {
			case change.Reckon, change.ReckonDue:
				c.Reckoned(w, incident.Instants{Due: w.Clock.Started.Add(w.Clock.Within).AddDate(0, 0, w.Clock.Days)}, now())
			case change.FindVoters:
				var all []approval.Elector
				for _, a := range c.Voting().Approvers {
					all = append(all, approval.Elector{Person: a.Targets[0].ID, Name: a.Targets[0].ID, Party: authority.Provider, Roles: []string{a.Role}})
				}
				c.Elected(all, "", now())
				again = true
			case change.Tell, change.StartRun:
			}
		}
	}
}

func (h *house) Changes(_ context.Context, f api.ChangeFilter) (rows []api.ChangeSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range slices.Backward(h.changes) {
		if f.Open && c.Over() || f.Status != "" && f.Status != c.Status || f.Way != "" && f.Way != c.Way || f.Exceptions && c.Exception == "" {
			continue
		}
		rows = append(rows, api.ChangeSummary{
			ID: c.ID, Title: c.Title, Way: c.Listed(), Status: c.Status, Service: c.Services[0], OpenedAt: c.Opened, NextDue: c.NextDue(), ClosedAt: c.Ended,
		})
	}
	return rows, "", nil
}

func (h *house) Change(_ context.Context, id change.ID) (*change.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.changes {
		if c.ID == id {
			seen := *c
			return &seen, nil
		}
	}
	return nil, &starter.NotFoundError{What: "change " + string(id)}
}

func (h *house) StartChange(_ context.Context, r starter.Request, terms change.Terms) (*change.Change, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := slices.IndexFunc(h.changes, func(c *change.Change) bool { return c.Request == r.ID }); n >= 0 {
		return h.changes[n], nil
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Requester = change.NewID(uint64(len(h.changes)+1)), r.ID, r.By
	c, err := change.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.changes = append(h.changes, c)
	changed(c)
	return c, nil
}

func (h *house) AskChange(_ context.Context, id change.ID, r starter.Request, x change.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := slices.IndexFunc(h.changes, func(c *change.Change) bool { return c.ID == id })
	if n < 0 || h.changes[n].Over() { // its workflow has ended
		return &starter.NotFoundError{What: "change " + string(id)}
	}
	c := h.changes[n]
	err := x.Check(c, r.By)
	if err == nil {
		err = x.Apply(c, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	changed(c)
	return nil
}

func (h *house) ChangeUses(_ context.Context, id string, _ time.Time) (n int, err error) {
	for _, c := range h.changes {
		if c.Standard == id && c.Status != change.Rejected {
			n++
		}
	}
	return n, nil
}

// FrozenBetween has one freeze of the production of acme, a week from then.
func (people) FrozenBetween(from, _ time.Time) ([]changecalendar.Entry, error) {
	begin := from.AddDate(0, 0, 7)
	return []changecalendar.Entry{{
		Kind: changecalendar.Freeze, ID: "year-end", Title: "Year end", Status: "Nobody is there.", Customers: []string{"acme"}, Services: []string{"checkout"},
		Environments: []string{"acme/production"}, From: begin, Until: begin.AddDate(0, 0, 3),
	}}, nil
}

package cli_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/starter"
	"muster/starter/api"
)

// Problem knows the service checkout, which Kim Min-su owns.
func (people) Problem(service string) (problem.Pinned, error) {
	if service != "checkout" {
		return problem.Pinned{}, errors.New("no such service")
	}
	return problem.Pinned{
		Organisation: "Mirnet", Zone: "Asia/Seoul", Service: incident.Service{ID: service, Name: "Checkout"},
		Owner: problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Name: "Kim Min-su"}, Watch: problem.Usual,
		Remind: problem.Idle{Days: 5},
	}, nil
}

func (people) ProblemOwner(name string) (problem.Owner, error) {
	if name != "person:park" {
		return problem.Owner{}, fmt.Errorf("%q; want group:ID or person:ID", name)
	}
	return problem.Owner{Targets: []escalation.Target{{Kind: escalation.Person, ID: "park"}}, Name: "박서준"}, nil
}

func (h *house) Problems(_ context.Context, f api.ProblemFilter) (rows []api.ProblemSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range slices.Backward(h.problems) {
		if f.Open && p.Over() || f.Status != "" && f.Status != p.Status || f.Service != "" && f.Service != p.Service.ID {
			continue
		}
		rows = append(rows, api.ProblemSummary{
			ID: p.ID, Title: p.Title, Status: p.Status, Service: p.Service.ID, OpenedAt: p.Opened, NextDue: p.NextDue(), ClosedAt: p.Ended,
		})
	}
	return rows, "", nil
}

func (h *house) Problem(_ context.Context, id problem.ID) (*problem.Problem, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.problems {
		if p.ID == id {
			seen := *p
			return &seen, nil
		}
	}
	return nil, &starter.NotFoundError{What: "problem " + string(id)}
}

func (h *house) OpenProblem(_ context.Context, r starter.Request, terms problem.Terms) (*problem.Problem, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.problems {
		if p.Request == r.ID {
			return p, nil
		}
		if p.Key == terms.Key && !p.Over() {
			return nil, &starter.RefusedError{Reason: fmt.Sprintf("open problem of %s: %s is open for it", terms.Service.Name, p.ID)}
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Opener = problem.NewID(uint64(len(h.problems)+1)), r.ID, r.By
	p, err := problem.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.problems = append(h.problems, p)
	reckon(p)
	return p, nil
}

// reckon does what a problem asks for: its working days are all days.
func reckon(p *problem.Problem) {
	for _, w := range p.Advance(now()) {
		if w.Do == problem.Reckon {
			p.Reckoned(w, w.Clock.Started.AddDate(0, 0, w.Clock.Days), "", now())
		}
	}
}

func (h *house) AskProblem(_ context.Context, id problem.ID, r starter.Request, c problem.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := slices.IndexFunc(h.problems, func(p *problem.Problem) bool { return p.ID == id })
	if n < 0 || h.problems[n].Over() { // its workflow has ended
		return &starter.NotFoundError{What: "problem " + string(id)}
	}
	p := h.problems[n]
	err := c.Check(p, r.By)
	if err == nil {
		err = c.Apply(p, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	reckon(p)
	return nil
}

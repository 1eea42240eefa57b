package cli_test

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/starter"
	"muster/starter/api"
)

// Action knows everybody of the provider, and the group noc.
func (all people) Action(a action.Asked) (action.Pinned, error) {
	who, known := all[a.Owner]
	if !known || who.Kind != authority.Provider {
		return action.Pinned{}, &action.Fault{Field: "owner", Detail: fmt.Sprintf("%q; want the id of one of the provider's people in the organisation folder", a.Owner)}
	}
	if a.Group != "noc" {
		return action.Pinned{}, &action.Fault{Field: "group", Detail: fmt.Sprintf("%q; want the id of a group in the organisation folder", a.Group)}
	}
	return action.Pinned{Organisation: "Mirnet", Zone: "Asia/Seoul", OwnerName: who.Actor.Name}, nil
}

func (h *house) Actions(_ context.Context, f starter.ActionFilter) (rows []api.ActionSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range slices.Backward(h.actions) {
		if f.Open && a.Over() || f.Status != "" && f.Status != a.Status || f.Overdue && !a.Late {
			continue
		}
		rows = append(rows, api.ActionSummary{ID: a.ID, Title: a.Title, Status: a.Listed(), Priority: a.Priority, OpenedAt: a.Opened, NextDue: a.NextDue(), ClosedAt: a.Ended})
	}
	return rows, "", nil
}

func (h *house) item(id action.ID) (*action.Action, error) {
	n := slices.IndexFunc(h.actions, func(a *action.Action) bool { return a.ID == id })
	if n < 0 {
		return nil, &starter.NotFoundError{What: "action item " + string(id)}
	}
	return h.actions[n], nil
}

func (h *house) Action(_ context.Context, id action.ID) (*action.Action, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, err := h.item(id)
	if err != nil {
		return nil, err
	}
	seen := *a
	return &seen, nil
}

func (h *house) StartAction(_ context.Context, r starter.Request, terms action.Terms) (*action.Action, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.actions {
		if a.Request == r.ID {
			return a, nil
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Opener = action.NewID(uint64(len(h.actions)+1)), r.ID, r.By
	a, err := action.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.actions = append(h.actions, a)
	a.Advance(now())
	return a, nil
}

func (h *house) AskAction(_ context.Context, id action.ID, r starter.Request, c action.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, err := h.item(id)
	switch {
	case err != nil:
		return err
	case a.Over(): // its workflow has ended
		return &starter.NotFoundError{What: "action item " + string(id)}
	}
	if err = c.Check(a, r.By); err == nil {
		err = c.Apply(a, r.By, now())
	}
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	a.Advance(now())
	return nil
}

package cli_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/incident"
	"muster/internal/silence"
	"muster/starter"
	"muster/starter/api"
)

// Silence knows the service checkout.
func (people) Silence(m silence.Match) (silence.Pinned, error) {
	for _, id := range m.Services {
		if id != "checkout" {
			return silence.Pinned{}, &silence.Fault{Field: "services", Detail: fmt.Sprintf("%q; want the id of a service in the organisation folder", id)}
		}
	}
	return silence.Pinned{Organisation: "Mirnet", Zone: "Asia/Seoul"}, nil
}

// SilencesBetween has one that holds.
func (people) SilencesBetween(from, _ time.Time) []silence.Window {
	begin := from.Add(-time.Hour)
	return []silence.Window{{Terms: silence.Terms{ID: silence.WindowID("nightly", begin), Window: "nightly", Name: "Nightly backup", Asked: silence.Asked{
		Match: silence.Match{Labels: []silence.Label{{Name: "job", Values: []string{"backup", "export"}}}}, From: begin, Until: begin.Add(3 * time.Hour),
	}}}}
}

func (h *house) Silences(_ context.Context, f api.SilenceFilter) (rows []api.SilenceSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range slices.Backward(h.silences) {
		if f.Open && s.Over() || f.Status != "" && f.Status != s.Status {
			continue
		}
		row := starter.SilenceRow(&s.Terms, s.Status)
		if s.Over() {
			count, firing := silence.Counts(s.Held)
			row.Count, row.Firing = &count, &firing
		}
		rows = append(rows, row)
	}
	return rows, "", nil
}

func (h *house) Silence(_ context.Context, id silence.ID) (*silence.Silence, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := slices.IndexFunc(h.silences, func(s *silence.Silence) bool { return s.ID == id })
	if n < 0 {
		return nil, &starter.NotFoundError{What: "silence " + string(id)}
	}
	seen := *h.silences[n]
	return &seen, nil
}

// MakeSilence makes one that has held two alerts back at once.
func (h *house) MakeSilence(_ context.Context, r starter.Request, terms silence.Terms) (*silence.Silence, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.silences {
		if s.Request == r.ID {
			return s, nil
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.By = silence.NewID(uint64(len(h.silences)+1)), r.ID, r.By
	s, err := silence.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.silences = append(h.silences, s)
	if s.Advance(now()); s.Status == silence.Holding {
		checkout := incident.Service{ID: "checkout", Name: "Checkout"}
		s.Hold(checkout, "HighErrorRate", "5 percent of requests fail", now(), now())
		s.Hold(checkout, "DiskSlow", "", now(), now())
	}
	return s, nil
}

func (h *house) EndSilence(ctx context.Context, id silence.ID, r starter.Request, c silence.End) error {
	if _, err := h.Silence(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := slices.IndexFunc(h.silences, func(s *silence.Silence) bool { return s.ID == id })
	s := h.silences[n]
	if err := c.Check(s, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	if err := c.Apply(s, r.By, now()); err != nil {
		return err
	}
	s.Fires("checkout", "DiskSlow", h.incidents[0].ID)
	s.Settle(now())
	return nil
}

package cli_test

import (
	"context"
	"time"

	"muster/internal/escalation"
	"muster/internal/routine"
	"muster/starter"
)

// Routines are two, of which nobody keeps the second one yet.
func (people) Routines() []string { return []string{"daily", "quarterly"} }

// Routines has the first one done yesterday.
func (h *house) Routines(ctx context.Context, ids []string) (all []starter.KeptRoutine) {
	for _, id := range ids {
		r, err := h.Routine(ctx, id)
		all = append(all, starter.KeptRoutine{State: r, Err: err})
	}
	return all
}

func (h *house) Routine(_ context.Context, id string) (*routine.Routine, error) {
	if id != "daily" {
		return nil, &starter.NotFoundError{What: "routine " + id}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.routine == nil {
		h.routine = kept()
	}
	seen := *h.routine
	return &seen, nil
}

// kept is a routine of which one was done, one goes on, and three are still to come.
func kept() *routine.Routine {
	day := 24 * time.Hour
	begun := now().Add(-2 * day)
	r := routine.Open("daily", begun)
	r.Advance(begun)
	seen := routine.Seen{Definition: routine.Definition{
		ID: "daily", Name: "일일 점검", Customer: "nuri", CustomerName: "Nuri Trading", Plan: "daily-check", Zone: "Asia/Seoul",
		Tell: []escalation.Target{{Kind: escalation.Group, ID: "noc"}}, Visit: true,
	}}
	for n := range 4 {
		at := begun.Add(time.Duration(n)*day + time.Hour)
		seen.Slots = append(seen.Slots, routine.Slot{Begins: at, Due: at.Add(4 * time.Hour)})
	}
	r.Seen(seen, now().Add(day), begun)
	begin := func(n int, run string) {
		at := seen.Slots[n].Begins
		r.Advance(at)
		r.Seen(routine.Seen{Definition: seen.Definition, Slots: seen.Slots[n+1:]}, now().Add(day), at)
		r.Started(at, run, "", at)
	}
	begin(0, "RUN-7K3M9QX2PA")
	r.Checked(seen.Slots[0].Begins, routine.Outcome{Over: true, Done: true, Ended: begun.Add(2 * time.Hour), Status: "completed"}, "", begun.Add(3*time.Hour))
	r.Advance(begun.Add(3 * time.Hour))
	r.Counted(seen.Slots[0].Begins, routine.Visit{Number: 2, Bought: 3, Year: 2026}, "", begun.Add(3*time.Hour))
	begin(1, "RUN-7K3M9QX2PB")
	r.Checked(seen.Slots[1].Begins, routine.Outcome{}, "", begun.Add(day+6*time.Hour))
	r.Advance(now())
	return r
}

func (h *house) AskRoutine(ctx context.Context, id string, r starter.Request, c routine.Command) error {
	if _, err := h.Routine(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := c.Apply(h.routine, r.By, now()); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/routine"
	"muster/starter"
	"muster/starter/api"
)

const (
	checking     = "/api/v1/routines/check"
	routineRoute = "/api/v1/routines/{id}"
)

// checked is a routine that comes back tomorrow, on the day after it, and at the times of the examples in the document.
func checked(now time.Time) *routine.Routine {
	r := routine.Open("check", now)
	r.Advance(now)
	seen := routine.Seen{Definition: routine.Definition{ID: "check", Name: "Daily check", Asset: "db", Customer: "acme", CustomerName: "Acme", Plan: "daily-check", Zone: "Asia/Seoul", Visit: true}}
	first := now.AddDate(0, 0, 1)
	for _, begins := range []time.Time{first, first.AddDate(0, 0, 1), time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC), time.Date(2026, 12, 25, 0, 0, 0, 0, time.UTC)} {
		seen.Slots = append(seen.Slots, routine.Slot{Begins: begins, Due: begins.Add(time.Hour)})
	}
	r.Seen(seen, now.Add(time.Hour), now)
	return r
}

// routineBodies are bodies that are right at an instant.
func routineBodies(now time.Time) map[string]string {
	at := func(hours int) string { return now.Add(time.Duration(hours) * time.Hour).UTC().Format(time.RFC3339) }
	return map[string]string{
		"move": `{"planned":"` + at(24) + `","to":"` + at(30) + `","reason":"A holiday"}`,
		"skip": `{"planned":"` + at(48) + `","reason":"The system is off"}`,
	}
}

// Routines are three, of which nobody keeps the second and the third does not answer.
func (people) Routines() []string { return []string{"check", "new", "stuck"} }

func (h *house) Routines(ctx context.Context, ids []string) (all []starter.KeptRoutine) {
	for _, id := range ids {
		r, err := h.Routine(ctx, id)
		all = append(all, starter.KeptRoutine{State: r, Err: err})
	}
	return all
}

func (h *house) Routine(_ context.Context, id string) (*routine.Routine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return nil, err
	}
	switch id {
	case "check":
		seen := *h.routine
		return &seen, nil
	case "stuck":
		return nil, &starter.StuckError{What: "routine stuck"}
	}
	return nil, &starter.NotFoundError{What: "routine " + id}
}

func (h *house) AskRoutine(ctx context.Context, id string, r starter.Request, c routine.Command) error {
	if _, err := h.Routine(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.ID)
	if err := c.Apply(h.routine, r.By, h.now); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

func TestRoutinesAreListedAndMoved(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	tomorrow := p.now.AddDate(0, 0, 1)
	r, err := c.MoveRoutine(t.Context(), "check", routine.Move{Planned: tomorrow, To: tomorrow.Add(time.Hour), Reason: "A holiday"}, "k1")
	if want := (api.RoutineReceipt{ID: "check", Status: routine.Waiting}); err != nil || r != want {
		t.Errorf("got %+v, %v; want %+v", r, err, want)
	}
	if _, err := c.SkipRoutine(t.Context(), "check", routine.Skip{Planned: p.now, Reason: "x"}, "k2"); err == nil || !strings.Contains(err.Error(), "nothing that is still to come is planned for") {
		t.Errorf("what is not planned: %v", err)
	}
	list, err := c.Routines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []api.RoutineRow{
		{ID: "check", Name: "Daily check", Asset: "db", Customer: "Acme", Plan: "daily-check", Status: routine.Waiting, Next: tomorrow.Add(time.Hour)},
		{ID: "new"},
		{ID: "stuck", Detail: (&starter.StuckError{What: "routine stuck"}).Error()},
	}
	if d := cmp.Diff(want, list.Routines); d != "" {
		t.Error(d)
	}
	if read, err := c.Routine(t.Context(), "check"); err != nil || read.Ahead[0].By != p.people["park"].Actor || read.Ahead[0].Reason != "A holiday" {
		t.Errorf("got %+v, %v", read, err)
	}
	if _, err := c.Routine(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "routine none") {
		t.Errorf("one that is not there: %v", err)
	}
}

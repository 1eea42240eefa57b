package supportplan

import (
	"fmt"
	"time"

	"muster/internal/calendar"
)

// An OpenTime is the time in which a clock runs: a *calendar.Calendar, or Always.
type OpenTime interface {
	// NextOpen returns t when the hours are open then, otherwise when they open next, and whether they do.
	NextOpen(t time.Time) (time.Time, bool)
	// Add returns the first instant at which the hours have been open for d since t.
	Add(t time.Time, d time.Duration) (time.Time, error)
	// AddDays returns the time of day of t, or of the next opening, n working days later.
	AddDays(t time.Time, n int) (time.Time, error)
	// Between returns for how long the hours are open from a until b.
	Between(a, b time.Time) time.Duration
}

// Always are the hours of a promise that runs around the clock.
type Always struct{}

// NextOpen returns t.
func (Always) NextOpen(t time.Time) (time.Time, bool) { return t, true }

// Add returns t and d.
func (Always) Add(t time.Time, d time.Duration) (time.Time, error) { return t.Add(d), nil }

// AddDays adds days of 24 hours. Plan.Validate refuses such a promise, for no calendar says which days are meant.
func (Always) AddDays(t time.Time, n int) (time.Time, error) {
	return t.Add(time.Duration(n) * 24 * time.Hour), nil
}

// Between returns the time from a until b.
func (Always) Between(a, b time.Time) time.Duration { return b.Sub(a) }

// OpenTimeOf returns the open time that an ID names among pinned calendars, Always for none. Zones are looked up by zone, as
// time.LoadLocation does.
func OpenTimeOf(id string, pinned []calendar.Rules, zone func(string) (*time.Location, error)) (OpenTime, error) {
	if id == "" {
		return Always{}, nil
	}
	for _, r := range pinned {
		if r.ID != id {
			continue
		}
		z, err := zone(r.Zone)
		if err != nil {
			return nil, fmt.Errorf("calendar %s: %w", id, err)
		}
		return calendar.New(r, z)
	}
	return nil, fmt.Errorf("calendar %s: not among those that were pinned", id)
}

// Instants are what follows from a clock and its hours.
type Instants struct {
	Begins time.Time // when the hours open, if they are closed when the clock is started; else zero
	RiskAt time.Time // the percentage of its time is used
	Due    time.Time // all of it is
}

// Instants returns when the clock begins, is at risk, and is due. Its error says that the calendar ends before.
func (c *Clock) Instants(h OpenTime, atRisk int) (Instants, error) {
	begins, opens := h.NextOpen(c.Started)
	if !opens {
		return Instants{}, calendar.ErrEnds
	}
	budget, err := c.budget(h)
	if err != nil {
		return Instants{}, err
	}
	var at Instants
	if begins.After(c.Started) {
		at.Begins = begins
	}
	if at.Due, err = c.used(h, budget); err != nil {
		return Instants{}, err
	}
	// A part of the budget is used before all of it is, so there is such an instant.
	at.RiskAt, err = c.used(h, budget-budget*time.Duration(100-atRisk)/100)
	return at, err
}

// budget is how much open time the clock has in all.
func (c *Clock) budget(h OpenTime) (time.Duration, error) {
	if c.Days == 0 {
		return c.Within, nil
	}
	due, err := h.AddDays(c.Started, c.Days)
	return h.Between(c.Started, due), err
}

// used returns when the clock has run for d, given that it runs on from now.
func (c *Clock) used(h OpenTime, d time.Duration) (time.Time, error) {
	at := c.Started
	for _, p := range c.Pauses {
		if p.To.IsZero() {
			continue
		}
		if ran := h.Between(at, p.From); ran < d {
			d -= ran
			at = p.To
			continue
		}
		break
	}
	return h.Add(at, d)
}

// Remaining returns how much open time the clock has left at an instant, less than nothing when it is overdue. While it
// stands still, and when it has ended, it is what was left then. Its error says that the calendar ends before.
func (c *Clock) Remaining(h OpenTime, now time.Time) (time.Duration, error) {
	budget, err := c.budget(h)
	return budget - c.Ran(h, now), err
}

// Ran returns for how much open time the clock has run at an instant.
func (c *Clock) Ran(h OpenTime, now time.Time) time.Duration {
	if !c.EndedAt.IsZero() && c.EndedAt.Before(now) {
		now = c.EndedAt
	}
	at, ran := c.Started, time.Duration(0)
	for _, p := range c.Pauses {
		if !p.From.Before(now) {
			break
		}
		ran += h.Between(at, p.From)
		if p.To.IsZero() || !p.To.Before(now) {
			return ran
		}
		at = p.To
	}
	return ran + h.Between(at, now)
}

package routine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// A Command is something that a person asks of a routine. Check refuses it, with what would be right; Apply does it.
type Command interface {
	Check(r *Routine, by timeline.Actor) error
	Apply(r *Routine, by timeline.Actor, now time.Time) error
}

// Move gives an occurrence that is still to come another time, between the one before it and the one after it. What it was due moves with it.
// To now begins it at once.
type Move struct {
	Planned time.Time `json:"planned"` // the occurrence
	To      time.Time `json:"to"`
	Reason  string    `json:"reason"`
}

// Check refuses a time that is over, or that another occurrence comes before or after.
func (c Move) Check(r *Routine, _ timeline.Actor) error {
	n, err := r.find("move", c.Planned, c.Reason)
	switch {
	case err != nil:
		return err
	case c.To.IsZero():
		return r.refuse("move", "to: missing; want a time")
	case r.Ahead[n].Fate == Skipped:
		return r.refuse("move", "the one of %s is left out, by %s", stamp(c.Planned), r.Ahead[n].By.Shown())
	case n > 0 && !c.To.After(r.Ahead[n-1].Begins):
		return r.refuse("move", "to %s: the one before it begins at %s; want a later time", stamp(c.To), stamp(r.Ahead[n-1].Begins))
	case n+1 < len(r.Ahead) && !c.To.Before(r.Ahead[n+1].Begins):
		return r.refuse("move", "to %s: the one after it begins at %s; want an earlier time", stamp(c.To), stamp(r.Ahead[n+1].Begins))
	}
	return nil
}

// Apply moves it.
func (c Move) Apply(r *Routine, by timeline.Actor, now time.Time) error {
	if err := c.Check(r, by); err != nil {
		return err
	}
	n, _ := r.find("move", c.Planned, c.Reason)
	o := &r.Ahead[n]
	if over := o.Due.Sub(o.Begins); !now.Before(c.To.Add(over)) {
		return r.refuse("move", "to %s: that is over; want a time that is still to come", stamp(c.To))
	}
	o.Begins, o.Due, o.By, o.Reason = c.To, c.To.Add(o.Due.Sub(o.Begins)), by, c.Reason
	r.record(now, timeline.RoutineMoved, by, at("planned", o.Planned), at("begins", o.Begins), at("due", o.Due), timeline.F("reason", c.Reason))
	return nil
}

// Skip leaves out an occurrence that is still to come.
type Skip struct {
	Planned time.Time `json:"planned"`
	Reason  string    `json:"reason"`
}

// Check refuses what is left out already.
func (c Skip) Check(r *Routine, _ timeline.Actor) error {
	n, err := r.find("skip", c.Planned, c.Reason)
	if err == nil && r.Ahead[n].Fate == Skipped {
		err = r.refuse("skip", "the one of %s is left out already, by %s", stamp(c.Planned), r.Ahead[n].By.Shown())
	}
	return err
}

// Apply leaves it out.
func (c Skip) Apply(r *Routine, by timeline.Actor, now time.Time) error {
	if err := c.Check(r, by); err != nil {
		return err
	}
	n, _ := r.find("skip", c.Planned, c.Reason)
	o := &r.Ahead[n]
	o.Fate, o.By, o.Reason = Skipped, by, c.Reason
	r.record(now, timeline.RoutineSkipped, by, at("planned", o.Planned), timeline.F("reason", c.Reason))
	return nil
}

// find returns which of those that are still to come is meant.
func (r *Routine) find(action string, planned time.Time, reason string) (int, error) {
	switch {
	case strings.TrimSpace(reason) == "":
		return 0, r.refuse(action, "reason: missing; want why")
	case len(reason) > MaxText:
		return 0, r.refuse(action, "reason: %d bytes; want %d at most", len(reason), MaxText)
	}
	n := slices.IndexFunc(r.Ahead, func(o Occurrence) bool { return o.Planned.Equal(planned) })
	if n >= 0 {
		return n, nil
	}
	var known []string
	for _, o := range r.Ahead {
		known = append(known, stamp(o.Planned))
	}
	if len(known) == 0 {
		return 0, r.refuse(action, "nothing is planned for %s, and nothing else that is still to come", stamp(planned))
	}
	return 0, r.refuse(action, "nothing that is still to come is planned for %s; want one of %s", stamp(planned), strings.Join(known, ", "))
}

func (r *Routine) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s routine %s: %s", action, r.ID, fmt.Sprintf(format, args...))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

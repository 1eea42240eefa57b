package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/bundle"
	"muster/internal/timeline"
)

// An Exception is something that went another way than the rules do by themselves: somebody left something out, went over a freeze,
// changed a promise or a plan under way, or tried what they may not.
type Exception struct {
	File     string `json:"file"`
	Workflow string `json:"workflow_type"`
	ID       string `json:"id"`
	Zone     string `json:"zone"` // of the run
	timeline.Entry
}

// exceptional are the kinds of entries that are exceptions.
func exceptional() []timeline.Kind {
	return []timeline.Kind{
		timeline.WaiverGranted, timeline.WaiverRefused, timeline.WaiverExpired, timeline.OverrideGiven, timeline.OverrideRefused,
		timeline.ClearWaived, timeline.FixWaived, timeline.ResultWaived, timeline.Repinned, timeline.ChangeDecided,
		timeline.UpdateRefused, timeline.ReviewRefused, timeline.DecisionRefused, timeline.ItemRefused, timeline.RiskRefused,
		timeline.ActionRefused, timeline.MessageRefused, timeline.CancelRefused,
	}
}

// Exceptions lists those of the runs that a filter takes, which happened in its time, the oldest first. What cannot be proven is among
// the errors.
func (r *Reader) Exceptions(ctx context.Context, f Filter) (all []Exception, err error) {
	found, faults := r.List(ctx, f)
	for _, x := range found {
		b, err := r.InClear(ctx, x.File)
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		told, err := Told(b)
		if err != nil {
			faults = errors.Join(faults, fmt.Errorf("%s: %w", x.File, err))
			continue
		}
		for _, e := range told {
			if slices.Contains(exceptional(), e.Kind) && within(e.At, f) {
				all = append(all, Exception{x.File, b.Kind, b.ID, Zone(b), e})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Exception) int { return a.At.Compare(b.At) })
	return all, faults
}

func within(at time.Time, f Filter) bool {
	return (f.From.IsZero() || !at.Before(f.From)) && (f.Until.IsZero() || at.Before(f.Until))
}

// Told is the timeline in a bundle.
func Told(b *bundle.Bundle) (all []timeline.Entry, err error) {
	if err := json.Unmarshal(b.Parts[bundle.TimelinePart], &all); err != nil {
		return nil, fmt.Errorf("%s: want the timeline that Muster writes", bundle.TimelinePart)
	}
	return all, nil
}

// Zone is the time zone of the run of a bundle, UTC where it has none.
func Zone(b *bundle.Bundle) string {
	type zoned struct {
		Zone string `json:"zone"`
	}
	var state struct {
		zoned
		Definition zoned `json:"definition"`
		Facts      zoned `json:"facts"`
	}
	_ = json.Unmarshal(b.Parts[bundle.StatePart], &state) // null, of those without a state
	for _, z := range []string{state.Zone, state.Definition.Zone, state.Facts.Zone} {
		if z != "" {
			return z
		}
	}
	return "UTC"
}

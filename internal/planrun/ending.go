package planrun

import (
	"slices"

	"muster/internal/timeline"
)

// An Ending is how a run has ended, as the change hears it that it was.
type Ending string

// How a run ends. These strings are in histories: add, never rename.
const (
	EndedDone      Ending = "completed"
	EndedBack      Ending = "rolled-back"
	EndedMended    Ending = "failed" // it was completed, and something that it changed had failed
	EndedCancelled Ending = "cancelled"
)

// Endings lists how runs end.
func Endings() []Ending { return []Ending{EndedDone, EndedBack, EndedMended, EndedCancelled} }

// Ending is how the run has ended.
func (r *Run) Ending() Ending {
	failed := func(e timeline.Entry) bool {
		def, _ := r.Plan.Task(e.Fact("task"))
		return e.Kind == timeline.TaskMoved && def.Changes && e.Fact("to") == string(Failed)
	}
	switch {
	case r.Undoing != nil:
		return EndedBack
	case r.Status == Cancelled:
		return EndedCancelled
	case slices.ContainsFunc(r.Timeline.Entries, failed):
		return EndedMended
	}
	return EndedDone
}

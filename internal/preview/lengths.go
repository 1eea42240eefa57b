package preview

import (
	"time"

	"muster/internal/plan"
)

// How long things take where nobody says it. People work in the working time of the run; a change is made in its window whatever
// the hour.
const (
	aTask  = 4 * time.Hour
	aVote  = 8 * time.Hour
	aCheck = 2 * time.Hour // of evidence
	aStep  = 10 * time.Minute
	aLook  = time.Minute // at something that asks a person
)

// A Source says who says how long a task takes.
type Source string

// The sources. Programs read these strings: add, never rename.
const (
	Said    Source = "said"    // whoever asks for the forecast
	Planned Source = "plan"    // what the plan calls typical
	Default Source = "default" // nobody: it is assumed
)

// A Length is how long a task would take, and who says so.
type Length struct {
	plan.Length

	Of Source `json:"of"`
}

// length is how long a task takes. Changes and runbooks are done in the time that passes: their days have 24 hours.
func (p *planner) length(def plan.Task) Length {
	if said, ok := p.lengths[def.ID]; ok {
		if def.Changes || def.Kind == plan.Runbook {
			said = plan.Length{Within: elapsed(said)}
		}
		return Length{said, Said}
	}
	if def.Typical > 0 {
		return Length{plan.Length{Within: def.Typical}, Planned}
	}
	d := aTask
	switch {
	case def.Vote != nil:
		d = aVote
	case def.Kind == plan.Runbook:
		d = aStep * time.Duration(max(1, p.steps(def)))
	}
	return Length{plan.Length{Within: d}, Default}
}

// done returns when a task is done that is begun now: a change in the time that passes, everything else in working time.
func (p *planner) done(def plan.Task, l plan.Length) time.Time {
	if def.Changes {
		return p.now.Add(elapsed(l))
	}
	if l.Days > 0 {
		at, err := p.open.AddDays(p.now, l.Days)
		if err != nil {
			return p.now.Add(elapsed(l))
		}
		return at
	}
	return p.work(l.Within)
}

func elapsed(l plan.Length) time.Duration { return l.Within + time.Duration(l.Days)*24*time.Hour }

// step is how long one of the steps of a runbook takes: its share of the whole.
func (p *planner) step(def plan.Task) time.Duration {
	return elapsed(p.length(def).Length) / time.Duration(max(1, p.steps(def)))
}

// steps is how many steps the runbook of a task has.
func (p *planner) steps(def plan.Task) int {
	for _, b := range p.run.Books {
		if b.ID == def.Runs {
			return len(b.Runbook.Steps)
		}
	}
	return 0
}

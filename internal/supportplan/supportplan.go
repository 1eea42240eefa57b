// Package supportplan says what was promised to a customer and keeps the clocks of those promises. It reads no clock of
// its own: every operation takes the instant.
package supportplan

import (
	"fmt"
	"time"

	"muster/internal/priority"
)

// Target names what was promised.
type Target string

// The targets. These strings are in histories and definitions: add, never rename.
const (
	Respond Target = "respond" // a person has taken the incident
	Update  Target = "update"  // the customer has heard again; starts anew with every update
	Resolve Target = "resolve" // normal operation is back
)

// Targets lists the targets in the order in which they fall due.
func Targets() []Target { return []Target{Respond, Update, Resolve} }

// Author says who writes the customer updates.
type Author string

// The authors of customer updates.
const (
	ByEngine Author = "engine" // Muster sends the known facts in time when no person has written
	ByPerson Author = "person" // the communications manager is reminded; a machine never writes to this customer
)

// A Promise is one target at one priority, in elapsed time.
type Promise struct {
	Priority priority.Priority `json:"priority"`
	Target   Target            `json:"target"`
	Within   time.Duration     `json:"within"`
}

// A Plan is what a customer bought. All of it is pinned when an incident opens.
type Plan struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	AtRisk   int       `json:"at_risk"` // a clock is at risk when this percentage of its time is used
	UpdateBy Author    `json:"update_by"`
	Promises []Promise `json:"promises"`
}

// Within returns what is promised for a target at a priority, and whether anything is.
func (p Plan) Within(pr priority.Priority, t Target) (time.Duration, bool) {
	for _, x := range p.Promises {
		if x.Priority == pr && x.Target == t {
			return x.Within, true
		}
	}
	return 0, false
}

// Validate says all that is wrong with the plan.
func (p Plan) Validate() []error {
	var faults []error
	if p.AtRisk < 1 || p.AtRisk > 99 {
		faults = append(faults, fmt.Errorf("support plan %s: at_risk %d: want a percentage from 1 to 99", p.ID, p.AtRisk))
	}
	if p.UpdateBy != ByEngine && p.UpdateBy != ByPerson {
		faults = append(faults, fmt.Errorf("support plan %s: update_by %q: want engine or person", p.ID, p.UpdateBy))
	}
	for _, x := range p.Promises {
		if x.Within <= 0 {
			faults = append(faults, fmt.Errorf("support plan %s: %s %s: %s: want more than 0s", p.ID, x.Priority, x.Target, x.Within))
		}
	}
	return faults
}

// Package supportplan says what was promised to a customer and keeps the clocks of those promises. It reads no clock of
// its own: every operation takes the instant.
package supportplan

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/priority"
)

// Target names what was promised.
type Target string

// The targets. These strings are in histories and definitions: add, never rename.
const (
	Respond  Target = "respond"  // a person has taken the incident
	Update   Target = "update"   // the customer has heard again; starts anew with every update
	Mitigate Target = "mitigate" // the mitigation has begun
	Resolve  Target = "resolve"  // normal operation is back
	// ResultReport runs from the resolution: the incident result report (장애처리결과보고서) has reached the customer's contact.
	ResultReport Target = "result_report"
)

// Confirm is no promise: it is the time that a customer has to say whether what was resolved is fixed.
const Confirm Target = "confirm"

// Targets lists the targets in the order in which they fall due.
func Targets() []Target { return []Target{Respond, Update, Mitigate, Resolve, ResultReport} }

// Cause is for whom a clock stands still.
type Cause string

// The causes. These strings are in histories and definitions: add, never rename.
const (
	Customer Cause = "customer" // something that the customer has to do or decide
	Vendor   Cause = "vendor"   // a vendor's answer
)

// Causes lists the causes.
func Causes() []Cause { return []Cause{Customer, Vendor} }

// Author says who writes the customer updates.
type Author string

// The authors of customer updates.
const (
	ByEngine Author = "engine" // Muster sends the known facts in time when no person has written
	ByPerson Author = "person" // the communications manager is reminded; a machine never writes to this customer
)

// A Promise is one target at one priority: so much time, or so many working days, of a calendar.
type Promise struct {
	Priority priority.Priority `json:"priority"`
	Target   Target            `json:"target"`
	Within   time.Duration     `json:"within"`
	Days     int               `json:"days,omitempty"`     // working days, instead of Within
	Calendar string            `json:"calendar,omitempty"` // ID; empty: it runs around the clock
}

// String returns what is promised: "4h0m0s", "5 working days in business-hours".
func (p Promise) String() string {
	said := p.Within.String()
	switch {
	case p.Days == 1:
		said = "1 working day"
	case p.Days > 1:
		said = fmt.Sprintf("%d working days", p.Days)
	}
	if p.Calendar != "" {
		said += " in " + p.Calendar
	}
	return said
}

// A Plan is what a customer bought. All of it is pinned when an incident opens.
type Plan struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	AtRisk   int       `json:"at_risk"` // a clock is at risk when this percentage of its time is used
	UpdateBy Author    `json:"update_by"`
	Promises []Promise `json:"promises"`
	// PauseFor says for whom clocks may stand still: nobody when it is empty. In definitions from before it was asked it is
	// nil, and clocks stand still for whatever somebody says.
	PauseFor []Cause `json:"pause_for"`
	// Confirm says how long the customer has to say whether what was resolved is fixed; nil: nobody asks.
	Confirm *Confirmation `json:"confirm,omitempty"`
}

// A Confirmation is so many working days of a calendar, by its ID.
type Confirmation struct {
	Days     int    `json:"days"`
	Calendar string `json:"calendar,omitempty"`
}

// Promise returns what is promised for a target at a priority, and whether anything is.
func (p Plan) Promise(pr priority.Priority, t Target) (Promise, bool) {
	for _, x := range p.Promises {
		if x.Priority == pr && x.Target == t {
			return x, true
		}
	}
	return Promise{}, false
}

// MayPause tells whether clocks of the plan may stand still for a cause.
func (p Plan) MayPause(c Cause) bool { return p.PauseFor == nil || slices.Contains(p.PauseFor, c) }

// Calendars returns the IDs of the calendars in which the plan's promises and the customer's time to confirm run, each once.
func (p Plan) Calendars() []string {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, x := range p.Promises {
		add(x.Calendar)
	}
	if p.Confirm != nil {
		add(p.Confirm.Calendar)
	}
	return ids
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
		switch {
		case x.Days < 0 || x.Days == 0 && x.Within <= 0:
			faults = append(faults, fmt.Errorf("support plan %s: %s %s: %s: want more than 0s", p.ID, x.Priority, x.Target, x.Within))
		case x.Days > 0 && x.Within != 0:
			faults = append(faults, fmt.Errorf("support plan %s: %s %s: want a time or working days, not both", p.ID, x.Priority, x.Target))
		case x.Days > 0 && x.Calendar == "":
			faults = append(faults, fmt.Errorf("support plan %s: %s %s: working days: want a calendar that says which days are", p.ID, x.Priority, x.Target))
		}
	}
	return faults
}

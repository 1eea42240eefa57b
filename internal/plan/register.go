package plan

import "muster/internal/raci"

// A Register has the duties that have no end, and so stand in no plan.
type Register struct {
	ID       string    `json:"id"`
	Name     Text      `json:"name"`
	Source   string    `json:"source,omitempty"`
	Roles    []Role    `json:"roles"`
	Sections []Section `json:"sections"`
}

// A Section is a part of a register.
type Section struct {
	ID     string `json:"id"`
	Name   Text   `json:"name"`
	Duties []Duty `json:"duties"`
}

// A Duty is one thing that is always to be done, and what shows in each period that it was.
type Duty struct {
	ID     string `json:"id"`
	Name   Text   `json:"name"`
	Source string `json:"source,omitempty"`

	raci.Assignment

	Evidence Text   `json:"evidence"`
	Every    Period `json:"every"`
}

// A Period is how often the evidence of a duty is due.
type Period string

// The periods. These strings are in definitions: add, never rename.
const (
	Weekly     Period = "weekly"
	Monthly    Period = "monthly"
	Quarterly  Period = "quarterly"
	HalfYearly Period = "half-yearly"
	Yearly     Period = "yearly"
)

// Periods lists the periods, the shortest first.
func Periods() []Period { return []Period{Weekly, Monthly, Quarterly, HalfYearly, Yearly} }

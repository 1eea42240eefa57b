// Package priority derives an incident's priority from its impact and urgency.
package priority

import "fmt"

// Level is how high an impact or an urgency is.
type Level string

// The three levels. These strings are in histories and definitions: add, never rename.
const (
	High   Level = "high"
	Medium Level = "medium"
	Low    Level = "low"
)

// Priority is P1 (critical) to P5 (low). As a number it is also the priority key of everything done for an incident:
// the smaller, the sooner.
type Priority int

// The five priorities: critical, urgent, high, normal, low.
const (
	P1 Priority = 1 + iota
	P2
	P3
	P4
	P5
)

// All lists the priorities, the most pressing first.
func All() []Priority { return []Priority{P1, P2, P3, P4, P5} }

// String returns "P1" … "P5".
func (p Priority) String() string { return fmt.Sprintf("P%d", int(p)) }

// Valid tells whether p is one of the five.
func (p Priority) Valid() bool { return p >= P1 && p <= P5 }

// Of is the 3 × 3 matrix of impact and urgency: every level below high costs one priority. The matrix comes from the
// operational-excellence source, OPS10-BP03 (source 003, lines 4303–4326); it is symmetric.
func Of(impact, urgency Level) (Priority, error) {
	i, err := rank(impact)
	if err != nil {
		return 0, fmt.Errorf("impact: %w", err)
	}
	u, err := rank(urgency)
	if err != nil {
		return 0, fmt.Errorf("urgency: %w", err)
	}
	return Priority(1 + i + u), nil
}

// Parse reads "P1" … "P5".
func Parse(s string) (Priority, error) {
	for _, p := range All() {
		if s == p.String() {
			return p, nil
		}
	}
	return 0, fmt.Errorf("priority %q: want P1, P2, P3, P4 or P5", s)
}

// Higher returns the higher one of two levels.
func Higher(a, b Level) Level {
	if b.Exceeds(a) {
		return b
	}
	return a
}

// Exceeds tells whether a level is higher than another. An unknown level exceeds none.
func (l Level) Exceeds(other Level) bool {
	mine, err := rank(l)
	if err != nil {
		return false
	}
	theirs, err := rank(other)
	return err != nil || mine < theirs
}

func rank(l Level) (int, error) {
	switch l {
	case High:
		return 0, nil
	case Medium:
		return 1, nil
	case Low:
		return 2, nil
	}
	return 0, fmt.Errorf("level %q: want high, medium or low", l)
}

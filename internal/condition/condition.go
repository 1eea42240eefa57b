// Package condition reads and answers the conditions of an organisation folder: expressions in CEL that are true or false of
// an alert. A condition sees the alert's labels, source and name and nothing else, no clock either, so the same alert always
// has the same answer.
//
// A label that the alert does not have reads as the empty string, and one that is empty counts as missing, as Prometheus
// has it: labels.severity is never an error, and has(labels.severity) asks whether it says something. What cannot be
// answered all the same, such as int(labels.code) of a text, is no: an alert is never lost because a condition erred.
//
// A Plan has conditions of its own kind: they see what was given at the start of a plan.
package condition

import (
	"unicode/utf8"

	"cel.dev/cel-go/cel"

	"muster/internal/alert"
)

// Limits of a condition and of what it looks at.
const (
	MaxLength = 1_000   // characters of a condition
	MaxValue  = 4 << 10 // bytes of a label's value that a condition sees: what the intake keeps of one
	maxCost   = 20_000  // in CEL's units, at worst: checked before a condition is ever asked
)

// A Condition is a compiled expression. It never changes and is safe for concurrent use. The zero condition holds of every
// alert.
type Condition struct {
	text    string
	program cel.Program
	cost    uint64
	names   []string
	pinned  bool
}

// String returns the expression as it was written.
func (c Condition) String() string { return c.text }

// IsZero tells whether there is no condition.
func (c Condition) IsZero() bool { return c.program == nil }

// Holds tells whether the condition is true of an alert. One that cannot be answered is not.
func (c Condition) Holds(source string, labels alert.Labels) bool {
	if c.program == nil {
		return true
	}
	v, _, err := c.program.Eval(&subject{source: source, labels: labels})
	if err != nil {
		return false
	}
	yes, ok := v.Value().(bool)
	return ok && yes
}

// Cost returns what the condition costs at worst on one alert, in CEL's units: 0 when there is none.
func (c Condition) Cost() uint64 { return c.cost }

// Names returns the names that an alert can have of which the condition holds, in no order that matters, and whether it
// pins them at all: name == "A" || name in ["B", "C"] does, name.startsWith("A") does not.
func (c Condition) Names() (names []string, pinned bool) { return c.names, c.pinned }

// clip is the part of a value that a condition sees.
func clip(s string) string {
	if len(s) <= MaxValue {
		return s
	}
	n := MaxValue
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

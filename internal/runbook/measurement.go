package runbook

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A Measurement is a question to a system that changes nothing: the answer to a GET, the exit code of a command, or a value
// that Prometheus has.
type Measurement struct {
	HTTP    string        `json:"http,omitempty"`    // URL of the GET
	Status  int           `json:"status,omitempty"`  // that is wanted; 0: 200
	Has     string        `json:"has,omitempty"`     // text that must stand in the answer, or in the command's output
	Command []string      `json:"command,omitempty"` // has to end in 0
	Query   string        `json:"query,omitempty"`   // instant query; the comparison has to hold of every value
	Compare Comparison    `json:"compare,omitzero"`
	Timeout time.Duration `json:"timeout"`
}

// A Comparison is what has to hold of a value.
type Comparison struct {
	Operator string  `json:"operator"`
	Value    float64 `json:"value"`
}

// Operators lists those of comparisons.
func Operators() []string { return []string{"<", "<=", "==", "!=", ">=", ">"} }

// Holds tells whether the comparison holds of a value.
func (c Comparison) Holds(v float64) bool {
	switch c.Operator {
	case "<":
		return v < c.Value
	case "<=":
		return v <= c.Value
	case "==":
		return v == c.Value
	case "!=":
		return v != c.Value
	case ">=":
		return v >= c.Value
	case ">":
		return v > c.Value
	}
	return false
}

// Outcome is what a measurement has come to.
type Outcome string

// The outcomes of a measurement. These strings are in histories: add, never rename.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive" // nothing was seen that could be judged
)

// A Reading is what was measured.
type Reading struct {
	Outcome Outcome `json:"outcome"`
	Seen    string  `json:"seen"` // for people
}

// Check returns every rule that the measurement breaks.
func (m Measurement) Check() (broken []error) {
	kinds := 0
	for _, set := range []bool{m.HTTP != "", len(m.Command) > 0, m.Query != ""} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return []error{errors.New("want one of http, command and query")}
	}
	if m.Query == "" {
		if m.Compare != (Comparison{}) {
			broken = append(broken, errors.New("comparison: want it with a query only"))
		}
		return append(broken, m.Step().Check()...)
	}
	if !slices.Contains(Operators(), m.Compare.Operator) || math.IsNaN(m.Compare.Value) {
		broken = append(broken, fmt.Errorf("comparison %q: want one of %s and a number", m.Compare.Operator, strings.Join(Operators(), " ")))
	}
	if m.Has != "" || m.Status != 0 {
		broken = append(broken, errors.New("status, has: want none with a query"))
	}
	if len(m.Query) > MaxText {
		broken = append(broken, fmt.Errorf("query: %d bytes; want %d at most", len(m.Query), MaxText))
	}
	if m.Timeout < time.Second || m.Timeout > MaxTimeout {
		broken = append(broken, fmt.Errorf("timeout %s: want 1s to 24h", m.Timeout))
	}
	return broken
}

// Step is what a runner does to measure by a request or a command.
func (m Measurement) Step() *Automatic {
	const shown = 300 // bytes of the answer
	if m.HTTP != "" {
		status := m.Status
		if status == 0 {
			status = 200
		}
		return &Automatic{
			Runner: ByHTTP, HTTP: HTTP{Method: "GET", URL: m.HTTP}, Timeout: m.Timeout, Output: shown,
			Expect: Expect{From: status, To: status, Has: m.Has},
		}
	}
	return &Automatic{Runner: ByCommand, Command: m.Command, Timeout: m.Timeout, Output: shown, Expect: Expect{Has: m.Has}}
}

package runbook

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/timeline"
)

// Status is where a step of a run stands.
type Status string

// The statuses of a step. These strings are in histories: add, never rename.
const (
	Pending     Status = "pending"
	Running     Status = "running"
	Waiting     Status = "waiting" // for a person to do it
	Done        Status = "done"
	StepFailed  Status = "failed"  // a person decides what becomes of it, or has decided that the run ends here
	StepUnknown Status = "unknown" // it may have happened or not: a person looks and says
	Skipped     Status = "skipped" // never reached, because the run has ended before
)

// An Execution is the state of one run of a runbook: one step after the other, each automatic one at most once unless a
// person says again. Nothing of it happens by time alone.
type Execution struct {
	Runbook    Runbook     `json:"runbook"`
	Parameters []Value     `json:"parameters,omitempty"`
	Steps      []StepState `json:"steps"`
}

// A StepState is where one step stands.
type StepState struct {
	Number   int            `json:"number"`
	Status   Status         `json:"status"`
	Attempts int            `json:"attempts,omitempty"` // of a runner
	Result   *Result        `json:"result,omitempty"`   // of the newest attempt
	By       timeline.Actor `json:"by,omitzero"`        // who has done it, or said what became of it
	At       time.Time      `json:"at,omitzero"`        // of its newest change
	Note     string         `json:"note,omitempty"`     // of that person
}

// Start begins a run with values that CheckValues has not refused.
func Start(rb Runbook, params []Value) *Execution {
	e := &Execution{Runbook: rb, Parameters: params}
	for _, s := range rb.Steps {
		e.Steps = append(e.Steps, StepState{Number: s.Number, Status: Pending})
	}
	e.goOn(time.Time{})
	return e
}

// Current is the step that is under way or to be done next, nil when the run is over.
func (e *Execution) Current() *StepState {
	for n := range e.Steps {
		switch s := &e.Steps[n]; {
		case s.Status == Done:
		case s.Status == Skipped || s.ended():
			return nil
		default:
			return s
		}
	}
	return nil
}

// ended tells whether a person has said that the run ends with this step.
func (s *StepState) ended() bool { return s.Status == StepFailed && s.By.ID != "" }

// Over tells whether nothing more happens, and whether every step has been done.
func (e *Execution) Over() (over, ok bool) {
	undone := slices.IndexFunc(e.Steps, func(s StepState) bool { return s.Status != Done })
	return e.Current() == nil, undone < 0
}

// NextDue returns when something happens by time alone, which is never: a step that is lost is reported by whoever waits
// for its runner.
func (e *Execution) NextDue() time.Time { return time.Time{} }

// Next returns the automatic step that has to be run now, with its parameters in their places, and marks it as running.
func (e *Execution) Next(now time.Time) (automatic *Automatic, number int, ok bool) {
	s := e.Current()
	if s == nil || s.Status != Pending {
		return nil, 0, false
	}
	step := e.step(s.Number)
	if step == nil || step.Automatic == nil {
		return nil, 0, false
	}
	s.Status, s.At, s.Result, s.By, s.Note = Running, now, nil, timeline.Actor{}, ""
	s.Attempts++
	return step.Automatic.WithParameters(e.Parameters), s.Number, true
}

// Ran takes in what has come of the step that is running. What nobody waits for is dropped.
func (e *Execution) Ran(number int, result Result, now time.Time) {
	s := e.Current()
	if s == nil || s.Number != number || s.Status != Running {
		return
	}
	s.Result, s.At = &result, now
	switch result.State {
	case Passed:
		s.Status = Done
		e.goOn(now)
	case Failed:
		s.Status = StepFailed
	default:
		s.Status = StepUnknown
	}
}

// Do takes in that a person has done a manual step.
func (e *Execution) Do(number int, by timeline.Actor, note string, now time.Time) error {
	const action = "do"
	s, err := e.wantCurrent(action, number, by, note)
	switch {
	case err != nil:
		return err
	case s.Status != Waiting:
		return e.refuse(action, number, "it is %s; want one that waits for a person", s.Status)
	}
	s.Status = Done
	e.said(s, by, note, now)
	e.goOn(now)
	return nil
}

// A Settlement is what a person says of a step that has failed, cannot be done, or of which nobody knows whether it
// happened.
type Settlement string

// The settlements. These strings are in histories: add, never rename.
const (
	SettleDone   Settlement = "done"   // it has happened, or a person has done it
	SettleFailed Settlement = "failed" // the run ends here
	SettleAgain  Settlement = "again"  // a runner tries once more
)

// Settlements lists the settlements.
func Settlements() []Settlement { return []Settlement{SettleDone, SettleFailed, SettleAgain} }

// Settle takes in what a person says of a step that has failed or is unknown, or that a manual one cannot be done.
func (e *Execution) Settle(number int, what Settlement, by timeline.Actor, note string, now time.Time) error {
	const action = "settle"
	s, err := e.wantCurrent(action, number, by, note)
	switch {
	case err != nil:
		return err
	case !slices.Contains(Settlements(), what):
		return e.refuse(action, number, "%q: want done, failed or again", what)
	case s.Status == Waiting && what != SettleFailed:
		return e.refuse(action, number, "a person does it; want it done, or settled as failed")
	case s.Status != StepFailed && s.Status != StepUnknown && s.Status != Waiting:
		return e.refuse(action, number, "it is %s; want one that has failed or is unknown", s.Status)
	}
	e.said(s, by, note, now)
	switch what {
	case SettleDone:
		s.Status = Done
		e.goOn(now)
	case SettleFailed:
		s.Status = StepFailed
		e.skipRest(now)
	case SettleAgain:
		s.Status = Pending
	}
	return nil
}

// Text returns the text of a step with the parameters in their places.
func (e *Execution) Text(number int) string {
	step := e.step(number)
	if step == nil {
		return ""
	}
	return put(step.Text, param, e.Parameters, asItIs)
}

func (e *Execution) step(number int) *Step {
	n := slices.IndexFunc(e.Runbook.Steps, func(s Step) bool { return s.Number == number })
	if n < 0 {
		return nil
	}
	return &e.Runbook.Steps[n]
}

// goOn lets a manual step wait for a person once it is its turn.
func (e *Execution) goOn(now time.Time) {
	if s := e.Current(); s != nil && s.Status == Pending && e.step(s.Number).Automatic == nil {
		s.Status, s.At = Waiting, now
	}
}

func (e *Execution) skipRest(now time.Time) {
	for n := range e.Steps {
		if s := &e.Steps[n]; s.Status == Pending {
			s.Status, s.At = Skipped, now
		}
	}
}

func (e *Execution) said(s *StepState, by timeline.Actor, note string, now time.Time) {
	s.By, s.Note, s.At = by, note, now
}

// wantCurrent returns the step if it is its turn.
func (e *Execution) wantCurrent(action string, number int, by timeline.Actor, note string) (*StepState, error) {
	switch s := e.Current(); {
	case s == nil:
		return nil, e.refuse(action, number, "the run is over")
	case s.Number != number:
		return nil, e.refuse(action, number, "want step %d, whose turn it is", s.Number)
	case by.ID == "":
		return nil, e.refuse(action, number, "want to know who says so")
	case len(note) > MaxText:
		return nil, e.refuse(action, number, "note: %d bytes; want %d at most", len(note), MaxText)
	case strings.ContainsRune(note, 0):
		return nil, e.refuse(action, number, "note: want text without NUL")
	default:
		return s, nil
	}
}

func (e *Execution) refuse(action string, number int, format string, args ...any) error {
	return fmt.Errorf("%s step %d of %s: %s", action, number, e.Runbook.Shown(), fmt.Sprintf(format, args...))
}

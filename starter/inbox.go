package starter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/planrun"
)

// An Inbox is everything that waits for whoever asks, the first due first.
type Inbox struct {
	Items    []InboxItem `json:"items"`
	Cut      []InboxKind `json:"cut,omitempty"` // of these, not all that are open were looked at
	Language string      `json:"language"`      // in which the organisation reads …
	Zone     string      `json:"zone"`          // … and its IANA zone
}

// An InboxKind is what an item is about.
type InboxKind string

// The kinds of items. These strings are on the wire: add, never rename.
const (
	InboxIncident InboxKind = "incident"
	InboxReview   InboxKind = "review"
	InboxRequest  InboxKind = "request"
	InboxHandover InboxKind = "handover"
	InboxPlanRun  InboxKind = "plan-run"
	InboxProblem  InboxKind = "problem"
	InboxAction   InboxKind = "action-item"
	InboxRisk     InboxKind = "escalation"
	InboxChange   InboxKind = "change"
)

// An InboxItem is one thing that waits for whoever asks.
type InboxItem struct {
	Kind     InboxKind `json:"kind"`
	ID       string    `json:"id"` // of the incident, request, run or problem, or of the schedule
	Task     string    `json:"task,omitempty"`
	Want     string    `json:"want"`
	Title    string    `json:"title"`
	Customer string    `json:"customer,omitempty"` // name
	Since    time.Time `json:"since,omitzero"`
	Due      time.Time `json:"due,omitzero"`
	Command  string    `json:"command"`        // that does it, or shows what is to be done
	Read     string    `json:"read,omitempty"` // shows first on what is decided
}

// PlanCommand is the command that does what a run wants, with words in the place of what only somebody can say.
func PlanCommand(run *planrun.Run, w planrun.Wait, language string) string {
	say := blanksIn(language)
	name, about := string(w.Want), []string{w.Task}
	switch w.Want {
	case planrun.WantComplete:
		about = append(about, say.done(run, w.Task)...)
	case planrun.WantStep:
		about = append(about, strconv.Itoa(w.Step))
	case planrun.WantCheck:
		about = append(about, "accept|return", say.reason)
	case planrun.WantSettle:
		about = append(about, oneOf(planrun.Done, planrun.Failed, planrun.Begun), say.reason)
	case planrun.WantRetry, planrun.WantGoOn:
		about = append(about, say.reason)
	case planrun.WantVote:
		about = say.vote(run, w.Task)
	case planrun.WantWaiver:
		about = append(about, "grant|refuse", say.reason)
	case planrun.WantOverride:
		about = []string{w.Environment, "grant|refuse", say.reason}
	case planrun.WantUndo:
		name, about = string(planrun.WantRescue), append(about, oneOf(planrun.Undone, planrun.UndoFail), say.note)
	case planrun.WantRescue:
		about = append(about, oneOf(planrun.UndoRunning, planrun.Undone, planrun.Forward), say.note)
	default:
	}
	words := append([]string{"muster", string(run.Plan.Kind), name, string(run.ID)}, about...)
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

// blanks stand in a command for what only somebody can say.
type blanks struct{ reason, note, target string }

func blanksIn(language string) blanks {
	if language == "ko" {
		return blanks{`"사유"`, `"메모"`, "대상"}
	}
	return blanks{`"REASON"`, `"NOTE"`, "TARGET"}
}

// done is what shows that a task, or one target of it, is done.
func (say blanks) done(run *planrun.Run, task string) (options []string) {
	t, def, ok := run.Task(task)
	if !ok {
		return nil
	}
	if def.Waves != nil {
		return []string{"--target " + say.target}
	}
	for _, e := range def.Evidence {
		if !slices.ContainsFunc(t.Evidence, func(g planrun.Given) bool { return g.Item == e.ID && g.Returned.IsZero() }) {
			options = append(options, "--evidence "+e.ID+"=URL")
		}
	}
	return options
}

// vote is a task, what may be voted on it, and why. A change of the plan is no task: "-".
func (say blanks) vote(run *planrun.Run, task string) []string {
	rule := run.Plan.RePlan
	if _, def, ok := run.Task(task); ok && def.Vote != nil {
		rule = *def.Vote
	}
	return []string{cmp.Or(task, "-"), oneOf(rule.Choices()...), "--reason " + say.reason}
}

// oneOf leaves a choice to whoever reads a command.
func oneOf[S ~string](all ...S) string {
	words := make([]string, len(all))
	for n, s := range all {
		words[n] = string(s)
	}
	return strings.Join(words, "|")
}

package starter

import (
	"cmp"
	"fmt"
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
	InboxAction   InboxKind = "action-item"
)

// An InboxItem is one thing that waits for whoever asks.
type InboxItem struct {
	Kind     InboxKind `json:"kind"`
	ID       string    `json:"id"` // of the incident, request or run, or of the schedule
	Task     string    `json:"task,omitempty"`
	Want     string    `json:"want"`
	Title    string    `json:"title"`
	Customer string    `json:"customer,omitempty"` // name
	Since    time.Time `json:"since,omitzero"`
	Due      time.Time `json:"due,omitzero"`
	Command  string    `json:"command"` // that does it, or shows what is to be done
}

// PlanCommand is the command that does what a run wants, as far as it is known what somebody will say.
func PlanCommand(run *planrun.Run, w planrun.Wait) string {
	name, about := string(w.Want), w.Task
	switch w.Want {
	case planrun.WantUndo:
		name = string(planrun.WantRescue)
	case planrun.WantOverride:
		about = w.Environment
	case planrun.WantVote:
		about = cmp.Or(w.Task, "-") // a change of the plan
	default:
	}
	return strings.TrimSpace(fmt.Sprintf("muster %s %s %s %s", run.Plan.Kind, name, run.ID, about))
}

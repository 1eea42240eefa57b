package incident

import "fmt"

// Status is where an incident stands.
type Status string

// The statuses. These strings are on the wire and in history: add, never rename.
const (
	Triggered    Status = "triggered"
	Acknowledged Status = "acknowledged"
	Mitigated    Status = "mitigated"
	Resolved     Status = "resolved"
	Closed       Status = "closed"
	Merged       Status = "merged" // into another incident, which has its promises: it passes its alerts on, and ends with that one
)

// Statuses lists the statuses in the order in which an incident passes them.
func Statuses() []Status {
	return []Status{Triggered, Acknowledged, Mitigated, Merged, Resolved, Closed}
}

// Open tells whether the incident still needs a response.
func (s Status) Open() bool { return s == Triggered || s == Acknowledged || s == Mitigated }

// CanMove tells whether an incident may go from one status to another. Back to triggered leads an expired acknowledgement, a
// reopening, and what was merged by mistake. No person reopens what is closed, but an alert that arrives in the moment of closing
// does: it must not be lost.
func CanMove(from, to Status) bool {
	switch to {
	case Triggered:
		return from == Acknowledged || from == Resolved || from == Closed || from == Merged
	case Acknowledged:
		return from == Triggered
	case Mitigated:
		return from == Triggered || from == Acknowledged
	case Resolved:
		return from.Open()
	case Closed:
		return from == Resolved || from == Merged
	case Merged:
		return from.Open()
	}
	return false
}

// A Refusal says why an incident does not do what it was asked to do. It knows its facts.
type Refusal struct {
	Incident ID
	Action   string
	Reason   string
}

// Error returns the refusal as one sentence.
func (r *Refusal) Error() string { return fmt.Sprintf("%s %s: %s", r.Action, r.Incident, r.Reason) }

package plan

import "slices"

// A ChangeKind says what a revision does to a task. These strings are in histories: add, never rename.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Moved   ChangeKind = "moved"    // to another phase, or it needs something else
	ReOwned ChangeKind = "re-owned" // somebody else takes part
	ReTimed ChangeKind = "re-timed" // it is due at another time
	Altered ChangeKind = "altered"  // in any other way
)

// A Change is one thing that a revision does to one task.
type Change struct {
	Kind ChangeKind `json:"kind"`
	Task string     `json:"task"`
	Name Text       `json:"name"`
	Was  string     `json:"was,omitempty"`
	Is   string     `json:"is,omitempty"`
}

// Diff says what a revision of a plan does, in the order of the revision, and what it leaves out at the end.
func Diff(was, is *Definition) []Change {
	var all []Change
	for _, b := range is.All() {
		a, there := was.Task(b.ID)
		if !there {
			all = append(all, Change{Kind: Added, Task: b.ID, Name: b.Name, Is: is.phase(b.ID)})
			continue
		}
		all = append(all, differ(was, is, a, b)...)
	}
	for _, a := range was.All() {
		if _, there := is.Task(a.ID); !there {
			all = append(all, Change{Kind: Removed, Task: a.ID, Name: a.Name, Was: was.phase(a.ID)})
		}
	}
	return all
}

func differ(was, is *Definition, a, b Task) []Change {
	var all []Change
	add := func(k ChangeKind, from, to string) {
		all = append(all, Change{Kind: k, Task: b.ID, Name: b.Name, Was: from, Is: to})
	}
	if from, to := was.phase(a.ID), is.phase(b.ID); from != to {
		add(Moved, from, to)
	} else if !slices.Equal(a.Needs, b.Needs) {
		add(Moved, list(a.Needs), list(b.Needs))
	}
	if a.Accountable != b.Accountable {
		add(ReOwned, a.Accountable, b.Accountable)
	} else if !slices.Equal(a.Roles(), b.Roles()) {
		add(ReOwned, list(a.Roles()), list(b.Roles()))
	}
	if (a.Due == nil) != (b.Due == nil) || a.Due != nil && *a.Due != *b.Due {
		add(ReTimed, a.Due.String(), b.Due.String())
	}
	if len(all) == 0 && a.SHA256 != b.SHA256 {
		add(Altered, "", "")
	}
	return all
}

func list(ids []string) string {
	s := ""
	for n, id := range ids {
		if n > 0 {
			s += ", "
		}
		s += id
	}
	return s
}

// phase is the ID of the phase of a task.
func (d *Definition) phase(task string) string {
	for _, p := range d.Phases {
		if slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.ID == task }) {
			return p.ID
		}
	}
	return ""
}

package plan

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

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
	if a.SHA256 == b.SHA256 {
		return all
	}
	from, to := fields(a), fields(b)
	for n, x := range from {
		if to[n].value != x.value {
			add(Altered, x.name+": "+cmp.Or(x.value, "–"), cmp.Or(to[n].value, "–"))
		}
	}
	if len(all) == 0 {
		add(Altered, "", "")
	}
	return all
}

// A field is what is written of a task under one name.
type field struct{ name, value string }

// fields are all of a task but those with a kind of change of their own.
func fields(t Task) (all []field) {
	v := reflect.ValueOf(t)
	for n := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(n).Tag.Get("json"), ",")
		switch name {
		case "", "id", "sha256", "needs", "due":
		default:
			all = append(all, field{name, short(written(v.Field(n)))})
		}
	}
	return all
}

// written is a value as one line, empty where nothing is written.
func written(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		s := x.String()
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
		return s
	case Text:
		return cmp.Or(x.En, x.Ko)
	}
	var parts []string
	switch v.Kind() {
	case reflect.Pointer:
		return written(v.Elem())
	case reflect.Slice:
		for n := range v.Len() {
			parts = append(parts, written(v.Index(n)))
		}
		return strings.Join(parts, ", ")
	case reflect.Struct:
		for n := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(n).Tag.Get("json"), ",")
			if s := written(v.Field(n)); s != "" {
				parts = append(parts, name+" "+s)
			}
		}
		return strings.Join(parts, ", ")
	default:
		return fmt.Sprint(v.Interface())
	}
}

// short is a line as long as a message has room for.
func short(s string) string {
	const most = 120
	if all := []rune(s); len(all) > most {
		return string(all[:most]) + "…"
	}
	return s
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

// Package raci says who takes which part in something that is to be done: who does it, who answers for it, who is asked before and
// who is told after.
package raci

import (
	"errors"
	"fmt"
	"slices"
)

// A Part is one letter of the matrix.
type Part string

// The parts.
const (
	Responsible Part = "R" // does it
	Accountable Part = "A" // answers for it: exactly one
	Consulted   Part = "C" // is asked before
	Informed    Part = "I" // is told after
)

// An Assignment is who takes which part, each a role.
type Assignment struct {
	Accountable string   `json:"accountable"`
	Responsible []string `json:"responsible,omitempty"` // empty: whoever is accountable does it
	Consulted   []string `json:"consulted,omitempty"`
	Informed    []string `json:"informed,omitempty"`
}

// Doers are the roles that do it: those that are responsible, or the accountable one alone.
func (a Assignment) Doers() []string {
	if len(a.Responsible) == 0 {
		return []string{a.Accountable}
	}
	return a.Responsible
}

// Roles returns every role of the assignment once, the accountable one first.
func (a Assignment) Roles() []string {
	roles := []string{a.Accountable}
	for _, more := range [][]string{a.Responsible, a.Consulted, a.Informed} {
		for _, r := range more {
			if !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

// Letters returns the parts of a role, such as "A/R", empty where it has none. Who does what it answers for has both letters.
func (a Assignment) Letters(role string) string {
	letters := ""
	add := func(p Part) {
		if letters != "" {
			letters += "/"
		}
		letters += string(p)
	}
	if a.Accountable == role {
		add(Accountable)
	}
	if slices.Contains(a.Doers(), role) {
		add(Responsible)
	}
	if slices.Contains(a.Consulted, role) {
		add(Consulted)
	}
	if slices.Contains(a.Informed, role) {
		add(Informed)
	}
	return letters
}

// Check says what is wrong with the assignment.
func (a Assignment) Check() []error {
	var wrong []error
	if a.Accountable == "" {
		wrong = append(wrong, errors.New("accountable: missing; want exactly one role"))
	}
	for _, list := range []struct {
		name  string
		roles []string
	}{{"responsible", a.Responsible}, {"consulted", a.Consulted}, {"informed", a.Informed}} {
		for n, r := range list.roles {
			if slices.Contains(list.roles[:n], r) {
				wrong = append(wrong, fmt.Errorf("%s: %s is named twice", list.name, r))
			}
		}
	}
	for _, r := range a.Consulted {
		if r == a.Accountable || slices.Contains(a.Responsible, r) {
			wrong = append(wrong, fmt.Errorf("consulted: %s does it or answers for it already", r))
		}
	}
	for _, r := range a.Informed {
		if r == a.Accountable || slices.Contains(a.Responsible, r) || slices.Contains(a.Consulted, r) {
			wrong = append(wrong, fmt.Errorf("informed: %s takes another part already", r))
		}
	}
	return wrong
}

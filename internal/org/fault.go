package org

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Fault is one thing that is wrong in an organisation folder, with its place and what would be right.
type Fault struct {
	File   string `json:"file"`           // in the folder
	Line   int    `json:"line,omitempty"` // from 1; 0 when the file as a whole is meant
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

// String returns the fault as a line that editors can jump to.
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// A Refusal is the error of Load and ReadPlan: the folder or the plan is not taken, and these are all the reasons.
type Refusal struct {
	Dir    string
	Plan   string  // file of a plan that stands in no folder; then Dir is empty
	Faults []Fault // in the order of files and lines

	file string // that was read by itself
}

// Error lists every fault on a line of its own.
func (r *Refusal) Error() string {
	var b strings.Builder
	what := "load organisation " + r.Dir
	switch {
	case r.Plan != "":
		what = "read plan " + r.Plan
	case r.file != "":
		what = "read runbook " + filepath.Join(r.Dir, r.file)
	}
	fmt.Fprintf(&b, "%s: %s", what, count(len(r.Faults), "fault"))
	for _, f := range r.Faults {
		f.File = filepath.Join(r.Dir, f.File)
		b.WriteString("\n" + f.String())
	}
	return b.String()
}

const maxFaults = 500 // beyond that nobody reads on

func sorted(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	if len(faults) > maxFaults {
		more := fmt.Sprintf("and %d more faults", len(faults)-maxFaults)
		faults = append(faults[:maxFaults:maxFaults], Fault{File: faults[maxFaults].File, Text: more})
	}
	return faults
}

// show quotes a value of the folder for people, clipped and with nothing unprintable in it.
func show(s string) string { return strconv.Quote(clip(s, 60)) }

// clip cuts s after so many characters.
func clip(s string, most int) string {
	for n := range s {
		if most == 0 {
			return s[:n] + "…"
		}
		most--
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// hint says which of the known words may have been meant, or which there are.
func hint(word string, known []string) string {
	const most = 20
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	switch {
	case len(known) == 0:
		return "there are none"
	case len(known) > most:
		return fmt.Sprintf("known: %s and %d more", strings.Join(known[:most], ", "), len(known)-most)
	}
	return "known: " + strings.Join(known, ", ")
}

func nearest(word string, known []string) string {
	best, found := len(word)/3, ""
	if len(word) > 64 || len(known) > 1000 { // not a slip of the finger, or too many to compare with
		return ""
	}
	for _, k := range known {
		if d := distance(word, k); len(k) <= 64 && (d < best || d == best && found == "") {
			best, found = d, k
		}
	}
	return found
}

// distance counts the bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

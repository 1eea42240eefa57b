package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/plan"
)

// Before and Following say the same of every two tasks, and what a slow search through all ways says.
func TestWhatComesBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &plan.Definition{Phases: []plan.Phase{{ID: "p"}}}
		for n := range rapid.IntRange(1, 8).Draw(t, "tasks") {
			task := plan.Task{ID: fmt.Sprint(n)}
			for m := range n {
				if rapid.Bool().Draw(t, "needs") {
					task.Needs = append(task.Needs, fmt.Sprint(m))
				}
			}
			d.Phases[0].Tasks = slices.Insert(d.Phases[0].Tasks, rapid.IntRange(0, n).Draw(t, "at"), task)
		}
		var comes func(a, b string) bool
		comes = func(a, b string) bool {
			task, _ := d.Task(b)
			return slices.ContainsFunc(task.Needs, func(n string) bool { return n == a || comes(a, n) })
		}
		for _, a := range d.All() {
			for _, b := range d.All() {
				want := comes(a.ID, b.ID)
				if got := slices.Contains(d.Before(b.ID), a.ID); got != want {
					t.Fatalf("%s before %s: got %t, want %t", a.ID, b.ID, got, want)
				}
				if got := slices.Contains(d.Following(a.ID), b.ID); got != want {
					t.Fatalf("%s follows %s: got %t, want %t", b.ID, a.ID, got, want)
				}
			}
		}
	})
}

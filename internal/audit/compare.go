package audit

import (
	"time"

	"muster/internal/timeline"
)

// A Step is where two timelines meet or part.
type Step struct {
	Left  *timeline.Entry `json:"left,omitempty"` // nil: only the right one has it
	Right *timeline.Entry `json:"right,omitempty"`
	// Later is how much later after its own beginning the right one came to what both have.
	Later time.Duration `json:"later,omitempty"`
}

// mostCompared bounds how many entries of a timeline are compared: the work grows with their product.
const mostCompared = 3000

// Compare lays two timelines side by side: what both have, in the order in which both have it, and what only one has. Entries are alike
// that are of one kind, one actor's and about one thing, such as the same promise, role or task; what they say of it may differ. Of long
// ones the beginning is compared.
func Compare(left, right []timeline.Entry) (steps []Step) {
	left, right = left[:min(len(left), mostCompared)], right[:min(len(right), mostCompared)]
	common := make([][]int, len(left)+1) // the most that both have from here on
	for n := range common {
		common[n] = make([]int, len(right)+1)
	}
	for n := len(left) - 1; n >= 0; n-- {
		for m := len(right) - 1; m >= 0; m-- {
			if alike(&left[n], &right[m]) {
				common[n][m] = common[n+1][m+1] + 1
			} else {
				common[n][m] = max(common[n+1][m], common[n][m+1])
			}
		}
	}
	n, m := 0, 0
	for n < len(left) || m < len(right) {
		switch {
		case n < len(left) && m < len(right) && alike(&left[n], &right[m]):
			later := right[m].At.Sub(right[0].At) - left[n].At.Sub(left[0].At)
			steps = append(steps, Step{&left[n], &right[m], later})
			n, m = n+1, m+1
		case m == len(right) || n < len(left) && common[n+1][m] >= common[n][m+1]:
			steps = append(steps, Step{Left: &left[n]})
			n++
		default:
			steps = append(steps, Step{Right: &right[m]})
			m++
		}
	}
	return steps
}

func alike(a, b *timeline.Entry) bool {
	if a.Kind != b.Kind || a.Actor.Kind != b.Actor.Kind || a.Actor.ID != b.Actor.ID {
		return false
	}
	for _, about := range []string{"target", "role", "task", "stage", "status", "environment", "delivery"} {
		if a.Fact(about) != b.Fact(about) {
			return false
		}
	}
	return true
}

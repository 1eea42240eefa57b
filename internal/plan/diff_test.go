package plan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"muster/internal/plan"
)

func TestDiffSaysWhatIsAltered(t *testing.T) {
	one := func(change func(*plan.Task)) *plan.Definition {
		task := plan.Task{ID: "watch", SHA256: "a", For: 10 * time.Minute, Check: &plan.Check{HTTP: "https://shop.example", Every: time.Minute}}
		change(&task)
		return &plan.Definition{Phases: []plan.Phase{{ID: "launch", Tasks: []plan.Task{task}}}}
	}
	for _, row := range []struct {
		name   string
		change func(*plan.Task)
		want   []string
	}{
		{"nothing", func(*plan.Task) {}, nil},
		{"a time", func(t *plan.Task) { t.For = 30 * time.Second }, []string{"for: 10m → 30s"}},
		{"something new", func(t *plan.Task) { t.Runs = "deploy" }, []string{"runs: – → deploy"}},
		{"something gone", func(t *plan.Task) { t.For = 0 }, []string{"for: 10m → –"}},
		{"a text in one language", func(t *plan.Task) { t.Detail = plan.Text{En: "Look twice."} }, []string{"detail: – → Look twice."}},
		{"a part of a check", func(t *plan.Task) { c := *t.Check; c.Failures, t.Check = 3, &c }, []string{
			"check: http https://shop.example, every 1m → http https://shop.example, every 1m, failures 3",
		}},
	} {
		was := one(func(*plan.Task) {})
		is := one(func(t *plan.Task) {
			if row.change(t); row.want != nil {
				t.SHA256 = "b"
			}
		})
		var got []string
		for _, c := range plan.Diff(was, is) {
			if c.Kind != plan.Altered {
				t.Errorf("%s: %s", row.name, c.Kind)
			}
			got = append(got, fmt.Sprintf("%s → %s", c.Was, c.Is))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

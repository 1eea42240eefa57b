package activities_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/activities"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/report"
)

// PlanReport says which document it is, and knows no other than work plans.
func (scribe) PlanReport(r *planrun.Run, kind string, e report.Edition) ([]byte, error) {
	if kind != plan.WorkPlan {
		return nil, errors.New("no such report")
	}
	return fmt.Appendf(nil, "%s of %s in %s as %s", kind, r.ID, e.Language, e.Format), nil
}

// nobody knows how people are reached.
type nobody struct{}

func (nobody) PlanContacts([]planrun.Filled) []report.PlanContact { return nil }

func TestWritePlanReport(t *testing.T) {
	for _, tc := range []struct {
		name, writes, task string
		room               int
		want               []string // names on the shelf
		err                string
		final              bool
	}{
		{
			"every language and format", plan.WorkPlan, "write", 9,
			[]string{
				"RUN-1/work-plan-write-2.ko.md", "RUN-1/work-plan-write-2.ko.html", "RUN-1/work-plan-write-2.ko.pdf",
				"RUN-1/work-plan-write-2.en.md", "RUN-1/work-plan-write-2.en.html", "RUN-1/work-plan-write-2.en.pdf",
			},
			"", false,
		},
		{"another document", "poem", "write", 9, nil, "render poem of RUN-1: no such report", true},
		{"another task", plan.WorkPlan, "read", 9, nil, `write work-plan of RUN-1: task "read": there is none`, true},
		{"no room", plan.WorkPlan, "write", 1, nil, "keep report RUN-1/work-plan-write-2.ko.html: no space left", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{room: tc.room, held: map[string]string{}}
			p := &activities.PlanReports{Writer: scribe{}, Shelf: s, Languages: func() []string { return []string{"ko", "en"} }, Contacts: func() activities.PlanContacts { return nobody{} }}
			run := &planrun.Run{Terms: planrun.Terms{ID: "RUN-1"}, Tasks: []planrun.Task{{ID: "write", Attempt: 2}}}
			run.Plan.Phases = []plan.Phase{{Tasks: []plan.Task{{ID: "write"}}}}
			got, err := perform[[]planrun.Document](t, p.WritePlanReport, activities.WritePlanReportInput{Run: run.ForReport(), Writes: tc.writes, Task: tc.task, At: at})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || final(err) != tc.final {
					t.Errorf("got %v, final %v; want %q, final %v", err, final(err), tc.err, tc.final)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, d := range got {
				names = append(names, d.Name)
				if sum := sha256.Sum256([]byte(s.held["/reports/"+d.Name])); d.SHA256 != hex.EncodeToString(sum[:]) {
					t.Errorf("%s: SHA-256 %s is not that of what lies there", d.Name, d.SHA256)
				}
			}
			if !slices.Equal(names, tc.want) {
				t.Errorf("got %q, want %q", names, tc.want)
			}
		})
	}
}

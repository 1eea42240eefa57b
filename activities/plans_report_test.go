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
	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/internal/timeline"
)

// PlanReport says which document it is, and knows no other than work plans.
func (scribe) PlanReport(r *planrun.Run, kind string, e report.Edition) ([]byte, error) {
	if kind != plan.WorkPlan {
		return nil, errors.New("no such report")
	}
	said := fmt.Appendf(nil, "%s of %s in %s as %s, started by %s", kind, r.ID, e.Language, e.Format, r.Starter.Shown())
	for _, c := range e.Contacts {
		said = fmt.Appendf(said, ", %s: %s %s%s", c.Role, c.Name, c.Phone, c.Mail)
	}
	return said, nil
}

// listing is a folder with one of the provider and one of the customer.
type listing struct{}

func (listing) PlanContacts([]planrun.Filled) []report.PlanContact {
	return []report.PlanContact{
		{Role: "lead", Name: "Lena", Phone: "+82 2 555 0141"},
		{Role: "lead", Name: "Mark", Mail: "mark@mirnet.example"},
		{Role: "lead", Name: "Dora"},
		{Role: "owner", Name: "Carol", Mail: "carol@garam.example"},
	}
}

func (listing) Subject(actor string) (authority.Subject, bool) {
	switch actor {
	case "lena":
		return authority.Subject{Party: "mirnet", Kind: authority.Provider}, true
	case "carol":
		return authority.Subject{Party: "garam", Kind: authority.Customer}, true
	}
	return authority.Subject{}, false
}

func TestWritePlanReport(t *testing.T) {
	for _, tc := range []struct {
		name, writes, task string
		room               int
		want               []string // names on the shelf
		err                string
		final              bool
	}{
		{
			"every language and format", plan.WorkPlan, "write", 20,
			[]string{
				"RUN-1/work-plan-write-2.ko.md", "RUN-1/work-plan-write-2.ko.html", "RUN-1/work-plan-write-2.ko.pdf",
				"RUN-1/work-plan-write-2.en.md", "RUN-1/work-plan-write-2.en.html", "RUN-1/work-plan-write-2.en.pdf",
				"RUN-1/work-plan-write-2.customer.ko.md", "RUN-1/work-plan-write-2.customer.ko.html", "RUN-1/work-plan-write-2.customer.ko.pdf",
				"RUN-1/work-plan-write-2.customer.en.md", "RUN-1/work-plan-write-2.customer.en.html", "RUN-1/work-plan-write-2.customer.en.pdf",
			},
			"", false,
		},
		{"another document", "poem", "write", 9, nil, "render poem of RUN-1: no such report", true},
		{"another task", plan.WorkPlan, "read", 9, nil, `write work-plan of RUN-1: task "read": there is none`, true},
		{"no room", plan.WorkPlan, "write", 1, nil, "keep report RUN-1/work-plan-write-2.ko.html: no space left", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{room: tc.room, held: map[string]string{}}
			p := &activities.PlanReports{Writer: scribe{}, Shelf: s, Languages: func() []string { return []string{"ko", "en"} }, Contacts: func() activities.PlanContacts { return listing{} }}
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

// No edition names the people of another party, nor says how they are written to.
func TestTheEditionsOfAPlanReport(t *testing.T) {
	for _, tc := range []struct {
		edition string
		party   authority.PartyKind
		starter string
		want    string
	}{
		{"", "", "lena", "started by Lena, lead: Lena +82 2 555 0141, lead: Mark mark@mirnet.example, lead: Dora , owner: Carol carol@garam.example"},
		{".customer", authority.Customer, "lena", "started by 미르넷, lead: 미르넷 +82 2 555 0141, lead: 미르넷 , owner: Carol carol@garam.example"},
		{".customer", authority.Customer, "carol", "started by Carol, lead: 미르넷 +82 2 555 0141, lead: 미르넷 , owner: Carol carol@garam.example"},
		{".partner", authority.Partner, "carol", "started by 미르넷, lead: 미르넷 +82 2 555 0141, lead: 미르넷 , owner: 가람유통 "},
	} {
		s := &shelf{room: 20, held: map[string]string{}}
		p := &activities.PlanReports{Writer: scribe{}, Shelf: s, Languages: func() []string { return []string{"ko"} }, Contacts: func() activities.PlanContacts { return listing{} }}
		run := &planrun.Run{Terms: planrun.Terms{ID: "RUN-1", Customer: "garam", CustomerName: "가람유통"}, Tasks: []planrun.Task{{ID: "write", Attempt: 1}}}
		run.Starter = timeline.Actor{Kind: timeline.Person, ID: tc.starter, Name: strings.ToUpper(tc.starter[:1]) + tc.starter[1:]}
		run.Organisation = "미르넷"
		run.Plan.Roles = []plan.Role{{ID: "lead", Party: authority.Provider}, {ID: "owner", Party: authority.Customer}, {ID: "hands", Party: authority.Partner}}
		run.Plan.Phases = []plan.Phase{{Tasks: []plan.Task{{ID: "write"}}}}
		got, err := perform[[]planrun.Document](t, p.WritePlanReport, activities.WritePlanReportInput{Run: run.ForReport(), Writes: plan.WorkPlan, Task: "write", At: at})
		if err != nil || len(got) != 9 {
			t.Fatalf("%d documents, %v", len(got), err)
		}
		name := "RUN-1/work-plan-write-1" + tc.edition + ".ko.md"
		n := slices.IndexFunc(got, func(d planrun.Document) bool { return d.Name == name })
		if n < 0 || got[n].For != tc.party {
			t.Fatalf("%s is not among %+v, or for another party", name, got)
		}
		if said := s.held["/reports/"+name]; !strings.HasSuffix(said, tc.want) {
			t.Errorf("%s: got %q, want %q", name, said, tc.want)
		}
	}
}

package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/cli"
)

var (
	printed = regexp.MustCompile(`muster [a-z][^\n]*`)
	word    = regexp.MustCompile(`"[^"]*"|\S+`)
)

// accepted asks that a printed command line is one that this program understands, with values in its blanks.
func accepted(t *testing.T, where, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " (") // what is said about it
	var args []string
	for _, w := range word.FindAllString(line, -1)[1:] {
		choices := strings.Split(strings.Trim(w, `"`), "|")
		args = append(args, choices[0])
	}
	if err := cli.Accepts(args); err != nil {
		t.Errorf("%s prints %q: %v", where, line, err)
	}
}

// Whatever command a message on a run names is one that works.
func TestMessagesNameCommandsThatThereAre(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		file := "../../internal/report/testdata/plan." + language + ".txt"
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all := printed.FindAllString(string(b), -1)
		if len(all) < 50 {
			t.Errorf("%s names %d commands only", file, len(all))
		}
		for _, line := range all {
			accepted(t, file, line)
		}
		for _, text := range strings.Split(string(b), "======== ") { // whoever is outside has no command line
			if strings.Contains(strings.SplitN(text, "\n", 2)[0], "customer") && printed.MatchString(text) {
				t.Errorf("%s tells a customer to type %q", file, printed.FindString(text))
			}
		}
	}
}

// Whatever command stands in an inbox for something that a run wants is one that works.
func TestInboxesNameCommandsThatThereAre(t *testing.T) {
	text := func(s string) plan.Text { return plan.Text{En: s, Ko: s} }
	run := &planrun.Run{Terms: planrun.Terms{ID: "RUN-7K3M9QX2PA"}}
	run.Plan.Phases = []plan.Phase{{ID: "p", Tasks: []plan.Task{
		{ID: "do", Name: text("Do"), Evidence: []plan.Evidence{{ID: "log", What: text("log")}, {ID: "screen", What: text("screen")}}},
		{ID: "roll", Name: text("Roll"), Waves: &plan.Waves{}},
		{ID: "ask", Name: text("Ask"), Vote: &approval.Rule{Yes: []approval.Choice{approval.Ready}}},
	}}}
	run.Tasks = []planrun.Task{
		{ID: "do", Evidence: []planrun.Given{{Item: "log", Ref: "r", By: timeline.Muster(), At: time.Unix(1, 0)}}}, {ID: "roll"}, {ID: "ask"},
	}
	for _, kind := range plan.Kinds() {
		run.Plan.Kind = kind
		for _, want := range planrun.Wants() {
			for _, language := range []string{"en", "ko"} {
				w := planrun.Wait{Want: want, Task: "do", Environment: "production", Step: 3}
				switch want {
				case planrun.WantVote:
					accepted(t, "a vote on a change", starter.PlanCommand(run, planrun.Wait{Want: want}, language))
					w.Task = "ask"
				case planrun.WantGoOn:
					w.Task = ""
				default:
				}
				accepted(t, fmt.Sprintf("an inbox for %s in %s", want, language), starter.PlanCommand(run, w, language))
			}
		}
	}
	for _, row := range []struct{ want, task, says string }{
		{"step", "do", "upgrade step RUN-7K3M9QX2PA do 3"},
		{"check", "do", `upgrade check RUN-7K3M9QX2PA do accept|return "사유"`},
		{"complete", "do", "upgrade complete RUN-7K3M9QX2PA do --evidence screen=URL"},
		{"complete", "roll", "upgrade complete RUN-7K3M9QX2PA roll --target 대상"},
		{"vote", "ask", `upgrade vote RUN-7K3M9QX2PA ask ready|ready-with-risk|not-ready|abstain --reason "사유"`},
		{"vote", "", `upgrade vote RUN-7K3M9QX2PA - approve|reject|abstain --reason "사유"`},
		{"confirm-override", "do", `upgrade confirm-override RUN-7K3M9QX2PA production grant|refuse "사유"`},
		{"continue", "", `upgrade continue RUN-7K3M9QX2PA "사유"`},
		{"settle-rollback", "do", `upgrade settle-rollback RUN-7K3M9QX2PA do running|done|fixed-forward "메모"`},
	} {
		w := planrun.Wait{Want: planrun.Want(row.want), Task: row.task, Environment: "production", Step: 3}
		run.Plan.Kind = plan.Upgrade
		if got := starter.PlanCommand(run, w, "ko"); got != "muster "+row.says {
			t.Errorf("%s: got %q, want %q", row.want, got, "muster "+row.says)
		}
	}
	for _, wrong := range []string{"muster upgrade vote RUN --change approve", "muster upgrade step RUN do", "muster upgrade check RUN do", "muster upgrade begins RUN do", "muster upgrade override RUN production x"} {
		if cli.Accepts(strings.Fields(wrong)[1:]) == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

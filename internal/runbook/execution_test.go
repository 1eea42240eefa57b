package runbook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/calendar"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

var (
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	park = timeline.Actor{Kind: timeline.Person, ID: "park"}
)

func day(t *testing.T, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// restart has an automatic step, a manual one and another automatic one.
func restart(t *testing.T) runbook.Runbook {
	t.Helper()
	return runbook.Runbook{
		ID: "RUN001", Kind: runbook.Procedure, Title: "Restart checkout", Description: "Checkout answers again.", Tools: "kubectl",
		Permissions: "none", Author: "Park", Updated: day(t, "2026-09-21"), Escalation: "NOC",
		Parameters: []runbook.Parameter{{ID: "host", Description: "which one"}},
		Steps: []runbook.Step{
			{Number: 1, Text: "Take {{param host}} out.", Automatic: post()},
			{Number: 2, Text: "Look at the dashboard of {{param host}}."},
			{Number: 3, Text: "Restart it.", Automatic: command("/usr/bin/kubectl", "rollout", "{{param host}}")},
		},
	}
}

func post() *runbook.Automatic {
	return &runbook.Automatic{
		Runner: runbook.ByHTTP, Timeout: time.Minute, Output: 4096, Expect: runbook.Expect{From: 200, To: 299}, Secrets: []string{"token"},
		HTTP: runbook.HTTP{
			Method: "POST", URL: "https://lb.example/drain/{{param host}}?why={{param host}}", Body: `{"host": "{{param host}}"}`,
			Headers: []runbook.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Authorization", Value: "Bearer {{secret token}}"}},
		},
	}
}

func command(words ...string) *runbook.Automatic {
	return &runbook.Automatic{Runner: runbook.ByCommand, Command: words, Timeout: time.Minute, Output: 4096}
}

func host(s string) []runbook.Value { return []runbook.Value{{ID: "host", Value: s}} }

func TestARunGoesStepByStep(t *testing.T) {
	rb := restart(t)
	if broken := rb.Check(); len(broken) > 0 {
		t.Fatal(errors.Join(broken...))
	}
	e := runbook.Start(rb, host("web 1"))
	a, number, ok := e.Next(noon)
	if !ok || number != 1 {
		t.Fatalf("got step %d, %v; want step 1", number, ok)
	}
	if want := "https://lb.example/drain/web%201?why=web%201"; a.HTTP.URL != want {
		t.Errorf("got %s, want %s", a.HTTP.URL, want)
	}
	if _, _, again := e.Next(noon); again {
		t.Error("a step that runs is run once more")
	}
	e.Ran(1, runbook.Result{State: runbook.Passed, Status: 204}, noon)
	if s := e.Current(); s.Number != 2 || s.Status != runbook.Waiting {
		t.Errorf("got step %d %s, want step 2 waiting", s.Number, s.Status)
	}
	if _, _, ok := e.Next(noon); ok {
		t.Error("something runs although a person has to do a step")
	}
	if got, want := e.Text(2), "Look at the dashboard of web 1."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := e.Do(2, park, "all green", noon); err != nil {
		t.Error(err)
	}
	if a, _, _ := e.Next(noon); a == nil || a.Command[2] != "web 1" {
		t.Errorf("got %+v, want the last step", a)
	}
	if over, _ := e.Over(); over {
		t.Error("over although a step is under way")
	}
	e.Ran(3, runbook.Result{State: runbook.Passed}, noon)
	if over, ok := e.Over(); !over || !ok {
		t.Errorf("got over %v, ok %v", over, ok)
	}
	if e.Current() != nil || !e.NextDue().IsZero() {
		t.Error("something is to be done after the last step")
	}
}

func TestWhatPeopleMayDo(t *testing.T) {
	at := func(status runbook.Status) func(e *runbook.Execution) {
		return func(e *runbook.Execution) {
			e.Next(noon)
			switch status {
			case runbook.Running:
			case runbook.StepFailed:
				e.Ran(1, runbook.Result{State: runbook.Failed}, noon)
			case runbook.StepUnknown:
				e.Ran(1, runbook.Result{State: runbook.Unknown}, noon)
			case runbook.Waiting:
				e.Ran(1, runbook.Result{State: runbook.Passed}, noon)
			default:
				t.Fatal(status)
			}
		}
	}
	do := func(n int) func(*runbook.Execution) error {
		return func(e *runbook.Execution) error { return e.Do(n, park, "", noon) }
	}
	settle := func(n int, s runbook.Settlement) func(*runbook.Execution) error {
		return func(e *runbook.Execution) error { return e.Settle(n, s, park, "", noon) }
	}
	for _, c := range []struct {
		name    string
		begin   func(*runbook.Execution)
		act     func(*runbook.Execution) error
		refused string
		want    []runbook.Status
	}{
		{"a failed step done by hand", at(runbook.StepFailed), settle(1, runbook.SettleDone), "", []runbook.Status{runbook.Done, runbook.Waiting, runbook.Pending}},
		{"a failed step ends the run", at(runbook.StepFailed), settle(1, runbook.SettleFailed), "", []runbook.Status{runbook.StepFailed, runbook.Skipped, runbook.Skipped}},
		{"a failed step again", at(runbook.StepFailed), settle(1, runbook.SettleAgain), "", []runbook.Status{runbook.Pending, runbook.Pending, runbook.Pending}},
		{"an unknown step has happened", at(runbook.StepUnknown), settle(1, runbook.SettleDone), "", []runbook.Status{runbook.Done, runbook.Waiting, runbook.Pending}},
		{"an unknown step has not", at(runbook.StepUnknown), settle(1, runbook.SettleAgain), "", []runbook.Status{runbook.Pending, runbook.Pending, runbook.Pending}},
		{"an unknown step is not a manual one", at(runbook.StepUnknown), do(1), "it is unknown; want one that waits", nil},
		{"a step that runs is not settled", at(runbook.Running), settle(1, runbook.SettleDone), "it is running; want one that has failed", nil},
		{"a manual step cannot be done", at(runbook.Waiting), settle(2, runbook.SettleFailed), "", []runbook.Status{runbook.Done, runbook.StepFailed, runbook.Skipped}},
		{"a manual step is not tried again", at(runbook.Waiting), settle(2, runbook.SettleAgain), "a person does it", nil},
		{"not its turn", at(runbook.Waiting), do(3), "want step 2, whose turn it is", nil},
		{"something else", at(runbook.StepFailed), settle(1, "perhaps"), `"perhaps": want done, failed or again`, nil},
		{"too long a note", at(runbook.Waiting), func(e *runbook.Execution) error {
			return e.Do(2, park, strings.Repeat("x", runbook.MaxText+1), noon)
		}, "note: 4001 bytes; want 4000 at most", nil},
		{"nobody", at(runbook.Waiting), func(e *runbook.Execution) error { return e.Do(2, timeline.Actor{}, "", noon) }, "who says so", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := runbook.Start(restart(t), host("web-1"))
			c.begin(e)
			before := statuses(e)
			err := c.act(e)
			switch {
			case c.refused == "" && err != nil:
				t.Fatal(err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
				t.Fatalf("got %v, want %q", err, c.refused)
			case c.refused != "":
				c.want = before
			}
			if diff := cmp.Diff(c.want, statuses(e)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func statuses(e *runbook.Execution) (all []runbook.Status) {
	for _, s := range e.Steps {
		all = append(all, s.Status)
	}
	return all
}

func TestARunIsOverOnceAPersonSaysThatItHasFailed(t *testing.T) {
	e := runbook.Start(restart(t), host("web-1"))
	e.Next(noon)
	e.Ran(1, runbook.Result{State: runbook.Failed, Status: 500}, noon)
	if over, _ := e.Over(); over {
		t.Error("over before anybody has looked at it")
	}
	if err := e.Settle(1, runbook.SettleFailed, park, "no use", noon); err != nil {
		t.Fatal(err)
	}
	if over, ok := e.Over(); !over || ok {
		t.Errorf("got over %v, ok %v; want over and not ok", over, ok)
	}
	if err := e.Settle(1, runbook.SettleAgain, park, "", noon); err == nil || !strings.Contains(err.Error(), "the run is over") {
		t.Errorf("got %v", err)
	}
}

// However results, people and repeated questions come: the runner gets a step once, and once more only after somebody has
// said again. What is kept as JSON goes on as the original does.
func TestNothingRunsTwiceWithoutAPerson(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rb := restart(t)
		rb.Steps = nil
		for n := range rapid.IntRange(1, 5).Draw(rt, "steps") {
			s := runbook.Step{Number: n + 1, Text: "x"}
			if rapid.Bool().Draw(rt, "automatic") {
				s.Automatic = command("/bin/true")
			}
			rb.Steps = append(rb.Steps, s)
		}
		e := runbook.Start(rb, host("web-1"))
		allowed, ran := map[int]int{}, map[int]int{}
		for range rapid.IntRange(1, 40).Draw(rt, "deeds") {
			number := rapid.IntRange(0, 6).Draw(rt, "number")
			if s := e.Current(); s != nil && rapid.IntRange(0, 3).Draw(rt, "aim") > 0 {
				number = s.Number
			}
			switch rapid.IntRange(0, 4).Draw(rt, "deed") {
			case 0:
				if _, n, ok := e.Next(noon); ok {
					ran[n]++
				}
			case 1:
				state := rapid.SampledFrom([]runbook.State{runbook.Passed, runbook.Failed, runbook.Unknown, ""}).Draw(rt, "state")
				e.Ran(number, runbook.Result{State: state}, noon)
			case 2:
				_ = e.Do(number, park, "", noon)
			case 3:
				what := rapid.SampledFrom(runbook.Settlements()).Draw(rt, "settlement")
				if e.Settle(number, what, park, "", noon) == nil && what == runbook.SettleAgain {
					allowed[number]++
				}
			case 4:
				e = again(rt, e)
			}
			for n, times := range ran {
				if times > 1+allowed[n] {
					rt.Fatalf("step %d ran %d times, %d of them asked for by a person", n, times, allowed[n])
				}
			}
			if over, ok := e.Over(); over && ok != !slices.ContainsFunc(e.Steps, func(s runbook.StepState) bool { return s.Status != runbook.Done }) {
				rt.Fatalf("over and %v: %v", ok, statuses(e))
			}
		}
	})
}

func again(rt *rapid.T, e *runbook.Execution) *runbook.Execution {
	kept, err := json.Marshal(e)
	if err != nil {
		rt.Fatal(err)
	}
	var restored runbook.Execution
	if err := json.Unmarshal(kept, &restored); err != nil {
		rt.Fatal(err)
	}
	if diff := cmp.Diff(e, &restored); diff != "" {
		rt.Fatal(diff)
	}
	return &restored
}

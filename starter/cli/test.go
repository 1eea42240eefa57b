package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/ticket"
)

// A TicketSystem keeps tickets, as the one of an organisation.
type TicketSystem interface {
	Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error)
	Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error
}

func (a *app) test() *cobra.Command {
	group := &cobra.Command{
		Use: "test COMMAND", DisableFlagsInUseLine: true, GroupID: "check", Short: "Try a system that an organisation folder names",
		Example: "  muster test source alertmanager --org ./org\n  muster test ticket --org ./org\n  muster test channel kim/slack --org ./org",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.testSource(), a.testTicket(), a.testChannel())
	return group
}

func (a *app) testTicket() *cobra.Command {
	folder, data := "", ""
	cmd := &cobra.Command{
		Use: "ticket --org FOLDER", DisableFlagsInUseLine: true,
		Short: "Open, change and close a ticket whose title says that it is a test",
		Long: `Open a ticket where organisation.yaml says, and take it through everything that happens to the ticket of an incident: acknowledged
with another priority, resolved, reopened, resolved again and closed. Each step is shown when the system has taken it. It fails with
the first one that the system does not take, and says what the system said; the ticket stays there then.

It needs no server and no worker, but the same environment and the same networks as the worker: it reads the same secrets.`,
		Example:           "  muster test ticket --org ./org\n  JIRA_TOKEN=… muster test ticket --org ./org --lang ko",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants()(nil, args); err != nil {
				return err
			}
			return a.wantOrg(&folder)
		},
		RunE: a.shows(func(cmd *cobra.Command, _ []string) error {
			return a.tryTickets(cmd.Context(), folder, a.dataFolder(data))
		}),
	}
	a.orgFlag(cmd, &folder, "organisation `FOLDER`; default: MUSTER_ORG")
	a.dataFlag(cmd, &data)
	a.viewFlags(cmd)
	return cmd
}

// testWords are the words of a test in one language.
type testWords struct {
	title, text, note, took, failed, stays string

	steps map[string]string // by name
}

func testWordsIn(language string) testWords {
	if language == "ko" {
		return testWords{
			title: "[테스트] Muster 티켓 연동 확인: 무시하셔도 됩니다 (%s)", text: "이 티켓은 muster test ticket이 만든 테스트입니다. 장애가 아닙니다.\n단계: %s",
			note: "테스트: %s", took: "%d/%d %s: 완료", failed: "%d/%d %s", stays: "티켓 %s은(는) 그대로 남아 있습니다: 직접 닫으십시오",
			steps: map[string]string{
				"opened": "열림", "acknowledged": "확인, 우선순위 P2", "resolved": "해결", "reopened": "다시 열림", "resolved again": "다시 해결", "closed": "종료",
			},
		}
	}
	return testWords{
		title: "[TEST] Muster checks its ticket system: please ignore (%s)", text: "This ticket is a test by muster test ticket. Nothing is wrong.\nStep: %s",
		note: "Test: %s", took: "%d/%d %s: done", failed: "%d/%d %s", stays: "ticket %s stays there: close it by hand",
		steps: map[string]string{
			"opened": "opened", "acknowledged": "acknowledged, priority P2", "resolved": "resolved", "reopened": "reopened", "resolved again": "resolved again",
			"closed": "closed",
		},
	}
}

// testStep is what happens to the ticket of a test.
type testStep struct{ name, status, priority string }

func testSteps() []testStep {
	return []testStep{
		{"opened", "triggered", "P3"},
		{"acknowledged", "acknowledged", "P2"},
		{"resolved", "resolved", "P2"},
		{"reopened", "triggered", "P2"},
		{"resolved again", "resolved", "P2"},
		{"closed", "closed", "P2"},
	}
}

// A tried ticket is what a test has left behind.
type tried struct {
	System string     `json:"system"`
	Key    string     `json:"key"`
	Ticket ticket.Ref `json:"ticket"`
	Steps  []string   `json:"steps"` // that the system has taken
	OK     bool       `json:"ok"`    // all of them
}

// tryTickets takes a ticket through its life, and stops at the first step that the system does not take.
func (a *app) tryTickets(ctx context.Context, folder, data string) error {
	if a.env.Process.Tickets == nil {
		return fmt.Errorf("muster test ticket: this build does not have it")
	}
	o, err := org.LoadAsOf(folder, a.env.Now())
	if err != nil {
		return err
	}
	configured, err := o.Tickets()
	if err != nil {
		return err
	}
	system, err := a.env.Process.Tickets(o, data)
	if err != nil {
		return err
	}
	language := cmp.Or(a.language(), "en")
	say, now := testWordsIn(language), a.env.Now().UTC()
	r := tried{System: configured.System, Key: "MUSTER-TEST-" + now.Format("20060102T150405Z"), Steps: []string{}}
	for n, step := range testSteps() {
		called, of := say.steps[step.name], len(testSteps())
		t := ticket.Ticket{
			Key: r.Key, Revision: n + 1, At: now, Since: now, Title: fmt.Sprintf(say.title, r.Key), Text: fmt.Sprintf(say.text, called),
			Status: step.status, Priority: step.priority, Service: "Muster", Language: language, Note: fmt.Sprintf(say.note, called), URL: o.PublicURL,
		}
		if n == 0 {
			r.Ticket, err = system.Open(ctx, t)
		} else {
			err = system.Update(ctx, r.Ticket, t)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", fmt.Sprintf(say.failed, n+1, of, called), err)
			break
		}
		r.Steps = append(r.Steps, step.name)
		a.took(fmt.Sprintf(say.took, n+1, of, called), r.Ticket, n == 0)
	}
	r.OK = err == nil
	if err != nil && r.Ticket.ID != "" {
		a.note(say.stays, r.Ticket.ID)
	}
	if a.view.output == "table" {
		return err
	}
	return cmp.Or(a.answer(r, nil), err)
}

// took shows a step that the system has taken, while the next one goes out.
func (a *app) took(line string, ref ticket.Ref, opened bool) {
	if a.view.output != "table" {
		return
	}
	if opened {
		line += ": " + strings.TrimSpace(ref.ID+" "+ref.URL)
	}
	lines(a.env.Stdout, line)
}

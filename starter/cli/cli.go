// Package cli is the command line of Muster. What works on incidents is a client of the REST API and may do no more than
// it; what starts processes is handed in. It decides nothing about incidents.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/delivery"
	"muster/internal/org"
	"muster/internal/report"
	"muster/internal/runbook"
	"muster/starter/api"
)

// Exit codes.
const (
	OK     = 0
	Failed = 1 // it was understood, and did not work
	Misuse = 2 // it was not understood
)

// An Env is the world as a command sees it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Home           string                        // the user's folder; empty: HOME
	Now            func() time.Time              // nil: time.Now
	Texts          func() (*report.Texts, error) // words and sentences; asked for only when they are needed
	Process        Process
}

// Streams are where a process writes: what people read to Out, its log to Err.
type Streams struct{ Out, Err io.Writer }

// A Process has the commands that are more than a client of the API. A nil one is not part of this build.
type Process struct {
	Version api.Version

	Dev    func(context.Context, Streams, DevOptions) error
	Worker func(context.Context, Streams, WorkerOptions) error
	Serve  func(context.Context, Streams, ServeOptions) error
	// Promote gives the work of a deployment to one of its versions, and returns which one had it before, empty when none had.
	Promote func(context.Context, Streams, DeploymentOptions) (before string, err error)
	Demo    func(context.Context, Streams, DemoOptions) error
	Bench   func(context.Context, Streams, BenchOptions) error
	// BenchParts are the names of what Bench measures.
	BenchParts []string

	// RunStep does what an automatic step says, once, where the folder allows it.
	RunStep func(ctx context.Context, o *org.Organisation, a *runbook.Automatic) runbook.Result
	// Tickets is the ticket system of an organisation.
	Tickets func(o *org.Organisation, data string) (TicketSystem, error)
	// Send makes one attempt by the channels of an organisation. What a terminal shows goes to out.
	Send func(ctx context.Context, o *org.Organisation, data string, out io.Writer, e delivery.Envelope) error
}

// Run runs one command and returns its exit code.
func Run(ctx context.Context, env Env, args []string) int {
	if env.Now == nil {
		env.Now = time.Now
	}
	env.Home = cmp.Or(env.Home, env.Getenv("HOME"))
	a := &app{env: env}
	root := a.root()
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return OK
	}
	for line := range strings.Lines(err.Error()) {
		a.note("muster: %s", strings.TrimRight(line, "\n"))
	}
	var wrong *usageError
	if a.began && !errors.As(err, &wrong) {
		return Failed
	}
	a.note("\nUsage: %s\nMore:  %s --help", ran.UseLine(), ran.CommandPath())
	return Misuse
}

// app is one command on its way.
type app struct {
	env    Env
	began  bool                   // the command line was understood
	me     func() (api.Me, error) // who asks, and in which zone; once there is a server
	client client
	view   view

	payloadKeys string // file, for what is encrypted; empty: there is none
}

// A usageError says what is wrong with a command line.
type usageError struct{ reason string }

// Error returns the reason.
func (e *usageError) Error() string { return e.reason }

func misused(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// note tells the user something that is not the answer.
func (a *app) note(format string, args ...any) {
	lines(a.env.Stderr, fmt.Sprintf(format, args...))
}

// lines writes foreign text line by line.
func lines(w io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintln(w, printable(line))
	}
}

// does makes a function the work of a command: what fails before it is misuse.
func (a *app) does(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.began = true
		return work(cmd, args)
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "muster COMMAND", DisableFlagsInUseLine: true,
		Short: "Run the long processes of a managed service as durable workflows",
		Long: `Muster runs incidents, upgrades and reviews as durable workflows: it opens the ticket, pages the right person, tells the
customer, keeps every promised deadline and leaves a history that an auditor can replay.

Exit codes: 0 it worked, 1 it did not, 2 the command line was not understood.`,
		Example: `  muster demo                         # watch an incident from its first alert to its review
  muster dev                          # run everything on this machine
  muster incident list                # in another terminal
  muster incident ack INC-7K3M9QX2PA
  muster login https://muster.example # or work on a server elsewhere`,
		SilenceErrors: true, SilenceUsage: true,
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	// One line says how a command is called, also when it has commands below it.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "", 1))
	root.SetIn(a.env.Stdin)
	root.SetOut(a.env.Stdout)
	root.SetErr(a.env.Stderr)
	root.AddGroup(&cobra.Group{ID: "work", Title: "Work:"}, &cobra.Group{ID: "run", Title: "Run Muster:"},
		&cobra.Group{ID: "access", Title: "Access:"}, &cobra.Group{ID: "check", Title: "Check:"})
	root.AddCommand(a.incident(), a.review(), a.request(), a.problem(), a.change(), a.action(), a.escalation(), a.silence(), a.routine(), a.visit(), a.asset(), a.response(), a.upgrade(), a.inbox(), a.oncall(), a.contacts(), a.heartbeats(), a.plan(), a.freeze(), a.runbook())
	root.AddCommand(a.dev(), a.worker(), a.serve(), a.demo(), a.bench())
	root.AddCommand(a.whoami(), a.login(), a.logout(), a.context(), a.token(), a.keys(), a.attempts())
	root.AddCommand(a.health(), a.validate(), a.schema(), a.test(), a.explainCommand(), a.audit(), a.reports(), a.version())
	return root
}

// noCommand refuses what is no command of a group, and says which one may have been meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	const typos = 2
	cmd.SuggestionsMinimumDistance = typos
	reason := fmt.Sprintf("%q is no command of %s", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		reason += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return misused("%s", reason)
}

// wants checks how many arguments a command has; a last name that ends in "..." takes all that follow, and one in brackets may be
// left out.
func wants(names ...string) cobra.PositionalArgs {
	all := strings.Join(names, " ")
	required := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.HasPrefix(name, "[") })
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(required):
			return misused("%s: missing", strings.TrimSuffix(strings.Join(required[len(args):], ", "), "..."))
		case len(args) <= len(names) || strings.HasSuffix(strings.TrimSuffix(all, "]"), "..."):
			return nil
		}
		return misused("want %s, got %q as well", cmp.Or(all, "no arguments"), strings.Join(args[len(names):], " "))
	}
}

package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

// DevOptions are the flags of muster dev.
type DevOptions struct {
	Data         string
	Org          string // empty: the example organisation, copied into the data folder
	Port         int    // of the intake and the API; 0 takes a free one
	TemporalPort int    // 0 takes a free one
	UIPort       int    // of Temporal's web UI; 0 takes a free one, -1 switches it off
}

// WorkerOptions are the flags of muster worker.
type WorkerOptions struct {
	Org, Data string
	Listen    string // address for health and metrics; empty: none
}

// ServeOptions are the flags of muster serve.
type ServeOptions struct {
	Org, Data string
	Listen    string
	Tokens    string // file with the hashes of the API's tokens
}

// DemoOptions are the flags of muster demo.
type DemoOptions struct {
	Language string
	Keep     string // folder for everything that the demo makes; empty: a temporary one
}

// BenchOptions are the flags of muster bench.
type BenchOptions struct {
	Rounds int
	Only   []string // parts by name; empty: all
	Quick  bool
}

func (a *app) streams() Streams { return Streams{Out: a.env.Stdout, Err: a.env.Stderr} }

// process makes a command that runs until it ends or is told to stop.
func (a *app) process(cmd *cobra.Command, missing bool, work func(ctx context.Context) error) *cobra.Command {
	cmd.GroupID = "run"
	if cmd.Args == nil {
		cmd.Args = wants()
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = a.does(func(cmd *cobra.Command, _ []string) error {
		if missing {
			return fmt.Errorf("%s: this build does not have it: build without -tags slim", cmd.CommandPath())
		}
		return work(cmd.Context())
	})
	return cmd
}

func (a *app) dev() *cobra.Command {
	var o DevOptions
	cmd := a.process(&cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process on a data folder that stays",
		Long: `Run Temporal, the worker, the alert intake and the API in one process, on a data folder that survives it. Nothing else has to
be installed or running. Ctrl-C stops it; what was under way goes on when it is started again.

The first start makes a token for you, which muster incident finds by itself.`,
		Example: "  muster dev\n  muster dev --org ./org --data ./data --port 9080",
		Args: func(_ *cobra.Command, args []string) error {
			for name, port := range map[string]int{"port": o.Port, "temporal-port": o.TemporalPort, "ui-port": max(o.UIPort, 0)} {
				if port < 0 || port > 65535 {
					return misused("--%s %d: want 0 to 65535", name, port)
				}
			}
			return wants()(nil, args)
		},
	}, a.env.Process.Dev == nil, func(ctx context.Context) error {
		o.Data = a.dataFolder(o.Data)
		return a.env.Process.Dev(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: a copy of the example in the data folder")
	cmd.Flags().IntVar(&o.Port, "port", 8080, "`PORT` of intake and API; 0 takes a free one")
	cmd.Flags().IntVar(&o.TemporalPort, "temporal-port", 7233, "`PORT` of Temporal; 0 takes a free one")
	cmd.Flags().IntVar(&o.UIPort, "ui-port", 8233, "`PORT` of Temporal's web UI; 0 takes a free one, -1 switches it off")
	return cmd
}

func (a *app) worker() *cobra.Command {
	var o WorkerOptions
	cmd := a.process(&cobra.Command{
		Use:   "worker",
		Short: "Run the worker against a Temporal of your own",
		Long: `Run the workflows and their effects against the Temporal that the standard settings name (TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE and so on).`,
		Example: "  TEMPORAL_ADDRESS=temporal:7233 muster worker --org ./org --data /var/lib/muster",
	}, a.env.Process.Worker == nil, func(ctx context.Context) error {
		if err := a.wantOrg(&o.Org); err != nil {
			return err
		}
		o.Data = a.dataFolder(o.Data)
		return a.env.Process.Worker(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: MUSTER_ORG")
	cmd.Flags().StringVar(&o.Listen, "listen", "", "`ADDRESS` for health and metrics; default: none")
	return cmd
}

func (a *app) serve() *cobra.Command {
	var o ServeOptions
	cmd := a.process(&cobra.Command{
		Use:   "serve",
		Short: "Run the alert intake and the API against a Temporal of your own",
		Long: `Run the alert intake and the API against the Temporal that the standard settings name (TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE and so on). muster token makes the tokens of the people who may
come in.`,
		Example: "  TEMPORAL_ADDRESS=temporal:7233 muster serve --org ./org --tokens tokens.yaml --listen 0.0.0.0:8080",
	}, a.env.Process.Serve == nil, func(ctx context.Context) error {
		if err := a.wantOrg(&o.Org); err != nil {
			return err
		}
		o.Data = a.dataFolder(o.Data)
		if o.Tokens == "" {
			o.Tokens = filepath.Join(o.Data, api.TokensFile)
		}
		return a.env.Process.Serve(ctx, a.streams(), o)
	})
	a.dataFlag(cmd, &o.Data)
	a.orgFlag(cmd, &o.Org, "organisation `FOLDER`; default: MUSTER_ORG")
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`ADDRESS` of intake and API")
	cmd.Flags().StringVar(&o.Tokens, "tokens", "", "`FILE` of the API's tokens; default: "+api.TokensFile+" in the data folder")
	return cmd
}

func (a *app) demo() *cobra.Command {
	var o DemoOptions
	cmd := a.process(&cobra.Command{
		Use:   "demo",
		Short: "Run one incident from its first alert to its review, and check each step",
		Long: `Run one incident from a posted alert to its review in a temporary folder, in under a minute, and check each step. The
timeline is printed as it happens. It fails with the step that did not happen.`,
		Example: "  muster demo\n  muster demo --lang ko --keep ./demo",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(languages(), o.Language) {
				return misused("--lang %q: want %s", o.Language, joined(languages()))
			}
			return wants()(nil, args)
		},
	}, a.env.Process.Demo == nil, func(ctx context.Context) error { return a.env.Process.Demo(ctx, a.streams(), o) })
	cmd.Flags().StringVar(&o.Language, "lang", "en", "`LANGUAGE`: "+joined(languages()))
	cmd.Flags().StringVar(&o.Keep, "keep", "", "keep everything that the demo makes in this `FOLDER`")
	_ = cmd.RegisterFlagCompletionFunc("lang", completions(languages()))
	_ = cmd.MarkFlagDirname("keep")
	return cmd
}

func (a *app) bench() *cobra.Command {
	var o BenchOptions
	cmd := a.process(&cobra.Command{
		Use:     "bench",
		Short:   "Measure against a workflow written by hand",
		Long:    "Measure what Muster costs beside a minimal workflow written by hand, on this machine.",
		Example: "  muster bench\n  muster bench --quick --only storm,firstpage",
		Args: func(_ *cobra.Command, args []string) error {
			if o.Rounds < 1 {
				return misused("--rounds %d: want 1 or more", o.Rounds)
			}
			return wants()(nil, args)
		},
	}, a.env.Process.Bench == nil, func(ctx context.Context) error { return a.env.Process.Bench(ctx, a.streams(), o) })
	cmd.Flags().IntVar(&o.Rounds, "rounds", 5, "so `OFTEN`, interleaved; medians count")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "only these `PARTS`")
	cmd.Flags().BoolVar(&o.Quick, "quick", false, "less of everything: to see that it works, not to compare")
	return cmd
}

func (a *app) orgFlag(cmd *cobra.Command, into *string, usage string) {
	cmd.Flags().StringVar(into, "org", a.env.Getenv("MUSTER_ORG"), usage)
	cmd.Flags().Lookup("org").DefValue = "" // the help says the same on every machine
	_ = cmd.MarkFlagDirname("org")
}

func (a *app) wantOrg(org *string) error {
	if *org == "" {
		return misused("--org: missing; it names the organisation folder")
	}
	return nil
}

func (a *app) validate() *cobra.Command {
	return &cobra.Command{
		Use: "validate FOLDER", GroupID: "check",
		Short:   "Check an organisation folder",
		Long:    "Check an organisation folder as every process does before it starts, and say all that is wrong with it.",
		Example: "  muster validate ./org",
		Args:    wants("FOLDER"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: a.checks(a.env.Process.Validate),
	}
}

func (a *app) audit() *cobra.Command {
	group := &cobra.Command{
		Use: "audit COMMAND", DisableFlagsInUseLine: true, GroupID: "check", Short: "Check what a run has left behind",
		Example: "  muster audit replay " + anID + ".json",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(&cobra.Command{
		Use:     "replay FILE",
		Short:   "Run recorded histories through the workflows of this program",
		Long:    "Run the histories that muster incident history has exported through the workflows of this program. It fails where this\nprogram would decide otherwise than the record.",
		Example: "  muster incident history " + anID + " --file " + anID + ".json\n  muster audit replay " + anID + ".json",
		Args:    wants("FILE"),
		RunE:    a.checks(a.env.Process.Replay),
	})
	return group
}

// checks makes the work of a command out of a check of one thing.
func (a *app) checks(check func(ctx context.Context, what string) (string, error)) func(*cobra.Command, []string) error {
	return a.does(func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return fmt.Errorf("%s: this build does not have it", cmd.CommandPath())
		}
		summary, err := check(cmd.Context(), args[0])
		if err == nil {
			fmt.Fprintln(a.env.Stdout, printable(summary))
		}
		return err
	})
}

func (a *app) version() *cobra.Command {
	server := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show which program this is",
		Example: "  muster version\n  muster version --server -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.RunE = a.does(func(cmd *cobra.Command, _ []string) error {
		v := a.env.Process.Version
		if server {
			at, err := a.server()
			if err != nil {
				return err
			}
			c, err := api.NewClient(at, "")
			if err != nil {
				return err
			}
			if v, err = c.Version(cmd.Context()); err != nil {
				return a.explain(err)
			}
		}
		return a.answer(v, func(w io.Writer) {
			fmt.Fprintf(w, "muster %s\n", strings.Join(slices.DeleteFunc([]string{v.Version, v.Revision, v.Go}, func(s string) bool { return s == "" }), " "))
		})
	})
	cmd.Flags().BoolVar(&server, "server", false, "of the server instead")
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	return cmd
}

func (a *app) token() *cobra.Command {
	group := &cobra.Command{
		Use: "token COMMAND", DisableFlagsInUseLine: true, GroupID: "run", Short: "Make tokens for people and machines who may use the API",
		Example: "  muster token create --tokens tokens.yaml --actor park --name \"Park Seo-jun\"",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var (
		file, kind string
		entry      api.Token
		valid      time.Duration
	)
	create := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, once",
		Long: `Make a token, add its entry to a tokens file, and print the token. The file keeps only its hash, so nobody can read it
there later. A server that runs reads the file again by itself. To take a token back, delete its entry.`,
		Example: "  muster token create --tokens tokens.yaml --actor park --name \"Park Seo-jun\"\n  muster token create --tokens tokens.yaml --actor deploy-bot --kind machine --expires 2160h",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.does(func(*cobra.Command, []string) error {
			entry.Kind = api.Kind(kind)
			if entry.Kind != api.Person && entry.Kind != api.Machine {
				return misused("--kind %q: want person or machine", kind)
			}
			if entry.Actor == "" || file == "" {
				return misused("--actor, --tokens: want both")
			}
			if valid != 0 {
				entry.Expires = a.env.Now().Add(valid).UTC().Truncate(time.Second)
			}
			token, err := api.AddToken(file, entry)
			if err == nil {
				fmt.Fprintln(a.env.Stdout, token)
			}
			return err
		}),
	}
	f := create.Flags()
	f.StringVar(&file, "tokens", "", "the tokens `FILE`; it is made when there is none")
	f.StringVar(&entry.Actor, "actor", "", "whose it is: the `ID` of a person in the organisation folder, or of a machine")
	f.StringVar(&entry.Name, "name", "", "`NAME` as it is shown to people")
	f.StringVar(&kind, "kind", string(api.Person), "`KIND`, person or machine; a machine takes no incidents")
	f.DurationVar(&valid, "expires", 0, "after this `TIME`, such as 2160h; default: never")
	group.AddCommand(create)
	return group
}

func (a *app) health() *cobra.Command {
	cmd := &cobra.Command{
		Use: "health", GroupID: "check",
		Short:   "Ask a server whether it is ready",
		Long:    "Ask a server whether it is ready, and say what it is that is not: a health check for containers. It needs no token.",
		Example: "  muster health\n  muster health --url http://127.0.0.1:8080",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.does(func(cmd *cobra.Command, _ []string) error {
			server, err := a.server()
			if err != nil {
				return err
			}
			c, err := api.NewClient(strings.TrimSuffix(server, "/readyz"), "")
			if err != nil {
				return err
			}
			text, err := c.Ready(cmd.Context())
			for line := range strings.Lines(text) {
				fmt.Fprintln(a.env.Stdout, printable(line))
			}
			return a.explain(err)
		}),
	}
	cmd.Flags().StringVar(&a.client.url, "url", "", "`URL` of the server; default: MUSTER_URL, else the muster dev of this machine")
	return cmd
}

package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

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
			lines(a.env.Stdout, summary)
		}
		return err
	})
}

func (a *app) version() *cobra.Command {
	server := false
	cmd := &cobra.Command{
		Use: "version", GroupID: "check",
		Short:   "Show which program this is",
		Example: "  muster version\n  muster version --server -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.RunE = a.does(func(cmd *cobra.Command, _ []string) error {
		v := a.env.Process.Version
		if server {
			c, err := a.anonymous()
			if err != nil {
				return err
			}
			if v, err = c.Version(cmd.Context()); err != nil {
				return a.explain(cmd.Context(), c, err)
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

func (a *app) health() *cobra.Command {
	cmd := &cobra.Command{
		Use: "health", GroupID: "check",
		Short:   "Ask a server whether it is ready",
		Long:    "Ask a server whether it is ready, and say what it is that is not: a health check for containers. It needs no token.",
		Example: "  muster health\n  muster health --url http://127.0.0.1:8080",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.does(func(cmd *cobra.Command, _ []string) error {
			c, err := a.anonymous()
			if err != nil {
				return err
			}
			text, err := c.Ready(cmd.Context())
			lines(a.env.Stdout, text)
			return a.explain(cmd.Context(), c, err)
		}),
	}
	a.serverFlags(cmd)
	return cmd
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) audit() *cobra.Command {
	group := &cobra.Command{
		Use: "audit COMMAND", DisableFlagsInUseLine: true, GroupID: "check", Short: "Check what a run has left behind",
		Example: "  muster audit replay " + anID + ".json\n  muster audit verify " + anID + ".tar",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.auditList(), a.auditShow(), a.auditTimeline(), a.auditCompleteness(), a.auditVerify(), a.auditReplay(), a.auditExplain(), a.auditDiff(), a.auditExport(), a.auditExceptions(), a.auditRedactCheck(), a.auditRetention(),
		a.auditActors(), a.auditKeygen())
	return group
}

func (a *app) auditActors() *cobra.Command {
	keys := ""
	cmd := &cobra.Command{
		Use:   "actors FILE --keys FILE",
		Short: "Check who is behind everything that was asked in recorded histories",
		Long: `Check the signatures in the histories of a bundle, or that muster incident history has exported: of every message that their runs were sent,
who sent it and how that was known. It needs the public keys of the installation and nothing else: no server, no network. It
fails where a message was not signed by the installation for this actor, this run and these words.`,
		Example: "  muster incident history " + anID + " --file " + anID + ".json\n  muster keys list -o json > keys.json\n  muster audit actors " + anID + ".json --keys keys.json",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("FILE")(nil, args); err != nil {
				return err
			}
			if keys == "" {
				return misused("--keys: missing; it names a file with the public keys, which muster keys list -o json > keys.json writes")
			}
			return nil
		},
		RunE: a.checks(func(ctx context.Context, file string) (string, error) {
			if a.env.Process.Actors == nil {
				return "", errors.New("muster audit actors: this build does not have it")
			}
			return a.env.Process.Actors(ctx, file, keys)
		}),
	}
	cmd.Flags().StringVar(&keys, "keys", "", "`FILE` with the public keys, as muster keys list -o json writes it")
	_ = cmd.MarkFlagFilename("keys", "json")
	return cmd
}

// checks makes the work of a command out of a check of one thing.
func (a *app) checks(check func(ctx context.Context, what string) (string, error)) func(*cobra.Command, []string) error {
	return a.does(func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return fmt.Errorf("%s: this build does not have it", cmd.CommandPath())
		}
		summary, err := check(cmd.Context(), args[0])
		if summary != "" {
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

package cli

import (
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

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"muster/internal/org"
)

// explainCommand has the commands that say what an organisation folder means.
func (a *app) explainCommand() *cobra.Command {
	group := &cobra.Command{
		Use: "explain COMMAND", DisableFlagsInUseLine: true, GroupID: "check", Short: "Say what an organisation folder means",
		Long: `Say what an organisation folder means for a case that is thought up. It needs the folder and nothing else: no server, no
network, and nothing happens.`,
		Example: "  muster explain alert --org ./org firing.json\n  muster explain plan --org ./org premium\n  muster explain entitlement --org ./org --customer garam --feature cdn",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.viewFlags(group)
	group.AddCommand(a.explainAlert(), a.explainClock(), a.explainOncall(), a.explainCoverage(), a.explainEntitlement(), a.explainPlan())
	return group
}

// explains makes the work of a command out of what it says about the folder of --org.
func (a *app) explains(cmd *cobra.Command, work func(ctx context.Context, o *org.Organisation, args []string) error) *cobra.Command {
	folder := ""
	a.orgFlag(cmd, &folder, "organisation `FOLDER`; default: MUSTER_ORG")
	wants := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := wants(cmd, args); err != nil {
			return err
		}
		return a.wantOrg(&folder)
	}
	cmd.RunE = a.shows(func(cmd *cobra.Command, args []string) error {
		o, err := org.LoadAsOf(folder, a.env.Now())
		if err != nil {
			return err
		}
		return work(cmd.Context(), o, args)
	})
	return cmd
}

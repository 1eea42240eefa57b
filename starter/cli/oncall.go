package cli

import "github.com/spf13/cobra"

func (a *app) oncall() *cobra.Command {
	group := &cobra.Command{
		Use: "oncall COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short:   "Hand a schedule over to the next on-call person, and take it over",
		Long:    "Hand a schedule over to the next on-call person, and take it over.\n\n" + finding,
		Example: "  muster oncall handover primary --to park \"the batch at 03:00 may fail\"\n  muster oncall confirm primary",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.handover()...)
	return group
}

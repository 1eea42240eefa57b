package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

func (a *app) token() *cobra.Command {
	group := &cobra.Command{
		Use: "token COMMAND", DisableFlagsInUseLine: true, GroupID: "run", Short: "Make, list and revoke tokens of the API",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	group.AddCommand(a.createToken())
	return group
}

func (a *app) createToken() *cobra.Command {
	var asked api.NewToken
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, once",
		Args:  wants(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			t, err := c.CreateToken(ctx, asked)
			if err == nil {
				fmt.Fprintln(a.env.Stdout, t.Secret)
			}
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&asked.Actor, "actor", "", "for whom it speaks: the `ID` of a person, or of a machine; default: you")
	f.StringVar(&asked.Kind, "kind", "", "`KIND`, person or machine")
	f.StringVar(&asked.Roles, "roles", "", "`ROLES` of a machine")
	return cmd
}

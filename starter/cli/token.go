package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

func (a *app) token() *cobra.Command {
	group := &cobra.Command{
		Use: "token COMMAND", DisableFlagsInUseLine: true, GroupID: "run", Short: "Make tokens for people and machines who may use the API",
		Example: "  muster token create --tokens tokens.yaml --actor park --name \"Park Seo-jun\"",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.createToken())
	return group
}

func (a *app) createToken() *cobra.Command {
	var (
		file, kind string
		entry      api.Token
		valid      time.Duration
	)
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a token and print it, once",
		Long: `Make a token, add its entry to a tokens file, and print the token. The file keeps only its hash, so nobody can read it
there later. A server that runs reads the file again by itself. To take a token back, delete its entry.`,
		Example: "  muster token create --tokens tokens.yaml --actor park --name \"Park Seo-jun\"\n  muster token create --tokens tokens.yaml --actor deploy-bot --kind machine --expires 2160h",
		Args: func(_ *cobra.Command, args []string) error {
			switch entry.Kind = api.Kind(kind); {
			case entry.Kind != api.Person && entry.Kind != api.Machine:
				return misused("--kind %q: want person or machine", kind)
			case entry.Actor == "" || file == "":
				return misused("--actor, --tokens: want both")
			case valid < 0:
				return misused("--expires %s: want a time to come", valid)
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.does(func(*cobra.Command, []string) error {
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
	f := cmd.Flags()
	f.StringVar(&file, "tokens", "", "the tokens `FILE`; it is made when there is none")
	f.StringVar(&entry.Actor, "actor", "", "whose it is: the `ID` of a person in the organisation folder, or of a machine")
	f.StringVar(&entry.Name, "name", "", "`NAME` as it is shown to people; default: that of the organisation folder")
	f.StringVar(&kind, "kind", string(api.Person), "`KIND`, person or machine; a machine takes no incidents")
	f.DurationVar(&valid, "expires", 0, "after this `TIME`, such as 2160h; default: never")
	_ = cmd.RegisterFlagCompletionFunc("kind", completions([]api.Kind{api.Person, api.Machine}))
	return cmd
}

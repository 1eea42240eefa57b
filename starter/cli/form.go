package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"muster/starter/api"
)

// mostFormDays is how many days a form is good for at most.
const mostFormDays = 366

func (a *app) form() *cobra.Command {
	var asked api.NewForm
	cmd := &cobra.Command{
		Use: "form PERSON", GroupID: "act",
		Short: "Make a form by which somebody reports incidents without signing in",
		Long: `Make the link of a form by which PERSON reports incidents without signing in: one of your own who takes calls, or a
customer's contact, who reports for that customer alone. An administrator makes forms.

The link is printed once and kept nowhere. It is a secret: whoever has it reports in the name of PERSON. It ends with its days, when
PERSON leaves the organisation folder, and when the key that has signed it is revoked.`,
		Example: "  muster incident form park\n  muster incident form acme/desk --days 30 >link.txt",
		Args: func(_ *cobra.Command, args []string) error {
			if asked.Days < 1 || asked.Days > mostFormDays {
				return misused("--days %d: want 1 to %d", asked.Days, mostFormDays)
			}
			return wants("PERSON")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			asked.Person = args[0]
			f, err := c.MakeForm(ctx, asked)
			if err != nil {
				return err
			}
			return a.answer(f, func(w io.Writer) {
				fmt.Fprintln(w, printable(f.URL))
				p := a.page(w, f.Language, f.Zone)
				a.note("%s", fmt.Sprintf(p.say.formMade, printable(f.Person), p.instant(f.Expires)))
			})
		}),
	}
	cmd.Flags().IntVar(&asked.Days, "days", 90, "good for this `NUMBER` of days")
	return cmd
}

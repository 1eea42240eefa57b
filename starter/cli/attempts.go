package cli

import (
	"context"
	"io"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/starter/api"
)

func (a *app) attempts() *cobra.Command {
	var (
		after int64
		limit int
		all   bool
	)
	cmd := &cobra.Command{
		Use: "attempts", GroupID: "access",
		Short: "Show what was refused at the door, the oldest first",
		Long: `Show what was refused: tokens and links that are not good, and what somebody tried who may not. The log is chained by
hashes, which JSON and YAML show.

` + finding,
		Example: "  muster attempts\n  muster attempts --after 120 --limit 20\n  muster attempts --all -o json",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := wantLimit(limit); err != nil {
				return err
			}
			if after < 0 {
				return misused("--after %d: want the number of an entry", after)
			}
			if all && cmd.Flags().Changed("limit") {
				return misused("--all, --limit: want one of them")
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			read := c.Attempts
			if all {
				read = everyAttempt(c)
			}
			found, err := read(ctx, after, limit)
			if err != nil {
				return err
			}
			return a.answer(found, func(w io.Writer) {
				if len(found.Attempts) == 0 {
					a.none("no attempts", "거부된 시도가 없습니다")
					return
				}
				a.page(w, "", a.zone()).attempts(found.Attempts)
				if found.Next > 0 {
					a.more(strconv.FormatInt(found.Next, 10))
				}
			})
		}),
	}
	cmd.Flags().Int64Var(&after, "after", 0, "only what comes after the entry with this `NUMBER`")
	cmd.Flags().IntVar(&limit, "limit", 50, "this `NUMBER` at most")
	cmd.Flags().BoolVar(&all, "all", false, "everything, whatever its length")
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	return cmd
}

// everyAttempt reads the log to its end, in the largest parts that there are. A server that goes round in circles is left.
func everyAttempt(c *api.Client) func(ctx context.Context, after int64, limit int) (api.Attempts, error) {
	return func(ctx context.Context, after int64, _ int) (api.Attempts, error) {
		found, err := c.Attempts(ctx, after, api.MaxRows)
		for err == nil && found.Next > after {
			var more api.Attempts
			after = found.Next
			more, err = c.Attempts(ctx, after, api.MaxRows)
			found = api.Attempts{Attempts: append(found.Attempts, more.Attempts...), Next: more.Next}
		}
		return found, err
	}
}

// attempts shows one row for each attempt.
func (p page) attempts(all []api.Attempt) {
	say := p.say
	rows := [][]string{p.head(say.number, say.when, say.kind, say.actor, say.remote, say.tried, say.subject, say.reason)}
	for _, t := range all {
		rows = append(rows, []string{
			strconv.FormatInt(t.Seq, 10), p.view.texts.Moment(t.At, p.language, p.zone), printable(string(t.Kind)), printable(t.Actor),
			printable(t.Remote), printable(t.Message), printable(t.Subject), printable(t.Detail),
		})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/starter/api"
)

func (a *app) inbox() *cobra.Command {
	var (
		watch bool
		every time.Duration
	)
	cmd := &cobra.Command{
		Use: "inbox", GroupID: "work",
		Short: "Show everything that waits for you",
		Long: `Show everything that waits for you, the first due first, with the command that does it: tasks, votes, waivers, overrides and
rollbacks of runs of plans; pages that nobody has answered; promises of incidents in which you have a role; requests to decide on;
reviews; hand-overs to confirm; changes to assess, approve, check and start. With --watch it is shown anew whenever it changes.

` + finding,
		Example: "  muster inbox\n  muster inbox --watch\n  muster inbox -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if every < time.Second {
				return misused("--every %s: want 1s or more", every)
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			if watch {
				return a.watchInbox(ctx, c, every)
			}
			box, err := c.Inbox(ctx, a.language())
			if err != nil {
				return err
			}
			return a.showInbox(box)
		}),
	}
	a.clientFlags(cmd)
	a.viewFlags(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show it anew whenever it changes")
	cmd.Flags().DurationVar(&every, "every", 30*time.Second, "with --watch: look once in this `TIME`")
	return cmd
}

// watchInbox shows an inbox whenever it changes. A server that is away for a while is waited for.
func (a *app) watchInbox(ctx context.Context, c *api.Client, every time.Duration) error {
	for last, away := "", false; ; {
		box, err := c.Inbox(ctx, a.language())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && (last == "" || !passing(err)):
			return err
		case err != nil && !away:
			away = true
			a.note("muster: %v; waiting for it", err)
		case err == nil:
			away = false
			if now := fmt.Sprintf("%+v", box); now != last {
				if err := a.showInbox(box); err != nil {
					return err
				}
				last = now
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func (a *app) showInbox(box api.Inbox) error {
	return a.answer(box, func(w io.Writer) {
		p := a.page(w, box.Language, box.Zone)
		say := runLabelsIn(p.language)
		if len(box.Items) == 0 {
			a.note("%s", say.noInbox)
		} else {
			p.inbox(box.Items)
		}
		if len(box.Cut) > 0 {
			kinds := make([]string, len(box.Cut))
			for n, k := range box.Cut {
				kinds[n] = p.inboxKind(k)
			}
			a.note(say.cut, strings.Join(kinds, ", "))
		}
	})
}

// inbox shows one row for each item.
func (p page) inbox(all []api.InboxItem) {
	say := runLabelsIn(p.language)
	rows := [][]string{p.head(p.say.due, say.wanted, say.about, p.say.customer, say.waiting, say.command)}
	for _, i := range all {
		said := printable(i.Command)
		if i.Read != "" {
			said = printable(i.Read) + "\n" + said
		}
		rows = append(rows, []string{
			p.dueSoon(i.Due), p.want(i.Want), printable(p.inboxKind(i.Kind) + ", " + i.Title), printable(i.Customer), p.instant(i.Since), said,
		})
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// inboxKind is what an item is about.
func (p page) inboxKind(k api.InboxKind) string {
	switch k {
	case api.InboxIncident:
		return p.say.incident
	case api.InboxReview:
		return p.say.review
	case api.InboxRequest:
		return sheetLabelsIn(p.language).request
	case api.InboxHandover:
		return p.say.handing
	case api.InboxProblem:
		return problemLabelsIn(p.language).id
	case api.InboxChange:
		return changeLabelsIn(p.language).id
	case api.InboxPlanRun:
		return runLabelsIn(p.language).run
	case api.InboxAction:
		return actionLabelsIn(p.language).id
	case api.InboxRisk:
		return escalationLabelsIn(p.language).id
	}
	return string(k)
}

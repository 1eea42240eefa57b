package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/review"
	"muster/starter/api"
)

func (a *app) review() *cobra.Command {
	group := &cobra.Command{
		Use: "review COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short:   "Look at the review of an incident, write into it, close it",
		Long:    "Look at the post-incident review of an incident, write into it, close it. A review has the identity of its incident.\n\n" + finding,
		Example: "  muster review show " + anID + "\n  muster review note " + anID + " \"the alert came too late\"",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(
		a.showReview(),
		a.reviewing(&cobra.Command{
			Use: "note INCIDENT TEXT...", Short: "Write into the timeline of the review",
			Long:    "Write into the timeline of the review; \"-\" reads the text from the standard input.",
			Example: "  muster review note " + anID + " \"the alert came too late\"\n  muster review note " + anID + " - <findings.txt",
		}, review.Open, (*api.Client).NoteReview),
		a.reviewing(&cobra.Command{
			Use: "close INCIDENT TEXT...", Short: "End the review, and say what came of it",
			Long:    "End the review, and say what came of it; \"-\" reads the text from the standard input.",
			Example: "  muster review close " + anID + " \"two alerts changed, one runbook written\"",
		}, review.Closed, (*api.Client).CloseReview),
	)
	return group
}

func (a *app) showReview() *cobra.Command {
	return &cobra.Command{
		Use:   "show INCIDENT",
		Short: "Show a review with its facts and its timeline",
		Long: `Show where the review of an incident stands, the facts that it starts from, and what was written in it. As JSON or YAML,
durations are whole nanoseconds.`,
		Example: "  muster review show " + anID + "\n  muster review show " + anID + " --lang ko",
		Args:    wants("INCIDENT"), ValidArgsFunction: a.completeReviews(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.Review(ctx, id(args))
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.page(w, "", r.Facts.Zone).review(&r) })
		}),
	}
}

// completeReviews completes the identity of an incident, also of a closed one: that is when its review begins.
func (a *app) completeReviews() cobra.CompletionFunc {
	return a.completeIncidents(api.Filter{Limit: api.MaxRows})
}

// review shows one review on one screen.
func (p page) review(r *review.Review) {
	about, status := &r.Facts, p.paint(yellow, p.say.reviewOpen)
	if r.Status == review.Closed {
		status = p.paint(dim, p.say.reviewClosed)
	}
	if r.Overdue {
		status += ", " + p.paint(red, p.say.overdue)
	}
	fmt.Fprintln(p.w, p.paint(bold, printable(string(about.Incident))+"  "+printable(about.Title)))
	fmt.Fprintf(p.w, "%s: %s (%s)\n\n", p.say.review, status, p.pressing(about.Priority))
	f := facts{page: p}
	f.add(p.say.service, printable(about.Service))
	f.add(p.say.customers, printable(strings.Join(about.Customers, ", ")))
	f.add(p.say.due, p.at(r.Due))
	f.add(p.say.started, p.at(about.Times.Started))
	f.add(p.say.resolved, p.at(about.Times.Resolved))
	for _, i := range about.Intervals {
		f.add(p.phase(i.Phase), p.view.texts.Duration(i.Took, p.language))
	}
	if about.Reopened > 0 {
		f.add(p.say.reopened, strconv.Itoa(about.Reopened))
	}
	p.rows(p.w, f.rows, text.WrapSoft)
	p.history(r.Timeline)
}

// phase is the name of a phase of an incident.
func (p page) phase(phase review.Phase) string {
	switch phase {
	case review.Detect:
		return p.say.detect
	case review.Engage:
		return p.say.engage
	case review.Diagnose:
		return p.say.diagnose
	case review.Mitigate:
		return p.say.mitigate
	}
	return printable(string(phase))
}

// A reviewed says where a review stands after a command.
type reviewed struct {
	ID     incident.ID   `json:"id"`
	Status review.Status `json:"status"`
}

// reviewing makes a command that writes a text into a review; after it the review has a status.
func (a *app) reviewing(
	cmd *cobra.Command, after review.Status, ask func(c *api.Client, ctx context.Context, id incident.ID, text, key string) error,
) *cobra.Command {
	var key string
	cmd.Args, cmd.ValidArgsFunction = wants("INCIDENT", "TEXT..."), a.completeReviews()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		words, err := a.text(args[1:])
		if err != nil {
			return err
		}
		if err := a.once(key, func(key string) error { return ask(c, ctx, id(args), words, key) }); err != nil {
			return err
		}
		return a.answer(reviewed{id(args), after}, func(w io.Writer) {
			p := a.page(w, "", "")
			done := p.say.reviewNoted
			if after == review.Closed {
				done = p.say.reviewEnded
			}
			fmt.Fprintln(w, printable(fmt.Sprintf(done, id(args))))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

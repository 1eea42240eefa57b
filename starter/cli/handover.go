package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/handover"
	"muster/starter/api"
)

// handover are the commands that hand a schedule over.
func (a *app) handover() []*cobra.Command {
	return []*cobra.Command{
		a.handOver(), a.takeOver(), a.briefing(),
		a.tells(&cobra.Command{
			Use: "decline SCHEDULE REASON...", Short: "Let the schedule stay with whoever hands it over",
			Long: "Say that you cannot take the schedule over, or take back what you have handed over yourself. It stays with the outgoing\n" +
				"person; \"-\" reads the reason from the standard input.",
			Example: "  muster oncall decline primary \"I am ill\"",
		}, "REASON...", (*api.Client).DeclineHandover, func(l labels) string { return l.handKept }),
		a.tells(&cobra.Command{
			Use: "note SCHEDULE TEXT...", Short: "Write into the timeline of the hand-over",
			Long:    "Write into the timeline of the hand-over while it is under way; \"-\" reads the text from the standard input.",
			Example: "  muster oncall note primary \"she is on the train until nine\"",
		}, "TEXT...", (*api.Client).NoteHandover, func(l labels) string { return l.handNoted }),
	}
}

func (a *app) handOver() *cobra.Command {
	var (
		asked api.NewHandover
		key   string
	)
	cmd := &cobra.Command{
		Use:   "handover SCHEDULE NOTE...",
		Short: "Hand the schedule over to the next on-call person",
		Long: `Hand the schedule over with the open incidents that concern it: their promises, and the roles that you have in them. The
incoming person is asked to confirm and reminded half-way. Until it is confirmed it stays yours; after the time others are paged
every 15 minutes, for a day at most. "-" reads the note from the standard input.`,
		Example: "  muster oncall handover primary --to park \"the batch at 03:00 may fail\"\n  muster oncall handover primary --within 30m - <notes.txt",
		Args:    wants("SCHEDULE", "NOTE..."), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			if asked.Note, err = a.text(args[1:]); err != nil {
				return err
			}
			var h handover.Handover
			err = a.once(key, func(key string) (err error) {
				h, err = c.StartHandover(ctx, args[0], asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(h, func(w io.Writer) {
				p := a.page(w, "", h.Zone)
				fmt.Fprintln(w, printable(fmt.Sprintf(p.say.handedOver, h.Schedule, h.Incoming.Shown(), p.instant(h.Due))))
				p.items(&h)
			})
		}),
	}
	cmd.Flags().StringVar(&asked.To, "to", "", "`PERSON` who takes it over, by id; default: whoever is on call now, if that is not you")
	cmd.Flags().StringVar(&asked.Within, "within", "", "`TIME` within which it wants to be confirmed, 1m to 12h; default: 15m")
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("within", cobra.NoFileCompletions)
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) takeOver() *cobra.Command {
	var (
		asked handover.Confirm
		key   string
	)
	cmd := &cobra.Command{
		Use:   "confirm SCHEDULE [NOTE...]",
		Short: "Take the schedule over",
		Long: `Confirm that you take the schedule over. The roles that the outgoing person still has in the incidents become yours; those that
could not are shown, and the same command again tries them again. Whoever steps in for the incoming person says so with
--instead-of. "-" reads the note from the standard input.`,
		Example: "  muster oncall confirm primary\n  muster oncall confirm primary \"good night\"\n  muster oncall confirm primary --instead-of park",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return wants("SCHEDULE")(nil, args)
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			if len(args) > 1 {
				if asked.Note, err = a.text(args[1:]); err != nil {
					return err
				}
			}
			var r api.HandoverReceipt
			err = a.once(key, func(key string) (err error) {
				r, err = c.ConfirmHandover(ctx, args[0], asked, key)
				return err
			})
			if err != nil {
				return err
			}
			err = a.answer(r, func(w io.Writer) {
				p := a.page(w, "", "")
				fmt.Fprintln(w, printable(fmt.Sprintf(p.say.handTaken, r.Schedule, r.Roles)))
				p.failures(r.Failures)
			})
			if err == nil && len(r.Failures) > 0 {
				err = errors.New(numbered("%d role(|s) (has|have) not gone over: repeat it, or assign (it|them) by muster incident assign", len(r.Failures)))
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&asked.InsteadOf, "instead-of", "", "`PERSON` for whom you step in, by id")
	_ = cmd.RegisterFlagCompletionFunc("instead-of", cobra.NoFileCompletions)
	keyFlag(cmd, &key)
	return cmd
}

// tells makes a command that writes a text into a hand-over.
func (a *app) tells(
	cmd *cobra.Command, words string, ask func(c *api.Client, ctx context.Context, schedule, text, key string) (api.HandoverReceipt, error),
	done func(labels) string,
) *cobra.Command {
	var key string
	cmd.Args, cmd.ValidArgsFunction = wants("SCHEDULE", words), cobra.NoFileCompletions
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		said, err := a.text(args[1:])
		if err != nil {
			return err
		}
		var r api.HandoverReceipt
		err = a.once(key, func(key string) (err error) {
			r, err = ask(c, ctx, args[0], said, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			fmt.Fprintln(w, printable(fmt.Sprintf(done(a.page(w, "", "").say), r.Schedule)))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) briefing() *cobra.Command {
	return &cobra.Command{
		Use:   "briefing SCHEDULE",
		Short: "Show what was handed over, and where the hand-over stands",
		Long: `Show the newest hand-over of a schedule: from whom to whom, the note, what goes over, and what has happened. As JSON or YAML,
durations are whole nanoseconds.`,
		Example: "  muster oncall briefing primary\n  muster oncall briefing primary -o json",
		Args:    wants("SCHEDULE"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			h, err := c.Handover(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(h, func(w io.Writer) { a.page(w, "", h.Zone).briefing(&h) })
		}),
	}
}

// briefing shows one hand-over on one screen.
func (p page) briefing(h *handover.Handover) {
	fmt.Fprintln(p.w, p.paint(bold, printable(fmt.Sprintf("%s  %s → %s", h.Schedule, h.Outgoing.Shown(), h.Incoming.Shown()))))
	fmt.Fprintf(p.w, "%s: %s\n\n", p.say.handing, p.handStatus(h.Status))
	f := facts{page: p}
	f.add(p.say.handNote, printable(h.Note))
	f.add(p.say.handBegun, p.at(h.Opened))
	if h.Status == handover.Open {
		f.add(p.say.due, p.at(h.Due))
	} else {
		f.add(p.say.handEnded, p.at(h.Ended))
		f.add(p.say.handWords, printable(h.Words))
	}
	if h.Rounds > 0 {
		f.add(p.say.handRounds, strconv.Itoa(h.Rounds))
	}
	p.rows(p.w, f.rows, text.WrapSoft)
	p.items(h)
	p.failures(h.Failures)
	p.history(h.Timeline)
}

func (p page) handStatus(s handover.Status) string {
	switch s {
	case handover.Open:
		return p.paint(yellow, p.say.handOpen)
	case handover.Confirmed:
		return p.paint(green, p.say.handConfirmed)
	case handover.Declined:
		return p.paint(red, p.say.handDeclined)
	case handover.Lapsed:
		return p.paint(red, p.say.handLapsed)
	}
	return printable(string(s))
}

// items shows what goes over, one row for each incident.
func (p page) items(h *handover.Handover) {
	if len(h.Items) > 0 {
		rows := [][]string{p.head(p.say.incident, p.say.priority, p.say.status, p.say.roles, p.say.promise, p.say.title)}
		for _, i := range h.Items {
			var roles, promises []string
			for _, r := range i.Roles {
				roles = append(roles, p.view.texts.Role(r, p.language))
			}
			for _, next := range []*handover.Promise{i.Next, i.Update} {
				if next != nil {
					promises = append(promises, fmt.Sprintf("%s, %s, %s", next.Customer, p.view.texts.Target(next.Target, p.language), p.instant(next.Due)))
				}
			}
			rows = append(rows, []string{
				printable(string(i.Incident)), p.pressing(i.Priority), p.status(i.Status), printable(strings.Join(roles, ", ")),
				printable(strings.Join(promises, "; ")), printable(i.Title),
			})
		}
		fmt.Fprintln(p.w)
		p.rows(p.w, rows, cut)
	}
	if h.Unseen > 0 {
		fmt.Fprintln(p.w, numbered(p.say.handUnseen, h.Unseen))
	}
}

// failures shows the roles that have not gone over.
func (p page) failures(all []handover.Failure) {
	for _, f := range all {
		fmt.Fprintln(p.w, p.paint(red, printable(fmt.Sprintf(p.say.handFailed, f.Incident, f.Role, f.Detail))))
	}
}

package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/report"
	"muster/internal/review"
	"muster/starter/api"
)

func (a *app) review() *cobra.Command {
	group := &cobra.Command{
		Use: "review COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Write, approve, publish and close the reviews of incidents",
		Long: `Write what an incident has taught, have it approved, publish it, close the review. Its facts are gathered from the incident.
A review has the identity of its incident.

` + finding,
		Example: "  muster review list\n  muster review show " + anID + "\n  muster review write " + anID + " impact \"Nobody could pay for an hour\"\n" +
			"  muster review submit " + anID,
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(
		a.listReviews(), a.showReview(), a.openReview(), a.reviewReport(), a.factor(), a.pattern(), a.meeting(), a.customerText(), a.closeReview(),
		a.approveText(), a.publishText(), a.rejectText(),
		a.asksReview(&cobra.Command{
			Use: "note INCIDENT TEXT...", Short: "Write into the timeline of the review",
			Long:    "Write into the timeline of the review; \"-\" reads the text from the standard input.",
			Example: "  muster review note " + anID + " \"the alert came too late\"\n  muster review note " + anID + " - <findings.txt",
		}, func(_ []string, text string) (review.Command, error) { return review.Note{Text: text}, nil }),
		a.writeReview(),
		a.asksReview(&cobra.Command{
			Use: "submit INCIDENT", Short: "Submit the draft, for somebody else to approve",
			Long: "Submit the draft. It has to have the impact, an answer to each of the four questions, a contributing factor and the pattern;\n" +
				"somebody else approves it.",
			Example: "  muster review submit " + anID,
		}, func([]string, string) (review.Command, error) { return review.Submit{}, nil }),
		a.asksReview(&cobra.Command{
			Use: "invite INCIDENT VENDOR NAME TEXT...", Short: "Invite the engineer of a vendor",
			Long:    "Invite the engineer of a vendor, whose contacts are told; \"-\" reads the text from the standard input.",
			Example: "  muster review invite " + anID + " mega \"Ms Vega\" \"Thursday at ten, by video\"",
		}, func(args []string, text string) (review.Command, error) {
			return review.Invite{Vendor: args[1], Name: args[2], Note: text}, nil
		}),
	)
	return group
}

// asksReview makes a command that asks something of a review. Its last argument is a text, where its use says so.
func (a *app) asksReview(cmd *cobra.Command, command func(args []string, text string) (review.Command, error)) *cobra.Command {
	var key string
	words := strings.Fields(cmd.Use)[1:]
	at := slices.Index(words, "TEXT...")
	cmd.Args, cmd.ValidArgsFunction = wants(words...), a.completeReviews()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		var said string
		var err error
		if at > 0 {
			if said, err = a.text(args[at:]); err != nil {
				return err
			}
		}
		asked, err := command(args, said)
		if err != nil {
			return err
		}
		return a.askReview(ctx, c, id(args), asked, key)
	})
	keyFlag(cmd, &key)
	return cmd
}

// askReview asks and says where the review stands.
func (a *app) askReview(ctx context.Context, c *api.Client, of incident.ID, asked review.Command, key string) error {
	var r api.ReviewReceipt
	err := a.once(key, func(key string) (err error) {
		r, err = c.AskReview(ctx, of, asked, key)
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(r, func(w io.Writer) {
		p := a.page(w, "", "")
		done := p.say.reviewNoted
		if r.Status == review.Closed {
			done = p.say.reviewEnded
		}
		fmt.Fprintln(w, printable(fmt.Sprintf(done, r.ID)))
		for _, audience := range r.Void {
			if audience == review.Internal {
				audience = p.view.texts.Word("review-text", audience, p.language)
			}
			fmt.Fprintln(w, printable(fmt.Sprintf(p.say.reviewVoid, audience)))
		}
		if _, noted := asked.(review.Note); !noted {
			p.reviewNext(string(r.ID), r.Next, 3)
		}
	})
}

func (a *app) listReviews() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the reviews that are open, the newest first",
		Long:    "List the reviews that are open, the newest first, with what is due next; with --all those that are closed too.",
		Example: "  muster review list\n  muster review list --all\n  muster review list -o json",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			page, err := c.Reviews(ctx, all)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Reviews) == 0 {
					if all {
						a.none("no reviews", "사후 분석이 없습니다")
					} else {
						a.none("no open reviews", "열린 사후 분석이 없습니다")
					}
					return
				}
				p := a.page(w, page.Language, page.Zone)
				rows := [][]string{p.head(p.say.review, p.say.priority, p.say.service, p.say.opened, p.say.next)}
				for _, r := range page.Reviews {
					next := ""
					switch {
					case !r.ClosedAt.IsZero():
						next = p.paint(dim, p.say.reviewClosed)
					case !r.NextDue.IsZero():
						next = strings.TrimSpace(p.view.texts.Word("review-stage", string(r.Stage), p.language) + " " + p.away(r.NextDue, p.say.in, p.say.over))
					}
					rows = append(rows, []string{
						printable(string(r.ID)), p.pressing(r.Priority), printable(r.Service), p.instant(r.Opened), next,
					})
				}
				p.rows(p.w, rows, cut)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are closed too")
	return cmd
}

// reviewNext shows what is still to be done, with the commands that do it: so many, and how many more there are.
func (p page) reviewNext(id string, all []review.Next, most int) {
	for n, line := range p.reviewSteps(id, all) {
		switch {
		case n == most:
			fmt.Fprintln(p.w, printable(fmt.Sprintf(p.say.reviewMore, len(all)-most, id)))
			return
		case n == 0:
			fmt.Fprintln(p.w, p.say.reviewNext+":")
		}
		fmt.Fprintln(p.w, "  "+line)
	}
}

// reviewSteps are the commands that do what is still to be done.
func (p page) reviewSteps(id string, all []review.Next) (lines []string) {
	for _, n := range all {
		line := printable(n.Command(id, p.say.reviewText))
		if n.Step == review.ToApprove {
			line += "  (" + p.view.texts.Word("side", "anybody", p.language) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func (a *app) openReview() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "open INCIDENT", Short: "Open the review of an incident that has not opened one",
		Long:    "Open the review of an incident that is resolved and has not opened one. What is due when counts from now.",
		Example: "  muster review open " + anID, Args: wants("INCIDENT"), ValidArgsFunction: a.completeReviews(),
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		var r api.ReviewReceipt
		err := a.once(key, func(key string) (err error) {
			r, err = c.OpenReview(ctx, id(args), key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", "")
			fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), p.say.reviewOpen)
			p.reviewNext(string(r.ID), r.Next, 3)
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) reviewReport() *cobra.Command {
	var format, file, customer string
	cmd := &cobra.Command{
		Use: "report INCIDENT", Short: "Write the report of the review as of now",
		Long:    "Write the internal report of the review as of now; with --customer the text for a customer, and before somebody has written it\nthe engine's draft.",
		Example: "  muster review report " + anID + "\n  muster review report " + anID + " --customer garam --format pdf --file report.pdf",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(report.Formats(), report.Format(format)) {
				return misused("--format %q: want %s", format, joined(report.Formats()))
			}
			if format == string(report.PDF) && file == "" && a.onTerminal() {
				return misused("a PDF is not for a terminal: want --file FILE")
			}
			return wants("INCIDENT")(nil, args)
		},
		ValidArgsFunction: a.completeReviews(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			text, err := c.ReviewReport(ctx, id(args), customer, report.Format(format), a.language())
			if err != nil {
				return err
			}
			return a.save(file, text)
		}),
	}
	cmd.Flags().StringVar(&format, "format", string(report.Markdown), "`FORMAT`: "+joined(report.Formats()))
	a.fileFlag(cmd, &file)
	cmd.Flags().StringVar(&customer, "customer", "", "the text for this customer, by `ID`")
	_ = cmd.RegisterFlagCompletionFunc("format", completions(report.Formats()))
	return cmd
}

func (a *app) writeReview() *cobra.Command {
	cmd := a.asksReview(&cobra.Command{
		Use: "write INCIDENT SECTION TEXT...", Short: "Write a section of the review",
		Long: "Write a section of the review, in place of what stands there; \"-\" reads the text from the standard input.\n\nSections: " +
			joined(review.Keys()) + ".",
		Example: "  muster review write " + anID + " impact \"Nobody could pay for an hour\"\n  muster review write " + anID + " detect - <detect.txt",
	}, func(args []string, text string) (review.Command, error) {
		if !slices.Contains(review.Keys(), review.Key(args[1])) {
			return nil, misused("SECTION %q: want %s", args[1], joined(review.Keys()))
		}
		return review.Write{Section: review.Key(args[1]), Text: text}, nil
	})
	cmd.ValidArgsFunction = func(c *cobra.Command, args []string, to string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return completions(review.Keys())(c, args, to)
		}
		return a.completeReviews()(c, args, to)
	}
	return cmd
}

func (a *app) factor() *cobra.Command {
	var remove int
	var key string
	cmd := &cobra.Command{
		Use: "factor INCIDENT [KIND TEXT...]", Short: "Add a contributing factor, or take one out",
		Long: "Add a contributing factor: there is seldom only one. With --remove take one out; show prints their numbers. \"-\" reads the text\n" +
			"from the standard input.\n\nKinds: " + joined(review.FactorKinds()) + ".",
		Example: "  muster review factor " + anID + " process \"nobody was told of the deployment\"\n  muster review factor " + anID + " --remove 2",
		Args: func(_ *cobra.Command, args []string) error {
			if remove > 0 {
				return wants("INCIDENT")(nil, args)
			}
			if err := wants("INCIDENT", "KIND", "TEXT...")(nil, args); err != nil {
				return err
			}
			if !slices.Contains(review.FactorKinds(), review.FactorKind(args[1])) {
				return misused("KIND %q: want %s", args[1], joined(review.FactorKinds()))
			}
			return nil
		},
		ValidArgsFunction: a.completeReviews(),
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		if remove > 0 {
			return a.askReview(ctx, c, id(args), review.RemoveFactor{Number: remove}, key)
		}
		text, err := a.text(args[2:])
		if err != nil {
			return err
		}
		return a.askReview(ctx, c, id(args), review.AddFactor{Kind: review.FactorKind(args[1]), Text: text}, key)
	})
	cmd.Flags().IntVar(&remove, "remove", 0, "take out the factor of this `NUMBER`")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) pattern() *cobra.Command {
	var p review.SetPattern
	cmd := a.asksReview(&cobra.Command{
		Use: "pattern INCIDENT", Short: "Say by what the same is recognised again, and what helps",
		Long:    "Say by what the next responder recognises the same again: the symptom, the cause, and the remedy. A review closes only with it.",
		Example: "  muster review pattern " + anID + " --symptom \"checkout answers 500\" --cause \"the pool is full\" --remedy \"restart, then a larger pool\"",
	}, func([]string, string) (review.Command, error) { return p, nil })
	for _, f := range []struct {
		into        *string
		name, usage string
	}{
		{&p.Symptom, "symptom", "`TEXT` that says what is seen"},
		{&p.Cause, "cause", "`TEXT` that says why it happens"},
		{&p.Remedy, "remedy", "`TEXT` that says what helps"},
	} {
		cmd.Flags().StringVar(f.into, f.name, "", f.usage)
		_ = cmd.MarkFlagRequired(f.name)
		_ = cmd.RegisterFlagCompletionFunc(f.name, cobra.NoFileCompletions)
	}
	return cmd
}

func (a *app) meeting() *cobra.Command {
	var who []string
	var at string
	cmd := a.asksReview(&cobra.Command{
		Use: "meeting INCIDENT TEXT...", Short: "Record the review meeting with its minutes",
		Long:    "Record the review meeting: who was there, and its minutes; \"-\" reads the minutes from the standard input. " + times,
		Example: "  muster review meeting " + anID + " - --who Kim --who \"Ms Vega\" <minutes.txt",
	}, func(_ []string, text string) (review.Command, error) {
		held := review.HoldMeeting{Who: who, Minutes: text}
		if at != "" {
			var err error
			if held.At, err = a.clockTime("--at", at); err != nil {
				return nil, err
			}
		}
		return held, nil
	})
	cmd.Flags().StringArrayVar(&who, "who", nil, "`NAME` of somebody who was there; for several, several times")
	cmd.Flags().StringVar(&at, "at", "", "`TIME` at which it was held, such as \"2026-11-30 10:00\"; default: now")
	_ = cmd.MarkFlagRequired("who")
	_ = cmd.RegisterFlagCompletionFunc("who", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("at", cobra.NoFileCompletions)
	return cmd
}

func (a *app) customerText() *cobra.Command {
	return a.asksReview(&cobra.Command{
		Use: "text INCIDENT CUSTOMER TEXT...", Short: "Write the text for a customer",
		Long: `Write what a customer gets to read; "-" reads it from the standard input. The engine drafts the facts and the headings, which
muster review report --customer prints; what happened and why is written by a person. One technical and one non-technical person
approve it, neither of whom has written it; any change voids what was approved.`,
		Example: "  muster review report " + anID + " --customer garam >text.md\n  muster review text " + anID + " garam - <text.md",
	}, func(args []string, text string) (review.Command, error) {
		return review.WriteText{Customer: args[1], Text: review.Prose(text)}, nil
	})
}

// onText makes a command on a text as it is now, or as its SHA-256 says.
func (a *app) onText(cmd *cobra.Command, command func(audience, sha256, text string) review.Command) *cobra.Command {
	var key, sha256 string
	words := strings.Fields(cmd.Use)[1:]
	cmd.Args, cmd.ValidArgsFunction = wants(words...), a.completeReviews()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		said := ""
		var err error
		if len(words) > 2 {
			if said, err = a.text(args[2:]); err != nil {
				return err
			}
		}
		shown := sha256
		if shown == "" {
			r, err := c.Review(ctx, id(args))
			if err != nil {
				return err
			}
			if t := r.Text(args[1]); t != nil {
				shown = t.SHA256
			}
			if r.Partial && shown == "" {
				shown = "unseen" // for the server to refuse: what is not shown is not for whoever asks to decide on
			}
			if shown == "" {
				return fmt.Errorf("review of %s: text for %q: it is not written yet", id(args), args[1])
			}
		}
		return a.askReview(ctx, c, id(args), command(args[1], shown, said), key)
	})
	cmd.Flags().StringVar(&sha256, "sha256", "", "`HASH` of what you have read, or how it begins, as show prints it; default: the text as it is now")
	_ = cmd.RegisterFlagCompletionFunc("sha256", cobra.NoFileCompletions)
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) approveText() *cobra.Command {
	return a.onText(&cobra.Command{
		Use: "approve INCIDENT AUDIENCE", Short: "Approve a text as it is",
		Long:    "Approve a text as it is: \"internal\", or that of a customer by its ID. Whoever has written it may not.",
		Example: "  muster review approve " + anID + " internal\n  muster review approve " + anID + " garam --sha256 9f86d0…",
	}, func(audience, sha256, _ string) review.Command {
		return review.Approve{Audience: audience, SHA256: sha256}
	})
}

func (a *app) rejectText() *cobra.Command {
	return a.onText(&cobra.Command{
		Use: "reject INCIDENT AUDIENCE REASON...", Short: "Reject a text as it is",
		Long:    "Reject a text as it is: it has to be written anew before it can be published; \"-\" reads the reason from the standard input.",
		Example: "  muster review reject " + anID + " garam \"nobody understands it\"",
	}, func(audience, sha256, text string) review.Command {
		return review.Reject{Audience: audience, SHA256: sha256, Reason: text}
	})
}

func (a *app) publishText() *cobra.Command {
	return a.onText(&cobra.Command{
		Use: "publish INCIDENT AUDIENCE", Short: "Publish a text that was approved",
		Long:    "Publish a text that was approved: \"internal\" tells who has responded, that of a customer goes to its contacts. A machine may not.",
		Example: "  muster review publish " + anID + " internal\n  muster review publish " + anID + " garam",
	}, func(audience, sha256, _ string) review.Command {
		return review.PublishText{Audience: audience, SHA256: sha256}
	})
}

func (a *app) closeReview() *cobra.Command {
	var without string
	cmd := a.asksReview(&cobra.Command{
		Use: "close INCIDENT TEXT...", Short: "End the review, and say what came of it",
		Long: "End the review, and say what came of it; \"-\" reads the text from the standard input. It needs the pattern, its internal text\n" +
			"published or a reason why not, and no text that still waits.",
		Example: "  muster review close " + anID + " \"two alerts changed, one runbook written\"\n  muster review close " + anID + " done --without \"it was a drill\"",
	}, func(_ []string, text string) (review.Command, error) {
		return review.Close{Text: text, Without: without}, nil
	})
	cmd.Flags().StringVar(&without, "without", "", "`REASON` why its internal text is not published")
	_ = cmd.RegisterFlagCompletionFunc("without", cobra.NoFileCompletions)
	return cmd
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
	p.studied(r)
	p.history(r.Timeline)
}

// studied shows what was written in a review and what it still lacks.
func (p page) studied(r *review.Review) {
	word := func(axis, code string) string { return printable(p.view.texts.Word(axis, code, p.language)) }
	f := facts{page: p}
	for _, d := range r.Deadlines {
		stands := p.at(d.Due)
		if !d.Done.IsZero() {
			stands = p.instant(d.Done)
		}
		if d.Missed() {
			stands += ", " + p.paint(red, p.say.overdue)
		}
		f.add(word("review-stage", string(d.Stage)), stands)
	}
	for _, c := range r.Changes {
		f.add(p.say.changedBefore, fmt.Sprintf("%s %s, %s: %s (%s)", p.instant(c.At), printable(c.Environment), printable(c.Task), printable(c.Title), printable(c.Run)))
	}
	for _, k := range review.Keys() {
		if text := r.Section(k); text != "" {
			f.add(word("review-section", string(k)), paragraphs(text)...)
		}
	}
	for _, x := range r.Factors {
		f.add(fmt.Sprintf("%d %s", x.Number, word("factor", string(x.Kind))), paragraphs(x.Text)...)
	}
	if x := r.Pattern; x != nil {
		f.add(word("review-pattern", "symptom"), paragraphs(x.Symptom)...)
		f.add(word("review-pattern", "cause"), paragraphs(x.Cause)...)
		f.add(word("review-pattern", "remedy"), paragraphs(x.Remedy)...)
	}
	for _, x := range r.Actions {
		f.add(printable(x.ID), printable(x.Title))
	}
	for n := range r.Texts {
		t := &r.Texts[n]
		if t.SHA256 == "" {
			continue
		}
		lines := []string{t.SHA256}
		switch {
		case !t.Published.IsZero():
			lines = append(lines, word("review-text", "published")+" "+p.instant(t.Published))
		case t.Rejected():
			lines = append(lines, p.paint(red, word("review-text", "rejected")))
		case t.Approved():
			lines = append(lines, word("review-text", "approved"))
		default:
			for _, side := range t.Lacks() {
				if t.Audience == review.Internal {
					side = "anybody"
				}
				lines = append(lines, fmt.Sprintf("%s: %s", word("review-text", "lacks"), word("side", string(side))))
			}
		}
		f.add(printable(cmp.Or(t.Name, word("review-text", t.Audience))), lines...)
	}
	if !r.Partial {
		f.add(p.say.reviewNext, p.reviewSteps(string(r.Facts.Incident), r.Next())...)
	}
	if len(f.rows) > 0 {
		fmt.Fprintln(p.w)
		p.rows(p.w, f.rows, text.WrapSoft)
	}
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

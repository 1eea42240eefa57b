package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/action"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/wholefile"
	"muster/starter/api"
)

const anAction = "ACT-7K3M9QX2PA" // in examples

func (a *app) action() *cobra.Command {
	group := &cobra.Command{
		Use: "action COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Open action items, do them, verify them",
		Long: `Open action items and see that they are done. The owner is reminded before, at and after the due instant, and the group behind
the owner with them after it. What is done needs evidence and another person who verifies it; some weeks later somebody says whether
it has helped, and where it has not, it is open again.

` + finding,
		Example: "  muster action open \"Alert on full pools\" --kind detect --owner choi --group noc --due 2026-12-31T18:00:00+09:00\n" +
			"  muster action list --overdue\n  muster action done " + anAction + " https://git.example/changes/204\n  muster action verify " + anAction + " yes",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.openAction(), a.listActions(), a.showAction(), a.doneAction(), a.extendAction(), a.assignAction(), a.proposals(),
		a.judgesAction("verify", "Say whether it is done", "Say whether it is done. Neither who has done it nor its owner may; with \"no\" it is open again, and a NOTE says why.",
			func(r action.Result, note string) action.Command { return action.Verify{Result: r, Note: note} }),
		a.judgesAction("effect", "Say whether it has helped", "Say whether it has helped, which closes it. Neither who has done it nor its owner may; with \"no\" it is open again, and a\nNOTE says why.",
			func(r action.Result, note string) action.Command { return action.CheckEffect{Result: r, Note: note} }),
		a.asksAction(&cobra.Command{
			Use: "cancel ACTION REASON...", Short: "Say that it is not done",
			Long:    "Say that it is not done. Its owner may not; whoever is in the group behind the owner may. \"-\" reads the reason from the\nstandard input.",
			Example: "  muster action cancel " + anAction + " \"the service is gone\"",
		}, 1, func(_ []string, text string) (action.Command, error) { return action.Cancel{Reason: text}, nil }),
		a.asksAction(&cobra.Command{
			Use: "note ACTION TEXT...", Short: "Write into the timeline of an action item",
			Long:    "Write into the timeline of an action item, which customers do not see; \"-\" reads the text from the standard input.",
			Example: "  muster action note " + anAction + " \"ordered the parts\"",
		}, 1, func(_ []string, text string) (action.Command, error) { return action.Note{Text: text}, nil }),
	)
	return group
}

// actionLabels are the words of one language that stand beside an action item.
type actionLabels struct {
	id, item, owner, gone, group, opened, kind, priority, origin, ticket, text, public, extended, reopened, evidence, done, verifier, check, said, ended, noted string

	proposal, proposals, none, came string
}

func actionLabelsIn(language string) actionLabels {
	if language == "ko" {
		return actionLabels{
			id: "개선 과제", item: "할 일", owner: "담당자", gone: "%s (찾을 수 없음)", group: "지원 그룹", opened: "등록자", kind: "목적", priority: "우선순위", origin: "근거",
			ticket: "티켓", text: "내용", public: "고객사에 공개", extended: "기한 연장", reopened: "다시 열림", evidence: "증적", done: "수행한 사람", verifier: "검증한 사람",
			check: "효과 확인", said: "최근 의견", ended: "끝난 시각", noted: "%s: 타임라인에 기록", proposal: "제안", proposals: "조직 폴더 보완 제안", none: "제안 없음", came: "등록한 개선 과제",
		}
	}
	return actionLabels{
		id: "Action item", item: "What", owner: "Owner", gone: "%s (not found)", group: "Behind", opened: "Opened by", kind: "Kind", priority: "Priority", origin: "Came of",
		ticket: "Ticket", text: "Text", public: "Public to", extended: "Extended", reopened: "Reopened", evidence: "Evidence", done: "Done by", verifier: "Verified by",
		check: "Effect asked", said: "Last words", ended: "Ended", noted: "%s: recorded in its timeline", proposal: "Proposal",
		proposals: "Proposed additions to the organisation folder", none: "Nothing is proposed.", came: "Action items that came of it",
	}
}

func (a *app) openAction() *cobra.Command {
	var (
		asked                        api.NewAction
		kind, pressing, due, of, key string
		proposed                     string
	)
	cmd := &cobra.Command{
		Use: "open TITLE...", Short: "Open an action item",
		Long: `Open an action item with an owner, a group behind the owner and a due instant. --of names what it came of: an incident, the review
of an incident ("review:" before the incident), a problem ("problem:" before it), or the run of a plan.

--propose checklist:ID or runbook:ID says that --proposal should be added there; muster action proposals collects it.

Kinds: ` + joined(action.Kinds()) + `. ` + times,
		Example: "  muster action open \"Alert on full pools\" --kind detect --owner choi --group noc --due 2026-12-31T18:00:00+09:00 --of review:" + anID,
		Args: func(_ *cobra.Command, args []string) error {
			for _, f := range []struct{ name, value string }{{"kind", kind}, {"owner", asked.Owner}, {"group", asked.Group}, {"due", due}} {
				if f.value == "" {
					return misused("--%s: missing", f.name)
				}
			}
			return wants("TITLE...")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			asked.Title = strings.Join(args, " ")
			if asked.Due, err = a.clockTime("--due", due); err != nil {
				return err
			}
			if err := readAction(&asked, kind, pressing, of, proposed); err != nil {
				return err
			}
			var item action.Action
			err = a.once(key, func(key string) (err error) {
				item, err = c.OpenAction(ctx, asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(item, func(w io.Writer) { a.sheetIn(w, item.Zone).action(&item) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "`KIND`: "+joined(action.Kinds()))
	f.StringVar(&pressing, "priority", "P3", "`PRIORITY`: P1 to P5")
	f.StringVar(&asked.Owner, "owner", "", "`ID` of the person who owns it")
	f.StringVar(&asked.Group, "group", "", "`ID` of the group behind the owner")
	f.StringVar(&due, "due", "", "`TIME` until which it is to be done, such as 2026-12-31T18:00:00+09:00")
	f.StringVar(&asked.Text, "text", "", "`TEXT` that says what is to be done")
	f.StringVar(&asked.Ticket, "ticket", "", "`TICKET` about it")
	f.StringVar(&of, "of", "", "`ID` of what it came of, such as "+anID+", review:"+anID+", problem:ID or "+aRun)
	f.StringVar(&asked.Customer, "customer", "", "`ID` of the customer that it is about")
	f.StringVar(&asked.Service, "service", "", "`ID` of the service; default: that of the incident")
	f.BoolVar(&asked.Public, "public", false, "let that customer see it")
	f.IntVar(&asked.Effect, "effect", 0, "`DAYS` after which it is asked whether it has helped; default: 30")
	f.StringVar(&proposed, "propose", "", "`WHERE` the proposal should be added: checklist:ID or runbook:ID")
	f.StringVar(&asked.Proposal, "proposal", "", "`TEXT` that should be added there")
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(action.Kinds()))
	keyFlag(cmd, &key)
	return cmd
}

// readAction reads what the flags say.
func readAction(asked *api.NewAction, kind, pressing, of, proposed string) error {
	if asked.Kind = action.Kind(kind); !slices.Contains(action.Kinds(), asked.Kind) {
		return misused("--kind %q: want one of %s", kind, joined(action.Kinds()))
	}
	p, err := priority.Parse(pressing)
	if err != nil {
		return misused("--priority %q: want P1 to P5", pressing)
	}
	asked.Priority = int(p)
	if of != "" {
		before, id, named := strings.Cut(of, ":")
		switch {
		case named:
		case planrun.ID(strings.ToUpper(of)).Valid():
			before, id = string(action.OfRun), of
		default:
			before, id = string(action.OfIncident), of
		}
		if asked.OriginKind, asked.Origin = action.OriginKind(before), id; !slices.Contains(action.OriginKinds(), asked.OriginKind) {
			return misused("--of %q: want one such as %s, review:%s, problem:ID or %s", of, anID, anID, aRun)
		}
	}
	if proposed != "" {
		before, id, _ := strings.Cut(proposed, ":")
		if asked.ProposalFor, asked.ProposalID = action.Shelf(before), id; !slices.Contains(action.Shelves(), asked.ProposalFor) || id == "" {
			return misused("--propose %q: want checklist:ID or runbook:ID", proposed)
		}
	}
	return nil
}

func (a *app) listActions() *cobra.Command {
	var (
		f      api.ActionFilter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List action items, the newest first",
		Long:    "List action items that are not over, the newest first; with --all or --status the others too.",
		Example: "  muster action list --owner choi\n  muster action list --overdue\n  muster action list --all --of " + anID + " -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(action.Statuses(), action.Status(status)) {
				return misused("--status %q: want %s", status, joined(action.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = action.Status(status), !all && status == ""
			page, err := c.Actions(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Actions) == 0 {
					a.none("no action items", "개선 과제가 없습니다")
				} else {
					a.page(w, page.Language, page.Zone).actionRows(page.Actions)
				}
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(action.Statuses()))
	cmd.Flags().BoolVar(&f.Overdue, "overdue", false, "only those that are open and past their due instant")
	cmd.Flags().StringVar(&f.Owner, "owner", "", "only those of this person, by `ID`")
	cmd.Flags().StringVar(&f.Origin, "of", "", "only those that came of this incident, problem or run of a plan, by `ID`")
	cmd.Flags().StringVar(&f.Service, "service", "", "only those about this service, by `ID`")
	cmd.Flags().StringVar(&f.Customer, "customer", "", "only those about this customer, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(action.Statuses()))
	return cmd
}

// actionRows shows one row for each action item.
func (p page) actionRows(all []api.ActionSummary) {
	say := actionLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, say.kind, say.priority, say.owner, p.say.due, say.item)}
	for _, r := range all {
		due := p.instant(r.Due)
		if r.Status == action.Overdue {
			due = p.paint(red, due)
		}
		rows = append(rows, []string{
			printable(string(r.ID)), p.actionStatus(r.Status), printable(p.view.texts.ActionKind(r.Kind, p.language)), r.Priority.String(),
			printable(cmp.Or(r.OwnerName, r.Owner)), due, printable(r.Title),
		})
	}
	p.rows(p.w, rows, cut)
}

func (p page) actionStatus(listed string) string {
	shade := map[string]colour{
		action.Overdue: red, string(action.Done): yellow, string(action.Verified): green, string(action.Closed): dim, string(action.Cancelled): dim,
	}
	return p.paint(shade[listed], printable(p.view.texts.ActionStatus(listed, p.language)))
}

func (a *app) showAction() *cobra.Command {
	return &cobra.Command{
		Use: "show ACTION", Short: "Show an action item on one screen",
		Long:    "Show where an action item stands: what is to be done, by whom and until when, what shows that it was, and what has happened.",
		Example: "  muster action show " + anAction + "\n  muster action show " + anAction + " --lang ko",
		Args:    wants("ACTION"), ValidArgsFunction: a.completeActions(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			item, err := c.Action(ctx, actionID(args))
			if err != nil {
				return err
			}
			return a.answer(item, func(w io.Writer) { a.sheetIn(w, item.Zone).action(&item) })
		}),
	}
}

// action shows one action item on one screen.
func (s sheet) action(a *action.Action) {
	say, texts := actionLabelsIn(s.language), s.view.texts
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s", a.ID, a.Title))))
	fmt.Fprintf(s.w, "%s: %s\n\n", s.say.status, s.actionStatus(a.Listed()))
	f := facts{page: s.page}
	f.add(say.kind, printable(texts.ActionKind(a.Kind, s.language)))
	f.add(say.priority, a.Priority.String())
	owner := printable(a.OwnerName)
	if a.Ownerless {
		owner = s.paint(red, fmt.Sprintf(say.gone, owner))
	}
	f.add(say.owner, owner)
	f.add(say.group, printable(a.GroupShown()))
	f.add(s.say.due, s.dueSoon(a.Due))
	f.add(say.opened, printable(a.Opener.Shown()))
	f.add(say.origin, printable(texts.ActionOrigin(a.Origin, s.language)))
	f.add(s.say.service, printable(cmp.Or(a.ServiceName, a.Origin.Service)))
	if customer := printable(cmp.Or(a.CustomerName, a.Origin.Customer)); a.Public {
		f.add(say.public, customer)
	} else {
		f.add(s.say.customer, customer)
	}
	f.add(say.ticket, printable(a.Ticket))
	f.add(say.text, paragraphs(a.Text)...)
	if p := a.Proposal; p != nil {
		f.add(say.proposal, append([]string{printable(texts.ActionProposal(p.Shelf, s.language) + " " + p.ID)}, paragraphs(p.Text)...)...)
	}
	f.add(say.extended, s.howOften(a.Extended))
	f.add(say.reopened, s.howOften(a.Reopened))
	if e := a.Evidence; e != nil {
		f.add(say.evidence, printable(e.Ref), printable(e.SHA256))
	}
	f.add(say.done, printable(a.DoneBy.Shown()))
	f.add(say.verifier, printable(a.Verifier.Shown()))
	if a.Status == action.Verified {
		f.add(say.check, s.at(a.CheckAt))
	}
	f.add(say.said, paragraphs(a.Reason)...)
	f.add(say.ended, s.at(a.Ended))
	s.rows(s.w, f.rows, text.WrapSoft)
	s.history(a.Timeline)
}

// howOften is a count, empty where it is none.
func (p page) howOften(n int) string {
	switch {
	case n == 0:
		return ""
	case p.language == "ko":
		return fmt.Sprintf("%d회", n)
	case n == 1:
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (a *app) doneAction() *cobra.Command {
	var sum, note string
	cmd := a.asksAction(&cobra.Command{
		Use: "done ACTION EVIDENCE", Short: "Say that it is done, and where that can be seen",
		Long:    "Say that it is done. EVIDENCE is where that can be seen: a URL, a commit, the name of a document. Another person has to verify it.",
		Example: "  muster action done " + anAction + " https://git.example/changes/204 --note \"alerts at 80 percent\"",
	}, 1, func(_ []string, text string) (action.Command, error) {
		return action.Complete{Evidence: text, SHA256: sum, Note: note}, nil
	})
	cmd.Flags().StringVar(&sum, "sha256", "", "`HASH` of the evidence, in hex")
	cmd.Flags().StringVar(&note, "note", "", "`TEXT` that says more")
	return cmd
}

func (a *app) extendAction() *cobra.Command {
	return a.asksAction(&cobra.Command{
		Use: "extend ACTION TIME REASON...", Short: "Move its due instant",
		Long:    "Move its due instant to a later one. The owner does so once; after that another person has to. \"-\" reads the reason from the\nstandard input. " + times,
		Example: "  muster action extend " + anAction + " 2027-01-29T18:00:00+09:00 \"the parts are late\"",
	}, 2, func(args []string, text string) (action.Command, error) {
		due, err := a.clockTime("TIME", args[1])
		return action.Extend{Due: due, Reason: text}, err
	})
}

func (a *app) assignAction() *cobra.Command {
	var group string
	cmd := a.asksAction(&cobra.Command{
		Use: "assign ACTION PERSON REASON...", Short: "Give it to another owner",
		Long:    "Give it to another owner, who is told; \"-\" reads the reason from the standard input.",
		Example: "  muster action assign " + anAction + " park \"choi has left\"",
	}, 2, func(args []string, text string) (action.Command, error) {
		return action.Assign{Owner: args[1], Group: group, Reason: text}, nil
	})
	cmd.Flags().StringVar(&group, "group", "", "`ID` of the group behind; default: the same")
	return cmd
}

// judgesAction makes a command by which somebody says yes or no.
func (a *app) judgesAction(name, short, long string, command func(r action.Result, note string) action.Command) *cobra.Command {
	cmd := a.asksAction(&cobra.Command{
		Use: name + " ACTION yes|no [NOTE...]", Short: short, Long: long,
		Example: "  muster action " + name + " " + anAction + " yes\n  muster action " + name + " " + anAction + " no \"it has happened again\"",
	}, 2, func(args []string, note string) (action.Command, error) {
		r := action.Result(args[1])
		if !slices.Contains(action.Results(), r) {
			return nil, misused("%q: want yes or no", args[1])
		}
		return command(r, note), nil
	})
	return cmd
}

// asksAction makes a command that asks something of an action item: after so many arguments, the others are a text.
func (a *app) asksAction(cmd *cobra.Command, before int, command func(args []string, text string) (action.Command, error)) *cobra.Command {
	var key string
	cmd.Args, cmd.ValidArgsFunction = wants(strings.Fields(cmd.Use)[1:]...), a.completeActions()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		words := ""
		if len(args) > before {
			var err error
			if words, err = a.text(args[before:]); err != nil {
				return err
			}
		}
		asked, err := command(args, words)
		if err != nil {
			return err
		}
		var r api.ActionReceipt
		err = a.once(key, func(key string) (err error) {
			r, err = c.AskAction(ctx, actionID(args), asked, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", "")
			if _, noted := asked.(action.Note); noted {
				fmt.Fprintln(w, printable(fmt.Sprintf(actionLabelsIn(p.language).noted, r.ID)))
				return
			}
			fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), p.actionStatus(string(r.Status)))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// actionID is the action item that is meant.
func actionID(args []string) action.ID { return action.ID(strings.ToUpper(args[0])) }

// completeActions completes the identity of an action item that is not over.
func (a *app) completeActions() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		f := api.ActionFilter{}
		f.Open, f.Limit = true, api.MaxRows
		page, err := c.Actions(ctx, f)
		for _, r := range page.Actions {
			found = append(found, described(string(r.ID), fmt.Sprintf("%s %s: %s", r.Status, r.OwnerName, r.Title)))
		}
		return found, err
	})
}

// proposals collects what action items propose to add to the organisation folder, for somebody to add it there.
func (a *app) proposals() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "proposals", Short: "Collect what action items propose for the organisation folder",
		Long: `Collect the additions to the readiness checklist and to runbooks that action items propose which are not over, as Markdown: one
section for each checklist item or runbook. The same proposals make the same file, so it can stand in Git beside the folder.`,
		Example: "  muster action proposals --out proposals.md",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			found, err := proposed(ctx, c)
			if err != nil {
				return err
			}
			text := a.page(io.Discard, "", "").proposed(found)
			if out == "" {
				_, err := io.WriteString(a.env.Stdout, text)
				return err
			}
			if err := wholefile.Write(out, []byte(text), 0o644); err != nil {
				return fmt.Errorf("write proposals: %w", err)
			}
			a.note("%s: %d", out, len(found))
			return nil
		}),
	}
	cmd.Flags().StringVar(&out, "out", "", "`FILE` to write; default: the standard output")
	return cmd
}

// proposed are the action items that propose something and are not over.
func proposed(ctx context.Context, c *api.Client) (found []action.Action, err error) {
	f := api.ActionFilter{}
	f.Open, f.Limit = true, api.MaxRows
	for {
		page, err := c.Actions(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Actions {
			item, err := c.Action(ctx, r.ID)
			if err != nil {
				return nil, err
			}
			if item.Proposal != nil {
				found = append(found, item)
			}
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	slices.SortFunc(found, func(a, b action.Action) int {
		return cmp.Or(cmp.Compare(a.Proposal.Shelf, b.Proposal.Shelf), cmp.Compare(a.Proposal.ID, b.Proposal.ID), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

// proposed writes them, each below what it is for.
func (p page) proposed(found []action.Action) string {
	say := actionLabelsIn(p.language)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", say.proposals)
	if len(found) == 0 {
		fmt.Fprintf(&b, "\n%s\n", say.none)
	}
	last := ""
	for _, item := range found {
		if where := p.view.texts.ActionProposal(item.Proposal.Shelf, p.language) + " " + item.Proposal.ID; where != last {
			fmt.Fprintf(&b, "\n## %s\n", printable(where))
			last = where
		}
		fmt.Fprintf(&b, "\n### %s\n\n", printable(fmt.Sprintf("%s: %s", item.ID, item.Title)))
		for _, line := range paragraphs(item.Proposal.Text) {
			fmt.Fprintln(&b, strings.TrimRight(line, " "))
		}
	}
	return b.String()
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/approval"
	"muster/internal/change"
	"muster/starter/api"
)

const aChange = "CHG-7K3M9QX2PA" // in examples

func (a *app) change() *cobra.Command {
	group := &cobra.Command{
		Use: "change COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Ask for changes, approve and start them",
		Long: `Anybody may ask for a change: an addition, a change or an exception. An owner of what it changes says how risky it is, then those
vote who approve changes of that class, and when what has to hold before it runs holds, it is started and may become a run of a plan.
Standard changes are approved before anybody asks, within their scope. An emergency is begun by the manager of an open incident and is
approved afterwards. The file changes.yaml of the organisation folder says who does what.

` + finding,
		Example: "  muster change request \"A larger pool\" --service garam-shop --text \"200 connections\" --benefit \"no queue at noon\" \\\n    --undo \"100 again\" --until \"2026-12-11 18:00\"\n" +
			"  muster change list\n  muster change calendar\n  muster change approve " + aChange,
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.requestChange(), a.changeCalendar(), a.standardChange(), a.emergencyChange(), a.listChanges(), a.showChange(), a.checkChange(), a.failChange(), a.moveChange(),
		a.decideChange(approval.Approve, "approve CHANGE", "Vote for a change"), a.decideChange(approval.Reject, "reject CHANGE REASON...", "Vote against a change, with a reason"),
		a.asksChange(&cobra.Command{
			Use: "assess CHANGE CLASS NOTE...", Short: "Say how risky a change is",
			Long: "Say how risky a change is, by the ID of a class of changes.yaml: the one that it has, or a riskier one. Then the vote opens; what was\n" +
				"voted before is void. \"-\" reads the note from the standard input.",
			Example: "  muster change assess " + aChange + " medium \"all orders go through it\"",
		}, 2, func(args []string, words string) any { return api.ChangeAssessment{Class: args[1], Note: words} }),
		a.asksChange(&cobra.Command{
			Use: "start CHANGE", Short: "Start what is approved",
			Long: "Start a change that is approved, once everything holds that has to. If it becomes a plan, that runs: freezes, windows and locks\n" +
				"are the plan's own.",
			Example: "  muster change start " + aChange,
		}, 1, func([]string, string) any { return api.ChangeStart{} }),
		a.asksChange(&cobra.Command{
			Use: "done CHANGE NOTE...", Short: "Say that a change is done",
			Long:    "Say that a change is done that somebody does by hand; \"-\" reads the note from the standard input. Its run of a plan ends any other.",
			Example: "  muster change done " + aChange + " \"200 connections since noon\"",
		}, 1, func(_ []string, words string) any { return api.ChangeDone{Note: words} }),
		a.asksChange(&cobra.Command{
			Use: "withdraw CHANGE REASON...", Short: "Take back what has not begun",
			Long:    "Take back a change that has not begun; \"-\" reads the reason from the standard input. Whoever has asked for it may, and its owners.",
			Example: "  muster change withdraw " + aChange + " \"the vendor has mended it\"",
		}, 1, func(_ []string, words string) any { return api.ChangeWithdrawal{Reason: words} }),
		a.asksChange(&cobra.Command{
			Use: "note CHANGE TEXT...", Short: "Write into its timeline",
			Long:    "Write into the timeline of a change; \"-\" reads the text from the standard input.",
			Example: "  muster change note " + aChange + " \"waiting for the vendor\"",
		}, 1, func(_ []string, words string) any { return change.Note{Text: words} }),
	)
	return group
}

// changeLabels are the words of one language that stand beside a change.
type changeLabels struct {
	id, title, way, kind, class, requester, owners, services, assets, customers, textOf, benefit, undo, irreversible, within, from, until, auto, plan, standard, approved, incident, due, exception, began,
	effect, action, run, outage, ended, reason, judgement, checks, open, holds, fails, votes, noted, scope, uses, reminded, automatic string
}

func changeLabelsIn(language string) changeLabels {
	if language == "ko" {
		return changeLabels{
			id: "변경", title: "제목", way: "승인 방식", kind: "종류", class: "위험 등급", requester: "요청자", owners: "서비스 담당", services: "서비스", assets: "자산", customers: "고객사", textOf: "내용", benefit: "기대 효과",
			undo: "되돌리는 방법", irreversible: "되돌릴 수 없음", within: "%s 이내", from: "시작 가능", until: "기한", auto: "시작 방식", plan: "계획", standard: "표준 변경", approved: "승인자 %s, 승인일 %s, 사용 기한 %s",
			incident: "인시던트", due: "사후 승인 기한", exception: "미승인 사유", began: "시작", run: "계획 실행", outage: "서비스 중단", ended: "종료", reason: "사유", judgement: "평가", checks: "사전 조건",
			open: "미확인", holds: "충족", fails: "미충족", votes: "표결", noted: "%s: 변경에 기록", scope: "범위", uses: "%s에 %d회", reminded: "다음 알림", automatic: "자동", effect: "고객사 영향", action: "고객사 조치",
		}
	}
	return changeLabels{
		id: "Change", title: "Title", way: "Way", kind: "Kind", class: "Risk", requester: "Asked for by", owners: "Owner", services: "Services", assets: "Assets", customers: "Customers", textOf: "What", benefit: "Benefit",
		undo: "Undone by", irreversible: "it cannot be undone", within: "within %s", from: "From", until: "Until", auto: "Starts", plan: "Plan", standard: "Standard change",
		approved: "approved by %s on %s, for uses until %s", incident: "Incident", due: "To be approved until", exception: "Exception", began: "Begun", run: "Run of its plan", outage: "Out of service",
		ended: "Ended", reason: "Reason", judgement: "Assessment", checks: "Has to hold", open: "open", holds: "holds", fails: "does not hold", votes: "Vote", noted: "%s: recorded in its timeline",
		scope: "Scope", uses: "%[2]d in %[1]s", reminded: "Reminder", automatic: "by itself", effect: "Customers notice", action: "Customers have to",
	}
}

// changeFlags are those that say what a change is.
type changeFlags struct {
	given              api.NewChange
	from, until, key   string
	undoWithin         time.Duration
	environments, vars []string
	effect, action     []string
	irreversible       bool
}

func (c *changeFlags) words(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.given.Text, "text", "", "`TEXT` that says what is to be done")
	f.StringVar(&c.given.Class, "class", "", "`ID` of the class of risk, as you see it")
	f.StringVar(&c.given.Undo, "undo", "", "`TEXT` that says how it is undone")
	lengthVar(cmd, &c.undoWithin, "undo-within", 0, "within what `TIME` it is undone")
	f.BoolVar(&c.irreversible, "irreversible", false, "it cannot be undone")
	f.StringVar((*string)(&c.given.Kind), "kind", string(change.Changed), "`KIND`: "+joined(change.Kinds()))
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(change.Kinds()))
}

func (c *changeFlags) where(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&c.given.Services, "service", nil, "`ID` of a service that it changes; may be given again")
	f.StringSliceVar(&c.given.Assets, "asset", nil, "`ID` of an asset of its services, in whose history it stands; may be given again")
	f.StringArrayVar(&c.effect, "effect", nil, "`TEXT`: what customers notice of it, who are then told when it comes, begins and ends; en=TEXT and ko=TEXT for one in each language")
	f.StringArrayVar(&c.action, "action", nil, "`TEXT`: what customers have to do; en=TEXT and ko=TEXT the same")
	f.StringVar(&c.from, "from", "", "`TIME` before which it may not begin")
	f.StringVar(&c.until, "until", "", "`TIME` by which it has to have begun")
	f.BoolVar(&c.given.Auto, "auto", false, "it starts by itself, as soon as it may")
	f.StringVar(&c.given.Customer, "customer", "", "`ID` of the customer for whom its plan runs")
	f.StringArrayVar(&c.environments, "environment", nil, "`NAME=ENVIRONMENT`, once for each environment of the plan: which one of the customer it is")
	f.StringArrayVar(&c.vars, "param", nil, "`NAME=VALUE` of a parameter of the plan")
	keyFlag(cmd, &c.key)
}

// read checks the flags.
func (c *changeFlags) read() (err error) {
	switch {
	case c.given.Kind != "" && !slices.Contains(change.Kinds(), c.given.Kind):
		return misused("--kind %q: want %s", c.given.Kind, joined(change.Kinds()))
	case c.undoWithin < 0 || c.undoWithin%time.Minute != 0:
		return misused("--undo-within %s: want whole minutes", c.undoWithin)
	}
	c.given.UndoMinutes = int(c.undoWithin / time.Minute)
	if c.given.Environments, err = given("--environment", c.environments); err != nil {
		return err
	}
	if c.given.Effect, err = inLanguages("--effect", c.effect); err != nil {
		return err
	}
	if c.given.Action, err = inLanguages("--action", c.action); err != nil {
		return err
	}
	c.given.Parameters, err = given("--param", c.vars)
	return err
}

// inLanguages reads texts of which each says its language, or one for all languages.
func inLanguages(flag string, all []string) (map[string]string, error) {
	if len(all) == 0 {
		return nil, nil
	}
	texts := map[string]string{}
	for _, text := range all {
		language, said, named := strings.Cut(text, "=")
		switch {
		case !named || !slices.Contains(languages(), language):
			if len(all) > 1 {
				return nil, misused("%s %q: want en=TEXT and ko=TEXT, or one text for both", flag, text)
			}
			for _, l := range languages() {
				texts[l] = text
			}
		case texts[language] != "":
			return nil, misused("%s %s: given twice", flag, language)
		default:
			texts[language] = said
		}
	}
	return texts, nil
}

// reversible wants whoever asks to say whether it can be undone.
func (c *changeFlags) reversible() error {
	if (c.given.Undo == "") != c.irreversible {
		return misused("--undo, --irreversible: want how it is undone, or that it cannot be: one of them")
	}
	return nil
}

// send asks for the change.
func (a *app) sendChange(ctx context.Context, client *api.Client, c *changeFlags) (err error) {
	for flag, into := range map[string]struct {
		said string
		at   *time.Time
	}{"--from": {c.from, &c.given.From}, "--until": {c.until, &c.given.Until}} {
		if into.said != "" {
			if *into.at, err = a.clockTime(flag, into.said); err != nil {
				return err
			}
		}
	}
	var x change.Change
	err = a.once(c.key, func(key string) (err error) {
		x, err = client.AskForChange(ctx, c.given, key)
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(x, func(w io.Writer) { a.page(w, "", x.Zone).change(&x) })
}

func (a *app) requestChange() *cobra.Command {
	c := &changeFlags{}
	cmd := &cobra.Command{
		Use: "request TITLE...", Short: "Ask for a change",
		Long: `Ask for an addition, a change or an exception. What is asked for lapses when it has not begun by --until. With --plan it becomes a run
of that plan once it is approved: the plan is pinned now, and is not started when it has changed meanwhile. "-" reads the title from
the standard input. ` + times,
		Example: "  muster change request \"A larger pool\" --service garam-shop --text \"200 connections\" --benefit \"no queue at noon\" \\\n    --undo \"100 again\" --undo-within 5m --until \"2026-12-11 18:00\"\n" +
			"  muster change request \"November patch\" --service seoul-platform --text \"as planned\" --benefit \"closes CVE-2026-1\" --undo \"the plan's own way back\" \\\n    --plan platform-patch --customer garam --environment staging=staging --environment production=production \\\n    --param patch=2026-11 --param patch-date=2026-12-13 --from \"2026-12-10 09:00\" --until \"2026-12-14 18:00\" --auto",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("TITLE...")(nil, args); err != nil {
				return err
			}
			switch {
			case len(c.given.Services) == 0:
				return misused("--service: missing; want what it changes")
			case c.until == "":
				return misused("--until: missing; want by when it has to have begun")
			}
			if err := c.reversible(); err != nil {
				return err
			}
			return c.read()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, client *api.Client, args []string) (err error) {
			if c.given.Title, err = a.text(args); err != nil {
				return err
			}
			return a.sendChange(ctx, client, c)
		}),
	}
	c.words(cmd)
	c.where(cmd)
	cmd.Flags().StringVar(&c.given.Benefit, "benefit", "", "`TEXT` that says what it is good for")
	cmd.Flags().StringSliceVar(&c.given.Customers, "concerns", nil, "`ID` of a customer whom it concerns; all of its services when left out")
	cmd.Flags().StringVar(&c.given.Plan, "plan", "", "`ID` of the plan that it becomes")
	return cmd
}

func (a *app) standardChange() *cobra.Command {
	c := &changeFlags{}
	cmd := &cobra.Command{
		Use: "standard [STANDARD [TITLE...]]", Short: "Use a change that is approved beforehand, or list those",
		Long: `Use a change that is approved before anybody asks for it: it begins approved. Out of its scope, or after its time, it is refused and
recorded; then ask for a normal change. Without a STANDARD those of the organisation folder are listed. ` + times,
		Example: "  muster change standard\n  muster change standard shop-node-restart\n" +
			"  muster change standard platform-patch --environment staging=staging --environment production=production \\\n    --param patch=2026-11 --param patch-date=2026-12-13 --auto",
		Args:              func(*cobra.Command, []string) error { return c.read() },
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, client *api.Client, args []string) (err error) {
			if len(args) == 0 {
				return a.listStandard(ctx, client)
			}
			if len(args) > 1 {
				if c.given.Title, err = a.text(args[1:]); err != nil {
					return err
				}
			}
			c.given.Way, c.given.Standard = change.Standard, args[0]
			return a.sendChange(ctx, client, c)
		}),
	}
	c.where(cmd)
	cmd.Flags().StringVar(&c.given.Text, "text", "", "`TEXT` that says why")
	return cmd
}

func (a *app) listStandard(ctx context.Context, client *api.Client) error {
	all, err := client.StandardChanges(ctx)
	if err != nil {
		return err
	}
	return a.answer(all, func(w io.Writer) {
		if len(all.Standard) == 0 {
			a.none("no standard changes", "표준 변경이 없습니다")
			return
		}
		p := a.page(w, all.Language, all.Zone)
		say := changeLabelsIn(p.language)
		rows := [][]string{p.head(say.standard, say.title, say.scope, say.plan, say.until)}
		for _, s := range all.Standard {
			scope := strings.Join(slices.Concat(s.Services, s.Customers, s.Environments), ", ")
			if s.Most > 0 {
				scope += ", " + fmt.Sprintf(say.uses, p.view.texts.Duration(s.Per, p.language), s.Most)
			}
			rows = append(rows, []string{s.ID, printable(s.Name), printable(scope), printable(s.Plan + s.Runbook), printable(s.Until)})
		}
		p.rows(p.w, rows, text.WrapSoft)
	})
}

func (a *app) emergencyChange() *cobra.Command {
	c := &changeFlags{}
	cmd := &cobra.Command{
		Use: "emergency INCIDENT TITLE...", Short: "Begin a change that is approved afterwards",
		Long: `Begin a change at once for an open incident that you manage. It is approved afterwards, within the time that the organisation folder
says; when it is not, it is an exception, and others are told. It changes the incident's service unless --service says otherwise. "-"
reads the title from the standard input.`,
		Example: "  muster change emergency " + anID + " \"Roll the pool back to 100\" --undo \"200 again\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("INCIDENT", "TITLE...")(nil, args); err != nil {
				return err
			}
			if err := c.reversible(); err != nil {
				return err
			}
			return c.read()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, client *api.Client, args []string) (err error) {
			if c.given.Title, err = a.text(args[1:]); err != nil {
				return err
			}
			if c.given.Text == "" {
				c.given.Text = c.given.Title
			}
			c.given.Way, c.given.Incident = change.Emergency, strings.ToUpper(args[0])
			return a.sendChange(ctx, client, c)
		}),
	}
	c.words(cmd)
	c.where(cmd)
	cmd.Flags().StringVar(&c.given.Plan, "plan", "", "`ID` of the plan that it becomes")
	return cmd
}

func (a *app) moveChange() *cobra.Command {
	var from, until, key string
	cmd := &cobra.Command{
		Use: "move CHANGE REASON...", Short: "Give what has not begun another time",
		Long: `Give a change that has not begun another time. Those who were told of it hear so. What was approved was another time, so it is voted on
anew; a standard change stays approved within its scope. "-" reads the reason from the standard input. ` + times,
		Example: "  muster change move " + aChange + " --from \"2026-12-18 22:00\" --until \"2026-12-18 23:00\" \"The customer has a sale\"",
		Args: func(_ *cobra.Command, args []string) error {
			if until == "" {
				return misused("--until: missing; want by when it has to have begun")
			}
			return wants("CHANGE", "REASON...")(nil, args)
		},
		ValidArgsFunction: a.completeChanges(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			var m api.ChangeMove
			if from != "" {
				if m.From, err = a.clockTime("--from", from); err != nil {
					return err
				}
			}
			if m.Until, err = a.clockTime("--until", until); err != nil {
				return err
			}
			if m.Reason, err = a.text(args[1:]); err != nil {
				return err
			}
			return a.askChange(ctx, c, args, "move", m, key)
		}),
	}
	cmd.Flags().StringVar(&from, "from", "", "`TIME` before which it may not begin")
	cmd.Flags().StringVar(&until, "until", "", "`TIME` by which it has to have begun")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) listChanges() *cobra.Command {
	var (
		f                     api.ChangeFilter
		all                   bool
		status, way, customer string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List changes, the newest first",
		Long:    "List changes that are not over, the newest first; with --all, --status or --exceptions the others too.",
		Example: "  muster change list\n  muster change list --all --way standard\n  muster change list --exceptions",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case status != "" && !slices.Contains(change.Statuses(), change.Status(status)):
				return misused("--status %q: want %s", status, joined(change.Statuses()))
			case way != "" && !slices.Contains(change.Ways(), change.Way(way)):
				return misused("--way %q: want %s", way, joined(change.Ways()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Way, f.Open = change.Status(status), change.Way(way), !all && status == "" && !f.Exceptions
			if customer != "" {
				f.Customers = []string{customer}
			}
			page, err := c.Changes(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Changes) == 0 {
					a.none("no changes", "변경 요청이 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).changeRows(page.Changes)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().BoolVar(&f.Exceptions, "exceptions", false, "only emergencies that were not approved afterwards")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(change.Statuses()))
	cmd.Flags().StringVar(&way, "way", "", "only those that come to be approved in this `WAY`: "+joined(change.Ways()))
	cmd.Flags().StringVar(&customer, "customer", "", "only those that concern this customer, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(change.Statuses()))
	_ = cmd.RegisterFlagCompletionFunc("way", completions(change.Ways()))
	return cmd
}

// changeRows shows one row for each change.
func (p page) changeRows(all []api.ChangeSummary) {
	say := changeLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, say.way, p.say.service, say.title, p.say.opened, p.say.next)}
	for _, x := range all {
		next := ""
		if !x.NextDue.IsZero() && x.ClosedAt.IsZero() {
			next = p.away(x.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(string(x.ID)), p.changeStatus(x.Status), printable(p.view.texts.ChangeWay(x.Way, p.language)), printable(x.Service), printable(x.Title),
			p.instant(x.OpenedAt), next,
		})
	}
	p.rows(p.w, rows, cut)
}

func (p page) changeStatus(s change.Status) string {
	shade := map[change.Status]colour{
		change.Requested: yellow, change.Assessed: yellow, change.Approved: green, change.Running: yellow, change.Done: dim, change.Failed: red, change.Rejected: dim,
		change.Withdrawn: dim, change.Lapsed: dim,
	}
	return p.paint(shade[s], printable(p.view.texts.ChangeStatus(s, p.language)))
}

func (a *app) showChange() *cobra.Command {
	return &cobra.Command{
		Use:   "show CHANGE",
		Short: "Show a change on one screen",
		Long: `Show where a change stands: what is asked for, what has to hold, how the vote stands on which SHA-256, and what has happened. As JSON
or YAML, durations are whole nanoseconds.`,
		Example: "  muster change show " + aChange + "\n  muster change show " + aChange + " --lang ko",
		Args:    wants("CHANGE"), ValidArgsFunction: a.completeChanges(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			x, err := c.Change(ctx, changeID(args))
			if err != nil {
				return err
			}
			return a.answer(x, func(w io.Writer) { a.page(w, "", x.Zone).change(&x) })
		}),
	}
}

// change shows one change on one screen.
func (p page) change(c *change.Change) {
	say, texts := changeLabelsIn(p.language), p.view.texts
	fmt.Fprintln(p.w, p.paint(bold, printable(fmt.Sprintf("%s  %s", c.ID, c.Title))))
	fmt.Fprintf(p.w, "%s: %s\n\n", p.say.status, p.changeStatus(c.Status))
	f := facts{page: p}
	f.add(say.way, printable(texts.ChangeWay(c.Listed(), p.language)))
	f.add(say.kind, printable(texts.ChangeKind(c.Kind, p.language)))
	if len(c.Classes) > 0 {
		f.add(say.class, printable(c.ClassName()))
	}
	f.add(say.judgement, paragraphs(c.Judgement)...)
	f.add(say.requester, printable(c.Requester.Shown()))
	f.add(say.owners, printable(c.OwnerNames))
	f.add(say.services, printable(changeNames(c.ServiceNames)))
	f.add(say.assets, printable(changeNames(c.AssetNames)))
	f.add(say.customers, printable(changeNames(c.CustomerNames)))
	f.add(say.textOf, paragraphs(c.Text)...)
	f.add(say.benefit, paragraphs(c.Benefit)...)
	switch {
	case !c.Reversible && c.PreApproved == nil && c.Standard == "":
		f.add(say.undo, say.irreversible)
	case c.UndoWithin > 0:
		f.add(say.undo, printable(c.Undo), fmt.Sprintf(say.within, texts.Duration(c.UndoWithin, p.language)))
	default:
		f.add(say.undo, paragraphs(c.Undo)...)
	}
	if s := c.PreApproved; s != nil {
		f.add(say.standard, printable(s.Name), printable(fmt.Sprintf(say.approved, s.ApprovedBy, s.ApprovedOn, s.Until)))
	}
	f.add(say.incident, printable(c.Incident))
	if c.Plan != nil {
		f.add(say.plan, printable(c.Plan.ID+", "+c.Plan.Customer))
	}
	f.add(say.from, p.at(c.From))
	f.add(say.until, p.at(c.Until))
	if c.Auto && c.Began.IsZero() && !c.Over() {
		f.add(say.auto, say.automatic)
	}
	f.add(say.effect, paragraphs(cmp.Or(c.Effect.In(p.language), c.Effect.En, c.Effect.Ko))...)
	f.add(say.action, paragraphs(cmp.Or(c.Action.In(p.language), c.Action.En, c.Action.Ko))...)
	f.add(say.due, p.at(c.Due))
	if c.Exception != "" {
		f.add(say.exception, p.paint(red, printable(texts.ChangeException(c.Exception, p.language))))
	}
	f.add(say.began, p.at(c.Began))
	f.add(say.run, printable(string(c.Run)))
	if c.Outage > 0 {
		f.add(say.outage, texts.Duration(c.Outage, p.language))
	}
	f.add(say.ended, p.at(c.Ended))
	f.add(say.reason, paragraphs(c.Reason)...)
	if !c.Over() {
		f.add(say.reminded, p.at(c.RemindAt))
	}
	p.rows(p.w, f.rows, text.WrapSoft)
	p.changeChecks(c)
	p.changeVotes(c)
	p.history(c.Timeline)
}

func changeNames(all []change.Named) string {
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ")
}

// changeChecks shows what has to hold, and whether it does.
func (p page) changeChecks(c *change.Change) {
	if len(c.Classes) == 0 || len(c.Checks()) == 0 {
		return
	}
	say := changeLabelsIn(p.language)
	rows := [][]string{p.head(say.checks, p.say.status, "", "")}
	for _, k := range c.Checks() {
		row := []string{printable(k.ID), p.paint(yellow, say.open), printable(k.Text), ""}
		if k.Plan != "" {
			row[3] = printable(fmt.Sprintf("%s: %s", say.plan, k.Plan))
		}
		if x := c.Answer(k.ID); x != nil {
			row[1], row[3] = say.holds, printable(x.By.Shown()+", "+x.Evidence)
			if !x.Holds {
				row[1] = p.paint(red, say.fails)
			}
		}
		rows = append(rows, row)
	}
	fmt.Fprintln(p.w)
	p.rows(p.w, rows, text.WrapSoft)
}

// changeVotes shows what is voted on, and how that stands.
func (p page) changeVotes(c *change.Change) {
	if c.Ballot == nil || c.Ballot.Shown.SHA256 == "" {
		return
	}
	texts := p.view.texts
	fmt.Fprintf(p.w, "\n%s: %s, SHA-256 %s\n", changeLabelsIn(p.language).votes, texts.Word("verdict", string(c.Ballot.Outcome.Verdict), p.language), printable(c.Ballot.Shown.SHA256))
	for _, v := range c.Ballot.Votes {
		fmt.Fprintln(p.w, "  "+printable(strings.TrimSuffix(fmt.Sprintf("%s: %s, %s", v.Name, texts.Word("choice", string(v.Choice), p.language), v.Reason), ", ")))
	}
	for _, w := range c.Ballot.Standing(p.env.Now()).Waiting {
		if !c.Ballot.Outcome.Verdict.Final() {
			fmt.Fprintln(p.w, "  "+printable(w.Name+": –"))
		}
	}
}

// decideChange votes once the user has seen on what, and has said that it is meant.
func (a *app) decideChange(choice approval.Choice, use, short string) *cobra.Command {
	var sum, key string
	cmd := &cobra.Command{
		Use: use, Short: short,
		Long: short + `. You are shown the change with the SHA-256 of what is voted on, and asked on a terminal whether you mean it. Elsewhere --sha256 says
what you were shown: muster change show has it. What has changed since is refused, and so is a vote of whoever has asked for the change.`,
		Example: "  muster change " + string(choice) + " " + aChange + map[approval.Choice]string{approval.Reject: " \"not in December\""}[choice], ValidArgsFunction: a.completeChanges(),
		Args: wants(strings.Fields(use)[1:]...),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			vote := api.ChangeVote{Choice: choice, Shown: sum}
			if len(args) > 1 {
				if vote.Reason, err = a.text(args[1:]); err != nil {
					return err
				}
			}
			if sum == "" {
				x, err := c.Change(ctx, changeID(args))
				if err != nil {
					return err
				}
				if x.Ballot == nil {
					return errors.New("vote on " + string(x.ID) + ": nobody votes on it now, or you do not")
				}
				a.page(a.env.Stdout, "", x.Zone).change(&x)
				if err := a.meant(ctx, choice); err != nil {
					return err
				}
				vote.Shown = x.Ballot.Shown.SHA256
			}
			return a.askChange(ctx, c, args, "vote", vote, key)
		}),
	}
	cmd.Flags().StringVar(&sum, "sha256", "", "`SHA256` of what you were shown, for scripts: you are not asked")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) checkChange() *cobra.Command {
	var (
		x   api.ChangeCheck
		key string
	)
	cmd := &cobra.Command{
		Use: "check CHANGE CHECK holds|fails", Short: "Say whether something holds that has to before it runs",
		Long:    "Say whether something holds that has to before a change runs, and where the evidence for it is. Another person than has asked for\nthe change says so: muster change show lists what has to hold. Where a plan is named there, the evidence is the ID of a completed run of it.",
		Example: "  muster change check " + aChange + " undo-tried holds --evidence https://wiki.mirnet.example/undo\n  muster change check " + aChange + " undo-tried fails --evidence https://wiki.mirnet.example/undo --note \"it took an hour\"",
		Args: func(_ *cobra.Command, args []string) error {
			if err := wants("CHANGE", "CHECK", "holds|fails")(nil, args); err != nil {
				return err
			}
			if _, err := choosing("holds|fails", args[2], "holds", "fails"); err != nil {
				return err
			}
			if x.Evidence == "" {
				return misused("--evidence: missing; want where it is")
			}
			return nil
		},
		ValidArgsFunction: a.completeChanges(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			x.Check, x.Holds = args[1], args[2] == "holds"
			return a.askChange(ctx, c, args, "check", x, key)
		}),
	}
	cmd.Flags().StringVar(&x.Evidence, "evidence", "", "`URL` or text that says where the evidence is")
	cmd.Flags().StringVar(&x.SHA256, "sha256", "", "`SHA256` of the evidence")
	cmd.Flags().StringVar(&x.Note, "note", "", "`TEXT`; what does not hold wants it")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) failChange() *cobra.Command {
	var outage time.Duration
	cmd := a.asksChange(&cobra.Command{
		Use: "fail CHANGE NOTE...", Short: "Say that a change has failed",
		Long:    "Say that a change has failed that somebody does by hand, and for how long something was down for that; \"-\" reads the note from the\nstandard input.",
		Example: "  muster change fail " + aChange + " \"the pool does not start; back to 100\" --outage 20m",
	}, 1, func(_ []string, words string) any {
		return api.ChangeFailure{Note: words, OutageMinutes: int((outage + time.Minute - 1) / time.Minute)}
	})
	lengthVar(cmd, &outage, "outage", 0, "`TIME` for which something was down for it")
	return cmd
}

// asksChange makes a command that asks something of a change: so many arguments, and then perhaps words. Its name is that of the route.
func (a *app) asksChange(cmd *cobra.Command, names int, body func(args []string, words string) any) *cobra.Command {
	var key string
	args := strings.Fields(cmd.Use)[1:]
	cmd.Args, cmd.ValidArgsFunction = wants(args...), a.completeChanges()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, given []string) (err error) {
		words := ""
		if len(args) > names {
			if words, err = a.text(given[names:]); err != nil {
				return err
			}
		}
		return a.askChange(ctx, c, given, cmd.Name(), body(given, words), key)
	})
	keyFlag(cmd, &key)
	return cmd
}

// askChange asks something of a change and says where it stands then.
func (a *app) askChange(ctx context.Context, c *api.Client, args []string, name string, body any, key string) error {
	var r api.ChangeReceipt
	err := a.once(key, func(key string) (err error) {
		r, err = c.AskChange(ctx, changeID(args), name, body, key)
		return err
	})
	if err != nil {
		return err
	}
	return a.answer(r, func(w io.Writer) {
		p := a.page(w, "", "")
		if name == "note" {
			fmt.Fprintln(w, printable(fmt.Sprintf(changeLabelsIn(p.language).noted, r.ID)))
			return
		}
		fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), p.changeStatus(r.Status))
	})
}

// changeID is the change that is meant.
func changeID(args []string) change.ID { return change.ID(strings.ToUpper(args[0])) }

// completeChanges completes the identity of a change that is not over.
func (a *app) completeChanges() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.Changes(ctx, api.ChangeFilter{Open: true, Limit: api.MaxRows})
		for _, x := range page.Changes {
			found = append(found, described(string(x.ID), fmt.Sprintf("%s %s: %s", x.Status, x.Service, x.Title)))
		}
		return found, err
	})
}

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

	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/risk"
	"muster/starter/api"
)

const anEscalation = "ESC-7K3M9QX2PA" // in examples

func (a *app) escalation() *cobra.Command {
	group := &cobra.Command{
		Use: "escalation COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Escalate a risk that you see, until it is in hand",
		Long: `Escalate a risk that you see, early and often: nobody is blamed for one, a false alarm included. It climbs the levels of the
organisation, each after its wait, until somebody takes it and answers; it is closed when whoever has escalated it says that the
risk is in hand, and by nobody else.

` + finding,
		Example: "  muster escalation list\n  muster escalation take " + anEscalation + "\n  muster escalation answer " + anEscalation +
			" \"The release waits for a week\"\n  muster escalation in-hand " + anEscalation,
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.openEscalation(), a.listEscalations(), a.showEscalation(),
		a.asksEscalation(&cobra.Command{
			Use: "take ESCALATION [NOTE...]", Short: "See to it",
			Long:    "Say that you see to it. You have the wait of your level to answer; after that the next level is told.",
			Example: "  muster escalation take " + anEscalation + " \"I ask the release manager\"",
		}, 1, func(_ []string, text string) risk.Command { return risk.Take{Note: text} }),
		a.asksEscalation(&cobra.Command{
			Use: "answer ESCALATION TEXT...", Short: "Say what is done about it",
			Long:    "Say what is done about it. Whoever has escalated it says whether that is enough; \"-\" reads the text from the standard input.",
			Example: "  muster escalation answer " + anEscalation + " \"The release waits for a week\"",
		}, 1, func(_ []string, text string) risk.Command { return risk.Answer{Text: text} }),
		a.asksEscalation(&cobra.Command{
			Use: "in-hand ESCALATION [NOTE...]", Short: "Say that the risk is in hand, which closes it",
			Long:    "Say that the risk is in hand, which closes it. Only whoever has escalated it may.",
			Example: "  muster escalation in-hand " + anEscalation + " \"the release waits\"",
		}, 1, func(_ []string, text string) risk.Command { return risk.Confirm{Note: text} }),
		a.asksEscalation(&cobra.Command{
			Use: "raise ESCALATION REASON...", Short: "Tell the next level at once",
			Long:    "Tell the next level at once: because nobody acts, because an answer is not enough, or because it is not yours to decide.",
			Example: "  muster escalation raise " + anEscalation + " \"the answer changes nothing\"",
		}, 1, func(_ []string, text string) risk.Command { return risk.Raise{Reason: text} }),
		a.asksEscalation(&cobra.Command{
			Use: "originator ESCALATION PERSON REASON...", Short: "Name who follows an originator who has left",
			Long:    "Name who follows an originator who has left, and says from now on whether the risk is in hand. Administrators may, and not\nname themselves.",
			Example: "  muster escalation originator " + anEscalation + " choi \"kim has left\"",
		}, 2, func(args []string, text string) risk.Command { return risk.Succeed{Person: args[1], Reason: text} }),
		a.asksEscalation(&cobra.Command{
			Use: "note ESCALATION TEXT...", Short: "Write into the timeline of an escalation",
			Long:    "Write into the timeline of an escalation; \"-\" reads the text from the standard input.",
			Example: "  muster escalation note " + anEscalation + " \"asked the vendor\"",
		}, 1, func(_ []string, text string) risk.Command { return risk.Note{Text: text} }),
	)
	return group
}

// escalationLabels are the words of one language that stand beside an escalation.
type escalationLabels struct {
	id, what, level, of, originator, gone, priority, told, until, taker, answer, answered, said, ended, noted, again string
}

func escalationLabelsIn(language string) escalationLabels {
	if language == "ko" {
		return escalationLabels{
			again: "마지막 단계에 알림. 그 위 단계는 없음", id: "에스컬레이션", what: "상황", level: "단계", of: "%d/%d", originator: "제기자", gone: "%s (찾을 수 없음)", priority: "우선순위", told: "알린 사람",
			until: "다음 알림", taker: "맡은 사람", answer: "조치 답변", answered: "답변한 사람", said: "최근 의견", ended: "끝난 시각", noted: "%s: 타임라인에 기록",
		}
	}
	return escalationLabels{
		again: "the last level is told: nobody stands above it", id: "Escalation", what: "What", level: "Level", of: "%d of %d", originator: "Escalated by", gone: "%s (not found)", priority: "Priority", told: "Told",
		until: "Next told", taker: "Taken by", answer: "Answer", answered: "Answered by", said: "Last words", ended: "Ended", noted: "%s: recorded in its timeline",
	}
}

func (a *app) openEscalation() *cobra.Command {
	var (
		asked         api.NewEscalation
		pressing, key string
	)
	cmd := &cobra.Command{
		Use: "open SITUATION...", Short: "Escalate a risk",
		Long: `Escalate a risk. SITUATION says what is the case and what the risk is; the five flags beside it are wanted too, for whoever decides
needs all six. "-" reads the situation from the standard input. It climbs the escalation policy for risks of the organisation folder
or, where there is none, that of the --service.`,
		Example: "  muster escalation open \"The restore was never tried\" --importance \"our last resort\" --affected \"every customer\" \\\n" +
			"    --scale \"up to a day of data\" --urgency \"at once, should a disk fail\" --remedy \"try it this week on the spare system\"",
		Args: func(_ *cobra.Command, args []string) error {
			for _, f := range []struct{ name, value string }{
				{"importance", asked.Importance}, {"affected", asked.Affected}, {"scale", asked.Scale}, {"urgency", asked.Urgency}, {"remedy", asked.Remedy},
			} {
				if strings.TrimSpace(f.value) == "" {
					return misused("--%s: missing", f.name)
				}
			}
			p, err := priority.Parse(cmp.Or(pressing, "P3"))
			if err != nil {
				return misused("--priority %q: want P1 to P5", pressing)
			}
			asked.Priority = int(p)
			return wants("SITUATION...")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			if asked.Situation, err = a.text(args); err != nil {
				return err
			}
			var e risk.Escalation
			err = a.once(key, func(key string) (err error) {
				e, err = c.OpenEscalation(ctx, asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(e, func(w io.Writer) { a.sheetIn(w, e.Zone).escalation(&e) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&asked.Importance, "importance", "", "`TEXT` that says why the situation is important")
	f.StringVar(&asked.Affected, "affected", "", "`TEXT` that says who or what is affected")
	f.StringVar(&asked.Scale, "scale", "", "`TEXT` that says how large the impact is")
	f.StringVar(&asked.Urgency, "urgency", "", "`TEXT` that says how urgent it is, should it occur")
	f.StringVar(&asked.Remedy, "remedy", "", "`TEXT` that says what you propose, and what would lessen it")
	f.StringVar(&pressing, "priority", "", "`PRIORITY` of its messages, P1 to P5; default: P3")
	f.StringVar(&asked.Service, "service", "", "`ID` of the service that it is about")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) listEscalations() *cobra.Command {
	var (
		f      api.EscalationFilter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List escalations, the newest first",
		Long:    "List escalations that are not in hand, the newest first; with --all or --status the others too.",
		Example: "  muster escalation list\n  muster escalation list --all --service checkout -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(risk.Statuses(), risk.Status(status)) {
				return misused("--status %q: want %s", status, joined(risk.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = risk.Status(status), !all && status == ""
			page, err := c.Escalations(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Escalations) == 0 {
					a.none("no escalations", "에스컬레이션이 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).escalationRows(page.Escalations)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are in hand too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(risk.Statuses()))
	cmd.Flags().StringVar(&f.Service, "service", "", "only those about this service, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(risk.Statuses()))
	return cmd
}

// escalationRows shows one row for each escalation.
func (p page) escalationRows(all []api.EscalationSummary) {
	say := escalationLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, say.priority, p.say.opened, p.say.next, say.what)}
	for _, r := range all {
		next := ""
		if !r.NextDue.IsZero() && r.ClosedAt.IsZero() {
			next = p.away(r.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{printable(string(r.ID)), p.riskStatus(r.Status), r.Priority.String(), p.instant(r.OpenedAt), next, printable(r.Title)})
	}
	p.rows(p.w, rows, cut)
}

func (p page) riskStatus(s risk.Status) string {
	shade := map[risk.Status]colour{risk.Open: red, risk.Taken: yellow, risk.Answered: green, risk.InHand: dim}
	return p.paint(shade[s], printable(p.view.texts.RiskStatus(s, p.language)))
}

func (a *app) showEscalation() *cobra.Command {
	return &cobra.Command{
		Use: "show ESCALATION", Short: "Show an escalation on one screen",
		Long:    "Show where an escalation stands: its six parts, which level has it, what is done about it, and what has happened.",
		Example: "  muster escalation show " + anEscalation + "\n  muster escalation show " + anEscalation + " --lang ko",
		Args:    wants("ESCALATION"), ValidArgsFunction: a.completeEscalations(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			e, err := c.Escalation(ctx, escalationID(args))
			if err != nil {
				return err
			}
			return a.answer(e, func(w io.Writer) { a.sheetIn(w, e.Zone).escalation(&e) })
		}),
	}
}

// escalation shows one escalation on one screen.
func (s sheet) escalation(e *risk.Escalation) {
	say, texts := escalationLabelsIn(s.language), s.view.texts
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s", e.ID, e.Title()))))
	fmt.Fprintf(s.w, "%s: %s\n\n", s.say.status, s.riskStatus(e.Status))
	f := facts{page: s.page}
	f.add(say.level, fmt.Sprintf(say.of, e.Level+1, len(e.Levels)))
	if !e.Over() {
		f.add(say.told, printable(escalation.Shown(e.Levels[e.Level].Targets)))
		f.add(say.until, s.dueSoon(e.Deadline))
	}
	originator := printable(e.Originator.Shown())
	if e.Gone {
		originator = s.paint(red, fmt.Sprintf(say.gone, originator))
	}
	f.add(say.originator, originator)
	f.add(say.priority, e.Priority.String())
	f.add(s.say.service, printable(cmp.Or(e.ServiceName, e.Service)))
	for _, part := range e.Parts() {
		f.add(texts.RiskPart(part.Name, s.language), paragraphs(part.Text)...)
	}
	f.add(say.taker, printable(e.Taker.Shown()))
	f.add(say.answer, paragraphs(e.Answer)...)
	f.add(say.answered, printable(e.AnsweredBy.Shown()))
	if e.Words != e.Answer {
		f.add(say.said, paragraphs(e.Words)...)
	}
	f.add(say.ended, s.at(e.Ended))
	s.rows(s.w, f.rows, text.WrapSoft)
	s.history(e.Timeline)
}

// asksEscalation makes a command that asks something of an escalation: after so many arguments, the others are a text.
func (a *app) asksEscalation(cmd *cobra.Command, before int, command func(args []string, text string) risk.Command) *cobra.Command {
	var key string
	cmd.Args, cmd.ValidArgsFunction = wants(strings.Fields(cmd.Use)[1:]...), a.completeEscalations()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		words := ""
		if len(args) > before {
			var err error
			if words, err = a.text(args[before:]); err != nil {
				return err
			}
		}
		asked := command(args, words)
		var r api.EscalationReceipt
		err := a.once(key, func(key string) (err error) {
			r, err = c.AskEscalation(ctx, escalationID(args), asked, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", "")
			say := escalationLabelsIn(p.language)
			if _, noted := asked.(risk.Note); noted {
				fmt.Fprintln(w, printable(fmt.Sprintf(say.noted, r.ID)))
				return
			}
			if _, raised := asked.(risk.Raise); raised && r.Level == r.Levels {
				defer fmt.Fprintln(w, say.again)
			}
			fmt.Fprintf(w, "%s: %s (%s %s)\n", printable(string(r.ID)), p.riskStatus(r.Status), strings.ToLower(say.level), fmt.Sprintf(say.of, r.Level, r.Levels))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// escalationID is the escalation that is meant.
func escalationID(args []string) risk.ID { return risk.ID(strings.ToUpper(args[0])) }

// completeEscalations completes the identity of an escalation that is not in hand.
func (a *app) completeEscalations() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.Escalations(ctx, api.EscalationFilter{Open: true, Limit: api.MaxRows})
		for _, r := range page.Escalations {
			found = append(found, described(string(r.ID), fmt.Sprintf("%s: %s", r.Status, r.Title)))
		}
		return found, err
	})
}

package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/report"
	"muster/starter/api"
)

const aProblem = "PRB-7K3M9QX2PA" // in examples

func (a *app) problem() *cobra.Command {
	group := &cobra.Command{
		Use: "problem COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "Find the cause behind incidents, and end it for good",
		Long: `A problem is the cause behind one or more incidents. It is opened by a person, or by itself when the same alert, runbook or
cause of a service comes back as often as the organisation folder says. What is known of it is shown to the responders of the next
incident. Once its lasting fix is in place it is watched: a recurrence opens it again, and without one it closes.

` + finding,
		Example: "  muster problem open shop \"The pool runs dry\" --alert ShopCheckoutErrors\n  muster problem list\n" +
			"  muster problem known-error " + aProblem + " \"The pool runs dry\" --workaround \"Restart the node\"",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.openProblem(), a.listProblems(), a.showProblem(), a.problemReport(), a.knownError(), a.fixProblem(),
		a.asksProblem(&cobra.Command{
			Use: "link PROBLEM INCIDENT", Short: "Say that it is behind an incident",
			Long:    "Say that the problem is behind an incident. One that began after the fix opens the problem again.",
			Example: "  muster problem link " + aProblem + " " + anID,
		}, 2, func(args []string, _ string) any { return api.ProblemLink{Incident: id(args[1:])} }),
		a.asksProblem(&cobra.Command{
			Use: "unlink PROBLEM INCIDENT REASON...", Short: "Say that it is not",
			Long:    "Say that the problem is not behind an incident. It does not come back by itself; \"-\" reads the reason from the standard\ninput.",
			Example: "  muster problem unlink " + aProblem + " " + anID + " \"a test of ours\"",
		}, 2, func(args []string, words string) any {
			return problem.UnlinkIncident{Incident: id(args[1:]), Reason: words}
		}),
		a.asksProblem(&cobra.Command{
			Use: "cause PROBLEM TEXT...", Short: "Say why it happens",
			Long:    "Say why it happens; \"-\" reads the text from the standard input. What was said before stays in the timeline.",
			Example: "  muster problem cause " + aProblem + " \"connections are not given back after a time-out\"",
		}, 1, func(_ []string, words string) any { return problem.SetCause{Text: words} }),
		a.asksProblem(&cobra.Command{
			Use: "assign PROBLEM OWNER", Short: "Give it to another owner",
			Long:    "Give the problem to a person or group, who are told: person:ID or group:ID.",
			Example: "  muster problem assign " + aProblem + " group:noc",
		}, 2, func(args []string, _ string) any { return api.ProblemAssignment{Owner: args[1]} }),
		a.asksProblem(&cobra.Command{
			Use: "close PROBLEM REASON...", Short: "End it before its fix has held, or without one",
			Long:    "End the problem before its fix has held, or without one; \"-\" reads the reason from the standard input.",
			Example: "  muster problem close " + aProblem + " \"the service is gone\"",
		}, 1, func(_ []string, words string) any { return problem.Close{Reason: words} }),
		a.asksProblem(&cobra.Command{
			Use: "note PROBLEM TEXT...", Short: "Write into its timeline",
			Long:    "Write into the timeline of a problem, such as what it waits for: its owner is not reminded for some working days. \"-\" reads\nthe text from the standard input.",
			Example: "  muster problem note " + aProblem + " \"waiting for the vendor's patch\"",
		}, 1, func(_ []string, words string) any { return problem.Note{Text: words} }),
	)
	return group
}

// problemLabels are the words of one language that stand beside a problem.
type problemLabels struct {
	id, title, common, owner, opened, knownError, workaround, cause, fix, actions, fixedAt, watched, recurred, reminded, reason, ended, incidents, began, more, noted string
}

func problemLabelsIn(language string) problemLabels {
	if language == "ko" {
		return problemLabels{
			id: "문제(Problem)", title: "제목", common: "공통점", owner: "책임자", opened: "등록", knownError: "알려진 오류", workaround: "임시 해결 방법", cause: "근본 원인", fix: "근본 조치",
			actions: "개선 과제", fixedAt: "조치 시각", watched: "재발 관찰 기한", recurred: "조치 후 재발", reminded: "다음 알림", reason: "종료 사유", ended: "종료 시각", incidents: "인시던트",
			began: "발생", more: "외 %d건", noted: "%s: 문제에 기록",
		}
	}
	return problemLabels{
		id: "Problem", title: "Title", common: "In common", owner: "Owner", opened: "Opened", knownError: "Known error", workaround: "Workaround", cause: "Root cause",
		fix: "Lasting fix", actions: "Action items", fixedAt: "In place since", watched: "Watched until", recurred: "Not held", reminded: "Reminder", reason: "Reason", ended: "Closed",
		incidents: "Incident", began: "Began", more: "and %d more", noted: "%s: recorded in its timeline",
	}
}

func (a *app) openProblem() *cobra.Command {
	var (
		given api.NewProblem
		key   string
	)
	cmd := &cobra.Command{
		Use:   "open SERVICE TITLE...",
		Short: "Open the problem behind incidents of a service",
		Long: `Open the problem behind incidents of a service, by its ID. With --alert, --runbook or --cause the next incidents that have the
same are linked by themselves, where the organisation folder has a rule for problems, and their responders read what is known. "-" reads
the title from the standard input.`,
		Example: "  muster problem open shop \"The pool runs dry\" --alert ShopCheckoutErrors --incident " + anID + "\n" +
			"  muster problem open shop \"Azure drops connections\" --cause vendor --vendor Azure",
		Args: func(_ *cobra.Command, args []string) error {
			if given.Cause != "" && !slices.Contains(incident.CauseDomains(), given.Cause) {
				return misused("--cause %q: want one of %s", given.Cause, joined(incident.CauseDomains()))
			}
			return wants("SERVICE", "TITLE...")(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			given.Service = args[0]
			if given.Title, err = a.text(args[1:]); err != nil {
				return err
			}
			for n, id := range given.Incidents {
				given.Incidents[n] = strings.ToUpper(id)
			}
			var p problem.Problem
			err = a.once(key, func(key string) (err error) {
				p, err = c.OpenProblem(ctx, given, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(p, func(w io.Writer) { a.page(w, "", p.Zone).problem(&p) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&given.Alert, "alert", "", "`NAME` of the alert that its incidents have in common")
	f.StringVar(&given.Runbook, "runbook", "", "`ID` of the runbook that they have in common")
	f.StringVar((*string)(&given.Cause), "cause", "", "`DOMAIN` in which the cause of all lies: "+joined(incident.CauseDomains()))
	f.StringVar(&given.Vendor, "vendor", "", "with --cause vendor: `NAME` of the vendor")
	f.StringArrayVar(&given.Incidents, "incident", nil, "`INCIDENT` that is known; may be given again")
	_ = cmd.RegisterFlagCompletionFunc("cause", completions(incident.CauseDomains()))
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) listProblems() *cobra.Command {
	var (
		f      api.ProblemFilter
		all    bool
		status string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"},
		Short:   "List problems, the newest first",
		Long:    "List problems that are not closed, the newest first; with --all or --status the others too.",
		Example: "  muster problem list\n  muster problem list --status known-error\n  muster problem list --all --service shop -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(problem.Statuses(), problem.Status(status)) {
				return misused("--status %q: want %s", status, joined(problem.Statuses()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Status, f.Open = problem.Status(status), !all && status == ""
			page, err := c.Problems(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(page, func(w io.Writer) {
				if len(page.Problems) == 0 {
					a.none("no problems", "등록된 문제가 없습니다")
					return
				}
				a.page(w, page.Language, page.Zone).problemRows(page.Problems)
				a.more(page.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are closed too")
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(problem.Statuses()))
	cmd.Flags().StringVar(&f.Service, "service", "", "only those of this service, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("status", completions(problem.Statuses()))
	return cmd
}

// problemRows shows one row for each problem.
func (p page) problemRows(all []api.ProblemSummary) {
	say := problemLabelsIn(p.language)
	rows := [][]string{p.head(say.id, p.say.status, p.say.service, say.title, p.say.opened, p.say.next)}
	for _, x := range all {
		next := ""
		if !x.NextDue.IsZero() && x.ClosedAt.IsZero() {
			next = p.away(x.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(string(x.ID)), p.problemStatus(x.Status), printable(x.Service), printable(x.Title), p.instant(x.OpenedAt), next,
		})
	}
	p.rows(p.w, rows, cut)
}

func (p page) problemStatus(s problem.Status) string {
	shade := map[problem.Status]colour{problem.Open: red, problem.Known: yellow, problem.Fixed: green, problem.Closed: dim}
	return p.paint(shade[s], printable(p.view.texts.ProblemStatus(s, p.language)))
}

func (a *app) showProblem() *cobra.Command {
	return &cobra.Command{
		Use:   "show PROBLEM",
		Short: "Show a problem on one screen",
		Long: `Show where a problem stands: what is known of it, its incidents, its lasting fix, and what has happened. As JSON or YAML, durations
are whole nanoseconds.`,
		Example: "  muster problem show " + aProblem + "\n  muster problem show " + aProblem + " --lang ko",
		Args:    wants("PROBLEM"), ValidArgsFunction: a.completeProblems(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			p, err := c.Problem(ctx, problemID(args))
			if err != nil {
				return err
			}
			return a.answer(p, func(w io.Writer) { a.page(w, "", p.Zone).problem(&p) })
		}),
	}
}

// problem shows one problem on one screen.
func (p page) problem(x *problem.Problem) {
	say := problemLabelsIn(p.language)
	fmt.Fprintln(p.w, p.paint(bold, printable(fmt.Sprintf("%s  %s: %s", x.ID, x.Service.Name, x.Title))))
	fmt.Fprintf(p.w, "%s: %s\n\n", p.say.status, p.problemStatus(x.Status))
	f := facts{page: p}
	f.add(say.common, printable(p.view.texts.ProblemKey(x.Key, p.language)))
	f.add(say.owner, printable(x.Owner.Name))
	f.add(say.opened, p.at(x.Opened))
	f.add(say.knownError, paragraphs(x.KnownError)...)
	f.add(say.workaround, paragraphs(x.Workaround)...)
	f.add(say.cause, paragraphs(x.Cause)...)
	f.add(say.fix, paragraphs(x.Fix)...)
	f.add(say.actions, printable(strings.Join(x.Actions, ", ")))
	f.add(say.fixedAt, p.at(x.FixedAt))
	if x.Ended.IsZero() {
		f.add(say.watched, p.at(x.WatchUntil))
		f.add(say.reminded, p.at(x.RemindAt))
	}
	if x.Reopened > 0 {
		f.add(say.recurred, fmt.Sprintf("×%d", x.Reopened))
	}
	f.add(say.reason, printable(x.Reason))
	f.add(say.ended, p.at(x.Ended))
	p.rows(p.w, f.rows, text.WrapSoft)
	p.problemIncidents(x)
	p.history(x.Timeline)
}

func (p page) problemIncidents(x *problem.Problem) {
	if len(x.Links) == 0 {
		return
	}
	say := problemLabelsIn(p.language)
	rows := [][]string{p.head(say.incidents, say.began, say.ended, say.title)}
	for _, l := range x.Links {
		rows = append(rows, []string{printable(string(l.Incident)), p.at(l.Started), p.at(l.Closed), printable(l.Title)})
	}
	fmt.Fprintln(p.w)
	p.rows(p.w, rows, text.WrapSoft)
	if x.More > 0 {
		fmt.Fprintf(p.w, say.more+"\n", x.More)
	}
}

func (a *app) problemReport() *cobra.Command {
	var format, file string
	cmd := &cobra.Command{
		Use:     "report PROBLEM",
		Short:   "Write the report on a problem as of now",
		Long:    "Write the report on a problem as of now.",
		Example: "  muster problem report " + aProblem + "\n  muster problem report " + aProblem + " --format pdf --lang ko --file problem.pdf",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(report.Formats(), report.Format(format)) {
				return misused("--format %q: want %s", format, joined(report.Formats()))
			}
			if format == string(report.PDF) && file == "" && a.onTerminal() {
				return misused("--format pdf: want --file, for a terminal shows no PDF")
			}
			return wants("PROBLEM")(nil, args)
		},
		ValidArgsFunction: a.completeProblems(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			text, err := c.ProblemReport(ctx, problemID(args), report.Format(format), a.language())
			if err != nil {
				return err
			}
			return a.save(file, text)
		}),
	}
	cmd.Flags().StringVar(&format, "format", string(report.Markdown), "`FORMAT`: "+joined(report.Formats()))
	a.fileFlag(cmd, &file)
	_ = cmd.RegisterFlagCompletionFunc("format", completions(report.Formats()))
	return cmd
}

func (a *app) knownError() *cobra.Command {
	var workaround string
	cmd := a.asksProblem(&cobra.Command{
		Use: "known-error PROBLEM TEXT...", Short: "Say what goes wrong, and what helps until it is fixed",
		Long:    "Say what goes wrong, and what helps until it is fixed: the responders of the next incident of the same kind read both. What was\nknown before stays in the timeline; \"-\" reads the text from the standard input.",
		Example: "  muster problem known-error " + aProblem + " \"The pool runs dry\" --workaround \"Restart the node\"",
	}, 1, func(_ []string, words string) any { return problem.SetKnownError{Text: words, Workaround: workaround} })
	cmd.Flags().StringVar(&workaround, "workaround", "", "`TEXT` that says what helps")
	_ = cmd.RegisterFlagCompletionFunc("workaround", cobra.NoFileCompletions)
	return cmd
}

func (a *app) fixProblem() *cobra.Command {
	var fix problem.SetFix
	cmd := a.asksProblem(&cobra.Command{
		Use: "fix PROBLEM TEXT...", Short: "Say what ends it for good",
		Long: "Say what ends it for good, and by which action items. It is in place from now on and is watched; with --planned it is still to be\ndone. \"-\" reads the text from the standard input.",
		Example: "  muster problem fix " + aProblem + " \"give connections back\" --action ACT-7K3M9QX2PA --planned\n" +
			"  muster problem fix " + aProblem + " \"connections are given back since 4.2\"",
	}, 1, func(_ []string, words string) any {
		fix.Text = words
		return fix
	})
	cmd.Flags().StringArrayVar(&fix.Actions, "action", nil, "`ACTION` item that is the fix; may be given again")
	cmd.Flags().BoolVar(&fix.Planned, "planned", false, "it is still to be done")
	return cmd
}

// asksProblem makes a command that asks something of a problem: so many arguments, and then perhaps words. Its name is that of the
// route.
func (a *app) asksProblem(cmd *cobra.Command, names int, body func(args []string, words string) any) *cobra.Command {
	var key string
	args := strings.Fields(cmd.Use)[1:]
	cmd.Args, cmd.ValidArgsFunction = wants(args...), a.completeProblems()
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, given []string) (err error) {
		words := ""
		if len(args) > names {
			if words, err = a.text(given[names:]); err != nil {
				return err
			}
		}
		asked := body(given, words)
		var r api.ProblemReceipt
		err = a.once(key, func(key string) (err error) {
			r, err = c.AskProblem(ctx, problemID(given), cmd.Name(), asked, key)
			return err
		})
		if err != nil {
			return err
		}
		return a.answer(r, func(w io.Writer) {
			p := a.page(w, "", "")
			if _, noted := asked.(problem.Note); noted {
				fmt.Fprintln(w, printable(fmt.Sprintf(problemLabelsIn(p.language).noted, r.ID)))
				return
			}
			fmt.Fprintf(w, "%s: %s\n", printable(string(r.ID)), p.problemStatus(r.Status))
		})
	})
	keyFlag(cmd, &key)
	return cmd
}

// problemID is the problem that is meant.
func problemID(args []string) problem.ID { return problem.ID(strings.ToUpper(args[0])) }

// completeProblems completes the identity of a problem that is not closed.
func (a *app) completeProblems() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.Problems(ctx, api.ProblemFilter{Open: true, Limit: api.MaxRows})
		for _, x := range page.Problems {
			found = append(found, described(string(x.ID), fmt.Sprintf("%s %s: %s", x.Status, x.Service, x.Title)))
		}
		return found, err
	})
}

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

	"muster/internal/routine"
	"muster/starter/api"
)

func (a *app) routine() *cobra.Command {
	group := &cobra.Command{
		Use: "routine COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See and move work that comes back: checks, visits, reviews",
		Long: `See and move work that comes back: preventive and daily checks, visits, reviews. Each routine of routines.yaml in the organisation folder
starts a run of its plan at its times; what is not done in time is told to those whom it names.`,
		Example: "  muster routine list\n  muster routine show nuri-daily\n  muster routine move garam-preventive \"2026-12-01 10:00\" --to \"2026-12-03 14:00\" \"The customer moves house\"",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.listRoutines(), a.showRoutine(), a.moveRoutine(), a.skipRoutine())
	return group
}

// routineLabels are the words of one language that stand beside a routine.
type routineLabels struct {
	id, name, asset, customer, plan, visit, yes, next, last, runs, ahead, running, past, planned, begins, due, fate, run, why, told, late, by string
}

func routineLabelsIn(language string) routineLabels {
	if language == "ko" {
		return routineLabels{
			id: "정기 업무", name: "이름", asset: "자산", customer: "고객사", plan: "계획", visit: "방문 지원", yes: "예", next: "다음 시작", last: "최근 회차", runs: "계획 실행", ahead: "예정", running: "진행 중", past: "지난 회차",
			planned: "예정 시각", begins: "시작", due: "기한", fate: "결과", run: "계획 실행", why: "사유", told: "알림 대상", late: "기한 경과", by: "변경한 사람",
		}
	}
	return routineLabels{
		id: "Routine", name: "Name", asset: "Asset", customer: "Customer", plan: "Plan", visit: "Visit", yes: "yes", next: "Next", last: "Last", runs: "Runs", ahead: "Ahead", running: "Going on", past: "Over",
		planned: "Planned for", begins: "Begins", due: "Due", fate: "Outcome", run: "Run", why: "Why", told: "Told", late: "late", by: "By",
	}
}

func (a *app) listRoutines() *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the routines of the organisation folder",
		Long:    "List the routines of the organisation folder: how each stands, when it begins again, and what has become of the last one.",
		Example: "  muster routine list\n  muster routine list -o json", Args: wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			list, err := c.Routines(ctx)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				if len(list.Routines) == 0 {
					a.none("no routines", "정기 업무가 없습니다")
					return
				}
				a.page(w, list.Language, list.Zone).routineRows(list.Routines)
			})
		}),
	}
}

// routineRows shows one row for each routine.
func (p page) routineRows(all []api.RoutineRow) {
	say := routineLabelsIn(p.language)
	head := []string{say.id, p.say.status, say.next, say.last, say.runs, say.customer, say.name}
	ofAssets := slices.ContainsFunc(all, func(r api.RoutineRow) bool { return r.Asset != "" })
	if ofAssets {
		head = append(head, say.asset)
	}
	rows := [][]string{p.head(head...)}
	for _, r := range all {
		next, last := "", ""
		if !r.Next.IsZero() {
			next = p.instant(r.Next)
		}
		if r.Last != nil {
			last = p.fate(routine.Occurrence{Fate: r.Last.Fate, Late: r.Last.Late}) + " " + p.instant(r.Last.Planned)
		}
		row := []string{
			printable(r.ID), p.routineStatus(r.Status), next, last, printable(strings.Join(r.Runs, ", ")), printable(r.Customer), printable(r.Name),
		}
		if ofAssets {
			row = append(row, printable(r.Asset))
		}
		rows = append(rows, row)
	}
	p.rows(p.w, rows, cut)
}

func (p page) routineStatus(s routine.Status) string {
	if s == "" {
		return ""
	}
	shade := map[routine.Status]colour{routine.Waiting: dim, routine.Running: green, routine.Overdue: red, routine.Retired: dim}
	return p.paint(shade[s], printable(p.view.texts.RoutineStatus(s, p.language)))
}

// fate is what has become of an occurrence.
func (p page) fate(o routine.Occurrence) string {
	shade := map[routine.Fate]colour{routine.Planned: dim, routine.Starting: dim, routine.Started: green, routine.Done: green, routine.Missed: red, routine.Skipped: yellow}
	said := p.view.texts.RoutineFate(o.Fate, p.language)
	if o.Late && o.Fate != routine.Missed {
		said += ", " + routineLabelsIn(p.language).late
	}
	return p.paint(shade[o.Fate], printable(said))
}

func (a *app) showRoutine() *cobra.Command {
	return &cobra.Command{
		Use: "show ROUTINE", Short: "Show a routine on one screen",
		Long:    "Show when a routine begins again, which runs of it go on, and what has become of the ones before.",
		Example: "  muster routine show nuri-daily\n  muster routine show nuri-daily --lang ko", Args: wants("ROUTINE"), ValidArgsFunction: a.completeRoutines(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.Routine(ctx, args[0])
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.sheetIn(w, r.Zone).routine(&r) })
		}),
	}
}

// routine shows one routine on one screen.
func (s sheet) routine(r *routine.Routine) {
	say := routineLabelsIn(s.language)
	fmt.Fprintln(s.w, s.paint(bold, printable(fmt.Sprintf("%s  %s", r.ID, r.Name))))
	fmt.Fprintf(s.w, "%s: %s\n\n", s.say.status, s.routineStatus(r.Status))
	f := facts{page: s.page}
	f.add(say.asset, printable(r.Asset))
	f.add(say.customer, printable(r.CustomerName))
	f.add(say.plan, printable(r.Plan))
	if r.Visit {
		f.add(say.visit, say.yes)
	}
	var told []string
	for _, t := range r.Tell {
		told = append(told, t.String())
	}
	f.add(say.told, printable(strings.Join(told, ", ")))
	s.rows(s.w, f.rows, text.WrapSoft)
	for _, part := range []struct {
		name string
		all  []routine.Occurrence
	}{{say.running, r.Running}, {say.ahead, r.Ahead}, {say.past, r.Past}} {
		s.occurrences(part.name, part.all, say)
	}
	s.history(r.Timeline)
}

// occurrences shows one row for each occurrence.
func (s sheet) occurrences(name string, all []routine.Occurrence, say routineLabels) {
	if len(all) == 0 {
		return
	}
	s.heading(name)
	rows := [][]string{s.head(say.planned, say.begins, say.due, say.fate, say.run, say.by, say.why)}
	for _, o := range all {
		begins := ""
		if !o.Begins.Equal(o.Planned) {
			begins = s.instant(o.Begins)
		}
		why := cmp.Or(s.view.texts.RoutineDetail(&o, s.language), o.Reason)
		rows = append(rows, []string{s.instant(o.Planned), begins, s.instant(o.Due), s.fate(o), printable(o.Run), printable(o.By.Shown()), printable(why)})
	}
	s.rows(s.w, rows, cut)
}

func (a *app) moveRoutine() *cobra.Command {
	var to, key string
	cmd := &cobra.Command{
		Use: "move ROUTINE PLANNED REASON...", Short: "Give one of the times of a routine another time",
		Long: `Give one of the times of a routine that are still to come another time, between the one before it and the one after it. When it is due
moves with it. A --to of now begins it at once. PLANNED is the time for which the folder has planned it, as muster routine show has it.

` + times,
		Example: "  muster routine move garam-preventive \"2026-12-01 10:00\" --to \"2026-12-03 14:00\" \"The customer moves house\"",
		Args: func(_ *cobra.Command, args []string) error {
			if to == "" {
				return misused("--to: missing; want when it begins instead")
			}
			return wants("ROUTINE", "PLANNED", "REASON...")(nil, args)
		},
		ValidArgsFunction: a.completeRoutines(),
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		var m routine.Move
		var err error
		if m.Planned, err = a.clockTime("PLANNED", args[1]); err != nil {
			return err
		}
		if m.To, err = a.clockTime("--to", to); err != nil {
			return err
		}
		if m.Reason, err = a.text(args[2:]); err != nil {
			return err
		}
		return a.askRoutine(key, func(key string) (api.RoutineReceipt, error) { return c.MoveRoutine(ctx, args[0], m, key) })
	})
	cmd.Flags().StringVar(&to, "to", "", "`TIME` at which it begins instead")
	keyFlag(cmd, &key)
	return cmd
}

func (a *app) skipRoutine() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "skip ROUTINE PLANNED REASON...", Short: "Leave out one of the times of a routine",
		Long:              "Leave out one of the times of a routine that are still to come. PLANNED is the time for which the folder has planned it.\n\n" + times,
		Example:           "  muster routine skip nuri-daily \"2026-12-25 09:00\" \"The system is off\"",
		Args:              wants("ROUTINE", "PLANNED", "REASON..."),
		ValidArgsFunction: a.completeRoutines(),
	}
	cmd.RunE = a.asks(func(ctx context.Context, c *api.Client, args []string) error {
		var k routine.Skip
		var err error
		if k.Planned, err = a.clockTime("PLANNED", args[1]); err != nil {
			return err
		}
		if k.Reason, err = a.text(args[2:]); err != nil {
			return err
		}
		return a.askRoutine(key, func(key string) (api.RoutineReceipt, error) { return c.SkipRoutine(ctx, args[0], k, key) })
	})
	keyFlag(cmd, &key)
	return cmd
}

// askRoutine asks something of a routine, once, and shows where it stands.
func (a *app) askRoutine(key string, ask func(key string) (api.RoutineReceipt, error)) error {
	var r api.RoutineReceipt
	if err := a.once(key, func(key string) (err error) {
		r, err = ask(key)
		return err
	}); err != nil {
		return err
	}
	return a.answer(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", printable(r.ID), a.page(w, "", "").routineStatus(r.Status))
	})
}

// completeRoutines completes the ID of a routine.
func (a *app) completeRoutines() cobra.CompletionFunc {
	return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		list, err := c.Routines(ctx)
		for _, r := range list.Routines {
			found = append(found, described(r.ID, fmt.Sprintf("%s: %s", r.Status, r.Name)))
		}
		return found, err
	})
}

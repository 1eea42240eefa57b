package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/starter/api"
)

const aRun = "RUN-7K3M9QX2PA" // in examples

func (a *app) upgrade() *cobra.Command {
	group := &cobra.Command{
		Use: "upgrade COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Aliases: []string{string(plan.GoLive), string(plan.Readiness), string(plan.Maintenance)},
		Short:   "Start runs of plans, look at them, work and decide in them",
		Long: `Start runs of plans, look at them, work and decide in them: upgrades, go-lives, readiness reviews and other planned work, whose kind
is that of the plan. muster go-live, readiness and maintenance are the same commands. What you may do follows from the roles that the
organisation folder gives you in the run.

` + finding,
		Example: "  muster upgrade start upgrade --customer garam --environment staging=staging --environment production=production \\\n    --param release=6.5.22 --param launch-date=2027-03-10 --param site-address=https://shop.example/health\n" +
			"  muster upgrade show " + aRun + "\n  muster inbox",
		Args: noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddGroup(&cobra.Group{ID: "look", Title: "Look:"}, &cobra.Group{ID: "lead", Title: "Lead:"}, &cobra.Group{ID: "act", Title: "Work:"},
		&cobra.Group{ID: "decide", Title: "Decide:"})
	group.AddCommand(a.startPlanRun(), a.previewPlan(), a.listPlanRuns(), a.showPlanRun(), a.planTasks(), a.planTimeline(), a.planReport(), a.planHistory(), a.vote())
	for choice, short := range map[string]string{"approve": "Vote for what is shown", "reject": "Vote against what is shown, with a reason"} {
		group.AddCommand(a.voteShort(choice, short))
	}
	for _, d := range a.planDeeds() {
		group.AddCommand(a.planDeed(d))
	}
	return group
}

// runID is the run that is meant.
func runID(args []string) planrun.ID { return planrun.ID(strings.ToUpper(args[0])) }

// given reads options of the form NAME=VALUE.
func given(flag string, options []string) (map[string]string, error) {
	all := map[string]string{}
	for _, o := range options {
		name, value, ok := strings.Cut(o, "=")
		if _, twice := all[name]; twice {
			return nil, misused("%s %s: given twice", flag, name)
		}
		if !ok || name == "" {
			return nil, misused("%s %q: want NAME=VALUE", flag, o)
		}
		all[name] = value
	}
	return all, nil
}

// isPlanFile tells whether a plan is named by its file, not by its ID.
func isPlanFile(name string) bool {
	return strings.ContainsRune(name, filepath.Separator) || filepath.Ext(name) == ".yaml" || filepath.Ext(name) == ".yml"
}

// planFile reads the file of a plan.
func planFile(name string) (api.PlanText, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read plan: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, api.MaxPlan+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read plan: %w", err)
	case len(text) > api.MaxPlan:
		return "", fmt.Errorf("read plan %s: want %d bytes at most", name, api.MaxPlan)
	case len(text) == 0:
		return "", fmt.Errorf("read plan %s: it is empty", name)
	}
	return api.PlanText(text), nil
}

func (a *app) startPlanRun() *cobra.Command {
	var (
		asked              api.NewPlanRun
		environments, vars []string
		key                string
	)
	cmd := &cobra.Command{
		Use: "start PLAN", GroupID: "lead",
		Short: "Start a run of a plan",
		Long: `Start a run of a plan for a customer. PLAN is the ID of a plan of the organisation folder or of a shipped one, or the file of
one: what has a slash or ends in .yaml or .yml. The plan is pinned with its parameters, roles and runbooks: what changes later in the folder
changes nothing in the run, but for who fills the roles. Of each kind one run at a time
is open for a target environment, and over all kinds one at a time changes it.`,
		Example: "  muster upgrade start upgrade --customer garam --environment staging=staging --environment production=production \\\n    --param release=6.5.22 --param launch-date=2027-03-10 --param site-address=https://shop.example/health\n" +
			"  muster maintenance start ./org/plans/platform-patch.yaml --customer garam --environment staging=staging \\\n    --environment production=production --param patch=2027-03 --param patch-date=2027-03-10",
		Args: func(_ *cobra.Command, args []string) (err error) {
			if err := wants("PLAN")(nil, args); err != nil {
				return err
			}
			if asked.Environments, err = given("--environment", environments); err != nil {
				return err
			}
			if asked.Parameters, err = given("--param", vars); err != nil {
				return err
			}
			if asked.Customer == "" {
				return misused("--customer: missing; want the ID of a customer")
			}
			return nil
		},
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) (err error) {
			if asked.Plan = args[0]; isPlanFile(args[0]) {
				asked.Plan, asked.File = "", args[0]
				if asked.Content, err = planFile(args[0]); err != nil {
					return err
				}
			}
			var r *planrun.Run
			err = a.once(key, func(key string) (err error) {
				r, err = c.StartPlanRun(ctx, asked, key)
				return err
			})
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.page(w, "", r.Zone).planRun(r) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&asked.Customer, "customer", "", "`ID` of the customer")
	f.StringArrayVar(&environments, "environment", nil, "`NAME=ENVIRONMENT`, once for each environment of the plan: which one of the customer it is")
	f.StringArrayVar(&vars, "param", nil, "`NAME=VALUE` of a parameter, once for each; a list has commas")
	keyFlag(cmd, &key)
	for _, name := range []string{"customer", "environment", "param"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return cmd
}

func (a *app) listPlanRuns() *cobra.Command {
	var (
		f                      api.PlanRunFilter
		all                    bool
		kind, status, customer string
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, GroupID: "look",
		Short:   "List runs of plans, the newest first",
		Long:    "List runs of plans that are not over, of every kind, the newest first; with --all or --status the others too.",
		Example: "  muster upgrade list\n  muster upgrade list --kind go-live --customer garam\n  muster upgrade list --all -o json",
		Args: func(_ *cobra.Command, args []string) error {
			if status != "" && !slices.Contains(planrun.Statuses(), planrun.Status(status)) {
				return misused("--status %q: want %s", status, joined(planrun.Statuses()))
			}
			if kind != "" && !slices.Contains(plan.Kinds(), plan.Kind(kind)) {
				return misused("--kind %q: want %s", kind, joined(plan.Kinds()))
			}
			if err := wantLimit(f.Limit); err != nil {
				return err
			}
			return wants()(nil, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			f.Kind, f.Status, f.Open = plan.Kind(kind), planrun.Status(status), !all && status == ""
			if customer != "" {
				f.Customers = []string{customer}
			}
			found, err := c.PlanRuns(ctx, f)
			if err != nil {
				return err
			}
			return a.answer(found, func(w io.Writer) {
				if len(found.PlanRuns) == 0 {
					a.none("no runs", "계획 실행이 없습니다")
				} else {
					a.page(w, found.Language, found.Zone).planRuns(found.PlanRuns)
				}
				a.more(found.Next)
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().StringVar(&kind, "kind", "", "only those of this `KIND`: "+joined(plan.Kinds()))
	cmd.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: "+joined(planrun.Statuses()))
	cmd.Flags().StringVar(&customer, "customer", "", "only those of this customer, by `ID`")
	a.pageFlags(cmd, &f.Limit, &f.After)
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(plan.Kinds()))
	_ = cmd.RegisterFlagCompletionFunc("status", completions(planrun.Statuses()))
	return cmd
}

func (a *app) showPlanRun() *cobra.Command {
	return &cobra.Command{
		Use: "show RUN", GroupID: "look",
		Short: "Show a run on one screen",
		Long: `Show where a run stands: its phases and tasks with who does them and when they are due, for whom it waits, the votes, and what is
rolled back. As JSON or YAML it is the whole state as the workflow keeps it: durations are whole nanoseconds, instants UTC.`,
		Example: "  muster upgrade show " + aRun + "\n  muster upgrade show " + aRun + " --lang ko\n  muster upgrade show " + aRun + " -o json",
		Args:    wants("RUN"), ValidArgsFunction: a.completeRuns(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.PlanRun(ctx, runID(args))
			if err != nil {
				return err
			}
			return a.answer(r, func(w io.Writer) { a.page(w, "", r.Zone).planRun(r) })
		}),
	}
}

func (a *app) planTasks() *cobra.Command {
	var mine bool
	cmd := &cobra.Command{
		Use: "tasks RUN", GroupID: "look",
		Short:   "Show the tasks of a run",
		Long:    "Show the tasks of a run with their status, who does them and when they are due; with --mine those that wait for you.",
		Example: "  muster upgrade tasks " + aRun + "\n  muster upgrade tasks " + aRun + " --mine",
		Args:    wants("RUN"), ValidArgsFunction: a.completeRuns(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.PlanRun(ctx, runID(args))
			if err != nil {
				return err
			}
			tasks := r.Tasks
			if mine {
				box, err := c.Inbox(ctx, a.language())
				if err != nil {
					return err
				}
				tasks = slices.DeleteFunc(slices.Clone(tasks), func(t planrun.Task) bool {
					return !slices.ContainsFunc(box.Items, func(i api.InboxItem) bool {
						return i.Kind == api.InboxPlanRun && i.ID == string(r.ID) && i.Task == t.ID
					})
				})
			}
			return a.answer(append([]planrun.Task{}, tasks...), func(w io.Writer) {
				if len(tasks) == 0 {
					a.none("no tasks", "작업이 없습니다")
					return
				}
				a.page(w, "", r.Zone).planTasks(r, tasks)
			})
		}),
	}
	cmd.Flags().BoolVar(&mine, "mine", false, "only those that wait for you")
	return cmd
}

func (a *app) planTimeline() *cobra.Command {
	return &cobra.Command{
		Use: "timeline RUN", GroupID: "look",
		Short:   "Show everything that happened in a run",
		Long:    "Show everything that happened in a run, the oldest first.",
		Example: "  muster upgrade timeline " + aRun,
		Args:    wants("RUN"), ValidArgsFunction: a.completeRuns(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			r, err := c.PlanRun(ctx, runID(args))
			if err != nil {
				return err
			}
			return a.answer(r.Timeline, func(w io.Writer) {
				p := a.page(w, "", r.Zone)
				var entries []api.Entry
				for _, e := range r.Timeline.Entries {
					entries = append(entries, api.NewEntry(p.view.texts, e, p.language, p.zone))
				}
				p.timeline(entries)
			})
		}),
	}
}

func (a *app) planReport() *cobra.Command {
	kind := plan.CompletionReport
	cmd := a.writesReport(&cobra.Command{
		Use: "report RUN", GroupID: "look",
		Short: "Write a report on a run as of now",
		Long: `Write a report on a run as of now: the work plan, the completion report, who takes which part (RACI), or the record of decisions.
What tasks of the run have written is kept besides, and does not change: the page of the run lists it.`,
		Example: "  muster upgrade report " + aRun + "\n  muster upgrade report " + aRun + " --kind decisions --format pdf --file decisions.pdf",
		Args: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(report.PlanReports(), kind) {
				return misused("--kind %q: want %s", kind, joined(report.PlanReports()))
			}
			return wants("RUN")(nil, args)
		},
		ValidArgsFunction: a.completeRuns(),
	}, func(ctx context.Context, c *api.Client, args []string, f report.Format) ([]byte, error) {
		return c.PlanRunReport(ctx, runID(args), kind, f, a.language())
	})
	cmd.Flags().StringVar(&kind, "kind", kind, "`KIND`: "+joined(report.PlanReports()))
	_ = cmd.RegisterFlagCompletionFunc("kind", completions(report.PlanReports()))
	return cmd
}

func (a *app) planHistory() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "history RUN", GroupID: "look",
		Short: "Export the complete event history, for an auditor",
		Long: `Export the event history of a run as JSON. The same history gives the same bytes; muster audit replay runs it through the workflows
of this program.`,
		Example: "  muster upgrade history " + aRun + " --file " + aRun + ".json\n  muster audit replay " + aRun + ".json",
		Args:    wants("RUN"), ValidArgsFunction: a.completeRuns(),
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			text, err := c.PlanRunHistory(ctx, runID(args))
			if err != nil {
				return err
			}
			return a.save(file, text)
		}),
	}
	a.fileFlag(cmd, &file)
	return cmd
}

// completeRuns completes the identity of a run that is not over, and after it what may follow.
func (a *app) completeRuns(next ...func(*planrun.Run) []string) cobra.CompletionFunc {
	ids := a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
		page, err := c.PlanRuns(ctx, api.PlanRunFilter{Open: true, Limit: api.MaxRows})
		for _, r := range page.PlanRuns {
			found = append(found, described(string(r.ID), fmt.Sprintf("%s %s: %s", r.Status, r.Customer, r.Title)))
		}
		return found, err
	})
	return func(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 || len(args) > len(next) {
			return ids(cmd, args, start)
		}
		return a.completes(func(ctx context.Context, c *api.Client) (found []cobra.Completion, err error) {
			r, err := c.PlanRun(ctx, runID(args))
			if err != nil {
				return nil, err
			}
			return next[len(args)-1](r), nil
		})(cmd, nil, start)
	}
}

// taskIDs and environmentIDs are what may follow a run.
func taskIDs(r *planrun.Run) (ids []string) {
	for _, t := range r.Tasks {
		ids = append(ids, t.ID)
	}
	return ids
}

func environmentIDs(r *planrun.Run) (ids []string) {
	for _, e := range r.Environments {
		ids = append(ids, e.ID)
	}
	return ids
}

func these[S ~string](all ...S) func(*planrun.Run) []string {
	return func(*planrun.Run) []string { return strings.Split(joined(all), ", ") }
}

// receipt says where a run and its task stand.
func (p page) planReceipt(r api.PlanRunReceipt) {
	stands := fmt.Sprintf("%s: %s", printable(string(r.ID)), p.planStatus(r.Status))
	if r.TaskStatus != "" {
		stands += fmt.Sprintf(", %s: %s", printable(r.Task), p.taskStatus(r.TaskStatus))
	}
	fmt.Fprintln(p.w, stands)
}

func (p page) planStatus(s planrun.Status) string {
	shade := map[planrun.Status]colour{
		planrun.Running: green, planrun.Halted: yellow, planrun.RollingBack: red, planrun.Completed: dim, planrun.Cancelled: dim,
	}
	return p.paint(shade[s], printable(p.word("run", string(s))))
}

func (p page) taskStatus(s planrun.TaskStatus) string {
	shade := map[planrun.TaskStatus]colour{
		planrun.Ready: yellow, planrun.Begun: yellow, planrun.InCheck: yellow, planrun.Unclear: red, planrun.Failed: red, planrun.Done: green,
		planrun.Skipped: dim, planrun.RolledBack: red, planrun.Waiting: dim, planrun.Held: dim,
	}
	return p.paint(shade[s], printable(p.word("task", string(s))))
}

// planRuns shows one row for each run.
func (p page) planRuns(all []api.PlanRunSummary) {
	say := runLabelsIn(p.language)
	rows := [][]string{p.head(say.run, p.say.kind, p.say.status, p.say.customer, p.say.opened, p.say.next, p.say.title)}
	for _, r := range all {
		next := ""
		if !r.NextDue.IsZero() && r.EndedAt.IsZero() {
			next = p.away(r.NextDue, p.say.in, p.say.over)
		}
		rows = append(rows, []string{
			printable(string(r.ID)), say.kind(r.Kind), p.planStatus(r.Status), printable(r.Customer), p.instant(r.OpenedAt), next, printable(r.Title),
		})
	}
	p.rows(p.w, rows, cut)
}

// runLabels are the words of one language that stand beside runs of plans.
type runLabels struct {
	run, plan, environments, production, parameters, begun, ended, since, revised, absent string

	task, who, wanted, wait, votes, voted, rollback, component, override, held, silenced, noAlert, kept, resolved, fired, waiting, evidence, reason string

	upgrade, goLive, readiness, maintenance string

	onWhat, sums, sure, changeOf string // of a vote

	noInbox, cut, about, command string // of the inbox
}

func (say runLabels) kind(k plan.Kind) string {
	return cmp.Or(map[plan.Kind]string{
		plan.Upgrade: say.upgrade, plan.GoLive: say.goLive, plan.Readiness: say.readiness, plan.Maintenance: say.maintenance,
	}[k], printable(string(k)))
}

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/org"
)

// plan has the commands about plans. These need the organisation folder at most: no server, no network.
func (a *app) plan() *cobra.Command {
	group := &cobra.Command{
		Use: "plan COMMAND", DisableFlagsInUseLine: true, GroupID: "work", Short: "Look at plans of upgrades, go-lives, reviews and other planned work",
		Long: `Look at plans: phases of tasks, who takes which part in each, when it is due, what it needs, and what must hold before it.

A plan is a file in the folder plans of the organisation folder, or comes with Muster. An own one takes the place of the one with its
ID that comes with Muster.`,
		Example: "  muster plan list --org ./org\n  muster plan show upgrade\n  muster plan copy upgrade > org/plans/upgrade.yaml\n  muster plan lint org/plans/upgrade.yaml",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.viewFlags(group)
	group.AddCommand(a.planList(), a.planShow(), a.planLint(), a.planRACI(), a.planCopy())
	return group
}

// plannedIn are the plans that can be run: with a folder its own, and in any case those that come with Muster. The language is
// the organisation's.
func (a *app) plannedIn(folder string) (plans []org.Plan, language string, err error) {
	if folder == "" {
		return org.ShippedPlans(), "en", nil
	}
	o, err := org.LoadAsOf(folder, a.env.Now())
	if err != nil {
		return nil, "", err
	}
	return o.Plans(), o.Languages[0], nil
}

// planFor returns the plan that an argument means: a file, or the ID of one.
func (a *app) planFor(argument, folder string) (p org.Plan, language string, err error) {
	if ext := filepath.Ext(argument); ext == ".yaml" || ext == ".yml" || strings.ContainsRune(argument, filepath.Separator) {
		p, err = org.ReadPlanFile(argument)
		return p, "en", err
	}
	plans, language, err := a.plannedIn(folder)
	if err != nil {
		return org.Plan{}, "", err
	}
	p, err = org.PlanAmong(plans, argument)
	return p, language, err
}

const planFolderUsage = "organisation `FOLDER` with plans of its own; default: MUSTER_ORG, else only what comes with Muster"

// from says where a plan comes from.
func (l planLabels) from(p org.Plan) string {
	_, err := org.ShippedPlanText(p.Definition.ID)
	switch {
	case p.Shipped:
		return l.shipped
	case err == nil && strings.HasPrefix(p.File, "plans/"): // of the folder
		return fmt.Sprintf(l.instead, printable(p.File))
	}
	return printable(p.File)
}

// listed is a plan as a list has it.
type listed struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	Tasks   int    `json:"tasks"`
	SHA256  string `json:"sha256"`
	File    string `json:"file"`
	Shipped bool   `json:"shipped"`
}

func (a *app) planList() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the plans that can be run",
		Example: "  muster plan list\n  muster plan list --org ./org",
		Args:    wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.shows(func(_ *cobra.Command, _ []string) error {
			plans, language, err := a.plannedIn(folder)
			if err != nil {
				return err
			}
			language = cmp.Or(a.language(), language)
			all := make([]listed, len(plans))
			for n, p := range plans {
				d := &p.Definition
				all[n] = listed{d.ID, string(d.Kind), d.Name.In(language), len(d.All()), p.SHA256, p.File, p.Shipped}
			}
			return a.answer(all, func(w io.Writer) {
				p, l := a.page(w, language, "UTC"), planLabelsIn(language)
				rows := [][]string{p.head(l.plan, l.kind, l.tasks, l.source, l.name)}
				for n, x := range all {
					rows = append(rows, []string{x.ID, l.word(x.Kind), strconv.Itoa(x.Tasks), l.from(plans[n]), printable(x.Name)})
				}
				p.rows(w, rows, text.WrapSoft)
			})
		}),
	}
	a.orgFlag(cmd, &folder, planFolderUsage)
	return cmd
}

func (a *app) planShow() *cobra.Command {
	folder := ""
	cmd := &cobra.Command{
		Use:     "show ID|FILE",
		Short:   "Show a plan: its phases and tasks, who does them, when, and what holds for them",
		Example: "  muster plan show upgrade\n  muster plan show --org ./org --lang ko patch\n  muster plan show draft.yaml",
		Args:    wants("ID|FILE"), ValidArgsFunction: completePlans,
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			p, language, err := a.planFor(args[0], folder)
			if err != nil {
				return err
			}
			return a.answer(p, func(w io.Writer) { a.planSheet(w, p, language).whole() })
		}),
	}
	a.orgFlag(cmd, &folder, planFolderUsage)
	return cmd
}

// completePlans completes the IDs of plans that come with Muster, and files.
func completePlans(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []cobra.Completion
	for _, p := range org.ShippedPlans() {
		ids = append(ids, p.Definition.ID)
	}
	return ids, cobra.ShellCompDirectiveDefault
}

// linted is what lint says of a file.
type linted struct {
	File   string      `json:"file"`
	Plan   string      `json:"plan,omitempty"`
	SHA256 string      `json:"sha256,omitempty"`
	Tasks  int         `json:"tasks,omitempty"`
	Events int         `json:"events,omitempty"` // that a run is expected to need
	Faults []org.Fault `json:"faults"`
}

func (a *app) planLint() *cobra.Command {
	return &cobra.Command{
		Use:   "lint FILE...",
		Short: "Check files of plans",
		Long: `Check files of plans, and say all that is wrong with them: each fault with its line and column, the value that stands there, and
what would be right.`,
		Example: "  muster plan lint org/plans/*.yaml",
		Args:    wants("FILE..."),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return []cobra.Completion{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: a.shows(func(_ *cobra.Command, files []string) error {
			var all []linted
			var wrong []error
			for _, file := range files {
				p, err := org.ReadPlanFile(file)
				x := linted{File: file, Faults: []org.Fault{}}
				refusal, refused := errors.AsType[*org.Refusal](err)
				switch {
				case refused:
					x.Faults = refusal.Faults
				case err != nil:
					x.Faults = []org.Fault{{File: file, Text: err.Error()}}
				default:
					x.Plan, x.SHA256, x.Tasks, x.Events = p.Definition.ID, p.SHA256, len(p.Definition.All()), p.Definition.Events()
				}
				all, wrong = append(all, x), append(wrong, err)
			}
			if err := a.answer(all, func(w io.Writer) {
				l := planLabelsIn(cmp.Or(a.language(), "en"))
				for _, x := range all {
					if len(x.Faults) == 0 {
						lines(w, fmt.Sprintf(l.faultless, x.File, x.Plan, x.Tasks, x.Events))
					}
				}
			}); err != nil {
				return err
			}
			err := errors.Join(wrong...)
			if err != nil && a.view.output != "table" {
				return errors.New("lint: faults")
			}
			return err
		}),
	}
}

func (a *app) planCopy() *cobra.Command {
	return &cobra.Command{
		Use:     "copy ID",
		Short:   "Write the file of a plan that comes with Muster, to start from",
		Example: "  muster plan copy upgrade > org/plans/upgrade.yaml",
		Args:    wants("ID"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			ids, _ := completePlans(nil, args, "")
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: a.does(func(_ *cobra.Command, args []string) error {
			content, err := org.ShippedPlanText(args[0])
			if err != nil {
				return err
			}
			_, err = a.env.Stdout.Write(content)
			return err
		}),
	}
}

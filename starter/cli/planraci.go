package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/raci"
)

// matrix says who takes which part in what.
type matrix struct {
	Name  string       `json:"name"`
	Roles []matrixRole `json:"roles"`
	Rows  []matrixRow  `json:"rows"`

	register bool
}

type matrixRole struct {
	ID    string `json:"id"`
	Party string `json:"party"`
	Name  string `json:"name"`
}

type matrixRow struct {
	Part     string            `json:"part"` // phase of a plan, section of a register
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Letters  map[string]string `json:"letters"` // by role, such as A/R
	Evidence string            `json:"evidence,omitempty"`
	Every    plan.Period       `json:"every,omitempty"`
	Source   string            `json:"source,omitempty"`
}

func rolesOf(all []plan.Role, language string) (roles []matrixRole) {
	for _, r := range all {
		roles = append(roles, matrixRole{r.ID, string(r.Party), r.Name.In(language)})
	}
	return roles
}

func letters(a raci.Assignment, roles []plan.Role) map[string]string {
	all := map[string]string{}
	for _, r := range roles {
		if l := a.Letters(r.ID); l != "" {
			all[r.ID] = l
		}
	}
	return all
}

// matrixOf is the matrix of a plan.
func matrixOf(d *plan.Definition, language string) matrix {
	m := matrix{Name: d.Name.In(language), Roles: rolesOf(d.Roles, language)}
	for _, p := range d.Phases {
		for _, t := range p.Tasks {
			m.Rows = append(m.Rows, matrixRow{
				Part: p.Name.In(language), ID: t.ID, Name: t.Name.In(language), Letters: letters(t.Assignment, d.Roles), Source: t.Source,
			})
		}
	}
	return m
}

// matrixOfRegister is that of the standing duties.
func matrixOfRegister(r *plan.Register, language string) matrix {
	m := matrix{Name: r.Name.In(language), Roles: rolesOf(r.Roles, language), register: true}
	for _, s := range r.Sections {
		for _, d := range s.Duties {
			m.Rows = append(m.Rows, matrixRow{
				Part: s.Name.In(language), ID: d.ID, Name: d.Name.In(language), Letters: letters(d.Assignment, r.Roles),
				Evidence: d.Evidence.In(language), Every: d.Every, Source: d.Source,
			})
		}
	}
	return m
}

func matrixFormats() []string { return []string{"table", "markdown", "csv"} }

func (a *app) planRACI() *cobra.Command {
	folder, format, register := "", "", false
	cmd := &cobra.Command{
		Use:   "raci ID|FILE",
		Short: "Show who takes which part in each task of a plan",
		Long: `Show who takes which part in each task of a plan: R does it, A answers for it, C is asked before, I is told after. With --register,
show the standing duties instead, which have no end and so stand in no plan, each with its evidence and how often that is due.`,
		Example: "  muster plan raci upgrade\n  muster plan raci --format csv upgrade > raci.csv\n  muster plan raci --register --lang ko --format markdown",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case !slices.Contains(matrixFormats(), format):
				return misused("--format %q: want %s", format, joined(matrixFormats()))
			case register:
				return wants()(nil, args)
			}
			return wants("ID|FILE")(nil, args)
		},
		ValidArgsFunction: completePlans,
		RunE: a.shows(func(_ *cobra.Command, args []string) error {
			m, language, err := a.matrixFor(args, folder)
			if err != nil {
				return err
			}
			return a.answer(m, func(w io.Writer) { a.page(w, language, "UTC").matrix(m, planLabelsIn(language), format) })
		}),
	}
	a.orgFlag(cmd, &folder, planFolderUsage)
	cmd.Flags().StringVar(&format, "format", "table", "`FORMAT` of the matrix: "+joined(matrixFormats()))
	cmd.Flags().BoolVar(&register, "register", false, "the standing duties, instead of a plan")
	_ = cmd.RegisterFlagCompletionFunc("format", completions(matrixFormats()))
	return cmd
}

// matrixFor is the matrix of a plan, or of the standing duties where none is named.
func (a *app) matrixFor(args []string, folder string) (matrix, string, error) {
	if len(args) == 0 {
		r, err := org.ShippedRegister()
		language := cmp.Or(a.language(), "en")
		return matrixOfRegister(&r, language), language, err
	}
	p, language, err := a.planFor(args[0], folder)
	if err != nil {
		return matrix{}, "", err
	}
	language = cmp.Or(a.language(), language)
	return matrixOf(&p.Definition, language), language, nil
}

func (p page) matrix(m matrix, l planLabels, format string) {
	switch format {
	case "csv":
		p.matrixCSV(m, l)
	case "markdown":
		p.matrixMarkdown(m, l)
	default:
		p.matrixTable(m, l)
	}
}

// cells are the letters of a row, and for a register what shows that it was done.
func (m matrix) cells(r matrixRow, l planLabels) []string {
	var cells []string
	for _, role := range m.Roles {
		cells = append(cells, r.Letters[role.ID])
	}
	if m.register {
		cells = append(cells, l.word(string(r.Every)), printable(r.Evidence))
	}
	return cells
}

// columns are the names over them.
func (m matrix) columns(l planLabels) []string {
	var names []string
	for _, role := range m.Roles {
		names = append(names, printable(role.Name))
	}
	if m.register {
		names = append(names, l.every, l.evidence)
	}
	return names
}

func (p page) matrixTable(m matrix, l planLabels) {
	fmt.Fprintf(p.w, "%s\n%s\n\n", p.paint(bold, printable(m.Name)), l.legend)
	name := l.task
	if m.register {
		name = l.duty
	}
	rows := [][]string{p.head(append([]string{name}, m.columns(l)...)...)}
	part := ""
	for _, r := range m.Rows {
		if r.Part != part {
			part = r.Part
			rows = append(rows, []string{p.paint(bold, printable(part))})
		}
		rows = append(rows, append([]string{"  " + printable(r.Name)}, m.cells(r, l)...))
	}
	p.rows(p.w, rows, text.WrapSoft)
}

// matrixMarkdown writes a table that other documents may take over.
func (p page) matrixMarkdown(m matrix, l planLabels) {
	row := func(cells ...string) {
		for n, c := range cells {
			cells[n] = inMarkdown(c)
		}
		fmt.Fprintln(p.w, "| "+strings.Join(cells, " | ")+" |")
	}
	first := []string{l.phase, l.task}
	if m.register {
		first = []string{l.section, l.duty}
	}
	columns := append(first, m.columns(l)...)
	fmt.Fprintf(p.w, "## %s\n\n%s\n\n", inMarkdown(printable(m.Name)), l.legend)
	row(columns...)
	fmt.Fprintln(p.w, "|"+strings.Repeat(" --- |", len(columns)))
	for _, r := range m.Rows {
		row(append([]string{printable(r.Part), printable(r.Name)}, m.cells(r, l)...)...)
	}
}

// inMarkdown takes the meaning from all that Markdown and HTML would read in a text.
func inMarkdown(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "#", `\#`,
	).Replace(s)
}

// matrixCSV writes the matrix for a spreadsheet, with a mark by which it knows UTF-8.
func (p page) matrixCSV(m matrix, l planLabels) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	first := []string{l.phase, "ID", l.task}
	if m.register {
		first = []string{l.section, "ID", l.duty}
	}
	write := func(cells []string) {
		for n, c := range cells {
			if c != "" && strings.ContainsRune("=+-@", rune(c[0])) { // a spreadsheet would compute it
				cells[n] = "'" + c
			}
		}
		_ = w.Write(cells) // into memory
	}
	write(append(append(first, m.columns(l)...), l.source))
	for _, r := range m.Rows {
		write(append(append([]string{printable(r.Part), r.ID, printable(r.Name)}, m.cells(r, l)...), printable(r.Source)))
	}
	w.Flush()
	fmt.Fprintf(p.w, "\ufeff%s", b.String())
}

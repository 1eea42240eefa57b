package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"muster/internal/visit"
	"muster/starter/api"
)

func (a *app) visit() *cobra.Command {
	group := &cobra.Command{
		Use: "visit COMMAND", DisableFlagsInUseLine: true, GroupID: "work",
		Short: "See visits to customers, and what is left of those bought",
		Long: `See the visits to customers in a year of the calendar: how many each has bought, how many were used by requests or done by routines with
visit: true, how many are still to come, and what is left once those are done.`,
		Example: "  muster visit list\n  muster visit show garam\n  muster visit show garam --year 2027",
		Args:    noCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.clientFlags(group)
	a.viewFlags(group)
	group.AddCommand(a.listVisits(), a.showVisits())
	return group
}

// visitLabels are the words of one language that stand beside visits.
type visitLabels struct {
	customer, name, year, bought, used, done, planned, moved, left, after, visits, at, plannedFor, what, run, late, unknown string
	tooMany                                                                                                                 string // how many
}

func visitLabelsIn(language string) visitLabels {
	if language == "ko" {
		return visitLabels{
			customer: "고객사", name: "이름", year: "연도", bought: "계약 횟수", used: "사용", done: "정기 업무 완료", planned: "예정", moved: "시각 변경", left: "남은 횟수",
			after: "예정 후 남는 횟수", visits: "방문 지원", at: "시각", plannedFor: "원래 예정", what: "내용", run: "계획 실행", late: "기한 경과", unknown: "알 수 없음",
			tooMany: "사용한 횟수와 예정된 횟수가 계약 횟수보다 %d회 많음",
		}
	}
	return visitLabels{
		customer: "Customer", name: "Name", year: "Year", bought: "Bought", used: "Used", done: "Done by routines", planned: "Planned", moved: "Moved", left: "Left",
		after: "Left after", visits: "Visits", at: "At", plannedFor: "Planned for", what: "What", run: "Run", late: "late", unknown: "not known",
		tooMany: "%d more used or planned than bought",
	}
}

func (a *app) listVisits() *cobra.Command {
	var year int
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List what is left of the visits that customers have bought",
		Long: `List the customers that have bought visits or are visited: how many were bought for the year, used by requests or done by routines, are still to
come, and what is left after those. Below 0 more is used or planned than was bought.`,
		Example: "  muster visit list\n  muster visit list --year 2027 -o json", Args: wants(), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			list, err := c.Visits(ctx, "", year)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				if len(list.Customers) == 0 {
					a.none("no visits", "방문 지원이 없습니다")
					return
				}
				p := a.page(w, list.Language, list.Zone)
				p.visitRows(list.Customers)
				for _, y := range list.Customers {
					if many := p.tooMany(y.Counts); many != "" {
						fmt.Fprintf(w, "%s: %s\n", printable(y.Customer), many)
					}
				}
			})
		}),
	}
	yearFlag(cmd, &year)
	return cmd
}

func yearFlag(cmd *cobra.Command, year *int) {
	cmd.Flags().IntVar(year, "year", 0, "this `YEAR` of the calendar, from the last one to the next; default: the one of today")
}

// visitRows shows one row for each customer.
func (p page) visitRows(all []visit.Year) {
	say := visitLabelsIn(p.language)
	rows := [][]string{p.head(say.customer, say.year, say.bought, say.used, say.done, say.planned, say.moved, say.left, say.after, say.name)}
	for _, y := range all {
		row := []string{printable(y.Customer), strconv.Itoa(y.Year), some(y.Bought)}
		if c := y.Counts; c != nil {
			row = append(row, strconv.Itoa(c.Used), strconv.Itoa(c.Done), strconv.Itoa(c.Planned), strconv.Itoa(c.Moved), p.remaining(c.Left), p.remaining(c.After))
		} else {
			row = append(row, p.paint(red, say.unknown), "", "", "", "", "")
		}
		rows = append(rows, append(row, printable(y.Name)))
	}
	p.rows(p.w, rows, cut)
}

// tooMany warns of more visits than were bought.
func (p page) tooMany(c *visit.Counts) string {
	if c == nil || c.After == nil || *c.After >= 0 {
		return ""
	}
	return p.paint(red, fmt.Sprintf(visitLabelsIn(p.language).tooMany, -*c.After))
}

// some is a number, and nothing where there is none.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// remaining is how many are left, and nothing where nobody knows.
func (p page) remaining(n *int) string {
	switch {
	case n == nil:
		return ""
	case *n < 0:
		return p.paint(red, strconv.Itoa(*n))
	}
	return strconv.Itoa(*n)
}

func (a *app) showVisits() *cobra.Command {
	var year int
	cmd := &cobra.Command{
		Use: "show CUSTOMER", Short: "Show the visits to a customer on one screen",
		Long:    "Show each visit to a customer in a year, with what has become of it, and what is left of those bought.",
		Example: "  muster visit show garam\n  muster visit show garam --year 2027 --lang ko", Args: wants("CUSTOMER"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.asks(func(ctx context.Context, c *api.Client, args []string) error {
			list, err := c.Visits(ctx, args[0], year)
			if err != nil {
				return err
			}
			if len(list.Customers) != 1 || list.Customers[0].Customer != args[0] {
				return fmt.Errorf("customer %s: not found; muster visit list shows those who have visits", printable(args[0]))
			}
			return a.answer(list.Customers[0], func(w io.Writer) { a.page(w, list.Language, list.Zone).visitsOf(&list.Customers[0]) })
		}),
	}
	yearFlag(cmd, &year)
	return cmd
}

// visitsOf shows the visits to one customer on one screen.
func (p page) visitsOf(y *visit.Year) {
	say := visitLabelsIn(p.language)
	fmt.Fprintln(p.w, p.paint(bold, printable(fmt.Sprintf("%s  %s, %d", y.Customer, y.Name, y.Year))))
	f := facts{page: p}
	f.add(say.bought, some(y.Bought))
	if c := y.Counts; c != nil {
		f.add(say.used, strconv.Itoa(c.Used))
		f.add(say.done, strconv.Itoa(c.Done))
		f.add(say.planned, strconv.Itoa(c.Planned))
		f.add(say.moved, strconv.Itoa(c.Moved))
		f.add(say.left, p.remaining(c.Left))
		f.add(say.after, p.remaining(c.After))
		f.add("", p.tooMany(c))
	} else {
		f.add(say.used, p.paint(red, say.unknown+": "+printable(y.Detail)))
	}
	p.rows(p.w, f.rows, text.WrapSoft)
	if len(y.Visits) == 0 {
		return
	}
	fmt.Fprintf(p.w, "\n%s\n", p.paint(bold, say.visits))
	rows := [][]string{p.head(say.at, p.say.status, say.plannedFor, say.what, say.run)}
	for _, v := range y.Visits {
		planned := ""
		if !v.Planned.IsZero() {
			planned = p.instant(v.Planned)
		}
		rows = append(rows, []string{p.instant(v.At), p.visitState(&v), planned, printable(cmp.Or(v.Request, v.Name, v.Routine)), printable(v.Run)})
	}
	p.rows(p.w, rows, cut)
}

func (p page) visitState(v *visit.Visit) string {
	shade := map[visit.State]colour{
		visit.Planned: dim, visit.Moved: yellow, visit.Started: green, visit.Done: green, visit.Missed: red, visit.Skipped: yellow, visit.Used: green,
	}
	said := p.view.texts.VisitState(v.State, p.language)
	if v.Late && v.State != visit.Missed {
		said += ", " + visitLabelsIn(p.language).late
	}
	return p.paint(shade[v.State], printable(said))
}

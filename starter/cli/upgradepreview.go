package cli

import (
	"context"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/preview"
	"muster/internal/report"
	"muster/internal/timeline"
)

// previewLabels are the words of a forecast in one language.
type previewLabels struct {
	starts, ends, stalls, phase, task, begins, finishes, due, note, late, expires, held, critical, wanted, role, people, until, waits string
	absent                                                                                                                            string
	legend                                                                                                                            report.GanttLegend
}

func previewLabelsIn(language string) previewLabels {
	if language == "ko" {
		return previewLabels{
			starts: "시작", ends: "예상 종료", stalls: "멈춤", phase: "단계", task: "작업", begins: "착수", finishes: "완료", due: "기한", note: "비고", late: "기한 초과",
			expires: "투표 기한 만료", held: "변경 불가: %s, %s까지", critical: "주요 경로", wanted: "필요 인력", role: "역할", people: "담당자", until: "까지",
			waits: "%s: %s 대기 중(%s)%s", absent: "해당 없음: %s (%s)",
			legend: report.GanttLegend{Waiting: "대기", Doing: "진행", Held: "변경 불가", Due: "기한", Critical: "주요 경로", Late: "기한 초과"},
		}
	}
	return previewLabels{
		starts: "Starts", ends: "Expected end", stalls: "Stalls", phase: "Phase", task: "Task", begins: "Begins", finishes: "Ends", due: "Due", note: "Note",
		late: "late", expires: "the vote expires", held: "held by %s until %s", critical: "Critical path", wanted: "Who must be there", role: "Role", people: "People",
		until: "Until", waits: "%s waits for %s (%s)%s", absent: "not part of it: %s (%s)",
		legend: report.GanttLegend{Waiting: "waiting", Doing: "being done", Held: "may not be changed", Due: "due", Critical: "critical path", Late: "late"},
	}
}

// previewPlan is the command that forecasts a run of a plan.
func (a *app) previewPlan() *cobra.Command {
	var s org.PlanStart
	var at, gantt string
	var parameters, environments []string
	cmd := &cobra.Command{
		Use: "preview PLAN|FILE", GroupID: "lead", Short: "Forecast how a plan would go, on the real calendars, freezes and schedules",
		Long: `Forecast how a plan would go if everybody did what they are asked in the time that it usually takes: when each task would begin
and end, what a freeze would hold up, which vote would expire, and who must be there when. It needs the organisation folder and
nothing else: no server, no network, and nothing happens.`,
		Example: "  muster upgrade preview --org ./org upgrade --customer garam --environment production=prod --param version=6.5.21\n" +
			"  muster upgrade preview --org ./org my-plan.yaml --customer garam --at 2026-12-01T09:00:00+09:00 --gantt plan.html",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused("want one plan: its id, or a file")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Customer, "customer", "", "`ID` of the customer")
	f.StringArrayVar(&environments, "environment", nil, "`PLAN=OURS`: an environment of the plan, and which one of the customer it is; may be repeated")
	f.StringArrayVar(&parameters, "param", nil, "`KEY=VALUE` of a parameter of the plan; may be repeated")
	f.StringVar(&at, "at", "", "`TIME` of the start, such as 2026-12-01T09:00:00+09:00; default: now")
	f.StringVar(&gantt, "gantt", "", "write the drawing to `FILE` as well: .svg or .html")
	return a.explains(cmd, func(ctx context.Context, o *org.Organisation, args []string) error {
		start := a.env.Now()
		if at != "" {
			t, err := time.Parse(time.RFC3339, at)
			if err != nil {
				return misused("--at %q: want a time such as 2026-12-01T09:00:00+09:00", at)
			}
			start = t
		}
		if ext := filepath.Ext(gantt); gantt != "" && ext != ".svg" && ext != ".html" {
			return misused("--gantt %q: want a file whose name ends in .svg or .html", gantt)
		}
		var err error
		if s.Environments, err = given("--environment", environments); err == nil {
			s.Parameters, err = given("--param", parameters)
		}
		if err == nil {
			err = brings(&s, args[0])
		}
		if err != nil {
			return err
		}
		terms, err := o.StartPlan(s)
		if err != nil {
			return err
		}
		terms.ID, terms.Starter = planrun.NewID(0), starterOfPreview()
		forecast, err := preview.Plan(ctx, o, terms, start)
		if err != nil {
			return err
		}
		if gantt != "" {
			if err := a.draw(o, terms, forecast, gantt); err != nil {
				return err
			}
		}
		return a.answer(forecast, func(w io.Writer) { a.forecast(w, o, terms, forecast) })
	})
}

// starterOfPreview is whoever starts a run that is only looked at: somebody who votes on nothing.
func starterOfPreview() timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: "preview", Name: "preview"}
}

// brings tells a file from the id of a plan.
func brings(s *org.PlanStart, arg string) error {
	if !isPlanFile(arg) {
		s.Plan = arg
		return nil
	}
	content, err := planFile(arg)
	s.File, s.Content = arg, []byte(content)
	return err
}

// forecast prints a forecast for people.
func (a *app) forecast(w io.Writer, o *org.Organisation, terms planrun.Terms, f *preview.Forecast) {
	p := a.page(w, o.Languages[0], o.Zone.String())
	l := previewLabelsIn(p.language)
	end := p.instant(f.Ends)
	if f.Ends.IsZero() {
		end = l.stalls
	}
	a.rows(w, [][]string{
		{a.paint(bold, terms.Plan.Name.In(p.language)), terms.CustomerName + ", " + terms.Target().Name}, {l.starts, p.instant(f.Starts)}, {l.ends, end},
	}, cut)
	for _, x := range terms.Absent {
		fmt.Fprintf(w, l.absent+"\n", x.Name.In(p.language), x.When)
	}
	for _, s := range f.Stalls {
		def, _ := terms.Plan.Task(s.Task)
		why := ""
		if s.Why != "" {
			why = ": " + s.Why
		}
		fmt.Fprintln(w, a.paint(red, fmt.Sprintf(l.waits, def.Name.In(p.language), strings.Join(a.roleNames(terms, s.Roles, p.language), ", "), s.Status, why)))
	}
	fmt.Fprintln(w)
	rows := [][]string{{l.task, l.begins, l.finishes, l.due, "", l.note}}
	phase := ""
	for _, b := range f.Tasks {
		if b.Phase != phase {
			phase = b.Phase
			rows = append(rows, []string{a.paint(bold, phaseName(&terms.Plan, phase, p.language))})
		}
		rows = append(rows, []string{
			"  " + b.Name.In(p.language), p.short(b.Begins), p.short(b.Ends), p.short(b.Due), a.bar(f, b), strings.Join(a.remarks(p, l, f, b), "; "),
		})
	}
	a.rows(w, rows, cut)
	fmt.Fprintf(w, "\n%s: %s\n\n", a.paint(bold, l.critical), strings.Join(f.Critical, " → "))
	rows = [][]string{{l.wanted, l.task, l.begins, l.until, l.people}}
	for _, x := range f.Wanted {
		def, _ := terms.Plan.Task(x.Task)
		rows = append(rows, []string{
			a.roleNames(terms, []string{x.Role}, p.language)[0], def.Name.In(p.language), p.short(x.From), p.short(x.Until),
			strings.Join(preview.Fills(o, terms.Filled(x.Role), x.From), ", "),
		})
	}
	a.rows(w, rows, cut)
}

func phaseName(d *plan.Definition, id, language string) string {
	for _, p := range d.Phases {
		if p.ID == id {
			return p.Name.In(language)
		}
	}
	return id
}

func (a *app) roleNames(terms planrun.Terms, roles []string, language string) []string {
	names := make([]string, len(roles))
	for n, id := range roles {
		role, _ := terms.Plan.Role(id)
		names[n] = role.Name.In(language)
	}
	return names
}

// short is an instant without its year and zone, which stand above.
func (p page) short(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone, err := time.LoadLocation(p.zone)
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone).Format("01-02 15:04")
}

// remarks are what is worth knowing of a task.
func (a *app) remarks(p page, l previewLabels, f *preview.Forecast, b preview.Bar) []string {
	var all []string
	if b.Late {
		all = append(all, a.paint(red, l.late))
	}
	if b.Expires {
		all = append(all, a.paint(red, l.expires))
	}
	for _, h := range b.Held {
		all = append(all, fmt.Sprintf(l.held, h.Why, p.short(h.Until)))
	}
	if slices.Contains(f.Critical, b.ID) {
		all = append(all, "◆")
	}
	return all
}

// bar draws when a task is done among the others.
func (a *app) bar(f *preview.Forecast, b preview.Bar) string {
	const columns = 40
	end := f.Ends
	if end.IsZero() {
		for _, x := range f.Tasks {
			if x.Ends.After(end) {
				end = x.Ends
			}
		}
	}
	span := end.Sub(f.Starts)
	if span <= 0 || b.Begins.IsZero() {
		return strings.Repeat("·", columns)
	}
	column := func(t time.Time) int {
		return min(columns-1, max(0, int(int64(columns)*int64(t.Sub(f.Starts))/int64(span))))
	}
	line := []rune(strings.Repeat("·", columns))
	for _, h := range b.Held {
		until := h.Until
		if until.IsZero() {
			until = end
		}
		for n := column(h.From); n <= column(until); n++ {
			line[n] = '×'
		}
	}
	last := b.Ends
	if last.IsZero() {
		last = end
	}
	for n := column(b.Begins); n <= column(last); n++ {
		line[n] = '█'
	}
	return string(line)
}

// draw writes the drawing to a file.
func (a *app) draw(o *org.Organisation, terms planrun.Terms, f *preview.Forecast, file string) error {
	p := a.page(io.Discard, o.Languages[0], o.Zone.String())
	l := previewLabelsIn(p.language)
	title := terms.Plan.Name.In(p.language) + ", " + terms.CustomerName + ", " + terms.Target().Name
	g := report.Gantt{Title: title, Language: p.language, Zone: o.Zone, From: f.Starts, To: f.Ends, Legend: l.legend}
	for _, b := range f.Tasks {
		if b.Ends.After(g.To) {
			g.To = b.Ends
		}
		r := report.GanttRow{
			Group: phaseName(&terms.Plan, b.Phase, p.language), Label: b.Name.In(p.language), Ready: b.Ready, Begins: b.Begins, Ends: b.Ends, Due: b.Due,
			Critical: slices.Contains(f.Critical, b.ID), Late: b.Late,
		}
		for _, h := range b.Held {
			r.Held = append(r.Held, report.GanttSpan{From: h.From, Until: h.Until, Why: h.Why})
		}
		g.Rows = append(g.Rows, r)
	}
	content := g.SVG()
	if filepath.Ext(file) == ".html" {
		content = fmt.Sprintf("<!DOCTYPE html>\n<html lang=%q><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title>%s</title>"+
			"<style>body{margin:1rem;font-family:Pretendard,system-ui,sans-serif}svg{max-width:100%%;height:auto}</style></head>\n<body><h1>%s</h1>\n<p>%s %s – %s %s</p>\n%s</body></html>\n",
			p.language, html.EscapeString(title), html.EscapeString(title), l.starts, html.EscapeString(p.instant(f.Starts)), l.ends, html.EscapeString(p.instant(f.Ends)), content)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return fmt.Errorf("write drawing: %w", err)
	}
	return nil
}

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
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
	starts, ends, stalls, task, begins, finishes, due, takes, note, wanted, role, people, until, critical string // of tables and their rows

	late, held, forEver, absent, stands, standsAlone, because, nobody, unfilled, holiday, known string // sentences

	expires, assumed string

	away, quiet, off, more string // why somebody is not there

	lead   string // of the drawing
	legend report.GanttLegend
}

func previewLabelsIn(language string) previewLabels {
	if language == "ko" {
		return previewLabels{
			starts: "시작", ends: "예상 종료", stalls: "없음(멈춤)", task: "작업", begins: "착수", finishes: "완료", due: "기한", takes: "소요", note: "비고",
			wanted: "필요 인력", role: "역할", people: "담당자", until: "까지", critical: "주요 경로(◆)",
			late: "기한 초과", held: "변경 불가: %s, %s – %s", forEver: "변경 불가: %s, 해제 시점 없음", absent: "해당 없음: %s(%s)",
			stands: "멈춤: %s, 상태: %s. 대기: %s, 필요한 일: %s", standsAlone: "멈춤: %s, 상태: %s", because: "(%s)",
			nobody: "담당자 부재: %s, 작업: %s, %s", unfilled: "담당자 없음: %s, 작업: %s, %s", holiday: "휴일 작업: %s, %s",
			known:   "공휴일은 %s까지만 공표되었습니다. 그 이후 일정은 달라질 수 있습니다.",
			expires: "투표 기한 만료: %s, 투표 시작: %s, 기한: %s, 예상 결정: %s, 만료 시: %s",
			assumed: "* 계획에도 --length에도 없어 가정한 소요 시간(작업 4시간, 투표 8시간, 런북 한 단계 10분, 증적 확인 2시간)입니다. 바꾸려면 --length 작업=2h로 지정합니다: %s",
			away:    "휴가", quiet: "방해 금지 시간", off: "당직 아님", more: " 외 %d건",
			lead: "시작: %s, 예상 종료: %s, 작업 %d개. 그림의 내용은 표에도 있습니다.",
			legend: report.GanttLegend{
				Waiting: "대기", Doing: "진행", Held: "변경 불가", Due: "기한", Critical: "주요 경로", Late: "기한 초과",
				Tasks: "작업 일정", Task: "작업", Begins: "착수", Ends: "완료", DueAt: "기한", Ready: "시작 가능", Takes: "소요", Note: "비고",
			},
		}
	}
	return previewLabels{
		starts: "Starts", ends: "Expected end", stalls: "none: it stalls", task: "Task", begins: "Begins", finishes: "Ends", due: "Due", takes: "Takes", note: "Note",
		wanted: "Who must be there", role: "Role", people: "People", until: "Until", critical: "Critical path (◆)",
		late: "late", held: "held by %s, %s – %s", forEver: "held by %s for ever", absent: "Not part of it: %s (%s)",
		stands: "It stalls at %s: %s. It waits for %s to %s", standsAlone: "It stalls at %s: %s", because: " (%s)",
		nobody: "Nobody is there: %s, for %s, %s", unfilled: "Nobody fills the role: %s, for %s, %s", holiday: "Work on a holiday: %s, %s",
		known:   "Holidays have been announced until %s only: what comes after that may change.",
		expires: "A vote would expire: %s, open from %s, due %s, decided %s, which makes it: %s",
		assumed: "* Neither the plan nor --length says how long it takes (assumed: 4h for a task, 8h for a vote, 10m for each step of a runbook, 2h for a check " +
			"of evidence). Say it with --length TASK=2h: %s",
		away: "away", quiet: "quiet hours", off: "not on call", more: " and %d more",
		lead: "Starts: %s. Expected end: %s. %d tasks. What the drawing shows stands in the tables too.",
		legend: report.GanttLegend{
			Waiting: "waiting", Doing: "being done", Held: "may not be changed", Due: "due", Critical: "critical path", Late: "late",
			Tasks: "Tasks", Task: "Task", Begins: "Begins", Ends: "Ends", DueAt: "Due", Ready: "Can begin", Takes: "Takes", Note: "Note",
		},
	}
}

// previewPlan is the command that forecasts a run of a plan.
func (a *app) previewPlan() *cobra.Command {
	var s org.PlanStart
	var at, gantt string
	var parameters, environments, lengths []string
	cmd := &cobra.Command{
		Use: "preview PLAN|FILE", GroupID: "lead", Short: "Forecast how a plan would go, on the real calendars, freezes and schedules",
		Long: `Forecast how a plan would go if everybody did what they are asked in the time that it usually takes: when each task would begin
and end, what a freeze would hold up, which vote would expire, who must be there when, and who of them is away. It needs the
organisation folder and nothing else: no server, no network, and nothing happens.

--length says how long a task takes once it has begun, as a plan does: 90m, 4h, or 3d for working days. People work in the working
time of the environment; a change is made and a runbook is run whatever the hour, and their days have 24 hours. What neither
--length nor the plan says is assumed, and marked with *.`,
		Example: "  muster upgrade preview --org ./org upgrade --customer garam --environment staging=staging --environment production=production \\\n    --param release=6.5.22 --param launch-date=2027-03-10 --param site-address=https://shop.example/health\n" +
			"  muster upgrade preview --org ./org upgrade --customer garam --environment staging=staging --environment production=production \\\n    --at 2026-12-01T09:00:00+09:00 --param release=6.5.22 --param launch-date=2027-03-10 --param site-address=https://shop.example/health \\\n    --length templates=3d --gantt plan.html",
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
	f.StringArrayVar(&lengths, "length", nil, "`TASK=TIME`: how long a task takes, such as deploy=2h or code=3d; may be repeated")
	f.StringVar(&at, "at", "", "`TIME` of the start, such as 2026-12-01T09:00:00+09:00; default: now")
	f.StringVar(&gantt, "gantt", "", "write the drawing to `FILE` as well: .svg or .html")
	return a.explains(cmd, func(ctx context.Context, o *org.Organisation, args []string) error {
		start := a.env.Now()
		if at != "" {
			var err error
			if start, err = instant(at, start, o.Zone); err != nil {
				return err
			}
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
		takes, err := lengthsOf(&terms.Plan, lengths)
		if err != nil {
			return err
		}
		terms.ID, terms.Starter = planrun.NewID(0), starterOfPreview()
		forecast, err := preview.Plan(ctx, o, terms, start, takes)
		if err != nil {
			return err
		}
		if gantt != "" {
			if err := a.viewForecast(io.Discard, o, terms, forecast).draw(gantt); err != nil {
				return err
			}
		}
		return a.answer(forecast, func(w io.Writer) { a.viewForecast(w, o, terms, forecast).show() })
	})
}

func lengthsOf(d *plan.Definition, options []string) (map[string]plan.Length, error) {
	lengths, err := given("--length", options)
	if err != nil {
		return nil, err
	}
	return org.TaskLengths(d, lengths)
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

// A forecastView is a forecast on a page.
type forecastView struct {
	page
	l     previewLabels
	o     *org.Organisation
	terms planrun.Terms
	*preview.Forecast
}

func (a *app) viewForecast(w io.Writer, o *org.Organisation, terms planrun.Terms, f *preview.Forecast) forecastView {
	p := a.page(w, o.Languages[0], o.Zone.String())
	return forecastView{p, previewLabelsIn(p.language), o, terms, f}
}

// show prints it.
func (v forecastView) show() {
	v.rows(v.w, [][]string{
		{v.paint(bold, printable(v.terms.Plan.Name.In(v.language))), printable(v.terms.CustomerName + ", " + v.terms.Target().Name)},
		{v.l.starts, v.instant(v.Starts)},
		{v.l.ends, v.end()},
	}, cut)
	for _, x := range v.terms.Absent {
		fmt.Fprintf(v.w, v.l.absent+"\n", printable(x.Name.In(v.language)), printable(x.When))
	}
	for _, s := range v.standing() {
		v.line(v.paint(red, s))
	}
	for _, s := range v.warnings() {
		v.line(v.paint(yellow, s))
	}
	fmt.Fprintln(v.w)
	v.table()
	fmt.Fprintln(v.w)
	v.line(v.paint(bold, v.l.critical) + ": " + strings.Join(v.Critical, " → "))
	if ids := v.assumed(); len(ids) > 0 {
		v.line(fmt.Sprintf(v.l.assumed, strings.Join(ids, ", ")))
	}
	fmt.Fprintf(v.w, "\n%s\n", v.paint(bold, v.l.wanted))
	people := v.people(v.short, v.paint)
	names := v.names(2*13 + 28 + 36)
	for n, row := range people {
		row[0] = clip(row[0], names)
		if n > 1 && v.same(n-1, n-2) {
			row[0], row[1], row[2] = "", "", ""
		}
	}
	v.rows(v.w, people, text.WrapSoft)
}

// line prints one, however long.
func (v forecastView) line(s string) {
	if n := v.width(); n > 0 {
		s = text.WrapSoft(s, n)
	}
	for line := range strings.SplitSeq(s, "\n") {
		fmt.Fprintln(v.w, strings.TrimRight(line, " "))
	}
}

func (v forecastView) end() string {
	if v.Ends.IsZero() {
		return v.l.stalls
	}
	return v.instant(v.Ends)
}

// names is how many columns a narrow terminal has for the names of tasks beside others, 0 where there are enough for all.
func (v forecastView) names(others int) int {
	const narrowest = 24
	if n := v.width(); n > 0 {
		return max(n-others, narrowest)
	}
	return 0
}

// table has a row for each task. A narrow terminal gets it without the drawing, and with shorter names.
func (v forecastView) table() {
	const others, bar, enough = 3*13 + 16 + 24, 42, 40
	names, drawn := v.names(others+bar), true
	if names > 0 && names < enough {
		names, drawn = v.names(others), false
	}
	head := []string{v.l.task, v.l.begins, v.l.finishes, v.l.due, v.l.takes}
	if drawn {
		head = append(head, "")
	}
	rows := [][]string{append(head, v.l.note)}
	phase := ""
	for _, b := range v.Tasks {
		if b.Phase != phase {
			phase = b.Phase
			rows = append(rows, []string{v.paint(bold, printable(phaseName(&v.terms.Plan, phase, v.language)))})
		}
		row := []string{"  " + clip(printable(b.Name.In(v.language)), names), v.short(b.Begins), v.short(b.Ends), v.short(b.Due), v.takes(b)}
		if drawn {
			row = append(row, v.bar(v.Forecast, b))
		}
		rows = append(rows, append(row, strings.Join(v.remarks(b, "◆", v.paint), "; ")))
	}
	v.rows(v.w, rows, text.WrapSoft)
}

func clip(name string, columns int) string {
	if columns == 0 {
		return name
	}
	return cut(name, columns)
}

func phaseName(d *plan.Definition, id, language string) string {
	for _, p := range d.Phases {
		if p.ID == id {
			return p.Name.In(language)
		}
	}
	return id
}

func (v forecastView) taskName(id string) string {
	def, _ := v.terms.Plan.Task(id)
	return printable(def.Name.In(v.language))
}

func (v forecastView) roleNames(roles []string) string { return v.planRoles(v.Run, roles) }

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

// takes is how long a task takes, with a star where that is assumed.
func (v forecastView) takes(b preview.Bar) string {
	if b.Length == nil {
		return ""
	}
	star := ""
	if b.Length.Of == preview.Default {
		star = "*"
	}
	if l := planLabelsIn(v.language); b.Length.Days == 1 {
		return l.workingDay
	} else if b.Length.Days > 1 {
		return fmt.Sprintf(l.workingDays, b.Length.Days)
	}
	return v.view.texts.Duration(b.Length.Within, v.language) + star
}

// assumed are the tasks whose length nobody says.
func (v forecastView) assumed() (ids []string) {
	for _, b := range v.Tasks {
		if b.Length != nil && b.Length.Of == preview.Default {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// standing says where the run would stand still, in what state, and for whom it would wait.
func (v forecastView) standing() (all []string) {
	for _, s := range v.Stalls {
		at, state := v.taskName(s.Task), v.word("task", string(s.Status))
		if s.Run != "" {
			state = v.word("run", string(s.Run))
		}
		if at == "" {
			at = printable(v.terms.Plan.Name.In(v.language))
		}
		if s.Why != "" {
			state += fmt.Sprintf(v.l.because, printable(v.view.texts.PlanReason(s.Why, v.language)))
		}
		if s.Want == "" {
			all = append(all, fmt.Sprintf(v.l.standsAlone, at, state))
			continue
		}
		all = append(all, fmt.Sprintf(v.l.stands, at, state, v.roleNames(s.Roles), v.want(string(s.Want))))
	}
	return all
}

// warnings say what is likely to go wrong: votes that expire, people who are not there, work on holidays.
func (v forecastView) warnings() (all []string) {
	for _, b := range v.Tasks {
		if b.Expires {
			all = append(all, fmt.Sprintf(v.l.expires, v.taskName(b.ID), v.instant(b.Begins), v.instant(b.Due), v.instant(b.Decides),
				v.word("verdict", string(b.Verdict))))
		}
	}
	for _, w := range v.Wanted {
		if len(w.Nobody) == 0 {
			continue
		}
		say := v.l.nobody
		if len(w.People) == 0 {
			say = v.l.unfilled
		}
		all = append(all, fmt.Sprintf(say, v.roleNames([]string{w.Role}), v.taskName(w.Task), v.spans(w.Nobody, v.short)))
	}
	var said []string
	for _, w := range v.Wanted {
		if len(w.Holidays) == 0 || slices.Contains(said, w.Task) {
			continue
		}
		said = append(said, w.Task)
		days := make([]string, len(w.Holidays))
		for n, d := range w.Holidays {
			days[n] = d.String()
		}
		all = append(all, fmt.Sprintf(v.l.holiday, v.taskName(w.Task), strings.Join(days, ", ")))
	}
	if v.KnownUntil != 0 {
		all = append(all, fmt.Sprintf(v.l.known, v.KnownUntil))
	}
	return all
}

// spans are some times, the first ones of many.
func (v forecastView) spans(all []preview.Span, short func(time.Time) string) string {
	const most = 2
	var parts []string
	for _, s := range all[:min(most, len(all))] {
		parts = append(parts, short(s.From)+" – "+short(s.Until))
	}
	more := ""
	if len(all) > most {
		more = fmt.Sprintf(v.l.more, len(all)-most)
	}
	return strings.Join(parts, ", ") + more
}

// remarks are what is worth knowing of a task.
func (v forecastView) remarks(b preview.Bar, critical string, paint func(colour, string) string) []string {
	var all []string
	if slices.Contains(v.Critical, b.ID) {
		all = append(all, critical)
	}
	if b.Late {
		all = append(all, paint(red, v.l.late))
	}
	if b.Expires {
		all = append(all, paint(red, v.word("verdict", string(b.Verdict))))
	}
	const most = 3
	for n, h := range b.Held {
		if n == most {
			all = append(all, strings.TrimSpace(fmt.Sprintf(v.l.more, len(b.Held)-most)))
			break
		}
		why := printable(v.view.texts.PlanReason(h.Why, v.language))
		if h.Until.IsZero() {
			all = append(all, fmt.Sprintf(v.l.forEver, why))
			continue
		}
		all = append(all, fmt.Sprintf(v.l.held, why, v.short(h.From), v.short(h.Until)))
	}
	return all
}

// same tells whether somebody is wanted for what another is wanted for, at the same time.
func (v forecastView) same(a, b int) bool {
	x, y := v.Wanted[a], v.Wanted[b]
	return x.Task == y.Task && x.From.Equal(y.From) && x.Until.Equal(y.Until)
}

// people has a row for everybody who must be there.
func (v forecastView) people(short func(time.Time) string, paint func(colour, string) string) [][]string {
	rows := [][]string{{v.l.task, v.l.begins, v.l.until, v.l.role, v.l.people}}
	for _, w := range v.Wanted {
		rows = append(rows, []string{v.taskName(w.Task), short(w.From), short(w.Until), v.roleNames([]string{w.Role}), v.attendance(w, short, paint)})
	}
	return rows
}

// attendance is who is wanted, and when they are not there.
func (v forecastView) attendance(w preview.Wanted, short func(time.Time) string, paint func(colour, string) string) string {
	var people []string
	for _, x := range w.People {
		var why []string
		for _, out := range []struct {
			word  string
			spans []preview.Span
			shade colour
		}{{v.l.away, x.Away, red}, {v.l.quiet, x.Quiet, yellow}, {v.l.off, x.Off, ""}} {
			switch {
			case len(out.spans) == 0:
			case len(out.spans) == 1 && !out.spans[0].From.After(w.From) && !out.spans[0].Until.Before(w.Until):
				why = append(why, paint(out.shade, out.word))
			default:
				why = append(why, paint(out.shade, out.word+" "+v.spans(out.spans, short)))
			}
		}
		one := printable(x.Name)
		if len(why) > 0 {
			one += fmt.Sprintf(v.l.because, strings.Join(why, "; "))
		}
		if !slices.Contains(people, one) { // a person and a contact may be the same
			people = append(people, one)
		}
	}
	if len(people) == 0 {
		return paint(red, "–")
	}
	return strings.Join(people, ", ")
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
	last := b.Ends
	if last.IsZero() {
		last = end
	}
	for n := column(b.Begins); n <= column(last); n++ {
		line[n] = '█'
	}
	for _, h := range b.Held {
		until := h.Until
		if until.IsZero() {
			until = end
		}
		for n := column(h.From); n <= column(until); n++ {
			line[n] = '×'
		}
	}
	return string(line)
}

// draw writes the drawing to a file.
func (v forecastView) draw(file string) error {
	plain := func(_ colour, s string) string { return s }
	moment := func(t time.Time) string { return t.In(v.o.Zone).Format("2006-01-02 15:04 MST") }
	g := report.Gantt{
		Title: v.terms.Plan.Name.In(v.language) + ", " + v.terms.CustomerName + ", " + v.terms.Target().Name, Language: v.language, Zone: v.o.Zone,
		Lead: fmt.Sprintf(v.l.lead, v.instant(v.Starts), v.end(), len(v.Tasks)), From: v.Starts, To: v.Ends, Legend: v.l.legend,
		Notes: append(v.standing(), v.warnings()...),
	}
	for _, b := range v.Tasks {
		if b.Ends.After(g.To) {
			g.To = b.Ends
		}
		r := report.GanttRow{
			Group: phaseName(&v.terms.Plan, b.Phase, v.language), Label: b.Name.In(v.language), Ready: b.Ready, Begins: b.Begins, Ends: b.Ends, Due: b.Due,
			Critical: slices.Contains(v.Critical, b.ID), Late: b.Late, Takes: v.takes(b), Note: strings.Join(v.remarks(b, v.l.legend.Critical, plain), "; "),
		}
		for _, h := range b.Held {
			r.Held = append(r.Held, report.GanttSpan{From: h.From, Until: h.Until, Why: v.view.texts.PlanReason(h.Why, v.language)})
		}
		g.Rows = append(g.Rows, r)
	}
	if ids := v.assumed(); len(ids) > 0 {
		g.Notes = append(g.Notes, fmt.Sprintf(v.l.assumed, strings.Join(ids, ", ")))
	}
	people := v.people(moment, plain)
	g.Tables = []report.GanttTable{{Caption: v.l.wanted, Head: people[0], Rows: people[1:]}}
	content := g.SVG()
	if filepath.Ext(file) == ".html" {
		content = g.HTML()
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		return fmt.Errorf("write drawing: %w", err)
	}
	return nil
}

package report

import (
	"fmt"
	"html"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// A Gantt is what is done when, to be drawn.
type Gantt struct {
	Title    string
	Lead     string // what it shows, in a sentence
	Language string
	Zone     *time.Location
	From, To time.Time
	Rows     []GanttRow
	Legend   GanttLegend
	Notes    []string     // that stand before the drawing on a page
	Tables   []GanttTable // that stand after it
}

// A GanttTable is what else stands on a page. The first cell of each row says what the others are about.
type GanttTable struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// A GanttRow is one thing that is done. Instants that are not known are zero.
type GanttRow struct {
	Group    string // what comes before rows that belong together; drawn once
	Label    string
	Ready    time.Time
	Begins   time.Time
	Ends     time.Time
	Due      time.Time
	Critical bool
	Late     bool
	Held     []GanttSpan
	Takes    string // in words
	Note     string
}

// A GanttSpan is a time in which nothing may be done.
type GanttSpan struct {
	From, Until time.Time
	Why         string
}

// GanttLegend are the words beside the drawing, and those of the table that says the same.
type GanttLegend struct {
	Waiting, Doing, Held, Due, Critical, Late string

	Tasks, Task, Begins, Ends, DueAt, Ready, Takes, Note string
}

const (
	ganttLabel  = 280 // pixels
	ganttWidth  = 900
	ganttRow    = 24
	ganttHead   = 56
	ganttLegend = 36

	ganttLetters = 40 // of a label
)

// SVG draws it. The same one is the same bytes; it needs no script, and its colours follow the reader's.
func (g *Gantt) SVG() string {
	var b strings.Builder
	lines := 0
	group := ""
	for _, r := range g.Rows {
		if r.Group != group {
			group = r.Group
			lines++
		}
		lines++
	}
	height := ganttHead + lines*ganttRow + ganttLegend
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="gantt-title gantt-lead" lang="%s" font-family="Pretendard, system-ui, sans-serif" font-size="12">`+"\n",
		ganttLabel+ganttWidth+20, height, html.EscapeString(g.Language))
	fmt.Fprintf(&b, "<title id=\"gantt-title\">%s</title>\n<desc id=\"gantt-lead\">%s</desc>\n", html.EscapeString(g.Title), html.EscapeString(g.Lead))
	b.WriteString(`<style>text{fill:#1b1f24}.grid{stroke:#d0d7de}.ready{fill:#d0d7de}.do{fill:#2f6feb}.critical{fill:#b35900}.late{fill:#cf222e}.held{fill:#eac54f}` +
		`.due{fill:none;stroke:#1b1f24;stroke-width:1.5}.group{font-weight:600}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}.ready{fill:#3d444d}` +
		`.do{fill:#539bf5}.critical{fill:#f0883e}.late{fill:#f47067}.held{fill:#9e6a03}.due{stroke:#e6edf3}}</style>` + "\n")
	g.axis(&b, height-ganttLegend)
	y := ganttHead
	group = ""
	for _, r := range g.Rows {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, `<text class="group" x="4" y="%d">%s</text>`+"\n", y+16, html.EscapeString(clip(group, ganttLetters)))
			y += ganttRow
		}
		g.row(&b, r, y)
		y += ganttRow
	}
	g.legend(&b, y+10)
	b.WriteString("</svg>\n")
	return b.String()
}

// ganttPage is how a page looks.
const ganttPage = `body{margin:1rem auto;max-width:80rem;padding:0 1rem;font:15px/1.5 Pretendard,system-ui,sans-serif;color:#1b1f24;background:#fff}` +
	`h1{font-size:1.4rem}svg{width:100%;height:auto}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:1.5rem 0;font-size:.875rem}` +
	`caption{text-align:left;font-weight:600;font-size:1.05rem;padding:.5rem 0}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #d0d7de}` +
	`tbody th{font-weight:400;min-width:14rem}th[scope=rowgroup]{font-weight:600;background:#f6f8fa}td{font-variant-numeric:tabular-nums}td:nth-child(-n+4){white-space:nowrap}` +
	`@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#3d444d}th[scope=rowgroup]{background:#161b22}}`

// HTML is a page with the drawing, and with tables that say the same to whoever cannot see it.
func (g *Gantt) HTML() string {
	var b strings.Builder
	title := html.EscapeString(g.Title)
	fmt.Fprintf(&b, `<!DOCTYPE html>
<html lang=%q><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>%s</title>
<style>%s</style></head>
<body><main><h1>%s</h1>
<p>%s</p>
`, g.Language, title, ganttPage, title, html.EscapeString(g.Lead))
	if len(g.Notes) > 0 {
		b.WriteString("<ul>\n")
		for _, n := range g.Notes {
			fmt.Fprintf(&b, "<li>%s</li>\n", html.EscapeString(n))
		}
		b.WriteString("</ul>\n")
	}
	fmt.Fprintf(&b, "<div class=\"wide\">\n%s</div>\n", g.SVG())
	g.tasks(&b)
	for _, t := range g.Tables {
		tableHead(&b, t.Caption, t.Head)
		b.WriteString("<tbody>\n")
		for _, cells := range t.Rows {
			tableRow(&b, cells)
		}
		b.WriteString("</tbody></table></div>\n")
	}
	b.WriteString("</main></body></html>\n")
	return b.String()
}

// tasks is the table of what is drawn.
func (g *Gantt) tasks(b *strings.Builder) {
	l := g.Legend
	head := []string{l.Task, l.Begins, l.Ends, l.DueAt, l.Ready, l.Takes, l.Note}
	tableHead(b, l.Tasks, head)
	group := ""
	for _, r := range g.Rows {
		if r.Group != group {
			if group != "" {
				b.WriteString("</tbody>\n")
			}
			group = r.Group
			fmt.Fprintf(b, "<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"%d\">%s</th></tr>\n", len(head), html.EscapeString(group))
		}
		tableRow(b, []string{r.Label, g.moment(r.Begins), g.moment(r.Ends), g.moment(r.Due), g.moment(r.Ready), r.Takes, r.Note})
	}
	if group != "" {
		b.WriteString("</tbody>")
	}
	b.WriteString("</table></div>\n")
}

func (g *Gantt) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(g.Zone).Format("2006-01-02 15:04 MST")
}

func tableHead(b *strings.Builder, caption string, head []string) {
	fmt.Fprintf(b, "<div class=\"wide\"><table><caption>%s</caption>\n<thead><tr>", html.EscapeString(caption))
	for _, h := range head {
		fmt.Fprintf(b, `<th scope="col">%s</th>`, html.EscapeString(h))
	}
	b.WriteString("</tr></thead>\n")
}

func tableRow(b *strings.Builder, cells []string) {
	b.WriteString("<tr>")
	for n, c := range cells {
		form := "<td>%s</td>"
		if n == 0 {
			form = `<th scope="row">%s</th>`
		}
		fmt.Fprintf(b, form, html.EscapeString(c))
	}
	b.WriteString("</tr>\n")
}

// x is where an instant is drawn.
func (g *Gantt) x(t time.Time) int {
	span := g.To.Sub(g.From)
	if span <= 0 {
		return ganttLabel
	}
	share := float64(t.Sub(g.From)) / float64(span)
	return ganttLabel + int(min(max(share, 0), 1)*ganttWidth)
}

// axis draws a line for as many days as can be read.
func (g *Gantt) axis(b *strings.Builder, bottom int) {
	const most = 12 // labels
	form, step := "01-02", 1
	if g.To.Sub(g.From) < 48*time.Hour {
		g.hours(b, bottom)
		return
	}
	days := int(g.To.Sub(g.From).Hours()/24) + 1
	for days/step > most {
		step++
	}
	from := g.From.In(g.Zone)
	day := time.Date(from.Year(), from.Month(), from.Day()+1, 0, 0, 0, 0, g.Zone)
	for ; day.Before(g.To); day = day.AddDate(0, 0, step) {
		g.tick(b, day, day.Format(form), bottom)
	}
}

func (g *Gantt) hours(b *strings.Builder, bottom int) {
	const most = 12
	step := time.Minute
	for _, s := range []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour} {
		if step = s; g.To.Sub(g.From)/s <= most {
			break
		}
	}
	for at := g.From.Truncate(step).Add(step); at.Before(g.To); at = at.Add(step) {
		g.tick(b, at, at.In(g.Zone).Format("15:04"), bottom)
	}
}

func (g *Gantt) tick(b *strings.Builder, at time.Time, label string, bottom int) {
	x := g.x(at)
	if x > ganttLabel+ganttWidth-20 { // its label would be cut at the edge
		label = ""
	}
	fmt.Fprintf(b, `<line class="grid" x1="%d" y1="%d" x2="%d" y2="%d"/><text x="%d" y="%d">%s</text>`+"\n", x, ganttHead-12, x, bottom, x+2, ganttHead-18, label)
}

func (g *Gantt) row(b *strings.Builder, r GanttRow, y int) {
	bar := func(class string, from, to time.Time, title string) {
		if from.IsZero() || to.IsZero() || to.Before(from) {
			return
		}
		x, end := g.x(from), g.x(to)
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="12" rx="2"><title>%s</title></rect>`+"\n", class, x, y+6, max(2, end-x), html.EscapeString(title))
	}
	fmt.Fprintf(b, `<text x="14" y="%d">%s</text>`+"\n", y+16, html.EscapeString(clip(r.Label, ganttLetters)))
	bar("ready", r.Ready, r.Begins, g.Legend.Waiting+" "+g.moment(r.Ready))
	class := "do"
	switch {
	case r.Late:
		class = "late"
	case r.Critical:
		class = "critical"
	}
	bar(class, r.Begins, r.Ends, r.Label+": "+g.moment(r.Begins)+" – "+g.moment(r.Ends))
	for _, h := range r.Held {
		until := h.Until
		if until.IsZero() {
			until = g.To
		}
		bar("held", h.From, until, g.Legend.Held+": "+h.Why+", "+g.moment(h.From)+" – "+g.moment(until))
	}
	if !r.Due.IsZero() && !r.Due.Before(g.From) && !r.Due.After(g.To) {
		x := g.x(r.Due)
		fmt.Fprintf(b, `<path class="due" d="M%d %dl5 6l-5 6l-5 -6z"><title>%s %s</title></path>`+"\n", x, y+6, html.EscapeString(g.Legend.Due), g.moment(r.Due))
	}
}

// clip cuts a label that would run into the bars. A Hangul syllable is as wide as two Latin letters.
func clip(label string, most int) string {
	columns, room := 0, 0
	for at, r := range label {
		if columns < most {
			room = at // for what is in place of the rest
		}
		columns++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			columns++
		}
		if columns > most {
			return label[:room] + "…"
		}
	}
	return label
}

func (g *Gantt) legend(b *strings.Builder, y int) {
	x := ganttLabel
	for _, l := range []struct{ class, word string }{
		{"ready", g.Legend.Waiting}, {"do", g.Legend.Doing}, {"critical", g.Legend.Critical}, {"late", g.Legend.Late}, {"held", g.Legend.Held},
	} {
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="16" height="12" rx="2"/><text x="%d" y="%d">%s</text>`+"\n", l.class, x, y, x+22, y+11, html.EscapeString(l.word))
		x += 165
	}
	fmt.Fprintf(b, `<path class="due" d="M%d %dl5 6l-5 6l-5 -6z"/><text x="%d" y="%d">%s</text>`+"\n", x+6, y, x+18, y+11, html.EscapeString(g.Legend.Due))
}

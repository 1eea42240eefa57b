package report

// periodChart is a drawing of bars. The tables beside it say the same to whoever cannot see it.
type periodChart struct {
	Number int    // in the report
	Title  string `text:"code"`
	About  string `text:"code"`
	Width  int
	Height int
	Legend []periodKey
	Bars   []periodBar
}

// periodKey says what a colour means.
type periodKey struct {
	Class string `text:"code"`
	Text  string `text:"code"`
	X     int
}

// periodBar is one bar.
type periodBar struct {
	Label    string
	Value    string `text:"code"`
	Y, TextY int
	ValueX   int
	Parts    []periodSegment
}

// periodSegment is a part of a bar.
type periodSegment struct {
	X, Width int
	Class    string `text:"code"`
}

// The measures of a chart, in pixels.
const (
	chartLabel  = 260
	chartPlot   = 430
	chartValue  = 120
	chartRow    = 26
	chartHead   = 30
	chartLegend = 150

	chartLetters = 36 // of a label
)

// A legend is a colour and what it means; a segment how much of it there is.
type (
	legend  struct{ class, text string }
	segment struct {
		n     float64
		class string
	}
)

// A drawing is a chart that is being made.
type drawing struct {
	chart  periodChart
	values [][]segment
}

func (w *periodWriter) chart(key string, keys ...legend) *drawing {
	w.charts++
	d := &drawing{chart: periodChart{Number: w.charts, Title: w.say("chart." + key), About: w.say("chart." + key + ".about"), Width: chartLabel + chartPlot + chartValue}}
	for n, k := range keys {
		d.chart.Legend = append(d.chart.Legend, periodKey{k.class, k.text, chartLabel + n*chartLegend})
	}
	return d
}

func (d *drawing) bar(label, value string, parts ...segment) {
	d.chart.Bars = append(d.chart.Bars, periodBar{Label: clip(label, chartLetters), Value: value})
	d.values = append(d.values, parts)
}

// drawn measures the bars: the longest one fills the plot, and whatever is more than nothing is seen.
func (d *drawing) drawn() periodChart {
	longest := 0.0
	for _, parts := range d.values {
		longest = max(longest, total(parts))
	}
	for n, parts := range d.values {
		b := &d.chart.Bars[n]
		b.Y = chartHead + n*chartRow
		b.TextY = b.Y + chartRow*2/3 - 2
		x := chartLabel
		for _, p := range parts {
			if p.n <= 0 {
				continue
			}
			width := max(int(p.n/longest*chartPlot), 2)
			b.Parts = append(b.Parts, periodSegment{x, width, p.class})
			x += width
		}
		b.ValueX = x + 8
	}
	d.chart.Height = chartHead + len(d.values)*chartRow + 4
	return d.chart
}

func total(parts []segment) (sum float64) {
	for _, p := range parts {
		sum += p.n
	}
	return sum
}

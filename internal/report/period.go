package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"muster/internal/period"
)

// PeriodForm is the report on a week, a month, a quarter or a year.
const PeriodForm FormKind = "period"

// periodView is what the texts of the report on a period see. Its words are written already: the same parts make up the report of a
// customer and the provider's own, of a week and of a year.
type periodView struct {
	Made         time.Time
	Zone         string
	Language     string `text:"code"`
	Title        string `text:"code"`
	Organisation string
	Customer     string
	Period       string `text:"code"`
	From, To     time.Time
	Until        time.Time // of an interim report: nothing later is counted
	Security     bool      // security incidents of the customer are in it
	Tiles        []periodTile
	Sections     []periodSection
}

// periodTile is one figure that is read first.
type periodTile struct {
	Label string `text:"code"`
	Value string `text:"code"`
	Note  string `text:"code"`
	Class string `text:"code"` // good, warn, bad
}

// periodSection is a part of the report.
type periodSection struct {
	Number int
	Title  string       `text:"code"`
	Notes  []periodNote // before the charts and tables
	Charts []periodChart
	Tables []periodTable
	Small  bool // it is read by whoever recounts
}

// periodNote is a sentence of ours, with what somebody else has written.
type periodNote struct {
	Text    string `text:"code"`
	Foreign string `text:"line"`
}

// periodTable is a table. Of a table without rows, nothing happened.
type periodTable struct {
	Caption string   `text:"code"`
	Head    []string `text:"code"`
	Rows    []periodRow
	Numbers bool // all columns but the first are numbers
}

type periodRow struct{ Cells []periodCell }

// periodCell is a text of ours, or a foreign one.
type periodCell struct {
	Text    string `text:"code"`
	Foreign string `text:"line"`
	Class   string `text:"code"` // of a pill: met, missed
}

// Period writes the report on a period as of an instant. The same facts and edition give the same bytes.
func (t *Texts) Period(f *period.Facts, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	v, err := t.periodView(l, f, e.At)
	var out []byte
	if err == nil {
		out, err = document(l, clean(v), l.period, e, l.frame(f.Organisation, v.Title+" "+f.Period, f.Zone, "", e))
	}
	if err != nil {
		return nil, fmt.Errorf("report on %s in %s: %w", f.Period, l.code, err)
	}
	return out, nil
}

// A periodWriter writes the parts of one report.
type periodWriter struct {
	*language
	texts    *Texts
	f        *period.Facts
	kind     period.Kind
	parts    []period.Period
	charts   int
	sections []periodSection
}

func (t *Texts) periodView(l *language, f *period.Facts, at time.Time) (*periodView, error) {
	p, err := period.Parse(f.Period)
	if err != nil {
		return nil, err
	}
	w := &periodWriter{language: l, texts: t, f: f, kind: p.Kind, parts: p.Parts()}
	v := &periodView{
		Made: at, Zone: f.Zone, Language: l.code, Title: w.say("title." + string(p.Kind)), Organisation: f.Organisation, Period: f.Period,
		From: f.From, To: f.To.Add(-time.Minute), Security: f.Restricted,
	}
	if f.Customer != "" {
		v.Customer = period.Called(f.CustomerNames, f.Customer)
	}
	if f.Interim() {
		v.Until = f.Until
	}
	v.Tiles = w.tiles()
	w.incidents()
	w.promises()
	w.availability()
	w.changes()
	w.improvements()
	w.requests()
	if f.Customer == "" {
		w.load()
		w.deliveries()
	} else {
		w.imports()
	}
	w.sources()
	v.Sections = w.sections
	return v, nil
}

func (w *periodWriter) say(key string) string { return w.word("period", key) }

// sayf says something with a number or a name in it.
func (w *periodWriter) sayf(key string, args ...any) string { return fmt.Sprintf(w.say(key), args...) }

// section begins a part of the report.
func (w *periodWriter) section(key string) *periodSection {
	w.sections = append(w.sections, periodSection{Number: len(w.sections) + 1, Title: w.say("section." + key)})
	return &w.sections[len(w.sections)-1]
}

func (s *periodSection) note(text string) { s.Notes = append(s.Notes, periodNote{Text: text}) }

func (s *periodSection) table(t periodTable) { s.Tables = append(s.Tables, t) }

// head are the headings of columns.
func (w *periodWriter) head(keys ...string) (all []string) {
	for _, k := range keys {
		all = append(all, w.say("head."+k))
	}
	return all
}

// row makes a row of texts of ours.
func row(cells ...string) (r periodRow) {
	for _, c := range cells {
		r.Cells = append(r.Cells, periodCell{Text: c})
	}
	return r
}

// foreign is a cell with what somebody else has written.
func foreign(s string) periodCell { return periodCell{Foreign: cmp.Or(s, "–")} }

// value is a figure for people.
func (w *periodWriter) value(key, of string) string {
	x, known := w.f.Figure(key, of)
	if !known || x.Value == nil {
		return "–"
	}
	switch x.Unit {
	case period.Percent:
		return decimal(*x.Value) + "%"
	case period.Seconds:
		if !strings.HasPrefix(key, "downtime") && key != "degraded" { // something took this time, if no whole second
			return w.duration(time.Duration(*x.Value) * time.Second)
		}
		return w.lasted(*x.Value)
	default:
		return decimal(*x.Value)
	}
}

// number is a figure as a number, 0 where there is none.
func (w *periodWriter) number(key, of string) float64 {
	x, known := w.f.Figure(key, of)
	if !known || x.Value == nil {
		return 0
	}
	return *x.Value
}

// lasted is a time in seconds as people read it.
func (w *periodWriter) lasted(seconds float64) string {
	if seconds == 0 {
		return w.say("none")
	}
	return w.duration(time.Duration(seconds) * time.Second)
}

func decimal(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%v", v), ".0") }

// figures is a table of single figures.
func (w *periodWriter) figures(s *periodSection, keys ...string) {
	t := periodTable{Head: w.head("figure", "value"), Numbers: true}
	for _, k := range keys {
		t.Rows = append(t.Rows, row(w.say("figure."+k), w.value(k, "")))
	}
	s.table(t)
}

// at is an instant in the zone of the report, and nothing where there is none.
func (w *periodWriter) at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return w.instant(t, w.f.Zone)
}

// tiles are what is read first: how much happened, and whether it was as promised.
func (w *periodWriter) tiles() []periodTile {
	opened, pressing := w.f.Sum("incidents.opened"), w.number("incidents.opened", "P1")+w.number("incidents.opened", "P2")
	incidents := periodTile{Label: w.say("tile.incidents"), Value: decimal(opened), Note: w.sayf("tile.pressing", decimal(pressing)), Class: "good"}
	if pressing > 0 {
		incidents.Class = "warn"
	}
	met, missed := w.f.Sum("clocks.met"), w.f.Sum("clocks.missed")
	promises := periodTile{Label: w.say("tile.promises"), Value: "–", Note: w.sayf("tile.missed", decimal(missed)), Class: "good"}
	if met+missed > 0 {
		promises.Value = decimal(float64(int(1000*met/(met+missed)))/10) + "%"
	}
	if missed > 0 {
		promises.Class = "bad"
	}
	changes := periodTile{
		Label: w.say("tile.changes"), Value: decimal(w.f.Sum("changes")), Note: w.sayf("tile.failed", w.value("changes.failed", "")), Class: "good",
	}
	if w.number("changes.failed", "") > 0 {
		changes.Class = "warn"
	}
	return []periodTile{incidents, promises, w.worst(), changes}
}

// worst is the lowest availability of the period.
func (w *periodWriter) worst() periodTile {
	tile := periodTile{Label: w.say("tile.availability"), Value: "–", Note: w.say("tile.no-service"), Class: "good"}
	var lowest *period.Figure
	for n := range w.f.Figures {
		if x := &w.f.Figures[n]; x.Key == "availability" && x.Value != nil && (lowest == nil || *x.Value < *lowest.Value) {
			lowest = x
		}
	}
	if lowest == nil {
		return tile
	}
	tile.Value, tile.Note = decimal(*lowest.Value)+"%", w.say("no-target")
	if target, promised := w.f.Figure("availability.target", lowest.Of); promised {
		tile.Note = w.sayf("tile.target", decimal(*target.Value)+"%")
		if *lowest.Value < *target.Value {
			tile.Class = "bad"
		}
	}
	return tile
}

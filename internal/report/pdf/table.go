package pdf

import (
	"github.com/yuin/goldmark/ast"
	table "github.com/yuin/goldmark/extension/ast"

	"muster/internal/report/markdown"
)

// The white around the text of a cell.
const padX, padY = 5.0, 3.4

// thin is the breadth of lines.
const thin = 0.6

// A column of cells is as wide as its share.
type column struct {
	least, natural float64 // without breaking a word, without breaking a line
	width          float64
}

// A box is one cell.
type box struct {
	text  []glyph
	lines [][]glyph
	align table.Alignment
	kind  kind
}

// table lays out a table, whose head comes again on every page. One without a head lists facts, each behind its label.
func (s *setter) table(n *table.Table, x, w float64) (all []strip) {
	var rows [][]box
	facts := markdown.IsFacts(n)
	for r := n.FirstChild(); r != nil; r = r.NextSibling() {
		if head := r.Kind() == table.KindTableHeader; !head || !facts {
			rows = append(rows, s.row(r, head, facts))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	cols := columns(rows, w, facts)
	for n, row := range rows {
		strips := ruled(row, cols, x, w, facts, !facts && n == 0)
		if n == 0 {
			strips[0].above = gap + 1
		}
		all = append(all, strips...)
	}
	if facts || len(rows) == 1 {
		return all
	}
	const tall = (bottom - top) / 5 // a head that would fill the pages is not drawn again
	if head := all[0]; head.height <= tall {
		all[0].tied = true
		all[1].tied = len(all) > 2
		for i := range all[1:] {
			all[i+1].head = &head
		}
	}
	return all
}

func (s *setter) row(n ast.Node, head, facts bool) (row []box) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		b := box{kind: cell}
		if head || facts && len(row) == 0 {
			b.kind = label
		}
		if c, ok := c.(*table.TableCell); ok {
			b.align = c.Alignment
		}
		b.text = s.glyphs(s.runs(c, style{}), b.kind.size, b.kind.bold, false)
		row = append(row, b)
	}
	return row
}

// columns shares out the width: a column that needs no more than its share gets what it needs, the others share the rest by
// what they hold, and none is narrower than its longest word where there is room for that.
func columns(rows [][]box, w float64, facts bool) []column {
	const longest, ordinary = 0.3, 0.24 // of the width: a word beyond it is broken; the least that labels have
	cols := make([]column, len(rows[0]))
	if facts && len(cols) > 1 {
		cols[0].natural = ordinary * w
	}
	for _, row := range rows {
		for n, b := range row {
			least, natural := extent(b.text)
			cols[n].least = max(cols[n].least, min(least, longest*w)+2*padX)
			cols[n].natural = min(max(cols[n].natural, natural+2*padX), 4*w) // nobody reads the rest at once
		}
	}
	left, open := w, len(cols)
	for settled := true; settled && open > 0; {
		settled = false
		for n := range cols {
			if c := &cols[n]; c.width == 0 && c.natural <= left/float64(open) {
				c.width, settled = c.natural, true
				left -= c.width
				open--
			}
		}
	}
	switch {
	case open > 0:
		share(cols, left)
	case facts:
		cols[len(cols)-1].width += left
	default:
		for n := range cols {
			cols[n].width += left * cols[n].natural / (w - left)
		}
	}
	return cols
}

// share gives what is left to the columns that have no width yet.
func share(cols []column, left float64) {
	var least, more float64
	for _, c := range cols {
		if c.width == 0 {
			least += c.least
			more += c.natural - c.least
		}
	}
	for n := range cols {
		switch c := &cols[n]; {
		case c.width > 0:
		case least >= left || more <= 0:
			c.width = left * c.least / least
		default:
			c.width = c.least + (left-least)*(c.natural-c.least)/more
		}
	}
}

// extent measures the longest word and the longest line of a text.
func extent(gs []glyph) (word, line float64) {
	var w, l float64
	for n, g := range gs {
		switch g.r {
		case '\n':
			w, l = 0, 0
		case ' ':
			w, l = 0, l+g.w
		default:
			w, l = w+g.w, l+g.w
			if n > 0 && !broad(gs[n-1].r) && gs[n-1].r == '-' {
				w = g.w
			}
		}
		word, line = max(word, w), max(line, l)
	}
	return word, line
}

// ruled draws one row between two lines. One that is taller than a good part of a page may go on on the next one.
func ruled(row []box, cols []column, x, w float64, facts, head bool) (all []strip) {
	const tall = (bottom - top) / 3
	count := 1
	for n := range row {
		row[n].lines = wrap(row[n].text, max(cols[n].width-2*padX, 1))
		count = max(count, len(row[n].lines))
	}
	each := 1 // lines in a strip
	if float64(count)*cell.leading <= tall {
		each = count
	}
	for from := 0; from < count; from += each {
		s := strip{height: float64(each) * cell.leading}
		above := 0.0
		if from == 0 {
			above = padY
			s.height += above
		}
		last := from+each == count
		if last {
			s.height += padY
		}
		s.marks = append(ground(cols, x, w, s.height, facts, head), cells(row, cols, x, from, from+each, above)...)
		if from == 0 { // over the line of the row before, on which this one's ground stands
			s.marks = append(s.marks, mark{x: x, y: -thin, w: w, h: thin, ink: border})
		}
		if last {
			s.marks = append(s.marks, mark{x: x, y: s.height - thin, w: w, h: thin, ink: border})
		}
		all = append(all, s)
	}
	return all
}

// ground is what a head and a label stand on.
func ground(cols []column, x, w, height float64, facts, head bool) []mark {
	switch {
	case head:
		return []mark{{x: x, w: w, h: height, ink: faint}}
	case facts && len(cols) > 1:
		return []mark{{x: x, w: cols[0].width, h: height, ink: faint}}
	}
	return nil
}

// cells draws some lines of a row.
func cells(row []box, cols []column, x float64, from, until int, above float64) (marks []mark) {
	for n, b := range row {
		for i := from; i < min(until, len(b.lines)); i++ {
			at, text := x+padX, b.lines[i]
			switch room := cols[n].width - 2*padX - width(text); b.align {
			case table.AlignRight:
				at += room
			case table.AlignCenter:
				at += room / 2
			default:
			}
			marks = append(marks, line(text, b.kind, at, above+float64(i-from)*cell.leading+baseline(cell))...)
		}
		x += cols[n].width
	}
	return marks
}

// signOff draws the box in which people sign (결재란), at the upper right of the page.
func (s *setter) signOff(n ast.Node) strip {
	const wide, signature, row, rows = 58.0, 40.0, 16.0, 5
	head := n.FirstChild()
	count := float64(head.ChildCount())
	w := min(wide*count, measure/2)
	x, each := right-w, w/count
	all := strip{marks: []mark{{x: x, w: w, h: row, ink: faint}, {x: x, w: w, h: thin, ink: border}}}
	for r, count := head, 0; r != nil && count < rows; r, count = r.NextSibling(), count+1 {
		k, align := kind{size: 7, leading: row, ink: soft}, 0.0
		if r == head {
			k, align = kind{size: 8, leading: row, ink: ink, bold: true}, 0.5
		}
		height, at := signature, x
		for c := r.FirstChild(); c != nil; c = c.NextSibling() {
			const pad = 4
			if text := wrap(s.glyphs(s.runs(c, style{}), k.size, k.bold, false), each-2*pad); len(text) > 0 {
				height = row
				room := each - 2*pad - width(text[0])
				all.marks = append(all.marks, line(text[0], k, at+pad+align*room, all.height+baseline(k))...)
			}
			at += each
		}
		all.height += height
		all.marks = append(all.marks, mark{x: x, y: all.height, w: w, h: thin, ink: border})
	}
	for i := range head.ChildCount() + 1 {
		all.marks = append(all.marks, mark{x: x + float64(i)*each, w: thin, h: all.height + thin, ink: border})
	}
	all.height += thin
	return all
}

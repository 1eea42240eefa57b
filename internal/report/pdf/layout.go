package pdf

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	table "github.com/yuin/goldmark/extension/ast"

	"muster/internal/report/markdown"
)

// A kind of text: how large it is, how far its lines stand apart, and in which colour.
type kind struct {
	size, leading float64
	ink           colour
	bold          bool
}

var (
	body   = kind{size: 9.5, leading: 15, ink: ink}
	cell   = kind{size: 8.6, leading: 12.8, ink: ink}
	label  = kind{size: 8.4, leading: 12.8, ink: soft, bold: true}
	code   = kind{size: 8.6, leading: 12.8, ink: ink}
	beside = kind{size: 10.5, leading: 16.5, ink: ink} // what stands below a title
)

// headings are those of the levels; the last one serves all deeper ones.
var headings = []kind{
	{size: 20, leading: 27, ink: ink, bold: true},
	{size: 12.5, leading: 18, ink: ink, bold: true},
	{size: 10.5, leading: 16, ink: ink, bold: true},
	{size: 9.5, leading: 15, ink: soft, bold: true},
}

const (
	gap     = 7.0 // between paragraphs
	indent  = 14.0
	maxDeep = 12 // so often lists and quotations within each other are indented
)

// A setter lays blocks out.
type setter struct {
	fonts  *fonts
	source []byte
	lacks  bool // some character that is not drawn

	pictures int // named in words so far
}

// document lays out a whole document. Its title stands beside the sign-off box, where it has one.
func (s *setter) document(doc ast.Node) []strip {
	first := doc.FirstChild()
	if first == nil || !markdown.IsSignOff(first) {
		return s.blocks(first, nil, left, measure, 0)
	}
	box := s.signOff(first)
	rest := first.NextSibling()
	for rest != nil && (isTitle(rest) || rest.Kind() == ast.KindParagraph) {
		rest = rest.NextSibling()
	}
	front := s.blocks(first.NextSibling(), rest, left, measure-box.marks[0].w-2*indent, 0)
	const most = (bottom - top) / 2
	if title := join(front); title.height <= most {
		title.height = max(box.height, title.height)
		title.marks = append(box.marks, title.marks...)
		front = []strip{title}
	} else {
		front = append([]strip{box}, front...)
	}
	return append(front, s.blocks(rest, nil, left, measure, 0)...)
}

// isTitle tells whether a block is a heading of the first level.
func isTitle(n ast.Node) bool {
	h, ok := n.(*ast.Heading)
	return ok && h.Level == 1
}

// join makes one strip of several.
func join(all []strip) (one strip) {
	for n, x := range all {
		if n > 0 {
			one.height += x.above
		}
		for _, m := range x.marks {
			m.y += one.height
			one.marks = append(one.marks, m)
		}
		if one.height += x.height; one.heading == "" {
			one.heading = x.heading
		}
	}
	return one
}

// blocks lays out a block and those after it, up to another one.
func (s *setter) blocks(from, until ast.Node, x, w float64, deep int) (all []strip) {
	title := false // what stands below a title is larger
	for n := from; n != nil && n != until; n = n.NextSibling() {
		k := body
		if title && n.Kind() == ast.KindParagraph {
			k = beside
		}
		title = isTitle(n) || title && n.Kind() == ast.KindParagraph
		strips := s.block(n, k, x, w, deep)
		if last := len(strips) - 1; last >= 0 && introduces(n) {
			strips[last].tied = true
		}
		all = append(all, strips...)
	}
	return all
}

// introduces tells whether a block says something of the next one.
func introduces(n ast.Node) bool {
	next := n.NextSibling()
	if next == nil || n.Kind() != ast.KindParagraph {
		return n.Kind() == ast.KindHeading
	}
	return next.Kind() == ast.KindList || next.Kind() == table.KindTable
}

func (s *setter) block(n ast.Node, k kind, x, w float64, deep int) []strip {
	switch n := n.(type) {
	case *ast.Heading:
		return s.heading(n, x, w)
	case *ast.Paragraph:
		return s.text(s.runs(n, style{}), k, x, w, gap)
	case *ast.TextBlock:
		return s.text(s.runs(n, style{}), body, x, w, 2)
	case *ast.List:
		return s.list(n, x, w, deep)
	case *ast.Blockquote:
		return s.quote(n, x, w, deep)
	case *ast.CodeBlock:
		return s.code(n, x, w)
	case *ast.FencedCodeBlock:
		return s.code(n, x, w)
	case *ast.ThematicBreak:
		return []strip{{above: gap, height: gap, marks: []mark{{x: x, w: w, h: thin, ink: border}}}}
	case *table.Table:
		return s.table(n, x, w)
	}
	return nil // HTML is not shown
}

// text lays out one paragraph. Neither its first line nor its last stands on a page alone.
func (s *setter) text(runs []run, k kind, x, w, above float64) (all []strip) {
	lines := wrap(s.glyphs(runs, k.size, k.bold, false), w)
	for n, gs := range lines {
		strip := strip{height: k.leading, marks: line(gs, k, x, baseline(k)), tied: n == 0 && len(lines) > 1 || n == len(lines)-2}
		if n == 0 {
			strip.above = above
		}
		all = append(all, strip)
	}
	return all
}

// baseline is how far below the upper edge of a line its letters stand.
func baseline(k kind) float64 { return k.leading/2 + 0.36*k.size }

// line draws glyphs from x on, those of one style at once.
func line(gs []glyph, k kind, x, y float64) (marks []mark) {
	for len(gs) > 0 {
		n := 1
		for n < len(gs) && gs[n].style == gs[0].style {
			n++
		}
		var b strings.Builder
		for _, g := range gs[:n] {
			b.WriteRune(g.r)
		}
		m := mark{x: x, y: y, w: width(gs[:n]), h: k.size, text: b.String(), style: gs[0].style, size: k.size, ink: k.ink}
		if m.link != "" {
			m.ink = accent
		}
		if gs[0].code {
			marks = append(marks, mark{x: x - 1, y: y - k.size*0.95, w: m.w + 2, h: k.size * 1.3, ink: faint})
		}
		marks = append(marks, m)
		x += m.w
		gs = gs[n:]
	}
	return marks
}

func (s *setter) heading(n *ast.Heading, x, w float64) []strip {
	const above, rule = 17, 0.9
	k := headings[min(n.Level, len(headings))-1]
	all := s.text(s.runs(n, style{}), k, x, w, above)
	for i := range all {
		all[i].tied = true
	}
	if len(all) == 0 {
		return nil
	}
	if n.Level <= 2 {
		all[0].heading = basic(plain(s.runs(n, style{})))
	}
	if last := &all[len(all)-1]; n.Level == 2 {
		last.marks = append(last.marks, mark{x: x, y: last.height + 2, w: w, h: rule, ink: ink})
		last.height += 4
	}
	return all
}

// plain is the text of runs.
func plain(runs []run) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(r.text)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (s *setter) list(n *ast.List, x, w float64, deep int) (all []strip) {
	in := indented(deep)
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		sign := "•"
		if n.IsOrdered() {
			sign = strconv.Itoa(number) + "."
			number++
		}
		strips := s.blocks(item.FirstChild(), nil, x+in, w-in, deep+1)
		if len(strips) == 0 {
			strips = []strip{{above: 2, height: body.leading}}
		}
		gs := s.glyphs([]run{{text: sign}}, body.size, false, false)
		at := x + max(0, (in-width(gs))/2-1)
		if n.IsOrdered() {
			at = x + in - width(gs) - 4
		}
		strips[0].marks = append(line(gs, kind{size: body.size, ink: soft}, at, baseline(body)), strips[0].marks...)
		all = append(all, strips...)
	}
	if len(all) > 0 && deep == 0 {
		all[0].above = max(all[0].above, gap-2)
	}
	return all
}

// indented is how far what stands at a depth is indented. What lies too deep stays where it is.
func indented(deep int) float64 {
	if deep >= maxDeep {
		return 0
	}
	return indent
}

func (s *setter) quote(n ast.Node, x, w float64, deep int) []strip {
	const bar = 2.5
	in := indented(deep)
	all := s.blocks(n.FirstChild(), nil, x+in, w-in, deep+1)
	for i := range all {
		m := mark{x: x + 1, w: bar, h: all[i].height, ink: border}
		if i > 0 {
			m.y, m.h = -all[i].above, m.h+all[i].above
		}
		all[i].marks = append([]mark{m}, all[i].marks...)
	}
	return all
}

// code lays out lines as they are, on a ground of their own.
func (s *setter) code(n ast.Node, x, w float64) (all []strip) {
	const pad = 6.0
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		text := strings.TrimRight(strings.ReplaceAll(string(at.Value(s.source)), "\t", "    "), "\r\n")
		lines := wrap(s.glyphs([]run{{text: text}}, code.size, false, true), w-2*pad)
		if len(lines) == 0 {
			lines = [][]glyph{nil}
		}
		for _, l := range lines {
			all = append(all, strip{height: code.leading, marks: line(l, code, x+pad, baseline(code))})
		}
	}
	for i := range all {
		ground := mark{x: x, w: w, h: all[i].height, ink: faint}
		if i == 0 {
			all[i].above, ground.y, ground.h = gap+pad, -pad, ground.h+pad
		}
		if i == len(all)-1 {
			all[i].height += pad
			ground.h += pad
		}
		all[i].marks = append([]mark{ground}, all[i].marks...)
	}
	return all
}

package org

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	markdown "github.com/yuin/goldmark/text"
)

// Everything that knows the Markdown library stands in this file: it turns a file into a title, tables, steps and notes, each
// with its place. What they mean is read elsewhere.

// A page is a Markdown file that is being read.
type page struct {
	*reader

	file   string
	source []byte
	begins []int // of each line
}

// A document is what stands in a page.
type document struct {
	title    cell
	header   *grid
	sections map[string]*grid // tables of the sections that have one, by name
	steps    []entry
	stepsAt  place
	notes    string
}

// A grid is a table.
type grid struct {
	place
	rows [][]cell // the first one has the headings
}

// A cell is a text with its place.
type cell struct {
	place
	text string
}

// An entry is one item of the numbered list.
type entry struct {
	place
	text   string // without its blocks
	blocks []block
}

// A block is a fenced block that is not only to be read.
type block struct {
	place
	info  string
	lines []cell
}

// The sections of a runbook, by their English headings.
const (
	infoSection       = "Runbook Info"
	parametersSection = "Parameters"
	stepsSection      = "Steps"
	causesSection     = "Causes"
)

// sectionNames has the headings of the sections in both languages.
func sectionNames() []pair[string] {
	return []pair[string]{
		{infoSection, infoSection},
		{"Playbook Info", infoSection},
		{"런북 정보", infoSection},
		{"플레이북 정보", infoSection},
		{parametersSection, parametersSection},
		{"매개변수", parametersSection},
		{stepsSection, stepsSection},
		{"단계", stepsSection},
		{causesSection, causesSection},
		{"원인", causesSection},
	}
}

// parseMarkdown reads a page as far as it can, and makes a fault of everything that has no place in a runbook.
func parseMarkdown(r *reader, file string, content []byte) (document, bool) {
	before := len(r.faults)
	p := &page{reader: r, file: file, source: bytes.ReplaceAll(bytes.TrimPrefix(content, []byte("\ufeff")), []byte("\r\n"), []byte("\n")), begins: []int{0}}
	for n, c := range p.source {
		if c == '\n' {
			p.begins = append(p.begins, n+1)
		}
	}
	if !p.readable() {
		return document{}, false
	}
	doc := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(markdown.NewReader(p.source))
	d := document{sections: map[string]*grid{}, stepsAt: place{file, 1, 1}}
	section := infoSection
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level <= 2 {
			section = p.heading(&d, h)
			continue
		}
		p.block(&d, section, n)
	}
	p.strayBlocks(doc)
	return d, len(r.faults) == before
}

// readable makes a fault of what is no text, or reads otherwise than it is written.
func (p *page) readable() bool {
	if !utf8.Valid(p.source) {
		p.fault(place{file: p.file}, "not UTF-8 text")
		return false
	}
	at := bytes.IndexFunc(p.source, hides)
	if at < 0 {
		return true
	}
	r, _ := utf8.DecodeRune(p.source[at:])
	p.fault(p.place(at), "character %U: want none that is not seen or turns the reading direction", r)
	return false
}

// hides tells whether a character is not seen and yet means something.
func hides(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || 0x7f <= r && r < 0xa0:
		return true
	}
	return r == 0x061c || 0x200e <= r && r <= 0x200f || 0x2028 <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 || r == 0xfeff
}

// heading takes in a title, or returns the section that begins with it.
func (p *page) heading(d *document, h *ast.Heading) string {
	said := cell{p.place(h.Pos()), strings.TrimSpace(string(h.Lines().Value(p.source)))}
	if h.Level == 1 {
		if d.title.line > 0 {
			p.fault(said.place, "a second title begins here; want one in each file, and sections under ##")
		}
		d.title = said
		return infoSection
	}
	var known []string
	for _, s := range sectionNames() {
		if strings.EqualFold(s.key, said.text) {
			return s.value
		}
		known = append(known, s.key)
	}
	if near := nearest(said.text, known); near != "" {
		p.fault(said.place, "section %s: did you mean %s?", show(said.text), near)
		return infoSection
	}
	p.note(d, p.lineOf(h.Pos()), p.end(h))
	return ""
}

// block takes in one block of a section.
func (p *page) block(d *document, section string, n ast.Node) {
	at := p.place(n.Pos())
	if html, ok := n.(*ast.HTMLBlock); ok && html.HTMLBlockType == ast.HTMLBlockType2 && section != "" { // a comment
		return
	}
	switch section {
	case "": // whatever a reader should know
		p.note(d, p.lineOf(n.Pos()), p.end(n))
	case stepsSection:
		list, ok := n.(*ast.List)
		switch {
		case !ok || !list.IsOrdered():
			p.fault(at, "steps: want a numbered list, 1. 2. 3. …; indent what belongs to a step under it")
		case d.stepsAt.line > 1:
			p.fault(at, "steps: a second list begins here; want one, in which what belongs to a step is indented under it")
		default:
			d.stepsAt = at
			p.steps(d, list)
		}
	default:
		table, ok := n.(*tables.Table)
		switch {
		case !ok:
			p.noTable(at, section, n)
		case section == infoSection && d.header != nil, d.sections[section] != nil:
			p.fault(at, "a second table begins here; want one in each section")
		case section == infoSection:
			d.header = p.table(table)
		default:
			d.sections[section] = p.table(table)
		}
	}
}

// noTable says what is wrong with something else where a table has to be.
func (p *page) noTable(at place, section string, n ast.Node) {
	if _, ok := n.(*ast.Paragraph); ok && strings.HasPrefix(strings.TrimSpace(p.text(at.line-1)), "|") {
		p.fault(at, "this is no table: its second line needs as many columns as the first one, such as |---|---|")
		return
	}
	if section == infoSection {
		p.fault(at, "want # and the title, the table with %s and so on, and then sections under ##", columnsOf(true)[0].english)
		return
	}
	p.fault(at, "section %s: want a table and nothing else", section)
}

// note takes lines into the notes.
func (p *page) note(d *document, from, to int) {
	text := strings.TrimSpace(p.lines(from, to))
	if d.notes != "" && text != "" {
		d.notes += "\n\n"
	}
	d.notes += text
}

// table reads the cells as they are written.
func (p *page) table(t *tables.Table) *grid {
	g := &grid{place: p.place(t.Pos())}
	for n := t.FirstChild(); n != nil; n = n.NextSibling() {
		g.rows = append(g.rows, p.row(p.lineOf(n.Pos())))
	}
	return g
}

// row cuts a line of a table into its cells. \| is no border.
func (p *page) row(line int) (cells []cell) {
	text := p.text(line)
	from, begun := 0, false
	add := func(to int) {
		said := strings.TrimSpace(text[from:to])
		at := from + strings.Index(text[from:to], said)
		if begun || said != "" { // nothing stands before the first border
			cells = append(cells, cell{p.place(p.begins[line] + at), strings.ReplaceAll(said, `\|`, "|")})
		}
		begun = true
	}
	for n := range len(text) {
		if text[n] == '|' && (n == 0 || text[n-1] != '\\') {
			add(n)
			from = n + 1
		}
	}
	if strings.TrimSpace(text[from:]) != "" {
		add(len(text))
	}
	if len(cells) == 0 {
		return []cell{{place: p.place(p.begins[line])}}
	}
	return cells
}

// steps reads the numbered list.
func (p *page) steps(d *document, list *ast.List) {
	for n := list.FirstChild(); n != nil; n = n.NextSibling() {
		item := n.(*ast.ListItem)
		e := entry{place: p.place(item.Pos())}
		want := fmt.Sprint(len(d.steps) + 1)
		written := strings.TrimSpace(p.text(e.line - 1))
		number := written[:len(written)-len(strings.TrimLeft(written, "0123456789"))]
		if number != want && number != "1" {
			p.fault(e.place, "step %s: its number is %s; want %s, or 1 for every step", want, show(number), want)
		}
		from, to := p.lineOf(item.Pos()), p.end(item)
		skip := map[int]bool{}
		for c := item.FirstChild(); c != nil; c = c.NextSibling() {
			code, ok := c.(*ast.FencedCodeBlock)
			if !ok || !p.runs(code) {
				continue
			}
			first := p.lineOf(code.Pos())
			last := first + code.Lines().Len() + 1
			if last >= to || !closes(p.text(last)) {
				p.fault(p.place(code.Pos()), "step %s: the block is not closed; want ``` on a line of its own after it", want)
			}
			for line := first; line <= last; line++ {
				skip[line] = true
			}
			e.blocks = append(e.blocks, p.fenced(code))
		}
		e.text = p.item(from, to, item.Offset, skip)
		d.steps = append(d.steps, e)
	}
}

// item is the text of an item without its marker, its indentation and the lines to skip.
func (p *page) item(from, to, indent int, skip map[int]bool) string {
	var b strings.Builder
	for line := from; line < to; line++ {
		text := p.text(line)
		if line == from { // its marker is as wide as the indentation of the rest
			text = strings.TrimLeft(text, " \t")
			text = strings.TrimLeft(text, "0123456789")
			text = strings.TrimSpace(strings.TrimLeft(text, ".)"))
		}
		if skip[line] {
			continue
		}
		for n := 0; n < indent && line > from && text != ""; n++ {
			if text[0] == '\t' {
				text = text[1:]
				break
			}
			if text[0] != ' ' {
				break
			}
			text = text[1:]
		}
		b.WriteString(strings.TrimRight(text, " \t") + "\n")
	}
	return strings.Trim(squeezed(b.String()), "\n")
}

// squeezed leaves one empty line where several stand.
func squeezed(text string) string {
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return text
}

// fenced reads a block. Its info is what stands behind the fence.
func (p *page) fenced(code *ast.FencedCodeBlock) block {
	b := block{place: p.place(code.Pos()), info: strings.TrimSpace(string(code.Info.Value(p.source)))}
	for n := range code.Lines().Len() {
		line := code.Lines().At(n)
		at := p.place(line.Start)
		b.lines = append(b.lines, cell{at, strings.TrimSuffix(string(line.Value(p.source)), "\n")})
	}
	return b
}

// runs tells whether a block is for a runner.
func (p *page) runs(code *ast.FencedCodeBlock) bool {
	if code.Info == nil {
		return false
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(code.Info.Value(p.source))), " ")
	return slices.Contains(blockKinds(), word)
}

// closes tells whether a line ends a fenced block.
func closes(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= 3 && (strings.Trim(line, "`") == "" || strings.Trim(line, "~") == "")
}

// strayBlocks makes a fault of every block for a runner that is not directly in a step.
func (p *page) strayBlocks(doc ast.Node) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		code, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || !p.runs(code) {
			return ast.WalkContinue, nil
		}
		item, inItem := code.Parent().(*ast.ListItem)
		if !inItem || item.Parent().Parent() != doc {
			p.fault(p.place(code.Pos()), "block %s: want it directly in a step, indented as its text is", show(strings.TrimSpace(string(code.Info.Value(p.source)))))
		}
		return ast.WalkContinue, nil
	})
}

// end is the line before which a node ends: where the next one begins.
func (p *page) end(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if next := n.NextSibling(); next != nil {
			return p.lineOf(next.Pos())
		}
	}
	return len(p.begins)
}

// place is where a byte stands.
func (p *page) place(at int) place {
	line := p.lineOf(at)
	return place{p.file, line + 1, utf8.RuneCount(p.source[p.begins[line]:min(max(at, p.begins[line]), len(p.source))]) + 1}
}

// lineOf is the line of a byte, counted from 0.
func (p *page) lineOf(at int) int {
	return sort.SearchInts(p.begins, max(at, 0)+1) - 1
}

// text is a line without its end.
func (p *page) text(line int) string { return strings.TrimSuffix(p.lines(line, line+1), "\n") }

func (p *page) lines(from, to int) string {
	end := len(p.source)
	if to < len(p.begins) {
		end = p.begins[to]
	}
	if from >= len(p.begins) || p.begins[from] > end {
		return ""
	}
	return string(p.source[p.begins[from]:end])
}

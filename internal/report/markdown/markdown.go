// Package markdown reads the Markdown of reports: CommonMark with tables. Emphasis works beside Hangul too, and HTML in it is
// never shown.
package markdown

import (
	"bytes"
	"html"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	table "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	renderer "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// SignOff is the line above the table that is the sign-off box (결재란) of a report. The box comes first in what is read,
// beside the title.
const SignOff = "<!-- sign-off -->"

// dialect is safe for concurrent use: it keeps nothing of what it reads.
var dialect = goldmark.New(
	goldmark.WithExtensions(extension.Table),
	goldmark.WithParserOptions(
		parser.WithInlineParsers(util.Prioritized(emphasis{}, 400)), // before the one of CommonMark
		parser.WithASTTransformers(util.Prioritized(tables{}, 900)),
	),
)

// Parse reads a document.
func Parse(source []byte) ast.Node { return dialect.Parser().Parse(text.NewReader(source)) }

// HTML returns the document as the inside of a page's body. HTML in it is left out, and so are links that lead to no page.
func HTML(source []byte) ([]byte, error) {
	var b bytes.Buffer
	err := dialect.Convert(source, &b)
	return b.Bytes(), err
}

// Title returns the text of the first heading.
func Title(source []byte) (title string) {
	doc := Parse(source)
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindHeading {
			return words(n, source)
		}
	}
	return ""
}

func words(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.WriteString(Plain(t.Segment.Value(source)))
			continue
		}
		b.WriteString(words(c, source))
	}
	return b.String()
}

// Plain returns the text of some Markdown without its marks, as a reader sees it.
func Plain(marked []byte) string {
	var b bytes.Buffer
	w := bufWriter{&b}
	renderer.DefaultWriter.Write(w, marked)
	return html.UnescapeString(b.String())
}

// bufWriter is what the renderer writes to.
type bufWriter struct{ *bytes.Buffer }

func (bufWriter) Buffered() int  { return 0 }
func (bufWriter) Flush() error   { return nil }
func (bufWriter) Available() int { return 0 }

// The classes of tables that are not plain ones.
const (
	signOff = "sign"  // the sign-off box
	facts   = "facts" // nothing stands in its head: labels, and what is behind them
)

// IsSignOff tells whether a block is the sign-off box.
func IsSignOff(n ast.Node) bool { return is(n, signOff) }

// IsFacts tells whether a block is a table without a head.
func IsFacts(n ast.Node) bool { return is(n, facts) }

func is(n ast.Node, class string) bool {
	own, ok := n.AttributeString("class")
	return ok && n.Kind() == table.KindTable && string(own.([]byte)) == class
}

type tables struct{}

// Transform says of every table what it is, and puts the sign-off box before everything else.
func (tables) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var box ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering || n.Kind() != table.KindTable {
			return ast.WalkContinue, nil
		}
		if above, ok := n.PreviousSibling().(*ast.HTMLBlock); ok && box == nil && n.Parent() == doc && isMark(above, reader.Source()) {
			box = n
		}
		if headless(n) {
			n.SetAttributeString("class", []byte(facts))
		}
		return ast.WalkSkipChildren, nil
	})
	if box == nil {
		return
	}
	box.SetAttributeString("class", []byte(signOff))
	doc.RemoveChild(doc, box.PreviousSibling())
	if first := doc.FirstChild(); first != box {
		doc.InsertBefore(doc, first, box)
	}
}

// isMark tells whether a block of HTML is the line above a sign-off box.
func isMark(b *ast.HTMLBlock, source []byte) bool {
	text := b.Lines().Value(source)
	if b.HasClosure() {
		text = append(text, b.ClosureLine.Value(source)...)
	}
	return strings.TrimSpace(string(text)) == SignOff
}

// headless tells whether nothing stands in the head of a table, whose cells say that they head columns.
func headless(n ast.Node) bool {
	empty := true
	for c := n.FirstChild().FirstChild(); c != nil; c = c.NextSibling() {
		c.SetAttributeString("scope", []byte("col"))
		empty = empty && !c.HasChildren()
	}
	return empty
}

// emphasis is that of CommonMark, which leaves the asterisks of "**강조(x)**입니다" as they are: after punctuation it asks for a
// blank, and Korean has none before its particles.
type emphasis struct{}

// Trigger tells what begins it. An underscore within a word never does.
func (emphasis) Trigger() []byte { return []byte{'*'} }

// Parse reads a run of asterisks.
func (emphasis) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	d := parser.ScanDelimiter(line, before, 1, delimiters{})
	if d == nil {
		return nil
	}
	after := ' '
	if d.OriginalLength < len(line) {
		after = util.ToRune(line, d.OriginalLength)
	}
	d.CanClose = d.CanClose || unspaced(after) && !util.IsSpaceRune(before)
	d.CanOpen = d.CanOpen || unspaced(before) && !util.IsSpaceRune(after)
	d.Segment = segment.WithStop(segment.Start + d.OriginalLength)
	block.Advance(d.OriginalLength)
	pc.PushDelimiter(d)
	return d
}

// unspaced tells whether words of a letter's script are written without blanks between them and what belongs to them.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

type delimiters struct{}

// IsDelimiter tells which characters they are.
func (delimiters) IsDelimiter(b byte) bool { return b == '*' }

// CanOpenCloser tells whether one may end what another has begun.
func (delimiters) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

// OnMatch returns what stands between them.
func (delimiters) OnMatch(consumes int) ast.Node { return ast.NewEmphasis(consumes) }

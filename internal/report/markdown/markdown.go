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
		parser.WithASTTransformers(util.Prioritized(signOff{}, 900)),
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

// IsSignOff tells whether a block is the sign-off box.
func IsSignOff(n ast.Node) bool {
	class, ok := n.AttributeString("class")
	return ok && n.Kind() == table.KindTable && string(class.([]byte)) == "sign"
}

type signOff struct{}

// Transform marks the table that is the sign-off box, and puts it before everything else.
func (signOff) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		block, ok := n.(*ast.HTMLBlock)
		if !ok || strings.TrimSpace(string(block.Lines().Value(reader.Source()))+closing(block, reader.Source())) != SignOff {
			continue
		}
		if box := n.NextSibling(); box != nil && box.Kind() == table.KindTable {
			box.SetAttributeString("class", []byte("sign"))
			doc.RemoveChild(doc, n)
			if first := doc.FirstChild(); first != box {
				doc.InsertBefore(doc, first, box)
			}
			return
		}
	}
}

// closing is the line that ends a block of HTML, where that is not its first.
func closing(b *ast.HTMLBlock, source []byte) string {
	if !b.HasClosure() {
		return ""
	}
	return string(b.ClosureLine.Value(source))
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

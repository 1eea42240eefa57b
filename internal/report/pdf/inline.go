package pdf

import (
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"

	"muster/internal/report/markdown"
)

// runs returns the text within a block.
func (s *setter) runs(n ast.Node, in style) (all []run) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			all = append(all, run{markdown.Plain(c.Segment.Value(s.source)), in})
			switch {
			case c.HardLineBreak(), c.SoftLineBreak() && quoted(n):
				all = append(all, run{"\n", in})
			case c.SoftLineBreak():
				all = append(all, run{" ", in})
			}
		case *ast.CodeSpan:
			code := in
			code.code = true
			all = append(all, run{s.literal(c), code})
		case *ast.Emphasis: // the font has no italics, and Hangul none at all
			strong := in
			strong.bold = true
			all = append(all, s.runs(c, strong)...)
		case *ast.Link:
			all = append(all, s.link(s.runs(c, in), string(c.Destination), in)...)
		case *ast.AutoLink:
			all = append(all, s.link([]run{{string(c.Label(s.source)), in}}, string(c.URL(s.source)), in)...)
		case *ast.Image:
			all = append(all, s.runs(c, in)...) // what it shows, in words
		case *ast.RawHTML: // is not shown
		default:
			all = append(all, s.runs(c, in)...)
		}
	}
	return all
}

// quoted tells whether text is within a quotation, where lines stay as somebody has written them.
func quoted(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if n.Kind() == ast.KindBlockquote {
			return true
		}
	}
	return false
}

// literal is the text of code.
func (s *setter) literal(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(s.source))
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// link leads somewhere, and says where: paper cannot be clicked on.
func (s *setter) link(text []run, to string, in style) []run {
	where := page(to)
	if where == "" {
		return text
	}
	for n := range text {
		text[n].link = where
	}
	if shown := plain(text); shown != to && shown != where {
		in.link = where
		text = append(text, run{" (" + unmarked.Replace(to) + ")", in})
	}
	return text
}

// unmarked takes back what keeps an address from being taken for Markdown.
var unmarked = strings.NewReplacer("%28", "(", "%29", ")", "%7C", "|", "%2A", "*", "%5F", "_", "%60", "`", "%7E", "~")

// page returns the address of a web page as a PDF may hold it, empty when it leads anywhere else.
func page(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	for _, r := range u.String() {
		if r <= ' ' || r > '~' {
			return ""
		}
	}
	return u.String()
}

package pdf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/signintech/gopdf"
)

// Lines breaks a text into lines of so many ems.
func Lines(text string, ems float64) ([]string, error) {
	f, err := shipped()
	if err != nil {
		return nil, err
	}
	s := &setter{fonts: f}
	var lines []string
	for _, l := range wrap(s.glyphs([]run{{text: text}}, 10, false, false), 10*ems) {
		lines = append(lines, drawn(l))
	}
	return lines, nil
}

func drawn(gs []glyph) string {
	var b strings.Builder
	for _, g := range gs {
		b.WriteRune(g.r)
	}
	return b.String()
}

// Subset returns the font with some characters, and the whole of it.
func Subset(name string, runes []rune) (part []byte, whole *gopdf.SubsetFontObj, err error) {
	f, err := shipped()
	if err != nil {
		return nil, nil, err
	}
	w := map[string]*face{"regular": &f.regular, "bold": &f.bold, "hanja": &f.hanja}[name]
	return w.subset(runes), &w.SubsetFontObj, nil
}

// A Text is what is drawn somewhere on a page.
type Text struct {
	X, Y, Width, Size float64
	Words             string
	Bold              bool
	Link              string
}

// The part of a page in which a report stands.
const (
	Left, Right, Top, Bottom = left, right, top, bottom
)

// Pages lays a report out and returns the text of each page, in the order in which it is drawn, frame and all.
func Pages(d Document, source string) ([][]Text, error) {
	pages, _, err := d.pages([]byte(source))
	var all [][]Text
	for _, p := range pages {
		var texts []Text
		for _, m := range p.marks {
			if m.text != "" {
				texts = append(texts, Text{m.x, m.y, m.w, m.size, m.text, m.bold, m.link})
			}
		}
		all = append(all, texts)
	}
	return all, err
}

// Show writes pages as a reader sees them: line by line, with what stands side by side on one line divided.
func Show(pages [][]Text) string {
	var b strings.Builder
	for n, page := range pages {
		fmt.Fprintf(&b, "======== page %d\n", n+1)
		page = slices.Clone(page)
		slices.SortStableFunc(page, func(a, b Text) int { return cmp.Or(cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X)) })
		for i, t := range page {
			switch {
			case i == 0:
			case page[i-1].Y != t.Y:
				b.WriteString("\n")
			case t.X-page[i-1].X-page[i-1].Width > 1:
				b.WriteString(" ¦ ")
			}
			words := t.Words
			if t.Bold {
				words = "*" + words + "*"
			}
			b.WriteString(words)
		}
		b.WriteString("\n")
	}
	return b.String()
}

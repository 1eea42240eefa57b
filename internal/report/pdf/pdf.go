// Package pdf writes the Markdown of a report as a PDF for paper: A4, with a font that has Hangul, and the same bytes for the
// same report whenever and wherever it is written.
package pdf

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signintech/gopdf"

	"muster/internal/report/markdown"
)

// A Document is what stands around a report.
type Document struct {
	Language     string    // code, such as "ko"
	Organisation string    // whose report it is
	Identity     string    // of the report, at the foot of every page
	Notice       string    // who may read it, at the head of every page; empty: whoever has it
	Missing      string    // says of □ that it stands for characters that cannot be drawn
	Made         time.Time // of which it is; the clock is never asked
}

// Write lays a report out and returns the file.
func Write(d Document, source []byte) ([]byte, error) {
	pages, title, err := d.pages(source)
	if err != nil {
		return nil, err
	}
	return d.file(pages, title)
}

// pages lays a report out on pages, and finds its title.
func (d Document) pages(source []byte) (pages []sheet, title string, err error) {
	f, err := shipped()
	if err != nil {
		return nil, "", err
	}
	s := &setter{fonts: f, source: source}
	strips := s.document(markdown.Parse(source))
	if s.lacks && d.Missing != "" {
		note := kind{size: 7.5, leading: 11, ink: soft}
		strips = append(strips, s.text([]run{{text: string(missing) + ": " + d.Missing}}, note, left, measure, 2*gap)...)
	}
	if pages, err = paginate(strips); err != nil {
		return nil, "", err
	}
	title = cmp.Or(basic(markdown.Title(source)), d.Identity)
	for n := range pages {
		pages[n].marks = append(pages[n].marks, s.frame(d, title, n+1, len(pages))...)
	}
	return pages, title, nil
}

// frame is what stands above and below the text of a page.
func (s *setter) frame(d Document, title string, number, of int) (marks []mark) {
	const head, foot, room = 44.0, pageHeight - 38, measure / 2
	small := kind{size: 7.8, leading: 10, ink: soft}
	put := func(text string, k kind, y float64, atRight bool) {
		gs := s.glyphs([]run{{text: text}}, k.size, k.bold, false)
		if width(gs) > room {
			for width(gs) > room-k.size {
				gs = gs[:len(gs)-1]
			}
			gs = append(gs, s.glyphs([]run{{text: "…"}}, k.size, k.bold, false)...)
		}
		x := left
		if atRight {
			x = right - width(gs)
		}
		marks = append(marks, line(gs, k, x, y)...)
	}
	organisation := small
	organisation.bold, organisation.ink = true, accent
	put(d.Organisation, organisation, head, false)
	switch {
	case d.Notice != "":
		k := small
		k.bold, k.ink = true, alarm
		put(d.Notice, k, head, true)
	case number > 1:
		put(title, small, head, true)
	}
	if number == 1 {
		marks = append(marks, mark{x: left, y: 26, w: measure, h: 2.5, ink: accent})
	} else {
		marks = append(marks, mark{x: left, y: head + 6, w: measure, h: thin, ink: border})
	}
	marks = append(marks, mark{x: left, y: foot - 13, w: measure, h: thin, ink: border})
	put(d.Identity, small, foot, false)
	put(fmt.Sprintf("%d / %d", number, of), small, foot, true)
	return marks
}

// file draws the pages.
func (d Document) file(pages []sheet, title string) ([]byte, error) {
	f, err := shipped()
	if err != nil {
		return nil, err
	}
	var p gopdf.GoPdf
	p.Start(gopdf.Config{PageSize: gopdf.Rect{W: pageWidth, H: pageHeight}})
	p.SetInfo(gopdf.PdfInfo{
		Title: title, Author: basic(d.Organisation), Subject: basic(d.Identity), Creator: "Muster", CreationDate: d.Made.UTC(),
	})
	names := map[*face]string{}
	for _, w := range []*face{&f.regular, &f.bold, &f.hanja} {
		runes := f.drawnIn(pages, w)
		if w == &f.hanja && len(runes) == 1 { // the blank
			continue
		}
		font := w.subset(runes)
		names[w] = tagged(w.name, font)
		if err := p.AddTTFFontData(names[w], font); err != nil {
			return nil, fmt.Errorf("font %s: %w", w.name, err)
		}
	}
	for _, page := range pages {
		p.AddPage()
		for _, m := range page.marks {
			if err := draw(&p, names[f.of(m.style)], m); err != nil {
				return nil, fmt.Errorf("draw %q: %w", m.text, err)
			}
		}
		for _, h := range page.headings {
			p.SetY(h.y)
			p.AddOutlineWithPosition(h.text)
		}
	}
	file, err := p.GetBytesPdfReturnErr()
	return speaks(file, d.Language), err
}

// drawnIn lists the characters that are drawn in a face, in order.
func (f *fonts) drawnIn(pages []sheet, w *face) []rune {
	all := map[rune]bool{' ': true}
	for _, page := range pages {
		for _, m := range page.marks {
			if f.of(m.style) == w {
				for _, r := range m.text {
					all[r] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func draw(p *gopdf.GoPdf, font string, m mark) error {
	if m.text == "" {
		p.SetFillColor(m.ink[0], m.ink[1], m.ink[2])
		p.RectFromUpperLeftWithStyle(m.x, m.y, m.w, m.h, "F")
		return nil
	}
	if m.link != "" {
		p.AddExternalLink(m.link, m.x, m.y-m.h, m.w, 1.3*m.h)
	}
	if err := p.SetFont(font, "", m.size); err != nil {
		return err
	}
	p.SetTextColor(m.ink[0], m.ink[1], m.ink[2])
	p.SetXY(m.x, m.y)
	return p.Text(m.text)
}

// basic leaves to a text what gopdf can write beside the pages, and a reader would read there: so many characters, all of the first
// plane.
func basic(s string) string {
	const most = 200
	all := []rune(strings.ToValidUTF8(s, string(missing)))
	for i, r := range all {
		if r > 0xffff {
			all[i] = missing
		}
	}
	if len(all) > most {
		all = append(all[:most-1], '…')
	}
	return string(all)
}

// speaks says in which language a file is. gopdf has no such setting, so this takes the place of one that nobody wants, which
// opens the list of headings beside the first page. It is as long, so that nothing else in the file moves.
func speaks(file []byte, language string) []byte {
	wish := []byte("/PageMode /UseOutlines")
	return bytes.Replace(file, wish, fmt.Appendf(nil, "%-*s", len(wish), "/Lang ("+language+")"), 1)
}

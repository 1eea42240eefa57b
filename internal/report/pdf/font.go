package pdf

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"

	"github.com/signintech/gopdf"

	"muster/templates"
)

// A face is one weight of the font. After loading it is only read.
type face struct {
	name string
	gopdf.SubsetFontObj
}

// width returns how wide a character is, in thousandths of the font's size.
func (f *face) width(r rune) float64 {
	glyph, _ := f.glyph(r)
	return float64(f.GlyphIndexToPdfWidth(glyph))
}

// glyph finds the drawing of a character. Characters beyond the first plane could be drawn but not copied from the page.
func (f *face) glyph(r rune) (uint, bool) {
	if r > 0xffff {
		return 0, false
	}
	glyph, err := f.CharCodeToGlyphIndex(r)
	return glyph, err == nil && glyph != 0
}

// fonts are both weights of the font, and another one for the Hanja that it lacks.
type fonts struct{ regular, bold, hanja face }

// of returns the face of a style.
func (f *fonts) of(s style) *face {
	switch {
	case s.hanja:
		return &f.hanja
	case s.bold:
		return &f.bold
	}
	return &f.regular
}

// shipped takes some 60 ms and 8 MB, once, when the first document is written.
var shipped = sync.OnceValues(func() (*fonts, error) {
	f := &fonts{regular: face{name: "Pretendard-Regular"}, bold: face{name: "Pretendard-Bold"}, hanja: face{name: "MusterHanja-Regular"}}
	for _, w := range []*face{&f.regular, &f.bold, &f.hanja} {
		data, err := unpack("fonts/" + w.name + ".ttf.gz")
		if err == nil {
			err = w.SetTTFData(data)
		}
		if err != nil {
			return nil, fmt.Errorf("load font %s: %w", w.name, err)
		}
	}
	return f, nil
})

func unpack(file string) ([]byte, error) {
	packed, err := templates.FS.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

package pdf

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A style is how a part of a text looks.
type style struct {
	bold, code bool
	link       string // where it leads
}

// A run is text in one style. A line feed in it ends the line.
type run struct {
	text string
	style
}

// A glyph is one character with its width in points.
type glyph struct {
	r rune
	w float64
	style
}

// missing stands for a character that the font does not have.
const missing = '□'

// likeness gives characters that the font lacks the looks of one that it has.
var likeness = strings.NewReplacer("☐", "□", "☑", "✓", "✔", "✓", "✅", "✓", "❌", "×", "✗", "×", "✘", "×", "│", "|", "─", "–", "\t", " ")

// glyphs measures text at a size. What nobody could see is left out, blanks are drawn once unless they are kept.
func (s *setter) glyphs(runs []run, size float64, bold, keep bool) (all []glyph) {
	for _, r := range runs {
		r.bold = r.bold || bold
		f := s.fonts.of(r.bold)
		for _, c := range likeness.Replace(norm.NFC.String(r.text)) {
			_, drawn := f.glyph(c)
			switch {
			case c == '\n':
			case c == ' ' && !keep && (len(all) == 0 || all[len(all)-1].r == ' ' || all[len(all)-1].r == '\n'):
				continue
			case unicode.IsControl(c), unicode.In(c, unicode.Cf, unicode.Mn, unicode.Me), c == '\u200b':
				continue
			case !drawn:
				c, s.lacks = missing, true
			}
			g := glyph{r: c, style: r.style}
			if c != '\n' {
				g.w = f.width(c) * size / 1000
			}
			all = append(all, g)
		}
	}
	return all
}

func width(gs []glyph) (w float64) {
	for _, g := range gs {
		w += g.w
	}
	return w
}

// wrap breaks text into lines that are no wider than so much, and have one character at least.
func wrap(gs []glyph, most float64) (lines [][]glyph) {
	for len(gs) > 0 {
		end, next := fit(gs, most)
		lines = append(lines, trimmed(gs[:end]))
		gs = gs[next:]
	}
	return lines
}

func trimmed(line []glyph) []glyph {
	for len(line) > 0 && line[len(line)-1].r == ' ' {
		line = line[:len(line)-1]
	}
	return line
}

// fit finds the end of the first line, and where the next one begins. Between two words it breaks rather than within one,
// unless a great part of the line would stay empty.
func fit(gs []glyph, most float64) (end, next int) {
	const empty, tolerance = 0.15, 0.01
	used := 0.0
	words, letters := 0, 0 // the last places where a line may end: between words, and between letters
	for i, g := range gs {
		if g.r == '\n' {
			return i, i + 1
		}
		if used+g.w > most+tolerance && g.r != ' ' && i > 0 {
			switch {
			case words > 0 && width(gs[words:letters]) <= empty*most:
				return words, words
			case letters > 0:
				return letters, letters
			}
			return within(gs, i)
		}
		used += g.w
		switch {
		case i+1 == len(gs):
		case g.r == ' ' && gs[i+1].r != ' ':
			words, letters = i+1, i+1
		case breakable(gs, i+1):
			letters = i + 1
		}
	}
	return len(gs), len(gs)
}

// within breaks a word that is longer than a line: after a mark in its second half, such as an address has, else anywhere.
func within(gs []glyph, end int) (int, int) {
	for i := end; i > end/2 && i > 1; i-- {
		if strings.ContainsRune("/-_.?&=,:", gs[i-1].r) {
			return i, i
		}
	}
	return end, end
}

// breakable tells whether a line may end before a character that no blank stands before. Hangul breaks between syllables,
// but never before what has to stay with them: a particle after a name in Latin letters, a unit after its number.
func breakable(gs []glyph, at int) bool {
	a, b := gs[at-1].r, gs[at].r
	switch {
	case a == ' ' || b == ' ' || b == '\n' || strings.ContainsRune(closers, b) || strings.ContainsRune(openers, a):
		return false
	case broad(b):
		return broad(a) || strings.ContainsRune(separators, a)
	case broad(a):
		return !unicode.IsDigit(b)
	}
	return (a == '-' || a == '/') && at > 1 && unicode.IsLower(gs[at-2].r) && unicode.IsLower(b) // no number is torn
}

// What no line begins or ends with (금칙), and after what one may end.
const (
	closers    = `)]}〉》」』】〕”’!?%,.:;·…~、。，．：；！？）］｝%‰℃°″′―`
	openers    = `([{〈《「『【〔“‘（［｛₩$#`
	separators = `/-–—~·,.:;、。，．：；→`
)

// broad tells whether a character is of a script that may break anywhere.
func broad(r rune) bool {
	return unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

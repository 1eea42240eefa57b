package pdf

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
)

// A style is how a part of a text looks.
type style struct {
	bold, code bool
	hanja      bool   // it is drawn with the font that has Hanja
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

// missing stands for a character that no font has.
const missing = '□'

// likeness gives characters that the font lacks the looks of one that it has.
var likeness = strings.NewReplacer("☐", "□", "☑", "✓", "✔", "✓", "✅", "✓", "❌", "×", "✗", "×", "✘", "×", "│", "|", "─", "–", "\t", " ")

// spelled names in words the pictures that no font has: what somebody meant by one must not get lost. What only changes how the
// picture before it looks is left out. A document of pictures alone would become a book: of many the rest is missing.
func (s *setter) spelled(text string) string {
	const most = 2000
	if !strings.ContainsFunc(text, picture) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		const a, z, light, dark = 0x1f1e6, 0x1f1ff, 0x1f3fb, 0x1f3ff
		switch {
		case r >= light && r <= dark: // the colour of a skin
		case r >= a && r <= z: // two of them are the flag of a country
			b.WriteRune('A' + r - a)
		case picture(r) && s.pictures < most:
			s.pictures++
			b.WriteString("[" + strings.ToLower(runenames.Name(r)) + "]")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// picture tells whether a character is one of the pictures beyond the first plane.
func picture(r rune) bool { return r >= 0x1f000 && r <= 0x1faff && runenames.Name(r) != "" }

// glyphs measures text at a size. What nobody could see is left out, blanks are drawn once unless they are kept.
func (s *setter) glyphs(runs []run, size float64, bold, keep bool) (all []glyph) {
	for _, r := range runs {
		r.bold = r.bold || bold
		for _, c := range s.spelled(likeness.Replace(norm.NFC.String(r.text))) {
			style := r.style
			_, drawn := s.fonts.of(style).glyph(c)
			if !drawn {
				_, style.hanja = s.fonts.hanja.glyph(c)
			}
			switch {
			case c == '\n':
			case c == ' ' && !keep && (len(all) == 0 || all[len(all)-1].r == ' ' || all[len(all)-1].r == '\n'):
				continue
			case unicode.IsControl(c), unicode.In(c, unicode.Cf, unicode.Mn, unicode.Me), c == '\u200b':
				continue
			case !drawn && !style.hanja:
				c, s.lacks = missing, true
			}
			g := glyph{r: c, style: style}
			if c != '\n' {
				g.w = s.fonts.of(style).width(c) * size / 1000
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

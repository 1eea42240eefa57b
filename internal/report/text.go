package report

import (
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// Bounds of what one value may be in a text, in characters.
const (
	maxName  = 120
	maxLine  = 1_000
	maxProse = 4_000
)

// line makes foreign text one line that shows what it holds: no control characters, none that hide or turn round what
// stands beside them.
func line(s string) string {
	if plain(s) {
		return s
	}
	return abbrev(maxLine, strings.Join(strings.Fields(strings.Map(visible, s)), " "))
}

// prose is line for text of several lines, which it keeps.
func prose(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.Map(visible, l), " ")
	}
	return abbrev(maxProse, strings.Trim(strings.Join(lines, "\n"), "\n"))
}

// plain tells whether s is a line already.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return len(s) <= maxLine
}

// visible drops what a reader cannot see. White space of any kind is a blank; the joiners stay, because scripts and emoji
// need them.
func visible(r rune) rune {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch {
	case unicode.IsSpace(r):
		return ' '
	case r == nonJoiner || r == joiner:
		return r
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}

// abbrev shortens s to n characters, the last of them an ellipsis.
func abbrev(n int, s string) string {
	if n < 1 || short(n, s) {
		return s
	}
	return strings.TrimRight(trunc(n-1, s), " ") + "…"
}

// short tells whether s has at most n characters.
func short(n int, s string) bool { return len(s) <= n || len([]rune(s)) <= n }

// trunc keeps the first n characters of s, the last ones when n is negative.
func trunc(n int, s string) string {
	if short(max(n, -n), s) {
		return s
	}
	r := []rune(s)
	if n < 0 {
		return string(r[len(r)+n:])
	}
	return string(r[:n])
}

// substr keeps the characters of s from start to end; a negative end means all the rest.
func substr(start, end int, s string) string {
	r := []rune(s)
	if end < 0 || end > len(r) {
		end = len(r)
	}
	start = min(max(start, 0), end)
	return string(r[start:end])
}

// wrap breaks s at blanks into lines of at most n characters. A longer word keeps a line to itself.
func wrap(n int, s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		var b strings.Builder
		used := 0
		for _, word := range strings.Fields(l) {
			size := len([]rune(word))
			switch {
			case used > 0 && used+1+size > n:
				b.WriteByte('\n')
				used = 0
			case used > 0:
				b.WriteByte(' ')
				used++
			}
			b.WriteString(word)
			used += size
		}
		lines[i] = b.String()
	}
	return strings.Join(lines, "\n")
}

// indent puts n blanks before every line.
func indent(n int, s string) (string, error) {
	pad := strings.Repeat(" ", min(max(n, 0), maxIndent))
	out, err := replace("\n", "\n"+pad, s)
	return pad + out, err
}

// nindent is indent on a new line.
func nindent(n int, s string) (string, error) {
	out, err := indent(n, s)
	return "\n" + out, err
}

// few keeps the first n names and says how many there are besides.
func few(n int, names []string) []string {
	if len(names) <= n {
		return append([]string(nil), names...)
	}
	return append(names[:n:n], fmt.Sprintf("+%d", len(names)-n))
}

// web returns a link that is safe to print, empty when it leads anywhere but to a web page.
func web(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "|", "%7C", "*", "%2A", "_", "%5F", "`", "%60", "~", "%7E").Replace(u.String())
}

// mark escapes what Markdown would take for itself in one line.
func mark(s string) string {
	s = special.ReplaceAllString(s, `\$0`)
	s = leading.ReplaceAllString(s, `\$0`)
	return numbered.ReplaceAllString(s, `$1\$2$3`)
}

var (
	special = regexp.MustCompile("[\\\\`*_\\[\\]<>|#~&!{}$]")
	leading = regexp.MustCompile(`^[-+=.):]`)
	// numbered is the beginning of a list, which 4.2 is not.
	numbered = regexp.MustCompile(`^([0-9]+)([.)])([ \t]|$)`)
)

// quoted is mark for text of several lines, as a Markdown quotation.
func quoted(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = "> " + mark(strings.TrimSpace(l))
	}
	return strings.Join(lines, "\n")
}

// The kinds of text in the data of a text, told by the tag "text" of its field. A field without a tag is a name: one short
// foreign line.
const (
	isLine  = "line"  // a longer line
	isProse = "prose" // foreign text of several lines
	isLink  = "link"  // a web address
	isCode  = "code"  // one of our own words, to be looked up
)

// scrub passes every text within v through f, which is told what it is.
func scrub(v reflect.Value, tag string, f func(tag, s string) string) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s != "" && tag != isCode {
			v.SetString(f(tag, s))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scrub(v.Index(i), tag, f)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scrub(v.Elem(), tag, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				scrub(v.Field(i), field.Tag.Get("text"), f)
			}
		}
	default: // numbers and the like hold no text
	}
}

// clean makes all foreign text in the data of a text safe to show.
func clean[T any](data *T) *T {
	scrub(reflect.ValueOf(data).Elem(), "", func(tag, s string) string {
		switch tag {
		case isProse:
			return prose(s)
		case isLink:
			return web(s)
		case isLine:
			return line(s)
		}
		return abbrev(maxName, line(s))
	})
	return data
}

// marked escapes all foreign text in clean data for Markdown.
func marked[T any](data *T) *T {
	scrub(reflect.ValueOf(data).Elem(), "", func(tag, s string) string {
		switch tag {
		case isProse:
			return quoted(s)
		case isLink:
			return s
		}
		return mark(s)
	})
	return data
}

package ingest

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A walker walks JSON text that is known to be valid: it looks at types, never at syntax. Unlike json.Unmarshal it can say
// which element of an array is wrong, stop after so many of them, and leave strings where they are: they are parts of the
// text unless they have escapes.
type walker struct {
	text string
	pos  int
}

// peek skips white space and returns the first byte of what comes next, 0 at the end.
func (w *walker) peek() byte {
	for ; w.pos < len(w.text); w.pos++ {
		switch c := w.text[w.pos]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return c
		}
	}
	return 0
}

// kind names the type of the next value.
func (w *walker) kind() string {
	switch w.peek() {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// members goes through the object that comes next. Its user takes each value.
func (w *walker) members() iter.Seq[string] {
	return func(yield func(string) bool) {
		for w.pos++; w.peek() == '"'; {
			if !yield(w.string()) {
				return
			}
		}
		w.pos++
	}
}

// elements goes through the array that comes next. Its user takes each value.
func (w *walker) elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		w.pos++
		for i := 0; w.peek() != ']'; i++ {
			if !yield(i) {
				return
			}
		}
		w.pos++
	}
}

// string takes the string that comes next.
func (w *walker) string() string {
	start := w.pos
	plain := w.skipString()
	quoted := w.text[start:w.pos]
	if text := quoted[1 : len(quoted)-1]; plain && utf8.ValidString(text) {
		return text
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // valid, as the whole text is
	return s
}

// skip takes the value that comes next, whatever it is, and returns its text.
func (w *walker) skip() string {
	w.peek()
	start := w.pos
	for depth := 0; ; {
		switch w.peek() {
		case '{', '[':
			depth++
			w.pos++
		case '}', ']':
			depth--
			w.pos++
		case '"':
			w.skipString()
		default:
			w.pos += len(w.text[w.pos:]) - len(strings.TrimLeft(w.text[w.pos:], "+-.0123456789aeEflnrstu"))
		}
		if depth == 0 {
			return w.text[start:w.pos]
		}
	}
}

// skipString takes a string and tells whether it is without escapes.
func (w *walker) skipString() bool {
	plain := true
	for w.pos++; w.text[w.pos] != '"'; w.pos++ {
		if w.text[w.pos] == '\\' {
			plain = false
			w.pos++
		}
	}
	w.pos++
	return plain
}

// one takes a value as text: a string is what it says, null nothing, and what has parts its JSON.
func (w *walker) one() string {
	switch w.peek() {
	case '"':
		return w.string()
	case 'n':
		w.skip()
		return ""
	}
	return w.skip()
}

// any takes a value of any type: nil, bool, int64 where a number is one, else float64, string, []any and map[string]any. Texts are cut as
// those that are kept, so that whatever is computed from them stays small.
func (w *walker) any() any {
	switch w.peek() {
	case '{':
		all := map[string]any{}
		for name := range w.members() {
			all[name] = w.any()
		}
		return all
	case '[':
		all := []any{}
		for range w.elements() {
			all = append(all, w.any())
		}
		return all
	case '"':
		return clip(w.string(), maxValue)
	}
	switch text := w.skip(); text {
	case "null":
		return nil
	case "true", "false":
		return text == "true"
	default:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n // an identity may be a number that a float cannot hold
		}
		f, _ := strconv.ParseFloat(text, 64)
		return f
	}
}

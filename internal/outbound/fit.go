package outbound

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// A Script is how foreign text stands where something reads more than text.
type Script struct {
	Escape map[string]string     // what would mention somebody or be read as more: each of one character
	Links  func(u string) string // how a link stands there that is to be followed; nil: as any other text
	Bytes  bool                  // its room is counted in bytes, not in characters
}

// aLink is the part of a link in which nothing formats or mentions.
var aLink = regexp.MustCompile(`^https?://[A-Za-z0-9._~:/?#%&=+,;-]+`)

// Fit escapes foreign text, and cuts what has no room: three are kept for the mark of what is missing then.
func (s Script) Fit(text string, most int) string {
	var b strings.Builder
	size, room := 0, 0 // room: how much stands there when it has to be cut
	for text != "" {
		piece, n := s.next(text)
		length := utf8.RuneCountInString(piece)
		if s.Bytes {
			length = len(piece)
		}
		if size += length; size > most {
			return b.String()[:room] + "…"
		}
		b.WriteString(piece)
		if size <= most-3 {
			room = b.Len()
		}
		text = text[n:]
	}
	return b.String()
}

// next is how the beginning of a text stands there, and how much of the text that is.
func (s Script) next(text string) (string, int) {
	if s.Links != nil {
		if found := aLink.FindString(text); found != "" {
			return s.Links(found), len(found)
		}
	}
	_, n := utf8.DecodeRuneInString(text)
	if escaped, ok := s.Escape[text[:n]]; ok {
		return escaped, n
	}
	if text[:n] == "\n" {
		return "\n", n
	}
	return Printable(text[:n]), n
}

// Open are the words of a button that leads to where something is shown.
func Open(language string) string {
	if language == "ko" {
		return "열기"
	}
	return "Open"
}

// Again is said of a message that may be there already, where nobody can tell.
func Again(language string) string {
	if language == "ko" {
		return "(이미 도착했을 수 있는 메시지를 다시 보냅니다.)"
	}
	return "(This is sent again, and may be here already.)"
}

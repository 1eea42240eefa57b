package ingest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"strings"
	"sync"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/korean"
)

// Bounds of what is read of the parts of a mail.
const (
	mostDepth = 5
	mostParts = 50
	mostText  = 64 << 10 // of which maxValue is kept
)

// textOf is what a mail says: of several forms the plain one, else HTML without its marks. What is attached is left out.
func textOf(contentType, transfer string, content []byte, depth int) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, params = "text/plain", nil
	}
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" && depth < mostDepth:
		return textOfParts(content, params["boundary"], depth)
	case kind == "text/html":
		return tidied(withoutMarks(inUTF8(params["charset"], transferred(transfer, content))))
	case kind == "text/plain" || strings.HasPrefix(kind, "text/") && depth == 0:
		return tidied(inUTF8(params["charset"], transferred(transfer, content)))
	}
	return ""
}

// textOfParts takes the first part that says anything in plain text, else the first one in HTML.
func textOfParts(content []byte, boundary string, depth int) string {
	page := func() string { return "" }
	parts := multipart.NewReader(bytes.NewReader(content), boundary)
	for range mostParts {
		p, err := parts.NextRawPart()
		if err != nil {
			break
		}
		kind, transfer := p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding")
		if shown, _, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition")); shown == "attachment" {
			continue
		}
		isPage := strings.HasPrefix(strings.ToLower(strings.TrimSpace(kind)), "text/html")
		if isPage && page() != "" {
			continue
		}
		var part bytes.Buffer
		if _, err := part.ReadFrom(io.LimitReader(p, 2*mostText)); err != nil {
			break
		}
		if isPage { // read only if nothing is plain
			page = sync.OnceValue(func() string { return textOf(kind, transfer, part.Bytes(), depth+1) })
		} else if text := textOf(kind, transfer, part.Bytes(), depth+1); text != "" {
			return text
		}
	}
	return page()
}

// transferred undoes what was done for the way. What is broken is read as far as it goes.
func transferred(how string, content []byte) []byte {
	content = content[:min(len(content), 2*mostText)]
	switch strings.ToLower(strings.TrimSpace(how)) {
	case "base64":
		out := make([]byte, base64.StdEncoding.DecodedLen(len(content)))
		n, _ := base64.StdEncoding.Decode(out, content)
		return out[:n]
	case "quoted-printable":
		r := readers.Get().(*bufio.Reader)
		defer readers.Put(r)
		r.Reset(bytes.NewReader(content))
		out := bytes.NewBuffer(make([]byte, 0, len(content)+bytes.MinRead))
		_, _ = out.ReadFrom(quotedprintable.NewReader(r))
		return out.Bytes()
	}
	return content
}

// tidied is a text as it is kept.
func tidied(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 2*maxValue { // more is not kept
		s = clip(s, 2*maxValue)
	}
	var b strings.Builder
	b.Grow(len(s))
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight(line, " \t\r\n"))
		b.WriteByte('\n')
	}
	return clip(strings.TrimSpace(b.String()), maxValue)
}

// inUTF8 is a text of a charset. One that nobody knows is read as UTF-8.
func inUTF8(charset string, content []byte) string {
	if len(content) > mostText {
		content = content[:mostText]
	}
	if e := encodingOf(charset, &content); e != nil {
		if text, err := e.NewDecoder().Bytes(content); err == nil {
			content = text
		}
	}
	return strings.ToValidUTF8(string(content), "\uFFFD")
}

// encodingOf is that of a charset, nil for UTF-8 and for what nobody knows. ISO-2022-KR becomes EUC-KR on the way.
func encodingOf(charset string, content *[]byte) encoding.Encoding {
	switch name := strings.ToLower(strings.TrimSpace(charset)); name {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return nil
	case "iso-2022-kr":
		*content = unshifted(*content)
		return korean.EUCKR
	case "cp949", "ms949", "uhc":
		return korean.EUCKR // which the library has with all of its extensions
	default:
		e, _ := htmlindex.Get(name)
		return e
	}
}

// unshifted makes EUC-KR of ISO-2022-KR (RFC 1557): between SO and SI, two bytes of seven bits are a character.
func unshifted(content []byte) []byte {
	const so, si = 0x0E, 0x0F
	out, shifted := make([]byte, 0, len(content)), false
	content = bytes.ReplaceAll(content, []byte("\x1b$)C"), nil)
	for _, c := range content {
		switch {
		case c == so:
			shifted = true
		case c == si:
			shifted = false
		case shifted && c > 0x20 && c < 0x7F:
			out = append(out, c|0x80)
		default:
			if c == '\n' {
				shifted = false
			}
			out = append(out, c)
		}
	}
	return out
}

// charsetReader reads the words of headers.
func charsetReader(charset string, from io.Reader) (io.Reader, error) {
	content, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	return strings.NewReader(inUTF8(charset, content)), nil
}

// withoutMarks is what a page says.
func withoutMarks(page string) string {
	var b strings.Builder
	lower := asciiLower(page) // of the same length
	for at := 0; at < len(page); {
		open := strings.IndexByte(page[at:], '<')
		if open < 0 {
			b.WriteString(html.UnescapeString(page[at:]))
			break
		}
		b.WriteString(html.UnescapeString(page[at : at+open]))
		at += open
		end := ">"
		if strings.HasPrefix(page[at:], "<!--") {
			end = "-->"
		}
		length := strings.Index(page[at:], end)
		if length < 0 {
			break
		}
		mark := lower[at+1 : at+length]
		at += length + len(end)
		name, _, _ := strings.Cut(strings.TrimRight(mark, "/ \t\r\n"), " ")
		switch name {
		case "script", "style", "head", "title":
			if length = strings.Index(lower[at:], "</"+name); length < 0 {
				length = len(page) - at
			}
			at += length
		case "br", "/p", "/div", "/tr", "/li", "/h1", "/h2", "/h3", "/h4", "/table":
			b.WriteByte('\n')
		case "/td", "/th":
			b.WriteByte(' ')
		}
	}
	lines := strings.Split(b.String(), "\n")
	kept := lines[:0]
	for _, line := range lines {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// asciiLower makes small letters of the capitals of ASCII, and of nothing else.
func asciiLower(s string) string {
	b := []byte(s)
	for n, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[n] = c + 'a' - 'A'
		}
	}
	return string(b)
}

package org

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/runbook"
)

// The forms of what stands in blocks.
var (
	aMethod   = oneOf(runbook.Methods()...)
	aSize     = in("a number of bytes from 1 to 64k, such as 4096 or 16k", size64k)
	aStatuses = in("a status or a range of them, such as 204 or 200..299", codes(100, 599))
	anExit    = in("an exit code or a range of them, such as 0 or 0..3", codes(0, 255))
	aText     = in("text of at most 200 characters", aLine)
	aRun      = in("a time from 1s to 1d, such as 90s, 15m or 1h30m", func(s string) (time.Duration, bool) {
		d, ok := duration(s)
		return d, ok && time.Second <= d && d <= runbook.MaxTimeout
	})
)

func size64k(s string) (int, bool) {
	digits, unit := strings.CutSuffix(s, "k")
	n, ok := number(digits)
	if unit {
		n *= 1 << 10
	}
	return n, ok && 1 <= n && n <= runbook.MaxOutput && len(digits) <= 6
}

func codes(least, most int) func(string) (runbook.Expect, bool) {
	return func(s string) (runbook.Expect, bool) {
		first, last, isRange := strings.Cut(s, "..")
		if !isRange {
			last = first
		}
		from, ok := between(least, most)(first)
		to, also := between(least, most)(last)
		return runbook.Expect{From: from, To: to}, ok && also && from <= to
	}
}

// What a step says of itself where it does not: all of it may be set beside the kind of its block.
const (
	usualTimeout = 30 * time.Second
	usualOutput  = 4 << 10
)

func blockKinds() []string { return []string{runbook.ByHTTP, runbook.ByCommand} }

// readBlock reads what a runner does.
func readBlock(r *reader, b block, subject string) *runbook.Automatic {
	a := &runbook.Automatic{Timeout: usualTimeout, Output: usualOutput}
	words, broken := infoWords(b.info)
	if broken != "" {
		r.fault(b.place, "%s: %s", subject, broken)
		return a
	}
	a.Runner = words[0].key
	if a.Runner == runbook.ByHTTP {
		a.Expect = runbook.Expect{From: 200, To: 299}
	}
	for n, word := range words[1:] {
		given := func(p pair[*string]) bool { return p.key == word.key }
		if slices.ContainsFunc(words[1:n+1], given) {
			r.fault(b.place, "%s: %s: stands there already", subject, word.key)
		}
		readAttribute(r, a, word, b.place, subject)
	}
	for _, line := range b.lines {
		if strings.ContainsFunc(line.text, func(c rune) bool { return c != '\t' && unprintable(c) }) {
			r.fault(line.place, "%s: %s: want printable characters only; a space may be a no-break space", subject, show(line.text))
		}
	}
	if a.Runner == runbook.ByHTTP {
		readRequest(r, a, b, subject)
	} else {
		readCommand(r, a, b, subject)
	}
	_, a.Secrets = a.Names()
	return a
}

// readAttribute reads one word beside the kind of a block.
func readAttribute(r *reader, a *runbook.Automatic, word pair[*string], at place, subject string) {
	expect := "expect"
	known := []string{"timeout", "output", "has", expect}
	if a.Runner == runbook.ByCommand {
		expect = "exit"
		known = []string{"timeout", "output", "has", expect, "shell", "env.NAME"}
	}
	n := node{place: at}
	if word.value != nil {
		n.kind, n.text = text, *word.value
	}
	variable, isVariable := strings.CutPrefix(word.key, "env.")
	switch about := subject + ": " + word.key; {
	case word.key == "timeout":
		a.Timeout, _ = value(r, n, about, aRun)
	case word.key == "output":
		a.Output, _ = value(r, n, about, aSize)
	case word.key == "has":
		a.Expect.Has, _ = value(r, n, about, aText)
	case word.key == expect && expect == "exit":
		has := a.Expect.Has
		a.Expect, _ = value(r, n, about, anExit)
		a.Expect.Has = has
	case word.key == expect:
		has := a.Expect.Has
		a.Expect, _ = value(r, n, about, aStatuses)
		a.Expect.Has = has
	case word.key == "shell" && expect == "exit":
		if a.Shell = true; word.value != nil {
			r.fault(at, "%s: want the word alone", about)
		}
	case isVariable && expect == "exit":
		v, _ := value(r, n, about, aText)
		a.Environment = append(a.Environment, runbook.Pair{Name: variable, Value: v})
	default:
		r.fault(at, "%s: unknown word %s; %s", subject, show(word.key), r.hint(word.key, known))
	}
}

// infoWords cuts what stands behind a fence: words, and names with values, which may stand in quotes.
func infoWords(info string) (words []pair[*string], broken string) {
	for rest := strings.TrimSpace(info); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		end := strings.IndexAny(rest, "= \t")
		if end < 0 {
			end = len(rest)
		}
		word := pair[*string]{key: rest[:end]}
		rest = rest[end:]
		if v, ok := strings.CutPrefix(rest, "="); ok {
			quoted, err := strconv.QuotedPrefix(v)
			switch {
			case strings.HasPrefix(v, `"`) && err != nil:
				return nil, fmt.Sprintf("%s: want a second quotation mark at the end of its value", show(word.key))
			case strings.HasPrefix(v, `"`):
				plain, _ := strconv.Unquote(quoted)
				word.value, rest = &plain, v[len(quoted):]
			default:
				plain := v[:unquoted(v)]
				word.value, rest = &plain, v[len(plain):]
			}
			if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return nil, fmt.Sprintf("%s: want a space after its value", show(word.key))
			}
		}
		words = append(words, word)
	}
	return words, ""
}

// unquoted is the length of a value without quotes. It ends before a space that stands in no placeholder.
func unquoted(v string) int {
	open := false
	for n := range len(v) {
		switch {
		case strings.HasPrefix(v[n:], "{{"):
			open = true
		case strings.HasPrefix(v[n:], "}}"):
			open = false
		case v[n] == ' ' && !open:
			return n
		}
	}
	return len(v)
}

// readRequest reads a method and a URL, headers, an empty line and a body.
func readRequest(r *reader, a *runbook.Automatic, b block, subject string) {
	if len(b.lines) == 0 {
		r.fault(b.place, "%s: an empty block; want a request, such as GET https://app.example/health", subject)
		return
	}
	first := b.lines[0]
	method, url, _ := strings.Cut(first.text, " ")
	a.HTTP.Method, _ = value(r, node{place: first.place, kind: text, text: method}, subject+": method", aMethod)
	a.HTTP.URL = strings.TrimSpace(url)
	body := len(b.lines)
	for n, line := range b.lines[1:] {
		if line.text == "" {
			body = n + 2
			break
		}
		name, v, ok := strings.Cut(line.text, ":")
		if !ok {
			r.fault(line.place, "%s: header %s: want NAME: VALUE, and an empty line before a body", subject, show(line.text))
			continue
		}
		a.HTTP.Headers = append(a.HTTP.Headers, runbook.Header{Name: name, Value: strings.TrimSpace(v)})
	}
	var lines []string
	for _, line := range b.lines[min(body, len(b.lines)):] {
		lines = append(lines, line.text)
	}
	a.HTTP.Body = strings.Join(lines, "\n")
}

// readCommand reads a program and its arguments, each on a line of its own, or a script.
func readCommand(r *reader, a *runbook.Automatic, b block, subject string) {
	if len(b.lines) == 0 {
		r.fault(b.place, "%s: an empty block; want a program and its arguments, each on a line of its own", subject)
		return
	}
	var lines []string
	for _, line := range b.lines {
		if !a.Shell && line.text != strings.TrimSpace(line.text) || !a.Shell && line.text == "" {
			r.fault(line.place, "%s: argument %s: want one on each line, without spaces around it", subject, show(line.text))
		}
		lines = append(lines, line.text)
	}
	if a.Command = lines; a.Shell {
		a.Command = []string{strings.Join(lines, "\n")}
	}
}

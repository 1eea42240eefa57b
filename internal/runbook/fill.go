package runbook

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Value is what a parameter stands for, or a secret.
type Value struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// naming is what a placeholder stands for.
type naming string

const (
	param  naming = "param"
	secret naming = "secret"
)

func (n naming) word() string {
	if n == param {
		return "parameter"
	}
	return "secret"
}

// A placeholder is {{param NAME}} or {{secret NAME}} in a text. Other braces are left alone: programs have templates of
// their own.
type placeholder struct {
	kind     naming
	name     string
	from, to int // in the text
}

// placeholders finds them. What only looks like one is an error.
func placeholders(text string) (found []placeholder, broken []error) {
	for at := 0; ; {
		begin := strings.Index(text[at:], "{{")
		if begin < 0 {
			return found, broken
		}
		begin += at
		length := strings.Index(text[begin:], "}}")
		at = begin + 2
		if length < 0 {
			continue
		}
		words := strings.Fields(text[begin+2 : begin+length])
		if len(words) == 0 || !strings.HasPrefix(words[0], string(param)) && !strings.HasPrefix(words[0], string(secret)) {
			continue
		}
		at = begin + length + 2
		kind := naming(words[0])
		if len(words) != 2 || kind != param && kind != secret || !validName(words[1]) {
			broken = append(broken, fmt.Errorf("placeholder %q: want {{param NAME}} or {{secret NAME}}", text[begin:at]))
			continue
		}
		found = append(found, placeholder{kind, words[1], begin, at})
	}
}

// bare is a text with a letter for every placeholder.
func bare(text string) string {
	found, _ := placeholders(text)
	var b strings.Builder
	from := 0
	for _, p := range found {
		b.WriteString(text[from:p.from] + "x")
		from = p.to
	}
	return b.String() + text[from:]
}

// A spot is a text of an automatic step in which placeholders may stand, and how a value is written there.
type spot struct {
	text    *string
	written func(string) string
}

func asItIs(s string) string { return s }

// texts returns the spots of the step.
func (a *Automatic) texts() []spot {
	all := []spot{{&a.HTTP.URL, percent}}
	body := asItIs
	for n := range a.HTTP.Headers {
		h := &a.HTTP.Headers[n]
		all = append(all, spot{&h.Value, asItIs})
		if strings.EqualFold(h.Name, "Content-Type") {
			body = inBody(h.Value)
		}
	}
	all = append(all, spot{&a.HTTP.Body, body})
	for n := range a.Command {
		all = append(all, spot{&a.Command[n], asItIs})
	}
	for n := range a.Environment {
		all = append(all, spot{&a.Environment[n].Value, asItIs})
	}
	return all
}

// inBody is how a value is written in a body of some type, so that it cannot end what it stands in.
func inBody(contentType string) func(string) string {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch kind = strings.TrimSpace(kind); {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		return quoted
	case kind == "application/x-www-form-urlencoded":
		return percent
	}
	return asItIs
}

// percent writes a value as a part of a URL.
func percent(s string) string {
	var b strings.Builder
	for n := range len(s) {
		if c := s[n]; strings.IndexByte(letters+digits+"-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// quoted writes a value within the quotes of JSON.
func quoted(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case control(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Written returns the forms in which a value may stand in a request, each once: to find it again.
func Written(value string) []string {
	all := []string{value}
	for _, form := range []string{percent(value), quoted(value)} {
		if !slices.Contains(all, form) {
			all = append(all, form)
		}
	}
	return all
}

// Names returns the parameters and secrets that the step names, each once.
func (a *Automatic) Names() (parameters, secrets []string) {
	for _, t := range a.texts() {
		found, _ := placeholders(*t.text)
		for _, p := range found {
			into := &parameters
			if p.kind == secret {
				into = &secrets
			}
			if !slices.Contains(*into, p.name) {
				*into = append(*into, p.name)
			}
		}
	}
	return parameters, secrets
}

// WithSecrets returns the step with secrets in their places: for whoever runs it, never for a record.
func (a *Automatic) WithSecrets(secrets []Value) *Automatic { return a.fill(secret, secrets) }

// WithParameters returns the step with parameters in their places.
func (a *Automatic) WithParameters(values []Value) *Automatic { return a.fill(param, values) }

func (a *Automatic) fill(kind naming, values []Value) *Automatic {
	filled := *a
	filled.HTTP.Headers = slices.Clone(a.HTTP.Headers)
	filled.Command = slices.Clone(a.Command)
	filled.Environment = slices.Clone(a.Environment)
	filled.Secrets = slices.Clone(a.Secrets)
	for _, t := range filled.texts() {
		*t.text = put(*t.text, kind, values, t.written)
	}
	return &filled
}

// put writes values into a text.
func put(text string, kind naming, values []Value, written func(string) string) string {
	found, _ := placeholders(text)
	var b strings.Builder
	from := 0
	for _, p := range found {
		n := slices.IndexFunc(values, func(v Value) bool { return v.ID == p.name })
		if p.kind != kind || n < 0 {
			continue
		}
		b.WriteString(text[from:p.from])
		b.WriteString(written(values[n].Value))
		from = p.to
	}
	return b.String() + text[from:]
}

// CheckValues refuses values that are not those of the runbook's parameters, or that mean more than themselves where they
// are used.
func (r Runbook) CheckValues(values []Value) (broken []error) {
	fault := func(format string, args ...any) {
		broken = append(broken, fmt.Errorf("%s: parameter "+format, append([]any{r.Shown()}, args...)...))
	}
	for _, p := range r.Parameters {
		if !slices.ContainsFunc(values, func(v Value) bool { return v.ID == p.ID }) {
			fault("%s: missing; want %s", p.ID, p.Description)
		}
	}
	for n, v := range values {
		switch {
		case !slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.ID == v.ID }):
			fault("%q: not one of this runbook", v.ID)
		case slices.ContainsFunc(values[:n], func(w Value) bool { return w.ID == v.ID }):
			fault("%s: given twice", v.ID)
		case v.Value == "" || v.Value != strings.TrimSpace(v.Value) || utf8.RuneCountInString(v.Value) > 200 ||
			!utf8.ValidString(v.Value) || strings.ContainsFunc(v.Value, func(c rune) bool { return !unicode.IsPrint(c) }):
			fault("%s %.60q: want text on one line, of at most 200 characters", v.ID, v.Value)
		case strings.HasPrefix(v.Value, "-") || v.Value == "." || v.Value == ".." || strings.Contains(v.Value, "{{"):
			fault("%s %q: want text that does not begin with a hyphen, is not . or .., and has no {{ in it", v.ID, v.Value)
		}
	}
	return broken
}

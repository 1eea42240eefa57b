package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	htmltemplate "html/template"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/report/markdown"
)

// FormKind says of which report a form is; also how its file is named.
type FormKind string

// The reports of which an organisation may have forms of its own.
const (
	IncidentForm FormKind = "incident"
	ResultForm   FormKind = "result"
)

// FormKinds lists them.
func FormKinds() []FormKind { return []FormKind{IncidentForm, ResultForm} }

// ForOne tells whether a report is for one customer, which may have a form of its own.
func (k FormKind) ForOne() bool { return k == ResultForm }

// MaxForm bounds a form, in bytes.
const MaxForm = 64 << 10

// A Form (보고서 서식) is an organisation's own text of a report, in one language. It is Markdown: what other formats there are
// come from that.
type Form struct {
	SHA256 string // of the text, hex
	text   executor
}

// A FormError says where a form is wrong, and what is.
type FormError struct {
	Line, Column int // from 1; 0 where no place is meant
	Text         string
}

// Error returns what is wrong without the place.
func (e *FormError) Error() string { return e.Text }

// Form parses a form and tries it twice: with an incident of which nothing is known, and with one of which everything is. What is
// wrong is a *FormError.
func (t *Texts) Form(kind FormKind, language, source string) (*Form, error) {
	l := t.in(language)
	data := map[FormKind][]any{
		IncidentForm: {&view{}, new(filled[view]())}, ResultForm: {&result{}, new(filled[result]())},
	}[kind]
	switch {
	case len(source) > MaxForm:
		return nil, &FormError{Text: fmt.Sprintf("%d bytes; want at most %d", len(source), MaxForm)}
	case !utf8.ValidString(source) || strings.TrimSpace(source) == "":
		return nil, &FormError{Text: "want Markdown in UTF-8, and got none"}
	}
	text := l.template(string(kind))
	_, err := text.New("parts").Parse(string(l.formParts))
	if err == nil {
		_, err = text.Parse(source) // may say anew what a part says
	}
	if err == nil {
		err = guarded(text)
	}
	if err != nil {
		return nil, formError(string(kind), err, nil)
	}
	for _, d := range data {
		if _, err := run(text, d, reportLimits()); err != nil {
			return nil, formError(string(kind), err, d)
		}
	}
	sum := sha256.Sum256([]byte(source))
	return &Form{SHA256: hex.EncodeToString(sum[:]), text: text}, nil
}

// formError finds the place in an error of a template, and says in the words of whoever writes forms what is wrong.
func formError(name string, err error, data any) *FormError {
	m := regexp.MustCompile(`(?s)^(?:template: )?` + name + `:(\d+)(?::(\d+))?: (.*)$`).FindStringSubmatch(err.Error())
	if m == nil {
		return &FormError{Text: err.Error()}
	}
	e := &FormError{Text: m[3]}
	e.Line, _ = strconv.Atoi(m[1])
	e.Column, _ = strconv.Atoi(m[2])
	e.Column++ // templates count from 0
	if run := executing.FindStringSubmatch(m[3]); run != nil {
		e.Text = run[1] + ": " + inWords(run[2], data)
	}
	return e
}

var (
	executing = regexp.MustCompile(`(?s)^executing ".*?" at <(.*?)>: (.*)$`)
	noField   = regexp.MustCompile(`^can't evaluate field (\S+) in type (\S+)$`)
	wrongType = regexp.MustCompile(`^wrong type for value; expected (\S+); got (\S+)$`)
	calling   = regexp.MustCompile(`(?s)^error calling (\S+): (.*)$`)
	ofGo      = regexp.MustCompile(`\b(?:reflect|report|time|runtime)\.\w|\binterface\b`)
)

// inWords says without the names of Go what a template has against a value.
func inWords(reason string, data any) string {
	if m := noField.FindStringSubmatch(reason); m != nil {
		if known := fields(reflect.TypeOf(data))[strings.TrimPrefix(m[2], "*")]; len(known) > 0 {
			return fmt.Sprintf("no value %q here; there are %s", m[1], strings.Join(known, ", "))
		}
		return fmt.Sprintf("no value %q here: it is %s", m[1], ofKind(m[2]))
	}
	if m := wrongType.FindStringSubmatch(reason); m != nil {
		return fmt.Sprintf("want %s, got %s", ofKind(m[1]), ofKind(m[2]))
	}
	if strings.HasPrefix(reason, "range can't iterate over") {
		return "want a list"
	}
	if m := calling.FindStringSubmatch(reason); m != nil {
		reason = m[1] + ": " + m[2]
	}
	if ofGo.MatchString(reason) {
		return "cannot be used like this"
	}
	return reason
}

// ofKind says what a type is to whoever writes a form.
func ofKind(name string) string {
	switch name = strings.TrimPrefix(name, "*"); {
	case name == "string":
		return "a text"
	case name == "bool":
		return "yes or no"
	case name == "int", name == "int64", name == "float64":
		return "a number"
	case name == "time.Time":
		return "an instant"
	case name == "time.Duration":
		return "a duration"
	case strings.HasPrefix(name, "[]"):
		return "a list"
	}
	return "something else"
}

// fields lists the names of values by the type that has them.
func fields(t reflect.Type) map[string][]string {
	all := map[string][]string{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || all[t.String()] != nil {
			return
		}
		for i := range t.NumField() {
			all[t.String()] = append(all[t.String()], t.Field(i).Name)
			walk(t.Field(i).Type)
		}
	}
	walk(t)
	return all
}

// fromMarkdown makes one page of Markdown, which needs nothing else.
func (l *language) fromMarkdown(source []byte) ([]byte, error) {
	body, err := markdown.HTML(source)
	if err != nil {
		return nil, err
	}
	return whole(l.formPage, &formPage{l.code, markdown.Title(source), htmltemplate.HTML(body)})
}

// formPage is what the page around a form sees.
type formPage struct {
	Language, Title string
	Body            htmltemplate.HTML
}

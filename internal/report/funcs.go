package report

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// maxValue bounds what a function returns, in bytes: a text that doubles a value again and again ends here.
const maxValue = 64 << 10

// maxIndent bounds indentation, in columns.
const maxIndent = 40

// sprigs lists what texts may use of sprig. Anything else there is refused, and so is what a later sprig adds, until
// somebody has thought about it. In particular nothing that reads the machine, its clock or its network (env, now,
// getHostByName), that is random or secret (uuidv4, genPrivateKey), that grows without bounds (repeat, until, seq), that
// builds or changes collections (list, dict, set: a list of lists of lists prints for ever), and nothing that counts
// bytes where a reader sees characters (trunc, substr, abbrev).
func sprigs() []string {
	return []string{
		"add", "coalesce", "contains", "default", "div", "empty", "first", "has", "hasPrefix", "hasSuffix", "initial",
		"int", "last", "lower", "max", "min", "mod", "mul", "quote", "rest", "squote", "sub", "ternary", "toString", "trim",
		"trimAll", "trimPrefix", "trimSuffix", "uniq", "upper",
	}
}

// funcs are all functions that a text of this language has besides the builtin ones.
func (l *language) funcs() template.FuncMap {
	all := template.FuncMap{
		// Texts, counted in characters.
		"abbrev": abbrev, "trunc": trunc, "substr": substr, "wrap": wrap, "indent": indent, "nindent": nindent,
		"replace": replace, "join": join,
		// Builtin ones that could grow without bounds.
		"print": fmt.Sprint, "println": fmt.Sprintln, "printf": printf, "js": template.JSEscaper,
		"josa": josa, "person": l.person, "targets": l.targets,
		"reason": l.reason, "differences": l.differences,
	}
	theirs := sprig.HermeticTxtFuncMap()
	for _, name := range sprigs() {
		all[name] = theirs[name]
	}
	for name, f := range all {
		all[name] = modest(f)
	}
	for name, f := range l.brief() {
		all[name] = f
	}
	return all
}

// brief are the functions whose results are short whatever they are given.
func (l *language) brief() template.FuncMap {
	return template.FuncMap{
		// Words of the language.
		"word":     l.word,
		"status":   func(v string) string { return l.word("status", v) },
		"priority": func(v string) string { return l.word("priority", v) },
		"level":    l.word,
		"role":     func(v string) string { return l.word("role", v) },
		"target":   func(v string) string { return l.word("target", v) },
		"pause":    func(v string) string { return l.word("pause", v) },
		"clock":    func(v string) string { return l.word("clock", v) },
		"kind":     func(v string) string { return l.word("message", v) },
		"worth":    l.worth,
		"cause":    func(v string) string { return l.word("cause", v) },
		// Instants with their zone, and durations. Both take what Go has or what a timeline's facts hold.
		"date":     timed(l.date),
		"instant":  timed(l.instant),
		"moment":   timed(l.moment),
		"duration": l.lasting,
	}
}

// modest makes a function fail when it returns a longer text than any reader would read. A text's execution turns the
// panic into its error.
func modest(f any) any {
	v := reflect.ValueOf(f)
	call := v.Call
	if v.Type().IsVariadic() {
		call = v.CallSlice
	}
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		results := call(args)
		r := results[0]
		if r.Kind() == reflect.Interface {
			r = r.Elem()
		}
		if r.Kind() == reflect.String && r.Len() > maxValue {
			panic(errTooLong)
		}
		return results
	}).Interface()
}

var errTooLong = errors.New("value is too long")

// printf refuses the widths with which one verb could fill the memory.
func printf(format string, args ...any) (string, error) {
	if wide.MatchString(format) {
		return "", fmt.Errorf("printf %q: want widths below 1000, in digits", format)
	}
	return fmt.Sprintf(format, args...), nil
}

var wide = regexp.MustCompile(`%[^a-zA-Z%]*(\*|[0-9]{4})`)

func replace(old, with, s string) (string, error) {
	if strings.Count(s, old)*len(with) > maxValue {
		return "", errTooLong
	}
	return strings.ReplaceAll(s, old, with), nil
}

func join(sep string, parts []string) (string, error) {
	if len(sep)*len(parts) > maxValue {
		return "", errTooLong
	}
	return strings.Join(parts, sep), nil
}

func timed(write func(time.Time, string) string) func(any, string) string {
	return func(at any, zone string) string {
		switch at := at.(type) {
		case time.Time:
			return write(at, zone)
		case string:
			if t, err := time.Parse(time.RFC3339, at); err == nil {
				return write(t, zone)
			}
			return at
		}
		return fmt.Sprint(at)
	}
}

func (l *language) lasting(d any) string {
	switch d := d.(type) {
	case time.Duration:
		return l.duration(d)
	case string:
		if t, err := time.ParseDuration(d); err == nil {
			return l.duration(t)
		}
		return d
	}
	return fmt.Sprint(d)
}

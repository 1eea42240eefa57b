package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/problem"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A verb is a command as it is called over HTTP.
type verb struct {
	name    string // in the path
	verb    authority.Verb
	command incident.Command
	filled  []string // fields that no body has, because they are filled in here
}

func verbs() []verb {
	return []verb{
		{name: "acknowledge", verb: authority.Acknowledge, command: incident.Acknowledge{}},
		{name: "assign", verb: authority.Assign, command: incident.Assign{}, filled: []string{"name"}},
		{name: "note", verb: authority.Note, command: incident.Note{}},
		{name: "escalate", verb: authority.Escalate, command: incident.Escalate{}},
		{name: "priority", verb: authority.SetPriority, command: incident.SetPriority{}},
		{name: "pause", verb: authority.PauseClock, command: incident.PauseClock{}},
		{name: "resume", verb: authority.ResumeClock, command: incident.ResumeClock{}},
		{name: "mitigate", verb: authority.Mitigate, command: incident.Mitigate{}},
		{name: "resolve", verb: authority.Resolve, command: incident.Resolve{}},
		{name: "reopen", verb: authority.Reopen, command: incident.Reopen{}},
		{name: "close", verb: authority.Close, command: incident.Close{}},
		{name: "update", verb: authority.SendUpdate, command: incident.SendUpdate{}},
		{name: "repin", verb: authority.Repin, command: incident.Repin{}, filled: []string{"definition"}},
		{name: "responders", verb: authority.AddResponder, command: incident.AddResponder{}, filled: []string{"name"}},
		{name: "cause", verb: authority.SetCause, command: incident.SetCause{}, filled: []string{"support"}},
		{name: "case", verb: authority.RecordCase, command: incident.RecordCase{}},
		{name: "time", verb: authority.SetTime, command: incident.SetTime{}},
		{name: "send-report", verb: authority.SendReport, command: incident.SendReport{}},
		{name: "answer", verb: authority.Answer, command: incident.Answer{}},
		{name: "start-runbook", verb: authority.StartRunbook, command: incident.StartRunbook{}},
		{name: "end-runbook", verb: authority.EndRunbook, command: incident.EndRunbook{}},
		{name: "merge", verb: authority.Merge, command: incident.Merge{}, filled: []string{"workflow_id", "title"}},
		{name: "split", verb: authority.Split, command: incident.Split{}},
		{name: "relate", verb: authority.Relate, command: incident.Relate{}, filled: []string{"title"}},
	}
}

// verbOf finds how a command is called.
func verbOf(c incident.Command) (verb, bool) {
	all := verbs()
	n := slices.IndexFunc(all, func(v verb) bool { return reflect.TypeOf(v.command) == reflect.TypeOf(c) })
	if n < 0 {
		return verb{}, false
	}
	return all[n], true
}

// read makes the command that a body asks for. Every field is known and given once, what a command cannot do without is
// there, and what has only a few values has one of them. All fields of commands are texts or instants.
func (v verb) read(body []byte) (incident.Command, error) {
	c := reflect.New(reflect.TypeOf(v.command)).Elem()
	if err := readInto(c, body, v.filled...); err != nil {
		return nil, err
	}
	return c.Interface().(incident.Command), nil
}

// readInto fills a struct of texts, instants, whole numbers and lists of texts from a body. Some fields may be left out of it.
func readInto(c reflect.Value, body []byte, left ...string) error {
	given, err := texts(body)
	if err != nil {
		return problem.Of(http.StatusBadRequest, problem.Fault{Field: "body", Detail: err.Error()})
	}
	var faults []problem.Fault
	var known []string
	for n := range c.NumField() {
		name, option, _ := strings.Cut(c.Type().Field(n).Tag.Get("json"), ",")
		if slices.Contains(left, name) {
			continue
		}
		known = append(known, name)
		if why := fill(c.Field(n), given[name], option == ""); why != "" {
			faults = append(faults, problem.Fault{Field: name, Detail: why})
		}
		delete(given, name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, problem.Fault{Field: clip(name), Detail: "unknown; want " + cmp.Or(oneOf(known), "no field")})
	}
	if len(faults) > 0 {
		return problem.Of(http.StatusUnprocessableEntity, faults...)
	}
	return nil
}

// fill sets a field, or says why its value will not do.
func fill(field reflect.Value, given any, required bool) (why string) {
	if list, ok := field.Addr().Interface().(*[]string); ok {
		return fillList(list, given)
	}
	if n, ok := field.Addr().Interface().(*int); ok {
		return fillInt(n, given)
	}
	text, ok := given.(string)
	if at, isTime := field.Addr().Interface().(*time.Time); isTime && ok && text != "" {
		var err error
		if *at, err = time.Parse(time.RFC3339, text); err != nil {
			return fmt.Sprintf("%q; want an instant such as 2026-11-26T09:05:00+09:00", clip(text))
		}
		return ""
	}
	want := allowed(field.Interface())
	switch {
	case given != nil && !ok:
		return "want a string"
	case required && strings.TrimSpace(text) == "":
		return strings.TrimSuffix("missing; want "+oneOf(want), "; want ")
	case want != nil && text != "" && !slices.Contains(want, text):
		return fmt.Sprintf("%q; want %s", clip(text), oneOf(want))
	case len(text) > incident.MaxText:
		return fmt.Sprintf("%d bytes; want %d at most", len(text), incident.MaxText)
	}
	if field.Kind() == reflect.String {
		field.SetString(text)
	}
	return ""
}

// fillInt sets a whole number. One that is left out stays as it is.
func fillInt(n *int, given any) (why string) {
	f, ok := given.(float64)
	switch {
	case given == nil:
	case !ok || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32:
		return "want a whole number"
	default:
		*n = int(f)
	}
	return ""
}

// maxList bounds how many texts a list has.
const maxList = 50

func fillList(list *[]string, given any) (why string) {
	items, ok := given.([]any)
	if given != nil && !ok {
		return "want a list of strings"
	}
	if len(items) > maxList {
		return fmt.Sprintf("%d items; want %d at most", len(items), maxList)
	}
	for _, item := range items {
		text, ok := item.(string)
		if !ok || strings.TrimSpace(text) == "" || slices.Contains(*list, text) {
			return "want a list of different strings, none of them empty"
		}
		*list = append(*list, text)
	}
	return ""
}

// allowed lists the values of a type that has only a few, none where every text will do.
func allowed(value any) []string {
	switch value.(type) {
	case incident.Role:
		return words(incident.Roles())
	case priority.Level:
		return words([]priority.Level{priority.High, priority.Medium, priority.Low})
	case supportplan.Target:
		return words(supportplan.Targets())
	case supportplan.Cause:
		return words(supportplan.Causes())
	case supportplan.Channel:
		return words(supportplan.Channels())
	case incident.CauseDomain:
		return words(incident.CauseDomains())
	case incident.Point:
		return words(incident.Points())
	case incident.FixAnswer:
		return words(incident.FixAnswers())
	case incident.RunbookOutcome:
		return words(incident.RunbookOutcomes())
	case incident.RelationKind:
		return words(incident.RelationKinds())
	}
	return nil
}

func words[S ~string](all []S) []string {
	out := make([]string, len(all))
	for n, s := range all {
		out[n] = string(s)
	}
	return out
}

// oneOf joins names for a person to choose from.
func oneOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// texts reads an object without repeated names. Nothing at all is an empty one. json.Unmarshal would take a name in any
// case, and the last of two.
func texts(body []byte) (map[string]any, error) {
	given := map[string]any{}
	if len(bytes.TrimSpace(body)) == 0 {
		return given, nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notJSON(d)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, notJSON(d)
		}
		if _, twice := given[name.(string)]; twice {
			return nil, fmt.Errorf("%q: given twice", clip(name.(string)))
		}
		if value == nil {
			value = false // null is no text
		}
		given[name.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(d)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object")
	}
	return given, nil
}

func notJSON(d *json.Decoder) error { return fmt.Errorf("not JSON after byte %d", d.InputOffset()) }

// requestID is the id under which a command is decided once. A key stands for one request: whoever uses it again for
// another command, or with other words, asks for something else.
func requestID(key string, by timeline.Actor, name string, c any) string {
	body, err := json.Marshal(c)
	if err != nil { // structs of texts alone always marshal
		panic(err)
	}
	h := sha256.New()
	for _, part := range []string{string(by.Kind), by.ID, name, string(body)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%s/%x", key, h.Sum(nil)[:8])
}

// clip keeps foreign text short.
func clip(s string) string {
	const most = 64
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

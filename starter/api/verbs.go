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
	"net/http"
	"reflect"
	"slices"
	"strings"
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
	filled  string // a field that no body has, because it is filled in here
}

func verbs() []verb {
	return []verb{
		{name: "acknowledge", verb: authority.Acknowledge, command: incident.Acknowledge{}},
		{name: "assign", verb: authority.Assign, command: incident.Assign{}, filled: "name"},
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
		{name: "repin", verb: authority.Repin, command: incident.Repin{}, filled: "definition"},
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
// there, and what has only a few values has one of them. All fields of commands are texts.
func (v verb) read(body []byte) (incident.Command, error) {
	c := reflect.New(reflect.TypeOf(v.command)).Elem()
	if err := readInto(c, body, v.filled); err != nil {
		return nil, err
	}
	return c.Interface().(incident.Command), nil
}

// readInto fills a struct of texts from a body. One field may be left out of it.
func readInto(c reflect.Value, body []byte, left string) error {
	given, err := texts(body)
	if err != nil {
		return problem.Of(http.StatusBadRequest, problem.Fault{Field: "body", Detail: err.Error()})
	}
	var faults []problem.Fault
	var known []string
	for n := range c.NumField() {
		name, option, _ := strings.Cut(c.Type().Field(n).Tag.Get("json"), ",")
		if name == left {
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
	text, ok := given.(string)
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
	field.SetString(text)
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

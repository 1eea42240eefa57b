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

	"muster/internal/action"
	"muster/internal/approval"
	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/request"
	"muster/internal/review"
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
		{name: "approve-update", verb: authority.SendUpdate, command: incident.ApproveUpdate{}},
		{name: "reject-update", verb: authority.SendUpdate, command: incident.RejectUpdate{}},
		{name: "repin", verb: authority.Repin, command: incident.Repin{}, filled: []string{"definition"}},
		{name: "responders", verb: authority.AddResponder, command: incident.AddResponder{}, filled: []string{"name", "members", "agreement", "due"}},
		{name: "cause", verb: authority.SetCause, command: incident.SetCause{}, filled: []string{"support"}},
		{name: "case", verb: authority.RecordCase, command: incident.RecordCase{}},
		{name: "time", verb: authority.SetTime, command: incident.SetTime{}},
		{name: "send-report", verb: authority.SendReport, command: incident.SendReport{}},
		{name: "answer", verb: authority.Answer, command: incident.Answer{}},
		{name: "start-runbook", verb: authority.StartRunbook, command: incident.StartRunbook{}},
		{name: "end-runbook", verb: authority.EndRunbook, command: incident.EndRunbook{}},
		{name: "approve-response", verb: authority.ApproveResponse, command: incident.ApproveResponse{}, filled: []string{"approver"}},
		{name: "stop-response", verb: authority.StopResponse, command: incident.StopResponse{}},
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

// readInto fills a struct from a body: texts, instants, whole numbers, truths, lists and maps of texts, and lists of such structs. Some
// fields may be left out of it.
func readInto(c reflect.Value, body []byte, left ...string) error {
	given, err := texts(body)
	if err != nil {
		return refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "body", Detail: err.Error()})
	}
	if faults := readFields(c, given, left...); len(faults) > 0 {
		return refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	return nil
}

func readFields(c reflect.Value, given map[string]any, left ...string) (faults []refusal.Fault) {
	var known []string
	for n := range c.NumField() {
		name, option, _ := strings.Cut(c.Type().Field(n).Tag.Get("json"), ",")
		if slices.Contains(left, name) {
			continue
		}
		known = append(known, name)
		if why := fill(c.Field(n), given[name], option == ""); why != "" {
			faults = append(faults, refusal.Fault{Field: name, Detail: why})
		}
		delete(given, name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, refusal.Fault{Field: clip(name), Detail: "unknown; want " + cmp.Or(oneOf(known), "no field")})
	}
	return faults
}

// fill sets a field, or says why its value will not do.
func fill(field reflect.Value, given any, required bool) (why string) {
	switch into := field.Addr().Interface().(type) {
	case *[]string:
		return fillList(into, given)
	case *int:
		return fillInt(into, given)
	case *bool:
		return fillBool(into, given, required)
	case *map[string]string:
		return fillMap(into, given, required)
	case *[]PlanEvidence:
		return fillEvidence(into, given, required)
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
		return strings.TrimSuffix("missing; want "+cmp.Or(sought(field.Interface()), oneOf(want)), "; want ")
	case want != nil && text != "" && !slices.Contains(want, text):
		return fmt.Sprintf("%q; want %s", clip(text), oneOf(want))
	case len(text) > longest(field.Interface()):
		return fmt.Sprintf("%d bytes; want %d at most", len(text), longest(field.Interface()))
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

// longest is how many bytes a text may have.
func longest(value any) int {
	switch value.(type) {
	case PlanText:
		return MaxPlan
	case review.Prose:
		return review.MaxBody
	}
	return incident.MaxText
}

// sought says what is wanted of a text where that is more than its name says.
func sought(value any) string {
	if _, ok := value.(PlanShown); ok {
		return "the SHA-256 of what you were shown: shown.sha256 of the ballot in GET /api/v1/plan-runs/{id}"
	}
	return ""
}

func fillBool(b *bool, given any, required bool) (why string) {
	is, ok := given.(bool)
	switch {
	case given == nil && required:
		return "missing; want true or false"
	case given != nil && !ok:
		return "want true or false"
	}
	*b = is
	return ""
}

// maxList bounds how many texts a list or a map has.
const maxList = 50

func fillMap(into *map[string]string, given any, required bool) (why string) {
	const want = "want an object of strings"
	entries, ok := given.(map[string]any)
	switch {
	case given == nil && required:
		return "missing; " + want
	case given != nil && !ok:
		return want
	case len(entries) > maxList:
		return fmt.Sprintf("%d entries; want %d at most", len(entries), maxList)
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		text, ok := entries[name].(string)
		if !ok || name == "" || len(name)+len(text) > incident.MaxText {
			return fmt.Sprintf("%s: want a string of %d bytes at most", clip(name), incident.MaxText)
		}
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[name] = text
	}
	return ""
}

func fillEvidence(into *[]PlanEvidence, given any, required bool) (why string) {
	items, ok := given.([]any)
	switch {
	case given == nil && required:
		return "missing; want a list of objects with item and ref"
	case given != nil && !ok:
		return "want a list of objects with item and ref"
	case len(items) > maxList:
		return fmt.Sprintf("%d items; want %d at most", len(items), maxList)
	}
	for n, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return fmt.Sprintf("[%d]: want an object with item and ref", n)
		}
		var e PlanEvidence
		if faults := readFields(reflect.ValueOf(&e).Elem(), fields); len(faults) > 0 {
			return fmt.Sprintf("[%d].%s: %s", n, faults[0].Field, faults[0].Detail)
		}
		*into = append(*into, e)
	}
	return ""
}

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
	case incident.PublicStatus:
		return words(incident.PublicStatuses())
	case incident.RunbookOutcome:
		return words(incident.RunbookOutcomes())
	case incident.RelationKind:
		return words(incident.RelationKinds())
	case request.Begun:
		return words(request.Begins())
	case request.Judgement:
		return words(request.Judgements())
	case change.Way:
		return words(change.Ways())
	case change.Kind:
		return words(change.Kinds())
	case asset.NoticeKind:
		return words(asset.NoticeKinds())
	case asset.Severity:
		return words(asset.Severities())
	case action.Kind:
		return words(action.Kinds())
	case action.OriginKind:
		return words(action.OriginKinds())
	case action.Shelf:
		return words(action.Shelves())
	case action.Result:
		return words(action.Results())
	case review.Key:
		return words(review.Keys())
	case review.FactorKind:
		return words(review.FactorKinds())
	case approval.Choice:
		return words(approval.Choices())
	case planrun.TaskStatus: // as somebody settles it
		return words([]planrun.TaskStatus{planrun.Done, planrun.Failed, planrun.Begun})
	case planrun.UndoState: // as somebody settles it
		return words([]planrun.UndoState{planrun.Undone, planrun.UndoFail, planrun.UndoRunning, planrun.Forward})
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

// texts reads an object without repeated names, at any depth. Nothing at all is an empty one. json.Unmarshal would take a name in any
// case, and the last of two.
func texts(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	const deepest = 4
	given, err := object(d, deepest)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object")
	}
	return given, nil
}

// object reads the rest of an object that has begun.
func object(d *json.Decoder, deep int) (map[string]any, error) {
	given := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notJSON(d)
		}
		v, err := value(d, deep)
		if err != nil {
			return nil, err
		}
		if _, twice := given[name.(string)]; twice {
			return nil, fmt.Errorf("%q: given twice", clip(name.(string)))
		}
		given[name.(string)] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(d)
	}
	return given, nil
}

// value reads what comes next. Null is none of what a field wants, so it is not the same as nothing.
func value(d *json.Decoder, deep int) (any, error) {
	token, err := d.Token()
	switch {
	case err != nil:
		return nil, notJSON(d)
	case token == nil:
		return null{}, nil
	case deep == 0 && (token == json.Delim('{') || token == json.Delim('[')):
		return nil, errors.New("too deep")
	case token == json.Delim('{'):
		return object(d, deep-1)
	case token != json.Delim('['):
		return token, nil
	}
	list := []any{}
	for d.More() {
		item, err := value(d, deep-1)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(d)
	}
	return list, nil
}

type null struct{}

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

package org

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/condition"
	"muster/internal/oncall"
	"muster/internal/plan"
)

// placeholders are where the values of parameters come into the texts of a plan.
var placeholders = regexp.MustCompile(`\{[A-Za-z][A-Za-z0-9_-]*\}`)

const listSeparator = ", "

// A Value is what a parameter is in one run.
type Value struct {
	ID       string             `json:"id"`
	Type     plan.ParameterType `json:"type"`
	Text     string             `json:"text,omitempty"` // empty: it was not given
	List     []string           `json:"list,omitempty"`
	At       time.Time          `json:"at,omitzero"`        // of an instant; of a date, when it begins in the organisation's zone
	Standard bool               `json:"standard,omitempty"` // nobody gave it, and the plan says what it is then
}

// An Absent is a task that is left out, because its condition does not hold.
type Absent struct {
	Task string    `json:"task"`
	Name plan.Text `json:"name"`
	When string    `json:"when"`
}

// A Filled is a plan as one run has it: with the values of its parameters, and without what is not to be done.
type Filled struct {
	Plan

	Values []Value  `json:"values,omitempty"` // in the order of the plan
	Absent []Absent `json:"absent,omitempty"`
	// ValuesSHA256 is over the canonical JSON of the values, whoever has given them.
	ValuesSHA256 string `json:"values_sha256"`
}

// A ParameterFault is one thing that is wrong with what was given for a plan.
type ParameterFault struct {
	Parameter string `json:"parameter,omitempty"` // empty: the plan does not hold with these values
	Text      string `json:"text"`
}

// An UnfilledError has all that is wrong with what was given for a plan.
type UnfilledError struct {
	Plan   string
	Faults []ParameterFault
}

// Error lists every fault on a line of its own.
func (e *UnfilledError) Error() string {
	lines := []string{fmt.Sprintf("fill plan %s: %s", e.Plan, count(len(e.Faults), "fault"))}
	for _, f := range e.Faults {
		text := f.Text
		if f.Parameter != "" {
			text = "parameter " + clip(f.Parameter, 60) + ": " + text
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// FillPlan gives a plan the values of its parameters. A list is given with commas or line breaks between its items. What is empty
// was not given. Its error is an *UnfilledError with everything that is wrong.
func (o *Organisation) FillPlan(p Plan, parameters map[string]string) (Filled, error) {
	d := &p.Definition
	e := &UnfilledError{Plan: d.ID}
	f := Filled{Plan: p, Values: o.values(d, parameters, e)}
	if len(e.Faults) > 0 {
		return Filled{}, e
	}
	texts, known := map[string]string{}, map[string]any{}
	for _, v := range f.Values {
		texts[v.ID], known[v.ID] = v.shown(), v.asked()
	}
	absent, err := leftOut(d, known)
	if err != nil {
		return Filled{}, fmt.Errorf("fill plan %s: %w", d.ID, err)
	}
	f.Definition = filledIn(without(d, absent), texts)
	for _, a := range absent {
		a.Name = filledText(a.Name, texts)
		f.Absent = append(f.Absent, a)
	}
	for _, wrong := range f.Definition.Check() {
		e.Faults = append(e.Faults, ParameterFault{Text: wrong.Error()})
	}
	for _, t := range f.Definition.All() {
		if t.Check != nil && t.Check.HTTP != "" {
			if _, ok := aURL.read(t.Check.HTTP); !ok {
				e.Faults = append(e.Faults, ParameterFault{Text: fmt.Sprintf("task %s: check: %s: want %s", t.ID, show(t.Check.HTTP), aURL.want)})
			}
		}
	}
	if len(e.Faults) > 0 {
		return Filled{}, e
	}
	if err := hashTasks(&f.Definition); err != nil {
		return Filled{}, fmt.Errorf("fill plan %s: %w", d.ID, err)
	}
	same := slices.Clone(f.Values)
	for n := range same { // what was given and what the plan says are one value
		same[n].Standard = false
	}
	f.ValuesSHA256, err = hashOf(same)
	return f, err
}

// values reads what was given, and makes a fault of what was not and had to be.
func (o *Organisation) values(d *plan.Definition, given map[string]string, e *UnfilledError) []Value {
	var ids []string
	for _, x := range d.Parameters {
		ids = append(ids, x.ID)
	}
	var strangers []string
	for id := range given {
		if !slices.Contains(ids, id) {
			strangers = append(strangers, id)
		}
	}
	slices.Sort(strangers)
	for _, id := range strangers {
		e.Faults = append(e.Faults, ParameterFault{id, "no such parameter; " + hint(id, ids)})
	}
	var all []Value
	for _, x := range d.Parameters {
		text := strings.TrimSpace(given[x.ID])
		standard := text == "" && x.Default != ""
		if standard {
			text = x.Default
		}
		if text == "" {
			if !x.Optional {
				_, want := parseValue(x, "", nil)
				e.Faults = append(e.Faults, ParameterFault{x.ID, "missing; want " + want})
			}
			all = append(all, Value{ID: x.ID, Type: x.Type})
			continue
		}
		v, want := parseValue(x, text, o.Zone)
		if want != "" {
			e.Faults = append(e.Faults, ParameterFault{x.ID, "got " + show(text) + "; want " + want})
		}
		v.Standard = standard
		all = append(all, v)
	}
	return all
}

// The forms of values.
var (
	aTextValue = in("text on one line, of at most 1000 characters", func(s string) (string, bool) {
		p, ok := prose(s)
		return p, ok && p == s
	})
	anInteger = in("a whole number, such as 3", func(s string) (int64, bool) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil && strconv.FormatInt(n, 10) == s
	})
	anInstant  = in("an instant with its offset, such as 2026-11-26T22:00:00+09:00", by(func(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) }))
	aListItem  = in("one item on one line, without a comma, of at most 200 characters", listItem)
	aListValue = in(fmt.Sprintf("a list of 1 to %d different items with commas between them, such as web-1, web-2", condition.MaxItems), listValue)
)

func listItem(s string) (string, bool) {
	s, ok := aLine(s)
	return s, ok && !strings.Contains(s, ",")
}

func listValue(s string) (items []string, ok bool) {
	for item := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '\n' }) {
		item, ok := listItem(strings.TrimSpace(item))
		if !ok || slices.Contains(items, item) {
			return nil, false
		}
		items = append(items, item)
	}
	return items, 0 < len(items) && len(items) <= condition.MaxItems
}

// parseValue reads a value as the type of its parameter wants it, and says what would be right where it is not. Without a zone a
// date has no instant.
func parseValue(x plan.Parameter, s string, zone *time.Location) (v Value, want string) {
	v = Value{ID: x.ID, Type: x.Type, Text: s}
	if zone == nil {
		zone = time.UTC
	}
	ok := false
	switch x.Type {
	case plan.TextType:
		_, ok = aTextValue.read(s)
		want = aTextValue.want
	case plan.IntegerType:
		_, ok = anInteger.read(s)
		want = anInteger.want
	case plan.BooleanType:
		_, ok = aBool.read(s)
		want = aBool.want
	case plan.ChoiceType:
		choice := oneOf(x.Values...)
		_, ok = choice.read(s)
		want = choice.want
	case plan.DateType:
		var date calendar.Date
		date, ok = aDate.read(s)
		want = aDate.want
		if midnight, err := oncall.ParseWallTime(date.String() + " 00:00"); ok && err == nil {
			v.At = midnight.In(zone)
		}
	case plan.InstantType:
		v.At, ok = anInstant.read(s)
		want = anInstant.want
		v.At = v.At.In(zone)
		v.Text = v.At.Format(time.RFC3339)
	case plan.ListType:
		v.List, ok = aListValue.read(s)
		want = aListValue.want
		v.Text = strings.Join(v.List, listSeparator)
	}
	if ok {
		want = ""
	}
	return v, want
}

// asked is the value as a condition sees it.
func (v Value) asked() any {
	switch v.Type {
	case plan.IntegerType:
		n, _ := anInteger.read(v.Text)
		return n
	case plan.BooleanType:
		return v.Text == "true"
	case plan.ListType:
		return v.List
	case plan.TextType, plan.ChoiceType, plan.DateType, plan.InstantType:
	}
	return v.Text
}

// shown is the value in a text for people.
func (v Value) shown() string {
	if v.Type == plan.InstantType && !v.At.IsZero() {
		return v.At.Format("2006-01-02 15:04 MST")
	}
	return v.Text
}

// leftOut returns the tasks whose condition does not hold.
func leftOut(d *plan.Definition, values map[string]any) ([]Absent, error) {
	asked := conditional(d)
	if len(asked) == 0 {
		return nil, nil
	}
	language, err := condition.OfPlan(d)
	if err != nil {
		return nil, err
	}
	var absent []Absent
	for _, t := range asked {
		w, err := language.Compile(t.When)
		if err != nil {
			return nil, fmt.Errorf("task %s: when: %w", t.ID, err)
		}
		if !w.Holds(values) {
			absent = append(absent, Absent{t.ID, t.Name, t.When})
		}
	}
	return absent, nil
}

// without leaves tasks out. A task that needs one of them needs what that one needed, and shows it no more. A phase of which
// nothing is left is left out as well.
func without(d *plan.Definition, absent []Absent) plan.Definition {
	gone := func(id string) bool { return slices.ContainsFunc(absent, func(a Absent) bool { return a.Task == id }) }
	expanded := map[string][]string{} // what a task that is left out leads to
	var expand func(needs []string) []string
	expand = func(needs []string) (all []string) {
		for _, id := range needs {
			more := []string{id}
			if gone(id) {
				if _, done := expanded[id]; !done {
					t, _ := d.Task(id)
					expanded[id] = expand(t.Needs)
				}
				more = expanded[id]
			}
			for _, id := range more {
				if !slices.Contains(all, id) {
					all = append(all, id)
				}
			}
		}
		return all
	}
	left := *d
	left.Phases = nil
	for _, p := range d.Phases {
		tasks := p.Tasks
		p.Tasks = nil
		for _, t := range tasks {
			if !gone(t.ID) {
				t.Needs, t.Shows = expand(t.Needs), slices.DeleteFunc(slices.Clone(t.Shows), gone)
				p.Tasks = append(p.Tasks, t)
			}
		}
		if len(p.Tasks) > 0 {
			left.Phases = append(left.Phases, p)
		}
	}
	return left
}

// fillIn puts values into a text.
func fillIn(s string, values map[string]string) string {
	return placeholders.ReplaceAllStringFunc(s, func(name string) string { return values[strings.Trim(name, "{}")] })
}

func filledText(t plan.Text, values map[string]string) plan.Text {
	return plan.Text{En: fillIn(t.En, values), Ko: fillIn(t.Ko, values)}
}

// filledIn is a plan with values in its texts and addresses. It shares nothing that is written with the plan.
func filledIn(d plan.Definition, values map[string]string) plan.Definition {
	both := func(t plan.Text) plan.Text { return filledText(t, values) }
	d.Name, d.Description = both(d.Name), both(d.Description)
	for n := range d.Phases { // without has made them anew
		p := &d.Phases[n]
		p.Name = both(p.Name)
		for n := range p.Tasks {
			t := &p.Tasks[n]
			t.Name, t.Detail, t.Message = both(t.Name), both(t.Detail), both(t.Message)
			t.Evidence = slices.Clone(t.Evidence)
			for n := range t.Evidence {
				t.Evidence[n].What = both(t.Evidence[n].What)
			}
			if t.Rollback != nil {
				r := *t.Rollback
				r.Detail = both(r.Detail)
				t.Rollback = &r
			}
			if t.Check != nil {
				k := *t.Check
				k.HTTP, k.Has, k.Documents = fillIn(k.HTTP, values), fillIn(k.Has, values), fillIn(k.Documents, values)
				t.Check = &k
			}
		}
	}
	return d
}

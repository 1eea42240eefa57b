package condition

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"muster/internal/alert"
)

// The variables of the expressions of a mapping: the whole JSON, and the alert in it that is read.
const (
	bodyVar  = "body"
	alertVar = "alert"
)

// A Value is a compiled expression that reads something of JSON, such as alert.host.name. The zero Value reads nothing.
type Value struct {
	text    string
	program cel.Program
}

// String is the expression as it was written: what two of them are compared by.
func (v Value) String() string { return v.text }

// CompileValue reads an expression. Its error is a *Fault.
func CompileValue(text string) (Value, error) {
	e, err := mappingEnvironment()
	if err != nil {
		return Value{}, &Fault{Text: err.Error()}
	}
	d := dialect{
		env: e, example: "alert.id",
		knows: "a mapping knows body, which is the whole JSON, and alert, which is one alert in it, has(alert.x), string, + and " + knownOfTexts,
	}
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return Value{}, &Fault{Text: "nothing; want an expression, such as " + d.example}
	case n > MaxLength:
		return Value{}, &Fault{Text: fmt.Sprintf("%d characters; want at most %d", n, MaxLength)}
	}
	checked, issues := d.env.Compile(text)
	if err := d.firstOf(issues); err != nil {
		return Value{}, err
	}
	if err := patterns(checked); err != nil {
		return Value{}, err
	}
	program, err := d.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return Value{}, &Fault{Text: err.Error()}
	}
	return Value{text, program}, nil
}

// mappingEnvironment is what mappings are written in: that of conditions, with text that is put together. Nothing in it loops.
var mappingEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	return languageWith([]string{operators.Add, "string"},
		cel.Macros(cel.HasMacro), cel.Variable(bodyVar, cel.DynType), cel.Variable(alertVar, cel.DynType),
	)
})

// A Named is a value that becomes a label or annotation.
type Named struct {
	Name string
	Value
}

// String is the name with the expression.
func (n Named) String() string { return n.Name + ": " + n.text }

// A Mapping reads alerts from JSON of any form. What an expression cannot answer, because something is not there, reads as the empty text.
type Mapping struct {
	Alerts Value // a list of them; none: the whole JSON is one
	When   Value // whether it is one that counts; none: all do

	Fingerprint, Name, State, StartsAt, EndsAt, Link Value

	Labels, Annotations []Named
	Tags                []Value // what has labels with names of its own
}

// Read returns the alerts in JSON, which is of nil, bool, int64, float64, string, []any and map[string]any, and alert.ErrTooMany where there are more.
func (m *Mapping) Read(body any, most int) ([]alert.Found, error) {
	s := scope{bodyVar: types.DefaultTypeAdapter.NativeToValue(body)}
	s[alertVar] = s[bodyVar]
	if m.Alerts.program == nil {
		return m.one(s, nil), nil
	}
	list, ok := m.Alerts.of(s).(traits.Lister)
	if !ok {
		return nil, errors.New("want a list of alerts")
	}
	var all []alert.Found
	for it := list.Iterator(); it.HasNext() == types.True; {
		if s[alertVar] = it.Next(); len(all) == most {
			return nil, alert.ErrTooMany
		}
		all = m.one(s, all)
	}
	return all, nil
}

// one adds the alert in a scope, if it counts.
func (m *Mapping) one(s scope, all []alert.Found) []alert.Found {
	if m.When.program != nil && m.When.of(s) != types.True {
		return all
	}
	f := alert.Found{
		Fingerprint: text(m.Fingerprint.of(s)), Name: text(m.Name.of(s)), State: text(m.State.of(s)), StartsAt: text(m.StartsAt.of(s)),
		EndsAt: text(m.EndsAt.of(s)), Link: text(m.Link.of(s)),
	}
	const some = 4 // tags
	f.Labels = make(alert.Labels, 0, 1+len(m.Labels)+some*len(m.Tags))
	f.Labels = readAll(append(f.Labels, alert.Label{Name: nameLabel, Value: f.Name}), m.Labels, s)
	for _, v := range m.Tags {
		f.Labels = tags(f.Labels, v.of(s))
	}
	f.Annotations = readAll(make(alert.Labels, 0, len(m.Annotations)), m.Annotations, s)
	if all == nil {
		all = make([]alert.Found, 0, 1)
	}
	return append(all, f)
}

// readAll adds what values read.
func readAll(ls alert.Labels, values []Named, s scope) alert.Labels {
	for _, l := range values {
		if v := text(l.of(s)); v != "" {
			ls = append(ls, alert.Label{Name: l.Name, Value: v})
		}
	}
	return ls
}

// scope has the values of the variables.
type scope map[string]ref.Val

// ResolveName returns the value of a variable.
func (s scope) ResolveName(name string) (any, bool) { v, ok := s[name]; return v, ok }

// Parent returns nil: there is nothing else.
func (s scope) Parent() cel.Activation { return nil }

// of is what the expression reads, null when it cannot be answered.
func (v Value) of(s scope) ref.Val {
	if v.program == nil {
		return types.NullValue
	}
	got, _, err := v.program.Eval(s)
	if err != nil {
		return types.NullValue
	}
	return got
}

// text is a value as a label has it: what has parts has none.
func text(v ref.Val) string {
	switch v := v.(type) {
	case types.String:
		return string(v)
	case types.Int:
		return strconv.FormatInt(int64(v), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10)
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64)
	case types.Bool:
		return strconv.FormatBool(bool(v))
	case traits.Lister:
		var all []string
		for it := v.Iterator(); it.HasNext() == types.True && len(all) < maxListed; {
			if s := text(it.Next()); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, ", ")
	}
	return ""
}

const maxListed = 100

// tags adds labels as tools write them: an object, "host:web-1, eu", a list of such texts, of pairs, or of objects with tag, key or
// name and value.
func tags(ls alert.Labels, v ref.Val) alert.Labels {
	before := len(ls)
	most := before + maxListed
	switch v := v.(type) {
	case types.String:
		for part := range strings.SplitSeq(string(v), ",") {
			if len(ls) < most {
				ls = append(ls, tag(part))
			}
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && len(ls) < most; {
			k := it.Next()
			ls = append(ls, alert.Label{Name: text(k), Value: text(v.Get(k))})
		}
		slices.SortFunc(ls[before:], func(a, b alert.Label) int { return strings.Compare(a.Name, b.Name) })
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && len(ls) < most; {
			switch e := it.Next().(type) {
			case types.String:
				ls = append(ls, tag(string(e)))
			case traits.Mapper:
				l := alert.Label{}
				for _, name := range []string{"tag", "key", "name"} {
					if found, ok := e.Find(types.String(name)); ok && l.Name == "" {
						l.Name = text(found)
					}
				}
				if found, ok := e.Find(types.String("value")); ok {
					l.Value = text(found)
				}
				ls = append(ls, l)
			case traits.Lister:
				if e.Size() == types.Int(2) {
					ls = append(ls, alert.Label{Name: text(e.Get(types.Int(0))), Value: text(e.Get(types.Int(1)))})
				}
			}
		}
	}
	return ls
}

// tag is a text such as host:web-1; one without a colon is true.
func tag(s string) alert.Label {
	name, value, ok := strings.Cut(strings.TrimSpace(s), ":")
	if !ok {
		value = "true"
	}
	return alert.Label{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
}

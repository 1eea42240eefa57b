package condition

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"

	"muster/internal/plan"
)

// MaxItems is how many items of a list a condition of a plan sees.
const MaxItems = 500

// A Plan is in what the conditions of one plan are written: parameters.ID of each of its parameters, and environments.ID.production,
// where a hyphen of the ID is an underscore.
type Plan struct {
	dialect

	ids        map[string]string // of parameters, by variable
	zero       map[string]any    // what a variable is that was not given
	production map[string]bool
}

// OfPlan returns the language of a plan's conditions.
func OfPlan(d *plan.Definition) (*Plan, error) {
	p := &Plan{ids: map[string]string{}, zero: map[string]any{}, production: map[string]bool{}}
	var names []string
	var variables []cel.EnvOption
	add := func(name string, t *cel.Type) {
		names, variables = append(names, name), append(variables, cel.Variable(name, t))
	}
	for _, x := range d.Parameters {
		name := "parameters." + variable(x.ID)
		p.ids[name] = x.ID
		switch x.Type {
		case plan.IntegerType:
			add(name, cel.IntType)
			p.zero[name] = int64(0)
		case plan.BooleanType:
			add(name, cel.BoolType)
			p.zero[name] = false
		case plan.ListType:
			add(name, cel.ListType(cel.StringType))
			p.zero[name] = []string{}
		case plan.TextType, plan.ChoiceType, plan.DateType, plan.InstantType:
			add(name, cel.StringType)
			p.zero[name] = ""
		}
	}
	for _, e := range d.Environments {
		name := "environments." + variable(e.ID) + ".production"
		add(name, cel.BoolType)
		p.production[name] = e.Production
	}
	e, err := language(variables...)
	if err != nil {
		return nil, &Fault{Text: err.Error()}
	}
	p.dialect = dialect{
		env: e, sizes: planSizes{}, example: `parameters.release != ""`, about: "one plan",
		knows: "a condition of this plan knows " + strings.Join(append(names, knownOfTexts), ", "),
	}
	return p, nil
}

// variable is an ID as it may stand in an expression.
func variable(id string) string { return strings.ReplaceAll(id, "-", "_") }

// A When is a compiled condition of a plan.
type When struct {
	plan    *Plan
	program cel.Program
}

// Compile reads an expression, such as parameters.servers > 3 && !environments.staging.production. Its error is a *Fault.
func (p *Plan) Compile(text string) (When, error) {
	_, program, _, err := p.compile(text)
	if err != nil {
		return When{}, err
	}
	return When{p, program}, nil
}

// Holds tells whether the condition is true of a plan with these values of its parameters, by ID: int64, bool, string or
// []string, as their types say. One that is missing reads as 0, false, the empty text or the empty list. What cannot be
// answered is no.
func (w When) Holds(values map[string]any) bool {
	v, _, err := w.program.Eval(&filled{w.plan, values})
	if err != nil {
		return false
	}
	yes, ok := v.Value().(bool)
	return ok && yes
}

// filled are the values that a condition of a plan is asked about.
type filled struct {
	plan   *Plan
	values map[string]any
}

// ResolveName returns the value of a variable.
func (f *filled) ResolveName(name string) (any, bool) {
	if production, ok := f.plan.production[name]; ok {
		return production, true
	}
	if v, given := f.values[f.plan.ids[name]]; given {
		return v, true
	}
	v, ok := f.plan.zero[name]
	return v, ok
}

// Parent returns nil: there is nothing else.
func (f *filled) Parent() cel.Activation { return nil }

// planSizes says how long the values are that a condition of a plan sees.
type planSizes struct{ sizes }

// EstimateSize returns the bounds of what is not written in the condition.
func (s planSizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if n.Type().Kind() == cel.ListKind && len(n.Path()) > 0 {
		return &cost.SizeEstimate{Max: MaxItems}
	}
	return s.sizes.EstimateSize(n)
}

package condition

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// A Fault is what keeps an expression from being a condition, and where in it.
type Fault struct {
	Line, Column int // in the expression, from 1; 0 when all of it is meant
	Text         string
}

// Error returns the fault with its place.
func (f *Fault) Error() string {
	if f.Line == 0 {
		return f.Text
	}
	return fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Text)
}

// Compile reads an expression, such as labels.severity == "critical" || name.startsWith("Disk"). Its error is a *Fault. It
// takes long, compared with Holds: a condition is compiled once.
func Compile(text string) (Condition, error) {
	e, err := environment()
	if err != nil {
		return Condition{}, &Fault{Text: err.Error()}
	}
	d := dialect{env: e, sizes: sizes{}, example: `labels.severity == "critical"`, about: "one alert", knows: knownOfAlerts}
	checked, program, most, err := d.compile(text)
	if err != nil {
		return Condition{}, err
	}
	c := Condition{text: text, program: program, cost: most}
	c.names, c.pinned = pins(checked.NativeRep().Expr())
	return c, nil
}

// A dialect is in what conditions of one kind are written, and how complaints about them sound.
type dialect struct {
	env     *cel.Env
	sizes   cost.Estimator
	example string
	about   string // what a condition is asked of
	knows   string // what it may name
}

const knownOfAlerts = "a condition knows labels, source and name, has(labels.x), " + knownOfTexts

const knownOfTexts = "size, int and double, and of a text contains, startsWith, endsWith and matches"

// compile reads an expression. Its error is a *Fault.
func (d dialect) compile(text string) (*cel.Ast, cel.Program, uint64, error) {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return nil, nil, 0, &Fault{Text: "not UTF-8 text"}
	case strings.TrimSpace(text) == "":
		return nil, nil, 0, &Fault{Text: "nothing; want a condition, such as " + d.example}
	case n > MaxLength:
		return nil, nil, 0, &Fault{Text: fmt.Sprintf("%d characters; want at most %d", n, MaxLength)}
	}
	checked, issues := d.env.Compile(text)
	if err := d.firstOf(issues); err != nil {
		return nil, nil, 0, err
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		return nil, nil, 0, &Fault{Text: fmt.Sprintf("a condition is true or false; this is of type %s", t)}
	}
	most, err := d.bounded(checked)
	if err != nil {
		return nil, nil, 0, err
	}
	program, err := d.env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, nil, 0, &Fault{Text: err.Error()}
	}
	return checked, program, most, nil
}

// environment is what conditions of alerts are written in.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return language(
		cel.Macros(cel.GlobalMacro(operators.Has, 1, has)),
		cel.Variable(labelsVar, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(sourceVar, cel.StringType),
		cel.Variable(nameVar, cel.StringType),
	)
})

// language is what all conditions are written in: variables, comparisons, logic, and what can be asked of a text. Nothing in it
// loops, so that no condition takes longer than it is long.
func language(variables ...cel.EnvOption) (*cel.Env, error) { return languageWith(nil, variables...) }

// languageWith is language with more functions.
func languageWith(more []string, variables ...cel.EnvOption) (*cel.Env, error) {
	functions := env.NewLibrarySubset().SetDisableMacros(true)
	for _, name := range append([]string{
		operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals,
		operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In,
		operators.Index, operators.Negate, "contains", "startsWith", "endsWith", matches, "size", "int", "double",
	}, more...) {
		functions.AddIncludedFunctions(env.NewFunction(name))
	}
	return cel.NewCustomEnv(append(variables, cel.StdLib(cel.StdLibSubset(functions)), cel.ParserRecursionLimit(64))...)
}

// has asks whether a label says something, which has(labels.severity) means.
func has(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if args[0].Kind() != ast.SelectKind {
		return nil, f.NewError(args[0].ID(), "has() asks for a label, such as has(labels.severity)")
	}
	s := args[0].AsSelect()
	return f.NewCall(operators.In, f.NewLiteral(types.String(s.FieldName())), s.Operand()), nil
}

const matches = "matches"

// bounded refuses what could take long on something, and returns what it costs at worst.
func (d dialect) bounded(checked *cel.Ast) (uint64, error) {
	if err := patterns(checked); err != nil {
		return 0, err
	}
	estimate, err := d.env.EstimateCost(checked, d.sizes)
	if err != nil {
		return 0, &Fault{Text: err.Error()}
	}
	if estimate.Max > maxCost {
		return 0, &Fault{Text: fmt.Sprintf("it could cost %d on %s; want at most %d: fewer or shorter patterns", estimate.Max, d.about, maxCost)}
	}
	return estimate.Max, nil
}

// patterns refuses patterns that are not written out, or are none.
func patterns(checked *cel.Ast) (fault error) {
	source := checked.NativeRep().SourceInfo()
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if fault != nil || x.Kind() != ast.CallKind || x.AsCall().FunctionName() != matches {
			return
		}
		args := x.AsCall().Args()
		at := source.GetStartLocation(args[len(args)-1].ID())
		pattern, written := literal(args[len(args)-1])
		if !written {
			fault = &Fault{at.Line(), at.Column() + 1, `matches() wants its pattern written out, such as matches("^web-[0-9]+$")`}
		} else if _, err := regexp.Compile(pattern); err != nil {
			fault = &Fault{at.Line(), at.Column() + 1, err.Error()}
		}
	}))
	return fault
}

// sizes says how long the values are that a condition sees.
type sizes struct{}

// EstimateSize returns the bounds of what is not written in the condition.
func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if len(n.Path()) == 1 && n.Path()[0] == labelsVar {
		return &cost.SizeEstimate{Max: MaxValue} // an alert has far fewer, as each takes some of its bytes
	}
	if n.Type().IsExactType(cel.StringType) && len(n.Path()) > 0 {
		return &cost.SizeEstimate{Max: MaxValue}
	}
	return nil
}

// EstimateCallCost leaves calls to CEL's own figures.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// firstOf is the first of CEL's complaints, in words for whoever wrote the condition: those after it mostly follow from it.
func (d dialect) firstOf(issues *cel.Issues) error {
	if issues == nil || issues.Err() == nil {
		return nil
	}
	all := issues.Errors()
	if len(all) == 0 {
		return &Fault{Text: issues.Err().Error()}
	}
	first := slices.MinFunc(all, func(a, b *cel.Error) int {
		return cmp.Or(cmp.Compare(a.Location.Line(), b.Location.Line()), cmp.Compare(a.Location.Column(), b.Location.Column()))
	})
	return &Fault{max(first.Location.Line(), 0), max(first.Location.Column()+1, 0), d.inWords(first.Message)}
}

// The complaints of CEL that people meet.
var (
	undeclared = regexp.MustCompile(`^undeclared reference to '(.*?)'(?: \(did you mean '(\w+)'\?\))?`)
	overload   = regexp.MustCompile(`(?s)^found no matching overload for '(.*?)' applied to '(.*)'$`)
	unexpected = regexp.MustCompile(`(?s)^Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting .*$`)
	unknown    = regexp.MustCompile(`(?s)^Syntax error: token recognition error at: '(.*)'$`)
	noWay      = regexp.MustCompile(`(?s)^Syntax error: no viable alternative at input '(.*)'$`)
	missing    = regexp.MustCompile(`(?s)^Syntax error: missing '?(.*?)'? at '(.*)'$`)
)

func (d dialect) inWords(s string) string {
	if m := undeclared.FindStringSubmatch(s); m != nil {
		if m[2] != "" && !strings.HasPrefix(m[2], "_") {
			return fmt.Sprintf("%s is unknown; did you mean %s?", named(m[1]), m[2])
		}
		return fmt.Sprintf("%s is unknown; %s", named(m[1]), d.knows)
	}
	if m := overload.FindStringSubmatch(s); m != nil {
		return fmt.Sprintf("%s does not go with %s", named(m[1]), line(m[2]))
	}
	if m := cmp.Or(group(unexpected, s), group(noWay, s)); m != "" {
		if m == "<EOF>" {
			return "it ends too early"
		}
		return fmt.Sprintf("%q is not expected here", line(m))
	}
	if m := missing.FindStringSubmatch(s); m != nil {
		return fmt.Sprintf("want %s before %q", line(m[1]), line(m[2]))
	}
	if m := group(unknown, s); m != "" {
		return fmt.Sprintf("%q begins nothing that a condition knows; put text in quotes", line(m))
	}
	if strings.Contains(s, "recursion") || strings.Contains(s, "lookahead") {
		return "parts of it stand too deep in one another"
	}
	return line(s)
}

func group(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// named is an operator as it is written, or the name of a function.
func named(function string) string {
	if shown, ok := operators.FindReverse(function); ok && shown != "" {
		return shown
	}
	return line(function)
}

// line is a complaint on one line of bounded length.
func line(s string) string {
	const most = 120
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

package condition

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// pins returns the names that an alert must have one of for an expression to be true, and whether it demands any. It may
// name too many, never too few: where it is not sure, nothing is pinned.
func pins(x ast.Expr) (names []string, pinned bool) {
	if x.Kind() != ast.CallKind {
		return nil, false
	}
	args := x.AsCall().Args()
	switch x.AsCall().FunctionName() {
	case operators.Equals:
		if isName(args[1]) {
			return one(args[0])
		}
		if isName(args[0]) {
			return one(args[1])
		}
	case operators.In:
		if isName(args[0]) && args[1].Kind() == ast.ListKind {
			return all(args[1].AsList().Elements())
		}
	case operators.LogicalAnd:
		return both(args)
	case operators.LogicalOr:
		return either(args)
	}
	return nil, false
}

// both are the names that each of the expressions allows which pins any.
func both(args []ast.Expr) (names []string, pinned bool) {
	for _, x := range args {
		more, ok := pins(x)
		switch {
		case !ok:
		case !pinned:
			names, pinned = more, true
		default:
			names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(more, n) })
		}
	}
	return names, pinned
}

// either are the names that any of the expressions allows, if each pins some.
func either(args []ast.Expr) (names []string, pinned bool) {
	for _, x := range args {
		more, ok := pins(x)
		if !ok {
			return nil, false
		}
		names = append(names, more...)
	}
	return unique(names), true
}

// isName tells whether an expression is the alert's name.
func isName(x ast.Expr) bool {
	switch x.Kind() {
	case ast.IdentKind:
		return x.AsIdent() == nameVar
	case ast.SelectKind:
		s := x.AsSelect()
		return s.FieldName() == nameLabel && isLabels(s.Operand())
	case ast.CallKind:
		args := x.AsCall().Args()
		if x.AsCall().FunctionName() != operators.Index {
			return false
		}
		key, ok := literal(args[1])
		return ok && key == nameLabel && isLabels(args[0])
	default:
		return false
	}
}

func isLabels(x ast.Expr) bool { return x.Kind() == ast.IdentKind && x.AsIdent() == labelsVar }

func one(x ast.Expr) (names []string, pinned bool) { return all([]ast.Expr{x}) }

func all(elements []ast.Expr) (names []string, pinned bool) {
	for _, x := range elements {
		s, ok := literal(x)
		if !ok {
			return nil, false
		}
		names = append(names, s)
	}
	return unique(names), true
}

// literal returns a text that is written out.
func literal(x ast.Expr) (string, bool) {
	if x.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := x.AsLiteral().(types.String)
	return string(s), ok
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

//lint:file-ignore SA1019 what the parser resolves by itself is enough here: no types are needed.

package layout

import (
	"go/ast"
	"go/token"
)

// checkVars asks that a variable of a package is set where it is declared and never again.
func (r *report) checkVars(p *pkg) {
	vars := packageVars(p)
	for _, src := range p.files {
		if src.test {
			continue
		}
		ast.Inspect(src.file, func(n ast.Node) bool {
			switch s := n.(type) {
			case *ast.AssignStmt:
				if s.Tok == token.DEFINE {
					break
				}
				for _, left := range s.Lhs {
					r.checkAssigned(src, left, vars)
				}
			case *ast.IncDecStmt:
				r.checkAssigned(src, s.X, vars)
			}
			return true
		})
	}
}

// packageVars returns the names of a package's variables.
func packageVars(p *pkg) map[string]bool {
	vars := map[string]bool{}
	for _, src := range p.files {
		if src.test {
			continue
		}
		for _, decl := range src.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.ValueSpec); ok {
					for _, name := range s.Names {
						vars[name.Name] = name.Name != "_"
					}
				}
			}
		}
	}
	return vars
}

// checkAssigned reports an assignment to a variable of the package or to a part of it.
func (r *report) checkAssigned(src *source, left ast.Expr, vars map[string]bool) {
	for {
		switch x := left.(type) {
		case *ast.SelectorExpr:
			left = x.X
		case *ast.IndexExpr:
			left = x.X
		case *ast.StarExpr:
			left = x.X
		case *ast.ParenExpr:
			left = x.X
		case *ast.Ident:
			// The parser resolves what a file declares; a name it leaves open is declared in another file.
			if vars[x.Name] && (x.Obj == nil || src.file.Scope.Lookup(x.Name) == x.Obj) {
				r.add(src, x.Pos(), "var", "package variable %s is set again: pass it as an argument or a field", x.Name)
			}
			return
		default:
			return
		}
	}
}

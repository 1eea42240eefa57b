package layout

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The longest a thing may be before a noun or a verb is missing.
const (
	longestFunc = 80 // lines; look up past 50
	longestMain = 50 // lines of each file beside main.go
)

// longFuncs may be longer than the rest, each with its reason. A name that no longer needs its line here is reported.
func longFuncs() map[string]string {
	return map[string]string{}
}

// backgrounds lists the rooms that may begin a context of their own, each with its reason.
func backgrounds() map[string]string {
	return map[string]string{
		".":                  "the process begins here",
		"internal/devserver": "the engine's loggers and listeners are called without a context",
	}
}

// checkPackage looks at a package as a whole: its name and what its documentation says first.
func (r *report) checkPackage(p *pkg) {
	documented := false
	for _, src := range p.files {
		name := strings.TrimSuffix(src.file.Name.Name, "_test")
		r.checkName(p, src, name)
		if doc := src.file.Doc; doc != nil && !src.test {
			documented = true
			if name != "main" && !strings.HasPrefix(doc.Text(), "Package "+name+" ") {
				r.add(src, doc.Pos(), "doc", "the comment should begin with \"Package %s …\"", name)
			}
		}
	}
	if !documented && slices.ContainsFunc(p.files, func(s *source) bool { return !s.test }) {
		src := p.files[0]
		r.add(src, src.file.Package, "doc", "package %s says nowhere what it is", src.file.Name.Name)
	}
}

// checkName asks for one lower-case noun that means something.
func (r *report) checkName(p *pkg, src *source, name string) {
	empty := []string{"utils", "util", "common", "types", "helpers", "helper", "shared", "manager", "misc"}
	strange := func(c rune) bool { return !unicode.IsLower(c) && !unicode.IsDigit(c) }
	switch base := p.dir[strings.LastIndex(p.dir, "/")+1:]; {
	case slices.Contains(empty, name):
		r.add(src, src.file.Name.Pos(), "name", "package %s: the name says nothing; call it what it is about", name)
	case strings.ContainsFunc(name, strange):
		r.add(src, src.file.Name.Pos(), "name", "package %s: one lower-case noun", name)
	case name != "main" && name != base:
		r.add(src, src.file.Name.Pos(), "name", "package %s stands in folder %s", name, p.dir)
	}
}

// checkSource looks at one file.
func (r *report) checkSource(p *pkg, src *source) {
	r.checkLengths(p, src)
	if src.test {
		return
	}
	r.checkClock(p, src)
	for _, decl := range src.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			r.checkFunc(src, d)
		case *ast.GenDecl:
			r.checkDecl(src, d)
		}
	}
	r.checkErrors(p, src)
}

// checkLengths counts lines.
func (r *report) checkLengths(p *pkg, src *source) {
	if lines := strings.Count(string(src.text), "\n"); p.dir == "." && !src.test && lines > longestMain {
		r.add(src, src.file.Package, "length", "%d lines: main decides exit codes, everything else is a package (%d)",
			lines, longestMain)
	}
	for _, decl := range src.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || src.test {
			continue
		}
		lines := r.fset.Position(f.End()).Line - r.fset.Position(f.Pos()).Line + 1
		reason, long := longFuncs()[p.dir+"."+f.Name.Name]
		switch {
		case lines > longestFunc && !long:
			r.add(src, f.Pos(), "length", "%s has %d lines, more than %d", f.Name.Name, lines, longestFunc)
		case lines <= longestFunc && long:
			r.add(src, f.Pos(), "length", "%s has %d lines and needs no exception (%s)", f.Name.Name, lines, reason)
		}
	}
}

// checkFunc asks for documentation and refuses init.
func (r *report) checkFunc(src *source, f *ast.FuncDecl) {
	if f.Recv == nil && f.Name.Name == "init" {
		r.add(src, f.Pos(), "init", "no init functions: build it where it is used")
	}
	if !f.Name.IsExported() || !receiverExported(f) {
		return
	}
	r.checkDoc(src, f.Pos(), f.Name.Name, f.Doc)
}

// receiverExported tells whether a function can be seen from outside: it is no method, or one of an exported type.
func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// checkDecl asks for documentation of exported types, constants and variables. One comment may stand for a group.
func (r *report) checkDecl(src *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() {
				switch grouped := d.Lparen.IsValid(); {
				case s.Doc != nil:
					r.checkDoc(src, s.Pos(), s.Name.Name, s.Doc)
				case !grouped || d.Doc == nil:
					r.checkDoc(src, s.Pos(), s.Name.Name, d.Doc)
				}
			}
		case *ast.ValueSpec:
			if d.Doc != nil || s.Doc != nil || s.Comment != nil {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() {
					r.add(src, name.Pos(), "doc", "exported %s is not documented", name.Name)
				}
			}
		}
	}
}

// checkDoc asks for a comment that begins with the name it explains, after an article if it likes.
func (r *report) checkDoc(src *source, pos token.Pos, name string, doc *ast.CommentGroup) {
	text := ""
	if doc != nil {
		text = doc.Text()
	}
	if text == "" {
		r.add(src, pos, "doc", "exported %s is not documented", name)
		return
	}
	words := strings.Fields(text)
	if slices.Contains([]string{"A", "An", "The"}, words[0]) && len(words) > 1 {
		words = words[1:]
	}
	if words[0] != name && words[0] != "Deprecated:" {
		r.add(src, pos, "doc", "the comment on %s should begin with its name", name)
	}
}

// checkErrors looks at how errors are told and how contexts begin.
func (r *report) checkErrors(p *pkg, src *source) {
	ast.Inspect(src.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch {
		case isPackage(sel.X, "errors") && sel.Sel.Name == "New", isPackage(sel.X, "fmt") && sel.Sel.Name == "Errorf":
			r.checkErrorText(src, call)
		case isPackage(sel.X, "context") && (sel.Sel.Name == "Background" || sel.Sel.Name == "TODO"):
			if backgrounds()[p.dir] == "" {
				r.add(src, call.Pos(), "context", "context.%s below main: take the caller's context", sel.Sel.Name)
			}
		}
		return true
	})
}

// checkErrorText refuses words that only say that an error is an error.
func (r *report) checkErrorText(src *source, call *ast.CallExpr) {
	if len(call.Args) == 0 {
		return
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return
	}
	for _, empty := range []string{"failed to ", "unable to ", "could not ", "cannot ", "error "} {
		if strings.HasPrefix(strings.ToLower(text), empty) {
			r.add(src, lit.Pos(), "error", "%q: begin with the operation, then the subject, then the cause", text)
		}
	}
}

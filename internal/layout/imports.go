//lint:file-ignore SA1019 what the parser resolves by itself is enough here: no types are needed.

package layout

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// module is the path that our own imports begin with.
const module = "muster"

// checkRoom asks that a folder has its place in the house.
func (r *report) checkRoom(p *pkg) {
	if p.known {
		return
	}
	src := p.files[0]
	r.add(src, src.file.Package, "room",
		"folder %s has no room: add it to rooms() in internal/layout/rooms.go with what it may import, and say why in "+
			"docs/decisions/", p.dir)
}

// checkImports holds each import of a file against its room.
func (r *report) checkImports(p *pkg, src *source) {
	if !p.known {
		return
	}
	for _, spec := range src.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it
		}
		switch dir, ours := ownDir(name); {
		case name == "C":
			r.add(src, spec.Pos(), "import", "cgo is not used: the build needs no C compiler")
		case ours && dir == p.dir: // an external test of its own package
		case ours:
			r.checkOwn(p, src, spec, dir)
		case isStandard(name):
			r.checkStandard(p, src, spec, name)
		default:
			r.checkLibrary(p, src, spec, name)
		}
	}
}

// checkOwn holds an import of our own module against the rule.
func (r *report) checkOwn(p *pkg, src *source, spec *ast.ImportSpec, dir string) {
	if src.test && p.room.group != pure {
		if target, known := find(dir); known && len(target.only) == 0 {
			return // a test may use any room; only what stands on top and the engine stay closed
		}
	}
	if !p.room.allows(p.dir, dir) {
		r.add(src, spec.Pos(), "import", "%s may not import %s: see rooms() in internal/layout", p.dir, dir)
	}
}

// checkStandard keeps the outside world out of the pure rooms.
func (r *report) checkStandard(p *pkg, src *source, spec *ast.ImportSpec, name string) {
	if p.room.group != pure || src.test {
		return
	}
	for _, no := range []string{
		"crypto/rand", "database/sql", "embed", "log", "math/rand", "net", "net/http", "net/smtp", "os", "plugin",
		"runtime", "syscall", "testing",
	} {
		if name == no || (below(no, name) && no != "net") {
			r.add(src, spec.Pos(), "pure", "%s is pure: it may not import %s", p.dir, name)
		}
	}
}

// checkLibrary holds an import of somebody else's module against the room.
func (r *report) checkLibrary(p *pkg, src *source, spec *ast.ImportSpec, name string) {
	if p.room.allowsLibrary(name) {
		return
	}
	if src.test && slices.ContainsFunc(testLibraries(p.room.group), func(lib string) bool { return below(lib, name) }) &&
		!below(temporalServer, name) {
		return
	}
	r.add(src, spec.Pos(), "import", "%s may not import %s: see rooms() in internal/layout", p.dir, name)
}

// checkServer follows our imports and asks that neither a package nor its tests link the engine, but for the few that
// start it: tests that link it take minutes to build.
func (r *report) checkServer(pkgs []*pkg) {
	const engine = "internal/devserver"
	links := map[string]bool{engine: true}
	for changed := true; changed; {
		changed = false
		for _, p := range pkgs {
			if !links[p.dir] && len(edges(p, links, false)) > 0 {
				links[p.dir], changed = true, true
			}
		}
	}
	start := []string{
		".", engine, "internal/process", "internal/node", "internal/demo", "internal/bench", "internal/acceptance",
	}
	for _, p := range pkgs {
		if slices.Contains(start, top(p.dir)) {
			continue
		}
		for _, e := range edges(p, links, true) {
			r.add(e.src, e.spec.Pos(), "engine", "%s would link the embedded engine through this import", p.dir)
		}
	}
}

// An edge is one import and where it stands.
type edge struct {
	src  *source
	spec *ast.ImportSpec
}

// edges returns the imports of p that are among dirs.
func edges(p *pkg, dirs map[string]bool, tests bool) []edge {
	var found []edge
	for _, src := range p.files {
		if src.test && !tests {
			continue
		}
		for _, spec := range src.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if dir, ours := ownDir(name); ours && dir != p.dir && dirs[dir] {
				found = append(found, edge{src, spec})
			}
		}
	}
	return found
}

// ownDir returns the folder of a package of this module.
func ownDir(name string) (dir string, ours bool) {
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// isStandard tells whether name is a package of the standard library: those have no dot in their first element.
func isStandard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// checkClock keeps the clock out of the pure rooms.
func (r *report) checkClock(p *pkg, src *source) {
	if p.room.group != pure || src.test {
		return
	}
	clock := []string{
		"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local",
	}
	ast.Inspect(src.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && isPackage(sel.X, "time") && slices.Contains(clock, sel.Sel.Name) {
			r.add(src, sel.Pos(), "pure", "%s is pure: it may not use time.%s; take the instant as an argument", p.dir,
				sel.Sel.Name)
		}
		return true
	})
}

// isPackage tells whether an expression is the name of an imported package, and not a variable of the same name.
func isPackage(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name && id.Obj == nil
}

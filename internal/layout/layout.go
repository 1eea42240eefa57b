// Package layout keeps the house straight: who may import whom, and how a source file must look before anybody reviews
// it. It parses; it builds nothing and asks no go command, so its test stays in the go command's cache until a source
// file changes.
package layout

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Problem is one broken rule.
type Problem struct {
	File string // slash-separated, from the module's root
	Line int
	Rule string // "import", "doc", "length", …
	Text string
}

// String shows the problem as compilers do.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s (%s)", p.File, p.Line, p.Text, p.Rule)
}

// A source is one parsed file.
type source struct {
	path string // slash-separated, from the module's root
	file *ast.File
	test bool
	text []byte
}

// A pkg is one folder of the module with its files.
type pkg struct {
	dir   string // "." for the module's root
	files []*source
	room  room
	known bool // the folder has a room
}

// A report collects problems.
type report struct {
	fset     *token.FileSet
	problems []Problem
}

// add records a problem at a position.
func (r *report) add(src *source, pos token.Pos, rule, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: src.path, Line: r.fset.Position(pos).Line, Rule: rule, Text: fmt.Sprintf(format, args...),
	})
}

// Check reads every Go file of the module at the root of fsys and returns what breaks a rule, in order of place.
func Check(fsys fs.FS) ([]Problem, error) {
	r := &report{fset: token.NewFileSet()}
	pkgs, err := r.load(fsys)
	if err != nil {
		return nil, err
	}
	for _, p := range pkgs {
		r.checkRoom(p)
		r.checkPackage(p)
		r.checkVars(p)
		for _, src := range p.files {
			r.checkImports(p, src)
			r.checkSource(p, src)
		}
	}
	r.checkServer(pkgs)
	slices.SortFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Text, b.Text))
	})
	return r.problems, nil
}

// load parses every folder that belongs to the module: not testdata, not hidden ones, not those with a go.mod of
// their own.
func (r *report) load(fsys fs.FS) ([]*pkg, error) {
	dirs := map[string]*pkg{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		src := r.parse(name, text)
		if src == nil {
			return nil
		}
		dir := path.Dir(name)
		if dirs[dir] == nil {
			dirs[dir] = &pkg{dir: dir}
			dirs[dir].room, dirs[dir].known = find(dir)
		}
		dirs[dir].files = append(dirs[dir].files, src)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	pkgs := make([]*pkg, 0, len(dirs))
	for _, p := range dirs {
		pkgs = append(pkgs, p)
	}
	slices.SortFunc(pkgs, func(a, b *pkg) int { return cmp.Compare(a.dir, b.dir) })
	return pkgs, nil
}

// skip leaves out the folders that the go command leaves out too.
func skip(fsys fs.FS, dir string) error {
	base := path.Base(dir)
	if dir == "." {
		return nil
	}
	if base == "testdata" || base == "node_modules" || base == "bin" || strings.HasPrefix(base, ".") ||
		strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// parse reads one file with its comments; one that does not parse is a problem and nothing more.
func (r *report) parse(name string, text []byte) *source {
	file, err := parser.ParseFile(r.fset, name, text, parser.ParseComments)
	if err != nil {
		r.problems = append(r.problems, Problem{File: name, Line: 1, Rule: "parse", Text: err.Error()})
		return nil
	}
	return &source{path: name, file: file, test: strings.HasSuffix(name, "_test.go"), text: text}
}

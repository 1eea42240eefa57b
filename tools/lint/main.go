// Command lint holds the analysers that neither go vet nor staticcheck has. The go command runs it and keeps what it
// found: go vet -vettool=bin/tools/lint ./...
package main

import (
	"strings"

	"github.com/kisielk/errcheck/errcheck"
	"github.com/nishanths/exhaustive"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

func main() {
	unitchecker.Main(
		outsideTests(errcheck.Analyzer),
		outsideTests(exhaustive.Analyzer),
		outsideTests(errorlint.NewAnalyzer()),
		outsideTests(bodyclose.Analyzer),
	)
}

// outsideTests drops what an analyser says about test files: tests may ignore an error on purpose.
func outsideTests(a *analysis.Analyzer) *analysis.Analyzer {
	quiet, run := *a, a.Run
	quiet.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			if !strings.HasSuffix(pass.Fset.Position(d.Pos).Filename, "_test.go") {
				report(d)
			}
		}
		return run(pass)
	}
	return &quiet
}

package layout_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"muster/internal/layout"
)

// TestHouse holds the real tree against the rules.
func TestHouse(t *testing.T) {
	problems, err := layout.Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// The smallest files that keep every rule.
const (
	goodMain     = "// Command muster answers alerts.\npackage main\n\nfunc main() {}\n"
	goodIncident = "// Package incident is the life of an incident.\npackage incident\n"
)

// TestRules breaks each rule once and asks that exactly this is reported.
func TestRules(t *testing.T) {
	tests := []struct {
		name, file, src string
		want            string // part of the one problem; empty: no problem
	}{
		// Who may import whom.
		{"main may start the program", "main.go", imports("main", "muster/internal/process"), ""},
		{"main may not know workflows", "main.go", imports("main", "muster/workflows"), "may not import workflows"},
		{"a rule may use a rule", "internal/incident/x.go", imports("incident", "muster/internal/priority"), ""},
		{"a rule may not use Temporal", "internal/incident/x.go", imports("incident", "go.temporal.io/sdk/temporal"), "may not import go.temporal.io"},
		{"a rule may not use a library", "internal/incident/x.go", imports("incident", "cel.dev/cel-go/cel"), "may not import cel.dev"},
		{"a rule may not read files", "internal/incident/x.go", imports("incident", "os"), "pure: it may not import os"},
		{"a rule may not call out", "internal/incident/x.go", imports("incident", "net/http"), "pure: it may not import net/http"},
		{"a rule may parse addresses", "internal/incident/x.go", imports("incident", "net/netip"), ""},
		{"a rule may not know the folder", "internal/incident/x.go", imports("incident", "muster/internal/org"), "may not import internal/org"},
		{"a rule's test is pure too", "internal/incident/x_test.go", imports("incident_test", "muster/internal/org"), "may not import internal/org"},
		{"a rule's test may use rapid", "internal/incident/x_test.go", imports("incident_test", "pgregory.net/rapid"), ""},
		{"workflows name activities", "workflows/x.go", imports("workflows", "muster/activities", "go.temporal.io/sdk/workflow"), ""},
		{"workflows do not dial", "workflows/x.go", imports("workflows", "go.temporal.io/sdk/client"), "may not import go.temporal.io/sdk/client"},
		{"workflows do not send", "workflows/x.go", imports("workflows", "muster/internal/webhook"), "may not import internal/webhook"},
		{"workflows do not look people up", "workflows/x.go", imports("workflows", "muster/internal/org"), "may not import internal/org"},
		{"a workflow's test may use stand-ins", "workflows/x_test.go", imports("workflows_test", "muster/internal/inmem", "go.temporal.io/sdk/testsuite"), ""},
		{"activities do not turn back", "activities/x.go", imports("activities", "muster/workflows"), "may not import workflows"},
		{"activities know no adapter", "activities/x.go", imports("activities", "muster/internal/smtp"), "may not import internal/smtp"},
		{"activities render", "activities/x.go", imports("activities", "muster/internal/report", "go.temporal.io/sdk/activity"), ""},
		{"the worker wires", "worker/x.go", imports("worker", "muster/internal/smtp", "muster/internal/org", "muster/workflows"), ""},
		{"the worker is no way in", "worker/x.go", imports("worker", "muster/starter"), "may not import starter"},
		{"the starter knows workflows", "starter/x.go", imports("starter", "muster/workflows", "go.temporal.io/sdk/client"), ""},
		{"the starter does no work", "starter/x.go", imports("starter", "muster/activities"), "may not import activities"},
		{"intake uses the starter", "starter/ingest/x.go", imports("ingest", "muster/starter", "muster/internal/refusal"), ""},
		{"intake does not dial", "starter/ingest/x.go", imports("ingest", "go.temporal.io/sdk/client"), "may not import go.temporal.io/sdk/client"},
		{"ways in do not use each other", "starter/ingest/x.go", imports("ingest", "muster/starter/console"), "may not import starter/console"},
		{"the CLI is a client of the API", "starter/cli/x.go", imports("cli", "muster/starter/api", "github.com/spf13/cobra"), ""},
		{"the CLI does not reach past the API", "starter/cli/x.go", imports("cli", "muster/starter"), "may not import starter"},
		{"an adapter has its own library", "internal/smtp/x.go", imports("smtp", "github.com/wneessen/go-mail"), ""},
		{"an adapter has no other's library", "internal/webhook/x.go", imports("webhook", "github.com/wneessen/go-mail"), "may not import github.com/wneessen"},
		{"an adapter knows no workflow", "internal/smtp/x.go", imports("smtp", "muster/workflows"), "may not import workflows"},
		{"an adapter knows no Temporal", "internal/smtp/x.go", imports("smtp", "go.temporal.io/sdk/temporal"), "may not import go.temporal.io/sdk/temporal"},
		{"the folder reads YAML", "internal/org/x.go", imports("org", "go.yaml.in/yaml/v4", "muster/internal/condition"), ""},
		{"conditions do not turn back", "internal/condition/x.go", imports("condition", "muster/internal/org"), "may not import internal/org"},
		{"a bundle knows no workflows", "internal/bundle/x.go", imports("bundle", "muster/workflows"), "may not import workflows"},
		{"an auditor replays", "internal/audit/x.go", imports("audit", "muster/workflows", "go.temporal.io/sdk/worker"), ""},
		{"only the engine's room has the engine", "internal/org/x.go", imports("org", "go.temporal.io/server/temporal"), "may not import go.temporal.io/server"},
		{"not even on top", "internal/demo/x.go", imports("demo", "go.temporal.io/server/temporal"), "may not import go.temporal.io/server"},
		{"nor in a test", "worker/x_test.go", imports("worker_test", "go.temporal.io/server/temporaltest"), "may not import go.temporal.io/server"},
		{"the engine's room has it", "internal/devserver/x.go", imports("devserver", "go.temporal.io/server/temporal"), ""},
		{"nothing imports the demo", "internal/bench/x.go", imports("bench", "muster/internal/demo"), "may not import internal/demo"},
		{"no cgo", "internal/org/x.go", imports("org", "C"), "cgo is not used"},
		{"a folder without a room", "internal/queue/x.go", "// Package queue is new.\npackage queue\n", "folder internal/queue has no room"},
		{"a folder below a room has its rules", "internal/smtp/relay/x.go", "// Package relay is part of smtp.\npackage relay\n\nimport _ \"muster/workflows\"\n", "may not import workflows"},

		// The clock.
		{"a rule takes its time as an argument", "internal/incident/x.go", "package incident\n\nimport \"time\"\n\nfunc f() time.Time { return time.Now() }\n", "may not use time.Now"},
		{"a rule may compute with time", "internal/incident/x.go", "package incident\n\nimport \"time\"\n\nfunc f(t time.Time) time.Time { return t.Add(time.Hour) }\n", ""},
		{"elsewhere the clock is free", "internal/org/x.go", "// Package org reads.\npackage org\n\nimport \"time\"\n\nfunc f() time.Time { return time.Now() }\n", ""},

		// What a reader needs.
		{"a package says what it is", "internal/org/x.go", "package org\n", "says nowhere what it is"},
		{"and begins with its name", "internal/org/x.go", "// Reads things.\npackage org\n", `should begin with "Package org`},
		{"an exported function", "internal/incident/x.go", "package incident\n\nfunc Due() {}\n", "exported Due is not documented"},
		{"an exported method", "internal/incident/x.go", "package incident\n\n// A Set is one.\ntype Set struct{}\n\nfunc (s *Set) Due() {}\n", "exported Due is not documented"},
		{"a method nobody sees", "internal/incident/x.go", "package incident\n\ntype set struct{}\n\nfunc (s *set) Due() {}\n", ""},
		{"an exported type", "internal/incident/x.go", "package incident\n\ntype Set struct{}\n", "exported Set is not documented"},
		{"a group of types", "internal/incident/x.go", "package incident\n\n// The sets.\ntype (\n\tSmall struct{}\n\tBig struct{}\n)\n", ""},
		{"an exported constant", "internal/incident/x.go", "package incident\n\nconst Low = 1\n", "exported Low is not documented"},
		{"a group of constants", "internal/incident/x.go", "package incident\n\n// The levels.\nconst (\n\tLow = 1\n\tHigh = 2\n)\n", ""},
		{"a comment names its thing", "internal/incident/x.go", "package incident\n\n// Says when.\nfunc Due() {}\n", "should begin with its name"},
		{"an article may come first", "internal/incident/x.go", "package incident\n\n// A Set is one.\ntype Set struct{}\n", ""},

		// Names.
		{"an empty name", "internal/incident/utils/x.go", "// Package utils is many things.\npackage utils\n", "the name says nothing"},
		{"a name of two words", "internal/incident/x.go", "package incident_rules\n", "one lower-case noun"},
		{"a name beside its folder", "internal/org/x.go", "// Package folder reads.\npackage folder\n", "stands in folder internal/org"},

		// Shape.
		{"no init", "internal/incident/x.go", "package incident\n\nfunc init() {}\n", "no init functions"},
		{"a long function", "internal/incident/x.go", "package incident\n\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", 79) + "}\n", "f has 81 lines"},
		{"a function just short enough", "internal/incident/x.go", "package incident\n\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", 78) + "}\n", ""},
		{"a long main", "dev.go", "package main\n" + strings.Repeat("\n", 50), "51 lines"},
		{"a package variable set again", "internal/incident/x.go", "package incident\n\nvar n int\n\nfunc f() { n = 2 }\n", "package variable n is set again"},
		{"a package variable counted up", "internal/incident/x.go", "package incident\n\nvar n int\n\nfunc f() { n++ }\n", "package variable n is set again"},
		{"part of a package variable set", "internal/incident/x.go", "package incident\n\nvar m = map[int]int{}\n\nfunc f() { m[1] = 2 }\n", "package variable m is set again"},
		{"a local variable of that name", "internal/incident/x.go", "package incident\n\nvar n int\n\nfunc f() int {\n\tn := 1\n\tn = 2\n\treturn n\n}\n", ""},
		{"an interface kept", "internal/incident/x.go", "package incident\n\nvar _ error = (*e)(nil)\n\ntype e struct{ error }\n\nfunc f() { _ = 1 }\n", ""},
		{"an error that says it is one", "internal/incident/x.go", "package incident\n\nimport \"errors\"\n\nvar errX = errors.New(\"failed to move\")\n", "begin with the operation"},
		{"a context out of nowhere", "internal/org/x.go", "// Package org reads.\npackage org\n\nimport \"context\"\n\nfunc f() context.Context { return context.Background() }\n", "context.Background below main"},
		{"a context at the beginning", "dev.go", "package main\n\nimport \"context\"\n\nfunc f() context.Context { return context.Background() }\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := fstest.MapFS{
				"main.go":                       {Data: []byte(goodMain)},
				"internal/incident/incident.go": {Data: []byte(goodIncident)},
			}
			tree[tt.file] = &fstest.MapFile{Data: []byte(tt.src)}
			problems, err := layout.Check(tree)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, problems, tt.want)
		})
	}
}

// TestEngine follows imports: linking the engine by a detour is reported where the detour begins.
func TestEngine(t *testing.T) {
	tree := fstest.MapFS{
		"internal/devserver/x.go":       {Data: []byte(imports("devserver", "go.temporal.io/server/temporal"))},
		"internal/node/x.go":            {Data: []byte(imports("node", "muster/internal/devserver"))},
		"internal/demo/x.go":            {Data: []byte(imports("demo", "muster/internal/node"))},
		"internal/acceptance/x_test.go": {Data: []byte(imports("acceptance", "muster/internal/node"))},
		"internal/process/x.go":         {Data: []byte(imports("process", "muster/internal/node", "muster/internal/demo"))},
	}
	tree["worker/x.go"] = &fstest.MapFile{Data: []byte(imports("worker", "muster/internal/inmem"))}
	tree["internal/inmem/x.go"] = &fstest.MapFile{Data: []byte(imports("inmem"))}
	problems, err := layout.Check(tree)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, problems, "")

	tree["internal/inmem/x.go"] = &fstest.MapFile{Data: []byte(imports("inmem", "muster/internal/devserver"))}
	problems, err = layout.Check(tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Rule+" "+p.File)
	}
	want := []string{"import internal/inmem/x.go", "engine internal/inmem/x.go", "engine worker/x.go"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSkipped leaves alone what the go command leaves alone.
func TestSkipped(t *testing.T) {
	bad := &fstest.MapFile{Data: []byte("package utils\n\nfunc init() {}\n")}
	problems, err := layout.Check(fstest.MapFS{
		"tools/go.mod":               {Data: []byte("module muster/tools\n")},
		"tools/lint/x.go":            bad,
		"internal/org/testdata/x.go": bad,
		".ci/x.go":                   bad,
		"bin/x.go":                   bad,
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, problems, "")
}

// TestUnreadable asks that a file that does not parse is a problem and hides no other.
func TestUnreadable(t *testing.T) {
	problems, err := layout.Check(fstest.MapFS{
		"main.go":           {Data: []byte("package")},
		"internal/org/x.go": {Data: []byte("package org\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 2 || problems[1].Rule != "parse" || problems[0].Rule != "doc" {
		t.Errorf("got %v, want one missing comment and one file that does not parse", problems)
	}
}

// imports writes a file of package name that imports paths and does nothing else.
func imports(name string, paths ...string) string {
	var b strings.Builder
	b.WriteString("// Package " + name + " is small.\npackage " + name + "\n")
	for _, p := range paths {
		b.WriteString("\nimport _ \"" + p + "\"\n")
	}
	return b.String()
}

// expect asks for exactly one problem that contains want, or for none.
func expect(t *testing.T, problems []layout.Problem, want string) {
	t.Helper()
	switch {
	case want == "" && len(problems) > 0:
		t.Errorf("got %v, want no problem", problems)
	case want != "" && len(problems) != 1:
		t.Errorf("got %d problems %v, want one with %q", len(problems), problems, want)
	case want != "" && !strings.Contains(problems[0].String(), want):
		t.Errorf("got %v, want one with %q", problems[0], want)
	}
}

// Package program is what the tests of deploy/ know of Muster: the program as containers run it, which is built and asked, and the settings
// that its code reads. It is a module of its own, so that the parsers of Compose, Helm and systemd stay out of Muster's.
package program

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Root is the repository, from the folder of a package of tests.
const Root = "../../.."

// ID is the number of the user and group as which a container runs Muster. It has no name there.
const ID = 65532

// MUSTER_SLIM names the program where make has built it already.
var build = sync.OnceValues(func() (file string, err error) {
	if file := os.Getenv("MUSTER_SLIM"); file != "" {
		return file, nil
	}
	folder, err := os.MkdirTemp("", "muster-deploy-")
	if err != nil {
		return "", err
	}
	file = filepath.Join(folder, "muster")
	cmd := exec.Command("go", "build", "-tags", "slim", "-o", file, ".")
	cmd.Dir = Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build muster: %w\n%s", err, out)
	}
	return file, nil
})

// Main runs the tests of a package, and removes the program when they are over.
func Main(m *testing.M) {
	code := m.Run()
	if file, err := build(); err == nil && os.Getenv("MUSTER_SLIM") == "" {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// Path is the file of the program.
func Path(t *testing.T) string {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Understood asks that Muster understands a command line: that there are the command and its flags, and that what they are given can be
// read. Nothing is run: the line is asked for its help.
func Understood(t *testing.T, args ...string) {
	t.Helper()
	if fault := Fault(t, args...); fault != "" {
		t.Errorf("muster %s: %s", strings.Join(args, " "), fault)
	}
}

// Fault says why Muster does not understand a command line, and nothing when it does.
func Fault(t *testing.T, args ...string) string {
	t.Helper()
	flags := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if flags < 0 {
		flags = len(args)
	}
	cmd := exec.CommandContext(t.Context(), Path(t), slices.Insert(slices.Clone(args), flags, "--help")...) // not as the value of the last flag
	cmd.Env = []string{"HOME=/nonexistent"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	// The help of a command says how it is used. Of one that is not there, it is the help of the one above it, whose use names a COMMAND, or
	// that of one which takes no more words.
	usage := regexp.MustCompile(`(?m)^Usage:\n  muster((?: [a-z][a-z-]*)*)((?: .*)?)$`).FindSubmatch(out)
	if usage == nil {
		return fmt.Sprintf("its help does not say how it is used: %s", out)
	}
	words := strings.Fields(string(usage[1]))
	if len(words) > len(args) || !slices.Equal(words, args[:len(words)]) || strings.HasPrefix(string(usage[2]), " COMMAND") {
		return "there is no such command"
	}
	takes := strings.TrimSpace(strings.Replace(string(usage[2]), "[flags]", "", 1))
	if rest := args[len(words):]; takes == "" && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Sprintf("it takes no %q", rest[0])
	}
	return ""
}

// Flag returns what a command line gives a flag, empty when it does not.
func Flag(args []string, name string) string {
	for n, arg := range args {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
		if arg == name && n+1 < len(args) {
			return args[n+1]
		}
	}
	return ""
}

var setting = regexp.MustCompile(`^(MUSTER|TEMPORAL|XDG|AWS|OTEL)_[A-Z0-9_]+$`)

var settings = sync.OnceValues(func() (map[string]bool, error) {
	out, err := inRoot("go", "list", "-f", "{{.Dir}}", "go.temporal.io/sdk/contrib/envconfig")
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, folder := range []string{filepath.Join(Root, "starter/cli"), filepath.Join(Root, "internal"), strings.TrimSpace(out)} {
		err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, err := strconv.Unquote(l.Value); err == nil && setting.MatchString(text) {
						found[text] = true
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
})

// Read asks that Muster reads a variable of its environment: one of its own, or one of the standard settings of Temporal. A string of the code
// has to be its name, and not only to speak of it.
func Read(t *testing.T, variable string) {
	t.Helper()
	if !Reads(t, variable) {
		t.Errorf("nothing in Muster reads %s", variable)
	}
}

// Reads tells whether it does.
func Reads(t *testing.T, variable string) bool {
	t.Helper()
	all, err := settings()
	if err != nil {
		t.Fatal(err)
	}
	return all[variable]
}

// Answers asks that a path is one at which Muster says how it is.
func Answers(t *testing.T, path string) {
	t.Helper()
	if !strings.Contains(File(t, "starter/api/health.go"), strconv.Quote(path)) {
		t.Errorf("Muster does not say how it is at %s", path)
	}
}

// Module returns the folder of a module at the version that Muster uses.
func Module(t *testing.T, name string) string {
	t.Helper()
	out, err := inRoot("go", "list", "-m", "-f", "{{.Dir}}", name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func inRoot(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}

// File returns the text of a file of the repository.
func File(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Lines returns what the first group of a pattern matches in the lines of a file of the repository.
func Lines(t *testing.T, name, pattern string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?m)"+pattern).FindAllStringSubmatch(File(t, name), -1) {
		found = append(found, m[1])
	}
	return found
}

// StopTime returns for how many seconds a command may take to stop, one thing after the other: a worker lets what it does end, HTTP and mail
// what was asked, somebody may still have to be told of something, traces are sent, and the engine of dev ends.
func StopTime(t *testing.T, command string) int {
	t.Helper()
	all := 0
	for _, part := range []struct{ file, pattern, commands string }{
		{"worker/worker.go", `^const stopTimeout = (\d+) \* time\.Second$`, "worker dev"},
		{"internal/node/door.go", `^\tconst patience = (\d+) \* time\.Second`, "worker serve dev"},
		{"internal/node/mail.go", `^\tconst patience = (\d+) \* time\.Second`, "serve dev"},
		{"internal/node/alarms.go", `^\t\tconst patience = (\d+) \* time\.Second$`, "worker serve dev"},
		{"internal/trace/trace.go", `^\tconst patience = (\d+) \* time\.Second$`, "worker serve dev"},
		{"internal/devserver/devserver.go", `^\tstopLimit += (\d+) \* time\.Second$`, "dev"},
	} {
		found := Lines(t, part.file, part.pattern)
		if len(found) != 1 {
			t.Fatalf("%s: for how long a stop may take stands there as %v", part.file, found)
		}
		seconds, err := strconv.Atoi(found[0])
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(strings.Fields(part.commands), command) {
			all += seconds
		}
	}
	if all == 0 {
		t.Fatalf("nothing is known of how %q stops", command)
	}
	return all
}

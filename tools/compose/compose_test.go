// Package compose_test reads docker-compose.yml with Compose's own parser and holds it, the Dockerfile and the scripts
// beside it against the rest of the repository. It is a module of its own, so that the parser's dependencies stay out of
// Muster's.
package compose_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../.."

// load reads the file as `docker compose config` does: it fails on what does not fit Compose's schema, on variables
// without a value, and on names that lead nowhere.
func load(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")}, cli.WithWorkingDirectory(root))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestServices asks for the services that the documents promise.
func TestServices(t *testing.T) {
	want := []string{"mail", "namespace", "postgres", "schema", "serve", "temporal", "ui", "worker"}
	got := load(t).ServiceNames()
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestImages asks that every image that is not built here names its exact version.
func TestImages(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z0-9/-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)
	for name, s := range load(t).Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned", name, s.Image)
		}
	}
	for _, from := range lines(t, "Dockerfile", `^FROM (\S+)`) {
		if from != "scratch" && !pinned.MatchString(from) {
			t.Errorf("Dockerfile: image %q is not pinned", from)
		}
	}
}

// TestVersions asks that the images run what go.mod and the embedded engine use.
func TestVersions(t *testing.T) {
	services := load(t).Services
	tests := []struct{ image, module string }{
		{services["temporal"].Image, "go.temporal.io/server v"},
		{services["schema"].Image, "go.temporal.io/server v"},
		{services["namespace"].Image, "go.temporal.io/server v"},
		{services["ui"].Image, "github.com/temporalio/ui-server/v2 v"},
	}
	for _, tt := range tests {
		_, version, _ := strings.Cut(tt.image, ":")
		if found := lines(t, "go.mod", `^\s*`+regexp.QuoteMeta(tt.module)+`(\S+)`); !slices.Equal(found, []string{version}) {
			t.Errorf("image %s: go.mod has %s%v", tt.image, tt.module, found)
		}
	}
	want := "golang:" + lines(t, "go.mod", `^go (\S+)`)[0] + "-bookworm"
	if from := lines(t, "Dockerfile", `^FROM (\S+)`); from[0] != want {
		t.Errorf("Dockerfile builds with %s, go.mod wants %s", from[0], want)
	}
}

// TestOrder asks that a service waits for what the other one can show: being healthy, or having ended well.
func TestOrder(t *testing.T) {
	project := load(t)
	for name, s := range project.Services {
		for on, how := range s.DependsOn {
			other, ok := project.Services[on]
			switch {
			case !ok:
				t.Errorf("%s waits for %s, which is not there", name, on)
			case how.Condition == types.ServiceConditionHealthy && other.HealthCheck == nil:
				t.Errorf("%s waits for %s to be healthy, which has no health check", name, on)
			case how.Condition == types.ServiceConditionCompletedSuccessfully && !strings.HasPrefix(other.Restart, "on-failure"):
				t.Errorf("%s waits for %s to end, which restarts %q", name, on, other.Restart)
			case how.Condition == types.ServiceConditionStarted:
				t.Errorf("%s waits for %s only to be started", name, on)
			}
		}
		if once := strings.HasPrefix(s.Restart, "on-failure"); !once && (s.HealthCheck == nil || len(s.HealthCheck.Test) < 2) {
			t.Errorf("%s has no health check", name)
		}
	}
}

// TestReach asks that nothing is published beyond this machine and that the database is not published at all.
func TestReach(t *testing.T) {
	project := load(t)
	for name, s := range project.Services {
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q, want 127.0.0.1", name, p.Published, p.HostIP)
			}
		}
		if s.Privileged || s.NetworkMode != "" || s.Pid != "" {
			t.Errorf("%s is not kept apart from the machine", name)
		}
		if _, database := s.Networks["database"]; database && !slices.Contains([]string{"postgres", "schema", "temporal"}, name) {
			t.Errorf("%s can reach the database", name)
		}
	}
	if !project.Networks["database"].Internal {
		t.Error("the database's network leads outside")
	}
}

// TestSecrets asks that passwords and tokens come from files and that each file is one that `make secrets` makes.
func TestSecrets(t *testing.T) {
	project := load(t)
	secret := regexp.MustCompile(`(?i)(PASSWORD|PWD|TOKEN|SECRET|_KEY|CREDENTIAL)`)
	for name, s := range project.Services {
		for key, value := range s.Environment {
			if !secret.MatchString(key) {
				continue
			}
			file, ok := strings.CutPrefix(*value, "/run/secrets/")
			if !ok || !strings.HasSuffix(key, "_FILE") {
				t.Errorf("%s: %s stands in the environment", name, key)
			}
			if !slices.ContainsFunc(s.Secrets, func(g types.ServiceSecretConfig) bool { return g.Source == file }) {
				t.Errorf("%s: %s is no secret of this service", name, *value)
			}
		}
		for _, g := range s.Secrets {
			if _, ok := project.Secrets[g.Source]; !ok {
				t.Errorf("%s: secret %s is not declared", name, g.Source)
			}
		}
	}
	made := lines(t, "Makefile", `for s in ([a-z -]+); do`)
	for name, s := range project.Secrets {
		if len(made) != 1 || !slices.Contains(strings.Fields(made[0]), name) {
			t.Errorf("make secrets makes %v and not %s", made, name)
		}
		if !strings.HasSuffix(s.File, "deploy/secrets/"+name) {
			t.Errorf("secret %s is in %s", name, s.File)
		}
	}
}

// TestMounts asks that what is mounted from here exists here and cannot be changed.
func TestMounts(t *testing.T) {
	for name, s := range load(t).Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Source)
			}
		}
	}
}

// TestContained asks that Muster runs as nobody, on a file system that it cannot change, without any right.
func TestContained(t *testing.T) {
	for _, name := range []string{"worker", "serve"} {
		s := load(t).Services[name]
		if s.User != "65532:65532" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s runs as %q, read-only %v, without %v", name, s.User, s.ReadOnly, s.CapDrop)
		}
	}
	if user := lines(t, "Dockerfile", `^USER (\S+)`); !slices.Equal(user, []string{"65532:65532"}) {
		t.Errorf("Dockerfile: got user %v, want 65532:65532", user)
	}
	if !strings.Contains(read(t, "Dockerfile"), "-tags slim ") {
		t.Error("Dockerfile builds the engine too")
	}
}

// TestCommands asks that every command and flag that Compose calls is one of the CLI.
func TestCommands(t *testing.T) {
	known := literals(t, filepath.Join(root, "starter/cli"))
	project := load(t)
	for _, name := range []string{"worker", "serve"} {
		s := project.Services[name]
		health := []string(s.HealthCheck.Test)
		if len(health) < 3 || health[0] != "CMD" || health[1] != "/muster" {
			t.Errorf("%s: health check %q calls something that the image has not", name, health)
			continue
		}
		for _, args := range [][]string{s.Command, health[2:]} {
			if use := "Use " + args[0]; !known[use] {
				t.Errorf("%s: muster has no command %s", name, args[0])
			}
			for _, arg := range args[1:] {
				if flag, ok := strings.CutPrefix(arg, "--"); ok && !known[flag] {
					t.Errorf("%s: muster %s has no flag --%s", name, args[0], flag)
				}
			}
		}
	}
}

// TestAttributes asks that the script makes the search attributes that the workflows set.
func TestAttributes(t *testing.T) {
	text := read(t, "workflows/search.go")
	types := map[string]string{"Keyword": "Keyword", "Int64": "Int", "KeywordList": "KeywordList", "Time": "Datetime"}
	var want []string
	for _, m := range regexp.MustCompile(`NewSearchAttributeKey(\w+)\("(\w+)"\)`).FindAllStringSubmatch(text, -1) {
		want = append(want, m[2]+" "+types[m[1]])
	}
	got := lines(t, "deploy/temporal/namespace.sh", `attribute (Muster\w+ \w+)`)
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the script makes %q, the workflows set %q", got, want)
	}
}

// TestZones asks that the binary brings its time zones along: the image has none.
func TestZones(t *testing.T) {
	found := false
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		found = found || strings.Contains(string(text), `_ "time/tzdata"`)
		return err
	})
	if err != nil || !found {
		t.Errorf("nothing imports time/tzdata (%v)", err)
	}
}

// lines returns what the first group of a pattern matches in a file's lines.
func lines(t *testing.T, name, pattern string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile("(?m)"+pattern).FindAllStringSubmatch(read(t, name), -1) {
		found = append(found, m[1])
	}
	return found
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// literals returns every string that stands in a package's code, and "Use x" for each command x.
func literals(t *testing.T, dir string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.BasicLit:
				if x.Kind == token.STRING {
					found[strings.Trim(x.Value, "\"`")] = true
				}
			case *ast.KeyValueExpr:
				key, _ := x.Key.(*ast.Ident)
				value, _ := x.Value.(*ast.BasicLit)
				if key != nil && key.Name == "Use" && value != nil {
					command, _, _ := strings.Cut(strings.Trim(value.Value, "\"`"), " ")
					found["Use "+command] = true
				}
			}
			return true
		})
	}
	return found
}

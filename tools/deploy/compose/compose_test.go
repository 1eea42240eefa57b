// Package compose_test reads docker-compose.yml with Compose's own parser and holds it, the Dockerfile and the scripts
// beside it against the rest of the repository.
package compose_test

import (
	"context"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"muster/tools/deploy/program"
)

const root = program.Root

func TestMain(m *testing.M) { program.Main(m) }

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
	for _, from := range program.Lines(t, "Dockerfile", `^FROM (\S+)`) {
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
		if found := program.Lines(t, "go.mod", `^\s*`+regexp.QuoteMeta(tt.module)+`(\S+)`); !slices.Equal(found, []string{version}) {
			t.Errorf("image %s: go.mod has %s%v", tt.image, tt.module, found)
		}
	}
	want := "golang:" + program.Lines(t, "go.mod", `^go (\S+)`)[0] + "-bookworm"
	if from := program.Lines(t, "Dockerfile", `^FROM (\S+)`); from[0] != want {
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
	made := program.Lines(t, "Makefile", `for s in ([a-z -]+); do`)
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
	if user := program.Lines(t, "Dockerfile", `^USER (\S+)`); !slices.Equal(user, []string{"65532:65532"}) {
		t.Errorf("Dockerfile: got user %v, want 65532:65532", user)
	}
	if !strings.Contains(program.File(t, "Dockerfile"), "-tags slim ") {
		t.Error("Dockerfile builds the engine too")
	}
}

// TestCommands asks that Muster understands every command line that is given to it, the health checks too.
func TestCommands(t *testing.T) {
	project := load(t)
	for _, name := range []string{"worker", "serve"} {
		s := project.Services[name]
		if len(s.Entrypoint) > 0 {
			t.Errorf("%s does not begin with the image's entry point, but with %q", name, s.Entrypoint)
		}
		program.Understood(t, s.Command...)
		if s.Command[0] != name {
			t.Errorf("%s runs muster %s", name, s.Command[0])
		}
		health := []string(s.HealthCheck.Test)
		if len(health) < 3 || health[0] != "CMD" || health[1] != "/muster" {
			t.Errorf("%s: health check %q calls something that the image has not", name, health)
			continue
		}
		program.Understood(t, health[2:]...)
		asked, err := url.Parse(program.Flag(health, "--url"))
		if err != nil {
			t.Fatal(err)
		}
		program.Answers(t, asked.Path)
		if _, port, _ := net.SplitHostPort(program.Flag(s.Command, "--listen")); asked.Port() != port {
			t.Errorf("%s answers on port %s, and is asked on %s", name, port, asked.Port())
		}
	}
	if entry := program.Lines(t, "Dockerfile", `^ENTRYPOINT (.*)$`); !slices.Equal(entry, []string{`["/muster"]`}) {
		t.Errorf("Dockerfile: the image runs %v", entry)
	}
}

// TestSettings asks that whoever gets a variable reads it: Muster by its code, Temporal and its pages by the templates of their
// configuration, as the modules that Muster itself uses have them.
func TestSettings(t *testing.T) {
	engine := filepath.Join(program.Module(t, "go.temporal.io/server"), "common/config/config_template_embedded.yaml")
	pages := filepath.Join(program.Module(t, "github.com/temporalio/ui-server/v2"), "config/docker.yaml")
	project := load(t)
	for name, file := range map[string]string{"temporal": engine, "ui": pages} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for key := range project.Services[name].Environment {
			if !strings.Contains(string(text), strconv.Quote(key)) && !strings.Contains(string(text), "."+key+" ") {
				t.Errorf("%s does not read %s", name, key)
			}
		}
	}
	for _, name := range []string{"worker", "serve"} {
		for key := range project.Services[name].Environment {
			program.Read(t, key)
		}
	}
	text := program.File(t, "docker-compose.yml")
	for _, m := range regexp.MustCompile(`\$\{(MUSTER_[A-Z]+):-`).FindAllStringSubmatch(text, -1) {
		if m[1] != "MUSTER_VERSION" { // of the image
			program.Read(t, m[1])
		}
	}
	for arg, variable := range map[string]string{"VERSION": "version", "REVISION": "revision"} {
		if !strings.Contains(program.File(t, "Dockerfile"), "-X main."+variable+"=${"+arg+"}") {
			t.Errorf("Dockerfile: %s does not come into the program", arg)
		}
		if !regexp.MustCompile(`(?m)^\s+` + variable + `\s`).MatchString(program.File(t, "main.go")) {
			t.Errorf("main.go has no variable %s", variable)
		}
	}
}

// TestPorts asks that behind every published port somebody answers.
func TestPorts(t *testing.T) {
	answered := map[string]string{"mail": "8025"} // the port of Mailpit's pages, which it has unless it is told another
	for name, s := range load(t).Services {
		port := answered[name]
		if _, own, err := net.SplitHostPort(program.Flag(s.Command, "--listen")); err == nil {
			port = own
		} else if s.HealthCheck != nil && port == "" {
			port = regexp.MustCompile(`\b\d{4,5}\b`).FindString(strings.Join(s.HealthCheck.Test, " "))
		}
		for _, p := range s.Ports {
			if strconv.Itoa(int(p.Target)) != port {
				t.Errorf("%s publishes its port %d, and answers on %s", name, p.Target, port)
			}
		}
	}
	if exposed := program.Lines(t, "Dockerfile", `^EXPOSE (.*)$`); !slices.Equal(exposed, []string{answeredBy(t, "serve")}) {
		t.Errorf("Dockerfile: the image answers on %v", exposed)
	}
}

func answeredBy(t *testing.T, service string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(program.Flag(load(t).Services[service].Command, "--listen"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestPaths asks that every folder and file that a service is told of is mounted there: its image has none, or loses what is written.
func TestPaths(t *testing.T) {
	project := load(t)
	for name, s := range project.Services {
		within := func(file string) bool {
			return slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
				return file == v.Target || strings.HasPrefix(file, v.Target+"/")
			}) || slices.ContainsFunc(s.Secrets, func(g types.ServiceSecretConfig) bool { return file == "/run/secrets/"+g.Source })
		}
		told := slices.Concat(s.Command, s.Entrypoint)
		for _, v := range s.Environment {
			told = append(told, *v)
		}
		for _, text := range told {
			for _, file := range regexp.MustCompile(`(?:^|[ "(])(/[a-z][\w./-]+)`).FindAllStringSubmatch(text, -1) {
				if !within(file[1]) && !strings.HasPrefix(file[1], "/bin/") && file[1] != "/etc/temporal/entrypoint.sh" {
					t.Errorf("%s is told of %s, where nothing is mounted", name, file[1])
				}
				if script, ok := strings.CutPrefix(file[1], "/deploy/"); ok {
					program.File(t, path.Join("deploy/temporal", script))
				}
			}
		}
	}
	for _, name := range []string{"worker", "serve"} {
		s := project.Services[name]
		data := *s.Environment["MUSTER_DATA"]
		if len(program.Lines(t, "Dockerfile", `^(COPY --from=build --chown=65532:65532 /out/data `+data+`)$`)) != 1 {
			t.Errorf("Dockerfile: Muster may not write into %s, the data folder of %s", data, name)
		}
		archive := program.Flag(s.Command, "--archive")
		for _, where := range []string{data, archive} { // both processes have the same keys, store and reports
			if !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
				return v.Type == types.VolumeTypeVolume && v.Source == "data" && strings.HasPrefix(where, v.Target)
			}) {
				t.Errorf("%s: %q is not in the volume data", name, where)
			}
		}
	}
}

// TestStopping asks that nobody is killed while what it does ends.
func TestStopping(t *testing.T) {
	for _, name := range []string{"worker", "serve"} {
		grace := load(t).Services[name].StopGracePeriod
		if takes := program.StopTime(t, name); grace == nil || int(time.Duration(*grace).Seconds()) <= takes {
			t.Errorf("%s is killed after %v; want longer than the %d s that it may take", name, grace, takes)
		}
	}
}

// TestAttributes asks that the script makes the search attributes that the workflows set, and that people are told the same ones.
func TestAttributes(t *testing.T) {
	text := program.File(t, "workflows/search.go")
	types := map[string]string{"Keyword": "Keyword", "Int64": "Int", "KeywordList": "KeywordList", "Time": "Datetime"}
	var want []string
	for _, m := range regexp.MustCompile(`NewSearchAttributeKey(\w+)\("(\w+)"\)`).FindAllStringSubmatch(text, -1) {
		want = append(want, m[2]+" "+types[m[1]])
	}
	got := program.Lines(t, "deploy/temporal/namespace.sh", `attribute (Muster\w+ \w+)`)
	told := program.Lines(t, "docs/deployment.md", `^\| (Muster\w+ \| \w+) \|$`) // to people, for Temporal Cloud
	for n := range told {
		told[n] = strings.Replace(told[n], " | ", " ", 1)
	}
	slices.Sort(want)
	slices.Sort(got)
	slices.Sort(told)
	if !slices.Equal(told, want) {
		t.Errorf("docs/deployment.md names %q, the workflows set %q", told, want)
	}
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

// Package systemd_test reads the units in deploy/systemd as systemd does, and holds them against the program.
package systemd_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"muster/tools/deploy/program"
)

func TestMain(m *testing.M) { program.Main(m) }

const folder = "deploy/systemd"

// A service is a unit as the last of its lines say, or all of them where they add up.
type service struct {
	name string
	all  map[string][]string // by section and name, such as Service.ExecStart
}

func read(t *testing.T, name string) service {
	t.Helper()
	options, err := unit.DeserializeOptions(strings.NewReader(program.File(t, filepath.Join(folder, name))))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s := service{name, map[string][]string{}}
	for _, o := range options {
		s.all[o.Section+"."+o.Name] = append(s.all[o.Section+"."+o.Name], o.Value)
	}
	return s
}

// get returns what a setting says that stands there once.
func (s service) get(t *testing.T, name string) string {
	t.Helper()
	if len(s.all[name]) != 1 {
		t.Errorf("%s: %s stands there as %q; want it once", s.name, name, s.all[name])
		return ""
	}
	return s.all[name][0]
}

// command is the command line without the flags that come from muster.env.
func (s service) command(t *testing.T) []string {
	t.Helper()
	line := strings.Fields(s.get(t, "Service.ExecStart"))
	return slices.DeleteFunc(line, func(word string) bool { return strings.HasPrefix(word, "$") })
}

func units() []string {
	return []string{"muster-dev.service", "muster-serve.service", "muster-worker.service"}
}

func dropIns() []string { return []string{"payload-keys.conf", "temporal-tls.conf"} }

// TestFiles asks that no file here goes unread.
func TestFiles(t *testing.T) {
	want := append(units(), append(dropIns(), "muster.env", "muster.sysusers")...)
	found, err := os.ReadDir(filepath.Join(program.Root, folder))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range found {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCommands asks that Muster understands what the units and the settings give it. The build of the test has no engine, and knows the
// command for all that.
func TestCommands(t *testing.T) {
	more := environment(t)
	for _, name := range units() {
		s := read(t, name)
		line := s.command(t)
		if line[0] != "/usr/local/bin/muster" || "muster-"+line[1]+".service" != name {
			t.Errorf("%s runs %q", name, line)
		}
		program.Understood(t, line[1:]...)
		flags := "$" + strings.ToUpper(line[1]) + "_FLAGS"
		if !strings.HasSuffix(s.get(t, "Service.ExecStart"), " "+flags) {
			t.Errorf("%s does not end in %s", name, flags)
		}
		example, ok := more[flags[1:]]
		if !ok {
			t.Errorf("muster.env shows no %s", flags[1:])
		}
		program.Understood(t, append(line[1:], strings.Fields(example)...)...)
	}
}

// environment is what muster.env sets, and what it shows in comments.
func environment(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(program.File(t, filepath.Join(folder, "muster.env"))) {
		if m := regexp.MustCompile(`^#?([A-Z][A-Z0-9_]*)=(.*)\n$`).FindStringSubmatch(line); m != nil {
			all[m[1]] = m[2]
		} else if !strings.HasPrefix(line, "# ") && line != "\n" {
			t.Errorf("muster.env: %q is neither a setting nor a remark", line)
		}
	}
	return all
}

// TestSettings asks that Muster reads every variable that it is given. Those of the flags are for systemd, and one is an example of a secret.
func TestSettings(t *testing.T) {
	for key := range environment(t) {
		if !strings.HasSuffix(key, "_FLAGS") && key != "SMTP_PASSWORD" {
			program.Read(t, key)
		}
	}
	for _, name := range append(units(), dropIns()...) {
		for _, line := range read(t, name).all["Service.Environment"] {
			key, _, _ := strings.Cut(line, "=")
			program.Read(t, key)
		}
	}
}

// TestOneFolder asks that serve and worker are one user with one data folder: in it are the keys, the store and the reports that both need.
func TestOneFolder(t *testing.T) {
	user := regexp.MustCompile(`(?m)^u (\S+) - "[^"]+" (\S+)$`).FindStringSubmatch(program.File(t, filepath.Join(folder, "muster.sysusers")))
	if user == nil {
		t.Fatal("muster.sysusers makes no user")
	}
	for _, name := range units() {
		s := read(t, name)
		if s.get(t, "Service.User") != user[1] || s.get(t, "Service.Group") != user[1] {
			t.Errorf("%s does not run as %s", name, user[1])
		}
		data := "/var/lib/" + s.get(t, "Service.StateDirectory")
		if data != user[2] || !slices.Contains(s.all["Service.Environment"], "MUSTER_DATA="+data) {
			t.Errorf("%s: the data folder is %s, and its user's %s, and %v", name, data, user[2], s.all["Service.Environment"])
		}
		if archive := program.Flag(s.command(t), "--archive"); archive != "" && !strings.HasPrefix(archive, data+"/") {
			t.Errorf("%s may not write into its archive %s", name, archive)
		}
		if got := s.get(t, "Service.StateDirectoryMode") + " " + s.get(t, "Service.UMask"); got != "0700 0077" {
			t.Errorf("%s: others may read what it writes: %s", name, got)
		}
	}
}

// TestAddresses asks that all answer on this machine alone, and that those that run together answer on different ports.
func TestAddresses(t *testing.T) {
	taken := map[string]bool{}
	for _, name := range []string{"muster-serve.service", "muster-worker.service"} {
		host, port, err := net.SplitHostPort(program.Flag(read(t, name).command(t), "--listen"))
		if err != nil || host != "127.0.0.1" || taken[port] {
			t.Errorf("%s answers on %s, port %s: %v", name, host, port, err)
		}
		taken[port] = true
	}
}

// TestLife asks that systemd hears when a unit is ready, starts it anew unless its command line is wrong, and waits at its end.
func TestLife(t *testing.T) {
	for _, name := range units() {
		s := read(t, name)
		for setting, want := range map[string]string{
			"Service.Type":                     "notify",
			"Service.TimeoutStartSec":          "infinity", // of Temporal, or of the worker's keys
			"Service.Restart":                  "on-failure",
			"Service.RestartPreventExitStatus": "2",
			"Service.KillSignal":               "SIGTERM",
			"Unit.StartLimitIntervalSec":       "0",
			"Install.WantedBy":                 "multi-user.target",
		} {
			if got := s.get(t, setting); got != want {
				t.Errorf("%s: %s is %q, want %q", name, setting, got, want)
			}
		}
		stop, err := time.ParseDuration(s.get(t, "Service.TimeoutStopSec"))
		if takes := program.StopTime(t, s.command(t)[1]); err != nil || int(stop.Seconds()) <= takes {
			t.Errorf("%s is killed after %s, %v; want longer than the %d s that it may take", name, stop, err, takes)
		}
	}
	if misuse := program.Lines(t, "starter/cli/cli.go", `^\s+Misuse = (\d)`); !slices.Equal(misuse, []string{"2"}) {
		t.Errorf("a wrong command line ends with %v", misuse)
	}
	if !strings.Contains(program.File(t, "internal/node/notify.go"), `"READY=1"`) {
		t.Error("Muster does not say when it is ready")
	}
}

// TestContained asks for what keeps a process in: it owns its data folder and nothing else.
func TestContained(t *testing.T) {
	for _, name := range units() {
		s := read(t, name)
		for setting, want := range map[string]string{
			"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
			"PrivateDevices": "yes", "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes", "ProtectControlGroups": "yes",
			"RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "MemoryDenyWriteExecute": "yes", "SystemCallArchitectures": "native",
			"SystemCallFilter": "@system-service",
		} {
			if got := s.get(t, "Service."+setting); got != want {
				t.Errorf("%s: %s is %q, want %q", name, setting, got, want)
			}
		}
	}
}

// TestSecrets asks that a drop-in names only credentials that it loads, and that no secret stands in a unit.
func TestSecrets(t *testing.T) {
	for _, name := range append(units(), dropIns()...) {
		s := read(t, name)
		loaded := map[string]bool{}
		for _, line := range s.all["Service.LoadCredential"] {
			id, from, ok := strings.Cut(line, ":")
			if !ok || !filepath.IsAbs(from) {
				t.Errorf("%s loads %q", name, line)
			}
			loaded[id] = true
		}
		for _, line := range s.all["Service.Environment"] {
			key, value, _ := strings.Cut(line, "=")
			if id, ok := strings.CutPrefix(value, "%d/"); ok && !loaded[id] {
				t.Errorf("%s: %s names a credential that is not loaded", name, line)
			} else if ok {
				delete(loaded, id)
			}
			if regexp.MustCompile(`KEY|TOKEN|PASSWORD|SECRET`).MatchString(key) && !strings.HasPrefix(value, "%d/") {
				t.Errorf("%s: %s stands in the unit, which everybody may read", name, key)
			}
		}
		for id := range loaded {
			t.Errorf("%s loads the credential %s, which nothing names", name, id)
		}
	}
}

// TestVerified has systemd itself read the units, each with both drop-ins, with the program where it is. Without systemd it is skipped:
// unless MUSTER_REAL=required, which makes that a failure.
func TestVerified(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("MUSTER_REAL") == "required" {
			t.Fatal("there is no systemd-analyze: apt-get install systemd")
		}
		t.Skip("there is no systemd-analyze: apt-get install systemd")
	}
	place := t.TempDir()
	for _, name := range units() {
		file := filepath.Join(place, name)
		write(t, file, strings.ReplaceAll(program.File(t, filepath.Join(folder, name)), "/usr/local/bin/muster", program.Path(t)))
		for _, d := range dropIns() {
			write(t, filepath.Join(file+".d", d), program.File(t, filepath.Join(folder, d)))
		}
	}
	for _, name := range units() {
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", filepath.Join(place, name)).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify %s: %v: %s", name, err, out)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

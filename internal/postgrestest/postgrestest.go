// Package postgrestest starts a PostgreSQL of its own for tests, from the programs that Debian installs: on a free port of loopback, in a
// temporary folder, gone with the test.
package postgrestest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A Cluster is one running PostgreSQL. Whoever reaches it may do anything in it, as the user muster, with the password that is in its URLs.
type Cluster struct {
	Port int

	programs, folder string
	as               *syscall.Credential // nil: whoever runs the test
}

const password = "Cluster:pass/w?rd#%" // what a URL must escape

// Start starts a cluster, or skips the test where there is none: unless MUSTER_REAL=required, which makes that a failure.
func Start(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	c := empty(t)
	secret := filepath.Join(c.folder, "password")
	if err := errors.Join(os.WriteFile(secret, []byte(password+"\n"), 0o600), c.own(secret)); err != nil {
		t.Fatal(err)
	}
	if err := c.run("initdb", "--pgdata", c.data(), "--username", "muster", "--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8",
		"--locale", "C", "--no-sync"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.set(append([]string{"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''"}, settings...)), c.Run()); err != nil {
		t.Fatal(err)
	}
	return c
}

// Backup copies a running cluster as pg_basebackup does, and starts the copy, which ends with the test.
func (c *Cluster) Backup(t testing.TB) (*Cluster, error) {
	t.Helper()
	to := empty(t)
	at := fmt.Sprintf("postgres://muster:%s@127.0.0.1:%d/postgres", escape(password), c.Port)
	if err := to.run("pg_basebackup", "--dbname", at, "--pgdata", to.data(), "--checkpoint", "fast", "--no-sync"); err != nil {
		return nil, err
	}
	return to, errors.Join(to.set(nil), to.Run())
}

// empty is a cluster that has no files yet.
func empty(t testing.TB) *Cluster {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		if os.Getenv("MUSTER_REAL") == "required" {
			t.Fatal("there is no PostgreSQL: apt-get install postgresql")
		}
		t.Skip("there is no PostgreSQL: apt-get install postgresql")
	}
	slices.Sort(found)
	c := &Cluster{programs: filepath.Dir(found[len(found)-1]), Port: FreePort(t)}
	var err error
	if c.as, err = unprivileged(); err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: whoever runs PostgreSQL must be able to get there.
	if c.folder, err = os.MkdirTemp("", "muster-postgres-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop("immediate"); err != nil && c.Running() {
			t.Errorf("stop postgresql: %v", err)
		}
		if t.Failed() {
			t.Logf("postgresql said:\n%s", c.tail())
		}
		_ = os.RemoveAll(c.folder)
	})
	if err := c.own(c.folder); err != nil {
		t.Fatal(err)
	}
	return c
}

// set adds settings, and the port.
func (c *Cluster) set(settings []string) error {
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(append(settings, fmt.Sprintf("port = %d\n", c.Port)), "\n"))
	return errors.Join(err, f.Close())
}

// URL is that of a database of the cluster, which need not be there.
func (c *Cluster) URL(name string) string {
	return fmt.Sprintf("postgres://muster:%s@127.0.0.1:%d/%s", escape(password), c.Port, name)
}

// Run starts a cluster that was stopped.
func (c *Cluster) Run() error {
	return c.run("pg_ctl", "--pgdata", c.data(), "--log", c.log(), "--wait", "--timeout", "60", "start")
}

// Stop stops the cluster: "fast" breaks all connections off, "immediate" is a crash.
func (c *Cluster) Stop(how string) error {
	return c.run("pg_ctl", "--pgdata", c.data(), "--mode", how, "--wait", "--timeout", "60", "stop")
}

// Running tells whether it runs.
func (c *Cluster) Running() bool { return c.run("pg_ctl", "--pgdata", c.data(), "status") == nil }

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }
func (c *Cluster) log() string  { return filepath.Join(c.folder, "log") }

// run runs a program of the cluster until it ends.
func (c *Cluster) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.programs, program), args...)
	cmd.Dir = c.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true} // a signal for the test is none for the server
	out, err := os.OpenFile(filepath.Join(c.folder, "said"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out // a pipe would be held open by the server
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// unprivileged is the user of Debian's package, as whom root must start a server.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("as root, PostgreSQL runs as the user of its package: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, cmp.Or(err1, err2)
}

// own gives a file to whom the server runs as.
func (c *Cluster) own(path string) error {
	if c.as == nil {
		return nil
	}
	return os.Chown(path, int(c.as.Uid), int(c.as.Gid))
}

func (c *Cluster) tail() string {
	const most = 4 << 10
	text, err := os.ReadFile(c.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// FreePort is a port of loopback below the range from which the kernel gives ports to clients, so that it is still free after whoever
// listened on it has ended.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(10_000)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

package acceptance_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/worker"

	"muster/internal/devserver"
	"muster/internal/node"
	"muster/workflows"
)

// The test binary runs itself again as processes that can be killed. These say as what, and with what.
const (
	roleEnv   = "MUSTER_ACCEPTANCE_ROLE"
	folderEnv = "MUSTER_ACCEPTANCE_FOLDER"
	listenEnv = "MUSTER_ACCEPTANCE_LISTEN"
	portEnv   = "MUSTER_ACCEPTANCE_PORT"
)

// ready is what a child prints when it answers.
const ready = "child is ready"

func TestMain(m *testing.M) {
	child := map[string]func(context.Context, string) error{
		"node": runNode, "node without a cache": runUncached, "engine": runEngine, "worker and serve": runOutside,
	}[os.Getenv(roleEnv)]
	if child == nil {
		os.Exit(m.Run())
	}
	go func() { // never outlive the test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := child(context.Background(), os.Getenv(folderEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func childConfig(folder, data string) node.Config {
	return node.Config{
		Data: filepath.Join(folder, data), Org: filepath.Join(folder, "organisation"), Listen: os.Getenv(listenEnv),
		Out: io.Discard, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// runNode is `muster dev`: everything, on a data folder with full sync.
func runNode(ctx context.Context, folder string) error {
	running, err := node.Start(ctx, node.DevConfig{Config: childConfig(folder, "data"), UIPort: devserver.Off})
	if err != nil {
		return err
	}
	fmt.Println(ready)
	return <-running.Failed
}

// runUncached is a node whose workflows keep nothing in memory: every task of theirs begins with the whole history.
func runUncached(ctx context.Context, folder string) error {
	worker.SetStickyWorkflowCacheSize(0)
	return runNode(ctx, folder)
}

// runEngine is a Temporal of one's own, as far as the other processes know.
func runEngine(ctx context.Context, folder string) error {
	port, err := strconv.Atoi(os.Getenv(portEnv))
	if err != nil {
		return err
	}
	attributes := map[string]enumspb.IndexedValueType{}
	for _, k := range workflows.SearchAttributes() {
		attributes[k.GetName()] = k.GetValueType()
	}
	s, err := devserver.Start(ctx, devserver.Options{
		Folder: filepath.Join(folder, "engine"), SearchAttributes: attributes, FrontendPort: port,
		UIPort: devserver.Off, MetricsPort: devserver.Off, Logger: childConfig(folder, "").Log,
	})
	if err != nil {
		return err
	}
	fmt.Println(ready)
	return <-s.Failed()
}

// runOutside is `muster worker` and `muster serve` against the Temporal of the environment.
func runOutside(ctx context.Context, folder string) error {
	failed := make(chan error, 2)
	worker, serve := childConfig(folder, "worker"), childConfig(folder, "serve")
	worker.Listen = ""
	worker.Keys = filepath.Join(folder, "keys.json") // one installation has one set of keys
	serve.Keys = worker.Keys
	serve.Out = readyWhenTold{}
	go func() { failed <- node.Worker(ctx, worker) }()
	go func() { failed <- node.Serve(ctx, serve) }()
	return <-failed
}

// readyWhenTold says that the child is ready when serve says that it listens.
type readyWhenTold struct{}

func (readyWhenTold) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "listens on") {
		fmt.Println(ready)
	}
	return len(line), nil
}

// A child is a process that can be killed.
type child struct {
	cmd   *exec.Cmd
	ready chan struct{} // closed when it answers
	ended chan struct{} // closed when it is gone
	state error         // of its end, to be read after that
	log   string
}

// start runs this binary again.
func start(t *testing.T, role, folder string, env ...string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role, folderEnv+"="+folder), env...)
	return launch(t, cmd, filepath.Join(folder, strings.ReplaceAll(role, " ", "-")+".log"), ready)
}

// launch runs a program that is ready when it prints a line with some words. What it says else goes to a log.
func launch(t *testing.T, cmd *exec.Cmd, said, words string) *child {
	t.Helper()
	c := &child{cmd: cmd, ready: make(chan struct{}), ended: make(chan struct{}), log: said}
	if _, err := c.cmd.StdinPipe(); err != nil { // held open until the child ends
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(c.log), tail(c.log))
			_ = os.Truncate(c.log, 0) // it is said once, for all that share it
		}
	})
	c.cmd.Stderr = log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = log.Close() // the child has its own
	go func() {
		var once sync.Once
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.Contains(lines.Text(), words) {
				once.Do(func() { close(c.ready) })
			}
		}
		c.state = c.cmd.Wait()
		close(c.ended)
	}()
	t.Cleanup(c.kill)
	return c
}

// kill ends the child without a word, as a power cut would.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

// freeze stops the child in the middle of whatever it does; thaw lets it go on.
func (c *child) freeze() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }
func (c *child) thaw() error   { return c.cmd.Process.Signal(syscall.SIGCONT) }

// awaitReady waits until the child answers.
func (c *child) awaitReady(t *testing.T) {
	t.Helper()
	select {
	case <-c.ready:
	case <-c.ended:
		t.Fatalf("the child ended by itself: %v", c.state)
	case <-t.Context().Done():
		t.Fatal("the child is not ready")
	}
}

func tail(path string) string {
	const most = 4 << 10
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

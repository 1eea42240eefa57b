package devserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// The test binary runs itself again as a process that can be killed. These say as what, and on which folder.
const (
	childEnv  = "MUSTER_DEVSERVER_CHILD"
	folderEnv = "MUSTER_DEVSERVER_FOLDER"
)

func TestMain(m *testing.M) {
	child := map[string]func(folder string) error{"serve": serve, "set up": setUp}[os.Getenv(childEnv)]
	if child == nil {
		os.Exit(m.Run())
	}
	go func() { // Never outlive the test.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	if err := child(os.Getenv(folderEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve starts workflows on the folder until it is killed and prints the id of each that Temporal acknowledged.
func serve(folder string) error {
	ctx := context.Background()
	s, err := Start(ctx, Options{Folder: folder, UIPort: Off, MetricsPort: Off, Logger: quiet()})
	if err != nil {
		return err
	}
	dial := s.ClientOptions()
	dial.Logger = sdklog.NewStructuredLogger(quiet())
	c, err := client.Dial(dial)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for starter := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("run-%d-%d-%d", os.Getpid(), starter, i)
				_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: "nobody"}, "Wait")
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(id)
			}
		}()
	}
	return <-failed
}

// setUp sets up one folder after another until it is killed.
func setUp(parent string) error {
	for i := 0; ; i++ {
		folder := filepath.Join(parent, fmt.Sprint(i))
		fmt.Println(folder)
		f, err := openFolder(folder, quiet(), func(string) {})
		if err != nil {
			return err
		}
		f.unlock()
	}
}

// startChild runs this binary again. It returns its printed lines and a way to kill it that waits for its end.
func startChild(t *testing.T, as, folder string) (lines *bufio.Scanner, kill func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+as, folderEnv+"="+folder)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // Held open until the child ends.
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { _ = cmd.Process.Kill() }
	t.Cleanup(func() {
		kill()
		_ = cmd.Wait()
	})
	return bufio.NewScanner(out), kill
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openFolder takes a folder and opens the engine in it.
func openFolder(path string, log *slog.Logger, progress func(string)) (*folder, error) {
	f, err := takeFolder(path, log)
	if err != nil {
		return nil, err
	}
	if err := f.open(progress); err != nil {
		f.unlock()
		return nil, err
	}
	return f, nil
}

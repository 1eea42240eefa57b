package node_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/node"
)

// manager stands in for a service manager that has started this process, and returns what it is told, in order, or nothing when it is
// told nothing within a time.
func manager(t *testing.T, socket string) (said func(within time.Duration) string) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	return func(within time.Duration) string {
		text := make([]byte, 100)
		must(t, conn.SetReadDeadline(time.Now().Add(within)))
		n, err := conn.Read(text)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			must(t, err)
		}
		return string(text[:n])
	}
}

// TestTellsTheServiceManager says that it is ready when Temporal answers and not before, and that it stops.
func TestTellsTheServiceManager(t *testing.T) {
	address := free(t)
	settings(t, address)
	cfg, words := config(t)
	said := manager(t, filepath.Join(t.TempDir(), "notify"))
	stop := run(t, node.Worker, cfg)
	eventually(t, "the worker waits for Temporal", func() bool { return words.count("waiting for temporal") > 0 })
	if got := said(time.Millisecond); got != "" { // it would be there by now
		t.Errorf("before Temporal answers: got %q", got)
	}
	newTemporal().start(t, address)
	if got := said(time.Minute); got != "READY=1" {
		t.Errorf("when Temporal answers: got %q", got)
	}
	must(t, stop())
	if got := said(time.Minute); got != "STOPPING=1" {
		t.Errorf("at the end: got %q", got)
	}
}

// TestTellsByAnAbstractName does so by a name that is in no file system, and serve does it too.
func TestTellsByAnAbstractName(t *testing.T) {
	newTemporal().start(t, "127.0.0.1:0")
	cfg, _ := config(t)
	said := manager(t, "@"+t.TempDir())
	stop := run(t, node.Serve, cfg)
	if got := said(time.Minute); got != "READY=1" {
		t.Errorf("got %q", got)
	}
	must(t, stop())
	if got := said(time.Minute); got != "STOPPING=1" {
		t.Errorf("at the end: got %q", got)
	}
}

// TestAServiceManagerThatIsGone keeps nobody from work.
func TestAServiceManagerThatIsGone(t *testing.T) {
	s := newTemporal()
	s.start(t, "127.0.0.1:0")
	cfg, words := config(t)
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	stop := run(t, node.Worker, cfg)
	<-s.polled
	eventually(t, "it says so", func() bool { return words.count("service manager not told") == 1 })
	must(t, stop())
}

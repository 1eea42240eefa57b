package org_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/org"
)

func open(t *testing.T) (dir string, live *org.Live) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, good(t))
	live, err := org.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, live
}

// logbook is written to by one goroutine and read by another.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func renamed(t *testing.T, name string) map[string]string {
	t.Helper()
	files := good(t)
	change{"organisation.yaml", "name: Acme", "name: " + name}.in(t, files)
	return files
}

func TestReload(t *testing.T) {
	dir, live := open(t)
	first := live.Current()
	step := func(what string, files map[string]string, wantChanged bool, wantName, wantFault string) {
		t.Helper()
		write(t, dir, files)
		changed, err := live.Reload()
		if changed != wantChanged || live.Current().Name != wantName {
			t.Errorf("%s: changed %t, name %s", what, changed, live.Current().Name)
		}
		for _, err := range []error{err, live.Fault()} {
			if (err == nil) != (wantFault == "") || !strings.Contains(shown(err), wantFault) {
				t.Errorf("%s: fault %v, want %q", what, err, wantFault)
			}
		}
	}
	step("as it was", nil, false, "Acme", "")
	if live.Current() != first {
		t.Error("the same folder was loaded again")
	}
	step("another name", renamed(t, "Brand"), true, "Brand", "")
	step("a fault", renamed(t, "[]"), false, "Brand", "organisation.yaml:2:7: organisation: name")
	step("still there", nil, false, "Brand", "organisation.yaml:2:7: organisation: name")
	step("as it was before", renamed(t, "Brand"), false, "Brand", "")
	step("a stray file", map[string]string{"stray.yaml": ""}, false, "Brand", "stray.yaml: not a file")
	if err := os.Remove(filepath.Join(dir, "stray.yaml")); err != nil {
		t.Fatal(err)
	}
	step("no stray file", nil, false, "Brand", "")
	step("another name", renamed(t, "Crane"), true, "Crane", "")

	moved := dir + "-moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if changed, err := live.Reload(); changed || err == nil || live.Fault() == nil || live.Current().Name != "Crane" {
		t.Errorf("no folder: %t, %v", changed, err)
	}
	if err := os.Rename(moved, dir); err != nil {
		t.Fatal(err)
	}
	step("the folder is back", nil, false, "Crane", "")
}

func TestOpenRefusesABrokenFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, renamed(t, "[]"))
	if live, err := org.Open(dir); err == nil || live != nil {
		t.Error("a broken folder was opened")
	}
}

// TestFollow runs on a clock that jumps from one wait to the next.
func TestFollow(t *testing.T) {
	dir, live := open(t)
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			live.Follow(ctx, 5*time.Second, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		said := func(after time.Duration) string {
			time.Sleep(after)
			synctest.Wait()
			return log.take()
		}
		if text := said(time.Minute); text != "" {
			t.Errorf("nothing has changed: %s", text)
		}
		time.Sleep(time.Millisecond) // between two looks
		for n := range 40 {          // somebody writes for ten seconds
			write(t, dir, renamed(t, "Draft "+strings.Repeat("x", n)))
			if text := said(250 * time.Millisecond); text != "" {
				t.Errorf("took a folder that was being written: %s", text)
			}
		}
		if text := said(2 * time.Second); !strings.Contains(text, "organisation folder reloaded") || !strings.HasPrefix(live.Current().Name, "Draft") {
			t.Errorf("a change: %s", text)
		}
		write(t, dir, renamed(t, "[]"))
		if text := said(time.Minute); strings.Count(text, "has faults") != 1 || !strings.Contains(text, "organisation.yaml:2:7") || live.Fault() == nil {
			t.Errorf("a fault is told once: %s", text)
		}
		write(t, dir, renamed(t, "Brand"))
		if text := said(6 * time.Second); !strings.Contains(text, "without fault again") || live.Current().Name != "Brand" || live.Fault() != nil {
			t.Errorf("repaired: %s", text)
		}
		cancel()
		<-done
	})
}

func TestLiveIsSafeForConcurrentUse(t *testing.T) {
	dir, live := open(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if live.Current().Name == "" {
					t.Error("no organisation")
				}
				_, _ = live.Reload()
				_ = live.Fault()
			}
		})
	}
	for n := range 20 {
		write(t, dir, renamed(t, "Name "+strings.Repeat("x", n)))
	}
	all.Wait()
}

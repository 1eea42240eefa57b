package devserver_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/devserver"
)

func TestTokenFile(t *testing.T) {
	opts := devserver.Options{
		Folder: t.TempDir(), NormalSync: true, UIPort: devserver.Off, MetricsPort: devserver.Off,
	}
	path := filepath.Join(opts.Folder, devserver.TokenFile)
	run := func() devserver.Token {
		s := start(t, opts)
		defer stop(t, s)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != string(s.Token)+"\n" {
			t.Errorf("the file does not hold the token and a line end")
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode of the token file: got %v, %v, want 0600", info.Mode(), err)
		}
		counts(t, dial(t, s), "WorkflowType = 'Wait'", 0)
		return s.Token
	}
	first := run()
	if again := run(); again != first {
		t.Error("the token did not survive a restart")
	}
	// A data folder from before there were tokens has none; and who deletes one wants another.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("of a killed start"), 0o644); err != nil {
		t.Fatal(err)
	}
	if other := run(); other == first {
		t.Error("the deleted token is back")
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the unfinished token file is still there")
	}
}

func TestTokenFileRefused(t *testing.T) {
	write := func(text string, mode os.FileMode) func(path string) error {
		return func(path string) error {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
			return os.Chmod(path, mode)
		}
	}
	const (
		good   = "q0s5xkYp9b3yTg1mZ7vC2dJfHn8LwR4uQaEeXoPiBt0"
		remove = "delete the file, and the next start makes a new one"
		form   = "want 32 random bytes as base64url on one line: " + remove
	)
	for _, row := range []struct {
		name string
		put  func(path string) error
		want string
	}{
		{"empty", write("", 0o600), form},
		{"a line end", write("\n", 0o600), form},
		{"too short", write(good[:42]+"\n", 0o600), form},
		{"two lines", write(good+"\n"+good+"\n", 0o600), form},
		{"a password", write("hunter2\n", 0o600), form},
		{"the group may read it", write(good, 0o640), "its mode is 0640, so others may read or change it: " + remove},
		{"all may read it", write(good, 0o644), "its mode is 0644, so others may read or change it: " + remove + "; or set 0600"},
		{"all may write it", write(good, 0o602), "its mode is 0602, so others may read or change it"},
		{"a folder", func(path string) error { return os.Mkdir(path, 0o700) }, "not a regular file: " + remove},
		{"a link to itself", func(path string) error { return os.Symlink(path, path) }, "too many levels of symbolic links"},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, devserver.TokenFile)
			if err := row.put(path); err != nil {
				t.Fatal(err)
			}
			s, err := devserver.Start(t.Context(), devserver.Options{Folder: folder, Logger: slog.New(slog.DiscardHandler)})
			if err == nil {
				s.Stop()
				t.Fatal("started")
			}
			if want := "start temporal: read token " + path + ": "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %s…", err, want)
			}
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if strings.Contains(err.Error(), good[:20]) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows what stands in the file: %v", err)
			}
			if err := devserver.InUse(folder); err != nil {
				t.Errorf("the refused start holds the folder: %v", err)
			}
		})
	}
}

package wholefile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"muster/internal/wholefile"
)

// names returns what is in a folder.
func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.md")
	for _, content := range []string{"a first and longer text", "다음", ""} {
		if err := wholefile.Write(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("got %q, %v; want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got %v, %v; want mode 0640", info, err)
	}
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("got %v, want the file alone", left)
	}
}

// TestWriteRefused leaves what was there, and nothing else.
func TestWriteRefused(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{taken, filepath.Join(folder, "missing", "report.md")} {
		if err := wholefile.Write(path, []byte("x"), 0o600); err == nil || !strings.HasPrefix(err.Error(), "write "+path+": ") {
			t.Errorf("got %v, want the path in the error", err)
		}
	}
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("got %v, want the folder alone", left)
	}
}

// TestReplace keeps the mode, and where root does it the owner and the group.
func TestReplace(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keys.json")
	if err := wholefile.Write(path, []byte("old"), 0o440); err != nil {
		t.Fatal(err)
	}
	whose := os.Geteuid()
	if whose == 0 {
		whose = 54321
		if err := os.Chown(path, whose, whose); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := wholefile.Replace(path, []byte("new"), before); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || after.Mode() != 0o440 || int(after.Sys().(*syscall.Stat_t).Uid) != whose || os.SameFile(before, after) {
		t.Errorf("got %+v, %v; want another file that looks like the one before", after, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "new" {
		t.Errorf("got %q, %v", got, err)
	}
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("got %v, want the file alone", left)
	}
}

// TestCreate leaves what is there alone, also when many create one file at once.
func TestCreate(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "key")
	var writers sync.WaitGroup
	var created atomic.Int32
	for _, letter := range []byte("abcdefgh") {
		writers.Go(func() {
			err := wholefile.Create(path, bytes.Repeat([]byte{letter}, 64<<10), 0o600)
			switch {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, fs.ErrExist) || !strings.HasPrefix(err.Error(), "write "+path+": "):
				t.Errorf("got %v, want that it is there", err)
			}
		})
	}
	writers.Wait()
	got, err := os.ReadFile(path)
	if err != nil || len(got) != 64<<10 || !bytes.Equal(got, bytes.Repeat(got[:1], 64<<10)) || created.Load() != 1 {
		t.Errorf("got %d bytes, %v, created %d times; want one whole file", len(got), err, created.Load())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v; want mode 0600", info, err)
	}
	if left := names(t, folder); len(left) != 1 {
		t.Errorf("got %v, want the file alone", left)
	}
}

// TestReadersSeeWholeFiles reads one file while others replace it.
func TestReadersSeeWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ticket.json")
	whole := func(letter byte) []byte { return bytes.Repeat([]byte{letter}, 64<<10) }
	if err := wholefile.Write(path, whole('a'), 0o600); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for _, letter := range []byte("bcd") {
		writers.Go(func() {
			for range 10 {
				if err := wholefile.Write(path, whole(letter), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		got, err := os.ReadFile(path)
		if err != nil || len(got) == 0 || !bytes.Equal(got, whole(got[0])) {
			t.Fatalf("got %d bytes, %v; want one of the whole files", len(got), err)
		}
	}
	writers.Wait()
}

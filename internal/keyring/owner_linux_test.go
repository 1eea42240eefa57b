package keyring_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"muster/internal/keyring"
)

// Users and groups that nobody has.
const (
	muster  = 54321
	another = 54322
)

// as does something as another user, in the group of root still: in a thread that ends with it.
func as(t *testing.T, user int, do func()) {
	t.Helper()
	done := make(chan syscall.Errno)
	go func() {
		runtime.LockOSThread()
		_, _, failed := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(user), uintptr(user), uintptr(user))
		if failed == 0 {
			do()
		}
		done <- failed
	}()
	if failed := <-done; failed != 0 {
		t.Fatal(failed)
	}
}

// handed makes a file of keys in a folder of its own, which all may look into.
func handed(t *testing.T, owner, group int, mode os.FileMode) (file string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	folder := t.TempDir()
	file = filepath.Join(folder, keyring.File)
	if _, err := keyring.New(file, noon); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(filepath.Dir(folder), 0o755), os.Chmod(folder, 0o755), os.Chown(file, owner, group), os.Chmod(file, mode)); err != nil {
		t.Fatal(err)
	}
	return file
}

// is tells whose a file is, and its mode.
func is(t *testing.T, file string) (owner, group int, mode os.FileMode) {
	t.Helper()
	state, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	s := state.Sys().(*syscall.Stat_t)
	return int(s.Uid), int(s.Gid), state.Mode()
}

func TestRootChangesTheFileOfOthers(t *testing.T) {
	for _, tc := range []struct {
		owner int
		mode  os.FileMode
	}{
		{0, 0o640}, // handed to the group of whoever runs Muster
		{muster, 0o600},
	} {
		file := handed(t, tc.owner, muster, tc.mode)
		made, err := keyring.Rotate(file, noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Revoke(file, made.ID, noon); err != nil {
			t.Error(err)
		}
		if owner, group, mode := is(t, file); owner != tc.owner || group != muster || mode != tc.mode {
			t.Errorf("changed, it belongs to %d:%d with mode %o; want %d:%d and %o still", owner, group, mode, tc.owner, muster, tc.mode)
		}
		if owner, _, _ := is(t, file+".lock"); owner != tc.owner {
			t.Errorf("the lock belongs to %d, want %d", owner, tc.owner)
		}
		if keys, err := keyring.Read(file); err != nil || len(keys) != 2 {
			t.Errorf("it has %d keys, %v; want 2", len(keys), err)
		}
	}
}

func TestRootListsThePayloadKeysOfOthers(t *testing.T) {
	c := &clock{noon}
	file, _, _ := newPayloads(t, c)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.OpenPayloads(file, c.now); err == nil {
		t.Error("it is used where a group reads it")
	}
	if _, err := keyring.ReadPayloads(file, c.now); (err == nil) != (os.Geteuid() == 0) {
		t.Errorf("listed: %v", err)
	}
}

// Nothing is changed by a user who would leave a file of another owner or group, or who may not write there.
func TestWhoMayNotChangeAFileIsToldWhoMay(t *testing.T) {
	for name, tc := range map[string]struct {
		owner, group int
		mode         os.FileMode
		folder, lock int // whose they are; the lock of nobody is not there
		want         string
	}{
		"root's file":      {0, 0, 0o640, muster, -1, "keys.json belongs to root:root: run muster keys signing or muster keys payload as root"},
		"root's folder":    {muster, 0, 0o600, 0, -1, " belongs to root:root: run muster keys signing or muster keys payload as root"},
		"another's file":   {another, 0, 0o600, muster, -1, "keys.json belongs to 54322:root: run muster keys signing or muster keys payload as 54322 or root"},
		"another's folder": {muster, 0, 0o600, another, -1, " belongs to 54322:root: run muster keys signing or muster keys payload as root"},
		"root's lock":      {muster, 0, 0o600, muster, 0, "keys.json.lock belongs to root:root: run muster keys signing or muster keys payload as root"},
		"a foreign group":  {muster, another, 0o600, muster, -1, "keys.json belongs to 54321:54322: run muster keys signing or muster keys payload as root"},
	} {
		t.Run(name, func(t *testing.T) {
			file := handed(t, tc.owner, tc.group, tc.mode)
			before, err := os.ReadFile(file)
			if err = errors.Join(err, os.Chown(filepath.Dir(file), tc.folder, -1)); err != nil {
				t.Fatal(err)
			}
			if tc.lock >= 0 {
				if err := errors.Join(os.WriteFile(file+".lock", nil, 0o600), os.Chown(file+".lock", tc.lock, -1)); err != nil {
					t.Fatal(err)
				}
			}
			as(t, muster, func() { _, err = keyring.Rotate(file, noon) })
			if !errors.Is(err, keyring.ErrFixed) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			after, err := os.ReadFile(file)
			if owner, group, mode := is(t, file); err != nil || string(after) != string(before) || owner != tc.owner || group != tc.group || mode != tc.mode {
				t.Errorf("it was changed, or belongs to %d:%d with mode %o: %v", owner, group, mode, err)
			}
			left, _ := fs.Glob(os.DirFS(filepath.Dir(file)), ".*")
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

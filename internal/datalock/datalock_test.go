package datalock_test

import (
	"fmt"
	"os"
	"testing"

	"muster/internal/datalock"
)

// A folder is for one alone, or for any number that share it.
func TestLock(t *testing.T) {
	folder := t.TempDir()
	take := func(how func(string) (*datalock.Lock, error)) *datalock.Lock {
		t.Helper()
		l, err := how(folder)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	refused := func(how func(string) (*datalock.Lock, error), want string) {
		t.Helper()
		if _, err := how(folder); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	alone := take(datalock.Take)
	named := fmt.Sprintf("in use by another muster (process %d): stop that one, or choose another folder", os.Getpid())
	refused(datalock.Take, named)
	refused(datalock.Share, named)
	alone.Release()
	first, second := take(datalock.Share), take(datalock.Share)
	first.Release()
	refused(datalock.Take, "in use by another muster: stop that one, or choose another folder")
	second.Release()
	take(datalock.Take).Release()
	if _, err := datalock.Take(folder + "/none"); err == nil {
		t.Error("a folder that is not there was taken")
	}
}

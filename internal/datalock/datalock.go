// Package datalock says who runs on a data folder: muster dev alone, or muster serve and muster worker beside each other.
package datalock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// File is the name of the lock file in the data folder.
const File = "muster.lock"

// A Lock is a data folder in the hands of this process. The kernel gives it back when the process ends, however it ends. The file itself
// stays: deleting it would let two processes hold two files of the same name.
type Lock struct{ file *os.File }

// Take takes a data folder for this process alone, and writes its number into the file for whoever is refused.
func Take(folder string) (*Lock, error) {
	l, err := take(folder, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(l.file, os.Getpid()); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", l.file.Name(), err), l.file.Close())
	}
	return l, nil
}

// Share takes a data folder beside others that share it. A file system that has no locks is taken as it is.
func Share(folder string) (*Lock, error) {
	l, err := take(folder, syscall.LOCK_SH)
	if errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOTSUP) {
		return &Lock{}, nil
	}
	return l, err
}

func take(folder string, how int) (*Lock, error) {
	file, err := os.OpenFile(filepath.Join(folder, File), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("in use by another muster%s: stop that one, or choose another folder", holder(file))
		return nil, errors.Join(err, file.Close())
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", file.Name(), err), file.Close())
	}
	return &Lock{file}, nil
}

// holder names the process that wrote its number into the lock file, if it can be read.
func holder(file io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(file, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// Release gives the folder back.
func (l *Lock) Release() {
	if l.file == nil {
		return
	}
	_ = l.file.Truncate(0) // only a courtesy to the next reader; the lock ends with Close
	_ = l.file.Close()
}

// Package wholefile writes files that are there whole or not at all, whatever moment a crash picks.
package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Unfinished begins the names of files that are being written. What a crash has left under such a name may be removed.
const Unfinished = ".tmp-"

// Write replaces the file at path by content and returns when both the file and its name are on the disk. The folder must
// exist.
func Write(path string, content []byte, mode os.FileMode) error {
	return put(path, content, moded(mode), os.Rename)
}

// Replace is Write with the mode, the owner and the group of the file that was there before. Who may not give them to the new one
// replaces nothing.
func Replace(path string, content []byte, before fs.FileInfo) error {
	return put(path, content, func(f *os.File) error {
		now, err := f.Stat()
		if err != nil {
			return err
		}
		was, own := before.Sys().(*syscall.Stat_t)
		is, made := now.Sys().(*syscall.Stat_t)
		if own && made && (was.Uid != is.Uid || was.Gid != is.Gid) {
			if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
				return err
			}
		}
		return f.Chmod(before.Mode().Perm()) // last: until then nobody of the wrong group reads it
	}, os.Rename)
}

// Create is Write where there is no file at path yet. Of several who create it at once one does; the error of the others
// is fs.ErrExist, and so is that of whoever comes later.
func Create(path string, content []byte, mode os.FileMode) error {
	return put(path, content, moded(mode), func(written, path string) error {
		return errors.Join(os.Link(written, path), os.Remove(written))
	})
}

func moded(mode os.FileMode) func(*os.File) error {
	return func(f *os.File) error { return f.Chmod(mode) }
}

// put writes a file under another name, lets access be set, and gives it its own by name.
func put(path string, content []byte, access func(*os.File) error, name func(written, path string) error) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, Unfinished)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = access(f)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = name(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Package wholefile writes files that are there whole or not at all, whatever moment a crash picks.
package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Unfinished begins the names of files that are being written. What a crash has left under such a name may be removed.
const Unfinished = ".tmp-"

// Write replaces the file at path by content and returns when both the file and its name are on the disk. The folder must
// exist.
func Write(path string, content []byte, mode os.FileMode) error {
	return put(path, content, mode, os.Rename)
}

// Create is Write where there is no file at path yet. Of several who create it at once one does; the error of the others
// is fs.ErrExist, and so is that of whoever comes later.
func Create(path string, content []byte, mode os.FileMode) error {
	return put(path, content, mode, func(written, path string) error {
		return errors.Join(os.Link(written, path), os.Remove(written))
	})
}

// put writes a file under another name and gives it its own by name.
func put(path string, content []byte, mode os.FileMode, name func(written, path string) error) (err error) {
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
		err = f.Chmod(mode)
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

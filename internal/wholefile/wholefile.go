// Package wholefile writes files that are there whole or not at all, whatever moment a crash picks.
package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Unfinished begins the names of files that are being written. What a crash has left under such a name may be removed.
const Unfinished = ".tmp-"

// Write replaces the file at path by content and returns when both the file and its name are on the disk. The folder must
// exist.
func Write(path string, content []byte, mode os.FileMode) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, Unfinished)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
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
	if err = os.Rename(f.Name(), path); err != nil {
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

// Package localreport keeps finished reports as files in a folder of this machine.
package localreport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"muster/internal/delivery"
	"muster/internal/wholefile"
)

const maxSize = 10_000_000 // bytes of a report that Get hands out

// A Shelf keeps reports below a folder.
type Shelf struct{ Folder string }

// Put writes a report, replacing an older one of the same name whole or not at all, and returns its path. A name is a
// relative path with slashes that stays inside the folder.
func (s *Shelf) Put(_ context.Context, name string, content []byte) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return "", fmt.Errorf("report name %q: want a relative path inside the folder", name)
	}
	path := filepath.Join(s.Folder, local)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make folder of report %s: %w", name, err)
	}
	return path, wholefile.Write(path, content, 0o600)
}

// Get reads a report under the name that it was put under. What no repeating can help is a *delivery.Refusal.
func (s *Shelf) Get(_ context.Context, name string) ([]byte, error) {
	local, err := filepath.Localize(name)
	if err != nil {
		return nil, &delivery.Refusal{Detail: fmt.Sprintf("report name %q: want a relative path inside the folder", name)}
	}
	file, err := os.OpenInRoot(s.Folder, local)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read report %s: it is not on this worker's shelf", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", name, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read report %s: %w", name, err)
	}
	if len(content) > maxSize {
		return nil, &delivery.Refusal{Detail: fmt.Sprintf("report %s: larger than the %d MB that a message may carry", name, maxSize/1_000_000)}
	}
	return content, nil
}

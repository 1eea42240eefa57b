// Package localreport keeps finished reports as files in a folder of this machine.
package localreport

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"muster/internal/wholefile"
)

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

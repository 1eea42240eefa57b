package org

import (
	"time"

	"muster/internal/runbook"
)

// LoadFiles is Load without a disk, at an instant.
func LoadFiles(files map[string]string, now time.Time) (*Organisation, error) {
	f := &folder{files: map[string][]byte{}}
	for name, content := range files {
		f.files[name] = []byte(content)
	}
	return f.load(now)
}

// ParseRunbook reads one file.
func ParseRunbook(file string, content []byte) (runbook.Runbook, []Fault) {
	r := &reader{tables: map[string]*table{}}
	w := readRunbook(r, file, content)
	return w.Runbook, r.faults
}

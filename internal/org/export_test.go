package org

import "time"

// LoadFiles is Load without a disk, at an instant.
func LoadFiles(files map[string]string, now time.Time) (*Organisation, error) {
	f := &folder{files: map[string][]byte{}}
	for name, content := range files {
		f.files[name] = []byte(content)
	}
	return f.load(now)
}

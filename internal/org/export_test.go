package org

import "time"

// LoadFiles is Load without a disk, for the fuzz test.
func LoadFiles(files map[string]string) (*Organisation, error) {
	f := &folder{files: map[string][]byte{}}
	for name, content := range files {
		f.files[name] = []byte(content)
	}
	return f.load(time.Unix(0, 0))
}

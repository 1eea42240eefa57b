package bundle

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/wholefile"
)

// A Folder is a store in a folder that exists.
type Folder string

// List names the files. What a crash has left half written is none of them.
func (f Folder) List(context.Context) ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), wholefile.Unfinished) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Get reads a file.
func (f Folder) Get(_ context.Context, name string) ([]byte, error) {
	return Load(filepath.Join(string(f), name), MaxLogFile)
}

// Create writes a file, unless there is one.
func (f Folder) Create(_ context.Context, name string, content []byte) error {
	return wholefile.Create(filepath.Join(string(f), name), content, 0o644)
}

// Load reads a file of bounded size.
func Load(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("read %s: more than %d bytes", file, most)
	}
	return content, err
}

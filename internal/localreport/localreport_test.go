package localreport_test

import (
	"os"
	"path/filepath"
	"testing"

	"muster/internal/localreport"
)

func TestPutReplacesWholeAndReturnsThePath(t *testing.T) {
	s := &localreport.Shelf{Folder: t.TempDir()}
	for _, content := range []string{"first, and longer", "second"} {
		path, err := s.Put(t.Context(), "INC-1/report.md", []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("read %q, %v; want %q", got, err, content)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Folder, "INC-1", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("in the folder: %v, %v; want the report alone", left, err)
	}
}

func TestPutStaysInsideItsFolder(t *testing.T) {
	s := &localreport.Shelf{Folder: t.TempDir()}
	for _, name := range []string{"../x", "/etc/x", "a/../../x", ""} {
		if path, err := s.Put(t.Context(), name, nil); err == nil {
			t.Errorf("Put(%q) wrote %s", name, path)
		}
	}
}

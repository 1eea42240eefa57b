package localreport_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/delivery"
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

func TestGetReadsWhatWasPut(t *testing.T) {
	s := &localreport.Shelf{Folder: t.TempDir()}
	for _, content := range []string{"결과 보고서", "", strings.Repeat("x", 10_000_000)} {
		if _, err := s.Put(t.Context(), "INC-1/report.html", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), "INC-1/report.html"); err != nil || !bytes.Equal(got, []byte(content)) {
			t.Errorf("got %d bytes, %v; want the %d that were put", len(got), err, len(content))
		}
	}
}

// What may come later is worth another attempt; what never can be handed out is refused.
func TestGetHandsOutNothingElse(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &localreport.Shelf{Folder: filepath.Join(outside, "reports")}
	if _, err := s.Put(t.Context(), "INC-1/large.html", make([]byte, 10_000_001)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(s.Folder, "link")); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		final bool
		want  string
	}{
		"INC-1/gone.html":  {false, "read report INC-1/gone.html: it is not on this worker's shelf"},
		"INC-9/gone.html":  {false, "it is not on this worker's shelf"},
		"INC-1":            {false, "read report INC-1: "},
		"link":             {false, "read report link: "},
		"INC-1/large.html": {true, "report INC-1/large.html: larger than the 10 MB that a message may carry"},
		"../secret":        {true, `report name "../secret": want a relative path inside the folder`},
		secret:             {true, "want a relative path inside the folder"},
		"":                 {true, "want a relative path inside the folder"},
	} {
		got, err := s.Get(t.Context(), name)
		if err == nil || delivery.IsRefusal(err) != tt.final || !strings.Contains(err.Error(), tt.want) || got != nil {
			t.Errorf("%q: got %q, %v; want final %v, %q", name, got, err, tt.final, tt.want)
		}
	}
}

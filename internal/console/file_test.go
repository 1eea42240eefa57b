package console_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/console"
	"muster/internal/delivery"
	"muster/internal/outbound"
)

// read decodes every line of a file, strictly.
func read(t *testing.T, path string) []outbound.Delivery {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []outbound.Delivery
	for line := range strings.Lines(string(content)) {
		var d outbound.Delivery
		if err := json.Unmarshal([]byte(line), &d); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, d)
	}
	return all
}

func TestFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "deliveries")
	file := &console.File{Folder: folder}
	again := envelope()
	again.Attempt, again.Repeated = 2, true
	for _, e := range []delivery.Envelope{envelope(), again} {
		if err := file.Send(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "park.jsonl")
	want := []outbound.Delivery{outbound.NewDelivery(envelope()), outbound.NewDelivery(again)}
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for _, p := range []string{folder, path} {
		found, err := os.Stat(p)
		if err != nil || found.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v, %v", p, found.Mode(), err)
		}
	}
}

// A line says where a document lies, and does not repeat it.
func TestFileNamesAttachments(t *testing.T) {
	folder, e := t.TempDir(), envelope()
	e.Attached = []delivery.Attached{{
		Attachment: delivery.Attachment{Name: "결과.html", Type: "text/html; charset=utf-8", SHA256: "ab", Path: "INC-1/result.html"},
		Content:    []byte("<p>"),
	}}
	if err := (&console.File{Folder: folder, Reports: "/data/reports"}).Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	want := []outbound.Attachment{{
		Name: "결과.html", Type: "text/html; charset=utf-8", SHA256: "ab", Path: "/data/reports/INC-1/result.html",
	}}
	if diff := cmp.Diff(want, read(t, filepath.Join(folder, "park.jsonl"))[0].Attachments); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
}

func TestFileConcurrently(t *testing.T) {
	folder := t.TempDir()
	file := &console.File{Folder: folder}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			e := envelope()
			e.ID = delivery.ID(fmt.Sprint(i))
			if err := file.Send(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[delivery.ID]bool{}
	for _, d := range read(t, filepath.Join(folder, "park.jsonl")) {
		seen[d.ID] = true
	}
	if len(seen) != 40 {
		t.Errorf("%d deliveries, want 40", len(seen))
	}
}

// A line that a power cut left half written stays alone.
func TestFileAfterTornLine(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "park.jsonl")
	if err := os.WriteFile(path, []byte(`{"type":"deliv`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&console.File{Folder: folder}).Send(t.Context(), envelope()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn, rest, _ := strings.Cut(string(content), "\n")
	var d outbound.Delivery
	if err := json.Unmarshal([]byte(rest), &d); err != nil || torn != `{"type":"deliv` || d.ID != envelope().ID {
		t.Errorf("got %q: %v", content, err)
	}
}

func TestFileStaysInItsFolder(t *testing.T) {
	outside := t.TempDir()
	folder := filepath.Join(outside, "in")
	if err := os.MkdirAll(filepath.Join(folder, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(outside, "target")
	if err := os.WriteFile(target, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(target, filepath.Join(folder, "link")), os.Symlink("folder", filepath.Join(folder, "link2")),
		syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", ".", "..", "../target", "/etc/passwd", target, "folder/x", "folder", "link", "link2", "pipe", "./target", "a/../../target",
	} {
		e := envelope()
		e.Contact.Address = name
		if err := (&console.File{Folder: folder}).Send(t.Context(), e); !delivery.IsRefusal(err) {
			t.Errorf("%q: got %v, want a refusal", name, err)
		}
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != "kept" {
		t.Errorf("the file outside now holds %q, %v", content, err)
	}
}

func TestFileWithoutFolder(t *testing.T) {
	if err := new(console.File).Send(t.Context(), envelope()); !delivery.IsRefusal(err) {
		t.Errorf("got %v, want a refusal", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := (&console.File{Folder: blocked}).Send(t.Context(), envelope())
	if _, ok := errors.AsType[*delivery.Unavailable](err); !ok {
		t.Errorf("got %v, want unavailable", err)
	}
}

package node

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/bucket"
	"muster/internal/bundle"
	"muster/internal/org"
)

// The versions in the archive are those that were in use, in their order: one that comes back is there twice, one that only starts anew once.
func TestVersionsAreArchivedAsTheyCame(t *testing.T) {
	files, err := bucket.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	for _, v := range []org.Version{{Revision: "a"}, {Revision: "a"}, {Revision: "b"}, {Revision: "x", Fault: "bad"}, {Revision: "b"}, {Revision: "x", Fault: "bad"}, {Revision: "a"}} {
		s := &spool{files: files, log: slog.New(slog.DiscardHandler)} // each time the process starts anew
		s.version(v, at)
		if err := s.versions(t.Context()); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Hour)
	}
	names, err := files.List(t.Context(), bundle.OrganisationsFolder)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var order []string
	for _, name := range names {
		_, of, _ := strings.Cut(name, ".")
		order = append(order, of)
	}
	if want := []string{"a.json", "b.json", "x.refused.json", "a.json"}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

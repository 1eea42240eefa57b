package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/store"
)

// A store is of one installation, which goes on when its keys are rotated one by one.
func TestAStoreIsOfOneInstallation(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	for _, keys := range [][]string{{"key-a"}, {"key-a"}, {"key-a", "key-b"}, {"key-b", "key-c"}, {"key-d", "key-c"}, {"key-a"}} {
		if err := s.Belongs(t.Context(), keys); err != nil {
			t.Errorf("keys %v: got %v, want them taken", keys, err)
		}
	}
	again := open(t, file, time.Now)
	for _, keys := range [][]string{{"key-x"}, {}} {
		err := again.Belongs(t.Context(), keys)
		other, is := errors.AsType[*store.ForeignError](err)
		if !is {
			t.Fatalf("keys %v: got %v, want the store refused", keys, err)
		}
		if d := cmp.Diff([]string{"key-a", "key-b", "key-c", "key-d"}, other.Keys); d != "" {
			t.Errorf("keys of the installation: %s", d)
		}
	}
	if err := again.Belongs(t.Context(), []string{"key-d", "key-e"}); err != nil {
		t.Errorf("after a refusal: got %v", err)
	}
}

package localticket_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/localticket"
	"muster/internal/ticket"
)

func open(t *testing.T, folder string) *localticket.Store {
	t.Helper()
	s, err := localticket.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func revision(key string, n int) ticket.Ticket {
	return ticket.Ticket{
		Key: key, Revision: n, At: time.Date(2026, 11, 22, 10, n, 0, 0, time.UTC), Title: "장애 <shop>",
		Text: fmt.Sprintf("revision %d", n), Status: "triggered", Priority: "P1", Service: "shop", Language: "ko",
	}
}

func mustOpen(t *testing.T, s *localticket.Store, key string) ticket.Ref {
	t.Helper()
	ref, err := s.Open(t.Context(), revision(key, 1))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestLifeOfATicket(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "tickets")
	s := open(t, folder)
	ref := mustOpen(t, s, "incident/1")
	if ref != (ticket.Ref{ID: "T-000001"}) {
		t.Errorf("got %+v", ref)
	}
	for _, n := range []int{2, 5, 3, 5, 6} { // 3 and the second 5 are old news
		if err := s.Update(t.Context(), ref, revision("incident/1", n)); err != nil {
			t.Fatal(err)
		}
	}
	want := localticket.Record{
		ID: "T-000001", Opened: revision("", 1).At, Ticket: revision("incident/1", 6),
		History: []ticket.Ticket{revision("incident/1", 1), revision("incident/1", 2), revision("incident/1", 5)},
	}
	for name, s := range map[string]*localticket.Store{"the same": s, "a restarted": open(t, folder)} {
		got, err := s.Get("T-000001")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s store (-want +got):\n%s", name, diff)
		}
	}
}

func TestOpenIsIdempotent(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	var wg sync.WaitGroup
	refs := make([]ticket.Ref, 32)
	for i := range refs {
		wg.Go(func() {
			var err error
			if refs[i], err = s.Open(t.Context(), revision(fmt.Sprint("key ", i%4), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	distinct := map[string]string{}
	for i, ref := range refs {
		key := fmt.Sprint("key ", i%4)
		if known, ok := distinct[key]; ok && known != ref.ID {
			t.Errorf("%s has two tickets, %s and %s", key, known, ref.ID)
		}
		distinct[key] = ref.ID
	}
	for key, id := range distinct {
		if again := mustOpen(t, open(t, folder), key); again.ID != id {
			t.Errorf("after a restart %s is %s, not %s", key, again.ID, id)
		}
	}
	if all, err := s.List(); err != nil || len(all) != 4 {
		t.Errorf("%d tickets, %v, want 4", len(all), err)
	}
}

func TestNumbersNeverRepeat(t *testing.T) {
	folder := t.TempDir()
	mustOpen(t, open(t, folder), "a")
	second := mustOpen(t, open(t, folder), "b")
	remove(t, folder, second.ID+".*.json") // by hand, with the process stopped
	third := mustOpen(t, open(t, folder), "c")
	remove(t, folder, "last") // and with it what knows of the removed one
	fourth := mustOpen(t, open(t, folder), "d")
	if second.ID != "T-000002" || third.ID != "T-000003" || fourth.ID != "T-000004" {
		t.Errorf("got %s, %s, %s", second.ID, third.ID, fourth.ID)
	}
}

func remove(t *testing.T, folder, pattern string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	if err := os.Remove(found[0]); err != nil {
		t.Fatal(err)
	}
}

func TestNumbersPastTheirWidth(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "last"), []byte("999998\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, folder)
	for _, key := range []string{"a", "b"} {
		mustOpen(t, s, key)
	}
	all, err := open(t, folder).List()
	if err != nil || len(all) != 2 || all[0].ID != "T-999999" || all[1].ID != "T-1000000" {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestAnyKeyIsSafe(t *testing.T) {
	outside := t.TempDir()
	folder := filepath.Join(outside, "tickets")
	keys := []string{"", ".", "../../x", "/etc/passwd", "a/b", "a\x00b", "T-000001", "last", "..", "열쇠", strings.Repeat("k", 5000), "a\nb"}
	s := open(t, folder)
	ids := map[string]string{}
	for _, key := range keys {
		ids[key] = mustOpen(t, s, key).ID
	}
	s = open(t, folder)
	for _, key := range keys {
		if got, err := s.Get(ids[key]); err != nil || got.Ticket.Key != key {
			t.Errorf("%q: got %q, %v", key, got.Ticket.Key, err)
		}
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside of the folder there is %v, %v", entries, err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	ref := mustOpen(t, s, "a")
	for n := 2; n <= 205; n++ {
		if err := s.Update(t.Context(), ref, revision("a", n)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Get(ref.ID)
	if err != nil || got.Ticket.Revision != 205 || len(got.History) != 200 || got.History[0].Revision != 5 ||
		got.History[199].Revision != 204 || got.Forgotten != 4 || !got.Opened.Equal(revision("a", 1).At) {
		t.Errorf("revision %d after %d others from %d, %d forgotten, %v", got.Ticket.Revision, len(got.History), got.History[0].Revision, got.Forgotten, err)
	}
	if all, err := s.List(); err != nil || len(all) != 1 || all[0].History != nil || all[0].Ticket.Revision != 205 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func TestUpdateOfAnUnknownTicket(t *testing.T) {
	s := open(t, t.TempDir())
	mine := mustOpen(t, s, "a")
	mustOpen(t, s, "b")
	for _, tt := range []struct {
		ref ticket.Ref
		key string
	}{{ticket.Ref{}, "a"}, {ticket.Ref{ID: "T-000009"}, "a"}, {ticket.Ref{ID: "../last"}, "a"}, {mine, "b"}, {mine, "c"}} {
		if err := s.Update(t.Context(), tt.ref, revision(tt.key, 9)); !delivery.IsRefusal(err) {
			t.Errorf("%s by key %s: got %v, want a refusal", tt.ref.ID, tt.key, err)
		}
	}
	if got, err := s.Get(mine.ID); err != nil || got.Ticket.Revision != 1 {
		t.Errorf("got revision %d, %v", got.Ticket.Revision, err)
	}
}

func TestGetAndListWhatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	if _, err := s.Get("T-000001"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	broken, whole := mustOpen(t, s, "a"), mustOpen(t, s, "b")
	found, _ := filepath.Glob(filepath.Join(folder, broken.ID+".*"))
	if err := os.WriteFile(found[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err == nil || !strings.Contains(err.Error(), broken.ID) || len(all) != 1 || all[0].ID != whole.ID {
		t.Errorf("listed %+v, %v", all, err)
	}
	if _, err := s.Get(broken.ID); err == nil {
		t.Error("a broken ticket was read")
	}
	if err := s.Update(t.Context(), broken, revision("a", 2)); err == nil || delivery.IsRefusal(err) {
		t.Errorf("got %v, want an error that is not final", err)
	}
}

// TestCrash lays out the folder as each crash can leave it.
func TestCrash(t *testing.T) {
	tests := map[string]struct {
		leftover, content string
		wantNext          string
	}{
		"before anything was written":         {"", "", "T-000002"},
		"with half a number file":             {".tmp-123", "", "T-000002"},
		"after the number, before the ticket": {"last", "2\n", "T-000003"},
		"with half a new ticket":              {".tmp-T-000002", `{"id":"T-0000`, "T-000002"},
		"with a whole new ticket, not named":  {".tmp-9", `{"id":"T-000002"}`, "T-000002"},
		"with somebody's note beside":         {"README.json", "not ours", "T-000002"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			first := mustOpen(t, open(t, folder), "a")
			if tt.leftover != "" {
				if err := os.WriteFile(filepath.Join(folder, tt.leftover), []byte(tt.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, folder)
			if left, _ := filepath.Glob(filepath.Join(folder, ".tmp-*")); left != nil {
				t.Errorf("%v was left", left)
			}
			if err := s.Update(t.Context(), first, revision("a", 2)); err != nil {
				t.Error(err)
			}
			if next := mustOpen(t, s, "b"); next.ID != tt.wantNext {
				t.Errorf("the next ticket is %s, want %s", next.ID, tt.wantNext)
			}
			if all, err := s.List(); err != nil || len(all) != 2 || all[0].Ticket.Revision != 2 {
				t.Errorf("listed %+v, %v", all, err)
			}
		})
	}
}

func TestFolderThatFails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "tickets")
	s := open(t, folder)
	first := mustOpen(t, s, "a")
	moved := folder + "-away" // as when a disk is unplugged
	if err := os.Rename(folder, moved); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), revision("b", 1)); err == nil || delivery.IsRefusal(err) {
		t.Errorf("open: got %v, want an error that is not final", err)
	}
	if err := s.Update(t.Context(), first, revision("a", 2)); err == nil || delivery.IsRefusal(err) {
		t.Errorf("update: got %v, want an error that is not final", err)
	}
	if err := os.Rename(moved, folder); err != nil {
		t.Fatal(err)
	}
	if second := mustOpen(t, s, "b"); second.ID != "T-000002" {
		t.Errorf("afterwards: got %s", second.ID)
	}
	if err := os.WriteFile(filepath.Join(folder, "last"), []byte("many"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := localticket.New(folder); err == nil || !strings.Contains(err.Error(), "last") {
		t.Errorf("a broken number file: got %v", err)
	}
	if _, err := localticket.New(filepath.Join(folder, "last")); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestCancelled(t *testing.T) {
	s := open(t, t.TempDir())
	first := mustOpen(t, s, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Open(ctx, revision("b", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("open: got %v", err)
	}
	if err := s.Update(ctx, first, revision("a", 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("update: got %v", err)
	}
	if all, err := s.List(); err != nil || len(all) != 1 || all[0].Ticket.Revision != 1 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

// Two processes on one folder give each ticket one number, and each brings those of the other up to date.
func TestTwoProcessesShareAFolder(t *testing.T) {
	folder := t.TempDir()
	stores := []*localticket.Store{open(t, folder), open(t, folder)}
	const tickets = 40
	refs := make([][2]ticket.Ref, tickets)
	var all sync.WaitGroup
	for n := range tickets {
		for k, s := range stores {
			all.Go(func() {
				ref, err := s.Open(t.Context(), ticket.Ticket{Key: fmt.Sprint("INC-", n), Revision: 1})
				if err != nil {
					t.Error(err)
				}
				refs[n][k] = ref
			})
		}
	}
	all.Wait()
	seen := map[string]bool{}
	for n, of := range refs {
		if of[0] != of[1] || seen[of[0].ID] {
			t.Errorf("ticket %d: %v, want one number that no other has", n, of)
		}
		seen[of[0].ID] = true
		if err := stores[n%2].Update(t.Context(), of[0], ticket.Ticket{Key: fmt.Sprint("INC-", n), Revision: 2, Title: "over"}); err != nil {
			t.Error(err)
		}
		if r, err := stores[1-n%2].Get(of[0].ID); err != nil || r.Ticket.Title != "over" {
			t.Errorf("ticket %d at the other one: %+v, %v", n, r, err)
		}
	}
	if listed, err := stores[0].List(); err != nil || len(listed) != tickets {
		t.Errorf("%d tickets are listed, %v; want %d", len(listed), err, tickets)
	}
}

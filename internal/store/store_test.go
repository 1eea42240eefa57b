package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/postgres"
	"muster/internal/store"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 9, 30, 0, 123_456_000, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open opens a store until the end of the test.
func open(t testing.TB, file string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := openStore(t.Context(), file, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// openStore opens a file, or a database.
func openStore(ctx context.Context, place string, now func() time.Time) (*store.Store, error) {
	if !strings.HasPrefix(place, "postgres:") {
		return store.Open(ctx, place, now)
	}
	db, err := postgres.Parse(place)
	if err != nil {
		return nil, err
	}
	return store.OpenPostgres(ctx, db, now)
}

var databases atomic.Int64

// inFolder is a place where no store is yet.
func inFolder(t testing.TB) string {
	if on := os.Getenv(clusterEnv); on != "" {
		return strings.Replace(on, "NAME", fmt.Sprint("store", databases.Add(1)), 1)
	}
	return filepath.Join(t.TempDir(), store.File)
}

// ofFiles skips a test that is about files where the tests run on databases.
func ofFiles(t testing.TB) {
	t.Helper()
	if os.Getenv(clusterEnv) != "" {
		t.Skip("it is about files, and the tests run on a database")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// raw runs SQL on a file behind the store's back.
func raw(t testing.TB, file string, statements ...string) {
	t.Helper()
	must(t, tryRaw(t, file, statements...))
}

// on is a statement as the kind of database reads it on which the tests run.
func on(sqlite, postgreSQL string) string {
	if os.Getenv(clusterEnv) != "" {
		return postgreSQL
	}
	return sqlite
}

// refuse lets a table refuse something, as if the disk were full.
func refuse(t testing.TB, file, what, when string) {
	t.Helper()
	trigger := "CREATE TRIGGER no_room BEFORE " + what + " FOR EACH ROW " + when
	raw(t, file, on(
		trigger+" BEGIN SELECT RAISE(ABORT, 'disk full'); END",
		"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$; "+trigger+" EXECUTE FUNCTION no_room()",
	))
}

func tryRaw(t testing.TB, file string, statements ...string) error {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	if strings.HasPrefix(file, "postgres:") {
		d, err := postgres.Parse(file)
		must(t, err)
		db = d.Within(store.Schema).Open()
	}
	defer func() { must(t, db.Close()) }()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			return err
		}
	}
	return nil
}

// wantFaults expects a fault of exactly these fields.
func wantFaults(t *testing.T, err error, fields ...string) {
	t.Helper()
	var got []string
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case nil:
		case *store.FaultError:
			got = append(got, e.Field)
			if e.Detail == "" {
				t.Errorf("%s: got no detail", e.Field)
			}
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				walk(err)
			}
		default:
			walk(errors.Unwrap(err))
		}
	}
	walk(err)
	if !slices.Equal(got, fields) {
		t.Errorf("got faults of %q (%v), want %q", got, err, fields)
	}
}

func TestOpenMakesAFileForItsOwner(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a b?c#d%20 이름")
	must(t, os.Mkdir(folder, 0o700))
	file := filepath.Join(folder, store.File)
	s := open(t, file, time.Now)
	must(t, s.Err(t.Context()))
	entries, err := os.ReadDir(folder)
	must(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), store.File) {
			t.Errorf("got %s beside the file", e.Name())
		}
		state, err := e.Info()
		must(t, err)
		if state.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", e.Name(), state.Mode())
		}
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == store.File+"-wal" }) {
		t.Errorf("got %v, want a write-ahead log", entries)
	}
}

func TestOpenTakesRightsFromOthers(t *testing.T) {
	ofFiles(t)
	file := inFolder(t)
	must(t, os.WriteFile(file, nil, 0o644)) // an empty file is an empty database
	must(t, open(t, file, time.Now).Err(t.Context()))
	state, err := os.Stat(file)
	must(t, err)
	if state.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, want 0600", state.Mode())
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T, file string)
		want string
	}{
		{"no folder", func(t *testing.T, file string) { must(t, os.Remove(filepath.Dir(file))) }, "no such file"},
		{"a folder in its place", func(t *testing.T, file string) { must(t, os.Mkdir(file, 0o755)) }, "want a file"},
		{"no SQLite", func(t *testing.T, file string) {
			must(t, os.WriteFile(file, bytes.Repeat([]byte("tokens: []\n"), 100), 0o600))
		}, "file is not a database"},
		{"a part of a database", func(t *testing.T, file string) {
			must(t, open(t, file, time.Now).Close())
			must(t, os.Truncate(file, 50))
		}, "malformed"},
		{"a database of something else", func(t *testing.T, file string) {
			raw(t, file, "CREATE TABLE namespaces (id TEXT)")
		}, "something else"},
		{"a database of something else with our version", func(t *testing.T, file string) {
			raw(t, file, "CREATE TABLE namespaces (id TEXT)", "PRAGMA user_version = 1")
		}, "something else"},
		{"a newer schema", func(t *testing.T, file string) {
			must(t, open(t, file, time.Now).Close())
			raw(t, file, "PRAGMA user_version = 99")
		}, "its schema has version 99, and this Muster knows 2: want the newer Muster"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "data", store.File)
			must(t, os.Mkdir(filepath.Dir(file), 0o700))
			tc.make(t, file)
			before, _ := os.ReadFile(file) // may be none
			beside := names(filepath.Dir(file))
			_, err := openStore(t.Context(), file, time.Now)
			if err == nil || !strings.HasPrefix(err.Error(), "open store "+file+": ") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			if got := names(filepath.Dir(file)); !slices.Equal(got, beside) {
				t.Errorf("got %v in the folder, want %v", got, beside)
			}
		})
	}
}

// names are what is in a folder, if it is there.
func names(folder string) []string {
	entries, _ := os.ReadDir(folder)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Of many that begin at once on nothing, all get the same store.
func TestOpenAtOnce(t *testing.T) {
	file := inFolder(t)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			s, err := openStore(t.Context(), file, time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := s.CreateToken(t.Context(), laptop()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	tokens, err := open(t, file, time.Now).Tokens(t.Context())
	if err != nil || len(tokens) != 12 {
		t.Errorf("got %d tokens, %v; want 12", len(tokens), err)
	}
	if got := names(filepath.Dir(file)); slices.ContainsFunc(got, func(name string) bool { return strings.HasPrefix(name, ".tmp-") }) {
		t.Errorf("got %v, want nothing unfinished", got)
	}
}

func TestErrSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"the file is gone", func(t *testing.T, file string) { ofFiles(t); must(t, os.Remove(file)) }, "no such file"},
		{"another file has its place", func(t *testing.T, file string) {
			ofFiles(t)
			must(t, os.Rename(file, file+".old"))
			must(t, os.WriteFile(file, nil, 0o600))
		}, "another file has its place"},
		{"a newer Muster came by", func(t *testing.T, file string) {
			raw(t, file, on("PRAGMA user_version = 99", "UPDATE store_version SET number = 99"))
		}, "version 99"},
		{"it cannot be written", func(t *testing.T, file string) {
			refuse(t, file, "UPDATE ON checks", "")
		}, "disk full"},
		{"a table is gone", func(t *testing.T, file string) { raw(t, file, "DROP TABLE checks") }, on("no such table", "does not exist")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := inFolder(t)
			s := open(t, file, time.Now)
			must(t, s.Err(t.Context()))
			tc.spoil(t, file)
			err := s.Err(t.Context())
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAContextThatHasEnded(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	secret, _, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"open":     func() error { _, err := openStore(ended, file, time.Now); return err },
		"err":      func() error { return s.Err(ended) },
		"create":   func() error { _, _, err := s.CreateToken(ended, laptop()); return err },
		"list":     func() error { _, err := s.Tokens(ended); return err },
		"revoke":   func() error { _, err := s.RevokeToken(ended, "tok_1"); return err },
		"token":    func() error { _, err := s.Token(ended, secret); return err },
		"begin":    func() error { _, err := s.CreateSession(ended, park(time.Now())); return err },
		"session":  func() error { _, err := s.Session(ended, strings.Repeat("A", 43)); return err },
		"end":      func() error { return s.EndSession(ended, "x") },
		"end all":  func() error { _, err := s.EndSessions(ended, "park"); return err },
		"use":      func() error { _, _, err := s.UseLink(ended, use(time.Now())); return err },
		"used":     func() error { _, _, err := s.UsedLink(ended, "dlv-1"); return err },
		"release":  func() error { return s.ReleaseLink(ended, "dlv-1") },
		"record":   func() error { _, err := s.Record(ended, store.Attempt{Kind: store.AttemptToken}); return err },
		"attempts": func() error { _, err := s.Attempts(ended, 0, 1); return err },
		"check":    func() error { _, err := s.CheckAttempts(ended); return err },
		"head":     func() error { _, _, err := s.Head(ended); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want %v", name, err, context.Canceled)
		}
	}
	must(t, s.Err(t.Context()))
}

// A row that somebody has spoilt is an error and never somebody else's.
func TestARowThatCannotBeRead(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	secret, made, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	session, err := s.CreateSession(t.Context(), park(time.Now()))
	must(t, err)
	raw(t, file, "UPDATE tokens SET roles = 'all'", "UPDATE sessions SET roles = '{}'")
	for name, call := range map[string]func() error{
		"list":    func() error { _, err := s.Tokens(t.Context()); return err },
		"revoke":  func() error { _, err := s.RevokeToken(t.Context(), made.ID); return err },
		"token":   func() error { _, err := s.Token(t.Context(), secret); return err },
		"session": func() error { _, err := s.Session(t.Context(), session); return err },
	} {
		if err := call(); err == nil || errors.Is(err, store.ErrUnknown) || !strings.Contains(err.Error(), "roles") {
			t.Errorf("%s: got %v, want that roles cannot be read", name, err)
		}
	}
}

// Secrets stand nowhere in the files, and hashes only in the columns for them.
func TestNoSecretIsKept(t *testing.T) {
	ofFiles(t)
	file := inFolder(t)
	s := open(t, file, time.Now)
	token, made, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	session, err := s.CreateSession(t.Context(), park(time.Now()))
	must(t, err)
	entries, err := os.ReadDir(filepath.Dir(file))
	must(t, err)
	var content []byte
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), e.Name()))
		must(t, err)
		content = append(content, text...)
	}
	if !bytes.Contains(content, []byte(made.ID)) {
		t.Fatalf("the files do not hold %s: this test proves nothing", made.ID)
	}
	for _, secret := range []string{token, strings.TrimPrefix(token, store.Prefix)[:20], session, session[:20]} {
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("the files hold a part of a secret of %d characters", len(secret))
		}
	}
}

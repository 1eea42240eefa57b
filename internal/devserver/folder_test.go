package devserver

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/datalock"
	"muster/internal/postgres"
)

func open(t *testing.T, path string) *folder {
	t.Helper()
	f, err := openFolder(path, quiet(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNewFolderIsPrivateAndComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "data")
	f := open(t, path)
	defer f.unlock()
	for _, dir := range []string{path, f.engine()} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o700 {
			t.Errorf("mode of %s: got %o, want 700", dir, got)
		}
	}
	if f.record.ID == "" || f.record.Created.IsZero() {
		t.Errorf("record without id or time: %+v", f.record)
	}
	if _, err := os.Stat(filepath.Join(path, newName)); err == nil {
		t.Errorf("%s is left behind", newName)
	}
}

func TestExistingFolderMode(t *testing.T) {
	for _, row := range []struct {
		name    string
		inUse   bool
		want    os.FileMode
		warning bool
	}{
		{"empty: ours to tighten", false, 0o700, false},
		{"with something in it: perhaps shared on purpose", true, 0o755, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := t.TempDir()
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
			if row.inUse {
				if err := os.WriteFile(filepath.Join(path, "notes"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log strings.Builder
			f, err := openFolder(path, slog.New(slog.NewTextHandler(&log, nil)), func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			defer f.unlock()
			info, _ := os.Stat(path)
			if got := info.Mode().Perm(); got != row.want {
				t.Errorf("mode: got %o, want %o", got, row.want)
			}
			if got := log.Len() > 0; got != row.warning {
				t.Errorf("warned: got %v, want %v: %s", got, row.warning, log.String())
			}
			if info, _ := os.Stat(f.engine()); info.Mode().Perm() != 0o700 {
				t.Errorf("mode of engine: got %o, want 700", info.Mode().Perm())
			}
		})
	}
}

func TestFolderIsForOneProcess(t *testing.T) {
	path := t.TempDir()
	first := open(t, path)
	_, err := openFolder(path, quiet(), func(string) {})
	want := fmt.Sprintf("open data folder %s: in use by another muster (process %d): stop that one, or choose another folder",
		path, os.Getpid())
	if err == nil || err.Error() != want {
		t.Fatalf("second open:\n got %v\nwant %s", err, want)
	}
	if err := InUse(path); err == nil || err.Error() != want {
		t.Errorf("asked whether it is in use:\n got %v\nwant %s", err, want)
	}
	first.unlock()
	if err := InUse(path); err != nil {
		t.Errorf("asked whether it is in use when it is not: got %v", err)
	}
	open(t, path).unlock()
}

func TestFolderRefused(t *testing.T) {
	replace := func(old, by string) func(*testing.T, *folder) {
		return func(t *testing.T, f *folder) {
			path := filepath.Join(f.engine(), recordName)
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), old) {
				t.Fatalf("nothing to replace: %v, %s", err, text)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, by, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, *folder) {
		return func(t *testing.T, f *folder) {
			if err := os.Remove(filepath.Join(f.engine(), name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	now := thisBuild()
	for _, row := range []struct {
		name  string
		spoil func(*testing.T, *folder)
		want  []string
	}{
		{"another server", replace(now.ServerVersion, "1.31.0"), []string{
			"temporal is 1.31.0 there and " + now.ServerVersion + " here", "with the muster built on temporal 1.31.0",
			"export the histories", "start this muster on a new folder", "Nothing was changed",
		}},
		{"another schema", replace(now.SchemaSHA256, "0123456789abcdef"), []string{
			"its schema is " + now.SchemaVersion + " (0123456789ab) there", "on a new folder",
		}},
		{"other shards", replace(`"historyShards": 4`, `"historyShards": 1`), []string{
			"the number of history shards is 1 there and 4 here", "on a new folder",
		}},
		{"everything other", func(t *testing.T, f *folder) {
			replace(now.ServerVersion, "1.40.0")(t, f)
			replace(now.SchemaSHA256, "ff")(t, f)
		}, []string{"temporal is 1.40.0 there", "its schema is"}},
		{"no record", remove(recordName), []string{recordName + " is missing", "restore the folder from a backup"}},
		{"torn record", replace(`"created"`, ``), []string{"read ", "restore the folder from a backup"}},
		{"no lists", remove(visibilityName), []string{visibilityName + " is missing or empty", "restore the folder from a backup"}},
		{"no database", remove(databaseName), []string{databaseName + " is missing or empty", "restore the folder from a backup"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := t.TempDir()
			f := open(t, path)
			f.unlock()
			row.spoil(t, f)
			_, err := openFolder(path, quiet(), func(string) {})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range append(row.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if again, err := datalock.Take(path); err != nil {
				t.Errorf("the refused folder is still locked: %v", err)
			} else {
				again.Release()
			}
		})
	}
}

// Whatever a killed set-up leaves behind, the next start goes on with it.
func TestKilledSetUp(t *testing.T) {
	for range 5 {
		parent := t.TempDir()
		lines, kill := startChild(t, "set up", parent)
		if !lines.Scan() {
			t.Fatal("the child set nothing up")
		}
		time.AfterFunc(time.Duration(rand.IntN(60))*time.Millisecond, kill)
		folders := []string{lines.Text()}
		for lines.Scan() {
			folders = append(folders, lines.Text())
		}
		last := folders[len(folders)-1]
		entries, _ := os.ReadDir(last)
		t.Logf("killed in set-up %d, which left %v", len(folders), entries)
		for _, path := range folders {
			f := open(t, path)
			if f.record.HistoryShards != historyShards {
				t.Errorf("record: %+v", f.record)
			}
			f.unlock()
		}
	}
}

// A folder whose work is in a database goes on with the database of that name, wherever that is now.
func TestFolderOfADatabase(t *testing.T) {
	at := func(url string) *postgres.Database {
		db, err := postgres.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	f := &folder{path: t.TempDir()}
	if had, err := f.isFor(at("postgres://m@127.0.0.1:5432/muster")); err != nil || had {
		t.Errorf("a new folder: got work there %t, %v, want it taken, without work", had, err)
	}
	if err := f.belongs(at("postgres://m@127.0.0.1:5432/muster%20on%20call")); err != nil {
		t.Fatal(err)
	}
	if had, err := f.isFor(at("postgres://m@127.0.0.2:5433/muster%20on%20call")); err != nil || !had {
		t.Errorf("the same database on another host: got work there %t, %v, want it taken", had, err)
	}
	for _, name := range []string{"muster", "muster%20on", "call"} {
		if _, err := f.isFor(at("postgres://m@127.0.0.1:5432/" + name)); err == nil || !strings.Contains(err.Error(), "its work is in database muster on call on 127.0.0.1") {
			t.Errorf("database %s: got %v, want it refused with the name of the other", name, err)
		}
	}
}

package devserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"muster/internal/datalock"
	"muster/internal/postgres"
	"muster/internal/wholefile"
)

const (
	engineName     = "engine"
	newName        = "engine.new" // an engine folder that is not finished; safe to delete
	elsewhereName  = "engine.database"
	recordName     = "engine.json"
	databaseName   = "temporal.db"
	visibilityName = "visibility.db"
)

// folder is a data folder that this process holds.
type folder struct {
	path   string
	lock   *datalock.Lock
	record record
}

// record says what made an engine folder. Its keys are on disk: add, never rename.
type record struct {
	ID            string    `json:"id"`
	Created       time.Time `json:"created"`
	ServerVersion string    `json:"serverVersion"`
	SchemaVersion string    `json:"schemaVersion"`
	SchemaSHA256  string    `json:"schemaSHA256"`
	HistoryShards int32     `json:"historyShards"`
}

// takeFolder takes the folder for this process, and makes it when it is not there.
func takeFolder(path string, log *slog.Logger) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	if err = makePrivate(path, log); err == nil {
		f := &folder{path: path}
		if f.lock, err = datalock.Take(path); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("open data folder %s: %w", path, err)
}

// open makes the engine folder where there is none, and refuses what this build cannot run.
func (f *folder) open(progress func(string)) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open data folder %s: %w", f.path, err)
		}
	}()
	if name, err := os.ReadFile(f.database()); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, fmt.Errorf("its work is in database %s: start with --db, or on a new folder", strings.TrimSpace(string(name))))
	}
	// What a set-up that was killed left behind. Nobody ever ran on it.
	if err := os.RemoveAll(filepath.Join(f.path, newName)); err != nil {
		return err
	}
	if _, err := os.Stat(f.engine()); errors.Is(err, fs.ErrNotExist) {
		progress("setting up a new data folder in " + f.path)
		if err := f.create(); err != nil {
			return err
		}
	}
	return f.check()
}

// isFor refuses a folder that has work of its own, or in a database of another name, and tells whether it has its work in this one. A
// database that has moved to another host is the same.
func (f *folder) isFor(db *postgres.Database) (had bool, err error) {
	_, err = os.Stat(f.engine())
	if err == nil {
		err = errors.New("it has an engine of its own, with its work: start without --db until that has ended, or with a new folder")
	} else if errors.Is(err, fs.ErrNotExist) {
		var before []byte
		before, err = os.ReadFile(f.database())
		name := string(before[:max(0, bytes.LastIndex(before, []byte(" on ")))])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = nil
		case err == nil && name != db.Name():
			err = fmt.Errorf("its work is in database %s, and this is %s: start with that one, or with a new folder", strings.TrimSpace(string(before)), db)
		default:
			had = true
		}
	}
	if err != nil {
		return false, fmt.Errorf("open data folder %s: %w", f.path, err)
	}
	return had, nil
}

// belongs notes in which database the work of the folder is.
func (f *folder) belongs(db *postgres.Database) error {
	return wholefile.Write(f.database(), []byte(db.String()+"\n"), 0o600)
}

func (f *folder) database() string { return filepath.Join(f.path, elsewhereName) }

func (f *folder) engine() string          { return filepath.Join(f.path, engineName) }
func (f *folder) file(name string) string { return filepath.Join(f.engine(), name) }

// makePrivate makes the folder readable by its owner only. One that exists and has something in it may be shared on
// purpose: it stays as it is, with a warning. What is in engine is private in any case.
func makePrivate(path string, log *slog.Logger) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return os.Chmod(path, 0o700)
	}
	log.Warn("others can look into the data folder", "folder", path, "mode", info.Mode().Perm())
	return nil
}

// InUse says, in the words of Start, that another process runs on a data folder; nil when none does.
func InUse(path string) error {
	held, err := datalock.Take(path)
	if err != nil {
		return fmt.Errorf("open data folder %s: %w", path, err)
	}
	held.Release()
	return nil
}

func (f *folder) unlock() { f.lock.Release() }

// create builds the engine folder beside its place, puts it on disk and renames it.
func (f *folder) create() error {
	building := filepath.Join(f.path, newName)
	if err := os.Mkdir(building, 0o700); err != nil {
		return err
	}
	for _, name := range []string{databaseName, visibilityName} {
		if err := setUpSchema(filepath.Join(building, name)); err != nil {
			return err
		}
	}
	r := thisBuild()
	r.ID, r.Created = uuid.NewString(), time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(building, recordName), append(text, '\n'), 0o600); err != nil {
		return err
	}
	// SQLite has put its files on the disk; the folder that names them is not there yet.
	for _, path := range []string{filepath.Join(building, recordName), building} {
		if err := syncPath(path); err != nil {
			return err
		}
	}
	if err := os.Rename(building, f.engine()); err != nil {
		return err
	}
	return syncPath(f.path)
}

func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// check reads the record and refuses a folder that this build must not touch.
func (f *folder) check() error {
	const wayOut = "restore the folder from a backup, or start on a new folder"
	path := f.file(recordName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing, so what made the folder is unknown: %s", path, wayOut)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &f.record); err != nil {
		return fmt.Errorf("read %s: %w: %s", path, err, wayOut)
	}
	if err := f.record.refusal(thisBuild()); err != nil {
		return err
	}
	for _, path := range []string{f.file(databaseName), f.file(visibilityName)} {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			return fmt.Errorf("%s is missing or empty: %s", path, wayOut)
		}
	}
	return nil
}

// refusal says why a build that makes folders like now cannot run on the folder of r, and what to do.
//
// Temporal has no way to move a SQLite file from one schema or shard count to another, and says nothing about other
// versions on the same file, so all three must be equal. When the server is raised and its schema stays, accept the
// old version here together with a test on a folder that it made.
func (r record) refusal(now record) error {
	var differs []string
	differ := func(what, had, has string) {
		if had != has {
			differs = append(differs, fmt.Sprintf("%s is %s there and %s here", what, had, has))
		}
	}
	differ("temporal", r.ServerVersion, now.ServerVersion)
	differ("its schema", r.schema(), now.schema())
	differ("the number of history shards", fmt.Sprint(r.HistoryShards), fmt.Sprint(now.HistoryShards))
	if differs == nil {
		return nil
	}
	return fmt.Errorf("made by another muster: %s. Nothing was changed. Run it with the muster built on temporal %s, "+
		"let its work end there and export the histories; or start this muster on a new folder",
		strings.Join(differs, ", "), r.ServerVersion)
}

func (r record) schema() string {
	return fmt.Sprintf("%s (%.12s)", r.SchemaVersion, r.SchemaSHA256)
}

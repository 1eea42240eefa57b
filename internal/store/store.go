// Package store keeps what is not work in one SQLite file of the data folder: tokens, sessions, used links and the log of
// refused attempts. Losing the file loses no incident. Of secrets it keeps hashes only, and it decides nothing: who may do
// what is said elsewhere.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// File is the usual name of the file, in the data folder.
const File = "store.db"

// A Store is one open file. It is safe for concurrent use, and several processes of one machine may have the same file
// open.
type Store struct {
	file  string
	state fs.FileInfo // of the file when it was opened
	now   func() time.Time
	life  context.Context // without an end: Close has no context of its own

	// Writers queue for one connection, in order, instead of polling for SQLite's lock; readers never wait for them.
	write, read *sql.DB

	flood flood
}

// Open opens a store and makes its file, for its owner only, when there is none. It refuses a file that is not a store and
// one of a newer version, and changes nothing that is in them. Stored instants have a resolution of a microsecond.
func Open(ctx context.Context, file string, now func() time.Time) (*Store, error) {
	s := &Store{file: file, now: now, life: context.WithoutCancel(ctx)}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("open store %s: %w", file, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := create(ctx, s.file); err != nil {
		return err
	}
	if s.state, err = os.Stat(s.file); err != nil {
		return err
	}
	if !s.state.Mode().IsRegular() {
		return errors.New("want a file")
	}
	if s.state.Mode().Perm()&0o077 != 0 { // before SQLite gives its log the same mode
		if err := os.Chmod(s.file, 0o600); err != nil {
			return err
		}
	}
	if s.write, err = connect(ctx, s.file); err != nil {
		return err
	}
	s.read, err = sql.Open("sqlite", address(s.file, "query_only(on)"))
	if err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(4)
	return nil
}

// create makes the file unless it is there. Of several processes that begin at once, one makes it and all open that: it
// gets its name when it is whole. No descriptor of a file that SQLite may have open is ever opened and closed here, for
// closing one drops all locks that the process has on it.
func create(ctx context.Context, file string) (err error) {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".tmp-store-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if err := f.Close(); err != nil {
		return err
	}
	db, err := connect(ctx, f.Name())
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// address names the file for SQLite, with the pragmas that each connection begins with. A path may hold what means
// something else in a URI.
func address(file string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{
		"busy_timeout(5000)", "foreign_keys(on)", "synchronous(full)",
	}, pragmas...)}
	return "file:" + (&url.URL{Path: filepath.Clean(file)}).EscapedPath() + "?" + q.Encode()
}

// connect opens the one connection that writes, and brings the file to the schema of this version.
func connect(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", address(file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := prepare(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close writes down what was counted of a flood of attempts, and closes the file.
func (s *Store) Close() error {
	if err := errors.Join(s.settle(), s.read.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("close store %s: %w", s.file, err)
	}
	return nil
}

// Err says what is wrong with the file as it is now, which it reads and writes: a readiness check.
func (s *Store) Err(ctx context.Context) error {
	err := change(ctx, s.write, func(tx *sql.Tx) error {
		if _, err := version(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE checks SET at = ?", instant(s.now()))
		return err
	})
	if err == nil {
		err = s.read.QueryRowContext(ctx, "SELECT at FROM checks").Scan(new(instant))
	}
	if err == nil {
		var state fs.FileInfo
		if state, err = os.Stat(s.file); err == nil && !os.SameFile(state, s.state) {
			err = errors.New("another file has its place since it was opened: start again")
		}
	}
	if err != nil {
		return fmt.Errorf("check store %s: %w", s.file, err)
	}
	return nil
}

// change does all of what a function writes, or nothing.
func change(ctx context.Context, db *sql.DB, with func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := with(tx); err != nil {
		_ = tx.Rollback() // fails only when there is nothing left to undo
		return err
	}
	return tx.Commit()
}

// A FaultError says which field of what should be stored is wrong, and what would be right. It does not repeat the value.
type FaultError struct{ Field, Detail string }

// Error returns both.
func (e *FaultError) Error() string { return e.Field + ": " + e.Detail }

func need(right bool, field, detail string) error {
	if right {
		return nil
	}
	return &FaultError{field, detail}
}

// Errors of secrets. They say nothing of any other secret.
var (
	ErrUnknown = errors.New("nobody is known by this secret")
	ErrExpired = errors.New("it has expired")
	ErrRevoked = errors.New("it was revoked")
)

// step is the resolution of LastUsed and Seen: nobody needs a write for each request.
const step = time.Minute

// due tells whether an instant of that resolution should be written anew. A clock that was set back does not stop it.
func due(last, now time.Time) bool { return last.IsZero() || now.Sub(last).Abs() >= step }

// An instant is a column: microseconds since 1970 in UTC, and NULL for the zero time.
type instant time.Time

// Value writes a column.
func (i instant) Value() (driver.Value, error) {
	if time.Time(i).IsZero() {
		return nil, nil
	}
	return time.Time(i).UnixMicro(), nil
}

// Scan reads a column.
func (i *instant) Scan(column any) error {
	switch v := column.(type) {
	case nil:
		*i = instant{}
	case int64:
		*i = instant(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("read an instant: got %T", column)
	}
	return nil
}

// stored is an instant as it comes back.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// A list is a column: texts as JSON.
type list []string

// Value writes a column.
func (l list) Value() (driver.Value, error) {
	text, err := json.Marshal([]string(l))
	return string(text), err
}

// Scan reads a column.
func (l *list) Scan(column any) error {
	text, ok := column.(string)
	if !ok {
		return fmt.Errorf("read a list: got %T", column)
	}
	return json.Unmarshal([]byte(text), (*[]string)(l))
}

// A row is scanned once: that of QueryRow, or the one at which Rows stand.
type row interface{ Scan(columns ...any) error }

// all scans every row.
func all[T any](rows *sql.Rows, scan func(row) (T, error)) ([]T, error) {
	var found []T
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		found = append(found, t)
	}
	return found, errors.Join(rows.Err(), rows.Close())
}

// marks is the placeholders of an INSERT into these columns.
func marks(columns string) string {
	return "(" + columns + ") VALUES (?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
}

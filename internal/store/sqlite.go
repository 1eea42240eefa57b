package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// application marks a file as a store, in its header: "Must" in ASCII.
const application = 0x4d757374

// sqliteSchema holds the steps from an empty file to the form of this version, one for each version. Add, never change: files of
// every version are out there.
var sqliteSchema = []string{`
CREATE TABLE checks (at INTEGER) STRICT;
INSERT INTO checks VALUES (NULL);

CREATE TABLE tokens (
	id         TEXT PRIMARY KEY,
	hash       BLOB NOT NULL UNIQUE,
	actor      TEXT NOT NULL,
	name       TEXT NOT NULL,
	kind       TEXT NOT NULL,
	label      TEXT NOT NULL,
	roles      TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	created    INTEGER NOT NULL,
	expires    INTEGER,
	last_used  INTEGER,
	revoked    INTEGER,
	created_by TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
	hash    BLOB PRIMARY KEY,
	person  TEXT NOT NULL,
	name    TEXT NOT NULL,
	via     TEXT NOT NULL,
	roles   TEXT NOT NULL,
	created INTEGER NOT NULL,
	seen    INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person);

CREATE TABLE links (
	link    TEXT PRIMARY KEY,
	person  TEXT NOT NULL,
	action  TEXT NOT NULL,
	at      INTEGER NOT NULL,
	expires INTEGER NOT NULL
) STRICT;
CREATE INDEX links_expires ON links (expires);

CREATE TABLE attempts (
	seq     INTEGER PRIMARY KEY,
	at      INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	actor   TEXT NOT NULL,
	remote  TEXT NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL,
	detail  TEXT NOT NULL,
	hash    TEXT NOT NULL
) STRICT;
CREATE TRIGGER attempts_update BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'attempts stay as they are'); END;
CREATE TRIGGER attempts_delete BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'attempts stay as they are'); END;
-- INSERT OR REPLACE would remove a row without a DELETE.
CREATE TRIGGER attempts_insert BEFORE INSERT ON attempts
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM attempts)
BEGIN SELECT RAISE(ABORT, 'attempts are added at the end'); END;
`, `
CREATE TABLE signers (key TEXT PRIMARY KEY) STRICT;
`}

func (s *Store) open(ctx context.Context, file string) error {
	if err := create(ctx, file); err != nil {
		return err
	}
	before, err := os.Stat(file)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return errors.New("want a file")
	}
	if before.Mode().Perm()&0o077 != 0 { // before SQLite gives its log the same mode
		if err := os.Chmod(file, 0o600); err != nil {
			return err
		}
	}
	if s.write, err = connect(ctx, file); err != nil {
		return err
	}
	read, err := sql.Open("sqlite", address(file, "query_only(on)"))
	if err != nil {
		return errors.Join(err, s.write.Close())
	}
	read.SetMaxOpenConns(4)
	s.read = &pool{DB: read, kind: sqlite{}}
	s.moved = func() error {
		now, err := os.Stat(file)
		if err == nil && !os.SameFile(now, before) {
			err = errors.New("another file has its place since it was opened: start again")
		}
		return err
	}
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

// connect opens the one connection that writes, and brings the file to the schema of this version. Writers queue for it, in
// order, instead of polling for SQLite's lock; readers never wait for them.
func connect(ctx context.Context, file string) (*pool, error) {
	db, err := sql.Open("sqlite", address(file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	p := &pool{DB: db, kind: sqlite{}}
	if err := (sqlite{}).prepare(ctx, p); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return p, nil
}

// sqlite is what is its own of a file.
type sqlite struct{}

// ready says nothing: a file is prepared when it is opened.
func (sqlite) ready(context.Context) error { return nil }

func (sqlite) statement(s string) string { return s }

// begin does nothing: a transaction that writes has the file from its first moment.
func (sqlite) begin(context.Context, *transaction) error { return nil }

// prepare brings a file to the schema of this version, and refuses one that is not ours before it changes anything.
func (k sqlite) prepare(ctx context.Context, p *pool) error {
	if _, err := k.version(ctx, p); err != nil {
		return err
	}
	if _, err := p.ExecContext(ctx, "PRAGMA journal_mode = wal"); err != nil { // impossible within a transaction
		return err
	}
	return p.raise(ctx, sqliteSchema, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", application, len(sqliteSchema)))
}

// version is the schema that a file has, 0 when it is empty. A file of something else, or of a newer Muster, is an error.
func (sqlite) version(ctx context.Context, q querier) (int, error) {
	var id, number, tables int
	err := q.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&id, &number, &tables)
	switch {
	case err != nil:
		return 0, err
	case id != application && (id != 0 || number != 0 || tables != 0):
		return 0, errors.New("it is an SQLite file of something else")
	}
	return number, known(number, sqliteSchema)
}

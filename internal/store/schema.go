package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// application marks a file as a store, in its header: "Must" in ASCII.
const application = 0x4d757374

// schema holds the steps from an empty file to the form of this version, one for each version. Add, never change: files of
// every version are out there.
var schema = []string{`
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
`}

// prepare brings a file to the schema of this version, and refuses one that is not ours before it changes anything.
func prepare(ctx context.Context, db *sql.DB) error {
	if _, err := version(ctx, db); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = wal"); err != nil { // impossible within a transaction
		return err
	}
	return change(ctx, db, func(tx *sql.Tx) error {
		from, err := version(ctx, tx)
		if err != nil || from == len(schema) {
			return err
		}
		for n, step := range schema[from:] {
			if _, err := tx.ExecContext(ctx, step); err != nil {
				return fmt.Errorf("make schema %d: %w", from+n+1, err)
			}
		}
		mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", application, len(schema))
		_, err = tx.ExecContext(ctx, mark)
		return err
	})
}

// A querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version is the schema that a file has, 0 when it is empty. A file of something else, or of a newer Muster, is an error.
func version(ctx context.Context, q querier) (int, error) {
	var id, number, tables int
	err := q.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&id, &number, &tables)
	switch {
	case err != nil:
		return 0, err
	case id != application && (id != 0 || number != 0 || tables != 0):
		return 0, errors.New("it is an SQLite file of something else")
	case number > len(schema):
		return 0, fmt.Errorf("its schema has version %d, and this Muster knows %d: want the newer Muster that has made it",
			number, len(schema))
	}
	return number, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"muster/internal/postgres"
)

// Schema is the schema of the database in which the tables are.
const Schema = "muster"

// OpenPostgres opens a store in a database of PostgreSQL, which may be that of something else too: everything is in the schema
// "muster" there. The database and the schema are created where they are not there and their user may. It refuses a schema that is
// not a store and one of a newer version. Where PostgreSQL does not answer, the store opens all the same: everything fails until it
// does.
func OpenPostgres(ctx context.Context, db *postgres.Database, now func() time.Time) (*Store, error) {
	s := &Store{where: db.String(), now: now, life: context.WithoutCancel(ctx)}
	k := &postgreSQL{db: db, turn: make(chan struct{}, 1)}
	within := db.Within(Schema).Brief()
	s.write, s.read = &pool{DB: within.Open(), kind: k}, &pool{DB: within.ReadOnly().Open(), kind: k}
	s.write.SetMaxOpenConns(2)
	s.read.SetMaxOpenConns(4)
	k.write = s.write
	if err := k.ready(ctx); err != nil && (ctx.Err() != nil || !postgres.Away(err)) {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.where, err), s.write.Close(), s.read.Close())
	}
	return s, nil
}

// Away tells whether an error is that the database does not answer now, and may a little later, as when somebody hangs with its lock.
func Away(err error) bool { return postgres.Away(err) }

// postgresSchema holds the steps from nothing to the form of this version, one for each version. Add, never change.
var postgresSchema = []string{`
CREATE SCHEMA IF NOT EXISTS muster;
CREATE TABLE store_version (number INTEGER NOT NULL);
INSERT INTO store_version VALUES (0);

CREATE TABLE checks (at BIGINT);
INSERT INTO checks VALUES (NULL);

CREATE TABLE tokens (
	id         TEXT PRIMARY KEY,
	hash       BYTEA NOT NULL UNIQUE,
	actor      TEXT NOT NULL,
	name       TEXT NOT NULL,
	kind       TEXT NOT NULL,
	label      TEXT NOT NULL,
	roles      TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	created    BIGINT NOT NULL,
	expires    BIGINT,
	last_used  BIGINT,
	revoked    BIGINT,
	created_by TEXT NOT NULL,
	rowid      BIGINT GENERATED ALWAYS AS IDENTITY -- as SQLite has it by itself
);

CREATE TABLE sessions (
	hash    BYTEA PRIMARY KEY,
	person  TEXT NOT NULL,
	name    TEXT NOT NULL,
	via     TEXT NOT NULL,
	roles   TEXT NOT NULL,
	created BIGINT NOT NULL,
	seen    BIGINT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person);

CREATE TABLE links (
	link    TEXT PRIMARY KEY,
	person  TEXT NOT NULL,
	action  TEXT NOT NULL,
	at      BIGINT NOT NULL,
	expires BIGINT NOT NULL
);
CREATE INDEX links_expires ON links (expires);

CREATE TABLE attempts (
	seq     BIGINT PRIMARY KEY,
	at      BIGINT NOT NULL,
	kind    TEXT NOT NULL,
	actor   TEXT NOT NULL,
	remote  TEXT NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL,
	detail  TEXT NOT NULL,
	hash    TEXT NOT NULL
);
CREATE FUNCTION attempts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'attempts stay as they are';
END $$;
CREATE TRIGGER attempts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON attempts FOR EACH STATEMENT EXECUTE FUNCTION attempts_stay();
CREATE FUNCTION attempts_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM attempts) THEN
		RAISE EXCEPTION 'attempts are added at the end';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER attempts_follow BEFORE INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_follow();
`, `
CREATE TABLE signers (key TEXT PRIMARY KEY);
`}

// postgreSQL is what is its own of a database of PostgreSQL.
type postgreSQL struct {
	db    *postgres.Database
	write *pool

	turn chan struct{} // of whoever prepares the database
	done atomic.Bool   // the schema is that of this version
}

// statement numbers what is filled in.
func (*postgreSQL) statement(s string) string {
	parts := strings.Split(s, "?")
	var b strings.Builder
	b.WriteString(parts[0])
	for n, part := range parts[1:] {
		fmt.Fprintf(&b, "$%d%s", n+1, part)
	}
	return b.String()
}

// storeLock is the key of the lock that every change holds: "Must" in ASCII. There are few of them, and the log of attempts is a chain.
const storeLock = 0x4d757374

func (k *postgreSQL) begin(ctx context.Context, tx *transaction) error {
	_, err := tx.ExecContext(ctx, "SET LOCAL lock_timeout = '5s'") // somebody may hang with the lock
	if err == nil {
		_, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", storeLock)
	}
	return err
}

// openPatience is how long one attempt to prepare the database may take.
const openPatience = 5 * time.Second

// ready prepares the database, once.
func (k *postgreSQL) ready(ctx context.Context) error {
	if k.done.Load() {
		return nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if k.done.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	if _, err := k.db.Ensure(ctx); err != nil {
		return err
	}
	err := k.write.raise(ctx, postgresSchema, fmt.Sprintf("UPDATE store_version SET number = %d", len(postgresSchema)))
	k.done.Store(err == nil)
	return err
}

func (k *postgreSQL) version(ctx context.Context, q querier) (number int, err error) {
	var ours bool
	var tables int
	err = q.QueryRowContext(ctx, `SELECT to_regclass('muster.store_version') IS NOT NULL,
		(SELECT count(*) FROM information_schema.tables WHERE table_schema = 'muster')`).Scan(&ours, &tables)
	if err == nil && ours {
		err = q.QueryRowContext(ctx, "SELECT number FROM store_version").Scan(&number)
	}
	switch {
	case err != nil:
		return 0, err
	case !ours && tables > 0:
		return 0, errors.New("its schema muster is that of something else")
	}
	return number, known(number, postgresSchema)
}

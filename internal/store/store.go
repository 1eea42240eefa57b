// Package store keeps what is not work: tokens, sessions, used links and the log of refused attempts, in one SQLite file of
// the data folder, or in PostgreSQL where several processes on several machines share them. Losing it loses no incident. Of
// secrets it keeps hashes only, and it decides nothing: who may do what is said elsewhere.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// File is the usual name of the file, in the data folder.
const File = "store.db"

// A Store is one open file or database. It is safe for concurrent use, and several processes may have the same one open: of
// one machine a file, of any a database.
type Store struct {
	where string
	now   func() time.Time
	life  context.Context // without an end: Close has no context of its own

	write, read *pool
	moved       func() error // what is wrong with the place itself, which the database cannot see

	flood flood
}

// Open opens a store and makes its file, for its owner only, when there is none. It refuses a file that is not a store and
// one of a newer version, and changes nothing that is in them. Stored instants have a resolution of a microsecond.
func Open(ctx context.Context, file string, now func() time.Time) (*Store, error) {
	s := &Store{where: file, now: now, life: context.WithoutCancel(ctx)}
	if err := s.open(ctx, file); err != nil {
		return nil, fmt.Errorf("open store %s: %w", file, err)
	}
	return s, nil
}

// String says where the store is, without a password.
func (s *Store) String() string { return s.where }

// Close writes down what was counted of a flood of attempts, and closes the file.
func (s *Store) Close() error {
	if err := errors.Join(s.settle(), s.read.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("close store %s: %w", s.where, err)
	}
	return nil
}

// Err says what is wrong with the store as it is now, which it reads and writes: a readiness check.
func (s *Store) Err(ctx context.Context) error {
	err := s.write.change(ctx, func(tx *transaction) error {
		if _, err := s.write.kind.version(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE checks SET at = ?", instant(s.now()))
		return err
	})
	if err == nil {
		err = s.read.QueryRowContext(ctx, "SELECT at FROM checks").Scan(new(instant))
	}
	if err == nil && s.moved != nil {
		err = s.moved()
	}
	if err != nil {
		return fmt.Errorf("check store %s: %w", s.where, err)
	}
	return nil
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

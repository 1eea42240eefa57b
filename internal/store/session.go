package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// Idle is how long a session lives without being used.
const Idle = 8 * time.Hour

// A Session is a person at the pages. Instants are in UTC.
type Session struct {
	Person  string   // ID in the organisation folder
	Name    string   // as it is shown; may be empty
	Via     string   // how the person was authenticated
	Roles   []string // given beyond the organisation folder, by whoever has authenticated the person
	Created time.Time
	Seen    time.Time // to the minute
	Expires time.Time // from this instant on it is over, however busy
}

// CreateSession begins a session and returns its secret, which nobody can read again. Created and Seen are filled in. The
// fields that are wrong are *FaultError, all of them joined. Sessions that are over are removed in passing.
func (s *Store) CreateSession(ctx context.Context, n Session) (secret string, err error) {
	now := s.now()
	n.Created, n.Seen, n.Expires = stored(now), stored(now), stored(n.Expires)
	err = errors.Join(
		need(actorID.MatchString(n.Person), "person", wantID),
		need(words(n.Roles), "roles", wantWords),
		need(ahead(n.Expires, now), "expires", wantAhead),
	)
	if err != nil {
		return "", fmt.Errorf("create session: %w", err)
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(secret))
	err = s.write.change(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE expires <= ? OR seen < ?", instant(now), instant(now.Add(-Idle)))
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO sessions "+marks(sessionColumns+", hash"), append(n.columns(), hash[:])...)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("create session: %w", err)
	}
	return secret, nil
}

// Session returns the session that has a secret. It is ErrUnknown, or ErrExpired when its time is over or it was idle for
// longer than Idle; with ErrExpired the session is returned, for the log of refused attempts only. Seen has a resolution of
// a minute, so an idle session may end up to a minute early.
//
// The lookup is by the SHA-256 of the whole secret, which who tries cannot choose: how long it takes tells nothing.
func (s *Store) Session(ctx context.Context, secret string) (Session, error) {
	if random, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(random) != 32 {
		return Session{}, ErrUnknown
	}
	var n Session
	var found []byte
	hash := sha256.Sum256([]byte(secret))
	err := s.read.QueryRowContext(ctx, "SELECT "+sessionColumns+", hash FROM sessions WHERE hash = ?", hash[:]).
		Scan(append(n.columns(), &found)...)
	now := s.now()
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Session{}, ErrUnknown
	case err != nil:
		return Session{}, fmt.Errorf("look up session: %w", err)
	case subtle.ConstantTimeCompare(found, hash[:]) != 1:
		return Session{}, ErrUnknown
	case !now.Before(n.Expires) || now.Sub(n.Seen) > Idle:
		return n, ErrExpired
	}
	if due(n.Seen, now) {
		// A session that cannot be marked as seen is good until Idle is over. Err says what is wrong with the file.
		_, err := s.write.ExecContext(ctx, "UPDATE sessions SET seen = ? WHERE hash = ? AND seen = ?",
			instant(now), hash[:], instant(n.Seen))
		if err == nil {
			n.Seen = stored(now)
		}
	}
	return n, nil
}

// EndSession ends a session. One that is not there has ended before.
func (s *Store) EndSession(ctx context.Context, secret string) error {
	hash := sha256.Sum256([]byte(secret))
	if _, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:]); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndSessions ends all sessions of a person and returns how many there were.
func (s *Store) EndSessions(ctx context.Context, person string) (int, error) {
	done, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE person = ?", person)
	var n int64
	if err == nil {
		n, err = done.RowsAffected()
	}
	if err != nil {
		return 0, fmt.Errorf("end sessions of %s: %w", person, err)
	}
	return int(n), nil
}

const sessionColumns = "person, name, via, roles, created, seen, expires"

// columns are the fields of a session in the order of sessionColumns, to be written from and scanned into.
func (n *Session) columns() []any {
	return []any{
		&n.Person, &n.Name, &n.Via, (*list)(&n.Roles), (*instant)(&n.Created), (*instant)(&n.Seen), (*instant)(&n.Expires),
	}
}

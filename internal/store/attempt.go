package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// An Attempt is something that was refused. Its texts are what a stranger has sent: show them with care.
type Attempt struct {
	Seq     int64     // 1, 2, 3 … without gaps
	At      time.Time // in UTC
	Kind    AttemptKind
	Actor   string // ID of who it claims to be
	Remote  string // address, without the port: a flood from one address is known by it
	Subject string // run or path
	Message string // name of what was tried
	Detail  string // why it was refused
	Hash    string // SHA-256 over the other fields and the hash before, in hexadecimal
}

// AttemptKind says what did not hold.
type AttemptKind string

// The kinds of attempts. These strings are in the chain: add, never rename.
const (
	AttemptToken   AttemptKind = "token"
	AttemptSession AttemptKind = "session"
	AttemptLink    AttemptKind = "link"
	AttemptMessage AttemptKind = "message" // a Temporal message that nobody of the installation has signed
	AttemptDenied  AttemptKind = "denied"  // known who it is, and may not
	AttemptRate    AttemptKind = "rate"
	AttemptLock    AttemptKind = "lock"
	AttemptLogin   AttemptKind = "login"

	AttemptCallback AttemptKind = "callback" // a tool outside sends back what it cannot prove, or what it does not say whole
)

var attemptKinds = []AttemptKind{
	AttemptToken, AttemptSession, AttemptLink, AttemptMessage, AttemptDenied, AttemptRate, AttemptLock, AttemptLogin, AttemptCallback,
}

// maxText is how many bytes of a text are kept.
const maxText = 500

// Record appends an attempt to the log and returns it as it was written: with Seq and Hash, At where it was zero, and texts
// cut to 500 bytes. Of more than 60 of the same Kind and Remote within a minute of this process the rest are counted
// only, and come back without Seq and Hash; the first Record after the minute writes how many there were. A Kind that is
// not known is a *FaultError.
func (s *Store) Record(ctx context.Context, a Attempt) (Attempt, error) {
	if !slices.Contains(attemptKinds, a.Kind) {
		return Attempt{}, fmt.Errorf("record attempt: %w", &FaultError{"kind", "want one of those that are known"})
	}
	for _, text := range []*string{&a.Actor, &a.Remote, &a.Subject, &a.Message, &a.Detail} {
		*text = cut(*text)
	}
	s.flood.mu.Lock()
	defer s.flood.mu.Unlock()
	now := s.now() // within the lock: minutes begin in order
	if a.At.IsZero() {
		a.At = now
	}
	a.Seq, a.At, a.Hash = 0, stored(a.At), ""
	ended := s.flood.ended(now)
	entries := rests(ended, now)
	m := s.flood.minute(a, now)
	if m.seen < most {
		entries = append(entries, &a)
	}
	if err := s.append(ctx, entries); err != nil {
		return Attempt{}, fmt.Errorf("record attempt: %w", err)
	}
	s.flood.drop(ended)
	s.flood.count(m)
	return a, nil
}

// settle writes what was counted so far and not written.
func (s *Store) settle() error {
	s.flood.mu.Lock()
	defer s.flood.mu.Unlock()
	const patience = 3 * time.Second // it is asked for at the end
	ctx, cancel := context.WithTimeout(s.life, patience)
	defer cancel()
	if err := s.append(ctx, rests(s.flood.order, s.now())); err != nil {
		return err
	}
	s.flood.drop(slices.Clone(s.flood.order))
	return nil
}

// append chains entries to the log, all or none, and fills their Seq and Hash in.
func (s *Store) append(ctx context.Context, entries []*Attempt) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write.change(ctx, func(tx *transaction) error {
		seq, hash, err := head(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range entries {
			seq++
			a.Seq = seq
			hash = a.hash(hash)
			a.Hash = hash
			if _, err := tx.ExecContext(ctx, "INSERT INTO attempts "+marks(attemptColumns), a.columns()...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Attempts lists at most so many entries of the log that come after a Seq, the oldest first.
func (s *Store) Attempts(ctx context.Context, after int64, limit int) ([]Attempt, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+attemptColumns+" FROM attempts WHERE seq > ? ORDER BY seq LIMIT ?",
		after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	attempts, err := all(rows, func(r row) (a Attempt, err error) { return a, r.Scan(a.columns()...) })
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	return attempts, nil
}

// A BrokenError names the first place in the log at which it does not fit together.
type BrokenError struct{ Seq int64 }

// Error says so.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("attempt %d does not fit: the log was changed", e.Seq)
}

// CheckAttempts walks the whole log and returns how many entries fit, up to the first that does not: a changed field, a
// removed entry before others or a swapped order is a *BrokenError.
//
// The chain has no key. It does not tell when its newest entries were cut off, or when somebody who can write the file has
// made all entries anew from the changed one on. A Head that was kept elsewhere does: the entry with its Seq must be there
// and have its hash.
func (s *Store) CheckAttempts(ctx context.Context) (checked int64, err error) {
	const page = 500
	before := ""
	for after := int64(math.MinInt64); ; after = checked {
		attempts, err := s.Attempts(ctx, after, page)
		if err != nil {
			return checked, fmt.Errorf("check attempts: %w", err)
		}
		for _, a := range attempts {
			if a.Seq != checked+1 || a.Hash != a.hash(before) {
				return checked, &BrokenError{checked + 1}
			}
			before = a.Hash
			checked++
		}
		if len(attempts) < page {
			return checked, nil
		}
	}
}

// Head returns Seq and Hash of the newest entry of the log, zero when it is empty: to be kept where who can write the file
// cannot write.
func (s *Store) Head(ctx context.Context) (seq int64, hash string, err error) {
	if seq, hash, err = head(ctx, s.read); err != nil {
		return 0, "", fmt.Errorf("read the newest attempt: %w", err)
	}
	return seq, hash, nil
}

func head(ctx context.Context, q querier) (seq int64, hash string, err error) {
	err = q.QueryRowContext(ctx, "SELECT seq, hash FROM attempts ORDER BY seq DESC LIMIT 1").Scan(&seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seq, hash, err
}

// hash chains an attempt to the one before. Every field has its length before it, so that none can flow into the next.
func (a *Attempt) hash(before string) string {
	h := sha256.New()
	for _, field := range []string{
		"muster attempt 1", before, strconv.FormatInt(a.Seq, 10), strconv.FormatInt(a.At.UnixMicro(), 10), string(a.Kind),
		a.Actor, a.Remote, a.Subject, a.Message, a.Detail,
	} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// cut makes a text UTF-8 of at most maxText bytes, and never half a character. PostgreSQL keeps no NUL.
func cut(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

const attemptColumns = "seq, at, kind, actor, remote, subject, message, detail, hash"

// columns are the fields of an attempt in the order of attemptColumns, to be written from and scanned into.
func (a *Attempt) columns() []any {
	return []any{
		&a.Seq, (*instant)(&a.At), &a.Kind, &a.Actor, &a.Remote, &a.Subject, &a.Message, &a.Detail, &a.Hash,
	}
}

package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Token speaks for an actor. The secret that its holder shows is kept nowhere. Instants are in UTC; the zero time is
// never.
type Token struct {
	ID      string   // "tok_" and 10 characters: names it in lists, logs and seals, and is no secret
	Actor   string   // ID of a person in the organisation folder ("park", "garam/it-desk") or of a machine ("deploy-bot")
	Name    string   // the actor's, as it is shown; may be empty
	Kind    Kind     // of the actor
	Label   string   // what the token is for ("laptop"), at most 100 characters; may be empty
	Roles   []string // given beyond the organisation folder: to machines, and to the administrator of a data folder
	Scopes  []string // verbs to which it is narrowed; empty: all that its actor may
	Created time.Time
	Expires time.Time // from this instant on it lets nobody in

	LastUsed  time.Time // to the minute
	Revoked   time.Time
	CreatedBy string // ID of the actor who has made it
}

// Kind tells people from machines.
type Kind string

// The kinds of actors. These strings are in files: add, never rename.
const (
	Person  Kind = "person"
	Machine Kind = "machine"
)

// A NotFoundError names a token that is not there.
type NotFoundError struct{ ID string }

// Error says so.
func (e *NotFoundError) Error() string { return "token " + e.ID + ": not found" }

// CreateToken makes a token and returns its secret, which nobody can read again. ID and Created are filled in; LastUsed and
// Revoked begin empty. The fields that are wrong are *FaultError, all of them joined.
func (s *Store) CreateToken(ctx context.Context, t Token) (secret string, made Token, err error) {
	now := s.now()
	t.ID = "tok_" + strings.ToLower(rand.Text()[:10])
	t.Created, t.Expires, t.LastUsed, t.Revoked = stored(now), stored(t.Expires), time.Time{}, time.Time{}
	if err := t.check(now); err != nil {
		return "", Token{}, fmt.Errorf("create token: %w", err)
	}
	secret = newSecret()
	hash := sha256.Sum256([]byte(secret))
	_, err = s.write.ExecContext(ctx, "INSERT INTO tokens "+marks(tokenColumns+", hash"), append(t.columns(), hash[:])...)
	if err != nil {
		return "", Token{}, fmt.Errorf("create token: %w", err)
	}
	return secret, t, nil
}

// Tokens lists all tokens, the newest first; revoked and expired ones too.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+tokenColumns+" FROM tokens ORDER BY created DESC, rowid DESC")
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	tokens, err := all(rows, func(r row) (t Token, err error) { return t, r.Scan(t.columns()...) })
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// RevokeToken makes a token worthless and returns it. Revoked again, it keeps the first instant. One that is not there is a
// *NotFoundError.
func (s *Store) RevokeToken(ctx context.Context, id string) (t Token, err error) {
	err = s.write.change(ctx, func(tx *transaction) error {
		_, err := tx.ExecContext(ctx, "UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", instant(s.now()), id)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT "+tokenColumns+" FROM tokens WHERE id = ?", id).Scan(t.columns()...)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Token{}, &NotFoundError{id}
	case err != nil:
		return Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	return t, nil
}

// Token returns the token that has a secret. It is ErrUnknown, ErrExpired or ErrRevoked when it lets nobody in; with the
// last two the token is returned, for the log of refused attempts only.
//
// The lookup is by the SHA-256 of the whole secret. How far a hash agrees with a stored one, and so how long looking it up
// takes, tells nothing of any secret: who tries cannot choose the hash.
func (s *Store) Token(ctx context.Context, secret string) (Token, error) {
	if !strings.HasPrefix(secret, Prefix) || !Whole(secret) {
		return Token{}, ErrUnknown
	}
	var t Token
	var found []byte
	hash := sha256.Sum256([]byte(secret))
	err := s.read.QueryRowContext(ctx, "SELECT "+tokenColumns+", hash FROM tokens WHERE hash = ?", hash[:]).
		Scan(append(t.columns(), &found)...)
	now := s.now()
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Token{}, ErrUnknown
	case err != nil:
		return Token{}, fmt.Errorf("look up token: %w", err)
	case subtle.ConstantTimeCompare(found, hash[:]) != 1:
		return Token{}, ErrUnknown
	case !t.Revoked.IsZero():
		return t, ErrRevoked
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return t, ErrExpired
	}
	if due(t.LastUsed, now) {
		// A token that cannot be marked as used is good nevertheless. Err says what is wrong with the file.
		_, err := s.write.ExecContext(ctx, "UPDATE tokens SET last_used = ? WHERE id = ? AND last_used IS NOT DISTINCT FROM ?",
			instant(now), t.ID, instant(t.LastUsed))
		if err == nil {
			t.LastUsed = stored(now)
		}
	}
	return t, nil
}

const tokenColumns = "id, actor, name, kind, label, roles, scopes, created, expires, last_used, revoked, created_by"

// columns are the fields of a token in the order of tokenColumns, to be written from and scanned into.
func (t *Token) columns() []any {
	return []any{
		&t.ID, &t.Actor, &t.Name, &t.Kind, &t.Label, (*list)(&t.Roles), (*list)(&t.Scopes), (*instant)(&t.Created),
		(*instant)(&t.Expires), (*instant)(&t.LastUsed), (*instant)(&t.Revoked), &t.CreatedBy,
	}
}

var (
	actorID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}(/[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$`)
	word    = regexp.MustCompile(`^[a-z][a-z0-9._:-]{0,62}$`)
)

const wantID = "want an id of letters, digits, dots, hyphens and underscores"

// check finds every field that is wrong.
func (t *Token) check(now time.Time) error {
	return errors.Join(
		need(actorID.MatchString(t.Actor), "actor", wantID),
		need(t.Kind != Machine || !strings.Contains(t.Actor, "/"), "actor", "want a machine's id without a slash"),
		need(line(t.Name, 200), "name", "want one line of at most 200 characters"),
		need(t.Kind == Person || t.Kind == Machine, "kind", "want person or machine"),
		need(line(t.Label, 100), "label", "want one line of at most 100 characters"),
		need(words(t.Roles), "roles", wantWords),
		need(words(t.Scopes), "scopes", wantWords),
		need(t.Expires.IsZero() || ahead(t.Expires, now), "expires", wantAhead),
		need(actorID.MatchString(t.CreatedBy), "created_by", wantID),
	)
}

func line(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

const wantWords = "want at most 50 words of lower-case letters, digits, dots, colons, hyphens and underscores, each once"

func words(list []string) bool {
	for n, w := range list {
		if !word.MatchString(w) || slices.Contains(list[:n], w) {
			return false
		}
	}
	return len(list) <= 50
}

const wantAhead = "want an instant that is still to come, before the year 10000"

func ahead(t, now time.Time) bool { return now.Before(t) && t.UTC().Year() < 10_000 }

// Prefix begins the secret of every token, so that a scanner finds one that has got where it should not be.
const Prefix = "muster_"

// The parts of a secret after its prefix: 32 random bytes and a checksum, in digits and letters.
const (
	randomLen = 43
	sumLen    = 6
)

func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	body := base62(random[:], randomLen)
	return Prefix + body + checksum(body)
}

// Whole tells whether a text that begins like the secret of a token is one, and not a part of it. A text that begins
// otherwise may be anything, and is whole.
func Whole(token string) bool {
	body, ours := strings.CutPrefix(token, Prefix)
	if !ours {
		return true
	}
	return len(body) == randomLen+sumLen && checksum(body[:randomLen]) == body[randomLen:]
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, sumLen)
}

// base62 writes bytes as digits and letters, of a fixed length.
func base62(b []byte, length int) string {
	text := new(big.Int).SetBytes(b).Text(62)
	return strings.Repeat("0", length-len(text)) + text
}

// Package signature says who is behind a message. An installation signs every start, Signal and Update that it sends to a
// workflow with the actor that its API has authenticated, and its workers take no message without a signature that holds.
// The package reads no clock and no file: keys are handed in.
package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"time"

	"muster/internal/timeline"
)

// domain begins whatever is signed for an actor, so that no signature made for anything else can be taken for one.
const domain = "muster actor 1"

// A Statement is what a signature vouches for: this actor has sent this message, to this run, with exactly this content.
type Statement struct {
	Workflow string            // workflow id
	FirstRun string            // id of the first run of its chain; empty where the sender cannot know it: starts and Signals
	Message  string            // name of the Update or Signal, or the workflow type of a start
	ID       string            // of an Update, under which it is decided once; empty for others
	Digest   [sha256.Size]byte // SHA-256 of the content as it was sent
	By       timeline.Actor
}

// A Seal is a signature, with what only its maker knows. It travels beside the content and stays in the history.
type Seal struct {
	Key       string    `json:"key"`           // which of the installation's keys
	At        time.Time `json:"at"`            // when it was signed, by the sender's clock
	Via       string    `json:"via,omitempty"` // how the actor was authenticated, such as token:tok_1
	Signature []byte    `json:"signature"`     // Ed25519
}

// Sign makes a seal with a private key that has an id.
func Sign(s Statement, key string, private ed25519.PrivateKey, at time.Time, via string) Seal {
	seal := Seal{Key: key, At: at.UTC(), Via: via}
	seal.Signature = ed25519.Sign(private, text(s, seal))
	return seal
}

// ErrForged says that a seal does not belong to its statement, or was not made with the key that it names.
var ErrForged = errors.New("the signature does not fit: the message was changed, or comes from somebody else")

// Check tells whether a seal was made for a statement with the private half of a key.
func Check(s Statement, seal Seal, public ed25519.PublicKey) error {
	if len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, text(s, seal), seal.Signature) {
		return ErrForged
	}
	return nil
}

// An UnknownKeyError says that a seal names a key that is not known: a forged one, or one that has not arrived yet.
type UnknownKeyError struct{ Key string }

// Error says so.
func (e *UnknownKeyError) Error() string {
	return "the key that signed it is none of this installation's"
}

// text is what is signed: every field with its length before it, so that none can flow over into the next.
func text(s Statement, seal Seal) []byte {
	h := sha256.New()
	for _, field := range []string{
		domain, s.Workflow, s.FirstRun, s.Message, s.ID, string(s.Digest[:]), string(s.By.Kind), s.By.ID, s.By.Name,
		seal.Key, seal.At.UTC().Format(time.RFC3339Nano), seal.Via,
	} {
		write(h, field)
	}
	return h.Sum(nil)
}

func write(h hash.Hash, field string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(field)))
	h.Write(length[:])
	h.Write([]byte(field))
}

// Freshness bounds when a message may have been signed. The zero value takes every instant.
type Freshness struct {
	Not    time.Time     // before this instant, when it is not zero …
	Around time.Time     // … and no further from this one than Within, when it is not zero
	Within time.Duration // also how far two clocks may differ
}

// Check refuses a seal that was made at another time.
func (f Freshness) Check(seal Seal) error {
	if !f.Not.IsZero() && seal.At.Before(f.Not.Add(-f.Within)) {
		return fmt.Errorf("signed at %s, which is before %s: an old message was sent again", stamp(seal.At), stamp(f.Not))
	}
	if !f.Around.IsZero() && seal.At.Sub(f.Around).Abs() > f.Within {
		return fmt.Errorf("signed at %s; want within %s of %s: an old message was sent again, or a clock is wrong",
			stamp(seal.At), f.Within, stamp(f.Around))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

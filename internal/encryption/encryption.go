// Package encryption encrypts what lies where others may read it: payloads of workflows and parts of bundles, with AES-256-GCM.
// It reads no file and draws no random bytes.
package encryption

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Sizes in bytes.
const (
	SecretSize = 32
	NonceSize  = 12

	tagSize   = 16
	alikeSize = sha256.Size
)

// A Key encrypts from an instant on, until a newer one does. What it has encrypted it decrypts for ever.
type Key struct {
	ID     string    `json:"id"`
	Secret []byte    `json:"secret"` // random
	From   time.Time `json:"from"`
}

// Format shows the id only, whatever the verb: the rest is a secret.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "payload key %s", k.ID) }

// Keys find a key by its id. Of one that is not there, the error is an *UnknownKeyError.
type Keys interface {
	Key(id string) (Key, error)
}

// Find finds a key, also among none.
func Find(keys Keys, id string) (Key, error) {
	if keys == nil {
		return Key{}, &UnknownKeyError{Key: id}
	}
	return keys.Key(id)
}

// An UnknownKeyError says that something is encrypted with a key that is not among those given.
type UnknownKeyError struct {
	Key  string
	File string // in which it is not; empty: no file was given
}

// Error says which key is wanted.
func (e *UnknownKeyError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("encrypted with payload key %.80q: want --payload-keys, with a file that has it", e.Key)
	}
	return fmt.Sprintf("encrypted with payload key %.80q, which is not in %s: want a file that has it", e.Key, e.File)
}

// ErrChanged says that something is not what was encrypted, or was not encrypted with this key, or as something else.
var ErrChanged = errors.New("not as it was encrypted: it was changed, cut off, put elsewhere, or its key has another secret")

// The purposes of keys. Each has a secret of its own, derived from that of the key, so that what is encrypted for one never
// passes for what is encrypted for another. They are in what is encrypted: add, never change.
const (
	byNonce = "muster payload 1"
	byPlain = "muster bundle 1"
)

// Encrypt encrypts, under a nonce that must be random, something that is to be what about says.
func (k Key) Encrypt(nonce [NonceSize]byte, plain, about []byte) ([]byte, error) {
	secret, err := k.derived(byNonce, nil)
	if err != nil {
		return nil, err
	}
	c, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, NonceSize+len(plain)+tagSize), nonce[:]...)
	return c.Seal(out, nonce[:], plain, k.bound(about)), nil
}

// Decrypt returns what was encrypted. The error is ErrChanged where it was not this.
func (k Key) Decrypt(encrypted, about []byte) ([]byte, error) {
	if len(encrypted) < NonceSize+tagSize {
		return nil, ErrChanged
	}
	secret, err := k.derived(byNonce, nil)
	if err != nil {
		return nil, err
	}
	c, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	plain, err := c.Open(nil, encrypted[:NonceSize], encrypted[NonceSize:], k.bound(about))
	if err != nil {
		return nil, ErrChanged
	}
	return plain, nil
}

// EncryptAlike encrypts so that the same gives the same bytes. It begins with a code over what is encrypted and what about says, and
// the secret for the rest is derived from that code: two different texts never share one, so a nonce that stays is safe. Whoever sees
// two results learns whether they are of the same, and about the same, and no more.
func (k Key) EncryptAlike(plain, about []byte) ([]byte, error) {
	code, err := k.code(plain, about)
	if err != nil {
		return nil, err
	}
	c, err := k.under(code)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, alikeSize+len(plain)+tagSize), code...)
	return c.Seal(out, make([]byte, NonceSize), plain, k.bound(about)), nil
}

// DecryptAlike returns what EncryptAlike has encrypted. The error is ErrChanged where it was not this.
func (k Key) DecryptAlike(encrypted, about []byte) ([]byte, error) {
	if len(encrypted) < alikeSize+tagSize {
		return nil, ErrChanged
	}
	code := encrypted[:alikeSize]
	c, err := k.under(code)
	if err != nil {
		return nil, err
	}
	plain, err := c.Open(nil, make([]byte, NonceSize), encrypted[alikeSize:], k.bound(about))
	if err != nil {
		return nil, ErrChanged
	}
	// One text has one form: another code would have been taken by another program.
	if want, err := k.code(plain, about); err != nil || !hmac.Equal(want, code) {
		return nil, ErrChanged
	}
	return plain, nil
}

// code is what the bytes of EncryptAlike depend on.
func (k Key) code(plain, about []byte) ([]byte, error) {
	secret, err := k.derived(byPlain, []byte("code"))
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	bound := k.bound(about)
	_ = binary.Write(mac, binary.BigEndian, uint64(len(bound))) // a hash takes what it is given
	mac.Write(bound)
	mac.Write(plain)
	return mac.Sum(nil), nil
}

func (k Key) under(code []byte) (cipher.AEAD, error) {
	secret, err := k.derived(byPlain, code)
	if err != nil {
		return nil, err
	}
	return gcm(secret)
}

// derived is the secret of a key for a purpose.
func (k Key) derived(purpose string, salt []byte) ([]byte, error) {
	if len(k.Secret) != SecretSize {
		return nil, fmt.Errorf("%v: %d bytes, want %d", k, len(k.Secret), SecretSize)
	}
	return hkdf.Key(sha256.New, k.Secret, salt, purpose, SecretSize)
}

// bound is what an encrypted text is held to beside its bytes.
func (k Key) bound(about []byte) []byte {
	return append([]byte(k.ID+"\x00"), about...)
}

func gcm(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Package keyring keeps the keys of an installation in files that every process of it reads: the Ed25519 keys, of which the newest
// signs and all verify, and the payload keys, of which the newest encrypts and all decrypt. It follows the files while Muster runs, so
// that keys rotate without a stop.
package keyring

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"muster/internal/link"
	"muster/internal/signature"
	"muster/internal/wholefile"
)

// File is the usual name of the file, in the data folder.
const File = "keys.json"

// A Key is one entry of the file. Old ones stay, for what they have signed is verified for as long as there are records.
type Key struct {
	ID      string             `json:"id"`
	Public  ed25519.PublicKey  `json:"public"`
	Private ed25519.PrivateKey `json:"private,omitempty"` // may be taken out of keys that sign no more
	From    time.Time          `json:"from"`              // signs from this instant, until a newer one does
	Revoked time.Time          `json:"revoked,omitzero"`  // believed no more since this instant
}

// Format shows the id only, whatever the verb: the rest holds a secret.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "key %s", k.ID) }

// A Ring is the keys of a file as they are now. It is safe for concurrent use.
type Ring struct {
	followed[Key]

	now func() time.Time
}

// Open reads the file, and makes it with a first key when it is not there.
func Open(file string, now func() time.Time) (*Ring, error) {
	if err := begin(file, now()); err != nil {
		return nil, fmt.Errorf("open keys %s: %w", file, err)
	}
	return openThere(file, now, os.Geteuid())
}

// makes is the command that makes a file of keys that sign.
const makes = "muster keys signing new"

func openThere(file string, now func() time.Time, reader int) (*Ring, error) {
	r := &Ring{followed[Key]{file: file, decode: decode, reader: reader}, now}
	err := r.reload()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open keys: %w: %s makes it", err, makes)
	}
	if err != nil {
		return nil, fmt.Errorf("open keys %s: %w", file, err)
	}
	return r, nil
}

// Read lists the keys in a file without their private halves, the oldest first. It makes none.
func Read(file string) ([]Key, error) {
	r, err := openThere(file, time.Now, keeper())
	if err != nil {
		return nil, err
	}
	return r.Keys(), nil
}

// begin makes the file unless it is there. Of several processes that begin at once, one makes it and all read that.
func begin(file string, now time.Time) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := create(file, now); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// create makes a file with a key that signs at once, unless there is one: then the error is fs.ErrExist.
func create(file string, now time.Time) (Key, error) {
	k, err := newKey(now)
	if err != nil {
		return k, err
	}
	text, err := encode(k)
	if err == nil {
		err = wholefile.Create(file, text, 0o600)
	}
	k.Private = nil
	return k, err
}

func newKey(from time.Time) (Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("make key: %w", err)
	}
	return Key{ID: "key-" + hex.EncodeToString(public[:6]), Public: public, Private: private, From: from.UTC().Truncate(time.Second)}, nil
}

// decode reads the text of a keys file. Its errors never show what stands there.
func decode(text []byte) ([]Key, error) {
	var d document[Key]
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, errors.New("want the JSON that " + makes + " writes")
	}
	for n, k := range d.Keys {
		private := len(k.Private) == 0 || len(k.Private) == ed25519.PrivateKeySize && k.Public.Equal(k.Private.Public())
		if k.ID == "" || len(k.Public) != ed25519.PublicKeySize || k.From.IsZero() || !private {
			return nil, fmt.Errorf("key %d: want an id, a public key of Ed25519, the private one that belongs to it, and from", n+1)
		}
	}
	return inOrder(d.Keys, func(k Key) (string, time.Time) { return k.ID, k.From })
}

// signer is the key that signs at an instant.
func (r *Ring) signer(at time.Time) (Key, error) {
	for _, k := range slices.Backward(r.current()) {
		if len(k.Private) > 0 && k.Revoked.IsZero() && !k.From.After(at) {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("sign: no key of %s signs now: make one with muster keys rotate", r.file)
}

// key is the one with an id. One that is not there is a *signature.UnknownKeyError.
func (r *Ring) key(id string) (Key, error) {
	keys := r.current()
	n := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
	if n < 0 {
		return Key{}, &signature.UnknownKeyError{Key: id}
	}
	return keys[n], nil
}

// believed is the key with an id, unless it is revoked.
func (r *Ring) believed(id string) (Key, error) {
	k, err := r.key(id)
	if err == nil && !k.Revoked.IsZero() {
		err = fmt.Errorf("the key %s that signed it is revoked since %s", k.ID, k.Revoked.UTC().Format(time.RFC3339))
	}
	return k, err
}

// Sign seals a statement with the key that signs now. Via says how its actor was authenticated.
func (r *Ring) Sign(s signature.Statement, via string) (signature.Seal, error) {
	at := r.now()
	k, err := r.signer(at)
	if err != nil {
		return signature.Seal{}, err
	}
	return signature.Sign(s, k.ID, k.Private, at, via), nil
}

// Verify tells whether a message is to be taken: its seal was made by this installation, with a key that is not revoked.
func (r *Ring) Verify(s signature.Statement, seal signature.Seal) error {
	k, err := r.believed(seal.Key)
	if err != nil {
		return err
	}
	return signature.Check(s, seal, k.Public)
}

// Prove tells whether a message of the past was sealed by this installation. That a key was revoked later does not change
// what it has signed before.
func (r *Ring) Prove(s signature.Statement, seal signature.Seal) error {
	k, err := r.key(seal.Key)
	if err != nil {
		return err
	}
	return signature.Check(s, seal, k.Public)
}

// Link signs a link with the key that signs now.
func (r *Ring) Link(l link.Link) (string, error) {
	k, err := r.signer(r.now())
	if err != nil {
		return "", err
	}
	return link.Sign(l, k.ID, k.Private), nil
}

// ReadLink returns what a link allows. A link that this installation has not made, or whose key is revoked, is a
// *link.InvalidError.
func (r *Ring) ReadLink(token string) (link.Link, error) {
	return link.Read(token, func(id string) (ed25519.PublicKey, error) {
		k, err := r.believed(id)
		return k.Public, err
	})
}

// Keys lists the keys as they are now without their private halves, the oldest first.
func (r *Ring) Keys() []Key {
	all := slices.Clone(r.current())
	for n := range all {
		all[n].Private = nil
	}
	return all
}

// Rotate adds a key that signs from Lead after now.
func (r *Ring) Rotate() (Key, error) { return Rotate(r.file, r.now().Add(Lead)) }

// Revoke makes a key believed no more.
func (r *Ring) Revoke(id string) error {
	_, err := Revoke(r.file, id, r.now())
	return err
}

// Lead is how long after a rotation the new key begins to sign: until then every process has read its public half.
const Lead = time.Minute

// New makes a file with a key that signs at once, and returns that without its private half. It overwrites none.
func New(file string, now time.Time) (Key, error) {
	k, err := create(file, now)
	if errors.Is(err, fs.ErrExist) {
		return k, fmt.Errorf("make keys: %s is there already, and what it has signed needs it: muster keys signing rotate adds a key", file)
	}
	if err != nil {
		return k, fmt.Errorf("make keys: %w", err)
	}
	return k, nil
}

// Rotate adds a key that signs from an instant on, and returns it without its private half.
func Rotate(file string, from time.Time) (Key, error) {
	k, err := newKey(from)
	if err != nil {
		return k, err
	}
	err = change(file, makes, decode, func(keys []Key) ([]Key, error) { return append(keys, k), nil })
	k.Private = nil
	return k, err
}

// Revoke makes whatever a key has signed and no worker has taken yet worthless, and returns it without its private half. What was taken
// before stays true. The last key that signs is not revoked: rotate first.
func Revoke(file, id string, now time.Time) (k Key, err error) {
	err = change(file, makes, decode, func(keys []Key) ([]Key, error) {
		n := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id })
		if n < 0 {
			return nil, fmt.Errorf("revoke key %s: no such key", id)
		}
		others := func(k Key) bool { return k.ID != id && len(k.Private) > 0 && k.Revoked.IsZero() && !k.From.After(now) }
		if !slices.ContainsFunc(keys, others) {
			return nil, fmt.Errorf("revoke key %s: no other key signs yet: rotate, and wait until it does", id)
		}
		if keys[n].Revoked.IsZero() {
			keys[n].Revoked = now.UTC().Truncate(time.Second)
		}
		k = keys[n]
		return keys, nil
	})
	k.Private = nil
	return k, err
}

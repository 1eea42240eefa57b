package keyring

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"time"

	"muster/internal/encryption"
	"muster/internal/wholefile"
)

// CopiedLead is how long after a rotation in a file the new key counts, unless somebody says otherwise: until then every process
// must have it, also those to which the file is copied.
const CopiedLead = 10 * time.Minute

// A PayloadRing is the payload keys of a file as they are now. It is safe for concurrent use.
type PayloadRing struct {
	followed[encryption.Key]

	now func() time.Time
}

// OpenPayloads reads a file of payload keys. It makes none: whoever began with keys of their own could not read what the others write.
func OpenPayloads(file string, now func() time.Time) (*PayloadRing, error) {
	return openPayloads(file, now, os.Geteuid())
}

// ReadPayloads is OpenPayloads for a list: root may ask for one of a file that it hands to whoever runs Muster.
func ReadPayloads(file string, now func() time.Time) (*PayloadRing, error) {
	return openPayloads(file, now, keeper())
}

// makesPayloads is the command that makes a file of payload keys.
const makesPayloads = "muster keys payload new"

func openPayloads(file string, now func() time.Time, reader int) (*PayloadRing, error) {
	r := &PayloadRing{followed[encryption.Key]{file: file, decode: decodePayloads, follow: keepsAll, reader: reader}, now}
	err := r.reload()
	if err == nil {
		_, err = r.Newest()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open payload keys: %w: %s makes it", err, makesPayloads)
	}
	if err != nil {
		return nil, fmt.Errorf("open payload keys %s: %w", file, err)
	}
	return r, nil
}

// keepsAll asks that no key is lost or another one: what it has encrypted would be lost with it.
func keepsAll(before, now []encryption.Key) error {
	for _, k := range before {
		n := slices.IndexFunc(now, func(o encryption.Key) bool { return o.ID == k.ID })
		if n < 0 || subtle.ConstantTimeCompare(now[n].Secret, k.Secret) != 1 {
			return fmt.Errorf("payload key %s is not in it any more, or is another one: want all keys that it has had; those from before stay in use", k.ID)
		}
	}
	return nil
}

// Newest is the key that encrypts now.
func (r *PayloadRing) Newest() (encryption.Key, error) {
	now := r.now()
	for _, k := range slices.Backward(r.current()) {
		if !k.From.After(now) {
			return k, nil
		}
	}
	return encryption.Key{}, fmt.Errorf("no key of %s encrypts yet: want one whose from has come", r.file)
}

// Key is the one with an id. Of one that is not there, the error is an *encryption.UnknownKeyError.
func (r *PayloadRing) Key(id string) (encryption.Key, error) {
	keys := r.current()
	n := slices.IndexFunc(keys, func(k encryption.Key) bool { return k.ID == id })
	if n < 0 {
		return encryption.Key{}, &encryption.UnknownKeyError{Key: id, File: r.file}
	}
	return keys[n], nil
}

// Keys lists the keys as they are now without their secrets, the oldest first.
func (r *PayloadRing) Keys() []encryption.Key {
	all := slices.Clone(r.current())
	for n := range all {
		all[n].Secret = nil
	}
	return all
}

// NewPayloads makes a file with a payload key that encrypts at once. It overwrites none.
func NewPayloads(file string, now time.Time) (encryption.Key, error) {
	k := newPayload(now)
	text, err := encode(k)
	if err == nil {
		err = wholefile.Create(file, text, 0o600)
	}
	k.Secret = nil
	if errors.Is(err, fs.ErrExist) {
		return k, fmt.Errorf("make payload keys: %s is there already, and what it has encrypted needs it: muster keys payload rotate adds a key", file)
	}
	if err != nil {
		return k, fmt.Errorf("make payload keys: %w", err)
	}
	return k, nil
}

// RotatePayloads adds a payload key that encrypts from an instant on.
func RotatePayloads(file string, from time.Time) (encryption.Key, error) {
	k := newPayload(from)
	err := change(file, makesPayloads, decodePayloads, func(keys []encryption.Key) ([]encryption.Key, error) { return append(keys, k), nil })
	k.Secret = nil
	return k, err
}

func newPayload(from time.Time) encryption.Key {
	const idSize = 6
	random := make([]byte, idSize+encryption.SecretSize)
	_, _ = rand.Read(random) // it never fails
	return encryption.Key{ID: "payload-" + hex.EncodeToString(random[:idSize]), Secret: random[idSize:], From: from.UTC().Truncate(time.Second)}
}

var payloadID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// decodePayloads reads the text of a file of payload keys. Its errors never show what stands there.
func decodePayloads(text []byte) ([]encryption.Key, error) {
	var d document[encryption.Key]
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, errors.New("want the JSON that " + makesPayloads + " writes")
	}
	for n, k := range d.Keys {
		if !payloadID.MatchString(k.ID) || len(k.Secret) != encryption.SecretSize || k.From.IsZero() {
			return nil, fmt.Errorf("key %d: want an id of at most 64 letters, digits, dots, hyphens and low lines, a secret of %d bytes in base64, and from",
				n+1, encryption.SecretSize)
		}
	}
	return inOrder(d.Keys, func(k encryption.Key) (string, time.Time) { return k.ID, k.From })
}

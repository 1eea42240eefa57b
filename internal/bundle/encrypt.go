package bundle

import (
	"fmt"

	"muster/internal/encryption"
)

// Encrypted returns the bundle with all its parts encrypted. The same bundle under the same key gives the same bytes; what the manifest
// says of it stays in clear, and so does how long its parts are.
func (b *Bundle) Encrypted(with encryption.Key) (*Bundle, error) {
	if b.PayloadKey != "" {
		return nil, fmt.Errorf("encrypt bundle %s: it is, with payload key %s", b.ID, b.PayloadKey)
	}
	out := &Bundle{Facts: b.Facts, Parts: map[string][]byte{}}
	out.PayloadKey = with.ID
	for name, part := range b.Parts {
		var err error
		if out.Parts[name], err = with.EncryptAlike(part, b.place(name)); err != nil {
			return nil, fmt.Errorf("encrypt bundle %s: part %s: %w", b.ID, name, err)
		}
	}
	return out, nil
}

// Decrypted returns the bundle with its parts in clear: one that is not encrypted as it is. The file names it in errors.
func (b *Bundle) Decrypted(file string, keys encryption.Keys) (*Bundle, error) {
	if b.PayloadKey == "" {
		return b, nil
	}
	k, err := encryption.Find(keys, b.PayloadKey)
	if err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", file, err)
	}
	out := &Bundle{Facts: b.Facts, Parts: map[string][]byte{}}
	out.PayloadKey = ""
	for name, part := range b.Parts {
		if out.Parts[name], err = k.DecryptAlike(part, b.place(name)); err != nil {
			return nil, fmt.Errorf("read bundle %s: part %s, encrypted with %v: %w", file, name, k, err)
		}
	}
	return out, nil
}

// place is where a part belongs: in another run, or under another name, it is not decrypted.
func (b *Bundle) place(part string) []byte { return []byte(b.FirstRun + "\x00" + part) }

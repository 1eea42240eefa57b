package bundle_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/bundle"
	"muster/internal/encryption"
)

func payloadKey(id string) encryption.Key {
	return encryption.Key{ID: id, Secret: bytes.Repeat([]byte(id), encryption.SecretSize)[:encryption.SecretSize], From: time.Unix(1, 0)}
}

// payloadKeys has some.
type payloadKeys []string

func (all payloadKeys) Key(id string) (encryption.Key, error) {
	if !slices.Contains(all, id) {
		return encryption.Key{}, &encryption.UnknownKeyError{Key: id, File: "payload-keys.json"}
	}
	return payloadKey(id), nil
}

func encrypted(t interface{ Fatal(...any) }, b *bundle.Bundle, with encryption.Key) *bundle.Bundle {
	out, err := b.Encrypted(with)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnEncryptedBundleSaysWhatItIsOfAndNoMore(t *testing.T) {
	b := example(1)
	file := write(t, encrypted(t, b, payloadKey("payload-a")))
	if !bytes.Equal(file, write(t, encrypted(t, example(1), payloadKey("payload-a")))) {
		t.Error("the same run under the same key gives other bytes")
	}
	if bytes.Equal(file, write(t, encrypted(t, example(1), payloadKey("payload-b")))) {
		t.Error("another key gives the same bytes")
	}
	for _, word := range []string{"인시던트 보고서", `"events"`, "text/markdown"} {
		if bytes.Contains(file, []byte(word)) {
			t.Errorf("%q is in clear", word)
		}
	}
	p, err := bundle.Verify("INC-1.tar", file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Bundle.ID != "INC-1" || p.Bundle.PayloadKey != "payload-a" || !slices.Contains(p.Bundle.People, "kim") {
		t.Errorf("its manifest says %+v", p.Bundle.Facts)
	}
	got, err := p.Bundle.Decrypted("INC-1.tar", payloadKeys{"payload-a", "payload-b"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := bundle.Read("INC-1.tar", write(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("in clear (-want +got):\n%s", d)
	}
	if again, err := got.Decrypted("INC-1.tar", nil); again != got || err != nil {
		t.Errorf("what is in clear: got %v", err)
	}
	if _, err := p.Bundle.Encrypted(payloadKey("payload-b")); err == nil || err.Error() != "encrypt bundle INC-1: it is, with payload key payload-a" {
		t.Errorf("encrypted twice: %v", err)
	}
	for want, keys := range map[string]encryption.Keys{
		`read bundle INC-1.tar: encrypted with payload key "payload-a": want --payload-keys, with a file that has it`:               nil,
		`read bundle INC-1.tar: encrypted with payload key "payload-a", which is not in payload-keys.json: want a file that has it`: payloadKeys{"payload-b"},
	} {
		if _, err := p.Bundle.Decrypted("INC-1.tar", keys); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Whoever can write files and has no key can make a bundle that is whole in itself. It is not decrypted.
func TestAForgedPartIsNotDecrypted(t *testing.T) {
	one, other := encrypted(t, example(1), payloadKey("payload-a")), example(2)
	other.FirstRun, other.Runs = "r7", []string{"r7"}
	other = encrypted(t, other, payloadKey("payload-a"))
	names := slices.Sorted(maps.Keys(one.Parts))
	rapid.Check(t, func(t *rapid.T) {
		forged := &bundle.Bundle{Facts: one.Facts, Parts: maps.Clone(one.Parts)}
		name := rapid.SampledFrom(names).Draw(t, "part")
		switch part := slices.Clone(one.Parts[name]); rapid.IntRange(0, 4).Draw(t, "how") {
		case 0:
			part[rapid.IntRange(0, len(part)-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "by")
			forged.Parts[name] = part
		case 1:
			forged.Parts[name] = part[:rapid.IntRange(0, len(part)-1).Draw(t, "at")]
		case 2:
			forged.Parts[name] = other.Parts[name]
		case 3:
			forged.Parts[name] = one.Parts[names[(slices.Index(names, name)+1)%len(names)]]
		case 4: // in clear
			forged.Parts[name] = example(1).Parts[name]
		}
		b, err := bundle.Read("INC-1.tar", write(t, forged))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Decrypted("INC-1.tar", payloadKeys{"payload-a"})
		if !errors.Is(err, encryption.ErrChanged) || !strings.Contains(err.Error(), "part "+name) {
			t.Fatalf("got %v, want a word about %s", err, name)
		}
	})
}

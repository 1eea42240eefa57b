package encryption_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/encryption"
)

func key(id string, first byte) encryption.Key {
	return encryption.Key{ID: id, Secret: append([]byte{first}, bytes.Repeat([]byte{7}, encryption.SecretSize-1)...), From: time.Unix(1, 0)}
}

// A way is one of the two by which a key encrypts.
type way struct {
	encrypt func(k encryption.Key, plain, about []byte) ([]byte, error)
	decrypt func(k encryption.Key, encrypted, about []byte) ([]byte, error)
}

func ways() map[string]way {
	return map[string]way{
		"by nonce": {func(k encryption.Key, plain, about []byte) ([]byte, error) {
			return k.Encrypt([encryption.NonceSize]byte{1, 2, 3}, plain, about)
		}, encryption.Key.Decrypt},
		"alike": {encryption.Key.EncryptAlike, encryption.Key.DecryptAlike},
	}
}

func TestWhatIsEncryptedIsDecryptedAndAnyChangeShows(t *testing.T) {
	for name, by := range ways() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				plain, about := rapid.SliceOf(rapid.Byte()).Draw(t, "plain"), rapid.SliceOf(rapid.Byte()).Draw(t, "about")
				k := key("a", 1)
				encrypted, err := by.encrypt(k, plain, about)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := by.decrypt(k, encrypted, about); err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("got %x, %v; want %x", got, err, plain)
				}
				changed := slices.Clone(encrypted)
				at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
				changed[at] ^= rapid.ByteRange(1, 255).Draw(t, "by")
				for what, ask := range map[string]func() ([]byte, error){
					"a byte":         func() ([]byte, error) { return by.decrypt(k, changed, about) },
					"its end":        func() ([]byte, error) { return by.decrypt(k, encrypted[:at], about) },
					"what it is":     func() ([]byte, error) { return by.decrypt(k, encrypted, append(slices.Clone(about), 'x')) },
					"the key's id":   func() ([]byte, error) { return by.decrypt(key("b", 1), encrypted, about) },
					"the key itself": func() ([]byte, error) { return by.decrypt(key("a", 2), encrypted, about) },
				} {
					if _, err := ask(); !errors.Is(err, encryption.ErrChanged) {
						t.Fatalf("%s is another: got %v", what, err)
					}
				}
			})
		})
	}
}

func TestOneWayIsNotTheOther(t *testing.T) {
	k, all := key("a", 1), ways()
	for name, by := range all {
		encrypted, err := by.encrypt(k, bytes.Repeat([]byte{1}, 100), nil)
		if err != nil {
			t.Fatal(err)
		}
		for other, as := range all {
			if _, err := as.decrypt(k, encrypted, nil); (err == nil) != (name == other) {
				t.Errorf("%s, decrypted %s: got %v", name, other, err)
			}
		}
	}
}

// What is archived twice is the same file, and what differs shares nothing.
func TestAlikeIsTheSameForTheSameOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 40)
		one, other := [2][]byte{text.Draw(t, "plain"), text.Draw(t, "about")}, [2][]byte{text.Draw(t, "other plain"), text.Draw(t, "other about")}
		if rapid.Bool().Draw(t, "same") {
			other = one
		}
		a, err := key("a", 1).EncryptAlike(one[0], one[1])
		b, wrong := key("a", 1).EncryptAlike(other[0], other[1])
		if err = errors.Join(err, wrong); err != nil {
			t.Fatal(err)
		}
		same := bytes.Equal(one[0], other[0]) && bytes.Equal(one[1], other[1])
		if bytes.Equal(a, b) != same || bytes.Equal(a[:32], b[:32]) != same {
			t.Fatalf("%x and %x give %x and %x", one, other, a, b)
		}
	})
}

// The bytes are in archives and histories: they must stay the same.
func TestBytesStayTheSame(t *testing.T) {
	for name, want := range map[string]string{
		"by nonce": "010203000000000000000000609b9684fb34a96dcd82db09056b2cfdfc5b82603d34a7715541838e45",
		"alike":    "01ce361c09df920243337393a5861157b76320abf6c9ae1c45d93ff9e7bc3091f492c692144cdd10410843497472a3105bac038ca5831a5050d7eceb84",
	} {
		got, err := ways()[name].encrypt(key("payload-a", 1), []byte("불이 났다"), []byte("about"))
		if err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(got) != want {
			t.Errorf("%s: got %x, want %s", name, got, want)
		}
	}
}

func TestAKeyShowsNoSecret(t *testing.T) {
	k := key("payload-a", 1)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(format, k); got != "payload key payload-a" {
			t.Errorf("%s shows %s", format, got)
		}
	}
	k.Secret = []byte("short secret")
	for name, by := range ways() {
		_, err := by.encrypt(k, nil, nil)
		if err == nil || err.Error() != "payload key payload-a: 12 bytes, want 32" {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := by.decrypt(k, make([]byte, 100), nil); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMissingKeyIsNamed(t *testing.T) {
	_, err := encryption.Find(nil, "payload-a")
	if want := `encrypted with payload key "payload-a": want --payload-keys, with a file that has it`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	unknown, ok := errors.AsType[*encryption.UnknownKeyError](err)
	if !ok || unknown.Key != "payload-a" {
		t.Fatalf("got %v", err)
	}
	unknown.File = "keys.json"
	if want := `encrypted with payload key "payload-a", which is not in keys.json: want a file that has it`; unknown.Error() != want {
		t.Errorf("got %v, want %s", unknown, want)
	}
}

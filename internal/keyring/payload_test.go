package keyring_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/encryption"
	"muster/internal/keyring"
)

const payloadFile = "payload-keys.json"

// newPayloads makes a file with one key, and opens it.
func newPayloads(t *testing.T, c *clock) (file string, first encryption.Key, r *keyring.PayloadRing) {
	t.Helper()
	file = filepath.Join(t.TempDir(), payloadFile)
	first, err := keyring.NewPayloads(file, c.now())
	if err != nil {
		t.Fatal(err)
	}
	if r, err = keyring.OpenPayloads(file, c.now); err != nil {
		t.Fatal(err)
	}
	return file, first, r
}

func newest(t *testing.T, r *keyring.PayloadRing) encryption.Key {
	t.Helper()
	k, err := r.Newest()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestPayloadKeysRotateWithoutAStop(t *testing.T) {
	c := &clock{noon}
	file, first, writer := newPayloads(t, c)
	reader, err := keyring.OpenPayloads(file, c.now)
	if err != nil {
		t.Fatal(err)
	}
	if k := newest(t, writer); k.ID != first.ID || len(k.Secret) != encryption.SecretSize {
		t.Fatalf("%v encrypts, want %v", k, first)
	}
	next, err := keyring.RotatePayloads(file, c.at.Add(keyring.CopiedLead))
	if err != nil {
		t.Fatal(err)
	}
	c.at = noon.Add(keyring.CopiedLead - time.Second)
	if k := newest(t, writer); k.ID != first.ID {
		t.Errorf("%v encrypts, want %v still", k, first)
	}
	if _, err := reader.Key(next.ID); err != nil { // before anybody encrypts with it
		t.Error(err)
	}
	c.at = noon.Add(keyring.CopiedLead)
	if k := newest(t, writer); k.ID != next.ID {
		t.Errorf("%v encrypts, want %v", k, next)
	}
	if k, err := reader.Key(first.ID); err != nil || len(k.Secret) != encryption.SecretSize {
		t.Errorf("the old key: %v, %v", k, err)
	}
	for _, k := range append(writer.Keys(), first, next) {
		if len(k.Secret) > 0 {
			t.Errorf("%v is listed with its secret", k)
		}
	}
	_, err = writer.Key("payload-other")
	if unknown, ok := errors.AsType[*encryption.UnknownKeyError](err); !ok || unknown.Key != "payload-other" || unknown.File != file {
		t.Errorf("got %v", err)
	}
}

func TestAFileOfPayloadKeysIsMadeOnce(t *testing.T) {
	c := &clock{noon}
	file, first, r := newPayloads(t, c)
	if state, err := os.Stat(file); err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want it readable for its owner alone", state.Mode(), err)
	}
	if _, err := keyring.NewPayloads(file, c.now()); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("got %v", err)
	}
	if k := newest(t, r); k.ID != first.ID {
		t.Errorf("%v encrypts, want %v", k, first)
	}
	missing := filepath.Join(t.TempDir(), payloadFile)
	if _, err := keyring.OpenPayloads(missing, c.now); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "muster keys payload new makes it") {
		t.Errorf("got %v", err)
	}
	if _, err := keyring.RotatePayloads(missing, c.now()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestABadFileOfPayloadKeysIsRefusedAtTheStartAndLaterChangesNothing(t *testing.T) {
	c := &clock{noon}
	file, first, r := newPayloads(t, c)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("S", encryption.SecretSize)))
	one := func(id, secret, from string) string {
		text, err := json.Marshal(map[string]string{"id": id, "secret": secret, "from": from})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const from = "2026-01-01T00:00:00Z"
	for name, tc := range map[string]struct{ keys, want string }{
		"not JSON":       {`x`, "want the JSON that muster keys payload new writes"},
		"no key":         {``, "no key: want one at least"},
		"no id":          {one("", secret, from), "key 1: want an id of"},
		"a wild id":      {one("a\n", secret, from), "key 1: want an id of"},
		"a short secret": {one("a", "U1NT", from), "a secret of 32 bytes"},
		"a broken one":   {one("a", "***", from), "want the JSON"},
		"from nowhere":   {one("a", secret, "0001-01-01T00:00:00Z"), "and from"},
		"twice":          {one("a", secret, from) + "," + one("a", secret, from), "key 2: its id stands there twice"},
	} {
		if err := os.WriteFile(file, []byte(`{"keys":[`+tc.keys+`]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.OpenPayloads(file, c.now)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "SSSS") {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if err := r.Err(); err == nil {
			t.Errorf("%s: a running process is ready", name)
		}
		if k := newest(t, r); k.ID != first.ID {
			t.Errorf("%s: %v encrypts, want %v still", name, k, first)
		}
	}
	coming := []byte(`{"keys":[` + one("a", secret, "2100-01-01T00:00:00Z") + `]}`)
	if err := os.WriteFile(file, coming, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.OpenPayloads(file, c.now); err == nil || !strings.Contains(err.Error(), "encrypts yet") {
		t.Errorf("got %v", err)
	}
	// A file that is good in itself, and has lost what was encrypted with the keys of this one, is not followed either.
	for name, keys := range map[string]string{"without our key": one("a", secret, from), "another secret": one(first.ID, secret, from)} {
		if err := os.WriteFile(file, []byte(`{"keys":[`+keys+`]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), "payload key "+first.ID+" is not in it any more") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", name, err)
		}
		if k := newest(t, r); k.ID != first.ID || string(k.Secret) == strings.Repeat("S", encryption.SecretSize) {
			t.Errorf("%s: another key encrypts", name)
		}
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Errorf("mended: %v", err)
	}
	if k := newest(t, r); k.ID != first.ID {
		t.Errorf("mended: %v encrypts", k)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.OpenPayloads(file, c.now); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}

func TestAPayloadKeyShowsNoSecret(t *testing.T) {
	_, _, r := newPayloads(t, &clock{noon})
	k := newest(t, r)
	if got := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Count(got, k.ID) != 3 || len(got) != 3*len("payload key "+k.ID)+2 {
		t.Errorf("it shows %s", got)
	}
}

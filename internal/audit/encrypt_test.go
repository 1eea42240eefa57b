package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/audit"
	"muster/internal/bundle"
	"muster/internal/encryption"
)

// payloadKeys encrypt with the last of them.
type payloadKeys []encryption.Key

func (all payloadKeys) Newest() (encryption.Key, error) { return all[len(all)-1], nil }

func (all payloadKeys) Key(id string) (encryption.Key, error) {
	n := slices.IndexFunc(all, func(k encryption.Key) bool { return k.ID == id })
	if n < 0 {
		return encryption.Key{}, &encryption.UnknownKeyError{Key: id, File: "payload-keys.json"}
	}
	return all[n], nil
}

func payloadKey(id string) encryption.Key {
	return encryption.Key{ID: id, Secret: bytes.Repeat([]byte(id), encryption.SecretSize)[:encryption.SecretSize], From: time.Unix(1, 0)}
}

// encrypts has the passes of a vault encrypt with the last of these keys; with none, they write in clear and read nothing else.
func (v *vault) encrypts(keys ...encryption.Key) {
	v.Payloads, v.Newest = payloadKeys(keys), payloadKeys(keys).Newest
	if len(keys) == 0 {
		v.Newest = nil
	}
}

// bundles are the files of the runs that have ended.
func (v *vault) bundles() map[string][]byte {
	all := map[string][]byte{}
	for name, content := range v.files.all {
		if strings.HasPrefix(name, bundle.BundlesFolder) {
			all[name] = content
		}
	}
	return all
}

func TestAnEncryptedArchiveIsProvenWithoutAKeyAndReadWithOne(t *testing.T) {
	v := newVault(t, recorded(t, "incident-happy", "review-published"))
	v.encrypts(payloadKey("payload-a"))
	if _, err := v.pass(began.Add(4 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if runs, _, _ := v.proven(); len(runs) != 2 {
		t.Fatalf("kept are %v", runs)
	}
	for name, content := range v.bundles() {
		if bytes.Contains(content, []byte("eventId")) || bytes.Contains(content, []byte("entries until")) {
			t.Errorf("%s is in clear", name)
		}
		file := filepath.Join(t.TempDir(), "kept.tar")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := audit.Open(file, payloadKeys{payloadKey("payload-a")})
		if err != nil {
			t.Fatal(err)
		}
		if all := replay(t, k); len(all.Differences.Listed) > 0 || !all.Compared {
			t.Errorf("%s replays with %v", name, all.Differences)
		}
		if _, err := audit.Open(file, nil); err == nil || !strings.Contains(err.Error(), "want --payload-keys") {
			t.Errorf("without a key: %v", err)
		}
	}
	// What is listed stands in the manifests; what happened does not.
	r := v.reader()
	if all, err := r.List(t.Context(), audit.Filter{Customer: "acme", Kind: "incident"}); err != nil || len(all) != 1 || all[0].PayloadKey != "payload-a" {
		t.Errorf("listed are %+v, %v", all, err)
	}
	_, err := r.Exceptions(t.Context(), audit.Filter{})
	if unknown, ok := errors.AsType[*encryption.UnknownKeyError](err); !ok || unknown.Key != "payload-a" {
		t.Errorf("exceptions without a key: %v", err)
	}
	r.Payloads = v.Payloads
	if all, err := r.Exceptions(t.Context(), audit.Filter{}); err != nil || len(all) == 0 {
		t.Errorf("exceptions with the key: %v, %v", all, err)
	}
}

// A pass was cut off when it had written a bundle. What stands there stays, whatever encrypts now.
func TestTheKeyChangesBetweenTwoPasses(t *testing.T) {
	a, b := payloadKey("payload-a"), payloadKey("payload-b")
	for name, tt := range map[string]struct {
		before, after []encryption.Key
		missing       string
	}{
		"the same key":        {before: []encryption.Key{a}, after: []encryption.Key{a}},
		"it was rotated":      {before: []encryption.Key{a}, after: []encryption.Key{a, b}},
		"it was switched on":  {after: []encryption.Key{a}},
		"it was switched off": {before: []encryption.Key{a}, missing: `encrypted with payload key "payload-a"`},
		"the key is lost":     {before: []encryption.Key{a}, after: []encryption.Key{b}, missing: "payload-a"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t, recorded(t, "action"))
			v.encrypts(tt.before...)
			if _, err := v.pass(began.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			v.files.left = 1
			if _, err := v.pass(began.Add(time.Hour)); !errors.Is(err, errKilled) {
				t.Fatalf("got %v, want it killed", err)
			}
			was := v.bundles()
			v.files.left = -1
			v.encrypts(tt.after...)
			p, err := v.pass(began.Add(time.Hour))
			if err != nil || (p.Missing == 1) != (tt.missing != "") {
				t.Fatalf("got %+v, %v", p, err)
			}
			runs, _, censuses := v.proven()
			if tt.missing != "" {
				if detail := censuses[len(censuses)-1].Missing[0].Detail; !strings.Contains(detail, tt.missing) {
					t.Errorf("it is missing because %q, want %q", detail, tt.missing)
				}
				return
			}
			if len(runs) != 1 || len(was) != 1 {
				t.Errorf("kept are %v, written were %d", runs, len(was))
			}
			for name, content := range v.bundles() {
				if !bytes.Equal(content, was[name]) {
					t.Errorf("%s was written again", name)
				}
			}
		})
	}
}

// A chain whose first run only an encrypted bundle has is whole all the same.
func TestAChainGoesOnFromAnEncryptedBundle(t *testing.T) {
	e := recorded(t, "incident-continued")
	if len(e.runs) < 2 {
		t.Fatal("want a chain")
	}
	v := newVault(t, e)
	v.encrypts(payloadKey("payload-a"))
	if _, err := v.pass(began.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	e.dropped[e.runs[0].Run] = true
	v.encrypts(payloadKey("payload-a"), payloadKey("payload-b"))
	if _, err := v.pass(began.Add(10 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	all, err := v.reader().List(t.Context(), audit.Filter{})
	if err != nil || len(all) != 1 || len(all[0].Runs) != len(e.runs) || all[0].PayloadKey != "payload-b" {
		t.Errorf("got %+v, %v", all, err)
	}
}

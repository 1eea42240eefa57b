package keyring_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"muster/internal/keyring"
	"muster/internal/link"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// A clock stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T, file string, c *clock) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(file, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func statement() signature.Statement {
	return signature.Statement{Workflow: "incident/a", Message: "Alerts", By: timeline.Muster()}
}

func sign(t *testing.T, r *keyring.Ring) signature.Seal {
	t.Helper()
	seal, err := r.Sign(statement(), "intake")
	if err != nil {
		t.Fatal(err)
	}
	return seal
}

func TestTheFirstKeyIsMadeForItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), keyring.File)
	c := &clock{noon}
	seal := sign(t, open(t, file, c))
	if err := open(t, file, c).Verify(statement(), seal); err != nil || !seal.At.Equal(noon) || seal.Via != "intake" {
		t.Errorf("another process that reads the file: %v, seal %+v", err, seal)
	}
	state, err := os.Stat(file)
	if err != nil || state.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want it readable for its owner alone", state.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*"))
	if len(left)+len(hidden) != 1 {
		t.Errorf("the folder has %v %v; want the file alone", left, hidden)
	}
}

func TestOfSeveralThatBeginAtOnceOneMakesTheKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), keyring.File)
	rings := make([]*keyring.Ring, 8)
	var all sync.WaitGroup
	for n := range rings {
		all.Go(func() {
			var err error
			if rings[n], err = keyring.Open(file, (&clock{noon}).now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	seal := sign(t, rings[0])
	for n, r := range rings {
		if err := r.Verify(statement(), seal); err != nil || len(r.Keys()) != 1 {
			t.Errorf("process %d: %d keys, %v", n, len(r.Keys()), err)
		}
	}
}

func TestKeysRotateWithoutAStop(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	signer, verifier := open(t, file, c), open(t, file, c)
	before := sign(t, signer)
	made, err := keyring.Rotate(file, c.now().Add(keyring.Lead))
	if err != nil {
		t.Fatal(err)
	}
	// Until every process has read the new key, the old one signs.
	c.at = noon.Add(keyring.Lead - time.Second)
	if seal := sign(t, signer); seal.Key != before.Key {
		t.Errorf("signed with %s, want %s still", seal.Key, before.Key)
	}
	c.at = noon.Add(keyring.Lead)
	after := sign(t, signer)
	if after.Key != made.ID {
		t.Errorf("signed with %s, want %s", after.Key, made.ID)
	}
	for _, seal := range []signature.Seal{before, after} {
		if err := verifier.Verify(statement(), seal); err != nil {
			t.Errorf("signed with %s: %v", seal.Key, err)
		}
	}
	for _, k := range verifier.Keys() {
		if len(k.Private) > 0 {
			t.Errorf("%s is listed with its private half", k.ID)
		}
	}
}

func TestARevokedKeyIsBelievedNoMoreAndProvesThePast(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	r := open(t, file, c)
	old := sign(t, r)
	leaked, err := r.Link(link.Link{ID: "d1", Person: "park", Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Revoke(file, old.Key, c.now()); err == nil || !strings.Contains(err.Error(), "no other key signs yet") {
		t.Errorf("revoked the only key: %v", err)
	}
	if _, err := keyring.Rotate(file, c.now().Add(keyring.Lead)); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Revoke(file, old.Key, c.now()); err == nil {
		t.Error("revoked the only key that signs yet")
	}
	c.at = noon.Add(keyring.Lead)
	if _, err := keyring.Revoke(file, old.Key, c.now()); err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(statement(), old); err == nil || !strings.Contains(err.Error(), "is revoked since 2026-11-25T12:01:00Z") {
		t.Errorf("signed with a revoked key: %v", err)
	}
	if err := r.Prove(statement(), old); err != nil {
		t.Errorf("what was signed before: %v", err)
	}
	_, err = r.ReadLink(leaked)
	if _, invalid := errors.AsType[*link.InvalidError](err); !invalid {
		t.Errorf("a link of a revoked key: %v", err)
	}
	if _, err := keyring.Revoke(file, "key-none", c.now()); err == nil || err.Error() != "revoke key key-none: no such key" {
		t.Errorf("got %v", err)
	}
	if seal := sign(t, r); seal.Key == old.Key {
		t.Error("the revoked key signs")
	}
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	c := &clock{noon}
	ours, theirs := open(t, filepath.Join(t.TempDir(), keyring.File), c), open(t, filepath.Join(t.TempDir(), keyring.File), c)
	foreign := sign(t, theirs)
	err := ours.Verify(statement(), foreign)
	if _, unknown := errors.AsType[*signature.UnknownKeyError](err); !unknown {
		t.Errorf("another installation's: got %v", err)
	}
	foreign.Key = sign(t, ours).Key
	if err := ours.Verify(statement(), foreign); !errors.Is(err, signature.ErrForged) {
		t.Errorf("under our key's name: got %v", err)
	}
	token, err := ours.Link(link.Link{ID: "d1", Person: "park", Expires: noon})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ours.ReadLink(token); err != nil || got.Person != "park" {
		t.Errorf("our own link: %+v, %v", got, err)
	}
	if _, err := theirs.ReadLink(token); err == nil {
		t.Error("another installation reads our link")
	}
}

func TestABadFileIsRefusedAtTheStartAndLaterChangesNothing(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	r := open(t, file, c)
	seal := sign(t, r)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(good, &doc); err != nil {
		t.Fatal(err)
	}
	with := func(change func(k map[string]any)) string {
		k := map[string]any{}
		for name, v := range doc.Keys[0] {
			k[name] = v
		}
		change(k)
		text, err := json.Marshal(map[string]any{"keys": []any{k}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	once := strings.TrimSuffix(strings.TrimPrefix(with(func(map[string]any) {}), `{"keys":[`), `]}`)
	for name, tc := range map[string]struct{ text, want string }{
		"not JSON":           {`keys: []`, "want the JSON that muster keys signing new writes"},
		"no key":             {`{"keys":[]}`, "no key: want one at least"},
		"no id":              {with(func(k map[string]any) { k["id"] = "" }), "key 1: want an id"},
		"half a public key":  {with(func(k map[string]any) { k["public"] = "AAAA" }), "key 1: want an id"},
		"another's private":  {with(func(k map[string]any) { k["private"] = strings.Repeat("A", 86) + "==" }), "the private one that belongs to it"},
		"signs from nowhere": {with(func(k map[string]any) { delete(k, "from") }), "and from"},
		"twice":              {`{"keys":[` + once + `,` + once + `]}`, "key 2: its id stands there twice"},
	} {
		c.at = c.at.Add(time.Second)
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.Open(file, c.now)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		if err := r.Err(); err == nil {
			t.Errorf("%s: a running process is ready", name)
		}
		if err := r.Verify(statement(), seal); err != nil {
			t.Errorf("%s: a running process: %v", name, err)
		}
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestNoFolderNoKeys(t *testing.T) {
	_, err := keyring.Open(filepath.Join(t.TempDir(), "missing", keyring.File), (&clock{noon}).now)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := keyring.Rotate(filepath.Join(t.TempDir(), keyring.File), noon.Add(keyring.Lead)); !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), ": muster keys signing new makes it") {
		t.Errorf("rotate what there is not: got %v", err)
	}
}

func TestAFileThatIsACopyIsNotChanged(t *testing.T) {
	for _, kept := range []error{syscall.EROFS, syscall.EBUSY} { // a Secret, and a file that was mounted alone
		err := keyring.Fixed(&fs.PathError{Op: "open", Path: "keys.json.lock", Err: kept}, "keys.json")
		if !errors.Is(err, keyring.ErrFixed) || !errors.Is(err, kept) || !strings.Contains(err.Error(), "change the file from which it comes") {
			t.Errorf("got %v", err)
		}
	}
	if err := keyring.Fixed(syscall.ENOSPC, "keys.json"); errors.Is(err, keyring.ErrFixed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("of something else: got %v", err)
	}
}

func TestAChangedFileKeepsItsPlaceAndMode(t *testing.T) {
	folder := t.TempDir()
	file, link := filepath.Join(folder, "elsewhere", keyring.File), filepath.Join(folder, keyring.File)
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.New(file, noon); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(file, 0o400), os.Symlink(filepath.Join("elsewhere", keyring.File), link)); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Rotate(link, noon); err != nil {
		t.Fatal(err)
	}
	if state, err := os.Lstat(link); err != nil || state.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", state, err)
	}
	state, err := os.Lstat(file)
	if err != nil || state.Mode() != 0o400 {
		t.Errorf("the file is %v, %v; want mode 0400 still", state, err)
	}
	if keys, err := keyring.Read(file); err != nil || len(keys) != 2 {
		t.Errorf("the file has %d keys, %v; want 2", len(keys), err)
	}
}

// A private key that was taken out of the file, kept elsewhere or destroyed, signs no more and still verifies.
func TestAKeyWithoutItsPrivateHalfStillVerifies(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	r := open(t, file, c)
	seal := sign(t, r)
	text, err := json.Marshal(map[string]any{"keys": r.Keys()})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(statement(), seal); err != nil {
		t.Error(err)
	}
	if _, err := r.Sign(statement(), ""); err == nil || !strings.Contains(err.Error(), "make one with muster keys rotate") {
		t.Errorf("got %v", err)
	}
}

func TestRootMayHandAFileToAGroup(t *testing.T) {
	const root, muster, another = 0, 65532, 1000
	for _, tc := range []struct {
		mode        os.FileMode
		owner, user int
		private     bool
	}{
		{0o600, muster, muster, true},
		{0o400, root, root, true},
		{0o440, root, muster, true}, // a Secret of Kubernetes, a credential of systemd
		{0o640, root, muster, true},
		{0o640, muster, muster, false}, // whoever owns it can mend it
		{0o640, root, root, false},
		{0o440, another, muster, false},
		{0o660, root, muster, false},
		{0o444, root, muster, false},
	} {
		if got := keyring.Private(tc.mode, tc.owner, tc.user); got != tc.private {
			t.Errorf("mode %o of %d, read by %d: got %v, want %v", tc.mode, tc.owner, tc.user, got, tc.private)
		}
	}
}

func TestAKeyShowsNoSecret(t *testing.T) {
	k := keyring.Key{ID: "key-1", Private: []byte("s3cret")}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(format, k); got != "key key-1" {
			t.Errorf("%s shows %s", format, got)
		}
	}
}

func TestAFileForAllProcessesIsMadeOnce(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	made, err := keyring.New(file, noon)
	if err != nil || len(made.Private) > 0 {
		t.Fatalf("made %v with %d bytes of its private half, %v", made, len(made.Private), err)
	}
	r := open(t, file, c)
	if seal := sign(t, r); seal.Key != made.ID {
		t.Errorf("%s signs, not %s", seal.Key, made.ID)
	}
	if _, err := keyring.New(file, noon); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("made again: got %v", err)
	}
	next, err := keyring.Rotate(file, noon.Add(time.Hour))
	if err != nil || len(next.Private) > 0 {
		t.Fatalf("added %v with %d bytes of its private half, %v", next, len(next.Private), err)
	}
	if seal := sign(t, r); seal.Key != made.ID {
		t.Errorf("before its time, %s signs", seal.Key)
	}
	c.at = noon.Add(time.Hour)
	if seal := sign(t, r); seal.Key != next.ID {
		t.Errorf("when its time has come, %s signs", seal.Key)
	}
	if gone, err := keyring.Revoke(file, made.ID, c.at); err != nil || !gone.Revoked.Equal(c.at) || len(gone.Private) > 0 {
		t.Errorf("revoked: %v at %s, %v", gone, gone.Revoked, err)
	}
}

// Whoever changes the file at the same time changes it one after another: no revocation is lost.
func TestChangesDoNotOverwriteEachOther(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	r := open(t, file, c)
	first := r.Keys()[0].ID
	if _, err := keyring.Rotate(file, noon.Add(keyring.Lead-time.Hour)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := keyring.Rotate(file, noon.Add(keyring.Lead)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		if _, err := keyring.Revoke(file, first, noon); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	keys := r.Keys()
	if len(keys) != 12 || keys[slices.IndexFunc(keys, func(k keyring.Key) bool { return k.ID == first })].Revoked.IsZero() {
		t.Errorf("%d keys, want 12 and the first revoked", len(keys))
	}
}

func TestAFileThatOthersMayReadIsRefused(t *testing.T) {
	file, c := filepath.Join(t.TempDir(), keyring.File), &clock{noon}
	open(t, file, c)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(file, c.now); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	want := "others may read it: want it for its owner alone, as after chmod 600 " + file
	_, read := keyring.Read(file)
	_, rotated := keyring.Rotate(file, noon)
	_, revoked := keyring.Revoke(file, "key-1", noon)
	for _, err := range []error{read, rotated, revoked} {
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if state, err := os.Stat(file); err != nil || state.Mode().Perm() != 0o644 {
		t.Errorf("refused, the file is %v, %v", state, err)
	}
}

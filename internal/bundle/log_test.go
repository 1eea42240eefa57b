package bundle_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"muster/internal/bundle"
)

// A memory is a store that remembers, and can be cut off.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	fails func(name string) (stored bool, err error) // of the next Create
}

func (m *memory) List(context.Context) ([]string, error) {
	return slices.Collect(maps.Keys(m.files)), nil
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) { return m.files[name], nil }

func (m *memory) Create(_ context.Context, name string, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.files[name]; there {
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	if m.fails != nil {
		stored, err := m.fails(name)
		if m.fails = nil; !stored {
			return err
		}
		m.files[name] = content
		return err
	}
	m.files[name] = content
	return nil
}

// pair is a key of a log, both halves.
type pair struct {
	private string
	public  bundle.Keys
	text    string
}

func newPair(t interface{ Fatal(...any) }, name string) pair {
	private, public, err := bundle.NewKey(name)
	if err != nil {
		t.Fatal(err)
	}
	k, err := bundle.ParseKeys("key.pub", []byte(public+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, k, public}
}

func record(n int) bundle.Record {
	return bundle.Of(bundle.OfBundle, fmt.Sprintf("2026/INC-%d.tar", n), fmt.Appendf(nil, "bundle %d", n), noon, noon.Add(1))
}

func records(from, until int) (all []bundle.Record) {
	for n := from; n < until; n++ {
		all = append(all, record(n))
	}
	return all
}

func open(t *testing.T, s bundle.Store, k bundle.Keys) *bundle.Log {
	t.Helper()
	l, err := bundle.Open(t.Context(), s, k)
	if errors.Is(err, bundle.ErrNoLog) {
		return bundle.New(k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// wrong wants an error with some words.
func wrong(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// A log in a folder grows, is read again, and finds what is in it.
func TestLog(t *testing.T) {
	key, folder := newPair(t, "archive.example.com"), bundle.Folder(t.TempDir())
	if _, err := bundle.Open(t.Context(), folder, key.public); !errors.Is(err, bundle.ErrNoLog) {
		t.Fatalf("got %v, want that there is none", err)
	}
	l := bundle.New(key.public)
	for _, upTo := range []int{1, 4, 9} { // what is there already is left out
		c, err := l.Append(t.Context(), folder, key.private, records(0, upTo)...)
		if err != nil || c.Size != int64(upTo) || c.Log != "archive.example.com" {
			t.Fatalf("got %+v, %v; want %d entries", c, err, upTo)
		}
	}
	names, err := folder.List(t.Context())
	if slices.Sort(names); err != nil || strings.Join(names, " ") != "000000000000.log 000000000001.log 000000000004.log" {
		t.Errorf("got files %v, %v", names, err)
	}
	before := l.Newest()
	if c, err := l.Append(t.Context(), folder, key.private, records(2, 7)...); err != nil || c != before {
		t.Errorf("got %+v, %v; want nothing new", c, err)
	}
	if err := os.WriteFile(filepath.Join(string(folder), ".tmp-123"), []byte("half"), 0o600); err != nil { // of a crash
		t.Fatal(err)
	}
	again := open(t, folder, key.public)
	if again.Newest() != before || !slices.Equal(again.Records(), records(0, 9)) {
		t.Errorf("got %+v, %v", again.Newest(), again.Records())
	}
	if n, err := again.Find("/anywhere/INC-5.tar", []byte("bundle 5")); n != 5 || err != nil {
		t.Errorf("got entry %d, %v; want 5", n, err)
	}
	_, err = again.Find("INC-5.tar", []byte("bundle 6"))
	wrong(t, err, "find INC-5.tar in the log: entry 6 is this file under another name, 2026/INC-6.tar")
	_, err = again.Find("INC-5.tar", []byte("bundle X"))
	wrong(t, err, "entry 5 is of a file of this name with 8 bytes and SHA-256 "+sha("bundle 5")+"; this one has 8 bytes and SHA-256 "+sha("bundle X"))
	_, err = again.Find("INC-9.tar", []byte("bundle 9"))
	wrong(t, err, "none of its 9 entries is of this file")
}

func TestLoadIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := bundle.Load(file, 5); string(got) != "12345" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, err := bundle.Load(file, 4)
	wrong(t, err, "read "+file+": more than 4 bytes")
}

// The root is that of RFC 6962, and the checkpoint is a note that other programs read.
func TestCheckpointsAreOnesThatOthersRead(t *testing.T) {
	key, s := newPair(t, "archive.example.com"), &memory{files: map[string][]byte{}}
	c, err := open(t, s, key.public).Append(t.Context(), s, key.private, records(0, 3)...)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(s.files["000000000000.log"]), "\n")
	leaf := func(n int) tlog.Hash { return tlog.RecordHash([]byte(lines[n])) }
	if want := tlog.NodeHash(tlog.NodeHash(leaf(0), leaf(1)), leaf(2)); c.Root != want {
		t.Errorf("got root %s, want %s", c.Root, want)
	}
	if want := `{"from":"2026-11-26T12:00:00Z","kind":"bundle","name":"2026/INC-0.tar","sha256":"` + sha("bundle 0") +
		`","size":8,"until":"2026-11-26T12:00:00.000000001Z"}`; lines[0] != want {
		t.Errorf("got %s, want %s", lines[0], want)
	}
	v, err := note.NewVerifier(key.text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(c.Text), note.VerifierList(v))
	if err != nil || n.Text != fmt.Sprintf("archive.example.com\n3\n%s\n", c.Root) {
		t.Errorf("got %+v, %v", n, err)
	}
	if !bytes.HasSuffix(s.files["000000000000.log"], []byte(c.Text)) {
		t.Error("the file does not end in its checkpoint")
	}
}

// Wherever it is cut off, what was asked for is in the log once when it is asked for again.
func TestAppendIsCutOff(t *testing.T) {
	for _, stored := range []bool{false, true} {
		key, s := newPair(t, "a"), &memory{files: map[string][]byte{}}
		l := open(t, s, key.public)
		if _, err := l.Append(t.Context(), s, key.private, records(0, 2)...); err != nil {
			t.Fatal(err)
		}
		s.fails = func(string) (bool, error) { return stored, context.DeadlineExceeded }
		if _, err := l.Append(t.Context(), s, key.private, records(2, 5)...); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want what the store says", err)
		}
		// The next attempt has found one more meanwhile.
		c, err := open(t, s, key.public).Append(t.Context(), s, key.private, records(2, 6)...)
		if err != nil || c.Size != 6 || !slices.Equal(open(t, s, key.public).Records(), records(0, 6)) {
			t.Errorf("stored %v: got %+v, %v; want 6 entries", stored, c, err)
		}
	}
}

// Of two who append at once one is told so, and nothing of what the other has written is lost.
func TestTwoAppendAtOnce(t *testing.T) {
	key, folder := newPair(t, "a"), bundle.Folder(t.TempDir())
	var writers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			for mine := n * 10; mine < n*10+5; {
				l, err := bundle.Open(t.Context(), folder, key.public)
				if errors.Is(err, bundle.ErrNoLog) {
					l, err = bundle.New(key.public), nil
				}
				if err != nil {
					t.Error(err)
					return
				}
				switch _, err := l.Append(t.Context(), folder, key.private, record(mine)); {
				case err == nil:
					mine++
				case !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "somebody else has appended since the log was read"):
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	if l := open(t, folder, key.public); l.Newest().Size != 20 {
		t.Errorf("got %d entries, want 20", l.Newest().Size)
	}
}

func TestAppendRefuses(t *testing.T) {
	key, s := newPair(t, "a"), &memory{files: map[string][]byte{}}
	l := open(t, s, key.public)
	if _, err := l.Append(t.Context(), s, key.private, records(0, 2)...); err != nil {
		t.Fatal(err)
	}
	with := func(change func(*bundle.Record)) bundle.Record {
		r := record(5)
		change(&r)
		return r
	}
	for want, r := range map[string]bundle.Record{
		"record of 2026/INC-1.tar: name 2026/INC-1.tar: entry 1 has it already": with(func(r *bundle.Record) { r.Name = "2026/INC-1.tar" }),
		`kind "note": want bundle, census, organisation, refusals or erasure`:   with(func(r *bundle.Record) { r.Kind = "note" }),
		`name "../x": want the path of a file`:                                  with(func(r *bundle.Record) { r.Name = "../x" }),
		`sha256 "abc": want 64 hexadecimal digits`:                              with(func(r *bundle.Record) { r.SHA256 = "abc" }),
		`sha256 "` + strings.ToUpper(sha("x")) + `": want`:                      with(func(r *bundle.Record) { r.SHA256 = strings.ToUpper(sha("x")) }),
		"size -1, from":               with(func(r *bundle.Record) { r.Size = -1 }),
		"no end before its beginning": with(func(r *bundle.Record) { r.Until = noon.Add(-1) }),
	} {
		_, err := l.Append(t.Context(), s, key.private, r)
		wrong(t, err, want)
	}
	_, err := l.Append(t.Context(), s, key.private, records(2, 1003)...)
	wrong(t, err, "at most 1000 in one file")
	_, err = l.Append(t.Context(), s, newPair(t, "a").private, record(5))
	wrong(t, err, "its public half is not among those of the log")
	_, err = l.Append(t.Context(), s, "PRIVATE+KEY+secret", record(5))
	if wrong(t, err, "private key: want what muster audit keygen has written"); strings.Contains(err.Error(), "secret") {
		t.Error("the error quotes the key")
	}
	if len(s.files) != 1 || l.Newest().Size != 2 {
		t.Errorf("got %d files and %d entries, want what there was", len(s.files), l.Newest().Size)
	}
}

// A log goes on with a new key; whoever has both public halves reads all of it.
func TestKeysChange(t *testing.T) {
	old, next, s := newPair(t, "a"), newPair(t, "a"), &memory{files: map[string][]byte{}}
	both, err := bundle.ParseKeys("both.pub", []byte(old.text+"\n"+next.text+"\n\n"+old.text))
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, s, both)
	for n, k := range []pair{old, next} {
		if _, err := l.Append(t.Context(), s, k.private, record(n)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, s, both)
	_, err = bundle.Open(t.Context(), s, old.public)
	wrong(t, err, "open log: file 000000000001.log: checkpoint: signed by "+l.Newest().Key+", whose public key is not the one given")
}

func TestKeysRefused(t *testing.T) {
	a, b := newPair(t, "a"), newPair(t, "b")
	var hundred strings.Builder
	for range 101 {
		hundred.WriteString(newPair(t, "a").text + "\n")
	}
	for want, text := range map[string]string{
		"read public key k.pub: none in the file":    "\n",
		"k.pub: it holds the private half":           a.private,
		"malformed verifier id: want a line such as": "ssh-ed25519 AAAA",
		"invalid verifier hash: want a line such as": strings.Replace(a.text, "a+", "c+", 1),
		"keys of a and of b: want those of one log":  a.text + "\n" + b.text,
		"k.pub: want at most 100":                    hundred.String(),
	} {
		_, err := bundle.ParseKeys("k.pub", []byte(text))
		wrong(t, err, want)
	}
	for _, name := range []string{"", "A", "a b", "a+b", "../a", "a.", strings.Repeat("a", 65)} {
		_, _, err := bundle.NewKey(name)
		wrong(t, err, "want a name like archive.example.com")
	}
}

func TestCheckpointsRefused(t *testing.T) {
	key, s := newPair(t, "a"), &memory{files: map[string][]byte{}}
	c, err := open(t, s, key.public).Append(t.Context(), s, key.private, records(0, 3)...)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text string) []byte {
		signer, err := note.NewSigner(key.private)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	root := c.Root.String()
	for want, text := range map[string][]byte{
		"read checkpoint kept: want a signed checkpoint: malformed note": nil,
		"invalid signature for key":                                      []byte(strings.Replace(c.Text, "\n3\n", "\n4\n", 1)),
		"want one signature, as Muster writes it, and nothing else":      []byte(c.Text + "— b AAAAAAAAAA==\n"),
		"want three lines that are signed":                               sign("a\n3\n" + root + "\nmore\n"),
		`it is of log "b", want a`:                                       sign("b\n3\n" + root + "\n"),
		"want a size from 1 on and a root hash":                          sign("a\n03\n" + root + "\n"),
		"5000 bytes, want at most 4096":                                  make([]byte, 5000),
	} {
		_, err := key.public.Checkpoint("kept", text)
		wrong(t, err, want)
	}
	// A copy of any file of the log serves as well, and the message by which it came.
	quoted, err := json.Marshal("Keep this:\n\n" + c.Text)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(s.files["000000000000.log"]), "Keep this:\n\n" + c.Text + "\nMuster\n",
		`{"text":` + string(quoted) + `,"incident":""}`,
		"Keep this:\r\n\r\n" + strings.ReplaceAll(c.Text, "\n", "\r\n") + "\r\n",
	} {
		if got, err := key.public.CheckpointsIn("kept", []byte(text)); err != nil || len(got) != 1 || got[0] != c {
			t.Errorf("got %+v, %v of\n%s", got, err, text)
		}
	}
}

// Whatever is appended in whatever portions, the root is that of all of it, and the log continues each of its checkpoints.
func TestAnyLogIsProven(t *testing.T) {
	key := newPair(t, "a")
	rapid.Check(t, func(t *rapid.T) {
		s := &memory{files: map[string][]byte{}}
		l := bundle.New(key.public)
		var kept []bundle.Checkpoint
		at := 0
		for _, more := range rapid.SliceOfN(rapid.IntRange(1, 9), 1, 6).Draw(t, "portions") {
			c, err := l.Append(context.Background(), s, key.private, records(at, at+more)...)
			if err != nil {
				t.Fatal(err)
			}
			kept, at = append(kept, c), at+more
		}
		again, err := bundle.Open(context.Background(), s, key.public)
		if err != nil || again.Newest() != l.Newest() {
			t.Fatalf("got %+v, %v; want %+v", again.Newest(), err, l.Newest())
		}
		whole := &memory{files: map[string][]byte{}}
		if c, err := bundle.New(key.public).Append(context.Background(), whole, key.private, records(0, at)...); err != nil || c != l.Newest() {
			t.Fatalf("at once: got %+v, %v; want %+v", c, err, l.Newest())
		}
		for _, c := range kept {
			if err := again.Continues("kept", c); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// fixed is the same key in every process: what one of them has found is of use to the others.
func fixed(f *testing.F) pair {
	seed := make([]byte, ed25519.SeedSize)
	public, err := note.NewEd25519VerifierKey("a", ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		f.Fatal(err)
	}
	k, err := bundle.ParseKeys("key.pub", []byte(public))
	if err != nil {
		f.Fatal(err)
	}
	hash := strings.Split(public, "+")[1]
	return pair{"PRIVATE+KEY+a+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)), k, public}
}

// What a log takes is what it would write.
func FuzzLogFile(f *testing.F) {
	key, s := fixed(f), &memory{files: map[string][]byte{}}
	l := bundle.New(key.public)
	if _, err := l.Append(context.Background(), s, key.private, records(0, 2)...); err != nil {
		f.Fatal(err)
	}
	whole := s.files["000000000000.log"]
	f.Add(whole)
	f.Add([]byte("{}\n\na\n1\nx\n\n— a AAAA\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &memory{files: map[string][]byte{"000000000000.log": content}}
		_, err := bundle.Open(context.Background(), s, key.public)
		if err == nil && !bytes.Equal(content, whole) {
			t.Errorf("taken without having been written: %q", content)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "open log: file 000000000000.log: ") {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}
